/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The input and the result of one operation: names with text values.
 *
 * A value is a word, or a list of words with commas between them.  A line
 * "name=value name=value" and an object of JSON are the same thing.  What is
 * not there or not a number is a mistake in the vectors: it ends the program
 * with a message.
 */
#ifndef FPH_VECTORS_FIELDS_H
#define FPH_VECTORS_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELDS_MAX	16

struct field {
	char name[24];
	char *value;
};

struct fields {
	struct field field[FIELDS_MAX];
	unsigned int n;
};

/* Text that grows. */
struct text {
	char *s;
	size_t len;
	size_t size;
};

/* Ends the program with status 2. */
_Noreturn void die(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

void fields_clear(struct fields *f);

/* A name is set once. */
void fields_set(struct fields *f, const char *name, const char *value);
void fields_format(struct fields *f, const char *name, const char *format,
		   ...) __attribute__((format(printf, 3, 4)));

/* NULL when it is not there. */
const char *fields_find(const struct fields *f, const char *name);

/* What must be there. */
const char *fields_get(const struct fields *f, const char *name);
uint64_t fields_number(const struct fields *f, const char *name);
bool fields_is(const struct fields *f, const char *name, const char *value);

/*
 * The next word of a list, in word; false at its end.  *at begins as the list.
 */
bool fields_next(const char **at, char *word, size_t size);

/* A number in C notation: it is all of the text up to one of these. */
uint64_t parse_number(const char *s, const char **end);
/* "gpa+len" */
void parse_range(const char *s, uint64_t *gpa, uint64_t *len);
/* The bytes of hexadecimal digits, at most size of them: how many. */
size_t parse_hex(const char *s, uint8_t *buf, size_t size);

void text_add(struct text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Adds with a comma before it, but for the first. */
void text_item(struct text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void text_hex(struct text *t, const uint8_t *buf, size_t len);
/* Sets a field to the text, and empties the text. */
void text_move(struct text *t, struct fields *f, const char *name);

#endif /* FPH_VECTORS_FIELDS_H */
