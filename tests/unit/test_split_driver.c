/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Split ring, driver side: states, contracts, and what a device gets to see. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "ring.h"

#define NUM		8
#define MEM_SIZE	(128 * 1024)
#define TABLE		(64 * 1024)	/* gpa */
#define PAGE		4096u

static struct ring r;
static struct fph_split_driver vq;
static struct fph_split_slot slots[NUM];
static struct fph_used used;

/* What a failed call must leave alone. */
static struct fph_split_driver vq_before;
static struct fph_split_slot slots_before[NUM];
static struct fph_used used_before;
static uint8_t mem_before[MEM_SIZE];

static void remember(void)
{
	vq_before = vq;
	used_before = used;
	memcpy(slots_before, slots, sizeof(slots));
	memcpy(mem_before, r.mem, MEM_SIZE);
}

static void expect_unchanged(void)
{
	ck_assert_mem_eq(&vq, &vq_before, sizeof(vq));
	ck_assert_mem_eq(&used, &used_before, sizeof(used));
	ck_assert_mem_eq(slots, slots_before, sizeof(slots));
	ck_assert_mem_eq(r.mem, mem_before, MEM_SIZE);
}

static struct fph_split_driver_params params_of(bool event_idx, bool indirect)
{
	struct fph_split_driver_params p = {
		.size = sizeof(p),
		.num = NUM,
		.event_idx = event_idx,
		.indirect = indirect,
		.endian = r.big ? FPH_BE : FPH_LE,
		.desc = r.desc,
		.avail = r.avail,
		.used = r.used,
		.slots = slots,
	};

	return p;
}

static void start(bool big, bool event_idx, bool indirect)
{
	struct fph_split_driver_params p;

	ring_init(&r, NUM, big, MEM_SIZE);
	p = params_of(event_idx, indirect);
	ck_assert_int_eq(fph_split_driver_init(&vq, &p), FPH_OK);
	memset(&used, 0x5a, sizeof(used));
}

static void stop(void)
{
	ring_fini(&r);
}

static struct fph_split_table table_of(uint32_t entries)
{
	struct fph_split_table t = { r.mem + TABLE, TABLE, entries };

	return t;
}

/* n writable pages under a cookie. */
static int add(uint32_t n, uint64_t cookie)
{
	struct fph_seg segs[NUM + 1];

	for (uint32_t i = 0; i < n; i++)
		segs[i] = (struct fph_seg){ PAGE * (i + 1), PAGE,
					    FPH_SEG_WRITE };
	return fph_split_driver_add(&vq, segs, n, cookie, NULL);
}

static void add_submit(uint32_t n, uint64_t cookie)
{
	WANT(add(n, cookie) == FPH_OK);
	WANT(fph_split_driver_submit(&vq) == FPH_OK);
}

START_TEST(test_init_refuses)
{
	struct {
		struct fph_split_driver_params p;
		uint8_t tail[8];
	} big;

	ring_init(&r, NUM, false, MEM_SIZE);
	memset(&vq, 0x5a, sizeof(vq));
	memset(slots, 0x5a, sizeof(slots));
	memset(r.mem, 0x5a, MEM_SIZE);
	remember();
	for (int i = 0; i < 16; i++) {
		struct fph_split_driver_params p = params_of(true, true);

		switch (i) {
		case 0: p.size = 0; break;
		case 1: p.size = sizeof(p) - 1; break;
		case 2: p.num = 0; break;
		case 3: p.num = 33; break;
		case 4: p.num = 32769; break;
		case 5: p.endian = 0; break;
		case 6: p.endian = 3; break;
		case 7: p.desc = NULL; break;
		case 8: p.avail = NULL; break;
		case 9: p.used = NULL; break;
		case 10: p.desc = r.desc + 8; break;
		case 11: p.avail = r.avail + 1; break;
		case 12: p.used = r.used + 2; break;
		case 13: p.slots = NULL; break;
		case 14:
			ck_assert_int_eq(fph_split_driver_init(&vq, NULL),
					 FPH_EINVAL);
			continue;
		case 15:
			ck_assert_int_eq(fph_split_driver_init(NULL, &p),
					 FPH_EINVAL);
			continue;
		}
		ck_assert_msg(fph_split_driver_init(&vq, &p) == FPH_EINVAL,
			      "case %d", i);
		expect_unchanged();
	}

	memset(&big, 0, sizeof(big));
	big.p = params_of(true, true);
	big.p.size = sizeof(big);
	big.tail[0] = 1;
	ck_assert_int_eq(fph_split_driver_init(&vq, &big.p), FPH_EINVAL);
	expect_unchanged();
	big.tail[0] = 0;
	ck_assert_int_eq(fph_split_driver_init(&vq, &big.p), FPH_OK);

	/* All three parts are written, and not a byte more. */
	for (size_t i = 0; i < ring_free_gpa(&r); i++) {
		size_t off = (size_t)(r.used - r.mem) +
			     FPH_SPLIT_USED_SIZE(NUM);
		bool gap = (i >= 16 * NUM + FPH_SPLIT_AVAIL_SIZE(NUM) &&
			    i < (size_t)(r.used - r.mem)) || i >= off;

		ck_assert_uint_eq(r.mem[i], gap ? 0x5a : 0);
	}
	ck_assert_uint_eq(fph_split_driver_get_free(&vq), NUM);
	ck_assert_uint_eq(fph_split_driver_get_inflight(&vq), 0);
	ck_assert(!fph_split_driver_is_broken(&vq));
	stop();
}
END_TEST

/* Every state and every call. */
enum state { NONE, LIVE, BROKEN, DEAD };

static void enter(enum state state)
{
	start(false, false, true);
	add_submit(2, 11);
	ck_assert_int_eq(add(1, 12), FPH_OK);
	if (state == BROKEN) {
		ring_set_used_idx(&r, 2);
		ck_assert_int_eq(fph_split_driver_next(&vq, &used),
				 FPH_PEER_USED_INDEX);
	}
	if (state == DEAD)
		ck_assert_int_eq(fph_split_driver_abort(&vq, &used), 1);
	if (state == NONE)
		memset(&vq, 0, sizeof(vq));
	remember();
}

START_TEST(test_states)
{
	static const struct {
		int call, next, abort;
		uint16_t free, inflight;
		bool broken;
	} want[] = {
		{ FPH_EUNINIT, FPH_EUNINIT, FPH_EUNINIT, 0, 0, true },
		{ FPH_OK, 0, 1, NUM - 3, 2, false },
		{ FPH_PEER_BROKEN, FPH_PEER_BROKEN, 1, 0, 2, true },
		{ FPH_ESTATE, FPH_ESTATE, 1, 0, 1, false },
	};
	enum state s = (enum state)(_i / 7);
	int ret = 0, expected = want[s].call;

	enter(s);
	ck_assert_uint_eq(fph_split_driver_get_free(&vq), want[s].free);
	ck_assert_uint_eq(fph_split_driver_get_inflight(&vq),
			  want[s].inflight);
	ck_assert_int_eq(fph_split_driver_is_broken(&vq), want[s].broken);
	switch (_i % 7) {
	case 0:
		ret = add(1, 13);
		break;
	case 1:
		ret = fph_split_driver_submit(&vq);
		break;
	case 2:
		ret = fph_split_driver_get_notify(&vq);
		if (s == LIVE)
			expected = 1;
		break;
	case 3:
		ret = fph_split_driver_arm(&vq, true);
		break;
	case 4:
		ret = fph_split_driver_arm(&vq, false);
		break;
	case 5:
		ret = fph_split_driver_next(&vq, &used);
		expected = want[s].next;
		break;
	case 6:
		ret = fph_split_driver_abort(&vq, &used);
		expected = want[s].abort;
		break;
	}
	ck_assert_int_eq(ret, expected);
	if (ret < 0 || _i % 7 == 5)
		expect_unchanged();
	stop();
}
END_TEST

START_TEST(test_abort)
{
	uint32_t seen = 0;
	uint64_t cookie;

	/* From live and from broken, in all stages that a buffer can be in. */
	start(false, false, true);
	add_submit(2, 0);
	add_submit(1, 1);
	add_submit(2, 2);
	ring_use(&r, ring_get_head(&r, 1), 0);
	ck_assert_int_eq(fph_split_driver_next(&vq, &used), 1);
	ck_assert_uint_eq(used.cookie, 1);
	/* Used but not taken, and added but not submitted. */
	ring_use(&r, ring_get_head(&r, 2), 5);
	ck_assert_int_eq(add(3, 3), FPH_OK);
	if (_i) {
		ring_set_used_idx(&r, 9);
		ck_assert_int_eq(fph_split_driver_next(&vq, &used),
				 FPH_PEER_USED_INDEX);
	}
	remember();
	ck_assert_int_eq(fph_split_driver_abort(&vq, NULL), FPH_EINVAL);
	expect_unchanged();
	for (uint32_t left = 3; left > 0; left--) {
		ck_assert_uint_eq(fph_split_driver_get_inflight(&vq), left);
		ck_assert_int_eq(fph_split_driver_abort(&vq, &used), 1);
		cookie = used.cookie;
		ck_assert_uint_eq(used.len, 0);
		ck_assert_uint_le(cookie, 3);
		ck_assert(!(seen & 1u << cookie));
		seen |= 1u << cookie;
	}
	ck_assert_uint_eq(seen, 0xd);
	ck_assert_int_eq(fph_split_driver_abort(&vq, &used), 0);
	ck_assert_int_eq(fph_split_driver_abort(&vq, &used), 0);
	ck_assert_int_eq(fph_split_driver_is_broken(&vq), _i);
	stop();
}
END_TEST

START_TEST(test_add_refuses)
{
	static const struct fph_seg bad[][3] = {
		{ { PAGE, 0, 0 } },
		{ { PAGE, PAGE, FPH_SEG_WRITE }, { PAGE, 0, FPH_SEG_WRITE } },
		{ { PAGE, PAGE, 2 } },
		{ { PAGE, PAGE, FPH_SEG_WRITE | 2 } },
		{ { 0 - (uint64_t)PAGE, PAGE + 1, 0 } },
		{ { PAGE, PAGE, FPH_SEG_WRITE }, { PAGE, PAGE, 0 } },
		{ { 0, 0x80000000, 0 }, { 0, 0x80000000, 0 }, { 0, 1, 0 } },
	};
	struct fph_seg good[NUM + 1];
	struct fph_split_table t;

	start(_i, false, true);
	remember();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint32_t n = 1;

		while (n < 3 && bad[i][n].len + bad[i][n].gpa)
			n++;
		t = table_of(NUM);
		ck_assert_msg(fph_split_driver_add(&vq, bad[i], n, 1, NULL) ==
			      FPH_EINVAL, "case %zu", i);
		ck_assert_int_eq(fph_split_driver_add(&vq, bad[i], n, 1, &t),
				 FPH_EINVAL);
	}
	for (int i = 0; i <= NUM; i++)
		good[i] = (struct fph_seg){ PAGE, PAGE, 0 };
	ck_assert_int_eq(fph_split_driver_add(&vq, NULL, 1, 1, NULL),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_split_driver_add(&vq, good, 0, 1, NULL),
			 FPH_EINVAL);
	/* Longer than the ring, also in a table. */
	ck_assert_int_eq(fph_split_driver_add(&vq, good, NUM + 1, 1, NULL),
			 FPH_EINVAL);
	t = table_of(NUM + 1);
	ck_assert_int_eq(fph_split_driver_add(&vq, good, NUM + 1, 1, &t),
			 FPH_EINVAL);
	t = table_of(1);
	ck_assert_int_eq(fph_split_driver_add(&vq, good, 2, 1, &t),
			 FPH_EINVAL);
	t = table_of(2);
	t.addr = NULL;
	ck_assert_int_eq(fph_split_driver_add(&vq, good, 2, 1, &t),
			 FPH_EINVAL);
	t = table_of(2);
	t.gpa = 0 - (uint64_t)16;
	ck_assert_int_eq(fph_split_driver_add(&vq, good, 2, 1, &t),
			 FPH_EINVAL);
	expect_unchanged();
	/* Exactly at 2^64 is fine, and so are 2^32 bytes. */
	ck_assert_int_eq(fph_split_driver_add(&vq, good, 1, 1, &t), FPH_OK);
	ck_assert_int_eq(fph_split_driver_add(&vq, bad[6], 2, 2, NULL),
			 FPH_OK);
	stop();

	start(_i, false, false);
	t = table_of(2);
	remember();
	ck_assert_int_eq(fph_split_driver_add(&vq, good, 2, 1, &t),
			 FPH_EINVAL);
	expect_unchanged();
	stop();
}
END_TEST

/* Whole or not at all; a table needs one descriptor whatever is in it. */
START_TEST(test_full)
{
	static const struct fph_seg segs[2] = {
		{ PAGE, PAGE, 0 }, { PAGE, PAGE, 0 }
	};
	struct fph_split_table t;

	start(_i, false, true);
	t = table_of(2);
	ck_assert_int_eq(add(NUM - 1, 1), FPH_OK);
	ck_assert_uint_eq(fph_split_driver_get_free(&vq), 1);
	remember();
	ck_assert_int_eq(add(2, 2), FPH_EFULL);
	expect_unchanged();
	ck_assert_int_eq(fph_split_driver_add(&vq, segs, 2, 2, &t), FPH_OK);
	ck_assert_uint_eq(fph_split_driver_get_free(&vq), 0);
	remember();
	ck_assert_int_eq(add(1, 3), FPH_EFULL);
	ck_assert_int_eq(fph_split_driver_add(&vq, segs, 1, 3, &t),
			 FPH_EFULL);
	expect_unchanged();
	ck_assert_int_eq(fph_split_driver_submit(&vq), FPH_OK);
	ring_use(&r, ring_get_head(&r, 0), 0);
	ck_assert_int_eq(fph_split_driver_next(&vq, &used), 1);
	ck_assert_uint_eq(fph_split_driver_get_free(&vq), NUM - 1);
	ck_assert_int_eq(add(NUM - 1, 4), FPH_OK);
	stop();
}
END_TEST

static void expect_desc(const uint8_t *at, uint32_t i, uint64_t gpa,
			uint32_t len, uint16_t flags, uint16_t next)
{
	at += 16 * i;
	ck_assert_uint_eq(ring_get(at, 8, r.big), gpa);
	ck_assert_uint_eq(ring_get(at + 8, 4, r.big), len);
	ck_assert_uint_eq(ring_get(at + 12, 2, r.big), flags);
	ck_assert_uint_eq(ring_get(at + 14, 2, r.big), next);
}

START_TEST(test_layout)
{
	static const struct fph_seg segs[3] = {
		{ 0x123456789abcdef0, 4, 0 },
		{ 0x1000, 0x01020304, FPH_SEG_WRITE },
		{ 0x2000, 0x10, FPH_SEG_WRITE },
	};
	struct fph_split_table t;

	start(_i, false, true);
	t = table_of(5);
	ck_assert_int_eq(fph_split_driver_add(&vq, segs, 3, 1, NULL), FPH_OK);
	ck_assert_int_eq(fph_split_driver_add(&vq, segs, 3, 2, &t), FPH_OK);
	ck_assert_int_eq(fph_split_driver_add(&vq, segs, 1, 3, NULL), FPH_OK);
	/* Nothing is shown before submit, and then all of it. */
	ck_assert_uint_eq(ring_get_avail_idx(&r), 0);
	ck_assert_int_eq(fph_split_driver_submit(&vq), FPH_OK);
	ck_assert_uint_eq(ring_get_avail_idx(&r), 3);
	ck_assert_uint_eq(ring_get_head(&r, 0), 0);
	ck_assert_uint_eq(ring_get_head(&r, 1), 3);
	ck_assert_uint_eq(ring_get_head(&r, 2), 4);

	expect_desc(r.desc, 0, segs[0].gpa, 4, RING_NEXT, 1);
	expect_desc(r.desc, 1, 0x1000, 0x01020304, RING_NEXT | RING_WRITE, 2);
	expect_desc(r.desc, 2, 0x2000, 0x10, RING_WRITE, 0);
	expect_desc(r.desc, 3, TABLE, 48, RING_INDIRECT, 0);
	expect_desc(r.desc, 4, segs[0].gpa, 4, 0, 0);
	expect_desc(r.mem + TABLE, 0, segs[0].gpa, 4, RING_NEXT, 1);
	expect_desc(r.mem + TABLE, 1, 0x1000, 0x01020304,
		    RING_NEXT | RING_WRITE, 2);
	expect_desc(r.mem + TABLE, 2, 0x2000, 0x10, RING_WRITE, 0);
	expect_desc(r.mem + TABLE, 3, 0, 0, 0, 0);

	/* Submit with nothing new stores nothing. */
	remember();
	ck_assert_int_eq(fph_split_driver_submit(&vq), FPH_OK);
	expect_unchanged();
	ck_assert_int_eq(fph_split_driver_next(&vq, NULL), FPH_EINVAL);
	ck_assert_int_eq(fph_split_driver_next(&vq, &used), 0);
	expect_unchanged();

	/* Out of order. */
	ring_use(&r, 4, 0);
	ring_use(&r, 0, 0x01020304);
	ring_use(&r, 3, 7);
	for (uint64_t i = 0; i < 3; i++) {
		static const uint64_t cookies[] = { 3, 1, 2 };
		static const uint32_t lens[] = { 0, 0x01020304, 7 };

		ck_assert_int_eq(fph_split_driver_next(&vq, &used), 1);
		ck_assert_uint_eq(used.cookie, cookies[i]);
		ck_assert_uint_eq(used.len, lens[i]);
	}
	ck_assert_int_eq(fph_split_driver_next(&vq, &used), 0);
	ck_assert_uint_eq(fph_split_driver_get_free(&vq), NUM);
	ck_assert_uint_eq(fph_split_driver_get_inflight(&vq), 0);
	stop();
}
END_TEST

static void round_trip(uint64_t cookie)
{
	add_submit(1, cookie);
	ring_use(&r, ring_get_head(&r, r.used_idx), 0);
	WANT(fph_split_driver_next(&vq, &used) == 1);
	WANT(used.cookie == cookie);
}

START_TEST(test_notify_flags)
{
	start(_i, false, false);
	ck_assert_int_eq(fph_split_driver_get_notify(&vq), 0);
	for (uint16_t i = 0; i < 6; i++) {
		ring_set_used_flags(&r, i & 1);
		ck_assert_int_eq(add(1, i), FPH_OK);
		/* Not submitted: nothing to tell. */
		ck_assert_int_eq(fph_split_driver_get_notify(&vq), 0);
		ck_assert_int_eq(fph_split_driver_submit(&vq), FPH_OK);
		ck_assert_int_eq(fph_split_driver_get_notify(&vq), !(i & 1));
		ck_assert_int_eq(fph_split_driver_get_notify(&vq), 0);
	}
	stop();
}
END_TEST

START_TEST(test_notify_event)
{
	static const int want[] = { 0, 0, 0, 1, 0, 0 };

	start(_i, true, false);
	ring_set_avail_event(&r, 3);
	ring_set_used_flags(&r, 1);
	for (uint16_t i = 0; i < 6; i++) {
		add_submit(1, i);
		ck_assert_int_eq(fph_split_driver_get_notify(&vq), want[i]);
	}
	/* In the middle of a batch. */
	ring_set_avail_event(&r, 6);
	add_submit(1, 6);
	add_submit(1, 7);
	ck_assert_int_eq(fph_split_driver_get_notify(&vq), 1);
	ck_assert_int_eq(fph_split_driver_get_notify(&vq), 0);
	stop();
}
END_TEST

/* 65536 submits between two questions: the index looks unmoved. */
START_TEST(test_notify_all_round)
{
	start(false, _i, false);
	round_trip(0);
	ck_assert_int_eq(fph_split_driver_get_notify(&vq), 1);
	for (uint32_t i = 0; i < 65536; i++)
		round_trip(i);
	ck_assert_uint_eq(ring_get_avail_idx(&r), 1);
	ck_assert_int_eq(fph_split_driver_get_notify(&vq), 1);
	ck_assert_int_eq(fph_split_driver_get_notify(&vq), 0);
	stop();
}
END_TEST

START_TEST(test_arm)
{
	bool event = _i & 2;

	start(_i & 1, event, false);
	for (uint16_t i = 0; i < 3; i++) {
		ck_assert_int_eq(fph_split_driver_arm(&vq, true), 0);
		ck_assert_uint_eq(ring_get_used_event(&r), event ? i : 0);
		ck_assert_uint_eq(ring_get_avail_flags(&r), 0);
		ck_assert_int_eq(fph_split_driver_arm(&vq, false), 0);
		ck_assert_uint_eq(ring_get_used_event(&r),
				  event ? (uint16_t)(i - 1) : 0);
		ck_assert_uint_eq(ring_get_avail_flags(&r), !event);
		add_submit(1, i);
		ring_use(&r, ring_get_head(&r, i), 0);
		/* Used before the wish was out: arm sees it. */
		ck_assert_int_eq(fph_split_driver_arm(&vq, false), 0);
		ck_assert_int_eq(fph_split_driver_arm(&vq, true), 1);
		ck_assert_int_eq(fph_split_driver_next(&vq, &used), 1);
		ck_assert_int_eq(fph_split_driver_arm(&vq, true), 0);
	}
	stop();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("split_driver");
	TCase *tc = tcase_create("contract");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, test_init_refuses);
	tcase_add_loop_test(tc, test_states, 0, 4 * 7);
	tcase_add_loop_test(tc, test_abort, 0, 2);
	tcase_add_loop_test(tc, test_add_refuses, 0, 2);
	tcase_add_loop_test(tc, test_full, 0, 2);
	tcase_add_loop_test(tc, test_layout, 0, 2);
	tcase_add_loop_test(tc, test_notify_flags, 0, 2);
	tcase_add_loop_test(tc, test_notify_event, 0, 2);
	tcase_add_loop_test(tc, test_notify_all_round, 0, 2);
	tcase_add_loop_test(tc, test_arm, 0, 4);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
