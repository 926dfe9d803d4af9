# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What must not hang the daemon, seen from its control socket.

The numbers of faults are those of tests/unit/test_vhost_user_*.c.
"""

import signal
import socket
import struct
import threading
import time

from common import daemon as daemons
from common import runner, wait

from . import fixture, stalled, vhost_user
from .driver import Driver, MIB
from .memory import Memory
from .ring import WRITE
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


def send_lingering(t, client, line):
    """A line, and with it files; their last reference is in the queue then,
    and to close that one takes an hour."""
    for fd, peer in [fixture.lingering() for _ in range(4)]:
        t.defer(peer.close)
        socket.send_fds(client, [line], [fd.fileno()] * 4)
        fd.close()


def test_fault_12_control_client(t):
    """Files that linger, with a line, more of them than anybody takes, and in
    what is never read: others are answered all the same."""
    daemon = daemons.start(t)
    for line in (b'{"execute": "query-hint"}\n', bytes(1 << 15)):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.connect(daemon.control_path)
        daemon.process.send_signal(signal.SIGSTOP)
        send_lingering(t, client, line)
        daemon.process.send_signal(signal.SIGCONT)
        daemon.command("query-hint", timeout=20)
        client.close()
        daemon.command("query-hint", timeout=20)
    daemon.stop()


class Flood(threading.Thread):
    """A guest that keeps every queue full of the largest buffers, as fast as
    the device takes them, until it is told to end."""

    NUM, PFNS = 1024, 32768
    LISTS, DATA = 16 * MIB, 32 * MIB

    def __init__(self, t, daemon):
        super().__init__()
        self.ending = threading.Event()
        self.driver = Driver(t, daemon.socket_path, 256, self.NUM)
        self.driver.RINGS, self.driver.BUFFERS = 0x100000, 0x80000
        self.driver.start()
        t.defer(self.end)
        daemon.command("hint-start")
        self.driver.hint_word(self.driver.wait_command(0))
        self.lists()
        for role in self.driver.roles:
            self.fill(role)

    def lists(self):
        """Page numbers: every second page, so that none can be merged."""
        first = self.DATA // 4096
        frames = [first + 2 * n % (48 * 1024) for n in range(self.PFNS)]
        self.driver.memory.write(self.LISTS, struct.pack(
            "<%dI" % self.PFNS, *frames))

    def fill(self, role):
        """Every descriptor is a buffer of its own, and all are offered."""
        ring = self.driver.ring(role)
        for n in range(self.NUM):
            if role in ("report", "hint"):
                ring.put(ring.desc, n, self.DATA + (n % 32) * 4 * MIB, 4 * MIB,
                         WRITE)
            elif role == "stats":
                ring.put(ring.desc, n, self.LISTS, 64 << 10, 0)
            else:
                ring.put(ring.desc, n, self.LISTS, 4 * self.PFNS, 0)
            self.driver.memory.pack("<H", ring.avail + 4 + 2 * n, n)

    def run(self):
        while not self.ending.is_set():
            for role in self.driver.roles:
                ring = self.driver.ring(role)
                self.driver.memory.pack("<H", ring.avail + 2,
                                        ring.used_index + self.NUM & 0xffff)
                self.driver.kick(role)
            self.driver.frontend.serve_backend()
            time.sleep(0.001)

    def end(self):
        self.ending.set()
        if self.is_alive():
            self.join()


def test_fault_15_flooded_queues(t):
    """A guest floods every queue: statistics are answered in time. The
    figures are shown with --verbose; the limit leaves room for any
    machine."""
    daemon = daemons.start(t)
    flood = Flood(t, daemon)
    flood.start()
    times = []
    for _ in range(300):
        begin = time.monotonic()
        stats = daemon.stats()
        times.append(time.monotonic() - begin)
    flood.end()
    times.sort()
    t.log("statistics: p50 %.1f ms, p99 %.1f ms, at most %.1f ms" % tuple(
        1000 * times[n] for n in (150, 297, 299)))
    for queue in stats["queues"]:
        t.log("%s" % queue)
        assert not queue["broken"], queue
        assert queue["pushed"] > 0, queue
    assert times[297] < 1, times[-5:]
    flood.driver.close()
    daemon.stop()


HUGE = 2 * MIB


def test_fault_16_small_pages_on_huge_ones(t):
    """Inflated pages of 4 KiB are collected over buffers until a huge page is
    whole; one that is deflated meanwhile counts no more."""
    memory = Memory(fixture.huge_region(t, 0, 16 * HUGE))
    daemon = daemons.start(t)
    d = Driver(t, daemon.socket_path, memory=memory).start()
    first = 8 * MIB
    memory.fill(first, 2 * HUGE)
    full = memory.resident
    frames = list(range(first // 4096, (first + HUGE) // 4096))
    for n in range(1, 4):
        d.pages("inflate", frames[n::4])
        assert memory.resident == full, n
    d.pages("inflate", frames[0::4])
    wait.until(lambda: memory.resident == full - HUGE, lambda:
               "a whole page is freed: %d" % (full - memory.resident))
    last, frames = frames, [frame + 512 for frame in frames]
    d.pages("inflate", frames[:-1])
    d.pages("deflate", frames[:1])
    d.pages("inflate", frames[-1:])
    assert memory.resident == full - HUGE, "one page is the guest's again"
    assert memory.intact(frames[0] * 4096, 4096)
    d.pages("inflate", frames[:1])
    wait.until(lambda: memory.resident == full - 2 * HUGE, "freed as well")
    assert memory.zero(last[0] * 4096, HUGE)
    assert daemon.stats()["inflate"]["bytes-freed"] == 2 * HUGE
    d.close()
    daemon.stop()
