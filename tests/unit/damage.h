/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Saved states with wrong values behind a good checksum. */
#ifndef FPH_TESTS_DAMAGE_H
#define FPH_TESTS_DAMAGE_H

#include <string.h>

#include "core/state.h"

#include "range_model.h"

static inline void damage_sign(uint8_t *state, size_t size)
{
	fph_put32(state + FPH_STATE_CRC_AT, fph_state_check_sum(state, size),
		  FPH_LE);
}

/* Up to three bytes of a good state become others, small ones often. */
static inline void damage_some(uint8_t *bad, const uint8_t *good, size_t size,
			       uint64_t *seed)
{
	uint32_t n = 1 + model_random(seed, 3);

	memcpy(bad, good, size);
	while (n--)
		bad[FPH_STATE_HEADER + model_random(seed,
			(uint32_t)size - FPH_STATE_HEADER)] =
			model_random(seed, 2) ?
			(uint8_t)model_random(seed, 8) :
			(uint8_t)model_random(seed, 256);
	damage_sign(bad, size);
}

#endif /* FPH_TESTS_DAMAGE_H */
