/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Reports at random: chains come and go beside a naive model, runs are
 * completed in any order, and no chain ends before its last run.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/host.h>

#include "range_model.h"

#define MANY_SLOTS	48u
#define MANY_CHAINS	12u
#define NCOOKIES	4000u

struct world {
	struct fph_report r;
	struct fph_slot slots[MANY_SLOTS];
	struct fph_chain chains[MANY_CHAINS];
	struct model model;
	struct fph_run runs[MANY_SLOTS];
	uint32_t model_runs[MANY_SLOTS];
	uint32_t nruns;
	uint64_t seed;
	uint32_t ncookies;
	uint32_t ninside;
	/* 0: not given, 1: inside, 2: came back */
	uint8_t cookies[NCOOKIES];
	int outcomes[NCOOKIES];
	uint64_t offered, done;
};

static struct fph_report_counters counters(const struct fph_report *r)
{
	struct fph_report_counters n;

	ck_assert_int_eq(fph_report_get_counters(r, &n), FPH_OK);
	return n;
}

static void world_add(struct world *w)
{
	struct fph_seg segs[6];
	uint32_t nsegs = model_random(&w->seed, 6);
	uint32_t i, off, cookie = w->ncookies;
	uint64_t bytes = 0;
	bool bad = model_random(&w->seed, 12) == 0, room;
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
	room = w->ninside < MANY_CHAINS &&
	       MODEL_MAX - model_count(&w->model, MODEL_FREE) + nsegs <=
	       MANY_SLOTS;
	ck_assert_int_eq(fph_report_is_room(&w->r, nsegs), room);
	ret = fph_report_add(&w->r, cookie, segs, nsegs);
	if (!room) {
		ck_assert_int_eq(ret, FPH_EFULL);
		return;
	}
	ck_assert_int_eq(ret, bad ? FPH_PEER_DIRECTION : FPH_OK);
	w->ncookies++;
	w->ninside++;
	w->cookies[cookie] = 1;
	w->outcomes[cookie] = bad ? FPH_OUTCOME_REFUSED : FPH_OUTCOME_DONE;
	for (i = 0; i < nsegs && !bad; i++)
		model_add(&w->model, segs[i].gpa, segs[i].len, cookie);
	w->offered += bad ? 0 : bytes;
}

static void world_next(struct world *w)
{
	struct fph_run run, want;
	bool any;
	int ret = fph_report_next(&w->r, &run);

	/* Empty runs are over at once. */
	while ((any = model_next(&w->model, &want)) && !want.len)
		model_release(&w->model, MODEL_OUT, want.token);
	ck_assert_int_eq(ret, any);
	if (!any)
		return;
	ck_assert_uint_eq(run.gpa, want.gpa);
	ck_assert_uint_eq(run.len, want.len);
	w->model_runs[w->nruns] = want.token;
	w->runs[w->nruns++] = run;
}

static void world_complete(struct world *w)
{
	uint32_t i, n;
	bool ok = model_random(&w->seed, 5) != 0;

	ck_assert_uint_eq(fph_report_get_outstanding(&w->r), w->nruns);
	if (!w->nruns)
		return;
	n = model_random(&w->seed, w->nruns);
	for (i = 0; i < MODEL_MAX && !ok; i++) {
		struct model_range *r = &w->model.ranges[i];

		if (r->where == MODEL_OUT && r->run == w->model_runs[n])
			w->outcomes[r->owner] = FPH_OUTCOME_FAILED;
	}
	if (ok)
		w->done += w->runs[n].len;
	model_release(&w->model, MODEL_OUT, w->model_runs[n]);
	ck_assert_int_eq(fph_report_complete(&w->r, &w->runs[n], ok), FPH_OK);
	w->nruns--;
	w->runs[n] = w->runs[w->nruns];
	w->model_runs[n] = w->model_runs[w->nruns];
}

static bool world_end(struct world *w)
{
	struct fph_chain_end end;
	int ret = fph_report_end(&w->r, &end);
	bool stuck = false;
	uint32_t i;

	if (!ret) {
		/* Then no chain is inside without something pending. */
		for (i = 0; i < w->ncookies; i++)
			stuck |= w->cookies[i] == 1 &&
				 !model_owned(&w->model, i);
		ck_assert(!stuck);
		return false;
	}
	ck_assert_int_eq(ret, 1);
	ck_assert_uint_lt(end.cookie, w->ncookies);
	ck_assert_uint_eq(w->cookies[end.cookie], 1);
	ck_assert_uint_eq(model_owned(&w->model, (uint32_t)end.cookie), 0);
	ck_assert_int_eq((int)end.outcome, w->outcomes[end.cookie]);
	w->cookies[end.cookie] = 2;
	w->ninside--;
	return true;
}

static void run_world(struct world *w, uint64_t seed, uint64_t base,
		      uint64_t granule)
{
	struct fph_storage storage = {
		w->slots, MANY_SLOTS, w->chains, MANY_CHAINS
	};
	uint32_t i, back = 0;

	memset(w, 0, sizeof(*w));
	w->seed = seed;
	model_init(&w->model, base, granule);
	ck_assert_int_eq(fph_report_init(&w->r, &storage, granule), FPH_OK);
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
			world_end(w);
		}
	}
	while (w->nruns || model_count(&w->model, MODEL_FREE) != MODEL_MAX) {
		world_next(w);
		world_complete(w);
	}
	while (world_end(w))
		;
	for (i = 0; i < w->ncookies; i++)
		back += w->cookies[i] == 2;
	ck_assert_uint_eq(back, w->ncookies);
	ck_assert_uint_eq(counters(&w->r).bytes_offered, w->offered);
	ck_assert_uint_eq(counters(&w->r).bytes_done, w->done);
	ck_assert_uint_eq(counters(&w->r).returned, w->ncookies);
	ck_assert_uint_eq(counters(&w->r).chains + counters(&w->r).refused,
			  w->ncookies);
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

int main(void)
{
	Suite *s = suite_create("report_random");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, random_beside_the_model);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
