/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include "pool_add.h"

/* The slots of the first run that nobody wants back can be used again. */
static void recycle(struct fph_pool *p)
{
	const struct fph_free_run *run = &p->slots[p->junk.head].run;
	struct fph_held *tail = &p->slots[run->tail].held;

	p->free_slot = tail->next;
	tail->next = 0;
	p->junk.head = run->newer;
}

/* There is a slot that is free, or none. */
static void find_slot(struct fph_pool *p)
{
	if (p->slot_mark < p->max_ranges) {
		p->free_slot = ++p->slot_mark;
		p->slots[p->free_slot].held.next = 0;
	} else if (p->junk.head) {
		recycle(p);
	}
}

/* A slot for a range; 0: all are in use. */
static inline uint32_t take_slot(struct fph_pool *p, uint64_t gpa,
				 uint32_t len, uint64_t owner)
{
	struct fph_held *held;
	uint32_t i;

	if (!p->free_slot)
		find_slot(p);
	i = p->free_slot;
	if (!i)
		return 0;
	held = &p->slots[i].held;
	p->free_slot = held->next;
	held->gpa = gpa;
	held->owner = owner;
	held->len = len;
	p->waiting.bytes += len;
	held->next = i;
	p->waiting.ranges++;
	return i;
}

/* ----------------------------------------------------------------- merge -- */

static bool is_joinable(const struct fph_pool *p, uint32_t low, uint32_t high)
{
	const struct fph_free_run *l = &p->slots[low].run;
	const struct fph_free_run *h = &p->slots[high].run;

	return p->merge && low && high && h->gpa - l->gpa == l->len &&
	       h->len <= FPH_MAX_BUFFER - l->len;
}

/* Makes one of two neighbours, in the place of the older one. */
static uint32_t join_runs(struct fph_pool *p, uint32_t low, uint32_t high)
{
	bool is_low = p->slots[low].run.seq <= p->slots[high].run.seq;
	uint32_t keep = is_low ? low : high, drop = is_low ? high : low;
	struct fph_free_run *run = &p->slots[keep].run;
	struct fph_held *low_tail, *high_tail;
	uint32_t low_head;

	fph_order_remove(p, drop);
	fph_age_remove(p, drop);
	low_tail = &p->slots[p->slots[low].run.tail].held;
	high_tail = &p->slots[p->slots[high].run.tail].held;
	low_head = low_tail->next;
	low_tail->next = high_tail->next;
	high_tail->next = low_head;
	run->gpa = p->slots[low].run.gpa;
	run->tail = p->slots[high].run.tail;
	run->len += p->slots[drop].run.len;
	run->ranges += p->slots[drop].run.ranges;
	fph_order_moved(p, keep);
	return keep;
}

/* Run i is new at its gap.  Who it is, together with neighbours. */
static uint32_t join_near(struct fph_pool *p, uint32_t i)
{
	uint32_t below = p->slots[i].run.lower, above = p->slots[i].run.higher;

	if (is_joinable(p, below, i))
		i = join_runs(p, below, i);
	if (is_joinable(p, i, above))
		i = join_runs(p, i, above);
	return i;
}

uint32_t fph_pool_put_back(struct fph_pool *p, uint32_t i, uint32_t older)
{
	uint32_t below = fph_order_find(p, p->slots[i].run.gpa);
	struct fph_gap gap = fph_gap_behind(p, below);

	p->slots[i].run.seq = 0;
	fph_age_insert(p, i, older);
	fph_order_link(p, i, &gap);
	return join_near(p, i);
}

/* ------------------------------------------------------------------- add -- */

/* The slot is a run of its own, the youngest. */
static inline void add_run(struct fph_pool *p, uint32_t i,
			   const struct fph_gap *gap, uint64_t due)
{
	struct fph_free_run *run = &p->slots[i].run;
	struct fph_free_run *ends = &p->slots[0].run;

	run->tail = i;
	run->ranges = 1;
	run->gpa = p->slots[i].held.gpa;
	run->len = p->slots[i].held.len;
	run->due = due;
	run->seq = p->seq++;
	run->newer = 0;
	run->older = ends->older;
	p->slots[ends->older].run.newer = i;
	ends->older = i;
	fph_order_link(p, i, gap);
}

/*
 * The slot goes behind the tail of the run below, if it touches that.  Without
 * this a run would be made for it and joined: 200 instructions more.
 */
static bool append(struct fph_pool *p, uint32_t i, const struct fph_gap *gap)
{
	const struct fph_held *held = &p->slots[i].held;
	struct fph_free_run *low = gap->low;

	if (!p->merge || !gap->below || held->gpa - low->gpa != low->len ||
	    held->len > FPH_MAX_BUFFER - low->len)
		return false;
	low->len += held->len;
	low->ranges++;
	p->slots[i].held.next = p->slots[low->tail].held.next;
	p->slots[low->tail].held.next = i;
	low->tail = i;
	p->last = gap->below;
	if (is_joinable(p, gap->below, gap->above))
		p->last = join_runs(p, gap->below, gap->above);
	return true;
}

/* Adds what does not overlap, in its gap.  It is of the last run now. */
static int add_piece(struct fph_pool *p, uint64_t gpa, uint32_t len,
		     uint64_t owner, uint64_t due, const struct fph_gap *gap)
{
	uint32_t i = take_slot(p, gpa, len, owner);

	if (!i)
		return FPH_EFULL;
	if (append(p, i, gap))
		return FPH_OK;
	add_run(p, i, gap, due);
	p->last = join_near(p, i);
	return FPH_OK;
}

/* What waits already is left out.  Each piece fills a gap. */
static int absorb(struct fph_pool *p, const struct fph_owned_range *range,
		  uint64_t due, struct fph_gap gap)
{
	uint64_t gpa = range->gpa, last = gpa + (range->len - 1), end;
	int ret;

	for (;; gap = fph_gap_behind(p, fph_order_find(p, gpa))) {
		if (gpa - gap.low->gpa < gap.low->len) {
			end = gap.low->gpa + (gap.low->len - 1);
			if (end >= last) {
				p->last = gap.below;
				return FPH_OK;
			}
			gpa = end + 1;
			continue;
		}
		end = last;
		if (gap.high->len && gap.high->gpa <= last)
			end = gap.high->gpa - 1;
		ret = add_piece(p, gpa, (uint32_t)(end - gpa + 1),
				range->owner, due, &gap);
		if (ret || end == last)
			return ret;
		gpa = end + 1;
	}
}

/* It touches what waits, or overlaps it, or is at the end of all memory. */
static int add_close(struct fph_pool *p, const struct fph_owned_range *range,
		     uint64_t due, uint32_t below)
{
	struct fph_gap gap = fph_gap_behind(p, below);

	if (p->absorb)
		return absorb(p, range, due, gap);
	/* Run 0 has no length. */
	if (range->gpa - gap.low->gpa < gap.low->len ||
	    (gap.high->len && gap.high->gpa - range->gpa < range->len))
		return FPH_EEXIST;
	return add_piece(p, range->gpa, (uint32_t)range->len, range->owner,
			 due, &gap);
}

/*
 * What comes in order goes on behind the last one: that saves the way down, 100
 * instructions.  To be there is one compare, modulo 2^64: run 0 is at either
 * end of all memory.  The gap behind run 0 is not one before a run at 0.
 */
static inline int add(struct fph_pool *p, const struct fph_owned_range *range,
		      uint64_t due, struct fph_gap *gap)
{
	uint64_t gpa = range->gpa, len = range->len;
	uint64_t low = gap->low->gpa, high = gap->high->gpa;
	uint32_t i;
	int ret;

	if (fph_is_bad_range(gpa, len) || len > FPH_MAX_BUFFER)
		return FPH_EINVAL;
	if (gpa - low > high - low - 1) {
		*gap = fph_gap_behind(p, fph_order_find(p, gpa));
		low = gap->low->gpa;
		high = gap->high->gpa;
	}
	if (gpa - low <= gap->low->len || high - gpa <= len) {
		ret = add_close(p, range, due, gap->below);
		if (!ret)
			*gap = fph_gap_behind(p, p->last);
		return ret;
	}
	i = take_slot(p, gpa, (uint32_t)len, range->owner);
	if (!i)
		return FPH_EFULL;
	add_run(p, i, gap, due);
	gap->below = i;
	gap->low = &p->slots[i].run;
	return FPH_OK;
}

int fph_pool_add(struct fph_pool *p, const struct fph_owned_range *ranges,
		 uint32_t n, uint64_t due)
{
	/* Where the last one was; behind all others, if it does not wait. */
	bool waits = p->last && p->slots[p->last].run.group;
	uint32_t below = waits ? p->last : p->slots[0].run.lower;
	struct fph_gap gap = fph_gap_behind(p, below);
	int ret = FPH_EINVAL;
	uint32_t i;

	for (i = 0; i < n; i++) {
		ret = add(p, &ranges[i], due, &gap);
		if (ret)
			break;
	}
	if (i)
		p->last = gap.below;
	return i ? (int)i : ret;
}
