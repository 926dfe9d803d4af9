/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The daemon as the one who connects: to a socket on which a front-end listens,
 * again and again until there is one.
 */
#ifndef VUB_CONNECT_H
#define VUB_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

struct connector {
	const char *path;		/* NULL: it does not */
	int64_t next;			/* when to try, milliseconds */
	bool told;			/* that nobody listens */
};

/* Try, if it is time.  The connection, or -1. */
int connector_try(struct connector *c, int64_t now);

/* When to try again, -1 for "never". */
static inline int64_t connector_get_deadline(const struct connector *c)
{
	return c->path ? c->next : -1;
}

#endif /* VUB_CONNECT_H */
