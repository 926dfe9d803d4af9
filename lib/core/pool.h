/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's free ranges: what reporter and hinter share.  Not installed.
 *
 * A range that was added has a slot.  A run is a maximal set of ranges that
 * wait and touch, with its slots in a list, by address.  The runs that wait
 * stand in a balanced tree, by address, and in a list, by age: a run is as old
 * as its oldest range.  A batch is a buffer that is with the device; it has a
 * list of runs, that left the tree.
 *
 *	add -> waiting -> batch -> back -> take
 *
 * Index 0 of each array ends its lists.  Run 0 is also the parent of the root
 * and the ends of the list by age, batch 0 the ends of the list of batches.
 * What was never used is above a mark, so that init touches none of it.
 */
#ifndef FPH_CORE_POOL_H
#define FPH_CORE_POOL_H

#include <fph/guest.h>

#include "common.h"

/* A buffer's index is a part of its cookie. */
#define FPH_POOL_MAX_BATCHES	32768u

struct fph_slot {
	uint64_t gpa;
	uint64_t owner;
	uint32_t len;
	uint32_t next;
};

struct fph_free_run {
	uint64_t gpa;
	uint64_t due;			/* time, of its oldest range */
	uint64_t seq;			/* of its oldest range; 0: cancelled */
	uint32_t len;
	uint32_t ranges;
	uint32_t head, tail;		/* slots */
	uint32_t older, newer;		/* runs; newer alone in other lists */
	uint32_t child[2];		/* lower and higher addresses */
	uint32_t parent;
	int balance;		/* height of child[1] less child[0] */
};

/* A list of runs. */
struct fph_free_list {
	struct fph_amount amount;
	uint32_t head, tail;
};

struct fph_batch {
	struct fph_free_list runs;
	uint32_t cookie;		/* 0: not out */
	uint32_t serial;		/* of the latest use */
	uint32_t older, newer;		/* of those that are out */
	uint32_t tag;			/* the owner's */
	uint32_t id;			/* the owner's */
};

struct fph_pool {
	struct fph_free_run *runs;
	struct fph_slot *slots;
	struct fph_batch *batches;
	uint32_t max_ranges;
	uint32_t max_batches;		/* of those with ranges: 1 to this */
	uint32_t all_batches;		/* with those of the owner behind */
	uint32_t max_segs;
	uint32_t shift;			/* of the serial in a cookie */
	uint32_t slot_mark, run_mark, batch_mark;
	uint32_t free_slot, free_run, free_batch;
	uint32_t nruns;			/* that wait */
	uint32_t last;			/* run that was added to last, or 0 */
	uint32_t top;			/* run at the highest address, or 0 */
	uint32_t nbatches;		/* with ranges, that are out */
	uint32_t fullest;		/* oldest batch that has ranges, or 0 */
	bool merge;
	bool absorb;			/* nobody wants ranges back */
	uint64_t seq;			/* of the next range */
	uint64_t urgent;		/* ranges below it are */
	struct fph_amount waiting;
	struct fph_amount outstanding;
	struct fph_free_list back[2];	/* not used, used */
	struct fph_free_list junk;	/* slots and runs to use again */
};

/* --------------------------------------------------------------- tree.c -- */

/* Puts run i below parent, on this side.  O(log waiting). */
void fph_tree_insert(struct fph_free_run *runs, uint32_t i, uint32_t parent,
		     uint32_t side);
/* O(log waiting). */
void fph_tree_remove(struct fph_free_run *runs, uint32_t i);
/* The run behind i by address, or 0.  O(log waiting). */
uint32_t fph_tree_next(const struct fph_free_run *runs, uint32_t i);

static inline uint32_t fph_tree_root(const struct fph_free_run *runs)
{
	return runs[0].child[1];
}

/* --------------------------------------------------------------- pool.c -- */

/* Bytes of the arrays, if others batches without ranges come on top. */
uint64_t fph_pool_size(uint32_t max_ranges, uint32_t max_batches,
		       uint32_t others);
/* mem: of that size, aligned to 8.  O(others). */
void fph_pool_init(struct fph_pool *p, void *mem, uint32_t max_ranges,
		   uint32_t max_batches, uint32_t others);

/*
 * Adds a range that waits.  FPH_OK, FPH_EINVAL, FPH_EEXIST, FPH_EFULL.
 * O(log waiting).
 */
int fph_pool_add(struct fph_pool *p, const struct fph_owned_range *range,
		 uint64_t due);
/*
 * A run that is in no list waits, as the youngest one, and is not joined with
 * others.  With absorb it may overlap what waits: both were seen, and one of
 * them was cancelled.  FPH_OK, FPH_EEXIST.  O(log waiting).
 */
int fph_pool_wait(struct fph_pool *p, uint32_t i);
/* What waits goes to a list.  O(1). */
void fph_pool_withdraw(struct fph_pool *p, struct fph_free_list *to);
/* What waits in list goes to the list to, or nowhere if absorb.  O(1). */
void fph_pool_release(struct fph_pool *p, struct fph_free_list *list,
		      struct fph_free_list *to);

/* Takes up to n ranges out of a list.  O(n). */
uint32_t fph_pool_take(struct fph_pool *p, struct fph_free_list *list,
		       struct fph_returned *out, uint32_t n, bool used);
/* The same from both back lists, what was used first. */
uint32_t fph_pool_take_back(struct fph_pool *p, struct fph_returned *out,
			    uint32_t n);
/* The same from what waits, the oldest run first.  O(n log waiting). */
uint32_t fph_pool_take_waiting(struct fph_pool *p, struct fph_returned *out,
			       uint32_t n);
/* The same from the batches, the oldest first. */
uint32_t fph_pool_take_outstanding(struct fph_pool *p,
				   struct fph_returned *out, uint32_t n);

/* Opens a batch with ranges, 0 if all are out, or that of index i. */
uint32_t fph_pool_open(struct fph_pool *p);
void fph_pool_open_at(struct fph_pool *p, uint32_t i);
/* Its list has to be empty, or moved away. */
void fph_pool_close(struct fph_pool *p, uint32_t i);
/* The batch of a cookie, 0 if it is not out. */
uint32_t fph_pool_find(const struct fph_pool *p, uint64_t cookie);

/*
 * Fills a new batch with the oldest runs, up to nsegs of them, and writes
 * their segments.  The number of segments, 0 if nothing waits or all batches
 * are out.  O(segments log waiting).
 */
uint32_t fph_pool_cut(struct fph_pool *p, struct fph_seg *segs,
		      uint32_t nsegs, uint32_t *batch);
/* The ranges of a batch go to a list, and it is closed.  O(1). */
void fph_pool_finish(struct fph_pool *p, uint32_t i,
		     struct fph_free_list *to);
/* They wait again, urgent, and it is closed.  O(segments log waiting). */
void fph_pool_undo(struct fph_pool *p, uint32_t i);

static inline void fph_list_init(struct fph_free_list *list)
{
	fph_memset(list, 0, sizeof(*list));
}

static inline void fph_pool_flush(struct fph_pool *p)
{
	p->urgent = p->seq;
}

static inline uint32_t fph_pool_oldest(const struct fph_pool *p)
{
	return p->runs[0].newer;
}

static inline bool fph_pool_is_urgent(const struct fph_pool *p)
{
	return p->nruns && p->runs[fph_pool_oldest(p)].seq < p->urgent;
}

/* Whether a buffer is full without looking at it. */
static inline bool fph_pool_is_full(const struct fph_pool *p)
{
	return p->nruns >= p->max_segs || p->waiting.bytes >= FPH_MAX_BUFFER;
}

/* The segments of the next buffer, unless its bytes are too many. */
static inline uint32_t fph_pool_want(const struct fph_pool *p)
{
	return p->nruns < p->max_segs ? p->nruns : p->max_segs;
}

static inline struct fph_amount fph_pool_get_back(const struct fph_pool *p)
{
	struct fph_amount a = p->back[false].amount;

	a.bytes += p->back[true].amount.bytes;
	a.ranges += p->back[true].amount.ranges;
	return a;
}

#endif /* FPH_CORE_POOL_H */
