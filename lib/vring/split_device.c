/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device side of a split ring.
 *
 * A buffer is read in one pass over its descriptors, into the caller's
 * segments; the ring moves on only when all of it was read.
 */
#include "device.h"

/* ----------------------------------------------------------------- state -- */

uint32_t fph_split_get_base(const struct fph_vq_device *vq)
{
	return (uint16_t)(vq->avail_idx - fph_count_old(vq));
}

bool fph_split_is_base(uint32_t base, uint32_t num)
{
	(void)num;
	return base <= 0xffff;
}

void fph_split_start(struct fph_vq_device *vq, uint32_t base)
{
	vq->avail_idx = (uint16_t)base;
	vq->used_idx = fph_ring_load(vq->device, FPH_RING_IDX, vq->big);
	if (vq->record)
		fph_record_open(vq);
	vq->shadow = vq->avail_idx;
	vq->oldest = fph_split_get_base(vq) & (vq->num - 1);
	/* With event index the flags stay 0 for good. */
	fph_ring_store(vq->device, FPH_RING_FLAGS, 0, vq->big);
	vq->wrote_index = true;
}

/* --------------------------------------------------------------- buffers -- */

/* With IN_ORDER: the place in held. */
static uint32_t place_of(const struct fph_vq_device *vq, uint64_t cookie)
{
	return (uint32_t)(cookie >> 16) & (vq->num - 1);
}

/* How many buffers wait, as far as known; looks when none is known. */
static int look(struct fph_vq_device *vq)
{
	uint16_t idx;

	if (fph_count_old(vq))
		return (int)fph_count_old(vq);
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
	if (fph_count_old(vq))
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
	b->cookie = fph_cookie(head, fph_split_get_base(vq));
	vq->inflight++;
	if (fph_count_old(vq)) {
		vq->nold_taken++;
	} else {
		vq->avail_idx++;
		if (vq->record)
			fph_record_take(vq, head);
	}
	return (int)(b->nread + b->nwrite);
}

static void note_held(struct fph_vq_device *vq, const struct fph_buffer *b,
		      uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		fph_hold(vq, place_of(vq, b[i].cookie),
			 fph_cookie_head(b[i].cookie), 1);
}

int fph_split_pop(struct fph_vq_device *vq, struct fph_buffer *buffers,
		  uint32_t n, struct fph_seg *segs, uint32_t nsegs)
{
	int waiting = look(vq);
	uint32_t most;
	uint32_t i = 0;
	int ret = 0;

	if (waiting <= 0)
		return waiting;
	/* Every buffer has a descriptor of its own, so num is the most. */
	most = vq->num - vq->inflight - vq->nheld;
	if (!most)
		return FPH_PEER_INFLIGHT;
	if (most > (uint32_t)waiting)
		most = (uint32_t)waiting;
	if (most > n)
		most = n;
	while (i < most) {
		uint32_t k = 0;

		if (!fph_count_old(vq))
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
	if (vq->held)
		note_held(vq, buffers, i);
	return i ? (int)i : ret;
}

static bool is_cookie(uint64_t cookie, uint32_t num)
{
	return !(cookie >> 32) && fph_cookie_head(cookie) < num;
}

uint32_t fph_split_get_base_of(const struct fph_vq_device *vq, uint64_t cookie)
{
	return is_cookie(cookie, vq->num) ? (uint32_t)cookie >> 16 : 0;
}

/* Writes the entry that is k behind the used index. */
FPH_INLINE void put_entry(struct fph_vq_device *vq, uint32_t k, uint32_t id,
			  uint32_t len, bool big)
{
	uint8_t *p = vq->device + fph_used_entry(vq->num, vq->used_idx + k);

	id = fph_ring32(id, big);
	len = fph_ring32(len, big);
	fph_memcpy(p, &id, 4);
	/* Two stores are less than to put both together first. */
	fph_compiler_barrier();
	fph_memcpy(p + 4, &len, 4);
	fph_dma_out(p, FPH_USED_BYTES);
}

/* Writes the entries, as far as the cookies are good.  Their number. */
FPH_INLINE uint32_t put_used(struct fph_vq_device *vq,
			     const struct fph_used *used, uint32_t n, bool big)
{
	uint32_t i;

	for (i = 0; i < n && is_cookie(used[i].cookie, vq->num); i++)
		put_entry(vq, i, fph_cookie_head(used[i].cookie), used[i].len,
			  big);
	return i;
}

/* Shows the driver n more entries. */
static void publish(struct fph_vq_device *vq, uint32_t n)
{
	/* The entries are there before the index says so. */
	fph_wmb();
	vq->used_idx = (uint16_t)(vq->used_idx + n);
	fph_ring_store(vq->device, FPH_RING_IDX, vq->used_idx, vq->big);
	vq->unsignalled = fph_ring_steps(vq->unsignalled, n);
	vq->unmarked = fph_ring_steps(vq->unmarked, n);
}

/* Uses those whose turn has come. */
static void use_turns(struct fph_vq_device *vq)
{
	const struct fph_held *h;
	uint32_t n = 0;

	for (; (h = fph_get_turn(vq, n)); n++) {
		put_entry(vq, n, h->id, h->len, vq->big);
		if (vq->record)
			fph_record_link(vq, h->id);
	}
	if (!n)
		return;
	publish(vq, n);
	for (uint32_t k = 0; vq->record && k < n; k++)
		fph_record_drop(vq, fph_get_turn(vq, k)->id);
	if (vq->record)
		fph_record_done(vq);
	fph_end_turns(vq, n);
}

static uint32_t push_in_order(struct fph_vq_device *vq,
			      const struct fph_used *used, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n && is_cookie(used[i].cookie, vq->num); i++) {
		if (!fph_hold_done(vq, place_of(vq, used[i].cookie),
				   fph_cookie_head(used[i].cookie),
				   used[i].len))
			break;
	}
	use_turns(vq);
	return i;
}

uint32_t fph_split_push(struct fph_vq_device *vq, const struct fph_used *used,
			uint32_t n)
{
	uint32_t i;

	if (vq->held)
		return push_in_order(vq, used, n);
	n = vq->big ? put_used(vq, used, n, true) :
		      put_used(vq, used, n, false);
	if (!n)
		return 0;
	for (i = 0; vq->record && i < n; i++)
		fph_record_link(vq, fph_cookie_head(used[i].cookie));
	publish(vq, n);
	for (i = 0; vq->record && i < n; i++)
		fph_record_drop(vq, fph_cookie_head(used[i].cookie));
	if (vq->record)
		fph_record_done(vq);
	vq->inflight -= n;
	return n;
}

/* --------------------------------------------------------- notifications -- */

bool fph_split_is_wanted(const struct fph_vq_device *vq, uint32_t steps)
{
	uint16_t v;

	if (!vq->event_idx) {
		v = fph_ring_load(vq->driver, FPH_RING_FLAGS, vq->big);
		return !(v & FPH_RING_SILENT);
	}
	v = fph_ring_load(vq->driver, fph_used_event(vq->num), vq->big);
	return fph_ring_passed(v, vq->used_idx, steps);
}

void fph_split_ask(struct fph_vq_device *vq, bool on)
{
	uint16_t wish;

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
}

bool fph_split_is_waiting(const struct fph_vq_device *vq)
{
	return fph_count_old(vq) ||
	       fph_ring_load(vq->driver, FPH_RING_IDX, vq->big) !=
	       vq->avail_idx;
}

int fph_split_get_written(const struct fph_vq_device *vq,
			  struct fph_span *spans)
{
	uint8_t *entries = vq->device + FPH_RING_ENTRIES;
	uint32_t count, first, part;
	int n = 0;

	count = vq->unmarked < vq->num ? vq->unmarked : vq->num;
	if (vq->wrote_index || count)
		n = fph_add_span(spans, n, vq->device, FPH_RING_ENTRIES);
	first = (vq->used_idx - count) & (vq->num - 1);
	part = vq->num - first < count ? vq->num - first : count;
	if (part)
		n = fph_add_span(spans, n, entries + first * FPH_USED_BYTES,
				 (size_t)part * FPH_USED_BYTES);
	if (count > part)
		n = fph_add_span(spans, n, entries,
				 (size_t)(count - part) * FPH_USED_BYTES);
	if (vq->wrote_event)
		n = fph_add_span(spans, n,
				 vq->device + fph_avail_event(vq->num), 2);
	return n;
}
