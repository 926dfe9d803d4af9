/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device side of a virtqueue, for the files that it is made of.  Not
 * installed.
 *
 *	vq_device.c	the calls
 *	split_read.c	one buffer out of a split ring
 *	inflight.c	the record of buffers in flight
 */
#ifndef FPH_VRING_VQ_DEVICE_H
#define FPH_VRING_VQ_DEVICE_H

#include "split.h"

struct fph_vq_device {
	const uint8_t *desc;
	uint8_t *driver;		/* available ring */
	uint8_t *device;		/* used ring */
	uint8_t *record;		/* of buffers in flight, or NULL */
	fph_map_fn map;			/* NULL without INDIRECT_DESC */
	void *map_ctx;
	uint64_t counter;		/* of the record: buffers popped */
	uint32_t num;
	uint32_t inflight;
	uint16_t avail_idx;		/* next to take from the ring */
	uint16_t shadow;		/* where the driver is, as last seen */
	uint16_t used_idx;
	bool big;
	bool event_idx;
	bool broken;
	bool was_asked;			/* by should_notify */
	uint32_t unsignalled;		/* pushed since then */
	uint32_t unmarked;		/* pushed since take_written */
	bool wrote_index;		/* since then: flags or index */
	bool wrote_event;
	uint32_t nold;			/* of an earlier device, to pop first */
	uint32_t nold_taken;
	uint16_t old[];			/* their heads, with a record only */
};

/*
 * fph_split_pop_usual - read buffers as long as they are as expected
 *
 * buffers, n: those that wait in the ring, at most.  Their number; *nsegs: of
 * their segments.  The ring does not move on.
 */
uint32_t fph_split_pop_usual(struct fph_vq_device *vq,
			     struct fph_buffer *buffers, uint32_t n,
			     struct fph_seg *segs, uint32_t room,
			     uint32_t *nsegs);

/*
 * fph_split_read - read any buffer, at head, into segs
 *
 * room: of segs.  FPH_OK, 0 segments in *buffer if it does not fit; FPH_PEER_*.
 */
int fph_split_read(const struct fph_vq_device *vq, uint32_t head,
		   struct fph_buffer *buffer, struct fph_seg *segs,
		   uint32_t room);

/* Whether a record is new, or one of a ring of num entries. */
bool fph_record_fits(const uint8_t *record, uint32_t num);

/* Takes up the record: sets old, nold, counter and avail_idx of the ring. */
void fph_record_open(struct fph_vq_device *vq);

/* A buffer of the ring is popped. */
void fph_record_take(struct fph_vq_device *vq, uint32_t head);

/* A batch is about to be used; then: the index of the ring says so. */
void fph_record_link(struct fph_vq_device *vq, const struct fph_used *used,
		       uint32_t n);
void fph_record_done(struct fph_vq_device *vq, const struct fph_used *used,
		       uint32_t n);

/* The cookie of a buffer: its head, and its place in the available ring. */
static inline uint64_t fph_cookie(uint32_t head, uint32_t idx)
{
	return (head + 1u) | idx << 16;
}

static inline uint32_t fph_cookie_head(uint64_t cookie)
{
	return (uint16_t)(cookie - 1);
}

#endif /* FPH_VRING_VQ_DEVICE_H */
