# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The kernel module fph_balloon in guests of QEMU, on QEMU's own device."""
