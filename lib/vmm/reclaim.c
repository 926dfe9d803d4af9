/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The reclaim engine.
 *
 * Each byte of a run is counted once: bytes is the sum of discarded, lazy,
 * trimmed, failed and all of skipped.
 */
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "vmm/internal.h"

/* A narrower one would cut offsets and punch the wrong place. */
_Static_assert(sizeof(off_t) == 8, "build with -D_FILE_OFFSET_BITS=64");

/* The kernel cuts a vector at 2^31 bytes less a page, whatever its size. */
#define VECTOR_BYTES	0x7fe00000u
/* With a time limit: what can be freed between two looks at the clock. */
#define VECTOR_BYTES_TIMED	0x4000000u

#define MAX_FAILURES	16	/* by default */

#define RECLAIM_FLAGS	(FPH_RECLAIM_USE_FREE | FPH_RECLAIM_NO_VECTOR)

static bool is_live(const struct fph_reclaim *rc)
{
	return rc && rc->magic == FPH_RECLAIM_MAGIC;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	while (n--)
		if (*p++)
			return false;
	return true;
}

static bool is_params_ok(const struct fph_reclaim_params *p)
{
	const struct fph_reclaim_ops *ops;

	if (!p || p->size < sizeof(*p) ||
	    !is_zero((const uint8_t *)p + sizeof(*p), p->size - sizeof(*p)))
		return false;
	ops = p->ops;
	if (ops && (!ops->fallocate || !ops->madvise || !ops->process_madvise))
		return false;
	return !(p->flags & ~RECLAIM_FLAGS) && p->memory &&
	       p->memory->magic == FPH_MEMORY_MAGIC;
}

int fph_reclaim_init(struct fph_reclaim *rc,
		     const struct fph_reclaim_params *params)
{
	if (!rc || !is_params_ok(params))
		return FPH_EINVAL;
	fph_memset(rc, 0, sizeof(*rc));
	rc->flags = params->flags;
	rc->max_failures = params->max_failures;
	if (!rc->max_failures)
		rc->max_failures = MAX_FAILURES;
	rc->memory = params->memory;
	rc->ops = params->ops ? params->ops : &fph_reclaim_system_ops;
	rc->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	rc->no_vector = rc->flags & FPH_RECLAIM_NO_VECTOR;
	rc->magic = FPH_RECLAIM_MAGIC;
	return FPH_OK;
}

int fph_reclaim_reset(struct fph_reclaim *rc)
{
	if (!is_live(rc))
		return FPH_EUNINIT;
	rc->failures_in_row = 0;
	rc->backoff = 0;
	rc->disabled = false;
	rc->no_vector = rc->flags & FPH_RECLAIM_NO_VECTOR;
	return FPH_OK;
}

/* --------------------------------------------------------------- pieces -- */

/* Why a region is left alone, or -1. */
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
	return -1;
}

static bool is_punched(int backing)
{
	return backing == FPH_BACKING_SHMEM || backing == FPH_BACKING_FILE ||
	       backing == FPH_BACKING_HUGETLB;
}

/*
 * Cut *len bytes at an address of the backing down to whole pages; how many
 * bytes are cut off in front.  Inwards, always (R6): madvise would round the
 * end up, and free what was never offered.
 */
static uint64_t trim(uint64_t at, uint64_t *len, uint64_t page)
{
	uint64_t head = (0 - at) & (page - 1);

	*len = *len > head ? (*len - head) & ~(page - 1) : 0;
	return head;
}

static void discard_piece(struct fph_pass *p, uint32_t run,
			  const struct fph_piece *piece)
{
	const struct fph_region *r = piece->region;
	struct fph_reclaim *rc = p->rc;
	uint8_t *host = (uint8_t *)r->host + (piece->gpa - r->gpa);
	uint64_t offset = r->fd_offset + (piece->gpa - r->gpa);
	uint64_t page = r->page_size;
	uint64_t len = piece->len;
	int reason = get_region_reason(r);
	bool is_file = is_punched(r->backing);
	uint64_t head;

	if (reason >= 0) {
		rc->counters.skipped[reason] += len;
		return;
	}
	if (page < rc->page_size)
		page = rc->page_size;
	head = trim(is_file ? offset : (uintptr_t)host, &len, page);
	rc->counters.trimmed += piece->len - len;
	if (!len)
		return;
	if (is_file)
		fph_pass_punch(p, run, r->fd, offset + head, len);
	else
		fph_pass_advise(p, run, r->backing, host + head, len);
}

/* ----------------------------------------------------------------- runs -- */

/* The reason that inhibits discards now, or -1. */
static int get_inhibitor(const struct fph_reclaim *rc)
{
	int reason;

	for (reason = FPH_SKIP_VFIO; reason <= FPH_SKIP_EMBEDDER; reason++)
		if (rc->inhibit[reason])
			return reason;
	return -1;
}

static void discard_run(struct fph_pass *p, uint32_t i,
			const struct fph_run *run)
{
	struct fph_range rest = { .gpa = run->gpa, .len = run->len };
	struct fph_reclaim *rc = p->rc;
	int reason = get_inhibitor(rc);
	struct fph_piece piece;
	uint64_t gap;

	p->results[i] = FPH_RECLAIM_SKIPPED;
	rc->counters.runs++;
	rc->counters.bytes += run->len;
	if (reason >= 0) {
		rc->counters.skipped[reason] += run->len;
		return;
	}
	if (!run->len || !fph_pass_is_admitted(p, i, run->len))
		return;
	while (rest.len) {
		if (fph_memory_next(rc->memory, &rest, &piece) > 0) {
			discard_piece(p, i, &piece);
			continue;
		}
		gap = fph_memory_gap(rc->memory, rest.gpa, rest.len);
		rc->counters.skipped[FPH_SKIP_UNMAPPED] += gap;
		rest.gpa += gap;
		rest.len -= gap;
	}
}

static uint64_t get_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Whether a budget is used up after so many runs, bytes and nanoseconds. */
static bool is_spent(const struct fph_reclaim_budget *b, uint32_t runs,
		     uint64_t bytes, uint64_t start)
{
	return (b->runs && runs >= b->runs) ||
	       (b->bytes && bytes >= b->bytes) ||
	       (b->nanoseconds && get_time() - start >= b->nanoseconds);
}

int fph_reclaim_discard(struct fph_reclaim *rc, const struct fph_run *runs,
			uint32_t n, uint8_t *results,
			const struct fph_reclaim_budget *budget)
{
	static const struct fph_reclaim_budget no_limit;
	struct fph_pass p = {
		.rc = rc,
		.results = results,
		.vec_limit = VECTOR_BYTES,
		.failed_run = FPH_NO_RUN,
		.held_run = FPH_NO_RUN,
	};
	uint64_t start = 0;
	uint64_t bytes = 0;
	uint32_t i = 0;

	if (!is_live(rc))
		return FPH_EUNINIT;
	if (n > INT_MAX)
		n = INT_MAX;
	if (!budget)
		budget = &no_limit;
	if (budget->nanoseconds) {
		p.vec_limit = VECTOR_BYTES_TIMED;
		start = get_time();
	}
	while (i < n) {
		discard_run(&p, i, &runs[i]);
		bytes += runs[i++].len;
		if (is_spent(budget, i, bytes, start))
			break;
	}
	fph_pass_flush(&p);
	return (int)i;
}

/* ----------------------------------------------------------- inhibitors -- */

static bool is_inhibitor(int reason)
{
	return reason >= FPH_SKIP_VFIO && reason <= FPH_SKIP_EMBEDDER;
}

int fph_reclaim_freeze(struct fph_reclaim *rc, int reason)
{
	if (!is_live(rc))
		return FPH_EUNINIT;
	if (!is_inhibitor(reason))
		return FPH_EINVAL;
	rc->inhibit[reason]++;
	return FPH_OK;
}

int fph_reclaim_thaw(struct fph_reclaim *rc, int reason)
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
	return is_live(rc) && rc->disabled;
}

int fph_reclaim_get_counters(const struct fph_reclaim *rc,
			     struct fph_reclaim_counters *out)
{
	if (!is_live(rc))
		return FPH_EUNINIT;
	*out = rc->counters;
	return FPH_OK;
}
