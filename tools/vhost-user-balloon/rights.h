/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Reading from a local socket of a peer.  Descriptors that the kernel drops,
 * because nobody takes them, are closed while the caller waits: so all are
 * taken, and those that nobody wants are closed aside.
 */
#ifndef VUB_RIGHTS_H
#define VUB_RIGHTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct rights {
	int *fds;			/* room for max of them */
	uint32_t max;
	uint32_t n;			/* there already; counts on */
	uint32_t dropped;		/* that were closed instead */
};

/* As recv with MSG_DONTWAIT; takes descriptors too. */
ssize_t rights_receive(int fd, void *buf, size_t len, struct rights *r);

#endif /* VUB_RIGHTS_H */
