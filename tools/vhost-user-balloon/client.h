/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One client of the control socket: lines in, lines out, both bounded.  A
 * client that does not read is dropped.
 */
#ifndef VUB_CLIENT_H
#define VUB_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_MAX_LINE		65536u		/* bytes, without the newline */
#define CLIENT_MAX_OUTPUT	(1u << 20)	/* bytes not read yet */

struct command;

struct client {
	int fd;				/* -1: free */
	bool drop;			/* to be closed at the next chance */
	bool last;			/* after its output is gone */
	char *in;			/* CLIENT_MAX_LINE + 1 bytes */
	size_t in_len;
	char *out;
	size_t out_len;
	size_t out_room;
	int64_t seen;			/* when it last sent something */
	uint32_t events;		/* enum event_class, subscribed */
	int64_t next_stats;		/* when STATS is due */
	const struct command *waiting;	/* for its event, or NULL */
	int64_t deadline;		/* until then */
	json_t *waiting_id;		/* may be NULL */
	json_t *waiting_args;		/* the same */
	int passed;			/* the newest descriptor, or -1 */
};

/* Take up a connected socket.  False: no memory; then it is closed. */
bool client_open(struct client *cl, int fd);
void client_close(struct client *cl);

/* Close the descriptor that came, if there is one. */
void client_drop_fd(struct client *cl);

/* Read what there is; whole lines are then taken with client_next_line. */
void client_read(struct client *cl);

/*
 * The next whole line at *line, its length in *len, without the newline; it is
 * valid until the next call, *at counts on from 0.  False: there is none.
 */
bool client_next_line(struct client *cl, size_t *at, const char **line,
		      size_t *len);

/* Give up the lines that were taken; drops a client with too long a line. */
void client_end_lines(struct client *cl, size_t at);

/* Send what is kept. */
void client_flush(struct client *cl);

/* Send a line of len bytes, with its newline. */
void client_put(struct client *cl, const char *line, size_t len);

/* Send an object as a line; takes it over. */
void client_send(struct client *cl, json_t *object);

/* Answers; take over result and id, which may be NULL. */
void client_return(struct client *cl, json_t *id, json_t *result);
void client_error(struct client *cl, json_t *id, const char *class,
		  const char *desc);

/* The object, which is taken over, as a line; NULL: no memory for it. */
char *client_dump(json_t *object, size_t *len);

#endif /* VUB_CLIENT_H */
