# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Device role: reports, the balloon and config space.

Each test says in its first line what it is about, with the ids of the
requirements that it can see broken.
"""

from world import (ALL, BORDER, END, LAST_GPA, PAGE, POISON, REPORT, STATS,
                   STOP, V1, World, need, needs_regions)

P, Q, R = 0x100000, 0x200000, 0x300000
HUGE = 0x200000
OUTSIDE = 0x40000000


def test_report(testee):
    """A report is discarded, then returned: FPH-R2 FPH-R8 FPH-Q-9"""
    w = World(testee)
    w.report((P, PAGE))
    w.drain()
    w.expect_discarded((P, PAGE))
    w.report((Q, PAGE), (R, 4 * PAGE))
    w.drain()
    w.expect_discarded((Q, PAGE), (R, 4 * PAGE))


def test_reports_step_by_step(testee):
    """No buffer comes back before its discards: FPH-R2 FPH-R11"""
    for steps in range(6):
        w = World(testee)
        w.report((P, PAGE), (R, PAGE))
        for _ in range(steps):
            w.work(1)
        w.report((P + PAGE, PAGE))
        w.report((Q, PAGE))
        for _ in range(steps):
            w.work(1)
        w.drain()
        w.expect_discarded((P, 2 * PAGE), (Q, PAGE), (R, PAGE))


def test_mixed_sizes(testee):
    """Any number, length and order: FPH-R10"""
    w = World(testee)
    w.report((R, PAGE), (P, 16 * PAGE), (Q, 3 * PAGE), (Q - PAGE, PAGE))
    w.report(*((R + 2 * n * PAGE, PAGE) for n in range(1, 33)))
    w.drain()
    w.expect_discarded((R, PAGE), (P, 16 * PAGE), (Q - PAGE, 4 * PAGE), *(
        (R + 2 * n * PAGE, PAGE) for n in range(1, 33)))


def test_rounds_inwards(testee):
    """Neighbours of a report stay: FPH-R6"""
    w = World(testee)
    w.report((P + 1, 2 * PAGE))
    w.report((Q, PAGE + 1))
    w.report((R, 17))
    w.drain()
    w.expect_discarded((P + PAGE, PAGE), (Q, PAGE))


def test_poison(testee):
    """Nothing is discarded with a poison value: FPH-R4 FPH-R8 FPH-R9"""
    for value in (1, 0x80000000, 0xaaaaaaaa):
        w = World(testee)
        w.write_config(12, value.to_bytes(4, "little"))
        w.report((P, PAGE))
        w.drain()
        need(not w.discarded, "discarded")


def test_poison_zero(testee):
    """A poison value of 0 allows discards: FPH-R4 FPH-P5"""
    w = World(testee)
    w.write_config(12, bytes(4))
    w.report((P, PAGE))
    w.drain()
    w.expect_discarded((P, PAGE))


def test_poison_after_reset(testee):
    """A reset takes the poison value back: FPH-P5"""
    w = World(testee)
    w.write_config(12, b"\xaa" * 4)
    w.device_reset()
    need(w.config(12, 4) == bytes(4), "poison_val is still there")
    w.report((P, PAGE))
    w.drain()
    w.expect_discarded((P, PAGE))


def test_poison_not_negotiated(testee):
    """A write of poison_val without PAGE_POISON: FPH-CFG-6 FPH-P5"""
    w = World(testee, features=ALL & ~POISON)
    w.write_config(12, b"\xaa" * 4)
    need(w.config(12, 4) == bytes(4), "poison_val was taken")
    w.report((P, PAGE))
    w.drain()
    w.expect_discarded((P, PAGE))


def test_reset_waits(testee):
    """No discard after a reset: FPH-R5"""
    for steps in range(5):
        w = World(testee)
        w.report((P, PAGE), (R, PAGE))
        w.report((Q, PAGE))
        for _ in range(steps):
            w.work(1)
        w.device_reset()
        w.drain()


def test_reset_waits_for_the_balloon(testee):
    """The same of inflate buffers, in a device without reports: FPH-R5"""
    for steps in range(5):
        w = World(testee, features=V1, offered=STATS | V1)
        w.inflate(P // PAGE, R // PAGE)
        w.inflate(Q // PAGE)
        for _ in range(steps):
            w.work(1)
        w.device_reset()
        w.drain()


def test_outside_memory(testee):
    """A report outside guest memory is refused whole: FPH-R7 FPH-X3"""
    w = World(testee)
    for bad in ((OUTSIDE, PAGE), (END - PAGE, 2 * PAGE),
                ((1 << 64) - PAGE, PAGE)):
        w.report((P, PAGE), bad)
        w.report(bad, (P, PAGE))
    w.drain()
    need(not w.discarded, "discarded a part")
    w.report((Q, PAGE))
    w.drain()
    w.expect_discarded((Q, PAGE))


def test_readable(testee):
    """A readable descriptor refuses a report: FPH-R7"""
    w = World(testee)
    w.offer("report", ("R", bytes(16)), ("W", P, PAGE))
    w.offer("report", ("r", Q, PAGE))
    w.drain()
    need(not w.discarded, "discarded")
    w.report((R, PAGE))
    w.drain()
    w.expect_discarded((R, PAGE))


def test_not_negotiated(testee):
    """No discards without PAGE_REPORTING: FPH-FEAT-3A"""
    w = World(testee, features=ALL & ~REPORT)
    w.expect_untaken(w.report((P, PAGE)))


def test_reports_and_hints(testee):
    """A report is no hint and a hint no report: FPH-FEAT-3A FPH-D7"""
    w = World(testee)
    w.active()
    w.hint((P, PAGE))
    w.report((Q, PAGE))
    w.drain()
    w.expect_skipped((P, PAGE))
    w.expect_discarded((Q, PAGE))


def test_repeated(testee):
    """Reports of the same pages, one after another: FPH-R8 FPH-R10"""
    w = World(testee)
    for _ in range(3):
        w.report((P, 2 * PAGE))
        w.drain()
        w.expect_discarded((P, 2 * PAGE))


def test_broken_by_empty(testee):
    """A descriptor of no bytes: FPH-Q-6 FPH-Q-6E FPH-Q-7A"""
    w = World(testee)
    w.report((P, PAGE), (Q, 0))
    w.work()
    w.device_reset()
    w.report((Q, PAGE))
    w.drain()
    w.expect_discarded((Q, PAGE))


def test_inflate(testee):
    """Page frames, 4 bytes each, until they are back: FPH-PFN-1 FPH-PFN-13"""
    w = World(testee)
    w.inflate(0x100, 0x101, 0x7ff)
    w.drain()
    w.expect_discarded((P, 2 * PAGE), (0x7ff000, PAGE))


def test_inflate_refused(testee):
    """A bad frame, half an entry, or a writable one: FPH-PFN-2 FPH-PFN-14"""
    w = World(testee)
    w.offer("inflate", ("W", P, 4))
    w.offer("inflate", ("R", bytes.fromhex("00010000")), ("W", P, 4))
    for data in ("000100000010", "0001000000100000", "00010000ffffffff"):
        w.offer("inflate", ("R", bytes.fromhex(data)))
    w.drain()
    need(not w.discarded, "discarded a part")


def test_backing_of_large_pages(testee):
    """What is not a whole page of the backing stays: FPH-PFN-15 FPH-R6"""
    w = World(testee, granule=HUGE)
    w.inflate(0x100, 0x101)
    w.inflate(*range(0x201, 0x300))
    w.report((P, PAGE), (R, PAGE))
    w.drain()
    need(not w.discarded, "discarded a part of a large page")


def test_inflated_pages_are_not_remembered(testee):
    """A page is not changed after its buffer was returned: FPH-PFN-13"""
    w = World(testee, granule=HUGE)
    for first in (0x200, 0x300):
        w.inflate(*range(first, first + 0x100))
        w.drain()
    need(not w.discarded, "discarded what was returned")


def test_large_page_over_a_border(testee):
    """A page of the backing that is not in one region stays: FPH-R6A"""
    needs_regions(testee)
    w = World(testee, granule=HUGE)
    low = BORDER // HUGE * HUGE
    w.report((low - HUGE, 3 * HUGE))
    w.report((low, HUGE // 2), (low + HUGE // 2, HUGE // 2))
    w.drain()
    w.expect_discarded((low - HUGE, HUGE), (low + HUGE, HUGE))


def test_deflate(testee):
    """Nothing is discarded because of a deflate buffer: FPH-PFN-12
    FPH-PFN-14"""
    w = World(testee)
    w.inflate(0x100, 0x101)
    w.drain()
    w.expect_discarded((P, 2 * PAGE))
    w.offer("deflate", ("R", (0x100).to_bytes(4, "little")))
    w.offer("deflate", ("R", (0x200).to_bytes(4, "little")))
    w.drain()
    need(not w.discarded, "discarded")
    w.inflate(0x100)
    w.drain()
    w.expect_discarded((P, PAGE))


def test_inflate_in_pieces(testee):
    """Entries spread over descriptors: FPH-Q-10 FPH-PFN-1"""
    w = World(testee)
    w.inflate_parts([0x100, 0x300], 1, 4)
    w.drain()
    w.expect_discarded((P, PAGE), (R, PAGE))


def test_regions(testee):
    """A report over a border of two regions is split there: FPH-R6"""
    needs_regions(testee)
    w = World(testee)
    w.report((BORDER - 2 * PAGE, 4 * PAGE))
    w.report((LAST_GPA, PAGE))
    w.drain()
    w.expect_discarded((BORDER - 2 * PAGE, 4 * PAGE), (LAST_GPA, PAGE))
    w.report((BORDER - PAGE, PAGE), (BORDER, PAGE))
    w.drain()
    w.expect_discarded((BORDER - PAGE, 2 * PAGE))
    w.report((BORDER - 1, PAGE + 1), (BORDER - PAGE + 1, PAGE))
    w.drain()
    w.expect_discarded((BORDER, PAGE))


def test_config_layout(testee):
    """Fields at fixed offsets, absent ones read as 0: FPH-CFG-2 FPH-CFG-11"""
    features = POISON | REPORT | V1
    w = World(testee, features=features, offered=features)
    w.write_config(12, bytes.fromhex("78563412"))
    need(w.config(12, 4) == bytes.fromhex("78563412"), "poison_val")
    need(w.config(8, 4) == bytes(4), "cmd_id without FREE_PAGE_HINT")


def test_config_order(testee):
    """Config space is little-endian: FPH-CFG-1"""
    w = World(testee)
    w.write_config(4, bytes.fromhex("01020304"))
    need(w.config(4, 4) == bytes.fromhex("01020304"), "actual")
    command = w.begin()
    need(w.config(8, 4) == command.to_bytes(4, "little"), "cmd_id")


def test_config_read_only(testee):
    """What the device owns stays: FPH-CFG-5"""
    w = World(testee)
    command = w.begin()
    before = w.config()
    w.write_config(0, b"\x77" * 4)
    w.write_config(8, b"\x77" * 4)
    need(w.config() == before, "num_pages or cmd_id changed")
    w.command(0x77777777)
    w.hint((P, PAGE))
    w.drain()
    w.shows(command)


def test_statistics(testee):
    """Unknown tags do no harm: FPH-STAT-2 FPH-STAT-1"""
    w = World(testee)
    w.offer("stats", ("R", bytes.fromhex(
        "0500" "0000100000000000" "efbe" "ffffffffffffffff")))
    w.work()
    need(not w.broken, "broken by statistics")
    w.shows(STOP)


def test_statistics_in_any_order(testee):
    """Tags in any order, or not at all: FPH-STAT-9 FPH-STAT-2"""
    for tags in ((9, 5, 0), (0, 5, 9), (5,), ()):
        w = World(testee)
        data = b"".join(tag.to_bytes(2, "little") + (tag + 1).to_bytes(
            8, "little") for tag in tags)
        if data:
            w.offer("stats", ("R", data))
        w.work()
        need(not w.broken, "broken by statistics")
        w.report((P, PAGE))
        w.drain_but("stats")
        w.expect_discarded((P, PAGE))


def test_statistics_are_kept(testee):
    """The buffer stays until other values are wanted: FPH-STAT-7"""
    w = World(testee)
    name = w.offer("stats", ("R", bytes(10)))
    w.work()
    need(name in w.flight, "the buffer is back, and nobody asked")


TESTS = [call for name, call in sorted(globals().items())
         if name.startswith("test_")]
