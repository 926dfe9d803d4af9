/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the daemon does of itself as time goes by: asks the guest for
 * statistics, tells whether the balloon has the size that was wanted, and ends
 * rounds of hints that nobody follows any more.
 */
#ifndef VUB_TIMERS_H
#define VUB_TIMERS_H

#include "device.h"
#include "progress.h"

/* Milliseconds; 0: never. */
struct timer_options {
	uint32_t stats_ms;		/* between questions for statistics */
	uint32_t stuck_ms;		/* until a balloon counts as stuck */
	uint32_t hint_ms;		/* until a forsaken round is over */
};

struct timers {
	struct timer_options options;
	struct progress progress;
	int64_t next_stats;		/* when the guest is to be asked */
	uint64_t stats_seen;		/* how often it answered */
	int64_t stats_at;		/* when it last did, CLOCK_MONOTONIC */
	int64_t stats_time;		/* the same, seconds since 1970; 0: not */
	int64_t hint_seen;		/* when a client last cared for a round */
};

void timers_init(struct timers *t, const struct timer_options *options);

/* Do what is due. */
void timers_run(struct timers *t, struct device *d, int64_t now);
int64_t timers_get_deadline(const struct timers *t, const struct device *d);

/* Ask for statistics so often from now on, and at once; 0: not at all. */
void timers_set_stats(struct timers *t, uint32_t ms);

/* Note when statistics came, if some came since it was last called. */
void timers_see_stats(struct timers *t, struct device *d, int64_t now);

/* A client did something about a round. */
void timers_see_client(struct timers *t, int64_t now);

#endif /* VUB_TIMERS_H */
