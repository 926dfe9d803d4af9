/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The layout of a split ring, for its device side and its driver side.
 *
 *   desc:   num x { gpa u64, len u32, flags u16, next u16 }
 *   driver: flags u16, idx u16, num x { head u16 }, used_event u16
 *   device: flags u16, idx u16, num x { id u32, len u32 }, avail_event u16
 */
#ifndef FPH_VRING_SPLIT_H
#define FPH_VRING_SPLIT_H

#include "ring.h"

#define FPH_RING_FLAGS		0u
#define FPH_RING_IDX		2u
#define FPH_RING_ENTRIES	4u
#define FPH_USED_BYTES		8u

/* Of the driver: no interrupt; of the device: no notification. */
#define FPH_RING_SILENT		1u

static inline uint32_t fph_avail_entry(uint32_t num, uint32_t idx)
{
	return FPH_RING_ENTRIES + 2u * (idx & (num - 1));
}

static inline uint32_t fph_used_entry(uint32_t num, uint32_t idx)
{
	return FPH_RING_ENTRIES + FPH_USED_BYTES * (idx & (num - 1));
}

/* used_event: behind the available ring, where the driver asks. */
static inline uint32_t fph_used_event(uint32_t num)
{
	return FPH_RING_ENTRIES + 2u * num;
}

/* avail_event: behind the used ring, where the device asks. */
static inline uint32_t fph_avail_event(uint32_t num)
{
	return FPH_RING_ENTRIES + FPH_USED_BYTES * num;
}

#endif /* FPH_VRING_SPLIT_H */
