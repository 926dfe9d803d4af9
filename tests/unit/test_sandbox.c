/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Fault 18: the sandbox.  Each test runs in a process of its own, which dies
 * where the sandbox says so.
 */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vhost-user-balloon/sandbox.h"

static int go[2];

static void *open_aside(void *arg)
{
	char byte;

	if (read(go[0], &byte, 1) == 1)
		open("/dev/null", O_RDONLY);
	return arg;
}

static void in_child(int what)
{
	pthread_t thread;

	pipe(go);
	pthread_create(&thread, NULL, open_aside, NULL);
	if (sandbox_filter_calls())
		_exit(6);
	if (what == 0)
		open("/dev/null", O_RDONLY);
	else if (what == 1)
		socket(AF_UNIX, SOCK_STREAM, 0);
	else if (what == 2)
		fork();
	else if (what == 3)
		execl("/bin/true", "true", (char *)NULL);
	else if (what == 4 && write(go[1], "x", 1) == 1)
		pthread_join(thread, NULL);
	else if (what == 5)
		_exit(5);
	_exit(0);
}

/* Opens, sockets and programs end it, in threads from before too. */
START_TEST(fault_18_calls_that_end_it)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		in_child(_i);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (_i == 5) {
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	} else {
		ck_assert(WIFSIGNALED(status));
		ck_assert_int_eq(WTERMSIG(status), SIGSYS);
	}
}
END_TEST

static void connect_in_child(int domain)
{
	sandbox_allow_connect();
	if (sandbox_filter_calls())
		_exit(6);
	_exit(socket(domain, SOCK_STREAM, 0) < 0);
}

/* Where the daemon connects by itself, Unix sockets are made and no others. */
START_TEST(only_unix_sockets_to_connect)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		connect_in_child(_i ? AF_INET : AF_UNIX);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (_i) {
		ck_assert(WIFSIGNALED(status));
		ck_assert_int_eq(WTERMSIG(status), SIGSYS);
	} else {
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}
END_TEST

/* What the daemon and its thread need to free memory goes on. */
START_TEST(fault_18_memory_is_still_freed)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);
	char *map;

	ck_assert_int_eq(sandbox_filter_calls(), 0);
	ck_assert_int_eq(ftruncate(fd, 0x10000), 0);
	map = mmap(NULL, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	memset(map, 1, 0x10000);
	ck_assert_int_eq(fallocate(fd, FALLOC_FL_PUNCH_HOLE |
				   FALLOC_FL_KEEP_SIZE, 0, 0x10000), 0);
	ck_assert_int_eq(map[0], 0);
	ck_assert_int_eq(madvise(map, 0x10000, MADV_DONTDUMP), 0);
	/* libcheck would write its report to a file. */
	_exit(0);
}
END_TEST

static int read_status(const char *name, char *value)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	int found = 0;

	ck_assert_ptr_nonnull(file);
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, name, strlen(name)) &&
			sscanf(line + strlen(name), ": %63s", value) == 1;
	fclose(file);
	return found;
}

START_TEST(fault_18_privileges_are_gone)
{
	char value[64];

	ck_assert_int_eq(sandbox_drop_privileges(), 0);
	ck_assert(read_status("NoNewPrivs", value));
	ck_assert_str_eq(value, "1");
	ck_assert(read_status("CapEff", value));
	ck_assert_str_eq(value, "0000000000000000");
	ck_assert(read_status("CapPrm", value));
	ck_assert_str_eq(value, "0000000000000000");
}
END_TEST

/* Why nothing can be seen here, or NULL. */
static const char *why_not(void)
{
	int status = 0;
	pid_t pid;

	/* So check-valgrind runs the tests. */
	if (getenv("CK_FORK"))
		return "valgrind 3.19 does not know seccomp()";
	pid = fork();
	if (pid == 0)
		_exit(sandbox_filter_calls() == ENOSYS);
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status))
		return "built without libseccomp";
	return NULL;
}

int main(void)
{
	Suite *suite;
	TCase *tc;
	SRunner *runner;
	int failed;

	if (why_not()) {
		fprintf(stderr, "SKIP test_sandbox: %s\n", why_not());
		return 77;
	}
	suite = suite_create("sandbox");
	tc = tcase_create("sandbox");
	runner = srunner_create(suite);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, fault_18_calls_that_end_it, 0, 6);
	tcase_add_loop_test(tc, only_unix_sockets_to_connect, 0, 2);
	tcase_add_exit_test(tc, fault_18_memory_is_still_freed, 0);
	tcase_add_test(tc, fault_18_privileges_are_gone);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
