/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

int parse_wrong(const char *name, const char *value, const char *wanted)
{
	fprintf(stderr, "vhost-user-balloon: --%s=%s: %s is wanted\n", name,
		value, wanted);
	return OPTIONS_ERROR;
}

int parse_switch(const char *name, const char *value, bool *on)
{
	if (!strcmp(value, "on"))
		*on = true;
	else if (!strcmp(value, "off"))
		*on = false;
	else
		return parse_wrong(name, value, "on or off");
	return OPTIONS_RUN;
}

int parse_number(const char *name, const char *value, uint32_t max,
		 uint32_t *number)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 0);
	if (errno || end == value || *end || value[0] == '-' || n > max)
		return parse_wrong(name, value, "a number that is not too large");
	*number = (uint32_t)n;
	return OPTIONS_RUN;
}

int parse_size(const char *name, const char *value, uint64_t *size)
{
	static const char units[] = "KMGT";
	const char *unit = NULL;
	unsigned long long n;
	unsigned int shift = 0;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (*end && !end[1])
		unit = strchr(units, *end);
	if (unit)
		shift = 10 * ((unsigned int)(unit - units) + 1);
	if (errno || end == value || value[0] == '-' || (*end && !unit) ||
	    n == 0 || n > UINT64_MAX >> shift)
		return parse_wrong(name, value, "a size, such as 64G,");
	*size = (uint64_t)n << shift;
	return OPTIONS_RUN;
}

int parse_mode(const char *name, const char *value, mode_t *mode)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 8);
	if (errno || end == value || *end || value[0] == '-' || n > 0777)
		return parse_wrong(name, value, "permissions such as 660");
	*mode = (mode_t)n;
	return OPTIONS_RUN;
}

int parse_group(const char *name, const char *value, gid_t *group)
{
	const struct group *g = getgrnam(value);
	unsigned long n;
	char *end;

	if (g) {
		*group = g->gr_gid;
		return OPTIONS_RUN;
	}
	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || end == value || *end || value[0] == '-' ||
	    n >= UINT32_MAX)
		return parse_wrong(name, value, "a group of this machine");
	*group = (gid_t)n;
	return OPTIONS_RUN;
}
