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
#ifndef FPH_CORE_RUNS_H
#define FPH_CORE_RUNS_H

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
	uint32_t start[4];		/* runs: the first, and those about a
					   quarter on each, if they are still
					   of the group */
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

#endif /* FPH_CORE_RUNS_H */
