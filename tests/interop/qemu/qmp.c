/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* QMP: JSON objects, one a line. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qmp.h"
#include "qtest.h"
#include "supervise.h"

static json_t *receive(struct qmp *q)
{
	json_error_t error;
	json_t *o = json_loadf(q->in, JSON_DISABLE_EOF_CHECK, &error);

	if (!o)
		die("qmp: %s", feof(q->in) ? "QEMU is gone" : error.text);
	return o;
}

static void transmit(struct qmp *q, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len = strlen(text);

	if (send(q->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("qmp: QEMU is gone");
	free(text);
	json_decref(request);
}

/* The answer to the last command; events on the way are dropped. */
static json_t *answer(struct qmp *q)
{
	json_t *o;

	for (;;) {
		o = receive(q);
		if (!json_object_get(o, "event"))
			return o;
		json_decref(o);
	}
}

json_t *qmp_get(struct qmp *q, const char *command, json_t *args)
{
	json_t *request = json_pack("{s:s}", "execute", command);
	json_t *o, *error, *result;

	if (args)
		json_object_set_new(request, "arguments", args);
	transmit(q, request);
	o = answer(q);
	error = json_object_get(o, "error");
	if (error)
		die("qmp: %s: %s", command,
		    json_string_value(json_object_get(error, "desc")));
	result = json_incref(json_object_get(o, "return"));
	json_decref(o);
	return result;
}

void qmp_do(struct qmp *q, const char *command, json_t *args)
{
	json_decref(qmp_get(q, command, args));
}

void qmp_open(struct qmp *q, const char *path)
{
	q->fd = connect_unix(path);
	q->in = fdopen(dup(q->fd), "r");
	CHECK(q->in);
	json_decref(receive(q));	/* the greeting */
	qmp_do(q, "qmp_capabilities", NULL);
}

void qmp_close(struct qmp *q)
{
	fclose(q->in);
	close(q->fd);
	q->fd = -1;
}

void qmp_set_speed(struct qmp *q, uint64_t bandwidth, uint64_t downtime_ms)
{
	qmp_do(q, "migrate-set-parameters", json_pack("{s:I,s:I}",
		"max-bandwidth", (json_int_t)bandwidth,
		"downtime-limit", (json_int_t)downtime_ms));
}

void qmp_migrate(struct qmp *q, const char *uri)
{
	qmp_do(q, "migrate-set-capabilities", json_pack("{s:[{s:s,s:b}]}",
		"capabilities", "capability", "pause-before-switchover",
		"state", 1));
	qmp_do(q, "migrate", json_pack("{s:s}", "uri", uri));
}

void qmp_migrate_finish(struct qmp *q)
{
	qmp_migration_wait(q, "pre-switchover");
	qmp_do(q, "migrate-continue",
	       json_pack("{s:s}", "state", "pre-switchover"));
	qmp_migration_wait(q, "completed");
}

static uint64_t number(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

void qmp_get_migration(struct qmp *q, struct migration *m)
{
	json_t *o = qmp_get(q, "query-migrate", NULL);
	const char *status = json_string_value(json_object_get(o, "status"));
	const json_t *ram = json_object_get(o, "ram");

	memset(m, 0, sizeof(*m));
	if (status)
		strncpy(m->status, status, sizeof(m->status) - 1);
	m->sent = number(ram, "transferred");
	m->normal = number(ram, "normal");
	m->zero = number(ram, "duplicate");
	m->syncs = number(ram, "dirty-sync-count");
	m->total_ms = number(o, "total-time");
	json_decref(o);
}

bool qmp_migration_is(struct qmp *q, const char *status)
{
	struct migration m;

	qmp_get_migration(q, &m);
	if (!strcmp(m.status, status))
		return true;
	if (!strcmp(m.status, "failed"))
		die("the migration failed");
	return false;
}

void qmp_migration_wait(struct qmp *q, const char *status)
{
	while (!qmp_migration_is(q, status))
		nap();
}
