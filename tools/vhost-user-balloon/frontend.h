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

#include "backchannel.h"
#include "vring.h"

enum frontend_state {
	FRONTEND_NONE		= 0,
	FRONTEND_CONNECTED	= 1,
	FRONTEND_CLOSING	= 2
};

struct frontend {
	struct device *device;
	int state;			/* enum frontend_state */
	struct vu_channel channel;
	struct backchannel back;
	struct vring rings[FPH_NQUEUES];
	uint64_t offered_protocol;	/* protocol features, by number */
	uint64_t protocol;		/* those that were taken */
	uint64_t acked;			/* virtio features, with bit 30 */
	bool negotiated;		/* SET_FEATURES came */
	bool ran;			/* a ring ran since the last reset */
	bool deferred;			/* channel.in waits for the discards */
	uint8_t status;			/* virtio device status */
	uint8_t config[FPH_CONFIG_SIZE];	/* as the driver wrote it */
	uint32_t config_written;	/* which bytes of it */
	bool done_read;			/* cmd_id was read since it changed */
	uint32_t complaints;		/* log lines about this front-end */
	uint64_t connections;		/* counters */
	uint64_t messages;
	uint64_t refused;		/* messages answered with an error */
};

/* The descriptors to poll: kick of each ring, socket, back-end channel. */
#define FRONTEND_NFDS	(FPH_NQUEUES + 2)

struct pollfd;

void frontend_init(struct frontend *fe, struct device *device, bool inband);

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

/* The virtio status as the driver shall see it. */
uint8_t frontend_get_status(const struct frontend *fe);

/* A line about what the front-end did wrong, a bounded number of times. */
void frontend_complain(struct frontend *fe, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --------------------------------------------- for the handlers of requests */

/* Carry out what the device wants: interrupts and configuration changes. */
void frontend_carry_effects(struct frontend *fe);

/* Stop every ring that runs; only when the device is quiet. */
void frontend_stop_rings(struct frontend *fe);

/* Disable every ring. */
void frontend_disable_rings(struct frontend *fe);

/*
 * The state after connecting, but for features, memory and descriptors of the
 * channels: a reset of the device.  Only when it is quiet.
 */
void frontend_reset_device(struct frontend *fe);

/* Write the driver's config bytes again: after a reset, after features. */
void frontend_replay_config(struct frontend *fe);

static inline bool frontend_has_protocol(const struct frontend *fe, int bit)
{
	return fe->protocol >> bit & 1;
}

#endif /* VUB_FRONTEND_H */
