/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Reports at random: buffers come and go beside a naive model, runs are
 * completed in any order, no buffer comes back before its last run, and each
 * freed byte belongs to one buffer.
 */
#include <stdlib.h>
#include <string.h>

#include <fph/host.h>

#include "range_model.h"
#include "runner.h"

#define MANY_RANGES	48u
#define MANY_BUFFERS	12u
#define NCOOKIES	4000u

struct world {
	uint64_t memory[FPH_REPORT_SIZE(MANY_RANGES, MANY_BUFFERS) / 8];
	struct fph_report *r;
	struct model model;
	struct fph_run runs[MANY_RANGES];
	uint64_t model_runs[MANY_RANGES];
	uint32_t nruns;
	uint64_t seed;
	uint32_t ncookies;
	uint32_t ninside;
	/* 0: not given, 1: inside, 2: came back */
	uint8_t cookies[NCOOKIES];
	int outcomes[NCOOKIES];
	uint64_t freed[NCOOKIES];
	uint64_t offered, done;
	struct {
		uint64_t runs, bytes;	/* bytes: not freed */
	} over[FPH_OUTCOME_FAILED + 1];
};

static struct fph_report_counters counters(const struct fph_report *r)
{
	struct fph_report_counters n;

	ck_assert_int_eq(fph_report_get_counters(r, &n, sizeof(n)), FPH_OK);
	return n;
}

static void world_add(struct world *w)
{
	struct fph_seg segs[6];
	uint32_t nsegs = model_random(&w->seed, 6);
	uint32_t i, off, cookie = w->ncookies;
	uint64_t bytes = 0;
	struct fph_buffer b = { .cookie = cookie, .nwrite = nsegs };
	bool bad = model_random(&w->seed, 12) == 0, room;
	uint32_t buffers, ranges;
	int ret;

	for (i = 0; i < nsegs; i++) {
		off = model_random(&w->seed, MODEL_SPACE);
		segs[i].gpa = w->model.base + off;
		segs[i].len = 1 + model_random(&w->seed, 40);
		if (segs[i].len > MODEL_SPACE - off)
			segs[i].len = MODEL_SPACE - off;
		segs[i].flags = FPH_SEG_WRITE;
		bytes += segs[i].len;
	}
	bad = bad && nsegs;
	if (bad)
		segs[nsegs - 1].flags = 0;
	fph_report_get_room(w->r, &buffers, &ranges);
	ck_assert_uint_eq(buffers, MANY_BUFFERS - w->ninside);
	ck_assert_uint_eq(ranges, MANY_RANGES -
			  (MODEL_MAX - model_count(&w->model, MODEL_FREE)));
	room = buffers && nsegs <= ranges;
	ret = fph_report_add(w->r, &b, 1, segs);
	if (!room) {
		ck_assert_int_eq(ret, FPH_EFULL);
		return;
	}
	ck_assert_int_eq(ret, 1);
	w->ncookies++;
	w->ninside++;
	w->cookies[cookie] = 1;
	w->outcomes[cookie] = bad ? FPH_OUTCOME_REFUSED :
			      nsegs ? FPH_OUTCOME_NONE : FPH_OUTCOME_SKIPPED;
	for (i = 0; i < nsegs && !bad; i++)
		model_add(&w->model, segs[i].gpa, segs[i].len, cookie);
	w->offered += bad ? 0 : bytes;
}

static void note(struct world *w, uint64_t cookie, int outcome)
{
	if (w->outcomes[cookie] < outcome)
		w->outcomes[cookie] = outcome;
}

/*
 * A run is over in the model: of its bytes, those below end were freed, each
 * for the range that begins first, or was added first.
 */
static void model_over(struct world *w, uint64_t n, const struct fph_run *run,
		       int outcome, uint64_t freed)
{
	struct model *m = &w->model;
	uint64_t i, byte;

	for (i = 0; i < MODEL_MAX; i++) {
		const struct model_range *r = &m->ranges[i];

		if (r->where != MODEL_OUT || r->run != n)
			continue;
		for (byte = 0; byte < r->len; byte++)
			if (r->gpa + byte - run->gpa < run->len)
				break;
		note(w, r->owner, byte == r->len ? FPH_OUTCOME_TRIMMED :
						   outcome);
	}
	for (byte = 0; byte < freed; byte++) {
		const struct model_range *first = NULL;

		for (i = 0; i < MODEL_MAX; i++) {
			const struct model_range *r = &m->ranges[i];

			if (r->where == MODEL_OUT && r->run == n &&
			    run->gpa + byte - r->gpa < r->len &&
			    (!first || r->gpa < first->gpa ||
			     (r->gpa == first->gpa &&
			      r->serial < first->serial)))
				first = r;
		}
		ck_assert_ptr_nonnull(first);
		w->freed[first->owner]++;
	}
	model_release(m, MODEL_OUT, n);
}

static void world_next(struct world *w)
{
	struct fph_run run[3], want;
	uint32_t n = 1 + model_random(&w->seed, 3), i = 0;
	int got = fph_report_next(w->r, run, n);

	/* As many as are asked for, but not of two sets at a time. */
	while (i < n && (!i || model_count(&w->model, MODEL_CLOSED)) &&
	       model_next(&w->model, &want)) {
		if (!want.len) {
			/* Empty runs are over at once. */
			model_over(w, want.token, &want, FPH_OUTCOME_TRIMMED,
				   0);
			continue;
		}
		ck_assert_int_lt((int)i, got);
		ck_assert_uint_eq(run[i].gpa, want.gpa);
		ck_assert_uint_eq(run[i].len, want.len);
		w->model_runs[w->nruns] = want.token;
		w->runs[w->nruns++] = run[i++];
	}
	ck_assert_int_eq((int)i, got);
}

/* One of those that are out, as the embedder is done with it. */
static struct fph_run world_end(struct world *w)
{
	static const uint8_t outcomes[] = {
		FPH_OUTCOME_DISCARDED, FPH_OUTCOME_DISCARDED, FPH_OUTCOME_LAZY,
		FPH_OUTCOME_TRIMMED, FPH_OUTCOME_SKIPPED, FPH_OUTCOME_FAILED
	};
	uint32_t n = model_random(&w->seed, w->nruns);
	struct fph_run run = w->runs[n];

	run.outcome = outcomes[model_random(&w->seed, 6)];
	run.freed = model_random(&w->seed, (uint32_t)run.len + 1);
	model_over(w, w->model_runs[n], &run, run.outcome, run.freed);
	w->done += run.freed;
	w->over[run.outcome].runs++;
	w->over[run.outcome].bytes += run.len - run.freed;
	w->nruns--;
	w->runs[n] = w->runs[w->nruns];
	w->model_runs[n] = w->model_runs[w->nruns];
	return run;
}

static void world_complete(struct world *w)
{
	uint32_t most = 1 + model_random(&w->seed, 5), n = 0;
	struct fph_run runs[5];

	ck_assert_uint_eq(fph_report_get_outstanding(w->r), w->nruns);
	while (n < most && w->nruns)
		runs[n++] = world_end(w);
	if (!n)
		return;
	ck_assert_int_eq(fph_report_complete(w->r, runs, n), (int)n);
	ck_assert_int_eq(fph_report_complete(w->r, runs, n), FPH_EINVAL);
}

static bool world_take_used(struct world *w)
{
	struct fph_used used;
	int ret = fph_report_take_used(w->r, &used, 1);
	bool stuck = false;
	uint32_t i;

	if (!ret) {
		/* Then no buffer is inside without something pending. */
		for (i = 0; i < w->ncookies; i++)
			stuck |= w->cookies[i] == 1 &&
				 !model_owned(&w->model, i);
		ck_assert(!stuck);
		return false;
	}
	ck_assert_int_eq(ret, 1);
	ck_assert_uint_lt(used.cookie, w->ncookies);
	ck_assert_uint_eq(w->cookies[used.cookie], 1);
	ck_assert_uint_eq(model_owned(&w->model, used.cookie), 0);
	ck_assert_int_eq(used.outcome, w->outcomes[used.cookie]);
	ck_assert_uint_eq(used.freed, w->freed[used.cookie]);
	w->cookies[used.cookie] = 2;
	w->ninside--;
	return true;
}

static void run_world(struct world *w, uint64_t seed, uint64_t base,
		      uint64_t granule)
{
	const struct fph_report_params params = {
		.size = sizeof(params), .max_ranges = MANY_RANGES,
		.max_buffers = MANY_BUFFERS, .granule = granule
	};
	struct fph_report_counters n;
	uint32_t i, back = 0;

	memset(w, 0, sizeof(*w));
	memset(w->memory, 0xa5, sizeof(w->memory));
	w->seed = seed;
	model_init(&w->model, base, granule);
	ck_assert_int_eq(fph_report_init(&w->r, w->memory, sizeof(w->memory),
					 &params), FPH_OK);
	for (i = 0; i < 1500; i++) {
		switch (model_random(&w->seed, 4)) {
		case 0:
			world_add(w);
			break;
		case 1:
			world_next(w);
			break;
		case 2:
			world_complete(w);
			break;
		default:
			world_take_used(w);
		}
	}
	while (w->nruns || model_count(&w->model, MODEL_FREE) != MODEL_MAX) {
		world_next(w);
		world_complete(w);
	}
	while (world_take_used(w))
		;
	for (i = 0; i < w->ncookies; i++)
		back += w->cookies[i] == 2;
	ck_assert_uint_eq(back, w->ncookies);
	n = counters(w->r);
	ck_assert_uint_eq(n.bytes_offered, w->offered);
	ck_assert_uint_eq(n.bytes_freed, w->done);
	ck_assert_uint_eq(n.failed_runs, w->over[FPH_OUTCOME_FAILED].runs);
	ck_assert_uint_eq(n.bytes_failed, w->over[FPH_OUTCOME_FAILED].bytes);
	ck_assert_uint_eq(n.bytes_lazy, w->over[FPH_OUTCOME_LAZY].bytes);
	ck_assert_uint_eq(n.bytes_offered, n.bytes_freed + n.bytes_lazy +
			  n.bytes_trimmed + n.bytes_skipped + n.bytes_failed +
			  n.bytes_overlap);
	ck_assert_uint_eq(n.returned, w->ncookies);
	ck_assert_uint_eq(n.buffers, w->ncookies);
}

START_TEST(random_beside_the_model)
{
	static const uint64_t granules[] = { 1, 4, 32 };
	struct world *w = malloc(sizeof(*w));
	uint64_t seed;
	size_t g;

	ck_assert_ptr_nonnull(w);
	for (g = 0; g < 3; g++)
		for (seed = 1; seed <= 4; seed++)
			run_world(w, seed * 0x9e3779b97f4a7c15 + g,
				  seed % 2 ? MODEL_TOP : 0, granules[g]);
	free(w);
}
END_TEST

RUNNER_SUITE("report_random",
	     random_beside_the_model)
