/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the daemon tells the guest: in-band notifications, which must not meet,
 * and rounds of hints.
 */
#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "vu_fixture.h"

#define FEATURES	(VU_VIRTIO | VU_BIT_30)
#define INBAND		(VU_PROTOCOL | FPH_BIT(VU_PF_INBAND_NOTIFICATIONS))

#define HINT		3u		/* ring indices with FEATURES */
#define REPORT		4u
#define PIECE		0x10000u

static struct vu v;

/* ----------------------------------------------------------------- in-band */

/* The next request of the daemon, 0 when there is none now. */
static uint32_t take_request(uint32_t *flags)
{
	uint8_t header[VU_HEADER_SIZE];
	uint8_t payload[64];
	uint32_t size;

	if (recv(v.back, header, sizeof(header), MSG_DONTWAIT) !=
	    sizeof(header))
		return 0;
	size = vu_load32(header + VU_HEADER_LENGTH);
	ck_assert_uint_le(size, sizeof(payload));
	if (size)
		ck_assert_int_eq(recv(v.back, payload, size, 0), size);
	*flags = vu_load32(header + VU_HEADER_FLAGS);
	return vu_load32(header + VU_HEADER_REQUEST);
}

static uint32_t await_request(void)
{
	uint32_t request, flags;

	while (!(request = take_request(&flags)))
		vu_step(&v, 0);
	ck_assert_uint_eq(flags, VU_FLAG_VERSION | VU_FLAG_NEED_REPLY);
	return request;
}

static void ack_request(uint32_t request)
{
	uint8_t m[VU_HEADER_SIZE + 8] = { 0 };

	vu_store32(m + VU_HEADER_REQUEST, request);
	vu_store32(m + VU_HEADER_FLAGS, VU_FLAG_VERSION | VU_FLAG_REPLY);
	vu_store32(m + VU_HEADER_LENGTH, 8);
	ck_assert_int_eq(send(v.back, m, sizeof(m), MSG_NOSIGNAL),
			 sizeof(m));
}

static void read_config(void)
{
	uint8_t p[16] = { [4] = 4 };
	struct vu_answer a;

	vu_send(&v, VU_GET_CONFIG, 0, p, 16, NULL, 0);
	ck_assert(vu_wait(&v, &a));
	ck_assert_uint_eq(a.size, 16);
}

static void check_silence(void)
{
	uint32_t flags;

	vu_step(&v, 30);
	ck_assert_uint_eq(take_request(&flags), 0);
}

static void offer_report(void)
{
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	ck_assert_int_eq(vu_ack_state(&v, VU_VRING_KICK, REPORT, 0), 0);
}

/*
 * Acknowledge a configuration change and read the configuration, as a driver
 * does; on a slow machine the change may be told again meanwhile.  Returns
 * another request that came in between, or 0.
 */
static uint32_t settle_config(void)
{
	struct backchannel *b = &v.daemon.service.session.back;
	uint32_t request = 0;
	uint32_t flags;

	ack_request(VU_BACKEND_CONFIG_CHANGE);
	while (b->unread) {
		if (!request)
			request = take_request(&flags);
		if (request == VU_BACKEND_CONFIG_CHANGE) {
			ack_request(request);
			request = 0;
		}
		vu_step(&v, 0);
		if (b->waiting != VU_BACKEND_CONFIG_CHANGE)
			read_config();
	}
	return request;
}

/* A call and a configuration change are never out at the same time. */
START_TEST(inband_requests_are_apart)
{
	struct fph_balloon *b;

	vu_start(&v, true);
	b = v.daemon.service.device.balloon;
	vu_boot(&v, FEATURES, INBAND, 5);
	offer_report();
	ck_assert_uint_eq(await_request(), VU_BACKEND_VRING_CALL);
	/* Unanswered: the change does not follow. */
	fph_balloon_set_target(b, 1);
	check_silence();
	ack_request(VU_BACKEND_VRING_CALL);
	ck_assert_uint_eq(await_request(), VU_BACKEND_CONFIG_CHANGE);
	/* Unanswered: neither a call nor a further change follows. */
	offer_report();
	vu_wait_used(&v, REPORT, 2);
	fph_balloon_set_target(b, 2);
	check_silence();
	ack_request(VU_BACKEND_CONFIG_CHANGE);
	ck_assert_uint_eq(await_request(), VU_BACKEND_CONFIG_CHANGE);
	check_silence();
	if (!settle_config())
		ck_assert_uint_eq(await_request(), VU_BACKEND_VRING_CALL);
	ack_request(VU_BACKEND_VRING_CALL);
	check_silence();
	vu_stop(&v);
}
END_TEST

/* A change that was not looked at is told again, but not for ever. */
START_TEST(inband_change_is_repeated)
{
	int i;

	vu_start(&v, true);
	vu_boot(&v, FEATURES, INBAND, 5);
	fph_balloon_set_target(v.daemon.service.device.balloon, 1);
	for (i = 0; i < 5; i++) {
		ck_assert_uint_eq(await_request(), VU_BACKEND_CONFIG_CHANGE);
		ack_request(VU_BACKEND_CONFIG_CHANGE);
	}
	ck_assert(v.daemon.service.session.back.unread);
	while (v.daemon.service.session.back.unread)
		vu_step(&v, 0);
	check_silence();
	fph_balloon_set_target(v.daemon.service.device.balloon, 2);
	ck_assert_uint_eq(await_request(), VU_BACKEND_CONFIG_CHANGE);
	ck_assert_uint_eq(settle_config(), 0);
	check_silence();
	vu_stop(&v);
}
END_TEST

/* What the front-end sends on that channel unasked changes nothing. */
START_TEST(inband_wrong_answers)
{
	vu_start(&v, true);
	vu_boot(&v, FEATURES, INBAND, 5);
	ack_request(VU_BACKEND_CONFIG_CHANGE);
	fph_balloon_set_target(v.daemon.service.device.balloon, 1);
	ck_assert_uint_eq(await_request(), VU_BACKEND_CONFIG_CHANGE);
	ack_request(VU_BACKEND_VRING_CALL);
	ack_request(99);
	fph_balloon_set_target(v.daemon.service.device.balloon, 2);
	check_silence();
	ck_assert_int_eq(send(v.back, "nonsense, long", 14, 0), 14);
	check_silence();
	ck_assert_int_eq(v.daemon.service.session.back.channel.fd, -1);
	check_silence();
	vu_get_u64(&v, VU_GET_QUEUE_NUM);
	vu_stop(&v);
}
END_TEST

/* ------------------------------------------------------------------- hints */

static void send_hints(uint32_t n)
{
	uint16_t used = ring_get_used_idx(&v.rings[HINT]);
	uint32_t i;

	for (i = 0; i < n; i++)
		vu_offer(&v, HINT, VU_PAGES + 2 * i * PIECE, PIECE,
			 RING_WRITE);
	vu_kick(&v, HINT);
	vu_wait_used(&v, HINT, (uint16_t)(used + n));
}

static int hint_state(void)
{
	return fph_balloon_hint_get_state(v.daemon.service.device.balloon);
}

/* All hints in the ring at once, and the round ends after exactly five. */
START_TEST(round_ends_after_n_buffers)
{
	static const int states[] = {
		FPH_HINT_IDLE, FPH_HINT_REQUESTED, FPH_HINT_DONE
	};
	struct device *d = &v.daemon.service.device;
	uint32_t id;

	vu_start(&v, false);
	/* Asked for before there is a driver: begins when it comes. */
	ck_assert_int_eq(device_start_hint(d, 5, _i), FPH_OK);
	ck_assert(d->hint.pending);
	ck_assert_int_eq(device_start_hint(d, 5, _i), FPH_ESTATE);
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	while (d->hint.pending)
		vu_step(&v, 0);
	id = fph_balloon_hint_get_config(d->balloon);
	ck_assert_int_eq(hint_state(), FPH_HINT_REQUESTED);
	memset(v.mem + VU_PAGES, 0x5a, PIECE);
	vu_send_command(&v, HINT, id);
	ck_assert_int_eq(hint_state(), FPH_HINT_ACTIVE);
	send_hints(12);
	ck_assert_uint_eq(d->hint.buffers, 5);
	ck_assert_int_eq(hint_state(), states[_i]);
	vu_send_command(&v, HINT, 0);
	ck_assert_uint_eq(d->hint.streams_ended, 1);
	ck_assert_uint_eq(v.mem[VU_PAGES], 0x5a);
	if (_i == HINT_THEN_RESTART) {
		/* The limit was for the first round only. */
		ck_assert_uint_gt(fph_balloon_hint_get_config(d->balloon),
				  id);
		vu_send_command(&v, HINT, id + 1);
		send_hints(12);
		vu_send_command(&v, HINT, 0);
		ck_assert_uint_eq(d->hint.buffers, 17);
		ck_assert_uint_eq(d->hint.streams_ended, 2);
		ck_assert_int_eq(hint_state(), FPH_HINT_STOPPED);
	}
	ck_assert_uint_eq(v.mem[VU_PAGES], 0x5a);
	vu_stop(&v);
}
END_TEST

/* D9: whoever goes, the guest is told, if it listens, that it is over. */
START_TEST(quit_says_done)
{
	struct device *d = &v.daemon.service.device;
	uint32_t flags;

	vu_start(&v, false);
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	ck_assert_int_eq(device_start_hint(d, 0, HINT_THEN_STOP), FPH_OK);
	vu_send_command(&v, HINT, fph_balloon_hint_get_config(d->balloon));
	ck_assert_uint_eq(take_request(&flags), VU_BACKEND_CONFIG_CHANGE);
	ack_request(VU_BACKEND_CONFIG_CHANGE);
	send_hints(3);
	daemon_quit(&v.daemon);
	ck_assert_int_eq(hint_state(), FPH_HINT_DONE);
	ck_assert_uint_eq(fph_balloon_hint_get_config(d->balloon),
			  VIRTIO_BALLOON_CMD_ID_DONE);
	ck_assert_uint_eq(await_request(), VU_BACKEND_CONFIG_CHANGE);
	vu_stop(&v);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vhost_user_notify");
	TCase *tc = tcase_create("vhost_user_notify");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, inband_requests_are_apart);
	tcase_add_test(tc, inband_change_is_repeated);
	tcase_add_test(tc, inband_wrong_answers);
	tcase_add_loop_test(tc, round_ends_after_n_buffers, 0, 3);
	tcase_add_test(tc, quit_says_done);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
