/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Reports: both states, clean and poisoned, with and without a run that is
 * out, and every call in each.
 */
#include <stdlib.h>

#include "report_fixture.h"
#include "runner.h"

enum { CLEAN, CLEAN_OUT, POISONED, POISONED_OUT, NSTATES };

static void build(struct fixture *f, int state)
{
	init(f);
	memset(&f->run, 0, sizeof(f->run));
	f->run.gpa = 0x10000;
	f->run.len = 0x2000;
	if (state == CLEAN_OUT || state == POISONED_OUT) {
		ck_assert_int_eq(add(f, 100, good, 2), 1);
		next(f, &f->run, 0x10000, 0x2000);
	}
	if (state >= POISONED)
		ck_assert_int_eq(fph_report_set_poison(f->r, true, 1), FPH_OK);
	expect_no_used(f);
}

enum {
	RESET, POISON_ON, POISON_OFF, ADD, ADD_NONE, ADD_READABLE, ADD_EMPTY,
	ADD_WRAPS, ADD_LONG, ADD_FULL, REFUSE, REFUSE_FULL, NEXT, COMPLETE,
	COMPLETE_BAD, COMPLETE_OTHER, COMPLETE_STALE, TAKE_USED, NCALLS
};

/* Results, and the state after where it is not the same; -1: the same. */
static const struct {
	int ret[NSTATES];
	int state[NSTATES];
} table[NCALLS] = {
#define SAME	{ -1, -1, -1, -1 }
#define ALL(x)	{ x, x, x, x }
	[RESET] = { { FPH_OK, FPH_EBUSY, FPH_OK, FPH_EBUSY },
		    { CLEAN, -1, CLEAN, -1 } },
	[POISON_ON] = { ALL(FPH_OK), { POISONED, POISONED_OUT, -1, -1 } },
	[POISON_OFF] = { ALL(FPH_OK), { -1, -1, CLEAN, CLEAN_OUT } },
	[ADD] = { ALL(1), SAME },
	[ADD_NONE] = { ALL(1), SAME },
	[ADD_READABLE] = { ALL(1), SAME },
	[ADD_EMPTY] = { ALL(1), SAME },
	[ADD_WRAPS] = { ALL(1), SAME },
	[ADD_LONG] = { ALL(1), SAME },
	[ADD_FULL] = { ALL(FPH_EFULL), SAME },
	[REFUSE] = { ALL(1), SAME },
	[REFUSE_FULL] = { ALL(FPH_EFULL), SAME },
	[NEXT] = { ALL(0), SAME },
	[COMPLETE] = { { FPH_EINVAL, 1, FPH_EINVAL, 1 },
		       { -1, CLEAN, -1, POISONED } },
	[COMPLETE_BAD] = { { FPH_EINVAL, 1, FPH_EINVAL, 1 },
			   { -1, CLEAN, -1, POISONED } },
	[COMPLETE_OTHER] = { ALL(FPH_EINVAL), SAME },
	[COMPLETE_STALE] = { ALL(FPH_EINVAL), SAME },
	[TAKE_USED] = { ALL(0), SAME }
};

static void fill(struct fixture *f)
{
	while (refuse(f, 55) == 1)
		;
}

static int call(struct fixture *f, int which)
{
	struct fph_run run = f->run;
	struct fph_used used;

	switch (which) {
	case RESET:
		return fph_report_reset(f->r);
	case POISON_ON:
		return fph_report_set_poison(f->r, true, 0xaaaaaaaa);
	case POISON_OFF:
		return fph_report_set_poison(f->r, true, 0);
	case ADD:
	case ADD_FULL:
		return add(f, 7, good, 3);
	case ADD_NONE:
		return add(f, 7, NULL, 0);
	case ADD_READABLE:
		return add(f, 7, readable, 2);
	case ADD_EMPTY:
		return add(f, 7, empty, 2);
	case ADD_WRAPS:
		return add(f, 7, wraps, 2);
	case ADD_LONG:
		return add(f, 7, good, NRANGES + 1);
	case REFUSE:
	case REFUSE_FULL:
		return refuse(f, 7);
	case NEXT:
		return fph_report_next(f->r, &run, 1);
	case COMPLETE:
		return complete(f, run, FPH_OUTCOME_DISCARDED, run.len);
	case COMPLETE_BAD:
		return complete(f, run, FPH_OUTCOME_FAILED, 0);
	case COMPLETE_OTHER:
		run.token++;
		return complete(f, run, FPH_OUTCOME_DISCARDED, 0);
	case COMPLETE_STALE:
		run.token += (uint64_t)1 << 32;
		return complete(f, run, FPH_OUTCOME_DISCARDED, 0);
	default:
		return fph_report_take_used(f->r, &used, 1);
	}
}

/* How a buffer of that call comes back; 0: there is none. */
static int expected_outcome(int state, int which)
{
	switch (which) {
	case ADD:
		return state >= POISONED ? FPH_OUTCOME_SKIPPED :
					   FPH_OUTCOME_DISCARDED;
	case ADD_NONE:
		return FPH_OUTCOME_SKIPPED;
	case ADD_READABLE:
	case ADD_EMPTY:
	case ADD_WRAPS:
	case ADD_LONG:
	case REFUSE:
		return FPH_OUTCOME_REFUSED;
	default:
		return 0;
	}
}

/* The state, seen from outside: whether a report would be discarded. */
static int get_state(struct fixture *f)
{
	struct fixture before;
	struct fph_used used;
	struct fph_run run;
	int waits;

	memcpy(&before, f, sizeof(before));
	while (fph_report_take_used(f->r, &used, 1) == 1)
		;
	while (fph_report_next(f->r, &run, 1) == 1)
		;
	ck_assert_int_eq(add(f, 77, good + 4, 1), 1);
	waits = fph_report_next(f->r, &run, 1);
	memcpy(f, &before, sizeof(before));
	return (waits ? CLEAN : POISONED) +
	       (fph_report_get_outstanding(f->r) ? 1 : 0);
}

/* Drives everything to its end: every buffer comes back once, as expected. */
static void drain(struct fixture *f, int state, int which)
{
	bool with_run = fph_report_get_outstanding(f->r) != 0;
	int outcome = expected_outcome(state, which);
	bool seen = false, seen_run = false;
	struct fph_used used;
	struct fph_run run;

	if (with_run)
		ck_assert_int_eq(complete(f, f->run, FPH_OUTCOME_DISCARDED,
					  0), 1);
	while (fph_report_next(f->r, &run, 1) == 1)
		ck_assert_int_eq(complete(f, run, FPH_OUTCOME_DISCARDED,
					  run.len), 1);
	while (fph_report_take_used(f->r, &used, 1) == 1) {
		if (used.cookie == 7) {
			ck_assert(!seen);
			ck_assert_int_eq(used.outcome, outcome);
			seen = true;
		} else if (used.cookie == 100) {
			ck_assert(!seen_run);
			seen_run = true;
		}
	}
	ck_assert_int_eq(seen, outcome != 0);
	ck_assert_int_eq(seen_run, (state & 1) != 0);
	expect_room(f, NBUFFERS, NRANGES);
	expect_sum(f, 0);
	ck_assert_int_eq(fph_report_reset(f->r), FPH_OK);
}

START_TEST(every_state_by_every_call)
{
	struct fixture f, before;
	int state, which, ret, want;

	for (state = 0; state < NSTATES; state++) {
		for (which = 0; which < NCALLS; which++) {
			build(&f, state);
			ck_assert_int_eq(get_state(&f), state);
			if (which == ADD_FULL || which == REFUSE_FULL)
				fill(&f);
			memcpy(&before, &f, sizeof(f));
			ret = call(&f, which);
			ck_assert_msg(ret == table[which].ret[state],
				      "state %d call %d: %s", state, which,
				      fph_status_name(ret));
			if (ret < 0 || which == NEXT || which == TAKE_USED)
				ck_assert_mem_eq(&before, &f, sizeof(f));
			want = table[which].state[state];
			want = want < 0 ? state : want;
			ck_assert_msg(get_state(&f) == want,
				      "state %d call %d: state is %d", state,
				      which, get_state(&f));
			drain(&f, state, which);
		}
	}
}
END_TEST

START_TEST(reset_forgets_cookies)
{
	struct fixture f;

	init(&f);
	ck_assert_int_eq(add(&f, 1, good, 3), 1);
	ck_assert_int_eq(refuse(&f, 2), 1);
	ck_assert_int_eq(fph_report_reset(f.r), FPH_OK);
	expect_no_used(&f);
	none(&f);
	expect_room(&f, NBUFFERS, NRANGES);
	/* The counters tell of all times, and every byte is somewhere. */
	ck_assert_uint_eq(counters(&f).buffers, 2);
	ck_assert_uint_eq(counters(&f).refused, 1);
	ck_assert_uint_eq(counters(&f).bytes_offered, 0x3000);
	ck_assert_uint_eq(counters(&f).bytes_skipped, 0x3000);
	expect_sum(&f, 0);
	ck_assert_int_eq(add(&f, 3, good, 1), 1);
	expect_sum(&f, 0x1000);
}
END_TEST

RUNNER_SUITE("report",
	     every_state_by_every_call,
	     reset_forgets_cookies)
