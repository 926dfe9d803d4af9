/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The files of the reclaim engine.  Not installed.
 *
 *	reclaim.c		the object; which memory of a run is to be freed,
 *				and in which budget
 *	reclaim_calls.c		the calls that free it
 *	reclaim_note.c		what became of the parts of a run
 */
#ifndef FPH_VMM_RECLAIM_INTERNAL_H
#define FPH_VMM_RECLAIM_INTERNAL_H

#include <fph-vmm/reclaim.h>

#define FPH_RECLAIM_VECTOR	1024	/* entries of one process_madvise */
/* The kernel cuts a vector at 2^31 bytes less a page, whatever its size. */
#define FPH_RECLAIM_VECTOR_BYTES	0x7fe00000u
#define FPH_RECLAIM_TROUBLES	16	/* regions that are remembered */

/*
 * Memory to be freed by one call, or by one entry of a vector.  It may belong
 * to several runs that follow each other without a gap.
 */
struct fph_extent {
	const struct fph_region *region;
	uint64_t gpa;
	uint64_t len;
	uint32_t run;			/* the first of them */
};

/* A region whose calls fail. */
struct fph_trouble {
	uint64_t gpa;			/* of the region, with host: its name */
	const void *host;
	uint32_t failures;		/* calls in a row */
	uint32_t backoff;		/* extents still to be skipped */
	bool disabled;
};

struct fph_reclaim {
	uint32_t magic;
	uint32_t flags;
	uint32_t max_failures;
	bool no_vector;			/* the kernel does not take it */
	const struct fph_memory *memory;
	const struct fph_reclaim_ops *ops;
	uint64_t page_size;		/* of the system, bytes */
	uint64_t part;			/* bytes between looks at the clock */
	uint32_t inhibit[FPH_NSKIP];
	struct fph_reclaim_counters counters;
	uint32_t ntroubles;
	struct fph_trouble trouble[FPH_RECLAIM_TROUBLES];
	struct fph_run *runs;		/* of the call that is going on */
	uint64_t vec_bytes;		/* in the vector now */
	uint32_t nvec;
	struct iovec vec[FPH_RECLAIM_VECTOR];
	struct fph_extent vec_extent[FPH_RECLAIM_VECTOR];
};

/*
 * fph_reclaim_note - something became of a part of an extent
 *
 * Adds the bytes to what they became, in the counters and in the runs that they
 * belong to.  reason: with FPH_OUTCOME_SKIPPED.
 */
void fph_reclaim_note(struct fph_reclaim *rc, const struct fph_extent *e,
		      int outcome, int reason);

/* Cuts len bytes off the front of an extent. */
struct fph_extent fph_reclaim_take_front(const struct fph_reclaim *rc,
					 struct fph_extent *e, uint64_t len);

/* Whether memory of this backing is freed by its place in a file. */
bool fph_reclaim_is_punched(uint32_t backing);

/*
 * Free an extent, whose ends are those of whole pages of the backing.  Private
 * memory is gathered in a vector, which is worked on when it is full, when
 * another call is due, and by flush.
 */
void fph_reclaim_free_extent(struct fph_reclaim *rc,
			     const struct fph_extent *e);
void fph_reclaim_flush(struct fph_reclaim *rc);

#endif /* FPH_VMM_RECLAIM_INTERNAL_H */
