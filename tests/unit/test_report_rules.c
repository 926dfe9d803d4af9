/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What reports promise, one by one. */
#include <stdlib.h>

#include "report_fixture.h"
#include "runner.h"

static const struct fph_seg end_of_memory[] = {
	{ ~(uint64_t)0 - 0xfff, 0x1000, FPH_SEG_WRITE }
};

/* ------------------------------------------------------------------ init -- */

START_TEST(init_refused)
{
	static const struct fph_report_params bad[] = {
		{ .size = 0 },
		{ .size = 3 },
		{ .size = sizeof(params), .max_ranges = (1u << 28) + 1 },
		{ .size = sizeof(params), .max_buffers = 0x80000000u },
		{ .size = sizeof(params), .max_ranges = 8, .granule = 48 },
		{ .size = sizeof(params), .max_ranges = 8,
		  .queue = FPH_NQUEUES }
	};
	struct fph_report *r = (void *)&params;
	struct fixture f, before;
	size_t size = fph_report_size(&params), i;

	memset(&f, 0x5a, sizeof(f));
	memcpy(&before, &f, sizeof(f));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_uint_eq(fph_report_size(&bad[i]), 0);
		ck_assert_int_eq(fph_report_init(&r, f.memory,
						 sizeof(f.memory), &bad[i]),
				 FPH_EINVAL);
	}
	/* Each pointer may be NULL: fault 12 was a crash. */
	ck_assert_uint_eq(fph_report_size(NULL), 0);
	ck_assert_int_eq(fph_report_init(NULL, f.memory, sizeof(f.memory),
					 &params), FPH_EINVAL);
	ck_assert_int_eq(fph_report_init(&r, NULL, sizeof(f.memory), &params),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_report_init(&r, f.memory, sizeof(f.memory), NULL),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_report_init(NULL, NULL, 0, NULL), FPH_EINVAL);
	/* Too small, and not aligned. */
	ck_assert_int_eq(fph_report_init(&r, f.memory, size - 1, &params),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_report_init(&r, (uint8_t *)f.memory + 4, size,
					 &params), FPH_EINVAL);
	ck_assert_ptr_eq(r, (void *)&params);
	ck_assert_mem_eq(&before, &f, sizeof(f));
	ck_assert_int_eq(fph_report_init(&r, f.memory, size, &params), FPH_OK);
	ck_assert_ptr_eq(r, f.memory);
}
END_TEST

START_TEST(params_of_other_versions)
{
	struct { struct fph_report_params p; uint64_t later; } longer;
	struct fph_report_params shorter = { 0 };
	struct fixture f;

	memset(&longer, 0, sizeof(longer));
	longer.p = params;
	longer.p.size = sizeof(longer);
	ck_assert_uint_eq(fph_report_size(&longer.p),
			  fph_report_size(&params));
	ck_assert_int_eq(fph_report_init(&f.r, f.memory, sizeof(f.memory),
					 &longer.p), FPH_OK);
	/* Something that this version does not know. */
	longer.later = 1;
	ck_assert_uint_eq(fph_report_size(&longer.p), 0);
	ck_assert_int_eq(fph_report_init(&f.r, f.memory, sizeof(f.memory),
					 &longer.p), FPH_EINVAL);
	/* What is missing is the default. */
	shorter = params;
	shorter.size = offsetof(struct fph_report_params, granule);
	shorter.granule = 3;
	ck_assert_uint_eq(fph_report_size(&shorter),
			  fph_report_size(&params));
}
END_TEST

START_TEST(the_macro_is_enough)
{
	static const uint32_t numbers[] = {
		1, 2, 8, 63, 64, 65, 128, 1023, 1024, 1025, 4096, 65536,
		1000000
	};
	struct fph_report_params p = { .size = sizeof(p) };
	size_t i, k, n = sizeof(numbers) / sizeof(numbers[0]);

	/* 4096 and 128 are the default. */
	ck_assert_uint_ge(FPH_REPORT_SIZE(4096, 128), fph_report_size(&p));
	ck_assert_uint_gt(fph_report_size(&p), 0);
	for (i = 0; i < n; i++) {
		for (k = 0; k < n; k++) {
			p.max_ranges = numbers[i];
			p.max_buffers = numbers[k];
			ck_assert_uint_ge(FPH_REPORT_SIZE(numbers[i],
							  numbers[k]),
					  fph_report_size(&p));
			ck_assert_uint_gt(fph_report_size(&p), 0);
		}
	}
}
END_TEST

static void check_uninit(struct fph_report *r)
{
	struct fph_buffer b = { .cookie = 1, .nwrite = 1 };
	struct fph_report_counters n;
	struct fph_run run = { 0 };
	struct fph_used used;
	uint32_t buffers = 1, segs = 1;

	ck_assert_int_eq(fph_report_reset(r), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_set_poison(r, true, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_add(r, &b, 1, good), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_next(r, &run, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_complete(r, &run, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_take_used(r, &used, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_get_counters(r, &n, sizeof(n)),
			 FPH_EUNINIT);
	ck_assert_uint_eq(fph_report_get_outstanding(r), 0);
	fph_report_get_room(r, &buffers, &segs);
	ck_assert_uint_eq(buffers, 0);
	ck_assert_uint_eq(segs, 0);
}

START_TEST(not_initialised)
{
	uint64_t memory[MEMORY_SIZE / 8], zero[MEMORY_SIZE / 8];

	memset(memory, 0, sizeof(memory));
	memset(zero, 0, sizeof(zero));
	check_uninit((void *)memory);
	ck_assert_mem_eq(memory, zero, sizeof(memory));
	check_uninit(NULL);
}
END_TEST

START_TEST(counters_of_other_versions)
{
	struct { struct fph_report_counters n; uint64_t later; } more;
	struct fph_report_counters n;
	struct fixture f;

	init(&f);
	ck_assert_int_eq(add(&f, 1, good, 3), 1);
	ck_assert_int_eq(refuse(&f, 2), 1);
	memset(&n, 0x5a, sizeof(n));
	ck_assert_int_eq(fph_report_get_counters(f.r, &n, 24), FPH_OK);
	ck_assert_uint_eq(n.buffers, 2);
	ck_assert_uint_eq(n.returned, 0);
	ck_assert_uint_eq(n.refused, 1);
	ck_assert_uint_eq(n.peer_errors, 0x5a5a5a5a5a5a5a5a);
	memset(&more, 0x5a, sizeof(more));
	ck_assert_int_eq(fph_report_get_counters(f.r, &more.n, sizeof(more)),
			 FPH_OK);
	ck_assert_uint_eq(more.n.ranges, 3);
	ck_assert_uint_eq(more.later, 0);
	ck_assert_int_eq(fph_report_get_counters(f.r, NULL, sizeof(n)),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_report_get_counters(f.r, &n, 0), FPH_EINVAL);
}
END_TEST

/* --------------------------------------------------------------- buffers -- */

START_TEST(runs_of_many_buffers)
{
	struct fixture f;
	struct fph_run a, b;

	init(&f);
	/* Buffer 1: 10, 11, 20.  Buffer 2 joins 12 to the first of them. */
	ck_assert_int_eq(add(&f, 1, good, 3), 1);
	ck_assert_int_eq(add(&f, 2, (struct fph_seg[]){
		{ 0x12000, 0x1000, FPH_SEG_WRITE } }, 1), 1);
	next(&f, &a, 0x10000, 0x3000);
	next(&f, &b, 0x20000, 0x1000);
	none(&f);
	ck_assert_uint_eq(fph_report_get_outstanding(f.r), 2);
	expect_no_used(&f);
	expect_sum(&f, 0x4000);
	/* The failed run is in both, the good one in the first alone. */
	ck_assert_int_eq(complete(&f, a, FPH_OUTCOME_FAILED, 0), 1);
	expect_used(&f, 2, FPH_OUTCOME_FAILED, 0, 0);
	expect_no_used(&f);
	ck_assert_int_eq(complete(&f, a, FPH_OUTCOME_DISCARDED, 0x3000),
			 FPH_EINVAL);
	ck_assert_int_eq(complete(&f, b, FPH_OUTCOME_DISCARDED, 0x1000), 1);
	expect_used(&f, 1, FPH_OUTCOME_FAILED, 0, 0x1000);
	expect_no_used(&f);
	ck_assert_uint_eq(fph_report_get_outstanding(f.r), 0);
	ck_assert_uint_eq(counters(&f).bytes_offered, 0x4000);
	ck_assert_uint_eq(counters(&f).bytes_freed, 0x1000);
	ck_assert_uint_eq(counters(&f).bytes_failed, 0x3000);
	ck_assert_uint_eq(counters(&f).failed_runs, 1);
	ck_assert_uint_eq(counters(&f).runs, 2);
	ck_assert_uint_eq(counters(&f).buffers, 2);
	ck_assert_uint_eq(counters(&f).returned, 2);
	expect_sum(&f, 0);
}
END_TEST

START_TEST(many_in_one_call)
{
	static const struct fph_buffer buffers[] = {
		{ .cookie = 1, .nwrite = 3 },
		{ .cookie = 2, .nread = 1, .nwrite = 1 },
		{ .cookie = 3, .nwrite = 2 }
	};
	static const struct fph_seg segs[] = {
		{ 0x10000, 0x1000, FPH_SEG_WRITE },
		{ 0x30000, 0x1000, FPH_SEG_WRITE },
		{ 0x50000, 0x1000, FPH_SEG_WRITE },
		{ 0x99000, 0x1000, 0 },
		{ 0x98000, 0x1000, FPH_SEG_WRITE },
		{ 0x40000, 0x1000, FPH_SEG_WRITE },
		{ 0x70000, 0x1000, FPH_SEG_WRITE }
	};
	static const uint64_t ascending[] = {
		0x10000, 0x30000, 0x40000, 0x50000, 0x70000
	};
	struct fph_used used[4];
	struct fph_run runs[8];
	struct fixture f;
	uint32_t i;

	init(&f);
	ck_assert_int_eq(fph_report_add(f.r, buffers, 3, segs), 3);
	expect_room(&f, 1, 3);
	ck_assert_int_eq(fph_report_next(f.r, runs, 8), 5);
	for (i = 0; i < 5; i++) {
		ck_assert_uint_eq(runs[i].gpa, ascending[i]);
		runs[i].outcome = FPH_OUTCOME_DISCARDED;
		runs[i].freed = 0x1000;
	}
	runs[1].outcome = FPH_OUTCOME_FAILED;
	runs[1].freed = 0;
	/* One that is bad stops it there. */
	runs[3].outcome = FPH_OUTCOME_NONE;
	ck_assert_int_eq(fph_report_complete(f.r, runs, 5), 3);
	ck_assert_int_eq(fph_report_complete(f.r, runs + 3, 2), FPH_EINVAL);
	ck_assert_uint_eq(fph_report_get_outstanding(f.r), 2);
	runs[3].outcome = FPH_OUTCOME_LAZY;
	runs[3].freed = 0;
	ck_assert_int_eq(fph_report_complete(f.r, runs + 3, 2), 2);
	ck_assert_int_eq(fph_report_take_used(f.r, used, 4), 3);
	ck_assert_uint_eq(used[0].cookie, 2);
	ck_assert_uint_eq(used[0].outcome, FPH_OUTCOME_REFUSED);
	ck_assert_uint_eq(used[1].cookie, 1);
	ck_assert_uint_eq(used[1].outcome, FPH_OUTCOME_FAILED);
	ck_assert_uint_eq(used[1].freed, 0x1000);
	ck_assert_uint_eq(used[2].cookie, 3);
	ck_assert_uint_eq(used[2].outcome, FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(used[2].freed, 0x2000);
	expect_sum(&f, 0);
	ck_assert_uint_eq(counters(&f).bytes_lazy, 0x1000);
	ck_assert_uint_eq(counters(&f).bytes_failed, 0x1000);
	ck_assert_uint_eq(counters(&f).failed_runs, 1);
	expect_room(&f, NBUFFERS, NRANGES);
	/* Nothing is not a batch. */
	ck_assert_int_eq(fph_report_add(f.r, buffers, 0, segs), FPH_EINVAL);
	ck_assert_int_eq(fph_report_next(f.r, runs, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_report_complete(f.r, runs, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_report_take_used(f.r, used, 0), FPH_EINVAL);
}
END_TEST

/* Fault 8: what was trimmed to nothing came back as done. */
START_TEST(trimmed_to_nothing_is_not_done)
{
	struct fixture f;

	init(&f);
	ck_assert_int_eq(add(&f, 9, (struct fph_seg[]){
		{ 0x1800, 0x1000, FPH_SEG_WRITE },
		{ 0x5000, 0x100, FPH_SEG_WRITE } }, 2), 1);
	expect_no_used(&f);
	none(&f);
	ck_assert_uint_eq(fph_report_get_outstanding(f.r), 0);
	expect_used(&f, 9, FPH_OUTCOME_TRIMMED, 0, 0);
	ck_assert_uint_eq(counters(&f).bytes_trimmed, 0x1100);
	ck_assert_uint_eq(counters(&f).runs, 0);
	expect_room(&f, NBUFFERS, NRANGES);
	/* A crumb before a whole run. */
	ck_assert_int_eq(add(&f, 10, (struct fph_seg[]){
		{ 0x1800, 0x100, FPH_SEG_WRITE },
		{ 0x5000, 0x1000, FPH_SEG_WRITE },
		{ 0x5000, 0x1000, FPH_SEG_WRITE } }, 3), 1);
	next(&f, &f.run, 0x5000, 0x1000);
	expect_no_used(&f);
	ck_assert_int_eq(complete(&f, f.run, FPH_OUTCOME_DISCARDED, 0x1000),
			 1);
	expect_used(&f, 10, FPH_OUTCOME_TRIMMED, 0, 0x1000);
	ck_assert_uint_eq(counters(&f).bytes_trimmed, 0x1200);
	ck_assert_uint_eq(counters(&f).bytes_overlap, 0x1000);
	expect_sum(&f, 0);
}
END_TEST

/* Its sibling: the run is good, but this buffer's part of it was cut off. */
START_TEST(the_edge_of_a_run_is_trimmed)
{
	struct fixture f;

	init(&f);
	ck_assert_int_eq(add(&f, 1, (struct fph_seg[]){
		{ 0x1800, 0x800, FPH_SEG_WRITE } }, 1), 1);
	ck_assert_int_eq(add(&f, 2, (struct fph_seg[]){
		{ 0x2000, 0x1000, FPH_SEG_WRITE } }, 1), 1);
	ck_assert_int_eq(add(&f, 3, (struct fph_seg[]){
		{ 0x3000, 0x7ff, FPH_SEG_WRITE } }, 1), 1);
	next(&f, &f.run, 0x2000, 0x1000);
	ck_assert_int_eq(complete(&f, f.run, FPH_OUTCOME_DISCARDED, 0x1000),
			 1);
	expect_used(&f, 1, FPH_OUTCOME_TRIMMED, 0, 0);
	expect_used(&f, 2, FPH_OUTCOME_DISCARDED, 0, 0x1000);
	expect_used(&f, 3, FPH_OUTCOME_TRIMMED, 0, 0);
	/* Halves complete each other's page. */
	ck_assert_int_eq(add(&f, 4, (struct fph_seg[]){
		{ 0x5000, 0x800, FPH_SEG_WRITE } }, 1), 1);
	ck_assert_int_eq(add(&f, 5, (struct fph_seg[]){
		{ 0x5800, 0x800, FPH_SEG_WRITE } }, 1), 1);
	next(&f, &f.run, 0x5000, 0x1000);
	ck_assert_int_eq(complete(&f, f.run, FPH_OUTCOME_DISCARDED, 0x1000),
			 1);
	expect_used(&f, 4, FPH_OUTCOME_DISCARDED, 0, 0x800);
	expect_used(&f, 5, FPH_OUTCOME_DISCARDED, 0, 0x800);
	expect_sum(&f, 0);
}
END_TEST

START_TEST(freed_bytes_have_one_buffer_each)
{
	/* 0x1000 to 0x6000: 1 has 4 pages, 2 overlaps it, 3 lies inside. */
	static const struct fph_seg segs[] = {
		{ 0x1000, 0x4000, FPH_SEG_WRITE },
		{ 0x3000, 0x3000, FPH_SEG_WRITE },
		{ 0x2000, 0x1000, FPH_SEG_WRITE }
	};
	static const struct {
		uint64_t freed, first, second;
	} t[] = {
		{ 0, 0, 0 }, { 1, 1, 0 }, { 0x3fff, 0x3fff, 0 },
		{ 0x4000, 0x4000, 0 }, { 0x4001, 0x4000, 1 },
		{ 0x5000, 0x4000, 0x1000 }
	};
	struct fixture f;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		init(&f);
		ck_assert_int_eq(add(&f, 1, &segs[0], 1), 1);
		ck_assert_int_eq(add(&f, 2, &segs[1], 1), 1);
		ck_assert_int_eq(add(&f, 3, &segs[2], 1), 1);
		next(&f, &f.run, 0x1000, 0x5000);
		ck_assert_int_eq(complete(&f, f.run, FPH_OUTCOME_DISCARDED,
					  0x5001), FPH_EINVAL);
		ck_assert_int_eq(complete(&f, f.run, FPH_OUTCOME_DISCARDED,
					  t[i].freed), 1);
		expect_used(&f, 1, FPH_OUTCOME_DISCARDED, 0, t[i].first);
		expect_used(&f, 3, FPH_OUTCOME_DISCARDED, 0, 0);
		expect_used(&f, 2, FPH_OUTCOME_DISCARDED, 0, t[i].second);
		ck_assert_uint_eq(counters(&f).bytes_freed, t[i].freed);
		ck_assert_uint_eq(counters(&f).bytes_overlap, 0x3000);
		/* Free already: nothing was done to it. */
		ck_assert_uint_eq(counters(&f).bytes_skipped,
				  0x5000 - t[i].freed);
		expect_sum(&f, 0);
	}
}
END_TEST

/* Of two that begin together the first counts, also when all descend. */
START_TEST(the_first_of_equal_ranges)
{
	static const struct fph_seg segs[] = {
		{ 0x3000, 0x1000, FPH_SEG_WRITE },
		{ 0x1000, 0x1000, FPH_SEG_WRITE }
	};
	struct fixture f;

	init(&f);
	ck_assert_int_eq(add(&f, 1, &segs[0], 1), 1);
	ck_assert_int_eq(add(&f, 2, &segs[1], 1), 1);
	ck_assert_int_eq(add(&f, 3, &segs[1], 1), 1);
	next(&f, &f.run, 0x1000, 0x1000);
	ck_assert_int_eq(complete(&f, f.run, FPH_OUTCOME_DISCARDED, 0x1000),
			 1);
	expect_used(&f, 2, FPH_OUTCOME_DISCARDED, 0, 0x1000);
	expect_used(&f, 3, FPH_OUTCOME_DISCARDED, 0, 0);
}
END_TEST

START_TEST(the_worst_of_its_runs)
{
	static const uint8_t rank[] = {
		FPH_OUTCOME_DISCARDED, FPH_OUTCOME_LAZY, FPH_OUTCOME_TRIMMED,
		FPH_OUTCOME_SKIPPED, FPH_OUTCOME_FAILED
	};
	struct fph_run a, b;
	struct fixture f;
	int i, k;

	for (i = 0; i < 5; i++) {
		for (k = 0; k < 5; k++) {
			int worst = rank[i > k ? i : k];

			init(&f);
			ck_assert_int_eq(add(&f, 1, good + 1, 2), 1);
			next(&f, &a, 0x11000, 0x1000);
			next(&f, &b, 0x20000, 0x1000);
			ck_assert_int_eq(complete(&f, a, rank[i], 0), 1);
			ck_assert_int_eq(complete(&f, b, rank[k], 0), 1);
			expect_used(&f, 1, worst,
				    worst == FPH_OUTCOME_SKIPPED ?
				    FPH_SKIP_LOCKED : 0, 0);
			expect_sum(&f, 0);
		}
	}
}
END_TEST

START_TEST(outcomes_refused)
{
	static const uint8_t bad[] = {
		FPH_OUTCOME_NONE, FPH_OUTCOME_COMMAND, FPH_OUTCOME_CLEARED,
		FPH_OUTCOME_REFUSED, 9, 31, 32, 34, 64, 255
	};
	struct fixture f, before;
	size_t i;

	init(&f);
	ck_assert_int_eq(add(&f, 1, good, 3), 1);
	next(&f, &f.run, 0x10000, 0x2000);
	memcpy(&before, &f, sizeof(f));
	for (i = 0; i < sizeof(bad); i++)
		ck_assert_int_eq(complete(&f, f.run, bad[i], 0), FPH_EINVAL);
	ck_assert_mem_eq(&before, &f, sizeof(f));
}
END_TEST

START_TEST(segments_that_are_left_alone)
{
	static const struct fph_seg segs[] = {
		{ 0x1000, 0x1000, FPH_SEG_WRITE | FPH_SEG_SKIP },
		{ 0x3000, 0x1000, FPH_SEG_WRITE },
		{ 0x2000, 0x1000, FPH_SEG_WRITE | FPH_SEG_SKIP }
	};
	static const struct fph_seg bad[] = {
		{ 0x1000, 0, FPH_SEG_WRITE | FPH_SEG_SKIP }
	};
	struct fixture f;

	init(&f);
	ck_assert_int_eq(add(&f, 1, segs, 3), 1);
	expect_room(&f, NBUFFERS - 1, NRANGES - 1);
	next(&f, &f.run, 0x3000, 0x1000);
	none(&f);
	ck_assert_int_eq(complete(&f, f.run, FPH_OUTCOME_DISCARDED, 0x1000),
			 1);
	expect_used(&f, 1, FPH_OUTCOME_SKIPPED, FPH_SKIP_EMBEDDER, 0x1000);
	ck_assert_uint_eq(counters(&f).ranges, 3);
	ck_assert_uint_eq(counters(&f).bytes_skipped, 0x2000);
	/* All of them; none; and one that is bad all the same. */
	ck_assert_int_eq(add(&f, 2, segs, 1), 1);
	expect_used(&f, 2, FPH_OUTCOME_SKIPPED, FPH_SKIP_EMBEDDER, 0);
	ck_assert_int_eq(add(&f, 3, NULL, 0), 1);
	expect_used(&f, 3, FPH_OUTCOME_SKIPPED, FPH_SKIP_EMPTY, 0);
	ck_assert_int_eq(add(&f, 4, bad, 1), 1);
	expect_used(&f, 4, FPH_OUTCOME_REFUSED, 0, 0);
	expect_sum(&f, 0);
}
END_TEST

START_TEST(refused_ones_come_back_in_order)
{
	struct fph_buffer b = { .cookie = 6, .nread = 1, .nwrite = 1 };
	struct fixture f;

	init(&f);
	ck_assert_int_eq(add(&f, 1, readable, 2), 1);
	ck_assert_int_eq(add(&f, 2, empty, 2), 1);
	ck_assert_int_eq(refuse(&f, 3), 1);
	ck_assert_int_eq(add(&f, 4, wraps, 2), 1);
	ck_assert_int_eq(refuse(&f, 5), FPH_EFULL);
	none(&f);
	expect_used(&f, 1, FPH_OUTCOME_REFUSED, 0, 0);
	ck_assert_int_eq(add(&f, 5, NULL, 0), 1);
	expect_used(&f, 2, FPH_OUTCOME_REFUSED, 0, 0);
	expect_used(&f, 3, FPH_OUTCOME_REFUSED, 0, 0);
	expect_used(&f, 4, FPH_OUTCOME_REFUSED, 0, 0);
	expect_used(&f, 5, FPH_OUTCOME_SKIPPED, FPH_SKIP_EMPTY, 0);
	expect_no_used(&f);
	/* A readable segment; more segments than could ever fit. */
	ck_assert_int_eq(fph_report_add(f.r, &b, 1, good), 1);
	expect_used(&f, 6, FPH_OUTCOME_REFUSED, 0, 0);
	ck_assert_int_eq(add(&f, 7, good, NRANGES + 1), 1);
	expect_used(&f, 7, FPH_OUTCOME_REFUSED, 0, 0);
	ck_assert_uint_eq(counters(&f).buffers, 7);
	ck_assert_uint_eq(counters(&f).refused, 6);
	ck_assert_uint_eq(counters(&f).peer_errors, 5);
	ck_assert_uint_eq(counters(&f).returned, 7);
	ck_assert_uint_eq(counters(&f).bytes_offered, 0);
	ck_assert_uint_eq(counters(&f).ranges, 0);
	expect_room(&f, NBUFFERS, NRANGES);
}
END_TEST

START_TEST(the_last_page_of_memory)
{
	struct fixture f;

	init(&f);
	ck_assert_int_eq(add(&f, 1, end_of_memory, 1), 1);
	ck_assert_int_eq(add(&f, 2, end_of_memory, 1), 1);
	next(&f, &f.run, ~(uint64_t)0 - 0xfff, 0x1000);
	ck_assert_int_eq(complete(&f, f.run, FPH_OUTCOME_DISCARDED, 0x1000),
			 1);
	expect_used(&f, 1, FPH_OUTCOME_DISCARDED, 0, 0x1000);
	expect_used(&f, 2, FPH_OUTCOME_DISCARDED, 0, 0);
}
END_TEST

START_TEST(poison_is_one_predicate)
{
	static const struct {
		bool negotiated;
		uint32_t value;
		bool poisoned;
	} t[] = {
		{ false, 0, false }, { false, 0xaaaaaaaa, false },
		{ true, 0, false }, { true, 1, true },
		{ true, 0x80000000, true }, { true, 0xaaaaaaaa, true }
	};
	struct fixture f;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		init(&f);
		ck_assert_int_eq(fph_report_set_poison(f.r, t[i].negotiated,
						       t[i].value), FPH_OK);
		ck_assert_int_eq(add(&f, 1, good, 3), 1);
		ck_assert_int_eq(fph_report_next(f.r, &f.run, 1),
				 !t[i].poisoned);
		if (t[i].poisoned)
			expect_used(&f, 1, FPH_OUTCOME_SKIPPED,
				    FPH_SKIP_POISON, 0);
		expect_no_used(&f);
		ck_assert_uint_eq(counters(&f).poisoned, t[i].poisoned);
		ck_assert_uint_eq(counters(&f).buffers, 1);
		ck_assert_uint_eq(counters(&f).ranges, 3);
		ck_assert_uint_eq(counters(&f).bytes_offered, 0x3000);
		expect_sum(&f, t[i].poisoned ? 0 : 0x3000);
		/* A bad one is bad all the same. */
		ck_assert_int_eq(add(&f, 2, wraps, 2), 1);
		expect_used(&f, 2, FPH_OUTCOME_REFUSED, 0, 0);
	}
}
END_TEST

START_TEST(room)
{
	struct fixture f;

	init(&f);
	expect_room(&f, NBUFFERS, NRANGES);
	ck_assert_int_eq(add(&f, 1, good, 3), 1);
	expect_room(&f, NBUFFERS - 1, NRANGES - 3);
	ck_assert_int_eq(add(&f, 2, good, 3), 1);
	/* All or nothing: room for two is left, the buffer has three. */
	ck_assert_int_eq(add(&f, 3, good, 3), FPH_EFULL);
	expect_room(&f, NBUFFERS - 2, NRANGES - 6);
	ck_assert_int_eq(add(&f, 3, good, 2), 1);
	ck_assert_int_eq(add(&f, 4, good, 1), FPH_EFULL);
	ck_assert_int_eq(refuse(&f, 4), 1);
	expect_room(&f, 0, 0);
	ck_assert_int_eq(refuse(&f, 5), FPH_EFULL);
	ck_assert_uint_eq(counters(&f).buffers, 4);
}
END_TEST

/* Fault 6: see test_range.c; here a buffer was returned too early by it. */
START_TEST(completing_twice_is_an_error)
{
	struct fixture f;
	struct fph_run first;

	init(&f);
	ck_assert_int_eq(add(&f, 1, good, 2), 1);
	next(&f, &first, 0x10000, 0x2000);
	ck_assert_int_eq(complete(&f, first, FPH_OUTCOME_DISCARDED, 0x2000),
			 1);
	ck_assert_int_eq(complete(&f, first, FPH_OUTCOME_DISCARDED, 0x2000),
			 FPH_EINVAL);
	expect_used(&f, 1, FPH_OUTCOME_DISCARDED, 0, 0x2000);
	/* The same memory again, in the same place. */
	ck_assert_int_eq(add(&f, 2, good, 2), 1);
	next(&f, &f.run, 0x10000, 0x2000);
	ck_assert_int_eq(complete(&f, first, FPH_OUTCOME_DISCARDED, 0x2000),
			 FPH_EINVAL);
	expect_no_used(&f);
	ck_assert_uint_eq(fph_report_get_outstanding(f.r), 1);
	ck_assert_int_eq(complete(&f, f.run, FPH_OUTCOME_DISCARDED, 0x2000),
			 1);
	expect_used(&f, 2, FPH_OUTCOME_DISCARDED, 0, 0x2000);
}
END_TEST

RUNNER_SUITE("report_rules",
	     init_refused,
	     params_of_other_versions,
	     the_macro_is_enough,
	     not_initialised,
	     counters_of_other_versions,
	     runs_of_many_buffers,
	     many_in_one_call,
	     trimmed_to_nothing_is_not_done,
	     the_edge_of_a_run_is_trimmed,
	     freed_bytes_have_one_buffer_each,
	     the_first_of_equal_ranges,
	     the_worst_of_its_runs,
	     outcomes_refused,
	     segments_that_are_left_alone,
	     refused_ones_come_back_in_order,
	     the_last_page_of_memory,
	     poison_is_one_predicate,
	     room,
	     completing_twice_is_an_error)
