/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of the device side of a ring.
 *
 *	u32 entries
 *	u32 LAYOUT_*
 *	u32 FLAG_*
 *	u32 buffers in flight
 *	u32 buffers used since should_notify, since take_written
 *	u16 index of the next available entry, where the driver was last seen
 *	u16 used index
 */
#include "core/state.h"
#include "vq_device.h"

#define VERSION			1u

#define LAYOUT_BIG		1u	/* byte order of ring memory */
#define LAYOUT_EVENT_IDX	2u
#define LAYOUT_INDIRECT		4u

#define FLAG_BROKEN		1u
#define FLAG_WAS_ASKED		2u
#define FLAG_WROTE_INDEX	4u
#define FLAG_WROTE_EVENT	8u
#define FLAGS			15u

static uint32_t get_layout(const struct fph_vq_device *vq)
{
	return (vq->big ? LAYOUT_BIG : 0) |
	       (vq->event_idx ? LAYOUT_EVENT_IDX : 0) |
	       (vq->map ? LAYOUT_INDIRECT : 0);
}

static uint32_t get_flags(const struct fph_vq_device *vq)
{
	return (vq->broken ? FLAG_BROKEN : 0) |
	       (vq->was_asked ? FLAG_WAS_ASKED : 0) |
	       (vq->wrote_index ? FLAG_WROTE_INDEX : 0) |
	       (vq->wrote_event ? FLAG_WROTE_EVENT : 0);
}

int fph_vq_device_save(const struct fph_vq_device *vq, void *buf, size_t size,
		       size_t *needed)
{
	struct fph_state_writer w;

	if (!vq)
		return FPH_EUNINIT;
	if (!needed)
		return FPH_EINVAL;
	if (vq->nold != vq->nold_taken)
		return FPH_EBUSY;
	fph_state_begin(&w, buf, size);
	fph_state_put32(&w, vq->num);
	fph_state_put32(&w, get_layout(vq));
	fph_state_put32(&w, get_flags(vq));
	fph_state_put32(&w, vq->inflight);
	fph_state_put32(&w, vq->unsignalled);
	fph_state_put32(&w, vq->unmarked);
	fph_state_put16(&w, vq->avail_idx);
	fph_state_put16(&w, vq->shadow);
	fph_state_put16(&w, vq->used_idx);
	return fph_state_end(&w, FPH_STATE_VQ_DEVICE, VERSION, needed);
}

/* What a ring can be, whatever the driver wrote. */
static bool is_ring(const struct fph_vq_device *to, uint32_t flags)
{
	return flags <= FLAGS && to->inflight <= to->num &&
	       to->unsignalled <= FPH_RING_ROUND &&
	       to->unmarked <= FPH_RING_ROUND &&
	       (uint16_t)(to->shadow - to->avail_idx) <= to->num;
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
	vq->broken = flags & FLAG_BROKEN;
	vq->was_asked = flags & FLAG_WAS_ASKED;
	/* What init wrote counts as well. */
	vq->wrote_index |= (flags & FLAG_WROTE_INDEX) != 0;
	vq->wrote_event |= (flags & FLAG_WROTE_EVENT) != 0;
	/* With an event index that is where the next entry will be. */
	(void)fph_vq_device_want_notify(vq, true);
}

int fph_vq_device_load(struct fph_vq_device *vq, const void *buf, size_t size)
{
	struct fph_vq_device from;
	struct fph_state_reader r;
	uint32_t layout, flags;
	int ret;

	if (!vq)
		return FPH_EUNINIT;
	if (!buf)
		return FPH_EINVAL;
	if (vq->inflight)
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
	from.avail_idx = fph_state_get16(&r);
	from.shadow = fph_state_get16(&r);
	from.used_idx = fph_state_get16(&r);
	if (!fph_state_is_done(&r))
		return FPH_ECORRUPT;
	if (from.num != vq->num || layout != get_layout(vq) || vq->record)
		return FPH_EREFUSED;
	if (!is_ring(&from, flags))
		return FPH_ECORRUPT;
	commit(vq, &from, flags);
	return FPH_OK;
}
