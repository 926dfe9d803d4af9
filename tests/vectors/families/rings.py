# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Buffers in a split ring, good and hostile."""

import struct

from .build import case

TITLE = "Descriptor chains of a split ring"
NOTES = {
    "QemuAvailJump": ("bounds", "QEMU 7.2 processed an available index that "
                      "jumped by 2001 2001 times."),
    "QemuIndirectUnasked": ("negotiation", "QEMU 7.2 takes indirect "
                            "descriptors that were not negotiated."),
    "QemuIndirectNested": ("recursion", "QEMU 7.2 takes a nested indirect "
                           "descriptor, and INDIRECT together with NEXT."),
    "Loop": ("denial of service", "A chain that never ends."),
    "OutOfTable": ("bounds", "A head or next that is no descriptor."),
    "Order": ("confusion", "A readable descriptor after a writable one."),
    "ZeroLength": ("confusion", "A descriptor of no bytes."),
    "Wrap": ("overflow", "A range or a sum that overflows."),
    "BigEndian": ("byte order", "Ring memory of a legacy big-endian guest."),
    "Sum": ("overflow", "The sum of the lengths of a chain, in 32 bits or "
            "off by one."),
    "TableLength": ("bounds", "A table that is not whole descriptors."),
    "IndirectNext": ("flags", "The next field of the descriptor that names "
                     "a table is not where its chain begins."),
    "IgnoredWrite": ("flags", "virtio: a device ignores WRITE on the "
                     "descriptor that names an indirect table."),
}
N, W, I = 1, 2, 4
PAGE = 4096
TOP = 1 << 64


def d(addr, length, flags=0, following=0, order="<"):
    return struct.pack(order + "QIHH", addr, length, flags, following)


# The condition of FPH-Q-6 that a flag stands for, in bad and in good rings.
CONDITIONS = {
    "QemuAvailJump": "FPH-Q-6A", "OutOfTable": "FPH-Q-6B",
    "Loop": "FPH-Q-6C", "Order": "FPH-Q-6D", "ZeroLength": "FPH-Q-6E",
    "Wrap": "FPH-Q-6F", "Sum": "FPH-Q-6G", "QemuIndirectUnasked": "FPH-Q-6H",
    "TableLength": "FPH-Q-6K"}


def conditions(comment, flags, broken):
    found = [CONDITIONS[flag] for flag in flags if flag in CONDITIONS]
    if "QemuIndirectNested" in flags:
        found = ["FPH-Q-6J" if "NEXT" in comment else "FPH-Q-6I"]
    if "is not guest memory" in comment or "half in guest" in comment:
        found.append("FPH-Q-6L")
    if " entries in a ring of" in comment:
        found.append("FPH-Q-6C")
    return found if broken or found[:1] in (["FPH-Q-6F"], ["FPH-Q-6G"]) \
        else []


def ring(comment, table, expect, reqs=("FPH-Q-6",), flags=(), avail=(0,),
         avail_idx=None, num=8, indirect=0, endian="le", memory=(),
         broken=False, result=None):
    reqs = [*reqs, *conditions(comment, flags, broken)]
    given = {
        "num": str(num), "endian": endian, "indirect": str(indirect),
        "table": [entry.hex() for entry in table],
        "avail": [str(h) for h in avail],
        "avail_idx": str(len(avail) if avail_idx is None else avail_idx),
        "memory": ["%#x=%s" % (gpa, b"".join(entries).hex())
                   for gpa, entries in memory]}
    return case(comment, "ring", given,
                {"result": "broken" if broken else "ok",
                 "buffers": list(expect)}, reqs, flags,
                result or ("invalid" if broken else "valid"))


def chain_of(n, last_flags=W, step=PAGE, length=PAGE):
    return [d(i * step, length, W | N, i + 1) for i in range(n - 1)] + \
        [d((n - 1) * step, length, last_flags)]


def halves(*lengths):
    """A chain of such lengths, 4 GiB apart, and how it reads."""
    last = len(lengths) - 1
    table = [d(i << 32, n, W | (N if i < last else 0), i + 1)
             for i, n in enumerate(lengths)]
    return table, "|".join("W%#x+%#x" % (i << 32, n)
                           for i, n in enumerate(lengths))


def pages(n):
    return "|".join("W%#x+0x1000" % (i * PAGE) for i in range(n))


def good():
    yield ring("one hint", [d(PAGE, PAGE, W)], ["W0x1000+0x1000"],
               ["FPH-BUF-6"])
    yield ring("one command", [d(64, 4)], ["R0x40+0x4"], ["FPH-BUF-1"])
    yield ring("a hint of 4 bytes is writable", [d(64, 4, W)], ["W0x40+0x4"],
               ["FPH-BUF-3"])
    yield ring("a command and two hints",
               [d(64, 4, N, 3), d(0, 0), d(0, 0), d(PAGE, PAGE, W | N, 5),
                d(0, 0), d(0x4000, 0x8000, W)],
               ["R0x40+0x4|W0x1000+0x1000|W0x4000+0x8000"], ["FPH-BUF-7"])
    yield ring("a command in four descriptors",
               [d(64 + i, 1, N if i < 3 else 0, i + 1) for i in range(4)],
               ["R0x40+0x1|R0x41+0x1|R0x42+0x1|R0x43+0x1"], ["FPH-Q-10"])
    yield ring("as many descriptors as the ring", chain_of(8), [pages(8)],
               ["FPH-BUF-6", "FPH-R10"])
    yield ring("64 in a ring of 64", chain_of(64), [pages(64)],
               ["FPH-BUF-6", "FPH-R10"], num=64)
    yield ring("three buffers", [d(i * PAGE, PAGE, W) for i in range(3)],
               ["W0x0+0x1000", "W0x1000+0x1000", "W0x2000+0x1000"],
               avail=(0, 1, 2))
    yield ring("heads in any order", [d(i * PAGE, PAGE, W) for i in range(3)],
               ["W0x2000+0x1000", "W0x0+0x1000", "W0x1000+0x1000"],
               avail=(2, 0, 1))
    yield ring("nothing", [d(0, 0)], [], avail=())
    yield ring("next is ignored without NEXT", [d(PAGE, PAGE, W, 77)],
               ["W0x1000+0x1000"])
    yield ring("unknown flags are ignored", [d(PAGE, PAGE, W | 0xfff8)],
               ["W0x1000+0x1000"], result="acceptable")
    yield ring("a ring of one", [d(PAGE, PAGE, W)], ["W0x1000+0x1000"],
               num=1)
    yield ring("mixed lengths, large first",
               [d(0x400000, 0x400000, W | N, 1), d(0x1000, 0x200000, W | N, 2),
                d(0x800000, 0x1000, W)],
               ["W0x400000+0x400000|W0x1000+0x200000|W0x800000+0x1000"],
               ["FPH-R10", "FPH-R13"])
    yield ring("ends exactly at 2^64", [d(TOP - PAGE, PAGE, W)],
               ["W0xfffffffffffff000+0x1000"], flags=["Wrap"])
    yield ring("the last byte of all", [d(TOP - 1, 1, W)],
               ["W0xffffffffffffffff+0x1"], flags=["Wrap"])
    yield ring("2^32 bytes less one page in two",
               [d(0, 0xfffff000, W | N, 1), d(1 << 32, 0x1000, W)],
               ["W0x0+0xfffff000|W0x100000000+0x1000"], flags=["Wrap"])
    yield ring("length 2^32 - 1", [d(0, 0xffffffff, W)],
               ["W0x0+0xffffffff"], flags=["Wrap"])


def sums():
    """Exactly 2^32 bytes are good, one more is not (FPH-Q-6)."""
    for lengths in ((1 << 31, 1 << 31), (1 << 30,) * 4, (1, 0xffffffff),
                    (3 << 30, 1 << 29, 1 << 29)):
        table, reads = halves(*lengths)
        yield ring("2^32 bytes: " + " + ".join(map(hex, lengths)), table,
                   [reads], ["FPH-Q-6", "FPH-R18"], ["Sum"])
    for lengths in ((1 << 31, (1 << 31) + 1), (0xffffffff, 2),
                    (1 << 31, 1 << 31, 1), (1 << 31, 1 << 31, PAGE),
                    (1 << 31,) * 4, (0xffffffff,) * 8):
        table, _ = halves(*lengths)
        yield ring("more than 2^32 bytes: " + " + ".join(map(hex, lengths)),
                   table, [], ["FPH-Q-6"], ["Sum"], broken=True)
    yield ring("more than 2^32 bytes, half of them readable",
               [d(0, 1 << 31, N, 1), d(1 << 32, (1 << 31) + 1, W)], [],
               ["FPH-Q-6"], ["Sum"], broken=True)
    table, reads = halves(1 << 31, 1 << 31)
    yield ring("2^32 bytes by a table", [d(0x8000, 32, I)], [reads],
               ["FPH-Q-6"], ["Sum"], indirect=1, memory=[(0x8000, table)])
    table, _ = halves(1 << 31, 1 << 31, 1)
    yield ring("more than 2^32 bytes by a table", [d(0x8000, 48, I)], [],
               ["FPH-Q-6"], ["Sum"], indirect=1, memory=[(0x8000, table)],
               broken=True)


def big():
    be = [d(64, 4, N, 1, ">"), d(PAGE, PAGE, W, 0, ">")]
    yield ring("big-endian ring", be, ["R0x40+0x4|W0x1000+0x1000"],
               ["FPH-BUF-2"], ["BigEndian"], endian="be")
    yield ring("big-endian, two heads", [d(0, 16, W, 0, ">"),
                                         d(32, 16, W, 0, ">")],
               ["W0x20+0x10", "W0x0+0x10"], ["FPH-BUF-2"], ["BigEndian"],
               endian="be", avail=(1, 0))
    yield ring("big-endian, next beyond", [d(0, 16, W | N, 8, ">")], [],
               ["FPH-Q-6"], ["BigEndian", "OutOfTable"], endian="be",
               broken=True)


def hostile():
    one = [d(PAGE, PAGE, W)]
    yield ring("available index jumps by 9 of 8", one, [],
               flags=["QemuAvailJump"], avail_idx=9, broken=True)
    yield ring("available index jumps by 2001", one, [],
               flags=["QemuAvailJump"], avail_idx=2001, broken=True)
    yield ring("available index jumps backwards", one, [],
               flags=["QemuAvailJump"], avail_idx=65535, broken=True)
    for head in (8, 9, 255, 0x7fff, 0xffff):
        yield ring("head %d of 8" % head, one, [], flags=["OutOfTable"],
                   avail=(head,), broken=True)
        yield ring("next %d of 8" % head, [d(PAGE, PAGE, W | N, head)], [],
                   flags=["OutOfTable"], broken=True)
    yield ring("a good buffer, then a bad head", one, ["W0x1000+0x1000"],
               ["FPH-Q-6", "FPH-Q-8B"], ["OutOfTable"], avail=(0, 8),
               broken=True)
    yield ring("loop to itself", [d(PAGE, PAGE, W | N, 0)], [],
               flags=["Loop"], broken=True)
    yield ring("loop of two", [d(PAGE, PAGE, W | N, 1),
                               d(0x2000, PAGE, W | N, 0)], [],
               flags=["Loop"], broken=True)
    yield ring("loop back into the middle", chain_of(7, W | N) [:6] +
               [d(6 * PAGE, PAGE, W | N, 3)], [], flags=["Loop"],
               broken=True)
    yield ring("all 8 descriptors, and again from the first",
               [d(i * PAGE, PAGE, W | N, (i + 1) % 8) for i in range(8)], [],
               flags=["Loop"], broken=True)
    yield ring("readable after writable", [d(PAGE, PAGE, W | N, 1),
                                           d(64, 4)], [], flags=["Order"],
               broken=True)
    yield ring("readable after writable, at the end of three",
               [d(64, 4, N, 1), d(PAGE, PAGE, W | N, 2), d(68, 4)], [],
               flags=["Order"], broken=True)
    for flags, name in ((W, "writable"), (0, "readable")):
        yield ring("no bytes, " + name, [d(PAGE, 0, flags)], [],
                   flags=["ZeroLength"], broken=True)
    yield ring("no bytes, first of two", [d(0, 0, W | N, 1),
                                          d(PAGE, PAGE, W)], [],
               flags=["ZeroLength"], broken=True)
    yield ring("no bytes, last of two", [d(PAGE, PAGE, W | N, 1),
                                         d(0, 0, W)], [],
               flags=["ZeroLength"], broken=True)
    for addr, length in ((TOP - PAGE, PAGE + 1), (TOP - PAGE, 2 * PAGE),
                         (TOP - 1, 2), (TOP - 1, 0xffffffff),
                         (TOP - 0x10, 0x20)):
        yield ring("%#x + %#x wraps" % (addr, length), [d(addr, length, W)],
                   [], ["FPH-Q-6", "FPH-X3"], ["Wrap"], broken=True)
    yield ring("wraps, readable", [d(TOP - 2, 4)], [],
               ["FPH-Q-6", "FPH-X3"], ["Wrap"], broken=True)
    yield ring("wraps, last of two", [d(0, PAGE, W | N, 1),
                                      d(TOP - PAGE, 2 * PAGE, W)], [],
               ["FPH-Q-6", "FPH-X3", "FPH-Q-5"], ["Wrap"], broken=True)
    yield ring("2^32 bytes and one more",
               [d(0, 0xffffffff, W | N, 1), d(1 << 33, 2, W)], [],
               flags=["Wrap"], broken=True)
    yield ring("8 times 2^30 bytes",
               [d(i << 30, 1 << 30, W | (N if i < 7 else 0), i + 1)
                for i in range(8)], [], flags=["Wrap"], broken=True)


def indirect():
    at = 0x8000
    two = [d(0, PAGE, W | N, 1), d(0x4000, PAGE, W)]
    both = ["W0x0+0x1000|W0x4000+0x1000"]

    def link(length=32, flags=I, addr=at, following=0):
        return [d(addr, length, flags, following)]

    yield ring("indirect table of two", link(), both, indirect=1,
               memory=[(at, two)])
    for following in (1, 7, 0xffff):
        yield ring("a table begins at entry 0, next is %d" % following,
                   link(following=following), both, flags=["IndirectNext"],
                   indirect=1, memory=[(at, two)])
    yield ring("a table begins at entry 0, next is in a chain of three",
               link(48, following=2), ["W0x0+0x10|W0x20+0x10|W0x40+0x10"],
               flags=["IndirectNext"], indirect=1,
               memory=[(at, chain_of(3, step=0x20, length=16))])
    yield ring("a table begins at entry 0 after a direct command",
               [d(64, 4, N, 1), d(at, 32, I, 1)],
               ["R0x40+0x4|" + both[0]], flags=["IndirectNext"], indirect=1,
               memory=[(at, two)])
    yield ring("indirect table of 32, ring of 32", link(512), [pages(32)],
               ["FPH-R10"], indirect=1, num=32, memory=[(at, chain_of(32))])
    yield ring("indirect table longer than its chain", link(64), both,
               indirect=1, memory=[(at, two + [d(0, 0)] * 2)])
    yield ring("indirect chain out of order", link(48),
               ["W0x0+0x10|W0x40+0x10|W0x20+0x10"], indirect=1,
               memory=[(at, [d(0, 16, W | N, 2), d(0x20, 16, W),
                             d(0x40, 16, W | N, 1)])])
    yield ring("WRITE on the indirect descriptor", link(flags=I | W), both,
               flags=["IgnoredWrite"], indirect=1, memory=[(at, two)])
    yield ring("a direct command, then an indirect hint",
               [d(64, 4, N, 1), d(at, 16, I)], ["R0x40+0x4|W0x1000+0x1000"],
               ["FPH-Q-6", "FPH-BUF-7"], indirect=1,
               memory=[(at, [d(PAGE, PAGE, W)])])
    yield ring("a command and hints, indirect", link(32),
               ["R0x40+0x4|W0x1000+0x1000"], ["FPH-BUF-7"], indirect=1,
               memory=[(at, [d(64, 4, N, 1), d(PAGE, PAGE, W)])])
    yield ring("big-endian indirect", [d(at, 16, I, 0, ">")], ["W0x0+0x10"],
               ["FPH-BUF-2"], ["BigEndian"], endian="be", indirect=1,
               memory=[(at, [d(0, 16, W, 0, ">")])])
    bad = {"indirect": 1, "broken": True}
    yield ring("indirect, not negotiated", link(), [],
               flags=["QemuIndirectUnasked"], memory=[(at, two)],
               broken=True)
    yield ring("indirect with NEXT", link(flags=I | N, following=0), [],
               flags=["QemuIndirectNested"], memory=[(at, two)], **bad)
    yield ring("a direct hint, then an indirect command",
               [d(PAGE, PAGE, W | N, 1), d(at, 16, I)], [],
               memory=[(at, [d(64, 4)])], **bad)
    yield ring("nested indirect", link(16), [],
               flags=["QemuIndirectNested"],
               memory=[(at, [d(0x9000, 16, I)]),
                       (0x9000, [d(0, 16, W)])], **bad)
    yield ring("nested indirect, second entry", link(32), [],
               flags=["QemuIndirectNested"],
               memory=[(at, [d(0, 16, W | N, 1), d(0x9000, 16, I)]),
                       (0x9000, [d(0, 16, W)])], **bad)
    yield ring("table that names itself", link(16), [],
               flags=["QemuIndirectNested", "Loop"],
               memory=[(at, [d(at, 16, I)])], **bad)
    # Whole entries are good chains: the length alone is wrong.
    ones = [d(i * PAGE, PAGE, W) for i in range(4)]
    for length in (0, 1, 4, 8, 15, 17, 24, 31, 0xffffffff):
        yield ring("table of %d bytes" % length, link(length), [],
                   flags=["TableLength"], memory=[(at, ones)], **bad)
    for length in (33, 40, 47, 63):
        yield ring("table of %d bytes, a chain of two" % length,
                   link(length), [], flags=["TableLength"],
                   memory=[(at, two + ones)], **bad)
    yield ring("table is not guest memory", link(addr=0x70000), [],
               memory=[(at, two)], **bad)
    yield ring("table half in guest memory", link(48), [],
               memory=[(at, two)], **bad)
    yield ring("table at the end of the addresses", link(addr=TOP - 32), [],
               flags=["Wrap"], memory=[(at, two)], **bad)
    yield ring("table wraps", link(32, addr=TOP - 16), [], flags=["Wrap"],
               memory=[(at, two)], **bad)
    yield ring("next beyond the table", link(32), [], flags=["OutOfTable"],
               memory=[(at, [d(0, 16, W | N, 2), d(32, 16, W)])], **bad)
    yield ring("next beyond the table, but in the ring", link(32), [],
               flags=["OutOfTable"],
               memory=[(at, [d(0, 16, W | N, 5), d(32, 16, W)])], **bad)
    yield ring("loop in the table", link(32), [], flags=["Loop"],
               memory=[(at, [d(0, 16, W | N, 1), d(32, 16, W | N, 0)])],
               **bad)
    yield ring("9 entries in a ring of 8", link(144), [], ["FPH-Q-6"],
               memory=[(at, chain_of(9))], **bad)
    yield ring("no bytes in the table", link(16), [], flags=["ZeroLength"],
               memory=[(at, [d(0, 0, W)])], **bad)
    yield ring("readable after writable in the table", link(32), [],
               flags=["Order"],
               memory=[(at, [d(0, 16, W | N, 1), d(32, 16)])], **bad)
    yield ring("wraps in the table", link(16), [], ["FPH-Q-6", "FPH-X3"],
               ["Wrap"], memory=[(at, [d(TOP - 16, 17, W)])], **bad)


def cases():
    yield from good()
    yield from sums()
    yield from big()
    yield from hostile()
    yield from indirect()
