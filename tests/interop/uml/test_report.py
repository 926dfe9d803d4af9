# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Free page reporting by the stock Linux driver."""

from common import machine, wait
from common.machine import BLOCK, MIB

from .machine import boot


def make_holes(guest, kib, count):
    """Allocate 2 * count pieces of kib in turns for two sets of files.

    Removing one set leaves free blocks that cannot grow together, each
    a little smaller than kib. The shell's own echo writes them, so that
    no process is started for each.
    """
    guest.run("v=$(head -c %d /dev/zero | tr '\\0' x); "
              "for i in $(seq %d); do echo \"$v\" > /tmp/h$i; "
              "echo \"$v\" > /tmp/k$i; done" % (kib * 1024 - 1, count))


def drop_holes(guest):
    guest.run("rm -f /tmp/h*")


def delta(before, after, name):
    return after[name] - before[name]


def start_with_order(t, order):
    """A guest that reports blocks of at least 2^order pages, at rest."""
    m = boot(t)
    # The driver sets the order when it registers; its first pass comes
    # two seconds later.
    m.guest.set_report_order(order)
    # What was never touched is reported, but frees nothing: first fill
    # and free most memory, so that every later change is a real one.
    m.guest.zeros("warm", 300)
    assert m.resident >= 300 * MIB
    m.guest.remove("warm")
    m.wait_resident_below(120 * MIB, "after the first free")
    m.wait_reports_quiet()
    return m


def holes_round(m, kib, count):
    """Free holes of kib, and a larger file after them as a mark that the
    driver has looked at all; returns (bytes the file lost more than the
    mark, counters before, counters after)."""
    make_holes(m.guest, kib, count)
    m.guest.zeros("mark", 96)
    before, was = m.report(), m.resident
    m.log("holes of %d KiB allocated" % kib)
    drop_holes(m.guest)
    m.guest.remove("mark")
    m.wait_resident_below(was - 80 * MIB, "mark reported")
    m.wait_reports_quiet()
    lost = was - m.resident - 96 * MIB
    m.log("holes and mark freed: %.1f MiB more than the mark" % (lost / MIB))
    return lost, before, m.report()


def test_report_order_10(t):
    """Reporting order 10: only whole blocks of 4 MiB are reported, all of
    them are discarded, and smaller holes stay resident."""
    m = start_with_order(t, 10)
    lost, before, after = holes_round(m, 508, 24)
    assert lost < MIB, "%.1f MiB of small holes freed" % (lost / MIB)
    ranges = delta(before, after, "ranges")
    offered = delta(before, after, "bytes-offered")
    assert ranges > 0 and offered == ranges * BLOCK, (ranges, offered)
    assert after["bytes-discarded"] == after["bytes-offered"], after
    assert after["ranges"] * BLOCK == after["bytes-offered"], after
    m.finish()


def test_report_order_5(t):
    """Reporting order 5: holes of 508 KiB are reported in pieces of at
    least 128 KiB, every size a multiple of that."""
    m = start_with_order(t, 5)
    lost, before, after = holes_round(m, 508, 24)
    assert lost > 3 * MIB, "only %.1f MiB of holes freed" % (lost / MIB)
    offered = delta(before, after, "bytes-offered")
    ranges = delta(before, after, "ranges")
    assert offered % (128 << 10) == 0
    assert (128 << 10) <= offered / ranges < BLOCK, (offered, ranges)
    assert after["bytes-discarded"] == after["bytes-offered"], after
    m.finish()


def test_report_order_0(t):
    """Reporting order 0: holes of 60 KiB are reported too; what the host
    pays is then what the guest uses."""
    m = start_with_order(t, 0)
    lost, before, after = holes_round(m, 60, 160)
    assert lost > 4 * MIB, "only %.1f MiB of holes freed" % (lost / MIB)
    assert delta(before, after, "ranges") >= 160
    assert after["bytes-offered"] % 4096 == 0
    assert after["bytes-discarded"] == after["bytes-offered"], after
    machine.free_memory_check(m, 8)
    m.finish()


def test_allocate_free_reallocate(t):
    """Memory given back can be used again: the guest allocates, frees, the
    host frees, the guest allocates again; checksums hold throughout."""
    m = boot(t)
    kept = m.guest.fill("kept", 12)
    for turn in range(2):
        m.guest.zeros("big", 256)
        high = m.resident
        assert high >= 256 * MIB, high
        before = m.report()["bytes-discarded"]
        m.guest.remove("big")
        m.wait_resident_below(high - 180 * MIB, "turn %d" % turn)
        m.wait_discarded(before + 180 * MIB)
        assert m.guest.checksum("kept") == kept
        m.log("turn %d done" % turn)
    m.wait_reports_quiet()
    low = m.resident
    sums = {name: m.guest.fill(name, 32) for name in ("a", "b")}
    assert m.resident >= low + 48 * MIB, "new data occupies memory again"
    m.guest.remove("a")
    assert m.guest.checksum("b") == sums["b"]
    assert m.guest.checksum("kept") == kept
    m.finish()


def test_init_on_free(t):
    """With init_on_free=1 everything is resident at boot, the driver
    negotiates PAGE_POISON with value 0, and pages are still discarded."""
    m = boot(t, kernel=["init_on_free=1"], probe=False)
    assert m.resident >= 490 * MIB, "file at %d" % m.resident
    m.guest.insmod()
    kept = m.guest.fill("kept", 8)
    m.wait_resident_below(64 * MIB, "after the probe")
    assert m.has(machine.F_POISON) and m.has(machine.F_REPORT)
    m.wait_discarded(430 * MIB)
    assert m.guest.checksum("kept") == kept
    m.guest.remove("kept")
    # Discarded pages read as zero: init_on_free must still hold for the
    # next user, who gets a page without it being cleared again.
    m.guest.run("dd if=/dev/zero of=/tmp/z bs=1M count=64 2>/dev/null && "
                "cmp -n 67108864 /tmp/z /dev/zero")
    m.finish()


def test_poison_offer_loses_protocol_bit(t):
    """Offering PAGE_POISON to a guest without poisoning makes the driver
    send SET_FEATURES twice and lose bit 30, after which no ring is ever
    enabled by a message: the rings must start enabled."""
    m = boot(t, daemon=["--page-poison=on"])
    assert not m.has(machine.F_PROTOCOL), hex(m.acked())
    assert not m.has(machine.F_POISON), hex(m.acked())
    m.guest.zeros("big", 200)
    high = m.resident
    m.guest.remove("big")
    m.wait_resident_below(high - 150 * MIB, "reports arrive all the same")
    m.wait_discarded(150 * MIB)
    assert m.queue("report")["popped"] > 0
    m.finish()


def test_poison_not_offered_keeps_protocol_bit(t):
    """Without PAGE_POISON bit 30 stays acknowledged and the rings are
    enabled by messages."""
    m = boot(t, daemon=["--page-poison=off"])
    assert m.has(machine.F_PROTOCOL), hex(m.acked())
    m.guest.zeros("big", 200)
    high = m.resident
    m.guest.remove("big")
    m.wait_resident_below(high - 150 * MIB, "reports arrive")
    m.wait_discarded(150 * MIB)
    assert m.queue("report")["enabled"]
    m.finish()


def test_report_without_hint(t):
    """Without HINT the driver numbers its queues densely: reporting is
    queue 3, and what arrives there is discarded as reports."""
    m = boot(t, daemon=machine.WITHOUT_HINT)
    queue = m.queue("report")
    assert queue and queue["index"] == 3, queue
    assert m.queue("hint") is None
    m.guest.zeros("big", 200)
    high = m.resident
    m.guest.remove("big")
    m.wait_resident_below(high - 150 * MIB, "reports on queue 3")
    m.wait_discarded(150 * MIB)
    assert m.hint()["buffers"] == 0
    m.finish()


def test_report_queue_4_with_hint(t):
    """With all features reporting is queue 4 and hinting queue 3."""
    m = boot(t)
    assert m.queue("hint")["index"] == 3
    assert m.queue("report")["index"] == 4
    m.guest.zeros("big", 128)
    high = m.resident
    m.guest.remove("big")
    m.wait_resident_below(high - 90 * MIB, "reports on queue 4")
    m.wait_discarded(90 * MIB)
    wait.until(lambda: m.queue("report")["pushed"] > 0, "chains return")
    assert m.queue("hint")["popped"] == 0
    m.finish()


def test_report_returned_late(t):
    """A discard that takes long: one chain is in flight, the guest goes on
    without its pages, and every chain is returned only when the memory
    was really freed."""
    m = boot(t)
    m.wait_reports_quiet()
    m.guest.zeros("big", 300)
    high, before = m.resident, m.report()
    m.daemon.command("set-discard-delay", ms=1500)
    m.guest.remove("big")
    wait.until(lambda: m.queue("report")["in-flight"] == 1,
               "a chain is in flight", 60, 0.05)
    m.guest.run("true")
    held = []

    def watch():
        stats = m.daemon.stats()
        flight = [q["in-flight"] for q in stats["queues"]
                  if q["role"] == "report"][0]
        held.append(flight)
        done = (stats["report"]["bytes-discarded"]
                - before["bytes-discarded"])
        returned = stats["report"]["returned"] - before["returned"]
        # Whatever is back was freed: never more returned than discarded.
        assert returned * 32 * BLOCK <= done + 32 * BLOCK * flight + \
            31 * BLOCK * returned, stats["report"]
        return high - m.resident >= 200 * MIB
    wait.until(watch, "memory falls late", 90, 0.1)
    assert max(held) == 1, "Linux has one report in flight at a time"
    m.daemon.command("set-discard-delay", ms=0)
    wait.until(lambda: m.queue("report")["in-flight"] == 0, "all returned")
    m.wait_reports_quiet()
    m.finish()


def test_without_indirect(t):
    """Without INDIRECT a report is a chain of up to 32 descriptors in the
    ring itself."""
    m = boot(t, daemon=["--indirect=off"])
    assert not m.has(machine.F_INDIRECT)
    m.guest.zeros("big", 256)
    high = m.resident
    m.guest.remove("big")
    m.wait_resident_below(high - 180 * MIB, "direct chains")
    m.wait_discarded(180 * MIB)
    report = m.report()
    assert report["ranges"] > report["chains"], report
    m.finish()


def test_event_idx_on(t):
    """With EVENT_IDX negotiated reports and hints flow as without it."""
    _event_idx(t, True)


def test_event_idx_off(t):
    """Without EVENT_IDX reports and hints flow as with it."""
    _event_idx(t, False)


def _event_idx(t, on):
    m = boot(t, daemon=["--event-idx=" + ("on" if on else "off")])
    assert m.has(machine.F_EVENT_IDX) == on
    m.guest.zeros("big", 200)
    high = m.resident
    m.guest.remove("big")
    m.wait_resident_below(high - 150 * MIB, "reports")
    m.wait_reports_quiet()
    low = m.resident
    m.daemon.command("hint-start")
    hint = m.wait_hint_state("stopped")
    assert hint["buffers"] >= 60, hint
    assert m.resident >= low - 2 * MIB, "a hint frees nothing"
    m.daemon.command("hint-done")
    m.finish()
