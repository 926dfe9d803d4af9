/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Containment: what a guest or a front-end that took over the daemon could
 * still do.
 */
#ifndef VUB_SANDBOX_H
#define VUB_SANDBOX_H

#include <stdbool.h>

/*
 * Give up what is not needed once the sockets are open: privileges that a
 * program could gain, the network and the mounts of others where the user may,
 * capabilities.  Before any thread is started.  0, or a positive errno value.
 */
int sandbox_drop_privileges(void);

/* Let the filter allow to connect to Unix sockets. */
void sandbox_allow_connect(void);

/*
 * No core files, processes, threads, locked memory or message queues from now
 * on.  0, or a positive errno value.
 */
int sandbox_set_limits(void);

/*
 * From now on, in all threads, a system call that the daemon does not make ends
 * it: none opens a file or a socket, starts a program or a thread.
 *
 * 0; ENOSYS: built without it; or another positive errno value.
 */
int sandbox_filter_calls(void);

#endif /* VUB_SANDBOX_H */
