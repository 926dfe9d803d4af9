/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Split ring: driver side and device side over the same memory, in random
 * schedules that a seed fixes.  Every buffer arrives as it was added, comes
 * back once with its cookie and length, and nobody waits for a notification
 * or an interrupt that the other side never sent.
 */
#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "ring.h"

#define NUM		16
#define MEM_SIZE	(64 * 1024)
#define TABLES		(16 * 1024)	/* gpa */
#define BUFFERS		NUM
#define ROUNDS		70000u		/* buffers: more than 16 bits */

/* One buffer of the driver; its index is what the cookie tells. */
struct buffer {
	bool busy;
	bool popped;
	uint64_t cookie;
	uint32_t nseg;
	uint32_t len;			/* as pushed */
	struct fph_seg segs[NUM];
};

struct popped {
	uint16_t head;
	uint32_t index;
};

static struct ring r;
static struct fph_split_driver drv;
static struct fph_split_device dev;
static struct fph_split_slot slots[NUM];
static struct buffer bufs[BUFFERS];
static struct popped popped[BUFFERS];
static uint32_t npopped;
static uint64_t seed;
static uint64_t serial;			/* buffers added */
static uint64_t returned;
static bool indirect;

/* Is a side asleep until the other side's signal? */
static bool dev_sleeps, drv_sleeps;

static uint32_t random_below(uint32_t n)
{
	return ring_random(&seed) % n;
}

static void start(bool big, bool event_idx)
{
	struct fph_split_driver_params p = {
		.size = sizeof(p),
		.num = NUM,
		.event_idx = event_idx,
		.indirect = indirect,
		.endian = big ? FPH_BE : FPH_LE,
		.slots = slots,
	};
	struct fph_split_device_params q = {
		.size = sizeof(q),
		.num = NUM,
		.event_idx = event_idx,
		.indirect = indirect,
		.endian = big ? FPH_BE : FPH_LE,
		.map = ring_map,
		.map_ctx = &r,
	};

	memset(bufs, 0, sizeof(bufs));
	npopped = 0;
	serial = 0;
	returned = 0;
	dev_sleeps = false;
	drv_sleeps = false;
	ring_init(&r, NUM, big, MEM_SIZE);
	p.desc = r.desc;
	p.avail = r.avail;
	p.used = r.used;
	WANT(fph_split_driver_init(&drv, &p) == FPH_OK);
	q.desc = r.desc;
	q.avail = r.avail;
	q.used = r.used;
	WANT(fph_split_device_init(&dev, &q) == FPH_OK);
}

static void fill(struct buffer *b)
{
	uint32_t nread;

	b->nseg = 1 + random_below(random_below(4) ? 4 : NUM);
	nread = random_below(b->nseg + 1);
	for (uint32_t i = 0; i < b->nseg; i++) {
		b->segs[i].gpa = (uint64_t)ring_random(&seed) << 12;
		b->segs[i].len = 1 + random_below(1 << 22);
		b->segs[i].flags = i < nread ? 0 : FPH_SEG_WRITE;
	}
}

static void driver_add(void)
{
	uint32_t i = random_below(BUFFERS);
	struct buffer *b = &bufs[i];
	struct fph_split_table t = {
		r.mem + TABLES + 1024 * i, TABLES + 1024 * i, NUM
	};
	uint16_t nfree = fph_split_driver_get_free(&drv);
	bool table = indirect && random_below(2);
	uint32_t need;
	int ret;

	if (b->busy)
		return;
	fill(b);
	need = table ? 1 : b->nseg;
	b->cookie = serial << 8 | i;
	ret = fph_split_driver_add(&drv, b->segs, b->nseg, b->cookie,
				   table ? &t : NULL);
	if (need > nfree) {
		WANT(ret == FPH_EFULL);
		return;
	}
	WANT(ret == FPH_OK);
	WANT(fph_split_driver_get_free(&drv) == nfree - need);
	b->busy = true;
	b->popped = false;
	serial++;
}

static void driver_submit(void)
{
	WANT(fph_split_driver_submit(&drv) == FPH_OK);
	if (!random_below(3))
		return;
	if (fph_split_driver_get_notify(&drv))
		dev_sleeps = false;
}

static void driver_next(void)
{
	struct fph_used u;
	struct buffer *b;
	int ret;

	ret = fph_split_driver_next(&drv, &u);
	if (!ret) {
		if (!random_below(4))
			drv_sleeps = !fph_split_driver_arm(&drv, true);
		return;
	}
	WANT(ret == 1);
	b = &bufs[u.cookie & 0xff];
	WANT(b->busy && b->popped);
	WANT(u.cookie == b->cookie);
	WANT(u.len == b->len);
	b->busy = false;
	returned++;
}

static struct buffer *find(const struct fph_seg *segs, uint16_t nseg,
			   uint32_t *index)
{
	for (uint32_t i = 0; i < BUFFERS; i++) {
		struct buffer *b = &bufs[i];

		if (b->busy && !b->popped && b->nseg == nseg &&
		    !memcmp(b->segs, segs, nseg * sizeof(segs[0]))) {
			*index = i;
			return b;
		}
	}
	return NULL;
}

static void device_pop(void)
{
	struct fph_seg segs[NUM];
	struct fph_elem e;
	struct buffer *b;
	int ret;

	ret = fph_split_device_pop(&dev, &e, segs, NUM);
	if (!ret) {
		if (!random_below(4))
			dev_sleeps = !fph_split_device_arm(&dev, true);
		return;
	}
	WANT(ret == 1);
	b = find(segs, e.nseg, &popped[npopped].index);
	WANT(b);
	b->popped = true;
	popped[npopped++].head = e.head;
}

static void device_push(void)
{
	uint32_t k = npopped ? random_below(npopped) : 0;
	struct buffer *b = &bufs[popped[k].index];

	if (npopped) {
		b->len = ring_random(&seed);
		WANT(fph_split_device_push(&dev, popped[k].head, b->len) ==
		     FPH_OK);
		popped[k] = popped[--npopped];
	}
	if (random_below(2) && fph_split_device_get_notify(&dev))
		drv_sleeps = false;
}

/* Signals that a lazy side still owes are sent in the end. */
static void settle(void)
{
	WANT(fph_split_driver_submit(&drv) == FPH_OK);
	if (fph_split_driver_get_notify(&drv))
		dev_sleeps = false;
	if (fph_split_device_get_notify(&dev))
		drv_sleeps = false;
}

static uint32_t count_busy(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < BUFFERS; i++)
		n += bufs[i].busy;
	return n;
}

static void step(void)
{
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
			device_pop();
		break;
	default:
		device_push();
	}
	WANT(fph_split_driver_get_inflight(&drv) == count_busy());
	WANT(fph_split_device_get_inflight(&dev) == npopped);
	WANT(!fph_split_driver_is_broken(&drv));
	WANT(!fph_split_device_is_broken(&dev));
}

/*
 * With no new buffers the ring runs empty: who sleeps is woken by the other
 * side, or has nothing to wait for.
 */
static void drain(void)
{
	for (int i = 0; i < 100 * BUFFERS && count_busy(); i++) {
		settle();
		if (!dev_sleeps)
			device_pop();
		while (npopped)
			device_push();
		settle();
		if (!drv_sleeps)
			driver_next();
	}
	WANT(count_busy() == 0);
	WANT(npopped == 0);
	WANT(fph_split_driver_get_free(&drv) == NUM);
	WANT(returned == serial);
}

/* Bits of _i: byte order, event index, indirect; the rest is the seed. */
START_TEST(test_pair)
{
	seed = 1000 + (uint64_t)_i;
	indirect = _i & 4;
	start(_i & 1, _i & 2);
	while (returned < ROUNDS) {
		step();
		if (!random_below(64))
			settle();
		if (!random_below(5000))
			drain();
	}
	drain();
	ring_fini(&r);
}
END_TEST

/*
 * A reset in the middle: the driver gets the rest back by abort, and both
 * sides begin again over the same memory.
 */
START_TEST(test_pair_reset)
{
	bool big = _i & 1;
	bool event_idx = _i & 2;

	seed = 77 + (uint64_t)_i;
	indirect = true;
	for (int round = 0; round < 200; round++) {
		struct fph_used u;

		start(big, event_idx);
		for (uint32_t n = random_below(300); n; n--)
			step();
		while (fph_split_driver_abort(&drv, &u) == 1) {
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

/* Posted for a notification and for an interrupt. */
static sem_t kick, irq;
static int over;

static void *device_thread(void *arg)
{
	struct fph_seg segs[NUM];
	struct fph_elem e;

	for (;;) {
		fph_split_device_arm(&dev, false);
		while (fph_split_device_pop(&dev, &e, segs, NUM) == 1) {
			fph_split_device_push(&dev, e.head, e.nseg);
			if (fph_split_device_get_notify(&dev))
				sem_post(&irq);
		}
		if (fph_split_device_arm(&dev, true))
			continue;
		if (__atomic_load_n(&over, __ATOMIC_ACQUIRE))
			return arg;
		while (sem_wait(&kick))
			;
	}
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
	start(_i & 1, _i & 2);
	over = 0;
	ck_assert_int_eq(sem_init(&kick, 0, 0), 0);
	ck_assert_int_eq(sem_init(&irq, 0, 0), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, device_thread, NULL),
			 0);
	while (back < ROUNDS) {
		fph_split_driver_arm(&drv, false);
		while (fph_split_driver_next(&drv, &u) == 1) {
			WANT(u.len == 1 + u.cookie % 2);
			back++;
		}
		while (sent < ROUNDS && sent - back < 1 + sent % NUM &&
		       fph_split_driver_add(&drv, segs, 1 + sent % 2, sent,
					    NULL) == FPH_OK)
			sent++;
		WANT(fph_split_driver_submit(&drv) == FPH_OK);
		if (fph_split_driver_get_notify(&drv))
			sem_post(&kick);
		if (sent == back || fph_split_driver_arm(&drv, true))
			continue;
		while (sem_wait(&irq))
			;
	}
	WANT(!fph_split_driver_is_broken(&drv));
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	sem_post(&kick);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(!fph_split_device_is_broken(&dev));
	sem_destroy(&kick);
	sem_destroy(&irq);
	ring_fini(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("split_pair");
	TCase *tc = tcase_create("pair");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, test_pair, 0, 16);
	tcase_add_loop_test(tc, test_pair_reset, 0, 4);
	tcase_add_loop_test(tc, test_pair_threads, 0, 4);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
