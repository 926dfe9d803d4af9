/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Pages of a whole guest, collected until granules of them are whole.
 *
 * bits has a bit a page, count the number of them that are set in each granule,
 * whole a bit for each granule whose pages are all there.  Where a granule is a
 * page, whole is bits and there is no count.  low and high keep the search to
 * the words of whole that can hold a bit.
 */
#include <string.h>

#include "core/common.h"
#include "vmm/bits.h"
#include "vmm/page_set.h"

#define WORD		64u

struct fph_page_set {
	uint64_t gpa;
	uint64_t len;
	uint32_t page_shift;
	uint32_t granule_shift;		/* log2 of its pages */
	uint64_t npages;		/* in the set */
	uint64_t low, high;		/* words of whole: [low, high) */
	uint64_t touched;		/* granules from here on are all 0 */
	uint64_t *bits;
	uint64_t *whole;
	uint32_t *count;		/* NULL: a granule is a page */
};

static uint32_t log2_of(uint64_t v)
{
	uint32_t n = 0;

	while (v >>= 1)
		n++;
	return n;
}

static uint64_t words_of(uint64_t nbits)
{
	return (nbits + WORD - 1) / WORD;
}

static bool is_sound(const struct fph_page_set_params *p)
{
	if (!p || p->page_size < 512 || !fph_is_power(p->page_size) ||
	    !fph_is_power(p->granule) || p->granule < p->page_size)
		return false;
	/* A count of 32 bits must hold the pages of a granule. */
	if (log2_of(p->granule) - log2_of(p->page_size) > 31)
		return false;
	return !fph_is_bad_range(p->gpa, p->len) &&
	       !((p->gpa | p->len) & (p->granule - 1));
}

size_t fph_page_set_size(const struct fph_page_set_params *p)
{
	uint64_t granules, size;

	if (!is_sound(p))
		return 0;
	granules = p->len / p->granule;
	size = sizeof(struct fph_page_set) + 8 * words_of(p->len / p->page_size);
	if (p->granule != p->page_size)
		size += 8 * words_of(granules) + 4 * granules;
	return size == (size_t)size ? (size_t)size : 0;
}

int fph_page_set_init(struct fph_page_set **out, void *mem, size_t size,
		      const struct fph_page_set_params *p)
{
	struct fph_page_set *s = mem;
	uint64_t granules;

	if (!out || !fph_is_memory(mem, size, fph_page_set_size(p)))
		return FPH_EINVAL;
	granules = p->len / p->granule;
	s->gpa = p->gpa;
	s->len = p->len;
	s->page_shift = log2_of(p->page_size);
	s->granule_shift = log2_of(p->granule) - s->page_shift;
	s->low = UINT64_MAX;
	s->bits = (uint64_t *)(s + 1);
	s->whole = s->bits;
	if (s->granule_shift) {
		s->whole = s->bits + words_of(p->len >> s->page_shift);
		s->count = (uint32_t *)(s->whole + words_of(granules));
	}
	*out = s;
	return FPH_OK;
}

static void note_none_whole(struct fph_page_set *s)
{
	s->low = UINT64_MAX;
	s->high = 0;
}

void fph_page_set_reset(struct fph_page_set *s)
{
	memset(s->bits, 0, words_of(s->touched << s->granule_shift) * 8);
	if (s->count) {
		memset(s->whole, 0, words_of(s->touched) * 8);
		memset(s->count, 0, s->touched * 4);
	}
	s->touched = 0;
	s->npages = 0;
	note_none_whole(s);
}

bool fph_page_set_covers(const struct fph_page_set *s,
			 const struct fph_range *range)
{
	return range->gpa >= s->gpa && range->gpa - s->gpa < s->len &&
	       range->len <= s->len - (range->gpa - s->gpa);
}

/* ---------------------------------------------------------- add, remove -- */

/* The bits of one word in [first, end), which meets it. */
static uint64_t mask_of(uint64_t word, uint64_t first, uint64_t end)
{
	uint64_t mask = ~(uint64_t)0;

	if (first > word * WORD)
		mask <<= first - word * WORD;
	if (end < (word + 1) * WORD)
		mask &= ~(uint64_t)0 >> ((word + 1) * WORD - end);
	return mask;
}

/* Sets or clears bits; how many of them changed. */
static uint32_t change(uint64_t *bits, uint64_t first, uint64_t end, bool on)
{
	uint32_t changed = 0;

	for (uint64_t w = first / WORD; w * WORD < end; w++) {
		uint64_t mask = mask_of(w, first, end);

		changed += fph_popcount((on ? ~bits[w] : bits[w]) & mask);
		bits[w] = on ? bits[w] | mask : bits[w] & ~mask;
	}
	return changed;
}

static void note_whole(struct fph_page_set *s, uint64_t first, uint64_t end)
{
	if (first / WORD < s->low)
		s->low = first / WORD;
	if (words_of(end) > s->high)
		s->high = words_of(end);
}

/* Adds or removes pages [first, end) that lie in one granule. */
static void change_granule(struct fph_page_set *s, uint64_t first,
			   uint64_t end, bool on)
{
	uint64_t g = first >> s->granule_shift;
	uint32_t n = change(s->bits, first, end, on);

	s->npages += on ? n : 0 - (uint64_t)n;
	s->count[g] += on ? n : 0 - n;
	if (s->count[g] >> s->granule_shift) {
		s->whole[g / WORD] |= (uint64_t)1 << g % WORD;
		note_whole(s, g, g + 1);
	} else {
		s->whole[g / WORD] &= ~((uint64_t)1 << g % WORD);
	}
}

static void change_pages(struct fph_page_set *s, uint64_t first, uint64_t end,
			 bool on)
{
	uint64_t granules = ((end - 1) >> s->granule_shift) + 1;

	if (granules > s->touched)
		s->touched = granules;
	if (!s->count) {
		uint32_t n = change(s->bits, first, end, on);

		s->npages += on ? n : 0 - (uint64_t)n;
		note_whole(s, first, end);
		return;
	}
	while (first < end) {
		uint64_t next = ((first >> s->granule_shift) + 1)
				<< s->granule_shift;

		change_granule(s, first, next < end ? next : end, on);
		first = next;
	}
}

void fph_page_set_add(struct fph_page_set *s, const struct fph_range *range)
{
	uint64_t mask = ((uint64_t)1 << s->page_shift) - 1;
	uint64_t from = range->gpa - s->gpa;
	uint64_t first = (from + mask) >> s->page_shift;
	uint64_t end = (from + range->len) >> s->page_shift;

	if (first < end)
		change_pages(s, first, end, true);
}

void fph_page_set_remove(struct fph_page_set *s, const struct fph_range *range)
{
	uint64_t from = range->gpa - s->gpa;

	change_pages(s, from >> s->page_shift,
		     ((from + range->len - 1) >> s->page_shift) + 1, false);
}

/* ------------------------------------------------------------------ take -- */

static uint32_t lowest_bit(uint64_t v)
{
	return (uint32_t)__builtin_ctzll(v);
}

/*
 * The lowest run of whole granules: [*first, *end); false if there is none.
 */
static bool find_run(const struct fph_page_set *s, uint64_t *first,
		     uint64_t *end)
{
	uint64_t w = s->low;
	uint64_t v;

	while (w < s->high && !s->whole[w])
		w++;
	if (w >= s->high)
		return false;
	v = s->whole[w];
	*first = w * WORD + lowest_bit(v);
	/* The first bit above it that is not set. */
	v = ~(v | (((uint64_t)1 << *first % WORD) - 1));
	while (!v && ++w < s->high)
		v = ~s->whole[w];
	*end = v ? w * WORD + lowest_bit(v) : s->high * WORD;
	return true;
}

uint32_t fph_page_set_take(struct fph_page_set *s, struct fph_range *ranges,
			   uint32_t n)
{
	uint32_t shift = s->page_shift + s->granule_shift;
	uint64_t first, end;
	uint32_t i;

	for (i = 0; i < n && find_run(s, &first, &end); i++) {
		ranges[i].gpa = s->gpa + (first << shift);
		ranges[i].len = (end - first) << shift;
		s->npages -= (end - first) << s->granule_shift;
		change(s->whole, first, end, false);
		if (s->count) {
			change(s->bits, first << s->granule_shift,
			       end << s->granule_shift, false);
			memset(&s->count[first], 0, (end - first) * 4);
		}
		s->low = first / WORD;
	}
	if (i < n)
		note_none_whole(s);
	return i;
}

/* The first page from page on that is in the set, or is not; end: no such. */
static uint64_t find_page(const struct fph_page_set *s, uint64_t page,
			  uint64_t end, bool on)
{
	while (page < end) {
		uint64_t word = s->bits[page / WORD];

		if (!on)
			word = ~word;
		word >>= page % WORD;
		if (word)
			return page + lowest_bit(word);
		page = (page / WORD + 1) * WORD;
	}
	return end;
}

bool fph_page_set_next(const struct fph_page_set *s, uint64_t *gpa,
		       struct fph_range *run)
{
	uint64_t end = s->touched << s->granule_shift;
	uint64_t from = *gpa > s->gpa ? (*gpa - s->gpa) >> s->page_shift : 0;
	uint64_t first = find_page(s, from, end, true);

	if (first >= end)
		return false;
	from = find_page(s, first, end, false);
	if (from > end)
		from = end;
	run->gpa = s->gpa + (first << s->page_shift);
	run->len = (from - first) << s->page_shift;
	*gpa = run->gpa + run->len;
	return true;
}

uint64_t fph_page_set_get_pages(const struct fph_page_set *s)
{
	return s->npages;
}
