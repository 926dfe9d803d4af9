# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Chapter "Page frame arrays and statistics"."""

PFN_SIZE = 4
STAT_SIZE = 10
PAGE = 4096


def split(data, size):
    """Whole entries, or ValueError."""
    if len(data) % size:
        raise ValueError("the buffer ends inside an entry")
    return [data[i:i + size] for i in range(0, len(data), size)]


def decode_pfns(data, order):
    """The guest-physical addresses of a buffer (PFN-1, PFN-2)."""
    return [int.from_bytes(e, order) * PAGE for e in split(data, PFN_SIZE)]


def encode_pfns(gpas, order):
    if any(gpa % PAGE or gpa // PAGE >> 32 for gpa in gpas):
        raise ValueError("not the address of a frame")
    return b"".join((gpa // PAGE).to_bytes(PFN_SIZE, order) for gpa in gpas)


def decode_stats(data, order):
    """(tag, value) of each entry, unknown tags too (STAT-1)."""
    return [(int.from_bytes(e[:2], order), int.from_bytes(e[2:], order))
            for e in split(data, STAT_SIZE)]


def encode_stats(stats, order):
    return b"".join(tag.to_bytes(2, order) + value.to_bytes(8, order)
                    for tag, value in stats)
