/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device side of a virtqueue, for the files that it is made of.  Not
 * installed.
 *
 *	vq_device.c	the calls
 *	split_device.c	what they do in a split ring
 *	split_read.c	one buffer out of a split ring
 *	record.c	its record of buffers in flight
 *	packed_device.c	what they do in a packed ring
 *	packed_read.c	one buffer out of a packed ring
 *	in_order.c	buffers that wait for their turn
 *
 * With IN_ORDER every popped buffer stands in held, at its place in the order
 * of pop.  One that is pushed too early waits there until its turn.
 */
#ifndef FPH_VRING_DEVICE_H
#define FPH_VRING_DEVICE_H

#include "packed.h"
#include "split.h"

/* A buffer between pop and its turn. */
struct fph_held {
	uint32_t len;
	uint16_t id;			/* head, or the buffer's id */
	uint16_t info;			/* descriptors less one; HELD_DONE */
};

#define FPH_HELD_DONE		0x8000u

struct fph_vq_device {
	uint8_t *desc;
	uint8_t *driver;		/* driver area */
	uint8_t *device;		/* device area */
	uint8_t *record;		/* of buffers in flight, or NULL */
	struct fph_held *held;		/* num of them with IN_ORDER, or NULL */
	fph_map_fn map;			/* NULL without INDIRECT_DESC */
	void *map_ctx;
	uint64_t counter;		/* of the record: buffers popped */
	uint32_t num;
	uint32_t inflight;		/* popped, not pushed */
	uint32_t nheld;			/* pushed, waiting for their turn */
	uint32_t oldest;		/* place in held of the next turn */
	uint32_t unsignalled;		/* used since should_notify, or more */
	uint32_t unmarked;		/* used since take_written */
	bool packed;
	bool big;
	bool event_idx;
	bool broken;
	bool was_asked;			/* by should_notify */
	bool wrote_index;		/* since take_written: flags or index */
	bool wrote_event;
	/* Split. */
	uint16_t avail_idx;		/* next to take from the ring */
	uint16_t shadow;		/* where the driver is, as last seen */
	uint16_t used_idx;
	uint32_t nold;			/* of an earlier device, to pop first */
	uint32_t nold_taken;
	uint16_t *old;			/* their heads, with a record only */
	/* Packed. */
	struct fph_place avail;		/* next to take from the ring */
	struct fph_place used;		/* next to use */
	uint32_t busy;			/* descriptors from used to avail */
};

/* Of an earlier device, still to be popped. */
static inline uint32_t fph_count_old(const struct fph_vq_device *vq)
{
	return vq->nold - vq->nold_taken;
}

/* ------------------------------------------- one layout; see vq_device.c -- */

/* base is one of this layout. */
bool fph_split_is_base(uint32_t base, uint32_t num);
bool fph_packed_is_base(uint32_t base, uint32_t num);

/* Begins at a base. */
void fph_split_start(struct fph_vq_device *vq, uint32_t base);
void fph_packed_start(struct fph_vq_device *vq, uint32_t base);

int fph_split_pop(struct fph_vq_device *vq, struct fph_buffer *buffers,
		  uint32_t n, struct fph_seg *segs, uint32_t nsegs);
int fph_packed_pop(struct fph_vq_device *vq, struct fph_buffer *buffers,
		   uint32_t n, struct fph_seg *segs, uint32_t nsegs);

/* Uses n buffers at most, as far as the cookies are good; their number. */
uint32_t fph_split_push(struct fph_vq_device *vq, const struct fph_used *used,
			uint32_t n);
uint32_t fph_packed_push(struct fph_vq_device *vq, const struct fph_used *used,
			 uint32_t n);

/* The driver wants an interrupt for the last steps.  Behind a barrier. */
bool fph_split_is_wanted(const struct fph_vq_device *vq, uint32_t steps);
bool fph_packed_is_wanted(const struct fph_vq_device *vq, uint32_t steps);

void fph_split_ask(struct fph_vq_device *vq, bool on);
void fph_packed_ask(struct fph_vq_device *vq, bool on);

/* Whether a buffer waits in the ring. */
bool fph_split_is_waiting(const struct fph_vq_device *vq);
bool fph_packed_is_waiting(const struct fph_vq_device *vq);

uint32_t fph_split_get_base(const struct fph_vq_device *vq);
uint32_t fph_packed_get_base(const struct fph_vq_device *vq);
uint32_t fph_split_get_base_of(const struct fph_vq_device *vq, uint64_t cookie);
uint32_t fph_packed_get_base_of(const struct fph_vq_device *vq);

static inline int fph_add_span(struct fph_span *spans, int n, uint8_t *addr,
			       size_t len)
{
	spans[n].addr = addr;
	spans[n].len = len;
	return n + 1;
}

/* What was written, as spans; their number. */
int fph_split_get_written(const struct fph_vq_device *vq,
			  struct fph_span *spans);
int fph_packed_get_written(const struct fph_vq_device *vq,
			   struct fph_span *spans);

/* ----------------------------------------------------------- packed_read -- */

/*
 * fph_packed_read - read the list at avail
 *
 * flags: of its first descriptor, read before a barrier.  room: of segs.  1,
 * with the buffer but its cookie, its descriptors in the ring and its id; 0: it
 * needs more room; FPH_PEER_*.
 */
int fph_packed_read(const struct fph_vq_device *vq, uint32_t flags,
		    struct fph_buffer *buffer, struct fph_seg *segs,
		    uint32_t room, uint32_t *ndesc, uint32_t *id);

/* ------------------------------------------------------------ split_read -- */

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

/* A whole table of guest memory, or NULL. */
static inline const uint8_t *fph_map_table(const struct fph_vq_device *vq,
					   uint64_t gpa, uint32_t len)
{
	if (fph_is_bad_range(gpa, len))
		return NULL;
	return vq->map(vq->map_ctx, gpa, len);
}

/* ---------------------------------------------------------------- record -- */

/* Whether a record is new, or one of a ring of num entries. */
bool fph_record_fits(const uint8_t *record, uint32_t num);

/* Takes up the record: sets old, nold, counter, avail_idx, unsignalled. */
void fph_record_open(struct fph_vq_device *vq);

/* A buffer of the ring is popped. */
void fph_record_take(struct fph_vq_device *vq, uint32_t head);

/* It is about to be used, with others; the ring's index says so; all were. */
void fph_record_link(struct fph_vq_device *vq, uint32_t head);
void fph_record_drop(struct fph_vq_device *vq, uint32_t head);
void fph_record_done(struct fph_vq_device *vq);

/* -------------------------------------------------------------- in order -- */

/*
 * A cookie is the buffer's head or id and a word: split, its place in the
 * available ring; packed, its descriptors less one, or with IN_ORDER its
 * place in held.
 */
static inline uint64_t fph_cookie(uint32_t head, uint32_t idx)
{
	return (head + 1u) | idx << 16;
}

static inline uint32_t fph_cookie_head(uint64_t cookie)
{
	return (uint16_t)(cookie - 1);
}

/* Notes a popped buffer at its place in held. */
static inline void fph_hold(struct fph_vq_device *vq, uint32_t place,
			    uint32_t id, uint32_t ndesc)
{
	struct fph_held *h = &vq->held[place];

	h->id = (uint16_t)id;
	h->info = (uint16_t)(ndesc - 1);
}

/* The one k turns from now if it was pushed, or NULL. */
static inline const struct fph_held *
fph_get_turn(const struct fph_vq_device *vq, uint32_t k)
{
	uint32_t at = vq->oldest + k;
	const struct fph_held *h = &vq->held[at < vq->num ? at : at - vq->num];

	return k < vq->nheld && h->info & FPH_HELD_DONE ? h : NULL;
}

/* n of them had their turn. */
static inline void fph_end_turns(struct fph_vq_device *vq, uint32_t n)
{
	vq->oldest += n;
	if (vq->oldest >= vq->num)
		vq->oldest -= vq->num;
	vq->nheld -= n;
}

/* Pushes a buffer at a place, which waits for its turn.  False: none such. */
bool fph_hold_done(struct fph_vq_device *vq, uint32_t place, uint32_t id,
		   uint32_t len);

#endif /* FPH_VRING_DEVICE_H */
