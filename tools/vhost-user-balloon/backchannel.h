/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The channel of the back-end's own requests: configuration changes and, with
 * in-band notifications, interrupts of rings.
 *
 * At most one request is unanswered, and nothing ever waits for an answer:
 * the guest may hold a lock with interrupts off while it awaits an answer of
 * ours.
 *
 * User-mode Linux reads all requests that have come and then raises ring
 * interrupts or the configuration interrupt, not both: a configuration change
 * that it reads together with a ring call is lost.  So requests of different
 * kinds are kept apart: by the answer; then by any message of the front-end,
 * which says that the guest has left its interrupt, or by a pause, for more
 * can come between the guest's answer and its next read; and, should it have
 * happened all the same, a change that the driver did not look at is told
 * again.
 */
#ifndef VUB_BACKCHANNEL_H
#define VUB_BACKCHANNEL_H

#include "message.h"

struct backchannel {
	struct vu_channel channel;
	bool inband;			/* ring calls go this way */
	bool reply_ack;			/* answers were negotiated */
	bool config;			/* a change is to be told */
	bool no_config;			/* but it must not be now */
	uint32_t calls;			/* rings whose call is to be sent */
	uint32_t waiting;		/* request that is unanswered, or 0 */
	uint32_t last;			/* the kind of the last request */
	int64_t settled;		/* until then no other kind is sent */
	bool unread;			/* config was told, but not yet read */
	int64_t repeat;			/* then it is told again */
	uint32_t repeats;		/* how often it was already */
};

void backchannel_init(struct backchannel *b);

/* Take up the socket; a former one is closed. */
void backchannel_open(struct backchannel *b, int fd);
void backchannel_close(struct backchannel *b);

/* Say what is to be sent; sent as soon as it may be. */
void backchannel_config_changed(struct backchannel *b);
void backchannel_call(struct backchannel *b, uint32_t rings);

/* A message came from the front-end on the other channel. */
void backchannel_message_seen(struct backchannel *b);

/* The driver has read config space. */
void backchannel_config_read(struct backchannel *b);

/* Send what may be sent now. */
void backchannel_run(struct backchannel *b, int64_t now);

/* The socket is readable: take answers. */
void backchannel_receive(struct backchannel *b, int64_t now);

/* When to run it again, -1: when something happens. */
int64_t backchannel_get_deadline(const struct backchannel *b);

#endif /* VUB_BACKCHANNEL_H */
