# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Life and death: reload, loss of the daemon, one guest after another."""

import os
import signal

from common import machine, wait
from common.machine import MIB

from .machine import boot


def give_back(m, mib=200):
    """Allocate and free; the host must get its memory back."""
    m.guest.zeros("big", mib)
    high, before = m.resident, m.report()["bytes-discarded"]
    m.guest.remove("big")
    m.wait_resident_below(high - (mib - 60) * MIB, "memory comes back")
    m.wait_discarded(before + (mib - 60) * MIB)


def test_driver_reload(t):
    """rmmod and insmod on the same connection: the device is reset, the
    balloon is empty, reports, hints and the balloon work as before."""
    reload(t, boot(t))


def test_packed(t):
    """The same with packed rings: Linux takes them where they are offered,
    and its transport says that the base of each is 0."""
    m = boot(t, daemon=["--packed=on"])
    assert m.has(machine.F_PACKED)
    reload(t, m)


def reload(t, m):
    kept = m.guest.fill("kept", 8)
    give_back(m)
    machine.set_balloon(m, 24 * MIB)
    machine.wait_balloon(m, 24 * MIB)
    for turn in range(2):
        machine.set_balloon(m, 0)
        m.guest.rmmod()
        assert machine.actual(m) == 0, "the driver gave its balloon back"
        m.guest.insmod()
        wait.until(lambda: m.has(machine.F_REPORT), "negotiated again")
        give_back(m)
        machine.set_balloon(m, 16 * MIB)
        machine.wait_balloon(m, 16 * MIB)
        m.wait_reports_quiet()
        starts = m.hint()["starts"]
        m.daemon.command("hint-start")
        hint = m.wait_hint_state("stopped")
        assert hint["starts"] == starts + 1, hint
        m.daemon.command("hint-done")
        m.log("turn %d done" % turn)
    assert m.guest.checksum("kept") == kept
    m.finish()


def orphaned(t, number):
    """The daemon ends by a signal under a running guest, which loses its
    device, keeps its data, and ends by itself.

    The device is at rest: with a balloon, or with a report that nobody
    returns, Linux 6.1 waits for the lost device for ever when it removes
    the driver, and cannot be powered off. No device can help that.
    """
    m = boot(t)
    kept = m.guest.fill("kept", 12)
    give_back(m)
    memory = m.guest.memory
    m.wait_reports_quiet()
    if number == signal.SIGKILL:
        m.daemon.kill()
    else:
        m.daemon.stop()
    low = memory.resident
    wait.until(lambda: not m.guest.run("ls /sys/bus/virtio/devices").split(),
               "the device is removed", 60, 0.2)
    m.guest.zeros("big", 200)
    high = memory.resident
    assert high >= low + 150 * MIB, "%.1f MiB after %.1f" % (high / MIB,
                                                             low / MIB)
    m.guest.remove("big")
    assert m.guest.checksum("kept") == kept
    again = m.guest.fill("again", 16)
    assert m.guest.checksum("again") == again
    assert memory.resident >= high - 4 * MIB, "nobody discards any more"
    m.guest.poweroff(lost_device=True)
    return m


def test_daemon_killed(t):
    """The daemon dies by SIGKILL: the guest lives on without its device,
    can use all its memory, and its data is intact."""
    orphaned(t, signal.SIGKILL)


def test_daemon_terminated(t):
    """SIGTERM under a running guest: the daemon ends with 0 and unlinks
    its sockets; the guest lives on."""
    m = orphaned(t, signal.SIGTERM)
    assert not os.path.exists(m.daemon.socket_path)


def test_two_guests_in_a_row(t):
    """One daemon serves one guest after another, from a clean state: the
    second finds no balloon, no hint round and no features of the first."""
    m = boot(t, name="first")
    give_back(m)
    machine.set_balloon(m, 16 * MIB)
    machine.wait_balloon(m, 16 * MIB)
    machine.set_balloon(m, 0)
    m.daemon.command("hint-start")
    m.wait_hint_state("stopped")
    old = m.hint()["cmd-id"]
    m.guest.kill()
    wait.until(lambda: not m.part("front-end")["connected"],
               "the daemon sees the first guest die")
    m = boot(t, name="second", on=m.daemon)
    assert machine.actual(m) == 0
    give_back(m)
    m.wait_reports_quiet()
    m.daemon.command("hint-start")
    hint = m.wait_hint_state("stopped")
    assert hint["cmd-id"] > old, "ids are never issued again"
    m.daemon.command("hint-done")
    m.finish()


def test_guest_dies_in_a_discard(t):
    """The guest is killed while a discard is in flight: the daemon waits
    for it, drops the guest, and serves the next one."""
    m = boot(t, name="first")
    m.guest.zeros("big", 200)
    m.daemon.command("set-discard-delay", ms=1500)
    m.guest.remove("big")
    wait.until(lambda: m.queue("report")["in-flight"] == 1,
               "a chain is in flight", 60, 0.05)
    m.guest.kill()
    wait.until(lambda: not m.part("front-end")["connected"],
               "the daemon sees the first guest die")
    m.daemon.command("set-discard-delay", ms=0)
    m = boot(t, name="second", on=m.daemon)
    give_back(m)
    m.guest.poweroff()
    m.daemon.stop()
