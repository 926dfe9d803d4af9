/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What is measured, apart from how.
 *
 * A case sets up what it needs, and tells between meter_begin and meter_end
 * the part that counts. meter_ir.c counts instructions under callgrind,
 * meter_time.c takes the time.
 */
#ifndef FPH_BENCH_METER_H
#define FPH_BENCH_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A part of the case that is running; one after another, not nested. */
void meter_begin(void);
/* Goes on where meter_begin was: units were done by it. */
void meter_end(uint64_t units);
/*
 * What was measured since the last call stands in a row of its own, by what
 * was done and who did it: "libfph", or a baseline.
 */
void meter_row(const char *name, const char *who);

/* Prepared rounds that are not measured, and those that are. */
extern uint32_t meter_warm, meter_rounds;

/*
 * Of the clock only. Several rows at a time, whose rounds alternate so that
 * noise hits all of them: meter_end and meter_row are of the row in use, 0 if
 * none was chosen.
 */
#define METER_ROWS	4u
void meter_use(uint32_t row);
/* A row of other numbers; why a row is not there. */
void meter_value(const char *name, const char *who, const char *unit,
		 double best, double median);
void meter_skip(const char *name, const char *who, const char *why);
double bench_now(void);		/* ns */

#define MUST(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: not so: %s\n",		\
				__FILE__, __LINE__, #cond);		\
			exit(EXIT_FAILURE);				\
		}							\
	} while (0)

/* Memory that is zero and aligned to a page; ends the program if none is. */
void *bench_memory(size_t size);
/* The same numbers for the same seed. */
uint64_t bench_random(uint64_t *seed);
void bench_shuffle(uint64_t *values, uint32_t n, uint64_t *seed);

/* The cases, by file. */
void bench_ring(void);
void bench_device(void);
void bench_guest(void);
void bench_scale(uint32_t n);
/* Of these the time alone says something. */
void bench_ring_baselines(void);
void bench_ring_sized(const char *name, uint32_t shift);
void bench_coalesce(void);
void bench_bitmap(void);
void bench_reclaim(void);
void bench_size(void);

#endif /* FPH_BENCH_METER_H */
