# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The life of one guest, on an old and on a new kernel: probe, reports,
hints, balloon, statistics; reload, stop and cont, reset. All on one guest
each, since a boot takes long.
"""

from common import machine, wait
from common.machine import BLOCK, MIB

from . import parts
from .machine import boot

F_VERSION_1 = 32


def keep(m):
    """Data in the guest that must never change."""
    m.kept = m.guest.fill("kept", 16)


def intact(m):
    assert m.guest.checksum("kept") == m.kept, "data of the guest changed"


def give_back(m, mib=96):
    """Allocate and free; the host must get its memory back."""
    m.guest.zeros("big", mib)
    high, before = m.resident, m.report()["bytes-discarded"]
    m.guest.remove("big")
    m.wait_resident_below(high - (mib - 32) * MIB, "memory comes back")
    m.wait_discarded(before + (mib - 32) * MIB)


def load_driver(m):
    m.guest.insmod()
    wait.until(lambda: (m.queue("report") or {"running": False})["running"],
               "driver negotiates")


def bits(number):
    return {bit for bit in range(64) if number >> bit & 1}


def hint_round(m):
    """One whole round. Debian's kernels have init_on_alloc on, so that the
    guest itself writes to each page that it hints: had one of them been
    discarded, the file would be smaller than what was hinted."""
    free, before = m.guest.free(), m.hint()
    m.daemon.command("hint-start")
    m.wait_hint_state("stopped")
    check_round(m, free, before)
    assert m.guest.free() < 96 * MIB, "the guest holds what it hinted"
    hinted = m.hint()["bytes"] - before["bytes"]
    assert m.resident >= hinted, "hints free nothing"
    m.daemon.command("hint-done")
    m.wait_free(free - 24 * MIB, "DONE frees the held pages")


def check_round(m, free, before):
    """Counters: one round more, with all that was free."""
    now = m.hint()
    grown = {name: now[name] - before[name] for name in
             ("rounds", "starts", "stops", "buffers", "bytes")}
    for name in ("rounds", "starts", "stops"):
        assert grown[name] == 1, (name, grown)
    assert grown["bytes"] == grown["buffers"] * BLOCK, grown
    assert grown["bytes"] >= free - 96 * MIB, (grown, free)


# Cases, in the order in which they run -------------------------------------

def probe(m):
    """Features and queues, as the guest and as the daemon have them."""
    assert m.guest.features() == set(), "nothing before the driver"
    load_driver(m)
    seen = m.guest.features()
    # Newer drivers do not take INDIRECT, and older ones not IN_ORDER.
    assert seen - {machine.F_INDIRECT, machine.F_IN_ORDER} == m.rings | {
        machine.F_MUST_TELL, machine.F_STATS, machine.F_HINT,
        machine.F_REPORT,
        machine.F_EVENT_IDX, F_VERSION_1}, seen
    m.log("in order: %r" % (machine.F_IN_ORDER in seen))
    assert bits(m.acked()) - {machine.F_PROTOCOL} == seen, hex(m.acked())
    queues = m.daemon.stats()["queues"]
    assert [q["role"] for q in queues] == [
        "inflate", "deflate", "stats", "hint", "report"], queues
    assert all(q["running"] and q["enabled"] for q in queues), queues
    assert m.part("config")["size"] == 16
    assert m.part("memory")["bytes"] == m.guest.memory.size


def reporting(m):
    """What the guest frees leaves the host; what it keeps does not."""
    keep(m)
    give_back(m, 240)
    report = m.report()
    # Linux 6.1 reports blocks of 4 MiB, newer ones also of 2 MiB.
    assert report["bytes-offered"] % (2 * MIB) == 0, report
    assert report["bytes-discarded"] == report["bytes-offered"], report
    intact(m)


def two_hint_rounds(m):
    m.wait_reports_quiet()
    for _ in range(2):
        hint_round(m)
    intact(m)


def inflate_deflate(m):
    """128 MiB leave the guest and the file, and come back."""
    size, total = 128 * MIB, m.guest.meminfo()["MemTotal"]
    before = m.daemon.stats()
    m.guest.zeros("warm", 240)
    high = m.resident
    m.guest.remove("warm")
    machine.set_balloon(m, size)
    machine.wait_balloon(m, size)
    m.wait_resident_below(high - size + 16 * MIB, "inflated")
    pages = size // 4096
    inflate = m.part("inflate")
    assert inflate["pages"] - before["inflate"]["pages"] == pages, inflate
    assert m.guest.meminfo()["MemTotal"] == total - size
    machine.set_balloon(m, 0)
    machine.wait_balloon(m, 0)
    deflate = m.part("deflate")
    assert deflate["pages"] - before["deflate"]["pages"] == pages, deflate
    assert m.guest.meminfo()["MemTotal"] == total
    data = m.guest.fill("data", 64)
    assert m.guest.checksum("data") == data
    m.guest.remove("data")
    intact(m)


def statistics(m):
    """Fresh at every request, and what the guest itself says."""
    first = agreeing_statistics(m)
    m.guest.zeros("data", 100)
    second = agreeing_statistics(m)
    grown = second["disk-caches"] - first["disk-caches"]
    assert 98 * MIB <= grown <= 104 * MIB, (first, second)
    m.guest.remove("data")


def agreeing_statistics(m):
    info = m.guest.meminfo()
    stats = m.daemon.command("query-guest-stats")
    assert stats["total-memory"] == info["MemTotal"], (stats, info)
    assert abs(stats["free-memory"] - info["MemFree"]) < 8 * MIB, (stats,
                                                                   info)
    return stats


def config_interrupts(m):
    """Each change of config space is an interrupt, and has its effect."""
    for turn in (1, 2, 3, 4, 0):
        before = m.guest.interrupts()
        machine.set_balloon(m, turn * MIB)
        machine.wait_balloon(m, turn * MIB)
        assert m.guest.interrupts() > before


def reload_driver(m):
    """rmmod and insmod: the balloon is empty, what is asked for meanwhile
    happens afterwards.

    A config change sent while the rings are stopped crashed QEMU (fault 1:
    it must be held until a ring runs again).
    """
    machine.set_balloon(m, 16 * MIB)
    machine.wait_balloon(m, 16 * MIB)
    m.guest.rmmod()
    assert machine.actual(m) == 0, "the driver gave its balloon back"
    machine.set_balloon(m, 24 * MIB)
    m.daemon.command("hint-start")
    wait.pause(0.5)
    m.guest.qmp.command("query-status")
    starts = m.hint()["starts"]
    load_driver(m)
    machine.wait_balloon(m, 24 * MIB)
    wait.until(lambda: m.hint()["starts"] == starts + 1, "a round begins")
    m.wait_hint_state("stopped")
    m.daemon.command("hint-done")
    machine.set_balloon(m, 0)
    machine.wait_balloon(m, 0)
    give_back(m)
    intact(m)


def pause(m, meanwhile=None):
    m.guest.qmp.command("stop")
    if meanwhile:
        meanwhile()
        wait.pause(0.5)
    m.guest.qmp.command("cont")


def stop_cont(m):
    """Ten times stop and cont, under a balloon, which stays as it is.

    In one of them the config changes: sent at once, that crashed QEMU
    (fault 1). With F_STATUS a pause forgot the balloon's size (fault 3).
    """
    acked = m.acked()
    machine.set_balloon(m, 16 * MIB)
    machine.wait_balloon(m, 16 * MIB)
    for turn in range(9):
        pause(m)
        stats = m.daemon.command("query-guest-stats")
        assert stats["free-memory"] > 0, stats
        assert machine.actual(m) == 16 * MIB, turn
    pause(m, lambda: machine.set_balloon(m, 32 * MIB))
    machine.wait_balloon(m, 32 * MIB)
    assert m.part("config")["actual"] * 4096 == 32 * MIB
    assert m.acked() == acked
    give_back(m)
    machine.set_balloon(m, 0)
    machine.wait_balloon(m, 0)
    intact(m)


def stop_cont_in_hint_round(m):
    """A pause in the middle of a round: the round goes on after it."""
    m.wait_reports_quiet()
    free, before = m.guest.free(), m.hint()
    m.daemon.command("hint-start")
    m.wait_hint_state("active")

    def still_open():
        hint = m.hint()
        assert hint["state"] == "active", hint
        assert hint["bytes"] - before["bytes"] < free - 96 * MIB, hint
    pause(m, still_open)
    m.wait_hint_state("stopped")
    check_round(m, free, before)
    m.daemon.command("hint-done")
    m.wait_free(free - 24 * MIB, "DONE frees the held pages")
    intact(m)


def reset_guest(m, meanwhile=None):
    """The reset button; the guest boots and loads its driver again."""
    m.guest.reset()
    if meanwhile:
        meanwhile()
    m.guest.wait_up()
    load_driver(m)
    keep(m)


def reset_inflated(m):
    """A reset empties the balloon: the new driver fills it anew, to the
    same target, or not at all when that was taken back meanwhile.

    To the daemon a reset of the guest looks like a pause, so that "actual"
    stayed (fault 2); a config change just after it crashed QEMU (fault 1).
    """
    total, size = m.guest.meminfo()["MemTotal"], 64 * MIB
    machine.set_balloon(m, size)
    machine.wait_balloon(m, size)
    before = m.part("inflate")["pages"]
    reset_guest(m)
    wait.until(lambda: m.part("inflate")["pages"] - before == size // 4096,
               lambda: "inflated anew: %r" % m.part("inflate"))
    machine.wait_balloon(m, size)
    assert m.guest.meminfo()["MemTotal"] == total - size
    reset_guest(m, lambda: machine.set_balloon(m, 0))
    machine.wait_balloon(m, 0)
    assert m.guest.meminfo()["MemTotal"] == total
    assert m.part("inflate")["pages"] - before == size // 4096
    give_back(m)
    intact(m)


def reset_in_hint_round(m):
    """A reset ends the round that was open; another one can begin.

    The round stayed active for ever, and none could begin (fault 2).
    """
    m.daemon.command("hint-start")
    m.wait_hint_state("active")
    old = m.hint()["cmd-id"]
    reset_guest(m)
    wait.until(lambda: m.hint()["state"] not in ("requested", "active"),
               lambda: "the round is over: %r" % m.hint())
    m.wait_reports_quiet()
    hint_round(m)
    assert m.hint()["cmd-id"] > old, "ids are never issued again"
    give_back(m)
    intact(m)


CASES = (probe, reporting, two_hint_rounds, inflate_deflate, statistics,
         config_interrupts, reload_driver, stop_cont,
         stop_cont_in_hint_round, reset_inflated, reset_in_hint_round)


def life(t, kernel, arguments=(), rings=()):
    m = boot(t, arguments, kernel=kernel)
    m.rings = set(rings)
    t.log(m.guest.run("uname -r").strip())
    for case in CASES:
        t.case(case, m)
    m.finish()
    assert not m.guest.errors_text(), m.guest.errors_text()


def test_old_kernel(t):
    """The life of a guest with Linux 6.1."""
    life(t, parts.OLD)


def test_new_kernel(t):
    """The life of a guest with the newest Linux that Debian has."""
    life(t, parts.NEW)


def test_packed_old_kernel(t):
    """The same with packed rings: the generic device ignores its own property
    of that name, and passes on what the daemon offers."""
    life(t, parts.OLD, ["--packed=on"], [machine.F_PACKED])


def test_packed_new_kernel(t):
    """The same with packed rings on the newest Linux that Debian has."""
    life(t, parts.NEW, ["--packed=on"], [machine.F_PACKED])
