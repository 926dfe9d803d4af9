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

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A part of the case that is running; one after another, not nested. */
void meter_begin(void);
/* Goes on where meter_begin was: units were done by it. */
void meter_end(uint64_t units);
/* What was measured since the last call stands in a line of its own. */
void meter_row(const char *name);

/* Prepared rounds that are not measured, and those that are. */
extern const uint32_t meter_warm, meter_rounds;

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

#endif /* FPH_BENCH_METER_H */
