/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A model of a guest kernel's page allocator, for tests and examples: a buddy
 * allocator over real memory.  It has what free page reporting and hinting
 * ask of an allocator: blocks that can be taken out of the free lists to be
 * reported, a mark so that none is reported twice, and a walk over what is
 * free that takes nothing out.
 *
 * A page is a block's first page or inside of one, and a block is
 *
 *	free		in the free list of its order
 *	allocated	in use, also when it was isolated for a report
 *
 * Pages are numbered from the start of the memory of the model.  No locks.
 */
#ifndef FPH_TESTS_PAGES_H
#define FPH_TESTS_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#define PAGES_SIZE	4096u		/* of a page, in most models */
#define PAGES_ORDERS	11u		/* blocks of 1 to 1024 pages */
#define PAGES_NONE	0xffffffffu

/* Where the links of the free lists are. */
enum pages_links {
	PAGES_LINKS_OUTSIDE,		/* in a table of their own */
	PAGES_LINKS_INSIDE		/* in the free pages themselves */
};

struct page {
	uint32_t next;			/* of the free list, links outside */
	uint32_t prev;
	uint32_t round;			/* of the last walk that saw it */
	uint8_t order;
	bool head;			/* first page of a free block */
	bool free;			/* in a free block */
	bool reported;			/* of a free block: all of it is */
};

struct pages {
	uint8_t *mem;
	uint64_t gpa;
	uint32_t page_size;		/* bytes */
	uint32_t npages;
	enum pages_links links;
	struct page *page;
	uint32_t first[PAGES_ORDERS];	/* of each free list */
	uint32_t nfree;			/* pages */
	uint32_t min_free;		/* the least that nfree has been */
	uint32_t round;
	uint32_t cursor;		/* of the walk, or PAGES_NONE */
	uint32_t cursor_order;
};

/*
 * pages_init - a model of npages pages, all free
 *
 * mem: the memory; gpa: its guest-physical address; page_size: bytes, a power
 * of two.  Exits when there is no memory for the tables.
 */
void pages_init(struct pages *p, void *mem, uint64_t gpa, uint32_t page_size,
		uint32_t npages, enum pages_links links);
void pages_fini(struct pages *p);

/* The first page of a block of 2^order pages, or PAGES_NONE. */
uint32_t pages_alloc(struct pages *p, uint32_t order);

/* Gives back an allocated block, which is merged with its neighbours. */
void pages_free(struct pages *p, uint32_t page, uint32_t order);

/*
 * pages_isolate - allocate a free block that is not reported
 *
 * The largest there is, of 2^min_order pages or more.  *order: its size.
 *
 * Its first page, or PAGES_NONE.
 */
uint32_t pages_isolate(struct pages *p, uint32_t min_order, uint32_t *order);

/* The way back: pages_free, and the block keeps the mark if reported. */
void pages_return(struct pages *p, uint32_t page, uint32_t order,
		  bool reported);

/*
 * Walk over the free blocks, larger ones first, without taking them out:
 * pages_walk begins, pages_next gives the next block.  A walk may be
 * interrupted by any other call.  It passes by what it has seen, and what
 * became free behind it; a block is new again once it was merged with one
 * that was freed.
 *
 * pages_next: the first page of the block, and *order; PAGES_NONE at the end.
 */
void pages_walk(struct pages *p);
uint32_t pages_next(struct pages *p, uint32_t *order);

/* The same, but isolates the block. */
uint32_t pages_next_isolate(struct pages *p, uint32_t *order);

uint64_t pages_get_gpa(const struct pages *p, uint32_t page);
uint32_t pages_from_gpa(const struct pages *p, uint64_t gpa);
void *pages_get_mem(const struct pages *p, uint32_t page);

/* The order of a block of len bytes: a power of two pages. */
uint32_t pages_order_of(const struct pages *p, uint64_t len);

/*
 * Whether the free lists are whole: each leads through free blocks of its
 * order, with links both ways, and together they hold nfree pages.
 */
bool pages_check(const struct pages *p);

#endif /* FPH_TESTS_PAGES_H */
