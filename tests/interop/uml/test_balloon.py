# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Inflate, deflate and statistics by the stock Linux driver."""

from common import machine
from common.machine import MIB, set_balloon, wait_balloon

from .machine import boot


def test_inflate_deflate(t):
    """The balloon grows: its pages leave the guest and the memory file. It
    shrinks: the guest has them back and they hold data."""
    m = boot(t, daemon=machine.WITHOUT_REPORT)
    m.guest.zeros("warm", 320)
    m.guest.remove("warm")
    kept = m.guest.fill("kept", 8)
    high, total = m.resident, m.guest.meminfo()["MemTotal"]
    set_balloon(m, 192 * MIB)
    wait_balloon(m, 192 * MIB)
    m.log("inflated")
    assert m.part("inflate")["pages"] * 4096 == 192 * MIB
    m.wait_resident_below(high - 190 * MIB + 4 * MIB, "inflated")
    assert m.guest.meminfo()["MemTotal"] == total - 192 * MIB
    set_balloon(m, 64 * MIB)
    wait_balloon(m, 64 * MIB)
    set_balloon(m, 0)
    wait_balloon(m, 0)
    m.log("deflated")
    assert m.part("deflate")["pages"] * 4096 == 192 * MIB
    assert m.guest.meminfo()["MemTotal"] == total
    low = m.resident
    m.guest.zeros("warm", 320)
    assert m.resident >= low + 150 * MIB, "deflated pages are usable"
    m.guest.remove("warm")
    data = m.guest.fill("data", 48)
    assert m.guest.checksum("data") == data
    assert m.guest.checksum("kept") == kept
    m.finish()


def test_config_change_before_probe(t):
    """A target and a hinting round asked for before the driver is there
    take effect when it probes, at the first probe as at a later one, when
    the device is known and its change told to nobody."""
    m = boot(t, daemon=machine.WITHOUT_REPORT, probe=False)
    m.daemon.command("balloon", value=464 * MIB)
    m.daemon.command("hint-start")
    was = m.resident
    assert m.hint()["starts"] == 0
    m.guest.insmod()
    wait_balloon(m, m.part("memory")["bytes"] - 464 * MIB)
    hint = m.wait_hint_state("stopped")
    assert hint["starts"] == 1 and hint["bytes"] > 300 * MIB, hint
    assert m.resident <= was + 16 * MIB, "hints occupy nothing"
    m.daemon.command("hint-done")
    m.guest.rmmod()
    set_balloon(m, 24 * MIB)
    m.daemon.command("hint-start")
    m.guest.insmod()
    wait_balloon(m, 24 * MIB)
    machine.wait.until(lambda: m.hint()["starts"] == 2, "second round")
    m.wait_hint_state("stopped")
    m.daemon.command("hint-done")
    set_balloon(m, 0)
    wait_balloon(m, 0)
    m.finish()


def test_initial_target(t):
    """--num-pages: the balloon is inflated at the first probe."""
    pages = 16 * MIB // 4096
    m = boot(t, daemon=("--num-pages=%d" % pages,)
             + machine.WITHOUT_REPORT)
    wait_balloon(m, 16 * MIB)
    assert m.part("inflate")["pages"] == pages
    assert m.resident < 64 * MIB
    m.finish()


def test_statistics(t):
    """Statistics are fresh on every request and agree with the guest's own
    view; asking changes no memory."""
    m = boot(t, daemon=machine.WITHOUT_REPORT)
    m.guest.zeros("warm", 200)
    m.guest.remove("warm")
    was = m.resident
    info = m.guest.meminfo()
    first = m.daemon.command("query-guest-stats")
    assert first["total-memory"] == info["MemTotal"], first
    assert abs(first["free-memory"] - info["MemFree"]) < 8 * MIB, first
    assert first["available-memory"] <= info["MemTotal"], first
    m.guest.zeros("data", 100)
    second = m.daemon.command("query-guest-stats")
    fell = first["free-memory"] - second["free-memory"]
    assert 92 * MIB <= fell <= 116 * MIB, (first, second)
    assert second["minor-faults"] >= first["minor-faults"], second
    assert m.queue("stats")["popped"] >= 3
    assert m.resident <= was + 8 * MIB, "data went to resident pages"
    m.finish()
