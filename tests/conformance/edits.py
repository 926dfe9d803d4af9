# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Mutants of one line: (name, rules, file, old text, new text)...

The old text occurs once in that file of spec/refcodec.
"""

import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE = os.path.join(HERE, "..", "..", "spec", "refcodec")

RINGS = (
    ("no_bytes_taken", "FPH-Q-6", "queues.py",
     "need(seg.len > 0,", "need(seg.len >= 0,"),
    ("wrap_unchecked", "FPH-X3", "queues.py",
     'need(seg.gpa + seg.len <= 1 << 64, "wraps")', "pass"),
    ("end_of_addresses_refused", "FPH-Q-6", "queues.py",
     "need(seg.gpa + seg.len <= 1 << 64,",
     "need(seg.gpa + seg.len < 1 << 64,"),
    ("order_unchecked", "FPH-Q-6", "queues.py",
     "need(seg.writable or not written,", "need(True,"),
    ("long_chain_taken", "FPH-Q-6", "queues.py",
     "need(sum(seg.len for seg in segs) <= 1 << 32,", "need(True,"),
    ("sum_in_32_bits", "FPH-Q-6", "queues.py",
     "need(sum(seg.len for seg in segs) <=",
     "need(sum(seg.len for seg in segs) % (1 << 32) <="),
    ("exactly_2_to_the_32_refused", "FPH-Q-6", "queues.py",
     "for seg in segs) <= 1 << 32,", "for seg in segs) < 1 << 32,"),
    ("available_index_unchecked", "FPH-Q-6", "queues.py",
     "need(count <= self.num,", "need(True,"),
    ("available_index_off_by_one", "FPH-Q-6", "queues.py",
     "need(count <= self.num,", "need(count <= self.num + 1,"),
    ("full_ring_refused", "FPH-Q-6", "queues.py",
     "need(count <= self.num,", "need(count < self.num,"),
    ("chain_one_too_long", "FPH-Q-6", "queues.py",
     "need(len(segs) < self.num,", "need(len(segs) <= self.num,"),
    ("chain_as_long_as_the_ring_refused", "FPH-BUF-6", "queues.py",
     "need(len(segs) < self.num,", "need(len(segs) + 1 < self.num,"),
    ("indirect_with_next_taken", "FPH-Q-6", "queues.py",
     "need(not d.flags & NEXT,", "need(True,"),
    ("indirect_unasked_taken", "FPH-Q-6", "queues.py",
     "need(self.indirect,", "need(True,"),
    ("table_of_half_entries_taken", "FPH-Q-6", "queues.py",
     "need(d.len and d.len % 16 == 0,", "need(d.len,"),
    ("table_begins_at_next", "FPH-Q-6", "queues.py",
     "self.walk(table, 0, segs)", "self.walk(table, link.next, segs)"),
    ("nested_table_ignored", "FPH-Q-6", "queues.py",
     'need(not self.walk(table, 0, segs), "nested indirect")',
     "self.walk(table, 0, segs)"),
    ("table_limits_to_ring_index", "FPH-R10", "queues.py",
     "need(at < len(table) // 16,",
     "need(at < min(len(table) // 16, self.num - 1),"),
    ("next_is_the_next_one", "FPH-BUF-7", "queues.py",
     "at = d.next", "at = at + 1"),
    ("write_on_a_table_refused", "FPH-Q-6", "queues.py",
     'need(not d.flags & NEXT, "indirect with next")',
     "need(not d.flags & (NEXT | WRITE), '')"),
    ("descriptors_always_little_endian", "FPH-BUF-2", "queues.py",
     "self.addr = int.from_bytes(data[0:8], order)",
     'order = "little"; self.addr = int.from_bytes(data[0:8], order)'),
    ("a_numbering_must_use_all_queues", "FPH-Q-2", "queues.py",
     "if enabled <= set(", "if enabled == set("),
    ("offered_counted_for_negotiated", "FPH-Q-1", "queues.py",
     'negotiated if numbering == "negotiated" else offered',
     'offered if numbering == "negotiated" else negotiated'),
)

PACKED = (
    ("id_of_the_first_descriptor", "FPH-PK-2", "packed.py",
     "        place, count, segs = self.avail, 0, []\n"
     "        d = self.load(place)\n",
     "        place, count, segs = self.avail, 0, []\n"
     "        first = d = self.load(place)\n",
     "return d.id, count, segs", "return first.id, count, segs"),
    ("one_slot_for_each_list", "FPH-PK-2", "packed.py",
     "self.used = self.step(self.used, count)",
     "self.used = self.step(self.used, 1)"),
    ("wrap_counter_stays", "FPH-PK-2", "packed.py",
     "return (slot - self.num, not wrap) if",
     "return (slot - self.num, wrap) if"),
    ("used_bit_alone", "FPH-PK-2", "packed.py",
     "there = bool(d.flags & AVAIL) == wrap != bool(d.flags & USED)",
     "there = bool(d.flags & USED) != wrap"),
    ("rest_of_a_list_not_looked_at", "FPH-PK-1", "packed.py",
     "            d = self.load(place)\n"
     '            need(d, "not made available with its list")     # PK-1\n',
     "            at = 16 * place[0]\n"
     "            d = Descriptor(self.ring[at:at + 16])\n"),
    ("rest_of_a_list_waited_for", "FPH-PK-1", "packed.py",
     '            need(d, "not made available with its list")     # PK-1\n',
     "            if not d:\n                return None\n"),
    ("written_in_a_packed_queue", "FPH-PK-3", "packed.py",
     "flags = AVAIL | USED if wrap else 0",
     "flags = (AVAIL | USED if wrap else 0) | WRITE"),
    ("packed_tables_have_flags", "FPH-PK-2", "packed.py",
     "        return [Descriptor(table[at:at + 16]).seg()\n"
     "                for at in range(0, len(table), 16)]",
     "        entries = [Descriptor(table[at:at + 16])\n"
     "                   for at in range(0, len(table), 16)]\n"
     "        need(not any(d.flags & INDIRECT for d in entries), '')\n"
     "        return [d.seg() for d in entries]"),
    ("packed_table_after_others", "FPH-Q-6J", "packed.py",
     "need(count == 1 and not d.flags & NEXT,", "need(not d.flags & NEXT,"),
    ("packed_table_longer_than_the_ring", "FPH-Q-6C", "packed.py",
     "need(len(table) // 16 <= self.num,", "need(True,"),
    ("used_twice_taken", "FPH-X6", "used_ring.py",
     "yield inflight.pop(number)", "yield inflight[number]"),
    ("used_index_unchecked", "FPH-X6", "used_ring.py",
     "if used_idx > len(heads):", "if False:"),
    ("used_id_of_16_bits", "FPH-X6", "used_ring.py",
     "    for number, _ in used[:used_idx]:\n",
     "    for number, _ in used[:used_idx]:\n        number &= 0xffff\n"),
    ("used_ids_unchecked", "FPH-X6", "used_ring.py",
     "        if number not in inflight:\n"
     '            raise DeviceError("not in flight")\n',
     "        if number not in inflight:\n            continue\n"),
    ("batch_has_the_id_of_its_first", "FPH-PK-2", "packed.py",
     "self.give_back(lists[-1][0],", "self.give_back(lists[0][0],"),
    ("batch_takes_one_slot_a_list", "FPH-PK-2", "packed.py",
     "        return self.give_back(lists[-1][0], sum(count for _, count in "
     "lists))",
     "        for number, _ in lists:\n"
     "            out = self.give_back(number, 1)\n"
     "        return out"),
    ("packed_batch_overtakes", "FPH-Q-11", "operations.py",
     "    turns = next((n for n in range(len(taken)) if n not in done), "
     "len(taken))\n",
     "    turns = max(done, default=-1) + 1\n"),
    ("batch_is_one_buffer", "FPH-Q-11A", "used_ring.py",
     "    count = inflight.index(number) + 1\n"
     "    batch = inflight[:count]\n"
     "    del inflight[:count]\n",
     "    batch = [number]\n    inflight.remove(number)\n"),
    ("batch_without_its_last", "FPH-Q-11A", "used_ring.py",
     "    return batch\n", "    return batch[:-1] or batch\n"),
    ("next_entry_after_a_batch", "FPH-Q-11A", "used_ring.py",
     "used.get(idx % num))\n", "used.get(at % num))\n        at += 1\n",
     "    while idx != used_idx:\n        batch",
     "    at = idx\n    while idx != used_idx:\n        batch"),
    ("next_slot_after_a_batch", "FPH-PK-2", "used_ring.py",
     "slot += sum(lists[n] for n in batch) ", "slot += lists[batch[-1]] "),
    ("lists_of_one_slot_come_back", "FPH-PK-2", "used_ring.py",
     "slot += sum(lists[n] for n in batch) ", "slot += len(batch) "),
    ("used_of_any_lap", "FPH-PK-2", "used_ring.py",
     "while inflight and slot in used and used[slot][1] == wrap:",
     "while inflight and slot in used:"),
    ("driver_wrap_counter_stays", "FPH-PK-2", "used_ring.py",
     "slot, wrap = slot - num, not wrap", "slot -= num"),
    ("poison_forbids_always", "FPH-P5", "poison.py",
     "poison_val) == 0", "1) == 0"),
)

NUMBERS = (
    ("half_a_field_read", "FPH-CFG-3", "config.py",
     "if at + 4 <= len(space) else None", "if at < len(space) else None"),
    ("last_field_left_out", "FPH-CFG-2", "config.py",
     "        if at + 4 <= size:", "        if at + 4 < size:"),
    ("config_always_16_bytes", "FPH-CFG-4", "config.py",
     "return 12 if has(offered, FREE_PAGE_HINT) else 8", "return 16"),
    ("num_pages_is_writable", "FPH-CFG-5", "config.py",
     'writable = {"actual"}', 'writable = {"actual", "num_pages"}'),
    ("actual_is_read_only", "FPH-CFG-1", "config.py",
     'writable = {"actual"}', "writable = set()"),
    ("poison_is_read_only", "FPH-R4", "config.py",
     'writable.add("poison_val")', "pass"),
    ("ids_begin_at_0", "FPH-D5A", "commands.py",
     "else max(command + 1, MIN)", "else command + 1"),
    ("touching_ranges_not_merged", "FPH-BUF-10", "ranges.py",
     "if runs and gpa <= runs[-1][1]:", "if runs and gpa < runs[-1][1]:"),
    ("inner_range_shortens", "FPH-BUF-9", "ranges.py",
     "runs[-1][1] = max(runs[-1][1], gpa + length)",
     "runs[-1][1] = gpa + length"),
    ("ranges_not_sorted", "FPH-BUF-9", "ranges.py",
     "for gpa, length in sorted(ranges):", "for gpa, length in ranges:"),
    ("end_rounded_up", "FPH-BUF-10", "ranges.py",
     "end = (gpa + length) // granule * granule",
     "end = -(-(gpa + length) // granule) * granule"),
    ("start_rounded_down", "FPH-BUF-10", "ranges.py",
     "start = -(-gpa // granule) * granule",
     "start = gpa // granule * granule"),
    ("only_the_first_byte_checked", "FPH-X3", "ranges.py",
     "return any(start <= gpa and gpa + length <= start + n",
     "return any(start <= gpa < start + n"),
    ("end_of_memory_refused", "FPH-D8", "ranges.py",
     "return any(start <= gpa and gpa + length <= start + n",
     "return any(start <= gpa and gpa + length < start + n"),
    ("range_over_a_border_refused", "FPH-D8 FPH-R6", "ranges.py",
     "for start, n in merge(self.regions))", "for start, n in self.regions)"),
    ("runs_over_a_border", "FPH-D8", "ranges.py",
     """        return [run for region in self.regions for run in coalesce(
            Memory([region]).split(merge(ranges)), granule)]""",
     "        return coalesce(ranges, granule)"),
    ("cut_after_rounding", "FPH-D8A FPH-R6A", "ranges.py",
     """        return [run for region in self.regions for run in coalesce(
            Memory([region]).split(merge(ranges)), granule)]""",
     "        return list(self.split(coalesce(ranges, granule)))"),
    ("backing_of_4_kib_pages", "FPH-PFN-15", "device.py",
     "self.inflate = report.Report(self.memory, granule)",
     "self.inflate = report.Report(self.memory, entries.PAGE)"),
    ("discards_over_a_border", "FPH-R6", "device.py",
     "return list(self.memory.split(given)),", "return given,"),
    ("frames_cut_to_32_bits", "FPH-PFN-1", "entries.py",
     "if any(gpa % PAGE or gpa // PAGE >> 32 for gpa in gpas):",
     "gpas = [gpa % (1 << 32) for gpa in gpas]\n    if False:"),
    ("stat_value_little_endian", "FPH-STAT-1", "entries.py",
     "int.from_bytes(e[2:], order))", 'int.from_bytes(e[2:], "little"))'),
    ("stat_tag_of_8_bits", "FPH-STAT-1", "entries.py",
     "(int.from_bytes(e[:2], order),", "(int.from_bytes(e[:2], order) & 255,"),
    ("poison_of_8_bits", "FPH-R4", "poison.py",
     "poison_val) == 0", "poison_val) & 255 == 0"),
)

ROUNDS = (
    ("publish_in_a_later_harvest", "FPH-D1", "hint_session.py",
     "if not self.harvested or self.harvesting:", "if not self.harvested:"),
    ("publish_before_any_harvest", "FPH-D1", "hint_session.py",
     "if not self.harvested or self.harvesting:", "if self.harvesting:"),
    ("publish_with_hints_in_flight", "FPH-D3", "hint_session.py",
     "        if self.held or self.waiting:\n"
     "            return \"busy\"\n", ""),
    ("publish_with_hints_that_wait", "FPH-D3", "hint_session.py",
     "if self.held or self.waiting:", "if self.held:"),
    ("taken_hints_survive_a_stop", "FPH-D3", "hint_session.py",
     "        self.drop()\n        if self.state in (REQ",
     "        if self.state in (REQ"),
    ("no_barrier_after_own_stop", "FPH-D3", "hint_session.py",
     "if self.state in (REQUESTED, ACTIVE, STOPPED):",
     "if self.state in (REQUESTED, ACTIVE):",
     "        if self.held:\n            return \"busy\"\n"
     "        if self.state == STOPPING:",
     "        if self.held and self.state == STOPPING:\n"
     "            return \"busy\"\n        if self.state == STOPPING:"),
    ("done_lost_while_stopping", "FPH-D9", "hint_session.py",
     "self.after_stopping = DONE", "self.after_stopping = IDLE"),
    ("no_done_without_a_round", "FPH-D9", "hint_session.py",
     """        else:
            self.state = DONE
        return self.drain()""",
     """        elif self.state != IDLE:
            self.state = DONE
        return self.drain()"""),
    ("stop_takes_done_back", "FPH-D9", "hint_session.py",
     """    def stop(self):
        self.end_round()""",
     """    def stop(self):
        self.state = IDLE if self.state == DONE else self.state
        self.end_round()"""),
    ("harvest_takes_done_back", "FPH-D9", "hint_session.py",
     """        self.end_round()
        result = self.drain()""",
     """        self.state = IDLE if self.state == DONE else self.state
        self.end_round()
        result = self.drain()"""),
    ("done_once_only", "FPH-D9", "hint_session.py",
     """    def done(self):
        self.end_round()
""", """    def done(self):
        self.end_round()
        if getattr(self, "was_done", False):
            return self.drain()
        self.was_done = True
"""),
    ("reset_leaves_done", "FPH-L1", "hint_session.py",
     """        self.clear()
        self.harvesting = harvesting""",
     """        state = self.state
        self.clear()
        self.state = DONE if state == DONE else IDLE
        self.harvesting = harvesting"""),
    ("reset_forgets_ids", "FPH-D5B", "hint_session.py",
     "if self.next_id is None:\n            self.next_id",
     "if True:\n            self.next_id"),
    ("any_smaller_id_begins", "FPH-D4A", "hint_session.py",
     "if self.state == REQUESTED and command == self.id:",
     "if self.state == REQUESTED and 2 <= command <= self.id:"),
    ("any_larger_id_begins", "FPH-D4A", "hint_session.py",
     "if self.state == REQUESTED and command == self.id:",
     "if self.state == REQUESTED and command >= self.id:"),
    ("id_compared_in_16_bits", "FPH-D4A", "hint_session.py",
     "if self.state == REQUESTED and command == self.id:",
     "if self.state == REQUESTED and command % 65536 == self.id % 65536:"),
    ("only_stop_ends", "FPH-D4D", "hint_session.py",
     "elif self.state == ACTIVE:",
     "elif self.state == ACTIVE and command == 0:"),
    ("only_stop_and_done_end", "FPH-D4D", "hint_session.py",
     "elif self.state == ACTIVE:",
     "elif self.state == ACTIVE and command < 2:"),
    ("done_does_not_end", "FPH-D4D", "hint_session.py",
     "elif self.state == ACTIVE:",
     "elif self.state == ACTIVE and command != 1:"),
    ("wrong_id_ends_the_request", "FPH-D4A", "hint_session.py",
     "elif self.state == ACTIVE:", "elif self.state in (ACTIVE, REQUESTED):"),
    ("hints_count_after_own_stop", "FPH-D4B", "hint_session.py",
     "if hints and self.state == ACTIVE:",
     "if hints and self.state in (ACTIVE, STOPPED):"),
    ("refused_hint_ends_the_stream", "FPH-BUF-8", "hint_session.py",
     "        self.returned.append(buffer)\n\n    def break_off",
     "        self.returned.append(buffer)\n"
     "        self.state = STOPPED\n\n    def break_off"),
    ("error_leaves_the_round", "FPH-Q-8A", "hint_session.py",
     """        self.broken = True
        self.end_round()
        self.drain()""", "        self.broken = True"),
    ("next_id_after_a_bad_command", "FPH-BUF-4B", "device.py",
     "            self.session.refuse_command(buffer)\n"
     "            self.broken = True\n",
     "            self.session.end_round()\n"
     "            self.session.drain()\n"
     "            self.session.refuse(buffer)\n"),
    ("granule_is_a_page", "FPH-D8", "hint_session.py",
     "for r in hints], self.granule)", "for r in hints], 4096)"),
    ("rounded_hint_by_hint", "FPH-BUF-10", "hint_session.py",
     "runs = self.memory.coalesce([r for _, hints in self.waiting\n"
     "                                     for r in hints], self.granule)",
     "runs = [run for _, hints in self.waiting for r in hints\n"
     "                for run in self.memory.coalesce([r], self.granule)]"),
)

DEVICE = (
    ("deflate_discards", "FPH-PFN-12", "device.py",
     "    def take_deflate(self, buffer, segs):\n"
     "        self.returned.append(buffer)",
     "    def take_deflate(self, buffer, segs):\n"
     "        self.take_inflate(buffer, segs)"),
    ("ring_error_leaves_the_round", "FPH-Q-8A", "device.py",
     "self.session.break_off()    # Q-8A", "pass"),
    ("next_id_after_a_ring_error", "FPH-Q-8A", "device.py",
     "self.session.break_off()    # Q-8A",
     "self.session.end_round()\n                self.session.drain()",
     '        if self.broken:\n            return "broken"\n'
     "        if not config.has(self.negotiated, config.FREE_PAGE_HINT)",
     "        if not config.has(self.negotiated, config.FREE_PAGE_HINT)"),
    ("ring_goes_on_after_an_error", "FPH-Q-6", "device.py",
     "                self.broken = True\n"
     "                self.session.break_off()    # Q-8A\n"
     "                return", "                return"),
    ("bad_buffer_is_returned", "FPH-Q-8B", "device.py",
     "                self.broken = True\n                self.session",
     "                self.inflight[buffer] = index\n"
     "                self.returned.append(buffer)\n"
     "                self.broken = True\n                self.session"),
    ("command_of_2_bytes", "FPH-BUF-4", "device.py",
     "not in (0, 4):\n            self.session.refuse_command(buffer)\n"
     "            self.broken = True\n            return",
     "not in (0, 4):\n            self.session.refuse(buffer)\n"
     "            return"),
    ("one_good_hint_is_enough", "FPH-BUF-8", "device.py",
     "not all(self.memory.holds(*h) for h in hints)",
     "hints and not any(self.memory.holds(*h) for h in hints)"),
    ("legacy_commands_big_endian", "FPH-BUF-2", "config.py",
     'else sys.byteorder', 'else "big"'),
    ("bad_frames_left_out", "FPH-PFN-2", "device.py",
     "        good = all(self.memory.holds(gpa, entries.PAGE) "
     "for gpa in gpas)",
     "        gpas = [gpa for gpa in gpas if\n"
     "                self.memory.holds(gpa, entries.PAGE)]\n"
     "        good = True"),
    ("first_descriptor_of_frames", "FPH-Q-10", "device.py",
     "        data = self.read(segs)\n        try:",
     "        data = self.read(segs[:1])\n        try:"),
    ("discards_with_poison", "FPH-R4", "device.py",
     "self.report.add(buffer, segs, discard)",
     "self.report.add(buffer, segs, True)"),
    ("one_good_range_is_enough", "FPH-R7", "report.py",
     "good = all(seg.writable", "good = any(seg.writable"),
    ("readable_reports_taken", "FPH-R7", "report.py",
     "good = all(seg.writable and self", "good = all(self"),
    ("one_report_returned", "FPH-R8", "report.py",
     "self.returned += self.held", "self.returned += self.held[:1]"),
    ("one_hint_returned", "FPH-D10", "hint_session.py",
     "self.returned += self.held\n", "self.returned += self.held[:1]\n"),
    ("interrupt_before_the_change", "FPH-CFG-7", "testee.py",
     "        if self.device.fields[\"cmd_id\"] != self.shown:",
     "        if self.device.changed:\n"
     "            self.device.changed = False\n"
     "            self.say(\"irq\")\n"
     "        if self.device.fields[\"cmd_id\"] != self.shown:"),
    ("done_of_a_request_untold", "FPH-CFG-7", "testee.py",
     "        return self.answer(self.device.session.done())",
     "        untold = self.device.session.state == \"REQUESTED\"\n"
     "        result = self.answer(self.device.session.done())\n"
     "        self.device.watch()\n"
     "        self.device.changed &= not untold\n"
     "        return result"),
    ("needs_reset_untold", "FPH-Q-7A", "testee.py",
     "            self.device.changed = True                      # Q-7A\n",
     "            pass\n"),
    ("used_twice", "FPH-D10", "testee.py",
     '            self.say("used %d 0" % buffer)\n',
     '            self.say("used %d 0" % buffer)\n' * 2),
    ("last_buffer_is_kept", "FPH-D10", "testee.py",
     "        for buffer in self.device.give_back():",
     "        for buffer in self.device.give_back()[:3]:"),
    ("fields_move_up", "FPH-CFG-2", "device.py",
     "space = config.encode(self.fields, config.size(self.offered))",
     "space = config.encode(self.fields, 16)\n"
     "        if not config.has(self.offered, config.FREE_PAGE_HINT):\n"
     "            space = space[:8] + space[12:]"),
)

DRIVER = (
    ("every_zero_is_stop", "FPH-V14", "driver.py",
     "hidden = self.shown == commands.STOP and not self.seen_again",
     "hidden = False"),
    ("no_zero_is_stop", "FPH-V3A", "driver.py",
     "hidden = self.shown == commands.STOP and not self.seen_again",
     "hidden = self.shown == commands.STOP"),
    ("id_seen_before_start_was_used", "FPH-V14", "driver.py",
     "if value == self.stream and self.start not in self.flight:",
     "if value == self.stream or True:"),
    ("seen_under_another_id", "FPH-V14", "driver.py",
     "        self.seen_again = False\n        self.sent_ids",
     "        self.sent_ids",
     "        if value == self.stream and self.start not in self.flight:",
     "        if value == commands.STOP and self.stream is None and "
     "self.sent_ids or (\n"
     "                value == self.stream and self.start not in "
     "self.flight):"),
    ("no_new_id_ends_a_stream", "FPH-V3", "driver.py",
     "while self.cursor and self.may_go_on():", "while self.cursor:"),
    ("long_reports", "FPH-R18", "driver.py",
     "BUFFER_BYTES = 1 << 32", "BUFFER_BYTES = 1 << 63"),
    ("never_reported_again", "FPH-R15", "driver.py",
     "    reset = clear   ",
     "    def reset(self):\n"
     "        out = [part[1:] for at, parts in self.flight.values()\n"
     '               if at == "report" for part in parts]\n'
     "        self.clear()\n"
     "        self.done_reports = out\n    #"),
    ("kept_content_hinted_without_reports", "FPH-V2A", "driver.py",
     "self.hints = hinted and not kept",
     "self.hints = hinted and not (kept and reported)"),
    ("kept_content_reported_without_hints", "FPH-P1", "driver.py",
     "self.reports = reported and not kept",
     "self.reports = reported and not (kept and hinted)"),
    ("kept_content_hinted_with_poison", "FPH-V2A", "driver.py",
     "self.hints = hinted and not kept",
     "self.hints = hinted and not (kept and not config.has(\n"
     "            negotiated, config.PAGE_POISON))"),
    ("no_room_for_stop", "FPH-V7", "driver.py",
     '            if self.room("hint") < 2:\n                return',
     '            if self.room("hint") < 1:\n                return',
     "        self.command(commands.STOP)",
     '        if not self.room("hint"):\n            return\n'
     "        self.command(commands.STOP)"),
    ("stop_overflows_the_ring", "FPH-V15", "driver.py",
     '            if self.room("hint") < 2:\n                return',
     '            if self.room("hint") < 1:\n                return'),
    ("two_stops", "FPH-V6", "driver.py",
     "        self.command(commands.STOP)                         # V6",
     "        self.command(commands.STOP)\n"
     "        self.command(commands.STOP)"),
    ("stop_only_before_the_next_start", "FPH-V6", "driver.py",
     "        self.command(commands.STOP)                         # V6\n",
     "        self.owed = True\n",
     "        self.start = self.command(wanted)\n",
     "        if getattr(self, 'owed', False):\n"
     "            self.command(commands.STOP)\n"
     "        self.owed = False\n"
     "        self.start = self.command(wanted)\n"),
    ("stream_ends_with_done", "FPH-V6", "driver.py",
     "self.command(commands.STOP) ", "self.command(commands.DONE) "),
    ("ids_are_not_remembered", "FPH-V4", "driver.py",
     "self.sent_ids.add(wanted)", "pass"),
    ("reports_in_flight_reported", "FPH-R1A", "driver.py",
     "        out = self.done_reports + [\n"
     "            part[1:] for at, parts in self.flight.values()\n"
     '            if at == "report" for part in parts]',
     "        out = self.done_reports",
     "            fresh = fresh[count:]",
     "            self.done_reports += fresh[:count - 1]\n"
     "            fresh = fresh[count:]"),
    ("report_overflows_the_ring", "FPH-R1", "driver.py",
     'count = min(REPORT_RANGES, self.room("report"))',
     "count = REPORT_RANGES"),
    ("one_report_at_a_time", "FPH-F5", "driver.py",
     'while fresh and self.room("report"):',
     'if fresh and self.room("report") == self.ring:'),
    ("used_is_not_remembered", "FPH-X6", "driver.py",
     "queue, parts = self.flight.pop(number)",
     "queue, parts = self.flight[number]"),
    ("command_of_8_bytes", "FPH-BUF-1", "driver.py",
     'commands.encode(value, "little"))])',
     'commands.encode(value, "little") + bytes(4))])'),
    ("command_after_a_hint", "FPH-BUF-11", "driver.py",
     'self.put("hint", [("W", *self.cursor.pop(0))])',
     'self.put("hint", [("W", *self.cursor.pop(0)),\n'
     '                              ("R", COMMANDS, bytes(4))])'),
    ("free_ranges_hinted_twice", "FPH-F3", "driver.py",
     "self.cursor = list(self.free)                       # V1",
     "self.cursor = list(self.free) * 2"),
    ("hints_after_the_id_was_withdrawn", "FPH-V4", "driver.py",
     "wanted = self.shown\n",
     "wanted = self.latest = max(self.shown, getattr(self, 'latest', 0))\n"),
    ("starts_with_the_next_id", "FPH-V4", "driver.py",
     "self.start = self.command(wanted)",
     "self.start = self.command(wanted + 1)"),
    ("readable_report", "FPH-R18", "driver.py",
     'self.put("report", [("W", *r) for r in fresh[:count]])',
     'self.put("report", [("R", 0, bytes(4))] + '
     '[("W", *r) for r in fresh[:count]])'),
    ("hints_in_a_full_round_lost", "FPH-V15", "driver.py",
     "                return                                      # V15",
     "                break"),
)

EDITS = {name: (rules, file, changes) for name, rules, file, *changes in
         (*RINGS, *PACKED, *NUMBERS, *ROUNDS, *DEVICE, *DRIVER)}


def load(name):
    """Imports the changed module in place of the one in the tree."""
    _, file, changes = EDITS[name]
    path = os.path.join(REFERENCE, file)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for old, new in zip(changes[::2], changes[1::2]):
        if text.count(old) != 1:
            sys.exit("%s: %s has this %d times: %s" % (
                name, file, text.count(old), old))
        text = text.replace(old, new)
    spec = importlib.util.spec_from_file_location(file[:-3], path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[file[:-3]] = module
    exec(compile(text, path, "exec"), module.__dict__)
