/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest's memory: who uses it, and with what in it. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "guest_private.h"
#include "supervise.h"

/* The data of a page at the start; that of a later version is in write_page. */
#define FIRST_VERSION	1u

struct header {
	uint32_t page;
	uint32_t version;
};

static uint64_t step(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static uint32_t guest_random(struct guest *g, uint32_t below)
{
	return (uint32_t)(step(&g->random) >> 20) % below;
}

static uint64_t page_seed(const struct guest *g, uint32_t page)
{
	return (g->seed + page + 1) * 0x9e3779b97f4a7c15u | 1;
}

/* Random bytes, or a page of zeros would cost a migration nothing. */
static void fill_page(const struct guest *g, uint32_t page)
{
	uint64_t x = page_seed(g, page), *at = pages_get_mem(&g->pages, page);
	uint32_t i;

	for (i = 0; i < PAGES_SIZE / 8; i++)
		at[i] = step(&x);
}

static bool is_first(const struct guest *g, uint32_t page, const uint8_t *at)
{
	uint64_t x = page_seed(g, page), v, want;
	uint32_t i;

	for (i = 0; i < PAGES_SIZE / 8; i++) {
		memcpy(&v, at + 8 * i, 8);
		want = step(&x);
		if (v != want)
			return false;
	}
	return true;
}

static uint8_t byte_of(uint32_t page, uint32_t version)
{
	return (uint8_t)(page * 31 + version * 7 + 1);
}

/* Two commands in place of a line of 8 KiB; the dirty log sees both. */
static void write_page(struct guest *g, uint32_t page)
{
	struct header h = { page, ++g->writes };
	uint64_t gpa = pages_get_gpa(&g->pages, page);

	g->version[page] = h.version;
	qtest_memset(&g->vm->qtest, gpa, byte_of(page, h.version), PAGES_SIZE);
	qtest_write(&g->vm->qtest, gpa, &h, sizeof(h));
}

static bool is_later(const struct guest *g, uint32_t page, const uint8_t *at)
{
	struct header h;
	uint8_t byte = byte_of(page, g->version[page]);
	uint32_t i;

	memcpy(&h, at, sizeof(h));
	if (h.page != page || h.version != g->version[page])
		return false;
	for (i = sizeof(h); i < PAGES_SIZE; i++)
		if (at[i] != byte)
			return false;
	return true;
}

static bool is_whole(const struct guest *g, uint32_t page, const uint8_t *ram)
{
	const uint8_t *at = ram + pages_get_gpa(&g->pages, page);

	return g->version[page] == FIRST_VERSION ? is_first(g, page, at) :
		is_later(g, page, at);
}

uint32_t guest_check(const struct guest *g, const uint8_t *ram)
{
	uint32_t page, n = 0;

	for (page = 0; page < g->pages.npages; page++) {
		if (!g->version[page])
			continue;
		n++;
		if (!is_whole(g, page, ram))
			die("page %u of %u lost its data (version %u, seed %u)",
			    page, g->pages.npages, g->version[page],
			    (uint32_t)g->seed);
	}
	return n;
}

uint32_t guest_count_lost(const struct guest *g, const uint8_t *ram)
{
	uint32_t page, n = 0;

	for (page = 0; page < g->pages.npages; page++)
		n += g->version[page] && !is_whole(g, page, ram);
	return n;
}

/* ---------------------------------------------------------- the workload -- */

/* Hinted pages that the hinter holds come back for an allocation. */
static bool shrink(struct guest *g)
{
	struct fph_returned r;

	if (g->mode == FPH_HINTER_NEVER ||
	    fph_hinter_shrink(g->hinter, &r, 1) != 1)
		return false;
	guest_take_back(g, &r, false);
	return true;
}

static void use_block(struct guest *g, bool write)
{
	struct guest_block *b = &g->blocks[g->nblocks];
	uint32_t i;

	b->order = guest_random(g, g->max_order + 1);
	CHECK(g->nblocks < GUEST_BLOCKS);
	do {
		b->page = pages_alloc(&g->pages, b->order);
	} while (b->page == PAGES_NONE && shrink(g));
	if (b->page == PAGES_NONE)
		return;
	g->nblocks++;
	for (i = b->page; i < b->page + (1u << b->order); i++) {
		if (g->hinted[i])
			g->reused++;
		if (write)
			write_page(g, i);
		else
			g->version[i] = FIRST_VERSION;
	}
}

static void drop_block(struct guest *g)
{
	uint32_t i = guest_random(g, g->nblocks);
	struct guest_block b = g->blocks[i];

	g->blocks[i] = g->blocks[--g->nblocks];
	memset(&g->version[b.page], 0, sizeof(uint32_t) << b.order);
	pages_free(&g->pages, b.page, b.order);
}

static uint32_t count_used(const struct guest *g)
{
	uint32_t page, n = 0;

	for (page = 0; page < g->pages.npages; page++)
		n += g->version[page] != 0;
	return n;
}

void guest_churn(struct guest *g, uint32_t n)
{
	while (n--) {
		if (g->nblocks && guest_random(g, 2))
			drop_block(g);
		else
			use_block(g, true);
	}
}

/* Twice as much as wanted, then back: used pages lie among free ones. */
static void populate(struct guest *g, uint32_t percent)
{
	uint32_t want = g->pages.npages / 100 * percent;
	uint32_t twice = want * 2 < g->pages.npages ? want * 2 : want;
	uint32_t used = 0;

	while (used < twice) {
		use_block(g, false);
		used += 1u << g->blocks[g->nblocks - 1].order;
	}
	while (used > want && g->nblocks) {
		drop_block(g);
		used = count_used(g);
	}
}

/* --------------------------------------------------------- start and end -- */

static void *table(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		die("no memory");
	return p;
}

void guest_start(struct guest *g, struct vm *vm, const struct guest_params *p)
{
	uint32_t page, n = (uint32_t)((vm->size - BALLOON_RESERVED) /
				      PAGES_SIZE);

	memset(g, 0, sizeof(*g));
	g->vm = vm;
	g->seed = p->seed;
	g->random = p->seed * 0x9e3779b97f4a7c15u | 1;
	g->max_order = p->max_order;
	g->mode = p->mode;
	g->writes = FIRST_VERSION;
	g->kept_page = PAGES_NONE;
	balloon_start(&g->balloon, vm, p->features);
	pages_init(&g->pages, g->balloon.ram + BALLOON_RESERVED,
		   BALLOON_RESERVED, PAGES_SIZE, n, PAGES_LINKS_OUTSIDE);
	g->version = table(n, sizeof(*g->version));
	g->hinted = table(n, sizeof(*g->hinted));
	g->blocks = table(GUEST_BLOCKS, sizeof(*g->blocks));
	for (page = 0; page < n; page++)
		fill_page(g, page);
	guest_init_report(g);
	guest_init_hint(g);
	populate(g, p->used_percent);
	CHECK(pages_check(&g->pages));
}

void guest_stop(struct guest *g)
{
	CHECK(pages_check(&g->pages));
	pages_fini(&g->pages);
	free(g->version);
	free(g->hinted);
	free(g->reporter_memory);
	free(g->hinter_memory);
	free(g->blocks);
	balloon_stop(&g->balloon);
}

void guest_move(struct guest *g, struct vm *vm)
{
	/* To the source it is complete when the last page is on its way. */
	qmp_migration_wait(&vm->qmp, "completed");
	g->vm = vm;
	balloon_move(&g->balloon, vm);
}
