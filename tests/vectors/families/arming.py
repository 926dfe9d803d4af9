# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Arming: what a driver may hint when the pages of its own were used (V17)."""

from .build import case

TITLE = "Arming"
NOTES = {
    "UnitWithoutArm": ("data loss", "Memory of a chunk in which no page was "
                       "hinted first."),
    "Border": ("data loss", "A range across two chunks, of which one is "
               "armed."),
    "Cut": ("edge", "A chunk that memory does not fill."),
}
GIB, MIB, PAGE = 1 << 30, 1 << 20, 1 << 12
TOP = 1 << 64
ALL = (0, 4 * GIB)
# comment, unit, memory, arms, ranges and whether each is allowed, flags
TABLE = (
    ("no arm at all", GIB, ALL, [],
     [((0, PAGE), 0), ((GIB, GIB), 0)], ["UnitWithoutArm"]),
    ("one arm, its chunk and no other", GIB, ALL, [GIB + 5 * PAGE],
     [((GIB, GIB), 1), ((GIB, PAGE), 1), ((2 * GIB - PAGE, PAGE), 1),
      ((0, PAGE), 0), ((GIB - PAGE, PAGE), 0), ((2 * GIB, PAGE), 0)],
     ["UnitWithoutArm"]),
    ("across a border", GIB, ALL, [GIB],
     [((GIB - PAGE, 2 * PAGE), 0), ((2 * GIB - PAGE, 2 * PAGE), 0),
      ((0, 4 * GIB), 0)], ["Border"]),
    ("across a border, both armed", GIB, ALL, [GIB, 2 * GIB],
     [((2 * GIB - PAGE, 2 * PAGE), 1), ((GIB, 2 * GIB), 1),
      ((GIB, 2 * GIB + PAGE), 0)], ["Border"]),
    ("all armed", GIB, ALL, [0, GIB, 2 * GIB, 3 * GIB], [(ALL, 1)], []),
    ("the first and the last page of a chunk are arms", GIB, ALL,
     [0, 4 * GIB - PAGE], [((0, GIB), 1), ((3 * GIB, GIB), 1),
                           ((GIB, 2 * GIB), 0)], []),
    ("memory begins and ends inside a chunk", GIB, (GIB // 2, GIB),
     [GIB // 2, GIB], [((GIB // 2, GIB), 1), ((0, GIB), 0),
                       ((GIB // 2 - PAGE, PAGE), 0),
                       ((3 * GIB // 2, PAGE), 0)], ["Cut"]),
    ("a chunk inside of which all memory is", GIB, (MIB, MIB), [MIB],
     [((MIB, MIB), 1), ((0, MIB), 0), ((2 * MIB, MIB), 0)], ["Cut"]),
    ("a chunk of 4 MiB", 4 * MIB, (0, 64 * MIB), [8 * MIB],
     [((8 * MIB, 4 * MIB), 1), ((4 * MIB, 4 * MIB), 0),
      ((12 * MIB, PAGE), 0)], ["UnitWithoutArm"]),
    ("a chunk of a page", PAGE, (0, 8 * PAGE), [2 * PAGE, 3 * PAGE],
     [((2 * PAGE, 2 * PAGE), 1), ((2 * PAGE, 3 * PAGE), 0),
      ((PAGE, 2 * PAGE), 0)], ["Border"]),
    ("the last chunk of all", GIB, (TOP - 2 * GIB, 2 * GIB - 1),
     [TOP - PAGE], [((TOP - GIB, GIB - 1), 1), ((TOP - GIB, GIB), 0),
                    ((TOP - 2 * GIB, GIB), 0)], ["Cut"]),
)


def text(gpa, length):
    return "%#x+%#x" % (gpa, length)


def cases():
    for comment, unit, memory, arms, ranges, flags in TABLE:
        yield case(comment, "arm", {
            "unit": str(unit), "memory": text(*memory),
            "arms": ["%#x" % arm for arm in arms],
            "ranges": [text(*r) for r, _ in ranges],
        }, {"allowed": [text(*r) for r, allowed in ranges if allowed]},
            ["FPH-V17"], flags)
