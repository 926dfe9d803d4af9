# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Config space: decoding, encoding, length."""

import struct

from .build import (HINT, OOM, POISON, REPORT, STATS, TELL, V1, case)

TITLE = "Configuration space"
NOTES = {
    "OddLength": ("bounds", "A config space that ends inside a field: the "
                  "field is absent and no byte beyond the end is read."),
    "BigEndian": ("byte order", "A decoder that reads fields in the guest's "
                  "order, as numbers in buffers, gives another value."),
    "Shifted": ("layout", "A decoder that packs the optional fields finds "
                "poison_val at offset 8."),
}
NAMES = ("num_pages", "actual", "cmd_id", "poison_val")
# Which fields are whole in a space of so many bytes.
WHOLE = {0: 0, 1: 0, 3: 0, 4: 1, 5: 1, 7: 1, 8: 2, 9: 2, 11: 2, 12: 3, 13: 3,
         15: 3, 16: 4, 17: 4, 20: 4, 64: 4}


def fields(values, whole=4):
    return {name: str(v) if i < whole else "absent"
            for i, (name, v) in enumerate(zip(NAMES, values))}


def decode_cases():
    values = (0x01020304, 0x11121314, 0x21222324, 0x31323334)
    space = struct.pack("<4I", *values) + bytes(range(0xd0, 0x100))
    for length, whole in WHOLE.items():
        odd = length % 4 != 0
        yield case("decode %d bytes" % length, "config_decode",
                   {"data": space[:length].hex()}, fields(values, whole),
                   ["FPH-CFG-1", "FPH-CFG-3"], ["OddLength"] if odd else [])
    for v in (0, 1, 2, 0x80000001, 0xfffffffe, 0xffffffff):
        values = (v, v ^ 0xffffffff, v ^ 1, v ^ 0x55aa00ff)
        yield case("decode edge %#x" % v, "config_decode",
                   {"data": struct.pack("<4I", *values).hex()},
                   fields(values), ["FPH-CFG-1"], ["BigEndian"])
    yield case("decode poison alone: bytes of an id that is not there",
               "config_decode", {"data": "00" * 12 + "aa" * 4},
               fields((0, 0, 0, 0xaaaaaaaa)), ["FPH-CFG-2"], ["Shifted"])
    yield case("decode 20 bytes of a device with a later field",
               "config_decode", {"data": "00" * 8 + "02000000" + "00" * 4 +
                                 "ffffffff"},
               fields((0, 0, 2, 0)), ["FPH-CFG-3"])


def encode_cases():
    values = (0x80000000, 7, 2, 0xaaaaaaaa)
    whole = struct.pack("<4I", *values)
    for length, n in WHOLE.items():
        data = whole[:4 * n] + bytes(length - 4 * n)
        given = {name: str(v) for name, v in zip(NAMES, values)}
        given["size"] = str(length)
        yield case("encode %d bytes" % length, "config_encode", given,
                   {"data": data.hex()}, ["FPH-CFG-1", "FPH-CFG-2"],
                   ["OddLength"] if length % 4 else [])
    for v in (0, 1, 0x80000001, 0xffffffff):
        given = {name: str(v) for name in NAMES}
        given["size"] = "16"
        yield case("encode edge %#x" % v, "config_encode", given,
                   {"data": (struct.pack("<I", v) * 4).hex()},
                   ["FPH-CFG-1"], ["BigEndian"])


def size_cases():
    table = ((0, 8), (STATS, 8), (TELL | OOM, 8), (REPORT, 8),
             (STATS | REPORT, 8), (HINT, 12), (STATS | HINT, 12),
             (HINT | REPORT, 12), (STATS | HINT | REPORT, 12),
             (POISON, 16), (POISON | REPORT, 16), (POISON | HINT, 16),
             (POISON | STATS, 16), (0x3f, 16))
    for features, size in table:
        for version in (0, V1):
            yield case("size with features %#x" % (features | version),
                       "config_size", {"features": "%#x" %
                                       (features | version)},
                       {"size": str(size)}, ["FPH-CFG-4"])


def cases():
    yield from decode_cases()
    yield from encode_cases()
    yield from size_cases()
