# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Ranges: merging, and rounding inwards to a granule."""

import random

from .build import case

TITLE = "Ranges and coalescing"
NOTES = {
    "RoundedOut": ("data loss", "Rounding outwards hits bytes that were not "
                   "given."),
    "RoundedBeforeMerge": ("efficiency", "Rounding each range before the "
                           "merge loses a granule that neighbours complete."),
    "Wrap": ("overflow", "A range at the end of the address space, or beyond "
             "it."),
    "Overlap": ("double count", "Ranges that overlap or repeat."),
    "Unordered": ("order", "Ranges in any order."),
}
TOP = 1 << 64
# comment, granule, ranges, runs, flags
TABLE = (
    ("nothing", 4096, [], [], []),
    ("one page", 4096, [(0, 4096)], [(0, 4096)], []),
    ("one byte, granule 1", 1, [(7, 1)], [(7, 1)], []),
    ("one byte is no page", 4096, [(0, 1)], [], ["RoundedOut"]),
    ("a page less one byte", 4096, [(0, 4095)], [], ["RoundedOut"]),
    ("a page and one byte", 4096, [(0, 4097)], [(0, 4096)], ["RoundedOut"]),
    ("starts one byte late", 4096, [(1, 4096)], [], ["RoundedOut"]),
    ("starts one byte late, ends on a page", 4096, [(1, 8191)],
     [(4096, 4096)], ["RoundedOut"]),
    ("unaligned start, half a page", 4096, [(0x800, 0x2000)],
     [(0x1000, 0x1000)], ["RoundedOut"]),
    ("100 bytes inside a page", 4096, [(0x5000, 100)], [], ["RoundedOut"]),
    ("two neighbours", 4096, [(0, 4096), (4096, 4096)], [(0, 8192)], []),
    ("two neighbours, descending", 4096, [(4096, 4096), (0, 4096)],
     [(0, 8192)], ["Unordered"]),
    ("two halves make a page", 4096, [(0, 2048), (2048, 2048)], [(0, 4096)],
     ["RoundedBeforeMerge"]),
    ("two halves, descending", 4096, [(2048, 2048), (0, 2048)], [(0, 4096)],
     ["RoundedBeforeMerge", "Unordered"]),
    ("halves of two pages", 4096, [(2048, 2048), (4096, 2048)], [],
     ["RoundedOut"]),
    ("three thirds make one run", 4096, [(8192, 4096), (0, 4096),
                                         (4096, 4096)],
     [(0, 12288)], ["Unordered"]),
    ("a gap of one byte", 4096, [(0, 4096), (4097, 8191)],
     [(0, 4096), (8192, 4096)], ["RoundedOut"]),
    ("a gap of one page", 4096, [(0, 4096), (8192, 4096)],
     [(0, 4096), (8192, 4096)], []),
    ("the same page twice", 4096, [(4096, 4096)] * 2, [(4096, 4096)],
     ["Overlap"]),
    ("the same page ten times", 4096, [(4096, 4096)] * 10, [(4096, 4096)],
     ["Overlap"]),
    ("one inside another", 4096, [(0, 16384), (4096, 4096)], [(0, 16384)],
     ["Overlap"]),
    ("one inside another, the small one first", 4096,
     [(4096, 4096), (0, 16384)], [(0, 16384)], ["Overlap", "Unordered"]),
    ("a short one inside does not end the run", 4096,
     [(0, 16384), (4096, 4096), (16384, 4096)], [(0, 20480)], ["Overlap"]),
    ("overlap by a page", 4096, [(0, 8192), (4096, 8192)], [(0, 12288)],
     ["Overlap"]),
    ("overlap by a byte", 4096, [(0, 4097), (4096, 4096)], [(0, 8192)],
     ["Overlap"]),
    ("512 small pages make a huge one", 1 << 21,
     [(n << 12, 4096) for n in range(512)], [(0, 1 << 21)],
     ["RoundedBeforeMerge"]),
    ("511 small pages do not", 1 << 21,
     [(n << 12, 4096) for n in range(511)], [], ["RoundedOut"]),
    ("512 small pages across two huge ones", 1 << 21,
     [(n << 12, 4096) for n in range(256, 768)], [], ["RoundedOut"]),
    ("a huge page and a small one", 1 << 21, [(1 << 21, (1 << 21) + 4096)],
     [(1 << 21, 1 << 21)], ["RoundedOut"]),
    ("granule of 64 KiB", 65536, [(4096, 131072)], [(65536, 65536)],
     ["RoundedOut"]),
    ("granule of 1 GiB", 1 << 30, [(1 << 29, 1 << 31)],
     [(1 << 30, 1 << 30)], ["RoundedOut"]),
    ("granule of 512 bytes", 512, [(256, 1024)], [(512, 512)],
     ["RoundedOut"]),
    ("the last page of all", 4096, [(TOP - 4096, 4096)],
     [(TOP - 4096, 4096)], ["Wrap"]),
    ("the last two pages, in two", 4096,
     [(TOP - 4096, 4096), (TOP - 8192, 4096)], [(TOP - 8192, 8192)],
     ["Wrap", "Unordered"]),
    ("the last byte of all is no page", 4096, [(TOP - 1, 1)], [], ["Wrap"]),
    ("the last byte of all, granule 1", 1, [(TOP - 1, 1)], [(TOP - 1, 1)],
     ["Wrap"]),
    ("the last page but its first byte", 4096, [(TOP - 4095, 4095)], [],
     ["Wrap", "RoundedOut"]),
    ("near the top, start rounds up to 2^64", 1 << 30, [(TOP - 4096, 4096)],
     [], ["Wrap"]),
    ("first and last page do not meet", 4096,
     [(TOP - 4096, 4096), (0, 4096)], [(0, 4096), (TOP - 4096, 4096)],
     ["Wrap"]),
    ("above 2^32", 4096, [(1 << 32, 1 << 32)], [(1 << 32, 1 << 32)], []),
    ("across 2^32", 4096, [((1 << 32) - 4096, 8192)],
     [((1 << 32) - 4096, 8192)], ["Wrap"]),
    ("across 2^63", 4096, [((1 << 63) - 4096, 8192)],
     [((1 << 63) - 4096, 8192)], ["Wrap"]),
    ("32 blocks of 4 MiB, descending", 4096,
     [(0x2c00000 + (n << 22), 1 << 22) for n in range(31, -1, -1)],
     [(0x2c00000, 32 << 22)], ["Unordered"]),
    ("every second page", 4096, [(n << 13, 4096) for n in range(64)],
     [(n << 13, 4096) for n in range(64)], []),
)
REFUSED = (
    ("no bytes", [(4096, 0)]), ("no bytes at 0", [(0, 0)]),
    ("no bytes among good ones", [(0, 4096), (8192, 0), (16384, 4096)]),
    ("wraps by one byte", [(TOP - 4096, 4097)]),
    ("wraps by a page", [(TOP - 4096, 8192)]),
    ("wraps from the last byte", [(TOP - 1, 2)]),
    ("wraps among good ones", [(0, 4096), (TOP - 4096, 8192)]),
    ("all but the first byte, and more", [(1, TOP - 1), (2, TOP - 1)]),
)


def text(ranges):
    return ["%#x+%#x" % r for r in ranges]


def by_units(ranges, granule, unit):
    """The runs, by marking every unit: slow, and obvious."""
    marked = {u for gpa, n in ranges
              for u in range(gpa // unit, (gpa + n) // unit)}
    per = granule // unit
    whole = sorted(g for g in {u // per for u in marked}
                   if all(u in marked for u in range(g * per, g * per + per)))
    runs = []
    for g in whole:
        if runs and runs[-1][0] + runs[-1][1] == g * granule:
            runs[-1][1] += granule
        else:
            runs.append([g * granule, granule])
    return [tuple(r) for r in runs]


def random_cases():
    rng = random.Random(20261123)
    for i in range(100):
        unit = rng.choice((512, 1024, 4096))
        granule = unit * rng.choice((1, 2, 4, 8))
        base = rng.choice((0, 1 << 32, 0x2c00000))
        ranges = []
        for _ in range(rng.randint(2, 24)):
            start = rng.randint(0, 80)
            ranges.append((base + start * unit,
                           rng.randint(1, rng.choice((2, 6, 20))) * unit))
        yield ("random %d" % i, granule, ranges,
               by_units(ranges, granule, unit), ["Unordered", "Overlap"])


def cases():
    reqs = ["FPH-BUF-9", "FPH-BUF-10", "FPH-D8", "FPH-R6", "FPH-R11"]
    for comment, granule, ranges, runs, flags in (list(TABLE) +
                                                  list(random_cases())):
        yield case(comment, "coalesce",
                   {"granule": str(granule), "ranges": text(ranges)},
                   {"result": "ok", "runs": text(runs)}, reqs, flags)
    for comment, ranges in REFUSED:
        yield case(comment, "coalesce",
                   {"granule": "4096", "ranges": text(ranges)},
                   {"result": "refused"}, ["FPH-X3", "FPH-Q-6"],
                   ["Wrap"] if "wrap" in comment else [], "invalid")
