/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* All counters as one object, flat in each of its parts. */
#ifndef VUB_STATS_H
#define VUB_STATS_H

#include <jansson.h>

#include "service.h"

/* What query-stats answers. */
json_t *stats_query(const struct service *s);

/* What query-hint answers, and the part "hint" of the above. */
json_t *stats_query_hint(const struct service *s);

/* What freeze and thaw answer, and the part "freeze". */
json_t *stats_query_freeze(const struct service *s);

#endif /* VUB_STATS_H */
