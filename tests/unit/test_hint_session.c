/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The hint session: every situation by every call. */
#include <stdlib.h>
#include <string.h>

#include "hint_fixture.h"
#include "runner.h"

static const struct fph_seg empty[] = { { 0x10000, 0, FPH_SEG_WRITE } };

static const struct fph_seg wraps[] = {
	{ ~(uint64_t)0 - 0xfff, 0x1001, FPH_SEG_WRITE }
};

static const struct fph_seg many[NRANGES + 1] = {
	{ 0x10000, 0x1000, FPH_SEG_WRITE }, { 0x10000, 0x1000, FPH_SEG_WRITE },
	{ 0x10000, 0x1000, FPH_SEG_WRITE }, { 0x10000, 0x1000, FPH_SEG_WRITE },
	{ 0x10000, 0x1000, FPH_SEG_WRITE }, { 0x10000, 0x1000, FPH_SEG_WRITE },
	{ 0x10000, 0x1000, FPH_SEG_WRITE }, { 0x10000, 0x1000, FPH_SEG_WRITE },
	{ 0x10000, 0x1000, FPH_SEG_WRITE }
};

enum {
	RESET, ENDIAN, ENDIAN_BAD, RESTORE, RESTORE_BAD, SYNC_BEGIN, SYNC_END,
	REQUEST, STOP_ROUND, DONE_ROUND, ADD_START, ADD_STOP, ADD_ONE,
	ADD_OTHER, START_HINT, STOP_HINT, HINT, NOTHING, CMD_SHORT, CMD_LONG,
	CMD_HUGE, CMD_WRITABLE, SEG_READABLE, SEG_EMPTY, SEG_WRAPS, SEG_MANY,
	REFUSE, ADD_FULL, REFUSE_FULL, NEXT, COMPLETE, COMPLETE_OTHER,
	COMPLETE_STALE, COMPLETE_BAD, TAKE_USED, NCALLS
};

/*
 * One cell for each situation, in their order: the result and the next state.
 *
 * results: o OK, 1 one, 0 none, s ESTATE, b EBUSY, p EINPROGRESS, v EINVAL,
 *	f EFULL, x EEXHAUSTED, P PEER_BROKEN; and 1 with an error of the peer:
 *	l PEER_CMD_LEN, d PEER_DIRECTION, r PEER_RANGE, c PEER_LONG_CHAIN
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
	[RESTORE] =	"oD oD oD oD oD s= s= s= s= s= s= s= s= s= s= "
			"s= s= o= o= o=",
	[RESTORE_BAD] =	"v= v= v= v= v= v= v= v= v= v= v= v= v= v= v= "
			"v= v= v= v= v=",
	[SYNC_BEGIN] =	"o= o= s= o= o= oI oI oI pS p= oI p= p= oD oI "
			"oI pS o= s= o=",
	[SYNC_END] =	"s= s= o= s= s= s= s= s= s= s= s= s= s= s= s= "
			"s= s= s= o= s=",
	[REQUEST] =	"s= oR s= x= P= s= s= s= s= b= b= P= b= b= oR "
			"b= b= oR s= P=",
	[STOP_ROUND] =	"o= o= o= o= o= oI oI oI pS p= oI p= p= oD oI "
			"oI pS o= o= o=",
	[DONE_ROUND] =	"oD oD oD oD oD oD oD oD pS pS oD pS p= oD oD "
			"oD pS o= o= o=",
	[ADD_START] =	"1= 1= 1= 1= 1= 1A 1T 1T 1T 1= 1= 1= 1= 1= 1= "
			"1= 1= 1= 1= 1=",
	[ADD_STOP] =	"1= 1= 1= 1= 1= 1= 1T 1T 1T 1= 1= 1= 1= 1= 1= "
			"1= 1= 1= 1= 1=",
	[ADD_ONE] =	"1= 1= 1= 1= 1= 1= 1T 1T 1T 1= 1= 1= 1= 1= 1= "
			"1= 1= 1= 1= 1=",
	[ADD_OTHER] =	"1= 1= 1= 1= 1= 1= 1T 1T 1T 1= 1= 1= 1= 1= 1= "
			"1= 1= 1= 1= 1=",
	[START_HINT] =	"1= 1= 1= 1= 1= 1A 1T 1T 1T 1= 1= 1= 1= 1= 1= "
			"1= 1= 1= 1= 1=",
	[STOP_HINT] =	"1= 1= 1= 1= 1= 1= 1T 1T 1T 1= 1= 1= 1= 1= 1= "
			"1= 1= 1= 1= 1=",
	[HINT] =	"1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= "
			"1= 1= 1= 1= 1=",
	[NOTHING] =	"1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= "
			"1= 1= 1= 1= 1=",
	[CMD_SHORT] =	"l= l= l= l= l= lI lI lI lS l= l= l= l= l= lI "
			"lI lS l= l= l=",
	[CMD_LONG] =	"l= l= l= l= l= lI lI lI lS l= l= l= l= l= lI "
			"lI lS l= l= l=",
	[CMD_HUGE] =	"l= l= l= l= l= lI lI lI lS l= l= l= l= l= lI "
			"lI lS l= l= l=",
	[CMD_WRITABLE] = "d= d= d= d= d= dI dI dI dS d= d= d= d= d= dI "
			"dI dS d= d= d=",
	[SEG_READABLE] = "d= d= d= d= d= dI dI dI dS d= d= d= d= d= dI "
			"dI dS d= d= d=",
	[SEG_EMPTY] =	"r= r= r= r= r= rI rI rI rS r= r= r= r= r= rI "
			"rI rS r= r= r=",
	[SEG_WRAPS] =	"r= r= r= r= r= rI rI rI rS r= r= r= r= r= rI "
			"rI rS r= r= r=",
	[SEG_MANY] =	"c= c= c= c= c= cI cI cI cS c= c= c= c= c= cI "
			"cI cS c= c= c=",
	[REFUSE] =	"1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= 1= "
			"1= 1= 1= 1= 1=",
	[ADD_FULL] =	"f= f= f= f= f= f= f= f= f= f= f= f= f= f= f= "
			"f= f= f= f= f=",
	[REFUSE_FULL] =	"f= f= f= f= f= f= f= f= f= f= f= f= f= f= f= "
			"f= f= f= f= f=",
	[NEXT] =	"0= 0= 0= 0= 0= 0= 0= 1= 1= 0= 0= 0= 0= 0= 0= "
			"1= 1= 0= 0= 0=",
	[COMPLETE] =	"v= v= v= v= v= v= v= v= 1= 1= v= 1= 1= v= v= "
			"v= 1= v= v= v=",
	[COMPLETE_OTHER] = "v= v= v= v= v= v= v= v= v= v= v= v= v= v= v= "
			"v= v= v= v= v=",
	[COMPLETE_STALE] = "v= v= v= v= v= v= v= v= v= v= v= v= v= v= v= "
			"v= v= v= v= v=",
	[COMPLETE_BAD] = "v= v= v= v= v= v= v= v= v= v= v= v= v= v= v= "
			"v= v= v= v= v=",
	[TAKE_USED] =	"0= 0= 0= 0= 0= 0= 0= 0= 0= 0= 0= 0= 0= 0= 0= "
			"0= 0= 0= 0= 0=",
};

static bool is_peer_error(char c)
{
	return strchr("ldrc", c) != NULL;
}

static int peer_error_of(char c)
{
	static const int errors[] = {
		FPH_PEER_CMD_LEN, FPH_PEER_DIRECTION, FPH_PEER_RANGE,
		FPH_PEER_LONG_CHAIN
	};
	static const char letters[] = "ldrc";

	return errors[strchr(letters, c) - letters];
}

static int result_of(char c)
{
	static const int results[] = {
		FPH_OK, 1, 0, FPH_ESTATE, FPH_EBUSY, FPH_EINPROGRESS,
		FPH_EINVAL, FPH_EFULL, FPH_EEXHAUSTED, FPH_PEER_BROKEN
	};
	static const char letters[] = "o10sbpvfxP";

	if (is_peer_error(c))
		return 1;
	ck_assert_ptr_nonnull(strchr(letters, c));
	return results[strchr(letters, c) - letters];
}

static int state_of(char c, int before)
{
	static const char letters[] = "IRASTD";

	if (c == '=')
		return before;
	ck_assert_ptr_nonnull(strchr(letters, c));
	return FPH_HINT_IDLE + (int)(strchr(letters, c) - letters);
}

static int add_raw_huge(struct fixture *f)
{
	static const struct fph_seg segs[] = {
		{ 0, 0x80000004, 0 }, { 0, 0x80000000, 0 }
	};
	struct fph_buffer b = { .cookie = 7, .nread = 2 };

	fph_cmd_id_encode(b.command, f->id, FPH_LE);
	return fph_hint_session_add(f->s, &b, 1, segs);
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
		return add_raw(f, 7, "abc", 3, 2, hints, 2);
	case CMD_LONG:
		return add_raw(f, 7, "abcde", 5, 4, hints, 2);
	case CMD_HUGE:
		/* 4 modulo 2^32. */
		return add_raw_huge(f);
	case CMD_WRITABLE:
		return fph_hint_session_add(f->s, &(struct fph_buffer){
			.cookie = 7, .nread = 1, .nwrite = 1 }, 1, hints);
	case SEG_READABLE:
		return add(f, 7, f->id, readable, 2);
	case SEG_EMPTY:
		return add(f, 7, VIRTIO_BALLOON_CMD_ID_STOP, empty, 1);
	case SEG_WRAPS:
		return add_raw(f, 7, NULL, 0, 4, wraps, 1);
	case SEG_MANY:
		return add(f, 7, f->id, many, NRANGES + 1);
	default:
		return add(f, 7, f->id, hints, 1);
	}
}

static int call(struct fixture *f, int which)
{
	struct fph_run run = f->run;
	struct fph_used used;

	switch (which) {
	case RESET:
		return fph_hint_session_reset(f->s);
	case ENDIAN:
		return fph_hint_session_set_endian(f->s, FPH_BE);
	case ENDIAN_BAD:
		return fph_hint_session_set_endian(f->s, 3);
	case RESTORE:
		return fph_hint_session_restore(f->s, 0x90000000);
	case RESTORE_BAD:
		return fph_hint_session_restore(f->s, 1);
	case SYNC_BEGIN:
		return fph_hint_session_sync_begin(f->s);
	case SYNC_END:
		return fph_hint_session_sync_end(f->s);
	case REQUEST:
		return fph_hint_session_request(f->s, &f->id);
	case STOP_ROUND:
		return fph_hint_session_stop(f->s);
	case DONE_ROUND:
		return fph_hint_session_done(f->s);
	case REFUSE:
	case REFUSE_FULL:
		return refuse(f, 7);
	case NEXT:
		return next(f, &f->run);
	case COMPLETE:
		return complete_as(f, run, FPH_OUTCOME_CLEARED);
	case COMPLETE_OTHER:
		run.token++;
		return complete_as(f, run, FPH_OUTCOME_CLEARED);
	case COMPLETE_STALE:
		run.token += (uint64_t)1 << 32;
		return complete_as(f, run, FPH_OUTCOME_CLEARED);
	case COMPLETE_BAD:
		/* The outcome of a report. */
		return complete_as(f, run, FPH_OUTCOME_DISCARDED);
	case TAKE_USED:
		return take_used(f, &used);
	default:
		return call_add(f, which);
	}
}

/* What the call must have added to the counters, from the states alone. */
static void check_counters(const struct fph_hint_counters *a,
			   const struct fph_hint_counters *b, int which,
			   int from, int to, int ret, char letter)
{
	bool taken = which >= ADD_START && which <= REFUSE;
	bool cmd = which >= ADD_START && which <= STOP_HINT;
	bool hint = which >= START_HINT && which <= HINT;
	bool start = cmd && from == FPH_HINT_REQUESTED && to != from;
	bool stop = cmd && from == FPH_HINT_ACTIVE;
	bool counts = hint && to == FPH_HINT_ACTIVE;

	ck_assert_uint_eq(b->buffers - a->buffers, taken);
	ck_assert_uint_eq(b->refused - a->refused,
			  is_peer_error(letter) || which == REFUSE);
	ck_assert_uint_eq(b->starts - a->starts, start);
	ck_assert_uint_eq(b->stops - a->stops, stop);
	ck_assert_uint_eq(b->stale - a->stale, cmd && !start && !stop);
	ck_assert_uint_eq(b->hints - a->hints, counts ? 2 : 0);
	ck_assert_uint_eq(b->bytes - a->bytes, counts ? 0x3000 : 0);
	ck_assert_uint_eq(b->ignored - a->ignored, hint && !counts ? 2 : 0);
	ck_assert_uint_eq(b->bytes_ignored - a->bytes_ignored,
			  hint && !counts ? 0x3000 : 0);
	ck_assert_uint_eq(b->peer_errors - a->peer_errors,
			  is_peer_error(letter));
	ck_assert_uint_eq(b->rounds - a->rounds,
			  which == REQUEST && ret == FPH_OK);
}

static int expected_outcome(int which, int from, int to, char letter)
{
	bool cmd = which >= ADD_START && which <= ADD_OTHER;
	bool counts = which >= START_HINT && which <= HINT &&
		      to == FPH_HINT_ACTIVE;

	if (which < ADD_START || which > REFUSE)
		return 0;
	if (is_peer_error(letter) || which == REFUSE)
		return FPH_OUTCOME_REFUSED;
	if (cmd && from != to)
		return FPH_OUTCOME_COMMAND;
	return counts ? FPH_OUTCOME_CLEARED : FPH_OUTCOME_SKIPPED;
}

static bool has_buffer(int situation)
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

/* Completes and takes everything: each buffer comes back once (D10). */
static void drain(struct fixture *f, int situation, int which, int outcome)
{
	bool out = fph_hint_session_get_outstanding(f->s) != 0;
	int seen = 0, seen_old = 0;
	struct fph_used used;
	struct fph_run run;

	/* Two are out after NEXT: the one before the call came first. */
	while (next(f, &run) == 1)
		ck_assert_int_eq(complete_as(f, run, FPH_OUTCOME_CLEARED), 1);
	if (out)
		ck_assert_int_eq(complete_as(f, f->run, FPH_OUTCOME_FAILED),
				 1);
	while (take_used(f, &used) == 1) {
		if (used.cookie == 7) {
			ck_assert_int_eq(used.outcome, outcome);
			seen++;
		}
		seen_old += used.cookie == 2;
	}
	ck_assert_int_eq(seen, outcome != 0);
	ck_assert_int_eq(seen_old, has_buffer(situation) &&
			 !(which == RESET && !out));
	expect_room(f, NBUFFERS, NRANGES);
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
	struct fph_hint_counters counted, now;
	struct fixture f, before;
	struct fph_run first;
	int from, to, ret, error;

	build(&f, situation);
	first = f.run;
	from = fph_hint_session_get_state(f.s);
	error = fph_hint_session_get_error(f.s);
	ck_assert_uint_eq(fph_hint_session_get_config(f.s),
			  config_of(&f, from));
	while ((which == ADD_FULL || which == REFUSE_FULL) &&
	       refuse(&f, 55) == 1)
		;
	counted = counters(&f);
	memcpy(&before, &f, sizeof(f));
	ret = call(&f, which);
	to = fph_hint_session_get_state(f.s);
	ck_assert_msg(ret == result_of(cell[0]), "situation %d call %d: %s",
		      situation, which, fph_status_name(ret));
	ck_assert_msg(to == state_of(cell[1], from),
		      "situation %d call %d: state %d", situation, which, to);
	ck_assert_uint_eq(fph_hint_session_get_config(f.s),
			  config_of(&f, to));
	if (cell[1] == '=' && strchr("0sbvfxP", cell[0]))
		ck_assert_mem_eq(&before, &f, OBJECT_SIZE);
	if (which == RESET && ret == FPH_OK)
		expect_room(&f, NBUFFERS, NRANGES);
	/* What broke it first stays until reset. */
	if (is_peer_error(cell[0]) && error == FPH_OK)
		error = peer_error_of(cell[0]);
	if (which == RESET && ret == FPH_OK)
		error = FPH_OK;
	ck_assert_int_eq(fph_hint_session_get_error(f.s), error);
	now = counters(&f);
	check_counters(&counted, &now, which, from, to, ret, cell[0]);
	if (which == NEXT && fph_hint_session_get_outstanding(f.s) == 2)
		ck_assert_int_eq(complete_as(&f, first, FPH_OUTCOME_CLEARED),
				 1);
	drain(&f, situation, which, expected_outcome(which, from, to,
						     cell[0]));
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

RUNNER_SUITE("hint_session",
	     every_situation_by_every_call)
