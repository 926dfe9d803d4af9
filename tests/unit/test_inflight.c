/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Fault 6: buffers in flight over a kill.  The front-end keeps the region; the
 * daemon is dropped at any moment and another one goes on.
 */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vhost-user-balloon/inflight.h"
#include "vu_fixture.h"

#define NUM	8u
#define ROUNDS	20000u

/* A split ring in memory of its own, and its driver. */
static uint8_t avail[4 + 2 * NUM + 2], used[4 + 8 * NUM + 2];
static const struct inflight_ring ring = { NUM, avail, used };
static bool out[NUM];			/* heads that the driver gave away */
static uint16_t seen;			/* used index of the driver */

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void offer(uint16_t head)
{
	uint16_t idx = get16(avail + 2);

	out[head] = true;
	put16(avail + 4 + 2u * (idx % NUM), head);
	put16(avail + 2, idx + 1u);
}

static void offer_some(void)
{
	uint16_t head = (uint16_t)((uint32_t)rand() % NUM);

	if (!out[head])
		offer(head);
}

/* Every buffer comes back once. */
static void driver_takes(void)
{
	for (; seen != get16(used + 2); seen++) {
		uint16_t head = get16(used + 4 + 8u * (seen % NUM));

		ck_assert_uint_lt(head, NUM);
		ck_assert_msg(out[head], "head %u came twice", head);
		out[head] = false;
	}
}

/* The device that is killed: what it has popped and not returned. */
static uint16_t held[NUM], nheld, next;

static void device_pops(struct inflight *f)
{
	while (next != get16(avail + 2) && rand() % 4) {
		held[nheld++] = get16(avail + 4 + 2u * (next++ % NUM));
		/* Killed between the pop and the mark: the pop never was. */
		if (rand() % 8 == 0) {
			nheld--;
			next--;
			return;
		}
		inflight_take(f, 0, &ring, 1);
	}
}

static void device_returns(struct inflight *f)
{
	while (nheld && rand() % 3) {
		uint16_t i = (uint16_t)(rand() % nheld);
		uint16_t idx = get16(used + 2);

		put16(used + 4 + 8u * (idx % NUM), held[i]);
		put16(used + 2, idx + 1u);
		held[i] = held[--nheld];
	}
	/* Killed between the used index and the marks. */
	if (rand() % 4)
		inflight_return(f, 0, &ring);
}

/* At any moment another device takes over: nothing is lost, nothing doubled. */
START_TEST(fault_6_killed_at_any_moment)
{
	struct inflight f;
	uint64_t size;
	uint32_t round, base, total = 0;
	int fd, i;

	srand((unsigned int)_i + 1);
	ck_assert_int_eq(inflight_create(1, NUM, &fd, &size), 0);
	for (round = 0; round < ROUNDS; round++) {
		base = get16(used + 2);
		ck_assert_int_eq(inflight_open(&f, fd, size, 0, 1, NUM), 0);
		total += inflight_start(&f, 0, &ring, &base);
		next = (uint16_t)base;
		nheld = 0;
		for (i = rand() % 5; i >= 0; i--) {
			driver_takes();
			offer_some();
			device_pops(&f);
			/* What returns must be told before more is popped. */
			device_returns(&f);
			inflight_return(&f, 0, &ring);
		}
		if (rand() % 2)
			device_returns(&f);
		inflight_close(&f);
	}
	/* The last device returns all. */
	ck_assert_int_eq(inflight_open(&f, fd, size, 0, 1, NUM), 0);
	base = get16(used + 2);
	inflight_start(&f, 0, &ring, &base);
	next = (uint16_t)base;
	driver_takes();
	for (; next != get16(avail + 2); next++) {
		uint16_t idx = get16(used + 2);

		put16(used + 4 + 8u * (idx % NUM),
		      get16(avail + 4 + 2u * (next % NUM)));
		put16(used + 2, idx + 1u);
	}
	driver_takes();
	for (i = 0; i < (int)NUM; i++)
		ck_assert_msg(!out[i], "head %d was lost", i);
	/* Both ways were taken. */
	ck_assert_uint_gt(total, 0);
	inflight_close(&f);
	close(fd);
}
END_TEST

/* Sizes that are wrong, and what is no region. */
START_TEST(fault_6_region_is_checked)
{
	struct inflight f;
	uint64_t size;
	int fd;

	ck_assert_int_eq(inflight_create(0, NUM, &fd, &size), EINVAL);
	ck_assert_int_eq(inflight_create(9, NUM, &fd, &size), EINVAL);
	ck_assert_int_eq(inflight_create(1, 0, &fd, &size), EINVAL);
	ck_assert_int_eq(inflight_create(1, 32769, &fd, &size), EINVAL);
	ck_assert_int_eq(inflight_create(5, NUM, &fd, &size), 0);
	ck_assert_int_eq(inflight_open(&f, fd, size - 64, 0, 5, NUM), EINVAL);
	ck_assert_int_eq(inflight_open(&f, fd, size, 4096, 5, NUM), EINVAL);
	ck_assert_int_eq(inflight_open(&f, fd, size, 1, 5, NUM), EINVAL);
	ck_assert_int_eq(inflight_open(&f, fd, UINT64_MAX, 0, 5, NUM), EINVAL);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(inflight_open(&f, fd, size, 0, 5, NUM), EINVAL);
	close(fd);
}
END_TEST

/* ------------------------------------------------------------- by messages */

static struct vu v;

#define FEATURES	(VU_VIRTIO | VU_BIT_30)
#define PROTOCOL	(VU_PROTOCOL | FPH_BIT(VU_PF_INFLIGHT_SHMFD))
#define REPORT		4u
#define PIECE		0x10000u

static int get_region(uint8_t *p)
{
	char control[CMSG_SPACE(sizeof(int))];
	uint8_t bytes[VU_HEADER_SIZE + VU_INFLIGHT_SIZE];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int fd;

	vu_send(&v, VU_GET_INFLIGHT_FD, 0, p, VU_INFLIGHT_SIZE, NULL, 0);
	while (!vu_is_answered(&v))
		vu_step(&v, 0);
	ck_assert_int_eq(recvmsg(v.sock, &h, 0), sizeof(bytes));
	ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&h));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(fd));
	memcpy(p, bytes + VU_HEADER_SIZE, VU_INFLIGHT_SIZE);
	return fd;
}

/* A daemon that has a region; p: what the two messages said of it. */
static int start_with_region(uint8_t *p)
{
	const uint16_t five = 5, num = VU_NUM;
	int fd;

	memset(p, 0, VU_INFLIGHT_SIZE);
	memcpy(p + VU_INFLIGHT_QUEUES, &five, 2);
	memcpy(p + VU_INFLIGHT_NUM, &num, 2);
	vu_start(&v, false);
	vu_protocol(&v, PROTOCOL);
	fd = get_region(p);
	ck_assert_int_eq(vu_ack(&v, VU_SET_INFLIGHT_FD, p, VU_INFLIGHT_SIZE,
				&fd, 1), 0);
	return fd;
}

/*
 * A window of four reports, of which the first and the third came back: after
 * the kill the two others come back once each, and the next works.
 */
START_TEST(fault_6_region_over_a_kill)
{
	uint8_t p[VU_INFLIGHT_SIZE];
	uint16_t i;
	uint8_t *map;
	uint64_t size;
	struct ring *r = &v.rings[REPORT];
	int fd = start_with_region(p);

	size = vu_load64(p + VU_INFLIGHT_BYTES);
	ck_assert_uint_ge(size, 5 * (16 + 16 * VU_NUM));
	vu_negotiate(&v, FEATURES);
	for (i = 0; i < 4; i++)
		vu_offer(&v, REPORT, VU_PAGES + i * PIECE, PIECE, RING_WRITE);
	/* What a back-end that was killed left behind. */
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	map[REPORT * (size / 5) + 16 + 16 * 1] = 1;
	map[REPORT * (size / 5) + 16 + 16 * 3] = 1;
	r->used[4] = 0;
	r->used[4 + 8] = 2;
	r->used[2] = 2;
	munmap(map, size);
	vu_ring(&v, REPORT, false);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_ENABLE, REPORT, 1), 0);
	vu_wait_used(&v, REPORT, 4);
	vu_step(&v, 20);
	ck_assert_uint_eq(ring_get_used_idx(r), 4);
	ck_assert_uint_eq(r->used[4 + 8 * 2] + r->used[4 + 8 * 3], 1 + 3);
	ck_assert_uint_ne(r->used[4 + 8 * 2], r->used[4 + 8 * 3]);
	close(fd);
	vu_stop(&v);
}
END_TEST

/* Killed after 65536 buffers came back, and before the last interrupt. */
START_TEST(fault_6_last_interrupt)
{
	uint8_t p[VU_INFLIGHT_SIZE];
	uint64_t count;
	int fd = start_with_region(p);

	vu_negotiate(&v, FEATURES);
	vu_ring(&v, REPORT, false);
	vu_step(&v, 20);
	ck_assert_int_eq(read(v.call[REPORT], &count, sizeof(count)),
			 sizeof(count));
	close(fd);
	vu_stop(&v);
}
END_TEST

/* It is shortened under the daemon: the end of the connection only. */
START_TEST(fault_6_region_is_taken_away)
{
	uint8_t p[VU_INFLIGHT_SIZE];
	int fd = start_with_region(p);

	vu_negotiate(&v, FEATURES);
	vu_ring(&v, 0, false);
	/* Another one, which is not used, does not disturb the guard. */
	close(get_region(p));
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	close(fd);
	vu_serve_next(&v);
	vu_stop(&v);
}
END_TEST

/*
 * Packed rings have no region: one that came before the features is closed,
 * and a later one is refused.
 */
START_TEST(packed_rings_have_none)
{
	const uint64_t packed = FEATURES | FPH_BIT(VIRTIO_F_RING_PACKED);
	uint8_t p[VU_INFLIGHT_SIZE];
	struct vu_answer a;
	int fd = start_with_region(p);

	ck_assert_ptr_nonnull(v.daemon.service.session.inflight.map);
	vu_negotiate(&v, packed);
	ck_assert_ptr_null(v.daemon.service.session.inflight.map);
	ck_assert_int_eq(vu_ack(&v, VU_SET_INFLIGHT_FD, p, sizeof(p), &fd, 1),
			 EOPNOTSUPP);
	vu_send(&v, VU_GET_INFLIGHT_FD, 0, p, sizeof(p), NULL, 0);
	ck_assert(vu_wait(&v, &a));
	ck_assert_uint_eq(vu_load64(a.payload + VU_INFLIGHT_BYTES), 0);
	close(fd);
	/* A driver with split rings comes after it. */
	ck_assert_int_eq(vu_ack_u64(&v, VU_SET_FEATURES, FEATURES), 0);
	fd = get_region(p);
	ck_assert_int_eq(vu_ack(&v, VU_SET_INFLIGHT_FD, p, sizeof(p), &fd, 1),
			 0);
	close(fd);
	vu_stop(&v);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inflight");
	TCase *tc = tcase_create("inflight");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, fault_6_killed_at_any_moment, 0, 4);
	tcase_add_test(tc, fault_6_region_is_checked);
	tcase_add_test(tc, fault_6_region_over_a_kill);
	tcase_add_test(tc, packed_rings_have_none);
	tcase_add_test(tc, fault_6_last_interrupt);
	tcase_add_test(tc, fault_6_region_is_taken_away);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
