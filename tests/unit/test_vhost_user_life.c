/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The life of a connection: what waits for discards (R5), drivers that come
 * and go, rings that move, front-ends that die.
 */
#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vu_fixture.h"

#define FEATURES	(VU_VIRTIO | VU_BIT_30)
#define ALL_PROTOCOL	(VU_PROTOCOL | FPH_BIT(VU_PF_RESET_DEVICE) | \
			 FPH_BIT(VU_PF_CONFIGURE_MEM_SLOTS) | \
			 FPH_BIT(VU_PF_STATUS))

#define REPORT		4u		/* its ring index with FEATURES */
#define PIECE		0x10000u
#define NEVER_MS	3600000u

static struct vu v;

/* A report that works: from offer to the page being gone. */
static void check_report(void)
{
	uint16_t used = ring_get_used_idx(&v.rings[REPORT]);

	vu_touch(&v, PIECE);
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	vu_kick(&v, REPORT);
	vu_wait_used(&v, REPORT, (uint16_t)(used + 1));
	ck_assert(vu_is_discarded(&v, PIECE));
}

/* A report whose discard does not end until worker_set_delay(0). */
static void begin_discard(void)
{
	vu_touch(&v, PIECE);
	worker_set_delay(&v.daemon.service.device.worker, NEVER_MS);
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	vu_kick(&v, REPORT);
	while (worker_is_idle(&v.daemon.service.device.worker))
		vu_step(&v, 0);
	ck_assert_uint_eq(device_get_inflight(&v.daemon.service.device,
					      FPH_QUEUE_REPORT), 1);
}

static void end_discard(void)
{
	worker_set_delay(&v.daemon.service.device.worker, 0);
}

/* ------------------------------------------------------------------ R5 -- */

struct timed_message {
	const char *what;
	uint32_t request;
	uint32_t size;
	uint8_t payload[48];		/* bytes that are not zero */
	bool with_fd;
};

/* index, number */
#define STATE(index, num)	{ (index), 0, 0, 0, (num), 0, 0, 0 }

static const struct timed_message waiting[] = {
	{ "disable", VU_SET_VRING_ENABLE, 8, STATE(REPORT, 0), false },
	{ "disable another", VU_SET_VRING_ENABLE, 8, STATE(0, 0), false },
	{ "get features", VU_GET_FEATURES, 0, { 0 }, false },
	{ "get base", VU_GET_VRING_BASE, 8, STATE(REPORT, 0), false },
	{ "get another base", VU_GET_VRING_BASE, 8, STATE(1, 0), false },
	{ "no memory", VU_SET_MEM_TABLE, 8, { 0 }, false },
	{ "remove memory", VU_REM_MEM_REG, 40, { 0 }, false },
	{ "add memory", VU_ADD_MEM_REG, 40, { 0 }, true },
	{ "reset", VU_RESET_DEVICE, 0, { 0 }, false },
	{ "reset owner", VU_RESET_OWNER, 0, { 0 }, false },
	{ "status 0", VU_SET_STATUS, 8, { 0 }, false },
	{ "other features", VU_SET_FEATURES, 8, { 0 }, false }
};

static const struct timed_message not_waiting[] = {
	{ "enable", VU_SET_VRING_ENABLE, 8, STATE(REPORT, 1), false },
	{ "protocol", VU_GET_PROTOCOL_FEATURES, 0, { 0 }, false },
	{ "queues", VU_GET_QUEUE_NUM, 0, { 0 }, false },
	{ "slots", VU_GET_MAX_MEM_SLOTS, 0, { 0 }, false },
	{ "status", VU_GET_STATUS, 0, { 0 }, false },
	{ "status 15", VU_SET_STATUS, 8, { 15 }, false },
	{ "config", VU_GET_CONFIG, 12, { 0 }, false },
	{ "owner", VU_SET_OWNER, 0, { 0 }, false }
};

#define N(a)	(sizeof(a) / sizeof((a)[0]))

static void send_timed(const struct timed_message *m)
{
	vu_send(&v, m->request, VU_FLAG_NEED_REPLY, m->payload, m->size,
		&v.memfd, m->with_fd);
}

START_TEST(answer_waits_for_discards)
{
	const struct timed_message *m = &waiting[_i];
	struct vu_answer a;

	vu_start(&v, false);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	begin_discard();
	send_timed(m);
	vu_step(&v, 30);
	ck_assert_msg(!vu_is_answered(&v), "%s did not wait", m->what);
	ck_assert(!vu_is_discarded(&v, PIECE));
	ck_assert_uint_eq(ring_get_used_idx(&v.rings[REPORT]), 0);
	/* What was offered meanwhile is not taken. */
	vu_offer(&v, REPORT, VU_PAGES + PIECE, PIECE, RING_WRITE);
	vu_kick(&v, REPORT);
	vu_step(&v, 10);
	ck_assert_uint_eq(device_get_inflight(&v.daemon.service.device,
					      FPH_QUEUE_REPORT), 1);
	end_discard();
	ck_assert(vu_wait(&v, &a));
	ck_assert_uint_eq(a.request, m->request);
	/* The buffer came back, and nothing of it is still going on. */
	ck_assert(vu_is_discarded(&v, PIECE));
	ck_assert_uint_ge(ring_get_used_idx(&v.rings[REPORT]), 1);
	vu_stop(&v);
}
END_TEST

START_TEST(answer_does_not_wait)
{
	const struct timed_message *m = &not_waiting[_i];
	struct vu_answer a;

	vu_start(&v, false);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	begin_discard();
	send_timed(m);
	ck_assert(vu_wait(&v, &a));
	ck_assert_uint_eq(a.request, m->request);
	ck_assert(!vu_is_discarded(&v, PIECE));
	end_discard();
	vu_wait_used(&v, REPORT, 1);
	vu_stop(&v);
}
END_TEST

/* A disabled ring gives back what it had and takes nothing. */
START_TEST(disabled_ring)
{
	vu_start(&v, false);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	check_report();
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_ENABLE, REPORT, 0), 0);
	vu_touch(&v, PIECE);
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	vu_kick(&v, REPORT);
	vu_step(&v, 30);
	ck_assert_uint_eq(ring_get_used_idx(&v.rings[REPORT]), 1);
	ck_assert(!vu_is_discarded(&v, PIECE));
	/* Enabled again it looks without a further kick. */
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_ENABLE, REPORT, 1), 0);
	vu_wait_used(&v, REPORT, 2);
	ck_assert(vu_is_discarded(&v, PIECE));
	vu_stop(&v);
}
END_TEST

/* ----------------------------------------------------------------- drivers */

/* The features twice, the second time without bit 30: no ENABLE will come. */
START_TEST(bit_30_is_lost)
{
	uint16_t used;

	vu_start(&v, false);
	vu_protocol(&v, VU_PROTOCOL);
	ck_assert_int_eq(vu_ack_u64(&v, VU_SET_FEATURES, FEATURES |
				    FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON)),
			 0);
	vu_boot(&v, VU_VIRTIO, VU_PROTOCOL, 5);
	check_report();
	/* The only sign that the driver went: its rings are not touched. */
	vu_get_u64(&v, VU_GET_FEATURES);
	used = ring_get_used_idx(&v.rings[REPORT]);
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	vu_step(&v, 30);
	ck_assert_uint_eq(ring_get_used_idx(&v.rings[REPORT]), used);
	/* If it did not go, its kick starts them again. */
	vu_kick(&v, REPORT);
	vu_wait_used(&v, REPORT, (uint16_t)(used + 1));
	check_report();
	vu_stop(&v);
}
END_TEST

static void reload(uint64_t features)
{
	uint32_t i;

	for (i = 5; i-- > 0 && (features & VU_BIT_30);)
		ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_ENABLE, i, 0),
				 0);
	vu_get_u64(&v, VU_GET_FEATURES);
	/* Their memory belongs to others now. */
	for (i = 0; i < 5; i++) {
		memset(v.rings[i].desc, 0, 0x10000);
		v.rings[i].avail_idx = 0;
	}
	vu_boot(&v, features, VU_PROTOCOL, 5);
}

START_TEST(driver_is_loaded_again)
{
	uint64_t features = _i ? FEATURES : VU_VIRTIO;
	int turn;

	vu_start(&v, false);
	vu_boot(&v, features, VU_PROTOCOL, 5);
	for (turn = 0; turn < 3; turn++) {
		check_report();
		check_report();
		reload(features);
	}
	check_report();
	ck_assert(!fph_balloon_is_broken(v.daemon.service.device.balloon));
	vu_stop(&v);
}
END_TEST

/* Rings are stopped one by one and go on where they were. */
START_TEST(guest_is_paused)
{
	struct vu_answer a;
	uint32_t i;

	vu_start(&v, false);
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	check_report();
	check_report();
	fph_balloon_set_config(v.daemon.service.device.balloon, FPH_CONFIG_ACTUAL,
			       "\5\0\0", 4);
	for (i = 0; i < 5; i++) {
		uint8_t p[8] = { (uint8_t)i };

		vu_send(&v, VU_GET_VRING_BASE, 0, p, 8, NULL, 0);
		ck_assert(vu_wait(&v, &a));
		ck_assert_uint_eq(vu_load32(a.payload), i);
		ck_assert_uint_eq(vu_load32(a.payload + 4),
				  i == REPORT ? 2 : 0);
	}
	/* Stopped: a buffer stays where it is. */
	vu_touch(&v, PIECE);
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	vu_kick(&v, REPORT);
	vu_step(&v, 30);
	ck_assert_uint_eq(ring_get_used_idx(&v.rings[REPORT]), 2);
	ck_assert_int_eq(vu_ack_u64(&v, VU_SET_FEATURES, FEATURES), 0);
	v.rings[REPORT].avail_idx--;
	ring_set_avail_idx(&v.rings[REPORT], v.rings[REPORT].avail_idx);
	for (i = 0; i < 5; i++)
		vu_ring(&v, i, false);
	for (i = 0; i < 5; i++)
		ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_ENABLE, i, 1),
				 0);
	check_report();
	ck_assert_uint_eq(fph_balloon_get_actual(v.daemon.service.device.balloon), 5);
	vu_stop(&v);
}
END_TEST

/* Memory is described anew, added and removed under running rings. */
START_TEST(memory_changes_under_rings)
{
	uint8_t p[VU_SINGLE_REGION_SIZE] = { 0 };

	vu_start(&v, false);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	check_report();
	vu_put_region(p + VU_SINGLE_REGION, 0x100000000, 0x1000, 0x1000, 0);
	ck_assert_int_eq(vu_ack(&v, VU_ADD_MEM_REG, p, sizeof(p), &v.memfd,
				1), 0);
	check_report();
	ck_assert_int_eq(vu_ack(&v, VU_REM_MEM_REG, p, sizeof(p), NULL, 0),
			 0);
	check_report();
	vu_negotiate(&v, FEATURES);
	check_report();
	/* Without their memory the rings do not run. */
	vu_put_region(p + VU_SINGLE_REGION, 0, VU_MEM_SIZE, VU_UVA, 0);
	ck_assert_int_eq(vu_ack(&v, VU_REM_MEM_REG, p, sizeof(p), NULL, 0),
			 0);
	ck_assert(!v.daemon.service.session.rings[REPORT].running);
	vu_kick(&v, REPORT);
	vu_step(&v, 10);
	ck_assert(!v.daemon.service.session.rings[REPORT].running);
	vu_stop(&v);
}
END_TEST

START_TEST(broken_ring_needs_a_reset)
{
	vu_start(&v, false);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	ck_assert_int_eq(vu_ack_u64(&v, VU_SET_STATUS, 0xf), 0);
	ck_assert_uint_eq(vu_get_u64(&v, VU_GET_STATUS), 0xf);
	vu_offer(&v, REPORT, VU_PAGES, 0, RING_WRITE);
	vu_kick(&v, REPORT);
	while (vu_get_u64(&v, VU_GET_STATUS) != 0x4f)
		vu_step(&v, 0);
	ck_assert_int_eq(vu_ack_u64(&v, VU_SET_STATUS, 0), 0);
	ck_assert_uint_eq(vu_get_u64(&v, VU_GET_STATUS), 0);
	reload(FEATURES);
	check_report();
	vu_stop(&v);
}
END_TEST

START_TEST(ring_without_a_kick_is_polled)
{
	uint8_t p[8];

	vu_start(&v, false);
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	vu_store64(p, REPORT | VU_FD_NONE);
	ck_assert_int_eq(vu_ack(&v, VU_SET_VRING_KICK, p, 8, NULL, 0), 0);
	vu_touch(&v, PIECE);
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	vu_wait_used(&v, REPORT, 1);
	ck_assert(vu_is_discarded(&v, PIECE));
	vu_stop(&v);
}
END_TEST

/* The call descriptor may be the end of a socket pair that nobody reads. */
START_TEST(call_is_a_full_socket)
{
	uint8_t p[8];
	int pair[2];
	int i;

	vu_start(&v, false);
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    pair), 0);
	vu_store64(p, REPORT);
	ck_assert_int_eq(vu_ack(&v, VU_SET_VRING_CALL, p, 8, &pair[1], 1), 0);
	check_report();
	ck_assert_int_eq(recv(pair[0], p, 8, MSG_DONTWAIT), 8);
	while (send(pair[1], p, 8, MSG_DONTWAIT) == 8)
		;
	for (i = 0; i < 3; i++)
		check_report();
	close(pair[0]);
	check_report();
	close(pair[1]);
	vu_stop(&v);
}
END_TEST

/* -------------------------------------------------------------- front-ends */

/* It dies in a discard, also while a message of it waits. */
START_TEST(frontend_dies_in_a_discard)
{
	vu_start(&v, false);
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	begin_discard();
	if (_i)
		vu_send(&v, VU_GET_FEATURES, 0, NULL, 0, NULL, 0);
	vu_step(&v, 10);
	vu_hang_up(&v);
	vu_step(&v, 30);
	ck_assert_int_eq(v.daemon.frontend.state, FRONTEND_CLOSING);
	ck_assert_uint_eq(v.daemon.service.device.memory.nslots, 1);
	end_discard();
	while (v.daemon.frontend.state != FRONTEND_NONE)
		vu_step(&v, 0);
	ck_assert(vu_is_discarded(&v, PIECE));
	ck_assert_uint_eq(v.daemon.service.device.memory.nslots, 0);
	vu_connect(&v);
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	check_report();
	vu_stop(&v);
}
END_TEST

/* The files of its memory are shortened: the end of it, not of the daemon. */
START_TEST(memory_is_taken_away)
{
	vu_start(&v, false);
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	check_report();
	if (_i)
		begin_discard();
	ck_assert_int_eq(ftruncate(v.memfd, 0), 0);
	vu_kick(&v, REPORT);
	end_discard();
	while (v.daemon.frontend.state != FRONTEND_NONE)
		vu_step(&v, 0);
	vu_hang_up(&v);
	ck_assert_int_eq(ftruncate(v.memfd, VU_MEM_SIZE), 0);
	vu_connect(&v);
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	check_report();
	vu_stop(&v);
}
END_TEST

/* What one front-end had, the next one does not find. */
START_TEST(next_frontend_finds_nothing)
{
	vu_start(&v, false);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	check_report();
	vu_hang_up(&v);
	while (v.daemon.frontend.state != FRONTEND_NONE)
		vu_step(&v, 0);
	vu_connect(&v);
	ck_assert_uint_eq(v.daemon.service.session.acked, 0);
	ck_assert_uint_eq(v.daemon.service.session.protocol, 0);
	ck_assert_uint_eq(vu_get_u64(&v, VU_GET_STATUS), 0);
	vu_protocol(&v, VU_PROTOCOL);
	vu_negotiate(&v, FEATURES);
	ck_assert(!v.daemon.service.session.rings[REPORT].running);
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	check_report();
	vu_stop(&v);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vhost_user_life");
	TCase *tc = tcase_create("vhost_user_life");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, answer_waits_for_discards, 0, N(waiting));
	tcase_add_loop_test(tc, answer_does_not_wait, 0, N(not_waiting));
	tcase_add_test(tc, disabled_ring);
	tcase_add_test(tc, bit_30_is_lost);
	tcase_add_loop_test(tc, driver_is_loaded_again, 0, 2);
	tcase_add_test(tc, guest_is_paused);
	tcase_add_test(tc, memory_changes_under_rings);
	tcase_add_test(tc, broken_ring_needs_a_reset);
	tcase_add_test(tc, ring_without_a_kick_is_polled);
	tcase_add_test(tc, call_is_a_full_socket);
	tcase_add_loop_test(tc, frontend_dies_in_a_discard, 0, 2);
	tcase_add_loop_test(tc, memory_is_taken_away, 0, 2);
	tcase_add_test(tc, next_frontend_finds_nothing);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
