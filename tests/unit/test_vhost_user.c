/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Messages that are wrong by themselves: headers, sizes, descriptors, pieces.
 * Whatever it is, the daemon refuses or hangs up, leaks no descriptor, and
 * serves the next front-end.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vhost-user-balloon/request.h"
#include "vu_fixture.h"

static struct vu v;

/* The daemon hangs up, and another front-end is served. */
static void check_hang_up(void)
{
	struct vu_answer a;

	ck_assert(!vu_wait(&v, &a));
	vu_serve_next(&v);
}

/* ------------------------------------------------------------------ headers */

START_TEST(header_is_checked)
{
	static const uint32_t bad[][3] = {
		{ VU_GET_FEATURES, 0, 0 },		/* no version */
		{ VU_GET_FEATURES, 2, 0 },		/* another one */
		{ VU_GET_FEATURES, 3, 0 },
		{ VU_GET_FEATURES, 5, 0 },		/* is a reply */
		{ VU_SET_FEATURES, 1, VU_MAX_PAYLOAD + 1 },
		{ VU_SET_FEATURES, 1, 0x80000000u },
		{ VU_SET_FEATURES, 1, 0xffffffffu }
	};
	size_t i;

	vu_start(&v, false);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		vu_send_raw(&v, bad[i], sizeof(bad[i]), NULL, 0);
		check_hang_up();
	}
	vu_stop(&v);
}
END_TEST

START_TEST(message_in_single_bytes)
{
	uint8_t message[VU_HEADER_SIZE + 8];
	struct vu_answer a;
	size_t i;

	vu_start(&v, false);
	vu_protocol(&v, VU_PROTOCOL);
	vu_store32(message, VU_SET_FEATURES);
	vu_store32(message + 4, VU_FLAG_VERSION | VU_FLAG_NEED_REPLY);
	vu_store32(message + 8, 8);
	vu_store64(message + 12, VU_VIRTIO | VU_BIT_30);
	for (i = 0; i < sizeof(message); i++) {
		ck_assert(!vu_is_answered(&v));
		vu_send_raw(&v, message + i, 1, NULL, 0);
		vu_step(&v, 0);
	}
	ck_assert(vu_wait(&v, &a));
	ck_assert_uint_eq(a.request, VU_SET_FEATURES);
	ck_assert_uint_eq(vu_load64(a.payload), 0);
	ck_assert_uint_eq(v.daemon.service.session.acked, VU_VIRTIO | VU_BIT_30);
	vu_stop(&v);
}
END_TEST

/* The end of the connection at every byte of a message. */
START_TEST(message_cut_off)
{
	uint8_t message[VU_HEADER_SIZE + 8];
	size_t i;

	vu_start(&v, false);
	vu_store32(message, VU_SET_FEATURES);
	vu_store32(message + 4, VU_FLAG_VERSION);
	vu_store32(message + 8, 8);
	vu_store64(message + 12, VU_VIRTIO);
	for (i = 0; i < sizeof(message); i++) {
		vu_send_raw(&v, message, i, NULL, 0);
		vu_hang_up(&v);
		vu_serve_next(&v);
		ck_assert_uint_eq(v.daemon.service.session.acked, 0);
	}
	vu_stop(&v);
}
END_TEST

/* Two messages in one write are two messages. */
START_TEST(messages_together)
{
	uint32_t both[6] = {
		VU_GET_FEATURES, VU_FLAG_VERSION, 0,
		VU_GET_PROTOCOL_FEATURES, VU_FLAG_VERSION, 0
	};
	struct vu_answer a;

	vu_start(&v, false);
	vu_send_raw(&v, both, sizeof(both), NULL, 0);
	ck_assert(vu_wait(&v, &a));
	ck_assert_uint_eq(a.request, VU_GET_FEATURES);
	ck_assert(vu_wait(&v, &a));
	ck_assert_uint_eq(a.request, VU_GET_PROTOCOL_FEATURES);
	vu_stop(&v);
}
END_TEST

/* A front-end that asks and never reads: memory stays bounded, no stall. */
START_TEST(answers_not_read)
{
	const uint32_t ask[3] = { VU_GET_FEATURES, VU_FLAG_VERSION, 0 };
	struct vu_answer a;
	int i, n = 0, full = 0;

	vu_start(&v, false);
	while (full < 100) {
		if (send(v.sock, ask, sizeof(ask), MSG_DONTWAIT) ==
		    sizeof(ask)) {
			n++;
		} else {
			full++;
			vu_step(&v, 0);
		}
	}
	ck_assert_int_gt(n, 100);
	for (i = 0; i < n; i++) {
		ck_assert(vu_wait(&v, &a));
		ck_assert_uint_eq(a.request, VU_GET_FEATURES);
	}
	vu_stop(&v);
}
END_TEST

/* ---------------------------------------------------------- sizes and fds */

/* Every number of a request with every size: refused if it is not its own. */
START_TEST(sizes_of_every_request)
{
	static const uint8_t zeros[VU_MAX_PAYLOAD];
	static const uint32_t sizes[] = {
		0, 1, 4, 7, 8, 9, 11, 12, 15, 16, 31, 32, 39, 40, 41, 72,
		264, 265, 268, 269, VU_MAX_PAYLOAD
	};
	uint32_t number;
	size_t i;

	vu_start(&v, true);
	for (number = 0; number <= VU_GET_STATUS + 4; number++) {
		const struct request *r = request_find(number);

		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			uint32_t size = sizes[i];
			struct vu_answer a;

			if (r && size >= r->min_size && size <= r->max_size)
				continue;
			vu_protocol(&v, VU_PROTOCOL);
			vu_send(&v, number, VU_FLAG_NEED_REPLY, zeros, size,
				NULL, 0);
			if (!vu_wait(&v, &a)) {
				ck_assert_msg(r && r->kind == REPLY_OWN,
					      "request %u of %u bytes: gone",
					      number, size);
				vu_serve_next(&v);
				continue;
			}
			ck_assert_uint_eq(a.request, number);
			if (r && r->kind == REPLY_OWN) {
				ck_assert_uint_eq(number, VU_GET_CONFIG);
				ck_assert_uint_eq(a.size, 0);
			} else {
				ck_assert_uint_eq(a.size, 8);
				ck_assert_uint_ne(vu_load64(a.payload), 0);
			}
		}
	}
	vu_stop(&v);
}
END_TEST

/* A refusal that the front-end did not ask to hear of ends the connection. */
START_TEST(unheard_refusal_hangs_up)
{
	static const uint8_t zeros[16];

	vu_start(&v, false);
	vu_send(&v, VU_SET_FEATURES, 0, zeros, 4, NULL, 0);
	check_hang_up();
	/* NEED_REPLY counts only when REPLY_ACK was negotiated. */
	vu_send(&v, VU_SET_LOG_FD, VU_FLAG_NEED_REPLY, NULL, 0, NULL, 0);
	check_hang_up();
	vu_send(&v, 99, 0, NULL, 0, NULL, 0);
	check_hang_up();
	vu_protocol(&v, VU_PROTOCOL);
	ck_assert_int_eq(vu_ack(&v, VU_SET_LOG_FD, NULL, 0, &v.memfd, 1),
			 EBADF);
	ck_assert_int_eq(vu_ack(&v, 99, NULL, 0, &v.memfd, 1), ENOSYS);
	vu_stop(&v);
}
END_TEST

/* Descriptors with every request, more than it takes: refused and closed. */
START_TEST(descriptors_of_every_request)
{
	static const uint8_t zeros[VU_MAX_PAYLOAD];
	int fds[32];
	uint32_t number;
	int before, i;

	vu_start(&v, true);
	for (i = 0; i < 32; i++)
		fds[i] = v.memfd;
	for (number = 0; number <= VU_GET_STATUS; number++) {
		const struct request *r = request_find(number);
		unsigned int n = r ? r->max_fds + 1u : 1;

		if (r && r->kind == REPLY_OWN)
			continue;
		vu_protocol(&v, VU_PROTOCOL);
		before = vu_count_fds();
		if (n > VU_MAX_FDS) {
			vu_send(&v, number, VU_FLAG_NEED_REPLY, zeros,
				r->min_size, fds, n);
			check_hang_up();
			vu_protocol(&v, VU_PROTOCOL);
		} else {
			ck_assert_int_gt(vu_ack(&v, number, zeros,
						r ? r->min_size : 0, fds, n),
					 0);
		}
		ck_assert_int_eq(vu_count_fds(), before);
	}
	/* Far more than fit into a message. */
	vu_send(&v, VU_SET_MEM_TABLE, 0, zeros, 8, fds, 32);
	check_hang_up();
	/* With the payload instead of the header: they are closed. */
	vu_protocol(&v, VU_PROTOCOL);
	before = vu_count_fds();
	{
		const uint32_t header[3] = {
			VU_SET_OWNER, VU_FLAG_VERSION | VU_FLAG_NEED_REPLY, 8
		};
		struct vu_answer a;

		vu_send_raw(&v, header, sizeof(header), NULL, 0);
		vu_step(&v, 0);
		vu_send_raw(&v, zeros, 8, fds, 2);
		ck_assert(vu_wait(&v, &a));
		ck_assert_uint_eq(vu_load64(a.payload), EMSGSIZE);
	}
	ck_assert_int_eq(vu_count_fds(), before);
	vu_stop(&v);
}
END_TEST

/* A descriptor that is there and one that is missing, against the flag. */
START_TEST(ring_descriptors_and_their_flag)
{
	static const uint32_t requests[] = {
		VU_SET_VRING_KICK, VU_SET_VRING_CALL, VU_SET_VRING_ERR
	};
	int fd = eventfd(0, EFD_CLOEXEC);
	uint8_t p[8];
	size_t i;

	vu_start(&v, false);
	vu_protocol(&v, VU_PROTOCOL);
	for (i = 0; i < 3; i++) {
		vu_store64(p, 0);
		ck_assert_int_eq(vu_ack(&v, requests[i], p, 8, NULL, 0),
				 EINVAL);
		ck_assert_int_eq(vu_ack(&v, requests[i], p, 8, &fd, 1),
				 0);
		vu_store64(p, VU_FD_NONE);
		ck_assert_int_eq(vu_ack(&v, requests[i], p, 8, &fd, 1),
				 EINVAL);
		ck_assert_int_eq(vu_ack(&v, requests[i], p, 8, NULL, 0), 0);
		vu_store64(p, FPH_NQUEUES | VU_FD_NONE);
		ck_assert_int_eq(vu_ack(&v, requests[i], p, 8, NULL, 0),
				 EINVAL);
		vu_store64(p, VU_FD_NONE | 0x200);
		ck_assert_int_eq(vu_ack(&v, requests[i], p, 8, NULL, 0),
				 EINVAL);
		vu_store64(p, VU_FD_NONE | 1ull << 63);
		ck_assert_int_eq(vu_ack(&v, requests[i], p, 8, NULL, 0),
				 EINVAL);
	}
	vu_stop(&v);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vhost_user");
	TCase *tc = tcase_create("vhost_user");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, header_is_checked);
	tcase_add_test(tc, message_in_single_bytes);
	tcase_add_test(tc, message_cut_off);
	tcase_add_test(tc, messages_together);
	tcase_add_test(tc, answers_not_read);
	tcase_add_test(tc, sizes_of_every_request);
	tcase_add_test(tc, unheard_refusal_hangs_up);
	tcase_add_test(tc, descriptors_of_every_request);
	tcase_add_test(tc, ring_descriptors_and_their_flag);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
