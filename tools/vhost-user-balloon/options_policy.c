/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options_policy.h"
#include "parse.h"

#define MIB	(UINT64_C(1) << 20)

int options_parse_seconds(const char *name, const char *value, uint32_t *ms)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds >= 0 && seconds <= 86400)) {
		fprintf(stderr, "vhost-user-balloon: --%s=%s: a number of "
			"seconds is wanted\n", name, value);
		return OPTIONS_ERROR;
	}
	*ms = (uint32_t)(seconds * 1000);
	return OPTIONS_RUN;
}

static void set_defaults(struct governor_options *g)
{
	memset(&g->policy, 0, sizeof(g->policy));
	g->on = true;
	g->interval_ms = 5000;
	g->policy.reserve = 64 * MIB;
	g->policy.step = 64 * MIB;
	g->policy.low = 100;
	g->policy.high = 1000;
	g->policy.calm = 12;
}

static int wrong(const char *problem, const char *text)
{
	fprintf(stderr, "vhost-user-balloon: --policy: %s%s\n", problem, text);
	return OPTIONS_ERROR;
}

/* A percentage, or seconds, in units of 1 / scale. */
static int parse_decimal(const char *value, double max, uint32_t scale,
			 uint32_t *number)
{
	char *end;
	double v = strtod(value, &end);

	if (end == value || *end || !(v > 0 && v <= max))
		return wrong("a number is wrong: ", value);
	*number = (uint32_t)(v * scale + 0.5);
	return OPTIONS_RUN;
}

static int parse_one(struct governor_options *g, const char *name,
		     const char *value)
{
	struct policy *p = &g->policy;

	if (!strcmp(name, "floor"))
		return parse_size("policy", value, &p->floor);
	if (!strcmp(name, "ceiling"))
		return parse_size("policy", value, &p->ceiling);
	if (!strcmp(name, "reserve"))
		return parse_size("policy", value, &p->reserve);
	if (!strcmp(name, "step"))
		return parse_size("policy", value, &p->step);
	if (!strcmp(name, "low"))
		return parse_decimal(value, 100, 100, &p->low);
	if (!strcmp(name, "high"))
		return parse_decimal(value, 100, 100, &p->high);
	if (!strcmp(name, "calm"))
		return parse_decimal(value, 1000, 1, &p->calm);
	if (!strcmp(name, "interval"))
		return parse_decimal(value, 3600, 1000, &g->interval_ms);
	return wrong("there is no such name: ", name);
}

int options_parse_policy(struct governor_options *g, char *text)
{
	char *rest, *item;
	int r = OPTIONS_RUN;

	set_defaults(g);
	for (item = strtok_r(text, ",", &rest); item && r == OPTIONS_RUN;
	     item = strtok_r(NULL, ",", &rest)) {
		char *value = strchr(item, '=');

		if (!value)
			return wrong("NAME=VALUE is wanted: ", item);
		*value++ = '\0';
		r = parse_one(g, item, value);
	}
	if (r != OPTIONS_RUN)
		return r;
	if (!g->policy.floor)
		return wrong("a floor is needed", "");
	if (g->policy.ceiling && g->policy.ceiling < g->policy.floor)
		return wrong("the ceiling is below the floor", "");
	if (!g->interval_ms || g->policy.low >= g->policy.high)
		return wrong("low must be below high", "");
	return OPTIONS_RUN;
}
