# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Free page hinting by the stock Linux driver.

Most of these guests have no reporting, so that the memory file changes
only by what the guest itself touches. With INBAND notifications every
kick is answered before the guest goes on: a stop after exactly N buffers
is then deterministic.
"""

from common import machine
from common.machine import BLOCK, MIB

from .machine import boot

INBAND = machine.WITHOUT_REPORT + ("--inband=on",)


def warm_up(m):
    """Make most free memory resident: a wrong discard would show."""
    m.guest.zeros("warm", 256)
    m.guest.remove("warm")
    assert m.resident >= 256 * MIB, m.resident


def rounds(events):
    """Split a list of events into the rounds of the hint session.

    Returns a list of (id, [(gpa, len)...]) by HINT_STATE "active".
    """
    found = []
    for name, data in events:
        if name == "HINT_STATE" and data["state"] == "active":
            found.append((data["cmd-id"], []))
        elif name == "SKIP":
            found[-1][1].append((data["gpa"], data["len"]))
    return found


def disjoint(ranges):
    """True when no byte is in two of the ranges."""
    end = -1
    for gpa, length in sorted(ranges):
        if gpa < end:
            return False
        end = gpa + length
    return True


def test_hint_full_round(t):
    """One START, all free blocks as 4 MiB buffers, one STOP; the guest
    holds the pages until DONE; the memory file does not change."""
    m = boot(t, daemon=machine.WITHOUT_REPORT)
    warm_up(m)
    kept = m.guest.fill("kept", 8)
    free, was = m.guest.free(), m.resident
    m.daemon.command("hint-start")
    hint = m.wait_hint_state("stopped")
    m.log("round: %r" % hint)
    assert (hint["starts"], hint["stops"]) == (1, 1), hint
    assert hint["bytes"] == hint["buffers"] * BLOCK, hint
    assert hint["bytes"] >= free - 64 * MIB, (hint, free)
    assert m.guest.free() < 64 * MIB, "the guest holds what it hinted"
    assert abs(m.resident - was) <= 4 * MIB, "a hint frees nothing"
    m.daemon.command("hint-done")
    m.wait_free(free - 16 * MIB, "DONE frees the held pages")
    assert abs(m.resident - was) <= 4 * MIB
    assert m.report()["chains"] == 0
    assert m.guest.checksum("kept") == kept
    m.finish()


def test_hint_restart_midstream(t):
    """A new id after exactly 20 buffers: START a, 20 buffers, STOP,
    START b, the other blocks, STOP; no block comes twice."""
    m = boot(t, daemon=INBAND)
    warm_up(m)
    free, was = m.guest.free(), m.resident
    m.daemon.command("subscribe", events=["hint", "skip"])
    m.daemon.command("hint-start", max_buffers=20, then="restart")
    machine.wait.until(lambda: m.hint()["stops"] == 2, "two STOPs")
    hint = m.wait_hint_state("stopped")
    assert (hint["starts"], hint["stops"]) == (2, 2), hint
    assert hint["bytes"] == hint["buffers"] * BLOCK, hint
    assert hint["bytes"] >= free - 64 * MIB, (hint, free)
    first, second = rounds(m.daemon.control.drain_events())
    assert len(first[1]) == 20, "%d buffers in round a" % len(first[1])
    assert first[0] != second[0]
    assert len(first[1]) + len(second[1]) == hint["buffers"], hint
    assert disjoint(first[1] + second[1])
    assert abs(m.resident - was) <= 4 * MIB, "a hint frees nothing"
    m.daemon.command("hint-done")
    m.wait_free(free - 16 * MIB, "DONE frees the held pages")
    m.finish()


def test_hint_stop_midstream_then_new_id(t):
    """STOP after exactly 20 buffers: the guest answers with its STOP and
    keeps 20 blocks; a later id brings the others, none of them twice."""
    m = boot(t, daemon=INBAND)
    warm_up(m)
    free, was = m.guest.free(), m.resident
    m.daemon.command("subscribe", events=["hint", "skip"])
    m.daemon.command("hint-start", max_buffers=20, then="stop")
    machine.wait.until(lambda: m.hint()["stops"] == 1, "STOP of the guest")
    hint = m.hint()
    assert hint["buffers"] == 20 and hint["starts"] == 1, hint
    old = hint["cmd-id"]
    held = free - m.guest.free()
    assert 16 * BLOCK <= held <= 28 * BLOCK, "%.1f MiB" % (held / MIB)
    m.daemon.command("hint-start")
    machine.wait.until(lambda: m.hint()["stops"] == 2, "second STOP")
    hint = m.hint()
    assert hint["cmd-id"] > old, "ids count up"
    assert hint["starts"] == 2, hint
    assert hint["bytes"] >= free - 64 * MIB, (hint, free)
    first, second = rounds(m.daemon.control.drain_events())
    assert len(first[1]) == 20 and disjoint(first[1] + second[1])
    assert abs(m.resident - was) <= 4 * MIB, "a hint frees nothing"
    m.daemon.command("hint-done")
    m.wait_free(free - 16 * MIB, "DONE frees the held pages")
    m.finish()


def test_hint_done_midstream(t):
    """DONE after exactly 20 buffers: the guest ends its stream with STOP
    and frees everything at once."""
    m = boot(t, daemon=INBAND)
    warm_up(m)
    free, was = m.guest.free(), m.resident
    m.daemon.command("hint-start", max_buffers=20, then="done")
    machine.wait.until(lambda: m.hint()["stops"] == 1, "STOP of the guest")
    hint = m.hint()
    assert hint["buffers"] == 20 and hint["starts"] == 1, hint
    assert hint["state"] == "done", hint
    m.wait_free(free - 16 * MIB, "DONE frees the held pages")
    assert abs(m.resident - was) <= 4 * MIB, "a hint frees nothing"
    m.finish()


def test_hinted_pages_reused(t):
    """A hint is no licence to discard: under pressure the guest takes
    hinted pages back without a word and writes to them. What it wrote is
    there afterwards, also after DONE; no block of the file was freed."""
    m = boot(t, daemon=machine.WITHOUT_REPORT)
    warm_up(m)
    before = m.guest.fill("before", 8)
    was = m.resident
    m.daemon.command("hint-start")
    hint = m.wait_hint_state("stopped")
    assert m.guest.free() < 64 * MIB
    sums = {}
    for name in ("x", "y"):
        sums[name] = m.guest.fill(name, 48)
        assert m.resident >= was - MIB, "a block of the file was freed"
    assert m.guest.meminfo()["Shmem"] > 96 * MIB
    for name, value in sums.items():
        assert m.guest.checksum(name) == value, name
    m.daemon.command("hint-done")
    m.wait_free(200 * MIB, "DONE frees the held pages")
    for name, value in sums.items():
        assert m.guest.checksum(name) == value, name
    assert m.guest.checksum("before") == before
    assert m.resident >= was - MIB, "a block of the file was freed"
    assert m.hint()["buffers"] >= hint["buffers"]
    m.finish()


def test_hint_then_report(t):
    """After DONE the freed blocks are reported: the same memory that a
    hint left alone is discarded by a report."""
    m = boot(t)
    m.wait_reports_quiet()
    m.guest.zeros("warm", 256)
    m.daemon.command("hint-start")
    m.wait_hint_state("stopped")
    m.daemon.command("hint-done")
    high, before = m.resident, m.report()["bytes-discarded"]
    m.guest.remove("warm")
    m.wait_resident_below(high - 180 * MIB, "reports after DONE")
    m.wait_discarded(before + 180 * MIB)
    m.finish()


def test_inband_order(t):
    """INBAND: a call right before or after a config change must not swallow
    it. Linux forgets a config change that it reads together with a call;
    the daemon has to keep them apart. A request for statistics makes a
    call, a new balloon size a config change; they are asked for in one
    piece, many times over, and each must have its effect."""
    m = boot(t, daemon=["--inband=on"])
    total, memory = m.guest.meminfo()["MemTotal"], m.part("memory")["bytes"]
    m.guest.zeros("warm", 64)
    m.guest.remove("warm")
    high = m.resident
    for turn in range(30):
        size = (1 + turn % 2) * MIB
        commands = [("query-guest-stats", {}),
                    ("balloon", {"value": memory - size})]
        if turn % 3 == 0:
            commands.reverse()
        answers = m.daemon.control.together(*commands)
        assert any(a.get("total-memory") for a in answers), answers
        machine.wait_balloon(m, size)
    machine.set_balloon(m, 0)
    machine.wait_balloon(m, 0)
    m.wait_resident_below(high - 48 * MIB, "reports go on")
    assert m.guest.meminfo()["MemTotal"] == total
    m.daemon.command("hint-start")
    m.wait_hint_state("stopped")
    m.daemon.command("hint-done")
    m.finish()
