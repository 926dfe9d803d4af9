/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The balloon device and hints: rounds, barriers, buffers of any shape. */
#include <stdlib.h>
#include <string.h>

#include "balloon_fixture.h"
#include "runner.h"

static struct guest g;

static void finish(void)
{
	guest_fini(&g);
}

static void boot(void)
{
	guest_boot_without(&g, GUEST_BIT(PAGE_POISON));
}

static void process(int want)
{
	ck_assert_int_eq(fph_balloon_process(g.balloon, 3, 1000), want);
}

static void expect(int state, uint32_t config, uint32_t events)
{
	uint8_t b[4];

	ck_assert_int_eq(fph_balloon_hint_get_state(g.balloon), state);
	ck_assert_uint_eq(fph_balloon_hint_get_config(g.balloon), config);
	fph_balloon_get_config(g.balloon, FPH_CONFIG_CMD_ID, b, 4);
	ck_assert_uint_eq(ring_get(b, 4, false), config);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon), events);
}

static uint32_t request(void)
{
	uint32_t id = 0;

	ck_assert_int_eq(fph_balloon_hint_sync_begin(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_sync_end(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_request(g.balloon, &id), FPH_OK);
	expect(FPH_HINT_REQUESTED, id, FPH_EVENT_HINT | FPH_EVENT_CONFIG);
	return id;
}

static uint32_t start(void)
{
	uint32_t id = request();

	guest_command(&g, 3, id);
	process(1);
	expect(FPH_HINT_ACTIVE, id, FPH_EVENT_HINT);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	g.used[3]++;
	return id;
}

static struct fph_run next(void)
{
	struct fph_run run;

	ck_assert_int_eq(fph_balloon_hint_next(g.balloon, &run, 1), 1);
	return run;
}

static void no_next(void)
{
	struct fph_run d;
	struct fph_run run;

	ck_assert_int_eq(fph_balloon_hint_next(g.balloon, &run, 1), 0);
	/* A hint never becomes a discard. */
	ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 0);
}

static void complete(const struct fph_run *run)
{
	ck_assert_int_eq(complete_hint(g.balloon, run, true),
			 FPH_OK);
}

START_TEST(request_needs_feature_and_harvest)
{
	uint32_t id = 77;

	guest_boot_without(&g, GUEST_BIT(FREE_PAGE_HINT));
	ck_assert_int_eq(fph_balloon_hint_sync_begin(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_sync_end(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_request(g.balloon, &id), FPH_ESTATE);
	finish();

	boot();
	ck_assert_int_eq(fph_balloon_hint_sync_end(g.balloon), FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_hint_request(g.balloon, &id), FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_hint_sync_begin(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_request(g.balloon, &id), FPH_ESTATE);
	ck_assert_uint_eq(id, 77);
	ck_assert_int_eq(fph_balloon_hint_sync_end(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_request(g.balloon, &id), FPH_OK);
	ck_assert_uint_eq(id, VIRTIO_BALLOON_CMD_ID_MIN);
	expect(FPH_HINT_REQUESTED, id, FPH_EVENT_HINT | FPH_EVENT_CONFIG);
	finish();
}
END_TEST

START_TEST(a_whole_round)
{
	struct fph_run run;
	uint16_t head;

	boot();
	start();
	for (uint32_t i = 0; i < 100; i++)
		guest_offer_one(&g, 3, GUEST_PAGES + i * 0x10000, 0x10000,
				RING_WRITE);
	guest_command(&g, 3, VIRTIO_BALLOON_CMD_ID_STOP);
	process(101);
	/* The driver ended its stream, and must be told that nothing is on. */
	expect(FPH_HINT_STOPPED, 0, FPH_EVENT_HINT | FPH_EVENT_CONFIG);
	run = next();
	ck_assert_uint_eq(run.gpa, GUEST_PAGES);
	ck_assert_uint_eq(run.len, 100 * 0x10000);
	no_next();
	ck_assert_uint_eq(fph_balloon_get_outstanding(g.balloon), 1);
	/* Its hints are not over, but nothing holds the STOP back. */
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	complete(&run);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 100);
	for (int i = 0; i < 101; i++)
		ck_assert(guest_take_used(&g, 3, &head));
	ck_assert_int_eq(fph_balloon_hint_done(g.balloon), FPH_OK);
	expect(FPH_HINT_DONE, VIRTIO_BALLOON_CMD_ID_DONE,
	       FPH_EVENT_HINT | FPH_EVENT_CONFIG);
	ck_assert_int_eq(fph_balloon_hint_done(g.balloon), FPH_OK);
	expect(FPH_HINT_DONE, VIRTIO_BALLOON_CMD_ID_DONE, 0);
	ck_assert_uint_eq(guest_counters(&g).hint.bytes_cleared, 100 * 0x10000);
	finish();
}
END_TEST

START_TEST(barriers_wait_for_skips)
{
	struct fph_run run;
	uint32_t id;

	boot();
	id = start();
	guest_offer_one(&g, 3, GUEST_PAGES, 0x10000, RING_WRITE);
	guest_offer_one(&g, 3, GUEST_PAGES + 0x20000, 0x10000, RING_WRITE);
	process(2);
	run = next();
	ck_assert_int_eq(fph_balloon_hint_sync_begin(g.balloon), FPH_EINPROGRESS);
	expect(FPH_HINT_STOPPING, 0, FPH_EVENT_HINT | FPH_EVENT_CONFIG);
	no_next();
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_EINPROGRESS);
	complete(&run);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	expect(FPH_HINT_IDLE, 0, FPH_EVENT_HINT | FPH_EVENT_DRAINED);

	/* After the reset an id is still never the same again. */
	ck_assert_int_eq(fph_balloon_set_features(
		g.balloon, GUEST_FEATURES | GUEST_VERSION_1), FPH_OK);
	ck_assert_uint_eq(request(), id + 1);
	ck_assert_int_eq(fph_balloon_hint_stop(g.balloon), FPH_OK);
	expect(FPH_HINT_IDLE, 0, FPH_EVENT_HINT | FPH_EVENT_CONFIG);
	finish();
}
END_TEST

/* A stop that had to wait is told when there is nothing more to wait for. */
START_TEST(a_stop_is_told_when_it_is_due)
{
	struct fph_run run, second;

	boot();
	start();
	guest_offer_one(&g, 3, GUEST_PAGES, 0x10000, RING_WRITE);
	guest_offer_one(&g, 3, GUEST_PAGES + 0x20000, 0x10000, RING_WRITE);
	process(2);
	run = next();
	second = next();
	ck_assert_int_eq(fph_balloon_hint_stop(g.balloon), FPH_EINPROGRESS);
	expect(FPH_HINT_STOPPING, 0, FPH_EVENT_HINT | FPH_EVENT_CONFIG);
	complete(&run);
	expect(FPH_HINT_STOPPING, 0, 0);
	complete(&second);
	expect(FPH_HINT_STOPPING, 0, FPH_EVENT_DRAINED);
	ck_assert_int_eq(fph_balloon_hint_stop(g.balloon), FPH_OK);
	expect(FPH_HINT_IDLE, 0, FPH_EVENT_HINT);
	finish();
}
END_TEST

/* FPH-Q-8A: whoever breaks a ring ends the round, and that is told. */
START_TEST(a_broken_ring_ends_the_round)
{
	boot();
	start();
	g.ring[3].avail_idx = (uint16_t)(g.ring[3].avail_idx + 1000);
	ring_put(g.ring[3].avail + 2, 2, g.ring[3].avail_idx, false);
	fph_balloon_kick(g.balloon, 3);
	process(FPH_PEER_AVAIL_INDEX);
	expect(FPH_HINT_IDLE, 0, FPH_EVENT_HINT | FPH_EVENT_CONFIG |
				 FPH_EVENT_BROKEN);
	finish();
}
END_TEST

/* Each barrier: what to complete, and who tells when to repeat it. */
START_TEST(barriers_are_told_when_to_repeat)
{
	static int (*const barriers[])(struct fph_balloon *) = {
		fph_balloon_hint_stop, fph_balloon_hint_done,
		fph_balloon_hint_sync_begin
	};
	int (*barrier)(struct fph_balloon *) = barriers[_i];
	struct fph_run run;

	boot();
	start();
	guest_offer_one(&g, 3, GUEST_PAGES, 0x10000, RING_WRITE);
	guest_offer_one(&g, 3, GUEST_PAGES + 0x20000, 0x10000, RING_WRITE);
	process(2);
	run = next();
	ck_assert_int_eq(barrier(g.balloon), FPH_EINPROGRESS);
	ck_assert_int_eq(barrier(g.balloon), FPH_EINPROGRESS);
	expect(FPH_HINT_STOPPING, 0, FPH_EVENT_HINT | FPH_EVENT_CONFIG);
	/* What was not given out is over. */
	no_next();
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	complete(&run);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon),
			  FPH_EVENT_DRAINED);
	ck_assert_int_eq(barrier(g.balloon), FPH_OK);
	finish();
}
END_TEST

/* Hints do not show in get_ready, and pump returns them but takes no runs. */
START_TEST(pump_leaves_hints_to_the_vmm)
{
	struct fph_reclaim_params p = { .size = sizeof(p) };
	struct fph_reclaim *rc;
	struct fph_run run;

	boot();
	p.memory = g.memory;
	rc = fph_reclaim_new(&p, NULL);
	ck_assert_ptr_nonnull(rc);
	start();
	guest_offer_one(&g, 3, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	ck_assert_int_eq(fph_balloon_kick(g.balloon, 3), FPH_OK);
	ck_assert_int_eq(fph_balloon_pump(g.balloon, rc, NULL), 0);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 0);
	ck_assert_uint_eq(guest_count_used(&g, 3), 0);
	/* A page of 4096 bytes: that is the granule by default. */
	run = next();
	ck_assert_uint_eq(run.len, GUEST_PAGE);
	ck_assert_int_eq(fph_balloon_pump(g.balloon, rc, NULL), 0);
	ck_assert_uint_eq(guest_count_used(&g, 3), 0);
	complete(&run);
	ck_assert_uint_eq(guest_count_used(&g, 3), 0);
	ck_assert_int_eq(fph_balloon_pump(g.balloon, rc, NULL), 0);
	ck_assert_uint_eq(guest_count_used(&g, 3), 1);
	fph_reclaim_free(rc);
	finish();
}
END_TEST

START_TEST(ring_stop_waits_for_skips)
{
	struct fph_run run;
	uint32_t base;

	boot();
	start();
	guest_offer_one(&g, 3, GUEST_PAGES, 0x10000, RING_WRITE);
	process(1);
	run = next();
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 3, &base),
			 FPH_EINPROGRESS);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_EINPROGRESS);
	complete(&run);
	/* Somebody waits for the ring, so it is returned at once. */
	ck_assert_uint_eq(guest_count_used(&g, 3), 1);
	ck_assert_int_eq(fph_balloon_thaw(g.balloon), FPH_OK);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 3, &base), FPH_OK);
	ck_assert_uint_eq(base, 2);
	finish();
}
END_TEST

START_TEST(new_features_end_a_round_they_do_not_fit)
{
	uint64_t all = GUEST_FEATURES | GUEST_VERSION_1;
	uint32_t base;
	uint32_t id;

	boot();
	id = request();
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, i, &base),
				 FPH_OK);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, all), FPH_OK);
	expect(FPH_HINT_REQUESTED, id, 0);
	ck_assert_int_eq(fph_balloon_set_features(
		g.balloon, all & ~GUEST_BIT(FREE_PAGE_HINT)), FPH_OK);
	expect(FPH_HINT_IDLE, 0, FPH_EVENT_HINT | FPH_EVENT_CONFIG);
	finish();
}
END_TEST

/* A command may be cut anywhere, and hints may follow it in one buffer. */
START_TEST(command_in_any_framing)
{
	static const struct {
		uint32_t len[4];
		uint32_t n;
	} row[] = {
		{ { 4 }, 1 }, { { 1, 3 }, 2 }, { { 2, 2 }, 2 },
		{ { 3, 1 }, 2 }, { { 1, 1, 1, 1 }, 4 }
	};

	for (size_t i = 0; i < 2 * sizeof(row) / sizeof(row[0]); i++) {
		uint64_t gpa = GUEST_SPLIT - 2;
		struct guest_seg segs[6];
		struct fph_run run;
		uint32_t n = row[i / 2].n;
		uint32_t id;

		boot();
		id = request();
		guest_put(&g, gpa, 4, id);
		for (uint32_t j = 0; j < n; j++) {
			segs[j] = (struct guest_seg){ gpa, row[i / 2].len[j],
						      0 };
			gpa += row[i / 2].len[j];
		}
		if (i & 1) {
			segs[n++] = (struct guest_seg){ 0x200000, 0x2000,
							RING_WRITE };
			segs[n++] = (struct guest_seg){ 0x202000, 0x2000,
							RING_WRITE };
		}
		guest_offer(&g, 3, segs, n);
		process(1);
		expect(FPH_HINT_ACTIVE, id, FPH_EVENT_HINT);
		if (i & 1) {
			run = next();
			ck_assert_uint_eq(run.gpa, 0x200000);
			ck_assert_uint_eq(run.len, 0x4000);
			complete(&run);
		}
		no_next();
		ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
		finish();
	}
}
END_TEST

START_TEST(hint_window_fills_and_drains)
{
	struct fph_run run;
	uint32_t taken = 0;

	guest_init(&g, 1024);
	guest_new(&g, GUEST_FEATURES, 0);
	ck_assert_int_eq(fph_balloon_set_features(
		g.balloon, GUEST_FEATURES | GUEST_VERSION_1), FPH_OK);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		guest_start(&g, i, 0);
	start();
	for (uint32_t i = 0; i < 1023; i++)
		guest_offer_one(&g, 3, GUEST_PAGES + i * GUEST_PAGE,
				GUEST_PAGE, RING_WRITE);
	process(1000);
	process(23);
	run = next();
	ck_assert_uint_eq(run.len, 1023 * GUEST_PAGE);
	complete(&run);
	while (fph_balloon_flush(g.balloon))
		taken = guest_count_used(&g, 3);
	ck_assert_uint_eq(taken, 1023);
	finish();
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("balloon hints");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, request_needs_feature_and_harvest);
	tcase_add_test(t, a_whole_round);
	tcase_add_test(t, barriers_wait_for_skips);
	tcase_add_test(t, a_stop_is_told_when_it_is_due);
	tcase_add_test(t, a_broken_ring_ends_the_round);
	tcase_add_loop_test(t, barriers_are_told_when_to_repeat, 0, 3);
	tcase_add_test(t, pump_leaves_hints_to_the_vmm);
	tcase_add_test(t, ring_stop_waits_for_skips);
	tcase_add_test(t, new_features_end_a_round_they_do_not_fit);
	tcase_add_test(t, command_in_any_framing);
	tcase_add_test(t, hint_window_fills_and_drains);
	suite_add_tcase(s, t);
	return s;
}
