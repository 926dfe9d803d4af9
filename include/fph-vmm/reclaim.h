/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One engine for every discard: gives memory of the guest back to the host.
 *
 * It picks the call that really frees the memory for each kind of backing,
 * vectors scattered private memory into few system calls where the kernel
 * allows, joins neighbours in a file, trims to whole pages of the backing, and
 * says what it did.
 *
 *	backing			call			outcome
 *	ANON			process_madvise or	DISCARDED, or LAZY with
 *				madvise DONTNEED	FPH_RECLAIM_USE_FREE
 *	SHMEM, FILE, HUGETLB	fallocate PUNCH_HOLE	DISCARDED
 *	HUGETLB_ANON		madvise DONTNEED	DISCARDED
 *	FILE_PRIVATE		none			SKIPPED: the file's old
 *							content would come back
 *	LOCKED region		none			SKIPPED
 *	CONFIDENTIAL region	none			SKIPPED
 *	READONLY region		none			SKIPPED
 *
 * Hosted, Linux.  <fph/status.h> has the rules for parameters, batches and
 * threads.
 */
#ifndef FPH_VMM_RECLAIM_H
#define FPH_VMM_RECLAIM_H

#include <sys/types.h>

#include <fph-vmm/memory.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fph_reclaim;

/*
 * The system calls, with their own results and errno; all three are set.  For
 * fault injection, or a broker that does them.  process_madvise works on the
 * calling process.  Offsets have 64 bits everywhere.
 */
struct fph_reclaim_ops {
	int (*fallocate)(int fd, int mode, int64_t offset, int64_t len);
	int (*madvise)(void *addr, size_t len, int advice);
	ssize_t (*process_madvise)(const struct iovec *iov, size_t n,
				   int advice);
};

/* fph_reclaim_params.flags */
#define FPH_RECLAIM_USE_FREE	1u	/* MADV_FREE for ANON: lazy */
#define FPH_RECLAIM_NO_VECTOR	2u	/* never process_madvise */

struct fph_reclaim_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t flags;			/* FPH_RECLAIM_* */
	const struct fph_memory *memory;	/* stays in use */
	const struct fph_reclaim_ops *ops;	/* NULL: the system's; stays */
	uint32_t max_failures;		/* in a row, then off; 0: 16 */
	uint32_t reserved;
};

/*
 * Bytes unless said otherwise; all only grow.  Every byte of a run is counted
 * once: bytes is the sum of discarded, lazy, trimmed, failed and all skipped.
 * Calls are counted each time they are made, repeats too; a call that was
 * repeated or replaced with success is no failure.
 */
struct fph_reclaim_counters {
	uint64_t runs;			/* runs finished */
	uint64_t bytes;			/* worked on */
	uint64_t discarded;
	uint64_t lazy;
	uint64_t trimmed;		/* not a whole page of the backing */
	uint64_t failed;
	uint64_t skipped[24];		/* by enum fph_skip_reason */
	uint64_t fallocate_calls;	/* calls */
	uint64_t madvise_calls;		/* calls */
	uint64_t process_madvise_calls;	/* calls */
	uint64_t failures;		/* calls that failed for good */
};

/*
 * How much work a call may do; 0 is no limit.  A limit is kept also inside one
 * large run, by calls on parts of it: no call takes longer than the time it
 * was given and one part of at most 4 MiB more.
 */
struct fph_budget {
	uint64_t nanoseconds;		/* of CLOCK_MONOTONIC */
	uint64_t bytes;
	uint32_t buffers;		/* fph_balloon_pump: taken from rings */
	uint32_t reserved;
};

/*
 * fph_reclaim_new - make an engine
 *
 * The map may change between two calls of discard.
 *
 * *status: FPH_OK, FPH_EINVAL (a NULL, size, an unknown member that is set,
 * ops, flags), FPH_ENOMEM; may be NULL.  NULL on failure.
 */
FPH_API struct fph_reclaim *
fph_reclaim_new(const struct fph_reclaim_params *params, int *status);

/* Free it; NULL is fine. */
FPH_API void fph_reclaim_free(struct fph_reclaim *rc);

/*
 * fph_reclaim_enable - enable it again after failures
 *
 * Ends a back-off too, and asks the kernel for vectors again.  Counters and
 * inhibitors stay.  FPH_OK, FPH_EUNINIT.  O(1).
 */
FPH_API int fph_reclaim_enable(struct fph_reclaim *rc);

/*
 * fph_reclaim_discard - free the memory of runs
 *
 * runs, n: of reports or of what was inflated, never of hints (D7); disjoint,
 * best in ascending order, and many at a time.  Sets done, freed, outcome and
 * reason of each.  budget: NULL for none.
 *
 * A run that crosses regions is split; what is not guest memory is skipped
 * and counted.  Pages are those of the backing: a piece is trimmed inwards to
 * them in the file, or at the host's address (R6); pieces of neighbouring runs
 * complete each other's huge page.  outcome says the worst that happened to a
 * part of the run, from DISCARDED to FAILED; freed says how much is free.
 *
 * A failed call makes its run FAILED; other pieces of it are tried all the
 * same.  After k failed calls in a row for memory of a region the next 2^k
 * runs (65536 at the most) in it are skipped, after max_failures all of them,
 * until enable.  A call that is interrupted (EINTR, EAGAIN) is repeated a few
 * times first.
 *
 * Where the kernel or a filter does not take process_madvise, one madvise per
 * piece does the same; that is found out once and remembered.
 *
 * The number of runs finished, from the front; fewer than n when the budget
 * ended: then done of the next one may have begun to grow.  Call again with the
 * rest.  0 (the budget ended inside the first), FPH_EINVAL (n is 0, or a run
 * is empty or wraps), FPH_EUNINIT.  O(n) system calls for memory in files, one
 * for each 1024 pieces of anonymous memory.
 */
FPH_API int fph_reclaim_discard(struct fph_reclaim *rc, struct fph_run *runs,
				uint32_t n, const struct fph_budget *budget);

/*
 * fph_reclaim_inhibit, fph_reclaim_allow - forbid discards, and allow them
 *
 * reason: FPH_SKIP_VFIO to FPH_SKIP_EMBEDDER.  Counted by reason: each inhibit
 * needs its allow.  While inhibited, runs are SKIPPED: their buffers are
 * acknowledged without a discard.  With several reasons the bytes count for
 * the first of them.
 *
 * FPH_OK, FPH_EINVAL (reason), FPH_ESTATE (allow without inhibit),
 * FPH_EUNINIT.  O(1).
 */
FPH_API int fph_reclaim_inhibit(struct fph_reclaim *rc, int reason);
FPH_API int fph_reclaim_allow(struct fph_reclaim *rc, int reason);

/* Whether repeated failures have switched it off for a region.  O(regions). */
FPH_API bool fph_reclaim_is_disabled(const struct fph_reclaim *rc);

/*
 * Copy the counters; size: sizeof the caller's struct.  FPH_OK, FPH_EINVAL,
 * FPH_EUNINIT.  O(1).
 */
FPH_API int fph_reclaim_get_counters(const struct fph_reclaim *rc,
				     struct fph_reclaim_counters *out,
				     size_t size);

#ifdef __cplusplus
}
#endif

#endif /* FPH_VMM_RECLAIM_H */
