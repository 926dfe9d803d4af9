#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The reference testee with one fault, or another right one: mutants.py NAME.

Each fault is one that implementations have had, or a rule of the
specification that was dropped.  The suite must catch every one of them.
"""

import sys

sys.dont_write_bytecode = True

import edits                            # noqa: E402
from mutant import MUTANTS              # noqa: E402

if sys.argv[1:2] and sys.argv[1] in edits.EDITS:
    sys.path.insert(0, edits.REFERENCE)
    edits.load(sys.argv[1])

import mutants_codec                    # noqa: E402,F401
import mutants_driver                   # noqa: E402,F401
import mutants_hints                    # noqa: E402,F401
import mutants_lives                    # noqa: E402,F401
import mutants_reports                  # noqa: E402,F401
import testee                           # noqa: E402
from variants import RIGHT              # noqa: E402


# name: the rules that it breaks.
ALL = {name: rules for name, (rules, _) in MUTANTS.items()}
ALL.update({name: edit[0] for name, edit in edits.EDITS.items()})


def main():
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name not in ALL and name not in RIGHT:
        sys.exit("usage: mutants.py NAME, one of: " + " ".join(
            [*ALL, *RIGHT]))
    if name in MUTANTS:
        MUTANTS[name][1]()
    if name in RIGHT:
        RIGHT[name]()
    testee.NAME = "mutant:" + name
    testee.Testee(sys.stdout).run(sys.stdin)


if __name__ == "__main__":
    main()
