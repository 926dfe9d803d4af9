/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>

#include "closer.h"
#include "rights.h"

/* What one message can carry, SCM_MAX_FD of Linux. */
#define MAX_RIGHTS	253

static void take(struct rights *r, int fd)
{
	if (r->n < r->max) {
		r->fds[r->n++] = fd;
		return;
	}
	closer_close(fd);
	r->dropped++;
}

static void take_all(struct rights *r, struct msghdr *h)
{
	struct cmsghdr *cm;
	size_t i, n;
	int fd;

	for (cm = CMSG_FIRSTHDR(h); cm; cm = CMSG_NXTHDR(h, cm)) {
		if (cm->cmsg_level != SOL_SOCKET ||
		    cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(fd),
			       sizeof(fd));
			take(r, fd);
		}
	}
}

ssize_t rights_receive(int fd, void *buf, size_t len, struct rights *r)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(MAX_RIGHTS * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr h = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)
	};
	ssize_t n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return n;
	take_all(r, &h);
	/* No descriptor was free for the rest. */
	if (h.msg_flags & MSG_CTRUNC)
		r->dropped++;
	return n;
}
