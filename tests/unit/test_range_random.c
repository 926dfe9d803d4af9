/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The coalescer, beside a map of bytes that does the same naively. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/range.h>

#include "range_model.h"

/* ------------------------------------------------------ beside the model -- */

#define NSLOTS	32u

struct pair {
	struct fph_coalescer c;
	struct fph_slot slots[NSLOTS];
	struct model model;
	struct {
		uint32_t token;
		uint32_t run;
	} out[NSLOTS];
	uint32_t nout;
	uint32_t owner;
	uint64_t seed;
	uint32_t shape;		/* how added ranges are chosen */
	uint32_t low, high;
	struct fph_coalescer_counters n;
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
	int ret;

	if (len > MODEL_SPACE - off)
		len = MODEL_SPACE - off;
	ret = fph_coalescer_add(&p->c, gpa, len, p->owner);
	if (MODEL_MAX - model_count(&p->model, MODEL_FREE) == NSLOTS) {
		ck_assert_int_eq(ret, FPH_EFULL);
		return;
	}
	ck_assert_int_eq(ret, FPH_OK);
	model_add(&p->model, gpa, len, p->owner++);
	p->n.added++;
	p->n.added_bytes += len;
}

static void pair_next(struct pair *p)
{
	struct fph_run run, want;
	bool any = model_next(&p->model, &want);

	ck_assert_int_eq(fph_coalescer_next(&p->c, &run), any);
	if (!any)
		return;
	ck_assert_uint_eq(run.len, want.len);
	if (run.len)
		ck_assert_uint_eq(run.gpa, want.gpa);
	p->out[p->nout].token = run.token;
	p->out[p->nout++].run = want.token;
	p->n.runs++;
	p->n.run_bytes += run.len;
}

static void pair_complete(struct pair *p)
{
	struct fph_member m;
	uint32_t i, token;
	uint64_t last = 0;

	if (!p->nout)
		return;
	i = model_random(&p->seed, p->nout);
	token = p->out[i].token;
	while (token != FPH_NO_TOKEN) {
		ck_assert_int_eq(fph_coalescer_complete(&p->c, &token, &m), 1);
		ck_assert(model_take(&p->model, p->out[i].run, &m));
		ck_assert_uint_ge(m.range.gpa, last);
		last = m.range.gpa;
	}
	/* Nothing of that run is missing. */
	ck_assert_uint_eq(model_out(&p->model, p->out[i].run), 0);
	p->out[i] = p->out[--p->nout];
}

static void run_pair(struct pair *p, uint64_t seed, uint64_t base,
		     uint64_t granule)
{
	struct fph_coalescer_counters n;
	int i;

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	model_init(&p->model, base, granule);
	ck_assert_int_eq(fph_coalescer_init(&p->c, p->slots, NSLOTS, granule),
			 FPH_OK);
	for (i = 0; i < 400; i++) {
		uint32_t r = model_random(&p->seed, 16);

		if (r == 0)
			p->shape = model_random(&p->seed, 4);
		else if (r < 9)
			pair_add(p);
		else if (r < 13)
			pair_next(p);
		else
			pair_complete(p);
		ck_assert_uint_eq(fph_coalescer_get_free(&p->c), NSLOTS -
				  (MODEL_MAX -
				   model_count(&p->model, MODEL_FREE)));
	}
	for (i = 0; i < 2 * (int)NSLOTS; i++)
		pair_next(p);
	ck_assert_int_eq(fph_coalescer_get_counters(&p->c, &n), FPH_OK);
	/* Every added byte is somewhere. */
	ck_assert_uint_eq(n.added_bytes,
			  n.run_bytes + n.trimmed_bytes + n.overlap_bytes);
	ck_assert_uint_eq(n.added, p->n.added);
	ck_assert_uint_eq(n.added_bytes, p->n.added_bytes);
	ck_assert_uint_eq(n.runs, p->n.runs);
	ck_assert_uint_eq(n.run_bytes, p->n.run_bytes);
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

#define LARGE	(1u << 16)

START_TEST(a_large_disordered_set)
{
	struct fph_slot *slots = malloc(LARGE * sizeof(*slots));
	uint8_t *map = calloc(LARGE + 1, 1);
	struct fph_coalescer c;
	struct fph_run run;
	uint64_t seed = 12345;
	uint32_t i, page, first = 0, nmembers = 0;
	bool good = true;	/* one assertion each would take for ever */

	ck_assert_ptr_nonnull(slots);
	ck_assert_ptr_nonnull(map);
	ck_assert_int_eq(fph_coalescer_init(&c, slots, LARGE, 1), FPH_OK);
	for (i = 0; i < LARGE; i++) {
		page = model_random(&seed, LARGE);
		map[page] = 1;
		good &= fph_coalescer_add(&c, (uint64_t)page << 12, 4096,
					  page) == FPH_OK;
	}
	while (fph_coalescer_next(&c, &run) == 1) {
		struct fph_member m;
		uint32_t last;

		while (!map[first])
			first++;
		last = first;
		while (map[last])
			last++;
		good &= run.gpa == (uint64_t)first << 12;
		good &= run.len == (uint64_t)(last - first) << 12;
		while (fph_coalescer_complete(&c, &run.token, &m) == 1) {
			good &= m.owner >= first && m.owner < last;
			nmembers++;
		}
		first = last;
	}
	ck_assert(good);
	ck_assert_uint_eq(nmembers, LARGE);
	ck_assert_uint_eq(fph_coalescer_get_free(&c), LARGE);
	free(slots);
	free(map);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("range_random");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, random_beside_the_model);
	tcase_add_test(tc, a_large_disordered_set);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
