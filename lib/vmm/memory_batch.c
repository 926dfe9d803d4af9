/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The map of guest memory: look-ups of many segments. */
#include "vmm/memory_internal.h"

/* What a look-up needs of the map, so that it stays in registers. */
struct table {
	const uint64_t *places;
	const uint16_t *cells;
	uint64_t ncells;
	uint32_t shift;
};

static inline struct table table_of(const struct fph_memory *m)
{
	struct table t = { m->places, m->cells, m->ncells, m->shift };

	return t;
}

/*
 * The place that has all of a segment by the table, or NULL: then only a
 * search can tell.  The table ends below 2^63, so the sum does not wrap.
 */
static inline const uint64_t *guess(const struct table *t,
				    const struct fph_seg *seg)
{
	uint64_t cell = seg->gpa >> t->shift;
	const uint64_t *w;

	if (cell >= t->ncells)
		return NULL;
	w = t->places + t->cells[cell];
	if (seg->gpa < w[FPH_PLACE_GPA] ||
	    seg->gpa + seg->len > w[FPH_PLACE_END])
		return NULL;
	return w;
}

static bool is_buffer_ram(const struct fph_memory *m,
			  const struct fph_seg *segs, uint32_t n)
{
	const struct table t = table_of(m);

	for (uint32_t i = 0; i < n; i++) {
		const struct fph_seg *s = &segs[i];

		if (!(s->len && guess(&t, s)) &&
		    !fph_memory_is_ram(m, s->gpa, s->len))
			return false;
	}
	return true;
}

int fph_memory_check(const struct fph_memory *m, struct fph_buffer *buffers,
		     uint32_t n, const struct fph_seg *segs)
{
	int marked = 0;

	if (!m)
		return FPH_EUNINIT;
	for (uint32_t i = 0; i < n; i++) {
		struct fph_buffer *b = &buffers[i];

		if (!is_buffer_ram(m, segs, b->nread + b->nwrite)) {
			b->flags |= FPH_BUFFER_REFUSE;
			marked++;
		}
		segs += b->nread + b->nwrite;
	}
	return marked;
}

static inline bool translate_one(const struct table *t,
				 const struct fph_seg *seg, struct iovec *iov)
{
	const uint64_t *w = guess(t, seg);

	if (!w)
		return false;
	iov->iov_base = (void *)(uintptr_t)(seg->gpa + w[FPH_PLACE_HOST]);
	iov->iov_len = seg->len;
	return true;
}

/* Eight at a time save 5 of 21 instructions a segment. */
static __attribute__((noinline)) uint32_t
translate_usual(const struct fph_memory *m, const struct fph_seg *segs,
		uint32_t n, struct iovec *iov)
{
	const struct table t = table_of(m);
	const struct fph_seg *s = segs;

	for (; n >= 8; n -= 8, s += 8, iov += 8) {
		if (!translate_one(&t, s, iov) ||
		    !translate_one(&t, s + 1, iov + 1) ||
		    !translate_one(&t, s + 2, iov + 2) ||
		    !translate_one(&t, s + 3, iov + 3) ||
		    !translate_one(&t, s + 4, iov + 4) ||
		    !translate_one(&t, s + 5, iov + 5) ||
		    !translate_one(&t, s + 6, iov + 6) ||
		    !translate_one(&t, s + 7, iov + 7))
			break;
	}
	for (; n && translate_one(&t, s, iov); n--, s++, iov++)
		;
	return (uint32_t)(s - segs);
}

int fph_memory_translate(const struct fph_memory *m,
			 const struct fph_seg *segs, uint32_t n,
			 struct iovec *iov)
{
	uint32_t i = 0;

	if (!m)
		return FPH_EUNINIT;
	if (!segs || !n || !iov || n > INT32_MAX)
		return FPH_EINVAL;
	for (;; i++) {
		i += translate_usual(m, segs + i, n - i, iov + i);
		if (i == n)
			break;
		/* Where the table is wrong, or knows nothing. */
		iov[i].iov_base = fph_memory_get_host(m, segs[i].gpa,
						      segs[i].len);
		iov[i].iov_len = segs[i].len;
		if (!iov[i].iov_base)
			break;
	}
	return i ? (int)i : FPH_ENOENT;
}

/* Copies bytes of one range, which may cross regions. */
static bool read_range(const struct fph_memory *m, uint64_t gpa, uint8_t *buf,
		       uint64_t len)
{
	struct fph_range rest = { gpa, len };
	struct fph_piece piece;
	int ret;

	while ((ret = fph_memory_next(m, &rest, &piece)) == 1) {
		const struct fph_region *r = piece.region;

		fph_memcpy(buf, (const uint8_t *)r->host +
			   (piece.gpa - r->gpa), (size_t)piece.len);
		buf += piece.len;
	}
	return !ret;
}

int fph_memory_read(const struct fph_memory *m, const struct fph_seg *segs,
		    uint32_t n, uint64_t offset, void *buf, size_t len)
{
	uint64_t total = 0;
	uint8_t *to = buf;

	if (!m)
		return FPH_EUNINIT;
	if ((!segs && n) || (!buf && len))
		return FPH_EINVAL;
	for (uint32_t i = 0; i < n; i++)
		total += segs[i].len;
	if (offset > total || len > total - offset)
		return FPH_EINVAL;
	for (uint32_t i = 0; len; i++) {
		uint64_t part = segs[i].len;

		if (offset >= part) {
			offset -= part;
			continue;
		}
		part -= offset;
		if (part > len)
			part = len;
		if (!read_range(m, segs[i].gpa + offset, to, part))
			return FPH_PEER_UNMAPPED;
		to += part;
		len -= (size_t)part;
		offset = 0;
	}
	/* What was copied is not read again. */
	fph_compiler_barrier();
	return FPH_OK;
}
