/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The coalescer, call by call. */
#include <stdlib.h>
#include <string.h>

#include "core/coalescer.h"
#include "core/common.h"

#include "runner.h"

#define LAST	(~(uint64_t)0)
#define NRANGES	8u

/* A coalescer with all of its bytes, to compare them before and after. */
struct fixture {
	struct fph_coalescer c;
	uint64_t memory[NRANGES * 12];
};

static void init(struct fixture *f, uint64_t granule)
{
	memset(f, 0xa5, sizeof(*f));
	ck_assert_int_eq(fph_coalescer_init(&f->c, f->memory,
					    sizeof(f->memory), NRANGES,
					    granule), FPH_OK);
}

static int try_add(struct fixture *f, uint64_t gpa, uint64_t len)
{
	struct fph_owned_range range = { gpa, len, 7 };

	return fph_coalescer_add(&f->c, &range, 1);
}

static void add(struct fixture *f, uint64_t gpa, uint64_t len)
{
	ck_assert_int_eq(try_add(f, gpa, len), 1);
}

static uint64_t next(struct fixture *f, uint64_t gpa, uint64_t len)
{
	struct fph_run run;
	uint32_t nempty;

	ck_assert_uint_eq(fph_coalescer_next(&f->c, &run, 1, &nempty), 1);
	ck_assert_uint_eq(run.len, len);
	ck_assert_uint_eq(run.gpa, gpa);
	ck_assert_uint_eq(nempty, !len);
	ck_assert_uint_eq(run.done, 0);
	ck_assert_uint_eq(run.freed, 0);
	ck_assert_uint_eq(run.outcome, FPH_OUTCOME_NONE);
	ck_assert_uint_eq(run.reason, FPH_SKIP_NONE);
	ck_assert_uint_eq(run.reserved, 0);
	return run.token;
}

static void none(struct fixture *f)
{
	struct fph_run run, same;
	struct fixture before;
	uint32_t nempty;

	memset(&run, 0x5a, sizeof(run));
	memset(&same, 0x5a, sizeof(same));
	memcpy(&before, f, sizeof(before));
	ck_assert_uint_eq(fph_coalescer_next(&f->c, &run, 1, &nempty), 0);
	ck_assert_uint_eq(nempty, 0);
	ck_assert_mem_eq(&run, &same, sizeof(run));
	ck_assert_mem_eq(&before, f, sizeof(before));
}

static void complete(struct fixture *f, uint64_t token, uint32_t nranges)
{
	struct fph_out_run *run = fph_coalescer_find(&f->c, token);

	ck_assert_ptr_nonnull(run);
	ck_assert_uint_eq(run->nranges, nranges);
	fph_coalescer_complete(&f->c, run);
	fph_coalescer_tidy(&f->c);
	ck_assert_ptr_null(fph_coalescer_find(&f->c, token));
}

/* ------------------------------------------------------------ one by one -- */

START_TEST(sizes)
{
	ck_assert_uint_eq(fph_coalescer_size(0), 0);
	ck_assert_uint_eq(fph_coalescer_size(FPH_COALESCER_MAX + 1), 0);
	ck_assert_uint_eq(fph_coalescer_size(~0u), 0);
	ck_assert_uint_eq(fph_coalescer_size(8), 8 * 96);
	if (sizeof(size_t) > 4)
		ck_assert_uint_ge(fph_coalescer_size(FPH_COALESCER_MAX),
				  (size_t)FPH_COALESCER_MAX * 96);
	else
		ck_assert_uint_eq(fph_coalescer_size(FPH_COALESCER_MAX), 0);
}
END_TEST

START_TEST(init_refused)
{
	static const uint64_t granules[] = { 0, 3, 6, 4095, LAST };
	uint64_t memory[NRANGES * 12];
	struct fph_coalescer c, before;
	size_t i;

	memset(&c, 0x5a, sizeof(c));
	memcpy(&before, &c, sizeof(c));
	ck_assert_int_eq(fph_coalescer_init(&c, NULL, sizeof(memory), 8, 1),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_coalescer_init(&c, (uint8_t *)memory + 4,
					    sizeof(memory), 4, 1), FPH_EINVAL);
	ck_assert_int_eq(fph_coalescer_init(&c, memory, sizeof(memory) - 1, 8,
					    1), FPH_EINVAL);
	ck_assert_int_eq(fph_coalescer_init(&c, memory, sizeof(memory), 9, 1),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_coalescer_init(&c, memory, sizeof(memory), 0, 1),
			 FPH_EINVAL);
	for (i = 0; i < sizeof(granules) / sizeof(granules[0]); i++)
		ck_assert_int_eq(fph_coalescer_init(&c, memory,
						    sizeof(memory), 8,
						    granules[i]), FPH_EINVAL);
	ck_assert_mem_eq(&before, &c, sizeof(c));
}
END_TEST

START_TEST(memory_is_untouched_until_used)
{
	struct fixture f;
	size_t i;

	init(&f, 1);
	for (i = 0; i < sizeof(f.memory) / sizeof(f.memory[0]); i++)
		ck_assert_uint_eq(f.memory[i], 0xa5a5a5a5a5a5a5a5);
}
END_TEST

START_TEST(add_refused)
{
	struct fixture f, before;
	uint64_t i;

	init(&f, 1);
	memcpy(&before, &f, sizeof(f));
	ck_assert_int_eq(fph_coalescer_add(&f.c, NULL, 0), FPH_EINVAL);
	ck_assert_int_eq(try_add(&f, 0, 0), FPH_EINVAL);
	ck_assert_int_eq(try_add(&f, LAST, 0), FPH_EINVAL);
	ck_assert_int_eq(try_add(&f, LAST, 2), FPH_EINVAL);
	ck_assert_int_eq(try_add(&f, 2, LAST), FPH_EINVAL);
	ck_assert_mem_eq(&before, &f, sizeof(f));
	for (i = 0; i < 8; i++) {
		ck_assert_uint_eq(fph_coalescer_get_room(&f.c), 8 - i);
		add(&f, i * 16, 8);
	}
	memcpy(&before, &f, sizeof(f));
	ck_assert_int_eq(try_add(&f, 1000, 1), FPH_EFULL);
	ck_assert_int_eq(try_add(&f, 1000, 0), FPH_EINVAL);
	ck_assert_mem_eq(&before, &f, sizeof(f));
}
END_TEST

START_TEST(add_of_many_stops_at_the_first_bad_one)
{
	static const struct fph_owned_range ranges[] = {
		{ 0x1000, 1, 1 }, { 0x2000, 1, 2 }, { 0x3000, 0, 3 },
		{ 0x4000, 1, 4 }, { 0x5000, 1, 5 }, { 0x6000, 1, 6 },
		{ 0x7000, 1, 7 }, { 0x8000, 1, 8 }, { 0x9000, 1, 9 },
		{ 0xa000, 1, 10 }
	};
	struct fixture f;

	init(&f, 1);
	ck_assert_int_eq(fph_coalescer_add(&f.c, ranges, 10), 2);
	ck_assert_int_eq(fph_coalescer_add(&f.c, ranges + 2, 8), FPH_EINVAL);
	/* As many as there is room for. */
	ck_assert_int_eq(fph_coalescer_add(&f.c, ranges + 3, 7), 6);
	ck_assert_int_eq(fph_coalescer_add(&f.c, ranges + 9, 1), FPH_EFULL);
	ck_assert_uint_eq(f.c.counters.added, 8);
	ck_assert_uint_eq(f.c.counters.added_bytes, 8);
}
END_TEST

START_TEST(neighbours_become_one)
{
	struct fixture f;
	uint64_t token;

	init(&f, 1);
	add(&f, 0x3000, 0x1000);
	add(&f, 0x1000, 0x1000);
	add(&f, 0x2000, 0x1000);
	add(&f, 0x1800, 0x1000);
	add(&f, 0x1000, 0x1000);
	add(&f, 0x5000, 1);
	token = next(&f, 0x1000, 0x3000);
	next(&f, 0x5000, 1);
	none(&f);
	complete(&f, token, 5);
	ck_assert_uint_eq(fph_coalescer_get_room(&f.c), 7);
}
END_TEST

START_TEST(a_small_range_inside_a_large_one)
{
	struct fixture f;

	init(&f, 1);
	add(&f, 0x1000, 0x8000);
	add(&f, 0x2000, 0x1000);
	add(&f, 0x9000, 0x1000);
	next(&f, 0x1000, 0x9000);
	none(&f);
}
END_TEST

START_TEST(zero_and_the_end_of_memory)
{
	struct fixture f;

	init(&f, 1);
	add(&f, LAST, 1);
	add(&f, 0, 1);
	next(&f, 0, 1);
	next(&f, LAST, 1);
	none(&f);
	add(&f, LAST - 0xfff, 0x1000);
	add(&f, LAST - 0x1fff, 0x1000);
	add(&f, LAST - 10, 5);
	next(&f, LAST - 0x1fff, 0x2000);
	none(&f);
}
END_TEST

START_TEST(all_of_memory)
{
	const struct fph_coalescer_counters *n;
	struct fixture f;

	init(&f, 4096);
	n = &f.c.counters;
	add(&f, 0, (uint64_t)1 << 63);
	add(&f, (uint64_t)1 << 63, (uint64_t)1 << 63);
	next(&f, 0, LAST - 4095);
	none(&f);
	ck_assert_uint_eq(n->trimmed_bytes, 4096);
	ck_assert_uint_eq(n->overlap_bytes, 0);
	ck_assert_uint_eq(n->run_bytes, LAST - 4095);

	init(&f, 1);
	add(&f, 0, LAST);
	add(&f, 1, LAST);
	next(&f, 0, LAST);
	none(&f);

	init(&f, (uint64_t)1 << 63);
	add(&f, 0, LAST);
	add(&f, 1, LAST);
	next(&f, 0, (uint64_t)1 << 63);
}
END_TEST

START_TEST(trim_inwards)
{
	static const struct {
		uint64_t gpa, len, granule, run_gpa, run_len;
	} t[] = {
		{ 0x1000, 0x1000, 0x1000, 0x1000, 0x1000 },
		{ 0x1001, 0x1000, 0x1000, 0x1001, 0 },
		{ 0x1001, 0xfff, 0x1000, 0x1001, 0 },
		{ 0x1001, 0x1fff, 0x1000, 0x2000, 0x1000 },
		{ 0x1001, 0x1ffe, 0x1000, 0x1001, 0 },
		{ 0x1fff, 0x1002, 0x1000, 0x2000, 0x1000 },
		{ 0x0, 0xfff, 0x1000, 0x0, 0 },
		{ 0x0, 0x1001, 0x1000, 0x0, 0x1000 },
		{ LAST - 0xfff, 0x1000, 0x1000, LAST - 0xfff, 0x1000 },
		{ LAST - 0xffe, 0xfff, 0x1000, LAST - 0xffe, 0 },
		{ LAST - 0x1ffe, 0x1fff, 0x1000, LAST - 0xfff, 0x1000 },
		{ LAST - 0x1fff, 0x1fff, 0x1000, LAST - 0x1fff, 0x1000 },
		{ LAST, 1, 2, LAST, 0 },
		{ LAST, 1, (uint64_t)1 << 63, LAST, 0 },
		{ (uint64_t)1 << 63, (uint64_t)1 << 63, (uint64_t)1 << 63,
		  (uint64_t)1 << 63, (uint64_t)1 << 63 },
		{ 1, LAST, (uint64_t)1 << 63,
		  (uint64_t)1 << 63, (uint64_t)1 << 63 },
	};
	struct fixture f;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		init(&f, t[i].granule);
		add(&f, t[i].gpa, t[i].len);
		next(&f, t[i].run_gpa, t[i].run_len);
		none(&f);
		ck_assert_uint_eq(f.c.counters.runs, 1);
		ck_assert_uint_eq(f.c.counters.run_bytes, t[i].run_len);
		ck_assert_uint_eq(f.c.counters.trimmed_bytes,
				  t[i].len - t[i].run_len);
	}
}
END_TEST

START_TEST(halves_complete_a_huge_page)
{
	struct fixture f;

	init(&f, 0x200000);
	add(&f, 0x300000, 0x100000);
	add(&f, 0x200000, 0x100000);
	next(&f, 0x200000, 0x200000);
	none(&f);
}
END_TEST

START_TEST(what_comes_late_waits)
{
	struct fixture f;

	init(&f, 1);
	add(&f, 0x1000, 0x1000);
	add(&f, 0x5000, 0x1000);
	next(&f, 0x1000, 0x1000);
	/* Would join the second one, but that one's set is closed. */
	add(&f, 0x4000, 0x1000);
	add(&f, 0x0, 0x1000);
	next(&f, 0x5000, 0x1000);
	next(&f, 0x0, 0x1000);
	next(&f, 0x4000, 0x1000);
	none(&f);
}
END_TEST

/*
 * Fault 6: a finished run completed a newer one with the same slot, address
 * and length, for its token had no serial number.
 */
START_TEST(a_token_is_never_used_again)
{
	uint64_t tokens[100];
	struct fixture f;
	int i, j;

	init(&f, 1);
	for (i = 0; i < 100; i++) {
		add(&f, 0x1000, 0x1000);
		tokens[i] = next(&f, 0x1000, 0x1000);
		for (j = 0; j < i; j++)
			ck_assert_ptr_null(fph_coalescer_find(&f.c,
							      tokens[j]));
		/* With and without another run that is out. */
		if (i == 50) {
			add(&f, 0x9000, 1);
			next(&f, 0x9000, 1);
		}
		complete(&f, tokens[i], 1);
	}
}
END_TEST

/* Nobody keeps a token for 2^36 runs, but 0 is none and must stay none. */
START_TEST(serials_begin_again)
{
	struct fixture f;
	uint64_t token;
	int i;

	init(&f, 1);
	f.c.serial = LAST << FPH_TOKEN_BITS << 2;
	for (i = 0; i < 8; i++) {
		add(&f, 0x1000, 0x1000);
		token = next(&f, 0x1000, 0x1000);
		ck_assert_uint_ge(token, (uint64_t)1 << FPH_TOKEN_BITS);
		complete(&f, token, 1);
	}
}
END_TEST

START_TEST(tokens_that_are_not_out)
{
	uint64_t token, i;
	struct fixture f;

	init(&f, 1);
	add(&f, 0x1000, 0x1000);
	add(&f, 0x8000, 0x1000);
	for (i = 0; i < 20; i++)
		ck_assert_ptr_null(fph_coalescer_find(&f.c, i));
	token = next(&f, 0x1000, 0x1000);
	for (i = 0; i < 8; i++) {
		/* No serial; another place; another serial. */
		ck_assert_ptr_null(fph_coalescer_find(&f.c, i));
		ck_assert_ptr_null(fph_coalescer_find(&f.c, token + 1 + i));
		ck_assert_ptr_null(fph_coalescer_find(&f.c, token +
			((i + 1) << FPH_TOKEN_BITS)));
	}
	ck_assert_ptr_null(fph_coalescer_find(&f.c, LAST));
	ck_assert_ptr_null(fph_coalescer_find(&f.c, ~token));
	complete(&f, token, 1);
}
END_TEST

START_TEST(reset_forgets)
{
	struct fixture f;
	uint64_t token;

	init(&f, 1);
	add(&f, 0x1000, 1);
	add(&f, 0x3000, 1);
	add(&f, 0x2000, 1);
	token = next(&f, 0x1000, 1);
	add(&f, 0x5000, 1);
	fph_coalescer_reset(&f.c);
	ck_assert_uint_eq(fph_coalescer_get_room(&f.c), 8);
	ck_assert_ptr_null(fph_coalescer_find(&f.c, token));
	none(&f);
	ck_assert_uint_eq(f.c.counters.added, 4);
	add(&f, 0x9000, 1);
	ck_assert_uint_ne(next(&f, 0x9000, 1), token);
	ck_assert_ptr_null(fph_coalescer_find(&f.c, token));
}
END_TEST

START_TEST(drop_takes_what_is_not_out)
{
	const struct fph_owned_range *waiting;
	struct fixture f;
	uint64_t token;
	uint32_t n;

	init(&f, 1);
	add(&f, 0x1000, 1);
	add(&f, 0x3000, 1);
	token = next(&f, 0x1000, 1);
	add(&f, 0x6000, 1);
	add(&f, 0x8000, 1);
	add(&f, 0x7000, 1);
	/* The closed set first, then the open one as added. */
	waiting = fph_coalescer_get_waiting(&f.c, &n);
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(waiting[0].gpa, 0x3000);
	ck_assert_uint_eq(waiting[1].gpa, 0x6000);
	ck_assert_uint_eq(waiting[2].gpa, 0x8000);
	ck_assert_uint_eq(waiting[3].gpa, 0x7000);
	fph_coalescer_drop(&f.c);
	none(&f);
	ck_assert_uint_eq(fph_coalescer_get_room(&f.c), 7);
	add(&f, 0x9000, 1);
	next(&f, 0x9000, 1);
	complete(&f, token, 1);
	/* With nothing out everything begins again. */
	add(&f, 0x9000, 1);
	fph_coalescer_drop(&f.c);
	ck_assert_uint_eq(fph_coalescer_get_room(&f.c), 7);
}
END_TEST

/*
 * One slow run at the front, and others that come and go: it keeps its own
 * range and nobody else's room, however long that goes on.
 */
START_TEST(a_slow_run_keeps_no_room)
{
	struct fixture f;
	uint64_t slow, token;
	uint32_t i, n;

	for (n = 1; n < NRANGES; n++) {
		init(&f, 1);
		add(&f, 0x100000, 0x1000);
		slow = next(&f, 0x100000, 0x1000);
		for (i = 0; i < 100; i++) {
			uint32_t k;

			/* Out of order, so that they move once more. */
			for (k = 0; k < n; k++)
				add(&f, 0x1000 * (uint64_t)((k * 5 + i) % 8),
				    0x1000);
			ck_assert_uint_eq(fph_coalescer_get_room(&f.c),
					  NRANGES - 1 - n);
			while (fph_coalescer_get_room(&f.c) < NRANGES - 1) {
				struct fph_run run;
				uint32_t nempty;

				ck_assert_uint_eq(fph_coalescer_next(&f.c,
						&run, 1, &nempty), 1);
				token = run.token;
				ck_assert_uint_ge(run.len, 0x1000);
				fph_coalescer_complete(&f.c,
					fph_coalescer_find(&f.c, token));
			}
		}
		complete(&f, slow, 1);
		ck_assert_uint_eq(fph_coalescer_get_room(&f.c), NRANGES);
	}
}
END_TEST

START_TEST(shifts_and_widths)
{
	uint32_t n;

	ck_assert_uint_eq(fph_bit_width(0), 0);
	for (n = 0; n < 64; n++) {
		uint64_t v = (uint64_t)1 << n;

		ck_assert_uint_eq(fph_shl64(1, n), v);
		ck_assert_uint_eq(fph_shr64(v, n), 1);
		ck_assert_uint_eq(fph_shr64(LAST, n), LAST >> n);
		ck_assert_uint_eq(fph_shl64(LAST, n), LAST << n);
		ck_assert_uint_eq(fph_bit_width(v), n + 1);
		ck_assert_uint_eq(fph_bit_width(v | (v - 1)), n + 1);
	}
}
END_TEST

RUNNER_SUITE("range",
	     sizes,
	     init_refused,
	     memory_is_untouched_until_used,
	     add_refused,
	     add_of_many_stops_at_the_first_bad_one,
	     neighbours_become_one,
	     a_small_range_inside_a_large_one,
	     zero_and_the_end_of_memory,
	     all_of_memory,
	     trim_inwards,
	     halves_complete_a_huge_page,
	     what_comes_late_waits,
	     a_token_is_never_used_again,
	     serials_begin_again,
	     tokens_that_are_not_out,
	     reset_forgets,
	     drop_takes_what_is_not_out,
	     a_slow_run_keeps_no_room,
	     shifts_and_widths)
