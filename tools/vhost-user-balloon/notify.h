/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The descriptors of kicks, calls and errors.  They come from the front-end
 * and stay its own as well: it may block them, race us to what they hold, or
 * hand over something else.  So nothing here depends on their flags or on a
 * poll before: every call is one that cannot wait.
 */
#ifndef VUB_NOTIFY_H
#define VUB_NOTIFY_H

#include <stdbool.h>

/*
 * Prepare, before any other call; also before a sandbox.  Without asynchronous
 * I/O of the kernel an eventfd is made non-blocking, as well as that goes.
 */
void notify_init(void);
void notify_fini(void);

/* Whether it is an eventfd, a pipe or a local socket. */
bool notify_is_usable(int fd);

/* Take what is there.  1; 0: nothing is there; -1: it is at its end. */
int notify_take(int fd);

/* Raise it; one that is full, or -1, is fine. */
void notify_raise(int fd);

#endif /* VUB_NOTIFY_H */
