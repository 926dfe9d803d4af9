/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What every unit test program is made of: one file with a suite, and runner.c
 * with main().
 */
#ifndef FPH_TESTS_RUNNER_H
#define FPH_TESTS_RUNNER_H

#include <check.h>

/* Given by the test file. */
Suite *make_suite(void);

/*
 * A suite of one test case with all tests; each may take 300 seconds, so that
 * valgrind and the sanitizers can run them too.
 */
Suite *runner_suite(const char *name, const TTest *const *tests, int ntests);

/*
 * The whole of make_suite(), from the names that START_TEST was given:
 *
 *	RUNNER_SUITE("range", init_refused, add_refused)
 */
#define RUNNER_SUITE(name, ...)						\
	Suite *make_suite(void)						\
	{								\
		const TTest *const tests[] = { __VA_ARGS__ };		\
									\
		return runner_suite(name, tests,			\
				    (int)(sizeof(tests) /		\
					  sizeof(tests[0])));		\
	}

#endif /* FPH_TESTS_RUNNER_H */
