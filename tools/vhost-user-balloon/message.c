/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "closer.h"
#include "message.h"
#include "rights.h"

#include "common/passing.h"

void vu_channel_init(struct vu_channel *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->out_fd = -1;
}

void vu_channel_open(struct vu_channel *c, int fd)
{
	vu_channel_init(c);
	c->fd = fd;
}

static void drop_out_fd(struct vu_channel *c)
{
	if (c->out_fd >= 0)
		close(c->out_fd);
	c->out_fd = -1;
}

void vu_channel_close(struct vu_channel *c)
{
	vu_message_close_fds(&c->in);
	/* The peer sees the end at once; what it sent is closed aside. */
	if (c->fd >= 0) {
		shutdown(c->fd, SHUT_RDWR);
		closer_close(c->fd);
	}
	c->fd = -1;
	drop_out_fd(c);
	c->got = 0;
	c->out_len = 0;
}

int vu_message_take_fd(struct vu_message *m)
{
	int fd;

	if (m->nfds == 0)
		return -1;
	fd = m->fds[0];
	m->nfds--;
	memmove(m->fds, m->fds + 1, m->nfds * sizeof(m->fds[0]));
	return fd;
}

void vu_message_close_fds(struct vu_message *m)
{
	while (m->nfds > 0)
		closer_close(m->fds[--m->nfds]);
}

/* ----------------------------------------------------------------- receive */

static int bad(struct vu_channel *c, const char *error)
{
	c->error = error;
	return VU_BAD;
}

/* Read up to len bytes.  Descriptors that come after the header are closed. */
static int read_some(struct vu_channel *c, uint8_t *buf, size_t len,
		     bool rights)
{
	struct vu_message *m = &c->in;
	struct rights r = {
		.fds = m->fds,
		.max = rights ? VU_MAX_FDS : m->nfds,
		.n = m->nfds
	};
	ssize_t n;

	do
		n = rights_receive(c->fd, buf, len, &r);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? VU_AGAIN : VU_CLOSED;
	if (n == 0)
		return VU_CLOSED;
	m->nfds = r.n;
	if (rights && r.dropped)
		return bad(c, "too many file descriptors");
	c->got += (uint32_t)n;
	return VU_MESSAGE;
}

/* The header is complete: check what the message claims to be. */
static int parse_header(struct vu_channel *c)
{
	struct vu_message *m = &c->in;

	m->request = vu_load32(c->header + VU_HEADER_REQUEST);
	m->flags = vu_load32(c->header + VU_HEADER_FLAGS);
	m->size = vu_load32(c->header + VU_HEADER_LENGTH);
	if ((m->flags & VU_FLAG_VERSION_MASK) != VU_FLAG_VERSION)
		return bad(c, "unknown version of the protocol");
	if (m->size > VU_MAX_PAYLOAD)
		return bad(c, "payload too long");
	return VU_MESSAGE;
}

static int receive_header(struct vu_channel *c)
{
	while (c->got < VU_HEADER_SIZE) {
		int r = read_some(c, c->header + c->got,
				  VU_HEADER_SIZE - c->got, true);

		if (r != VU_MESSAGE)
			return r;
		if (c->got == VU_HEADER_SIZE)
			return parse_header(c);
	}
	return VU_MESSAGE;
}

int vu_channel_receive(struct vu_channel *c)
{
	int r;

	if (c->got == 0)
		vu_message_close_fds(&c->in);
	r = receive_header(c);
	while (r == VU_MESSAGE && c->got < VU_HEADER_SIZE + c->in.size) {
		uint32_t have = c->got - VU_HEADER_SIZE;

		r = read_some(c, c->in.payload + have, c->in.size - have,
			      false);
	}
	if (r == VU_MESSAGE)
		c->got = 0;
	return r;
}

/* -------------------------------------------------------------------- send */

static ssize_t send_some(struct vu_channel *c)
{
	return passing_send(c->fd, c->out + c->out_sent,
			    c->out_len - c->out_sent, &c->out_fd,
			    c->out_fd >= 0, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The second: all processes of this user have too many descriptors under way. */
static bool is_for_later(int err)
{
	return err == EAGAIN || err == ETOOMANYREFS;
}

int vu_channel_flush(struct vu_channel *c)
{
	while (c->out_sent < c->out_len) {
		ssize_t n = send_some(c);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return is_for_later(errno) ? 0 : -1;
		c->out_sent += (uint32_t)n;
		drop_out_fd(c);
	}
	c->out_len = 0;
	c->out_sent = 0;
	return 0;
}

int vu_channel_send(struct vu_channel *c, uint32_t request, uint32_t flags,
		    const void *payload, uint32_t size)
{
	return vu_channel_send_fd(c, request, flags, payload, size, -1);
}

int vu_channel_send_fd(struct vu_channel *c, uint32_t request, uint32_t flags,
		       const void *payload, uint32_t size, int fd)
{
	if (c->out_len != 0 || size > VU_MAX_PAYLOAD) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	c->out_fd = fd;
	vu_store32(c->out + VU_HEADER_REQUEST, request);
	vu_store32(c->out + VU_HEADER_FLAGS, flags | VU_FLAG_VERSION);
	vu_store32(c->out + VU_HEADER_LENGTH, size);
	if (size)
		memcpy(c->out + VU_HEADER_SIZE, payload, size);
	c->out_len = VU_HEADER_SIZE + size;
	c->out_sent = 0;
	return vu_channel_flush(c);
}
