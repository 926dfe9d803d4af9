/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest's free memory, on its way to the device and back. */
#define _GNU_SOURCE
#include <string.h>

#include "guest.h"
#include "guest_private.h"
#include "supervise.h"

void guest_take_back(struct guest *g, const struct fph_returned *r,
		     bool reported)
{
	pages_return(&g->pages, r->owner, pages_order_of(r->range.len),
		     reported);
}

/* ------------------------------------------------------------- reporting -- */

void guest_init_report(struct guest *g)
{
	struct fph_reporter_params p = {
		.size = sizeof(p),
		.features = g->balloon.features,
		.content = FPH_CONTENT_FREE,
		.slots = g->rslots,
		.nslots = GUEST_SLOTS,
		.batches = g->rbatches,
		.window = 2,
		.low_water = 1,
		.max_segs = 16,
		.max_ranges = 64,
		.flush_delay = 0,
		.retry_delay = 1000,
		.max_failures = 1
	};

	if (g->balloon.features & FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING))
		CHECK(fph_reporter_init(&g->reporter, &p) == FPH_OK);
}

static void report_add(struct guest *g, uint32_t page, uint32_t order)
{
	int status = fph_reporter_add(&g->reporter, 0,
				      pages_get_gpa(&g->pages, page),
				      (uint64_t)PAGES_SIZE << order, page);

	CHECK(status == FPH_OK);
}

static void report_exchange(struct guest *g)
{
	struct fph_seg segs[BALLOON_SEGS];
	struct fph_returned r;
	uint64_t cookie;
	uint32_t room;
	int n;

	for (;;) {
		room = balloon_get_room(&g->balloon, FPH_QUEUE_REPORT);
		if (room > BALLOON_SEGS)
			room = BALLOON_SEGS;
		if (!room)
			break;
		n = fph_reporter_submit(&g->reporter, 0, segs, room, &cookie);
		CHECK(n >= 0);
		if (n == 0)
			break;
		balloon_put(&g->balloon, FPH_QUEUE_REPORT, segs, (uint32_t)n,
			    cookie);
	}
	while (balloon_get(&g->balloon, FPH_QUEUE_REPORT, &cookie))
		CHECK(fph_reporter_complete(&g->reporter, 0, cookie, true) ==
		      FPH_OK);
	while (fph_reporter_next(&g->reporter, &r) > 0)
		guest_take_back(g, &r, r.used);
}

void guest_report(struct guest *g, uint32_t min_order)
{
	struct fph_reporter_amounts a;
	uint32_t page = 0, order, i;

	do {
		for (i = 0; i < 32 && page != PAGES_NONE; i++) {
			CHECK(!fph_reporter_get_amounts(&g->reporter, &a));
			if (a.waiting.ranges + a.outstanding.ranges +
			    a.back.ranges == GUEST_SLOTS)
				break;
			page = pages_isolate(&g->pages, min_order, &order);
			if (page != PAGES_NONE)
				report_add(g, page, order);
		}
		report_exchange(g);
		CHECK(!fph_reporter_get_amounts(&g->reporter, &a));
	} while (page != PAGES_NONE || a.waiting.ranges ||
		 a.outstanding.ranges);
}

/* --------------------------------------------------------------- hinting -- */

void guest_init_hint(struct guest *g)
{
	struct fph_hinter_params p = {
		.size = sizeof(p),
		.features = g->balloon.features,
		.content = FPH_CONTENT_FREE,
		.mode = g->mode,
		.metadata_outside = g->pages.links == PAGES_LINKS_OUTSIDE,
		.indirect = g->balloon.features &
			FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC),
		.merge = true,
		.endian = FPH_LE,
		.slots = g->hslots,
		.nslots = GUEST_SLOTS,
		.batches = g->hbatches,
		.nbatches = GUEST_BATCHES,
		.commands = g->commands,
		.ncommands = BALLOON_COMMANDS,
		.max_segs = BALLOON_SEGS
	};

	/* What is kept until DONE has its slots so long. */
	if (g->mode == FPH_HINTER_HOLD)
		p.nslots = g->pages.npages;
	if (g->balloon.features & FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		CHECK(fph_hinter_init(&g->hinter, &p) == FPH_OK);
}

/* The next free block of the walk, or the one that was kept. */
static uint32_t next_block(struct guest *g, uint32_t *order)
{
	uint32_t page = g->kept_page;

	if (page != PAGES_NONE) {
		*order = g->kept_order;
		g->kept_page = PAGES_NONE;
		return page;
	}
	return g->mode == FPH_HINTER_NEVER ?
		pages_next(&g->pages, order) :
		pages_next_isolate(&g->pages, order);
}

/* A block that add had no room for, and whose id is over. */
static void forget_block(struct guest *g)
{
	if (g->kept_page != PAGES_NONE && g->mode != FPH_HINTER_NEVER)
		pages_return(&g->pages, g->kept_page, g->kept_order, false);
	g->kept_page = PAGES_NONE;
}

static void begin_walk(struct guest *g, uint32_t id)
{
	g->walked = id;
	g->walking = true;
	g->ids++;
	pages_walk(&g->pages);
}

static void collect(struct guest *g, uint32_t id, uint32_t budget)
{
	uint32_t page, order;
	int status;

	while (budget--) {
		page = next_block(g, &order);
		if (page == PAGES_NONE) {
			g->walking = false;
			CHECK(fph_hinter_end(&g->hinter) == FPH_OK);
			return;
		}
		status = fph_hinter_add(&g->hinter, id,
					pages_get_gpa(&g->pages, page),
					(uint64_t)PAGES_SIZE << order, page);
		if (status == FPH_EFULL) {
			g->kept_page = page;
			g->kept_order = order;
			return;
		}
		CHECK(status == FPH_OK);
	}
}

static void note_hinted(struct guest *g, const struct fph_seg *segs, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		memset(&g->hinted[pages_from_gpa(&g->pages, segs[i].gpa)], 1,
		       segs[i].len / PAGES_SIZE);
}

static void hint_exchange(struct guest *g)
{
	struct fph_seg segs[BALLOON_SEGS];
	struct fph_hinter_buffer buf;
	struct fph_returned r;
	uint64_t cookie;
	int n;

	for (;;) {
		n = fph_hinter_submit(&g->hinter,
			balloon_get_room(&g->balloon, FPH_QUEUE_HINT), segs,
			BALLOON_SEGS, &buf);
		CHECK(n >= 0);
		if (n == 0)
			break;
		if (buf.kind == FPH_HINTER_HINT) {
			balloon_put(&g->balloon, FPH_QUEUE_HINT, segs,
				    buf.nsegs, buf.cookie);
			note_hinted(g, segs, buf.nsegs);
		} else {
			balloon_put_command(&g->balloon, buf.command,
					    buf.bytes, buf.cookie);
		}
	}
	while (balloon_get(&g->balloon, FPH_QUEUE_HINT, &cookie))
		CHECK(fph_hinter_complete(&g->hinter, cookie) == FPH_OK);
	while (fph_hinter_next(&g->hinter, &r) > 0)
		if (g->mode != FPH_HINTER_NEVER)
			guest_take_back(g, &r, false);
}

bool guest_hint(struct guest *g, uint32_t budget)
{
	uint32_t before = g->pages.nfree, id;

	CHECK(!fph_hinter_set_config(&g->hinter,
				     balloon_get_cmd_id(&g->balloon)));
	id = fph_hinter_get_id(&g->hinter);
	if (id != g->walked)
		forget_block(g);
	if (id && id != g->walked)
		begin_walk(g, id);
	if (id && g->walking)
		collect(g, id, budget);
	CHECK(fph_hinter_request(&g->hinter) == FPH_OK);
	hint_exchange(g);
	if (g->mode == FPH_HINTER_NEVER)
		CHECK(g->pages.nfree == before);
	return fph_hinter_get_state(&g->hinter) != FPH_HINTER_IDLE ||
		fph_split_driver_get_inflight(
			&g->balloon.queue[FPH_QUEUE_HINT].vq);
}

void guest_settle(struct guest *g)
{
	while (guest_hint(g, 64)) {
		balloon_notify(&g->balloon, FPH_QUEUE_HINT);
		nap();
	}
}

uint32_t guest_get_hinted(const struct guest *g)
{
	uint32_t page, n = 0;

	for (page = 0; page < g->pages.npages; page++)
		n += g->hinted[page];
	return n;
}
