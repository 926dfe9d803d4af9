# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What must not hang the daemon, seen from its control socket.

The numbers of faults are those of tests/unit/test_vhost_user_*.c.
"""

import struct

from common import daemon as daemons
from common import runner, wait

from . import fixture, stalled, vhost_user
from .driver import MIB
from .vhost_user import Disconnected, HEADER, NEED_REPLY, VERSION

PROTOCOL = sum(1 << n for n in (
    vhost_user.PF_REPLY_ACK, vhost_user.PF_BACKEND_REQ, vhost_user.PF_CONFIG,
    vhost_user.PF_MEM_SLOTS, vhost_user.PF_STATUS,
    vhost_user.PF_DEVICE_STATE))


def stalled_file(t):
    """The descriptor of a file that nobody answers for."""
    if stalled.why_not():
        raise runner.Skip(stalled.why_not())
    file = stalled.StalledFile(t.workdir)
    t.defer(file.close)
    return file


def with_descriptor():
    """(request, payload): all that a descriptor comes with, and two that
    should have none."""
    v = vhost_user
    region = struct.pack("=QQQQ", 0, MIB, 0x10000000, 0)
    yield v.SET_MEM_TABLE, struct.pack("=II", 1, 0) + region
    yield v.ADD_MEM_REG, bytes(8) + region
    for request in (v.SET_VRING_KICK, v.SET_VRING_CALL, v.SET_VRING_ERR):
        yield request, struct.pack("=Q", 0)
    yield v.SET_BACKEND_REQ_FD, b""
    yield v.SET_INFLIGHT_FD, struct.pack("=QQHH4x", 4096, 0, 5, 64)
    yield v.SET_DEVICE_STATE_FD, struct.pack("=II", 1, 0)
    yield v.SET_OWNER, b""
    yield v.GET_FEATURES, b""


def give(daemon, file, request, payload):
    """Send it on a connection of its own; the end of that, or an answer."""
    f = wait.until(lambda: connect(daemon), "the daemon accepts")
    try:
        f.set_protocol_features(PROTOCOL)
        file.send(f.channel.socket, HEADER.pack(
            request, VERSION | NEED_REPLY, len(payload)) + payload)
        wait.until(lambda: f.channel.readable(0.02), "an answer")
        return f.channel.receive()
    except Disconnected:
        return None
    finally:
        f.close()


def connect(daemon):
    try:
        f = fixture.raw(daemon)
    except ConnectionError:
        return None
    return f


def test_fault_13_stalled_file_system(t):
    """A file of a FUSE file system that does not answer, as everything that
    a descriptor can be: it is refused, statistics are answered, the next
    front-end is served, and the daemon ends when it is told to."""
    file = stalled_file(t)
    daemon = daemons.start(t)
    for request, payload in with_descriptor():
        answer = give(daemon, file, request, payload)
        t.log("request %d: %r" % (request, answer))
        daemon.stats()
        assert daemon.alive()
    fixture.serves(t, daemon)
    daemon.stop()
