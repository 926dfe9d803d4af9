/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Time in milliseconds, for time-outs. */
#ifndef VUB_CLOCK_H
#define VUB_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds of CLOCK_MONOTONIC. */
static inline int64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The same in microseconds, for budgets. */
static inline int64_t clock_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The earlier of two times, of which a negative one is "never". */
static inline int64_t clock_earlier(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

#endif /* VUB_CLOCK_H */
