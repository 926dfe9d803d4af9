# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Device role: the ends of a round, and errors in the middle of one.

Each test says in its first line what it is about, with the ids of the
requirements that it can see broken.
"""

import sys

from world import (ALL, BORDER, DONE, LAST_GPA, PAGE, STOP, V1, World, need,
                   needs_regions)

P, Q, R = 0x100000, 0x200000, 0x300000
HUGE = 0x200000
GIB = 1 << 30
ENDS = ("stop", "done ok", "sync-begin", "device-reset")


def step(w, steps):
    for _ in range(steps):
        w.work(1)


def in_hand(testee, steps):
    """A world whose device has hints in flight after the driver's STOP."""
    w = World(testee)
    w.active()
    w.drain()
    w.hint((P, PAGE), (R, PAGE))
    w.hint((Q, PAGE))
    step(w, steps)
    w.command(STOP)
    return w


def test_barrier_after_own_stop(testee):
    """An end of the host's after STOP waits for hints too: FPH-D3 FPH-L1"""
    for how in ENDS:
        for steps in range(5):
            w = in_hand(testee, steps)
            w.end_round(*how.split())
            if how == "device-reset":
                w.forget()
            w.drain()


def test_publish_is_barrier(testee):
    """No hint of the old stream counts in the next round: FPH-D3"""
    for steps in range(5):
        for more in range(3):
            w = in_hand(testee, steps)
            step(w, more)
            command = w.hints.published
            if w.try_start().ok:
                need(w.hints.published != command, "the same id")
            w.drain()


def test_publish_with_hints_in_flight(testee):
    """A stale hint of the old stream loses no page: FPH-D3 FPH-S1"""
    for steps in range(5):
        w = World(testee)
        w.migrate([P, Q])
        w.active()
        w.drain()
        w.hint((P, PAGE))
        step(w, steps)
        w.command(STOP)
        w.write(P)
        w.begin()
        w.drain()
        w.send()
        w.switch()


def test_publish_in_second_sync(testee):
    """No id during any sync, the first or a later one: FPH-D1"""
    w = World(testee)
    w.sync()
    for _ in range(3):
        w.until_ok("sync-begin")
        w.start_refused()
        w.shows(STOP)
        need(w.ask("sync-end").ok, "sync-end")
        w.start()
        w.stop()


def test_no_id_in_a_sync_that_ended_a_round(testee):
    """Nor during the sync that ended the round before: FPH-D1 FPH-D2"""
    for own_stop in (False, True):
        w = World(testee)
        w.active()
        w.hint((P, PAGE))
        if own_stop:
            w.command(STOP)
        w.end_round("sync-begin")
        w.start_refused()
        w.shows(STOP)
        need(w.ask("sync-end").ok, "sync-end")
        w.drain()


def test_publish_in_mid_round(testee):
    """Refused, or a barrier, while a round is on: FPH-D1A FPH-D3"""
    for begun in (False, True):
        for steps in range(4):
            w = World(testee)
            command = w.begin()
            if begun:
                w.command(command)
                w.hint((P, PAGE), (R, PAGE))
            step(w, steps)
            if w.try_start().ok:
                w.hint((Q, PAGE))
            w.drain()


def test_done_tells(testee):
    """DONE comes with an interrupt of its own: FPH-CFG-7 FPH-D9"""
    w = World(testee)
    w.begin()
    w.done()
    w.shows(DONE)
    w = World(testee)
    w.shows(w.begin())
    w.done()
    w.shows(DONE)


def test_each_change_tells(testee):
    """Each change of the id is told, whatever caused it: FPH-CFG-7"""
    w = World(testee)
    for _ in range(3):
        w.shows(w.begin())
        w.stop()
        w.shows(STOP)
        w.shows(w.active())
        w.command(STOP)
        w.drain()
        w.shows(STOP)
        w.shows(w.active())
        w.sync()
        w.shows(STOP)
        w.done()
        w.shows(DONE)


def test_stop_in_done(testee):
    """DONE stays through a stop and a sync: FPH-D9"""
    w = World(testee)
    w.active()
    w.drain()
    w.done()
    for _ in range(2):
        w.stop()
        w.shows(DONE)
        w.sync()
        w.shows(DONE)
        w.command(STOP)
        w.drain()
        w.shows(DONE)


def test_done_again(testee):
    """Every migration ends with DONE, not the first only: FPH-D9 FPH-L8"""
    w = World(testee)
    for why in ("ok", "cancelled", "failed", "ok"):
        w.active()
        w.hint((P, PAGE))
        w.drain()
        w.expect_skipped((P, PAGE))
        w.done(why)
        w.shows(DONE)


def test_reset_in_done(testee):
    """A reset from DONE shows 0, and DONE comes again: FPH-L1 FPH-D9"""
    w = World(testee)
    w.active()
    w.drain()
    w.done()
    w.shows(DONE)
    w.device_reset()
    w.shows(STOP)
    w.shows(w.active())
    w.done()
    w.shows(DONE)


def test_reset_in_every_state(testee):
    """Whatever the round was at, it is over: FPH-L1"""
    for state in range(5):
        w = World(testee)
        if state > 0:
            w.sync()
        command = w.start() if state > 1 else 2
        if state > 2:
            w.command(command)
            w.hint((P, PAGE))
        if state > 3:
            w.command(STOP)
            w.drain()
        w.device_reset()
        w.shows(STOP)
        w.command(command)
        w.hint((P, PAGE))
        w.drain()
        w.shows(STOP)
        w.begin()


def test_ids_count_up(testee):
    """Ids go on over a reset and a whole migration: FPH-D5A
    FPH-D5B"""
    w = World(testee)
    last = w.begin()
    for _ in range(3):
        w.device_reset()
        command = w.begin()
        need(command > last, "%d after %d", command, last)
        last = command
        w.done()


def test_order_without_version_1(testee):
    """A legacy guest's ids are in its own order: FPH-BUF-2"""
    w = World(testee, features=ALL & ~V1)
    command = w.begin()
    w.offer("hint", ("R", command.to_bytes(4, sys.byteorder)))
    w.hint((P, PAGE))
    w.drain()
    w.expect_skipped((P, PAGE))
    need(w.config(8, 4) == command.to_bytes(4, "little"), "config space")


def test_ring_error_ends_round(testee):
    """After an error of the hinting queue no id is shown: FPH-Q-8A FPH-Q-7A"""
    for bad in ((("W", Q, 0),), (("W", Q, PAGE), ("R", bytes(4)))):
        for begun in (False, True):
            w = World(testee)
            command = w.begin()
            if begun:
                w.command(command)
                w.drain()
            w.offer("hint", *bad)
            w.work()
            w.shows(STOP)
            w.start_refused()
            w.done()
            w.shows(DONE)
            w.device_reset()
            w.shows(STOP)
            w.shows(w.begin())


def test_other_ring_error_ends_round(testee):
    """After an error of another queue neither: FPH-Q-8A FPH-Q-7A"""
    for queue in ("report", "inflate", "deflate", "stats"):
        w = World(testee)
        w.active()
        w.drain()
        w.hints.end()
        w.offer(queue, ("W", Q, PAGE), ("R", bytes(4)))
        w.work()
        w.shows(STOP)
        if w.hint((P, PAGE)) is not None:
            w.work()
        w.start_refused()


def test_taken_before_an_error(testee):
    """What was taken before an error is forgotten by a reset: FPH-Q-8"""
    w = World(testee)
    w.report((P, PAGE))
    w.report((Q, PAGE), (R, 0))
    w.work()
    w.device_reset()
    w.report((R, PAGE))
    w.drain()


def test_command_error_shows_stop(testee):
    """After a command of 2 bytes no id is shown: FPH-BUF-4A FPH-BUF-4B
    FPH-BUF-4C"""
    for begun in (False, True):
        w = World(testee)
        command = w.begin()
        if begun:
            w.command(command)
            w.drain()
        w.offer("hint", ("R", bytes(2)))
        w.work()
        w.shows(STOP)
        w.start_refused()
        w.done()
        w.shows(DONE)


def test_refused_buffer_ends_nothing(testee):
    """A command outside guest memory is none: FPH-BUF-8"""
    w = World(testee)
    command = w.begin()
    w.offer("hint", ("r", 0x40000000, 4))
    w.drain()
    w.shows(command)
    w.command(command)
    w.offer("hint", ("r", 0x40000000, 4))
    w.offer("hint", ("R", bytes(4)), ("W", 0x40000000, PAGE))
    w.drain()
    w.shows(command)
    w.hint((P, PAGE))
    w.drain()
    w.expect_skipped((P, PAGE))


def test_regions(testee):
    """A hint over a border of two regions is split there: FPH-D8 FPH-D8A"""
    needs_regions(testee)
    w = World(testee)
    w.active()
    w.hint((BORDER - 2 * PAGE, 4 * PAGE))
    w.hint((LAST_GPA, PAGE))
    w.drain()
    w.expect_skipped((BORDER - 2 * PAGE, 4 * PAGE), (LAST_GPA, PAGE))
    w.hint((BORDER - PAGE, PAGE), (BORDER, PAGE))
    w.drain()
    w.expect_skipped((BORDER - PAGE, 2 * PAGE))


def test_granule_over_a_border(testee):
    """A granule that is not whole in one region stays: FPH-D8A FPH-BUF-10"""
    needs_regions(testee)
    w = World(testee, granule=HUGE)
    low, high = BORDER // HUGE * HUGE, BORDER // HUGE * HUGE + HUGE
    w.active()
    w.hint((low - HUGE, 3 * HUGE))
    w.hint((low, HUGE // 2), (low + HUGE // 2, HUGE // 2))
    w.drain()
    w.expect_skipped((low - HUGE, HUGE), (high, HUGE))


def test_whole_memory(testee):
    """Every page of every region: FPH-BUF-9 FPH-D8"""
    w = World(testee)
    w.active()
    w.hint(*w.memory)
    w.drain()
    w.expect_skipped(*w.memory)


def large(testee, *ranges):
    """A world of 9 GiB whose device was given one buffer of hints."""
    w = World(testee, memory=((0, 3 * GIB), (4 * GIB, 6 * GIB)))
    w.active()
    w.drain()
    w.hint(*ranges)
    w.work()
    return w


def test_2_to_the_32(testee):
    """A buffer of exactly 2^32 bytes is none too large: FPH-Q-6G"""
    for ranges in (((4 * GIB, 2 * GIB), (6 * GIB, 2 * GIB)),
                   ((GIB, GIB), (4 * GIB, 3 * GIB)),
                   ((4 * GIB, 4 * GIB - PAGE), (GIB, PAGE))):
        w = large(testee, *ranges)
        w.drain()
        w.expect_skipped(*ranges)


def test_more_than_2_to_the_32(testee):
    """One of more is an error of the ring: FPH-Q-6 FPH-Q-6G FPH-Q-5"""
    for ranges in (((4 * GIB, 2 * GIB), (6 * GIB, 2 * GIB), (P, PAGE)),
                   ((4 * GIB, 3 * GIB), (GIB, GIB + PAGE)),
                   ((4 * GIB, 4 * GIB - PAGE), (GIB, PAGE + 1)),
                   ((4 * GIB, 3 * GIB), (0, 3 * GIB), (8 * GIB, 2 * GIB))):
        w = large(testee, *ranges)
        need(w.flight, "the buffer was returned")
        w.shows(STOP)


TESTS = [call for name, call in sorted(globals().items())
         if name.startswith("test_")]
