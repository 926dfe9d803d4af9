/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A buddy allocator with free lists outside or inside the free pages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"

/* ------------------------------------------------------------- the lists -- */

/* What a free page begins with when the links are inside. */
struct inside {
	uint32_t next;
	uint32_t prev;
};

static uint32_t get_next(const struct pages *p, uint32_t page)
{
	struct inside in;

	if (p->links == PAGES_LINKS_OUTSIDE)
		return p->page[page].next;
	memcpy(&in, pages_get_mem(p, page), sizeof(in));
	return in.next;
}

static uint32_t get_prev(const struct pages *p, uint32_t page)
{
	struct inside in;

	if (p->links == PAGES_LINKS_OUTSIDE)
		return p->page[page].prev;
	memcpy(&in, pages_get_mem(p, page), sizeof(in));
	return in.prev;
}

static void set_links(struct pages *p, uint32_t page, uint32_t next,
		      uint32_t prev)
{
	struct inside in = { next, prev };

	if (p->links == PAGES_LINKS_OUTSIDE) {
		p->page[page].next = next;
		p->page[page].prev = prev;
	} else {
		memcpy(pages_get_mem(p, page), &in, sizeof(in));
	}
}

static void mark_block(struct pages *p, uint32_t page, uint32_t order,
		       bool is_free)
{
	uint32_t i;

	for (i = page; i < page + (1u << order); i++) {
		p->page[i].free = is_free;
		p->page[i].head = false;
	}
	p->page[page].head = is_free;
	p->page[page].order = (uint8_t)order;
}

static void list_add(struct pages *p, uint32_t page, uint32_t order,
		     bool reported, uint32_t round)
{
	uint32_t first = p->first[order];

	set_links(p, page, first, PAGES_NONE);
	if (first != PAGES_NONE)
		set_links(p, first, get_next(p, first), page);
	p->first[order] = page;
	mark_block(p, page, order, true);
	p->page[page].reported = reported;
	p->page[page].round = round;
	p->nfree += 1u << order;
}

static void list_remove(struct pages *p, uint32_t page)
{
	uint32_t order = p->page[page].order;
	uint32_t next = get_next(p, page);
	uint32_t prev = get_prev(p, page);

	if (p->cursor == page)
		p->cursor = next;
	if (prev == PAGES_NONE)
		p->first[order] = next;
	else
		set_links(p, prev, next, get_prev(p, prev));
	if (next != PAGES_NONE)
		set_links(p, next, get_next(p, next), prev);
	mark_block(p, page, order, false);
	p->nfree -= 1u << order;
}

static void note_min(struct pages *p)
{
	if (p->nfree < p->min_free)
		p->min_free = p->nfree;
}

/* ----------------------------------------------------------- the buddies -- */

void pages_init(struct pages *p, void *mem, uint64_t gpa, uint32_t page_size,
		uint32_t npages, enum pages_links links)
{
	uint32_t page, order;

	memset(p, 0, sizeof(*p));
	p->mem = mem;
	p->gpa = gpa;
	p->page_size = page_size;
	p->npages = npages;
	p->links = links;
	p->cursor = PAGES_NONE;
	p->page = calloc(npages, sizeof(*p->page));
	if (!p->page) {
		perror("pages_init");
		exit(1);
	}
	for (order = 0; order < PAGES_ORDERS; order++)
		p->first[order] = PAGES_NONE;
	for (page = 0; page < npages; page += 1u << order) {
		order = PAGES_ORDERS - 1;
		while ((page & ((1u << order) - 1)) ||
		       npages - page < 1u << order)
			order--;
		list_add(p, page, order, false, 0);
	}
	p->min_free = p->nfree;
}

void pages_fini(struct pages *p)
{
	free(p->page);
	p->page = NULL;
}

/* Splits a block that is in no list; what is left over keeps its marks. */
static void split(struct pages *p, uint32_t page, uint32_t from, uint32_t to)
{
	bool reported = p->page[page].reported;
	uint32_t round = p->page[page].round;

	while (from > to) {
		from--;
		list_add(p, page + (1u << from), from, reported, round);
	}
	p->page[page].order = (uint8_t)to;
}

uint32_t pages_alloc(struct pages *p, uint32_t order)
{
	uint32_t from, page;

	for (from = order; from < PAGES_ORDERS; from++)
		if (p->first[from] != PAGES_NONE)
			break;
	if (from >= PAGES_ORDERS)
		return PAGES_NONE;
	page = p->first[from];
	list_remove(p, page);
	split(p, page, from, order);
	note_min(p);
	return page;
}

static bool can_merge(const struct pages *p, uint32_t buddy, uint32_t order)
{
	return buddy < p->npages && p->page[buddy].head &&
	       p->page[buddy].order == order;
}

/* A merged block has a mark only if both halves have it. */
static void put_back(struct pages *p, uint32_t page, uint32_t order,
		     bool reported, uint32_t round)
{
	uint32_t buddy;

	while (order + 1 < PAGES_ORDERS) {
		buddy = page ^ (1u << order);
		if (!can_merge(p, buddy, order))
			break;
		list_remove(p, buddy);
		reported = reported && p->page[buddy].reported;
		if (round != p->page[buddy].round)
			round = 0;
		page &= ~(1u << order);
		order++;
	}
	list_add(p, page, order, reported, round);
}

void pages_free(struct pages *p, uint32_t page, uint32_t order)
{
	put_back(p, page, order, false, 0);
}

void pages_return(struct pages *p, uint32_t page, uint32_t order,
		  bool reported)
{
	put_back(p, page, order, reported, p->page[page].round);
}

/* ---------------------------------------------------- reporting, hinting -- */

uint32_t pages_isolate(struct pages *p, uint32_t min_order, uint32_t *order)
{
	uint32_t o, page;

	for (o = PAGES_ORDERS; o-- > min_order;) {
		page = p->first[o];
		while (page != PAGES_NONE && p->page[page].reported)
			page = get_next(p, page);
		if (page == PAGES_NONE)
			continue;
		list_remove(p, page);
		note_min(p);
		*order = o;
		return page;
	}
	return PAGES_NONE;
}

void pages_walk(struct pages *p)
{
	p->round++;
	p->cursor_order = PAGES_ORDERS - 1;
	p->cursor = p->first[p->cursor_order];
}

uint32_t pages_next(struct pages *p, uint32_t *order)
{
	uint32_t page;

	for (;;) {
		while (p->cursor == PAGES_NONE) {
			if (p->cursor_order == 0)
				return PAGES_NONE;
			p->cursor = p->first[--p->cursor_order];
		}
		page = p->cursor;
		p->cursor = get_next(p, page);
		if (p->page[page].round == p->round)
			continue;
		p->page[page].round = p->round;
		*order = p->page[page].order;
		return page;
	}
}

uint32_t pages_next_isolate(struct pages *p, uint32_t *order)
{
	uint32_t page = pages_next(p, order);

	if (page != PAGES_NONE) {
		list_remove(p, page);
		note_min(p);
	}
	return page;
}

/* ----------------------------------------------------------------- other -- */

uint64_t pages_get_gpa(const struct pages *p, uint32_t page)
{
	return p->gpa + (uint64_t)page * p->page_size;
}

uint32_t pages_from_gpa(const struct pages *p, uint64_t gpa)
{
	return (uint32_t)((gpa - p->gpa) / p->page_size);
}

void *pages_get_mem(const struct pages *p, uint32_t page)
{
	return p->mem + (uint64_t)page * p->page_size;
}

uint32_t pages_order_of(const struct pages *p, uint64_t len)
{
	uint32_t order = 0;

	while (((uint64_t)p->page_size << order) < len)
		order++;
	return order;
}

/* Pages in the free list of an order, or PAGES_NONE when it is not whole. */
static uint32_t check_list(const struct pages *p, uint32_t order)
{
	uint32_t page, prev = PAGES_NONE, sum = 0;

	for (page = p->first[order]; page != PAGES_NONE;
	     page = get_next(p, page)) {
		if (page >= p->npages || !p->page[page].head ||
		    p->page[page].order != order ||
		    get_prev(p, page) != prev)
			return PAGES_NONE;
		sum += 1u << order;
		if (sum > p->npages)
			return PAGES_NONE;
		prev = page;
	}
	return sum;
}

bool pages_check(const struct pages *p)
{
	uint32_t order, sum, total = 0;

	for (order = 0; order < PAGES_ORDERS; order++) {
		sum = check_list(p, order);
		if (sum == PAGES_NONE)
			return false;
		total += sum;
	}
	return total == p->nfree;
}
