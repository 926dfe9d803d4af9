/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Client of QEMU's control protocol, and migration by it. */
#ifndef FPH_QEMU_QMP_H
#define FPH_QEMU_QMP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

struct qmp {
	int fd;
	FILE *in;
};

void qmp_open(struct qmp *q, const char *path);
void qmp_close(struct qmp *q);

/*
 * Executes a command; args is NULL or stolen.  Returns what comes back, to
 * be released by json_decref; an error is fatal.
 */
json_t *qmp_get(struct qmp *q, const char *command, json_t *args);

/* The same for a command that gives nothing back. */
void qmp_do(struct qmp *q, const char *command, json_t *args);

struct migration {
	char status[32];
	uint64_t sent;			/* bytes of RAM and their headers */
	uint64_t normal;		/* pages sent whole */
	uint64_t zero;			/* pages sent as "all zero" */
	uint64_t syncs;			/* harvests of the dirty log */
	uint64_t total_ms;
};

/*
 * Bytes a second, and the longest stop of the guest in ms: when less is left
 * than can be sent in it, QEMU goes over to the other side.
 */
void qmp_set_speed(struct qmp *q, uint64_t bandwidth, uint64_t downtime_ms);

/*
 * Starts a migration.  At the end QEMU stops the guest and waits for
 * qmp_migrate_finish; what is written before that one is still sent.
 */
void qmp_migrate(struct qmp *q, const char *uri);
void qmp_migrate_finish(struct qmp *q);

void qmp_get_migration(struct qmp *q, struct migration *m);

/* Whether it is in this state; fatal when it has failed. */
bool qmp_migration_is(struct qmp *q, const char *status);

/* Waits for this state. */
void qmp_migration_wait(struct qmp *q, const char *status);

#endif /* FPH_QEMU_QMP_H */
