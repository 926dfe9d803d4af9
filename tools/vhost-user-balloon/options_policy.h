/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Options about time, and --policy. */
#ifndef VUB_OPTIONS_POLICY_H
#define VUB_OPTIONS_POLICY_H

#include "governor.h"

/*
 * Seconds, also parts of one, at most a day, as milliseconds.  OPTIONS_RUN, or
 * OPTIONS_ERROR after a message.
 */
int options_parse_seconds(const char *name, const char *value, uint32_t *ms);

/* --policy=NAME=VALUE,...: the same. */
int options_parse_policy(struct governor_options *g, char *text);

#endif /* VUB_OPTIONS_POLICY_H */
