/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a front-end can hand over to hang the daemon: descriptors that block,
 * files that are served by nobody, a log that nobody reads.  Where the daemon
 * waits for its peer the test runs into its time limit.
 */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vhost-user-balloon/clock.h"
#include "vhost-user-balloon/file_kind.h"
#include "vhost-user-balloon/log.h"
#include "vhost-user-balloon/notify.h"
#include "vu_fixture.h"

#define FEATURES	(VU_VIRTIO | VU_BIT_30)
#define REPORT		4u

static struct vu v;

/* ---------------------------------------------------------------- fault 12 */

/* An eventfd that blocks and that somebody else has emptied. */
START_TEST(fault_12_blocking_eventfd_that_was_raced)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	eventfd_t n;

	notify_init();
	ck_assert_int_eq(notify_take(fd), 0);
	ck_assert_int_eq(eventfd_write(fd, 3), 0);
	ck_assert_int_eq(notify_take(fd), 1);
	ck_assert_int_eq(notify_take(fd), 0);
	notify_raise(fd);
	ck_assert_int_eq(eventfd_read(fd, &n), 0);
	ck_assert_uint_eq(n, 1);
	/* Its flags are the front-end's. */
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
	notify_fini();
}
END_TEST

/* A call whose count cannot go up any more: to write would wait for a read. */
START_TEST(fault_12_blocking_eventfd_that_is_full)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	int i;

	notify_init();
	ck_assert_int_eq(eventfd_write(fd, UINT64_MAX - 1), 0);
	for (i = 0; i < 1000; i++)
		notify_raise(fd);
	ck_assert_int_eq(notify_take(fd), 1);
	close(fd);
	notify_fini();
}
END_TEST

START_TEST(fault_12_blocking_pipe)
{
	int ends[2], i;

	notify_init();
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(notify_take(ends[0]), 0);
	notify_raise(ends[1]);
	ck_assert_int_eq(notify_take(ends[0]), 1);
	for (i = 0; i < 1000; i++)
		notify_raise(ends[1]);
	ck_assert_int_eq(notify_take(ends[0]), 1);
	close(ends[1]);
	while (notify_take(ends[0]) == 1)
		;
	ck_assert_int_eq(notify_take(ends[0]), -1);
	close(ends[0]);
	notify_fini();
}
END_TEST

/* A socket that poll finds readable only at 1000 bytes, and a full one. */
START_TEST(fault_12_blocking_socket)
{
	int pair[2], many = 1000, i;

	notify_init();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    pair), 0);
	ck_assert_int_eq(setsockopt(pair[0], SOL_SOCKET, SO_RCVLOWAT, &many,
				    sizeof(many)), 0);
	ck_assert_int_eq(notify_take(pair[0]), 0);
	for (i = 0; i < 100000; i++)
		notify_raise(pair[1]);
	ck_assert_int_eq(notify_take(pair[0]), 1);
	close(pair[1]);
	while (notify_take(pair[0]) == 1)
		;
	ck_assert_int_eq(notify_take(pair[0]), -1);
	close(pair[0]);
	notify_fini();
}
END_TEST

/* A socket with an error queued is readable for poll, and blocks a read. */
static int open_udp_with_an_error(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = 1 };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return -1;
	(void)!send(fd, "x", 1, 0);
	return fd;
}

/* All else is refused, for kicks, calls and errors, and closed. */
START_TEST(fault_12_other_descriptors_are_refused)
{
	static const uint32_t requests[] = {
		VU_SET_VRING_KICK, VU_SET_VRING_CALL, VU_SET_VRING_ERR
	};
	int fds[] = {
		open_udp_with_an_error(), open("/dev/zero", O_RDWR),
		open("/", O_RDONLY | O_DIRECTORY), epoll_create1(0),
		open("/proc/self/exe", O_RDONLY), -1
	};
	uint8_t p[8] = { 0 };
	size_t i, n;

	vu_start(&v, false);
	fds[5] = v.memfd;
	vu_protocol(&v, VU_PROTOCOL);
	for (n = 0; n < sizeof(fds) / sizeof(fds[0]); n++) {
		if (fds[n] < 0)
			continue;
		for (i = 0; i < 3; i++)
			ck_assert_int_eq(vu_ack(&v, requests[i], p, 8,
						&fds[n], 1), EBADF);
	}
	vu_stop(&v);
}
END_TEST

/* The daemon goes on beside rings with such descriptors. */
START_TEST(fault_12_daemon_with_blocking_descriptors)
{
	int kick = eventfd(0, EFD_CLOEXEC), call = eventfd(0, EFD_CLOEXEC);
	uint8_t p[8];
	int i;

	vu_start(&v, false);
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	vu_store64(p, REPORT);
	ck_assert_int_eq(vu_ack(&v, VU_SET_VRING_KICK, p, 8, &kick, 1), 0);
	ck_assert_int_eq(vu_ack(&v, VU_SET_VRING_CALL, p, 8, &call, 1), 0);
	notify_take(call);
	ck_assert_int_eq(eventfd_write(call, UINT64_MAX - 1), 0);
	for (i = 1; i <= 5; i++) {
		vu_offer(&v, REPORT, VU_PAGES, 0x1000, RING_WRITE);
		ck_assert_int_eq(eventfd_write(kick, 1), 0);
		vu_wait_used(&v, REPORT, (uint16_t)i);
	}
	vu_stop(&v);
	close(kick);
	close(call);
}
END_TEST

/* A TCP socket whose last close waits an hour for a peer that does not read. */
static int open_lingering(int *peer)
{
	struct linger hour = { 1, 3600 };
	struct sockaddr_in to = { .sin_family = AF_INET };
	socklen_t len = sizeof(to);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static char bytes[65536];

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(l, (struct sockaddr *)&to, len), 0);
	ck_assert_int_eq(listen(l, 1), 0);
	ck_assert_int_eq(getsockname(l, (struct sockaddr *)&to, &len), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, len), 0);
	*peer = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(*peer, 0);
	close(l);
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hour,
				    sizeof(hour)), 0);
	return fd;
}

/* Send it away: then its last reference is in the queue of a socket. */
static void send_away(int sock, const void *bytes, size_t len, int fd)
{
	int own = v.sock;

	v.sock = sock;
	vu_send_raw(&v, bytes, len, &fd, 1);
	v.sock = own;
	close(fd);
}

/*
 * What comes along with a kick, after a header, where nothing is wanted, and
 * what was never read: the kernel closes it while the reader waits.
 */
START_TEST(fault_12_socket_that_lingers)
{
	uint8_t m[VU_HEADER_SIZE + 8] = { 0 };
	int pair[2], peer, fd;

	vu_start(&v, false);
	fd = open_lingering(&peer);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    pair), 0);
	vu_protocol(&v, VU_PROTOCOL);
	vu_store32(m + VU_HEADER_REQUEST, VU_SET_FEATURES);
	vu_store32(m + VU_HEADER_FLAGS, VU_FLAG_VERSION);
	vu_store32(m + VU_HEADER_LENGTH, 8);
	switch (_i) {
	case 0:
		ck_assert_int_eq(vu_ack(&v, VU_SET_VRING_KICK, m + 12, 8,
					&pair[1], 1), 0);
		send_away(pair[0], "x", 1, fd);
		break;
	case 1:
		vu_send_raw(&v, m, VU_HEADER_SIZE, NULL, 0);
		send_away(v.sock, m + VU_HEADER_SIZE, 8, fd);
		break;
	case 2:
		send_away(v.sock, m, sizeof(m), fd);
		break;
	case 3:
		/* Behind a message that ends the connection. */
		memset(m, 0xff, sizeof(m));
		vu_send_raw(&v, m, sizeof(m), NULL, 0);
		send_away(v.sock, m, sizeof(m), fd);
		break;
	}
	vu_step(&v, 20);
	vu_hang_up(&v);
	vu_serve_next(&v);
	close(pair[0]);
	close(pair[1]);
	/* Now it can be closed. */
	close(peer);
	vu_stop(&v);
}
END_TEST

/* ---------------------------------------------------------------- fault 13 */

static int64_t set_memory(int fd)
{
	uint8_t p[VU_TABLE_REGIONS + VU_REGION_SIZE] = { 1 };

	vu_put_region(p + VU_TABLE_REGIONS, 0, 0x10000, VU_UVA, 0);
	return vu_ack(&v, VU_SET_MEM_TABLE, p, sizeof(p), &fd, 1);
}

/*
 * Memory is shmem or hugetlb, and what the operator trusts: a page of a file
 * system in user space may never come.
 */
START_TEST(fault_13_memory_on_a_file_system)
{
	static const char all[] = "overlay,ext4,ext3,xfs,btrfs,zfs,f2fs";
	FILE *file = fopen("fault_13.tmp", "w+e");
	int fd, zero = open("/dev/zero", O_RDWR | O_CLOEXEC);

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(remove("fault_13.tmp"), 0);
	fd = fileno(file);
	ck_assert_int_eq(ftruncate(fd, 0x10000), 0);
	file_prepare();
	vu_start(&v, false);
	vu_protocol(&v, VU_PROTOCOL);
	if (file_get_kind(fd) == FILE_OTHER) {
		ck_assert_int_eq(set_memory(fd), EPERM);
		v.daemon.options.memory.file_systems = "ext,overlayfs";
		ck_assert_int_eq(set_memory(fd), EPERM);
	}
	if (file_get_kind(fd) == FILE_OTHER && file_is_on(fd, all)) {
		v.daemon.options.memory.file_systems = all;
		ck_assert_int_eq(set_memory(fd), 0);
	} else {
		printf("memory on a disk not tried: none of %s here\n", all);
	}
	ck_assert_int_eq(set_memory(zero), EPERM);
	ck_assert_int_eq(set_memory(v.kick[0] = eventfd(0, 0)), EPERM);
	ck_assert_int_eq(set_memory(v.memfd), 0);
	vu_stop(&v);
	close(zero);
	fclose(file);
}
END_TEST

/* ---------------------------------------------------------------- fault 14 */

/* Standard error is a pipe; its end to read from. */
static int divert_log(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	return ends[0];
}

/* Reads up to the line; how many came, and how many they say were left out. */
static unsigned long read_log(int fd, const char *until,
			      unsigned long *left_out)
{
	static char line[600];
	FILE *file = fdopen(fd, "r");
	unsigned long left, n = 0;

	*left_out = 0;
	while (fgets(line, sizeof(line), file)) {
		n++;
		if (sscanf(line, "vhost-user-balloon: %lu lines were left out",
			   &left) == 1)
			*left_out += left;
		if (!strcmp(line, until))
			break;
	}
	fclose(file);
	return n;
}

/* Nobody reads it: logging goes on, and so does the end. */
START_TEST(fault_14_log_that_nobody_reads)
{
	int fd = divert_log();
	char filler[4096] = { 0 };
	int64_t begin;
	int i;

	fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
	while (write(STDERR_FILENO, filler, sizeof(filler)) > 0)
		;
	fcntl(STDERR_FILENO, F_SETFL, 0);
	log_start();
	log_set_verbose(true);
	begin = clock_now();
	for (i = 0; i < 100000; i++)
		log_detail("line %d", i);
	log_line("an event");
	log_stop();
	ck_assert_int_lt(clock_now() - begin, 10000);
	close(fd);
}
END_TEST

/* However much somebody causes, so many lines are written, and a count. */
START_TEST(fault_14_log_is_bounded)
{
	int fd = divert_log();
	unsigned long n, left_out;
	int i;

	log_start();
	for (i = 0; i < 71000; i++)
		log_line("front-end connected");
	usleep(300000);
	log_line("the next");
	n = read_log(fd, "vhost-user-balloon: the next\n", &left_out);
	/* A hundred at once; a process that ran other tests had some. */
	ck_assert_uint_ge(n, 50);
	ck_assert_uint_le(n, 1000);
	/* Each line is there or counted, if not in one sum. */
	ck_assert_uint_ge(left_out, 71000 - n);
	ck_assert_uint_lt(left_out, 71000);
	log_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vhost_user_peer");
	TCase *tc = tcase_create("vhost_user_peer");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, fault_12_blocking_eventfd_that_was_raced);
	tcase_add_test(tc, fault_12_blocking_eventfd_that_is_full);
	tcase_add_test(tc, fault_12_blocking_pipe);
	tcase_add_test(tc, fault_12_blocking_socket);
	tcase_add_test(tc, fault_12_other_descriptors_are_refused);
	tcase_add_test(tc, fault_12_daemon_with_blocking_descriptors);
	/* So check-valgrind runs the tests. */
	if (getenv("CK_FORK"))
		fprintf(stderr, "SKIP fault_12_socket_that_lingers: a close() "
				"that waits stops all threads of valgrind\n");
	else
		tcase_add_loop_test(tc, fault_12_socket_that_lingers, 0, 4);
	tcase_add_test(tc, fault_13_memory_on_a_file_system);
	tcase_add_test(tc, fault_14_log_is_bounded);
	/* The last: where libcheck does not fork it leaves a thread. */
	tcase_add_test(tc, fault_14_log_that_nobody_reads);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
