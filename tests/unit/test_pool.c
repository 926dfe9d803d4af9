/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's free ranges: random calls beside a map of bytes that does the
 * same naively, and after each the lists, the groups and their tree as they
 * have to be.
 */
#include <stdlib.h>
#include <string.h>

#include "core/pool.h"
#include "core/tree.h"

#include "range_model.h"
#include "runner.h"

/* libcheck writes a message for each of its own: there are millions. */
#define MUST(cond)							\
	do {								\
		if (!(cond))						\
			ck_abort_msg("not so: " #cond);			\
	} while (0)

#define SPACE	4096u
#define RANGES	700u
#define BATCHES	4u
#define SEGS	8u

struct both {
	struct fph_pool p;
	uint64_t base;
	uint64_t seed;
	uint32_t shape;			/* how ranges are chosen */
	uint32_t at;
	uint32_t owner[SPACE];		/* of a byte that waits; 0: none does */
	struct {
		uint64_t gpa, len;	/* as added; 0: came back */
	} added[65536];
	uint32_t nadded;
	uint32_t waiting, back;		/* ranges */
	uint32_t open[BATCHES];
};

/* ------------------------------------------------------------ invariants -- */

/* The height of a subtree; its groups go on from *next. */
static int check_tree(const struct fph_pool *p, uint32_t g, uint32_t parent,
		      const uint32_t *order, uint32_t *next)
{
	const struct fph_group *group = &p->groups[g];
	int low, high;

	if (!g)
		return 0;
	MUST(group->parent == parent);
	low = check_tree(p, group->child[0], g, order, next);
	MUST(order[(*next)++] == g);
	high = check_tree(p, group->child[1], g, order, next);
	MUST(group->balance == high - low);
	MUST(abs(high - low) <= 1);
	return 1 + (high > low ? high : low);
}

static void check_groups(const struct fph_pool *p)
{
	static uint32_t order[RANGES + 2];
	uint32_t n = 0, next = 0, i = 0, count;
	const struct fph_group *group;

	do {
		MUST(n < fph_order_groups(RANGES));
		order[n] = p->slots[i].run.group;
		group = &p->groups[order[n]];
		MUST(group->count >= 1);
		MUST(group->count <= FPH_GROUP_MOST);
		MUST(group->start[0] == i);
		MUST(group->gpa == p->slots[i].run.gpa);
		if (n)
			MUST(group->count + p->groups[order[n - 1]].count > 4);
		for (count = group->count; count; count--) {
			MUST(p->slots[i].run.group == order[n]);
			i = p->slots[i].run.higher;
		}
		n++;
	} while (i);
	check_tree(p, fph_tree_root(p->groups), 0, order, &next);
	MUST(next == n);
}

static void check_lists(const struct fph_pool *p)
{
	const struct fph_free_run *run = &p->slots[0].run, *next;
	uint32_t i, n = 0, ranges = 0;

	for (i = run->higher; i; i = run->higher) {
		next = &p->slots[i].run;
		MUST(next->gpa >= run->gpa + run->len);
		MUST(&p->slots[next->lower].run == run);
		run = next;
		ranges += run->ranges;
		n++;
	}
	MUST(&p->slots[p->slots[0].run.lower].run == run);
	MUST(p->nruns == n);
	MUST(p->waiting.ranges == ranges);
	for (i = p->slots[0].run.newer; i; i = next->newer) {
		next = &p->slots[i].run;
		if (next->newer) {
			MUST(p->slots[next->newer].run.older == i);
			MUST(next->seq <= p->slots[next->newer].run.seq);
		}
		n--;
	}
	MUST(n == 0);
}

/* --------------------------------------------------------------- actions -- */

static uint32_t choose(struct both *b, uint32_t len)
{
	uint32_t most = SPACE - len;

	switch (b->shape) {
	case 1:
		b->at = (b->at + model_random(&b->seed, 9)) % SPACE;
		break;
	case 2:
		b->at = (b->at + SPACE - model_random(&b->seed, 9)) % SPACE;
		break;
	default:
		b->at = model_random(&b->seed, SPACE);
	}
	return b->at < most ? b->at : most;
}

static void add(struct both *b)
{
	uint32_t len = 1 + model_random(&b->seed, 4);
	uint32_t off = choose(b, len), i, inside = 0;
	struct fph_owned_range range = { b->base + off, len, ++b->nadded };
	int expected = 1;

	MUST(b->nadded < 65536);
	for (i = off; i < off + len; i++)
		inside += b->owner[i] != 0;
	if (inside)
		expected = FPH_EEXIST;
	else if (b->waiting + b->back == RANGES)
		expected = FPH_EFULL;
	MUST(fph_pool_add(&b->p, &range, 1, 0) == expected);
	if (expected != 1)
		return;
	for (i = off; i < off + len; i++)
		b->owner[i] = b->nadded;
	b->added[b->nadded].gpa = range.gpa;
	b->added[b->nadded].len = len;
	b->waiting++;
}

/* The bytes of a segment wait no longer; they were all of a run. */
static void take_seg(struct both *b, const struct fph_seg *seg)
{
	uint32_t off = (uint32_t)(seg->gpa - b->base), end = off + seg->len;
	uint32_t i, n = 0;

	MUST(end <= SPACE);
	MUST(!off || !b->owner[off - 1]);
	MUST(end == SPACE || !b->owner[end]);
	for (i = off; i < end; i++) {
		MUST(b->owner[i] != 0);
		if (i == off || b->owner[i] != b->owner[i - 1])
			n++;
	}
	for (i = off; i < end; i++)
		b->owner[i] |= 0x80000000u;
	b->waiting -= n;
	b->back += n;
}

static void leave(struct both *b, bool stay)
{
	uint32_t i;

	for (i = 0; i < SPACE; i++) {
		if (b->owner[i] >> 31)
			b->owner[i] = stay ? b->owner[i] & 0x7fffffff : 0;
	}
}

static void cut(struct both *b, uint32_t slot)
{
	uint32_t n = 1 + model_random(&b->seed, SEGS), i, got;
	uint32_t before = b->back;
	struct fph_seg segs[SEGS];

	if (b->open[slot]) {
		fph_pool_finish(&b->p, b->open[slot], &b->p.back[true]);
		b->open[slot] = 0;
		return;
	}
	got = fph_pool_cut(&b->p, segs, n, &b->open[slot]);
	MUST(!got == !b->open[slot]);
	for (i = 0; i < got; i++)
		take_seg(b, &segs[i]);
	if (got && !model_random(&b->seed, 4)) {
		fph_pool_undo(&b->p, b->open[slot]);
		b->open[slot] = 0;
		b->waiting += b->back - before;
		b->back = before;
		leave(b, true);
	}
	leave(b, false);
}

static void came_back(struct both *b, const struct fph_returned *r)
{
	MUST(r->owner >= 1);
	MUST(r->owner <= b->nadded);
	MUST(b->added[r->owner].gpa == r->gpa);
	MUST(b->added[r->owner].len == r->len);
	b->added[r->owner].len = 0;
}

static void take_back(struct both *b)
{
	struct fph_returned out[SEGS];
	uint32_t n = 1 + model_random(&b->seed, SEGS), i;

	n = fph_pool_take_back(&b->p, out, n);
	for (i = 0; i < n; i++)
		came_back(b, &out[i]);
	b->back -= n;
}

static void shrink(struct both *b)
{
	struct fph_returned out[SEGS];
	uint32_t n = 1 + model_random(&b->seed, SEGS), i, k;

	n = fph_pool_take_waiting(&b->p, out, n);
	for (i = 0; i < n; i++) {
		uint32_t off = (uint32_t)(out[i].gpa - b->base);

		for (k = off; k < off + out[i].len; k++) {
			MUST(b->owner[k] == out[i].owner);
			b->owner[k] = 0;
		}
		came_back(b, &out[i]);
	}
	b->waiting -= n;
}

static void withdraw(struct both *b)
{
	fph_pool_withdraw(&b->p, &b->p.back[false]);
	memset(b->owner, 0, sizeof(b->owner));
	b->back += b->waiting;
	b->waiting = 0;
}

/* In phases it fills, and is emptied. */
static void step(struct both *b, bool fills)
{
	uint32_t what = model_random(&b->seed, 100);

	if (!model_random(&b->seed, 700))
		b->shape = model_random(&b->seed, 3);
	if (what < (fills ? 80u : 30u))
		add(b);
	else if (what < 86)
		cut(b, what % BATCHES);
	else if (what < 96)
		take_back(b);
	else
		shrink(b);
	if (!model_random(&b->seed, 3000))
		withdraw(b);
}

static void beside_the_model(uint64_t base)
{
	size_t size = fph_pool_size(0, RANGES, BATCHES, 0);
	struct both *b = calloc(1, sizeof(*b));
	void *mem = malloc(size);
	uint32_t i;

	MUST(b);
	MUST(mem);
	/* Init touches none of what is not used. */
	memset(mem, 0xa5, size);
	b->base = base;
	b->seed = 7;
	fph_pool_init(&b->p, mem, RANGES, BATCHES, 0);
	for (i = 0; i < 30000; i++) {
		step(b, i / 3000 % 2 == 0);
		check_lists(&b->p);
		check_groups(&b->p);
		MUST(b->p.waiting.ranges == b->waiting);
	}
	free(mem);
	free(b);
}

START_TEST(from_address_0)
{
	beside_the_model(0);
}
END_TEST

START_TEST(in_the_middle)
{
	beside_the_model(0x123456789000);
}
END_TEST

START_TEST(up_to_the_last_address)
{
	beside_the_model(0 - (uint64_t)SPACE);
}
END_TEST

RUNNER_SUITE("pool",
	     from_address_0,
	     in_the_middle,
	     up_to_the_last_address)
