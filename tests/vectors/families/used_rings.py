# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Used rings, as a driver finds them."""

from .build import case

TITLE = "Used rings"
NOTES = {
    "UsedLength": ("trust", "Deployed devices give 0, 1 or the sum of the "
                   "lengths: a driver ignores it."),
    "Twice": ("double free", "A buffer that is returned twice."),
    "NotInFlight": ("bounds", "An id that no buffer in flight has."),
    "IndexJump": ("bounds", "A used index that moved by more than what was "
                  "offered."),
    "AnyOrder": ("order", "Buffers come back in any order."),
    "BigEndian": ("byte order", "Ring memory of a legacy big-endian guest."),
}
PAGES = ["W%#x+0x1000" % (i << 12) for i in range(8)]


def used(comment, back, given, flags=(), offered=3, idx=None, num=8,
         broken=False, endian="le", reqs=("FPH-X6",)):
    return case(comment, "used",
                {"num": str(num), "endian": endian,
                 "buffers": PAGES[:offered], "used": list(given),
                 "used_idx": str(len(given) if idx is None else idx)},
                {"back": [str(b) for b in back],
                 "result": "broken" if broken else "ok"}, reqs, flags,
                "invalid" if broken else "valid", role="driver")


def cases():
    yield used("nothing", [], [])
    yield used("all, in order", [0, 1, 2], ["b0+0", "b1+0", "b2+0"])
    yield used("one of three", [1], ["b1+0"], ["AnyOrder"])
    yield used("all, backwards", [2, 1, 0], ["b2+0", "b1+0", "b0+0"],
               ["AnyOrder"])
    yield used("a full ring", range(8), ["b%d+0" % i for i in range(8)],
               offered=8)
    yield used("a full ring, mixed", [5, 0, 7, 2, 1, 6, 3, 4],
               ["b%d+0" % i for i in (5, 0, 7, 2, 1, 6, 3, 4)],
               ["AnyOrder"], offered=8)
    for length in (1, 4095, 4096, 4097, 0xffffffff):
        yield used("used length %d" % length, [0], ["b0+%d" % length],
                   ["UsedLength"], reqs=("FPH-Q-9",))
    yield used("big-endian", [1, 0], ["b1+0", "b0+1"], ["BigEndian"],
               endian="be")
    bad = {"broken": True}
    yield used("twice", [0], ["b0+0", "b0+0"], ["Twice"], **bad)
    yield used("twice, with another between", [0, 1],
               ["b0+0", "b1+0", "b0+0"], ["Twice"], **bad)
    yield used("a full ring, the last one twice", range(7),
               ["b%d+0" % i for i in range(7)] + ["b6+0"], ["Twice"],
               offered=8, **bad)
    for number in (8, 9, 0xffff, 0x10000, 0x7fffffff, 0xffffffff):
        yield used("id %d of 8" % number, [], ["%d+0" % number],
                   ["NotInFlight"], **bad)
    yield used("a good one, then a bad id", [2], ["b2+0", "8+0"],
               ["NotInFlight"], **bad)
    yield used("an id of which only the low bits are good", [],
               ["65536+0"], ["NotInFlight"], **bad)
    yield used("big-endian, an id in the wrong order", [], ["16777216+0"],
               ["BigEndian", "NotInFlight"], endian="be", **bad)
    for idx in (4, 9, 32768, 65535):
        yield used("index %d of 3 buffers" % idx, [],
                   ["b0+0", "b1+0", "b2+0"], ["IndexJump"], idx=idx, **bad)
    yield used("an index and nothing was offered", [], [], ["IndexJump"],
               offered=0, idx=1, **bad)
