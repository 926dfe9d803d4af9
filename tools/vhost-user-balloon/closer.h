/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Closing what a front-end sent.  Even to close a file can wait without end: a
 * file system in user space is told of it, a network socket may linger.  What
 * cannot is closed at once, all else aside.
 */
#ifndef VUB_CLOSER_H
#define VUB_CLOSER_H

/* As often as fini.  Without it everything is closed at once. */
void closer_init(void);
void closer_fini(void);

void closer_close(int fd);

#endif /* VUB_CLOSER_H */
