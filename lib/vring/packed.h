/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The layout of a packed ring, for its device side and its driver side.
 *
 *   desc:   num x { gpa u64, len u32, id u16, flags u16 }
 *   driver: off_wrap u16, flags u16	asks for interrupts
 *   device: off_wrap u16, flags u16	asks for notifications
 *
 * Both sides go round the one array, each with a wrap bit that flips when it
 * begins anew.  A descriptor is available when its two bits are the driver's
 * wrap bit and the opposite, and used when both are the device's.
 */
#ifndef FPH_VRING_PACKED_H
#define FPH_VRING_PACKED_H

#include "ring.h"

#define FPH_PACKED_AVAIL	0x80u
#define FPH_PACKED_USED		0x8000u

#define FPH_EVENT_OFF		0u
#define FPH_EVENT_FLAGS		2u
#define FPH_EVENT_ENABLE	0u
#define FPH_EVENT_DISABLE	1u
#define FPH_EVENT_DESC		2u	/* at one place; with EVENT_IDX */
#define FPH_EVENT_BYTES		4u

/* A place in the ring, as the words of the layout have it. */
#define FPH_PACKED_WRAP		0x8000u

struct fph_place {
	uint16_t at;
	bool wrap;
};

static inline uint16_t fph_place_word(struct fph_place p)
{
	return (uint16_t)(p.at | (p.wrap ? FPH_PACKED_WRAP : 0));
}

static inline struct fph_place fph_place_of(uint32_t word)
{
	struct fph_place p = { (uint16_t)(word & ~FPH_PACKED_WRAP & 0xffff),
			       word & FPH_PACKED_WRAP };

	return p;
}

/* n descriptors further, at most num. */
static inline struct fph_place fph_place_add(struct fph_place p, uint32_t n,
					     uint32_t num)
{
	uint32_t at = p.at + n;

	if (at >= num) {
		at -= num;
		p.wrap = !p.wrap;
	}
	p.at = (uint16_t)at;
	return p;
}

/* The bits of a descriptor that is made available, or used, in a lap. */
static inline uint32_t fph_avail_bits(bool wrap)
{
	return wrap ? FPH_PACKED_AVAIL : FPH_PACKED_USED;
}

static inline uint32_t fph_used_bits(bool wrap)
{
	return wrap ? FPH_PACKED_AVAIL | FPH_PACKED_USED : 0;
}

static inline bool fph_has_bits(uint32_t flags, uint32_t bits)
{
	return (flags & (FPH_PACKED_AVAIL | FPH_PACKED_USED)) == bits;
}

static inline uint32_t fph_flags_at(uint32_t at)
{
	return at * FPH_DESC_BYTES + 14;
}

/*
 * Whether the other side, by its event structure, wants to be told of steps
 * descriptors up to now.  The caller's own descriptors are out by a barrier.
 */
static inline bool fph_event_wants(const uint8_t *event, struct fph_place now,
				   uint32_t steps, uint32_t num, bool big)
{
	uint16_t flags = fph_ring_load(event, FPH_EVENT_FLAGS, big);
	struct fph_place p;

	if (flags != FPH_EVENT_DESC)
		return flags != FPH_EVENT_DISABLE;
	/* The place was written before the flags that point to it. */
	fph_rmb();
	p = fph_place_of(fph_ring_load(event, FPH_EVENT_OFF, big));
	return fph_ring_passed((uint16_t)(p.at - (p.wrap == now.wrap ?
						  0 : num)), now.at, steps);
}

/* Asks the other side to tell of what it does at a place and behind, or not. */
static inline void fph_event_ask(uint8_t *event, struct fph_place at, bool on,
				 bool event_idx, bool big)
{
	uint32_t flags = on ? FPH_EVENT_ENABLE : FPH_EVENT_DISABLE;

	if (on && event_idx) {
		fph_ring_store(event, FPH_EVENT_OFF, fph_place_word(at), big);
		fph_wmb();
		flags = FPH_EVENT_DESC;
	}
	fph_ring_store(event, FPH_EVENT_FLAGS, (uint16_t)flags, big);
}

#endif /* FPH_VRING_PACKED_H */
