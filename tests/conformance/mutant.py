# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""What the mutants are made with: faults put into the reference."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "spec", "refcodec"))
MUTANTS = {}                    # name: (ids, function that puts it in)


def mutant(rules):
    """Registers a function that puts the fault in; rules: what it breaks."""
    def register(call):
        MUTANTS[call.__name__] = (rules, call)
        return call
    return register


def around(owner, name):
    """Replaces a function by one which gets the old one first."""
    def put(new):
        old = getattr(owner, name)
        setattr(owner, name, lambda *a, **k: new(old, *a, **k))
    return put


def round_out(gpa, length, granule):
    start = gpa // granule * granule
    return start, -(-(gpa + length) // granule) * granule - start
