/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The command line. */
#ifndef VUB_OPTIONS_H
#define VUB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "governor.h"
#include "listen.h"
#include "memory_table.h"
#include "parse.h"

struct options {
	const char *socket_path;	/* or NULL */
	int fd;				/* or -1 */
	const char *connect_path;	/* or NULL */
	const char *metrics_path;	/* or NULL */
	const char *control_path;	/* or NULL */
	struct listener_access socket;
	struct listener_access control;
	uint32_t num_pages;		/* first target, 4096-byte units */
	uint32_t queue_size;		/* of the largest ring */
	uint32_t discard_delay_ms;
	uint64_t page_size;		/* memory is freed by it, bytes */
	struct memory_policy memory;
	struct timer_options timers;
	struct governor_options governor;
	bool free_page_hint;
	bool free_page_reporting;
	bool page_poison;
	bool stats;
	bool deflate_on_oom;
	bool keep_good_part;
	bool inband;
	bool event_idx;
	bool indirect;
	bool packed;
	bool in_order;
	bool sandbox;
	bool once;
	bool verbose;
};

/* Parse; prints help, version, capabilities and errors itself. */
int options_parse(struct options *o, int argc, char **argv);

/* The feature bits that the device shall offer. */
uint64_t options_get_features(const struct options *o);

#endif /* VUB_OPTIONS_H */
