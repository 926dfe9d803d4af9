# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The conversation of a testee, for programs that stand before another one."""

import sys


class Skip(Exception):
    """What the deployed implementation cannot be asked; why."""


def parse_range(text):
    gpa, length = text.split("+")
    return int(gpa, 0), int(length, 0)


class Adapter:
    """Requests are methods do_NAME(words...), answers what they return."""

    hello = ""                      # after "ok fph-conformance 1"

    def say(self, line):
        sys.stdout.write(line + "\n")

    def answer(self, line):
        request, *words = line.split()
        if request == "hello":
            return "ok fph-conformance 1 " + self.hello
        if request == "bye":
            self.close()
            return "ok"
        call = getattr(self, "do_" + request.replace("-", "_"), None)
        if not call:
            return "skip the request " + request
        try:
            return call(*words)
        except Skip as why:
            return "skip %s" % why

    def close(self):
        """The end."""

    def run(self):
        try:
            for line in sys.stdin:
                self.say(self.answer(line))
                sys.stdout.flush()
                if line.split()[0] == "bye":
                    break
        finally:
            self.close()


class Ring:
    """A split ring as its driver writes it.  memory: bytes from GPA 0 on."""

    NEXT, WRITE = 1, 2

    def __init__(self, memory, gpa, size):
        self.memory, self.size = memory, size
        self.desc = gpa
        self.avail = gpa + 16 * size
        self.used = (self.avail + 6 + 2 * size + 4095) & ~4095
        self.end = self.used + 6 + 8 * size
        memory[gpa:self.end] = bytes(self.end - gpa)
        self.free = list(range(size))
        self.chains = {}            # head: (name, descriptors)
        self.offered = self.seen = 0

    def put16(self, at, value):
        self.memory[at:at + 2] = (value & 0xffff).to_bytes(2, "little")

    def get(self, at, size):
        return int.from_bytes(self.memory[at:at + size], "little")

    def add(self, name, segs):
        """segs: (gpa, length, writable)."""
        if len(segs) > len(self.free):
            raise Skip("more descriptors than the ring has")
        places = [self.free.pop(0) for _ in segs]
        for i, (gpa, length, writable) in enumerate(segs):
            last = i + 1 == len(segs)
            flags = writable * self.WRITE | (not last) * self.NEXT
            at = self.desc + 16 * places[i]
            self.memory[at:at + 16] = b"".join((
                gpa.to_bytes(8, "little"), length.to_bytes(4, "little"),
                flags.to_bytes(2, "little"),
                (0 if last else places[i + 1]).to_bytes(2, "little")))
        self.chains[places[0]] = (name, places)
        self.put16(self.avail + 4 + 2 * (self.offered % self.size), places[0])
        self.offered += 1
        self.put16(self.avail + 2, self.offered)

    def take_used(self):
        """(name, length) of each buffer that came back since last asked."""
        while self.get(self.used + 2, 2) != self.seen & 0xffff:
            at = self.used + 4 + 8 * (self.seen % self.size)
            head, length = self.get(at, 4), self.get(at + 4, 4)
            self.seen += 1
            name, places = self.chains.pop(head)
            self.free += places
            yield name, length
