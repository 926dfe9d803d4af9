/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A front-end and a guest that do anything in any order, from a seed: mostly
 * messages of the right form with values that are right or wrong, buffers of
 * all kinds, memory that is shortened, ends at any time.  The daemon lives,
 * serves the next front-end, and leaves no descriptor open.
 */
#include <check.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vhost-user-balloon/request.h"
#include "vu_fixture.h"

#define MESSAGES	1500

static struct vu v;
static uint64_t seed;
static int event;			/* stands for any descriptor */

static uint32_t below(uint32_t n)
{
	return ring_random(&seed) % n;
}

static bool one_in(uint32_t n)
{
	return below(n) == 0;
}

/* Numbers that mean something somewhere, and some that do not. */
static uint32_t number(void)
{
	switch (below(10)) {
	case 0:
		return VU_NUM;
	case 1:
		return below(VU_MEM_SIZE) & ~15u;
	case 2:
		return VU_FD_NONE | below(FPH_NQUEUES);
	case 3:
		return ring_random(&seed);
	case 4:
		return below(64) << 12;
	default:
		return below(FPH_NQUEUES + 1);
	}
}

static void fill(uint8_t *p)
{
	uint32_t i;

	for (i = 0; i < VU_MAX_PAYLOAD; i += 4)
		vu_store32(p + i, number());
}

static uint64_t features(void)
{
	return VU_VIRTIO | (one_in(2) ? VU_BIT_30 : 0) |
	       (one_in(2) ? FPH_BIT(VIRTIO_F_RING_PACKED) : 0) |
	       (one_in(2) ? FPH_BIT(VIRTIO_F_IN_ORDER) : 0) |
	       (one_in(2) ? FPH_BIT(VIRTIO_RING_F_EVENT_IDX) : 0);
}

static uint64_t protocol(void)
{
	return VU_PROTOCOL | FPH_BIT(VU_PF_CONFIGURE_MEM_SLOTS) |
	       (one_in(2) ? FPH_BIT(VU_PF_INBAND_NOTIFICATIONS) : 0);
}

/* Mostly what makes sense, for what would else never get far. */
static void make_sense(uint32_t request, uint8_t *p)
{
	if (one_in(4))
		return;
	switch (request) {
	case VU_SET_FEATURES:
		vu_store64(p, features());
		break;
	case VU_SET_PROTOCOL_FEATURES:
		vu_store64(p, protocol());
		break;
	case VU_SET_MEM_TABLE:
		vu_store32(p, 1);
		vu_put_region(p + VU_TABLE_REGIONS, 0, VU_MEM_SIZE, VU_UVA,
			      0);
		break;
	case VU_ADD_MEM_REG:
		vu_put_region(p + VU_SINGLE_REGION, 0x100000000, 0x1000,
			      0x1000, 0);
		break;
	case VU_SET_VRING_ADDR:
		vu_store32(p + VU_ADDR_INDEX, below(FPH_NQUEUES));
		vu_store32(p + VU_ADDR_FLAGS, 0);
		vu_store64(p + VU_ADDR_DESC, VU_UVA + (below(64) << 12));
		vu_store64(p + VU_ADDR_USED, VU_UVA + (below(64) << 12));
		vu_store64(p + VU_ADDR_AVAIL, VU_UVA + (below(64) << 12));
		break;
	case VU_SET_VRING_BASE:
		vu_store32(p + VU_STATE_INDEX, below(FPH_NQUEUES));
		vu_store32(p + VU_STATE_NUM, one_in(2) ? 0x80008000u :
			   below(VU_NUM) | below(VU_NUM) << 16);
		break;
	default:
		break;
	}
}

/* Another channel for the requests of the daemon. */
static void send_channel(const uint8_t *p)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    pair), 0);
	if (v.back >= 0)
		close(v.back);
	v.back = pair[0];
	vu_send(&v, VU_SET_BACKEND_REQ_FD, 0, p, 0, &pair[1], 1);
	close(pair[1]);
}

static void send_anything(void)
{
	uint32_t request = below(VU_GET_STATUS + 4);
	const struct request *r = request_find(request);
	uint32_t size = r && !one_in(4) ? r->min_size : below(300);
	unsigned int nfds = r ? r->min_fds : below(3);
	uint8_t p[VU_MAX_PAYLOAD];
	int fds[VU_MAX_FDS];
	unsigned int i;

	fill(p);
	make_sense(request, p);
	if (request == VU_SET_BACKEND_REQ_FD) {
		send_channel(p);
		return;
	}
	if (request == VU_SET_MEM_TABLE && one_in(2))
		size = VU_TABLE_REGIONS + VU_REGION_SIZE;
	if (r && r->max_fds > r->min_fds)
		nfds += below(2);
	for (i = 0; i < nfds; i++)
		fds[i] = one_in(2) || request == VU_SET_MEM_TABLE ? v.memfd :
								   event;
	vu_send(&v, request, one_in(4) ? 0 : VU_FLAG_NEED_REPLY, p, size, fds,
		nfds);
}

/* Of the guest: a buffer of any kind on any ring. */
static void offer_anything(void)
{
	uint32_t index = below(FPH_NQUEUES);
	uint64_t gpa = one_in(2) ? ring_random(&seed) :
				   VU_PAGES + (below(100) << 12);

	vu_offer(&v, index, gpa, one_in(2) ? 4096 : below(100),
		 (uint16_t)below(8));
	if (v.kick[index] >= 0)
		vu_kick(&v, index);
	ck_assert_int_eq(eventfd_write(event, 1), 0);
}

/* Of the host. */
static void control_anything(void)
{
	struct device *d = &v.daemon.service.device;

	switch (below(20)) {
	case 0:
		worker_set_delay(&d->worker, below(10));
		break;
	case 1:
		device_start_hint(d, below(4), (int)below(3));
		break;
	case 2:
		hint_stop(&d->hint);
		break;
	case 3:
		hint_done(&d->hint);
		break;
	case 4:
		fph_balloon_set_target(d->balloon, below(100));
		break;
	case 5:
		fph_balloon_stats_request(d->balloon);
		break;
	default:
		break;
	}
}

/* Take what the daemon says; sometimes answer its own requests. */
static void listen_to_it(void)
{
	uint8_t m[VU_HEADER_SIZE + 8] = { 0 };
	char text[4096];

	if (recv(v.sock, text, sizeof(text), MSG_DONTWAIT) == 0) {
		vu_hang_up(&v);
		return;
	}
	if (v.back < 0 ||
	    recv(v.back, text, sizeof(text), MSG_DONTWAIT) < 12 || one_in(2))
		return;
	memcpy(m, text, 4);
	vu_store32(m + VU_HEADER_FLAGS, VU_FLAG_VERSION | VU_FLAG_REPLY);
	vu_store32(m + VU_HEADER_LENGTH, 8);
	(void)!send(v.back, m, sizeof(m), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void connect_again(void)
{
	while (v.daemon.frontend.state != FRONTEND_NONE)
		vu_step(&v, 0);
	vu_hang_up(&v);
	vu_connect(&v);
	if (!one_in(4))
		vu_boot(&v, features(), protocol(), FPH_NQUEUES);
}

/* Memory is gone for a moment, in which a ring is looked at. */
static void take_memory(void)
{
	uint32_t index = below(FPH_NQUEUES);

	ck_assert_int_eq(ftruncate(v.memfd, 0), 0);
	if (v.kick[index] >= 0)
		vu_kick(&v, index);
	vu_step(&v, 0);
	ck_assert_int_eq(ftruncate(v.memfd, VU_MEM_SIZE), 0);
}

static void do_anything(void)
{
	if (v.sock < 0 || v.daemon.frontend.state == FRONTEND_NONE)
		connect_again();
	send_anything();
	if (one_in(3))
		offer_anything();
	control_anything();
	if (one_in(200))
		take_memory();
	vu_step(&v, 0);
	listen_to_it();
	if (one_in(300))
		vu_hang_up(&v);
}

START_TEST(anything_in_any_order)
{
	int i;

	seed = (uint64_t)_i + 1;
	vu_start(&v, true);
	event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ck_assert_int_ge(event, 0);
	for (i = 0; i < MESSAGES; i++)
		do_anything();
	worker_set_delay(&v.daemon.service.device.worker, 0);
	vu_hang_up(&v);
	connect_again();
	ck_assert_uint_ne(vu_get_u64(&v, VU_GET_FEATURES), 0);
	close(event);
	vu_stop(&v);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vhost_user_random");
	TCase *tc = tcase_create("random");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 600);
	tcase_add_loop_test(tc, anything_in_any_order, 0, 8);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
