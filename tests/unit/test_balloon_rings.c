/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The balloon device: rings, how they are numbered, notifications. */
#include <stdlib.h>

#include "balloon_fixture.h"
#include "runner.h"

static struct guest g;

#define S	GUEST_BIT(STATS_VQ)
#define H	GUEST_BIT(FREE_PAGE_HINT)
#define R	GUEST_BIT(PAGE_REPORTING)

static void finish(void)
{
	guest_fini(&g);
}

/* ----------------------------------------------------------------- rings -- */

START_TEST(ring_start_checks_the_ring)
{
	const struct ring *r = &g.ring[0];
	struct fph_balloon_ring good, ring;

	guest_init(&g, 16);
	guest_new(&g, GUEST_FEATURES, 0);
	good = (struct fph_balloon_ring){ .size = sizeof(struct fph_balloon_ring),
		.num = 16, .base = 0, .desc = r->desc,
		.driver = r->avail, .device = r->used };
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, FPH_NQUEUES, &good),
			 FPH_EINVAL);
	ring = good;
	ring.num = 0;
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, 0, &ring),
			 FPH_EINVAL);
	ring.num = 33;
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, 0, &ring),
			 FPH_EINVAL);
	ring.num = 2048;
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, 0, &ring),
			 FPH_EINVAL);
	ring = good;
	ring.desc = r->desc + 8;
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, 0, &ring),
			 FPH_EINVAL);
	ring = good;
	ring.device = NULL;
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, 0, &ring),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, 0, &good), FPH_OK);
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, 0, &good),
			 FPH_ESTATE);
	finish();
}
END_TEST

/* The table at the head of lib/vmm/balloon_rings.c, cell by cell. */
START_TEST(ring_states)
{
	struct fph_balloon_ring ring;
	uint32_t base = 7;

	guest_init(&g, 16);
	guest_new(&g, GUEST_FEATURES, 0);
	ring = (struct fph_balloon_ring){
		.size = sizeof(struct fph_balloon_ring),
		.num = 16, .base = 5, .desc = g.ring[0].desc,
		.driver = g.ring[0].avail, .device = g.ring[0].used
	};
	/* Off. */
	ck_assert_int_eq(fph_balloon_ring_enable(g.balloon, 0, true),
			 FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 0, &base),
			 FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 0, 1), FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_ring_enable(g.balloon, 5, true),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 5, &base),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 5, 1), FPH_EINVAL);
	ck_assert_uint_eq(base, 7);
	/* On. */
	ring_set_avail_idx(&g.ring[0], 5);
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, 0, &ring), FPH_OK);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 0, 1), FPH_ESTATE);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 0);
	ck_assert_int_eq(fph_balloon_ring_enable(g.balloon, 0, false), FPH_OK);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 0);
	/* Enabled. */
	ck_assert_int_eq(fph_balloon_ring_enable(g.balloon, 0, true), FPH_OK);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 1);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 0, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 0, 1), 0);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 0);
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, 0, &ring),
			 FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 0, &base), FPH_OK);
	ck_assert_uint_eq(base, 5);
	/* Nothing was returned, so there is nothing to tell. */
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 0, &base),
			 FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 0, 1), FPH_ESTATE);
	finish();
}
END_TEST

START_TEST(draining_ring_takes_nothing)
{
	struct fph_balloon_ring ring = { .size = sizeof(ring) };
	struct fph_run d;
	uint32_t base;
	uint16_t head;

	guest_boot_without(&g, 0);
	guest_offer_one(&g, 4, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 4, 9), 1);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 4, &base),
			 FPH_EINPROGRESS);
	guest_offer_one(&g, 4, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 4, 9), 0);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon) & 0x10, 0);
	ck_assert_int_eq(fph_balloon_ring_enable(g.balloon, 4, true), FPH_OK);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 4, 9), 0);
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, 4, &ring),
			 FPH_ESTATE);
	/* Given out, completed, flushed: only then it is the driver's. */
	ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 1);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 4, &base),
			 FPH_EINPROGRESS);
	ck_assert_int_eq(complete_run(g.balloon, &d, true), FPH_OK);
	/* It was returned at once: the stop is waited for. */
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon) &
			  FPH_EVENT_DRAINED, FPH_EVENT_DRAINED);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 4, &base), FPH_OK);
	ck_assert_uint_eq(base, 1);
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0x10);
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0);
	/* Goes on with the buffer that came meanwhile. */
	guest_start(&g, 4, (uint16_t)base);
	guest_settle(&g, 4);
	ck_assert(guest_take_used(&g, 4, &head));
	ck_assert(guest_take_used(&g, 4, &head));
	ck_assert_uint_eq(head, 1);
	ck_assert_uint_eq(guest_counters(&g).queue[FPH_QUEUE_REPORT].pushed,
			  2);
	finish();
}
END_TEST

/* ------------------------------------------------------------- numbering -- */

struct numbering_row {
	uint64_t offered;
	uint64_t negotiated;
	uint32_t rings;			/* started, lowest first */
	int queue[FPH_NQUEUES];		/* expected, -1: none */
	int numbering;
};

static void check_numbering(const struct numbering_row *row, size_t i)
{
	guest_init(&g, 16);
	guest_new(&g, row->offered, (uint32_t)row->numbering);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, row->negotiated),
			 FPH_OK);
	for (uint32_t n = 0; n < FPH_NQUEUES; n++) {
		if (row->rings & 1u << n)
			guest_start(&g, n, 0);
	}
	for (uint32_t n = 0; n < FPH_NQUEUES; n++) {
		int want = row->queue[n] < 0 ? FPH_ENOENT : row->queue[n];
		int got = fph_balloon_get_queue(g.balloon, n, NULL);

		ck_assert_msg(got == want, "row %zu ring %u: %d", i, n, got);
	}
	finish();
}

START_TEST(numbering_is_inferred)
{
	static const struct numbering_row row[] = {
		/* Linux: dense by what it negotiated. */
		{ S | H | R, S | H | R, 0x1f, { 0, 1, 2, 3, 4 }, 0 },
		{ S | H | R, S | R, 0xf, { 0, 1, 2, 4, -1 }, 0 },
		{ S | H | R, H | R, 0xf, { 0, 1, 3, 4, -1 }, 0 },
		{ S | H | R, R, 0x7, { 0, 1, 4, -1, -1 }, 0 },
		{ S | H | R, H, 0x7, { 0, 1, 3, -1, -1 }, 0 },
		{ S | H | R, 0, 0x3, { 0, 1, -1, -1, -1 }, 0 },
		/* A driver that goes by the specification. */
		{ S | H | R, H | R, 0x1b, { 0, 1, -1, 3, 4 }, 0 },
		{ S | H | R, R, 0x13, { 0, 1, -1, -1, 4 }, 0 },
		{ R, R, 0x13, { 0, 1, -1, -1, 4 }, 0 },
		/* By what was offered: here REPORT comes third. */
		{ H | R, R, 0xb, { 0, 1, -1, 4, -1 }, 0 },
		/* The same, where others hold the place of what is not there. */
		{ H | R, H | R, 0x1f, { 0, 1, -1, 3, 4 }, 0 },
		{ H, H, 0xf, { 0, 1, -1, 3, -1 }, 0 },
		{ R, R, 0x1f, { 0, 1, -1, -1, 4 }, 0 },
		{ S | R, S | R, 0x1f, { 0, 1, 2, -1, 4 }, 0 },
		{ S | H | R, R, 0x1f, { 0, 1, -1, -1, 4 }, 0 },
		/* Not certain yet, and where it does not matter. */
		{ S | H | R, R, 0x0, { 0, 1, -1, -1, -1 }, 0 },
		{ S | H | R, R, 0x1, { 0, 1, -1, -1, -1 }, 0 },
		{ S | H | R, H | R, 0x8, { 0, 1, -1, -1, -1 }, 0 },
		{ S | H | R, S | H | R, 0x10, { 0, 1, 2, 3, 4 }, 0 },
		/* Told by the embedder, whatever is started. */
		{ S | H | R, H | R, 0xf, { 0, 1, -1, 3, 4 },
		  FPH_NUMBERING_FIXED },
		{ S | H | R, H | R, 0x1b, { 0, 1, 3, 4, -1 },
		  FPH_NUMBERING_NEGOTIATED },
		{ H | R, R, 0x0, { 0, 1, -1, 4, -1 }, FPH_NUMBERING_OFFERED },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		check_numbering(&row[i], i);
}
END_TEST

/*
 * With HINT and REPORT but no STATS, ring 3 is the report ring of one driver
 * and the hint ring of another.  Until ring 2 or ring 4 tells, it is neither.
 */
START_TEST(hint_is_never_taken_for_a_report)
{
	int n;

	guest_boot(&g, S | H | R, H | R, 0x0b);
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, 3, &n), FPH_ENOENT);
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, 0, &n),
			 FPH_QUEUE_INFLATE);
	ck_assert_int_eq(n, 1);
	guest_offer_one(&g, 3, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 3, 9), FPH_ESTATE);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 3);

	/* Ring 4 tells: this one goes by the specification. */
	guest_start(&g, 4, 0);
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, 3, &n),
			 FPH_QUEUE_HINT);
	ck_assert_int_eq(n, 1);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 0x1b);
	guest_settle(&g, 3);
	ck_assert_uint_eq(guest_counters(&g).report.buffers, 0);
	ck_assert_uint_eq(guest_counters(&g).hint.ignored, 1);
	ck_assert_uint_eq(guest_count_used(&g, 3), 1);
	finish();
}
END_TEST

START_TEST(numbering_lasts_while_rings_stop)
{
	uint32_t base;
	int n;

	guest_boot(&g, S | H | R, H | R, 0x1b);
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, 3, NULL),
			 FPH_QUEUE_HINT);
	for (uint32_t i = 0; i < 5; i++) {
		if (i == 2 || i == 3)
			continue;
		ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, i, &base),
				 FPH_OK);
		ck_assert_int_eq(fph_balloon_get_queue(g.balloon, 3, &n),
				 FPH_QUEUE_HINT);
		ck_assert_int_eq(n, 1);
	}
	/* The last one: the next driver may do otherwise. */
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 3, &base), FPH_OK);
	for (uint32_t i = 0; i < 4; i++)
		guest_start(&g, i, 0);
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, 3, NULL),
			 FPH_QUEUE_REPORT);
	/* No dense numbering has so many rings: ring 2 only holds a place. */
	guest_start(&g, 4, 0);
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, 3, &n),
			 FPH_QUEUE_HINT);
	ck_assert_int_eq(n, 1);
	finish();
}
END_TEST

START_TEST(numbering_is_inferred_anew_after_reset)
{
	uint64_t negotiated = H | R;

	guest_boot(&g, S | H | R, negotiated, 0x0f);
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, 3, NULL),
			 FPH_QUEUE_REPORT);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, negotiated),
			 FPH_OK);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		if (i != 2)
			guest_start(&g, i, 0);
	}
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, 3, NULL),
			 FPH_QUEUE_HINT);
	finish();
}
END_TEST

START_TEST(rings_before_features)
{
	guest_boot(&g, GUEST_FEATURES, 0, 0x1f);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		guest_offer_one(&g, i, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
		ck_assert_int_eq(fph_balloon_process(g.balloon, i, 9),
				 i < 2 ? 1 : FPH_ESTATE);
	}
	/* Inflate and deflate are there always; they refused that. */
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	ck_assert_uint_eq(guest_counters(&g).inflate.refused, 1);
	for (uint32_t i = 2; i < FPH_NQUEUES; i++)
		ck_assert_uint_eq(guest_count_used(&g, i), 0);
	finish();
}
END_TEST

/* ---------------------------------------------- notifications and events -- */

START_TEST(interrupts_come_once_a_flush)
{
	guest_boot(&g, GUEST_FEATURES, R | S | GUEST_VERSION_1, 0xf);
	for (int i = 0; i < 3; i++) {
		guest_offer_one(&g, 3, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
		guest_frames(&g, 1, GUEST_BUFFERS, GUEST_PAGES, GUEST_PAGE, 1);
	}
	guest_settle(&g, 3);
	guest_settle(&g, 1);
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0xa);
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0);
	/* NO_INTERRUPT. */
	ring_set_avail_flags(&g.ring[3], 1);
	guest_offer_one(&g, 3, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	guest_settle(&g, 3);
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0);
	/* Stopped with an interrupt unasked for: none. */
	guest_offer_one(&g, 3, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	guest_settle(&g, 3);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 3,
					       &(uint32_t){ 0 }), FPH_OK);
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0);
	finish();
}
END_TEST

START_TEST(event_index_is_kept)
{
	guest_boot_without(&g, 0);
	/* Wants to hear of the second buffer. */
	ring_set_used_event(&g.ring[4], 1);
	guest_offer_one(&g, 4, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	guest_settle(&g, 4);
	/* The first answer after init is always yes. */
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0x10);
	ring_set_used_event(&g.ring[4], 2);
	guest_offer_one(&g, 4, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	guest_settle(&g, 4);
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0);
	guest_offer_one(&g, 4, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	guest_settle(&g, 4);
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 0x10);
	/* The device asks for the next one. */
	ck_assert_uint_eq(ring_get_avail_event(&g.ring[4]), 3);
	finish();
}
END_TEST

START_TEST(budget_leaves_the_rest_ready)
{
	guest_boot(&g, GUEST_FEATURES, R | S | GUEST_VERSION_1, 0xf);
	while (fph_balloon_get_ready(g.balloon)) {
		for (uint32_t i = 0; i < 4; i++)
			guest_settle(&g, i);
	}
	ck_assert_uint_eq(ring_get_used_flags(&g.ring[3]), 0);
	for (int i = 0; i < 5; i++)
		guest_offer_one(&g, 3, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 3, 2), 2);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 8);
	/* Nobody has to kick a ring that is being worked on. */
	ck_assert_uint_eq(ring_get_used_flags(&g.ring[3]), 1);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 3, 3), 3);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 8);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 3, 0xffffffff), 0);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 0);
	ck_assert_uint_eq(ring_get_used_flags(&g.ring[3]), 0);
	finish();
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("balloon rings");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, ring_start_checks_the_ring);
	tcase_add_test(t, ring_states);
	tcase_add_test(t, draining_ring_takes_nothing);
	tcase_add_test(t, numbering_is_inferred);
	tcase_add_test(t, hint_is_never_taken_for_a_report);
	tcase_add_test(t, numbering_lasts_while_rings_stop);
	tcase_add_test(t, numbering_is_inferred_anew_after_reset);
	tcase_add_test(t, rings_before_features);
	tcase_add_test(t, interrupts_come_once_a_flush);
	tcase_add_test(t, event_index_is_kept);
	tcase_add_test(t, budget_leaves_the_rest_ready);
	suite_add_tcase(s, t);
	return s;
}
