# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Rings that are packed, and rings that return buffers in order."""

import itertools
import struct

from common import daemon as daemons
from common import wait

from . import fixture, vhost_user
from .driver import (CFG_ACTUAL, CFG_POISON, Driver, F_ALL, F_EVENT_IDX,
                     F_IN_ORDER, F_INDIRECT, F_PACKED, F_POISON, ID_DONE,
                     ID_STOP, MIB, PROTOCOL)
from .moving import MOVES, go_on, load, resume, save, stop
from .ring import AVAIL, USED, WRAP
from .vhost_user import refused

PAGE = 4096
F_ALL_PACKED = F_ALL | F_PACKED
GET_INFLIGHT_FD, SET_INFLIGHT_FD, PF_INFLIGHT = 31, 32, 12


def start(t, features=F_ALL_PACKED, num=64, mib=64, protocol=PROTOCOL,
          name="daemon"):
    """A daemon that offers packed rings, and a driver on it."""
    daemon = daemons.start(t, "--packed=on", "--verbose", name=name)
    d = Driver(t, daemon.socket_path, mib, num)
    return daemon, d.start(features, protocol)


def ask_statistics(daemon, d, free):
    """The buffer that the device keeps comes back when it is asked; the next
    one is the answer."""
    control = daemons.Control(daemon.control_path)
    control.socket.sendall(b'{"execute":"query-guest-stats","id":1}\n')
    wait.until(lambda: d.ring("stats").take_used(), "it comes back")
    give_statistics(d, free)
    answer = wait.until(lambda: control.receive(0.1), "the answer")
    assert answer["return"]["free-memory"] == free, answer
    control.close()


def give_statistics(d, free):
    d.memory.pack("<HQ", d.BUFFERS + 2048, 4, free)
    d.offer("stats", [(d.BUFFERS + 2048, 10, False)])


def use_all_queues(daemon, d):
    """Each queue does its work, hints in a whole round."""
    before = daemon.stats()
    first = 4 * MIB // PAGE
    d.memory.fill(4 * MIB, 4 * MIB)
    was = d.memory.resident
    d.pages("inflate", range(first, first + 64))
    d.pages("deflate", range(first, first + 64))
    assert d.memory.resident == was - 64 * PAGE
    give_statistics(d, 1000)
    fixture.has_statistics(daemon)
    ask_statistics(daemon, d, 2000)
    old = d.config(8)
    daemon.command("hint-start")
    d.hint_word(d.wait_command(old))
    d.hint([(20 * MIB + n * MIB, MIB) for n in range(4)])
    d.hint_word(ID_STOP)
    wait.until(lambda: daemon.hint()["state"] == "stopped", "stopped")
    daemon.command("hint-done")
    assert d.wait_command(0) == ID_DONE
    fixture.gives_back(d, 12 * MIB)
    after = daemon.stats()
    assert after["hint"]["bytes"] - before["hint"]["bytes"] == 4 * MIB
    for role in ("inflate", "deflate"):
        assert after[role]["pages"] - before[role]["pages"] == 64
    assert not fixture.refused(daemon)


def test_every_layout(t):
    """All queues work in rings of each layout, in order or not, with and
    without an event index and indirect descriptors."""
    bits = (F_PACKED, F_IN_ORDER, F_EVENT_IDX, F_INDIRECT)
    for on in itertools.product((0, 1), repeat=len(bits)):
        features = F_ALL & ~F_INDIRECT | sum(
            bit for bit, yes in zip(bits, on) if yes)
        t.log("features 0x%x" % features)
        daemon, d = start(t, features, name="f%x" % features)
        for _ in range(2):
            use_all_queues(daemon, d)
            for ring in d.rings.values():
                ring.take_used()
            # The statistics buffer is the device's until it is asked.
            d.frontend.get_vring_base(d.roles["stats"])
            d.start_ring(d.roles["stats"])
        d.close()
        daemon.stop()


def test_packed_sizes(t):
    """Packed rings of any size, used for some laps."""
    for num in (1, 2, 3, 48, 63, 1000):
        daemon, d = start(t, num=num, mib=32, name="n%d" % num)
        for turn in range(4 * num + 3 if num < 100 else 20):
            n = 1 + turn % min(num, 5)
            was = daemon.stats()["report"]["ranges"]
            d.report([(8 * MIB + k * 2 * PAGE, PAGE) for k in range(n)],
                     indirect=False)
            assert daemon.stats()["report"]["ranges"] == was + n
        fixture.gives_back(d)
        d.close()
        daemon.stop()


def test_packed_size_without_packed(t):
    """A size that is no power of 2 is refused in a split ring."""
    _, d = fixture.start(t)
    d.frontend.get_vring_base(4)
    assert refused(d.frontend.set_vring_num, 4, 48)


# Bases -------------------------------------------------------------------

def test_packed_base(t):
    """GET_VRING_BASE tells both places with their wrap counters, and a ring
    goes on there: at every place of two laps."""
    num = 5
    _, d = start(t, num=num)
    index = d.roles["report"]
    ring = d.ring("report")
    seen = set()
    d.memory.fill(16 * MIB, 32 * PAGE)
    for turn in range(4 * num):
        gpa = 16 * MIB + turn * PAGE
        was = d.memory.resident
        ranges = [(gpa + k * PAGE // 2, PAGE // 2) for k in range(2)]
        d.report(ranges[:1] if turn % 3 else ranges, indirect=False)
        assert turn % 3 or d.memory.resident == was - PAGE
        assert d.frontend.get_vring_base(index) == (index, ring.base)
        seen.add(ring.base)
        d.start_ring(index, base=ring.base)
    assert len(seen) == 2 * num, seen
    fixture.gives_back(d)


def test_packed_base_0_of_new_ring(t):
    """User-mode Linux says that the base of a new ring is 0, and other
    front-ends may say nothing: it begins anew, also with buffers in it. A
    ring that has come to place 0 in an odd lap goes on there."""
    num = 4
    _, d = start(t, num=num)
    index = d.roles["report"]
    ring = d.ring("report")
    for there in range(num + 1):
        d.frontend.get_vring_base(index)
        ring.reset()
        for k in range(there):
            ring.add([(16 * MIB + k * PAGE, PAGE, True)])
        d.start_ring(index, base=0)
        d.wait_used("report")
        fixture.gives_back(d)
    # A lap is over, with one list of all or with four; the next buffer waits
    # in the ring or not.
    for parts, waits in itertools.product((1, num), (False, True)):
        d.frontend.get_vring_base(index)
        ring.reset()
        d.start_ring(index, base=ring.NEW_BASE)
        ranges = [(16 * MIB + k * PAGE, PAGE) for k in range(num)]
        for at in range(0, num, num // parts):
            d.report(ranges[at:at + num // parts], indirect=False)
        assert d.frontend.get_vring_base(index) == (index, 0)
        d.memory.fill(24 * MIB, PAGE)
        was = d.memory.resident
        if waits:
            ring.add([(24 * MIB, PAGE, True)])
        d.start_ring(index, base=0)
        if not waits:
            d.offer("report", [(24 * MIB, PAGE, True)])
        d.wait_used("report")
        assert d.memory.resident == was - PAGE


def test_packed_bad_base(t):
    """A place behind the end of the ring, or more than a ring between the two
    places: the ring does not start, and the daemon says so."""
    daemon, d = start(t)
    index = d.roles["report"]
    for base in (64, 64 << 16, 0x80008040, 1 << 16, 0x8000 | 1):
        d.frontend.get_vring_base(index)
        assert refused(d.start_ring, index, base), hex(base)
    d.start_ring(index)
    fixture.gives_back(d)
    assert daemon.alive()


def test_packed_stop_with_statistics(t):
    """A statistics buffer that the device keeps is taken again after a stop:
    the base is that of the buffer."""
    daemon, d = start(t)
    give_statistics(d, 1000)
    fixture.has_statistics(daemon)
    index = d.roles["stats"]
    base = d.ring("stats").NEW_BASE
    for _ in range(2):
        assert d.frontend.get_vring_base(index) == (index, base)
        d.start_ring(index, base)
        fixture.has_statistics(daemon)
    ask_statistics(daemon, d, 2000)


# Drivers come and go -----------------------------------------------------

def stop_and_set_status_0(d):
    """What QEMU does for a pause and for a reset."""
    bases = stop(d)
    d.frontend.set_status(0)
    d.frontend.set_features(d.features)
    d.frontend.set_mem_table(d.memory.regions)
    return bases


def test_packed_pause_and_reset(t):
    """After a pause the rings go on where they were and the device keeps its
    state; where a ring begins anew it is another driver's."""
    _, d = start(t, F_ALL_PACKED | F_POISON,
                 protocol=PROTOCOL | 1 << vhost_user.PF_STATUS)
    d.set_config(CFG_POISON, 0xaa)
    d.set_config(CFG_ACTUAL, 77)
    d.report([(8 * MIB, MIB)])
    bases = stop_and_set_status_0(d)
    for index, base in bases.items():
        d.start_ring(index, base)
    assert d.config(CFG_ACTUAL) == 77 and d.config(CFG_POISON) == 0xaa
    was = d.memory.resident
    d.report([(8 * MIB, MIB)])
    assert d.memory.resident == was, "poisoned"
    stop_and_set_status_0(d)
    for index in bases:
        d.start_ring(index)
    assert d.config(CFG_ACTUAL) == 0 and d.config(CFG_POISON) == 0
    fixture.gives_back(d)


def test_layout_changes(t):
    """A driver with packed rings, then one with split rings, then packed
    again, on one connection."""
    daemon, d = start(t)
    for features in (F_ALL, F_ALL_PACKED, F_ALL_PACKED | F_IN_ORDER, F_ALL):
        use_all_queues(daemon, d)
        stop(d)
        d.rings.clear()
        d.negotiate(features)
        for index in sorted(d.roles.values()):
            d.start_ring(index)
    use_all_queues(daemon, d)


def test_packed_memory_changes(t):
    """Packed rings go on over a new memory table."""
    _, d = start(t, num=6)
    for turn in range(8):
        fixture.gives_back(d, (4 + turn) * MIB, MIB)
        d.frontend.set_mem_table(d.memory.regions)


def test_packed_device_moves(t):
    """DEVICE_STATE with packed rings in order."""
    daemon, d = start(t, F_ALL_PACKED | F_IN_ORDER, protocol=MOVES)
    d.set_config(CFG_ACTUAL, 77)
    give_statistics(d, 1000)
    for turn in range(3):
        fixture.gives_back(d, (4 + 4 * turn) * MIB)
    bases = stop(d)
    state = save(d)
    other, e = go_on(t, d, "--packed=on")
    d.close()
    load(e, state)
    resume(e, bases)
    assert e.config(CFG_ACTUAL) == 77
    fixture.gives_back(e, 16 * MIB)
    fixture.has_statistics(other)
    ask_statistics(other, e, 2000)
    other.stop()
    daemon.stop()


def test_state_of_another_layout(t):
    """A daemon that does not offer packed rings refuses the state of one that
    does."""
    daemon, d = start(t, protocol=MOVES)
    stop(d)
    state = save(d)
    other, e = go_on(t, d)
    d.close()
    assert refused(load, e, state)
    other.stop()
    daemon.stop()


def test_packed_killed_in_order(t):
    """The daemon is killed under a discard. In order, everything from where
    the driver is on was not returned: a new daemon takes it again."""
    daemon, d = start(t, F_ALL_PACKED | F_IN_ORDER, num=7)
    for turn in range(5):
        d.report([(8 * MIB + turn * MIB, MIB)], indirect=bool(turn % 2))
    d.memory.fill(16 * MIB, 4 * MIB)
    was = d.memory.resident
    daemon.command("set-discard-delay", ms=60000)
    for k in range(4):
        d.offer("report", [(16 * MIB + k * MIB, MIB, True)])
    wait.until(lambda: fixture.queue(daemon, "report")["in-flight"] == 4,
               "in flight")
    daemon.kill()
    ring = d.ring("report")
    assert not ring.take_used()
    _, e = go_on(t, d, "--packed=on")
    d.close()
    resume(e, {index: other.next_used | other.next_used << 16
               for index, other in e.rings.items()})
    e.wait_used("report")
    assert e.memory.resident == was - 4 * MIB
    fixture.gives_back(e)


# Inflight regions --------------------------------------------------------

def get_inflight(d, num=64):
    """(bytes, number of descriptors) of the answer."""
    reply = d.frontend.ask(GET_INFLIGHT_FD,
                           struct.pack("=QQHH4x", 0, 0, 5, num))
    return struct.unpack_from("=Q", reply.payload)[0], reply.fds


def test_packed_has_no_inflight_region(t):
    """What is in flight cannot be kept for packed rings: none is given out,
    none is taken, and the log tells what to do. A split ring has one, in order
    too, and a later driver with packed rings has none."""
    protocol = PROTOCOL | 1 << PF_INFLIGHT
    daemon, d = start(t, protocol=protocol)
    assert get_inflight(d) == (0, [])
    wait.until(lambda: "--packed=off" in daemon.log_text(), "advice")
    stop(d)
    d.rings.clear()
    d.negotiate(F_ALL | F_IN_ORDER)
    size, fds = get_inflight(d)
    payload = struct.pack("=QQHH4x", size, 0, 5, 64)
    d.frontend.tell(SET_INFLIGHT_FD, payload, fds)
    for index in sorted(d.roles.values()):
        d.start_ring(index)
    use_all_queues(daemon, d)
    stop(d)
    d.rings.clear()
    d.negotiate(F_ALL_PACKED)
    assert refused(d.frontend.tell, SET_INFLIGHT_FD, payload, fds)
    for index in sorted(d.roles.values()):
        d.start_ring(index)
    use_all_queues(daemon, d)


# Order and notifications -------------------------------------------------

def test_in_order(t):
    """A report that is refused at once waits for a slow one before it, in
    order; else it does not."""
    for packed, in_order in itertools.product((0, F_PACKED),
                                              (0, F_IN_ORDER)):
        daemon, d = start(t, F_ALL | packed | in_order,
                          name="o%x" % (packed | in_order))
        daemon.command("set-discard-delay", ms=60000)
        good = d.offer("report", [(8 * MIB, MIB, True)])
        bad = d.offer("report", [(1 << 40, MIB, True)])
        wait.until(lambda: fixture.refused(daemon), "refused")
        ring = d.ring("report")
        if in_order:
            d.config(0)		# behind the answer to what was taken
            assert not ring.take_used()
            order = [good, bad]
        else:
            order = [bad, good]
        found = []

        def back():
            found.extend(name for name, _ in ring.take_used())
            return found
        if not in_order:
            wait.until(lambda: len(back()) == 1, "the bad one is back")
        daemon.command("set-discard-delay", ms=0)
        wait.until(lambda: len(back()) == 2, "both are back")
        assert found == order, (found, order)
        d.close()
        daemon.stop()


def test_packed_no_interrupt(t):
    """A driver that wants no interrupt gets none."""
    _, d = start(t)
    d.frontend.get_features()
    d.called("report")
    fixture.calls_who_wants_it(d)


def test_packed_event_index(t):
    """With EVENT_IDX the driver is called for the place that it asked for,
    and asked to notify for the next one."""
    _, d = start(t, F_ALL_PACKED | F_EVENT_IDX, num=3)
    ring = d.ring("report")
    ring.set_used_event(0)		# where the next lap begins
    calls = []
    for turn in range(5):
        fixture.gives_back(d, (4 + 4 * turn) * MIB)
        d.frontend.get_features()
        calls.append(bool(d.called("report")))
        assert ring.avail_event == (ring.next_avail, 2)
    assert calls[1:] == [False, False, True, False], calls


# What a driver must not do -----------------------------------------------

def test_packed_hostile(t):
    """Lists that break a rule break the device until a reset, and no more."""
    lists = {
        "no end": [(8 * MIB, PAGE, 1), (8 * MIB, PAGE, 1)],
        "empty": [(8 * MIB, 0, 0)],
        "beyond the end": [((1 << 64) - PAGE, 2 * PAGE, 0)],
        "indirect of odd bytes": [(8 * MIB, 17, 4)],
        "indirect without memory": [(1 << 40, 16, 4)],
        "indirect and next": [(8 * MIB, 16, 5), (8 * MIB, 16, 0)],
    }
    for name, entries in lists.items():
        t.log(name)
        daemon, d = start(t, num=4, name=name.replace(" ", "-"),
                          protocol=PROTOCOL | 1 << vhost_user.PF_STATUS
                          | 1 << vhost_user.PF_RESET_DEVICE)
        ring = d.ring("report")
        for slot, (gpa, length, flags) in reversed(list(enumerate(entries))):
            ring.put(ring.desc, slot, gpa, length, slot, flags | AVAIL)
        d.kick("report")
        wait.until(lambda: d.frontend.get_status() & 0x40, "it is broken")
        d.frontend.reset_device()
        d.negotiate(F_ALL_PACKED)
        for index in sorted(d.roles.values()):
            d.start_ring(index)
        fixture.gives_back(d)
        d.close()
        daemon.stop()


def test_packed_all_used_bits(t):
    """A ring full of used bits holds nothing."""
    daemon, d = start(t, num=8)
    ring = d.ring("report")
    for slot in range(8):
        ring.put(ring.desc, slot, 8 * MIB, PAGE, slot, USED | AVAIL)
    d.kick("report")
    d.frontend.get_features()
    assert fixture.queue(daemon, "report")["popped"] == 0
    assert ring.next_avail == WRAP
    ring.reset()
    fixture.gives_back(d)
