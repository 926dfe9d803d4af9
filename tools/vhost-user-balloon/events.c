/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include "events.h"

void events_init(struct events *e)
{
	e->wanted = 0;
	e->head = 0;
	e->count = 0;
	e->lost = 0;
}

uint32_t events_get_class(int kind)
{
	switch (kind) {
	case EVENT_HINT_STATE:
	case EVENT_HINT_SYNC_BEGIN:
	case EVENT_HINT_SYNC_END:
		return EVENT_CLASS_HINT;
	case EVENT_SKIP:
		return EVENT_CLASS_SKIP;
	case EVENT_TARGET_REACHED:
	case EVENT_STUCK:
		return EVENT_CLASS_BALLOON;
	}
	return 0;
}

void events_put(struct events *e, int kind, uint64_t a, uint64_t b)
{
	uint32_t class = events_get_class(kind);
	struct event *slot;

	if (class && !(class & e->wanted))
		return;
	/* The last places are for what there is little of. */
	if (e->count >= (kind == EVENT_SKIP ? EVENTS_ROOM - 256 :
			 EVENTS_ROOM)) {
		e->lost++;
		return;
	}
	slot = &e->queue[(e->head + e->count++) % EVENTS_ROOM];
	slot->kind = kind;
	slot->a = a;
	slot->b = b;
}

bool events_take(struct events *e, struct event *event)
{
	if (!e->count)
		return false;
	*event = e->queue[e->head];
	e->head = (e->head + 1) % EVENTS_ROOM;
	e->count--;
	return true;
}
