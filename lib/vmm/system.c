/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The calls of the system, for all of lib/vmm but memory_backing.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "vmm/system.h"

uint64_t fph_system_get_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t fph_system_get_page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* As in linux/pidfd.h since 6.14: the thread that asks, without a pidfd. */
#define PIDFD_OF_THIS_THREAD	(-10000)

/*
 * No pidfd is kept: after a fork it would still name the parent, and a
 * discard in the child would hit the parent's memory.
 */
static ssize_t advise_self(const struct iovec *iov, size_t n, int advice)
{
	ssize_t done;
	int saved;
	int fd;

	done = syscall(SYS_process_madvise, PIDFD_OF_THIS_THREAD, iov, n,
		       advice, 0u);
	if (done >= 0 || errno != EBADF)
		return done;
	fd = (int)syscall(SYS_pidfd_open, getpid(), 0u);
	if (fd < 0)
		return -1;
	done = syscall(SYS_process_madvise, fd, iov, n, advice, 0u);
	saved = errno;
	close(fd);
	errno = saved;
	return done;
}

/* A narrower off_t would cut offsets and punch the wrong place. */
_Static_assert(sizeof(off_t) == 8, "build with -D_FILE_OFFSET_BITS=64");

static int punch(int fd, int mode, int64_t offset, int64_t len)
{
	return fallocate(fd, mode, offset, len);
}

const struct fph_reclaim_ops fph_system_reclaim_ops = {
	.fallocate = punch,
	.madvise = madvise,
	.process_madvise = advise_self,
};
