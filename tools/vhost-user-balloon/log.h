/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The daemon's log: standard error, one line for each event.
 *
 * Logging never waits, and what others can cause is bounded: at most 100 lines
 * at once and 10 in a second, but for details.  What was left out is counted
 * in a line of its own.
 */
#ifndef VUB_LOG_H
#define VUB_LOG_H

#include <stdbool.h>

#define LOG_FORMAT __attribute__((format(printf, 1, 2)))

/* Write aside from now on: what reads standard error may stop doing so. */
void log_start(void);

/* Write what is left, but wait for it a moment only. */
void log_stop(void);

/* Whether log_detail prints. */
void log_set_verbose(bool on);
bool log_is_verbose(void);

/* An event that an operator wants to see. */
void log_line(const char *format, ...) LOG_FORMAT;

/* One that only someone who looks for a fault wants to see. */
void log_detail(const char *format, ...) LOG_FORMAT;

#endif /* VUB_LOG_H */
