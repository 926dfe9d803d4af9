#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Instructions of each call, counted by callgrind, against their budgets.

usage: ir.py PROGRAM BUDGETS [RANGES]

A line of BUDGETS is "BUDGET TARGET NAME": instructions a unit that may not be
passed, and those that are wanted ("-": none but the budget). The rows of calls
with much that waits are "NAME @ RANGES"; the worst call of a name counts, none
may take more than LONGEST, and with 8 times as much none may take more than
GROWTH times as long. What is above its budget fails.
"""

import os
import re
import subprocess
import sys
import tempfile

# 50 us at one instruction a nanosecond, which the slowest hosts do.
LONGEST = 50000
# 8 times as much is three levels more, of 15 to 18.
GROWTH = 1.4


def count(program, ranges):
    """{row name: worst instructions a unit}"""
    rows = {}
    with tempfile.TemporaryDirectory() as where:
        out = os.path.join(where, "out")
        subprocess.run(
            ["valgrind", "--tool=callgrind", "--collect-atstart=no",
             "--combine-dumps=yes", "--dump-line=no",
             "--callgrind-out-file=" + out, program, str(ranges)],
            check=True, stdout=subprocess.DEVNULL)
        units = name = None
        with open(out, encoding="ascii", errors="replace") as parts:
            for line in parts:
                found = re.match(
                    r"desc: Trigger: Client Request: row (.*) (\d+)$", line)
                if found:
                    name, units = found[1], int(found[2])
                found = re.match(r"(?:summary|totals): (\d+)", line)
                if found and name:
                    cost = int(found[1]) / units
                    rows[name] = max(cost, rows.get(name, 0))
                    name = None
    return rows


def read_budgets(path):
    """{row name: (budget, target or None)}"""
    budgets = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            if not line.strip() or line.startswith("#"):
                continue
            budget, target, name = line.split(None, 2)
            budgets[name.strip()] = (
                float(budget), None if target == "-" else float(target))
    return budgets


class Report:
    """Prints rows, and counts how they went."""

    def __init__(self):
        self.passed = self.failed = 0
        print("%-44s %9s %9s %9s" % ("instructions", "counted", "budget",
                                     "target"))

    def row(self, name, cost, budget, target=None):
        good = cost <= budget
        self.passed += good
        self.failed += not good
        note = "" if good else "  FAILED"
        if good and target and cost > target:
            note = "  target not reached"
        print("%-44s %9.1f %9.1f %9s%s" % (
            name, cost, budget, "" if target is None else "%.0f" % target,
            note))

    def fail(self, why):
        self.failed += 1
        print(why + "  FAILED")


def main():
    program, path = sys.argv[1:3]
    ranges = int(sys.argv[3]) if len(sys.argv) > 3 else 262144
    rows = count(program, ranges)
    budgets = read_budgets(path)
    report = Report()
    for name, (budget, target) in budgets.items():
        if name in rows:
            report.row(name, rows[name], budget, target)
        else:
            report.fail("%s: was not counted" % name)
    for name, cost in rows.items():
        if " @ " not in name:
            if name not in budgets:
                report.fail("%s: %.1f, has no budget" % (name, cost))
            continue
        call, waiting = name.split(" @ ")
        if int(waiting) != ranges:
            continue
        small = rows["%s @ %d" % (call, ranges // 8)]
        report.row(name, cost, min(LONGEST, max(small, 100) * GROWTH))
    print("%d passed, %d failed, 0 skipped" % (report.passed, report.failed))
    return report.failed > 0


if __name__ == "__main__":
    sys.exit(main())
