/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A process with a folder of its own, and nothing left of it afterwards. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "supervise.h"

#define LOG_TAIL	2000L

static char workdir[64];

_Noreturn void die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void nap(void)
{
	static const struct timespec ms = { 0, 1000000 };

	nanosleep(&ms, NULL);
}

void workdir_path(char *path, size_t size, const char *name)
{
	int n = snprintf(path, size, "%s/%s", workdir, name);

	if (n < 0 || (size_t)n >= size)
		die("path too long: %s/%s", workdir, name);
}

void supervise_exec_setup(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Calls fn(path) for every file in the working folder. */
static void each_file(void (*fn)(const char *path))
{
	char path[384];
	struct dirent *e;
	DIR *dir = opendir(workdir);

	if (!dir)
		return;
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", workdir, e->d_name);
		fn(path);
	}
	closedir(dir);
}

static void show_log(const char *path)
{
	size_t len = strlen(path), n;
	char buf[LOG_TAIL];
	FILE *f;

	if (len < 4 || strcmp(path + len - 4, ".log") != 0)
		return;
	f = fopen(path, "r");
	if (!f)
		return;
	if (fseek(f, -LOG_TAIL, SEEK_END))
		rewind(f);
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	if (n)
		fprintf(stderr, "--- %s\n%.*s\n", path, (int)n, buf);
}

static void remove_file(const char *path)
{
	unlink(path);
}

/* Returns a signal that ends the run, SIGCHLD, or 0 when time is over. */
static int await(const sigset_t *set, double end)
{
	struct timespec left;
	double s = end - now();
	int sig;

	if (s < 0)
		return 0;
	left.tv_sec = (time_t)s;
	left.tv_nsec = (long)((s - (double)left.tv_sec) * 1e9);
	sig = sigtimedwait(set, NULL, &left);
	if (sig > 0)
		return sig;
	return errno == EINTR ? SIGCHLD : 0;
}

static int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : SUPERVISE_CRASHED;
}

/* Waits for the child; *sig is set when a signal ended the run. */
static int attend(pid_t pid, const sigset_t *set, unsigned int timeout,
		  int *sig)
{
	double end = now() + timeout;
	int status, got;

	for (;;) {
		got = await(set, end);
		if (got == SIGCHLD) {
			if (waitpid(pid, &status, WNOHANG) == pid)
				return exit_code(status);
			continue;
		}
		*sig = got;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return SUPERVISE_TIMEOUT;
	}
}

int supervise(int (*fn)(void *arg), void *arg, unsigned int timeout,
	      bool show_logs)
{
	sigset_t set, old;
	int code, sig = 0;
	pid_t pid;

	strcpy(workdir, "/tmp/fph-qemu-XXXXXX");
	if (!mkdtemp(workdir))
		die("%s: %s", workdir, strerror(errno));
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &old);
	/* Those that the child leaves come to this process. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		supervise_exec_setup();
		exit(fn(arg));
	}
	code = attend(pid, &set, timeout, &sig);
	/* They were killed by the death of their parent. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (code || show_logs)
		each_file(show_log);
	each_file(remove_file);
	rmdir(workdir);
	if (sig) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return code;
}
