# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Stories of a device: its end and what follows, the reset of one queue, and
queues in order."""

from .build import (ALL, HARVEST, HINT, boot, command, do, finish, hint,
                    kick, look, offer, publish, result, run, span, state,
                    story, take, work)

TITLE = "Device: restore, takeover, reset of a queue, order"
NOTES = {
    "NewCounter": ("stale hints", "A restored device that begins to count "
                   "ids anew takes an old stream for a new one."),
    "OldStream": ("data loss", "A hint from before the restore, whose page "
                  "was used since."),
    "NoDone": ("memory held", "A guest that was restored in a round waits "
               "for DONE with all its hinted memory."),
    "Forgotten": ("hang", "A buffer that was in flight never comes back, and "
                  "Linux waits for it without limit."),
    "Twice": ("double free", "A buffer that was returned comes back again."),
    "LiveRound": ("stale hints", "The round goes on without its queue."),
    "Overtaken": ("order", "A buffer comes back before an older one."),
}
IN_ORDER = ALL | 1 << 35
NO_HINT = ALL & ~HINT
RINGS = (0, 1, 2, 3, 4)
P = [span(0x100000 + (i << 16)) for i in range(8)]
H = ["W" + p for p in P]
OUTSIDE = hint(0x40000000)
START, STOP = command(2), command(0)
READY = [HARVEST, publish(2)]
ACTIVE = [*READY, offer(3, START), run(3, 1, used=[0])]
RESTORE, TAKEOVER = do("restore"), do("takeover")
RECORDED = [boot(rings=()), [result("vq", index=str(i), record="1")
                             for i in RINGS]]

# From a device that is set up to a state, and the buffers that it takes.
REACH = {
    "IDLE": ([*READY, result("stop")], 0),
    "REQUESTED": (READY, 0),
    "ACTIVE": (ACTIVE, 1),
    "STOPPING": ([*ACTIVE, offer(3, H[0]), kick(3, 1), take([], [P[0]]),
                  result("stop", "busy")], 2),
    "STOPPED": ([*ACTIVE, offer(3, STOP), run(3, 1, used=[1])], 2),
    "DONE": ([*READY, result("done")], 0),
}
# Only a new id begins a round: no buffer of the old stream does.
NEW_ROUND = [HARVEST, publish(3), look(3, 1)]


def new_round(n):
    """A stream with the old id, then one with the new one."""
    return [*NEW_ROUND,
            offer(3, H[1]), run(3, 1, used=[n]),
            offer(3, START, H[2]), run(3, 2, used=[n + 1, n + 2]),
            offer(3, command(3), H[3]),
            run(3, 2, skipped=[P[3]], used=[n + 3, n + 4])]


def flush(*used):
    return do("flush", {"used": [str(b) for b in used]})


def after_restore():
    """Config space and ids."""
    for name, (reach, n) in REACH.items():
        late = [finish(1)] if name == "STOPPING" else []
        yield story("restored in %s" % name, ["FPH-L4A", "FPH-L5"],
                    [boot(), *reach, RESTORE, look(1, 1), state("DONE"),
                     *late, publish("state"), look(1)], ["NoDone"])
        yield story("restored in %s, then a new round" % name,
                    ["FPH-L3", "FPH-L4"],
                    [boot(), *reach, RESTORE, look(1, 1), *late,
                     *new_round(n)], ["NewCounter", "OldStream"])
    yield story("restored before any id was published",
                ["FPH-L4A", "FPH-L5"],
                [boot(), look(0), RESTORE, look(1, 1), state("DONE"),
                 HARVEST, publish(2), look(2, 1)], ["NoDone"])
    yield story("restored before any id was published, twice",
                ["FPH-L5"], [boot(), RESTORE, look(1, 1), result("reset"),
                             look(0, 1), boot(), RESTORE, look(1, 1)],
                ["NoDone"])
    yield story("a restore shows no DONE without FREE_PAGE_HINT",
                ["FPH-L5"],
                [boot(NO_HINT, rings=(0, 1, 2, 3)), look(0), RESTORE,
                 look(0, 1), HARVEST, publish("state"), look(0)])
    yield story("a restore shows no DONE to a driver without hints, after one"
                " with them", ["FPH-L3", "FPH-L5"],
                [boot(), *READY, look(2, 1), result("reset"), look(0, 1),
                 boot(NO_HINT, rings=(0, 1, 2, 3)), RESTORE, look(0, 1),
                 result("reset"), boot(), HARVEST, publish(3)],
                ["NewCounter"])
    yield story("restored twice", ["FPH-L3", "FPH-L5"],
                [boot(), *READY, RESTORE, look(1, 1), HARVEST, publish(3),
                 RESTORE, look(1, 1), HARVEST, publish(4)], ["NewCounter"])
    yield story("restored in a harvest", ["FPH-L4", "FPH-L5"],
                [boot(), *ACTIVE, result("sync_begin"), RESTORE, look(1, 1),
                 result("sync_end", "state"), publish("state"),
                 *new_round(1)], ["OldStream"])
    yield story("the last id is not used again after a restore",
                ["FPH-L3"],
                [boot(), HARVEST, publish(0xffffffff), RESTORE, HARVEST,
                 publish("exhausted")], ["NewCounter"],
                first_id=0xffffffff)
    yield story("a reset, then a restore: ids go on", ["FPH-L3"],
                [boot(), *READY, result("reset"), boot(), RESTORE, HARVEST,
                 publish(3)], ["NewCounter"])


def in_flight():
    """Buffers in the device, and in the ring."""
    for index, name, buffers in (
            (3, "hint", ACTIVE), (4, "report", []), (0, "inflate", [])):
        data = "R:00010000" if index == 0 else H[0]
        n = 1 if buffers else 0
        runs = ([], [P[0]]) if index == 3 else ([P[0]], [])
        yield story("restored with a taken %s" % name,
                    ["FPH-L6"] + ["FPH-L4"] * (index == 3),
                    [boot(), *buffers, offer(index, data), kick(index, 1),
                     RESTORE, work(used=[n]), work()],
                    ["OldStream", "Forgotten"] if index == 3 else
                    ["Forgotten"])
        yield story("restored while a %s is acted on" % name,
                    ["FPH-L6"] + ["FPH-L4"] * (index == 3),
                    [boot(), *buffers, offer(index, data), kick(index, 1),
                     take(*runs), RESTORE, work(used=[n]), work()],
                    ["OldStream", "Forgotten"] if index == 3 else
                    ["Forgotten"])
        yield story("restored after a %s was returned" % name, ["FPH-L6"],
                    [boot(), *buffers, offer(index, data),
                     run(index, 1, *runs, used=[n]), RESTORE, work()],
                    ["Twice"])
    yield story("hints of the old stream are still in the ring", ["FPH-L4"],
                [boot(), *ACTIVE, offer(3, H[0], STOP), RESTORE,
                 run(3, 2, used=[1, 2]), *new_round(3)], ["OldStream"])
    yield story("START is still in the ring", ["FPH-L4"],
                [boot(), *READY, offer(3, START, H[0]), RESTORE,
                 run(3, 2, used=[0, 1]), look(1, 1)], ["OldStream"])
    yield story("a report in the ring is taken after the restore",
                ["FPH-L6", "FPH-R8"],
                [boot(), offer(4, H[0]), RESTORE,
                 run(4, 1, [P[0]], used=[0])])
    yield story("the statistics buffer is still held", ["FPH-L6"],
                [boot(), offer(2, "R:0500" "00100000" "00000000"),
                 run(2, 1), RESTORE, work(), result("stats_request"),
                 finish(0)], ["Forgotten"])


def again(index, n, *runs, used):
    """What a predecessor took: to act on it again is left open."""
    answer = {"result": "ok", "taken": str(n), "skipped": [],
              "used": [str(b) for b in used]}
    return do("run", [{**answer, "discarded": list(runs)},
                      {**answer, "discarded": []}], index=str(index))


def takeovers():
    yield story("takeover with nothing in flight", ["FPH-L10A"],
                [RECORDED, offer(4, H[0], H[1]),
                 run(4, 2, [P[0], P[1]], used=[0, 1]), TAKEOVER,
                 run(4, 0), offer(4, H[2]), run(4, 1, [P[2]], used=[2])],
                ["Twice"])
    for index, name in ((4, "report"), (0, "inflate")):
        data = "R:00010000" if index == 0 else H[0]
        yield story("takeover with a taken %s" % name, ["FPH-L10"],
                    [RECORDED, offer(index, data), kick(index, 1), TAKEOVER,
                     again(index, 1, P[0], used=[0]), run(index, 0)],
                    ["Forgotten"])
        yield story("takeover while a %s is acted on" % name, ["FPH-L10"],
                    [RECORDED, offer(index, data), kick(index, 1),
                     take([P[0]]), TAKEOVER,
                     again(index, 1, P[0], used=[0]), run(index, 0)],
                    ["Forgotten"])
    yield story("takeover: one returned, one taken, one in the ring",
                ["FPH-L10", "FPH-L10A"],
                [RECORDED, offer(4, H[0]), run(4, 1, [P[0]], used=[0]),
                 offer(4, H[1]), kick(4, 1), offer(4, OUTSIDE), TAKEOVER,
                 again(4, 2, P[1], used=[1, 2]), run(4, 0)],
                ["Forgotten", "Twice"])
    yield story("two takeovers", ["FPH-L10", "FPH-L10A"],
                [RECORDED, offer(4, H[0]), kick(4, 1), TAKEOVER,
                 kick(4, 1), TAKEOVER, again(4, 1, P[0], used=[0]),
                 TAKEOVER, run(4, 0)], ["Forgotten", "Twice"])
    yield story("takeover of the statistics buffer", ["FPH-L10"],
                [RECORDED, offer(2, "R:0500" "00100000" "00000000"),
                 run(2, 1), TAKEOVER, run(2, 1), result("stats_request"),
                 finish(0)], ["Forgotten"])
    for name, step in (("taken", []), ("acted on", [take([], [P[0]])])):
        yield story("takeover in a round, a hint is %s" % name,
                    ["FPH-L4", "FPH-L4A", "FPH-L5", "FPH-L10"],
                    [RECORDED, *ACTIVE, offer(3, H[0]), kick(3, 1), *step,
                     TAKEOVER, look(1, 1), run(3, 1, used=[1]),
                     run(3, 0), *new_round(2)], ["OldStream", "NoDone"])
    yield story("takeover before any id was published",
                ["FPH-L4A", "FPH-L5"],
                [RECORDED, look(0), TAKEOVER, look(1, 1), HARVEST,
                 publish(2), look(2, 1)], ["NoDone"])
    yield story("takeover: START was taken, not returned",
                ["FPH-L4", "FPH-L10"],
                [RECORDED, *READY, offer(3, START + "|" + H[0]), kick(3, 1),
                 TAKEOVER, look(1, 1), run(3, 1, used=[0])], ["OldStream"])


def queue_resets():
    down, busy = (result("vq_reset", what, index="3")
                  for what in ("ok", "busy"))
    up = result("vq", index="3")
    for name in ("REQUESTED", "ACTIVE"):
        reach, n = REACH[name]
        yield story("the hinting queue is reset in %s" % name, ["FPH-Q-12"],
                    [boot(), *reach, look(2, 1), down, look(0, 1),
                     state("IDLE"), up, offer(3, H[0]),
                     run(3, 1, used=[n]), *new_round(n + 1)], ["LiveRound"])
    for name in ("IDLE", "STOPPED"):
        reach, n = REACH[name]
        yield story("the hinting queue is reset in %s" % name, ["FPH-Q-12"],
                    [boot(), *reach, down, up, *new_round(n)])
    yield story("the hinting queue is reset in DONE", ["FPH-Q-12"],
                [boot(), *REACH["DONE"][0], look(1, 1), down, look(1)])
    yield story("the reset of the hinting queue waits for its hints",
                ["FPH-Q-12"],
                [boot(), *ACTIVE, offer(3, H[0]), kick(3, 1),
                 take([], [P[0]]), busy, look(0, 1), busy, finish(1), down,
                 up, *new_round(2)], ["LiveRound"])
    yield story("the reset of the hinting queue drops what waits",
                ["FPH-Q-12"],
                [boot(), *ACTIVE, offer(3, H[0]), kick(3, 1), down, work(),
                 look(0, 1)], ["LiveRound"])
    yield story("the hinting queue is reset with hints in the ring",
                ["FPH-Q-12"],
                [boot(), *ACTIVE, offer(3, H[0]), down, up, run(3, 0)],
                ["LiveRound"])
    for index, name in ((4, "reporting"), (0, "inflate")):
        data = "R:00010000" if index == 0 else H[0]
        down, busy = (result("vq_reset", what, index=str(index))
                      for what in ("ok", "busy"))
        up = result("vq", index=str(index))
        yield story("the reset of the %s queue waits for a discard" % name,
                    ["FPH-Q-12"],
                    [boot(), offer(index, data), kick(index, 1),
                     take([P[0]]), busy, offer(index, data),
                     kick(index, 0), busy, finish(0), down, up,
                     run(index, 0)], ["Forgotten"])
        yield story("a round goes on when the %s queue is reset" % name,
                    ["FPH-Q-12"],
                    [boot(), *ACTIVE, look(2, 1), down, look(2),
                     offer(3, H[1]), run(3, 1, [], [P[1]], [1]), up,
                     offer(index, data), run(index, 1, [P[0]], used=[2])])


def orders():
    def ordered(comment, *steps, features=IN_ORDER, flags=("Overtaken",)):
        return story(comment, ["FPH-Q-11"], [boot(features), *steps],
                     flags, offered=features)

    taken = [offer(4, H[0]), kick(4, 1), take([P[0]])]
    yield ordered("in order: a refused report waits for an older one",
                  *taken, offer(4, OUTSIDE), kick(4, 1), flush(),
                  finish(0, 1))
    yield ordered("not in order: a refused report comes back at once",
                  *taken, offer(4, OUTSIDE), kick(4, 1), flush(1),
                  finish(0), features=ALL, flags=())
    yield ordered("in order: those before it do not wait", offer(4, OUTSIDE),
                  kick(4, 1), offer(4, H[0]), kick(4, 1), take([P[0]]),
                  offer(4, OUTSIDE), kick(4, 1), flush(0), finish(1, 2))
    yield ordered("in order: STOP waits for a hint", *ACTIVE,
                  offer(3, H[0]), kick(3, 1), take([], [P[0]]),
                  offer(3, STOP), kick(3, 1), flush(), finish(1, 2))
    yield ordered("in order: each queue by itself", *taken, *READY,
                  offer(3, START), kick(3, 1), offer(1, "R:00010000"),
                  kick(1, 1), flush(1, 2), finish(0))
    yield ordered("in order: a bad inflate buffer waits for a good one",
                  offer(0, "R:00010000"), kick(0, 1), take([P[0]]),
                  offer(0, "R:000100"), kick(0, 1), flush(), finish(0, 1))
    yield ordered("in order: reset and again from the first", *taken,
                  offer(4, OUTSIDE), kick(4, 1), finish(0, 1),
                  result("reset"), boot(IN_ORDER), offer(4, H[1]),
                  run(4, 1, [P[1]], used=[2]))


def cases():
    yield from after_restore()
    yield from in_flight()
    yield from takeovers()
    yield from queue_resets()
    yield from orders()
