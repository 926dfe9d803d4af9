# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The shortest counterexamples of the models, played to a correct device.

In the model one rule was dropped, and the page was lost.  Here the same
order of events meets a device that keeps the rules: what it does instead is
in the expectations, and nothing is lost in the end.  G1 and G3 drop a rule
of the driver: no device can help, and the page is lost.
"""

from .build import (HARVEST, boot, command, do, finish, hint, kick, look,
                    offer, publish, result, state, story, take, work)

TITLE = "Counterexamples of the models"
NOTES = {
    "D1": ("data loss", "An id is published before the dirty log was "
           "harvested."),
    "D2": ("data loss", "Hints count over a harvest."),
    "D3": ("data loss", "A hint that was taken before a stop takes effect "
           "after it."),
    "D4A": ("data loss", "A stream with another id counts."),
    "D4B": ("data loss", "Hints count without a stream."),
    "D4C": ("data loss", "A stream begins after its id was withdrawn."),
    "D5": ("data loss", "An id is published again too early."),
    "D6": ("data loss", "A hint clears the dirty log."),
    "D7": ("data loss", "A hint discards a page that was written since."),
    "D8": ("data loss", "A hint is rounded outwards."),
    "DriverFault": ("data loss", "The driver broke its rule; the page is "
                    "lost whatever the device does."),
}
A, B = "0x100000", "0x101000"
PAGE = hint(0x100000)
RUN = "0x100000+0x1000"
FREE = do("free", page=A)
REUSE = do("write", page=A)
QUEUE = offer(3, PAGE)
STOP = result("stop")
END = [HARVEST, do("send"), do("switch", {"lost": []})]


def start(number):
    return offer(3, command(number))


def pop(taken=1):
    return kick(3, taken, 1)


def trace(comment, flag, steps, reqs, pages=(A,), verdict="valid",
          role="device", end=END):
    # Everything was sent once, as at the beginning of a migration.
    return story(comment, reqs, [boot(), do("send"), steps, end], [flag],
                 verdict, role=role, pages=pages,
                 source="shortest counterexample of the Spin model")


def cases():
    yield trace("D1, id before harvest", "D1",
                [STOP, publish("state"), look(0), start(2), pop(), FREE,
                 QUEUE, REUSE, HARVEST, pop(), work(used=[0, 1])],
                ["FPH-D1"])
    yield trace("D2, a harvest inside a round", "D2",
                [HARVEST, publish(2), start(2), pop(), FREE, QUEUE, REUSE,
                 HARVEST, look(0, 1), pop(), work(used=[0, 1])], ["FPH-D2"])
    yield trace("D4a, the stream of 2 when 3 is published", "D4A",
                [STOP, HARVEST, publish(2), STOP, start(2), FREE, QUEUE,
                 REUSE, HARVEST, publish(3), pop(), state("REQUESTED"),
                 pop(), work(used=[0, 1]), STOP], ["FPH-D4A"])
    yield trace("D4b, a hint between two streams", "D4B",
                [STOP, HARVEST, publish(2), start(2), pop(), STOP, FREE,
                 QUEUE, REUSE, HARVEST, publish(3), pop(),
                 work(used=[0, 1]), STOP], ["FPH-D4B"])
    yield trace("D4c, START after the stop, with the id that matches", "D4C",
                [STOP, HARVEST, publish(2), start(2), FREE, QUEUE, REUSE,
                 STOP, HARVEST, pop(), state("IDLE"), pop(),
                 work(used=[0, 1])], ["FPH-D4C"])
    yield trace("D3, a hint in the hand of the device", "D3",
                [STOP, HARVEST, publish(2), start(2), pop(), FREE, QUEUE,
                 pop(), take([], [RUN]), REUSE, result("stop", "busy"),
                 result("harvest", "busy"), finish(0, 1), STOP, HARVEST],
                ["FPH-D3", "FPH-D2"])
    yield trace("D3, a hint that was taken and not acted on", "D3",
                [STOP, HARVEST, publish(2), start(2), pop(), FREE, QUEUE,
                 pop(), REUSE, STOP, HARVEST, work(used=[0, 1])],
                ["FPH-D3"])
    yield trace("D5, the same id at once", "D5",
                [STOP, HARVEST, publish(2), STOP, start(2), FREE, QUEUE,
                 REUSE, HARVEST, publish(3), pop(), pop(),
                 work(used=[0, 1]), STOP], ["FPH-D5"])
    yield trace("D5, the same id after the STOP of another stream", "D5",
                [STOP, HARVEST, publish(2), start(2), pop(), STOP, HARVEST,
                 publish(3), offer(3, command(0)), pop(),
                 state("REQUESTED"), STOP, start(3), FREE, QUEUE, REUSE,
                 HARVEST, publish(4), pop(), pop(),
                 work(used=[0, 1, 2, 3]), STOP], ["FPH-D5"])
    yield trace("D6, a hint after the page was written", "D6",
                [STOP, HARVEST, publish(2), start(2), pop(), FREE, QUEUE,
                 REUSE, pop(), work([], [RUN], used=[0, 1]), STOP],
                ["FPH-D6"])
    yield trace("D6, the log was not cleared by the harvest", "D6",
                [REUSE, STOP, HARVEST, publish(2), start(2), pop(), FREE,
                 QUEUE, REUSE, pop(), work([], [RUN], used=[0, 1]), STOP],
                ["FPH-D6"])
    yield trace("D7, a blind discard", "D7",
                [STOP, HARVEST, publish(2), start(2), pop(), FREE, QUEUE,
                 REUSE, pop(), work([], [RUN], used=[0, 1])], ["FPH-D7"])
    yield trace("D7, check, then discard", "D7",
                [STOP, HARVEST, publish(2), start(2), pop(), FREE, QUEUE,
                 pop(), take([], [RUN]), REUSE, finish(0, 1)], ["FPH-D7"])
    yield trace("D7, tracking armed after the id", "D7",
                [STOP, HARVEST, publish(2), start(2), pop(), FREE, QUEUE,
                 REUSE, pop(), work([], [RUN], used=[0, 1]), result("done")],
                ["FPH-D7", "FPH-D7A"])
    yield trace("D8, a page and a half", "D8",
                [do("write", page=B), STOP, HARVEST, publish(2), start(2),
                 pop(), FREE, offer(3, "W0x100000+0x1800"), pop(),
                 work([], [RUN], used=[0, 1]), STOP], ["FPH-D8"],
                pages=(A, B))
    yield trace("D8, half a page before and half a page after", "D8",
                [do("write", page=A), do("write", page=B), STOP, HARVEST,
                 publish(2), start(2), pop(),
                 offer(3, "W0x100800+0x1000"), pop(), work(used=[0, 1]),
                 STOP], ["FPH-D8"], pages=(A, B))
    lost = [HARVEST, do("send"), do("switch", {"lost": [A]})]
    yield trace("V1, a page that was free before the id was read",
                "DriverFault",
                [STOP, FREE, REUSE, HARVEST, publish(2), start(2), pop(),
                 QUEUE, pop(), work([], [RUN], used=[0, 1]), STOP],
                ["FPH-V1"], verdict="invalid", role="driver", end=lost)
    yield trace("V2, a page that is used without being written",
                "DriverFault",
                [REUSE, STOP, HARVEST, publish(2), start(2), pop(), FREE,
                 QUEUE, pop(), work([], [RUN], used=[0, 1]),
                 do("use", page=A), STOP],
                ["FPH-V2"], verdict="invalid", role="driver", end=lost)
    yield trace("V2, the same page, written before it is relied on", "D6",
                [REUSE, STOP, HARVEST, publish(2), start(2), pop(), FREE,
                 QUEUE, pop(), work([], [RUN], used=[0, 1]), REUSE, STOP],
                ["FPH-V2", "FPH-V9", "FPH-F9", "FPH-S1"])
    yield trace("a page that waits for its used buffer", "D6",
                [STOP, HARVEST, publish(2), start(2), pop(), FREE, QUEUE,
                 pop(), work([], [RUN], used=[0, 1]), REUSE, STOP],
                ["FPH-V10"])
    yield trace("saved work: a page that stays free is not sent", "D6",
                [REUSE, STOP, HARVEST, publish(2), start(2), pop(), FREE,
                 QUEUE, pop(), work([], [RUN], used=[0, 1]), STOP],
                ["FPH-D1"])
