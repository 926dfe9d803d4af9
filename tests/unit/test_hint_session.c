/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The hint session: every situation by every call. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hint_fixture.h"

static const struct fph_seg empty[] = { { 0x10000, 0, FPH_SEG_WRITE } };

static const struct fph_seg wraps[] = {
	{ ~(uint64_t)0 - 0xfff, 0x1001, FPH_SEG_WRITE }
};

enum {
	RESET, ENDIAN, ENDIAN_BAD, SYNC_BEGIN, SYNC_END, REQUEST, STOP_ROUND,
	DONE_ROUND, ADD_START, ADD_STOP, ADD_ONE, ADD_OTHER, START_HINT,
	STOP_HINT, HINT, NOTHING, CMD_SHORT, CMD_LONG, CMD_HUGE, SEG_READABLE,
	SEG_EMPTY, SEG_WRAPS, SEG_MANY, ADD_FULL, REFUSE, REFUSE_FULL, NEXT,
	COMPLETE, COMPLETE_OTHER, COMPLETE_STALE, END, NCALLS
};

/*
 * One cell for each situation, in their order: the result and the next state.
 *
 * results: o OK, 1 one, 0 none, s ESTATE, b EBUSY, v EINVAL, f EFULL,
 *	x EEXHAUSTED, P PEER_BROKEN, l PEER_CMD_LEN, d PEER_DIRECTION,
 *	r PEER_RANGE
 * states: I idle, R requested, A active, S stopping, T stopped, D done;
 *	= the same, and no byte changed if the call gave nothing
 */
static const char *const table[NCALLS] = {
	/*		 N  I  Is Ix Ib R  A  Aw Ao S  Sz Sb L  Lz T  */
	/*		 Tw To D  Ds Db				      */
	[RESET] =	"oI oI oI oI oI oI oI oI b= b= oI b= b= oI oI "
			"oI b= oI oI oI",
	[ENDIAN] =	"o= o= o= o= o= s= s= s= s= o= o= o= o= o= o= "
			"o= o= o= o= o=",
	[ENDIAN_BAD] =	"v= v= v= v= v= v= v= v= v= v= v= v= v= v= v= "
			"v= v= v= v= v=",
	[SYNC_BEGIN] =	"o= o= s= o= o= oI oI oI bS b= oI b= b= oD oI "
			"oI bS o= s= o=",
	[SYNC_END] =	"s= s= o= s= s= s= s= s= s= s= s= s= s= s= s= "
			"s= s= s= o= s=",
	[REQUEST] =	"s= oR s= x= P= s= s= s= s= b= b= P= b= b= oR "
			"b= b= oR s= P=",
	[STOP_ROUND] =	"o= o= o= o= o= oI oI oI bS b= oI b= b= oD oI "
			"oI bS o= o= o=",
	[DONE_ROUND] =	"oD oD oD oD oD oD oD oD bS bS oD bS b= oD oD "
			"oD bS o= o= o=",
	[ADD_START] =	"o= o= o= o= o= oA oT oT oT o= o= o= o= o= o= "
			"o= o= o= o= o=",
	[ADD_STOP] =	"o= o= o= o= o= o= oT oT oT o= o= o= o= o= o= "
			"o= o= o= o= o=",
	[ADD_ONE] =	"o= o= o= o= o= o= oT oT oT o= o= o= o= o= o= "
			"o= o= o= o= o=",
	[ADD_OTHER] =	"o= o= o= o= o= o= oT oT oT o= o= o= o= o= o= "
			"o= o= o= o= o=",
	[START_HINT] =	"o= o= o= o= o= oA oT oT oT o= o= o= o= o= o= "
			"o= o= o= o= o=",
	[STOP_HINT] =	"o= o= o= o= o= o= oT oT oT o= o= o= o= o= o= "
			"o= o= o= o= o=",
	[HINT] =	"o= o= o= o= o= o= o= o= o= o= o= o= o= o= o= "
			"o= o= o= o= o=",
	[NOTHING] =	"o= o= o= o= o= o= o= o= o= o= o= o= o= o= o= "
			"o= o= o= o= o=",
	[CMD_SHORT] =	"l= l= l= l= l= lI lI lI lS l= l= l= l= l= lI "
			"lI lS l= l= l=",
	[CMD_LONG] =	"l= l= l= l= l= lI lI lI lS l= l= l= l= l= lI "
			"lI lS l= l= l=",
	[CMD_HUGE] =	"l= l= l= l= l= lI lI lI lS l= l= l= l= l= lI "
			"lI lS l= l= l=",
	[SEG_READABLE] = "d= d= d= d= d= dI dI dI dS d= d= d= d= d= dI "
			"dI dS d= d= d=",
	[SEG_EMPTY] =	"r= r= r= r= r= rI rI rI rS r= r= r= r= r= rI "
			"rI rS r= r= r=",
	[SEG_WRAPS] =	"r= r= r= r= r= rI rI rI rS r= r= r= r= r= rI "
			"rI rS r= r= r=",
	[SEG_MANY] =	"v= v= v= v= v= v= v= v= v= v= v= v= v= v= v= "
			"v= v= v= v= v=",
	[ADD_FULL] =	"f= f= f= f= f= f= f= f= f= f= f= f= f= f= f= "
			"f= f= f= f= f=",
	[REFUSE] =	"o= o= o= o= o= o= o= o= o= o= o= o= o= o= o= "
			"o= o= o= o= o=",
	[REFUSE_FULL] =	"f= f= f= f= f= f= f= f= f= f= f= f= f= f= f= "
			"f= f= f= f= f=",
	[NEXT] =	"0= 0= 0= 0= 0= 0= 0= 1= 1= 0= 0= 0= 0= 0= 0= "
			"1= 1= 0= 0= 0=",
	[COMPLETE] =	"v= v= v= v= v= v= v= v= o= o= v= o= o= v= v= "
			"v= o= v= v= v=",
	[COMPLETE_OTHER] = "v= v= v= v= v= v= v= v= v= v= v= v= v= v= v= "
			"v= v= v= v= v=",
	[COMPLETE_STALE] = "v= v= v= v= v= v= v= v= v= v= v= v= v= v= v= "
			"v= v= v= v= v=",
	[END] =		"0= 0= 0= 0= 0= 0= 0= 0= 0= 0= 0= 0= 0= 0= 0= "
			"0= 0= 0= 0= 0=",
};

static int result_of(char c)
{
	switch (c) {
	case 'o':
		return FPH_OK;
	case '1':
		return 1;
	case '0':
		return 0;
	case 's':
		return FPH_ESTATE;
	case 'b':
		return FPH_EBUSY;
	case 'v':
		return FPH_EINVAL;
	case 'f':
		return FPH_EFULL;
	case 'x':
		return FPH_EEXHAUSTED;
	case 'P':
		return FPH_PEER_BROKEN;
	case 'l':
		return FPH_PEER_CMD_LEN;
	case 'd':
		return FPH_PEER_DIRECTION;
	default:
		ck_assert_int_eq(c, 'r');
		return FPH_PEER_RANGE;
	}
}

static int state_of(char c, int before)
{
	static const char letters[] = "IRASTD";

	if (c == '=')
		return before;
	ck_assert_ptr_nonnull(strchr(letters, c));
	return FPH_HINT_IDLE + (int)(strchr(letters, c) - letters);
}

static int call_add(struct fixture *f, int which)
{
	switch (which) {
	case ADD_START:
		return add(f, 7, f->id, NULL, 0);
	case ADD_STOP:
		return add(f, 7, VIRTIO_BALLOON_CMD_ID_STOP, NULL, 0);
	case ADD_ONE:
		return add(f, 7, VIRTIO_BALLOON_CMD_ID_DONE, NULL, 0);
	case ADD_OTHER:
		return add(f, 7, f->id - 1, NULL, 0);
	case START_HINT:
		return add(f, 7, f->id, hints, 2);
	case STOP_HINT:
		return add(f, 7, VIRTIO_BALLOON_CMD_ID_STOP, hints, 2);
	case HINT:
		return add_hints(f, 7, 2);
	case NOTHING:
		return add_hints(f, 7, 0);
	case CMD_SHORT:
		return fph_hint_session_add(&f->s, 7, "abc", 3, hints, 2);
	case CMD_LONG:
		return fph_hint_session_add(&f->s, 7, "abcde", 5, hints, 2);
	case CMD_HUGE:
		return fph_hint_session_add(&f->s, 7, "abcd",
					    ((uint64_t)1 << 32) + 4, NULL, 0);
	case SEG_READABLE:
		return add(f, 7, f->id, readable, 2);
	case SEG_EMPTY:
		return add(f, 7, VIRTIO_BALLOON_CMD_ID_STOP, empty, 1);
	case SEG_WRAPS:
		return fph_hint_session_add(&f->s, 7, NULL, 0, wraps, 1);
	default:
		return add(f, 7, f->id, hints, which == SEG_MANY ?
			   NSLOTS + 1 : 1);
	}
}

static int call(struct fixture *f, int which)
{
	struct fph_run run = f->run;
	struct fph_chain_end end;

	switch (which) {
	case RESET:
		return fph_hint_session_reset(&f->s);
	case ENDIAN:
		return fph_hint_session_set_endian(&f->s, FPH_BE);
	case ENDIAN_BAD:
		return fph_hint_session_set_endian(&f->s, 3);
	case SYNC_BEGIN:
		return fph_hint_session_sync_begin(&f->s);
	case SYNC_END:
		return fph_hint_session_sync_end(&f->s);
	case REQUEST:
		return fph_hint_session_request(&f->s, &f->id);
	case STOP_ROUND:
		return fph_hint_session_stop(&f->s);
	case DONE_ROUND:
		return fph_hint_session_done(&f->s);
	case REFUSE:
	case REFUSE_FULL:
		return fph_hint_session_refuse(&f->s, 7);
	case NEXT:
		return fph_hint_session_next(&f->s, &f->run);
	case COMPLETE:
		return fph_hint_session_complete(&f->s, &run, true);
	case COMPLETE_OTHER:
		run.token = NSLOTS - 1;
		return fph_hint_session_complete(&f->s, &run, true);
	case COMPLETE_STALE:
		run.gpa += 0x1000;
		return fph_hint_session_complete(&f->s, &run, true);
	case END:
		return fph_hint_session_end(&f->s, &end);
	default:
		return call_add(f, which);
	}
}

/* What the call must have added to the counters, from the states alone. */
static void check_counters(const struct fph_hint_counters *a,
			   const struct fph_hint_counters *b, int which,
			   int from, int to, int ret)
{
	bool taken = which >= ADD_START && which <= REFUSE && ret != FPH_EFULL
		     && ret != FPH_EINVAL;
	bool cmd = which >= ADD_START && which <= STOP_HINT;
	bool hint = which >= START_HINT && which <= HINT;
	bool start = cmd && from == FPH_HINT_REQUESTED && to != from;
	bool stop = cmd && from == FPH_HINT_ACTIVE;
	bool counts = hint && to == FPH_HINT_ACTIVE;

	ck_assert_uint_eq(b->chains - a->chains, taken);
	ck_assert_uint_eq(b->starts - a->starts, start);
	ck_assert_uint_eq(b->stops - a->stops, stop);
	ck_assert_uint_eq(b->stale - a->stale, cmd && !start && !stop);
	ck_assert_uint_eq(b->hints - a->hints, counts ? 2 : 0);
	ck_assert_uint_eq(b->bytes - a->bytes, counts ? 0x3000 : 0);
	ck_assert_uint_eq(b->ignored - a->ignored, hint && !counts ? 2 : 0);
	ck_assert_uint_eq(b->bytes_ignored - a->bytes_ignored,
			  hint && !counts ? 0x3000 : 0);
	ck_assert_uint_eq(b->peer_errors - a->peer_errors,
			  which != REQUEST && fph_status_is_peer(ret));
	ck_assert_uint_eq(b->rounds - a->rounds,
			  which == REQUEST && ret == FPH_OK);
}

static int expected_outcome(int which, int from, int to, int ret)
{
	bool obeyed = which >= ADD_START && which <= ADD_OTHER && from != to;
	bool counts = which >= START_HINT && which <= HINT &&
		      to == FPH_HINT_ACTIVE;

	if (which < ADD_START || which > REFUSE || ret == FPH_EFULL ||
	    ret == FPH_EINVAL)
		return 0;
	if (fph_status_is_peer(ret) || which == REFUSE)
		return FPH_OUTCOME_REFUSED;
	return obeyed || counts ? FPH_OUTCOME_DONE : FPH_OUTCOME_IGNORED;
}

static bool has_chain(int situation)
{
	switch (situation) {
	case ACTIVE_WAITS:
	case ACTIVE_OUT:
	case STOPPING:
	case STOPPING_BROKEN:
	case LEAVING:
	case STOPPED_WAITS:
	case STOPPED_OUT:
		return true;
	default:
		return false;
	}
}

/* Completes and ends everything: each buffer comes back once (D10). */
static void drain(struct fixture *f, int situation, int which, int outcome)
{
	bool out = fph_hint_session_get_outstanding(&f->s) != 0;
	struct fph_chain_end end;
	int seen = 0, seen_old = 0;
	struct fph_run run;

	/* Two are out after NEXT: the one before the call came first. */
	while (fph_hint_session_next(&f->s, &run) == 1)
		ck_assert_int_eq(fph_hint_session_complete(&f->s, &run, true),
				 FPH_OK);
	if (out)
		ck_assert_int_eq(fph_hint_session_complete(&f->s, &f->run,
							   false), FPH_OK);
	while (fph_hint_session_end(&f->s, &end) == 1) {
		if (end.cookie == 7) {
			ck_assert_int_eq((int)end.outcome, outcome);
			seen++;
		}
		seen_old += end.cookie == 2;
	}
	ck_assert_int_eq(seen, outcome != 0);
	ck_assert_int_eq(seen_old, has_chain(situation) &&
			 !(which == RESET && !out));
	ck_assert_uint_eq(f->s.window.nfree, NCHAINS);
	ck_assert_uint_eq(fph_coalescer_get_free(&f->s.window.ranges), NSLOTS);
}

static uint32_t config_of(const struct fixture *f, int state)
{
	if (state == FPH_HINT_REQUESTED || state == FPH_HINT_ACTIVE)
		return f->id;
	return state == FPH_HINT_DONE ? VIRTIO_BALLOON_CMD_ID_DONE :
					VIRTIO_BALLOON_CMD_ID_STOP;
}

static void walk(int situation, int which)
{
	const char *cell = table[which] + 3 * situation;
	struct fixture f, before;
	struct fph_run first;
	int from, to, ret;

	build(&f, situation);
	first = f.run;
	from = fph_hint_session_get_state(&f.s);
	ck_assert_uint_eq(fph_hint_session_get_config(&f.s),
			  config_of(&f, from));
	while ((which == ADD_FULL || which == REFUSE_FULL) &&
	       fph_hint_session_refuse(&f.s, 55) == FPH_OK)
		;
	memcpy(&before, &f, sizeof(f));
	ret = call(&f, which);
	to = fph_hint_session_get_state(&f.s);
	ck_assert_msg(ret == result_of(cell[0]), "situation %d call %d: %s",
		      situation, which, fph_status_get_name(ret));
	ck_assert_msg(to == state_of(cell[1], from),
		      "situation %d call %d: state %d", situation, which, to);
	ck_assert_uint_eq(fph_hint_session_get_config(&f.s),
			  config_of(&f, to));
	if (cell[1] == '=' && strchr("0sbvfxP", cell[0]))
		ck_assert_mem_eq(&before, &f, OBJECT_SIZE);
	if (which == RESET && ret == FPH_OK)
		ck_assert_uint_eq(f.s.window.nfree, NCHAINS);
	check_counters(&before.s.counters, &f.s.counters, which, from, to,
		       ret);
	if (which == NEXT && fph_hint_session_get_outstanding(&f.s) == 2)
		ck_assert_int_eq(fph_hint_session_complete(&f.s, &first, true),
				 FPH_OK);
	drain(&f, situation, which, expected_outcome(which, from, to, ret));
}

START_TEST(every_situation_by_every_call)
{
	int situation, which;

	for (which = 0; which < NCALLS; which++) {
		ck_assert_uint_eq(strlen(table[which]), 3 * NSITUATIONS - 1);
		for (situation = 0; situation < NSITUATIONS; situation++)
			walk(situation, which);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hint_session");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, every_situation_by_every_call);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
