# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Guests that clear or poison what they free."""

from common import machine
from common.machine import MIB

from .machine import boot
from .test_guest import intact, keep, load_driver, pause

POISON = 0xaaaaaaaa


def test_init_on_free(t):
    """With init_on_free=1 all memory is resident at boot, the driver takes
    PAGE_POISON with the value 0, and reports are discarded, also after a
    pause; a page that comes back is still zero."""
    m = boot(t, append=["init_on_free=1"])
    assert m.resident >= 480 * MIB, m.resident
    load_driver(m)
    keep(m)
    assert m.has(machine.F_POISON) and m.has(machine.F_REPORT)
    m.wait_resident_below(160 * MIB, "after the probe")
    m.wait_discarded(300 * MIB)
    assert m.part("config")["poison-val"] == 0
    pause(m)
    m.guest.run("dd if=/dev/zero of=/tmp/z bs=1M count=100 2>/dev/null && "
                "cmp -n 104857600 /tmp/z /dev/zero")
    before = m.report()["bytes-discarded"]
    m.guest.remove("z")
    m.wait_discarded(before + 64 * MIB)
    intact(m)
    m.finish()


def test_page_poison(t):
    """With page_poison=1 free pages have a content that the guest checks:
    what it reports is not discarded, also after a pause.

    With F_STATUS a pause forgot the value, and the next report was
    discarded although its pages are poisoned (fault 3).
    """
    m = boot(t, append=["page_poison=1", "init_on_alloc=0"])
    load_driver(m)
    keep(m)
    assert m.has(machine.F_POISON)
    assert m.part("config")["poison-val"] == POISON, m.part("config")
    for turn in range(3):
        before = m.report()["poisoned"]
        m.guest.zeros("big", 100)
        m.guest.remove("big")
        machine.wait.until(lambda: m.report()["poisoned"] > before,
                           lambda: "reports: %r" % m.report())
        assert m.report()["bytes-discarded"] == 0, m.report()
        pause(m)
        value = m.part("config")["poison-val"]
        assert value == POISON, "%#x after pause %d" % (value, turn)
    intact(m)
    log = m.guest.run("dmesg")
    assert "pagealloc: memory corruption" not in log, log
    m.guest.poweroff()
    m.daemon.stop()
