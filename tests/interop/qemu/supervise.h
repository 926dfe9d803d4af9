/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Runs one function in a process of its own, so that whatever becomes of it
 * (a failed check, a crash, a signal, too long a run) nothing is left: no
 * QEMU, no file.
 *
 * In that process everything that fails ends it by die().
 */
#ifndef FPH_QEMU_SUPERVISE_H
#define FPH_QEMU_SUPERVISE_H

#include <stdbool.h>
#include <stddef.h>

/* Answers of supervise, beside the exit status of the function. */
#define SUPERVISE_CRASHED	256
#define SUPERVISE_TIMEOUT	257

/*
 * supervise - run fn(arg) in a child with a working folder of its own
 *
 * Kills the child after timeout seconds, and then every process that it
 * started; removes the folder.  With show_logs, or when fn did not answer 0,
 * the end of each *.log in the folder goes to stderr first.  On SIGINT,
 * SIGTERM or SIGHUP it cleans up and dies of that signal.
 *
 * What fn answers, or SUPERVISE_*.
 */
int supervise(int (*fn)(void *arg), void *arg, unsigned int timeout,
	      bool show_logs);

/* In the child: the path of a file in the working folder; size bytes. */
void workdir_path(char *path, size_t size, const char *name);

/* In a child of the child, before exec: dies when its parent does. */
void supervise_exec_setup(void);

/* Prints and exits with status 1. */
_Noreturn void die(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#define CHECK(cond)							\
	do {								\
		if (!(cond))						\
			die("%s:%d: %s: not so: %s", __FILE__,		\
			    __LINE__, __func__, #cond);			\
	} while (0)

/* Seconds since some start; never runs backwards. */
double now(void);

/* Waits for a moment between two looks at something. */
void nap(void);

#endif /* FPH_QEMU_SUPERVISE_H */
