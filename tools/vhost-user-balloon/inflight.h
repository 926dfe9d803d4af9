/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Which buffers are in flight, in memory that the front-end keeps: a back-end
 * that is killed and started anew finds them there, although buffers return
 * out of order.
 *
 * Its layout is that of the vhost-user protocol for split rings; packed rings
 * have none, and no region is given out or taken for them.  A head is
 * marked after it was taken and before it can be returned, and cleared after
 * it is in the used ring; what was returned and not cleared any more is found
 * by the used index up to which it was cleared.  So at every moment
 *
 *	where to go on = used index + number of marks
 *
 * and the marks are the heads of that part of the available ring; if they are
 * not, buffers came back out of order.  (The protocol's list of the last batch
 * is not kept: the used ring says the same.)
 */
#ifndef VUB_INFLIGHT_H
#define VUB_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INFLIGHT_QUEUES	8u

struct inflight {
	uint8_t *map;			/* NULL: the front-end keeps none */
	size_t len;
	uint8_t *queues;		/* in the mapping */
	uint16_t nqueues;
	uint16_t num;			/* heads of each */
	uint64_t counter;
	uint16_t marked[INFLIGHT_QUEUES];	/* available index, marked up to */
	uint16_t cleared[INFLIGHT_QUEUES];	/* used index, cleared up to */
};

/* The parts of a ring that are looked at. */
struct inflight_ring {
	uint16_t num;
	const uint8_t *avail;
	uint8_t *used;
};

/* A new region: its descriptor in *fd, its bytes in *size.  0, or an errno. */
int inflight_create(uint16_t nqueues, uint16_t num, int *fd, uint64_t *size);

/* Use a region; fd stays the caller's.  0, or a positive errno value. */
int inflight_open(struct inflight *f, int fd, uint64_t size, uint64_t offset,
		  uint16_t nqueues, uint16_t num);
void inflight_close(struct inflight *f);

/*
 * A ring starts at *base.  If buffers were left in flight *base is set so that
 * they are taken again.  Those that came back out of order cannot be: they are
 * returned with nothing done, which every queue allows; their number.
 */
uint32_t inflight_start(struct inflight *f, uint32_t queue,
			const struct inflight_ring *r, uint32_t *base);

/* n more buffers were taken, and none of them returned yet. */
void inflight_take(struct inflight *f, uint32_t queue,
		   const struct inflight_ring *r, uint32_t n);

/* Buffers may have been returned. */
void inflight_return(struct inflight *f, uint32_t queue,
		     const struct inflight_ring *r);

/* The ring stopped: none of its buffers is in flight. */
void inflight_stop(struct inflight *f, uint32_t queue);

#endif /* VUB_INFLIGHT_H */
