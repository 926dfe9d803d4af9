/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * ring_stress [TRANSFERS [SEED]]
 *
 * Our driver and our device on two processors, over rings of every kind:
 * layout, indirect tables, event index, in order, byte order and size.  Each
 * buffer has to arrive whole and in its turn, come back once with its length,
 * and nobody may wait for a notification that was not sent.  TRANSFERS are
 * spread over all the kinds; exit status 0, or 1 with the kind and the seed.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <fph/vring.h>
#include <fph/wire.h>

#define SEGS		4u		/* of one buffer */
#define BATCH		8u
#define HELD		32u		/* that the device keeps back */
#define TABLES_GPA	0x100000000ull
#define WAIT		60		/* seconds for a notification */

static uint64_t seed = 1;
static uint64_t transfers;		/* of one kind */
static uint64_t features;
static uint32_t num;
static int endian;
static struct fph_vq_driver *drv;
static struct fph_vq_device *dev;
static uint8_t *tables;
static sem_t kick, irq;
static int over;
static uint8_t *is_out;			/* by serial mod 65536 */

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "ring_stress: %s; %s ring of %u%s%s%s%s, seed %llu\n",
		what,
		features & FPH_BIT(VIRTIO_F_RING_PACKED) ? "packed" : "split",
		num,
		features & FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC) ?
		", indirect" : "",
		features & FPH_BIT(VIRTIO_RING_F_EVENT_IDX) ?
		", event index" : "",
		features & FPH_BIT(VIRTIO_F_IN_ORDER) ? ", in order" : "",
		endian == FPH_BE ? ", big-endian" : "",
		(unsigned long long)seed);
	exit(1);
}

#define WANT(x)								\
	do {								\
		if (!(x))						\
			fail("not so: " #x);				\
	} while (0)

/* What a buffer looks like follows from its number. */
static uint32_t mix(uint64_t v)
{
	v = (v + seed) * 0x9e3779b97f4a7c15ull;
	return (uint32_t)(v >> 40);
}

static uint32_t count_segs(uint64_t serial)
{
	uint32_t most = num < SEGS ? num : SEGS;

	return 1 + mix(serial) % most;
}

static uint32_t count_read(uint64_t serial)
{
	return mix(serial * 3) % (count_segs(serial) + 1);
}

static struct fph_seg make_seg(uint64_t serial, uint32_t i)
{
	struct fph_seg s = { (serial << 4 | i) << 12, 1 + mix(serial) % 4096,
			     i < count_read(serial) ? 0 : FPH_SEG_WRITE };

	return s;
}

static uint32_t get_len(uint64_t serial)
{
	return count_segs(serial) > count_read(serial) ?
	       1 + mix(serial * 5) % 100 : 0;
}

static void wait_for(sem_t *sem, const char *what)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT;
	while (sem_timedwait(sem, &until)) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		if (now.tv_sec > until.tv_sec)
			fail(what);
	}
}

static const void *map(void *ctx, uint64_t gpa, uint64_t len)
{
	uint64_t size = (uint64_t)num * SEGS * 16, off = gpa - TABLES_GPA;

	(void)ctx;
	return off < size && len <= size - off ? tables + off : NULL;
}

/* ---------------------------------------------------------------- device -- */

static void check_buffer(uint64_t serial, const struct fph_buffer *b,
			 const struct fph_seg *segs)
{
	WANT(b->nread == count_read(serial));
	WANT(b->nread + b->nwrite == count_segs(serial));
	for (uint32_t i = 0; i < b->nread + b->nwrite; i++) {
		struct fph_seg s = make_seg(serial, i);

		WANT(segs[i].gpa == s.gpa);
		WANT(segs[i].len == s.len);
		WANT(segs[i].flags == s.flags);
	}
}

struct kept {
	struct fph_used used[HELD];
	uint32_t n;
};

/* Returns some of what is kept, or all of it, in any order. */
static void give_some(struct kept *k, bool all, uint64_t serial)
{
	struct fph_used batch[HELD];
	uint32_t n, give = all ? k->n : mix(serial * 7) % (k->n + 1);

	for (n = 0; n < give; n++) {
		uint32_t i = mix(serial * 11 + n) % k->n;

		batch[n] = k->used[i];
		k->used[i] = k->used[--k->n];
	}
	if (n)
		WANT(fph_vq_device_push(dev, batch, n) == (int)n);
	if (fph_vq_device_should_notify(dev))
		sem_post(&irq);
}

static void *device_thread(void *arg)
{
	struct fph_seg *segs = calloc(num + SEGS, sizeof(*segs)), *s;
	struct fph_buffer b[BATCH];
	struct kept kept = { .n = 0 };
	uint64_t serial = 0;
	int n;

	WANT(segs);
	for (;;) {
		fph_vq_device_want_notify(dev, false);
		while ((n = fph_vq_device_pop(dev, b, BATCH, segs,
					      num + SEGS)) > 0) {
			s = segs;
			for (int i = 0; i < n; i++, serial++) {
				check_buffer(serial, &b[i], s);
				s += b[i].nread + b[i].nwrite;
				kept.used[kept.n++] = (struct fph_used){
					.cookie = b[i].cookie,
					.len = get_len(serial),
				};
			}
			give_some(&kept, kept.n > HELD - BATCH, serial);
		}
		WANT(n == 0);
		give_some(&kept, true, serial);
		if (fph_vq_device_want_notify(dev, true))
			continue;
		if (__atomic_load_n(&over, __ATOMIC_ACQUIRE))
			break;
		wait_for(&kick, "the device was not notified");
	}
	WANT(fph_vq_device_get_inflight(dev) == 0);
	free(segs);
	return arg;
}

/* ---------------------------------------------------------------- driver -- */

static uint64_t take(uint64_t back)
{
	struct fph_used u[BATCH];
	int n;

	while ((n = fph_vq_driver_take_used(drv, u, BATCH)) > 0) {
		for (int i = 0; i < n; i++, back++) {
			WANT(is_out[u[i].cookie & 0xffff]);
			WANT(u[i].len == get_len(u[i].cookie));
			WANT(!(features & FPH_BIT(VIRTIO_F_IN_ORDER)) ||
			     u[i].cookie == back);
			is_out[u[i].cookie & 0xffff] = 0;
		}
	}
	WANT(n == 0);
	return back;
}

/* One buffer; false: no room. */
static bool add(uint64_t serial)
{
	struct fph_buffer b = { .cookie = serial,
				.nread = count_read(serial) };
	struct fph_seg segs[SEGS];
	uint32_t nseg = count_segs(serial);
	int n;

	b.nwrite = nseg - b.nread;
	b.flags = mix(serial * 13) % 2 ? FPH_BUFFER_DIRECT : 0;
	for (uint32_t i = 0; i < nseg; i++)
		segs[i] = make_seg(serial, i);
	if (is_out[serial & 0xffff])
		return false;
	n = fph_vq_driver_add(drv, &b, 1, segs);
	WANT(n == 1 || n == FPH_EFULL);
	if (n == 1)
		is_out[serial & 0xffff] = 1;
	return n == 1;
}

static void drive(void)
{
	uint64_t sent = 0, back = 0, burst;

	while (back < transfers) {
		fph_vq_driver_want_notify(drv, false);
		back = take(back);
		burst = 1 + mix(sent) % 64;
		while (burst-- && sent < transfers && add(sent))
			sent++;
		WANT(fph_vq_driver_publish(drv) == FPH_OK);
		if (fph_vq_driver_should_notify(drv))
			sem_post(&kick);
		if (sent == back || fph_vq_driver_want_notify(drv, true))
			continue;
		if (sent < transfers && fph_vq_driver_get_room(drv) >= SEGS &&
		    !is_out[sent & 0xffff])
			continue;
		wait_for(&irq, "the driver was not notified");
	}
	WANT(fph_vq_driver_get_inflight(drv) == 0);
	WANT(fph_vq_driver_get_room(drv) == num);
}

/* ----------------------------------------------------------------- kinds -- */

static void *get_memory(size_t size)
{
	void *p = aligned_alloc(64, (size + 63) & ~(size_t)63);

	WANT(p);
	memset(p, 0, size);
	return p;
}

static void run(void)
{
	bool indirect = features & FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC);
	void *desc = get_memory(FPH_VRING_DESC_SIZE(num));
	void *driver = get_memory(FPH_VRING_DRIVER_SIZE(features, num));
	void *device = get_memory(FPH_VRING_DEVICE_SIZE(features, num));
	void *drv_memory = get_memory(FPH_VQ_DRIVER_SIZE(num));
	void *dev_memory = get_memory(FPH_VQ_DEVICE_SIZE(num));
	struct fph_vq_driver_params p = {
		.size = sizeof(p), .num = num, .features = features,
		.endian = (uint32_t)endian, .desc = desc, .driver = driver,
		.device = device, .tables_gpa = TABLES_GPA,
		.table_entries = SEGS,
	};
	struct fph_vq_device_params q = {
		.size = sizeof(q), .num = num, .features = features,
		.base = FPH_VRING_NEW_BASE(features),
		.endian = (uint32_t)endian, .desc = desc, .driver = driver,
		.device = device, .map = map,
	};
	pthread_t thread;

	tables = get_memory((size_t)num * SEGS * 16);
	is_out = get_memory(65536);
	p.tables = indirect ? tables : NULL;
	WANT(fph_vq_driver_init(&drv, drv_memory, FPH_VQ_DRIVER_SIZE(num),
				&p) == FPH_OK);
	WANT(fph_vq_device_init(&dev, dev_memory, FPH_VQ_DEVICE_SIZE(num),
				&q) == FPH_OK);
	over = 0;
	sem_init(&kick, 0, 0);
	sem_init(&irq, 0, 0);
	WANT(!pthread_create(&thread, NULL, device_thread, NULL));
	drive();
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	sem_post(&kick);
	pthread_join(thread, NULL);
	sem_destroy(&kick);
	sem_destroy(&irq);
	free(desc);
	free(driver);
	free(device);
	free(drv_memory);
	free(dev_memory);
	free(tables);
	free(is_out);
}

/* Split rings have powers of two; packed ones also sizes beside them. */
static uint32_t get_size(uint32_t i, bool packed)
{
	uint32_t size = 1u << i;

	return packed && size > 2 && size < 32768 ? size + i % 3 - 1 : size;
}

int main(int argc, char **argv)
{
	uint64_t total = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
	uint64_t done = 0;
	uint32_t kinds = 0;

	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	transfers = total / (16 * 16) + 1;
	for (uint32_t i = 0; i < 16; i++) {
		for (uint32_t kind = 0; kind < 16; kind++) {
			features = FPH_BIT(VIRTIO_F_VERSION_1);
			if (kind & 1)
				features |= FPH_BIT(VIRTIO_F_RING_PACKED);
			if (kind & 2)
				features |=
					FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC);
			if (kind & 4)
				features |= FPH_BIT(VIRTIO_RING_F_EVENT_IDX);
			if (kind & 8)
				features |= FPH_BIT(VIRTIO_F_IN_ORDER);
			num = get_size(i, kind & 1);
			endian = (i + kind) % 5 ? FPH_LE : FPH_BE;
			run();
			done += transfers;
			kinds++;
		}
		printf("rings of %u and about: %llu transfers so far\n",
		       1u << i, (unsigned long long)done);
		fflush(stdout);
	}
	printf("%llu transfers over %u kinds of rings, seed %llu: none lost, "
	       "none doubled\n", (unsigned long long)done, kinds,
	       (unsigned long long)seed);
	return 0;
}
