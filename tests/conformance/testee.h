/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The C library as a testee: one request is a line of words, the answer is
 * printed.  GUIDE.adoc has the protocol.
 */
#ifndef FPH_TESTS_TESTEE_H
#define FPH_TESTS_TESTEE_H

#include <stddef.h>
#include <stdint.h>

#define MAX_WORDS	8192

struct request {
	char *word[MAX_WORDS];
	int words;
};

/* What follows "name=" among the words, or NULL. */
const char *request_get(const struct request *r, const char *name);

/* Ends with an entry without a name. */
struct handler {
	const char *name;
	int words;			/* at least, with the name */
	void (*call)(const struct request *r);
};

/* Calls the one that has the request's name; false when there is none. */
_Bool request_handle(const struct request *r, const struct handler *handlers);

/* A number, decimal or with 0x. */
uint64_t parse_number(const char *text);

/* "GPA+LEN"; exits on anything else. */
void parse_range(const char *text, uint64_t *gpa, uint64_t *len);

/* "le" or "be": FPH_LE or FPH_BE. */
int parse_endian(const char *text);

/* Bytes of hex digits ("-": none) in a buffer that malloc made. */
uint8_t *parse_hex(const char *text, size_t *len);

/* Prints " " and hex digits, or " -". */
void print_hex(const uint8_t *data, size_t len);

/* "ok", or "err" and the name of the status; ends the line. */
void print_status(int status);

/*
 * They answer false when they do not know the request.  The driver is asked
 * before the device: reset decides whose the requests are that both have.
 */
_Bool testee_codec(const struct request *r);
_Bool testee_rings(const struct request *r);
_Bool testee_driver(const struct request *r);
_Bool testee_device(const struct request *r);

#endif /* FPH_TESTS_TESTEE_H */
