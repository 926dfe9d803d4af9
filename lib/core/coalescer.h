/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The coalescer: ranges with owners go in, in any order; maximal disjoint runs
 * come out in ascending order, and the ranges of a run can be looked at until
 * it is completed.  Runs are aligned inwards to a granule after the merge, so
 * that neighbours complete each other's huge page.  Not installed.
 *
 *        add           next             complete
 *   free ---> open ---------> handed out --------> free
 *
 * next closes the open set when the closed one is used up: what is added
 * while a closed set is being handed out waits for the following one.  Runs
 * ascend and are disjoint within one such set.
 *
 * Ranges stand in one array with room for twice as many as may be held:
 *
 *	0 ...		ranges of runs that are out, and holes where runs were
 *	closed ...	sorted: the next runs
 *	open ...	as added
 *	end ...		never used, or free
 *
 * A run is one stretch of the array, so that a batch is walked from front to
 * back.  When the array ends, what is held moves together at its front.  That
 * happens at most once in max_ranges ranges and costs less than sorting them.
 * When nothing is held any more everything begins at 0 again.
 */
#ifndef FPH_CORE_COALESCER_H
#define FPH_CORE_COALESCER_H

#include "coalescer_sort.h"

/* Tokens: the index of a run in the low bits, a serial number above. */
#define FPH_TOKEN_BITS		28u
#define FPH_TOKEN_INDEX(token) \
	((uint32_t)(token) & ((1u << FPH_TOKEN_BITS) - 1))

#define FPH_COALESCER_MAX	(1u << FPH_TOKEN_BITS)

/* A run that is out. */
struct fph_out_run {
	uint64_t token;			/* its index is another: free again */
	uint64_t gpa;
	uint64_t len;			/* after the trim */
	uint32_t first;			/* of its ranges; if free: the next
					   one that is free */
	uint32_t nranges;
};

struct fph_coalescer_counters {
	uint64_t added;			/* ranges added */
	uint64_t added_bytes;
	uint64_t runs;			/* runs handed out */
	uint64_t run_bytes;		/* bytes in them */
	uint64_t trimmed_bytes;		/* cut off to reach the granule */
	uint64_t overlap_bytes;		/* added more than once in one run */
};

struct fph_coalescer {
	struct fph_owned_range *ranges;	/* 2 * max_ranges */
	struct fph_out_run *runs;	/* max_ranges */
	struct fph_sort_scratch scratch;
	uint64_t granule;
	uint64_t serial;
	uint32_t max_ranges;
	uint32_t queue;			/* for fph_run.queue */
	uint32_t closed;
	uint32_t open;
	uint32_t end;
	uint32_t out;			/* ranges in runs that are out */
	uint32_t nruns;			/* runs[] that were ever used */
	uint32_t free_run;		/* first of runs[] that is free again */
	struct fph_coalescer_counters counters;
};

/* Bytes of memory for so many ranges; 0: too many.  O(1). */
size_t fph_coalescer_size(uint32_t max_ranges);

/*
 * fph_coalescer_init - make a coalescer with its arrays in mem
 *
 * mem, size: at least fph_coalescer_size, aligned to 8 bytes.  max_ranges: held
 * at a time.  granule: of runs, a power of two; 1 trims nothing.
 *
 * FPH_OK, FPH_EINVAL.  O(1).
 */
int fph_coalescer_init(struct fph_coalescer *c, void *mem, size_t size,
		       uint32_t max_ranges, uint64_t granule);

/* Forget every range; runs that are out are void.  Counters stay.  O(1). */
void fph_coalescer_reset(struct fph_coalescer *c);

/* Ranges that are held: they wait, or their run is out.  O(1). */
static inline uint32_t fph_coalescer_get_held(const struct fph_coalescer *c)
{
	return c->out + (c->end - c->closed);
}

/* Ranges that can be added now.  O(1). */
static inline uint32_t fph_coalescer_get_room(const struct fph_coalescer *c)
{
	return c->max_ranges - fph_coalescer_get_held(c);
}

/* Close the holes between what is held.  O(held). */
void fph_coalescer_compact(struct fph_coalescer *c);

/*
 * fph_coalescer_reserve - room for n ranges at the end of the open set
 *
 * There must be room.  The caller writes up to n ranges there, each of them
 * not empty and not wrapping, and then adds them with commit.
 *
 * O(1); once in max_ranges ranges O(held).
 */
static inline struct fph_owned_range *
fph_coalescer_reserve(struct fph_coalescer *c, uint32_t n)
{
	if (n > 2 * c->max_ranges - c->end)
		fph_coalescer_compact(c);
	return c->ranges + c->end;
}

static inline void fph_coalescer_commit(struct fph_coalescer *c, uint32_t n,
					uint64_t bytes)
{
	c->end += n;
	c->counters.added += n;
	c->counters.added_bytes += bytes;
}

/*
 * fph_coalescer_add - add ranges
 *
 * ranges, n: not empty, gpa + len - 1 does not wrap; they may overlap and
 * repeat.  Sorts nothing.
 *
 * The number added; FPH_EINVAL (the first one, or n is 0), FPH_EFULL.  O(n).
 */
int fph_coalescer_add(struct fph_coalescer *c,
		      const struct fph_owned_range *ranges, uint32_t n);

/*
 * fph_coalescer_next - take runs
 *
 * A run in which nothing is left after the trim has len 0; *nempty: how many
 * of them do.  2^64 bytes are more than len can say: a run of all addresses is
 * one granule shorter at its end.
 *
 * The number of runs; 0: nothing waits, or n is 0.  O(ranges in them); the
 * first call after add also sorts, in O(m) for m added ranges.
 */
uint32_t fph_coalescer_next(struct fph_coalescer *c, struct fph_run *runs,
			    uint32_t n, uint32_t *nempty);

/* The run of a token; NULL if it is not out, or not any more.  O(1). */
static inline struct fph_out_run *
fph_coalescer_find(const struct fph_coalescer *c, uint64_t token)
{
	uint32_t i = FPH_TOKEN_INDEX(token);

	if (i >= c->nruns || c->runs[i].token != token)
		return NULL;
	return &c->runs[i];
}

/* Its ranges, by ascending address; good until the next call.  O(1). */
static inline const struct fph_owned_range *
fph_coalescer_get_ranges(const struct fph_coalescer *c,
			 const struct fph_out_run *run)
{
	return c->ranges + run->first;
}

/* Nothing is held: everything begins again. */
static inline void fph_coalescer_restart(struct fph_coalescer *c)
{
	c->closed = 0;
	c->open = 0;
	c->end = 0;
	c->nruns = 0;
	c->free_run = FPH_COALESCER_MAX;
}

/*
 * fph_coalescer_complete - a run is over: forget its ranges
 *
 * fph_coalescer_tidy must be called after the last one of a batch.  O(1).
 */
static inline void fph_coalescer_complete(struct fph_coalescer *c,
					  struct fph_out_run *run)
{
	uint32_t i = FPH_TOKEN_INDEX(run->token);

	/* Not the index of this place any more: no token finds it. */
	run->token = ~run->token;
	run->first = c->free_run;
	c->free_run = i;
	c->out -= run->nranges;
}

static inline void fph_coalescer_tidy(struct fph_coalescer *c)
{
	if (!fph_coalescer_get_held(c))
		fph_coalescer_restart(c);
}

/* The ranges that wait, *n of them; good until the next call.  O(1). */
static inline const struct fph_owned_range *
fph_coalescer_get_waiting(const struct fph_coalescer *c, uint32_t *n)
{
	*n = c->end - c->closed;
	return c->ranges + c->closed;
}

/* Forget the ranges that wait.  O(1). */
static inline void fph_coalescer_drop(struct fph_coalescer *c)
{
	c->open = c->closed;
	c->end = c->closed;
	fph_coalescer_tidy(c);
}

#endif /* FPH_CORE_COALESCER_H */
