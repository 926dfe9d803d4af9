/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <string.h>

#include "control.h"
#include "events.h"

uint32_t events_get_class(const char *name)
{
	if (!strcmp(name, "hint"))
		return EVENT_CLASS_HINT;
	if (!strcmp(name, "skip"))
		return EVENT_CLASS_SKIP;
	if (!strcmp(name, "stats"))
		return EVENT_CLASS_STATS;
	return 0;
}

void events_hint_state(struct control *control, const char *state,
		       uint32_t id)
{
	if (!control_is_wanted(control, EVENT_CLASS_HINT))
		return;
	control_emit(control, EVENT_CLASS_HINT, "HINT_STATE",
		     json_pack("{s:s, s:I}", "state", state,
			       "cmd-id", (json_int_t)id));
}

void events_hint_sync(struct control *control, bool begin)
{
	if (!control_is_wanted(control, EVENT_CLASS_HINT))
		return;
	control_emit(control, EVENT_CLASS_HINT,
		     begin ? "HINT_SYNC_BEGIN" : "HINT_SYNC_END",
		     json_object());
}

void events_skip(struct control *control, uint64_t gpa, uint64_t len)
{
	if (!control_is_wanted(control, EVENT_CLASS_SKIP))
		return;
	control_emit(control, EVENT_CLASS_SKIP, "SKIP",
		     json_pack("{s:I, s:I}", "gpa", (json_int_t)gpa,
			       "len", (json_int_t)len));
}
