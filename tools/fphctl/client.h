/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The control socket of vhost-user-balloon, client side.  It blocks. */
#ifndef FPHCTL_CLIENT_H
#define FPHCTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* How fphctl ends. */
enum exit_code {
	EXIT_OK		= 0,
	EXIT_REFUSED	= 1,		/* the daemon answered with an error */
	EXIT_USAGE	= 2,
	EXIT_LOST	= 3		/* no daemon there, or it went away */
};

struct client {
	int fd;
	char *buf;			/* what came and was not taken yet */
	size_t len;
	size_t room;
};

/* Connect; prints what went wrong.  Whether it did not. */
bool client_open(struct client *c, const char *path);
void client_close(struct client *c);

/*
 * Execute a command and wait for its answer; events before it are dropped.
 * args: taken over, NULL for none.  *answer: the object "return", to be freed
 * by the caller; prints what went wrong.
 */
int client_execute(struct client *c, const char *name,
			      json_t *args, json_t **answer);

/* The same with a descriptor that goes along. */
int client_execute_with(struct client *c, const char *name, json_t *args,
			int fd, json_t **answer);

/* The next object that the daemon sends, NULL when it is gone. */
json_t *client_next(struct client *c);

#endif /* FPHCTL_CLIENT_H */
