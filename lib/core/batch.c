/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Batches over a coalescer: what reporter and hinter share.
 *
 * The coalescer's open and closed sets are what waits.  A batch cuts its
 * ranges off the front of the closed set, in ascending order, and keeps them
 * as a list of slots, so that they can be put back where they were.  Batches
 * that are out form a list too, the oldest first.
 */
#include "internal.h"

/* What a batch would take from the front of the closed set. */
struct cut {
	uint64_t last;		/* byte of its last run, inclusive */
	uint64_t added;		/* bytes, what overlaps counted each time */
	uint32_t bytes;		/* in its runs */
	uint32_t nsegs;
	uint32_t nranges;
	uint32_t tail;		/* its last slot */
	bool full;
};

/* ----------------------------------------------------------------- lists -- */

static void sub_amount(struct fph_amount *a, const struct fph_amount *b)
{
	a->bytes -= b->bytes;
	a->ranges -= b->ranges;
}

void fph_amount_add(struct fph_amount *a, const struct fph_amount *b)
{
	a->bytes += b->bytes;
	a->ranges += b->ranges;
}

void fph_slot_list_init(struct fph_slot_list *list)
{
	list->amount.bytes = 0;
	list->amount.ranges = 0;
	list->head = FPH_NIL;
	list->tail = FPH_NIL;
}

void fph_slot_list_join(struct fph_slot *slots, struct fph_slot_list *to,
			struct fph_slot_list *from)
{
	if (from->head == FPH_NIL)
		return;
	if (to->head == FPH_NIL)
		to->head = from->head;
	else
		slots[to->tail].link = from->head;
	to->tail = from->tail;
	fph_amount_add(&to->amount, &from->amount);
	fph_slot_list_init(from);
}

static void set_returned(struct fph_returned *out, const struct fph_member *m)
{
	out->range = m->range;
	out->owner = m->owner;
	out->used = false;
}

int fph_batcher_take(struct fph_batcher *b, struct fph_slot_list *list,
		     struct fph_returned *out)
{
	uint32_t i = list->head;
	struct fph_member m;

	if (i == FPH_NIL)
		return 0;
	list->head = b->ranges.slots[i].link;
	fph_coalescer_release(&b->ranges, i, &m);
	list->amount.bytes -= m.range.len;
	list->amount.ranges--;
	set_returned(out, &m);
	return 1;
}

int fph_batcher_give(struct fph_batcher *b, struct fph_returned *out)
{
	if (fph_batcher_take(b, &b->back[true], out)) {
		out->used = true;
		return 1;
	}
	return fph_batcher_take(b, &b->back[false], out);
}

/* ------------------------------------------------------------------ init -- */

int fph_batcher_init(struct fph_batcher *b,
		     const struct fph_batcher_storage *storage,
		     uint32_t max_segs, uint32_t max_ranges, bool merge)
{
	uint32_t i;

	if (!storage->slots || !storage->batches || !storage->nbatches ||
	    storage->nbatches > FPH_NIL || !max_segs || !max_ranges)
		return FPH_EINVAL;
	fph_memset(b, 0, sizeof(*b));
	if (fph_coalescer_init(&b->ranges, storage->slots, storage->nslots, 1))
		return FPH_EINVAL;
	fph_slot_list_init(&b->back[false]);
	fph_slot_list_init(&b->back[true]);
	b->batches = storage->batches;
	b->nbatches = storage->nbatches;
	b->first_out = FPH_NIL;
	b->last_out = FPH_NIL;
	b->max_segs = max_segs;
	b->max_ranges = max_ranges;
	b->merge = merge;
	fph_memset(b->batches, 0, sizeof(*b->batches) * b->nbatches);
	for (i = 0; i < b->nbatches; i++)
		b->batches[i].next = i + 1 < b->nbatches ? i + 1 : FPH_NIL;
	b->free_head = 0;
	return FPH_OK;
}

/* --------------------------------------------------------------- waiting -- */

int fph_batcher_add(struct fph_batcher *b, uint64_t gpa, uint64_t len,
		    uint32_t owner)
{
	int ret;

	if (len > FPH_MAX_BUFFER)
		return FPH_EINVAL;
	ret = fph_coalescer_add(&b->ranges, gpa, len, owner);
	if (ret != FPH_OK)
		return ret;
	b->waiting.bytes += len;
	b->waiting.ranges++;
	return FPH_OK;
}

/* Some of what waited does so no more. */
static void leave_waiting(struct fph_batcher *b,
			  const struct fph_amount *amount)
{
	sub_amount(&b->waiting, amount);
	b->urgent -= b->urgent < amount->ranges ? b->urgent : amount->ranges;
}

int fph_batcher_pop(struct fph_batcher *b, struct fph_returned *out)
{
	struct fph_amount one = { 0, 1 };
	struct fph_member m;

	if (!fph_coalescer_drop(&b->ranges, &m))
		return 0;
	set_returned(out, &m);
	one.bytes = m.range.len;
	leave_waiting(b, &one);
	return 1;
}

void fph_batcher_withdraw(struct fph_batcher *b, struct fph_slot_list *to)
{
	struct fph_slot_list all;
	uint32_t i;

	fph_coalescer_gather(&b->ranges);
	all.amount = b->waiting;
	all.head = b->ranges.closed_head;
	all.tail = FPH_NIL;
	for (i = all.head; i != FPH_NIL; i = b->ranges.slots[i].link)
		all.tail = i;
	b->ranges.closed_head = FPH_NIL;
	leave_waiting(b, &all.amount);
	fph_slot_list_join(b->ranges.slots, to, &all);
}

/* ------------------------------------------------------------------- cut -- */

/* Whether a range that begins at gpa goes on with the last run. */
static bool is_joined(const struct fph_batcher *b, const struct cut *cut,
		      uint64_t gpa)
{
	return b->merge && cut->nsegs &&
	       (gpa <= cut->last || gpa - cut->last == 1);
}

/* Takes one more range into the cut; false if that would be too much. */
static bool extend(const struct fph_batcher *b, struct cut *cut, uint32_t i,
		   struct fph_seg *segs, uint32_t nsegs)
{
	const struct fph_slot *s = &b->ranges.slots[i];
	uint64_t last = s->gpa + (s->len - 1);
	bool joined = is_joined(b, cut, s->gpa);
	uint32_t more = (uint32_t)s->len;

	if (joined)
		more = last > cut->last ? (uint32_t)(last - cut->last) : 0;
	if (cut->nranges == b->max_ranges || more > FPH_MAX_BUFFER - cut->bytes)
		return false;
	if (!joined) {
		if (cut->nsegs == nsegs)
			return false;
		if (segs != NULL) {
			segs[cut->nsegs].gpa = s->gpa;
			segs[cut->nsegs].len = more;
			segs[cut->nsegs].flags = FPH_SEG_WRITE;
		}
		cut->nsegs++;
		cut->last = last;
	} else {
		if (segs != NULL)
			segs[cut->nsegs - 1].len += more;
		cut->last += more;
	}
	cut->bytes += more;
	cut->added += s->len;
	cut->nranges++;
	cut->tail = i;
	return true;
}

/* Measures a batch of nsegs segments at most; writes them if segs is given. */
static void plan(const struct fph_batcher *b, struct cut *cut,
		 struct fph_seg *segs, uint32_t nsegs)
{
	uint32_t i = b->ranges.closed_head;

	fph_memset(cut, 0, sizeof(*cut));
	while (i != FPH_NIL && extend(b, cut, i, segs, nsegs))
		i = b->ranges.slots[i].link;
	cut->full = i != FPH_NIL || cut->nsegs == nsegs ||
		    cut->nranges == b->max_ranges;
}

/* Whether a full batch waits; a cheap no where it is plain. */
static bool is_full(struct fph_batcher *b)
{
	struct cut cut;

	if (b->waiting.ranges < b->max_segs &&
	    b->waiting.ranges < b->max_ranges &&
	    b->waiting.bytes <= FPH_MAX_BUFFER)
		return false;
	fph_coalescer_gather(&b->ranges);
	plan(b, &cut, NULL, b->max_segs);
	return cut.full;
}

uint32_t fph_batcher_serial(struct fph_batcher *b)
{
	b->serial++;
	if (!b->serial)
		b->serial = 1;
	return b->serial;
}

/* Takes a free batch to the end of those that are out. */
static uint32_t take_batch(struct fph_batcher *b)
{
	uint32_t i = b->free_head;
	struct fph_batch *batch = &b->batches[i];

	b->free_head = batch->next;
	batch->serial = fph_batcher_serial(b);
	batch->ended = false;
	batch->next = FPH_NIL;
	batch->prev = b->last_out;
	if (b->last_out == FPH_NIL)
		b->first_out = i;
	else
		b->batches[b->last_out].next = i;
	b->last_out = i;
	b->nout++;
	return i;
}

int fph_batcher_cut(struct fph_batcher *b, bool force, struct fph_seg *segs,
		    uint32_t nsegs, uint64_t *cookie)
{
	struct fph_slot_list *members;
	struct cut cut;
	uint32_t i;

	if (b->free_head == FPH_NIL || !b->waiting.ranges)
		return 0;
	if (!force && !b->urgent && !is_full(b))
		return 0;
	fph_coalescer_gather(&b->ranges);
	plan(b, &cut, segs, nsegs < b->max_segs ? nsegs : b->max_segs);
	i = take_batch(b);
	members = &b->batches[i].members;
	members->amount.bytes = cut.added;
	members->amount.ranges = cut.nranges;
	members->head = b->ranges.closed_head;
	members->tail = cut.tail;
	b->ranges.closed_head = b->ranges.slots[cut.tail].link;
	b->ranges.slots[cut.tail].link = FPH_NIL;
	leave_waiting(b, &members->amount);
	fph_amount_add(&b->outstanding, &members->amount);
	*cookie = (uint64_t)b->batches[i].serial << 32 | i;
	return (int)cut.nsegs;
}

/* --------------------------------------------------------------- batches -- */

struct fph_batch *fph_batcher_find(const struct fph_batcher *b,
				   uint64_t cookie)
{
	uint32_t i = (uint32_t)(cookie & 0xffffffffu);
	uint32_t serial = (uint32_t)(cookie >> 32);

	if (i >= b->nbatches || !serial || b->batches[i].serial != serial)
		return NULL;
	return &b->batches[i];
}

static void free_batch(struct fph_batcher *b, struct fph_batch *batch)
{
	uint32_t i = (uint32_t)(batch - b->batches);

	if (batch->prev == FPH_NIL)
		b->first_out = batch->next;
	else
		b->batches[batch->prev].next = batch->next;
	if (batch->next == FPH_NIL)
		b->last_out = batch->prev;
	else
		b->batches[batch->next].prev = batch->prev;
	batch->serial = 0;
	batch->next = b->free_head;
	b->free_head = i;
	b->nout--;
}

void fph_batcher_finish(struct fph_batcher *b, struct fph_batch *batch,
			struct fph_slot_list *to)
{
	sub_amount(&b->outstanding, &batch->members.amount);
	fph_slot_list_join(b->ranges.slots, to, &batch->members);
	free_batch(b, batch);
}

void fph_batcher_undo(struct fph_batcher *b, struct fph_batch *batch)
{
	const struct fph_slot_list *members = &batch->members;

	sub_amount(&b->outstanding, &members->amount);
	fph_amount_add(&b->waiting, &members->amount);
	fph_coalescer_put(&b->ranges, members->head);
	free_batch(b, batch);
}

int fph_batcher_pop_out(struct fph_batcher *b, struct fph_returned *out)
{
	struct fph_amount one = { 0, 1 };
	uint32_t i;

	for (i = b->first_out; i != FPH_NIL; i = b->batches[i].next) {
		if (!fph_batcher_take(b, &b->batches[i].members, out))
			continue;
		one.bytes = out->range.len;
		sub_amount(&b->outstanding, &one);
		return 1;
	}
	return 0;
}
