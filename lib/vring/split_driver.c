/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The driver side of a split ring.
 *
 * A descriptor has the slot of its number; next of the slots of a buffer leads
 * from its head to its tail, as in the ring.
 */
#include "driver.h"

/* Index of the available ring, as far as filled. */
static uint16_t added_idx(const struct fph_vq_driver *vq)
{
	return (uint16_t)vq->added;
}

static uint16_t published_idx(const struct fph_vq_driver *vq)
{
	return (uint16_t)vq->published;
}

/* ------------------------------------------------------------------- add -- */

/*
 * Fills the first descriptors of a list: the free slots, or those of a table,
 * which follow each other.  Compiled for each byte order and each kind.  Flags
 * are the same up to the first writable one, and behind it: that saves 4 of 18
 * instructions.  The last of the descriptors.
 */
FPH_INLINE uint32_t fill(const struct fph_vq_driver *vq, uint8_t *table,
			 uint32_t at, const struct fph_buffer *b,
			 const struct fph_seg *segs, bool linked, bool big)
{
	const struct fph_seg *last = segs + (b->nread + b->nwrite - 1);
	const struct fph_seg *stop = b->nwrite ? segs + b->nread : last;
	uint32_t flags = FPH_DESC_NEXT;

	for (;;) {
		for (; segs != stop; segs++) {
			uint32_t next = linked ? vq->slots[at].next : at + 1;

			fph_desc_store(table, at, segs, flags, next, big);
			at = next;
		}
		if (segs == last)
			break;
		stop = last;
		flags |= FPH_DESC_WRITE;
	}
	fph_desc_store(table, at, last, last->flags * FPH_DESC_WRITE, 0, big);
	return at;
}

static void fill_table(struct fph_vq_driver *vq, uint32_t head,
		       const struct fph_buffer *b, const struct fph_seg *segs)
{
	struct fph_seg place;
	uint8_t *table = fph_get_table(vq, head, b->nread + b->nwrite, &place);

	if (vq->big == FPH_HOST_BIG_ENDIAN)
		fill(vq, table, 0, b, segs, false, FPH_HOST_BIG_ENDIAN);
	else
		fill(vq, table, 0, b, segs, false, !FPH_HOST_BIG_ENDIAN);
	fph_desc_store(vq->desc, head, &place, FPH_DESC_INDIRECT, 0, vq->big);
}

/* The last of the descriptors. */
static uint32_t fill_ring(struct fph_vq_driver *vq, uint32_t head,
			  const struct fph_buffer *b,
			  const struct fph_seg *segs)
{
	if (vq->big == FPH_HOST_BIG_ENDIAN)
		return fill(vq, vq->desc, head, b, segs, true,
			    FPH_HOST_BIG_ENDIAN);
	return fill(vq, vq->desc, head, b, segs, true, !FPH_HOST_BIG_ENDIAN);
}

/* Links what n descriptors lack, or all slots once if they are taken in turn. */
static bool link_free(struct fph_vq_driver *vq, uint32_t n)
{
	if (n > fph_split_get_room(vq))
		return false;
	fph_link_slots(vq, vq->in_order ? vq->num : n - vq->nlinked);
	return true;
}

int fph_split_add(struct fph_vq_driver *vq, const struct fph_buffer *b,
		  const struct fph_seg *segs, bool table)
{
	uint32_t ndesc = table ? 1 : b->nread + b->nwrite;
	uint32_t head, tail;

	if (ndesc > vq->nlinked && !link_free(vq, ndesc))
		return FPH_EFULL;
	head = vq->free;
	tail = head;
	if (table)
		fill_table(vq, head, b, segs);
	else
		tail = fill_ring(vq, head, b, segs);
	vq->free = vq->slots[tail].next;
	vq->nlinked -= ndesc;
	vq->slots[head].ndesc = (uint16_t)ndesc;
	vq->slots[head].tail = (uint16_t)tail;
	fph_ring_store(vq->driver, fph_avail_entry(vq->num, added_idx(vq)),
		       (uint16_t)head, vq->big);
	return (int)head;
}

void fph_split_publish(struct fph_vq_driver *vq)
{
	uint32_t n = vq->added - vq->published;

	vq->published = vq->added;
	vq->unsignalled = fph_ring_steps(vq->unsignalled, n);
	/* Descriptors and entries are there before the index says so. */
	fph_wmb();
	fph_ring_store(vq->driver, FPH_RING_IDX, published_idx(vq), vq->big);
}

bool fph_split_is_kick_wanted(const struct fph_vq_driver *vq, uint32_t steps)
{
	uint16_t v;

	if (!vq->event_idx) {
		v = fph_ring_load(vq->device, FPH_RING_FLAGS, vq->big);
		return !(v & FPH_RING_SILENT);
	}
	v = fph_ring_load(vq->device, fph_avail_event(vq->num), vq->big);
	return fph_ring_passed(v, published_idx(vq), steps);
}

/* ------------------------------------------------------------------ used -- */

int fph_split_look_used(struct fph_vq_driver *vq)
{
	uint16_t idx;

	if (vq->shadow == vq->used_idx) {
		idx = fph_ring_load(vq->device, FPH_RING_IDX, vq->big);
		if (idx == vq->used_idx)
			return 0;
		if ((uint16_t)(idx - vq->used_idx) >
		    (uint16_t)(published_idx(vq) - vq->used_idx))
			return FPH_PEER_USED_INDEX;
		vq->shadow = idx;
		/* The entries behind idx are read after it. */
		fph_rmb();
	}
	return (uint16_t)(vq->shadow - vq->used_idx);
}

uint32_t fph_split_read_used(const struct fph_vq_driver *vq, uint32_t *len)
{
	const uint8_t *p = vq->device + fph_used_entry(vq->num, vq->used_idx);
	uint32_t entry[2];

	fph_dma_in(p, sizeof(entry));
	fph_memcpy(entry, p, sizeof(entry));
	fph_compiler_barrier();
	*len = fph_ring32(entry[1], vq->big);
	return fph_ring32(entry[0], vq->big);
}

void fph_split_release(struct fph_vq_driver *vq, uint32_t slot)
{
	struct fph_driver_slot *s = &vq->slots[slot];

	if (!vq->in_order) {
		vq->slots[s->tail].next = vq->free;
		vq->free = (uint16_t)slot;
	} else {
		if (vq->nlinked)
			vq->slots[vq->last_free].next = (uint16_t)slot;
		else
			vq->free = (uint16_t)slot;
		vq->last_free = s->tail;
	}
	vq->nlinked += s->ndesc;
	vq->used_idx++;
}

void fph_split_ask_used(struct fph_vq_driver *vq, bool on)
{
	uint16_t wish;

	if (vq->event_idx) {
		/* Off: behind us, so it is 65536 buffers away. */
		wish = (uint16_t)(vq->used_idx - !on);
		fph_ring_store(vq->driver, fph_used_event(vq->num), wish,
			       vq->big);
	} else {
		wish = (uint16_t)(on ? 0 : FPH_RING_SILENT);
		fph_ring_store(vq->driver, FPH_RING_FLAGS, wish, vq->big);
	}
}

uint32_t fph_split_get_room(const struct fph_vq_driver *vq)
{
	return vq->nlinked + vq->num - vq->nused;
}
