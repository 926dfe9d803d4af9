/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aside.h"
#include "clock.h"
#include "log.h"

#define BURST		100		/* lines that may come at once */
#define LINE_MS		100		/* after these, one in so much time */
#define END_MS		200

static bool verbose;
static struct aside aside;
static int64_t earliest;		/* the bucket is full at this time */
static unsigned long left_out;

void log_set_verbose(bool on)
{
	verbose = on;
}

bool log_is_verbose(void)
{
	return verbose;
}

static void write_line(const char *line)
{
	size_t len = strlen(line);

	while (len) {
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		line += n;
		len -= (size_t)n;
	}
}

static void work(intptr_t item)
{
	write_line((const char *)item);
	free((void *)item);
}

void log_start(void)
{
	aside_start(&aside, work);
}

void log_stop(void)
{
	aside_stop(&aside, END_MS);
}

/* One write for a line, so that lines of several processes do not mix. */
static bool send_line(const char *text)
{
	static const char prefix[] = "vhost-user-balloon: ";
	char line[600];
	char *copy;

	snprintf(line, sizeof(line), "%s%s\n", prefix, text);
	if (!aside.started) {
		write_line(line);
		return true;
	}
	copy = strdup(line);
	if (copy && aside_put(&aside, (intptr_t)copy))
		return true;
	free(copy);
	return false;
}

static void put(const char *format, va_list args)
{
	char line[512];

	if (left_out) {
		snprintf(line, sizeof(line), "%lu lines were left out here",
			 left_out);
		if (!send_line(line)) {
			left_out++;
			return;
		}
		left_out = 0;
	}
	vsnprintf(line, sizeof(line), format, args);
	if (!send_line(line))
		left_out++;
}

/* A leaky bucket: whoever is on the other side cannot fill a disk. */
static bool may_log(void)
{
	int64_t now = clock_now();

	if (earliest < now)
		earliest = now;
	if (earliest - now >= BURST * LINE_MS)
		return false;
	earliest += LINE_MS;
	return true;
}

void log_line(const char *format, ...)
{
	va_list args;

	if (!may_log()) {
		left_out++;
		return;
	}
	va_start(args, format);
	put(format, args);
	va_end(args);
}

void log_detail(const char *format, ...)
{
	va_list args;

	if (!verbose)
		return;
	va_start(args, format);
	put(format, args);
	va_end(args);
}
