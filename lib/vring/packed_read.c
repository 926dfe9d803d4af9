/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A buffer of a packed ring: reading and checking its list of descriptors. */
#include "device.h"

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
static int read_list(const struct fph_vq_device *vq, struct list *l)
{
	struct fph_place p = vq->avail;
	uint32_t flags = l->flags;
	struct fph_desc d;
	int ret;

	for (;;) {
		fph_desc_load(&d, vq->desc, p.at, vq->big);
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

		fph_dma_in(p, FPH_DESC_BYTES);
		fph_memcpy(&gpa, p, 8);
		fph_memcpy(&len, p + 8, 4);
		fph_memcpy(&word, p + 12, 4);
		/* What was checked is not read again. */
		fph_compiler_barrier();
		gpa = fph_dma_gpa(gpa);
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

/* Any list. */
static int read_any(const struct fph_vq_device *vq, uint32_t flags,
		    struct fph_buffer *b, struct fph_seg *segs, uint32_t room,
		    uint32_t *ndesc, uint32_t *id)
{
	struct list l = { .chain = { .seg = segs }, .flags = flags,
			  .room = room };
	int ret = read_list(vq, &l);

	if (ret <= 0)
		return ret;
	if (l.ndesc > vq->num - vq->busy)
		return FPH_PEER_INFLIGHT;
	*ndesc = l.ndesc;
	*id = l.id;
	ret = fph_chain_end(&l.chain, segs, b);
	return ret < 0 ? ret : 1;
}

int fph_packed_read(const struct fph_vq_device *vq, uint32_t flags,
		    struct fph_buffer *b, struct fph_seg *segs, uint32_t room,
		    uint32_t *ndesc, uint32_t *id)
{
	*ndesc = read_usual(vq, flags, b, segs, room, id);
	return *ndesc ? 1 : read_any(vq, flags, b, segs, room, ndesc, id);
}
