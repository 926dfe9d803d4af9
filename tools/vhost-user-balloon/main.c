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
#include "file_kind.h"
#include "listen.h"
#include "log.h"
#include "sandbox.h"

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

static int open_socket(struct listener *l, const char *path,
		       const struct listener_access *access)
{
	int err = listener_open(l, path, access);

	if (err)
		log_line("cannot listen on %s: %s", path, strerror(err));
	return err;
}

struct sockets {
	struct listener frontend;
	struct listener control;
	struct listener metrics;
};

static int open_sockets(const struct options *o, struct sockets *s)
{
	static const struct listener_access by_umask = {
		.mode = LISTENER_UMASK,
		.group = (gid_t)-1
	};
	int err = 0;

	if (o->control_path)
		err = open_socket(&s->control, o->control_path, &o->control);
	if (!err && o->metrics_path)
		err = open_socket(&s->metrics, o->metrics_path, &by_umask);
	if (!err && o->socket_path)
		err = open_socket(&s->frontend, o->socket_path, &o->socket);
	return err;
}

static int take_sockets(struct daemon *d, const struct sockets *s)
{
	const struct options *o = &d->options;
	int err;

	d->control.listen_fd = s->control.fd;
	d->listen_fd = s->frontend.fd;
	d->metrics_fd = s->metrics.fd;
	if (o->fd < 0)
		return 0;
	err = take_fd(d, o->fd);
	if (err)
		log_line("--fd=%d: %s", o->fd, strerror(err));
	return err;
}

/* All that is opened later is opened by others and sent here. */
static int filter_calls(const struct options *o)
{
	int err;

	if (!o->sandbox)
		return 0;
	err = sandbox_set_limits();
	if (err)
		return err;
	if (o->memory.file_systems)
		file_prepare();
	json_object_seed(0);
	if (o->connect_path)
		sandbox_allow_connect();
	err = sandbox_filter_calls();
	if (err && err != ENOSYS)
		log_line("no sandbox: %s; --sandbox=off goes on without",
			 strerror(err));
	return err == ENOSYS ? 0 : err;
}

static int serve(const struct options *o, int signal_fd,
		 const struct sockets *sockets)
{
	static struct daemon d;
	int err = o->sandbox ? sandbox_drop_privileges() : 0;

	if (!err)
		err = daemon_init(&d, o);
	if (err) {
		log_line("cannot start: %s", strerror(err));
		return err;
	}
	d.signal_fd = signal_fd;
	log_start();
	err = take_sockets(&d, sockets);
	if (!err)
		err = filter_calls(o);
	if (!err)
		daemon_loop(&d);
	daemon_fini(&d);
	return err;
}

int main(int argc, char **argv)
{
	struct sockets sockets = {
		.frontend.fd = -1,
		.control.fd = -1,
		.metrics.fd = -1
	};
	struct options options;
	int signal_fd = -1;
	int err, result = options_parse(&options, argc, argv);

	if (result != OPTIONS_RUN)
		return result == OPTIONS_EXIT ? EXIT_SUCCESS : result;
	log_set_verbose(options.verbose);
	err = check_descriptors();
	/* From the first socket on a signal is a reason to clean up. */
	if (!err)
		signal_fd = open_signals();
	if (!err)
		err = open_sockets(&options, &sockets);
	if (!err)
		err = serve(&options, signal_fd, &sockets);
	listener_close(&sockets.frontend);
	listener_close(&sockets.control);
	listener_close(&sockets.metrics);
	log_stop();
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
