# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The suite against itself: what does it catch?

The reference must pass whole, every mutant must fail, and the list of known
failures must work in both directions.  Rules that nothing outside can see
are given with the run of the models that catches them.
"""

import concurrent.futures
import os
import sys

import mutants

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE = os.path.join(HERE, "..", "..", "spec", "refcodec", "testee.py")
MUTANTS = os.path.join(HERE, "mutants.py")

# rule: (run of spec/model/runs.txt, why it cannot be seen here).
UNSEEN = {
    "FPH-D2 at the switchover": (
        "D2-final", "the last harvest is the host's; a device is asked the"
        " same sync-begin for it"),
    "FPH-D6 by a lazy log": (
        "D6-lazy", "who clears the log when pages are sent is the host"),
    "FPH-D7 check, then act": (
        "D7-check-then-act", "a testee that says discard fails at once; the"
        " proof it may have is inside it"),
    "FPH-D7 armed late": (
        "D7-armed-late", "as before"),
    "FPH-L6 without a discard": (
        "restore-acts-on-popped", "what was taken before the restore nobody"
        " outside can know"),
    "FPH-V2": ("V2", "content is used inside the guest"),
    "FPH-V8 by a late reader": (
        "start-rewritten", "seen here only when a driver tells where its"
        " commands lie"),
    "FPH-R3": ("R3", "content is used inside the guest"),
}


def failing(lines):
    """Names of the tests that failed; a mutant that died proves nothing."""
    return [line.split()[1].rstrip(":") for line in lines
            if line.startswith("FAIL") and "the testee:" not in line]


def count(suite, command, known=()):
    """Outcomes and complaints.  suite: tests, make, judge."""
    tests, make, judge = suite
    session = make(command)
    lines = []
    try:
        counts = judge(tests, session, dict(known), lines.append)
    finally:
        session.stop()
    return counts, lines


def check_models():
    """The runs that are named exist and expect a loss or a cycle."""
    wrong = 0
    path = os.path.join(HERE, "..", "..", "spec", "model", "runs.txt")
    expects = {}
    with open(path, encoding="ascii") as f:
        for line in f:
            fields = line.split("#")[0].split()
            if fields:
                expects[fields[0]] = fields[4]
    for rule, (run, why) in UNSEEN.items():
        if expects.get(run) not in ("lost", "cycle"):
            print("FAIL  %s: runs.txt has no failing run %s" % (rule, run))
            wrong += 1
        else:
            print("model %-26s %-22s %s" % (rule, run, why))
    return wrong


def check_known(suite, python):
    """A failure that is listed is none; a listed test that passes is one."""
    command = [python, MUTANTS, "shows_stop_while_active"]
    counts, lines = count(suite, command)
    names = failing(lines)
    passing = next(t.name for t in suite[0] if t.name not in names)
    listed = dict.fromkeys(names, "a reason")
    good = count(suite, command, listed)[0]
    stale = count(suite, command, {**listed, passing: "a reason"})[0]
    gone = count(suite, command, {**listed, "no/test": "a reason"})[0]
    if names and not good["fail"] and good["known"] == len(names) and \
            stale["fail"] == 1 and gone["fail"] == 1:
        print("known failures: listed, stale and missing ones are told apart")
        return 0
    print("FAIL  the list of known failures does not work")
    return 1


def aims_at(test, rules):
    return bool(set(rules.split()) & set(test.about.split()))


def catch(suite, name, rules):
    """The first test aimed at the rule that fails, or None.

    Random schedules come last, as they take longest.
    """
    tests, make, judge = suite
    aimed = sorted((t for t in tests if aims_at(t, rules)),
                   key=lambda test: test.name.startswith("random"))
    session = make([sys.executable, MUTANTS, name])
    try:
        for test in aimed:
            lines = []
            judge([test], session, {}, lines.append)
            if failing(lines):
                return test.name
    finally:
        session.stop()
    return None


def check_mutants(suite):
    """Runs each until a test finds it; how many are not found."""
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda item: catch(suite, *item),
                         mutants.ALL.items())
        for (name, rules), test in zip(mutants.ALL.items(), found):
            print("%-6s %-34s %-20s %s" % ("caught" if test else "MISSED",
                                           name, rules, test or "-"))
            wrong += not test
    print("mutants: %d of %d caught" % (len(mutants.ALL) - wrong,
                                        len(mutants.ALL)))
    return wrong


def check_right(suite):
    """Other right implementations pass whole."""
    wrong = 0
    for name in mutants.RIGHT:
        counts, lines = count(suite, [sys.executable, MUTANTS, name])
        good = counts["pass"] and not counts["fail"]
        print("right: %-28s %d passed, %d failed" % (name, counts["pass"],
                                                      counts["fail"]))
        if not good:
            print("\n".join(["FAIL  a right implementation", *lines]))
            wrong += 1
    return wrong


def main(tests, make, judge):
    suite = tests, make, judge
    wrong = 0
    counts, lines = count(suite, [sys.executable, REFERENCE])
    print("reference: %d passed, %d failed" % (counts["pass"],
                                               counts["fail"]))
    if counts["fail"] or counts["skip"] or not counts["pass"]:
        print("\n".join(["FAIL  the reference", *lines]))
        wrong += 1
    wrong += check_right(suite)
    wrong += check_mutants(suite)
    wrong += check_known(([t for t in tests if t.role == "device"], make,
                          judge), sys.executable)
    wrong += check_models()
    total = len(mutants.ALL) + len(mutants.RIGHT) + len(UNSEEN) + 2
    print("%d passed, %d failed" % (total - wrong, wrong))
    return 1 if wrong else 0
