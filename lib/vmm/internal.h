/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What memory and reclaim know of each other.  Not installed.
 *
 *	memory.c	the map of guest memory
 *	reclaim.c	which memory of a run is to be freed, in which budget
 *	reclaim_calls.c	the calls that free it, and what became of them
 *	reclaim_ops.c	the calls of the system
 */
#ifndef FPH_VMM_INTERNAL_H
#define FPH_VMM_INTERNAL_H

#include <fph-vmm/reclaim.h>

#define FPH_MEMORY_MAGIC	0x6670686du	/* "fphm" */
#define FPH_RECLAIM_MAGIC	0x66706872u	/* "fphr" */

/*
 * fph_memory_gap - how much at the front of a range is not guest memory
 *
 * All of it when it wraps, or when m is not initialised; 0 when gpa is guest
 * memory.
 */
uint64_t fph_memory_gap(const struct fph_memory *m, uint64_t gpa,
			uint64_t len);

/* One call of fph_reclaim_discard. */
struct fph_pass {
	struct fph_reclaim *rc;
	uint8_t *results;
	uint64_t vec_limit;	/* bytes of a vector */
	uint64_t vec_bytes;	/* in the vector now */
	uint64_t failed_run;	/* the last one with a failed call */
	uint64_t held_run;	/* the last one held back */
	int held_reason;
};

#define FPH_NO_RUN	0xffffffffffffffffu

/*
 * Whether bytes of a run may be tried now; counted as skipped if not.  Asked
 * for each piece, for while a vector is worked on the run before may fail.
 */
bool fph_pass_is_admitted(struct fph_pass *p, uint32_t run, uint64_t bytes);

/*
 * Free memory of a run: by its place in a file, or by its address.  What is
 * gathered in the vector is done when the vector is full, when another call
 * is due, and by flush.
 */
void fph_pass_punch(struct fph_pass *p, uint32_t run, int fd, uint64_t offset,
		    uint64_t len);
void fph_pass_advise(struct fph_pass *p, uint32_t run, int backing, void *host,
		     uint64_t len);
void fph_pass_flush(struct fph_pass *p);

extern const struct fph_reclaim_ops fph_reclaim_system_ops;

#endif /* FPH_VMM_INTERNAL_H */
