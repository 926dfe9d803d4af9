/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's side of free page reporting.
 *
 * state x call -> next state.  "=" keeps the state.
 *
 *                  FILLING       FULL              OFF
 * reset            FILLING       FILLING           FILLING
 * add              =             =                 = (a)
 * flush            =             =                 =
 * submit           =, FULL (b)   = (c)             = (d)
 * complete, ok     =             =, FILLING (e)    =
 * complete, bad    =, OFF (f)    =, FILLING (e),   =
 * cancel           =, OFF (f)       OFF (f)        = (a)
 * take_back, shrink =            =                 =
 *
 * (a) the ranges, or those of the buffer, are back at once.
 * (b) the buffer that makes it window buffers.
 * (c) 0, but for what flush or cancel made urgent.
 * (d) 0.
 * (e) when low_water buffers or fewer are left.
 * (f) the failure that makes it max_failures in a row; what waits is back.
 *
 * A delay after a failure is no state: it is over when its time has come, and
 * until then submit answers 0.
 */
#include "reporter.h"

static bool is_init(const struct fph_reporter *r)
{
	return r && r->magic == FPH_REPORTER_MAGIC;
}

/* ------------------------------------------------------------------ init -- */

#define FIRST_SIZE	sizeof(struct fph_reporter_params)
#define SECOND		1000000000u

/*
 * Reads parameters and fills in what has a default: FPH_OK, FPH_EINVAL,
 * FPH_EREFUSED.
 */
static int read_params(struct fph_reporter_params *p,
		       struct fph_pool_config *c,
		       const struct fph_reporter_params *params)
{
	bool poison;

	if (!fph_params_read(p, sizeof(*p), params, FIRST_SIZE))
		return FPH_EINVAL;
	if (!p->window)
		p->window = 2;
	if (!p->low_water)
		p->low_water = p->window / 2;
	if (!p->flush_delay)
		p->flush_delay = (uint64_t)2 * SECOND;
	if (!p->retry_delay)
		p->retry_delay = SECOND;
	if (!p->max_failures)
		p->max_failures = 8;
	c->head = sizeof(struct fph_reporter);
	c->content = p->content;
	c->max_ranges = p->max_ranges;
	c->max_batches = p->window;
	c->others = 0;
	c->max_segs = p->max_segs;
	if (!fph_pool_configure(c) || p->low_water >= p->window || p->reserved)
		return FPH_EINVAL;
	/* VIO-REP-DRV-1 and 2: poison if and only if it is needed. */
	poison = p->features & FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON);
	return (p->features & FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING)) &&
	       poison == (p->content == FPH_CONTENT_KEPT) ?
	       FPH_OK : FPH_EREFUSED;
}

int fph_reporter_init(struct fph_reporter **out, void *mem, size_t size,
		      const struct fph_reporter_params *params)
{
	struct fph_reporter_params p;
	struct fph_pool_config c;
	struct fph_reporter *r = out ? mem : NULL;
	int ret = fph_pool_place(r, size, read_params(&p, &c, params), &c);

	if (ret != FPH_OK)
		return ret;
	r->magic = FPH_REPORTER_MAGIC;
	r->state = FPH_REPORTER_FILLING;
	r->content = p.content;
	r->window = p.window;
	r->low_water = p.low_water;
	r->max_failures = p.max_failures;
	r->flush_delay = p.flush_delay;
	r->first_retry_delay = p.retry_delay;
	fph_pool_start(&r->pool, mem, &c);
	*out = r;
	return FPH_OK;
}

size_t fph_reporter_size(const struct fph_reporter_params *params)
{
	struct fph_reporter_params p;
	struct fph_pool_config c;

	return read_params(&p, &c, params) == FPH_OK ? c.size : 0;
}

static void succeed(struct fph_reporter *r)
{
	r->failures = 0;
	r->retrying = false;
}

int fph_reporter_reset(struct fph_reporter *r)
{
	struct fph_pool *p;

	if (!is_init(r))
		return FPH_EUNINIT;
	p = &r->pool;
	while (p->batches[0].newer)
		fph_pool_finish(p, p->batches[0].newer, &p->back[false]);
	fph_pool_withdraw(p, &p->back[false]);
	succeed(r);
	r->state = FPH_REPORTER_FILLING;
	return FPH_OK;
}

/* ------------------------------------------------------------------- add -- */

static uint64_t later(uint64_t now, uint64_t delay)
{
	return delay > FPH_FOREVER - now ? FPH_FOREVER : now + delay;
}

int fph_reporter_add(struct fph_reporter *r, uint64_t now,
		     const struct fph_owned_range *ranges, uint32_t n)
{
	struct fph_amount before;
	int ret;

	if (!is_init(r))
		return FPH_EUNINIT;
	before = r->pool.waiting;
	ret = fph_pool_add(&r->pool, ranges, n, later(now, r->flush_delay));
	r->counters.added += r->pool.waiting.ranges - before.ranges;
	r->counters.added_bytes += r->pool.waiting.bytes - before.bytes;
	if (r->state == FPH_REPORTER_OFF)
		fph_pool_withdraw(&r->pool, &r->pool.back[false]);
	return ret;
}

int fph_reporter_flush(struct fph_reporter *r)
{
	if (!is_init(r))
		return FPH_EUNINIT;
	fph_pool_flush(&r->pool);
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

/*
 * Larger ones first.  Heap sort: in place, and never slow.  Blocks of one size
 * are in order as they come, which saves three quarters of submit.
 */
static void sort(struct fph_seg *segs, uint32_t n)
{
	const struct fph_seg *at = segs, *end = segs + n;
	uint32_t len = FPH_MAX_BUFFER, i;
	struct fph_seg seg;

	while (at < end && at->len <= len)
		len = at++->len;
	if (at == end)
		return;
	/* The heap grows from the middle down; then its top goes behind it. */
	for (i = n / 2; n > 1;) {
		if (i) {
			i--;
		} else {
			n--;
			seg = segs[0];
			segs[0] = segs[n];
			segs[n] = seg;
		}
		sift(segs, i, n);
	}
}

/* Whether the window lets a buffer out, whatever the time is. */
static bool is_open(const struct fph_reporter *r)
{
	if (r->state == FPH_REPORTER_OFF || r->pool.nbatches == r->window)
		return false;
	return r->state == FPH_REPORTER_FILLING || fph_pool_is_urgent(&r->pool);
}

static bool is_due(const struct fph_reporter *r, uint64_t now)
{
	const struct fph_pool *p = &r->pool;

	if (!p->nruns || !is_open(r) || r->retrying)
		return false;
	return fph_pool_is_full(p) || fph_pool_is_urgent(p) ||
	       now >= p->slots[fph_pool_oldest(p)].run.due;
}

static uint32_t send(struct fph_reporter *r, struct fph_buffer *buffer,
		     struct fph_seg *segs, uint32_t nsegs)
{
	uint32_t batch, n = fph_pool_cut(&r->pool, segs, nsegs, &batch);

	sort(segs, n);
	fph_memset(buffer, 0, sizeof(*buffer));
	buffer->cookie = r->pool.batches[batch].cookie;
	buffer->nwrite = n;
	r->counters.buffers++;
	r->counters.segs += n;
	if (r->pool.nbatches == r->window)
		r->state = FPH_REPORTER_FULL;
	return n;
}

int fph_reporter_submit(struct fph_reporter *r, uint64_t now,
			struct fph_buffer *buffers, uint32_t n,
			struct fph_seg *segs, uint32_t nsegs)
{
	uint32_t done = 0, want;

	if (!is_init(r))
		return FPH_EUNINIT;
	if (!n || !nsegs)
		return FPH_EINVAL;
	if (now >= r->retry_at)
		r->retrying = false;
	while (done < n && is_due(r, now)) {
		want = fph_pool_want(&r->pool);
		/* Only the first one may be short of segments. */
		if (want > nsegs && done)
			break;
		want = want < nsegs ? want : nsegs;
		want = send(r, &buffers[done], segs, want);
		segs += want;
		nsegs -= want;
		done++;
	}
	return (int)done;
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
	fph_pool_withdraw(&r->pool, &r->pool.back[false]);
}

/* A buffer is gone from the window. */
static void refill(struct fph_reporter *r)
{
	if (r->state == FPH_REPORTER_FULL && r->pool.nbatches <= r->low_water)
		r->state = FPH_REPORTER_FILLING;
}

int fph_reporter_complete(struct fph_reporter *r, uint64_t now,
			  const struct fph_used *used, uint32_t n, bool ok)
{
	uint32_t done, i;

	if (!is_init(r))
		return FPH_EUNINIT;
	for (done = 0; done < n; done++) {
		i = fph_pool_find(&r->pool, used[done].cookie);
		if (!i)
			break;
		fph_pool_finish(&r->pool, i, &r->pool.back[ok]);
		refill(r);
		if (ok) {
			succeed(r);
		} else {
			r->counters.failed++;
			fail(r, now);
		}
	}
	return done ? (int)done : FPH_EINVAL;
}

int fph_reporter_cancel(struct fph_reporter *r, uint64_t now, uint64_t cookie)
{
	uint32_t i;

	if (!is_init(r))
		return FPH_EUNINIT;
	i = fph_pool_find(&r->pool, cookie);
	if (!i)
		return FPH_EINVAL;
	r->counters.cancelled++;
	if (r->state == FPH_REPORTER_OFF) {
		fph_pool_finish(&r->pool, i, &r->pool.back[false]);
		return FPH_OK;
	}
	fph_pool_undo(&r->pool, i);
	refill(r);
	fail(r, now);
	return FPH_OK;
}

/* ------------------------------------------------------------- take back -- */

int fph_reporter_take_back(struct fph_reporter *r, struct fph_returned *ranges,
			   uint32_t n)
{
	struct fph_pool *p;
	uint64_t bytes;
	uint32_t used, all;

	if (!is_init(r))
		return FPH_EUNINIT;
	if (!n)
		return FPH_EINVAL;
	p = &r->pool;
	bytes = p->back[true].amount.bytes;
	used = fph_pool_take(p, &p->back[true], ranges, n, true);
	r->counters.reported += used;
	r->counters.reported_bytes += bytes - p->back[true].amount.bytes;
	all = used + fph_pool_take(p, &p->back[false], ranges + used, n - used,
				   false);
	r->counters.unreported += all - used;
	return (int)all;
}

int fph_reporter_shrink(struct fph_reporter *r, struct fph_returned *ranges,
			uint32_t n)
{
	uint32_t done;

	if (!is_init(r))
		return FPH_EUNINIT;
	if (!n)
		return FPH_EINVAL;
	done = fph_pool_take_waiting(&r->pool, ranges, n);
	r->counters.unreported += done;
	return (int)done;
}

/* ------------------------------------------------------------------- get -- */

int fph_reporter_get_deadline(const struct fph_reporter *r, uint64_t *when)
{
	const struct fph_pool *p;
	uint64_t due;

	if (!is_init(r))
		return FPH_EUNINIT;
	p = &r->pool;
	if (!p->nruns || !is_open(r))
		return 0;
	due = p->slots[fph_pool_oldest(p)].run.due;
	if (fph_pool_is_urgent(p) || fph_pool_is_full(p))
		due = 0;
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
			     struct fph_reporter_amounts *out, size_t size)
{
	struct fph_reporter_amounts a;

	if (!is_init(r))
		return FPH_EUNINIT;
	a.waiting = r->pool.waiting;
	a.outstanding = r->pool.outstanding;
	a.back = fph_pool_get_back(&r->pool);
	a.buffers = r->pool.nbatches;
	return fph_copy_out(out, size, &a, sizeof(a));
}

int fph_reporter_get_counters(const struct fph_reporter *r,
			      struct fph_reporter_counters *out, size_t size)
{
	if (!is_init(r))
		return FPH_EUNINIT;
	return fph_copy_out(out, size, &r->counters, sizeof(r->counters));
}
