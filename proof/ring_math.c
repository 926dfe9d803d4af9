/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Indices of 16 bits: offsets inside of rings of every size, and when a
 * notification is due, as the specification's vring_need_event says.
 *
 * unwind: 66
 * bug: lib/vring/ring.h: now - event - 1) < steps => now - event) < steps
 */
#include "vring/split.h"

#include "proof.h"

int main(void)
{
	uint32_t num = nondet_u32();
	uint32_t idx = nondet_u32();
	uint16_t event = nondet_u16();
	uint16_t now = nondet_u16();
	uint16_t old = nondet_u16();
	uint32_t steps = (uint16_t)(now - old);
	uint32_t more = nondet_u32();

	ASSUME(num <= FPH_VRING_MAX_SIZE && fph_is_power(num));
	MUST(fph_avail_entry(num, idx) + 2 <= fph_used_event(num));
	MUST(fph_used_event(num) + 2 <= FPH_VRING_DRIVER_SIZE(0, num));
	MUST(fph_used_entry(num, idx) + FPH_USED_BYTES <=
	     fph_avail_event(num));
	MUST(fph_avail_event(num) + 2 <= FPH_VRING_DEVICE_SIZE(0, num));
	MUST(fph_ring_passed(event, now, steps) ==
	     ((uint16_t)(now - event - 1) < (uint16_t)(now - old)));
	MUST(fph_ring_passed(event, now, FPH_RING_ROUND));
	ASSUME(more <= FPH_VRING_MAX_SIZE);
	steps = fph_ring_steps(steps, more);
	MUST(steps <= FPH_RING_ROUND && (steps >= more));
	return 0;
}
