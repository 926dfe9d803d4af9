# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Device role: seeded random schedules of guest, device and host.

The guest hints pages that are free at that moment, takes them back and writes
them whenever it likes; stale and foreign commands are mixed in.  The host
syncs, publishes, stops, sends and switches over.  No page may be lost.
"""

import random

from protocol import Skip
from world import BORDER, DONE, LAST_GPA, PAGE, STOP, Violation, World

# On both sides of a border of two regions, and in one that lies alone.
PAGES = [BORDER + n * PAGE for n in range(-3, 2)] + [LAST_GPA + PAGE]
STEPS = 150


class Schedule:
    def __init__(self, testee, seed):
        self.random = random.Random(seed)
        self.world = World(testee)
        self.old = [2]
        self.started = None

    def guest_frees(self):
        self.world.free.add(self.random.choice(PAGES))

    def guest_writes(self):
        self.world.write(self.random.choice(PAGES))

    def guest_hints(self):
        pages = [p for p in PAGES if p in self.world.free]
        self.random.shuffle(pages)
        if pages:
            self.world.hint(*((p, PAGE) for p in pages[:3]))

    def guest_starts(self):
        published = self.world.hints.published
        if published is not None and published != self.started:
            self.started = published
            self.world.command(published)

    def guest_stops(self):
        self.world.command(STOP)

    def guest_says_something_old(self):
        self.world.command(self.random.choice(self.old + [DONE]))

    def guest_reports(self):
        page = BORDER + 0x1000 + PAGE * self.random.randrange(64)
        self.world.report((page, PAGE * self.random.randrange(1, 9)),
                          (page + 0x100000, self.random.randrange(1, 9999)))

    def device_works(self):
        self.world.work(self.random.randrange(1, 4))

    def host_publishes(self):
        if self.world.hints.published is None:
            self.old.append(self.world.begin())

    def host_publishes_again(self):
        """In any state; where that is not allowed it is refused."""
        if self.world.try_start().ok:
            self.old.append(self.world.hints.published)

    def host_syncs(self):
        self.world.sync()

    def host_sends(self):
        self.world.send()

    def host_stops(self):
        self.world.stop()

    def host_ends(self):
        self.world.done(self.random.choice(("ok", "failed", "cancelled")))

    def run(self):
        world = self.world
        if not world.good(LAST_GPA, 2 * PAGE):
            raise Skip("about regions, and its memory is its own")
        world.migrate(PAGES)
        steps = [(self.guest_frees, 6), (self.guest_writes, 6),
                 (self.guest_hints, 12), (self.guest_starts, 8),
                 (self.guest_stops, 1), (self.guest_says_something_old, 2),
                 (self.guest_reports, 4), (self.device_works, 8),
                 (self.host_publishes, 6), (self.host_publishes_again, 2),
                 (self.host_syncs, 2),
                 (self.host_sends, 3), (self.host_stops, 1),
                 (self.host_ends, 1)]
        calls, weights = zip(*steps)
        for call in self.random.choices(calls, weights, k=STEPS):
            call()
        world.switch()
        world.done()
        world.drain()
        world.shows(DONE)


def tests(seeds):
    def test_schedules(testee):
        """No page is lost, every buffer comes back: FPH-S1 FPH-D10 FPH-R8"""
        for seed in range(seeds):
            try:
                Schedule(testee, seed).run()
            except Violation as wrong:
                raise Violation("seed %d: %s" % (seed, wrong)) from None
    return [test_schedules]
