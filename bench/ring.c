/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Rings, a descriptor: the device pops, looks up host addresses and pushes;
 * the driver adds.
 */
#include <string.h>

#include <fph/vring.h>
#include <fph-vmm/memory.h>

#include "meter.h"
#include "tests/unit/ring.h"

#define NUM	1024u
#define SIZE	(2u << 20)		/* of a segment */
#define HOST	((uint64_t)1 << 46)	/* of address 0; nothing is there */

struct shape {
	const char *name;
	uint32_t chain;			/* descriptors in a buffer */
	uint32_t regions;
	bool indirect;
	bool shuffled;			/* a chain's descriptors are anywhere */
	uint32_t shift;			/* of the size of a region */
};

static const struct shape shapes[] = {
	{ "decode 32 a chain, 2 regions", 32, 2, false, false, 37 },
	{ "decode 32 a chain, 9 regions", 32, 9, false, false, 37 },
	{ "decode 1 a chain", 1, 2, false, false, 37 },
	{ "decode indirect", 32, 2, true, false, 37 },
	{ "decode shuffled", 32, 2, false, true, 37 },
};

/* Regions with gaps as large as they are. */
static struct fph_memory *make_memory(const struct shape *s)
{
	struct fph_memory *memory = fph_memory_new(NULL, NULL);
	uint32_t i;

	MUST(memory);
	for (i = 0; i < s->regions; i++) {
		struct fph_region r = {
			.gpa = (uint64_t)2 * i << s->shift,
			.len = (uint64_t)1 << s->shift, .fd = -1,
			.page_size = 4096, .backing = FPH_BACKING_ANON
		};

		r.host = (void *)(uintptr_t)(HOST + r.gpa);
		MUST(fph_memory_add(memory, &r) == FPH_OK);
	}
	return memory;
}

/* Fills the ring with buffers; all descriptors are used. */
static void offer(struct ring *ring, const struct shape *s, uint64_t *seed)
{
	uint64_t places[NUM];
	uint8_t *tables = ring->mem + ring_free_gpa(ring);
	uint32_t buffers = NUM / s->chain;
	uint32_t i, j, k;

	for (i = 0; i < NUM; i++)
		places[i] = i;
	if (s->shuffled)
		bench_shuffle(places, NUM, seed);
	for (i = 0; i < buffers; i++) {
		uint8_t *table = s->indirect ? tables : ring->desc;
		uint64_t *at = &places[i * s->chain];

		for (j = 0; j < s->chain; j++) {
			bool more = j + 1 < s->chain;
			uint64_t gpa = bench_random(seed) % s->regions * 2
				       << s->shift;

			gpa += bench_random(seed) * SIZE &
			       (((uint64_t)1 << s->shift) - 1);
			k = s->indirect ? i * s->chain + j : (uint32_t)at[j];
			ring_desc(ring, table, k, gpa, SIZE,
				  RING_WRITE | (more ? RING_NEXT : 0),
				  (uint16_t)(!more ? 0 : s->indirect ? j + 1 :
					     at[j + 1]));
		}
		if (s->indirect)
			ring_desc(ring, ring->desc, i, ring_free_gpa(ring) +
				  16 * i * s->chain, 16 * s->chain,
				  RING_INDIRECT, 0);
		ring_offer(ring, s->indirect ? (uint16_t)i : (uint16_t)at[0]);
	}
}

static struct iovec iov[NUM];

static void decode(struct ring *ring, struct fph_vq_device *vq,
		   const struct fph_memory *memory, uint32_t buffers)
{
	static struct fph_buffer bufs[NUM];
	static struct fph_seg segs[NUM];
	static struct fph_used used[NUM];
	uint32_t done = 0;

	(void)ring;
	while (done < buffers) {
		int n = fph_vq_device_pop(vq, bufs, 64, segs, NUM);
		uint32_t nsegs = 0;
		int i;

		MUST(n > 0);
		for (i = 0; i < n; i++) {
			nsegs += bufs[i].nwrite;
			used[i].cookie = bufs[i].cookie;
		}
		MUST(fph_memory_translate(memory, segs, nsegs, iov) ==
		     (int)nsegs);
		MUST(fph_vq_device_push(vq, used, (uint32_t)n) == n);
		done += (uint32_t)n;
	}
}

typedef void decode_fn(struct ring *ring, struct fph_vq_device *vq,
		       const struct fph_memory *memory, uint32_t buffers);

static void run_shape(const struct shape *s, const char *who,
		      decode_fn *run)
{
	struct fph_vq_device_params p = { .size = sizeof(p), .num = NUM };
	struct fph_memory *memory = make_memory(s);
	struct fph_vq_device *vq;
	struct ring ring;
	uint64_t seed = 1;
	uint32_t i;

	ring_init(&ring, NUM, false, 1 << 20);
	p.features = FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC);
	p.desc = ring.desc;
	p.driver = ring.avail;
	p.device = ring.used;
	p.map = ring_map;
	p.map_ctx = &ring;
	MUST(fph_vq_device_init(&vq, bench_memory(fph_vq_device_size(&p)),
				fph_vq_device_size(&p), &p) == FPH_OK);
	for (i = 0; i < meter_warm + meter_rounds; i++) {
		offer(&ring, s, &seed);
		if (i >= meter_warm)
			meter_begin();
		run(&ring, vq, memory, NUM / s->chain);
		if (i >= meter_warm)
			meter_end(NUM);
	}
	meter_row(s->name, who);
	ring_fini(&ring);
	fph_memory_free(memory);
}

/* The device of the driver cases: everything is used, in order. */
static void use_all(struct ring *ring)
{
	while (ring->used_idx != ring_get_avail_idx(ring))
		ring_use(ring, ring_get_head(ring, ring->used_idx), 0);
}

static void run_add(const char *name, uint32_t chain, uint32_t entries)
{
	static struct fph_buffer buffers[NUM];
	static struct fph_seg segs[NUM];
	static struct fph_used used[NUM];
	struct fph_vq_driver_params p = { .size = sizeof(p), .num = NUM };
	uint32_t n = NUM / chain, i;
	struct fph_vq_driver *vq;
	struct ring ring;

	ring_init(&ring, NUM, false, 1 << 24);
	p.features = FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC);
	p.desc = ring.desc;
	p.driver = ring.avail;
	p.device = ring.used;
	if (entries) {
		p.table_entries = entries;
		p.tables_gpa = (ring_free_gpa(&ring) + 15) & ~(uint64_t)15;
		p.tables = ring.mem + p.tables_gpa;
	}
	MUST(fph_vq_driver_init(&vq, bench_memory(fph_vq_driver_size(&p)),
				fph_vq_driver_size(&p), &p) == FPH_OK);
	for (i = 0; i < NUM; i++) {
		segs[i].gpa = (uint64_t)i * SIZE;
		segs[i].len = SIZE;
		segs[i].flags = FPH_SEG_WRITE;
		buffers[i].cookie = i + 1;
		buffers[i].nwrite = chain;
	}
	for (i = 0; i < meter_warm + meter_rounds; i++) {
		if (i >= meter_warm)
			meter_begin();
		MUST(fph_vq_driver_add(vq, buffers, n, segs) == (int)n);
		if (i >= meter_warm)
			meter_end(NUM);
		MUST(fph_vq_driver_publish(vq) == FPH_OK);
		use_all(&ring);
		MUST(fph_vq_driver_take_used(vq, used, NUM) == (int)n);
	}
	meter_row(name, "libfph");
	ring_fini(&ring);
}

void bench_ring(void)
{
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		run_shape(&shapes[i], "libfph", decode);
	run_add("driver add, 32 a chain", 32, 0);
	run_add("driver add, 1 a chain", 1, 0);
	run_add("driver add, indirect", 32, 32);
}

/* ------------------------------------------------------------- baselines -- */

/* The same library, one item a call. */
static void decode_singly(struct ring *ring, struct fph_vq_device *vq,
			  const struct fph_memory *memory, uint32_t buffers)
{
	static struct fph_seg segs[NUM];
	struct fph_used used = { 0 };
	struct fph_buffer buffer;
	uint32_t i, n = 0;

	(void)ring;
	while (buffers--) {
		MUST(fph_vq_device_pop(vq, &buffer, 1, segs, NUM) == 1);
		for (i = 0; i < buffer.nwrite; i++, n++)
			MUST(fph_memory_translate(memory, &segs[i], 1,
						  &iov[n % NUM]) == 1);
		used.cookie = buffer.cookie;
		MUST(fph_vq_device_push(vq, &used, 1) == 1);
	}
}

/*
 * As most servers do it, libvhost-user among them: an element is allocated for
 * each chain, each descriptor is copied, checked and looked up in a list of
 * regions, and each element is published by itself.
 */
struct element {
	uint32_t head, n;
	struct iovec iov[NUM];
};

static const struct shape *plain_shape;

static bool look_up(uint64_t gpa, uint32_t len, struct iovec *v)
{
	uint32_t i;

	for (i = 0; i < plain_shape->regions; i++) {
		uint64_t start = (uint64_t)2 * i << plain_shape->shift;
		uint64_t size = (uint64_t)1 << plain_shape->shift;

		if (gpa < start || gpa - start >= size ||
		    len > size - (gpa - start))
			continue;
		v->iov_base = (void *)(uintptr_t)(HOST + gpa);
		v->iov_len = len;
		return true;
	}
	return false;
}

struct plain_desc {
	uint64_t gpa;
	uint32_t len;
	uint16_t flags, next;
};

static struct element *pop_plain(struct ring *ring, uint16_t head)
{
	uint32_t size = (uint32_t)sizeof(struct element) -
			(NUM - plain_shape->chain) *
			(uint32_t)sizeof(struct iovec);
	const uint8_t *table = ring->desc;
	uint32_t i = head, entries = NUM;
	struct element *e = malloc(size);
	struct plain_desc d;

	MUST(e);
	e->head = head;
	e->n = 0;
	memcpy(&d, table + 16 * i, sizeof(d));
	if (d.flags & RING_INDIRECT) {
		MUST(d.len && !(d.len % 16));
		table = ring_map(ring, d.gpa, d.len);
		MUST(table);
		entries = d.len / 16;
		i = 0;
	}
	for (;;) {
		MUST(i < entries && e->n < plain_shape->chain);
		memcpy(&d, table + 16 * i, sizeof(d));
		MUST(look_up(d.gpa, d.len, &e->iov[e->n++]));
		if (!(d.flags & RING_NEXT))
			return e;
		i = d.next;
	}
}

static void decode_plain(struct ring *ring, struct fph_vq_device *vq,
			 const struct fph_memory *memory, uint32_t buffers)
{
	uint16_t *avail = (void *)ring->avail, *used = (void *)ring->used;
	uint16_t last = used[1];
	struct element *e;
	uint32_t entry[2];

	(void)vq;
	(void)memory;
	while (buffers--) {
		MUST(__atomic_load_n(&avail[1], __ATOMIC_ACQUIRE) != last);
		e = pop_plain(ring, avail[2 + last % NUM]);
		memcpy(iov, e->iov, e->n * sizeof(*iov));
		entry[0] = e->head;
		entry[1] = 0;
		memcpy((uint8_t *)(used + 2) + 8 * (last % NUM), entry, 8);
		__atomic_store_n(&used[1], ++last, __ATOMIC_RELEASE);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		free(e);
	}
}

/* The limit: as many bytes as the descriptors have, copied. */
static void decode_memcpy(struct ring *ring, struct fph_vq_device *vq,
			  const struct fph_memory *memory, uint32_t buffers)
{
	(void)vq;
	(void)memory;
	memcpy(iov, ring->desc, sizeof(iov));
	ring->used_idx = (uint16_t)(ring->used_idx + buffers);
	ring_set_used_idx(ring, ring->used_idx);
}

void bench_ring_baselines(void)
{
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		plain_shape = &shapes[i];
		run_shape(&shapes[i], "one call each", decode_singly);
		run_shape(&shapes[i], "plain server", decode_plain);
		if (!i)
			run_shape(&shapes[i], "memcpy", decode_memcpy);
	}
}

/* One guest of so much memory. */
void bench_ring_sized(const char *name, uint32_t shift)
{
	struct shape s = { name, 32, 1, false, false, shift };

	run_shape(&s, "libfph", decode);
}
