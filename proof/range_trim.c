/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The arithmetic of a run, for all addresses and granules: what is left is
 * aligned, inside of what there was, and as much as that allows.
 *
 * with: lib/core/coalescer_sort.c
 * unwind: 66
 * bug: lib/core/coalescer.c: if (gpa < first)\n\t\treturn; => if (0)\n\t\treturn;
 */
#include "proof.h"

#include "core/coalescer.c"

typedef unsigned __int128 wide;

int main(void)
{
	uint64_t first = nondet_u64();
	uint64_t last = nondet_u64();
	uint64_t granule = nondet_u64();
	const wide end = (wide)last + 1;
	struct fph_out_run run;
	wide from, to;

	ASSUME(first <= last && fph_is_power(granule));
	trim(first, last, granule - 1, &run);
	/* Again, in numbers that cannot wrap. */
	from = ((wide)first + granule - 1) & ~(wide)(granule - 1);
	to = end & ~(wide)(granule - 1);
	if (!from && to == (wide)1 << 64)
		to -= granule;
	if (from >= to) {
		MUST(!run.len);
		return 0;
	}
	MUST(run.gpa == (uint64_t)from);
	MUST(run.len == (uint64_t)(to - from));
	return 0;
}
