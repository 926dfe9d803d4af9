/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Commands about rounds of hints. */
#include <string.h>

#include "clock.h"
#include "command.h"
#include "stats.h"

/* Who asks is a client that cares for the round. */
static json_t *answer_hint(struct service *s)
{
	timers_see_client(&s->timers, clock_now());
	session_carry_effects(&s->session);
	return stats_query_hint(s);
}

static bool get_then(const struct call *c, int *then)
{
	json_t *v = json_object_get(c->args, "then");
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
static bool can_hint(struct service *s, struct call *c)
{
	const uint64_t bit = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);

	if (!s->session.connected)
		call_fail(c, "NotConnected", "no front-end is connected");
	else if (!(device_get_features(&s->device) & bit))
		call_fail(c, "NotNegotiated",
			  "free page hinting is not offered");
	else if (s->device.enabled && !(s->session.acked & bit))
		call_fail(c, "NotNegotiated",
			  "the driver did not take free page hinting");
	else
		return true;
	return false;
}

json_t *command_hint_start(void *context, struct call *c)
{
	static const char *const names[] = { "max-buffers", "then", NULL };
	struct service *s = context;
	json_int_t max = 0;
	int then, status;

	if (!call_check_args(c, names))
		return NULL;
	if (json_object_get(c->args, "max-buffers") &&
	    !call_get_number(c, "max-buffers", 1, INT64_MAX, &max))
		return call_fail(c, "BadArgument",
				 "\"max-buffers\" must be a positive number");
	if (!get_then(c, &then))
		return call_fail(c, "BadArgument",
				 "\"then\" must be stop, restart or done");
	if (json_object_get(c->args, "then") && !max)
		return call_fail(c, "BadArgument",
				 "\"then\" has a meaning with max-buffers only");
	if (!can_hint(s, c))
		return NULL;
	status = device_start_hint(&s->device, (uint64_t)max, then);
	if (status == FPH_ESTATE)
		return call_fail(c, "WrongState",
				 "a round is going on already");
	if (status != FPH_OK)
		return call_fail_status(c, status);
	return answer_hint(s);
}

json_t *command_hint_stop(void *context, struct call *c)
{
	struct service *s = context;
	int status = hint_stop(&s->device.hint);

	return status == FPH_OK ? answer_hint(s) : call_fail_status(c, status);
}

json_t *command_hint_done(void *context, struct call *c)
{
	struct service *s = context;
	int status = hint_done(&s->device.hint);

	return status == FPH_OK ? answer_hint(s) : call_fail_status(c, status);
}

json_t *command_query_hint(void *context, struct call *c)
{
	(void)c;
	return answer_hint(context);
}
