/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The discards of the device: to the worker and back. */
#include "device.h"

static uint64_t sum_skipped(const struct fph_reclaim_counters *c)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < FPH_NSKIP; i++)
		sum += c->skipped[i];
	return sum;
}

/* A batch holds runs of one queue, so what it changed belongs to that queue. */
static void account(struct device *d)
{
	struct discard_totals *t = d->batch_queue == FPH_QUEUE_REPORT ?
				   &d->report : &d->inflate;
	const struct fph_reclaim_counters *old = &d->reclaimed;
	const struct worker *w = &d->worker;
	struct fph_reclaim_counters now;

	if (fph_reclaim_get_counters(&d->worker.reclaim, &now) != FPH_OK)
		return;
	t->runs += now.runs - old->runs;
	t->discarded += now.discarded - old->discarded;
	t->lazy += now.lazy - old->lazy;
	t->trimmed += now.trimmed - old->trimmed;
	t->skipped += sum_skipped(&now) - sum_skipped(old);
	t->failed += now.failed - old->failed;
	t->freed += w->freed - d->freed;
	t->skipped += w->backoff + w->disabled - d->left_alone;
	d->freed = w->freed;
	d->left_alone = w->backoff + w->disabled;
	d->reclaimed = now;
}

static void reap(struct device *d)
{
	uint32_t n = worker_reap(&d->worker);
	uint32_t i;

	if (!n)
		return;
	account(d);
	for (i = 0; i < n; i++) {
		struct fph_discard done;
		int result = d->worker.results[i];

		done.queue = d->batch_queue;
		done.run = d->worker.runs[i];
		fph_balloon_complete(d->balloon, &done,
				     result == FPH_RECLAIM_DISCARDED ||
				     result == FPH_RECLAIM_LAZY);
	}
}

/* The next run, the one that was left over first. */
static bool next_run(struct device *d, struct fph_discard *run)
{
	if (d->carried) {
		*run = d->carry;
		d->carried = false;
		return true;
	}
	return fph_balloon_next(d->balloon, run) == 1;
}

static uint32_t collect(struct device *d, struct fph_run *runs)
{
	struct fph_discard run;
	uint32_t n = 0;

	while (n < WORKER_BATCH && next_run(d, &run)) {
		if (d->cancel) {
			fph_balloon_complete(d->balloon, &run, false);
			continue;
		}
		if (n > 0 && run.queue != d->batch_queue) {
			d->carry = run;
			d->carried = true;
			break;
		}
		d->batch_queue = run.queue;
		runs[n++] = run.run;
	}
	return n;
}

void device_pump(struct device *d)
{
	struct fph_run runs[WORKER_BATCH];
	uint32_t n;

	reap(d);
	if (worker_is_idle(&d->worker)) {
		n = collect(d, runs);
		if (n)
			worker_submit(&d->worker, runs, n);
	}
	fph_balloon_flush(d->balloon);
	d->calls |= fph_balloon_get_notify(d->balloon);
	d->events |= fph_balloon_get_events(d->balloon);
}
