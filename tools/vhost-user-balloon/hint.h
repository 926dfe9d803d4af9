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

struct device;

/* What ends a round after max_buffers. */
enum hint_then {
	HINT_THEN_STOP		= 0,
	HINT_THEN_RESTART	= 1,
	HINT_THEN_DONE		= 2
};

struct hint {
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

void hint_init(struct device *d);

/* Whether a driver that can hint has its ring set up. */
bool hint_is_driver_ready(const struct device *d);

/*
 * Begin a round, or remember to when no driver is there yet (then pending is
 * set).  FPH_OK, or what fph_balloon_hint_request answers.
 */
int hint_start(struct device *d, uint64_t max_buffers, int then);

/* End the round and drop a pending one.  FPH_OK, FPH_EBUSY. */
int hint_stop(struct device *d);
int hint_done(struct device *d);

/* Begin the pending round once a driver is there. */
void hint_run_pending(struct device *d);

/* After each buffer of the hint queue: tell of it, apply the limit. */
void hint_after_buffer(struct device *d);

/* Tell of a change of state that came by another way. */
void hint_tell_state(struct device *d);

/* Whether the driver may still hold pages that DONE would free (D9). */
bool hint_needs_done(const struct device *d);

/* "idle" and so on. */
const char *hint_get_state_name(int state);

#endif /* VUB_HINT_H */
