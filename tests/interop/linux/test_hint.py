# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Migrations under churn, with known content in what is in use and other
content in what is free: what they send, what they cost the guest, and that
nothing is lost.
"""

import collections
import itertools
import os

from vm.guest import MIB

from . import parts
from .machine import boot, saved

MEM_MIB = 640
DIRTY_MIB = 384
BANDWIDTH = 60 * MIB        # a second

# Of one migration, in bytes and seconds: what was sent, how long it took, free
# and available memory before and at the least, the longest round, and what the
# module counted.
Run = collections.namedtuple(
    "Run", "sent pages seconds free available least_free least_available "
    "longest_round status")

TARGETS = itertools.count()     # their numbers


def load(guest, driver):
    if driver != "none":
        guest.load(driver)


def unload(guest, driver):
    if driver != "none":
        guest.unload(driver)


def migrate(t, source, driver, bandwidth=BANDWIDTH):
    """To a file and from it; the source goes on when that was checked."""
    path = os.path.join(t.workdir, driver + ".state")
    to_file, from_file = saved(path)
    hints = driver != "none"
    source.dirty(DIRTY_MIB)
    if hints:
        source.trace_rounds(driver)
    before = source.watch()
    t.log("%s: migrates" % driver)
    ram, seconds = source.migrate(to_file, bandwidth)
    target = source.target("target%d" % next(TARGETS), from_file)
    t.on_failure("QEMU of the target", target.process_alive_text)
    try:
        target.start()
        target.wait_running()
        least_free, least_available = target.watched()
        target.check_kept()
        t.log(target.check_churn().strip().splitlines()[0])
        complaints = target.complaints()
        assert not complaints, complaints
        status = target.status() if hints and driver != "stock" else {}
        longest = target.longest_round(driver) if hints else None
        unload(target, driver)
    except (AssertionError, OSError):
        target.show_tasks()
        raise
    finally:
        target.kill()
        os.remove(path)
    run = Run(ram["transferred"], ram["normal"], seconds, before["MemFree"],
              before["MemAvailable"], least_free, least_available,
              longest, status)
    t.log("%-10s sent %4d MiB in %4.1f s; free %4d MiB, least %4d; available "
          "%4d, least %4d" % ((driver, run.sent // MIB, seconds) + tuple(
              n // MIB for n in (run.free, run.least_free, run.available,
                                 run.least_available))))
    if status:
        t.log(" ".join("%s=%d" % item for item in status.items()
                       if item[0].startswith(("round_", "hint_"))))
    if longest is not None:
        t.log("longest round %.2f s" % longest)
    source.resume()
    if hints:
        source.untrace_rounds(driver)
    return run


def _test(t, kernel, drivers):
    """drivers: how free memory is hinted, "none" and "stock" among them."""
    source = boot(t, kernel, mem_mib=MEM_MIB)
    source.keep()
    source.churn()
    runs = {}
    for driver in drivers:
        load(source, driver)
        runs[driver] = migrate(t, source, driver)
        unload(source, driver)
    for driver in drivers[2:]:
        t.case(named(check_run, driver), runs, driver)
    t.case(check_default, runs["until_used"])
    source.poweroff()


def named(function, what):
    """A case's name says what it is about."""
    def case(*args):
        function(*args)
    case.__name__ = "%s %s" % (function.__name__, what)
    return case


def check_run(runs, driver):
    """Everything hinted came back, and less is sent than without hints; the
    ways that take no page send less than half."""
    run = runs[driver]
    assert run.status["hint_rounds"] >= 1, run.status
    assert run.longest_round > 0, run
    assert run.status["hint_with_device"] == 0, run.status
    assert run.status["hint_held_bytes"] == 0, run.status
    most = 0.9 if driver == "until_used" else 0.5
    assert run.sent < most * runs["none"].sent, runs


def check_default(run):
    """Available memory stays above 90 % of what it was."""
    assert run.least_available >= 0.9 * run.available, run


def test_hint_old(t):
    """Kernel 6.1: every way of hinting, against none and the stock driver."""
    _test(t, parts.OLD, ("none", "stock", "until_used", "armed", "never"))


def test_hint_new(t):
    """The newest kernel: the default, against the same."""
    _test(t, parts.NEW, ("none", "stock", "until_used"))


def check_turns(t, guest, driver, *words):
    """A long round's work is done in short turns."""
    guest.load(driver, *words)
    guest.dirty(640)
    guest.trace_rounds(driver)
    guest.trace_turns()
    guest.migrate("exec:cat > /dev/null", BANDWIDTH)
    guest.resume()
    longest = guest.longest_round(driver)
    turn = guest.longest_turn()
    t.log("%s: longest round %.2f s, longest turn %.3f s" % (
        driver, longest, turn))
    assert turn < longest / 4, (longest, turn)
    guest.unload(driver)


def test_turns(t):
    """A guest that is about to sleep waits for a short turn of the work on
    hints, not for a round; to arm many chunks takes turns too."""
    guest = boot(t, parts.OLD, mem_mib=1024, append=["init_on_alloc=1"])
    check_turns(t, guest, "until_used")
    check_turns(t, guest, "armed", "arm_shift=10")
    guest.poweroff()
