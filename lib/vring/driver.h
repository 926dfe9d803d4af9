/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The driver side of a virtqueue, for the files that it is made of.  Not
 * installed.
 *
 *	vq_driver.c	the calls
 *	split_driver.c	what they do in a split ring
 *	packed_driver.c	what they do in a packed ring
 *	slots.c		the slots of both
 *
 * Nothing that decides what is free or in flight is kept in ring memory, where
 * the device could change it.  Each entry of the ring has a slot here; the one
 * at a buffer's head, or id, holds the buffer.  Slots that are free and were
 * used before are linked; those from nused on were never touched.  A split ring
 * in order links all of them with the first buffer, and takes that which has been
 * free for longest: so they are taken in the order of the ring.
 *
 * Buffers have serials in the order of add.  Those below published are with
 * the device, so publish need not look at any of them.
 */
#ifndef FPH_VRING_DRIVER_H
#define FPH_VRING_DRIVER_H

#include "packed.h"
#include "split.h"

struct fph_driver_slot {
	uint64_t cookie;
	uint32_t serial;
	uint32_t writable;		/* bytes, 2^32 as one less */
	uint16_t ndesc;			/* of the buffer; not a head: 0 */
	uint16_t tail;			/* split: last slot of the buffer */
	uint16_t next;			/* free slot, or split: of the buffer */
	uint16_t newer;			/* IN_ORDER: the buffer added next */
};

struct fph_vq_driver {
	uint8_t *desc;
	uint8_t *driver;		/* driver area */
	uint8_t *device;		/* device area */
	uint8_t *tables;		/* NULL: none */
	uint64_t tables_gpa;
	uint32_t added;			/* serial of the next buffer */
	uint32_t published;
	uint32_t table_entries;
	uint32_t num;
	uint32_t nlinked;		/* free slots in the list */
	uint32_t nused;			/* slots ever used or linked */
	uint32_t inflight;
	uint32_t unsignalled;		/* published since should_notify */
	uint32_t scan;			/* of detach: no buffer below */
	uint16_t free;			/* head of the list */
	uint16_t last_free;		/* split, in order: its end, if any */
	bool packed;
	bool in_order;
	bool event_idx;
	bool big;
	bool broken;
	bool dead;
	/* IN_ORDER: slots; a batch that was used, up to batch_last. */
	bool in_batch;
	uint16_t oldest;
	uint16_t newest;
	uint16_t batch_last;
	uint32_t batch_len;		/* bytes written into that one */
	/* Split. */
	uint16_t used_idx;
	uint16_t shadow;		/* where the device is, as last seen */
	/* Packed. */
	struct fph_place avail;		/* next to fill */
	struct fph_place used;		/* next that the device uses */
	uint32_t busy;			/* descriptors from used to avail */
	uint32_t hidden;		/* of them, not published */
	uint16_t hidden_at;		/* the first, and its flags */
	uint16_t hidden_flags;
	struct fph_driver_slot slots[];
};

/* ------------------------------------------- one layout; see vq_driver.c -- */

/*
 * Puts a good buffer into the ring; table: all of it into an indirect one.
 * The slot; FPH_EFULL.
 */
int fph_split_add(struct fph_vq_driver *vq, const struct fph_buffer *b,
		  const struct fph_seg *segs, bool table);
int fph_packed_add(struct fph_vq_driver *vq, const struct fph_seg *segs,
		   uint32_t nseg, bool table);

/* Shows the device what was added. */
void fph_split_publish(struct fph_vq_driver *vq);
void fph_packed_publish(struct fph_vq_driver *vq);

/* The device wants a notification for the last steps.  Behind a barrier. */
bool fph_split_is_kick_wanted(const struct fph_vq_driver *vq, uint32_t steps);
bool fph_packed_is_kick_wanted(const struct fph_vq_driver *vq, uint32_t steps);

/* How many used buffers wait at least; 0 or FPH_PEER_USED_INDEX. */
int fph_split_look_used(struct fph_vq_driver *vq);
int fph_packed_look_used(struct fph_vq_driver *vq);

/* Reads what was used next: its id, and the bytes written. */
uint32_t fph_split_read_used(const struct fph_vq_driver *vq, uint32_t *len);
uint32_t fph_packed_read_used(const struct fph_vq_driver *vq, uint32_t *len);

/* The buffer of a slot came back: the ring moves on, its entries are free. */
void fph_split_release(struct fph_vq_driver *vq, uint32_t slot);
void fph_packed_release(struct fph_vq_driver *vq, uint32_t slot);

void fph_split_ask_used(struct fph_vq_driver *vq, bool on);
void fph_packed_ask_used(struct fph_vq_driver *vq, bool on);

uint32_t fph_split_get_room(const struct fph_vq_driver *vq);
uint32_t fph_packed_get_room(const struct fph_vq_driver *vq);

/* ---------------------------------------------------------------- common -- */

/* The indirect table of a slot, and a segment for where it is. */
static inline uint8_t *fph_get_table(const struct fph_vq_driver *vq,
				     uint32_t slot, uint32_t nseg,
				     struct fph_seg *seg)
{
	size_t off = (size_t)slot * vq->table_entries * FPH_DESC_BYTES;

	seg->gpa = vq->tables_gpa + off;
	seg->len = nseg * FPH_DESC_BYTES;
	seg->flags = 0;
	return vq->tables + off;
}

/* Puts slots that were never used in front of the list, in their order. */
void fph_link_slots(struct fph_vq_driver *vq, uint32_t n);

#endif /* FPH_VRING_DRIVER_H */
