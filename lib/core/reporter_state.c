/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of a reporter.
 *
 *	u32 content, as it was when it was made
 *	u32 state
 *	u32 failures in a row
 *	u32 1: it waits after a failure, else 0
 *	u64 delay after the latest failure, or 0; u64 time that is left of it, or 0
 *	u64 for each of fph_reporter_counters, in their order
 *	free ranges: see pool_state.h
 */
#include "pool_state.h"
#include "reporter.h"

#define VERSION		1u

int fph_reporter_save(const struct fph_reporter *r, uint64_t now, void *buf,
		      size_t size, size_t *needed)
{
	struct fph_state_writer w;

	if (!r || r->magic != FPH_REPORTER_MAGIC)
		return FPH_EUNINIT;
	if (!needed)
		return FPH_EINVAL;
	fph_state_begin(&w, buf, size);
	fph_state_put32(&w, r->content);
	fph_state_put32(&w, r->state);
	fph_state_put32(&w, r->failures);
	fph_state_put32(&w, r->retrying);
	fph_state_put64(&w, r->failures ? r->retry_delay : 0);
	fph_state_put64(&w, r->retrying ? fph_time_left(r->retry_at, now) : 0);
	fph_state_put_all(&w, &r->counters, sizeof(r->counters));
	fph_pool_save(&r->pool, now, &w);
	return fph_state_end(&w, FPH_STATE_REPORTER, VERSION, needed);
}

/*
 * What the table of reporter.c lets be together: FPH_OK, FPH_ECORRUPT,
 * FPH_EREFUSED (not with low_water and max_failures of this one).
 */
static int check_state(const struct fph_reporter *r, uint32_t state,
		       uint32_t failures)
{
	uint32_t out = r->pool.nbatches;

	switch (state) {
	case FPH_REPORTER_FILLING:
		if (out == r->window)
			return FPH_ECORRUPT;
		break;
	case FPH_REPORTER_FULL:
		if (out <= r->low_water)
			return FPH_EREFUSED;
		break;
	case FPH_REPORTER_OFF:
		return r->pool.nruns ? FPH_ECORRUPT : FPH_OK;
	default:
		return FPH_ECORRUPT;
	}
	return failures < r->max_failures ? FPH_OK : FPH_EREFUSED;
}

int fph_reporter_load(struct fph_reporter *r, uint64_t now, const void *buf,
		      size_t size)
{
	struct fph_reporter_counters counters;
	struct fph_pool_loaded l = { .now = now };
	uint32_t state, failures, retrying;
	uint64_t delay, left;
	struct fph_state_reader in;
	int ret;

	if (!r || r->magic != FPH_REPORTER_MAGIC)
		return FPH_EUNINIT;
	ret = fph_pool_take_state(&r->pool, &in, buf, size,
				  FPH_STATE_REPORTER, VERSION);
	if (ret != FPH_OK)
		return ret;
	if (fph_state_get32(&in) != r->content)
		return FPH_EREFUSED;
	state = fph_state_get32(&in);
	failures = fph_state_get32(&in);
	retrying = fph_state_get32(&in);
	delay = fph_state_get64(&in);
	left = fph_state_get64(&in);
	fph_state_get_all(&in, &counters, sizeof(counters));
	ret = fph_pool_load(&r->pool, &in, &l);
	if (ret == FPH_OK)
		ret = retrying > 1 || !fph_state_is_done(&in) ? FPH_ECORRUPT :
		      check_state(r, state, failures);
	if (ret != FPH_OK) {
		fph_pool_forget(&r->pool);
		return ret;
	}
	r->state = state;
	r->failures = failures;
	r->retrying = retrying;
	r->retry_delay = delay;
	r->retry_at = fph_time_when(left, now);
	r->counters = counters;
	return FPH_OK;
}
