/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Rings, a descriptor: the device pops, looks up host addresses and pushes;
 * the driver adds.
 */
#include <fph/vring.h>
#include <fph-vmm/memory.h>

#include "meter.h"
#include "tests/unit/ring.h"

#define NUM	1024u
#define SIZE	(2u << 20)		/* of a segment */
#define REGION	((uint64_t)1 << 37)

struct shape {
	const char *name;
	uint32_t chain;			/* descriptors in a buffer */
	uint32_t regions;
	bool indirect;
	bool shuffled;			/* a chain's descriptors are anywhere */
};

static const struct shape shapes[] = {
	{ "decode 32 a chain, 2 regions", 32, 2, false, false },
	{ "decode 32 a chain, 9 regions", 32, 9, false, false },
	{ "decode 1 a chain", 1, 2, false, false },
	{ "decode indirect", 32, 2, true, false },
	{ "decode shuffled", 32, 2, false, true },
};

static struct fph_memory *make_memory(uint32_t regions)
{
	struct fph_memory *memory = fph_memory_new(NULL, NULL);
	uint32_t i;

	MUST(memory);
	for (i = 0; i < regions; i++) {
		struct fph_region r = {
			.gpa = 2 * i * REGION, .len = REGION, .fd = -1,
			.host = (void *)(uintptr_t)((16 + 2 * i) * REGION),
			.page_size = 4096, .backing = FPH_BACKING_ANON
		};

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
			uint64_t gpa = bench_random(seed) % s->regions * 2;

			gpa = gpa * REGION +
			      bench_random(seed) % (REGION / SIZE) * SIZE;
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

static void decode(struct fph_vq_device *vq, const struct fph_memory *memory,
		   uint32_t buffers)
{
	static struct fph_buffer bufs[NUM];
	static struct fph_seg segs[NUM];
	static struct fph_used used[NUM];
	static struct iovec iov[NUM];
	uint32_t done = 0;

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

static void run_shape(const struct shape *s)
{
	struct fph_vq_device_params p = { .size = sizeof(p), .num = NUM };
	struct fph_memory *memory = make_memory(s->regions);
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
		decode(vq, memory, NUM / s->chain);
		if (i >= meter_warm)
			meter_end(NUM);
	}
	meter_row(s->name);
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
	meter_row(name);
	ring_fini(&ring);
}

void bench_ring(void)
{
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		run_shape(&shapes[i]);
	run_add("driver add, 32 a chain", 32, 0);
	run_add("driver add, 1 a chain", 1, 0);
	run_add("driver add, indirect", 32, 32);
}
