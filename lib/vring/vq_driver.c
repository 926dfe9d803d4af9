/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtqueue, driver side.
 *
 * Nothing that decides what is free or in flight is kept in ring memory, where
 * the device could change it.  Each entry of the ring has a slot here.  The
 * slots that are free and were used before are linked; those from nused on
 * were never touched.  next of the slots of a buffer leads from its head to
 * its tail.
 *
 * Buffers have serials in the order of add.  Those below published are with
 * the device, so publish need not look at any of them.
 *
 * Order of accesses: descriptors and entries before our index (wmb), the
 * device's index before the entries behind it (rmb), and our own index or wish
 * before the other side's (mb).
 */
#include "split.h"

struct slot {
	uint64_t cookie;
	uint64_t serial;
	uint16_t ndesc;			/* of the buffer; not a head: 0 */
	uint16_t tail;
	uint16_t next;
	uint16_t reserved;
};

struct fph_vq_driver {
	uint8_t *desc;
	uint8_t *driver;		/* available ring */
	uint8_t *device;		/* used ring */
	uint8_t *tables;		/* NULL: none */
	uint64_t tables_gpa;
	uint64_t added;			/* serial of the next buffer */
	uint64_t published;
	uint32_t table_entries;
	uint32_t num;
	uint32_t nlinked;		/* free slots in the list */
	uint32_t nused;			/* slots ever used or linked */
	uint32_t inflight;
	uint32_t unsignalled;		/* published since should_notify */
	uint32_t scan;			/* of detach: no buffer below */
	uint16_t free;			/* head of the list */
	uint16_t used_idx;
	uint16_t shadow;		/* where the device is, as last seen */
	bool event_idx;
	bool big;
	bool broken;
	bool dead;
	struct slot slots[];
};

static int check_live(const struct fph_vq_driver *vq)
{
	if (!vq)
		return FPH_EUNINIT;
	if (vq->dead)
		return FPH_ESTATE;
	return vq->broken ? FPH_PEER_BROKEN : FPH_OK;
}

/* Index of the available ring, as far as filled. */
static uint16_t added_idx(const struct fph_vq_driver *vq)
{
	return (uint16_t)vq->added;
}

static uint16_t published_idx(const struct fph_vq_driver *vq)
{
	return (uint16_t)vq->published;
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
	return sizeof(struct fph_vq_driver) + p->num * sizeof(struct slot);
}

size_t fph_vq_driver_size(const struct fph_vq_driver_params *params)
{
	struct fph_vq_driver_params p;

	return read_params(&p, params) ? size_of(&p) : 0;
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
	vq->event_idx = fph_has_feature(p.features, VIRTIO_RING_F_EVENT_IDX);
	vq->desc = p.desc;
	vq->driver = p.driver;
	vq->device = p.device;
	if (has_tables(&p)) {
		vq->tables = p.tables;
		vq->tables_gpa = p.tables_gpa;
		vq->table_entries = p.table_entries;
	}
	fph_memset(vq->desc, 0, FPH_SPLIT_DESC_SIZE(p.num));
	fph_memset(vq->driver, 0, FPH_SPLIT_DRIVER_SIZE(p.num));
	fph_memset(vq->device, 0, FPH_SPLIT_DEVICE_SIZE(p.num));
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

/* Puts slots that were never used in front of the list, in their order. */
static void link_slots(struct fph_vq_driver *vq, uint32_t n)
{
	uint32_t first = vq->nused;

	for (uint32_t i = 0; i < n; i++) {
		struct slot *s = &vq->slots[first + i];

		s->ndesc = 0;
		s->next = i + 1 < n ? (uint16_t)(first + i + 1) : vq->free;
	}
	vq->free = (uint16_t)first;
	vq->nused += n;
	vq->nlinked += n;
}

/*
 * Fills the first nseg descriptors of a list: the free slots, or those of a
 * table, which follow each other.  Compiled for each byte order and each kind.
 * The last of the descriptors.
 */
FPH_INLINE uint32_t fill(const struct fph_vq_driver *vq, uint8_t *table,
			 uint32_t at, const struct fph_seg *segs,
			 uint32_t nseg, bool linked, bool big)
{
	const struct fph_seg *last = segs + nseg - 1;

	for (; segs != last; segs++) {
		uint32_t next = linked ? vq->slots[at].next : at + 1;

		fph_desc_store(table, at, segs, FPH_DESC_NEXT | segs->flags *
			       FPH_DESC_WRITE, next, big);
		at = next;
	}
	fph_desc_store(table, at, last, last->flags * FPH_DESC_WRITE, 0, big);
	return at;
}

static void fill_table(struct fph_vq_driver *vq, uint32_t head,
		       const struct fph_seg *segs, uint32_t nseg)
{
	size_t off = (size_t)head * vq->table_entries * FPH_DESC_BYTES;
	struct fph_seg table = { .gpa = vq->tables_gpa + off,
				 .len = nseg * FPH_DESC_BYTES };

	if (vq->big == FPH_HOST_BIG_ENDIAN)
		fill(vq, vq->tables + off, 0, segs, nseg, false,
		     FPH_HOST_BIG_ENDIAN);
	else
		fill(vq, vq->tables + off, 0, segs, nseg, false,
		     !FPH_HOST_BIG_ENDIAN);
	fph_desc_store(vq->desc, head, &table, FPH_DESC_INDIRECT, 0, vq->big);
}

/* The last of the descriptors. */
static uint32_t fill_ring(struct fph_vq_driver *vq, uint32_t head,
			  const struct fph_seg *segs, uint32_t nseg)
{
	if (vq->big == FPH_HOST_BIG_ENDIAN)
		return fill(vq, vq->desc, head, segs, nseg, true,
			    FPH_HOST_BIG_ENDIAN);
	return fill(vq, vq->desc, head, segs, nseg, true,
		    !FPH_HOST_BIG_ENDIAN);
}

static bool takes_table(const struct fph_vq_driver *vq,
			const struct fph_buffer *b)
{
	uint32_t nseg = b->nread + b->nwrite;

	return nseg > 1 && vq->tables && nseg <= vq->table_entries &&
	       !(b->flags & FPH_BUFFER_DIRECT);
}

static int add(struct fph_vq_driver *vq, const struct fph_buffer *b,
	       const struct fph_seg *segs)
{
	uint32_t nseg = b->nread + b->nwrite;
	uint32_t ndesc, head, tail;
	struct slot *slot;
	bool table;

	if (!is_buffer(vq, b, segs))
		return FPH_EINVAL;
	table = takes_table(vq, b);
	ndesc = table ? 1 : nseg;
	if (ndesc > vq->nlinked) {
		if (ndesc > vq->nlinked + vq->num - vq->nused)
			return FPH_EFULL;
		link_slots(vq, ndesc - vq->nlinked);
	}
	head = vq->free;
	tail = head;
	if (table)
		fill_table(vq, head, segs, nseg);
	else
		tail = fill_ring(vq, head, segs, nseg);
	vq->free = vq->slots[tail].next;
	vq->nlinked -= ndesc;
	slot = &vq->slots[head];
	slot->cookie = b->cookie;
	slot->serial = vq->added;
	slot->ndesc = (uint16_t)ndesc;
	slot->tail = (uint16_t)tail;
	fph_ring_store(vq->driver, fph_avail_entry(vq->num, added_idx(vq)),
		       (uint16_t)head, vq->big);
	vq->added++;
	vq->inflight++;
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
	uint32_t n;
	int ret;

	ret = check_live(vq);
	if (ret < 0 || vq->published == vq->added)
		return ret;
	n = (uint32_t)(vq->added - vq->published);
	vq->published = vq->added;
	vq->unsignalled = fph_ring_steps(vq->unsignalled, n);
	/* Descriptors and entries are there before the index says so. */
	fph_wmb();
	fph_ring_store(vq->driver, FPH_RING_IDX, published_idx(vq), vq->big);
	return FPH_OK;
}

int fph_vq_driver_should_notify(struct fph_vq_driver *vq)
{
	uint32_t steps;
	uint16_t v;
	int ret;

	ret = check_live(vq);
	if (ret < 0 || !vq->unsignalled)
		return ret;
	steps = vq->unsignalled;
	vq->unsignalled = 0;
	/* Our index is out before we look at what the device asks for. */
	fph_mb();
	if (!vq->event_idx) {
		v = fph_ring_load(vq->device, FPH_RING_FLAGS, vq->big);
		return !(v & FPH_RING_SILENT);
	}
	v = fph_ring_load(vq->device, fph_avail_event(vq->num), vq->big);
	return fph_ring_passed(v, published_idx(vq), steps);
}

/* ----------------------------------------------------------------- used -- */

/* Gives the descriptors of a buffer back to the list. */
static void release(struct fph_vq_driver *vq, uint32_t head)
{
	struct slot *slot = &vq->slots[head];

	vq->slots[slot->tail].next = vq->free;
	vq->free = (uint16_t)head;
	vq->nlinked += slot->ndesc;
	vq->inflight--;
	slot->ndesc = 0;
}

/* How many used buffers wait, as far as known; looks when none is known. */
static int look(struct fph_vq_driver *vq)
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

static int take(struct fph_vq_driver *vq, struct fph_used *used)
{
	const struct slot *slot;
	uint32_t entry[2];
	uint32_t id;

	fph_memcpy(entry, vq->device + fph_used_entry(vq->num, vq->used_idx),
		   sizeof(entry));
	fph_compiler_barrier();
	id = fph_ring32(entry[0], vq->big);
	if (id >= vq->nused)
		return FPH_PEER_USED_ID;
	slot = &vq->slots[id];
	if (!slot->ndesc || slot->serial >= vq->published)
		return FPH_PEER_USED_ID;
	used->cookie = slot->cookie;
	used->len = fph_ring32(entry[1], vq->big);
	release(vq, id);
	vq->used_idx++;
	return FPH_OK;
}

int fph_vq_driver_take_used(struct fph_vq_driver *vq, struct fph_used *used,
			    uint32_t n)
{
	int waiting;
	uint32_t i;
	int ret;

	ret = check_live(vq);
	if (ret < 0)
		return ret;
	if (!used || !n)
		return FPH_EINVAL;
	waiting = look(vq);
	if (waiting >= 0 && n > (uint32_t)waiting)
		n = (uint32_t)waiting;
	if (waiting < 0) {
		ret = waiting;
		n = 0;
	}
	for (i = 0; i < n; i++) {
		ret = take(vq, &used[i]);
		if (ret < 0)
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
	uint16_t wish;
	int ret;

	ret = check_live(vq);
	if (ret < 0)
		return ret;
	if (vq->event_idx) {
		/* Off: behind us, so it is 65536 buffers away. */
		wish = (uint16_t)(vq->used_idx - !on);
		fph_ring_store(vq->driver, fph_used_event(vq->num), wish,
			       vq->big);
	} else {
		wish = (uint16_t)(on ? 0 : FPH_RING_SILENT);
		fph_ring_store(vq->driver, FPH_RING_FLAGS, wish, vq->big);
	}
	if (!on)
		return 0;
	/* The wish is out before we look again, or a buffer goes unseen. */
	fph_mb();
	return fph_ring_load(vq->device, FPH_RING_IDX, vq->big) !=
	       vq->used_idx;
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
		struct slot *slot = &vq->slots[vq->scan];

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
	return check_live(vq) ? 0 : vq->nlinked + vq->num - vq->nused;
}

uint32_t fph_vq_driver_get_inflight(const struct fph_vq_driver *vq)
{
	return vq ? vq->inflight : 0;
}

bool fph_vq_driver_is_broken(const struct fph_vq_driver *vq)
{
	return !vq || vq->broken;
}
