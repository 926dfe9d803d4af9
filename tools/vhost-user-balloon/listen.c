/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "listen.h"
#include "log.h"

#define LAST_MS		100

/* Whether somebody listens there: 0 nobody does, else an errno value. */
static int try_connect(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);
	int err = EADDRINUSE;

	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) &&
	    (errno == ECONNREFUSED || errno == ENOENT))
		err = 0;
	close(fd);
	return err;
}

/* One that was killed just now may still have it, for a moment. */
static int wait_unused(const struct sockaddr_un *addr)
{
	int err = try_connect(addr);
	int i;

	for (i = 0; i < LAST_MS / 20 && err == EADDRINUSE; i++) {
		usleep(20000);
		err = try_connect(addr);
	}
	return err;
}

static int remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int err;

	if (lstat(addr->sun_path, &st))
		return errno == ENOENT ? 0 : errno;
	if (!S_ISSOCK(st.st_mode))
		return EEXIST;
	err = wait_unused(addr);
	if (err)
		return err;
	return unlink(addr->sun_path) && errno != ENOENT ? errno : 0;
}

/* Nobody else can connect before all is as it shall be. */
static int bind_as(int fd, const struct sockaddr_un *addr,
		   const struct listener_access *access)
{
	bool open = access->mode == LISTENER_UMASK &&
		    access->group == (gid_t)-1;
	mode_t mask = umask(0177);
	int r;

	if (open)
		umask(mask);
	r = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));
	umask(mask);
	if (r || open)
		return r;
	r = chown(addr->sun_path, (uid_t)-1, access->group);
	if (!r)
		r = chmod(addr->sun_path, access->mode == LISTENER_UMASK ?
					  0777 & ~mask : access->mode);
	if (r) {
		int err = errno;

		unlink(addr->sun_path);
		errno = err;
	}
	return r;
}

static int bind_and_listen(struct listener *l, const struct sockaddr_un *addr,
			   const struct listener_access *access)
{
	struct stat st;
	int err;

	if (bind_as(l->fd, addr, access))
		return errno;
	if (listen(l->fd, 8) || stat(addr->sun_path, &st)) {
		err = errno;
		unlink(addr->sun_path);
		return err;
	}
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

int listener_open(struct listener *l, const char *path,
		  const struct listener_access *access)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int err;

	memset(l, 0, sizeof(*l));
	l->fd = -1;
	if (strlen(path) >= sizeof(addr.sun_path))
		return ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	err = remove_stale(&addr);
	if (err)
		return err;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0);
	if (l->fd < 0)
		return errno;
	err = bind_and_listen(l, &addr, access);
	l->path = err ? NULL : path;
	if (err) {
		close(l->fd);
		l->fd = -1;
	}
	return err;
}

/* Held back, to be given up for one that cannot be accepted. */
static int spare = -1;

static void drop_one(int listen_fd)
{
	int fd;

	if (spare < 0)
		return;
	close(spare);
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	spare = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0);
	log_line("connection dropped: no file descriptor is free");
}

int listener_accept(int listen_fd)
{
	int fd;

	if (spare < 0)
		spare = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0);
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		drop_one(listen_fd);
	return fd;
}

void listener_close(struct listener *l)
{
	struct stat st;

	if (spare >= 0)
		close(spare);
	spare = -1;
	if (!l->path)
		return;
	if (!stat(l->path, &st) && st.st_dev == l->dev &&
	    st.st_ino == l->ino)
		unlink(l->path);
	close(l->fd);
	l->fd = -1;
	l->path = NULL;
}
