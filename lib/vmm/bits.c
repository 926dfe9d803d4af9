/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include "vmm/bits.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_AVX2()	__builtin_cpu_supports("avx2")
#else
#define HAS_AVX2()	0
#define fph_clear_words_avx2(words, n)	((void)(words), (void)(n), (uint64_t)0)
#endif

/* Below so many words the other way is as fast. */
#define MANY	8u

uint64_t fph_clear_words(unsigned long *words, size_t n)
{
	uint64_t count = 0;
	size_t i = 0;

	if (n >= MANY && HAS_AVX2()) {
		i = n & ~(size_t)3;
		count = fph_clear_words_avx2(words, i);
	}
	for (; i < n; i++) {
		unsigned long w = words[i];

		/* All or nothing is what a bitmap mostly holds. */
		if (!w)
			continue;
		count += w == ~0ul ? 8 * sizeof(w) : fph_popcount(w);
		words[i] = 0;
	}
	return count;
}
