# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The daemon serves the library's own driver: two processes on one memory."""

import itertools
import os
import random
import select

from common import daemon as daemons
from common import wait

from . import library
from .driver import (Driver, F_ALL, F_EVENT_IDX, F_IN_ORDER, F_INDIRECT,
                     F_PACKED, ID_DONE, ID_STOP, MIB)

PAGE = 4096
AREA, AREA_PAGES = 16 * MIB, 4096
BUFFERS = 600			# of each kind, in each of the layouts


class LibraryDriver(Driver):
    """A driver on rings of the library."""

    TABLES = 0xa0000

    def __init__(self, t, path, lib, features, num):
        super().__init__(t, path, num=num)
        self.lib = lib
        self.handshake()
        self.negotiate(features)
        for index in sorted(self.roles.values()):
            gpa = self.RINGS + index * 0x4000
            ring = library.LibraryRing(
                lib, self.memory, gpa, num, features, self.TABLES
                + index * num * library.TABLE_ENTRIES * 16)
            self.rings[index] = ring
            self.start_ring(index, ring.new_base)

    def show(self, role):
        if self.ring(role).publish():
            self.kick(role)

    def wait_some(self, role):
        """Buffers of a queue that came back, at least one: told of by the
        interrupt, unless they are there already."""
        ring = self.ring(role)
        found = ring.take_used()
        while not found:
            if not ring.want_notify(True):
                call = self.calls[self.roles[role]]
                assert select.select([call], [], [], 60 * wait.SCALE)[0], \
                    "an interrupt was lost, or a notification"
                os.eventfd_read(call)
            found = ring.take_used()
        ring.want_notify(False)
        return found

    def wait_all(self, role):
        while self.ring(role).outstanding:
            self.wait_some(role)


def pick(rng, free, most):
    """Some runs of free pages, taken out of the set: (page, number)."""
    runs = []
    for _ in range(rng.randint(1, most)):
        first, n = rng.randrange(AREA_PAGES), rng.choice((1, 1, 1, 2, 5))
        pages = range(first, min(first + n, AREA_PAGES))
        if pages and free.issuperset(pages):
            free.difference_update(pages)
            runs.append((first, len(pages)))
    return runs


def report_many(rng, d, num):
    """Reports with several in flight; a page is used again, with new content,
    when its buffer is back. How many ranges and bytes there were."""
    free = set(range(AREA_PAGES))
    out, ranges, size = {}, 0, 0
    ring = d.ring("report")
    d.memory.fill(AREA, AREA_PAGES * PAGE)
    sent = 0
    while sent < BUFFERS or out:
        for _ in range(rng.randint(1, 6)):
            runs = pick(rng, free, min(num, 32, ring.room))\
                if sent < BUFFERS and ring.room else []
            if runs:
                out[ring.add([(AREA + first * PAGE, n * PAGE, True)
                              for first, n in runs])] = runs
                sent += 1
                ranges += len(runs)
                size += sum(n for _, n in runs) * PAGE
        d.show("report")
        if not out:
            continue
        for cookie in d.wait_some("report"):
            for first, n in out.pop(cookie):
                at = AREA + first * PAGE
                assert d.memory.zero(at, n * PAGE), "not discarded"
                d.memory.fill(at, n * PAGE)
                free.update(range(first, first + n))
    assert len(free) == AREA_PAGES
    assert d.memory.intact(AREA, AREA_PAGES * PAGE), "lost"
    return ranges, size


def send_word(d, value):
    d.memory.pack("<I", d.BUFFERS, value)
    d.ring("hint").add([(d.BUFFERS, 4, False)])
    d.show("hint")
    d.wait_all("hint")


def hint_many(rng, daemon, d):
    """A round of hints; nothing changes in memory. The bytes hinted."""
    size = 0
    old = d.config(8)
    daemon.command("hint-start")
    send_word(d, d.wait_command(old))
    for _ in range(BUFFERS):
        if not d.ring("hint").room:
            d.show("hint")
            d.wait_some("hint")
        first, n = rng.randrange(AREA_PAGES - 8), rng.randint(1, 8)
        d.ring("hint").add([(AREA + first * PAGE, n * PAGE, True)])
        size += n * PAGE
        if rng.randrange(3) == 0:
            d.show("hint")
    d.show("hint")
    d.wait_all("hint")
    send_word(d, ID_STOP)
    assert daemon.hint()["state"] == "stopped"
    daemon.command("hint-done")
    assert d.config(8) == ID_DONE
    assert d.memory.intact(AREA, AREA_PAGES * PAGE)
    return size


def serve(t, lib, features, num, seed):
    rng = random.Random(seed)
    daemon = daemons.start(t, "--packed=on", name="s%d" % seed)
    d = LibraryDriver(t, daemon.socket_path, lib, features, num)
    ranges, size = report_many(rng, d, num)
    report = daemon.stats()["report"]
    assert report["ranges"] == ranges, (report, ranges)
    assert report["bytes-discarded"] == size, (report, size)
    assert report["refused"] == report["peer-errors"] == 0, report
    before = daemon.hint()["bytes"]
    size = hint_many(rng, daemon, d)
    assert daemon.hint()["bytes"] - before == size
    d.close()
    daemon.stop()


def test_library_driver(t):
    """Reports and hints of our own driver in each layout, in order or not,
    with and without an event index and indirect descriptors: each buffer
    comes back once, its memory is free by then, all other memory is intact,
    and no interrupt and no notification is lost."""
    lib = library.load(t.options.library)
    bits = (F_PACKED, F_IN_ORDER, F_EVENT_IDX, F_INDIRECT)
    for seed, on in enumerate(itertools.product((1, 0), repeat=len(bits))):
        features = F_ALL & ~F_INDIRECT | sum(
            bit for bit, yes in zip(bits, on) if yes)
        num = (7 if seed % 2 else 64) if features & F_PACKED else 32
        t.log("features 0x%x, %d entries, seed %d" % (features, num, seed))
        serve(t, lib, features, num, seed)
