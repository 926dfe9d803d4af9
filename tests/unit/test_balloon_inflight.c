/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The balloon device after a crash: rings whose inflight record holds buffers
 * of the device before, and what that device is asked for first.
 */
#include <string.h>

#include "balloon_fixture.h"
#include "runner.h"

#define NUM		256u
#define INFLATE		0u
#define HINTS		3u
#define REPORTS		4u
#define ALL		(GUEST_FEATURES | GUEST_VERSION_1)

static struct guest g;
static uint64_t record[FPH_NQUEUES][FPH_INFLIGHT_SIZE(NUM) / 8];

static void start(uint32_t index)
{
	const struct ring *r = &g.ring[index];
	const struct fph_balloon_ring ring = {
		.size = sizeof(ring),
		.num = r->num,
		.desc = r->desc,
		.driver = r->avail,
		.device = r->used,
		.inflight = record[index]
	};

	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, index, &ring),
			 FPH_OK);
}

/* A device, with these rings started. */
static void begin(uint64_t features, uint32_t numbering, uint32_t rings)
{
	guest_new(&g, GUEST_FEATURES, numbering);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, features),
			 FPH_OK);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		if (rings & 1u << i)
			start(i);
}

static void boot(void)
{
	memset(record, 0, sizeof(record));
	guest_init(&g, NUM);
	begin(ALL, FPH_NUMBERING_FIXED, 0x1f);
}

/* Another process, which finds memory and records as they are. */
static void crash(void)
{
	fph_balloon_free(g.balloon);
	begin(ALL, FPH_NUMBERING_FIXED, 0x1f);
}

static void finish(void)
{
	guest_fini(&g);
}

/* n buffers of a page are taken from a ring. */
static void take(uint32_t index, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		guest_offer_one(&g, index, GUEST_PAGES + i * 2 * GUEST_PAGE,
				GUEST_PAGE, RING_WRITE);
	ck_assert_int_eq(fph_balloon_ring_enable(g.balloon, index, true),
			 FPH_OK);
	ck_assert_int_eq(fph_balloon_process(g.balloon, index, n), (int)n);
}

/* Three reports are taken, the second one is returned, and the process dies. */
static void leave_two_reports(void)
{
	struct fph_run run[3];

	boot();
	take(REPORTS, 3);
	ck_assert_int_eq(fph_balloon_next(g.balloon, run, 3), 3);
	ck_assert_int_eq(complete_run(g.balloon, &run[1], true), FPH_OK);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	crash();
	ck_assert_uint_eq(guest_count_used(&g, REPORTS), 1);
}

static int get_state(struct fph_balloon_state *state)
{
	state->size = sizeof(*state);
	return fph_balloon_get_state(g.balloon, state);
}

START_TEST(freeze_returns_them)
{
	struct fph_balloon_state state;
	uint32_t base;

	leave_two_reports();
	ck_assert_int_eq(fph_balloon_ring_get_base(g.balloon, REPORTS, &base),
			 FPH_EBUSY);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_OK);
	ck_assert_uint_eq(guest_count_used(&g, REPORTS), 3);
	ck_assert_int_eq(get_state(&state), FPH_OK);
	ck_assert_uint_eq(state.base[REPORTS], 3);
	ck_assert_int_eq(fph_balloon_ring_get_base(g.balloon, REPORTS, &base),
			 FPH_OK);
	ck_assert_uint_eq(base, 3);
	ck_assert_uint_eq(guest_counters(&g).report.bytes_freed, 0);
	finish();
}
END_TEST

/* So it is with the first of the queues. */
START_TEST(freeze_returns_an_inflation)
{
	boot();
	guest_frames(&g, INFLATE, GUEST_BUFFERS, GUEST_PAGES, GUEST_PAGE, 1);
	ck_assert_int_eq(fph_balloon_ring_enable(g.balloon, INFLATE, true),
			 FPH_OK);
	ck_assert_int_eq(fph_balloon_process(g.balloon, INFLATE, 1), 1);
	crash();
	ck_assert_uint_eq(guest_count_used(&g, INFLATE), 0);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_OK);
	ck_assert_uint_eq(guest_count_used(&g, INFLATE), 1);
	finish();
}
END_TEST

/* That of the one before may be lost. */
START_TEST(first_interrupt)
{
	uint32_t base;

	boot();
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0);
	crash();
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0x1f);
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0);
	crash();
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, i, &base),
				 FPH_OK);
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0x1f);
	finish();
}
END_TEST

START_TEST(ways_of_freeze_that_leave_them)
{
	int mode = _i ? FPH_FREEZE_SKIP : FPH_FREEZE_HOLD;
	struct fph_balloon_state state;
	uint32_t base;

	leave_two_reports();
	ck_assert_int_eq(fph_balloon_freeze_as(g.balloon, mode), FPH_OK);
	ck_assert_uint_eq(guest_count_used(&g, REPORTS), 1);
	ck_assert_int_eq(get_state(&state), FPH_EBUSY);
	ck_assert_int_eq(fph_balloon_ring_get_base(g.balloon, REPORTS, &base),
			 FPH_EBUSY);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, REPORTS, &base),
			 _i ? FPH_OK : FPH_EINPROGRESS);
	ck_assert_uint_eq(guest_count_used(&g, REPORTS), _i ? 3 : 1);
	finish();
}
END_TEST

/* Also of a ring that nobody has enabled. */
START_TEST(stop_takes_them)
{
	struct fph_run run[3];
	uint32_t base = 99;

	leave_two_reports();
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, REPORTS, &base),
			 FPH_EINPROGRESS);
	ck_assert_uint_eq(base, 99);
	ck_assert_int_eq(fph_balloon_next(g.balloon, run, 3), 2);
	ck_assert_int_eq(complete_run(g.balloon, &run[1], true), FPH_OK);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon), 0);
	ck_assert_int_eq(complete_run(g.balloon, &run[0], true), FPH_OK);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon),
			  FPH_EVENT_DRAINED);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, REPORTS, &base),
			 FPH_OK);
	ck_assert_uint_eq(base, 3);
	ck_assert_uint_eq(guest_count_used(&g, REPORTS), 3);
	finish();
}
END_TEST

/* A device of another kind takes all that there is. */
static void take_as_another(void)
{
	static uint64_t mem[FPH_VQ_DEVICE_SIZE(NUM) / 8];
	const struct ring *r = &g.ring[REPORTS];
	const struct fph_vq_device_params p = {
		.size = sizeof(p),
		.num = NUM,
		.desc = r->desc,
		.driver = r->avail,
		.device = r->used,
		.inflight = record[REPORTS]
	};
	struct fph_buffer b[NUM];
	struct fph_seg segs[NUM];
	struct fph_vq_device *vq;

	ck_assert_int_eq(fph_vq_device_init(&vq, mem, sizeof(mem), &p),
			 FPH_OK);
	ck_assert_int_eq(fph_vq_device_pop(vq, b, NUM, segs, NUM), NUM);
}

/* More than a balloon holds at a time. */
static void leave_many_reports(void)
{
	memset(record, 0, sizeof(record));
	guest_init(&g, NUM);
	for (uint32_t i = 0; i < NUM; i++)
		guest_offer_one(&g, REPORTS, GUEST_PAGES + i * 2 * GUEST_PAGE,
				GUEST_PAGE, RING_WRITE);
	take_as_another();
	begin(ALL, FPH_NUMBERING_FIXED, 0x1f);
}

START_TEST(more_than_there_is_room_for)
{
	struct fph_run run;
	uint32_t base;

	leave_many_reports();
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, REPORTS, &base),
			 FPH_EINPROGRESS);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, REPORTS, &base),
			 FPH_EINPROGRESS);
	for (uint32_t i = 0; i < NUM; i++) {
		ck_assert_uint_eq(fph_balloon_take_events(g.balloon), 0);
		ck_assert_int_eq(fph_balloon_next(g.balloon, &run, 1), 1);
		ck_assert_int_eq(complete_run(g.balloon, &run, true), FPH_OK);
	}
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon),
			  FPH_EVENT_DRAINED);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, REPORTS, &base),
			 FPH_OK);
	ck_assert_uint_eq(base, NUM);
	ck_assert_uint_eq(guest_count_used(&g, REPORTS), NUM);
	finish();
}
END_TEST

START_TEST(freeze_returns_many)
{
	struct fph_balloon_state state;

	leave_many_reports();
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_OK);
	ck_assert_uint_eq(guest_count_used(&g, REPORTS), NUM);
	ck_assert_int_eq(get_state(&state), FPH_OK);
	ck_assert_uint_eq(state.base[REPORTS], NUM);
	finish();
}
END_TEST

/* Whose buffers they are has to be known. */
START_TEST(queue_is_not_certain)
{
	const uint64_t features = ALL & ~GUEST_BIT(STATS_VQ);
	uint32_t base;

	memset(record, 0, sizeof(record));
	guest_init(&g, NUM);
	begin(features, FPH_NUMBERING_FIXED, 0x1b);
	take(HINTS, 2);
	fph_balloon_free(g.balloon);
	begin(features, 0, 1u << HINTS);
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, HINTS, NULL),
			 FPH_ENOENT);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_EINPROGRESS);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, HINTS, &base),
			 FPH_EINPROGRESS);
	ck_assert_uint_eq(guest_count_used(&g, HINTS), 0);
	start(REPORTS);
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, HINTS, NULL),
			 FPH_QUEUE_HINT);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, HINTS, &base),
			 FPH_OK);
	ck_assert_uint_eq(base, 2);
	ck_assert_uint_eq(guest_count_used(&g, HINTS), 2);
	finish();
}
END_TEST

/* The device held it, and its successor holds it. */
START_TEST(statistics_buffer)
{
	uint32_t base;

	boot();
	take(FPH_QUEUE_STATS, 1);
	crash();
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_OK);
	ck_assert_uint_eq(guest_count_used(&g, FPH_QUEUE_STATS), 0);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, FPH_QUEUE_STATS,
					       &base), FPH_OK);
	ck_assert_uint_eq(base, 0);
	finish();
}
END_TEST

/* What was popped before is returned, whatever breaks it: a ring, a command. */
START_TEST(broken)
{
	uint32_t index = _i ? HINTS : REPORTS;
	uint32_t base;

	boot();
	take(HINTS, 3);
	crash();
	ck_assert_int_eq(fph_balloon_ring_enable(g.balloon, index, true),
			 FPH_OK);
	guest_offer_one(&g, index, GUEST_GOOD, _i ? 5 : 0, 0);
	while (!fph_balloon_is_broken(g.balloon))
		ck_assert_int_ne(fph_balloon_process(g.balloon, index, 1), 0);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, HINTS, &base),
			 FPH_OK);
	ck_assert_uint_eq(base, 3 + (uint32_t)_i);
	ck_assert_uint_eq(guest_count_used(&g, HINTS), base);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, REPORTS, &base),
			 FPH_OK);
	finish();
}
END_TEST

/* The ring broke with them in it: they can be neither taken nor returned. */
START_TEST(broken_ring)
{
	uint32_t base;

	leave_two_reports();
	ring_desc(&g.ring[REPORTS], g.ring[REPORTS].desc, 2, GUEST_PAGES, 0,
		  RING_WRITE, 0);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_OK);
	ck_assert(fph_balloon_is_broken(g.balloon));
	ck_assert_uint_eq(guest_count_used(&g, REPORTS), 2);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, REPORTS, &base),
			 FPH_OK);
	finish();
}
END_TEST

/* Nothing is returned while the device is being reset. */
START_TEST(reset_forgets_them)
{
	struct fph_run run[2];
	uint32_t base;

	leave_two_reports();
	ck_assert_int_eq(fph_balloon_ring_enable(g.balloon, REPORTS, true),
			 FPH_OK);
	ck_assert_int_eq(fph_balloon_process(g.balloon, REPORTS, 1), 1);
	ck_assert_int_eq(fph_balloon_next(g.balloon, run, 2), 1);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_EINPROGRESS);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, REPORTS, &base),
			 FPH_EINPROGRESS);
	ck_assert_int_eq(complete_run(g.balloon, &run[0], true), FPH_OK);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_OK);
	ck_assert_uint_eq(guest_count_used(&g, REPORTS), 1);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, REPORTS, &base),
			 FPH_ESTATE);
	finish();
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("balloon inflight");
	TCase *tc = tcase_create("inflight");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, freeze_returns_them);
	tcase_add_test(tc, freeze_returns_an_inflation);
	tcase_add_test(tc, first_interrupt);
	tcase_add_loop_test(tc, ways_of_freeze_that_leave_them, 0, 2);
	tcase_add_test(tc, stop_takes_them);
	tcase_add_test(tc, more_than_there_is_room_for);
	tcase_add_test(tc, freeze_returns_many);
	tcase_add_test(tc, queue_is_not_certain);
	tcase_add_test(tc, statistics_buffer);
	tcase_add_loop_test(tc, broken, 0, 2);
	tcase_add_test(tc, broken_ring);
	tcase_add_test(tc, reset_forgets_them);
	suite_add_tcase(s, tc);
	return s;
}
