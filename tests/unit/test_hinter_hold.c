/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The hinter: three ways of holding pages, and what devices show in config
 * space.
 */
#include "hinter_fixture.h"

/* --------------------------------------------------------------- holding -- */

START_TEST(hold_until_done)
{
	struct fixture f;
	struct fph_hinter_amounts a;
	uint64_t first, second, third;

	fixture_begin(&f, HOLD, 2);
	first = fixture_hint(&f, 1);
	second = fixture_hint(&f, 2);
	third = fixture_hint(&f, 3);
	fixture_use(&f, second);
	fixture_use(&f, first);
	fixture_expect_none(&f);
	a = fixture_amounts(&f);
	ck_assert_uint_eq(a.used.ranges, 2);
	ck_assert_uint_eq(a.used.bytes, 2 * PAGE);
	ck_assert_uint_eq(a.outstanding.ranges, 1);
	ck_assert_uint_eq(a.held.ranges, 3);
	ck_assert_uint_eq(a.held.bytes, 3 * PAGE);
	fixture_end(&f);
	fixture_use(&f, fixture_send(&f, STOP, 2));
	fixture_read(&f, 0);
	fixture_expect_none(&f);
	/* DONE frees what was used; the rest follows as it is used. */
	fixture_read(&f, 1);
	fixture_expect(&f, 2, true);
	fixture_expect(&f, 1, true);
	fixture_expect_none(&f);
	ck_assert_uint_eq(fixture_amounts(&f).held.ranges, 1);
	fixture_use(&f, third);
	fixture_expect(&f, 3, true);
	ck_assert_uint_eq(fixture_amounts(&f).held.ranges, 0);
}
END_TEST

START_TEST(done_in_mid_round)
{
	struct fixture f;
	uint64_t hint, later;

	fixture_begin(&f, HOLD, 2);
	hint = fixture_hint(&f, 1);
	fixture_add(&f, 2);
	fixture_read(&f, 1);
	fixture_expect_state(&f, FPH_HINTER_STOPPING);
	fixture_expect(&f, 2, false);
	fixture_send(&f, STOP, 2);
	/* A hint of a later round is kept; that of before DONE is not. */
	fixture_read(&f, 3);
	fixture_send(&f, START, 3);
	later = fixture_hint(&f, 5);
	fixture_use(&f, later);
	fixture_expect_none(&f);
	fixture_use(&f, hint);
	fixture_expect(&f, 1, true);
	fixture_expect_none(&f);
	ck_assert_uint_eq(fixture_amounts(&f).used.ranges, 1);
}
END_TEST

START_TEST(hold_taken_back_on_demand)
{
	struct fph_returned out;
	struct fixture f;
	uint64_t a, b;

	fixture_begin(&f, HOLD, 2);
	fixture_add(&f, 10);
	fixture_add(&f, 12);
	a = fixture_send(&f, HINT, 2);
	b = fixture_hint(&f, 14);
	fixture_use(&f, b);
	fixture_use(&f, fixture_hint(&f, 16));
	fixture_add(&f, 18);
	/* Used, the oldest first; then waiting; then what the device has. */
	fixture_expect_pop(&f, 14, true);
	fixture_expect_pop(&f, 16, true);
	fixture_expect_pop(&f, 18, false);
	b = fixture_hint(&f, 20);
	fixture_expect_pop(&f, 10, false);
	ck_assert_uint_eq(fixture_amounts(&f).outstanding.ranges, 2);
	ck_assert_uint_eq(fixture_amounts(&f).buffers, 2);
	fixture_expect_pop(&f, 12, false);
	fixture_expect_pop(&f, 20, false);
	ck_assert_int_eq(fph_hinter_shrink(f.h, &out, 1), 0);
	/* Their buffers are still out, with nothing in them to come back. */
	ck_assert_uint_eq(fixture_amounts(&f).buffers, 2);
	ck_assert_uint_eq(fixture_amounts(&f).held.ranges, 0);
	fixture_use(&f, a);
	fixture_cancel(&f, b);
	fixture_read(&f, 1);
	fixture_expect_none(&f);
	ck_assert_uint_eq(fixture_counters(&f).returned, 6);
}
END_TEST

START_TEST(until_used)
{
	struct fph_returned out;
	struct fixture f;
	uint64_t a, b;

	fixture_begin(&f, UNTIL_USED, 2);
	ck_assert_int_eq(fph_hinter_shrink(f.h, &out, 1), 0);
	a = fixture_hint(&f, 1);
	b = fixture_hint(&f, 3);
	fixture_add(&f, 5);
	ck_assert_uint_eq(fixture_amounts(&f).held.ranges, 3);
	fixture_expect_pop(&f, 5, false);
	ck_assert_int_eq(fph_hinter_shrink(f.h, &out, 1), FPH_EBUSY);
	/* DONE does not change that: not before its buffer is used. */
	fixture_read(&f, 1);
	fixture_expect_none(&f);
	ck_assert_int_eq(fph_hinter_shrink(f.h, &out, 1), FPH_EBUSY);
	fixture_use(&f, b);
	fixture_expect_pop(&f, 3, true);
	fixture_use(&f, a);
	fixture_expect(&f, 1, true);
	fixture_expect_none(&f);
	ck_assert_int_eq(fph_hinter_shrink(f.h, &out, 1), 0);
}
END_TEST

START_TEST(never)
{
	struct fph_returned out;
	struct fixture f;
	uint64_t a;

	fixture_begin(&f, NEVER, 2);
	a = fixture_hint(&f, 1);
	fixture_add(&f, 3);
	ck_assert_uint_eq(fixture_amounts(&f).outstanding.ranges, 1);
	ck_assert_uint_eq(fixture_amounts(&f).waiting.ranges, 1);
	ck_assert_uint_eq(fixture_amounts(&f).held.ranges, 0);
	ck_assert_int_eq(fph_hinter_shrink(f.h, &out, 1), 0);
	fixture_use(&f, a);
	fixture_expect_none(&f);
	fixture_read(&f, 3);
	fixture_expect_none(&f);
	ck_assert_uint_eq(fixture_counters(&f).stale, 1);
	ck_assert_uint_eq(fixture_counters(&f).stale_bytes, PAGE);
	ck_assert_uint_eq(fixture_counters(&f).returned, 0);
	/* Nobody holds them, and so there is room for as many again. */
	for (uint32_t i = 0; i < NSLOTS; i++)
		fixture_add(&f, 2 * i);
}
END_TEST

/* ---------------------------------------------------------------- config -- */

/* QEMU: 0 from START on, the next id after it, 1 in the end. */
START_TEST(a_device_that_shows_0)
{
	struct fixture f;
	uint64_t a;

	fixture_begin(&f, HOLD, 0x80000001);
	fixture_read(&f, 0);
	a = fixture_hint(&f, 1);
	fixture_read(&f, 0);
	fixture_add(&f, 2);
	fixture_expect_state(&f, FPH_HINTER_ACTIVE);
	ck_assert_uint_eq(fixture_counters(&f).zeros, 2);
	fixture_use(&f, a);
	fixture_read(&f, 0x80000002);
	/* V1: page 2 was seen under the old id. */
	fixture_expect(&f, 2, false);
	fixture_expect_none(&f);
	ck_assert_uint_eq(fph_hinter_get_id(f.h), 0x80000002);
	ck_assert_int_eq(fixture_add_range(&f, 0x80000001, 0, PAGE, 2),
			 FPH_ESTATE);
	fixture_add(&f, 4);
	fixture_use(&f, fixture_send(&f, STOP, 0x80000001));
	a = fixture_send(&f, START, 0x80000002);
	/* Any device shows it before START is used: that says nothing. */
	fixture_read(&f, 0x80000002);
	fixture_read(&f, 0);
	fixture_use(&f, a);
	fixture_read(&f, 0);
	fixture_end(&f);
	fixture_use(&f, fixture_send(&f, HINT, 0x80000002));
	fixture_use(&f, fixture_send(&f, STOP, 0x80000002));
	fixture_read(&f, 0);
	fixture_expect_none(&f);
	fixture_read(&f, 1);
	fixture_expect(&f, 1, true);
	fixture_expect(&f, 4, true);
	fixture_expect_none(&f);
}
END_TEST

START_TEST(a_device_that_shows_the_id)
{
	struct fixture f;
	uint64_t start;

	fixture_init(&f, HOLD);
	fixture_read(&f, 2);
	start = fixture_send(&f, START, 2);
	/* Not used yet: any device shows it now. */
	fixture_read(&f, 2);
	fixture_read(&f, 0);
	fixture_expect_state(&f, FPH_HINTER_ACTIVE);
	fixture_use(&f, start);
	fixture_read(&f, 2);
	fixture_add(&f, 1);
	fixture_read(&f, 0);
	fixture_expect_state(&f, FPH_HINTER_STOPPING);
	fixture_expect(&f, 1, false);
	fixture_send(&f, STOP, 2);
	fixture_expect_state(&f, FPH_HINTER_IDLE);
	/* Known from here on, so it ends a round before START is used too. */
	fixture_read(&f, 3);
	fixture_send(&f, START, 3);
	fixture_read(&f, 0);
	fixture_expect_state(&f, FPH_HINTER_STOPPING);
	ck_assert_uint_eq(fixture_counters(&f).zeros, 1);
}
END_TEST

START_TEST(an_id_that_is_taken_away)
{
	struct fixture f;

	fixture_init(&f, UNTIL_USED);
	fixture_read(&f, 2);
	fixture_add(&f, 1);
	fixture_read(&f, 0);
	fixture_expect(&f, 1, false);
	fixture_send_none(&f, 8);
	/* It was not begun, and so it may be still. */
	fixture_read(&f, 2);
	fixture_add(&f, 2);
	fixture_read(&f, 3);
	fixture_expect(&f, 2, false);
	fixture_send(&f, START, 3);
	/* Only the last of several is begun. */
	fixture_read(&f, 4);
	fixture_read(&f, 5);
	fixture_add(&f, 3);
	fixture_read(&f, 6);
	fixture_expect(&f, 3, false);
	fixture_send(&f, STOP, 3);
	fixture_send(&f, START, 6);
	ck_assert_uint_eq(fixture_counters(&f).rounds, 2);
	ck_assert_uint_eq(fixture_counters(&f).stops, 1);
}
END_TEST

START_TEST(end_is_of_one_id)
{
	struct fixture f;

	fixture_begin(&f, HOLD, 2);
	fixture_end(&f);
	fixture_read(&f, 3);
	ck_assert_uint_eq(fph_hinter_get_id(f.h), 3);
	fixture_add(&f, 1);
	fixture_end(&f);
	fixture_send(&f, STOP, 2);
	fixture_send(&f, START, 3);
	fixture_send(&f, HINT, 3);
	fixture_send(&f, STOP, 3);
	/* Nothing at all is free: START and STOP all the same. */
	fixture_read(&f, 4);
	fixture_end(&f);
	fixture_send_none(&f, 8);	/* four commands are out */
	ck_assert_int_eq(fph_hinter_finish_input(f.h), FPH_OK);
	ck_assert_int_eq(fph_hinter_reset(f.h), FPH_OK);
	fixture_read(&f, 4);
	ck_assert_uint_eq(fph_hinter_get_id(f.h), 4);
	fixture_end(&f);
	fixture_send(&f, START, 4);
	fixture_send(&f, STOP, 4);
	fixture_expect_state(&f, FPH_HINTER_IDLE);
}
END_TEST

RUNNER_SUITE("hinter_hold",
	     hold_until_done,
	     done_in_mid_round,
	     hold_taken_back_on_demand,
	     until_used,
	     never,
	     a_device_that_shows_0,
	     a_device_that_shows_the_id,
	     an_id_that_is_taken_away,
	     end_is_of_one_id)
