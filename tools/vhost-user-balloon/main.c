/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "listen.h"
#include "log.h"

/* A front-end brings a file for each region, and five rings' descriptors. */
static int check_descriptors(void)
{
	const rlim_t least = 64, enough = 2048;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	if (limit.rlim_cur < enough) {
		limit.rlim_cur = limit.rlim_max < enough ? limit.rlim_max :
							    enough;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur >= least)
		return 0;
	log_line("%lu file descriptors are too few, %lu are needed "
		 "(ulimit -n)", (unsigned long)limit.rlim_cur,
		 (unsigned long)least);
	return EMFILE;
}

static int open_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --fd: one that listens, or the connection itself. */
static int take_fd(struct daemon *d, int fd)
{
	socklen_t len = sizeof(int);
	int listening;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len))
		return errno;
	if (listening) {
		/* Another process may take what poll has told of. */
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		d->listen_fd = fd;
		return 0;
	}
	d->once = true;
	d->served = true;
	frontend_connect(&d->frontend, fd);
	return 0;
}

static int open_socket(struct listener *l, const char *path, bool private)
{
	int err = listener_open(l, path, private);

	if (err)
		log_line("cannot listen on %s: %s", path, strerror(err));
	return err;
}

static int open_sockets(struct daemon *d, struct listener *frontend,
			struct listener *control)
{
	const struct options *o = &d->options;
	int err = 0;

	if (o->control_path)
		err = open_socket(control, o->control_path, true);
	if (!err && o->socket_path)
		err = open_socket(frontend, o->socket_path, false);
	if (!err && o->fd >= 0) {
		err = take_fd(d, o->fd);
		if (err)
			log_line("--fd=%d: %s", o->fd, strerror(err));
	}
	if (err)
		return err;
	if (o->control_path)
		d->control.listen_fd = control->fd;
	if (o->socket_path)
		d->listen_fd = frontend->fd;
	return 0;
}

static int run(struct daemon *d)
{
	struct listener frontend = { .fd = -1 };
	struct listener control = { .fd = -1 };
	int err = open_sockets(d, &frontend, &control);

	if (!err)
		daemon_loop(d);
	daemon_fini(d);
	listener_close(&frontend);
	listener_close(&control);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct daemon d;
	struct options options;
	int err, result = options_parse(&options, argc, argv);

	if (result != OPTIONS_RUN)
		return result == OPTIONS_EXIT ? EXIT_SUCCESS : result;
	log_set_verbose(options.verbose);
	if (check_descriptors())
		return EXIT_FAILURE;
	err = daemon_init(&d, &options);
	if (err) {
		log_line("cannot start: %s", strerror(err));
		return EXIT_FAILURE;
	}
	d.signal_fd = open_signals();
	log_start();
	result = run(&d);
	log_stop();
	return result;
}
