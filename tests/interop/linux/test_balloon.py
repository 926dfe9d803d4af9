# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What a balloon driver does beside hints: reports, the balloon, statistics,
and a memory that grows and shrinks; the stock driver takes over in between.
"""

import time

from common import wait
from vm.guest import MIB

from . import parts
from .machine import boot

REPORT_ORDER = "/sys/module/page_reporting/parameters/page_reporting_order"


def wait_for(function, what):
    wait.until(function, lambda: "%s: %r" % (what, function()), 60)


def resident(guest):
    """Host memory behind the guest's."""
    return guest.memory.allocated()


def reporting(guest):
    """What was filled and freed goes back to the host, and content stays. The
    smallest order is wanted, and is 1 where 0 is the kernel's choice."""
    guest.load("off", "report_order=0")
    order = int(guest.run("cat " + REPORT_ORDER))
    assert order == (1 if guest.kernel == parts.OLD else 0), order
    guest.dirty(320)
    before = guest.status()["report_bytes"]
    wait.until(lambda: guest.status()["report_bytes"] > before + 300 * MIB,
               lambda: "reports: %r" % guest.status(), 60)
    assert guest.status()["report_failed"] == 0, guest.status()
    guest.check_kept()
    guest.unload("off")


def set_balloon(guest, mib):
    guest.qmp.command("balloon", value=mib * MIB)


def actual(guest):
    return guest.qmp.command("query-balloon")["actual"]


def inflate(guest):
    """The balloon reaches each size, all the guest's memory comes back, and
    so it does when the driver goes while it is inflated."""
    guest.load("until_used")
    total = guest.meminfo()["MemTotal"]
    for mib in (384, 448, 512):
        set_balloon(guest, mib)
        wait.until(lambda: actual(guest) == mib * MIB,
                   lambda: "balloon: %d" % actual(guest), 60)
        assert guest.status()["balloon_pages"] == (512 - mib) * 256
    assert guest.meminfo()["MemTotal"] == total
    set_balloon(guest, 384)
    wait.until(lambda: actual(guest) == 384 * MIB, "the balloon grows", 60)
    assert guest.meminfo()["MemTotal"] == total - 128 * MIB
    guest.unload("until_used")
    assert guest.meminfo()["MemTotal"] == total
    set_balloon(guest, 512)
    guest.check_kept()


def statistics(guest):
    """Each tag that QEMU knows is given, and free memory is about right."""
    path = "/machine/peripheral/balloon"
    guest.load("until_used")
    guest.qmp.command("qom-set", path=path,
                      property="guest-stats-polling-interval", value=1)
    stats = {}

    def there():
        got = guest.qmp.command("qom-get", path=path, property="guest-stats")
        stats.update(got["stats"])
        return got["last-update"] > 0
    wait.until(there, lambda: "statistics: %r" % stats, 30)
    given = {name for name, value in stats.items() if value != (1 << 64) - 1
             and value != -1}
    missing = set(stats) - given
    assert not missing, missing
    free = guest.meminfo()["MemFree"]
    assert abs(stats["stat-free-memory"] - free) < 32 * MIB, (stats, free)
    guest.qmp.command("qom-set", path=path,
                      property="guest-stats-polling-interval", value=0)
    guest.unload("until_used")


def takes_turns(guest):
    """With the stock driver, again and again."""
    for _ in range(3):
        guest.load("stock")
        guest.unload("stock")
        guest.load("armed")
        guest.unload("armed")
    guest.check_kept()


def bad_parameter(guest):
    """A way of hinting that is none is refused with a word."""
    status, _ = guest.execute("insmod /fph_balloon.ko hint=sometimes; "
                              "test -e /sys/bus/virtio/drivers/fph_balloon/"
                              "virtio0", 30)
    assert status != 0, "a bad parameter was taken"
    assert "hint=sometimes: " in guest.run("dmesg"), guest.run("dmesg")
    guest.run("rmmod fph_balloon")


def _test(t, kernel):
    guest = boot(t, kernel, mem_mib=512, report=True)
    guest.keep()
    for case in (reporting, inflate, statistics, takes_turns, bad_parameter):
        t.case(case, guest)
    complaints = guest.complaints()
    assert not complaints, complaints
    guest.poweroff()


def test_balloon_old(t):
    """Kernel 6.1: reports, balloon, statistics, and the stock driver."""
    _test(t, parts.OLD)


def test_balloon_new(t):
    """The same on the newest kernel."""
    _test(t, parts.NEW)


def test_hotplug(t):
    """Memory comes and goes while rounds run: no hint is of memory that is
    not there, nothing is lost, and the kernel does not complain."""
    guest = boot(t, parts.NEW, mem_mib=512, options=[
        "-object", "memory-backend-ram,id=more,size=256M"],
        mem_options=["-m", "512M,slots=2,maxmem=2G", "-object",
                     "memory-backend-memfd,share=on,id=ram,size=512M"])
    guest.keep()
    guest.churn(slots=16)
    guest.load("never")
    before = guest.meminfo()["MemTotal"]
    guest.qmp.command("device_add", driver="pc-dimm", id="dimm",
                      memdev="more")
    guest.run("sleep 1; for m in /sys/devices/system/memory/memory*/state; "
              "do grep -q offline $m && echo online_movable > $m; done; true")
    wait.until(lambda: guest.meminfo()["MemTotal"] > before,
               "memory comes", 30)
    for turn in range(4):
        guest.qmp.command("migrate-set-parameters", **{
            "max-bandwidth": 20 * MIB})
        guest.qmp.command("migrate", uri="exec:cat > /dev/null")
        time.sleep(0.2)
        guest.run("for m in /sys/devices/system/memory/memory*; do grep -q "
                  "Movable $m/valid_zones && echo %s > $m/state; done; true"
                  % ("online_movable" if turn % 2 else "offline"))
        guest.qmp.command("migrate_cancel")
        wait.until(lambda: guest.qmp.command("query-migrate")["status"] in
                   ("cancelled", "completed"), "migration ends", 30)
    t.log("%r" % guest.status())
    assert guest.status()["hint_rounds"] >= 2, guest.status()
    guest.check_kept()
    t.log(guest.check_churn())
    complaints = guest.complaints()
    assert not complaints, complaints
    guest.unload("never")
    guest.poweroff()
