# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Driver role: seeded random schedules of guest, driver and device.

The guest frees ranges and wants them back, the device changes its id, uses
buffers in any order and is reset.
"""

import random

from drivers import PLAIN, Guest
from world import DONE, PAGE, STOP, Violation, need

RANGES = [(0x100000 + 2 * n * PAGE, PAGE) for n in range(40)]
STEPS = 200


class Schedule:
    def __init__(self, testee, seed):
        self.random = random.Random(seed)
        self.guest = Guest(testee, features=PLAIN,
                           ring=self.random.choice((4, 8, 16, 64)))
        self.away = list(RANGES)    # ranges that the guest uses
        self.next_id = 2

    def guest_frees(self):
        if self.away:
            self.guest.frees(self.away.pop(
                self.random.randrange(len(self.away))))

    def guest_takes(self):
        if self.guest.free:
            piece = self.random.choice(self.guest.free)
            if self.guest.takes(*piece):
                self.away.append(piece)

    def driver_works(self):
        self.guest.work()

    def device_uses(self):
        if self.guest.flight:
            self.guest.use(self.random.choice(list(self.guest.flight)))

    def device_publishes(self):
        self.guest.shows(self.next_id)
        self.next_id += 1

    def device_shows_something_else(self):
        self.guest.shows(self.random.choice((STOP, DONE,
                                             self.guest.config)))

    def device_is_reset(self):
        self.guest.device_reset()
        self.next_id = 2

    def run(self):
        guest = self.guest
        steps = [(self.guest_frees, 10), (self.guest_takes, 6),
                 (self.driver_works, 10), (self.device_uses, 20),
                 (self.device_publishes, 3),
                 (self.device_shows_something_else, 2),
                 (self.device_is_reset, 0.3)]
        calls, weights = zip(*steps)
        for call in self.random.choices(calls, weights, k=STEPS):
            call()
        guest.shows(DONE)
        guest.use_all()
        guest.expect_no_stream()
        for piece in list(guest.free):
            need(guest.takes(*piece), "%#x+%#x is not back", *piece)


def tests(seeds):
    def test_schedules(testee):
        """Streams in order, every page back: FPH-V4 FPH-V5 FPH-V6 FPH-R1"""
        for seed in range(seeds):
            try:
                Schedule(testee, seed).run()
            except Violation as wrong:
                raise Violation("seed %d: %s" % (seed, wrong)) from None
    return [test_schedules]
