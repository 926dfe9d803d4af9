/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

void show_json(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	puts(text ? text : "null");
	fflush(stdout);
	free(text);
}

/* Whether a member counts bytes, by its name. */
static bool is_bytes(const char *name)
{
	static const char *const names[] = {
		"bytes", "resident-bytes", "target", "guest-size",
		"floor", "ceiling",
		"free-memory", "total-memory", "available-memory",
		"disk-caches", "swap-in", "swap-out", NULL
	};
	size_t i;

	if (!strncmp(name, "bytes-", 6))
		return true;
	for (i = 0; names[i]; i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

static void show_integer(const char *name, json_int_t value)
{
	printf("%lld", (long long)value);
	if (is_bytes(name) && value >= 1 << 20)
		printf(" (%.1f MiB)", (double)value / (1 << 20));
	putchar('\n');
}

static void show_member(const char *name, json_t *value, int indent)
{
	char *text;

	if (json_is_object(value)) {
		const char *key;
		json_t *v;

		printf("%*s%s\n", indent, "", name);
		json_object_foreach(value, key, v)
			show_member(key, v, indent + 2);
		return;
	}
	printf("%*s%-*s ", indent, "", 26 - indent, name);
	if (json_is_integer(value)) {
		show_integer(name, json_integer_value(value));
	} else if (json_is_string(value)) {
		puts(json_string_value(value));
	} else if (json_is_boolean(value)) {
		puts(json_is_true(value) ? "yes" : "no");
	} else {
		text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		puts(text ? text : "");
		free(text);
	}
}

/* A list of objects: one line each. */
static void show_list(const char *name, json_t *list)
{
	json_t *item, *value;
	const char *key;
	size_t i;

	printf("%s\n", name);
	json_array_foreach(list, i, item) {
		printf(" ");
		json_object_foreach(item, key, value) {
			char *text = json_dumps(value, JSON_ENCODE_ANY);

			printf(" %s %s", key, text ? text : "?");
			free(text);
		}
		putchar('\n');
	}
}

void show_object(json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		if (json_is_array(value))
			show_list(key, value);
		else
			show_member(key, value, 0);
	}
}

/* ------------------------------------------------------------------ events */

static json_int_t number(json_t *data, const char *name)
{
	return json_integer_value(json_object_get(data, name));
}

static void show_balloon(const char *what, json_t *data)
{
	printf("balloon %s %lld %lld\n", what,
	       (long long)number(data, "target"),
	       (long long)number(data, "actual"));
}

static void show_event(const char *name, json_t *data)
{
	const char *state = json_string_value(json_object_get(data,
							      "state"));

	if (!strcmp(name, "SKIP"))
		printf("skip 0x%llx 0x%llx\n",
		       (unsigned long long)number(data, "gpa"),
		       (unsigned long long)number(data, "len"));
	else if (!strcmp(name, "HINT_SYNC_BEGIN"))
		printf("sync-begin\n");
	else if (!strcmp(name, "HINT_SYNC_END"))
		printf("sync-end\n");
	else if (!strcmp(name, "HINT_STATE"))
		printf("state %s %lld\n", state ? state : "?",
		       (long long)number(data, "cmd-id"));
	else if (!strcmp(name, "BALLOON_TARGET_REACHED"))
		show_balloon("reached", data);
	else if (!strcmp(name, "BALLOON_STUCK"))
		show_balloon("stuck", data);
	fflush(stdout);
}

int show_events(struct client *c, const char *more, bool json)
{
	json_t *answer, *event;
	int code;

	code = client_execute(c, "subscribe",
			      json_pack("{s:[s, s]}", "events", "hint", more),
			      &answer);
	if (code != EXIT_OK)
		return code;
	json_decref(answer);
	while ((event = client_next(c))) {
		const char *name = json_string_value(json_object_get(event,
								"event"));

		if (json)
			show_json(event);
		else if (name)
			show_event(name, json_object_get(event, "data"));
		json_decref(event);
	}
	fprintf(stderr, "fphctl: the daemon is gone\n");
	return EXIT_LOST;
}
