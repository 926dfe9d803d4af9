/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the two layouts of a ring have in common, for both of its sides.
 *
 * Everything that the other side may write meanwhile is copied once, then
 * decoded from the copy: nothing here looks at ring memory twice.
 */
#ifndef FPH_VRING_RING_H
#define FPH_VRING_RING_H

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

/* More buffers than an index of 16 bits can tell apart. */
#define FPH_RING_ROUND		65536u

/* A descriptor, decoded but for what the layouts have differently. */
struct fph_desc {
	uint64_t gpa;
	uint32_t len;
	uint16_t at12;			/* split: flags; packed: id */
	uint16_t at14;			/* split: next; packed: flags */
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
FPH_INLINE void fph_desc_load(struct fph_desc *d, const uint8_t *table,
			      uint32_t i, bool big)
{
	const uint8_t *p = table + (size_t)i * FPH_DESC_BYTES;
	uint8_t b[FPH_DESC_BYTES];

	fph_dma_in(p, sizeof(b));
	fph_memcpy(b, p, sizeof(b));
	fph_compiler_barrier();
	fph_memcpy(&d->gpa, b, 8);
	fph_memcpy(&d->len, b + 8, 4);
	fph_memcpy(&d->at12, b + 12, 2);
	fph_memcpy(&d->at14, b + 14, 2);
	d->gpa = fph_dma_gpa(fph_ring64(d->gpa, big));
	d->len = fph_ring32(d->len, big);
	d->at12 = fph_ring16(d->at12, big);
	d->at14 = fph_ring16(d->at14, big);
}

FPH_INLINE void fph_desc_store(uint8_t *table, uint32_t i,
			       const struct fph_seg *seg, uint32_t at12,
			       uint32_t at14, bool big)
{
	uint64_t gpa = fph_ring64(fph_dma_addr(seg->gpa), big);
	uint32_t len = fph_ring32(seg->len, big);
	uint16_t v12 = fph_ring16((uint16_t)at12, big);
	uint16_t v14 = fph_ring16((uint16_t)at14, big);
	uint8_t *b = table + (size_t)i * FPH_DESC_BYTES;

	fph_memcpy(b, &gpa, 8);
	fph_memcpy(b + 8, &len, 4);
	fph_memcpy(b + 12, &v12, 2);
	fph_memcpy(b + 14, &v14, 2);
	fph_dma_out(b, FPH_DESC_BYTES);
}

/* One field of 16 bits, read or written while the other side looks. */
static inline uint16_t fph_ring_load(const void *ring, uint32_t off, bool big)
{
	const uint8_t *p = (const uint8_t *)ring + off;

	fph_dma_in(p, 2);
	return fph_ring16(fph_load16(p), big);
}

static inline void fph_ring_store(void *ring, uint32_t off, uint16_t v,
				  bool big)
{
	uint8_t *p = (uint8_t *)ring + off;

	fph_store16(p, fph_ring16(v, big));
	fph_dma_out(p, 2);
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

/* A chain while it is read; both layouts have the same rules for it. */
struct fph_chain {
	struct fph_seg *seg;		/* next to fill */
	struct fph_seg *writable;	/* first writable one, or NULL */
	uint64_t total;
};

/* Adds what a descriptor says; there must be room.  FPH_OK, FPH_PEER_*. */
FPH_INLINE int fph_chain_add(struct fph_chain *c, const struct fph_desc *d,
			     uint32_t flags)
{
	uint32_t write = flags / FPH_DESC_WRITE & 1;

	if (!d->len)
		return FPH_PEER_ZERO_LEN;
	if (fph_is_bad_range(d->gpa, d->len))
		return FPH_PEER_WRAP;
	if (write && !c->writable)
		c->writable = c->seg;
	if (!write && c->writable)
		return FPH_PEER_ORDER;
	c->seg->gpa = d->gpa;
	c->seg->len = d->len;
	c->seg->flags = write * FPH_SEG_WRITE;
	c->total += d->len;
	c->seg++;
	return FPH_OK;
}

/* A chain that is whole: FPH_OK and its segments in b, or FPH_PEER_TOTAL. */
static inline int fph_chain_end(const struct fph_chain *c,
				const struct fph_seg *segs,
				struct fph_buffer *b)
{
	const struct fph_seg *writable = c->writable ? c->writable : c->seg;

	if (c->total > (uint64_t)1 << 32)
		return FPH_PEER_TOTAL;
	b->nread = (uint32_t)(writable - segs);
	b->nwrite = (uint32_t)(c->seg - writable);
	b->flags = 0;
	b->index = 0;
	b->reserved = 0;
	return FPH_OK;
}

/* What both sides ask of a ring before they take it up. */
static inline bool fph_ring_fits(uint32_t num, uint64_t features,
				 uint32_t endian, const void *desc,
				 const void *driver, const void *device)
{
	bool packed = fph_has_feature(features, VIRTIO_F_RING_PACKED);
	uintptr_t mask = packed ? 3 : 1;

	if (!num || num > FPH_VRING_MAX_SIZE ||
	    (!packed && !fph_is_power(num)))
		return false;
	if (endian && endian != FPH_LE && endian != FPH_BE)
		return false;
	if (!desc || !driver || !device)
		return false;
	return !((uintptr_t)desc & 15) && !((uintptr_t)driver & mask) &&
	       !((uintptr_t)device & 3);
}

/* What of its set-up a saved ring wants of the one that is loaded. */
static inline uint32_t fph_ring_layout(bool big, bool event_idx, bool indirect,
				       bool packed, bool in_order)
{
	return (big ? 1u : 0) | (event_idx ? 2u : 0) | (indirect ? 4u : 0) |
	       (packed ? 8u : 0) | (in_order ? 16u : 0);
}

#endif /* FPH_VRING_RING_H */
