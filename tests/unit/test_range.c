/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The coalescer, call by call. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/range.h>

#include "core/internal.h"

#define LAST	(~(uint64_t)0)

/* A coalescer with all of its bytes, to compare them before and after. */
struct fixture {
	struct fph_coalescer c;
	struct fph_slot slots[8];
};

static void init(struct fixture *f, uint64_t granule)
{
	memset(f, 0, sizeof(*f));
	ck_assert_int_eq(fph_coalescer_init(&f->c, f->slots, 8, granule),
			 FPH_OK);
}

static void add(struct fixture *f, uint64_t gpa, uint64_t len)
{
	ck_assert_int_eq(fph_coalescer_add(&f->c, gpa, len, 7), FPH_OK);
}

static uint32_t next(struct fixture *f, uint64_t gpa, uint64_t len)
{
	struct fph_run run;

	ck_assert_int_eq(fph_coalescer_next(&f->c, &run), 1);
	ck_assert_uint_eq(run.len, len);
	ck_assert_uint_eq(run.gpa, gpa);
	return run.token;
}

static void none(struct fixture *f)
{
	struct fixture before;
	struct fph_run run = { 1, 2, 3 };

	memcpy(&before, f, sizeof(before));
	ck_assert_int_eq(fph_coalescer_next(&f->c, &run), 0);
	ck_assert_uint_eq(run.gpa, 1);
	ck_assert_uint_eq(run.len, 2);
	ck_assert_uint_eq(run.token, 3);
	ck_assert_mem_eq(&before, f, sizeof(before));
}

/* ------------------------------------------------------------ one by one -- */

START_TEST(init_refused)
{
	static const uint64_t granules[] = { 0, 3, 6, 4095, LAST };
	struct fph_coalescer c, before;
	struct fph_slot slot;
	size_t i;

	memset(&c, 0x5a, sizeof(c));
	memcpy(&before, &c, sizeof(c));
	ck_assert_int_eq(fph_coalescer_init(&c, &slot, 0, 1), FPH_EINVAL);
	ck_assert_int_eq(fph_coalescer_init(&c, &slot, 0x80000000u, 1),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_coalescer_init(&c, &slot, ~0u, 1), FPH_EINVAL);
	for (i = 0; i < sizeof(granules) / sizeof(granules[0]); i++)
		ck_assert_int_eq(fph_coalescer_init(&c, &slot, 1, granules[i]),
				 FPH_EINVAL);
	ck_assert_mem_eq(&before, &c, sizeof(c));
}
END_TEST

START_TEST(zeroed_object)
{
	struct fph_coalescer c, zero;
	struct fph_coalescer_counters counters;
	struct fph_run run;
	uint32_t token = 0;

	memset(&c, 0, sizeof(c));
	memset(&zero, 0, sizeof(zero));
	ck_assert_int_eq(fph_coalescer_reset(&c), FPH_EUNINIT);
	ck_assert_int_eq(fph_coalescer_add(&c, 0, 1, 0), FPH_EUNINIT);
	ck_assert_int_eq(fph_coalescer_next(&c, &run), FPH_EUNINIT);
	ck_assert_int_eq(fph_coalescer_complete(&c, &token, NULL),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_coalescer_get_counters(&c, &counters),
			 FPH_EUNINIT);
	ck_assert_uint_eq(fph_coalescer_get_free(&c), 0);
	ck_assert_mem_eq(&c, &zero, sizeof(c));
}
END_TEST

START_TEST(add_refused)
{
	struct fixture f, before;
	uint64_t i;

	init(&f, 1);
	memcpy(&before, &f, sizeof(f));
	ck_assert_int_eq(fph_coalescer_add(&f.c, 0, 0, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_coalescer_add(&f.c, LAST, 0, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_coalescer_add(&f.c, LAST, 2, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_coalescer_add(&f.c, 2, LAST, 0), FPH_EINVAL);
	ck_assert_mem_eq(&before, &f, sizeof(f));
	for (i = 0; i < 8; i++) {
		ck_assert_uint_eq(fph_coalescer_get_free(&f.c), 8 - i);
		add(&f, i * 16, 8);
	}
	memcpy(&before, &f, sizeof(f));
	ck_assert_int_eq(fph_coalescer_add(&f.c, 1000, 1, 0), FPH_EFULL);
	ck_assert_int_eq(fph_coalescer_add(&f.c, 1000, 0, 0), FPH_EINVAL);
	ck_assert_mem_eq(&before, &f, sizeof(f));
}
END_TEST

START_TEST(neighbours_become_one)
{
	struct fixture f;
	struct fph_member m;
	uint32_t token;
	int i;

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
	for (i = 0; i < 5; i++) {
		ck_assert_int_eq(fph_coalescer_complete(&f.c, &token, &m), 1);
		ck_assert_uint_eq(m.owner, 7);
		ck_assert_uint_eq(m.range.len, 0x1000);
	}
	ck_assert_uint_eq(token, FPH_NO_TOKEN);
	ck_assert_int_eq(fph_coalescer_complete(&f.c, &token, &m), 0);
	ck_assert_uint_eq(fph_coalescer_get_free(&f.c), 7);
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
	struct fph_coalescer_counters n;
	struct fixture f;

	init(&f, 4096);
	add(&f, 0, (uint64_t)1 << 63);
	add(&f, (uint64_t)1 << 63, (uint64_t)1 << 63);
	next(&f, 0, LAST - 4095);
	none(&f);
	ck_assert_int_eq(fph_coalescer_get_counters(&f.c, &n), FPH_OK);
	ck_assert_uint_eq(n.trimmed_bytes, 4096);
	ck_assert_uint_eq(n.overlap_bytes, 0);
	ck_assert_uint_eq(n.run_bytes, LAST - 4095);

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
	struct fph_coalescer_counters n;
	struct fixture f;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		init(&f, t[i].granule);
		add(&f, t[i].gpa, t[i].len);
		next(&f, t[i].run_gpa, t[i].run_len);
		none(&f);
		ck_assert_int_eq(fph_coalescer_get_counters(&f.c, &n), FPH_OK);
		ck_assert_uint_eq(n.runs, 1);
		ck_assert_uint_eq(n.run_bytes, t[i].run_len);
		ck_assert_uint_eq(n.trimmed_bytes, t[i].len - t[i].run_len);
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

START_TEST(tokens_that_are_not_out)
{
	struct fixture f, before;
	struct fph_member m;
	uint32_t token, second, i;

	init(&f, 1);
	add(&f, 0x1000, 0x1000);
	add(&f, 0x2000, 0x1000);
	add(&f, 0x3000, 0x1000);
	add(&f, 0x8000, 0x1000);
	memcpy(&before, &f, sizeof(f));
	/* Open, and free ones, and none at all. */
	for (i = 0; i < 20; i++) {
		token = i;
		ck_assert_int_eq(fph_coalescer_complete(&f.c, &token, &m),
				 FPH_EINVAL);
		ck_assert_uint_eq(token, i);
	}
	for (i = 0x7ffffffe; i < 0x80000003; i++) {
		token = i;
		ck_assert_int_eq(fph_coalescer_complete(&f.c, &token, &m),
				 FPH_EINVAL);
	}
	ck_assert_mem_eq(&before, &f, sizeof(f));

	token = next(&f, 0x1000, 0x3000);
	memcpy(&before, &f, sizeof(f));
	for (i = 0; i < 8; i++) {
		second = i;
		if (i != token)
			ck_assert_int_eq(fph_coalescer_complete(&f.c, &second,
								&m),
					 FPH_EINVAL);
	}
	ck_assert_mem_eq(&before, &f, sizeof(f));

	/* In the middle of a run only the advanced token is good. */
	second = token;
	ck_assert_int_eq(fph_coalescer_complete(&f.c, &token, &m), 1);
	ck_assert_uint_eq(m.range.gpa, 0x1000);
	ck_assert_int_eq(fph_coalescer_complete(&f.c, &second, &m),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_coalescer_complete(&f.c, &token, NULL), 1);
	ck_assert_int_eq(fph_coalescer_complete(&f.c, &token, &m), 1);
	ck_assert_uint_eq(m.range.gpa, 0x3000);
	ck_assert_uint_eq(token, FPH_NO_TOKEN);
	ck_assert_int_eq(fph_coalescer_complete(&f.c, &second, &m),
			 FPH_EINVAL);
}
END_TEST

START_TEST(reset_forgets)
{
	struct fph_coalescer_counters n;
	struct fixture f;
	uint32_t token;

	init(&f, 1);
	add(&f, 0x1000, 1);
	add(&f, 0x3000, 1);
	add(&f, 0x2000, 1);
	token = next(&f, 0x1000, 1);
	add(&f, 0x5000, 1);
	ck_assert_int_eq(fph_coalescer_reset(&f.c), FPH_OK);
	ck_assert_uint_eq(fph_coalescer_get_free(&f.c), 8);
	ck_assert_int_eq(fph_coalescer_complete(&f.c, &token, NULL),
			 FPH_EINVAL);
	none(&f);
	ck_assert_int_eq(fph_coalescer_get_counters(&f.c, &n), FPH_OK);
	ck_assert_uint_eq(n.added, 4);
	add(&f, 0x9000, 1);
	next(&f, 0x9000, 1);
}
END_TEST

START_TEST(drop_takes_what_is_not_out)
{
	struct fixture f;
	struct fph_member m;
	uint32_t token;

	init(&f, 1);
	add(&f, 0x1000, 1);
	add(&f, 0x3000, 1);
	token = next(&f, 0x1000, 1);
	add(&f, 0x6000, 1);
	add(&f, 0x8000, 1);
	add(&f, 0x7000, 1);
	ck_assert(fph_coalescer_is_waiting(&f.c));
	/* The closed set first. */
	ck_assert_int_eq(fph_coalescer_drop(&f.c, &m), 1);
	ck_assert_uint_eq(m.range.gpa, 0x3000);
	ck_assert(fph_coalescer_is_waiting(&f.c));
	/* One of the open set; the rest still comes in order. */
	ck_assert_int_eq(fph_coalescer_drop(&f.c, &m), 1);
	ck_assert_uint_eq(m.range.gpa, 0x6000);
	next(&f, 0x7000, 1);
	ck_assert_int_eq(fph_coalescer_drop(&f.c, &m), 1);
	ck_assert_uint_eq(m.range.gpa, 0x8000);
	ck_assert(!fph_coalescer_is_waiting(&f.c));
	ck_assert_int_eq(fph_coalescer_drop(&f.c, &m), 0);
	/* All of a disordered open set: order begins anew. */
	add(&f, 5, 1);
	add(&f, 9, 1);
	add(&f, 7, 1);
	while (fph_coalescer_drop(&f.c, &m))
		;
	ck_assert(!f.c.disordered);
	ck_assert_uint_eq(fph_coalescer_get_free(&f.c), 6);
	ck_assert_int_eq(fph_coalescer_complete(&f.c, &token, &m), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("range");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, init_refused);
	tcase_add_test(tc, zeroed_object);
	tcase_add_test(tc, add_refused);
	tcase_add_test(tc, neighbours_become_one);
	tcase_add_test(tc, a_small_range_inside_a_large_one);
	tcase_add_test(tc, zero_and_the_end_of_memory);
	tcase_add_test(tc, all_of_memory);
	tcase_add_test(tc, trim_inwards);
	tcase_add_test(tc, halves_complete_a_huge_page);
	tcase_add_test(tc, what_comes_late_waits);
	tcase_add_test(tc, tokens_that_are_not_out);
	tcase_add_test(tc, reset_forgets);
	tcase_add_test(tc, drop_takes_what_is_not_out);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
