/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * As much of jansson's interface as the runner of the vectors uses, for
 * machines that Debian has no jansson for.  The files are our own: what is
 * wrong in one ends the program, and memory is not freed.
 */
#ifndef FPH_PORT_JANSSON_H
#define FPH_PORT_JANSSON_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct json {
	char type;			/* { [ " or 0, a number or a word */
	char *name;			/* in an object */
	char *text;
	struct json *first;
	struct json *next;
} json_t;

typedef struct {
	int line;
	char text[80];
} json_error_t;

json_t *json_load_file(const char *path, size_t flags, json_error_t *error);

static inline void json_decref(json_t *value)
{
	(void)value;
}

static inline int json_is_object(const json_t *v)
{
	return v && v->type == '{';
}

static inline int json_is_array(const json_t *v)
{
	return v && v->type == '[';
}

static inline int json_is_string(const json_t *v)
{
	return v && v->type == '"';
}

static inline const char *json_string_value(const json_t *v)
{
	return json_is_string(v) ? v->text : NULL;
}

static inline long long json_integer_value(const json_t *v)
{
	return v && !v->type ? strtoll(v->text, NULL, 10) : 0;
}

static inline json_t *json_first(const json_t *v, char type)
{
	return v && v->type == type ? v->first : NULL;
}

static inline json_t *json_object_get(const json_t *object, const char *name)
{
	json_t *v = json_first(object, '{');

	while (v && strcmp(v->name, name))
		v = v->next;
	return v;
}

#define json_array_foreach(array, i, v)					\
	for ((i) = 0, (v) = json_first((array), '['); (v);		\
	     (i)++, (v) = (v)->next)
#define json_object_foreach(object, key, v)				\
	for ((v) = json_first((object), '{');				\
	     (v) && ((key) = (v)->name, 1); (v) = (v)->next)

#endif /* FPH_PORT_JANSSON_H */
