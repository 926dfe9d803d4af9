# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Driver role: the runner is the device, and the guest around the driver.

Each test says in its first line what it is about, with the ids of the
requirements that it can see broken.
"""

from protocol import Skip
from world import (ALL, DONE, HINT, MIN, PAGE, POISON, REPORT, STOP, V1,
                   Buffer, inside, need, number, parse_range)

P = 0x100000
FREE = [(P + 2 * n * PAGE, PAGE) for n in range(48)]
MANY = [(P + 2 * n * PAGE, PAGE) for n in range(256)]
FEW = FREE[:3]
RING = 64
PLAIN = ALL & ~POISON
BOUND = 64                      # hints that may follow a change of the id


def overlaps(gpa, length, ranges):
    return any(gpa < start + n and start < gpa + length
               for start, n in ranges)


class Guest:
    def __init__(self, testee, features=PLAIN, content="free", shown=STOP,
                 ring=RING):
        self.testee, self.features, self.ring = testee, features, ring
        # Whether its allocator is out of sight: what is free is not known.
        self.own = testee.has("memory", "own")
        # Linux rewrites its one START buffer: known, and told apart.
        self.may_rewrite = testee.has("quirks", "start-rewritten")
        self.config = shown
        self.stream = None      # id of the START that has no STOP yet
        self.sent = set()       # ids
        self.answered = False   # the id that config space shows
        self.stops = 0
        self.late = 0           # hints since the id changed
        self.start = None       # the buffer of the last START
        self.seen_again = False     # the id was shown after START was used
        self.flight = {}        # number: Buffer
        self.numbers = set()
        self.free = []          # ranges
        self.seen = []          # free at some moment since the id was read
        self.hinted = []
        self.reported = []
        self.answer = self.ask(
            "reset", "role=driver", "features=%#x" % features,
            "content=" + content, "cmd_id=%d" % shown, "ring=%d" % ring)
        for word in self.answer.words:
            key, _, value = word.partition("=")
            if self.answer.ok and key == "ring":
                self.ring = number(value)
        need(self.answer.ok or content == "kept" or
             not features & (HINT | REPORT), "reset: %s", self.answer)

    def ask(self, *words):
        answer = self.testee.ask(*words)
        for action in answer.actions:
            need(len(action) > 3 and action[0] == "vq", "no action: '%s'",
                 " ".join(action))
            self.on_vq(*action[1:])
        return answer

    # What the driver offers.

    def on_vq(self, queue, name, *segs):
        name = number(name)
        need(name not in self.numbers, "a second buffer %d", name)
        self.numbers.add(name)
        self.newest = name
        buffer = Buffer(queue, [self.seg(text) for text in segs])
        need(buffer.well_formed() and all(n < 1 << 32 for _, n in
                                          buffer.ranges()),
             "a buffer that breaks the ring")
        self.flight[name] = buffer
        count = sum(len(b.segs) for b in self.flight.values()
                    if b.queue == queue)
        need(count <= self.ring, "%d descriptors in a ring of %d", count,
             self.ring)
        call = {"hint": self.on_hint, "report": self.on_report}.get(queue)
        need(call, "no queue '%s'", queue)
        call(buffer)

    def seg(self, text):
        """W:RANGE, R:BYTES, or R@GPA:BYTES, which tells where they lie."""
        kind, _, rest = text.partition(":")
        if kind == "W":
            return ("W", *parse_range(rest))
        need(kind[:1] == "R", "'%s' is no segment", text)
        if kind[1:]:
            at = number(kind[2:])
            need(self.may_rewrite or
                 at not in [b.at for b in self.flight.values()],
                 "the memory of a command in flight was used again")
            self.at = at
        return ("R", bytes.fromhex(rest))

    at = None

    def on_hint(self, buffer):
        need(self.features & HINT, "a hint without FREE_PAGE_HINT")
        data = buffer.readable()
        need(not data or len(data) == 4, "a command of %d bytes", len(data))
        buffer.at, self.at = self.at, None
        if data:
            self.on_command(int.from_bytes(data, "little"))
        if buffer.ranges():
            need(self.stream is not None, "a hint outside of a stream")
            self.late += not self.may_go_on()
            need(self.late <= BOUND, "it goes on after the id changed")
        for gpa, length in buffer.ranges():
            need(self.own or inside(gpa, length, self.seen),
                 "%#x+%#x was not free since the id was read", gpa, length)
            self.hinted.append((gpa, length))

    def may_go_on(self):
        """Whether what config space shows may be the stream's end."""
        hidden = self.config == STOP and not self.seen_again
        return self.config == self.stream or hidden         # V14

    def on_command(self, command):
        if command == STOP:
            need(self.stream is not None, "a STOP without a stream")
            self.stream = None
            self.stops += 1
            return
        need(command >= MIN, "the command %d", command)
        need(self.stream is None, "START before the STOP of the last stream")
        need(command == self.config, "START with %d, the id is %d", command,
             self.config)
        need(not self.answered, "the id %d twice", command)
        self.answered = True
        self.sent.add(command)
        self.stream, self.late = command, 0
        self.start, self.seen_again = self.newest, False

    def on_report(self, buffer):
        need(self.features & REPORT, "a report without PAGE_REPORTING")
        need(all(s[0] == "W" for s in buffer.segs), "readable in a report")
        out = [r for b in self.flight.values() if b.queue == "report" and
               b is not buffer for r in b.ranges()]
        for gpa, length in buffer.ranges():
            need(self.own or inside(gpa, length, self.free),
                 "%#x+%#x is not free", gpa, length)
            need(not overlaps(gpa, length, out), "reported twice")
            self.reported.append((gpa, length))

    # Guest and device.

    def shows(self, value):
        """The device changes the id, with an interrupt."""
        if value != self.config and value >= MIN:
            self.seen = list(self.free)
        if value == self.stream and self.start not in self.flight:
            self.seen_again = True
        if value != self.config:
            self.answered = False
        self.config = value
        need(self.ask("config", value).ok, "config")

    def known(self):
        """For what needs to know which pages are free."""
        if self.own:
            raise Skip("which pages are free is its own affair")

    def frees(self, *ranges):
        if self.own:
            return
        self.free += ranges
        self.seen += ranges
        for gpa, length in ranges:
            need(self.ask("free", "%#x+%#x" % (gpa, length)).ok, "free")

    def takes(self, gpa, length):
        """The guest wants a range back; whether it got it."""
        self.known()
        answer = self.ask("take", "%#x+%#x" % (gpa, length))
        if answer.ok:
            out = [r for b in self.flight.values() if b.queue == "report"
                   for r in b.ranges()]
            need(not overlaps(gpa, length, out),
                 "%#x+%#x was taken back before its report was used", gpa,
                 length)
            self.free.remove((gpa, length))
        return answer.ok

    def work(self):
        need(self.ask("work").ok, "work")

    def use(self, name):
        del self.flight[name]
        need(self.ask("used", name, 0).ok, "used")

    def use_all(self):
        """Use buffers and let it work until nothing more comes."""
        self.work()
        for _ in range(1000):
            if not self.flight:
                return
            for name in list(self.flight):
                self.use(name)
            self.work()
        need(False, "it never ends")

    def device_reset(self):
        self.flight, self.sent, self.stream = {}, set(), None
        self.config = STOP
        need(self.ask("device-reset").ok, "device-reset")

    def queue_reset(self, queue):
        """The device, which ended its round first, goes on counting ids."""
        self.flight = {name: buffer for name, buffer in self.flight.items()
                       if buffer.queue != queue}
        if queue == "hint":
            self.stream, self.config = None, STOP
            need(self.ask("config", STOP).ok, "config")
        need(self.ask("queue-reset", queue).ok, "queue-reset")

    def acts(self, what):
        return self.testee.has("acts", what)

    def expect_hinted(self, *ranges):
        if self.acts("hints") and self.own:
            need(self.hinted, "nothing was hinted")
        elif self.acts("hints"):
            for gpa, length in ranges:
                need(inside(gpa, length, self.hinted),
                     "%#x+%#x was not hinted", gpa, length)

    def expect_reported(self, *ranges):
        if self.acts("reports") and self.own:
            need(self.reported, "nothing was reported")
        elif self.acts("reports"):
            for gpa, length in ranges:
                need(inside(gpa, length, self.reported),
                     "%#x+%#x was not reported", gpa, length)

    def expect_no_stream(self):
        need(self.stream is None, "no STOP")


def hinting(testee, **more):
    return Guest(testee, features=HINT | V1, **more)


def test_round(testee):
    """START, hints, STOP: FPH-V4 FPH-V5 FPH-V6 FPH-BUF-1 FPH-BUF-2
    FPH-BUF-11"""
    g = hinting(testee)
    g.frees(*FEW)
    g.shows(2)
    g.use_all()
    g.expect_no_stream()
    g.expect_hinted(*FEW)
    need(not g.acts("hints") or g.stops == 1, "no round")


def test_nothing_without_id(testee):
    """No buffer while no id is shown: FPH-V4 FPH-V5"""
    g = hinting(testee)
    g.frees(*FEW)
    for value in (STOP, DONE, STOP):
        g.shows(value)
        g.use_all()
    need(not g.numbers, "it offered a buffer")


def test_id_from_before(testee):
    """An id that was published before DRIVER_OK: FPH-CFG-8"""
    g = hinting(testee, shown=7)
    g.frees(*FEW)
    g.use_all()
    need(not g.acts("hints") or 7 in g.sent, "the id was never read")


def test_id_once(testee):
    """The same id begins one stream, as long as it is shown: FPH-V4"""
    g = hinting(testee)
    g.frees(*FEW)
    for value in (5, 5, STOP, 5, DONE, 5):
        g.shows(value)
        g.use_all()
    g.shows(0x80000001)
    g.use_all()
    need(not g.acts("hints") or 0x80000001 in g.sent, "no second round")


def test_id_changes(testee):
    """A new id in mid-round ends the stream: FPH-V3 FPH-V3A FPH-V6 FPH-V1"""
    for use in (False, True):
        g = hinting(testee, ring=8)
        g.frees(*MANY)
        g.shows(2)
        g.work()
        if use:
            for name in list(g.flight)[:4]:
                g.use(name)
        g.shows(3)
        g.use_all()
        g.expect_no_stream()
        need(not g.acts("hints") or g.sent == {2, 3}, "no second round")


def test_done_in_mid_round(testee):
    """DONE in mid-round ends the stream: FPH-V3 FPH-V3A FPH-V6"""
    g = hinting(testee, ring=8)
    g.frees(*MANY)
    g.shows(2)
    g.work()
    g.shows(DONE)
    g.use_all()
    g.expect_no_stream()


def test_pages_of_an_old_id(testee):
    """A page that was taken before an id was read: FPH-V1"""
    for taken in range(len(FEW)):
        g = hinting(testee, ring=4)
        g.frees(*FEW)
        g.shows(2)
        g.work()
        if g.takes(*FEW[taken]):
            g.shows(3)
            g.use_all()
            g.shows(4)
            g.use_all()
            need(not any(inside(*FEW[taken], [r])
                         for r in g.hinted[len(FEW):]), "hinted, not free")


def test_ring_is_full(testee):
    """More ranges than the ring has room for: FPH-V15 FPH-V5"""
    for ring in (4, 8, 16):
        g = hinting(testee, ring=ring)
        g.known()
        g.frees(*FREE)
        g.shows(2)
        g.use_all()
        g.expect_hinted(*FREE)
        g.expect_no_stream()


def test_command_memory(testee):
    """Rounds while old commands are in flight: FPH-V8"""
    g = hinting(testee)
    g.may_rewrite = False
    g.frees(*FEW)
    for value in range(2, 10):
        g.shows(value)
        g.work()
    g.use_all()
    g.expect_no_stream()
    need(not g.acts("hints") or 9 in g.sent, "the last id was not begun")


def test_done_gives_back(testee):
    """After DONE the guest has its pages: FPH-V11"""
    g = hinting(testee)
    g.frees(*FREE)
    g.shows(2)
    g.use_all()
    g.shows(DONE)
    g.use_all()
    for page in FREE:
        need(g.takes(*page), "%#x+%#x is not back", *page)


def test_reset_in_mid_round(testee):
    """After a reset ids begin anew: FPH-V16 FPH-L2"""
    g = hinting(testee, ring=8)
    g.frees(*FREE)
    g.shows(2)
    g.work()
    g.device_reset()
    g.frees()
    g.shows(2)
    g.use_all()
    need(not g.acts("hints") or 2 in g.sent, "the id was not begun")
    g.expect_no_stream()
    g.shows(DONE)
    g.use_all()
    for page in FREE:
        need(g.takes(*page), "%#x+%#x is not back", *page)


def test_report(testee):
    """Free pages are reported, then theirs again: FPH-R1 FPH-R12 FPH-R18"""
    g = Guest(testee)
    g.frees(*FEW)
    g.work()
    g.expect_reported(*FEW)
    for page in FEW:
        g.takes(*page)
    g.use_all()
    for page in list(g.free):
        need(g.takes(*page), "%#x+%#x is not back", *page)


def test_reports_under_pressure(testee):
    """No page comes back before its report is used: FPH-R1 FPH-R1A
    FPH-F10"""
    g = Guest(testee, ring=16)
    g.frees(*FREE)
    g.work()
    for _ in range(8):
        for page in list(g.free):
            g.takes(*page)
        for name in list(g.flight)[:1]:
            g.use(name)
        g.work()
    g.use_all()
    for page in list(g.free):
        need(g.takes(*page), "%#x+%#x is not back", *page)


def test_reports_after_reset(testee):
    """A reset gives every page back: FPH-R15"""
    g = Guest(testee)
    g.frees(*FREE)
    g.work()
    g.device_reset()
    for page in list(g.free):
        need(g.takes(*page), "%#x+%#x is not back", *page)


def test_reporting_queue_reset(testee):
    """The pages in flight are back, and reported again: FPH-Q-12A"""
    g = Guest(testee)
    g.frees(*FREE)
    g.work()
    g.queue_reset("report")
    for page in FREE:
        need(g.takes(*page), "%#x+%#x is not back", *page)
    g.frees(*FREE)
    g.reported.clear()
    g.use_all()
    g.expect_reported(*FREE)


def test_hinting_queue_reset(testee):
    """The pages in flight are back, and ids go on: FPH-Q-12A"""
    g = hinting(testee, ring=8)
    g.frees(*FREE)
    g.shows(2)
    g.work()
    g.queue_reset("hint")
    g.use_all()
    g.expect_no_stream()
    g.shows(3)
    g.use_all()
    need(not g.acts("hints") or 3 in g.sent, "the id was not begun")
    g.expect_no_stream()
    g.shows(DONE)
    g.use_all()
    for page in FREE:
        need(g.takes(*page), "%#x+%#x is not back", *page)


def test_used_length(testee):
    """The used length has no meaning: FPH-Q-9A"""
    for length in (0, 1, 0xffffffff):
        g = Guest(testee)
        g.frees(*FEW)
        g.shows(2)
        g.work()
        for name in list(g.flight):
            del g.flight[name]
            need(g.ask("used", name, length).ok, "used")
        g.use_all()
        for page in list(g.free):
            g.shows(DONE)
            need(g.takes(*page), "%#x+%#x is not back", *page)


def test_used_twice(testee):
    """A buffer that is returned twice is the device's error: FPH-X6"""
    g = Guest(testee)
    g.frees(*FEW)
    g.shows(2)
    g.work()
    for name in list(g.flight):
        g.use(name)
        need(not g.ask("used", name, 0).ok, "taken twice")
    need(not g.ask("used", 0xffff, 0).ok, "a buffer that never was")


def test_not_negotiated(testee):
    """No buffers without the features: FPH-FEAT-2"""
    g = Guest(testee, features=V1)
    if not g.answer.ok:
        return
    g.frees(*FEW)
    g.shows(2)
    g.use_all()
    need(not g.numbers, "it offered a buffer")


def test_content_is_kept(testee):
    """A guest that relies on free pages reports nothing: FPH-P1 FPH-V2A"""
    g = Guest(testee, features=PLAIN, content="kept")
    if not g.answer.ok:
        return
    g.frees(*FEW)
    g.shows(2)
    g.use_all()
    need(not g.reported and not g.hinted, "reported or hinted")


TESTS = [call for name, call in sorted(globals().items())
         if name.startswith("test_")]
