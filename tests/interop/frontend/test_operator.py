# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What an operator sees of a guest as time goes by."""

import os
import re
import struct
import subprocess
import threading
import time

from common import daemon as daemons
from common import wait

from . import fixture, test_fphctl
from . import driver as drivers
from .driver import CFG_ACTUAL, MIB


def balloon_events(control):
    """Those that are here."""
    control.command("query-hint")
    return [(name, data["target"], data["actual"])
            for name, data in control.drain_events()]


def test_balloon_events(t):
    """Each target is told of once when it is reached, and a balloon that
    stands still short of it once; it may move again."""
    daemon, d = fixture.start(t, "--stuck-after=0.2")
    reached, stuck = "BALLOON_TARGET_REACHED", "BALLOON_STUCK"
    daemon.command("subscribe", events=["balloon"])
    _, lines = test_fphctl.begin(t, daemon, "events")

    def listening():
        """Its first line shows that it has subscribed."""
        daemon.command("hint-start")
        daemon.command("hint-done")
        return lines()
    wait.until(listening, "events shows what happens")
    assert not balloon_events(daemon.control), "nothing was wanted"
    daemon.command("balloon", balloon=8 * MIB)
    d.set_config(CFG_ACTUAL, 1024)
    expect(daemon, stuck, 8 * MIB, 4 * MIB)
    d.set_config(CFG_ACTUAL, 2048)
    expect(daemon, reached, 8 * MIB, 8 * MIB)
    # By the guest's own will, and back.
    d.set_config(CFG_ACTUAL, 2047)
    expect(daemon, stuck, 8 * MIB, 8 * MIB - 4096)
    d.set_config(CFG_ACTUAL, 2048)
    expect(daemon, reached, 8 * MIB, 8 * MIB)
    daemon.command("balloon", balloon=0)
    d.set_config(CFG_ACTUAL, 0)
    expect(daemon, reached, 0, 0)
    time.sleep(0.5)
    assert not balloon_events(daemon.control), "each is told of once"
    wait.until(lambda: lines()[-1] == "balloon reached 0 0",
               lambda: repr(lines()))
    for line in ("balloon stuck %d %d" % (8 * MIB, 4 * MIB),
                 "balloon reached %d %d" % (8 * MIB, 8 * MIB)):
        assert line in lines(), lines()


def expect(daemon, name, target, actual):
    """This event comes next. On a slow machine the balloon may have stood
    still between two steps of the test as well: another place is told of."""
    while True:
        event = daemon.control.next_event()
        if event == (name, {"target": target, "actual": actual}):
            return
        assert event[0] == "BALLOON_STUCK", event
        assert event[1]["actual"] != actual, event


def test_balloon_without_a_driver(t):
    """A balloon is not stuck while nobody could move it."""
    daemon = daemons.start(t, "--stuck-after=0.05", "--num-pages=64")
    daemon.command("subscribe", events=["balloon"])
    time.sleep(0.3)
    assert not balloon_events(daemon.control)
    fixture.connect(t, daemon).start()
    assert daemon.control.next_event()[0] == "BALLOON_STUCK"


def test_periodic_statistics(t):
    """With an interval the guest is asked again and again, and query-stats
    has what it said and when."""
    daemon, d = fixture.start(t, "--stats-interval=0.05")
    stats = daemon.stats()["guest"]
    assert stats == {"interval-ms": 50, "updates": 0}
    before = int(time.time())
    for value in range(1, 6):
        d.memory.write(d.BUFFERS, struct.pack("<HQ", 4, value << 20))
        d.offer("stats", [(d.BUFFERS, 10, False)])
        wait.until(lambda: daemon.stats()["guest"]["updates"] == value,
                   "update %d" % value)
        stats = daemon.stats()["guest"]
        assert stats["free-memory"] == value << 20, stats
        assert before <= stats["last-update"] <= time.time(), stats
        assert stats["age-ms"] >= 0
        wait.until(lambda: d.ring("stats").take_used(), "it is asked")
    run = test_fphctl.run
    run(t, daemon, "stats-interval", "0.01")
    assert daemon.stats()["guest"]["interval-ms"] == 10
    run(t, daemon, "stats-interval", "0")
    assert daemon.stats()["guest"]["interval-ms"] == 0
    run(t, daemon, "stats-interval", "x", expect=test_fphctl.USAGE)
    text = run(t, daemon, "metrics")
    assert "fph_guest_free_memory %d\n" % (5 << 20) in text
    # Another guest's are not those of this one.
    d.close()
    wait.until(lambda: not daemon.stats()["front-end"]["connected"], "gone")
    assert "last-update" not in daemon.stats()["guest"]


def test_statistics_on_demand(t):
    """The answer of query-guest-stats has the time as well."""
    daemon, d = fixture.start(t)
    d.memory.write(d.BUFFERS, bytes(10))
    d.offer("stats", [(d.BUFFERS, 10, False)])
    wait.until(lambda: fixture.queue(daemon, "stats")["popped"], "taken")
    assert daemon.stats()["guest"]["updates"] == 1
    found = []
    thread = threading.Thread(target=lambda: found.append(
        daemon.command("query-guest-stats")))
    thread.start()
    wait.until(lambda: d.ring("stats").take_used(), "it is asked")
    d.offer("stats", [(d.BUFFERS, 10, False)])
    thread.join()
    assert found[0]["updates"] == 2
    assert abs(found[0]["last-update"] - time.time()) < 600


def test_forsaken_hint_round(t):
    """With --hint-timeout a round ends with DONE some time after the last
    client that followed it is gone; not before, and not without."""
    daemon, d = fixture.start(t, "--hint-timeout=0.3")
    client = daemons.Control(daemon.control_path)
    client.command("subscribe", events=["skip"])
    client.command("hint-start")
    first = d.wait_command(0)
    d.hint_word(first)
    d.hint([(8 * MIB, MIB)])
    time.sleep(1)
    assert d.config(drivers.CFG_CMD_ID) == first, "a client follows it"
    client.close()
    assert d.wait_command(first) == drivers.ID_DONE
    assert daemon.hint()["state"] == "done"
    # Stopped, but the guest still has its pages.
    daemon.command("hint-start")
    second = d.wait_command(drivers.ID_DONE)
    d.hint_word(second)
    d.hint_word(drivers.ID_STOP)
    daemon.command("hint-stop")
    wait.until(lambda: d.config(drivers.CFG_CMD_ID) == drivers.ID_DONE,
               "the guest can have them back")
    assert "no client follows" in daemon.log_text()
    daemon.stop()
    daemon, d = fixture.start(t)
    daemon.command("hint-start")
    first = d.wait_command(0)
    time.sleep(0.5)
    assert d.config(drivers.CFG_CMD_ID) == first


class Pressure:
    """A file in the format of PSI."""

    def __init__(self, t):
        self.path = os.path.join(t.workdir, "pressure")
        self.set(0)

    def set(self, percent):
        with open(self.path, "r+b" if os.path.exists(self.path)
                  else "wb") as file:
            file.write(b"some avg10=%05.2f avg60=0.00 avg300=0.00 total=1\n"
                       b"full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
                       % percent)


class Guest:
    """Follows the target at once, and answers with its statistics."""

    def __init__(self, d):
        self.d = d
        self.used = 10 * MIB
        self.memory = d.memory.regions[0].size
        self.answer()

    def answer(self):
        d = self.d
        pages = d.config(drivers.CFG_NUM_PAGES)
        d.set_config(CFG_ACTUAL, pages)
        left = self.memory - pages * 4096 - self.used
        d.memory.write(d.BUFFERS, struct.pack("<HQHQ", 4, 77, 6,
                                              max(left, 0)))
        d.offer("stats", [(d.BUFFERS, 20, False)])

    def size(self):
        """Its size in MiB, after it has answered what it was asked."""
        if self.d.ring("stats").take_used():
            self.answer()
        pages = self.d.config(drivers.CFG_NUM_PAGES)
        return (self.memory - pages * 4096) // MIB


def test_policy(t):
    """--policy: between floor and ceiling, by pressure and by need; it can be
    switched off, and a size by hand is refused while it is on."""
    pressure = Pressure(t)
    pressure.set(5)
    daemon, d = fixture.start(
        t, "--pressure-file=" + pressure.path, "--policy=floor=24M,"
        "ceiling=48M,reserve=4M,step=8M,calm=2,low=1,high=10,interval=0.2")
    guest = Guest(d)

    def becomes(size, reason):
        wait.until(lambda: guest.size() == size
                   and daemon.stats()["policy"]["reason"] == reason,
                   lambda: "%d: %r" % (size, daemon.stats()["policy"]))
    becomes(48, "keep")
    pressure.set(50)
    becomes(24, "keep")
    guest.used = 32 * MIB
    becomes(36, "keep")
    pressure.set(0.5)
    becomes(48, "keep")
    pressure.set(99.99)
    guest.used = 40 * MIB
    becomes(45, "keep")
    stats = daemon.stats()["policy"]
    assert stats["enabled"] and stats["pressure"] == 9999, stats
    # A guest that says nothing any more keeps what it has.
    guest.used = 0
    wait.until(lambda: daemon.stats()["policy"]["reason"] == "no-statistics",
               "it is silent")
    assert d.config(drivers.CFG_NUM_PAGES) == 19 * MIB // 4096
    run = test_fphctl.run
    assert "PolicyDecides" in run(t, daemon, "balloon", "32M",
                                  expect=test_fphctl.REFUSED)
    run(t, daemon, "policy", "off")
    run(t, daemon, "balloon", "32M")
    assert guest.size() == 32
    run(t, daemon, "policy", "on")
    becomes(24, "keep")
    assert re.search("floor +25165824", run(t, daemon, "policy"))
    run(t, daemon, "policy", "fly", expect=test_fphctl.USAGE)


def test_policy_options(t):
    """What is wrong with a policy is said; without one there is none."""
    base = "--socket-path=" + os.path.join(t.workdir, "x")
    for text in ("ceiling=1G", "floor=1G,ceiling=1M", "floor=0", "floor",
                 "floor=1M,fly=1", "floor=1M,low=10,high=1", "floor=1M,low=x",
                 "floor=1M,interval=0"):
        done = subprocess.run([t.options.daemon, base, "--policy=" + text],
                              check=False, stderr=subprocess.PIPE, text=True,
                              timeout=60 * wait.SCALE)
        assert done.returncode == 2 and "policy" in done.stderr, (text, done)
    for path in ("/nowhere/pressure", "/dev/null"):
        done = subprocess.run(
            [t.options.daemon, base, "--policy=floor=1M",
             "--pressure-file=" + path], check=False,
            stderr=subprocess.PIPE, text=True, timeout=60 * wait.SCALE)
        assert done.returncode == 1 and path in done.stderr, done
    daemon = daemons.start(t)
    assert "policy" not in daemon.stats()
    test_fphctl.run(t, daemon, "policy", expect=test_fphctl.REFUSED)
