/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The runs that wait, by address: a list in groups, and a tree of the groups.
 *
 * To find an address is a short way down the tree and some steps along a list.
 * All else is done to the list, and the tree is touched only when a group is
 * made or goes: once for 40 runs in order, or for about 20 in any other.  A tree
 * of all runs costs more than 230 instructions a run more.
 *
 * A group also knows three runs at about its quarters, to begin at: at random 44
 * instructions less than with none and groups of 24, the best size then.
 *
 * A group that comes below JOIN runs is made one with a neighbour, if together
 * they have fewer than 2 * JOIN - 1.  So no two neighbours are both that small,
 * two have more than JOIN runs together, and there are few groups.  Group LOWEST
 * begins with run 0 and is always there.
 */
#include "order.h"
#include "tree.h"

#define LOWEST	1u
#define JOIN	4u

/* ---------------------------------------------------------------- groups -- */

uint32_t fph_order_groups(uint32_t max_runs)
{
	/* 2 for JOIN + 1 runs, run 0 too, and one more. */
	return max_runs / (JOIN + 1) * 2 + 3;
}

void fph_order_clear(struct fph_pool *p)
{
	struct fph_free_run *ends = &p->slots[0].run;

	fph_memset(p->groups, 0, 2 * sizeof(*p->groups));
	p->groups[0].child[1] = LOWEST;
	p->groups[LOWEST].count = 1;
	p->group_mark = LOWEST;
	p->free_group = 0;
	fph_memset(ends, 0, sizeof(*ends));
	ends->group = LOWEST;
	p->nruns = 0;
	p->last = 0;
}

/* Behind group prev; empty. */
static uint32_t new_group(struct fph_pool *p, uint32_t prev)
{
	uint32_t g = p->free_group;

	if (g)
		p->free_group = p->groups[g].parent;
	else
		g = ++p->group_mark;
	fph_tree_insert(p->groups, g, prev);
	return g;
}

static void free_group(struct fph_pool *p, uint32_t g)
{
	fph_tree_remove(p->groups, g);
	p->groups[g].parent = p->free_group;
	p->free_group = g;
}

/* n runs from i on are of group g.  The one behind them. */
static uint32_t relabel(struct fph_pool *p, uint32_t g, uint32_t i, uint32_t n)
{
	for (; n; n--) {
		p->slots[i].run.group = g;
		i = p->slots[i].run.higher;
	}
	return i;
}

/* Group g is made of n runs from i on.  The one behind them. */
static uint32_t set_group(struct fph_pool *p, uint32_t g, uint32_t i,
			  uint32_t n)
{
	struct fph_group *group = &p->groups[g];
	uint32_t k;

	group->gpa = p->slots[i].run.gpa;
	group->count = (unsigned short)n;
	for (k = 0; k < 4; k++) {
		group->start[k] = i;
		i = relabel(p, g, i, (n + k) / 4);
	}
	return i;
}

static bool is_small(const struct fph_pool *p, uint32_t low, uint32_t high)
{
	return p->groups[low].count + p->groups[high].count < 2 * (int)JOIN - 1;
}

/* Group high becomes a part of low, the one below. */
static void merge(struct fph_pool *p, uint32_t low, uint32_t high)
{
	const struct fph_group *l = &p->groups[low], *h = &p->groups[high];

	set_group(p, low, l->start[0], (uint32_t)l->count + h->count);
	free_group(p, high);
}

/* Group g has lost n runs, and has few or none. */
static void shrink_group(struct fph_pool *p, uint32_t g, uint32_t n)
{
	const struct fph_group *group = &p->groups[g];
	uint32_t lower, higher, low, high;

	/* What is still few was looked at when it became so. */
	if (group->count && group->count + n < JOIN)
		return;
	higher = group->start[0];
	lower = p->slots[higher].run.lower;
	for (n = group->count; n; n--)
		higher = p->slots[higher].run.higher;
	low = p->slots[lower].run.group;
	high = p->slots[higher].run.group;
	if (!group->count)
		free_group(p, g);
	else if (g != LOWEST && is_small(p, low, g))
		merge(p, low, g);
	else
		low = g;
	if (higher && is_small(p, low, high))
		merge(p, low, high);
}

/* ------------------------------------------------------------------ find -- */

uint32_t fph_order_find(const struct fph_pool *p, uint64_t gpa)
{
	const struct fph_slot *slots = p->slots;
	const struct fph_free_run *low, *run;
	const struct fph_group *group;
	/* As wide as an address: no step widens it. */
	size_t g = fph_tree_root(p->groups), best = LOWEST;
	uint32_t half = 0;

	do {
		group = &p->groups[g];
		if (gpa >= group->gpa) {
			best = g;
			g = group->child[1];
		} else {
			g = group->child[0];
		}
	} while (g);
	group = &p->groups[best];
	low = &slots[group->start[2]].run;
	if (low->group == (uint32_t)best && low->gpa <= gpa)
		half = 2;
	else
		low = &slots[group->start[0]].run;
	run = &slots[group->start[half + 1]].run;
	if (run->group == (uint32_t)best && run->gpa <= gpa)
		low = run;
	run = &slots[low->higher].run;
	if (low == &slots[0].run && !run->gpa)
		run = &slots[run->higher].run;	/* it is at 0 too */
	/* The next group begins above gpa; run 0, behind all, is at 0. */
	while (run->gpa - 1 < gpa)
		run = &slots[run->higher].run;
	return run->lower;
}

/* ---------------------------------------------------------------- insert -- */

void fph_order_place(struct fph_pool *p, uint32_t i)
{
	const struct fph_free_run *run = &p->slots[i].run;
	uint32_t g = run->group, next = p->slots[run->higher].run.group;
	uint32_t n = FPH_GROUP_MOST / 2;

	/* Where runs come in order all groups become full. */
	if (!run->higher || (next != g && p->groups[next].count >= JOIN)) {
		set_group(p, new_group(p, g), i, 1);
		return;
	}
	i = set_group(p, g, p->groups[g].start[0], n);
	set_group(p, new_group(p, g), i, n + 1);
}

/* ---------------------------------------------------------------- remove -- */

/* n neighbours of group g, from first to below higher, wait no longer. */
static inline void unlink_runs(struct fph_pool *p, uint32_t g, uint32_t first,
			       uint32_t higher, uint32_t n)
{
	uint32_t lower = p->slots[first].run.lower;
	struct fph_free_run *high = &p->slots[higher].run;
	struct fph_group *group = &p->groups[g];

	p->slots[lower].run.higher = higher;
	high->lower = lower;
	if (group->start[0] == first) {
		group->start[0] = higher;
		group->gpa = high->gpa;
	}
	group->count = (unsigned short)(group->count - n);
	if (group->count < JOIN)
		shrink_group(p, g, n);
}

void fph_order_remove(struct fph_pool *p, uint32_t i)
{
	struct fph_free_run *run = &p->slots[i].run;
	uint32_t g = run->group;

	run->group = 0;
	p->nruns--;
	unlink_runs(p, g, i, run->higher, 1);
}

uint32_t fph_order_cut(struct fph_pool *p, struct fph_seg *segs,
		       uint32_t nsegs, struct fph_free_list *list)
{
	struct fph_slot *slots = p->slots;
	struct fph_free_run *ends = &slots[0].run;
	uint32_t i = ends->newer, first = i, higher, g, near = 0;
	struct fph_free_run *run = &slots[i].run;
	uint32_t room = FPH_MAX_BUFFER;
	uint64_t ranges = p->waiting.ranges;
	struct fph_seg *seg = segs;
	const struct fph_seg *end = segs + (nsegs < p->nruns ? nsegs :
							       p->nruns);

	list->head = i;
	do {
		seg->gpa = run->gpa;
		seg->len = run->len;
		seg->flags = FPH_SEG_WRITE;
		seg++;
		near++;
		room -= run->len;
		p->waiting.ranges -= run->ranges;
		g = run->group;
		run->group = 0;
		higher = run->higher;
		i = run->newer;
		run = &slots[i].run;
		/*
		 * Neighbours leave together: 28 instructions less a run in
		 * order, 6 more at random.
		 */
		if (i != higher || run->group != g) {
			unlink_runs(p, g, first, higher, near);
			first = i;
			near = 0;
		}
	} while (seg < end && run->len <= room);
	if (near)
		unlink_runs(p, g, first, higher, near);
	p->nruns -= (uint32_t)(seg - segs);
	p->waiting.bytes -= FPH_MAX_BUFFER - room;
	list->amount.bytes = FPH_MAX_BUFFER - room;
	list->amount.ranges = ranges - p->waiting.ranges;
	/* What is left is cut off once, not run by run. */
	list->tail = run->older;
	slots[list->tail].run.newer = 0;
	ends->newer = i;
	run->older = 0;
	return (uint32_t)(seg - segs);
}
