/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* How answers look on a terminal. */
#ifndef FPHCTL_SHOW_H
#define FPHCTL_SHOW_H

#include <jansson.h>

#include "client.h"

/* An object as one line of JSON. */
void show_json(json_t *object);

/* An object as text: a line for each member, a paragraph for each part. */
void show_object(json_t *object);

/*
 * Ask for the counters every interval seconds and show them: a table that is
 * drawn anew on a terminal, else a line each time.  Until the daemon goes.
 */
int show_watch(struct client *c, double interval, bool json);

/*
 * A line for each event as it comes: of hint rounds, and of one more class.
 * Until the daemon goes.
 */
int show_events(struct client *c, const char *more, bool json);

#endif /* FPHCTL_SHOW_H */
