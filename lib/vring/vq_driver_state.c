/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of the driver side of a ring.
 *
 *	u32 entries
 *	u32 layout, as fph_ring_layout() has it
 *	u32 entries of an indirect table, or 0
 *	u64 guest address of the tables, or 0
 *	u32 FLAG_*
 *	u32 buffers that were ever added, that were ever published
 *	u32 descriptors published since should_notify
 *	split:
 *		u16 used index, where the device was last seen
 *	packed:
 *		u16 place that the device uses next, with the wrap counter in
 *		    bit 15; u16 flags of the first descriptor that is hidden
 *	in order, only with FLAG_IN_BATCH:
 *		u16 slot of the last buffer of the batch, u32 its length
 *	u32 slots that are free and were used before; each, as they are taken:
 *		u16 slot
 *	u32 buffers in flight; each, by slot, or by age if they are in order and
 *	    none was detached:
 *		u16 slot, u16 descriptors, u32 buffers that were added since,
 *		    with it, u64 cookie
 *		split: u16 each further slot
 *		in order: u32 bytes that can be written
 *
 * Everything else follows from these.
 */
#include "core/state.h"
#include "driver.h"

#define VERSION			1u

#define FLAG_BROKEN		1u
#define FLAG_DEAD		2u
#define FLAG_IN_BATCH		4u
#define FLAGS			7u

#define UNSEEN			0xffffu	/* ndesc of a slot, while loading */

static uint32_t get_layout(const struct fph_vq_driver *vq)
{
	return fph_ring_layout(vq->big, vq->event_idx, vq->tables, vq->packed,
			       vq->in_order);
}

/* ------------------------------------------------------------------ save -- */

static void save_buffer(const struct fph_vq_driver *vq, uint32_t slot,
			struct fph_state_writer *w)
{
	const struct fph_driver_slot *s = &vq->slots[slot];

	fph_state_put16(w, (uint16_t)slot);
	fph_state_put16(w, s->ndesc);
	fph_state_put32(w, vq->added - s->serial);
	fph_state_put64(w, s->cookie);
	for (uint32_t i = 1; !vq->packed && i < s->ndesc; i++) {
		slot = vq->slots[slot].next;
		fph_state_put16(w, (uint16_t)slot);
	}
	if (vq->in_order)
		fph_state_put32(w, s->writable);
}

static void save_buffers(const struct fph_vq_driver *vq,
			 struct fph_state_writer *w)
{
	uint32_t slot = vq->oldest;

	fph_state_put32(w, vq->inflight);
	if (vq->in_order && !vq->dead) {
		for (uint32_t n = vq->inflight; n; n--) {
			save_buffer(vq, slot, w);
			slot = vq->slots[slot].newer;
		}
		return;
	}
	for (slot = 0; slot < vq->nused; slot++) {
		if (vq->slots[slot].ndesc)
			save_buffer(vq, slot, w);
	}
}

int fph_vq_driver_save(const struct fph_vq_driver *vq, void *buf, size_t size,
		       size_t *needed)
{
	struct fph_state_writer w;
	uint32_t slot;

	if (!vq)
		return FPH_EUNINIT;
	if (!needed)
		return FPH_EINVAL;
	fph_state_begin(&w, buf, size);
	fph_state_put32(&w, vq->num);
	fph_state_put32(&w, get_layout(vq));
	fph_state_put32(&w, vq->table_entries);
	fph_state_put64(&w, vq->tables_gpa);
	fph_state_put32(&w, (vq->broken ? FLAG_BROKEN : 0) |
			    (vq->dead ? FLAG_DEAD : 0) |
			    (vq->in_batch ? FLAG_IN_BATCH : 0));
	fph_state_put32(&w, vq->added);
	fph_state_put32(&w, vq->published);
	fph_state_put32(&w, vq->unsignalled);
	if (vq->packed) {
		fph_state_put16(&w, fph_place_word(vq->used));
		fph_state_put16(&w, vq->hidden ? vq->hidden_flags : 0);
	} else {
		fph_state_put16(&w, vq->used_idx);
		fph_state_put16(&w, vq->shadow);
	}
	if (vq->in_batch) {
		fph_state_put16(&w, vq->batch_last);
		fph_state_put32(&w, vq->batch_len);
	}
	fph_state_put32(&w, vq->nlinked);
	slot = vq->free;
	for (uint32_t n = vq->nlinked; n; n--) {
		fph_state_put16(&w, (uint16_t)slot);
		slot = vq->slots[slot].next;
	}
	save_buffers(vq, &w);
	return fph_state_end(&w, FPH_STATE_VQ_DRIVER, VERSION, needed);
}

/* ------------------------------------------------------------------ load -- */

/* What is read, and what was counted on the way. */
struct loaded {
	uint32_t flags, added, published, unsignalled;
	uint16_t first, second;		/* split: indices; packed: place, flags */
	uint16_t batch_last;
	uint32_t batch_len;
	uint32_t nlinked, inflight;
	uint16_t free, last_free, oldest, newest;
	uint32_t nused;			/* slots that were seen */
	uint32_t ndesc;			/* of all buffers */
	uint32_t hidden;		/* of those that are not published */
	uint32_t unpublished;		/* buffers */
	bool has_last;			/* the batch's last one is out */
};

/* A slot that nothing else has; num: it is none. */
static uint32_t take_slot(struct fph_vq_driver *vq, struct fph_state_reader *r,
			  struct loaded *l)
{
	uint32_t slot = fph_state_get16(r);

	if (slot >= vq->num || vq->slots[slot].ndesc != UNSEEN)
		return vq->num;
	vq->slots[slot].ndesc = 0;
	l->nused++;
	return slot;
}

static bool load_free(struct fph_vq_driver *vq, struct fph_state_reader *r,
		      struct loaded *l)
{
	uint32_t slot, before = vq->num;

	l->nlinked = fph_state_get32(r);
	if (l->nlinked > vq->num)
		return false;
	for (uint32_t i = 0; i < l->nlinked; i++) {
		slot = take_slot(vq, r, l);
		if (slot == vq->num)
			return false;
		if (before == vq->num)
			l->free = (uint16_t)slot;
		else
			vq->slots[before].next = (uint16_t)slot;
		before = slot;
	}
	l->last_free = (uint16_t)before;
	return true;
}

/* The further slots of a buffer, of a split ring. */
static bool load_rest(struct fph_vq_driver *vq, struct fph_state_reader *r,
		      struct loaded *l, uint32_t head)
{
	uint32_t at = head, slot;

	for (uint32_t i = 1; i < vq->slots[head].ndesc; i++) {
		slot = take_slot(vq, r, l);
		if (slot == vq->num)
			return false;
		vq->slots[at].next = (uint16_t)slot;
		at = slot;
	}
	vq->slots[head].tail = (uint16_t)at;
	return true;
}

/* detach takes them by slot. */
static bool is_ordered(const struct fph_vq_driver *vq, const struct loaded *l)
{
	return vq->in_order && !(l->flags & FLAG_DEAD);
}

/* *age: buffers added since; in order they get fewer. */
static bool load_buffer(struct fph_vq_driver *vq, struct fph_state_reader *r,
			struct loaded *l, uint32_t *age)
{
	uint32_t slot = take_slot(vq, r, l), before = *age;
	uint32_t ndesc = fph_state_get16(r);
	struct fph_driver_slot *s;

	*age = fph_state_get32(r);
	if (slot == vq->num || !ndesc || ndesc > vq->num - l->ndesc ||
	    !*age || *age > 1u << 31 || (is_ordered(vq, l) && *age >= before))
		return false;
	s = &vq->slots[slot];
	s->ndesc = (uint16_t)ndesc;
	s->serial = l->added - *age;
	s->cookie = fph_state_get64(r);
	l->ndesc += ndesc;
	if (*age <= l->added - l->published) {
		l->unpublished++;
		l->hidden += ndesc;
	} else if (slot == l->batch_last) {
		l->has_last = true;
	}
	if (!vq->packed && !load_rest(vq, r, l, slot))
		return false;
	if (!vq->in_order)
		return true;
	s->writable = fph_state_get32(r);
	if (!is_ordered(vq, l))
		return true;
	if (before > 1u << 31)
		l->oldest = (uint16_t)slot;
	else
		vq->slots[l->newest].newer = (uint16_t)slot;
	l->newest = (uint16_t)slot;
	return true;
}

static bool load_slots(struct fph_vq_driver *vq, struct fph_state_reader *r,
		       struct loaded *l)
{
	uint32_t age = ~(uint32_t)0;

	for (uint32_t i = 0; i < vq->num; i++)
		vq->slots[i].ndesc = UNSEEN;
	if (!load_free(vq, r, l))
		return false;
	l->inflight = fph_state_get32(r);
	if (l->inflight > vq->num)
		return false;
	for (uint32_t i = 0; i < l->inflight; i++) {
		if (!load_buffer(vq, r, l, &age))
			return false;
	}
	return true;
}

/* Slots that follow each other from one on, in the ring's order; the next. */
static bool follow(const struct fph_vq_driver *vq, uint32_t slot, uint32_t n,
		   uint32_t *at)
{
	for (; n; n--) {
		if (slot != *at)
			return false;
		*at = (*at + 1) & (vq->num - 1);
		slot = vq->slots[slot].next;
	}
	return true;
}

/* Whether all slots are in turn: those of the oldest first, the free ones last. */
static bool is_in_turn(const struct fph_vq_driver *vq, const struct loaded *l)
{
	uint32_t slot = l->oldest, at = l->inflight ? l->oldest : l->free;

	for (uint32_t n = l->inflight; n; n--) {
		if (!follow(vq, slot, vq->slots[slot].ndesc, &at))
			return false;
		slot = vq->slots[slot].newer;
	}
	return follow(vq, l->free, l->nlinked, &at) &&
	       (!l->nused || l->nused == vq->num);
}

/* What a ring can be, whatever the device wrote. */
static bool is_ring(const struct fph_vq_driver *vq, const struct loaded *l)
{
	uint32_t out = l->inflight - l->unpublished;

	if (l->flags > FLAGS || l->unsignalled > FPH_RING_ROUND ||
	    (vq->packed && (l->first & 0x7fffu) >= vq->num))
		return false;
	if (l->flags & FLAG_DEAD)
		return true;
	/* Slots are used from the front on. */
	for (uint32_t i = 0; i < l->nused; i++) {
		if (vq->slots[i].ndesc == UNSEEN)
			return false;
	}
	if (!vq->packed && vq->in_order && !is_in_turn(vq, l))
		return false;
	if (l->unpublished != l->added - l->published ||
	    ((l->flags & FLAG_IN_BATCH) && !l->has_last))
		return false;
	return vq->packed ||
	       ((uint16_t)(l->published - l->first) == out &&
		(uint16_t)(l->second - l->first) <= out);
}

/* What was detached is in no list: all that is left is to detach the rest. */
static void forget_slots(struct fph_vq_driver *vq)
{
	for (uint32_t i = 0; i < vq->num; i++) {
		if (vq->slots[i].ndesc == UNSEEN)
			vq->slots[i].ndesc = 0;
	}
	vq->nused = vq->num;
}

static void commit(struct fph_vq_driver *vq, const struct loaded *l)
{
	struct fph_place first;

	vq->added = l->added;
	vq->published = l->published;
	vq->nlinked = l->nlinked;
	vq->nused = l->nused;
	vq->inflight = l->inflight;
	vq->unsignalled = l->unsignalled;
	vq->free = l->free;
	vq->last_free = l->last_free;
	vq->broken = l->flags & FLAG_BROKEN;
	vq->dead = l->flags & FLAG_DEAD;
	vq->in_batch = l->flags & FLAG_IN_BATCH;
	vq->oldest = l->oldest;
	vq->newest = l->newest;
	vq->batch_last = l->batch_last;
	vq->batch_len = l->batch_len;
	if (vq->dead)
		forget_slots(vq);
	if (!vq->packed) {
		vq->used_idx = l->first;
		vq->shadow = l->second;
		return;
	}
	vq->used = fph_place_of(l->first);
	vq->busy = l->ndesc;
	vq->avail = fph_place_add(vq->used, l->ndesc, vq->num);
	first = fph_place_add(vq->used, l->ndesc - l->hidden, vq->num);
	vq->hidden = l->hidden;
	vq->hidden_at = (uint16_t)first.at;
	vq->hidden_flags = l->second;
}

int fph_vq_driver_load(struct fph_vq_driver *vq, const void *buf, size_t size)
{
	struct loaded l = { .flags = 0 };
	struct fph_state_reader r;
	uint32_t num, layout, entries;
	uint64_t gpa;
	int ret;

	if (!vq)
		return FPH_EUNINIT;
	if (!buf)
		return FPH_EINVAL;
	if (vq->added || vq->nused || vq->dead)
		return FPH_EBUSY;
	ret = fph_state_open(&r, buf, size, FPH_STATE_VQ_DRIVER, VERSION);
	if (ret != FPH_OK)
		return ret;
	num = fph_state_get32(&r);
	layout = fph_state_get32(&r);
	entries = fph_state_get32(&r);
	gpa = fph_state_get64(&r);
	if (num != vq->num || layout != get_layout(vq) ||
	    entries != vq->table_entries || gpa != vq->tables_gpa)
		return FPH_EREFUSED;
	l.flags = fph_state_get32(&r);
	l.added = fph_state_get32(&r);
	l.published = fph_state_get32(&r);
	l.unsignalled = fph_state_get32(&r);
	l.first = fph_state_get16(&r);
	l.second = fph_state_get16(&r);
	l.batch_last = UNSEEN;
	if (vq->in_order && (l.flags & FLAG_IN_BATCH)) {
		l.batch_last = fph_state_get16(&r);
		l.batch_len = fph_state_get32(&r);
	}
	if (!load_slots(vq, &r, &l) || !is_ring(vq, &l) ||
	    !fph_state_is_done(&r))
		return FPH_ECORRUPT;
	commit(vq, &l);
	return FPH_OK;
}
