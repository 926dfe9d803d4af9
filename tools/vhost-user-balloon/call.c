/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include <fph/status.h>

#include "call.h"

json_t *call_fail(struct call *c, const char *class, const char *desc)
{
	c->class = class;
	snprintf(c->desc, sizeof(c->desc), "%s", desc);
	return NULL;
}

json_t *call_fail_status(struct call *c, int status)
{
	switch (status) {
	case FPH_ESTATE:
		return call_fail(c, "WrongState",
				 "not possible in the present state");
	case FPH_EBUSY:
		return call_fail(c, "Busy", "something is still going on");
	case FPH_EEXHAUSTED:
		return call_fail(c, "Exhausted", "command ids are used up "
				 "until a device reset");
	case FPH_PEER_BROKEN:
		return call_fail(c, "Broken", "the driver broke a rule; only "
				 "a reset of the device mends it");
	}
	return call_fail(c, "GenericError", fph_status_name(status));
}

bool call_check_args(struct call *c, const char *const *names)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(c->args, key, value) {
		for (i = 0; names[i] && strcmp(names[i], key); i++)
			;
		if (names[i])
			continue;
		c->class = "BadArgument";
		snprintf(c->desc, sizeof(c->desc),
			 "unknown argument \"%.64s\"", key);
		return false;
	}
	return true;
}

bool call_get_number(const struct call *c, const char *name, json_int_t min,
		     json_int_t max, json_int_t *n)
{
	json_t *v = json_object_get(c->args, name);

	if (!json_is_integer(v))
		return false;
	*n = json_integer_value(v);
	return *n >= min && *n <= max;
}
