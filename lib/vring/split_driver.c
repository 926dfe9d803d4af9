/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Split ring, driver side.
 *
 * Nothing that decides what is free or in flight is kept in ring memory,
 * where the device could change it: the lists run through the slots.  While a
 * buffer is in flight, next of its slots leads from its head to its tail; next
 * of the tail leads to the head added after it, until submit.
 *
 *   slot: free -add-> added -submit-> with the device -next-> free
 *
 * Order of accesses: descriptors and avail entries before avail.idx (wmb),
 * used.idx before the entries behind it (rmb), and our own index or wish
 * before the other side's (mb).
 */
#include "split.h"

#define SPLIT_DRIVER_MAGIC	0x72644456u

enum slot_state {
	SLOT_FREE,
	SLOT_ADDED,
	SLOT_DEVICE
};

static bool is_valid(const struct fph_split_driver *vq)
{
	return vq && vq->magic == SPLIT_DRIVER_MAGIC;
}

static int check_live(const struct fph_split_driver *vq)
{
	if (!is_valid(vq))
		return FPH_EUNINIT;
	if (vq->dead)
		return FPH_ESTATE;
	return vq->broken ? FPH_PEER_BROKEN : FPH_OK;
}

int fph_split_driver_init(struct fph_split_driver *vq,
			  const struct fph_split_driver_params *p)
{
	if (!vq || !p || !fph_params_fit(p, p->size, sizeof(*p)))
		return FPH_EINVAL;
	if (!fph_ring_fits(p->num, p->endian, p->desc, p->avail, p->used))
		return FPH_EINVAL;
	if (!p->slots)
		return FPH_EINVAL;

	fph_memset(vq, 0, sizeof(*vq));
	vq->num = p->num;
	vq->nfree = p->num;
	vq->kicked_valid = true;
	vq->event_idx = p->event_idx;
	vq->indirect = p->indirect;
	vq->big = p->endian == FPH_BE;
	vq->desc = p->desc;
	vq->avail = p->avail;
	vq->used = p->used;
	vq->slots = p->slots;
	fph_memset(vq->slots, 0, sizeof(*vq->slots) * p->num);
	for (uint32_t i = 0; i + 1 < p->num; i++)
		vq->slots[i].next = (uint16_t)(i + 1);
	fph_memset(vq->desc, 0, FPH_SPLIT_DESC_SIZE(p->num));
	fph_memset(vq->avail, 0, FPH_SPLIT_AVAIL_SIZE(p->num));
	fph_memset(vq->used, 0, FPH_SPLIT_USED_SIZE(p->num));
	vq->magic = SPLIT_DRIVER_MAGIC;
	return FPH_OK;
}

/* What the specification asks of a chain, wherever its descriptors stand. */
static bool is_chain(const struct fph_seg *segs, uint32_t nseg)
{
	uint64_t total = 0;
	uint32_t dir = 0;

	for (uint32_t i = 0; i < nseg; i++) {
		const struct fph_seg *s = &segs[i];

		if (!s->len || fph_wraps(s->gpa, s->len))
			return false;
		if (s->flags & ~FPH_SEG_WRITE || s->flags < dir)
			return false;
		dir = s->flags;
		total += s->len;
	}
	return total <= (uint64_t)1 << 32;
}

static bool is_table(const struct fph_split_driver *vq,
		     const struct fph_split_table *t, uint32_t nseg)
{
	return vq->indirect && t->addr && t->entries >= nseg &&
	       !fph_wraps(t->gpa, nseg * FPH_DESC_BYTES);
}

static uint16_t desc_flags(const struct fph_seg *seg, bool more)
{
	return (uint16_t)((seg->flags ? FPH_DESC_WRITE : 0) |
			  (more ? FPH_DESC_NEXT : 0));
}

/* The entries of a table follow each other. */
static void fill_table(const struct fph_split_table *t,
		       const struct fph_seg *segs, uint32_t nseg, bool big)
{
	for (uint32_t i = 0; i < nseg; i++) {
		bool more = i + 1 < nseg;
		struct fph_desc d = {
			.gpa = segs[i].gpa,
			.len = segs[i].len,
			.flags = desc_flags(&segs[i], more),
			.next = more ? (uint16_t)(i + 1) : 0,
		};

		fph_desc_store(&d, t->addr, i, big);
	}
}

static void place_indirect(struct fph_split_driver *vq,
			   const struct fph_split_table *t, uint32_t nseg)
{
	struct fph_desc d = {
		.gpa = t->gpa,
		.len = nseg * FPH_DESC_BYTES,
		.flags = FPH_DESC_INDIRECT,
	};
	uint16_t head = vq->free_head;

	fph_desc_store(&d, vq->desc, head, vq->big);
	vq->slots[head].tail = head;
	vq->free_head = vq->slots[head].next;
}

/* Takes the first nseg free descriptors, in the order of the free list. */
static void place_direct(struct fph_split_driver *vq,
			 const struct fph_seg *segs, uint32_t nseg)
{
	uint16_t head = vq->free_head;
	uint16_t at = head;
	uint16_t tail = head;

	for (uint32_t i = 0; i < nseg; i++) {
		bool more = i + 1 < nseg;
		struct fph_desc d = {
			.gpa = segs[i].gpa,
			.len = segs[i].len,
			.flags = desc_flags(&segs[i], more),
			.next = more ? vq->slots[at].next : 0,
		};

		fph_desc_store(&d, vq->desc, at, vq->big);
		tail = at;
		at = vq->slots[at].next;
	}
	vq->slots[head].tail = tail;
	vq->free_head = at;
}

/* Behind the buffers that wait for submit. */
static void append(struct fph_split_driver *vq, uint16_t head)
{
	if (vq->nadded)
		vq->slots[vq->added_tail].next = head;
	else
		vq->added_head = head;
	vq->added_tail = vq->slots[head].tail;
	vq->nadded++;
	fph_ring_store(vq->avail, fph_avail_entry(vq->num, vq->avail_idx),
		       head, vq->big);
	vq->avail_idx++;
}

int fph_split_driver_add(struct fph_split_driver *vq,
			 const struct fph_seg *segs, uint32_t nseg,
			 uint64_t cookie, const struct fph_split_table *table)
{
	uint32_t ndesc = table ? 1 : nseg;
	struct fph_split_slot *slot;
	uint16_t head;
	int ret;

	ret = check_live(vq);
	if (ret < 0)
		return ret;
	if (!segs || !nseg || nseg > vq->num || !is_chain(segs, nseg))
		return FPH_EINVAL;
	if (table && !is_table(vq, table, nseg))
		return FPH_EINVAL;
	if (ndesc > vq->nfree)
		return FPH_EFULL;

	head = vq->free_head;
	if (table) {
		fill_table(table, segs, nseg, vq->big);
		place_indirect(vq, table, nseg);
	} else {
		place_direct(vq, segs, nseg);
	}
	slot = &vq->slots[head];
	slot->cookie = cookie;
	slot->ndesc = (uint16_t)ndesc;
	slot->state = SLOT_ADDED;
	vq->nfree = (uint16_t)(vq->nfree - ndesc);
	vq->inflight++;
	append(vq, head);
	return FPH_OK;
}

int fph_split_driver_submit(struct fph_split_driver *vq)
{
	uint16_t head;
	int ret;

	ret = check_live(vq);
	if (ret < 0 || !vq->nadded)
		return ret;
	/* Further than last time all the way round: kicked means nothing. */
	if ((uint16_t)(vq->avail_idx - vq->kicked) < vq->nadded)
		vq->kicked_valid = false;
	for (head = vq->added_head; vq->nadded; vq->nadded--) {
		vq->slots[head].state = SLOT_DEVICE;
		head = vq->slots[vq->slots[head].tail].next;
	}
	/* Descriptors and entries are there before the index says so. */
	fph_wmb();
	vq->submitted = vq->avail_idx;
	fph_ring_store(vq->avail, FPH_RING_IDX, vq->submitted, vq->big);
	return FPH_OK;
}

static bool wants_kick(const struct fph_split_driver *vq)
{
	uint16_t v;

	/* avail.idx is out before we look at what the device asks for. */
	fph_mb();
	if (!vq->event_idx) {
		v = fph_ring_load(vq->used, FPH_RING_FLAGS, vq->big);
		return !(v & FPH_RING_SILENT);
	}
	if (!vq->kicked_valid)
		return true;
	v = fph_ring_load(vq->used, fph_avail_event(vq->num), vq->big);
	return fph_ring_passed(v, vq->submitted, vq->kicked);
}

int fph_split_driver_get_notify(struct fph_split_driver *vq)
{
	int ret;

	ret = check_live(vq);
	if (ret < 0)
		return ret;
	if (vq->kicked_valid && vq->submitted == vq->kicked)
		return 0;
	ret = wants_kick(vq);
	vq->kicked = vq->submitted;
	vq->kicked_valid = true;
	return ret;
}

/* Gives the descriptors of a buffer back to the free list. */
static void release(struct fph_split_driver *vq, uint16_t head)
{
	struct fph_split_slot *slot = &vq->slots[head];

	vq->slots[slot->tail].next = vq->free_head;
	vq->free_head = head;
	vq->nfree = (uint16_t)(vq->nfree + slot->ndesc);
	vq->inflight--;
	slot->state = SLOT_FREE;
}

/* 1: used buffers wait; 0: none does. */
static int look(struct fph_split_driver *vq)
{
	uint16_t idx;

	if (vq->shadow != vq->used_idx)
		return 1;
	idx = fph_ring_load(vq->used, FPH_RING_IDX, vq->big);
	if (idx == vq->used_idx)
		return 0;
	if ((uint16_t)(idx - vq->used_idx) >
	    (uint16_t)(vq->submitted - vq->used_idx))
		return FPH_PEER_USED_INDEX;
	vq->shadow = idx;
	/* The entries behind idx are read after it. */
	fph_rmb();
	return 1;
}

static int take(struct fph_split_driver *vq, struct fph_used *used)
{
	uint32_t entry[2];
	uint32_t id;
	int ret;

	ret = look(vq);
	if (ret <= 0)
		return ret;
	fph_memcpy(entry, (const uint8_t *)vq->used +
		   fph_used_entry(vq->num, vq->used_idx), sizeof(entry));
	fph_compiler_barrier();
	id = fph_ring32(entry[0], vq->big);
	if (id >= vq->num || vq->slots[id].state != SLOT_DEVICE)
		return FPH_PEER_USED_ID;
	used->cookie = vq->slots[id].cookie;
	used->len = fph_ring32(entry[1], vq->big);
	release(vq, (uint16_t)id);
	vq->used_idx++;
	return 1;
}

int fph_split_driver_next(struct fph_split_driver *vq, struct fph_used *used)
{
	int ret;

	ret = check_live(vq);
	if (ret < 0)
		return ret;
	if (!used)
		return FPH_EINVAL;
	ret = take(vq, used);
	if (ret < 0)
		vq->broken = true;
	return ret;
}

int fph_split_driver_arm(struct fph_split_driver *vq, bool on)
{
	uint16_t wish;
	int ret;

	ret = check_live(vq);
	if (ret < 0)
		return ret;
	if (vq->event_idx) {
		/* Off: behind us, so it is 65536 buffers away. */
		wish = (uint16_t)(vq->used_idx - !on);
		fph_ring_store(vq->avail, fph_used_event(vq->num), wish,
			       vq->big);
	} else {
		wish = (uint16_t)(on ? 0 : FPH_RING_SILENT);
		fph_ring_store(vq->avail, FPH_RING_FLAGS, wish, vq->big);
	}
	if (!on)
		return 0;
	/* The wish is out before we look again, or a buffer goes unseen. */
	fph_mb();
	return fph_ring_load(vq->used, FPH_RING_IDX, vq->big) !=
	       vq->used_idx;
}

int fph_split_driver_abort(struct fph_split_driver *vq, struct fph_used *used)
{
	struct fph_split_slot *slot;

	if (!is_valid(vq))
		return FPH_EUNINIT;
	if (!used)
		return FPH_EINVAL;
	vq->dead = true;
	if (!vq->inflight)
		return 0;
	/* Only heads have a state, and one of them at least is ahead. */
	for (slot = &vq->slots[vq->scan]; slot->state == SLOT_FREE; slot++)
		vq->scan++;
	used->cookie = slot->cookie;
	used->len = 0;
	slot->state = SLOT_FREE;
	vq->inflight--;
	return 1;
}

uint16_t fph_split_driver_get_free(const struct fph_split_driver *vq)
{
	return check_live(vq) ? 0 : vq->nfree;
}

uint16_t fph_split_driver_get_inflight(const struct fph_split_driver *vq)
{
	return is_valid(vq) ? vq->inflight : 0;
}

bool fph_split_driver_is_broken(const struct fph_split_driver *vq)
{
	return !is_valid(vq) || vq->broken;
}
