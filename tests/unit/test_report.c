/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Reports: both states, clean and poisoned, with and without a run handed
 * out, and every call in each.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/host.h>

#define NSLOTS	8u
#define NCHAINS	4u

/* A report with all of its bytes, to compare them before and after. */
struct fixture {
	struct fph_report r;
	struct fph_slot slots[NSLOTS];
	struct fph_chain chains[NCHAINS];
	struct fph_run run;		/* handed out, or made up */
};

#define OBJECT_SIZE	offsetof(struct fixture, run)

static const struct fph_seg good[] = {
	{ 0x10000, 0x1000, FPH_SEG_WRITE },
	{ 0x11000, 0x1000, FPH_SEG_WRITE },
	{ 0x20000, 0x1000, FPH_SEG_WRITE }
};

static const struct fph_seg readable[] = {
	{ 0x10000, 0x1000, FPH_SEG_WRITE },
	{ 0x11000, 0x1000, 0 }
};

static const struct fph_seg empty[] = {
	{ 0x10000, 0x1000, FPH_SEG_WRITE },
	{ 0x11000, 0, FPH_SEG_WRITE }
};

static const struct fph_seg wraps[] = {
	{ 0x10000, 0x1000, FPH_SEG_WRITE },
	{ ~(uint64_t)0, 2, FPH_SEG_WRITE }
};

static const struct fph_seg end_of_memory[] = {
	{ ~(uint64_t)0 - 0xfff, 0x1000, FPH_SEG_WRITE }
};

static void init(struct fixture *f)
{
	struct fph_storage storage = {
		f->slots, NSLOTS, f->chains, NCHAINS
	};

	memset(f, 0, sizeof(*f));
	ck_assert_int_eq(fph_report_init(&f->r, &storage, 0x1000), FPH_OK);
}

static struct fph_report_counters counters(const struct fph_report *r)
{
	struct fph_report_counters n;

	ck_assert_int_eq(fph_report_get_counters(r, &n), FPH_OK);
	return n;
}

static void expect_end(struct fixture *f, uint64_t cookie,
		       enum fph_outcome outcome)
{
	struct fph_chain_end end;

	ck_assert_int_eq(fph_report_end(&f->r, &end), 1);
	ck_assert_uint_eq(end.cookie, cookie);
	ck_assert_int_eq((int)end.outcome, (int)outcome);
}

static void expect_no_end(struct fixture *f)
{
	struct fph_chain_end end;

	ck_assert_int_eq(fph_report_end(&f->r, &end), 0);
}

/* ------------------------------------------------------------ one by one -- */

START_TEST(init_refused)
{
	struct fph_slot slots[2];
	struct fph_chain chains[2];
	const struct fph_storage bad[] = {
		{ slots, 0, chains, 2 },
		{ slots, 0x80000000u, chains, 2 },
		{ slots, 2, chains, 0 },
		{ slots, 2, chains, 0x80000000u }
	};
	const struct fph_storage fine = { slots, 2, chains, 2 };
	struct fph_report r, before;
	size_t i;

	memset(&r, 0x5a, sizeof(r));
	memcpy(&before, &r, sizeof(r));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(fph_report_init(&r, &bad[i], 1), FPH_EINVAL);
	ck_assert_int_eq(fph_report_init(&r, &fine, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_report_init(&r, &fine, 48), FPH_EINVAL);
	ck_assert_mem_eq(&before, &r, sizeof(r));
}
END_TEST

START_TEST(zeroed_object)
{
	struct fph_report r, zero;
	struct fph_report_counters n;
	struct fph_chain_end end;
	struct fph_run run = { 0, 0, 0 };

	memset(&r, 0, sizeof(r));
	memset(&zero, 0, sizeof(zero));
	ck_assert_int_eq(fph_report_reset(&r), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_set_poison(&r, true, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_add(&r, 1, good, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_refuse(&r, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_next(&r, &run), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_complete(&r, &run, true), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_end(&r, &end), FPH_EUNINIT);
	ck_assert_int_eq(fph_report_get_counters(&r, &n), FPH_EUNINIT);
	ck_assert_uint_eq(fph_report_get_outstanding(&r), 0);
	ck_assert(!fph_report_is_room(&r, 0));
	ck_assert_mem_eq(&r, &zero, sizeof(r));
}
END_TEST

START_TEST(runs_of_many_chains)
{
	struct fixture f;
	struct fph_run a, b;

	init(&f);
	/* Chain 1: 10, 11, 20.  Chain 2 joins 12 to the first of them. */
	ck_assert_int_eq(fph_report_add(&f.r, 1, good, 3), FPH_OK);
	ck_assert_int_eq(fph_report_add(&f.r, 2, (struct fph_seg[]){
		{ 0x12000, 0x1000, FPH_SEG_WRITE } }, 1), FPH_OK);
	ck_assert_int_eq(fph_report_next(&f.r, &a), 1);
	ck_assert_uint_eq(a.gpa, 0x10000);
	ck_assert_uint_eq(a.len, 0x3000);
	ck_assert_int_eq(fph_report_next(&f.r, &b), 1);
	ck_assert_uint_eq(b.gpa, 0x20000);
	ck_assert_uint_eq(b.len, 0x1000);
	ck_assert_int_eq(fph_report_next(&f.r, &f.run), 0);
	ck_assert_uint_eq(fph_report_get_outstanding(&f.r), 2);
	expect_no_end(&f);
	/* The failed run is in both, the good one in the first alone. */
	ck_assert_int_eq(fph_report_complete(&f.r, &a, false), FPH_OK);
	expect_end(&f, 2, FPH_OUTCOME_FAILED);
	expect_no_end(&f);
	ck_assert_int_eq(fph_report_complete(&f.r, &a, true), FPH_EINVAL);
	ck_assert_int_eq(fph_report_complete(&f.r, &b, true), FPH_OK);
	expect_end(&f, 1, FPH_OUTCOME_FAILED);
	expect_no_end(&f);
	ck_assert_uint_eq(fph_report_get_outstanding(&f.r), 0);
	ck_assert_uint_eq(counters(&f.r).bytes_offered, 0x4000);
	ck_assert_uint_eq(counters(&f.r).bytes_done, 0x1000);
	ck_assert_uint_eq(counters(&f.r).failed, 1);
	ck_assert_uint_eq(counters(&f.r).chains, 2);
	ck_assert_uint_eq(counters(&f.r).returned, 2);
}
END_TEST

START_TEST(a_chain_of_crumbs)
{
	struct fixture f;

	init(&f);
	/* Too small for the granule: nothing to do, and it comes back. */
	ck_assert_int_eq(fph_report_add(&f.r, 9, (struct fph_seg[]){
		{ 0x1800, 0x1000, FPH_SEG_WRITE },
		{ 0x5000, 0x100, FPH_SEG_WRITE } }, 2), FPH_OK);
	expect_no_end(&f);
	ck_assert_int_eq(fph_report_next(&f.r, &f.run), 0);
	ck_assert_uint_eq(fph_report_get_outstanding(&f.r), 0);
	expect_end(&f, 9, FPH_OUTCOME_DONE);
	ck_assert_uint_eq(counters(&f.r).bytes_trimmed, 0x1100);
	/* A crumb before a whole run. */
	ck_assert_int_eq(fph_report_add(&f.r, 10, (struct fph_seg[]){
		{ 0x1800, 0x100, FPH_SEG_WRITE },
		{ 0x5000, 0x1000, FPH_SEG_WRITE },
		{ 0x5000, 0x1000, FPH_SEG_WRITE } }, 3), FPH_OK);
	ck_assert_int_eq(fph_report_next(&f.r, &f.run), 1);
	ck_assert_uint_eq(f.run.gpa, 0x5000);
	expect_no_end(&f);
	ck_assert_int_eq(fph_report_complete(&f.r, &f.run, true), FPH_OK);
	expect_end(&f, 10, FPH_OUTCOME_DONE);
	ck_assert_uint_eq(counters(&f.r).bytes_trimmed, 0x1200);
	ck_assert_uint_eq(counters(&f.r).bytes_overlap, 0x1000);
}
END_TEST

START_TEST(refused_ones_come_back_in_order)
{
	struct fixture f;

	init(&f);
	ck_assert_int_eq(fph_report_add(&f.r, 1, readable, 2),
			 FPH_PEER_DIRECTION);
	ck_assert_int_eq(fph_report_add(&f.r, 2, empty, 2), FPH_PEER_RANGE);
	ck_assert_int_eq(fph_report_refuse(&f.r, 3), FPH_OK);
	ck_assert_int_eq(fph_report_add(&f.r, 4, wraps, 2), FPH_PEER_RANGE);
	ck_assert_int_eq(fph_report_refuse(&f.r, 5), FPH_EFULL);
	ck_assert_int_eq(fph_report_next(&f.r, &f.run), 0);
	expect_end(&f, 1, FPH_OUTCOME_REFUSED);
	ck_assert_int_eq(fph_report_add(&f.r, 5, NULL, 0), FPH_OK);
	expect_end(&f, 2, FPH_OUTCOME_REFUSED);
	expect_end(&f, 3, FPH_OUTCOME_REFUSED);
	expect_end(&f, 4, FPH_OUTCOME_REFUSED);
	expect_end(&f, 5, FPH_OUTCOME_DONE);
	expect_no_end(&f);
	ck_assert_uint_eq(counters(&f.r).refused, 4);
	ck_assert_uint_eq(counters(&f.r).peer_errors, 3);
	ck_assert_uint_eq(counters(&f.r).returned, 5);
	ck_assert_uint_eq(counters(&f.r).bytes_offered, 0);
}
END_TEST

START_TEST(the_last_page_of_memory)
{
	struct fixture f;

	init(&f);
	ck_assert_int_eq(fph_report_add(&f.r, 1, end_of_memory, 1), FPH_OK);
	ck_assert_int_eq(fph_report_next(&f.r, &f.run), 1);
	ck_assert_uint_eq(f.run.gpa, ~(uint64_t)0 - 0xfff);
	ck_assert_uint_eq(f.run.len, 0x1000);
}
END_TEST

START_TEST(poison_is_one_predicate)
{
	static const struct {
		bool negotiated;
		uint32_t value;
		bool poisoned;
	} t[] = {
		{ false, 0, false }, { false, 0xaaaaaaaa, false },
		{ true, 0, false }, { true, 1, true },
		{ true, 0x80000000, true }, { true, 0xaaaaaaaa, true }
	};
	struct fixture f;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		init(&f);
		ck_assert_int_eq(fph_report_set_poison(&f.r, t[i].negotiated,
						       t[i].value), FPH_OK);
		ck_assert_int_eq(fph_report_add(&f.r, 1, good, 3), FPH_OK);
		ck_assert_int_eq(fph_report_next(&f.r, &f.run),
				 !t[i].poisoned);
		if (t[i].poisoned)
			expect_end(&f, 1, FPH_OUTCOME_IGNORED);
		expect_no_end(&f);
		ck_assert_uint_eq(counters(&f.r).poisoned, t[i].poisoned);
		ck_assert_uint_eq(counters(&f.r).chains, 1);
		ck_assert_uint_eq(counters(&f.r).bytes_offered, 0x3000);
	}
}
END_TEST

START_TEST(room)
{
	struct fixture f;
	uint32_t n;

	init(&f);
	for (n = 0; n <= NSLOTS; n++)
		ck_assert(fph_report_is_room(&f.r, n));
	ck_assert(!fph_report_is_room(&f.r, NSLOTS + 1));
	ck_assert_int_eq(fph_report_add(&f.r, 1, good, 3), FPH_OK);
	ck_assert(fph_report_is_room(&f.r, NSLOTS - 3));
	ck_assert(!fph_report_is_room(&f.r, NSLOTS - 2));
	ck_assert_int_eq(fph_report_add(&f.r, 2, good, 3), FPH_OK);
	/* All or nothing: two slots are left, the chain has three ranges. */
	ck_assert_int_eq(fph_report_add(&f.r, 3, good, 3), FPH_EFULL);
	ck_assert_int_eq(fph_report_add(&f.r, 3, good, 2), FPH_OK);
	ck_assert_int_eq(fph_report_add(&f.r, 4, good, 1), FPH_EFULL);
	ck_assert_int_eq(fph_report_refuse(&f.r, 4), FPH_OK);
	ck_assert(!fph_report_is_room(&f.r, 0));
}
END_TEST

/* -------------------------------------------------------- state by call -- */

enum { CLEAN, CLEAN_OUT, POISONED, POISONED_OUT, NSTATES };

static void build(struct fixture *f, int state)
{
	struct fph_chain_end end;

	init(f);
	f->run.gpa = 0x10000;
	f->run.len = 0x2000;
	if (state == CLEAN_OUT || state == POISONED_OUT) {
		ck_assert_int_eq(fph_report_add(&f->r, 100, good, 2), FPH_OK);
		ck_assert_int_eq(fph_report_next(&f->r, &f->run), 1);
	}
	if (state >= POISONED)
		ck_assert_int_eq(fph_report_set_poison(&f->r, true, 1),
				 FPH_OK);
	ck_assert_int_eq(fph_report_end(&f->r, &end), 0);
}

enum {
	RESET, POISON_ON, POISON_OFF, ADD, ADD_NONE, ADD_READABLE, ADD_EMPTY,
	ADD_WRAPS, ADD_LONG, ADD_FULL, REFUSE, REFUSE_FULL, NEXT, COMPLETE,
	COMPLETE_BAD, COMPLETE_OTHER, COMPLETE_STALE, END, NCALLS
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
	[ADD] = { ALL(FPH_OK), SAME },
	[ADD_NONE] = { ALL(FPH_OK), SAME },
	[ADD_READABLE] = { ALL(FPH_PEER_DIRECTION), SAME },
	[ADD_EMPTY] = { ALL(FPH_PEER_RANGE), SAME },
	[ADD_WRAPS] = { ALL(FPH_PEER_RANGE), SAME },
	[ADD_LONG] = { ALL(FPH_EINVAL), SAME },
	[ADD_FULL] = { ALL(FPH_EFULL), SAME },
	[REFUSE] = { ALL(FPH_OK), SAME },
	[REFUSE_FULL] = { ALL(FPH_EFULL), SAME },
	[NEXT] = { ALL(0), SAME },
	[COMPLETE] = { { FPH_EINVAL, FPH_OK, FPH_EINVAL, FPH_OK },
		       { -1, CLEAN, -1, POISONED } },
	[COMPLETE_BAD] = { { FPH_EINVAL, FPH_OK, FPH_EINVAL, FPH_OK },
			   { -1, CLEAN, -1, POISONED } },
	[COMPLETE_OTHER] = { ALL(FPH_EINVAL), SAME },
	[COMPLETE_STALE] = { ALL(FPH_EINVAL), SAME },
	[END] = { ALL(0), SAME }
};

static void fill(struct fixture *f)
{
	while (fph_report_refuse(&f->r, 55) == FPH_OK)
		;
}

static int call(struct fixture *f, int which)
{
	struct fph_run run = f->run;
	struct fph_chain_end end;

	switch (which) {
	case RESET:
		return fph_report_reset(&f->r);
	case POISON_ON:
		return fph_report_set_poison(&f->r, true, 0xaaaaaaaa);
	case POISON_OFF:
		return fph_report_set_poison(&f->r, true, 0);
	case ADD:
	case ADD_FULL:
		return fph_report_add(&f->r, 7, good, 3);
	case ADD_NONE:
		return fph_report_add(&f->r, 7, NULL, 0);
	case ADD_READABLE:
		return fph_report_add(&f->r, 7, readable, 2);
	case ADD_EMPTY:
		return fph_report_add(&f->r, 7, empty, 2);
	case ADD_WRAPS:
		return fph_report_add(&f->r, 7, wraps, 2);
	case ADD_LONG:
		return fph_report_add(&f->r, 7, good, NSLOTS + 1);
	case REFUSE:
	case REFUSE_FULL:
		return fph_report_refuse(&f->r, 7);
	case NEXT:
		return fph_report_next(&f->r, &run);
	case COMPLETE:
		return fph_report_complete(&f->r, &run, true);
	case COMPLETE_BAD:
		return fph_report_complete(&f->r, &run, false);
	case COMPLETE_OTHER:
		run.token = NSLOTS - 1;
		return fph_report_complete(&f->r, &run, true);
	case COMPLETE_STALE:
		run.len += 0x1000;
		return fph_report_complete(&f->r, &run, true);
	default:
		return fph_report_end(&f->r, &end);
	}
}

/* How a chain of that call comes back; 0: there is none. */
static int expected_outcome(int state, int which)
{
	switch (which) {
	case ADD:
	case ADD_NONE:
		if (state >= POISONED)
			return FPH_OUTCOME_IGNORED;
		return FPH_OUTCOME_DONE;
	case ADD_READABLE:
	case ADD_EMPTY:
	case ADD_WRAPS:
	case REFUSE:
		return FPH_OUTCOME_REFUSED;
	default:
		return 0;
	}
}

static int get_state(const struct fph_report *r)
{
	return (r->poisoned ? POISONED : CLEAN) +
	       (fph_report_get_outstanding(r) ? 1 : 0);
}

/* Drives everything to its end: every chain comes back once, as expected. */
static void drain(struct fixture *f, int state, int which, bool with_run)
{
	int outcome = expected_outcome(state, which);
	struct fph_chain_end end;
	bool seen = false, seen_run = false;
	struct fph_run run;

	if (with_run)
		ck_assert_int_eq(fph_report_complete(&f->r, &f->run, true),
				 FPH_OK);
	while (fph_report_next(&f->r, &run) == 1)
		ck_assert_int_eq(fph_report_complete(&f->r, &run, true),
				 FPH_OK);
	while (fph_report_end(&f->r, &end) == 1) {
		if (end.cookie == 7) {
			ck_assert(!seen);
			ck_assert_int_eq((int)end.outcome, outcome);
			seen = true;
		} else if (end.cookie == 100) {
			ck_assert(!seen_run);
			seen_run = true;
		}
	}
	ck_assert_int_eq(seen, outcome != 0);
	ck_assert_int_eq(seen_run, (state & 1) != 0);
	ck_assert_uint_eq(f->r.window.nfree, NCHAINS);
	ck_assert_uint_eq(fph_coalescer_get_free(&f->r.window.ranges), NSLOTS);
	ck_assert_int_eq(fph_report_reset(&f->r), FPH_OK);
}

START_TEST(every_state_by_every_call)
{
	struct fixture f, before;
	int state, which, ret, want;

	for (state = 0; state < NSTATES; state++) {
		for (which = 0; which < NCALLS; which++) {
			build(&f, state);
			ck_assert_int_eq(get_state(&f.r), state);
			if (which == ADD_FULL || which == REFUSE_FULL)
				fill(&f);
			memcpy(&before, &f, sizeof(f));
			ret = call(&f, which);
			ck_assert_msg(ret == table[which].ret[state],
				      "state %d call %d: %s", state, which,
				      fph_status_get_name(ret));
			want = table[which].state[state];
			ck_assert_msg(get_state(&f.r) ==
				      (want < 0 ? state : want),
				      "state %d call %d: state is %d", state,
				      which, get_state(&f.r));
			if ((ret < 0 && !fph_status_is_peer(ret)) ||
			    which == NEXT || which == END)
				ck_assert_mem_eq(&before, &f, OBJECT_SIZE);
			drain(&f, state, which,
			      fph_report_get_outstanding(&f.r) != 0);
		}
	}
}
END_TEST

START_TEST(reset_forgets_cookies)
{
	struct fixture f;

	init(&f);
	ck_assert_int_eq(fph_report_add(&f.r, 1, good, 3), FPH_OK);
	ck_assert_int_eq(fph_report_refuse(&f.r, 2), FPH_OK);
	ck_assert_int_eq(fph_report_reset(&f.r), FPH_OK);
	expect_no_end(&f);
	ck_assert_int_eq(fph_report_next(&f.r, &f.run), 0);
	ck_assert(fph_report_is_room(&f.r, NSLOTS));
	/* The counters tell of all times. */
	ck_assert_uint_eq(counters(&f.r).chains, 1);
	ck_assert_uint_eq(counters(&f.r).refused, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("report");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, init_refused);
	tcase_add_test(tc, zeroed_object);
	tcase_add_test(tc, runs_of_many_chains);
	tcase_add_test(tc, a_chain_of_crumbs);
	tcase_add_test(tc, refused_ones_come_back_in_order);
	tcase_add_test(tc, the_last_page_of_memory);
	tcase_add_test(tc, poison_is_one_predicate);
	tcase_add_test(tc, room);
	tcase_add_test(tc, every_state_by_every_call);
	tcase_add_test(tc, reset_forgets_cookies);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
