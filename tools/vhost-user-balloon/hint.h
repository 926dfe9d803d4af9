/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Rounds of free page hints: start, stop, done, and a round that ends after a
 * given number of buffers.
 *
 * The daemon migrates nothing.  It exports what the guest hints: events SKIP
 * with the pages, HINT_STATE, and HINT_SYNC_BEGIN, HINT_SYNC_END around the
 * moment from which the pages of a round count.  Whoever migrates harvests
 * its dirty log and arms it again before hint-start (D1, D6), and sends
 * hint-stop and awaits the answer before each later harvest (D2, D3).
 */
#ifndef VUB_HINT_H
#define VUB_HINT_H

#include <stdbool.h>
#include <stdint.h>

#include <fph-vmm/balloon.h>

#include "events.h"

/* What ends a round after max_buffers. */
enum hint_then {
	HINT_THEN_STOP		= 0,
	HINT_THEN_RESTART	= 1,
	HINT_THEN_DONE		= 2
};

struct hint {
	struct fph_balloon *balloon;
	struct events *events;
	bool pending;			/* start when a driver is there */
	uint64_t max_buffers;		/* of this round; 0: no limit */
	int then;			/* enum hint_then */
	uint64_t round_buffers;		/* hint buffers of this round */
	uint64_t buffers;		/* of all rounds */
	uint64_t streams_ended;		/* by a command of the driver */
	bool stream_open;		/* a START came and no end of it yet */
	uint32_t id;			/* the newest command id, 0: none yet */
	int state;			/* as last told: enum fph_hint_state */
	uint64_t seen_starts;		/* counters at the last look */
	uint64_t seen_ends;
	uint64_t seen_hints;
};

void hint_init(struct hint *h, struct fph_balloon *balloon,
	       struct events *events);

/*
 * Begin a round; ready: a driver that can hint has its ring set up.  Without
 * one it is remembered (then pending is set).  FPH_OK, FPH_ESTATE (a round is
 * going on), or what fph_balloon_hint_request answers.
 */
int hint_start(struct hint *h, bool ready, uint64_t max_buffers, int then);

/* End the round and drop a pending one.  FPH_OK, FPH_EBUSY. */
int hint_stop(struct hint *h);
int hint_done(struct hint *h);

/* A driver is there: begin the pending round. */
void hint_run_pending(struct hint *h);

/* After each buffer of the hint queue: tell of it, apply the limit. */
void hint_after_buffer(struct hint *h);

/* Tell of a change of state that came by another way. */
void hint_tell_state(struct hint *h);

/* Whether a driver may still hold pages that DONE would free (D9). */
bool hint_needs_done(const struct hint *h);

/* As fph_balloon_hint_get_state and _get_config. */
static inline int hint_get_state(const struct hint *h)
{
	return fph_balloon_hint_get_state(h->balloon);
}

static inline uint32_t hint_get_config(const struct hint *h)
{
	return fph_balloon_hint_get_config(h->balloon);
}

/* "idle" and so on. */
const char *hint_get_state_name(int state);

#endif /* VUB_HINT_H */
