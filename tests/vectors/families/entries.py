# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Page frame arrays and statistics."""

import struct

from .build import case

TITLE = "Page frame arrays and statistics"
NOTES = {
    "Truncated": ("bounds", "A buffer that ends inside an entry."),
    "LegacyBigEndian": ("byte order", "Native order without VERSION_1."),
    "Wide": ("overflow", "A frame number times 4096 needs 44 bits."),
    "UnknownTag": ("robustness", "A tag that the reader does not know is no "
                   "error."),
    "Unaligned": ("alignment", "A value next to a 16-bit tag is not "
                  "aligned."),
}
FRAMES = ((), (0,), (1,), (0x12345,), (0, 1, 2, 3), (3, 2, 1, 0),
          (7, 7, 7), (0xffffffff,), (0x80000000, 0x7fffffff),
          tuple(range(256)), (0x100000,), (0x01020304, 0x04030201))
STATISTICS = (
    (), ((0, 0),), ((4, 495697920), (5, 516464640)),
    ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 9),
     (9, 10)),
    ((10, 1), (11, 2), (12, 3), (13, 4), (14, 5), (15, 6)),
    ((16, 1),), ((0xffff, 0xffffffffffffffff),), ((4, 1), (4, 2)),
    ((5, 0x0102030405060708),), ((0x0102, 0x8000000000000000),),
    ((0, 0x100000000), (1, 0xffffffff)),
)


def pfn_cases():
    for endian, mark in (("le", "<"), ("be", ">")):
        for frames in FRAMES:
            name = "%s%s, %s" % (
                " ".join("%#x" % f for f in frames[:4]) or "nothing",
                " ..." if len(frames) > 4 else "", endian)
            data = struct.pack("%s%dI" % (mark, len(frames)), *frames).hex()
            gpas = ["%#x" % (f * 4096) for f in frames]
            flags = ["LegacyBigEndian"] if endian == "be" else []
            if any(f >= 1 << 20 for f in frames):
                flags.append("Wide")
            yield case("decode frames " + name, "pfn_decode",
                       {"data": data, "endian": endian},
                       {"result": "ok", "gpas": gpas}, ["FPH-PFN-1"], flags)
            yield case("encode frames " + name, "pfn_encode",
                       {"gpas": gpas, "endian": endian},
                       {"result": "ok", "data": data}, ["FPH-PFN-1"], flags)
        for length in (1, 2, 3, 5, 6, 7, 4095):
            yield case("frames in %d bytes, %s" % (length, endian),
                       "pfn_decode", {"data": "01" * length,
                                      "endian": endian},
                       {"result": "short"}, ["FPH-PFN-2"], ["Truncated"],
                       "invalid")
    for gpa in (1, 0x800, 0xfff, 0x1001, 1 << 44, 0xfffffffffffff000):
        yield case("encode an address %#x that is no frame" % gpa,
                   "pfn_encode", {"gpas": ["0x1000", "%#x" % gpa],
                                  "endian": "le"},
                   {"result": "refused"}, ["FPH-PFN-1"], ["Wide"], "invalid")


def stat_cases():
    for endian, mark in (("le", "<"), ("be", ">")):
        for i, stats in enumerate(STATISTICS):
            data = b"".join(struct.pack(mark + "HQ", *s) for s in stats)
            shown = ["%d=%#x" % s for s in stats]
            name = "%s statistics %d" % (endian, i)
            flags = ["LegacyBigEndian"] if endian == "be" else []
            if any(tag > 15 for tag, _ in stats):
                flags.append("UnknownTag")
            if len(stats) > 1:
                flags.append("Unaligned")
            reqs = ["FPH-STAT-1"]
            if "UnknownTag" in flags:
                reqs.append("FPH-STAT-2")
            yield case("decode " + name, "stat_decode",
                       {"data": data.hex(), "endian": endian},
                       {"result": "ok", "stats": shown}, reqs, flags)
            yield case("encode " + name, "stat_encode",
                       {"stats": shown, "endian": endian},
                       {"data": data.hex()}, ["FPH-STAT-1"], flags)
        for length in (1, 2, 6, 8, 9, 11, 12, 16, 19):
            yield case("statistics in %d bytes, %s" % (length, endian),
                       "stat_decode", {"data": "00" * length,
                                       "endian": endian},
                       {"result": "short"}, ["FPH-STAT-1"], ["Truncated"],
                       "invalid")
    # Recorded from Linux 6.1.176, user-mode driver.
    yield case("statistics that a Linux driver sent", "stat_decode",
               {"data": "00000000000000000000" "01000000000000000000"
                        "02000000000000000000" "03005f07000000000000"
                        "040000c08b1d00000000" "050000a0c81e00000000"
                        "060000004e1d00000000" "070000403c0000000000",
                "endian": "le"},
               {"result": "ok",
                "stats": ["0=0x0", "1=0x0", "2=0x0", "3=0x75f",
                          "4=0x1d8bc000", "5=0x1ec8a000", "6=0x1d4e0000",
                          "7=0x3c4000"]},
               ["FPH-STAT-1"], ["Unaligned"])


def cases():
    yield from pfn_cases()
    yield from stat_cases()
