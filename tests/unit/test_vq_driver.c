/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Virtqueue, driver side: states, contracts, and what a device gets to see. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "ring.h"
#include "runner.h"

#define NUM		8
#define MEM_SIZE	(128 * 1024)
#define TABLE		(64 * 1024)	/* gpa */
#define ENTRIES		5u		/* of a table */
#define PAGE		4096u

static struct ring r;
static uint64_t vq_memory[FPH_VQ_DRIVER_SIZE(NUM) / 8];
static struct fph_vq_driver *vq;
static struct fph_used used;

/* What a failed call must leave alone. */
static uint8_t vq_before[sizeof(vq_memory)];
static struct fph_used used_before;
static uint8_t mem_before[MEM_SIZE];

static void remember(void)
{
	memcpy(vq_before, vq_memory, sizeof(vq_before));
	used_before = used;
	memcpy(mem_before, r.mem, MEM_SIZE);
}

static void expect_unchanged(void)
{
	ck_assert_mem_eq(vq_memory, vq_before, sizeof(vq_before));
	ck_assert_mem_eq(&used, &used_before, sizeof(used));
	ck_assert_mem_eq(r.mem, mem_before, MEM_SIZE);
}

static struct fph_vq_driver_params params_of(bool event_idx, bool indirect)
{
	struct fph_vq_driver_params p = {
		.size = sizeof(p),
		.num = NUM,
		/* VERSION_1 is not looked at: endian is the byte order. */
		.features = (uint64_t)event_idx << VIRTIO_RING_F_EVENT_IDX |
			    (uint64_t)indirect << VIRTIO_RING_F_INDIRECT_DESC |
			    FPH_BIT(VIRTIO_F_VERSION_1),
		.tables_gpa = TABLE,
		.table_entries = ENTRIES,
		.endian = r.big ? FPH_BE : FPH_LE,
		.desc = r.desc,
		.driver = r.avail,
		.device = r.used,
		.tables = r.mem + TABLE,
	};

	return p;
}

static int init(const struct fph_vq_driver_params *p)
{
	return fph_vq_driver_init(&vq, vq_memory, sizeof(vq_memory), p);
}

static void start(bool big, bool event_idx, bool indirect)
{
	struct fph_vq_driver_params p;

	ring_init(&r, NUM, big, MEM_SIZE);
	p = params_of(event_idx, indirect);
	/* The memory may hold anything. */
	memset(vq_memory, 0x5a, sizeof(vq_memory));
	memset(r.mem + TABLE, 0x5a, NUM * ENTRIES * 16);
	ck_assert_int_eq(init(&p), FPH_OK);
	memset(&used, 0x5a, sizeof(used));
}

static void stop(void)
{
	ring_fini(&r);
}

/* One buffer; direct: not in a table. */
static int add_segs(const struct fph_seg *segs, uint32_t n, uint64_t cookie,
		    bool direct)
{
	struct fph_buffer b = { .cookie = cookie,
				.flags = direct ? FPH_BUFFER_DIRECT : 0 };

	while (b.nread < n && !(segs[b.nread].flags & FPH_SEG_WRITE))
		b.nread++;
	b.nwrite = n - b.nread;
	return fph_vq_driver_add(vq, &b, 1, segs);
}

/* n writable pages under a cookie. */
static int add(uint32_t n, uint64_t cookie)
{
	struct fph_seg segs[NUM + 1];

	for (uint32_t i = 0; i < n; i++)
		segs[i] = (struct fph_seg){ PAGE * (i + 1), PAGE,
					    FPH_SEG_WRITE };
	return add_segs(segs, n, cookie, true);
}

static void add_submit(uint32_t n, uint64_t cookie)
{
	WANT(add(n, cookie) == 1);
	WANT(fph_vq_driver_publish(vq) == FPH_OK);
}

static int take(void)
{
	return fph_vq_driver_take_used(vq, &used, 1);
}

static int detach(void)
{
	return fph_vq_driver_detach(vq, &used, 1);
}

START_TEST(test_init_refuses)
{
	struct {
		struct fph_vq_driver_params p;
		uint8_t tail[8];
	} big;

	ring_init(&r, NUM, false, MEM_SIZE);
	memset(vq_memory, 0x5a, sizeof(vq_memory));
	memset(r.mem, 0x5a, MEM_SIZE);
	vq = NULL;
	remember();
	for (int i = 0; i < 17; i++) {
		struct fph_vq_driver_params p = params_of(true, true);

		switch (i) {
		case 0: p.size = 0; break;
		case 1: p.size = sizeof(p) - 1; break;
		case 2: p.num = 0; break;
		case 3: p.num = 33; break;
		case 4: p.num = 65536; break;
		case 5: p.endian = 3; break;
		case 6: p.desc = NULL; break;
		case 7: p.driver = NULL; break;
		case 8: p.device = NULL; break;
		case 9: p.desc = r.desc + 8; break;
		case 10: p.driver = r.avail + 1; break;
		case 11: p.device = r.used + 2; break;
		case 12: p.tables = r.mem + TABLE + 8; break;
		case 13: p.table_entries = 0; break;
		case 14: p.table_entries = FPH_VRING_MAX_SIZE + 1; break;
		case 15: p.tables_gpa = 0 - (uint64_t)16; break;
		case 16:
			p.features |= FPH_BIT(VIRTIO_F_RING_PACKED);
			p.driver = r.avail + 2;
			break;
		}
		ck_assert_msg(init(&p) == FPH_EINVAL, "case %d", i);
		ck_assert_uint_eq(fph_vq_driver_size(&p), 0);
		ck_assert_ptr_null(vq);
		expect_unchanged();
	}
	ck_assert_int_eq(init(NULL), FPH_EINVAL);
	ck_assert_uint_eq(fph_vq_driver_size(NULL), 0);

	memset(&big, 0, sizeof(big));
	big.p = params_of(true, true);
	big.p.size = sizeof(big);
	big.tail[0] = 1;
	ck_assert_int_eq(init(&big.p), FPH_EINVAL);
	expect_unchanged();
	big.tail[0] = 0;
	ck_assert_int_eq(init(&big.p), FPH_OK);

	/* All three parts are written, and not a byte more. */
	for (size_t i = 0; i < ring_free_gpa(&r); i++) {
		size_t off = (size_t)(r.used - r.mem) +
			     FPH_VRING_DEVICE_SIZE(0, NUM);
		bool gap = (i >= 16 * NUM + FPH_VRING_DRIVER_SIZE(0, NUM) &&
			    i < (size_t)(r.used - r.mem)) || i >= off;

		ck_assert_uint_eq(r.mem[i], gap ? 0x5a : 0);
	}
	ck_assert_uint_eq(fph_vq_driver_get_room(vq), NUM);
	ck_assert_uint_eq(fph_vq_driver_get_inflight(vq), 0);
	ck_assert(!fph_vq_driver_is_broken(vq));
	stop();
}
END_TEST

START_TEST(test_memory)
{
	struct fph_vq_driver_params p;
	size_t size;

	start(false, false, false);
	p = params_of(false, false);
	for (p.num = 1; p.num <= FPH_VRING_MAX_SIZE; p.num *= 2) {
		size = fph_vq_driver_size(&p);
		ck_assert_uint_gt(size, 0);
		ck_assert_uint_le(size, FPH_VQ_DRIVER_SIZE(p.num));
	}
	p.num = NUM;
	size = fph_vq_driver_size(&p);
	ck_assert_int_eq(fph_vq_driver_init(&vq, vq_memory, size - 1, &p),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_vq_driver_init(&vq, NULL, size, &p), FPH_EINVAL);
	ck_assert_int_eq(fph_vq_driver_init(&vq, (uint8_t *)vq_memory + 4,
					    size, &p), FPH_EINVAL);
	ck_assert_int_eq(fph_vq_driver_init(NULL, vq_memory, size, &p),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_vq_driver_init(&vq, vq_memory, size, &p), FPH_OK);
	/* Without INDIRECT_DESC nobody looks at tables. */
	p.tables = r.mem + 1;
	ck_assert_int_eq(fph_vq_driver_init(&vq, vq_memory, size, &p), FPH_OK);
	stop();
}
END_TEST

/* Every state and every call. */
enum state { NONE, LIVE, BROKEN, DEAD };

static void enter(enum state state)
{
	start(false, false, true);
	add_submit(2, 11);
	ck_assert_int_eq(add(1, 12), 1);
	if (state == BROKEN) {
		ring_set_used_idx(&r, 2);
		ck_assert_int_eq(take(),
				 FPH_PEER_USED_INDEX);
	}
	if (state == DEAD)
		ck_assert_int_eq(detach(), 1);
	if (state == NONE)
		vq = NULL;
	remember();
}

START_TEST(test_states)
{
	static const struct {
		int call, next, abort;
		uint32_t free, inflight;
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
	ck_assert_uint_eq(fph_vq_driver_get_room(vq), want[s].free);
	ck_assert_uint_eq(fph_vq_driver_get_inflight(vq),
			  want[s].inflight);
	ck_assert_int_eq(fph_vq_driver_is_broken(vq), want[s].broken);
	switch (_i % 7) {
	case 0:
		ret = add(1, 13);
		if (s == LIVE)
			expected = 1;
		break;
	case 1:
		ret = fph_vq_driver_publish(vq);
		break;
	case 2:
		ret = fph_vq_driver_should_notify(vq);
		if (s == LIVE)
			expected = 1;
		break;
	case 3:
		ret = fph_vq_driver_want_notify(vq, true);
		break;
	case 4:
		ret = fph_vq_driver_want_notify(vq, false);
		break;
	case 5:
		ret = take();
		expected = want[s].next;
		break;
	case 6:
		ret = detach();
		expected = want[s].abort;
		break;
	}
	ck_assert_int_eq(ret, expected);
	if (ret < 0 || _i % 7 == 5)
		expect_unchanged();
	stop();
}
END_TEST

START_TEST(test_detach)
{
	uint32_t seen = 0;
	uint64_t cookie;

	/* From live and from broken, in all stages that a buffer can be in. */
	start(false, false, true);
	add_submit(2, 0);
	add_submit(1, 1);
	add_submit(2, 2);
	ring_use(&r, ring_get_head(&r, 1), 0);
	ck_assert_int_eq(take(), 1);
	ck_assert_uint_eq(used.cookie, 1);
	/* Used but not taken, and added but not submitted. */
	ring_use(&r, ring_get_head(&r, 2), 5);
	ck_assert_int_eq(add(3, 3), 1);
	if (_i) {
		ring_set_used_idx(&r, 9);
		ck_assert_int_eq(take(),
				 FPH_PEER_USED_INDEX);
	}
	remember();
	ck_assert_int_eq(fph_vq_driver_detach(vq, NULL, 1), FPH_EINVAL);
	ck_assert_int_eq(fph_vq_driver_detach(vq, &used, 0), FPH_EINVAL);
	expect_unchanged();
	for (uint32_t left = 3; left > 0; left--) {
		ck_assert_uint_eq(fph_vq_driver_get_inflight(vq), left);
		ck_assert_int_eq(detach(), 1);
		cookie = used.cookie;
		ck_assert_uint_eq(used.len, 0);
		ck_assert_uint_le(cookie, 3);
		ck_assert(!(seen & 1u << cookie));
		seen |= 1u << cookie;
	}
	ck_assert_uint_eq(seen, 0xd);
	ck_assert_int_eq(detach(), 0);
	ck_assert_int_eq(detach(), 0);
	ck_assert_int_eq(fph_vq_driver_is_broken(vq), _i);
	stop();
}
END_TEST

START_TEST(test_add_refuses)
{
	static const struct fph_seg bad[][3] = {
		{ { PAGE, 0, 0 } },
		{ { 0, 0, 0 } },
		{ { PAGE, PAGE, FPH_SEG_WRITE }, { PAGE, 0, FPH_SEG_WRITE } },
		{ { PAGE, PAGE, 2 } },
		{ { PAGE, PAGE, FPH_SEG_WRITE | 2 } },
		{ { 0 - (uint64_t)PAGE, PAGE + 1, 0 } },
		{ { PAGE, PAGE, FPH_SEG_WRITE }, { PAGE, PAGE, 0 } },
		{ { 0, 0x80000000, 0 }, { 0, 0x80000000, 0 }, { 0, 1, 0 } },
	};
	struct fph_buffer b = { .nread = 1 };
	struct fph_seg good[NUM + 1];

	start(_i, false, true);
	remember();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint32_t n = 1;

		while (n < 3 && bad[i][n].len + bad[i][n].gpa)
			n++;
		ck_assert_msg(add_segs(bad[i], n, 1, true) == FPH_EINVAL,
			      "case %zu", i);
		ck_assert_int_eq(add_segs(bad[i], n, 1, false), FPH_EINVAL);
	}
	for (int i = 0; i <= NUM; i++)
		good[i] = (struct fph_seg){ PAGE, PAGE, 0 };
	ck_assert_int_eq(fph_vq_driver_add(vq, NULL, 1, good), FPH_EINVAL);
	ck_assert_int_eq(fph_vq_driver_add(vq, &b, 0, good), FPH_EINVAL);
	ck_assert_int_eq(fph_vq_driver_add(vq, &b, 1, NULL), FPH_EINVAL);
	b.nread = 0;
	ck_assert_int_eq(fph_vq_driver_add(vq, &b, 1, good), FPH_EINVAL);
	/* What the counts say and what the segments say differs. */
	b.nwrite = 1;
	ck_assert_int_eq(fph_vq_driver_add(vq, &b, 1, good), FPH_EINVAL);
	/* Longer than the ring, also by counts that wrap. */
	ck_assert_int_eq(add_segs(good, NUM + 1, 1, false), FPH_EINVAL);
	b.nread = 2;
	b.nwrite = 0xffffffff;
	ck_assert_int_eq(fph_vq_driver_add(vq, &b, 1, good), FPH_EINVAL);
	expect_unchanged();
	/* 2^32 bytes, and an end at 2^64, are fine. */
	ck_assert_int_eq(add_segs(bad[7], 2, 2, true), 1);
	good[0].gpa = 0 - (uint64_t)PAGE;
	ck_assert_int_eq(add_segs(good, 1, 2, true), 1);
	stop();
}
END_TEST

/* Whole or not at all; a table needs one entry whatever is in it. */
START_TEST(test_full)
{
	static const struct fph_seg segs[2] = {
		{ PAGE, PAGE, 0 }, { PAGE, PAGE, 0 }
	};

	start(_i, false, true);
	ck_assert_int_eq(add(NUM - 1, 1), 1);
	ck_assert_uint_eq(fph_vq_driver_get_room(vq), 1);
	remember();
	ck_assert_int_eq(add(2, 2), FPH_EFULL);
	expect_unchanged();
	ck_assert_int_eq(add_segs(segs, 2, 2, false), 1);
	ck_assert_uint_eq(fph_vq_driver_get_room(vq), 0);
	remember();
	ck_assert_int_eq(add(1, 3), FPH_EFULL);
	ck_assert_int_eq(add_segs(segs, 2, 3, false), FPH_EFULL);
	expect_unchanged();
	ck_assert_int_eq(fph_vq_driver_publish(vq), FPH_OK);
	ring_use(&r, ring_get_head(&r, 0), 0);
	ck_assert_int_eq(take(), 1);
	ck_assert_uint_eq(fph_vq_driver_get_room(vq), NUM - 1);
	ck_assert_int_eq(add(NUM - 1, 4), 1);
	stop();
}
END_TEST

/* As many as fit, from the front; what stands before a bad one is added. */
START_TEST(test_add_many)
{
	struct fph_buffer b[NUM + 1];
	struct fph_seg segs[NUM + 1];
	struct fph_used all[NUM];

	start(_i, false, false);
	for (uint32_t i = 0; i <= NUM; i++) {
		b[i] = (struct fph_buffer){ .cookie = 100 + i, .nwrite = 1 };
		segs[i] = (struct fph_seg){ PAGE * i, PAGE, FPH_SEG_WRITE };
	}
	segs[3].len = 0;
	ck_assert_int_eq(fph_vq_driver_add(vq, b, 6, segs), 3);
	ck_assert_int_eq(fph_vq_driver_add(vq, b + 3, 3, segs + 3),
			 FPH_EINVAL);
	ck_assert_uint_eq(fph_vq_driver_get_inflight(vq), 3);
	segs[3].len = PAGE;
	ck_assert_int_eq(fph_vq_driver_add(vq, b + 3, NUM - 2, segs + 3),
			 NUM - 3);
	ck_assert_int_eq(fph_vq_driver_add(vq, b, 1, segs), FPH_EFULL);
	ck_assert_int_eq(fph_vq_driver_publish(vq), FPH_OK);
	ck_assert_uint_eq(ring_get_avail_idx(&r), NUM);
	for (uint16_t i = 0; i < NUM; i++)
		ring_use(&r, ring_get_head(&r, (uint16_t)(NUM - 1 - i)), i);
	memset(all, 0x5a, sizeof(all));
	ck_assert_int_eq(fph_vq_driver_take_used(vq, all, 3), 3);
	ck_assert_int_eq(fph_vq_driver_take_used(vq, all + 3, NUM), NUM - 3);
	for (uint32_t i = 0; i < NUM; i++) {
		ck_assert_uint_eq(all[i].cookie, 100 + NUM - 1 - i);
		ck_assert_uint_eq(all[i].len, i);
		/* Nothing else is set. */
		ck_assert_uint_eq(all[i].freed, 0x5a5a5a5a5a5a5a5a);
	}
	ck_assert_int_eq(fph_vq_driver_take_used(vq, all, NUM), 0);
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

	start(_i, false, true);
	ck_assert_int_eq(add_segs(segs, 3, 1, true), 1);
	ck_assert_int_eq(add_segs(segs, 3, 2, false), 1);
	/* One segment needs no table. */
	ck_assert_int_eq(add_segs(segs, 1, 3, false), 1);
	/* Nothing is shown before publish, and then all of it. */
	ck_assert_uint_eq(ring_get_avail_idx(&r), 0);
	ck_assert_int_eq(fph_vq_driver_publish(vq), FPH_OK);
	ck_assert_uint_eq(ring_get_avail_idx(&r), 3);
	ck_assert_uint_eq(ring_get_head(&r, 0), 0);
	ck_assert_uint_eq(ring_get_head(&r, 1), 3);
	ck_assert_uint_eq(ring_get_head(&r, 2), 4);

	expect_desc(r.desc, 0, segs[0].gpa, 4, RING_NEXT, 1);
	expect_desc(r.desc, 1, 0x1000, 0x01020304, RING_NEXT | RING_WRITE, 2);
	expect_desc(r.desc, 2, 0x2000, 0x10, RING_WRITE, 0);
	expect_desc(r.desc, 3, TABLE + 3 * 16 * ENTRIES, 48, RING_INDIRECT, 0);
	expect_desc(r.desc, 4, segs[0].gpa, 4, 0, 0);
	expect_desc(r.mem + TABLE + 3 * 16 * ENTRIES, 0, segs[0].gpa, 4, RING_NEXT, 1);
	expect_desc(r.mem + TABLE + 3 * 16 * ENTRIES, 1, 0x1000, 0x01020304,
		    RING_NEXT | RING_WRITE, 2);
	expect_desc(r.mem + TABLE + 3 * 16 * ENTRIES, 2, 0x2000, 0x10, RING_WRITE, 0);
	expect_desc(r.mem + TABLE + 3 * 16 * ENTRIES, 3, 0x5a5a5a5a5a5a5a5a,
		    0x5a5a5a5a, 0x5a5a, 0x5a5a);

	/* Publish with nothing new stores nothing. */
	remember();
	ck_assert_int_eq(fph_vq_driver_publish(vq), FPH_OK);
	expect_unchanged();
	ck_assert_int_eq(fph_vq_driver_take_used(vq, NULL, 1), FPH_EINVAL);
	ck_assert_int_eq(fph_vq_driver_take_used(vq, &used, 0), FPH_EINVAL);
	ck_assert_int_eq(take(), 0);
	expect_unchanged();

	/* Out of order. */
	ring_use(&r, 4, 0);
	ring_use(&r, 0, 0x01020304);
	ring_use(&r, 3, 7);
	for (uint64_t i = 0; i < 3; i++) {
		static const uint64_t cookies[] = { 3, 1, 2 };
		static const uint32_t lens[] = { 0, 0x01020304, 7 };

		ck_assert_int_eq(take(), 1);
		ck_assert_uint_eq(used.cookie, cookies[i]);
		ck_assert_uint_eq(used.len, lens[i]);
	}
	ck_assert_int_eq(take(), 0);
	ck_assert_uint_eq(fph_vq_driver_get_room(vq), NUM);
	ck_assert_uint_eq(fph_vq_driver_get_inflight(vq), 0);
	stop();
}
END_TEST

/* A buffer's descriptors are those behind the last one; the next of them. */
static uint32_t expect_in_turn(uint32_t at, uint32_t n, uint16_t idx)
{
	ck_assert_uint_eq(ring_get_head(&r, idx), at);
	for (; n > 1; n--, at = (at + 1) % NUM) {
		const uint8_t *desc = r.desc + 16 * at;

		ck_assert_uint_eq(ring_get(desc + 12, 2, r.big),
				  RING_NEXT | RING_WRITE);
		ck_assert_uint_eq(ring_get(desc + 14, 2, r.big),
				  (at + 1) % NUM);
	}
	return (at + 1) % NUM;
}

/* IN_ORDER: descriptors are used in the order of the ring, over its end too. */
START_TEST(test_in_order)
{
	struct fph_vq_driver_params p;
	uint32_t sizes[NUM], n = 0, at = 0;
	uint64_t seed = 3, next = 0;
	uint16_t idx = 0;

	ring_init(&r, NUM, _i, MEM_SIZE);
	p = params_of(false, false);
	p.features |= FPH_BIT(VIRTIO_F_IN_ORDER);
	ck_assert_int_eq(init(&p), FPH_OK);
	for (int step = 0; step < 2000; step++) {
		uint32_t size = 1 + ring_random(&seed) % 4;

		if (n < NUM && size <= fph_vq_driver_get_room(vq) &&
		    ring_random(&seed) % 5 < 3) {
			ck_assert_int_eq(add(size, next + n), 1);
			at = expect_in_turn(at, size, idx++);
			sizes[n++] = size;
			ck_assert_int_eq(fph_vq_driver_publish(vq), FPH_OK);
		} else if (n) {
			ring_use(&r, ring_get_head(&r, r.used_idx),
				 sizes[0] * PAGE);
			ck_assert_int_eq(take(), 1);
			ck_assert_uint_eq(used.cookie, next++);
			memmove(sizes, sizes + 1, --n * sizeof(sizes[0]));
		}
	}
	stop();
}
END_TEST

static void round_trip(uint64_t cookie)
{
	add_submit(1, cookie);
	ring_use(&r, ring_get_head(&r, r.used_idx), 0);
	WANT(take() == 1);
	WANT(used.cookie == cookie);
}

START_TEST(test_notify_flags)
{
	start(_i, false, false);
	ck_assert_int_eq(fph_vq_driver_should_notify(vq), 0);
	for (uint16_t i = 0; i < 6; i++) {
		ring_set_used_flags(&r, i & 1);
		ck_assert_int_eq(add(1, i), 1);
		/* Not submitted: nothing to tell. */
		ck_assert_int_eq(fph_vq_driver_should_notify(vq), 0);
		ck_assert_int_eq(fph_vq_driver_publish(vq), FPH_OK);
		ck_assert_int_eq(fph_vq_driver_should_notify(vq), !(i & 1));
		ck_assert_int_eq(fph_vq_driver_should_notify(vq), 0);
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
		ck_assert_int_eq(fph_vq_driver_should_notify(vq), want[i]);
	}
	/* In the middle of a batch. */
	ring_set_avail_event(&r, 6);
	add_submit(1, 6);
	add_submit(1, 7);
	ck_assert_int_eq(fph_vq_driver_should_notify(vq), 1);
	ck_assert_int_eq(fph_vq_driver_should_notify(vq), 0);
	stop();
}
END_TEST

/* 65536 publishes between two questions: the index looks unmoved. */
START_TEST(test_notify_all_round)
{
	start(false, _i, false);
	round_trip(0);
	ck_assert_int_eq(fph_vq_driver_should_notify(vq), 1);
	for (uint32_t i = 0; i < 65536; i++)
		round_trip(i);
	ck_assert_uint_eq(ring_get_avail_idx(&r), 1);
	ck_assert_int_eq(fph_vq_driver_should_notify(vq), 1);
	ck_assert_int_eq(fph_vq_driver_should_notify(vq), 0);
	stop();
}
END_TEST

START_TEST(test_arm)
{
	bool event = _i & 2;

	start(_i & 1, event, false);
	for (uint16_t i = 0; i < 3; i++) {
		ck_assert_int_eq(fph_vq_driver_want_notify(vq, true), 0);
		ck_assert_uint_eq(ring_get_used_event(&r), event ? i : 0);
		ck_assert_uint_eq(ring_get_avail_flags(&r), 0);
		ck_assert_int_eq(fph_vq_driver_want_notify(vq, false), 0);
		ck_assert_uint_eq(ring_get_used_event(&r),
				  event ? (uint16_t)(i - 1) : 0);
		ck_assert_uint_eq(ring_get_avail_flags(&r), !event);
		add_submit(1, i);
		ring_use(&r, ring_get_head(&r, i), 0);
		/* Used before the wish was out: arm sees it. */
		ck_assert_int_eq(fph_vq_driver_want_notify(vq, false), 0);
		ck_assert_int_eq(fph_vq_driver_want_notify(vq, true), 1);
		ck_assert_int_eq(take(), 1);
		ck_assert_int_eq(fph_vq_driver_want_notify(vq, true), 0);
	}
	stop();
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("vq_driver");
	TCase *tc = tcase_create("contract");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, test_init_refuses);
	tcase_add_test(tc, test_memory);
	tcase_add_loop_test(tc, test_states, 0, 4 * 7);
	tcase_add_loop_test(tc, test_detach, 0, 2);
	tcase_add_loop_test(tc, test_add_refuses, 0, 2);
	tcase_add_loop_test(tc, test_full, 0, 2);
	tcase_add_loop_test(tc, test_add_many, 0, 2);
	tcase_add_loop_test(tc, test_layout, 0, 2);
	tcase_add_loop_test(tc, test_in_order, 0, 2);
	tcase_add_loop_test(tc, test_notify_flags, 0, 2);
	tcase_add_loop_test(tc, test_notify_event, 0, 2);
	tcase_add_loop_test(tc, test_notify_all_round, 0, 2);
	tcase_add_loop_test(tc, test_arm, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
