/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of buffers in flight.
 *
 * Buffers and runs keep their places in the arrays: ranges name a buffer by
 * it, and it is a part of the token that the embedder holds.  The places that
 * are free are taken again from the lowest one on.
 */
#include "inflight_state.h"

#define NIL		0xffffffffu
#define FREE		0xff		/* outcome of a place without buffer */
#define BUFFER_BYTES	22u
#define RUN_BYTES	28u
#define RANGE_BYTES	16u

/* ------------------------------------------------------------------ save -- */

static bool is_out(const struct fph_coalescer *c, uint32_t i)
{
	return FPH_TOKEN_INDEX(c->runs[i].token) == i;
}

static void save_buffer(const struct fph_inflight *f, uint32_t i,
			struct fph_state_writer *w)
{
	const struct fph_inflight_buffer *b = &f->buffers[i];

	fph_state_put32(w, i);
	fph_state_put64(w, b->cookie);
	fph_state_put64(w, b->freed);
	fph_state_put8(w, b->outcome);
	fph_state_put8(w, b->reason);
}

static void save_ranges(const struct fph_coalescer *c, uint32_t first,
			uint32_t n, struct fph_state_writer *w)
{
	const struct fph_owned_range *r = c->ranges + first;

	for (; n; n--, r++) {
		fph_state_put64(w, r->gpa);
		fph_state_put32(w, (uint32_t)r->len);
		fph_state_put32(w, (uint32_t)r->owner);
	}
}

static void save_run(const struct fph_coalescer *c, uint32_t i,
		     struct fph_state_writer *w)
{
	const struct fph_out_run *run = &c->runs[i];

	fph_state_put64(w, run->token);
	fph_state_put64(w, run->gpa);
	fph_state_put64(w, run->len);
	fph_state_put32(w, run->nranges);
	save_ranges(c, run->first, run->nranges, w);
}

void fph_inflight_save(const struct fph_inflight *f,
		       struct fph_state_writer *w)
{
	const struct fph_coalescer *c = &f->ranges;
	uint32_t nready = 0;

	for (uint32_t i = f->ready_head; i != NIL; i = f->buffers[i].link)
		nready++;
	fph_state_put64(w, c->serial);
	fph_state_put32(w, nready);
	fph_state_put32(w, f->nheld - nready);
	fph_state_put32(w, f->noutstanding);
	fph_state_put32(w, c->open - c->closed);
	fph_state_put32(w, c->end - c->open);
	for (uint32_t i = f->ready_head; i != NIL; i = f->buffers[i].link)
		save_buffer(f, i, w);
	for (uint32_t i = 0; i < f->nbuffers; i++) {
		if (f->buffers[i].pending)
			save_buffer(f, i, w);
	}
	for (uint32_t i = 0; i < c->nruns; i++) {
		if (is_out(c, i))
			save_run(c, i, w);
	}
	save_ranges(c, c->closed, c->end - c->closed, w);
}

/* ------------------------------------------------------------------ load -- */

int fph_inflight_take_state(const struct fph_inflight *f,
			    struct fph_state_reader *r, const void *buf,
			    size_t size, uint32_t flags, uint16_t kind,
			    uint32_t latest)
{
	if (!buf || (flags & ~FPH_LOAD_MOVED))
		return FPH_EINVAL;
	if (f->nheld)
		return FPH_EBUSY;
	return fph_state_open(r, buf, size, kind, latest);
}

/* What a buffer may have come to, by where it is. */
static bool is_outcome(const struct fph_inflight *f, uint32_t outcome,
		       bool ready)
{
	uint32_t allowed = f->outcomes;

	if (!ready)
		allowed |= 1u << FPH_OUTCOME_NONE;
	else
		allowed |= 1u << FPH_OUTCOME_REFUSED;
	/* Commands come with hints. */
	if (ready && (allowed & 1u << FPH_OUTCOME_CLEARED))
		allowed |= 1u << FPH_OUTCOME_COMMAND;
	return outcome <= FPH_OUTCOME_REFUSED && (allowed & 1u << outcome);
}

static int load_buffer(struct fph_inflight *f, struct fph_state_reader *r,
		       struct fph_inflight_loaded *l, bool ready, uint32_t *at)
{
	struct fph_inflight_buffer *b;
	uint32_t i = fph_state_get32(r);

	if (i >= f->max_buffers)
		return FPH_EREFUSED;
	while (l->nbuffers <= i)
		f->buffers[l->nbuffers++].outcome = FREE;
	b = &f->buffers[i];
	if (b->outcome != FREE)
		return FPH_ECORRUPT;
	b->cookie = fph_state_get64(r);
	b->freed = fph_state_get64(r);
	b->outcome = fph_state_get8(r);
	b->reason = fph_state_get8(r);
	b->pending = 0;
	b->link = NIL;
	*at = i;
	return is_outcome(f, b->outcome, ready) ? FPH_OK : FPH_ECORRUPT;
}

/* Ready ones are linked; buffers[] holds the list until it is taken up. */
static int load_buffers(struct fph_inflight *f, struct fph_state_reader *r,
			struct fph_inflight_loaded *l)
{
	uint32_t n = l->nready + l->npending;
	uint32_t before = NIL;
	int ret;

	for (uint32_t k = 0; k < n; k++) {
		bool ready = k < l->nready;
		uint32_t i;

		ret = load_buffer(f, r, l, ready, &i);
		if (ret != FPH_OK)
			return ret;
		if (!ready)
			continue;
		if (before == NIL)
			l->ready_head = i;
		else
			f->buffers[before].link = i;
		before = i;
		l->ready_tail = i;
		/* So that a range that names it is seen. */
		f->buffers[i].pending = NIL;
	}
	return FPH_OK;
}

/* Reads n ranges behind those that were read before. */
static int load_ranges(struct fph_inflight *f, struct fph_state_reader *r,
		       struct fph_inflight_loaded *l, uint32_t n,
		       uint64_t *bytes)
{
	struct fph_owned_range *to = f->ranges.ranges + l->nranges;

	if (n > f->ranges.max_ranges - l->nranges)
		return FPH_EREFUSED;
	if (!fph_state_has(r, n, RANGE_BYTES))
		return FPH_ECORRUPT;
	l->nranges += n;
	for (; n; n--, to++) {
		struct fph_inflight_buffer *b;

		to->gpa = fph_state_get64(r);
		to->len = fph_state_get32(r);
		to->owner = fph_state_get32(r);
		if (fph_is_bad_range(to->gpa, to->len) ||
		    to->owner >= l->nbuffers)
			return FPH_ECORRUPT;
		b = &f->buffers[to->owner];
		if (b->outcome == FREE || b->pending == NIL)
			return FPH_ECORRUPT;
		b->pending++;
		*bytes += to->len;
	}
	return FPH_OK;
}

/* Whether ranges ascend; touching: whether they are one run as well. */
static bool is_sorted(const struct fph_owned_range *r, uint32_t n,
		      bool touching, uint64_t *last)
{
	*last = n ? r->gpa + (r->len - 1) : 0;
	for (uint32_t i = 1; i < n; i++) {
		if (r[i].gpa < r[i - 1].gpa)
			return false;
		if (touching && r[i].gpa > *last && r[i].gpa - *last > 1)
			return false;
		if (r[i].gpa + (r[i].len - 1) > *last)
			*last = r[i].gpa + (r[i].len - 1);
	}
	return true;
}

static int load_run(struct fph_inflight *f, struct fph_state_reader *r,
		    struct fph_inflight_loaded *l)
{
	const struct fph_owned_range *ranges = f->ranges.ranges + l->nranges;
	struct fph_out_run *runs = f->ranges.runs;
	struct fph_out_run run = { .token = fph_state_get64(r) };
	uint32_t i = FPH_TOKEN_INDEX(run.token);
	uint64_t unused = 0;
	uint64_t last;
	int ret;

	if (i >= f->ranges.max_ranges)
		return FPH_EREFUSED;
	for (; l->nplaces <= i; l->nplaces++)
		runs[l->nplaces].token = ~(uint64_t)l->nplaces;
	run.gpa = fph_state_get64(r);
	run.len = fph_state_get64(r);
	run.nranges = fph_state_get32(r);
	run.first = l->nranges;
	if (is_out(&f->ranges, i) || !run.nranges)
		return FPH_ECORRUPT;
	ret = load_ranges(f, r, l, run.nranges, &unused);
	if (ret != FPH_OK)
		return ret;
	if (!is_sorted(ranges, run.nranges, true, &last) ||
	    fph_is_bad_range(run.gpa, run.len) || run.gpa < ranges->gpa ||
	    run.gpa + (run.len - 1) > last)
		return FPH_ECORRUPT;
	runs[i] = run;
	l->run_bytes += run.len;
	return FPH_OK;
}

static int load_runs(struct fph_inflight *f, struct fph_state_reader *r,
		     struct fph_inflight_loaded *l)
{
	int ret;

	for (uint32_t i = 0; i < l->nruns; i++) {
		ret = load_run(f, r, l);
		if (ret != FPH_OK)
			return ret;
	}
	l->nout = l->nranges;
	return FPH_OK;
}

/* Every pending buffer waits for something. */
static bool is_pending(const struct fph_inflight *f,
		       const struct fph_inflight_loaded *l)
{
	for (uint32_t i = 0; i < l->nbuffers; i++) {
		if (f->buffers[i].outcome != FREE && !f->buffers[i].pending)
			return false;
	}
	return true;
}

static void load_counts(struct fph_state_reader *r,
			struct fph_inflight_loaded *l)
{
	fph_memset(l, 0, sizeof(*l));
	l->ready_head = NIL;
	l->ready_tail = NIL;
	l->serial = fph_state_get64(r);
	l->nready = fph_state_get32(r);
	l->npending = fph_state_get32(r);
	l->nruns = fph_state_get32(r);
	l->nclosed = fph_state_get32(r);
	l->nopen = fph_state_get32(r);
}

int fph_inflight_load(struct fph_inflight *f, struct fph_state_reader *r,
		      struct fph_inflight_loaded *l)
{
	const struct fph_owned_range *closed;
	uint64_t last;
	int ret;

	load_counts(r, l);
	if (FPH_TOKEN_INDEX(l->serial) ||
	    !fph_state_has(r, (uint64_t)l->nready + l->npending,
			   BUFFER_BYTES) ||
	    !fph_state_has(r, l->nruns, RUN_BYTES + RANGE_BYTES))
		return FPH_ECORRUPT;
	if ((uint64_t)l->nready + l->npending > f->max_buffers)
		return FPH_EREFUSED;
	ret = load_buffers(f, r, l);
	if (ret == FPH_OK)
		ret = load_runs(f, r, l);
	closed = f->ranges.ranges + l->nranges;
	if (ret == FPH_OK)
		ret = load_ranges(f, r, l, l->nclosed, &l->waiting_bytes);
	if (ret == FPH_OK)
		ret = load_ranges(f, r, l, l->nopen, &l->waiting_bytes);
	if (ret != FPH_OK)
		return r->bad ? FPH_ECORRUPT : ret;
	return is_sorted(closed, l->nclosed, false, &last) &&
	       is_pending(f, l) && !r->bad ? FPH_OK : FPH_ECORRUPT;
}

/* ---------------------------------------------------------------- commit -- */

static void commit_buffers(struct fph_inflight *f,
			   const struct fph_inflight_loaded *l)
{
	f->nbuffers = l->nbuffers;
	f->nheld = l->nready + l->npending;
	f->free_head = NIL;
	f->ready_head = l->ready_head;
	f->ready_tail = l->ready_tail;
	for (uint32_t i = l->nbuffers; i > 0; i--) {
		struct fph_inflight_buffer *b = &f->buffers[i - 1];

		if (b->outcome == FREE) {
			b->link = f->free_head;
			f->free_head = i - 1;
			b->pending = 0;
		} else if (b->pending == NIL) {
			b->pending = 0;
		}
	}
}

void fph_inflight_commit(struct fph_inflight *f,
			 const struct fph_inflight_loaded *l)
{
	struct fph_coalescer *c = &f->ranges;

	commit_buffers(f, l);
	fph_coalescer_restart(c);
	c->serial = l->serial;
	c->out = l->nout;
	c->closed = l->nout;
	c->open = l->nout + l->nclosed;
	c->end = l->nranges;
	c->nruns = l->nplaces;
	for (uint32_t i = l->nplaces; i > 0; i--) {
		if (is_out(c, i - 1))
			continue;
		c->runs[i - 1].first = c->free_run;
		c->free_run = i - 1;
	}
	f->noutstanding = l->nruns;
}

void fph_inflight_give_up(struct fph_inflight *f, uint32_t reason)
{
	struct fph_run told = {
		.outcome = FPH_OUTCOME_SKIPPED, .reason = (uint8_t)reason
	};

	for (uint32_t i = 0; i < f->ranges.nruns && f->noutstanding; i++) {
		if (!is_out(&f->ranges, i))
			continue;
		told.token = f->ranges.runs[i].token;
		(void)fph_inflight_complete(f, &told, 1);
	}
}
