# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Mutants of a driver."""

from mutant import around, mutant

import commands
import driver
import testee

Driver = driver.Driver


@mutant("FPH-V1")
def pages_of_an_old_id():
    """What waits under one id goes out under the next."""
    @around(Driver, "begin")
    def begin(old, self):
        kept = self.kept = getattr(self, "kept", [])
        old(self)
        if self.stream is not None:
            self.cursor += [r for r in kept if r not in self.cursor]
            self.kept = list(self.cursor)


@mutant("FPH-V3")
def id_is_not_read_again():
    @around(Driver, "hint")
    def hint(old, self):
        shown, self.shown = self.shown, self.stream
        old(self)
        self.shown = shown


@mutant("FPH-V4")
def same_id_twice():
    @around(Driver, "begin")
    def begin(old, self):
        self.sent_ids.clear()
        old(self)


@mutant("FPH-V4")
def start_of_done():
    @around(Driver, "begin")
    def begin(old, self):
        minimum, commands.MIN = commands.MIN, commands.DONE
        old(self)
        commands.MIN = minimum


@mutant("FPH-V5")
def hints_before_start():
    @around(Driver, "begin")
    def begin(old, self):
        for piece in self.free[:1]:
            if self.shown >= commands.MIN and self.shown not in self.sent_ids:
                self.put("hint", [("W", *piece)])
        old(self)


@mutant("FPH-V6")
def no_stop_when_interrupted():
    @around(Driver, "hint")
    def hint(old, self):
        if not self.may_go_on():
            self.stream = None
        else:
            old(self)


@mutant("FPH-V8")
def one_start_buffer():
    @around(Driver, "places")
    def places(old, self):
        return [0, 0]


@mutant("FPH-V11")
def pages_kept_after_done():
    @around(Driver, "take")
    def take(old, self, gpa, length):
        if self.sent_ids and not self.reports:
            return "busy"
        return old(self, gpa, length)


@mutant("FPH-V15")
def hints_dropped_when_full():
    @around(Driver, "hint")
    def hint(old, self):
        old(self)
        self.cursor = []


@mutant("FPH-V16")
def ids_kept_over_reset():
    @around(Driver, "reset")
    def reset(old, self):
        sent_ids = self.sent_ids
        self.clear()
        self.sent_ids = sent_ids


@mutant("FPH-CFG-8")
def first_id_not_read():
    @around(testee.DriverRole, "__init__")
    def init(old, self, say, words):
        old(self, say, words)
        self.driver.shown = commands.STOP


@mutant("FPH-BUF-2")
def big_endian_commands():
    @around(commands, "encode")
    def encode(old, command, order):
        return old(command, "big")


@mutant("FPH-FEAT-2")
def queues_not_negotiated():
    @around(Driver, "__init__")
    def init(old, self, offer, negotiated, kept, ring):
        old(self, offer, negotiated | 0x28, kept, ring)


@mutant("FPH-R1")
def reported_pages_taken_back():
    @around(Driver, "take")
    def take(old, self, gpa, length):
        self.free.remove((gpa, length))
        return "ok"


@mutant("FPH-R15")
def reports_lost_by_reset():
    @around(Driver, "reset")
    def reset(old, self):
        flight = {n: f for n, f in self.flight.items() if f[0] == "report"}
        self.clear()
        self.flight = flight


@mutant("FPH-Q-12A")
def reports_lost_by_queue_reset():
    @around(Driver, "reset_queue")
    def reset_queue(old, self, queue):
        if queue != "report":
            old(self, queue)


@mutant("FPH-Q-12A")
def stream_goes_on_after_queue_reset():
    @around(Driver, "reset_queue")
    def reset_queue(old, self, queue):
        if queue != "hint":
            old(self, queue)


@mutant("FPH-P1")
def poisoning_guest_reports():
    @around(Driver, "__init__")
    def init(old, self, offer, negotiated, kept, ring):
        old(self, offer, negotiated, False, ring)


@mutant("FPH-X6")
def used_ids_not_checked():
    @around(Driver, "used")
    def used(old, self, number):
        old(self, number)
        return "ok"
