# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Mutants of restore, takeover, the reset of one queue, and order."""

from mutant import around, mutant

import commands
import device
import hint_session
import testee

Device = device.Device
Session = hint_session.HintSession
Role = testee.DeviceRole


@mutant("FPH-L3")
def restored_ids_begin_anew():
    @around(Session, "restore")
    def restore(old, self):
        old(self)
        self.next_id = commands.MIN


@mutant("FPH-L4")
def restored_log_is_good():
    around(Session, "restore")(lambda old, self: None)


@mutant("FPH-L5")
def restored_without_done():
    @around(Device, "restore")
    def restore(old, self):
        done, self.session.done = self.session.done, self.session.stop
        old(self)
        self.session.done = done


@mutant("FPH-L5")
def done_only_where_an_id_was():
    @around(Device, "restore")
    def restore(old, self):
        done = self.session.done
        if self.session.id is None:
            self.session.done = self.session.stop
        old(self)
        self.session.done = done


@mutant("FPH-L5")
def restored_without_interrupt():
    @around(Device, "restore")
    def restore(old, self):
        old(self)
        self.changed = False


@mutant("FPH-L4A")
def restored_round_is_shown():
    @around(Device, "restore")
    def restore(old, self):
        state = self.session.state
        old(self)
        if state in (hint_session.REQUESTED, hint_session.ACTIVE):
            self.session.state = state
        self.watch()


@mutant("FPH-L4")
def restored_round_goes_on():
    @around(Device, "restore")
    def restore(old, self):
        live = self.session.state == hint_session.ACTIVE
        old(self)
        self.session.live = live

    @around(Session, "add")
    def add(old, self, buffer, command, hints):
        state = self.state
        if hints and command is None and getattr(self, "live", False) and \
                state == hint_session.DONE:
            self.state = hint_session.ACTIVE
        old(self, buffer, command, hints)
        self.state = state if self.state == hint_session.ACTIVE and \
            state == hint_session.DONE else self.state


@mutant("FPH-L6")
def restored_buffers_are_lost():
    @around(Role, "do_restore")
    def restore(old, self):
        give, self.give_back = self.give_back, lambda: None
        result = old(self)
        self.give_back = give
        self.device.flush()
        gone = set(self.device.returned)
        self.device.returned = []
        self.device.inflight = {b: at for b, at in
                                self.device.inflight.items()
                                if b not in gone}
        return result


@mutant("FPH-L10")
def predecessors_buffers_are_lost():
    @around(Device, "take_over")
    def take_over(old, self):
        self.inflight = {}
        old(self)


@mutant("FPH-L10A")
def predecessors_buffers_come_twice():
    @around(Role, "do_takeover")
    def takeover(old, self):
        inflight = list(self.device.inflight)
        result = old(self)
        for buffer in inflight[:1]:
            if buffer not in self.device.inflight:
                self.say("used %d 0" % buffer)
        return result


@mutant("FPH-L10A")
def record_is_one_step_behind():
    last = []

    @around(Device, "give_back")
    def give_back(old, self):
        used = old(self)
        last[:] = used[-1:] or last
        return used

    @around(Role, "do_takeover")
    def takeover(old, self):
        behind = list(last)
        result = old(self)
        for buffer in behind:
            self.say("used %d 0" % buffer)
        return result


@mutant("FPH-Q-12")
def queue_reset_keeps_the_round():
    around(Device, "reset_ring")(
        lambda old, self, index: self.stop_ring(index))


@mutant("FPH-Q-12")
def queue_reset_does_not_wait():
    @around(Device, "reset_ring")
    def reset_ring(old, self, index):
        if old(self, index) == "busy":
            self.stopping.discard(index)
            self.rings[index] = []
            del self.rings[index]
            self.inflight = {b: at for b, at in self.inflight.items()
                             if at != index}
            for part in self.parts():
                part.held = [b for b in part.held if b in self.inflight]
        return "ok"


@mutant("FPH-Q-12")
def queue_reset_resets_the_device():
    @around(Device, "reset_ring")
    def reset_ring(old, self, index):
        result = old(self, index)
        self.session.stop()
        self.watch()
        return result


@mutant("FPH-Q-11")
def order_is_ignored():
    around(Device, "is_due")(lambda old, self, buffer: True)
