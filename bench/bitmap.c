/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Bitmaps of a whole guest: hints taken out of the migration's, a hint; and the
 * set of free pages without owners, a page.
 */
#include <string.h>

#ifdef HAVE_ROARING
#include <roaring/roaring.h>
#endif

#include <fph-vmm/migration.h>

#include "vmm/page_set.h"

#include "meter.h"

#define PAGES	(1u << 24)		/* 64 GiB of 4 KiB pages */
#define BITS	64u
#define HINTS	256u			/* a round */

/* ------------------------------------------------------------- migration -- */

static unsigned long *bitmap;
static volatile uint64_t sink;

typedef uint64_t clear_fn(unsigned long *bits, uint64_t first, uint64_t n);

#ifdef __x86_64__
#define WITH_POPCNT	__attribute__((target("popcnt")))
#else
#define WITH_POPCNT
#endif

/* Functions of their own, as there. */
__attribute__((noinline)) WITH_POPCNT
static uint64_t count(const unsigned long *bits, uint64_t n)
{
	uint64_t i, sum = 0;

	for (i = 0; i < n / BITS; i++)
		sum += (uint64_t)__builtin_popcountl(bits[i]);
	if (n % BITS)
		sum += (uint64_t)__builtin_popcountl(
			bits[i] & (~0ul >> (BITS - n % BITS)));
	return sum;
}

__attribute__((noinline))
static void clear(unsigned long *bits, uint64_t first, uint64_t n)
{
	unsigned long *p = bits + first / BITS;
	uint64_t off = first % BITS, here = BITS - off < n ? BITS - off : n;

	*p++ &= ~(~0ul >> (BITS - here) << off);
	n -= here;
	for (; n >= BITS; n -= BITS)
		*p++ = 0;
	if (n)
		*p &= ~0ul << n;
}

/*
 * What QEMU does: counts from the start of the word, takes off what stands
 * before the first bit, and clears.
 */
static uint64_t count_twice(unsigned long *bits, uint64_t first, uint64_t n)
{
	const unsigned long *start = bits + first / BITS;
	uint64_t before = first % BITS;
	uint64_t sum = count(start, n + before) - count(start, before);

	clear(bits, first, n);
	return sum;
}

static void run_clear(const char *name, const char *who, uint64_t pages,
		      clear_fn *f)
{
	uint32_t hints = pages * HINTS > PAGES / 4 ?
			 (uint32_t)(PAGES / 4 / pages) : HINTS;
	uint64_t seed = 1, first[HINTS], sum = 0;
	uint32_t i, k;

	for (i = 0; i < meter_warm + meter_rounds; i++) {
		/* Hints do not overlap, and lie as a buddy's blocks do. */
		for (k = 0; k < hints; k++)
			first[k] = (bench_random(&seed) % (PAGES / hints /
				    pages) + k * (PAGES / hints / pages)) *
				   pages;
		bench_shuffle(first, hints, &seed);
		memset(bitmap, 0xff, PAGES / 8);
		if (i >= meter_warm)
			meter_begin();
		for (k = 0; k < hints; k++)
			sum += f(bitmap, first[k], pages);
		if (i >= meter_warm)
			meter_end(hints);
	}
	MUST(sum == (uint64_t)(meter_warm + meter_rounds) * hints * pages);
	sink = sum;
	meter_row(name, who);
}

static void bench_migration(void)
{
	static const struct {
		const char *name;
		uint64_t pages;
	} sizes[] = {
		{ "migration bitmap, 4 KiB", 1 },
		{ "migration bitmap, 64 KiB", 16 },
		{ "migration bitmap, 2 MiB", 512 },
		{ "migration bitmap, 4 MiB", 1024 },
		{ "migration bitmap, 128 MiB", 32768 },
		{ "migration bitmap, 1 GiB", 262144 },
	};
	size_t i;

	bitmap = bench_memory(PAGES / 8);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		run_clear(sizes[i].name, "libfph", sizes[i].pages,
			  fph_bitmap_clear);
		run_clear(sizes[i].name, "count twice, clear", sizes[i].pages,
			  count_twice);
	}
	free(bitmap);
}

/* -------------------------------------------------------------- page set -- */

#define NPAGES	(1u << 20)		/* 4 GiB, all of it free */

static uint64_t *pages;

static void run_page_set(const char *name)
{
	struct fph_page_set_params p = { .page_size = 4096,
		.len = (uint64_t)NPAGES * 4096, .granule = 4096 };
	struct fph_page_set *set;
	struct fph_range range = { 0, 4096 }, out[64];
	uint32_t i, k, n;

	MUST(!fph_page_set_init(&set, bench_memory(fph_page_set_size(&p)),
				fph_page_set_size(&p), &p));
	for (i = 0; i < 2 + meter_rounds / 10; i++) {
		if (i)
			meter_begin();
		for (k = 0; k < NPAGES; k++) {
			range.gpa = pages[k] * 4096;
			fph_page_set_add(set, &range);
		}
		n = 0;
		while ((k = fph_page_set_take(set, out, 64)))
			n += k;
		if (i)
			meter_end(NPAGES);
		MUST(n == 1);
	}
	meter_row(name, "libfph");
	free(set);
}

#ifdef HAVE_ROARING
static bool count_value(uint32_t value, void *arg)
{
	uint32_t *next = arg;

	*next += value == *next;
	return true;
}
#endif

static void run_roaring(const char *name)
{
#ifdef HAVE_ROARING
	roaring_bitmap_t *set;
	uint32_t i, k, n;

	for (i = 0; i < 2 + meter_rounds / 10; i++) {
		if (i)
			meter_begin();
		set = roaring_bitmap_create();
		for (k = 0; k < NPAGES; k++)
			roaring_bitmap_add(set, (uint32_t)pages[k]);
		n = 0;
		roaring_iterate(set, count_value, &n);
		roaring_bitmap_free(set);
		if (i)
			meter_end(NPAGES);
		MUST(n == NPAGES);
	}
	meter_row(name, "CRoaring");
#else
	meter_skip(name, "CRoaring", "it is not here (Debian: "
		   "libroaring-dev)");
#endif
}

static void bench_page_set(void)
{
	static const char name[] = "page set, 1M random 4 KiB";
	uint64_t seed = 1;
	uint32_t i;

	pages = bench_memory(NPAGES * sizeof(*pages));
	for (i = 0; i < NPAGES; i++)
		pages[i] = i;
	bench_shuffle(pages, NPAGES, &seed);
	run_page_set(name);
	run_roaring(name);
	free(pages);
}

void bench_bitmap(void)
{
	bench_migration();
	bench_page_set();
}
