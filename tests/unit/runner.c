/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* main() of every unit test program. */
#include <stdlib.h>

#include "runner.h"

#define TIMEOUT	300	/* seconds for one test */

Suite *runner_suite(const char *name, const TTest *const *tests, int ntests)
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, TIMEOUT);
	for (int i = 0; i < ntests; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
