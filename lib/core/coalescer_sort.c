/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Sorting for the coalescer.
 *
 * Up to 64 keys go through a network of compare-exchanges without a branch,
 * because a batch at random mispredicts half of them: 45 to 70 instructions a
 * key.  More go through a radix sort from the low digit up: 18 instructions a
 * key and digit.
 */
#include "coalescer_sort.h"
#include "common.h"

static void exchange(uint64_t *a, uint64_t *b)
{
	uint64_t x = *a;
	uint64_t y = *b;

	*a = x < y ? x : y;
	*b = x < y ? y : x;
}

/* Merge exchange (Knuth, volume 3, algorithm 5.2.2M): sorts any number. */
static void sort_network(uint64_t *keys, uint32_t n)
{
	uint32_t top = 1;

	while (top * 2 < n)
		top *= 2;
	for (uint32_t p = top; p; p /= 2) {
		uint32_t q = top;
		uint32_t r = 0;
		uint32_t d = p;

		for (;;) {
			/* All i with (i & p) == r, in stretches of p. */
			for (uint32_t at = r; at + d < n; at += 2 * p) {
				uint32_t end = at + p < n - d ? at + p : n - d;

				for (uint32_t i = at; i < end; i++)
					exchange(&keys[i], &keys[i + d]);
			}
			if (q == p)
				break;
			d = q - p;
			q /= 2;
			r = p;
		}
	}
}

/* One pass: keys from a to b, by the digit of width bits at shift. */
static void sort_digit(const uint64_t *a, uint64_t *b, uint32_t n,
		       uint32_t *counts, uint32_t shift, uint32_t width)
{
	uint32_t mask = (1u << width) - 1;
	uint32_t sum = 0;

	fph_memset(counts, 0, sizeof(*counts) * ((size_t)mask + 1));
	for (uint32_t i = 0; i < n; i++)
		counts[(uint32_t)fph_shr64(a[i], shift) & mask]++;
	for (uint32_t i = 0; i <= mask; i++) {
		uint32_t count = counts[i];

		counts[i] = sum;
		sum += count;
	}
	for (uint32_t i = 0; i < n; i++)
		b[counts[(uint32_t)fph_shr64(a[i], shift) & mask]++] = a[i];
}

/* a / b, rounded up, for small numbers: many small targets cannot divide. */
static uint32_t divide_up(uint32_t a, uint32_t b)
{
	uint32_t q = 0;

	while (q * b < a)
		q++;
	return q;
}

/*
 * How many passes sort by so many bits: the more, the smaller are the counts,
 * which each pass goes through too.  18 instructions a key and 6 a count.
 */
static uint32_t choose_passes(uint32_t n, uint32_t bits)
{
	uint32_t most = n < 1024 ? 8 : 11;	/* bits: FPH_SORT_COUNTS */
	uint32_t passes = divide_up(bits, most);
	uint64_t best = ~(uint64_t)0;

	for (;; passes++) {
		uint32_t width = divide_up(bits, passes);
		uint64_t cost = passes * (18 * (uint64_t)n +
					  6 * (1u << width));

		if (cost >= best)
			return passes - 1;
		best = cost;
	}
}

uint64_t *fph_sort_keys(const struct fph_sort_scratch *scratch, uint32_t n,
			uint32_t low, uint32_t high)
{
	uint64_t *from = scratch->keys;
	uint64_t *to = from + n;
	uint32_t passes;

	if (n <= FPH_SORT_NETWORK) {
		sort_network(from, n);
		return from;
	}
	for (passes = choose_passes(n, high - low); passes; passes--) {
		uint32_t width = divide_up(high - low, passes);
		uint64_t *other = from;

		sort_digit(from, to, n, scratch->counts, low, width);
		low += width;
		from = to;
		to = other;
	}
	return from;
}

/* ---------------------------------------------------------------- ranges -- */

/* Merges two sorted parts of indices, [0, half) and [half, n). */
static void merge(const struct fph_owned_range *ranges, const uint64_t *from,
		  uint64_t *to, uint32_t half, uint32_t n)
{
	uint32_t a = 0;
	uint32_t b = half;

	for (uint32_t i = 0; i < n; i++) {
		bool second = a == half ||
			      (b < n && ranges[from[b]].gpa <
					ranges[from[a]].gpa);

		to[i] = second ? from[b++] : from[a++];
	}
}

/* Sorts the indices themselves, from the bottom up. */
static const uint64_t *sort_indices(uint64_t *keys,
				    const struct fph_owned_range *ranges,
				    uint32_t n)
{
	uint64_t *from = keys;
	uint64_t *to = keys + n;

	for (uint32_t i = 0; i < n; i++)
		from[i] = i;
	for (uint32_t half = 1; half < n; half *= 2) {
		uint64_t *other = from;

		for (uint32_t at = 0; at < n; at += 2 * half) {
			uint32_t left = n - at;

			merge(ranges, from + at, to + at,
			      half < left ? half : left,
			      2 * half < left ? 2 * half : left);
		}
		from = to;
		to = other;
	}
	return from;
}

const uint64_t *fph_sort_ranges(const struct fph_sort_scratch *scratch,
				const struct fph_owned_range *ranges,
				uint32_t n, uint32_t *mask)
{
	uint64_t *keys = scratch->keys;
	uint64_t differ = 0;
	uint32_t bits = fph_bit_width(n - 1);
	uint32_t shift, width;

	/* The bits of the addresses that are not the same in all. */
	for (uint32_t i = 1; i < n; i++)
		differ |= ranges[i].gpa ^ ranges[0].gpa;
	width = fph_bit_width(differ);
	shift = width ? fph_bit_width(differ & (0 - differ)) - 1 : 0;
	if (width - shift + bits > 64) {
		*mask = ~0u;
		return sort_indices(keys, ranges, n);
	}
	for (uint32_t i = 0; i < n; i++)
		keys[i] = fph_shl64(fph_shr64(ranges[i].gpa, shift), bits) | i;
	*mask = (uint32_t)(fph_shl64(1, bits) - 1);
	return fph_sort_keys(scratch, n, bits, bits + width - shift);
}
