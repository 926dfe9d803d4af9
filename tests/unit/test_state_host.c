/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of reports and hint sessions: one object does anything in any
 * order, is saved at a random step and loaded into a fresh one, and from there
 * on both are given the same calls and must answer the same.  What is damaged
 * is refused, and what is wrong behind a good checksum does no harm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fph/host.h>
#include <fph/wire.h>

#include "damage.h"
#include "runner.h"

#define NRANGES		24u
#define NBUFFERS	8u
#define MEMORY_SIZE	FPH_HINT_SESSION_SIZE(NRANGES, NBUFFERS)
#define STATE_SIZE	FPH_REPORT_STATE_SIZE(NRANGES, NBUFFERS)
#define NSAVES		1000
#define STEPS_AFTER	150

/* One of both kinds, with what its embedder holds. */
struct object {
	uint64_t memory[MEMORY_SIZE / 8];
	struct fph_report *r;
	struct fph_hint_session *s;	/* or NULL */
	struct fph_run runs[NRANGES];
	uint32_t nruns;
};

/* What a call answered; tokens are names and may differ. */
struct answer {
	int64_t ret;
	uint64_t v[40];
};

static void make(struct object *o, bool hints, uint64_t granule)
{
	struct fph_report_params rp = {
		.size = sizeof(rp), .max_ranges = NRANGES,
		.max_buffers = NBUFFERS, .granule = granule,
		.queue = FPH_QUEUE_REPORT
	};
	struct fph_hint_session_params sp = {
		.size = sizeof(sp), .max_ranges = NRANGES,
		.max_buffers = NBUFFERS, .granule = granule
	};

	memset(o, 0xa5, sizeof(*o));
	o->r = NULL;
	o->s = NULL;
	o->nruns = 0;
	ck_assert_int_eq(hints ?
		fph_hint_session_init(&o->s, o->memory, MEMORY_SIZE, &sp) :
		fph_report_init(&o->r, o->memory, MEMORY_SIZE, &rp), FPH_OK);
}

static int save(const struct object *o, void *buf, size_t size, size_t *need)
{
	return o->s ? fph_hint_session_save(o->s, buf, size, need) :
		      fph_report_save(o->r, buf, size, need);
}

static int load(struct object *o, const void *buf, size_t size, uint32_t flags)
{
	return o->s ? fph_hint_session_load(o->s, buf, size, flags) :
		      fph_report_load(o->r, buf, size, flags);
}

static void note_counters(const struct object *o, struct answer *a)
{
	uint32_t room[2];

	if (o->s) {
		struct fph_hint_counters n;

		fph_hint_session_get_counters(o->s, &n, sizeof(n));
		memcpy(a->v, &n, sizeof(n));
		fph_hint_session_get_room(o->s, &room[0], &room[1]);
		a->v[30] = (uint64_t)fph_hint_session_get_state(o->s);
		a->v[31] = fph_hint_session_get_config(o->s);
		a->v[32] = fph_hint_session_get_id(o->s);
		a->v[33] = (uint64_t)fph_hint_session_get_error(o->s);
		a->v[34] = fph_hint_session_get_outstanding(o->s);
	} else {
		struct fph_report_counters n;

		fph_report_get_counters(o->r, &n, sizeof(n));
		memcpy(a->v, &n, sizeof(n));
		fph_report_get_room(o->r, &room[0], &room[1]);
		a->v[34] = fph_report_get_outstanding(o->r);
	}
	a->v[35] = room[0];
	a->v[36] = room[1];
}

/* ----------------------------------------------------------------- steps -- */

static bool is_requested(const struct object *o)
{
	return fph_hint_session_get_state(o->s) == FPH_HINT_REQUESTED;
}

/* The same random numbers for both: seed is a copy. */
static void step_add(struct object *o, uint64_t *seed, struct answer *a)
{
	struct fph_seg segs[7];
	struct fph_buffer b = { .cookie = model_random(seed, 1000) };
	uint32_t id = o->s ? fph_hint_session_get_id(o->s) : 0;
	uint32_t n = model_random(seed, 6);

	if (o->s && !model_random(seed, is_requested(o) ? 2 : 15)) {
		uint32_t len = model_random(seed, 100) ? 4 : 3;

		segs[b.nread++] = (struct fph_seg){ 0, len, 0 };
		if (!model_random(seed, 6))
			id = model_random(seed, 2);
	}
	fph_cmd_id_encode(b.command, id, model_random(seed, 4) ? FPH_LE :
							       FPH_BE);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t flags = FPH_SEG_WRITE;

		if (!model_random(seed, 20))
			flags |= FPH_SEG_SKIP;
		if (!model_random(seed, 200))
			flags = 0;
		segs[b.nread + i] = (struct fph_seg){
			model_random(seed, 64) * 4, 1 + model_random(seed, 40),
			flags
		};
	}
	b.nwrite = n;
	b.flags = model_random(seed, 20) ? 0 : FPH_BUFFER_REFUSE;
	a->ret = o->s ? fph_hint_session_add(o->s, &b, 1, segs) :
			fph_report_add(o->r, &b, 1, segs);
}

static void step_next(struct object *o, uint64_t *seed, struct answer *a)
{
	struct fph_run runs[4];
	uint32_t n = 1 + model_random(seed, 4);

	a->ret = o->s ? fph_hint_session_next(o->s, runs, n) :
			fph_report_next(o->r, runs, n);
	for (int i = 0; i < a->ret; i++) {
		a->v[2 * i] = runs[i].gpa;
		a->v[2 * i + 1] = runs[i].len;
		o->runs[o->nruns++] = runs[i];
	}
}

static void step_complete(struct object *o, uint64_t *seed, struct answer *a)
{
	static const uint8_t reports[] = {
		FPH_OUTCOME_DISCARDED, FPH_OUTCOME_LAZY, FPH_OUTCOME_TRIMMED,
		FPH_OUTCOME_SKIPPED, FPH_OUTCOME_FAILED, FPH_OUTCOME_CLEARED
	};
	uint32_t outcome = reports[model_random(seed, 6)];
	uint32_t n = model_random(seed, o->nruns ? o->nruns : 1);
	uint32_t part = model_random(seed, 3);
	struct fph_run *run = &o->runs[n];

	if (!o->nruns)
		return;
	if (o->s && outcome < FPH_OUTCOME_TRIMMED)
		outcome = FPH_OUTCOME_CLEARED;
	run->outcome = (uint8_t)outcome;
	run->reason = (uint8_t)model_random(seed, FPH_NSKIP);
	run->freed = part == 2 ? run->len : part ? run->len / 2 : 0;
	a->ret = o->s ? fph_hint_session_complete(o->s, run, 1) :
			fph_report_complete(o->r, run, 1);
	if (a->ret == 1)
		*run = o->runs[--o->nruns];
}

static void step_take_used(struct object *o, uint64_t *seed, struct answer *a)
{
	struct fph_used used[3];
	uint32_t n = 1 + model_random(seed, 3);

	a->ret = o->s ? fph_hint_session_take_used(o->s, used, n) :
			fph_report_take_used(o->r, used, n);
	for (int i = 0; i < a->ret; i++) {
		a->v[4 * i] = used[i].cookie;
		a->v[4 * i + 1] = used[i].freed;
		a->v[4 * i + 2] = used[i].outcome;
		a->v[4 * i + 3] = used[i].reason;
	}
}

static void step_session(struct object *o, uint32_t what, struct answer *a)
{
	uint32_t id = 0;

	switch (what) {
	case 0:
		a->ret = fph_hint_session_stop(o->s);
		break;
	case 1:
		a->ret = fph_hint_session_done(o->s);
		break;
	case 2:
		a->ret = fph_hint_session_set_endian(o->s, FPH_BE);
		break;
	case 3:
		a->ret = fph_hint_session_sync_begin(o->s);
		break;
	case 4:
	case 5:
	case 6:
		a->ret = fph_hint_session_sync_end(o->s);
		break;
	case 7:
		a->v[1] = (uint64_t)fph_hint_session_sync_begin(o->s);
		a->v[2] = (uint64_t)fph_hint_session_sync_end(o->s);
		/* fall through */
	default:
		a->ret = fph_hint_session_request(o->s, &id);
		a->v[0] = id;
	}
}

static void step(struct object *o, uint64_t *seed, struct answer *a)
{
	uint32_t what = model_random(seed, 100);
	uint32_t more = model_random(seed, 20);

	memset(a, 0, sizeof(*a));
	if (what < 35)
		step_add(o, seed, a);
	else if (what < 50)
		step_next(o, seed, a);
	else if (what < 65)
		step_complete(o, seed, a);
	else if (what < 80)
		step_take_used(o, seed, a);
	else if (what < 95 && o->s)
		step_session(o, more, a);
	else if (what < 96)
		a->ret = o->s ? fph_hint_session_reset(o->s) :
				fph_report_reset(o->r);
	else if (!o->s && what == 96)
		a->ret = fph_report_set_poison(o->r, true, more < 3);
	else
		note_counters(o, a);
}

/* ------------------------------------------------------------------ same -- */

/* Something happens, and nothing of it is there any more but counters. */
static void live(struct object *o, uint64_t seed)
{
	struct answer answer;

	for (int i = 0; i < 60; i++)
		step(o, &seed, &answer);
	while (o->nruns)
		step_complete(o, &seed, &answer);
	ck_assert_int_eq(o->s ? fph_hint_session_reset(o->s) :
				fph_report_reset(o->r), FPH_OK);
}

static void copy(struct object *to, const struct object *from, uint64_t granule)
{
	uint8_t state[STATE_SIZE];
	size_t need, wrote;

	ck_assert_int_eq(save(from, NULL, 0, &need), FPH_EFULL);
	ck_assert_uint_le(need, sizeof(state));
	ck_assert_int_eq(save(from, state, need - 1, &wrote), FPH_EFULL);
	ck_assert_int_eq(save(from, state, need, &wrote), FPH_OK);
	ck_assert_uint_eq(need, wrote);
	make(to, from->s, granule);
	live(to, need);
	ck_assert_int_eq(load(to, state, need, 0), FPH_OK);
	memcpy(to->runs, from->runs, sizeof(to->runs));
	to->nruns = from->nruns;
}

static void compare(struct object *a, struct object *b, uint64_t seed)
{
	struct answer x, y;
	uint64_t other;

	for (int i = 0; i < STEPS_AFTER; i++) {
		other = seed;
		step(a, &seed, &x);
		step(b, &other, &y);
		ck_assert_int_eq(x.ret, y.ret);
		ck_assert_mem_eq(&x, &y, sizeof(x));
	}
	memset(&x, 0, sizeof(x));
	memset(&y, 0, sizeof(y));
	note_counters(a, &x);
	note_counters(b, &y);
	ck_assert_mem_eq(&x, &y, sizeof(x));
}

static void goes_on(bool hints)
{
	static const uint64_t granules[] = { 1, 4, 32 };
	static struct object a, b;
	struct answer answer;
	uint64_t out = 0, held = 0;

	for (uint64_t k = 0; k < NSAVES; k++) {
		uint64_t seed = k * 0x9e3779b97f4a7c15 + 1;
		uint32_t n = model_random(&seed, 200);

		make(&a, hints, granules[k % 3]);
		while (n--)
			step(&a, &seed, &answer);
		out += a.nruns;
		memset(&answer, 0, sizeof(answer));
		note_counters(&a, &answer);
		held += NBUFFERS - answer.v[35];
		copy(&b, &a, granules[k % 3]);
		compare(&a, &b, seed);
	}
	/* They were not saved while nothing went on. */
	printf("%d states, %u runs out, %u buffers\n", NSAVES, (unsigned)out,
	       (unsigned)held);
	ck_assert_uint_gt(out, 200);
	ck_assert_uint_gt(held, 2000);
}

START_TEST(report_goes_on)
{
	goes_on(false);
}
END_TEST

START_TEST(session_goes_on)
{
	goes_on(true);
}
END_TEST

/* ------------------------------------------------------------- elsewhere -- */

/* Nothing that was begun is going on, and everything comes back. */
static void moves(bool hints)
{
	static struct object a, b;
	struct fph_used used[NBUFFERS];
	struct answer answer;

	for (uint64_t k = 0; k < 200; k++) {
		uint64_t seed = k * 0x9e3779b97f4a7c15 + 7;
		uint8_t state[STATE_SIZE];
		uint32_t n = model_random(&seed, 200), id = 0;
		struct answer before = { 0 }, after = { 0 };
		size_t need;

		make(&a, hints, 4);
		while (n--)
			step(&a, &seed, &answer);
		ck_assert_int_eq(save(&a, state, sizeof(state), &need), FPH_OK);
		make(&b, hints, 4);
		ck_assert_int_eq(load(&b, state, need, FPH_LOAD_MOVED), FPH_OK);
		note_counters(&a, &before);
		note_counters(&b, &after);
		ck_assert_uint_eq(after.v[34], 0);
		ck_assert_uint_eq(after.v[35], before.v[35]);
		if (!hints)
			continue;
		ck_assert_uint_eq(after.v[32], before.v[32]);
		/* Also where no id was published yet (FPH-L5). */
		ck_assert_int_eq(fph_hint_session_get_state(b.s),
				 FPH_HINT_DONE);
		ck_assert_int_lt(fph_hint_session_request(b.s, &id), 0);
		ck_assert_int_eq(fph_hint_session_next(b.s, b.runs, 1), 0);
		ck_assert_int_eq(fph_hint_session_take_used(b.s, used,
							    NBUFFERS),
				 (int)(NBUFFERS - before.v[35]));
	}
}

START_TEST(report_moves)
{
	moves(false);
}
END_TEST

START_TEST(session_moves)
{
	moves(true);
}
END_TEST

/* --------------------------------------------------------------- refused -- */

static void expect_untouched(struct object *o, const struct answer *fresh)
{
	struct answer now = { 0 };

	note_counters(o, &now);
	ck_assert_mem_eq(&now, fresh, sizeof(now));
}

static void make_state(bool hints, uint64_t seed, uint8_t *state, size_t *size)
{
	static struct object o;
	struct answer answer;

	/* Something of everything. */
	do {
		make(&o, hints, 4);
		for (int i = 0; i < 100; i++)
			step(&o, &seed, &answer);
		memset(&answer, 0, sizeof(answer));
		note_counters(&o, &answer);
	} while (o.nruns < 2 || answer.v[35] > NBUFFERS - 5);
	ck_assert_int_eq(save(&o, state, STATE_SIZE, size), FPH_OK);
}

static void refuses_damage(bool hints)
{
	static struct object o;
	uint8_t state[STATE_SIZE + 1];
	struct answer fresh = { 0 };
	size_t size;

	make_state(hints, 3, state, &size);
	make(&o, hints, 4);
	note_counters(&o, &fresh);
	for (size_t n = 0; n < size; n++)
		ck_assert_int_eq(load(&o, state, n, 0), FPH_ECORRUPT);
	ck_assert_int_eq(load(&o, state, size + 1, 0), FPH_ECORRUPT);
	for (size_t bit = 0; bit < 8 * size; bit++) {
		state[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(load(&o, state, size, 0), FPH_ECORRUPT);
		state[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	expect_untouched(&o, &fresh);
	ck_assert_int_eq(load(&o, NULL, size, 0), FPH_EINVAL);
	ck_assert_int_eq(load(&o, state, size, 2), FPH_EINVAL);
	ck_assert_int_eq(load(&o, state, size, 0), FPH_OK);
	ck_assert_int_eq(load(&o, state, size, 0), FPH_EBUSY);
}

START_TEST(damage_is_refused)
{
	refuses_damage(false);
	refuses_damage(true);
}
END_TEST

START_TEST(other_states_are_refused)
{
	uint8_t report[STATE_SIZE], session[STATE_SIZE];
	static struct object r, s;
	struct answer fresh = { 0 };
	size_t nreport, nsession, need;

	make_state(false, 3, report, &nreport);
	make_state(true, 3, session, &nsession);
	make(&r, false, 4);
	make(&s, true, 4);
	note_counters(&r, &fresh);
	ck_assert_int_eq(load(&s, report, nreport, 0), FPH_EREFUSED);
	ck_assert_int_eq(load(&r, session, nsession, 0), FPH_EREFUSED);
	fph_put16(report + 6, 2, FPH_LE);
	damage_sign(report, nreport);
	ck_assert_int_eq(load(&r, report, nreport, 0), FPH_EVERSION);
	fph_put16(report + 6, 0, FPH_LE);
	damage_sign(report, nreport);
	ck_assert_int_eq(load(&r, report, nreport, 0), FPH_ECORRUPT);
	fph_put16(report + 6, 1, FPH_LE);
	fph_put32(report + 28, FPH_QUEUE_INFLATE, FPH_LE);
	damage_sign(report, nreport);
	ck_assert_int_eq(load(&r, report, nreport, 0), FPH_EREFUSED);
	expect_untouched(&r, &fresh);
	ck_assert_int_eq(fph_report_save(r.r, NULL, 0, NULL), FPH_EINVAL);
	ck_assert_int_eq(fph_report_save(NULL, NULL, 0, &need), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_load(NULL, report, 1, 0), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_save(s.s, NULL, 0, NULL),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_save(NULL, NULL, 0, &need),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_load(NULL, report, 1, 0),
			 FPH_EUNINIT);
}
END_TEST

/* More is in flight than a smaller object can hold. */
START_TEST(too_much_is_refused)
{
	struct fph_report_params p = {
		.size = sizeof(p), .queue = FPH_QUEUE_REPORT, .granule = 4
	};
	uint64_t memory[MEMORY_SIZE / 8];
	uint8_t state[STATE_SIZE];
	struct fph_report *r;
	size_t size;

	make_state(false, 3, state, &size);
	for (p.max_ranges = 1; p.max_ranges < 5; p.max_ranges++)
		for (p.max_buffers = 1; p.max_buffers < 5; p.max_buffers++) {
			ck_assert_int_eq(fph_report_init(&r, memory,
							 MEMORY_SIZE, &p),
					 FPH_OK);
			ck_assert_int_eq(fph_report_load(r, state, size, 0),
					 FPH_EREFUSED);
		}
}
END_TEST

/* Completes whatever is out: its tokens are in the state alone. */
static void drain(struct object *o)
{
	struct fph_used used[NBUFFERS];
	struct answer a;
	int n, all = 0;

	memset(&a, 0, sizeof(a));
	note_counters(o, &a);
	while ((n = o->s ? fph_hint_session_take_used(o->s, used, NBUFFERS) :
			   fph_report_take_used(o->r, used, NBUFFERS)) > 0 ||
	       (n = o->s ? fph_hint_session_next(o->s, o->runs, NRANGES) :
			   fph_report_next(o->r, o->runs, NRANGES)) > 0) {
		all += n;
		ck_assert_int_lt(all, 1000);
		o->nruns = 0;
	}
}

/* Wrong values behind a good checksum: refused, or an object that works. */
static void survives(bool hints)
{
	static struct object o;
	uint64_t seed = 11, loaded = 0, refused = 0;
	uint8_t state[STATE_SIZE], bad[STATE_SIZE];
	struct answer fresh = { 0 }, answer;
	size_t size;

	make_state(hints, 3, state, &size);
	make(&o, hints, 4);
	note_counters(&o, &fresh);
	for (int k = 0; k < 4000; k++) {
		damage_some(bad, state, size, &seed);
		if (load(&o, bad, size, model_random(&seed, 2)) != FPH_OK) {
			refused++;
			expect_untouched(&o, &fresh);
			continue;
		}
		loaded++;
		for (int i = 0; i < 20; i++)
			step(&o, &seed, &answer);
		drain(&o);
		make(&o, hints, 4);
	}
	printf("%u loaded, %u refused\n", (unsigned)loaded, (unsigned)refused);
	ck_assert_uint_gt(loaded, 300);
	ck_assert_uint_gt(refused, 500);
}

START_TEST(wrong_values_do_no_harm)
{
	survives(false);
	survives(true);
}
END_TEST

/* A session in a round, with what is out or waits. */
static void make_round(struct object *o, bool waits, bool out)
{
	struct fph_seg segs[2] = { { 0, 4, 0 }, { 0x1000, 8, FPH_SEG_WRITE } };
	struct fph_buffer b = { .nread = 1 };
	struct fph_used used;
	uint32_t id;

	make(o, true, 4);
	ck_assert_int_eq(fph_hint_session_sync_begin(o->s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_sync_end(o->s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_request(o->s, &id), FPH_OK);
	fph_cmd_id_encode(b.command, id, FPH_LE);
	ck_assert_int_eq(fph_hint_session_add(o->s, &b, 1, segs), 1);
	ck_assert_int_eq(fph_hint_session_take_used(o->s, &used, 1), 1);
	b = (struct fph_buffer){ .cookie = 2, .nwrite = 1 };
	if (out) {
		ck_assert_int_eq(fph_hint_session_add(o->s, &b, 1, segs + 1),
				 1);
		ck_assert_int_eq(fph_hint_session_next(o->s, o->runs, 1), 1);
	}
	b.cookie++;
	if (waits)
		ck_assert_int_eq(fph_hint_session_add(o->s, &b, 1, segs + 1),
				 1);
}

#define AT_STATE	(FPH_STATE_HEADER)
#define AT_ERROR	(FPH_STATE_HEADER + 12)
#define AT_ID		(FPH_STATE_HEADER + 16)
#define AT_NEXT		(FPH_STATE_HEADER + 20)
#define AT_SYNC		(FPH_STATE_HEADER + 24)

static int load_with(struct object *o, const uint8_t *state, size_t size,
		     uint32_t at, uint32_t value)
{
	uint8_t bad[STATE_SIZE];

	memcpy(bad, state, size);
	fph_put32(bad + at, value, FPH_LE);
	damage_sign(bad, size);
	make(o, true, 4);
	return load(o, bad, size, 0);
}

/* What may be out and wait in each state, by the table of the session. */
START_TEST(a_session_keeps_its_table)
{
	static const struct {
		bool waits, out;	/* allowed */
	} rows[] = {
		[FPH_HINT_IDLE] = { false, false },
		[FPH_HINT_REQUESTED] = { false, false },
		[FPH_HINT_ACTIVE] = { true, true },
		[FPH_HINT_STOPPING] = { false, true },
		[FPH_HINT_STOPPED] = { true, true },
		[FPH_HINT_DONE] = { false, false },
	};
	static struct object o;
	uint8_t state[STATE_SIZE];
	size_t size;

	for (int k = 0; k < 4; k++) {
		make_round(&o, k & 1, k & 2);
		ck_assert_int_eq(save(&o, state, sizeof(state), &size),
				 FPH_OK);
		for (uint32_t v = FPH_HINT_IDLE; v <= FPH_HINT_DONE; v++) {
			bool good = (rows[v].waits || !(k & 1)) &&
				    (rows[v].out || !(k & 2));

			ck_assert_int_eq(load_with(&o, state, size, AT_STATE,
						   v),
					 good ? FPH_OK : FPH_ECORRUPT);
		}
		ck_assert_int_eq(load_with(&o, state, size, AT_STATE, 0),
				 FPH_ECORRUPT);
		ck_assert_int_eq(load_with(&o, state, size, AT_STATE,
					   FPH_HINT_DONE + 1), FPH_ECORRUPT);
	}
}
END_TEST

/* A round needs an id, a sync before it and none in it, and nothing broken. */
START_TEST(a_round_keeps_its_rules)
{
	static const struct {
		uint32_t at, value;
		int ret;
	} rows[] = {
		{ AT_SYNC, 0, FPH_ECORRUPT }, { AT_SYNC, 1, FPH_OK },
		{ AT_SYNC, 2, FPH_ECORRUPT }, { AT_SYNC, 3, FPH_ECORRUPT },
		{ AT_SYNC, 4, FPH_ECORRUPT }, { AT_ID, 0, FPH_ECORRUPT },
		{ AT_ID, 1, FPH_ECORRUPT }, { AT_ID, 3, FPH_ECORRUPT },
		{ AT_NEXT, 2, FPH_ECORRUPT }, { AT_NEXT, 4, FPH_ECORRUPT },
		{ AT_NEXT, 0, FPH_ECORRUPT },
		{ AT_ERROR, -FPH_PEER_RANGE, FPH_ECORRUPT },
	};
	static const uint32_t states[] = {
		FPH_HINT_REQUESTED, FPH_HINT_ACTIVE, FPH_HINT_STOPPED
	};
	static struct object o;
	uint8_t state[STATE_SIZE];
	size_t size;

	for (size_t k = 0; k < 3; k++) {
		make_round(&o, false, false);
		ck_assert_int_eq(save(&o, state, sizeof(state), &size),
				 FPH_OK);
		fph_put32(state + AT_STATE, states[k], FPH_LE);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			ck_assert_int_eq(load_with(&o, state, size,
						   rows[i].at, rows[i].value),
					 rows[i].ret);
	}
	/* Out of a round it may be broken, by one of these alone. */
	fph_put32(state + AT_STATE, FPH_HINT_IDLE, FPH_LE);
	for (int e = 0; e < 128; e++) {
		bool good = !e || e == -FPH_PEER_CMD_LEN ||
			    e == -FPH_PEER_DIRECTION || e == -FPH_PEER_RANGE ||
			    e == -FPH_PEER_LONG_CHAIN;

		ck_assert_int_eq(load_with(&o, state, size, AT_ERROR,
					   (uint32_t)e),
				 good ? FPH_OK : FPH_ECORRUPT);
		if (good)
			ck_assert_int_eq(fph_hint_session_get_error(o.s), -e);
	}
}
END_TEST

/* After the last id of all there is none, or after a reset the first one. */
START_TEST(the_last_id_is_saved)
{
	static struct object o;
	uint8_t state[STATE_SIZE];
	size_t size;

	make(&o, true, 4);
	ck_assert_int_eq(fph_hint_session_restore(o.s, 0xffffffff), FPH_OK);
	ck_assert_int_eq(save(&o, state, sizeof(state), &size), FPH_OK);
	ck_assert_int_eq(load_with(&o, state, size, AT_NEXT, 0), FPH_OK);
	ck_assert_int_eq(load_with(&o, state, size, AT_NEXT, 2), FPH_OK);
	ck_assert_int_eq(load_with(&o, state, size, AT_NEXT, 1), FPH_ECORRUPT);
	ck_assert_int_eq(load_with(&o, state, size, AT_NEXT, 3), FPH_ECORRUPT);
}
END_TEST

/* The first buffer of a session, and the runs behind one buffer. */
#define AT_BUFFER	(FPH_STATE_HEADER + 28 + 18 * 8 + 8 + 5 * 4)
#define AT_OUTCOME	(AT_BUFFER + 20)
#define AT_RANGES	(AT_BUFFER + 22 + 28)

/* What a buffer may have come to, pending or ready. */
START_TEST(a_buffer_has_an_outcome_of_its_kind)
{
	static struct object o;
	uint8_t state[STATE_SIZE];
	size_t size;

	for (int ready = 0; ready < 2; ready++) {
		make_round(&o, false, true);
		if (ready) {
			o.runs[0].outcome = FPH_OUTCOME_CLEARED;
			ck_assert_int_eq(fph_hint_session_complete(o.s, o.runs,
								   1), 1);
		}
		ck_assert_int_eq(save(&o, state, sizeof(state), &size),
				 FPH_OK);
		for (uint32_t v = 0; v < 256; v++) {
			uint32_t rest = fph_get32(state + AT_OUTCOME, FPH_LE);
			bool good = v == FPH_OUTCOME_CLEARED ||
				    v == FPH_OUTCOME_TRIMMED ||
				    v == FPH_OUTCOME_SKIPPED ||
				    v == FPH_OUTCOME_FAILED ||
				    (!ready && v == FPH_OUTCOME_NONE) ||
				    (ready && (v == FPH_OUTCOME_COMMAND ||
					       v == FPH_OUTCOME_REFUSED));

			ck_assert_int_eq(load_with(&o, state, size, AT_OUTCOME,
						   (rest & ~0xffu) | v),
					 good ? FPH_OK : FPH_ECORRUPT);
		}
	}
}
END_TEST

/* The ranges of a run that is out touch: no byte is between them. */
START_TEST(a_run_has_no_gap)
{
	struct fph_buffer b = { .cookie = 2, .nwrite = 3 };
	struct fph_seg segs[3];
	static struct object o;
	uint8_t state[STATE_SIZE];
	size_t size;

	for (uint32_t i = 0; i < 3; i++)
		segs[i] = (struct fph_seg){ 0x1000 + 8 * i, 8,
					    FPH_SEG_WRITE };
	make_round(&o, false, false);
	ck_assert_int_eq(fph_hint_session_add(o.s, &b, 1, segs), 1);
	ck_assert_int_eq(fph_hint_session_next(o.s, o.runs, 2), 1);
	ck_assert_uint_eq(o.runs[0].len, 24);
	ck_assert_int_eq(save(&o, state, sizeof(state), &size), FPH_OK);
	ck_assert_uint_eq(fph_get32(state + AT_RANGES + 32, FPH_LE), 0x1010);
	ck_assert_int_eq(load_with(&o, state, size, AT_RANGES + 32, 0x1010),
			 FPH_OK);
	ck_assert_int_eq(load_with(&o, state, size, AT_RANGES + 32, 0x100f),
			 FPH_ECORRUPT);
	ck_assert_int_eq(load_with(&o, state, size, AT_RANGES + 32, 0x1011),
			 FPH_ECORRUPT);
	/* The second of them stands before the first, though all touch. */
	ck_assert_int_eq(load_with(&o, state, size, AT_RANGES + 16, 0x0ff8),
			 FPH_ECORRUPT);
}
END_TEST

/* Not those of what was done before. */
START_TEST(counters_are_those_of_the_state)
{
	static struct object o, fresh;
	struct answer before = { 0 }, after = { 0 };
	struct fph_used used;
	uint8_t state[STATE_SIZE];
	size_t size;

	make(&fresh, true, 4);
	note_counters(&fresh, &before);
	ck_assert_int_eq(save(&fresh, state, sizeof(state), &size), FPH_OK);
	make_round(&o, false, true);
	o.runs[0].outcome = FPH_OUTCOME_TRIMMED;
	ck_assert_int_eq(fph_hint_session_complete(o.s, o.runs, 1), 1);
	ck_assert_int_eq(fph_hint_session_take_used(o.s, &used, 1), 1);
	ck_assert_int_eq(load(&o, state, size, 0), FPH_OK);
	note_counters(&o, &after);
	ck_assert_mem_eq(&before, &after, sizeof(before));
}
END_TEST

/* What waits for a run is in the order of its addresses. */
START_TEST(what_waits_ascends)
{
	struct fph_buffer b = { .cookie = 2, .nwrite = 3 };
	struct fph_seg segs[3];
	static struct object o;
	uint8_t state[STATE_SIZE];
	size_t size;

	for (uint32_t i = 0; i < 3; i++)
		segs[i] = (struct fph_seg){ 0x1000 + 0x100 * i, 8,
					    FPH_SEG_WRITE };
	make_round(&o, false, false);
	ck_assert_int_eq(fph_hint_session_add(o.s, &b, 1, segs), 1);
	ck_assert_int_eq(fph_hint_session_next(o.s, o.runs, 1), 1);
	ck_assert_int_eq(save(&o, state, sizeof(state), &size), FPH_OK);
	ck_assert_uint_eq(fph_get32(state + AT_RANGES + 32, FPH_LE), 0x1200);
	ck_assert_int_eq(load_with(&o, state, size, AT_RANGES + 32, 0x1100),
			 FPH_OK);
	ck_assert_int_eq(load_with(&o, state, size, AT_RANGES + 32, 0x10ff),
			 FPH_ECORRUPT);
}
END_TEST

RUNNER_SUITE("state_host",
	     report_goes_on,
	     session_goes_on,
	     report_moves,
	     session_moves,
	     damage_is_refused,
	     other_states_are_refused,
	     too_much_is_refused,
	     wrong_values_do_no_harm,
	     a_session_keeps_its_table,
	     a_round_keeps_its_rules,
	     the_last_id_is_saved,
	     a_buffer_has_an_outcome_of_its_kind,
	     a_run_has_no_gap,
	     counters_are_those_of_the_state,
	     what_waits_ascends)
