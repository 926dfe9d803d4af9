#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Random inputs to the reference codec and to another implementation.

usage: diff_fuzz.py [--count N] [--seed N] -- COMMAND...

COMMAND reads operations from stdin, one a line, and answers each with a line
(tests/vectors/README.adoc).  Every line is an input, and every answer is
compared.  The same seed gives the same inputs.
"""

import argparse
import random
import struct
import subprocess
import sys
import time

import operations
import queues

BATCH = 4000
TOP = 1 << 64


def join(value):
    return value if isinstance(value, str) else ",".join(value)


def to_line(op, given):
    return " ".join([op] + ["%s=%s" % (k, join(v))
                            for k, v in given.items()])


def to_text(answer):
    return " ".join("%s=%s" % (k, join(v)) for k, v in answer.items())


# ------------------------------------------------------------------- codec

class Codec:
    """Inputs of the operations without state."""

    def __init__(self, rng):
        self.rng = rng
        self.makers = [getattr(self, name) for name in dir(self)
                       if name.startswith("make_")]
        # The rings have the most to get wrong.
        self.makers += [self.make_ring] * 5 + [self.make_packed] * 4 + \
            [self.make_coalesce] * 3

    def make(self):
        maker = self.rng.choice(self.makers)
        return maker.__name__[len("make_"):], maker()

    def data(self, most):
        return self.rng.randbytes(self.rng.randint(0, most)).hex()

    def endian(self):
        return self.rng.choice(("le", "be"))

    def word(self):
        """A 32-bit number, often one near an edge."""
        rng = self.rng
        return rng.choice((rng.getrandbits(32), rng.getrandbits(3),
                           (1 << rng.randint(0, 32)) - 1,
                           0xffffffff - rng.getrandbits(2)))

    def features(self):
        return self.rng.getrandbits(6) | self.rng.getrandbits(1) << 32

    def make_config_decode(self):
        return {"data": self.data(24)}

    def make_config_encode(self):
        given = {name: str(self.word()) for name in
                 ("num_pages", "actual", "cmd_id", "poison_val")}
        given["size"] = str(self.rng.randint(0, 24))
        return given

    def make_config_size(self):
        return {"features": "%#x" % self.rng.getrandbits(64)}

    def make_command_decode(self):
        length = self.rng.choice((4, 4, 4, self.rng.randint(0, 9)))
        return {"data": self.rng.randbytes(length).hex(),
                "endian": self.endian()}

    def make_command_encode(self):
        return {"id": str(self.word()), "endian": self.endian()}

    def make_command_next(self):
        return {"id": str(self.word())}

    def make_pfn_decode(self):
        return {"data": self.data(40), "endian": self.endian()}

    def make_pfn_encode(self):
        gpas = [self.word() << 12 for _ in range(self.rng.randint(0, 6))]
        if not self.rng.getrandbits(3):
            gpas.append(self.rng.getrandbits(64))
        return {"gpas": ["%#x" % g for g in gpas], "endian": self.endian()}

    def make_stat_decode(self):
        length = self.rng.choice((10, 20, 30, self.rng.randint(0, 45)))
        return {"data": self.rng.randbytes(length).hex(),
                "endian": self.endian()}

    def make_stat_encode(self):
        stats = ["%d=%#x" % (self.rng.getrandbits(16),
                             self.rng.getrandbits(64))
                 for _ in range(self.rng.randint(0, 5))]
        return {"stats": stats, "endian": self.endian()}

    def offered(self):
        offered = self.features()
        return offered, offered & self.features()

    def make_queue_index(self):
        offered, negotiated = self.offered()
        return {"queue": self.rng.choice(queues.QUEUES),
                "numbering": self.rng.choice(queues.NUMBERINGS),
                "offered": "%#x" % offered, "negotiated": "%#x" % negotiated}

    def make_queue_infer(self):
        offered, negotiated = self.offered()
        enabled = [str(i) for i in range(6) if self.rng.getrandbits(1)]
        return {"offered": "%#x" % offered, "negotiated": "%#x" % negotiated,
                "enabled": enabled}

    def make_coalesce(self):
        rng = self.rng
        granule = 1 << rng.randint(0, 14)
        base = rng.choice((0, 1 << 32, TOP - (1 << 17)))
        ranges = []
        for _ in range(rng.randint(0, 16)):
            unit = rng.choice((1, 512, 4096))
            ranges.append((base + rng.randrange(0, 1 << 17, unit),
                           rng.randint(0 if not rng.getrandbits(6) else 1,
                                       1 << rng.randint(0, 6)) * unit))
        return {"granule": str(granule),
                "ranges": ["%#x+%#x" % (min(gpa, TOP - 1), n)
                           for gpa, n in ranges]}

    def make_poison_discard(self):
        return {"negotiated": str(self.rng.getrandbits(1)),
                "poison_val": str(self.word())}

    def descriptor(self, order, limit, indirect):
        rng = self.rng
        flags = rng.getrandbits(2)
        if not rng.getrandbits(3):
            flags |= 4 if indirect or not rng.getrandbits(2) else 8
        length = rng.choice((4, 4096, 4096, 65536, rng.getrandbits(32)))
        if not rng.getrandbits(5):
            length = 0
        addr = rng.choice((rng.getrandbits(32) << 12, rng.getrandbits(16),
                           TOP - length, TOP - 4096))
        if flags & 4:
            addr = rng.choice((0x10000, 0x20000, 0x10010, addr))
            length = rng.choice((16, 32, 64, 128, length & 0xff))
            if rng.getrandbits(2):
                flags &= ~1
        following = rng.choice((rng.randint(0, limit), rng.randint(0, limit),
                                rng.getrandbits(16)))
        return struct.pack(order + "QIHH", addr % TOP, length, flags,
                           following)

    def make_ring(self):
        rng = self.rng
        num = 1 << rng.randint(0, 4)
        endian = self.endian()
        order = "<" if endian == "le" else ">"
        limit = num if not rng.getrandbits(3) else num - 1
        avail = [str(rng.randint(0, limit))
                 for _ in range(rng.randint(0, min(num, 4)))]
        memory = ["%#x=%s" % (gpa, b"".join(
            self.descriptor(order, 7, 0) for _ in range(8)).hex())
            for gpa in (0x10000, 0x20000)]
        return {"num": str(num), "endian": endian,
                "indirect": str(rng.getrandbits(1)),
                "table": [self.descriptor(order, limit, 1).hex()
                          for _ in range(num)],
                "avail": avail,
                "avail_idx": str(len(avail) if rng.getrandbits(4)
                                 else rng.getrandbits(16)),
                "memory": memory}

    def lap_flags(self, wrap):
        """Mostly those of a descriptor that is available."""
        if not self.rng.getrandbits(4):
            return self.rng.choice((0, 0x80, 0x8000, 0x8080))
        return 0x80 if wrap else 0x8000

    def make_packed(self):
        rng = self.rng
        num = rng.randint(1, 12)
        first = rng.randrange(num)
        wrap = rng.getrandbits(1)
        table = []
        for slot in range(num):
            d = self.descriptor("<", 0xffff, 1)
            flags = d[12] | self.lap_flags(wrap ^ (slot < first))
            table.append(d[:12] + rng.randbytes(2) +
                         flags.to_bytes(2, "little"))
        memory = ["%#x=%s" % (gpa, b"".join(
            self.descriptor("<", 0xffff, 0) for _ in range(8)).hex())
            for gpa in (0x10000, 0x20000)]
        given = {"num": str(num), "first": str(first), "wrap": str(wrap),
                 "indirect": str(rng.getrandbits(1)),
                 "table": [d.hex() for d in table], "memory": memory,
                 "done": []}
        count = len(operations.packed(given)["buffers"])
        given["done"] = [str(n) for n in rng.sample(
            range(count), rng.randint(0, count))]
        return given

    def make_used(self):
        rng = self.rng
        num = 1 << rng.randint(0, 4)
        offered = rng.randint(0, num)
        order = list(range(offered))
        rng.shuffle(order)
        used = ["b%d+%d" % (n, self.word()) for n in order]
        if used and not rng.getrandbits(2):
            used[rng.randrange(len(used))] = rng.choice(
                (used[0], "%d+0" % rng.choice((num, num + 1, 1 << 16,
                                               0xffffffff))))
        idx = rng.randint(0, offered)
        if not rng.getrandbits(3):
            idx = rng.getrandbits(16)
        return {"num": str(num), "endian": self.endian(),
                "buffers": ["W%#x+0x1000" % (i << 12)
                            for i in range(offered)],
                "used": used, "used_idx": str(idx)}

    def ends(self, offered):
        """The last buffer of each batch, as far as they came back."""
        ends = sorted(self.rng.sample(range(offered),
                                      self.rng.randint(0, offered)))
        return [] if not self.rng.getrandbits(3) else ends

    def spoil(self, used, offered, mark):
        """Now and then another id in one of the entries."""
        rng = self.rng
        if used and offered and not rng.getrandbits(2):
            at = rng.choice(sorted(used))
            number = rng.choice(("64", "65535", "b%d" % rng.randrange(offered)))
            used[at] = number + mark + used[at].split(mark)[1]
        return ["%d=%s" % one for one in sorted(used.items())]

    def make_used_in_order(self):
        """What is not the entry of a batch has an id that no buffer has."""
        rng = self.rng
        num = 1 << rng.randint(0, 4)
        offered = rng.randint(0, num)
        first = rng.randint(0, 3 * num)
        used = {at: "64+0" for at in range(num)}
        idx = first
        for end in self.ends(offered):
            used[idx % num] = "b%d+%d" % (end, self.word())
            idx = first + end + 1
        if not rng.getrandbits(3):
            idx = rng.getrandbits(16)
        return {"num": str(num), "first": str(first),
                "buffers": ["W%#x+0x1000" % (i << 12)
                            for i in range(offered)],
                "used": self.spoil(used, offered, "+"),
                "used_idx": str(idx)}

    def make_packed_used(self):
        rng = self.rng
        num = rng.randint(1, 12)
        in_order = rng.getrandbits(1)
        first = rng.randint(0, 3 * num)
        lists, used = [], {}
        while sum(lists) < num and rng.getrandbits(3):
            lists.append(rng.randint(1, num - sum(lists)))
        back = self.ends(len(lists))
        if not in_order:
            rng.shuffle(back)
        at, gone = first, 0
        for n in back:
            flags = 0x8080 if at // num % 2 == 0 else 0
            if not rng.getrandbits(4):
                flags ^= rng.choice((0x8080, 0x80, 2))
            used[at % num] = "b%d:%#x" % (n, flags)
            at += sum(lists[gone:n + 1]) if in_order else lists[n]
            gone = n + 1
        return {"num": str(num), "in_order": str(in_order),
                "first": str(first),
                "buffers": ["|".join(["W0x0+0x1000"] * n) for n in lists],
                "used": self.spoil(used, len(lists), ":")}


# ------------------------------------------------------------------- story

class Stories:
    """Devices, and random steps; the reference says what makes sense next."""

    ALL = "0x10000003a"
    OPS = ("offer",) * 12 + ("run",) * 8 + (
        "kick", "kick", "take", "work", "finish", "publish", "publish",
        "publish", "stop", "done", "harvest", "harvest", "look", "state",
        "state", "write_config", "read_config", "queue", "stats",
        "stats_request", "freeze", "thaw", "vq_stop", "vq", "vq_reset",
        "reset", "restore", "flush", "switch", "write", "free", "use",
        "send")

    def __init__(self, rng):
        self.rng = rng
        self.codec = Codec(rng)

    def begin(self):
        """The lines that make a device."""
        rng = self.rng
        negotiated = 0x10000003a
        if not rng.getrandbits(2):
            negotiated &= ~rng.getrandbits(6)
        numbers = [i for i in range(5) if rng.getrandbits(4)]
        steps = [("features", {"negotiated": "%#x" % negotiated})]
        steps += [("vq", {"index": str(i)}) for i in numbers]
        setup = {"offered": self.ALL, "memory": ["0x0+0x800000"],
                 "granule": str(4096 << rng.choice((0, 0, 0, 4))),
                 "first_id": rng.choice(("2", "2", "4294967290")),
                 "pages": ["0x100000", "0x101000"]}
        return setup, steps

    def gpa(self):
        gpa = 0x100000 + (self.rng.getrandbits(5) << 12)
        if not self.rng.getrandbits(3):
            gpa += self.rng.getrandbits(12)
        if not self.rng.getrandbits(5):
            gpa += self.rng.choice((0x700000, 0x40000000, TOP - 0x800000))
        return gpa % TOP

    def writable(self):
        length = self.rng.choice((4096, 4096, 8192, 65536,
                                  self.rng.getrandbits(13)))
        return "W%#x+%#x" % (self.gpa(), length)

    def writables(self, least):
        return [self.writable()
                for _ in range(self.rng.randint(least, 3))]

    def buffer(self, index, story):
        rng = self.rng
        if not rng.getrandbits(7):
            return "%s|R:00000000" % self.writable()
        if index == 3:
            return self.hint_buffer(story)
        if index == 4:
            first = ["R:02000000"] if not rng.getrandbits(4) else []
            return "|".join(first + self.writables(1))
        if index == 2:
            return "R:" + rng.randbytes(rng.choice((10, 20, 15))).hex()
        frames = [self.gpa() >> 12 & 0xffffffff
                  for _ in range(rng.randint(1, 4))]
        data = struct.pack("<%dI" % len(frames), *frames).hex()
        return "R:" + data + ("00" if not rng.getrandbits(4) else "")

    def hint_buffer(self, story):
        rng = self.rng
        kind = rng.getrandbits(3)
        if kind < 4:
            return "|".join(self.writables(1))
        number = story.device.session.shown() if kind < 6 else \
            rng.choice((0, 0, 0, 1, 2, 3, rng.getrandbits(32)))
        data = struct.pack("<I", number).hex()
        if not rng.getrandbits(6):
            return "|".join(["R:" + data[:2 * rng.randint(1, 3)]] +
                            self.writables(0))
        parts = ["R:" + data]
        if not rng.getrandbits(3):
            parts = ["R:" + data[:2], "R:" + data[2:]]
        return "|".join(parts + (self.writables(1)
                                 if not rng.getrandbits(2) else []))

    def step(self, story):
        """An operation, or None when it makes no sense now."""
        rng = self.rng
        op = rng.choice(self.OPS)
        index = rng.choice((0, 1, 2, 3, 3, 3, 3, 3, 4, 4))
        given = {}
        if op == "offer":
            if index not in story.device.rings:
                return None
            given = {"index": str(index),
                     "buffers": [self.buffer(index, story)
                                 for _ in range(rng.randint(1, 3))]}
        elif op in ("vq_stop", "vq", "vq_reset", "reset", "freeze",
                    "restore"):
            if rng.getrandbits(2):
                return None
            # DONE is due where an id was published.
            if op == "restore" and not story.device.session.id:
                return None
            if op in ("vq_stop", "vq", "vq_reset"):
                given = {"index": str(index)}
        elif op in ("run", "kick", "queue"):
            given = {"index": str(index)}
            if op == "kick" and index == 0:
                # When an inflate buffer without a whole granule comes back
                # is a device's own affair.
                op = "run"
        elif op == "flush" and story.device.report.held:
            # So it is with a report that was taken beside another one.
            return None
        elif op == "read_config":
            given = {"offset": str(rng.randint(0, 20)),
                     "len": str(rng.randint(1, 20))}
        elif op == "write_config":
            given = {"offset": str(rng.choice((0, 4, 8, 12, rng.randint(
                0, 18)))), "data": rng.randbytes(rng.choice((1, 4, 4))).hex()}
        elif op in ("write", "free", "use"):
            given = {"page": rng.choice(("0x100000", "0x101000"))}
        return op, given


def make_batch(rng, count):
    """(line, answer) so often."""
    codec, stories = Codec(rng), Stories(rng)
    pairs = []
    while len(pairs) < count:
        for _ in range(40):
            op, given = codec.make()
            pairs.append((to_line(op, given),
                          to_text(operations.CODEC[op](given))))
        setup, steps = stories.begin()
        story = operations.Story(setup)
        pairs.append((to_line("story", setup), ""))
        for i in range(60):
            step = steps[i] if i < len(steps) else stories.step(story)
            if not step:
                continue
            answer = story.step(*step)
            pairs.append((to_line(*step), to_text(answer)))
            # What a device does between a reset that waits and the next one
            # is its own affair.
            if step[0] == "reset" and answer["result"] == "busy":
                break
    return pairs[:count]


def compare(pairs, command, done):
    """The number of differences; the first one is shown with its story."""
    text = "".join(line + "\n" for line, _ in pairs)
    answer = subprocess.run(command, input=text, capture_output=True,
                            text=True, check=False)
    got = answer.stdout.split("\n")
    wrong = [i for i, (_, want) in enumerate(pairs)
             if i >= len(got) or got[i] != want]
    if wrong or answer.returncode:
        sys.stdout.write(answer.stderr)
        first = wrong[0] if wrong else len(pairs) - 1
        start = first
        while start and not pairs[start][0].startswith("story"):
            start -= 1
        if pairs[first][0].split()[0] in operations.CODEC:
            start = first
        print("input %d:" % (done + first))
        for line, _ in pairs[start:first + 1]:
            print("  " + line)
        print("  reference: %s" % pairs[first][1])
        print("  other:     %s" % (got[first] if first < len(got)
                                   else "nothing"))
    return len(wrong) or answer.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    begin = time.monotonic()
    done = 0
    while done < args.count:
        rng = random.Random("%d/%d" % (args.seed, done))
        pairs = make_batch(rng, min(BATCH, args.count - done))
        wrong = compare(pairs, args.command, done)
        if wrong:
            print("seed %d: %d of %d inputs differ in the batch from %d" %
                  (args.seed, wrong, len(pairs), done))
            sys.exit(1)
        done += len(pairs)
    print("%d inputs, seed %d, no difference, %.0f s" %
          (done, args.seed, time.monotonic() - begin))


if __name__ == "__main__":
    main()
