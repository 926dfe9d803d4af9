#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The reference as a testee of tests/conformance: all three roles.

This is beside the codec.  tests/conformance/GUIDE.adoc has the protocol.
"""

import sys

sys.dont_write_bytecode = True

import device                           # noqa: E402
import driver                           # noqa: E402
import operations                       # noqa: E402
import queues                           # noqa: E402

NAME = "reference"
ACTS = "hints,reports"
FIRST_ID = 2
number = operations.number


def given(word):
    return "" if word == "-" else word


# ------------------------------------------------------------------- codec

# Request: the names of its arguments; the last one takes the rest if it is
# a list.
CODEC = {
    "config-decode": ["data"],
    "config-encode": ["size", "num_pages", "actual", "cmd_id", "poison_val"],
    "config-size": ["features"],
    "command-decode": ["endian", "data"],
    "command-encode": ["endian", "id"],
    "command-next": ["id"],
    "pfn-decode": ["endian", "data"],
    "pfn-encode": ["endian", ["gpas"]],
    "stat-decode": ["endian", "data"],
    "stat-encode": ["endian", ["stats"]],
    "queue-index": ["queue", "numbering", "offered", "negotiated"],
    "queue-infer": ["offered", "negotiated", ["enabled"]],
    "coalesce": ["granule", ["ranges"]],
    "ring": ["num", "endian", "indirect", "avail_idx", "avail", "table",
             ["memory"]],
    "packed": ["num", "indirect", "first", "wrap", "done", "table",
               ["memory"]],
    "packed-in-order": ["num", "indirect", "first", "wrap", "done", "table",
                        ["memory"]],
    "used-ring": ["num", "endian", "buffers", "used_idx", ["used"]],
    "used-in-order": ["num", "first", "buffers", "used_idx", ["used"]],
    "packed-used": ["num", "in_order", "first", "lists", ["used"]],
    "poison-discard": ["negotiated", "poison_val"],
}
OPS = {"used-ring": operations.used}


def codec(request, words):
    a = {}
    for i, name in enumerate(CODEC[request]):
        if isinstance(name, list):
            a[name[0]] = words[i:]
        else:
            a[name] = given(words[i])
    for name in ("avail", "done"):
        if name in a:
            a[name] = a[name].split(",") if a[name] else []
    if "buffers" in a:
        a["buffers"] = range(number(a["buffers"]))
    if "lists" in a:
        a["buffers"] = ["|" * (number(n) - 1) for n in a["lists"].split(",")]
    if "table" in a:
        a["table"] = [a["table"]]
    call = OPS.get(request) or operations.CODEC[request.replace("-", "_")]
    got = call(a)
    result = got.pop("result", "ok")
    if request == "config-decode":
        return "ok " + " ".join("%s=%s" % pair for pair in got.items())
    answer = ["ok"] if result == "ok" else ["err", result]
    for value in got.values():
        answer += [value or "-"] if isinstance(value, str) else value
    return " ".join(answer)


# ------------------------------------------------------------------ device

class DeviceRole:
    """One device; say() takes an action."""

    make = device.Device

    def __init__(self, say, words):
        a = dict(word.split("=") for word in words)
        memory = [operations.parse_range(r) for r in a["mem"].split(",")]
        memory.append((operations.SCRATCH, operations.SCRATCH_SIZE))
        self.say = say
        self.device = self.make(number(a["offered"]), memory,
                                number(a["granule"]), FIRST_ID)
        self.scratch = 0
        self.runs = None
        self.shown = 0
        self.was_broken = False
        self.boot(number(a["features"]))

    def boot(self, negotiated):
        result = self.device.set_features(negotiated)
        if result != "ok":
            return result
        for queue in queues.QUEUES:
            at = queues.index(queue, "negotiated", negotiated, negotiated)
            if at is not None:
                self.device.start_ring(at)
        return "ok"

    def tell(self):
        """What config space shows now, and interrupts."""
        self.device.watch()
        if self.device.fields["cmd_id"] != self.shown:
            self.shown = self.device.fields["cmd_id"]
            self.say("cfg %d" % self.shown)
        if self.device.broken and not self.was_broken:
            self.say("broken")
            self.device.changed = True                      # Q-7A
        if self.device.changed:
            self.device.changed = False
            self.say("irq")
        self.was_broken = self.device.broken

    def give_back(self):
        for buffer in self.device.give_back():
            self.say("used %d 0" % buffer)

    def act(self):
        """The second half of a step: what was taken takes effect."""
        discarded, skipped = self.runs
        self.runs = None
        for run in discarded:
            self.say("discard " + operations.show_range(run))
        for run in skipped:
            self.say("skip-range " + operations.show_range(run))
        for part in (self.device.report, self.device.inflate,
                     self.device.session):
            part.finish()

    def step(self):
        """Whether there was something to do."""
        if self.runs:
            self.act()
            self.give_back()
            return True
        runs = self.device.take_runs()
        self.runs = runs if any(runs) else None
        self.give_back()
        return self.runs is not None

    def seg(self, text):
        kind, rest = text.split(":")
        if kind == "W":
            return queues.Seg(*operations.parse_range(rest), True)
        if kind == "r":
            return queues.Seg(*operations.parse_range(rest), False)
        data = bytes.fromhex(rest)
        if self.scratch + len(data) > operations.SCRATCH_SIZE:
            self.scratch = 0
        gpa = operations.SCRATCH + self.scratch
        self.scratch += len(data)
        for i, byte in enumerate(data):
            self.device.content[gpa + i] = byte
        return queues.Seg(gpa, len(data), False)

    def do_vq(self, queue, name, *segs):
        at = queues.index(queue, "negotiated", self.device.negotiated,
                          self.device.negotiated)
        if at is None or at not in self.device.rings:
            return "err queue"
        self.device.rings[at].append((int(name),
                                      [self.seg(s) for s in segs]))
        self.device.process(at, 1024)
        self.give_back()
        return "ok"

    def do_work(self, steps=None):
        left = int(steps) if steps else 1 << 20
        while left and (self.step() or steps):
            left -= 1
        return "ok"

    def answer(self, result):
        self.give_back()
        return "ok" if result == "ok" else "err " + result

    def do_start(self):
        result = self.device.publish()
        if result != "ok":
            return "err " + result
        return "ok %d" % self.device.session.id

    def do_stop(self):
        return self.answer(self.device.session.stop())

    def do_done(self, why):
        return self.answer(self.device.session.done())

    def do_sync_begin(self):
        return self.answer(self.device.session.harvest_begin())

    def do_sync_end(self):
        return self.answer(self.device.session.harvest_end())

    def do_device_reset(self):
        result = self.device.reset()
        self.runs = None if result == "ok" else self.runs
        return "ok" if result == "ok" else "err " + result

    def do_restore(self):
        self.runs = None
        self.device.restore()
        return self.answer("ok")

    def do_takeover(self):
        self.runs = None
        self.device.take_over()
        for at in self.device.rings:
            self.device.process(at, 1024)
        return self.answer("ok")

    def do_queue_reset(self, queue):
        at = queues.index(queue, "negotiated", self.device.negotiated,
                          self.device.negotiated)
        result = self.device.reset_ring(at)
        if result == "ok":
            self.device.start_ring(at)
        return self.answer(result)

    def do_features(self, negotiated):
        return self.answer(self.boot(number(negotiated)))

    def do_read_config(self, offset, length):
        return "ok " + self.device.read_config(int(offset),
                                               int(length)).hex()

    def do_write_config(self, offset, data):
        self.device.write_config(int(offset), bytes.fromhex(data))
        return "ok"


# ------------------------------------------------------------------ driver

class DriverRole:
    """One driver; say() takes an action."""

    make = driver.Driver

    def __init__(self, say, words):
        a = dict(word.split("=") for word in words)
        self.say = say
        self.offers = 0
        self.driver = self.make(self.offer, number(a["features"]),
                                a["content"] == "kept", number(a["ring"]))
        self.do_config(a["cmd_id"])                         # CFG-8

    def offer(self, queue, parts):
        segs = ["W:" + operations.show_range(part[1:]) if part[0] == "W"
                else "R@%#x:%s" % (operations.SCRATCH + 4 * part[1],
                                   part[2].hex()) for part in parts]
        self.offers += 1
        self.say("vq %s %d %s" % (queue, self.offers, " ".join(segs)))
        return self.offers

    def tell(self):
        """All was said."""

    def do_config(self, value):
        self.driver.read_config(number(value))
        return "ok"

    def do_free(self, text):
        self.driver.add_free(*operations.parse_range(text))
        return "ok"

    def do_take(self, text):
        result = self.driver.take(*operations.parse_range(text))
        return "ok" if result == "ok" else "err " + result

    def do_work(self, steps=None):
        self.driver.work()
        return "ok"

    def do_used(self, name, length):
        result = self.driver.used(number(name))
        return "ok" if result == "ok" else "err " + result

    def do_queue_reset(self, queue):
        self.driver.reset_queue(queue)
        return "ok"

    def do_device_reset(self):
        self.driver.reset()
        return "ok"


class Testee:
    """Requests in, lines out."""

    roles = {"role=device": DeviceRole, "role=driver": DriverRole}

    def __init__(self, out):
        self.out = out
        self.subject = None         # a device or a driver

    def say(self, line):
        self.out.write(line + "\n")

    def answer(self, line):
        request, *words = line.split()
        if request == "hello":
            return ("ok fph-conformance 1 %s roles=codec,device,driver"
                    " acts=%s" % (NAME, ACTS))
        if request == "bye":
            return "ok"
        if request in CODEC:
            return codec(request, words)
        if request == "reset":
            if words[0] not in self.roles:
                return "skip role"
            self.subject = self.roles[words[0]](self.say, words[1:])
            return "ok"
        call = getattr(self.subject, "do_" + request.replace("-", "_"), None)
        if not call:
            return "skip unknown request"
        result = call(*words)
        self.subject.tell()
        return result

    def run(self, lines):
        for line in lines:
            self.say(self.answer(line))
            self.out.flush()
            if line.split()[0] == "bye":
                break


if __name__ == "__main__":
    Testee(sys.stdout).run(sys.stdin)
