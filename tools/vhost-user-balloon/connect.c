/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "connect.h"
#include "log.h"

#define RETRY_MS	500

/* Never waits: a full queue of the other side is an error as well. */
static int try_once(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int err, fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (!connect(fd, (const struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

int connector_try(struct connector *c, int64_t now)
{
	int fd;

	if (!c->path || now < c->next)
		return -1;
	c->next = now + RETRY_MS;
	fd = try_once(c->path);
	if (fd < 0 && !c->told)
		log_line("no front-end at %s: %s; it is tried again", c->path,
			 strerror(errno));
	c->told = fd < 0;
	return fd;
}
