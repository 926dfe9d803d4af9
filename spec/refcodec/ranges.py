# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Ranges: guest memory, merging, rounding inwards (BUF-8 to BUF-10, R6)."""


def merge(ranges):
    """Adjacent and overlapping (gpa, length) joined, ascending."""
    runs = []
    for gpa, length in sorted(ranges):
        if runs and gpa <= runs[-1][1]:
            runs[-1][1] = max(runs[-1][1], gpa + length)
        else:
            runs.append([gpa, gpa + length])
    return [(start, end - start) for start, end in runs]


def round_inwards(gpa, length, granule):
    """The whole granules inside a range; a length of 0 when there are none."""
    start = -(-gpa // granule) * granule
    end = (gpa + length) // granule * granule
    return start, max(end - start, 0)


def coalesce(ranges, granule):
    """Merge first, then round: neighbours complete each other's granule."""
    runs = (round_inwards(gpa, n, granule) for gpa, n in merge(ranges))
    return [run for run in runs if run[1]]


class Memory:
    """Which guest-physical addresses are guest memory."""

    def __init__(self, regions):
        self.regions = sorted(regions)

    def holds(self, gpa, length):
        """Whether every byte is guest memory (X3)."""
        return any(start <= gpa and gpa + length <= start + n
                   for start, n in merge(self.regions))

    def split(self, ranges):
        """The parts of ranges, each in one region (D8, R6)."""
        for gpa, length in ranges:
            for start, n in self.regions:
                low, high = max(gpa, start), min(gpa + length, start + n)
                if low < high:
                    yield low, high - low

    def coalesce(self, ranges, granule):
        """Merged, then rounded inwards, within one region."""
        return [run for region in self.regions for run in coalesce(
            Memory([region]).split(merge(ranges)), granule)]
