# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Device role: the stories of tests/vectors, recordings of a driver included.

A story has the ids, the steps and the moments of the implementation that it
was written for.  Here each becomes what any device can be asked: ids are
translated, "kick", "take" and "finish" are the device's own affair, and what
was acted on is compared where nothing ended the round in between.
"""

import json
import os

import codec
import world
from world import DONE, STOP, World, merge, need, show

FILES = ("device.json", "hints.json", "life.json", "model.json",
         "reports.json", "traces.json")
QUEUES = ("inflate", "deflate", "stats", "hint", "report")
BITS = {"stats": 1, "hint": 3, "report": 5}
# Operations that the protocol has no words for, or that look inside.
UNSAID = {"vq_stop": "a queue is disabled", "freeze": "a snapshot",
          "thaw": "a snapshot", "stats": "the statistics that were read",
          "stats_request": "statistics are asked for",
          "queue": "numbering of the queues", "target": "a balloon target"}
OUTSIDE = "memory where the runner keeps commands"


def ranges(texts):
    return [tuple(int(n, 0) for n in text.split("+")) for text in texts]


class Player:
    """One story, played to a testee."""

    def __init__(self, testee, case):
        self.testee, self.case = testee, case
        given = case["input"]
        self.offered = int(given["offered"], 0)
        self.memory = tuple(ranges(given["memory"]))
        self.granule = int(given["granule"])
        self.pages = [int(page, 0) for page in given["pages"]]
        self.world = None
        self.ids = {STOP: STOP, DONE: DONE}     # of the story: the device's
        self.names = []             # story's number of a buffer: world's
        self.skips, self.discards = [], []
        self.rest = set()           # queues of which not all was taken
        self.certain = True         # nothing ended a round since the last end
        self.taking = False         # it may not have taken all that waits

    def play(self):
        steps = self.case["steps"]
        self.boot(steps)
        for step in steps[self.booted:]:
            getattr(self, "do_" + step["op"])(step["input"], step["expect"])

    # Set-up: the features, and all of their queues at their dense places.

    booted = 0
    offered_since = 0               # buffers, since the device was through
    due = ()                        # buffers that came back at once
    not_begun = False               # buffers were taken since the last begin

    def boot(self, steps):
        self.world = World(self.testee, offered=self.offered,
                           features=int(steps[0]["input"]["negotiated"], 0),
                           granule=self.granule, memory=self.memory)
        self.booted = 1
        if self.pages:
            self.world.migrate(self.pages)

    def queue(self, index):
        there = [q for q in QUEUES if q not in BITS or
                 self.world.features >> BITS[q] & 1]
        return there[int(index)]

    def do_vq(self, given, expect):
        """The runner's driver sets up all of its queues."""

    def do_features(self, given, expect):
        self.world.features = int(given["negotiated"], 0)
        need(self.world.ask("features", given["negotiated"]).ok, "features")

    def do_reset(self, given, expect):
        if expect["result"] != "ok":
            return
        self.due = []
        self.world.end_round("device-reset")
        self.world.forget()
        self.names = [None] * len(self.names)
        self.clear(False)

    # Buffers.

    def translate(self, data):
        value = int.from_bytes(data, "little")
        new = self.ids.get(value, value)
        if value not in self.ids and value in self.ids.values():
            new = value ^ 0x5a000000
        return new.to_bytes(4, "little")

    def segs(self, text, queue):
        """A buffer's segments; a command has the device's id for ours."""
        segs = []
        for part in text.split("|"):
            if part.startswith("R:"):
                segs.append(("R", bytes.fromhex(part[2:])))
            else:
                kind = "W" if part[0] == "W" else "r"
                segs.append((kind, *ranges([part[1:]])[0]))
        data = b"".join(s[1] for s in segs if s[0] == "R")
        if queue == "hint" and len(data) == 4:
            data, segs, old = self.translate(data), [], segs
            for seg in old:
                if seg[0] == "R":
                    seg, data = ("R", data[:len(seg[1])]), data[len(seg[1]):]
                segs.append(seg)
        return segs

    def do_offer(self, given, expect):
        queue = self.queue(given["index"])
        for text in given["buffers"]:
            segs = self.segs(text, queue)
            data = b"".join(s[1] for s in segs if s[0] == "R")
            if queue == "inflate" and len(data) % 4 == 0:
                name = self.world.inflate_segs(segs, data)
            else:
                name = self.world.offer(queue, *segs)
            self.names.append(name)
            self.look_at(queue, world.Buffer(queue, segs))

    def look_at(self, queue, buffer):
        """Whether what is acted on depends on when buffers are taken."""
        self.offered_since += 1
        if not buffer.well_formed() or \
                queue == "hint" and buffer.readable_length() not in (0, 4):
            self.certain = self.certain and self.offered_since == 1
        elif self.offered_since > 1 and self.is_partial(buffer):
            self.certain = False        # merging over buffers is optional

    def is_partial(self, buffer):
        """Whether some of its pages are less than a granule."""
        if buffer.queue == "inflate":
            return self.granule > world.PAGE
        return any(gpa % self.granule or n % self.granule
                   for gpa, n in buffer.ranges())

    # Acting.  What was expected is kept until the device must be through.

    def clear(self, certain):
        self.skips, self.discards = [], []
        self.world.skipped.clear()
        self.world.discarded.clear()
        self.certain = certain

    def expect_later(self, expect):
        if isinstance(expect, list):
            self.certain = False        # any of them is right
            return
        self.skips += ranges(expect.get("skipped", []))
        self.discards += ranges(expect.get("discarded", []))

    def through(self):
        self.world.work()
        self.taking = self.not_begun = False
        self.offered_since = 0
        self.rest.clear()
        if self.certain:
            for what, got, wanted, acts in (
                    ("skipped", self.world.skipped, self.skips, "hints"),
                    ("discarded", self.world.discarded, self.discards,
                     "reports")):
                if self.testee.has("acts", acts):
                    need(merge(got) == merge(wanted), "%s %s, not %s", what,
                         show(merge(got)), show(merge(wanted)))
        self.clear(True)

    def returned(self, expect):
        if isinstance(expect, list) or self.world.broken:
            return
        for number in expect.get("used", []):
            name = self.names[int(number.partition("+")[0])]
            need(name not in self.world.flight, "buffer %s is not back",
                 number)

    def do_kick(self, given, expect):
        """The device takes them when it likes."""
        self.taking = self.not_begun = True
        if "budget" in given:
            self.rest.add(given["index"])
        else:
            self.rest.discard(given["index"])

    def do_take(self, given, expect):
        """It begins, or waits with that."""
        self.not_begun = False
        self.expect_later(expect)
        self.world.work(1)

    def do_flush(self, given, expect):
        self.due = [*self.due, *expect["used"]]

    def do_finish(self, given, expect):
        """The device may be further than the story, and do the rest too."""
        if self.not_begun or self.rest:
            self.world.work()
        else:
            self.through()
        self.returned({"used": [*self.due, *expect["used"]]})
        self.due = []

    def do_work(self, given, expect):
        self.expect_later(expect)
        self.through()
        self.returned(expect)

    def do_run(self, given, expect):
        self.do_work(given, expect)

    # The host.

    def end(self, given, expect, *words):
        """Ends a round; what was in the device's hand is its own affair."""
        self.leave_open()
        self.world.end_round(*words)

    def leave_open(self):
        """From here on it matters what the device had taken."""
        self.certain = self.certain and not self.taking and \
            not self.offered_since

    def do_stop(self, given, expect):
        self.end(given, expect, "stop")

    def do_done(self, given, expect):
        self.end(given, expect, "done", "ok")

    def do_sync_begin(self, given, expect):
        busy = expect["result"] == "busy"       # and is asked again
        self.end(given, expect, "stop" if busy else "sync-begin")

    def do_sync_end(self, given, expect):
        if expect["result"] == "ok":
            need(self.world.ask("sync-end").ok, "sync-end")

    def do_harvest(self, given, expect):
        self.leave_open()
        self.world.sync()

    def do_restore(self, given, expect):
        self.leave_open()
        self.world.go_on("restore")

    def do_takeover(self, given, expect):
        self.leave_open()
        self.world.go_on("takeover")

    def do_vq_reset(self, given, expect):
        queue = self.queue(given["index"])
        self.leave_open()
        if expect["result"] == "ok":
            gone = self.world.queue_reset(queue)
            self.names = [None if n in gone else n for n in self.names]
        elif queue == "hint":
            self.world.end_round("stop")        # and is asked again

    def do_publish(self, given, expect):
        if isinstance(expect, list):
            self.world.try_start()      # the last step: either is right
            return
        if expect["result"] == "busy":
            return
        answer = self.world.try_start()
        if expect["result"] == "ok":
            need(answer.ok, "start: %s", answer)
            self.ids[int(expect["id"])] = self.world.hints.published
        elif expect["result"] in ("state", "broken") and self.certain:
            need(not answer.ok, "an id was published: %s", answer)

    # What is seen.

    def do_look(self, given, expect):
        if self.taking:
            return
        looks = expect if isinstance(expect, list) else [expect]
        self.world.shows(*(self.ids.get(int(look["cmd_id"]), None)
                           for look in looks))

    def do_state(self, given, expect):
        """Inside the device; config space has to agree."""
        if self.taking:
            return
        if expect["state"] in ("REQUESTED", "ACTIVE"):
            self.world.shows(self.world.hints.published)
        elif expect["state"] != "STOPPING":
            self.world.shows(DONE if expect["state"] == "DONE" else STOP)

    def do_read_config(self, given, expect):
        offset, length = int(given["offset"]), int(given["len"])
        got = self.world.config(offset, length)
        wanted = bytearray.fromhex(expect["data"])
        at = 8 - offset
        if 0 <= at and at + 4 <= length:
            wanted[at:at + 4] = self.translate(bytes(wanted[at:at + 4]))
        if offset == 0 and length >= 4:
            got = bytes(4) + got[4:]
            wanted[0:4] = bytes(4)              # the target is the host's
        need(got == bytes(wanted), "config space: %s, not %s", got.hex(),
             wanted.hex())

    def do_write_config(self, given, expect):
        self.world.write_config(int(given["offset"]),
                                bytes.fromhex(given["data"]))

    # The migration.

    def do_free(self, given, expect):
        self.world.free.add(int(given["page"], 0))

    def do_write(self, given, expect):
        self.world.write(int(given["page"], 0))

    def do_use(self, given, expect):
        self.world.free.discard(int(given["page"], 0))

    def do_send(self, given, expect):
        self.world.send()

    def do_switch(self, given, expect):
        """A driver that breaks its rules may lose pages, no other."""
        lost = {"%#x" % page for page in self.world.lost()}
        need(lost <= set(expect["lost"]), "lost: %s", " ".join(sorted(lost)))


def unsaid(case):
    """Why the protocol cannot say this story, or None."""
    for step in case["steps"]:
        op = step["op"]
        result = isinstance(step["expect"], dict) and \
            step["expect"].get("result")
        if op in UNSAID:
            return UNSAID[op]
        if op in ("memory", "features") and result != "ok":
            return OUTSIDE if op == "memory" else "features that are refused"
        if op in ("kick", "run") and result == "none":
            return "a queue that does not exist"
        if op in ("sync_begin", "harvest") and result == "state":
            return "a sync inside another"
        if result == "exhausted":
            return "the last id"
    if unnotified(case["steps"]):
        return "a queue that is not notified"
    return why_not_booted(case)


def unnotified(steps):
    """Whether the device works while a queue waits for its notification."""
    waiting = set()
    for step in steps:
        if step["op"] == "offer":
            waiting.add(step["input"]["index"])
        elif step["op"] in ("kick", "run"):
            waiting.discard(step["input"]["index"])
        if step["op"] in ("work", "run", "finish") and waiting:
            return True
    return False


def why_not_booted(case):
    """The runner's driver sets up every queue that it negotiated."""
    steps = case["steps"]
    if steps[0]["op"] != "features":
        return "no features"
    features = int(steps[0]["input"]["negotiated"], 0)
    wanted = set(range(2 + sum(features >> bit & 1
                               for bit in BITS.values())))
    rings = set()
    for step in steps[1:]:
        if step["op"] == "vq" and step["expect"].get("result") == "ok":
            rings.add(int(step["input"]["index"]))
        elif step["op"] not in ("write_config", "vq", "look", "read_config",
                                "harvest", "send"):
            break
    return None if rings == wanted else "queues that are not all set up"


def tests(folder):
    """(name, about, call) of each story that the protocol can say."""
    for file in FILES:
        with open(os.path.join(folder, file), encoding="utf-8") as f:
            top = json.load(f)
        for case in top["tests"]:
            if "steps" not in case or unsaid(case):
                continue
            yield ("stories/%s/%s" % (file[:-5], case["tcId"]),
                   codec.about(case, top["notes"]),
                   lambda testee, case=case: Player(testee, case).play())


def count_unsaid(folder):
    """reason: how many stories are not played because of it."""
    counts = {}
    for file in FILES:
        with open(os.path.join(folder, file), encoding="utf-8") as f:
            for case in json.load(f)["tests"]:
                why = unsaid(case) if "steps" in case else None
                if why:
                    counts[why] = counts.get(why, 0) + 1
    return counts
