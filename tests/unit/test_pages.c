/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The page model, alone and as it feeds reporter and hinter. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/guest.h>
#include <fph/host.h>
#include <fph/wire.h>

#include "../guest/pages.h"
#include "ring.h"
#include "runner.h"

#define NPAGES	2345u			/* no power of two */
#define GPA	0x40000000u
#define NHINTS	8u
#define ID	0x80000001u

/* Guests have pages of these sizes, and so do hosts. */
static const uint32_t sizes[] = { 4096, 16384, 65536 };

#define NSIZES	3

static uint32_t page_size = PAGES_SIZE;
static uint8_t *mem;
static struct pages p;
static uint8_t seen[NPAGES];		/* times that a page was offered */

static void setup_links(enum pages_links links)
{
	mem = malloc((size_t)NPAGES * page_size);
	ck_assert_ptr_nonnull(mem);
	memset(mem, 0xa5, (size_t)NPAGES * page_size);
	pages_init(&p, mem, GPA, page_size, NPAGES, links);
	memset(seen, 0, sizeof(seen));
}

static void setup(void)
{
	setup_links(PAGES_LINKS_OUTSIDE);
}

static void teardown(void)
{
	pages_fini(&p);
	free(mem);
}

static void set_page_size(uint32_t size)
{
	teardown();
	page_size = size;
	setup();
}

static void see(uint32_t page, uint32_t n)
{
	while (n--)
		seen[page++]++;
}

static void see_range(uint64_t gpa, uint64_t len)
{
	WANT(gpa >= GPA && gpa + len <= GPA + (uint64_t)NPAGES * page_size);
	WANT(gpa % page_size == 0 && len % page_size == 0);
	see(pages_from_gpa(&p, gpa), (uint32_t)(len / page_size));
}

/* Every free page was seen n times, every other one not at all. */
static void want_seen(uint8_t n)
{
	uint32_t page;

	for (page = 0; page < NPAGES; page++)
		WANT(seen[page] == (p.page[page].free ? n : 0));
}

struct block {
	uint32_t page;
	uint32_t order;
};

static struct block blocks[NPAGES];
static uint32_t nblocks;

static void churn(uint64_t *seed, uint32_t n)
{
	struct block *b;
	uint32_t i;

	while (n--) {
		if (nblocks && ring_random(seed) % 2) {
			i = ring_random(seed) % nblocks;
			pages_free(&p, blocks[i].page, blocks[i].order);
			blocks[i] = blocks[--nblocks];
			continue;
		}
		b = &blocks[nblocks];
		b->order = ring_random(seed) % 6;
		b->page = pages_alloc(&p, b->order);
		nblocks += b->page != PAGES_NONE;
	}
}

/* A guest of which about half is in use, in many pieces. */
static void populate(uint64_t *seed)
{
	nblocks = 0;
	while (p.nfree > NPAGES / 4) {
		struct block *b = &blocks[nblocks];

		b->order = ring_random(seed) % 5;
		b->page = pages_alloc(&p, b->order);
		ck_assert_uint_ne(b->page, PAGES_NONE);
		nblocks++;
	}
	churn(seed, 1000);
	ck_assert(pages_check(&p));
	ck_assert_uint_gt(p.nfree, 0);
	ck_assert_uint_lt(p.nfree, NPAGES);
}

/* ----------------------------------------------------------- the buddies -- */

START_TEST(all_and_none)
{
	uint32_t n = 0, page, order = 0;

	ck_assert_uint_eq(p.nfree, NPAGES);
	ck_assert(pages_check(&p));
	while ((page = pages_alloc(&p, 0)) != PAGES_NONE) {
		see(page, 1);
		n++;
	}
	ck_assert_uint_eq(n, NPAGES);
	ck_assert_uint_eq(p.nfree, 0);
	ck_assert_uint_eq(p.min_free, 0);
	ck_assert_uint_eq(pages_alloc(&p, 3), PAGES_NONE);
	ck_assert_uint_eq(pages_isolate(&p, 0, &order), PAGES_NONE);
	for (page = 0; page < NPAGES; page++)
		WANT(seen[page] == 1);
	for (page = 0; page < NPAGES; page++)
		pages_free(&p, page, 0);
	ck_assert(pages_check(&p));
	ck_assert_uint_eq(p.nfree, NPAGES);
	/* Merged as far as can be: the largest blocks are there again. */
	for (n = 0; n < NPAGES / 1024; n++)
		ck_assert_uint_ne(pages_alloc(&p, PAGES_ORDERS - 1),
				  PAGES_NONE);
	ck_assert_uint_eq(pages_alloc(&p, PAGES_ORDERS - 1), PAGES_NONE);
}
END_TEST

START_TEST(random_blocks)
{
	static uint8_t owner[NPAGES];
	uint64_t seed = 5;
	uint32_t i, j, k, used;

	nblocks = 0;
	for (i = 0; i < 2000; i++) {
		churn(&seed, 7);
		WANT(pages_check(&p));
		memset(owner, 0, sizeof(owner));
		for (j = used = 0; j < nblocks; j++) {
			WANT(blocks[j].page % (1u << blocks[j].order) == 0);
			for (k = 0; k < 1u << blocks[j].order; k++) {
				WANT(!owner[blocks[j].page + k]++);
				used++;
			}
		}
		WANT(used + p.nfree == NPAGES);
	}
}
END_TEST

START_TEST(translation)
{
	set_page_size(sizes[_i]);
	ck_assert_uint_eq(pages_get_gpa(&p, 3), GPA + 3 * page_size);
	ck_assert_uint_eq(pages_from_gpa(&p, GPA + 7 * page_size), 7);
	ck_assert_ptr_eq(pages_get_mem(&p, 2), mem + 2 * page_size);
	ck_assert_uint_eq(pages_order_of(&p, page_size), 0);
	ck_assert_uint_eq(pages_order_of(&p, 1024 * page_size), 10);
}
END_TEST

/* ------------------------------------------------------- marks and walks -- */

START_TEST(offered_once)
{
	uint32_t order = 0, page, before;
	uint64_t seed = 9;

	populate(&seed);
	before = p.nfree;
	while ((page = pages_isolate(&p, 0, &order)) != PAGES_NONE) {
		see(page, 1u << order);
		ck_assert_uint_eq(p.nfree, before - (1u << order));
		pages_return(&p, page, order, true);
		ck_assert_uint_eq(p.nfree, before);
	}
	want_seen(1);
	ck_assert(pages_check(&p));

	/* Split, a reported block stays so; freed, a page is new. */
	page = pages_alloc(&p, 0);
	ck_assert_uint_eq(pages_isolate(&p, 0, &order), PAGES_NONE);
	pages_free(&p, page, 0);
	page = pages_isolate(&p, 0, &order);
	ck_assert_uint_ne(page, PAGES_NONE);
	/* What was not reported after all is offered again. */
	pages_return(&p, page, order, false);
	ck_assert_uint_eq(pages_isolate(&p, 0, &order), page);
	ck_assert_uint_eq(pages_isolate(&p, 0, &order), PAGES_NONE);
}
END_TEST

START_TEST(not_below_the_order)
{
	uint32_t order = 0, page;
	uint64_t seed = 10;

	populate(&seed);
	while ((page = pages_isolate(&p, 3, &order)) != PAGES_NONE) {
		ck_assert_uint_ge(order, 3);
		pages_return(&p, page, order, true);
	}
	for (page = 0; page < NPAGES; page++)
		if (p.page[page].head)
			WANT(p.page[page].reported ==
			     (p.page[page].order >= 3));
}
END_TEST

START_TEST(walk_takes_nothing)
{
	uint32_t page, order = 0, last = PAGES_ORDERS, before;
	uint64_t seed = 11;
	int round;

	populate(&seed);
	before = p.nfree;
	p.min_free = p.nfree;
	for (round = 1; round <= 3; round++) {
		pages_walk(&p);
		while ((page = pages_next(&p, &order)) != PAGES_NONE) {
			ck_assert_uint_le(order, last);
			see(page, 1u << order);
			last = order;
		}
		want_seen((uint8_t)round);
		last = PAGES_ORDERS;
	}
	ck_assert_uint_eq(p.nfree, before);
	ck_assert_uint_eq(p.min_free, before);
	ck_assert_uint_eq(pages_next(&p, &order), PAGES_NONE);
}
END_TEST

/* Allocations between two steps: the rest is seen, and none twice. */
START_TEST(walk_beside_allocation)
{
	uint32_t page, order = 0, i, taken[64], n;
	uint64_t seed = 12;

	for (i = 0; i < 200; i++) {
		memset(seen, 0, sizeof(seen));
		n = 0;
		pages_walk(&p);
		while ((page = pages_next(&p, &order)) != PAGES_NONE) {
			see(page, 1u << order);
			if (n < 64 && ring_random(&seed) % 3 == 0) {
				taken[n] = pages_alloc(&p, 0);
				n += taken[n] != PAGES_NONE;
			}
		}
		for (page = 0; page < NPAGES; page++)
			WANT(p.page[page].free ? seen[page] == 1 :
			     seen[page] <= 1);
		WANT(pages_check(&p));
		while (n > 3)
			pages_free(&p, taken[--n], 0);
	}
}
END_TEST

START_TEST(walk_beside_anything)
{
	uint32_t page, order = 0, i;
	uint64_t seed = 13;

	populate(&seed);
	for (i = 0; i < 100; i++) {
		pages_walk(&p);
		while ((page = pages_next(&p, &order)) != PAGES_NONE) {
			WANT(p.page[page].head && p.page[page].order == order);
			churn(&seed, 2);
		}
		WANT(pages_check(&p));
	}
}
END_TEST

/* -------------------------------------------------- reporter and hinter -- */

static struct fph_owned_range block_range(uint32_t page, uint32_t order)
{
	struct fph_owned_range range = {
		pages_get_gpa(&p, page), (uint64_t)page_size << order, page
	};

	return range;
}

static void return_block(const struct fph_returned *back, bool reported)
{
	pages_return(&p, (uint32_t)back->owner, pages_order_of(&p, back->len),
		     reported);
}

static struct fph_reporter *init_reporter(void)
{
	static uint64_t memory[FPH_REPORTER_SIZE(32, 2) / 8];
	const struct fph_reporter_params rp = {
		.size = sizeof(rp),
		.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING),
		.content = FPH_CONTENT_FREE,
		.max_ranges = 32, .window = 2, .low_water = 1, .max_segs = 16,
		.retry_delay = 1, .max_failures = 1
	};
	struct fph_reporter *r;

	ck_assert_int_eq(fph_reporter_init(&r, memory, sizeof(memory), &rp),
			 FPH_OK);
	return r;
}

/* Until nothing is due: what goes out comes back used. */
static void report_all(struct fph_reporter *r)
{
	struct fph_returned back;
	struct fph_buffer buffer;
	struct fph_used used = { 0 };
	struct fph_seg segs[16];

	ck_assert_int_eq(fph_reporter_flush(r), FPH_OK);
	while (fph_reporter_submit(r, 0, &buffer, 1, segs, 16) == 1) {
		for (uint32_t i = 0; i < buffer.nwrite; i++)
			see_range(segs[i].gpa, segs[i].len);
		used.cookie = buffer.cookie;
		ck_assert_int_eq(fph_reporter_complete(r, 0, &used, 1, true),
				 1);
	}
	while (fph_reporter_take_back(r, &back, 1) == 1)
		return_block(&back, back.used);
}

START_TEST(feeds_the_reporter)
{
	struct fph_reporter *r = init_reporter();
	struct fph_reporter_amounts a;
	struct fph_owned_range range;
	uint32_t page, order = 0, held, before;
	uint64_t seed = 14;

	set_page_size(sizes[_i]);
	populate(&seed);
	before = p.nfree;
	do {
		held = 0;
		while (held < 32 && (page = pages_isolate(&p, 0, &order)) !=
		       PAGES_NONE) {
			range = block_range(page, order);
			ck_assert_int_eq(fph_reporter_add(r, 0, &range, 1), 1);
			held++;
		}
		report_all(r);
		ck_assert_int_eq(fph_reporter_get_amounts(r, &a, sizeof(a)),
				 FPH_OK);
	} while (held || a.waiting.ranges);
	ck_assert_uint_eq(p.nfree, before);
	want_seen(1);
	ck_assert(pages_check(&p));
}
END_TEST

/* ------------------------------------------------ the pages of the host -- */

#define UNIT	4096u
#define NUNITS	(NPAGES * 16u)		/* of the largest pages */

static bool reported[NUNITS];		/* in the buffer that is worked on */

static struct fph_report *init_host(uint64_t granule)
{
	static uint64_t memory[FPH_REPORT_SIZE(64, 2) / 8];
	const struct fph_report_params hp = {
		.size = sizeof(hp), .max_ranges = 64, .max_buffers = 2,
		.queue = FPH_QUEUE_REPORT, .granule = granule
	};
	struct fph_report *h;

	ck_assert_int_eq(fph_report_init(&h, memory, sizeof(memory), &hp),
			 FPH_OK);
	return h;
}

/* What is wholly reported is discarded, by pages of the host; no more is. */
static void want_discarded(uint64_t granule)
{
	uint32_t units = (uint32_t)(granule / UNIT), at, i;
	uint32_t end = NPAGES * (page_size / UNIT);
	bool whole;

	for (at = 0; at < end; at += units) {
		for (whole = at + units <= end, i = 0; whole && i < units; i++)
			whole = reported[at + i];
		for (i = at; i < at + units && i < end; i++)
			WANT(mem[(size_t)i * UNIT] == (whole ? 0 : 0xa5));
	}
}

static void discard(struct fph_report *h, const struct fph_buffer *buffer,
		    const struct fph_seg *segs, uint64_t granule)
{
	struct fph_used used;
	struct fph_run run;
	uint32_t i, k;

	memset(reported, 0, sizeof(reported));
	for (i = 0; i < buffer->nwrite; i++) {
		for (k = 0; k < segs[i].len / UNIT; k++)
			reported[(segs[i].gpa - GPA) / UNIT + k] = true;
	}
	ck_assert_int_eq(fph_report_add(h, buffer, 1, segs), 1);
	while (fph_report_next(h, &run, 1) == 1) {
		WANT(run.gpa % granule == 0 && run.len % granule == 0);
		memset(mem + (run.gpa - GPA), 0, (size_t)run.len);
		run.outcome = FPH_OUTCOME_DISCARDED;
		run.done = run.freed = run.len;
		ck_assert_int_eq(fph_report_complete(h, &run, 1), 1);
	}
	ck_assert_int_eq(fph_report_take_used(h, &used, 1), 1);
	want_discarded(granule);
	/* The guest finds its pages full again before the next report. */
	memset(mem, 0xa5, (size_t)NPAGES * page_size);
}

START_TEST(feeds_a_host_of_other_pages)
{
	uint64_t granule = sizes[_i / NSIZES];
	struct fph_report *h = init_host(granule);
	struct fph_reporter *r = init_reporter();
	struct fph_used used = { 0 };
	struct fph_owned_range range;
	struct fph_returned back;
	struct fph_buffer buffer;
	struct fph_seg segs[16];
	uint32_t page, order = 0, buffers = 0;
	uint64_t seed = 18;

	set_page_size(sizes[_i % NSIZES]);
	populate(&seed);
	while (buffers < 8) {
		page = pages_isolate(&p, 0, &order);
		if (page != PAGES_NONE) {
			range = block_range(page, order);
			ck_assert_int_eq(fph_reporter_add(r, 0, &range, 1), 1);
			if (buffers % 2 || order > 2)
				ck_assert_int_eq(fph_reporter_flush(r), FPH_OK);
		}
		if (fph_reporter_submit(r, 0, &buffer, 1, segs, 16) != 1)
			continue;
		discard(h, &buffer, segs, granule);
		used.cookie = buffer.cookie;
		ck_assert_int_eq(fph_reporter_complete(r, 0, &used, 1, true),
				 1);
		while (fph_reporter_take_back(r, &back, 1) == 1)
			return_block(&back, true);
		buffers++;
	}
}
END_TEST

static uint64_t hinter_memory[FPH_HINTER_SIZE(NPAGES, NHINTS) / 8];

static int init_hinter(struct fph_hinter **h, uint32_t mode)
{
	const struct fph_hinter_params hp = {
		.size = sizeof(hp),
		.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT),
		.content = FPH_CONTENT_FREE,
		.mode = mode,
		.flags = p.links == PAGES_LINKS_OUTSIDE ?
			 FPH_HINTER_METADATA_OUTSIDE : 0,
		.max_ranges = NPAGES, .max_hints = NHINTS, .max_segs = 16,
		.commands = 4
	};

	return fph_hinter_init(h, hinter_memory, sizeof(hinter_memory), &hp);
}

/* A host that uses hints at the worst: their content is gone at once. */
static void drop_content(const struct fph_seg *segs, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		memset(mem + (segs[i].gpa - GPA), 0, segs[i].len);
}

static void exchange(struct fph_hinter *h)
{
	struct fph_returned back;
	struct fph_buffer buffer;
	struct fph_used used = { 0 };
	struct fph_seg segs[16];

	while (fph_hinter_submit(h, 64, &buffer, 1, segs, 16) == 1) {
		for (uint32_t i = 0; i < buffer.nwrite; i++)
			see_range(segs[i].gpa, segs[i].len);
		drop_content(segs, buffer.nwrite);
		used.cookie = buffer.cookie;
		ck_assert_int_eq(fph_hinter_complete(h, &used, 1), 1);
	}
	while (fph_hinter_take_back(h, &back, 1) == 1)
		return_block(&back, false);
}

/* One round over all free blocks, ten at a time. */
static void hint_all(struct fph_hinter *h, uint32_t mode)
{
	struct fph_owned_range range;
	uint32_t page = 0, order = 0, i;

	ck_assert_int_eq(fph_hinter_set_config(h, ID), FPH_OK);
	pages_walk(&p);
	while (page != PAGES_NONE) {
		for (i = 0; i < 10; i++) {
			page = mode == FPH_HINTER_NEVER ?
				pages_next(&p, &order) :
				pages_next_isolate(&p, &order);
			if (page == PAGES_NONE)
				break;
			range = block_range(page, order);
			ck_assert_int_eq(fph_hinter_add(h, ID, &range, 1), 1);
		}
		ck_assert_int_eq(fph_hinter_flush(h), FPH_OK);
		exchange(h);
	}
	ck_assert_int_eq(fph_hinter_finish_input(h), FPH_OK);
	exchange(h);
	ck_assert_int_eq(fph_hinter_get_state(h), FPH_HINTER_IDLE);
}

START_TEST(never_takes_no_page)
{
	struct fph_hinter *h;
	uint64_t seed = 15;

	set_page_size(sizes[_i]);
	populate(&seed);
	p.min_free = p.nfree;
	ck_assert_int_eq(init_hinter(&h, FPH_HINTER_NEVER), FPH_OK);
	hint_all(h, FPH_HINTER_NEVER);
	want_seen(1);
	ck_assert_uint_eq(p.min_free, p.nfree);
	ck_assert(pages_check(&p));
}
END_TEST

START_TEST(held_pages_come_back)
{
	static const uint32_t modes[] = { FPH_HINTER_HOLD, FPH_HINTER_UNTIL_USED };
	struct fph_hinter *h;
	uint32_t before, links, i;
	uint64_t seed = 16;

	page_size = sizes[_i];
	/* What is allocated has no links inside: both variants are safe. */
	for (links = 0; links < 2; links++) {
		teardown();
		setup_links(links ? PAGES_LINKS_INSIDE : PAGES_LINKS_OUTSIDE);
		populate(&seed);
		before = p.nfree;
		for (i = 0; i < 2; i++) {
			memset(seen, 0, sizeof(seen));
			ck_assert_int_eq(init_hinter(&h, modes[i]), FPH_OK);
			hint_all(h, modes[i]);
			ck_assert_uint_eq(p.nfree, modes[i] ==
					  FPH_HINTER_HOLD ? 0 : before);
			fph_hinter_set_config(h, VIRTIO_BALLOON_CMD_ID_DONE);
			exchange(h);
			ck_assert_uint_eq(p.nfree, before);
			want_seen(1);
			ck_assert(pages_check(&p));
		}
	}
}
END_TEST

/* Why the hinter asks where the metadata is. */
START_TEST(links_inside_break)
{
	struct fph_hinter *h = NULL;
	uint32_t page, order = 0;
	struct fph_seg seg;
	uint64_t seed = 17;

	teardown();
	setup_links(PAGES_LINKS_INSIDE);
	populate(&seed);
	ck_assert_int_eq(init_hinter(&h, FPH_HINTER_NEVER), FPH_EREFUSED);
	ck_assert_ptr_null(h);

	/* Hinted all the same, one block in its list is enough. */
	pages_walk(&p);
	page = pages_next(&p, &order);
	ck_assert_uint_ne(page, PAGES_NONE);
	seg.gpa = pages_get_gpa(&p, page);
	seg.len = page_size << order;
	ck_assert(pages_check(&p));
	drop_content(&seg, 1);
	ck_assert(!pages_check(&p));
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("pages");
	TCase *a = tcase_create("alone"), *f = tcase_create("feeding");

	tcase_add_checked_fixture(a, setup, teardown);
	tcase_add_checked_fixture(f, setup, teardown);
	tcase_set_timeout(a, 120);
	tcase_set_timeout(f, 120);
	tcase_add_test(a, all_and_none);
	tcase_add_test(a, random_blocks);
	tcase_add_loop_test(a, translation, 0, NSIZES);
	tcase_add_test(a, offered_once);
	tcase_add_test(a, not_below_the_order);
	tcase_add_test(a, walk_takes_nothing);
	tcase_add_test(a, walk_beside_allocation);
	tcase_add_test(a, walk_beside_anything);
	tcase_add_loop_test(f, feeds_the_reporter, 0, NSIZES);
	tcase_add_loop_test(f, feeds_a_host_of_other_pages, 0, NSIZES * NSIZES);
	tcase_add_loop_test(f, never_takes_no_page, 0, NSIZES);
	tcase_add_loop_test(f, held_pages_come_back, 0, NSIZES);
	tcase_add_test(f, links_inside_break);
	suite_add_tcase(s, a);
	suite_add_tcase(s, f);
	return s;
}
