# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Mutants of a device's hints."""

from mutant import around, mutant, round_out

import commands
import device
import hint_session
import ranges
import testee

Session = hint_session.HintSession
Device = device.Device
Role = testee.DeviceRole


@mutant("FPH-D1")
def id_before_harvest():
    @around(Session, "publish")
    def publish(old, self):
        self.harvested, self.harvesting = True, False
        return old(self)


def harvest_without_stop(old, self):
    self.harvesting = True
    return "ok"


@mutant("FPH-D2")
def no_stop_before_harvest():
    around(Session, "harvest_begin")(harvest_without_stop)


@mutant("FPH-D3")
def stop_is_no_barrier():
    @around(Session, "drain")
    def drain(old, self):
        held, self.held = self.held, []
        result = old(self)
        self.held = held
        return result


@mutant("FPH-D4A")
def id_is_not_compared():
    @around(Session, "take_command")
    def take_command(old, self, command):
        begins = self.state == hint_session.REQUESTED and command > 1
        old(self, self.id if begins else command)


@mutant("FPH-D4B")
def hints_without_start():
    @around(Session, "add")
    def add(old, self, buffer, command, hints):
        if command is None and self.state == hint_session.REQUESTED:
            self.state = hint_session.ACTIVE
        old(self, buffer, command, hints)


@mutant("FPH-D4B")
def hints_after_stop():
    @around(Session, "take_command")
    def take_command(old, self, command):
        if command != commands.STOP:
            old(self, command)


def starts_from(*states):
    def take_command(old, self, command):
        if self.state in states and command == self.id:
            self.state = hint_session.REQUESTED
        old(self, command)
    around(Session, "take_command")(take_command)


@mutant("FPH-D4C")
def start_after_host_stop():
    starts_from(hint_session.IDLE, hint_session.DONE)


@mutant("FPH-D4C")
def start_after_own_stop():
    starts_from(hint_session.STOPPED)


@mutant("FPH-D4E")
def own_stop_drops_hints():
    @around(Session, "take_command")
    def take_command(old, self, command):
        old(self, command)
        if self.state == hint_session.STOPPED:
            self.returned += [buffer for buffer, _ in self.waiting]
            self.waiting = []


@mutant("FPH-D4D")
def same_id_again_ignored():
    @around(Session, "take_command")
    def take_command(old, self, command):
        if self.state != hint_session.ACTIVE or command != self.id:
            old(self, command)


@mutant("FPH-D5")
def ids_alternate():
    @around(Session, "publish")
    def publish(old, self):
        result = old(self)
        if result == "ok":
            self.next_id = 5 - self.id
        return result


@mutant("FPH-D5")
def any_stop_frees_the_id():
    """After a STOP, whose ever, it begins at the first id again."""
    @around(Session, "take_command")
    def take_command(old, self, command):
        old(self, command)
        if command == commands.STOP and self.state == hint_session.STOPPED:
            self.next_id = commands.MIN


@mutant("FPH-D5")
def own_stop_frees_the_id_for_good():
    """Once it had a START and a STOP an id is published for ever."""
    @around(Session, "take_command")
    def take_command(old, self, command):
        was_active = self.state == hint_session.ACTIVE
        old(self, command)
        if was_active and command == commands.STOP:
            self.free_id = self.id

    @around(Session, "publish")
    def publish(old, self):
        self.next_id = getattr(self, "free_id", self.next_id)
        return old(self)


@mutant("FPH-D5")
def refused_stop_frees_the_id():
    """STOP in a buffer with a bad hint lets the id be published again."""
    @around(Device, "take_hint")
    def take_hint(old, self, buffer, segs):
        was_active = self.session.state == hint_session.ACTIVE
        old(self, buffer, segs)
        if was_active and self.session.state == hint_session.ACTIVE and \
                not segs[0].writable:
            self.session.next_id = self.session.id


@mutant("FPH-D6")
def hint_clears_the_log():
    @around(Role, "act")
    def act(old, self):
        for run in self.runs[1]:
            self.say("clear-log " + testee.operations.show_range(run))
        old(self)


@mutant("FPH-D7")
def hint_is_discarded():
    @around(Role, "act")
    def act(old, self):
        for run in self.runs[1]:
            self.say("discard " + testee.operations.show_range(run))
        old(self)


@mutant("FPH-D8")
def hints_rounded_out():
    @around(Session, "take")
    def take(old, self):
        inwards, ranges.round_inwards = ranges.round_inwards, round_out
        runs = old(self)
        ranges.round_inwards = inwards
        return runs


@mutant("FPH-D9")
def no_done_when_cancelled():
    @around(Role, "do_done")
    def done(old, self, why):
        return self.do_stop() if why == "cancelled" else old(self, why)


@mutant("FPH-D10")
def hints_kept_when_idle():
    @around(Session, "add")
    def add(old, self, buffer, command, hints):
        if self.state != hint_session.IDLE:
            old(self, buffer, command, hints)


@mutant("FPH-D11")
def shows_stop_while_active():
    @around(Session, "shown")
    def shown(old, self):
        return 0 if self.state == hint_session.ACTIVE else old(self)


@mutant("FPH-D13")
def hint_used_before_acted_on():
    @around(Role, "give_back")
    def give_back(old, self):
        session = self.device.session
        session.returned += session.held
        session.held = []
        old(self)


@mutant("FPH-CFG-7")
def no_config_interrupt():
    @around(Role, "tell")
    def tell(old, self):
        self.device.watch()
        self.device.changed = False
        old(self)


@mutant("FPH-CFG-5")
def cmd_id_is_writable():
    @around(Device, "write_config")
    def write_config(old, self, offset, data):
        old(self, offset, data)
        if offset == 8 and self.session.id:
            self.session.id = int.from_bytes(data, "little")


@mutant("FPH-BUF-3")
def four_bytes_are_a_command():
    @around(Device, "take_hint")
    def take_hint(old, self, buffer, segs):
        if [s.len for s in segs] == [4] and segs[0].writable:
            self.session.add(buffer, 0, [])
        else:
            old(self, buffer, segs)


@mutant("FPH-BUF-7")
def hints_before_command():
    @around(Session, "add")
    def add(old, self, buffer, command, hints):
        if hints and self.state == hint_session.ACTIVE:
            self.waiting.append((buffer, hints))
            hints = []
            if command is not None:
                self.take_command(command)
        else:
            old(self, buffer, command, hints)


@mutant("FPH-BUF-8")
def bad_hints_left_out():
    """The good part of a bad buffer counts."""
    @around(Device, "take_hint")
    def take_hint(old, self, buffer, segs):
        good = [s for s in segs if self.memory.holds(s.gpa, s.len)]
        if good:
            old(self, buffer, good)
        else:
            self.session.refuse(buffer)


@mutant("FPH-Q-10")
def first_descriptor_is_the_command():
    @around(Device, "take_hint")
    def take_hint(old, self, buffer, segs):
        first = [s for s in segs if not s.writable][:1]
        old(self, buffer, first + [s for s in segs if s.writable])


@mutant("FPH-Q-8A")
def error_stops_one_queue_only():
    @around(Device, "process")
    def process(old, self, index, budget):
        result = old(self, index, budget)
        self.broken = False
        return result


@mutant("FPH-L1")
def round_survives_reset():
    @around(Session, "reset")
    def reset(old, self):
        if self.held:
            return "busy"
        self.waiting, self.returned = [], []
        return "ok"
