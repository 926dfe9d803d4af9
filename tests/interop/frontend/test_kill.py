# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The daemon is killed, again and again, under a guest with several reports
in flight, and a new one goes on by the record of buffers in flight.

FPH_KILLS is how often.
"""

import os
import random
import time

from common import daemon as daemons
from common import wait

from . import vhost_user
from .driver import Driver, MIB, PROTOCOL
from .memory import page_content

KILLS = int(os.environ.get("FPH_KILLS", "20"))
WINDOW = 4
PIECE = 1 << 16
PIECES = 64
FIRST = 8 * MIB


class Guest:
    """Pieces of memory that are the guest's, whose content is known, or the
    host's, as long as their report is not back."""

    def __init__(self, driver, rng):
        self.driver, self.rng = driver, rng
        self.reported = {}		# head -> piece
        self.returned = 0
        for piece in range(PIECES):
            self.fill(piece)

    def gpa(self, piece):
        return FIRST + piece * PIECE

    def content(self, piece):
        first = self.gpa(piece)
        return b"".join(page_content(at) for at in range(first, first + PIECE,
                                                         4096))

    def fill(self, piece):
        self.driver.memory.write(self.gpa(piece), self.content(piece))

    def report_some(self):
        while len(self.reported) < WINDOW:
            free = set(range(PIECES)) - set(self.reported.values())
            piece = self.rng.choice(sorted(free))
            head = self.driver.offer("report",
                                     [(self.gpa(piece), PIECE, True)])
            assert head not in self.reported, head
            self.reported[head] = piece

    def take_back(self):
        """A head that is not out, or comes twice, is a KeyError. Its memory
        was freed, or nothing was done with it."""
        for head, _ in self.driver.ring("report").take_used():
            piece = self.reported.pop(head)
            found = self.driver.memory.read(self.gpa(piece), PIECE)
            assert found in (bytes(PIECE), self.content(piece)), piece
            self.fill(piece)
            self.returned += 1

    def check(self):
        """What is the guest's is as it was."""
        for piece in set(range(PIECES)) - set(self.reported.values()):
            assert self.driver.memory.read(self.gpa(piece), PIECE) == \
                self.content(piece), piece


def run_until_killed(guest, daemon, rng):
    daemon.command("set-discard-delay", ms=rng.choice((0, 0, 1, 3)))
    end = time.monotonic() + rng.random() * 0.03
    while time.monotonic() < end:
        guest.take_back()
        guest.report_some()
    daemon.kill()


def test_fault_6_killed_again_and_again(t):
    """No buffer is lost and none comes twice, and the guest's memory is as
    it was."""
    rng = random.Random(6)
    daemon = daemons.start(t)
    d = Driver(t, daemon.socket_path)
    d.handshake(PROTOCOL | 1 << vhost_user.PF_INFLIGHT)
    record = d.frontend.get_inflight_fd(5, d.num)
    t.defer(os.close, record[1])
    d.frontend.set_inflight_fd(record)
    d.negotiate()
    for index in sorted(d.roles.values()):
        d.start_ring(index)
    guest = Guest(d, rng)
    in_flight = 0
    for _ in range(KILLS):
        run_until_killed(guest, daemon, rng)
        guest.take_back()
        guest.check()
        in_flight += len(guest.reported)
        daemon.start()
        d.reconnect(daemon.socket_path, record)
        d.kick("report")

    def all_back():
        guest.take_back()
        return not guest.reported
    wait.until(all_back, lambda: "lost: %r" % guest.reported)
    guest.check()
    t.log("%d kills, %d reports came back, %d were in flight at a kill"
          % (KILLS, guest.returned, in_flight))
    assert in_flight > KILLS, "some were in flight"
    d.close()
    daemon.stop()
