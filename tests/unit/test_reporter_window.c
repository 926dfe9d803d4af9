/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The reporter over time: the window and its low-water mark, deadlines,
 * delays after failures, and what pipelining is for.
 */
#include "reporter_fixture.h"

#define NEVER	FPH_FOREVER

static void expect_deadline(const struct fixture *f, uint64_t want)
{
	uint64_t when = 12345;
	int ret = fph_reporter_get_deadline(f->r, &when);

	if (want == NEVER) {
		ck_assert_int_eq(ret, 0);
		ck_assert_uint_eq(when, 12345);
	} else {
		ck_assert_int_eq(ret, 1);
		ck_assert_uint_eq(when, want);
	}
}

static int submit(struct fixture *f, uint64_t now, uint64_t *cookie)
{
	struct fph_seg segs[4];

	return fixture_submit(f, now, segs, 4, cookie);
}

static void complete(struct fixture *f, uint64_t now, uint64_t cookie, bool ok)
{
	ck_assert_int_eq(fixture_complete(f, now, cookie, ok),
			 FPH_OK);
}

/* ---------------------------------------------------------------- window -- */

START_TEST(send_32_then_16_and_16)
{
	static uint64_t mem[FPH_REPORTER_SIZE(200, 32) / 8];
	struct fixture f;
	struct fph_reporter_params p;
	struct fph_returned out;
	uint64_t cookies[32], more;
	uint32_t i, round;

	p = fixture_params();
	p.max_ranges = 200;
	p.window = 32;
	p.low_water = 16;
	p.max_segs = 1;
	ck_assert_int_eq(fph_reporter_init(&f.r, mem, sizeof(mem), &p), FPH_OK);
	for (i = 0; i < 200; i++)
		fixture_add(&f, 0, 2 * i);
	for (i = 0; i < 32; i++)
		ck_assert_int_eq(submit(&f, 0, &cookies[i]), 1);
	for (round = 0; round < 10; round++) {
		ck_assert_int_eq(submit(&f, 0, &more), 0);
		fixture_expect_state(&f, FPH_REPORTER_FULL);
		/* 15 are back: not yet.  Any 16 of them will do. */
		for (i = 0; i < 15; i++) {
			complete(&f, 0, cookies[2 * i + round % 2], true);
			ck_assert_int_eq(submit(&f, 0, &more), 0);
		}
		complete(&f, 0, cookies[30 + round % 2], true);
		fixture_expect_state(&f, FPH_REPORTER_FILLING);
		for (i = 0; i < 16; i++)
			ck_assert_int_eq(submit(&f, 0, &cookies[2 * i +
							round % 2]), 1);
		for (i = 0; i < 16; i++)
			ck_assert_int_eq(fph_reporter_take_back(f.r, &out, 1), 1);
		fixture_expect_none(&f);
	}
	ck_assert_uint_eq(fixture_amounts(&f).waiting.ranges, 200 - 32 - 160);
	ck_assert_uint_eq(fixture_amounts(&f).outstanding.ranges, 32);
}
END_TEST

START_TEST(one_at_a_time)
{
	struct fixture f;
	struct fph_reporter_params p;
	uint64_t cookie, other;
	uint32_t i;

	p = fixture_params();
	p.window = 1;
	p.low_water = 0;
	p.flush_delay = 1;
	fixture_init_with(&f, &p);
	for (i = 0; i < 6; i++)
		fixture_add(&f, i, 2 * i);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(submit(&f, 6, &cookie), 2);
		ck_assert_int_eq(submit(&f, 6, &other), 0);
		complete(&f, 6, cookie, true);
	}
	ck_assert_int_eq(submit(&f, 6, &cookie), 0);
}
END_TEST

START_TEST(pressure_uses_the_free_window)
{
	struct fixture f;
	uint64_t cookies[WINDOW], cookie;
	uint32_t i;

	fixture_init(&f);
	for (i = 0; i < WINDOW; i++) {
		fixture_add(&f, 0, i);
		cookies[i] = fixture_send(&f, 0);
	}
	fixture_add(&f, 0, 10);
	complete(&f, 0, cookies[0], true);
	/* Two are out: above low water, and what waits is not full. */
	ck_assert_int_eq(submit(&f, 100, &cookie), 0);
	expect_deadline(&f, NEVER);
	ck_assert_int_eq(fph_reporter_flush(f.r), FPH_OK);
	expect_deadline(&f, 0);
	ck_assert_int_eq(submit(&f, 0, &cookies[0]), 1);
	ck_assert_int_eq(submit(&f, 0, &cookie), 0);
	expect_deadline(&f, NEVER);
	/* What came after the call is not urgent. */
	complete(&f, 0, cookies[0], true);
	fixture_add(&f, 0, 12);
	fixture_add(&f, 0, 14);
	fixture_add(&f, 0, 16);
	ck_assert_int_eq(fph_reporter_flush(f.r), FPH_OK);
	fixture_add(&f, 0, 18);
	ck_assert_int_eq(submit(&f, 0, &cookies[0]), 2);
	expect_deadline(&f, NEVER);
	/* The window is full, and that holds for what is urgent too. */
	ck_assert_int_eq(submit(&f, 0, &cookie), 0);
	expect_deadline(&f, NEVER);
	complete(&f, 0, cookies[1], true);
	ck_assert_int_eq(submit(&f, 0, &cookies[1]), 2);
}
END_TEST

/* -------------------------------------------------------------- deadline -- */

START_TEST(deadline_of_the_oldest)
{
	struct fph_returned out;
	struct fixture f;
	uint64_t cookie;

	fixture_init(&f);
	expect_deadline(&f, NEVER);
	fixture_add(&f, 1000, 1);
	fixture_add(&f, 1009, 2);
	expect_deadline(&f, 1010);
	ck_assert_int_eq(submit(&f, 1009, &cookie), 0);
	ck_assert_int_eq(submit(&f, 1010, &cookie), 1);
	expect_deadline(&f, NEVER);
	fixture_add(&f, 2000, 3);
	expect_deadline(&f, 2010);
	ck_assert_int_eq(fph_reporter_shrink(f.r, &out, 1), 1);
	ck_assert_uint_eq(out.owner, 3);
	expect_deadline(&f, NEVER);
	fixture_add(&f, 2005, 4);
	expect_deadline(&f, 2015);
	/* Time may stand anywhere. */
	ck_assert_int_eq(fph_reporter_reset(f.r), FPH_OK);
	expect_deadline(&f, NEVER);
	fixture_add(&f, NEVER - 5, 5);
	expect_deadline(&f, NEVER);
	ck_assert_int_eq(submit(&f, NEVER - 1, &cookie), 0);
}
END_TEST

START_TEST(no_deadline)
{
	struct fixture f;
	struct fph_reporter_params p;
	uint64_t cookie;

	p = fixture_params();
	p.flush_delay = FPH_FOREVER;
	fixture_init_with(&f, &p);
	fixture_add(&f, 1000, 1);
	expect_deadline(&f, NEVER);
	ck_assert_int_eq(submit(&f, 1ull << 62, &cookie), 0);
	fixture_add(&f, 1000, 3);
	ck_assert_int_eq(submit(&f, 1000, &cookie), 2);
}
END_TEST

/* -------------------------------------------------------------- failures -- */

START_TEST(delays_double_and_then_it_is_off)
{
	struct fixture f;
	struct fph_reporter_params p;
	uint64_t now = 1000, delay = 100, cookie;
	uint32_t i;

	p = fixture_params();
	p.max_failures = 6;
	fixture_init_with(&f, &p);
	for (i = 0; i < 6; i++) {
		fixture_add(&f, now, 2);
		fixture_add(&f, now, 4);
		ck_assert_int_eq(fph_reporter_flush(f.r), FPH_OK);
		if (i) {
			/* Full and urgent, and yet it waits. */
			expect_deadline(&f, now + delay);
			ck_assert_int_eq(submit(&f, now + delay - 1, &cookie),
					 0);
			now += delay;
			delay *= 2;
		}
		ck_assert_int_eq(submit(&f, now, &cookie), 2);
		if (i == 5)
			fixture_add(&f, now, 6);
		complete(&f, now, cookie, false);
		fixture_expect(&f, 2, false);
		fixture_expect(&f, 4, false);
	}
	fixture_expect_state(&f, FPH_REPORTER_OFF);
	ck_assert_uint_eq(fixture_counters(&f).disabled, 1);
	ck_assert_uint_eq(fixture_counters(&f).failed, 6);
	fixture_expect(&f, 6, false);
	/* From here on ranges come straight back. */
	fixture_add(&f, now, 3);
	fixture_expect(&f, 3, false);
	expect_deadline(&f, NEVER);
	ck_assert_int_eq(fph_reporter_reset(f.r), FPH_OK);
	fixture_expect_state(&f, FPH_REPORTER_FILLING);
	fixture_add(&f, now, 3);
	fixture_expect_none(&f);
	cookie = fixture_send(&f, now);
	complete(&f, now, cookie, true);
	fixture_expect(&f, 3, true);
}
END_TEST

START_TEST(a_success_ends_the_delay)
{
	struct fixture f;
	uint64_t a, b, cookie;
	uint32_t i;

	fixture_init(&f);
	/* Ten failures, but never three in a row. */
	for (i = 0; i < 5; i++) {
		fixture_add(&f, 0, 1);
		a = fixture_send(&f, 0);
		fixture_add(&f, 0, 2);
		b = fixture_send(&f, 0);
		complete(&f, 0, a, false);
		
		fixture_add(&f, 0, 3);
		ck_assert_int_eq(fph_reporter_flush(f.r), FPH_OK);
		ck_assert_int_eq(submit(&f, 99, &cookie), 0);
		ck_assert_int_eq(fph_reporter_cancel(f.r, 0, b), FPH_OK);
		
		expect_deadline(&f, 200);
		/* 2 waits again, with 3: one segment, due at once. */
		ck_assert_int_eq(submit(&f, 200, &cookie), 1);
		complete(&f, 200, cookie, true);
		fixture_expect(&f, 2, true);
		fixture_expect(&f, 3, true);
		fixture_expect(&f, 1, false);
		fixture_add(&f, 0, 5);
		cookie = fixture_send(&f, 0);
		complete(&f, 0, cookie, true);
		fixture_expect(&f, 5, true);
	}
	ck_assert_uint_eq(fixture_counters(&f).failed, 5);
	ck_assert_uint_eq(fixture_counters(&f).cancelled, 5);
	ck_assert_uint_eq(fixture_counters(&f).disabled, 0);
}
END_TEST

START_TEST(late_success_after_a_failure)
{
	struct fixture f;
	uint64_t a, b, cookie;

	fixture_init(&f);
	fixture_add(&f, 0, 1);
	a = fixture_send(&f, 0);
	fixture_add(&f, 0, 2);
	b = fixture_send(&f, 0);
	complete(&f, 0, a, false);
	fixture_add(&f, 0, 3);
	expect_deadline(&f, 100);
	complete(&f, 0, b, true);
	expect_deadline(&f, 10);
	ck_assert_int_eq(submit(&f, 10, &cookie), 1);
}
END_TEST

START_TEST(after_the_delay)
{
	struct fixture f;
	struct fph_reporter_params p;
	uint64_t cookie;

	p = fixture_params();
	p.flush_delay = 1000;
	fixture_init_with(&f, &p);
	fixture_add(&f, 0, 1);
	complete(&f, 0, fixture_send(&f, 0), false);
	/* A range of its own time: nothing is due when the delay is over. */
	fixture_add(&f, 0, 2);
	expect_deadline(&f, 100);
	ck_assert_int_eq(submit(&f, 100, &cookie), 0);
	expect_deadline(&f, 1000);
	/* What was sent and cancelled is due as soon as the delay is over. */
	ck_assert_int_eq(fph_reporter_cancel(f.r, 200, fixture_send(&f, 200)),
			 FPH_OK);
	expect_deadline(&f, 400);
	ck_assert_int_eq(submit(&f, 399, &cookie), 0);
	ck_assert_int_eq(submit(&f, 400, &cookie), 1);
}
END_TEST

START_TEST(retry_for_ever_saturates)
{
	struct fixture f;
	struct fph_reporter_params p;
	uint64_t cookie;
	uint32_t i;

	p = fixture_params();
	p.max_failures = 0xffffffffu;
	fixture_init_with(&f, &p);
	fixture_add(&f, 0, 1);
	for (i = 0; i < 80; i++) {
		ck_assert_int_eq(fph_reporter_flush(f.r), FPH_OK);
		ck_assert_int_eq(submit(&f, FPH_FOREVER, &cookie), 1);
		ck_assert_int_eq(fph_reporter_cancel(f.r, 0, cookie), FPH_OK);
	}
	expect_deadline(&f, NEVER);
	fixture_expect_none(&f);
	ck_assert_uint_eq(fixture_amounts(&f).waiting.ranges, 1);
}
END_TEST

START_TEST(cancelled_for_ever_is_off_in_the_end)
{
	struct fixture f;
	uint64_t out, cookie, now = 0;
	uint32_t i;

	fixture_init(&f);
	fixture_add(&f, now, 8);
	out = fixture_send(&f, now);
	fixture_add(&f, now, 1);
	fixture_add(&f, now, 3);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(submit(&f, now, &cookie), 2);
		ck_assert_int_eq(fph_reporter_cancel(f.r, now, cookie),
				 FPH_OK);
		ck_assert_int_eq(fph_reporter_cancel(f.r, now, cookie),
				 FPH_EINVAL);
		now += 1000;
	}
	fixture_expect_state(&f, FPH_REPORTER_OFF);
	fixture_expect(&f, 1, false);
	fixture_expect(&f, 3, false);
	fixture_expect_none(&f);
	/* What the device has stays there until it is used. */
	ck_assert_uint_eq(fixture_amounts(&f).outstanding.ranges, 1);
	complete(&f, now, out, true);
	fixture_expect(&f, 8, true);
	fixture_expect_state(&f, FPH_REPORTER_OFF);
}
END_TEST

/* ------------------------------------------------------------ pipelining -- */

/*
 * A device that takes SERVICE for each chain, one after the other, and a
 * guest that takes TURN for each used chain until it has refilled the window.
 */
#define SERVICE		1000u
#define TURN		500u
#define NCHAINS		1000u
#define CHAIN		16u
#define MAX_WINDOW	4u

struct fifo {
	uint64_t cookies[MAX_WINDOW];
	uint32_t n;
	uint64_t ends;			/* when the first one is done */
};

struct line {
	struct fph_reporter *r;
	uint64_t mem[FPH_REPORTER_SIZE(8 * CHAIN, MAX_WINDOW) / 8];
	struct fifo device;		/* chains that it has */
	struct fifo guest;		/* used ones that it has not seen */
	uint64_t gpa;
};

/* It takes time from here on, unless there is something before it. */
static void push(struct fifo *fifo, uint64_t cookie, uint64_t ends)
{
	ck_assert_uint_lt(fifo->n, MAX_WINDOW);
	if (!fifo->n)
		fifo->ends = ends;
	fifo->cookies[fifo->n++] = cookie;
}

static uint64_t pop(struct fifo *fifo, uint64_t takes)
{
	uint64_t cookie = fifo->cookies[0];

	fifo->n--;
	fifo->ends += takes;
	memmove(fifo->cookies, fifo->cookies + 1,
		fifo->n * sizeof(fifo->cookies[0]));
	return cookie;
}

/* The guest gives back what is back, frees it again and fills the window. */
static void refill(struct line *line, uint64_t now)
{
	struct fph_returned out;
	struct fph_owned_range range = { line->gpa, PAGE, 0 };
	struct fph_seg segs[CHAIN];
	struct fph_buffer buffer;

	while (fph_reporter_take_back(line->r, &out, 1) == 1)
		ck_assert(out.used);
	while (fph_reporter_add(line->r, now, &range, 1) == 1)
		range.gpa += 2 * PAGE;
	line->gpa = range.gpa;
	while (fph_reporter_submit(line->r, now, &buffer, 1, segs, CHAIN) > 0)
		push(&line->device, buffer.cookie, now + SERVICE);
}

static void line_init(struct line *line, uint32_t window, uint32_t low_water)
{
	struct fph_reporter_params p;

	memset(line, 0, sizeof(*line));
	memset(&p, 0, sizeof(p));
	p.size = sizeof(p);
	p.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	p.content = FPH_CONTENT_FREE;
	p.max_ranges = 8 * CHAIN;
	p.window = window;
	p.low_water = low_water;
	p.max_segs = CHAIN;
	p.flush_delay = FPH_FOREVER;
	p.max_failures = 1;
	ck_assert_int_eq(fph_reporter_init(&line->r, line->mem,
					   sizeof(line->mem), &p), FPH_OK);
}

/* The share of time, in percent, in which the device has a chain. */
static uint64_t get_busy(uint32_t window, uint32_t low_water)
{
	struct line line;
	struct fifo *device = &line.device, *guest = &line.guest;
	struct fph_used used = { 0 };
	uint64_t now = 0, done = 0;

	line_init(&line, window, low_water);
	refill(&line, 0);
	ck_assert_uint_eq(device->n, window);
	while (done < NCHAINS) {
		ck_assert(device->n || guest->n);
		if (device->n && (!guest->n || device->ends <= guest->ends)) {
			now = device->ends;
			push(guest, pop(device, SERVICE), now + TURN);
			done++;
		} else {
			now = guest->ends;
			used.cookie = pop(guest, TURN);
			ck_assert_int_eq(fph_reporter_complete(line.r, now,
				&used, 1, true), 1);
			refill(&line, now);
		}
	}
	return NCHAINS * SERVICE * 100 / now;
}

START_TEST(a_window_keeps_the_device_busy)
{
	/* One at a time waits for the guest after each chain: 2 of 3. */
	ck_assert_uint_eq(get_busy(1, 0), 66);
	/* Two of 16: "send 32, and when 16 are back send 16 more". */
	ck_assert_uint_ge(get_busy(2, 1), 95);
	ck_assert_uint_ge(get_busy(4, 2), 95);
	ck_assert_uint_ge(get_busy(2, 0), 95);
}
END_TEST

RUNNER_SUITE("reporter_window",
	     send_32_then_16_and_16,
	     one_at_a_time,
	     pressure_uses_the_free_window,
	     deadline_of_the_oldest,
	     no_deadline,
	     delays_double_and_then_it_is_off,
	     a_success_ends_the_delay,
	     late_success_after_a_failure,
	     after_the_delay,
	     retry_for_ever_saturates,
	     cancelled_for_ever_is_off_in_the_end,
	     a_window_keeps_the_device_busy)
