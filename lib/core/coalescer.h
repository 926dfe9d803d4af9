/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The coalescer: ranges with owners go in, in any order; maximal disjoint runs
 * come out in ascending order, and the ranges of a run can be asked for.  Runs
 * are aligned inwards to a granule after the merge, so that neighbours complete
 * each other's huge page.  Not installed.
 */
#ifndef FPH_CORE_COALESCER_H
#define FPH_CORE_COALESCER_H

#include <fph/types.h>

/*
 *        add           next             complete
 *   free ---> open ---------> handed out --------> free
 *
 * next closes the open set when the closed one is used up: what is added
 * while a closed set is being handed out waits for the following one.  Runs
 * ascend and are disjoint within one such set.
 */
struct fph_coalescer;

struct fph_coalescer_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t max_ranges;		/* held at a time; 0: 1024 */
	uint64_t granule;		/* of runs: a power of two; 0: 4096,
					   1 trims nothing */
};

struct fph_coalescer_counters {
	uint64_t added;			/* ranges added */
	uint64_t added_bytes;
	uint64_t runs;			/* runs handed out */
	uint64_t run_bytes;		/* bytes in them */
	uint64_t trimmed_bytes;		/* cut off to reach the granule */
	uint64_t overlap_bytes;		/* added more than once in one run */
};

/*
 * fph_coalescer_size - bytes of memory that it takes
 *
 * 0 for parameters that init refuses.  O(1).
 */
size_t fph_coalescer_size(const struct fph_coalescer_params *params);

/*
 * fph_coalescer_init - make a coalescer in mem
 *
 * FPH_OK (*c is set), FPH_EINVAL (a NULL, alignment, size, a parameter).
 * O(1).
 */
int fph_coalescer_init(struct fph_coalescer **c, void *mem,
			       size_t size,
			       const struct fph_coalescer_params *params);

/*
 * fph_coalescer_reset - forget every range; counters stay
 *
 * Runs that are out are void.  FPH_OK, FPH_EUNINIT.  O(1).
 */
int fph_coalescer_reset(struct fph_coalescer *c);

/*
 * fph_coalescer_add - add ranges
 *
 * ranges, n: not empty, gpa + len - 1 does not wrap; they may overlap and
 * repeat.  Sorts nothing.
 *
 * The number added; FPH_EINVAL (the first one, or n is 0), FPH_EFULL,
 * FPH_EUNINIT.  O(n).
 */
int fph_coalescer_add(struct fph_coalescer *c,
			      const struct fph_owned_range *ranges,
			      uint32_t n);

/*
 * fph_coalescer_next - take runs
 *
 * A run in which nothing is left after the trim has len 0 and outcome
 * FPH_OUTCOME_TRIMMED.  2^64 bytes are more than len can say: a run of all
 * addresses is one granule shorter at its end.
 *
 * The number of runs, 0 (nothing waits), FPH_EINVAL (n is 0), FPH_EUNINIT.
 * O(ranges in them); the first call after add also sorts: O(m log m) for m
 * added ranges, O(m) if they ascend or descend.
 */
int fph_coalescer_next(struct fph_coalescer *c, struct fph_run *runs,
			       uint32_t n);

/*
 * fph_coalescer_get_ranges - the ranges of a run that is out, as added
 *
 * first: how many to leave out at the front.
 *
 * The number copied, 0 (there are no more), FPH_EINVAL (no such run is out, or
 * n is 0), FPH_EUNINIT.  O(n).
 */
int fph_coalescer_get_ranges(const struct fph_coalescer *c,
				     const struct fph_run *run,
				     uint32_t first,
				     struct fph_owned_range *ranges,
				     uint32_t n);

/*
 * fph_coalescer_complete - runs are over: forget their ranges
 *
 * Only token is looked at.
 *
 * The number completed, FPH_EINVAL (the first one is not out, or not any more;
 * or n is 0), FPH_EUNINIT.  O(ranges in them).
 */
int fph_coalescer_complete(struct fph_coalescer *c,
				   const struct fph_run *runs, uint32_t n);

/* Ranges that add would take now; 0 if not initialised.  O(1). */
uint32_t fph_coalescer_get_room(const struct fph_coalescer *c);

/*
 * Copy the counters; size: sizeof the caller's struct.  FPH_OK, FPH_EINVAL,
 * FPH_EUNINIT.  O(1).
 */
int fph_coalescer_get_counters(const struct fph_coalescer *c,
				       struct fph_coalescer_counters *out,
				       size_t size);


#endif /* FPH_CORE_COALESCER_H */
