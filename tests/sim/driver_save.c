/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest's driver is saved and loaded, as by a snapshot or a live update. */
#include <string.h>

#include "sim.h"

static uint8_t state[FPH_HINTER_STATE_SIZE(SIM_PAGES, 8)];
static uint8_t memory[SIM_RING_BYTES];

/* Ring memory is the guest's, and as it was. */
static void renew_ring(struct sim *s, uint32_t queue)
{
	struct sim_driver *d = &s->dev->driver;
	uint8_t *ring = sim_ring(s, s->devno, queue);
	size_t size;
	int ret;

	ret = fph_vq_driver_save(d->vq[queue], state, sizeof(state), &size);
	sim_check(s, ret == FPH_OK, "ring: save: %d", ret);
	memcpy(memory, ring, sizeof(memory));
	ret = fph_vq_driver_init(&d->vq[queue], d->vq_mem[queue],
				 sizeof(d->vq_mem[queue]),
				 &d->ring_params[queue]);
	sim_check(s, ret == FPH_OK, "ring: %d", ret);
	memcpy(ring, memory, sizeof(memory));
	ret = fph_vq_driver_load(d->vq[queue], state, size);
	sim_check(s, ret == FPH_OK, "ring: load: %d", ret);
}

static void renew_reporter(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	size_t size;
	int ret;

	ret = fph_reporter_save(d->reporter, s->now, state, sizeof(state),
				&size);
	sim_check(s, ret == FPH_OK, "reporter: save: %d", ret);
	ret = fph_reporter_init(&d->reporter, d->reporter_mem,
				sizeof(d->reporter_mem), &d->report_params);
	sim_check(s, ret == FPH_OK, "reporter: %d", ret);
	ret = fph_reporter_load(d->reporter, s->now, state, size);
	sim_check(s, ret == FPH_OK, "reporter: load: %d", ret);
}

static void renew_hinter(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	size_t size;
	int ret;

	ret = fph_hinter_save(d->hinter, state, sizeof(state), &size);
	sim_check(s, ret == FPH_OK, "hinter: save: %d", ret);
	ret = fph_hinter_init(&d->hinter, d->hinter_mem,
			      sizeof(d->hinter_mem), &d->hint_params);
	sim_check(s, ret == FPH_OK, "hinter: %d", ret);
	ret = fph_hinter_load(d->hinter, state, size);
	sim_check(s, ret == FPH_OK, "hinter: load: %d", ret);
}

void sim_driver_save(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;

	if (!sim_driver_runs(s))
		return;
	if (d->hints) {
		renew_ring(s, SIM_HINT);
		renew_hinter(s);
	}
	if (d->reports) {
		renew_ring(s, SIM_REPORT);
		renew_reporter(s);
	}
}
