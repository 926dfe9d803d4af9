/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The hinter in whole rounds: commands, room in the ring, chunks.
 */
#include "hinter_fixture.h"

/* -------------------------------------------------------------- commands -- */

START_TEST(bytes_of_commands)
{
	static const struct {
		uint32_t endian;
		uint32_t id;
		uint8_t bytes[4];
	} t[] = {
		{ FPH_LE, 2, { 2, 0, 0, 0 } },
		{ FPH_LE, 0x80000001, { 1, 0, 0, 0x80 } },
		{ FPH_BE, 0x80000001, { 0x80, 0, 0, 1 } },
		{ FPH_BE, 0x01020304, { 1, 2, 3, 4 } }
	};
	static const uint8_t zeros[4];
	struct fph_buffer start, stop;
	struct fph_hinter_params p;
	struct fixture f;
	struct fph_seg seg;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		p = fixture_params(HOLD);
		p.endian = t[i].endian;
		fixture_init_with(&f, &p);
		fixture_read(&f, t[i].id);
		ck_assert_int_eq(fixture_submit(&f, 2, &seg, 1, &start),
				 1);
		ck_assert_uint_eq(start.flags, START);
		ck_assert_uint_eq(start.nread, 1);
		ck_assert_uint_eq(start.nwrite, 0);
		ck_assert_mem_eq(start.command, t[i].bytes, 4);
		fixture_end(&f);
		ck_assert_int_eq(fixture_submit(&f, 1, &seg, 1, &stop),
				 1);
		ck_assert_uint_eq(stop.flags, STOP);
		ck_assert_uint_ne(stop.index, start.index);
		ck_assert_uint_lt(stop.index, NCOMMANDS);
		ck_assert_mem_eq(stop.command, zeros, 4);
		fixture_expect_state(&f, FPH_HINTER_IDLE);
	}
}
END_TEST

START_TEST(a_command_buffer_is_not_reused_before_it_was_used)
{
	struct fixture f;
	uint64_t first_start, first_stop, start, stop;

	/* Four buffers: two rounds whose commands the device does not use. */
	fixture_init(&f, HOLD);
	fixture_read(&f, 2);
	first_start = fixture_send(&f, START, 2);
	fixture_read(&f, 3);
	first_stop = fixture_send(&f, STOP, 2);
	start = fixture_send(&f, START, 3);
	fixture_read(&f, 4);
	stop = fixture_send(&f, STOP, 3);
	fixture_send_none(&f, 8);
	fixture_expect_state(&f, FPH_HINTER_WANTED);
	/* One is not enough: the STOP of that round needs another. */
	fixture_use(&f, stop);
	fixture_send_none(&f, 8);
	fixture_use(&f, first_start);
	fixture_send(&f, START, 4);
	fixture_use(&f, first_stop);
	fixture_use(&f, start);
	ck_assert_uint_eq(fixture_counters(&f).rounds, 3);
	ck_assert_uint_eq(fixture_counters(&f).stops, 2);
}
END_TEST

START_TEST(one_start_for_an_id)
{
	struct fixture f;

	fixture_begin(&f, HOLD, 7);
	fixture_read(&f, 7);
	fixture_send_none(&f, 8);
	fixture_end(&f);
	fixture_use(&f, fixture_send(&f, STOP, 7));
	fixture_read(&f, 7);
	fixture_expect_state(&f, FPH_HINTER_IDLE);
	fixture_read(&f, 0);
	fixture_read(&f, 7);
	fixture_expect_state(&f, FPH_HINTER_IDLE);
	fixture_send_none(&f, 8);
	fixture_read(&f, 8);
	fixture_send(&f, START, 8);
	/* After a reset the device's ids begin anew. */
	ck_assert_int_eq(fph_hinter_reset(f.h), FPH_OK);
	fixture_read(&f, 8);
	fixture_send(&f, START, 8);
}
END_TEST

START_TEST(an_id_that_is_declined)
{
	struct fixture f;

	fixture_init(&f, HOLD);
	fixture_read(&f, 5);
	ck_assert_int_eq(fph_hinter_stop(f.h), FPH_OK);
	fixture_read(&f, 5);
	fixture_send_none(&f, 8);
	/* Declined while the STOP of another one is due. */
	fixture_read(&f, 6);
	fixture_send(&f, START, 6);
	fixture_read(&f, 7);
	ck_assert_int_eq(fph_hinter_stop(f.h), FPH_OK);
	fixture_read(&f, 6);
	fixture_expect_state(&f, FPH_HINTER_STOPPING);
	fixture_send(&f, STOP, 6);
	fixture_expect_state(&f, FPH_HINTER_IDLE);
	fixture_read(&f, 7);
	fixture_expect_state(&f, FPH_HINTER_IDLE);
	fixture_read(&f, 8);
	fixture_expect_state(&f, FPH_HINTER_WANTED);
}
END_TEST

/* ------------------------------------------------------------------ room -- */

START_TEST(a_slot_is_kept_for_stop)
{
	struct fixture f;

	fixture_init(&f, HOLD);
	fixture_read(&f, 2);
	fixture_send_none(&f, 0);
	fixture_send_none(&f, 1);
	fixture_send(&f, START, 2);
	fixture_add(&f, 1);
	fixture_end(&f);
	fixture_send_none(&f, 1);
	fixture_send(&f, HINT, 2);
	fixture_send_none(&f, 0);
	fixture_send(&f, STOP, 2);
}
END_TEST

START_TEST(segments_and_ring_slots)
{
	struct fph_hinter_params p;
	struct fph_buffer buffer;
	struct fph_seg segs[8];
	struct fixture f;
	uint32_t i, indirect;

	for (indirect = 0; indirect < 2; indirect++) {
		p = fixture_params(HOLD);
		p.flags = FPH_HINTER_NO_MERGE;
		if (indirect)
			p.flags |= FPH_HINTER_INDIRECT;
		p.max_segs = 6;
		fixture_init_with(&f, &p);
		fixture_read(&f, 2);
		fixture_send(&f, START, 2);
		for (i = 0; i < 8; i++)
			fixture_add(&f, i);
		ck_assert_int_eq(fixture_submit(&f, 4, segs, 8, &buffer),
				 1);
		ck_assert_uint_eq(buffer.nwrite, indirect ? 6 : 3);
		for (i = 0; i < buffer.nwrite; i++) {
			ck_assert_uint_eq(segs[i].gpa, i * PAGE);
			ck_assert_uint_eq(segs[i].len, PAGE);
			ck_assert_uint_eq(segs[i].flags, FPH_SEG_WRITE);
		}
		ck_assert_uint_eq(fixture_counters(&f).segs, buffer.nwrite);
		ck_assert_uint_eq(fixture_amounts(&f).outstanding.ranges,
				  buffer.nwrite);
	}
}
END_TEST

/* The first buffer of a call is cut to nsegs, a later one waits. */
START_TEST(short_of_segments)
{
	struct fph_hinter_params p = fixture_params(HOLD);
	struct fph_buffer buffer[4];
	struct fph_seg segs[8];
	struct fixture f;
	uint32_t i;

	p.flags = FPH_HINTER_NO_MERGE;
	p.max_segs = 3;
	fixture_init_with(&f, &p);
	fixture_read(&f, 2);
	fixture_send(&f, START, 2);
	for (i = 0; i < 8; i++)
		fixture_add(&f, i);
	ck_assert_int_eq(fph_hinter_submit(f.h, 20, buffer, 4, segs, 2), 1);
	ck_assert_uint_eq(buffer[0].nwrite, 2);
	ck_assert_int_eq(fph_hinter_submit(f.h, 20, buffer, 4, segs, 5), 1);
	ck_assert_uint_eq(buffer[0].nwrite, 3);
	ck_assert_uint_eq(segs[2].gpa, 4 * PAGE);
}
END_TEST

START_TEST(merged_when_asked_to)
{
	struct fph_buffer buffer;
	struct fph_seg segs[8];
	struct fixture f;

	fixture_begin(&f, HOLD, 2);
	fixture_add(&f, 3);
	fixture_add(&f, 1);
	fixture_add(&f, 2);
	/* One run is not a full buffer of two: it waits for more. */
	fixture_send_none(&f, 8);
	fixture_add(&f, 6);
	ck_assert_int_eq(fixture_submit(&f, 8, segs, 8, &buffer), 1);
	ck_assert_uint_eq(buffer.nwrite, 2);
	ck_assert_uint_eq(segs[0].gpa, PAGE);
	ck_assert_uint_eq(segs[0].len, 3 * PAGE);
	ck_assert_uint_eq(segs[1].gpa, 6 * PAGE);
	ck_assert_uint_eq(fixture_counters(&f).hints, 1);
	ck_assert_uint_eq(fixture_counters(&f).ranges, 4);
	ck_assert_uint_eq(fixture_counters(&f).bytes, 4 * PAGE);
}
END_TEST

/* A whole guest in chunks: stop when full, flush, resume. */
START_TEST(chunks)
{
	struct fph_returned out;
	struct fixture f;
	uint64_t out_cookies[NBATCHES];
	uint32_t cursor = 0, sent = 0, nout = 0, id, i;
	struct fph_buffer buffer;
	struct fph_seg segs[MAX_SEGS];
	bool seen[100] = { false };

	fixture_begin(&f, UNTIL_USED, 9);
	while ((id = fph_hinter_get_id(f.h)) != 0) {
		/* The allocator is locked here. */
		while (cursor < 100 &&
		       fixture_add_range(&f, id, (uint64_t)cursor * 2 * PAGE,
				      PAGE, cursor) == FPH_OK)
			cursor++;
		if (cursor == 100)
			fixture_end(&f);
		fixture_flush(&f);
		while (fixture_submit(&f, 64, segs, MAX_SEGS,
					 &buffer) == 1) {
			if (buffer.flags == HINT)
				out_cookies[nout++] = buffer.cookie;
			sent += buffer.nwrite;
		}
		/* The ring is full: nothing is dropped, it waits. */
		for (i = 0; i < nout; i++)
			fixture_use(&f, out_cookies[i]);
		nout = 0;
		while (fph_hinter_take_back(f.h, &out, 1) == 1) {
			ck_assert(out.used);
			ck_assert(!seen[out.owner]);
			seen[out.owner] = true;
		}
		fixture_read(&f, 9);
	}
	while (fixture_submit(&f, 64, segs, MAX_SEGS, &buffer) == 1) {
		sent += buffer.nwrite;
		fixture_use(&f, buffer.cookie);
	}
	ck_assert_uint_eq(buffer.flags, STOP);
	ck_assert_uint_eq(sent, 100);
	while (fph_hinter_take_back(f.h, &out, 1) == 1)
		seen[out.owner] = true;
	for (i = 0; i < 100; i++)
		ck_assert(seen[i]);
	ck_assert_uint_eq(fixture_counters(&f).returned, 100);
	ck_assert_uint_eq(fixture_amounts(&f).held.ranges, 0);
	fixture_expect_state(&f, FPH_HINTER_IDLE);
}
END_TEST

START_TEST(pressure_uses_the_free_ring)
{
	struct fixture f;
	uint64_t cookie;
	uint32_t i;

	fixture_begin(&f, NEVER, 2);
	fixture_add(&f, 0);
	fixture_send_none(&f, 8);
	fixture_flush(&f);
	fixture_add(&f, 2);
	fixture_add(&f, 4);
	cookie = fixture_send(&f, HINT, 2);
	/* What came later makes no full buffer, and is not urgent. */
	fixture_send_none(&f, 8);
	for (i = 3; i < 7; i++)
		fixture_add(&f, 2 * i);
	fixture_flush(&f);
	fixture_send(&f, HINT, 2);
	fixture_send(&f, HINT, 2);
	fixture_send_none(&f, 8);
	fixture_use(&f, cookie);
	fixture_send(&f, HINT, 2);
	ck_assert_uint_eq(fixture_amounts(&f).waiting.ranges, 0);
	ck_assert_uint_eq(fixture_amounts(&f).buffers, 3);
	ck_assert_uint_eq(fixture_amounts(&f).held.ranges, 0);
}
END_TEST

RUNNER_SUITE("hinter",
	     bytes_of_commands,
	     a_command_buffer_is_not_reused_before_it_was_used,
	     one_start_for_an_id,
	     an_id_that_is_declined,
	     a_slot_is_kept_for_stop,
	     segments_and_ring_slots,
	     short_of_segments,
	     merged_when_asked_to,
	     chunks,
	     pressure_uses_the_free_ring)
