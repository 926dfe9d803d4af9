/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The balloon device and an honest driver: reports, inflate, deflate. */
#include <stdlib.h>

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

static struct fph_run next(void)
{
	struct fph_run d;

	ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 1);
	return d;
}

static void no_next(void)
{
	struct fph_run d;

	ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 0);
}

static void complete(const struct fph_run *d, bool ok)
{
	ck_assert_int_eq(complete_run(g.balloon, d, ok), FPH_OK);
}

static void process(uint32_t index, int want)
{
	ck_assert_int_eq(fph_balloon_process(g.balloon, index, 1000), want);
}

static void write_poison(uint32_t v)
{
	uint8_t b[4];

	ring_put(b, 4, v, false);
	fph_balloon_set_config(g.balloon, FPH_CONFIG_POISON_VAL, b, 4);
}

/* --------------------------------------------------------------- reports -- */

START_TEST(neighbours_of_many_reports_are_one_discard)
{
	struct fph_run d;
	uint16_t head;

	boot();
	for (uint32_t i = 0; i < 4; i++)
		guest_offer_one(&g, 4, GUEST_PAGES + i * GUEST_PAGE,
				GUEST_PAGE, RING_WRITE);
	process(4, 4);
	d = next();
	ck_assert_int_eq(d.queue, FPH_QUEUE_REPORT);
	ck_assert_uint_eq(d.gpa, GUEST_PAGES);
	ck_assert_uint_eq(d.len, 4 * GUEST_PAGE);
	no_next();
	/* R2: nothing comes back before. */
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
	complete(&d, true);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 4);
	for (uint16_t i = 0; i < 4; i++) {
		ck_assert(guest_take_used(&g, 4, &head));
		ck_assert_uint_eq(head, i);
	}
	ck_assert_uint_eq(guest_counters(&g).report.bytes_freed,
			  4 * GUEST_PAGE);
	finish();
}
END_TEST

START_TEST(discards_end_in_any_order)
{
	static const int order[3] = { 2, 0, 1 };
	struct fph_run d[3];
	uint16_t head;

	boot();
	for (uint32_t i = 0; i < 3; i++)
		guest_offer_one(&g, 4, GUEST_PAGES + i * 2 * GUEST_PAGE,
				GUEST_PAGE, RING_WRITE);
	process(4, 3);
	for (int i = 0; i < 3; i++)
		d[i] = next();
	for (int i = 0; i < 3; i++) {
		/* A failed discard holds its own buffer no longer either. */
		complete(&d[order[i]], i != 1);
		ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
		ck_assert(guest_take_used(&g, 4, &head));
		ck_assert_int_eq(head, order[i]);
		ck_assert(!guest_take_used(&g, 4, &head));
	}
	ck_assert_uint_eq(guest_counters(&g).report.failed_runs, 1);
	ck_assert_uint_eq(guest_counters(&g).report.bytes_freed,
			  2 * GUEST_PAGE);
	finish();
}
END_TEST

START_TEST(report_through_a_table)
{
	struct guest_seg segs[32];
	struct fph_run d;

	boot();
	/* As Linux does it: 32 blocks, from high to low. */
	for (uint32_t i = 0; i < 32; i++)
		segs[i] = (struct guest_seg){
			0x700000 - i * 0x20000, 0x20000, RING_WRITE
		};
	guest_offer_indirect(&g, 4, GUEST_BUFFERS, segs, 32);
	process(4, 1);
	d = next();
	ck_assert_uint_eq(d.gpa, 0x700000 - 31 * 0x20000);
	ck_assert_uint_eq(d.len, 32 * 0x20000);
	complete(&d, true);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	finish();
}
END_TEST

START_TEST(report_over_two_regions)
{
	struct fph_run d;

	boot();
	guest_offer_one(&g, 4, GUEST_SPLIT - GUEST_PAGE, 2 * GUEST_PAGE,
			RING_WRITE);
	process(4, 1);
	d = next();
	ck_assert_uint_eq(d.gpa, GUEST_SPLIT - GUEST_PAGE);
	ck_assert_uint_eq(d.len, 2 * GUEST_PAGE);
	complete(&d, true);
	ck_assert_uint_eq(guest_counters(&g).queue[FPH_QUEUE_REPORT].unmapped,
			  0);
	finish();
}
END_TEST

/* Fills the window, then lets go of part of it. */
START_TEST(no_room_leaves_the_ring)
{
	struct fph_run d;
	int taken, n;

	guest_init(&g, 1024);
	guest_new(&g, GUEST_FEATURES, 0);
	ck_assert_int_eq(fph_balloon_set_features(
		g.balloon, GUEST_FEATURES | GUEST_VERSION_1), FPH_OK);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		guest_start(&g, i, 0);
	for (uint32_t i = 0; i < 1000; i++)
		guest_offer_one(&g, 4, GUEST_PAGES + i * GUEST_PAGE,
				GUEST_PAGE, RING_WRITE);
	taken = fph_balloon_process(g.balloon, 4, 1000);
	ck_assert_int_ge(taken, 64);
	ck_assert_int_lt(taken, 1000);
	process(4, 0);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon) & 0x10, 0);
	d = next();
	complete(&d, true);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon) & 0x10, 0);
	ck_assert_int_eq((int)fph_balloon_flush(g.balloon), taken);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon) & 0x10, 0x10);
	while ((n = fph_balloon_process(g.balloon, 4, 1000)) > 0) {
		d = next();
		complete(&d, true);
		ck_assert_int_eq((int)fph_balloon_flush(g.balloon), n);
	}
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon) & 0x10, 0);
	ck_assert_uint_eq(guest_count_used(&g, 4), 1000);
	ck_assert_uint_eq(guest_counters(&g).queue[FPH_QUEUE_REPORT].popped,
			  1000);
	finish();
}
END_TEST

START_TEST(longest_chains_fit)
{
	struct guest_seg segs[1024];
	struct fph_run d;
	uint32_t n;

	guest_init(&g, 1024);
	guest_new(&g, GUEST_FEATURES, 0);
	ck_assert_int_eq(fph_balloon_set_features(
		g.balloon, GUEST_FEATURES | GUEST_VERSION_1), FPH_OK);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		guest_start(&g, i, 0);
	for (uint32_t i = 0; i < 1024; i++)
		segs[i] = (struct guest_seg){
			GUEST_PAGES + i % 512 * 2 * GUEST_PAGE, GUEST_PAGE,
			RING_WRITE
		};
	for (uint32_t i = 0; i < 6; i++)
		guest_offer_indirect(&g, 4, 0x600000 + i * 0x4000, segs, 1024);
	process(4, 4);
	process(4, 0);
	for (n = 0; fph_balloon_next(g.balloon, &d, 1) == 1; n++) {
		ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
		complete(&d, true);
	}
	ck_assert_uint_eq(n, 512);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 4);
	process(4, 2);
	guest_settle(&g, 4);
	ck_assert_uint_eq(guest_count_used(&g, 4), 6);
	finish();
}
END_TEST

/* ---------------------------------------------------------------- poison -- */

START_TEST(poison_decides_what_a_report_means)
{
	static const struct {
		bool negotiated;
		uint32_t val;
		bool discards;
	} row[] = {
		{ true, 0, true },		/* QEMU: freed */
		{ true, 0xaaaaaaaa, false },	/* QEMU: returned, kept */
		{ true, 1, false },
		{ false, 0xaaaaaaaa, true },	/* QEMU: write ignored, freed */
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fph_balloon_counters c;
		struct fph_run d;

		guest_boot_without(&g, row[i].negotiated ?
				       0 : GUEST_BIT(PAGE_POISON));
		write_poison(row[i].val);
		guest_offer_one(&g, 4, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
		process(4, 1);
		ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1),
				 row[i].discards);
		if (row[i].discards)
			complete(&d, true);
		ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
		c = guest_counters(&g);
		ck_assert_uint_eq(c.report.poisoned, !row[i].discards);
		ck_assert_uint_eq(guest_count_used(&g, 4), 1);
		/* Inflate is not concerned: the driver fills what it gets. */
		guest_frames(&g, 0, GUEST_BUFFERS, GUEST_PAGES, GUEST_PAGE, 2);
		process(0, 1);
		d = next();
		ck_assert_int_eq(d.queue, FPH_QUEUE_INFLATE);
		complete(&d, true);
		finish();
	}
}
END_TEST

/* ------------------------------------------------------ inflate, deflate -- */

START_TEST(inflate_joins_page_frames)
{
	struct fph_run d;
	uint16_t head;

	boot();
	/* Down as Linux often has them, and a second array in between. */
	guest_frames(&g, 0, GUEST_BUFFERS, GUEST_PAGES + 255 * GUEST_PAGE,
		     0 - (uint64_t)GUEST_PAGE, 256);
	guest_frames(&g, 0, GUEST_BUFFERS + 0x1000,
		     GUEST_PAGES + 256 * GUEST_PAGE, GUEST_PAGE, 256);
	guest_frames(&g, 0, GUEST_BUFFERS + 0x2000, 0x302000,
		     2 * GUEST_PAGE, 3);
	process(0, 3);
	d = next();
	ck_assert_int_eq(d.queue, FPH_QUEUE_INFLATE);
	ck_assert_uint_eq(d.gpa, GUEST_PAGES);
	ck_assert_uint_eq(d.len, 512 * GUEST_PAGE);
	complete(&d, true);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 2);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
		d = next();
		ck_assert_uint_eq(d.gpa, 0x302000 + i * 2 * GUEST_PAGE);
		ck_assert_uint_eq(d.len, GUEST_PAGE);
		complete(&d, true);
	}
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	for (int i = 0; i < 3; i++)
		ck_assert(guest_take_used(&g, 0, &head));
	ck_assert_uint_eq(guest_counters(&g).inflate.bytes_freed,
			  515 * GUEST_PAGE);
	ck_assert_uint_eq(guest_counters(&g).report.buffers, 0);
	finish();
}
END_TEST

/* An entry may lie across descriptors, and an array across regions. */
START_TEST(arrays_may_be_cut_anywhere)
{
	uint64_t array = GUEST_SPLIT - 6;
	struct guest_seg segs[4] = {
		{ array, 3, 0 }, { array + 3, 4, 0 },
		{ array + 7, 1, 0 }, { array + 8, 4, 0 }
	};
	struct fph_run d;

	boot();
	for (uint32_t i = 0; i < 3; i++)
		guest_put(&g, array + 4 * i, 4, 0x200 + 2 * i);
	guest_offer(&g, 0, segs, 4);
	process(0, 1);
	for (uint32_t i = 0; i < 3; i++) {
		d = next();
		ck_assert_uint_eq(d.gpa, 0x200000 + i * 0x2000);
		ck_assert_uint_eq(d.len, GUEST_PAGE);
		complete(&d, true);
	}
	no_next();
	guest_offer(&g, 1, segs, 4);
	process(1, 1);
	ck_assert_uint_eq(guest_counters(&g).deflated, 3);
	finish();
}
END_TEST

START_TEST(largest_array_is_taken)
{
	struct fph_run d;
	uint32_t n = 0;

	boot();
	for (uint32_t i = 0; i <= FPH_BALLOON_MAX_PFNS; i++)
		guest_put(&g, 0x400000 + 4 * i, 4, 0x100 + i % 256 * 2);
	guest_offer_one(&g, 0, 0x400000, 4 * FPH_BALLOON_MAX_PFNS, 0);
	guest_offer_one(&g, 0, 0x400000, 4 * (FPH_BALLOON_MAX_PFNS + 1), 0);
	process(0, 1);
	/* The second one is looked at when the first is over. */
	process(0, 0);
	while (fph_balloon_next(g.balloon, &d, 1) == 1) {
		complete(&d, true);
		n++;
	}
	ck_assert_uint_eq(n, 256);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	process(0, 1);
	no_next();
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	ck_assert_uint_eq(guest_counters(&g).inflate.refused, 1);
	ck_assert_uint_eq(guest_counters(&g).queue[0].peer_errors, 1);
	guest_offer_one(&g, 1, 0x400000, 4 * FPH_BALLOON_MAX_PFNS, 0);
	guest_offer_one(&g, 1, 0x400000, 4 * (FPH_BALLOON_MAX_PFNS + 1), 0);
	process(1, 1);
	process(1, 1);
	ck_assert_uint_eq(guest_counters(&g).deflated, FPH_BALLOON_MAX_PFNS);
	ck_assert_uint_eq(guest_counters(&g).queue[1].peer_errors, 1);
	finish();
}
END_TEST

START_TEST(inflate_goes_on_while_there_is_room)
{
	struct fph_run d;

	boot();
	for (uint32_t i = 0; i < 12; i++)
		guest_frames(&g, 0, 0x600000 + i * 0x1000, GUEST_PAGES,
			     2 * GUEST_PAGE, 1024 / 2);
	/* Far from full: buffers of the usual size are all taken. */
	process(0, 12);
	/* Neighbours take no room to speak of, up or down. */
	for (uint32_t i = 0; i < 12; i++) {
		uint64_t step = i & 1 ? GUEST_PAGE : 0 - (uint64_t)GUEST_PAGE;

		guest_frames(&g, 0, 0x610000 + i * 0x1000,
			     0x300000 - step * 512, step, 1024);
	}
	process(0, 12);
	while (fph_balloon_next(g.balloon, &d, 1) == 1)
		complete(&d, true);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 24);
	finish();
}
END_TEST

START_TEST(deflate_comes_back_at_once)
{
	uint16_t head;

	boot();
	guest_frames(&g, 1, GUEST_BUFFERS, GUEST_PAGES, GUEST_PAGE, 256);
	process(1, 1);
	ck_assert(guest_take_used(&g, 1, &head));
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 2);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
	ck_assert_uint_eq(guest_counters(&g).deflated, 256);
	no_next();
	finish();
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("balloon queues");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, neighbours_of_many_reports_are_one_discard);
	tcase_add_test(t, discards_end_in_any_order);
	tcase_add_test(t, report_through_a_table);
	tcase_add_test(t, report_over_two_regions);
	tcase_add_test(t, no_room_leaves_the_ring);
	tcase_add_test(t, longest_chains_fit);
	tcase_add_test(t, poison_decides_what_a_report_means);
	tcase_add_test(t, inflate_joins_page_frames);
	tcase_add_test(t, arrays_may_be_cut_anywhere);
	tcase_add_test(t, largest_array_is_taken);
	tcase_add_test(t, inflate_goes_on_while_there_is_room);
	tcase_add_test(t, deflate_comes_back_at_once);
	suite_add_tcase(s, t);
	return s;
}
