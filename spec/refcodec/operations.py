# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The operations of tests/vectors/README.adoc: text in, text out.

Each takes a case's "input" and gives its "expect": objects whose values are
strings or lists of strings.
"""

import arming
import commands
import config
import device
import entries
import migration
import packed as packed_ring
import poison
import queues
import ranges
import used_ring

ORDER = {"le": "little", "be": "big"}
SCRATCH = 0x7f0000000000
SCRATCH_SIZE = 1 << 20


def number(text):
    return int(text, 0)


def parse_range(text):
    gpa, length = text.split("+")
    return number(gpa), number(length)


def show_range(run):
    return "%#x+%#x" % run


def show_ranges(runs):
    return [show_range(run) for run in runs]


# ------------------------------------------------------------------- codec

def config_decode(a):
    fields = config.decode(bytes.fromhex(a["data"]))
    return {name: "absent" if value is None else str(value)
            for name, value in fields.items()}


def config_encode(a):
    fields = {name: number(a[name]) for name, _ in config.FIELDS}
    return {"data": config.encode(fields, number(a["size"])).hex()}


def config_size(a):
    return {"size": str(config.size(number(a["features"])))}


def command_decode(a):
    try:
        command = commands.decode(bytes.fromhex(a["data"]),
                                  ORDER[a["endian"]])
    except ValueError:
        return {"result": "length"}
    return {"result": "ok", "id": str(command)}


def command_encode(a):
    data = commands.encode(number(a["id"]), ORDER[a["endian"]])
    return {"data": data.hex()}


def command_next(a):
    command = commands.following(number(a["id"]))
    return {"id": "none" if command is None else str(command)}


def pfn_decode(a):
    try:
        gpas = entries.decode_pfns(bytes.fromhex(a["data"]),
                                   ORDER[a["endian"]])
    except ValueError:
        return {"result": "short"}
    return {"result": "ok", "gpas": ["%#x" % gpa for gpa in gpas]}


def pfn_encode(a):
    try:
        data = entries.encode_pfns([number(g) for g in a["gpas"]],
                                   ORDER[a["endian"]])
    except ValueError:
        return {"result": "refused"}
    return {"result": "ok", "data": data.hex()}


def show_stats(stats):
    return ["%d=%#x" % stat for stat in stats]


def stat_decode(a):
    try:
        stats = entries.decode_stats(bytes.fromhex(a["data"]),
                                     ORDER[a["endian"]])
    except ValueError:
        return {"result": "short"}
    return {"result": "ok", "stats": show_stats(stats)}


def stat_encode(a):
    stats = [tuple(number(n) for n in s.split("=")) for s in a["stats"]]
    return {"data": entries.encode_stats(stats, ORDER[a["endian"]]).hex()}


def queue_index(a):
    at = queues.index(a["queue"], a["numbering"], number(a["offered"]),
                      number(a["negotiated"]))
    return {"index": "none" if at is None else str(at)}


def queue_infer(a):
    fit = queues.fitting(number(a["offered"]), number(a["negotiated"]),
                         {number(i) for i in a["enabled"]})
    return {"fits": fit}


def coalesce(a):
    parsed = [parse_range(r) for r in a["ranges"]]
    if any(not n or gpa + n > 1 << 64 for gpa, n in parsed):
        return {"result": "refused"}
    runs = ranges.coalesce(parsed, number(a["granule"]))
    return {"result": "ok", "runs": show_ranges(runs)}


def get_reader(items):
    """A function that reads guest memory, which is what the items hold."""
    memory = {}
    for item in items:
        gpa, data = item.split("=")
        memory[number(gpa)] = bytes.fromhex(data)

    def read(gpa, length):
        for start, data in memory.items():
            if start <= gpa and gpa + length <= start + len(data):
                return data[gpa - start:gpa - start + length]
        return None

    return read


def show_segs(segs):
    return "|".join(str(s) for s in segs)


def ring(a):
    """Buffers until the ring is empty or broken."""
    num = number(a["num"])
    table = bytes.fromhex("".join(a["table"])).ljust(16 * num, b"\0")
    heads = [number(h) for h in a["avail"]] + [0] * num
    vq = queues.Ring(table, num, get_reader(a["memory"]), a["indirect"] == "1",
                     ORDER[a["endian"]])
    buffers = []
    try:
        for i in range(vq.check_available(number(a["avail_idx"]))):
            buffers.append(show_segs(vq.take(heads[i % num])))
    except queues.RingError:
        return {"result": "broken", "buffers": buffers}
    return {"result": "ok", "buffers": buffers}


def take_packed(a):
    """A packed ring, what a device takes from it, and how that ends."""
    num = number(a["num"])
    table = bytes.fromhex("".join(a["table"])).ljust(16 * num, b"\0")
    vq = packed_ring.PackedRing(table, num, get_reader(a["memory"]),
                                a["indirect"] == "1",
                                (number(a["first"]), a["wrap"] == "1"))
    taken, result = [], "ok"
    try:
        while (buffer := vq.take()):
            taken.append(buffer)
    except queues.RingError:
        result = "broken"
    return vq, taken, result


def show_packed(taken, result, back):
    return {"result": result,
            "buffers": [show_segs(segs) for _, _, segs in taken],
            "used": ["%d=%d:%#x" % written for written in sorted(back)]}


def packed(a):
    """As ring; then the buffers are returned in the order of done."""
    vq, taken, result = take_packed(a)
    return show_packed(taken, result, [
        vq.give_back(*taken[number(n)][:2]) for n in a["done"]
        if number(n) < len(taken)])


def packed_in_order(a):
    """The same with IN_ORDER: those whose turn has come, in one batch."""
    vq, taken, result = take_packed(a)
    done = {number(n) for n in a["done"]}
    turns = next((n for n in range(len(taken)) if n not in done), len(taken))
    lists = [buffer[:2] for buffer in taken[:turns]]
    return show_packed(taken, result,
                       [vq.give_back_in_order(lists)] if lists else [])


def gather(buffers):
    """What comes back, up to an error of the device."""
    back = []
    try:
        for buffer in buffers:
            back.append(str(buffer))
    except used_ring.DeviceError:
        return {"back": back, "result": "broken"}
    return {"back": back, "result": "ok"}


def read_written(a, mark):
    """What the device wrote: its place: (id, what is behind the mark)."""
    out = {}
    for item in a["used"]:
        at, entry = item.split("=")
        name, value = entry.split(mark)
        out[number(at)] = number(name.lstrip("b")), number(value)
    return out


def used(a):
    """Buffer n has head n here."""
    entries_used = []
    for item in a["used"]:
        name, length = item.split("+")
        entries_used.append((number(name.lstrip("b")), number(length)))
    heads = {n: n for n in range(len(a["buffers"]))}
    return gather(used_ring.take_back(heads, entries_used,
                                      number(a["used_idx"])))


def used_in_order(a):
    """A split ring with IN_ORDER; buffer n has id n here."""
    entries_used = {at: name for at, (name, _) in
                    read_written(a, "+").items()}
    return gather(used_ring.take_back_in_order(
        list(range(len(a["buffers"]))), entries_used, number(a["first"]),
        number(a["used_idx"]), number(a["num"])))


def packed_used(a):
    """A packed ring; list n has id n here."""
    both = packed_ring.AVAIL | packed_ring.USED
    num, first = number(a["num"]), number(a["first"])
    slots = {at: (name, flags & both == both)
             for at, (name, flags) in read_written(a, ":").items()
             if flags & both in (0, both)}
    return gather(used_ring.take_back_packed(
        {n: text.count("|") + 1 for n, text in enumerate(a["buffers"])},
        slots, (first % num, first // num % 2 == 0), num,
        a["in_order"] == "1"))


def poison_discard(a):
    return {"discard": "01"[poison.may_discard(a["negotiated"] == "1",
                                               number(a["poison_val"]))]}


def arm(a):
    arms = arming.Arms(parse_range(a["memory"]), number(a["unit"]),
                       [number(gpa) for gpa in a["arms"]])
    return {"allowed": show_ranges(
        r for r in map(parse_range, a["ranges"]) if arms.allows(*r))}


CODEC = {f.__name__: f for f in (
    config_decode, config_encode, config_size, command_decode,
    command_encode, command_next, pfn_decode, pfn_encode, stat_decode,
    stat_encode, queue_index, queue_infer, coalesce, ring, packed,
    packed_in_order, used, used_in_order, packed_used, poison_discard, arm)}


# ------------------------------------------------------------------ device

class Story:
    """A device, its driver's memory, and a migration: one step after another.
    """

    def __init__(self, a):
        memory = [parse_range(r) for r in a["memory"]]
        memory.append((SCRATCH, SCRATCH_SIZE))
        self.device = device.Device(number(a["offered"]), memory,
                                    number(a["granule"]),
                                    number(a["first_id"]))
        self.migration = migration.Migration([number(p) for p in a["pages"]])
        self.scratch = 0
        self.offers = 0
        self.runs = ([], [])

    def step(self, op, a):
        return getattr(self, "do_" + op)(a)

    # Config, features, rings.

    def do_features(self, a):
        return {"result": self.device.set_features(number(a["negotiated"]))}

    def do_read_config(self, a):
        data = self.device.read_config(number(a["offset"]), number(a["len"]))
        return {"data": data.hex()}

    def do_write_config(self, a):
        self.device.write_config(number(a["offset"]),
                                 bytes.fromhex(a["data"]))
        return {}

    def do_target(self, a):
        self.device.set_target(number(a["num_pages"]))
        return {}

    def do_vq(self, a):
        return {"result": self.device.start_ring(number(a["index"]))}

    def do_vq_stop(self, a):
        return {"result": self.device.stop_ring(number(a["index"]))}

    def do_vq_reset(self, a):
        return {"result": self.device.reset_ring(number(a["index"]))}

    def do_restore(self, a):
        self.runs = ([], [])
        self.device.restore()
        return {}

    def do_takeover(self, a):
        self.runs = ([], [])
        self.device.take_over()
        return {}

    def do_queue(self, a):
        return {"queue": self.device.queue(number(a["index"])) or "none"}

    def do_reset(self, a):
        return {"result": self.device.reset()}

    def do_look(self, a):
        irq, self.device.changed = self.device.changed, False
        return {"cmd_id": str(self.device.session.shown()),
                "irq": "01"[irq], "broken": "01"[self.device.broken]}

    # Memory and buffers.

    def do_memory(self, a):
        gpa = number(a["gpa"])
        for i, byte in enumerate(bytes.fromhex(a["data"])):
            self.device.content[gpa + i] = byte
        return {}

    def parse_seg(self, text):
        if text.startswith("R:"):
            data = bytes.fromhex(text[2:])
            if self.scratch + len(data) > SCRATCH_SIZE:
                self.scratch = 0
            gpa = SCRATCH + self.scratch
            self.scratch += len(data)
            self.do_memory({"gpa": str(gpa), "data": text[2:]})
            return queues.Seg(gpa, len(data), False)
        gpa, length = parse_range(text[1:])
        return queues.Seg(gpa, length, text[0] == "W")

    def do_offer(self, a):
        """Buffers are numbered from 0 in the order of their offers."""
        for text in a["buffers"]:
            segs = [self.parse_seg(s) for s in text.split("|")]
            self.device.rings[number(a["index"])].append((self.offers, segs))
            self.offers += 1
        return {}

    def do_kick(self, a):
        result, taken = self.device.process(number(a["index"]),
                                            number(a.get("budget", "1024")))
        answer = {"result": result}
        if result == "ok":
            answer["taken"] = str(taken)
        return answer

    def do_take(self, a):
        # Merged over regions, as the library's runs are.
        runs = [ranges.merge(given) for given in self.device.take_runs()]
        self.runs = tuple(old + new for old, new in zip(self.runs, runs))
        return {"discarded": show_ranges(runs[0]),
                "skipped": show_ranges(runs[1])}

    def do_finish(self, a):
        for run in self.runs[0]:
            self.migration.discard(*run)
        for run in self.runs[1]:
            self.migration.skip(*run)
        self.runs = ([], [])
        return {"used": [str(b) for b in self.device.finish()]}

    def do_flush(self, a):
        return {"used": [str(b) for b in self.device.give_back()]}

    def do_work(self, a):
        return {**self.do_take(a), **self.do_finish(a)}

    def do_run(self, a):
        return {**self.do_kick(a), **self.do_work(a)}

    def do_stats(self, a):
        return {"stats": show_stats(self.device.stats)}

    def do_stats_request(self, a):
        return {"result": self.device.request_stats()}

    def do_freeze(self, a):
        return {"result": self.device.freeze()}

    def do_thaw(self, a):
        return {"result": self.device.thaw()}

    # The host's side of hinting.

    def do_publish(self, a):
        result = self.device.watch(self.device.publish())
        answer = {"result": result}
        if result == "ok":
            answer["id"] = str(self.device.session.id)
        return answer

    def do_stop(self, a):
        return {"result": self.device.watch(self.device.session.stop())}

    def do_done(self, a):
        return {"result": self.device.watch(self.device.session.done())}

    def do_sync_begin(self, a):
        session = self.device.session
        return {"result": self.device.watch(session.harvest_begin())}

    def do_sync_end(self, a):
        return {"result": self.device.session.harvest_end()}

    def do_state(self, a):
        return {"state": self.device.session.state}

    # The migration.

    def do_harvest(self, a):
        result = self.do_sync_begin(a)["result"]
        if result == "ok":
            self.migration.harvest()
            self.do_sync_end(a)
        return {"result": result}

    def do_free(self, a):
        self.migration.free(number(a["page"]))
        return {}

    def do_write(self, a):
        self.migration.use(number(a["page"]), True)
        return {}

    def do_use(self, a):
        self.migration.use(number(a["page"]), False)
        return {}

    def do_send(self, a):
        self.migration.send()
        return {}

    def do_switch(self, a):
        return {"lost": ["%#x" % p for p in self.migration.lost()]}
