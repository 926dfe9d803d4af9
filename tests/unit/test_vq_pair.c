/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtqueue: driver side and device side over the same memory, in random
 * schedules that a seed fixes.  Every buffer arrives as it was added, comes
 * back once with its cookie and length, and nobody waits for a notification
 * or an interrupt that the other side never sent.
 *
 * test_vq_dma is this file with dma_hooks.h: each side has a copy of the
 * memory, which holds nothing but noise whenever it is not at work.
 */
#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "ring.h"
#include "runner.h"

#define NUM		16
#define MEM_SIZE	(64 * 1024)
#define TABLES		(16 * 1024)	/* gpa */
#define RING_BYTES	1024		/* areas of the ring, at most */
#define BUFFERS		NUM
#ifndef PAIR_ROUNDS
#define PAIR_ROUNDS		70000u		/* buffers: more than 16 bits */
#endif

/* One buffer of the driver; its index is what the cookie tells. */
struct buffer {
	bool busy;
	bool popped;
	uint64_t cookie;
	uint32_t nseg;
	uint32_t nread;
	uint32_t len;			/* as pushed */
	struct fph_seg segs[NUM];
};

struct popped {
	uint64_t cookie;
	uint32_t index;
};

static struct ring r;
static uint64_t drv_memory[FPH_VQ_DRIVER_SIZE(NUM) / 8];
static uint64_t dev_memory[FPH_VQ_DEVICE_SIZE(NUM) / 8];
static struct fph_vq_driver *drv;
static struct fph_vq_device *dev;
static struct buffer bufs[BUFFERS];
static struct popped popped[BUFFERS];
static uint32_t npopped;
static uint64_t seed;
static uint64_t serial;			/* buffers added */
static uint64_t returned;
static uint32_t num;
static bool indirect, packed, in_order;

/* Is a side asleep until the other side's signal? */
static bool dev_sleeps, drv_sleeps;

#ifdef DMA_OFFSET
static uint8_t between[MEM_SIZE];	/* what goes from one to the other */
/* The driver's; the device's is r.mem. */
static uint8_t driver_copy[MEM_SIZE] __attribute__((aligned(16)));

void dma_copy(const void *p, size_t n, bool in)
{
	uintptr_t off = (uintptr_t)p - (uintptr_t)driver_copy;
	uint8_t *copy = driver_copy;

	if (off >= MEM_SIZE) {
		off = (uintptr_t)p - (uintptr_t)r.mem;
		copy = r.mem;
	}
	WANT(off < MEM_SIZE && n <= MEM_SIZE - off);
	if (in)
		memcpy(copy + off, between + off, n);
	else
		memcpy(between + off, copy + off, n);
}

static uint8_t *of_driver(const uint8_t *p)
{
	return driver_copy + (p - r.mem);
}

static const uint8_t *get_between(void)
{
	return between;
}

static void forget_copies(void)
{
	static uint8_t noise;

	noise++;
	memset(driver_copy, noise, RING_BYTES);
	memset(driver_copy + TABLES, noise, 16 * NUM * NUM);
	memset(r.mem, noise, RING_BYTES);
	memset(r.mem + TABLES, noise, 16 * NUM * NUM);
}
#else
static uint8_t *of_driver(uint8_t *p)
{
	return p;
}

static const uint8_t *get_between(void)
{
	return r.mem;
}

static void forget_copies(void)
{
}
#endif

static uint32_t random_below(uint32_t n)
{
	return ring_random(&seed) % n;
}

static void start(bool big, bool event_idx)
{
	uint64_t features =
		(uint64_t)event_idx << VIRTIO_RING_F_EVENT_IDX |
		(uint64_t)indirect << VIRTIO_RING_F_INDIRECT_DESC |
		(uint64_t)packed << VIRTIO_F_RING_PACKED |
		(uint64_t)in_order << VIRTIO_F_IN_ORDER;
	struct fph_vq_driver_params p = {
		.size = sizeof(p),
		.features = features,
		.tables_gpa = TABLES,
		.table_entries = NUM,
		.endian = big ? FPH_BE : FPH_LE,
	};
	struct fph_vq_device_params q = {
		.size = sizeof(q),
		.features = features,
		.base = FPH_VRING_NEW_BASE(features),
		.endian = big ? FPH_BE : FPH_LE,
		.map = ring_map,
		.map_ctx = &r,
	};

	/* A packed ring may have any size. */
	num = packed ? NUM - 3 : NUM;
	p.num = num;
	q.num = num;
	memset(bufs, 0, sizeof(bufs));
	npopped = 0;
	serial = 0;
	returned = 0;
	dev_sleeps = false;
	drv_sleeps = false;
	ring_init(&r, NUM, big, MEM_SIZE);
	p.desc = of_driver(r.desc);
	p.driver = of_driver(r.avail);
	p.device = of_driver(r.used);
	p.tables = of_driver(r.mem + TABLES);
	WANT(fph_vq_driver_init(&drv, drv_memory, sizeof(drv_memory), &p) ==
	     FPH_OK);
	forget_copies();
	q.desc = r.desc;
	q.driver = r.avail;
	q.device = r.used;
	WANT(fph_vq_device_init(&dev, dev_memory, sizeof(dev_memory), &q) ==
	     FPH_OK);
}

static void fill(struct buffer *b)
{
	b->nseg = 1 + random_below(random_below(4) ? 4 : num);
	b->nread = random_below(b->nseg + 1);
	for (uint32_t i = 0; i < b->nseg; i++) {
		b->segs[i].gpa = (uint64_t)ring_random(&seed) << 12;
		b->segs[i].len = 1 + random_below(1 << 22);
		b->segs[i].flags = i < b->nread ? 0 : FPH_SEG_WRITE;
	}
}

/* Adds one to three buffers in one call. */
static void driver_add(void)
{
	uint32_t first = random_below(BUFFERS);
	struct fph_seg segs[3 * NUM];
	struct fph_buffer b[3];
	uint32_t room = fph_vq_driver_get_room(drv);
	uint32_t nseg = 0, n = 0, fit = 0, need;
	int ret;

	for (; n < 1 + random_below(3); n++) {
		uint32_t i = (first + n) % BUFFERS;
		bool direct = random_below(2);

		if (bufs[i].busy)
			break;
		fill(&bufs[i]);
		bufs[i].cookie = (serial + n) << 8 | i;
		b[n] = (struct fph_buffer){
			.cookie = bufs[i].cookie,
			.nread = bufs[i].nread,
			.nwrite = bufs[i].nseg - bufs[i].nread,
			.flags = direct ? FPH_BUFFER_DIRECT : 0,
		};
		memcpy(segs + nseg, bufs[i].segs,
		       bufs[i].nseg * sizeof(segs[0]));
		nseg += bufs[i].nseg;
		need = indirect && !direct ? 1 : bufs[i].nseg;
		if (fit == n && need <= room) {
			room -= need;
			fit++;
		}
	}
	if (!n)
		return;
	ret = fph_vq_driver_add(drv, b, n, segs);
	WANT(ret == (fit ? (int)fit : FPH_EFULL));
	WANT(fph_vq_driver_get_room(drv) == room);
	for (uint32_t k = 0; k < fit; k++) {
		bufs[(first + k) % BUFFERS].busy = true;
		bufs[(first + k) % BUFFERS].popped = false;
	}
	serial += fit;
}

static void driver_submit(void)
{
	WANT(fph_vq_driver_publish(drv) == FPH_OK);
	if (!random_below(3))
		return;
	if (fph_vq_driver_should_notify(drv))
		dev_sleeps = false;
}

static void driver_next(void)
{
	struct fph_used u[4];
	int ret;

	ret = fph_vq_driver_take_used(drv, u, 1 + random_below(4));
	if (!ret) {
		if (!random_below(4))
			drv_sleeps = !fph_vq_driver_want_notify(drv, true);
		return;
	}
	WANT(ret > 0);
	for (int i = 0; i < ret; i++) {
		struct buffer *b = &bufs[u[i].cookie & 0xff];

		WANT(b->busy && b->popped);
		WANT(u[i].cookie == b->cookie);
		WANT(u[i].len == b->len);
		WANT(!in_order || u[i].cookie >> 8 == returned);
		b->busy = false;
		returned++;
	}
}

static struct buffer *find(const struct fph_seg *segs,
			   const struct fph_buffer *e, uint32_t *index)
{
	for (uint32_t i = 0; i < BUFFERS; i++) {
		struct buffer *b = &bufs[i];

		if (b->busy && !b->popped && b->nread == e->nread &&
		    b->nseg == e->nread + e->nwrite &&
		    !memcmp(b->segs, segs, b->nseg * sizeof(segs[0]))) {
			*index = i;
			return b;
		}
	}
	return NULL;
}

static void device_pop(void)
{
	struct fph_seg segs[2 * NUM], *s = segs;
	struct fph_buffer e[4];
	struct buffer *b;
	int ret;

	ret = fph_vq_device_pop(dev, e, 1 + random_below(4), segs,
				NUM + random_below(NUM + 1));
	if (!ret) {
		if (!random_below(4))
			dev_sleeps = !fph_vq_device_want_notify(dev, true);
		return;
	}
	WANT(ret > 0);
	for (int i = 0; i < ret; i++) {
		b = find(s, &e[i], &popped[npopped].index);
		WANT(b);
		b->popped = true;
		popped[npopped++].cookie = e[i].cookie;
		s += e[i].nread + e[i].nwrite;
	}
}

static void device_push(void)
{
	struct fph_used u[3];
	uint32_t n = 0;

	for (; n < 1 + random_below(3) && npopped; n++) {
		uint32_t k = random_below(npopped);
		struct buffer *b = &bufs[popped[k].index];

		b->len = ring_random(&seed);
		u[n].cookie = popped[k].cookie;
		u[n].len = b->len;
		popped[k] = popped[--npopped];
	}
	if (n)
		WANT(fph_vq_device_push(dev, u, n) == (int)n);
	if (random_below(2) && fph_vq_device_should_notify(dev))
		drv_sleeps = false;
}

/* Signals that a lazy side still owes are sent in the end. */
static void send_signals(void)
{
	WANT(fph_vq_driver_publish(drv) == FPH_OK);
	if (fph_vq_driver_should_notify(drv))
		dev_sleeps = false;
	if (fph_vq_device_should_notify(dev))
		drv_sleeps = false;
}

static uint32_t count_busy(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < BUFFERS; i++)
		n += bufs[i].busy;
	return n;
}

/* What the device has changed in the ring, it tells. */
static void check_written(const uint8_t *before)
{
	struct fph_span spans[FPH_WRITTEN_SPANS];
	uint8_t now[RING_BYTES];
	int n = fph_vq_device_take_written(dev, spans);

	WANT(n >= 0 && n <= (int)FPH_WRITTEN_SPANS);
	memcpy(now, get_between(), RING_BYTES);
	for (int i = 0; i < n; i++) {
		size_t off = (size_t)((uint8_t *)spans[i].addr - r.mem);

		WANT(off < RING_BYTES && spans[i].len <= RING_BYTES - off);
		memcpy(now + off, before + off, spans[i].len);
	}
	WANT(!memcmp(now, before, RING_BYTES));
}

static void device_step(void (*act)(void))
{
	uint8_t before[RING_BYTES];

	memcpy(before, get_between(), RING_BYTES);
	act();
	check_written(before);
}

static void step(void)
{
	forget_copies();
	switch (random_below(8)) {
	case 0:
	case 1:
		driver_add();
		break;
	case 2:
		driver_submit();
		break;
	case 3:
	case 4:
		if (!drv_sleeps)
			driver_next();
		break;
	case 5:
	case 6:
		if (!dev_sleeps)
			device_step(device_pop);
		break;
	default:
		device_step(device_push);
	}
	WANT(fph_vq_driver_get_inflight(drv) == count_busy());
	WANT(fph_vq_device_get_inflight(dev) == npopped);
	WANT(!fph_vq_driver_is_broken(drv));
	WANT(!fph_vq_device_is_broken(dev));
}

/*
 * With no new buffers the ring runs empty: who sleeps is woken by the other
 * side, or has nothing to wait for.
 */
static void drain(void)
{
	for (int i = 0; i < 100 * BUFFERS && count_busy(); i++) {
		send_signals();
		if (!dev_sleeps)
			device_pop();
		while (npopped)
			device_push();
		send_signals();
		if (!drv_sleeps)
			driver_next();
	}
	WANT(count_busy() == 0);
	WANT(npopped == 0);
	WANT(fph_vq_driver_get_room(drv) == num);
	WANT(returned == serial);
}

/* Bits of _i: byte order, event index, indirect, packed, in order. */
START_TEST(test_pair)
{
	seed = 1000 + (uint64_t)_i;
	indirect = _i & 4;
	packed = _i & 8;
	in_order = _i & 16;
	start(_i & 1, _i & 2);
	while (returned < PAIR_ROUNDS) {
		step();
		if (!random_below(64))
			send_signals();
		if (!random_below(5000))
			drain();
	}
	drain();
	ring_fini(&r);
}
END_TEST

#ifdef DMA_OFFSET
/* Addresses between the two are the other ones: of ranges and of tables. */
START_TEST(test_dma_addresses)
{
	static const struct fph_seg segs[3] = {
		{ 0, 4096, 0 }, { 8192, 4096, FPH_SEG_WRITE },
		{ 0x7000, 4096, FPH_SEG_WRITE }
	};
	static const struct fph_buffer bufs[2] = {
		{ .nread = 1, .nwrite = 1 }, { .nwrite = 1 }
	};
	bool big = _i & 1;

	indirect = true;
	packed = _i & 2;
	in_order = false;
	start(big, false);
	ck_assert_int_eq(fph_vq_driver_add(drv, bufs, 2, segs), 2);
	ck_assert_int_eq(fph_vq_driver_publish(drv), FPH_OK);
	ck_assert_uint_eq(ring_get(between, 8, big), DMA_OFFSET + TABLES);
	ck_assert_uint_eq(ring_get(between + TABLES, 8, big), DMA_OFFSET);
	ck_assert_uint_eq(ring_get(between + TABLES + 16, 8, big),
			  DMA_OFFSET + 8192);
	ck_assert_uint_eq(ring_get(between + 16, 8, big),
			  DMA_OFFSET + 0x7000);
	ring_fini(&r);
}
END_TEST
#endif

/*
 * A reset in the middle: the driver gets the others back by detach, and both
 * sides begin again over the same memory.
 */
START_TEST(test_pair_reset)
{
	bool big = _i & 1;
	bool event_idx = _i & 2;

	seed = 77 + (uint64_t)_i;
	indirect = true;
	packed = _i & 4;
	in_order = _i & 8;
	for (int round = 0; round < 200; round++) {
		struct fph_used u;

		start(big, event_idx);
		for (uint32_t n = random_below(300); n; n--)
			step();
		while (fph_vq_driver_detach(drv, &u, 1) == 1) {
			struct buffer *b = &bufs[u.cookie & 0xff];

			WANT(b->busy);
			WANT(u.cookie == b->cookie);
			b->busy = false;
			returned++;
		}
		WANT(count_busy() == 0);
		WANT(returned == serial);
		ring_fini(&r);
	}
}
END_TEST

#ifndef DMA_OFFSET
/* Posted for a notification and for an interrupt. */
static sem_t kick, irq;
static int over;

static void *device_thread(void *arg)
{
	struct fph_seg segs[2 * NUM];
	struct fph_buffer e[3];
	struct fph_used u[3];
	int n;

	for (;;) {
		fph_vq_device_want_notify(dev, false);
		while ((n = fph_vq_device_pop(dev, e, 3, segs,
					      2 * NUM)) > 0) {
			for (int i = 0; i < n; i++) {
				u[i].cookie = e[i].cookie;
				u[i].len = e[i].nread + e[i].nwrite;
			}
			fph_vq_device_push(dev, u, (uint32_t)n);
			if (fph_vq_device_should_notify(dev))
				sem_post(&irq);
		}
		if (fph_vq_device_want_notify(dev, true))
			continue;
		if (__atomic_load_n(&over, __ATOMIC_ACQUIRE))
			return arg;
		while (sem_wait(&kick))
			;
	}
}

static int add_one(const struct fph_seg *segs, uint64_t cookie)
{
	struct fph_buffer b = { .cookie = cookie, .nread = 1,
				.nwrite = (uint32_t)(cookie % 2) };

	return fph_vq_driver_add(drv, &b, 1, segs);
}

/*
 * Two processors: who sleeps although there is work sleeps for ever, and the
 * test runs into its timeout.
 */
START_TEST(test_pair_threads)
{
	static const struct fph_seg segs[2] = {
		{ 0, 4096, 0 }, { 4096, 4096, FPH_SEG_WRITE }
	};
	uint64_t sent = 0, back = 0;
	struct fph_used u;
	pthread_t thread;

	indirect = false;
	packed = _i & 4;
	in_order = _i & 8;
	start(_i & 1, _i & 2);
	over = 0;
	ck_assert_int_eq(sem_init(&kick, 0, 0), 0);
	ck_assert_int_eq(sem_init(&irq, 0, 0), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, device_thread, NULL),
			 0);
	while (back < PAIR_ROUNDS) {
		fph_vq_driver_want_notify(drv, false);
		while (fph_vq_driver_take_used(drv, &u, 1) == 1) {
			WANT(u.len == 1 + u.cookie % 2);
			back++;
		}
		while (sent < PAIR_ROUNDS && sent - back < 1 + sent % num &&
		       add_one(segs, sent) == 1)
			sent++;
		WANT(fph_vq_driver_publish(drv) == FPH_OK);
		if (fph_vq_driver_should_notify(drv))
			sem_post(&kick);
		if (sent == back || fph_vq_driver_want_notify(drv, true))
			continue;
		while (sem_wait(&irq))
			;
	}
	WANT(!fph_vq_driver_is_broken(drv));
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	sem_post(&kick);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(!fph_vq_device_is_broken(dev));
	sem_destroy(&kick);
	sem_destroy(&irq);
	ring_fini(&r);
}
END_TEST
#endif

Suite *make_suite(void)
{
	Suite *s = suite_create("vq_pair");
	TCase *tc = tcase_create("pair");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, test_pair, 0, 32);
	tcase_add_loop_test(tc, test_pair_reset, 0, 16);
#ifdef DMA_OFFSET
	tcase_add_loop_test(tc, test_dma_addresses, 0, 4);
#else
	tcase_add_loop_test(tc, test_pair_threads, 0, 16);
#endif
	suite_add_tcase(s, tc);
	return s;
}
