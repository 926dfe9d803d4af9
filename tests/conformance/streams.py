# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Driver role: what ends a stream, sizes, and what comes after a reset.

Each test says in its first line what it is about, with the ids of the
requirements that it can see broken.
"""

from drivers import FEW, FREE, MANY, Guest, hinting
from world import DONE, HINT, POISON, REPORT, STOP, V1, need

GIB = 1 << 30
LARGE = [(4 * n * GIB, 3 * GIB) for n in range(1, 6)]


def begun(testee, use_start, ring=8):
    """A guest whose driver is in the middle of a stream."""
    g = hinting(testee, ring=ring)
    g.frees(*MANY)
    g.shows(2)
    g.work()
    if use_start and g.flight:
        g.use(min(g.flight))
    return g


def test_zero_before_start_is_used(testee):
    """A 0 in mid-stream is no STOP while START is in flight: FPH-V14"""
    g = begun(testee, False)
    g.known()
    g.shows(STOP)
    g.use_all()
    g.expect_no_stream()
    g.expect_hinted(*MANY)


def test_zero_of_a_device_that_hides_the_id(testee):
    """Nor from a device that did not show the id after START: FPH-V14"""
    g = begun(testee, True)
    g.known()
    g.shows(STOP)
    g.use_all()
    g.expect_no_stream()
    g.expect_hinted(*MANY)


def test_zero_after_the_id_was_seen(testee):
    """A 0 after the id was shown again is STOP: FPH-V3A FPH-V13 FPH-V14"""
    g = begun(testee, True)
    g.known()
    g.shows(2)
    g.work()
    g.shows(STOP)
    g.use_all()
    g.expect_no_stream()
    need(len(g.hinted) < len(MANY), "it goes on after STOP")


def test_zero_is_trusted_for_one_id(testee):
    """What was seen under one id says nothing of the next: FPH-V14"""
    g = hinting(testee, ring=8)
    g.known()
    g.frees(*MANY)
    g.shows(2)
    g.use_all()
    g.shows(STOP)
    g.shows(DONE)
    g.use_all()
    g.hinted.clear()
    g.shows(3)
    g.work()
    g.shows(STOP)
    g.use_all()
    g.expect_no_stream()
    g.expect_hinted(*MANY)


def test_stop_has_room(testee):
    """A full queue has room for STOP: FPH-V7"""
    for ring in (4, 8):
        g = begun(testee, False, ring)
        g.shows(3)
        g.work()
        need(g.stops or not g.sent, "no STOP before a buffer was used")
        g.shows(DONE)
        g.use_all()
        g.expect_no_stream()


def test_start_waits(testee):
    """START waits for room, and has the id that is shown then: FPH-V5A"""
    g = begun(testee, False, ring=4)
    g.shows(3)
    g.work()
    g.shows(4)
    g.work()
    g.use_all()
    g.expect_no_stream()
    need(not g.acts("hints") or 4 in g.sent, "the last id was not begun")


def test_hinted_once(testee):
    """Each free range at most once under an id: FPH-F3"""
    g = hinting(testee, ring=16)
    g.frees(*FREE)
    for value in (2, 3):
        g.hinted.clear()
        g.shows(value)
        g.use_all()
        need(len(g.hinted) == len(set(g.hinted)), "hinted twice")
        need(not g.acts("hints") or value in g.sent, "%d: no START", value)


def test_pauses(testee):
    """The device uses one buffer at a time: FPH-F1 FPH-V15 FPH-V6"""
    g = hinting(testee, ring=4)
    g.known()
    g.frees(*FREE)
    g.shows(2)
    g.work()
    while g.flight:
        g.use(min(g.flight))
        g.work()
    g.expect_hinted(*FREE)
    g.expect_no_stream()


def test_free_in_mid_stream(testee):
    """What becomes free later may be hinted, if it is free: FPH-V1"""
    g = hinting(testee, ring=8)
    g.frees(*FREE[:20])
    g.shows(2)
    g.work()
    g.frees(*FREE[20:])
    for piece in FREE[10:30]:
        g.takes(*piece)
    g.use_all()
    g.expect_no_stream()


def test_large_ranges(testee):
    """No buffer of more than 2^32 bytes: FPH-R18"""
    for features in (HINT | V1, REPORT | V1):
        g = Guest(testee, features=features)
        g.known()
        g.frees(*LARGE)
        g.shows(2)
        g.use_all()
        if features & HINT:
            g.expect_hinted(*LARGE)
        else:
            g.expect_reported(*LARGE)
        g.shows(DONE)
        for piece in list(g.free):
            need(g.takes(*piece), "%#x+%#x is not back", *piece)


def test_window(testee):
    """Several reports in flight: FPH-F5"""
    g = Guest(testee, features=REPORT | V1)
    g.frees(*FREE)
    g.work()
    need(not g.acts("reports") or len(g.flight) > 1, "one at a time")
    g.use_all()


def test_reports_again_after_reset(testee):
    """A reset makes pages in flight such as were not reported: FPH-R15"""
    g = Guest(testee, features=REPORT | V1)
    g.frees(*FEW)
    g.work()
    g.expect_reported(*FEW)
    g.device_reset()
    g.reported.clear()
    g.work()
    g.expect_reported(*FEW)
    g.use_all()
    for piece in list(g.free):
        need(g.takes(*piece), "%#x+%#x is not back", *piece)


def test_hints_again_after_reset(testee):
    """Hints in flight are forgotten by a reset: FPH-V16 FPH-L2"""
    g = begun(testee, False)
    g.device_reset()
    g.hinted.clear()
    g.shows(5)
    g.use_all()
    g.expect_hinted(*MANY)
    g.expect_no_stream()


def test_stop_of_an_old_device(testee):
    """No buffer after a reset belongs to a stream from before: FPH-V16"""
    g = begun(testee, False)
    g.device_reset()
    g.work()
    need(not g.flight, "a buffer without an id")


def test_content_is_kept_without_reports(testee):
    """A guest that relies on free pages hints none: FPH-V2A"""
    g = Guest(testee, features=HINT | V1, content="kept")
    if not g.answer.ok:
        return
    g.frees(*FEW)
    g.shows(2)
    g.use_all()
    need(not g.hinted, "hinted")


def test_content_is_kept_without_hints(testee):
    """Nor does it report any without PAGE_POISON: FPH-P1"""
    g = Guest(testee, features=REPORT | V1, content="kept")
    if not g.answer.ok:
        return
    g.frees(*FEW)
    g.use_all()
    need(not g.reported, "reported")


def test_content_is_kept_with_poison(testee):
    """PAGE_POISON allows reports, not hints: FPH-V2A"""
    g = Guest(testee, features=HINT | REPORT | POISON | V1, content="kept")
    if not g.answer.ok:
        return
    g.frees(*FEW)
    g.shows(2)
    g.use_all()
    need(not g.hinted, "hinted")


def test_one_feature(testee):
    """One of the two features alone: FPH-FEAT-2"""
    for features in (HINT | V1, REPORT | V1):
        g = Guest(testee, features=features)
        g.frees(*FEW)
        g.shows(2)
        g.use_all()
        if features & HINT:
            g.expect_hinted(*FEW)
            need(not g.reported, "reported")
        else:
            g.expect_reported(*FEW)
            need(not g.hinted, "hinted")


def test_returned_in_any_order(testee):
    """Buffers come back last first: FPH-V15 FPH-R1 FPH-V6"""
    g = Guest(testee, ring=16)
    g.frees(*FREE)
    g.shows(2)
    g.work()
    for _ in range(1000):
        if not g.flight:
            break
        g.use(max(g.flight))
        g.work()
    need(not g.flight, "it never ends")
    g.expect_hinted(*FREE)
    g.expect_no_stream()
    g.shows(DONE)
    for piece in list(g.free):
        need(g.takes(*piece), "%#x+%#x is not back", *piece)


TESTS = [call for name, call in sorted(globals().items())
         if name.startswith("test_")]
