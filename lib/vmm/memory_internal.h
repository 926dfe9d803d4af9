/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The map of guest memory, for the files that it is made of and for the
 * reclaim engine.  Not installed.
 *
 *	memory.c		the map, its table, look-ups of one address
 *	memory_batch.c		look-ups of many segments
 *	memory_backing.c	what backs a mapping, as the system says
 */
#ifndef FPH_VMM_MEMORY_INTERNAL_H
#define FPH_VMM_MEMORY_INTERNAL_H

#include <fph-vmm/memory.h>

#include "core/common.h"

#define FPH_MEMORY_CELLS	4096u

/* What a look-up needs of a region. */
enum {
	FPH_PLACE_GPA,
	FPH_PLACE_END,			/* 0 if it ends beyond the table */
	FPH_PLACE_HOST,			/* of address 0, modulo 2^64 */
	FPH_PLACE_WORDS
};

struct fph_memory {
	struct fph_region *regions;	/* by address */
	uint64_t *places;		/* FPH_PLACE_WORDS for each */
	uint32_t nregions;
	uint32_t capacity;
	uint32_t ncells;
	uint32_t shift;			/* of an address, to its cell */
	/* Each the index of a place, multiplied: it saves an instruction. */
	uint16_t cells[FPH_MEMORY_CELLS];
};

/*
 * fph_memory_gap - how much at the front of a range is not guest memory
 *
 * All of it when it wraps, or when m is NULL; 0 when gpa is guest memory.
 * O(log regions).
 */
uint64_t fph_memory_gap(const struct fph_memory *m, uint64_t gpa,
			uint64_t len);

#endif /* FPH_VMM_MEMORY_INTERNAL_H */
