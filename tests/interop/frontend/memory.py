# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Guest memory: memfds, mapped here and handed to the back-end."""

import mmap
import os
import struct

PAGE = 4096


class Region:
    """A piece of guest memory: a window of a memfd.

    gpa, size and offset are bytes; uva is the address that the front-end
    would have it at. It is no true address, only different from gpa, so
    that a back-end which confuses the two is caught. flags are those of
    memfd_create.
    """

    def __init__(self, gpa, size, offset=0, uva=None, flags=0):
        self.gpa = gpa
        self.size = size
        self.offset = offset
        self.uva = gpa + 0x7f5500000000 if uva is None else uva
        self.fd = os.memfd_create("fph-guest", os.MFD_CLOEXEC | flags)
        os.ftruncate(self.fd, offset + size)
        self.map = mmap.mmap(self.fd, offset + size)

    def close(self):
        self.map.close()
        os.close(self.fd)

    def describe(self):
        """As in SET_MEM_TABLE and ADD_MEM_REG."""
        return struct.pack("=QQQQ", self.gpa, self.size, self.uva,
                           self.offset)

    @property
    def resident(self):
        """Bytes of host memory in use."""
        return os.fstat(self.fd).st_blocks * 512


class Memory:
    """All regions of a guest."""

    def __init__(self, *regions):
        self.regions = list(regions)

    def close(self):
        for region in self.regions:
            region.close()

    @property
    def resident(self):
        return sum(r.resident for r in self.regions)

    def _find(self, gpa, length):
        for region in self.regions:
            if region.gpa <= gpa and \
                    gpa + length <= region.gpa + region.size:
                return region, region.offset + gpa - region.gpa
        raise ValueError("not guest memory: 0x%x + 0x%x" % (gpa, length))

    def read(self, gpa, length):
        region, offset = self._find(gpa, length)
        return region.map[offset:offset + length]

    def write(self, gpa, data):
        region, offset = self._find(gpa, len(data))
        region.map[offset:offset + len(data)] = data

    def unpack(self, form, gpa):
        return struct.unpack(form, self.read(gpa, struct.calcsize(form)))

    def pack(self, form, gpa, *values):
        region, offset = self._find(gpa, struct.calcsize(form))
        struct.pack_into(form, region.map, offset, *values)

    def uva(self, gpa):
        """The front-end's address of a guest address."""
        region, _ = self._find(gpa, 1)
        return region.uva + gpa - region.gpa

    def fill(self, gpa, length):
        """Content that differs in every page; 4096-byte units."""
        for at in range(gpa, gpa + length, PAGE):
            self.write(at, page_content(at))

    def intact(self, gpa, length):
        """True when fill()'s content is still there."""
        return all(self.read(at, PAGE) == page_content(at)
                   for at in range(gpa, gpa + length, PAGE))

    def zero(self, gpa, length):
        """True when all of it reads as zero. Reading a hole through the
        mapping occupies memory: look at resident first."""
        return self.read(gpa, length).count(0) == length


def page_content(gpa):
    return struct.pack("<Q", gpa ^ 0x5bd1e995deadbeef) * (PAGE // 8)
