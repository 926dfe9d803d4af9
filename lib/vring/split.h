/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The layout of a split ring, for its device side and its driver side.
 *
 *   desc:   num x { gpa u64, len u32, flags u16, next u16 }
 *   driver: flags u16, idx u16, num x { head u16 }, used_event u16
 *   device: flags u16, idx u16, num x { id u32, len u32 }, avail_event u16
 *
 * Everything that the other side may write meanwhile is copied once, then
 * decoded from the copy: nothing here looks at ring memory twice.
 */
#ifndef FPH_VRING_SPLIT_H
#define FPH_VRING_SPLIT_H

#include <fph/vring.h>

#include "core/common.h"

/* For inner loops that are compiled once for each value of a constant. */
#ifdef __GNUC__
#define FPH_INLINE	static inline __attribute__((always_inline))
#else
#define FPH_INLINE	static inline
#endif

#define FPH_DESC_NEXT		1u
#define FPH_DESC_WRITE		2u
#define FPH_DESC_INDIRECT	4u
#define FPH_DESC_BYTES		16u

#define FPH_RING_FLAGS		0u
#define FPH_RING_IDX		2u
#define FPH_RING_ENTRIES	4u
#define FPH_USED_BYTES		8u

/* Of the driver: no interrupt; of the device: no notification. */
#define FPH_RING_SILENT		1u

/* More buffers than an index of 16 bits can tell apart. */
#define FPH_RING_ROUND		65536u

/* A descriptor, decoded. */
struct fph_desc {
	uint64_t gpa;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

static inline uint16_t fph_swap16(uint16_t v)
{
	return (uint16_t)(v >> 8 | v << 8);
}

static inline uint32_t fph_swap32(uint32_t v)
{
	return v >> 24 | (v >> 8 & 0xff00u) | (v << 8 & 0xff0000u) | v << 24;
}

static inline uint64_t fph_swap64(uint64_t v)
{
	return (uint64_t)fph_swap32((uint32_t)v) << 32 |
	       fph_swap32((uint32_t)(v >> 32));
}

/* Between host order and ring order, which is the same way there and back. */
static inline uint16_t fph_ring16(uint16_t v, bool big)
{
	return big != FPH_HOST_BIG_ENDIAN ? fph_swap16(v) : v;
}

static inline uint32_t fph_ring32(uint32_t v, bool big)
{
	return big != FPH_HOST_BIG_ENDIAN ? fph_swap32(v) : v;
}

static inline uint64_t fph_ring64(uint64_t v, bool big)
{
	return big != FPH_HOST_BIG_ENDIAN ? fph_swap64(v) : v;
}

/*
 * Copies a descriptor out of a table, which may have any alignment.  The
 * barrier keeps the compiler from reading the table again instead of the copy.
 */
static inline void fph_desc_load(struct fph_desc *d, const uint8_t *table,
				 uint32_t i, bool big)
{
	uint8_t b[FPH_DESC_BYTES];

	fph_memcpy(b, table + (size_t)i * FPH_DESC_BYTES, sizeof(b));
	fph_compiler_barrier();
	fph_memcpy(&d->gpa, b, 8);
	fph_memcpy(&d->len, b + 8, 4);
	fph_memcpy(&d->flags, b + 12, 2);
	fph_memcpy(&d->next, b + 14, 2);
	d->gpa = fph_ring64(d->gpa, big);
	d->len = fph_ring32(d->len, big);
	d->flags = fph_ring16(d->flags, big);
	d->next = fph_ring16(d->next, big);
}

FPH_INLINE void fph_desc_store(uint8_t *table, uint32_t i,
			       const struct fph_seg *seg, uint32_t flags,
			       uint32_t next, bool big)
{
	uint64_t gpa = fph_ring64(seg->gpa, big);
	uint32_t len = fph_ring32(seg->len, big);
	uint16_t f = fph_ring16((uint16_t)flags, big);
	uint16_t n = fph_ring16((uint16_t)next, big);
	uint8_t *b = table + (size_t)i * FPH_DESC_BYTES;

	fph_memcpy(b, &gpa, 8);
	fph_memcpy(b + 8, &len, 4);
	fph_memcpy(b + 12, &f, 2);
	fph_memcpy(b + 14, &n, 2);
}

/* One field of 16 bits, read or written while the other side looks. */
static inline uint16_t fph_ring_load(const void *ring, uint32_t off, bool big)
{
	return fph_ring16(fph_load16((const uint8_t *)ring + off), big);
}

static inline void fph_ring_store(void *ring, uint32_t off, uint16_t v,
				  bool big)
{
	fph_store16((uint8_t *)ring + off, fph_ring16(v, big));
}

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

/*
 * Whether an index that moved by steps, at most FPH_RING_ROUND, and is now at
 * now, passed the event index of the other side.
 */
static inline bool fph_ring_passed(uint16_t event, uint16_t now,
				   uint32_t steps)
{
	return (uint16_t)(now - event - 1) < steps;
}

/* Steps of an index, and more of them: beyond a round they are all the same. */
static inline uint32_t fph_ring_steps(uint32_t steps, uint32_t more)
{
	return steps + more < FPH_RING_ROUND ? steps + more : FPH_RING_ROUND;
}

static inline bool fph_has_feature(uint64_t features, unsigned int bit)
{
	return features & FPH_BIT(bit);
}

/* What both sides ask of a ring before they take it up. */
static inline bool fph_ring_fits(uint32_t num, uint64_t features,
				 uint32_t endian, const void *desc,
				 const void *driver, const void *device)
{
	if (num > FPH_VRING_MAX_SIZE || !fph_is_power(num))
		return false;
	if (fph_has_feature(features, VIRTIO_F_RING_PACKED) ||
	    fph_has_feature(features, VIRTIO_F_IN_ORDER))
		return false;
	if (endian && endian != FPH_LE && endian != FPH_BE)
		return false;
	if (!desc || !driver || !device)
		return false;
	return !((uintptr_t)desc & 15) && !((uintptr_t)driver & 1) &&
	       !((uintptr_t)device & 3);
}

#endif /* FPH_VRING_SPLIT_H */
