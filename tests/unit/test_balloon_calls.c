/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What every call of the balloon answers when it is called wrongly, and a
 * device that goes on from the numbers of another one.
 */
#include <string.h>

#include "guest.h"
#include "runner.h"

#define INFLATE	0u
#define REPORT	4u
#define MAGIC_ID	0x12345678u

static struct guest g, other;

/* ----------------------------------------------------------------- no device -- */

START_TEST(no_device_is_no_fault)
{
	struct fph_balloon_state state = { .size = sizeof(state) };
	struct fph_balloon_counters counters;
	struct fph_balloon_ring ring = { .size = sizeof(ring) };
	struct fph_span spans[FPH_WRITTEN_SPANS];
	struct fph_stat stat;
	struct fph_run run = { .len = 1 };
	uint32_t number;
	uint8_t byte = 7;
	size_t size;
	int candidates;

	ck_assert_int_eq(fph_balloon_reset(NULL), FPH_EUNINIT);
	ck_assert_uint_eq(fph_balloon_get_features(NULL), 0);
	ck_assert_uint_eq(fph_balloon_get_negotiated(NULL), 0);
	ck_assert_int_eq(fph_balloon_set_features(NULL, 0), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_set_endian(NULL, FPH_LE), FPH_EUNINIT);
	ck_assert_uint_eq(fph_balloon_get_config_size(NULL), 0);
	fph_balloon_get_config(NULL, 0, &byte, 1);
	ck_assert_uint_eq(byte, 0);
	fph_balloon_set_config(NULL, 0, &byte, 1);
	ck_assert_int_eq(fph_balloon_ring_start(NULL, 0, &ring), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_ring_enable(NULL, 0, true), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_ring_stop(NULL, 0, &number), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_ring_get_base(NULL, 0, &number),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_ring_take_written(NULL, 0, spans),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_get_queue(NULL, 0, &candidates),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_kick(NULL, 0), FPH_EUNINIT);
	ck_assert_uint_eq(fph_balloon_get_ready(NULL), 0);
	ck_assert_int_eq(fph_balloon_pump(NULL, NULL, NULL), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_process(NULL, 0, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_next(NULL, &run, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_complete(NULL, &run, 1), FPH_EUNINIT);
	ck_assert_uint_eq(fph_balloon_flush(NULL), 0);
	ck_assert_uint_eq(fph_balloon_get_outstanding(NULL), 0);
	ck_assert_uint_eq(fph_balloon_take_notify(NULL), 0);
	ck_assert_uint_eq(fph_balloon_take_events(NULL), 0);
	ck_assert_int_eq(fph_balloon_freeze(NULL), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_freeze_as(NULL, FPH_FREEZE_HOLD),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_thaw(NULL), FPH_EUNINIT);
	ck_assert(!fph_balloon_is_frozen(NULL));
	ck_assert(!fph_balloon_is_broken(NULL));
	fph_balloon_set_target(NULL, 1);
	ck_assert_uint_eq(fph_balloon_get_target(NULL), 0);
	ck_assert_uint_eq(fph_balloon_get_actual(NULL), 0);
	ck_assert_int_eq(fph_balloon_stats_request(NULL), FPH_EUNINIT);
	ck_assert_uint_eq(fph_balloon_get_stats(NULL, &stat, 1), 0);
	ck_assert_int_eq(fph_balloon_get_state(NULL, &state), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_restore(NULL, &state), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_save(NULL, NULL, 0, &size), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_load(NULL, &byte, 1, 0, NULL),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_get_counters(NULL, &counters,
						  sizeof(counters)),
			 FPH_EUNINIT);
	fph_balloon_free(NULL);
}
END_TEST

START_TEST(no_device_hints_nothing)
{
	struct fph_run run = { .len = 1 };
	uint32_t id;

	ck_assert_int_eq(fph_balloon_hint_request(NULL, &id), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_hint_stop(NULL), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_hint_done(NULL), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_hint_sync_begin(NULL), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_hint_sync_end(NULL), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_hint_next(NULL, &run, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_hint_complete(NULL, &run, 1),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_hint_get_state(NULL), FPH_EUNINIT);
	ck_assert_uint_eq(fph_balloon_hint_get_config(NULL),
			  VIRTIO_BALLOON_CMD_ID_STOP);
}
END_TEST

/* ----------------------------------------------------------- wrong arguments -- */

START_TEST(arguments_are_checked)
{
	struct fph_balloon_state state = { .size = 4 };
	struct fph_balloon_counters counters;
	struct fph_run run = { .len = 1 };
	struct fph_balloon *b;
	uint32_t base;

	guest_boot(&g, GUEST_FEATURES, GUEST_FEATURES | GUEST_VERSION_1, 0x1f);
	b = g.balloon;
	ck_assert_int_eq(fph_balloon_set_endian(b, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_set_endian(b, 3), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_set_endian(b, FPH_BE), FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_next(b, NULL, 1), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_next(b, &run, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_complete(b, NULL, 1), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_complete(b, &run, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_hint_next(b, NULL, 1), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_hint_next(b, &run, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_ring_stop(b, FPH_NQUEUES, &base),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_ring_stop(b, 0, NULL), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_kick(b, FPH_NQUEUES), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_ring_take_written(b, 0, NULL),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_get_counters(b, NULL, sizeof(counters)),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_get_counters(b, &counters, 0),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_get_state(b, NULL), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_get_state(b, &state), FPH_EINVAL);
	state.size = sizeof(state);
	ck_assert_int_eq(fph_balloon_get_state(b, &state), FPH_EBUSY);
	ck_assert_int_eq(fph_balloon_ring_stop(b, 0, &base), FPH_OK);
	ck_assert_int_eq(fph_balloon_ring_take_written(b, 0, NULL),
			 FPH_ESTATE);
	guest_fini(&g);
}
END_TEST

/* ------------------------------------------------------------------- restore -- */

/* A frozen device of some history: two rings, a balloon, poison, an id. */
static void make_history(struct fph_balloon_state *state)
{
	struct fph_balloon_params p = {
		.size = sizeof(p), .features = GUEST_FEATURES,
		.first_id = MAGIC_ID
	};
	uint8_t actual[4] = { 3, 0, 0, 0 }, poison[4] = { 0xaa, 0, 0, 0 };
	uint32_t id;

	guest_init(&g, 256);
	p.memory = g.memory;
	g.balloon = fph_balloon_new(&p, NULL);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, GUEST_FEATURES |
						  GUEST_VERSION_1), FPH_OK);
	guest_start(&g, INFLATE, 5);
	guest_start(&g, REPORT, 0);
	fph_balloon_set_target(g.balloon, 7);
	fph_balloon_set_config(g.balloon, FPH_CONFIG_ACTUAL, actual, 4);
	fph_balloon_set_config(g.balloon, FPH_CONFIG_POISON_VAL, poison, 4);
	ck_assert_int_eq(fph_balloon_hint_sync_begin(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_sync_end(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_request(g.balloon, &id), FPH_OK);
	ck_assert_int_eq(fph_balloon_freeze(g.balloon), FPH_OK);
	ck_assert(fph_balloon_is_frozen(g.balloon));
	memset(state, 0xa5, sizeof(*state));
	state->size = sizeof(*state);
	ck_assert_int_eq(fph_balloon_get_state(g.balloon, state), FPH_OK);
}

START_TEST(restore_goes_on)
{
	struct fph_balloon_state state;
	uint8_t config[FPH_CONFIG_SIZE];
	uint32_t id;

	make_history(&state);
	ck_assert_uint_eq(state.num_pages, 7);
	ck_assert_uint_eq(state.negotiated, GUEST_FEATURES | GUEST_VERSION_1);
	ck_assert_uint_eq(state.actual, 3);
	ck_assert_uint_eq(state.poison_val, 0xaa);
	ck_assert_uint_eq(state.hint_id, MAGIC_ID);
	ck_assert_uint_eq(state.rings, 1u << INFLATE | 1u << REPORT);
	ck_assert_uint_eq(state.base[INFLATE], 5);
	ck_assert_uint_eq(state.base[REPORT], 0);

	guest_init(&other, 256);
	guest_new(&other, GUEST_FEATURES, 0);
	(void)fph_balloon_take_events(other.balloon);
	ck_assert_int_eq(fph_balloon_restore(other.balloon, &state), FPH_OK);
	/* The host needs no hints, and the driver is to be told. */
	ck_assert_int_eq(fph_balloon_hint_get_state(other.balloon),
			 FPH_HINT_DONE);
	ck_assert_uint_eq(fph_balloon_take_events(other.balloon) &
			  FPH_EVENT_CONFIG, FPH_EVENT_CONFIG);
	ck_assert_uint_eq(fph_balloon_get_target(other.balloon), 7);
	ck_assert_uint_eq(fph_balloon_get_actual(other.balloon), 3);
	ck_assert_uint_eq(fph_balloon_get_negotiated(other.balloon),
			  state.negotiated);
	fph_balloon_get_config(other.balloon, 0, config, sizeof(config));
	ck_assert_uint_eq(config[FPH_CONFIG_POISON_VAL], 0xaa);
	/* Poison is in use: a report is left alone. */
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		guest_start(&other, i, 0);
	guest_offer_one(&other, REPORT, GUEST_PAGES, GUEST_PAGE, RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(other.balloon, REPORT, 8), 1);
	ck_assert_uint_eq(guest_counters(&other).report.poisoned, 1);
	/* The ids go on. */
	ck_assert_int_eq(fph_balloon_hint_sync_begin(other.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_sync_end(other.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_request(other.balloon, &id), FPH_OK);
	ck_assert_uint_eq(id, MAGIC_ID + 1);
	/* A ring runs now. */
	ck_assert_int_eq(fph_balloon_restore(other.balloon, &state),
			 FPH_ESTATE);
	guest_fini(&other);
	guest_fini(&g);
}
END_TEST

START_TEST(restore_checks_its_numbers)
{
	struct fph_balloon_state good, bad;

	make_history(&good);
	guest_init(&other, 256);
	guest_new(&other, GUEST_FEATURES, 0);
	ck_assert_int_eq(fph_balloon_restore(other.balloon, NULL), FPH_EINVAL);
	bad = good;
	bad.size = 4;
	ck_assert_int_eq(fph_balloon_restore(other.balloon, &bad), FPH_EINVAL);
	bad = good;
	bad.negotiated |= (uint64_t)1 << 60;
	ck_assert_int_eq(fph_balloon_restore(other.balloon, &bad), FPH_EINVAL);
	bad = good;
	bad.endian = 3;
	ck_assert_int_eq(fph_balloon_restore(other.balloon, &bad), FPH_EINVAL);
	bad = good;
	bad.hint_id = VIRTIO_BALLOON_CMD_ID_DONE;
	ck_assert_int_eq(fph_balloon_restore(other.balloon, &bad), FPH_EINVAL);
	ck_assert_uint_eq(fph_balloon_get_negotiated(other.balloon), 0);
	/* Also where no id was ever published: who waits for DONE gets it. */
	bad = good;
	bad.hint_id = 0;
	ck_assert_int_eq(fph_balloon_restore(other.balloon, &bad), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_get_state(other.balloon),
			 FPH_HINT_DONE);
	guest_fini(&other);
	guest_fini(&g);
}
END_TEST

RUNNER_SUITE("balloon_calls",
	     no_device_is_no_fault,
	     no_device_hints_nothing,
	     arguments_are_checked,
	     restore_goes_on,
	     restore_checks_its_numbers)
