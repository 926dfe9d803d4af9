/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One buffer out of a split ring, into the caller's segments.
 *
 * Drivers mostly write a chain into neighbouring descriptors, all of them in
 * one direction.  read_run() expects that, and two compares a descriptor then
 * check all of the rules: one of flags and next with what they should be, one
 * for an empty range and one that wraps.  Whatever it does not expect it
 * leaves to read_chain(), which begins the buffer again and alone says what is
 * wrong.
 */
#include "device.h"

/* ----------------------------------------------------------- the usual -- */

/* Flags and next as they stand behind each other in a descriptor. */
struct desc_word {
	uint64_t gpa;
	uint32_t len;
	uint32_t word;			/* flags, next << 16 */
};

static inline void load_word(struct desc_word *d, const uint8_t *p)
{
	fph_dma_in(p, FPH_DESC_BYTES);
	fph_memcpy(&d->gpa, p, 8);
	fph_memcpy(&d->len, p + 8, 4);
	fph_memcpy(&d->word, p + 12, 4);
	/* What was checked is not read again. */
	fph_compiler_barrier();
	d->gpa = fph_dma_gpa(d->gpa);
}

/*
 * Whether the range has bytes and does not wrap, by one compare.  It may end
 * at 2^64, but that is not usual.
 */
static inline bool is_usual(const struct desc_word *d)
{
	return d->gpa + d->len > d->gpa;
}

/*
 * The barriers keep the compiler from gathering the stores in a vector register
 * first: 3 instructions a descriptor less (gcc 12, x86-64).
 */
static inline void put_seg(struct fph_seg *seg, const struct desc_word *d,
			   uint32_t flags)
{
	seg->gpa = d->gpa;
	fph_compiler_barrier();
	seg->len = d->len;
	fph_compiler_barrier();
	seg->flags = flags;
}

/* A chain while it is read: where it goes on, and what is expected there. */
struct run {
	const uint8_t *p;
	struct fph_seg *seg;
	uint32_t flags;
	uint32_t want;			/* word: goes on with the next */
	uint32_t word;			/* of the last one read */
	uint64_t total;
};

/* Reads descriptor k from here.  False: not usual. */
FPH_INLINE bool read_step(struct run *r, uint32_t k)
{
	struct desc_word d;

	load_word(&d, r->p + k * FPH_DESC_BYTES);
	put_seg(r->seg + k, &d, r->flags);
	r->total += d.len;
	r->word = d.word;
	return is_usual(&d);
}

FPH_INLINE bool goes_on(const struct run *r, uint32_t k)
{
	return r->word == r->want + (k << 16);
}

FPH_INLINE void move(struct run *r, uint32_t n)
{
	r->p += n * FPH_DESC_BYTES;
	r->seg += n;
	r->want += n << 16;
}

/*
 * Reads neighbours, at most left, until one does not lead to the next.  False:
 * not usual, or there is none left.  Four at a time save 3 of 17 instructions
 * a descriptor.
 */
FPH_INLINE bool read_neighbours(struct run *run, uint32_t left)
{
	struct run r = *run;
	uint32_t k = 0;

	for (; left > 4; left -= 4) {
		if (!read_step(&r, 0))
			return false;
		if (!goes_on(&r, 0))
			goto out;
		if (!read_step(&r, 1))
			return false;
		if (!goes_on(&r, 1)) {
			k = 1;
			goto out;
		}
		if (!read_step(&r, 2))
			return false;
		if (!goes_on(&r, 2)) {
			k = 2;
			goto out;
		}
		if (!read_step(&r, 3))
			return false;
		if (!goes_on(&r, 3)) {
			k = 3;
			goto out;
		}
		move(&r, 4);
	}
	for (;; move(&r, 1)) {
		if (!read_step(&r, 0))
			return false;
		if (!goes_on(&r, 0))
			break;
		if (!--left)
			return false;
	}
out:
	move(&r, k + 1);
	*run = r;
	return true;
}

/*
 * Reads the chain of more than one descriptor at entry i of a table, all of
 * it in the direction of the first.  The number of segments; 0: not as
 * expected, or more than room.
 */
static uint32_t read_run(const uint8_t *table, uint32_t entries, uint32_t i,
			 uint32_t dir, struct fph_seg *segs, uint32_t room)
{
	const struct fph_seg *const end = segs + room;
	const uint32_t more = dir | FPH_DESC_NEXT;
	struct run r = { .seg = segs,
			 .flags = dir / FPH_DESC_WRITE * FPH_SEG_WRITE };

	for (;;) {
		uint32_t left = entries - i;

		r.p = table + (size_t)i * FPH_DESC_BYTES;
		r.want = (i + 1) << 16 | more;
		if (left > (uint32_t)(end - r.seg))
			left = (uint32_t)(end - r.seg);
		if (!read_neighbours(&r, left))
			return 0;
		/* Two conditions: 3 instructions less than one (gcc 12). */
		if ((uint16_t)r.word != more)
			break;
		i = r.word >> 16;
		if (i >= entries || r.seg == end)
			return 0;
	}
	if ((uint16_t)r.word != dir || r.total > (uint64_t)1 << 32)
		return 0;
	return (uint32_t)(r.seg - segs);
}

/* A buffer that is one indirect table. */
static uint32_t read_indirect(const struct fph_vq_device *vq,
			      const struct desc_word *d, struct fph_seg *segs,
			      uint32_t room)
{
	const uint8_t *table;
	struct desc_word first;
	uint32_t entries;

	if (!vq->map || d->word & FPH_DESC_NEXT || d->len % FPH_DESC_BYTES)
		return 0;
	table = fph_map_table(vq, d->gpa, d->len);
	if (!table)
		return 0;
	load_word(&first, table);
	/* A next of 16 bits reaches no further. */
	entries = d->len / FPH_DESC_BYTES;
	if (entries > 65536)
		entries = 65536;
	return read_run(table, entries, 0, first.word & FPH_DESC_WRITE, segs,
			room);
}

/* A buffer of more than one descriptor, of which d is the first. */
static uint32_t read_more(const struct fph_vq_device *vq, uint32_t head,
			  const struct desc_word *d, struct fph_seg *segs,
			  uint32_t room)
{
	if (room > vq->num)
		room = vq->num;
	if (d->word & FPH_DESC_INDIRECT)
		return read_indirect(vq, d, segs, room);
	return read_run(vq->desc, vq->num, head, d->word & FPH_DESC_WRITE,
			segs, room);
}

uint32_t fph_split_pop_usual(struct fph_vq_device *vq,
			     struct fph_buffer *buffers, uint32_t n,
			     struct fph_seg *segs, uint32_t room,
			     uint32_t *nsegs)
{
	const uint8_t *heads = vq->driver + FPH_RING_ENTRIES;
	const uint8_t *desc = vq->desc;
	const uint32_t num = vq->num;
	struct fph_seg *const end = segs + room;
	struct fph_seg *seg = segs;
	struct fph_buffer *b = buffers, *last;
	uint32_t idx = vq->avail_idx;

	last = buffers + (FPH_HOST_BIG_ENDIAN || vq->big ? 0 : n);
	for (; b != last && seg != end; b++, idx++) {
		uint32_t count = 1;
		uint32_t head, write;
		struct desc_word d;

		head = fph_ring_load(heads, 2 * (idx & (num - 1)), false);
		if (head >= num)
			break;
		load_word(&d, desc + (size_t)head * FPH_DESC_BYTES);
		write = d.word / FPH_DESC_WRITE & 1;
		if (d.word & (FPH_DESC_NEXT | FPH_DESC_INDIRECT)) {
			count = read_more(vq, head, &d, seg,
					  (uint32_t)(end - seg));
			if (!count)
				break;
			write = seg->flags;
		} else {
			if (!is_usual(&d))
				break;
			put_seg(seg, &d, write * FPH_SEG_WRITE);
		}
		seg += count;
		b->cookie = fph_cookie(head, idx);
		b->nwrite = write * count;
		b->nread = count - b->nwrite;
		b->flags = 0;
		b->index = 0;
		b->reserved = 0;
	}
	*nsegs = (uint32_t)(seg - segs);
	return (uint32_t)(b - buffers);
}

/* ---------------------------------------------------------- everything -- */

/* A table of descriptors, and where a buffer goes on in it. */
struct table {
	const uint8_t *desc;
	uint32_t entries;
	uint32_t next;
	bool nested;			/* is an indirect table itself */
};

/* A buffer while it is being read. */
struct chain {
	struct fph_chain c;
	struct fph_seg *end;		/* of the room */
	struct fph_desc last;		/* what ended the walk */
};

static bool is_indirect(const struct fph_desc *d)
{
	return d->at12 & FPH_DESC_INDIRECT;
}

/*
 * Reads a chain inside one table.  Ends at the last descriptor, or at one that
 * is indirect, which is then in l->last.
 */
static int read_table(struct chain *l, const struct table *t, bool big)
{
	uint32_t i = t->next;
	int ret;

	for (;;) {
		fph_desc_load(&l->last, t->desc, i, big);
		if (is_indirect(&l->last))
			return FPH_OK;
		if (l->c.seg == l->end)
			return FPH_PEER_LONG_CHAIN;
		ret = fph_chain_add(&l->c, &l->last, l->last.at12);
		if (ret < 0 || !(l->last.at12 & FPH_DESC_NEXT))
			return ret;
		i = l->last.at14;
		if (i >= t->entries)
			return FPH_PEER_NEXT;
	}
}

/* Checks an indirect descriptor, and makes its table the one to read. */
static int enter_table(const struct fph_vq_device *vq,
		       const struct fph_desc *d, struct table *t)
{
	if (!vq->map)
		return FPH_PEER_INDIRECT;
	if (t->nested)
		return FPH_PEER_INDIRECT_NEST;
	if (d->at12 & FPH_DESC_NEXT)
		return FPH_PEER_INDIRECT_NEXT;
	if (!d->len || d->len % FPH_DESC_BYTES)
		return FPH_PEER_INDIRECT_LEN;
	t->desc = fph_map_table(vq, d->gpa, d->len);
	if (!t->desc)
		return FPH_PEER_INDIRECT_ADDR;
	t->entries = d->len / FPH_DESC_BYTES;
	t->next = 0;
	t->nested = true;
	return FPH_OK;
}

/* Reads the buffer at head: descriptors of the ring, then one table at most. */
static int read_chain(const struct fph_vq_device *vq, uint32_t head,
		      struct chain *l)
{
	struct table t = { vq->desc, vq->num, head, false };
	int ret;

	for (;;) {
		ret = read_table(l, &t, vq->big);
		if (ret < 0 || !is_indirect(&l->last))
			return ret;
		ret = enter_table(vq, &l->last, &t);
		if (ret < 0)
			return ret;
	}
}

int fph_split_read(const struct fph_vq_device *vq, uint32_t head,
		   struct fph_buffer *buffer, struct fph_seg *segs,
		   uint32_t room)
{
	uint32_t most = room < vq->num ? room : vq->num;
	struct chain l = { .c = { .seg = segs }, .end = segs + most };
	int ret = read_chain(vq, head, &l);

	buffer->nread = 0;
	buffer->nwrite = 0;
	if (ret == FPH_PEER_LONG_CHAIN && most < vq->num)
		return FPH_OK;
	return ret < 0 ? ret : fph_chain_end(&l.c, segs, buffer);
}
