/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The input is what a client of the control socket sends.  Every answer is a
 * line of JSON with "return", "error" or "event", and the daemon goes on.
 *
 * Byte 0: bit 0: a front-end with its rings is there.  The rest is text.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "vhost-user-balloon/protocol.h"

#define FEATURES	(FPH_BIT(VIRTIO_F_VERSION_1) | \
			 FPH_BIT(VIRTIO_BALLOON_F_STATS_VQ) | \
			 FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | \
			 FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING) | \
			 FPH_BIT(VU_F_PROTOCOL_FEATURES))

static char answers[1 << 21];
static size_t nanswers;

static void check_line(const char *line, size_t len)
{
	json_t *o = json_loadb(line, len, 0, NULL);

	MUST(json_is_object(o));
	MUST(json_object_get(o, "return") || json_object_get(o, "event") ||
	     json_is_string(json_object_get(json_object_get(o, "error"),
					    "class")));
	json_decref(o);
}

/* True while the daemon keeps the connection. */
static bool read_answers(int fd)
{
	char *newline;
	ssize_t n;

	while ((n = recv(fd, answers + nanswers, sizeof(answers) - nanswers,
			 MSG_DONTWAIT)) > 0)
		nanswers += (size_t)n;
	while ((newline = memchr(answers, '\n', nanswers))) {
		size_t len = (size_t)(newline - answers);

		check_line(answers, len);
		nanswers -= len + 1;
		memmove(answers, newline + 1, nanswers);
	}
	return n != 0;
}

/* What is set for the whole daemon: the next input finds it as this one did. */
static void forget(struct daemon *d)
{
	struct service *s = &d->service;

	worker_set_delay(&s->device.worker, 0);
	timers_set_stats(&s->timers, 0);
	freeze_remove_all(&s->device.freeze);
	service_set_balloon_size(s, 0);
	s->quit = false;
	d->quitting = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct fuzz_daemon *d = fuzz_daemon_get();
	bool boot = fuzz_u8(&in) & 1;
	int pair[2];

	if (boot) {
		fuzz_daemon_connect(d);
		fuzz_boot(d, FEATURES, FPH_BIT(VU_PF_REPLY_ACK) |
				       FPH_BIT(VU_PF_CONFIG));
		for (uint32_t i = 0; i < FPH_NQUEUES; i++)
			fuzz_start_ring(d, i);
	}
	nanswers = 0;
	fuzz_socket_pair(pair);
	control_add_client(&d->daemon.control, pair[1]);
	while (in.left) {
		ssize_t n = send(pair[0], in.data, in.left, MSG_NOSIGNAL);

		fuzz_daemon_run(d);
		if (!read_answers(pair[0]) || n <= 0)
			break;
		in.data += n;
		in.left -= (size_t)n;
	}
	fuzz_daemon_run(d);
	read_answers(pair[0]);
	MUST(!nanswers);
	close(pair[0]);
	fuzz_daemon_run(d);
	forget(&d->daemon);
	fuzz_daemon_hang_up(d);
	return 0;
}
