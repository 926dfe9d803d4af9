# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Other right implementations: what the specification leaves open, done
otherwise than the reference does it.  The suite must pass all of them.
"""

from mutant import around

import device
import driver
import hint_session
import testee

Role = testee.DeviceRole
RIGHT = {}


def right(call):
    RIGHT[call.__name__] = call
    return call


def only_queue(old, self, queue, name, *segs):
    process, self.device.process = self.device.process, lambda *a: None
    result = old(self, queue, name, *segs)
    self.device.process = process
    return result


def step_by(budget):
    """Steps that take so many buffers of a queue, when nothing is at hand."""
    def step(old, self):
        if self.runs:
            return old(self)
        for at, waiting in self.device.rings.items():
            if waiting and not self.device.broken and \
                    self.device.process(at, budget)[1]:
                self.give_back()
                return True
        return old(self)
    return step


@right
def lazy():
    """Takes one buffer in a step of work, none before."""
    around(Role, "do_vq")(only_queue)
    around(Role, "step")(step_by(1))


@right
def lazy_and_greedy():
    """Takes nothing before work, then all of a queue."""
    around(Role, "do_vq")(only_queue)
    around(Role, "step")(step_by(1024))


@right
def at_once():
    """Does everything when it is notified."""
    @around(Role, "do_vq")
    def vq(old, self, queue, name, *segs):
        result = old(self, queue, name, *segs)
        self.do_work()
        return result


@right
def idle():
    """Returns all and acts on nothing."""
    testee.ACTS = ""
    around(hint_session.HintSession, "add")(
        lambda old, self, buffer, command, hints:
        old(self, buffer, command, []))
    around(device.Device, "take_report")(
        lambda old, self, buffer, segs: self.returned.append(buffer))


@right
def ids_of_qemu():
    """Counts from the middle of the numbers."""
    testee.FIRST_ID = 0x80000001


@right
def refuses_but_lives():
    """Goes on returning buffers after a command of other length."""
    @around(device.Device, "take_hint")
    def take_hint(old, self, buffer, segs):
        old(self, buffer, segs)
        self.broken = False


@right
def used_before_it_stops():
    """Takes what waits in the queue before it ends a round."""
    def drained(old, self, *words):
        for at in list(self.device.rings):
            self.device.process(at, 1024)
        return old(self, *words)

    around(Role, "do_vq")(only_queue)
    around(Role, "step")(step_by(1))
    for name in ("do_stop", "do_done", "do_sync_begin"):
        around(Role, name)(drained)


@right
def waits_for_each_report():
    """A driver that waits for each report; the suite names F5 only."""
    testee.ACTS = "hints"
    around(driver.Driver, "report")(
        lambda old, self: old(self) if self.room("report") == self.ring
        else None)
