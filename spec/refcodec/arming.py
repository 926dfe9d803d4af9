# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Arming (V17): chunks of the host's log in which a page was hinted first."""


class Arms:
    """Over memory, a (gpa, length), in chunks of unit bytes."""

    def __init__(self, memory, unit, arms):
        self.start, length = memory
        self.end = self.start + length
        self.unit = unit
        self.chunks = {arm // unit for arm in arms}

    def allows(self, gpa, length):
        end = gpa + length
        if not length or gpa < self.start or end > self.end:
            return False
        return all(chunk in self.chunks for chunk in
                   range(gpa // self.unit, (end - 1) // self.unit + 1))
