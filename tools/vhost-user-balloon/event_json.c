/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <string.h>

#include "event_json.h"
#include "hint.h"

uint32_t event_find_class(const char *name)
{
	if (!strcmp(name, "hint"))
		return EVENT_CLASS_HINT;
	if (!strcmp(name, "skip"))
		return EVENT_CLASS_SKIP;
	if (!strcmp(name, "stats"))
		return EVENT_CLASS_STATS;
	if (!strcmp(name, "balloon"))
		return EVENT_CLASS_BALLOON;
	return 0;
}

json_t *event_named(const char *name, json_t *data)
{
	return json_pack("{s:s, s:o}", "event", name, "data", data);
}

static json_t *get_sizes(const struct event *e)
{
	return json_pack("{s:I, s:I}", "target",
			 (json_int_t)(e->a << VIRTIO_BALLOON_PFN_SHIFT),
			 "actual",
			 (json_int_t)(e->b << VIRTIO_BALLOON_PFN_SHIFT));
}

json_t *event_to_json(const struct event *e)
{
	switch (e->kind) {
	case EVENT_HINT_STATE:
		return event_named("HINT_STATE",
				   json_pack("{s:s, s:I}", "state",
					hint_get_state_name((int)e->a),
					"cmd-id", (json_int_t)e->b));
	case EVENT_HINT_SYNC_BEGIN:
		return event_named("HINT_SYNC_BEGIN", json_object());
	case EVENT_HINT_SYNC_END:
		return event_named("HINT_SYNC_END", json_object());
	case EVENT_SKIP:
		return event_named("SKIP",
				   json_pack("{s:I, s:I}", "gpa",
					     (json_int_t)e->a, "len",
					     (json_int_t)e->b));
	case EVENT_TARGET_REACHED:
		return event_named("BALLOON_TARGET_REACHED", get_sizes(e));
	case EVENT_STUCK:
		return event_named("BALLOON_STUCK", get_sizes(e));
	}
	return NULL;
}
