# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A guest that sleeps (suspend to RAM) in the middle of a round, while its
balloon is inflated and free pages are reported. The driver gives all back
before the guest sleeps, and begins anew when it wakes up.
"""

from common import wait
from vm.guest import MIB

from . import parts
from .machine import TRACE, boot
from .test_balloon import actual, set_balloon
from .test_hint import migrate
from .test_live import status_of

MEM_MIB = 768
BALLOON_MIB = 640
SLOW = 20 * MIB             # a second: the migration outlasts the sleep


def resize(guest, mib):
    set_balloon(guest, mib)
    wait.until(lambda: actual(guest) == mib * MIB,
               lambda: "balloon: %d" % actual(guest))
    assert guest.status()["balloon_pages"] == (MEM_MIB - mib) * 256


def sleep_in_round(guest):
    """A migration begins, and the guest sleeps as soon as it hints. Returns
    when it is awake; what the module counts then, of the round too."""
    guest.run("cd %s; echo 1 > events/fph_balloon/fph_hint_step/enable; "
              "echo > trace" % TRACE)
    guest.qmp.command("migrate-set-parameters", **{"max-bandwidth": SLOW})
    guest.qmp.command("migrate", uri="exec:cat > /dev/null")
    command = "until grep -q fph_hint_step: %strace; do :; done; " \
        "echo mem > /sys/power/state" % TRACE
    guest.begin(command)
    guest.qmp.wait_event("SUSPEND")
    guest.qmp.command("system_wakeup")
    status, text = guest.finish(command, 60)
    assert status == 0, text
    return guest.status()


def cancel(guest):
    guest.qmp.command("migrate_cancel")
    wait.until(lambda: status_of(guest) == "cancelled",
               lambda: "migration is cancelled: " + status_of(guest))


def check_balloon(guest, total):
    """It has its size again, and gives all memory back."""
    resize(guest, BALLOON_MIB)
    assert guest.meminfo()["MemTotal"] == total - \
        (MEM_MIB - BALLOON_MIB) * MIB
    resize(guest, MEM_MIB)
    assert guest.meminfo()["MemTotal"] == total


def check_round(status):
    """A round was done as if nothing had been: all came back."""
    assert status["hint_rounds"] >= 1, status
    assert status["hint_rounds"] == status["hint_stops"], status
    assert status["hint_with_device"] == 0, status
    assert status["hint_held_bytes"] == 0, status


def check_reports(guest):
    """What was freed since the guest woke up is reported."""
    wait.until(lambda: guest.status()["report_bytes"] > 128 * MIB,
               lambda: "reports: %r" % guest.status())
    assert guest.status()["report_failed"] == 0, guest.status()


def _test(t, kernel):
    # A guest on q35 cannot power off after it slept, with any driver.
    guest = boot(t, kernel, mem_mib=MEM_MIB, report=True,
                 append=["no_console_suspend", "init_on_alloc=1"],
                 options=["-machine", "pc"])
    total = guest.meminfo()["MemTotal"]
    guest.keep()
    guest.churn()
    guest.load("until_used", "hold_mib=2")      # for a long round
    resize(guest, BALLOON_MIB)
    guest.dirty(256)
    status = sleep_in_round(guest)
    t.log("slept after %d pages were hinted" % status["round_pages"])
    assert status["round_id"] and status["round_pages"], status
    assert not status["round_walked_us"] and not status["round_us"], \
        "the round was over: %r" % status
    cancel(guest)
    check_balloon(guest, total)
    check_round(migrate(t, guest, "until_used").status)
    check_reports(guest)
    guest.unload("until_used")
    guest.check_kept()
    t.log(guest.check_churn().strip().splitlines()[0])
    assert not guest.complaints(), guest.complaints()
    guest.poweroff()


def test_suspend_old(t):
    """Kernel 6.1."""
    _test(t, parts.OLD)


def test_suspend_new(t):
    """The newest kernel."""
    _test(t, parts.NEW)
