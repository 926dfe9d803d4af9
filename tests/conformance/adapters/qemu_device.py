#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""QEMU's balloon device as a testee: qemu_device.py [QEMU [ARG...]].

What is seen, and how: a discard is a hole in the file behind guest memory; a
hint that was taken makes the migration's count of remaining pages smaller; id
and interrupts are read from the device's registers.  A look comes after each
request, so that the order of what came between two looks is not seen: it is
told in the order that is right.

QEMU reads its dirty log itself, so the host's requests are those that it has:
a migration begins (start), completes, fails or is cancelled (done).
"""

import sys
import time

sys.dont_write_bytecode = True

from adapter import Adapter, Ring, Skip, parse_range     # noqa: E402
import qemu_vm                                           # noqa: E402
from qemu_vm import MIB, Machine                         # noqa: E402

QUEUES = ("inflate", "deflate", "stats", "hint", "report")
BITS = {"stats": 1, "hint": 3, "report": 5}
HINT, POISON, REPORT, V1 = 1 << 3, 1 << 4, 1 << 5, 1 << 32
BALLOON = 0x3f
ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, NEEDS_RESET = 1, 2, 4, 8, 0x40
RING = 256
PAGE = 4096
RINGS = 2 * MIB                 # from the end of memory: rings
COMMANDS = MIB                  # and the bytes of readable segments
SLOW, FAST = 10, 1 << 40        # bytes a second
WAIT = 3.0
MARGIN = 128                    # pages that it sends until the next look
STEADY, LOOKS = 0.24, 8        # it sends a page in each tenth of a second


def whole_pages(ranges):
    pages = set()
    for gpa, length in ranges:
        pages.update(range(-(-gpa // PAGE) * PAGE,
                           (gpa + length) // PAGE * PAGE, PAGE))
    return pages


class QemuDevice(Adapter):
    def __init__(self, command):
        self.command = command
        self.vm = self.key = None
        self.hello = ("%s roles=device acts=hints,reports mem=0x0+0x1000000"
                      " quirks=hides-id" % self.name())

    def name(self):
        vm = Machine(self.command, 16 * MIB, "free-page-hint=on")
        version = vm.command("query-version")["qemu"]
        vm.close()
        return "qemu-%(major)d.%(minor)d.%(micro)d" % version

    def close(self):
        if self.vm:
            self.vm.close()
            self.vm = None

    # Set-up.

    def do_reset(self, *words):
        given = dict(word.split("=") for word in words)
        if given["role"] != "device":
            raise Skip("role")
        offered = int(given["offered"], 0)
        memory = [parse_range(r) for r in given["mem"].split(",")]
        gpa, size = memory[0]
        if len(memory) > 1 or gpa or size % MIB or not \
                8 * MIB <= size <= 64 * MIB:
            raise Skip("memory of one region from 0 only")
        if int(given["granule"]) != PAGE:
            raise Skip("its granule is a page")
        if not offered & 2:
            raise Skip("it always offers the statistics queue")
        if not int(given["features"], 0) & V1:
            raise Skip("legacy needs another transport")
        options = ",".join("%s=%s" % (name, "on" if offered & bit else "off")
                           for name, bit in (("free-page-hint", HINT),
                                             ("page-poison", POISON),
                                             ("free-page-reporting", REPORT)))
        key = (options, size)
        if self.vm and (self.key != key or self.vm.migrated or
                        self.vm.process.poll() is not None):
            self.close()
        if not self.vm:
            self.vm, self.key = Machine(self.command, size, options), key
        self.shown = 0
        self.synced = self.open = False
        self.boot(int(given["features"], 0))
        self.read_config_id()
        self.vm.holes()
        return "ok"

    def boot(self, features):
        vm = self.vm
        self.rings, self.frames = {}, {}
        self.was_broken = False
        for status in (0, ACKNOWLEDGE, ACKNOWLEDGE | DRIVER):
            vm.write(qemu_vm.STATUS, status)
        self.offered = vm.get_features()
        self.features = features & self.offered
        if features & ~self.offered:
            raise Skip("features that it does not offer")
        vm.set_features(self.features)
        status = ACKNOWLEDGE | DRIVER | FEATURES_OK
        vm.write(qemu_vm.STATUS, status)
        self.commands = vm.size - COMMANDS
        at = vm.size - RINGS
        # It counts the queues that it offers, and has them all.
        there = [q for q in QUEUES if q not in BITS or
                 self.offered >> BITS[q] & 1]
        for index, queue in enumerate(there):
            size = min(RING, vm.queue_max(index))
            if size:
                ring = Ring(vm.memory, at, size)
                at = (ring.end + PAGE - 1) // PAGE * PAGE
                vm.set_queue(index, ring)
                self.rings[queue] = (index, ring)
        vm.write(qemu_vm.STATUS, status | DRIVER_OK)

    def do_features(self, text):
        self.boot(int(text, 0))
        return self.told("ok")

    def do_device_reset(self):
        self.vm.write(qemu_vm.STATUS, 0)
        self.look()
        self.rings = {}
        self.synced = False         # the migration goes on, if there is one
        return self.told("ok")

    # What is seen.

    def read_config_id(self):
        return self.vm.read(qemu_vm.CONFIG + 8)

    def told(self, answer):
        self.look()
        return answer

    def look(self):
        shown = self.read_config_id()
        isr = self.vm.read(qemu_vm.ISR)
        self.vm.write(qemu_vm.ACK, isr)
        for start, length in self.vm.holes():
            self.say("discard %#x+%#x" % (start, length))
        for _, ring in self.rings.values():
            for name, length in ring.take_used():
                self.say("used %s %d" % (name, length))
        if shown != self.shown:
            self.shown = shown
            self.say("cfg %d" % shown)
        if isr & 2:
            self.say("irq")
        broken = bool(self.vm.read(qemu_vm.STATUS) & NEEDS_RESET)
        if broken and not self.was_broken:
            self.say("broken")
        self.was_broken = broken

    def left(self):
        """Pages that the migration has still to send, and those sent.

        A page that is being sent is in neither for a while, so the largest
        of several looks is right.
        """
        most = 0
        for _ in range(LOOKS):
            ram = self.vm.migration().get("ram")
            if not ram:
                raise Skip("the migration has ended")
            self.sent = ram["normal"] + ram["duplicate"]
            most = max(most, ram["remaining"] // PAGE + self.sent)
            time.sleep(STEADY / LOOKS)
        return most

    # The driver.

    def seg(self, text):
        kind, given = text.split(":")
        if kind != "R":
            return (*parse_range(given), kind == "W")
        data = bytes.fromhex(given)
        if self.commands + len(data) > self.vm.size:
            self.commands = self.vm.size - COMMANDS
        gpa = self.commands
        self.vm.memory[gpa:gpa + len(data)] = data
        self.commands += len(data)
        return gpa, len(data), False

    def do_vq(self, queue, name, *segs):
        if queue not in self.rings:
            return "err queue"
        if queue == "report" and any(self.covers_rings(s) for s in segs):
            raise Skip("a report of the memory where its rings are")
        index, ring = self.rings[queue]
        hinted = self.open and queue == "hint" and any(
            s[0] == "W" for s in segs)
        ring.add(name, [self.seg(s) for s in segs])
        self.vm.write(qemu_vm.NOTIFY, index)
        self.wait(ring, name, queue)
        if hinted:
            before, self.counted = self.counted, self.left()
            self.tell_skipped(before - self.counted, segs)
        return self.told("ok")

    def covers_rings(self, seg):
        gpa, length = parse_range(seg.partition(":")[2]) \
            if seg[0] != "R" else (0, 0)
        return gpa < self.vm.size and gpa + length > self.vm.size - RINGS

    def wait(self, ring, name, queue):
        """QEMU acts at once; statistics it keeps."""
        end = time.monotonic() + WAIT
        used = ring.seen + 1
        while queue != "stats" and time.monotonic() < end:
            if (ring.get(ring.used + 2, 2) - used) & 0xffff < 0x8000:
                return
            if self.vm.read(qemu_vm.STATUS) & NEEDS_RESET:
                return
            time.sleep(0.002)
            # It asks for notifications after its last look at the ring.
            self.vm.write(qemu_vm.NOTIFY, self.rings[queue][0])

    def tell_skipped(self, count, segs):
        """Says which pages of one buffer of hints are not sent any more."""
        ranges = [parse_range(s[2:]) for s in segs if s[0] == "W"]
        pages = {p for p in whole_pages(ranges) if p < self.vm.size}
        if pages and min(pages) // PAGE < self.sent + MARGIN:
            raise Skip("pages that were sent already")
        if not count and pages and not pages - self.skipped:
            raise Skip("a page that is hinted again, which is not seen")
        if not count:
            return
        if count != len(pages - self.skipped):
            raise Skip("%d pages fewer to send, of %d: which is not seen"
                       % (count, len(pages - self.skipped)))
        for page in sorted(pages):
            self.say("skip-range %#x+%#x" % (page, PAGE))
        self.skipped |= pages

    def do_work(self, steps=None):
        for index, ring in self.rings.values():
            if ring.chains:
                self.vm.write(qemu_vm.NOTIFY, index)
        time.sleep(0.02)
        return self.told("ok")

    def do_read_config(self, offset, length):
        self.look()
        data = b"".join(
            self.vm.read(qemu_vm.CONFIG + int(offset) + i, "b").to_bytes(
                1, "little") if int(offset) + i < 16 else b"\0"
            for i in range(int(length)))
        return "ok " + data.hex()

    def do_write_config(self, offset, data):
        for i in range(0, len(data), 8):
            word = bytes.fromhex(data[i:i + 8])
            if len(word) < 4:
                raise Skip("parts of a field")
            self.vm.write(qemu_vm.CONFIG + int(offset) + i // 2,
                          int.from_bytes(word, "little"))
        return self.told("ok")

    # The host.

    def do_sync_begin(self):
        if self.open:
            raise Skip("QEMU decides itself when it reads the dirty log")
        self.synced = False
        return self.told("ok")

    def do_sync_end(self):
        self.synced = True
        return self.told("ok")

    def do_start(self):
        if self.open or not self.synced:
            raise Skip("QEMU publishes by itself, after it read the dirty"
                       " log")
        if not self.features & HINT:
            raise Skip("no round without the feature can be asked for")
        if self.was_broken:
            raise Skip("a device that is broken")
        self.vm.migrated = self.open = True
        self.skipped = set()
        self.synced = False
        self.vm.command("migrate-set-parameters", **{"max-bandwidth": SLOW})
        self.vm.command("migrate", uri="exec:cat >/dev/null")
        old = self.shown
        end = time.monotonic() + WAIT
        while self.read_config_id() in (0, 1, old):
            if time.monotonic() > end:
                return self.told("err state")
            time.sleep(0.002)
        self.counted = self.left()
        return self.told("ok %d" % self.read_config_id())

    def do_stop(self):
        raise Skip("no stop without an end of the migration")

    def do_done(self, why):
        if not self.open:
            raise Skip("no end of a migration that did not begin")
        if why == "failed":
            raise Skip("a migration that fails")
        if why == "cancelled":
            self.vm.command("migrate_cancel")
        else:
            self.vm.command("migrate-set-parameters",
                            **{"max-bandwidth": FAST})
        end = time.monotonic() + 30
        while self.vm.migration()["status"] not in (
                "completed", "failed", "cancelled"):
            if time.monotonic() > end:
                return "err busy"
            time.sleep(0.005)
        time.sleep(0.05)
        if why == "ok":
            self.vm.command("cont")
        self.open = False
        return self.told("ok")


if __name__ == "__main__":
    QemuDevice(sys.argv[1:] or ["qemu-system-x86_64"]).run()
