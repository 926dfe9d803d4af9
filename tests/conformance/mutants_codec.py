# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Mutants of the codec."""

from mutant import around, mutant

import commands
import config
import entries
import queues
import ranges


@mutant("FPH-CFG-2")
def packed_config():
    """poison_val moves up when there is no command id."""
    fields = (("num_pages", 0), ("actual", 4), ("poison_val", 8),
              ("cmd_id", 12))
    config.FIELDS = fields


@mutant("FPH-CFG-1")
def big_endian_config():
    @around(config, "encode")
    def encode(old, fields, size):
        data = old(fields, size)
        return b"".join(data[i:i + 4][::-1] for i in range(0, size, 4))


@mutant("FPH-CFG-3")
def config_needs_16_bytes():
    @around(config, "decode")
    def decode(old, space):
        return old(space if len(space) >= 16 else b"")


@mutant("FPH-BUF-4")
def short_command_accepted():
    @around(commands, "decode")
    def decode(old, data, order):
        return old(data.ljust(4, b"\0"), order)


@mutant("FPH-BUF-4")
def long_command_accepted():
    @around(commands, "decode")
    def decode(old, data, order):
        return old(data[:4], order)


@mutant("FPH-BUF-2")
def legacy_is_little_endian():
    @around(commands, "decode")
    def decode(old, data, order):
        return old(data, "little")


@mutant("FPH-D5A")
def id_counter_wraps():
    @around(commands, "following")
    def following(old, command):
        return (command + 1) % (1 << 32)


@mutant("FPH-STAT-1")
def padded_statistics():
    """16 bytes an entry, as a C compiler lays the struct out."""
    entries.STAT_SIZE = 16


@mutant("FPH-PFN-2")
def half_entries_accepted():
    @around(entries, "split")
    def split(old, data, size):
        return old(data[:len(data) // size * size], size)


@mutant("FPH-BUF-10")
def rounds_before_merging():
    @around(ranges, "coalesce")
    def coalesce(old, rs, granule):
        return old([r for r in (ranges.round_inwards(*r, granule)
                                for r in rs) if r[1]], granule)


@mutant("FPH-Q-1")
def fixed_numbers_only():
    @around(queues, "index")
    def index(old, queue, numbering, offered, negotiated):
        return old(queue, "fixed", offered, negotiated)


@mutant("FPH-Q-2")
def held_places_forbidden():
    """A queue that only holds a place fits no numbering."""
    @around(queues, "fitting")
    def fitting(old, offered, negotiated, enabled):
        return [n for n in old(offered, negotiated, enabled)
                if enabled <= set(queues.by_index(n, offered, negotiated))]


@mutant("FPH-Q-2")
def held_places_allowed_everywhere():
    @around(queues, "fitting")
    def fitting(old, offered, negotiated, enabled):
        return [n for n in queues.NUMBERINGS if not enabled or
                max(enabled) <= max(queues.by_index(n, offered, negotiated))]


@mutant("FPH-Q-6")
def descriptors_unchecked():
    @around(queues, "check_segs")
    def check_segs(old, segs):
        return segs
