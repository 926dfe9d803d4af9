/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtqueue, device side: the calls, for either layout.
 *
 * Order of accesses: what says that a buffer is there before the buffer (rmb),
 * used descriptors or entries before what shows them (wmb), and our own index
 * or wish before the other side's (mb), so that of two who publish and then
 * look at least one sees the other.
 */
#include "device.h"

static bool is_base(const struct fph_vq_device_params *p)
{
	return fph_has_feature(p->features, VIRTIO_F_RING_PACKED) ?
	       fph_packed_is_base(p->base, p->num) :
	       fph_split_is_base(p->base, p->num);
}

static bool read_params(struct fph_vq_device_params *known,
			const struct fph_vq_device_params *params)
{
	if (!fph_params_read(known, sizeof(*known), params, sizeof(*known)))
		return false;
	if (!fph_ring_fits(known->num, known->features, known->endian,
			   known->desc, known->driver, known->device))
		return false;
	if (!is_base(known))
		return false;
	if (known->inflight && fph_has_feature(known->features,
					       VIRTIO_F_RING_PACKED))
		return false;
	return known->map || !fph_has_feature(known->features,
					      VIRTIO_RING_F_INDIRECT_DESC);
}

/* Held buffers stand behind the object, the heads of old ones behind those. */
static size_t size_of_held(const struct fph_vq_device_params *p)
{
	return fph_has_feature(p->features, VIRTIO_F_IN_ORDER) ?
	       p->num * sizeof(struct fph_held) : 0;
}

static size_t size_of(const struct fph_vq_device_params *p)
{
	return sizeof(struct fph_vq_device) + size_of_held(p) +
	       (p->inflight ? 2u * (size_t)p->num : 0);
}

size_t fph_vq_device_size(const struct fph_vq_device_params *params)
{
	struct fph_vq_device_params p;

	return read_params(&p, params) ? size_of(&p) : 0;
}

int fph_vq_device_init(struct fph_vq_device **vqp, void *mem, size_t size,
		       const struct fph_vq_device_params *params)
{
	struct fph_vq_device_params p;
	struct fph_vq_device *vq;

	if (!vqp || !read_params(&p, params) ||
	    !fph_is_memory(mem, size, size_of(&p)))
		return FPH_EINVAL;
	if (p.inflight && !fph_record_fits(p.inflight, p.num))
		return FPH_EINVAL;

	vq = mem;
	fph_memset(vq, 0, sizeof(*vq));
	vq->num = p.num;
	vq->big = p.endian == FPH_BE;
	vq->desc = p.desc;
	vq->driver = p.driver;
	vq->device = p.device;
	vq->record = p.inflight;
	vq->packed = fph_has_feature(p.features, VIRTIO_F_RING_PACKED);
	vq->event_idx = fph_has_feature(p.features, VIRTIO_RING_F_EVENT_IDX);
	if (fph_has_feature(p.features, VIRTIO_RING_F_INDIRECT_DESC)) {
		vq->map = p.map;
		vq->map_ctx = p.map_ctx;
	}
	if (size_of_held(&p))
		vq->held = (void *)(vq + 1);
	vq->old = (void *)((uint8_t *)(vq + 1) + size_of_held(&p));
	if (vq->packed)
		fph_packed_start(vq, p.base);
	else
		fph_split_start(vq, p.base);
	fph_vq_device_want_notify(vq, true);
	*vqp = vq;
	return FPH_OK;
}

/* -------------------------------------------------------------- buffers -- */

int fph_vq_device_pop(struct fph_vq_device *vq, struct fph_buffer *buffers,
		      uint32_t n, struct fph_seg *segs, uint32_t nsegs)
{
	int ret;

	if (!vq)
		return FPH_EUNINIT;
	if (!buffers || !n || !segs || nsegs < vq->num)
		return FPH_EINVAL;
	if (vq->broken)
		return FPH_PEER_BROKEN;
	ret = vq->packed ? fph_packed_pop(vq, buffers, n, segs, nsegs) :
			   fph_split_pop(vq, buffers, n, segs, nsegs);
	if (ret < 0)
		vq->broken = true;
	return ret;
}

int fph_vq_device_push(struct fph_vq_device *vq, const struct fph_used *used,
		       uint32_t n)
{
	if (!vq)
		return FPH_EUNINIT;
	if (!used || !n)
		return FPH_EINVAL;
	if (!vq->inflight)
		return FPH_ESTATE;
	if (n > vq->inflight)
		n = vq->inflight;
	n = vq->packed ? fph_packed_push(vq, used, n) :
			 fph_split_push(vq, used, n);
	return n ? (int)n : FPH_EINVAL;
}

/* -------------------------------------------------------- notifications -- */

int fph_vq_device_should_notify(struct fph_vq_device *vq)
{
	uint32_t steps;

	if (!vq)
		return FPH_EUNINIT;
	if (!vq->unsignalled)
		return 0;
	/* Nothing is known of what a device before this one has signalled. */
	steps = vq->was_asked ? vq->unsignalled : FPH_RING_ROUND;
	vq->was_asked = true;
	vq->unsignalled = 0;
	/* What we used is out before we look at what the driver asks for. */
	fph_mb();
	return vq->packed ? fph_packed_is_wanted(vq, steps) :
			    fph_split_is_wanted(vq, steps);
}

int fph_vq_device_want_notify(struct fph_vq_device *vq, bool on)
{
	if (!vq)
		return FPH_EUNINIT;
	if (vq->packed)
		fph_packed_ask(vq, on);
	else
		fph_split_ask(vq, on);
	if (!on || vq->broken)
		return 0;
	/* The wish is out before we look again, or an offer goes unseen. */
	fph_mb();
	return vq->packed ? fph_packed_is_waiting(vq) :
			    fph_split_is_waiting(vq);
}

/* ---------------------------------------------------------------- state -- */

uint32_t fph_vq_device_get_base(const struct fph_vq_device *vq)
{
	if (!vq)
		return 0;
	return vq->packed ? fph_packed_get_base(vq) : fph_split_get_base(vq);
}

uint32_t fph_vq_device_get_base_of(const struct fph_vq_device *vq,
				   uint64_t cookie)
{
	if (!vq)
		return 0;
	return vq->packed ? fph_packed_get_base_of(vq) :
			    fph_split_get_base_of(vq, cookie);
}

uint32_t fph_vq_device_get_inflight(const struct fph_vq_device *vq)
{
	if (!vq)
		return 0;
	/* From a broken ring none is popped any more. */
	return vq->inflight + (vq->broken ? 0 : fph_count_old(vq));
}

bool fph_vq_device_is_broken(const struct fph_vq_device *vq)
{
	return !vq || vq->broken;
}

int fph_vq_device_take_written(struct fph_vq_device *vq,
			       struct fph_span *spans)
{
	int n;

	if (!vq)
		return FPH_EUNINIT;
	if (!spans)
		return FPH_EINVAL;
	n = vq->packed ? fph_packed_get_written(vq, spans) :
			 fph_split_get_written(vq, spans);
	vq->unmarked = 0;
	vq->wrote_index = false;
	vq->wrote_event = false;
	return n;
}
