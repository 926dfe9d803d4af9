/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <jansson.h>
#include <stdio.h>

static void *get_memory(size_t n)
{
	void *p = calloc(1, n);

	if (!p)
		abort();
	return p;
}

static void wrong(const char *at)
{
	fprintf(stderr, "not JSON: %.40s\n", at);
	exit(99);
}

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

/* What our files have in strings: no escapes but of a quote or a backslash. */
static char *read_string(const char **at)
{
	const char *from = *at + 1, *end = from;
	size_t n = 0;
	char *text;

	while (*end && *end != '"')
		end += end[0] == '\\' && end[1] ? 2 : 1;
	text = get_memory((size_t)(end - from) + 1);
	for (; *from != '"'; from++) {
		if (*from == '\\' && !strchr("\"\\", *++from))
			wrong(from - 1);
		if (!*from || *from == '\n')
			wrong(*at);
		text[n++] = *from;
	}
	*at = from + 1;
	return text;
}

static json_t *read_value(const char **at);

/* The members of an object or an array, whose bracket is at *at. */
static json_t *read_members(const char **at)
{
	const char end = **at == '{' ? '}' : ']';
	json_t *first = NULL, **last = &first;
	char *name = NULL;

	for (*at = skip_blanks(*at + 1); **at != end;) {
		if (end == '}') {
			if (**at != '"')
				wrong(*at);
			name = read_string(at);
			*at = skip_blanks(*at);
			if (*(*at)++ != ':')
				wrong(*at - 1);
		}
		*last = read_value(at);
		(*last)->name = name;
		last = &(*last)->next;
		*at = skip_blanks(*at);
		if (**at == ',')
			*at = skip_blanks(*at + 1);
		else if (**at != end)
			wrong(*at);
	}
	++*at;
	return first;
}

static json_t *read_value(const char **at)
{
	json_t *v = get_memory(sizeof(*v));
	size_t n;

	*at = skip_blanks(*at);
	if (**at == '{' || **at == '[') {
		v->type = **at;
		v->first = read_members(at);
		return v;
	}
	if (**at == '"') {
		v->type = '"';
		v->text = read_string(at);
		return v;
	}
	n = strspn(*at, "-0123456789abcdefghijklmnopqrstuvwxyz");
	if (!n)
		wrong(*at);
	v->text = get_memory(n + 1);
	memcpy(v->text, *at, n);
	*at += n;
	return v;
}

json_t *json_load_file(const char *path, size_t flags, json_error_t *error)
{
	FILE *file = fopen(path, "r");
	const char *at;
	char *text;
	long size;

	(void)flags;
	memset(error, 0, sizeof(*error));
	if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0)
		return NULL;
	rewind(file);
	text = get_memory((size_t)size + 1);
	if (fread(text, 1, (size_t)size, file) != (size_t)size)
		return NULL;
	fclose(file);
	at = text;
	return read_value(&at);
}
