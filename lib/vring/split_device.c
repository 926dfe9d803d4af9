/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Split ring, device side.
 *
 * A buffer is read in one pass over its descriptors, into the caller's
 * segments; the ring moves on only when the pass came to a good end.
 *
 * Order of accesses: avail.idx before the entries and descriptors behind it
 * (rmb), used entries before used.idx (wmb), and our own index or wish before
 * the other side's (mb), so that of two who publish and then look at least
 * one sees the other.
 */
#include "split.h"

#define SPLIT_DEVICE_MAGIC	0x73644456u

/* A table of descriptors, and where a buffer goes on in it. */
struct table {
	const uint8_t *desc;
	uint32_t entries;
	uint32_t next;
	bool nested;			/* is an indirect table itself */
};

/* A buffer while it is being read. */
struct chain {
	struct fph_seg *seg;		/* next to fill */
	struct fph_seg *end;
	struct fph_seg *writable;	/* first writable one, or NULL */
	uint64_t total;
	uint64_t read_len;
	struct fph_desc last;		/* what ended the walk */
};

static bool is_valid(const struct fph_split_device *vq)
{
	return vq && vq->magic == SPLIT_DEVICE_MAGIC;
}

int fph_split_device_init(struct fph_split_device *vq,
			  const struct fph_split_device_params *p)
{
	bool big;

	if (!vq || !p || !fph_params_fit(p, p->size, sizeof(*p)))
		return FPH_EINVAL;
	if (!fph_ring_fits(p->num, p->endian, p->desc, p->avail, p->used))
		return FPH_EINVAL;
	if (p->indirect && !p->map)
		return FPH_EINVAL;

	big = p->endian == FPH_BE;
	fph_memset(vq, 0, sizeof(*vq));
	vq->num = p->num;
	vq->avail_idx = p->base;
	vq->shadow = p->base;
	vq->used_idx = fph_ring_load(p->used, FPH_RING_IDX, big);
	vq->signalled = vq->used_idx;
	vq->event_idx = p->event_idx;
	vq->indirect = p->indirect;
	vq->big = big;
	vq->desc = p->desc;
	vq->avail = p->avail;
	vq->used = p->used;
	vq->map = p->map;
	vq->map_ctx = p->map_ctx;
	vq->magic = SPLIT_DEVICE_MAGIC;
	/* With event index the flags stay 0 for good. */
	fph_ring_store(vq->used, FPH_RING_FLAGS, 0, big);
	fph_split_device_arm(vq, true);
	return FPH_OK;
}

/*
 * Reads a chain inside one table.  Ends at the last descriptor, or at one that
 * is indirect, which is then c->last.
 */
static int read_table(struct chain *c, const struct table *t, bool big)
{
	const uint8_t *desc = t->desc;
	uint32_t dir = c->writable ? FPH_SEG_WRITE : 0;
	uint32_t i = t->next;
	struct fph_seg *seg;

	for (seg = c->seg; ; seg++) {
		struct fph_desc d;

		fph_desc_load(&d, desc, i, big);
		if (d.flags & FPH_DESC_INDIRECT) {
			c->seg = seg;
			c->last = d;
			return FPH_OK;
		}
		if (seg == c->end)
			return FPH_PEER_LONG_CHAIN;
		if (!d.len)
			return FPH_PEER_ZERO_LEN;
		if (fph_wraps(d.gpa, d.len))
			return FPH_PEER_WRAP;
		seg->gpa = d.gpa;
		seg->len = d.len;
		seg->flags = d.flags & FPH_DESC_WRITE ? FPH_SEG_WRITE : 0;
		if (seg->flags != dir) {
			if (dir)
				return FPH_PEER_ORDER;
			dir = FPH_SEG_WRITE;
			c->writable = seg;
			c->read_len = c->total;
		}
		c->total += d.len;
		if (!(d.flags & FPH_DESC_NEXT)) {
			c->seg = seg + 1;
			c->last.flags = 0;
			return FPH_OK;
		}
		i = d.next;
		if (i >= t->entries)
			return FPH_PEER_NEXT;
	}
}

/* Checks an indirect descriptor, and makes its table the one to read. */
static int enter_table(const struct fph_split_device *vq,
		       const struct fph_desc *d, struct table *t)
{
	if (!vq->indirect)
		return FPH_PEER_INDIRECT;
	if (t->nested)
		return FPH_PEER_INDIRECT_NEST;
	if (d->flags & FPH_DESC_NEXT)
		return FPH_PEER_INDIRECT_NEXT;
	if (!d->len || d->len % FPH_DESC_BYTES)
		return FPH_PEER_INDIRECT_LEN;
	if (fph_wraps(d->gpa, d->len))
		return FPH_PEER_INDIRECT_ADDR;
	t->desc = vq->map(vq->map_ctx, d->gpa, d->len);
	if (!t->desc)
		return FPH_PEER_INDIRECT_ADDR;
	t->entries = d->len / FPH_DESC_BYTES;
	t->next = 0;
	t->nested = true;
	return FPH_OK;
}

/* Reads the buffer at head: descriptors of the ring, then one table at most. */
static int read_chain(const struct fph_split_device *vq, uint16_t head,
		      struct chain *c)
{
	struct table t = { vq->desc, vq->num, head, false };
	int ret;

	for (;;) {
		ret = read_table(c, &t, vq->big);
		if (ret < 0)
			return ret;
		if (!(c->last.flags & FPH_DESC_INDIRECT))
			break;
		ret = enter_table(vq, &c->last, &t);
		if (ret < 0)
			return ret;
	}
	if (!c->writable) {
		c->writable = c->seg;
		c->read_len = c->total;
	}
	return c->total >> 32 && c->total != (uint64_t)1 << 32 ?
	       FPH_PEER_TOTAL : FPH_OK;
}

/* 1: buffers wait; 0: none does. */
static int look(struct fph_split_device *vq)
{
	uint16_t idx;

	if (vq->shadow != vq->avail_idx)
		return 1;
	idx = fph_ring_load(vq->avail, FPH_RING_IDX, vq->big);
	if (idx == vq->avail_idx)
		return 0;
	if ((uint16_t)(idx - vq->avail_idx) > vq->num)
		return FPH_PEER_AVAIL_INDEX;
	vq->shadow = idx;
	/* The entries and descriptors behind idx are read after it. */
	fph_rmb();
	return 1;
}

static int take(struct fph_split_device *vq, struct fph_elem *elem,
		struct fph_seg *segs)
{
	struct chain c = { .seg = segs, .end = segs + vq->num };
	uint16_t head;
	int ret;

	ret = look(vq);
	if (ret <= 0)
		return ret;
	/* Every buffer has a descriptor of its own, so num is the most. */
	if (vq->inflight == vq->num)
		return FPH_PEER_INFLIGHT;
	head = fph_ring_load(vq->avail,
			     fph_avail_entry(vq->num, vq->avail_idx), vq->big);
	if (head >= vq->num)
		return FPH_PEER_HEAD;
	ret = read_chain(vq, head, &c);
	if (ret < 0)
		return ret;

	elem->head = head;
	elem->nseg = (uint16_t)(c.seg - segs);
	elem->nread = (uint16_t)(c.writable - segs);
	elem->read_len = c.read_len;
	elem->write_len = c.total - c.read_len;
	vq->avail_idx++;
	vq->inflight++;
	return 1;
}

int fph_split_device_pop(struct fph_split_device *vq, struct fph_elem *elem,
			 struct fph_seg *segs, uint32_t nsegs)
{
	int ret;

	if (!is_valid(vq))
		return FPH_EUNINIT;
	if (!elem || !segs || nsegs < vq->num)
		return FPH_EINVAL;
	if (vq->broken)
		return FPH_PEER_BROKEN;
	ret = take(vq, elem, segs);
	if (ret < 0)
		vq->broken = true;
	return ret;
}

int fph_split_device_push(struct fph_split_device *vq, uint16_t head,
			  uint32_t len)
{
	uint32_t entry[2];

	if (!is_valid(vq))
		return FPH_EUNINIT;
	if (head >= vq->num)
		return FPH_EINVAL;
	if (!vq->inflight)
		return FPH_ESTATE;
	entry[0] = fph_ring32(head, vq->big);
	entry[1] = fph_ring32(len, vq->big);
	fph_memcpy((uint8_t *)vq->used + fph_used_entry(vq->num, vq->used_idx),
		   entry, sizeof(entry));
	/* The entry is there before the index says so. */
	fph_wmb();
	vq->used_idx++;
	fph_ring_store(vq->used, FPH_RING_IDX, vq->used_idx, vq->big);
	vq->inflight--;
	/* All the way round: what was signalled last means nothing now. */
	if (vq->used_idx == vq->signalled)
		vq->signalled_valid = false;
	return FPH_OK;
}

static bool wants_interrupt(const struct fph_split_device *vq)
{
	uint16_t v;

	/* used.idx is out before we look at what the driver asks for. */
	fph_mb();
	if (!vq->event_idx) {
		v = fph_ring_load(vq->avail, FPH_RING_FLAGS, vq->big);
		return !(v & FPH_RING_SILENT);
	}
	if (!vq->signalled_valid)
		return true;
	v = fph_ring_load(vq->avail, fph_used_event(vq->num), vq->big);
	return fph_ring_passed(v, vq->used_idx, vq->signalled);
}

int fph_split_device_get_notify(struct fph_split_device *vq)
{
	int ret;

	if (!is_valid(vq))
		return FPH_EUNINIT;
	if (vq->signalled_valid && vq->used_idx == vq->signalled)
		return 0;
	ret = wants_interrupt(vq);
	vq->signalled = vq->used_idx;
	vq->signalled_valid = true;
	return ret;
}

int fph_split_device_arm(struct fph_split_device *vq, bool on)
{
	uint16_t wish;

	if (!is_valid(vq))
		return FPH_EUNINIT;
	if (vq->event_idx) {
		/* Off: behind us, so it is 65536 buffers away. */
		wish = (uint16_t)(vq->avail_idx - !on);
		fph_ring_store(vq->used, fph_avail_event(vq->num), wish,
			       vq->big);
	} else {
		wish = (uint16_t)(on ? 0 : FPH_RING_SILENT);
		fph_ring_store(vq->used, FPH_RING_FLAGS, wish, vq->big);
	}
	if (!on || vq->broken)
		return 0;
	/* The wish is out before we look again, or an offer goes unseen. */
	fph_mb();
	return fph_ring_load(vq->avail, FPH_RING_IDX, vq->big) !=
	       vq->avail_idx;
}

uint16_t fph_split_device_get_base(const struct fph_split_device *vq)
{
	return is_valid(vq) ? vq->avail_idx : 0;
}

uint16_t fph_split_device_get_inflight(const struct fph_split_device *vq)
{
	return is_valid(vq) ? vq->inflight : 0;
}

bool fph_split_device_is_broken(const struct fph_split_device *vq)
{
	return !is_valid(vq) || vq->broken;
}
