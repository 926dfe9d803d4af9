/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A front-end can shorten the files of its memory while they are mapped here.
 * A touch of what is gone is a bus error; it must end the connection, not the
 * daemon.
 */
#ifndef VUB_MEMORY_GUARD_H
#define VUB_MEMORY_GUARD_H

#include "memory_table.h"

/*
 * Guard the mappings of one table: instead of a bus error, the page reads as
 * zero from then on.  Only the thread that changes the table may touch them.
 */
void memory_guard_install(const struct memory_table *t);

/* What else of a front-end's is mapped. */
enum memory_guard_other {
	GUARD_INFLIGHT	= 0,
	GUARD_LOG	= 1
};

#define GUARD_OTHERS	2u

/* The same for such a mapping, of normal pages; NULL: for none. */
void memory_guard_set_other(int which, void *base, size_t len);

/* Whether that has happened since the last call. */
bool memory_guard_take(void);

#endif /* VUB_MEMORY_GUARD_H */
