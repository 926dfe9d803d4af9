/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The bits of 32 bytes at a time: the number of bits of each half byte by a
 * table look-up in a register, summed by a sum of absolute differences.  For
 * ranges of 128 MiB and more it takes a third of the time of the portable way.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#include "vmm/bits.h"

__attribute__((target("avx2")))
uint64_t fph_clear_words_avx2(unsigned long *words, size_t n)
{
	const __m256i table = _mm256_setr_epi8(
		0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
		0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	const __m256i low = _mm256_set1_epi8(0x0f);
	const __m256i zero = _mm256_setzero_si256();
	__m256i sum = zero;
	uint64_t lanes[4];

	for (size_t i = 0; i < n; i += 4) {
		__m256i *p = (__m256i *)(void *)&words[i];
		__m256i v = _mm256_loadu_si256(p);
		__m256i lo = _mm256_and_si256(v, low);
		__m256i hi = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);
		__m256i bits = _mm256_add_epi8(_mm256_shuffle_epi8(table, lo),
					       _mm256_shuffle_epi8(table, hi));

		sum = _mm256_add_epi64(sum, _mm256_sad_epu8(bits, zero));
		_mm256_storeu_si256(p, zero);
	}
	_mm256_storeu_si256((__m256i *)(void *)lanes, sum);
	return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

#else

/* ISO C wants something in every file. */
typedef int fph_no_avx2;

#endif
