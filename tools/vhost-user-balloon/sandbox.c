/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <config.h>

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef HAVE_LIBSECCOMP
#include <seccomp.h>
#endif

#include "sandbox.h"

static bool connects;

void sandbox_allow_connect(void)
{
	connects = true;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	memset(none, 0, sizeof(none));
	return syscall(SYS_capset, &header, none) ? errno : 0;
}

/*
 * A user without privileges gets them in a namespace of its own, where that is
 * allowed.  What is mounted later by others is still seen, nothing that would be
 * mounted here is seen by them.
 */
static void leave_namespaces(void)
{
	const int ours = CLONE_NEWNS | CLONE_NEWNET;

	if (unshare(ours) && unshare(ours | CLONE_NEWUSER))
		return;
	mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
	/* A change of the user's namespace would hide /proc/PID from the user. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

int sandbox_drop_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return errno;
	leave_namespaces();
	return drop_capabilities();
}

int sandbox_set_limits(void)
{
	static const int none[] = {
		RLIMIT_CORE, RLIMIT_NPROC, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE
	};
	const struct rlimit zero = { 0, 0 };
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (setrlimit((__rlimit_resource_t)none[i], &zero))
			return errno;
	}
	return 0;
}

#ifdef HAVE_LIBSECCOMP
static const int allowed[] = {
	/* messages, lines, notifications */
	SCMP_SYS(accept4), SCMP_SYS(close), SCMP_SYS(fcntl),
	SCMP_SYS(getsockopt), SCMP_SYS(io_destroy), SCMP_SYS(io_getevents),
	SCMP_SYS(io_submit), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(preadv2), SCMP_SYS(read), SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendto),
	SCMP_SYS(shutdown), SCMP_SYS(splice), SCMP_SYS(vmsplice),
	SCMP_SYS(write),
	/* guest memory */
	SCMP_SYS(fallocate), SCMP_SYS(fstat), SCMP_SYS(fstatfs),
	SCMP_SYS(ftruncate), SCMP_SYS(lseek), SCMP_SYS(madvise),
	SCMP_SYS(memfd_create), SCMP_SYS(mmap), SCMP_SYS(munmap),
	SCMP_SYS(process_madvise), SCMP_SYS(statx),
	/* the sockets' files at the end */
	SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	/* the C library: memory, threads, time, signals */
	SCMP_SYS(brk), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(futex),
	SCMP_SYS(getpid), SCMP_SYS(getrandom), SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday), SCMP_SYS(mprotect), SCMP_SYS(mremap),
	SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_yield), SCMP_SYS(tgkill), SCMP_SYS(wait4),
	/* a thread that was started just before */
	SCMP_SYS(rseq), SCMP_SYS(set_robust_list)
};

static int add_rules(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp local = SCMP_A0(SCMP_CMP_EQ, AF_UNIX);
	size_t i;
	int r = 0;

	if (connects)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(connect),
				     0);
	if (connects && !r)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
					   SCMP_SYS(socket), 1, &local);

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !r; i++) {
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
		/* Some are not there on every machine. */
		if (r == -EFAULT || r == -EDOM)
			r = 0;
	}
	return r;
}

int sandbox_filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!filter)
		return ENOMEM;
	r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!r)
		r = add_rules(filter);
	if (!r)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return -r;
}
#else
int sandbox_filter_calls(void)
{
	return ENOSYS;
}
#endif
