/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The hinter when buffers cannot be queued and when the device does wrong.
 */
#include "hinter_fixture.h"

/* ----------------------------------------------------------------- cancel -- */

START_TEST(cancel_of_start)
{
	struct fixture f;
	uint64_t start;

	fixture_init(&f, HOLD);
	fixture_read(&f, 2);
	fixture_add(&f, 1);
	start = fixture_send(&f, START, 2);
	fixture_cancel(&f, start);
	ck_assert_int_eq(fph_hinter_cancel(f.h, start), FPH_EINVAL);
	ck_assert_int_eq(fixture_complete(&f, start), FPH_EINVAL);
	fixture_expect_state(&f, FPH_HINTER_WANTED);
	start = fixture_send(&f, START, 2);
	/* The id changed before it was known that START did not go in. */
	fixture_read(&f, 3);
	fixture_expect(&f, 1, false);
	fixture_cancel(&f, start);
	fixture_expect_state(&f, FPH_HINTER_WANTED);
	start = fixture_send(&f, START, 3);
	fixture_read(&f, 1);
	fixture_cancel(&f, start);
	fixture_expect_state(&f, FPH_HINTER_IDLE);
	/* No START of it was seen, so that it can be begun. */
	fixture_read(&f, 3);
	start = fixture_send(&f, START, 3);
	fixture_hint(&f, 4);
	/* Not the latest one: a hint is behind it. */
	ck_assert_int_eq(fph_hinter_cancel(f.h, start), FPH_EINVAL);
	ck_assert_uint_eq(fixture_counters(&f).cancelled, 3);
}
END_TEST

START_TEST(cancel_of_hints)
{
	struct fixture f;
	uint64_t hint;

	fixture_begin(&f, UNTIL_USED, 2);
	fixture_add(&f, 1);
	fixture_add(&f, 3);
	fixture_add(&f, 5);
	hint = fixture_send(&f, HINT, 2);
	fixture_send_none(&f, 8);
	fixture_cancel(&f, hint);
	ck_assert_uint_eq(fixture_amounts(&f).waiting.ranges, 3);
	ck_assert_uint_eq(fixture_amounts(&f).waiting.bytes, 3 * PAGE);
	ck_assert_uint_eq(fixture_amounts(&f).outstanding.ranges, 0);
	/* Due at once, the same again. */
	hint = fixture_send(&f, HINT, 2);
	ck_assert_uint_eq(fixture_amounts(&f).waiting.ranges, 1);
	fixture_read(&f, 3);
	fixture_expect(&f, 5, false);
	fixture_cancel(&f, hint);
	fixture_expect(&f, 1, false);
	fixture_expect(&f, 3, false);
	fixture_expect_none(&f);
	ck_assert_uint_eq(fixture_counters(&f).stale, 3);
	fixture_expect_state(&f, FPH_HINTER_STOPPING);
	/* One that was sent for its urgency is urgent again. */
	fixture_begin(&f, UNTIL_USED, 2);
	fixture_cancel(&f, fixture_hint(&f, 7));
	fixture_send(&f, HINT, 2);
}
END_TEST

START_TEST(cancel_of_stop)
{
	struct fixture f;
	uint64_t stop;

	fixture_begin(&f, HOLD, 2);
	fixture_end(&f);
	stop = fixture_send(&f, STOP, 2);
	fixture_expect_state(&f, FPH_HINTER_IDLE);
	fixture_cancel(&f, stop);
	fixture_expect_state(&f, FPH_HINTER_STOPPING);
	stop = fixture_send(&f, STOP, 2);
	fixture_read(&f, 3);
	fixture_add(&f, 1);
	fixture_cancel(&f, stop);
	fixture_send(&f, STOP, 2);
	fixture_send(&f, START, 3);
	ck_assert_uint_eq(fixture_amounts(&f).waiting.ranges, 1);
	/* Used, and so no more to be cancelled. */
	fixture_end(&f);
	fixture_send(&f, HINT, 3);
	stop = fixture_send(&f, STOP, 3);
	fixture_use(&f, stop);
	ck_assert_int_eq(fph_hinter_cancel(f.h, stop), FPH_EINVAL);
	ck_assert_int_eq(fixture_complete(&f, stop), FPH_EINVAL);
}
END_TEST

/* ---------------------------------------------------------------- faults -- */

START_TEST(a_device_that_uses_nothing)
{
	struct fph_returned out;
	struct fixture f;
	uint32_t i, n = 0;

	fixture_init(&f, UNTIL_USED);
	fixture_read(&f, 2);
	fixture_send(&f, START, 2);
	for (i = 0; i < NBATCHES; i++)
		fixture_hint(&f, 2 * i);
	fixture_add(&f, 20);
	fixture_flush(&f);
	/* It waits, for ever if need be; STOP still goes out. */
	fixture_send_none(&f, 8);
	ck_assert_int_eq(fph_hinter_stop(f.h), FPH_OK);
	fixture_expect(&f, 20, false);
	fixture_send(&f, STOP, 2);
	ck_assert_uint_eq(fixture_amounts(&f).held.ranges, NBATCHES);
	ck_assert_int_eq(fph_hinter_reset(f.h), FPH_OK);
	while (fph_hinter_take_back(f.h, &out, 1) == 1) {
		ck_assert(!out.used);
		n++;
	}
	ck_assert_uint_eq(n, NBATCHES);
}
END_TEST

START_TEST(a_device_that_uses_twice)
{
	struct fixture f;
	uint64_t start, hint, again;

	fixture_init(&f, UNTIL_USED);
	fixture_read(&f, 2);
	start = fixture_send(&f, START, 2);
	hint = fixture_hint(&f, 1);
	fixture_use(&f, hint);
	fixture_use(&f, start);
	fixture_expect(&f, 1, true);
	again = fixture_hint(&f, 2);
	ck_assert_int_eq(fixture_complete(&f, hint), FPH_EINVAL);
	ck_assert_int_eq(fixture_complete(&f, start), FPH_EINVAL);
	ck_assert_int_eq(fixture_complete(&f, 0), FPH_EINVAL);
	ck_assert_int_eq(fixture_complete(&f, ~(uint64_t)0), FPH_EINVAL);
	fixture_expect_none(&f);
	fixture_use(&f, again);
	fixture_expect(&f, 2, true);
}
END_TEST

START_TEST(config_reads_garbage)
{
	static const uint32_t values[] = {
		0xffffffff, 2, 0xffffffff, 0, 0x12345678, 1, 1, 0, 2, 3, 2, 2
	};
	struct fph_buffer buffer;
	struct fph_seg segs[MAX_SEGS];
	struct fixture f;
	uint32_t i, k;
	bool open = false;

	fixture_init(&f, HOLD);
	for (i = 0; i < 1000; i++) {
		fixture_read(&f, values[(i * 7 + i / 12) % 12]);
		if (fph_hinter_get_id(f.h) && i % 3)
			fixture_add_range(&f, fph_hinter_get_id(f.h),
				       (uint64_t)i * PAGE, PAGE, i);
		fixture_flush(&f);
		for (k = 0; k < 2; k++) {
			if (!fixture_submit(&f, 8, segs, MAX_SEGS,
					       &buffer))
				break;
			/* START, hints, STOP, whatever was read. */
			ck_assert_int_eq(buffer.flags == START, !open);
			if (buffer.flags == START)
				open = true;
			else if (buffer.flags == STOP)
				open = false;
			fixture_use(&f, buffer.cookie);
		}
	}
	ck_assert_uint_gt(fixture_counters(&f).rounds, 100);
	ck_assert_uint_eq(fixture_counters(&f).rounds,
			  fixture_counters(&f).stops + open);
}
END_TEST

RUNNER_SUITE("hinter_faults",
	     cancel_of_start,
	     cancel_of_hints,
	     cancel_of_stop,
	     a_device_that_uses_nothing,
	     a_device_that_uses_twice,
	     config_reads_garbage)
