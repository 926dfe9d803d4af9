/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The hint session at random: a driver and a host that do anything in any
 * order, beside a naive model of what counts.
 */
#include <stdlib.h>
#include <string.h>

#include <fph/host.h>
#include <fph/wire.h>

#include "range_model.h"
#include "runner.h"

#define MANY_RANGES	40u
#define MANY_BUFFERS	10u
#define NCOOKIES	4000u

struct world {
	uint64_t memory[FPH_HINT_SESSION_SIZE(MANY_RANGES, MANY_BUFFERS) / 8];
	struct fph_hint_session *s;
	struct model model;
	struct fph_run runs[MANY_RANGES];
	uint64_t model_runs[MANY_RANGES];
	uint32_t nruns;
	uint64_t seed;
	uint32_t id;		/* published last */
	bool published;		/* and neither started nor withdrawn */
	bool live;		/* hints of its stream count */
	bool in_sync;
	bool lost;		/* a bad buffer came */
	uint32_t ncookies;
	uint32_t ninside;
	bool inside[NCOOKIES];
	uint64_t failed, cleared;	/* runs, bytes */
};

/* The host's side of the world ends the round. */
static void world_end_round(struct world *w)
{
	w->published = false;
	w->live = false;
	model_release(&w->model, MODEL_OPEN, 0);
	model_release(&w->model, MODEL_CLOSED, 0);
}

static void world_barrier(struct world *w)
{
	struct fph_run run;
	uint32_t which = model_random(&w->seed, 4);
	int ret;

	if (which == 0) {
		ret = fph_hint_session_stop(w->s);
	} else if (which == 1) {
		ret = fph_hint_session_done(w->s);
	} else {
		ret = fph_hint_session_sync_begin(w->s);
		if (w->in_sync) {
			ck_assert_int_eq(ret, FPH_ESTATE);
			ck_assert_int_eq(fph_hint_session_sync_end(w->s),
					 FPH_OK);
			w->in_sync = false;
			return;
		}
		w->in_sync = ret == FPH_OK;
	}
	world_end_round(w);
	ck_assert_int_eq(ret, w->nruns ? FPH_EINPROGRESS : FPH_OK);
	ck_assert_int_eq(fph_hint_session_next(w->s, &run, 1), 0);
}

static void world_request(struct world *w)
{
	uint32_t id = 0;
	int ret = fph_hint_session_request(w->s, &id);

	if (ret != FPH_OK) {
		ck_assert_uint_eq(id, 0);
		return;
	}
	/* Never while something of an old stream can still take effect. */
	ck_assert(!w->in_sync && !w->lost && !w->nruns && !w->live &&
		  !w->published);
	ck_assert_uint_eq(model_count(&w->model, MODEL_FREE), MODEL_MAX);
	ck_assert_uint_gt(id, w->id);
	w->id = id;
	w->published = true;
}

static void world_command(struct world *w, uint32_t cmd)
{
	if (w->published && cmd == w->id) {
		w->published = false;
		w->live = true;
	} else {
		w->live = false;
	}
}

static uint32_t choose_command(struct world *w)
{
	switch (model_random(&w->seed, 8)) {
	case 0:
		return VIRTIO_BALLOON_CMD_ID_STOP;
	case 1:
		return VIRTIO_BALLOON_CMD_ID_DONE;
	case 2:
		return w->id - 1;
	default:
		return w->id;
	}
}

static uint32_t choose_segs(struct world *w, struct fph_seg *segs)
{
	uint32_t n = model_random(&w->seed, 5), i, off;

	for (i = 0; i < n; i++) {
		off = model_random(&w->seed, MODEL_SPACE);
		segs[i].gpa = w->model.base + off;
		segs[i].len = 1 + model_random(&w->seed, 40);
		if (segs[i].len > MODEL_SPACE - off)
			segs[i].len = MODEL_SPACE - off;
		segs[i].flags = FPH_SEG_WRITE;
	}
	return n;
}

static void world_add(struct world *w)
{
	struct fph_seg segs[6];
	uint32_t cookie = w->ncookies, i, buffers, ranges, nsegs;
	uint32_t cmd_len = model_random(&w->seed, w->published ? 2 : 9) ? 0 : 4;
	uint32_t cmd = choose_command(w);
	struct fph_buffer b = { .cookie = cookie };
	bool counts;
	int ret;

	if (model_random(&w->seed, 300) == 0)
		cmd_len = 3;
	if (cmd_len) {
		segs[0] = (struct fph_seg){ 0, cmd_len, 0 };
		b.nread = 1;
	}
	nsegs = choose_segs(w, segs + b.nread);
	b.nwrite = nsegs;
	fph_cmd_id_encode(b.command, cmd, FPH_LE);
	fph_hint_session_get_room(w->s, &buffers, &ranges);
	ck_assert_uint_eq(buffers, MANY_BUFFERS - w->ninside);
	ck_assert_uint_eq(ranges, MANY_RANGES -
			  (MODEL_MAX - model_count(&w->model, MODEL_FREE)));
	/* Only hints that count take room. */
	counts = cmd_len ? cmd_len == 4 && w->published && cmd == w->id :
			   w->live;
	ret = fph_hint_session_add(w->s, &b, 1, segs);
	if (!buffers || (counts && nsegs > ranges)) {
		ck_assert_int_eq(ret, FPH_EFULL);
		return;
	}
	ck_assert_int_eq(ret, 1);
	w->inside[cookie] = true;
	w->ncookies++;
	w->ninside++;
	if (cmd_len == 3) {
		ck_assert_int_eq(fph_hint_session_get_error(w->s),
				 FPH_PEER_CMD_LEN);
		world_end_round(w);
		w->lost = true;
		return;
	}
	if (cmd_len)
		world_command(w, cmd);
	for (i = 0; i < nsegs && w->live; i++)
		model_add(&w->model, segs[b.nread + i].gpa,
			  segs[b.nread + i].len, cookie);
	ck_assert_int_eq(w->live, fph_hint_session_get_state(w->s) ==
			 FPH_HINT_ACTIVE);
}

static void world_next(struct world *w)
{
	struct fph_run run, want;
	int ret = fph_hint_session_next(w->s, &run, 1);
	bool any;

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

/* One of those that are out, as the embedder is done with it. */
static struct fph_run world_end(struct world *w)
{
	uint32_t n = model_random(&w->seed, w->nruns);
	bool fails = model_random(&w->seed, 3) == 0;
	struct fph_run run = w->runs[n];

	model_release(&w->model, MODEL_OUT, w->model_runs[n]);
	run.outcome = fails ? FPH_OUTCOME_FAILED : FPH_OUTCOME_CLEARED;
	run.freed = fails ? 0 : run.len;
	w->failed += fails;
	w->cleared += run.freed;
	w->nruns--;
	w->runs[n] = w->runs[w->nruns];
	w->model_runs[n] = w->model_runs[w->nruns];
	return run;
}

static void world_complete(struct world *w)
{
	uint32_t most = 1 + model_random(&w->seed, 5), n = 0;
	struct fph_run runs[5];

	ck_assert_uint_eq(fph_hint_session_get_outstanding(w->s), w->nruns);
	while (n < most && w->nruns)
		runs[n++] = world_end(w);
	if (n)
		ck_assert_int_eq(fph_hint_session_complete(w->s, runs, n),
				 (int)n);
}

static bool world_take_used(struct world *w)
{
	struct fph_used used;
	bool stuck = false;
	uint32_t i;

	if (fph_hint_session_take_used(w->s, &used, 1) == 0) {
		for (i = 0; i < w->ncookies; i++)
			stuck |= w->inside[i] && !model_owned(&w->model, i);
		ck_assert(!stuck);
		return false;
	}
	ck_assert_uint_lt(used.cookie, w->ncookies);
	ck_assert(w->inside[used.cookie]);
	ck_assert_uint_eq(model_owned(&w->model, used.cookie), 0);
	w->inside[used.cookie] = false;
	w->ninside--;
	return true;
}

static void world_reset(struct world *w)
{
	uint32_t i;
	int ret = fph_hint_session_reset(w->s);

	ck_assert_int_eq(ret, w->nruns ? FPH_EBUSY : FPH_OK);
	if (ret != FPH_OK)
		return;
	world_end_round(w);
	w->lost = false;
	w->ninside = 0;
	for (i = 0; i < w->ncookies; i++)
		w->inside[i] = false;
}

static void world_step(struct world *w)
{
	uint32_t r = model_random(&w->seed, 100);

	if (r < 2)
		world_reset(w);
	else if (r < 4 || (w->in_sync && r < 15))
		world_barrier(w);
	else if (r < 15)
		world_request(w);
	else if (r < 50)
		world_add(w);
	else if (r < 65)
		world_next(w);
	else if (r < 80)
		world_complete(w);
	else
		world_take_used(w);
}

static void run_world(struct world *w, uint64_t seed, uint64_t granule)
{
	const struct fph_hint_session_params params = {
		.size = sizeof(params), .max_ranges = MANY_RANGES,
		.max_buffers = MANY_BUFFERS, .granule = granule
	};
	uint32_t i, left = 0;

	memset(w, 0, sizeof(*w));
	memset(w->memory, 0xa5, sizeof(w->memory));
	w->seed = seed;
	model_init(&w->model, seed % 2 ? MODEL_TOP : 0, granule);
	ck_assert_int_eq(fph_hint_session_init(&w->s, w->memory,
					       sizeof(w->memory), &params),
			 FPH_OK);
	for (i = 0; i < 3000; i++)
		world_step(w);
	while (w->nruns || model_count(&w->model, MODEL_FREE) != MODEL_MAX) {
		world_next(w);
		world_complete(w);
	}
	while (world_take_used(w))
		;
	for (i = 0; i < w->ncookies; i++)
		left += w->inside[i];
	ck_assert_uint_eq(left, 0);
}

START_TEST(random_beside_the_model)
{
	static const uint64_t granules[] = { 1, 4, 32 };
	struct world *w = malloc(sizeof(*w));
	uint64_t seed, rounds = 0, hints_seen = 0;
	struct fph_hint_counters n;
	size_t g;

	ck_assert_ptr_nonnull(w);
	for (g = 0; g < 3; g++)
		for (seed = 1; seed <= 4; seed++) {
			run_world(w, seed * 0x9e3779b97f4a7c15 + g,
				  granules[g]);
			ck_assert_int_eq(fph_hint_session_get_counters(
					w->s, &n, sizeof(n)), FPH_OK);
			ck_assert_uint_eq(n.failed_runs, w->failed);
			ck_assert_uint_eq(n.bytes_cleared, w->cleared);
			rounds += n.starts;
			hints_seen += n.hints;
		}
	/* It was not all refused. */
	ck_assert_uint_gt(rounds, 100);
	ck_assert_uint_gt(hints_seen, 1000);
	free(w);
}
END_TEST

RUNNER_SUITE("hint_session_random",
	     random_beside_the_model)
