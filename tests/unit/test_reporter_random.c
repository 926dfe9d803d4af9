/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A random walk of the reporter beside a naive model: completions in any
 * order, failures, cancels and resets.  After every step what is waiting,
 * outstanding and back is what the model says, and no page is lost or comes
 * back twice.  FPH_TEST_STEPS makes the walk longer or shorter.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/guest.h>
#include <fph/wire.h>

#include "range_model.h"
#include "runner.h"

#define STEPS		1000000u
#define NPAGES		512u		/* of the model's guest */
#define NSLOTS		96u
#define WINDOW		4u
#define MAX_SEGS	8u
#define PAGE		4096u
#define BASE		((uint64_t)3 << 40)

/* ck_assert writes a line each time it is passed, too slow for this. */
#define CHECK(cond) do {						\
	if (!(cond))							\
		ck_abort_msg("%s", #cond);				\
} while (0)

enum where {
	USED_BY_GUEST = 0,
	WAITS,
	OUT,
	IS_BACK,
	NWHERE
};

/* A block: 1, 2, 4 or 8 pages, by its first page. */
struct block {
	uint32_t npages;
	enum where where;
	uint64_t cookie;		/* OUT, or IS_BACK */
	bool ok;			/* IS_BACK */
};

struct world {
	struct fph_reporter *r;
	uint64_t mem[FPH_REPORTER_SIZE(NSLOTS, WINDOW) / 8];
	struct block blocks[NPAGES];
	uint32_t ranges[NWHERE];
	uint64_t bytes[NWHERE];
	uint64_t out[WINDOW];
	uint32_t nout;
	uint32_t failures;
	bool off;
	uint64_t now;
	uint64_t seed;
	uint64_t stale;			/* a cookie of the past */
	uint64_t nadded, nback, nchains, nresets, noffs;
};

static uint32_t pick(struct world *w, uint32_t below)
{
	return model_random(&w->seed, below);
}

static void move(struct world *w, uint32_t i, enum where to)
{
	struct block *block = &w->blocks[i];

	w->ranges[block->where]--;
	w->bytes[block->where] -= (uint64_t)block->npages * PAGE;
	block->where = to;
	w->ranges[to]++;
	w->bytes[to] += (uint64_t)block->npages * PAGE;
}

static void move_all(struct world *w, enum where from, uint64_t cookie,
		     enum where to, bool ok)
{
	uint32_t i;

	for (i = 0; i < NPAGES && w->ranges[from]; i++) {
		if (!w->blocks[i].npages || w->blocks[i].where != from ||
		    (cookie && w->blocks[i].cookie != cookie))
			continue;
		w->blocks[i].ok = ok;
		move(w, i, to);
	}
}

/* Cuts memory into blocks that do not change any more. */
static void make_blocks(struct world *w)
{
	uint32_t i = 0, n;

	while (i < NPAGES) {
		n = 1u << pick(w, 4);
		if (i + n > NPAGES)
			n = 1;
		w->blocks[i].npages = n;
		w->ranges[USED_BY_GUEST]++;
		w->bytes[USED_BY_GUEST] += (uint64_t)n * PAGE;
		i += n;
	}
}

static void world_init(struct world *w, uint64_t seed)
{
	struct fph_reporter_params p;

	memset(w, 0, sizeof(*w));
	w->seed = seed;
	memset(&p, 0, sizeof(p));
	p.size = sizeof(p);
	p.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	p.content = FPH_CONTENT_FREE;
	p.max_ranges = NSLOTS;
	p.window = WINDOW;
	p.low_water = 2;
	p.max_segs = MAX_SEGS;
	p.flush_delay = 40;
	p.retry_delay = 10;
	p.max_failures = 4;
	CHECK(fph_reporter_init(&w->r, w->mem, sizeof(w->mem), &p) == FPH_OK);
	make_blocks(w);
}

/* ----------------------------------------------------------------- steps -- */

static void step_add(struct world *w)
{
	uint32_t i = pick(w, NPAGES);
	uint32_t held = w->ranges[WAITS] + w->ranges[OUT] + w->ranges[IS_BACK];
	struct fph_owned_range range;
	int ret;

	while (!w->blocks[i].npages)
		i--;
	if (w->blocks[i].where != USED_BY_GUEST)
		return;
	range.gpa = BASE + (uint64_t)i * PAGE;
	range.len = (uint64_t)w->blocks[i].npages * PAGE;
	range.owner = i;
	ret = fph_reporter_add(w->r, w->now, &range, 1);
	if (held == NSLOTS) {
		CHECK(ret == FPH_EFULL);
		return;
	}
	CHECK(ret == 1);
	w->blocks[i].ok = false;
	move(w, i, w->off ? IS_BACK : WAITS);
	w->nadded++;
}

/* Finds the blocks that a segment is made of: whole ones that wait. */
static void take_seg(struct world *w, const struct fph_seg *seg,
		     uint64_t cookie)
{
	uint64_t gpa = seg->gpa;
	uint32_t i;

	CHECK(seg->flags == FPH_SEG_WRITE);
	CHECK(seg->len > 0);
	while (gpa < seg->gpa + seg->len) {
		CHECK(gpa >= BASE);
		CHECK((gpa - BASE) % PAGE == 0);
		i = (uint32_t)((gpa - BASE) / PAGE);
		CHECK(i < NPAGES);
		CHECK(w->blocks[i].npages > 0);
		CHECK((int)w->blocks[i].where == WAITS);
		w->blocks[i].cookie = cookie;
		move(w, i, OUT);
		gpa += (uint64_t)w->blocks[i].npages * PAGE;
	}
	CHECK(gpa == seg->gpa + seg->len);
}

/* No two segments touch, and none is larger than the one before it. */
static void check_segs(const struct fph_seg *segs, uint32_t n)
{
	uint32_t i, k;

	for (i = 0; i < n; i++) {
		if (i)
			CHECK(segs[i].len <= segs[i - 1].len);
		for (k = 0; k < i; k++)
			CHECK(segs[i].gpa + segs[i].len < segs[k].gpa ||
				  segs[k].gpa + segs[k].len < segs[i].gpa);
	}
}

/* One buffer of a call. */
static void take_buffer(struct world *w, const struct fph_buffer *buffer,
			const struct fph_seg *segs)
{
	uint32_t i;

	CHECK(!w->off);
	CHECK(w->nout < WINDOW);
	CHECK(buffer->cookie && buffer->cookie <= 0xffffffffu);
	CHECK(buffer->nwrite && buffer->nwrite <= MAX_SEGS);
	CHECK(!buffer->nread && !buffer->flags);
	for (i = 0; i < w->nout; i++)
		CHECK(w->out[i] != buffer->cookie);
	check_segs(segs, buffer->nwrite);
	for (i = 0; i < buffer->nwrite; i++)
		take_seg(w, &segs[i], buffer->cookie);
	w->out[w->nout++] = buffer->cookie;
	w->nchains++;
}

static void step_submit(struct world *w)
{
	struct fph_seg segs[2 * MAX_SEGS];
	struct fph_buffer buffers[WINDOW];
	uint32_t nsegs = pick(w, 4) ? 2 * MAX_SEGS : 1 + pick(w, MAX_SEGS);
	uint32_t max = 1 + pick(w, WINDOW), used = 0, i;
	int n;

	if (!pick(w, 8))
		CHECK(fph_reporter_flush(w->r) == FPH_OK);
	n = fph_reporter_submit(w->r, w->now, buffers, max, segs, nsegs);
	CHECK(n >= 0 && (uint32_t)n <= max);
	for (i = 0; i < (uint32_t)n; i++) {
		take_buffer(w, &buffers[i], segs + used);
		used += buffers[i].nwrite;
	}
	CHECK(used <= nsegs);
}

static void note_failure(struct world *w)
{
	if (w->off || ++w->failures < 4)
		return;
	w->off = true;
	w->noffs++;
	move_all(w, WAITS, 0, IS_BACK, false);
}

static void step_complete(struct world *w)
{
	struct fph_used used = { 0 };
	uint32_t i;
	/* Some devices are worse than others. */
	bool ok = pick(w, w->nresets % 4 ? 8 : 2) != 0;
	uint64_t cookie;

	if (!w->nout)
		return;
	i = pick(w, w->nout);
	cookie = w->out[i];
	used.cookie = cookie;
	CHECK(fph_reporter_complete(w->r, w->now, &used, 1, ok) == 1);
	w->out[i] = w->out[--w->nout];
	w->stale = cookie;
	move_all(w, OUT, cookie, IS_BACK, ok);
	if (ok)
		w->failures = 0;
	else
		note_failure(w);
}

static void step_cancel(struct world *w)
{
	uint64_t cookie;

	if (!w->nout || pick(w, 4))
		return;
	cookie = w->out[--w->nout];
	CHECK(fph_reporter_cancel(w->r, w->now, cookie) == FPH_OK);
	w->stale = cookie;
	move_all(w, OUT, cookie, w->off ? IS_BACK : WAITS, false);
	note_failure(w);
}

static void step_reset(struct world *w)
{
	if (pick(w, w->off ? 10 : 100))
		return;
	CHECK(fph_reporter_reset(w->r) == FPH_OK);
	move_all(w, WAITS, 0, IS_BACK, false);
	move_all(w, OUT, 0, IS_BACK, false);
	if (w->nout)
		w->stale = w->out[0];
	w->nout = 0;
	w->failures = 0;
	w->off = false;
	w->nresets++;
}

static void take_back(struct world *w, const struct fph_returned *out,
		      enum where from)
{
	const struct block *block = &w->blocks[out->owner];

	CHECK(out->owner < NPAGES);
	CHECK(out->gpa == BASE + (uint64_t)out->owner * PAGE);
	CHECK(out->len == (uint64_t)block->npages * PAGE);
	CHECK((int)block->where == (int)from);
	CHECK(out->used == (from == IS_BACK && block->ok));
	move(w, (uint32_t)out->owner, USED_BY_GUEST);
	w->nback++;
}

static void step_next(struct world *w)
{
	struct fph_returned out;
	uint32_t n = pick(w, 4) ? 1 + pick(w, 8) : NSLOTS;
	int ret;

	while (n--) {
		ret = fph_reporter_take_back(w->r, &out, 1);
		CHECK(ret == (w->ranges[IS_BACK] != 0));
		if (!ret)
			break;
		take_back(w, &out, IS_BACK);
	}
}

static void step_pop(struct world *w)
{
	struct fph_returned out;
	int ret = fph_reporter_shrink(w->r, &out, 1);

	CHECK(ret == (w->ranges[WAITS] != 0));
	if (ret)
		take_back(w, &out, WAITS);
}

static void step_stale(struct world *w)
{
	struct fph_used used = { 0 };

	if (!w->stale)
		return;
	used.cookie = w->stale;
	CHECK(fph_reporter_complete(w->r, w->now, &used, 1, true) ==
	      FPH_EINVAL);
	CHECK(fph_reporter_cancel(w->r, w->now, w->stale) == FPH_EINVAL);
}

static void step(struct world *w)
{
	switch (pick(w, 20)) {
	case 0: case 1: case 2: case 3: case 4: case 5: case 6: case 7:
		step_add(w);
		break;
	case 8: case 9: case 10:
		step_submit(w);
		break;
	case 11: case 12: case 13:
		step_complete(w);
		break;
	case 14:
		step_cancel(w);
		break;
	case 15:
		step_reset(w);
		break;
	case 16: case 17:
		step_next(w);
		break;
	case 18:
		step_pop(w);
		break;
	default:
		step_stale(w);
	}
	w->now += pick(w, 4);
}

static bool is_equal(const struct world *w, const struct fph_amount *a,
		     enum where where)
{
	return a->ranges == w->ranges[where] && a->bytes == w->bytes[where];
}

/* One assertion, for a million of them take their time. */
static void check_truth(const struct world *w, uint32_t n)
{
	struct fph_reporter_amounts a;
	int state = fph_reporter_get_state(w->r);
	bool same = fph_reporter_get_amounts(w->r, &a, sizeof(a)) == FPH_OK &&
		    is_equal(w, &a.waiting, WAITS) &&
		    is_equal(w, &a.outstanding, OUT) &&
		    is_equal(w, &a.back, IS_BACK) && a.buffers == w->nout &&
		    (state == FPH_REPORTER_OFF) == w->off;

	if (!same)
		ck_abort_msg("step %u", n);
}

START_TEST(random_walk)
{
	static struct world w;
	const char *env = getenv("FPH_TEST_STEPS");
	uint32_t steps = env != NULL ? (uint32_t)strtoul(env, NULL, 0) : STEPS;
	struct fph_reporter_counters n;
	uint32_t i;

	world_init(&w, 0x9e3779b97f4a7c15u);
	for (i = 0; i < steps; i++) {
		step(&w);
		check_truth(&w, i);
	}
	ck_assert_int_eq(fph_reporter_reset(w.r), FPH_OK);
	move_all(&w, WAITS, 0, IS_BACK, false);
	move_all(&w, OUT, 0, IS_BACK, false);
	while (w.ranges[IS_BACK])
		step_next(&w);
	ck_assert_uint_eq(w.nadded, w.nback);
	ck_assert_int_eq(fph_reporter_get_counters(w.r, &n, sizeof(n)), FPH_OK);
	ck_assert_uint_eq(n.added, w.nadded);
	ck_assert_uint_eq(n.reported + n.unreported, w.nback);
	ck_assert_uint_eq(n.buffers, w.nchains);
	ck_assert_uint_eq(n.disabled, w.noffs);
	if (steps < STEPS)
		return;
	/* It has been everywhere. */
	ck_assert_uint_gt(w.nchains, 1000);
	ck_assert_uint_gt(w.nresets, 100);
	ck_assert_uint_gt(w.noffs, 10);
	ck_assert_uint_gt(n.cancelled, 100);
	ck_assert_uint_gt(n.failed, 100);
}
END_TEST

RUNNER_SUITE("reporter_random",
	     random_walk)
