/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The hinter: what init refuses, and every state with every call, in each way
 * of holding pages.
 */
#include "hinter_fixture.h"

START_TEST(init_refused)
{
	static const struct {
		bool negotiated;
		int content;
		int mode;
		bool outside;
		int ret;
	} t[] = {
		{ true, FPH_CONTENT_FREE, HOLD, false, FPH_OK },
		{ true, FPH_CONTENT_FREE, HOLD, true, FPH_OK },
		{ true, FPH_CONTENT_FREE, UNTIL_USED, false, FPH_OK },
		{ true, FPH_CONTENT_FREE, NEVER, true, FPH_OK },
		{ true, FPH_CONTENT_FREE, NEVER, false, FPH_EREFUSED },
		{ true, FPH_CONTENT_KEPT, HOLD, true, FPH_EREFUSED },
		{ true, FPH_CONTENT_KEPT, UNTIL_USED, true, FPH_EREFUSED },
		{ true, FPH_CONTENT_KEPT, NEVER, true, FPH_EREFUSED },
		{ false, FPH_CONTENT_FREE, HOLD, true, FPH_EREFUSED },
		{ false, FPH_CONTENT_FREE, NEVER, true, FPH_EREFUSED },
		{ true, 0, HOLD, true, FPH_EINVAL },
		{ true, 3, HOLD, true, FPH_EINVAL },
		{ true, FPH_CONTENT_FREE, 0, true, FPH_EINVAL },
		{ true, FPH_CONTENT_FREE, 4, true, FPH_EINVAL }
	};
	struct fixture f, before;
	struct fph_hinter_params p;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(&f, 0x5a, sizeof(f));
		memcpy(&before, &f, sizeof(f));
		p = fixture_params(&f, t[i].mode);
		p.content = t[i].content;
		p.metadata_outside = t[i].outside;
		p.features |= FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON);
		if (!t[i].negotiated)
			p.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
		ck_assert_int_eq(fph_hinter_init(f.h, &p), t[i].ret);
		if (t[i].ret != FPH_OK)
			ck_assert_mem_eq(&f, &before, sizeof(f));
	}
}
END_TEST

START_TEST(init_bad_numbers)
{
	struct {
		struct fph_hinter_params p;
		uint8_t tail[8];
	} longer;
	struct fixture f, before;
	struct fph_hinter_params good = fixture_params(&f, HOLD), bad[12];
	size_t i;

	memset(&f, 0x5a, sizeof(f));
	memcpy(&before, &f, sizeof(f));
	for (i = 0; i < 12; i++)
		bad[i] = good;
	bad[0].size--;
	bad[1].slots = NULL;
	bad[2].nslots = 0;
	bad[3].nslots = 0x80000000u;
	bad[4].batches = NULL;
	bad[5].nbatches = 0;
	bad[6].nbatches = 0x80000000u;
	bad[7].commands = NULL;
	bad[8].ncommands = 1;
	bad[9].ncommands = 0x80000000u;
	bad[10].max_segs = 0;
	bad[11].endian = 3;
	for (i = 0; i < 12; i++)
		ck_assert_int_eq(fph_hinter_init(f.h, &bad[i]), FPH_EINVAL);
	ck_assert_int_eq(fph_hinter_init(NULL, &good), FPH_EINVAL);
	ck_assert_int_eq(fph_hinter_init(f.h, NULL), FPH_EINVAL);
	memset(&longer, 0, sizeof(longer));
	longer.p = good;
	longer.p.size = sizeof(longer);
	longer.tail[0] = 1;
	ck_assert_int_eq(fph_hinter_init(f.h, &longer.p), FPH_EINVAL);
	ck_assert_mem_eq(&f, &before, sizeof(f));
	longer.tail[0] = 0;
	ck_assert_int_eq(fph_hinter_init(f.h, &longer.p), FPH_OK);
}
END_TEST

START_TEST(zeroed_object)
{
	struct fph_hinter h, zero;
	struct fph_hinter_amounts a;
	struct fph_hinter_counters n;
	struct fph_hinter_buffer buffer;
	struct fph_returned out;
	struct fph_seg seg;

	memset(&h, 0, sizeof(h));
	memset(&zero, 0, sizeof(zero));
	ck_assert_int_eq(fph_hinter_reset(&h), FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_set_config(&h, 2), FPH_EUNINIT);
	ck_assert_uint_eq(fph_hinter_get_id(&h), 0);
	ck_assert_int_eq(fph_hinter_add(&h, 2, 0, 1, 0), FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_flush(&h), FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_finish_input(&h), FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_stop(&h), FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_submit(&h, 8, &seg, 1, &buffer),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_complete(&h, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_cancel(&h, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_take_back(&h, &out, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_shrink(&h, &out, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_get_state(&h), FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_get_amounts(&h, &a, sizeof(a)), FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_get_counters(&h, &n, sizeof(n)), FPH_EUNINIT);
	ck_assert_mem_eq(&h, &zero, sizeof(h));
}
END_TEST

/* -------------------------------------------------------- state by call -- */

/* The id of the round, of one before it, of the next, and a new one. */
#define ID	20u
#define OLD	10u
#define NEXT_ID	30u
#define NEW	40u

enum {
	IDLE,		/* nothing yet */
	SPENT,		/* IDLE after a round with OLD */
	WANTED,		/* ID, one page waits */
	ACTIVE,		/* ID, START used, one hint is out, one page waits */
	FRESH,		/* ID, START is out, nothing else */
	SHOWN,		/* as ACTIVE; the device is known to show the id */
	ENDED,		/* as ACTIVE, after end */
	DRAINED,	/* as FRESH, after end: STOP is due */
	STOPPING,	/* ID, one hint is out */
	STOPPING_NEXT,	/* the same, NEXT_ID is wanted, one page waits */
	NSTATES
};

struct built {
	struct fixture f;
	uint64_t cookie;	/* of the latest buffer, or made up */
	uint32_t nheld;		/* ranges that will have to come back */
};

static void round_of_old(struct built *b)
{
	uint64_t start, stop;

	fixture_read(&b->f, OLD);
	start = fixture_send(&b->f, START, OLD);
	ck_assert_int_eq(fph_hinter_finish_input(b->f.h), FPH_OK);
	stop = fixture_send(&b->f, STOP, OLD);
	fixture_use(&b->f, start);
	fixture_use(&b->f, stop);
}

static void build(struct built *b, int mode, int state)
{
	memset(b, 0, sizeof(*b));
	fixture_init(&b->f, mode);
	b->cookie = 0x123400000001u;
	if (state == IDLE)
		return;
	round_of_old(b);
	if (state == SPENT)
		return;
	fixture_read(&b->f, ID);
	if (state == WANTED) {
		fixture_add(&b->f, 1);
		b->nheld = 1;
		return;
	}
	b->cookie = fixture_send(&b->f, START, ID);
	if (state == FRESH)
		return;
	if (state == DRAINED) {
		ck_assert_int_eq(fph_hinter_finish_input(b->f.h), FPH_OK);
		return;
	}
	fixture_use(&b->f, b->cookie);
	b->cookie = fixture_hint(&b->f, 2);
	b->nheld = 1;
	if (state == STOPPING || state == STOPPING_NEXT) {
		if (state == STOPPING)
			ck_assert_int_eq(fph_hinter_stop(b->f.h), FPH_OK);
		else
			fixture_read(&b->f, NEXT_ID);
		if (state == STOPPING)
			return;
	} else if (state == SHOWN) {
		fixture_read(&b->f, ID);
	}
	fixture_add(&b->f, 4);
	b->nheld = 2;
	if (state == ENDED)
		ck_assert_int_eq(fph_hinter_finish_input(b->f.h), FPH_OK);
}

enum {
	RESET, READ_0, READ_DONE, READ_OLD, READ_ID, READ_NEXT, READ_NEW, ADD,
	ADD_ID_0, ADD_OTHER, ADD_EMPTY, ADD_WRAPS, ADD_LONG, REQUEST, END,
	GIVE_UP, SUBMIT, SUBMIT_ROOM_1, SUBMIT_ROOM_0, SUBMIT_NOTHING, COMPLETE,
	COMPLETE_OTHER, CANCEL, CANCEL_OTHER, NEXT, NCALLS
};

#define I	FPH_HINTER_IDLE
#define W	FPH_HINTER_WANTED
#define A	FPH_HINTER_ACTIVE
#define S	FPH_HINTER_STOPPING
#define NO	FPH_EINVAL
#define ES	FPH_ESTATE
#define ALL(x)	{ x, x, x, x, x, x, x, x, x, x }
#define SAME	ALL(0)

static const int state_of[NSTATES] = { I, I, W, A, A, A, A, A, S, S };

/*
 * Results, and the state after; 0: the same.
 *     IDLE SPENT WANTED ACTIVE FRESH SHOWN ENDED DRAINED STOPPING STOPPING_NEXT
 */
static const struct {
	int ret[NSTATES];
	int state[NSTATES];
} table[NCALLS] = {
	[RESET]		= { ALL(0), ALL(I) },
	[READ_0]	= { ALL(0), { 0, 0, I, 0, 0, S, 0, 0, 0, 0 } },
	[READ_DONE]	= { ALL(0), { 0, 0, I, S, S, S, S, S, 0, 0 } },
	[READ_OLD]	= { ALL(0), { W, 0, I, S, S, S, S, S, 0, 0 } },
	[READ_ID]	= { ALL(0), { W, W, 0, 0, 0, 0, 0, 0, 0, 0 } },
	[READ_NEXT]	= { ALL(0), { W, W, 0, S, S, S, S, S, 0, 0 } },
	[READ_NEW]	= { ALL(0), { W, W, 0, S, S, S, S, S, 0, 0 } },
	[ADD]		= { { ES, ES, 0, 0, 0, 0, ES, ES, ES, 0 }, SAME },
	[ADD_ID_0]	= { ALL(ES), SAME },
	[ADD_OTHER]	= { ALL(ES), SAME },
	[ADD_EMPTY]	= { { ES, ES, NO, NO, NO, NO, ES, ES, ES, NO }, SAME },
	[ADD_WRAPS]	= { { ES, ES, NO, NO, NO, NO, ES, ES, ES, NO }, SAME },
	[ADD_LONG]	= { { ES, ES, NO, NO, NO, NO, ES, ES, ES, NO }, SAME },
	[REQUEST]	= { ALL(0), SAME },
	[END]		= { { ES, ES, 0, 0, 0, 0, 0, 0, ES, 0 }, SAME },
	[GIVE_UP]	= { ALL(0), { 0, 0, I, S, S, S, S, S, 0, 0 } },
	[SUBMIT]	= { { 0, 0, 1, 0, 0, 0, 1, 1, 1, 1 },
			    { 0, 0, A, 0, 0, 0, 0, I, I, W } },
	[SUBMIT_ROOM_1]	= { { 0, 0, 0, 0, 0, 0, 0, 1, 1, 1 },
			    { 0, 0, 0, 0, 0, 0, 0, I, I, W } },
	[SUBMIT_ROOM_0]	= { ALL(0), SAME },
	[SUBMIT_NOTHING] = { ALL(NO), SAME },
	[COMPLETE]	= { { NO, NO, NO, 0, 0, 0, 0, 0, 0, 0 }, SAME },
	[COMPLETE_OTHER] = { ALL(NO), SAME },
	[CANCEL]		= { { NO, NO, NO, 0, 0, 0, 0, 0, 0, 0 },
			    { 0, 0, 0, 0, W, 0, 0, W, 0, 0 } },
	[CANCEL_OTHER]	= { ALL(NO), SAME },
	[NEXT]		= { ALL(0), SAME }
};

static int add(struct built *b, uint32_t id, uint64_t gpa, uint64_t len)
{
	int ret = fph_hinter_add(b->f.h, id, gpa, len, 50);

	b->nheld += ret == FPH_OK;
	return ret;
}

static int submit(struct built *b, uint32_t room, uint32_t nsegs)
{
	struct fph_hinter_buffer buffer;
	struct fph_seg segs[MAX_SEGS];

	return fph_hinter_submit(b->f.h, room, segs, nsegs, &buffer);
}

/* The id to add for in this state, or one that the call has to refuse. */
static uint32_t get_id(const struct built *b)
{
	uint32_t id = fph_hinter_get_id(b->f.h);

	return id ? id : ID;
}

static int call(struct built *b, int c)
{
	struct fph_hinter *h = b->f.h;
	struct fph_returned out;

	switch (c) {
	case RESET:
		return fph_hinter_reset(h);
	case READ_0:
		return fph_hinter_set_config(h, 0);
	case READ_DONE:
		return fph_hinter_set_config(h, 1);
	case READ_OLD:
		return fph_hinter_set_config(h, OLD);
	case READ_ID:
		return fph_hinter_set_config(h, ID);
	case READ_NEXT:
		return fph_hinter_set_config(h, NEXT_ID);
	case READ_NEW:
		return fph_hinter_set_config(h, NEW);
	case ADD:
		return add(b, get_id(b), 50 * PAGE, PAGE);
	case ADD_ID_0:
		return add(b, 0, 50 * PAGE, PAGE);
	case ADD_OTHER:
		return add(b, OLD, 50 * PAGE, PAGE);
	case ADD_EMPTY:
		return add(b, get_id(b), 50 * PAGE, 0);
	case ADD_WRAPS:
		return add(b, get_id(b), ~(uint64_t)0, 2);
	case ADD_LONG:
		return add(b, get_id(b), 0, 0x100000000u);
	case REQUEST:
		return fph_hinter_flush(h);
	case END:
		return fph_hinter_finish_input(h);
	case GIVE_UP:
		return fph_hinter_stop(h);
	case SUBMIT:
		return submit(b, 8, MAX_SEGS);
	case SUBMIT_ROOM_1:
		return submit(b, 1, MAX_SEGS);
	case SUBMIT_ROOM_0:
		return submit(b, 0, MAX_SEGS);
	case SUBMIT_NOTHING:
		return submit(b, 8, 0);
	case COMPLETE:
		return fph_hinter_complete(h, b->cookie);
	case COMPLETE_OTHER:
		return fph_hinter_complete(h, b->cookie ^ 0x100000000u);
	case CANCEL:
		return fph_hinter_cancel(h, b->cookie);
	case CANCEL_OTHER:
		return fph_hinter_cancel(h, b->cookie ^ 0x100000000u);
	default:
		return fph_hinter_take_back(h, &out, 1);
	}
}

/* What was held is held still, and after a reset it all comes back. */
static void check_nothing_lost(struct built *b, int mode)
{
	uint32_t want = mode == NEVER ? 0 : b->nheld, n = 0;
	struct fph_returned out;

	ck_assert_uint_eq(fixture_amounts(&b->f).held.ranges, want);
	ck_assert_uint_eq(fixture_amounts(&b->f).held.bytes, want * PAGE);
	ck_assert_int_eq(fph_hinter_reset(b->f.h), FPH_OK);
	fixture_expect_state(&b->f, FPH_HINTER_IDLE);
	ck_assert_uint_eq(fixture_amounts(&b->f).back.ranges, want);
	ck_assert_uint_eq(fixture_amounts(&b->f).buffers, 0);
	while (fph_hinter_take_back(b->f.h, &out, 1) == 1)
		n++;
	ck_assert_uint_eq(n, want);
	ck_assert_uint_eq(fixture_amounts(&b->f).held.ranges, 0);
	/* Every slot and every command is free again, and old ids may come. */
	ck_assert_uint_eq(b->f.h.nfree, NCOMMANDS);
	fixture_read(&b->f, OLD);
	fixture_send(&b->f, START, OLD);
	for (n = 0; n < NSLOTS; n++)
		fixture_add(&b->f, n);
	ck_assert_int_eq(fph_hinter_add(b->f.h, OLD, 0, PAGE, 0), FPH_EFULL);
}

static void walk(int mode)
{
	struct built b, before;
	int s, c, ret, want;

	for (s = 0; s < NSTATES; s++) {
		for (c = 0; c < NCALLS; c++) {
			build(&b, mode, s);
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
			ck_assert_msg(fph_hinter_get_state(b.f.h) == want,
				      "state %d, call %d", s, c);
			check_nothing_lost(&b, mode);
		}
	}
}

START_TEST(every_state_and_call)
{
	walk(HOLD);
	walk(UNTIL_USED);
	walk(NEVER);
}
END_TEST

RUNNER_SUITE("hinter_calls",
	     init_refused,
	     init_bad_numbers,
	     zeroed_object,
	     every_state_and_call)
