# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Device role: seeded random schedules of guest, device and host.

The guest hints pages that are free at that moment, takes them back and writes
them whenever it likes; stale and foreign commands are mixed in.  The host
syncs, publishes, stops, sends and switches over.  No page may be lost.
"""

import random

from protocol import Skip
from world import (ALL, BORDER, DONE, IN_ORDER, LAST_GPA, PAGE, STOP,
                   Violation, World)

# On both sides of a border of two regions, and in one that lies alone.
PAGES = [BORDER + n * PAGE for n in range(-3, 2)] + [LAST_GPA + PAGE]
STEPS = 150


class Schedule:
    features = ALL

    def __init__(self, testee, seed):
        self.random = random.Random(seed)
        self.world = World(testee, features=self.features)
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

    def more(self):
        return []

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
                 (self.host_ends, 1), *self.more()]
        calls, weights = zip(*steps)
        for call in self.random.choices(calls, weights, k=STEPS):
            call()
        world.switch()
        world.done()
        world.drain()
        world.shows(DONE)


class Resets(Schedule):
    """The device, or a queue of it, is reset too."""

    def device_is_reset(self):
        self.world.device_reset()

    def queue_is_reset(self):
        self.world.queue_reset(self.random.choice(("hint", "report")))

    def more(self):
        return [(self.device_is_reset, 1), (self.queue_is_reset, 3)]


class Restores(Resets):
    """Another device goes on, and the migration begins anew."""

    how = "restore"
    features = ALL | IN_ORDER

    def other_device(self):
        self.world.go_on(self.how)
        self.world.log = set()
        self.world.bitmap = set(PAGES)

    def more(self):
        return [*super().more(), (self.other_device, 3)]


class Takeovers(Restores):
    how = "takeover"
    features = ALL


def play(kind, testee, seeds):
    for seed in range(seeds):
        try:
            kind(testee, seed).run()
        except Violation as wrong:
            raise Violation("seed %d: %s" % (seed, wrong)) from None


def tests(seeds):
    def test_schedules(testee):
        """No page is lost, every buffer comes back: FPH-S1 FPH-D10 FPH-R8"""
        play(Schedule, testee, seeds)

    def test_resets(testee):
        """The same over resets: FPH-L1 FPH-Q-12 FPH-S1"""
        play(Resets, testee, seeds)

    def test_restores(testee):
        """The same, in order, over restores: FPH-L4 FPH-L6 FPH-Q-11"""
        play(Restores, testee, seeds)

    def test_takeovers(testee):
        """The same over takeovers: FPH-L4 FPH-L10 FPH-L10A"""
        play(Takeovers, testee, seeds)

    return [test_schedules, test_resets, test_restores, test_takeovers]
