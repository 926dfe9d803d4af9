/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Allocations that fail, each in turn: lib/vmm is built for this test with an
 * allocator that counts.  new answers FPH_ENOMEM and leaves nothing behind.
 */
#undef malloc
#undef calloc
#undef free

#include <check.h>
#include <stdlib.h>

#include <fph-vmm/balloon.h>
#include <fph/wire.h>

#include "runner.h"

#define FEATURES	(FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | \
			 FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING))
#define NEVER		1000u

static uint32_t left = NEVER;		/* allocations until one fails */
static int alive;			/* not freed yet */

static void *count(void *p)
{
	alive += p != NULL;
	return p;
}

static int is_failing(void)
{
	return left != NEVER && !left--;
}

void *test_malloc(size_t size)
{
	return is_failing() ? NULL : count(malloc(size));
}

void *test_calloc(size_t n, size_t size)
{
	return is_failing() ? NULL : count(calloc(n, size));
}

void test_free(void *p)
{
	alive -= p != NULL;
	free(p);
}

/* How often make answered FPH_ENOMEM before it had all that it wanted. */
static uint32_t count_failures(void *(*make)(int *status),
			       void (*unmake)(void *))
{
	int status = FPH_OK, before = alive;
	uint32_t n;
	void *p;

	for (n = 0;; n++) {
		left = n;
		p = make(&status);
		left = NEVER;
		if (p)
			break;
		ck_assert_int_eq(status, FPH_ENOMEM);
		ck_assert_int_eq(alive, before);
	}
	ck_assert_int_eq(status, FPH_OK);
	unmake(p);
	ck_assert_int_eq(alive, before);
	return n;
}

static struct fph_memory *memory;
static uint8_t pages[0x10000] __attribute__((aligned(4096)));
static uint32_t flags;

static void *make_memory(int *status)
{
	return fph_memory_new(NULL, status);
}

static void unmake_memory(void *p)
{
	fph_memory_free(p);
}

static void *make_reclaim(int *status)
{
	struct fph_reclaim_params p = { .size = sizeof(p), .memory = memory };

	return fph_reclaim_new(&p, status);
}

static void unmake_reclaim(void *p)
{
	fph_reclaim_free(p);
}

static struct fph_balloon *new_balloon(int *status)
{
	struct fph_balloon_params p = {
		.size = sizeof(p), .memory = memory, .features = FEATURES,
		.flags = flags, .inflate_granule = 0x2000,
		.max_collected = sizeof(pages)
	};

	return fph_balloon_new(&p, status);
}

static void *make_balloon(int *status)
{
	return new_balloon(status);
}

static void unmake_balloon(void *p)
{
	fph_balloon_free(p);
}

static void set_up(void)
{
	struct fph_region region = {
		.len = sizeof(pages), .host = pages, .fd = -1,
		.page_size = 4096, .backing = FPH_BACKING_ANON
	};

	memory = fph_memory_new(NULL, NULL);
	ck_assert_ptr_nonnull(memory);
	ck_assert_int_eq(fph_memory_add(memory, &region), FPH_OK);
}

START_TEST(new_gives_up_cleanly)
{
	set_up();
	ck_assert_uint_eq(count_failures(make_memory, unmake_memory), 3);
	ck_assert_uint_eq(count_failures(make_reclaim, unmake_reclaim), 1);
	/* Itself, scratch twice, three parts, collected pages, five rings. */
	flags = 0;
	ck_assert_uint_eq(count_failures(make_balloon, unmake_balloon), 12);
	flags = FPH_BALLOON_HOLD_DEFLATE;
	ck_assert_uint_eq(count_failures(make_balloon, unmake_balloon), 13);
	fph_memory_free(memory);
	ck_assert_int_eq(alive, 0);
}
END_TEST

/* The device is loaded into another one first, for which there is no memory. */
START_TEST(load_gives_up_cleanly)
{
	static uint8_t state[0x4000];
	struct fph_balloon *b;
	size_t size;
	int ret, before;
	uint32_t n;

	set_up();
	b = new_balloon(NULL);
	ck_assert_ptr_nonnull(b);
	fph_balloon_set_target(b, 9);
	ck_assert_int_eq(fph_balloon_save(b, state, sizeof(state), &size),
			 FPH_OK);
	fph_balloon_set_target(b, 8);
	before = alive;
	for (n = 0;; n++) {
		left = n;
		ret = fph_balloon_load(b, state, size, 0, NULL);
		left = NEVER;
		ck_assert_int_eq(alive, before);
		if (ret == FPH_OK)
			break;
		ck_assert_int_eq(ret, FPH_ENOMEM);
		ck_assert_uint_eq(fph_balloon_get_target(b), 8);
	}
	ck_assert_uint_gt(n, 5);
	ck_assert_uint_eq(fph_balloon_get_target(b), 9);
	fph_balloon_free(b);
	fph_memory_free(memory);
	ck_assert_int_eq(alive, 0);
}
END_TEST

RUNNER_SUITE("alloc",
	     new_gives_up_cleanly,
	     load_gives_up_cleanly)
