# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The driver's side of a balloon on PCI: just the hinting queue.

All optional queues below it are set up too, so that every numbering agrees
(FPH-Q-1A).
"""

import struct

from common import wait

BAR = 0xe0000000
RINGS = 0x1000000       # of memory, 64 KiB a queue
COMMANDS = 0x3000000
FEATURES = 1 << 1 | 1 << 3 | 1 << 32    # STATS_VQ, FREE_PAGE_HINT, VERSION_1
HINTS = 3
ENTRIES = 64
WRITABLE, NEXT = 2, 1


class Balloon:
    def __init__(self, machine, slot=4):
        self.machine = machine
        self.qtest = machine.qtest
        self.find_registers(slot)
        self.available = self.returned = self.descriptors = 0
        self.initialise()

    def config_space(self, slot, offset, value=None):
        self.qtest.out32(0xcf8, 0x80000000 | slot << 11 | offset & ~3)
        if value is None:
            return self.qtest.in32(0xcfc)
        return self.qtest.out32(0xcfc, value)

    def find_registers(self, slot):
        if self.config_space(slot, 0) != 0x10451af4:
            raise RuntimeError("no balloon in slot %d" % slot)
        places = {}
        at = self.config_space(slot, 0x34) & 0xff
        while at:
            head = self.config_space(slot, at)
            if head & 0xff == 9:        # a capability of virtio
                places[head >> 24] = (
                    self.config_space(slot, at + 4) & 0xff,
                    self.config_space(slot, at + 8),
                    self.config_space(slot, at + 16))
            at = head >> 8 & 0xff
        bar = places[1][0]
        self.config_space(slot, 0x10 + 4 * bar, BAR)
        self.config_space(slot, 0x14 + 4 * bar, 0)
        self.config_space(slot, 4, self.config_space(slot, 4) | 6)
        self.common = BAR + places[1][1]
        self.doorbell = BAR + places[2][1]
        self.step = places[2][2]
        self.config = BAR + places[4][1]

    def initialise(self):
        put = self.qtest.put
        for status in (0, 1, 3):
            put("b", self.common + 0x14, status)
        for half in (0, 1):
            put("l", self.common + 8, half)
            put("l", self.common + 12, FEATURES >> 32 * half & 0xffffffff)
        put("b", self.common + 0x14, 11)
        if not self.qtest.get("b", self.common + 0x14) & 8:
            raise RuntimeError("the features were refused")
        for queue in range(HINTS + 1):
            self.set_up(queue)
        put("b", self.common + 0x14, 15)

    def set_up(self, queue):
        put = self.qtest.put
        table = RINGS + queue * 0x10000
        parts = (table, table + 0x2000, table + 0x4000)
        self.machine.ram[table:table + 0x10000] = bytes(0x10000)
        put("w", self.common + 0x16, queue)
        put("w", self.common + 0x18, ENTRIES)
        self.bell = self.doorbell + self.step * self.qtest.get(
            "w", self.common + 0x1e)
        for offset, part in zip((0x20, 0x28, 0x30), parts):
            put("l", self.common + offset, part)
            put("l", self.common + offset + 4, 0)
        put("w", self.common + 0x1c, 1)
        self.table, self.driver_area, self.device_area = parts

    def id(self):
        return self.qtest.get("l", self.config + 8)

    def send(self, parts):
        """One buffer of (address, length, flags); returns when it is used."""
        ram = self.machine.ram
        head = self.descriptors % ENTRIES
        for i, (address, length, flags) in enumerate(parts):
            slot = (head + i) % ENTRIES
            last = i == len(parts) - 1
            struct.pack_into("<QIHH", ram, self.table + 16 * slot, address,
                             length, flags | (0 if last else NEXT),
                             (slot + 1) % ENTRIES)
        self.descriptors += len(parts)
        struct.pack_into("<H", ram, self.driver_area + 4
                         + 2 * (self.available % ENTRIES), head)
        self.available += 1
        # By the device's way to memory: it is in the dirty log.
        self.qtest.put("w", self.driver_area + 2, self.available)
        self.qtest.put("w", self.bell, HINTS)
        wait.until(lambda: struct.unpack_from(
            "<H", ram, self.device_area + 2)[0] == self.available,
            "the buffer was not used")

    def send_command(self, value):
        at = COMMANDS + 16 * self.available
        self.machine.put32(at, value)
        self.send([(at, 4, 0)])

    def send_hints(self, *ranges):
        self.send([(address, length, WRITABLE)
                   for address, length in ranges])
