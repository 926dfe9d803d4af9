/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Hints and a migration bitmap: pages that the guest hinted need not be sent.
 *
 * The bitmap is the VMM's: one bit a page that still has to be sent, bit 0 of
 * word 0 for the first page of a block, in words of unsigned long, as QEMU and
 * KVM have it.  It is not the dirty log itself: clearing that on a hint loses
 * writes (D6).
 *
 * A hint never changes memory.  A page may be discarded on a hint only if it is
 * proven, page by page and atomically with the discard, that it was not written
 * since before the id was published (D7); no interface of the host gives that
 * proof cheaply, so the library has no call for it.  doc/design.md says more.
 */
#ifndef FPH_VMM_MIGRATION_H
#define FPH_VMM_MIGRATION_H

#include <fph/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A block of guest memory and its bitmap. */
struct fph_migration_block {
	uint64_t gpa;			/* a multiple of the page size */
	uint64_t len;			/* whole pages */
	unsigned long *bitmap;
	uint32_t page_shift;		/* 12 for pages of 4096 bytes */
	uint32_t reserved;
};

/*
 * fph_bitmap_clear - clear bits, and count those that were set
 *
 * first, n: bits.  Not atomic: under the lock of the bitmap.
 *
 * The number of bits that were set before.  O(n / bits of a long).
 */
FPH_API uint64_t fph_bitmap_clear(unsigned long *bitmap, uint64_t first,
				  uint64_t n);

/*
 * fph_migration_clear - take runs of hints out of the bitmap
 *
 * blocks, nblocks: ascending by gpa, not overlapping.  runs, n: as given by
 * fph_hint_session_next or fph_balloon_hint_next; sets done, outcome (CLEARED,
 * TRIMMED where no whole page is in a block, SKIPPED with UNMAPPED outside of
 * all blocks) and freed, the bytes of the pages whose bit was set.  Only whole
 * pages are cleared (D8).
 *
 * Hold the lock of the bitmap around the call: once for the batch.
 *
 * The number of pages that need not be sent now, because their bit was set;
 * exact.  O(n log nblocks + pages / bits of a long).
 */
FPH_API uint64_t fph_migration_clear(const struct fph_migration_block *blocks,
				     uint32_t nblocks, struct fph_run *runs,
				     uint32_t n);

#ifdef __cplusplus
}
#endif

#endif /* FPH_VMM_MIGRATION_H */
