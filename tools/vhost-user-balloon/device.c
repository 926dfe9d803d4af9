/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <string.h>

#include "clock.h"
#include "device.h"
#include "log.h"

/*
 * How much is taken before the main loop looks at something else: from a ring
 * so many buffers, and none once its time is over, or that of the turn for all
 * rings; one of the largest takes up to half a millisecond.  Fault 15: a guest
 * must not slow the control socket.
 */
#define TAKE_BUDGET	64
#define TAKE_US		500
#define TURN_US		1500

/* ---------------------------------------------------------------- discards */

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

/* ---------------------------------------------------------- taking buffers */

void device_begin_turn(struct device *d)
{
	d->turn_end = clock_now_us() + TURN_US;
}

static int64_t get_end(const struct device *d)
{
	return clock_earlier(clock_now_us() + TAKE_US, d->turn_end);
}

/*
 * Hints are taken one buffer at a time, and each is told of before the next
 * is looked at: a round that is to end after N buffers ends after exactly N.
 */
static int process_hints(struct device *d, uint32_t index)
{
	int64_t end = get_end(d);
	int i;

	for (i = 0; i < TAKE_BUDGET && clock_now_us() < end &&
	     !events_is_full(d->event_queue); i++) {
		int n = fph_balloon_process(d->balloon, index, 1);

		if (n <= 0)
			return n;
		d->taken[index] += (uint32_t)n;
		hint_after_buffer(&d->hint);
	}
	return 0;
}

static int process(struct device *d, uint32_t index)
{
	int64_t end = get_end(d);
	int n = 1;
	int i;

	for (i = 0; i < TAKE_BUDGET && n > 0 && clock_now_us() < end; i++) {
		n = fph_balloon_process(d->balloon, index, 1);
		if (n > 0)
			d->taken[index] += (uint32_t)n;
	}
	return n;
}

uint32_t device_get_taken(struct device *d, uint32_t index)
{
	uint32_t n = d->taken[index];

	d->taken[index] = 0;
	return n;
}

int device_process(struct device *d, uint32_t index)
{
	int n;

	if (d->hold || !(d->enabled & 1u << index))
		return 0;
	/* If the time is over before the first look, it is ready next turn. */
	fph_balloon_kick(d->balloon, index);
	if (fph_balloon_get_queue(d->balloon, index, NULL) == FPH_QUEUE_HINT)
		n = process_hints(d, index);
	else
		n = process(d, index);
	return fph_status_is_peer(n) ? n : 0;
}

uint32_t device_get_ready(const struct device *d)
{
	return d->hold ? 0 : fph_balloon_get_ready(d->balloon) & d->enabled;
}

bool device_is_quiet(const struct device *d)
{
	return worker_is_idle(&d->worker) &&
	       fph_balloon_get_outstanding(d->balloon) == 0;
}

uint64_t device_get_inflight(const struct device *d, int queue)
{
	struct fph_balloon_counters c;

	device_get_counters(d, &c);
	return c.queue[queue].popped - c.queue[queue].pushed -
	       d->left[queue];
}

void device_leave_buffers(struct device *d, int queue)
{
	d->left[queue] += device_get_inflight(d, queue);
}

void device_leave_all_buffers(struct device *d)
{
	struct fph_balloon_counters c;
	int i;

	device_get_counters(d, &c);
	for (i = 0; i < FPH_NQUEUES; i++)
		d->left[i] = c.queue[i].popped - c.queue[i].pushed;
}

struct device_effects device_take_effects(struct device *d)
{
	struct device_effects e;

	d->calls |= fph_balloon_take_notify(d->balloon);
	d->events |= fph_balloon_take_events(d->balloon);
	e.calls = d->calls;
	e.events = d->events;
	d->calls = 0;
	d->events = 0;
	if (e.events & FPH_EVENT_STATS)
		d->stats_came = true;
	return e;
}

void device_memory_changed(struct device *d)
{
	uint64_t page = memory_table_get_page(&d->memory);

	if (page < d->least_page)
		page = d->least_page;
	d->page_size = page;
	if (fph_balloon_set_inflate_granule(d->balloon, page) != FPH_OK)
		log_line("inflated pages are not collected into pages of %llu "
			 "bytes", (unsigned long long)page);
}

void device_reset(struct device *d)
{
	fph_balloon_reset(d->balloon);
	device_leave_all_buffers(d);
	fph_reclaim_enable(d->worker.reclaim);
	d->enabled = 0;
	d->calls = 0;
	d->hint.stream_open = false;
	hint_tell_state(&d->hint);
}

/* ------------------------------------------------------------ begin and end */

int device_init(struct device *d, const struct fph_balloon_params *params,
		const struct memory_policy *policy, struct events *events)
{
	struct fph_balloon_params p = *params;
	int status, err;

	memset(d, 0, sizeof(*d));
	memory_table_init(&d->memory, policy);
	d->event_queue = events;
	d->max_queue_size = p.max_queue_size;
	d->least_page = p.inflate_granule;
	d->page_size = p.inflate_granule;
	if (!d->memory.memory)
		return ENOMEM;
	p.memory = d->memory.memory;
	d->balloon = fph_balloon_new(&p, &status);
	if (!d->balloon) {
		memory_table_fini(&d->memory);
		return status == FPH_ENOMEM ? ENOMEM : EINVAL;
	}
	err = worker_init(&d->worker, &d->memory);
	if (err) {
		fph_balloon_free(d->balloon);
		memory_table_fini(&d->memory);
		return err;
	}
	hint_init(&d->hint, d->balloon, events);
	freeze_init(&d->freeze, d->balloon, events);
	return 0;
}

void device_fini(struct device *d)
{
	worker_fini(&d->worker);
	device_pump(d);
	fph_balloon_free(d->balloon);
	memory_table_clear(&d->memory);
	memory_table_fini(&d->memory);
}

/* ------------------------------------------------------------------- rings */

int device_start_ring(struct device *d, uint32_t index,
		      const struct fph_balloon_ring *ring)
{
	return fph_balloon_ring_start(d->balloon, index, ring) == FPH_OK ?
	       0 : EINVAL;
}

int device_stop_ring(struct device *d, uint32_t index, uint32_t *base)
{
	int queue = fph_balloon_get_queue(d->balloon, index, NULL);

	if (fph_balloon_ring_stop(d->balloon, index, base) != FPH_OK)
		return EBUSY;
	if (queue >= 0)
		device_leave_buffers(d, queue);
	d->enabled &= ~(1u << index);
	return 0;
}

void device_enable_ring(struct device *d, uint32_t index, bool on)
{
	fph_balloon_ring_enable(d->balloon, index, on);
	if (on)
		d->enabled |= 1u << index;
	else
		d->enabled &= ~(1u << index);
}

int device_get_role(const struct device *d, uint32_t index, int *candidates)
{
	return fph_balloon_get_queue(d->balloon, index, candidates);
}

/* ------------------------------------------------------------------- hints */

bool device_can_hint(const struct device *d)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		if ((d->enabled & 1u << i) &&
		    device_get_role(d, i, NULL) == FPH_QUEUE_HINT)
			return true;
	}
	return false;
}

int device_start_hint(struct device *d, uint64_t max_buffers, int then)
{
	return hint_start(&d->hint, device_can_hint(d), max_buffers, then);
}

void device_run_pending_hint(struct device *d)
{
	if (d->hint.pending && device_can_hint(d))
		hint_run_pending(&d->hint);
}

bool device_needs_done(const struct device *d)
{
	return hint_needs_done(&d->hint) && device_can_hint(d);
}
