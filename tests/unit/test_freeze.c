/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The daemon's device stands still: freeze, thaw, save and load in one process;
 * and the dirty log.  That no descriptor is left open is checked at each end.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/passing.h"
#include "control_fixture.h"

#define REPORT		4u		/* ring index with FEATURES */
#define PIECE		0x10000u

static void set_delay(const char *ms)
{
	char line[128];

	snprintf(line, sizeof(line), "{\"execute\": \"set-discard-delay\", "
		 "\"arguments\": {\"ms\": %s}}", ms);
	json_decref(execute(&one, line));
}

static void report(uint32_t piece)
{
	memset(v.mem + VU_PAGES + piece * PIECE, 0x55, PIECE);
	vu_offer(&v, REPORT, VU_PAGES + piece * PIECE, PIECE, RING_WRITE);
	vu_kick(&v, REPORT);
	vu_step(&v, 10);
}

static bool is_intact(uint32_t piece)
{
	const uint8_t *p = v.mem + VU_PAGES + piece * PIECE;

	return p[0] == 0x55 && !memcmp(p, p + 1, PIECE - 1);
}

static uint16_t get_used(void)
{
	return ring_get_used_idx(&v.rings[REPORT]);
}

/* ------------------------------------------------------------------ freeze */

START_TEST(both_modes)
{
	json_t *answer;

	start(true);
	answer = execute(&one, "{\"execute\": \"freeze\"}");
	ck_assert(json_is_true(json_object_get(answer, "frozen")));
	json_decref(answer);
	report(0);
	ck_assert_uint_eq(get_used(), 0);
	/* Another one acknowledges: HOLD is the stronger of the two. */
	json_decref(execute(&two, "{\"execute\": \"freeze\", \"arguments\": "
			    "{\"mode\": \"acknowledge\", \"reason\": \"x\"}}"));
	report(1);
	ck_assert_uint_eq(get_used(), 0);
	answer = execute(&one, "{\"execute\": \"query-stats\"}");
	ck_assert_int_eq(number(answer, "freeze", "inhibitors"), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(answer,
							  "inhibitors")), 2);
	json_decref(answer);
	json_decref(execute(&one, "{\"execute\": \"thaw\"}"));
	vu_wait_used(&v, REPORT, 2);
	ck_assert(is_intact(0) && is_intact(1));
	json_decref(execute(&one, "{\"execute\": \"thaw\", \"arguments\": "
			    "{\"all\": true}}"));
	report(2);
	vu_wait_used(&v, REPORT, 3);
	ck_assert(!is_intact(2));
	stop();
}
END_TEST

/* A client that goes while it waits, and one whose time is over. */
START_TEST(freeze_that_is_given_up)
{
	const struct freeze *f = &v.daemon.service.device.freeze;

	start(true);
	set_delay("3600000");
	report(0);
	peer_send(&two, "{\"execute\": \"freeze\"}\n");
	vu_step(&v, 10);
	ck_assert_uint_eq(f->n, 1);
	ck_assert(!f->quiet);
	peer_close(&two);
	vu_step(&v, 10);
	vu_step(&v, 10);
	ck_assert_uint_eq(f->n, 0);
	ck_assert_int_eq(f->mode, 0);
	check_error("{\"execute\": \"freeze\", \"arguments\": "
		    "{\"timeout-ms\": 1}}", "Timeout");
	ck_assert_uint_eq(f->n, 0);
	set_delay("0");
	vu_wait_used(&v, REPORT, 1);
	ck_assert(!is_intact(0));
	peer_open(&two);
	stop();
}
END_TEST

/* The end of the daemon, with buffers held. */
START_TEST(end_while_frozen)
{
	start(true);
	set_delay("3600000");
	report(0);
	report(1);
	peer_send(&two, "{\"execute\": \"freeze\"}\n");
	vu_step(&v, 10);
	stop();
}
END_TEST

/* ----------------------------------------------------------- save and load */

static void send_with(const char *line, int fd)
{
	size_t len = strlen(line);

	ck_assert_int_eq(passing_send(one.fd, line, len, &fd, 1, MSG_NOSIGNAL),
			 (int)len);
}

/* The class of the error, or NULL. */
static const char *ask_with(const char *name, int fd)
{
	static char class[32];
	char line[64];
	json_t *answer;
	bool failed;

	snprintf(line, sizeof(line), "{\"execute\": \"%s\"}\n", name);
	send_with(line, fd);
	answer = peer_next(&one);
	failed = get_class(answer) != NULL;
	snprintf(class, sizeof(class), "%s", failed ? get_class(answer) : "");
	json_decref(answer);
	return failed ? class : NULL;
}

static int new_memory(void)
{
	int fd = memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(save_and_load)
{
	int state = new_memory();
	int pair[2];

	start(true);
	ck_assert_str_eq(ask_with("save", state), "NotFrozen");
	json_decref(execute(&one, "{\"execute\": \"freeze\"}"));
	report(0);
	ck_assert_ptr_null(ask_with("save", state));
	ck_assert_int_gt(lseek(state, 0, SEEK_END), 500);
	json_decref(execute(&one, "{\"execute\": \"thaw\"}"));
	vu_wait_used(&v, REPORT, 1);
	ck_assert_str_eq(ask_with("load", state), "WrongState");
	vu_hang_up(&v);
	vu_step(&v, 10);
	ck_assert_ptr_null(ask_with("load", state));
	/* No memory, no descriptor, one that cannot be written. */
	ck_assert_int_eq(pipe(pair), 0);
	ck_assert_str_eq(ask_with("save", pair[1]), "BadDescriptor");
	ck_assert_str_eq(ask_with("load", pair[0]), "BadDescriptor");
	check_error("{\"execute\": \"save\"}", "BadDescriptor");
	ck_assert_int_eq(fcntl(state, F_ADD_SEALS, F_SEAL_WRITE), 0);
	ck_assert_str_eq(ask_with("save", state), "GenericError");
	close(pair[0]);
	close(pair[1]);
	stop();
	close(state);
}
END_TEST

/* Damage at any place: refused, and the device is as it was. */
START_TEST(damaged_states)
{
	unsigned int seed = 3;
	int state = new_memory();
	uint8_t good[8192], bad[8192];
	ssize_t n;
	int i;

	start(false);
	ck_assert_ptr_null(ask_with("save", state));
	n = pread(state, good, sizeof(good), 0);
	ck_assert_int_gt(n, 0);
	for (i = 0; i < 500; i++) {
		size_t len = (size_t)(i % 4 ? n : rand_r(&seed) % n);

		memcpy(bad, good, (size_t)n);
		bad[rand_r(&seed) % n] ^= (uint8_t)(1 + rand_r(&seed) % 255);
		ck_assert_int_eq(ftruncate(state, 0), 0);
		ck_assert_int_eq(pwrite(state, bad, len, 0), (int)len);
		ck_assert_str_eq(ask_with("load", state), "BadState");
	}
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	report(0);
	vu_wait_used(&v, REPORT, 1);
	stop();
	close(state);
}
END_TEST

/* Descriptors that nobody asked for, many, with and without a command. */
START_TEST(descriptors_that_are_not_wanted)
{
	int fd = new_memory();
	int i;

	start(false);
	for (i = 0; i < 100; i++) {
		ck_assert_ptr_null(ask_with("query-hint", fd));
		send_with("\n", fd);
	}
	stop();
	close(fd);
}
END_TEST

/* --------------------------------------------------------------- dirty log */

static int64_t set_log(int fd, uint64_t size, uint64_t offset)
{
	uint8_t p[VU_LOG_SIZE];
	struct vu_answer a;

	vu_store64(p + VU_LOG_BYTES, size);
	vu_store64(p + VU_LOG_OFFSET, offset);
	vu_send(&v, VU_SET_LOG_BASE, 0, p, sizeof(p), &fd, 1);
	return vu_wait(&v, &a) ? (int64_t)vu_load64(a.payload) : -1;
}

/* Pages that are marked in the log, and not any more afterwards. */
static uint32_t take_marks(uint8_t *log, size_t len, uint64_t *first)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < len * 8; i++) {
		if (!(log[i / 8] >> (i % 8) & 1))
			continue;
		if (!n++)
			*first = i * DIRTY_LOG_PAGE;
	}
	memset(log, 0, len);
	return n;
}

START_TEST(dirty_log)
{
	const size_t len = VU_MEM_SIZE / DIRTY_LOG_PAGE / 8;
	const uint64_t all = FEATURES | FPH_BIT(VU_F_LOG_ALL);
	int fd = new_memory();
	uint64_t first, used;
	uint8_t *log;

	start(false);
	ck_assert_int_eq(ftruncate(fd, (off_t)len), 0);
	log = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(log, MAP_FAILED);
	vu_boot(&v, FEATURES, VU_PROTOCOL | FPH_BIT(VU_PF_LOG_SHMFD), 5);
	ck_assert_int_eq(set_log(fd, len, 0), 0);
	report(0);
	ck_assert_uint_eq(take_marks(log, len, &first), 0);
	ck_assert_int_eq(vu_ack_u64(&v, VU_SET_FEATURES, all), 0);
	vu_step(&v, 0);
	take_marks(log, len, &first);
	report(1);
	vu_wait_used(&v, REPORT, 2);
	used = (uint64_t)(v.rings[REPORT].used - v.mem);
	ck_assert_uint_eq(take_marks(log, len, &first), 1);
	ck_assert_uint_eq(first, used & ~(uint64_t)(DIRTY_LOG_PAGE - 1));
	munmap(log, len);
	stop();
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("freeze");
	TCase *tc = tcase_create("freeze");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, both_modes);
	tcase_add_test(tc, freeze_that_is_given_up);
	tcase_add_test(tc, end_while_frozen);
	tcase_add_test(tc, save_and_load);
	tcase_add_test(tc, damaged_states);
	tcase_add_test(tc, descriptors_that_are_not_wanted);
	tcase_add_test(tc, dirty_log);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
