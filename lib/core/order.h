/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The runs that wait, by address.  Not installed. */
#ifndef FPH_CORE_ORDER_H
#define FPH_CORE_ORDER_H

#include "runs.h"

#define FPH_GROUP_MOST	40u		/* runs of a group */

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
}

/* Run i, which waits, begins elsewhere now, between the same neighbours. */
static inline void fph_order_moved(struct fph_pool *p, uint32_t i)
{
	struct fph_group *group = &p->groups[p->slots[i].run.group];

	if (group->start[0] == i)
		group->gpa = p->slots[i].run.gpa;
}

#endif /* FPH_CORE_ORDER_H */
