# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Chapter "Reports": the device."""


class Report:
    """Reports in flight.

    Buffers are names.  take() gives out what may be discarded now, and
    finish() says that it was, well or badly: a buffer comes back after that
    (R2, R8).
    """

    def __init__(self, memory, granule):
        self.memory = memory
        self.granule = granule
        self.clear()

    def clear(self):
        self.waiting = []
        self.held = []
        self.returned = []

    def reset(self):
        """A device reset waits for the discards in flight (R5)."""
        if self.held:
            return "busy"
        self.clear()
        return "ok"

    def add(self, buffer, segs, discard):
        """Take a report, whole or not at all (R7).  discard: see poison."""
        good = all(seg.writable and self.memory.holds(seg.gpa, seg.len)
                   for seg in segs)
        if good and discard:
            self.waiting.append((buffer, [(s.gpa, s.len) for s in segs]))
        else:
            self.returned.append(buffer)

    def take(self):
        """The runs to discard (R6, R11); they are held until finish()."""
        buffers = [buffer for buffer, _ in self.waiting]
        runs = self.memory.coalesce([r for _, reported in self.waiting
                                     for r in reported], self.granule)
        self.waiting = []
        if runs:
            self.held += buffers
        else:
            self.returned += buffers
        return runs

    def drop(self):
        """What waits comes back with nothing done."""
        self.returned += [buffer for buffer, _ in self.waiting]
        self.waiting = []

    def finish(self):
        self.returned += self.held
        self.held = []
