/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The whole device, a descriptor: process, next, complete, flush. Nothing is
 * discarded; what that costs is the kernel's.
 */
#include <fph-vmm/balloon.h>

#include "meter.h"
#include "tests/unit/ring.h"

#define NUM	1024u
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

static struct fph_balloon *make_device(struct ring *ring,
				       const struct fph_memory *memory)
{
	uint64_t features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	struct fph_balloon_params p = { .size = sizeof(p), .memory = memory,
		.features = features, .numbering = FPH_NUMBERING_NEGOTIATED,
		.report_granule = BLOCK };
	struct fph_balloon_ring r = { .size = sizeof(r), .num = NUM,
		.desc = ring->desc, .driver = ring->avail,
		.device = ring->used };
	struct fph_balloon *b = fph_balloon_new(&p, NULL);

	MUST(b);
	features |= FPH_BIT(VIRTIO_F_VERSION_1);
	MUST(fph_balloon_set_features(b, features) == FPH_OK);
	MUST(fph_balloon_ring_start(b, 2, &r) == FPH_OK);
	MUST(fph_balloon_ring_enable(b, 2, true) == FPH_OK);
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

static void serve(struct fph_balloon *b, const struct way *w)
{
	static struct fph_run runs[NUM];
	uint32_t left = NUM / w->chain;
	int i, n;

	while (left) {
		n = fph_balloon_process(b, 2, w->batch);
		MUST(n > 0);
		left -= (uint32_t)n;
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

static void run_way(const struct way *w)
{
	struct fph_region region = { .len = REGION, .fd = -1,
		.host = (void *)(uintptr_t)(16 * REGION), .page_size = 4096,
		.backing = FPH_BACKING_ANON };
	struct fph_memory *memory = fph_memory_new(NULL, NULL);
	struct fph_balloon *b;
	struct ring ring;
	uint64_t seed = 1;
	uint32_t i;

	MUST(memory && fph_memory_add(memory, &region) == FPH_OK);
	ring_init(&ring, NUM, false, 1 << 16);
	b = make_device(&ring, memory);
	for (i = 0; i < meter_warm + meter_rounds; i++) {
		offer(&ring, w, &seed);
		if (i >= meter_warm)
			meter_begin();
		serve(b, w);
		if (i >= meter_warm)
			meter_end(NUM);
		MUST(ring_get_used_idx(&ring) == ring.avail_idx);
	}
	meter_row(w->name, "libfph");
	fph_balloon_free(b);
	ring_fini(&ring);
	fph_memory_free(memory);
}

void bench_device(void)
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		run_way(&ways[i]);
}
