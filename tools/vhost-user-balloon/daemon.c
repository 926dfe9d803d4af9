/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "closer.h"
#include "command.h"
#include "daemon.h"
#include "listen.h"
#include "log.h"
#include "memory_guard.h"
#include "metrics_socket.h"

/* How long a driver has to read that the host needs no hints (D9). */
#define QUIT_MS		1000

/* How often it is looked whether there is room for files to close. */
#define FULL_MS		2

enum {
	POLL_SIGNAL,
	POLL_LISTEN,
	POLL_METRICS,
	POLL_WORKER,
	POLL_FRONTEND,
	POLL_CONTROL = POLL_FRONTEND + FRONTEND_NFDS,
	POLL_N = POLL_CONTROL + CONTROL_NFDS
};

int daemon_init(struct daemon *d, const struct options *options)
{
	struct fph_balloon_params params = { 0 };
	int err;

	memset(d, 0, sizeof(*d));
	d->options = *options;
	d->signal_fd = -1;
	d->listen_fd = -1;
	d->metrics_fd = -1;
	d->connector.path = options->connect_path;
	d->once = options->once;
	params.size = sizeof(params);
	params.features = options_get_features(options);
	params.num_pages = options->num_pages;
	params.max_queue_size = options->queue_size;
	params.report_granule = options->page_size;
	params.inflate_granule = options->page_size;
	if (options->keep_good_part)
		params.flags |= FPH_BALLOON_KEEP_GOOD_PART;
	err = service_init(&d->service, &params, &d->options.memory,
			   &d->options.timers, &d->options.governor,
			   options->inband);
	if (err)
		return err;
	memory_guard_install(&d->service.device.memory);
	worker_set_delay(&d->service.device.worker,
			 options->discard_delay_ms);
	frontend_init(&d->frontend, &d->service.session);
	d->commands = command_get_all(&d->service);
	control_init(&d->control, &d->commands, &d->service.events, -1);
	return 0;
}

/* By now the front-end is gone, or it is left without a further word. */
void daemon_fini(struct daemon *d)
{
	worker_set_delay(&d->service.device.worker, 0);
	frontend_disconnect(&d->frontend);
	while (d->frontend.state == FRONTEND_CLOSING) {
		struct pollfd p = { .fd = d->service.device.worker.event_fd,
				    .events = POLLIN };

		poll(&p, 1, -1);
		frontend_run(&d->frontend);
	}
	control_fini(&d->control);
	service_fini(&d->service);
}

/* -------------------------------------------------------------------- quit */

void daemon_quit(struct daemon *d)
{
	if (d->quitting)
		return;
	d->quitting = true;
	d->quit_deadline = clock_now();
	if (d->frontend.state != FRONTEND_CONNECTED ||
	    !device_needs_done(&d->service.device))
		return;
	log_line("telling the guest that it can have its hinted pages back");
	d->quit_deadline += QUIT_MS;
	hint_done(&d->service.device.hint);
	frontend_run(&d->frontend);
}

static bool is_over(const struct daemon *d, int64_t now)
{
	bool gone = d->frontend.state == FRONTEND_NONE;

	if (d->quitting)
		return gone || d->service.session.done_read ||
		       now >= d->quit_deadline;
	/* One who only looks whether somebody listens sends nothing. */
	return gone && d->once && (d->served || d->service.session.messages > 0);
}

/* -------------------------------------------------------------------- loop */

static void accept_frontend(struct daemon *d)
{
	int fd;

	/* One that says nothing goes for the next; then that is accepted. */
	if (session_is_silent(&d->service.session)) {
		log_line("the front-end is silent, and another one comes");
		frontend_disconnect(&d->frontend);
		return;
	}
	fd = listener_accept(d->listen_fd);
	if (fd < 0)
		return;
	if (d->frontend.state == FRONTEND_NONE) {
		frontend_connect(&d->frontend, fd);
		return;
	}
	log_line("another front-end comes and is refused: one is connected");
	close(fd);
}

static void connect_frontend(struct daemon *d)
{
	int fd = -1;

	if (d->frontend.state == FRONTEND_NONE && !d->quitting)
		fd = connector_try(&d->connector, clock_now());
	if (fd >= 0)
		frontend_connect(&d->frontend, fd);
}

static void take_signal(struct daemon *d)
{
	struct signalfd_siginfo info;

	if (read(d->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	log_line("signal %u, ending", info.ssi_signo);
	daemon_quit(d);
}

static int64_t get_deadline(const struct daemon *d)
{
	int64_t at = clock_earlier(frontend_get_deadline(&d->frontend),
				   control_get_deadline(&d->control));

	if (d->frontend.state == FRONTEND_NONE && !d->quitting)
		at = clock_earlier(at, connector_get_deadline(&d->connector));
	at = clock_earlier(at, service_get_deadline(&d->service));
	return d->quitting ? clock_earlier(at, d->quit_deadline) : at;
}

static int get_timeout(const struct daemon *d, int max_ms)
{
	int64_t now = clock_now();
	int64_t at = get_deadline(d);

	if (frontend_has_work(&d->frontend) || (at >= 0 && at <= now))
		return 0;
	if (max_ms >= 0)
		at = clock_earlier(at, now + max_ms);
	if (closer_is_full())
		at = clock_earlier(at, now + FULL_MS);
	if (at < 0)
		return -1;
	return at - now > 60000 ? 60000 : (int)(at - now);
}

static void prepare(const struct daemon *d, struct pollfd *fds)
{
	bool accepts = d->frontend.state != FRONTEND_CLOSING &&
		       !d->quitting && !closer_is_full();

	fds[POLL_SIGNAL] = (struct pollfd){ d->signal_fd, POLLIN, 0 };
	fds[POLL_LISTEN] = (struct pollfd){ accepts ? d->listen_fd : -1,
					    POLLIN, 0 };
	fds[POLL_METRICS] = (struct pollfd){ d->metrics_fd, POLLIN, 0 };
	fds[POLL_WORKER] = (struct pollfd){ d->service.device.worker.event_fd,
					    POLLIN, 0 };
	frontend_poll(&d->frontend, fds + POLL_FRONTEND);
	control_poll(&d->control, fds + POLL_CONTROL);
}

static void handle(struct daemon *d, const struct pollfd *fds)
{
	device_begin_turn(&d->service.device);
	frontend_handle(&d->frontend, fds + POLL_FRONTEND);
	control_handle(&d->control, fds + POLL_CONTROL);
	service_run(&d->service, clock_now());
	frontend_run(&d->frontend);
	if (d->service.quit)
		daemon_quit(d);
	control_run(&d->control, clock_now());
	if (fds[POLL_LISTEN].revents &&
	    d->frontend.state != FRONTEND_CLOSING)
		accept_frontend(d);
	connect_frontend(d);
	if (fds[POLL_METRICS].revents)
		metrics_serve(d->metrics_fd, &d->service);
	if (fds[POLL_SIGNAL].revents)
		take_signal(d);
}

bool daemon_step(struct daemon *d, int max_ms)
{
	struct pollfd fds[POLL_N];

	prepare(d, fds);
	if (poll(fds, POLL_N, get_timeout(d, max_ms)) < 0) {
		if (errno == EINTR)
			return true;
		log_line("poll: %s", strerror(errno));
		return false;
	}
	handle(d, fds);
	return true;
}

void daemon_loop(struct daemon *d)
{
	while (!is_over(d, clock_now()) && daemon_step(d, -1))
		;
}
