/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest's free memory, on its way to the device and back. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "guest_private.h"
#include "supervise.h"

void guest_take_back(struct guest *g, const struct fph_returned *r,
		     bool reported)
{
	pages_return(&g->pages, (uint32_t)r->owner,
		     pages_order_of(&g->pages, r->len), reported);
}

/* ------------------------------------------------------------- reporting -- */

void guest_init_report(struct guest *g)
{
	struct fph_reporter_params p = {
		.size = sizeof(p),
		.features = g->balloon.features,
		.content = FPH_CONTENT_FREE,
		.max_ranges = GUEST_SLOTS,
		.window = 2,
		.low_water = 1,
		.max_segs = 16,
		.max_failures = 1
	};
	size_t size = fph_reporter_size(&p);

	if (!(g->balloon.features & FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING)))
		return;
	g->reporter_memory = malloc(size);
	CHECK(fph_reporter_init(&g->reporter, g->reporter_memory, size, &p) ==
	      FPH_OK);
}

static void report_add(struct guest *g, uint32_t page, uint32_t order)
{
	struct fph_owned_range range = {
		pages_get_gpa(&g->pages, page), (uint64_t)PAGES_SIZE << order,
		page
	};

	CHECK(fph_reporter_add(g->reporter, 0, &range, 1) == 1);
}

static void report_exchange(struct guest *g)
{
	struct fph_seg segs[BALLOON_SEGS];
	struct fph_used used = { 0 };
	struct fph_buffer buffer;
	struct fph_returned r;
	uint32_t room;
	int n;

	/* Nothing waits for others: time stands still here. */
	CHECK(fph_reporter_flush(g->reporter) == FPH_OK);
	for (;;) {
		room = balloon_get_room(&g->balloon, FPH_QUEUE_REPORT);
		if (room > BALLOON_SEGS)
			room = BALLOON_SEGS;
		if (!room)
			break;
		n = fph_reporter_submit(g->reporter, 0, &buffer, 1, segs,
					room);
		CHECK(n >= 0);
		if (n == 0)
			break;
		balloon_put(&g->balloon, FPH_QUEUE_REPORT, segs, buffer.nwrite,
			    buffer.cookie);
	}
	while (balloon_get(&g->balloon, FPH_QUEUE_REPORT, &used.cookie))
		CHECK(fph_reporter_complete(g->reporter, 0, &used, 1, true) ==
		      1);
	while (fph_reporter_take_back(g->reporter, &r, 1) > 0)
		guest_take_back(g, &r, r.used);
}

void guest_report(struct guest *g, uint32_t min_order)
{
	struct fph_reporter_amounts a;
	uint32_t page = 0, order, i;

	do {
		for (i = 0; i < 32 && page != PAGES_NONE; i++) {
			CHECK(!fph_reporter_get_amounts(g->reporter, &a,
							sizeof(a)));
			if (a.waiting.ranges + a.outstanding.ranges +
			    a.back.ranges == GUEST_SLOTS)
				break;
			page = pages_isolate(&g->pages, min_order, &order);
			if (page != PAGES_NONE)
				report_add(g, page, order);
		}
		report_exchange(g);
		CHECK(!fph_reporter_get_amounts(g->reporter, &a,
							sizeof(a)));
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
		.mode = (uint32_t)g->mode,
		.max_ranges = GUEST_SLOTS,
		.max_hints = GUEST_BATCHES,
		.commands = BALLOON_COMMANDS,
		.max_segs = BALLOON_SEGS
	};
	size_t size;

	if (g->pages.links == PAGES_LINKS_OUTSIDE)
		p.flags |= FPH_HINTER_METADATA_OUTSIDE;
	if (g->balloon.features & FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC))
		p.flags |= FPH_HINTER_INDIRECT;
	/* What is kept until DONE has its place so long. */
	if (g->mode == FPH_HINTER_HOLD)
		p.max_ranges = g->pages.npages;
	if (!(g->balloon.features & FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT)))
		return;
	size = fph_hinter_size(&p);
	g->hinter_memory = malloc(size);
	CHECK(fph_hinter_init(&g->hinter, g->hinter_memory, size, &p) ==
	      FPH_OK);
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
	struct fph_owned_range range;
	uint32_t page, order;
	int status;

	while (budget--) {
		page = next_block(g, &order);
		if (page == PAGES_NONE) {
			g->walking = false;
			CHECK(fph_hinter_finish_input(g->hinter) == FPH_OK);
			return;
		}
		range.gpa = pages_get_gpa(&g->pages, page);
		range.len = (uint64_t)PAGES_SIZE << order;
		range.owner = page;
		status = fph_hinter_add(g->hinter, id, &range, 1);
		if (status == FPH_EFULL) {
			g->kept_page = page;
			g->kept_order = order;
			return;
		}
		CHECK(status == 1);
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
	struct fph_used used = { 0 };
	struct fph_buffer buf;
	struct fph_returned r;
	int n;

	for (;;) {
		n = fph_hinter_submit(g->hinter,
			balloon_get_room(&g->balloon, FPH_QUEUE_HINT), &buf, 1,
			segs, BALLOON_SEGS);
		CHECK(n >= 0);
		if (n == 0)
			break;
		if (!(buf.flags & (FPH_BUFFER_START | FPH_BUFFER_STOP))) {
			balloon_put(&g->balloon, FPH_QUEUE_HINT, segs,
				    buf.nwrite, buf.cookie);
			note_hinted(g, segs, buf.nwrite);
		} else {
			balloon_put_command(&g->balloon, buf.index,
					    buf.command, buf.cookie);
		}
	}
	while (balloon_get(&g->balloon, FPH_QUEUE_HINT, &used.cookie))
		CHECK(fph_hinter_complete(g->hinter, &used, 1) == 1);
	while (fph_hinter_take_back(g->hinter, &r, 1) > 0)
		if (g->mode != FPH_HINTER_NEVER)
			guest_take_back(g, &r, false);
}

bool guest_hint(struct guest *g, uint32_t budget)
{
	uint32_t before = g->pages.nfree, id;

	CHECK(!fph_hinter_set_config(g->hinter,
				     balloon_get_cmd_id(&g->balloon)));
	id = fph_hinter_get_id(g->hinter);
	if (id != g->walked)
		forget_block(g);
	if (id && id != g->walked)
		begin_walk(g, id);
	if (id && g->walking)
		collect(g, id, budget);
	CHECK(fph_hinter_flush(g->hinter) == FPH_OK);
	hint_exchange(g);
	if (g->mode == FPH_HINTER_NEVER)
		CHECK(g->pages.nfree == before);
	return fph_hinter_get_state(g->hinter) != FPH_HINTER_IDLE ||
		fph_vq_driver_get_inflight(
			g->balloon.queue[FPH_QUEUE_HINT].vq);
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
