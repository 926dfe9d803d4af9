/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The groups of the runs that wait, by address: an AVL tree with parent links.
 * Insert and remove climb once and never recurse.
 */
#include "tree.h"

/* On which side of its parent i is; the root is at side 1 of group 0. */
static uint32_t side_of(const struct fph_group *groups, uint32_t i)
{
	return groups[groups[i].parent].child[1] == i;
}

static void set_child(struct fph_group *groups, uint32_t parent,
		      uint32_t side, uint32_t i)
{
	groups[parent].child[side] = i;
	if (i)
		groups[i].parent = parent;
}

/* Lifts the child of i on that side above i. */
static void rotate(struct fph_group *groups, uint32_t i, uint32_t side)
{
	uint32_t up = groups[i].child[side];
	uint32_t parent = groups[i].parent;
	uint32_t place = side_of(groups, i);

	set_child(groups, i, side, groups[up].child[!side]);
	set_child(groups, up, !side, i);
	set_child(groups, parent, place, up);
}

/* i leans by two.  Puts that right, and returns who is in its place. */
static uint32_t mend(struct fph_group *groups, uint32_t i)
{
	uint32_t side = groups[i].balance > 0;
	short lean = side ? 1 : -1, other = side ? -1 : 1;
	uint32_t up = groups[i].child[side];
	uint32_t mid;

	if (groups[up].balance != other) {
		rotate(groups, i, side);
		/* up was even only if something was removed. */
		groups[i].balance = groups[up].balance ? 0 : lean;
		groups[up].balance = groups[up].balance ? 0 : other;
		return up;
	}
	mid = groups[up].child[!side];
	rotate(groups, up, !side);
	rotate(groups, i, side);
	groups[i].balance = groups[mid].balance == lean ? other : 0;
	groups[up].balance = groups[mid].balance == other ? lean : 0;
	groups[mid].balance = 0;
	return mid;
}

/*
 * The subtree of i on this side has become higher by one, or lower.  Up from
 * there until the height of a subtree is the same again.
 */
static void climb(struct fph_group *groups, uint32_t i, uint32_t side,
		  bool higher)
{
	while (i) {
		if (side == higher)
			groups[i].balance++;
		else
			groups[i].balance--;
		if (groups[i].balance > 1 || groups[i].balance < -1)
			i = mend(groups, i);
		if (!groups[i].balance == higher)
			return;
		side = side_of(groups, i);
		i = groups[i].parent;
	}
}

void fph_tree_insert(struct fph_group *groups, uint32_t i, uint32_t prev)
{
	uint32_t parent = prev, side = 1;

	if (groups[prev].child[1]) {
		parent = groups[prev].child[1];
		while (groups[parent].child[0])
			parent = groups[parent].child[0];
		side = 0;
	}
	groups[i].child[0] = 0;
	groups[i].child[1] = 0;
	groups[i].balance = 0;
	set_child(groups, parent, side, i);
	climb(groups, parent, side, true);
}

/* i has two children: the next one takes its place. */
static void remove_inner(struct fph_group *groups, uint32_t i)
{
	uint32_t next = groups[i].child[1];
	uint32_t from, side = 1;

	while (groups[next].child[0]) {
		next = groups[next].child[0];
		side = 0;
	}
	from = groups[next].parent;
	if (side) {
		from = next;
	} else {
		set_child(groups, from, 0, groups[next].child[1]);
		set_child(groups, next, 1, groups[i].child[1]);
	}
	set_child(groups, next, 0, groups[i].child[0]);
	set_child(groups, groups[i].parent, side_of(groups, i), next);
	groups[next].balance = groups[i].balance;
	climb(groups, from, side, false);
}

void fph_tree_remove(struct fph_group *groups, uint32_t i)
{
	uint32_t parent = groups[i].parent, side = side_of(groups, i);

	if (groups[i].child[0] && groups[i].child[1]) {
		remove_inner(groups, i);
		return;
	}
	set_child(groups, parent, side,
		  groups[i].child[0] ? groups[i].child[0] : groups[i].child[1]);
	climb(groups, parent, side, false);
}
