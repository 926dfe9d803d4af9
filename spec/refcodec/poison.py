# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Chapter "Page poison"."""


def effective(negotiated, poison_val):
    """What a device takes as the value (P5, CFG-6)."""
    return poison_val if negotiated else 0


def may_discard(negotiated, poison_val):
    """Whether a device may discard reported pages (R4)."""
    return effective(negotiated, poison_val) == 0
