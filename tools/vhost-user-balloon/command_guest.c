/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Commands about the balloon and the statistics of the guest. */
#include "clock.h"
#include "command.h"
#include "stats.h"
#include "stats_guest.h"

/* The answer is of this moment. */
json_t *command_get_guest_stats(void *context)
{
	struct service *s = context;

	timers_see_stats(&s->timers, &s->device, clock_now());
	return stats_query_guest(s);
}

/* Answered when the guest has sent fresh statistics, or not in time. */
json_t *command_query_guest_stats(void *context, struct call *c)
{
	struct service *s = context;
	int status = device_request_stats(&s->device);

	if (status == FPH_ESTATE && s->device.freeze.mode)
		return call_fail(c, "Frozen", "the device is frozen: thaw it");
	if (status == FPH_ESTATE)
		return call_fail(c, "NotNegotiated",
				 "the driver offered no statistics");
	/* Busy: another client has asked, and the answer is for both. */
	if (status != FPH_OK && status != FPH_EBUSY)
		return call_fail_status(c, status);
	c->wait_ms = GUEST_STATS_MS;
	session_carry_effects(&s->session);
	return NULL;
}

json_t *command_balloon(void *context, struct call *c)
{
	static const char *const names[] = { "value", "balloon", NULL };
	struct service *s = context;
	json_int_t value;
	bool known = true;

	if (!call_check_args(c, names))
		return NULL;
	if (s->governor.enabled)
		return call_fail(c, "PolicyDecides", "a policy sets the size: "
				 "switch it off first (policy off)");
	if (call_has(c, "value") == call_has(c, "balloon"))
		return call_fail(c, "BadArgument", "\"value\", the memory "
				 "that the guest keeps, or \"balloon\", the size "
				 "of the balloon, is needed");
	if (call_get_number(c, "value", 0, INT64_MAX, &value))
		known = service_set_guest_size(s, (uint64_t)value);
	else if (call_get_number(c, "balloon", 0, INT64_MAX, &value))
		service_set_balloon_size(s, (uint64_t)value);
	else
		return call_fail(c, "BadArgument",
				 "a number of bytes is needed");
	session_carry_effects(&s->session);
	return json_pack("{s:I, s:b}", "target",
			 (json_int_t)device_get_target(&s->device)
			 << VIRTIO_BALLOON_PFN_SHIFT, "pending", !known);
}

json_t *command_policy(void *context, struct call *c)
{
	static const char *const names[] = { "enabled", NULL };
	struct service *s = context;
	json_t *on = json_object_get(c->args, "enabled");

	if (!call_check_args(c, names))
		return NULL;
	if (!s->governor.options.on)
		return call_fail(c, "NoPolicy",
				 "the daemon was started without --policy");
	if (on && !json_is_boolean(on))
		return call_fail(c, "BadArgument",
				 "\"enabled\" must be true or false");
	if (on)
		governor_enable(&s->governor, json_is_true(on));
	return stats_query_policy(s);
}
