/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The coalescer, beside a map of bytes that does the same naively. */
#include <stdlib.h>
#include <string.h>

#include "core/coalescer.h"

#include "range_model.h"
#include "runner.h"

/* ------------------------------------------------------ beside the model -- */

#define NRANGES	32u

struct pair {
	struct fph_coalescer c;
	uint64_t memory[NRANGES * 16];
	struct model model;
	struct {
		uint64_t token;
		uint64_t run;
	} out[NRANGES];
	uint32_t nout;
	uint32_t owner;
	uint64_t seed;
	uint32_t shape;		/* how added ranges are chosen */
	uint32_t low, high;
	struct fph_coalescer_counters n;
	uint64_t dropped;	/* bytes */
};

/* An offset: at random, or ascending, descending, or from both ends. */
static uint32_t choose_offset(struct pair *p)
{
	uint32_t step = model_random(&p->seed, 12);

	switch (p->shape) {
	case 1:
		p->high = (p->high + step) % MODEL_SPACE;
		return p->high;
	case 2:
		p->low = (p->low + MODEL_SPACE - step) % MODEL_SPACE;
		return p->low;
	case 3:
		if (step % 2)
			return p->high = (p->high + step) % MODEL_SPACE;
		return p->low = (p->low + MODEL_SPACE - step) % MODEL_SPACE;
	default:
		return model_random(&p->seed, MODEL_SPACE);
	}
}

static void pair_add(struct pair *p)
{
	uint32_t off = choose_offset(p);
	uint32_t len = 1 + model_random(&p->seed, p->shape ? 12 : 60);
	uint64_t gpa = p->model.base + off;
	struct fph_owned_range range;
	int ret;

	if (len > MODEL_SPACE - off)
		len = MODEL_SPACE - off;
	range = (struct fph_owned_range){ gpa, len, p->owner };
	ret = fph_coalescer_add(&p->c, &range, 1);
	if (MODEL_MAX - model_count(&p->model, MODEL_FREE) == NRANGES) {
		ck_assert_int_eq(ret, FPH_EFULL);
		return;
	}
	ck_assert_int_eq(ret, 1);
	model_add(&p->model, gpa, len, p->owner++);
	p->n.added++;
	p->n.added_bytes += len;
}

static void pair_next(struct pair *p)
{
	struct fph_run run[3], want;
	uint32_t n = 1 + model_random(&p->seed, 3);
	uint32_t got, i, nempty, empty = 0;

	/* It does not begin a new set in the middle of a call. */
	got = fph_coalescer_next(&p->c, run, n, &nempty);
	if (!got)
		ck_assert(!model_next(&p->model, &want));
	for (i = 0; i < got; i++) {
		ck_assert(model_next(&p->model, &want));
		ck_assert_uint_eq(run[i].len, want.len);
		if (run[i].len)
			ck_assert_uint_eq(run[i].gpa, want.gpa);
		empty += !run[i].len;
		p->out[p->nout].token = run[i].token;
		p->out[p->nout++].run = want.token;
		p->n.runs++;
		p->n.run_bytes += run[i].len;
	}
	ck_assert_uint_eq(nempty, empty);
}

static void pair_complete(struct pair *p)
{
	const struct fph_owned_range *ranges;
	struct fph_out_run *run;
	uint64_t last = 0, token;
	uint32_t i;

	if (!p->nout)
		return;
	i = model_random(&p->seed, p->nout);
	token = p->out[i].token;
	run = fph_coalescer_find(&p->c, token);
	ck_assert_ptr_nonnull(run);
	ranges = fph_coalescer_get_ranges(&p->c, run);
	for (uint32_t k = 0; k < run->nranges; k++) {
		ck_assert(model_take(&p->model, p->out[i].run, &ranges[k]));
		ck_assert_uint_ge(ranges[k].gpa, last);
		last = ranges[k].gpa;
	}
	/* Nothing of that run is missing. */
	ck_assert_uint_eq(model_out(&p->model, p->out[i].run), 0);
	fph_coalescer_complete(&p->c, run);
	ck_assert_ptr_null(fph_coalescer_find(&p->c, token));
	fph_coalescer_tidy(&p->c);
	ck_assert_ptr_null(fph_coalescer_find(&p->c, token));
	p->out[i] = p->out[--p->nout];
}

static void pair_drop(struct pair *p)
{
	const struct fph_owned_range *waiting;
	uint32_t n;

	waiting = fph_coalescer_get_waiting(&p->c, &n);
	ck_assert_uint_eq(n, model_count(&p->model, MODEL_OPEN) +
			     model_count(&p->model, MODEL_CLOSED));
	for (uint32_t i = 0; i < n; i++)
		p->dropped += waiting[i].len;
	fph_coalescer_drop(&p->c);
	model_release(&p->model, MODEL_OPEN, 0);
	model_release(&p->model, MODEL_CLOSED, 0);
}

static void run_pair(struct pair *p, uint64_t seed, uint64_t base,
		     uint64_t granule)
{
	const struct fph_coalescer_counters *n = &p->c.counters;
	int i;

	/* Its memory need not be zeroed. */
	memset(p, 0, sizeof(*p));
	memset(&p->c, 0xa5, sizeof(p->c));
	memset(p->memory, 0xa5, sizeof(p->memory));
	p->seed = seed;
	model_init(&p->model, base, granule);
	ck_assert_int_eq(fph_coalescer_init(&p->c, p->memory,
					    sizeof(p->memory), NRANGES,
					    granule), FPH_OK);
	for (i = 0; i < 1000; i++) {
		uint32_t r = model_random(&p->seed, 16);

		if (model_random(&p->seed, 40) == 0)
			pair_drop(p);
		else if (r == 0)
			p->shape = model_random(&p->seed, 4);
		else if (r < 9)
			pair_add(p);
		else if (r < 13)
			pair_next(p);
		else
			pair_complete(p);
		ck_assert_uint_eq(fph_coalescer_get_room(&p->c), NRANGES -
				  (MODEL_MAX -
				   model_count(&p->model, MODEL_FREE)));
	}
	for (i = 0; i < 2 * (int)NRANGES; i++)
		pair_next(p);
	/* Every added byte is somewhere. */
	ck_assert_uint_eq(n->added_bytes, n->run_bytes + n->trimmed_bytes +
					  n->overlap_bytes + p->dropped);
	ck_assert_uint_eq(n->added, p->n.added);
	ck_assert_uint_eq(n->added_bytes, p->n.added_bytes);
	ck_assert_uint_eq(n->runs, p->n.runs);
	ck_assert_uint_eq(n->run_bytes, p->n.run_bytes);
}

START_TEST(random_beside_the_model)
{
	static const uint64_t bases[] = {
		0, MODEL_SPACE, 0x7fffffff00000000, MODEL_TOP
	};
	static const uint64_t granules[] = { 1, 2, 16, 64, 512 };
	struct pair p;
	size_t b, g;
	uint64_t seed;

	for (b = 0; b < 4; b++)
		for (g = 0; g < 5; g++)
			for (seed = 1; seed <= 3; seed++)
				run_pair(&p, seed * 0x9e3779b97f4a7c15 + b + g,
					 bases[b], granules[g]);
}
END_TEST

/* ----------------------------------------------------------------- large -- */

/* n ranges of one unit each, at random places of n units. */
static void large(uint32_t n, uint64_t base, uint64_t unit)
{
	size_t size = fph_coalescer_size(n);
	void *memory = malloc(size);
	uint8_t *map = calloc(n + 1, 1);
	struct fph_coalescer c;
	struct fph_run run;
	uint64_t seed = 12345;
	uint32_t i, k, page, nempty, first = 0, nranges = 0;
	bool good = true;	/* one assertion each would take for ever */

	ck_assert_ptr_nonnull(memory);
	ck_assert_ptr_nonnull(map);
	ck_assert_int_eq(fph_coalescer_init(&c, memory, size, n, 1), FPH_OK);
	for (i = 0; i < n; i++) {
		struct fph_owned_range range;

		page = model_random(&seed, n);
		map[page] = 1;
		range = (struct fph_owned_range){
			base + page * unit, unit, page
		};
		good &= fph_coalescer_add(&c, &range, 1) == 1;
	}
	while (fph_coalescer_next(&c, &run, 1, &nempty) == 1) {
		struct fph_out_run *out = fph_coalescer_find(&c, run.token);
		const struct fph_owned_range *ranges;
		uint32_t last;

		while (!map[first])
			first++;
		last = first;
		while (map[last])
			last++;
		good &= run.gpa == base + first * unit;
		good &= run.len == (last - first) * unit;
		ranges = fph_coalescer_get_ranges(&c, out);
		for (k = 0; k < out->nranges; k++, nranges++)
			good &= ranges[k].owner >= first &&
				ranges[k].owner < last &&
				ranges[k].gpa == base + ranges[k].owner * unit;
		fph_coalescer_complete(&c, out);
		first = last;
	}
	fph_coalescer_tidy(&c);
	ck_assert_msg(good, "%u ranges of %lu", n, (unsigned long)unit);
	ck_assert_uint_eq(nranges, n);
	ck_assert_uint_eq(fph_coalescer_get_room(&c), n);
	free(memory);
	free(map);
}

/* Each way to sort: a network, digits, indices; at the numbers where they
 * change, with addresses that need few bits, many, or all. */
START_TEST(every_way_to_sort)
{
	static const uint32_t numbers[] = {
		2, 3, 31, 32, 33, 63, 64, 65, 66, 255, 1023, 1024, 1025, 4096,
		65536, 100000
	};
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint32_t n = numbers[i];

		large(n, 0, 4096);
		large(n, 0x123456789000, 1);
		large(n, 5, (uint64_t)1 << 40);
		large(n, 0, 0xffffffffffffffff / n);
	}
}
END_TEST

RUNNER_SUITE("range_random",
	     random_beside_the_model,
	     every_way_to_sort)
