/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One engine for every discard: gives memory of the guest back to the host.
 *
 * It picks the call that really frees the memory for each kind of backing,
 * merges nothing (the runs it gets are merged), vectors scattered private
 * memory into few system calls where the kernel allows, trims to whole pages
 * of the backing, and says what it did.
 *
 *	backing			call			outcome
 *	ANON			process_madvise or	DISCARDED, or LAZY with
 *				madvise DONTNEED	FPH_RECLAIM_LAZY (FREE)
 *	SHMEM, FILE, HUGETLB	fallocate PUNCH_HOLE	DISCARDED
 *	HUGETLB_ANON		madvise DONTNEED	DISCARDED
 *	FILE_PRIVATE		none			SKIPPED: the file's old
 *							content would come back
 *	LOCKED region		none			SKIPPED
 *	CONFIDENTIAL region	none			SKIPPED
 *	READONLY region		none			SKIPPED
 *
 * Hosted, Linux.  An object belongs to one thread at a time.
 */
#ifndef FPH_VMM_RECLAIM_H
#define FPH_VMM_RECLAIM_H

#include <sys/types.h>
#include <sys/uio.h>

#include <fph-vmm/memory.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why memory was not freed; the index of fph_reclaim_counters.skipped. */
enum fph_skip_reason {
	FPH_SKIP_FILE_PRIVATE	= 0,
	FPH_SKIP_LOCKED		= 1,
	FPH_SKIP_CONFIDENTIAL	= 2,
	FPH_SKIP_READONLY	= 3,
	FPH_SKIP_UNMAPPED	= 4,	/* not guest memory */
	FPH_SKIP_VFIO		= 5,	/* inhibited: a device has it pinned */
	FPH_SKIP_POSTCOPY	= 6,	/* inhibited: incoming postcopy */
	FPH_SKIP_SNAPSHOT	= 7,	/* inhibited: a snapshot is read */
	FPH_SKIP_USERFAULTFD	= 8,	/* inhibited: faults are served */
	FPH_SKIP_EMBEDDER	= 9,	/* inhibited: the VMM's own reason */
	FPH_SKIP_BACKOFF	= 10,	/* a discard failed just before */
	FPH_SKIP_DISABLED	= 11,	/* too many discards failed */
	FPH_NSKIP		= 12
};

/* What became of one run. */
enum fph_reclaim_result {
	FPH_RECLAIM_DISCARDED	= 1,	/* all of it that could be was freed */
	FPH_RECLAIM_LAZY	= 2,	/* freed when the host needs it */
	FPH_RECLAIM_SKIPPED	= 3,	/* nothing was freed, by policy */
	FPH_RECLAIM_FAILED	= 4	/* at least one system call failed */
};

/*
 * The system calls, with their own results and errno; all three are set.  For
 * fault injection, or a broker that does them.  process_madvise works on the
 * calling process.  off_t has 64 bits.
 */
struct fph_reclaim_ops {
	int (*fallocate)(int fd, int mode, off_t offset, off_t len);
	int (*madvise)(void *addr, size_t len, int advice);
	ssize_t (*process_madvise)(const struct iovec *iov, size_t n,
				   int advice);
};

/* fph_reclaim_params.flags */
#define FPH_RECLAIM_USE_FREE	1u	/* MADV_FREE for ANON: lazy */
#define FPH_RECLAIM_NO_VECTOR	2u	/* never process_madvise */

struct fph_reclaim_params {
	size_t size;			/* sizeof this struct */
	struct fph_memory *memory;
	const struct fph_reclaim_ops *ops;	/* NULL: the system's; stays */
	uint32_t flags;			/* FPH_RECLAIM_* */
	uint32_t max_failures;		/* in a row, then off; 0: 16 */
};

/*
 * Bytes unless said otherwise; all only grow.  Every byte of a run is counted
 * once: bytes is the sum of discarded, lazy, trimmed, failed and all skipped.
 * Calls are counted each time they are made, repeats too; a call that was
 * repeated or replaced with success is no failure.
 */
struct fph_reclaim_counters {
	uint64_t runs;			/* runs taken */
	uint64_t bytes;			/* in them */
	uint64_t discarded;
	uint64_t lazy;
	uint64_t trimmed;		/* not a whole page of the backing */
	uint64_t failed;
	uint64_t skipped[FPH_NSKIP];	/* by enum fph_skip_reason */
	uint64_t fallocate_calls;	/* calls */
	uint64_t madvise_calls;		/* calls */
	uint64_t process_madvise_calls;	/* calls */
	uint64_t failures;		/* calls that failed for good */
};

/*
 * How much one call of fph_reclaim_discard may do; 0 is no limit.  The clock
 * is read between runs: a run is never cut, and a vector of at most 64 MiB is
 * still worked on after the time is over.
 */
struct fph_reclaim_budget {
	uint32_t runs;
	uint64_t bytes;			/* stops after the run that reaches it */
	uint64_t nanoseconds;		/* of CLOCK_MONOTONIC */
};

#define FPH_RECLAIM_VECTOR	1024	/* entries of one process_madvise */

/* Members are private. */
struct fph_reclaim {
	uint32_t magic;
	uint32_t flags;
	uint32_t max_failures;
	uint32_t failures_in_row;
	uint32_t backoff;		/* runs still to be skipped */
	uint32_t nvec;
	bool no_vector;			/* the kernel does not take it */
	bool disabled;
	uint32_t inhibit[FPH_NSKIP];
	struct fph_memory *memory;
	const struct fph_reclaim_ops *ops;
	struct fph_reclaim_counters counters;
	struct iovec vec[FPH_RECLAIM_VECTOR];
	uint32_t vec_run[FPH_RECLAIM_VECTOR];	/* the run of each entry */
	uint64_t page_size;		/* of the system, bytes */
	uint64_t reserved[3];
};

/*
 * fph_reclaim_init - prepare the engine
 *
 * memory and ops stay in use; the map may change between two calls of
 * discard.
 *
 * FPH_OK, FPH_EINVAL (size, a set bit in an unknown tail, memory, ops, flags).
 */
FPH_API int fph_reclaim_init(struct fph_reclaim *rc,
			     const struct fph_reclaim_params *params);

/*
 * fph_reclaim_reset - enable it again after failures
 *
 * Ends a back-off too, and asks the kernel for vectors again.  Counters and
 * inhibitors stay.
 *
 * FPH_OK, FPH_EUNINIT.
 */
FPH_API int fph_reclaim_reset(struct fph_reclaim *rc);

/*
 * fph_reclaim_discard - free the memory of some runs
 *
 * runs, n: disjoint; best in ascending order.  results: n entries of enum
 * fph_reclaim_result.  budget: NULL for none.
 *
 * A run that crosses regions is split; what is not guest memory is skipped
 * and counted.  Pages are those of the backing: a piece is trimmed inwards to
 * them in the file, or at the host's address (R6).
 *
 * A failed call makes its run FAILED; other pieces of it are tried all the
 * same.  After k failed calls in a row the next 2^k runs (65536 at the most)
 * are skipped, after max_failures all of them, until reset.  A call that is
 * interrupted (EINTR, EAGAIN) is repeated a few times first.
 *
 * Where the kernel or a filter does not take process_madvise, one madvise per
 * piece does the same; that is found out once and remembered.
 *
 * The number of runs worked on from the front, 1 to n (0 for n == 0; INT_MAX
 * at the most): their results are set and their memory is free; call again for
 * the rest.  FPH_EUNINIT.
 */
FPH_API int fph_reclaim_discard(struct fph_reclaim *rc,
				const struct fph_run *runs, uint32_t n,
				uint8_t *results,
				const struct fph_reclaim_budget *budget);

/*
 * fph_reclaim_freeze, fph_reclaim_thaw - inhibit discards, and allow them
 *
 * reason: FPH_SKIP_VFIO to FPH_SKIP_EMBEDDER.  Nests, counted by reason.
 * While inhibited runs are SKIPPED: their chains are acknowledged without a
 * discard.  Once freeze has returned, no discard of this object is going on.
 * With several reasons the bytes count for the first of them.
 *
 * FPH_OK, FPH_EINVAL (reason), FPH_ESTATE (thaw without freeze), FPH_EUNINIT.
 */
FPH_API int fph_reclaim_freeze(struct fph_reclaim *rc, int reason);
FPH_API int fph_reclaim_thaw(struct fph_reclaim *rc, int reason);

/* Whether repeated failures have switched the engine off. */
FPH_API bool fph_reclaim_is_disabled(const struct fph_reclaim *rc);

/* Copy the counters.  FPH_OK, FPH_EUNINIT. */
FPH_API int fph_reclaim_get_counters(const struct fph_reclaim *rc,
				     struct fph_reclaim_counters *out);

#ifdef __cplusplus
}
#endif

#endif /* FPH_VMM_RECLAIM_H */
