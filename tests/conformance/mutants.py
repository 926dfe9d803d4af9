#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""The reference testee with one fault: mutants.py NAME.

Each fault is one that implementations have had, or a rule of the
specification that was dropped.  The suite must catch every one of them.
"""

import sys

sys.dont_write_bytecode = True

from mutant import MUTANTS              # noqa: E402
import mutants_codec                    # noqa: E402,F401
import mutants_driver                   # noqa: E402,F401
import mutants_hints                    # noqa: E402,F401
import mutants_reports                  # noqa: E402,F401
import testee                           # noqa: E402


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in MUTANTS:
        sys.exit("usage: mutants.py NAME, one of: " + " ".join(MUTANTS))
    MUTANTS[sys.argv[1]][1]()
    testee.NAME = "mutant:" + sys.argv[1]
    testee.Testee(sys.stdout).run(sys.stdin)


if __name__ == "__main__":
    main()
