/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The receiver of free page reports.
 *
 * Two states; 0 stands for an object that was never initialised.
 *
 * call		CLEAN			POISONED
 * init		CLEAN			CLEAN
 * reset	CLEAN (1)		CLEAN (1)
 * set_poison	CLEAN, or POISONED with a negotiated nonzero value
 * add, good	hands out		returns, IGNORED
 * add, bad	returns, REFUSED	returns, REFUSED
 * refuse	returns, REFUSED	returns, REFUSED
 * next		a run, if any waits	a run of an earlier chain, if any waits
 * complete	the run is over		the run is over
 * end		a chain, if any is ready
 *
 * (1) FPH_EBUSY and no change while a run is handed out.
 */
#include "internal.h"

static bool is_init(const struct fph_report *r)
{
	return r->magic == FPH_MAGIC_REPORT;
}

int fph_report_init(struct fph_report *r, const struct fph_storage *storage,
		    uint64_t granule)
{
	struct fph_window window;
	int ret = fph_window_init(&window, storage, granule);

	if (ret != FPH_OK)
		return ret;
	fph_memset(r, 0, sizeof(*r));
	r->magic = FPH_MAGIC_REPORT;
	r->window = window;
	return FPH_OK;
}

int fph_report_reset(struct fph_report *r)
{
	if (!is_init(r))
		return FPH_EUNINIT;
	if (r->window.noutstanding)
		return FPH_EBUSY;
	fph_window_reset(&r->window);
	r->poisoned = false;
	return FPH_OK;
}

int fph_report_set_poison(struct fph_report *r, bool negotiated,
			  uint32_t poison_val)
{
	if (!is_init(r))
		return FPH_EUNINIT;
	r->poisoned = negotiated && poison_val;
	return FPH_OK;
}

int fph_report_add(struct fph_report *r, uint64_t cookie,
		   const struct fph_seg *segs, uint32_t nsegs)
{
	uint64_t bytes;
	int ret;

	if (!is_init(r))
		return FPH_EUNINIT;
	ret = fph_window_get_room(&r->window, nsegs);
	if (ret != FPH_OK)
		return ret;
	ret = fph_segs_check(segs, nsegs, &bytes);
	if (ret != FPH_OK) {
		r->counters.peer_errors++;
		r->counters.refused++;
		fph_window_add_ready(&r->window, cookie, FPH_OUTCOME_REFUSED);
		return ret;
	}
	r->counters.chains++;
	r->counters.ranges += nsegs;
	r->counters.bytes_offered += bytes;
	if (r->poisoned) {
		r->counters.poisoned++;
		fph_window_add_ready(&r->window, cookie, FPH_OUTCOME_IGNORED);
	} else {
		fph_window_add(&r->window, cookie, segs, nsegs);
	}
	return FPH_OK;
}

int fph_report_refuse(struct fph_report *r, uint64_t cookie)
{
	int ret;

	if (!is_init(r))
		return FPH_EUNINIT;
	ret = fph_window_get_room(&r->window, 0);
	if (ret != FPH_OK)
		return ret;
	r->counters.refused++;
	fph_window_add_ready(&r->window, cookie, FPH_OUTCOME_REFUSED);
	return FPH_OK;
}

int fph_report_next(struct fph_report *r, struct fph_run *run)
{
	return is_init(r) ? fph_window_next(&r->window, run) : FPH_EUNINIT;
}

int fph_report_complete(struct fph_report *r, const struct fph_run *run,
			bool ok)
{
	int ret;

	if (!is_init(r))
		return FPH_EUNINIT;
	ret = fph_window_complete(&r->window, run, ok);
	if (ret != FPH_OK)
		return ret;
	if (ok)
		r->counters.bytes_done += run->len;
	else
		r->counters.failed++;
	return FPH_OK;
}

int fph_report_end(struct fph_report *r, struct fph_chain_end *end)
{
	int ret;

	if (!is_init(r))
		return FPH_EUNINIT;
	ret = fph_window_end(&r->window, end);
	if (ret == 1)
		r->counters.returned++;
	return ret;
}

uint32_t fph_report_get_outstanding(const struct fph_report *r)
{
	return is_init(r) ? r->window.noutstanding : 0;
}

bool fph_report_is_room(const struct fph_report *r, uint32_t nsegs)
{
	return is_init(r) && fph_window_get_room(&r->window, nsegs) == FPH_OK;
}

int fph_report_get_counters(const struct fph_report *r,
			    struct fph_report_counters *out)
{
	if (!is_init(r))
		return FPH_EUNINIT;
	*out = r->counters;
	out->bytes_trimmed = r->window.ranges.counters.trimmed_bytes;
	out->bytes_overlap = r->window.ranges.counters.overlap_bytes;
	return FPH_OK;
}
