/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/passing.h"
#include "core/common.h"
#include "daemon.h"
#include "vhost-user-balloon/closer.h"
#include "vhost-user-balloon/file_kind.h"
#include "vhost-user-balloon/log.h"
#include "vhost-user-balloon/protocol.h"
#include "vhost-user-balloon/request.h"

#define RING_BYTES	0x1000u
#define CLEARED		(FPH_NQUEUES * RING_BYTES)

static struct fuzz_daemon the_daemon = { .sock = -1 };

/* ------------------------------------------------------------------- the log
 *
 * In place of the daemon's: lines are made, for their arguments are read, and
 * go nowhere.
 */

void log_start(void)
{
}

void log_stop(void)
{
}

void log_set_verbose(bool on)
{
	(void)on;
}

bool log_is_verbose(void)
{
	return true;
}

static void drop(const char *format, va_list args)
{
	char line[600];

	MUST(vsnprintf(line, sizeof(line), format, args) >= 0);
}

void log_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	drop(format, args);
	va_end(args);
}

void log_detail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	drop(format, args);
	va_end(args);
}

/* ---------------------------------------------------------------- the closer
 *
 * In place of the daemon's, which has a process made for each descriptor: that
 * is most of an input's time.  None of those that inputs bring lets us wait.
 */

void closer_init(void)
{
}

void closer_fini(void)
{
}

void closer_close(int fd)
{
	(void)file_get_kind(fd);
	close(fd);
}

unsigned int closer_get_pending(void)
{
	return 0;
}

bool closer_is_full(void)
{
	return false;
}

bool closer_is_stuck(void)
{
	return false;
}

/* ------------------------------------------------------------ begin and end */

static int get_lowest_fd(void)
{
	int fd = dup(the_daemon.memfd);

	MUST(fd >= 0);
	close(fd);
	return fd;
}

static void start(struct fuzz_daemon *d)
{
	char *argv[] = { (char *)"daemon", (char *)"--fd=0",
			 (char *)"--inband=on", NULL };
	struct options o;

	signal(SIGPIPE, SIG_IGN);
	d->memfd = memfd_create("fuzz", MFD_CLOEXEC);
	MUST(d->memfd >= 0 && !ftruncate(d->memfd, FUZZ_MEM_SIZE));
	d->mem = mmap(NULL, FUZZ_MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      d->memfd, 0);
	MUST(d->mem != MAP_FAILED);
	MUST(options_parse(&o, 3, argv) == OPTIONS_RUN);
	MUST(!daemon_init(&d->daemon, &o));
}

struct fuzz_daemon *fuzz_daemon_get(void)
{
	struct fuzz_daemon *d = &the_daemon;

	if (!d->mem)
		start(d);
	/* An input may have shortened it. */
	MUST(!ftruncate(d->memfd, FUZZ_MEM_SIZE));
	memset(d->mem, 0, CLEARED);
	memset(d->avail, 0, sizeof(d->avail));
	d->lowest_fd = get_lowest_fd();
	return d;
}

void fuzz_socket_pair(int pair[2])
{
	MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			 0, pair));
}

void fuzz_daemon_connect(struct fuzz_daemon *d)
{
	int pair[2];

	fuzz_socket_pair(pair);
	d->sock = pair[0];
	frontend_connect(&d->daemon.frontend, pair[1]);
}

/* Descriptors that came with an answer are closed with it. */
static void drop_answers(int sock)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control;
	char bytes[1024];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct cmsghdr *cm;
	int fd;

	for (;;) {
		struct msghdr h = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control.bytes)
		};

		if (recvmsg(sock, &h, MSG_DONTWAIT) <= 0)
			return;
		cm = CMSG_FIRSTHDR(&h);
		for (size_t i = 0; cm && CMSG_LEN((i + 1) * sizeof(fd)) <=
				   cm->cmsg_len; i++) {
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(fd),
			       sizeof(fd));
			close(fd);
		}
	}
}

void fuzz_daemon_run(struct fuzz_daemon *d)
{
	MUST(daemon_step(&d->daemon, 0));
	if (d->sock >= 0)
		drop_answers(d->sock);
}

void fuzz_daemon_hang_up(struct fuzz_daemon *d)
{
	if (d->sock >= 0) {
		drop_answers(d->sock);
		close(d->sock);
		d->sock = -1;
	}
	/* A discard may be late, on its thread. */
	while (d->daemon.frontend.state != FRONTEND_NONE)
		MUST(daemon_step(&d->daemon, 10));
	MUST(get_lowest_fd() == d->lowest_fd);
}

/* ----------------------------------------------------------------- messages */

void fuzz_send(struct fuzz_daemon *d, const void *bytes, size_t len,
	       const int *fds, unsigned int nfds)
{
	if (len)
		(void)!passing_send(d->sock, bytes, len, fds, nfds,
				    MSG_NOSIGNAL | MSG_DONTWAIT);
}

void fuzz_message(struct fuzz_daemon *d, uint32_t request, uint32_t flags,
		  const void *payload, uint32_t size, const int *fds,
		  unsigned int nfds)
{
	uint8_t message[VU_HEADER_SIZE + 2 * VU_MAX_PAYLOAD];

	vu_store32(message + VU_HEADER_REQUEST, request);
	vu_store32(message + VU_HEADER_FLAGS, flags);
	vu_store32(message + VU_HEADER_LENGTH, size);
	if (size)
		memcpy(message + VU_HEADER_SIZE, payload, size);
	fuzz_send(d, message, VU_HEADER_SIZE + size, fds, nfds);
}

/* Whether a message that comes now is handled at once. */
static bool is_ready(const struct frontend *fe)
{
	return fe->state == FRONTEND_CONNECTED && !fe->deferred &&
	       device_is_quiet(fe->session->device);
}

/* As the front-end does when a message has come, but none has. */
static void handle(struct frontend *fe, uint32_t request, const void *payload,
		   uint32_t size, const int *fd)
{
	const struct request *req = request_find(request);
	struct vu_message m = {
		.request = request, .flags = VU_FLAG_VERSION, .size = size
	};
	struct reply reply;

	memcpy(m.payload, payload, size);
	if (fd)
		m.fds[m.nfds++] = dup(*fd);
	if (req->prepare)
		req->prepare(fe->session, &m);
	reply.fd = -1;
	if (req->handle(fe->session, &m, &reply))
		frontend_disconnect(fe);
	vu_message_close_fds(&m);
}

/*
 * A step of what every front-end does.  Sockets and turns of the loop would
 * take most of an input's time here.
 */
static void set_up(struct fuzz_daemon *d, uint32_t request,
		   const void *payload, uint32_t size, const int *fd)
{
	struct frontend *fe = &d->daemon.frontend;

	if (is_ready(fe)) {
		handle(fe, request, payload, size, fd);
		return;
	}
	fuzz_message(d, request, VU_FLAG_VERSION, payload, size, fd,
		     fd != NULL);
	fuzz_daemon_run(d);
}

static void send_u64(struct fuzz_daemon *d, uint32_t request, uint64_t value,
		     const int *fd)
{
	uint8_t p[8];

	vu_store64(p, value);
	set_up(d, request, p, sizeof(p), fd);
}

/* index in the low half, num in the high one. */
static void send_state(struct fuzz_daemon *d, uint32_t request,
		       uint32_t index, uint32_t num)
{
	uint8_t p[VU_STATE_SIZE];

	vu_store32(p + VU_STATE_INDEX, index);
	vu_store32(p + VU_STATE_NUM, num);
	set_up(d, request, p, sizeof(p), NULL);
}

void fuzz_boot(struct fuzz_daemon *d, uint64_t features, uint64_t protocol)
{
	uint8_t p[VU_TABLE_REGIONS + VU_REGION_SIZE] = { 0 };

	send_u64(d, VU_SET_PROTOCOL_FEATURES, protocol, NULL);
	send_u64(d, VU_SET_FEATURES, features, NULL);
	vu_store32(p + VU_TABLE_NUM, 1);
	vu_store64(p + VU_TABLE_REGIONS + VU_REGION_LEN, FUZZ_MEM_SIZE);
	vu_store64(p + VU_TABLE_REGIONS + VU_REGION_UVA, FUZZ_UVA);
	set_up(d, VU_SET_MEM_TABLE, p, sizeof(p), &d->memfd);
}

void fuzz_start_ring(struct fuzz_daemon *d, uint32_t index)
{
	uint64_t desc = FUZZ_UVA + index * RING_BYTES;
	uint8_t p[VU_ADDR_SIZE] = { 0 };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	MUST(fd >= 0);
	send_u64(d, VU_SET_VRING_CALL, index, &fd);
	send_state(d, VU_SET_VRING_NUM, index, FUZZ_NUM);
	send_state(d, VU_SET_VRING_BASE, index, d->avail[index]);
	vu_store32(p + VU_ADDR_INDEX, index);
	vu_store64(p + VU_ADDR_DESC, desc);
	vu_store64(p + VU_ADDR_AVAIL, desc + 0x400);
	vu_store64(p + VU_ADDR_USED, desc + 0x800);
	set_up(d, VU_SET_VRING_ADDR, p, sizeof(p), NULL);
	send_u64(d, VU_SET_VRING_KICK, index, &fd);
	send_state(d, VU_SET_VRING_ENABLE, index, 1);
	close(fd);
}

void fuzz_offer(struct fuzz_daemon *d, uint32_t index, uint64_t gpa,
		uint32_t len, uint16_t flags)
{
	uint8_t *ring = d->mem + index * RING_BYTES;
	uint16_t head = d->avail[index] % FUZZ_NUM;
	uint8_t *desc = ring + 16 * head;

	fph_put64(desc, gpa, FPH_LE);
	fph_put32(desc + 8, len, FPH_LE);
	fph_put16(desc + 12, flags, FPH_LE);
	fph_put16(desc + 14, 0, FPH_LE);
	fph_put16(ring + 0x400 + 4 + 2 * head, head, FPH_LE);
	fph_put16(ring + 0x400 + 2, ++d->avail[index], FPH_LE);
	/* As a kick does; without its descriptor there is none. */
	if (d->daemon.service.session.rings[index].kick >= 0)
		session_take_kick(&d->daemon.service.session, index);
	fuzz_daemon_run(d);
}
