/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Unix sockets to listen on. */
#ifndef VUB_LISTEN_H
#define VUB_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

struct listener {
	const char *path;		/* NULL: there is none */
	int fd;
	dev_t dev;			/* of the file, to know it again */
	ino_t ino;
};

/*
 * Listen at a path.  A socket that a dead process left there is replaced; one
 * that somebody listens on, or a file of another kind, is an error.
 *
 * private: only the own user can connect.
 *
 * 0, or a positive errno value, EADDRINUSE for a socket in use.
 */
int listener_open(struct listener *l, const char *path, bool private);

/*
 * Accept a connection; -1: there is none.  Without a free descriptor it is
 * dropped all the same, so that it is not accepted again and again.
 */
int listener_accept(int listen_fd);

/* Close it and remove the file, if it is still the same one. */
void listener_close(struct listener *l);

#endif /* VUB_LISTEN_H */
