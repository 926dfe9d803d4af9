# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Virtqueues, driver side, in guest memory: split and packed.

A segment is (gpa, length, writable). What a driver must not do is possible
too: put() writes any descriptor, so that tests can be hostile.
"""

NEXT, WRITE, INDIRECT = 1, 2, 4
AVAIL, USED = 1 << 7, 1 << 15		# packed: of a descriptor's flags
WRAP = 1 << 15				# of a place in a packed ring
DESC = "<QIHH"


class SplitRing:
    """A ring of num entries at gpa, with a table for indirect chains
    behind it. footprint(num) bytes are used."""

    NEW_BASE = 0

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


class PackedRing:
    """A packed ring, with the methods of a split one: what add() returns and
    take_used() tells is a buffer's id."""

    NEW_BASE = (WRAP << 16) | WRAP

    def __init__(self, memory, gpa, num):
        self.memory = memory
        self.num = num
        self.desc = gpa
        self.avail = gpa + 16 * num	# where the driver asks
        self.used = self.avail + 4	# where the device asks
        self.table = (self.used + 4 + 15) & ~15
        self.reset()

    footprint = SplitRing.footprint
    put = SplitRing.put

    def reset(self):
        """Empty, as at set-up."""
        self.memory.write(self.desc, bytes(self.table - self.desc))
        self.next_avail = self.next_used = WRAP
        self.free = list(range(self.num - 1, -1, -1))
        self.chains = {}

    def step(self, place, n):
        """A place n descriptors further."""
        at = (place & ~WRAP) + n
        return place + n if at < self.num else \
            (at - self.num) | (~place & WRAP)

    # Offering ----------------------------------------------------------

    def add(self, segments, indirect=False, table=None):
        """Offer a list of segments; returns its id."""
        name = self.free.pop()
        if indirect:
            table = self.table if table is None else table
            for i, (gpa, length, writable) in enumerate(segments):
                self.put(table, i, gpa, length, 0, WRITE * writable)
            entries = [(table, 16 * len(segments), INDIRECT)]
        else:
            entries = [(gpa, length, WRITE * writable | NEXT)
                       for gpa, length, writable in segments]
            entries[-1] = entries[-1][:2] + (entries[-1][2] & ~NEXT,)
        self.chains[name] = len(entries)
        places = [self.step(self.next_avail, i) for i in range(len(entries))]
        # The first one shows the list.
        for place, (gpa, length, flags) in reversed(list(zip(places,
                                                             entries))):
            self.put(self.desc, place & ~WRAP, gpa, length, name,
                     flags | (AVAIL if place & WRAP else USED))
        self.next_avail = self.step(self.next_avail, len(entries))
        return name

    # Taking back -------------------------------------------------------

    def take_used(self):
        """Ids and lengths of the lists that came back."""
        found = []
        while True:
            at = self.desc + 16 * (self.next_used & ~WRAP)
            _, length, name, flags = self.memory.unpack(DESC, at)
            mine = AVAIL | USED if self.next_used & WRAP else 0
            if flags & (AVAIL | USED) != mine or name not in self.chains:
                return found
            self.next_used = self.step(self.next_used, self.chains.pop(name))
            self.free.append(name)
            found.append((name, length))

    @property
    def outstanding(self):
        return len(self.chains)

    @property
    def base(self):
        """Where a device goes on that has returned everything."""
        return self.next_avail | self.next_avail << 16

    # Notifications -----------------------------------------------------

    def set_no_interrupt(self, on):
        self.memory.pack("<H", self.avail + 2, int(on))

    def set_used_event(self, place):
        """Ask for an interrupt at this place."""
        self.memory.pack("<HH", self.avail, place, 2)

    @property
    def avail_event(self):
        """(place, flags) at which the device wants to be notified."""
        return self.memory.unpack("<HH", self.used)
