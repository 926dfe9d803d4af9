/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <stdio.h>

#include "clock.h"
#include "stats_guest.h"

/* JSON's integers of this library have a sign: what is larger is a real. */
static json_t *get_value(uint64_t value)
{
	return value > INT64_MAX ? json_real((double)value) :
				   json_integer((json_int_t)value);
}

/* What the guest said, by the names of the tags. */
static void put_values(json_t *o, const struct device *d)
{
	static const char *const names[] = {
		"swap-in", "swap-out", "major-faults", "minor-faults",
		"free-memory", "total-memory", "available-memory",
		"disk-caches", "hugetlb-allocations", "hugetlb-failures",
		"oom-kills", "allocation-stalls", "async-scans",
		"direct-scans", "async-reclaims", "direct-reclaims"
	};
	struct fph_stat stats[FPH_BALLOON_NSTATS];
	uint32_t n = device_get_stats(d, stats, FPH_BALLOON_NSTATS);
	uint32_t i;

	for (i = 0; i < n; i++) {
		char tag[16];
		const char *name = tag;

		if (stats[i].tag < sizeof(names) / sizeof(names[0]))
			name = names[stats[i].tag];
		else
			snprintf(tag, sizeof(tag), "tag-%u", stats[i].tag);
		json_object_set_new(o, name, get_value(stats[i].val));
	}
}

json_t *stats_query_guest(const struct service *s)
{
	const struct timers *t = &s->timers;
	json_t *o = json_object();
	struct fph_stat any;

	json_object_set_new(o, "interval-ms",
			    json_integer(t->options.stats_ms));
	json_object_set_new(o, "updates",
			    json_integer((json_int_t)t->stats_seen));
	/* A reset of the device forgets those of the guest before. */
	if (!device_get_stats(&s->device, &any, 1))
		return o;
	json_object_set_new(o, "last-update", json_integer(t->stats_time));
	json_object_set_new(o, "age-ms",
			    json_integer(clock_now() - t->stats_at));
	put_values(o, &s->device);
	return o;
}

json_t *stats_query_policy(const struct service *s)
{
	const struct governor *g = &s->governor;
	const struct policy *p = &g->options.policy;

	if (!g->options.on)
		return NULL;
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:s}",
			 "enabled", g->enabled,
			 "floor", (json_int_t)p->floor,
			 "ceiling", (json_int_t)p->ceiling,
			 "size", (json_int_t)g->last.size,
			 "pressure", (json_int_t)g->pressure,
			 "reason", policy_get_reason_name(g->last.reason));
}
