/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Counting bits: what migration bitmap and page set share.  Not installed. */
#ifndef FPH_VMM_BITS_H
#define FPH_VMM_BITS_H

#include <fph/config.h>

/* Without a special instruction, and without a call to a library's table. */
static inline uint32_t fph_popcount(uint64_t v)
{
	v -= v >> 1 & 0x5555555555555555u;
	v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return (uint32_t)(v * 0x0101010101010101u >> 56);
}

/*
 * Zeroes n words, a multiple of FPH_AVX2_WORDS; how many bits were set.  For
 * processors that have AVX2.
 */
#define FPH_AVX2_WORDS	16u
uint64_t fph_clear_words_avx2(unsigned long *words, size_t n);

#endif /* FPH_VMM_BITS_H */
