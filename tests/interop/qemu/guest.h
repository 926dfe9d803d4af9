/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A guest: a page allocator, a workload whose data is known, and our reporter
 * and hinter between the allocator and QEMU's balloon.
 *
 * Each step does a bounded piece of work and returns, so that a test decides
 * what happens between two of them.
 */
#ifndef FPH_QEMU_GUEST_H
#define FPH_QEMU_GUEST_H

#include <fph/guest.h>

#include "../../guest/pages.h"
#include "balloon.h"

#define GUEST_SLOTS	256u		/* ranges with reporter or hinter */
#define GUEST_BATCHES	32u		/* buffers of either in its queue */
#define GUEST_BLOCKS	16384u		/* allocations of the workload */

struct guest_block {
	uint32_t page;
	uint32_t order;
};

struct guest_params {
	uint64_t features;		/* as balloon_start */
	int mode;			/* enum fph_hinter_mode */
	uint64_t seed;			/* of the data and of the workload */
	uint32_t used_percent;		/* of its pages, at the start */
	uint32_t max_order;		/* of blocks of the workload */
};

struct guest {
	struct vm *vm;
	struct balloon balloon;
	struct pages pages;
	uint64_t seed;
	uint64_t random;
	uint32_t max_order;

	/* The workload. */
	uint32_t *version;		/* of each page's data; 0: none */
	uint32_t writes;		/* the latest version */
	struct guest_block *blocks;
	uint32_t nblocks;
	uint32_t reused;		/* pages used again after a hint */
	bool *hinted;			/* in this migration, for the count */

	/* Reporting. */
	struct fph_reporter *reporter;
	void *reporter_memory;

	/* Hinting. */
	int mode;
	struct fph_hinter *hinter;
	void *hinter_memory;
	uint32_t walked;		/* id of the walk through free pages */
	bool walking;			/* it is not at its end */
	uint32_t kept_page;		/* a block that add had no room for */
	uint32_t kept_order;
	uint32_t ids;			/* different ids begun */
};

/* Fills all of memory with random bytes, and brings the balloon up. */
void guest_start(struct guest *g, struct vm *vm, const struct guest_params *p);
void guest_stop(struct guest *g);

/* It was migrated and goes on there. */
void guest_move(struct guest *g, struct vm *vm);

/* Reports free blocks of 2^min_order pages or more until all are. */
void guest_report(struct guest *g, uint32_t min_order);

/*
 * guest_hint - one step of hinting
 *
 * Reads the command id, looks at up to budget free blocks, puts what is due
 * into the queue and takes back what was used.  In hinter mode NEVER it takes
 * no page.
 *
 * Whether a round is on, or buffers are still with the device.
 */
bool guest_hint(struct guest *g, uint32_t budget);

/*
 * guest_settle - hint until no round is on and every buffer is back
 *
 * Call when the migration has ended, in whatever way.  Notifies the device
 * again and again: QEMU asks for notifications after its last look at the
 * ring, so that a buffer which came between the two lies there until the
 * next one; so does one that was in the ring when the guest moved on.
 */
void guest_settle(struct guest *g);

/*
 * guest_churn - n allocations or releases at random
 *
 * What it allocates is written whole, by writes that the dirty log sees.
 */
void guest_churn(struct guest *g, uint32_t n);

/*
 * guest_check - every page that the workload uses holds its data
 *
 * ram: of the QEMU to look at.  Fatal when it does not.  Returns the number
 * of pages.
 */
uint32_t guest_check(const struct guest *g, const uint8_t *ram);

/* The same, but counts those that do not. */
uint32_t guest_count_lost(const struct guest *g, const uint8_t *ram);

/* Pages of a migration that were hinted at least once. */
uint32_t guest_get_hinted(const struct guest *g);

#endif /* FPH_QEMU_GUEST_H */
