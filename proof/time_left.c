/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Times of a saved state, for all times and clocks: by the same clock a time
 * comes back as it was, by another one it is as far from it, and what never
 * ends never ends.
 *
 * unwind: 2
 * bug: lib/core/pool_state.c: left == NEVER || left > FPH_FOREVER - now ? => left == NEVER ?
 */
#include "proof.h"

#include "core/pool_state.c"

#define FAR	((FPH_FOREVER >> 1) - 1)	/* 292 years */

/* What the rest of that file calls, and is not called here. */
void fph_pool_init(struct fph_pool *p, void *mem, uint32_t max_ranges,
		   uint32_t max_batches, uint32_t others)
{
	(void)p;
	(void)mem;
	(void)max_ranges;
	(void)max_batches;
	(void)others;
}

void fph_pool_open_at(struct fph_pool *p, uint32_t i)
{
	(void)p;
	(void)i;
}

int fph_pool_wait(struct fph_pool *p, uint32_t i)
{
	(void)p;
	(void)i;
	return FPH_OK;
}

int main(void)
{
	uint64_t when = nondet_u64(), now = nondet_u64();
	uint64_t there = nondet_u64(), left = nondet_u64();
	uint64_t back = fph_time_when(fph_time_left(when, now), now);
	uint64_t then = fph_time_when(fph_time_left(when, now), there);

	/* Any number that a state holds is some time. */
	(void)fph_time_when(left, now);
	MUST((when == FPH_FOREVER) == (back == FPH_FOREVER) ||
	     (when - now > FAR && when > now));
	if (when == FPH_FOREVER) {
		MUST(then == FPH_FOREVER);
		return 0;
	}
	if (when >= now && when - now <= FAR) {
		MUST(back == when);
		MUST(then >= there);
		MUST(then - there == when - now || then == FPH_FOREVER);
	}
	if (when < now && now - when <= FAR) {
		MUST(back == when);
		MUST(then <= there);
		MUST(there - then == now - when || !then);
	}
	return 0;
}
