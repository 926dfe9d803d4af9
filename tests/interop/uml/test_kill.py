# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The daemon is killed again and again under a real driver that frees and
allocates memory, and a new one goes on by the record of buffers in flight.

FPH_UML_KILLS is how often.
"""

import os
import random
import time

from common import daemon as daemons
from common import wait
from common.machine import Machine, MIB

from . import guest as guests
from .machine import DISKS
from .relay import Relay

KILLS = int(os.environ.get("FPH_UML_KILLS", "10"))

# Content that is checked, and memory that comes and goes.
CHURN = """
while [ ! -f /tmp/enough ]; do
	dd if=/dev/urandom of=/tmp/a bs=1M count=8 2>/dev/null
	sum=$(md5sum < /tmp/a)
	dd if=/dev/zero of=/tmp/b bs=1M count=96 2>/dev/null
	rm /tmp/b
	[ "$(md5sum < /tmp/a)" = "$sum" ] || echo BAD
	rm /tmp/a
	usleep 300000
done &
"""


def reports(m):
    return m.report()["returned"]


def wait_for_report(m, seconds):
    """Until one is in flight, but not longer; whether it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        queue = m.queue("report")
        if queue and queue["in-flight"]:
            return True
    return False


def test_killed_again_and_again(t):
    """Checksums hold, and reports go on after every kill: a buffer that is
    lost ends them for good, one that comes twice is told of by the guest."""
    rng = random.Random(6)
    daemon = daemons.start(t, DISKS)
    relay = Relay(os.path.join(t.workdir, "relay"), daemon.socket_path)
    relay.start()
    t.defer(relay.end)
    guest = guests.Guest(t.workdir, relay.listener.getsockname())
    t.on_failure("console of the guest", guest.console_tail)
    t.defer(guest.kill)
    guest.start()
    m = Machine(t, daemon, guest)
    guest.insmod()
    kept = guest.fill("kept", 16)
    guest.run(CHURN.replace("while", "(while", 1).rstrip(" &\n")
              + ") > /tmp/churn 2>&1 &")
    in_flight = 0
    for n in range(KILLS):
        daemon.command("set-discard-delay", ms=rng.choice((0, 2, 20)))
        if n % 10 == 9:
            wait.until(lambda: reports(m) > 0, "reports go on")
        in_flight += wait_for_report(m, rng.choice((0.1, 0.5, 3)))
        daemon.kill()
        daemon.start()
        wait.until(lambda: relay.reconnects > n, "the relay reconnects")
    wait.until(lambda: reports(m) > 0, "reports go on")
    guest.run("touch /tmp/enough; sleep 2")
    assert guest.checksum("kept") == kept
    assert "BAD" not in guest.run("cat /tmp/churn")
    guest.zeros("big", 200)
    high, before = m.resident, m.report()["bytes-discarded"]
    guest.remove("big")
    m.wait_resident_below(high - 140 * MIB, "memory comes back")
    m.wait_discarded(before + 140 * MIB)
    for word in ("is not a head", "out of range", "BUG", "Oops"):
        assert word not in guest.console_text(), word
    t.log("%d kills, %d with a report in flight" % (KILLS, in_flight))
    assert in_flight, "none had a report in flight"
    guest.poweroff()
    daemon.stop()
