/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The counters of the daemon in the text format of OpenMetrics 1.0. */
#ifndef TOOLS_METRICS_H
#define TOOLS_METRICS_H

#include <jansson.h>
#include <stdio.h>

/* Write what query-stats answers. */
void metrics_write(FILE *out, json_t *stats);

#endif /* TOOLS_METRICS_H */
