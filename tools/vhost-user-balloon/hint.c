/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <string.h>

#include "device.h"
#include "events.h"

void hint_init(struct device *d)
{
	memset(&d->hint, 0, sizeof(d->hint));
	d->hint.state = fph_balloon_hint_get_state(d->balloon);
}

const char *hint_get_state_name(int state)
{
	switch (state) {
	case FPH_HINT_IDLE:
		return "idle";
	case FPH_HINT_REQUESTED:
		return "requested";
	case FPH_HINT_ACTIVE:
		return "active";
	case FPH_HINT_STOPPING:
		return "stopping";
	case FPH_HINT_STOPPED:
		return "stopped";
	case FPH_HINT_DONE:
		return "done";
	}
	return "unknown";
}

bool hint_is_driver_ready(const struct device *d)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		if ((d->enabled & 1u << i) &&
		    fph_balloon_get_queue(d->balloon, i, NULL) ==
		    FPH_QUEUE_HINT)
			return true;
	}
	return false;
}

void hint_tell_state(struct device *d)
{
	struct hint *h = &d->hint;
	int state = fph_balloon_hint_get_state(d->balloon);

	if (state == h->state)
		return;
	h->state = state;
	events_hint_state(d->control, hint_get_state_name(state), h->id);
}

/* Each run that waits may be skipped; there is nothing else to do for it. */
static void tell_skips(struct device *d)
{
	struct fph_run run;

	while (fph_balloon_hint_next(d->balloon, &run) == 1) {
		if (run.len)
			events_skip(d->control, run.gpa, run.len);
		fph_balloon_hint_complete(d->balloon, &run, true);
	}
}

/*
 * The bracket of a harvest.  The daemon has no dirty log: the one who asked
 * for the round did its harvest before (D1); the events tell everyone else
 * which SKIP belongs to which side of it.
 */
static int sync_bracket(struct device *d)
{
	int status;

	tell_skips(d);
	status = fph_balloon_hint_sync_begin(d->balloon);
	if (status != FPH_OK)
		return status;
	hint_tell_state(d);
	events_hint_sync(d->control, true);
	events_hint_sync(d->control, false);
	return fph_balloon_hint_sync_end(d->balloon);
}

static int publish(struct device *d)
{
	struct hint *h = &d->hint;
	int status = sync_bracket(d);

	if (status != FPH_OK)
		return status;
	status = fph_balloon_hint_request(d->balloon, &h->id);
	if (status != FPH_OK)
		return status;
	h->round_buffers = 0;
	hint_tell_state(d);
	return FPH_OK;
}

int hint_start(struct device *d, uint64_t max_buffers, int then)
{
	struct hint *h = &d->hint;
	int state = fph_balloon_hint_get_state(d->balloon);

	if (h->pending || state == FPH_HINT_REQUESTED ||
	    state == FPH_HINT_ACTIVE)
		return FPH_ESTATE;
	h->max_buffers = max_buffers;
	h->then = then;
	if (!hint_is_driver_ready(d)) {
		h->pending = true;
		return FPH_OK;
	}
	return publish(d);
}

void hint_run_pending(struct device *d)
{
	if (!d->hint.pending || !hint_is_driver_ready(d))
		return;
	d->hint.pending = false;
	publish(d);
}

int hint_stop(struct device *d)
{
	int status;

	d->hint.pending = false;
	tell_skips(d);
	status = fph_balloon_hint_stop(d->balloon);
	hint_tell_state(d);
	return status;
}

int hint_done(struct device *d)
{
	int status;

	d->hint.pending = false;
	tell_skips(d);
	status = fph_balloon_hint_done(d->balloon);
	hint_tell_state(d);
	return status;
}

/*
 * Count a stream as ended by the driver's own command, also when the host had
 * ended the round before: to the session such a command is a stale one.
 */
static void watch_stream(struct hint *h, const struct fph_hint_counters *c)
{
	uint64_t ends = c->stops + c->stale;

	if (c->starts != h->seen_starts) {
		h->stream_open = true;
	} else if (ends != h->seen_ends && h->stream_open) {
		h->stream_open = false;
		h->streams_ended++;
	}
	h->seen_starts = c->starts;
	h->seen_ends = ends;
}

static void apply_limit(struct device *d)
{
	struct hint *h = &d->hint;
	int then = h->then;

	if (!h->max_buffers || h->round_buffers < h->max_buffers)
		return;
	h->max_buffers = 0;
	if (then == HINT_THEN_RESTART)
		publish(d);
	else if (then == HINT_THEN_DONE)
		hint_done(d);
	else
		hint_stop(d);
}

void hint_after_buffer(struct device *d)
{
	struct hint *h = &d->hint;
	struct fph_balloon_counters c;
	bool hinted;

	fph_balloon_get_counters(d->balloon, &c);
	hinted = c.hint.hints != h->seen_hints;
	h->seen_hints = c.hint.hints;
	watch_stream(h, &c.hint);
	hint_tell_state(d);
	tell_skips(d);
	if (!hinted)
		return;
	h->buffers++;
	h->round_buffers++;
	apply_limit(d);
}

bool hint_needs_done(const struct device *d)
{
	struct fph_balloon_counters c;

	fph_balloon_get_counters(d->balloon, &c);
	return c.hint.rounds > 0 && hint_is_driver_ready(d) &&
	       fph_balloon_hint_get_state(d->balloon) != FPH_HINT_DONE;
}
