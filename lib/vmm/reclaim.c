/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The reclaim engine: which memory is to be freed.
 *
 * The runs of a call are walked from the front.  Runs that follow each other
 * without a gap are taken together, so that they complete each other's huge
 * page, and cut into extents: by regions, by whole pages of the backing, and,
 * where a budget asks for it, into parts.
 *
 * Each byte is counted once: bytes is the sum of discarded, lazy, trimmed,
 * failed and all of skipped.
 */
#include <limits.h>
#include <stdlib.h>

#include "core/common.h"
#include "vmm/memory_internal.h"
#include "vmm/reclaim_internal.h"
#include "vmm/system.h"

#define RECLAIM_MAGIC	0x66706872u	/* "fphr" */

/*
 * With a time limit the clock is read after each part.  Its size follows how
 * long the last ones took: 2 MiB take 20 us as a huge page and 500 us as small
 * ones that another thread has in its TLB.
 */
#define PART_FIRST	(UINT64_C(4) << 20)
#define PART_MIN	(UINT64_C(1) << 20)
#define PART_MAX	(UINT64_C(64) << 20)
#define PART_SHORT	UINT64_C(100000)	/* ns: the next one is larger */
#define PART_LONG	UINT64_C(400000)	/* ns: the next one is smaller */

#define MAX_FAILURES	16	/* by default */

#define RECLAIM_FLAGS	(FPH_RECLAIM_USE_FREE | FPH_RECLAIM_NO_VECTOR)

/* The size of the params struct in the first version of the interface. */
#define PARAMS_FIRST	sizeof(struct fph_reclaim_params)

/* Where a call is. */
struct walk {
	struct fph_run *runs;
	uint32_t n;
	uint32_t i;		/* the run that is worked on */
};

static bool is_live(const struct fph_reclaim *rc)
{
	return rc && rc->magic == RECLAIM_MAGIC;
}

static bool is_params_ok(const struct fph_reclaim_params *p)
{
	const struct fph_reclaim_ops *ops = p->ops;

	if (ops && (!ops->fallocate || !ops->madvise || !ops->process_madvise))
		return false;
	return !(p->flags & ~RECLAIM_FLAGS) && p->memory && !p->reserved;
}

struct fph_reclaim *fph_reclaim_new(const struct fph_reclaim_params *params,
				    int *status)
{
	struct fph_reclaim *rc = NULL;
	struct fph_reclaim_params p;
	int ret = FPH_EINVAL;

	if (fph_params_read(&p, sizeof(p), params, PARAMS_FIRST) &&
	    is_params_ok(&p)) {
		rc = calloc(1, sizeof(*rc));
		ret = rc ? FPH_OK : FPH_ENOMEM;
	}
	if (rc) {
		rc->magic = RECLAIM_MAGIC;
		rc->flags = p.flags;
		rc->max_failures = p.max_failures ? p.max_failures :
						    MAX_FAILURES;
		rc->memory = p.memory;
		rc->ops = p.ops ? p.ops : &fph_system_reclaim_ops;
		rc->page_size = fph_system_get_page_size();
		rc->part = PART_FIRST;
		rc->no_vector = rc->flags & FPH_RECLAIM_NO_VECTOR;
	}
	if (status)
		*status = ret;
	return rc;
}

void fph_reclaim_free(struct fph_reclaim *rc)
{
	free(rc);
}

int fph_reclaim_enable(struct fph_reclaim *rc)
{
	if (!is_live(rc))
		return FPH_EUNINIT;
	rc->ntroubles = 0;
	rc->no_vector = rc->flags & FPH_RECLAIM_NO_VECTOR;
	return FPH_OK;
}

/* --------------------------------------------------------------- extents -- */

/* Why a region is left alone, or FPH_SKIP_NONE. */
static int get_region_reason(const struct fph_region *r)
{
	if (r->flags & FPH_REGION_READONLY)
		return FPH_SKIP_READONLY;
	if (r->flags & FPH_REGION_CONFIDENTIAL)
		return FPH_SKIP_CONFIDENTIAL;
	if (r->flags & FPH_REGION_LOCKED)
		return FPH_SKIP_LOCKED;
	if (r->backing == FPH_BACKING_FILE_PRIVATE)
		return FPH_SKIP_FILE_PRIVATE;
	return FPH_SKIP_NONE;
}

static uint64_t get_page_size(const struct fph_reclaim *rc,
			      const struct fph_region *r)
{
	return r->page_size > rc->page_size ? r->page_size : rc->page_size;
}

/* Where gpa is among the pages of the backing: in the file or by address. */
static uint64_t get_place(const struct fph_region *r, uint64_t gpa)
{
	uint64_t base = fph_reclaim_is_punched(r->backing) ? r->fd_offset :
			(uint64_t)(uintptr_t)r->host;

	return base + (gpa - r->gpa);
}

/*
 * Cuts an extent down to whole pages.  Inwards, always (R6): madvise would
 * round the end up, and free what was never offered.
 */
static void trim(struct fph_reclaim *rc, struct fph_extent *e)
{
	uint64_t mask = get_page_size(rc, e->region) - 1;
	uint64_t head = (0 - get_place(e->region, e->gpa)) & mask;
	struct fph_extent edge, whole;

	edge = fph_reclaim_take_front(rc, e, head < e->len ? head :
					     e->len);
	fph_reclaim_note(rc, &edge, FPH_OUTCOME_TRIMMED, FPH_SKIP_NONE);
	whole = fph_reclaim_take_front(rc, e, e->len & ~mask);
	fph_reclaim_note(rc, e, FPH_OUTCOME_TRIMMED, FPH_SKIP_NONE);
	*e = whole;
}

/* Ends an extent of more than part bytes behind a whole page. */
static void cut(const struct fph_reclaim *rc, struct fph_extent *e,
		uint64_t part)
{
	uint64_t page = get_page_size(rc, e->region);
	uint64_t off = get_place(e->region, e->gpa) & (page - 1);
	uint64_t end;

	if (e->len <= part)
		return;
	end = (off + part) & ~(page - 1);
	if (!end)
		end = page;
	if (end - off < e->len)
		e->len = end - off;
}

static void free_extent(struct fph_reclaim *rc, struct fph_extent *e)
{
	int reason = get_region_reason(e->region);

	if (reason) {
		fph_reclaim_note(rc, e, FPH_OUTCOME_SKIPPED, reason);
		return;
	}
	trim(rc, e);
	if (e->len)
		fph_reclaim_free_extent(rc, e);
}

/* ------------------------------------------------------------------ walk -- */

/* Some bytes were worked on. */
static void advance(struct walk *w, uint64_t len)
{
	while (len) {
		struct fph_run *run = &w->runs[w->i];
		uint64_t n = run->len - run->done;

		if (n > len)
			n = len;
		run->done += n;
		len -= n;
		if (run->done == run->len)
			w->i++;
	}
}

/* What follows without a gap, until it is limit bytes or more. */
static void gather(const struct walk *w, struct fph_extent *e, uint64_t limit)
{
	const struct fph_run *run = &w->runs[w->i];
	uint32_t i = w->i + 1;

	e->run = w->i;
	e->gpa = run->gpa + run->done;
	e->len = run->len - run->done;
	for (; i < w->n && e->len < limit && e->gpa + e->len; i++) {
		if (w->runs[i].gpa != e->gpa + e->len || w->runs[i].done)
			break;
		e->len += w->runs[i].len;
	}
}

/* Works on one extent; how many bytes it was. */
static uint64_t step(struct fph_reclaim *rc, struct walk *w, uint64_t part)
{
	const struct fph_run *run = &w->runs[w->i];
	const struct fph_memory *m = rc->memory;
	const struct fph_region *r =
		fph_memory_get_region(m, run->gpa + run->done);
	struct fph_extent e = { .region = r };
	struct fph_range rest;
	struct fph_piece piece;
	uint64_t len;

	/* A page more than a part, so that the cut leaves no edge behind. */
	if (r && part <= UINT64_MAX - get_page_size(rc, r))
		gather(w, &e, part + get_page_size(rc, r));
	else
		gather(w, &e, part);
	rest.gpa = e.gpa;
	rest.len = e.len;
	if (!r || fph_memory_next(m, &rest, &piece) <= 0) {
		e.len = fph_memory_gap(m, e.gpa, e.len);
		fph_reclaim_note(rc, &e, FPH_OUTCOME_SKIPPED,
				 FPH_SKIP_UNMAPPED);
		advance(w, e.len);
		return e.len;
	}
	e.len = piece.len;
	cut(rc, &e, part);
	len = e.len;
	free_extent(rc, &e);
	advance(w, len);
	return len;
}

/* The reason that inhibits discards now, or FPH_SKIP_NONE. */
static int get_inhibitor(const struct fph_reclaim *rc)
{
	for (int reason = FPH_SKIP_VFIO; reason <= FPH_SKIP_EMBEDDER; reason++)
		if (rc->inhibit[reason])
			return reason;
	return FPH_SKIP_NONE;
}

static void skip_all(struct fph_reclaim *rc, struct walk *w, int reason)
{
	struct fph_extent e = { .region = NULL };

	while (w->i < w->n) {
		gather(w, &e, 0);
		fph_reclaim_note(rc, &e, FPH_OUTCOME_SKIPPED, reason);
		advance(w, e.len);
	}
}

/* ---------------------------------------------------------------- budget -- */

static void set_part(struct fph_reclaim *rc, uint64_t spent)
{
	if (spent < PART_SHORT && rc->part < PART_MAX)
		rc->part *= 2;
	else if (spent > PART_LONG && rc->part > PART_MIN)
		rc->part /= 2;
}

static void walk_timed(struct fph_reclaim *rc, struct walk *w,
		       const struct fph_budget *budget)
{
	uint64_t start = fph_system_get_time();
	uint64_t last = start;
	uint64_t bytes = 0, since = 0;

	while (w->i < w->n && (!budget->bytes || bytes < budget->bytes)) {
		uint64_t part = rc->part - since;
		uint64_t n, now;

		if (budget->bytes && budget->bytes - bytes < part)
			part = budget->bytes - bytes;
		n = step(rc, w, part);
		bytes += n;
		since += n;
		if (since < rc->part && w->i < w->n)
			continue;
		fph_reclaim_flush(rc);
		now = fph_system_get_time();
		set_part(rc, now - last);
		if (now - start >= budget->nanoseconds)
			break;
		last = now;
		since = 0;
	}
}

static void walk_bytes(struct fph_reclaim *rc, struct walk *w, uint64_t left)
{
	while (w->i < w->n && left) {
		uint64_t n = step(rc, w, left);

		left -= n < left ? n : left;
	}
}

/* The runs in front that can be worked on. */
static uint32_t count_good(const struct fph_run *runs, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && !fph_is_bad_range(runs[i].gpa, runs[i].len) &&
	       runs[i].done <= runs[i].len &&
	       runs[i].outcome <= FPH_OUTCOME_FAILED)
		i++;
	return i;
}

int fph_reclaim_discard(struct fph_reclaim *rc, struct fph_run *runs,
			uint32_t n, const struct fph_budget *budget)
{
	struct walk w = { .runs = runs };
	int reason;

	if (!is_live(rc))
		return FPH_EUNINIT;
	if (!runs || !n)
		return FPH_EINVAL;
	w.n = count_good(runs, n < INT_MAX ? n : INT_MAX);
	if (!w.n)
		return FPH_EINVAL;
	while (w.i < w.n && runs[w.i].done == runs[w.i].len)
		w.i++;
	rc->runs = runs;
	reason = get_inhibitor(rc);
	if (reason)
		skip_all(rc, &w, reason);
	else if (budget && budget->nanoseconds)
		walk_timed(rc, &w, budget);
	else
		walk_bytes(rc, &w, budget && budget->bytes ? budget->bytes :
							     UINT64_MAX);
	fph_reclaim_flush(rc);
	rc->counters.runs += w.i;
	return (int)w.i;
}

/* ----------------------------------------------------------- inhibitors -- */

static bool is_inhibitor(int reason)
{
	return reason >= FPH_SKIP_VFIO && reason <= FPH_SKIP_EMBEDDER;
}

int fph_reclaim_inhibit(struct fph_reclaim *rc, int reason)
{
	if (!is_live(rc))
		return FPH_EUNINIT;
	if (!is_inhibitor(reason))
		return FPH_EINVAL;
	rc->inhibit[reason]++;
	return FPH_OK;
}

int fph_reclaim_allow(struct fph_reclaim *rc, int reason)
{
	if (!is_live(rc))
		return FPH_EUNINIT;
	if (!is_inhibitor(reason))
		return FPH_EINVAL;
	if (!rc->inhibit[reason])
		return FPH_ESTATE;
	rc->inhibit[reason]--;
	return FPH_OK;
}

bool fph_reclaim_is_disabled(const struct fph_reclaim *rc)
{
	if (!is_live(rc))
		return false;
	for (uint32_t i = 0; i < rc->ntroubles; i++)
		if (rc->trouble[i].disabled)
			return true;
	return false;
}

int fph_reclaim_get_counters(const struct fph_reclaim *rc,
			     struct fph_reclaim_counters *out, size_t size)
{
	if (!is_live(rc))
		return FPH_EUNINIT;
	return fph_copy_out(out, size, &rc->counters, sizeof(rc->counters));
}
