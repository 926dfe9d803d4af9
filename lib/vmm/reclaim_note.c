/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What became of the parts of a run. */
#include "core/common.h"
#include "vmm/reclaim_internal.h"

/*
 * A run is as bad as its worst part.  The edges that were trimmed count only
 * where nothing else is left of the run.
 */
static void raise_outcome(struct fph_run *run, int outcome, int reason)
{
	static const uint8_t weight[] = {
		[FPH_OUTCOME_NONE] = 0,
		[FPH_OUTCOME_TRIMMED] = 1,
		[FPH_OUTCOME_DISCARDED] = 2,
		[FPH_OUTCOME_LAZY] = 3,
		[FPH_OUTCOME_SKIPPED] = 4,
		[FPH_OUTCOME_FAILED] = 5,
	};

	if (weight[outcome] <= weight[run->outcome])
		return;
	run->outcome = (uint8_t)outcome;
	run->reason = (uint8_t)reason;
}

static uint64_t *get_counter(struct fph_reclaim *rc, int outcome, int reason)
{
	switch (outcome) {
	case FPH_OUTCOME_DISCARDED:
		return &rc->counters.discarded;
	case FPH_OUTCOME_LAZY:
		return &rc->counters.lazy;
	case FPH_OUTCOME_TRIMMED:
		return &rc->counters.trimmed;
	case FPH_OUTCOME_FAILED:
		return &rc->counters.failed;
	default:
		return &rc->counters.skipped[reason];
	}
}

void fph_reclaim_note(struct fph_reclaim *rc, const struct fph_extent *e,
		      int outcome, int reason)
{
	struct fph_run *run = &rc->runs[e->run];
	uint64_t gpa = e->gpa;
	uint64_t left = e->len;

	if (!left)
		return;
	*get_counter(rc, outcome, reason) += left;
	rc->counters.bytes += left;
	/* The extent begins inside its first run. */
	for (; left; run++) {
		uint64_t n = run->len - (gpa - run->gpa);

		if (n > left)
			n = left;
		raise_outcome(run, outcome, reason);
		if (outcome == FPH_OUTCOME_DISCARDED)
			run->freed += n;
		gpa += n;
		left -= n;
	}
}

bool fph_reclaim_is_punched(uint32_t backing)
{
	return backing == FPH_BACKING_SHMEM || backing == FPH_BACKING_FILE ||
	       backing == FPH_BACKING_HUGETLB;
}

struct fph_extent fph_reclaim_take_front(const struct fph_reclaim *rc,
					 struct fph_extent *e, uint64_t len)
{
	struct fph_extent front = *e;
	const struct fph_run *runs = rc->runs;

	front.len = len;
	e->gpa += len;
	e->len -= len;
	/* Where nothing is left there may be no further run. */
	while (e->len && e->gpa - runs[e->run].gpa >= runs[e->run].len)
		e->run++;
	return front;
}
