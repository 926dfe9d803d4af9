/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The statistics of the guest, and what a policy makes of them. */
#ifndef VUB_STATS_GUEST_H
#define VUB_STATS_GUEST_H

#include <jansson.h>

#include "service.h"

/* What policy answers, and the part "policy"; NULL: there is none. */
json_t *stats_query_policy(const struct service *s);

/* What query-guest-stats answers, and the part "guest". */
json_t *stats_query_guest(const struct service *s);

#endif /* VUB_STATS_GUEST_H */
