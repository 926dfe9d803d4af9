/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/metrics.h"

/* What may fall as well as rise; all else only rises while the daemon lives. */
static const char *const gauges[] = {
	"front-end.connected", "front-end.broken",
	"front-end.waiting-for-discards",
	"memory.regions", "memory.bytes", "memory.resident-bytes",
	"config.size", "config.num-pages", "config.actual",
	"config.free-page-hint-cmd-id", "config.poison-val",
	"balloon.target", "balloon.actual", "balloon.guest-size",
	"guest.interval-ms", "guest.last-update", "guest.age-ms",
	"guest.free-memory", "guest.total-memory", "guest.available-memory",
	"guest.disk-caches",
	"hint.pending", "hint.cmd-id", "hint.config-cmd-id",
	"hint.round-buffers", "hint.migrates",
	"policy.enabled", "policy.floor", "policy.ceiling", "policy.size",
	"policy.pressure",
	"freeze.frozen", "freeze.inhibitors",
	"reclaim.busy", "reclaim.delay-ms", "reclaim.disabled"
};

static bool is_gauge(const char *part, const char *name)
{
	size_t len = strlen(part);
	size_t i;

	for (i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++) {
		if (!strncmp(gauges[i], part, len) && gauges[i][len] == '.' &&
		    !strcmp(gauges[i] + len + 1, name))
			return true;
	}
	return false;
}

static void put_name(FILE *out, const char *part, const char *name)
{
	const char *c;

	fputs("fph_", out);
	for (c = part; *c; c++)
		fputc(isalnum((unsigned char)*c) ? *c : '_', out);
	fputc('_', out);
	for (c = name; *c; c++)
		fputc(isalnum((unsigned char)*c) ? *c : '_', out);
}

static void put_metric(FILE *out, const char *part, const char *name,
		       const json_t *value)
{
	bool gauge = is_gauge(part, name);

	fputs("# TYPE ", out);
	put_name(out, part, name);
	fputs(gauge ? " gauge\n" : " counter\n", out);
	put_name(out, part, name);
	fprintf(out, "%s %lld\n", gauge ? "" : "_total",
	       json_is_boolean(value) ? (long long)json_is_true(value) :
	       (long long)json_integer_value(value));
}

/* A part, and the parts in it; text is no metric. */
static void put_part(FILE *out, const char *part, json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) {
		if (json_is_object(value))
			put_part(out, name, value);
		else if (json_is_integer(value) || json_is_boolean(value))
			put_metric(out, part, name, value);
	}
}

void metrics_write(FILE *out, json_t *stats)
{
	const char *part;
	json_t *object;

	json_object_foreach(stats, part, object) {
		if (json_is_object(object))
			put_part(out, part, object);
	}
	fputs("# EOF\n", out);
}
