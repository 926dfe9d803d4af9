# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The module on our own daemon, with a queue left out: whoever numbers queues
by the specification leaves its place empty, and the module has to set up a queue
there. Both must still agree on what each queue is.
"""

from common import wait
from vm import guest as guests
from vm.guest import MIB
from vm.machine import boot

from . import parts
from .machine import MODULE


class DaemonGuest(guests.Guest):
    """With the modules of these tests."""

    def build_initramfs(self, path):
        parts.build_initramfs(self.kernel, path)


def reporting(m):
    """Reports are taken for reports, and free memory."""
    m.guest.zeros("big", 96)
    high = m.resident
    m.guest.remove("big")
    m.wait_resident_below(high - 64 * MIB, "memory comes back")


def hinting(m):
    """A round, taken for one. What was reported is not hinted again."""
    m.daemon.command("hint-start")
    m.wait_hint_state("stopped")
    hint = m.hint()
    assert hint["starts"] == hint["stops"] == 1, hint
    assert hint["bytes"] > 0, hint
    m.daemon.command("hint-done")


def _test(t, kernel, left_out):
    m = boot(t, left_out, kernel=kernel, kind=DaemonGuest)
    m.guest.run("insmod %s hint=until_used" % MODULE)
    wait.until(lambda: (m.queue("report") or {"running": False})["running"],
               "the module negotiates")
    kept = m.guest.fill("kept", 16)
    for case in (reporting, hinting):
        t.case(case, m)
    assert m.guest.checksum("kept") == kept, "data of the guest changed"
    assert m.part("report")["refused"] == 0, m.part("report")
    m.finish()


def test_without_statistics_old(t):
    """Kernel 6.1, no queue for statistics."""
    _test(t, parts.OLD, ("--stats=off",))


def test_without_statistics_new(t):
    """The newest kernel, no queue for statistics."""
    _test(t, parts.NEW, ("--stats=off",))
