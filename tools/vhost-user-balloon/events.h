/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Events on the control socket: what each of them looks like.
 *
 * control may be NULL: then nobody is told.
 */
#ifndef VUB_EVENTS_H
#define VUB_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct control;

/* What a client can subscribe to; a set of bits. */
enum event_class {
	EVENT_CLASS_HINT	= 1u,	/* HINT_STATE, HINT_SYNC_BEGIN, _END */
	EVENT_CLASS_SKIP	= 2u,	/* SKIP */
	EVENT_CLASS_STATS	= 4u	/* STATS */
};

/* The class with this name, 0 when there is none. */
uint32_t events_get_class(const char *name);

/* HINT_STATE {state, cmd-id}. */
void events_hint_state(struct control *control, const char *state,
		       uint32_t id);

/* HINT_SYNC_BEGIN, HINT_SYNC_END {}. */
void events_hint_sync(struct control *control, bool begin);

/* SKIP {gpa, len}, bytes: pages that need not be sent. */
void events_skip(struct control *control, uint64_t gpa, uint64_t len);

#endif /* VUB_EVENTS_H */
