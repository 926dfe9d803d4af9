/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of the driver side of a ring, in every layout and byte order: a
 * driver is saved at a random step and loaded into a second one over the same
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
#define ENTRIES		4u
#define NSAVES		1000
#define STEPS_AFTER	100
#define STATE		FPH_VQ_DRIVER_STATE_SIZE(NUM)

/* Where in a state: see vq_driver_state.c. */
#define AT_LAYOUT	(FPH_STATE_HEADER + 4)
#define AT_FLAGS	(FPH_STATE_HEADER + 20)
#define AT_ADDED	(FPH_STATE_HEADER + 24)
#define AT_UNSIGNALLED	(FPH_STATE_HEADER + 32)
#define AT_USED		(FPH_STATE_HEADER + 36)
#define AT_SHADOW	(FPH_STATE_HEADER + 38)
#define AT_LISTS	(FPH_STATE_HEADER + 40)

/* Everything that both sides can write. */
static struct memory {
	uint8_t desc[16 * NUM];
	uint8_t driver[64];
	uint8_t device[16 + 8 * NUM];
	uint8_t tables[NUM * 16 * ENTRIES];
} mem __attribute__((aligned(64)));

struct driver {
	uint64_t memory[FPH_VQ_DRIVER_SIZE(NUM) / 8];
	struct fph_vq_driver *vq;
};

struct answer {
	int64_t ret;
	uint64_t v[2 * NUM + 4];
};

static struct driver one, two;
static struct fph_vq_device *device;
static uint64_t device_memory[FPH_VQ_DEVICE_SIZE(NUM) / 8 + 64];
static uint64_t popped[NUM];
static uint32_t npopped;
static uint64_t serial;
static uint8_t state[STATE], bad[STATE];

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

static void make_driver(struct driver *d, uint64_t features, uint32_t endian)
{
	struct fph_vq_driver_params p = {
		.size = sizeof(p), .num = NUM, .features = features,
		.endian = endian, .desc = mem.desc, .driver = mem.driver,
		.device = mem.device, .tables = mem.tables,
		.table_entries = ENTRIES
	};

	memset(d, 0xa5, sizeof(*d));
	ck_assert_int_eq(fph_vq_driver_init(&d->vq, d->memory,
					    sizeof(d->memory), &p), FPH_OK);
}

static void make_device(uint64_t features, uint32_t endian)
{
	struct fph_vq_device_params p = {
		.size = sizeof(p), .num = NUM, .features = features,
		.endian = endian, .base = FPH_VRING_NEW_BASE(features),
		.desc = mem.desc, .driver = mem.driver, .device = mem.device,
		.map = map
	};

	npopped = 0;
	ck_assert_int_eq(fph_vq_device_init(&device, device_memory,
					    sizeof(device_memory), &p),
			 FPH_OK);
}

/* ----------------------------------------------------------------- steps -- */

static void serve(uint64_t *seed)
{
	struct fph_used used = { .len = below(seed, 100) };
	struct fph_buffer b;
	struct fph_seg segs[NUM];
	uint32_t n;

	if (below(seed, 2) &&
	    fph_vq_device_pop(device, &b, 1, segs, NUM) == 1)
		popped[npopped++] = b.cookie;
	if (npopped && below(seed, 2)) {
		n = below(seed, npopped);
		used.cookie = popped[n];
		popped[n] = popped[--npopped];
		WANT(fph_vq_device_push(device, &used, 1) == 1);
	}
	if (!below(seed, 4))
		(void)fph_vq_device_want_notify(device, below(seed, 2));
}

static void add(struct driver *d, uint64_t *seed, uint64_t cookie,
		struct answer *a)
{
	struct fph_buffer b = { .cookie = cookie };
	struct fph_seg segs[ENTRIES];

	b.nwrite = 1 + below(seed, ENTRIES);
	b.flags = below(seed, 2) ? FPH_BUFFER_DIRECT : 0;
	for (uint32_t i = 0; i < b.nwrite; i++)
		segs[i] = (struct fph_seg){ 0x1000 * cookie,
					    1 + below(seed, 0x1000),
					    FPH_SEG_WRITE };
	a->ret = fph_vq_driver_add(d->vq, &b, 1, segs);
}

static void note_used(struct answer *a, const struct fph_used *used)
{
	for (int i = 0; i < a->ret; i++) {
		a->v[2 * i] = used[i].cookie;
		a->v[2 * i + 1] = used[i].len;
	}
}

static void step(struct driver *d, uint64_t *seed, uint64_t cookie,
		 struct answer *a)
{
	uint32_t what = below(seed, 11), n = 1 + below(seed, 4);
	struct fph_used used[NUM];

	memset(a, 0, sizeof(*a));
	if (what < 4) {
		add(d, seed, cookie, a);
	} else if (what < 6) {
		a->ret = fph_vq_driver_publish(d->vq);
	} else if (what < 9) {
		a->ret = fph_vq_driver_take_used(d->vq, used, n);
		note_used(a, used);
	} else if (what < 10) {
		a->ret = fph_vq_driver_want_notify(d->vq, below(seed, 2));
	} else {
		a->ret = fph_vq_driver_should_notify(d->vq);
	}
	a->v[2 * NUM] = fph_vq_driver_get_room(d->vq);
	a->v[2 * NUM + 1] = fph_vq_driver_get_inflight(d->vq);
	a->v[2 * NUM + 2] = fph_vq_driver_is_broken(d->vq);
}

/* ------------------------------------------------------------------ same -- */

static size_t save(const struct driver *d)
{
	size_t need, wrote;

	ck_assert_int_eq(fph_vq_driver_save(d->vq, NULL, 0, &need), FPH_EFULL);
	ck_assert_uint_le(need, STATE);
	ck_assert_int_eq(fph_vq_driver_save(d->vq, state, need - 1, &wrote),
			 FPH_EFULL);
	ck_assert_int_eq(fph_vq_driver_save(d->vq, state, STATE, &wrote),
			 FPH_OK);
	ck_assert_uint_eq(need, wrote);
	return need;
}

/* A fresh one, over memory as it is. */
static void renew(struct driver *d, uint64_t features, uint32_t endian)
{
	static struct memory before;

	before = mem;
	make_driver(d, features, endian);
	mem = before;
}

static void compare(uint64_t seed)
{
	static struct memory before, after;
	struct answer x, y;

	for (int i = 0; i < STEPS_AFTER; i++) {
		uint64_t other;

		serve(&seed);
		other = seed;
		serial++;
		before = mem;
		step(&one, &seed, serial, &x);
		after = mem;
		mem = before;
		step(&two, &other, serial, &y);
		WANT(!memcmp(&x, &y, sizeof(x)));
		WANT(!memcmp(&mem, &after, sizeof(mem)));
	}
}

/* Both give up in the same order, and are saved on the way. */
static void detach(uint64_t features, uint32_t endian)
{
	struct fph_used a, b;
	int ret;

	for (;;) {
		size_t size = save(&two);

		renew(&two, features, endian);
		ck_assert_int_eq(fph_vq_driver_load(two.vq, state, size),
				 FPH_OK);
		ret = fph_vq_driver_detach(one.vq, &a, 1);
		ck_assert_int_eq(fph_vq_driver_detach(two.vq, &b, 1), ret);
		if (!ret)
			break;
		ck_assert_uint_eq(a.cookie, b.cookie);
		ck_assert_uint_eq(fph_vq_driver_get_inflight(one.vq),
				  fph_vq_driver_get_inflight(two.vq));
	}
	ck_assert_int_eq(fph_vq_driver_publish(two.vq), FPH_ESTATE);
}

/* Features of the round; the lowest bits of k choose. */
static uint64_t choose_features(uint64_t k)
{
	return (k & 1 ? FPH_BIT(VIRTIO_RING_F_EVENT_IDX) : 0) |
	       (k & 2 ? FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0) |
	       (k & 4 ? FPH_BIT(VIRTIO_F_RING_PACKED) : 0) |
	       (k & 8 ? FPH_BIT(VIRTIO_F_IN_ORDER) : 0);
}

static uint32_t choose_endian(uint64_t k)
{
	return k & 16 ? FPH_BE : FPH_LE;
}

static void begin(uint64_t k, uint64_t *seed)
{
	struct answer a;

	memset(&mem, 0, sizeof(mem));
	make_driver(&one, choose_features(k), choose_endian(k));
	make_device(choose_features(k), choose_endian(k));
	for (uint32_t n = below(seed, 150); n; n--) {
		serve(seed);
		step(&one, seed, ++serial, &a);
	}
}

START_TEST(goes_on)
{
	uint32_t inflight = 0;

	for (uint64_t k = 0; k < NSAVES; k++) {
		uint64_t seed = k * 0x9e3779b97f4a7c15 + 3;
		size_t size;

		begin(k, &seed);
		inflight += fph_vq_driver_get_inflight(one.vq);
		size = save(&one);
		renew(&two, choose_features(k), choose_endian(k));
		ck_assert_int_eq(fph_vq_driver_load(two.vq, state, size),
				 FPH_OK);
		memcpy(bad, state, size);
		ck_assert_uint_eq(save(&two), size);
		ck_assert_mem_eq(bad, state, size);
		compare(seed);
		if (k % 3 == 0)
			detach(choose_features(k), choose_endian(k));
	}
	printf("%d states, %u buffers in flight\n", NSAVES, inflight);
	ck_assert_uint_gt(inflight, NSAVES);
}
END_TEST

/* ----------------------------------------------------------------- refused -- */

START_TEST(damage_and_others_are_refused)
{
	uint64_t seed = 77;
	size_t size;

	begin(2, &seed);
	size = save(&one);
	renew(&two, choose_features(2), FPH_LE);
	for (size_t i = 0; i < size; i++) {
		ck_assert_int_eq(fph_vq_driver_load(two.vq, state, i),
				 FPH_ECORRUPT);
		state[i] ^= 0x10;
		ck_assert_int_eq(fph_vq_driver_load(two.vq, state, size),
				 FPH_ECORRUPT);
		state[i] ^= 0x10;
	}
	ck_assert_int_eq(fph_vq_driver_load(NULL, state, size), FPH_EUNINIT);
	ck_assert_int_eq(fph_vq_driver_load(two.vq, NULL, size), FPH_EINVAL);
	ck_assert_int_eq(fph_vq_driver_save(NULL, state, size, &size),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_vq_driver_save(two.vq, state, size, NULL),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_vq_driver_load(one.vq, state, size), FPH_EBUSY);
	renew(&two, choose_features(3), FPH_LE);
	ck_assert_int_eq(fph_vq_driver_load(two.vq, state, size),
			 FPH_EREFUSED);
	renew(&two, choose_features(2), FPH_BE);
	ck_assert_int_eq(fph_vq_driver_load(two.vq, state, size),
			 FPH_EREFUSED);
}
END_TEST

static int load_changed(size_t size)
{
	damage_sign(bad, size);
	return fph_vq_driver_load(two.vq, bad, size);
}

/* A number in a good state becomes another one. */
static void check_change(size_t size, uint32_t at, uint32_t bytes,
			 uint32_t value, int expected)
{
	memcpy(bad, state, size);
	if (bytes == 2)
		fph_put16(bad + at, (uint16_t)value, FPH_LE);
	else
		fph_put32(bad + at, value, FPH_LE);
	ck_assert_int_eq(load_changed(size), expected);
}

/*
 * Two published buffers of one and two descriptors, one that is not, and a
 * free slot behind that of a buffer which came back.
 */
static size_t make_state(uint64_t features)
{
	struct fph_seg segs[NUM] = { { 0x1000, 16, FPH_SEG_WRITE },
				     { 0x2000, 16, FPH_SEG_WRITE } };
	struct fph_buffer b = { .cookie = 1, .nwrite = 1,
				.flags = FPH_BUFFER_DIRECT };
	struct fph_used used;
	size_t size;

	memset(&mem, 0, sizeof(mem));
	make_driver(&one, features, FPH_LE);
	make_device(features, FPH_LE);
	ck_assert_int_eq(fph_vq_driver_add(one.vq, &b, 1, segs), 1);
	ck_assert_int_eq(fph_vq_driver_publish(one.vq), FPH_OK);
	ck_assert_int_eq(fph_vq_device_pop(device, &b, 1, segs, NUM),
			 1);
	used = (struct fph_used){ .cookie = b.cookie };
	ck_assert_int_eq(fph_vq_device_push(device, &used, 1), 1);
	b = (struct fph_buffer){ .cookie = 2, .nwrite = 2,
				 .flags = FPH_BUFFER_DIRECT };
	segs[0] = (struct fph_seg){ 0x1000, 16, FPH_SEG_WRITE };
	segs[1] = (struct fph_seg){ 0x2000, 16, FPH_SEG_WRITE };
	ck_assert_int_eq(fph_vq_driver_add(one.vq, &b, 1, segs), 1);
	b.cookie = 3;
	b.nwrite = 1;
	ck_assert_int_eq(fph_vq_driver_add(one.vq, &b, 1, segs), 1);
	ck_assert_int_eq(fph_vq_driver_publish(one.vq), FPH_OK);
	ck_assert_int_eq(fph_vq_driver_take_used(one.vq, &used, 1), 1);
	ck_assert_uint_eq(used.cookie, 1);
	b.cookie = 4;
	b.nwrite = 2;
	ck_assert_int_eq(fph_vq_driver_add(one.vq, &b, 1, segs), 1);
	size = save(&one);
	renew(&two, features, FPH_LE);
	return size;
}

START_TEST(what_a_split_ring_cannot_be)
{
	size_t size = make_state(0);
	uint32_t buffers = AT_LISTS + 8;	/* behind no free slot */

	check_change(size, AT_LAYOUT, 4, 0x100, FPH_EREFUSED);
	check_change(size, AT_FLAGS, 4, 8, FPH_ECORRUPT);
	/* A batch, without IN_ORDER. */
	check_change(size, AT_FLAGS, 4, 4, FPH_ECORRUPT);
	check_change(size, AT_ADDED, 4, 5, FPH_ECORRUPT);
	check_change(size, AT_UNSIGNALLED, 4, 0x10001,
		     FPH_ECORRUPT);
	check_change(size, AT_USED, 2, 2, FPH_ECORRUPT);
	check_change(size, AT_USED, 2, 0, FPH_ECORRUPT);
	check_change(size, AT_SHADOW, 2, 4, FPH_ECORRUPT);
	check_change(size, AT_SHADOW, 2, 0, FPH_ECORRUPT);
	/* More free slots, or more buffers, than there are entries. */
	check_change(size, AT_LISTS, 4, NUM + 1, FPH_ECORRUPT);
	check_change(size, AT_LISTS, 4, 0x80000001, FPH_ECORRUPT);
	check_change(size, AT_LISTS + 4, 4, NUM + 1, FPH_ECORRUPT);
	/* Its slot is no entry, or another's; it has no descriptor, too many. */
	check_change(size, buffers, 2, NUM, FPH_ECORRUPT);
	check_change(size, buffers, 2, 3, FPH_ECORRUPT);
	check_change(size, buffers, 2, NUM - 1, FPH_ECORRUPT);
	check_change(size, buffers + 2, 2, 0, FPH_ECORRUPT);
	check_change(size, buffers + 2, 2, NUM + 1, FPH_ECORRUPT);
	/* Its age is none, or too great, or that of no such buffer. */
	check_change(size, buffers + 4, 4, 0, FPH_ECORRUPT);
	check_change(size, buffers + 4, 4, 0x80000001, FPH_ECORRUPT);
	/* Nothing has changed by all that. */
	ck_assert_int_eq(fph_vq_driver_load(two.vq, state, size), FPH_OK);
	ck_assert_uint_eq(fph_vq_driver_get_inflight(two.vq), 3);
	ck_assert_uint_eq(fph_vq_driver_get_room(two.vq), NUM - 5);
	ck_assert_int_eq(fph_vq_driver_load(two.vq, state, size), FPH_EBUSY);
}
END_TEST

START_TEST(what_a_packed_ring_cannot_be)
{
	size_t size = make_state(FPH_BIT(VIRTIO_F_RING_PACKED));

	check_change(size, AT_USED, 2, NUM, FPH_ECORRUPT);
	check_change(size, AT_USED, 2, 0x8000 + NUM, FPH_ECORRUPT);
	ck_assert_int_eq(fph_vq_driver_load(two.vq, state, size), FPH_OK);
	ck_assert_uint_eq(fph_vq_driver_get_room(two.vq), NUM - 5);
}
END_TEST

/* The free slot is first, then the ages of buffers get fewer. */
START_TEST(what_an_ordered_ring_cannot_be)
{
	size_t size = make_state(FPH_BIT(VIRTIO_F_IN_ORDER));
	/* Behind the slots that are free, all but five. */
	uint32_t oldest = AT_LISTS + 8 + 2 * (NUM - 5);

	/* Twice the same age; then a batch whose last one is not out. */
	ck_assert_uint_eq(fph_get32(state + oldest + 4, FPH_LE), 3);
	check_change(size, oldest + 4, 4, 2, FPH_ECORRUPT);
	check_change(size, AT_FLAGS, 4, 4, FPH_ECORRUPT);
	/* Descriptors 1 and 2, not in the order of the ring. */
	memcpy(bad, state, size);
	ck_assert_uint_eq(fph_get16(state + oldest, FPH_LE), 1);
	fph_put16(bad + oldest, 2, FPH_LE);
	fph_put16(bad + oldest + 16, 1, FPH_LE);
	ck_assert_int_eq(load_changed(size), FPH_ECORRUPT);
	ck_assert_int_eq(fph_vq_driver_load(two.vq, state, size), FPH_OK);
	ck_assert_uint_eq(fph_vq_driver_get_inflight(two.vq), 3);
}
END_TEST

/* One entry of the device is for two buffers; one was taken when it is saved. */
START_TEST(half_a_batch_goes_on)
{
	uint64_t features = FPH_BIT(VIRTIO_F_IN_ORDER);
	struct fph_seg seg = { 0x1000, 16, FPH_SEG_WRITE };
	struct fph_used used;
	size_t size;

	memset(&mem, 0, sizeof(mem));
	make_driver(&one, features, FPH_LE);
	for (uint64_t cookie = 1; cookie <= 3; cookie++) {
		struct fph_buffer b = { .cookie = cookie, .nwrite = 1 };

		ck_assert_int_eq(fph_vq_driver_add(one.vq, &b, 1, &seg), 1);
	}
	ck_assert_int_eq(fph_vq_driver_publish(one.vq), FPH_OK);
	ring_put(mem.device + 4, 4, 1, false);	/* id and length */
	ring_put(mem.device + 8, 4, 7, false);
	ring_put(mem.device + 2, 2, 2, false);
	ck_assert_int_eq(fph_vq_driver_take_used(one.vq, &used, 1), 1);
	ck_assert_uint_eq(used.cookie, 1);
	size = save(&one);
	renew(&two, features, FPH_LE);
	check_change(size, AT_LISTS, 2, 0, FPH_ECORRUPT);	/* it is back */
	check_change(size, AT_LISTS, 2, NUM, FPH_ECORRUPT);
	ck_assert_int_eq(fph_vq_driver_load(two.vq, state, size), FPH_OK);
	ck_assert_int_eq(fph_vq_driver_take_used(two.vq, &used, 1), 1);
	ck_assert_uint_eq(used.cookie, 2);
	ck_assert_uint_eq(used.len, 7);
	ck_assert_int_eq(fph_vq_driver_take_used(two.vq, &used, 1), 0);
}
END_TEST

/* A ring that the device broke stays broken. */
START_TEST(a_broken_ring_stays_broken)
{
	struct fph_used used;
	size_t size;

	memset(&mem, 0, sizeof(mem));
	make_driver(&one, 0, FPH_LE);
	ring_put(mem.device + 2, 2, 9, false);
	ck_assert_int_eq(fph_vq_driver_take_used(one.vq, &used, 1),
			 FPH_PEER_USED_INDEX);
	size = save(&one);
	renew(&two, 0, FPH_LE);
	ck_assert_int_eq(fph_vq_driver_load(two.vq, state, size), FPH_OK);
	ck_assert(fph_vq_driver_is_broken(two.vq));
	ck_assert_int_eq(fph_vq_driver_publish(two.vq), FPH_PEER_BROKEN);
}
END_TEST

RUNNER_SUITE("vq_driver_state",
	     goes_on,
	     damage_and_others_are_refused,
	     what_a_split_ring_cannot_be,
	     what_a_packed_ring_cannot_be,
	     what_an_ordered_ring_cannot_be,
	     half_a_batch_goes_on,
	     a_broken_ring_stays_broken)
