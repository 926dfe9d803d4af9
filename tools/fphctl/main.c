/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fph/version.h>

#include "arguments.h"
#include "common/metrics.h"
#include "show.h"

static const char help[] =
"Usage: fphctl --control=PATH COMMAND [OPTION]...\n"
"\n"
"Control a vhost-user-balloon daemon through its control socket.\n"
"\n"
"  stats                 all counters\n"
"  metrics               the same in the text format of OpenMetrics\n"
"  hint start            ask the guest for hints of free pages\n"
"       --max-buffers=N  end the round after N buffers ...\n"
"       --then=stop|restart|done   ... in this way (default stop)\n"
"  hint stop             end the round; the guest keeps what it hinted\n"
"  hint done             no hints are needed: the guest frees its pages\n"
"  hint status           the state of the round\n"
"  balloon SIZE          leave the guest SIZE of its memory: 512M, 1G\n"
"  balloon-size SIZE     make the balloon SIZE large\n"
"  policy [on|off]       what the daemon's policy decides; switch it\n"
"  guest-stats           ask the guest for its statistics\n"
"  freeze [hold|acknowledge]   discard nothing from now on, and hold the\n"
"                        guest's buffers, or return them without effect\n"
"       --reason=WORD    who freezes (default operator); others may too\n"
"       --timeout=SECONDS   for discards that are going on (default 5)\n"
"       --for=SECONDS    thaw by itself after that time\n"
"  thaw                  end that freeze\n"
"       --reason=WORD, --all\n"
"  save FILE             write the state of the frozen device\n"
"  load FILE             go on with such a state; before a guest starts\n"
"  stats-interval SECONDS   ask it again and again; 0: no more\n"
"  watch                 show what the guest offers and the host gets\n"
"       --interval=SECONDS   default 1\n"
"  skips                 print pages that a migration may skip, as the guest\n"
"                        hints them, until interrupted\n"
"  events                print what becomes of the balloon and of hint rounds\n"
"\n"
"  --control=PATH        the control socket of the daemon\n"
"  --json                print answers and events as they come\n"
"  --help, --version\n"
"\n"
"Neither this program nor the daemon migrates anything: skips are for whoever\n"
"does.\n"
"\n"
"Exit status: 0 done, 1 refused by the daemon, 2 wrong usage, 3 no daemon.\n";

enum {
	OPT_CONTROL = 256,
	OPT_JSON,
	OPT_INTERVAL,
	OPT_MAX_BUFFERS,
	OPT_THEN,
	OPT_REASON,
	OPT_TIMEOUT,
	OPT_FOR,
	OPT_ALL,
	OPT_HELP,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "interval", required_argument, NULL, OPT_INTERVAL },
	{ "max-buffers", required_argument, NULL, OPT_MAX_BUFFERS },
	{ "then", required_argument, NULL, OPT_THEN },
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "for", required_argument, NULL, OPT_FOR },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 }
};

int usage(const char *problem)
{
	fprintf(stderr, "fphctl: %s; try --help\n", problem);
	return EXIT_USAGE;
}

/* ---------------------------------------------------------------- commands */

int run_simple(struct client *c, const struct arguments *a, const char *name,
	       json_t *args)
{
	json_t *answer;
	int code = client_execute(c, name, args, &answer);

	if (code != EXIT_OK)
		return code;
	if (a->json)
		show_json(answer);
	else
		show_object(answer);
	json_decref(answer);
	return EXIT_OK;
}

/* A whole number; false when it is something else. */
static bool parse_number(const char *text, json_int_t *n, const char **rest)
{
	char *end;

	errno = 0;
	*n = strtoll(text, &end, 10);
	*rest = end;
	return !errno && end != text && *n >= 0 && text[0] != '-';
}

static int hint_start(struct client *c, const struct arguments *a)
{
	json_t *args = json_object();
	const char *rest;
	json_int_t max;

	if (a->max_buffers) {
		if (!parse_number(a->max_buffers, &max, &rest) || *rest) {
			json_decref(args);
			return usage("--max-buffers needs a number");
		}
		json_object_set_new(args, "max-buffers", json_integer(max));
	}
	if (a->then)
		json_object_set_new(args, "then", json_string(a->then));
	return run_simple(c, a, "hint-start", args);
}

static int run_hint(struct client *c, const struct arguments *a)
{
	const char *word = a->nwords == 2 ? a->words[1] : "";

	if (!strcmp(word, "start"))
		return hint_start(c, a);
	if (!strcmp(word, "stop"))
		return run_simple(c, a, "hint-stop", NULL);
	if (!strcmp(word, "done"))
		return run_simple(c, a, "hint-done", NULL);
	if (!strcmp(word, "status"))
		return run_simple(c, a, "query-hint", NULL);
	return usage("hint needs start, stop, done or status");
}

/* Bytes, or with K, M, G, T and so on in units of 1024. */
static bool parse_size(const char *text, json_int_t *size)
{
	static const char units[] = "KMGT";
	const char *rest, *unit;
	long shift = 0;

	if (!parse_number(text, size, &rest))
		return false;
	if (*rest) {
		unit = strchr(units, *rest);
		if (!unit || (rest[1] && strcmp(rest + 1, "iB")))
			return false;
		shift = 10 * (unit - units + 1);
	}
	if (*size > INT64_MAX >> shift)
		return false;
	*size <<= shift;
	return true;
}

static int set_balloon(struct client *c, const struct arguments *a,
		       const char *what)
{
	json_int_t size;

	if (a->nwords != 2 || !parse_size(a->words[1], &size))
		return usage("balloon needs a size, such as 512M");
	return run_simple(c, a, "balloon", json_pack("{s:I}", what, size));
}

static int run_balloon(struct client *c, const struct arguments *a)
{
	return set_balloon(c, a, "value");
}

static int run_balloon_size(struct client *c, const struct arguments *a)
{
	return set_balloon(c, a, "balloon");
}

static int run_stats(struct client *c, const struct arguments *a)
{
	return run_simple(c, a, "query-stats", NULL);
}

static int run_metrics(struct client *c, const struct arguments *a)
{
	json_t *answer;
	int code = client_execute(c, "query-stats", NULL, &answer);

	(void)a;
	if (code != EXIT_OK)
		return code;
	metrics_write(stdout, answer);
	json_decref(answer);
	return EXIT_OK;
}

static int run_guest_stats(struct client *c, const struct arguments *a)
{
	return run_simple(c, a, "query-guest-stats", NULL);
}

static int run_stats_interval(struct client *c, const struct arguments *a)
{
	double seconds = -1;
	char *end = NULL;

	if (a->nwords == 2)
		seconds = strtod(a->words[1], &end);
	if (!end || end == a->words[1] || *end ||
	    !(seconds >= 0 && seconds <= 86400))
		return usage("stats-interval needs a number of seconds");
	return run_simple(c, a, "set-stats-interval",
			  json_pack("{s:I}", "ms",
				    (json_int_t)(seconds * 1000)));
}

static int run_policy(struct client *c, const struct arguments *a)
{
	const char *word = a->nwords == 2 ? a->words[1] : NULL;
	json_t *args = NULL;

	if (word && strcmp(word, "on") && strcmp(word, "off"))
		return usage("policy needs on or off, or nothing");
	if (word)
		args = json_pack("{s:b}", "enabled", !strcmp(word, "on"));
	return run_simple(c, a, "policy", args);
}

static int run_watch(struct client *c, const struct arguments *a)
{
	return show_watch(c, a->interval, a->json);
}

static int run_skips(struct client *c, const struct arguments *a)
{
	return show_events(c, "skip", a->json);
}

static int run_events(struct client *c, const struct arguments *a)
{
	return show_events(c, "balloon", a->json);
}

struct command {
	const char *name;
	int max_words;
	int (*run)(struct client *c, const struct arguments *a);
};

static const struct command commands[] = {
	{ "stats", 1, run_stats },
	{ "metrics", 1, run_metrics },
	{ "hint", 2, run_hint },
	{ "balloon", 2, run_balloon },
	{ "balloon-size", 2, run_balloon_size },
	{ "guest-stats", 1, run_guest_stats },
	{ "stats-interval", 2, run_stats_interval },
	{ "policy", 2, run_policy },
	{ "freeze", 2, run_freeze },
	{ "thaw", 1, run_thaw },
	{ "save", 2, run_save },
	{ "load", 2, run_load },
	{ "watch", 1, run_watch },
	{ "skips", 1, run_skips },
	{ "events", 1, run_events }
};

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

/* ------------------------------------------------------------ command line */

static bool parse_seconds(double *seconds)
{
	char *end;

	*seconds = strtod(optarg, &end);
	return end != optarg && !*end && *seconds >= 0.01 && *seconds <= 86400;
}

/* -1: go on, else the exit status. */
static int parse_option(struct arguments *a, int opt)
{
	switch (opt) {
	case OPT_CONTROL:
		a->control = optarg;
		return -1;
	case OPT_JSON:
		a->json = true;
		return -1;
	case OPT_INTERVAL:
		return parse_seconds(&a->interval) ? -1 :
		       usage("--interval needs a number of seconds");
	case OPT_TIMEOUT:
		return parse_seconds(&a->timeout) ? -1 :
		       usage("--timeout needs a number of seconds");
	case OPT_FOR:
		return parse_seconds(&a->lease) ? -1 :
		       usage("--for needs a number of seconds");
	case OPT_REASON:
		a->reason = optarg;
		return -1;
	case OPT_ALL:
		a->all = true;
		return -1;
	case OPT_MAX_BUFFERS:
		a->max_buffers = optarg;
		return -1;
	case OPT_THEN:
		a->then = optarg;
		return -1;
	case OPT_HELP:
		fputs(help, stdout);
		return EXIT_OK;
	case OPT_VERSION:
		puts("fphctl (libfph) " FPH_VERSION_STRING);
		return EXIT_OK;
	}
	return usage("unknown option");
}

static int parse(struct arguments *a, int argc, char **argv)
{
	int opt, r;

	memset(a, 0, sizeof(*a));
	a->interval = 1;
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		r = parse_option(a, opt);
		if (r >= 0)
			return r;
	}
	a->nwords = argc - optind;
	a->words = argv + optind;
	if (a->nwords < 1)
		return usage("a command is needed");
	if (!a->control)
		return usage("--control=PATH is needed");
	return -1;
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct arguments a;
	struct client c;
	int code = parse(&a, argc, argv);

	if (code >= 0)
		return code;
	command = find_command(a.words[0]);
	if (!command)
		return usage("no such command");
	if (a.nwords > command->max_words)
		return usage("too many words");
	if (!client_open(&c, a.control))
		return EXIT_LOST;
	code = command->run(&c, &a);
	client_close(&c);
	return code;
}
