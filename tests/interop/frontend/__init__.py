# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A vhost-user front-end and balloon driver over real shared memory.

vhost_user  the messages, over a socket
memory      guest memory in memfds
ring        split virtqueue, driver side
driver      a balloon driver made of these
"""
