# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A real virtual machine: QEMU, with the daemon as its balloon device."""
