/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Unix sockets to listen on. */
#ifndef VUB_LISTEN_H
#define VUB_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

/* Who can connect: as of chmod and chown. */
struct listener_access {
	mode_t mode;			/* LISTENER_UMASK: as the umask says */
	gid_t group;			/* (gid_t)-1: that of the process */
};

#define LISTENER_UMASK	((mode_t)-1)

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
 * 0, or a positive errno value, EADDRINUSE for a socket in use.
 */
int listener_open(struct listener *l, const char *path,
		  const struct listener_access *access);

/*
 * Accept a connection; -1: there is none.  Without a free descriptor it is
 * dropped all the same, so that it is not accepted again and again.
 */
int listener_accept(int listen_fd);

/* Close it and remove the file, if it is still the same one. */
void listener_close(struct listener *l);

#endif /* VUB_LISTEN_H */
