/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The connection to a front-end: one at a time, one after another.
 *
 * A message is handled in up to three steps: prepare (which may disable
 * rings), then, for messages after which rings or memory may go away, waiting
 * until no discard is in flight (R5), then the handler and the answer.  While
 * one waits no other message is read and no buffer is taken; everything else
 * goes on.
 *
 *		connect		end of file	drained
 *  NONE	CONNECTED	-		-
 *  CONNECTED	-		CLOSING		(the message goes on)
 *  CLOSING	-		-		NONE
 */
#ifndef VUB_FRONTEND_H
#define VUB_FRONTEND_H

#include "session.h"

enum frontend_state {
	FRONTEND_NONE		= 0,
	FRONTEND_CONNECTED	= 1,
	FRONTEND_CLOSING	= 2
};

struct frontend {
	struct session *session;	/* what its messages act on */
	int state;			/* enum frontend_state */
	struct vu_channel channel;
	bool deferred;			/* channel.in waits for the discards */
};

/* The descriptors to poll: kick of each ring, socket, back-end channel. */
#define FRONTEND_NFDS	(FPH_NQUEUES + 2)

struct pollfd;

void frontend_init(struct frontend *fe, struct session *session);

/* Take up a connected socket; only in state NONE. */
void frontend_connect(struct frontend *fe, int fd);

/* Begin the end; it is over when the state is NONE again. */
void frontend_disconnect(struct frontend *fe);

/* Fill in what to wait for; unused ones get fd -1. */
void frontend_poll(const struct frontend *fe, struct pollfd *fds);

/* Handle what poll found, then all that follows from it. */
void frontend_handle(struct frontend *fe, const struct pollfd *fds);

/*
 * Go on after anything has happened: messages that waited, buffers, effects
 * of the device, the back-end channel.
 */
void frontend_run(struct frontend *fe);

/* When to run it again, CLOCK_MONOTONIC milliseconds, -1 for "never". */
int64_t frontend_get_deadline(const struct frontend *fe);

/* Whether buffers wait that were left for want of budget. */
bool frontend_has_work(const struct frontend *fe);

#endif /* VUB_FRONTEND_H */
