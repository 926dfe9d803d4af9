/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The balloon device frozen in each way, while a discard is late and while a
 * hint round runs: what is taken, what is given out and what comes back.
 */
#include "balloon_fixture.h"
#include "runner.h"

static struct guest g;

static void finish(void)
{
	guest_fini(&g);
}

/* Three reports, of which two were taken and one is being discarded. */
static void begin_reports(struct fph_run *run)
{
	guest_boot_without(&g, GUEST_BIT(PAGE_POISON));
	for (int i = 0; i < 3; i++)
		guest_offer_one(&g, 4, GUEST_PAGES + 0x2000u * (uint32_t)i,
				GUEST_PAGE, RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 4, 2), 2);
	ck_assert_int_eq(fph_balloon_next(g.balloon, run, 1), 1);
}

/* A round with one hint that waits. */
static void begin_round(void)
{
	uint32_t id;

	ck_assert_int_eq(fph_balloon_hint_sync_begin(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_sync_end(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_request(g.balloon, &id), FPH_OK);
	guest_command(&g, 3, id);
	guest_offer_one(&g, 3, GUEST_GOOD, GUEST_PAGE, RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 3, 9), 2);
}

START_TEST(hold_acknowledges_nothing)
{
	struct fph_run run, other;
	uint32_t base;

	begin_reports(&run);
	begin_round();
	ck_assert_int_eq(fph_balloon_freeze_as(g.balloon, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_freeze_as(g.balloon, 4), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_freeze_as(NULL, 1), FPH_EUNINIT);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(fph_balloon_freeze_as(g.balloon,
						       FPH_FREEZE_HOLD),
				 FPH_EINPROGRESS);
	ck_assert_int_eq(complete_run(g.balloon, &run, true), FPH_OK);
	ck_assert_uint_ne(fph_balloon_take_events(g.balloon) &
			  FPH_EVENT_DRAINED, 0);
	ck_assert_int_eq(fph_balloon_freeze_as(g.balloon, FPH_FREEZE_HOLD),
			 FPH_OK);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 4, 9), 0);
	ck_assert_int_eq(fph_balloon_next(g.balloon, &other, 1), 0);
	ck_assert_int_eq(fph_balloon_hint_next(g.balloon, &other, 1), 0);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
	ck_assert_int_eq(fph_balloon_ring_get_base(g.balloon, 4, &base),
			 FPH_EBUSY);
	ck_assert_int_eq(fph_balloon_get_state(g.balloon,
		&(struct fph_balloon_state){
			.size = sizeof(struct fph_balloon_state) }),
			 FPH_EBUSY);
	ck_assert_uint_eq(guest_count_used(&g, 3), 0);
	ck_assert_uint_eq(guest_count_used(&g, 4), 0);
	/* Nothing is lost: the hint counts, and every page is freed. */
	ck_assert_int_eq(fph_balloon_thaw(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_next(g.balloon, &run, 1), 1);
	ck_assert_int_eq(complete_hint(g.balloon, &run, true), FPH_OK);
	guest_settle(&g, 4);
	ck_assert_uint_eq(guest_count_used(&g, 3), 2);
	ck_assert_uint_eq(guest_count_used(&g, 4), 3);
	ck_assert_uint_eq(guest_counters(&g).report.bytes_freed,
			  3 * GUEST_PAGE);
	finish();
}
END_TEST

START_TEST(skip_acknowledges_everything)
{
	struct fph_run run, other;

	begin_reports(&run);
	begin_round();
	ck_assert_int_eq(fph_balloon_freeze_as(g.balloon, FPH_FREEZE_SKIP),
			 FPH_EINPROGRESS);
	ck_assert_uint_eq(guest_count_used(&g, 3), 2);
	ck_assert_uint_eq(guest_count_used(&g, 4), 1);
	/* The driver goes on, and the discard that is late holds nobody. */
	ck_assert_uint_ne(fph_balloon_get_ready(g.balloon) & 0x10, 0);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 4, 9), 1);
	ck_assert_int_eq(fph_balloon_next(g.balloon, &other, 1), 0);
	ck_assert_int_eq(fph_balloon_hint_next(g.balloon, &other, 1), 0);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	ck_assert_uint_eq(guest_count_used(&g, 4), 2);
	ck_assert_int_eq(complete_run(g.balloon, &run, true), FPH_OK);
	ck_assert_int_eq(fph_balloon_freeze_as(g.balloon, FPH_FREEZE_SKIP),
			 FPH_OK);
	ck_assert_uint_eq(guest_count_used(&g, 4), 3);
	ck_assert_uint_eq(guest_counters(&g).report.bytes_freed, GUEST_PAGE);
	ck_assert_uint_eq(guest_counters(&g).report.bytes_skipped,
			  2 * GUEST_PAGE);
	ck_assert_int_eq(fph_balloon_thaw(g.balloon), FPH_OK);
	guest_offer_one(&g, 4, GUEST_GOOD, GUEST_PAGE, RING_WRITE);
	guest_settle(&g, 4);
	ck_assert_uint_eq(guest_counters(&g).report.bytes_freed,
			  2 * GUEST_PAGE);
	finish();
}
END_TEST

/* What is deflated is in use once it is returned, so the VMM hears of it. */
START_TEST(freeze_still_gives_what_was_deflated)
{
	struct fph_balloon_params p = {
		.size = sizeof(p), .features = GUEST_FEATURES,
		.flags = FPH_BALLOON_HOLD_DEFLATE
	};
	struct fph_run run;

	guest_init(&g, 64);
	p.memory = g.memory;
	g.balloon = fph_balloon_new(&p, NULL);
	ck_assert_ptr_nonnull(g.balloon);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, GUEST_FEATURES |
						  GUEST_VERSION_1), FPH_OK);
	guest_start(&g, 1, 0);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		if (i != 1)
			guest_start(&g, i, 0);
	guest_frames(&g, 1, GUEST_BUFFERS, GUEST_GOOD, GUEST_PAGE, 1);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 1, 1), 1);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_EINPROGRESS);
	ck_assert_uint_eq(guest_count_used(&g, 1), 0);
	ck_assert_int_eq(fph_balloon_next(g.balloon, &run, 1), 1);
	ck_assert_uint_eq(run.queue, FPH_QUEUE_DEFLATE);
	run.outcome = FPH_OUTCOME_SKIPPED;
	ck_assert_int_eq(fph_balloon_complete(g.balloon, &run, 1), 1);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_OK);
	ck_assert_uint_eq(guest_count_used(&g, 1), 1);
	finish();
}
END_TEST

RUNNER_SUITE("balloon freeze",
	     hold_acknowledges_nothing,
	     skip_acknowledges_everything,
	     freeze_still_gives_what_was_deflated)
