/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct check_test {
	const TTest *test;
	int start, end;
	struct check_test *next;
};

struct check_case {
	unsigned int seconds;
	SFun setup, teardown;
	struct check_test *tests, **last;
	struct check_case *next;
};

struct check_suite {
	const char *name;
	struct check_case *cases, **last;
	int nrun, nfailed;
};

static void *get_memory(size_t n)
{
	void *p = calloc(1, n);

	if (!p)
		abort();
	return p;
}

Suite *suite_create(const char *name)
{
	Suite *suite = get_memory(sizeof(*suite));

	suite->name = name;
	suite->last = &suite->cases;
	return suite;
}

void suite_add_tcase(Suite *suite, TCase *tc)
{
	*suite->last = tc;
	suite->last = &tc->next;
}

TCase *tcase_create(const char *name)
{
	TCase *tc = get_memory(sizeof(*tc));

	(void)name;
	tc->last = &tc->tests;
	return tc;
}

void tcase_set_timeout(TCase *tc, double seconds)
{
	tc->seconds = (unsigned int)seconds;
}

void tcase_add_checked_fixture(TCase *tc, SFun setup, SFun teardown)
{
	tc->setup = setup;
	tc->teardown = teardown;
}

void tcase_add_loop_test(TCase *tc, const TTest *test, int start, int end)
{
	struct check_test *t = get_memory(sizeof(*t));

	t->test = test;
	t->start = start;
	t->end = end;
	*tc->last = t;
	tc->last = &t->next;
}

SRunner *srunner_create(Suite *suite)
{
	return suite;
}

void check_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(1);
}

static void run_child(const struct check_case *tc, const TTest *test, int i)
{
	alarm(tc->seconds);
	if (tc->setup)
		tc->setup();
	test->run(i);
	if (tc->teardown)
		tc->teardown();
	exit(0);
}

static int run_one(const struct check_case *tc, const TTest *test, int i)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0)
		run_child(tc, test, i);
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
	if (status != 0)
		fprintf(stderr, "failed: %s:%d, wait status %#x\n", test->name,
			i, (unsigned int)status);
	return status != 0;
}

void srunner_run_all(SRunner *runner, enum print_output how)
{
	const struct check_case *tc;
	const struct check_test *t;

	(void)how;
	for (tc = runner->cases; tc; tc = tc->next)
		for (t = tc->tests; t; t = t->next)
			for (int i = t->start; i < t->end; i++) {
				runner->nfailed += run_one(tc, t->test, i);
				runner->nrun++;
			}
	printf("%s: %d tests, %d failed\n", runner->name, runner->nrun,
	       runner->nfailed);
	if (runner->nrun == 0)
		runner->nfailed = 1;
}

int srunner_ntests_failed(SRunner *runner)
{
	return runner->nfailed;
}

/* The process ends here. */
void srunner_free(SRunner *runner)
{
	(void)runner;
}
