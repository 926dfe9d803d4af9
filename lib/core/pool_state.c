/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of the guest's free ranges: runs with their ranges, list by list.
 */
#include "pool_state.h"

/* ------------------------------------------------------------------ time -- */

#define NEVER	(FPH_FOREVER >> 1)

uint64_t fph_time_left(uint64_t when, uint64_t now)
{
	uint64_t n = when >= now ? when - now : now - when;

	if (when == FPH_FOREVER)
		return NEVER;
	if (n >= NEVER)
		n = NEVER - 1;
	return when >= now ? n : ~n + 1;
}

uint64_t fph_time_when(uint64_t left, uint64_t now)
{
	if (left <= NEVER)
		return left == NEVER || left > FPH_FOREVER - now ?
			       FPH_FOREVER : now + left;
	left = ~left + 1;
	return left < now ? now - left : 0;
}

/* ------------------------------------------------------------------ save -- */

static void save_run(const struct fph_pool *p, const struct fph_free_run *run,
		     struct fph_state_writer *w)
{
	uint32_t slot = run->tail;

	fph_state_put32(w, run->ranges);
	for (uint32_t n = run->ranges; n; n--) {
		const struct fph_held *held;

		slot = p->slots[slot].held.next;
		held = &p->slots[slot].held;
		fph_state_put64(w, held->gpa);
		fph_state_put32(w, held->len);
		fph_state_put64(w, held->owner);
	}
}

static void save_aged(const struct fph_pool *p, uint32_t head, uint64_t now,
		      struct fph_state_writer *w)
{
	uint32_t n = 0;

	for (uint32_t i = head; i; i = p->slots[i].run.newer)
		n++;
	fph_state_put32(w, n);
	for (uint32_t i = head; i; i = p->slots[i].run.newer) {
		fph_state_put64(w, fph_time_left(p->slots[i].run.due, now));
		fph_state_put64(w, p->slots[i].run.seq);
		save_run(p, &p->slots[i].run, w);
	}
}

void fph_pool_save_list(const struct fph_pool *p,
			const struct fph_free_list *list,
			struct fph_state_writer *w)
{
	uint32_t n = 0;

	for (uint32_t i = list->head; i; i = p->slots[i].run.newer)
		n++;
	fph_state_put32(w, n);
	for (uint32_t i = list->head; i; i = p->slots[i].run.newer)
		save_run(p, &p->slots[i].run, w);
}

/* The greatest one that a buffer had. */
static uint32_t find_serial(const struct fph_pool *p)
{
	uint32_t serial = 0;

	for (uint32_t i = 1; i <= p->all_batches; i++) {
		if (i > p->batch_mark && i <= p->max_batches)
			continue;
		if (p->batches[i].serial > serial)
			serial = p->batches[i].serial;
	}
	return serial;
}

void fph_pool_save(const struct fph_pool *p, uint64_t now,
		   struct fph_state_writer *w)
{
	uint32_t n = 0;

	for (uint32_t i = p->batches[0].newer; i; i = p->batches[i].newer)
		n++;
	fph_state_put32(w, p->all_batches);
	fph_state_put64(w, p->seq);
	fph_state_put64(w, p->urgent);
	fph_state_put32(w, find_serial(p));
	fph_state_put32(w, n);
	for (uint32_t i = p->batches[0].newer; i; i = p->batches[i].newer) {
		const struct fph_batch *b = &p->batches[i];

		fph_state_put32(w, b->cookie);
		fph_state_put32(w, b->tag);
		fph_state_put32(w, b->id);
		save_aged(p, b->runs.head, now, w);
	}
	save_aged(p, fph_pool_oldest(p), now, w);
	fph_pool_save_list(p, &p->back[false], w);
	fph_pool_save_list(p, &p->back[true], w);
}

/* ------------------------------------------------------------------ load -- */

static bool is_fresh(const struct fph_pool *p)
{
	return p->seq == 1 && !p->batch_mark && !p->batches[0].newer;
}

int fph_pool_take_state(const struct fph_pool *p, struct fph_state_reader *r,
			const void *buf, size_t size, uint16_t kind,
			uint32_t latest)
{
	if (!buf)
		return FPH_EINVAL;
	if (!is_fresh(p))
		return FPH_EBUSY;
	return fph_state_open(r, buf, size, kind, latest);
}

/* The least that a range and a run take. */
#define RANGE_BYTES	20u
#define RUN_BYTES	(4u + RANGE_BYTES)

/* A range behind the end of the run, whose slots stand in a ring. */
static int load_range(struct fph_pool *p, struct fph_state_reader *r,
		      struct fph_free_run *run)
{
	uint32_t i = ++p->slot_mark;
	struct fph_held *held = &p->slots[i].held;

	held->gpa = fph_state_get64(r);
	held->len = fph_state_get32(r);
	held->owner = fph_state_get64(r);
	held->next = i;
	if (fph_is_bad_range(held->gpa, held->len))
		return FPH_ECORRUPT;
	if (!run->ranges) {
		run->gpa = held->gpa;
	} else {
		struct fph_held *tail = &p->slots[run->tail].held;

		if (!held->gpa || run->gpa + (run->len - 1) != held->gpa - 1 ||
		    held->len > FPH_MAX_BUFFER - run->len)
			return FPH_ECORRUPT;
		held->next = tail->next;
		tail->next = i;
	}
	run->tail = i;
	run->len += held->len;
	run->ranges++;
	return FPH_OK;
}

/* The next run, in no list. */
static int load_run(struct fph_pool *p, struct fph_state_reader *r,
		    struct fph_pool_loaded *l, bool aged)
{
	struct fph_free_run *run;
	uint32_t n;
	int ret;

	if (l->ranges == p->max_ranges)
		return FPH_EREFUSED;
	/* A run has a range, and stands in the slot of the first. */
	run = &p->slots[p->slot_mark + 1].run;
	fph_memset(run, 0, sizeof(*run));
	if (aged) {
		run->due = fph_time_when(fph_state_get64(r), l->now);
		run->seq = fph_state_get64(r);
	}
	n = fph_state_get32(r);
	if (!n || run->seq >= p->seq || !fph_state_has(r, n, RANGE_BYTES))
		return FPH_ECORRUPT;
	if (n > p->max_ranges - l->ranges)
		return FPH_EREFUSED;
	l->ranges += n;
	while (n--) {
		ret = load_range(p, r, run);
		if (ret != FPH_OK)
			return ret;
	}
	return FPH_OK;
}

static int load_runs(struct fph_pool *p, struct fph_state_reader *r,
		     struct fph_pool_loaded *l, struct fph_free_list *list,
		     bool aged)
{
	uint32_t n = fph_state_get32(r);
	int ret;

	fph_list_init(list);
	if (!fph_state_has(r, n, RUN_BYTES))
		return FPH_ECORRUPT;
	while (n--) {
		uint32_t i = p->slot_mark + 1;

		ret = load_run(p, r, l, aged);
		if (ret != FPH_OK)
			return ret;
		if (list->head)
			p->slots[list->tail].run.newer = i;
		else
			list->head = i;
		list->tail = i;
		list->amount.bytes += p->slots[i].run.len;
		list->amount.ranges += p->slots[i].run.ranges;
	}
	return FPH_OK;
}

int fph_pool_load_list(struct fph_pool *p, struct fph_state_reader *r,
		       struct fph_pool_loaded *l, struct fph_free_list *list)
{
	return load_runs(p, r, l, list, false);
}

/*
 * A run waits, as the youngest one, and is not joined with others.  With absorb
 * it may overlap what waits: both were seen, and one of them was cancelled.
 */
static int wait_again(struct fph_pool *p, uint32_t i)
{
	const struct fph_free_run *run = &p->slots[i].run;
	struct fph_gap gap = fph_gap_behind(p, fph_order_find(p, run->gpa));

	if (!p->absorb &&
	    (run->gpa - gap.low->gpa < gap.low->len ||
	     (gap.high->len && gap.high->gpa - run->gpa < run->len)))
		return FPH_EEXIST;
	fph_age_insert(p, i, p->slots[0].run.older);
	fph_order_link(p, i, &gap);
	p->waiting.bytes += run->len;
	p->waiting.ranges += run->ranges;
	return FPH_OK;
}

/* What waits goes into the tree, the oldest first. */
static int load_waiting(struct fph_pool *p, struct fph_state_reader *r,
			struct fph_pool_loaded *l)
{
	struct fph_free_list list;
	uint64_t seq = 0;
	uint32_t i, next;
	int ret = load_runs(p, r, l, &list, true);

	for (i = list.head; i && ret == FPH_OK; i = next) {
		next = p->slots[i].run.newer;
		if (p->slots[i].run.seq < seq || wait_again(p, i) != FPH_OK)
			ret = FPH_ECORRUPT;
		seq = p->slots[i].run.seq;
	}
	return ret;
}

/* A buffer that is out: its place is a part of its cookie. */
static int load_batch(struct fph_pool *p, struct fph_state_reader *r,
		      struct fph_pool_loaded *l)
{
	uint32_t cookie = fph_state_get32(r);
	uint32_t i = cookie & ((1u << p->shift) - 1);
	struct fph_batch *b;
	int ret;

	if (!i || i > p->all_batches || p->batches[i].cookie)
		return FPH_ECORRUPT;
	b = &p->batches[i];
	b->serial = (cookie >> p->shift) - 1;
	fph_pool_open_at(p, i);
	b->tag = fph_state_get32(r);
	b->id = fph_state_get32(r);
	ret = load_runs(p, r, l, &b->runs, true);
	if (ret != FPH_OK)
		return ret;
	if (b->runs.amount.bytes > FPH_MAX_BUFFER ||
	    (i > p->max_batches && b->runs.head))
		return FPH_ECORRUPT;
	p->nbatches += i <= p->max_batches;
	p->outstanding.bytes += b->runs.amount.bytes;
	p->outstanding.ranges += b->runs.amount.ranges;
	return FPH_OK;
}

static void set_serials(struct fph_pool *p, uint32_t serial)
{
	p->free_batch = 0;
	for (uint32_t i = p->all_batches; i; i--) {
		struct fph_batch *b = &p->batches[i];

		if (b->cookie)
			continue;
		b->serial = serial;
		if (i > p->max_batches)
			continue;
		b->newer = p->free_batch;
		p->free_batch = i;
	}
}

/* The oldest batch that still has ranges. */
static uint32_t find_fullest(const struct fph_pool *p)
{
	uint32_t i = p->batches[0].newer;

	while (i && !p->batches[i].runs.head)
		i = p->batches[i].newer;
	return i;
}

int fph_pool_load(struct fph_pool *p, struct fph_state_reader *r,
		  struct fph_pool_loaded *l)
{
	uint32_t n;
	int ret;

	/* How many bits of a cookie are its place follows from it. */
	if (fph_state_get32(r) != p->all_batches)
		return r->bad ? FPH_ECORRUPT : FPH_EREFUSED;
	p->seq = fph_state_get64(r);
	p->urgent = fph_state_get64(r);
	l->serial = fph_state_get32(r);
	n = fph_state_get32(r);
	if (!p->seq || p->urgent > p->seq ||
	    l->serial > 0xffffffffu >> p->shift)
		return FPH_ECORRUPT;
	/* Their places are not in use, and hold what they held before. */
	p->batch_mark = p->max_batches;
	for (uint32_t i = 1; i <= p->max_batches; i++)
		p->batches[i].cookie = 0;
	while (n--) {
		ret = load_batch(p, r, l);
		if (ret != FPH_OK)
			return ret;
	}
	set_serials(p, l->serial);
	p->fullest = find_fullest(p);
	ret = load_waiting(p, r, l);
	if (ret == FPH_OK)
		ret = load_runs(p, r, l, &p->back[false], false);
	if (ret == FPH_OK)
		ret = load_runs(p, r, l, &p->back[true], false);
	return ret;
}

void fph_pool_forget(struct fph_pool *p)
{
	struct fph_pool old = *p;

	fph_pool_init(p, old.slots, old.max_ranges, old.max_batches,
		      old.all_batches - old.max_batches);
	p->max_segs = old.max_segs;
	p->merge = old.merge;
	p->absorb = old.absorb;
}
