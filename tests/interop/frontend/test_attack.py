# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A seeded attack: a front-end and a guest that send anything, with
descriptors of every kind, while somebody asks for statistics.

FPH_ATTACK is the number of messages, FPH_ATTACK_SEED where to begin.
"""

import os
import random
import select
import signal
import socket
import struct
import subprocess
import threading
import time

from common import daemon as daemons
from common import wait

from . import fixture, stalled, vhost_user
from .driver import F_ALL, MIB
from .memory import Memory, Region
from .ring import DESC, WRITE
from .vhost_user import HEADER, NEED_REPLY, VERSION

MESSAGES = int(os.environ.get("FPH_ATTACK", "6000"))
SEED = int(os.environ.get("FPH_ATTACK_SEED", "1"))
ROUNDS = 10			# a daemon for each
STATS_SECONDS, SIGTERM_SECONDS = 1, 2
UVA = 0x7f5500000000


class Questions(threading.Thread):
    """Asks for statistics as fphctl does, each time on a connection of its
    own, and keeps how long that took."""

    def __init__(self, daemon):
        super().__init__()
        self.path = daemon.control_path
        self.ending = threading.Event()
        self.times = []
        self.error = None

    def ask(self):
        begin = time.monotonic()
        control = daemons.Control(self.path)
        try:
            control.command("query-stats")
        finally:
            control.close()
        self.times.append(time.monotonic() - begin)

    def run(self):
        try:
            while not self.ending.is_set():
                self.ask()
                time.sleep(0.002)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def end(self):
        self.ending.set()
        self.join()
        assert self.error is None, repr(self.error)


def udp_with_an_error():
    fd = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fd.connect(("127.0.0.1", 1))
    try:
        fd.send(b"x")
        time.sleep(0.001)
    except OSError:
        pass
    return fd


class Descriptors:
    """One of each kind, most of them for the whole attack."""

    def __init__(self, t, memory):
        self.memory = memory
        full = os.eventfd(0, os.EFD_CLOEXEC)
        os.eventfd_write(full, (1 << 64) - 2)
        self.events = [os.eventfd(0, os.EFD_CLOEXEC), full,
                       os.eventfd(7, os.EFD_CLOEXEC | os.EFD_SEMAPHORE),
                       os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)]
        pipe = os.pipe()
        stuffed = os.pipe()
        os.set_blocking(stuffed[1], False)
        try:
            while True:
                os.write(stuffed[1], bytes(4096))
        except BlockingIOError:
            pass
        os.set_blocking(stuffed[1], True)
        pairs = [socket.socketpair(socket.AF_UNIX, kind) for kind in (
            socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET)]
        pairs[0][0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1000)
        other = [udp_with_an_error(), socket.socket(), socket.socket(
            socket.AF_UNIX)]
        self.sockets = [s for pair in pairs for s in pair]
        short = os.memfd_create("short", os.MFD_CLOEXEC)
        os.ftruncate(short, 100)
        files = [os.open(name, flags) for name, flags in (
            ("/dev/zero", os.O_RDWR), ("/dev/null", os.O_RDWR),
            ("/dev/urandom", os.O_RDONLY), ("/", os.O_RDONLY),
            ("/proc/self/mem", os.O_RDWR), ("/", os.O_PATH),
            ("/proc/self/mountinfo", os.O_RDONLY),
            (os.path.join(t.workdir, "file"), os.O_RDWR | os.O_CREAT))]
        self.epoll = select.epoll()
        fds = list(self.events) + list(pipe) + list(stuffed) + files + [
            short, os.pidfd_open(os.getpid()), *os.openpty()]
        for fd in fds:
            t.defer(os.close, fd)
        for s in self.sockets + other + [self.epoll]:
            t.defer(s.close)
        self.all = fds + [s.fileno() for s in self.sockets + other] + [
            self.epoll.fileno()] + [r.fd for r in memory.regions]

    def pick(self, rng, request):
        """Often one that makes sense."""
        v = vhost_user
        if rng.random() < 0.5:
            return rng.choice(self.all)
        if request in (v.SET_MEM_TABLE, v.ADD_MEM_REG, v.SET_INFLIGHT_FD):
            return self.memory.regions[0].fd
        if request == v.SET_BACKEND_REQ_FD:
            return self.sockets[0].fileno()
        return rng.choice(self.events)


class Attacker:
    """Sends messages on one connection after another."""

    def __init__(self, t, daemon, rng, file):
        self.t, self.daemon, self.rng, self.file = t, daemon, rng, file
        self.memory = Memory(Region(0, 64 * MIB))
        t.defer(self.memory.close)
        self.descriptors = Descriptors(t, self.memory)
        self.frontend = None
        self.peers = []
        # More of them that are never closed, and nobody is served.
        self.stalled = 20
        t.defer(self.hang_up)

    def hang_up(self):
        if self.frontend:
            self.frontend.close()
            self.frontend = None
        for peer in self.peers:
            peer.close()
        self.peers = []

    def connect(self):
        self.hang_up()
        self.frontend = wait.until(lambda: self.reach(), "a connection", 60,
                                   0.002)
        self.frontend.channel.socket.setblocking(False)
        if self.rng.random() < 0.8:
            self.push(vhost_user.SET_PROTOCOL_FEATURES,
                      struct.pack("=Q", self.protocol()), [])
        if self.rng.random() < 0.7:
            self.set_up()

    def reach(self):
        try:
            return fixture.raw(self.daemon)
        except (ConnectionError, BlockingIOError):
            return None

    def protocol(self):
        v = vhost_user
        return sum(1 << n for n in (
            v.PF_MQ, v.PF_REPLY_ACK, v.PF_BACKEND_REQ, v.PF_CONFIG,
            v.PF_RESET_DEVICE, v.PF_MEM_SLOTS, v.PF_STATUS, v.PF_INFLIGHT,
            v.PF_DEVICE_STATE) if self.rng.random() < 0.9)

    def set_up(self):
        """Memory and rings, so that a guest can attack too."""
        v, rng = vhost_user, self.rng
        self.push(v.SET_FEATURES, struct.pack("=Q", F_ALL), [])
        payload, fds = v.FrontEnd.mem_table(self.memory.regions)
        self.push(v.SET_MEM_TABLE, payload, fds)
        num = rng.choice((8, 8, 64))
        for index in range(5):
            ring = UVA + 0x10000 + index * 0x8000
            self.push(v.SET_VRING_NUM, struct.pack("=II", index, num), [])
            self.push(v.SET_VRING_ADDR, struct.pack(
                "=IIQQQQ", index, 0, ring, ring + 0x4000, ring + 0x2000, 0),
                [])
            self.push(v.SET_VRING_CALL, struct.pack("=Q", index),
                      [rng.choice(self.descriptors.events)])
            self.push(v.SET_VRING_KICK, struct.pack("=Q", index),
                      [rng.choice(self.descriptors.events)])
            self.push(v.SET_VRING_ENABLE, struct.pack("=II", index, 1), [])

    def push(self, request, payload, fds, size=None):
        """Send one message; a connection that ended, or that takes no more
        for long, is left."""
        if not self.frontend:
            return
        # A refusal that nobody asked to hear of ends the connection.
        flags = VERSION | (NEED_REPLY if self.rng.random() < 0.98 else 0)
        data = HEADER.pack(request, flags,
                           len(payload) if size is None else size) + payload
        stream = self.frontend.channel.socket
        try:
            if not select.select([], [stream], [], 5)[1]:
                self.connect()
                return
            if self.file and self.stalled and self.rng.random() < 0.02:
                self.stalled -= 1
                self.file.send(stream, data)
            else:
                self.frontend.channel.send_raw(data, fds)
            while select.select([stream], [], [], 0)[0]:
                if not stream.recv(1 << 16):
                    raise vhost_user.Disconnected()
        except (vhost_user.Disconnected, OSError):
            self.hang_up()

    def number(self):
        return self.rng.choice((
            self.rng.randrange(6), self.rng.randrange(6), 64,
            self.rng.randrange(1 << 32), self.rng.randrange(64) << 12,
            0x100 | self.rng.randrange(6), 0xffffffff, UVA >> 32))

    def payload(self, request):
        v, rng = vhost_user, self.rng
        if rng.random() < 0.2:
            return b"".join(
                struct.pack("=I", self.number())
                for _ in range(rng.randrange(16)))
        if request in (v.SET_MEM_TABLE, v.ADD_MEM_REG, v.REM_MEM_REG):
            region = struct.pack("=QQQQ", rng.choice((0, 1 << 32)),
                                 rng.choice((MIB, 64 * MIB)),
                                 rng.choice((UVA, UVA << 1)), 0)
            return struct.pack("=II", 1, 0) + region
        if request == v.SET_VRING_ADDR:
            return struct.pack("=IIQQQQ", rng.randrange(6), 0, *(
                UVA + (rng.randrange(1 << 14) << 12) for _ in range(3)), 0)
        if request in (v.SET_FEATURES, v.SET_PROTOCOL_FEATURES):
            return struct.pack("=Q", rng.choice((
                F_ALL, self.protocol(), rng.getrandbits(64))))
        if request in (v.GET_CONFIG, v.SET_CONFIG):
            return struct.pack("=III", 0, 16, 0) + bytes(16)
        if request in (v.GET_INFLIGHT_FD, v.SET_INFLIGHT_FD):
            return struct.pack("=QQHH4x", rng.choice((1 << 16, 1 << 40)), 0,
                               5, 64)
        return struct.pack("=II", self.number(), self.number())

    def attack_rings(self):
        """Buffers that are mostly right, and now and then noise."""
        rng = self.rng
        if rng.random() < 0.02:
            self.memory.write(rng.randrange(0x10000, 0x40000, 2),
                              rng.randbytes(rng.choice((2, 16, 64))))
        for index in range(5):
            ring = 0x10000 + index * 0x8000
            flags = WRITE if index > 2 else 0
            if rng.random() < 0.02:
                flags = rng.randrange(8)
            for slot in range(8):
                self.memory.pack(
                    DESC, ring + 16 * slot,
                    rng.choice((8 * MIB + rng.randrange(1 << 12) * 4096,
                                1 << 40)),
                    rng.choice((4, 4096, MIB)), flags, slot + 1)
                self.memory.pack("<H", ring + 0x2004 + 2 * slot, slot)
            at = ring + 0x2002
            step = rng.choice((1, 1, 2, 7)) if rng.random() < 0.999 \
                else rng.randrange(1 << 16)
            self.memory.pack("<H", at, self.memory.unpack("<H", at)[0] + step
                             & 0xffff)
        for fd in (self.descriptors.events[0], self.descriptors.events[3]):
            os.eventfd_write(fd, 1)

    def shrink(self):
        """Memory is gone for a moment."""
        fd = self.memory.regions[0].fd
        size = os.fstat(fd).st_size
        os.ftruncate(fd, self.rng.choice((0, 4096, MIB)))
        time.sleep(0.001)
        os.ftruncate(fd, size)

    def linger(self, request, payload):
        """The last reference is in the queue of the daemon's socket."""
        fd, peer = fixture.lingering()
        self.peers.append(peer)
        self.push(request, payload, [fd.fileno()])
        # Ours is the last one if the daemon has closed its own already.
        threading.Thread(target=fd.close, daemon=True).start()

    def step(self):
        rng = self.rng
        if not self.frontend or rng.random() < 0.005:
            self.connect()
        request = rng.choice((rng.randrange(46), rng.randrange(1, 15)))
        payload = self.payload(request)
        fds = [self.descriptors.pick(rng, request) for _ in range(
            rng.choice((0, 1, 1, 2, 8) if rng.random() < 0.99 else (30,)))]
        if rng.random() < 0.003:
            self.linger(request, payload)
            return
        self.push(request, payload, fds,
                  rng.getrandbits(32) if rng.random() < 0.002 else None)
        if rng.random() < 0.3:
            self.attack_rings()
        if rng.random() < 0.005:
            self.shrink()


def end(daemon):
    """SIGTERM; how long it took. Exactly what an operator waits for."""
    begin = time.monotonic()
    daemon.process.send_signal(signal.SIGTERM)
    try:
        code = daemon.process.wait(30 * wait.SCALE)
    except subprocess.TimeoutExpired:
        assert False, "the daemon does not end"
    assert code == 0, "the daemon ended with %d" % code
    return time.monotonic() - begin


def attack(t, seed, messages, file):
    """One daemon; the times of statistics, and that of the end."""
    daemon = daemons.start(t, name="d%d" % seed)
    attacker = Attacker(t, daemon, random.Random(seed), file)
    questions = Questions(daemon)
    questions.start()
    try:
        while daemon.stats()["front-end"]["messages"] < messages:
            for _ in range(50):
                attacker.step()
            assert daemon.alive(), "seed %d: %s" % (seed, daemon.log_tail())
    finally:
        questions.end()
    seen = daemon.stats()
    t.log("%d messages, %d refused, %d connections, %d reports" % (
        seen["front-end"]["messages"], seen["front-end"]["messages-refused"],
        seen["front-end"]["connections"], seen["report"]["returned"]))
    seconds = end(daemon)
    attacker.hang_up()
    return questions.times, seconds


def test_attack(t):
    """Statistics are answered within a second and SIGTERM ends the daemon
    within two, whatever a front-end and its guest send."""
    file = None
    if stalled.why_not():
        t.log("without files that nobody answers for: " + stalled.why_not())
    else:
        file = stalled.StalledFile(t.workdir)
        t.defer(file.close)
    times, ends = [], []
    for n in range(ROUNDS):
        found, seconds = attack(t, SEED + n, MESSAGES // ROUNDS, file)
        times += found
        ends.append(seconds)
        t.log("seed %d: %d answers, at most %.0f ms; end %.0f ms" % (
            SEED + n, len(found), 1000 * max(found), 1000 * seconds))
    times.sort()
    t.log("%d messages, %d answers: p50 %.1f ms, p99 %.1f ms, at most %.0f "
          "ms; SIGTERM at most %.0f ms" % (
              MESSAGES, len(times), 1000 * times[len(times) // 2],
              1000 * times[len(times) * 99 // 100], 1000 * times[-1],
              1000 * max(ends)))
    assert times[-1] < STATS_SECONDS * wait.SCALE, times[-5:]
    assert max(ends) < SIGTERM_SECONDS * wait.SCALE, ends
