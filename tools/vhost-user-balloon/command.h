/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The commands of the control socket: what each does to the service. */
#ifndef VUB_COMMAND_H
#define VUB_COMMAND_H

#include "call.h"
#include "service.h"

/* How long query-guest-stats waits for the guest. */
#define GUEST_STATS_MS	5000

/* How long freeze waits for discards, unless it is told. */
#define FREEZE_MS	5000

/* All of them, on this service. */
struct commands command_get_all(struct service *s);

/* What the table is made of; context is the service. */
json_t *command_hint_start(void *context, struct call *c);
json_t *command_hint_stop(void *context, struct call *c);
json_t *command_hint_done(void *context, struct call *c);
json_t *command_query_hint(void *context, struct call *c);
json_t *command_query_guest_stats(void *context, struct call *c);
json_t *command_get_guest_stats(void *context);
json_t *command_balloon(void *context, struct call *c);
json_t *command_policy(void *context, struct call *c);
json_t *command_freeze(void *context, struct call *c);
json_t *command_get_freeze(void *context);
void command_undo_freeze(void *context, json_t *args);
json_t *command_thaw(void *context, struct call *c);
json_t *command_save(void *context, struct call *c);
json_t *command_load(void *context, struct call *c);

#endif /* VUB_COMMAND_H */
