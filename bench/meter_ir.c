/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Counts instructions: run by bench/ir.py under callgrind with
 * --collect-atstart=no. Each row becomes a part of callgrind's output, with
 * the row's name and units in what triggered it.
 */
#include <string.h>
#include <valgrind/callgrind.h>

#include "meter.h"

uint32_t meter_warm = 2, meter_rounds = 8;

static uint64_t units;

void meter_begin(void)
{
	CALLGRIND_TOGGLE_COLLECT;
}

void meter_end(uint64_t n)
{
	CALLGRIND_TOGGLE_COLLECT;
	units += n;
}

void meter_row(const char *name, const char *who)
{
	char what[128];

	(void)who;
	snprintf(what, sizeof(what), "row %s %llu", name,
		 (unsigned long long)units);
	CALLGRIND_DUMP_STATS_AT(what);
	fprintf(stderr, "%s\n", name);
	units = 0;
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 262144;

	bench_ring();
	bench_device();
	bench_guest();
	/* An eighth of what waits, then all of it. */
	bench_scale(n / 8);
	bench_scale(n);
	return EXIT_SUCCESS;
}
