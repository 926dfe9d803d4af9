# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A daemon that dies, and command lines that cannot work."""

from common import daemon as daemons
from common import wait
from common.machine import MIB

from . import guest as guests
from .machine import boot
from .test_guest import give_back, intact, keep, load_driver


def test_daemon_killed(t):
    """The daemon dies by SIGKILL: the guest lives on with its data and can
    use all its memory, but its device is lost, since QEMU's generic device
    cannot reconnect. A new daemon on the same path serves the next guest.
    """
    m = boot(t, mem_mib=384)
    load_driver(m)
    keep(m)
    give_back(m)
    m.wait_reports_quiet()
    pid = m.daemon.process.pid
    m.daemon.kill()
    low = m.resident
    m.guest.zeros("big", 150)
    high = m.resident
    assert high >= low + 120 * MIB
    intact(m)
    m.guest.remove("big")
    again = boot(t, name="again", mem_mib=256, on=m.daemon.start())
    assert m.daemon.process.pid != pid
    load_driver(again)
    keep(again)
    give_back(again)
    assert m.resident >= high - 4 * MIB, "nobody discards any more"
    intact(m)
    intact(again)
    assert m.guest.alive()
    again.finish()
    m.guest.qmp.command("quit")
    wait.until(lambda: not m.guest.alive(), "QEMU quits")


def told(t, name, words, **settings):
    """Start a guest by a wrong command line; whoever notices, QEMU, the
    guest or the daemon, must say one of the words: what to set."""
    server = daemons.start(t, "--verbose", name=name)
    properties = guests.device(0, **settings.pop("device", {}))
    options = guests.chardev(0, server.socket_path) + \
        guests.device_option(properties)
    guest = guests.Guest(t.workdir, None, 256, options=options, name=name,
                         **settings)
    t.defer(guest.kill)
    try:
        guest.start()
        guest.run("insmod /virtio_balloon.ko", check=False)
    except (AssertionError, OSError) as error:
        t.log("%s: %s" % (name, error))
    guest.kill()

    def text():
        return server.log_text() + guest.errors_text()
    try:
        wait.until(lambda: any(word in text() for word in words), "", 10)
    except wait.WaitTimeout:
        raise AssertionError("nobody says %s; QEMU: %s\ndaemon:\n%s" % (
            " or ".join(words), guest.errors_text(),
            server.log_tail(25))) from None
    wait.until(lambda: not server.stats()["front-end"]["connected"],
               "the daemon is free again")
    server.stop()


def config_size_small(t):
    """config_size=8 hides the hints' command id and the poison value."""
    told(t, "small", ["config_size=16"], device={"config_size": 8})


def config_size_large(t):
    """config_size=64 works, but has bytes that mean nothing."""
    told(t, "large", ["config_size=16"], device={"config_size": 64})


def num_vqs_few(t):
    """num_vqs=4 leaves the reports without a queue: the driver's probe
    fails, and the daemon notices when QEMU ends."""
    told(t, "few", ["num_vqs=5"], device={"num_vqs": 4})


def num_vqs_many(t):
    """num_vqs=6 has a queue that the daemon does not know."""
    told(t, "many", ["num_vqs=5"], device={"num_vqs": 6})


def memory_not_shared(t):
    """Memory that the daemon cannot map."""
    told(t, "private", ["share=on"],
         mem_options=guests.memory(256, shared=False))


def test_wrong_command_lines(t):
    """Whoever gives QEMU a wrong number of queues, a wrong size of config
    space or memory that is not shared is told what to set."""
    for case in (config_size_small, config_size_large, num_vqs_few,
                 num_vqs_many, memory_not_shared):
        t.case(case, t)
