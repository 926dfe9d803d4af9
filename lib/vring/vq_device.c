/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtqueue, device side.
 *
 * A buffer is read in one pass over its descriptors, into the caller's
 * segments; the ring moves on only when all of it was read.
 *
 * Order of accesses: the driver's index before the entries and descriptors
 * behind it (rmb), used entries before our index (wmb), and our own index or
 * wish before the other side's (mb), so that of two who publish and then look
 * at least one sees the other.
 */
#include "vq_device.h"

static bool read_params(struct fph_vq_device_params *known,
			const struct fph_vq_device_params *params)
{
	if (!fph_params_read(known, sizeof(*known), params, sizeof(*known)))
		return false;
	if (!fph_ring_fits(known->num, known->features, known->endian,
			   known->desc, known->driver, known->device))
		return false;
	if (known->base > 0xffff)
		return false;
	return known->map || !fph_has_feature(known->features,
					      VIRTIO_RING_F_INDIRECT_DESC);
}

static size_t size_of(const struct fph_vq_device_params *p)
{
	return sizeof(struct fph_vq_device) +
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
	vq->event_idx = fph_has_feature(p.features, VIRTIO_RING_F_EVENT_IDX);
	if (fph_has_feature(p.features, VIRTIO_RING_F_INDIRECT_DESC)) {
		vq->map = p.map;
		vq->map_ctx = p.map_ctx;
	}
	vq->avail_idx = (uint16_t)p.base;
	vq->used_idx = fph_ring_load(vq->device, FPH_RING_IDX, vq->big);
	if (vq->record)
		fph_record_open(vq);
	vq->shadow = vq->avail_idx;
	/* With event index the flags stay 0 for good. */
	fph_ring_store(vq->device, FPH_RING_FLAGS, 0, vq->big);
	vq->wrote_index = true;
	fph_vq_device_want_notify(vq, true);
	*vqp = vq;
	return FPH_OK;
}

/* -------------------------------------------------------------- buffers -- */

static uint32_t count_old(const struct fph_vq_device *vq)
{
	return vq->nold - vq->nold_taken;
}

/* How many buffers wait, as far as known; looks when none is known. */
static int look(struct fph_vq_device *vq)
{
	uint16_t idx;

	if (count_old(vq))
		return (int)count_old(vq);
	if (vq->shadow == vq->avail_idx) {
		idx = fph_ring_load(vq->driver, FPH_RING_IDX, vq->big);
		if (idx == vq->avail_idx)
			return 0;
		if ((uint16_t)(idx - vq->avail_idx) > vq->num)
			return FPH_PEER_AVAIL_INDEX;
		vq->shadow = idx;
		/* The entries and descriptors behind idx are read after it. */
		fph_rmb();
	}
	return (uint16_t)(vq->shadow - vq->avail_idx);
}

/* Takes as many buffers of the ring as are usual.  *nsegs: their segments. */
static uint32_t take_usual(struct fph_vq_device *vq, struct fph_buffer *b,
			   uint32_t n, struct fph_seg *segs, uint32_t room,
			   uint32_t *nsegs)
{
	n = fph_split_pop_usual(vq, b, n, segs, room, nsegs);
	vq->avail_idx = (uint16_t)(vq->avail_idx + n);
	vq->inflight += n;
	if (vq->record) {
		for (uint32_t i = 0; i < n; i++)
			fph_record_take(vq, fph_cookie_head(b[i].cookie));
	}
	return n;
}

static uint32_t get_head(const struct fph_vq_device *vq)
{
	if (count_old(vq))
		return vq->old[vq->nold_taken];
	return fph_ring_load(vq->driver,
			     fph_avail_entry(vq->num, vq->avail_idx), vq->big);
}

/* Takes any one buffer.  Its number of segments; 0: they do not fit. */
static int take_any(struct fph_vq_device *vq, struct fph_buffer *b,
		    struct fph_seg *segs, uint32_t room)
{
	uint32_t head = get_head(vq);
	int ret;

	if (head >= vq->num)
		return FPH_PEER_HEAD;
	ret = fph_split_read(vq, head, b, segs, room);
	if (ret < 0 || !(b->nread + b->nwrite))
		return ret;
	b->cookie = fph_cookie(head, fph_vq_device_get_base(vq));
	b->flags = 0;
	b->index = 0;
	b->reserved = 0;
	vq->inflight++;
	if (count_old(vq)) {
		vq->nold_taken++;
	} else {
		vq->avail_idx++;
		if (vq->record)
			fph_record_take(vq, head);
	}
	return (int)(b->nread + b->nwrite);
}

static int pop(struct fph_vq_device *vq, struct fph_buffer *buffers,
	       uint32_t n, struct fph_seg *segs, uint32_t nsegs)
{
	int waiting = look(vq);
	uint32_t most;
	uint32_t i = 0;
	int ret = 0;

	if (waiting <= 0)
		return waiting;
	/* Every buffer has a descriptor of its own, so num is the most. */
	most = vq->num - vq->inflight;
	if (!most)
		return FPH_PEER_INFLIGHT;
	if (most > (uint32_t)waiting)
		most = (uint32_t)waiting;
	if (most > n)
		most = n;
	while (i < most) {
		uint32_t k = 0;

		if (!count_old(vq))
			i += take_usual(vq, &buffers[i], most - i, segs, nsegs,
					&k);
		segs += k;
		nsegs -= k;
		if (i == most)
			break;
		ret = take_any(vq, &buffers[i], segs, nsegs);
		if (ret <= 0)
			break;
		i++;
		segs += ret;
		nsegs -= (uint32_t)ret;
	}
	return i ? (int)i : ret;
}

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
	ret = pop(vq, buffers, n, segs, nsegs);
	if (ret < 0)
		vq->broken = true;
	return ret;
}

static bool is_cookie(uint64_t cookie, uint32_t num)
{
	return !(cookie >> 32) && fph_cookie_head(cookie) < num;
}

/* Writes the entries, as far as the cookies are good.  Their number. */
FPH_INLINE uint32_t put_used(struct fph_vq_device *vq,
			     const struct fph_used *used, uint32_t n, bool big)
{
	uint8_t *const entries = vq->device + FPH_RING_ENTRIES;
	const uint32_t num = vq->num;
	uint32_t idx = vq->used_idx;
	uint32_t i;

	for (i = 0; i < n && is_cookie(used[i].cookie, num); i++, idx++) {
		uint8_t *p = entries + FPH_USED_BYTES * (idx & (num - 1));
		uint32_t id = fph_cookie_head(used[i].cookie);
		uint32_t len = fph_ring32(used[i].len, big);

		id = fph_ring32(id, big);
		fph_memcpy(p, &id, 4);
		/* Two stores are less than to put both together first. */
		fph_compiler_barrier();
		fph_memcpy(p + 4, &len, 4);
	}
	return i;
}

int fph_vq_device_push(struct fph_vq_device *vq, const struct fph_used *used,
		       uint32_t n)
{
	if (!vq)
		return FPH_EUNINIT;
	if (!used || !n || !is_cookie(used->cookie, vq->num))
		return FPH_EINVAL;
	if (!vq->inflight)
		return FPH_ESTATE;
	if (n > vq->inflight)
		n = vq->inflight;
	n = vq->big ? put_used(vq, used, n, true) :
		      put_used(vq, used, n, false);
	if (vq->record)
		fph_record_link(vq, used, n);
	/* The entries are there before the index says so. */
	fph_wmb();
	vq->used_idx = (uint16_t)(vq->used_idx + n);
	fph_ring_store(vq->device, FPH_RING_IDX, vq->used_idx, vq->big);
	if (vq->record)
		fph_record_done(vq, used, n);
	vq->inflight -= n;
	vq->unsignalled = fph_ring_steps(vq->unsignalled, n);
	vq->unmarked = fph_ring_steps(vq->unmarked, n);
	return (int)n;
}

/* -------------------------------------------------------- notifications -- */

int fph_vq_device_should_notify(struct fph_vq_device *vq)
{
	uint32_t steps;
	uint16_t v;

	if (!vq)
		return FPH_EUNINIT;
	if (!vq->unsignalled)
		return 0;
	/* Nothing is known of what a device before this one has signalled. */
	steps = vq->was_asked ? vq->unsignalled : FPH_RING_ROUND;
	vq->was_asked = true;
	vq->unsignalled = 0;
	/* Our index is out before we look at what the driver asks for. */
	fph_mb();
	if (!vq->event_idx) {
		v = fph_ring_load(vq->driver, FPH_RING_FLAGS, vq->big);
		return !(v & FPH_RING_SILENT);
	}
	v = fph_ring_load(vq->driver, fph_used_event(vq->num), vq->big);
	return fph_ring_passed(v, vq->used_idx, steps);
}

int fph_vq_device_want_notify(struct fph_vq_device *vq, bool on)
{
	uint16_t wish;

	if (!vq)
		return FPH_EUNINIT;
	if (vq->event_idx) {
		/* Off: behind us, so it is 65536 buffers away. */
		wish = (uint16_t)(vq->avail_idx - !on);
		fph_ring_store(vq->device, fph_avail_event(vq->num), wish,
			       vq->big);
		vq->wrote_event = true;
	} else {
		wish = (uint16_t)(on ? 0 : FPH_RING_SILENT);
		fph_ring_store(vq->device, FPH_RING_FLAGS, wish, vq->big);
		vq->wrote_index = true;
	}
	if (!on || vq->broken)
		return 0;
	/* The wish is out before we look again, or an offer goes unseen. */
	fph_mb();
	return count_old(vq) ||
	       fph_ring_load(vq->driver, FPH_RING_IDX, vq->big) !=
	       vq->avail_idx;
}

/* ---------------------------------------------------------------- state -- */

uint32_t fph_vq_device_get_base(const struct fph_vq_device *vq)
{
	return vq ? (uint16_t)(vq->avail_idx - count_old(vq)) : 0;
}

uint32_t fph_vq_device_get_base_of(const struct fph_vq_device *vq,
				   uint64_t cookie)
{
	return vq && is_cookie(cookie, vq->num) ? (uint32_t)cookie >> 16 : 0;
}

uint32_t fph_vq_device_get_inflight(const struct fph_vq_device *vq)
{
	return vq ? vq->inflight : 0;
}

bool fph_vq_device_is_broken(const struct fph_vq_device *vq)
{
	return !vq || vq->broken;
}

static int add_span(struct fph_span *spans, int n, uint8_t *addr, size_t len)
{
	spans[n].addr = addr;
	spans[n].len = len;
	return n + 1;
}

int fph_vq_device_take_written(struct fph_vq_device *vq,
			       struct fph_span *spans)
{
	uint32_t count, first, part;
	int n = 0;

	if (!vq)
		return FPH_EUNINIT;
	if (!spans)
		return FPH_EINVAL;
	count = vq->unmarked < vq->num ? vq->unmarked : vq->num;
	if (vq->wrote_index || count)
		n = add_span(spans, n, vq->device, FPH_RING_ENTRIES);
	first = (vq->used_idx - count) & (vq->num - 1);
	part = vq->num - first < count ? vq->num - first : count;
	if (part)
		n = add_span(spans, n,
			     vq->device + fph_used_entry(vq->num, first),
			     (size_t)part * FPH_USED_BYTES);
	if (count > part)
		n = add_span(spans, n, vq->device + FPH_RING_ENTRIES,
			     (size_t)(count - part) * FPH_USED_BYTES);
	if (vq->wrote_event)
		n = add_span(spans, n,
			     vq->device + fph_avail_event(vq->num), 2);
	vq->unmarked = 0;
	vq->wrote_index = false;
	vq->wrote_event = false;
	return n;
}
