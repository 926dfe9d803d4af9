/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include "command.h"
#include "event_json.h"
#include "stats.h"
#include "stats_guest.h"

static json_t *query_stats(void *context, struct call *c)
{
	(void)c;
	return stats_query(context);
}

static json_t *set_delay(void *context, struct call *c)
{
	static const char *const names[] = { "ms", NULL };
	struct service *s = context;
	json_int_t ms;

	if (!call_check_args(c, names))
		return NULL;
	if (!call_get_number(c, "ms", 0, 3600000, &ms))
		return call_fail(c, "BadArgument",
				 "\"ms\" must be a number up to 3600000");
	worker_set_delay(&s->device.worker, (uint32_t)ms);
	return json_object();
}

static json_t *set_stats_interval(void *context, struct call *c)
{
	static const char *const names[] = { "ms", NULL };
	struct service *s = context;
	json_int_t ms;

	if (!call_check_args(c, names))
		return NULL;
	if (!call_get_number(c, "ms", 0, 86400000, &ms))
		return call_fail(c, "BadArgument",
				 "\"ms\" must be a number up to 86400000");
	timers_set_stats(&s->timers, (uint32_t)ms);
	return stats_query_guest(s);
}

static json_t *subscribe(void *context, struct call *c)
{
	static const char *const names[] = { "events", NULL };
	json_t *list = json_object_get(c->args, "events");
	uint32_t events = 0;
	json_t *item;
	size_t i;

	(void)context;
	if (!call_check_args(c, names))
		return NULL;
	if (!json_is_array(list))
		return call_fail(c, "BadArgument",
				 "\"events\" must be a list");
	json_array_foreach(list, i, item) {
		const char *name = json_string_value(item);
		uint32_t class = name ? event_find_class(name) : 0;

		if (!class)
			return call_fail(c, "BadArgument",
				 "events are hint, skip, stats and "
					 "balloon");
		events |= class;
	}
	c->subscribes = true;
	c->events = events;
	return json_object();
}

static json_t *quit(void *context, struct call *c)
{
	struct service *s = context;

	(void)c;
	s->quit = true;
	return json_object();
}

static const struct command commands[] = {
	{ .name = "query-stats", .handle = query_stats },
	{ .name = "query-hint", .handle = command_query_hint },
	{ .name = "query-guest-stats", .handle = command_query_guest_stats,
	  .wait_event = EVENT_GUEST_STATS,
	  .finish = command_get_guest_stats, .needs_guest = true,
	  .late = "the guest sent no statistics in time" },
	{ .name = "hint-start", .has_args = true,
	  .handle = command_hint_start },
	{ .name = "hint-stop", .handle = command_hint_stop },
	{ .name = "hint-done", .handle = command_hint_done },
	{ .name = "balloon", .has_args = true, .handle = command_balloon },
	{ .name = "policy", .has_args = true, .handle = command_policy },
	{ .name = "freeze", .has_args = true, .handle = command_freeze,
	  .wait_event = EVENT_FROZEN, .finish = command_get_freeze,
	  .give_up = command_undo_freeze,
	  .late = "discards are still going on: not frozen" },
	{ .name = "thaw", .has_args = true, .handle = command_thaw },
	{ .name = "save", .takes_fd = true, .handle = command_save },
	{ .name = "load", .takes_fd = true, .handle = command_load },
	{ .name = "set-discard-delay", .has_args = true,
	  .handle = set_delay },
	{ .name = "set-stats-interval", .has_args = true,
	  .handle = set_stats_interval },
	{ .name = "subscribe", .has_args = true, .handle = subscribe },
	{ .name = "quit", .handle = quit }
};

static json_t *get_stats(void *context)
{
	return stats_query(context);
}

struct commands command_get_all(struct service *s)
{
	struct commands all = {
		.list = commands,
		.n = sizeof(commands) / sizeof(commands[0]),
		.context = s,
		.get_stats = get_stats
	};

	return all;
}
