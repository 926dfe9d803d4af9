#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Run the vectors against the reference codec.

usage: run_vectors.py FILE.json...
"""

import json
import os
import sys

import operations


def agrees(expect, got):
    """expect is an object, or a list of objects that are all acceptable."""
    choices = expect if isinstance(expect, list) else [expect]
    return got in choices


def run_case(case):
    """What went wrong, or None."""
    if "steps" not in case:
        got = operations.CODEC[case["op"]](case["input"])
        return None if agrees(case["expect"], got) else "got %s" % got
    story = operations.Story(case["input"])
    for i, step in enumerate(case["steps"]):
        got = story.step(step["op"], step["input"])
        if not agrees(step["expect"], got):
            return "step %d (%s): got %s, not %s" % (
                i, step["op"], got, step["expect"])
    return None


def run_file(path):
    with open(path, encoding="utf-8") as f:
        cases = json.load(f)["tests"]
    failed = 0
    for case in cases:
        wrong = run_case(case)
        if wrong:
            failed += 1
            print("%s: tcId %s (%s): %s" % (os.path.basename(path),
                                            case["tcId"], case["comment"],
                                            wrong))
    print("%-24s %5d passed, %d failed" % (os.path.basename(path),
                                           len(cases) - failed, failed))
    return len(cases) - failed, failed


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    counts = [run_file(path) for path in sys.argv[1:]]
    passed, failed = (sum(column) for column in zip(*counts))
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
