# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Section "Packed queues": a packed ring as a device sees it."""

from queues import INDIRECT, NEXT, WRITE, Seg, check_segs, need, read_table

AVAIL, USED = 1 << 7, 1 << 15


class Descriptor:
    """16 bytes: address, length, buffer id, flags; little-endian."""

    def __init__(self, data):
        self.addr = int.from_bytes(data[0:8], "little")
        self.len = int.from_bytes(data[8:12], "little")
        self.id = int.from_bytes(data[12:14], "little")
        self.flags = int.from_bytes(data[14:16], "little")

    def seg(self):
        return Seg(self.addr, self.len, bool(self.flags & WRITE))


class PackedRing:
    """ring: its descriptors in bytes.  place: a slot and the wrap counter of
    the lap, where the device goes on.  read: as in queues.Ring.
    """

    def __init__(self, ring, num, read, indirect, place):
        self.ring, self.num, self.read = bytearray(ring), num, read
        self.indirect = indirect
        self.avail = self.used = place

    def step(self, place, count):
        slot, wrap = place
        slot += count
        return (slot - self.num, not wrap) if slot >= self.num \
            else (slot, wrap)

    def load(self, place):
        """The descriptor there, if the driver made it available."""
        slot, wrap = place
        d = Descriptor(self.ring[16 * slot:16 * slot + 16])
        there = bool(d.flags & AVAIL) == wrap != bool(d.flags & USED)
        return d if there else None

    def take(self):
        """(id, descriptors, segments) of the next list; None: there is none.
        """
        place, count, segs = self.avail, 0, []
        d = self.load(place)
        if not d:
            return None
        while True:
            count += 1
            place = self.step(place, 1)
            if d.flags & INDIRECT:
                need(count == 1 and not d.flags & NEXT, "mixed list")  # Q-6J
                segs = self.read_indirect(d)
                break
            segs.append(d.seg())
            if not d.flags & NEXT:
                break
            need(count < self.num, "longer than the ring")
            d = self.load(place)
            need(d, "not made available with its list")     # PK-1
        check_segs(segs)
        self.avail = place
        return d.id, count, segs

    def read_indirect(self, link):
        """Every entry of the table, whatever its other flags are."""
        need(self.indirect, "indirect was not negotiated")
        table = read_table(link, self.read)
        need(len(table) // 16 <= self.num, "longer than the ring")
        return [Descriptor(table[at:at + 16]).seg()
                for at in range(0, len(table), 16)]

    def give_back_in_order(self, lists):
        """The same for a batch: one with the id of its last list (PK-2)."""
        return self.give_back(lists[-1][0], sum(count for _, count in lists))

    def give_back(self, number, count):
        """One used descriptor for a list (PK-2), nothing written (PK-3).

        Gives (slot, id, flags).
        """
        slot, wrap = self.used
        flags = AVAIL | USED if wrap else 0
        self.ring[16 * slot + 12:16 * slot + 16] = \
            number.to_bytes(2, "little") + flags.to_bytes(2, "little")
        self.used = self.step(self.used, count)
        return slot, number, flags
