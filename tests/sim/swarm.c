/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The configuration of a run: a random part of all features and faults, for
 * with all of them on at a time the rarer ones hide behind the others.
 */
#include "sim.h"

static bool coin(struct sim_rng *r)
{
	return sim_one_in(r, 2);
}

static void draw_weights(struct sim_config *c, struct sim_rng *r)
{
	c->total = 0;
	for (uint32_t i = 0; i < sim_nops; i++) {
		uint32_t w = sim_ops[i].weight << sim_below(r, 4);

		if (sim_ops[i].optional && coin(r))
			w = 0;
		c->weight[i] = w;
		c->total += w;
	}
}

/* Of hints and reports. */
static void keep_only(struct sim_config *c, unsigned int bit)
{
	c->features &= ~(FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT) |
			 FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING));
	c->features |= FPH_BIT(bit);
}

/* A mutant is looked for where it can show itself. */
static void fit_mutant(struct sim_config *c)
{
	if (c->mutant == SIM_NO_MUTANT)
		return;
	c->faithless = false;
	if (c->log == SIM_LOG_ON_HINT)
		c->log = SIM_LOG_EAGER;
	if (c->mutant == SIM_POISON_NOT_REWRITTEN)
		c->poison = true;
	else if (c->mutant != SIM_LOST_KICK && c->mutant != SIM_R5)
		c->poison = false;
	if (c->mutant == SIM_D6_LAZY || c->mutant == SIM_HOLD_EARLY)
		c->log = SIM_LOG_ON_HINT;
	if (c->mutant == SIM_HOLD_EARLY)
		c->modes = 1u << FPH_HINTER_HOLD;
	else if ((c->mutant >= SIM_D1 && c->mutant <= SIM_D8) ||
		 c->mutant == SIM_V1)
		c->modes = 1u << FPH_HINTER_NEVER;
	if (c->mutant == SIM_D8 || c->mutant == SIM_R6)
		c->shift = 1 + c->shift % 2;
	if (c->mutant == SIM_LOST_KICK)
		c->lossy = false;
	/* The same mistake of a guest, with one of the two alone. */
	if (c->mutant == SIM_V2)
		keep_only(c, VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	else if (c->mutant == SIM_R3)
		keep_only(c, VIRTIO_BALLOON_F_PAGE_REPORTING);
}

void sim_config_draw(struct sim_config *c, uint64_t seed,
		     enum sim_mutant mutant)
{
	struct sim_rng r = { seed };

	memset(c, 0, sizeof(*c));
	c->mutant = mutant;
	c->ndevices = 1 + sim_one_in(&r, 4);
	c->shift = sim_one_in(&r, 3) ? sim_below(&r, 3) : 0;
	c->chunk = 1u << sim_below(&r, 7);
	c->log = sim_below(&r, SIM_NLOGS);
	c->backing = coin(&r) ? FPH_BACKING_ANON : FPH_BACKING_SHMEM;
	c->reclaim_flags = coin(&r) ? FPH_RECLAIM_NO_VECTOR : 0;
	c->poison = sim_one_in(&r, 6);
	c->legacy = sim_one_in(&r, 3);
	c->lossy = sim_one_in(&r, 4);
	c->shows_zero = sim_one_in(&r, 4);
	c->errors = coin(&r) ? 2u << sim_below(&r, 6) : 0;
	c->max_used = 16u << sim_below(&r, 4);
	c->modes = 1 + sim_below(&r, 7);
	c->modes <<= 1;
	c->features = FPH_BALLOON_FEATURES | FPH_VRING_FEATURES;
	if (!c->legacy)
		c->features |= FPH_BIT(VIRTIO_F_VERSION_1);
	if (sim_one_in(&r, 5))
		c->features &= ~FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	else if (sim_one_in(&r, 5))
		c->features &= ~FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	/*
	 * A guest that waits until its hints are used needs no rule of the
	 * host but "used only after acting"; others need D6 as well.
	 */
	if (sim_one_in(&r, 6))
		c->faithless = true;
	/* Writes after the hint have to be logged all the same. */
	if (c->faithless && c->log == SIM_LOG_PENDING)
		c->log = SIM_LOG_ON_HINT;
	fit_mutant(c);
	if (c->faithless || (c->log == SIM_LOG_ON_HINT &&
			     c->mutant == SIM_NO_MUTANT))
		c->modes = 1u << FPH_HINTER_UNTIL_USED;
	draw_weights(c, &r);
}
