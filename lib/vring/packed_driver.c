/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The driver side of a packed ring.
 *
 * A buffer takes a slot, whose number is its id, and descriptors behind each
 * other.  The flags of the first one that was added since publish are kept
 * back: the device does not look behind it, so publish is one store.
 */
#include "driver.h"

/* ------------------------------------------------------------------- add -- */

/* Writes the descriptor at avail, and moves on. */
FPH_INLINE void put(struct fph_vq_driver *vq, const struct fph_seg *seg,
		    uint32_t id, uint32_t flags, bool big)
{
	uint32_t at = vq->avail.at;
	uint8_t *p = vq->desc + (size_t)at * FPH_DESC_BYTES;
	uint64_t gpa = fph_ring64(fph_dma_addr(seg->gpa), big);
	uint32_t len = fph_ring32(seg->len, big);
	uint16_t w = fph_ring16((uint16_t)id, big);

	flags |= fph_avail_bits(vq->avail.wrap) | seg->flags * FPH_DESC_WRITE;
	fph_memcpy(p, &gpa, 8);
	fph_memcpy(p + 8, &len, 4);
	fph_memcpy(p + 12, &w, 2);
	fph_dma_out(p, 14);
	if (vq->hidden++) {
		fph_ring_store(vq->desc, fph_flags_at(at), (uint16_t)flags,
			       big);
	} else {
		vq->hidden_at = (uint16_t)at;
		vq->hidden_flags = (uint16_t)flags;
	}
	vq->avail = fph_place_add(vq->avail, 1, vq->num);
}

FPH_INLINE void put_list(struct fph_vq_driver *vq, const struct fph_seg *segs,
			 uint32_t nseg, uint32_t id, bool big)
{
	const struct fph_seg *last = segs + nseg - 1;

	for (; segs != last; segs++)
		put(vq, segs, id, FPH_DESC_NEXT, big);
	put(vq, last, id, 0, big);
}

static void put_table(struct fph_vq_driver *vq, const struct fph_seg *segs,
		      uint32_t nseg, uint32_t id)
{
	struct fph_seg place;
	uint8_t *table = fph_get_table(vq, id, nseg, &place);

	for (uint32_t i = 0; i < nseg; i++)
		fph_desc_store(table, i, &segs[i], 0,
			       segs[i].flags * FPH_DESC_WRITE, vq->big);
	put(vq, &place, id, FPH_DESC_INDIRECT, vq->big);
}

int fph_packed_add(struct fph_vq_driver *vq, const struct fph_seg *segs,
		   uint32_t nseg, bool table)
{
	uint32_t ndesc = table ? 1 : nseg;
	uint32_t id;

	if (ndesc > fph_packed_get_room(vq))
		return FPH_EFULL;
	if (!vq->nlinked)
		fph_link_slots(vq, 1);
	id = vq->free;
	vq->free = vq->slots[id].next;
	vq->nlinked--;
	if (table)
		put_table(vq, segs, nseg, id);
	else if (vq->big == FPH_HOST_BIG_ENDIAN)
		put_list(vq, segs, nseg, id, FPH_HOST_BIG_ENDIAN);
	else
		put_list(vq, segs, nseg, id, !FPH_HOST_BIG_ENDIAN);
	vq->busy += ndesc;
	vq->slots[id].ndesc = (uint16_t)ndesc;
	return (int)id;
}

void fph_packed_publish(struct fph_vq_driver *vq)
{
	vq->published = vq->added;
	vq->unsignalled = fph_ring_steps(vq->unsignalled, vq->hidden);
	/* All the descriptors are there before the first flags say so. */
	fph_wmb();
	fph_ring_store(vq->desc, fph_flags_at(vq->hidden_at),
		       vq->hidden_flags, vq->big);
	vq->hidden = 0;
}

bool fph_packed_is_kick_wanted(const struct fph_vq_driver *vq, uint32_t steps)
{
	return fph_event_wants(vq->device, vq->avail, steps, vq->num, vq->big);
}

/* ------------------------------------------------------------------ used -- */

static uint16_t load_flags(const struct fph_vq_driver *vq)
{
	return fph_ring_load(vq->desc, fph_flags_at(vq->used.at), vq->big);
}

int fph_packed_look_used(struct fph_vq_driver *vq)
{
	if (!vq->busy ||
	    !fph_has_bits(load_flags(vq), fph_used_bits(vq->used.wrap)))
		return 0;
	/* The rest of it is read after its flags. */
	fph_rmb();
	return 1;
}

uint32_t fph_packed_read_used(const struct fph_vq_driver *vq, uint32_t *len)
{
	struct fph_desc d;

	fph_desc_load(&d, vq->desc, vq->used.at, vq->big);
	*len = d.at14 & FPH_DESC_WRITE ? d.len : 0;
	return d.at12;
}

void fph_packed_release(struct fph_vq_driver *vq, uint32_t slot)
{
	struct fph_driver_slot *s = &vq->slots[slot];

	vq->used = fph_place_add(vq->used, s->ndesc, vq->num);
	vq->busy -= s->ndesc;
	s->next = vq->free;
	vq->free = (uint16_t)slot;
	vq->nlinked++;
}

void fph_packed_ask_used(struct fph_vq_driver *vq, bool on)
{
	fph_event_ask(vq->driver, vq->used, on, vq->event_idx, vq->big);
}

uint32_t fph_packed_get_room(const struct fph_vq_driver *vq)
{
	return vq->num - vq->busy;
}
