/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The balloon device and statistics, of which it holds one buffer. */
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

static void process(uint32_t index, int want)
{
	ck_assert_int_eq(fph_balloon_process(g.balloon, index, 1000), want);
}

static void put_stat(uint64_t gpa, uint32_t i, uint16_t tag, uint64_t val)
{
	guest_put(&g, gpa + i * 10, 2, tag);
	guest_put(&g, gpa + i * 10 + 2, 8, val);
}

START_TEST(statistics_are_kept_in_order)
{
	struct guest_seg segs[2] = {
		{ GUEST_BUFFERS, 7, 0 }, { GUEST_BUFFERS + 7, 23, 0 }
	};
	struct fph_stat stat[FPH_BALLOON_NSTATS];

	boot();
	ck_assert_uint_eq(fph_balloon_get_stats(g.balloon, stat, 32), 0);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_ESTATE);
	put_stat(GUEST_BUFFERS, 0, VIRTIO_BALLOON_S_MEMTOT, 0x1122334455667788);
	put_stat(GUEST_BUFFERS, 1, 0xfff0, 7);
	put_stat(GUEST_BUFFERS, 2, VIRTIO_BALLOON_S_MEMTOT, 8);
	guest_offer(&g, 2, segs, 2);
	process(2, 1);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon), FPH_EVENT_STATS);
	ck_assert_uint_eq(fph_balloon_get_stats(g.balloon, stat, 32), 3);
	ck_assert_uint_eq(stat[0].tag, VIRTIO_BALLOON_S_MEMTOT);
	ck_assert_uint_eq(stat[0].val, 0x1122334455667788);
	ck_assert_uint_eq(stat[1].tag, 0xfff0);
	ck_assert_uint_eq(stat[2].tag, VIRTIO_BALLOON_S_MEMTOT);
	ck_assert_uint_eq(stat[2].val, 8);
	stat[1].tag = 9;
	ck_assert_uint_eq(fph_balloon_get_stats(g.balloon, stat, 1), 1);
	ck_assert_uint_eq(stat[1].tag, 9);
	ck_assert_uint_eq(fph_balloon_get_stats(g.balloon, NULL, 0), 0);
	ck_assert_uint_eq(guest_counters(&g).stats, 1);
	/* It is held: that is how the device asks later. */
	ck_assert_uint_eq(guest_count_used(&g, 2), 0);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
	finish();
}
END_TEST

START_TEST(statistics_are_asked_for)
{
	uint16_t head;

	boot();
	guest_offer_one(&g, 2, GUEST_BUFFERS, 10, 0);
	process(2, 1);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_thaw(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_ring_enable(g.balloon, 2, false), FPH_OK);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_ring_enable(g.balloon, 2, true), FPH_OK);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_OK);
	ck_assert(guest_take_used(&g, 2, &head));
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 4);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_OK);
	guest_offer_one(&g, 2, GUEST_BUFFERS, 10, 0);
	process(2, 1);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_OK);
	ck_assert_uint_eq(guest_counters(&g).stats, 2);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_ESTATE);
	finish();
}
END_TEST

START_TEST(bad_statistics_are_held_and_not_taken)
{
	static const struct {
		uint64_t gpa;
		uint32_t len;
		uint16_t flags;
		bool unmapped;
	} row[] = {
		{ GUEST_BUFFERS, 9, 0, false },
		{ GUEST_BUFFERS, 81, 0, false },
		{ GUEST_BUFFERS, 80, RING_WRITE, false },
		{ GUEST_OUTSIDE, 80, 0, true },
		{ GUEST_BYTES - 10, 80, 0, true },
	};
	struct fph_stat stat;

	boot();
	put_stat(GUEST_BUFFERS, 0, 4, 44);
	guest_offer_one(&g, 2, GUEST_BUFFERS, 10, 0);
	process(2, 1);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fph_balloon_counters c = guest_counters(&g);

		fph_balloon_take_events(g.balloon);
		ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_OK);
		guest_offer_one(&g, 2, row[i].gpa, row[i].len, row[i].flags);
		process(2, 1);
		ck_assert_uint_eq(guest_count_used(&g, 2), i + 1);
		ck_assert_uint_eq(fph_balloon_take_events(g.balloon), 0);
		ck_assert_uint_eq(fph_balloon_get_stats(g.balloon, &stat, 1),
				  1);
		ck_assert_uint_eq(stat.val, 44);
		ck_assert_uint_eq(guest_counters(&g).queue[2].unmapped,
				  c.queue[2].unmapped + row[i].unmapped);
		ck_assert_uint_eq(guest_counters(&g).queue[2].peer_errors,
				  c.queue[2].peer_errors + !row[i].unmapped);
	}
	ck_assert_uint_eq(guest_counters(&g).stats, 1);
	ck_assert(!fph_balloon_is_broken(g.balloon));
	finish();
}
END_TEST

START_TEST(too_many_statistics_are_cut)
{
	struct fph_stat stat[FPH_BALLOON_NSTATS + 1];

	boot();
	for (uint32_t i = 0; i < 40; i++)
		put_stat(GUEST_BUFFERS, i, (uint16_t)i, i);
	guest_offer_one(&g, 2, GUEST_BUFFERS, 400, 0);
	process(2, 1);
	ck_assert_uint_eq(fph_balloon_get_stats(g.balloon, stat, 33),
			  FPH_BALLOON_NSTATS);
	ck_assert_uint_eq(stat[31].val, 31);
	/* A second buffer, unasked for: the device holds only one. */
	put_stat(GUEST_BUFFERS + 1024, 0, 5, 55);
	guest_offer_one(&g, 2, GUEST_BUFFERS + 1024, 10, 0);
	process(2, 1);
	ck_assert_uint_eq(guest_count_used(&g, 2), 1);
	ck_assert_uint_eq(ring_get_used_id(&g.ring[2], 0), 0);
	ck_assert_uint_eq(fph_balloon_get_stats(g.balloon, stat, 33), 1);
	ck_assert_uint_eq(stat[0].val, 55);
	finish();
}
END_TEST

START_TEST(held_statistics_are_popped_again)
{
	uint32_t base = 9;

	boot();
	guest_offer_one(&g, 2, GUEST_BUFFERS, 10, 0);
	process(2, 1);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_OK);
	guest_offer_one(&g, 2, GUEST_BUFFERS, 10, 0);
	process(2, 1);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 2, &base), FPH_OK);
	ck_assert_uint_eq(base, 1);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_ESTATE);
	guest_start(&g, 2, (uint16_t)base);
	process(2, 1);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_OK);
	ck_assert_uint_eq(guest_count_used(&g, 2), 2);
	ck_assert_uint_eq(ring_get_used_id(&g.ring[2], 1), 1);
	/* Asked for and stopped before it came: may be asked for again. */
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 2, &base), FPH_OK);
	ck_assert_uint_eq(base, 2);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_ESTATE);
	finish();
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("balloon statistics");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, statistics_are_kept_in_order);
	tcase_add_test(t, statistics_are_asked_for);
	tcase_add_test(t, bad_statistics_are_held_and_not_taken);
	tcase_add_test(t, too_many_statistics_are_cut);
	tcase_add_test(t, held_statistics_are_popped_again);
	suite_add_tcase(s, t);
	return s;
}
