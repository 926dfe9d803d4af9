/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <string.h>

#include "hint.h"

void hint_init(struct hint *h, struct fph_balloon *balloon,
	       struct events *events)
{
	memset(h, 0, sizeof(*h));
	h->balloon = balloon;
	h->events = events;
	h->state = fph_balloon_hint_get_state(balloon);
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

void hint_tell_state(struct hint *h)
{
	int state = fph_balloon_hint_get_state(h->balloon);

	if (state == h->state)
		return;
	h->state = state;
	events_put(h->events, EVENT_HINT_STATE, (uint64_t)state, h->id);
}

/* Each run that waits may be skipped; there is nothing else to do for it. */
static void tell_skips(struct hint *h)
{
	struct fph_run runs[64];
	int n, i;

	while ((n = fph_balloon_hint_next(h->balloon, runs, 64)) > 0) {
		for (i = 0; i < n; i++) {
			events_put(h->events, EVENT_SKIP, runs[i].gpa,
				   runs[i].len);
			runs[i].outcome = FPH_OUTCOME_CLEARED;
			runs[i].freed = runs[i].len;
		}
		fph_balloon_hint_complete(h->balloon, runs, (uint32_t)n);
	}
}

/*
 * The bracket of a dirty-log sync.  The daemon has no dirty log: the one who
 * asked for the round did its sync before (D1); the events tell everyone else
 * which SKIP belongs to which side of it.
 */
static int sync_bracket(struct hint *h)
{
	int status;

	tell_skips(h);
	status = fph_balloon_hint_sync_begin(h->balloon);
	if (status != FPH_OK)
		return status;
	hint_tell_state(h);
	events_put(h->events, EVENT_HINT_SYNC_BEGIN, 0, 0);
	events_put(h->events, EVENT_HINT_SYNC_END, 0, 0);
	return fph_balloon_hint_sync_end(h->balloon);
}

static int publish(struct hint *h)
{
	int status = sync_bracket(h);

	if (status != FPH_OK)
		return status;
	status = fph_balloon_hint_request(h->balloon, &h->id);
	if (status != FPH_OK)
		return status;
	h->round_buffers = 0;
	hint_tell_state(h);
	return FPH_OK;
}

int hint_start(struct hint *h, bool ready, uint64_t max_buffers, int then)
{
	int state = fph_balloon_hint_get_state(h->balloon);

	if (h->pending || state == FPH_HINT_REQUESTED ||
	    state == FPH_HINT_ACTIVE)
		return FPH_ESTATE;
	h->max_buffers = max_buffers;
	h->then = then;
	if (!ready) {
		h->pending = true;
		return FPH_OK;
	}
	return publish(h);
}

void hint_run_pending(struct hint *h)
{
	if (!h->pending)
		return;
	h->pending = false;
	publish(h);
}

int hint_stop(struct hint *h)
{
	int status;

	h->pending = false;
	tell_skips(h);
	status = fph_balloon_hint_stop(h->balloon);
	hint_tell_state(h);
	return status;
}

int hint_done(struct hint *h)
{
	int status;

	h->pending = false;
	tell_skips(h);
	status = fph_balloon_hint_done(h->balloon);
	hint_tell_state(h);
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

static void apply_limit(struct hint *h)
{
	int then = h->then;

	if (!h->max_buffers || h->round_buffers < h->max_buffers)
		return;
	h->max_buffers = 0;
	if (then == HINT_THEN_RESTART)
		publish(h);
	else if (then == HINT_THEN_DONE)
		hint_done(h);
	else
		hint_stop(h);
}

void hint_after_buffer(struct hint *h)
{
	struct fph_balloon_counters c;
	bool hinted;

	fph_balloon_get_counters(h->balloon, &c, sizeof(c));
	hinted = c.hint.hints != h->seen_hints;
	h->seen_hints = c.hint.hints;
	watch_stream(h, &c.hint);
	hint_tell_state(h);
	tell_skips(h);
	if (!hinted)
		return;
	h->buffers++;
	h->round_buffers++;
	apply_limit(h);
}

bool hint_needs_done(const struct hint *h)
{
	struct fph_balloon_counters c;

	fph_balloon_get_counters(h->balloon, &c, sizeof(c));
	return c.hint.rounds > 0 &&
	       fph_balloon_hint_get_state(h->balloon) != FPH_HINT_DONE;
}
