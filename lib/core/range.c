/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The coalescer.
 *
 * Slots never move; they are in one of these lists, tied by their links:
 *
 *	free	slots without a range
 *	open	what was added since the last close; sorted, unless disordered
 *	closed	sorted; runs are cut off its front
 *	a run	handed out, in ascending order; OUT is set in its first link
 *
 * Ends of ranges are inclusive, for a range may end at 2^64.
 */
#include "internal.h"

#define NIL	FPH_NIL
#define OUT	0x80000000u	/* in a link: first slot of a run handed out */

#define LAST_BYTE	(~(uint64_t)0)

/* Sorted pieces of 1, 2, 4 ... parts: enough for 2^31 - 1 slots. */
#define NBINS	31

struct span {
	uint64_t first;
	uint64_t last;		/* inclusive */
	uint64_t added;		/* bytes, what overlaps counted each time */
	uint32_t tail;
};

static bool is_init(const struct fph_coalescer *c)
{
	return c->magic == FPH_MAGIC_COALESCER;
}

static void free_all(struct fph_coalescer *c)
{
	uint32_t i;

	for (i = 0; i < c->nslots; i++)
		c->slots[i].link = i + 1 < c->nslots ? i + 1 : NIL;
	c->nfree = c->nslots;
	c->free_head = 0;
	c->open_head = NIL;
	c->closed_head = NIL;
	c->nopen = 0;
	c->disordered = false;
}

int fph_coalescer_init(struct fph_coalescer *c, struct fph_slot *slots,
		       uint32_t nslots, uint64_t granule)
{
	if (!nslots || nslots > NIL || !granule || (granule & (granule - 1)))
		return FPH_EINVAL;
	fph_memset(c, 0, sizeof(*c));
	c->magic = FPH_MAGIC_COALESCER;
	c->slots = slots;
	c->nslots = nslots;
	c->granule = granule;
	free_all(c);
	return FPH_OK;
}

int fph_coalescer_reset(struct fph_coalescer *c)
{
	if (!is_init(c))
		return FPH_EUNINIT;
	free_all(c);
	return FPH_OK;
}

/* ------------------------------------------------------------------- add -- */

static void append(struct fph_slot *slots, uint32_t *tail, uint32_t i)
{
	slots[*tail].link = i;
	slots[i].link = NIL;
	*tail = i;
}

/* Puts slot i at the end of a sorted list where it belongs, if it does. */
static bool put_sorted(struct fph_slot *slots, uint32_t *head, uint32_t *tail,
		       uint32_t i)
{
	if (*head == NIL) {
		slots[i].link = NIL;
		*head = i;
		*tail = i;
	} else if (slots[i].gpa >= slots[*tail].gpa) {
		append(slots, tail, i);
	} else if (slots[i].gpa <= slots[*head].gpa) {
		slots[i].link = *head;
		*head = i;
	} else {
		return false;
	}
	return true;
}

int fph_coalescer_add(struct fph_coalescer *c, uint64_t gpa, uint64_t len,
		      uint32_t owner)
{
	uint32_t i;

	if (!is_init(c))
		return FPH_EUNINIT;
	if (!len || gpa + (len - 1) < gpa)
		return FPH_EINVAL;
	if (!c->nfree)
		return FPH_EFULL;
	i = c->free_head;
	c->free_head = c->slots[i].link;
	c->nfree--;
	c->slots[i].gpa = gpa;
	c->slots[i].len = len;
	c->slots[i].owner = owner;
	if (c->disordered ||
	    !put_sorted(c->slots, &c->open_head, &c->open_tail, i)) {
		append(c->slots, &c->open_tail, i);
		c->disordered = true;
	}
	c->nopen++;
	c->counters.added++;
	c->counters.added_bytes += len;
	return FPH_OK;
}

/* ------------------------------------------------------------------ sort -- */

/* Cuts off the front of a list what grows from both ends, sorted. */
static uint32_t cut_piece(struct fph_slot *slots, uint32_t *list)
{
	uint32_t head = NIL;
	uint32_t tail = NIL;
	uint32_t next;

	while (*list != NIL) {
		next = slots[*list].link;
		if (!put_sorted(slots, &head, &tail, *list))
			break;
		*list = next;
	}
	return head;
}

/* Merges two sorted lists, neither of them empty. */
static uint32_t merge(struct fph_slot *slots, uint32_t a, uint32_t b)
{
	uint32_t head;
	uint32_t *link = &head;

	for (;;) {
		if (slots[b].gpa < slots[a].gpa) {
			*link = b;
			link = &slots[b].link;
			b = *link;
			if (b == NIL) {
				*link = a;
				return head;
			}
		} else {
			*link = a;
			link = &slots[a].link;
			a = *link;
			if (a == NIL) {
				*link = b;
				return head;
			}
		}
	}
}

/*
 * Merge sort from the bottom up.  bins[i] holds 2^i pieces or none, as the
 * digits of a binary counter; equal parts meet while they are still in cache.
 */
static uint32_t sort(struct fph_slot *slots, uint32_t list)
{
	uint32_t bins[NBINS];
	uint32_t piece, i;

	for (i = 0; i < NBINS; i++)
		bins[i] = NIL;
	while (list != NIL) {
		piece = cut_piece(slots, &list);
		for (i = 0; bins[i] != NIL; i++) {
			piece = merge(slots, bins[i], piece);
			bins[i] = NIL;
		}
		bins[i] = piece;
	}
	piece = NIL;
	for (i = 0; i < NBINS; i++) {
		if (bins[i] == NIL)
			continue;
		piece = piece == NIL ? bins[i] : merge(slots, bins[i], piece);
	}
	return piece;
}

/* ------------------------------------------------------------------ next -- */

void fph_coalescer_put(struct fph_coalescer *c, uint32_t list)
{
	if (c->closed_head == NIL)
		c->closed_head = list;
	else if (list != NIL)
		c->closed_head = merge(c->slots, c->closed_head, list);
}

void fph_coalescer_gather(struct fph_coalescer *c)
{
	fph_coalescer_put(c, c->disordered ? sort(c->slots, c->open_head) :
					     c->open_head);
	c->open_head = NIL;
	c->nopen = 0;
	c->disordered = false;
}

/* The longest run that begins with slot i of a sorted list. */
static void measure(const struct fph_slot *slots, uint32_t i,
		    struct span *span)
{
	const struct fph_slot *s = &slots[i];
	uint64_t last;
	uint32_t next;

	span->first = s->gpa;
	span->last = s->gpa;
	span->added = 0;
	for (;;) {
		last = s->gpa + (s->len - 1);
		if (last > span->last)
			span->last = last;
		span->added += s->len;
		span->tail = i;
		next = s->link & ~OUT;
		if (next == NIL)
			return;
		s = &slots[next];
		if (s->gpa > span->last && s->gpa - span->last > 1)
			return;
		i = next;
	}
}

/*
 * Aligns inwards.  Whole 2^64 bytes cannot be a length: such a run is cut by
 * one granule at its end, which is inwards too.
 */
static void trim(const struct span *span, uint64_t granule,
		 struct fph_run *run)
{
	uint64_t mask = granule - 1;
	uint64_t first = (span->first + mask) & ~mask;
	uint64_t end = (span->last + 1) & ~mask;	/* 0 means 2^64 */

	run->gpa = span->first;
	run->len = 0;
	if (first < span->first)
		return;			/* aligning it went beyond 2^64 */
	if (span->last == LAST_BYTE) {
		run->gpa = first;
		run->len = first ? 0 - first : 0 - granule;
	} else if (end > first) {
		run->gpa = first;
		run->len = end - first;
	}
}

int fph_coalescer_next(struct fph_coalescer *c, struct fph_run *run)
{
	struct span span;
	uint64_t bytes;
	uint32_t head;

	if (!is_init(c))
		return FPH_EUNINIT;
	if (c->closed_head == NIL)
		fph_coalescer_gather(c);
	head = c->closed_head;
	if (head == NIL)
		return 0;
	measure(c->slots, head, &span);
	c->closed_head = c->slots[span.tail].link;
	c->slots[span.tail].link = NIL;
	c->slots[head].link |= OUT;
	trim(&span, c->granule, run);
	run->token = head;
	/* Modulo 2^64, so that a run of 2^64 bytes comes out right as well. */
	bytes = span.last - span.first + 1;
	c->counters.runs++;
	c->counters.run_bytes += run->len;
	c->counters.trimmed_bytes += bytes - run->len;
	c->counters.overlap_bytes += span.added - bytes;
	return 1;
}

/* -------------------------------------------------------------- complete -- */

void fph_coalescer_release(struct fph_coalescer *c, uint32_t i,
			   struct fph_member *m)
{
	struct fph_slot *s = &c->slots[i];

	if (m != NULL) {
		m->range.gpa = s->gpa;
		m->range.len = s->len;
		m->owner = s->owner;
	}
	s->link = c->free_head;
	c->free_head = i;
	c->nfree++;
}

static bool is_out(const struct fph_coalescer *c, uint32_t token)
{
	return token < c->nslots && (c->slots[token].link & OUT);
}

int fph_coalescer_complete(struct fph_coalescer *c, uint32_t *token,
			   struct fph_member *m)
{
	uint32_t i = *token;
	uint32_t next;

	if (!is_init(c))
		return FPH_EUNINIT;
	if (i == FPH_NO_TOKEN)
		return 0;
	if (!is_out(c, i))
		return FPH_EINVAL;
	next = c->slots[i].link & ~OUT;
	fph_coalescer_release(c, i, m);
	if (next == NIL) {
		*token = FPH_NO_TOKEN;
	} else {
		c->slots[next].link |= OUT;
		*token = next;
	}
	return 1;
}

int fph_coalescer_find(const struct fph_coalescer *c, uint32_t token,
		       struct fph_run *run)
{
	struct span span;

	if (!is_out(c, token))
		return FPH_EINVAL;
	measure(c->slots, token, &span);
	trim(&span, c->granule, run);
	run->token = token;
	return FPH_OK;
}

/* Takes the first slot of a list, NIL if it is empty. */
static uint32_t pop(const struct fph_slot *slots, uint32_t *list)
{
	uint32_t head = *list;

	if (head != NIL)
		*list = slots[head].link;
	return head;
}

int fph_coalescer_drop(struct fph_coalescer *c, struct fph_member *m)
{
	uint32_t i = pop(c->slots, &c->closed_head);

	if (i == NIL) {
		i = pop(c->slots, &c->open_head);
		if (i == NIL)
			return 0;
		c->nopen--;
		if (c->open_head == NIL)
			c->disordered = false;
	}
	fph_coalescer_release(c, i, m);
	return 1;
}

/* ------------------------------------------------------------------- get -- */

bool fph_coalescer_is_waiting(const struct fph_coalescer *c)
{
	return c->closed_head != NIL || c->open_head != NIL;
}

uint32_t fph_coalescer_get_free(const struct fph_coalescer *c)
{
	return is_init(c) ? c->nfree : 0;
}

int fph_coalescer_get_counters(const struct fph_coalescer *c,
			       struct fph_coalescer_counters *out)
{
	if (!is_init(c))
		return FPH_EUNINIT;
	*out = c->counters;
	return FPH_OK;
}
