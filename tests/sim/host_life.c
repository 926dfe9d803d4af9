/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The host's device: made, reset, frozen, moved, and what a crash leaves. */
#include "sim.h"

#define DEVICE_OFFSET	0x2000u
#define DRIVER_OFFSET	0x1000u

static struct sim_host *host(struct sim *s)
{
	return &s->dev->host;
}

static uint32_t get_index(uint32_t queue)
{
	return queue == SIM_HINT ? FPH_QUEUE_HINT : FPH_QUEUE_REPORT;
}

/* Whether the driver has this queue. */
static bool has_queue(const struct sim *s, uint32_t queue)
{
	const struct sim_driver *d = &s->dev->driver;

	return queue == SIM_HINT ? d->hints : d->reports;
}

/* ------------------------------------------------------------------ made -- */

bool sim_host_new(struct sim *s, struct sim_host *h)
{
	/* Those that round outwards do it themselves. */
	uint64_t granule = sim_has(s, SIM_D8) || sim_has(s, SIM_R6) ?
			   SIM_PAGE : (uint64_t)SIM_PAGE << s->config.shift;
	const struct fph_balloon_params p = {
		.size = sizeof(p),
		.memory = s->memory,
		.features = FPH_BALLOON_FEATURES | FPH_VRING_FEATURES,
		.report_granule = granule,
		.hint_granule = granule,
		.numbering = FPH_NUMBERING_FIXED,
		.max_queue_size = SIM_RING_MAX
	};

	h->balloon = fph_balloon_new(&p, NULL);
	h->nwork = 0;
	h->nhints = 0;
	h->in_sync = false;
	h->pumps = false;
	h->stopping = 0;
	h->frozen = false;
	return h->balloon;
}

void sim_host_fini(struct sim *s, struct sim_host *h)
{
	(void)s;
	fph_balloon_free(h->balloon);
}

/* A packed ring has no record of what is in flight. */
static bool is_packed(const struct sim *s)
{
	return s->dev->driver.features & FPH_BIT(VIRTIO_F_RING_PACKED);
}

static int start_ring(struct sim *s, uint32_t queue, uint32_t base)
{
	struct sim_host *h = host(s);
	uint8_t *ring = sim_ring(s, s->devno, queue);
	const struct fph_balloon_ring r = {
		.size = sizeof(r),
		.num = h->ring_num,
		.desc = ring,
		.driver = ring + DRIVER_OFFSET,
		.device = ring + DEVICE_OFFSET,
		.inflight = is_packed(s) ? NULL : h->inflight[queue],
		.base = base
	};
	int ret = fph_balloon_ring_start(h->balloon, get_index(queue), &r);

	return ret ? ret : fph_balloon_ring_enable(h->balloon,
						   get_index(queue), true);
}

int sim_host_start(struct sim *s, const uint32_t *base)
{
	int ret = FPH_OK;

	for (uint32_t q = 0; q < SIM_QUEUES && !ret; q++)
		if (has_queue(s, q))
			ret = start_ring(s, q, base[q]);
	return ret;
}

/* ----------------------------------------------------------------- reset -- */

/* What was counted, before the counters begin anew. */
static void check_counters(struct sim *s)
{
	struct fph_balloon_counters c;

	fph_balloon_get_counters(host(s)->balloon, &c, sizeof(c));
	sim_check(s, !c.report.refused && !c.report.peer_errors &&
		  !c.hint.refused && !c.hint.peer_errors,
		  "a good buffer was refused");
}

void sim_host_reset(struct sim *s)
{
	struct sim_host *h = host(s);
	int ret;

	if (s->dev->driver.state != SIM_DRIVER_RESETS)
		return;
	ret = fph_balloon_reset(h->balloon);
	/* R5: it is confirmed while discards are still to come. */
	if (ret == FPH_EINPROGRESS && sim_has(s, SIM_R5) && !h->nhints) {
		sim_driver_confirm(s);
		s->dev->driver.state = SIM_DRIVER_RESETS;
		return;
	}
	sim_check(s, ret == FPH_OK || ret == FPH_EINPROGRESS, "reset: %d",
		  ret);
	if (ret != FPH_OK)
		return;
	sim_check(s, (!h->nwork || sim_has(s, SIM_R2)) && !h->nhints,
		  "reset with work in flight");
	check_counters(s);
	h->stopping = 0;
	sim_driver_confirm(s);
}

/* ------------------------------------------------------- freeze and thaw -- */

void sim_host_freeze(struct sim *s)
{
	struct sim_host *h = host(s);
	int ret;

	if (s->drains)
		return;
	ret = fph_balloon_freeze(h->balloon);
	sim_check(s, ret == FPH_OK || ret == FPH_EINPROGRESS, "freeze: %d",
		  ret);
	h->frozen = true;
}

void sim_host_thaw(struct sim *s)
{
	struct sim_host *h = host(s);

	if (!h->frozen || s->migration.phase == SIM_SWITCHING)
		return;
	fph_balloon_thaw(h->balloon);
	h->frozen = false;
}

/* ------------------------------------------------------------ one ring -- */

/* As a front-end of vhost-user stops and starts one. */
void sim_host_ring_stop(struct sim *s)
{
	struct sim_host *h = host(s);
	uint32_t queue = sim_below(&s->rng, SIM_QUEUES);
	uint32_t base;
	int ret;

	if (h->stopping)
		queue = h->stopping - 1;
	else if (s->drains)
		return;
	if (!sim_driver_runs(s) || !has_queue(s, queue))
		return;
	ret = fph_balloon_ring_stop(h->balloon, get_index(queue), &base);
	sim_check(s, ret == FPH_OK || ret == FPH_EINPROGRESS, "ring stop: %d",
		  ret);
	h->stopping = ret == FPH_OK ? 0 : queue + 1;
	if (ret == FPH_OK)
		sim_check(s, start_ring(s, queue, base) == FPH_OK,
			  "ring start again");
}

/* ----------------------------------------------------------------- moved -- */

static void restore(struct sim *s, const struct fph_balloon_state *state)
{
	struct sim_host *h = host(s);
	const uint32_t base[SIM_QUEUES] = {
		state->base[FPH_QUEUE_HINT], state->base[FPH_QUEUE_REPORT]
	};

	if (!sim_host_new(s, h)) {
		sim_fail(s, "no memory for a device");
		return;
	}
	sim_check(s, fph_balloon_restore(h->balloon, state) == FPH_OK,
		  "restore");
	if (s->dev->driver.state == SIM_DRIVER_RUNS)
		sim_check(s, sim_host_start(s, base) == FPH_OK,
			  "start at the base");
	sim_host_events(s);
}

/*
 * A process that is killed takes its discards with it.  What the rings need
 * is in the inflight records; the VMM knows the rest, the last id too (D5).
 */
void sim_host_crash(struct sim *s)
{
	struct sim_host *h = host(s);
	struct fph_balloon_state state = {
		.size = sizeof(state),
		.negotiated = fph_balloon_get_negotiated(h->balloon),
		.poison_val = s->config.poison ? SIM_POISON : 0,
		.hint_id = sim_has(s, SIM_D5) ? 0 : h->last_id,
		.endian = s->config.legacy ? FPH_BE : FPH_LE
	};

	if (s->dev->driver.state == SIM_DRIVER_RESETS || is_packed(s) ||
	    s->migration.phase >= SIM_FINAL || s->drains)
		return;
	sim_host_fini(s, h);
	/* Interrupts on their way die with it. */
	h->irqs = 0;
	restore(s, &state);
	sim_host_flush(s);
}

bool sim_host_move(struct sim *s)
{
	struct sim_host *h = host(s);
	struct fph_balloon_state state = { .size = sizeof(state) };

	if (fph_balloon_freeze(h->balloon) != FPH_OK)
		return false;
	sim_host_flush(s);
	check_counters(s);
	sim_check(s, fph_balloon_get_state(h->balloon, &state) == FPH_OK,
		  "state");
	if (s->why[0])
		return true;
	if (sim_has(s, SIM_D5))
		state.hint_id = 0;
	sim_host_fini(s, h);
	memset(h->inflight, 0, sizeof(h->inflight));
	restore(s, &state);
	return true;
}

/* Saved and loaded on the same host. */
void sim_host_save(struct sim *s)
{
	if (s->dev->driver.state == SIM_DRIVER_RESETS ||
	    s->migration.phase >= SIM_FINAL)
		return;
	if (sim_host_move(s) && !s->why[0])
		s->dev->host.config_irq = true;
	else
		s->dev->host.frozen = true;
}
