# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Device role: rounds of hinting.

Each test says in its first line what it is about, with the ids of the
requirements that it can see broken.
"""

from world import ALL, DONE, END, HINT, MIN, PAGE, STOP, World, need

P, Q, R = 0x100000, 0x200000, 0x300000
HUGE = 0x200000
OUTSIDE = 0x40000000


def test_round(testee):
    """A whole round: FPH-D10 FPH-D13 FPH-CFG-7 FPH-D6 FPH-BUF-6"""
    w = World(testee)
    w.sync()
    w.shows(STOP)
    command = w.start()
    w.shows(command)
    w.command(command)
    w.drain()
    w.shows(command)
    w.hint((P, PAGE))
    w.hint((Q, PAGE), (R, 4 * PAGE))
    w.drain()
    w.expect_skipped((P, PAGE), (Q, PAGE), (R, 4 * PAGE))
    w.hint(*((R + 2 * n * PAGE, PAGE) for n in range(64)))
    w.drain()
    w.expect_skipped(*((R + 2 * n * PAGE, PAGE) for n in range(64)))
    w.command(STOP)
    w.drain()
    w.shows(STOP)
    w.done()
    w.shows(DONE)


def test_id_is_shown(testee):
    """Config space shows the id through the whole round: FPH-D11"""
    w = World(testee)
    w.may_hide = False
    command = w.begin()
    w.shows(command)
    w.command(command)
    w.drain()
    w.shows(command)
    w.hint((P, PAGE))
    w.drain()
    w.shows(command)


def test_start_needs_sync(testee):
    """No id before a sync, or during one: FPH-D1"""
    w = World(testee)
    w.start_refused()
    w.shows(STOP)
    w.until_ok("sync-begin")
    w.start_refused()
    need(w.ask("sync-end").ok, "sync-end")
    w.start()


def test_sync_ends_round(testee):
    """A stale hint after a sync loses no page: FPH-D2 FPH-S1"""
    for steps in range(4):
        w = World(testee)
        w.migrate([P, Q])
        w.active()
        w.drain()
        w.hint((P, PAGE))
        for _ in range(steps):
            w.work(1)
        w.write(P)
        w.sync()
        w.hint((P, PAGE))
        w.drain()
        w.send()
        w.switch()


def test_sync_shows_stop(testee):
    """Config space after a sync: FPH-D2 FPH-CFG-7"""
    w = World(testee)
    w.shows(w.active())
    w.drain()
    w.sync()
    w.shows(STOP)


def test_stop_is_barrier(testee):
    """Nothing taken before a stop takes effect after it: FPH-D3"""
    for how in ("stop", "done ok", "sync-begin", "device-reset"):
        for steps in range(5):
            w = World(testee)
            w.active()
            w.drain()
            w.hint((P, PAGE), (R, PAGE))
            w.hint((Q, PAGE))
            for _ in range(steps):
                w.work(1)
            w.end_round(*how.split())
            if how == "device-reset":
                w.forget()
            w.drain()


def test_wrong_id(testee):
    """Another id than the published one begins nothing: FPH-D4A"""
    w = World(testee)
    old = w.active()
    w.drain()
    command = w.begin()
    for wrong in (old, command + 1, command ^ 0x01000000, 0xffffffff, DONE,
                  STOP):
        w.command(wrong)
        w.hint((P, PAGE))
        w.drain()
        w.shows(command)
    w.command(command)
    w.hint((Q, PAGE))
    w.drain()
    w.expect_skipped((Q, PAGE))


def test_wrong_id_under_migration(testee):
    """The stream of an old round in a new one: FPH-D4A FPH-S1"""
    w = World(testee)
    w.migrate([P, Q])
    old = w.begin()
    w.write(P)
    w.begin()
    w.command(old)
    w.hint((P, PAGE))
    w.drain()
    w.send()
    w.switch()


def test_hint_without_start(testee):
    """Hints before START and after STOP: FPH-D4B"""
    w = World(testee)
    w.hint((P, PAGE))
    w.drain()
    command = w.begin()
    w.hint((P, PAGE))
    w.drain()
    w.shows(command)
    w.command(command)
    w.command(STOP)
    w.hint((P, PAGE))
    w.drain()
    w.stop()
    w.hint((P, PAGE))
    w.drain()


def test_start_after_stop(testee):
    """START of an id that was withdrawn: FPH-D4C"""
    for how in ("stop", "done ok", "sync-begin"):
        w = World(testee)
        w.migrate([P])
        command = w.begin()
        w.end_round(*how.split())
        if how == "sync-begin":
            need(w.ask("sync-end").ok, "sync-end")
        w.command(command)
        w.hint((P, PAGE))
        w.drain()
        w.shows(DONE if how == "done ok" else STOP)


def test_start_after_own_stop(testee):
    """START again after the driver's STOP: FPH-D4C"""
    w = World(testee)
    command = w.active()
    w.command(STOP)
    w.command(command)
    w.hint((P, PAGE))
    w.drain()
    w.shows(STOP)


def test_hint_before_own_stop(testee):
    """A hint counts when its STOP was taken before it is done: FPH-D4E"""
    for steps in range(3):
        w = World(testee)
        w.active()
        w.hint((P, PAGE))
        for _ in range(steps):
            w.work(1)
        w.command(STOP)
        w.drain()
        w.expect_skipped((P, PAGE))


def test_start_twice(testee):
    """The same id again ends the stream: FPH-D4D"""
    w = World(testee)
    command = w.active()
    w.command(command)
    w.hint((P, PAGE))
    w.drain()
    w.shows(STOP)


def test_any_command_ends(testee):
    """Another id, and DONE, end the stream: FPH-D4D"""
    for other in (DONE, MIN, 0x12345678, 0xffffffff):
        w = World(testee)
        command = w.active()
        w.command(other if other != command else other + 1)
        w.hint((P, PAGE))
        w.drain()
        w.shows(STOP)


def test_ids_are_new(testee):
    """No id twice while its stream is alive: FPH-D5"""
    w = World(testee)
    for n in range(24):
        command = w.begin()
        if n % 3:
            w.command(command)
        if n % 3 == 2:
            w.command(STOP)
        w.drain()


def test_ids_after_the_stop_of_another(testee):
    """A STOP frees only the id of its own stream: FPH-D5"""
    w = World(testee)
    w.migrate([P])
    w.begin()
    for _ in range(4):
        w.command(w.begin())
        w.command(STOP)
        w.drain()


def test_ids_after_a_refused_command(testee):
    """A START or STOP that is refused frees no id: FPH-D5 FPH-BUF-8"""
    bad = ("W", OUTSIDE, PAGE)
    for refuse_start in (False, True):
        w = World(testee)
        for _ in range(4):
            start = ("R", w.begin().to_bytes(4, "little"))
            stop = ("R", STOP.to_bytes(4, "little"))
            w.offer("hint", start, *[bad][:refuse_start])
            w.offer("hint", stop, *[bad][refuse_start:])
            w.drain()
            w.stop()


def test_dirty_log_is_left_alone(testee):
    """A write after a hint is sent again: FPH-D6"""
    w = World(testee)
    w.migrate([P, Q])
    w.active()
    w.free.add(P)
    w.hint((P, PAGE))
    w.write(P)
    w.drain()
    w.send()
    w.switch()


def test_content_is_left_alone(testee):
    """A hint is never a discard: FPH-D7 FPH-D7A FPH-BUF-5"""
    w = World(testee)
    w.active()
    w.hint((P, PAGE), (Q, 4 * PAGE))
    w.command(STOP)
    w.drain()
    w.done()
    w.hint((P, PAGE))
    w.drain()
    need(not w.discarded, "discarded a hint")


def test_rounds_inwards(testee):
    """Only whole pages inside a hint: FPH-D8 FPH-BUF-10"""
    w = World(testee)
    w.active()
    w.hint((P + 1, 2 * PAGE))
    w.hint((Q, PAGE - 1))
    w.hint((R, 2 * PAGE - 1))
    w.drain()
    w.expect_skipped((P + PAGE, PAGE), (R, PAGE))


def test_granule(testee):
    """Only whole granules of 2 MiB: FPH-D8 FPH-BUF-10"""
    w = World(testee, granule=HUGE)
    w.active()
    w.hint((HUGE, HUGE), (2 * HUGE + PAGE, HUGE))
    w.hint((3 * HUGE + PAGE, PAGE))
    w.drain()
    w.expect_skipped((HUGE, HUGE))


def test_merge_first(testee):
    """Parts of one buffer complete each other's granule: FPH-BUF-10
    FPH-BUF-12"""
    w = World(testee, granule=HUGE)
    w.active()
    w.hint((HUGE + HUGE // 2, HUGE // 2), (HUGE, HUGE // 2))
    w.drain()
    w.expect_skipped((HUGE, HUGE))


def test_done(testee):
    """DONE from every state: FPH-D9 FPH-L8 FPH-CFG-7"""
    for why in ("ok", "failed", "cancelled"):
        for state in range(5):
            w = World(testee)
            if state > 0:
                w.sync()
            command = w.start() if state > 1 else 0
            if state > 2:
                w.command(command)
                w.hint((P, PAGE))
            if state > 3:
                w.command(STOP)
            w.done(why)
            w.drain()
            w.shows(DONE)
        w.shows(w.begin())


def test_buffers_come_back(testee):
    """In every state, whatever they hold: FPH-D10 FPH-V9"""
    w = World(testee)

    def some(command):
        w.hint((P, PAGE))
        w.command(command)
        w.hint((P, PAGE), (Q, PAGE))
        w.command(STOP)
        w.hint((P, 3))
        w.drain()

    some(2)
    command = w.begin()
    some(command + 1)
    some(command)
    some(command)
    w.stop()
    some(command)
    w.done()
    some(command)
    w.device_reset()
    some(command)


def test_hint_of_4_bytes(testee):
    """A hint of 4 bytes is no command: FPH-BUF-3"""
    w = World(testee)
    command = w.begin()
    w.hint((P, 4))
    w.drain()
    w.shows(command)
    w.command(command)
    w.hint((P, 4))
    w.hint((Q, PAGE))
    w.drain()
    w.shows(command)
    w.expect_skipped((Q, PAGE))


def test_command_of_other_length(testee):
    """A command that is not 4 bytes: FPH-BUF-4 FPH-BUF-4B FPH-Q-7"""
    for data in ("02", "0000", "020000", "0200000000", "0000000000000000"):
        w = World(testee)
        w.active()
        w.drain()
        name = w.offer("hint", ("R", bytes.fromhex(data)), ("W", P, PAGE))
        w.work()
        need(name not in w.flight, "the buffer did not come back")
        if w.offer("hint", ("W", Q, PAGE)) is not None:
            w.work()
        w.start_refused()
        w.device_reset()
        w.shows(STOP)
        w.active()
        w.hint((Q, PAGE))
        w.drain()
        w.expect_skipped((Q, PAGE))


def test_command_and_hints(testee):
    """Both in one buffer, the command first: FPH-BUF-7"""
    w = World(testee)
    command = w.begin()
    w.offer("hint", ("R", command.to_bytes(4, "little")), ("W", P, PAGE))
    w.drain()
    w.expect_skipped((P, PAGE))
    w.offer("hint", ("R", bytes(4)), ("W", Q, PAGE))
    w.drain()
    w.expect_skipped()


def test_command_in_pieces(testee):
    """A command spread over descriptors: FPH-Q-10"""
    w = World(testee)
    data = w.begin().to_bytes(4, "little")
    w.offer("hint", *(("R", data[n:n + 1]) for n in range(4)))
    w.hint((P, PAGE))
    w.drain()
    w.expect_skipped((P, PAGE))


def test_outside_memory(testee):
    """A hint outside guest memory refuses its buffer: FPH-BUF-8 FPH-X3"""
    w = World(testee)
    command = w.active()
    for bad in ((OUTSIDE, PAGE), (END - PAGE, 2 * PAGE),
                ((1 << 64) - PAGE, PAGE)):
        w.hint((P, PAGE), bad)
        w.hint(bad, (P, PAGE))
    w.offer("hint", ("r", OUTSIDE, 4), ("W", P, PAGE))
    w.drain()
    w.shows(command)
    w.hint((Q, PAGE))
    w.drain()
    w.expect_skipped((Q, PAGE))


def test_twice(testee):
    """Overlapping and repeated hints: FPH-BUF-9"""
    w = World(testee)
    w.active()
    w.hint((P, 2 * PAGE), (P, 2 * PAGE), (P + PAGE, 2 * PAGE))
    w.hint((P, PAGE))
    w.drain()
    w.expect_skipped((P, 3 * PAGE))


def test_reset_ends_round(testee):
    """A device reset withdraws the id: FPH-L1 FPH-D3"""
    w = World(testee)
    command = w.active()
    w.drain()
    w.device_reset()
    w.shows(STOP)
    w.command(command)
    w.hint((P, PAGE))
    w.drain()
    w.begin()
    w.command(command)
    w.hint((P, PAGE))
    w.drain()


def test_before_driver_ok(testee):
    """Nothing is taken before DRIVER_OK: FPH-FEAT-3"""
    w = World(testee)
    command = w.active()
    w.drain()
    w.end_round("device-reset")
    w.forget()
    w.features = 0
    names = [w.offer("hint", segs) for segs in (
        ("R", command.to_bytes(4, "little")), ("W", P, PAGE))]
    names.append(w.report((P, PAGE)))
    w.expect_untaken(*names)


def test_not_negotiated(testee):
    """No hints without FREE_PAGE_HINT: FPH-FEAT-3A"""
    w = World(testee, features=ALL & ~HINT)
    w.sync()
    answer = w.ask("start")
    w.expect_untaken(w.command(MIN), w.hint((P, PAGE)))
    need(not answer.ok, "an id was published")


def broken_ring(testee, *segs):
    w = World(testee)
    w.active()
    w.drain()
    name = w.offer("hint", *segs)
    w.work()
    need(name is None or name in w.flight, "the bad buffer was returned")
    if w.hint((Q, PAGE)) is not None:
        w.work()
    w.start_refused()
    w.device_reset()
    w.active()
    w.hint((Q, PAGE))
    w.drain()
    w.expect_skipped((Q, PAGE))


def test_error_of_another_ring(testee):
    """An error of the reporting queue ends the round: FPH-Q-8A FPH-Q-7"""
    w = World(testee)
    w.active()
    w.drain()
    w.report((P, PAGE), (Q, 0))
    w.hints.end()
    w.work()
    w.hint((R, PAGE))
    w.report((R, PAGE))
    w.work()
    need(not w.skipped and not w.discarded, "it goes on after an error")
    w.start_refused()
    w.done()
    w.shows(DONE)


def test_empty_descriptor(testee):
    """A descriptor of no bytes: FPH-Q-6 FPH-Q-6E FPH-Q-5 FPH-Q-8B"""
    broken_ring(testee, ("W", P, PAGE), ("W", Q, 0))


def test_wrapping_descriptor(testee):
    """A range beyond 2^64: FPH-Q-6 FPH-Q-6F FPH-Q-8B FPH-X3"""
    broken_ring(testee, ("W", P, PAGE), ("W", (1 << 64) - PAGE, 2 * PAGE))


def test_readable_after_writable(testee):
    """A readable descriptor after a writable one: FPH-Q-6 FPH-Q-6D FPH-Q-5"""
    broken_ring(testee, ("W", P, PAGE), ("R", bytes(4)))


TESTS = [call for name, call in sorted(globals().items())
         if name.startswith("test_")]
