# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The file that backs a guest's memory, seen from outside both peers.

The blocks of this file are what the host really pays for. They do not
depend on anything that the daemon says about itself.
"""

import os
import stat

MIB = 1 << 20


class MemoryFile:
    """An open descriptor of the guest's memory file."""

    def __init__(self, fd):
        self.fd = fd

    @classmethod
    def of_process(cls, pid, at_least):
        """The largest unlinked regular file of a process, or None.

        at_least is its smallest possible size in bytes.
        """
        folder = "/proc/%d/fd" % pid
        best, best_size = None, at_least - 1
        try:
            names = os.listdir(folder)
        except OSError:
            return None
        for name in names:
            path = os.path.join(folder, name)
            try:
                found = os.stat(path)
            except OSError:
                continue
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 0 \
                    and found.st_size > best_size:
                best, best_size = path, found.st_size
        if best is None:
            return None
        try:
            return cls(os.open(best, os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            return None

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    @property
    def size(self):
        return os.fstat(self.fd).st_size

    @property
    def resident(self):
        """Bytes that the file occupies now."""
        return os.fstat(self.fd).st_blocks * 512

    def data(self, begin, end):
        """Bytes that a part of the file occupies now."""
        total, at = 0, begin
        while at < end:
            try:
                at = os.lseek(self.fd, at, os.SEEK_DATA)
            except OSError:
                break		# no data up to the end of the file
            hole = min(os.lseek(self.fd, at, os.SEEK_HOLE), end)
            total += max(0, hole - at)
            at = hole
        return total

    @property
    def resident_mib(self):
        return self.resident / MIB
