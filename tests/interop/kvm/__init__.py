# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""QEMU on KVM, and a processor that only writes to pages."""
