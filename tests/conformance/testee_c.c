/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fph/status.h>

#include "testee.h"

const char *request_get(const struct request *r, const char *name)
{
	size_t len = strlen(name);

	for (int i = 1; i < r->words; i++)
		if (!strncmp(r->word[i], name, len) && r->word[i][len] == '=')
			return r->word[i] + len + 1;
	return NULL;
}

static void malformed(const char *text)
{
	fprintf(stderr, "testee_c: '%s'\n", text);
	exit(2);
}

_Bool request_handle(const struct request *r, const struct handler *handlers)
{
	for (; handlers->name; handlers++) {
		if (strcmp(r->word[0], handlers->name))
			continue;
		if (r->words < handlers->words)
			malformed(r->word[0]);
		handlers->call(r);
		return 1;
	}
	return 0;
}

uint64_t parse_number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	if (end == text)
		malformed(text);
	return n;
}

void parse_range(const char *text, uint64_t *gpa, uint64_t *len)
{
	const char *plus = strchr(text, '+');

	if (!plus)
		malformed(text);
	*gpa = parse_number(text);
	*len = parse_number(plus + 1);
}

static unsigned int parse_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	if (!at)
		malformed("hex");
	return (unsigned int)(at - digits);
}

uint8_t *parse_hex(const char *text, size_t *len)
{
	size_t n = strcmp(text, "-") ? strlen(text) / 2 : 0;
	uint8_t *data = malloc(n + 1);

	if (!data)
		malformed("no memory");
	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)(parse_digit(text[2 * i]) << 4 |
				    parse_digit(text[2 * i + 1]));
	*len = n;
	return data;
}

void print_hex(const uint8_t *data, size_t len)
{
	putchar(' ');
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
	if (!len)
		putchar('-');
}

void print_status(int status)
{
	if (status >= 0)
		puts("ok");
	else if (status == FPH_EBUSY || status == FPH_EINPROGRESS)
		puts("err busy");
	else
		printf("err %s\n", fph_status_name(status));
}

static void split(struct request *r, char *line)
{
	char *save = NULL;

	r->words = 0;
	for (char *word = strtok_r(line, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save)) {
		if (r->words == MAX_WORDS)
			malformed("too many words");
		r->word[r->words++] = word;
	}
}

static void answer(const struct request *r)
{
	if (!strcmp(r->word[0], "hello"))
		puts("ok fph-conformance 1 libfph roles=codec,device,driver "
		     "acts=hints,reports");
	else if (!strcmp(r->word[0], "bye"))
		puts("ok");
	else if (!testee_codec(r) && !testee_rings(r) && !testee_driver(r) &&
		 !testee_device(r))
		puts("skip unknown request");
	fflush(stdout);
}

int main(void)
{
	static struct request r;
	char *line = NULL;
	size_t size = 0;
	int end = 0;

	while (!end && getline(&line, &size, stdin) > 0) {
		split(&r, line);
		if (!r.words)
			continue;
		answer(&r);
		end = !strcmp(r.word[0], "bye");
	}
	free(line);
	return end ? 0 : 1;
}
