/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of the device side of a ring.
 *
 *	u32 entries
 *	u32 layout, as fph_ring_layout() has it
 *	u32 FLAG_*
 *	u32 buffers in flight
 *	u32 buffers used since should_notify, since take_written
 *	split:
 *		u16 index of the next available entry, where the driver was
 *		    last seen
 *		u16 used index
 *	packed:
 *		u16 place of the next to take, of the next to use; the wrap
 *		    counter in bit 15
 *	in order:
 *		u32 place in the order of pop of the next turn
 *		u32 buffers that were pushed and wait for their turn
 *		each buffer, by turn: u32 len, u16 id, u16 descriptors less
 *		    one, with bit 15 if it was pushed
 */
#include "core/state.h"
#include "device.h"

#define VERSION			1u

#define FLAG_BROKEN		1u
#define FLAG_WAS_ASKED		2u
#define FLAG_WROTE_INDEX	4u
#define FLAG_WROTE_EVENT	8u
#define FLAGS			15u

static uint32_t get_layout(const struct fph_vq_device *vq)
{
	return fph_ring_layout(vq->big, vq->event_idx, vq->map, vq->packed,
			       vq->held);
}

static uint32_t get_flags(const struct fph_vq_device *vq)
{
	return (vq->broken ? FLAG_BROKEN : 0) |
	       (vq->was_asked ? FLAG_WAS_ASKED : 0) |
	       (vq->wrote_index ? FLAG_WROTE_INDEX : 0) |
	       (vq->wrote_event ? FLAG_WROTE_EVENT : 0);
}

/* Place in held, k turns from the next one. */
static uint32_t get_place(const struct fph_vq_device *vq, uint32_t oldest,
			  uint32_t k)
{
	return oldest + k < vq->num ? oldest + k : oldest + k - vq->num;
}

static void save_held(const struct fph_vq_device *vq,
		      struct fph_state_writer *w)
{
	fph_state_put32(w, vq->oldest);
	fph_state_put32(w, vq->nheld);
	for (uint32_t k = 0; k < vq->inflight + vq->nheld; k++) {
		const struct fph_held *h =
			&vq->held[get_place(vq, vq->oldest, k)];
		bool done = h->info & FPH_HELD_DONE;

		fph_state_put32(w, done ? h->len : 0);
		fph_state_put16(w, h->id);
		fph_state_put16(w, h->info);
	}
}

int fph_vq_device_save(const struct fph_vq_device *vq, void *buf, size_t size,
		       size_t *needed)
{
	struct fph_state_writer w;

	if (!vq)
		return FPH_EUNINIT;
	if (!needed)
		return FPH_EINVAL;
	if (fph_count_old(vq))
		return FPH_EBUSY;
	fph_state_begin(&w, buf, size);
	fph_state_put32(&w, vq->num);
	fph_state_put32(&w, get_layout(vq));
	fph_state_put32(&w, get_flags(vq));
	fph_state_put32(&w, vq->inflight);
	fph_state_put32(&w, vq->unsignalled);
	fph_state_put32(&w, vq->unmarked);
	if (vq->packed) {
		fph_state_put16(&w, fph_place_word(vq->avail));
		fph_state_put16(&w, fph_place_word(vq->used));
	} else {
		fph_state_put16(&w, vq->avail_idx);
		fph_state_put16(&w, vq->shadow);
		fph_state_put16(&w, vq->used_idx);
	}
	if (vq->held)
		save_held(vq, &w);
	return fph_state_end(&w, FPH_STATE_VQ_DEVICE, VERSION, needed);
}

/* What a ring can be, whatever the driver wrote. */
static bool is_ring(const struct fph_vq_device *to, uint32_t flags,
		    bool packed)
{
	if (flags > FLAGS || to->inflight > to->num ||
	    to->nheld > to->num - to->inflight || to->oldest >= to->num ||
	    to->unsignalled > FPH_RING_ROUND || to->unmarked > FPH_RING_ROUND)
		return false;
	if (packed)
		return to->inflight <= to->busy &&
		       fph_packed_is_base(fph_packed_get_base(to), to->num);
	return (uint16_t)(to->shadow - to->avail_idx) <= to->num;
}

/*
 * Reads the buffers in the order of pop into held, where nothing is in flight
 * yet.  Those that were pushed are as many as it was said, and the first is
 * not one of them; in a packed ring they have the descriptors that are busy.
 */
static bool load_held(const struct fph_vq_device *vq,
		      const struct fph_vq_device *from,
		      struct fph_state_reader *r)
{
	uint32_t ndesc = 0, done = 0;

	for (uint32_t k = 0; k < from->inflight + from->nheld; k++) {
		struct fph_held *h =
			&vq->held[get_place(vq, from->oldest, k)];

		h->len = fph_state_get32(r);
		h->id = fph_state_get16(r);
		h->info = fph_state_get16(r);
		if (!vq->packed && h->id >= vq->num)
			return false;
		if (h->info & FPH_HELD_DONE) {
			if (!k)
				return false;
			done++;
		}
		ndesc += (h->info & ~FPH_HELD_DONE & 0xffffu) + 1;
	}
	return done == from->nheld && (!vq->packed || ndesc == from->busy);
}

static void commit(struct fph_vq_device *vq, const struct fph_vq_device *from,
		   uint32_t flags)
{
	vq->inflight = from->inflight;
	vq->unsignalled = from->unsignalled;
	vq->unmarked = from->unmarked;
	vq->avail_idx = from->avail_idx;
	vq->shadow = from->shadow;
	vq->used_idx = from->used_idx;
	vq->avail = from->avail;
	vq->used = from->used;
	vq->busy = from->busy;
	vq->nheld = from->nheld;
	vq->oldest = from->oldest;
	vq->broken = flags & FLAG_BROKEN;
	vq->was_asked = flags & FLAG_WAS_ASKED;
	/* What init wrote counts as well. */
	vq->wrote_index |= (flags & FLAG_WROTE_INDEX) != 0;
	vq->wrote_event |= (flags & FLAG_WROTE_EVENT) != 0;
	/* With an event index that is where the next entry will be. */
	(void)fph_vq_device_want_notify(vq, true);
}

static void load_places(struct fph_vq_device *to, struct fph_state_reader *r,
			bool packed)
{
	if (packed) {
		uint32_t avail = fph_state_get16(r);

		fph_packed_start(to, avail |
				 (uint32_t)fph_state_get16(r) << 16);
		return;
	}
	to->avail_idx = fph_state_get16(r);
	to->shadow = fph_state_get16(r);
	to->used_idx = fph_state_get16(r);
}

int fph_vq_device_load(struct fph_vq_device *vq, const void *buf, size_t size)
{
	struct fph_vq_device from = { .num = 0 };
	struct fph_state_reader r;
	uint32_t layout, flags;
	int ret;

	if (!vq)
		return FPH_EUNINIT;
	if (!buf)
		return FPH_EINVAL;
	if (vq->inflight || vq->nheld)
		return FPH_EBUSY;
	ret = fph_state_open(&r, buf, size, FPH_STATE_VQ_DEVICE, VERSION);
	if (ret != FPH_OK)
		return ret;
	from.num = fph_state_get32(&r);
	layout = fph_state_get32(&r);
	flags = fph_state_get32(&r);
	from.inflight = fph_state_get32(&r);
	from.unsignalled = fph_state_get32(&r);
	from.unmarked = fph_state_get32(&r);
	if (from.num != vq->num || layout != get_layout(vq) || vq->record)
		return FPH_EREFUSED;
	load_places(&from, &r, vq->packed);
	if (vq->held) {
		from.oldest = fph_state_get32(&r);
		from.nheld = fph_state_get32(&r);
	}
	if (!is_ring(&from, flags, vq->packed) ||
	    (vq->held && !load_held(vq, &from, &r)) || !fph_state_is_done(&r))
		return FPH_ECORRUPT;
	commit(vq, &from, flags);
	return FPH_OK;
}
