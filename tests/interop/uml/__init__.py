# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A real Linux guest in user mode, with its stock balloon driver."""
