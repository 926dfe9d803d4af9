/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * How much one side may take from the other, and what the figures say: sizes
 * of the balloon, bytes freed, back-off, budgets, limits of clients and memory.
 * The number of each fault of a review stands at its test.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "control_fixture.h"
#include "vhost-user-balloon/listen.h"

#define DEFLATE		1u		/* ring indices with FEATURES */
#define REPORT		4u
#define PIECE		0x400000u
#define ALL_PROTOCOL	(VU_PROTOCOL | FPH_BIT(VU_PF_CONFIGURE_MEM_SLOTS))

static void report(uint64_t gpa, uint32_t len)
{
	uint16_t used = ring_get_used_idx(&v.rings[REPORT]);

	vu_offer(&v, REPORT, gpa, len, RING_WRITE);
	vu_kick(&v, REPORT);
	vu_wait_used(&v, REPORT, (uint16_t)(used + 1));
	vu_step(&v, 1);
}

static json_int_t get_stat(const char *part, const char *name)
{
	json_t *o = execute(&one, "{\"execute\": \"query-stats\"}");
	json_int_t n = number(o, part, name);

	json_decref(o);
	return n;
}

static int64_t add_region(int fd, uint64_t gpa, uint64_t len, uint64_t uva,
			  uint64_t offset)
{
	uint8_t p[VU_SINGLE_REGION_SIZE] = { 0 };

	vu_put_region(p + VU_SINGLE_REGION, gpa, len, uva, offset);
	return vu_ack(&v, VU_ADD_MEM_REG, p, sizeof(p), &fd, 1);
}

/* ---------------------------------------------------------------- fault 8 -- */

/* A size of the guest is applied once: what is plugged in later is its own. */
START_TEST(fault_8_plugged_memory_stays_out_of_the_balloon)
{
	int more = memfd_create("more", MFD_CLOEXEC);

	ck_assert_int_eq(ftruncate(more, VU_MEM_SIZE), 0);
	vu_start(&v, false);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	peer_open(&one);
	peer_open(&two);
	json_decref(execute(&one, "{\"execute\": \"balloon\", \"arguments\": "
			    "{\"value\": 12582912}}"));
	ck_assert_int_eq(get_stat("balloon", "target"), 4 << 20);
	ck_assert_int_eq(add_region(more, 0x100000000, VU_MEM_SIZE,
				    0x1000, 0), 0);
	vu_step(&v, 5);
	ck_assert_int_eq(get_stat("balloon", "target"), 4 << 20);
	/* The next guest gets its size anew. */
	vu_hang_up(&v);
	while (v.daemon.frontend.state != FRONTEND_NONE)
		vu_step(&v, 0);
	vu_connect(&v);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	vu_step(&v, 5);
	ck_assert_int_eq(get_stat("balloon", "target"), 4 << 20);
	/* Or the size of the balloon is told. */
	json_decref(execute(&one, "{\"execute\": \"balloon\", \"arguments\": "
			    "{\"balloon\": 1048576}}"));
	ck_assert_int_eq(get_stat("balloon", "target"), 1 << 20);
	check_error("{\"execute\": \"balloon\", \"arguments\": "
		    "{\"balloon\": 1, \"value\": 1}}", "BadArgument");
	stop();
	close(more);
}
END_TEST

/* --------------------------------------------------------------- fault 10 -- */

/* A report of a good and a bad part, and what of it is freed. */
static json_int_t report_half_bad(const char *option)
{
	struct ring *r = &v.rings[REPORT];
	json_int_t freed;

	vu_start_with(&v, option);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	peer_open(&one);
	peer_open(&two);
	memset(v.mem + VU_PAGES, 1, PIECE);
	ring_desc(r, r->desc, 0, VU_PAGES, PIECE, RING_WRITE | RING_NEXT, 1);
	ring_desc(r, r->desc, 1, VU_MEM_SIZE, PIECE, RING_WRITE, 0);
	ring_offer(r, 0);
	vu_kick(&v, REPORT);
	vu_wait_used(&v, REPORT, 1);
	freed = get_stat("report", "bytes-freed");
	ck_assert_int_eq(get_stat("report", "unmapped"), 1);
	ck_assert_uint_eq(v.mem[VU_PAGES], freed ? 0 : 1);
	stop();
	return freed;
}

/* It is returned and counted in any case; what is freed is the option's. */
START_TEST(fault_10_partly_bad_report)
{
	ck_assert_int_eq(report_half_bad("--keep-good-part=off"), 0);
	ck_assert_int_eq(report_half_bad("--keep-good-part=on"), PIECE);
	/* The default. */
	ck_assert_int_eq(report_half_bad("--inband=off"), 0);
}
END_TEST

/* --------------------------------------------------------------- fault 11 -- */

/* The same memory ten times: it is freed once. */
START_TEST(fault_11_freed_is_what_the_file_lost)
{
	int i;

	start(true);
	memset(v.mem + VU_PAGES, 1, PIECE);
	for (i = 0; i < 10; i++)
		report(VU_PAGES, PIECE);
	ck_assert_int_eq(get_stat("report", "bytes-freed"), PIECE);
	ck_assert_int_eq(get_stat("report", "bytes-discarded"), 10 * PIECE);
	stop();
}
END_TEST

/* A region in the second part of a file has its own pages only. */
START_TEST(fault_11_resident_of_a_part_of_a_file)
{
	const size_t half = 1 << 20;
	int fd = memfd_create("parts", MFD_CLOEXEC);
	json_int_t before;
	uint8_t *map;

	ck_assert_int_eq(ftruncate(fd, 2 << 20), 0);
	map = mmap(NULL, 2 * half, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(map, 1, half);
	memset(map + half, 1, 0x3000);
	vu_start(&v, false);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	peer_open(&one);
	peer_open(&two);
	before = get_stat("memory", "resident-bytes");
	ck_assert_int_eq(add_region(fd, 0x100000000, half, 0x1000, half), 0);
	ck_assert_int_eq(get_stat("memory", "resident-bytes") - before,
			 0x3000);
	munmap(map, 2 * half);
	stop();
	close(fd);
}
END_TEST

/* --------------------------------------------------------------- fault 15 -- */

/* The largest deflate buffers are not all taken in one turn of the loop. */
START_TEST(fault_15_taking_buffers_has_a_budget_of_time)
{
	uint16_t used;
	uint32_t i;

	start(true);
	for (i = 0; i < VU_NUM; i++)
		vu_offer(&v, DEFLATE, VU_PAGES, 4 * FPH_BALLOON_MAX_PFNS, 0);
	vu_kick(&v, DEFLATE);
	ck_assert(daemon_step(&v.daemon, 0));
	used = ring_get_used_idx(&v.rings[DEFLATE]);
	ck_assert_uint_gt(used, 0);
	ck_assert_uint_lt(used, VU_NUM);
	/* The control socket is served between. */
	json_decref(execute(&one, "{\"execute\": \"query-stats\"}"));
	vu_wait_used(&v, DEFLATE, VU_NUM);
	stop();
}
END_TEST

/* --------------------------------------------------------------- fault 16 -- */

/* One region's file cannot be punched: the others are freed all the same. */
START_TEST(fault_16_backoff_is_of_one_region)
{
	int sealed = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint8_t *map;
	int i;

	ck_assert_int_eq(ftruncate(sealed, PIECE), 0);
	map = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_SHARED, sealed, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	vu_start(&v, false);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	peer_open(&one);
	peer_open(&two);
	ck_assert_int_eq(add_region(sealed, 0x100000000, PIECE, 0x1000, 0),
			 0);
	/* Mapped for writing already, it can be sealed against later writes. */
	ck_assert_int_eq(fcntl(sealed, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	for (i = 0; i < 40; i++) {
		memset(v.mem + VU_PAGES, 1, 0x10000);
		report(0x100000000, 0x10000);
		report(VU_PAGES, 0x10000);
		ck_assert_uint_eq(v.mem[VU_PAGES], 0);
	}
	ck_assert_int_gt(get_stat("report", "bytes-failed"), 0);
	ck_assert_int_eq(get_stat("report", "bytes-discarded"), 40 * 0x10000);
	munmap(map, PIECE);
	stop();
	close(sealed);
}
END_TEST

/* ----------------------------------------------------- options of operators */

START_TEST(queue_size_is_limited)
{
	vu_start_with(&v, "--queue-size=128");
	vu_protocol(&v, VU_PROTOCOL);
	vu_negotiate(&v, VU_VIRTIO | VU_BIT_30);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_NUM, 0, 256), EINVAL);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_NUM, 0, 128), 0);
	vu_stop(&v);
}
END_TEST

static bool offers_deflate_on_oom(const char *option)
{
	uint64_t offered;

	vu_start_with(&v, option);
	offered = vu_get_u64(&v, VU_GET_FEATURES);
	vu_stop(&v);
	return offered & FPH_BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
}

START_TEST(deflate_on_oom_is_an_option)
{
	ck_assert(!offers_deflate_on_oom("--inband=off"));
	ck_assert(!offers_deflate_on_oom("--deflate-on-oom=off"));
	ck_assert(offers_deflate_on_oom("--deflate-on-oom=on"));
}
END_TEST

/* ---------------------------------------------------------- faults 7 and 17 */

START_TEST(fault_7_many_memory_slots)
{
	uint32_t i;

	vu_start(&v, false);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	ck_assert_uint_ge(vu_get_u64(&v, VU_GET_MAX_MEM_SLOTS), 509);
	for (i = 0; i < 508; i++)
		ck_assert_int_eq(add_region(v.memfd,
				 0x100000000 + i * 0x2000ull, 0x1000,
				 0x1000 + i * 0x2000ull, 0x100000), 0);
	vu_stop(&v);
}
END_TEST

START_TEST(fault_17_overlapping_user_addresses)
{
	vu_start(&v, false);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	ck_assert_int_eq(add_region(v.memfd, 0x100000000, 0x2000,
				    VU_UVA + VU_MEM_SIZE - 0x1000, 0),
			 EINVAL);
	ck_assert_int_eq(add_region(v.memfd, 0x100000000, 0x2000,
				    VU_UVA - 0x1000, 0), EINVAL);
	ck_assert_int_eq(add_region(v.memfd, 0x100000000, 0x2000,
				    VU_UVA - 0x2000, 0), 0);
	vu_stop(&v);
}
END_TEST

START_TEST(fault_17_memory_has_a_limit)
{
	int large = memfd_create("large", MFD_CLOEXEC);

	ck_assert_int_eq(ftruncate(large, 1ll << 30), 0);
	vu_start(&v, false);
	vu_boot(&v, FEATURES, ALL_PROTOCOL, 5);
	v.daemon.options.memory.max_bytes = 1ull << 30;
	ck_assert_int_eq(add_region(large, 0x100000000, 1ull << 30, 0x1000,
				    0), ENOMEM);
	ck_assert_int_eq(add_region(large, 0x100000000,
				    (1ull << 30) - VU_MEM_SIZE, 0x1000, 0),
			 0);
	vu_stop(&v);
	close(large);
}
END_TEST

/* Idle clients make room, those that wait for events do not. */
START_TEST(fault_17_idle_clients_make_room)
{
	struct peer *peers = calloc(CONTROL_MAX_CLIENTS, sizeof(*peers));
	struct client *clients = v.daemon.control.clients;
	int i;

	ck_assert_ptr_nonnull(peers);
	start(true);
	for (i = 2; i < CONTROL_MAX_CLIENTS; i++)
		peer_open(&peers[i]);
	json_decref(execute(&one, "{\"execute\": \"subscribe\", "
			    "\"arguments\": {\"events\": [\"hint\"]}}"));
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		clients[i].seen -= 60000 - i;
	peer_open(&peers[0]);
	json_decref(execute(&peers[0], "{\"execute\": \"query-hint\"}"));
	/* The second was idle for longest; the first wants events. */
	ck_assert_ptr_null(peer_next(&two));
	json_decref(execute(&one, "{\"execute\": \"query-hint\"}"));
	peer_close(&peers[0]);
	for (i = 2; i < CONTROL_MAX_CLIENTS; i++)
		peer_close(&peers[i]);
	free(peers);
	stop();
}
END_TEST

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)),
			 0);
	return fd;
}

static const struct listener_access anybody = { LISTENER_UMASK, (gid_t)-1 };

static bool is_closed(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* A second front-end is told; a silent one goes for the next. */
START_TEST(fault_17_silent_front_end)
{
	struct listener l;
	int second, third;

	ck_assert_int_eq(listener_open(&l, "fault_17.sock",
					   &anybody), 0);
	/* Does not wait, and holds a descriptor back from here on. */
	ck_assert_int_eq(listener_accept(l.fd), -1);
	vu_start(&v, false);
	v.daemon.listen_fd = l.fd;
	vu_get_u64(&v, VU_GET_FEATURES);
	second = connect_to("fault_17.sock");
	vu_step(&v, 5);
	ck_assert(is_closed(second));
	ck_assert(!is_closed(v.sock));
	close(second);
	/* Now one that says nothing. */
	vu_hang_up(&v);
	while (v.daemon.frontend.state != FRONTEND_NONE)
		vu_step(&v, 0);
	second = connect_to("fault_17.sock");
	vu_step(&v, 5);
	ck_assert_int_eq(v.daemon.frontend.state, FRONTEND_CONNECTED);
	v.daemon.service.session.since -= 60000;
	third = connect_to("fault_17.sock");
	vu_step(&v, 20);
	ck_assert(is_closed(second));
	ck_assert(!is_closed(third));
	ck_assert_int_eq(v.daemon.frontend.state, FRONTEND_CONNECTED);
	close(second);
	close(third);
	v.daemon.listen_fd = -1;
	vu_stop(&v);
	listener_close(&l);
}
END_TEST

/* No descriptor is free: the connection is dropped, and not asked for again. */
START_TEST(fault_17_no_descriptor_is_free)
{
	struct rlimit limit = { 0, 0 }, before;
	struct listener l;
	int first, second, fd;

	ck_assert_int_eq(listener_open(&l, "fault_17.sock",
					   &anybody), 0);
	first = connect_to("fault_17.sock");
	fd = listener_accept(l.fd);
	ck_assert_int_ge(fd, 0);
	second = connect_to("fault_17.sock");
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	before = limit;
	limit.rlim_cur = (rlim_t)second + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(listener_accept(l.fd), -1);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert(is_closed(second));
	ck_assert(!is_closed(first));
	close(first);
	close(second);
	close(fd);
	listener_close(&l);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vhost_user_limits");
	TCase *tc = tcase_create("vhost_user_limits");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, fault_7_many_memory_slots);
	tcase_add_test(tc, fault_8_plugged_memory_stays_out_of_the_balloon);
	tcase_add_test(tc, fault_10_partly_bad_report);
	tcase_add_test(tc, fault_11_freed_is_what_the_file_lost);
	tcase_add_test(tc, fault_11_resident_of_a_part_of_a_file);
	tcase_add_test(tc, fault_15_taking_buffers_has_a_budget_of_time);
	tcase_add_test(tc, fault_16_backoff_is_of_one_region);
	tcase_add_test(tc, fault_17_overlapping_user_addresses);
	tcase_add_test(tc, fault_17_memory_has_a_limit);
	tcase_add_test(tc, fault_17_idle_clients_make_room);
	tcase_add_test(tc, fault_17_silent_front_end);
	tcase_add_test(tc, fault_17_no_descriptor_is_free);
	tcase_add_test(tc, queue_size_is_limited);
	tcase_add_test(tc, deflate_on_oom_is_an_option);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
