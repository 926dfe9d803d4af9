# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Rule R5: memory and rings cannot go away under a discard.

A discard is made slow. The ring is disabled while it is in flight; then
the answer to a message that the front-end takes as "the device is quiet"
must wait until the discard is over and its buffer is back.
"""

from common import wait

from . import fixture, vhost_user
from .driver import MIB, PROTOCOL
from .memory import Region

GPA, LENGTH = 8 * MIB, 4 * MIB


class TooLate(Exception):
    """The discard was over before the message was sent: slow machine."""


def in_flight(daemon):
    return fixture.queue(daemon, "report")["in-flight"]


def attempt(t, post, request, delay):
    """Disable the ring under a discard that takes delay ms, post() the
    message, and check the moment of its answer."""
    daemon, d = fixture.start(t, protocol=PROTOCOL
                              | 1 << vhost_user.PF_MEM_SLOTS
                              | 1 << vhost_user.PF_RESET_DEVICE
                              | 1 << vhost_user.PF_STATUS)
    fixture.gives_back(d)
    index = d.roles["report"]
    d.memory.fill(GPA, LENGTH)
    was = d.memory.resident
    daemon.command("set-discard-delay", ms=delay)
    d.offer("report", [(GPA, LENGTH, True)])
    wait.until(lambda: in_flight(daemon), "the discard is in flight")
    # Not acknowledged: an acknowledgement would wait by the same rule.
    d.frontend.set_vring_enable(index, False, ack=False)
    post(d, index)
    early = d.frontend.channel.readable(0.1)
    try:
        if d.ring("report").used_index == 2:
            raise TooLate()
        assert not early, "answered while a discard is in flight"
        d.frontend.finish(request)
        assert d.memory.resident == was - LENGTH, "answered too early"
        assert d.ring("report").used_index == 2, "the buffer is not back"
    finally:
        if daemon.alive():
            daemon.command("set-discard-delay", ms=0)
    assert in_flight(daemon) == 0
    d.close()
    fixture.serves(t, daemon)
    daemon.stop()


def quiesces(t, post, request):
    """attempt(), with longer delays where the machine is slow."""
    for delay in (800, 3000, 12000, 40000):
        try:
            attempt(t, post, request, delay)
            return
        except TooLate:
            t.log("a delay of %d ms was too short" % delay)
            t.stack.close()
    raise AssertionError("never saw a discard in flight")


def test_get_features_waits(t):
    """GET_FEATURES, the barrier of user-mode Linux."""
    quiesces(t, lambda d, i: d.frontend.post(
        vhost_user.GET_FEATURES, ack=False), vhost_user.GET_FEATURES)


def test_get_vring_base_waits(t):
    """GET_VRING_BASE of the ring."""
    quiesces(t, lambda d, i: d.frontend.post(
        vhost_user.GET_VRING_BASE, i.to_bytes(4, "little") + bytes(4),
        ack=False), vhost_user.GET_VRING_BASE)


def test_set_vring_enable_waits(t):
    """SET_VRING_ENABLE 0 itself, when an acknowledgement is asked."""
    quiesces(t, lambda d, i: d.frontend.post(
        vhost_user.SET_VRING_ENABLE, i.to_bytes(4, "little") + bytes(4),
        ack=True), vhost_user.SET_VRING_ENABLE)


def test_set_mem_table_waits(t):
    """SET_MEM_TABLE with an acknowledgement: memory goes away."""
    def post(d, _index):
        payload, fds = d.frontend.mem_table(d.memory.regions)
        d.frontend.post(vhost_user.SET_MEM_TABLE, payload, fds, ack=True)
    quiesces(t, post, vhost_user.SET_MEM_TABLE)


def test_rem_mem_reg_waits(t):
    """REM_MEM_REG with an acknowledgement, of another region."""
    def post(d, _index):
        extra = Region(1 << 32, MIB)
        d.frontend.post(vhost_user.ADD_MEM_REG, bytes(8) + extra.describe(),
                        [extra.fd], ack=False)
        d.frontend.post(vhost_user.REM_MEM_REG, bytes(8) + extra.describe(),
                        ack=True)
        extra.close()
    quiesces(t, post, vhost_user.REM_MEM_REG)


def test_set_mem_table_under_running_ring(t):
    """SET_MEM_TABLE while the ring is enabled and a discard is in flight:
    the discard hits the memory that it was meant for, and the daemon goes
    on with the new table."""
    daemon, d = fixture.start(t)
    d.memory.fill(GPA, LENGTH)
    was = d.memory.resident
    daemon.command("set-discard-delay", ms=1000)
    d.offer("report", [(GPA, LENGTH, True)])
    wait.until(lambda: in_flight(daemon) or d.memory.resident < was,
               "the discard is in flight")
    d.frontend.set_mem_table(d.memory.regions)
    daemon.command("set-discard-delay", ms=0)
    d.wait_used("report")
    assert d.memory.resident == was - LENGTH
    fixture.gives_back(d, 16 * MIB)


def test_disconnect_in_a_discard(t):
    """The front-end goes away while a discard is in flight: the daemon
    waits for it and serves the next one."""
    daemon, d = fixture.start(t)
    d.memory.fill(GPA, LENGTH)
    daemon.command("set-discard-delay", ms=1000)
    d.offer("report", [(GPA, LENGTH, True)])
    wait.until(lambda: in_flight(daemon), "the discard is in flight")
    d.close()
    daemon.command("set-discard-delay", ms=0)
    fixture.serves(t, daemon)
    daemon.stop()


def test_sigterm_in_a_discard(t):
    """SIGTERM while a discard is in flight: a clean end all the same."""
    daemon, d = fixture.start(t)
    d.memory.fill(GPA, LENGTH)
    daemon.command("set-discard-delay", ms=1000)
    d.offer("report", [(GPA, LENGTH, True)])
    wait.until(lambda: in_flight(daemon), "the discard is in flight")
    daemon.stop()
