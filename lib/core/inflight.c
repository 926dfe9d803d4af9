/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Buffers in flight over a coalescer.
 */
#include "common.h"
#include "inflight.h"

#define NIL		0xffffffffu
#define MAX_BUFFERS	0x7fffffffu

/* The object, rounded up so that what follows it is aligned. */
static size_t get_head(const struct fph_inflight_config *c)
{
	return (c->head + 7) & ~(size_t)7;
}

size_t fph_inflight_size(struct fph_inflight_config *c)
{
	uint64_t ranges, size;

	if (!c->max_ranges)
		c->max_ranges = 4096;
	if (!c->granule)
		c->granule = 4096;
	ranges = fph_coalescer_size(c->max_ranges);
	size = get_head(c) + ranges +
	       c->max_buffers * (uint64_t)sizeof(struct fph_inflight_buffer);
	if (!ranges || !c->max_buffers || c->max_buffers > MAX_BUFFERS ||
	    size != (size_t)size || c->queue >= FPH_NQUEUES ||
	    !fph_is_power(c->granule))
		return 0;
	return (size_t)size;
}

static void restart(struct fph_inflight *f)
{
	f->nbuffers = 0;
	f->nheld = 0;
	f->free_head = NIL;
	f->ready_head = NIL;
}

void fph_inflight_init(struct fph_inflight *f, void *mem,
		       const struct fph_inflight_config *c)
{
	fph_memset(f, 0, sizeof(*f));
	f->buffers = (void *)((uint8_t *)mem + get_head(c));
	f->max_buffers = c->max_buffers;
	f->outcomes = c->outcomes;
	(void)fph_coalescer_init(&f->ranges, f->buffers + c->max_buffers,
				 fph_coalescer_size(c->max_ranges),
				 c->max_ranges, c->granule);
	f->ranges.queue = c->queue;
	restart(f);
}

void fph_inflight_reset(struct fph_inflight *f)
{
	fph_coalescer_reset(&f->ranges);
	restart(f);
}

/* --------------------------------------------------------------- buffers -- */

static inline struct fph_inflight_buffer *
take_buffer(struct fph_inflight *f, uint64_t cookie, uint32_t *i)
{
	struct fph_inflight_buffer *b;

	*i = f->free_head;
	if (*i == NIL)
		*i = f->nbuffers++;
	b = &f->buffers[*i];
	if (f->free_head != NIL)
		f->free_head = b->link;
	f->nheld++;
	b->cookie = cookie;
	b->freed = 0;
	b->pending = 0;
	b->link = NIL;
	b->outcome = FPH_OUTCOME_NONE;
	b->reason = FPH_SKIP_NONE;
	return b;
}

static inline void make_ready(struct fph_inflight *f, uint32_t i)
{
	if (f->ready_head == NIL)
		f->ready_head = i;
	else
		f->buffers[f->ready_tail].link = i;
	f->ready_tail = i;
}

/* The worst outcome counts; of several that are equal, the first. */
static inline void note(struct fph_inflight_buffer *b, uint32_t outcome,
			uint32_t reason)
{
	if (outcome <= b->outcome)
		return;
	b->outcome = (uint8_t)outcome;
	b->reason = (uint8_t)reason;
}

/* It is known what became of one range of buffer i. */
static inline void finish_range(struct fph_inflight *f, uint32_t i,
				uint32_t outcome, uint32_t reason,
				uint64_t freed)
{
	struct fph_inflight_buffer *b = &f->buffers[i];

	note(b, outcome, reason);
	b->freed += freed;
	b->pending--;
	if (!b->pending)
		make_ready(f, i);
}

void fph_inflight_add_ready(struct fph_inflight *f, uint64_t cookie,
			    uint32_t outcome, uint32_t reason)
{
	uint32_t i;

	note(take_buffer(f, cookie, &i), outcome, reason);
	make_ready(f, i);
}

int fph_inflight_take_used(struct fph_inflight *f, struct fph_used *used,
			   uint32_t n)
{
	uint32_t k;

	if (!n)
		return FPH_EINVAL;
	for (k = 0; k < n && f->ready_head != NIL; k++) {
		uint32_t i = f->ready_head;
		struct fph_inflight_buffer *b = &f->buffers[i];

		used[k].cookie = b->cookie;
		used[k].freed = b->freed;
		used[k].len = 0;
		used[k].outcome = b->outcome;
		used[k].reason = b->reason;
		used[k].reserved = 0;
		f->ready_head = b->link;
		b->link = f->free_head;
		f->free_head = i;
	}
	f->nheld -= k;
	f->returned += k;
	return (int)k;
}

/* -------------------------------------------------------------- segments -- */

/* What is wrong with a segment; FPH_OK. */
static inline int check_seg(const struct fph_seg *seg)
{
	if (!(seg->flags & FPH_SEG_WRITE))
		return FPH_PEER_DIRECTION;
	if (fph_is_bad_range(seg->gpa, seg->len))
		return FPH_PEER_RANGE;
	return FPH_OK;
}

int fph_inflight_check(const struct fph_seg *segs, uint32_t n,
		       uint64_t *bytes)
{
	uint64_t sum = 0;
	int ret;

	for (uint32_t i = 0; i < n; i++) {
		ret = check_seg(&segs[i]);
		if (ret != FPH_OK)
			return ret;
		sum += segs[i].len;
	}
	*bytes = sum;
	return FPH_OK;
}

/* A buffer of n segments, of which not all are ranges. */
static void note_skipped(struct fph_inflight *f, uint32_t i, uint32_t n,
			 uint64_t bytes)
{
	struct fph_inflight_buffer *b = &f->buffers[i];

	note(b, FPH_OUTCOME_SKIPPED, n ? FPH_SKIP_EMBEDDER : FPH_SKIP_EMPTY);
	f->skipped += n - b->pending;
	f->skipped_bytes += bytes;
	if (!b->pending)
		make_ready(f, i);
}

int fph_inflight_add(struct fph_inflight *f, uint64_t cookie,
		     const struct fph_seg *segs, uint32_t n)
{
	/* The buffer that take_buffer will give. */
	uint32_t i = f->free_head != NIL ? f->free_head : f->nbuffers;
	struct fph_owned_range *to;
	uint64_t skipped = 0;
	uint64_t bytes = 0;
	uint32_t taken = n;
	uint32_t left;
	int ret;

	if (n > fph_coalescer_get_room(&f->ranges))
		return FPH_EFULL;
	to = fph_coalescer_reserve(&f->ranges, n);
	for (left = n; left; left--, segs++) {
		ret = check_seg(segs);
		if (ret != FPH_OK)
			return ret;
		if (segs->flags & FPH_SEG_SKIP) {
			skipped += segs->len;
			taken--;
			continue;
		}
		to->gpa = segs->gpa;
		to->len = segs->len;
		to->owner = i;
		to++;
		bytes += segs->len;
	}
	fph_coalescer_commit(&f->ranges, taken, bytes);
	take_buffer(f, cookie, &i)->pending = taken;
	if (taken < n || !n)
		note_skipped(f, i, n, skipped);
	return FPH_OK;
}

void fph_inflight_drop(struct fph_inflight *f, uint32_t reason,
		       uint64_t *ranges, uint64_t *bytes)
{
	const struct fph_owned_range *waiting;
	uint32_t n;

	waiting = fph_coalescer_get_waiting(&f->ranges, &n);
	for (uint32_t i = 0; i < n; i++) {
		*bytes += waiting[i].len;
		finish_range(f, (uint32_t)waiting[i].owner,
			     FPH_OUTCOME_SKIPPED, reason, 0);
	}
	*ranges += n;
	fph_coalescer_drop(&f->ranges);
}

/* ------------------------------------------------------------------ runs -- */

/* What is told of all ranges of a run. */
struct verdict {
	uint64_t gpa;
	uint64_t last;			/* inclusive */
	uint64_t freed;			/* bytes that have no buffer yet */
	uint32_t outcome;
	uint32_t reason;
};

/*
 * Finishes the ranges of a run of many.  Each byte counts once: v->gpa moves
 * up behind what had its turn.  A range that lies in what was trimmed off was
 * trimmed, whatever the others were.
 */
static void finish_ranges(struct fph_inflight *f,
			  const struct fph_owned_range *ranges, uint32_t n,
			  struct verdict *v)
{
	uint64_t start = v->gpa;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t gpa = ranges[i].gpa;
		uint64_t last = gpa + (ranges[i].len - 1);
		uint64_t part = 0;
		bool inside = last >= start && gpa <= v->last;

		if (last > v->last)
			last = v->last;
		if (inside && v->freed && last >= v->gpa) {
			uint64_t from = gpa > v->gpa ? gpa : v->gpa;

			part = last - from + 1;
			if (part > v->freed)
				part = v->freed;
			v->freed -= part;
			v->gpa = from + part;
		}
		finish_range(f, (uint32_t)ranges[i].owner,
			     inside ? v->outcome : FPH_OUTCOME_TRIMMED,
			     inside ? v->reason : FPH_SKIP_NONE, part);
	}
}

/* Nothing whole is in a run: its ranges are over. */
static void finish_trimmed(struct fph_inflight *f, struct fph_out_run *run)
{
	const struct fph_owned_range *ranges =
		fph_coalescer_get_ranges(&f->ranges, run);

	for (uint32_t i = 0; i < run->nranges; i++)
		finish_range(f, (uint32_t)ranges[i].owner,
			     FPH_OUTCOME_TRIMMED, FPH_SKIP_NONE, 0);
	fph_coalescer_complete(&f->ranges, run);
}

/* Takes the empty ones of n runs out of the array; how many are left. */
static uint32_t finish_empty(struct fph_inflight *f, struct fph_run *runs,
			     uint32_t n)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (runs[i].len)
			runs[left++] = runs[i];
		else
			finish_trimmed(f, fph_coalescer_find(&f->ranges,
							     runs[i].token));
	}
	fph_coalescer_tidy(&f->ranges);
	return left;
}

int fph_inflight_next(struct fph_inflight *f, struct fph_run *runs,
		      uint32_t n)
{
	struct fph_coalescer *c = &f->ranges;
	uint32_t given = 0;
	uint32_t nempty;
	uint32_t got;

	if (!n)
		return FPH_EINVAL;
	do {
		got = fph_coalescer_next(c, runs + given, n - given, &nempty);
		given += nempty ? finish_empty(f, runs + given, got) : got;
		/* Runs of two sets do not ascend: give one at a time. */
	} while (got && given < n && (!given || c->closed != c->open));
	f->noutstanding += given;
	f->runs += given;
	return (int)given;
}

static bool is_allowed(const struct fph_inflight *f, uint32_t outcome)
{
	return outcome <= FPH_OUTCOME_FAILED &&
	       (f->outcomes & 1u << outcome);
}

static void finish_run(struct fph_inflight *f, const struct fph_out_run *run,
		       const struct fph_run *told)
{
	const struct fph_owned_range *ranges =
		fph_coalescer_get_ranges(&f->ranges, run);
	struct verdict v = {
		run->gpa, run->gpa + (run->len - 1), told->freed,
		told->outcome, told->reason
	};

	finish_ranges(f, ranges, run->nranges, &v);
}

/* Adds n runs of one outcome to those that were completed. */
static void add_done(struct fph_inflight *f, uint32_t outcome, uint32_t n,
		     uint64_t bytes, uint64_t freed)
{
	if (!n)
		return;
	f->done[outcome].runs += n;
	f->done[outcome].left += bytes - freed;
	f->freed += freed;
}

int fph_inflight_complete(struct fph_inflight *f, const struct fph_run *runs,
			  uint32_t n)
{
	struct fph_coalescer *c = &f->ranges;
	uint32_t outcome = ~0u;
	uint64_t bytes = 0;
	uint64_t freed = 0;
	uint32_t from = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		const struct fph_run *r = &runs[i];
		struct fph_out_run *run = fph_coalescer_find(c, r->token);

		if (!run || r->freed > run->len)
			break;
		/* Most have the outcome of the one before. */
		if (r->outcome != outcome) {
			if (!is_allowed(f, r->outcome))
				break;
			add_done(f, outcome, i - from, bytes, freed);
			outcome = r->outcome;
			bytes = 0;
			freed = 0;
			from = i;
		}
		bytes += run->len;
		freed += r->freed;
		if (run->nranges == 1)
			finish_range(f, (uint32_t)c->ranges[run->first].owner,
				     outcome, r->reason, r->freed);
		else
			finish_run(f, run, r);
		fph_coalescer_complete(c, run);
	}
	add_done(f, outcome, i - from, bytes, freed);
	f->noutstanding -= i;
	fph_coalescer_tidy(c);
	return i ? (int)i : FPH_EINVAL;
}
