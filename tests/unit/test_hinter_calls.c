/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The hinter: what init refuses, and every state with every call, in each way
 * of holding pages.
 */
#include <fph/vring.h>

#include "hinter_fixture.h"

#define RING		4u

static int init(struct fixture *f, const struct fph_hinter_params *p)
{
	return fph_hinter_init(&f->h, f->mem, sizeof(f->mem), p);
}

START_TEST(init_refused)
{
	static const struct {
		bool negotiated;
		uint32_t content;
		uint32_t mode;
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
		{ true, FPH_CONTENT_FREE, 0, false, FPH_OK },
		{ true, FPH_CONTENT_FREE, 4, true, FPH_EINVAL }
	};
	static struct fixture f, before;
	struct fph_hinter_params p;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(&f, 0x5a, sizeof(f));
		memcpy(&before, &f, sizeof(f));
		p = fixture_params(t[i].mode);
		p.content = t[i].content;
		p.flags = t[i].outside ? FPH_HINTER_METADATA_OUTSIDE : 0;
		p.features |= FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON);
		if (!t[i].negotiated)
			p.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
		ck_assert_int_eq(init(&f, &p), t[i].ret);
		if (t[i].ret != FPH_OK)
			ck_assert_mem_eq(&f, &before, sizeof(f));
	}
}
END_TEST

/* The longest chains that a ring can have, and the entry for STOP. */
START_TEST(indirect_fills_the_ring)
{
	static _Alignas(16) uint8_t desc[16 * RING], driver[6 + 2 * RING],
		device[6 + 8 * RING], tables[16 * RING * RING];
	static uint64_t mem[FPH_VQ_DRIVER_SIZE(RING) / 8];
	struct fph_vq_driver_params ring = {
		.size = sizeof(ring),
		.num = RING,
		.features = FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC),
		.table_entries = RING,
		.desc = desc,
		.driver = driver,
		.device = device,
		.tables = tables
	};
	struct fph_hinter_params p = fixture_params(HOLD);
	static const uint32_t want[] = { 1, RING, RING, 1 };
	struct fph_vq_driver *vq;
	struct fph_buffer buffer;
	struct fph_seg segs[RING];
	static struct fixture f;

	p.flags = FPH_HINTER_NO_MERGE | FPH_HINTER_INDIRECT;
	p.max_segs = RING;
	fixture_init_with(&f, &p);
	ck_assert_int_eq(fph_vq_driver_init(&vq, mem, sizeof(mem), &ring),
			 FPH_OK);
	fixture_read(&f, 2);
	for (uint32_t i = 0; i < 2 * RING; i++)
		fixture_add(&f, i);
	ck_assert_int_eq(fph_hinter_finish_input(f.h), FPH_OK);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(fixture_submit(&f, fph_vq_driver_get_room(vq),
						segs, RING, &buffer), 1);
		ck_assert_uint_eq(buffer.nread + buffer.nwrite, want[i]);
		ck_assert_int_eq(fph_vq_driver_add(vq, &buffer, 1, segs), 1);
	}
	ck_assert_uint_eq(buffer.flags, STOP);
	ck_assert_uint_eq(fph_vq_driver_get_room(vq), 0);
}
END_TEST

/* The second of two buffers is not begun without room for its segments. */
START_TEST(segments_are_for_all_buffers)
{
	struct fph_hinter_params p = fixture_params(HOLD);
	struct fph_buffer b[3];
	struct fph_seg segs[5];
	static struct fixture f;

	p.flags = FPH_HINTER_NO_MERGE;
	fixture_init_with(&f, &p);
	fixture_read(&f, 2);
	for (uint32_t i = 0; i < 2 * MAX_SEGS; i++)
		fixture_add(&f, i);
	segs[4].len = 77;
	/* START, a hint of two segments, and one left of four. */
	ck_assert_int_eq(fph_hinter_submit(f.h, 100, b, 3, segs, 4), 2);
	ck_assert_uint_eq(b[1].nwrite, MAX_SEGS);
	ck_assert_uint_eq(segs[4].len, 77);
	ck_assert_int_eq(fph_hinter_submit(f.h, 100, b, 3, segs, 4), 1);
	ck_assert_uint_eq(b[0].nwrite, MAX_SEGS);
}
END_TEST

START_TEST(init_bad_numbers)
{
	struct {
		struct fph_hinter_params p;
		uint8_t tail[8];
	} longer;
	static struct fixture f, before;
	struct fph_hinter_params good = fixture_params(HOLD), bad[10];
	size_t i, size = fph_hinter_size(&good);

	memset(&f, 0x5a, sizeof(f));
	memcpy(&before, &f, sizeof(f));
	for (i = 0; i < 10; i++)
		bad[i] = good;
	bad[0].size--;
	bad[1].max_ranges = 0x80000000u;
	bad[2].max_hints = 32769;
	bad[3].commands = 1;
	bad[4].commands = 17;
	bad[5].endian = 3;
	bad[6].flags = 8;
	bad[7].reserved = 1;
	bad[8].flags = FPH_HINTER_INDIRECT;
	bad[8].max_segs = 32769;
	bad[9].max_ranges = NSLOTS + 100;
	for (i = 0; i < 10; i++)
		ck_assert_int_eq(init(&f, &bad[i]), FPH_EINVAL);
	for (i = 0; i < 9; i++)
		ck_assert_uint_eq(fph_hinter_size(&bad[i]), 0);
	ck_assert_int_eq(fph_hinter_init(NULL, f.mem, size, &good),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_hinter_init(&f.h, NULL, size, &good), FPH_EINVAL);
	ck_assert_int_eq(fph_hinter_init(&f.h, f.mem, size - 1, &good),
			 FPH_EINVAL);
	ck_assert_int_eq(init(&f, NULL), FPH_EINVAL);
	memset(&longer, 0, sizeof(longer));
	longer.p = good;
	longer.p.size = sizeof(longer);
	longer.tail[0] = 1;
	ck_assert_int_eq(init(&f, &longer.p), FPH_EINVAL);
	ck_assert_mem_eq(&f, &before, sizeof(f));
	longer.tail[0] = 0;
	ck_assert_int_eq(init(&f, &longer.p), FPH_OK);
	ck_assert_int_eq(fph_hinter_init(&f.h, f.mem, size, &good), FPH_OK);
}
END_TEST

START_TEST(the_constant_is_enough)
{
	static const uint32_t n[] = { 1, 2, 31, 1024, 262144, 0x7fffffff };
	static const uint32_t hints[] = { 1, 2, 64, 32768 };
	struct fph_hinter_params p = fixture_params(HOLD);
	size_t i, k, size;

	for (i = 0; i < 6; i++) {
		for (k = 0; k < 4; k++) {
			p.max_ranges = n[i];
			p.max_hints = hints[k];
			p.commands = 16;
			size = fph_hinter_size(&p);
			ck_assert_uint_ge(FPH_HINTER_SIZE(n[i], hints[k]),
					  size);
			ck_assert(size || sizeof(size_t) < 8);
		}
	}
	/* 1024 and 64 are the default. */
	p.max_ranges = 0;
	p.max_hints = 0;
	ck_assert_uint_ge(FPH_HINTER_SIZE(1024, 64), fph_hinter_size(&p));
	ck_assert_uint_gt(fph_hinter_size(&p), 0);
}
END_TEST

/* The driver finds the place of a command by its index. */
START_TEST(commands_without_an_address)
{
	struct fph_hinter_params p = fixture_params(HOLD);
	struct fph_buffer buffer[2];
	struct fph_seg segs[2];
	struct fixture f;

	p.commands_gpa = 0;
	fixture_init_with(&f, &p);
	fixture_read(&f, 2);
	fixture_end(&f);
	memset(segs, 0x5a, sizeof(segs));
	ck_assert_int_eq(fph_hinter_submit(f.h, 8, buffer, 2, segs, 2), 2);
	ck_assert_uint_eq(buffer[0].flags, START);
	ck_assert_uint_eq(buffer[1].flags, STOP);
	ck_assert_uint_ne(buffer[0].index, buffer[1].index);
	ck_assert_uint_eq(segs[0].gpa, 0);
	ck_assert_uint_eq(segs[1].gpa, 0);
	ck_assert_uint_eq(segs[1].len, 4);
}
END_TEST

/* A round with two command buffers, the fewest that there can be. */
START_TEST(two_command_buffers)
{
	struct fph_hinter_params p = fixture_params(HOLD);
	uint64_t start, stop;
	struct fixture f;

	p.commands = 2;
	fixture_init_with(&f, &p);
	fixture_read(&f, 2);
	start = fixture_send(&f, START, 2);
	fixture_end(&f);
	stop = fixture_send(&f, STOP, 2);
	fixture_read(&f, 3);
	fixture_send_none(&f, 8);
	fixture_use(&f, start);
	fixture_send_none(&f, 8);
	fixture_use(&f, stop);
	fixture_send(&f, START, 3);
}
END_TEST

/* Ids begin anew with a reset: those that stop declined too. */
START_TEST(reset_forgets_what_was_declined)
{
	struct fixture f;

	fixture_init(&f, HOLD);
	fixture_read(&f, 5);
	ck_assert_int_eq(fph_hinter_stop(f.h), FPH_OK);
	fixture_read(&f, 5);
	fixture_send_none(&f, 8);
	ck_assert_int_eq(fph_hinter_reset(f.h), FPH_OK);
	fixture_read(&f, 5);
	fixture_send(&f, START, 5);
}
END_TEST

/* NEVER: what waits already is joined with what comes. */
START_TEST(never_absorbs)
{
	struct fph_hinter_params p = fixture_params(NEVER);
	struct fph_buffer buffer;
	struct fph_seg segs[8];
	struct fixture f;

	p.max_segs = 8;
	fixture_init_with(&f, &p);
	fixture_read(&f, 2);
	fixture_send(&f, START, 2);
	ck_assert_int_eq(fixture_add_range(&f, 2, 10, 10, 0), FPH_OK);
	ck_assert_int_eq(fixture_add_range(&f, 2, 12, 3, 0), FPH_OK);
	ck_assert_int_eq(fixture_add_range(&f, 2, 10, 10, 0), FPH_OK);
	ck_assert_uint_eq(fixture_amounts(&f).waiting.bytes, 10);
	ck_assert_int_eq(fixture_add_range(&f, 2, 30, 10, 0), FPH_OK);
	ck_assert_int_eq(fixture_add_range(&f, 2, 5, 40, 0), FPH_OK);
	ck_assert_uint_eq(fixture_amounts(&f).waiting.bytes, 40);
	ck_assert_int_eq(fixture_add_range(&f, 2, ~(uint64_t)0, 1, 0), FPH_OK);
	ck_assert_int_eq(fixture_add_range(&f, 2, ~(uint64_t)3, 4, 0), FPH_OK);
	fixture_end(&f);
	ck_assert_int_eq(fixture_submit(&f, 20, segs, 8, &buffer), 1);
	ck_assert_uint_eq(buffer.nwrite, 2);
	ck_assert_uint_eq(segs[0].gpa, 5);
	ck_assert_uint_eq(segs[0].len, 40);
	ck_assert_uint_eq(segs[1].gpa, ~(uint64_t)3);
	ck_assert_uint_eq(segs[1].len, 4);
}
END_TEST

START_TEST(no_object)
{
	uint64_t zero[16] = { 0 };
	struct fph_hinter *hs[2] = { NULL, (void *)zero }, *h;
	struct fph_owned_range range = { 0, 1, 0 };
	struct fph_hinter_amounts a;
	struct fph_hinter_counters n;
	struct fph_buffer buffer;
	struct fph_returned out;
	struct fph_used used = { .cookie = 1 };
	struct fph_seg seg;
	int i;

	for (i = 0; i < 2; i++) {
		h = hs[i];
		ck_assert_int_eq(fph_hinter_reset(h), FPH_EUNINIT);
		ck_assert_int_eq(fph_hinter_set_config(h, 2), FPH_EUNINIT);
		ck_assert_uint_eq(fph_hinter_get_id(h), 0);
		ck_assert_int_eq(fph_hinter_add(h, 2, &range, 1), FPH_EUNINIT);
		ck_assert_int_eq(fph_hinter_flush(h), FPH_EUNINIT);
		ck_assert_int_eq(fph_hinter_finish_input(h), FPH_EUNINIT);
		ck_assert_int_eq(fph_hinter_stop(h), FPH_EUNINIT);
		ck_assert_int_eq(fph_hinter_submit(h, 8, &buffer, 1, &seg, 1),
				 FPH_EUNINIT);
		ck_assert_int_eq(fph_hinter_complete(h, &used, 1),
				 FPH_EUNINIT);
		ck_assert_int_eq(fph_hinter_cancel(h, 1), FPH_EUNINIT);
		ck_assert_int_eq(fph_hinter_take_back(h, &out, 1),
				 FPH_EUNINIT);
		ck_assert_int_eq(fph_hinter_shrink(h, &out, 1), FPH_EUNINIT);
		ck_assert_int_eq(fph_hinter_get_state(h), FPH_EUNINIT);
		ck_assert_int_eq(fph_hinter_get_amounts(h, &a, sizeof(a)),
				 FPH_EUNINIT);
		ck_assert_int_eq(fph_hinter_get_counters(h, &n, sizeof(n)),
				 FPH_EUNINIT);
	}
	for (i = 0; i < 16; i++)
		ck_assert_uint_eq(zero[i], 0);
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
	AFTER,		/* IDLE after a round with OLD */
	WANTED,		/* ID, one page waits */
	ACTIVE,		/* ID, START used, one hint is out, one page waits */
	FRESH,		/* ID, START is out, nothing else */
	SHOWN,		/* as ACTIVE; the device is known to show the id */
	ENDED,		/* as ACTIVE, after finish_input */
	DRAINED,	/* as FRESH, after finish_input: STOP is due */
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

static void build(struct built *b, uint32_t mode, int state)
{
	memset(b, 0, sizeof(*b));
	fixture_init(&b->f, mode);
	b->cookie = 0x1234501u;
	if (state == IDLE)
		return;
	round_of_old(b);
	if (state == AFTER)
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
	ADD_ID_0, ADD_OTHER, ADD_EMPTY, ADD_WRAPS, ADD_LONG, FLUSH, END,
	GIVE_UP, SUBMIT, SUBMIT_ROOM_1, SUBMIT_ROOM_0, SUBMIT_NOTHING, COMPLETE,
	COMPLETE_OTHER, CANCEL, CANCEL_OTHER, TAKE_BACK, NCALLS
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
 *     IDLE AFTER WANTED ACTIVE FRESH SHOWN ENDED DRAINED STOPPING STOPPING_NEXT
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
	[FLUSH]	= { ALL(0), SAME },
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
	[TAKE_BACK]	= { ALL(0), SAME }
};

static int add(struct built *b, uint32_t id, uint64_t gpa, uint64_t len)
{
	int ret = fixture_add_range(&b->f, id, gpa, len, 50);

	b->nheld += ret == FPH_OK;
	return ret;
}

static int submit(struct built *b, uint32_t room, uint32_t nsegs)
{
	struct fph_buffer buffer;
	struct fph_seg segs[MAX_SEGS];

	return fixture_submit(&b->f, room, segs, nsegs, &buffer);
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
	case FLUSH:
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
		return fixture_complete(&b->f, b->cookie);
	case COMPLETE_OTHER:
		return fixture_complete(&b->f, b->cookie ^ 0x100000000u);
	case CANCEL:
		return fph_hinter_cancel(h, b->cookie);
	case CANCEL_OTHER:
		return fph_hinter_cancel(h, b->cookie ^ 0x100000000u);
	default:
		return fph_hinter_take_back(h, &out, 1);
	}
}

/* What was held is held still, and after a reset it all comes back. */
static void check_nothing_lost(struct built *b, uint32_t mode)
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
	fixture_read(&b->f, OLD);
	fixture_send(&b->f, START, OLD);
	for (n = 0; n < NSLOTS; n++)
		fixture_add(&b->f, n);
	ck_assert_int_eq(fixture_add_range(&b->f, OLD, 99 * PAGE, PAGE, 0),
			 FPH_EFULL);
}

static void walk(uint32_t mode)
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
	     indirect_fills_the_ring,
	     segments_are_for_all_buffers,
	     the_constant_is_enough,
	     commands_without_an_address,
	     two_command_buffers,
	     reset_forgets_what_was_declined,
	     never_absorbs,
	     no_object,
	     every_state_and_call)
