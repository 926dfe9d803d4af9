/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The receiver of free page reports.
 *
 * Two states; 0 stands for an object that was never initialised.
 *
 * call		CLEAN			POISONED
 * init		CLEAN			CLEAN
 * reset	CLEAN (1)		CLEAN (1)
 * set_poison	CLEAN, or POISONED with a negotiated nonzero value
 * add, good	its ranges wait		ready, SKIPPED
 * add, bad	ready, REFUSED		ready, REFUSED
 * next		runs, if any wait	runs of earlier buffers, if any wait
 * complete	the runs are over	the runs are over
 * take_used	buffers, if any are ready
 *
 * (1) FPH_EBUSY and no change while a run is out.
 */
#include "report.h"

#define OUTCOMES	(1u << FPH_OUTCOME_DISCARDED | \
			 1u << FPH_OUTCOME_LAZY | 1u << FPH_OUTCOME_TRIMMED | \
			 1u << FPH_OUTCOME_SKIPPED | 1u << FPH_OUTCOME_FAILED)

static bool is_init(const struct fph_report *r)
{
	return r && r->magic == FPH_REPORT_MAGIC;
}

/* ------------------------------------------------------------------ init -- */

/* The bytes of the object, 0: refused. */
static size_t read_params(struct fph_inflight_config *c,
			  const struct fph_report_params *params)
{
	struct fph_report_params known;

	if (!fph_params_read(&known, sizeof(known), params,
			     sizeof(known.size)))
		return 0;
	c->head = sizeof(struct fph_report);
	c->max_ranges = known.max_ranges;
	c->max_buffers = known.max_buffers ? known.max_buffers : 128;
	c->queue = known.queue;
	c->outcomes = OUTCOMES;
	c->granule = known.granule;
	return fph_inflight_size(c);
}

size_t fph_report_size(const struct fph_report_params *params)
{
	struct fph_inflight_config c;

	return read_params(&c, params);
}

int fph_report_init(struct fph_report **r, void *mem, size_t size,
		    const struct fph_report_params *params)
{
	struct fph_inflight_config c;
	struct fph_report *report = mem;

	if (!r || !fph_is_memory(mem, size, read_params(&c, params)))
		return FPH_EINVAL;
	fph_memset(report, 0, sizeof(*report));
	fph_inflight_init(&report->inflight, mem, &c);
	report->magic = FPH_REPORT_MAGIC;
	*r = report;
	return FPH_OK;
}

/* Bytes that wait: added, and in no run yet. */
static uint64_t get_waiting(const struct fph_report *r)
{
	const struct fph_coalescer_counters *n = &r->inflight.ranges.counters;

	return n->added_bytes - n->run_bytes - n->trimmed_bytes -
	       n->overlap_bytes;
}

int fph_report_reset(struct fph_report *r)
{
	if (!is_init(r))
		return FPH_EUNINIT;
	if (r->inflight.noutstanding)
		return FPH_EBUSY;
	/* In no run, now or ever: so that all bytes stay accounted for. */
	r->counters.bytes_skipped += get_waiting(r);
	r->inflight.ranges.counters.added_bytes -= get_waiting(r);
	fph_inflight_reset(&r->inflight);
	r->poisoned = false;
	return FPH_OK;
}

int fph_report_set_poison(struct fph_report *r, bool negotiated,
			  uint32_t poison_val)
{
	if (!is_init(r))
		return FPH_EUNINIT;
	r->poisoned = negotiated && poison_val;
	return FPH_OK;
}

/* ------------------------------------------------------------------- add -- */

/* Returns a good buffer without a discard (R4). */
static int add_poisoned(struct fph_report *r, const struct fph_buffer *b,
			const struct fph_seg *segs)
{
	uint64_t bytes;
	int ret = fph_inflight_check(segs, b->nwrite, &bytes);

	if (ret != FPH_OK)
		return ret;
	r->counters.poisoned++;
	r->counters.ranges += b->nwrite;
	r->counters.bytes_skipped += bytes;
	fph_inflight_add_ready(&r->inflight, b->cookie, FPH_OUTCOME_SKIPPED,
			       FPH_SKIP_POISON);
	return FPH_OK;
}

/* Takes a good buffer: FPH_OK, FPH_EREFUSED, FPH_EFULL, FPH_PEER_*. */
static inline int add_good(struct fph_report *r, const struct fph_buffer *b,
			   const struct fph_seg *segs)
{
	struct fph_inflight *f = &r->inflight;

	if (b->flags & FPH_BUFFER_REFUSE)
		return FPH_EREFUSED;

	if (b->nread)
		return FPH_PEER_DIRECTION;
	if (b->nwrite > f->ranges.max_ranges)
		return FPH_PEER_LONG_CHAIN;
	if (r->poisoned)
		return add_poisoned(r, b, segs);
	return fph_inflight_add(f, b->cookie, segs, b->nwrite);
}

static void add_refused(struct fph_report *r, uint64_t cookie, bool peer)
{
	r->counters.refused++;
	r->counters.peer_errors += peer;
	fph_inflight_add_ready(&r->inflight, cookie, FPH_OUTCOME_REFUSED,
			       FPH_SKIP_NONE);
}

int fph_report_add(struct fph_report *r, const struct fph_buffer *buffers,
		   uint32_t n, const struct fph_seg *segs)
{
	uint32_t i;
	int ret;

	if (!is_init(r))
		return FPH_EUNINIT;
	if (!n)
		return FPH_EINVAL;
	for (i = 0; i < n && fph_inflight_get_room(&r->inflight); i++) {
		ret = add_good(r, &buffers[i], segs);
		if (ret == FPH_EFULL)
			break;
		if (ret != FPH_OK)
			add_refused(r, buffers[i].cookie,
				    ret != FPH_EREFUSED);
		segs = fph_next_segs(segs, &buffers[i]);
	}
	r->counters.buffers += i;
	return i ? (int)i : FPH_EFULL;
}

/* ------------------------------------------------------------------ runs -- */

int fph_report_next(struct fph_report *r, struct fph_run *runs, uint32_t n)
{
	return is_init(r) ? fph_inflight_next(&r->inflight, runs, n) :
			    FPH_EUNINIT;
}

int fph_report_complete(struct fph_report *r, const struct fph_run *runs,
			uint32_t n)
{
	return is_init(r) ? fph_inflight_complete(&r->inflight, runs, n) :
			    FPH_EUNINIT;
}

int fph_report_take_used(struct fph_report *r, struct fph_used *used,
			 uint32_t n)
{
	return is_init(r) ? fph_inflight_take_used(&r->inflight, used, n) :
			    FPH_EUNINIT;
}

/* ------------------------------------------------------------------- get -- */

void fph_report_get_room(const struct fph_report *r, uint32_t *buffers,
			 uint32_t *segs)
{
	*buffers = is_init(r) ? fph_inflight_get_room(&r->inflight) : 0;
	*segs = is_init(r) ? fph_coalescer_get_room(&r->inflight.ranges) : 0;
}

uint32_t fph_report_get_outstanding(const struct fph_report *r)
{
	return is_init(r) ? r->inflight.noutstanding : 0;
}

int fph_report_get_counters(const struct fph_report *r,
			    struct fph_report_counters *out, size_t size)
{
	const struct fph_inflight *f;
	struct fph_report_counters n;

	if (!is_init(r))
		return FPH_EUNINIT;
	f = &r->inflight;
	n = r->counters;
	/* What add passed over, poisoned buffers, and what was forgotten. */
	n.bytes_skipped += f->skipped_bytes;
	n.bytes_offered = f->ranges.counters.added_bytes + n.bytes_skipped;
	n.ranges += f->ranges.counters.added + f->skipped;
	n.returned = f->returned;
	n.runs = f->runs;
	n.failed_runs = f->done[FPH_OUTCOME_FAILED].runs;
	n.bytes_freed = f->freed;
	n.bytes_lazy = f->done[FPH_OUTCOME_LAZY].left;
	n.bytes_trimmed = f->done[FPH_OUTCOME_TRIMMED].left +
			  f->ranges.counters.trimmed_bytes;
	n.bytes_skipped += f->done[FPH_OUTCOME_SKIPPED].left +
			   f->done[FPH_OUTCOME_DISCARDED].left;
	n.bytes_failed = f->done[FPH_OUTCOME_FAILED].left;
	n.bytes_overlap = f->ranges.counters.overlap_bytes;
	return fph_copy_out(out, size, &n, sizeof(n));
}
