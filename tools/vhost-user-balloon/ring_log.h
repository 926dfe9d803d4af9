/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the device wrote in ring memory goes into the front-end's dirty log,
 * while LOG_ALL is on: after it was written, and before the interrupt that
 * tells of it.  Each pump ends with it, and a pump comes before any ring stops.
 *
 * Where a ring lies in guest memory is known from the memory table; the
 * addresses and flags that a front-end gives for logging are not needed.
 */
#ifndef VUB_RING_LOG_H
#define VUB_RING_LOG_H

#include "dirty_log.h"
#include "vring.h"

struct ring_log {
	struct dirty_log pages;
	int fd;				/* raised when one was marked, or -1 */
};

void ring_log_init(struct ring_log *l);
void ring_log_close(struct ring_log *l);

/*
 * Mark what was written of a ring that runs since it was last asked; its whole
 * used area.  False: the log is missing or too small.
 */
bool ring_log_written(struct ring_log *l, struct device *d, uint32_t index);
bool ring_log_used(struct ring_log *l, const struct device *d,
		   const struct vring *v);

#endif /* VUB_RING_LOG_H */
