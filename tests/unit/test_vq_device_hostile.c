/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtqueue, device side: what a hostile driver gets.
 *
 * The table has the outcome beside that of QEMU 7.2's device, measured on its
 * reporting queue.  "accepts" means that the ring hands the buffer out; what
 * is then done about ranges that are no guest memory or not aligned is not
 * the ring's business.
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
#include "vring/device.h"

#define NUM		32
#define MEM_SIZE	(64 * 1024)
#define T		(32 * 1024)	/* gpa of a table */
#define T2		(48 * 1024)	/* gpa of another one */
#define IN		RING_WRITE
#define NEXT		RING_NEXT
#define IND		RING_INDIRECT
#define PAGE		4096u
#define ACCEPTED	1
#define ROUNDS		20000

enum place { END, RING, TABLE, TABLE2 };

struct entry {
	enum place place;
	uint16_t i;
	uint64_t gpa;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* The chain begins at entry 0 of the ring. */
struct hostile {
	const char *name;
	const char *qemu;
	int want;
	bool direct;			/* indirect is not negotiated */
	struct entry e[5];
};

static const struct hostile table[] = {
	{ "zero length", "broken", FPH_PEER_ZERO_LEN, false,
	  { { RING, 0, PAGE, 0, IN, 0 } } },
	{ "zero length behind a good one", "broken", FPH_PEER_ZERO_LEN, false,
	  { { RING, 0, PAGE, PAGE, IN | NEXT, 1 },
	    { RING, 1, PAGE, 0, IN, 0 } } },
	{ "zero length between good ones", "broken", FPH_PEER_ZERO_LEN, false,
	  { { RING, 0, PAGE, PAGE, IN | NEXT, 1 },
	    { RING, 1, PAGE, 0, IN | NEXT, 2 },
	    { RING, 2, PAGE, PAGE, IN, 0 } } },
	{ "zero length in a table", "broken", FPH_PEER_ZERO_LEN, false,
	  { { RING, 0, T, 32, IND, 0 },
	    { TABLE, 0, PAGE, PAGE, IN | NEXT, 1 },
	    { TABLE, 1, PAGE, 0, IN, 0 } } },
	{ "unaligned address and length", "ignored, returned", ACCEPTED, false,
	  { { RING, 0, 0x1234567, 0x777, IN, 0 } } },
	{ "out of RAM, 4 KiB", "ignored, returned", ACCEPTED, false,
	  { { RING, 0, (uint64_t)1 << 40, PAGE, IN, 0 } } },
	{ "at 2^63", "ignored, returned", ACCEPTED, false,
	  { { RING, 0, (uint64_t)1 << 63, PAGE, IN, 0 } } },
	{ "out of RAM, 2 MiB", "broken", ACCEPTED, false,
	  { { RING, 0, (uint64_t)1 << 40, 2 << 20, IN, 0 } } },
	{ "ends at 2^64", "ignored, returned", ACCEPTED, false,
	  { { RING, 0, 0 - (uint64_t)PAGE, PAGE, IN, 0 } } },
	{ "wraps 2^64", "ignored, returned", FPH_PEER_WRAP, false,
	  { { RING, 0, 0 - (uint64_t)PAGE, PAGE + 1, IN, 0 } } },
	{ "wraps 2^64 by far", "ignored, returned", FPH_PEER_WRAP, false,
	  { { RING, 0, 0 - (uint64_t)1, 0xffffffff, IN, 0 } } },
	{ "one range twice", "fine", ACCEPTED, false,
	  { { RING, 0, PAGE, PAGE, IN | NEXT, 1 },
	    { RING, 1, PAGE, PAGE, IN, 0 } } },
	{ "covers the ring", "ring zeroed, then broken", ACCEPTED, false,
	  { { RING, 0, 0, T, IN, 0 } } },
	{ "readable", "ignored", ACCEPTED, false,
	  { { RING, 0, PAGE, PAGE, 0, 0 } } },
	{ "readable, then writable", "writable part freed", ACCEPTED, false,
	  { { RING, 0, PAGE, PAGE, NEXT, 1 },
	    { RING, 1, PAGE, PAGE, IN, 0 } } },
	{ "writable, then readable", "broken", FPH_PEER_ORDER, false,
	  { { RING, 0, PAGE, PAGE, IN | NEXT, 1 },
	    { RING, 1, PAGE, PAGE, 0, 0 } } },
	{ "writable, then readable in a table", "broken", FPH_PEER_ORDER,
	  false,
	  { { RING, 0, PAGE, PAGE, IN | NEXT, 1 },
	    { RING, 1, T, 16, IND, 0 },
	    { TABLE, 0, PAGE, PAGE, 0, 0 } } },
	{ "loop of one", "broken", FPH_PEER_LONG_CHAIN, false,
	  { { RING, 0, PAGE, 1, IN | NEXT, 0 } } },
	{ "loop of two", "broken", FPH_PEER_LONG_CHAIN, false,
	  { { RING, 0, PAGE, 1, IN | NEXT, 1 },
	    { RING, 1, PAGE, 1, IN | NEXT, 0 } } },
	{ "loop in a table", "broken", FPH_PEER_LONG_CHAIN, false,
	  { { RING, 0, T, 32, IND, 0 },
	    { TABLE, 0, PAGE, 1, IN | NEXT, 1 },
	    { TABLE, 1, PAGE, 1, IN | NEXT, 0 } } },
	{ "next is num", "broken", FPH_PEER_NEXT, false,
	  { { RING, 0, PAGE, PAGE, IN | NEXT, NUM } } },
	{ "next is 65535", "broken", FPH_PEER_NEXT, false,
	  { { RING, 0, PAGE, PAGE, IN | NEXT, 0xffff } } },
	{ "next is behind the table", "broken", FPH_PEER_NEXT, false,
	  { { RING, 0, T, 32, IND, 0 },
	    { TABLE, 0, PAGE, PAGE, IN | NEXT, 2 } } },
	{ "total 2^32", "not measured", ACCEPTED, false,
	  { { RING, 0, 0, 0x80000000, NEXT, 1 },
	    { RING, 1, 0, 0x80000000, IN, 0 } } },
	{ "total 2^32 + 1", "not measured", FPH_PEER_TOTAL, false,
	  { { RING, 0, 0, 0x80000000, NEXT, 1 },
	    { RING, 1, 0, 0x80000000, IN | NEXT, 2 },
	    { RING, 2, 0, 1, IN, 0 } } },
	{ "total 2^34 - 4", "not measured", FPH_PEER_TOTAL, false,
	  { { RING, 0, 0, 0xffffffff, IN | NEXT, 1 },
	    { RING, 1, 0, 0xffffffff, IN | NEXT, 2 },
	    { RING, 2, 0, 0xffffffff, IN | NEXT, 3 },
	    { RING, 3, 0, 0xffffffff, IN, 0 } } },
	{ "indirect", "accepted", ACCEPTED, false,
	  { { RING, 0, T, 16, IND, 0 },
	    { TABLE, 0, PAGE, PAGE, IN, 0 } } },
	{ "indirect behind a direct one", "not measured", ACCEPTED, false,
	  { { RING, 0, PAGE, PAGE, NEXT, 9 },
	    { RING, 9, T, 16, IND, 0 },
	    { TABLE, 0, PAGE, PAGE, IN, 0 } } },
	{ "indirect, not negotiated", "accepted", FPH_PEER_INDIRECT, true,
	  { { RING, 0, T, 16, IND, 0 },
	    { TABLE, 0, PAGE, PAGE, IN, 0 } } },
	{ "indirect in indirect", "accepted", FPH_PEER_INDIRECT_NEST, false,
	  { { RING, 0, T, 16, IND, 0 },
	    { TABLE, 0, T2, 16, IND, 0 },
	    { TABLE2, 0, PAGE, PAGE, IN, 0 } } },
	{ "indirect in indirect, later", "accepted", FPH_PEER_INDIRECT_NEST,
	  false,
	  { { RING, 0, T, 32, IND, 0 },
	    { TABLE, 0, PAGE, PAGE, IN | NEXT, 1 },
	    { TABLE, 1, T2, 16, IND, 0 },
	    { TABLE2, 0, PAGE, PAGE, IN, 0 } } },
	{ "table that names itself", "accepted", FPH_PEER_INDIRECT_NEST, false,
	  { { RING, 0, T, 16, IND, 0 },
	    { TABLE, 0, T, 16, IND, 0 } } },
	{ "indirect and next", "accepted", FPH_PEER_INDIRECT_NEXT, false,
	  { { RING, 0, T, 16, IND | NEXT, 1 },
	    { TABLE, 0, PAGE, PAGE, IN, 0 },
	    { RING, 1, PAGE, PAGE, IN, 0 } } },
	{ "table of 0 bytes", "broken", FPH_PEER_INDIRECT_LEN, false,
	  { { RING, 0, T, 0, IND, 0 } } },
	{ "table of 24 bytes", "broken", FPH_PEER_INDIRECT_LEN, false,
	  { { RING, 0, T, 24, IND, 0 },
	    { TABLE, 0, PAGE, PAGE, IN, 0 } } },
	{ "table of 8 bytes", "not measured", FPH_PEER_INDIRECT_LEN, false,
	  { { RING, 0, T, 8, IND, 0 } } },
	{ "table outside RAM", "broken", FPH_PEER_INDIRECT_ADDR, false,
	  { { RING, 0, (uint64_t)1 << 40, 16, IND, 0 } } },
	{ "table half outside RAM", "not measured", FPH_PEER_INDIRECT_ADDR,
	  false,
	  { { RING, 0, MEM_SIZE - 16, 32, IND, 0 } } },
	{ "table that ends with RAM", "not measured", ACCEPTED, false,
	  { { RING, 0, T2, 16 * 1024, IND, 0 },
	    { TABLE2, 0, PAGE, PAGE, IN, 0 } } },
	{ "table wraps 2^64", "not measured", FPH_PEER_INDIRECT_ADDR, false,
	  { { RING, 0, 0 - (uint64_t)16, 32, IND, 0 } } },
	{ "table of nearly 4 GiB", "not measured", FPH_PEER_INDIRECT_ADDR,
	  false,
	  { { RING, 0, T, 0xfffffff0, IND, 0 } } },
};

static struct ring r;
static uint64_t vq_memory[FPH_VQ_DEVICE_SIZE(NUM) / 8];
static struct fph_vq_device *vq;
static struct fph_seg segs[NUM];
static struct fph_buffer elem;

/* The ring promises a map function that it asks for real ranges only. */
static const void *strict_map(void *ctx, uint64_t gpa, uint64_t len)
{
	WANT(len > 0 && gpa + (len - 1) >= gpa);
	return ring_map(ctx, gpa, len);
}

static void take_up(bool indirect, bool event_idx)
{
	struct fph_vq_device_params p = {
		.size = sizeof(p),
		.num = NUM,
		.features = (uint64_t)event_idx << VIRTIO_RING_F_EVENT_IDX |
			    (uint64_t)indirect << VIRTIO_RING_F_INDIRECT_DESC,
		.endian = r.big ? FPH_BE : FPH_LE,
		.base = r.avail_idx,
		.desc = r.desc,
		.driver = r.avail,
		.device = r.used,
		.map = strict_map,
		.map_ctx = &r,
	};

	WANT(fph_vq_device_init(&vq, vq_memory, sizeof(vq_memory), &p) ==
	     FPH_OK);
}

static int pop(void)
{
	return fph_vq_device_pop(vq, &elem, 1, segs, NUM);
}

static int push_head(uint32_t head)
{
	struct fph_used used = { .cookie = fph_cookie(head, 0) };

	return fph_vq_device_push(vq, &used, 1);
}

static uint32_t head_of(const struct fph_buffer *b)
{
	return fph_cookie_head(b->cookie);
}

/* A good buffer at the last head, popped and kept in flight. */
static void pop_good(void)
{
	ring_desc(&r, r.desc, NUM - 1, PAGE, PAGE, IN, 0);
	ring_offer(&r, NUM - 1);
	ck_assert_int_eq(pop(), 1);
	ck_assert_uint_eq(head_of(&elem), NUM - 1);
	ck_assert_uint_eq(elem.nread + elem.nwrite, 1);
}

/*
 * The next pop answers want, breaks the ring, and does nothing else; what was
 * popped before can be returned; a new init recovers.
 */
static void expect_broken(int want, const char *name)
{
	struct fph_buffer before = elem;
	uint32_t base = fph_vq_device_get_base(vq);
	uint32_t inflight = fph_vq_device_get_inflight(vq);
	uint8_t *mem = malloc(MEM_SIZE);
	int ret;

	ck_assert_ptr_nonnull(mem);
	memcpy(mem, r.mem, MEM_SIZE);
	ret = pop();
	ck_assert_msg(ret == want, "%s: %s, not %s", name,
		      fph_status_name(ret), fph_status_name(want));
	ck_assert(fph_status_is_peer(ret));
	for (int i = 0; i < 2; i++) {
		ck_assert(fph_vq_device_is_broken(vq));
		ck_assert_uint_eq(fph_vq_device_get_base(vq), base);
		ck_assert_uint_eq(fph_vq_device_get_inflight(vq),
				  inflight);
		ck_assert_int_eq(pop(), FPH_PEER_BROKEN);
	}
	ck_assert_uint_eq(elem.cookie, before.cookie);
	ck_assert_mem_eq(r.mem, mem, MEM_SIZE);
	free(mem);

	if (inflight) {
		ck_assert_int_eq(push_head(NUM - 1),
				 1);
		ck_assert_int_eq(fph_vq_device_should_notify(vq), 1);
	}
	ck_assert_int_eq(pop(), FPH_PEER_BROKEN);
	take_up(true, false);
	pop_good();
	ck_assert(!fph_vq_device_is_broken(vq));
}

static void write_entries(const struct hostile *h)
{
	for (int i = 0; i < 5 && h->e[i].place != END; i++) {
		const struct entry *e = &h->e[i];
		uint8_t *at = e->place == RING ? r.desc :
			      r.mem + (e->place == TABLE ? T : T2);

		ring_desc(&r, at, e->i, e->gpa, e->len, e->flags, e->next);
	}
}

START_TEST(test_hostile)
{
	const struct hostile *h = &table[_i / 2];
	int ret;

	ring_init(&r, NUM, _i & 1, MEM_SIZE);
	take_up(!h->direct, false);
	pop_good();
	write_entries(h);
	ring_offer(&r, 0);
	if (h->want != ACCEPTED) {
		expect_broken(h->want, h->name);
	} else {
		ret = pop();
		ck_assert_msg(ret == 1, "%s: %s (QEMU: %s)", h->name,
			      fph_status_name(ret), h->qemu);
		ck_assert_uint_eq(head_of(&elem), 0);
		ck_assert(!fph_vq_device_is_broken(vq));
		ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 2);
	}
	ring_fini(&r);
}
END_TEST

/* QEMU: broken. */
START_TEST(test_bad_head)
{
	static const uint16_t heads[] = { NUM, NUM + 1, 0x7fff, 0xffff };

	ring_init(&r, NUM, _i & 1, MEM_SIZE);
	take_up(true, false);
	pop_good();
	ring_offer(&r, heads[_i / 2]);
	expect_broken(FPH_PEER_HEAD, "head");
	ring_fini(&r);
}
END_TEST

/* QEMU: processed 2001 times without an error. */
START_TEST(test_avail_jump)
{
	static const uint16_t jumps[] = {
		NUM + 1, NUM + 2, 2001, 0x7fff, 0x8000, 0xffff
	};

	ring_init(&r, NUM, _i & 1, MEM_SIZE);
	take_up(true, false);
	pop_good();
	ring_set_avail_idx(&r, (uint16_t)(r.avail_idx + jumps[_i / 2]));
	expect_broken(FPH_PEER_AVAIL_INDEX, "jump");
	ring_fini(&r);
}
END_TEST

/* The index may move by num, but never with buffers still out. */
START_TEST(test_inflight)
{
	ring_init(&r, NUM, _i, MEM_SIZE);
	take_up(true, false);
	for (uint16_t i = 0; i < NUM; i++) {
		ring_desc(&r, r.desc, i, PAGE, PAGE, IN, 0);
		ring_offer(&r, i);
	}
	for (uint16_t i = 0; i < NUM; i++)
		ck_assert_int_eq(pop(), 1);
	ck_assert_int_eq(pop(), 0);
	ring_offer(&r, 0);
	expect_broken(FPH_PEER_INFLIGHT, "in flight");
	ring_fini(&r);
}
END_TEST

/*
 * Chains of n segments, direct (up to num) or in a table of n entries.
 * QEMU: 33, 48 and 1024 accepted.
 */
START_TEST(test_chain_length)
{
	static const struct {
		uint32_t n;
		bool table;
		int want;
	} cases[] = {
		{ NUM - 1, false, ACCEPTED },
		{ NUM - 1, true, ACCEPTED },
		{ NUM, true, ACCEPTED },
		{ NUM + 1, true, FPH_PEER_LONG_CHAIN },
		{ 48, true, FPH_PEER_LONG_CHAIN },
		{ 1000, true, FPH_PEER_LONG_CHAIN },
	};
	uint32_t n = cases[_i].n;
	uint8_t *at;

	ring_init(&r, NUM, false, MEM_SIZE);
	at = cases[_i].table ? r.mem + T : r.desc;
	take_up(true, false);
	pop_good();
	ring_desc(&r, r.desc, 0, T, 16 * n, IND, 0);
	for (uint32_t i = 0; i < n; i++)
		ring_desc(&r, at, i, PAGE, 1,
			  (uint16_t)(IN | (i + 1 < n ? NEXT : 0)),
			  (uint16_t)(i + 1));
	ring_offer(&r, 0);
	if (cases[_i].want == ACCEPTED) {
		ck_assert_int_eq(pop(), 1);
		ck_assert_uint_eq(elem.nread + elem.nwrite, n);
	} else {
		expect_broken(cases[_i].want, "length");
	}
	ring_fini(&r);
}
END_TEST

/* All descriptors of the ring, then a table: more than the ring holds. */
START_TEST(test_chain_length_mixed)
{
	ring_init(&r, NUM, false, MEM_SIZE);
	take_up(true, false);
	for (uint16_t i = 0; i < NUM - 1; i++)
		ring_desc(&r, r.desc, i, PAGE, 1, IN | NEXT,
			  (uint16_t)(i + 1));
	ring_desc(&r, r.desc, NUM - 1, T, 16 + 16 * (uint32_t)_i, IND, 0);
	ring_desc(&r, r.mem + T, 0, PAGE, 1,
		  (uint16_t)(IN | (_i ? NEXT : 0)), 1);
	ring_desc(&r, r.mem + T, 1, PAGE, 1, IN, 0);
	ring_offer(&r, 0);
	if (!_i) {
		ck_assert_int_eq(pop(), 1);
		ck_assert_uint_eq(elem.nread + elem.nwrite, NUM);
	} else {
		expect_broken(FPH_PEER_LONG_CHAIN, "mixed");
	}
	ring_fini(&r);
}
END_TEST

/* A longer table is fine as long as its chain is not. */
START_TEST(test_long_table)
{
	ring_init(&r, NUM, false, MEM_SIZE);
	take_up(true, false);
	ring_desc(&r, r.desc, 0, T, 16 * 1000, IND, 0);
	ring_desc(&r, r.mem + T, 0, PAGE, PAGE, IN | NEXT, 999);
	ring_desc(&r, r.mem + T, 999, PAGE, PAGE, IN, 0);
	ring_offer(&r, 0);
	ck_assert_int_eq(pop(), 1);
	ck_assert_uint_eq(elem.nread + elem.nwrite, 2);
	ring_fini(&r);
}
END_TEST

/* The ring is zeroed by a discard of its own.  QEMU: then broken. */
START_TEST(test_ring_zeroed)
{
	ring_init(&r, NUM, _i, MEM_SIZE);
	take_up(true, false);
	pop_good();
	memset(r.mem, 0, MEM_SIZE);
	expect_broken(FPH_PEER_AVAIL_INDEX, "zeroed");
	ring_fini(&r);
}
END_TEST

/* One head twice in flight: allowed to happen, never more than num times. */
START_TEST(test_same_head)
{
	ring_init(&r, NUM, _i, MEM_SIZE);
	take_up(true, false);
	ring_desc(&r, r.desc, 0, PAGE, PAGE, IN, 0);
	for (int i = 0; i < NUM; i++) {
		ring_offer(&r, 0);
		ck_assert_int_eq(pop(), 1);
		ck_assert_uint_eq(head_of(&elem), 0);
	}
	ring_offer(&r, 0);
	ck_assert_int_eq(pop(), FPH_PEER_INFLIGHT);
	for (int i = 0; i < NUM; i++)
		ck_assert_int_eq(push_head(0), 1);
	ck_assert_int_eq(push_head(0), FPH_ESTATE);
	ring_fini(&r);
}
END_TEST

/* Writes into ring and tables while the device reads them. */
static void *scribble(void *arg)
{
	volatile int *stop = arg;
	uint64_t seed = 4711;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		uint32_t v = ring_random(&seed);
		uint32_t at = ring_random(&seed);
		uint16_t *p;

		/* Half of all writes hit the tables, the other the ring. */
		if (v & 0x10000)
			p = (uint16_t *)(void *)(r.mem + T + at % 1024 * 2);
		else
			p = (uint16_t *)(void *)(r.mem + at % 700 * 2);
		/* Mostly small values: they pass more of the checks. */
		if (v & 0x60000)
			v &= 7;
		__atomic_store_n(p, (uint16_t)v, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void check_elem(void)
{
	uint32_t n = elem.nread + elem.nwrite;
	uint64_t total = 0;

	WANT(head_of(&elem) < NUM);
	WANT(n >= 1 && elem.nread <= n && n <= NUM);
	for (uint32_t i = 0; i < n; i++) {
		WANT(segs[i].flags == (i < elem.nread ? 0 : FPH_SEG_WRITE));
		WANT(segs[i].len > 0);
		WANT(segs[i].gpa + (segs[i].len - 1) >= segs[i].gpa);
		total += segs[i].len;
	}
	WANT(total <= (uint64_t)1 << 32);
}

START_TEST(test_concurrent)
{
	int popped = 0, broken = 0, done = 0;
	pthread_t thread;

	ring_init(&r, NUM, _i, MEM_SIZE);
	WANT(pthread_create(&thread, NULL, scribble, &done) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		int ret;

		if (!(round & 15))
			sched_yield();
		/* The base where the driver's index is, so that pop looks. */
		r.avail_idx = (uint16_t)(ring_get_avail_idx(&r) - 3);
		/* Something good among it, as long as it lives. */
		if (round & 4) {
			ring_desc(&r, r.desc, 0, PAGE, PAGE, NEXT, 1);
			ring_desc(&r, r.desc, 1, T, 16, IND, 0);
			ring_desc(&r, r.mem + T, 0, PAGE, PAGE, IN, 0);
			ring_put(r.avail + 4 + 2 * (r.avail_idx % NUM), 2, 0,
				 r.big);
		}
		take_up(true, round & 1);
		for (int i = 0; i < 4; i++) {
			ret = pop();
			if (ret <= 0)
				break;
			check_elem();
			popped++;
		}
		WANT(ret >= 0 || fph_status_is_peer(ret));
		WANT((ret < 0) == fph_vq_device_is_broken(vq));
		broken += ret < 0;
		while (fph_vq_device_get_inflight(vq))
			WANT(push_head(1) == 1);
		WANT(fph_vq_device_should_notify(vq) >= 0);
		WANT(fph_vq_device_want_notify(vq, round & 2) >= 0);
	}
	__atomic_store_n(&done, 1, __ATOMIC_RELAXED);
	WANT(pthread_join(thread, NULL) == 0);
	/* Both sorts happened, so the test looked at something. */
	ck_assert_int_gt(popped, 0);
	ck_assert_int_gt(broken, 0);
	ring_fini(&r);
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("vq_device_hostile");
	TCase *tc = tcase_create("hostile");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, test_hostile, 0,
			    2 * (int)(sizeof(table) / sizeof(table[0])));
	tcase_add_loop_test(tc, test_bad_head, 0, 8);
	tcase_add_loop_test(tc, test_avail_jump, 0, 12);
	tcase_add_loop_test(tc, test_inflight, 0, 2);
	tcase_add_loop_test(tc, test_chain_length, 0, 6);
	tcase_add_loop_test(tc, test_chain_length_mixed, 0, 2);
	tcase_add_test(tc, test_long_table);
	tcase_add_loop_test(tc, test_ring_zeroed, 0, 2);
	tcase_add_loop_test(tc, test_same_head, 0, 2);
	tcase_add_loop_test(tc, test_concurrent, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
