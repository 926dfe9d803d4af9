/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The balloon device and drivers without VIRTIO_F_VERSION_1: rings, command
 * ids, frames and statistics are in the byte order that the embedder sets,
 * config space is little-endian.
 */
#include "balloon_fixture.h"
#include "runner.h"

#define H	GUEST_BIT(FREE_PAGE_HINT)
#define S	GUEST_BIT(STATS_VQ)
#define R	GUEST_BIT(PAGE_REPORTING)
#define EVENT	FPH_BIT(VIRTIO_RING_F_EVENT_IDX)
#define TABLES	FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC)

static struct guest g;

static int set_order(bool big)
{
	return fph_balloon_set_endian(g.balloon, big ? FPH_BE : FPH_LE);
}

static void boot(uint64_t negotiated, bool big)
{
	guest_init(&g, 256);
	guest_new(&g, GUEST_FEATURES, 0);
	ck_assert_int_eq(set_order(big), FPH_OK);
	guest_negotiate(&g, negotiated, big, 0x1f);
}

static void finish(void)
{
	ck_assert(!fph_balloon_is_broken(g.balloon));
	guest_fini(&g);
}

static void process(uint32_t index, int want)
{
	ck_assert_int_eq(fph_balloon_process(g.balloon, index, 1000), want);
}

static uint32_t request(void)
{
	uint32_t id = 0;

	ck_assert_int_eq(fph_balloon_hint_sync_begin(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_sync_end(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_request(g.balloon, &id), FPH_OK);
	return id;
}

static void put_stat(uint64_t gpa, uint64_t val)
{
	guest_put(&g, gpa, 2, VIRTIO_BALLOON_S_MEMFREE);
	guest_put(&g, gpa + 2, 8, val);
}

static void offer_stat(uint64_t val, int want)
{
	put_stat(GUEST_BUFFERS, val);
	guest_offer_one(&g, 2, GUEST_BUFFERS, 10, 0);
	process(2, 1);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon) & FPH_EVENT_STATS,
			  want ? FPH_EVENT_STATS : 0);
}

static void expect_stat(uint64_t val)
{
	struct fph_stat stat[2];

	ck_assert_uint_eq(fph_balloon_get_stats(g.balloon, stat, 2), 1);
	ck_assert_uint_eq(stat[0].tag, VIRTIO_BALLOON_S_MEMFREE);
	ck_assert_uint_eq(stat[0].val, val);
}

/* A round, with one hint of two pages. */
static void hint(bool big)
{
	uint32_t id = request();
	struct fph_run run;
	uint8_t b[4];

	fph_balloon_get_config(g.balloon, FPH_CONFIG_CMD_ID, b, 4);
	ck_assert_uint_eq(ring_get(b, 4, false), id);
	guest_command(&g, 3, id);
	/* As bytes, so that no helper of the test decides on the order. */
	ck_assert_uint_eq(guest_at(&g, GUEST_BUFFERS)[big ? 3 : 0], id & 0xff);
	process(3, 1);
	ck_assert_int_eq(fph_balloon_hint_get_state(g.balloon),
			 FPH_HINT_ACTIVE);
	guest_offer_one(&g, 3, GUEST_GOOD, 2 * GUEST_PAGE, RING_WRITE);
	process(3, 1);
	ck_assert_int_eq(fph_balloon_hint_next(g.balloon, &run, 1), 1);
	ck_assert_uint_eq(run.gpa, GUEST_GOOD);
	ck_assert_uint_eq(run.len, 2 * GUEST_PAGE);
	ck_assert_int_eq(complete_hint(g.balloon, &run, true), FPH_OK);
	guest_settle(&g, 3);
	ck_assert_int_eq(fph_balloon_hint_done(g.balloon), FPH_OK);
}

static void report(void)
{
	struct guest_seg segs[2] = {
		{ GUEST_GOOD, GUEST_PAGE, RING_WRITE },
		{ GUEST_GOOD + 4 * GUEST_PAGE, GUEST_PAGE, RING_WRITE }
	};
	uint64_t before = guest_counters(&g).queue[FPH_QUEUE_REPORT].pushed;
	struct fph_run run;

	guest_offer_indirect(&g, 4, GUEST_BUFFERS + 4096, segs, 2);
	process(4, 1);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(fph_balloon_next(g.balloon, &run, 1), 1);
		ck_assert_uint_eq(run.gpa, segs[i].gpa);
		ck_assert_int_eq(complete_run(g.balloon, &run, true), FPH_OK);
	}
	guest_settle(&g, 4);
	ck_assert_uint_eq(guest_counters(&g).queue[FPH_QUEUE_REPORT].pushed,
			  before + 1);
}

static void config_is_little(void)
{
	uint8_t b[4] = { 0x78, 0x56, 0x34, 0x12 };

	fph_balloon_set_config(g.balloon, FPH_CONFIG_ACTUAL, b, 4);
	ck_assert_uint_eq(fph_balloon_get_actual(g.balloon), 0x12345678);
	fph_balloon_set_target(g.balloon, 0x01020304);
	fph_balloon_get_config(g.balloon, FPH_CONFIG_NUM_PAGES, b, 4);
	ck_assert_uint_eq(ring_get(b, 4, false), 0x01020304);
}

/* Bits of _i: big-endian; event index. */
START_TEST(each_queue_in_both_orders)
{
	bool big = _i & 1;

	boot(H | S | R | TABLES | (_i & 2 ? EVENT : 0), big);
	hint(big);
	report();
	guest_frames(&g, 0, GUEST_BUFFERS, GUEST_PAGES, GUEST_PAGE, 3);
	process(0, 1);
	guest_settle(&g, 0);
	ck_assert_uint_eq(guest_counters(&g).inflate.bytes_freed,
			  3 * GUEST_PAGE);
	guest_frames(&g, 1, GUEST_BUFFERS, GUEST_PAGES, GUEST_PAGE, 2);
	process(1, 1);
	ck_assert_uint_eq(guest_counters(&g).deflated, 2);
	offer_stat(1, false);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_OK);
	offer_stat(0x123456789abcdef0, true);
	expect_stat(0x123456789abcdef0);
	config_is_little();
	finish();
}
END_TEST

/* Nobody sets it: that of this host. */
START_TEST(the_order_of_the_host)
{
	guest_boot(&g, GUEST_FEATURES, H | S | R | TABLES, 0x1f);
	ck_assert_int_eq(g.big, FPH_HOST_BIG_ENDIAN);
	hint(FPH_HOST_BIG_ENDIAN);
	report();
	finish();
}
END_TEST

/*
 * A device that offers VERSION_1 to a guest that boots another system, or the
 * same one with its processors switched: little, big, modern, little.
 */
START_TEST(drivers_that_follow_each_other)
{
	static const struct {
		bool big;
		bool modern;
	} row[] = { { false, false }, { true, false }, { true, true },
		    { false, false } };

	guest_init(&g, 256);
	guest_new(&g, GUEST_FEATURES, 0);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint64_t all = H | S | R | TABLES;
		bool big = row[i].big && !row[i].modern;

		ck_assert_int_eq(set_order(row[i].big), FPH_OK);
		if (row[i].modern)
			all |= GUEST_VERSION_1;
		guest_negotiate(&g, all, big, 0x1f);
		ck_assert_int_eq(set_order(!row[i].big), FPH_ESTATE);
		hint(big);
		report();
		ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	}
	ck_assert_int_eq(fph_balloon_set_endian(g.balloon, 3), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_set_endian(NULL, FPH_LE), FPH_EUNINIT);
	finish();
}
END_TEST

/* An id of the other order is one that nobody published. */
START_TEST(an_id_of_the_other_order)
{
	bool big = _i;
	uint32_t id;

	boot(H | S | R, big);
	id = request();
	ring_put(guest_at(&g, GUEST_BUFFERS), 4, id, !big);
	guest_offer_one(&g, 3, GUEST_BUFFERS, 4, 0);
	process(3, 1);
	ck_assert_int_eq(fph_balloon_hint_get_state(g.balloon),
			 FPH_HINT_REQUESTED);
	ck_assert_uint_eq(guest_counters(&g).hint.stale, 1);
	finish();
}
END_TEST

/* A ring of the other order has an index that no ring of this size has. */
START_TEST(a_ring_of_the_other_order)
{
	bool big = _i;

	guest_init(&g, 256);
	guest_new(&g, GUEST_FEATURES, 0);
	ck_assert_int_eq(set_order(!big), FPH_OK);
	guest_negotiate(&g, R, big, 1);
	guest_frames(&g, 0, GUEST_BUFFERS, GUEST_PAGES, GUEST_PAGE, 3);
	guest_frames(&g, 0, GUEST_BUFFERS, GUEST_PAGES, GUEST_PAGE, 3);
	process(0, FPH_PEER_AVAIL_INDEX);
	ck_assert(fph_balloon_is_broken(g.balloon));
	guest_fini(&g);
}
END_TEST

/* ------------------------------------------------------------ statistics -- */

/* FPH-STAT-8: what is in it may be anything. */
START_TEST(the_first_statistics_are_ignored)
{
	struct fph_stat stat;
	uint32_t base = 0;

	boot(S, _i);
	offer_stat(1, false);
	ck_assert_uint_eq(fph_balloon_get_stats(g.balloon, &stat, 1), 0);
	ck_assert_uint_eq(guest_counters(&g).stats, 0);
	/* It is held, and not a better one when it is popped again. */
	ck_assert_uint_eq(guest_count_used(&g, 2), 0);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 2, &base), FPH_OK);
	guest_start(&g, 2, (uint16_t)base);
	process(2, 1);
	ck_assert_uint_eq(guest_counters(&g).stats, 0);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_OK);
	offer_stat(7, true);
	expect_stat(7);
	/* Popped again it counts, for it was not the first. */
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 2, &base), FPH_OK);
	guest_start(&g, 2, (uint16_t)base);
	put_stat(GUEST_BUFFERS, 8);
	process(2, 1);
	expect_stat(8);
	finish();
}
END_TEST

/* Another driver begins with another first one. */
START_TEST(the_first_ones_after_a_reset)
{
	boot(S, false);
	offer_stat(1, false);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_OK);
	offer_stat(2, true);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	guest_negotiate(&g, S, false, 4);
	offer_stat(3, false);
	ck_assert_uint_eq(guest_counters(&g).stats, 1);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	guest_negotiate(&g, S | GUEST_VERSION_1, false, 4);
	offer_stat(4, true);
	expect_stat(4);
	finish();
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("balloon and legacy drivers");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, each_queue_in_both_orders, 0, 4);
	tcase_add_test(t, the_order_of_the_host);
	tcase_add_test(t, drivers_that_follow_each_other);
	tcase_add_loop_test(t, an_id_of_the_other_order, 0, 2);
	tcase_add_loop_test(t, a_ring_of_the_other_order, 0, 2);
	tcase_add_loop_test(t, the_first_statistics_are_ignored, 0, 2);
	tcase_add_test(t, the_first_ones_after_a_reset);
	suite_add_tcase(s, t);
	return s;
}
