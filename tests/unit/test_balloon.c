/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The balloon device: the object, features, config space, freeze, reset. */
#include <stdlib.h>
#include <string.h>

#include "balloon_fixture.h"
#include "runner.h"

static struct guest g;

#define S	GUEST_BIT(STATS_VQ)
#define H	GUEST_BIT(FREE_PAGE_HINT)
#define P	GUEST_BIT(PAGE_POISON)
#define R	GUEST_BIT(PAGE_REPORTING)

#define RING_RESET	FPH_BIT(40)	/* a bit of the transport */

static void finish(void)
{
	guest_fini(&g);
}

/* ---------------------------------------------------------------- object -- */

static int try_new(const struct fph_balloon_params *p)
{
	int status = 1;
	struct fph_balloon *b = fph_balloon_new(p, &status);

	ck_assert(!b == (status != FPH_OK));
	fph_balloon_free(b);
	b = fph_balloon_new(p, NULL);
	ck_assert(!b == (status != FPH_OK));
	fph_balloon_free(b);
	return status;
}

START_TEST(new_checks_its_parameters)
{
	struct fph_balloon_params good = {
		.size = sizeof(good), .features = GUEST_FEATURES
	};
	struct {
		struct fph_balloon_params p;
		uint64_t tail;
	} longer;
	struct fph_balloon_params p;

	guest_init(&g, 16);
	good.memory = g.memory;
	ck_assert_int_eq(try_new(NULL), FPH_EINVAL);
	ck_assert_int_eq(try_new(&good), FPH_OK);
	p = good;
	p.size--;
	ck_assert_int_eq(try_new(&p), FPH_EINVAL);
	p = good;
	p.memory = NULL;
	ck_assert_int_eq(try_new(&p), FPH_EINVAL);
	p = good;
	p.features |= FPH_BIT(6);
	ck_assert_int_eq(try_new(&p), FPH_EINVAL);
	p.features = good.features | FPH_BIT(VIRTIO_F_ACCESS_PLATFORM);
	ck_assert_int_eq(try_new(&p), FPH_EINVAL);
	p.features = good.features | RING_RESET;
	ck_assert_int_eq(try_new(&p), FPH_EINVAL);
	p.features = good.features | GUEST_VERSION_1;
	ck_assert_int_eq(try_new(&p), FPH_OK);

	memset(&longer, 0, sizeof(longer));
	longer.p = good;
	longer.p.size = sizeof(longer);
	ck_assert_int_eq(try_new(&longer.p), FPH_OK);
	longer.tail = 1;
	ck_assert_int_eq(try_new(&longer.p), FPH_EINVAL);

	fph_balloon_free(NULL);
	finish();
}
END_TEST

START_TEST(new_checks_its_numbers)
{
	static const struct {
		uint64_t granule;
		int numbering;
		uint32_t first_id;
		int want;
	} row[] = {
		{ 0, 0, 0, FPH_OK },
		{ 4096, FPH_NUMBERING_FIXED, 2, FPH_OK },
		{ 0x200000, FPH_NUMBERING_OFFERED, 0xffffffff, FPH_OK },
		{ 1, 0, 0, FPH_EINVAL },
		{ 2048, 0, 0, FPH_EINVAL },
		{ 12288, 0, 0, FPH_EINVAL },
		{ 0, -1, 0, FPH_EINVAL },
		{ 0, FPH_NUMBERING_OFFERED + 1, 0, FPH_EINVAL },
		{ 0, 0, VIRTIO_BALLOON_CMD_ID_DONE, FPH_EINVAL },
	};

	guest_init(&g, 16);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fph_balloon_params p = {
			.size = sizeof(p), .memory = g.memory,
			.features = GUEST_FEATURES,
			.report_granule = row[i].granule,
			.inflate_granule = row[i].granule,
			.hint_granule = row[i].granule,
			.numbering = (uint32_t)row[i].numbering,
			.first_id = row[i].first_id
		};

		ck_assert_msg(try_new(&p) == row[i].want, "row %zu", i);
	}
	finish();
}
END_TEST

/* -------------------------------------------------------------- features -- */

START_TEST(features_are_the_drivers_choice)
{
	uint64_t all = GUEST_FEATURES | GUEST_VERSION_1;

	guest_init(&g, 16);
	guest_new(&g, S | R, 0);
	ck_assert_uint_eq(fph_balloon_get_features(g.balloon),
			  S | R | GUEST_VERSION_1);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, H), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_set_features(
		g.balloon, FPH_BIT(VIRTIO_F_ACCESS_PLATFORM)), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, R | RING_RESET),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, 2, NULL),
			 FPH_ENOENT);
	fph_balloon_free(g.balloon);

	guest_new(&g, GUEST_FEATURES, 0);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, all), FPH_OK);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, 0), FPH_OK);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, all), FPH_OK);
	guest_start(&g, 4, 0);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, 0), FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, 4, NULL),
			 FPH_QUEUE_REPORT);
	finish();
}
END_TEST

/* ---------------------------------------------------------- config space -- */

static uint32_t read32(uint32_t offset)
{
	uint8_t b[4];

	memset(b, 0xee, sizeof(b));
	fph_balloon_get_config(g.balloon, offset, b, 4);
	return (uint32_t)ring_get(b, 4, false);
}

static void write32(uint32_t offset, uint32_t v)
{
	uint8_t b[4];

	ring_put(b, 4, v, false);
	fph_balloon_set_config(g.balloon, offset, b, 4);
}

START_TEST(config_has_the_size_of_the_offer)
{
	static const struct {
		uint64_t offered;
		uint32_t size;
	} row[] = {
		{ 0, 8 }, { S | R, 8 }, { H, 12 }, { P, 16 }, { H | P, 16 }
	};
	uint8_t b[24];

	guest_init(&g, 16);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		guest_new(&g, row[i].offered, 0);
		ck_assert_uint_eq(fph_balloon_get_config_size(g.balloon),
				  row[i].size);
		fph_balloon_set_target(g.balloon, 0xa1a2a3a4);
		write32(4, 0xb1b2b3b4);
		memset(b, 0xee, sizeof(b));
		fph_balloon_get_config(g.balloon, 0, b, sizeof(b));
		ck_assert_uint_eq(ring_get(b, 4, false), 0xa1a2a3a4);
		ck_assert_uint_eq(ring_get(b + 4, 4, false), 0xb1b2b3b4);
		for (size_t j = 8; j < sizeof(b); j++)
			ck_assert_uint_eq(b[j], 0);
		fph_balloon_free(g.balloon);
	}
	guest_new(&g, 0, 0);
	finish();
}
END_TEST

START_TEST(config_reads_any_piece)
{
	uint8_t b[4] = { 1, 2, 3, 4 };

	guest_boot_without(&g, 0);
	fph_balloon_set_target(g.balloon, 0x04030201);
	fph_balloon_get_config(g.balloon, 1, b, 2);
	ck_assert_uint_eq(b[0], 2);
	ck_assert_uint_eq(b[1], 3);
	ck_assert_uint_eq(b[2], 3);
	/* Nothing is asked for, nothing is written. */
	fph_balloon_get_config(g.balloon, 0, b, 0);
	ck_assert_uint_eq(b[0], 2);
	ck_assert_uint_eq(read32(14), 0);
	ck_assert_uint_eq(read32(16), 0);
	ck_assert_uint_eq(read32(0xffffffff), 0);
	finish();
}
END_TEST

START_TEST(config_takes_only_what_is_the_drivers)
{
	uint8_t all[20];

	guest_boot_without(&g, 0);
	fph_balloon_set_target(g.balloon, 77);
	fph_balloon_take_events(g.balloon);
	memset(all, 0x55, sizeof(all));
	fph_balloon_set_config(g.balloon, 0, all, sizeof(all));
	ck_assert_uint_eq(fph_balloon_get_target(g.balloon), 77);
	ck_assert_uint_eq(fph_balloon_get_actual(g.balloon), 0x55555555);
	ck_assert_uint_eq(read32(0), 77);
	ck_assert_uint_eq(read32(8), 0);
	ck_assert_uint_eq(read32(12), 0x55555555);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon),
			  FPH_EVENT_ACTUAL);

	/* One byte of a field; two that touch it from outside. */
	all[0] = 0xaa;
	all[1] = 0xbb;
	fph_balloon_set_config(g.balloon, 7, all, 1);
	ck_assert_uint_eq(fph_balloon_get_actual(g.balloon), 0xaa555555);
	fph_balloon_set_config(g.balloon, 3, all, 2);
	ck_assert_uint_eq(fph_balloon_get_actual(g.balloon), 0xaa5555bb);
	ck_assert_uint_eq(fph_balloon_get_target(g.balloon), 77);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon),
			  FPH_EVENT_ACTUAL);

	/* Neither field, beyond the end, nothing. */
	fph_balloon_set_config(g.balloon, 0, all, 4);
	fph_balloon_set_config(g.balloon, 8, all, 4);
	fph_balloon_set_config(g.balloon, 16, all, 4);
	fph_balloon_set_config(g.balloon, 0xfffffffe, all, 4);
	fph_balloon_set_config(g.balloon, 4, all, 0);
	ck_assert_uint_eq(fph_balloon_get_actual(g.balloon), 0xaa5555bb);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon), 0);
	finish();
}
END_TEST

START_TEST(poison_val_needs_its_feature)
{
	uint64_t all = GUEST_FEATURES | GUEST_VERSION_1;

	guest_init(&g, 16);
	guest_new(&g, GUEST_FEATURES, 0);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, all & ~P),
			 FPH_OK);
	write32(12, 0xaaaaaaaa);
	ck_assert_uint_eq(read32(12), 0);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, all), FPH_OK);
	ck_assert_uint_eq(read32(12), 0);
	write32(12, 0xaaaaaaaa);
	ck_assert_uint_eq(read32(12), 0xaaaaaaaa);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, all), FPH_OK);
	ck_assert_uint_eq(read32(12), 0xaaaaaaaa);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, all & ~P),
			 FPH_OK);
	ck_assert_uint_eq(read32(12), 0);
	/* A config space that ends before the field. */
	fph_balloon_free(g.balloon);
	guest_new(&g, H, 0);
	write32(12, 0xaaaaaaaa);
	ck_assert_uint_eq(read32(12), 0);
	finish();
}
END_TEST

START_TEST(target_tells_of_a_change_only)
{
	guest_boot_without(&g, 0);
	ck_assert_uint_eq(fph_balloon_get_target(g.balloon), 0);
	fph_balloon_set_target(g.balloon, 0);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon), 0);
	fph_balloon_set_target(g.balloon, 512);
	ck_assert_uint_eq(read32(0), 512);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon),
			  FPH_EVENT_CONFIG);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon), 0);
	finish();
}
END_TEST

/* ------------------------------------------------------ freeze and reset -- */

START_TEST(freeze_holds_everything)
{
	struct fph_run d, other;
	struct fph_run run;
	uint32_t base;

	guest_boot_without(&g, 0);
	ck_assert_int_eq(fph_balloon_thaw(g.balloon), FPH_OK);
	for (int i = 0; i < 3; i++)
		guest_offer_one(&g, 4, GUEST_PAGES + 0x2000u * (uint32_t)i,
				GUEST_PAGE, RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 4, 2), 2);
	ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 1);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_EINPROGRESS);
	ck_assert_int_eq(fph_balloon_next(g.balloon, &other, 1), 0);
	ck_assert_int_eq(fph_balloon_hint_next(g.balloon, &run, 1), 0);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 4, 9), 0);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 0);
	/* What waited is back, with nothing done; the other when it is over. */
	ck_assert_uint_eq(guest_count_used(&g, 4), 1);
	ck_assert_int_eq(fph_balloon_ring_get_base(g.balloon, 4, &base),
			 FPH_EBUSY);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon) &
			  FPH_EVENT_DRAINED, 0);
	ck_assert_int_eq(complete_run(g.balloon, &d, true), FPH_OK);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon) &
			  FPH_EVENT_DRAINED, FPH_EVENT_DRAINED);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 3, &base), FPH_OK);

	/* Fault 4: repeating it is harmless, and one thaw undoes it. */
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_OK);
	ck_assert_uint_eq(guest_count_used(&g, 4), 2);
	/* Fault 5: the base of a ring that goes on, and a stop that ends. */
	ck_assert_int_eq(fph_balloon_ring_get_base(g.balloon, 4, &base),
			 FPH_OK);
	ck_assert_uint_eq(base, 2);
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, 1, &base), FPH_OK);
	ck_assert_int_eq(fph_balloon_thaw(g.balloon), FPH_OK);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon) & 0x10, 0x10);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
	guest_settle(&g, 4);
	ck_assert_uint_eq(guest_count_used(&g, 4), 3);
	finish();
}
END_TEST

START_TEST(reset_waits_for_discards)
{
	struct fph_run d, other;
	struct fph_run run;

	guest_boot_without(&g, P);
	write32(4, 99);
	fph_balloon_set_target(g.balloon, 5);
	guest_offer_one(&g, 4, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	guest_offer_one(&g, 4, GUEST_PAGES + 0x2000, GUEST_PAGE, RING_WRITE);
	guest_frames(&g, 0, GUEST_BUFFERS, 0x200000, GUEST_PAGE, 1);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 4, 9), 2);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 0, 9), 1);
	ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 1);
	guest_offer_one(&g, 4, GUEST_PAGES, GUEST_PAGE, RING_WRITE);

	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_EINPROGRESS);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 4, 9), 0);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 0);
	ck_assert_int_eq(fph_balloon_next(g.balloon, &other, 1), 0);
	ck_assert_int_eq(fph_balloon_hint_next(g.balloon, &run, 1), 0);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_hint_request(g.balloon, &(uint32_t){ 0 }),
			 FPH_ESTATE);
	ck_assert_int_eq(complete_run(g.balloon, &d, true), FPH_OK);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);

	ck_assert_uint_eq(fph_balloon_get_outstanding(g.balloon), 0);
	ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 0);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		ck_assert_uint_eq(guest_count_used(&g, i), 0);
		ck_assert_int_eq(fph_balloon_process(g.balloon, i, 1),
				 FPH_ESTATE);
	}
	ck_assert_uint_eq(fph_balloon_get_actual(g.balloon), 0);
	ck_assert_uint_eq(fph_balloon_get_target(g.balloon), 5);
	ck_assert_int_eq(fph_balloon_get_queue(g.balloon, 4, NULL),
			 FPH_ENOENT);
	ck_assert_uint_eq(guest_counters(&g).report.buffers, 2);
	ck_assert_int_eq(complete_run(g.balloon, &d, true),
			 FPH_EINVAL);
	finish();
}
END_TEST

START_TEST(reset_forgets_poison)
{
	guest_boot_without(&g, 0);
	write32(12, 0xaaaaaaaa);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	ck_assert_uint_eq(read32(12), 0);
	ck_assert_int_eq(fph_balloon_set_features(
		g.balloon, R | S | H | GUEST_VERSION_1), FPH_OK);
	guest_start(&g, 4, 0);
	guest_offer_one(&g, 4, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	guest_settle(&g, 4);
	ck_assert_uint_eq(guest_counters(&g).report.bytes_freed, GUEST_PAGE);
	ck_assert_uint_eq(guest_counters(&g).report.poisoned, 0);
	finish();
}
END_TEST

START_TEST(complete_wants_a_discard_that_is_out)
{
	struct fph_run d;

	guest_boot_without(&g, 0);
	guest_offer_one(&g, 4, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 4, 1), 1);
	ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 1);
	ck_assert_uint_eq(fph_balloon_get_outstanding(g.balloon), 1);
	d.queue = FPH_QUEUE_HINT;
	ck_assert_int_eq(complete_run(g.balloon, &d, true),
			 FPH_EINVAL);
	d.queue = FPH_QUEUE_INFLATE;
	ck_assert_int_eq(complete_run(g.balloon, &d, true),
			 FPH_EINVAL);
	d.queue = FPH_QUEUE_REPORT;
	ck_assert_int_eq(complete_run(g.balloon, &d, false), FPH_OK);
	ck_assert_int_eq(complete_run(g.balloon, &d, true),
			 FPH_EINVAL);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	ck_assert_uint_eq(guest_counters(&g).report.failed_runs, 1);
	finish();
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("balloon");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, new_checks_its_parameters);
	tcase_add_test(t, new_checks_its_numbers);
	tcase_add_test(t, features_are_the_drivers_choice);
	tcase_add_test(t, config_has_the_size_of_the_offer);
	tcase_add_test(t, config_reads_any_piece);
	tcase_add_test(t, config_takes_only_what_is_the_drivers);
	tcase_add_test(t, poison_val_needs_its_feature);
	tcase_add_test(t, target_tells_of_a_change_only);
	tcase_add_test(t, freeze_holds_everything);
	tcase_add_test(t, reset_waits_for_discards);
	tcase_add_test(t, reset_forgets_poison);
	tcase_add_test(t, complete_wants_a_discard_that_is_out);
	suite_add_tcase(s, t);
	return s;
}
