/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of the receiver of free page reports.
 *
 *	u32 1: poison is in use, else 0
 *	u32 queue
 *	u64 for each of fph_report_counters, in their order
 *	buffers in flight
 */
#include "inflight_state.h"
#include "report.h"

#define VERSION		1u

int fph_report_save(const struct fph_report *r, void *buf, size_t size,
		    size_t *needed)
{
	struct fph_report_counters n;
	struct fph_state_writer w;

	if (fph_report_get_counters(r, &n, sizeof(n)) != FPH_OK)
		return FPH_EUNINIT;
	if (!needed)
		return FPH_EINVAL;
	fph_state_begin(&w, buf, size);
	fph_state_put32(&w, r->poisoned);
	fph_state_put32(&w, r->inflight.ranges.queue);
	fph_state_put_all(&w, &n, sizeof(n));
	fph_inflight_save(&r->inflight, &w);
	return fph_state_end(&w, FPH_STATE_REPORT, VERSION, needed);
}

/*
 * The counters that get_counters will make these of.  FPH_ECORRUPT unless each
 * byte is counted once; then nothing has changed.
 */
static int commit_counters(struct fph_report *r,
			   const struct fph_report_counters *n,
			   const struct fph_inflight_loaded *l)
{
	struct fph_inflight *f = &r->inflight;
	uint64_t added = n->bytes_offered - n->bytes_skipped;
	uint64_t over = n->bytes_freed + n->bytes_lazy + n->bytes_failed;
	uint64_t cut = n->bytes_trimmed + n->bytes_overlap;

	if (added != over + cut + l->run_bytes + l->waiting_bytes)
		return FPH_ECORRUPT;
	r->counters = *n;
	f->skipped = 0;
	f->skipped_bytes = 0;
	f->returned = n->returned;
	f->runs = n->runs;
	f->freed = n->bytes_freed;
	fph_memset(f->done, 0, sizeof(f->done));
	f->done[FPH_OUTCOME_FAILED].runs = n->failed_runs;
	f->done[FPH_OUTCOME_FAILED].left = n->bytes_failed;
	f->done[FPH_OUTCOME_LAZY].left = n->bytes_lazy;
	fph_memset(&f->ranges.counters, 0, sizeof(f->ranges.counters));
	f->ranges.counters.added_bytes = added;
	f->ranges.counters.run_bytes = over + l->run_bytes;
	f->ranges.counters.trimmed_bytes = n->bytes_trimmed;
	f->ranges.counters.overlap_bytes = n->bytes_overlap;
	return FPH_OK;
}

int fph_report_load(struct fph_report *r, const void *buf, size_t size,
		    uint32_t flags)
{
	struct fph_report_counters n;
	struct fph_inflight_loaded l;
	struct fph_state_reader in;
	uint32_t poisoned;
	int ret;

	if (!r || r->magic != FPH_REPORT_MAGIC)
		return FPH_EUNINIT;
	ret = fph_inflight_take_state(&r->inflight, &in, buf, size, flags,
				      FPH_STATE_REPORT, VERSION);
	if (ret != FPH_OK)
		return ret;
	poisoned = fph_state_get32(&in);
	if (fph_state_get32(&in) != r->inflight.ranges.queue)
		return FPH_EREFUSED;
	fph_state_get_all(&in, &n, sizeof(n));
	ret = fph_inflight_load(&r->inflight, &in, &l);
	if (ret != FPH_OK)
		return ret;
	if (poisoned > 1 || !fph_state_is_done(&in) ||
	    commit_counters(r, &n, &l) != FPH_OK)
		return FPH_ECORRUPT;
	r->poisoned = poisoned;
	fph_inflight_commit(&r->inflight, &l);
	if (flags & FPH_LOAD_MOVED)
		fph_inflight_give_up(&r->inflight, FPH_SKIP_SNAPSHOT);
	return FPH_OK;
}
