# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""A split virtqueue, driver side, in guest memory.

A segment is (gpa, length, writable). What a driver must not do is possible
too: put() writes any descriptor, so that tests can be hostile.
"""

NEXT, WRITE, INDIRECT = 1, 2, 4
DESC = "<QIHH"


class SplitRing:
    """A ring of num entries at gpa, with a table for indirect chains
    behind it. footprint(num) bytes are used."""

    def __init__(self, memory, gpa, num):
        self.memory = memory
        self.num = num
        self.desc = gpa
        self.avail = gpa + 16 * num
        self.used = (self.avail + 6 + 2 * num + 3) & ~3
        self.table = (self.used + 6 + 8 * num + 15) & ~15
        self.reset()

    @staticmethod
    def footprint(num):
        return (16 * num + 6 + 2 * num + 3 + 6 + 8 * num + 15
                + 16 * num * 2 + 4095) & ~4095

    def reset(self):
        """Empty, as at set-up."""
        self.memory.write(self.desc, bytes(self.table - self.desc))
        self.next_avail = 0
        self.last_used = 0
        self.free = list(range(self.num - 1, -1, -1))
        self.chains = {}

    # Offering ----------------------------------------------------------

    def put(self, table, slot, gpa, length, flags, following=0):
        """Write one descriptor."""
        self.memory.pack(DESC, table + 16 * slot, gpa, length, flags,
                         following)

    def publish(self, head, count=1):
        """Put a head into the available ring and raise its index."""
        self.memory.pack("<H", self.avail + 4
                         + 2 * (self.next_avail % self.num), head)
        self.next_avail = self.next_avail + count & 0xffff
        self.memory.pack("<H", self.avail + 2, self.next_avail)

    def add(self, segments, indirect=False, table=None):
        """Offer a chain; returns its head.

        One indirect chain at a time may use the table of the ring; others
        give a table of their own.
        """
        if indirect:
            table = self.table if table is None else table
            slots = [self.free.pop()]
            self._write(table, range(len(segments)), segments)
            self.put(self.desc, slots[0], table, 16 * len(segments),
                     INDIRECT)
        else:
            slots = [self.free.pop() for _ in segments]
            self._write(self.desc, slots, segments)
        self.chains[slots[0]] = slots
        self.publish(slots[0])
        return slots[0]

    def _write(self, table, slots, segments):
        slots = list(slots)
        for i, (gpa, length, writable) in enumerate(segments):
            flags = WRITE if writable else 0
            following = 0
            if i + 1 < len(segments):
                flags |= NEXT
                following = slots[i + 1]
            self.put(table, slots[i], gpa, length, flags, following)

    # Taking back -------------------------------------------------------

    @property
    def used_index(self):
        return self.memory.unpack("<H", self.used + 2)[0]

    def take_used(self):
        """Heads and lengths of the chains that came back."""
        found = []
        while self.last_used != self.used_index:
            at = self.used + 4 + 8 * (self.last_used % self.num)
            head, length = self.memory.unpack("<II", at)
            self.last_used = self.last_used + 1 & 0xffff
            self.free.extend(reversed(self.chains.pop(head)))
            found.append((head, length))
        return found

    @property
    def outstanding(self):
        return len(self.chains)

    # Notifications -----------------------------------------------------

    def set_no_interrupt(self, on):
        self.memory.pack("<H", self.avail, int(on))

    def set_used_event(self, value):
        self.memory.pack("<H", self.avail + 4 + 2 * self.num, value)

    @property
    def no_notify(self):
        return self.memory.unpack("<H", self.used)[0] & 1

    @property
    def avail_event(self):
        return self.memory.unpack("<H", self.used + 4 + 8 * self.num)[0]
