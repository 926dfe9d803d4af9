# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The driver role: hints that are held until DONE, and reports.

This is beside the codec.  Queues are a function that takes a buffer's parts;
memory is a list of ranges that the guest has free.
"""

import commands
import config

REPORT_RANGES = 4               # in one buffer
BUFFER_BYTES = 1 << 32          # of one buffer (R18)
COMMANDS = 4                    # command buffers, each with memory of its own


class Driver:
    """offer(queue, parts): puts a buffer into a ring and gives its number.

    A part is ("W", gpa, length) or ("R", place, bytes).
    """

    def __init__(self, offer, negotiated, kept, ring):
        hinted = config.has(negotiated, config.FREE_PAGE_HINT)
        reported = config.has(negotiated, config.PAGE_REPORTING)
        self.offer = offer
        self.hints = hinted and not kept                    # V2A
        self.reports = reported and not kept                # P1
        self.ring = ring
        self.free = []
        self.clear()

    def clear(self):
        """Nothing is with the device."""
        self.shown = commands.STOP
        self.sent_ids = set()
        self.stream = None
        self.start = None           # the buffer of the last START
        self.seen_again = False     # the id, after START was used (V14)
        self.cursor = []            # ranges still to be hinted
        self.flight = {}            # number: (queue, parts)
        self.done_reports = []      # ranges that were reported

    reset = clear                                           # R15, V16

    def reset_queue(self, queue):
        """The reset of one queue was confirmed: ids go on (Q-12A)."""
        self.flight = {n: buffer for n, buffer in self.flight.items()
                       if buffer[0] != queue}
        if queue == "hint":
            self.stream, self.start, self.cursor = None, None, []

    def room(self, queue):
        return self.ring - sum(len(parts) for at, parts in
                               self.flight.values() if at == queue)

    def put(self, queue, parts):
        number = self.offer(queue, parts)
        self.flight[number] = (queue, parts)
        return number

    # Hints.

    def places(self):
        """Command buffers that are not with the device (V8)."""
        out = [part[1] for _, parts in self.flight.values()
               for part in parts if part[0] == "R"]
        return [n for n in range(COMMANDS) if n not in out]

    def command(self, value):
        place = self.places()[0]
        return self.put("hint", [("R", place,
                                  commands.encode(value, "little"))])

    def read_config(self, value):
        self.shown = value
        if value == self.stream and self.start not in self.flight:
            self.seen_again = True

    def may_go_on(self):
        """Some devices show 0 from START on: that is no STOP (V14)."""
        hidden = self.shown == commands.STOP and not self.seen_again
        return self.shown == self.stream or hidden

    def begin(self):
        """START, with a slot and a place left for STOP (V7)."""
        wanted = self.shown
        if wanted < commands.MIN or wanted in self.sent_ids:
            return
        if self.room("hint") < 2 or len(self.places()) < 2:
            return                                          # V5
        self.start = self.command(wanted)
        self.seen_again = False
        self.sent_ids.add(wanted)                              # V4
        self.stream = wanted
        self.cursor = list(self.free)                       # V1

    def hint(self):
        while self.cursor and self.may_go_on():             # V3
            if self.room("hint") < 2:
                return                                      # V15
            self.put("hint", [("W", *self.cursor.pop(0))])
        self.command(commands.STOP)                         # V6
        self.stream, self.cursor = None, []

    # Reports.

    def report(self):
        out = self.done_reports + [
            part[1:] for at, parts in self.flight.values()
            if at == "report" for part in parts]
        fresh = [r for r in self.free if r not in out]
        while fresh and self.room("report"):
            count = min(REPORT_RANGES, self.room("report"))
            while sum(n for _, n in fresh[:count]) > BUFFER_BYTES:
                count -= 1                                  # R18
            self.put("report", [("W", *r) for r in fresh[:count]])
            fresh = fresh[count:]

    def work(self):
        if self.hints:
            if self.stream is None:
                self.begin()
            if self.stream is not None:
                self.hint()
            if self.stream is None:
                self.begin()
        if self.reports:
            self.report()

    def used(self, number):
        """The device returned a buffer; its length has no meaning (Q-9)."""
        if number not in self.flight:
            return "device"                                 # X6
        queue, parts = self.flight.pop(number)
        if queue == "report":
            self.done_reports += [part[1:] for part in parts]
        return "ok"

    # The guest.

    def add_free(self, gpa, length):
        self.free.append((gpa, length))
        if self.stream is not None:
            self.cursor.append((gpa, length))

    def take(self, gpa, length):
        """The guest wants a range: hinted ones at once (V9)."""
        piece = (gpa, length)
        if any(("W", *piece) in parts for at, parts in self.flight.values()
               if at == "report"):
            return "busy"                                   # R1
        self.free.remove(piece)
        for some in (self.cursor, self.done_reports):
            if piece in some:
                some.remove(piece)
        return "ok"
