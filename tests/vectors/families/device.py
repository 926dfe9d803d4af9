# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Stories of a device: features, config space, queues, reset, rings."""

from .build import (ALL, HARVEST, HINT, INDIRECT, POISON, REPORT, STATS, V1,
                    boot, command, do, hint, kick_result, look, offer,
                    publish, result, run, run_broken, span, story)

TITLE = "Device: features, config space, queues"
NOTES = {
    "QemuUnnegotiated": ("negotiation", "QEMU 7.2 discards reports when the "
                         "feature was not negotiated."),
    "Numbering": ("numbering", "The driver counts the queues that were "
                  "negotiated."),
    "HintAsReport": ("data loss", "A hint that is taken for a report loses "
                     "data."),
    "BrokenRing": ("robustness", "After an error of the ring nothing is "
                   "taken."),
    "ReadOnly": ("robustness", "A driver writes a field that is not its."),
}
PAGE = span(0x10000)


def feature_stories():
    for bit in (6, 7, 8, 31, 33, 40, 63):
        yield story("a driver accepts bit %d, not offered" % bit,
                    ["FPH-FEAT-1"] + (["FPH-FEAT-4"] if bit == 33 else []),
                    [result("features", "refused",
                            negotiated="%#x" % (V1 | 1 << bit)),
                     boot(), offer(4, hint(0x10000)),
                     run(4, 1, [PAGE], used=[0])], result="invalid")
    yield story("reports on a queue that was not negotiated",
                ["FPH-FEAT-3A"],
                [boot(ALL & ~REPORT, (0, 1, 2, 3, 4)),
                 offer(4, hint(0x10000)), kick_result(4, "none"), look(0)],
                ["QemuUnnegotiated"], "invalid")
    yield story("hints on a queue that was not negotiated", ["FPH-FEAT-3A"],
                [boot(STATS | V1, (0, 1, 2, 3)),
                 offer(3, hint(0x10000)), kick_result(3, "none"),
                 HARVEST, publish("state"), look(0)],
                ["QemuUnnegotiated"], "invalid")
    yield story("a ring that was not set up", ["FPH-FEAT-3"],
                [boot(ALL, (0, 1, 2, 3)), kick_result(4, "none")])
    yield story("features while a ring runs", ["FPH-FEAT-3"],
                [boot(), result("features", "state", negotiated="%#x" % V1)])


def numbering_stories():
    rows = ((REPORT, {2: "report"}), (HINT, {2: "hint"}),
            (HINT | REPORT, {2: "hint", 3: "report"}), (STATS, {2: "stats"}),
            (STATS | REPORT, {2: "stats", 3: "report"}),
            (STATS | HINT, {2: "stats", 3: "hint"}),
            (STATS | HINT | REPORT, {2: "stats", 3: "hint", 4: "report"}))
    for negotiated, queues in rows:
        steps = boot(negotiated | V1, [0, 1] + list(queues))
        steps += [do("queue", {"queue": q}, index=str(i))
                  for i, q in {0: "inflate", 1: "deflate",
                               **queues}.items()]
        yield story("Linux driver, negotiated %#x" % negotiated,
                    ["FPH-Q-1", "FPH-Q-2"], steps, ["Numbering"],
                    offered=negotiated | V1)
    fixed = {STATS: 2, HINT: 3, REPORT: 4}
    names = {STATS: "stats", HINT: "hint", REPORT: "report"}
    for negotiated in (HINT | REPORT, REPORT | STATS, REPORT):
        there = [b for b in fixed if b & negotiated]
        steps = boot(negotiated | V1, [0, 1] + [fixed[b] for b in there])
        steps += [do("queue", {"queue": names[b]}, index=str(fixed[b]))
                  for b in there]
        yield story("driver with fixed indices, negotiated %#x" % negotiated,
                    ["FPH-Q-2"], steps, offered=negotiated | V1)
    offered = STATS | HINT | REPORT | V1
    yield story("offered all, driver counts stats and report: 0 to 3",
                ["FPH-Q-1", "FPH-Q-2", "FPH-Q-3"],
                [boot(STATS | REPORT | V1, (0, 1, 2, 3)),
                 do("queue", {"queue": "report"}, index="3"),
                 offer(3, hint(0x10000)), run(3, 1, [PAGE], used=[0])],
                ["Numbering", "HintAsReport"], offered=offered)
    yield story("nothing is taken while two numberings fit", ["FPH-Q-3"],
                [boot(HINT | REPORT | V1, (0, 1, 3)),
                 do("queue", {"queue": "none"}, index="3"),
                 offer(3, hint(0x10000)), kick_result(3, "none"),
                 result("vq", index="2"),
                 do("queue", {"queue": "report"}, index="3"),
                 run(3, 1, [PAGE], used=[0])],
                ["Numbering", "HintAsReport"], offered=offered)
    yield story("the same, and the driver has fixed indices", ["FPH-Q-3"],
                [boot(HINT | REPORT | V1, (0, 1, 3)),
                 offer(3, hint(0x10000)), kick_result(3, "none"),
                 result("vq", index="4"),
                 do("queue", {"queue": "hint"}, index="3"),
                 run(3, 1, used=[0])],
                ["Numbering", "HintAsReport"], offered=offered)
    yield story("no statistics offered, fixed indices, a queue that holds"
                " the place", ["FPH-Q-2", "FPH-Q-3"],
                [boot(HINT | REPORT | V1),
                 do("queue", {"queue": "none"}, index="2"),
                 do("queue", {"queue": "hint"}, index="3"),
                 do("queue", {"queue": "report"}, index="4"),
                 offer(3, hint(0x10000)), run(3, 1, used=[0]),
                 offer(4, hint(0x10000)), run(4, 1, [PAGE], used=[1])],
                ["Numbering", "HintAsReport"], offered=HINT | REPORT | V1)
    yield story("queues below 2 are always certain", ["FPH-Q-3"],
                [boot(HINT | REPORT | V1, (0, 1)),
                 do("queue", {"queue": "inflate"}, index="0"),
                 do("queue", {"queue": "deflate"}, index="1")],
                offered=offered)


def config_stories():
    read = {"offset": "0", "len": "16"}
    yield story("target, actual, id and poison in their places",
                ["FPH-CFG-1", "FPH-CFG-2", "FPH-D11"],
                [boot(poison=0xaabbccdd),
                 do("target", num_pages="16909060"),
                 do("write_config", offset="4", data="78563412"),
                 HARVEST, publish(2),
                 do("read_config", {"data": "04030201" "78563412" "02000000"
                                    "ddccbbaa"}, **read)])
    for field, offset in (("num_pages", 0), ("free_page_hint_cmd_id", 8)):
        for data in ("ffffffff", "02000000", "ff"):
            yield story("driver writes %s to %s" % (data, field),
                        ["FPH-CFG-5"],
                        [boot(), do("target", num_pages="7"), HARVEST,
                         publish(2),
                         do("write_config", offset=str(offset), data=data),
                         do("read_config", {"data": "07000000" "00000000"
                                            "02000000" "00000000"}, **read)],
                        ["ReadOnly"], "invalid")
    yield story("a write over all fields changes the driver's",
                ["FPH-CFG-5"],
                [boot(), do("write_config", offset="0", data="11" * 16),
                 do("read_config", {"data": "00000000" "11111111" "00000000"
                                    "11111111"}, **read)], ["ReadOnly"])
    yield story("actual byte by byte", ["FPH-CFG-1", "FPH-CFG-10"],
                [boot(), do("write_config", offset="4", data="01"),
                 do("write_config", offset="6", data="03"),
                 do("read_config", {"data": "01000300"}, offset="4",
                    len="4")])
    yield story("poison_val without PAGE_POISON is ignored",
                ["FPH-CFG-6", "FPH-P5"],
                [boot(ALL & ~POISON, poison=0xaaaaaaaa),
                 do("read_config", {"data": "00000000"}, offset="12",
                    len="4"),
                 offer(4, hint(0x10000)), run(4, 1, [PAGE], used=[0])])
    for offered, size in ((STATS | V1, 8), (STATS | HINT | V1, 12),
                          (ALL, 16)):
        yield story("config space of %d bytes reads 0 beyond" % size,
                    ["FPH-CFG-4", "FPH-CFG-3"],
                    [boot(offered, ()),
                     do("write_config", offset="4", data="01000000"),
                     do("read_config", {"data": "00000000" "01000000" +
                                        "00" * 16}, offset="0", len="24")],
                    offered=offered)
    yield story("a change of the id raises an interrupt, once",
                ["FPH-CFG-7"],
                [boot(), look(0), HARVEST, look(0), publish(2), look(2, 1),
                 look(2), result("stop"), look(0, 1), result("stop"),
                 look(0), result("done"), look(1, 1), result("done"),
                 look(1), publish(3), look(3, 1), HARVEST, look(0, 1)])
    yield story("the driver's own STOP changes the id too", ["FPH-CFG-7"],
                [boot(), HARVEST, publish(2), look(2, 1),
                 offer(3, command(2)), run(3, 1, used=[0]), look(2),
                 offer(3, command(0)), run(3, 1, used=[1]), look(0, 1)])
    yield story("a reset withdraws the id", ["FPH-L1", "FPH-CFG-7"],
                [boot(), HARVEST, publish(2), look(2, 1), result("reset"),
                 look(0, 1)])


def ring_stories():
    bad = {"no bytes": "W0x10000+0x0",
           "wraps": "W0xfffffffffffff000+0x2000",
           "wraps, in a good list": "W0x10000+0x1000|"
                                    "W0xfffffffffffff000+0x2000",
           "readable after writable": "W0x10000+0x1000|R0x20000+0x4",
           "no bytes at the end": "W0x10000+0x1000|W0x20000+0x0",
           "more than 2^32 bytes": "W0x0+0xffffffff|W0x10000+0x1000"}
    for why, segs in bad.items():
        for index, queue in ((3, "hint"), (4, "report")):
            yield story("%s queue: %s" % (queue, why),
                        ["FPH-Q-5", "FPH-Q-6", "FPH-Q-7", "FPH-X2"],
                        [boot(), offer(index, segs, hint(0x30000)),
                         run_broken(index), look(0, 0, 1),
                         run_broken(index), run_broken(7 - index),
                         result("reset"), boot(),
                         offer(4, hint(0x10000)),
                         run(4, 1, [PAGE], used=[2])],
                        ["BrokenRing"], "invalid")
    yield story("a report taken before an error is completed",
                ["FPH-Q-8", "FPH-R8"],
                [boot(), offer(4, hint(0x10000), "W0x20000+0x0"),
                 run_broken(4, [PAGE], used=[0]), look(0, 0, 1)],
                ["BrokenRing"], "invalid")
    yield story("indirect and event index are the transport's", ["FPH-Q-10"],
                [boot(ALL | INDIRECT), offer(4, hint(0x10000)),
                 run(4, 1, [PAGE], used=[0])], offered=ALL | INDIRECT)


def cases():
    yield from feature_stories()
    yield from numbering_stories()
    yield from config_stories()
    yield from ring_stories()
