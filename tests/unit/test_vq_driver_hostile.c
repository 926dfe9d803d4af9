/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtqueue, driver side: what a hostile device gets.  The ring is broken,
 * nothing comes back by a wrong way, and detach gives every buffer back once.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "ring.h"
#include "runner.h"

#define NUM		8
#define MEM_SIZE	8192
#define PAGE		4096u
#define ROUNDS		20000

static struct ring r;
static uint64_t vq_memory[FPH_VQ_DRIVER_SIZE(NUM) / 8];
static struct fph_vq_driver *vq;
static struct fph_used used;

static void take_up(bool event_idx)
{
	struct fph_vq_driver_params p = {
		.size = sizeof(p),
		.num = NUM,
		.features = (uint64_t)event_idx << VIRTIO_RING_F_EVENT_IDX,
		.endian = r.big ? FPH_BE : FPH_LE,
		.desc = r.desc,
		.driver = r.avail,
		.device = r.used,
	};

	WANT(fph_vq_driver_init(&vq, vq_memory, sizeof(vq_memory), &p) ==
	     FPH_OK);
}

static void add(uint32_t n, uint64_t cookie)
{
	static const struct fph_seg segs[2] = {
		{ PAGE, PAGE, FPH_SEG_WRITE }, { PAGE, PAGE, FPH_SEG_WRITE }
	};

	struct fph_buffer b = { .cookie = cookie, .nwrite = n };

	WANT(fph_vq_driver_add(vq, &b, 1, segs) == 1);
}

static int take(void)
{
	return fph_vq_driver_take_used(vq, &used, 1);
}

/* Cookies 1, 2, 3 at heads 0, 2, 3; the last was added, not submitted. */
static void start(bool big)
{
	ring_init(&r, NUM, big, MEM_SIZE);
	take_up(false);
	add(2, 1);
	add(1, 2);
	ck_assert_int_eq(fph_vq_driver_publish(vq), FPH_OK);
	add(1, 3);
}

/* All cookies in the mask come back by detach, and no other. */
static void expect_detach(uint32_t mask)
{
	while (mask) {
		WANT(fph_vq_driver_detach(vq, &used, 1) == 1);
		WANT(used.cookie < 32);
		WANT(mask & 1u << used.cookie);
		mask &= ~(1u << used.cookie);
	}
	WANT(fph_vq_driver_detach(vq, &used, 1) == 0);
	WANT(fph_vq_driver_get_inflight(vq) == 0);
}

static void expect_broken(int want, uint32_t left)
{
	struct fph_used before = used;
	uint32_t inflight = fph_vq_driver_get_inflight(vq);
	int ret = take();

	ck_assert_msg(ret == want, "%s, not %s", fph_status_name(ret),
		      fph_status_name(want));
	ck_assert(fph_status_is_peer(ret));
	ck_assert(fph_vq_driver_is_broken(vq));
	ck_assert_int_eq(take(), FPH_PEER_BROKEN);
	ck_assert_int_eq(fph_vq_driver_publish(vq), FPH_PEER_BROKEN);
	ck_assert_int_eq(fph_vq_driver_want_notify(vq, true), FPH_PEER_BROKEN);
	ck_assert_uint_eq(fph_vq_driver_get_inflight(vq), inflight);
	ck_assert_mem_eq(&used, &before, sizeof(used));
	expect_detach(left);

	/* A reset of the device and a new init: all is well. */
	r.used_idx = 0;
	take_up(false);
	ck_assert(!fph_vq_driver_is_broken(vq));
	add(2, 4);
	ck_assert_int_eq(fph_vq_driver_publish(vq), FPH_OK);
	ring_use(&r, ring_get_head(&r, 0), 0);
	ck_assert_int_eq(take(), 1);
	ck_assert_uint_eq(used.cookie, 4);
	ring_fini(&r);
}

/* Two are with the device: the index may move by two. */
START_TEST(test_used_index)
{
	static const uint16_t jumps[] = {
		3, 4, NUM, NUM + 1, 2001, 0x7fff, 0x8000, 0xffff
	};

	start(_i & 1);
	ring_set_used_idx(&r, jumps[_i / 2]);
	expect_broken(FPH_PEER_USED_INDEX, 0xe);
}
END_TEST

/* Back to where it was. */
START_TEST(test_used_index_back)
{
	start(_i);
	ring_use(&r, 0, 0);
	ck_assert_int_eq(take(), 1);
	ring_set_used_idx(&r, 0);
	expect_broken(FPH_PEER_USED_INDEX, 0xc);
}
END_TEST

START_TEST(test_used_id)
{
	static const uint32_t ids[] = {
		1,		/* inside a buffer, not its head */
		3,		/* added, not submitted */
		4,		/* free */
		NUM, NUM + 2, 0x10000, 0x10002, 0x80000000, 0xffffffff
	};

	start(_i & 1);
	ring_use(&r, ids[_i / 2], 0);
	expect_broken(FPH_PEER_USED_ID, 0xe);
}
END_TEST

/* Completed twice, in one batch or later. */
START_TEST(test_used_twice)
{
	start(_i & 1);
	ring_use(&r, 2, 0);
	if (_i & 2)
		ring_use(&r, 2, 0);
	ck_assert_int_eq(take(), 1);
	ck_assert_uint_eq(used.cookie, 2);
	if (!(_i & 2))
		ring_use(&r, 2, 0);
	expect_broken(FPH_PEER_USED_ID, 0xa);
}
END_TEST

/*
 * Never completed: nothing comes back, everything stays in flight, and a
 * reset releases it.
 */
START_TEST(test_never_used)
{
	start(_i);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(take(), 0);
	ck_assert_uint_eq(fph_vq_driver_get_inflight(vq), 3);
	ck_assert(!fph_vq_driver_is_broken(vq));
	expect_detach(0xe);
	ring_fini(&r);
}
END_TEST

/* Descriptors, available ring and lengths: what the device writes is noise. */
START_TEST(test_ring_overwritten)
{
	start(_i);
	memset(r.mem, 0xff, (size_t)(r.used - r.mem));
	ring_use(&r, 0, 0xffffffff);
	ck_assert_int_eq(take(), 1);
	ck_assert_uint_eq(used.cookie, 1);
	ck_assert_uint_eq(used.len, 0xffffffff);
	ck_assert_uint_eq(fph_vq_driver_get_room(vq), NUM - 2);
	add(2, 5);
	ck_assert_int_eq(fph_vq_driver_publish(vq), FPH_OK);
	ck_assert_uint_eq(ring_get_avail_idx(&r), 4);
	ring_use(&r, 3, 0);
	ring_use(&r, 0, 0);
	ring_use(&r, 2, 0);
	for (uint64_t i = 0; i < 3; i++) {
		static const uint64_t cookies[] = { 3, 5, 2 };

		ck_assert_int_eq(take(), 1);
		ck_assert_uint_eq(used.cookie, cookies[i]);
	}
	ck_assert_uint_eq(fph_vq_driver_get_room(vq), NUM);
	ring_fini(&r);
}
END_TEST

/* Writes all over the ring while the driver works with it. */
static void *scribble(void *arg)
{
	volatile int *stop = arg;
	uint64_t seed = 42;
	size_t words = (size_t)ring_free_gpa(&r) / 2;
	size_t first = (size_t)(r.used - r.mem) / 2;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		uint32_t v = ring_random(&seed);
		size_t at = ring_random(&seed) % words;
		uint16_t *p;

		/* Mostly the used ring, mostly values that may be right. */
		if (v & 0x70000)
			at = first + at % (words - first);
		if (v & 0x600000)
			at = first + 1;
		if (v & 0x180000)
			v &= NUM - 1;
		p = (uint16_t *)(void *)(r.mem + 2 * at);
		__atomic_store_n(p, (uint16_t)v, __ATOMIC_RELAXED);
	}
	return NULL;
}

START_TEST(test_concurrent)
{
	int came_back = 0, broken = 0, done = 0;
	pthread_t thread;

	ring_init(&r, NUM, _i, MEM_SIZE);
	WANT(pthread_create(&thread, NULL, scribble, &done) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t out = 0;
		int ret = 0;

		take_up(round & 1);
		for (uint32_t i = 0; i < 5; i++) {
			add(1 + i % 2, i);
			out |= 1u << i;
		}
		WANT(fph_vq_driver_publish(vq) == FPH_OK);
		WANT(fph_vq_driver_should_notify(vq) >= 0);
		WANT(fph_vq_driver_want_notify(vq, round & 2) >= 0);
		if (!(round & 15))
			sched_yield();
		/* Something good among it, as long as it lives; and bad. */
		r.used_idx = 0;
		if (round & 4)
			ring_use(&r, ring_get_head(&r, 3), 0);
		else if (round & 8)
			ring_set_used_idx(&r, 6);
		for (int i = 0; i < 10; i++) {
			ret = take();
			if (ret < 0)
				break;
			if (!ret)
				continue;
			WANT(used.cookie < 32);
			WANT(out & 1u << used.cookie);
			out &= ~(1u << used.cookie);
			came_back++;
		}
		WANT(ret >= 0 || fph_status_is_peer(ret));
		broken += ret < 0;
		expect_detach(out);
	}
	__atomic_store_n(&done, 1, __ATOMIC_RELAXED);
	WANT(pthread_join(thread, NULL) == 0);
	/* Both sorts happened, so the test looked at something. */
	ck_assert_int_gt(came_back, 0);
	ck_assert_int_gt(broken, 0);
	ring_fini(&r);
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("vq_driver_hostile");
	TCase *tc = tcase_create("hostile");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, test_used_index, 0, 16);
	tcase_add_loop_test(tc, test_used_index_back, 0, 2);
	tcase_add_loop_test(tc, test_used_id, 0, 18);
	tcase_add_loop_test(tc, test_used_twice, 0, 4);
	tcase_add_loop_test(tc, test_never_used, 0, 2);
	tcase_add_loop_test(tc, test_ring_overwritten, 0, 2);
	tcase_add_loop_test(tc, test_concurrent, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
