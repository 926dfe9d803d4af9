# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A daemon, a driver, and readings for one test."""

import os
import socket
import struct

from common import daemon as daemons
from common import runner, wait

from .driver import Driver, MIB
from .memory import Region
from .vhost_user import Disconnected, FrontEnd

BLOCK = 4 * MIB


def start(context, *arguments, mib=64, **kwargs):
    """(daemon, driver) with all queues running."""
    daemon = daemons.start(context, *arguments, "--verbose")
    return daemon, Driver(context, daemon.socket_path, mib).start(**kwargs)


def connect(context, daemon, **kwargs):
    """A driver on a daemon that serves already, not set up."""
    return Driver(context, daemon.socket_path, **kwargs)


def refused(daemon):
    """How many reports were refused, whatever the reason."""
    report = daemon.stats()["report"]
    return report["refused"] + report["peer-errors"]


def queue(daemon, role):
    for entry in daemon.stats()["queues"]:
        if entry["role"] == role:
            return entry
    return None


def serves(context, daemon):
    """The daemon lives and serves a fresh front-end: a report frees its
    range and only that."""
    assert daemon.alive(), "daemon ended: %s" % daemon.log_tail(10)
    driver = wait.until(lambda: fresh(daemon), "the daemon serves again")
    context.defer(driver.close)
    driver.negotiate()
    for index in sorted(driver.roles.values()):
        driver.start_ring(index)
    gives_back(driver)
    driver.close()


def fresh(daemon):
    """A connected driver, or None while the old one is still there."""
    driver = Driver(None, daemon.socket_path, 16)
    try:
        driver.handshake()
        return driver
    except (Disconnected, ConnectionError):
        driver.close()
        return None


def gives_back(driver, gpa=0x400000, length=BLOCK):
    """A report of one range frees it; its neighbours are intact."""
    memory = driver.memory
    page = 4096
    memory.fill(gpa - page, length + 2 * page)
    before = memory.resident
    driver.report([(gpa, length)])
    assert memory.resident == before - length, (before, memory.resident)
    assert memory.intact(gpa - page, page)
    assert memory.intact(gpa + length, page)
    assert memory.zero(gpa, length)


def has_statistics(daemon):
    """The device keeps the statistics buffer."""
    wait.until(lambda: queue(daemon, "stats")["in-flight"] == 1,
               "the statistics are taken")


def calls_who_wants_it(driver):
    """A driver that wants no interrupt gets none, and one that does."""
    ring = driver.ring("report")
    ring.set_no_interrupt(True)
    gives_back(driver)
    assert driver.called("report") == 0
    ring.set_no_interrupt(False)
    gives_back(driver, 8 * MIB)
    wait.until(lambda: driver.called("report"), "the driver is called")


def closed(frontend):
    """True when the back-end has closed the connection."""
    if not frontend.channel.readable(0):
        return False
    try:
        frontend.channel.receive()
    except Disconnected:
        return True
    return False


def raw(daemon):
    """A bare connection."""
    return FrontEnd.connect(daemon.socket_path)


OVERCOMMIT = "/proc/sys/vm/nr_overcommit_hugepages"


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def huge_region(t, gpa, size):
    """Guest memory on huge pages of 2 MiB: those that are free here, or that
    this test may have for its time."""
    try:
        with open(OVERCOMMIT) as file:
            before = file.read()
        write(OVERCOMMIT, "%d" % (int(before) + size // (2 * MIB)))
        t.defer(write, OVERCOMMIT, before)
    except OSError as error:
        t.log("huge pages: %s" % error)
    try:
        return Region(gpa, size, flags=os.MFD_HUGETLB | os.MFD_HUGE_2MB)
    except OSError as error:
        raise runner.Skip("%d MiB on huge pages cannot be had: %s" % (
            size // MIB, error)) from None


def lingering():
    """A TCP socket whose last close waits an hour, and its peer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        fd = socket.create_connection(listener.getsockname())
        peer = listener.accept()[0]
    fd.setblocking(False)
    try:
        while True:
            fd.send(bytes(1 << 16))
    except BlockingIOError:
        pass
    fd.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                  struct.pack("ii", 1, 3600))
    return fd, peer
