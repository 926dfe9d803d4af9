/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's free ranges, as reporter and hinter use them.  Not installed.
 *
 *	runs.h		what they are made of
 *	tree.c		groups of neighbours
 *	order.c		what waits, by address
 *	pool_add.c	adding
 *	pool.c		lists and batches
 */
#ifndef FPH_CORE_POOL_H
#define FPH_CORE_POOL_H

#include "pool_add.h"

/* What an object with a pool is made by. */
struct fph_pool_config {
	size_t head;			/* bytes of the object */
	uint32_t content;		/* enum fph_content */
	uint32_t max_ranges;		/* 0: 1024 */
	uint32_t max_batches;
	uint32_t others;		/* batches without ranges on top */
	uint32_t max_segs;		/* 0: 32 */
	size_t size;			/* of the object with its arrays */
};

/*
 * Fills in what has a default, and size.  False: a number is out of its range.
 * O(1).
 */
bool fph_pool_configure(struct fph_pool_config *c);

/*
 * fph_pool_place - clear an object in mem, if that can hold it
 *
 * ret: FPH_OK, or why its parameters were refused, which is the answer then.
 * FPH_OK, FPH_EINVAL.  O(1).
 */
int fph_pool_place(void *mem, size_t size, int ret,
		   const struct fph_pool_config *c);

/* p: the pool of an object in mem that was cleared.  O(others). */
void fph_pool_start(struct fph_pool *p, void *mem,
		    const struct fph_pool_config *c);

/*
 * Bytes of an object whose arrays stand behind head bytes, if others batches
 * without ranges come on top; 0: more than there can be.
 */
size_t fph_pool_size(size_t head, uint32_t max_ranges, uint32_t max_batches,
		     uint32_t others);
/* mem: for the arrays, aligned to 8.  O(others). */
void fph_pool_init(struct fph_pool *p, void *mem, uint32_t max_ranges,
		   uint32_t max_batches, uint32_t others);

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

static inline void fph_pool_flush(struct fph_pool *p)
{
	p->urgent = p->seq;
}

static inline uint32_t fph_pool_oldest(const struct fph_pool *p)
{
	return p->slots[0].run.newer;
}

static inline bool fph_pool_is_urgent(const struct fph_pool *p)
{
	return p->nruns && p->slots[fph_pool_oldest(p)].run.seq < p->urgent;
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

static inline void fph_amount_add(struct fph_amount *a,
				  const struct fph_amount *b)
{
	a->bytes += b->bytes;
	a->ranges += b->ranges;
}

static inline struct fph_amount fph_pool_get_back(const struct fph_pool *p)
{
	struct fph_amount a = p->back[false].amount;

	fph_amount_add(&a, &p->back[true].amount);
	return a;
}

#endif /* FPH_CORE_POOL_H */
