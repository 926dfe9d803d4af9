/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The runs that wait, by address: an AVL tree with parent links.  Insert and
 * remove climb once and never recurse.
 */
#include "pool.h"

/* On which side of its parent i is; the root is at side 1 of run 0. */
static uint32_t side_of(const struct fph_free_run *runs, uint32_t i)
{
	return runs[runs[i].parent].child[1] == i;
}

static void set_child(struct fph_free_run *runs, uint32_t parent,
		      uint32_t side, uint32_t i)
{
	runs[parent].child[side] = i;
	if (i)
		runs[i].parent = parent;
}

/* Lifts the child of i on that side above i. */
static void rotate(struct fph_free_run *runs, uint32_t i, uint32_t side)
{
	uint32_t up = runs[i].child[side];
	uint32_t parent = runs[i].parent;
	uint32_t place = side_of(runs, i);

	set_child(runs, i, side, runs[up].child[!side]);
	set_child(runs, up, !side, i);
	set_child(runs, parent, place, up);
}

/* i leans by two.  Puts that right, and returns who is in its place. */
static uint32_t mend(struct fph_free_run *runs, uint32_t i)
{
	uint32_t side = runs[i].balance > 0;
	int lean = side ? 1 : -1;
	uint32_t up = runs[i].child[side];
	uint32_t mid;

	if (runs[up].balance != -lean) {
		rotate(runs, i, side);
		/* up was even only if something was removed. */
		runs[i].balance = lean - runs[up].balance;
		runs[up].balance -= lean;
		return up;
	}
	mid = runs[up].child[!side];
	rotate(runs, up, !side);
	rotate(runs, i, side);
	runs[i].balance = runs[mid].balance == lean ? -lean : 0;
	runs[up].balance = runs[mid].balance == -lean ? lean : 0;
	runs[mid].balance = 0;
	return mid;
}

void fph_tree_insert(struct fph_free_run *runs, uint32_t i, uint32_t parent,
		     uint32_t side)
{
	runs[i].child[0] = 0;
	runs[i].child[1] = 0;
	runs[i].balance = 0;
	runs[i].parent = parent;
	runs[parent].child[side] = i;
	while (parent) {
		runs[parent].balance += side ? 1 : -1;
		if (!runs[parent].balance)
			return;
		if (runs[parent].balance > 1 || runs[parent].balance < -1) {
			mend(runs, parent);
			return;
		}
		side = side_of(runs, parent);
		parent = runs[parent].parent;
	}
}

/* The subtree of i on this side has become lower by one. */
static void lower(struct fph_free_run *runs, uint32_t i, uint32_t side)
{
	while (i) {
		runs[i].balance -= side ? 1 : -1;
		if (runs[i].balance > 1 || runs[i].balance < -1)
			i = mend(runs, i);
		if (runs[i].balance)
			return;
		side = side_of(runs, i);
		i = runs[i].parent;
	}
}

/* i has two children: the next one takes its place. */
static void remove_inner(struct fph_free_run *runs, uint32_t i)
{
	uint32_t next = runs[i].child[1];
	uint32_t from, side = 1;

	while (runs[next].child[0]) {
		next = runs[next].child[0];
		side = 0;
	}
	from = runs[next].parent;
	if (side) {
		from = next;
	} else {
		set_child(runs, from, 0, runs[next].child[1]);
		set_child(runs, next, 1, runs[i].child[1]);
	}
	set_child(runs, next, 0, runs[i].child[0]);
	set_child(runs, runs[i].parent, side_of(runs, i), next);
	runs[next].balance = runs[i].balance;
	lower(runs, from, side);
}

void fph_tree_remove(struct fph_free_run *runs, uint32_t i)
{
	uint32_t parent = runs[i].parent, side = side_of(runs, i);

	if (runs[i].child[0] && runs[i].child[1]) {
		remove_inner(runs, i);
		return;
	}
	set_child(runs, parent, side,
		  runs[i].child[0] ? runs[i].child[0] : runs[i].child[1]);
	lower(runs, parent, side);
}

uint32_t fph_tree_next(const struct fph_free_run *runs, uint32_t i)
{
	if (runs[i].child[1]) {
		i = runs[i].child[1];
		while (runs[i].child[0])
			i = runs[i].child[0];
		return i;
	}
	while (runs[i].parent && side_of(runs, i))
		i = runs[i].parent;
	return runs[i].parent;
}
