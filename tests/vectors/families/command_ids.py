# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Command ids: bytes, byte order, succession."""

from .build import case

TITLE = "Command ids"
NOTES = {
    "Length": ("bounds", "A command that has not 4 bytes. Deployed: fewer "
               "break the device, of more the first four are used."),
    "LegacyBigEndian": ("byte order", "Without VERSION_1 a big-endian guest "
                        "writes big-endian: START(2) is 00000002."),
    "Wrap": ("reuse", "An id counter that wraps gives STOP, DONE, or an id "
             "of an earlier stream."),
}
# id: its bytes in a little-endian buffer, and in a legacy big-endian one.
BYTES = {
    0: ("00000000", "00000000"),
    1: ("01000000", "00000001"),
    2: ("02000000", "00000002"),
    3: ("03000000", "00000003"),
    255: ("ff000000", "000000ff"),
    256: ("00010000", "00000100"),
    0x01020304: ("04030201", "01020304"),
    0x02000000: ("00000002", "02000000"),
    0x7fffffff: ("ffffff7f", "7fffffff"),
    0x80000000: ("00000080", "80000000"),
    0x80000001: ("01000080", "80000001"),
    0xdeadbeef: ("efbeadde", "deadbeef"),
    0xfffffffe: ("feffffff", "fffffffe"),
    0xffffffff: ("ffffffff", "ffffffff"),
}
NEXT = {0: "2", 1: "2", 2: "3", 3: "4", 254: "255", 0x7fffffff: "2147483648",
        0x80000000: "2147483649", 0xfffffffd: "4294967294",
        0xfffffffe: "4294967295", 0xffffffff: "none"}


def cases():
    for number, both in BYTES.items():
        for endian, data in zip(("le", "be"), both):
            flags = ["LegacyBigEndian"] if endian == "be" else []
            yield case("decode %#x, %s" % (number, endian), "command_decode",
                       {"data": data, "endian": endian},
                       {"result": "ok", "id": str(number)},
                       ["FPH-BUF-1", "FPH-BUF-2"], flags)
            yield case("encode %#x, %s" % (number, endian), "command_encode",
                       {"id": str(number), "endian": endian},
                       {"data": data}, ["FPH-BUF-1", "FPH-BUF-2"], flags)
    for length in (0, 1, 2, 3, 5, 6, 7, 8, 12, 16, 4096):
        for endian in ("le", "be"):
            yield case("decode %d bytes, %s" % (length, endian),
                       "command_decode",
                       {"data": ("02000000" + "00" * 4092)[:2 * length],
                        "endian": endian},
                       {"result": "length"}, ["FPH-BUF-1", "FPH-BUF-4"],
                       ["Length"], "invalid")
    for number, following in NEXT.items():
        yield case("the id after %#x" % number, "command_next",
                   {"id": str(number)}, {"id": following},
                   ["FPH-D5A"] + ["FPH-D5C"] * (following == "none"),
                   ["Wrap"] if number > 0xfffffff0 else [])
