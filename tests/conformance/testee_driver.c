/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Driver role: hinter and reporter, with a guest around them that knows which
 * ranges are free.  Hinted pages are held until DONE or until the guest wants
 * them; reported ones until their buffer was used.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fph/guest.h>
#include <fph/wire.h>

#include "testee.h"

#define MAX_RANGES	1024
#define MAX_BUFFERS	256
#define MAX_SEGS	8
#define NCOMMANDS	4
#define COMMANDS	0x7f0000000000u	/* gpa where commands lie */

enum place { NOWHERE, FREE, HINTER, REPORTER };

/* A range that the guest has not in use, and who has it. */
struct piece {
	uint64_t gpa;
	uint64_t len;
	enum place place;
	uint32_t hinted;		/* id under which it was hinted */
	bool reported;
};

struct buffer {
	uint32_t number;		/* 0: not in the ring */
	uint64_t cookie;
	uint32_t nsegs;
	bool report;
};

static struct {
	bool live;
	bool hints, reports;
	struct fph_hinter *hinter;
	struct fph_reporter *reporter;
	uint64_t hinter_memory[FPH_HINTER_SIZE(MAX_RANGES, MAX_BUFFERS) / 8];
	uint64_t reporter_memory[FPH_REPORTER_SIZE(MAX_RANGES,
						   MAX_BUFFERS / 2) / 8];
	struct piece piece[MAX_RANGES];
	struct buffer buffer[MAX_BUFFERS];
	uint32_t npieces;
	uint32_t offers;
	uint32_t ring;
	uint64_t now;
} g;

static void fail(const char *what)
{
	fprintf(stderr, "testee_c: %s\n", what);
	exit(2);
}

/* ---------------------------------------------------------------- set-up -- */

static int init_hinter(uint64_t features, uint32_t content)
{
	const struct fph_hinter_params p = {
		.size = sizeof(p),
		.features = features,
		.content = content,
		.mode = FPH_HINTER_HOLD,
		.flags = FPH_HINTER_NO_MERGE,
		.max_ranges = MAX_RANGES,
		.max_hints = MAX_BUFFERS,
		.max_segs = MAX_SEGS,
		.commands = NCOMMANDS,
		.commands_gpa = COMMANDS
	};

	return fph_hinter_init(&g.hinter, g.hinter_memory,
			       sizeof(g.hinter_memory), &p);
}

static int init_reporter(uint64_t features, uint32_t content)
{
	const struct fph_reporter_params p = {
		.size = sizeof(p),
		.features = features,
		.content = content,
		.max_ranges = MAX_RANGES,
		.window = MAX_BUFFERS / 2,
		.low_water = MAX_BUFFERS / 2 - 1,
		.max_segs = MAX_SEGS,
		.retry_delay = 1,
		.max_failures = 4
	};

	return fph_reporter_init(&g.reporter, g.reporter_memory,
				 sizeof(g.reporter_memory), &p);
}

static void do_reset(const struct request *r)
{
	const char *features = request_get(r, "features");
	const char *content = request_get(r, "content");
	const char *id = request_get(r, "cmd_id");
	const char *ring = request_get(r, "ring");
	uint32_t kept;

	if (!features || !content || !id || !ring)
		fail("reset");
	memset(&g, 0, sizeof(g));
	kept = strcmp(content, "kept") ? FPH_CONTENT_FREE : FPH_CONTENT_KEPT;
	g.hints = !init_hinter(parse_number(features), kept);
	g.reports = !init_reporter(parse_number(features), kept);
	g.ring = (uint32_t)parse_number(ring);
	g.live = true;
	if (g.hints)
		fph_hinter_set_config(g.hinter, (uint32_t)parse_number(id));
	puts("ok");
}

/* ------------------------------------------------------------ the queues -- */

static uint32_t get_room(bool report)
{
	uint32_t room = g.ring;

	for (int i = 0; i < MAX_BUFFERS; i++)
		if (g.buffer[i].number && g.buffer[i].report == report)
			room -= g.buffer[i].nsegs;
	return room;
}

static struct buffer *find_buffer(uint32_t number)
{
	for (int i = 0; i < MAX_BUFFERS; i++)
		if (g.buffer[i].number == number)
			return &g.buffer[i];
	return NULL;
}

/* One line a buffer; a command is printed as the bytes that it has. */
static void put(bool report, const struct fph_buffer *buffer,
		const struct fph_seg *segs)
{
	uint32_t nsegs = buffer->nread + buffer->nwrite;
	struct buffer *b = find_buffer(0);

	if (!b)
		fail("too many buffers");
	*b = (struct buffer){ ++g.offers, buffer->cookie, nsegs, report };
	printf("vq %s %" PRIu32, report ? "report" : "hint", b->number);
	for (uint32_t i = 0; i < nsegs; i++) {
		if (segs[i].flags & FPH_SEG_WRITE)
			printf(" W:0x%" PRIx64 "+0x%" PRIx32, segs[i].gpa,
			       segs[i].len);
		else
			printf(" R@0x%" PRIx64 ":%02x%02x%02x%02x",
			       segs[i].gpa, buffer->command[0],
			       buffer->command[1], buffer->command[2],
			       buffer->command[3]);
	}
	putchar('\n');
}

/* ------------------------------------------------------------- the guest -- */

static struct piece *find_piece(uint64_t gpa)
{
	for (uint32_t i = 0; i < g.npieces; i++)
		if (g.piece[i].place != NOWHERE && g.piece[i].gpa == gpa)
			return &g.piece[i];
	return NULL;
}

/* What hinter and reporter give back is free again. */
static void take_back(void)
{
	struct fph_returned out;

	while (g.hints && fph_hinter_take_back(g.hinter, &out, 1) == 1)
		g.piece[out.owner].place = FREE;
	while (g.reports && fph_reporter_take_back(g.reporter, &out, 1) == 1) {
		g.piece[out.owner].place = FREE;
		g.piece[out.owner].reported = out.used;
	}
}

/* Free ranges that were not hinted under this id; whether all went in. */
static bool fill_hinter(uint32_t id)
{
	struct fph_owned_range range;

	for (uint32_t i = 0; i < g.npieces; i++) {
		struct piece *p = &g.piece[i];

		if (p->place != FREE || p->hinted == id)
			continue;
		range = (struct fph_owned_range){ p->gpa, p->len, i };
		if (fph_hinter_add(g.hinter, id, &range, 1) != 1)
			return false;
		p->place = HINTER;
		p->hinted = id;
	}
	return true;
}

static bool send_hints(void)
{
	struct fph_buffer b;
	struct fph_seg segs[MAX_SEGS];
	bool sent = false;

	while (fph_hinter_submit(g.hinter, get_room(false), &b, 1, segs,
				 MAX_SEGS) == 1) {
		put(false, &b, segs);
		sent = true;
	}
	return sent;
}

static void work_hints(void)
{
	uint32_t id;

	do {
		take_back();
		id = fph_hinter_get_id(g.hinter);
		if (id && fill_hinter(id))
			fph_hinter_finish_input(g.hinter);
	} while (send_hints());
}

/* Without a delay: a test wants to see what there is. */
static void work_reports(void)
{
	struct fph_owned_range range;
	struct fph_seg segs[MAX_SEGS];
	struct fph_buffer b;
	uint32_t room;

	take_back();
	for (uint32_t i = 0; i < g.npieces; i++) {
		struct piece *p = &g.piece[i];

		if (p->place != FREE || p->reported)
			continue;
		range = (struct fph_owned_range){ p->gpa, p->len, i };
		if (fph_reporter_add(g.reporter, g.now, &range, 1) != 1)
			break;
		p->place = REPORTER;
	}
	fph_reporter_flush(g.reporter);
	while ((room = get_room(true)) > 0 &&
	       fph_reporter_submit(g.reporter, g.now, &b, 1, segs,
				   room < MAX_SEGS ? room : MAX_SEGS) == 1)
		put(true, &b, segs);
}

static void do_work(const struct request *r)
{
	(void)r;
	g.now++;
	if (g.hints)
		work_hints();
	if (g.reports)
		work_reports();
	puts("ok");
}

static void do_config(const struct request *r)
{
	if (g.hints)
		fph_hinter_set_config(g.hinter,
				      (uint32_t)parse_number(r->word[1]));
	take_back();
	puts("ok");
}

static void do_free(const struct request *r)
{
	struct piece *p = &g.piece[g.npieces];

	if (g.npieces++ == MAX_RANGES)
		fail("too many ranges");
	parse_range(r->word[1], &p->gpa, &p->len);
	p->place = FREE;
	puts("ok");
}

/* Under pressure all that can be had comes back, then the guest looks. */
static void shrink(void)
{
	struct fph_returned out;

	while (g.hints && fph_hinter_shrink(g.hinter, &out, 1) == 1)
		g.piece[out.owner].place = FREE;
	while (g.reports && fph_reporter_shrink(g.reporter, &out, 1) == 1)
		g.piece[out.owner].place = FREE;
}

static void do_take(const struct request *r)
{
	struct piece *p;
	uint64_t gpa, len;

	parse_range(r->word[1], &gpa, &len);
	take_back();
	p = find_piece(gpa);
	if (p && p->place != FREE)
		shrink();
	if (p && p->place == FREE) {
		p->place = NOWHERE;
		puts("ok");
	} else {
		puts("err busy");
	}
}

static void do_used(const struct request *r)
{
	uint32_t number = (uint32_t)parse_number(r->word[1]);
	struct buffer *b = number ? find_buffer(number) : NULL;
	struct fph_used used = { 0 };
	int status;

	if (!b) {
		puts("err device");
		return;
	}
	b->number = 0;
	used.cookie = b->cookie;
	status = b->report ?
		 fph_reporter_complete(g.reporter, g.now, &used, 1, true) :
		 fph_hinter_complete(g.hinter, &used, 1);
	take_back();
	print_status(status);
}

static void do_device_reset(const struct request *r)
{
	(void)r;
	memset(g.buffer, 0, sizeof(g.buffer));
	if (g.hints)
		fph_hinter_reset(g.hinter);
	if (g.reports)
		fph_reporter_reset(g.reporter);
	take_back();
	for (uint32_t i = 0; i < g.npieces; i++)
		g.piece[i].hinted = 0;
	puts("ok");
}

/* The other queue goes on with its buffers. */
static void do_queue_reset(const struct request *r)
{
	bool report = !strcmp(r->word[1], "report");

	for (uint32_t i = 0; i < sizeof(g.buffer) / sizeof(g.buffer[0]); i++) {
		if (g.buffer[i].number && g.buffer[i].report == report)
			memset(&g.buffer[i], 0, sizeof(g.buffer[i]));
	}
	if (report && g.reports)
		fph_reporter_reset(g.reporter);
	if (!report && g.hints)
		fph_hinter_reset(g.hinter);
	take_back();
	for (uint32_t i = 0; !report && i < g.npieces; i++)
		g.piece[i].hinted = 0;
	puts("ok");
}

static const struct {
	const char *name;
	int words;
	void (*call)(const struct request *r);
} requests[] = {
	{ "config", 2, do_config },
	{ "free", 2, do_free },
	{ "take", 2, do_take },
	{ "work", 1, do_work },
	{ "used", 3, do_used },
	{ "device-reset", 1, do_device_reset },
	{ "queue-reset", 2, do_queue_reset }
};

_Bool testee_driver(const struct request *r)
{
	if (!strcmp(r->word[0], "reset")) {
		const char *role = request_get(r, "role");

		g.live = false;
		if (!role || strcmp(role, "driver"))
			return false;
		do_reset(r);
		return true;
	}
	if (!g.live)
		return false;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strcmp(r->word[0], requests[i].name))
			continue;
		if (r->words < requests[i].words)
			fail(requests[i].name);
		requests[i].call(r);
		return true;
	}
	return false;
}
