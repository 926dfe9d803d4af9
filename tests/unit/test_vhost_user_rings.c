/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a review found in rings and drivers: stops that are pauses or resets,
 * memory that goes and comes back, interrupts that were lost.  The number of
 * each fault stands at its test.
 */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vhost-user-balloon/clock.h"
#include "vu_fixture.h"

#define FEATURES	(VU_VIRTIO | VU_BIT_30)
#define POISON		FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON)
#define ALL_PROTOCOL	(VU_PROTOCOL | FPH_BIT(VU_PF_RESET_DEVICE) | \
			 FPH_BIT(VU_PF_CONFIGURE_MEM_SLOTS) | \
			 FPH_BIT(VU_PF_STATUS))

#define HINT		3u		/* ring indices with FEATURES */
#define REPORT		4u
#define PIECE		0x10000u

static struct vu v;

/* Report the piece; whether it was discarded. */
static bool report(void)
{
	vu_touch(&v, PIECE);
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	vu_kick(&v, REPORT);
	vu_wait_used(&v, REPORT, v.rings[REPORT].avail_idx);
	return vu_is_discarded(&v, PIECE);
}

static void boot(uint64_t features)
{
	vu_start(&v, false);
	vu_boot(&v, features, ALL_PROTOCOL, 5);
}

static void set_config(uint32_t offset, uint32_t value, uint32_t flags)
{
	uint8_t p[VU_CONFIG_DATA + 4];

	vu_store32(p + VU_CONFIG_OFFSET, offset);
	vu_store32(p + VU_CONFIG_SIZE, 4);
	vu_store32(p + VU_CONFIG_FLAGS, flags);
	vu_store32(p + VU_CONFIG_DATA, value);
	ck_assert_int_eq(vu_ack(&v, VU_SET_CONFIG, p, sizeof(p), NULL, 0), 0);
}

static uint32_t get_base(uint32_t index)
{
	uint8_t p[VU_STATE_SIZE] = { (uint8_t)index };
	struct vu_answer a;

	vu_send(&v, VU_GET_VRING_BASE, 0, p, sizeof(p), NULL, 0);
	ck_assert(vu_wait(&v, &a));
	ck_assert_uint_eq(vu_load32(a.payload), index);
	return vu_load32(a.payload + 4);
}

/* What QEMU sends when the guest is paused, and when it resets. */
static void stop_rings(bool status)
{
	uint32_t i;

	for (i = 0; i < 5; i++)
		get_base(i);
	if (status)
		ck_assert_int_eq(vu_ack_u64(&v, VU_SET_STATUS, 0), 0);
}

/* The rings go on, or those of a new driver begin. */
static void start_rings(uint64_t features, bool new_driver)
{
	uint32_t i;

	ck_assert_int_eq(vu_ack_u64(&v, VU_SET_FEATURES, features), 0);
	for (i = 0; i < 5; i++) {
		if (new_driver) {
			memset(v.rings[i].desc, 0, 0x10000);
			v.rings[i].avail_idx = 0;
		}
		vu_ring(&v, i, false);
	}
	for (i = 0; i < 5; i++)
		ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_ENABLE, i, 1),
				 0);
	ck_assert_int_eq(vu_ack_u64(&v, VU_SET_STATUS, 0xf), 0);
}

/* CONFIG_CHANGE messages that came, unanswered ones are answered. */
static int count_changes(void)
{
	int n = 0;

	for (;;) {
		uint32_t m[5] = { 0 };
		struct pollfd p = { .fd = v.back, .events = POLLIN };

		vu_step(&v, 10);
		if (poll(&p, 1, 0) != 1)
			return n;
		ck_assert_int_eq(recv(v.back, m, VU_HEADER_SIZE, 0),
				 VU_HEADER_SIZE);
		ck_assert_uint_eq(m[0], VU_BACKEND_CONFIG_CHANGE);
		ck_assert_uint_eq(m[2], 0);
		n++;
		m[1] = VU_FLAG_VERSION | VU_FLAG_REPLY;
		m[2] = 8;
		ck_assert_int_eq(send(v.back, m, 20, 0), 20);
	}
}

/* The report ring goes on where it was stopped. */
static void set_up_kick(void)
{
	uint8_t p[8] = { REPORT };

	ck_assert_int_eq(vu_ack(&v, VU_SET_VRING_KICK, p, 8, &v.kick[REPORT],
				1), 0);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_ENABLE, REPORT, 1), 0);
}

/* -------------------------------------------------------------- fault 1 */

/* A configuration change waits while the rings are stopped, then comes once. */
START_TEST(fault_1_config_change_waits_for_rings)
{
	boot(FEATURES);
	ck_assert_int_eq(count_changes(), 0);
	fph_balloon_set_target(v.daemon.service.device.balloon, 1);
	ck_assert_int_eq(count_changes(), 1);
	stop_rings(_i);
	fph_balloon_set_target(v.daemon.service.device.balloon, 2);
	fph_balloon_set_target(v.daemon.service.device.balloon, 3);
	ck_assert_int_eq(count_changes(), 0);
	start_rings(FEATURES, false);
	ck_assert_int_eq(count_changes(), 1);
	vu_stop(&v);
}
END_TEST

/* Nor before the first ring runs, nor without CONFIG. */
START_TEST(fault_1_config_change_not_negotiated)
{
	vu_start(&v, false);
	vu_protocol(&v, FPH_BIT(VU_PF_REPLY_ACK) |
			FPH_BIT(VU_PF_BACKEND_REQ));
	vu_boot(&v, FEATURES, FPH_BIT(VU_PF_REPLY_ACK) |
		FPH_BIT(VU_PF_BACKEND_REQ), 5);
	fph_balloon_set_target(v.daemon.service.device.balloon, 1);
	ck_assert_int_eq(count_changes(), 0);
	vu_stop(&v);
}
END_TEST

/* -------------------------------------------------------------- faults 2 and 3 */

static void begin_round(void)
{
	struct device *d = &v.daemon.service.device;
	uint16_t used = ring_get_used_idx(&v.rings[HINT]);
	uint32_t id;

	ck_assert_int_eq(device_start_hint(d, 0, HINT_THEN_STOP), FPH_OK);
	id = fph_balloon_hint_get_config(d->balloon);
	vu_store32(v.mem + VU_PAGES, id);
	vu_offer(&v, HINT, VU_PAGES, 4, 0);
	vu_kick(&v, HINT);
	vu_wait_used(&v, HINT, (uint16_t)(used + 1));
	ck_assert_int_eq(fph_balloon_hint_get_state(d->balloon),
			 FPH_HINT_ACTIVE);
}

/*
 * A guest reset looks like a pause, with status 0 or without: the round of the
 * old driver ends, its balloon is forgotten, the new one can be asked.
 */
START_TEST(fault_2_reset_that_looks_like_a_pause)
{
	struct device *d = &v.daemon.service.device;

	boot(FEATURES);
	ck_assert(report());
	set_config(FPH_CONFIG_ACTUAL, 7, 0);
	begin_round();
	stop_rings(_i & 1);
	/* With init_on_free a new driver writes before it has rings. */
	if (_i & 2)
		set_config(FPH_CONFIG_ACTUAL, 0, 0);
	start_rings(FEATURES, true);
	ck_assert_uint_eq(fph_balloon_get_actual(d->balloon), 0);
	ck_assert_int_ne(fph_balloon_hint_get_state(d->balloon),
			 FPH_HINT_ACTIVE);
	begin_round();
	ck_assert(report());
	vu_stop(&v);
}
END_TEST

/* What a new driver writes before its rings is kept. */
START_TEST(fault_2_new_driver_keeps_what_it_wrote)
{
	boot(FEATURES | POISON);
	ck_assert(report());
	stop_rings(_i);
	set_config(FPH_CONFIG_POISON_VAL, 0xaa, 0);
	start_rings(FEATURES | POISON, true);
	ck_assert(!report());
	set_config(FPH_CONFIG_POISON_VAL, 0, 0);
	ck_assert(report());
	vu_stop(&v);
}
END_TEST

/* A pause loses neither a round nor poison nor actual, with status 0 too. */
START_TEST(fault_3_pause_keeps_poison_and_round)
{
	struct device *d = &v.daemon.service.device;

	boot(FEATURES | POISON);
	set_config(FPH_CONFIG_POISON_VAL, 0xaa, 0);
	set_config(FPH_CONFIG_ACTUAL, 7, 0);
	ck_assert(!report());
	begin_round();
	stop_rings(_i);
	start_rings(FEATURES | POISON, false);
	ck_assert_uint_eq(fph_balloon_get_actual(d->balloon), 7);
	ck_assert_int_eq(fph_balloon_hint_get_state(d->balloon),
			 FPH_HINT_ACTIVE);
	ck_assert(!report());
	vu_stop(&v);
}
END_TEST

/* Status 0 while the rings run is a reset, as it was. */
START_TEST(fault_3_status_0_of_running_rings_resets)
{
	boot(FEATURES | POISON);
	set_config(FPH_CONFIG_ACTUAL, 7, 0);
	ck_assert_int_eq(vu_ack_u64(&v, VU_SET_STATUS, 0), 0);
	ck_assert_uint_eq(fph_balloon_get_actual(
			  v.daemon.service.device.balloon), 0);
	vu_stop(&v);
}
END_TEST

/* -------------------------------------------------------------- fault 4 */

static void put_all_memory(uint8_t *p)
{
	memset(p, 0, VU_SINGLE_REGION_SIZE);
	vu_put_region(p + VU_SINGLE_REGION, 0, VU_MEM_SIZE, VU_UVA, 0);
}

/* The memory of running rings goes, a kick comes, the memory comes back. */
START_TEST(fault_4_rings_resume_with_their_memory)
{
	uint8_t p[VU_SINGLE_REGION_SIZE], none[VU_TABLE_REGIONS] = { 0 };
	uint8_t table[VU_TABLE_REGIONS + VU_REGION_SIZE] = { 1 };
	uint16_t used;

	boot(FEATURES);
	ck_assert(report());
	used = ring_get_used_idx(&v.rings[REPORT]);
	put_all_memory(p);
	memcpy(table + VU_TABLE_REGIONS, p + VU_SINGLE_REGION, VU_REGION_SIZE);
	if (_i)
		ck_assert_int_eq(vu_ack(&v, VU_SET_MEM_TABLE, none,
					sizeof(none), NULL, 0), 0);
	else
		ck_assert_int_eq(vu_ack(&v, VU_REM_MEM_REG, p, sizeof(p),
					NULL, 0), 0);
	vu_touch(&v, PIECE);
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	vu_kick(&v, REPORT);
	vu_step(&v, 20);
	ck_assert_uint_eq(ring_get_used_idx(&v.rings[REPORT]), used);
	if (_i)
		ck_assert_int_eq(vu_ack(&v, VU_SET_MEM_TABLE, table,
					sizeof(table), &v.memfd, 1), 0);
	else
		ck_assert_int_eq(vu_ack(&v, VU_ADD_MEM_REG, p, sizeof(p),
					&v.memfd, 1), 0);
	vu_wait_used(&v, REPORT, (uint16_t)(used + 1));
	ck_assert(vu_is_discarded(&v, PIECE));
	ck_assert(report());
	vu_stop(&v);
}
END_TEST

/* A ring that was stopped meanwhile does not come back by itself. */
START_TEST(fault_4_stopped_ring_stays_stopped)
{
	uint8_t p[VU_SINGLE_REGION_SIZE];

	boot(FEATURES);
	put_all_memory(p);
	ck_assert_int_eq(vu_ack(&v, VU_REM_MEM_REG, p, sizeof(p), NULL, 0),
			 0);
	get_base(REPORT);
	ck_assert_int_eq(vu_ack(&v, VU_ADD_MEM_REG, p, sizeof(p), &v.memfd,
				1), 0);
	ck_assert(!v.daemon.service.session.rings[REPORT].running);
	ck_assert(v.daemon.service.session.rings[HINT].running);
	vu_stop(&v);
}
END_TEST

/* The same user address with other memory: translated anew. */
START_TEST(fault_7_user_address_of_other_memory)
{
	uint8_t p[VU_TABLE_REGIONS + VU_REGION_SIZE] = { 0 };

	boot(FEATURES);
	ck_assert(report());
	/* The second half of guest memory now stands for the first. */
	memcpy(v.mem + VU_MEM_SIZE / 2, v.mem, 5 * 0x10000);
	vu_store32(p + VU_TABLE_NUM, 1);
	vu_put_region(p + VU_TABLE_REGIONS, 0, VU_MEM_SIZE / 2, VU_UVA,
		      VU_MEM_SIZE / 2);
	ck_assert_int_eq(vu_ack(&v, VU_SET_MEM_TABLE, p, sizeof(p), &v.memfd,
				1), 0);
	v.rings[REPORT].desc += VU_MEM_SIZE / 2;
	v.rings[REPORT].avail += VU_MEM_SIZE / 2;
	v.rings[REPORT].used += VU_MEM_SIZE / 2;
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	vu_kick(&v, REPORT);
	vu_wait_used(&v, REPORT, 2);
	vu_stop(&v);
}
END_TEST

/* -------------------------------------------------------------- fault 5 */

static bool is_called(int fd)
{
	eventfd_t n;

	return eventfd_read(fd, &n) == 0;
}

/* The buffer comes back after the front-end hung up: its interrupt too. */
START_TEST(fault_5_interrupt_as_the_connection_ends)
{
	struct worker *w = &v.daemon.service.device.worker;
	int call;

	boot(FEATURES);
	call = dup(v.call[REPORT]);
	is_called(call);
	worker_set_delay(w, 3600000);
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	vu_kick(&v, REPORT);
	while (worker_is_idle(w))
		vu_step(&v, 0);
	vu_hang_up(&v);
	vu_step(&v, 20);
	ck_assert_uint_eq(ring_get_used_idx(&v.rings[REPORT]), 0);
	ck_assert(!is_called(call));
	worker_set_delay(w, 0);
	while (v.daemon.frontend.state != FRONTEND_NONE)
		vu_step(&v, 0);
	ck_assert_uint_eq(ring_get_used_idx(&v.rings[REPORT]), 1);
	ck_assert(is_called(call));
	close(call);
	vu_stop(&v);
}
END_TEST

/* A ring that goes on in the middle, and a new descriptor, are raised once. */
START_TEST(fault_5_interrupt_at_the_start)
{
	uint8_t p[8];

	boot(FEATURES);
	vu_step(&v, 10);
	ck_assert(!is_called(v.call[HINT]));
	ck_assert(report());
	while (is_called(v.call[REPORT]))
		;
	stop_rings(false);
	start_rings(FEATURES, false);
	ck_assert(is_called(v.call[REPORT]));
	ck_assert(!is_called(v.call[REPORT]));
	vu_store64(p, REPORT);
	ck_assert_int_eq(vu_ack(&v, VU_SET_VRING_CALL, p, 8, &v.call[REPORT],
				1), 0);
	ck_assert(is_called(v.call[REPORT]));
	vu_stop(&v);
}
END_TEST

/* -------------------------------------------------------------- fault 9 */

START_TEST(fault_9_restored_device_keeps_its_target)
{
	struct fph_balloon *b;

	vu_start(&v, false);
	b = v.daemon.service.device.balloon;
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 0);
	/* A driver cannot set it. */
	set_config(FPH_CONFIG_NUM_PAGES, 9, 0);
	ck_assert_uint_eq(fph_balloon_get_target(b), 0);
	set_config(FPH_CONFIG_NUM_PAGES, 9, VU_CONFIG_MIGRATION);
	ck_assert_uint_eq(fph_balloon_get_target(b), 9);
	vu_stop(&v);
}
END_TEST

/* The base once more after the kick that started the ring. */
START_TEST(fault_9_base_again_after_the_kick)
{
	boot(FEATURES);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_BASE, REPORT, 0), 0);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_BASE, REPORT, 1),
			 EBUSY);
	ck_assert(report());
	vu_stop(&v);
}
END_TEST

/* The features asked for, without bit 30: a ring without a kick goes on. */
START_TEST(fault_9_features_asked_for_without_bit_30)
{
	uint8_t p[8];

	boot(VU_VIRTIO);
	vu_store64(p, REPORT | VU_FD_NONE);
	ck_assert_int_eq(vu_ack(&v, VU_SET_VRING_KICK, p, 8, NULL, 0), 0);
	vu_get_u64(&v, VU_GET_FEATURES);
	vu_touch(&v, PIECE);
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	vu_wait_used(&v, REPORT, 1);
	ck_assert(vu_is_discarded(&v, PIECE));
	vu_stop(&v);
}
END_TEST

/* ------------------------------------------------------------ lost kicks */

/*
 * The time of a turn may be over at any moment, also between two looks at the
 * clock: what was kicked is taken, or ready in the next turn.
 */
START_TEST(kick_is_kept_when_the_time_is_over)
{
	struct service *service = &v.daemon.service;
	struct device *d = &service->device;
	int n;

	boot(FEATURES);
	for (n = 0; n < 1000; n++) {
		vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
		d->turn_end = clock_now_us() + n % 4;
		session_process(&service->session, REPORT);
		ck_assert(device_get_inflight(d, FPH_QUEUE_REPORT) ||
			  device_get_ready(d) & 1u << REPORT);
		vu_wait_used(&v, REPORT, v.rings[REPORT].avail_idx);
	}
	vu_stop(&v);
}
END_TEST

/* The same when there is no room for events: hints are told of one by one. */
START_TEST(kick_is_kept_when_no_event_fits)
{
	struct service *service = &v.daemon.service;
	struct device *d = &service->device;

	boot(FEATURES);
	while (!events_is_full(d->event_queue))
		events_put(d->event_queue, EVENT_FRONTEND_GONE, 0, 0);
	vu_offer(&v, HINT, VU_PAGES, PIECE, RING_WRITE);
	device_begin_turn(d);
	session_process(&service->session, HINT);
	ck_assert(device_get_ready(d) & 1u << HINT);
	vu_wait_used(&v, HINT, v.rings[HINT].avail_idx);
	vu_stop(&v);
}
END_TEST

/* --------------------------------------------------------- packed rings */

/*
 * A new packed ring, of which a front-end says that its base is 0, or the true
 * one; the base where it was stopped, at every place of its first two laps.
 */
START_TEST(packed_ring_goes_on)
{
	uint32_t place, lap, n;

	boot(FEATURES | FPH_BIT(VIRTIO_F_RING_PACKED));
	if (_i) {
		get_base(REPORT);
		ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_BASE, REPORT,
					      0), 0);
		set_up_kick();
		/* Said again, it is no other one. */
		ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_BASE, REPORT,
					      0), 0);
		ck_assert_int_ne(vu_ack_state(&v, VU_SET_VRING_BASE, REPORT,
					      1), 0);
	}
	for (n = 1; n <= 2 * VU_NUM; n++) {
		ck_assert(report());
		place = n % VU_NUM;
		lap = n / VU_NUM % 2 ? 0 : 0x8000;
		ck_assert_uint_eq(get_base(REPORT), (place | lap) << 16 |
						    place | lap);
		set_up_kick();
	}
	vu_stop(&v);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vhost_user_rings");
	TCase *tc = tcase_create("vhost_user_rings");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, fault_1_config_change_waits_for_rings, 0, 2);
	tcase_add_test(tc, fault_1_config_change_not_negotiated);
	tcase_add_loop_test(tc, fault_2_reset_that_looks_like_a_pause, 0, 4);
	tcase_add_loop_test(tc, fault_2_new_driver_keeps_what_it_wrote, 0, 2);
	tcase_add_loop_test(tc, fault_3_pause_keeps_poison_and_round, 0, 2);
	tcase_add_test(tc, fault_3_status_0_of_running_rings_resets);
	tcase_add_loop_test(tc, fault_4_rings_resume_with_their_memory, 0, 2);
	tcase_add_test(tc, fault_4_stopped_ring_stays_stopped);
	tcase_add_test(tc, fault_5_interrupt_as_the_connection_ends);
	tcase_add_test(tc, fault_5_interrupt_at_the_start);
	tcase_add_test(tc, fault_7_user_address_of_other_memory);
	tcase_add_test(tc, fault_9_restored_device_keeps_its_target);
	tcase_add_test(tc, fault_9_base_again_after_the_kick);
	tcase_add_test(tc, fault_9_features_asked_for_without_bit_30);
	tcase_add_test(tc, kick_is_kept_when_the_time_is_over);
	tcase_add_test(tc, kick_is_kept_when_no_event_fits);
	tcase_add_loop_test(tc, packed_ring_goes_on, 0, 2);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
