/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "clock.h"
#include "closer.h"
#include "frontend.h"
#include "log.h"
#include "memory_guard.h"
#include "request.h"

void frontend_init(struct frontend *fe, struct session *session)
{
	memset(fe, 0, sizeof(*fe));
	fe->session = session;
	vu_channel_init(&fe->channel);
}

/* ---------------------------------------------------------- begin and end */

void frontend_connect(struct frontend *fe, int fd)
{
	vu_channel_open(&fe->channel, fd);
	fe->state = FRONTEND_CONNECTED;
	session_begin(fe->session);
	log_line("front-end connected");
}

/*
 * Its memory and rings must not go before the discards are over, and the
 * driver, if it lives on, must not hold hinted pages for ever (D9).
 */
void frontend_disconnect(struct frontend *fe)
{
	struct device *d = fe->session->device;

	if (fe->state != FRONTEND_CONNECTED)
		return;
	fe->state = FRONTEND_CLOSING;
	fe->deferred = false;
	d->hold = true;
	d->cancel = true;
	hint_done(&d->hint);
	vu_channel_close(&fe->channel);
	advice_at_end(fe->session);
	session_hang_up(fe->session);
	frontend_run(fe);
}

static void finish_disconnect(struct frontend *fe)
{
	struct device *d = fe->session->device;

	session_end(fe->session);
	memory_guard_take();		/* it is no matter of the next one */
	fe->state = FRONTEND_NONE;
	d->hold = false;
	d->cancel = false;
	log_line("front-end gone");
	events_put(d->event_queue, EVENT_FRONTEND_GONE, 0, 0);
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

	fe->session->refused++;
	session_complain(fe->session, "%s refused: %s", name, strerror(err));
	advice_after_refusal(fe->session, m, err);
	if (own && m->request == VU_GET_CONFIG) {
		if (!vu_channel_send(&fe->channel, m->request, VU_FLAG_REPLY,
				     NULL, 0))
			return;
	} else if (!own && (m->flags & VU_FLAG_NEED_REPLY) &&
		   session_has_protocol(fe->session, VU_PF_REPLY_ACK)) {
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
		r = vu_channel_send_fd(&fe->channel, m->request, VU_FLAG_REPLY,
				       reply->payload, reply->size,
				       reply->fd);
	else if ((m->flags & VU_FLAG_NEED_REPLY) &&
		 session_has_protocol(fe->session, VU_PF_REPLY_ACK))
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
	fe->session->device->hold = false;
	reply.size = 0;
	reply.fd = -1;
	err = req->handle(fe->session, m, &reply);
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

	fe->session->messages++;
	backchannel_message_seen(&fe->session->back);
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
	if (req->prepare && req->prepare(fe->session, m)) {
		fe->deferred = true;
		fe->session->device->hold = true;
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
			session_complain(fe->session, "%s", fe->channel.error);
		frontend_disconnect(fe);
	}
}

/* --------------------------------------------------------------- main loop */

static void run(struct frontend *fe)
{
	struct device *d = fe->session->device;

	if (memory_guard_take() && fe->state == FRONTEND_CONNECTED) {
		session_complain(fe->session, "guest memory was taken away");
		frontend_disconnect(fe);
	}
	if (closer_is_stuck() && fe->state == FRONTEND_CONNECTED) {
		session_complain(fe->session, "its files cannot be closed");
		frontend_disconnect(fe);
	}
	session_pump(fe->session);
	/* What is due comes before what may close its descriptors.  Fault 5. */
	session_carry_effects(fe->session);
	if (fe->deferred && device_is_quiet(d))
		finish_message(fe, request_find(fe->channel.in.request));
	if (fe->state == FRONTEND_CLOSING && device_is_quiet(d))
		finish_disconnect(fe);
	session_take_buffers(fe->session);
	device_run_pending_hint(d);
	session_carry_effects(fe->session);
}

/*
 * Each pump may find that the last discard is over, and no event tells of it
 * then any more: what waits for a quiet device is done before this returns.
 */
void frontend_run(struct frontend *fe)
{
	do
		run(fe);
	while ((fe->deferred || fe->state == FRONTEND_CLOSING) &&
	       device_is_quiet(fe->session->device));
}

bool frontend_has_work(const struct frontend *fe)
{
	return device_get_ready(fe->session->device) != 0;
}

int64_t frontend_get_deadline(const struct frontend *fe)
{
	return session_get_deadline(fe->session);
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
		if (!fe->session->device->hold)
			p->fd = fe->session->rings[i].kick;
	}
	p->fd = fe->channel.fd;
	if (vu_channel_is_full(&fe->channel))
		p->events = POLLOUT;
	else if (fe->deferred || closer_is_full())
		p->events = 0;
	p++;
	p->fd = fe->session->back.channel.fd;
	if (vu_channel_is_full(&fe->session->back.channel))
		p->events = POLLIN | POLLOUT;
}

static void handle_channel(struct frontend *fe, short revents)
{
	bool full = vu_channel_is_full(&fe->channel);

	if (full && (revents & POLLOUT)) {
		if (vu_channel_flush(&fe->channel))
			frontend_disconnect(fe);
	} else if (fe->deferred || full || closer_is_full()) {
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
		if (p->revents && p->fd == fe->session->rings[i].kick)
			session_take_kick(fe->session, i);
	}
	if (p->revents && p->fd == fe->channel.fd)
		handle_channel(fe, p->revents);
	p++;
	if (p->revents && p->fd == fe->session->back.channel.fd)
		backchannel_receive(&fe->session->back, clock_now());
	frontend_run(fe);
}
