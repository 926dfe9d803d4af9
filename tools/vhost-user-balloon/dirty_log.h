/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The front-end's dirty log: a bit for each page of 4096 bytes of guest memory,
 * set after the daemon has written to it, for a migration.
 *
 * The daemon writes to rings only.  A discard is not marked: what the guest
 * gave away has no content that counts, and to send it would undo the gain.
 */
#ifndef VUB_DIRTY_LOG_H
#define VUB_DIRTY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIRTY_LOG_PAGE	4096u

struct dirty_log {
	uint8_t *map;			/* NULL: there is none */
	size_t len;
};

/*
 * Use a log of len bytes at an offset of a file, which must be memory; fd stays
 * the caller's.  One before it is given up.  0, or a positive errno value.
 */
int dirty_log_open(struct dirty_log *l, int fd, uint64_t len, uint64_t offset);
void dirty_log_close(struct dirty_log *l);

/* Bytes of guest memory, from address 0, that it has bits for. */
static inline uint64_t dirty_log_get_reach(const struct dirty_log *l)
{
	return (uint64_t)l->len * 8 * DIRTY_LOG_PAGE;
}

/*
 * Mark the pages of a range, which were written before.  False: it has no bits
 * for some of them, or there is no log.
 */
bool dirty_log_mark(struct dirty_log *l, uint64_t gpa, uint64_t len);

#endif /* VUB_DIRTY_LOG_H */
