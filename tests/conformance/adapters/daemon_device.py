#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The balloon daemon as a testee, over vhost-user: daemon_device.py DAEMON.

A discard is a hole in the file behind guest memory.  What the daemon takes
from hints is counted there and acted on by its user, so no skip-range is ever
said; reading the dirty log is the VMM's, which stops the round around it.
A look comes after each request: what came between two is told in the order
that is right.
"""

import os
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "interop"))

from adapter import Adapter, Skip, parse_range           # noqa: E402
from common import daemon as daemons                     # noqa: E402
from frontend import driver as drivers                   # noqa: E402
from frontend import memory as guest_memory              # noqa: E402
from frontend import vhost_user                          # noqa: E402

PAGE = 4096
MIB = 1 << 20
SCRATCH = 0x7e0000000000        # rings and commands lie in a region there
SCRATCH_SIZE = 4 * MIB
RING = 256
POPULATED = 64 * MIB            # a larger region is left empty
WAIT = 3.0
PROTOCOL = drivers.PROTOCOL | 1 << vhost_user.PF_RESET_DEVICE
OPTIONS = (("stats", 1), ("free-page-hint", 3), ("page-poison", 4),
           ("free-page-reporting", 5))


class Driver(drivers.Driver):
    RINGS = SCRATCH
    BUFFERS = SCRATCH + MIB


class DaemonDevice(Adapter):
    hello = "libfph-daemon roles=device acts=reports"

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.daemon = self.driver = None
        self.folder = tempfile.TemporaryDirectory(prefix="fph-daemon.")
        self.turn = 0

    def close(self):
        if self.driver:
            self.driver.close()
        if self.daemon:
            self.daemon.kill()
        self.driver = self.daemon = None

    # Set-up.

    def do_reset(self, *words):
        given = dict(word.split("=") for word in words)
        if given["role"] != "device":
            raise Skip("role")
        if int(given["granule"]) != PAGE:
            raise Skip("its granule is a page")
        self.close()
        offered = int(given["offered"], 0)
        self.turn += 1
        self.daemon = daemons.Daemon(
            self.binary, self.folder.name, *(
                "--%s=%s" % (name, "on" if offered >> bit & 1 else "off")
                for name, bit in OPTIONS), name="d%d" % self.turn)
        self.daemon.start()
        regions = [guest_memory.Region(*parse_range(r))
                   for r in given["mem"].split(",")]
        self.regions, self.filled = regions, {}
        for region in regions:
            if region.size <= POPULATED:
                self.fill(region.gpa, region.size)
        scratch = guest_memory.Region(SCRATCH, SCRATCH_SIZE)
        self.driver = Driver(None, self.daemon.socket_path, num=RING,
                             memory=guest_memory.Memory(*regions, scratch))
        self.driver.handshake(PROTOCOL)
        self.shown, self.was_broken, self.synced = 0, False, False
        self.commands = 0
        self.told_changes = 0
        return self.boot(int(given["features"], 0))

    def boot(self, features):
        d = self.driver
        d.rings, self.names = {}, {}
        if features & ~d.frontend.get_features():
            raise Skip("features that it does not offer")
        d.negotiate(features | drivers.F_PROTOCOL)
        for index in sorted(d.roles.values()):
            d.start_ring(index)
        self.features = features
        return self.told("ok")

    def fill(self, gpa, length):
        """Data, so that a discard there leaves a hole."""
        for region in self.regions:
            start = max(gpa, region.gpa)
            end = min(gpa + length, region.gpa + region.size)
            for at in range(start // PAGE * PAGE, end, PAGE):
                region.map[at - region.gpa] = 0xa5
            if start < end:
                self.filled[region, start] = end

    def fill_large(self, gpa, length):
        """Whole pages of a region that is not filled from the start."""
        start, end = -(-gpa // PAGE) * PAGE, (gpa + length) // PAGE * PAGE
        if any(r.size > POPULATED and r.gpa <= start and
               end <= r.gpa + r.size for r in self.regions):
            self.fill(start, end - start)

    def do_features(self, text):
        return self.boot(int(text, 0))

    def do_device_reset(self):
        self.driver.frontend.reset_device()
        self.look()
        self.driver.roles = {}
        self.synced = False
        return self.told("ok")

    # What is seen.

    def told(self, answer):
        self.look()
        return answer

    def holes(self):
        for (region, start), end in list(self.filled.items()):
            at, end = start - region.gpa, end - region.gpa
            while at < end:
                hole = os.lseek(region.fd, at, os.SEEK_HOLE)
                if hole >= end:
                    break
                try:
                    at = min(os.lseek(region.fd, hole, os.SEEK_DATA), end)
                except OSError:
                    at = end
                yield region.gpa + hole, at - hole
                if region.size > POPULATED:
                    del self.filled[region, start]
                    break               # the next report fills it again
                for page in range(hole, at, PAGE):
                    region.map[page] = 0xa5

    def look(self):
        d = self.driver
        d.frontend.serve_backend()
        shown = d.config(drivers.CFG_CMD_ID)
        d.frontend.serve_backend()
        changes = len(d.frontend.backend_seen)
        # The used ring first: a discard before it is a hole by now.
        used = [(role, pair) for role, index in d.roles.items()
                if index in d.rings for pair in d.rings[index].take_used()]
        for gpa, length in self.holes():
            self.say("discard %#x+%#x" % (gpa, length))
        for role, (head, length) in used:
            self.say("used %s %d" % (self.names.pop((role, head)), length))
        if shown != self.shown:
            self.shown = shown
            self.say("cfg %d" % shown)
        if changes > self.told_changes:
            self.say("irq")
        self.told_changes = changes
        broken = any(q["broken"] for q in self.daemon.stats()["queues"])
        if broken and not self.was_broken:
            # Its VMM sets DEVICE_NEEDS_RESET and raises the interrupt.
            self.say("broken")
            self.say("irq")
        self.was_broken = broken

    # The driver.

    def seg(self, text):
        kind, given = text.split(":")
        if kind != "R":
            return (*parse_range(given), kind == "W")
        data = bytes.fromhex(given)
        if self.commands + len(data) > MIB:
            self.commands = 0
        gpa = Driver.BUFFERS + MIB + self.commands
        self.driver.memory.write(gpa, data)
        self.commands += len(data)
        return gpa, len(data), False

    def do_vq(self, queue, name, *segs):
        d = self.driver
        if queue not in d.roles:
            return "err queue"
        ring = d.ring(queue)
        if len(segs) > len(ring.free):
            raise Skip("more descriptors than the ring has")
        parsed = [self.seg(s) for s in segs]
        for gpa, length, writable in parsed:
            if writable and queue == "report":
                self.fill_large(gpa, length)
        head = ring.add(parsed)
        self.names[queue, head] = name
        d.kick(queue)
        return self.told("ok")

    def do_work(self, steps=None):
        d = self.driver
        end = time.monotonic() + (WAIT if steps is None else 0.005)
        idle = time.monotonic() + 0.15
        left = None
        while time.monotonic() < end:
            here = sum(ring.outstanding for index, ring in d.rings.items()
                       if index in d.roles.values() and
                       index != d.roles.get("stats"))
            if not here or self.was_broken and time.monotonic() > idle:
                break
            if here != left:
                left, idle = here, time.monotonic() + 0.15
            time.sleep(0.001)
            self.look()
        return self.told("ok")

    def do_read_config(self, offset, length):
        self.look()
        offset, length = int(offset), int(length)
        there = max(0, min(length, 16 - offset))
        data = self.driver.frontend.get_config(offset, there) or b"" \
            if there else b""
        return "ok " + data.ljust(length, b"\0").hex()

    def do_write_config(self, offset, data):
        offset, data = int(offset), bytes.fromhex(data)
        if offset + len(data) > 16:
            raise Skip("config space beyond its end")
        self.driver.frontend.set_config(offset, data)
        return self.told("ok")

    # The host.

    def host(self, name):
        try:
            said = self.daemon.command(name)
        except daemons.ControlError as error:
            return self.told("err %s" % str(error).split()[-1])
        # Its thread tells the driver a moment later.
        time.sleep(0.01)
        self.look()
        return said

    def do_sync_begin(self):
        self.synced = False
        said = self.host("hint-stop")
        return said if isinstance(said, str) else "ok"

    def do_sync_end(self):
        self.synced = True
        return "ok"

    def do_start(self):
        if not self.synced:
            raise Skip("the VMM reads the dirty log before it asks for a"
                       " round")
        said = self.host("hint-start")
        return said if isinstance(said, str) else "ok %d" % said["cmd-id"]

    def do_stop(self):
        said = self.host("hint-stop")
        return said if isinstance(said, str) else "ok"

    def do_done(self, why):
        said = self.host("hint-done")
        return said if isinstance(said, str) else "ok"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: daemon_device.py DAEMON")
    DaemonDevice(sys.argv[1]).run()
