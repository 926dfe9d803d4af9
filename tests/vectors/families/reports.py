# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Stories of a device: reports, poison, inflation, statistics."""

import struct

from .build import (ALL, POISON, TELL, V1, boot, do, finish, kick, look,
                    offer, result, run, run_broken, span, story, take, work)

TITLE = "Device: reports, poison, inflation, statistics"
NOTES = {
    "QemuPartFreed": ("atomicity", "QEMU 7.2 frees the good part of a report "
                      "that is bad in another part."),
    "QemuOutsideBreaks": ("robustness", "QEMU 7.2 breaks on 2 MiB outside "
                          "guest memory and ignores 4 KiB."),
    "QemuUnaligned": ("alignment", "QEMU 7.2 ignores a range that is not "
                      "aligned to the backing page."),
    "Collected": ("data loss", "A device with large pages that remembers "
                  "inflated ones until a page of its own is whole: without "
                  "MUST_TELL_HOST they may be in use again."),
    "UsedEarly": ("data loss", "A buffer that is returned before its discard "
                  "is over: the discard hits a page in use."),
    "ResetRace": ("data loss", "A discard that is in flight over a reset or "
                  "the end of a ring hits a page in use."),
    "Poison": ("data loss", "A discard makes zeros of a pattern that the "
               "guest checks."),
    "PoisonAfterReset": ("data loss", "Linux does not write poison_val again "
                         "after a suspend; the device then takes it as 0."),
    "RoundedOut": ("data loss", "Rounding outwards hits the neighbours."),
    "ReadableReport": ("direction", "QEMU 7.2 ignores a readable descriptor "
                       "in a report."),
    "PfnOutside": ("bounds", "A frame number that is not guest memory."),
    "TooMuch": ("denial of service", "A buffer that asks for more work than a "
                "device does in one go."),
    "Truncated": ("bounds", "A buffer that ends inside an entry."),
}
P = [span(0x100000 + (i << 16)) for i in range(8)]
H = ["W" + p for p in P]


def one(comment, buffers, discarded, reqs, flags=(), verdict="valid",
        granule=4096, **setup):
    return story(comment, reqs,
                 [boot(), offer(4, *buffers),
                  run(4, len(buffers), discarded, used=range(len(buffers))),
                  look(0)], flags, verdict, granule=granule, **setup)


def shapes():
    yield one("one page", [H[0]], [P[0]], ["FPH-R8", "FPH-R12", "FPH-Q-9"])
    yield one("one page, at the start of memory", ["W0x0+0x1000"],
              ["0x0+0x1000"], ["FPH-R10"])
    yield one("all of guest memory", ["W0x0+0x800000"], ["0x0+0x800000"],
              ["FPH-R10"])
    yield one("the last page of memory", ["W0x7ff000+0x1000"],
              ["0x7ff000+0x1000"], ["FPH-X3"])
    yield one("eight pages in one report", ["|".join(H)], P, ["FPH-R10"])
    yield one("eight reports", H, P, ["FPH-R8", "FPH-F5"])
    yield one("neighbours, descending",
              ["|".join("W%#x+0x1000" % (0x100000 + (n << 12))
                        for n in range(31, -1, -1))],
              ["0x100000+0x20000"], ["FPH-R10", "FPH-R11"])
    yield one("64 ranges in one report",
              ["|".join("W%#x+0x1000" % (n << 13) for n in range(64))],
              ["%#x+0x1000" % (n << 13) for n in range(64)], ["FPH-R10"])
    yield one("mixed lengths", ["W0x400000+0x400000|W0x200000+0x1000|"
                                "W0x0+0x200000"],
              ["0x0+0x201000", "0x400000+0x400000"], ["FPH-R10", "FPH-R13"])
    yield one("neighbours in two reports", ["W0x100000+0x1000",
                                            "W0x101000+0x1000"],
              ["0x100000+0x2000"], ["FPH-R11"])
    yield one("the same page twice", [H[0] + "|" + H[0]], [P[0]],
              ["FPH-R10"])
    yield one("the same page in two reports", [H[0], H[0]], [P[0]],
              ["FPH-R10", "FPH-R11"])
    yield one("overlap", ["W0x100000+0x3000|W0x102000+0x3000"],
              ["0x100000+0x5000"], ["FPH-R10"])
    yield one("unaligned start", ["W0x100800+0x2000"], ["0x101000+0x1000"],
              ["FPH-R6"], ["QemuUnaligned", "RoundedOut"])
    yield one("unaligned length", ["W0x100000+0x1800"], ["0x100000+0x1000"],
              ["FPH-R6"], ["QemuUnaligned", "RoundedOut"])
    yield one("less than a page", ["W0x100000+0xfff"], [], ["FPH-R6",
                                                            "FPH-R8"],
              ["QemuUnaligned", "RoundedOut"])
    yield one("one byte", ["W0x100000+0x1"], [], ["FPH-R6", "FPH-R8"],
              ["RoundedOut"])
    yield one("two halves of a page", ["W0x100800+0x800|W0x100000+0x800"],
              ["0x100000+0x1000"], ["FPH-R6", "FPH-R11"])
    yield one("4 KiB pages, backing of 2 MiB", ["W0x200000+0x1000"], [],
              ["FPH-R6"], ["RoundedOut"], granule=1 << 21)
    yield one("2 MiB and a page, backing of 2 MiB", ["W0x200000+0x201000"],
              ["0x200000+0x200000"], ["FPH-R6"], ["RoundedOut"],
              granule=1 << 21)
    yield one("512 pages, backing of 2 MiB",
              ["|".join("W%#x+0x1000" % (0x200000 + (n << 12))
                        for n in range(512))],
              ["0x200000+0x200000"], ["FPH-R6", "FPH-R11"], granule=1 << 21)
    yield one("across two regions that meet", ["W0x3ff000+0x2000"],
              ["0x3ff000+0x2000"], ["FPH-R10"],
              memory=("0x0+0x400000", "0x400000+0x400000"))


def refused():
    outside = {
        "4 KiB beyond the end": "W0x800000+0x1000",
        "2 MiB beyond the end": "W0x800000+0x200000",
        "2 MiB far outside": "W0x40000000+0x200000",
        "past the end by a page": "W0x7ff000+0x2000",
        "past the end by a byte": "W0x7ff000+0x1001",
        "at 2^63": "W0x8000000000000000+0x1000",
        "at the top of the addresses": "W0xfffffffffffff000+0x1000",
    }
    reqs = ["FPH-R7", "FPH-R8", "FPH-X3"]
    for why, seg in outside.items():
        yield one(why, [seg, H[1]], [P[1]], reqs, ["QemuOutsideBreaks"],
                  "invalid")
        yield one(why + ", after a good range", [H[0] + "|" + seg, H[1]],
                  [P[1]], reqs, ["QemuPartFreed"], "invalid")
        yield one(why + ", before a good range", [seg + "|" + H[0], H[1]],
                  [P[1]], reqs, ["QemuPartFreed"], "invalid")
    yield one("in a hole between regions", ["W0x100000+0x1000", "W0x0+0x1000"],
              ["0x0+0x1000"], reqs, [], "invalid",
              memory=("0x0+0x100000", "0x200000+0x600000"))
    yield one("across a hole", ["W0xff000+0x102000", "W0x0+0x1000"],
              ["0x0+0x1000"], reqs, [], "invalid",
              memory=("0x0+0x100000", "0x200000+0x600000"))
    for why, segs in (("readable alone", "R0x100000+0x1000"),
                      ("readable, then writable", "R0x100000+0x1000|" + H[2]),
                      ("an id, then writable", "R:02000000|" + H[2])):
        yield one(why, [segs, H[1]], [P[1]], ["FPH-R7", "FPH-R8"],
                  ["ReadableReport"], "invalid")


def poison():
    for value in (1, 0xaaaaaaaa, 0xffffffff, 0x80000000, 0xaa):
        yield story("poison %#x: returned, not discarded" % value,
                    ["FPH-R4", "FPH-R8", "FPH-R9"],
                    [boot(poison=value), offer(4, H[0], H[1]),
                     run(4, 2, used=[0, 1])], ["Poison"])
    yield story("poison 0: discarded", ["FPH-R4", "FPH-P3"],
                [boot(poison=0), offer(4, H[0]),
                 run(4, 1, [P[0]], used=[0])])
    yield story("PAGE_POISON and no value: 0", ["FPH-P5"],
                [boot(), offer(4, H[0]), run(4, 1, [P[0]], used=[0])])
    yield story("a value without PAGE_POISON", ["FPH-P5", "FPH-CFG-6"],
                [boot(ALL & ~POISON, poison=0xaaaaaaaa), offer(4, H[0]),
                 run(4, 1, [P[0]], used=[0])])
    yield story("a reset forgets the value", ["FPH-P5", "FPH-L2", "FPH-P2"],
                [boot(poison=0xaaaaaaaa), offer(4, H[0]),
                 run(4, 1, used=[0]), result("reset"), boot(),
                 offer(4, H[1]), run(4, 1, [P[1]], used=[1])],
                ["PoisonAfterReset"])
    yield story("written again after a reset", ["FPH-P2", "FPH-L2"],
                [boot(poison=0xaaaaaaaa), result("reset"),
                 boot(poison=0xaaaaaaaa), offer(4, H[0]),
                 run(4, 1, used=[0])], ["Poison"])
    yield story("a bad report with poison is refused too", ["FPH-R7"],
                [boot(poison=0xaaaaaaaa), offer(4, "W0x40000000+0x1000"),
                 run(4, 1, used=[0])], ["Poison"], "invalid")
    yield story("poison has no meaning for inflation", ["FPH-PFN-1"],
                [boot(poison=0xaaaaaaaa), offer(0, "R:00010000"),
                 run(0, 1, ["0x100000+0x1000"], used=[0])],
                result="acceptable")


def order():
    yield story("a buffer comes back after its discard", ["FPH-R2",
                                                          "FPH-R1"],
                [boot(), offer(4, H[0]), kick(4, 1), take([P[0]]),
                 finish(0)], ["UsedEarly"])
    yield story("a buffer that was not acted on yet is not returned by the "
                "discard of another", ["FPH-R2", "FPH-R11"],
                [boot(), offer(4, H[0]), kick(4, 1), take([P[0]]),
                 offer(4, H[1]), kick(4, 1), finish(0),
                 work([P[1]], used=[1])], ["UsedEarly"])
    yield story("a reset waits for the discard", ["FPH-R5"],
                [boot(), offer(4, H[0]), kick(4, 1), take([P[0]]),
                 result("reset", "busy")], ["ResetRace"])
    yield story("a reset waits also when nothing else is to be discarded",
                ["FPH-R5"],
                [boot(), offer(4, H[0]), kick(4, 1), take([P[0]]),
                 offer(4, "W0x140800+0x800"), kick(4, 1), take(),
                 result("vq_stop", "busy", index="4"),
                 result("reset", "busy")], ["ResetRace"])
    yield story("a reset before the discard begins: nothing is discarded",
                ["FPH-R5", "FPH-R15"],
                [boot(), offer(4, H[0]), kick(4, 1), result("reset"),
                 work()], ["ResetRace"])
    yield story("a report that was not taken is the guest's after a reset",
                ["FPH-R15"],
                [boot(), offer(4, H[0]), result("reset"), boot(), work(),
                 offer(4, H[1]), run(4, 1, [P[1]], used=[1])],
                ["ResetRace"])
    yield story("the end of the ring waits for the discard",
                ["FPH-R5", "FPH-R16"],
                [boot(), offer(4, H[0]), kick(4, 1), take([P[0]]),
                 result("vq_stop", "busy", index="4"), finish(0),
                 result("vq_stop", index="4")], ["ResetRace"])
    yield story("nothing is taken while the ring is being stopped",
                ["FPH-R5"],
                [boot(), offer(4, H[0]), kick(4, 1), take([P[0]]),
                 result("vq_stop", "busy", index="4"), offer(4, H[1]),
                 kick(4, 0), finish(0), result("vq_stop", index="4")],
                ["ResetRace"])
    inflation = [boot(V1, (0, 1)), offer(0, "R:00010000"), kick(0, 1),
                 take(["0x100000+0x1000"])]
    yield story("a reset waits for the discard of an inflate buffer, without"
                " reports", ["FPH-R5"],
                [inflation, result("reset", "busy")], ["ResetRace"],
                offered=V1)
    yield story("the end of the ring waits for the discard of an inflate"
                " buffer, without reports", ["FPH-R5"],
                [inflation, result("vq_stop", "busy", index="0"), finish(0),
                 result("vq_stop", index="0")], ["ResetRace"], offered=V1)
    yield story("a reset before the discard of an inflate buffer begins",
                ["FPH-R5"],
                [boot(V1, (0, 1)), offer(0, "R:00010000"), kick(0, 1),
                 result("reset"), work(), boot(V1, (0, 1)), work()],
                ["ResetRace"], offered=V1)
    yield story("a window: 4 in flight, 2 back, 2 more",
                ["FPH-R8", "FPH-R12", "FPH-F5"],
                [boot(), offer(4, *H[:4]), kick(4, 2, 2), take(P[:2]),
                 finish(0, 1), offer(4, *H[4:6]), kick(4, 2, 2),
                 take(P[2:4]), finish(2, 3), run(4, 2, P[4:6], used=[4, 5])])
    yield story("quiet for a snapshot", ["FPH-L7"],
                [boot(), offer(4, H[0]), kick(4, 1), take([P[0]]),
                 result("freeze", "busy"), finish(0), result("freeze"),
                 offer(4, H[1]), kick(4, 0), take(), result("thaw"),
                 run(4, 1, [P[1]], used=[1])])
    yield story("what waits is returned for a snapshot, with nothing done",
                ["FPH-L7"],
                [boot(), offer(4, H[0]), kick(4, 1), result("freeze"),
                 finish(0), result("thaw"), run(4, 0)])
    yield story("frozen before anything was taken", ["FPH-L7"],
                [boot(), result("freeze"), offer(4, H[0]), kick(4, 0),
                 work(), result("thaw"), run(4, 1, [P[0]], used=[0])])


def frames(*numbers):
    return "R:" + struct.pack("<%dI" % len(numbers), *numbers).hex()


def inflation():
    reqs = ["FPH-PFN-1"]
    yield story("inflate one page", reqs,
                [boot(), offer(0, frames(0x100)),
                 run(0, 1, ["0x100000+0x1000"], used=[0])])
    yield story("inflate neighbours, descending", reqs,
                [boot(), offer(0, frames(0x102, 0x101, 0x100)),
                 run(0, 1, ["0x100000+0x3000"], used=[0])])
    yield story("inflate 256 pages", reqs + ["FPH-PFN-3A"],
                [boot(), offer(0, frames(*range(0x200, 0x300))),
                 run(0, 1, ["0x200000+0x100000"], used=[0])])
    yield story("an array in three descriptors, split inside an entry",
                reqs + ["FPH-Q-10"],
                [boot(), offer(0, "R:0001|R:00000202|R:0000"),
                 run(0, 1, ["0x100000+0x1000", "0x202000+0x1000"],
                     used=[0])])
    yield story("inflate the same page twice", reqs,
                [boot(), offer(0, frames(0x100, 0x100)),
                 run(0, 1, ["0x100000+0x1000"], used=[0])])
    for why, segs, flag in (
            ("a frame outside", frames(0x100, 0x800), "PfnOutside"),
            ("frame 0xffffffff", frames(0xffffffff), "PfnOutside"),
            ("a frame outside among good ones",
             frames(*range(0x100, 0x110), 0x40000, 0x120), "PfnOutside"),
            ("3 bytes", "R:000100", "Truncated"),
            ("5 bytes", "R:0001000000", "Truncated"),
            ("an array outside", "R0x40000000+0x4", "PfnOutside"),
            ("a writable array", "W0x100000+0x4", "PfnOutside")):
        yield story("inflate: " + why, ["FPH-PFN-2"],
                    [boot(), offer(0, segs, frames(0x180)),
                     run(0, 2, ["0x180000+0x1000"], used=[0, 1]), look(0)],
                    [flag], "invalid")
    yield story("inflate: 2^20 frames in one buffer",
                ["FPH-PFN-3", "FPH-X1"],
                [boot(), offer(0, "R0x100000+0x400000"),
                 do("run", [{"result": "ok", "taken": "1",
                             "discarded": runs, "skipped": [], "used": ["0"]}
                            for runs in ([], ["0x0+0x1000"])], index="0"),
                 look(0)], ["TooMuch"], "acceptable")
    yield story("deflate is returned and discards nothing", reqs,
                [boot(), offer(1, frames(0x100, 0x101)),
                 run(1, 1, used=[0])])
    yield story("deflate of a frame outside is returned", ["FPH-PFN-2"],
                [boot(), offer(1, frames(0xffffffff)),
                 run(1, 1, used=[0]), look(0)], ["PfnOutside"], "invalid")


def deflation():
    """A deflated page is the driver's until it inflates it again."""
    page = frames(0x100)
    for tell, norm in ((0, "FPH-PFN-13"), (TELL, "FPH-PFN-13A")):
        yield story("deflated %s MUST_TELL_HOST, and inflated again" %
                    ("with" if tell else "without"), [norm, "FPH-PFN-12"],
                    [boot(ALL | tell), offer(0, page),
                     run(0, 1, ["0x100000+0x1000"], used=[0]), work(),
                     offer(1, page), run(1, 1, used=[1]), work(),
                     offer(1, frames(0x101)), run(1, 1, used=[2]), work(),
                     offer(0, page),
                     run(0, 1, ["0x100000+0x1000"], used=[3])],
                    offered=ALL | tell)


def large_backing():
    """A page is not changed any more once its buffer was returned."""
    first, rest = frames(*range(0x200, 0x300)), frames(*range(0x300, 0x400))
    yield story("two halves of a large page, inflated one after the other",
                ["FPH-PFN-13", "FPH-PFN-15"],
                [boot(), offer(0, first), run(0, 1, used=[0]),
                 offer(0, rest), run(0, 1, used=[1])], ["Collected"],
                granule=0x200000)
    yield story("two halves of a large page, inflated together",
                ["FPH-PFN-15"],
                [boot(), offer(0, first, rest),
                 run(0, 2, [span(0x200000, 0x200000)], used=[0, 1])],
                granule=0x200000)


def statistics():
    entry = struct.pack("<HQ", 4, 495697920).hex()
    unknown = struct.pack("<HQ", 99, 7).hex()
    yield story("statistics are read and held", ["FPH-STAT-1"],
                [boot(), offer(2, "R:" + entry), run(2, 1),
                 do("stats", {"stats": ["4=0x1d8bc000"]}),
                 result("stats_request"), work(used=[0])])
    yield story("unknown tags are no error", ["FPH-STAT-2"],
                [boot(), offer(2, "R:" + unknown + entry), run(2, 1),
                 do("stats", {"stats": ["99=0x7", "4=0x1d8bc000"]}),
                 look(0)])
    yield story("an entry over two descriptors", ["FPH-STAT-1", "FPH-Q-10"],
                [boot(), offer(2, "R:" + entry[:6] + "|R:" + entry[6:]),
                 run(2, 1), do("stats", {"stats": ["4=0x1d8bc000"]})])
    for what, bad in (("writable", "W0x100000+0xa"),
                      ("partly writable", "R:" + entry + "|W0x100000+0xa"),
                      ("that are not guest memory", "R0x40000000+0xa")):
        yield story("statistics %s change nothing" % what, ["FPH-STAT-10"],
                    [boot(), offer(2, "R:" + entry), run(2, 1),
                     result("stats_request"), work(used=[0]),
                     offer(2, bad), run(2, 1),
                     do("stats", {"stats": ["4=0x1d8bc000"]}), look(0),
                     result("stats_request"), work(used=[1])],
                    result="invalid")
    yield story("truncated statistics change nothing",
                ["FPH-STAT-1", "FPH-STAT-10"],
                [boot(), offer(2, "R:" + entry), run(2, 1),
                 result("stats_request"), work(used=[0]),
                 offer(2, "R:" + entry + "00"), run(2, 1),
                 do("stats", {"stats": ["4=0x1d8bc000"]}), look(0)],
                ["Truncated"], "invalid")
    yield story("statistics stay held over an error of a ring",
                ["FPH-Q-8", "FPH-STAT-7"],
                [boot(), offer(2, "R:" + entry), run(2, 1),
                 offer(4, "W0x10000+0x0"), run_broken(4),
                 result("stats_request", "state"), work(),
                 do("stats", {"stats": ["4=0x1d8bc000"]})],
                result="invalid")
    yield story("no statistics were offered", ["FPH-STAT-1"],
                [boot(), result("stats_request", "state")])


def cases():
    yield from shapes()
    yield from refused()
    yield from poison()
    yield from order()
    yield from inflation()
    yield from deflation()
    yield from large_backing()
    yield from statistics()
    yield story("a report that nobody kicks is not acted on", ["FPH-R2"],
                [boot(), offer(4, H[0]), work(),
                 kick(4, 1), work([P[0]], used=[0])])
