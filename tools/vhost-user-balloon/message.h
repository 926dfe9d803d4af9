/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One vhost-user message at a time, over a stream socket.
 *
 * A channel never blocks: a message that has come in part stays in the
 * channel until the rest is there, and an answer that the peer does not take
 * is kept.  What the peer sends is checked for its size before it is stored;
 * descriptors that are not taken out of a message are closed with it.
 */
#ifndef VUB_MESSAGE_H
#define VUB_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol.h"

struct vu_message {
	uint32_t request;
	uint32_t flags;
	uint32_t size;			/* of payload, bytes */
	uint32_t nfds;
	uint8_t payload[VU_MAX_PAYLOAD];
	int fds[VU_MAX_FDS];
};

struct vu_channel {
	int fd;				/* -1: not connected */
	uint32_t got;			/* bytes of the message that is read */
	uint8_t header[VU_HEADER_SIZE];
	struct vu_message in;
	int out_fd;			/* goes with its first byte, or -1 */
	uint32_t out_len;		/* bytes in out */
	uint32_t out_sent;		/* of them, taken by the peer */
	uint8_t out[VU_HEADER_SIZE + VU_MAX_PAYLOAD];
	const char *error;		/* what was wrong, after VU_BAD */
};

enum vu_received {
	VU_MESSAGE	= 1,		/* channel->in is a whole message */
	VU_AGAIN	= 0,		/* it is not all there yet */
	VU_CLOSED	= -1,		/* the peer is gone */
	VU_BAD		= -2		/* the peer broke the format */
};

/* Not connected. */
void vu_channel_init(struct vu_channel *c);

/* Take up a connected stream socket; the channel owns it. */
void vu_channel_open(struct vu_channel *c, int fd);

/* Close the socket and every descriptor that came and was not taken. */
void vu_channel_close(struct vu_channel *c);

static inline bool vu_channel_is_open(const struct vu_channel *c)
{
	return c->fd >= 0;
}

/* Receive: enum vu_received.  Drops what is left of the message before. */
int vu_channel_receive(struct vu_channel *c);

/*
 * Send a message.  0: it is sent or kept, -1: the peer is gone, or one is
 * kept already (look at vu_channel_is_full first).
 */
int vu_channel_send(struct vu_channel *c, uint32_t request, uint32_t flags,
		    const void *payload, uint32_t size);

/* The same with a descriptor, which is taken over; -1: with none. */
int vu_channel_send_fd(struct vu_channel *c, uint32_t request, uint32_t flags,
		       const void *payload, uint32_t size, int fd);

/* Send what was kept.  0, -1: the peer is gone. */
int vu_channel_flush(struct vu_channel *c);

/* Whether a message is kept: wait until the socket is writable. */
static inline bool vu_channel_is_full(const struct vu_channel *c)
{
	return c->out_len != 0;
}

/* Take the first descriptor out of a message, -1 when there is none. */
int vu_message_take_fd(struct vu_message *m);

/* Close the descriptors that are still in a message. */
void vu_message_close_fds(struct vu_message *m);

#endif /* VUB_MESSAGE_H */
