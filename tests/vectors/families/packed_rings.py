# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Buffers in a packed ring, good and hostile, and how they come back."""

import struct

from .build import case

TITLE = "Lists of descriptors in a packed ring"
NOTES = {
    "Wrap": ("bounds", "What lies behind the last slot is in the next lap, "
             "with the other wrap counter."),
    "NotPowerOfTwo": ("bounds", "A packed ring has any number of entries."),
    "Stale": ("time of check", "A descriptor of an earlier lap, or one that "
              "was used."),
    "FirstId": ("confusion", "The id is in the last descriptor of a list; in "
                "the others it means nothing."),
    "AnyOrder": ("order", "Used descriptors are written one after another, "
                 "each as far on as its list was long."),
    "Batch": ("order", "With IN_ORDER one used descriptor may return a batch: "
              "it stands at the first slot of the batch and has the id of its "
              "last buffer."),
    "Overtaken": ("order", "With IN_ORDER a buffer that is done early waits "
                  "for those before it."),
    "TableFlags": ("flags", "In a table only WRITE has a meaning."),
    "Hostile": ("robustness", "A list that breaks a rule."),
}
N, W, I = 1, 2, 4
A, U = 1 << 7, 1 << 15
PAGE = 4096
TOP = 1 << 64
AT = 0x8000


def d(addr, length, flags=0, number=0, wrap=1):
    """Available in the lap with this wrap counter."""
    return struct.pack("<QIHH", addr, length, number,
                       flags | (A if wrap else U))


def entry(addr, length, flags=0, number=0):
    """Of a table."""
    return struct.pack("<QIHH", addr, length, number, flags)


def page(i, flags=W, number=0, wrap=1):
    return d(i * PAGE, PAGE, flags, number, wrap)


def shown(*numbers):
    return "|".join("W%#x+0x1000" % (i * PAGE) for i in numbers)


def used(slot, number, wrap=1):
    return "%d=%d:%#x" % (slot, number, A | U if wrap else 0)


def ring(comment, table, expect, back=(), reqs=("FPH-PK-2",), flags=(),
         done=None, num=8, first=0, wrap=1, indirect=0, memory=(),
         broken=False):
    """All buffers come back in their order, if nothing else is said."""
    if done is None:
        done = range(len(expect))
    given = {
        "num": str(num), "first": str(first), "wrap": str(wrap),
        "indirect": str(indirect),
        "table": [one.ljust(16, b"\0").hex() for one in table],
        "memory": ["%#x=%s" % (gpa, b"".join(entries).hex())
                   for gpa, entries in memory],
        "done": [str(n) for n in done]}
    return case(comment, "packed", given,
                {"result": "broken" if broken else "ok",
                 "buffers": list(expect), "used": list(back)}, reqs, flags,
                "invalid" if broken else "valid")


def good():
    yield ring("nothing", [], [])
    yield ring("nothing, in a lap with wrap counter 0", [], [], wrap=0,
               flags=["Wrap"])
    yield ring("one hint", [page(1, number=7)], [shown(1)], [used(0, 7)],
               ["FPH-PK-2", "FPH-PK-3", "FPH-BUF-6"])
    yield ring("one command", [d(64, 4, number=3)], ["R0x40+0x4"],
               [used(0, 3)], ["FPH-PK-2", "FPH-BUF-1"])
    yield ring("a hint in a lap with wrap counter 0",
               [page(1, number=7, wrap=0)], [shown(1)], [used(0, 7, 0)],
               flags=["Wrap"], wrap=0)
    for number in (0, 1, 0x7fff, 0xffff):
        yield ring("id %d" % number, [page(1, number=number)], [shown(1)],
                   [used(0, number)])
    yield ring("a command and two hints, the id in the last",
               [d(64, 4, N, 11), page(1, W | N, 12), page(2, W, 13)],
               ["R0x40+0x4|" + shown(1, 2)], [used(0, 13)],
               ["FPH-PK-2", "FPH-BUF-7"], ["FirstId"])
    yield ring("as many descriptors as the ring",
               [page(i, W | N, i) for i in range(7)] + [page(7, W, 99)],
               [shown(*range(8))], [used(0, 99)],
               ["FPH-PK-2", "FPH-R10"], ["FirstId"])
    yield ring("three buffers of one id each",
               [page(i, number=5 + i) for i in range(3)],
               [shown(0), shown(1), shown(2)],
               [used(i, 5 + i) for i in range(3)])
    yield ring("unknown flags are ignored", [page(1, W | 0x7f78, 4)],
               [shown(1)], [used(0, 4)])
    yield ring("taken and not returned", [page(1), page(2)],
               [shown(1), shown(2)], done=())
    yield ring("a ring of one", [page(1, number=2)], [shown(1)],
               [used(0, 2)], num=1, flags=["NotPowerOfTwo"])
    yield ring("ends exactly at 2^64", [d(TOP - PAGE, PAGE, W, 1)],
               ["W0xfffffffffffff000+0x1000"], [used(0, 1)],
               ["FPH-Q-6F"])
    yield ring("2^32 bytes", [d(0, 1 << 31, W | N),
                              d(1 << 32, 1 << 31, W, 1)],
               ["W0x0+0x80000000|W0x100000000+0x80000000"], [used(0, 1)],
               ["FPH-Q-6G"])


def laps():
    for wrap in (1, 0):
        lap = "wrap counter %d" % wrap
        yield ring("a list over the end, " + lap,
                   [page(0, W, 9, not wrap), b"", b"",
                    page(3, W | N, 8, wrap)],
                   [shown(3, 0)], [used(3, 9, wrap)], flags=["Wrap"],
                   num=4, first=3, wrap=wrap)
        yield ring("buffers over the end, " + lap,
                   [page(0, W, 6, not wrap), page(1, W, 7, not wrap), b"",
                    page(3, W, 5, wrap)],
                   [shown(3), shown(0), shown(1)],
                   [used(0, 6, not wrap), used(1, 7, not wrap),
                    used(3, 5, wrap)], flags=["Wrap"],
                   num=4, first=3, wrap=wrap)
        yield ring("used over the end, backwards, " + lap,
                   [page(0, W | N, 0, not wrap), page(1, W, 7, not wrap),
                    b"", page(3, W, 5, wrap)],
                   [shown(3), shown(0, 1)],
                   [used(1, 5, not wrap), used(3, 7, wrap)],
                   flags=["Wrap", "AnyOrder"], done=(1, 0),
                   num=4, first=3, wrap=wrap)
        yield ring("a descriptor of the lap before, " + lap,
                   [page(0, W, 1, wrap), page(1, W, 2, not wrap)],
                   [shown(0)], [used(0, 1, wrap)], flags=["Stale", "Wrap"],
                   wrap=wrap)
        stale = A | U if wrap else 0
        yield ring("a descriptor that was used, " + lap,
                   [entry(0, PAGE, W | stale)], [], flags=["Stale"],
                   wrap=wrap)
    for num in (3, 5, 7):
        yield ring("a full ring of %d from slot 1 on" % num,
                   [page(0, W, 50, 0)] + [page(i, W, i) for i in
                                          range(1, num)],
                   [shown(i) for i in [*range(1, num), 0]],
                   [used(0, 50, 0)] + [used(i, i) for i in range(1, num)],
                   flags=["Wrap", "NotPowerOfTwo"], num=num, first=1)


def orders():
    """Lists of 1, 2 and 1 descriptors: slots 0, 1 and 3."""
    lists = [page(0, W, 10), page(1, W | N, 11), page(2, W, 12),
             page(3, W, 13)]
    for done in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1),
                 (2, 1, 0)):
        slot, back = 0, []
        for n in done:
            back.append(used(slot, (10, 12, 13)[n]))
            slot += (1, 2, 1)[n]
        yield ring("lists of 1, 2 and 1 descriptors, returned as %d, %d, %d" %
                   done, lists, [shown(0), shown(1, 2), shown(3)], back,
                   flags=["AnyOrder"], done=done)
    yield ring("the last of three alone is returned", lists,
               [shown(0), shown(1, 2), shown(3)], [used(0, 13)],
               flags=["AnyOrder"], done=(2,))


def batches(turns):
    """Every way to return these in their order: the used descriptors.

    turns: (slot, id, wrap counter) of each list.
    """
    if not turns:
        return [[]]
    slot, _, wrap = turns[0]
    return [[(slot, turns[n][1], wrap), *rest] for n in range(len(turns))
            for rest in batches(turns[n + 1:])]


def ordered(comment, table, expect, turns, done, flags=("Batch",), **more):
    """A ring with IN_ORDER: any batches are right."""
    made = ring(comment, table, expect, reqs=("FPH-PK-2", "FPH-Q-11"),
                flags=flags, done=done, **more)
    made["op"] = "packed_in_order"
    ways = [dict(made["expect"], used=[used(*one) for one in sorted(back)])
            for back in batches(turns)]
    made["expect"] = ways if len(ways) > 1 else ways[0]
    return made


def in_order():
    """Lists of 1, 2 and 1 descriptors: slots 0, 1 and 3."""
    lists = [page(0, W, 10), page(1, W | N, 11), page(2, W, 12),
             page(3, W, 13)]
    all_three = [shown(0), shown(1, 2), shown(3)]
    turns = [(0, 10, 1), (1, 12, 1), (3, 13, 1)]
    for done, count in (((0, 1, 2), 3), ((2, 1, 0), 3), ((1, 0, 2), 3),
                        ((0, 1), 2), ((1, 0), 2), ((0, 2), 1), ((0,), 1),
                        ((1,), 0), ((2, 1), 0), ((), 0)):
        waits = ["Overtaken"] if len(done) > count else []
        yield ordered("IN_ORDER, lists of 1, 2 and 1 descriptors, done: " +
                      (", ".join(map(str, done)) or "none"), lists, all_three,
                      turns[:count], done, ["Batch"] * (count > 1) + waits)
    for wrap in (1, 0):
        yield ordered("IN_ORDER, a batch over the end, wrap counter %d" % wrap,
                      [page(0, W | N, 4, not wrap), page(1, W, 5, not wrap),
                       page(2, W, 7, wrap), page(3, W, 6, wrap)],
                      [shown(2), shown(3), shown(0, 1)],
                      [(2, 7, wrap), (3, 6, wrap), (0, 5, not wrap)],
                      (0, 1, 2), ["Batch", "Wrap"], num=4, first=2, wrap=wrap)
    yield ordered("IN_ORDER, a full ring of one id each",
                  [page(i, W, 20 + i) for i in range(4)],
                  [shown(i) for i in range(4)],
                  [(i, 20 + i, 1) for i in range(4)], range(4), num=4)
    yield ordered("IN_ORDER, a table and a list",
                  [d(AT, 32, I, 7), page(1, W | N, 8), page(2, W, 9)],
                  ["W0x0+0x1000|W0x4000+0x1000", shown(1, 2)],
                  [(0, 7, 1), (1, 9, 1)], (0, 1), indirect=1,
                  memory=[(AT, [entry(0, PAGE, W),
                                entry(0x4000, PAGE, W)])])


def tables():
    two = [entry(0, PAGE, W), entry(0x4000, PAGE, W)]
    both = "W0x0+0x1000|W0x4000+0x1000"
    given = {"indirect": 1, "memory": [(AT, two)]}
    yield ring("a table of two", [d(AT, 32, I, 7)], [both], [used(0, 7)],
               **given)
    yield ring("a table, then a hint", [d(AT, 32, I, 7), page(1, number=8)],
               [both, shown(1)], [used(0, 7), used(1, 8)], **given)
    yield ring("a table whose entries have ids and other flags",
               [d(AT, 32, I, 7)], [both], [used(0, 7)],
               flags=["TableFlags"], indirect=1,
               memory=[(AT, [entry(0, PAGE, W | N | A | U, 3),
                             entry(0x4000, PAGE, W | I | N, 4)])])
    yield ring("WRITE on the indirect descriptor", [d(AT, 32, I | W, 7)],
               [both], [used(0, 7)], flags=["TableFlags"], **given)
    yield ring("a command and a hint in a table", [d(AT, 32, I, 7)],
               ["R0x40+0x4|W0x1000+0x1000"], [used(0, 7)],
               ["FPH-PK-2", "FPH-BUF-7"], indirect=1,
               memory=[(AT, [entry(64, 4), entry(PAGE, PAGE, W)])])
    yield ring("a table of 8 in a ring of 8", [d(AT, 128, I, 7)],
               [shown(*range(8))], [used(0, 7)], ["FPH-PK-2", "FPH-R10"],
               indirect=1,
               memory=[(AT, [entry(i * PAGE, PAGE, W) for i in range(8)])])


def not_with_it():
    """FPH-PK-1."""
    def bad(comment, table, flags=("Stale",), **more):
        return ring(comment, table, [], reqs=["FPH-PK-1"], flags=flags,
                    broken=True, **more)

    yield bad("a list that goes on where nothing is", [page(0, W | N)])
    yield bad("a list that goes on in the lap before",
              [page(0, W | N), page(1, W, 1, 0)])
    yield bad("a list that goes on in what was used",
              [page(0, W | N), entry(PAGE, PAGE, W | A | U)])
    yield bad("the last of three is not there",
              [page(0, W | N), page(1, W | N), page(2, W, 1, 0)])
    for wrap in (1, 0):
        yield bad("a list over the end with the bits of one lap, %d" % wrap,
                  [page(0, W, 9, wrap), b"", b"", page(3, W | N, 8, wrap)],
                  ["Wrap"], num=4, first=3, wrap=wrap)
    yield ring("a good buffer, then one that is not all there",
               [page(0, W, 3), page(1, W | N)], [shown(0)], [used(0, 3)],
               ["FPH-PK-1", "FPH-Q-6", "FPH-Q-8", "FPH-Q-8B"], ["Stale"],
               broken=True)


def hostile():
    def bad(comment, table, norm, **more):
        return ring("packed: " + comment, table, [],
                    reqs=["FPH-Q-6", "FPH-Q-6" + norm], flags=["Hostile"],
                    broken=True, **more)

    yield bad("NEXT in all of them",
              [page(i, W | N) for i in range(8)], "C")
    yield bad("readable after writable", [page(1, W | N), d(64, 4)], "D")
    for flags, name in ((W, "writable"), (0, "readable")):
        yield bad("no bytes, " + name, [d(PAGE, 0, flags)], "E")
    yield bad("no bytes at the end", [page(1, W | N), d(0, 0, W)], "E")
    yield bad("wraps", [d(TOP - PAGE, PAGE + 1, W)], "F")
    yield bad("2^32 bytes and one more",
              [d(0, 1 << 31, W | N), d(1 << 32, (1 << 31) + 1, W)], "G")
    two = {"memory": [(AT, [entry(0, PAGE, W), entry(0x4000, PAGE, W)])]}
    yield bad("indirect, not negotiated", [d(AT, 32, I)], "H", **two)
    two["indirect"] = 1
    yield bad("indirect with NEXT", [d(AT, 32, I | N), page(1)], "J", **two)
    yield bad("indirect after a command", [d(64, 4, N), d(AT, 32, I)], "J",
              **two)
    for length in (0, 1, 15, 17, 31, 0xffffffff):
        yield bad("a table of %d bytes" % length, [d(AT, length, I)], "K",
                  **two)
    yield bad("a table that is not guest memory", [d(0x70000, 32, I)], "L",
              **two)
    yield bad("a table half in guest memory", [d(AT, 48, I)], "L", **two)
    yield bad("a table that wraps", [d(TOP - 16, 32, I)], "L", **two)
    one = {"indirect": 1}
    yield bad("a table of 9 in a ring of 8", [d(AT, 144, I)], "C",
              memory=[(AT, [entry(i * PAGE, PAGE, W) for i in range(9)])],
              **one)
    yield bad("no bytes in a table", [d(AT, 16, I)], "E",
              memory=[(AT, [entry(0, 0, W)])], **one)
    yield bad("readable after writable in a table", [d(AT, 32, I)], "D",
              memory=[(AT, [entry(0, 16, W), entry(32, 16)])], **one)


def cases():
    yield from good()
    yield from laps()
    yield from orders()
    yield from in_order()
    yield from tables()
    yield from not_with_it()
    yield from hostile()
