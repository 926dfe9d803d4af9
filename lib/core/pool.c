/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's free ranges: runs that wait, and lists of runs.
 */
#include "pool.h"

/* ------------------------------------------------------------------ init -- */

uint64_t fph_pool_size(uint32_t max_ranges, uint32_t max_batches,
		       uint32_t others)
{
	uint64_t ranges = (uint64_t)max_ranges + 1;
	uint64_t batches = (uint64_t)max_batches + others + 1;

	return ranges * (sizeof(struct fph_free_run) +
			 sizeof(struct fph_slot)) +
	       batches * sizeof(struct fph_batch);
}

void fph_pool_init(struct fph_pool *p, void *mem, uint32_t max_ranges,
		   uint32_t max_batches, uint32_t others)
{
	uint32_t last = max_batches + others;

	fph_memset(p, 0, sizeof(*p));
	p->runs = mem;
	p->slots = (void *)(p->runs + ((size_t)max_ranges + 1));
	p->batches = (void *)(p->slots + ((size_t)max_ranges + 1));
	p->max_ranges = max_ranges;
	p->max_batches = max_batches;
	p->all_batches = last;
	while (last >> p->shift)
		p->shift++;
	p->merge = true;
	p->seq = 1;
	p->urgent = 1;
	fph_memset(p->runs, 0, sizeof(*p->runs));
	fph_memset(p->batches, 0, sizeof(*p->batches));
	fph_memset(p->batches + max_batches + 1, 0,
		   sizeof(*p->batches) * others);
}

/* ----------------------------------------------------------------- lists -- */

static void add_amount(struct fph_amount *a, const struct fph_amount *b)
{
	a->bytes += b->bytes;
	a->ranges += b->ranges;
}

static void sub_amount(struct fph_amount *a, const struct fph_amount *b)
{
	a->bytes -= b->bytes;
	a->ranges -= b->ranges;
}

/* Moves all of one list to the end of another. */
static void join(struct fph_pool *p, struct fph_free_list *to,
		 struct fph_free_list *from)
{
	if (!from->head)
		return;
	if (to->head)
		p->runs[to->tail].newer = from->head;
	else
		to->head = from->head;
	to->tail = from->tail;
	add_amount(&to->amount, &from->amount);
	fph_list_init(from);
}

void fph_pool_release(struct fph_pool *p, struct fph_free_list *list,
		      struct fph_free_list *to)
{
	join(p, p->absorb ? &p->junk : to, list);
}

static void free_run(struct fph_pool *p, uint32_t i)
{
	p->runs[i].newer = p->free_run;
	p->free_run = i;
}

/* The first run that nobody wants back, with its slots, can be used again. */
static void recycle(struct fph_pool *p)
{
	uint32_t i = p->junk.head;

	p->junk.head = p->runs[i].newer;
	p->slots[p->runs[i].tail].next = p->free_slot;
	p->free_slot = p->runs[i].head;
	free_run(p, i);
}

/* 0 if all are in use. */
static uint32_t take_slot(struct fph_pool *p)
{
	uint32_t i;

	if (!p->free_slot && p->slot_mark < p->max_ranges)
		return ++p->slot_mark;
	if (!p->free_slot && p->junk.head)
		recycle(p);
	i = p->free_slot;
	if (i)
		p->free_slot = p->slots[i].next;
	return i;
}

/* There is one: each that is in use has a slot, and there is a slot more. */
static uint32_t take_run(struct fph_pool *p)
{
	uint32_t i = p->free_run;

	if (!i)
		return ++p->run_mark;
	p->free_run = p->runs[i].newer;
	return i;
}

/* ------------------------------------------------------------- runs wait -- */

static void unlink_run(struct fph_pool *p, uint32_t i)
{
	const struct fph_free_run *run = &p->runs[i];

	p->runs[run->older].newer = run->newer;
	p->runs[run->newer].older = run->older;
}

static void link_run(struct fph_pool *p, uint32_t i, uint32_t older)
{
	uint32_t newer = p->runs[older].newer;

	p->runs[i].older = older;
	p->runs[i].newer = newer;
	p->runs[older].newer = i;
	p->runs[newer].older = i;
}

/* Run i leaves the tree. */
static void take_from_tree(struct fph_pool *p, uint32_t i)
{
	const struct fph_free_run *run = &p->runs[i];

	/* The highest has one child at most, and that is a leaf. */
	if (i == p->top)
		p->top = run->child[0] ? run->child[0] : run->parent;
	if (i == p->last)
		p->last = 0;
	fph_tree_remove(p->runs, i);
	p->nruns--;
}

static void put_into_tree(struct fph_pool *p, uint32_t i, uint32_t parent,
			  uint32_t side)
{
	if (parent == p->top && side)
		p->top = i;
	fph_tree_insert(p->runs, i, parent, side);
	p->nruns++;
}

/* Where something at gpa would be in the tree, and between which runs. */
struct place {
	uint32_t near[2];		/* the next above, the next below */
	uint32_t parent;
	uint32_t side;
};

static void find_place(const struct fph_pool *p, uint64_t gpa,
		       struct place *place)
{
	const struct fph_free_run *runs = p->runs;
	uint32_t i = fph_tree_root(runs), side = 1;

	place->near[0] = 0;
	place->near[1] = p->top;
	place->parent = p->top;
	place->side = 1;
	/* Above all: saves the whole way down when addresses ascend. */
	if (!i || gpa >= runs[p->top].gpa)
		return;
	place->near[1] = 0;
	while (i) {
		side = gpa >= runs[i].gpa;
		place->near[side] = i;
		place->parent = i;
		i = runs[i].child[side];
	}
	place->side = side;
}

static bool is_touching(const struct fph_pool *p, uint32_t low, uint64_t gpa)
{
	const struct fph_free_run *run = &p->runs[low];

	return low && run->gpa + (run->len - 1) == gpa - 1 && gpa;
}

static bool is_joinable(const struct fph_pool *p, uint32_t low, uint32_t high)
{
	return p->merge && high && is_touching(p, low, p->runs[high].gpa) &&
	       p->runs[high].len <= FPH_MAX_BUFFER - p->runs[low].len;
}

/* Makes one of two neighbours, in the place of the older one. */
static uint32_t join_runs(struct fph_pool *p, uint32_t low, uint32_t high)
{
	bool is_low = p->runs[low].seq <= p->runs[high].seq;
	uint32_t keep = is_low ? low : high, drop = is_low ? high : low;
	struct fph_free_run *run = &p->runs[keep];

	/* First: the order of the tree is that of the addresses. */
	take_from_tree(p, drop);
	unlink_run(p, drop);
	p->slots[p->runs[low].tail].next = p->runs[high].head;
	run->gpa = p->runs[low].gpa;
	run->head = p->runs[low].head;
	run->tail = p->runs[high].tail;
	run->len += p->runs[drop].len;
	run->ranges += p->runs[drop].ranges;
	free_run(p, drop);
	return keep;
}

/* ------------------------------------------------------------------- add -- */

static bool is_overlapping(const struct fph_pool *p, const struct place *place,
			   uint64_t gpa, uint64_t last)
{
	const struct fph_free_run *above = &p->runs[place->near[0]];
	const struct fph_free_run *below = &p->runs[place->near[1]];

	return (place->near[0] && above->gpa <= last) ||
	       (place->near[1] && below->gpa + (below->len - 1) >= gpa);
}

/* A run of its own, the youngest. */
static uint32_t add_run(struct fph_pool *p, const struct place *place,
			uint32_t slot, uint64_t due)
{
	uint32_t i = take_run(p);
	struct fph_free_run *run = &p->runs[i];

	run->gpa = p->slots[slot].gpa;
	run->len = p->slots[slot].len;
	run->ranges = 1;
	run->head = slot;
	run->tail = slot;
	run->due = due;
	run->seq = p->seq;
	link_run(p, i, p->runs[0].older);
	put_into_tree(p, i, place->parent, place->side);
	return i;
}

/* The slot belongs to the run below it, to the one above, or to a new one. */
static uint32_t attach(struct fph_pool *p, const struct place *place,
		       uint32_t slot, uint64_t due)
{
	uint32_t above = place->near[0], below = place->near[1];
	const struct fph_slot *s = &p->slots[slot];
	struct fph_free_run *run;

	if (p->merge && is_touching(p, below, s->gpa) &&
	    s->len <= FPH_MAX_BUFFER - p->runs[below].len) {
		run = &p->runs[below];
		p->slots[run->tail].next = slot;
		run->tail = slot;
		run->len += s->len;
		run->ranges++;
		return is_joinable(p, below, above) ?
			       join_runs(p, below, above) : below;
	}
	run = &p->runs[above];
	if (p->merge && above && run->gpa - 1 == s->gpa + (s->len - 1) &&
	    s->len <= FPH_MAX_BUFFER - run->len) {
		p->slots[slot].next = run->head;
		run->head = slot;
		run->gpa = s->gpa;
		run->len += s->len;
		run->ranges++;
		return above;
	}
	return add_run(p, place, slot, due);
}

static int add_at(struct fph_pool *p, const struct place *place, uint64_t gpa,
		  uint32_t len, uint64_t owner, uint64_t due)
{
	uint32_t i = take_slot(p);

	if (!i)
		return FPH_EFULL;
	p->slots[i].gpa = gpa;
	p->slots[i].owner = owner;
	p->slots[i].len = len;
	p->slots[i].next = 0;
	p->waiting.bytes += len;
	p->waiting.ranges++;
	p->last = attach(p, place, i, due);
	p->seq++;
	return FPH_OK;
}

/* What waits already is left out.  Each piece fills a gap. */
static int absorb(struct fph_pool *p, const struct fph_owned_range *range,
		  uint64_t due)
{
	uint64_t gpa = range->gpa, last = gpa + (range->len - 1), end;
	const struct fph_free_run *run;
	struct place place;
	int ret;

	for (;;) {
		find_place(p, gpa, &place);
		run = &p->runs[place.near[1]];
		end = run->gpa + (run->len - 1);
		if (place.near[1] && end >= gpa) {
			if (end >= last)
				return FPH_OK;
			gpa = end + 1;
			continue;
		}
		run = &p->runs[place.near[0]];
		end = place.near[0] && run->gpa <= last ? run->gpa - 1 : last;
		ret = add_at(p, &place, gpa, (uint32_t)(end - gpa + 1),
			     range->owner, due);
		if (ret || end == last)
			return ret;
		gpa = end + 1;
	}
}

int fph_pool_add(struct fph_pool *p, const struct fph_owned_range *range,
		 uint64_t due)
{
	uint64_t gpa = range->gpa, last = gpa + (range->len - 1);
	struct place place;

	if (fph_is_bad_range(gpa, range->len) || range->len > FPH_MAX_BUFFER)
		return FPH_EINVAL;
	if (p->absorb)
		return absorb(p, range, due);
	/* It goes on where the last one ended: half of the way down. */
	if (p->merge && is_touching(p, p->last, gpa) &&
	    range->len <= FPH_MAX_BUFFER - p->runs[p->last].len) {
		place.near[1] = p->last;
		place.near[0] = fph_tree_next(p->runs, p->last);
	} else {
		find_place(p, gpa, &place);
	}
	if (is_overlapping(p, &place, gpa, last))
		return FPH_EEXIST;
	return add_at(p, &place, gpa, (uint32_t)range->len, range->owner, due);
}

int fph_pool_wait(struct fph_pool *p, uint32_t i)
{
	const struct fph_free_run *run = &p->runs[i];
	struct place place;

	find_place(p, run->gpa, &place);
	if (!p->absorb &&
	    is_overlapping(p, &place, run->gpa, run->gpa + (run->len - 1)))
		return FPH_EEXIST;
	link_run(p, i, p->runs[0].older);
	put_into_tree(p, i, place.parent, place.side);
	p->waiting.bytes += run->len;
	p->waiting.ranges += run->ranges;
	return FPH_OK;
}

void fph_pool_withdraw(struct fph_pool *p, struct fph_free_list *to)
{
	struct fph_free_run *ends = &p->runs[0];
	struct fph_free_list all;

	if (!p->nruns)
		return;
	all.amount = p->waiting;
	all.head = ends->newer;
	all.tail = ends->older;
	fph_memset(ends, 0, sizeof(*ends));
	fph_memset(&p->waiting, 0, sizeof(p->waiting));
	p->nruns = 0;
	p->last = 0;
	p->top = 0;
	fph_pool_release(p, &all, to);
}

/* ------------------------------------------------------------------ take -- */

/* The first slot of a run goes back.  True if it was its last one. */
static bool take_range(struct fph_pool *p, uint32_t i,
		       struct fph_returned *out, bool used)
{
	struct fph_free_run *run = &p->runs[i];
	uint32_t slot = run->head;
	struct fph_slot *s = &p->slots[slot];

	out->gpa = s->gpa;
	out->len = s->len;
	out->owner = s->owner;
	out->used = used;
	out->reserved = 0;
	run->head = s->next;
	run->gpa += s->len;
	run->len -= s->len;
	run->ranges--;
	s->next = p->free_slot;
	p->free_slot = slot;
	return !run->ranges;
}

uint32_t fph_pool_take(struct fph_pool *p, struct fph_free_list *list,
		       struct fph_returned *out, uint32_t n, bool used)
{
	uint32_t i = list->head, done = 0, next;
	uint64_t bytes = 0;

	while (i && done < n) {
		next = p->runs[i].newer;
		if (take_range(p, i, &out[done], used)) {
			free_run(p, i);
			i = next;
		}
		bytes += out[done].len;
		done++;
	}
	list->head = i;
	list->amount.bytes -= bytes;
	list->amount.ranges -= done;
	return done;
}

uint32_t fph_pool_take_back(struct fph_pool *p, struct fph_returned *out,
			    uint32_t n)
{
	uint32_t done = fph_pool_take(p, &p->back[true], out, n, true);

	return done + fph_pool_take(p, &p->back[false], out + done, n - done,
				    false);
}

uint32_t fph_pool_take_waiting(struct fph_pool *p, struct fph_returned *out,
			       uint32_t n)
{
	uint32_t done, i;

	for (done = 0; done < n && p->nruns; done++) {
		i = fph_pool_oldest(p);
		if (take_range(p, i, &out[done], false)) {
			take_from_tree(p, i);
			unlink_run(p, i);
			free_run(p, i);
		}
		p->waiting.bytes -= out[done].len;
		p->waiting.ranges--;
	}
	return done;
}

uint32_t fph_pool_take_outstanding(struct fph_pool *p,
				   struct fph_returned *out, uint32_t n)
{
	struct fph_free_list *list;
	struct fph_amount before;
	uint32_t done = 0;

	while (done < n && p->fullest) {
		list = &p->batches[p->fullest].runs;
		before = list->amount;
		done += fph_pool_take(p, list, out + done, n - done, false);
		sub_amount(&before, &list->amount);
		sub_amount(&p->outstanding, &before);
		/* It was emptied, or never had a range.  Once for each. */
		if (!list->head)
			p->fullest = p->batches[p->fullest].newer;
	}
	return done;
}

/* --------------------------------------------------------------- batches -- */

void fph_pool_open_at(struct fph_pool *p, uint32_t i)
{
	struct fph_batch *ends = &p->batches[0], *b = &p->batches[i];

	fph_list_init(&b->runs);
	b->serial = (b->serial + 1) & (0xffffffffu >> p->shift);
	b->cookie = b->serial << p->shift | i;
	b->older = ends->older;
	b->newer = 0;
	p->batches[ends->older].newer = i;
	ends->older = i;
	if (!p->fullest)
		p->fullest = i;
}

uint32_t fph_pool_open(struct fph_pool *p)
{
	uint32_t i = p->free_batch;

	if (i) {
		p->free_batch = p->batches[i].newer;
	} else {
		if (p->batch_mark == p->max_batches)
			return 0;
		i = ++p->batch_mark;
		p->batches[i].serial = 0;
	}
	p->nbatches++;
	fph_pool_open_at(p, i);
	return i;
}

void fph_pool_close(struct fph_pool *p, uint32_t i)
{
	struct fph_batch *b = &p->batches[i];

	if (i == p->fullest)
		p->fullest = b->newer;
	p->batches[b->older].newer = b->newer;
	p->batches[b->newer].older = b->older;
	b->cookie = 0;
	if (i > p->max_batches)
		return;
	b->newer = p->free_batch;
	p->free_batch = i;
	p->nbatches--;
}

uint32_t fph_pool_find(const struct fph_pool *p, uint64_t cookie)
{
	uint32_t i = (uint32_t)cookie & ((1u << p->shift) - 1);

	if (!cookie || cookie > 0xffffffffu)
		return 0;
	if (i > p->all_batches || (i > p->batch_mark && i <= p->max_batches))
		return 0;
	return p->batches[i].cookie == cookie ? i : 0;
}

/* ------------------------------------------------------------- cut, undo -- */

uint32_t fph_pool_cut(struct fph_pool *p, struct fph_seg *segs,
		      uint32_t nsegs, uint32_t *batch)
{
	uint32_t i = fph_pool_oldest(p), n = 0, bytes = 0;
	struct fph_free_list *list;
	uint32_t ranges = 0;

	*batch = i && nsegs ? fph_pool_open(p) : 0;
	if (!*batch)
		return 0;
	list = &p->batches[*batch].runs;
	list->head = i;
	while (i && n < nsegs && p->runs[i].len <= FPH_MAX_BUFFER - bytes) {
		const struct fph_free_run *run = &p->runs[i];

		segs[n].gpa = run->gpa;
		segs[n].len = run->len;
		segs[n].flags = FPH_SEG_WRITE;
		n++;
		bytes += run->len;
		ranges += run->ranges;
		take_from_tree(p, i);
		list->tail = i;
		i = run->newer;
	}
	/* What is left is cut off once, not run by run. */
	p->runs[0].newer = i;
	p->runs[i].older = 0;
	if (!i)
		p->runs[0].older = 0;
	p->runs[list->tail].newer = 0;
	list->amount.bytes = bytes;
	list->amount.ranges = ranges;
	sub_amount(&p->waiting, &list->amount);
	add_amount(&p->outstanding, &list->amount);
	return n;
}

void fph_pool_finish(struct fph_pool *p, uint32_t i, struct fph_free_list *to)
{
	struct fph_free_list *list = &p->batches[i].runs;

	sub_amount(&p->outstanding, &list->amount);
	fph_pool_release(p, list, to);
	fph_pool_close(p, i);
}

/* Run i waits again, behind older.  Who it is, together with neighbours. */
static uint32_t put_back(struct fph_pool *p, uint32_t i, uint32_t older)
{
	uint32_t low, high;
	struct place place;

	find_place(p, p->runs[i].gpa, &place);
	p->runs[i].seq = 0;
	link_run(p, i, older);
	put_into_tree(p, i, place.parent, place.side);
	low = place.near[1];
	high = place.near[0];
	if (is_joinable(p, low, i))
		i = join_runs(p, low, i);
	if (is_joinable(p, i, high))
		i = join_runs(p, i, high);
	return i;
}

void fph_pool_undo(struct fph_pool *p, uint32_t i)
{
	struct fph_free_list *list = &p->batches[i].runs;
	uint32_t run = list->head, older = 0, next;

	sub_amount(&p->outstanding, &list->amount);
	add_amount(&p->waiting, &list->amount);
	while (run) {
		next = p->runs[run].newer;
		older = put_back(p, run, older);
		run = next;
	}
	fph_list_init(list);
	fph_pool_close(p, i);
}
