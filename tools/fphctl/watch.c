/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

/* What a row of the table shows. */
struct row {
	const char *title;
	const char *part;
	const char *name;
	bool bytes;
};

static const struct row rows[] = {
	{ "guest memory", "memory", "bytes", true },
	{ "of it, in host memory", "memory", "resident-bytes", true },
	{ "balloon", "balloon", "actual", true },
	{ "balloon, wanted", "balloon", "target", true },
	{ "reported by the guest", "report", "bytes-offered", true },
	{ "given back to the host", "report", "bytes-discarded", true },
	{ "not given back: skipped", "report", "bytes-skipped", true },
	{ "not given back: failed", "report", "bytes-failed", true },
	{ "reports", "report", "chains", false },
	{ "inflated and given back", "inflate", "bytes-discarded", true },
	{ "hinted by the guest", "hint", "bytes", true },
	{ "hint buffers", "hint", "buffers", false },
	{ "system calls", "reclaim", "syscalls", false }
};

#define NROWS	(sizeof(rows) / sizeof(rows[0]))

static json_int_t get(json_t *stats, const char *part, const char *name)
{
	return json_integer_value(json_object_get(json_object_get(stats,
							part), name));
}

static double mib(json_int_t bytes)
{
	return (double)bytes / (1 << 20);
}

static const char *get_state(json_t *stats)
{
	const char *s = json_string_value(json_object_get(
				json_object_get(stats, "hint"), "state"));

	return s ? s : "?";
}

static bool is_connected(json_t *stats)
{
	return json_is_true(json_object_get(json_object_get(stats,
						"front-end"), "connected"));
}

/* Since the watch began, and per second since the last time. */
static void draw_table(json_t *now, json_t *last, double seconds)
{
	size_t i;

	/* Home, and clear what is below: no flicker. */
	printf("\033[H\033[J");
	printf("%-26s %14s %12s\n", is_connected(now) ?
	       "front-end connected" : "no front-end", "", "per second");
	for (i = 0; i < NROWS; i++) {
		const struct row *r = &rows[i];
		json_int_t value = get(now, r->part, r->name);
		double rate = last && seconds > 0 ?
			      (double)(value - get(last, r->part, r->name)) /
			      seconds : 0;

		if (r->bytes)
			printf("%-26s %10.1f MiB %8.1f MiB\n", r->title,
			       mib(value), rate / (1 << 20));
		else
			printf("%-26s %10lld     %8.1f\n", r->title,
			       (long long)value, rate);
	}
	printf("%-26s %s\n", "hint round", get_state(now));
}

static void print_line(json_t *now, double seconds)
{
	printf("%.1f s: host memory %.1f MiB, reported %.1f MiB, given back "
	       "%.1f MiB, balloon %.1f MiB, hinted %.1f MiB (%s)\n", seconds,
	       mib(get(now, "memory", "resident-bytes")),
	       mib(get(now, "report", "bytes-offered")),
	       mib(get(now, "report", "bytes-discarded")),
	       mib(get(now, "balloon", "actual")),
	       mib(get(now, "hint", "bytes")), get_state(now));
}

static double get_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pause_for(double seconds)
{
	struct timespec t;

	t.tv_sec = (time_t)seconds;
	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	nanosleep(&t, NULL);
}

int show_watch(struct client *c, double interval, bool json)
{
	bool tty = isatty(STDOUT_FILENO) && !json;
	double begin = get_time();
	double before = begin;
	json_t *last = NULL;
	int code;
	json_t *now;

	while ((code = client_execute(c, "query-stats", NULL, &now)) ==
	       EXIT_OK) {
		double at = get_time();

		if (json)
			show_json(now);
		else if (tty)
			draw_table(now, last, at - before);
		else
			print_line(now, at - begin);
		fflush(stdout);
		json_decref(last);
		last = now;
		before = at;
		pause_for(interval);
	}
	json_decref(last);
	return code;
}
