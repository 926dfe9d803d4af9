/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"

void die(const char *format, ...)
{
	va_list ap;

	fputs("run_vectors: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

void fields_clear(struct fields *f)
{
	for (unsigned int i = 0; i < f->n; i++)
		free(f->field[i].value);
	f->n = 0;
}

void fields_set(struct fields *f, const char *name, const char *value)
{
	struct field *field = &f->field[f->n];

	if (f->n == FIELDS_MAX || strlen(name) >= sizeof(field->name))
		die("too many or too long: %s", name);
	strcpy(field->name, name);
	field->value = strdup(value);
	if (!field->value)
		die("no memory");
	f->n++;
}

static char *format_text(const char *format, va_list ap)
{
	char *s;

	if (vasprintf(&s, format, ap) < 0)
		die("no memory");
	return s;
}

void fields_format(struct fields *f, const char *name, const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	s = format_text(format, ap);
	va_end(ap);
	fields_set(f, name, s);
	free(s);
}

const char *fields_find(const struct fields *f, const char *name)
{
	for (unsigned int i = 0; i < f->n; i++) {
		if (!strcmp(f->field[i].name, name))
			return f->field[i].value;
	}
	return NULL;
}

const char *fields_get(const struct fields *f, const char *name)
{
	const char *value = fields_find(f, name);

	if (!value)
		die("no field %s", name);
	return value;
}

uint64_t fields_number(const struct fields *f, const char *name)
{
	const char *end;
	uint64_t v = parse_number(fields_get(f, name), &end);

	if (*end)
		die("%s is no number", name);
	return v;
}

bool fields_is(const struct fields *f, const char *name, const char *value)
{
	return !strcmp(fields_get(f, name), value);
}

bool fields_next(const char **at, char *word, size_t size)
{
	size_t n = strcspn(*at, ",");

	if (!**at)
		return false;
	if (n >= size)
		die("a word of %zu characters", n);
	memcpy(word, *at, n);
	word[n] = '\0';
	*at += (*at)[n] ? n + 1 : n;
	return true;
}

uint64_t parse_number(const char *s, const char **end)
{
	unsigned long long v;
	char *after;

	errno = 0;
	v = strtoull(s, &after, 0);
	if (after == s || errno || !isdigit((unsigned char)*s))
		die("no number: %s", s);
	*end = after;
	return v;
}

void parse_range(const char *s, uint64_t *gpa, uint64_t *len)
{
	const char *end;

	*gpa = parse_number(s, &end);
	if (*end != '+')
		die("no range: %s", s);
	*len = parse_number(end + 1, &end);
	if (*end && *end != '|')
		die("no range: %s", s);
}

static unsigned int parse_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	if (!at)
		die("no hexadecimal digit: %c", c);
	return (unsigned int)(at - digits);
}

size_t parse_hex(const char *s, uint8_t *buf, size_t size)
{
	size_t n;

	for (n = 0; s[2 * n] && s[2 * n] != '|'; n++) {
		if (n == size)
			die("more than %zu bytes", size);
		buf[n] = (uint8_t)(parse_digit(s[2 * n]) << 4 |
				   parse_digit(s[2 * n + 1]));
	}
	return n;
}

static void text_append(struct text *t, const char *s)
{
	size_t n = strlen(s);

	if (t->len + n + 1 > t->size) {
		t->size = 2 * (t->len + n + 1);
		t->s = realloc(t->s, t->size);
		if (!t->s)
			die("no memory");
	}
	memcpy(t->s + t->len, s, n + 1);
	t->len += n;
}

void text_add(struct text *t, const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	s = format_text(format, ap);
	va_end(ap);
	text_append(t, s);
	free(s);
}

void text_item(struct text *t, const char *format, ...)
{
	va_list ap;
	char *s;

	if (t->len)
		text_append(t, ",");
	va_start(ap, format);
	s = format_text(format, ap);
	va_end(ap);
	text_append(t, s);
	free(s);
}

void text_hex(struct text *t, const uint8_t *buf, size_t len)
{
	char pair[3];

	for (size_t i = 0; i < len; i++) {
		snprintf(pair, sizeof(pair), "%02x", (unsigned int)buf[i]);
		text_append(t, pair);
	}
}

void text_move(struct text *t, struct fields *f, const char *name)
{
	fields_set(f, name, t->len ? t->s : "");
	free(t->s);
	memset(t, 0, sizeof(*t));
}
