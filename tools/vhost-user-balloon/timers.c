/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "timers.h"

void timers_init(struct timers *t, const struct timer_options *options)
{
	memset(t, 0, sizeof(*t));
	t->options = *options;
}

/* -------------------------------------------------------------- statistics */

void timers_see_stats(struct timers *t, struct device *d, int64_t now)
{
	struct fph_balloon_counters c;

	if (!d->stats_came)
		return;
	d->stats_came = false;
	device_get_counters(d, &c);
	if (c.stats == t->stats_seen)
		return;
	t->stats_seen = c.stats;
	t->stats_at = now;
	t->stats_time = (int64_t)time(NULL);
}

void timers_set_stats(struct timers *t, uint32_t ms)
{
	t->options.stats_ms = ms;
	t->next_stats = 0;
}

static void ask_for_stats(struct timers *t, struct device *d, int64_t now)
{
	if (!t->options.stats_ms || now < t->next_stats)
		return;
	t->next_stats = now + t->options.stats_ms;
	/* Without a driver, or while frozen, there is nobody to ask. */
	(void)device_request_stats(d);
}

/* ----------------------------------------------------------------- balloon */

static void watch_balloon(struct timers *t, struct device *d, int64_t now)
{
	int r = progress_run(&t->progress, device_get_target(d),
			     device_get_actual(d), d->enabled,
			     t->options.stuck_ms, now);

	if (r == PROGRESS_REACHED)
		events_put(d->event_queue, EVENT_TARGET_REACHED,
			   t->progress.target, t->progress.actual);
	else if (r == PROGRESS_STUCK)
		events_put(d->event_queue, EVENT_STUCK, t->progress.target,
			   t->progress.actual);
}

/* ------------------------------------------------------------------- hints */

/* Whether a guest waits for a word about its hinted pages, or may do so. */
static bool is_round_open(const struct device *d)
{
	return d->hint.pending || hint_needs_done(&d->hint);
}

void timers_see_client(struct timers *t, int64_t now)
{
	t->hint_seen = now;
}

static void end_forsaken(struct timers *t, struct device *d, int64_t now)
{
	const uint32_t follows = EVENT_CLASS_HINT | EVENT_CLASS_SKIP;

	if (!t->options.hint_ms || !is_round_open(d))
		return;
	if (d->event_queue->wanted & follows)
		t->hint_seen = now;
	if (now - t->hint_seen < t->options.hint_ms)
		return;
	log_line("no client follows the round of hints: the guest can have "
		 "its pages back");
	/* Repeated if a discard is late. */
	if (hint_done(&d->hint) != FPH_OK)
		t->hint_seen = now;
}

/* --------------------------------------------------------------------- run */

void timers_run(struct timers *t, struct device *d, int64_t now)
{
	timers_see_stats(t, d, now);
	ask_for_stats(t, d, now);
	watch_balloon(t, d, now);
	end_forsaken(t, d, now);
}

int64_t timers_get_deadline(const struct timers *t, const struct device *d)
{
	int64_t at = progress_get_deadline(&t->progress, t->options.stuck_ms);

	if (t->options.stats_ms)
		at = clock_earlier(at, t->next_stats);
	if (t->options.hint_ms && is_round_open(d))
		at = clock_earlier(at, t->hint_seen + t->options.hint_ms);
	return at;
}
