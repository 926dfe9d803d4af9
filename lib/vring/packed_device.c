/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device side of a packed ring.
 *
 * A buffer is a list of descriptors behind each other, and its first one says
 * whether it is there; so each buffer has a barrier of its own.  Used
 * descriptors overwrite the ring in the order of use, and the first of a batch
 * is shown last.
 */
#include "vq_device.h"

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

/* --------------------------------------------------------------- buffers -- */

/* A buffer while it is read. */
struct list {
	struct fph_chain chain;
	uint32_t flags;			/* of the first descriptor */
	uint32_t room;			/* segments that chain has */
	uint32_t ndesc;			/* of the ring */
	uint32_t id;
};

/* Why a list does not fit: 0 where it is for want of the caller's room. */
static int check_room(const struct fph_vq_device *vq, const struct list *l,
		      uint32_t n)
{
	if (n > vq->num)
		return FPH_PEER_LONG_CHAIN;
	return n > l->room ? 0 : 1;
}

/* An indirect table is a list of its own.  1; 0 or FPH_PEER_*. */
static int read_table(const struct fph_vq_device *vq, struct list *l,
		      const struct fph_desc *d)
{
	uint32_t n = d->len / FPH_DESC_BYTES;
	const uint8_t *table;
	struct fph_desc e;
	int ret;

	if (!vq->map)
		return FPH_PEER_INDIRECT;
	if (!d->len || d->len % FPH_DESC_BYTES)
		return FPH_PEER_INDIRECT_LEN;
	ret = check_room(vq, l, n);
	if (ret <= 0)
		return ret;
	table = fph_map_table(vq, d->gpa, d->len);
	if (!table)
		return FPH_PEER_INDIRECT_ADDR;
	for (uint32_t i = 0; i < n; i++) {
		fph_desc_load(&e, table, i, vq->big);
		ret = fph_chain_add(&l->chain, &e, e.at14);
		if (ret < 0)
			return ret;
	}
	return 1;
}

/*
 * Reads the list at avail, whose first flags were read before a barrier.  1;
 * 0: the caller has no room; or FPH_PEER_*.
 */
FPH_INLINE int read_list(const struct fph_vq_device *vq, struct list *l,
			 bool big)
{
	struct fph_place p = vq->avail;
	uint32_t flags = l->flags;
	struct fph_desc d;
	int ret;

	for (;;) {
		fph_desc_load(&d, vq->desc, p.at, big);
		if (l->ndesc) {
			flags = d.at14;
			if (!fph_has_bits(flags, fph_avail_bits(p.wrap)))
				return FPH_PEER_NEXT;
		}
		l->ndesc++;
		if (flags & FPH_DESC_INDIRECT)
			break;
		ret = check_room(vq, l, l->ndesc);
		if (ret <= 0)
			return ret;
		ret = fph_chain_add(&l->chain, &d, flags);
		if (ret < 0)
			return ret;
		if (!(flags & FPH_DESC_NEXT)) {
			l->id = d.at12;
			return 1;
		}
		p = fph_place_add(p, 1, vq->num);
	}
	/* A list has descriptors of one kind. */
	if (l->ndesc > 1 || flags & FPH_DESC_NEXT)
		return FPH_PEER_INDIRECT_NEXT;
	l->id = d.at12;
	return read_table(vq, l, &d);
}

/*
 * A list as drivers mostly write it, in one direction and one lap: one compare
 * a descriptor checks its flags, another one its range.  Descriptors read; 0:
 * not so, which says nothing of what is wrong.  It costs 23 instructions a
 * descriptor instead of 58 (gcc 12, x86-64, lists of 32).
 */
static uint32_t read_usual(const struct fph_vq_device *vq, uint32_t flags,
			   struct fph_buffer *b, struct fph_seg *segs,
			   uint32_t room, uint32_t *id)
{
	const uint8_t *p = vq->desc + (size_t)vq->avail.at * FPH_DESC_BYTES;
	const uint32_t last = flags & ~FPH_DESC_NEXT;
	const uint32_t more = last | FPH_DESC_NEXT;
	const uint32_t write = flags / FPH_DESC_WRITE & 1;
	uint32_t most = vq->num - vq->avail.at;
	uint64_t total = 0;
	uint32_t n, word;

	if (FPH_HOST_BIG_ENDIAN || vq->big || flags & FPH_DESC_INDIRECT)
		return 0;
	if (most > room)
		most = room;
	if (most > vq->num - vq->busy)
		most = vq->num - vq->busy;
	for (n = 0; n < most; n++, p += FPH_DESC_BYTES) {
		uint64_t gpa;
		uint32_t len;

		fph_memcpy(&gpa, p, 8);
		fph_memcpy(&len, p + 8, 4);
		fph_memcpy(&word, p + 12, 4);
		/* What was checked is not read again. */
		fph_compiler_barrier();
		if (gpa + len <= gpa)
			return 0;
		segs[n].gpa = gpa;
		segs[n].len = len;
		segs[n].flags = write * FPH_SEG_WRITE;
		total += len;
		word = fph_ring32(word, false);
		if (word >> 16 != more)
			break;
	}
	if (n == most || word >> 16 != last || total > (uint64_t)1 << 32)
		return 0;
	n++;
	*id = word & 0xffff;
	b->nwrite = write * n;
	b->nread = n - b->nwrite;
	b->flags = 0;
	b->index = 0;
	b->reserved = 0;
	return n;
}

/* Any list.  Its descriptors in *ndesc.  1; 0: no room; or FPH_PEER_*. */
static int read_any(const struct fph_vq_device *vq, uint32_t flags,
		    struct fph_buffer *b, struct fph_seg *segs, uint32_t room,
		    uint32_t *ndesc, uint32_t *id)
{
	struct list l = { .chain = { .seg = segs }, .flags = flags,
			  .room = room };
	int ret = vq->big == FPH_HOST_BIG_ENDIAN ?
		  read_list(vq, &l, FPH_HOST_BIG_ENDIAN) :
		  read_list(vq, &l, !FPH_HOST_BIG_ENDIAN);

	if (ret <= 0)
		return ret;
	if (l.ndesc > vq->num - vq->busy)
		return FPH_PEER_INFLIGHT;
	*ndesc = l.ndesc;
	*id = l.id;
	ret = fph_chain_end(&l.chain, segs, b);
	return ret < 0 ? ret : 1;
}

/* Takes the buffer that is there.  1; 0: the caller has no room; an error. */
static int take(struct fph_vq_device *vq, uint32_t flags,
		struct fph_buffer *b, struct fph_seg *segs, uint32_t room)
{
	uint32_t place, id, ndesc;
	int ret;

	ndesc = read_usual(vq, flags, b, segs, room, &id);
	if (!ndesc) {
		ret = read_any(vq, flags, b, segs, room, &ndesc, &id);
		if (ret <= 0)
			return ret;
	}
	b->cookie = make_cookie(id, ndesc - 1);
	if (vq->held) {
		place = (vq->oldest + vq->inflight + vq->nheld) % vq->num;
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
