# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What happens to memory: reports, hints, poison, balloon."""

import struct

from common import daemon as daemons
from common import wait

from . import driver as drivers
from . import fixture
from .driver import F_ALL, F_POISON, MIB
from .memory import Memory, Region

PAGE = 4096


def report_counters(daemon):
    return daemon.stats()["report"]


def test_report_only_its_ranges(t):
    """32 scattered ranges in one chain: each is freed, each neighbour is
    intact, direct and indirect."""
    daemon, d = fixture.start(t)
    for turn, indirect in enumerate((False, True)):
        d.memory.fill(4 * MIB, 32 * MIB)
        was = d.memory.resident
        ranges = [(4 * MIB + n * MIB, MIB // 2) for n in range(32)]
        d.report(ranges, indirect)
        assert d.memory.resident == was - 16 * MIB
        for gpa, length in ranges:
            assert d.memory.intact(gpa + length, MIB // 2), hex(gpa)
            assert d.memory.zero(gpa, length)
        assert report_counters(daemon)["runs"] == 32 * (turn + 1)


def test_adjacent_ranges_are_one_run(t):
    """32 adjacent ranges in one chain are discarded as one run, with one
    system call."""
    daemon, d = fixture.start(t)
    d.memory.fill(4 * MIB, 32 * MIB)
    was, before = d.memory.resident, daemon.stats()
    d.report([(4 * MIB + n * MIB, MIB) for n in reversed(range(32))])
    after = daemon.stats()
    assert d.memory.resident == was - 32 * MIB
    assert after["report"]["runs"] - before["report"]["runs"] == 1
    assert after["report"]["ranges"] - before["report"]["ranges"] == 32
    assert after["reclaim"]["syscalls"] - before["reclaim"]["syscalls"] == 1
    assert after["report"]["bytes-discarded"] == 32 * MIB


def test_edges_are_trimmed_inwards(t):
    """Ranges that do not begin and end at a page lose their edges: the
    bytes around them stay."""
    daemon, d = fixture.start(t)
    d.memory.fill(4 * MIB, MIB)
    was = d.memory.resident
    d.report([(4 * MIB + 100, 3 * PAGE)])
    assert d.memory.resident == was - 2 * PAGE
    assert d.memory.intact(4 * MIB, PAGE)
    assert d.memory.intact(4 * MIB + 3 * PAGE, PAGE)
    assert report_counters(daemon)["bytes-trimmed"] == PAGE


def test_poison_nonzero_discards_nothing(t):
    """With a poison value other than 0 a report is returned and nothing
    is discarded; with 0 the same report is."""
    daemon, d = fixture.start(t, features=F_ALL | F_POISON)
    d.set_config(drivers.CFG_POISON, 0xaaaaaaaa)
    d.memory.fill(4 * MIB, 4 * MIB)
    was = d.memory.resident
    d.report([(4 * MIB, 4 * MIB)])
    assert d.memory.resident == was
    assert d.memory.intact(4 * MIB, 4 * MIB)
    report = report_counters(daemon)
    assert report["bytes-discarded"] == 0, report
    assert report["poisoned"] == 1, report
    assert report["returned"] == 1, report
    d.set_config(drivers.CFG_POISON, 0)
    d.report([(4 * MIB, 4 * MIB)])
    assert d.memory.resident == was - 4 * MIB
    assert report_counters(daemon)["bytes-discarded"] == 4 * MIB


def test_poison_not_negotiated_is_ignored(t):
    """A poison value written without PAGE_POISON has no effect."""
    _, d = fixture.start(t)
    d.frontend.set_config(drivers.CFG_POISON, struct.pack("<I", 0xaa),
                          ack=False)
    fixture.gives_back(d)


def test_partly_bad_chain_is_refused_whole(t):
    """One range outside memory: no range of its chain is discarded, the
    chain is returned, and the next one is served."""
    daemon, d = fixture.start(t)
    d.memory.fill(4 * MIB, 8 * MIB)
    was = d.memory.resident
    d.offer("report", [(4 * MIB, MIB, True), (1 << 40, MIB, True),
                       (8 * MIB, MIB, True)])
    d.wait_used("report")
    assert d.memory.resident == was
    assert d.memory.intact(4 * MIB, 8 * MIB)
    report = report_counters(daemon)
    assert fixture.refused(daemon) == 1, report
    assert report["bytes-discarded"] == 0, report
    fixture.gives_back(d)


def test_range_across_regions(t):
    """A range over two regions that touch is discarded in both files."""
    daemon = daemons.start(t)
    d = fixture.connect(t, daemon, memory=Memory(
        Region(0, 16 * MIB), Region(16 * MIB, 16 * MIB, offset=4 * MIB)))
    d.start()
    first, second = d.memory.regions
    d.memory.fill(12 * MIB, 4 * MIB)
    d.memory.fill(16 * MIB, 4 * MIB)
    was = first.resident, second.resident
    d.report([(14 * MIB, 4 * MIB)])
    assert first.resident == was[0] - 2 * MIB
    assert second.resident == was[1] - 2 * MIB
    assert d.memory.intact(12 * MIB, 2 * MIB)
    assert d.memory.intact(18 * MIB, 2 * MIB)


def test_hints_change_nothing(t):
    """Hints never change memory: all content is there after a round, and
    the round's ranges are told as events."""
    daemon, d = fixture.start(t)
    daemon.command("subscribe", events=["hint", "skip"])
    d.memory.fill(4 * MIB, 32 * MIB)
    was = d.memory.resident
    answer = daemon.command("hint-start")
    command = d.wait_command(0)
    d.hint_word(command)
    d.hint([(4 * MIB + n * MIB, MIB) for n in range(32)])
    d.hint_word(drivers.ID_STOP)
    wait.until(lambda: daemon.hint()["state"] == "stopped", "stopped")
    skips = [(e["gpa"], e["len"]) for name, e
             in daemon.control.drain_events() if name == "SKIP"]
    assert sorted(skips) == [(4 * MIB + n * MIB, MIB) for n in range(32)]
    hint = daemon.hint()
    assert hint["buffers"] == 32 and hint["bytes"] == 32 * MIB, hint
    assert answer is not None
    daemon.command("hint-done")
    assert d.wait_command(command) == drivers.ID_DONE
    assert d.memory.resident == was
    assert d.memory.intact(4 * MIB, 32 * MIB)


def test_round_ends_after_n_buffers(t):
    """A round that is to end after 5 buffers ends after exactly 5, also
    when the driver offers 20 at once; the others count for nothing."""
    for then, state in (("stop", "idle"), ("done", "done"),
                        ("restart", "requested")):
        daemon = daemons.start(t, name=then)
        d = fixture.connect(t, daemon).start()
        daemon.command("subscribe", events=["skip"])
        daemon.command("hint-start", max_buffers=5, then=then)
        command = d.wait_command(0)
        d.hint_word(command)
        ranges = [(4 * MIB + 2 * n * MIB, MIB) for n in range(20)]
        for gpa, length in ranges:
            d.ring("hint").add([(gpa, length, True)])
        d.kick("hint")
        d.wait_used("hint")
        hint = daemon.hint()
        assert hint["state"] == state, hint
        assert hint["buffers"] == 5 and hint["bytes"] == 5 * MIB, hint
        skips = [(e["gpa"], e["len"]) for name, e
                 in daemon.control.drain_events() if name == "SKIP"]
        assert sorted(skips) == ranges[:5], skips
        if then == "restart":
            assert d.config(drivers.CFG_CMD_ID) > command
        d.close()
        daemon.stop()


def test_stale_hints_are_ignored(t):
    """Hints without a START, with a stale id, or after STOP are returned
    and count as ignored; a later round is not disturbed."""
    daemon, d = fixture.start(t)
    d.hint([(4 * MIB, MIB)])
    daemon.command("hint-start")
    command = d.wait_command(0)
    d.hint_word(command + 5)
    d.hint([(5 * MIB, MIB)])
    d.hint_word(drivers.ID_STOP)
    d.hint([(6 * MIB, MIB)])
    hint = daemon.hint()
    assert hint["bytes"] == 0 and hint["ignored"] >= 3, hint
    d.hint_word(command)
    d.hint([(7 * MIB, MIB)])
    d.hint_word(drivers.ID_STOP)
    hint = wait.until(lambda: daemon.hint()["state"] == "stopped"
                      and daemon.hint(), "stopped")
    assert hint["bytes"] == MIB, hint


def test_inflate(t):
    """Inflated pages are freed, page by page; deflate frees nothing."""
    daemon, d = fixture.start(t)
    d.memory.fill(4 * MIB, 4 * MIB)
    was = d.memory.resident
    first = 4 * MIB // PAGE
    d.pages("inflate", range(first, first + 512, 2))
    assert d.memory.resident == was - 256 * PAGE
    for frame in range(first + 1, first + 512, 2):
        assert d.memory.intact(frame * PAGE, PAGE)
    d.pages("deflate", range(first, first + 512, 2))
    assert d.memory.resident == was - 256 * PAGE
    stats = daemon.stats()
    assert stats["inflate"]["pages"] == 256, stats["inflate"]
    assert stats["deflate"]["pages"] == 256, stats["deflate"]


def test_statistics(t):
    """Statistics: the buffer is kept, returned on request, and the next
    one is the answer."""
    daemon, d = fixture.start(t)

    def give(free):
        data = struct.pack("<HQ", 4, free) + struct.pack("<HQ", 5, 1 << 30)
        d.memory.write(d.BUFFERS, data)
        d.offer("stats", [(d.BUFFERS, len(data), False)])
    give(1000)
    wait.until(lambda: fixture.queue(daemon, "stats")["popped"] == 1,
               "the first buffer is taken")
    assert d.ring("stats").used_index == 0, "it is kept"
    control = daemons.Control(daemon.control_path)
    t.defer(control.close)
    control.socket.sendall(b'{"execute":"query-guest-stats","id":1}\n')
    wait.until(lambda: d.ring("stats").take_used(), "it comes back")
    give(2000)
    name = wait.until(lambda: control.receive(0.1), "the answer")
    assert name["return"]["free-memory"] == 2000, name
    assert name["return"]["total-memory"] == 1 << 30, name
