/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtqueue, driver side: the calls, for either layout.
 *
 * Order of accesses: descriptors and entries before what shows them (wmb),
 * what says that a buffer was used before what it says (rmb), and our own
 * index or wish before the other side's (mb).
 */
#include "driver.h"

static int check_live(const struct fph_vq_driver *vq)
{
	if (!vq)
		return FPH_EUNINIT;
	if (vq->dead)
		return FPH_ESTATE;
	return vq->broken ? FPH_PEER_BROKEN : FPH_OK;
}

/* ----------------------------------------------------------------- init -- */

static bool has_tables(const struct fph_vq_driver_params *p)
{
	return p->tables && fph_has_feature(p->features,
					    VIRTIO_RING_F_INDIRECT_DESC);
}

static bool are_tables(const struct fph_vq_driver_params *p)
{
	uint64_t len = (uint64_t)p->num * p->table_entries * FPH_DESC_BYTES;

	return !((uintptr_t)p->tables & 15) && (size_t)len == len &&
	       p->table_entries <= FPH_VRING_MAX_SIZE &&
	       !fph_is_bad_range(p->tables_gpa, len);
}

static bool read_params(struct fph_vq_driver_params *known,
			const struct fph_vq_driver_params *params)
{
	if (!fph_params_read(known, sizeof(*known), params, sizeof(*known)))
		return false;
	if (!fph_ring_fits(known->num, known->features, known->endian,
			   known->desc, known->driver, known->device))
		return false;
	return !has_tables(known) || are_tables(known);
}

static size_t size_of(const struct fph_vq_driver_params *p)
{
	return sizeof(struct fph_vq_driver) +
	       p->num * sizeof(struct fph_driver_slot);
}

size_t fph_vq_driver_size(const struct fph_vq_driver_params *params)
{
	struct fph_vq_driver_params p;

	return read_params(&p, params) ? size_of(&p) : 0;
}

static void clear(uint8_t *area, size_t size)
{
	fph_memset(area, 0, size);
	fph_dma_out(area, size);
}

int fph_vq_driver_init(struct fph_vq_driver **vqp, void *mem, size_t size,
		       const struct fph_vq_driver_params *params)
{
	struct fph_vq_driver_params p;
	struct fph_vq_driver *vq;

	if (!vqp || !read_params(&p, params) ||
	    !fph_is_memory(mem, size, size_of(&p)))
		return FPH_EINVAL;

	vq = mem;
	fph_memset(vq, 0, sizeof(*vq));
	vq->num = p.num;
	vq->big = p.endian == FPH_BE;
	vq->packed = fph_has_feature(p.features, VIRTIO_F_RING_PACKED);
	vq->in_order = fph_has_feature(p.features, VIRTIO_F_IN_ORDER);
	vq->event_idx = fph_has_feature(p.features, VIRTIO_RING_F_EVENT_IDX);
	vq->desc = p.desc;
	vq->driver = p.driver;
	vq->device = p.device;
	if (has_tables(&p)) {
		vq->tables = p.tables;
		vq->tables_gpa = p.tables_gpa;
		vq->table_entries = p.table_entries;
	}
	vq->avail.wrap = true;
	vq->used.wrap = true;
	clear(vq->desc, FPH_VRING_DESC_SIZE(p.num));
	clear(vq->driver, FPH_VRING_DRIVER_SIZE(p.features, p.num));
	clear(vq->device, FPH_VRING_DEVICE_SIZE(p.features, p.num));
	*vqp = vq;
	return FPH_OK;
}

/* ------------------------------------------------------------------ add -- */

/*
 * Whether n segments are as the specification asks of one direction; adds
 * their bytes to *total.
 */
FPH_INLINE bool are_segs(const struct fph_seg *segs, uint32_t n,
			 uint32_t flags, uint64_t *total)
{
	for (const struct fph_seg *s = segs; s != segs + n; s++) {
		if (s->flags != flags || fph_is_bad_range(s->gpa, s->len))
			return false;
		*total += s->len;
	}
	return true;
}

static bool is_buffer(const struct fph_vq_driver *vq,
		      const struct fph_buffer *b, const struct fph_seg *segs)
{
	uint64_t total = 0;

	if (b->nread > vq->num || b->nwrite > vq->num - b->nread ||
	    !(b->nread + b->nwrite))
		return false;
	return are_segs(segs, b->nread, 0, &total) &&
	       are_segs(segs + b->nread, b->nwrite, FPH_SEG_WRITE, &total) &&
	       total <= (uint64_t)1 << 32;
}

static bool takes_table(const struct fph_vq_driver *vq,
			const struct fph_buffer *b)
{
	uint32_t nseg = b->nread + b->nwrite;

	return nseg > 1 && vq->tables && nseg <= vq->table_entries &&
	       !(b->flags & FPH_BUFFER_DIRECT);
}

/* With IN_ORDER: the buffer is the newest; how much can be written into it. */
static void note_order(struct fph_vq_driver *vq, uint32_t slot,
		       const struct fph_buffer *b, const struct fph_seg *segs)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < b->nwrite; i++)
		bytes += segs[b->nread + i].len;
	vq->slots[slot].writable = bytes >> 32 ? 0xffffffffu : (uint32_t)bytes;
	if (vq->inflight > 1)
		vq->slots[vq->newest].newer = (uint16_t)slot;
	else
		vq->oldest = (uint16_t)slot;
	vq->newest = (uint16_t)slot;
}

/* What is the same in both layouts is noted here. */
static void note(struct fph_vq_driver *vq, uint32_t slot,
		 const struct fph_buffer *b, const struct fph_seg *segs)
{
	struct fph_driver_slot *s = &vq->slots[slot];

	s->cookie = b->cookie;
	s->serial = vq->added++;
	vq->inflight++;
	if (vq->in_order)
		note_order(vq, slot, b, segs);
}

static int add(struct fph_vq_driver *vq, const struct fph_buffer *b,
	       const struct fph_seg *segs)
{
	uint32_t nseg = b->nread + b->nwrite;
	bool table;
	int slot;

	if (!is_buffer(vq, b, segs))
		return FPH_EINVAL;
	table = takes_table(vq, b);
	slot = vq->packed ? fph_packed_add(vq, segs, nseg, table) :
			    fph_split_add(vq, b, segs, table);
	if (slot < 0)
		return slot;
	note(vq, (uint32_t)slot, b, segs);
	return FPH_OK;
}

int fph_vq_driver_add(struct fph_vq_driver *vq,
		      const struct fph_buffer *buffers, uint32_t n,
		      const struct fph_seg *segs)
{
	uint32_t i;
	int ret;

	ret = check_live(vq);
	if (ret < 0)
		return ret;
	if (!buffers || !n || !segs)
		return FPH_EINVAL;
	for (i = 0; i < n; i++) {
		ret = add(vq, &buffers[i], segs);
		if (ret < 0)
			break;
		segs += buffers[i].nread + buffers[i].nwrite;
	}
	return i ? (int)i : ret;
}

int fph_vq_driver_publish(struct fph_vq_driver *vq)
{
	int ret = check_live(vq);

	if (ret < 0 || vq->published == vq->added)
		return ret;
	if (vq->packed)
		fph_packed_publish(vq);
	else
		fph_split_publish(vq);
	return FPH_OK;
}

int fph_vq_driver_should_notify(struct fph_vq_driver *vq)
{
	uint32_t steps;
	int ret = check_live(vq);

	if (ret < 0 || !vq->unsignalled)
		return ret;
	steps = vq->unsignalled;
	vq->unsignalled = 0;
	/* Our buffers are out before we look at what the device asks for. */
	fph_mb();
	return vq->packed ? fph_packed_is_kick_wanted(vq, steps) :
			    fph_split_is_kick_wanted(vq, steps);
}

/* ----------------------------------------------------------------- used -- */

/* Whether the buffer of a slot is with the device. */
static bool is_out(const struct fph_vq_driver *vq, uint32_t id)
{
	/* Fewer than 2^31 buffers are between the two. */
	return id < vq->nused && vq->slots[id].ndesc &&
	       vq->published - vq->slots[id].serial - 1 < 1u << 31;
}

/* The buffer of a slot goes back to the caller. */
static void give_back(struct fph_vq_driver *vq, uint32_t slot,
		      struct fph_used *used, uint32_t len)
{
	used->cookie = vq->slots[slot].cookie;
	used->len = len;
	if (vq->packed)
		fph_packed_release(vq, slot);
	else
		fph_split_release(vq, slot);
	vq->slots[slot].ndesc = 0;
	vq->inflight--;
}

/*
 * With IN_ORDER what was used stands for all buffers before it too.  The next
 * of them; those that are not named were written whole.
 */
static void take_oldest(struct fph_vq_driver *vq, struct fph_used *used)
{
	uint32_t slot = vq->oldest;
	bool is_last = slot == vq->batch_last;

	vq->in_batch = !is_last;
	vq->oldest = vq->slots[slot].newer;
	give_back(vq, slot, used,
		  is_last ? vq->batch_len : vq->slots[slot].writable);
}

/* Takes one back.  1; 0: none waits; FPH_PEER_*. */
static int take(struct fph_vq_driver *vq, struct fph_used *used)
{
	uint32_t id, len;
	int ret;

	if (vq->in_batch) {
		take_oldest(vq, used);
		return 1;
	}
	ret = vq->packed ? fph_packed_look_used(vq) : fph_split_look_used(vq);
	if (ret <= 0)
		return ret;
	id = vq->packed ? fph_packed_read_used(vq, &len) :
			  fph_split_read_used(vq, &len);
	if (!is_out(vq, id))
		return FPH_PEER_USED_ID;
	if (!vq->in_order) {
		give_back(vq, id, used, len);
		return 1;
	}
	vq->batch_last = (uint16_t)id;
	vq->batch_len = len;
	take_oldest(vq, used);
	return 1;
}

int fph_vq_driver_take_used(struct fph_vq_driver *vq, struct fph_used *used,
			    uint32_t n)
{
	int ret = check_live(vq);
	uint32_t i;

	if (ret < 0)
		return ret;
	if (!used || !n)
		return FPH_EINVAL;
	for (i = 0; i < n; i++) {
		ret = take(vq, &used[i]);
		if (ret <= 0)
			break;
	}
	if (i)
		return (int)i;
	if (ret < 0)
		vq->broken = true;
	return ret;
}

int fph_vq_driver_want_notify(struct fph_vq_driver *vq, bool on)
{
	int ret = check_live(vq);

	if (ret < 0)
		return ret;
	if (vq->packed)
		fph_packed_ask_used(vq, on);
	else
		fph_split_ask_used(vq, on);
	if (!on)
		return 0;
	/* The wish is out before we look again, or a buffer goes unseen. */
	fph_mb();
	ret = vq->packed ? fph_packed_look_used(vq) : fph_split_look_used(vq);
	return vq->in_batch || ret;
}

int fph_vq_driver_detach(struct fph_vq_driver *vq, struct fph_used *used,
			 uint32_t n)
{
	uint32_t i = 0;

	if (!vq)
		return FPH_EUNINIT;
	if (!used || !n)
		return FPH_EINVAL;
	vq->dead = true;
	for (; i < n && vq->scan < vq->nused; vq->scan++) {
		struct fph_driver_slot *slot = &vq->slots[vq->scan];

		if (!slot->ndesc)
			continue;
		used[i].cookie = slot->cookie;
		used[i].len = 0;
		slot->ndesc = 0;
		vq->inflight--;
		i++;
	}
	return (int)i;
}

/* ---------------------------------------------------------------- state -- */

uint32_t fph_vq_driver_get_room(const struct fph_vq_driver *vq)
{
	if (check_live(vq))
		return 0;
	return vq->packed ? fph_packed_get_room(vq) : fph_split_get_room(vq);
}

uint32_t fph_vq_driver_get_inflight(const struct fph_vq_driver *vq)
{
	return vq ? vq->inflight : 0;
}

bool fph_vq_driver_is_broken(const struct fph_vq_driver *vq)
{
	return !vq || vq->broken;
}
