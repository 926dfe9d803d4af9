/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "daemon.h"
#include "events.h"
#include "stats.h"

/* What a command fails with. */
struct failure {
	const char *class;
	char desc[160];
};

static json_t *fail(struct failure *f, const char *class, const char *desc)
{
	f->class = class;
	snprintf(f->desc, sizeof(f->desc), "%s", desc);
	return NULL;
}

static json_t *fail_status(struct failure *f, int status)
{
	switch (status) {
	case FPH_ESTATE:
		return fail(f, "WrongState",
			    "not possible in the present state");
	case FPH_EBUSY:
		return fail(f, "Busy", "something is still going on");
	case FPH_EEXHAUSTED:
		return fail(f, "Exhausted",
			    "command ids are used up until a device reset");
	case FPH_PEER_BROKEN:
		return fail(f, "Broken", "the driver broke a rule; only a "
			    "reset of the device mends it");
	}
	return fail(f, "GenericError", fph_status_get_name(status));
}

/* Every member of the arguments is one of those that were named. */
static bool check_args(json_t *args, const char *const *names,
		       struct failure *f)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(args, key, value) {
		for (i = 0; names[i] && strcmp(names[i], key); i++)
			;
		if (!names[i]) {
			f->class = "BadArgument";
			snprintf(f->desc, sizeof(f->desc),
				 "unknown argument \"%.64s\"", key);
			return false;
		}
	}
	return true;
}

/* A number of at least min; false: it is something else. */
static bool get_number(json_t *args, const char *name, json_int_t min,
		       json_int_t max, json_int_t *n)
{
	json_t *v = json_object_get(args, name);

	if (!json_is_integer(v))
		return false;
	*n = json_integer_value(v);
	return *n >= min && *n <= max;
}

/* ------------------------------------------------------------------- hints */

static json_t *answer_hint(struct daemon *d)
{
	frontend_carry_effects(&d->frontend);
	return stats_query_hint(d);
}

static bool get_then(json_t *args, int *then)
{
	json_t *v = json_object_get(args, "then");
	const char *text = json_string_value(v);

	*then = HINT_THEN_STOP;
	if (!v)
		return true;
	if (!text)
		return false;
	if (!strcmp(text, "restart"))
		*then = HINT_THEN_RESTART;
	else if (!strcmp(text, "done"))
		*then = HINT_THEN_DONE;
	else if (strcmp(text, "stop"))
		return false;
	return true;
}

/* Whether there is any sense in starting, now or when a driver comes. */
static bool can_hint(struct daemon *d, struct failure *f)
{
	const uint64_t bit = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);

	if (d->frontend.state != FRONTEND_CONNECTED)
		fail(f, "NotConnected", "no front-end is connected");
	else if (!(fph_balloon_get_features(d->device.balloon) & bit))
		fail(f, "NotNegotiated", "free page hinting is not offered");
	else if (d->device.enabled && !(d->frontend.acked & bit))
		fail(f, "NotNegotiated",
		     "the driver did not take free page hinting");
	else
		return true;
	return false;
}

static json_t *hint_start_command(struct daemon *d, struct client *cl,
				  json_t *args, struct failure *f)
{
	static const char *const names[] = { "max-buffers", "then", NULL };
	json_int_t max = 0;
	int then, status;

	(void)cl;
	if (!check_args(args, names, f))
		return NULL;
	if (json_object_get(args, "max-buffers") &&
	    !get_number(args, "max-buffers", 1, INT64_MAX, &max))
		return fail(f, "BadArgument",
			    "\"max-buffers\" must be a positive number");
	if (!get_then(args, &then))
		return fail(f, "BadArgument",
			    "\"then\" must be stop, restart or done");
	if (json_object_get(args, "then") && !max)
		return fail(f, "BadArgument",
			    "\"then\" has a meaning with max-buffers only");
	if (!can_hint(d, f))
		return NULL;
	status = hint_start(&d->device, (uint64_t)max, then);
	if (status == FPH_ESTATE)
		return fail(f, "WrongState", "a round is going on already");
	if (status != FPH_OK)
		return fail_status(f, status);
	return answer_hint(d);
}

static json_t *hint_stop_command(struct daemon *d, struct client *cl,
				 json_t *args, struct failure *f)
{
	int status = hint_stop(&d->device);

	(void)cl;
	(void)args;
	return status == FPH_OK ? answer_hint(d) : fail_status(f, status);
}

static json_t *hint_done_command(struct daemon *d, struct client *cl,
				 json_t *args, struct failure *f)
{
	int status = hint_done(&d->device);

	(void)cl;
	(void)args;
	return status == FPH_OK ? answer_hint(d) : fail_status(f, status);
}

static json_t *query_hint_command(struct daemon *d, struct client *cl,
				  json_t *args, struct failure *f)
{
	(void)cl;
	(void)args;
	(void)f;
	return stats_query_hint(d);
}

/* ------------------------------------------------------------------- stats */

static json_t *query_stats_command(struct daemon *d, struct client *cl,
				   json_t *args, struct failure *f)
{
	(void)cl;
	(void)args;
	(void)f;
	return stats_query(d);
}

json_t *command_get_guest_stats(const struct daemon *d)
{
	static const char *const names[] = {
		"swap-in", "swap-out", "major-faults", "minor-faults",
		"free-memory", "total-memory", "available-memory",
		"disk-caches", "hugetlb-allocations", "hugetlb-failures",
		"oom-kills", "allocation-stalls", "async-scans",
		"direct-scans", "async-reclaims", "direct-reclaims"
	};
	struct fph_stat stats[FPH_BALLOON_NSTATS];
	uint32_t n = fph_balloon_get_stats(d->device.balloon, stats,
					   FPH_BALLOON_NSTATS);
	json_t *o = json_object();
	uint32_t i;

	for (i = 0; i < n; i++) {
		char tag[16];
		const char *name = tag;

		if (stats[i].tag < sizeof(names) / sizeof(names[0]))
			name = names[stats[i].tag];
		else
			snprintf(tag, sizeof(tag), "tag-%u", stats[i].tag);
		json_object_set_new(o, name,
				    json_integer((json_int_t)stats[i].val));
	}
	return o;
}

/* Answered when the guest has sent fresh statistics, or not in time. */
static json_t *query_guest_stats_command(struct daemon *d, struct client *cl,
					 json_t *args, struct failure *f)
{
	int status;

	(void)args;
	if (cl->waiting)
		return fail(f, "Busy", "the last answer is still awaited");
	status = fph_balloon_stats_request(d->device.balloon);
	if (status == FPH_ESTATE)
		return fail(f, "NotNegotiated",
			    "the driver offered no statistics");
	/* Busy: another client has asked, and the answer is for both. */
	if (status != FPH_OK && status != FPH_EBUSY)
		return fail_status(f, status);
	cl->waiting = true;
	cl->deadline = clock_now() + GUEST_STATS_MS;
	frontend_carry_effects(&d->frontend);
	return NULL;
}

/* ------------------------------------------------------------------ others */

static json_t *balloon_command(struct daemon *d, struct client *cl,
			       json_t *args, struct failure *f)
{
	static const char *const names[] = { "value", NULL };
	json_int_t value;
	bool known;

	(void)cl;
	if (!check_args(args, names, f))
		return NULL;
	if (!get_number(args, "value", 0, INT64_MAX, &value))
		return fail(f, "BadArgument", "\"value\" must be a number "
			    "of bytes: the memory that the guest keeps");
	known = daemon_set_guest_size(d, (uint64_t)value);
	frontend_carry_effects(&d->frontend);
	return json_pack("{s:I, s:b}", "target",
			 (json_int_t)fph_balloon_get_target(d->device.balloon)
			 << VIRTIO_BALLOON_PFN_SHIFT, "pending", !known);
}

static json_t *set_delay_command(struct daemon *d, struct client *cl,
				 json_t *args, struct failure *f)
{
	static const char *const names[] = { "ms", NULL };
	json_int_t ms;

	(void)cl;
	if (!check_args(args, names, f))
		return NULL;
	if (!get_number(args, "ms", 0, 3600000, &ms))
		return fail(f, "BadArgument",
			    "\"ms\" must be a number up to 3600000");
	worker_set_delay(&d->device.worker, (uint32_t)ms);
	return json_object();
}

static json_t *subscribe_command(struct daemon *d, struct client *cl,
				 json_t *args, struct failure *f)
{
	static const char *const names[] = { "events", NULL };
	json_t *list = json_object_get(args, "events");
	uint32_t events = 0;
	json_t *item;
	size_t i;

	(void)d;
	if (!check_args(args, names, f))
		return NULL;
	if (!json_is_array(list))
		return fail(f, "BadArgument", "\"events\" must be a list");
	json_array_foreach(list, i, item) {
		const char *name = json_string_value(item);
		uint32_t class = name ? events_get_class(name) : 0;

		if (!class)
			return fail(f, "BadArgument",
				    "events are hint, skip and stats");
		events |= class;
	}
	cl->events = events;
	cl->next_stats = clock_now();
	return json_object();
}

static json_t *quit_command(struct daemon *d, struct client *cl, json_t *args,
			    struct failure *f)
{
	(void)cl;
	(void)args;
	(void)f;
	daemon_quit(d);
	return json_object();
}

/* ---------------------------------------------------------------- dispatch */

/*
 * A handler answers with an object; with NULL and a failure; or with NULL and
 * the client waiting for an answer that comes later.
 */
struct command {
	const char *name;
	bool has_args;
	json_t *(*handle)(struct daemon *d, struct client *cl, json_t *args,
			  struct failure *f);
};

static const struct command commands[] = {
	{ "query-stats", false, query_stats_command },
	{ "query-hint", false, query_hint_command },
	{ "query-guest-stats", false, query_guest_stats_command },
	{ "hint-start", true, hint_start_command },
	{ "hint-stop", false, hint_stop_command },
	{ "hint-done", false, hint_done_command },
	{ "balloon", true, balloon_command },
	{ "set-discard-delay", true, set_delay_command },
	{ "subscribe", true, subscribe_command },
	{ "quit", false, quit_command }
};

static const struct command *find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

void command_execute(struct daemon *d, struct client *cl, json_t *id,
		     const char *name, json_t *args)
{
	const struct command *command = find(name);
	struct failure f = { .class = NULL };
	bool waited = cl->waiting;
	json_t *result = NULL;

	if (!command)
		fail(&f, "CommandNotFound", "no such command");
	else if (!command->has_args && json_object_size(args))
		fail(&f, "BadArgument", "the command has no arguments");
	else
		result = command->handle(d, cl, args, &f);
	if (result)
		client_return(cl, id, result);
	else if (f.class)
		client_error(cl, id, f.class, f.desc);
	else if (!waited && cl->waiting)
		cl->waiting_id = id;
	else
		json_decref(id);
}
