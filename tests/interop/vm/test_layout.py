# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""More than one guest, more than one region of memory."""

from common import machine, wait
from common.machine import MIB

from . import guest as guests
from .machine import boot
from .test_guest import give_back, intact, keep, load_driver

GIB = 1 << 30


def test_two_guests(t):
    """Two guests on two daemons: each gives back its own memory only. The
    second daemon has no hints, so that its guest uses four queues of five.
    """
    first = boot(t, mem_mib=256)
    second = boot(t, machine.WITHOUT_HINT, mem_mib=256, name="other")
    for m in (first, second):
        load_driver(m)
        keep(m)
    first.wait_reports_quiet()
    second.wait_reports_quiet()
    second.guest.zeros("big", 96)
    was, reports = second.resident, second.report()
    give_back(first)
    machine.set_balloon(first, 16 * MIB)
    machine.wait_balloon(first, 16 * MIB)
    assert machine.actual(second) == 0
    assert second.resident >= was - 2 * MIB
    assert second.report()["bytes-offered"] == reports["bytes-offered"]
    second.guest.remove("big")
    second.wait_resident_below(was - 64 * MIB, "the other gives back")
    machine.set_balloon(first, 0)
    machine.wait_balloon(first, 0)
    for m in (first, second):
        intact(m)
        m.finish()


def test_two_regions(t):
    """6 GiB are 2 GiB below and 4 GiB above the hole of the PCI devices:
    two regions of one file; both are reported and discarded."""
    low, end = 2 * GIB, 6 * GIB
    m = boot(t, mem_mib=6144, append=["init_on_alloc=0"])
    load_driver(m)
    keep(m)
    memory = m.guest.memory
    assert m.part("memory")["regions"] == 2, m.part("memory")
    assert m.part("memory")["bytes"] == memory.size == end
    m.guest.zeros("above", 100)
    # Linux takes what is above first. Huge pages, which nobody touches, fill
    # that up, and the rest comes from below.
    m.guest.run("echo 1980 > /proc/sys/vm/nr_hugepages")
    m.guest.zeros("below", 240)
    high, top = memory.data(0, low), memory.data(low, end)
    t.log("below %d MiB, above %d MiB" % (high // MIB, top // MIB))
    assert high >= 120 * MIB and top >= 100 * MIB, (high, top)
    m.guest.remove("below", "above")
    wait.until(lambda: memory.data(0, low) <= high - 80 * MIB,
               lambda: "below: %d" % memory.data(0, low), 120, 0.2)
    m.guest.run("echo 0 > /proc/sys/vm/nr_hugepages")
    wait.until(lambda: memory.data(low, end) <= top - 64 * MIB,
               lambda: "above: %d" % memory.data(low, end), 120, 0.2)
    intact(m)
    m.finish()


def plug(m, number, bus):
    properties = dict(guests.device(number), bus=bus)
    m.guest.qmp.command("chardev-add", id="c%d" % number, backend={
        "type": "socket", "data": {
            "addr": {"type": "unix", "data": {"path": m.daemon.socket_path}},
            "server": False}})
    m.guest.qmp.command("device_add", **properties)
    wait.until(lambda: m.guest.run("ls /sys/bus/virtio/devices").split(),
               "the guest sees the device", 60, 0.2)


def unplug(m, number):
    m.guest.qmp.command("device_del", id="balloon%d" % number)
    m.guest.qmp.wait_event("DEVICE_DELETED")
    m.guest.qmp.command("chardev-remove", id="c%d" % number)
    wait.until(lambda: not m.part("front-end")["connected"],
               "the daemon sees the device go")


def plug_device(m):
    """device_add: the device works as one that was there at boot."""
    plug(m, 1, "port1")
    load_driver(m)
    keep(m)
    give_back(m)


def add_dimm(m):
    """A DIMM of 512 MiB comes: a second region, which is reported too, and
    the balloon stays as large as it was.

    The size asked for was one of the guest, so that all new memory went
    into the balloon at once (fault 8).
    """
    size, total = 16 * MIB, m.guest.meminfo()["MemTotal"]
    machine.set_balloon(m, size)
    machine.wait_balloon(m, size)
    total -= size
    m.guest.qmp.command("object-add", **{
        "qom-type": "memory-backend-memfd", "id": "more",
        "size": 512 * MIB, "share": True})
    m.guest.qmp.command("device_add", driver="pc-dimm", id="dimm",
                        memdev="more")
    wait.until(lambda: m.guest.meminfo()["MemTotal"] >= total + 480 * MIB,
               "the guest has the memory", 60, 0.2)
    memory = m.part("memory")
    assert memory["regions"] == 2 and memory["bytes"] == GIB, memory
    try:
        target = m.part("balloon")["target"]
        assert target == size, "the DIMM is to go into the balloon"
    finally:
        machine.set_balloon(m, 0)
        machine.wait_balloon(m, 0)
    m.guest.run("mount -o remount,size=800M /tmp")
    m.guest.zeros("big", 560)
    before = m.report()["bytes-discarded"]
    m.guest.remove("big")
    m.wait_discarded(before + 448 * MIB)
    intact(m)


def remove_dimm(m):
    """The DIMM goes: one region again, and the device works on."""
    m.guest.qmp.command("device_del", id="dimm")
    m.guest.qmp.wait_event("DEVICE_DELETED", 90)
    wait.until(lambda: m.part("memory")["regions"] == 1,
               lambda: "one region: %r" % m.part("memory"))
    assert m.part("memory")["bytes"] == 512 * MIB
    give_back(m)
    intact(m)


def unplug_device(m):
    """device_del: the guest has all its memory back; the daemon serves the
    next device as a fresh one."""
    total = m.guest.meminfo()["MemTotal"]
    machine.set_balloon(m, 64 * MIB)
    machine.wait_balloon(m, 64 * MIB)
    unplug(m, 1)
    assert m.guest.meminfo()["MemTotal"] == total
    intact(m)
    plug(m, 2, "port2")
    wait.until(lambda: m.part("front-end")["acked"], "features")
    machine.set_balloon(m, 0)
    machine.wait_balloon(m, 0)
    give_back(m)
    intact(m)


def test_plugging(t):
    """Device and memory are added to and taken out of a running guest."""
    options = []
    for port in (1, 2):
        options += ["-device", "pcie-root-port,id=port%d,chassis=%d"
                    % (port, port)]
    m = boot(t, connect=False, options=options,
             append=["memhp_default_state=online_movable"],
             mem_options=guests.memory(512, more=",slots=2,maxmem=2G"))
    for case in (plug_device, add_dimm, remove_dimm, unplug_device):
        t.case(case, m)
    m.finish()
