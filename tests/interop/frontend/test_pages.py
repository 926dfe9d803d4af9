# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Pages of a guest and of a host that are of different sizes.

A model says for each 4096 bytes whether it is still there. The guest's page
is what it reports and inflates by, the host's what the daemon frees by.
"""

import itertools
import os
import random

from common import daemon as daemons

from . import fixture
from .driver import F_ALL, MIB
from .memory import Memory, Region, page_content

UNIT = 4096			# of page frame numbers, always
KIB = 1024
AREA, SIZE = 16 * MIB, 2 * MIB
PAGES = (4 * KIB, 16 * KIB, 64 * KIB)


class Model:
    """What is left of the area."""

    def __init__(self, d, guest, host):
        self.d = d
        self.guest = guest
        self.host = host
        self.there = set(range(AREA, AREA + SIZE, UNIT))
        self.collected = set()
        d.memory.fill(AREA, SIZE)
        self.others = d.memory.resident - SIZE

    def units(self, first, length):
        return range(first, first + length, UNIT)

    def free_whole(self, units):
        """Free each page of the host that is in this set as a whole."""
        freed = set()
        for page in range(AREA, AREA + SIZE, self.host):
            of_page = self.units(page, self.host)
            if units.issuperset(of_page):
                freed.update(of_page)
        self.there -= freed
        return freed

    def report(self, pages):
        self.free_whole({u for p in pages for u in self.units(p, self.guest)})

    def inflate(self, pages):
        self.collected.update(u for p in pages
                              for u in self.units(p, self.guest))
        self.collected -= self.free_whole(self.collected)

    def use(self, pages):
        """The guest has these pages again and writes to them."""
        for page in pages:
            self.collected.difference_update(self.units(page, self.guest))
            self.there.update(self.units(page, self.guest))
            self.d.memory.fill(page, self.guest)

    def check(self, daemon):
        memory = self.d.memory
        assert memory.resident == self.others + len(self.there) * UNIT
        region = memory.regions[0]
        for unit in self.units(AREA, SIZE):
            # A read of a hole does not occupy it, as an access would.
            found = os.pread(region.fd, UNIT, region.offset + unit)
            wanted = page_content(unit) if unit in self.there else bytes(UNIT)
            assert found == wanted, "0x%x" % unit
        collected = daemon.stats()["inflate"]["bytes-collected"]
        assert collected == (len(self.collected) * UNIT
                             if self.host > UNIT else 0), collected


def frames(pages, guest):
    """Page frame numbers, of 4096 bytes whatever the guest's page."""
    return [(page + at) // UNIT for page in pages
            for at in range(0, guest, UNIT)]


def some(rng, pages, most):
    chosen = rng.sample(sorted(pages), min(len(pages), rng.randint(1, most)))
    # Neighbours, as an allocator has them.
    first = rng.choice(sorted(pages)) if pages else 0
    run = [p for p in sorted(pages) if p >= first][:most]
    return list(dict.fromkeys(chosen + run))


def life(rng, daemon, d, model):
    """Reports, inflation and deflation in a random order."""
    free = set(range(AREA, AREA + SIZE, model.guest))
    inflated = set()
    most = 16 * UNIT * 4 // model.guest + 2
    for _ in range(24):
        what = rng.choice(("report", "inflate", "inflate", "deflate"))
        chosen = some(rng, inflated if what == "deflate" else free, most)
        if not chosen:
            continue
        if what == "report":
            d.report([(page, model.guest) for page in chosen[:60]],
                     indirect=False)
            model.report(chosen[:60])
            model.check(daemon)
            model.use(chosen[:60])
        elif what == "inflate":
            d.pages("inflate", frames(chosen, model.guest))
            model.inflate(chosen)
            free.difference_update(chosen)
            inflated.update(chosen)
        else:
            d.pages("deflate", frames(chosen, model.guest))
            model.use(chosen)
            free.update(chosen)
            inflated.difference_update(chosen)
        model.check(daemon)
    d.pages("deflate", frames(sorted(inflated), model.guest) or [AREA // UNIT])
    model.use(inflated)
    model.check(daemon)
    # All of it at once.
    d.report([(AREA, SIZE)])
    model.report(range(AREA, AREA + SIZE, model.guest))
    assert not model.there
    model.check(daemon)


def test_page_sizes(t):
    """Guests with pages of 4, 16 and 64 KiB on a host that frees by 4, 16 and
    64 KiB: what is wholly free is freed, and nothing else."""
    for seed, (guest, host) in enumerate(itertools.product(PAGES, PAGES)):
        t.log("guest %d KiB, host %d KiB, seed %d" % (guest // KIB,
                                                      host // KIB, seed))
        daemon, d = fixture.start(t, "--page-size=%dK" % (host // KIB))
        assert daemon.stats()["memory"]["page-size"] == host
        life(random.Random(seed), daemon, d, Model(d, guest, host))
        d.close()
        daemon.stop()


def test_small_pages_of_large_memory(t):
    """A page of 4 KiB here and there is collected, and freed with the last one
    of its page of 2 MiB."""
    daemon, d = fixture.start(t, "--page-size=2M")
    model = Model(d, UNIT, 2 * MIB)
    pages = list(range(AREA, AREA + SIZE, UNIT))
    random.Random(1).shuffle(pages)
    for at in range(0, 512, 64):
        d.pages("inflate", frames(pages[at:at + 64], UNIT))
        model.inflate(pages[at:at + 64])
        model.check(daemon)
    assert not model.there


def huge_driver(t, daemon):
    memory = Memory(Region(0, 16 * MIB),
                    fixture.huge_region(t, 16 * MIB, 8 * MIB))
    d = fixture.connect(t, daemon, memory=memory)
    d.start(F_ALL)
    return d, memory.regions[1]


def test_huge_pages(t):
    """Guest memory on huge pages: reports and inflated pages free whole ones;
    without --page-size the log says what to set."""
    for arguments in (("--page-size=2M",), ()):
        daemon = daemons.start(t, *arguments, "--verbose",
                               name="d%d" % len(arguments))
        d, region = huge_driver(t, daemon)
        d.memory.fill(16 * MIB, 8 * MIB)
        was = region.resident
        assert was == 8 * MIB
        d.report([(17 * MIB, 4 * MIB)])
        assert region.resident == was - 2 * MIB
        assert d.memory.intact(16 * MIB, 2 * MIB)
        assert d.memory.intact(20 * MIB, 4 * MIB)
        pages = range(22 * MIB, 24 * MIB, UNIT)
        d.pages("inflate", frames(pages[:256], UNIT))
        assert region.resident == was - 2 * MIB
        d.pages("inflate", frames(pages[256:], UNIT))
        assert region.resident == was - (4 if arguments else 2) * MIB
        assert ("--page-size=2048K" in daemon.log_tail(60)) == \
            (not arguments)
        d.close()
        daemon.stop()
