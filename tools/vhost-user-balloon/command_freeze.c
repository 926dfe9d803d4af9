/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Commands about a device that stands still: freeze, thaw, save, load. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "file_kind.h"
#include "saved.h"
#include "stats.h"

#define DAY_MS	86400000

/* The reason of a request, NULL: it is none.  Without one: "operator". */
static const char *get_reason(json_t *args)
{
	json_t *v = json_object_get(args, "reason");
	const char *text = v ? json_string_value(v) : "operator";

	return text && freeze_is_reason(text) ? text : NULL;
}

static json_t *bad_reason(struct call *c)
{
	return call_fail(c, "BadArgument", "\"reason\" must be up to 31 "
			 "letters, digits, '-', '_' and '.'");
}

static bool get_mode(const struct call *c, int *mode)
{
	json_t *v = json_object_get(c->args, "mode");
	const char *text = v ? json_string_value(v) : "hold";

	*mode = FPH_FREEZE_HOLD;
	if (text && !strcmp(text, "acknowledge"))
		*mode = FPH_FREEZE_SKIP;
	else if (!text || strcmp(text, "hold"))
		return false;
	return true;
}

/* A time that may be left out. */
static bool get_ms(const struct call *c, const char *name, json_int_t *ms)
{
	return !call_has(c, name) || call_get_number(c, name, 1, DAY_MS, ms);
}

json_t *command_get_freeze(void *context)
{
	return stats_query_freeze(context);
}

static json_t *add(struct service *s, struct call *c, int mode, json_int_t ms,
		   json_int_t lease)
{
	struct freeze *f = &s->device.freeze;
	int64_t until = lease ? clock_now() + lease : -1;

	if (freeze_add(f, get_reason(c->args), mode, until))
		return call_fail(c, "TooMany", "16 reasons freeze it already");
	/* Whether discards are over is looked at once more, whatever was. */
	session_pump(&s->session);
	session_carry_effects(&s->session);
	if (f->quiet)
		return stats_query_freeze(s);
	c->wait_ms = (uint32_t)ms;
	return NULL;
}

json_t *command_freeze(void *context, struct call *c)
{
	static const char *const names[] = {
		"mode", "reason", "timeout-ms", "lease-ms", NULL
	};
	json_int_t ms = FREEZE_MS, lease = 0;
	int mode;

	if (!call_check_args(c, names))
		return NULL;
	if (!get_reason(c->args))
		return bad_reason(c);
	if (!get_mode(c, &mode))
		return call_fail(c, "BadArgument",
				 "\"mode\" must be hold or acknowledge");
	if (!get_ms(c, "timeout-ms", &ms) || !get_ms(c, "lease-ms", &lease))
		return call_fail(c, "BadArgument", "\"timeout-ms\" and "
				 "\"lease-ms\" must be from 1 to 86400000");
	return add(context, c, mode, ms, lease);
}

/* The one who asked does not know that it is frozen, so it is not. */
void command_undo_freeze(void *context, json_t *args)
{
	struct service *s = context;

	freeze_remove(&s->device.freeze, get_reason(args));
	session_pump(&s->session);
	session_carry_effects(&s->session);
}

json_t *command_thaw(void *context, struct call *c)
{
	static const char *const names[] = { "reason", "all", NULL };
	struct service *s = context;
	struct freeze *f = &s->device.freeze;
	json_t *all = json_object_get(c->args, "all");

	if (!call_check_args(c, names))
		return NULL;
	if (all && (!json_is_true(all) || call_has(c, "reason")))
		return call_fail(c, "BadArgument",
				 "\"all\" is true, and goes without a reason");
	if (!get_reason(c->args))
		return bad_reason(c);
	if (all ? !freeze_remove_all(f) :
		  freeze_remove(f, get_reason(c->args)))
		return call_fail(c, "NotFrozen", "nobody freezes it for this "
				 "reason, or not any more");
	session_pump(&s->session);
	session_carry_effects(&s->session);
	return stats_query_freeze(s);
}

/* ----------------------------------------------------------- save and load */

static json_t *check_file(struct call *c)
{
	if (c->fd < 0 || file_get_kind(c->fd) != FILE_MEMORY)
		return call_fail(c, "BadDescriptor", "a memfd must come with "
				 "the command, as SCM_RIGHTS");
	return NULL;
}

/*
 * Buffers that wait go back before the state is taken, and the rings go on
 * afterwards: the state holds no buffer and needs no ring.
 */
static int save(struct service *s, int fd)
{
	struct session *fe = &s->session;
	int err;

	s->device.hold = true;
	session_pump(fe);
	session_suspend_rings(fe);
	err = saved_write(&s->device, fd);
	session_resume_rings(fe);
	s->device.hold = false;
	session_pump(fe);
	session_carry_effects(fe);
	return err;
}

json_t *command_save(void *context, struct call *c)
{
	struct service *s = context;
	int err;

	check_file(c);
	if (c->class)
		return NULL;
	if (s->device.hold)
		return call_fail(c, "Busy", "the front-end waits for discards");
	if (!saved_is_possible(&s->device) && !s->device.freeze.quiet)
		return call_fail(c, "NotFrozen", "the device runs: freeze it, "
				 "or stop the guest");
	err = save(s, c->fd);
	if (err)
		return call_fail(c, "GenericError", strerror(err));
	return json_object();
}

json_t *command_load(void *context, struct call *c)
{
	struct service *s = context;
	const char *why;
	int err;

	check_file(c);
	if (c->class)
		return NULL;
	if (!saved_is_possible(&s->device))
		return call_fail(c, "WrongState", "a driver's rings run: load "
				 "before the front-end starts them");
	err = saved_load(&s->device, c->fd, &why);
	if (err) {
		c->class = "BadState";
		snprintf(c->desc, sizeof(c->desc), "the state is refused: %s",
			 err == EINVAL ? why : strerror(err));
		return NULL;
	}
	/* The target is that of the one before, until another one is told. */
	s->has_guest_size = false;
	session_pump(&s->session);
	session_carry_effects(&s->session);
	return json_object();
}
