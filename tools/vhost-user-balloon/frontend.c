/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "frontend.h"
#include "log.h"
#include "memory_guard.h"
#include "request.h"

#define MAX_COMPLAINTS	32
#define POLL_MS		20		/* for rings without a kick */

void frontend_init(struct frontend *fe, struct device *device, bool inband)
{
	uint32_t i;

	memset(fe, 0, sizeof(*fe));
	fe->device = device;
	fe->channel.fd = -1;
	backchannel_init(&fe->back);
	for (i = 0; i < FPH_NQUEUES; i++)
		vring_init(&fe->rings[i]);
	fe->offered_protocol = FPH_BIT(VU_PF_MQ) | FPH_BIT(VU_PF_REPLY_ACK) |
			       FPH_BIT(VU_PF_BACKEND_REQ) |
			       FPH_BIT(VU_PF_CONFIG) |
			       FPH_BIT(VU_PF_RESET_DEVICE) |
			       FPH_BIT(VU_PF_CONFIGURE_MEM_SLOTS) |
			       FPH_BIT(VU_PF_STATUS);
	if (inband)
		fe->offered_protocol |= FPH_BIT(VU_PF_INBAND_NOTIFICATIONS);
}

void frontend_complain(struct frontend *fe, const char *format, ...)
{
	char line[256];
	va_list args;

	if (fe->complaints > MAX_COMPLAINTS)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (fe->complaints++ == MAX_COMPLAINTS)
		log_line("front-end: more of this, not logged any more");
	else
		log_line("front-end: %s", line);
}

/* ---------------------------------------------------------- begin and end */

void frontend_connect(struct frontend *fe, int fd)
{
	vu_channel_open(&fe->channel, fd);
	fe->state = FRONTEND_CONNECTED;
	fe->complaints = 0;
	fe->connections++;
	log_line("front-end connected");
}

/*
 * Its memory and rings must not go before the discards are over, and the
 * driver, if it lives on, must not hold hinted pages for ever (D9).
 */
void frontend_disconnect(struct frontend *fe)
{
	if (fe->state != FRONTEND_CONNECTED)
		return;
	fe->state = FRONTEND_CLOSING;
	fe->deferred = false;
	fe->device->hold = true;
	fe->device->cancel = true;
	hint_done(fe->device);
	vu_channel_close(&fe->channel);
	backchannel_close(&fe->back);
	frontend_run(fe);
}

static void finish_disconnect(struct frontend *fe)
{
	struct device *d = fe->device;
	uint32_t i;

	frontend_stop_rings(fe);
	frontend_reset_device(fe);
	for (i = 0; i < FPH_NQUEUES; i++)
		vring_reset(&fe->rings[i]);
	memory_table_clear(&d->memory);
	fe->protocol = 0;
	fe->state = FRONTEND_NONE;
	d->hold = false;
	d->cancel = false;
	log_line("front-end gone");
	control_frontend_gone(d->control);
}

void frontend_stop_rings(struct frontend *fe)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		if (vring_stop(&fe->rings[i], i, fe->device))
			frontend_complain(fe, "ring %u is busy", i);
	}
}

void frontend_disable_rings(struct frontend *fe)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++)
		vring_set_enabled(&fe->rings[i], i, fe->device, false);
}

void frontend_reset_device(struct frontend *fe)
{
	uint32_t i;

	frontend_stop_rings(fe);
	for (i = 0; i < FPH_NQUEUES; i++)
		vring_forget_setup(&fe->rings[i]);
	device_reset(fe->device);
	fe->back.calls = 0;
	fe->acked = 0;
	fe->negotiated = false;
	fe->ran = false;
	fe->status = 0;
	fe->config_written = 0;
}

void frontend_replay_config(struct frontend *fe)
{
	uint32_t i;

	for (i = 0; i < FPH_CONFIG_SIZE; i++) {
		if (fe->config_written & 1u << i)
			fph_balloon_set_config(fe->device->balloon, i,
					       &fe->config[i], 1);
	}
}

uint8_t frontend_get_status(const struct frontend *fe)
{
	const uint8_t needs_reset = 0x40;

	if (fph_balloon_is_broken(fe->device->balloon))
		return fe->status | needs_reset;
	return fe->status;
}

/* ---------------------------------------------------------------- messages */

/*
 * An error that the front-end cannot be told of ends the connection: it would
 * go on as if nothing had happened.
 */
static void answer_error(struct frontend *fe, bool own, const char *name,
			 int err)
{
	struct vu_message *m = &fe->channel.in;
	uint64_t code = (uint64_t)err;

	fe->refused++;
	frontend_complain(fe, "%s refused: %s", name, strerror(err));
	if (own && m->request == VU_GET_CONFIG) {
		if (!vu_channel_send(&fe->channel, m->request, VU_FLAG_REPLY,
				     NULL, 0))
			return;
	} else if (!own && (m->flags & VU_FLAG_NEED_REPLY) &&
		   frontend_has_protocol(fe, VU_PF_REPLY_ACK)) {
		if (!vu_channel_send(&fe->channel, m->request, VU_FLAG_REPLY,
				     &code, sizeof(code)))
			return;
	}
	frontend_disconnect(fe);
}

static void answer(struct frontend *fe, const struct request *req,
		   const struct reply *reply)
{
	const struct vu_message *m = &fe->channel.in;
	const uint64_t ok = 0;
	int r = 0;

	if (req->kind == REPLY_OWN)
		r = vu_channel_send(&fe->channel, m->request, VU_FLAG_REPLY,
				    reply->payload, reply->size);
	else if ((m->flags & VU_FLAG_NEED_REPLY) &&
		 frontend_has_protocol(fe, VU_PF_REPLY_ACK))
		r = vu_channel_send(&fe->channel, m->request, VU_FLAG_REPLY,
				    &ok, sizeof(ok));
	if (r)
		frontend_disconnect(fe);
}

static void finish_message(struct frontend *fe, const struct request *req)
{
	struct vu_message *m = &fe->channel.in;
	struct reply reply;
	int err;

	fe->deferred = false;
	fe->device->hold = false;
	reply.size = 0;
	err = req->handle(fe, m, &reply);
	vu_message_close_fds(m);
	if (err)
		answer_error(fe, req->kind == REPLY_OWN, req->name, err);
	else
		answer(fe, req, &reply);
}

static int check_message(const struct request *req,
			 const struct vu_message *m)
{
	if (m->flags & VU_FLAG_REPLY)
		return EPROTO;
	if (m->size < req->min_size || m->size > req->max_size)
		return EMSGSIZE;
	if (m->nfds < req->min_fds || m->nfds > req->max_fds)
		return EBADF;
	return 0;
}

static void dispatch(struct frontend *fe)
{
	struct vu_message *m = &fe->channel.in;
	const struct request *req = request_find(m->request);
	int err;

	fe->messages++;
	backchannel_message_seen(&fe->back);
	if (!req) {
		char name[32];

		snprintf(name, sizeof(name), "request %u", m->request);
		vu_message_close_fds(m);
		answer_error(fe, false, name, ENOSYS);
		return;
	}
	log_detail("<- %s, %u bytes, %u descriptors%s", req->name, m->size,
		   m->nfds, m->flags & VU_FLAG_NEED_REPLY ? ", ack" : "");
	err = check_message(req, m);
	if (err) {
		vu_message_close_fds(m);
		answer_error(fe, req->kind == REPLY_OWN, req->name, err);
		return;
	}
	if (req->prepare && req->prepare(fe, m)) {
		fe->deferred = true;
		fe->device->hold = true;
		return;
	}
	finish_message(fe, req);
}

static void receive(struct frontend *fe)
{
	int r = vu_channel_receive(&fe->channel);

	if (r == VU_MESSAGE) {
		dispatch(fe);
	} else if (r != VU_AGAIN) {
		if (r == VU_BAD)
			frontend_complain(fe, "%s", fe->channel.error);
		frontend_disconnect(fe);
	}
}

/* ----------------------------------------------------------------- effects */

static void raise_calls(struct frontend *fe, uint32_t calls)
{
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		if (!(calls & 1u << i))
			continue;
		if (fe->rings[i].call >= 0)
			vring_signal(fe->rings[i].call);
		else if (fe->back.inband)
			backchannel_call(&fe->back, 1u << i);
	}
}

static void tell_broken(struct frontend *fe)
{
	struct fph_balloon_counters c;
	uint32_t i;

	fph_balloon_get_counters(fe->device->balloon, &c);
	frontend_complain(fe, "the driver broke a ring: %s",
			  fph_status_get_name(c.last_error));
	for (i = 0; i < FPH_NQUEUES; i++)
		vring_signal(fe->rings[i].err);
	if (frontend_has_protocol(fe, VU_PF_STATUS))
		backchannel_config_changed(&fe->back);
}

void frontend_carry_effects(struct frontend *fe)
{
	struct device_effects e = device_take_effects(fe->device);

	raise_calls(fe, e.calls);
	if (e.events & FPH_EVENT_BROKEN)
		tell_broken(fe);
	if (e.events & FPH_EVENT_CONFIG) {
		fe->done_read = false;
		if (fe->state == FRONTEND_CONNECTED)
			backchannel_config_changed(&fe->back);
	}
	if (e.events & FPH_EVENT_STATS)
		control_stats_arrived(fe->device->control);
	backchannel_run(&fe->back, clock_now());
}

/* -------------------------------------------------------------- main loop */

static void take_buffers(struct frontend *fe)
{
	uint32_t ready = device_get_ready(fe->device);
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		if ((ready & 1u << i) || fe->rings[i].polled)
			device_process(fe->device, i);
	}
}

void frontend_run(struct frontend *fe)
{
	struct device *d = fe->device;

	if (memory_guard_take() && fe->state == FRONTEND_CONNECTED) {
		frontend_complain(fe, "guest memory was taken away");
		frontend_disconnect(fe);
	}
	device_pump(d);
	if (fe->deferred && device_is_quiet(d))
		finish_message(fe, request_find(fe->channel.in.request));
	if (fe->state == FRONTEND_CLOSING && device_is_quiet(d))
		finish_disconnect(fe);
	take_buffers(fe);
	hint_run_pending(d);
	frontend_carry_effects(fe);
}

bool frontend_has_work(const struct frontend *fe)
{
	return device_get_ready(fe->device) != 0;
}

int64_t frontend_get_deadline(const struct frontend *fe)
{
	int64_t at = backchannel_get_deadline(&fe->back);
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++) {
		if (fe->rings[i].running && fe->rings[i].polled)
			at = clock_earlier(at, clock_now() + POLL_MS);
	}
	return at;
}

void frontend_poll(const struct frontend *fe, struct pollfd *fds)
{
	struct pollfd *p = fds;
	uint32_t i;

	for (i = 0; i < FRONTEND_NFDS; i++)
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	if (fe->state != FRONTEND_CONNECTED)
		return;
	/* A kick that is taken while buffers are not would be lost. */
	for (i = 0; i < FPH_NQUEUES; i++, p++) {
		if (!fe->device->hold)
			p->fd = fe->rings[i].kick;
	}
	p->fd = fe->channel.fd;
	if (vu_channel_is_full(&fe->channel))
		p->events = POLLOUT;
	else if (fe->deferred)
		p->events = 0;
	p++;
	p->fd = fe->back.channel.fd;
	if (vu_channel_is_full(&fe->back.channel))
		p->events = POLLIN | POLLOUT;
}

static void handle_kick(struct frontend *fe, uint32_t index)
{
	struct vring *v = &fe->rings[index];

	vring_take_kick(v);
	/* It may have been stopped without the driver's knowledge. */
	if (!v->running && !v->stopped && vring_is_configured(v))
		vring_start(v, index, fe->device);
	device_process(fe->device, index);
}

static void handle_channel(struct frontend *fe, short revents)
{
	bool full = vu_channel_is_full(&fe->channel);

	if (full && (revents & POLLOUT)) {
		if (vu_channel_flush(&fe->channel))
			frontend_disconnect(fe);
	} else if (fe->deferred || full) {
		/* Nothing is read now, but the end must be noticed. */
		if (revents & (POLLHUP | POLLERR))
			frontend_disconnect(fe);
	} else if (revents) {
		receive(fe);
	}
}

void frontend_handle(struct frontend *fe, const struct pollfd *fds)
{
	const struct pollfd *p = fds;
	uint32_t i;

	for (i = 0; i < FPH_NQUEUES; i++, p++) {
		if (p->revents && p->fd == fe->rings[i].kick)
			handle_kick(fe, i);
	}
	if (p->revents && p->fd == fe->channel.fd)
		handle_channel(fe, p->revents);
	p++;
	if (p->revents && p->fd == fe->back.channel.fd)
		backchannel_receive(&fe->back, clock_now());
	frontend_run(fe);
}
