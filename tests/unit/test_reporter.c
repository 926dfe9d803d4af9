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
	static struct fixture f, before;
	struct fph_reporter_params p;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(&f, 0x5a, sizeof(f));
		memcpy(&before, &f, sizeof(f));
		p = fixture_params();
		p.features = t[i].bits;
		p.content = (uint32_t)t[i].content;
		ck_assert_int_eq(fph_reporter_init(&f.r, f.mem, sizeof(f.mem),
						   &p), t[i].ret);
		if (t[i].ret != FPH_OK)
			ck_assert_mem_eq(&f, &before, sizeof(f));
		ck_assert_int_eq(fph_reporter_size(&p) != 0,
				 t[i].ret == FPH_OK);
	}
}
END_TEST

static int init(struct fixture *f, const struct fph_reporter_params *p)
{
	return fph_reporter_init(&f->r, f->mem, sizeof(f->mem), p);
}

START_TEST(init_bad_numbers)
{
	struct {
		struct fph_reporter_params p;
		uint8_t tail[8];
	} longer;
	static struct fixture f, before;
	struct fph_reporter_params good = fixture_params(), bad[8];
	size_t i, size = fph_reporter_size(&good);

	memset(&f, 0x5a, sizeof(f));
	memcpy(&before, &f, sizeof(f));
	for (i = 0; i < 8; i++)
		bad[i] = good;
	bad[0].size--;
	bad[1].max_ranges = 0x80000000u;
	bad[2].window = 32769;
	bad[3].low_water = WINDOW;
	bad[4].content = 0;
	bad[5].size = 0;
	bad[6].reserved = 1;
	bad[7].max_ranges = NSLOTS + 100;
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(init(&f, &bad[i]), FPH_EINVAL);
	for (i = 0; i < 7; i++)
		ck_assert_uint_eq(fph_reporter_size(&bad[i]), 0);
	ck_assert_uint_eq(fph_reporter_size(NULL), 0);
	ck_assert_int_eq(fph_reporter_init(NULL, f.mem, size, &good),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_reporter_init(&f.r, NULL, size, &good),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_reporter_init(&f.r, f.mem, size - 1, &good),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_reporter_init(&f.r, (char *)f.mem + 4, size,
					   &good), FPH_EINVAL);
	ck_assert_int_eq(init(&f, NULL), FPH_EINVAL);
	memset(&longer, 0, sizeof(longer));
	longer.p = good;
	longer.p.size = sizeof(longer);
	longer.tail[7] = 1;
	ck_assert_int_eq(init(&f, &longer.p), FPH_EINVAL);
	ck_assert_mem_eq(&f, &before, sizeof(f));
	longer.tail[7] = 0;
	ck_assert_int_eq(init(&f, &longer.p), FPH_OK);
	ck_assert_int_eq(fph_reporter_init(&f.r, f.mem, size, &good), FPH_OK);
}
END_TEST

START_TEST(the_constant_is_enough)
{
	static const uint32_t n[] = { 1, 2, 31, 1024, 262144, 0x7fffffff };
	static const uint32_t window[] = { 1, 2, 16, 32768 };
	struct fph_reporter_params p = fixture_params();
	size_t i, k, size;

	for (i = 0; i < 6; i++) {
		for (k = 0; k < 4; k++) {
			p.max_ranges = n[i];
			p.window = window[k];
			p.low_water = 0;
			size = fph_reporter_size(&p);
			ck_assert_uint_ge(FPH_REPORTER_SIZE(n[i], window[k]),
					  size);
			ck_assert(size || sizeof(size_t) < 8);
		}
	}
}
END_TEST

START_TEST(zero_means_the_default)
{
	static uint64_t mem[FPH_REPORTER_SIZE(1024, 2) / 8];
	struct fph_reporter_params p, all;
	struct fph_owned_range range = { 0, PAGE, 0 };
	struct fph_reporter *r;
	uint64_t when;
	uint32_t i;

	memset(&p, 0, sizeof(p));
	p.size = sizeof(p);
	p.content = FPH_CONTENT_FREE;
	p.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	all = p;
	all.max_ranges = 1024;
	all.window = 2;
	ck_assert_uint_eq(fph_reporter_size(&p), fph_reporter_size(&all));
	ck_assert_int_eq(fph_reporter_init(&r, mem, sizeof(mem), &p), FPH_OK);
	for (i = 0; i < 1024; i++) {
		ck_assert_int_eq(fph_reporter_add(r, 7, &range, 1), 1);
		if (!i) {
			ck_assert_int_eq(fph_reporter_get_deadline(r, &when),
					 1);
			ck_assert_uint_eq(when, 2000000007u);
		}
		range.gpa += 2 * PAGE;
	}
	ck_assert_int_eq(fph_reporter_add(r, 7, &range, 1), FPH_EFULL);
}
END_TEST

START_TEST(memory_is_not_touched_before_it_is_needed)
{
	static uint64_t mem[FPH_REPORTER_SIZE(4096, 1024) / 8];
	struct fph_reporter_params p = fixture_params();
	struct fph_reporter *r;
	size_t i, touched = 0;

	p.max_ranges = 4096;
	p.window = 1024;
	memset(mem, 0x5a, sizeof(mem));
	ck_assert_int_eq(fph_reporter_init(&r, mem, sizeof(mem), &p), FPH_OK);
	for (i = 0; i < sizeof(mem) / 8; i++)
		touched += mem[i] != 0x5a5a5a5a5a5a5a5au;
	ck_assert_uint_le(touched * 8, 1024);
}
END_TEST

START_TEST(no_object)
{
	uint64_t zero[16] = { 0 };
	struct fph_reporter *rs[2] = { NULL, (void *)zero }, *r;
	struct fph_owned_range range = { 0, 1, 0 };
	struct fph_reporter_amounts a;
	struct fph_reporter_counters n;
	struct fph_returned out;
	struct fph_buffer buffer;
	struct fph_seg seg;
	struct fph_used used = { .cookie = 1 };
	uint64_t when;
	int i;

	for (i = 0; i < 2; i++) {
		r = rs[i];
		ck_assert_int_eq(fph_reporter_reset(r), FPH_EUNINIT);
		ck_assert_int_eq(fph_reporter_add(r, 0, &range, 1),
				 FPH_EUNINIT);
		ck_assert_int_eq(fph_reporter_flush(r), FPH_EUNINIT);
		ck_assert_int_eq(fph_reporter_submit(r, 0, &buffer, 1, &seg,
						     1), FPH_EUNINIT);
		ck_assert_int_eq(fph_reporter_complete(r, 0, &used, 1, true),
				 FPH_EUNINIT);
		ck_assert_int_eq(fph_reporter_cancel(r, 0, 1), FPH_EUNINIT);
		ck_assert_int_eq(fph_reporter_take_back(r, &out, 1),
				 FPH_EUNINIT);
		ck_assert_int_eq(fph_reporter_shrink(r, &out, 1),
				 FPH_EUNINIT);
		ck_assert_int_eq(fph_reporter_get_deadline(r, &when),
				 FPH_EUNINIT);
		ck_assert_int_eq(fph_reporter_get_state(r), FPH_EUNINIT);
		ck_assert_int_eq(fph_reporter_get_amounts(r, &a, sizeof(a)),
				 FPH_EUNINIT);
		ck_assert_int_eq(fph_reporter_get_counters(r, &n, sizeof(n)),
				 FPH_EUNINIT);
	}
	for (i = 0; i < 16; i++)
		ck_assert_uint_eq(zero[i], 0);
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
	ck_assert_int_eq(fixture_submit(&f, 0, segs, 4, &cookie), 2);
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
	ck_assert_int_eq(fixture_complete(&f, 0, cookie, true), FPH_OK);
	a = fixture_amounts(&f);
	ck_assert_uint_eq(a.outstanding.ranges, 0);
	ck_assert_uint_eq(a.outstanding.bytes, 0);
	ck_assert_uint_eq(a.back.ranges, 3);
	ck_assert_uint_eq(a.back.bytes, 3 * PAGE);
	/* By age of the run, inside of it by address. */
	fixture_expect(&f, 2, true);
	fixture_expect(&f, 3, true);
	fixture_expect(&f, 0, true);
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
	/* A full buffer of 0 and 2 leaves 4; the 5 of later joins it. */
	fixture_add(&f, 0, 0);
	fixture_add(&f, 0, 2);
	fixture_add(&f, 0, 4);
	ck_assert_int_eq(fixture_submit(&f, 0, segs, 4, &cookie), 2);
	ck_assert_int_eq(fixture_submit(&f, 0, segs, 4, &cookie), 0);
	fixture_add(&f, 0, 5);
	ck_assert_int_eq(fixture_submit(&f, 0, segs, 4, &cookie), 0);
	fixture_add(&f, 0, 3);
	ck_assert_int_eq(fixture_submit(&f, 9, segs, 4, &cookie), 0);
	ck_assert_int_eq(fixture_submit(&f, 10, segs, 4, &cookie), 1);
	ck_assert_uint_eq(segs[0].gpa, 3 * PAGE);
	ck_assert_uint_eq(segs[0].len, 3 * PAGE);
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
	ck_assert_int_eq(fixture_submit(&f, 0, segs, 0, &cookie),
			 FPH_EINVAL);
	ck_assert_uint_eq(cookie, 5);
	/* The queue has one descriptor: the rest waits, and is not full. */
	segs[1].gpa = 77;
	ck_assert_int_eq(fixture_submit(&f, 0, segs, 1, &cookie), 1);
	ck_assert_uint_eq(segs[0].gpa, 0);
	ck_assert_uint_eq(segs[0].len, 2 * PAGE);
	ck_assert_uint_eq(segs[1].gpa, 77);
	ck_assert_int_eq(fixture_submit(&f, 0, segs, 1, &cookie), 0);
	ck_assert_int_eq(fixture_submit(&f, 10, segs, 1, &cookie), 1);
}
END_TEST

START_TEST(larger_ones_first)
{
	static const uint32_t lens[] = { 1, 5, 2, 5, 3, 8, 1, 13 };
	static const uint32_t want[] = { 7, 5, 1, 3, 4, 2, 0, 6 };
	struct fixture f;
	struct fph_reporter_params p;
	struct fph_seg segs[8];
	uint64_t cookie;
	uint32_t i;

	p = fixture_params();
	p.window = 1;
	p.low_water = 0;
	p.max_segs = 8;
	fixture_init_with(&f, &p);
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(fixture_add_range(&f, 0, i * 0x100000,
						  lens[i] * PAGE, i), FPH_OK);
	ck_assert_int_eq(fixture_submit(&f, 0, segs, 8, &cookie), 8);
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
			ck_assert_int_eq(fixture_add_range(&f, 0, gpa,
				t[i / 2].lens[k], k), FPH_OK);
			gpa += t[i / 2].lens[k];
			/* The last one alone stands apart. */
			if (k + 2 >= 4 || !t[i / 2].lens[k + 2])
				gpa += gap;
		}
		ck_assert_int_eq(fixture_submit(&f, 0, segs, 4,
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
	ck_assert_int_eq(fixture_add_range(&f, 0, 0, PAGE, 1), FPH_OK);
	ck_assert_int_eq(fixture_add_range(&f, 0, PAGE + 1, 1, 2), FPH_OK);
	ck_assert_int_eq(fixture_submit(&f, 0, segs, 4, &cookie), 2);
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
	ck_assert_int_eq(fixture_add_range(&f, 0, top, PAGE, 1), FPH_OK);
	ck_assert_int_eq(fixture_add_range(&f, 0, top - PAGE, PAGE, 2),
			 FPH_OK);
	/* Inside another one. */
	ck_assert_int_eq(fixture_add_range(&f, 0, top, PAGE / 2, 3),
			 FPH_EEXIST);
	ck_assert_int_eq(fixture_submit(&f, 10, segs, 4, &cookie), 1);
	ck_assert_uint_eq(segs[0].gpa, top - PAGE);
	ck_assert_uint_eq(segs[0].len, 2 * PAGE);
	ck_assert_uint_eq(fixture_amounts(&f).outstanding.ranges, 2);
	ck_assert_uint_eq(fixture_amounts(&f).outstanding.bytes, 2 * PAGE);
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
	ck_assert_int_eq(fixture_add_range(&f, 0, 99 * PAGE, PAGE, 9),
			 FPH_EFULL);
	ck_assert_mem_eq(&f, &before, sizeof(f));
	ck_assert_int_eq(fph_reporter_shrink(f.r, &out, 1), 1);
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
	ck_assert_int_eq(fixture_complete(&f, 0, a, true), FPH_OK);
	fixture_expect(&f, 1, true);
	/* The same storage is out again: the old name is not the new one. */
	fixture_add(&f, 0, 2);
	b = fixture_send(&f, 0);
	ck_assert_uint_ne(a, b);
	ck_assert_int_eq(fixture_complete(&f, 0, a, true), FPH_EINVAL);
	fixture_expect_none(&f);
	ck_assert_int_eq(fph_reporter_reset(f.r), FPH_OK);
	fixture_expect(&f, 2, false);
	ck_assert_int_eq(fixture_complete(&f, 0, b, true), FPH_EINVAL);
	fixture_expect_none(&f);
}
END_TEST

/* --------------------------------------------- faults of an older version -- */

static uint64_t large_mem[FPH_REPORTER_SIZE(4096, 4) / 8];

static void large_init(struct fixture *f, uint32_t max_segs)
{
	struct fph_reporter_params p = fixture_params();

	p.max_ranges = 4096;
	p.window = 4;
	p.max_segs = max_segs;
	ck_assert_int_eq(fph_reporter_init(&f->r, large_mem,
					   sizeof(large_mem), &p), FPH_OK);
}

/*
 * Fault 3: flush counted ranges, so that lower addresses that came later were
 * sent in place of what flush had named, which could wait for ever.
 */
START_TEST(flush_names_ranges)
{
	struct fixture f;
	struct fph_seg segs[1];
	uint64_t cookie;
	uint32_t i;

	large_init(&f, 8);
	fixture_add(&f, 0, 1000);
	ck_assert_int_eq(fph_reporter_flush(f.r), FPH_OK);
	for (i = 0; i < 4; i++)
		fixture_add(&f, 0, 2 * i);
	ck_assert_int_eq(fixture_submit(&f, 0, segs, 1, &cookie), 1);
	ck_assert_uint_eq(segs[0].gpa, 1000 * PAGE);
	/* The others came after it, and are not urgent. */
	ck_assert_int_eq(fixture_submit(&f, 0, segs, 1, &cookie), 0);
}
END_TEST

/* Fault 12: the deadline after a buffer was that of the first range. */
START_TEST(deadline_of_what_still_waits)
{
	struct fixture f;
	struct fph_seg segs[2];
	uint64_t cookie, when;

	fixture_init(&f);
	fixture_add(&f, 100, 0);
	fixture_add(&f, 103, 2);
	fixture_add(&f, 106, 4);
	ck_assert_int_eq(fixture_submit(&f, 106, segs, 2, &cookie), 2);
	ck_assert_int_eq(fph_reporter_get_deadline(f.r, &when), 1);
	ck_assert_uint_eq(when, 116);
	ck_assert_int_eq(fixture_submit(&f, 115, segs, 2, &cookie), 0);
	ck_assert_int_eq(fixture_submit(&f, 116, segs, 2, &cookie), 1);
}
END_TEST

/* A run that two others are joined by is as old as the older of them. */
START_TEST(joined_runs_keep_the_older_time)
{
	static const uint32_t order[2][2] = { { 0, 2 }, { 2, 0 } };
	struct fixture f;
	struct fph_seg seg;
	uint64_t cookie, when;
	int i;

	for (i = 0; i < 2; i++) {
		large_init(&f, 8);
		fixture_add(&f, 100, order[i][0]);
		fixture_add(&f, 101, 50);
		fixture_add(&f, 104, order[i][1]);
		fixture_add(&f, 108, 1);
		ck_assert_int_eq(fph_reporter_get_deadline(f.r, &when), 1);
		ck_assert_uint_eq(when, 110);
		ck_assert_int_eq(fixture_submit(&f, 110, &seg, 1, &cookie), 1);
		ck_assert_uint_eq(seg.gpa, 0);
		ck_assert_uint_eq(seg.len, 3 * PAGE);
		ck_assert_uint_eq(fixture_amounts(&f).outstanding.ranges, 3);
		ck_assert_int_eq(fph_reporter_get_deadline(f.r, &when), 1);
		ck_assert_uint_eq(when, 111);
	}
}
END_TEST

START_TEST(overlaps)
{
	static const struct {
		uint64_t gpa, len;
		int ret;
	} t[] = {
		{ 10, 10, FPH_EEXIST }, { 9, 2, FPH_EEXIST },
		{ 19, 1, FPH_EEXIST }, { 19, 5, FPH_EEXIST },
		{ 0, 100, FPH_EEXIST }, { 14, 2, FPH_EEXIST },
		{ 20, 11, FPH_EEXIST }, { 20, 10, FPH_OK }, { 0, 10, FPH_OK }
	};
	struct fixture f;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		large_init(&f, 8);
		ck_assert_int_eq(fixture_add_range(&f, 0, 30, 10, 2), FPH_OK);
		ck_assert_int_eq(fixture_add_range(&f, 0, 10, 10, 1), FPH_OK);
		ck_assert_int_eq(fixture_add_range(&f, 0, t[i].gpa, t[i].len,
						   3), t[i].ret);
	}
}
END_TEST

/* What stands before a bad entry is done; the bad one is the next call's. */
START_TEST(batches)
{
	struct fph_owned_range ranges[3] = {
		{ 0, PAGE, 1 }, { 8 * PAGE, PAGE, ~(uint64_t)0 }, { 0, 1, 3 }
	};
	struct fph_returned out[4];
	struct fph_buffer buffers[3];
	struct fph_used used[3] = { { 0 } };
	struct fph_seg segs[8];
	struct fixture f;

	fixture_init(&f);
	ck_assert_int_eq(fph_reporter_add(f.r, 0, ranges, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_reporter_add(f.r, 0, ranges, 3), 2);
	ck_assert_int_eq(fph_reporter_add(f.r, 0, ranges + 2, 1), FPH_EEXIST);
	fixture_add(&f, 0, 20);
	fixture_add(&f, 0, 22);
	fixture_add(&f, 0, 24);
	ck_assert_int_eq(fph_reporter_submit(f.r, 0, buffers, 0, segs, 8),
			 FPH_EINVAL);
	/* Only the first one of a call may be short of segments. */
	ck_assert_int_eq(fph_reporter_submit(f.r, 0, buffers, 3, segs, 3), 1);
	ck_assert_int_eq(fph_reporter_submit(f.r, 10, buffers + 1, 2, segs, 8),
			 2);
	ck_assert_uint_eq(buffers[1].nwrite, 2);
	ck_assert_uint_eq(buffers[2].nwrite, 1);
	ck_assert_uint_eq(segs[2].gpa, 24 * PAGE);
	used[0].cookie = buffers[1].cookie;
	used[1].cookie = buffers[0].cookie;
	used[2].cookie = buffers[1].cookie;
	ck_assert_int_eq(fph_reporter_complete(f.r, 0, used, 0, true),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_reporter_complete(f.r, 0, used, 3, true), 2);
	ck_assert_int_eq(fph_reporter_complete(f.r, 0, used + 2, 1, true),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_reporter_take_back(f.r, out, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_reporter_shrink(f.r, out, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_reporter_take_back(f.r, out, 3), 3);
	ck_assert_int_eq(fph_reporter_take_back(f.r, out + 3, 3), 1);
	ck_assert_uint_eq(out[3].owner, ~(uint64_t)0);
}
END_TEST

RUNNER_SUITE("reporter",
	     init_refused,
	     init_bad_numbers,
	     no_object,
	     the_constant_is_enough,
	     zero_means_the_default,
	     memory_is_not_touched_before_it_is_needed,
	     merged_on_the_wire_alone,
	     neighbours_of_different_times_merge,
	     short_of_room,
	     larger_ones_first,
	     no_buffer_of_4_gib,
	     a_gap_of_one_byte,
	     the_end_of_the_address_space,
	     slots_used_up,
	     cookies_are_not_taken_twice,
	     flush_names_ranges,
	     deadline_of_what_still_waits,
	     joined_runs_keep_the_older_time,
	     overlaps,
	     batches)
