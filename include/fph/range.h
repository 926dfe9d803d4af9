/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Ranges of guest-physical memory, and the coalescer.
 *
 * The coalescer takes ranges in any order, each with an owner, and gives back
 * maximal disjoint runs in ascending order.  Runs are aligned inwards to a
 * granule after the merge, so that neighbours complete each other's huge
 * page.  A run is named by a token; giving the token back returns the added
 * ranges of that run one by one, as they were added.  Both sides stand on it:
 * a host merges what it discards and returns chains, a guest merges what goes
 * on the wire and gets its pages back.
 *
 *        add           next             complete
 *   free ---> open ---------> handed out --------> free
 *
 * next closes the open set when the closed one is used up: what is added
 * while a closed set is being handed out waits for the following one.  Runs
 * ascend and are disjoint within one such set.
 *
 * All memory is the caller's.  Not thread-safe; any context, under any lock.
 */
#ifndef FPH_RANGE_H
#define FPH_RANGE_H

#include <fph/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A range of guest-physical memory, in bytes. */
struct fph_range {
	uint64_t gpa;
	uint64_t len;
};

/* One segment of a buffer, copied out of a descriptor. */
struct fph_seg {
	uint64_t gpa;		/* guest-physical address, bytes */
	uint32_t len;		/* bytes */
	uint32_t flags;		/* FPH_SEG_* */
};

#define FPH_SEG_WRITE	1u	/* device-writable ("in") */

/* Storage for one added range.  Members are private. */
struct fph_slot {
	uint64_t gpa;
	uint64_t len;
	uint32_t owner;
	uint32_t link;
};

struct fph_coalescer_counters {
	uint64_t added;			/* ranges added */
	uint64_t added_bytes;
	uint64_t runs;			/* runs handed out, empty ones too */
	uint64_t run_bytes;		/* bytes in them after the trim */
	uint64_t trimmed_bytes;		/* cut off to reach the granule */
	uint64_t overlap_bytes;		/* added more than once in one run */
};

/* Members are private. */
struct fph_coalescer {
	uint32_t magic;
	uint32_t nslots;
	uint32_t nfree;
	uint32_t nopen;
	uint32_t free_head;
	uint32_t open_head;
	uint32_t open_tail;
	uint32_t closed_head;
	bool disordered;		/* the open list needs a sort */
	struct fph_slot *slots;
	uint64_t granule;
	struct fph_coalescer_counters counters;
	uint64_t reserved[2];
};

/*
 * A maximal run.  len is 0 when the trim left nothing: complete it at once.
 * 2^64 bytes are more than len can say: a run of all addresses is one granule
 * shorter at its end.
 */
struct fph_run {
	uint64_t gpa;
	uint64_t len;
	uint32_t token;
};

/* One added range, as it was added. */
struct fph_member {
	struct fph_range range;
	uint32_t owner;
};

#define FPH_NO_TOKEN	0xffffffffu

/*
 * fph_coalescer_init - prepare a coalescer
 *
 * slots, nslots: storage, 1 to 0x7fffffff; stays in use until the object
 * goes.  granule: alignment of runs in bytes, a power of two; 1 trims nothing.
 *
 * FPH_OK, FPH_EINVAL.
 */
FPH_API int fph_coalescer_init(struct fph_coalescer *c, struct fph_slot *slots,
			       uint32_t nslots, uint64_t granule);

/*
 * fph_coalescer_reset - forget every range; counters stay
 *
 * The tokens that were out are void.  Takes time for every slot.
 *
 * FPH_OK, FPH_EUNINIT.
 */
FPH_API int fph_coalescer_reset(struct fph_coalescer *c);

/*
 * fph_coalescer_add - add one range
 *
 * gpa, len: bytes, not empty, gpa + len - 1 does not wrap.  owner: returned
 * with the range.  Ranges may overlap and repeat.  Amortised constant time
 * for ranges that ascend, descend, or grow from both ends.
 *
 * FPH_OK, FPH_EINVAL, FPH_EFULL (every slot is in use), FPH_EUNINIT.
 */
FPH_API int fph_coalescer_add(struct fph_coalescer *c, uint64_t gpa,
			      uint64_t len, uint32_t owner);

/*
 * fph_coalescer_next - take the next run
 *
 * Sorts the open set when it has to (n log n, in place, no recursion).
 *
 * 1 (*run is set), 0 (nothing is waiting), FPH_EUNINIT.
 */
FPH_API int fph_coalescer_next(struct fph_coalescer *c, struct fph_run *run);

/*
 * fph_coalescer_complete - take back the ranges of a run, one a call
 *
 * *token: as given by next; advanced by the call, FPH_NO_TOKEN after the
 * last range.  m may be NULL.  The range's slot is free again.
 *
 * 1 (*m is set), 0 (*token is FPH_NO_TOKEN), FPH_EINVAL (no run that is out
 * has that token), FPH_EUNINIT.
 */
FPH_API int fph_coalescer_complete(struct fph_coalescer *c, uint32_t *token,
				   struct fph_member *m);

/* Slots that are free now.  0 for an object that is not initialised. */
FPH_API uint32_t fph_coalescer_get_free(const struct fph_coalescer *c);

/* Copies the counters; FPH_OK or FPH_EUNINIT. */
FPH_API int fph_coalescer_get_counters(const struct fph_coalescer *c,
				       struct fph_coalescer_counters *out);

#ifdef __cplusplus
}
#endif

#endif /* FPH_RANGE_H */
