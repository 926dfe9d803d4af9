/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The discards of the device: to the worker and back. */
#include "device.h"

/* Counts what the worker did, by the queue of each run. */
static void account(struct device *d, uint32_t n)
{
	const struct worker *w = &d->worker;
	uint32_t i;

	for (i = 0; i < n; i++) {
		struct discard_totals *t =
			w->runs[i].queue == FPH_QUEUE_REPORT ? &d->report :
							       &d->inflate;

		t->runs++;
		t->freed += w->smaller[i];
	}
	fph_reclaim_get_counters(w->reclaim, &d->reclaimed,
				 sizeof(d->reclaimed));
}

static void reap(struct device *d)
{
	uint32_t n = worker_reap(&d->worker);

	if (!n)
		return;
	account(d, n);
	fph_balloon_complete(d->balloon, d->worker.runs, n);
}

/* Runs that nobody waits for any more. */
static void cancel(struct device *d, struct fph_run *runs, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		runs[i].outcome = FPH_OUTCOME_SKIPPED;
		runs[i].reason = FPH_SKIP_EMBEDDER;
	}
	fph_balloon_complete(d->balloon, runs, n);
}

static void submit(struct device *d)
{
	struct fph_run runs[WORKER_BATCH];
	int n;

	while ((n = fph_balloon_next(d->balloon, runs, WORKER_BATCH)) > 0) {
		if (!d->cancel) {
			worker_submit(&d->worker, runs, (uint32_t)n);
			return;
		}
		cancel(d, runs, (uint32_t)n);
	}
}

void device_pump(struct device *d)
{
	reap(d);
	freeze_run(&d->freeze, d->hold);
	if (worker_is_idle(&d->worker))
		submit(d);
	fph_balloon_flush(d->balloon);
	d->calls |= fph_balloon_take_notify(d->balloon);
	d->events |= fph_balloon_take_events(d->balloon);
}
