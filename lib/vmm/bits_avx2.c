/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Four vectors at a time: mostly all of their bits are set, or none, and that is
 * seen with one test.  For hints of 128 MiB and more it takes 0.4 of the time of
 * the portable way, for one of 4 MiB half of it.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#include "vmm/bits.h"

#define AVX2	__attribute__((target("avx2")))

/*
 * The number of bits of each half byte by a table look-up in a register: at
 * most 8 in a byte.
 */
AVX2
static inline __m256i count_bytes(__m256i v)
{
	const __m256i table = _mm256_setr_epi8(
		0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
		0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	const __m256i low = _mm256_set1_epi8(0x0f);
	__m256i lo = _mm256_and_si256(v, low);
	__m256i hi = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);

	return _mm256_add_epi8(_mm256_shuffle_epi8(table, lo),
			       _mm256_shuffle_epi8(table, hi));
}

AVX2
static inline uint64_t sum_bytes(__m256i v)
{
	__m256i sums = _mm256_sad_epu8(v, _mm256_setzero_si256());
	uint64_t lanes[4];

	_mm256_storeu_si256((__m256i *)(void *)lanes, sums);
	return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

AVX2
uint64_t fph_clear_words_avx2(unsigned long *words, size_t n)
{
	const __m256i zero = _mm256_setzero_si256();
	const __m256i ones = _mm256_cmpeq_epi8(zero, zero);
	uint64_t count = 0;

	for (size_t i = 0; i < n; i += FPH_AVX2_WORDS) {
		__m256i *p = (__m256i *)(void *)&words[i];
		__m256i a = _mm256_loadu_si256(&p[0]);
		__m256i b = _mm256_loadu_si256(&p[1]);
		__m256i c = _mm256_loadu_si256(&p[2]);
		__m256i d = _mm256_loadu_si256(&p[3]);
		__m256i any = a | b | c | d;

		if (_mm256_testz_si256(any, any))
			continue;
		if (_mm256_testc_si256(a & b & c & d, ones))
			count += FPH_AVX2_WORDS * 64;
		else
			count += sum_bytes(count_bytes(a) + count_bytes(b) +
					   count_bytes(c) + count_bytes(d));
		_mm256_storeu_si256(&p[0], zero);
		_mm256_storeu_si256(&p[1], zero);
		_mm256_storeu_si256(&p[2], zero);
		_mm256_storeu_si256(&p[3], zero);
	}
	return count;
}

#else

/* ISO C wants something in every file. */
typedef int fph_no_avx2;

#endif
