/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The way of the data through the balloon device: buffers are taken from
 * rings, runs are given out and completed, buffers go back.
 */
#include <limits.h>

#include "vmm/balloon_internal.h"
#include "vmm/system.h"

/* Page frames and segments that process looks at, and a buffer more. */
#define WORK	16384u

/* --------------------------------------------------------------- process -- */

/* A broken rule that leaves no safe way on: nothing more is popped. */
static int break_device(struct fph_balloon *b, int status)
{
	struct balloon_hint_view before = fph_balloon_look(b);

	/* The round ends as by a stop of the host (FPH-Q-8A). */
	(void)fph_hint_session_stop(b->hint);
	fph_balloon_note(b, &before);
	b->broken = true;
	b->last_error = status;
	b->events |= FPH_EVENT_BROKEN;
	return status;
}

/*
 * Finds a ring empty, unless the driver was quicker: looks again after asking
 * for notifications, but only once, because the driver writes what is looked
 * at.
 */
static bool is_empty(struct balloon_ring *r, bool *raced)
{
	r->kicked = fph_vq_device_want_notify(r->vq, true) == 1;
	if (!r->kicked || *raced)
		return true;
	*raced = true;
	return false;
}

/* How many buffers and segments of them there is room for, at least one. */
static uint32_t get_room(const struct fph_balloon *b, int queue,
			 uint32_t *nsegs)
{
	uint32_t buffers = BALLOON_BATCH, segs = b->nsegs;

	switch (queue) {
	case FPH_QUEUE_REPORT:
		fph_report_get_room(b->report, &buffers, &segs);
		break;
	case FPH_QUEUE_HINT:
		/* One may break the device: what is behind it stays. */
		fph_hint_session_get_room(b->hint, &buffers, &segs);
		buffers = 1;
		break;
	case FPH_QUEUE_INFLATE:
	case FPH_QUEUE_DEFLATE:
		/* Each may hold as many frames as there is room for. */
		buffers = 1;
		break;
	default:
		break;
	}
	*nsegs = segs < b->nsegs ? segs : b->nsegs;
	return buffers < BALLOON_BATCH ? buffers : BALLOON_BATCH;
}

/* Takes some buffers.  Their number; 0 (none is there); FPH_PEER_*. */
static int take_batch(struct fph_balloon *b, uint32_t index, uint32_t most,
		      uint32_t *work)
{
	struct fph_buffer buffers[BALLOON_BATCH];
	struct balloon_ring *r = &b->ring[index];
	uint32_t nsegs;
	uint32_t n = get_room(b, r->queue, &nsegs);
	int ret;

	ret = fph_vq_device_pop(r->vq, buffers, n < most ? n : most, b->segs,
				nsegs);
	if (ret < 0)
		b->count[r->queue].peer_errors++;
	if (ret <= 0)
		return ret < 0 ? break_device(b, ret) : 0;
	n = (uint32_t)ret;
	r->old -= n < r->old ? n : r->old;
	for (uint32_t i = 0; i < n; i++)
		buffers[i].cookie = fph_balloon_cookie(index,
						       buffers[i].cookie);
	b->count[r->queue].popped += n;
	ret = fph_balloon_take(b, r->queue, buffers, n, work);
	if (ret < 0)
		return break_device(b, ret);
	return (int)n;
}

static int take_some(struct fph_balloon *b, uint32_t index, uint32_t budget)
{
	struct balloon_ring *r = &b->ring[index];
	bool raced = false;
	uint32_t work = 0;
	uint32_t n = 0;

	(void)fph_vq_device_want_notify(r->vq, false);
	/* With room for any buffer, none that was popped has to go back. */
	while (n < budget && work < WORK &&
	       fph_balloon_is_room(b, r->queue, r->num)) {
		int ret = take_batch(b, index, budget - n, &work);

		if (ret < 0)
			return n ? (int)n : ret;
		n += (uint32_t)ret;
		if (!ret && is_empty(r, &raced))
			break;
	}
	return (int)n;
}

/*
 * A broken device does it too: an earlier one popped them, and what was popped
 * is completed.
 */
void fph_balloon_take_old(struct fph_balloon *b, uint32_t index)
{
	struct balloon_ring *r = &b->ring[index];
	uint32_t work = 0;

	if (r->queue < 0 || b->resetting || b->frozen == FPH_FREEZE_HOLD)
		return;
	while (r->old && !fph_vq_device_is_broken(r->vq) &&
	       fph_balloon_is_room(b, r->queue, r->num) &&
	       take_batch(b, index, BALLOON_BATCH, &work)) {
		if (b->frozen)
			fph_balloon_skip_waiting(b);
		(void)fph_balloon_flush(b);
	}
}

int fph_balloon_process(struct fph_balloon *b, uint32_t index, uint32_t budget)
{
	struct balloon_ring *r;
	int ret;

	if (!b)
		return FPH_EUNINIT;
	if (index >= FPH_NQUEUES || !budget)
		return FPH_EINVAL;
	r = &b->ring[index];
	if (!r->running || !r->enabled)
		return FPH_ESTATE;
	if (b->broken)
		return FPH_PEER_BROKEN;
	r->kicked = true;
	if (r->queue < 0)
		return FPH_ESTATE;
	if (fph_balloon_is_held(b) || b->resetting || r->draining)
		return 0;
	ret = take_some(b, index, budget < INT_MAX ? budget : INT_MAX);
	if (b->frozen)
		fph_balloon_skip_waiting(b);
	return ret;
}

/* ------------------------------------------------------ next, complete -- */

static struct fph_report *get_report(const struct fph_balloon *b, int queue)
{
	switch (queue) {
	case FPH_QUEUE_REPORT:
		return b->report;
	case FPH_QUEUE_INFLATE:
		return b->inflate;
	case FPH_QUEUE_DEFLATE:
		return b->deflate;
	default:
		return NULL;
	}
}

static const int run_queues[] = {
	FPH_QUEUE_REPORT, FPH_QUEUE_INFLATE, FPH_QUEUE_DEFLATE
};

#define NRUN_QUEUES	(sizeof(run_queues) / sizeof(run_queues[0]))

int fph_balloon_next(struct fph_balloon *b, struct fph_run *runs, uint32_t n)
{
	uint32_t k = 0;

	if (!b)
		return FPH_EUNINIT;
	if (!runs || !n)
		return FPH_EINVAL;
	if (b->frozen == FPH_FREEZE_HOLD || b->resetting)
		return 0;
	for (size_t i = 0; i < NRUN_QUEUES && k < n; i++) {
		int ret;

		/* What was deflated is in use as soon as it is returned. */
		if (b->frozen && run_queues[i] != FPH_QUEUE_DEFLATE)
			continue;
		ret = fph_report_next(get_report(b, run_queues[i]), runs + k,
				      n - k);
		/* There is no report for a queue that is not held. */
		k += ret > 0 ? (uint32_t)ret : 0;
	}
	return (int)k;
}

/* What answered FPH_EINPROGRESS, and would not do so any more. */
static uint32_t get_finishable(const struct fph_balloon *b)
{
	uint32_t mask = 0;

	if (!fph_balloon_get_outstanding(b))
		mask |= WAIT_DEVICE;
	if (!fph_hint_session_get_outstanding(b->hint))
		mask |= WAIT_HINT;
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		if (b->ring[i].running && !fph_balloon_count_inflight(b, i))
			mask |= 1u << i;
	}
	return mask & b->waiting;
}

static void note_drained(struct fph_balloon *b)
{
	uint32_t mask;

	if (!b->waiting)
		return;
	/* A ring that is to stop waits for its buffers to be back. */
	if (b->waiting & WAIT_RINGS)
		(void)fph_balloon_flush(b);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		if (b->waiting & 1u << i)
			fph_balloon_take_old(b, i);
	}
	mask = get_finishable(b);
	if (mask)
		b->events |= FPH_EVENT_DRAINED;
	b->waiting &= ~mask;
}

/* Runs of one queue at the front. */
static uint32_t count_same(const struct fph_run *runs, uint32_t n)
{
	uint32_t k = 1;

	while (k < n && runs[k].queue == runs[0].queue)
		k++;
	return k;
}

int fph_balloon_complete(struct fph_balloon *b, const struct fph_run *runs,
			 uint32_t n)
{
	uint32_t i = 0;
	int ret = 0;

	if (!b)
		return FPH_EUNINIT;
	if (!runs || !n)
		return FPH_EINVAL;
	while (i < n) {
		struct fph_report *r = get_report(b, runs[i].queue);
		uint32_t k = count_same(runs + i, n - i);

		ret = r ? fph_report_complete(r, runs + i, k) : FPH_EINVAL;
		i += ret > 0 ? (uint32_t)ret : 0;
		if (ret != (int)k)
			break;
	}
	note_drained(b);
	return i ? (int)i : ret;
}

int fph_balloon_hint_complete(struct fph_balloon *b,
			      const struct fph_run *runs, uint32_t n)
{
	int ret;

	if (!b)
		return FPH_EUNINIT;
	ret = fph_hint_session_complete(b->hint, runs, n);
	note_drained(b);
	return ret;
}

uint32_t fph_balloon_get_outstanding(const struct fph_balloon *b)
{
	if (!b)
		return 0;
	return fph_report_get_outstanding(b->report) +
	       fph_report_get_outstanding(b->inflate) +
	       fph_report_get_outstanding(b->deflate) +
	       fph_hint_session_get_outstanding(b->hint);
}

static void skip(struct fph_run *runs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		runs[i].outcome = FPH_OUTCOME_SKIPPED;
		runs[i].reason = FPH_SKIP_SNAPSHOT;
	}
}

void fph_balloon_skip_waiting(struct fph_balloon *b)
{
	struct fph_report *reports[] = { b->report, b->inflate };
	struct fph_run runs[BALLOON_BATCH];
	int n;

	for (int i = 0; i < 2; i++) {
		while ((n = fph_report_next(reports[i], runs,
					    BALLOON_BATCH)) > 0) {
			skip(runs, (uint32_t)n);
			(void)fph_report_complete(reports[i], runs,
						  (uint32_t)n);
		}
	}
	while ((n = fph_hint_session_next(b->hint, runs, BALLOON_BATCH)) > 0) {
		skip(runs, (uint32_t)n);
		(void)fph_hint_session_complete(b->hint, runs, (uint32_t)n);
	}
}

/* ----------------------------------------------------------------- flush -- */

uint32_t fph_balloon_flush(struct fph_balloon *b)
{
	struct fph_used used[BALLOON_BATCH];
	uint32_t total = 0;
	int n;

	if (!b || b->resetting || b->frozen == FPH_FREEZE_HOLD)
		return 0;
	for (size_t i = 0; i < NRUN_QUEUES; i++) {
		struct fph_report *r = get_report(b, run_queues[i]);

		while ((n = fph_report_take_used(r, used, BALLOON_BATCH)) > 0) {
			fph_balloon_push(b, run_queues[i], used, (uint32_t)n);
			total += (uint32_t)n;
		}
	}
	while ((n = fph_hint_session_take_used(b->hint, used,
					       BALLOON_BATCH)) > 0) {
		fph_balloon_push(b, FPH_QUEUE_HINT, used, (uint32_t)n);
		total += (uint32_t)n;
	}
	return total;
}

/* ------------------------------------------------------------------ pump -- */

/* What is left of the budget of a pump; 0 is no limit, as in the budget. */
struct left {
	struct fph_budget budget;
	uint64_t start;
	bool spent;
};

/* Takes up to a batch from each ready ring; whether there was one. */
static bool pump_rings(struct fph_balloon *b, struct left *left)
{
	uint32_t ready = fph_balloon_get_ready(b);

	for (uint32_t i = 0; i < FPH_NQUEUES && !left->spent; i++) {
		uint32_t n = BALLOON_BATCH;
		int ret;

		if (!(ready & 1u << i))
			continue;
		if (left->budget.buffers && left->budget.buffers < n)
			n = left->budget.buffers;
		ret = fph_balloon_process(b, i, n);
		if (ret <= 0 || !left->budget.buffers)
			continue;
		left->budget.buffers -= (uint32_t)ret;
		left->spent = !left->budget.buffers;
	}
	return ready;
}

static uint64_t count_done(const struct fph_run *runs, uint32_t n)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < n; i++)
		bytes += runs[i].done;
	return bytes;
}

/* Discards runs that are in hand or wait; whether there were any. */
static bool pump_runs(struct fph_balloon *b, struct fph_reclaim *rc,
		      struct left *left)
{
	struct fph_run *runs = b->runs + b->pump_first;
	struct fph_budget budget = left->budget;
	uint64_t before, done;
	uint32_t n;
	int ret;

	if (b->pump_first == b->pump_end) {
		ret = fph_balloon_next(b, b->runs, BALLOON_RUNS);
		if (ret <= 0)
			return false;
		b->pump_first = 0;
		b->pump_end = (uint32_t)ret;
		runs = b->runs;
	}
	n = b->pump_end - b->pump_first;
	before = count_done(runs, n);
	if (budget.nanoseconds) {
		uint64_t now = fph_system_get_time() - left->start;

		/* At least a little, so that each call gets on. */
		budget.nanoseconds = now < budget.nanoseconds ?
				     budget.nanoseconds - now : 1;
	}
	ret = fph_reclaim_discard(rc, runs, n, &budget);
	done = count_done(runs, n) - before;
	if (ret > 0) {
		(void)fph_balloon_complete(b, runs, (uint32_t)ret);
		b->pump_first += (uint32_t)ret;
	}
	if (left->budget.bytes) {
		left->spent |= done >= left->budget.bytes;
		left->budget.bytes -= left->spent ? 0 : done;
	}
	return true;
}

int fph_balloon_pump(struct fph_balloon *b, struct fph_reclaim *rc,
		     const struct fph_budget *budget)
{
	static const struct fph_budget no_limit;
	struct left left = { .budget = budget ? *budget : no_limit };
	bool busy = true;

	if (!b)
		return FPH_EUNINIT;
	if (!rc || b->deflate)
		return FPH_EINVAL;
	if (left.budget.nanoseconds)
		left.start = fph_system_get_time();
	while (busy && !left.spent) {
		busy = pump_rings(b, &left);
		busy |= pump_runs(b, rc, &left);
		(void)fph_balloon_flush(b);
		if (left.budget.nanoseconds &&
		    fph_system_get_time() - left.start >= left.budget.nanoseconds)
			left.spent = true;
	}
	return busy;
}
