/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The whole device, a descriptor or a page frame: process, next, complete,
 * flush. Nothing is discarded; what that costs is the kernel's.
 */
#include <fph-vmm/balloon.h>

#include "meter.h"
#include "tests/unit/ring.h"

#define NUM	1024u
#define FRAMES	256u			/* in an inflate buffer, as Linux */
#define INFLATE	0u			/* indexes of rings */
#define REPORT	2u
#define BLOCK	((uint64_t)2 << 20)
#define REGION	((uint64_t)1 << 37)

struct way {
	const char *name;
	uint32_t chain;			/* descriptors in a buffer */
	uint32_t batch;			/* buffers a turn */
	bool random;
};

static const struct way ways[] = {
	{ "device, sorted, 32 a chain", 32, 32, false },
	{ "device, random, 32 a chain", 32, 32, true },
	{ "device, random, 32 a chain, 1 a turn", 32, 1, true },
	{ "device, sorted, 1 a chain", 1, NUM, false },
	{ "device, sorted, 1 a chain, 1 a turn", 1, 1, false },
};

static struct fph_balloon *make_device(struct ring *ring, uint32_t index,
				       const struct fph_memory *memory)
{
	uint64_t features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	struct fph_balloon_params p = { .size = sizeof(p), .memory = memory,
		.features = features, .numbering = FPH_NUMBERING_NEGOTIATED,
		.report_granule = index == REPORT ? BLOCK : 0 };
	struct fph_balloon_ring r = { .size = sizeof(r), .num = NUM,
		.desc = ring->desc, .driver = ring->avail,
		.device = ring->used };
	struct fph_balloon *b = fph_balloon_new(&p, NULL);

	MUST(b);
	features |= FPH_BIT(VIRTIO_F_VERSION_1);
	MUST(fph_balloon_set_features(b, features) == FPH_OK);
	MUST(fph_balloon_ring_start(b, index, &r) == FPH_OK);
	MUST(fph_balloon_ring_enable(b, index, true) == FPH_OK);
	return b;
}

/* Blocks with a gap behind each, so that a descriptor is a run. */
static void offer(struct ring *ring, const struct way *w, uint64_t *seed)
{
	uint64_t base = bench_random(seed) % (REGION / BLOCK - 2 * NUM);
	uint64_t blocks[NUM];
	uint32_t i;

	for (i = 0; i < NUM; i++)
		blocks[i] = base + 2 * i;
	if (w->random)
		bench_shuffle(blocks, NUM, seed);
	for (i = 0; i < NUM; i++) {
		bool more = i % w->chain != w->chain - 1;

		ring_desc(ring, ring->desc, i, blocks[i] * BLOCK,
			  (uint32_t)BLOCK, RING_WRITE | (more ? RING_NEXT : 0),
			  (uint16_t)(i + 1));
	}
	for (i = 0; i < NUM; i += w->chain)
		ring_offer(ring, (uint16_t)i);
}

static void serve(struct fph_balloon *b, uint32_t index, uint32_t buffers,
		  uint32_t batch)
{
	static struct fph_run runs[NUM];
	int i, n;

	while (buffers) {
		n = fph_balloon_process(b, index, batch);
		MUST(n > 0);
		buffers -= (uint32_t)n;
		while ((n = fph_balloon_next(b, runs, NUM)) > 0) {
			for (i = 0; i < n; i++) {
				runs[i].outcome = FPH_OUTCOME_DISCARDED;
				runs[i].done = runs[i].len;
				runs[i].freed = runs[i].len;
			}
			MUST(fph_balloon_complete(b, runs, (uint32_t)n) == n);
		}
		fph_balloon_flush(b);
		fph_balloon_take_notify(b);
	}
}

/* The guest's own memory is that of the ring. */
static struct fph_memory *make_memory(struct ring *ring)
{
	struct fph_region region = { .len = REGION, .fd = -1,
		.host = ring->mem, .page_size = 4096,
		.backing = FPH_BACKING_ANON };
	struct fph_memory *memory = fph_memory_new(NULL, NULL);

	MUST(memory && fph_memory_add(memory, &region) == FPH_OK);
	return memory;
}

static void run_way(const struct way *w)
{
	struct fph_memory *memory;
	struct fph_balloon *b;
	struct ring ring;
	uint64_t seed = 1;
	uint32_t i;

	ring_init(&ring, NUM, false, 1 << 16);
	memory = make_memory(&ring);
	b = make_device(&ring, REPORT, memory);
	for (i = 0; i < meter_warm + meter_rounds; i++) {
		offer(&ring, w, &seed);
		if (i >= meter_warm)
			meter_begin();
		serve(b, REPORT, NUM / w->chain, w->batch);
		if (i >= meter_warm)
			meter_end(NUM);
		MUST(ring_get_used_idx(&ring) == ring.avail_idx);
	}
	meter_row(w->name, "libfph");
	fph_balloon_free(b);
	ring_fini(&ring);
	fph_memory_free(memory);
}

/* Buffers of page frames, which a balloon driver takes one by one. */
static void run_inflate(const char *name, bool random)
{
	struct fph_memory *memory;
	struct fph_balloon *b;
	uint64_t frames[FRAMES];
	struct ring ring;
	uint64_t seed = 1, gpa;
	uint32_t i, k;

	ring_init(&ring, NUM, false, 1 << 16);
	memory = make_memory(&ring);
	b = make_device(&ring, INFLATE, memory);
	gpa = ring_free_gpa(&ring);
	for (i = 0; i < meter_warm + meter_rounds; i++) {
		frames[0] = bench_random(&seed) % (1 << 24);
		for (k = 1; k < FRAMES; k++)
			frames[k] = random ? bench_random(&seed) % (1 << 24) :
					     frames[0] + k;
		for (k = 0; k < FRAMES; k++)
			ring_put(ring.mem + gpa + 4 * k, 4, frames[k], false);
		ring_desc(&ring, ring.desc, 0, gpa, 4 * FRAMES, 0, 0);
		ring_offer(&ring, 0);
		if (i >= meter_warm)
			meter_begin();
		serve(b, INFLATE, 1, 1);
		if (i >= meter_warm)
			meter_end(FRAMES);
	}
	meter_row(name, "libfph");
	fph_balloon_free(b);
	ring_fini(&ring);
	fph_memory_free(memory);
}

void bench_device(void)
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		run_way(&ways[i]);
	run_inflate("inflate, in order", false);
	run_inflate("inflate, random", true);
}
