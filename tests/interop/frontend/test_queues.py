# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Queue indices, ring sizes, notifications."""

import itertools
import os

from common import daemon as daemons
from common import wait

from . import driver as drivers
from . import fixture
from .driver import (F_ALL, F_EVENT_IDX, F_HINT, F_INDIRECT, F_PROTOCOL,
                     F_REPORT, F_STATS, F_VERSION_1, MIB)

BASE = F_INDIRECT | F_PROTOCOL | F_VERSION_1


def check_roles(t, daemon, features, roles, held=()):
    """Each queue of a driver has the role that the driver means, and works
    as that.  held: more indices that are set up and not used."""
    d = fixture.connect(t, daemon, mib=16)
    d.handshake()
    d.negotiate(features, roles)
    for index in sorted({*roles.values(), *held}):
        d.start_ring(index)
    for entry in daemon.stats()["queues"]:
        assert entry["index"] in held or \
            roles.get(entry["role"]) == entry["index"], (roles, entry)
    before = daemon.stats()
    d.pages("inflate", [1024, 1025])
    if "stats" in roles:
        d.memory.write(d.BUFFERS, bytes(10))
        d.offer("stats", [(d.BUFFERS, 10, False)])
        wait.until(lambda: fixture.queue(daemon, "stats")["popped"], "taken")
    if "hint" in roles:
        d.hint([(8 * MIB, MIB)])
    if "report" in roles:
        fixture.gives_back(d)
    after = daemon.stats()
    assert after["inflate"]["pages"] - before["inflate"]["pages"] == 2
    assert after["hint"]["ignored"] - before["hint"]["ignored"] == \
        ("hint" in roles)
    assert after["report"]["ranges"] - before["report"]["ranges"] == \
        ("report" in roles)
    d.close()


def test_queue_numbers(t):
    """For every set of negotiated queues the daemon finds out which index
    is which, for drivers that count without gaps as Linux does and for
    those that follow the specification."""
    daemon = daemons.start(t)
    for bits in itertools.product((0, 1), repeat=3):
        features = BASE | sum(bit * flag for bit, flag in zip(
            bits, (F_STATS, F_HINT, F_REPORT)))
        for roles in (drivers.queue_roles(features),
                      drivers.fixed_roles(features)):
            t.log("%r" % roles)
            check_roles(t, daemon, features, roles)
            wait.until(lambda: not daemon.stats()["front-end"]["connected"],
                       "the driver is gone")


def test_held_places(t):
    """A driver by the specification on a device without statistics: Linux
    has it set up queue 2, which only holds the place."""
    daemon = daemons.start(t, "--stats=off")
    for offered in (F_HINT | F_REPORT, F_HINT, F_REPORT):
        features = BASE | offered
        roles = drivers.fixed_roles(features)
        held = set(range(max(roles.values()))) - set(roles.values())
        check_roles(t, daemon, features, roles, held)
        wait.until(lambda: not daemon.stats()["front-end"]["connected"],
                   "the driver is gone")


def test_ring_sizes(t):
    """Rings of 2 to 1024 entries, used until they wrap."""
    daemon = daemons.start(t)
    for num in (2, 16, 256, 1024):
        d = fixture.connect(t, daemon, mib=32, num=num)
        d.start()
        for turn in range(2 * num + 3 if num < 100 else 20):
            d.report([(8 * MIB + turn % 16 * 65536, 65536)])
        if num >= 16:
            d.memory.fill(8 * MIB, 16 * 65536)
            was = d.memory.resident
            d.report([(8 * MIB + n * 65536, 65536) for n in range(num // 2)
                      if n < 16], indirect=False)
            assert d.memory.resident == was - min(num // 2, 16) * 65536
        d.close()


def test_index_wraps(t):
    """The ring indices wrap at 65536."""
    _, d = fixture.start(t)
    index = d.roles["report"]
    d.frontend.set_vring_enable(index, False)
    d.frontend.get_vring_base(index)
    ring = d.ring("report")
    ring.next_avail = ring.last_used = 65533
    for at in (ring.avail, ring.used):
        d.memory.pack("<H", at + 2, 65533)
    d.start_ring(index, base=65533)
    for turn in range(6):
        fixture.gives_back(d, (4 + 4 * turn) * MIB)
    assert ring.used_index == 3
    assert d.frontend.get_vring_base(index) == (index, 3)


def test_no_interrupt(t):
    """With NO_INTERRUPT the driver is not called."""
    _, d = fixture.start(t)
    fixture.calls_who_wants_it(d)


def test_event_index(t):
    """With EVENT_IDX the driver is called for the entry that it asked for,
    and asked to notify for the next one. (After the first entry of all the
    device may call it in any case: it does not know what was used before.)
    """
    _, d = fixture.start(t, features=F_ALL | F_EVENT_IDX)
    ring = d.ring("report")
    ring.set_used_event(2)
    calls = []
    for turn in range(4):
        fixture.gives_back(d, (4 + 4 * turn) * MIB)
        d.frontend.get_features()
        calls.append(bool(d.called("report")))
    assert calls[1:] == [False, True, False], calls
    assert ring.avail_event == 4, ring.avail_event


def test_without_protocol_bit(t):
    """A driver that does not acknowledge bit 30 never enables a ring by a
    message: its rings are enabled from the start, also when an earlier
    SET_FEATURES of the same driver had the bit (as user-mode Linux has it
    when it declines PAGE_POISON late)."""
    for first in (None, F_ALL):
        daemon = daemons.start(t, name="d%r" % bool(first))
        d = fixture.connect(t, daemon)
        d.handshake()
        if first:
            d.frontend.set_features(first)
        d.negotiate(F_ALL & ~F_PROTOCOL)
        for index in sorted(d.roles.values()):
            d.start_ring(index)
        assert all(q["enabled"] for q in daemon.stats()["queues"])
        fixture.gives_back(d)
        d.close()
        daemon.stop()


def test_without_call_descriptor(t):
    """A driver that polls gives no call descriptor; nor does one that takes
    it away."""
    _, d = fixture.start(t)
    d.frontend.set_vring_call(d.roles["report"], None)
    fixture.gives_back(d)
    assert d.called("report") == 0


def test_kick_that_came_before(t):
    """Buffers offered before the kick descriptor is set are taken when it
    is, without a further kick."""
    daemon = daemons.start(t)
    d = fixture.connect(t, daemon)
    d.handshake()
    d.negotiate()
    index = d.roles["report"]
    d.start_ring(index, enable=False)
    d.memory.fill(8 * MIB, MIB)
    was = d.memory.resident
    d.ring("report").add([(8 * MIB, MIB, True)])
    os.eventfd_write(d.kicks[index], 1)
    for other in sorted(set(d.roles.values()) - {index}):
        d.start_ring(other)
    assert d.memory.resident >= was, "not enabled yet"
    d.frontend.set_vring_enable(index, True)
    d.wait_used("report")
    assert d.memory.resident < was
    assert d.memory.zero(8 * MIB, MIB)
