/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's free ranges: what reporter and hinter share.  Not installed.
 *
 * A range that was added has a slot.  A run is a maximal set of ranges that
 * wait and touch, with its slots in a ring, by address.  It stands in one of
 * its slots and has its number: most runs are one range, and need one place in
 * memory, one number and one free list.  The runs that wait stand in two lists,
 * by address and by age: a run is as old as its oldest range.  To find an
 * address, neighbours in the first of them form groups, and the groups a
 * balanced tree.  A batch is a buffer that is with the device; it has a list of
 * runs, which no longer wait.
 *
 *	add -> waiting -> batch -> back -> take
 *
 * Index 0 of each array ends its lists, at both ends.  Run 0 is also the lowest
 * one, at 0 and empty, and group 0 the parent of the root.  What was never used
 * is above a mark, so that init touches none of it.
 */
#ifndef FPH_CORE_POOL_H
#define FPH_CORE_POOL_H

#include <fph/guest.h>

#include "common.h"

/* A buffer's index is a part of its cookie. */
#define FPH_POOL_MAX_BATCHES	32768u

struct fph_free_run {
	uint64_t gpa;
	uint64_t due;			/* time, of its oldest range */
	uint64_t seq;			/* of its oldest range; 0: cancelled */
	uint32_t len;
	uint32_t ranges;
	uint32_t tail;			/* slot; the head is next to it */
	uint32_t older, newer;		/* runs; newer alone in other lists */
	uint32_t lower, higher;		/* runs that wait */
	uint32_t group;			/* 0: it does not wait */
};

/* A range that was added. */
struct fph_held {
	uint64_t gpa;
	uint64_t owner;
	uint32_t len;
	uint32_t next;			/* slot of the run, or free */
};

struct fph_slot {
	struct fph_free_run run;
	struct fph_held held;
};

struct fph_group {
	uint64_t gpa;			/* of the first */
	uint32_t first, last;		/* runs */
	uint32_t mid;			/* run about in the middle, if it is
					   still one of the group */
	uint32_t child[2];		/* lower and higher addresses */
	uint32_t parent;
	short balance;			/* height of child[1] less child[0] */
	uint16_t count;			/* runs; never 0 */
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
	struct fph_slot *slots;
	struct fph_group *groups;
	struct fph_batch *batches;
	uint32_t max_ranges;
	uint32_t max_batches;		/* of those with ranges: 1 to this */
	uint32_t all_batches;		/* with those of the owner behind */
	uint32_t max_segs;
	uint32_t shift;			/* of the serial in a cookie */
	uint32_t slot_mark, group_mark, batch_mark;
	uint32_t free_slot, free_group, free_batch;
	uint32_t nruns;			/* that wait */
	uint32_t last;			/* run of the last range, if it waits */
	uint32_t nbatches;		/* with ranges, that are out */
	uint32_t fullest;		/* oldest batch that has ranges, or 0 */
	bool merge;
	bool absorb;			/* nobody wants ranges back */
	uint64_t seq;			/* of the next range */
	uint64_t urgent;		/* ranges below it are */
	struct fph_amount waiting;
	struct fph_amount outstanding;
	struct fph_free_list back[2];	/* not used, used */
	struct fph_free_list junk;	/* runs and slots to use again */
};

/* --------------------------------------------------------------- tree.c -- */

/* Puts group i behind group prev.  O(log groups). */
void fph_tree_insert(struct fph_group *groups, uint32_t i, uint32_t prev);
/* O(log groups). */
void fph_tree_remove(struct fph_group *groups, uint32_t i);

static inline uint32_t fph_tree_root(const struct fph_group *groups)
{
	return groups[0].child[1];
}

/* -------------------------------------------------------------- order.c -- */

#define FPH_GROUP_MOST	24u		/* runs of a group */

/* Groups for that many runs. */
uint32_t fph_order_groups(uint32_t max_runs);
/* No run waits.  O(1). */
void fph_order_clear(struct fph_pool *p);
/* The highest run that begins at gpa or below, or 0.  O(log waiting). */
uint32_t fph_order_find(const struct fph_pool *p, uint64_t gpa);
/* Run i waits no longer.  O(log waiting). */
void fph_order_remove(struct fph_pool *p, uint32_t i);
/*
 * The oldest runs, one that waits and up to nsegs, become a list and their
 * segments are written.  How many.  O(segments log waiting).
 */
uint32_t fph_order_cut(struct fph_pool *p, struct fph_seg *segs,
		       uint32_t nsegs, struct fph_free_list *list);
/* What is left of link, if the group is full. */
void fph_order_place(struct fph_pool *p, uint32_t i);

/* Between which runs something would stand. */
struct fph_gap {
	uint32_t below, above;
	struct fph_free_run *low, *high;
};

static inline struct fph_gap fph_gap_behind(struct fph_pool *p,
					    uint32_t below)
{
	struct fph_gap gap;

	gap.below = below;
	gap.low = &p->slots[below].run;
	gap.above = gap.low->higher;
	gap.high = &p->slots[gap.above].run;
	return gap;
}

/* Run i waits, in that gap.  Inline: 30 instructions less than a call. */
static inline void fph_order_link(struct fph_pool *p, uint32_t i,
				  const struct fph_gap *gap)
{
	struct fph_free_run *run = &p->slots[i].run;
	uint32_t g = gap->low->group;
	struct fph_group *group = &p->groups[g];

	run->lower = gap->below;
	run->higher = gap->above;
	run->group = g;
	gap->high->lower = i;
	gap->low->higher = i;
	p->nruns++;
	if (group->count == FPH_GROUP_MOST) {
		fph_order_place(p, i);
		return;
	}
	group->count++;
	if (group->last == gap->below)
		group->last = i;
}

/* Run i, which waits, begins elsewhere now, between the same neighbours. */
static inline void fph_order_moved(struct fph_pool *p, uint32_t i)
{
	struct fph_group *group = &p->groups[p->slots[i].run.group];

	if (group->first == i)
		group->gpa = p->slots[i].run.gpa;
}

/* ----------------------------------------------------------- pool_add.c -- */

/*
 * Adds ranges that wait.  How many; of the first FPH_EINVAL, FPH_EEXIST,
 * FPH_EFULL; FPH_EINVAL if n is 0.  O(n log waiting).
 */
int fph_pool_add(struct fph_pool *p, const struct fph_owned_range *ranges,
		 uint32_t n, uint64_t due);
/*
 * Run i waits again, urgent, behind the run older.  Who it is, together with
 * neighbours.  O(log waiting).
 */
uint32_t fph_pool_put_back(struct fph_pool *p, uint32_t i, uint32_t older);

/* --------------------------------------------------------------- pool.c -- */

/* Bytes of the arrays, if others batches without ranges come on top. */
uint64_t fph_pool_size(uint32_t max_ranges, uint32_t max_batches,
		       uint32_t others);
/* mem: of that size, aligned to 8.  O(others). */
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

static inline void fph_list_init(struct fph_free_list *list)
{
	fph_memset(list, 0, sizeof(*list));
}

/* Run i is by age behind the run older. */
static inline void fph_age_insert(struct fph_pool *p, uint32_t i,
				  uint32_t older)
{
	uint32_t newer = p->slots[older].run.newer;

	p->slots[i].run.older = older;
	p->slots[i].run.newer = newer;
	p->slots[older].run.newer = i;
	p->slots[newer].run.older = i;
}

static inline void fph_age_remove(struct fph_pool *p, uint32_t i)
{
	const struct fph_free_run *run = &p->slots[i].run;

	p->slots[run->older].run.newer = run->newer;
	p->slots[run->newer].run.older = run->older;
}

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
