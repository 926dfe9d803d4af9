# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Buffers that come back, as a driver finds them."""

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
    "Batch": ("order", "With IN_ORDER what comes back stands for all buffers "
              "before it, and the next one is behind the whole batch."),
    "Stale": ("time of check", "What is left of an earlier lap, or lies "
              "inside of a batch."),
    "Wrap": ("bounds", "A batch over the end of the ring."),
}
PAGES = ["W%#x+0x1000" % (i << 12) for i in range(8)]
USED, LAP2 = 0x8080, 0          # flags of the first lap, and of the second


def used(comment, back, given, flags=(), offered=3, idx=None, num=8,
         broken=False, endian="le", reqs=("FPH-X6",)):
    return case(comment, "used",
                {"num": str(num), "endian": endian,
                 "buffers": PAGES[:offered], "used": list(given),
                 "used_idx": str(len(given) if idx is None else idx)},
                {"back": [str(b) for b in back],
                 "result": "broken" if broken else "ok"}, reqs, flags,
                "invalid" if broken else "valid", role="driver")


def in_order(comment, back, given, idx, flags=("Batch",), offered=4, first=0,
             num=8, broken=False):
    """A split ring with IN_ORDER.  given: "ENTRY=bN+LENGTH"."""
    return case(comment, "used_in_order",
                {"num": str(num), "first": str(first),
                 "buffers": PAGES[:offered], "used": list(given),
                 "used_idx": str(idx)},
                {"back": [str(b) for b in back],
                 "result": "broken" if broken else "ok"},
                ["FPH-Q-11A", "FPH-X6"] if broken else ["FPH-Q-11A"], flags,
                "invalid" if broken else "valid", role="driver")


def split_batches():
    """Four buffers, unless it is said otherwise."""
    yield in_order("IN_ORDER, nothing", [], [], 0, [])
    yield in_order("IN_ORDER, an entry for each", range(4),
                   ["%d=b%d+0" % (i, i) for i in range(4)], 4)
    yield in_order("IN_ORDER, one entry for all", range(4), ["0=b3+0"], 4)
    yield in_order("IN_ORDER, one entry for the first three", range(3),
                   ["0=b2+0"], 3)
    yield in_order("IN_ORDER, batches of 2 and 2", range(4),
                   ["0=b1+0", "2=b3+0"], 4)
    yield in_order("IN_ORDER, batches of 1 and 3", range(4),
                   ["0=b0+0", "1=b3+0"], 4)
    yield in_order("IN_ORDER, batches of 3 and 1", range(4),
                   ["0=b2+0", "3=b3+0"], 4)
    yield in_order("IN_ORDER, entries inside of a batch mean nothing",
                   range(4), ["0=b3+0", "1=b0+0", "2=99+0", "3=b0+0"], 4,
                   ["Batch", "Stale"])
    yield in_order("IN_ORDER, one entry for a full ring", range(8),
                   ["0=b7+0"], 8, offered=8)
    yield in_order("IN_ORDER, used length of a batch", range(4),
                   ["0=b3+4096"], 4, ["Batch", "UsedLength"])
    yield in_order("IN_ORDER, batches over the end", range(4),
                   ["3=b1+0", "1=b3+0"], 7, ["Batch", "Wrap"], first=3,
                   num=4)
    yield in_order("IN_ORDER, one batch over the end", range(4),
                   ["2=b3+0"], 6, ["Batch", "Wrap"], first=2, num=4)
    bad = {"broken": True}
    yield in_order("IN_ORDER, an id that is not in flight", [], ["0=99+0"],
                   4, ["NotInFlight"], **bad)
    yield in_order("IN_ORDER, a batch twice", range(2),
                   ["0=b1+0", "2=b1+0"], 4, ["Batch", "Twice"], **bad)
    yield in_order("IN_ORDER, one of a batch again", range(3),
                   ["0=b2+0", "3=b0+0"], 4, ["Batch", "Twice"], **bad)
    yield in_order("IN_ORDER, more than was offered", [], ["0=b3+0"], 5,
                   ["IndexJump"], **bad)
    made = in_order("IN_ORDER, an index that is behind the batch", range(4),
                    ["0=b3+0"], 1, ["Batch", "IndexJump"], **bad)
    made["expect"] = [made["expect"], {"back": [], "result": "broken"}]
    yield made


def packed(comment, back, given, flags=("Batch",), lists=(1, 2, 1), first=0,
           num=8, ordered=True, broken=False):
    """A packed ring.  lists: descriptors of each; given: slot, id, flags."""
    pages = iter(PAGES)
    return case(comment, "packed_used",
                {"num": str(num), "in_order": "01"[ordered],
                 "first": str(first),
                 "buffers": ["|".join(next(pages) for _ in range(n))
                             for n in lists],
                 "used": ["%d=%s:%#x" % one for one in given]},
                {"back": [str(b) for b in back],
                 "result": "broken" if broken else "ok"},
                (["FPH-Q-11A"] if ordered else []) +
                (["FPH-X6"] if broken or not ordered else ["FPH-PK-2"]),
                flags, "invalid" if broken else "valid", role="driver")


def packed_batches():
    """Lists of 1, 2 and 1 descriptors, unless it is said otherwise."""
    yield packed("packed, IN_ORDER, nothing", [], [], [])
    yield packed("packed, IN_ORDER, one for each", range(3),
                 [(0, "b0", USED), (1, "b1", USED), (3, "b2", USED)])
    yield packed("packed, IN_ORDER, one for all", range(3),
                 [(0, "b2", USED)])
    yield packed("packed, IN_ORDER, one for the first two", range(2),
                 [(0, "b1", USED)])
    yield packed("packed, IN_ORDER, a batch, then one", range(3),
                 [(0, "b1", USED), (3, "b2", USED)])
    yield packed("packed, IN_ORDER, one, then a batch", range(3),
                 [(0, "b0", USED), (1, "b2", USED)])
    yield packed("packed, IN_ORDER, slots inside of a batch mean nothing",
                 range(2), [(0, "b1", USED), (1, "b2", USED),
                            (2, "99", USED)], ["Batch", "Stale"])
    yield packed("packed, IN_ORDER, the next slot is of the other lap",
                 range(2), [(0, "b1", USED), (3, "b2", LAP2)],
                 ["Batch", "Stale"])
    yield packed("packed, IN_ORDER, one for a full ring", range(4),
                 [(0, "b3", USED)], lists=(1, 2, 1, 1), num=5)
    yield packed("packed, IN_ORDER, something was written", range(3),
                 [(0, "b2", USED | 2)], ["Batch", "UsedLength"])
    for first, a, b in ((3, USED, LAP2), (7, LAP2, USED)):
        lap = ", lap %d" % (first // 4 + 1)
        yield packed("packed, IN_ORDER, one batch over the end" + lap,
                     range(3), [(3, "b2", a)], ["Batch", "Wrap"],
                     first=first, num=4)
        yield packed("packed, IN_ORDER, two batches over the end" + lap,
                     range(3), [(3, "b1", a), (2, "b2", b)],
                     ["Batch", "Wrap"], first=first, num=4)
        yield packed("packed, IN_ORDER, behind the end the lap before" + lap,
                     range(2), [(3, "b1", a), (2, "b2", a)],
                     ["Batch", "Wrap", "Stale"], first=first, num=4)
    yield packed("packed, any order, the last of three alone", [2],
                 [(0, "b2", USED)], ["AnyOrder"], ordered=False)
    yield packed("packed, any order, the second, then the first", [1, 0],
                 [(0, "b1", USED), (2, "b0", USED)], ["AnyOrder"],
                 ordered=False)
    bad = {"broken": True}
    for ordered in (True, False):
        name = "packed, IN_ORDER, " if ordered else "packed, any order, "
        yield packed(name + "an id that is not in flight", [],
                     [(0, "99", USED)], ["NotInFlight"], ordered=ordered,
                     **bad)
        yield packed(name + "twice", [0],
                     [(0, "b0", USED), (1, "b0", USED)], ["Twice"],
                     ordered=ordered, **bad)
    yield packed("packed, IN_ORDER, one of a batch again", range(2),
                 [(0, "b1", USED), (3, "b0", USED)], ["Batch", "Twice"],
                 **bad)


def cases():
    yield from singles()
    yield from split_batches()
    yield from packed_batches()


def singles():
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
