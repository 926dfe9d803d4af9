/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "device.h"

/* How many buffers are taken before the main loop looks at something else. */
#define TAKE_BUDGET	64

int device_init(struct device *d, const struct fph_balloon_params *params,
		struct control *control)
{
	struct fph_balloon_params p = *params;
	int status, err;

	memset(d, 0, sizeof(*d));
	memory_table_init(&d->memory);
	d->control = control;
	p.memory = &d->memory.memory;
	d->balloon = fph_balloon_new(&p, &status);
	if (!d->balloon)
		return status == FPH_ENOMEM ? ENOMEM : EINVAL;
	err = worker_init(&d->worker, &d->memory.memory);
	if (err) {
		fph_balloon_free(d->balloon);
		return err;
	}
	hint_init(d);
	return 0;
}

void device_fini(struct device *d)
{
	worker_fini(&d->worker);
	device_pump(d);
	fph_balloon_free(d->balloon);
	memory_table_clear(&d->memory);
}

/* ---------------------------------------------------------- taking buffers */

/*
 * Hints are taken one buffer at a time, and each is told of before the next
 * is looked at: a round that is to end after N buffers ends after exactly N.
 */
static int process_hints(struct device *d, uint32_t index)
{
	int i;

	for (i = 0; i < TAKE_BUDGET; i++) {
		int n = fph_balloon_process(d->balloon, index, 1);

		if (n <= 0)
			return n;
		hint_after_buffer(d);
	}
	return 0;
}

int device_process(struct device *d, uint32_t index)
{
	int n;

	if (d->hold || !(d->enabled & 1u << index))
		return 0;
	if (fph_balloon_get_queue(d->balloon, index, NULL) == FPH_QUEUE_HINT)
		n = process_hints(d, index);
	else
		n = fph_balloon_process(d->balloon, index, TAKE_BUDGET);
	device_pump(d);
	return fph_status_is_peer(n) ? n : 0;
}

uint32_t device_get_ready(const struct device *d)
{
	return d->hold ? 0 : fph_balloon_get_ready(d->balloon) & d->enabled;
}

/* ---------------------------------------------------------------- discards */

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
	struct fph_reclaim_counters now;

	if (fph_reclaim_get_counters(&d->worker.reclaim, &now) != FPH_OK)
		return;
	t->runs += now.runs - old->runs;
	t->discarded += now.discarded - old->discarded;
	t->lazy += now.lazy - old->lazy;
	t->trimmed += now.trimmed - old->trimmed;
	t->skipped += sum_skipped(&now) - sum_skipped(old);
	t->failed += now.failed - old->failed;
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

bool device_is_quiet(const struct device *d)
{
	return worker_is_idle(&d->worker) && !d->carried &&
	       fph_balloon_get_outstanding(d->balloon) == 0;
}

uint64_t device_get_inflight(const struct device *d, int queue)
{
	struct fph_balloon_counters c;

	fph_balloon_get_counters(d->balloon, &c);
	return c.queue[queue].popped - c.queue[queue].pushed -
	       d->left[queue];
}

void device_leave_buffers(struct device *d, int queue)
{
	d->left[queue] += device_get_inflight(d, queue);
}

struct device_effects device_take_effects(struct device *d)
{
	struct device_effects e;

	d->calls |= fph_balloon_get_notify(d->balloon);
	d->events |= fph_balloon_get_events(d->balloon);
	e.calls = d->calls;
	e.events = d->events;
	d->calls = 0;
	d->events = 0;
	return e;
}

void device_reset(struct device *d)
{
	int queue;

	fph_balloon_reset(d->balloon);
	for (queue = 0; queue < FPH_NQUEUES; queue++)
		device_leave_buffers(d, queue);
	fph_reclaim_reset(&d->worker.reclaim);
	d->enabled = 0;
	d->calls = 0;
	d->hint.stream_open = false;
	hint_tell_state(d);
}
