# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The device role: the chapters put together.

This is beside the codec.  Queues are lists of buffers here; the checks of a
split ring are in queues.Ring.
"""

import commands
import config
import entries
import hint_session
import poison
import queues
import ranges
import report

# Bounds that no driver chooses (X1, PFN-3).
STATS_KEPT = 32
PFNS_TAKEN = 32768


class Device:
    """offered: feature bits; memory: regions; granule: bytes."""

    def __init__(self, offered, memory, granule, first_id):
        self.offered = offered
        self.memory = ranges.Memory(memory)
        self.content = {}
        self.report = report.Report(self.memory, granule)
        self.inflate = report.Report(self.memory, granule)
        self.session = hint_session.HintSession(self.memory, granule,
                                                first_id)
        self.target = 0
        self.changed = False
        self.frozen = False
        self.clear()

    def clear(self):
        self.negotiated = 0
        self.fields = {"num_pages": self.target, "actual": 0, "cmd_id": 0,
                       "poison_val": 0}
        self.rings = {}             # index: buffers that wait
        self.stopping = set()
        self.inflight = {}          # buffer: ring index
        self.segs = {}              # of those
        self.seen = set()
        self.stats = []
        self.stats_held = None
        self.stats_ring = None
        self.stats_asked = False
        self.returned = []          # without anything to act on
        self.broken = False

    # Configuration.

    def watch(self, result=None):
        """Notes a change of what config space shows (CFG-7)."""
        if self.fields["cmd_id"] != self.session.shown():
            self.fields["cmd_id"] = self.session.shown()
            self.changed = True
        return result

    def set_features(self, negotiated):
        if negotiated & ~self.offered:
            return "refused"
        if self.rings:
            return "state"
        self.negotiated = negotiated
        if not config.has(negotiated, config.PAGE_POISON):
            self.fields["poison_val"] = 0
        if not config.has(negotiated, config.FREE_PAGE_HINT):
            self.session.stop()
        return self.watch("ok")

    def read_config(self, offset, length):
        space = config.encode(self.fields, config.size(self.offered))
        return (space + bytes(offset + length))[offset:offset + length]

    def write_config(self, offset, data):
        data = data[:max(0, config.size(self.offered) - offset)]
        self.fields = config.merge_write(self.fields, self.negotiated,
                                         offset, data)

    def set_target(self, pages):
        if pages != self.target:
            self.target = self.fields["num_pages"] = pages
            self.changed = True

    def publish(self):
        """A new command id, or why there is none."""
        if self.broken:
            return "broken"
        if not config.has(self.negotiated, config.FREE_PAGE_HINT):
            return "state"
        return self.session.publish()

    def reset(self):
        if self.report.held or self.inflate.held or self.session.held:
            return "busy"
        self.report.reset()
        self.inflate.reset()
        self.session.reset()
        shown = self.fields["cmd_id"]
        self.clear()
        self.fields["cmd_id"] = shown
        return self.watch("ok")

    # Queues.

    def start_ring(self, index):
        if index >= len(queues.QUEUES):
            return "refused"
        if index in self.rings:
            return "state"
        self.rings[index] = []
        self.seen.add(index)
        return "ok"

    def stop_ring(self, index):
        """Waits for what was taken from it (R5)."""
        if index not in self.rings:
            return "state"
        self.stopping.add(index)
        self.flush()
        here = {b for b, at in self.inflight.items() if at == index}
        if here - {self.stats_held} - set(self.returned):
            return "busy"
        self.stopping.discard(index)
        del self.rings[index]
        self.returned = [b for b in self.returned if b not in here]
        self.inflight = {b: i for b, i in self.inflight.items() if i != index}
        if index == self.stats_ring:
            self.stats_held, self.stats_asked = None, False
        if not self.rings:
            self.seen = set()
        return "ok"

    def reset_ring(self, index):
        """The driver resets one queue: its buffers are forgotten (Q-12)."""
        if self.queue(index) == "hint":
            if self.watch(self.session.stop()) == "busy":
                return "busy"
        return self.stop_ring(index)

    def queue(self, index):
        return queues.identify(index, self.offered, self.negotiated,
                               self.seen)

    def read(self, segs):
        """The bytes of readable segments, or None (Q-10)."""
        if not all(self.memory.holds(s.gpa, s.len) for s in segs):
            return None
        return bytes(self.content.get(s.gpa + i, 0)
                     for s in segs for i in range(s.len))

    def process(self, index, budget):
        """("ok", how many), ("none", 0) or ("broken", 0)."""
        if index not in self.rings:
            return "none", 0
        if self.broken:
            return "broken", 0
        queue = self.queue(index)
        if queue is None:
            return "none", 0
        if self.frozen or index in self.stopping:
            return "ok", 0
        taken = 0
        while self.rings[index] and taken < budget:
            buffer, segs = self.rings[index].pop(0)
            try:
                queues.check_segs(segs)
            except queues.RingError:
                self.broken = True
                self.session.break_off()    # Q-8A
                return self.watch(("broken", 0))
            self.segs[buffer] = segs
            self.inflight[buffer] = index
            getattr(self, "take_" + queue)(buffer, segs)
            self.watch()
            if self.broken:
                return "broken", 0
            taken += 1
        return "ok", taken

    # Buffers, by queue.

    def take_report(self, buffer, segs):
        discard = poison.may_discard(
            config.has(self.negotiated, config.PAGE_POISON),
            self.fields["poison_val"])
        self.report.add(buffer, segs, discard)

    def read_pfns(self, segs):
        if any(seg.writable for seg in segs):
            return None
        if sum(seg.len for seg in segs) > PFNS_TAKEN * entries.PFN_SIZE:
            return None
        data = self.read(segs)
        try:
            gpas = entries.decode_pfns(
                data, config.word_order(self.negotiated))
        except (TypeError, ValueError):
            return None
        good = all(self.memory.holds(gpa, entries.PAGE) for gpa in gpas)
        return gpas if good else None

    def take_inflate(self, buffer, segs):
        gpas = self.read_pfns(segs)
        frames = [queues.Seg(gpa, entries.PAGE, True) for gpa in gpas or []]
        self.inflate.add(buffer, frames, bool(frames))

    def take_deflate(self, buffer, segs):
        self.returned.append(buffer)

    def take_hint(self, buffer, segs):
        readable = [s for s in segs if not s.writable]
        hints = [(s.gpa, s.len) for s in segs if s.writable]
        if sum(s.len for s in readable) not in (0, 4):
            self.session.refuse_command(buffer)
            self.broken = True
            return
        data = self.read(readable)
        if data is None or not all(self.memory.holds(*h) for h in hints):
            self.session.refuse(buffer)
        else:
            order = config.word_order(self.negotiated)
            command = commands.decode(data, order) if data else None
            self.session.add(buffer, command, hints)

    def take_stats(self, buffer, segs):
        data = None
        first = not (config.has(self.negotiated, config.VERSION_1)
                     or self.stats_asked or self.stats)     # STAT-8
        if not first and not any(seg.writable for seg in segs):
            data = self.read(segs)
        if data is not None and len(data) % entries.STAT_SIZE == 0:
            order = config.word_order(self.negotiated)
            self.stats = entries.decode_stats(data, order)[:STATS_KEPT]
        if self.stats_held is not None:
            self.returned.append(self.stats_held)
        self.stats_held = buffer
        self.stats_ring = self.inflight[buffer]
        self.stats_asked = False

    def request_stats(self):
        """Returns the buffer that is held, for fresh statistics."""
        if self.frozen or self.broken:
            return "state"
        if self.stats_asked:
            return "ok"
        if self.stats_held is None:
            return "state"
        self.returned.append(self.stats_held)
        self.stats_held = None
        self.stats_asked = True
        return "ok"

    # Acting.

    def take_runs(self):
        """(ranges to discard, ranges that a migration may skip)."""
        if self.frozen:
            return [], []
        given = ranges.merge(self.report.take() + self.inflate.take())
        return list(self.memory.split(given)), self.session.take()

    def parts(self):
        return self.report, self.inflate, self.session

    def flush(self):
        """What has nothing pending any more goes back."""
        for part in self.parts():
            self.returned += part.returned
            part.returned = []

    def is_due(self, buffer):
        """With IN_ORDER a buffer waits for those before it (Q-11)."""
        if not config.has(self.negotiated, config.IN_ORDER):
            return True
        queue = [b for b, at in self.inflight.items()
                 if at == self.inflight[buffer]]
        return set(queue[:queue.index(buffer)]) <= set(self.returned)

    def give_back(self):
        """The buffers that come back now."""
        self.flush()
        used = [b for b in self.returned if self.is_due(b)]
        self.returned = [b for b in self.returned if b not in used]
        for buffer in used:
            del self.inflight[buffer]
        return sorted(used)

    def finish(self):
        """What is being acted on is over; the buffers that come back."""
        for part in self.parts():
            part.finish()
        return self.give_back()

    def freeze(self):
        """What waits goes back with nothing done; repeating is harmless."""
        for part in self.parts():
            if not self.frozen:
                part.drop()
        self.frozen = True
        self.flush()
        return "busy" if any(part.held for part in self.parts()) else "ok"

    def thaw(self):
        self.frozen = False
        return "ok"

    # Save and restore, takeover.

    def restore(self):
        """Another device goes on, without the dirty log (L3 to L6)."""
        for part in self.parts():
            part.drop()
            part.finish()
        self.session.restore()
        if config.has(self.negotiated, config.FREE_PAGE_HINT):
            self.session.done()                             # L5
        self.watch()
        self.changed = True

    def take_over(self):
        """A new process takes again what the last one had taken (L10)."""
        for index, waiting in self.rings.items():
            here = [b for b, at in self.inflight.items() if at == index]
            self.rings[index] = [(b, self.segs[b]) for b in here] + waiting
        self.inflight = {}
        self.stats_held, self.stats_asked = None, False
        self.restore()
        self.returned = []
        for part in self.parts():
            part.returned = []
