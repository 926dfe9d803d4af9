# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Queue indices in the three numberings, and the inference."""

from .build import HINT, POISON, REPORT, STATS, V1, case

TITLE = "Queue numbering"
NOTES = {
    "Dense": ("numbering", "The fixed index is wrong here: deployed drivers "
              "count the negotiated queues."),
    "OfferedNotNegotiated": ("numbering", "A device that counts what it "
                             "offered takes reports for hints here."),
    "Ambiguous": ("numbering", "More than one numbering fits the queues that "
                  "are set up."),
    "PlaceHeld": ("numbering", "A Linux driver that goes by the fixed indices "
                  "has to set up queues that it does not use: an index beyond "
                  "the dense ones tells."),
    "NoneFits": ("numbering", "No numbering has a queue for an index that "
                 "the driver set up."),
}
# The table of the spec: dense indices of stats, hint, report.
DENSE = {
    0: {},
    REPORT: {"report": 2},
    HINT: {"hint": 2},
    HINT | REPORT: {"hint": 2, "report": 3},
    STATS: {"stats": 2},
    STATS | REPORT: {"stats": 2, "report": 3},
    STATS | HINT: {"stats": 2, "hint": 3},
    STATS | HINT | REPORT: {"stats": 2, "hint": 3, "report": 4},
}
FIXED = {"stats": 2, "hint": 3, "report": 4}
ALWAYS = {"inflate": 0, "deflate": 1}
BITS = {"stats": STATS, "hint": HINT, "report": REPORT}
NAMES = ("fixed", "negotiated", "offered")
EVERY = STATS | HINT | REPORT


def indices(numbering, offered, negotiated):
    """{queue: index} by the tables."""
    row = {"fixed": FIXED, "negotiated": DENSE[negotiated],
           "offered": DENSE[offered]}[numbering]
    there = {q: i for q, i in row.items() if negotiated & BITS[q]}
    return {**ALWAYS, **there}


def index_case(queue, numbering, offered, negotiated):
    at = indices(numbering, offered, negotiated).get(queue)
    flags = []
    if at is not None and at != {**ALWAYS, **FIXED}[queue]:
        flags.append("Dense")
    if numbering == "offered" and offered != negotiated:
        flags.append("OfferedNotNegotiated")
    return case("%s, %s, offered %#x, negotiated %#x" %
                (queue, numbering, offered, negotiated), "queue_index",
                {"queue": queue, "numbering": numbering,
                 "offered": "%#x" % offered, "negotiated": "%#x" % negotiated},
                {"index": "none" if at is None else str(at)},
                ["FPH-Q-1", "FPH-FEAT-2"], flags)


def can_be(numbering, offered, negotiated, enabled):
    there = set(indices(numbering, offered, negotiated).values())
    if numbering == "fixed" and enabled and max(enabled) == max(there):
        return True             # what is below may only hold a place
    return enabled <= there


def infer_case(offered, negotiated, enabled, why, *more):
    fits = [n for n in NAMES if can_be(n, offered, negotiated, enabled)]
    different = {tuple(sorted(indices(n, offered, negotiated).items()))
                 for n in fits}
    flags = [*more] if fits else ["NoneFits"]
    if len(different) > 1:
        flags.append("Ambiguous")
    return case("%s: offered %#x, negotiated %#x, set up %s" %
                (why, offered, negotiated,
                 " ".join(map(str, sorted(enabled))) or "nothing"),
                "queue_infer",
                {"offered": "%#x" % offered, "negotiated": "%#x" % negotiated,
                 "enabled": [str(i) for i in sorted(enabled)]},
                {"fits": fits}, ["FPH-Q-2", "FPH-Q-3"], flags)


def cases():
    for negotiated in DENSE:
        for numbering in NAMES:
            for queue in FIXED:
                yield index_case(queue, numbering, EVERY, negotiated)
    for offered in (REPORT | HINT, STATS | REPORT):
        for negotiated in DENSE:
            if negotiated & ~offered:
                continue
            for queue in FIXED:
                yield index_case(queue, "offered", offered, negotiated)
    for numbering in NAMES:
        for queue in ALWAYS:
            yield index_case(queue, numbering, EVERY, 0)
    for negotiated in DENSE:
        done = set()
        for numbering in NAMES:
            enabled = frozenset(indices(numbering, EVERY,
                                        negotiated).values())
            if enabled not in done:
                done.add(enabled)
                yield infer_case(EVERY, negotiated, enabled,
                                 "all queues, " + numbering)
        yield infer_case(EVERY, negotiated, frozenset((0, 1)), "two queues")
    yield infer_case(EVERY, REPORT, frozenset((0, 1, 3)), "no such queue")
    yield infer_case(EVERY, 0, frozenset((0, 1, 2)), "no such queue")
    yield infer_case(EVERY, STATS | REPORT, frozenset((0, 1, 2)), "partial")
    yield infer_case(EVERY, STATS | REPORT, frozenset((3,)), "one queue")
    yield infer_case(EVERY, STATS | REPORT, frozenset((4,)), "one queue")
    yield infer_case(EVERY, EVERY, frozenset(), "none yet")
    for offered in DENSE:
        for negotiated in DENSE:
            there = set(indices("fixed", offered, negotiated).values())
            below = frozenset(range(max(there) + 1))
            if negotiated & ~offered or there == below:
                continue
            yield infer_case(offered, negotiated, below,
                             "every queue up to the last", "PlaceHeld")
    yield infer_case(HINT | REPORT, HINT | REPORT, frozenset((0, 1, 2, 3)),
                     "one short of the last")
    yield infer_case(REPORT, REPORT, frozenset(range(6)), "one too many")
    yield infer_case(STATS | REPORT, REPORT, frozenset((0, 1, 3)),
                     "offered two")
    yield infer_case(STATS | REPORT, REPORT, frozenset((0, 1, 2)),
                     "offered two")
    yield case("bits of no queue change nothing", "queue_infer",
               {"offered": "%#x" % (EVERY | POISON | V1 | 1),
                "negotiated": "%#x" % (EVERY | POISON | V1 | 1),
                "enabled": ["0", "1", "2", "3", "4"]},
               {"fits": list(NAMES)}, ["FPH-Q-2", "FPH-Q-4"])
