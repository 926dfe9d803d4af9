# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Fault 17: limits of the daemon, and whether its log says cause and cure."""

import os
import resource
import subprocess

from common import daemon as daemons
from common import wait

from . import fixture, vhost_user
from .driver import Driver, F_ALL, MIB, PROTOCOL
from .memory import Memory, Region

CLIENTS = 16


def says(daemon, text):
    wait.until(lambda: text in daemon.log_text(), lambda:
               "%r in the log:\n%s" % (text, daemon.log_tail()))


def refuses_memory(t, regions, word, *options):
    """The memory is refused, the log says why; the next one is served."""
    daemon = daemons.start(t, *options)
    d = Driver(t, daemon.socket_path, memory=Memory(*regions))
    d.handshake()
    try:
        d.negotiate()
        assert False, "memory was taken"
    except vhost_user.Refused:
        pass
    says(daemon, word)
    d.close()
    fixture.serves(t, daemon)
    daemon.stop()


def test_fault_17_overlapping_user_addresses(t):
    """Two regions at one address of the front-end, in one message."""
    refuses_memory(t, [Region(0, 32 * MIB, uva=0x10000000),
                       Region(64 * MIB, 32 * MIB, uva=0x10000000 + MIB)],
                   "user addresses overlap")


def test_fault_17_memory_has_a_limit(t):
    """More memory than --max-memory: the option is named."""
    refuses_memory(t, [Region(0, 64 * MIB)], "--max-memory",
                   "--max-memory=32M")


def test_fault_17_memory_is_not_shared(t):
    """A front-end that sends no memory, as QEMU does when it is private:
    the log says what to set."""
    daemon = daemons.start(t)
    d = Driver(t, daemon.socket_path)
    d.handshake()
    d.frontend.set_features(F_ALL)
    d.features = F_ALL
    try:
        d.start_ring(0)
        assert False, "a ring without memory"
    except vhost_user.Refused:
        pass
    says(daemon, "it shares no memory: with QEMU")
    says(daemon, "share=on")


def test_fault_17_too_few_descriptors(t):
    """Where the process may have only a few descriptors it does not start,
    and says how many it needs and how to give them."""
    done = subprocess.run(
        [t.options.daemon, "--socket-path=" + t.workdir + "/s"], check=False,
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        timeout=60 * wait.SCALE, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (26, 26)))
    assert done.returncode == 1, done
    for word in ("26 file descriptors are too few", "ulimit -n"):
        assert word in done.stderr, done.stderr
    assert not os.path.exists(t.workdir + "/s")


def test_fault_17_no_descriptor_is_free(t):
    """With all descriptors in use a connection is dropped, not asked for
    again and again; with one free again it is served."""
    daemon, d = fixture.start(t, protocol=PROTOCOL
                              | 1 << vhost_user.PF_MEM_SLOTS)
    for n in range(1, 41):
        region = Region(n << 32, MIB)
        t.defer(region.close)
        d.frontend.add_mem_reg(region)
    pid = daemon.process.pid
    client(daemon)
    used = {int(n) for n in os.listdir("/proc/%d/fd" % pid)}
    first_free = min(set(range(len(used) + 1)) - used)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (first_free, before[1]))
    assert not client(daemon), "no descriptor was free"
    says(daemon, "no file descriptor is free")
    daemon.stats()
    lines = daemon.log_text().count("no file descriptor")
    assert lines == 1, "it was said %d times" % lines
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    wait.until(lambda: client(daemon), "the next is served")
    fixture.gives_back(d)
    daemon.stop()


def client(daemon):
    """What a control client of its own is answered; None: the end."""
    control = daemons.Control(daemon.control_path)
    try:
        return control.command("query-stats")
    except ConnectionError:
        return None
    finally:
        control.close()


def test_fault_17_second_front_end(t):
    """While one is connected the next is closed at once, and the log says
    why; one that is silent goes for the next."""
    daemon, d = fixture.start(t)
    f = fixture.raw(daemon)
    t.defer(f.close)
    wait.until(lambda: fixture.closed(f), "the second is closed")
    says(daemon, "another front-end comes and is refused: one is connected")
    fixture.gives_back(d)
    d.close()
    wait.until(lambda: not daemon.stats()["front-end"]["connected"], "gone")
    silent = fixture.raw(daemon)
    t.defer(silent.close)
    wait.until(lambda: daemon.stats()["front-end"]["connected"], "accepted")
    fixture.serves(t, daemon)
    assert fixture.closed(silent)
    says(daemon, "the front-end is silent, and another one comes")
    daemon.stop()


def test_fault_17_idle_control_clients(t):
    """As many clients as there may be that say nothing lock nobody out:
    after a while they make room."""
    daemon = daemons.start(t)
    clients = []
    for _ in range(CLIENTS - 1):
        clients.append(daemons.Control(daemon.control_path))
        t.defer(clients[-1].close)

    wait.until(lambda: client(daemon), "a client more is served")
    daemon.stop()
