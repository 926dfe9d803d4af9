/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtqueue, device side: many buffers a call, and the same answers whether a
 * buffer was read in the usual way or with care.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/vring.h>

#include "ring.h"
#include "runner.h"

#define NUM		16
#define MEM_SIZE	(64 * 1024)
#define T		(32 * 1024)	/* gpa of a table */
#define PAGE		4096u
#define IN		RING_WRITE
#define NEXT		RING_NEXT
#define IND		RING_INDIRECT

static struct ring r;
static uint64_t vq_memory[FPH_VQ_DEVICE_SIZE(NUM) / 8];
static struct fph_vq_device *vq;
static struct fph_buffer b[NUM];
static struct fph_seg segs[4 * NUM];

static int take_up(struct fph_vq_device **q, void *mem, struct ring *ring,
		   bool event_idx)
{
	struct fph_vq_device_params p = {
		.size = sizeof(p),
		.num = ring->num,
		.features = (uint64_t)event_idx << VIRTIO_RING_F_EVENT_IDX |
			    FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC),
		.endian = ring->big ? FPH_BE : FPH_LE,
		.base = ring->avail_idx,
		.desc = ring->desc,
		.driver = ring->avail,
		.device = ring->used,
		.map = ring_map,
		.map_ctx = ring,
	};

	return fph_vq_device_init(q, mem, FPH_VQ_DEVICE_SIZE(NUM), &p);
}

static void start(bool big, bool event_idx)
{
	ring_init(&r, NUM, big, MEM_SIZE);
	ck_assert_int_eq(take_up(&vq, vq_memory, &r, event_idx), FPH_OK);
}

/* A chain of n descriptors from head on, each behind the other. */
static void offer(uint16_t head, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		ring_desc(&r, r.desc, head + i, PAGE * (head + i + 1u), PAGE,
			  (uint16_t)(IN | (i + 1 < n ? NEXT : 0)),
			  (uint16_t)(head + i + 1));
	ring_offer(&r, head);
}

static int push(const struct fph_buffer *bufs, uint32_t n)
{
	struct fph_used used[NUM] = { { 0 } };

	for (uint32_t i = 0; i < n; i++) {
		used[i].cookie = bufs[i].cookie;
		used[i].len = i;
	}
	return fph_vq_device_push(vq, used, n);
}

START_TEST(test_many)
{
	start(_i, false);
	offer(0, 3);
	offer(3, 1);
	offer(4, 4);
	memset(b, 0x5a, sizeof(b));
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, 4 * NUM), 3);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(b[i].nread, 0);
		ck_assert_uint_eq(b[i].flags, 0);
		ck_assert_uint_eq(b[i].index, 0);
		ck_assert_uint_eq(b[i].reserved, 0);
	}
	ck_assert_uint_eq(b[0].nwrite, 3);
	ck_assert_uint_eq(b[1].nwrite, 1);
	ck_assert_uint_eq(b[2].nwrite, 4);
	for (uint32_t i = 0; i < 8; i++) {
		ck_assert_uint_eq(segs[i].gpa, PAGE * (i + 1));
		ck_assert_uint_eq(segs[i].flags, FPH_SEG_WRITE);
	}
	ck_assert_uint_eq(fph_vq_device_get_inflight(vq), 3);
	ck_assert_int_eq(push(b, 3), 3);
	ck_assert_uint_eq(ring_get_used_idx(&r), 3);
	for (uint16_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(ring_get_used_id(&r, i), i ? i + 2u : 0);
		ck_assert_uint_eq(ring_get_used_len(&r, i), i);
	}
	ring_fini(&r);
}
END_TEST

/* What does not fit is the first of the next call, and is no error. */
START_TEST(test_fits)
{
	start(_i, false);
	offer(0, 10);
	offer(10, 6);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, NUM - 1),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, NUM), 2);
	ck_assert_int_eq(push(b, 2), 2);
	offer(0, 12);
	offer(12, 4);
	ring_offer(&r, 7);		/* into the middle of the first */
	/* 12 and 4 fill it; for the third there is nothing left. */
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, NUM), 2);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, NUM), 1);
	ck_assert_uint_eq(b[0].nwrite, 5);
	ck_assert_int_eq(push(b, 1), 1);
	/* One more segment than there is room for. */
	offer(0, 12);
	ring_offer(&r, 6);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, NUM + 1), 1);
	ck_assert_uint_eq(b[0].nwrite, 12);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, NUM), 1);
	ck_assert_uint_eq(b[0].nwrite, 6);
	ck_assert(!fph_vq_device_is_broken(vq));
	ring_fini(&r);
}
END_TEST

/* Good buffers before a bad one come first; the next call has the error. */
START_TEST(test_error_in_the_middle)
{
	bool head = _i & 2;

	start(_i & 1, false);
	offer(0, 2);
	offer(2, 3);
	if (head)
		ring_offer(&r, NUM);
	else
		offer(5, 2);
	ring_desc(&r, r.desc, 6, PAGE, 0, IN, 0);
	offer(8, 1);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, 4 * NUM), 2);
	ck_assert(!fph_vq_device_is_broken(vq));
	ck_assert_uint_eq(fph_vq_device_get_base(vq), 2);
	ck_assert_int_eq(push(b, 1), 1);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, 4 * NUM),
			 head ? FPH_PEER_HEAD : FPH_PEER_ZERO_LEN);
	ck_assert(fph_vq_device_is_broken(vq));
	ck_assert_uint_eq(fph_vq_device_get_base(vq), 2);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, 4 * NUM),
			 FPH_PEER_BROKEN);
	/* What is out can be returned. */
	ck_assert_int_eq(push(b + 1, 1), 1);
	ck_assert_uint_eq(ring_get_used_idx(&r), 2);
	ring_fini(&r);
}
END_TEST

/* A bad cookie ends a batch, and is the first of the next one. */
START_TEST(test_push_many)
{
	struct fph_used used[4] = { { 0 } };

	start(_i, false);
	for (uint16_t i = 0; i < 3; i++)
		offer(i, 1);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, 4 * NUM), 3);
	used[0].cookie = b[2].cookie;
	used[1].cookie = b[0].cookie;
	used[2].cookie = NUM + 1;
	ck_assert_int_eq(fph_vq_device_push(vq, used, 3), 2);
	ck_assert_uint_eq(ring_get_used_idx(&r), 2);
	ck_assert_uint_eq(ring_get_used_id(&r, 0), 2);
	ck_assert_uint_eq(ring_get_used_id(&r, 1), 0);
	ck_assert_int_eq(fph_vq_device_push(vq, used + 2, 1), FPH_EINVAL);
	/* No more than are in flight. */
	used[2].cookie = b[1].cookie;
	used[3].cookie = b[1].cookie;
	ck_assert_int_eq(fph_vq_device_push(vq, used + 2, 2), 1);
	ck_assert_int_eq(fph_vq_device_push(vq, used + 3, 1), FPH_ESTATE);
	ck_assert_uint_eq(ring_get_used_idx(&r), 3);
	ring_fini(&r);
}
END_TEST

/* Never 0, below 2^32, and each names the place where it was popped. */
START_TEST(test_cookies)
{
	start(_i, false);
	ring_set_avail_idx(&r, 65533);
	ck_assert_int_eq(take_up(&vq, vq_memory, &r, false), FPH_OK);
	for (uint16_t i = 0; i < 6; i++)
		offer((uint16_t)(5 - i), 1);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, 4 * NUM), 6);
	for (uint32_t i = 0; i < 6; i++) {
		ck_assert_uint_ne(b[i].cookie, 0);
		ck_assert_uint_le(b[i].cookie, 0xffffffff);
		ck_assert_uint_eq(fph_vq_device_get_base_of(vq, b[i].cookie),
				  (65533 + i) & 0xffff);
	}
	ck_assert_uint_eq(fph_vq_device_get_base(vq), 3);
	ck_assert_uint_eq(fph_vq_device_get_base_of(vq, 0), 0);
	ring_fini(&r);
}
END_TEST

/* Fault 12: an answer of 1 with nothing pushed. */
START_TEST(test_nothing_to_notify)
{
	start(_i & 1, _i & 2);
	ck_assert_int_eq(fph_vq_device_should_notify(vq), 0);
	offer(0, 1);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, 1, segs, NUM), 1);
	ck_assert_int_eq(fph_vq_device_should_notify(vq), 0);
	ck_assert_int_eq(push(b, 1), 1);
	/* Nothing is known before, so the first push always counts. */
	ring_set_used_event(&r, 1000);
	ck_assert_int_eq(fph_vq_device_should_notify(vq), 1);
	ck_assert_int_eq(fph_vq_device_should_notify(vq), 0);
	ring_fini(&r);
}
END_TEST

/* Every byte that differs from before is in a span, and spans are exact. */
static void check_written(uint8_t *before, const uint8_t *want)
{
	struct fph_span spans[FPH_WRITTEN_SPANS];
	uint8_t told[MEM_SIZE] = { 0 };
	int n = fph_vq_device_take_written(vq, spans);

	ck_assert_int_ge(n, 0);
	ck_assert_int_le(n, (int)FPH_WRITTEN_SPANS);
	for (int i = 0; i < n; i++) {
		size_t off = (size_t)((uint8_t *)spans[i].addr - r.mem);

		ck_assert_uint_gt(spans[i].len, 0);
		ck_assert_uint_le(off + spans[i].len, MEM_SIZE);
		memset(told + off, 1, spans[i].len);
	}
	for (size_t i = 0; i < MEM_SIZE; i++) {
		if (before[i] != r.mem[i])
			WANT(told[i]);
	}
	ck_assert_mem_eq(told, want, MEM_SIZE);
	memcpy(before, r.mem, MEM_SIZE);
	ck_assert_int_eq(fph_vq_device_take_written(vq, spans), 0);
}

static void expect(uint8_t *want, uint32_t off, uint32_t len)
{
	memset(want + (r.used - r.mem) + off, 1, len);
}

START_TEST(test_written)
{
	static uint8_t before[MEM_SIZE], want[MEM_SIZE];
	bool event_idx = _i & 2;

	ring_init(&r, NUM, _i & 1, MEM_SIZE);
	ring_set_used_idx(&r, NUM - 2);
	memcpy(before, r.mem, MEM_SIZE);
	ck_assert_int_eq(take_up(&vq, vq_memory, &r, event_idx), FPH_OK);
	expect(want, 0, 4);
	if (event_idx)
		expect(want, 4 + 8 * NUM, 2);
	check_written(before, want);

	/* Five used entries, two of them before the end of the ring. */
	for (uint16_t i = 0; i < 5; i++)
		offer(i, 1);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, 4 * NUM), 5);
	memcpy(before, r.mem, MEM_SIZE);
	ck_assert_int_eq(push(b, 2), 2);
	ck_assert_int_eq(push(b + 2, 3), 3);
	memset(want, 0, sizeof(want));
	expect(want, 0, 4);
	expect(want, 4 + 8 * (NUM - 2), 16);
	expect(want, 4, 24);
	check_written(before, want);

	/* All of them, and more than once. */
	for (uint16_t i = 0; i < NUM + 3; i++) {
		offer(i % NUM, 1);
		WANT(fph_vq_device_pop(vq, b, 1, segs, NUM) == 1);
		WANT(push(b, 1) == 1);
	}
	memset(want, 0, sizeof(want));
	expect(want, 0, 4 + 8 * NUM);
	memcpy(before, r.mem, MEM_SIZE);
	check_written(before, want);

	fph_vq_device_want_notify(vq, false);
	memset(want, 0, sizeof(want));
	if (event_idx)
		expect(want, 4 + 8 * NUM, 2);
	else
		expect(want, 0, 4);
	check_written(before, want);
	ring_fini(&r);
}
END_TEST

/* ---------------------------------------------- the usual and the careful -- */

/*
 * The same ring twice, in both byte orders.  On a little-endian host one of
 * them is read in the usual way where that is possible, the other never: both
 * must give the same.
 */
static struct ring twin[2];
static struct fph_vq_device *twin_vq[2];
static uint64_t twin_memory[2][FPH_VQ_DEVICE_SIZE(NUM) / 8];

static void write_both(uint32_t table, uint32_t i, uint64_t gpa, uint32_t len,
		       uint16_t flags, uint16_t next)
{
	for (int k = 0; k < 2; k++)
		ring_desc(&twin[k], table ? twin[k].mem + table :
			  twin[k].desc, i, gpa, len, flags, next);
}

/* Mostly a chain that goes on, with a fault here and there. */
static void write_random(uint32_t table, uint32_t i, bool bad, uint64_t *seed)
{
	uint64_t gpa = (uint64_t)ring_random(seed) << 12;
	uint32_t len = (1 + ring_random(seed) % 3) << 12;
	uint16_t flags = (uint16_t)(ring_random(seed) % 5 ? IN | NEXT : IN);
	uint16_t next = (uint16_t)(ring_random(seed) % 6 ? i + 1 :
				   ring_random(seed) % NUM);

	if (!(ring_random(seed) % 8)) {
		gpa = T + 16 * (ring_random(seed) % 40);
		len = 16 * (1 + ring_random(seed) % NUM);
		flags = IND;
	}
	if (bad && !(ring_random(seed) % 16)) {
		switch (ring_random(seed) % 10) {
		case 0: len = 0; break;
		case 1: flags = (uint16_t)ring_random(seed); break;
		case 2: next = (uint16_t)ring_random(seed); break;
		case 3: gpa = (uint64_t)ring_random(seed) << 33; break;
		case 4: gpa = 0 - (uint64_t)(ring_random(seed) % 8192); break;
		case 5: flags ^= IN; break;
		case 6: len = 0xffffffffu - ring_random(seed) % 3; break;
		case 7: gpa = 0; len = 0; break;
		case 8: gpa = 0 - (uint64_t)len; break;
		case 9: len |= 8; break;
		}
	}
	write_both(table, i, gpa, len, flags, next);
}

static void make_twins(uint64_t *seed)
{
	bool bad = ring_random(seed) % 4;
	uint16_t base = (uint16_t)ring_random(seed);
	uint32_t n = ring_random(seed) % (NUM + 1);

	for (uint32_t i = 0; i < NUM; i++)
		write_random(0, i, bad, seed);
	for (uint32_t i = 0; i < 64; i++)
		write_random(T, i, bad, seed);
	if (bad && !(ring_random(seed) % 20))
		n += ring_random(seed) % 4;
	for (int k = 0; k < 2; k++) {
		ring_set_avail_idx(&twin[k], base);
		WANT(take_up(&twin_vq[k], twin_memory[k], &twin[k], true) ==
		     FPH_OK);
	}
	for (uint32_t i = 0; i < n; i++) {
		uint16_t head = (uint16_t)(ring_random(seed) % NUM);

		if (bad && !(ring_random(seed) % 30))
			head = NUM;
		ring_offer(&twin[0], head);
		ring_offer(&twin[1], head);
	}
}

static int compare_twins(uint64_t *seed, uint64_t *popped)
{
	uint32_t n = 1 + ring_random(seed) % NUM;
	uint32_t nsegs = NUM + ring_random(seed) % (3 * NUM);
	struct fph_seg s[2][4 * NUM];
	struct fph_buffer bufs[2][NUM];
	uint32_t used = 0;
	int ret[2];

	for (int k = 0; k < 2; k++)
		ret[k] = fph_vq_device_pop(twin_vq[k], bufs[k], n, s[k],
					   nsegs);
	WANT(ret[0] == ret[1]);
	for (int i = 0; i < ret[0]; i++) {
		WANT(bufs[0][i].cookie == bufs[1][i].cookie);
		WANT(bufs[0][i].nread == bufs[1][i].nread);
		WANT(bufs[0][i].nwrite == bufs[1][i].nwrite);
		used += bufs[0][i].nread + bufs[0][i].nwrite;
	}
	WANT(used <= nsegs);
	WANT(!memcmp(s[0], s[1], used * sizeof(s[0][0])));
	WANT(fph_vq_device_get_base(twin_vq[0]) ==
	     fph_vq_device_get_base(twin_vq[1]));
	WANT(fph_vq_device_get_inflight(twin_vq[0]) ==
	     fph_vq_device_get_inflight(twin_vq[1]));
	if (ret[0] > 0)
		*popped += (uint64_t)ret[0];
	return ret[0];
}

/* FPH_TEST_RINGS in the environment: how many rings, for a long run. */
START_TEST(test_usual_is_careful)
{
	const char *text = getenv("FPH_TEST_RINGS");
	long rings = text ? atol(text) : 20000;
	uint64_t seed = 4711, popped = 0, broken = 0;
	int ret;

	ring_init(&twin[0], NUM, false, MEM_SIZE);
	ring_init(&twin[1], NUM, true, MEM_SIZE);
	for (long i = 0; i < rings; i++) {
		make_twins(&seed);
		while ((ret = compare_twins(&seed, &popped)) > 0)
			;
		broken += ret < 0;
		for (int k = 0; k < 2; k++)
			WANT(fph_vq_device_is_broken(twin_vq[k]) == (ret < 0));
	}
	/* Both sorts happened, so the test looked at something. */
	ck_assert_uint_gt(popped, (uint64_t)rings);
	ck_assert_uint_gt(broken, (uint64_t)rings / 10);
	ck_assert_uint_lt(broken, (uint64_t)rings * 19 / 20);
	ring_fini(&twin[0]);
	ring_fini(&twin[1]);
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("vq_device_batch");
	TCase *tc = tcase_create("batch");

	tcase_set_timeout(tc, 1200);
	tcase_add_loop_test(tc, test_many, 0, 2);
	tcase_add_loop_test(tc, test_fits, 0, 2);
	tcase_add_loop_test(tc, test_error_in_the_middle, 0, 4);
	tcase_add_loop_test(tc, test_push_many, 0, 2);
	tcase_add_loop_test(tc, test_cookies, 0, 2);
	tcase_add_loop_test(tc, test_nothing_to_notify, 0, 4);
	tcase_add_loop_test(tc, test_written, 0, 4);
	tcase_add_test(tc, test_usual_is_careful);
	suite_add_tcase(s, tc);
	return s;
}
