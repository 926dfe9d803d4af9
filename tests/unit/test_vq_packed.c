/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Packed rings: each side against another one that is written here, byte by
 * byte from the layout in virtio 1.4 and from nothing of the library.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "ring.h"
#include "runner.h"

#define NUM		5u		/* no power of two */
#define MEM_SIZE	0x4000
#define TABLE		0x1000u		/* gpa */
#define EVENTS		0x2000		/* of the driver; the device's behind */

#define NEXT		1u
#define WRITE		2u
#define INDIRECT	4u
#define AVAIL		0x80u
#define USED		0x8000u

#define FEATURES	(FPH_BIT(VIRTIO_F_VERSION_1) |		\
			 FPH_BIT(VIRTIO_F_RING_PACKED))
#define WITH_INDIRECT	FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC)
#define WITH_EVENT	FPH_BIT(VIRTIO_RING_F_EVENT_IDX)
#define WITH_ORDER	FPH_BIT(VIRTIO_F_IN_ORDER)

static _Alignas(16) uint8_t mem[MEM_SIZE];
static uint64_t dev_memory[FPH_VQ_DEVICE_SIZE(NUM) / 8 + 1];
static uint64_t drv_memory[FPH_VQ_DRIVER_SIZE(NUM) / 8 + 1];
static struct fph_vq_device *dev;
static struct fph_vq_driver *drv;
static bool big;

/* The hand-written side: where it is in the ring. */
static uint32_t at;
static bool wrap;

static const void *map(void *ctx, uint64_t gpa, uint64_t len)
{
	(void)ctx;
	return gpa < MEM_SIZE && len <= MEM_SIZE - gpa ? mem + gpa : NULL;
}

static void start_device(uint64_t features, uint32_t base)
{
	struct fph_vq_device_params p = {
		.size = sizeof(p),
		.num = NUM,
		.features = FEATURES | features,
		.endian = big ? FPH_BE : FPH_LE,
		.base = base,
		.desc = mem,
		.driver = mem + EVENTS,
		.device = mem + EVENTS + 4,
		.map = map,
	};

	ck_assert_uint_le(fph_vq_device_size(&p), sizeof(dev_memory));
	ck_assert_int_eq(fph_vq_device_init(&dev, dev_memory,
					    sizeof(dev_memory), &p), FPH_OK);
}

static void begin(void)
{
	memset(mem, 0, sizeof(mem));
	at = 0;
	wrap = true;
}

static void start_driver(uint64_t features)
{
	struct fph_vq_driver_params p = {
		.size = sizeof(p),
		.num = NUM,
		.features = FEATURES | features,
		.tables_gpa = TABLE,
		.table_entries = 4,
		.endian = big ? FPH_BE : FPH_LE,
		.desc = mem,
		.driver = mem + EVENTS,
		.device = mem + EVENTS + 4,
		.tables = mem + TABLE,
	};

	memset(mem, 0x5a, sizeof(mem));
	at = 0;
	wrap = true;
	ck_assert_int_eq(fph_vq_driver_init(&drv, drv_memory,
					    sizeof(drv_memory), &p), FPH_OK);
}

static void put_desc(uint8_t *p, uint64_t gpa, uint32_t len, uint32_t id,
		     uint32_t flags)
{
	ring_put(p, 8, gpa, big);
	ring_put(p + 8, 4, len, big);
	ring_put(p + 12, 2, id, big);
	ring_put(p + 14, 2, flags, big);
}

static void step(uint32_t n)
{
	at += n;
	if (at >= NUM) {
		at -= NUM;
		wrap = !wrap;
	}
}

/* The driver here makes the next descriptor available. */
static void offer(uint64_t gpa, uint32_t len, uint32_t id, uint32_t flags)
{
	put_desc(mem + 16 * at, gpa, len, id,
		 flags | (wrap ? AVAIL : USED));
	step(1);
}

/* The device here uses a buffer of ndesc descriptors. */
static void use(uint32_t id, uint32_t len, uint32_t ndesc)
{
	put_desc(mem + 16 * at, 0xbad, len, id,
		 (len ? WRITE : 0) | (wrap ? AVAIL | USED : 0));
	step(ndesc);
}

static void put_event(uint32_t off, uint32_t off_wrap, uint32_t flags)
{
	ring_put(mem + off, 2, off_wrap, big);
	ring_put(mem + off + 2, 2, flags, big);
}

static int pop(struct fph_buffer *b, struct fph_seg *segs)
{
	return fph_vq_device_pop(dev, b, 1, segs, NUM);
}

static int push(uint64_t cookie, uint32_t len)
{
	struct fph_used u = { .cookie = cookie, .len = len };

	return fph_vq_device_push(dev, &u, 1);
}

/* What the device wrote at a place. */
static void check_used(uint32_t place, bool lap, uint32_t id, uint32_t len)
{
	const uint8_t *p = mem + 16 * place;

	ck_assert_uint_eq(ring_get(p + 14, 2, big),
			  (len ? WRITE : 0) | (lap ? AVAIL | USED : 0));
	ck_assert_uint_eq(ring_get(p + 12, 2, big), id);
	if (len)
		ck_assert_uint_eq(ring_get(p + 8, 4, big), len);
}

/* ------------------------------------------------------- the device side -- */

/* Lists of 1 to 3 descriptors, many laps; ids as the driver likes. */
START_TEST(device_takes_lists)
{
	struct fph_buffer b;
	struct fph_seg segs[NUM];
	uint32_t first, n, i, id;
	bool lap;

	big = _i;
	begin();
	start_device(0, FPH_VRING_NEW_BASE(FEATURES));
	ck_assert_int_eq(pop(&b, segs), 0);
	for (uint32_t round = 0; round < 300; round++) {
		n = 1 + round % 3;
		id = round * 7919 % 65536;
		first = at;
		lap = wrap;
		for (i = 0; i < n; i++)
			offer(0x1000 * (round + i + 1), 16 + i,
			      i == n - 1 ? id : 0xdead,
			      (i < n - 1 ? NEXT : 0) | (i ? WRITE : 0));
		ck_assert_int_eq(pop(&b, segs), 1);
		ck_assert_uint_eq(b.nread, 1);
		ck_assert_uint_eq(b.nwrite, n - 1);
		for (i = 0; i < n; i++) {
			ck_assert_uint_eq(segs[i].gpa,
					  0x1000 * (round + i + 1));
			ck_assert_uint_eq(segs[i].len, 16 + i);
			ck_assert_uint_eq(segs[i].flags,
					  i ? FPH_SEG_WRITE : 0);
		}
		ck_assert_int_eq(pop(&b, segs), 0);
		ck_assert_int_eq(push(b.cookie, n - 1), 1);
		check_used(first, lap, id, n - 1);
	}
}
END_TEST

/* Out of order: what is used overwrites the ring from its oldest place on. */
START_TEST(device_uses_in_any_order)
{
	struct fph_buffer b[3];
	struct fph_seg segs[3 * NUM];
	struct fph_used u[2];

	big = false;
	begin();
	start_device(0, FPH_VRING_NEW_BASE(FEATURES));
	offer(0x1000, 1, 40, 0);
	offer(0x2000, 1, 41, NEXT);
	offer(0x3000, 1, 41, 0);
	offer(0x4000, 1, 42, WRITE);
	ck_assert_int_eq(fph_vq_device_pop(dev, b, 3, segs, 3 * NUM), 3);
	u[0] = (struct fph_used){ .cookie = b[2].cookie, .len = 9 };
	u[1] = (struct fph_used){ .cookie = b[1].cookie };
	ck_assert_int_eq(fph_vq_device_push(dev, u, 2), 2);
	check_used(0, true, 42, 9);
	check_used(1, true, 41, 0);
	ck_assert_int_eq(push(b[0].cookie, 0), 1);
	check_used(3, true, 40, 0);
	ck_assert_uint_eq(fph_vq_device_get_base(dev), 0x80048004u);
	ck_assert_int_eq(push(b[0].cookie, 0), FPH_ESTATE);
}
END_TEST

/* IN_ORDER: what comes too early waits. */
START_TEST(device_keeps_the_order)
{
	struct fph_buffer b[3];
	struct fph_seg segs[3 * NUM];

	big = _i;
	begin();
	start_device(WITH_ORDER, FPH_VRING_NEW_BASE(FEATURES));
	for (uint32_t round = 0; round < 20; round++) {
		uint32_t first = at;
		bool lap = wrap;

		for (uint32_t i = 0; i < 3; i++)
			offer(0x1000, 4096, 10 + i, WRITE);
		ck_assert_int_eq(fph_vq_device_pop(dev, b, 3, segs, 3 * NUM),
				 3);
		ck_assert_int_eq(push(b[2].cookie, 3), 1);
		ck_assert_int_eq(push(b[2].cookie, 3), FPH_EINVAL);
		ck_assert_int_eq(push(b[1].cookie, 2), 1);
		ck_assert_int_eq(fph_vq_device_should_notify(dev), 0);
		ck_assert_uint_eq(fph_vq_device_get_inflight(dev), 1);
		ck_assert_int_eq(push(b[0].cookie, 1), 1);
		for (uint32_t i = 0; i < 3; i++)
			check_used((first + i) % NUM,
				   first + i >= NUM ? !lap : lap, 10 + i,
				   1 + i);
		ck_assert_int_eq(fph_vq_device_should_notify(dev), 1);
	}
}
END_TEST

START_TEST(device_takes_a_table)
{
	struct fph_buffer b;
	struct fph_seg segs[NUM];

	big = _i;
	begin();
	start_device(WITH_INDIRECT, FPH_VRING_NEW_BASE(FEATURES));
	/* In a table only WRITE has a meaning. */
	put_desc(mem + TABLE, 0x10000, 8, 77, NEXT | INDIRECT | AVAIL);
	put_desc(mem + TABLE + 16, 0x20000, 4096, 78, WRITE | USED);
	put_desc(mem + TABLE + 32, 0x30000, 4096, 79, WRITE);
	offer(TABLE, 48, 3, INDIRECT);
	ck_assert_int_eq(pop(&b, segs), 1);
	ck_assert_uint_eq(b.nread, 1);
	ck_assert_uint_eq(b.nwrite, 2);
	ck_assert_uint_eq(segs[2].gpa, 0x30000);
	ck_assert_int_eq(push(b.cookie, 0), 1);
	check_used(0, true, 3, 0);
}
END_TEST

struct hostile {
	const char *name;
	int want;
	struct { uint64_t gpa; uint32_t len; uint32_t flags; } d[NUM + 1];
};

#define P	0x1000u
#define T	TABLE

/* Bits AVAIL and USED in flags here: those of the other lap. */
static const struct hostile hostile[] = {
	{ "no bytes", FPH_PEER_ZERO_LEN, { { P, 0, 0 } } },
	{ "no bytes behind", FPH_PEER_ZERO_LEN,
	  { { P, P, NEXT }, { P, 0, 0 } } },
	{ "wraps", FPH_PEER_WRAP, { { 0 - (uint64_t)P, P + 1, 0 } } },
	{ "readable behind writable", FPH_PEER_ORDER,
	  { { P, P, WRITE | NEXT }, { P, P, 0 } } },
	{ "goes on in what is not there", FPH_PEER_NEXT,
	  { { P, P, NEXT }, { P, P, AVAIL } } },
	{ "goes on without end", FPH_PEER_NEXT,
	  { { P, P, NEXT }, { P, P, NEXT }, { P, P, NEXT }, { P, P, NEXT },
	    { P, P, NEXT } } },
	{ "more than 2^32", FPH_PEER_TOTAL,
	  { { P, 0x80000000u, WRITE | NEXT }, { P, 0x80000000u, WRITE | NEXT },
	    { P, 1, WRITE } } },
	{ "indirect with next", FPH_PEER_INDIRECT_NEXT,
	  { { T, 16, INDIRECT | NEXT }, { P, P, 0 } } },
	{ "indirect behind", FPH_PEER_INDIRECT_NEXT,
	  { { P, P, NEXT }, { T, 16, INDIRECT } } },
	{ "empty table", FPH_PEER_INDIRECT_LEN, { { T, 0, INDIRECT } } },
	{ "odd table", FPH_PEER_INDIRECT_LEN, { { T, 24, INDIRECT } } },
	{ "long table", FPH_PEER_LONG_CHAIN,
	  { { T, 16 * (NUM + 1), INDIRECT } } },
	{ "table that is no memory", FPH_PEER_INDIRECT_ADDR,
	  { { MEM_SIZE - 16, 32, INDIRECT } } },
	{ "empty entry", FPH_PEER_ZERO_LEN, { { 0x3000, 32, INDIRECT } } },
};

START_TEST(device_and_a_hostile_driver)
{
	const struct hostile *h = &hostile[_i];
	struct fph_buffer b = { 0 };
	struct fph_seg segs[NUM];
	uint32_t i;

	big = false;
	begin();
	put_desc(mem + T, P, P, 0, WRITE);
	start_device(WITH_INDIRECT, FPH_VRING_NEW_BASE(FEATURES));
	for (i = 0; i < NUM && h->d[i].gpa; i++) {
		if (h->d[i].flags & AVAIL)
			wrap = !wrap;
		offer(h->d[i].gpa, h->d[i].len, i,
		      h->d[i].flags & ~AVAIL);
		if (h->d[i].flags & AVAIL)
			wrap = !wrap;
	}
	ck_assert_msg(pop(&b, segs) == h->want, "%s", h->name);
	ck_assert(fph_vq_device_is_broken(dev));
	ck_assert_int_eq(pop(&b, segs), FPH_PEER_BROKEN);
	ck_assert_int_eq(fph_vq_device_want_notify(dev, true), 0);
}
END_TEST

/* INDIRECT that was not negotiated; a list in the way of one in flight. */
START_TEST(device_and_a_driver_that_overtakes)
{
	struct fph_buffer b;
	struct fph_seg segs[NUM];

	big = false;
	begin();
	start_device(0, FPH_VRING_NEW_BASE(FEATURES));
	offer(TABLE, 16, 0, INDIRECT);
	ck_assert_int_eq(pop(&b, segs), FPH_PEER_INDIRECT);
	begin();
	start_device(0, FPH_VRING_NEW_BASE(FEATURES));
	for (uint32_t i = 0; i < NUM; i++)
		offer(P, P, i, 0);
	for (uint32_t i = 0; i < NUM; i++)
		ck_assert_int_eq(pop(&b, segs), 1);
	offer(P, P, 9, 0);
	ck_assert_int_eq(pop(&b, segs), FPH_PEER_INFLIGHT);
	ck_assert_int_eq(push(b.cookie, 0), 1);
}
END_TEST

/* No room for a second list: it stays for the next call. */
START_TEST(device_with_little_room)
{
	struct fph_buffer b[2];
	struct fph_seg segs[NUM];

	big = false;
	begin();
	start_device(0, FPH_VRING_NEW_BASE(FEATURES));
	for (uint32_t i = 0; i < 2; i++)
		offer(P, P, i, 0);
	offer(P, P, 2, NEXT);
	offer(P, P, 2, NEXT);
	offer(P, P, 2, 0);
	ck_assert_int_eq(fph_vq_device_pop(dev, b, 2, segs, NUM - 1),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_vq_device_pop(dev, b, 1, segs, NUM), 1);
	ck_assert_int_eq(fph_vq_device_pop(dev, b, 2, segs, NUM), 2);
	ck_assert_uint_eq(b[1].nread, 3);
	ck_assert_uint_eq(fph_vq_device_get_inflight(dev), 3);
}
END_TEST

/* Another device goes on where this one stopped. */
START_TEST(device_goes_on_at_a_base)
{
	struct fph_buffer b;
	struct fph_seg segs[NUM];
	uint32_t base = FPH_VRING_NEW_BASE(FEATURES);

	big = false;
	begin();
	for (uint32_t i = 0; i < 40; i++) {
		uint32_t first = at;
		bool lap = wrap;

		start_device(0, base);
		offer(P * (i + 1), P, i, WRITE | NEXT);
		offer(P, P, i, WRITE);
		ck_assert_int_eq(pop(&b, segs), 1);
		ck_assert_uint_eq(segs[0].gpa, P * (i + 1));
		ck_assert_uint_eq(fph_vq_device_get_base_of(dev, b.cookie),
				  base);
		ck_assert_int_eq(push(b.cookie, 0), 1);
		check_used(first, lap, i, 0);
		base = fph_vq_device_get_base(dev);
		ck_assert_uint_eq(base, (at | (uint32_t)wrap << 15) *
				  0x10001u);
	}
}
END_TEST

/* The three modes of the driver's event structure. */
START_TEST(device_looks_at_the_events)
{
	struct fph_buffer b;
	struct fph_seg segs[NUM];
	uint32_t i, asked;

	big = _i;
	begin();
	start_device(WITH_EVENT, FPH_VRING_NEW_BASE(FEATURES));
	for (i = 0; i < 100; i++) {
		uint32_t off = at | (uint32_t)wrap << 15;

		/* The first time nothing is known of before. */
		asked = i ? i % 4 : 0;
		if (asked == 0)
			put_event(EVENTS, 0, 0);
		else if (asked == 1)
			put_event(EVENTS, 0, 1);
		else if (asked == 2)
			put_event(EVENTS, off, 2);
		else
			/* Behind the one that is used now. */
			put_event(EVENTS, at + 1 < NUM ? off + 1 :
				  (uint32_t)!wrap << 15, 2);
		offer(P, P, i, 0);
		ck_assert_int_eq(pop(&b, segs), 1);
		ck_assert_int_eq(push(b.cookie, 0), 1);
		ck_assert_int_eq(fph_vq_device_should_notify(dev),
				 asked == 0 || asked == 2);
		ck_assert_int_eq(fph_vq_device_should_notify(dev), 0);
	}
	/* And what it asks for itself. */
	ck_assert_int_eq(fph_vq_device_want_notify(dev, true), 0);
	ck_assert_uint_eq(ring_get(mem + EVENTS + 4, 2, big),
			  at | (uint32_t)wrap << 15);
	ck_assert_uint_eq(ring_get(mem + EVENTS + 6, 2, big), 2);
	offer(P, P, 1, 0);
	ck_assert_int_eq(fph_vq_device_want_notify(dev, true), 1);
	ck_assert_int_eq(fph_vq_device_want_notify(dev, false), 0);
	ck_assert_uint_eq(ring_get(mem + EVENTS + 6, 2, big), 1);
}
END_TEST

static bool is_in(const struct fph_span *spans, int n, const uint8_t *p)
{
	for (int i = 0; i < n; i++) {
		const uint8_t *from = spans[i].addr;

		if (p >= from && p < from + spans[i].len)
			return true;
	}
	return false;
}

/* Each byte that changed is told, and no other descriptor. */
START_TEST(device_tells_what_it_wrote)
{
	struct fph_span spans[FPH_WRITTEN_SPANS];
	struct fph_buffer b[2];
	struct fph_seg segs[2 * NUM];
	uint8_t before[MEM_SIZE];

	big = false;
	begin();
	start_device(0, FPH_VRING_NEW_BASE(FEATURES));
	ck_assert_int_eq(fph_vq_device_take_written(dev, spans), 1);
	ck_assert_ptr_eq(spans[0].addr, mem + EVENTS + 4);
	for (uint32_t round = 0; round < 20; round++) {
		int n;

		offer(P, P, 1, NEXT);
		offer(P, P, 1, 0);
		offer(P, P, 2, 0);
		ck_assert_int_eq(fph_vq_device_pop(dev, b, 2, segs, 2 * NUM),
				 2);
		memcpy(before, mem, sizeof(mem));
		ck_assert_int_eq(push(b[1].cookie, 1), 1);
		ck_assert_int_eq(push(b[0].cookie, 1), 1);
		n = fph_vq_device_take_written(dev, spans);
		ck_assert_int_ge(n, 1);
		for (size_t i = 0; i < sizeof(mem); i++)
			ck_assert(mem[i] == before[i] ||
				  is_in(spans, n, mem + i));
		ck_assert_int_eq(fph_vq_device_take_written(dev, spans), 0);
	}
}
END_TEST

/* ------------------------------------------------------- the driver side -- */

static void check_avail(uint32_t place, bool lap, uint64_t gpa, uint32_t len,
			uint32_t flags)
{
	const uint8_t *p = mem + 16 * place;

	ck_assert_uint_eq(ring_get(p, 8, big), gpa);
	ck_assert_uint_eq(ring_get(p + 8, 4, big), len);
	ck_assert_uint_eq(ring_get(p + 14, 2, big),
			  flags | (lap ? AVAIL : USED));
}

static uint32_t id_at(uint32_t place)
{
	return (uint32_t)ring_get(mem + 16 * place + 12, 2, big);
}

static bool is_avail(uint32_t place, bool lap)
{
	return (ring_get(mem + 16 * place + 14, 2, big) & (AVAIL | USED)) ==
	       (lap ? AVAIL : USED);
}

static int add(uint64_t cookie, uint32_t nread, uint32_t nwrite,
	       uint32_t flags)
{
	struct fph_seg segs[NUM];
	struct fph_buffer b = { .cookie = cookie, .nread = nread,
				.nwrite = nwrite, .flags = flags };

	for (uint32_t i = 0; i < nread + nwrite; i++)
		segs[i] = (struct fph_seg){ P * (i + 1), 16 + i,
					    i < nread ? 0 : FPH_SEG_WRITE };
	return fph_vq_driver_add(drv, &b, 1, segs);
}

/* Nothing of what was added is there before publish; then all of it. */
START_TEST(driver_publishes_at_once)
{
	struct fph_used u;
	uint32_t id;

	big = _i;
	start_driver(0);
	for (uint32_t round = 0; round < 100; round++) {
		uint32_t first = at;
		bool lap = wrap;

		ck_assert_int_eq(add(round, 1, 1, 0), 1);
		ck_assert_int_eq(add(1000 + round, 0, 1, 0), 1);
		ck_assert(!is_avail(first, lap));
		ck_assert_uint_eq(fph_vq_driver_get_room(drv), NUM - 3);
		ck_assert_int_eq(add(1, 2, 1, 0), FPH_EFULL);
		ck_assert_int_eq(fph_vq_driver_publish(drv), FPH_OK);
		check_avail(first, lap, P, 16, NEXT);
		check_avail((first + 1) % NUM, first + 1 < NUM ? lap : !lap,
			    2 * P, 17, WRITE);
		id = id_at((first + 1) % NUM);
		ck_assert_int_eq(fph_vq_driver_take_used(drv, &u, 1), 0);
		/* The second one is used first. */
		use(id_at((first + 2) % NUM), 5, 1);
		ck_assert_int_eq(fph_vq_driver_take_used(drv, &u, 1), 1);
		ck_assert_uint_eq(u.cookie, 1000 + round);
		ck_assert_uint_eq(u.len, 5);
		use(id, 0, 2);
		ck_assert_int_eq(fph_vq_driver_take_used(drv, &u, 1), 1);
		ck_assert_uint_eq(u.cookie, round);
		ck_assert_uint_eq(u.len, 0);
		ck_assert_uint_eq(fph_vq_driver_get_room(drv), NUM);
	}
}
END_TEST

START_TEST(driver_writes_a_table)
{
	uint8_t *table;

	big = _i;
	start_driver(WITH_INDIRECT);
	ck_assert_int_eq(add(7, 1, 2, 0), 1);
	ck_assert_int_eq(fph_vq_driver_publish(drv), FPH_OK);
	table = mem + ring_get(mem, 8, big);
	check_avail(0, true, (uint64_t)(table - mem), 48, INDIRECT);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(ring_get(table + 16 * i, 8, big),
				  P * (i + 1));
		ck_assert_uint_eq(ring_get(table + 16 * i + 8, 4, big),
				  16 + i);
		ck_assert_uint_eq(ring_get(table + 16 * i + 14, 2, big),
				  i ? WRITE : 0);
	}
	/* One that is to be direct. */
	ck_assert_int_eq(add(8, 1, 1, FPH_BUFFER_DIRECT), 1);
	ck_assert_uint_eq(fph_vq_driver_get_room(drv), NUM - 3);
}
END_TEST

/* IN_ORDER: a device names the last of a batch, in either layout. */
START_TEST(driver_takes_a_batch)
{
	struct fph_used u[4];

	big = _i;
	start_driver(WITH_ORDER);
	for (uint32_t round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < 4; i++)
			ck_assert_int_eq(add(10 * round + i, 0, 1, 0), 1);
		ck_assert_int_eq(fph_vq_driver_publish(drv), FPH_OK);
		use(id_at((at + 2) % NUM), 3, 3);
		ck_assert_int_eq(fph_vq_driver_take_used(drv, u, 2), 2);
		ck_assert_int_eq(fph_vq_driver_want_notify(drv, true), 1);
		ck_assert_int_eq(fph_vq_driver_take_used(drv, u + 2, 2), 1);
		for (uint32_t i = 0; i < 3; i++) {
			ck_assert_uint_eq(u[i].cookie, 10 * round + i);
			ck_assert_uint_eq(u[i].len, i == 2 ? 3 : 16);
		}
		ck_assert_uint_eq(fph_vq_driver_get_inflight(drv), 1);
		use(id_at(at), 0, 1);
		ck_assert_int_eq(fph_vq_driver_take_used(drv, u, 4), 1);
		ck_assert_uint_eq(u[0].cookie, 10 * round + 3);
		ck_assert_uint_eq(fph_vq_driver_get_room(drv), NUM);
	}
}
END_TEST

/* Used in a batch it was written completely, as far as a length can say so. */
START_TEST(driver_takes_a_long_buffer)
{
	static const uint32_t lens[][2] = {	/* and the length */
		{ 0x7fffffff, 0xfffffffe }, { 0x80000000, 0xffffffff }
	};
	struct fph_buffer b = { .cookie = 5, .nwrite = 2 };
	struct fph_used u[2];

	big = false;
	for (size_t i = 0; i < 2; i++) {
		struct fph_seg segs[2] = {
			{ P, lens[i][0], FPH_SEG_WRITE },
			{ (uint64_t)1 << 40, lens[i][0], FPH_SEG_WRITE }
		};

		start_driver(WITH_ORDER);
		ck_assert_int_eq(fph_vq_driver_add(drv, &b, 1, segs), 1);
		ck_assert_int_eq(add(6, 0, 1, 0), 1);
		ck_assert_int_eq(fph_vq_driver_publish(drv), FPH_OK);
		use(id_at(2), 3, 3);
		ck_assert_int_eq(fph_vq_driver_take_used(drv, u, 2), 2);
		ck_assert_uint_eq(u[0].cookie, 5);
		ck_assert_uint_eq(u[0].len, lens[i][1]);
		ck_assert_uint_eq(u[1].len, 3);
	}
}
END_TEST

/* An id that is out of range, free, or not published breaks the ring. */
START_TEST(driver_and_a_hostile_device)
{
	struct fph_used u;
	uint32_t id;

	big = false;
	start_driver(0);
	ck_assert_int_eq(add(1, 0, 1, 0), 1);
	ck_assert_int_eq(fph_vq_driver_publish(drv), FPH_OK);
	ck_assert_int_eq(add(2, 0, 1, 0), 1);
	id = id_at(_i == 2 ? 1 : 0);
	use(_i == 0 ? NUM : _i == 1 ? 0xffff : _i == 2 ? id : id + 3, 0, 1);
	ck_assert_int_eq(fph_vq_driver_take_used(drv, &u, 1),
			 FPH_PEER_USED_ID);
	ck_assert(fph_vq_driver_is_broken(drv));
	ck_assert_int_eq(fph_vq_driver_take_used(drv, &u, 1),
			 FPH_PEER_BROKEN);
	ck_assert_int_eq(fph_vq_driver_detach(drv, &u, 1), 1);
	ck_assert_int_eq(fph_vq_driver_detach(drv, &u, 1), 1);
	ck_assert_int_eq(fph_vq_driver_detach(drv, &u, 1), 0);
}
END_TEST

/* Used twice, or used while nothing is out: the ring looks used all round. */
START_TEST(driver_and_a_device_that_uses_twice)
{
	struct fph_used u;
	uint32_t id;

	big = false;
	start_driver(0);
	ck_assert_int_eq(add(1, 0, 1, 0), 1);
	ck_assert_int_eq(add(2, 0, 1, 0), 1);
	ck_assert_int_eq(fph_vq_driver_publish(drv), FPH_OK);
	id = id_at(0);
	use(id, 0, 1);
	use(id, 0, 1);
	ck_assert_int_eq(fph_vq_driver_take_used(drv, &u, 1), 1);
	ck_assert_int_eq(fph_vq_driver_take_used(drv, &u, 1),
			 FPH_PEER_USED_ID);
	start_driver(0);
	use(0, 0, 1);
	ck_assert_int_eq(fph_vq_driver_take_used(drv, &u, 1), 0);
}
END_TEST

START_TEST(driver_looks_at_the_events)
{
	struct fph_used u;
	uint32_t asked;

	big = _i;
	start_driver(WITH_EVENT);
	for (uint32_t i = 0; i < 100; i++) {
		uint32_t off = at | (uint32_t)wrap << 15;

		asked = i % 4;
		if (asked == 0)
			put_event(EVENTS + 4, 0, 0);
		else if (asked == 1)
			put_event(EVENTS + 4, 0, 1);
		else if (asked == 2)
			put_event(EVENTS + 4, off, 2);
		else
			put_event(EVENTS + 4, at + 1 < NUM ? off + 1 :
				  (uint32_t)!wrap << 15, 2);
		ck_assert_int_eq(add(i, 0, 1, 0), 1);
		ck_assert_int_eq(fph_vq_driver_publish(drv), FPH_OK);
		ck_assert_int_eq(fph_vq_driver_should_notify(drv),
				 asked == 0 || asked == 2);
		ck_assert_int_eq(fph_vq_driver_want_notify(drv, true), 0);
		ck_assert_uint_eq(ring_get(mem + EVENTS, 2, big), off);
		ck_assert_uint_eq(ring_get(mem + EVENTS + 2, 2, big), 2);
		use(id_at(at), 0, 1);
		ck_assert_int_eq(fph_vq_driver_want_notify(drv, true), 1);
		ck_assert_int_eq(fph_vq_driver_take_used(drv, &u, 1), 1);
	}
}
END_TEST

/* Whatever stands in the ring: nothing is lost, doubled or out of bounds. */
START_TEST(random_memory)
{
	uint64_t seed = 4711 + (uint64_t)_i, order = _i & 1 ? WITH_ORDER : 0;
	struct fph_buffer b[3];
	struct fph_seg segs[3 * NUM];
	struct fph_used u;
	uint32_t taken = 0;

	big = _i & 2;
	for (int round = 0; round < 3000; round++) {
		int n, k = 0;

		begin();
		start_device(WITH_INDIRECT | WITH_EVENT | order,
			     FPH_VRING_NEW_BASE(FEATURES));
		for (uint32_t i = 0; i < 16 * NUM / 2; i++) {
			uint32_t v = ring_random(&seed);

			if (v % 4)
				put_desc(mem + 16 * (v / 4 % NUM),
					 v % 8192, v / 64 % 64,
					 v / 16, (v / 1024 & 7) | AVAIL);
			n = fph_vq_device_pop(dev, b, 1 + v % 3, segs,
					      3 * NUM);
			for (k = 0; k < n; k++) {
				WANT(b[k].nread + b[k].nwrite > 0);
				WANT(b[k].nread + b[k].nwrite <= NUM);
				WANT(push(b[k].cookie, v) == 1);
				taken++;
			}
			if (n < 0)
				break;
		}
		WANT(fph_vq_device_get_inflight(dev) == 0);
		start_driver(WITH_INDIRECT | order);
		for (uint32_t i = 0; i < 10 && add(i, 0, 1 + i % 2, 0) == 1;
		     i++)
			fph_vq_driver_publish(drv);
		k = (int)fph_vq_driver_get_inflight(drv);
		for (uint32_t i = 0; i < 40; i++)
			put_desc(mem + 16 * (i % NUM), 0, i,
				 ring_random(&seed) % NUM,
				 i & 1 ? AVAIL | USED : 0);
		while (fph_vq_driver_take_used(drv, &u, 1) == 1)
			k--;
		while (fph_vq_driver_detach(drv, &u, 1) == 1)
			k--;
		WANT(k == 0);
	}
	ck_assert_uint_gt(taken, 1000);
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("vq_packed");
	TCase *tc = tcase_create("packed");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, device_takes_lists, 0, 2);
	tcase_add_test(tc, device_uses_in_any_order);
	tcase_add_loop_test(tc, device_keeps_the_order, 0, 2);
	tcase_add_loop_test(tc, device_takes_a_table, 0, 2);
	tcase_add_loop_test(tc, device_and_a_hostile_driver, 0,
			    (int)(sizeof(hostile) / sizeof(hostile[0])));
	tcase_add_test(tc, device_and_a_driver_that_overtakes);
	tcase_add_test(tc, device_with_little_room);
	tcase_add_test(tc, device_goes_on_at_a_base);
	tcase_add_loop_test(tc, device_looks_at_the_events, 0, 2);
	tcase_add_test(tc, device_tells_what_it_wrote);
	tcase_add_loop_test(tc, driver_publishes_at_once, 0, 2);
	tcase_add_loop_test(tc, driver_writes_a_table, 0, 2);
	tcase_add_loop_test(tc, driver_takes_a_batch, 0, 2);
	tcase_add_test(tc, driver_takes_a_long_buffer);
	tcase_add_loop_test(tc, driver_and_a_hostile_device, 0, 4);
	tcase_add_test(tc, driver_and_a_device_that_uses_twice);
	tcase_add_loop_test(tc, driver_looks_at_the_events, 0, 2);
	tcase_add_loop_test(tc, random_memory, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
