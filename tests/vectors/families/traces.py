# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What a Linux driver put into its queues, played to a device.

The recordings are in tests/vectors/traces, one line for each buffer and each
change of the command id.  The host of a recording chose ids freely; here the
ids up to the recorded one are published and withdrawn first.
"""

import os

from .build import (HARVEST, boot, do, kick, look, offer, publish, result,
                    run, story, work)

TITLE = "Recorded transcripts of a Linux driver"
NOTES = {
    "MidStream": ("stale hints", "The host changed the id while the driver "
                  "was sending hints."),
    "Dense": ("numbering", "The reporting queue is at index 3: hinting was "
              "not negotiated."),
    "Indirect": ("efficiency", "A report of 32 ranges came by an indirect "
                 "table; here each buffer is a direct chain."),
}
SOURCE = "Linux 6.1.176 user-mode driver, recorded"
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                      "traces")
BATCH = 200


def joined(ranges):
    """Runs of ranges that do not overlap, as text."""
    runs = []
    for gpa, length in sorted(ranges):
        if runs and sum(runs[-1]) == gpa:
            runs[-1] = (runs[-1][0], runs[-1][1] + length)
        else:
            runs.append((gpa, length))
    return ["%#x+%#x" % r for r in runs]


class Host:
    """The steps of a story, with what a device has to do, from a recording.

    Only the ids are followed, to tell which hints count.
    """

    def __init__(self):
        self.steps = []
        self.offers = 0
        self.next_id = 2
        self.published = self.active = None
        self.queue = None
        self.batch = []
        self.midstream = False

    def flush(self):
        batch, self.batch = self.batch, []
        if not batch:
            return
        index, name = self.queue
        used = range(self.offers, self.offers + len(batch))
        self.offers += len(batch)
        self.steps.append(offer(index, *batch))
        ranges = [self.ranges(b) for b in batch if self.counts(name, b)]
        runs = joined(r for buffer in ranges for r in buffer)
        if name == "stats":
            self.steps.append(kick(index, 1))
        elif name == "hint":
            self.steps.append(run(index, len(batch), [], runs, used))
        else:
            self.steps.append(run(index, len(batch), runs, [], used))

    @staticmethod
    def ranges(buffer):
        return [tuple(int(n, 16) for n in seg[1:].split("+"))
                for seg in buffer.split("|")]

    def counts(self, name, buffer):
        if not buffer.startswith("R:"):
            return name == "report" or self.active
        if name == "hint":
            number = int.from_bytes(bytes.fromhex(buffer[2:]), "little")
            self.active = self.published == number and not self.active
            if self.active:
                self.published = None
        return False

    def buffer(self, index, name, text):
        # The driver has one report in the queue at a time.
        most = 1 if name == "report" else BATCH
        if self.queue != (index, name) or len(self.batch) == most:
            self.flush()
        self.queue = (index, name)
        self.batch.append(text)

    def command(self, number):
        self.flush()
        self.midstream = self.midstream or bool(self.active)
        self.published, self.active = None, False
        if number < 2:
            self.steps.append(result("done" if number else "stop"))
        else:
            while self.next_id < number:
                self.steps += [result("stop"), publish(self.next_id)]
                self.next_id += 1
            self.steps += [result("stop"), publish(number)]
            self.next_id = number + 1
            self.published = number
        self.steps.append(do("look", [
            {"cmd_id": str(number), "irq": irq, "broken": "0"}
            for irq in "01"]))


def recording(name):
    host = Host()
    setup = {}
    reqs = set()
    with open(os.path.join(FOLDER, name), encoding="ascii") as f:
        lines = [line.split() for line in f if not line.startswith("#")]
    for words in lines:
        if words[0] in ("features", "memory", "queues"):
            setup[words[0]] = words[1:]
        elif words[0] == "cmd":
            host.command(int(words[1]))
        elif words[0] == "poison":
            host.steps.append(do("write_config", offset="12", data=words[1]))
            reqs.add("FPH-R4")
        else:
            host.buffer(int(words[0][2:]), words[1], words[2])
            reqs |= {"hint": {"FPH-D4A", "FPH-D4B", "FPH-D10", "FPH-D5"},
                     "report": {"FPH-R8", "FPH-R10"},
                     "stats": {"FPH-STAT-1"}}[words[1]]
    host.flush()
    features = int(setup["features"][0], 16)
    flags = ["MidStream"] if host.midstream else []
    if "3" in setup["queues"] and "4" not in setup["queues"] and \
            features & 0x20:
        flags.append("Dense")
        reqs.add("FPH-Q-2")
    if features & 1 << 28 and "FPH-R8" in reqs:
        flags.append("Indirect")
    return story("transcript: " + name[:-len(".txt")], sorted(reqs),
                 [boot(features, [int(q) for q in setup["queues"]]), HARVEST,
                  look(0), host.steps, work()],
                 flags, source=SOURCE, offered=features,
                 memory=setup["memory"])


def cases():
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".txt"):
            yield recording(name)
