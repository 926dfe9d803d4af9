/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The control socket: one JSON object a line, in the style of QMP.
 *
 *	{"execute": NAME, "arguments": {...}, "id": ANY}
 *	{"return": {...}, "id": ANY}
 *	{"error": {"class": "...", "desc": "..."}, "id": ANY}
 *	{"event": NAME, "data": {...}}
 *
 * Several clients at once.  All buffers are bounded: a line that is too long
 * is answered with an error and ends the connection, and a client that does
 * not read is dropped.  Events and answers reach a client in the order in
 * which they happened.
 */
#ifndef VUB_CONTROL_H
#define VUB_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_MAX_CLIENTS	16
#define CONTROL_MAX_LINE	65536u		/* bytes, without the newline */
#define CONTROL_MAX_OUTPUT	(1u << 20)	/* bytes not read yet */

struct daemon;
struct pollfd;

struct client {
	int fd;				/* -1: free */
	bool drop;			/* to be closed at the next chance */
	bool last;			/* after its output is gone */
	char *in;			/* CONTROL_MAX_LINE + 1 bytes */
	size_t in_len;
	char *out;
	size_t out_len;
	size_t out_room;
	uint32_t events;		/* enum event_class, subscribed */
	int64_t next_stats;		/* when STATS is due */
	bool waiting;			/* for statistics of the guest */
	int64_t deadline;		/* until then */
	json_t *waiting_id;		/* may be NULL */
};

struct control {
	struct daemon *daemon;
	int listen_fd;			/* -1: none */
	struct client clients[CONTROL_MAX_CLIENTS];
};

/* Descriptors to poll: the listening socket and the clients. */
#define CONTROL_NFDS	(CONTROL_MAX_CLIENTS + 1)

/* listen_fd: -1 for none; stays the caller's. */
void control_init(struct control *c, struct daemon *daemon, int listen_fd);
void control_fini(struct control *c);

/* Take up a connected client; closes it when there are too many. */
void control_add_client(struct control *c, int fd);

void control_poll(const struct control *c, struct pollfd *fds);
void control_handle(struct control *c, const struct pollfd *fds);

/* What time brings: STATS, time-outs. */
void control_run(struct control *c, int64_t now);
int64_t control_get_deadline(const struct control *c);

/* Whether any client subscribed to a class; false for NULL. */
bool control_is_wanted(const struct control *c, uint32_t event_class);

/* Send an event to those who want it; takes over data. */
void control_emit(struct control *c, uint32_t event_class, const char *name,
		  json_t *data);

/* The guest's statistics are new: answer those who wait.  NULL is fine. */
void control_stats_arrived(struct control *c);

/* No statistics will come.  NULL is fine. */
void control_frontend_gone(struct control *c);

/* ------------------------------------------------------------ for commands */

/* Answers; takes over result and id. */
void client_return(struct client *cl, json_t *id, json_t *result);
void client_error(struct client *cl, json_t *id, const char *class,
		  const char *desc);

#endif /* VUB_CONTROL_H */
