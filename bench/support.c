/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <string.h>

#include "meter.h"

void *bench_memory(size_t size)
{
	size_t whole = (size + 4095) / 4096 * 4096;
	void *mem = size ? aligned_alloc(4096, whole) : NULL;

	MUST(mem);
	return memset(mem, 0, whole);
}

uint64_t bench_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 24;
}

void bench_shuffle(uint64_t *values, uint32_t n, uint64_t *seed)
{
	uint32_t i, j;
	uint64_t t;

	for (i = n - 1; i > 0; i--) {
		j = (uint32_t)(bench_random(seed) % (i + 1));
		t = values[i];
		values[i] = values[j];
		values[j] = t;
	}
}
