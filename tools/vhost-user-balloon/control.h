/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The control socket: one JSON object a line, in the style of QMP.
 *
 *	{"execute": NAME, "arguments": {...}, "id": ANY}
 *	{"return": {...}, "id": ANY}
 *	{"error": {"class": "...", "desc": "..."}, "id": ANY}
 *	{"event": NAME, "data": {...}}
 *
 * Several clients at once.  It serves the commands of a table and knows
 * nothing of what they do.  Events and answers reach a client in the order in
 * which they happened.
 */
#ifndef VUB_CONTROL_H
#define VUB_CONTROL_H

#include "call.h"
#include "client.h"
#include "events.h"

#define CONTROL_MAX_CLIENTS	16

struct pollfd;

struct control {
	const struct commands *commands;
	struct events *events;
	int listen_fd;			/* -1: none */
	struct client clients[CONTROL_MAX_CLIENTS];
};

/* Descriptors to poll: the listening socket and the clients. */
#define CONTROL_NFDS	(CONTROL_MAX_CLIENTS + 1)

/* listen_fd: -1 for none; stays the caller's. */
void control_init(struct control *c, const struct commands *commands,
		  struct events *events, int listen_fd);
void control_fini(struct control *c);

/* Take up a connected client; closes it when there are too many. */
void control_add_client(struct control *c, int fd);

void control_poll(const struct control *c, struct pollfd *fds);
void control_handle(struct control *c, const struct pollfd *fds);

/* Tell of all events that wait, then do what time brings: STATS, time-outs. */
void control_run(struct control *c, int64_t now);
int64_t control_get_deadline(const struct control *c);

#endif /* VUB_CONTROL_H */
