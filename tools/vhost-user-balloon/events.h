/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What happened: a queue that the device, its hint rounds and the session put
 * events into, and that whoever tells others about them empties.
 *
 * The queue is bounded.  What makes many events looks at events_is_full and
 * goes on later; all the same an event that does not fit is counted and lost.
 */
#ifndef VUB_EVENTS_H
#define VUB_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

/* What can be wanted; a set of bits. */
enum event_class {
	EVENT_CLASS_HINT	= 1u,	/* state and sync of a hint round */
	EVENT_CLASS_SKIP	= 2u,	/* pages that need not be sent */
	EVENT_CLASS_STATS	= 4u,	/* all counters, once a second */
	EVENT_CLASS_BALLOON	= 8u	/* its size is reached, or it is stuck */
};

enum event_kind {
	EVENT_HINT_STATE	= 1,	/* a: enum fph_hint_state, b: id */
	EVENT_HINT_SYNC_BEGIN	= 2,
	EVENT_HINT_SYNC_END	= 3,
	EVENT_SKIP		= 4,	/* a: gpa, b: length, bytes */
	EVENT_GUEST_STATS	= 5,	/* statistics of the guest came */
	EVENT_FRONTEND_GONE	= 6,
	EVENT_FROZEN		= 7,	/* a freeze is confirmed */
	EVENT_TARGET_REACHED	= 8,	/* a: target, b: actual, pages */
	EVENT_STUCK		= 9	/* the same */
};

struct event {
	int kind;			/* enum event_kind */
	uint64_t a;
	uint64_t b;
};

#define EVENTS_ROOM	8192u
#define EVENTS_FULL	4096u		/* then makers of many wait */

struct events {
	uint32_t wanted;		/* classes that somebody wants */
	uint32_t head;			/* of the oldest */
	uint32_t count;
	uint64_t lost;			/* for want of room */
	struct event queue[EVENTS_ROOM];
};

void events_init(struct events *e);

/* Put one at the end, if its class is wanted or it has none. */
void events_put(struct events *e, int kind, uint64_t a, uint64_t b);

/* Take the oldest; false when there is none. */
bool events_take(struct events *e, struct event *event);

/* The class of an event, 0 for one that is always put. */
uint32_t events_get_class(int kind);

static inline bool events_is_full(const struct events *e)
{
	return e->count >= EVENTS_FULL;
}

#endif /* VUB_EVENTS_H */
