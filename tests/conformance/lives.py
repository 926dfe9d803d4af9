# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Device role: another device goes on, one queue is reset, queues in order.

Each test says in its first line what it is about, with the ids of the
requirements that it can see broken.
"""

from world import (ALL, DONE, HINT, IN_ORDER, PAGE, STOP, World, need)

P, Q, R, S = 0x100000, 0x200000, 0x300000, 0x400000
OUTSIDE = 0x40000000
HOW = ("restore", "takeover")
STEPS = range(6)


def busy_world(testee, steps, **more):
    """Buffers of each kind, so many steps on the way."""
    w = World(testee, **more)
    command = w.active()
    w.hint((P, PAGE), (R, PAGE))
    w.report((Q, PAGE))
    w.inflate(S // PAGE)
    w.hint((P + 0x10000, PAGE))
    w.report((Q + 0x10000, PAGE))
    for _ in range(steps):
        w.work(1)
    return w, command


def new_round(w):
    """An id of the new device, and hints under it."""
    command = w.begin()
    w.hint((P, PAGE))               # of the old stream, or of none
    w.command(command)
    w.hint((Q, PAGE))
    w.drain()
    w.shows(command)


def test_restore_shows_done(testee):
    """DONE comes with an interrupt: FPH-L4A FPH-L5"""
    for how in HOW:
        w = World(testee)
        w.go_on(how)                # no id was published
        w.shows(DONE)
        w = World(testee)
        w.active()
        w.go_on(how)
        w.shows(DONE)
        w.drain()
        w.shows(DONE)


def test_restore_without_hints(testee):
    """No DONE for a driver that has no hints: FPH-L5 FPH-CFG-11"""
    w = World(testee, features=ALL & ~HINT, offered=ALL)
    w.go_on("restore")
    w.shows(STOP)


def test_restore_ends_the_round(testee):
    """The old stream counts no more, whatever was in flight: FPH-L4 FPH-L6"""
    for steps in STEPS:
        w, command = busy_world(testee, steps)
        w.go_on("restore")
        w.drain()
        w.hint((P + 0x20000, PAGE))
        w.command(command)
        w.hint((P + 0x30000, PAGE))
        w.drain()
        w.shows(DONE)
        new_round(w)


def test_restore_needs_a_sync(testee):
    """No dirty log comes along: FPH-L4 FPH-D1"""
    for how in HOW:
        w = World(testee)
        w.begin()
        w.go_on(how)
        w.start_refused()
        new_round(w)


def test_ids_go_on_after_a_restore(testee):
    """No id is published again: FPH-L3 FPH-D5"""
    for how in HOW:
        w = World(testee)
        for _ in range(3):
            w.begin()
            w.go_on(how)
            if how == "takeover":
                new_round(w)
                w.done()


def test_takeover_returns_all(testee):
    """What a predecessor took comes back, once: FPH-L10 FPH-L10A FPH-L4"""
    for steps in STEPS:
        w, _ = busy_world(testee, steps)
        w.go_on("takeover")
        w.drain()
        new_round(w)


def test_takeover_after_a_return(testee):
    """What a predecessor returned is not touched: FPH-L10A"""
    w = World(testee)
    w.report((P, PAGE))
    w.drain()
    w.report((Q, PAGE))
    w.go_on("takeover")
    w.drain()
    w.go_on("takeover")
    w.report((R, PAGE))
    w.drain()


def test_hinting_queue_reset(testee):
    """It ends the round by a barrier, and the next one begins: FPH-Q-12"""
    for steps in STEPS:
        w, command = busy_world(testee, steps)
        w.queue_reset("hint")
        w.shows(STOP)
        w.drain()
        w.hint((P, PAGE))
        w.command(command)
        w.hint((P, PAGE))
        w.drain()
        w.shows(STOP)
        new_round(w)


def test_hinting_queue_reset_without_a_round(testee):
    """The id is withdrawn, DONE stays: FPH-Q-12"""
    w = World(testee)
    w.begin()
    w.queue_reset("hint")
    w.shows(STOP)
    w.done()
    w.queue_reset("hint")
    w.shows(DONE)
    new_round(w)


def test_other_queues_reset(testee):
    """They wait for their discards, and the round goes on: FPH-Q-12"""
    for queue in ("report", "inflate"):
        for steps in STEPS:
            w, command = busy_world(testee, steps)
            w.queue_reset(queue)
            w.shows(command)
            w.hint((Q, PAGE))
            w.report((R, PAGE))
            w.drain()
            w.shows(command)


def test_in_order(testee):
    """Buffers of a queue come back as they were offered: FPH-Q-11"""
    for steps in STEPS:
        w, _ = busy_world(testee, steps, features=ALL | IN_ORDER)
        w.report((OUTSIDE, PAGE))
        w.report((R, PAGE))
        w.offer("inflate", ("R", bytes(3)))
        w.command(STOP)
        w.hint((OUTSIDE, PAGE))
        for _ in range(steps):
            w.work(1)
        w.report((OUTSIDE, PAGE))
        w.drain()
        need(not w.broken, "it broke")


TESTS = [call for name, call in sorted(globals().items())
         if name.startswith("test_")]
