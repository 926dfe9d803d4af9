/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "aside.h"
#include "clock.h"
#include "closer.h"
#include "file_kind.h"
#include "log.h"

#define END_MS		500
#define MAX_STUCK	64u		/* no more is taken */
#define STUCK_MS	100		/* none of them was closed for so long */

static struct {
	unsigned int users;
	unsigned int given;
	atomic_uint *done;		/* seen by both processes, or NULL */
	unsigned int seen;		/* of done ... */
	int64_t since;			/* ... since this time */
	pid_t pid;			/* of the process, 0: a thread */
	int to_process;			/* a pipe of descriptors' numbers */
	int from_us;			/* its other end */
	struct aside thread;
} closer;

/* -------------------------------------------------------------- the process */

static pid_t start_sharing(unsigned int exit_signal)
{
	struct clone_args args = {
		.flags = CLONE_FILES,
		.exit_signal = exit_signal
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* It has all descriptors, the listening ones too: it ends with its parent. */
static void end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (syscall(SYS_getppid) != parent)
		_exit(0);
}

/* A process for each, so that one which waits does not hold up the others. */
static void close_apart(int fd)
{
	pid_t parent = (pid_t)syscall(SYS_getpid);
	pid_t pid = start_sharing(SIGCHLD);

	if (pid > 0)
		return;
	if (pid == 0)
		end_with(parent);
	close(fd);
	atomic_fetch_add(closer.done, 1);
	if (pid == 0)
		_exit(0);
}

/* It was made beside threads, perhaps: nothing here takes a lock. */
static void serve(pid_t parent)
{
	int fd;

	end_with(parent);
	signal(SIGCHLD, SIG_IGN);
	while (read(closer.from_us, &fd, sizeof(fd)) == sizeof(fd))
		close_apart(fd);
	_exit(0);
}

static bool start_process(void)
{
	pid_t parent = getpid();
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return false;
	closer.from_us = ends[0];
	closer.to_process = ends[1];
	pid = start_sharing(0);
	if (pid == 0)
		serve(parent);
	if (pid > 0) {
		closer.pid = pid;
		return true;
	}
	close(ends[0]);
	close(ends[1]);
	return false;
}

static void stop_process(bool idle)
{
	close(closer.to_process);
	if (!idle)
		return;
	waitpid(closer.pid, NULL, __WALL);
	close(closer.from_us);
}

/* --------------------------------------------------------------- the thread */

static void do_close(intptr_t fd)
{
	close((int)fd);
	atomic_fetch_add(closer.done, 1);
}

/* ------------------------------------------------------------ start and end */

void closer_init(void)
{
	void *page;

	if (closer.users++)
		return;
	page = mmap(NULL, sizeof(*closer.done), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		log_line("no memory to close files with");
		return;
	}
	closer.done = page;
	closer.given = 0;
	closer.pid = 0;
	if (!start_process() && aside_start(&closer.thread, do_close)) {
		log_line("neither a process nor a thread to close files with");
		munmap(closer.done, sizeof(*closer.done));
		closer.done = NULL;
	}
}

unsigned int closer_get_pending(void)
{
	return closer.done ? closer.given - atomic_load(closer.done) : 0;
}

static bool wait_idle(void)
{
	const struct timespec ms = { 0, 1000000 };
	int i;

	for (i = 0; i < END_MS && closer_get_pending(); i++)
		nanosleep(&ms, NULL);
	return closer_get_pending() == 0;
}

void closer_fini(void)
{
	bool idle;

	if (--closer.users || !closer.done)
		return;
	idle = wait_idle();
	if (closer.pid)
		stop_process(idle);
	else
		idle = aside_stop(&closer.thread, END_MS);
	if (idle)
		munmap(closer.done, sizeof(*closer.done));
	closer.done = NULL;
}

/* ------------------------------------------------------------------- close */

static bool give(int fd)
{
	if (closer.pid)
		return write(closer.to_process, &fd, sizeof(fd)) ==
		       sizeof(fd);
	return aside_put(&closer.thread, fd);
}

void closer_close(int fd)
{
	switch (file_get_kind(fd)) {
	case FILE_PIPE:
	case FILE_NONE:
	case FILE_MEMORY:
		close(fd);
		return;
	}
	if (!closer.done)
		close(fd);
	else if (give(fd))
		closer.given++;
	else
		log_line("descriptor %d is left open: those before it are "
			 "still being closed", fd);
}

bool closer_is_full(void)
{
	return closer_get_pending() >= MAX_STUCK;
}

bool closer_is_stuck(void)
{
	unsigned int pending = closer_get_pending();

	if (pending < MAX_STUCK || closer.given - pending != closer.seen) {
		closer.seen = closer.given - pending;
		closer.since = clock_now();
	}
	return pending >= MAX_STUCK && clock_now() - closer.since >= STUCK_MS;
}
