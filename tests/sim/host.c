/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The host: its device, discards that are late, and what they may not do. */
#include "sim.h"

static struct sim_host *host(struct sim *s)
{
	return &s->dev->host;
}

/* ------------------------------------------------------------- the rings -- */

void sim_host_kick(struct sim *s)
{
	/* One that nobody sent. */
	if (!s->drains && sim_one_in(&s->rng, 2))
		fph_balloon_kick(host(s)->balloon, sim_below(&s->rng, 5));
}

/* The queue is not served unless hints are wanted. */
static bool forgets_drain(struct sim *s, uint32_t index)
{
	int state = fph_balloon_hint_get_state(host(s)->balloon);

	return sim_has(s, SIM_D10) && index == FPH_QUEUE_HINT &&
	       state != FPH_HINT_REQUESTED && state != FPH_HINT_ACTIVE;
}

void sim_host_process(struct sim *s)
{
	struct sim_host *h = host(s);
	uint32_t ready = fph_balloon_get_ready(h->balloon);
	uint32_t index = FPH_QUEUE_HINT + sim_below(&s->rng, 2);
	int ret;

	if (!(ready & 1u << index) || forgets_drain(s, index))
		return;
	ret = fph_balloon_process(h->balloon, index,
				  1 + sim_below(&s->rng, 8));
	sim_check(s, ret >= 0, "process: %d", ret);
}

void sim_host_flush(struct sim *s)
{
	struct sim_host *h = host(s);
	uint32_t bits;

	fph_balloon_flush(h->balloon);
	bits = fph_balloon_take_notify(h->balloon);
	if (bits & 1u << FPH_QUEUE_HINT)
		h->irqs |= 1u << SIM_HINT;
	if (bits & 1u << FPH_QUEUE_REPORT)
		h->irqs |= 1u << SIM_REPORT;
}

void sim_host_events(struct sim *s)
{
	struct sim_host *h = host(s);
	uint32_t events = fph_balloon_take_events(h->balloon);

	if (events & FPH_EVENT_CONFIG)
		h->config_irq = true;
	sim_check(s, !(events & FPH_EVENT_BROKEN), "the device is broken");
}

void sim_host_target(struct sim *s)
{
	fph_balloon_set_target(host(s)->balloon, sim_below(&s->rng, 64));
}

/* -------------------------------------------------------------- discards -- */

void sim_host_next(struct sim *s)
{
	struct sim_host *h = host(s);
	struct fph_run runs[4];
	uint32_t room = SIM_RUNS - h->nwork;
	int n;

	if (!room)
		return;
	n = fph_balloon_next(h->balloon, runs, room < 4 ? room : 4);
	sim_check(s, n >= 0, "next: %d", n);
	for (int i = 0; i < n; i++) {
		sim_check(s, runs[i].queue == FPH_QUEUE_REPORT,
			  "a run of queue %u", runs[i].queue);
		h->work[h->nwork].run = runs[i];
		/* R2: it is told to be over before it is. */
		if (sim_has(s, SIM_R2)) {
			runs[i].outcome = FPH_OUTCOME_DISCARDED;
			runs[i].freed = runs[i].len;
			fph_balloon_complete(h->balloon, &runs[i], 1);
		}
		h->work[h->nwork++].over = false;
	}
}

/* R6 and D8: to whole pages of the host, but outwards. */
static void round_out(struct sim *s, struct fph_run *run)
{
	uint64_t mask = ((uint64_t)SIM_PAGE << s->config.shift) - 1;
	uint64_t end = (run->gpa + run->len + mask) & ~mask;

	run->gpa &= ~mask;
	run->len = end - run->gpa;
}

static void discard_directly(struct sim *s, struct sim_work *w)
{
	struct fph_run run = w->run;

	if (sim_has(s, SIM_R6))
		round_out(s, &run);
	sim_discard(s, (uint32_t)(run.gpa / SIM_PAGE),
		    (uint32_t)(run.len / SIM_PAGE));
	w->run.done = w->run.len;
	w->run.freed = w->run.len;
	w->run.outcome = FPH_OUTCOME_DISCARDED;
}

void sim_host_discard(struct sim *s)
{
	struct sim_host *h = host(s);
	struct fph_budget budget = { 0 };
	struct sim_work *w;
	int ret;

	if (!h->nwork)
		return;
	w = &h->work[sim_below(&s->rng, h->nwork)];
	if (w->over)
		return;
	if (sim_has(s, SIM_R6)) {
		discard_directly(s, w);
		w->over = true;
		return;
	}
	if (!s->drains && sim_one_in(&s->rng, 2))
		budget.bytes = 1 + sim_below(&s->rng, 4 * SIM_PAGE);
	ret = fph_reclaim_discard(s->reclaim, &w->run, 1, &budget);
	sim_check(s, ret >= 0 && ret <= 1, "discard: %d", ret);
	w->over = ret == 1;
}

void sim_host_complete(struct sim *s)
{
	struct sim_host *h = host(s);
	uint32_t i;
	int ret;

	if (!h->nwork)
		return;
	i = sim_below(&s->rng, h->nwork);
	if (!h->work[i].over)
		return;
	if (!sim_has(s, SIM_R2)) {
		ret = fph_balloon_complete(h->balloon, &h->work[i].run, 1);
		/* R5: it may belong to a device that is gone. */
		sim_check(s, ret == 1 || sim_has(s, SIM_R5),
			  "complete: %d", ret);
	}
	h->work[i] = h->work[--h->nwork];
}

/* All in one call, as a simple VMM does it. */
void sim_host_pump(struct sim *s)
{
	struct sim_host *h = host(s);
	struct fph_budget budget = { 0 };
	int ret;

	if (sim_has(s, SIM_R2) || sim_has(s, SIM_R6) || sim_has(s, SIM_R5) ||
	    sim_has(s, SIM_D10) || (s->drains && !h->pumps))
		return;
	h->pumps = true;
	if (!s->drains) {
		budget.bytes = 1 + sim_below(&s->rng, 8 * SIM_PAGE);
		budget.buffers = 1 + sim_below(&s->rng, 4);
	}
	ret = fph_balloon_pump(h->balloon, s->reclaim, &budget);
	sim_check(s, ret >= 0, "pump: %d", ret);
	sim_host_flush(s);
}

/* ----------------------------------------------------------------- hints -- */

void sim_host_hint_next(struct sim *s)
{
	struct sim_host *h = host(s);
	uint32_t room = SIM_RUNS - h->nhints;
	int n;

	if (!room)
		return;
	n = fph_balloon_hint_next(h->balloon, h->hints + h->nhints,
				  room < 4 ? room : 4);
	sim_check(s, n >= 0, "hint next: %d", n);
	if (n > 0)
		h->nhints += (uint32_t)n;
}

void sim_host_hint_complete(struct sim *s)
{
	struct sim_host *h = host(s);
	struct fph_run run, wide;
	uint32_t i;
	int ret;

	if (!h->nhints)
		return;
	i = sim_below(&s->rng, h->nhints);
	run = h->hints[i];
	if (sim_has(s, SIM_D8)) {
		wide = run;
		round_out(s, &wide);
		sim_migration_hint(s, &wide);
		run.outcome = FPH_OUTCOME_CLEARED;
	} else if (sim_has(s, SIM_D7)) {
		sim_discard(s, (uint32_t)(run.gpa / SIM_PAGE),
			    (uint32_t)(run.len / SIM_PAGE));
		run.outcome = FPH_OUTCOME_CLEARED;
	} else {
		sim_migration_hint(s, &run);
	}
	ret = fph_balloon_hint_complete(h->balloon, &run, 1);
	sim_check(s, ret == 1, "hint complete: %d", ret);
	h->hints[i] = h->hints[--h->nhints];
}

/* ------------------------------------------------------------ inhibition -- */

/* After failures. */
void sim_host_enable(struct sim *s)
{
	fph_reclaim_enable(s->reclaim);
}

void sim_host_inhibit(struct sim *s)
{
	struct sim_host *h = host(s);

	if (h->inhibited)
		fph_reclaim_allow(s->reclaim, FPH_SKIP_VFIO);
	else if (!s->drains)
		fph_reclaim_inhibit(s->reclaim, FPH_SKIP_VFIO);
	else
		return;
	h->inhibited = !h->inhibited;
}
