/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's side, a range: added, submitted, completed, taken back. Blocks
 * of 2 MiB with a gap behind each, so that nothing merges; or neighbours of 4
 * KiB, which all do.
 */
#include <fph/guest.h>
#include <fph/wire.h>

#include "meter.h"

#define RANGES	4096u
#define BATCH	32u
#define WINDOW	32u
#define SEGS	32u

static struct fph_owned_range ranges[RANGES];
static struct fph_buffer buffers[WINDOW];
static struct fph_seg segs[WINDOW * SEGS];
static struct fph_used used[WINDOW];
static struct fph_returned returned[WINDOW * SEGS];

enum order { SORTED, RANDOM, NEIGHBOURS };

static void make_ranges(enum order order, uint64_t *seed)
{
	uint32_t shift = order == NEIGHBOURS ? 12 : 21;
	uint64_t blocks[RANGES];
	uint32_t i;

	for (i = 0; i < RANGES; i++)
		blocks[i] = order == NEIGHBOURS ? i : 2 * i;
	if (order == RANDOM)
		bench_shuffle(blocks, RANGES, seed);
	for (i = 0; i < RANGES; i++) {
		ranges[i].gpa = blocks[i] << shift;
		ranges[i].len = 1u << shift;
		ranges[i].owner = i;
	}
}

static void report(struct fph_reporter *r)
{
	uint32_t i, left = RANGES;
	int n, k;

	for (i = 0; i < RANGES; i += BATCH)
		MUST(fph_reporter_add(r, 0, &ranges[i], BATCH) == (int)BATCH);
	MUST(fph_reporter_flush(r) == FPH_OK);
	while (left) {
		n = fph_reporter_submit(r, 0, buffers, WINDOW, segs,
					WINDOW * SEGS);
		MUST(n > 0);
		for (k = 0; k < n; k++)
			used[k].cookie = buffers[k].cookie;
		MUST(fph_reporter_complete(r, 0, used, (uint32_t)n, true) ==
		     n);
		while ((n = fph_reporter_take_back(r, returned,
						   WINDOW * SEGS)) > 0)
			left -= (uint32_t)n;
	}
}

static void run_reporter(const char *name, enum order order)
{
	struct fph_reporter_params p = { .size = sizeof(p) };
	struct fph_reporter *r;
	uint64_t seed = 1;
	uint32_t i;

	p.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	p.content = FPH_CONTENT_FREE;
	p.max_ranges = RANGES;
	p.window = WINDOW;
	p.max_segs = SEGS;
	MUST(fph_reporter_init(&r, bench_memory(fph_reporter_size(&p)),
			       fph_reporter_size(&p), &p) == FPH_OK);
	for (i = 0; i < meter_warm + meter_rounds; i++) {
		make_ranges(order, &seed);
		if (i >= meter_warm)
			meter_begin();
		report(r);
		if (i >= meter_warm)
			meter_end(RANGES);
	}
	meter_row(name, "libfph");
}

/* A round from the id to the STOP that was used. */
static void hint(struct fph_hinter *h, uint32_t id)
{
	uint32_t i;
	int n, k;

	MUST(fph_hinter_set_config(h, id) == FPH_OK);
	for (i = 0; i < RANGES; i += BATCH)
		MUST(fph_hinter_add(h, id, &ranges[i], BATCH) == (int)BATCH);
	MUST(fph_hinter_finish_input(h) == FPH_OK);
	while ((n = fph_hinter_submit(h, 1024, buffers, WINDOW, segs,
				      WINDOW * SEGS)) > 0) {
		for (k = 0; k < n; k++)
			used[k].cookie = buffers[k].cookie;
		MUST(fph_hinter_complete(h, used, (uint32_t)n) == n);
		while (fph_hinter_take_back(h, returned, WINDOW * SEGS) > 0)
			;
	}
}

static void run_hinter(const char *name, uint32_t mode, enum order order)
{
	struct fph_hinter_params p = { .size = sizeof(p) };
	struct fph_hinter *h;
	uint64_t seed = 1;
	uint32_t i;

	p.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	p.content = FPH_CONTENT_FREE;
	p.mode = mode;
	p.flags = FPH_HINTER_METADATA_OUTSIDE | FPH_HINTER_INDIRECT;
	p.max_ranges = RANGES;
	p.max_segs = SEGS;
	MUST(fph_hinter_init(&h, bench_memory(fph_hinter_size(&p)),
			     fph_hinter_size(&p), &p) == FPH_OK);
	for (i = 0; i < meter_warm + meter_rounds; i++) {
		make_ranges(order, &seed);
		if (i >= meter_warm)
			meter_begin();
		hint(h, 2 + i);
		if (i >= meter_warm)
			meter_end(RANGES);
	}
	meter_row(name, "libfph");
}

void bench_guest(void)
{
	run_reporter("reporter, sorted", SORTED);
	run_reporter("reporter, random", RANDOM);
	run_reporter("reporter, neighbours", NEIGHBOURS);
	run_hinter("hinter until used, sorted", FPH_HINTER_UNTIL_USED, SORTED);
	run_hinter("hinter until used, random", FPH_HINTER_UNTIL_USED, RANDOM);
	run_hinter("hinter never, sorted", FPH_HINTER_NEVER, SORTED);
	run_hinter("hinter never, random", FPH_HINTER_NEVER, RANDOM);
}
