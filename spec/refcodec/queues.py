# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Chapter "Queues and the numbering problem"."""

import config

QUEUES = ("inflate", "deflate", "stats", "hint", "report")
NUMBERINGS = ("fixed", "negotiated", "offered")
FEATURE = {"stats": config.STATS_VQ, "hint": config.FREE_PAGE_HINT,
           "report": config.PAGE_REPORTING}


def exists(queue, features):
    return queue not in FEATURE or config.has(features, FEATURE[queue])


def index(queue, numbering, offered, negotiated):
    """The virtqueue index of a queue; None when it was not negotiated."""
    if not exists(queue, negotiated):
        return None
    if numbering == "fixed":
        return QUEUES.index(queue)
    counted = negotiated if numbering == "negotiated" else offered
    return [q for q in QUEUES if exists(q, counted)].index(queue)


def by_index(numbering, offered, negotiated):
    return {index(q, numbering, offered, negotiated): q
            for q in QUEUES if exists(q, negotiated)}


def fitting(offered, negotiated, enabled):
    """The numberings that the driver can have (Q-2)."""
    found = [n for n in NUMBERINGS
             if enabled <= set(by_index(n, offered, negotiated))]
    fixed = by_index("fixed", offered, negotiated)
    if "fixed" not in found and max(enabled) == max(fixed):
        found.insert(0, "fixed")        # the others hold a place
    return found


def identify(at, offered, negotiated, enabled):
    """The queue with this index, or None while that is not certain (Q-3)."""
    fit = fitting(offered, negotiated, enabled) or ["negotiated"]
    answers = {by_index(n, offered, negotiated).get(at) for n in fit}
    return answers.pop() if len(answers) == 1 else None


# ------------------------------------------------------ buffers in general

NEXT, WRITE, INDIRECT = 1, 2, 4


class RingError(Exception):
    """The driver broke a rule of the ring: no more buffers (Q-6)."""


def need(condition, what):
    if not condition:
        raise RingError(what)


class Seg:
    """A descriptor of a buffer: a range and its direction."""

    def __init__(self, gpa, length, writable):
        self.gpa, self.len, self.writable = gpa, length, writable

    def __str__(self):
        return "%s%#x+%#x" % ("RW"[self.writable], self.gpa, self.len)


def check_segs(segs):
    """What must hold for any buffer, whole (Q-5, Q-6)."""
    written = False
    for seg in segs:
        need(seg.len > 0, "no bytes")
        need(seg.gpa + seg.len <= 1 << 64, "wraps")
        need(seg.writable or not written, "readable after writable")
        written = seg.writable
    need(sum(seg.len for seg in segs) <= 1 << 32, "more than 2^32 bytes")
    return segs


class Descriptor:
    """16 bytes: address, length, flags, next."""

    def __init__(self, data, order):
        self.addr = int.from_bytes(data[0:8], order)
        self.len = int.from_bytes(data[8:12], order)
        self.flags = int.from_bytes(data[12:14], order)
        self.next = int.from_bytes(data[14:16], order)


def read_table(d, read):
    """The bytes of the table that an indirect descriptor names (Q-6K, Q-6L).
    """
    need(d.len and d.len % 16 == 0, "table of no whole entries")
    need(d.addr + d.len <= 1 << 64, "table wraps")
    table = read(d.addr, d.len)
    need(table is not None, "table is not guest memory")
    return table


class Ring:
    """A split ring as a device sees it.

    table: its descriptor table in bytes.  read(gpa, length): guest memory, or
    None.  What is read is copied once.
    """

    def __init__(self, table, num, read, indirect=False, order="little"):
        self.table, self.num, self.read = table, num, read
        self.indirect, self.order = indirect, order
        self.taken = 0

    def check_available(self, avail_idx):
        """How many buffers wait."""
        count = (avail_idx - self.taken) % 65536
        need(count <= self.num, "available index")
        return count

    def walk(self, table, first, segs):
        """Follow a chain; the indirect descriptor that ends it, or None."""
        at = first
        while True:
            need(at < len(table) // 16, "head or next beyond the table")
            need(len(segs) < self.num, "longer than the ring")
            d = Descriptor(table[16 * at:16 * at + 16], self.order)
            if d.flags & INDIRECT:
                need(not d.flags & NEXT, "indirect with next")
                return d
            segs.append(Seg(d.addr, d.len, bool(d.flags & WRITE)))
            if not d.flags & NEXT:
                return None
            at = d.next

    def take(self, head):
        """The segments of the buffer with this head."""
        segs = []
        link = self.walk(self.table, head, segs)
        if link:
            need(self.indirect, "indirect was not negotiated")
            table = read_table(link, self.read)
            need(not self.walk(table, 0, segs), "nested indirect")
        self.taken += 1
        return check_segs(segs)
