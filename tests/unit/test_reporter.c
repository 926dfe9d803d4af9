/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The reporter: what init refuses, and how buffers are made.
 */
#include "reporter_fixture.h"

START_TEST(init_refused)
{
	static const struct {
		uint64_t bits;
		int content;
		int ret;
	} t[] = {
#define R	FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING)
#define P	FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON)
		{ 0, FPH_CONTENT_FREE, FPH_EREFUSED },
		{ 0, FPH_CONTENT_KEPT, FPH_EREFUSED },
		{ P, FPH_CONTENT_FREE, FPH_EREFUSED },
		{ P, FPH_CONTENT_KEPT, FPH_EREFUSED },
		{ R, FPH_CONTENT_FREE, FPH_OK },
		{ R, FPH_CONTENT_KEPT, FPH_EREFUSED },
		{ R | P, FPH_CONTENT_FREE, FPH_EREFUSED },
		{ R | P, FPH_CONTENT_KEPT, FPH_OK },
		{ R | P | FPH_BIT(6), FPH_CONTENT_KEPT, FPH_OK },
		{ R, 0, FPH_EINVAL },
		{ R, 3, FPH_EINVAL }
#undef R
#undef P
	};
	struct fixture f, before;
	struct fph_reporter_params p;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(&f, 0x5a, sizeof(f));
		memcpy(&before, &f, sizeof(f));
		p = fixture_params(&f);
		p.features = t[i].bits;
		p.content = t[i].content;
		ck_assert_int_eq(fph_reporter_init(&f.r, &p), t[i].ret);
		if (t[i].ret != FPH_OK)
			ck_assert_mem_eq(&f, &before, sizeof(f));
	}
}
END_TEST

START_TEST(init_bad_numbers)
{
	struct {
		struct fph_reporter_params p;
		uint8_t tail[8];
	} longer;
	struct fixture f, before;
	struct fph_reporter_params good = fixture_params(&f), bad[13];
	size_t i;

	memset(&f, 0x5a, sizeof(f));
	memcpy(&before, &f, sizeof(f));
	for (i = 0; i < 13; i++)
		bad[i] = good;
	bad[0].size--;
	bad[1].slots = NULL;
	bad[2].nslots = 0;
	bad[3].nslots = 0x80000000u;
	bad[4].batches = NULL;
	bad[5].window = 0;
	bad[5].low_water = 0;
	bad[6].window = 0x80000000u;
	bad[7].low_water = WINDOW;
	bad[8].max_segs = 0;
	bad[9].max_ranges = 0;
	bad[10].max_failures = 0;
	bad[11].content = 0;
	bad[12].size = 0;
	for (i = 0; i < 13; i++)
		ck_assert_int_eq(fph_reporter_init(&f.r, &bad[i]), FPH_EINVAL);
	ck_assert_int_eq(fph_reporter_init(NULL, &good), FPH_EINVAL);
	ck_assert_int_eq(fph_reporter_init(&f.r, NULL), FPH_EINVAL);
	memset(&longer, 0, sizeof(longer));
	longer.p = good;
	longer.p.size = sizeof(longer);
	longer.tail[7] = 1;
	ck_assert_int_eq(fph_reporter_init(&f.r, &longer.p), FPH_EINVAL);
	ck_assert_mem_eq(&f, &before, sizeof(f));
	longer.tail[7] = 0;
	ck_assert_int_eq(fph_reporter_init(&f.r, &longer.p), FPH_OK);
}
END_TEST

START_TEST(zeroed_object)
{
	struct fph_reporter r, zero;
	struct fph_reporter_amounts a;
	struct fph_reporter_counters n;
	struct fph_returned out;
	struct fph_seg seg;
	uint64_t cookie;

	memset(&r, 0, sizeof(r));
	memset(&zero, 0, sizeof(zero));
	ck_assert_int_eq(fph_reporter_reset(&r), FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_add(&r, 0, 0, 1, 0), FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_request(&r), FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_submit(&r, 0, &seg, 1, &cookie),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_complete(&r, 0, 1, true), FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_abort(&r, 0, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_next(&r, &out), FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_pop(&r, &out), FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_get_deadline(&r, &cookie), FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_get_state(&r), FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_get_amounts(&r, &a), FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_get_counters(&r, &n), FPH_EUNINIT);
	ck_assert_mem_eq(&r, &zero, sizeof(r));
}
END_TEST

/* --------------------------------------------------------------- buffers -- */

START_TEST(merged_on_the_wire_alone)
{
	struct fixture f;
	struct fph_seg segs[4];
	struct fph_reporter_amounts a;
	uint64_t cookie;

	fixture_init(&f);
	/* 0; and 3 and 2, which make the larger segment. */
	fixture_add(&f, 0, 3);
	fixture_add(&f, 0, 0);
	a = fixture_amounts(&f);
	ck_assert_uint_eq(a.waiting.ranges, 2);
	ck_assert_uint_eq(a.waiting.bytes, 2 * PAGE);
	fixture_add(&f, 0, 2);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 0, segs, 4, &cookie), 2);
	ck_assert_uint_eq(segs[0].gpa, 2 * PAGE);
	ck_assert_uint_eq(segs[0].len, 2 * PAGE);
	ck_assert_uint_eq(segs[0].flags, FPH_SEG_WRITE);
	ck_assert_uint_eq(segs[1].gpa, 0);
	ck_assert_uint_eq(segs[1].len, PAGE);
	ck_assert_uint_eq(segs[1].flags, FPH_SEG_WRITE);
	a = fixture_amounts(&f);
	ck_assert_uint_eq(a.waiting.ranges, 0);
	ck_assert_uint_eq(a.waiting.bytes, 0);
	ck_assert_uint_eq(a.outstanding.ranges, 3);
	ck_assert_uint_eq(a.outstanding.bytes, 3 * PAGE);
	ck_assert_uint_eq(a.buffers, 1);
	ck_assert_uint_eq(a.back.ranges, 0);
	fixture_expect_none(&f);
	ck_assert_int_eq(fph_reporter_complete(&f.r, 0, cookie, true), FPH_OK);
	a = fixture_amounts(&f);
	ck_assert_uint_eq(a.outstanding.ranges, 0);
	ck_assert_uint_eq(a.outstanding.bytes, 0);
	ck_assert_uint_eq(a.back.ranges, 3);
	ck_assert_uint_eq(a.back.bytes, 3 * PAGE);
	fixture_expect(&f, 0, true);
	fixture_expect(&f, 2, true);
	fixture_expect(&f, 3, true);
	fixture_expect_none(&f);
	ck_assert_uint_eq(fixture_counters(&f).added, 3);
	ck_assert_uint_eq(fixture_counters(&f).added_bytes, 3 * PAGE);
	ck_assert_uint_eq(fixture_counters(&f).reported, 3);
	ck_assert_uint_eq(fixture_counters(&f).reported_bytes, 3 * PAGE);
	ck_assert_uint_eq(fixture_counters(&f).buffers, 1);
	ck_assert_uint_eq(fixture_counters(&f).segs, 2);
}
END_TEST

START_TEST(neighbours_of_different_times_merge)
{
	struct fixture f;
	struct fph_seg segs[4];
	uint64_t cookie;

	fixture_init(&f);
	/* A full batch of 0 and 2 leaves 4; the 5 of later joins it. */
	fixture_add(&f, 0, 4);
	fixture_add(&f, 0, 2);
	fixture_add(&f, 0, 0);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 0, segs, 4, &cookie), 2);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 0, segs, 4, &cookie), 0);
	fixture_add(&f, 0, 5);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 0, segs, 4, &cookie), 0);
	fixture_add(&f, 0, 3);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 9, segs, 4, &cookie), 0);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 10, segs, 4, &cookie), 1);
	ck_assert_uint_eq(segs[0].gpa, 3 * PAGE);
	ck_assert_uint_eq(segs[0].len, 3 * PAGE);
}
END_TEST

START_TEST(full_by_ranges)
{
	struct fixture f;
	struct fph_seg segs[4];
	uint64_t cookie;
	uint32_t i;

	fixture_init(&f);
	for (i = 0; i < 3; i++) {
		fixture_add(&f, 0, i);
		ck_assert_int_eq(fph_reporter_submit(&f.r, 0, segs, 4,
						     &cookie), 0);
	}
	/* Four in one run are max_ranges; the fifth waits. */
	fixture_add(&f, 0, 3);
	fixture_add(&f, 0, 4);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 0, segs, 4, &cookie), 1);
	ck_assert_uint_eq(segs[0].len, 4 * PAGE);
	ck_assert_uint_eq(fixture_amounts(&f).waiting.ranges, 1);
}
END_TEST

START_TEST(short_of_room)
{
	struct fixture f;
	struct fph_seg segs[2];
	uint64_t cookie = 5;

	fixture_init(&f);
	fixture_add(&f, 0, 0);
	fixture_add(&f, 0, 1);
	fixture_add(&f, 0, 3);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 0, segs, 0, &cookie),
			 FPH_EINVAL);
	ck_assert_uint_eq(cookie, 5);
	/* The queue has one descriptor: the rest waits, and is not full. */
	segs[1].gpa = 77;
	ck_assert_int_eq(fph_reporter_submit(&f.r, 0, segs, 1, &cookie), 1);
	ck_assert_uint_eq(segs[0].len, 2 * PAGE);
	ck_assert_uint_eq(segs[1].gpa, 77);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 0, segs, 1, &cookie), 0);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 10, segs, 1, &cookie), 1);
}
END_TEST

START_TEST(larger_ones_first)
{
	static const uint32_t lens[] = { 1, 5, 2, 5, 3, 8, 1, 13 };
	static const uint32_t want[] = { 7, 5, 1, 3, 4, 2, 0, 6 };
	struct fph_slot slots[64];
	struct fph_batch batch;
	struct fixture f;
	struct fph_reporter_params p;
	struct fph_seg segs[8];
	uint64_t cookie;
	uint32_t i;

	fixture_init(&f);
	p = fixture_params(&f);
	p.slots = slots;
	p.nslots = 64;
	p.batches = &batch;
	p.window = 1;
	p.low_water = 0;
	p.max_segs = 8;
	p.max_ranges = 64;
	ck_assert_int_eq(fph_reporter_init(&f.r, &p), FPH_OK);
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(fph_reporter_add(&f.r, 0, i * 0x100000,
						  lens[i] * PAGE, i), FPH_OK);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 0, segs, 8, &cookie), 8);
	for (i = 0; i < 8; i++) {
		ck_assert_uint_eq(segs[i].gpa, want[i] * 0x100000);
		ck_assert_uint_eq(segs[i].len, lens[want[i]] * PAGE);
	}
}
END_TEST

START_TEST(no_buffer_of_4_gib)
{
	static const struct {
		uint32_t lens[4];
		int nsegs;		/* of the first buffer */
		uint32_t nranges;
	} t[] = {
		{ { 0xffffffff, 1, 0, 0 }, 1, 1 },
		{ { 0xfffffffe, 1, 1, 0 }, 1, 2 },
		{ { 0x80000000, 0x80000000, 0, 0 }, 1, 1 },
		{ { 0x80000000, 0x7fffffff, 1, 0 }, 1, 2 },
		{ { 0x40000000, 0x40000000, 0x40000000, 0x40000000 }, 1, 3 }
	};
	struct fixture f;
	struct fph_seg segs[4];
	uint64_t cookie, gpa, gap;
	uint32_t i, k;

	/* Without a gap the limit is one segment's, with one the buffer's. */
	for (i = 0; i < 2 * sizeof(t) / sizeof(t[0]); i++) {
		gap = i % 2 ? 1 : 0;
		fixture_init(&f);
		gpa = 0;
		for (k = 0; k < 4 && t[i / 2].lens[k]; k++) {
			ck_assert_int_eq(fph_reporter_add(&f.r, 0, gpa,
				t[i / 2].lens[k], k), FPH_OK);
			gpa += t[i / 2].lens[k];
			/* The last one alone stands apart. */
			if (k + 2 >= 4 || !t[i / 2].lens[k + 2])
				gpa += gap;
		}
		ck_assert_int_eq(fph_reporter_submit(&f.r, 0, segs, 4,
						     &cookie), t[i / 2].nsegs);
		ck_assert_uint_eq(fixture_amounts(&f).outstanding.ranges,
				  t[i / 2].nranges);
		ck_assert_uint_eq(segs[0].len,
				  fixture_amounts(&f).outstanding.bytes);
	}
}
END_TEST

START_TEST(a_gap_of_one_byte)
{
	struct fixture f;
	struct fph_seg segs[4];
	uint64_t cookie;

	fixture_init(&f);
	ck_assert_int_eq(fph_reporter_add(&f.r, 0, 0, PAGE, 1), FPH_OK);
	ck_assert_int_eq(fph_reporter_add(&f.r, 0, PAGE + 1, 1, 2), FPH_OK);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 0, segs, 4, &cookie), 2);
	ck_assert_uint_eq(segs[0].len, PAGE);
	ck_assert_uint_eq(segs[1].gpa, PAGE + 1);
	ck_assert_uint_eq(segs[1].len, 1);
}
END_TEST

START_TEST(the_end_of_the_address_space)
{
	const uint64_t top = 0 - (uint64_t)PAGE;
	struct fixture f;
	struct fph_seg segs[4];
	uint64_t cookie;

	fixture_init(&f);
	ck_assert_int_eq(fph_reporter_add(&f.r, 0, top, PAGE, 1), FPH_OK);
	ck_assert_int_eq(fph_reporter_add(&f.r, 0, top - PAGE, PAGE, 2),
			 FPH_OK);
	/* Inside another one: adds nothing to the wire, and comes back. */
	ck_assert_int_eq(fph_reporter_add(&f.r, 0, top, PAGE / 2, 3), FPH_OK);
	ck_assert_int_eq(fph_reporter_submit(&f.r, 10, segs, 4, &cookie), 1);
	ck_assert_uint_eq(segs[0].gpa, top - PAGE);
	ck_assert_uint_eq(segs[0].len, 2 * PAGE);
	ck_assert_uint_eq(fixture_amounts(&f).outstanding.ranges, 3);
	ck_assert_uint_eq(fixture_amounts(&f).outstanding.bytes,
			  2 * PAGE + PAGE / 2);
}
END_TEST

/* ---------------------------------------------------------------- limits -- */

START_TEST(slots_used_up)
{
	struct fixture f, before;
	struct fph_returned out;
	uint32_t i;

	fixture_init(&f);
	for (i = 0; i < NSLOTS; i++)
		fixture_add(&f, 0, 2 * i);
	memcpy(&before, &f, sizeof(f));
	ck_assert_int_eq(fph_reporter_add(&f.r, 0, 0, PAGE, 9), FPH_EFULL);
	ck_assert_mem_eq(&f, &before, sizeof(f));
	ck_assert_int_eq(fph_reporter_pop(&f.r, &out), 1);
	ck_assert(!out.used);
	fixture_add(&f, 0, 40);
	ck_assert_uint_eq(fixture_amounts(&f).waiting.ranges, NSLOTS);
	ck_assert_uint_eq(fixture_counters(&f).unreported, 1);
}
END_TEST

START_TEST(cookies_are_not_taken_twice)
{
	struct fixture f;
	uint64_t a, b;

	fixture_init(&f);
	fixture_add(&f, 0, 1);
	a = fixture_send(&f, 0);
	ck_assert_int_eq(fph_reporter_complete(&f.r, 0, a, true), FPH_OK);
	fixture_expect(&f, 1, true);
	/* The same storage is out again: the old name is not the new one. */
	fixture_add(&f, 0, 2);
	b = fixture_send(&f, 0);
	ck_assert_uint_ne(a, b);
	ck_assert_int_eq(fph_reporter_complete(&f.r, 0, a, true), FPH_EINVAL);
	fixture_expect_none(&f);
	ck_assert_int_eq(fph_reporter_reset(&f.r), FPH_OK);
	fixture_expect(&f, 2, false);
	ck_assert_int_eq(fph_reporter_complete(&f.r, 0, b, true), FPH_EINVAL);
	fixture_expect_none(&f);
	/* Serial numbers wrap past 0. */
	f.r.batcher.serial = 0xffffffffu;
	fixture_add(&f, 0, 3);
	a = fixture_send(&f, 0);
	ck_assert_uint_eq(a >> 32, 1);
	ck_assert_int_eq(fph_reporter_complete(&f.r, 0, a, true), FPH_OK);
	fixture_expect(&f, 3, true);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reporter");
	TCase *tc = tcase_create("reporter");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, init_refused);
	tcase_add_test(tc, init_bad_numbers);
	tcase_add_test(tc, zeroed_object);
	tcase_add_test(tc, merged_on_the_wire_alone);
	tcase_add_test(tc, neighbours_of_different_times_merge);
	tcase_add_test(tc, full_by_ranges);
	tcase_add_test(tc, short_of_room);
	tcase_add_test(tc, larger_ones_first);
	tcase_add_test(tc, no_buffer_of_4_gib);
	tcase_add_test(tc, a_gap_of_one_byte);
	tcase_add_test(tc, the_end_of_the_address_space);
	tcase_add_test(tc, slots_used_up);
	tcase_add_test(tc, cookies_are_not_taken_twice);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
