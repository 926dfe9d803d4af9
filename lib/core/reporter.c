/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's side of free page reporting.
 *
 * state x call -> next state.  "=" keeps the state.
 *
 *                  FILLING       FULL              OFF
 * reset            FILLING       FILLING           FILLING
 * add              =             =                 = (a)
 * request          =             =                 =
 * submit           =, FULL (b)   = (c)             = (d)
 * complete, ok     =             =, FILLING (e)    =
 * complete, bad    =, OFF (f)    =, FILLING (e),   =
 * abort            =, OFF (f)       OFF (f)        = (a)
 * next, pop        =             =                 =
 *
 * (a) the range, or those of the buffer, go to next at once.
 * (b) the buffer that makes it window buffers.
 * (c) 0, but for what request made urgent.
 * (d) 0.
 * (e) when low_water buffers or fewer are left.
 * (f) the failure that makes it max_failures in a row; what waits goes to next.
 *
 * A delay after a failure is no state: it is over when its time has come, and
 * until then submit answers 0.
 */
#include "internal.h"

static bool is_init(const struct fph_reporter *r)
{
	return r->magic == FPH_MAGIC_REPORTER;
}

/* ------------------------------------------------------------------ init -- */

static bool is_sound(const struct fph_reporter_params *p)
{
	if (p->content != FPH_CONTENT_FREE && p->content != FPH_CONTENT_KEPT)
		return false;
	return p->low_water < p->window && p->max_failures;
}

/* VIO-REP-DRV-1 and 2: poison is negotiated if and only if it is needed. */
static bool is_allowed(const struct fph_reporter_params *p)
{
	bool poison = p->features & FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON);

	return (p->features & FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING)) &&
	       poison == (p->content == FPH_CONTENT_KEPT);
}

int fph_reporter_init(struct fph_reporter *r,
		      const struct fph_reporter_params *p)
{
	struct fph_batcher_storage storage;
	struct fph_batcher batcher;

	if (!r || !p || !fph_params_fit(p, p->size, sizeof(*p)) ||
	    !is_sound(p))
		return FPH_EINVAL;
	if (!is_allowed(p))
		return FPH_EREFUSED;
	storage.slots = p->slots;
	storage.nslots = p->nslots;
	storage.batches = p->batches;
	storage.nbatches = p->window;
	if (fph_batcher_init(&batcher, &storage, p->max_segs, p->max_ranges,
			     true))
		return FPH_EINVAL;
	fph_memset(r, 0, sizeof(*r));
	r->magic = FPH_MAGIC_REPORTER;
	r->state = FPH_REPORTER_FILLING;
	r->window = p->window;
	r->low_water = p->low_water;
	r->max_failures = p->max_failures;
	r->flush_delay = p->flush_delay;
	r->first_retry_delay = p->retry_delay;
	r->batcher = batcher;
	return FPH_OK;
}

static void succeed(struct fph_reporter *r)
{
	r->failures = 0;
	r->retrying = false;
}

int fph_reporter_reset(struct fph_reporter *r)
{
	struct fph_batcher *b = &r->batcher;

	if (!is_init(r))
		return FPH_EUNINIT;
	while (b->nout)
		fph_batcher_finish(b, &b->batches[b->first_out],
				   &b->back[false]);
	fph_batcher_withdraw(b, &b->back[false]);
	succeed(r);
	r->state = FPH_REPORTER_FILLING;
	return FPH_OK;
}

/* ------------------------------------------------------------------- add -- */

static uint64_t later(uint64_t now, uint64_t delay)
{
	return delay > FPH_FOREVER - now ? FPH_FOREVER : now + delay;
}

int fph_reporter_add(struct fph_reporter *r, uint64_t now, uint64_t gpa,
		     uint64_t len, uint32_t owner)
{
	struct fph_batcher *b = &r->batcher;
	int ret;

	if (!is_init(r))
		return FPH_EUNINIT;
	ret = fph_batcher_add(b, gpa, len, owner);
	if (ret != FPH_OK)
		return ret;
	r->counters.added++;
	r->counters.added_bytes += len;
	if (r->state == FPH_REPORTER_OFF)
		fph_batcher_withdraw(b, &b->back[false]);
	else if (b->waiting.ranges == 1)
		r->deadline = later(now, r->flush_delay);
	return FPH_OK;
}

int fph_reporter_request(struct fph_reporter *r)
{
	if (!is_init(r))
		return FPH_EUNINIT;
	r->batcher.urgent = r->batcher.waiting.ranges;
	return FPH_OK;
}

/* ---------------------------------------------------------------- submit -- */

/* Whether a goes behind b: smaller ones, then higher ones. */
static bool is_behind(const struct fph_seg *a, const struct fph_seg *b)
{
	return a->len != b->len ? a->len < b->len : a->gpa > b->gpa;
}

/* Moves segment i down the heap segs[0] to segs[n - 1], the hindmost first. */
static void sift(struct fph_seg *segs, uint32_t i, uint32_t n)
{
	struct fph_seg seg = segs[i];
	uint32_t child;

	for (;;) {
		child = 2 * i + 1;
		if (child >= n)
			break;
		if (child + 1 < n && is_behind(&segs[child + 1], &segs[child]))
			child++;
		if (!is_behind(&segs[child], &seg))
			break;
		segs[i] = segs[child];
		i = child;
	}
	segs[i] = seg;
}

/* Heap sort, for it is in place and never slow.  Larger ones first. */
static void sort(struct fph_seg *segs, uint32_t n)
{
	struct fph_seg seg;
	uint32_t i;

	for (i = n / 2; i > 0; i--)
		sift(segs, i - 1, n);
	for (i = n; i > 1; i--) {
		seg = segs[0];
		segs[0] = segs[i - 1];
		segs[i - 1] = seg;
		sift(segs, 0, i - 1);
	}
}

/* Whether the window lets a buffer out, whatever the time is. */
static bool is_open(const struct fph_reporter *r)
{
	if (r->state == FPH_REPORTER_OFF || r->batcher.nout == r->window)
		return false;
	return r->state == FPH_REPORTER_FILLING || r->batcher.urgent;
}

int fph_reporter_submit(struct fph_reporter *r, uint64_t now,
			struct fph_seg *segs, uint32_t nsegs, uint64_t *cookie)
{
	int n;

	if (!is_init(r))
		return FPH_EUNINIT;
	if (!nsegs)
		return FPH_EINVAL;
	if (!is_open(r) || (r->retrying && now < r->retry_at))
		return 0;
	r->retrying = false;
	n = fph_batcher_cut(&r->batcher, now >= r->deadline, segs, nsegs,
			    cookie);
	if (!n)
		return 0;
	sort(segs, (uint32_t)n);
	r->counters.buffers++;
	r->counters.segs += (uint32_t)n;
	if (r->batcher.nout == r->window)
		r->state = FPH_REPORTER_FULL;
	return n;
}

/* -------------------------------------------------------------- complete -- */

static void fail(struct fph_reporter *r, uint64_t now)
{
	if (r->state == FPH_REPORTER_OFF)
		return;
	r->retry_delay = r->failures ? later(r->retry_delay, r->retry_delay) :
				       r->first_retry_delay;
	r->failures++;
	r->retrying = true;
	r->retry_at = later(now, r->retry_delay);
	if (r->failures < r->max_failures)
		return;
	r->state = FPH_REPORTER_OFF;
	r->counters.disabled++;
	fph_batcher_withdraw(&r->batcher, &r->batcher.back[false]);
}

/* A buffer is gone from the window. */
static void refill(struct fph_reporter *r)
{
	if (r->state == FPH_REPORTER_FULL && r->batcher.nout <= r->low_water)
		r->state = FPH_REPORTER_FILLING;
}

int fph_reporter_complete(struct fph_reporter *r, uint64_t now,
			  uint64_t cookie, bool ok)
{
	struct fph_batch *batch;

	if (!is_init(r))
		return FPH_EUNINIT;
	batch = fph_batcher_find(&r->batcher, cookie);
	if (batch == NULL)
		return FPH_EINVAL;
	fph_batcher_finish(&r->batcher, batch, &r->batcher.back[ok]);
	refill(r);
	if (ok) {
		succeed(r);
	} else {
		r->counters.failed++;
		fail(r, now);
	}
	return FPH_OK;
}

int fph_reporter_abort(struct fph_reporter *r, uint64_t now, uint64_t cookie)
{
	struct fph_batch *batch;

	if (!is_init(r))
		return FPH_EUNINIT;
	batch = fph_batcher_find(&r->batcher, cookie);
	if (batch == NULL)
		return FPH_EINVAL;
	r->counters.aborted++;
	if (r->state == FPH_REPORTER_OFF) {
		fph_batcher_finish(&r->batcher, batch,
				   &r->batcher.back[false]);
		return FPH_OK;
	}
	fph_batcher_undo(&r->batcher, batch);
	r->deadline = now;
	refill(r);
	fail(r, now);
	return FPH_OK;
}

/* ------------------------------------------------------------------ next -- */

static int count_return(struct fph_reporter *r, int ret,
			const struct fph_returned *out)
{
	if (!ret)
		return 0;
	if (out->used) {
		r->counters.reported++;
		r->counters.reported_bytes += out->range.len;
	} else {
		r->counters.unreported++;
	}
	return ret;
}

int fph_reporter_next(struct fph_reporter *r, struct fph_returned *out)
{
	if (!is_init(r))
		return FPH_EUNINIT;
	return count_return(r, fph_batcher_give(&r->batcher, out), out);
}

int fph_reporter_pop(struct fph_reporter *r, struct fph_returned *out)
{
	if (!is_init(r))
		return FPH_EUNINIT;
	return count_return(r, fph_batcher_pop(&r->batcher, out), out);
}

/* ------------------------------------------------------------------- get -- */

int fph_reporter_get_deadline(const struct fph_reporter *r, uint64_t *when)
{
	uint64_t due;

	if (!is_init(r))
		return FPH_EUNINIT;
	if (!r->batcher.waiting.ranges || !is_open(r))
		return 0;
	due = r->batcher.urgent ? 0 : r->deadline;
	if (r->retrying)
		due = r->retry_at;	/* a full buffer may wait for it */
	if (due == FPH_FOREVER)
		return 0;
	*when = due;
	return 1;
}

int fph_reporter_get_state(const struct fph_reporter *r)
{
	return is_init(r) ? (int)r->state : FPH_EUNINIT;
}

int fph_reporter_get_amounts(const struct fph_reporter *r,
			     struct fph_reporter_amounts *out)
{
	const struct fph_batcher *b = &r->batcher;

	if (!is_init(r))
		return FPH_EUNINIT;
	out->waiting = b->waiting;
	out->outstanding = b->outstanding;
	out->back = b->back[false].amount;
	fph_amount_add(&out->back, &b->back[true].amount);
	out->buffers = b->nout;
	return FPH_OK;
}

int fph_reporter_get_counters(const struct fph_reporter *r,
			      struct fph_reporter_counters *out)
{
	if (!is_init(r))
		return FPH_EUNINIT;
	*out = r->counters;
	return FPH_OK;
}
