/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The pace of reporting: each rule, and what it saves a guest at work. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fph/policy.h>

#include "../guest/pages.h"
#include "runner.h"

#define SECOND	((uint64_t)1000000000)
#define MIB	((uint64_t)1 << 20)

static uint64_t mem[FPH_PACE_SIZE / 8];

static struct fph_pace *make(uint32_t min_order, uint32_t max_order)
{
	struct fph_pace_params params = { .size = sizeof(params),
					  .min_order = min_order,
					  .max_order = max_order };
	struct fph_pace *p;

	memset(mem, 0xa5, sizeof(mem));
	ck_assert_int_eq(fph_pace_init(&p, mem, sizeof(mem), &params, 0),
			 FPH_OK);
	return p;
}

static uint64_t deadline(const struct fph_pace *p)
{
	uint64_t when;

	ck_assert_int_eq(fph_pace_get_deadline(p, &when), FPH_OK);
	return when;
}

static void end_pass(struct fph_pace *p, uint64_t now, uint64_t reported)
{
	ck_assert_int_eq(fph_pace_end_pass(p, now, reported), FPH_OK);
}

START_TEST(init_refused)
{
	struct fph_pace_params params = { .size = sizeof(params) };
	struct fph_pace *p = NULL;
	uint64_t when;

	ck_assert_int_eq(fph_pace_init(NULL, mem, sizeof(mem), &params, 0),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_pace_init(&p, NULL, sizeof(mem), &params, 0),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_pace_init(&p, mem, 8, &params, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_pace_init(&p, mem, sizeof(mem), NULL, 0),
			 FPH_EINVAL);
	params.size--;
	ck_assert_int_eq(fph_pace_init(&p, mem, sizeof(mem), &params, 0),
			 FPH_EINVAL);
	params = (struct fph_pace_params){ .size = sizeof(params),
					   .min_order = 3, .max_order = 2 };
	ck_assert_int_eq(fph_pace_init(&p, mem, sizeof(mem), &params, 0),
			 FPH_EINVAL);
	params = (struct fph_pace_params){ .size = sizeof(params),
					   .max_order = 52 };
	ck_assert_int_eq(fph_pace_init(&p, mem, sizeof(mem), &params, 0),
			 FPH_EINVAL);
	params = (struct fph_pace_params){ .size = sizeof(params),
					   .reuse_shift = 64 };
	ck_assert_int_eq(fph_pace_init(&p, mem, sizeof(mem), &params, 0),
			 FPH_EINVAL);
	params = (struct fph_pace_params){ .size = sizeof(params),
					   .max_delay = 1 };
	ck_assert_int_eq(fph_pace_init(&p, mem, sizeof(mem), &params, 0),
			 FPH_EINVAL);
	ck_assert_ptr_null(p);
	ck_assert_int_eq(fph_pace_add_reused(NULL, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_pace_end_pass(NULL, 0, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_pace_get_order(NULL), FPH_EUNINIT);
	ck_assert_int_eq(fph_pace_get_deadline(NULL, &when), FPH_EUNINIT);
	ck_assert_int_eq(fph_pace_get_counters(NULL, NULL, 0), FPH_EUNINIT);
}
END_TEST

START_TEST(defaults)
{
	struct fph_pace *p = make(0, 0);

	ck_assert_int_eq(fph_pace_get_order(p), 9);
	ck_assert_uint_eq(deadline(p), 0);
	end_pass(p, 5, 1);
	ck_assert_uint_eq(deadline(p), 5 + 2 * SECOND);
	ck_assert_int_eq(fph_pace_get_deadline(p, NULL), FPH_EINVAL);
	ck_assert_int_eq(fph_pace_get_counters(p, NULL, 8), FPH_EINVAL);
	ck_assert_int_eq(fph_pace_get_order(make(10, 0)), 10);
	p = make(0, 0);
	end_pass(p, ~(uint64_t)0 - 1, 0);
	ck_assert_uint_eq(deadline(p), ~(uint64_t)0);
}
END_TEST

/* A guest that rests: each pass that finds nothing leads one order down. */
START_TEST(goes_finer)
{
	struct fph_pace *p = make(1, 3);
	struct fph_pace_counters c;

	end_pass(p, 0, MIB);
	ck_assert_int_eq(fph_pace_get_order(p), 3);
	for (int want = 2; want >= 1; want--) {
		end_pass(p, 0, 0);
		ck_assert_int_eq(fph_pace_get_order(p), want);
	}
	end_pass(p, 0, 0);
	ck_assert_int_eq(fph_pace_get_order(p), 1);
	ck_assert_int_eq(fph_pace_get_counters(p, &c, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_pace_get_counters(p, &c, sizeof(c)), FPH_OK);
	ck_assert_uint_eq(c.finer, 2);
	ck_assert_uint_eq(c.passes, 4);
	ck_assert_uint_eq(c.reported_bytes, MIB);
	ck_assert_uint_eq(c.backed_off, 0);
}
END_TEST

/* More than a quarter is allocated again: larger blocks, half as often. */
START_TEST(backs_off)
{
	struct fph_pace *p = make(0, 3);

	for (int i = 0; i < 3; i++)
		end_pass(p, 0, 0);
	ck_assert_int_eq(fph_pace_get_order(p), 0);
	ck_assert_int_eq(fph_pace_add_reused(p, MIB), FPH_OK);
	end_pass(p, 0, 4 * MIB);	/* a quarter, not more */
	ck_assert_int_eq(fph_pace_get_order(p), 0);
	ck_assert_uint_eq(deadline(p), 2 * SECOND);
	ck_assert_int_eq(fph_pace_add_reused(p, 2 * MIB), FPH_OK);
	end_pass(p, 0, 4 * MIB);	/* 2.5 of 6 of late */
	ck_assert_int_eq(fph_pace_get_order(p), 1);
	ck_assert_uint_eq(deadline(p), 4 * SECOND);
	for (int i = 0; i < 9; i++) {
		fph_pace_add_reused(p, 8 * MIB);
		end_pass(p, 0, MIB);
	}
	ck_assert_int_eq(fph_pace_get_order(p), 3);
	ck_assert_uint_eq(deadline(p), 64 * SECOND);
}
END_TEST

/* The delay comes down first, and small blocks only after that. */
START_TEST(recovers)
{
	struct fph_pace *p = make(0, 3);
	uint64_t want;

	for (int i = 0; i < 3; i++) {
		fph_pace_add_reused(p, MIB);
		end_pass(p, 0, 0);
	}
	ck_assert_uint_eq(deadline(p), 16 * SECOND);
	end_pass(p, 0, 8 * MIB);
	for (want = 4 * SECOND; want >= 2 * SECOND; want /= 2) {
		end_pass(p, 0, 0);
		ck_assert_int_eq(fph_pace_get_order(p), 3);
		ck_assert_uint_eq(deadline(p), want);
	}
	end_pass(p, 0, 0);
	ck_assert_int_eq(fph_pace_get_order(p), 2);
}
END_TEST

/* ------------------------------------------------------- a guest at work -- */

#define NPAGES		16384u		/* 64 MiB */
#define NBLOCKS		4096u
#define BUSY		120u		/* seconds */
#define RESTS		300u

struct block {
	uint32_t page;
	uint32_t order;
};

struct work {
	struct pages pages;
	struct block blocks[NBLOCKS];	/* in use */
	uint32_t nblocks;
	uint32_t used;			/* pages */
	uint32_t seed;
	struct fph_pace *pace;		/* NULL: the order is fixed */
	uint32_t order;
	uint64_t due;
	uint64_t reported;		/* bytes in all */
	uint64_t reused;		/* bytes while it was busy */
};

static uint32_t get_random(struct work *w, uint32_t n)
{
	w->seed = w->seed * 1664525u + 1013904223u;
	return (w->seed >> 8) % n;
}

static void take(struct work *w)
{
	struct block *b = &w->blocks[w->nblocks];

	b->order = get_random(w, 6);
	b->page = pages_alloc(&w->pages, b->order);
	if (b->page == PAGES_NONE)
		return;
	if (w->pages.page[b->page].reported) {
		uint64_t bytes = (uint64_t)PAGES_SIZE << b->order;

		w->reused += bytes;
		if (w->pace)
			fph_pace_add_reused(w->pace, bytes);
	}
	w->used += 1u << b->order;
	w->nblocks++;
}

static void give(struct work *w)
{
	uint32_t i = get_random(w, w->nblocks);

	pages_free(&w->pages, w->blocks[i].page, w->blocks[i].order);
	w->used -= 1u << w->blocks[i].order;
	w->blocks[i] = w->blocks[--w->nblocks];
}

/* A second of a build: memory in use goes up and down. */
static void build(struct work *w, uint32_t second)
{
	uint32_t target = NPAGES / 8 * (2 + second / 5 % 5);

	for (uint32_t i = 0; i < 600; i++) {
		if (w->used < target && w->nblocks < NBLOCKS)
			take(w);
		else if (w->nblocks)
			give(w);
	}
}

static void pass(struct work *w, uint64_t now)
{
	uint32_t least = w->pace ? (uint32_t)fph_pace_get_order(w->pace) :
				   w->order;
	uint32_t order, page;
	uint64_t bytes = 0;

	while ((page = pages_isolate(&w->pages, least, &order)) != PAGES_NONE) {
		pages_return(&w->pages, page, order, true);
		bytes += (uint64_t)PAGES_SIZE << order;
	}
	w->reported += bytes;
	if (!w->pace) {
		w->due = now + 2 * SECOND;
		return;
	}
	fph_pace_end_pass(w->pace, now, bytes);
	w->due = deadline(w->pace);
}

static uint64_t count_left(const struct work *w)
{
	uint64_t left = 0;

	for (uint32_t page = 0; page < NPAGES; page++) {
		const struct page *p = &w->pages.page[page];

		if (p->head && !p->reported)
			left += (uint64_t)PAGES_SIZE << p->order;
	}
	return left;
}

/* Three builds, each with a rest behind it: bytes that are left then. */
static uint64_t run(struct work *w, uint8_t *ram, struct fph_pace *pace,
		    uint32_t order)
{
	uint64_t left;

	memset(w, 0, sizeof(*w));
	pages_init(&w->pages, ram, 0, PAGES_SIZE, NPAGES, PAGES_LINKS_OUTSIDE);
	w->seed = 1;
	w->pace = pace;
	w->order = order;
	for (uint32_t s = 0; s < 3 * (BUSY + RESTS); s++) {
		if (s % (BUSY + RESTS) < BUSY)
			build(w, s);
		if (s * SECOND >= w->due)
			pass(w, s * SECOND);
	}
	left = count_left(w);
	printf("%s %u: reported %" PRIu64 " MiB, allocated again %" PRIu64
	       " MiB, left %" PRIu64 " KiB\n", pace ? "pace" : "order", order,
	       w->reported / MIB, w->reused / MIB, left / 1024);
	pages_fini(&w->pages);
	return left;
}

/* What order 0 returns, at the price of order 9. */
START_TEST(pays)
{
	struct work *w = malloc(sizeof(*w));
	uint8_t *ram = malloc(NPAGES * (size_t)PAGES_SIZE);
	uint64_t left9, reused9, reported9;

	ck_assert(w && ram);
	left9 = run(w, ram, NULL, 9);
	reused9 = w->reused;
	reported9 = w->reported;
	ck_assert_uint_eq(run(w, ram, NULL, 0), 0);
	ck_assert_uint_gt(w->reused, 10 * reused9);
	ck_assert_uint_eq(run(w, ram, make(0, 9), 0), 0);
	ck_assert_uint_le(w->reused, reused9);
	ck_assert_uint_le(w->reported, reported9 + left9);
	free(ram);
	free(w);
}
END_TEST

RUNNER_SUITE("pace", init_refused, defaults, goes_finer, backs_off, recovers,
	     pays)
