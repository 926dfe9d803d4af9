/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Guest side: two policies for a driver that looks at free memory itself.
 *
 *	arms	makes hints that take no page safe on hosts that break rule D6
 *	pace	which free memory to report next, and when
 *
 * Both are values in, values out: they touch no memory, queue or clock.  Any
 * context.  Time is nanoseconds from any start, never backwards.
 * <fph/status.h> has the rules for memory, parameters and threads.
 */
#ifndef FPH_POLICY_H
#define FPH_POLICY_H

#include <fph/guest.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ arms -- */

/*
 * QEMU with KVM clears its dirty log a unit at a time, when the first page of
 * the unit is sent or hinted, and forgets what was written between the last
 * sync and then.  So a driver in mode NEVER arms each unit first: it hints a
 * page of its own there, which nobody writes, and looks for free pages only
 * when the device has used that hint.  (Rule V17 of the specification.)
 *
 *	begin		a round
 *	  next		a unit that has no arm yet; allocate a page in it,
 *	  set		fph_hinter_add it, and say which it is
 *	flush, submit, complete of the hinter, until is_ready
 *	  allows	whether what was seen free may be added
 *	release		when the round is over: pages to give back
 *
 * A unit without an arm, because it has no free page or no memory at all, is not
 * hinted in this round.
 */
struct fph_arms;

struct fph_arms_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t shift;			/* a unit has 2^shift bytes, 12 to 63;
					   0: 30, QEMU's default */
	uint64_t gpa;			/* the guest's memory, holes with it: */
	uint64_t len;			/* it need not begin with a unit */
};

/* A range of guest memory. */
struct fph_unit {
	uint64_t gpa;
	uint64_t len;
};

/* Upper bound of fph_arms_size for a number of units, as a constant. */
#define FPH_ARMS_SIZE(units)	(128u + 8u * (size_t)(units))

/* Bytes of memory that init takes; 0: parameters that it refuses.  O(1). */
FPH_API size_t fph_arms_size(const struct fph_arms_params *params);

/*
 * fph_arms_init - make an object in mem; no round
 *
 * Memory for the arms is not touched before next gives their units.
 *
 * FPH_OK (*a is set); FPH_EINVAL (a NULL, alignment, size, a parameter).
 * O(1).
 */
FPH_API int fph_arms_init(struct fph_arms **a, void *mem, size_t size,
			  const struct fph_arms_params *params);

/*
 * fph_arms_begin - arm for an id
 *
 * id: as fph_hinter_get_id gave it, not 0.
 *
 * FPH_OK; FPH_EBUSY (arms of the last round are not released), FPH_EINVAL (id),
 * FPH_EUNINIT.  O(1).
 */
FPH_API int fph_arms_begin(struct fph_arms *a, uint32_t id);

/*
 * fph_arms_next - the next unit, from the highest to the lowest
 *
 * 1 (*unit is set, no more than the guest's memory), 0 (that was the last),
 * FPH_EINVAL (NULL), FPH_ESTATE (no round: begin), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_arms_next(struct fph_arms *a, struct fph_unit *unit);

/*
 * fph_arms_set - the page at gpa is the arm of the unit that next gave last
 *
 * What is added to the hinter for it must hold a whole page of the host: take
 * the largest that the host may have, or the device leaves the hint out.
 *
 * FPH_OK; FPH_EINVAL (gpa is not in it), FPH_EEXIST (it has one), FPH_ESTATE
 * (next has given none), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_arms_set(struct fph_arms *a, uint64_t gpa);

/*
 * fph_arms_is_ready - whether the device has used all arms
 *
 * That is when next has answered 0, and nothing waits in the hinter or is with
 * the device; add nothing else before.  Once true it stays so, until the
 * hinter collects for another id.
 *
 * 1, 0, FPH_ESTATE (no round, or the hinter collects for another id or for
 * none: release, then begin), FPH_EINVAL (h is NULL or not one), FPH_EUNINIT.
 * O(1).
 */
FPH_API int fph_arms_is_ready(struct fph_arms *a, const struct fph_hinter *h);

/*
 * fph_arms_allows - whether [gpa, gpa + len) may be hinted
 *
 * True when is_ready has said 1 and each unit that the range touches has an
 * arm.  False also for an empty range, for one that is not all in the guest's
 * memory, and if not initialised.  O(units touched).
 */
FPH_API bool fph_arms_allows(const struct fph_arms *a, uint64_t gpa,
			     uint64_t len);

/*
 * fph_arms_release - the pages that were arms, one at a time
 *
 * Nothing is allowed any more from the first call on.  Release when the
 * hinter's round is over, or was reset: a hint that is still with the device
 * must stay what it says.
 *
 * 1 (*gpa is set), 0 (that was the last: no round), FPH_EINVAL (NULL),
 * FPH_EUNINIT.  All calls together O(units).
 */
FPH_API int fph_arms_release(struct fph_arms *a, uint64_t *gpa);

/* ------------------------------------------------------------------ pace -- */

/*
 * How reporting adapts.  Memory is reported in passes over what is free, each
 * for blocks of one order (2^order pages of the guest) and larger, as far as
 * they are not reported yet: the allocator remembers that of each free block.
 *
 *	get_deadline	when to begin the next pass
 *	get_order	and for which blocks
 *	end_pass	what the pass has reported, once all of it is back
 *	add_reused	reported memory was allocated, at any time
 *
 * It begins with the largest blocks.  A pass that finds nothing new, while
 * little is allocated again, leads to the next smaller order: an idle guest
 * gives back everything.  When more than a part of what was reported of late is
 * allocated again, the next pass waits twice as long and takes larger blocks:
 * a guest at work is left alone.
 */
struct fph_pace;

struct fph_pace_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t min_order;		/* smallest blocks that pay */
	uint32_t max_order;		/* largest; 0: 9 */
	uint32_t reuse_shift;		/* back off when more than 1/2^shift
					   is allocated again; 0: 2 */
	uint64_t min_delay;		/* between passes, ns; 0: 2 s, as Linux */
	uint64_t max_delay;		/* 0: 64 s */
};

struct fph_pace_counters {
	uint64_t passes;		/* calls of end_pass */
	uint64_t reported_bytes;	/* that end_pass was told */
	uint64_t reused_bytes;		/* that add_reused was told */
	uint64_t finer;			/* times a smaller order was chosen */
	uint64_t backed_off;		/* times it was left alone */
};

#define FPH_PACE_SIZE		((size_t)160)	/* bytes of memory */

/*
 * fph_pace_init - make an object in mem; the first pass is due at now
 *
 * size: of mem, FPH_PACE_SIZE or more.
 *
 * FPH_OK (*p is set); FPH_EINVAL (a NULL, alignment, size, a parameter).
 * O(1).
 */
FPH_API int fph_pace_init(struct fph_pace **p, void *mem, size_t size,
			  const struct fph_pace_params *params, uint64_t now);

/*
 * fph_pace_add_reused - reported memory was allocated
 *
 * bytes: of the memory that was allocated, what the device had used and was free
 * since; also of a pass that is not over yet.
 *
 * FPH_OK, FPH_EUNINIT.  O(1).
 */
FPH_API int fph_pace_add_reused(struct fph_pace *p, uint64_t bytes);

/*
 * fph_pace_end_pass - a pass is over
 *
 * It is over when the allocator has no more blocks for it and the last of its
 * buffers has come back: at once if it found none.  A reset of the device ends
 * it as it stands.  Call this once for each pass, also for one that found
 * nothing: that is how a smaller order comes.
 *
 * now: when it was over; the delay to the next pass begins then.
 * reported: bytes of the pass that the device has used, as take_back of the
 * reporter gives them with used set.  What came back unused does not count.
 *
 * FPH_OK, FPH_EUNINIT.  O(1).
 */
FPH_API int fph_pace_end_pass(struct fph_pace *p, uint64_t now,
			      uint64_t reported);

/*
 * The order of the next pass, min_order to max_order; end_pass may change it.
 * Or FPH_EUNINIT.  O(1).
 */
FPH_API int fph_pace_get_order(const struct fph_pace *p);

/*
 * fph_pace_get_deadline - when to begin the next pass
 *
 * *when: min_delay to max_delay after the latest end_pass; it may have passed.
 *
 * FPH_OK (*when is set), FPH_EINVAL (NULL), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_pace_get_deadline(const struct fph_pace *p, uint64_t *when);

/*
 * Copy the counters; size: sizeof the caller's struct.  FPH_OK, FPH_EINVAL,
 * FPH_EUNINIT.  O(1).
 */
FPH_API int fph_pace_get_counters(const struct fph_pace *p,
				  struct fph_pace_counters *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* FPH_POLICY_H */
