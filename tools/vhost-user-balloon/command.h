/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The commands of the control socket. */
#ifndef VUB_COMMAND_H
#define VUB_COMMAND_H

#include "control.h"

/* How long query-guest-stats waits for the guest. */
#define GUEST_STATS_MS	5000

/*
 * Execute one command and answer the client, now or later.
 *
 * id: taken over, may be NULL.  args: may be NULL.
 */
void command_execute(struct daemon *d, struct client *cl, json_t *id,
		     const char *name, json_t *args);

/* The guest's statistics as an object. */
json_t *command_get_guest_stats(const struct daemon *d);

#endif /* VUB_COMMAND_H */
