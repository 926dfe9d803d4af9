/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What one story holds: a device, the memory and the rings of its driver, and
 * a migration.
 */
#ifndef FPH_VECTORS_STORY_H
#define FPH_VECTORS_STORY_H

#include <fph-vmm/balloon.h>

#include "migration.h"
#include "operations.h"

#define RING_NUM	1024u
#define REGIONS_MAX	16u
#define RUNS_MAX	4096u

/* Where the runner puts the bytes of "R:hex". */
#define SCRATCH_GPA	0x7f0000000000u
#define SCRATCH_SIZE	(1u << 20)

/* One queue, as its driver sees it. */
struct driver_ring {
	_Alignas(16) uint8_t desc[FPH_VRING_DESC_SIZE(RING_NUM)];
	_Alignas(4) uint8_t avail[FPH_VRING_DRIVER_SIZE(0, RING_NUM)];
	_Alignas(4) uint8_t used[FPH_VRING_DEVICE_SIZE(0, RING_NUM)];
	uint16_t next_desc;
	uint16_t avail_idx;
	uint16_t used_idx;
	uint32_t buffer[RING_NUM];	/* by head: its number */
	/* What is in flight, for a device that takes over. */
	_Alignas(8) uint8_t record[FPH_INFLIGHT_SIZE(RING_NUM)];
	bool recorded;
	bool up;
};

struct runs {
	uint32_t n;
	struct fph_range range[RUNS_MAX];
};

struct story {
	struct fph_balloon *balloon;
	struct fph_balloon_params params;
	struct fph_memory *memory;
	uint32_t nregions;
	struct fph_region regions[REGIONS_MAX];
	struct driver_ring ring[FPH_NQUEUES];
	uint64_t scratch;		/* bytes in use */
	uint32_t offers;
	uint32_t last_id;		/* that was published */
	uint32_t ndiscards;		/* given out, not completed */
	struct fph_run discard[RUNS_MAX];
	uint32_t nskips;
	struct fph_run skip[RUNS_MAX];
	struct migration migration;
};

/* The ring with this index, as a device is told of it. */
struct fph_balloon_ring story_ring(struct story *s, uint32_t index);
/* "index"; FPH_NQUEUES when it is none. */
uint32_t story_index(const struct fields *in);

#endif /* FPH_VECTORS_STORY_H */
