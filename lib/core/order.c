/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The runs that wait, by address: a list in groups, and a tree of the groups.
 *
 * To find an address is a short way down the tree and some steps along a list.
 * All else is done to the list, and the tree is touched only when a group is
 * made or goes: once for 24 runs in order, or for about 12 in any other.  A tree
 * of all runs costs 230 instructions a run more.
 *
 * A group also knows a run about in its middle, to begin at: 25 instructions
 * less at random.
 *
 * Two neighbouring groups have more than JOIN runs together, so that there are
 * few groups.  Group LOWEST begins with run 0 and is always there.
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

/* Group g is made of n runs, from first to last. */
static void set_group(struct fph_pool *p, uint32_t g, uint32_t first,
		      uint32_t last, uint32_t n)
{
	struct fph_group *group = &p->groups[g];

	group->gpa = p->slots[first].run.gpa;
	group->first = first;
	group->last = last;
	group->count = (unsigned short)n;
	group->mid = relabel(p, g, first, n / 2);
	relabel(p, g, group->mid, n - n / 2);
}

static bool is_small(const struct fph_pool *p, uint32_t low, uint32_t high)
{
	return p->groups[low].count + p->groups[high].count <= (int)JOIN;
}

/* Group high becomes a part of low, the one below. */
static void merge(struct fph_pool *p, uint32_t low, uint32_t high)
{
	const struct fph_group *l = &p->groups[low], *h = &p->groups[high];

	set_group(p, low, l->first, h->last, (uint32_t)l->count + h->count);
	free_group(p, high);
}

/* Group g has lost runs, and has few or none. */
static void shrink_group(struct fph_pool *p, uint32_t g)
{
	const struct fph_group *group = &p->groups[g];
	uint32_t lower = p->slots[group->first].run.lower;
	uint32_t higher = p->slots[group->last].run.higher;
	uint32_t low = p->slots[lower].run.group;
	uint32_t high = p->slots[higher].run.group;

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
	const struct fph_group *groups = p->groups;
	uint32_t g = fph_tree_root(groups), best = LOWEST, i;

	while (g) {
		const struct fph_group *group = &groups[g];

		if (gpa >= group->gpa) {
			best = g;
			g = group->child[1];
		} else {
			g = group->child[0];
		}
	}
	i = groups[best].mid;
	if (slots[i].run.group != best || slots[i].run.gpa > gpa)
		i = groups[best].first;
	if (!i && !slots[slots[0].run.higher].run.gpa)
		i = slots[0].run.higher;	/* it is at 0 too */
	/* The next group begins above gpa; run 0, behind all, is at 0. */
	while (slots[slots[i].run.higher].run.gpa - 1 < gpa)
		i = slots[i].run.higher;
	return i;
}

/* ---------------------------------------------------------------- insert -- */

void fph_order_place(struct fph_pool *p, uint32_t i)
{
	const struct fph_free_run *run = &p->slots[i].run;
	uint32_t g = run->group, next = p->slots[run->higher].run.group;
	struct fph_group *group = &p->groups[g];
	uint32_t n = FPH_GROUP_MOST / 2, last = group->last, upper;

	if (last == run->lower) {
		/* Where runs come in order all groups become full. */
		if (!run->higher || p->groups[next].count >= JOIN) {
			set_group(p, new_group(p, g), i, i, 1);
			return;
		}
		last = i;
	}
	group->mid = relabel(p, g, group->first, n / 2);
	upper = relabel(p, g, group->mid, n - n / 2);
	group->last = p->slots[upper].run.lower;
	group->count = (unsigned short)n;
	set_group(p, new_group(p, g), upper, last, n + 1);
}

/* ---------------------------------------------------------------- remove -- */

/* n neighbours of group g, from first to last, wait no longer. */
static inline void unlink_runs(struct fph_pool *p, uint32_t g, uint32_t first,
			       uint32_t last, uint32_t n)
{
	uint32_t lower = p->slots[first].run.lower;
	uint32_t higher = p->slots[last].run.higher;
	struct fph_free_run *high = &p->slots[higher].run;
	struct fph_group *group = &p->groups[g];

	p->slots[lower].run.higher = higher;
	high->lower = lower;
	p->nruns -= n;
	if (group->first == first) {
		group->first = higher;
		group->gpa = high->gpa;
	}
	if (group->last == last)
		group->last = lower;
	group->count = (unsigned short)(group->count - n);
	if (group->count < JOIN)
		shrink_group(p, g);
}

void fph_order_remove(struct fph_pool *p, uint32_t i)
{
	uint32_t g = p->slots[i].run.group;

	p->slots[i].run.group = 0;
	unlink_runs(p, g, i, i, 1);
}

uint32_t fph_order_cut(struct fph_pool *p, struct fph_seg *segs,
		       uint32_t nsegs, struct fph_free_list *list)
{
	struct fph_free_run *ends = &p->slots[0].run, *run;
	uint32_t i = ends->newer, first = i, tail, g, near = 0;
	uint32_t ranges = 0, room = FPH_MAX_BUFFER;
	struct fph_seg *seg = segs, *end = segs + nsegs;

	list->head = i;
	do {
		run = &p->slots[i].run;
		seg->gpa = run->gpa;
		seg->len = run->len;
		seg->flags = FPH_SEG_WRITE;
		seg++;
		near++;
		room -= run->len;
		ranges += run->ranges;
		g = run->group;
		run->group = 0;
		tail = i;
		i = run->newer;
		/*
		 * Neighbours leave together: 20 instructions less a run in
		 * order, 10 more at random.
		 */
		if (i != run->higher || p->slots[i].run.group != g) {
			unlink_runs(p, g, first, tail, near);
			first = i;
			near = 0;
		}
	} while (i && seg < end && p->slots[i].run.len <= room);
	if (near)
		unlink_runs(p, g, first, tail, near);
	list->tail = tail;
	list->amount.bytes = FPH_MAX_BUFFER - room;
	list->amount.ranges = ranges;
	/* What is left is cut off once, not run by run. */
	p->slots[tail].run.newer = 0;
	ends->newer = i;
	p->slots[i].run.older = 0;
	if (!i)
		ends->older = 0;
	return (uint32_t)(seg - segs);
}
