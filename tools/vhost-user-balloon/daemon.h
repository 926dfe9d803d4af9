/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The daemon: device, front-end, control socket, and the loop around them. */
#ifndef VUB_DAEMON_H
#define VUB_DAEMON_H

#include "connect.h"
#include "control.h"
#include "frontend.h"
#include "options.h"
#include "service.h"

struct daemon {
	struct options options;
	struct service service;
	struct commands commands;
	struct frontend frontend;
	struct control control;
	int signal_fd;			/* SIGTERM, SIGINT; or -1 */
	int listen_fd;			/* for front-ends; or -1 */
	struct connector connector;	/* if it is the one who connects */
	int metrics_fd;			/* for who wants metrics; or -1 */
	bool once;			/* end when the front-end is gone */
	bool served;			/* --fd was the connection itself */
	bool quitting;
	int64_t quit_deadline;		/* for the guest to take its pages */
};

/* Prepare everything but sockets and signals.  0, or a positive errno. */
int daemon_init(struct daemon *d, const struct options *options);
void daemon_fini(struct daemon *d);

/* Serve until the end. */
void daemon_loop(struct daemon *d);

/*
 * Wait until something happens, at the most max_ms (-1: for ever), and handle
 * it.  False when the daemon cannot go on.
 */
bool daemon_step(struct daemon *d, int max_ms);

/*
 * Begin the end: the driver is told that it can have its hinted pages back,
 * and gets a moment to read that (D9).
 */
void daemon_quit(struct daemon *d);

#endif /* VUB_DAEMON_H */
