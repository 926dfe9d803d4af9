/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 *		take				raise
 *  eventfd	preadv2 with RWF_NOWAIT		the end of an I/O request
 *  pipe	splice with SPLICE_F_NONBLOCK	vmsplice with the same
 *  socket	recvmsg with MSG_DONTWAIT	send with the same
 *
 * A write to an eventfd whose count is at its end waits, and there is no flag
 * against it.  But the kernel can raise an eventfd when a request of ours ends
 * (IOCB_FLAG_RESFD), which never waits and takes nothing but an eventfd.  The
 * request reads nothing from a file of ours, so it ends at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "file_kind.h"
#include "notify.h"
#include "rights.h"

static const uint64_t one = 1;

static struct {
	unsigned int users;
	aio_context_t aio;		/* 0: there is none */
	int file;			/* an empty file of ours */
	int null;			/* where pipes are emptied to */
} notify;

void notify_init(void)
{
	if (notify.users++)
		return;
	notify.file = memfd_create("notify", MFD_CLOEXEC);
	notify.null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	notify.aio = 0;
	if (syscall(SYS_io_setup, 1, &notify.aio))
		notify.aio = 0;
}

void notify_fini(void)
{
	if (--notify.users)
		return;
	if (notify.aio)
		syscall(SYS_io_destroy, notify.aio);
	if (notify.file >= 0)
		close(notify.file);
	if (notify.null >= 0)
		close(notify.null);
}

/* ----------------------------------------------------------------- eventfd */

static bool set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* Read len bytes of the file to buf, and raise the eventfd at the end. */
static int submit(int fd, uintptr_t buf, size_t len)
{
	struct iocb io, *list[1] = { &io };

	memset(&io, 0, sizeof(io));
	io.aio_lio_opcode = IOCB_CMD_PREAD;
	io.aio_fildes = (uint32_t)notify.file;
	io.aio_buf = buf;
	io.aio_nbytes = len;
	io.aio_flags = IOCB_FLAG_RESFD;
	io.aio_resfd = (uint32_t)fd;
	return syscall(SYS_io_submit, notify.aio, 1, list) == 1 ? 0 : errno;
}

/*
 * The eventfd is looked at before the buffer: where only that is wrong, the
 * eventfd was right, and it has not been raised.
 */
static bool is_eventfd(int fd)
{
	return !notify.aio || submit(fd, UINTPTR_MAX - 4095, 1) == EFAULT;
}

static int raise_eventfd(int fd)
{
	struct io_event event;

	if (!notify.aio)
		return set_nonblocking(fd) &&
		       (write(fd, &one, sizeof(one)) == sizeof(one) ||
			errno == EAGAIN) ? 0 : -1;
	if (submit(fd, 0, 0))
		return -1;
	/* It has ended; its result only takes up room. */
	syscall(SYS_io_getevents, notify.aio, 0, 1, &event, NULL);
	return 0;
}

static ssize_t take_eventfd(int fd)
{
	uint64_t count;
	struct iovec v = { &count, sizeof(count) };
	ssize_t n = preadv2(fd, &v, 1, -1, RWF_NOWAIT);

	/* Before Linux 5.8. */
	if (n < 0 && errno == EOPNOTSUPP && set_nonblocking(fd))
		n = read(fd, &count, sizeof(count));
	return n;
}

/* ---------------------------------------------------------------- all kinds */

bool notify_is_usable(int fd)
{
	switch (file_get_kind(fd)) {
	case FILE_PIPE:
	case FILE_LOCAL_SOCKET:
		return true;
	case FILE_NONE:
		return is_eventfd(fd);
	}
	return false;
}

int notify_take(int fd)
{
	int kind = file_get_kind(fd);
	struct rights none = { .max = 0 };
	uint8_t bytes[4096];
	ssize_t n;

	if (kind == FILE_LOCAL_SOCKET)
		n = rights_receive(fd, bytes, sizeof(bytes), &none);
	else if (kind == FILE_PIPE)
		n = splice(fd, NULL, notify.null, NULL, sizeof(bytes),
			   SPLICE_F_NONBLOCK);
	else
		n = take_eventfd(fd);
	if (n > 0)
		return 1;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

void notify_raise(int fd)
{
	struct iovec v = { (void *)(uintptr_t)&one, sizeof(one) };
	int kind;

	if (fd < 0)
		return;
	kind = file_get_kind(fd);
	/* When it is full, the other side has one to take already. */
	if (kind == FILE_LOCAL_SOCKET)
		(void)!send(fd, &one, sizeof(one),
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (kind == FILE_PIPE)
		(void)!vmsplice(fd, &v, 1, SPLICE_F_NONBLOCK);
	else
		(void)!raise_eventfd(fd);
}
