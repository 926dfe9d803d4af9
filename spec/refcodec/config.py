# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Chapter "Features and configuration space"."""

# Feature bits of the balloon, by number.
MUST_TELL_HOST = 0
STATS_VQ = 1
DEFLATE_ON_OOM = 2
FREE_PAGE_HINT = 3
PAGE_POISON = 4
PAGE_REPORTING = 5

# Feature bits of all devices that matter here.
INDIRECT_DESC = 28
EVENT_IDX = 29
VERSION_1 = 32
ACCESS_PLATFORM = 33
IN_ORDER = 35

FIELDS = (("num_pages", 0), ("actual", 4),
          ("cmd_id", 8), ("poison_val", 12))


def has(features, bit):
    return bool(features >> bit & 1)


def decode(space):
    """The fields of a config space of any length; None: absent (CFG-3)."""
    return {name: int.from_bytes(space[at:at + 4], "little")
            if at + 4 <= len(space) else None
            for name, at in FIELDS}


def encode(fields, size):
    """A config space of this size: the fields that fit whole, then zeros."""
    space = bytearray(size)
    for name, at in FIELDS:
        if at + 4 <= size:
            space[at:at + 4] = fields[name].to_bytes(4, "little")
    return bytes(space)


def size(offered):
    """How long a device makes its config space (CFG-4)."""
    if has(offered, PAGE_POISON):
        return 16
    return 12 if has(offered, FREE_PAGE_HINT) else 8


def merge_write(fields, negotiated, offset, data):
    """What a driver's write changes: its new fields (CFG-5, CFG-6)."""
    writable = {"actual"}
    if has(negotiated, PAGE_POISON):
        writable.add("poison_val")
    space = bytearray(encode(fields, 16))
    space[offset:offset + len(data)] = data
    new = decode(bytes(space[:16]))
    return {name: new[name] if name in writable else value
            for name, value in fields.items()}


def word_order(negotiated):
    """Byte order of numbers in buffers: of a guest like this host (BUF-2)."""
    import sys
    return "little" if has(negotiated, VERSION_1) else sys.byteorder
