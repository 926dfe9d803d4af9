# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A front-end or driver that breaks the rules.

Whatever it sends, the daemon answers with an error or ends the connection;
it lives on, keeps no descriptor, and serves the next front-end.
"""

import os
import socket
import struct

from common import daemon as daemons
from common import wait

from . import fixture, vhost_user
from .driver import F_ALL, F_INDIRECT, MIB, PROTOCOL
from .ring import INDIRECT, NEXT, WRITE
from .vhost_user import Disconnected, HEADER, NEED_REPLY, VERSION

S = struct.pack


def descriptors(daemon):
    """How many descriptors the daemon holds."""
    return len(os.listdir("/proc/%d/fd" % daemon.process.pid))


def provoke(daemon, data, fds=(), setup=None):
    """Send raw bytes on a fresh connection, then a request that is always
    answered. Returns "closed" or the answers before that one."""
    f = wait.until(lambda: _open(daemon), "the daemon accepts")
    try:
        if setup:
            setup(f)
        f.channel.send_raw(data, fds)
        f.channel.send(vhost_user.GET_QUEUE_NUM)
        answers = []
        while True:
            wait.until(lambda: f.channel.readable(0.02), "an answer")
            message = f.channel.receive()
            if message.request == vhost_user.GET_QUEUE_NUM:
                return answers
            answers.append(message)
    except Disconnected:
        return "closed"
    finally:
        f.close()


def _open(daemon):
    try:
        f = fixture.raw(daemon)
    except ConnectionError:
        return None
    return f


def with_ack(f):
    f.set_protocol_features(1 << vhost_user.PF_REPLY_ACK
                            | 1 << vhost_user.PF_CONFIG
                            | 1 << vhost_user.PF_MEM_SLOTS)


def message(request, payload=b"", flags=VERSION | NEED_REPLY, size=None):
    return HEADER.pack(request, flags,
                       len(payload) if size is None else size) + payload


def dealt_with(result):
    """Closed, or answered, each answer with an error."""
    return result == "closed" or (result and all(
        not m.payload or len(m.payload) != 8 or m.u64() for m in result))


def bad_messages():
    """(name, bytes): each breaks one rule."""
    v = vhost_user
    region = S("=QQQQ", 0, MIB, 0x10000000, 0)
    yield "unknown request", message(99)
    yield "request 0", message(0)
    yield "huge request number", message(0xffffffff)
    yield "version 0", message(v.SET_OWNER, flags=NEED_REPLY)
    yield "version 3", message(v.SET_OWNER, flags=3 | NEED_REPLY)
    yield "reply flag in a request", message(v.SET_OWNER, flags=5)
    for size in (1, 4, 7, 9, 100):
        yield "SET_FEATURES of %d bytes" % size, \
            message(v.SET_FEATURES, bytes(size))
        yield "SET_VRING_NUM of %d bytes" % size, \
            message(v.SET_VRING_NUM, bytes(size))
    yield "SET_VRING_ADDR of 39 bytes", message(v.SET_VRING_ADDR, bytes(39))
    yield "endless payload", message(v.SET_OWNER, size=0xffffffff)
    yield "payload of 1 MiB", message(v.SET_OWNER, bytes(1 << 20))
    yield "mem table without descriptor", message(
        v.SET_MEM_TABLE, S("=II", 1, 0) + region)
    yield "mem table of 1000 regions", message(
        v.SET_MEM_TABLE, S("=II", 1000, 0) + region)
    yield "mem table cut short", message(
        v.SET_MEM_TABLE, S("=II", 2, 0) + region)
    yield "ADD_MEM_REG without descriptor", message(
        v.ADD_MEM_REG, bytes(8) + region)
    yield "REM_MEM_REG of nothing", message(
        v.REM_MEM_REG, bytes(8) + region)
    yield "ring 1000", message(v.SET_VRING_NUM, S("=II", 1000, 64))
    yield "ring -1", message(v.SET_VRING_ENABLE, S("=II", 0xffffffff, 1))
    yield "kick of ring 200", message(v.SET_VRING_KICK, S("=Q", 200))
    yield "kick without its descriptor", message(
        v.SET_VRING_KICK, S("=Q", 0))
    yield "backend channel without one", message(v.SET_BACKEND_REQ_FD)
    yield "features not offered", message(v.SET_FEATURES, S("=Q", 1 << 63))
    yield "protocol features not offered", message(
        v.SET_PROTOCOL_FEATURES, S("=Q", 1 << 62))
    yield "config write past the end", message(
        v.SET_CONFIG, S("=III", 1 << 20, 4, 0) + bytes(4))
    yield "config write longer than its payload", message(
        v.SET_CONFIG, S("=III", 0, 200, 0) + bytes(4))
    yield "ring addresses without memory", message(
        v.SET_VRING_NUM, S("=II", 0, 64), VERSION) + message(
        v.SET_VRING_ADDR, S("=IIQQQQ", 0, 0, 4096, 8192, 12288, 0))
    yield "enable with value 7", message(
        v.SET_VRING_ENABLE, S("=II", 0, 7))


def test_bad_messages(t):
    """Bad sizes, numbers, flags and missing descriptors: an error or the
    end of the connection, never a hang, a leak or the end of the daemon."""
    daemon = daemons.start(t)
    fixture.serves(t, daemon)
    wait.until(lambda: not daemon.stats()["front-end"]["connected"], "idle")
    before = wait.settled(lambda: descriptors(daemon), 0.3)
    for name, data in bad_messages():
        result = provoke(daemon, data, setup=with_ack)
        t.log("%s: %s" % (name, result))
        assert dealt_with(result), (name, result)
        assert daemon.alive(), name
    fixture.serves(t, daemon)
    wait.until(lambda: descriptors(daemon) == before,
               "no descriptor is kept")
    daemon.stop()


def test_bad_config_reads(t):
    """GET_CONFIG of a wrong size or place: an empty answer or the end of
    the connection."""
    daemon = daemons.start(t)
    for offset, size, length in ((0, 257, 257), (0, 16, 4), (1 << 31, 4, 4),
                                 (0xfffffffc, 8, 8), (0, 0xffffffff, 0)):
        result = provoke(daemon, message(
            vhost_user.GET_CONFIG, S("=III", offset, size, 0)
            + bytes(length), VERSION), setup=with_ack)
        assert result == "closed" or not result[0].payload or \
            not any(result[0].payload[12:]), (offset, size, result)
        assert daemon.alive()
    fixture.serves(t, daemon)


def test_too_many_descriptors(t):
    """Descriptors that nobody asked for are closed."""
    daemon = daemons.start(t)
    fixture.serves(t, daemon)
    wait.until(lambda: not daemon.stats()["front-end"]["connected"], "idle")
    before = wait.settled(lambda: descriptors(daemon), 0.3)
    null = os.open("/dev/null", os.O_RDWR)
    t.defer(os.close, null)
    for count in (1, 2, 8, 16):
        for request, payload in ((vhost_user.SET_OWNER, b""),
                                 (vhost_user.GET_FEATURES, b""),
                                 (vhost_user.SET_VRING_KICK, S("=Q", 0)),
                                 (vhost_user.SET_FEATURES, S("=Q", 0))):
            provoke(daemon, message(request, payload), [null] * count,
                    with_ack)
            assert daemon.alive()
    wait.until(lambda: not daemon.stats()["front-end"]["connected"], "idle")
    wait.until(lambda: descriptors(daemon) == before,
               lambda: "%d descriptors, before %d"
               % (descriptors(daemon), before))
    fixture.serves(t, daemon)


def test_wrong_kind_of_descriptor(t):
    """A pipe as memory, a directory as kick: refused."""
    daemon = daemons.start(t)
    reading, writing = os.pipe()
    folder = os.open("/", os.O_RDONLY)
    for fd in (reading, writing, folder):
        t.defer(os.close, fd)
    region = S("=QQQQ", 0, MIB, 0x10000000, 0)
    for fd in (reading, folder):
        result = provoke(daemon, message(
            vhost_user.SET_MEM_TABLE, S("=II", 1, 0) + region), [fd],
            with_ack)
        assert dealt_with(result), result
        assert daemon.alive()
    fixture.serves(t, daemon)


def test_memory_shorter_than_its_region(t):
    """A region beyond the end of its file must not end the daemon by a
    signal when a ring in it is used."""
    daemon = daemons.start(t)
    d = fixture.connect(t, daemon, mib=16)
    d.handshake()
    region = d.memory.regions[0]
    region.size = 64 * MIB
    try:
        d.negotiate()
        for index in sorted(d.roles.values()):
            d.start_ring(index)
        gpa = 32 * MIB
        d.frontend.set_vring_addr(0, *(region.uva + gpa + n * 8192
                                       for n in range(3)))
        d.kick("inflate")
        d.frontend.get_features()
    except (vhost_user.Refused, Disconnected):
        pass
    assert daemon.alive(), daemon.log_tail(5)
    d.close()
    fixture.serves(t, daemon)


def test_partial_messages(t):
    """A connection that ends in the middle of a header or a payload."""
    daemon = daemons.start(t)
    whole = message(vhost_user.SET_FEATURES, bytes(8))
    for cut in (0, 1, 11, 12, 13, len(whole) - 1):
        f = wait.until(lambda: _open(daemon), "the daemon accepts")
        if cut:
            f.channel.send_raw(whole[:cut])
        f.close()
        assert daemon.alive()
    fixture.serves(t, daemon)


def hostile_rings(gpa):
    """(name, function(ring)): each breaks one rule of the virtqueue."""
    outside = 1 << 40

    def loop(r):
        r.put(r.desc, 0, gpa, 4096, NEXT | WRITE, 1)
        r.put(r.desc, 1, gpa, 4096, NEXT | WRITE, 0)
        r.publish(0)

    def bad_head(r):
        r.publish(r.num + 7)

    def bad_next(r):
        r.put(r.desc, 0, gpa, 4096, NEXT | WRITE, r.num + 1)
        r.publish(0)

    def jump(r):
        r.put(r.desc, 0, gpa, 4096, WRITE)
        r.publish(0, r.num + 1)

    def zero_length(r):
        r.put(r.desc, 0, gpa, 0, WRITE)
        r.publish(0)

    def wraps(r):
        r.put(r.desc, 0, (1 << 64) - 4096, 8192, WRITE)
        r.publish(0)

    def far(r):
        r.put(r.desc, 0, outside, 4096, WRITE)
        r.publish(0)

    def order(r):
        r.put(r.desc, 0, gpa, 4096, NEXT | WRITE, 1)
        r.put(r.desc, 1, gpa, 4096, 0)
        r.publish(0)

    def nested(r):
        r.put(r.table, 0, gpa, 4096, WRITE | INDIRECT)
        r.put(r.desc, 0, r.table, 16, INDIRECT)
        r.publish(0)

    def odd_table(r):
        r.put(r.desc, 0, r.table, 24, INDIRECT)
        r.publish(0)

    def empty_table(r):
        r.put(r.desc, 0, r.table, 0, INDIRECT)
        r.publish(0)

    def far_table(r):
        r.put(r.desc, 0, outside, 16, INDIRECT)
        r.publish(0)

    def table_and_next(r):
        r.put(r.table, 0, gpa, 4096, WRITE)
        r.put(r.desc, 0, r.table, 16, INDIRECT | NEXT, 1)
        r.publish(0)

    return [(f.__name__, f) for f in (
        loop, bad_head, bad_next, jump, zero_length, wraps, far, order,
        nested, odd_table, empty_table, far_table, table_and_next)]


def test_hostile_rings(t):
    """Every classic attack through a ring: nothing is discarded, the chain
    is refused or the device is broken, and the next front-end is served."""
    gpa = 8 * MIB
    daemon = daemons.start(t)
    for name, attack in hostile_rings(gpa):
        d = wait.until(lambda: fixture.fresh(daemon), "accepted")
        t.defer(d.close)
        d.negotiate()
        for index in sorted(d.roles.values()):
            d.start_ring(index)
        d.memory.fill(gpa, MIB)
        before = daemon.stats()["report"]
        ring = d.ring("report")
        attack(ring)
        d.kick("report")
        if name != "jump":
            wait.until(lambda: fixture.queue(daemon, "report")["broken"]
                       or ring.used_index == ring.next_avail, name)
        else:
            wait.until(lambda: fixture.queue(daemon, "report")["broken"],
                       name)
        after = daemon.stats()["report"]
        t.log("%s: %s" % (name, fixture.queue(daemon, "report")))
        assert after["bytes-discarded"] == before["bytes-discarded"], name
        assert d.memory.intact(gpa, MIB), name
        assert daemon.alive(), name
        d.close()
    fixture.serves(t, daemon)
    daemon.stop()


def test_indirect_not_negotiated(t):
    """An indirect chain without the feature: nothing is discarded."""
    daemon, d = fixture.start(t, features=F_ALL & ~F_INDIRECT)
    d.memory.fill(8 * MIB, MIB)
    d.offer("report", [(8 * MIB, MIB, True)], indirect=True)
    wait.until(lambda: fixture.queue(daemon, "report")["broken"]
               or d.ring("report").used_index == 1, "judged")
    assert d.memory.intact(8 * MIB, MIB)
    assert daemon.stats()["report"]["bytes-discarded"] == 0
    d.close()
    fixture.serves(t, daemon)


def test_reset_recovers_a_broken_device(t):
    """After an attack RESET_DEVICE and a new set-up make it work again, on
    the same connection."""
    daemon, d = fixture.start(t, protocol=PROTOCOL
                              | 1 << vhost_user.PF_RESET_DEVICE)
    ring = d.ring("report")
    ring.publish(ring.num + 9)
    d.kick("report")
    wait.until(lambda: fixture.queue(daemon, "report")["broken"], "broken")
    d.frontend.reset_device()
    d.negotiate()
    for index in sorted(d.roles.values()):
        d.start_ring(index)
    fixture.gives_back(d)


def test_control_garbage(t):
    """Garbage on the control socket is answered with an error or ends that
    client; others and the guest go on."""
    daemon, d = fixture.start(t)
    for data in (b"\n", b"{}\n", b"[]\n", b"x\n", b'{"execute":1}\n',
                 b'{"execute":"nothing"}\n', b"\0\xff\n",
                 b'{"execute":"balloon","arguments":{"value":-1}}\n',
                 b'{"execute":"balloon","arguments":{"value":"x"}}\n',
                 b'{"execute":"balloon","arguments":[]}\n',
                 b'{"execute":"hint-start","arguments":'
                 b'{"then":"fly"}}\n',
                 b"[" * 100000 + b"\n", b"x" * (1 << 20)):
        client = socket.socket(socket.AF_UNIX)
        client.connect(daemon.control_path)
        client.settimeout(0.2)
        try:
            client.sendall(data)
            answer = client.recv(4096)
            assert not answer or b'"error"' in answer, (data[:40], answer)
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        client.close()
        assert daemon.alive(), data[:40]
        daemon.stats()
    fixture.gives_back(d)
