/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of the device side of a ring, in every layout and byte order: a
 * device is saved at a random step and loaded into a second one over the same
 * memory.  From there on each step is done twice, by both, from the same bytes:
 * the answers and the bytes that they leave must be the same.
 */
#include <stdio.h>
#include <string.h>

#include <fph/vring.h>

#include "damage.h"
#include "ring.h"
#include "runner.h"

#define NUM		16u
#define NSAVES		1000
#define STEPS_AFTER	100
#define OBJECT		(512u + 32u * NUM)
#define STATE		FPH_VQ_DEVICE_STATE_SIZE(NUM)

/* Everything that both sides can write. */
static struct memory {
	uint8_t desc[16 * NUM];
	uint8_t driver[64];
	uint8_t device[16 + 8 * NUM];
	uint8_t tables[NUM * 16 * 4];
} mem __attribute__((aligned(64)));

struct device {
	uint64_t memory[OBJECT / 8];
	struct fph_vq_device *vq;
	uint64_t cookies[NUM];
	uint32_t n;
};

struct answer {
	int64_t ret;
	uint64_t v[40];
};

static struct device one, two;
static struct fph_vq_driver *driver;
static uint64_t driver_memory[FPH_VQ_DRIVER_SIZE(NUM) / 8 + 64];
static uint64_t serial;

static uint32_t below(uint64_t *seed, uint32_t n)
{
	return ring_random(seed) % n;
}

static const void *map(void *ctx, uint64_t gpa, uint64_t len)
{
	(void)ctx;
	return gpa < sizeof(mem.tables) && len <= sizeof(mem.tables) - gpa ?
	       mem.tables + gpa : NULL;
}

/* Whether the library has such rings. */
static bool make_driver(uint64_t features, uint32_t endian)
{
	struct fph_vq_driver_params p = {
		.size = sizeof(p), .num = NUM, .features = features,
		.endian = endian, .desc = mem.desc, .driver = mem.driver,
		.device = mem.device, .tables = mem.tables,
		.table_entries = 4
	};

	return !fph_vq_driver_init(&driver, driver_memory,
				   sizeof(driver_memory), &p);
}

static void make_device(struct device *d, uint64_t features, uint32_t endian,
			uint32_t base)
{
	struct fph_vq_device_params p = {
		.size = sizeof(p), .num = NUM, .features = features,
		.endian = endian, .base = base, .desc = mem.desc,
		.driver = mem.driver, .device = mem.device, .map = map
	};

	memset(d, 0xa5, sizeof(*d));
	d->n = 0;
	ck_assert_int_eq(fph_vq_device_init(&d->vq, d->memory,
					    sizeof(d->memory), &p), FPH_OK);
}

/* ----------------------------------------------------------------- steps -- */

static void drive(uint64_t *seed)
{
	struct fph_used used[NUM];
	struct fph_seg segs[4];
	struct fph_buffer b = { .cookie = ++serial };

	b.nwrite = 1 + below(seed, 4);
	for (uint32_t i = 0; i < b.nwrite; i++)
		segs[i] = (struct fph_seg){ 0x1000 * serial, 0x1000,
					    FPH_SEG_WRITE };
	if (below(seed, 3))
		(void)fph_vq_driver_add(driver, &b, 1, segs);
	if (below(seed, 3))
		(void)fph_vq_driver_publish(driver);
	if (!below(seed, 3))
		(void)fph_vq_driver_want_notify(driver, below(seed, 2));
	if (!below(seed, 3))
		WANT(fph_vq_driver_take_used(driver, used, NUM) >= 0);
}

static void pop(struct device *d, uint64_t *seed, struct answer *a)
{
	uint32_t n = 1 + below(seed, 3);
	struct fph_buffer buffers[3];
	struct fph_seg segs[NUM];

	memset(buffers, 0xa5, sizeof(buffers));
	a->ret = fph_vq_device_pop(d->vq, buffers, n, segs, NUM);
	for (int i = 0; i < a->ret; i++) {
		WANT(!buffers[i].flags && !buffers[i].index &&
		     !buffers[i].reserved);
		a->v[3 * i] = buffers[i].cookie;
		a->v[3 * i + 1] = buffers[i].nwrite;
		a->v[3 * i + 2] = segs[0].gpa;
		d->cookies[d->n++] = buffers[i].cookie;
	}
}

static void push(struct device *d, uint64_t *seed, struct answer *a)
{
	uint32_t n = below(seed, NUM);
	struct fph_used used = { .len = below(seed, 100) };

	if (!d->n)
		return;
	n %= d->n;
	used.cookie = d->cookies[n];
	d->cookies[n] = d->cookies[--d->n];
	a->ret = fph_vq_device_push(d->vq, &used, 1);
	WANT(a->ret == 1);
}

static void look(struct device *d, struct answer *a)
{
	struct fph_span spans[FPH_WRITTEN_SPANS];

	a->ret = fph_vq_device_should_notify(d->vq);
	a->v[0] = fph_vq_device_get_base(d->vq);
	a->v[1] = fph_vq_device_get_inflight(d->vq);
	a->v[2] = fph_vq_device_is_broken(d->vq);
	a->v[3] = (uint64_t)fph_vq_device_take_written(d->vq, spans);
	for (uint64_t i = 0; i < a->v[3]; i++) {
		a->v[4 + 2 * i] = (uintptr_t)spans[i].addr;
		a->v[5 + 2 * i] = spans[i].len;
	}
}

static void step(struct device *d, uint64_t *seed, struct answer *a)
{
	uint32_t what = below(seed, 10);

	memset(a, 0, sizeof(*a));
	if (what < 4)
		pop(d, seed, a);
	else if (what < 7)
		push(d, seed, a);
	else if (what < 8)
		a->ret = fph_vq_device_want_notify(d->vq, below(seed, 2));
	else
		look(d, a);
}

/* ------------------------------------------------------------------ same -- */

static size_t save(const struct device *d, uint8_t *state)
{
	size_t need, wrote;

	ck_assert_int_eq(fph_vq_device_save(d->vq, NULL, 0, &need), FPH_EFULL);
	ck_assert_uint_le(need, STATE);
	ck_assert_int_eq(fph_vq_device_save(d->vq, state, STATE, &wrote),
			 FPH_OK);
	ck_assert_uint_eq(need, wrote);
	return need;
}

static void compare(struct device *a, struct device *b, uint64_t seed)
{
	static struct memory before, after;
	struct answer x, y;

	for (int i = 0; i < STEPS_AFTER; i++) {
		uint64_t other;

		drive(&seed);
		other = seed;
		before = mem;
		step(a, &seed, &x);
		after = mem;
		mem = before;
		step(b, &other, &y);
		WANT(!memcmp(&x, &y, sizeof(x)));
		WANT(!memcmp(&mem, &after, sizeof(mem)));
	}
}

/* Features of the round; the lowest bits of k choose. */
static uint64_t choose_features(uint64_t k)
{
	return (k & 1 ? FPH_BIT(VIRTIO_RING_F_EVENT_IDX) : 0) |
	       (k & 2 ? FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0) |
	       (k & 4 ? FPH_BIT(VIRTIO_F_RING_PACKED) : 0) |
	       (k & 8 ? FPH_BIT(VIRTIO_F_IN_ORDER) : 0);
}

static bool begin(struct device *d, uint64_t k, uint64_t *seed)
{
	uint64_t features = choose_features(k);
	uint32_t endian = k & 16 ? FPH_BE : FPH_LE;
	struct answer a;

	if (!make_driver(features, endian))
		return false;
	make_device(d, features, endian,
		    k & 4 ? 0x80008000u : 0);
	for (uint32_t n = below(seed, 100); n; n--) {
		drive(seed);
		step(d, seed, &a);
	}
	return true;
}

START_TEST(goes_on)
{
	uint32_t done = 0, inflight = 0;
	uint8_t state[STATE], used_index;

	for (uint64_t k = 0; k < 4 * NSAVES && done < NSAVES; k++) {
		uint64_t seed = k * 0x9e3779b97f4a7c15 + 3;
		size_t size;

		if (!begin(&one, k, &seed))
			continue;
		done++;
		inflight += one.n;
		size = save(&one, state);
		/* The driver can write a used index that is none. */
		used_index = k & 4 ? 0 : 0x55;
		mem.device[2] ^= used_index;
		make_device(&two, choose_features(k),
			    k & 16 ? FPH_BE : FPH_LE, 0);
		mem.device[2] ^= used_index;
		ck_assert_int_eq(fph_vq_device_load(two.vq, state, size),
				 FPH_OK);
		memcpy(two.cookies, one.cookies, sizeof(two.cookies));
		two.n = one.n;
		/* The second one has asked: so the written bytes agree. */
		(void)fph_vq_device_want_notify(one.vq, true);
		look(&one, &(struct answer){ 0 });
		look(&two, &(struct answer){ 0 });
		compare(&one, &two, seed);
	}
	printf("%u states, %u buffers in flight\n", done, inflight);
	ck_assert_uint_eq(done, NSAVES);
	ck_assert_uint_gt(inflight, NSAVES);
}
END_TEST

START_TEST(damage_and_others_are_refused)
{
	uint8_t state[STATE];
	uint64_t seed = 77;
	size_t size;

	ck_assert(begin(&one, 2, &seed));
	size = save(&one, state);
	make_device(&two, choose_features(2), FPH_LE, 0);
	for (size_t i = 0; i < size; i++) {
		ck_assert_int_eq(fph_vq_device_load(two.vq, state, i),
				 FPH_ECORRUPT);
		state[i] ^= 0x10;
		ck_assert_int_eq(fph_vq_device_load(two.vq, state, size),
				 FPH_ECORRUPT);
		state[i] ^= 0x10;
	}
	ck_assert_int_eq(fph_vq_device_load(NULL, state, size), FPH_EUNINIT);
	ck_assert_int_eq(fph_vq_device_load(two.vq, NULL, size), FPH_EINVAL);
	ck_assert_int_eq(fph_vq_device_save(NULL, state, size, &size),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_vq_device_save(two.vq, state, size, NULL),
			 FPH_EINVAL);
	make_device(&two, choose_features(3), FPH_LE, 0);
	ck_assert_int_eq(fph_vq_device_load(two.vq, state, size),
			 FPH_EREFUSED);
	make_device(&two, choose_features(2), FPH_BE, 0);
	ck_assert_int_eq(fph_vq_device_load(two.vq, state, size),
			 FPH_EREFUSED);
	/* More in flight than there are entries, behind a good checksum. */
	make_device(&two, choose_features(2), FPH_LE, 0);
	fph_put32(state + FPH_STATE_HEADER + 12, NUM + 1, FPH_LE);
	damage_sign(state, size);
	ck_assert_int_eq(fph_vq_device_load(two.vq, state, size),
			 FPH_ECORRUPT);
}
END_TEST

static int load_with(size_t size, const uint8_t *state, uint32_t at,
		     uint32_t bytes, uint32_t value)
{
	uint8_t bad[STATE];

	memcpy(bad, state, size);
	if (bytes == 2)
		fph_put16(bad + at, (uint16_t)value, FPH_LE);
	else
		fph_put32(bad + at, value, FPH_LE);
	damage_sign(bad, size);
	return fph_vq_device_load(two.vq, bad, size);
}

/* Two buffers that were popped; the second one was pushed. */
static size_t make_ordered(uint64_t features, uint8_t *state)
{
	struct fph_seg seg = { 0x1000, 16, FPH_SEG_WRITE };
	struct fph_buffer b[2] = { { .nwrite = 1 }, { .nwrite = 1 } };
	struct fph_seg segs[2 * NUM] = { { 0 } };
	struct fph_used used;
	uint32_t base = FPH_VRING_NEW_BASE(features);

	segs[0] = seg;
	segs[1] = seg;
	ck_assert(make_driver(features, FPH_LE));
	make_device(&one, features, FPH_LE, base);
	ck_assert_int_eq(fph_vq_driver_add(driver, b, 2, segs), 2);
	ck_assert_int_eq(fph_vq_driver_publish(driver), FPH_OK);
	ck_assert_int_eq(fph_vq_device_pop(one.vq, b, 2, segs, 2 * NUM), 2);
	used = (struct fph_used){ .cookie = b[1].cookie, .len = 9 };
	ck_assert_int_eq(fph_vq_device_push(one.vq, &used, 1), 1);
	make_device(&two, features, FPH_LE, base);
	return save(&one, state);
}

#define AT_FLAGS	(FPH_STATE_HEADER + 8)
#define AT_INFLIGHT	(FPH_STATE_HEADER + 12)
#define AT_UNSIGNALLED	(FPH_STATE_HEADER + 16)
#define AT_UNMARKED	(FPH_STATE_HEADER + 20)
#define AT_PLACES	(FPH_STATE_HEADER + 24)

START_TEST(what_a_ring_cannot_be)
{
	static const uint32_t at[] = { AT_UNSIGNALLED, AT_UNMARKED };
	uint8_t state[STATE];
	uint64_t seed = 77;
	size_t size;

	ck_assert(begin(&one, 2, &seed));
	size = save(&one, state);
	for (int i = 0; i < 2; i++) {
		make_device(&two, choose_features(2), FPH_LE, 0);
		ck_assert_int_eq(load_with(size, state, at[i], 4, 65537),
				 FPH_ECORRUPT);
		ck_assert_int_eq(load_with(size, state, AT_INFLIGHT, 4, 0),
				 FPH_OK);
		ck_assert_int_eq(load_with(size, state, at[i], 4, 65536),
				 FPH_OK);
	}
	make_device(&two, choose_features(2), FPH_LE, 0);
	ck_assert_int_eq(load_with(size, state, AT_FLAGS, 4, 16),
			 FPH_ECORRUPT);
	/* The driver was seen further ahead than there are entries. */
	ck_assert_int_eq(load_with(size, state, AT_PLACES + 2, 2,
				   fph_get16(state + AT_PLACES, FPH_LE) + NUM +
				   1), FPH_ECORRUPT);
}
END_TEST

START_TEST(what_an_ordered_ring_cannot_be)
{
	uint64_t features = FPH_BIT(VIRTIO_F_IN_ORDER);
	uint8_t state[STATE], more[STATE];
	uint32_t at = AT_PLACES + 6;	/* of the turn */
	size_t size = make_ordered(features, state);

	/* The turn is at no place; more wait than are out, or than is said. */
	ck_assert_int_eq(load_with(size, state, at, 4, NUM), FPH_ECORRUPT);
	ck_assert_int_eq(load_with(size, state, at + 4, 4, NUM),
			 FPH_ECORRUPT);
	ck_assert_int_eq(load_with(size, state, at + 4, 4, NUM + 1),
			 FPH_ECORRUPT);
	ck_assert_int_eq(load_with(size, state, at + 14, 2, 0x8000),
			 FPH_ECORRUPT);
	ck_assert_int_eq(load_with(size, state, at + 22, 2, 0),
			 FPH_ECORRUPT);
	/* One more than there are entries, and all of them there. */
	memcpy(more, state, size);
	for (uint32_t i = 1; i < NUM; i++)
		memcpy(more + size + 8 * (i - 1), state + at + 16, 8);
	fph_put64(more + 8, size + 8 * (NUM - 1), FPH_LE);
	ck_assert_int_eq(load_with(size + 8 * (NUM - 1), more, at + 4, 4, NUM),
			 FPH_ECORRUPT);
	/* A head that is no descriptor. */
	ck_assert_int_eq(load_with(size, state, at + 12, 2, NUM),
			 FPH_ECORRUPT);
	ck_assert_uint_eq(fph_vq_device_get_inflight(two.vq), 0);
	ck_assert_int_eq(fph_vq_device_load(two.vq, state, size), FPH_OK);
	ck_assert_uint_eq(fph_vq_device_get_inflight(two.vq), 1);
	ck_assert_int_eq(fph_vq_device_load(two.vq, state, size), FPH_EBUSY);
}
END_TEST

START_TEST(what_a_packed_ring_cannot_be)
{
	uint64_t features = FPH_BIT(VIRTIO_F_IN_ORDER) |
			    FPH_BIT(VIRTIO_F_RING_PACKED);
	uint8_t state[STATE];
	size_t size = make_ordered(features, state);

	/* Two descriptors are busy: the places, and what is in flight. */
	ck_assert_int_eq(load_with(size, state, AT_PLACES, 2, NUM),
			 FPH_ECORRUPT);
	ck_assert_int_eq(load_with(size, state, AT_PLACES + 2, 2, NUM),
			 FPH_ECORRUPT);
	ck_assert_int_eq(load_with(size, state, AT_PLACES, 2, 0x8003),
			 FPH_ECORRUPT);
	ck_assert_int_eq(load_with(size, state, AT_INFLIGHT, 4, 3),
			 FPH_ECORRUPT);
	ck_assert_int_eq(fph_vq_device_load(two.vq, state, size), FPH_OK);
}
END_TEST

RUNNER_SUITE("vq_state",
	     goes_on,
	     damage_and_others_are_refused,
	     what_a_ring_cannot_be,
	     what_an_ordered_ring_cannot_be,
	     what_a_packed_ring_cannot_be)
