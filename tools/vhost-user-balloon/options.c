/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <fph/version.h>
#include <fph/vring.h>
#include <fph/wire.h>

#include "options.h"
#include "options_policy.h"
#include "parse.h"

static const char help[] =
"Usage: vhost-user-balloon --socket-path=PATH [OPTION]...\n"
"       vhost-user-balloon --fd=N [OPTION]...\n"
"       vhost-user-balloon --connect=PATH [OPTION]...\n"
"\n"
"A virtio-balloon device as a vhost-user back-end: takes inflated, reported\n"
"and hinted pages of a guest and gives memory back to the host.\n"
"\n"
"  --socket-path=PATH         listen for front-ends on this Unix socket\n"
"  --fd=N                     use this socket, listening or connected\n"
"  --connect=PATH             connect to a front-end that listens there\n"
"  --control=PATH             listen for fphctl on this Unix socket\n"
"  --metrics=PATH             give all counters, as OpenMetrics text, to\n"
"                             whoever connects to this Unix socket\n"
"  --socket-mode=MODE, --control-mode=MODE\n"
"                             permissions of these sockets, octal (default: by\n"
"                             the umask, and 600)\n"
"  --socket-group=GROUP, --control-group=GROUP\n"
"                             group of these sockets, a name or a number\n"
"  --num-pages=N              first size of the balloon, units of 4 KiB\n"
"  --free-page-hint=on|off    offer free page hinting (default on)\n"
"  --free-page-reporting=on|off\n"
"                             offer free page reporting (default on)\n"
"  --page-poison=on|off       offer page poison (default on)\n"
"  --stats=on|off             offer statistics (default on)\n"
"  --stats-interval=SECONDS   ask the guest for statistics so often\n"
"                             (default 0: when a client asks)\n"
"  --stuck-after=SECONDS      tell of a balloon that stands still short of\n"
"                             its size so long (default 30; 0: never)\n"
"  --hint-timeout=SECONDS     end a round of hints that no client has followed\n"
"                             for so long (default 0: never)\n"
"  --policy=floor=SIZE[,ceiling=SIZE][,NAME=VALUE]...\n"
"                             keep the guest's memory between these, by its\n"
"                             statistics and the host's pressure; see the\n"
"                             manual page for the other names\n"
"  --pressure-file=PATH       where the pressure is (default\n"
"                             /proc/pressure/memory)\n"
"  --deflate-on-oom=on|off    let the guest take pages back when it has no\n"
"                             memory left (default off)\n"
"  --keep-good-part=on|off    free the good part of a partly bad report\n"
"                             (default off: refuse it whole)\n"
"  --event-idx=on|off         offer event index in rings (default on)\n"
"  --indirect=on|off          offer indirect descriptors (default on)\n"
"  --packed=on|off            offer packed rings (default off)\n"
"  --in-order=on|off          offer to return buffers in order (default on)\n"
"  --queue-size=N             largest ring that is taken (default 32768)\n"
"  --inband=on|off            offer in-band notifications (default off)\n"
"  --memory-file-systems=LIST take guest memory on these, besides memory:\n"
"                             ext4,xfs\n"
"  --page-size=SIZE           free memory by pages of this size, 64K, 2M, 1G\n"
"                             (default: the pages of this host)\n"
"  --max-memory=SIZE          largest guest memory, 64G, 2T (default 4T)\n"
"  --sandbox=on|off           give up what is not needed (default on)\n"
"  --once                     end when the first front-end is gone\n"
"  --discard-delay-ms=N       wait before each discard, for tests\n"
"  --print-capabilities       print what it can do as JSON, and end\n"
"  --verbose                  log every message\n"
"  --help, --version\n"
"\n"
"It migrates nothing itself: pages that the guest hints are never touched,\n"
"only exported on the control socket for whoever migrates.\n";

enum {
	OPT_SOCKET_PATH = 256,
	OPT_FD,
	OPT_CONNECT,
	OPT_CONTROL,
	OPT_METRICS,
	OPT_SOCKET_MODE,
	OPT_SOCKET_GROUP,
	OPT_CONTROL_MODE,
	OPT_CONTROL_GROUP,
	OPT_NUM_PAGES,
	OPT_HINT,
	OPT_REPORTING,
	OPT_POISON,
	OPT_STATS,
	OPT_STATS_INTERVAL,
	OPT_STUCK_AFTER,
	OPT_HINT_TIMEOUT,
	OPT_POLICY,
	OPT_PRESSURE_FILE,
	OPT_OOM,
	OPT_GOOD_PART,
	OPT_QUEUE_SIZE,
	OPT_EVENT_IDX,
	OPT_INDIRECT,
	OPT_PACKED,
	OPT_IN_ORDER,
	OPT_INBAND,
	OPT_MEMORY_FS,
	OPT_PAGE_SIZE,
	OPT_MAX_MEMORY,
	OPT_SANDBOX,
	OPT_ONCE,
	OPT_DELAY,
	OPT_CAPABILITIES,
	OPT_VERBOSE,
	OPT_HELP,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "socket-path", required_argument, NULL, OPT_SOCKET_PATH },
	{ "fd", required_argument, NULL, OPT_FD },
	{ "connect", required_argument, NULL, OPT_CONNECT },
	{ "metrics", required_argument, NULL, OPT_METRICS },
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "socket-mode", required_argument, NULL, OPT_SOCKET_MODE },
	{ "socket-group", required_argument, NULL, OPT_SOCKET_GROUP },
	{ "control-mode", required_argument, NULL, OPT_CONTROL_MODE },
	{ "control-group", required_argument, NULL, OPT_CONTROL_GROUP },
	{ "num-pages", required_argument, NULL, OPT_NUM_PAGES },
	{ "free-page-hint", required_argument, NULL, OPT_HINT },
	{ "free-page-reporting", required_argument, NULL, OPT_REPORTING },
	{ "page-poison", required_argument, NULL, OPT_POISON },
	{ "stats", required_argument, NULL, OPT_STATS },
	{ "stats-interval", required_argument, NULL, OPT_STATS_INTERVAL },
	{ "stuck-after", required_argument, NULL, OPT_STUCK_AFTER },
	{ "hint-timeout", required_argument, NULL, OPT_HINT_TIMEOUT },
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "pressure-file", required_argument, NULL, OPT_PRESSURE_FILE },
	{ "deflate-on-oom", required_argument, NULL, OPT_OOM },
	{ "keep-good-part", required_argument, NULL, OPT_GOOD_PART },
	{ "queue-size", required_argument, NULL, OPT_QUEUE_SIZE },
	{ "event-idx", required_argument, NULL, OPT_EVENT_IDX },
	{ "indirect", required_argument, NULL, OPT_INDIRECT },
	{ "packed", required_argument, NULL, OPT_PACKED },
	{ "in-order", required_argument, NULL, OPT_IN_ORDER },
	{ "inband", required_argument, NULL, OPT_INBAND },
	{ "memory-file-systems", required_argument, NULL, OPT_MEMORY_FS },
	{ "page-size", required_argument, NULL, OPT_PAGE_SIZE },
	{ "max-memory", required_argument, NULL, OPT_MAX_MEMORY },
	{ "sandbox", required_argument, NULL, OPT_SANDBOX },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "discard-delay-ms", required_argument, NULL, OPT_DELAY },
	{ "print-capabilities", no_argument, NULL, OPT_CAPABILITIES },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 }
};

/* The schema of such back-ends names no features for a balloon yet. */
static const char capabilities[] =
"{\n"
"  \"type\": \"balloon\",\n"
"  \"features\": [\n"
"    \"free-page-hint\",\n"
"    \"free-page-reporting\",\n"
"    \"page-poison\",\n"
"    \"stats\"\n"
"  ]\n"
"}\n";

static uint64_t get_page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static int parse_queue_size(struct options *o, const char *name)
{
	int r = parse_number(name, optarg, FPH_VRING_MAX_SIZE,
			     &o->queue_size);

	if (r == OPTIONS_RUN && (o->queue_size == 0 ||
				 (o->queue_size & (o->queue_size - 1))))
		return parse_wrong(name, optarg, "a power of 2, up to 32768,");
	return r;
}

/* Smaller than a page of the host nothing can be freed. */
static int parse_page_size(struct options *o, const char *name)
{
	const uint64_t most = 1u << 30;
	int r = parse_size(name, optarg, &o->page_size);

	if (r == OPTIONS_RUN && (o->page_size < get_page_size() ||
				 o->page_size > most ||
				 (o->page_size & (o->page_size - 1))))
		return parse_wrong(name, optarg, "a power of 2, from a page "
				   "of this host to 1G,");
	return r;
}

static int parse_fd(struct options *o, const char *name)
{
	uint32_t fd;
	int r = parse_number(name, optarg, 1u << 20, &fd);

	if (r == OPTIONS_RUN)
		o->fd = (int)fd;
	return r;
}

static int parse_valued(struct options *o, int opt, const char *name)
{
	switch (opt) {
	case OPT_SOCKET_PATH:
		o->socket_path = optarg;
		return OPTIONS_RUN;
	case OPT_CONNECT:
		o->connect_path = optarg;
		return OPTIONS_RUN;
	case OPT_METRICS:
		o->metrics_path = optarg;
		return OPTIONS_RUN;
	case OPT_CONTROL:
		o->control_path = optarg;
		return OPTIONS_RUN;
	case OPT_SOCKET_MODE:
		return parse_mode(name, optarg, &o->socket.mode);
	case OPT_SOCKET_GROUP:
		return parse_group(name, optarg, &o->socket.group);
	case OPT_CONTROL_MODE:
		return parse_mode(name, optarg, &o->control.mode);
	case OPT_CONTROL_GROUP:
		return parse_group(name, optarg, &o->control.group);
	case OPT_FD:
		return parse_fd(o, name);
	case OPT_MEMORY_FS:
		o->memory.file_systems = optarg;
		return OPTIONS_RUN;
	case OPT_PAGE_SIZE:
		return parse_page_size(o, name);
	case OPT_MAX_MEMORY:
		return parse_size(name, optarg, &o->memory.max_bytes);
	case OPT_NUM_PAGES:
		return parse_number(name, optarg, UINT32_MAX, &o->num_pages);
	case OPT_DELAY:
		return parse_number(name, optarg, 3600000,
				    &o->discard_delay_ms);
	case OPT_HINT:
		return parse_switch(name, optarg, &o->free_page_hint);
	case OPT_REPORTING:
		return parse_switch(name, optarg, &o->free_page_reporting);
	case OPT_POISON:
		return parse_switch(name, optarg, &o->page_poison);
	case OPT_STATS:
		return parse_switch(name, optarg, &o->stats);
	case OPT_STATS_INTERVAL:
		return options_parse_seconds(name, optarg, &o->timers.stats_ms);
	case OPT_STUCK_AFTER:
		return options_parse_seconds(name, optarg, &o->timers.stuck_ms);
	case OPT_HINT_TIMEOUT:
		return options_parse_seconds(name, optarg, &o->timers.hint_ms);
	case OPT_POLICY:
		return options_parse_policy(&o->governor, optarg);
	case OPT_PRESSURE_FILE:
		o->governor.pressure_path = optarg;
		return OPTIONS_RUN;
	case OPT_OOM:
		return parse_switch(name, optarg, &o->deflate_on_oom);
	case OPT_GOOD_PART:
		return parse_switch(name, optarg, &o->keep_good_part);
	case OPT_QUEUE_SIZE:
		return parse_queue_size(o, name);
	case OPT_EVENT_IDX:
		return parse_switch(name, optarg, &o->event_idx);
	case OPT_INDIRECT:
		return parse_switch(name, optarg, &o->indirect);
	case OPT_PACKED:
		return parse_switch(name, optarg, &o->packed);
	case OPT_IN_ORDER:
		return parse_switch(name, optarg, &o->in_order);
	case OPT_SANDBOX:
		return parse_switch(name, optarg, &o->sandbox);
	case OPT_INBAND:
		return parse_switch(name, optarg, &o->inband);
	}
	fprintf(stderr, "Try vhost-user-balloon --help\n");
	return OPTIONS_ERROR;
}

static int parse_one(struct options *o, int opt, const char *name)
{
	switch (opt) {
	case OPT_ONCE:
		o->once = true;
		return OPTIONS_RUN;
	case OPT_VERBOSE:
		o->verbose = true;
		return OPTIONS_RUN;
	case OPT_CAPABILITIES:
		fputs(capabilities, stdout);
		return OPTIONS_EXIT;
	case OPT_HELP:
		fputs(help, stdout);
		return OPTIONS_EXIT;
	case OPT_VERSION:
		puts("vhost-user-balloon (libfph) " FPH_VERSION_STRING);
		return OPTIONS_EXIT;
	}
	return parse_valued(o, opt, name);
}

static void set_defaults(struct options *o)
{
	memset(o, 0, sizeof(*o));
	o->fd = -1;
	o->socket.mode = LISTENER_UMASK;
	o->socket.group = (gid_t)-1;
	o->control.mode = 0600;
	o->control.group = (gid_t)-1;
	o->free_page_hint = true;
	o->free_page_reporting = true;
	o->page_poison = true;
	o->stats = true;
	o->event_idx = true;
	o->indirect = true;
	o->in_order = true;
	o->sandbox = true;
	o->queue_size = FPH_VRING_MAX_SIZE;
	o->page_size = get_page_size();
	o->timers.stuck_ms = 30000;
	o->governor.pressure_path = "/proc/pressure/memory";
	o->memory.max_bytes = (uint64_t)4 << 40;
}

static int check(const struct options *o, int argc, char **argv)
{
	int ways = !!o->socket_path + (o->fd >= 0) + !!o->connect_path;
	const char *problem = NULL;

	if (optind < argc) {
		fprintf(stderr, "vhost-user-balloon: unexpected argument: "
			"%s\n", argv[optind]);
		return OPTIONS_ERROR;
	}
	if (ways > 1)
		problem = "--socket-path, --fd and --connect exclude each other";
	else if (!ways)
		problem = "--socket-path, --fd or --connect is needed";
	if (!problem)
		return OPTIONS_RUN;
	fprintf(stderr, "vhost-user-balloon: %s; try --help\n", problem);
	return OPTIONS_ERROR;
}

/* Wherever it stands, it wins over everything else that may be wrong. */
static bool wants_capabilities(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--print-capabilities"))
			return true;
	}
	return false;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int index = 0;
	int opt, r;

	set_defaults(o);
	if (wants_capabilities(argc, argv))
		return parse_one(o, OPT_CAPABILITIES, NULL);
	optind = 1;
	while ((opt = getopt_long(argc, argv, "", long_options,
				  &index)) != -1) {
		r = parse_one(o, opt, long_options[index].name);
		if (r != OPTIONS_RUN)
			return r;
	}
	return check(o, argc, argv);
}
