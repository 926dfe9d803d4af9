# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A guest that goes from one QEMU to the next under churn, while every way of
hinting takes its turn, and some migrations are cancelled first. FPH_LINUX_HOPS
is the number of migrations of each guest (default 4; 200 takes half an hour).
"""

import os
import random
import re
import time

from common import runner, wait
from vm.guest import MIB

from . import parts
from .machine import FULL_SPEED, boot, live

DRIVERS = ("until_used", "armed", "never", "stock")
MEM_MIB = 512
FREE_MIB = 256
SLOW = 100 * MIB          # a second: hints overtake what is sent


def hops():
    return int(os.environ.get("FPH_LINUX_HOPS", "4"))


def status_of(guest):
    return guest.qmp.command("query-migrate").get("status", "none")


def cancel_one(guest, seconds):
    """A migration that leads nowhere and is cancelled."""
    guest.qmp.command("migrate-set-parameters", **{
        "max-bandwidth": 20 * MIB})
    guest.qmp.command("migrate", uri="exec:cat > /dev/null")
    time.sleep(seconds)
    guest.qmp.command("migrate_cancel")
    wait.until(lambda: status_of(guest) in ("cancelled", "completed"),
               lambda: "migration is cancelled: " + status_of(guest), 60, 0.01)
    if status_of(guest) == "completed":
        guest.resume()


def hop(t, source, number, bandwidth):
    """The guest on another QEMU, which is returned; the old one is gone."""
    to, incoming = live(t, "hop%d" % number)
    target = source.target("guest%d" % number, incoming)
    t.on_failure("console of guest%d" % number, target.console_tail)
    t.on_failure("QEMU of guest%d" % number, target.process_alive_text)
    t.defer(target.kill)
    target.start()
    ram, seconds = source.migrate(to, bandwidth)
    source.kill()
    target.wait_running()
    t.log("migration %d: %d MiB in %.1f s" % (
        number, ram["transferred"] // MIB, seconds))
    return target


def check(guest, driver):
    guest.check_kept()
    assert not guest.complaints(), guest.complaints()
    if driver == "stock":
        return
    status = guest.status()
    assert status["hint_rounds"] >= 1, status
    assert status["hint_with_device"] == 0, status
    assert status["hint_held_bytes"] == 0, status


def _test(t, kernel, seed):
    rng = random.Random(seed)
    guest = boot(t, kernel, name="guest0", mem_mib=MEM_MIB)
    guest.keep(48)
    guest.churn(slots=128, seed=seed)
    for number in range(1, hops() + 1):
        driver = DRIVERS[number % len(DRIVERS)]
        guest.load(driver)
        guest.dirty(FREE_MIB)
        if number % 3 == 0:
            cancel_one(guest, rng.random())
        guest = hop(t, guest, number, rng.choice((FULL_SPEED, SLOW)))
        check(guest, driver)
        guest.unload(driver)
        if number % 10 == 0:
            runner.say("    %s: %d of %d migrations" % (
                parts.release(kernel), number, hops()))
    t.log(guest.check_churn().strip().splitlines()[0])
    guest.poweroff()


def test_live_old(t):
    """Kernel 6.1, from QEMU to QEMU."""
    _test(t, parts.OLD, 1)


def test_live_new(t):
    """The newest kernel, from QEMU to QEMU."""
    _test(t, parts.NEW, 2)


def stall(guest, driver):
    """The longest that the guest stood still while migrations were cancelled
    and started anew without a gap, in milliseconds."""
    guest.load(driver)
    guest.churn(slots=16, pages=16)
    for turn in range(20):
        cancel_one(guest, 0.01 * (turn % 3))
    text = guest.check_churn()
    guest.unload(driver)
    return int(re.search(r"longest_us (\d+)", text).group(1)) // 1000


def test_cancel(t):
    """Migrations cancelled and started anew without a gap: nothing is lost,
    and the rounds go on. How long the guest stood still is told."""
    guest = boot(t, parts.OLD, mem_mib=MEM_MIB)
    guest.keep()
    for driver in DRIVERS:
        guest.dirty(FREE_MIB)
        t.log("%s: stood still for %d ms" % (driver, stall(guest, driver)))
    guest.check_kept()
    assert not guest.complaints(), guest.complaints()
    guest.poweroff()
