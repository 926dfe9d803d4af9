/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * check_qemu [-k PART] [--list] [--verbose]
 *
 * Runs our driver against QEMU's unmodified balloon device; no KVM, no root.
 * -k: only tests with PART in their names.  Exit status 0; 1 when a test
 * failed; 2 for a wrong option; 77 where there is no QEMU, which with CI=true
 * in the environment is a failure.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervise.h"
#include "tests.h"

/* Seconds: many times what a test takes, for a machine under load. */
#define TIMEOUT		300u

static bool verbose;

static const struct test *const lists[] = {
	report_tests, migrate_tests, reuse_tests
};

void note(const char *format, ...)
{
	va_list ap;

	if (!verbose)
		return;
	printf("    ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

void hint_round(struct guest *g)
{
	while (!guest_hint(g, 64))
		nap();
	while (guest_hint(g, 64))
		nap();
}

static int call(void *arg)
{
	const struct test *t = arg;

	t->fn(t);
	return 0;
}

static bool run(const struct test *t)
{
	struct test copy = *t;
	double start = now();
	const char *word = "FAILED";
	int code = supervise(call, &copy, TIMEOUT, false);

	if (code == 0)
		word = "ok";
	else if (code == SUPERVISE_CRASHED)
		word = "CRASHED";
	else if (code == SUPERVISE_TIMEOUT)
		word = "TIMEOUT";
	printf("%-8s %-36s %6.1f s\n", word, t->name, now() - start);
	fflush(stdout);
	return code == 0;
}

/* Runs or lists what matches; counts. */
static void each(const char *part, bool list, unsigned int *passed,
		 unsigned int *failed)
{
	const struct test *t;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (t = lists[i]; t->name; t++) {
			if (part && !strstr(t->name, part))
				continue;
			if (list)
				puts(t->name);
			else if (run(t))
				++*passed;
			else
				++*failed;
		}
	}
}

static unsigned int count_tests(const char *part)
{
	unsigned int n = 0;
	const struct test *t;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (t = lists[i]; t->name; t++)
			n += !part || strstr(t->name, part);
	return n;
}

static int skip_all(const char *part, const char *why)
{
	const char *ci = getenv("CI");

	if (ci && !strcmp(ci, "true")) {
		fprintf(stderr, "check-qemu: %s\n", why);
		printf("0 passed, 1 failed, 0 skipped\n");
		return 1;
	}
	fprintf(stderr, "check-qemu: SKIPPED, NOTHING WAS TESTED: %s\n", why);
	printf("0 passed, 0 failed, %u skipped\n", count_tests(part));
	return 77;
}

static int usage(void)
{
	fprintf(stderr, "usage: check_qemu [-k PART] [--list] [--verbose]\n");
	return 2;
}

int main(int argc, char **argv)
{
	unsigned int passed = 0, failed = 0;
	const char *part = NULL, *why;
	bool list = false;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--list"))
			list = true;
		else if (!strcmp(argv[i], "--verbose"))
			verbose = true;
		else if (!strcmp(argv[i], "-k") && i + 1 < argc)
			part = argv[++i];
		else
			return usage();
	}
	if (!count_tests(part)) {
		fprintf(stderr, "check_qemu: no test has \"%s\" in its name\n",
			part);
		return 2;
	}
	if (!list) {
		why = vm_why_not();
		if (why)
			return skip_all(part, why);
	}
	each(part, list, &passed, &failed);
	if (!list)
		printf("%u passed, %u failed, 0 skipped\n", passed, failed);
	return failed ? 1 : 0;
}
