/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include "backchannel.h"
#include "clock.h"
#include "log.h"

#define SETTLE_MS	5
#define REPEAT_MS	100		/* doubled each time */
#define REPEAT_MAX	4

void backchannel_init(struct backchannel *b)
{
	memset(b, 0, sizeof(*b));
	vu_channel_init(&b->channel);
}

void backchannel_open(struct backchannel *b, int fd)
{
	vu_channel_close(&b->channel);
	vu_channel_open(&b->channel, fd);
	b->waiting = 0;
	b->unread = false;
}

void backchannel_close(struct backchannel *b)
{
	vu_channel_close(&b->channel);
	backchannel_init(b);
}

void backchannel_config_changed(struct backchannel *b)
{
	b->config = true;
	b->repeats = 0;
}

void backchannel_call(struct backchannel *b, uint32_t rings)
{
	b->calls |= rings;
}

void backchannel_message_seen(struct backchannel *b)
{
	if (!b->waiting)
		b->settled = 0;
}

void backchannel_config_read(struct backchannel *b)
{
	if (b->waiting != VU_BACKEND_CONFIG_CHANGE)
		b->unread = false;
}

/* -------------------------------------------------------------------- send */

static int lowest(uint32_t bits)
{
	int n = 0;

	while (!(bits & 1u << n))
		n++;
	return n;
}

static bool may_send(const struct backchannel *b, uint32_t kind, int64_t now)
{
	return !b->inband || b->last == 0 || b->last == kind ||
	       now >= b->settled;
}

static void send_request(struct backchannel *b, uint32_t kind,
			 const void *payload, uint32_t size)
{
	uint32_t flags = b->reply_ack ? VU_FLAG_NEED_REPLY : 0;

	if (vu_channel_send(&b->channel, kind, flags, payload, size)) {
		log_detail("back-end channel closed");
		vu_channel_close(&b->channel);
		return;
	}
	b->last = kind;
	if (b->reply_ack)
		b->waiting = kind;
}

static void send_config(struct backchannel *b, int64_t now)
{
	b->config = false;
	b->unread = b->inband;
	b->repeat = now + (REPEAT_MS << b->repeats);
	log_detail("-> CONFIG_CHANGE");
	send_request(b, VU_BACKEND_CONFIG_CHANGE, NULL, 0);
}

static void send_call(struct backchannel *b)
{
	int ring = lowest(b->calls);
	uint8_t state[VU_STATE_SIZE];

	b->calls &= ~(1u << ring);
	vu_store32(state + VU_STATE_INDEX, (uint32_t)ring);
	vu_store32(state + VU_STATE_NUM, 0);
	log_detail("-> VRING_CALL %d", ring);
	send_request(b, VU_BACKEND_VRING_CALL, state, sizeof(state));
}

static void repeat_config(struct backchannel *b, int64_t now)
{
	if (!b->unread || b->config || b->no_config || now < b->repeat)
		return;
	b->unread = false;
	if (b->repeats == REPEAT_MAX)
		return;
	b->repeats++;
	b->config = true;
}

static bool can_send(const struct backchannel *b)
{
	return vu_channel_is_open(&b->channel) && !b->waiting &&
	       !vu_channel_is_full(&b->channel);
}

void backchannel_run(struct backchannel *b, int64_t now)
{
	if (vu_channel_is_open(&b->channel) &&
	    vu_channel_flush(&b->channel))
		vu_channel_close(&b->channel);
	if (can_send(b))
		repeat_config(b, now);
	if (can_send(b) && b->config && !b->no_config &&
	    may_send(b, VU_BACKEND_CONFIG_CHANGE, now))
		send_config(b, now);
	while (can_send(b) && b->calls &&
	       may_send(b, VU_BACKEND_VRING_CALL, now))
		send_call(b);
}

/* ----------------------------------------------------------------- receive */

void backchannel_receive(struct backchannel *b, int64_t now)
{
	int r = vu_channel_receive(&b->channel);

	if (r == VU_AGAIN)
		return;
	if (r != VU_MESSAGE) {
		log_detail("back-end channel closed by the front-end");
		vu_channel_close(&b->channel);
		b->waiting = 0;
		b->unread = false;
		return;
	}
	vu_message_close_fds(&b->channel.in);
	if (!b->waiting || b->channel.in.request != b->waiting)
		return;
	b->waiting = 0;
	b->settled = now + SETTLE_MS;
	b->repeat = now + (REPEAT_MS << b->repeats);
}

int64_t backchannel_get_deadline(const struct backchannel *b)
{
	int64_t at = -1;

	if (!can_send(b))
		return -1;
	if ((b->config && !b->no_config && b->last == VU_BACKEND_VRING_CALL) ||
	    (b->calls && b->last == VU_BACKEND_CONFIG_CHANGE))
		at = b->settled;
	if (b->unread && !b->config && !b->no_config)
		at = clock_earlier(at, b->repeat);
	return at;
}
