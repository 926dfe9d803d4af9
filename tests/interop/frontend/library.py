# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Rings whose driver side is the one of libfph, through ctypes."""

import ctypes
import mmap

from common.runner import Skip

from .ring import PackedRing, SplitRing

TABLE_ENTRIES = 32
LITTLE_ENDIAN = 1
SEG_WRITE = 1
F_PACKED = 1 << 34

U16, U32, U64 = ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64


class Params(ctypes.Structure):
    """struct fph_vq_driver_params"""
    _fields_ = [("size", U32), ("num", U32), ("features", U64),
                ("tables_gpa", U64), ("table_entries", U32), ("endian", U32),
                ("desc", ctypes.c_void_p), ("driver", ctypes.c_void_p),
                ("device", ctypes.c_void_p), ("tables", ctypes.c_void_p)]


class Buffer(ctypes.Structure):
    """struct fph_buffer"""
    _fields_ = [("cookie", U64), ("nread", U32), ("nwrite", U32),
                ("flags", U32), ("index", U32),
                ("command", ctypes.c_uint8 * 4), ("reserved", U32)]


class Seg(ctypes.Structure):
    """struct fph_seg"""
    _fields_ = [("gpa", U64), ("len", U32), ("flags", U32)]


class Used(ctypes.Structure):
    """struct fph_used"""
    _fields_ = [("cookie", U64), ("freed", U64), ("len", U32),
                ("outcome", ctypes.c_uint8), ("reason", ctypes.c_uint8),
                ("reserved", U16)]


def load(path):
    """The shared library; a test is skipped where it was not built."""
    if not path:
        raise Skip("no --library, the path of libfph.so")
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise Skip("libfph.so cannot be loaded: %s" % error) from None
    library.fph_vq_driver_size.restype = ctypes.c_size_t
    return library


class LibraryRing:
    """A ring of num entries at gpa; its indirect tables are at tables."""

    def __init__(self, library, memory, gpa, num, features, tables):
        region = memory.regions[0]
        self.library = library
        # A mapping of its own, for as long as the driver needs it.
        self.map = mmap.mmap(region.fd, region.size)
        host = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        kind = PackedRing if features & F_PACKED else SplitRing
        self.desc = gpa
        self.avail = gpa + 16 * num
        self.used = self.avail + 4 if features & F_PACKED else \
            (self.avail + 6 + 2 * num + 3) & ~3
        self.params = Params(
            ctypes.sizeof(Params), num, features, tables, TABLE_ENTRIES,
            LITTLE_ENDIAN, host + self.desc, host + self.avail,
            host + self.used, host + tables)
        self.new_base = kind.NEW_BASE
        size = library.fph_vq_driver_size(ctypes.byref(self.params))
        assert size
        self.object = (U64 * (size // 8 + 1))()
        self.driver = ctypes.c_void_p()
        self.next_cookie = 1
        self.outstanding = set()
        self.call("init", self.object, ctypes.c_size_t(size),
                  ctypes.byref(self.params), at=ctypes.byref(self.driver))

    def call(self, name, *arguments, at=None):
        """A call on the driver; its answer, which must be no error."""
        function = getattr(self.library, "fph_vq_driver_" + name)
        value = function(self.driver if at is None else at, *arguments)
        assert value >= 0, (name, value)
        return value

    @property
    def room(self):
        return self.call("get_room")

    def add(self, segments):
        """Add a buffer without showing it; its cookie."""
        n = len(segments)
        readable = sum(not writable for _, _, writable in segments)
        buffer = Buffer(self.next_cookie, readable, n - readable)
        array = (Seg * n)(*[(gpa, length, SEG_WRITE * writable)
                            for gpa, length, writable in segments])
        assert self.call("add", ctypes.byref(buffer), 1, array) == 1
        self.outstanding.add(buffer.cookie)
        self.next_cookie += 1
        return buffer.cookie

    def publish(self):
        """Show what was added; whether the device wants to be notified."""
        self.call("publish")
        return bool(self.call("should_notify"))

    def take_used(self):
        """Cookies of the buffers that came back, each of them once."""
        found = []
        used = (Used * 16)()
        while True:
            n = self.call("take_used", used, len(used))
            for entry in used[:n]:
                self.outstanding.remove(entry.cookie)
                found.append(entry.cookie)
            if not n:
                return found

    def want_notify(self, on):
        """Whether something came back already."""
        return bool(self.call("want_notify", ctypes.c_bool(on)))
