/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the reclaim engine asks of the map beside its public calls. */
#ifndef FPH_VMM_MEMORY_INTERNAL_H
#define FPH_VMM_MEMORY_INTERNAL_H

#include <fph-vmm/memory.h>

/*
 * fph_memory_gap - how much at the front of a range is not guest memory
 *
 * All of it when it wraps, or when m is not initialised; 0 when gpa is guest
 * memory.  O(log regions).
 */
uint64_t fph_memory_gap(const struct fph_memory *m, uint64_t gpa,
			uint64_t len);

#endif /* FPH_VMM_MEMORY_INTERNAL_H */
