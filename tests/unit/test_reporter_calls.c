/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The reporter: every state with every call.  What fails changes no byte, and
 * whatever happens each range comes back once.
 */
#include "reporter_fixture.h"

enum {
	EMPTY,		/* FILLING, nothing anywhere */
	WAITING,	/* FILLING, one range waits */
	OUT,		/* FILLING, one buffer is out */
	FULL,		/* the window is full, one range waits */
	HIGH,		/* FULL, two buffers are out, one range waits */
	RETRYING,	/* FILLING after a failure: one is out, one waits */
	BRINK,		/* the same after the last but one failure */
	OFF,		/* one buffer is still out */
	BACK,		/* FILLING, one range is back */
	NSTATES
};

struct built {
	struct fixture f;
	uint64_t cookie;	/* of a buffer that is out, or made up */
	uint64_t stale;		/* of one that is not out any more */
	uint32_t nheld;		/* ranges that will have to come back */
};

/* Sends a page and lets it fail. */
static void send_in_vain(struct built *b, uint64_t now)
{
	fixture_add(&b->f, now, 100);
	b->stale = fixture_send(&b->f, now);
	ck_assert_int_eq(fixture_complete(&b->f, now, b->stale, false),
			 FPH_OK);
	fixture_expect(&b->f, 100, false);
}

static void build_failures(struct built *b, uint32_t n)
{
	uint64_t now = 0;

	fixture_add(&b->f, now, 1);
	b->cookie = fixture_send(&b->f, now);
	for (; n > 1; n--) {
		send_in_vain(b, now);
		now += 300;
	}
	send_in_vain(b, 1000);
}

static void build(struct built *b, int state)
{
	uint32_t i;

	memset(b, 0, sizeof(*b));
	fixture_init(&b->f);
	b->cookie = 0x1234501u;
	b->stale = 0x1234500u;
	b->nheld = 1;
	switch (state) {
	case EMPTY:
		b->nheld = 0;
		break;
	case WAITING:
		fixture_add(&b->f, 1000, 1);
		break;
	case OUT:
		fixture_add(&b->f, 1000, 1);
		b->cookie = fixture_send(&b->f, 1000);
		break;
	case FULL:
	case HIGH:
		for (i = 0; i < WINDOW; i++) {
			fixture_add(&b->f, 1000, 10 + i);
			b->cookie = fixture_send(&b->f, 1000);
			if (!i)
				b->stale = b->cookie;
		}
		fixture_add(&b->f, 1000, 1);
		b->nheld += WINDOW;
		if (state == FULL) {
			b->stale = 0;
			break;
		}
		ck_assert_int_eq(fixture_complete(&b->f, 1000, b->stale,
						       true), FPH_OK);
		fixture_expect(&b->f, 10, true);
		b->nheld--;
		break;
	case RETRYING:
	case BRINK:
		build_failures(b, state == BRINK ? 2 : 1);
		fixture_add(&b->f, 1000, 2);
		b->nheld++;
		break;
	case OFF:
		build_failures(b, 3);
		break;
	default:
		fixture_add(&b->f, 1000, 1);
		b->stale = fixture_send(&b->f, 1000);
		ck_assert_int_eq(fixture_complete(&b->f, 1000, b->stale,
						       true), FPH_OK);
	}
}

enum {
	RESET, ADD, ADD_EMPTY, ADD_WRAPS, ADD_LONG, FLUSH, SUBMIT,
	SUBMIT_LATE, SUBMIT_NOTHING, COMPLETE, COMPLETE_BAD, COMPLETE_STALE,
	COMPLETE_INDEX, CANCEL, CANCEL_STALE, TAKE_BACK, SHRINK, NCALLS
};

#define FILLING_	FPH_REPORTER_FILLING
#define FULL_		FPH_REPORTER_FULL
#define OFF_		FPH_REPORTER_OFF
#define NO		FPH_EINVAL

static const int state_of[NSTATES] = {
	FILLING_, FILLING_, FILLING_, FULL_, FULL_, FILLING_, FILLING_, OFF_,
	FILLING_
};

/* Results, and the state after; 0: the same. */
static const struct {
	int ret[NSTATES];
	int state[NSTATES];
} table[NCALLS] = {
#define ALL(x)	{ x, x, x, x, x, x, x, x, x }
#define SAME	ALL(0)
	[RESET] = { ALL(FPH_OK), ALL(FILLING_) },
	[ADD] = { ALL(FPH_OK), SAME },
	[ADD_EMPTY] = { ALL(NO), SAME },
	[ADD_WRAPS] = { ALL(NO), SAME },
	[ADD_LONG] = { ALL(NO), SAME },
	[FLUSH] = { ALL(FPH_OK), SAME },
	[SUBMIT] = { ALL(0), SAME },
	[SUBMIT_LATE] = { { 0, 1, 0, 0, 0, 1, 1, 0, 0 }, SAME },
	[SUBMIT_NOTHING] = { ALL(NO), SAME },
	[COMPLETE] = { { NO, NO, 0, 0, 0, 0, 0, 0, NO },
		       { 0, 0, 0, 0, FILLING_, 0, 0, 0, 0 } },
	[COMPLETE_BAD] = { { NO, NO, 0, 0, 0, 0, 0, 0, NO },
			   { 0, 0, 0, 0, FILLING_, 0, OFF_, 0, 0 } },
	[COMPLETE_STALE] = { ALL(NO), SAME },
	[COMPLETE_INDEX] = { ALL(NO), SAME },
	[CANCEL] = { { NO, NO, 0, 0, 0, 0, 0, 0, NO },
		    { 0, 0, 0, 0, FILLING_, 0, OFF_, 0, 0 } },
	[CANCEL_STALE] = { ALL(NO), SAME },
	[TAKE_BACK] = { { 0, 0, 0, 0, 0, 0, 0, 0, 1 }, SAME },
	[SHRINK] = { { 0, 1, 0, 1, 1, 1, 1, 0, 0 }, SAME }
};

static int call(struct built *b, int c)
{
	struct fph_reporter *r = b->f.r;
	struct fph_returned out;
	struct fph_seg segs[2];
	uint64_t cookie;
	int ret;

	switch (c) {
	case RESET:
		return fph_reporter_reset(r);
	case ADD:
		b->nheld++;
		return fixture_add_range(&b->f, 1000, 50 * PAGE, PAGE, 50);
	case ADD_EMPTY:
		return fixture_add_range(&b->f, 1000, 50 * PAGE, 0, 50);
	case ADD_WRAPS:
		return fixture_add_range(&b->f, 1000, ~(uint64_t)0, 2, 50);
	case ADD_LONG:
		return fixture_add_range(&b->f, 1000, 0, 0x100000000u, 50);
	case FLUSH:
		return fph_reporter_flush(r);
	case SUBMIT:
		return fixture_submit(&b->f, 1000, segs, 2, &cookie);
	case SUBMIT_LATE:
		return fixture_submit(&b->f, 5000, segs, 2, &cookie);
	case SUBMIT_NOTHING:
		return fixture_submit(&b->f, 5000, segs, 0, &cookie);
	case COMPLETE:
		return fixture_complete(&b->f, 1000, b->cookie, true);
	case COMPLETE_BAD:
		return fixture_complete(&b->f, 1000, b->cookie, false);
	case COMPLETE_STALE:
		return fixture_complete(&b->f, 1000, b->stale, true);
	case COMPLETE_INDEX:
		return fixture_complete(&b->f, 1000, b->cookie | 0x100000000u, true);
	case CANCEL:
		return fph_reporter_cancel(r, 1000, b->cookie);
	case CANCEL_STALE:
		return fph_reporter_cancel(r, 1000, b->stale);
	case TAKE_BACK:
		ret = fph_reporter_take_back(r, &out, 1);
		break;
	default:
		ret = fph_reporter_shrink(r, &out, 1);
	}
	b->nheld -= ret == 1;
	return ret;
}

/* After a reset everything comes back, once, and nothing is left. */
static void check_nothing_lost(struct built *b)
{
	struct fph_reporter_amounts a = fixture_amounts(&b->f);
	struct fph_returned out;
	uint32_t n = 0;

	ck_assert_uint_eq(a.waiting.ranges + a.outstanding.ranges +
			  a.back.ranges, b->nheld);
	ck_assert_int_eq(fph_reporter_reset(b->f.r), FPH_OK);
	a = fixture_amounts(&b->f);
	ck_assert_uint_eq(a.back.ranges, b->nheld);
	ck_assert_uint_eq(a.back.bytes, b->nheld * PAGE);
	ck_assert_uint_eq(a.buffers, 0);
	while (fph_reporter_take_back(b->f.r, &out, 1) == 1)
		n++;
	ck_assert_uint_eq(n, b->nheld);
	ck_assert_uint_eq(fixture_amounts(&b->f).back.ranges, 0);
	ck_assert_uint_eq(fixture_amounts(&b->f).back.bytes, 0);
	/* And every slot is free again. */
	for (n = 0; n < NSLOTS; n++)
		fixture_add(&b->f, 0, n);
	ck_assert_int_eq(fixture_add_range(&b->f, 0, 99 * PAGE, PAGE, 0),
			 FPH_EFULL);
}

START_TEST(every_state_and_call)
{
	struct built b, before;
	int s, c, ret, want;

	for (s = 0; s < NSTATES; s++) {
		for (c = 0; c < NCALLS; c++) {
			build(&b, s);
			fixture_expect_state(&b.f, state_of[s]);
			memcpy(&before, &b, sizeof(b));
			ret = call(&b, c);
			ck_assert_msg(ret == table[c].ret[s],
				      "state %d, call %d: %d", s, c, ret);
			if (ret < 0)
				ck_assert_mem_eq(&b.f, &before.f,
						 sizeof(b.f));
			want = table[c].state[s] ? table[c].state[s] :
						   state_of[s];
			ck_assert_msg(fph_reporter_get_state(b.f.r) == want,
				      "state %d, call %d", s, c);
			check_nothing_lost(&b);
		}
	}
}
END_TEST

/* What the memory held before is no buffer. */
START_TEST(no_cookie_of_memory_as_it_came)
{
	static uint64_t memory[FPH_REPORTER_SIZE(8, 16) / 8];
	struct fph_reporter_params p = {
		.size = sizeof(p), .content = FPH_CONTENT_FREE,
		.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING),
		.max_ranges = 8
	};
	struct fph_reporter *r;

	for (p.window = 1; p.window <= 16; p.window++) {
		for (uint32_t byte = 0; byte < 256; byte++) {
			struct fph_used used = { .cookie = byte * 0x01010101u };

			memset(memory, (int)byte, sizeof(memory));
			ck_assert_int_eq(fph_reporter_init(&r, memory,
							   sizeof(memory), &p),
					 FPH_OK);
			ck_assert_int_eq(fph_reporter_complete(r, 0, &used, 1,
							       true),
					 FPH_EINVAL);
			ck_assert_int_eq(fph_reporter_cancel(r, 0,
							     used.cookie),
					 FPH_EINVAL);
		}
	}
}
END_TEST

RUNNER_SUITE("reporter_calls",
	     every_state_and_call,
	     no_cookie_of_memory_as_it_came)
