/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Closing what a front-end sent.  Even to close a file can wait without end: a
 * file system in user space is told of it, a TCP socket may linger, and a local
 * socket may hold such files in its queue.  What cannot is closed at once, all
 * else by a process for each, which has the same descriptors as this one.  A
 * thread would keep this process from ending; there is one where the kernel
 * lets no such process be made.
 */
#ifndef VUB_CLOSER_H
#define VUB_CLOSER_H

#include <stdbool.h>

/* As often as fini.  Without it everything is closed at once. */
void closer_init(void);
void closer_fini(void);

void closer_close(int fd);

/* How many are still being closed. */
unsigned int closer_get_pending(void);

/* Whether these are so many that no more should be taken before some are. */
bool closer_is_full(void);

/*
 * Whether there are many and none was closed for a while: who sent them does
 * not mean well.  Ask again and again, for it looks at the time.
 */
bool closer_is_stuck(void);

#endif /* VUB_CLOSER_H */
