/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Hints and a migration bitmap.
 *
 * One pass counts and clears; whoever counts first and clears then reads each
 * word twice.
 */
#include <limits.h>
#include <string.h>

#include <fph-vmm/migration.h>

#include "vmm/bits.h"

#define WORD_BITS	(sizeof(unsigned long) * CHAR_BIT)

/* The n bits from off, which lie in one word. */
static uint64_t clear_in_word(unsigned long *word, uint32_t off, uint64_t n)
{
	unsigned long mask = ~0ul >> (WORD_BITS - n) << off;
	unsigned long old = *word & mask;

	*word ^= old;
	/* Mostly all of them, and that needs no count. */
	return old == mask ? n : fph_popcount(old);
}

static uint64_t clear_word(unsigned long *word)
{
	unsigned long old = *word;

	*word = 0;
	return old == ~0ul ? WORD_BITS : fph_popcount(old);
}

#define LINE	8u		/* words */

/*
 * All or nothing is what a bitmap mostly holds: seen for eight words at once
 * it takes a quarter of the time.
 */
static uint64_t clear_line(unsigned long *w)
{
	unsigned long any = w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7];
	unsigned long all = w[0] & w[1] & w[2] & w[3] & w[4] & w[5] & w[6] & w[7];
	uint64_t count = 0;

	if (!any)
		return 0;
	if (all == ~0ul) {
		memset(w, 0, LINE * sizeof(*w));
		return LINE * WORD_BITS;
	}
	for (uint32_t i = 0; i < LINE; i++)
		count += clear_word(&w[i]);
	return count;
}

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_AVX2()	__builtin_cpu_supports("avx2")
#else
#define HAS_AVX2()	0
#define fph_clear_words_avx2(words, n)	((void)(words), (void)(n), (uint64_t)0)
#endif

/* Not inlined, here and below: a short way saves no registers for a long one. */
__attribute__((noinline))
static uint64_t clear_lines(unsigned long *words, size_t n)
{
	uint64_t count = 0;
	size_t i = 0;

	for (; n - i >= LINE; i += LINE)
		count += clear_line(&words[i]);
	for (; i < n; i++)
		count += clear_word(&words[i]);
	return count;
}

/* Zeroes n words; how many bits were set. */
static uint64_t clear_words(unsigned long *words, size_t n)
{
	uint64_t count = 0;
	size_t i = 0;

	if (n >= FPH_AVX2_WORDS && HAS_AVX2()) {
		i = n - n % FPH_AVX2_WORDS;
		count = fph_clear_words_avx2(words, i);
	}
	return i < n ? count + clear_lines(words + i, n - i) : count;
}

/* The n bits from off, more than are in one word. */
__attribute__((noinline))
static uint64_t clear_long(unsigned long *word, uint32_t off, uint64_t n)
{
	uint64_t count = 0;

	if (off) {
		count = clear_in_word(word++, off, WORD_BITS - off);
		n -= WORD_BITS - off;
	}
	count += clear_words(word, (size_t)(n / WORD_BITS));
	word += n / WORD_BITS;
	n %= WORD_BITS;
	if (n)
		count += clear_in_word(word, 0, n);
	return count;
}

uint64_t fph_bitmap_clear(unsigned long *bitmap, uint64_t first, uint64_t n)
{
	unsigned long *word = bitmap + first / WORD_BITS;
	uint32_t off = (uint32_t)(first % WORD_BITS);

	if (!n)
		return 0;
	return n <= WORD_BITS - off ? clear_in_word(word, off, n) :
				      clear_long(word, off, n);
}

/* Where a batch is. */
struct pass {
	const struct fph_migration_block *blocks;
	uint32_t nblocks;
	uint32_t at;		/* the block of the last run */
	uint64_t pages;		/* whose bit was set */
};

static bool is_inside(const struct fph_migration_block *b, uint64_t gpa)
{
	return gpa >= b->gpa && gpa - b->gpa < b->len;
}

/* The first block that ends above gpa. */
static uint32_t find_block(const struct pass *p, uint64_t gpa)
{
	uint32_t low = 0, high = p->nblocks;

	/* Runs ascend, so it is mostly the one of the last run. */
	if (p->at < p->nblocks && is_inside(&p->blocks[p->at], gpa))
		return p->at;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct fph_migration_block *b = &p->blocks[mid];

		if (gpa >= b->gpa && !is_inside(b, gpa))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Clears the whole pages of [gpa, last] in a block; false if there is none. */
static bool clear_block(struct pass *p, const struct fph_migration_block *b,
			uint64_t gpa, uint64_t last, struct fph_run *run)
{
	uint64_t mask = ((uint64_t)1 << b->page_shift) - 1;
	uint64_t from = gpa > b->gpa ? gpa - b->gpa : 0;
	uint64_t end = last - b->gpa < b->len ? last - b->gpa + 1 : b->len;
	uint64_t pages;

	from = (from + mask) & ~mask;
	end &= ~mask;
	if (from >= end)
		return false;
	pages = fph_bitmap_clear(b->bitmap, from >> b->page_shift,
				 (end - from) >> b->page_shift);
	p->pages += pages;
	run->freed += pages << b->page_shift;
	return true;
}

static void clear_run(struct pass *p, struct fph_run *run)
{
	uint64_t last = run->gpa + (run->len - 1);
	bool met = false, cleared = false;

	p->at = find_block(p, run->gpa);
	for (uint32_t i = p->at; i < p->nblocks; i++) {
		if (p->blocks[i].gpa > last)
			break;
		met = true;
		p->at = i;
		cleared |= clear_block(p, &p->blocks[i], run->gpa, last, run);
	}
	run->done = run->len;
	run->reason = FPH_SKIP_NONE;
	run->outcome = FPH_OUTCOME_CLEARED;
	if (!met) {
		run->outcome = FPH_OUTCOME_SKIPPED;
		run->reason = FPH_SKIP_UNMAPPED;
	} else if (!cleared) {
		run->outcome = FPH_OUTCOME_TRIMMED;
	}
}

uint64_t fph_migration_clear(const struct fph_migration_block *blocks,
			     uint32_t nblocks, struct fph_run *runs,
			     uint32_t n)
{
	struct pass p = { .blocks = blocks, .nblocks = nblocks };

	for (uint32_t i = 0; i < n; i++) {
		runs[i].freed = 0;
		clear_run(&p, &runs[i]);
	}
	return p.pages;
}
