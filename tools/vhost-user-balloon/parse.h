/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Values of options.  OPTIONS_RUN, or OPTIONS_ERROR: then it was said what is
 * wanted instead.
 */
#ifndef VUB_PARSE_H
#define VUB_PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum options_result {
	OPTIONS_RUN	= 0,		/* it was good; all set: serve */
	OPTIONS_EXIT	= 1,		/* all is said: end with 0 */
	OPTIONS_ERROR	= 2		/* a message was printed: end with 2 */
};

/* Says it; OPTIONS_ERROR. */
int parse_wrong(const char *name, const char *value, const char *wanted);

int parse_switch(const char *name, const char *value, bool *on);
int parse_number(const char *name, const char *value, uint32_t max,
		 uint32_t *number);

/* Bytes, or with K, M, G, T in units of 1024. */
int parse_size(const char *name, const char *value, uint64_t *size);

/* Permissions, octal. */
int parse_mode(const char *name, const char *value, mode_t *mode);

/* A name or a number. */
int parse_group(const char *name, const char *value, gid_t *group);

#endif /* VUB_PARSE_H */
