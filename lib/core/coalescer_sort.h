/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Sorting for the coalescer: keys of 64 bits with a range's index in their low
 * bits, so that only 8 bytes a range move.  Not installed.
 */
#ifndef FPH_CORE_COALESCER_SORT_H
#define FPH_CORE_COALESCER_SORT_H

#include <fph/types.h>

/* Memory to sort in. */
struct fph_sort_scratch {
	uint64_t *keys;			/* 2 * n, for n keys */
	uint32_t *counts;		/* FPH_SORT_COUNTS(n) */
};

/* How many counts n keys need: few of them are sorted without. */
#define FPH_SORT_NETWORK	64u
#define FPH_SORT_COUNTS(n) \
	((n) <= FPH_SORT_NETWORK ? 0u : (n) < 1024 ? 256u : 2048u)

/*
 * fph_sort_keys - sort keys by their bits from low up to below high
 *
 * The bits above must be the same in all of them; those below must ascend
 * already.  The keys begin in scratch->keys.  Where they are afterwards: there
 * or n keys further.  O(n).
 */
uint64_t *fph_sort_keys(const struct fph_sort_scratch *scratch, uint32_t n,
			uint32_t low, uint32_t high);

/*
 * fph_sort_ranges - the order of ranges by address
 *
 * n: at least 2.  *mask: for the low bits of the keys, which are the indices
 * in that order.  O(n), or O(n log n) where index and address do not fit into
 * 64 bits.
 */
const uint64_t *fph_sort_ranges(const struct fph_sort_scratch *scratch,
				const struct fph_owned_range *ranges,
				uint32_t n, uint32_t *mask);

#endif /* FPH_CORE_COALESCER_SORT_H */
