/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The page set, against a byte a page. */
#include <stdlib.h>
#include <string.h>

#include "vmm/page_set.h"

#include "runner.h"

#define PAGE	((uint64_t)4096)
#define BASE	((uint64_t)1 << 32)
#define NPAGES	4096u

static uint8_t model[NPAGES];
static struct fph_page_set *set;
static void *mem;

static void make(uint64_t granule)
{
	struct fph_page_set_params p = {
		.page_size = (uint32_t)PAGE,
		.gpa = BASE,
		.len = NPAGES * PAGE,
		.granule = granule,
	};
	size_t size = fph_page_set_size(&p);

	free(mem);
	mem = calloc(1, size);
	ck_assert_int_eq(fph_page_set_init(&set, mem, size, &p), FPH_OK);
	memset(model, 0, sizeof(model));
}

static struct fph_range range(uint64_t first, uint64_t n)
{
	struct fph_range r = { BASE + first * PAGE, n * PAGE };

	return r;
}

static void add(uint64_t first, uint64_t n)
{
	struct fph_range r = range(first, n);

	fph_page_set_add(set, &r);
	memset(model + first, 1, n);
}

static void remove_pages(uint64_t first, uint64_t n)
{
	struct fph_range r = range(first, n);

	fph_page_set_remove(set, &r);
	memset(model + first, 0, n);
}

/* Takes everything, n ranges a call, and holds it against the model. */
static void take_all(uint64_t granule, uint32_t n)
{
	uint32_t per = (uint32_t)(granule / PAGE);
	struct fph_range got[8];
	uint32_t at = 0, i, left = 0;

	do {
		uint32_t k = fph_page_set_take(set, got, n);

		ck_assert_uint_le(k, n);
		for (i = 0; i < k; i++) {
			uint32_t first = (uint32_t)((got[i].gpa - BASE) /
						    PAGE);
			uint32_t pages = (uint32_t)(got[i].len / PAGE);

			/* No whole granule was passed over. */
			for (; at < first; at += per)
				ck_assert(memchr(model + at, 0, per));
			ck_assert_uint_eq(at, first);
			ck_assert_uint_eq(pages % per, 0);
			ck_assert_ptr_null(memchr(model + at, 0, pages));
			memset(model + at, 0, pages);
			at += pages;
			/* The run is maximal. */
			ck_assert(at == NPAGES ||
				  memchr(model + at, 0, per));
		}
		if (k < n)
			break;
	} while (true);
	for (; at < NPAGES; at += per)
		ck_assert(memchr(model + at, 0, per));
	for (i = 0; i < NPAGES; i++)
		left += model[i];
	ck_assert_uint_eq(fph_page_set_get_pages(set), left);
	ck_assert_uint_eq(fph_page_set_take(set, got, n), 0);
}

static const uint64_t granules[] = {
	PAGE, 2 * PAGE, 16 * PAGE, 64 * PAGE, 512 * PAGE, 4096 * PAGE
};

#define NGRANULES	(sizeof(granules) / sizeof(granules[0]))

START_TEST(params_refused)
{
	static const struct fph_page_set_params bad[] = {
		{ 0, 0, 0, PAGE, PAGE },
		{ 4097, 0, 0, PAGE, PAGE },
		{ 256, 0, 0, PAGE, 256 },
		{ 4096, 0, 0, PAGE, 0 },
		{ 4096, 0, 0, PAGE, 2048 },
		{ 4096, 0, 0, 3 * PAGE, 3 * PAGE },
		{ 4096, 0, 0, 0, PAGE },
		{ 4096, 0, 0, PAGE + 1, PAGE },
		{ 4096, 0, 512, PAGE, PAGE },
		{ 4096, 0, PAGE, 2 * PAGE, 2 * PAGE },
		{ 4096, 0, 0 - PAGE, 2 * PAGE, PAGE },
	};
	struct fph_page_set_params good = { 4096, 0, 0, PAGE, PAGE };
	static uint64_t room[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_uint_eq(fph_page_set_size(&bad[i]), 0);
	ck_assert_uint_eq(fph_page_set_size(NULL), 0);
	ck_assert_int_eq(fph_page_set_init(&set, room, sizeof(room), &bad[0]),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_page_set_init(&set, room,
					   fph_page_set_size(&good) - 1,
					   &good), FPH_EINVAL);
	ck_assert_int_eq(fph_page_set_init(&set, (char *)room + 4, 400, &good),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_page_set_init(NULL, room, sizeof(room), &good),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_page_set_init(&set, NULL, 512, &good),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_page_set_init(&set, room, sizeof(room), &good),
			 FPH_OK);
}
END_TEST

START_TEST(covers)
{
	static const struct {
		struct fph_range r;
		bool in;
	} row[] = {
		{ { BASE, NPAGES * PAGE }, true },
		{ { BASE, NPAGES * PAGE + 1 }, false },
		{ { BASE - 1, 2 }, false },
		{ { BASE + NPAGES * PAGE - 1, 1 }, true },
		{ { BASE + NPAGES * PAGE, 1 }, false },
		{ { 0, PAGE }, false },
	};

	make(PAGE);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		ck_assert_int_eq(fph_page_set_covers(set, &row[i].r),
				 row[i].in);
}
END_TEST

/* Pages of 4 KiB collect until one of 2 MiB is whole; a part stays. */
START_TEST(collects)
{
	struct fph_range got[2], odd = { BASE + 1, 2 * PAGE };

	make(512 * PAGE);
	for (uint32_t i = 0; i < 511; i++) {
		add(512 + (i * 5) % 511, 1);
		ck_assert_uint_eq(fph_page_set_take(set, got, 2), 0);
	}
	add(1023, 1);
	add(1024, 100);
	ck_assert_uint_eq(fph_page_set_take(set, got, 2), 1);
	ck_assert_uint_eq(got[0].gpa, BASE + 512 * PAGE);
	ck_assert_uint_eq(got[0].len, 512 * PAGE);
	ck_assert_uint_eq(fph_page_set_get_pages(set), 100);
	/* Whole pages only go in, every page that is met goes out. */
	fph_page_set_add(set, &odd);
	ck_assert_uint_eq(fph_page_set_get_pages(set), 101);
	odd.gpa = BASE + 1024 * PAGE + 1;
	odd.len = PAGE;
	fph_page_set_remove(set, &odd);
	ck_assert_uint_eq(fph_page_set_get_pages(set), 99);
	/* What was taken out, whole or not, is not given. */
	add(2048, 512);
	remove_pages(2100, 1);
	ck_assert_uint_eq(fph_page_set_take(set, got, 2), 0);
	add(2100, 1);
	ck_assert_uint_eq(fph_page_set_take(set, got, 2), 1);
	fph_page_set_reset(set);
	ck_assert_uint_eq(fph_page_set_get_pages(set), 0);
	add(1025, 511);
	ck_assert_uint_eq(fph_page_set_take(set, got, 2), 0);
}
END_TEST

START_TEST(random_walk)
{
	unsigned int seed = 3;

	for (size_t g = 0; g < NGRANULES; g++) {
		make(granules[g]);
		for (int step = 0; step < 4000; step++) {
			uint32_t first = (uint32_t)rand_r(&seed) % NPAGES;
			uint32_t n = 1 + (uint32_t)rand_r(&seed) %
				     (step % 3 ? 40 : 1500);

			if (n > NPAGES - first)
				n = NPAGES - first;
			switch (rand_r(&seed) % 16) {
			case 0:
				take_all(granules[g],
					 1 + (uint32_t)rand_r(&seed) % 8);
				break;
			case 1:
			case 2:
			case 3:
				remove_pages(first, n);
				break;
			case 4:
				if (step % 50)
					break;
				fph_page_set_reset(set);
				memset(model, 0, sizeof(model));
				break;
			default:
				add(first, n);
			}
		}
		take_all(granules[g], 3);
	}
	free(mem);
	mem = NULL;
}
END_TEST

RUNNER_SUITE("page_set", params_refused, covers, collects, random_walk)
