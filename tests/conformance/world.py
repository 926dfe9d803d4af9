# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What is around a device under test: driver, memory, migration.

The world offers buffers, keeps a dirty log and a migration bitmap, and judges
each action of the testee when it is told of it: a range that is skipped must
lie in hints that count now and whose buffers are not used yet, a range that
is discarded in reports that were not used yet.  When the device took a buffer
is not asked: taking.py keeps all that it may have done.
"""

import protocol
import taking

PAGE = 4096
STATS, HINT, POISON, REPORT = 1 << 1, 1 << 3, 1 << 4, 1 << 5
V1, IN_ORDER = 1 << 32, 1 << 35
ALL = STATS | HINT | POISON | REPORT | V1
# The middle of a granule of 2 MiB is a border; then two that lie alone.
MEMORY = ((0, 0x800000), (0x800000, 0x300000), (0xb00000, 0x500000),
          (0x10000000, 0x800000), (0x7fff00000000, 0x400000))
BORDER = 0xb00000
LAST_GPA, LAST_LEN = MEMORY[-1]
END = 0x1000000                 # of the memory at the bottom
STOP, DONE, MIN = 0, 1, 2
SAY_MORE = ("start", "read-config")     # others answer with ok alone
RETRIES = 1000


class Violation(Exception):
    """A rule was broken where it can be seen."""


def need(condition, text, *args):
    if not condition:
        raise Violation(text % args)


def number(text):
    try:
        return int(text, 0)
    except ValueError:
        raise Violation("'%s' is not a number" % text) from None


def parse_range(text):
    gpa, plus, length = text.partition("+")
    need(plus and number(length) > 0, "'%s' is not a range", text)
    return number(gpa), number(length)


def merge(ranges):
    runs = []
    for gpa, length in sorted(ranges):
        if runs and gpa <= runs[-1][1]:
            runs[-1][1] = max(runs[-1][1], gpa + length)
        else:
            runs.append([gpa, gpa + length])
    return [(start, end - start) for start, end in runs]


def inside(gpa, length, ranges):
    return any(start <= gpa and gpa + length <= start + n
               for start, n in merge(ranges))


def show(ranges):
    return " ".join("%#x+%#x" % r for r in ranges) or "nothing"


class Buffer:
    def __init__(self, queue, segs):
        self.queue = queue
        self.segs = segs            # ("R", bytes), ("r" or "W", gpa, len)
        self.discards = False       # its ranges may be discarded
        self.frames = []            # pages of an inflate buffer
        self.at = None              # where a command lies, when it was told

    def ranges(self):
        return [s[1:] for s in self.segs if s[0] == "W"]

    def well_formed(self):
        """Whether a ring takes it at all (FPH-Q-6)."""
        kinds = "".join("W" if s[0] == "W" else "R" for s in self.segs)
        sizes = [(0, len(s[1])) if s[0] == "R" else s[1:]
                 for s in self.segs]
        return "WR" not in kinds and sum(n for _, n in sizes) <= 1 << 32 \
            and all(n > 0 and gpa + n <= 1 << 64 for gpa, n in sizes)

    def readable(self):
        return b"".join(s[1] for s in self.segs if s[0] == "R")

    def readable_length(self):
        return len(self.readable()) + sum(s[2] for s in self.segs
                                          if s[0] == "r")

    def text(self):
        return ["R:" + s[1].hex() if s[0] == "R"
                else "%s:%#x+%#x" % s for s in self.segs]


def own_memory(testee):
    """Guest memory that a testee has and cannot change, or nothing."""
    return tuple(map(parse_range, testee.about.get("mem", ())))


def needs_regions(testee):
    """For a test that is about borders of regions."""
    if own_memory(testee):
        raise protocol.Skip("about regions, and its memory is its own")


class World:
    def __init__(self, testee, features=ALL, offered=None, granule=PAGE,
                 memory=None):
        memory = memory or own_memory(testee) or MEMORY
        if testee.world:
            testee.world.finish()       # what was due in the one before
        self.testee = testee
        self.features, self.granule, self.memory = features, granule, memory
        self.poison = 0
        self.hints = taking.Queue()
        self.starting = False       # an answer to "start" is awaited
        self.flight = {}            # number: Buffer
        self.offers = 0
        self.broken = False
        self.used = []
        self.skipped = []
        self.discarded = []
        self.shown = STOP           # command id in config space
        # A deployed device shows 0 from START on: known, and told apart.
        self.may_hide = testee.has("quirks", "hides-id")
        self.hidden = False
        self.untold = False         # it changed, and no interrupt came since
        self.version = {}           # page: content of source, as a number
        self.copy = {}              # page: content of destination
        self.free = set()
        self.log = set()
        self.bitmap = set()
        if offered is None:
            offered = features | ALL
        answer = testee.ask(
            "reset", "role=device", "offered=%#x" % offered,
            "features=%#x" % features, "granule=%d" % granule,
            "mem=" + ",".join("%#x+%#x" % r for r in memory))
        need(answer.ok, "reset: %s", answer)
        self.judge(answer)
        testee.world = self

    synced = False                  # the log is of use to a migration
    reset_untold = False            # broken, and no interrupt came with it

    # Requests and what is told of them.

    def ask(self, *words):
        answer = self.testee.ask(*words)
        self.judge(answer)
        need(not answer.ok or not answer.words or words[0] in SAY_MORE,
             "%s: '%s'", words[0], answer)
        self.synced |= answer.ok and words[0] == "sync-end"
        return answer

    def judge(self, answer):
        names = [action[0] for action in answer.actions if action]
        if "broken" in names:
            self.reset_untold = "irq" not in names
        self.was_untold = self.untold
        for action in answer.actions:
            known = {"skip-range": (self.on_skip, 1),
                     "discard": (self.on_discard, 1),
                     "clear-log": (self.on_clear_log, 1),
                     "used": (self.on_used, 2), "cfg": (self.on_cfg, 1),
                     "irq": (self.on_irq, 0), "broken": (self.on_broken, 0)}
            name = action[0] if action else ""
            need(name in known, "no action: '%s'", " ".join(action))
            call, words = known[name]
            need(len(action) == words + 1, "'%s'", " ".join(action))
            call(*action[1:])
        need(self.was_untold or not self.untold or "irq" not in names,
             "an interrupt came before the id that it tells of, not after")

    def on_skip(self, text):
        gpa, length = parse_range(text)

        def fits(names):
            return inside(gpa, length, [
                r for name in names if name in self.flight
                for r in self.flight[name].ranges()])

        need(self.hints.may_skip(fits), "skipped %s, which is not in hints"
             " that count and are not yet used", text)
        need(gpa % self.granule == 0 and length % self.granule == 0,
             "skipped %s, which is not whole granules", text)
        self.in_one_region("skipped", gpa, length)
        self.skipped.append((gpa, length))
        self.bitmap -= {p for p in self.bitmap
                        if gpa <= p and p + PAGE <= gpa + length}

    def in_one_region(self, what, gpa, length):
        need(any(start <= gpa and gpa + length <= start + n
                 for start, n in self.memory),
             "%s %#x+%#x, which is not in one region of memory", what, gpa,
             length)

    def on_discard(self, text):
        gpa, length = parse_range(text)
        good = [r for b in self.flight.values()
                for r in (b.ranges() if b.discards else b.frames)]
        need(inside(gpa, length, good), "discarded %s, which is not in a"
             " report that allows it and is not yet used", text)
        need(gpa % PAGE == 0 and length % PAGE == 0,
             "discarded %s, which is not whole pages", text)
        self.in_one_region("discarded", gpa, length)
        self.discarded.append((gpa, length))

    def on_clear_log(self, text):
        raise Violation("cleared the dirty log: " + text)

    def on_used(self, name, length):
        buffer = self.flight.get(number(name))
        need(buffer, "buffer %s was used, and is not with the device", name)
        need(not self.features & IN_ORDER or not any(
            n < number(name) and b.queue == buffer.queue
            for n, b in self.flight.items()), "buffer %s was used before one"
             " that was offered earlier, and it is IN_ORDER", name)
        need(buffer.queue != "hint" or self.hints.was_used(number(name)),
             "buffer %s was used before one that was offered earlier, or"
             " after an error", name)
        del self.flight[number(name)]
        number(length)
        self.used.append(number(name))

    def on_cfg(self, value):
        if self.may_hide and number(value) == STOP and \
                self.hints.published is not None:
            self.hidden = True
            return
        self.hidden = False
        before, self.shown = self.shown, number(value)
        self.untold = self.untold or before != self.shown
        if self.starting and self.shown >= MIN:
            self.publish(self.shown)

    def on_irq(self):
        self.untold = self.reset_untold = False

    def on_broken(self):
        self.broken = True

    # The driver.

    def config(self, offset=0, length=16):
        answer = self.ask("read-config", offset, length)
        need(answer.ok and len(answer.words) == 1, "read-config: %s", answer)
        data = bytes.fromhex(answer.words[0])
        need(len(data) == length, "read-config: %s", answer)
        return data

    def shows(self, *values):
        """What config space shows; a change comes with an interrupt."""
        got = int.from_bytes(self.config(8, 4), "little")
        if self.hidden and got == STOP:
            need({STOP, self.hints.published} & set(values), "config space"
                 " shows %d", got)
            return
        need(got in values, "config space shows %d, not %s", got,
             " or ".join(map(str, values)))
        need(got == self.shown, "config space shows %d, cfg said %d", got,
             self.shown)
        need(not self.untold, "the id in config space changed to %d without"
             " an interrupt after that", got)

    def write_config(self, offset, data):
        answer = self.ask("write-config", offset, data.hex())
        need(answer.ok, "write-config: %s", answer)
        if offset == 12 and self.features & POISON:
            self.poison = int.from_bytes(data, "little")

    def good(self, gpa, length):
        return inside(gpa, length, self.memory)

    def offer(self, queue, *segs):
        """Put a buffer into a queue; its number, or None if not taken."""
        buffer = Buffer(queue, segs)
        all_good = buffer.well_formed() and all(
            self.good(*s[1:]) for s in segs if s[0] != "R")
        if queue == "report" and self.features & REPORT:
            buffer.discards = (self.poison == 0 and all_good and
                               all(s[0] == "W" for s in segs))
        return self.put(buffer, all_good)

    def put(self, buffer, all_good=True):
        name = self.offers
        self.offers += 1
        self.flight[name] = buffer
        if buffer.queue == "hint" and self.features & HINT:
            self.hints.offer(name, *self.content(buffer, all_good))
        answer = self.ask("vq", buffer.queue, name, *buffer.text())
        if not answer.ok:
            need(name in self.flight, "'%s', and used it", answer)
            need(not self.has_queue(buffer.queue), "no queue '%s': %s",
                 buffer.queue, answer)
            del self.flight[name]
            self.hints.forget(name)
            return None
        return name

    def has_queue(self, queue):
        bit = {"stats": STATS, "hint": HINT, "report": REPORT}.get(queue, V1)
        return bool(self.features & bit)

    @staticmethod
    def content(buffer, all_good):
        """What a device finds in a buffer of hints."""
        data = buffer.readable()
        if not buffer.well_formed():
            return taking.RING_ERROR, None, False
        if buffer.readable_length() not in (0, 4):
            return taking.COMMAND_ERROR, None, False
        if not all_good:
            return taking.REFUSED, None, False
        command = int.from_bytes(data, "little") if data else None
        return taking.GOOD, command, bool(buffer.ranges())

    def command(self, value):
        return self.offer("hint", ("R", value.to_bytes(4, "little")))

    def hint(self, *ranges):
        return self.offer("hint", *(("W", *r) for r in ranges))

    def report(self, *ranges):
        return self.offer("report", *(("W", *r) for r in ranges))

    def inflate(self, *frames):
        return self.inflate_parts(frames)

    def inflate_parts(self, frames, *cuts):
        """The same in several descriptors, cut after so many bytes."""
        data = b"".join(frame.to_bytes(4, "little") for frame in frames)
        ends = [0, *cuts, len(data)]
        return self.inflate_segs([("R", data[a:b]) for a, b in
                                  zip(ends, ends[1:])], data)

    def inflate_segs(self, segs, data):
        """A buffer of the inflate queue with these whole entries."""
        buffer = Buffer("inflate", segs)
        frames = [int.from_bytes(data[i:i + 4], "little") * PAGE
                  for i in range(0, len(data), 4)]
        if buffer.well_formed() and all(s[0] == "R" for s in segs) and \
                all(self.good(frame, PAGE) for frame in frames):
            buffer.frames = [(frame, PAGE) for frame in frames]
        return self.put(buffer)

    def work(self, steps=None):
        answer = self.ask("work", *([] if steps is None else [steps]))
        need(answer.ok, "work: %s", answer)

    def drain(self):
        """Let the device work until it is idle: every buffer comes back."""
        self.work()
        left = sorted(self.flight)
        need(self.broken or not left,
             "not returned: %s", ", ".join(map(str, left)))
        need(not self.untold, "the id in config space changed to %d without"
             " an interrupt", self.shown)

    def expect_untaken(self, *names):
        """These, or None where there is no such queue, do not come back."""
        self.work()
        need(all(name is None or name in self.flight for name in names),
             "a buffer that must not be taken came back")

    def drain_but(self, queue):
        """The same, but for a queue whose buffers the device may keep."""
        self.work()
        left = [n for n, b in self.flight.items() if b.queue != queue]
        need(self.broken or not left, "not returned: %s", left)

    def finish(self):
        """The end of a test: what is due has come."""
        if self.untold:
            self.work()
        need(not self.untold, "the id in config space changed to %d without"
             " an interrupt", self.shown)
        need(not self.reset_untold, "DEVICE_NEEDS_RESET without an interrupt")

    # The host.

    def until_ok(self, *words):
        for _ in range(RETRIES):
            answer = self.ask(*words)
            if answer.code != "busy":
                break
            self.work(1)
        need(answer.ok, "%s: %s", " ".join(words), answer)
        return answer

    def end_round(self, *words):
        """From the request on no new hint counts, from ok on none."""
        self.hints.end()
        answer = self.until_ok(*words)
        self.hints.barrier()
        if self.features & HINT:
            due = {"done": (DONE,), "device-reset": (STOP,)}
            need(self.hidden and words[0] != "done" or
                 self.shown in due.get(words[0], (STOP, DONE)), "after %s"
                 " the id is %d", words[0], self.shown)
        return answer

    def publish(self, command):
        self.starting = False
        need(MIN <= command < 1 << 32, "start: the id is %d", command)
        need(self.hints.may_publish(command), "the id %d was published"
             " again, and its stream has not stopped", command)
        self.hints.publish(command)

    def try_start(self):
        """The answer; what was taken before may take effect until then."""
        self.starting = True
        answer = self.ask("start")
        if answer.ok:
            need(answer.words, "start: %s", answer)
            need(self.synced, "an id was published before a sync")
            if self.starting:
                self.publish(number(answer.words[0]))
            need(self.hints.published == number(answer.words[0]),
                 "start: the id is %s, cfg said %d", answer.words[0],
                 self.hints.published)
            need(self.shown == self.hints.published, "config space shows %d"
                 " after the id %d was published", self.shown,
                 self.hints.published)
        self.starting = False
        return answer

    def start(self):
        """Publish; the id."""
        answer = self.try_start()
        need(answer.ok, "start: %s", answer)
        return self.hints.published

    def start_refused(self):
        answer = self.ask("start")
        need(not answer.ok, "an id was published: %s", answer)

    def stop(self):
        self.end_round("stop")

    def done(self, why="ok"):
        self.end_round("done", why)

    def sync(self):
        self.end_round("sync-begin")
        self.bitmap |= self.log
        self.log = set()
        need(self.ask("sync-end").ok, "sync-end")

    def begin(self):
        """Sync and publish; the id."""
        self.sync()
        return self.start()

    def active(self):
        """A round with its START; the id."""
        command = self.begin()
        self.command(command)
        return command

    def device_reset(self, features=None):
        self.end_round("device-reset")
        self.forget()
        if features is not None:
            self.features = features
        need(self.ask("features", "%#x" % self.features).ok, "features")

    def go_on(self, how):
        """"restore" or "takeover": another device goes on."""
        self.hints.end()
        answer = self.until_ok(how)
        self.hints.barrier()
        self.synced = False
        if self.features & HINT:
            need(self.shown == DONE, "after %s the id is %d", how, self.shown)
            need(["irq"] in answer.actions, "%s without an interrupt", how)

    def queue_reset(self, queue):
        """The driver resets one queue; the buffers that it forgets."""
        if queue == "hint":
            self.end_round("queue-reset", queue)
            self.hints = self.hints.emptied()
        else:
            self.until_ok("queue-reset", queue)
        gone = {n for n, b in self.flight.items() if b.queue == queue}
        self.flight = {n: b for n, b in self.flight.items() if n not in gone}
        return gone

    def forget(self):
        """A reset was confirmed: the driver has its buffers back."""
        self.flight = {}
        self.hints = taking.Queue()
        self.broken = False
        self.untold = False         # no interrupt is due for a reset
        self.poison = 0

    # Migration: the guest uses pages, the host sends them.

    def migrate(self, pages):
        self.version = dict.fromkeys(pages, 1)
        self.copy = dict.fromkeys(pages, 0)
        self.bitmap = set(pages)

    def write(self, page):
        self.free.discard(page)
        self.version[page] += 1
        self.log.add(page)

    def send(self):
        for page in self.bitmap:
            self.copy[page] = self.version[page]
        self.bitmap = set()

    def lost(self):
        """Pages that the guest uses and that differ at the destination."""
        return [p for p in self.version if p not in self.free and
                self.copy[p] != self.version[p]]

    def switch(self):
        self.sync()
        self.send()
        lost = self.lost()
        need(not lost, "lost: %s", " ".join("%#x" % p for p in sorted(lost)))

    # Expectations of devices that say they act.

    def expect(self, what, got, wanted, acts):
        if self.testee.has("acts", acts):
            need(merge(got) == merge(wanted), "%s %s, not %s", what,
                 show(merge(got)), show(merge(wanted)))
        got.clear()

    def expect_skipped(self, *ranges):
        self.expect("skipped", self.skipped, ranges, "hints")

    def expect_discarded(self, *ranges):
        self.expect("discarded", self.discarded, ranges, "reports")
