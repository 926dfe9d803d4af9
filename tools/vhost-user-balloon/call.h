/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A command as the control socket hands it on, and the table of commands that
 * it is given: neither side knows more of the other.
 */
#ifndef VUB_CALL_H
#define VUB_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct call {
	json_t *args;			/* an object, or NULL */
	const char *class;		/* of the error, NULL: none */
	char desc[160];
	uint32_t wait_ms;		/* the answer comes later: at most then */
	bool subscribes;		/* the client's events shall be: */
	uint32_t events;		/* enum event_class */
	int fd;				/* came with it, or -1; stays the
					   control socket's */
};

/*
 * handle answers with an object; with NULL and an error in the call; or with
 * NULL and wait_ms set.  Then finish makes the answer as soon as the event
 * wait_event has come.  If it does not come in time, or the client is gone
 * before, give_up undoes what handle did; it gets the same arguments.
 */
struct command {
	const char *name;
	bool has_args;
	json_t *(*handle)(void *context, struct call *c);
	int wait_event;			/* enum event_kind */
	json_t *(*finish)(void *context);
	void (*give_up)(void *context, json_t *args);	/* may be NULL */
	const char *late;		/* what is said when it did not come */
	bool needs_guest;		/* the event comes from a guest only */
	bool takes_fd;			/* a descriptor comes along */
};

/* All that a control socket serves. */
struct commands {
	const struct command *list;
	size_t n;
	void *context;
	json_t *(*get_stats)(void *context);	/* for the event STATS */
};

/* Fill in the error; NULL, so that a handler can return it. */
json_t *call_fail(struct call *c, const char *class, const char *desc);

/* The same for FPH_*. */
json_t *call_fail_status(struct call *c, int status);

/* Whether every argument is one of names, which ends with NULL. */
bool call_check_args(struct call *c, const char *const *names);

/* An argument that is a number from min to max; false: it is not. */
bool call_get_number(const struct call *c, const char *name, json_int_t min,
		     json_int_t max, json_int_t *n);

static inline bool call_has(const struct call *c, const char *name)
{
	return json_object_get(c->args, name) != NULL;
}

#endif /* VUB_CALL_H */
