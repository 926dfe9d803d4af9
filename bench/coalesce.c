/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Ranges with owners to merged runs, a range: ours beside what else sorts and
 * merges. Everybody writes the runs; ours and the sorts also know whose each
 * range is, a bitmap does not.
 */
#include <string.h>

#ifdef HAVE_ROARING
#include <roaring/roaring.h>
#endif

#include "core/coalescer.h"

#include "meter.h"

#define MOST	1000000u

void bench_std_sort(struct fph_owned_range *ranges, size_t n);

struct set {
	const char *name;
	uint32_t n;			/* ranges in all */
	uint32_t batch;			/* of them that are merged together */
	uint32_t shift;			/* of a block */
	uint32_t spread;		/* blocks in memory for each range */
	bool random;
};

static const struct set sets[] = {
	{ "coalesce, 1M random", MOST, MOST, 12, 256, true },
	{ "coalesce, 1M random, dense", MOST, MOST, 12, 1, true },
	{ "coalesce, 1M ordered", MOST, MOST, 12, 2, false },
	{ "coalesce, batches of 32, random", 1 << 16, 32, 22, 4, true },
	{ "coalesce, batches of 1024, random", 1 << 16, 1024, 22, 4, true },
};

static struct fph_owned_range *input, *work;
static struct fph_range *output;
static struct fph_run *runs;
static struct fph_coalescer coalescer;

static void make_input(const struct set *s)
{
	uint64_t *blocks = bench_memory(MOST * sizeof(*blocks));
	uint64_t seed = 1;
	uint32_t i, batch;

	for (i = 0; i < s->n; i++)
		blocks[i] = (uint64_t)i * s->spread +
			    bench_random(&seed) % s->spread;
	if (s->random && s->batch == s->n)
		bench_shuffle(blocks, s->n, &seed);
	/* Batches lie anywhere, and are in no order within. */
	for (batch = 0; s->random && batch < s->n && s->batch < s->n;
	     batch += s->batch)
		bench_shuffle(blocks + batch, s->batch, &seed);
	for (i = 0; i < s->n; i++) {
		input[i].gpa = blocks[i] << s->shift;
		input[i].len = 1u << s->shift;
		input[i].owner = i;
	}
	free(blocks);
}

static uint32_t merge_sorted(const struct fph_owned_range *r, uint32_t n)
{
	uint32_t i, k = 0;

	output[0].gpa = r[0].gpa;
	output[0].len = r[0].len;
	for (i = 1; i < n; i++) {
		if (r[i].gpa == output[k].gpa + output[k].len) {
			output[k].len += r[i].len;
		} else {
			k++;
			output[k].gpa = r[i].gpa;
			output[k].len = r[i].len;
		}
	}
	return k + 1;
}

static uint32_t by_library(const struct fph_owned_range *r, uint32_t n)
{
	uint32_t got, i, empty, total = 0;

	MUST(fph_coalescer_add(&coalescer, r, n) == (int)n);
	while ((got = fph_coalescer_next(&coalescer, runs, 1024, &empty))) {
		for (i = 0; i < got; i++)
			fph_coalescer_complete(&coalescer,
				fph_coalescer_find(&coalescer,
						   runs[i].token));
		total += got;
	}
	fph_coalescer_tidy(&coalescer);
	return total;
}

#ifdef HAVE_STD_SORT
static uint32_t by_std_sort(const struct fph_owned_range *r, uint32_t n)
{
	memcpy(work, r, n * sizeof(*r));
	bench_std_sort(work, n);
	return merge_sorted(work, n);
}
#endif

static int compare(const void *a, const void *b)
{
	const struct fph_owned_range *x = a, *y = b;

	return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

static uint32_t by_qsort(const struct fph_owned_range *r, uint32_t n)
{
	memcpy(work, r, n * sizeof(*r));
	qsort(work, n, sizeof(*work), compare);
	return merge_sorted(work, n);
}

#ifdef HAVE_ROARING
static uint32_t set_shift;

static bool append(uint32_t value, void *arg)
{
	uint32_t *k = arg;
	uint64_t gpa = (uint64_t)value << set_shift;
	uint64_t len = (uint64_t)1 << set_shift;

	if (*k && output[*k - 1].gpa + output[*k - 1].len == gpa) {
		output[*k - 1].len += len;
	} else {
		output[*k].gpa = gpa;
		output[*k].len = len;
		++*k;
	}
	return true;
}

/* Numbers of blocks: a set of 4-byte numbers reaches 16 TiB in pages. */
static uint32_t by_roaring(const struct fph_owned_range *r, uint32_t n)
{
	roaring_bitmap_t *set = roaring_bitmap_create();
	uint32_t *blocks = (uint32_t *)work;
	uint32_t i, k = 0;

	for (i = 0; i < n; i++)
		blocks[i] = (uint32_t)(r[i].gpa >> set_shift);
	roaring_bitmap_add_many(set, n, blocks);
	roaring_iterate(set, append, &k);
	roaring_bitmap_free(set);
	return k;
}
#endif

typedef uint32_t merge_fn(const struct fph_owned_range *r, uint32_t n);

/* Returns the runs, which are the same whoever makes them. */
static uint32_t run_set(const struct set *s, const char *who, merge_fn *merge)
{
	uint32_t i, at, rounds = s->n == MOST ? 3 + meter_rounds / 20 :
						meter_rounds;
	uint32_t total = 0;

	for (i = 0; i < 1 + rounds; i++) {
		total = 0;
		if (i)
			meter_begin();
		for (at = 0; at < s->n; at += s->batch)
			total += merge(input + at, s->batch);
		if (i)
			meter_end(s->n);
	}
	meter_row(s->name, who);
	return total;
}

void bench_coalesce(void)
{
	size_t size = fph_coalescer_size(MOST), i;
	uint32_t want;

	input = bench_memory(MOST * sizeof(*input));
	work = bench_memory(MOST * sizeof(*work));
	output = bench_memory((MOST + 1) * sizeof(*output));
	runs = bench_memory(1024 * sizeof(*runs));
	MUST(!fph_coalescer_init(&coalescer, bench_memory(size), size, MOST,
				 4096));
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		make_input(&sets[i]);
		want = run_set(&sets[i], "libfph", by_library);
#ifdef HAVE_STD_SORT
		MUST(run_set(&sets[i], "std::sort", by_std_sort) == want);
#else
		meter_skip(sets[i].name, "std::sort", "there is no C++");
#endif
		MUST(run_set(&sets[i], "qsort", by_qsort) == want);
#ifdef HAVE_ROARING
		set_shift = sets[i].shift;
		MUST(run_set(&sets[i], "CRoaring", by_roaring) == want);
#else
		meter_skip(sets[i].name, "CRoaring", "it is not here "
			   "(Debian: libroaring-dev)");
#endif
	}
}
