/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Queue numbers: for all features and numberings, two queues never share an
 * index, and a device never infers a numbering that the driver cannot use.
 *
 * with: lib/core/wire.c
 * unwind: 6
 * bug: lib/core/wire.c: q < queue; q++ => q <= queue - 2; q++
 */
#include "core/common.h"
#include "proof.h"

int main(void)
{
	uint64_t offered = nondet_u64();
	uint64_t negotiated = nondet_u64();
	uint32_t enabled = nondet_u32();
	int numbering = nondet_int();
	int a = nondet_int();
	int b = nondet_int();
	int inferred = 0;
	int x, y, count;

	x = fph_queue_index(a, numbering, offered, negotiated);
	y = fph_queue_index(b, numbering, offered, negotiated);
	MUST(x < FPH_NQUEUES);
	MUST(x >= 0 || x == FPH_EINVAL || x == FPH_ENOENT);
	if (x >= 0 && y >= 0)
		MUST((x < y) == (a < b));
	if (x >= 0)
		MUST(x <= a);
	count = fph_queue_infer(&inferred, offered, negotiated, enabled,
				numbering);
	if (count < 0) {
		MUST(count == FPH_EINVAL && !inferred);
		return 0;
	}
	MUST(count <= 3);
	MUST(inferred >= FPH_NUMBERING_FIXED &&
	     inferred <= FPH_NUMBERING_OFFERED);
	if (!count)
		MUST(inferred == numbering);
	/* An index beyond the dense ones is none of them. */
	x = fph_queue_index(FPH_QUEUE_REPORT, FPH_NUMBERING_NEGOTIATED,
			    offered, negotiated);
	if (count && x >= 0 && (enabled >> x) > 1)
		MUST(inferred != FPH_NUMBERING_NEGOTIATED);
	return 0;
}
