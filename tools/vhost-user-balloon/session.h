/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What one front-end has said and set up: features, status, config bytes,
 * rings and the channel of the back-end's own requests.
 *
 * Requests change it; what the device wants is carried out through it.  It
 * does not know who reads the messages.
 */
#ifndef VUB_SESSION_H
#define VUB_SESSION_H

#include "backchannel.h"
#include "ring_log.h"
#include "inflight.h"
#include "vring.h"

struct session {
	struct device *device;
	struct backchannel back;
	struct vring rings[FPH_NQUEUES];
	struct inflight inflight;
	struct ring_log log;
	uint32_t first_ring;		/* of which buffers are taken first */
	bool connected;
	uint64_t offered_protocol;	/* protocol features, by number */
	uint64_t protocol;		/* those that were taken */
	uint64_t acked;			/* virtio features, with bit 30 */
	bool negotiated;		/* SET_FEATURES came */
	bool ran;			/* a ring ran since the last reset */
	bool paused;			/* all rings were stopped by messages */
	uint8_t status;			/* virtio device status */
	uint8_t config[FPH_CONFIG_SIZE];	/* as the driver wrote it */
	uint32_t config_written;	/* which bytes of it */
	int state_fd;			/* the state to load, or -1 */
	bool done_read;			/* cmd_id was read since it changed */
	uint32_t complaints;		/* log lines about this front-end */
	uint32_t advised;		/* what advice was given */
	uint64_t connections;		/* counters */
	uint64_t messages;
	uint64_t first_message;		/* messages as it connected */
	int64_t since;			/* when it connected */
	uint64_t refused;		/* messages answered with an error */
};

void session_init(struct session *s, struct device *device, bool inband);

/* After the last session_end. */
void session_fini(void);

/* A front-end connects. */
void session_begin(struct session *s);

/* Whether it said nothing, for so long that it may have to go. */
bool session_is_silent(const struct session *s);

/* It goes: nothing is sent to it any more. */
void session_hang_up(struct session *s);

/*
 * It is gone: close everything and forget it.  Only when the device is quiet.
 */
void session_end(struct session *s);

/* A line about what the front-end did wrong, a bounded number of times. */
void session_complain(struct session *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Carry out what the device wants: interrupts and configuration changes. */
void session_carry_effects(struct session *s);

/*
 * Let the device do what it can, and keep account of what it returned and
 * wrote.
 */
void session_pump(struct session *s);

/* Take what a ring has, a bounded number of buffers; pump goes on with them. */
void session_process(struct session *s, uint32_t index);

/* Take buffers from the rings that may hold some, and pump. */
void session_take_buffers(struct session *s);

/* A kick came on a ring's descriptor. */
void session_take_kick(struct session *s, uint32_t index);

/* When rings without a kick are to be looked at, -1 for "never". */
int64_t session_get_deadline(const struct session *s);

/*
 * Start a ring if all that it needs has been said.  0, or an errno value; after
 * EFAULT it is tried again when memory comes.
 */
int session_try_start(struct session *s, uint32_t index);

/* Raise the interrupts of some rings. */
void session_raise_calls(struct session *s, uint32_t rings);

/* Stop every ring that runs; only when the device is quiet. */
void session_stop_rings(struct session *s);

/*
 * The same before their memory changes; those that ran, and those that were
 * to run and had no memory, go on with resume as soon as they have one.
 */
void session_suspend_rings(struct session *s);
void session_resume_rings(struct session *s);

/* Whether a driver's rings were all stopped by messages of their own. */
bool session_is_paused(const struct session *s);

/* Disable every ring. */
void session_disable_rings(struct session *s);

/*
 * The state after connecting, but for features, memory and descriptors of the
 * channels: a reset of the device.  Only when it is quiet.
 */
void session_reset_device(struct session *s);

/* Another driver: forget the rings and the state of the one before. */
void session_forget_driver(struct session *s);

/*
 * Another driver took over while the rings were stopped: forget the state of
 * the one before, and keep what was said since.  Only when quiet.
 */
void session_change_driver(struct session *s);

/* Write the driver's config bytes again: after a reset, after features. */
void session_replay_config(struct session *s);

/* Close what the state was to come by. */
void session_forget_state_fd(struct session *s);

/* The virtio status as the driver shall see it. */
uint8_t session_get_status(const struct session *s);

static inline bool session_has_protocol(const struct session *s, int bit)
{
	return s->protocol >> bit & 1;
}

#endif /* VUB_SESSION_H */
