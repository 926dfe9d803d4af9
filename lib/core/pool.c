/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's free ranges: lists of runs, and batches.
 */
#include "pool.h"

/* ------------------------------------------------------------------ init -- */

size_t fph_pool_size(size_t head, uint32_t max_ranges, uint32_t max_batches,
		     uint32_t others)
{
	uint64_t slots = (uint64_t)max_ranges + 1;
	uint64_t groups = (uint64_t)fph_order_groups(max_ranges) + 1;
	uint64_t batches = (uint64_t)max_batches + others + 1;
	uint64_t size = head + slots * sizeof(struct fph_slot) +
			groups * sizeof(struct fph_group) +
			batches * sizeof(struct fph_batch);

	return size > (size_t)-1 ? 0 : (size_t)size;
}

bool fph_pool_configure(struct fph_pool_config *c)
{
	if (!c->max_ranges)
		c->max_ranges = 1024;
	if (!c->max_segs)
		c->max_segs = 32;
	if ((c->content != FPH_CONTENT_FREE &&
	     c->content != FPH_CONTENT_KEPT) ||
	    c->max_ranges > 0x7fffffff || c->max_batches > FPH_POOL_MAX_BATCHES)
		return false;
	c->size = fph_pool_size(c->head, c->max_ranges, c->max_batches,
				c->others);
	return c->size != 0;
}

void fph_pool_init(struct fph_pool *p, void *mem, uint32_t max_ranges,
		   uint32_t max_batches, uint32_t others)
{
	uint32_t last = max_batches + others;

	fph_memset(p, 0, sizeof(*p));
	p->slots = mem;
	p->groups = (void *)(p->slots + ((size_t)max_ranges + 1));
	p->batches = (void *)(p->groups +
			      ((size_t)fph_order_groups(max_ranges) + 1));
	p->max_ranges = max_ranges;
	p->max_batches = max_batches;
	p->all_batches = last;
	while (last >> p->shift)
		p->shift++;
	p->merge = true;
	p->seq = 1;
	p->urgent = 1;
	fph_order_clear(p);
	fph_memset(p->batches, 0, sizeof(*p->batches));
	fph_memset(p->batches + max_batches + 1, 0,
		   sizeof(*p->batches) * others);
}

int fph_pool_place(void *mem, size_t size, int ret,
		   const struct fph_pool_config *c)
{
	if (ret != FPH_OK)
		return ret;
	if (!fph_is_memory(mem, size, c->size))
		return FPH_EINVAL;
	fph_memset(mem, 0, c->head);
	return FPH_OK;
}

void fph_pool_start(struct fph_pool *p, void *mem,
		    const struct fph_pool_config *c)
{
	fph_pool_init(p, (uint8_t *)mem + c->head, c->max_ranges,
		      c->max_batches, c->others);
	p->max_segs = c->max_segs;
}

/* ----------------------------------------------------------------- lists -- */

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
		p->slots[to->tail].run.newer = from->head;
	else
		to->head = from->head;
	to->tail = from->tail;
	fph_amount_add(&to->amount, &from->amount);
	fph_list_init(from);
}

void fph_pool_release(struct fph_pool *p, struct fph_free_list *list,
		      struct fph_free_list *to)
{
	join(p, p->absorb ? &p->junk : to, list);
}

void fph_pool_withdraw(struct fph_pool *p, struct fph_free_list *to)
{
	const struct fph_free_run *ends = &p->slots[0].run;
	struct fph_free_list all;

	if (!p->nruns)
		return;
	all.amount = p->waiting;
	all.head = ends->newer;
	all.tail = ends->older;
	fph_memset(&p->waiting, 0, sizeof(p->waiting));
	fph_order_clear(p);
	fph_pool_release(p, &all, to);
}

/* ------------------------------------------------------------------ take -- */

/*
 * The head of run i leaves it, which has others.  The slot that is free then:
 * where the head's is the run's own, the next range moves in there.
 */
static uint32_t cut_head(struct fph_pool *p, uint32_t i, uint32_t head)
{
	struct fph_free_run *run = &p->slots[i].run;
	const struct fph_held *held = &p->slots[head].held;
	uint32_t next = held->next;

	run->gpa += held->len;
	run->len -= held->len;
	run->ranges--;
	if (head != i) {
		p->slots[run->tail].held.next = next;
		return head;
	}
	p->slots[i].held = p->slots[next].held;
	if (run->tail == next)
		run->tail = i;
	return next;
}

/* The first range of a run goes back.  True if it was the last one. */
static inline bool take_range(struct fph_pool *p, uint32_t i,
			      struct fph_returned *out, bool used)
{
	const struct fph_free_run *run = &p->slots[i].run;
	bool is_last = run->ranges == 1;
	uint32_t slot = is_last ? i : p->slots[run->tail].held.next;
	const struct fph_held *held = &p->slots[slot].held;

	out->gpa = held->gpa;
	out->len = held->len;
	out->owner = held->owner;
	out->used = used;
	out->reserved = 0;
	if (!is_last)
		slot = cut_head(p, i, slot);
	p->slots[slot].held.next = p->free_slot;
	p->free_slot = slot;
	return is_last;
}

uint32_t fph_pool_take(struct fph_pool *p, struct fph_free_list *list,
		       struct fph_returned *out, uint32_t n, bool used)
{
	struct fph_returned *to = out, *end = out + n;
	uint32_t i = list->head, next;
	uint64_t bytes = 0;

	while (i && to < end) {
		next = p->slots[i].run.newer;
		if (take_range(p, i, to, used))
			i = next;
		bytes += to->len;
		to++;
	}
	list->head = i;
	list->amount.bytes -= bytes;
	list->amount.ranges -= (uint32_t)(to - out);
	return (uint32_t)(to - out);
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
			fph_order_remove(p, i);
			fph_age_remove(p, i);
		} else {
			fph_order_moved(p, i);
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
	struct fph_free_list *list;
	uint32_t n;

	*batch = p->nruns && nsegs ? fph_pool_open(p) : 0;
	if (!*batch)
		return 0;
	list = &p->batches[*batch].runs;
	n = fph_order_cut(p, segs, nsegs, list);
	fph_amount_add(&p->outstanding, &list->amount);
	return n;
}

void fph_pool_finish(struct fph_pool *p, uint32_t i, struct fph_free_list *to)
{
	struct fph_free_list *list = &p->batches[i].runs;

	sub_amount(&p->outstanding, &list->amount);
	fph_pool_release(p, list, to);
	fph_pool_close(p, i);
}

void fph_pool_undo(struct fph_pool *p, uint32_t i)
{
	struct fph_free_list *list = &p->batches[i].runs;
	uint32_t run = list->head, older = 0, next;

	sub_amount(&p->outstanding, &list->amount);
	fph_amount_add(&p->waiting, &list->amount);
	while (run) {
		next = p->slots[run].run.newer;
		older = fph_pool_put_back(p, run, older);
		run = next;
	}
	fph_list_init(list);
	fph_pool_close(p, i);
}
