# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""LOG_ALL: what the device writes is marked in the dirty log; a whole
migration with it, from one daemon to another."""

import mmap
import os
import random

from common import daemon as daemons
from common import wait

from . import driver as drivers
from . import fixture, vhost_user
from .driver import (CFG_ACTUAL, CFG_CMD_ID, Driver, F_ALL, F_EVENT_IDX,
                     F_INDIRECT, F_LOG_ALL, ID_DONE, MIB, PROTOCOL)
from .memory import Memory, PAGE, Region
from .moving import load, save, stop
from .ring import SplitRing
from .vhost_user import Disconnected, Refused

MIGRATES = (PROTOCOL | 1 << vhost_user.PF_DEVICE_STATE
            | 1 << vhost_user.PF_LOG_SHMFD)


class Log:
    """A dirty log for memory up to end."""

    def __init__(self, t, end, offset=0):
        self.size = end // PAGE // 8
        self.offset = offset
        self.fd = os.memfd_create("log")
        t.defer(lambda: os.close(self.fd))
        os.ftruncate(self.fd, offset + self.size)
        self.map = mmap.mmap(self.fd, offset + self.size)
        t.defer(self.map.close)

    def set(self, d):
        d.frontend.set_log_base(self.fd, self.size, self.offset)

    def take(self):
        """Guest addresses of the pages that are marked; clears them. Bit by
        bit is slow but a byte that is 0 is skipped."""
        found = []
        for at in range(self.offset, self.offset + self.size):
            byte = self.map[at]
            if byte:
                self.map[at] = 0
                found += [((at - self.offset) * 8 + bit) * PAGE
                          for bit in range(8) if byte >> bit & 1]
        return found


def start(t, log_offset=0, **kwargs):
    """A daemon, a driver and a log, not switched on yet."""
    daemon, d = fixture.start(t, protocol=MIGRATES, **kwargs)
    log = Log(t, 64 * MIB, log_offset)
    log.set(d)
    return daemon, d, log


def used_pages(d, role):
    ring = d.ring(role)
    first = ring.used & ~(PAGE - 1)
    return set(range(first, ring.used + 6 + 8 * ring.num, PAGE))


def settle(d):
    """What follows from all kicks so far is done."""
    d.frontend.get_features()


def test_log_marks_rings(t):
    """The used ring is marked whenever it was written, from the moment that
    LOG_ALL is on, and nothing else is: neither the discarded memory nor what
    comes without it. With event index the device writes in other places."""
    for features in (F_ALL, F_ALL | F_EVENT_IDX):
        daemon, d, log = start(t, log_offset=2 * PAGE, features=features)
        fixture.gives_back(d)
        assert not log.take(), "not switched on"
        d.frontend.set_features(features | F_LOG_ALL)
        settle(d)
        log.take()
        for turn in range(3):
            fixture.gives_back(d, (8 + 4 * turn) * MIB)
            settle(d)
            found = set(log.take())
            assert found and found <= used_pages(d, "report"), found
        assert not log.take()
        d.pages("inflate", [4096, 4097])
        settle(d)
        assert set(log.take()) <= used_pages(d, "inflate")
        # It is the same driver: a round goes on over it, rings run.
        d.frontend.set_features(features)
        fixture.gives_back(d)
        settle(d)
        assert not log.take(), "switched off"
        # A second time, with a log that comes anew.
        log.set(d)
        d.frontend.set_features(features | F_LOG_ALL)
        fixture.gives_back(d)
        settle(d)
        assert log.take()
        d.close()
        daemon.stop()


def test_log_before_the_interrupt(t):
    """When the driver sees its buffer back and was called, the page is
    marked: nothing can be copied that is older."""
    _, d, log = start(t)
    d.frontend.set_features(F_ALL | F_LOG_ALL)
    settle(d)
    log.take()
    for turn in range(200):
        d.offer("report", [((8 + turn % 8) * MIB, PAGE, True)])
        wait.until(lambda: d.called("report"), "the call", interval=0)
        assert d.ring("report").take_used()
        assert log.take(), turn


def test_log_keeps_the_driver(t):
    """A migration that begins in a hint round does not end it, and poison and
    actual stay."""
    daemon, d, _ = start(t)
    d.set_config(CFG_ACTUAL, 55)
    daemon.command("hint-start")
    d.hint_word(d.wait_command(0))
    for features in (F_ALL | F_LOG_ALL, F_ALL, F_ALL | F_LOG_ALL):
        d.frontend.set_features(features)
        assert daemon.hint()["state"] == "active"
        assert d.config(CFG_ACTUAL) == 55
        assert all(q["enabled"] for q in daemon.stats()["queues"])


def test_log_that_is_wrong(t):
    """A log that is too small, beyond its file, or no memory: refused; one
    that is made shorter: the connection ends, the daemon does not."""
    daemon, d, log = start(t)
    for size, offset in ((log.size - 1, 0), (log.size, 1),
                         (log.size + PAGE, 0), (log.size, PAGE), (0, 0),
                         (1 << 63, 1 << 63)):
        e = None
        try:
            d.frontend.set_log_base(log.fd, size, offset)
        except (Disconnected, Refused) as problem:
            e = problem
        assert e, (size, offset)
        d.close()
        wait.until(lambda: not daemon.stats()["front-end"]["connected"],
                   "gone")
        d = fixture.connect(t, daemon).start(protocol=MIGRATES)
    ours, theirs = os.pipe()
    t.defer(lambda: [os.close(fd) for fd in (ours, theirs)])
    try:
        d.frontend.set_log_base(theirs, log.size)
        raise ValueError("a pipe as a log")
    except Disconnected:
        d.close()
    wait.until(lambda: not daemon.stats()["front-end"]["connected"], "gone")
    d = fixture.connect(t, daemon).start(protocol=MIGRATES)
    log.set(d)
    d.frontend.set_features(F_ALL | F_LOG_ALL)
    os.ftruncate(log.fd, 0)
    d.offer("report", [(8 * MIB, PAGE, True)])
    wait.until(lambda: fixture.closed(d.frontend), "the end")
    d.close()
    fixture.serves(t, daemon)


# Migration -------------------------------------------------------------

class Migration:
    """Copies the memory of a running guest: what the guest wrote is known
    here, as a VMM knows it, what the device wrote from its log."""

    def __init__(self, d, log):
        self.d = d
        self.log = log
        self.written = set()		# pages that the guest wrote
        self.skips = set()		# pages that need not be sent
        self.sent = 0
        region = d.memory.regions[0]
        self.target = Region(region.gpa, region.size, region.offset,
                             region.uva)
        d.memory.write = self.tracked(d.memory.write)
        d.memory.pack = self.tracked(d.memory.pack, 1)
        self.todo = set(range(0, region.size, PAGE))

    def tracked(self, write, at=0):
        """write() that notes the pages."""
        def note(*args):
            gpa = args[at]
            last = gpa + (len(args[1]) if at == 0 else 64)
            write(*args)
            self.written.update(range(gpa & ~(PAGE - 1), last, PAGE))
        return note

    def harvest(self):
        self.todo |= self.written | set(self.log.take())
        self.written.clear()

    def copy(self):
        source = self.d.memory.regions[0].map
        for gpa in self.todo:
            self.target.map[gpa:gpa + PAGE] = source[gpa:gpa + PAGE]
        self.sent += len(self.todo)
        self.todo.clear()


def workload(d, content, rng, turns):
    """The guest writes, reports, inflates and deflates; content is what it
    keeps."""
    for _ in range(turns):
        gpa = (4 + 4 * rng.randrange(14)) * MIB
        kind = rng.randrange(4)
        if kind == 0:
            gpa += rng.randrange(1024) * PAGE
            data = rng.randbytes(PAGE)
            d.memory.write(gpa, data)
            content[gpa] = data
        elif kind == 1:
            d.report([(gpa, 4 * MIB)])
            for page in range(gpa, gpa + 4 * MIB, PAGE):
                content.pop(page, None)
        elif kind == 2:
            frames = [gpa // PAGE + n for n in range(8)]
            d.pages("inflate", frames)
            for frame in frames:
                content.pop(frame * PAGE, None)
            d.pages("deflate", frames)
        else:
            d.offer("report", [(gpa, MIB, True), (gpa + MIB, MIB, True)])
            d.wait_used("report")
            for page in range(gpa, gpa + 2 * MIB, PAGE):
                content.pop(page, None)


def hints(daemon, d, m, content):
    """A round of hints: what is free need not be sent."""
    daemon.command("subscribe", events=["skip"])
    m.harvest()
    old = d.config(CFG_CMD_ID)
    daemon.command("hint-start")
    d.hint_word(d.wait_command(old))
    free = [(gpa * MIB, MIB) for gpa in range(4, 60, 2)
            if not any(gpa * MIB <= page < (gpa + 1) * MIB
                       for page in content)]
    d.hint(free)
    d.hint_word(drivers.ID_STOP)
    daemon.command("hint-stop")
    for name, skip in daemon.control.drain_events():
        if name == "SKIP":
            m.todo -= set(range(skip["gpa"], skip["gpa"] + skip["len"],
                                PAGE))


def late_return(daemon, d, m):
    """A buffer comes back after the page of its ring was copied, and the
    guest does not write there any more: only the log knows of it."""
    daemon.command("set-discard-delay", ms=3600000)
    d.offer("report", [(36 * MIB, MIB, True)])
    wait.until(lambda: daemon.stats()["reclaim"]["busy"], "it is going on")
    m.harvest()
    m.copy()
    daemon.command("set-discard-delay", ms=0)
    d.wait_used("report")


def arrive(t, m, d, bases, state, rings):
    """The guest on the other daemon."""
    other = daemons.start(t, "--verbose", name="other")
    e = Driver(t, other.socket_path, memory=Memory(m.target))
    e.handshake(MIGRATES)
    load(e, state)
    e.frontend.set_features(d.features)
    e.features, e.roles = d.features, d.roles
    e.frontend.set_mem_table(e.memory.regions)
    for index, base in bases.items():
        ring = e.rings[index] = SplitRing.__new__(SplitRing)
        vars(ring).update(vars(rings[index]))
        ring.memory = e.memory
        e.start_ring(index, base)
    return other, e


def migrate(t, seed):
    """One migration: the guest works all the time."""
    rng = random.Random(seed)
    features = F_ALL | F_EVENT_IDX if seed & 1 else F_ALL
    if seed & 2:
        features &= ~F_INDIRECT
    daemon, d, log = start(t, features=features)
    content = {}
    # Every ring is in use, so none goes on at 0.
    workload(d, content, rng, 30)
    for role in ("inflate", "deflate"):
        d.pages(role, [2048])
    d.hint_word(drivers.ID_STOP)
    d.set_config(CFG_ACTUAL, 99)
    d.frontend.set_features(features | F_LOG_ALL)
    m = Migration(d, log)
    hints(daemon, d, m, content)
    for turns in (40, 20, 10):
        m.harvest()
        m.copy()
        workload(d, content, rng, turns)
    d.memory.write(d.BUFFERS, bytes(10))
    d.offer("stats", [(d.BUFFERS, 10, False)])
    wait.until(lambda: fixture.queue(daemon, "stats")["popped"], "taken")
    late_return(daemon, d, m)
    # The guest stops; a VMM harvests once more when no device can write.
    bases = stop(d)
    state = save(d)
    m.harvest()
    m.copy()
    t.log("seed %d: %d pages sent, %d kept" % (seed, m.sent, len(content)))
    for gpa in range(36 * MIB, 37 * MIB, PAGE):
        content.pop(gpa, None)
    assert content
    other, e = arrive(t, m, d, bases, state, d.rings)
    d.close()
    daemon.stop()
    for gpa, data in content.items():
        assert e.memory.read(gpa, PAGE) == data, hex(gpa)
    assert e.config(CFG_ACTUAL) == 99 and e.config(CFG_CMD_ID) == ID_DONE
    check_goes_on(t, e, other, content)
    other.stop()
    e.close()


def check_goes_on(t, e, other, content):
    """Every queue works, at the place where it was, and nothing else
    changes."""
    for gpa in list(content):
        if 32 * MIB <= gpa < 40 * MIB:
            del content[gpa]
    fixture.gives_back(e, 36 * MIB)
    e.pages("inflate", [8192])
    e.pages("deflate", [8192])
    wait.until(lambda: fixture.queue(other, "stats")["popped"] == 2,
               "the statistics buffer was taken again")
    assert fixture.queue(other, "stats")["in-flight"] == 1
    old = e.config(CFG_CMD_ID)
    other.command("hint-start")
    e.hint_word(e.wait_command(old))
    for role in ("report", "inflate", "deflate", "hint"):
        assert not e.ring(role).outstanding, role
    for gpa, data in content.items():
        assert e.memory.read(gpa, PAGE) == data, hex(gpa)
    assert t


def test_migration(t):
    """Source, log, DEVICE_STATE, destination: what the guest keeps is there,
    every buffer comes back once, and the device goes on."""
    for seed in range(4):
        migrate(t, seed)
