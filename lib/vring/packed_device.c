/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device side of a packed ring.
 *
 * A buffer is a list of descriptors behind each other, and its first one says
 * whether it is there; so each buffer has a barrier of its own.  Used
 * descriptors overwrite the ring in the order of use, and the first of a batch
 * is shown last.
 */
#include "device.h"

#define COOKIE		0x80000000u

/* A cookie that is never 0: the buffer's id, and a word of 15 bits. */
static uint64_t make_cookie(uint32_t id, uint32_t word)
{
	return COOKIE | word << 16 | id;
}

static uint32_t cookie_id(uint64_t cookie)
{
	return (uint16_t)cookie;
}

static uint32_t cookie_word(uint64_t cookie)
{
	return (uint32_t)(cookie >> 16) & 0x7fff;
}

/* ----------------------------------------------------------------- state -- */

/* Descriptors between two places, or more than num: they do not fit. */
static uint32_t count_between(struct fph_place from, struct fph_place to,
			      uint32_t num)
{
	uint32_t n = to.wrap == from.wrap ? 0u : num;

	return n + to.at - from.at;
}

bool fph_packed_is_base(uint32_t base, uint32_t num)
{
	struct fph_place avail = fph_place_of(base);
	struct fph_place used = fph_place_of(base >> 16);

	return avail.at < num && used.at < num &&
	       count_between(used, avail, num) <= num;
}

void fph_packed_start(struct fph_vq_device *vq, uint32_t base)
{
	vq->avail = fph_place_of(base);
	vq->used = fph_place_of(base >> 16);
	vq->busy = count_between(vq->used, vq->avail, vq->num);
}

uint32_t fph_packed_get_base(const struct fph_vq_device *vq)
{
	return fph_place_word(vq->avail) |
	       (uint32_t)fph_place_word(vq->used) << 16;
}

/* The only one in flight is where the next is used. */
uint32_t fph_packed_get_base_of(const struct fph_vq_device *vq)
{
	return fph_place_word(vq->used) |
	       (uint32_t)fph_place_word(vq->used) << 16;
}

/* ------------------------------------------------------------- available -- */

/* Takes the buffer that is there.  1; 0: the caller has no room; an error. */
static int take(struct fph_vq_device *vq, uint32_t flags,
		struct fph_buffer *b, struct fph_seg *segs, uint32_t room)
{
	uint32_t place, id, ndesc;
	int ret;

	ret = fph_packed_read(vq, flags, b, segs, room, &ndesc, &id);
	if (ret <= 0)
		return ret;
	b->cookie = make_cookie(id, ndesc - 1);
	if (vq->held) {
		place = vq->oldest + vq->inflight + vq->nheld;
		if (place >= vq->num)
			place -= vq->num;
		fph_hold(vq, place, id, ndesc);
		b->cookie = make_cookie(id, place);
	}
	vq->avail = fph_place_add(vq->avail, ndesc, vq->num);
	vq->busy += ndesc;
	vq->inflight++;
	return 1;
}

static uint16_t load_flags(const struct fph_vq_device *vq,
			   struct fph_place p)
{
	return fph_ring_load(vq->desc, fph_flags_at(p.at), vq->big);
}

int fph_packed_pop(struct fph_vq_device *vq, struct fph_buffer *buffers,
		   uint32_t n, struct fph_seg *segs, uint32_t nsegs)
{
	uint32_t i, used;
	int ret = 0;

	for (i = 0; i < n; i++) {
		uint16_t flags = load_flags(vq, vq->avail);

		if (!fph_has_bits(flags, fph_avail_bits(vq->avail.wrap)))
			break;
		/* The rest of it is read after its flags. */
		fph_rmb();
		ret = take(vq, flags, &buffers[i], segs, nsegs);
		if (ret <= 0)
			break;
		used = buffers[i].nread + buffers[i].nwrite;
		segs += used;
		nsegs -= used;
	}
	return i ? (int)i : ret;
}

/* ------------------------------------------------------------------ used -- */

/* A batch while it is written: what shows it comes last. */
struct batch {
	struct fph_place next;
	uint32_t flags;			/* of the first */
	uint32_t ndesc;
};

static void put(struct fph_vq_device *vq, struct batch *b, uint32_t id,
		uint32_t len, uint32_t ndesc)
{
	uint8_t *p = vq->desc + (size_t)b->next.at * FPH_DESC_BYTES;
	uint32_t flags = fph_used_bits(b->next.wrap) |
			 (len ? FPH_DESC_WRITE : 0);
	uint32_t v = fph_ring32(len, vq->big);
	uint16_t w = fph_ring16((uint16_t)id, vq->big);

	fph_memcpy(p + 8, &v, 4);
	fph_memcpy(p + 12, &w, 2);
	fph_dma_out(p + 8, 6);
	if (b->ndesc)
		fph_ring_store(vq->desc, fph_flags_at(b->next.at),
			       (uint16_t)flags, vq->big);
	else
		b->flags = flags;
	b->next = fph_place_add(b->next, ndesc, vq->num);
	b->ndesc += ndesc;
}

static void publish(struct fph_vq_device *vq, const struct batch *b)
{
	if (!b->ndesc)
		return;
	/* All of the batch is there before its first flags say so. */
	fph_wmb();
	fph_ring_store(vq->desc, fph_flags_at(vq->used.at), (uint16_t)b->flags,
		       vq->big);
	vq->used = b->next;
	vq->busy -= b->ndesc;
	vq->unsignalled = fph_ring_steps(vq->unsignalled, b->ndesc);
	vq->unmarked = fph_ring_steps(vq->unmarked, b->ndesc);
}

/* Uses those whose turn has come. */
static void use_turns(struct fph_vq_device *vq)
{
	struct batch b = { .next = vq->used };
	const struct fph_held *h;
	uint32_t n = 0;

	for (; (h = fph_get_turn(vq, n)); n++)
		put(vq, &b, h->id, h->len,
		    (h->info & ~FPH_HELD_DONE & 0xffffu) + 1);
	publish(vq, &b);
	fph_end_turns(vq, n);
}

static bool is_cookie(const struct fph_vq_device *vq, uint64_t cookie)
{
	return cookie >> 31 == 1 && cookie_word(cookie) < vq->num;
}

static uint32_t push_in_order(struct fph_vq_device *vq,
			      const struct fph_used *used, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n && is_cookie(vq, used[i].cookie); i++) {
		if (!fph_hold_done(vq, cookie_word(used[i].cookie),
				   cookie_id(used[i].cookie), used[i].len))
			break;
	}
	use_turns(vq);
	return i;
}

uint32_t fph_packed_push(struct fph_vq_device *vq, const struct fph_used *used,
			 uint32_t n)
{
	struct batch b = { .next = vq->used };
	uint32_t i;

	if (vq->held)
		return push_in_order(vq, used, n);
	for (i = 0; i < n && is_cookie(vq, used[i].cookie); i++) {
		uint32_t ndesc = cookie_word(used[i].cookie) + 1;

		if (ndesc > vq->busy - b.ndesc)
			break;
		put(vq, &b, cookie_id(used[i].cookie), used[i].len, ndesc);
	}
	publish(vq, &b);
	vq->inflight -= i;
	return i;
}

/* --------------------------------------------------------- notifications -- */

bool fph_packed_is_wanted(const struct fph_vq_device *vq, uint32_t steps)
{
	return fph_event_wants(vq->driver, vq->used, steps, vq->num, vq->big);
}

void fph_packed_ask(struct fph_vq_device *vq, bool on)
{
	fph_event_ask(vq->device, vq->avail, on, vq->event_idx, vq->big);
	vq->wrote_event = true;
}

bool fph_packed_is_waiting(const struct fph_vq_device *vq)
{
	return fph_has_bits(load_flags(vq, vq->avail),
			    fph_avail_bits(vq->avail.wrap));
}

int fph_packed_get_written(const struct fph_vq_device *vq,
			   struct fph_span *spans)
{
	uint32_t count = vq->unmarked < vq->num ? vq->unmarked : vq->num;
	uint32_t first = vq->used.at >= count ? vq->used.at - count :
			 vq->used.at + vq->num - count;
	uint32_t part = vq->num - first < count ? vq->num - first : count;
	int n = 0;

	if (part)
		n = fph_add_span(spans, n, vq->desc + first * FPH_DESC_BYTES,
				 (size_t)part * FPH_DESC_BYTES);
	if (count > part)
		n = fph_add_span(spans, n, vq->desc,
				 (size_t)(count - part) * FPH_DESC_BYTES);
	if (vq->wrote_event)
		n = fph_add_span(spans, n, vq->device, FPH_EVENT_BYTES);
	return n;
}
