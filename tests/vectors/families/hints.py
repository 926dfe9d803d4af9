# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Stories of a device: rounds of hinting."""

from .build import (ALL, HARVEST, HINT, V1, boot, command, do, finish,
                    kick, kick_result, look, offer, publish, result, run,
                    run_broken, span, state, story, take, work)

TITLE = "Device: rounds of hinting"
NOTES = {
    "QemuReplay": ("stale hints", "A driver starts a round that nobody asked "
                   "for, or replays the last id (fixed in QEMU)."),
    "QemuShortCommand": ("bounds", "QEMU 7.2 breaks on a command of fewer "
                         "than 4 bytes and uses the first 4 of more."),
    "QemuShowsStop": ("premature stop", "QEMU 7.2 shows 0 from START on."),
    "QemuNoDone": ("memory held", "Without DONE on every way out a Linux "
                   "guest has no free memory."),
    "FourByteHint": ("confusion", "Firecracker takes a hint of 4 bytes for a "
                     "command."),
    "DiscardOnHint": ("data loss", "Firecracker discards hinted pages at "
                      "once."),
    "StartRewritten": ("stale hints", "Linux rewrites its one START buffer "
                       "while the device has not read it."),
    "NoStart": ("stale hints", "Linux sends hints and STOP without START when "
                "START did not fit."),
    "EarlyStart": ("completion", "A host that waits for guest id == host id "
                   "has seen START, not the end."),
    "StaleId": ("stale hints", "A START of a round that is over."),
    "Barrier": ("stale hints", "A hint that was taken before a stop takes "
                "effect after it."),
    "RingError": ("robustness", "An error of one ring stops the device and "
                  "its round."),
    "OutsideMemory": ("bounds", "A range or a command that is not guest "
                      "memory."),
    "RoundedOut": ("data loss", "Rounding outwards hits a page that was not "
                   "hinted."),
    "Split": ("framing", "The bytes of a command are spread over "
              "descriptors."),
}
P = [span(0x100000 + (i << 16)) for i in range(8)]
H = ["W" + p for p in P]
START, STOP = command(2), command(0)
READY = [boot(), HARVEST, publish(2)]
ACTIVE = [*READY, offer(3, START), run(3, 1, used=[0])]

# How to get to a state, by the table of the spec, and how many buffers it
# takes.
REACH = {
    "IDLE": ([boot(), HARVEST], 0),
    "REQUESTED": (READY, 0),
    "ACTIVE": (ACTIVE, 1),
    "STOPPING": ([*ACTIVE, offer(3, H[0]), kick(3, 1), take([], [P[0]]),
                  result("stop", "busy")], 2),
    "STOPPED": ([*ACTIVE, offer(3, STOP), run(3, 1, used=[1])], 2),
    "DONE": ([boot(), HARVEST, result("done")], 0),
}
SHOWN = {"IDLE": 0, "REQUESTED": 2, "ACTIVE": 2, "STOPPING": 0, "STOPPED": 0,
         "DONE": 1}
# What a command makes of a state; the others stay.
AFTER_ID = {"REQUESTED": "ACTIVE", "ACTIVE": "STOPPED"}
AFTER_OTHER = {"ACTIVE": "STOPPED"}
AFTER_PUBLISH = {"IDLE": 2, "STOPPED": 3, "DONE": 2}


def after(name):
    return [state(name), do("look", [{"cmd_id": str(SHOWN[name]),
                                      "irq": irq, "broken": "0"}
                                     for irq in "01"])]


def taken(name, first, buffer):
    """One buffer that gives no hint; what is held already stays held."""
    if name == "STOPPING":
        return [offer(3, buffer), kick(3, 1)]
    return [offer(3, buffer), run(3, 1, used=[first])]


def table():
    for name, (steps, first) in REACH.items():
        if name in AFTER_PUBLISH:
            new = AFTER_PUBLISH[name]
            end = [publish(new), state("REQUESTED"), look(new, 1)]
        else:
            end = [publish("busy" if name == "STOPPING" else "state"),
                   *after(name)]
        yield story("%s: publish" % name, ["FPH-D1", "FPH-D11"],
                    [steps, look_any(name), *end])
        for what, data, becomes, reqs in (
                ("START with the id", START, AFTER_ID,
                 ["FPH-D4A", "FPH-D4C", "FPH-D4D", "FPH-D10"]),
                ("STOP", STOP, AFTER_OTHER, ["FPH-D4B", "FPH-D10",
                                             "FPH-V6"]),
                ("DONE, which is no command", command(1), AFTER_OTHER,
                 ["FPH-D4A", "FPH-D10"]),
                ("START with a later id", command(3), AFTER_OTHER,
                 ["FPH-D4A", "FPH-D4D", "FPH-D10"]),
                ("START with id 0xffffffff", command(0xffffffff),
                 AFTER_OTHER, ["FPH-D4A", "FPH-D10"])):
            yield story("%s: %s" % (name, what), reqs,
                        [steps, taken(name, first, data),
                         *after(becomes.get(name, name))],
                        ["QemuReplay"] if data == START else ["StaleId"])
        if name == "ACTIVE":
            end = [offer(3, H[1]), run(3, 1, [], [P[1]], used=[first])]
        elif name == "STOPPING":
            end = [offer(3, H[1]), kick(3, 1), work([], [], used=[1, 2])]
        else:
            end = [offer(3, H[1]), run(3, 1, used=[first])]
        yield story("%s: a hint" % name, ["FPH-D4B", "FPH-D10"],
                    [steps, *end, state(name)])
        yield story("%s: stop" % name, ["FPH-D2", "FPH-D3"],
                    [steps, *stopping(name, "stop", "IDLE")])
        yield story("%s: harvest" % name, ["FPH-D2", "FPH-D3"],
                    [steps, *stopping(name, "harvest", "IDLE")])
        yield story("%s: done" % name, ["FPH-D9", "FPH-D3"],
                    [steps, *stopping(name, "done", "DONE")],
                    ["QemuNoDone"])
        yield story("%s: device reset" % name, ["FPH-L1"],
                    [steps, *resetting(name)])


def look_any(name):
    return do("look", [{"cmd_id": str(SHOWN[name]), "irq": irq,
                        "broken": "0"} for irq in "01"])


def stopping(name, op, end):
    if name == "STOPPING":
        return [result(op, "busy"), state("STOPPING"), finish(1),
                result(op), *after(end)]
    return [result(op), *after("DONE" if name == "DONE" else end)]


def resetting(name):
    if name == "STOPPING":
        return [result("reset", "busy"), state("STOPPING")]
    return [result("reset"), *after("IDLE")]


def buffers():
    yield story("a stream in one buffer each", ["FPH-D4A", "FPH-D4B",
                                                "FPH-D13", "FPH-V4"],
                [READY, offer(3, START, H[0], H[2], STOP),
                 run(3, 4, [], [P[0], P[2]], used=range(4)),
                 state("STOPPED")])
    yield story("command and hints in one buffer", ["FPH-BUF-7"],
                [READY, offer(3, START + "|" + H[0] + "|" + H[1]),
                 run(3, 1, [], P[:2], used=[0]), state("ACTIVE")])
    yield story("STOP and hints in one buffer: the hints are late",
                ["FPH-BUF-7", "FPH-D4B"],
                [ACTIVE, offer(3, STOP + "|" + H[0]), run(3, 1, used=[1]),
                 state("STOPPED")])
    yield story("a wrong id and hints in one buffer", ["FPH-BUF-7",
                                                       "FPH-D4A"],
                [READY, offer(3, command(3) + "|" + H[0]),
                 run(3, 1, used=[0]), state("REQUESTED")], ["StaleId"])
    for parts in ("R:02|R:00|R:00|R:00", "R:0200|R:0000", "R:02|R:000000",
                  "R:020000|R:00"):
        yield story("START as " + parts, ["FPH-Q-10", "FPH-BUF-1"],
                    [READY, offer(3, parts, H[0]),
                     run(3, 2, [], [P[0]], used=[0, 1]), state("ACTIVE")],
                    ["Split"])
    for data in ("02", "0200", "020000", "0200000000", "0200000000000000",
                 "02000000" * 4):
        for where, steps, first in (("REQUESTED", READY, 0),
                                    ("ACTIVE", ACTIVE, 1)):
            yield story("%s: a command of %d bytes" %
                        (where, len(data) // 2),
                        ["FPH-BUF-4", "FPH-BUF-4A", "FPH-BUF-4C", "FPH-Q-7",
                         "FPH-BUF-1"],
                        [steps, offer(3, "R:" + data),
                         run_broken(3, used=[first]),
                         look(0, 1, 1),
                         state("IDLE"), publish("broken"), result("done"),
                         result("reset"), boot(), HARVEST, publish(3)],
                        ["QemuShortCommand"], "invalid")
    yield story("a command of 2 bytes with hints", ["FPH-BUF-4"],
                [ACTIVE, offer(3, "R:0200|" + H[0]),
                 run_broken(3, used=[1]), state("IDLE")],
                ["QemuShortCommand"], "invalid")
    yield story("a command of 8 bytes in two descriptors", ["FPH-BUF-4"],
                [READY, offer(3, START + "|" + STOP),
                 run_broken(3, used=[0]), state("IDLE")],
                ["QemuShortCommand", "Split"], "invalid")
    for why, segs in (
            ("and a hint that is not guest memory",
             "R:0200|W0x40000000+0x1000"),
            ("that are not guest memory", "R0x40000000+0x2")):
        yield story("a command of 2 bytes " + why, ["FPH-BUF-4", "FPH-BUF-4B"],
                    [ACTIVE, offer(3, segs), run_broken(3, used=[1]),
                     state("IDLE"), publish("broken")],
                    ["QemuShortCommand", "OutsideMemory"], "invalid")
    for index in (0, 2, 3, 4):
        yield story("an error of ring %d ends the round" % index,
                    ["FPH-Q-8A", "FPH-Q-7"],
                    [ACTIVE, look(2, 1), offer(3, H[0]), kick(3, 1),
                     offer(index, "W0x10000+0x0"), run_broken(index,
                                                              used=[1]),
                     state("IDLE"), look(0, 1, 1), publish("broken"),
                     result("done"), look(1, 1, 1), offer(3, H[1]),
                     run_broken(3)], ["RingError"], "invalid")
    yield story("an error of a ring waits for a hint that is being acted on",
                ["FPH-Q-8A", "FPH-D3", "FPH-Q-8"],
                [ACTIVE, offer(3, H[0]), kick(3, 1), take([], [P[0]]),
                 offer(4, "W0x10000+0x0"), kick_result(4, "broken"),
                 state("STOPPING"), result("stop", "busy"), finish(1),
                 result("stop"), state("IDLE")],
                ["RingError", "Barrier"], "invalid")
    yield story("hints before a bad command still come back",
                ["FPH-BUF-4", "FPH-BUF-4A", "FPH-Q-8"],
                [ACTIVE, offer(3, H[0], "R:0200"), run_broken(3, used=[1, 2]),
                 state("IDLE")], ["QemuShortCommand"], "invalid")
    yield story("a hint of 4 bytes is a hint", ["FPH-BUF-3", "FPH-BUF-10"],
                [ACTIVE, do("memory", gpa="0x100000", data="00000000"),
                 offer(3, "W0x100000+0x4", H[1]),
                 run(3, 2, [], [P[1]], used=[1, 2]), state("ACTIVE")],
                ["FourByteHint"])
    yield story("a hint of 4 bytes begins no stream", ["FPH-BUF-3"],
                [READY, do("memory", gpa="0x100000", data="02000000"),
                 offer(3, "W0x100000+0x4"), run(3, 1, used=[0]),
                 state("REQUESTED")], ["FourByteHint"])
    yield story("hints discard nothing", ["FPH-D7", "FPH-BUF-5"],
                [READY, offer(3, START, *H),
                 run(3, 9, [], P, used=range(9)),
                 offer(3, STOP), run(3, 1, used=[9]), result("done"),
                 work()], ["DiscardOnHint"])
    yield story("nothing is changed after DONE", ["FPH-D7A"],
                [ACTIVE, offer(3, H[0]), kick(3, 1), result("done"),
                 work(used=[1]), look(1, 1)], ["DiscardOnHint"])


def hints():
    def one(comment, given, skipped, reqs, flags=(), verdict="valid",
            granule=4096):
        return story(comment, reqs,
                     [ACTIVE, offer(3, *given),
                      run(3, len(given), [], skipped,
                          used=range(1, 1 + len(given))), state("ACTIVE")],
                     flags, verdict, granule=granule)
    yield one("a page hinted twice", [H[0], H[0]], [P[0]], ["FPH-BUF-9"])
    yield one("a page hinted twice in one buffer", [H[0] + "|" + H[0]],
              [P[0]], ["FPH-BUF-9"])
    yield story("a page hinted again after it was skipped", ["FPH-BUF-9"],
                [ACTIVE, offer(3, H[0]), run(3, 1, [], [P[0]], used=[1]),
                 offer(3, H[0]), run(3, 1, [], [P[0]], used=[2])])
    yield one("overlap", ["W0x100000+0x3000", "W0x101000+0x4000"],
              ["0x100000+0x5000"], ["FPH-BUF-9"])
    yield one("4 MiB", ["W0x400000+0x400000"], ["0x400000+0x400000"],
              ["FPH-BUF-9"])
    yield one("all of guest memory", ["W0x0+0x800000"], ["0x0+0x800000"],
              ["FPH-BUF-9"])
    yield one("100 bytes", ["W0x100000+0x64"], [], ["FPH-BUF-10", "FPH-D8"],
              ["RoundedOut"])
    yield one("unaligned start", ["W0x100800+0x2000"], ["0x101000+0x1000"],
              ["FPH-BUF-10", "FPH-D8"], ["RoundedOut"])
    yield one("unaligned end", ["W0x100000+0x1fff"], ["0x100000+0x1000"],
              ["FPH-BUF-10", "FPH-D8"], ["RoundedOut"])
    yield one("two halves in two buffers", ["W0x100000+0x800",
                                            "W0x100800+0x800"],
              ["0x100000+0x1000"], ["FPH-BUF-10"])
    yield one("granule of 64 KiB, one page", ["W0x100000+0x1000"], [],
              ["FPH-D8"], ["RoundedOut"], granule=65536)
    yield one("granule of 64 KiB, 16 pages",
              ["W%#x+0x1000" % (0x100000 + (n << 12)) for n in range(16)],
              ["0x100000+0x10000"], ["FPH-D8", "FPH-BUF-10"], granule=65536)
    yield one("64 hints in a buffer",
              ["|".join("W%#x+0x1000" % (n << 13) for n in range(64))],
              ["%#x+0x1000" % (n << 13) for n in range(64)], ["FPH-BUF-6"])
    reqs = ["FPH-BUF-8", "FPH-X3"]
    for why, seg in (("4 KiB outside", "W0x800000+0x1000"),
                     ("2 MiB outside", "W0x40000000+0x200000"),
                     ("past the end by a byte", "W0x7ff000+0x1001"),
                     ("at the top of the addresses",
                      "W0xfffffffffffff000+0x1000")):
        yield one(why, [seg, H[1]], [P[1]], reqs, ["OutsideMemory"],
                  "invalid")
        yield one(why + ", among good ones", [H[0] + "|" + seg + "|" + H[2],
                                              H[1]], [P[1]], reqs,
                  ["OutsideMemory"], "invalid")
    yield story("START with a hint outside: nothing of it counts",
                ["FPH-BUF-8"],
                [READY, offer(3, START + "|W0x40000000+0x1000"),
                 run(3, 1, used=[0]), state("REQUESTED")],
                ["OutsideMemory"], "invalid")
    yield story("STOP with a hint outside: nothing of it counts",
                ["FPH-BUF-8"],
                [ACTIVE, offer(3, STOP + "|W0x40000000+0x1000", H[0]),
                 run(3, 2, [], [P[0]], used=[1, 2]), state("ACTIVE")],
                ["OutsideMemory"], "invalid")
    yield story("a command that is not guest memory", ["FPH-X3"],
                [READY, offer(3, "R0x40000000+0x4"), run(3, 1, used=[0]),
                 state("REQUESTED"), look(2, 1)], ["OutsideMemory"],
                "invalid")


def rounds():
    yield story("a whole migration: three rounds and DONE",
                ["FPH-D1", "FPH-D2", "FPH-D5A", "FPH-D5B", "FPH-D9",
                 "FPH-D11"],
                [boot(), HARVEST, publish(2), look(2, 1),
                 offer(3, START, H[0], STOP),
                 run(3, 3, [], [P[0]], used=range(3)), look(0, 1), HARVEST,
                 publish(3), look(3, 1), offer(3, command(3), H[1]),
                 run(3, 2, [], [P[1]], used=[3, 4]), HARVEST, look(0, 1),
                 offer(3, STOP), run(3, 1, used=[5]), publish(4),
                 offer(3, command(4), H[2], STOP),
                 run(3, 3, [], [P[2]], used=[6, 7, 8]), HARVEST,
                 result("done"), look(1, 1)])
    yield story("the id stays in config space through the stream",
                ["FPH-D11", "FPH-V14"],
                [READY, look(2, 1), offer(3, START), run(3, 1, used=[0]),
                 look(2), offer(3, H[0]), run(3, 1, [], [P[0]], used=[1]),
                 look(2), offer(3, STOP), run(3, 1, used=[2]), look(0, 1)],
                ["QemuShowsStop"])
    yield story("hints before any id", ["FPH-D4B", "FPH-D10"],
                [boot(), offer(3, H[0], H[1]), run(3, 2, used=[0, 1])],
                ["NoStart"])
    yield story("hints and STOP without START", ["FPH-D4B", "FPH-V5"],
                [READY, offer(3, H[0], H[1], STOP),
                 run(3, 3, used=range(3)), state("REQUESTED"),
                 offer(3, START, H[2]), run(3, 2, [], [P[2]], used=[3, 4])],
                ["NoStart"])
    yield story("hints after STOP", ["FPH-D4B"],
                [ACTIVE, offer(3, STOP, H[0]), run(3, 2, used=[1, 2])])
    yield story("hints before STOP in the queue count",
                ["FPH-D4B", "FPH-D4E"],
                [ACTIVE, offer(3, H[0], STOP, H[1]),
                 run(3, 3, [], [P[0]], used=[1, 2, 3])])
    yield story("hints of a stale START", ["FPH-D4A", "FPH-D4B"],
                [READY, result("stop"), publish(3),
                 offer(3, START, H[0], STOP, command(3), H[1]),
                 run(3, 5, [], [P[1]], used=range(5)), state("ACTIVE")],
                ["StaleId"])
    yield story("START after its id was withdrawn, no other was published",
                ["FPH-D4C"],
                [READY, result("stop"), offer(3, START, H[0], STOP),
                 run(3, 3, used=range(3)), state("IDLE"), look(0, 1)],
                ["StaleId", "QemuReplay"])
    yield story("START after its id was withdrawn and the log harvested",
                ["FPH-D4C"],
                [READY, HARVEST, offer(3, START, H[0]),
                 run(3, 2, used=[0, 1]), state("IDLE")], ["StaleId"])
    yield story("the id again after its own STOP", ["FPH-D4C", "FPH-V4"],
                [ACTIVE, offer(3, STOP, START, H[0]),
                 run(3, 3, used=[1, 2, 3]), state("STOPPED")],
                ["QemuReplay"])
    yield story("the id twice: the second one ends the stream",
                ["FPH-D4D", "FPH-V4"],
                [ACTIVE, offer(3, H[0], START, H[1], START, H[2]),
                 run(3, 5, [], [P[0]], used=range(1, 6)), state("STOPPED")],
                ["QemuReplay"])
    yield story("one START buffer, rewritten before it was read",
                ["FPH-D4D", "FPH-V8"],
                [READY, HARVEST, publish(3),
                 offer(3, command(3), H[0], STOP, command(3), H[1]),
                 run(3, 5, [], [P[0]], used=range(5)), state("STOPPED")],
                ["StartRewritten"], "acceptable")
    yield story("START is not the end of a round", ["FPH-L9"],
                [READY, offer(3, START), run(3, 1, used=[0]),
                 state("ACTIVE"), look(2, 1), offer(3, H[0]),
                 run(3, 1, [], [P[0]], used=[1]), state("ACTIVE")],
                ["EarlyStart"])
    yield story("a stop by the host in mid-stream", ["FPH-D3", "FPH-D4B",
                                                     "FPH-V13", "FPH-F4"],
                [ACTIVE, offer(3, H[0]), run(3, 1, [], [P[0]], used=[1]),
                 result("stop"), look(0, 1), offer(3, H[1], STOP),
                 run(3, 2, used=[2, 3]), HARVEST, publish(3),
                 offer(3, command(3), H[1]),
                 run(3, 2, [], [P[1]], used=[4, 5])])
    yield story("a hint that is acted on after STOP was taken counts",
                ["FPH-D4E"],
                [ACTIVE, offer(3, H[0]), kick(3, 1), offer(3, STOP),
                 kick(3, 1), state("STOPPED"), work([], [P[0]], used=[1, 2]),
                 result("stop")])
    yield story("no id while hints of the last round are being acted on",
                ["FPH-D3", "FPH-D4E"],
                [ACTIVE, offer(3, H[0], STOP), kick(3, 2), take([], [P[0]]),
                 publish("busy"), finish(1, 2), publish(3)], ["Barrier"])
    yield story("a hint that was taken but not acted on is dropped by stop",
                ["FPH-D3"],
                [ACTIVE, offer(3, H[0]), kick(3, 1), result("stop"),
                 work(used=[1])], ["Barrier"])
    yield story("a hint that is being acted on holds the stop up",
                ["FPH-D3", "FPH-D13"],
                [ACTIVE, offer(3, H[0]), kick(3, 1), take([], [P[0]]),
                 result("stop", "busy"), look(0, 1), finish(1),
                 result("stop"), state("IDLE")], ["Barrier"])
    yield story("... also when nothing else is to be acted on",
                ["FPH-D3", "FPH-D13"],
                [ACTIVE, offer(3, H[0]), kick(3, 1), take([], [P[0]]),
                 offer(3, "W0x140800+0x800"), kick(3, 1), take(),
                 result("stop", "busy"), finish(1, 2), result("stop")],
                ["Barrier"])
    yield story("... and the harvest", ["FPH-D2", "FPH-D3"],
                [ACTIVE, offer(3, H[0]), kick(3, 1), take([], [P[0]]),
                 result("harvest", "busy"), look(0, 1), finish(1), HARVEST,
                 state("IDLE")], ["Barrier"])
    yield story("... and DONE", ["FPH-D3", "FPH-D7A"],
                [ACTIVE, offer(3, H[0]), kick(3, 1), take([], [P[0]]),
                 result("done", "busy"), look(0, 1), finish(1),
                 result("done"), look(1, 1)], ["Barrier"])
    yield story("no id inside a harvest", ["FPH-D1"],
                [boot(), HARVEST, result("sync_begin"), publish("state"),
                 result("sync_end"), publish(2)])
    yield story("no id before the first harvest", ["FPH-D1"],
                [boot(), publish("state"), look(0), HARVEST, publish(2)])
    yield story("a harvest before a reset: to ask for another is the device's"
                " choice", ["FPH-D1", "FPH-L1"],
                [READY, result("reset"), boot(),
                 do("publish", [{"result": "state"},
                                {"result": "ok", "id": "3"}])],
                result="acceptable")
    yield story("a harvest that ends before it begins", ["FPH-D1"],
                [boot(), result("sync_end", "state"), result("sync_begin"),
                 result("sync_begin", "state"), result("sync_end")])
    yield story("ids go on over a reset", ["FPH-D5", "FPH-D5B", "FPH-L1"],
                [READY, offer(3, START), result("reset"), boot(), HARVEST,
                 publish(3), offer(3, START, H[0]), run(3, 2, used=[1, 2]),
                 state("REQUESTED")], ["StaleId"])
    for what, bad in (("a STOP", [START, STOP + "|W0x40000000+0x1000"]),
                      ("a START", [START + "|W0x40000000+0x1000", STOP])):
        yield story("%s in a refused buffer does not free its id" % what,
                    ["FPH-D5", "FPH-BUF-8"],
                    [READY, offer(3, *bad), run(3, 2, used=[0, 1]),
                     result("stop"), publish(3)],
                    ["OutsideMemory", "StaleId"], "invalid")
    yield story("ids are not used again without their STOP", ["FPH-D5"],
                [READY, result("stop"), publish(3), result("stop"),
                 publish(4), offer(3, START, H[0], STOP),
                 run(3, 3, used=range(3)), result("stop"), publish(5)],
                ["StaleId"])
    yield story("the last id", ["FPH-D5C"],
                [boot(), HARVEST, publish(0xfffffffe), result("stop"),
                 publish(0xffffffff), offer(3, command(0xffffffff), H[0]),
                 run(3, 2, [], [P[0]], used=[0, 1]), result("stop"),
                 publish("exhausted"), result("done"), result("reset"),
                 boot(), HARVEST, publish(2)], first_id=0xfffffffe)
    yield story("an id as QEMU's first", ["FPH-D4A"],
                [boot(), HARVEST, publish(0x80000001),
                 offer(3, command(0x80000001), H[0]),
                 run(3, 2, [], [P[0]], used=[0, 1])], first_id=0x80000001)
    yield story("a cancelled migration, and another", ["FPH-D9", "FPH-L8"],
                [READY, offer(3, START, H[0]),
                 run(3, 2, [], [P[0]], used=[0, 1]), result("done"),
                 look(1, 1), offer(3, STOP), run(3, 1, used=[2]), HARVEST,
                 publish(3), look(3, 1), offer(3, command(3), H[1]),
                 run(3, 2, [], [P[1]], used=[3, 4])], ["QemuNoDone"])
    yield story("DONE in every hurry: requested, never started",
                ["FPH-D9", "FPH-D12"],
                [READY, look(2, 1), result("done"), look(1, 1),
                 offer(3, START, STOP), run(3, 2, used=[0, 1]), look(1)],
                ["QemuNoDone"])
    yield story("buffers come back in every state", ["FPH-D10"],
                [boot(), offer(3, H[0]), run(3, 1, used=[0]), HARVEST,
                 publish(2), offer(3, H[0]), run(3, 1, used=[1]),
                 offer(3, START, H[0]), run(3, 2, [], [P[0]], used=[2, 3]),
                 offer(3, STOP, H[0]), run(3, 2, used=[4, 5]),
                 result("done"), offer(3, H[0], STOP, START),
                 run(3, 3, used=[6, 7, 8])])
    yield story("a driver that goes on after STOP is ignored, and a bad one "
                "cannot stop that", ["FPH-D10", "FPH-X2"],
                [READY, result("stop"),
                 offer(3, *([H[0], START, STOP] * 8)),
                 run(3, 24, used=range(24)), look(0, 1)])
    yield story("chunks with pauses", ["FPH-F1", "FPH-V3"],
                [ACTIVE, offer(3, H[0]), run(3, 1, [], [P[0]], used=[1]),
                 work(), look(2, 1), offer(3, H[1], H[2]),
                 run(3, 2, [], P[1:3], used=[2, 3]), offer(3, STOP),
                 run(3, 1, used=[4])])
    yield story("the feature is gone after a reset", ["FPH-FEAT-3A",
                                                      "FPH-L1"],
                [READY, result("reset"), boot(ALL & ~HINT, (0, 1, 2)),
                 HARVEST, publish("state")], offered=ALL)
    yield story("hinting alone", ["FPH-Q-1"],
                [boot(HINT | V1, (0, 1, 2)), HARVEST, publish(2),
                 offer(2, START, H[0]), run(2, 2, [], [P[0]], used=[0, 1])],
                offered=HINT | V1)


def cases():
    yield from table()
    yield from buffers()
    yield from hints()
    yield from rounds()
