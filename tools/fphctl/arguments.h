/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The command line, and the commands that are made of it. */
#ifndef FPHCTL_ARGUMENTS_H
#define FPHCTL_ARGUMENTS_H

#include "client.h"

struct arguments {
	const char *control;
	bool json;
	double interval;		/* seconds */
	double timeout;			/* the same, 0: not given */
	double lease;
	const char *max_buffers;	/* as given, or NULL */
	const char *then;
	const char *reason;
	bool all;
	int nwords;
	char **words;			/* the command */
};

/* Say what is wrong with the command line; the exit status. */
int usage(const char *problem);

/*
 * Execute a command and print its answer; takes args over, which may be NULL.
 * The exit status, as from all of these.
 */
int run_simple(struct client *c, const struct arguments *a, const char *name,
	       json_t *args);

/* Of a device that stands still. */
int run_freeze(struct client *c, const struct arguments *a);
int run_thaw(struct client *c, const struct arguments *a);
int run_save(struct client *c, const struct arguments *a);
int run_load(struct client *c, const struct arguments *a);

#endif /* FPHCTL_ARGUMENTS_H */
