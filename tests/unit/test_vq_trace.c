/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Barriers and sudden ends, in one thread: lib/vring is built for this test
 * with trace_config.h, and a hook looks at memory whenever a barrier is
 * reached.
 */
#include <check.h>
#include <string.h>

#include <fph/vring.h>

#include "ring.h"
#include "runner.h"

#define NUM		8
#define MEM_SIZE	4096
#define PAGE		4096u

void (*trace_barrier)(char kind);

static struct ring r;
static uint64_t drv_memory[FPH_VQ_DRIVER_SIZE(NUM) / 8];
static uint64_t dev_memory[FPH_VQ_DEVICE_SIZE(NUM) / 8];
static uint8_t record[FPH_INFLIGHT_SIZE(NUM)] __attribute__((aligned(8)));
static struct fph_vq_driver *drv;
static struct fph_vq_device *dev;
static struct fph_buffer b[NUM];
static struct fph_seg segs[2 * NUM];

/* Barriers of processors, each with avail.idx and used.idx as seen then. */
static char seen[64];
static size_t nseen;
static uint32_t ncompiler;

static void note(char kind)
{
	if (kind == 'c') {
		ncompiler++;
	} else if (nseen + 3 < sizeof(seen)) {
		seen[nseen++] = kind;
		seen[nseen++] = (char)('0' + ring_get_avail_idx(&r));
		seen[nseen++] = (char)('0' + ring_get_used_idx(&r));
	}
}

static const char *take_seen(void)
{
	static char out[64];

	memcpy(out, seen, nseen);
	out[nseen] = 0;
	nseen = 0;
	return out;
}

static int take_up(struct ring *ring, void *inflight)
{
	struct fph_vq_device_params p = {
		.size = sizeof(p),
		.num = NUM,
		.desc = ring->desc,
		.driver = ring->avail,
		.device = ring->used,
		.inflight = inflight,
		.endian = ring->big ? FPH_BE : FPH_LE,
	};

	return fph_vq_device_init(&dev, dev_memory, sizeof(dev_memory), &p);
}

static void start(bool big)
{
	struct fph_vq_driver_params p = {
		.size = sizeof(p),
		.num = NUM,
		.endian = big ? FPH_BE : FPH_LE,
	};

	ring_init(&r, NUM, big, MEM_SIZE);
	p.desc = r.desc;
	p.driver = r.avail;
	p.device = r.used;
	ck_assert_int_eq(fph_vq_driver_init(&drv, drv_memory,
					    sizeof(drv_memory), &p), FPH_OK);
	ck_assert_int_eq(take_up(&r, NULL), FPH_OK);
	trace_barrier = note;
	nseen = 0;
}

static void stop(void)
{
	trace_barrier = NULL;
	ring_fini(&r);
}

static int push(const struct fph_buffer *bufs, uint32_t n)
{
	struct fph_used used[NUM] = { { 0 } };

	for (uint32_t i = 0; i < n; i++)
		used[i].cookie = bufs[i].cookie;
	return fph_vq_device_push(dev, used, n);
}

/* Each in its place, and one for a whole batch. */
START_TEST(test_places)
{
	static const struct fph_seg seg[2] = {
		{ PAGE, 16, FPH_SEG_WRITE }, { PAGE, 16, FPH_SEG_WRITE }
	};
	static const struct fph_buffer bufs[2] = {
		{ .cookie = 1, .nwrite = 1 }, { .cookie = 2, .nwrite = 1 }
	};
	struct fph_used used[2];

	start(_i);
	ck_assert_int_eq(fph_vq_driver_add(drv, bufs, 2, seg), 2);
	ck_assert_str_eq(take_seen(), "");
	ck_assert_int_eq(fph_vq_driver_publish(drv), FPH_OK);
	ck_assert_str_eq(take_seen(), "w00");	/* before avail.idx */
	ck_assert_int_eq(fph_vq_driver_should_notify(drv), 1);
	ck_assert_str_eq(take_seen(), "m20");	/* after it */
	ncompiler = 0;
	ck_assert_int_eq(fph_vq_device_pop(dev, b, 2, segs, NUM), 2);
	ck_assert_str_eq(take_seen(), "r20");
	ck_assert_uint_ge(ncompiler, 2);	/* one a descriptor at least */
	ck_assert_int_eq(push(b, 2), 2);
	ck_assert_str_eq(take_seen(), "w20");	/* before used.idx */
	ck_assert_int_eq(fph_vq_device_should_notify(dev), 1);
	ck_assert_str_eq(take_seen(), "m22");	/* after it */
	ck_assert_int_eq(fph_vq_device_want_notify(dev, true), 0);
	ck_assert_str_eq(take_seen(), "m22");
	ck_assert_int_eq(fph_vq_device_want_notify(dev, false), 0);
	ck_assert_str_eq(take_seen(), "");
	ncompiler = 0;
	ck_assert_int_eq(fph_vq_driver_take_used(drv, used, 2), 2);
	ck_assert_str_eq(take_seen(), "r22");
	ck_assert_uint_eq(ncompiler, 2);
	ck_assert_int_eq(fph_vq_driver_want_notify(drv, true), 0);
	ck_assert_str_eq(take_seen(), "m22");
	stop();
}
END_TEST

/* A buffer that is offered while the device asks for notifications. */
static bool late;

static void offer_late(char kind)
{
	if (kind == 'm' && late) {
		late = false;
		ring_offer(&r, 0);
	}
}

START_TEST(test_late_offer)
{
	start(_i);
	trace_barrier = offer_late;
	late = true;
	ck_assert_int_eq(fph_vq_device_want_notify(dev, true), 1);
	stop();
}
END_TEST

/* ------------------------------------------------------------ sudden ends -- */

#define SNAPSHOTS	512

static struct snapshot {
	_Alignas(16) uint8_t mem[MEM_SIZE];
	_Alignas(8) uint8_t record[sizeof(record)];
} snapshots[SNAPSHOTS];
static uint32_t nsnapshots;

static void take_snapshot(char kind)
{
	(void)kind;
	WANT(nsnapshots < SNAPSHOTS);
	memcpy(snapshots[nsnapshots].mem, r.mem, MEM_SIZE);
	memcpy(snapshots[nsnapshots].record, record, sizeof(record));
	nsnapshots++;
}

/*
 * What a new device gets from a snapshot: all that was offered and is not
 * used, once, in the order of the offers.
 */
static void check_snapshot(struct snapshot *s, const uint16_t *offers,
			   uint32_t noffers)
{
	bool used[NUM] = { false };
	struct ring copy = r;
	uint32_t want = 0;
	int n;

	copy.mem = s->mem;
	copy.desc = s->mem + (r.desc - r.mem);
	copy.avail = s->mem + (r.avail - r.mem);
	copy.used = s->mem + (r.used - r.mem);
	for (uint16_t i = 0; i < ring_get_used_idx(&copy); i++) {
		uint32_t id = ring_get_used_id(&copy, i);

		ck_assert(!used[id]);
		used[id] = true;
	}
	ck_assert_int_eq(take_up(&copy, s->record), FPH_OK);
	n = fph_vq_device_pop(dev, b, NUM, segs, 2 * NUM);
	ck_assert_int_ge(n, 0);
	/* What an earlier device popped, then what it did not. */
	n += fph_vq_device_pop(dev, b + n, NUM, segs + n, NUM);
	for (uint32_t i = 0; i < noffers; i++) {
		if (used[offers[i]])
			continue;
		ck_assert_int_lt((int)want, n);
		ck_assert_uint_eq(segs[want].gpa, PAGE * (offers[i] + 1u));
		want++;
	}
	ck_assert_int_eq(n, (int)want);
}

/* Stopped at every barrier, which is between any two stores of the record. */
START_TEST(test_every_end)
{
	static const uint16_t offers[] = { 5, 1, 7, 0, 2, 6 };
	struct fph_buffer popped[NUM];
	uint32_t first;

	start(_i);
	memset(record, 0, sizeof(record));
	nsnapshots = 0;
	for (uint16_t i = 0; i < 6; i++) {
		ring_desc(&r, r.desc, offers[i], PAGE * (offers[i] + 1u), 16,
			  RING_WRITE, 0);
		ring_offer(&r, offers[i]);
	}
	trace_barrier = take_snapshot;
	ck_assert_int_eq(take_up(&r, record), FPH_OK);
	ck_assert_int_eq(fph_vq_device_pop(dev, popped, 4, segs, NUM), 4);
	ck_assert_int_eq(push(popped + 1, 2), 2);
	ck_assert_int_eq(fph_vq_device_pop(dev, popped + 1, 1, segs, NUM), 1);
	ck_assert_int_eq(push(popped + 3, 1), 1);
	ck_assert_int_eq(push(popped, 2), 2);
	take_snapshot(0);
	/* One that goes on, and is stopped in its turn. */
	first = nsnapshots;
	ck_assert_int_eq(take_up(&r, record), FPH_OK);
	ck_assert_int_eq(fph_vq_device_pop(dev, popped, 4, segs, NUM), 1);
	ck_assert_int_eq(push(popped, 1), 1);
	trace_barrier = NULL;
	ck_assert_uint_gt(first, 40);
	ck_assert_uint_gt(nsnapshots, first + 5);
	for (uint32_t i = 0; i < nsnapshots; i++)
		check_snapshot(&snapshots[i], offers, 6);
	stop();
}
END_TEST

/* The next device is stopped while it takes up the record. */
START_TEST(test_end_of_init)
{
	static const uint16_t offers[] = { 3, 4, 5 };
	struct snapshot middle[64];
	struct fph_buffer popped[NUM];
	uint32_t n;

	start(_i);
	memset(record, 0, sizeof(record));
	nsnapshots = 0;
	for (uint16_t i = 0; i < 3; i++) {
		ring_desc(&r, r.desc, offers[i], PAGE * (offers[i] + 1u), 16,
			  RING_WRITE, 0);
		ring_offer(&r, offers[i]);
	}
	trace_barrier = NULL;
	ck_assert_int_eq(take_up(&r, record), FPH_OK);
	ck_assert_int_eq(fph_vq_device_pop(dev, popped, 3, segs, NUM), 3);
	trace_barrier = take_snapshot;
	ck_assert_int_eq(push(popped, 2), 2);
	n = nsnapshots;
	ck_assert_uint_le(n, 64);
	memcpy(middle, snapshots, n * sizeof(middle[0]));
	for (uint32_t i = 0; i < n; i++) {
		memcpy(r.mem, middle[i].mem, MEM_SIZE);
		memcpy(record, middle[i].record, sizeof(record));
		nsnapshots = 0;
		trace_barrier = take_snapshot;
		ck_assert_int_eq(take_up(&r, record), FPH_OK);
		trace_barrier = NULL;
		ck_assert_uint_gt(nsnapshots, 0);
		for (uint32_t k = 0; k < nsnapshots; k++)
			check_snapshot(&snapshots[k], offers, 3);
	}
	stop();
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("vq_trace");
	TCase *tc = tcase_create("trace");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, test_places, 0, 2);
	tcase_add_loop_test(tc, test_late_offer, 0, 2);
	tcase_add_loop_test(tc, test_every_end, 0, 2);
	tcase_add_loop_test(tc, test_end_of_init, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
