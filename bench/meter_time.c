/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Takes times, and prints a table and JSON.
 *
 * usage: bench [-q] [JSON [CASE...]]
 *
 * CASE: ring device guest coalesce bitmap reclaim size; all without. -q: few
 * rounds, to see that it runs.
 */
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "meter.h"

#define MAX_SAMPLES	4096u

uint32_t meter_warm = 4, meter_rounds = 100;

static struct {
	double samples[MAX_SAMPLES];
	uint32_t n;
} rows[METER_ROWS], *in_use = rows;

static double began;
static FILE *json;

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

void meter_begin(void)
{
	began = bench_now();
}

void meter_end(uint64_t units)
{
	double now = bench_now();

	MUST(in_use->n < MAX_SAMPLES);
	in_use->samples[in_use->n++] = (now - began) / (double)units;
}

void meter_use(uint32_t row)
{
	MUST(row < METER_ROWS);
	in_use = &rows[row];
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void meter_value(const char *name, const char *who, const char *unit,
		 double best, double median)
{
	static const char *comma = "";

	printf("%-38s %-18s %12.2f %12.2f  %s\n", name, who, best, median,
	       unit);
	fflush(stdout);
	if (json)
		fprintf(json, "%s\n  {\"case\": \"%s\", \"who\": \"%s\", "
			"\"unit\": \"%s\", \"min\": %.4g, \"median\": %.4g}",
			comma, name, who, unit, best, median);
	comma = ",";
}

void meter_row(const char *name, const char *who)
{
	double *samples = in_use->samples;

	MUST(in_use->n);
	qsort(samples, in_use->n, sizeof(*samples), compare);
	meter_value(name, who, "ns", samples[0], samples[in_use->n / 2]);
	in_use->n = 0;
}

void meter_skip(const char *name, const char *who, const char *why)
{
	printf("SKIP %s, %s: %s\n", name, who, why);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	/* First: later there is memory that was freed, and is resident. */
	{ "size", bench_size },
	{ "ring", bench_ring },
	{ "ring", bench_ring_baselines },
	{ "device", bench_device },
	{ "guest", bench_guest },
	{ "coalesce", bench_coalesce },
	{ "bitmap", bench_bitmap },
	{ "reclaim", bench_reclaim },
};

static bool is_wanted(const char *name, char **names)
{
	bool all = !*names;

	for (; *names; names++)
		all |= !strcmp(*names, name);
	return all;
}

/* The first model name of /proc/cpuinfo, or nothing. */
static void print_host(void)
{
	char line[256], *at, cpu[256] = "unknown";
	FILE *f = fopen("/proc/cpuinfo", "r");
	struct utsname u = { 0 };

	while (f && fgets(line, sizeof(line), f)) {
		at = strstr(line, ": ");
		if (at && !strncmp(line, "model name", 10)) {
			snprintf(cpu, sizeof(cpu), "%s", at + 2);
			cpu[strcspn(cpu, "\n")] = 0;
			break;
		}
	}
	if (f)
		fclose(f);
	uname(&u);
	printf("%s, %s %s, gcc %s\n", cpu, u.sysname, u.release, __VERSION__);
	if (json)
		fprintf(json, "{\"cpu\": \"%s\", \"kernel\": \"%s %s\", "
			"\"compiler\": \"gcc %s\",\n \"rows\": [", cpu,
			u.sysname, u.release, __VERSION__);
}

int main(int argc, char **argv)
{
	char **names;
	size_t i;

	argv++;
	if (argc > 1 && !strcmp(*argv, "-q")) {
		meter_warm = 1;
		meter_rounds = 2;
		argv++;
	}
	if (*argv) {
		json = fopen(*argv++, "w");
		MUST(json);
	}
	names = argv;
	print_host();
	printf("%-38s %-18s %12s %12s\n", "a unit of", "by", "least",
	       "median");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (is_wanted(cases[i].name, names))
			cases[i].run();
	}
	if (json) {
		fprintf(json, "\n]}\n");
		MUST(!fclose(json));
	}
	return EXIT_SUCCESS;
}
