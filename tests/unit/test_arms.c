/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Arming: no page is allowed before the arms of its units were used. */
#include <fph/policy.h>

#include "hinter_fixture.h"

#define GIB	((uint64_t)1 << 30)
#define ID	0x80000001u

static struct fixture f;
static uint64_t mem[FPH_ARMS_SIZE(8) / 8];

static struct fph_arms *make_with(uint32_t shift, uint64_t gpa, uint64_t len)
{
	struct fph_arms_params params = { .size = sizeof(params),
					  .shift = shift, .gpa = gpa,
					  .len = len };
	struct fph_arms *a;

	memset(mem, 0xa5, sizeof(mem));
	ck_assert_uint_le(fph_arms_size(&params), sizeof(mem));
	ck_assert_int_eq(fph_arms_init(&a, mem, sizeof(mem), &params), FPH_OK);
	return a;
}

/* Three units, the first and the last of them in part. */
static struct fph_arms *make(void)
{
	return make_with(0, GIB / 2, 2 * GIB);
}

static void want_id(uint32_t id)
{
	ck_assert_int_eq(fph_hinter_set_config(f.h, id), FPH_OK);
	ck_assert_uint_eq(fph_hinter_get_id(f.h), id);
}

/* Hints gpa, and it is the arm of the last unit. */
static void arm(struct fph_arms *a, uint64_t gpa)
{
	struct fph_owned_range range = { .gpa = gpa, .len = PAGE };

	ck_assert_int_eq(fph_hinter_add(f.h, fph_hinter_get_id(f.h), &range, 1),
			 1);
	ck_assert_int_eq(fph_arms_set(a, gpa), FPH_OK);
}

/* Every buffer that is due goes to the device; how many. */
static int submit(struct fph_used *used)
{
	struct fph_buffer buffers[8];
	struct fph_seg segs[16];
	int n;

	fph_hinter_flush(f.h);
	n = fph_hinter_submit(f.h, 32, buffers, 8, segs, 16);
	for (int i = 0; i < n; i++)
		used[i].cookie = buffers[i].cookie;
	return n;
}

static void use_all(void)
{
	struct fph_used used[8] = { 0 };
	int n = submit(used);

	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(fph_hinter_complete(f.h, used, (uint32_t)n), n);
}

START_TEST(init_refused)
{
	struct fph_arms_params params = { .size = sizeof(params), .len = GIB };
	struct fph_arms *a = NULL;

	ck_assert_int_eq(fph_arms_init(NULL, mem, sizeof(mem), &params),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_arms_init(&a, NULL, sizeof(mem), &params),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_arms_init(&a, mem, fph_arms_size(&params) - 1,
				       &params), FPH_EINVAL);
	ck_assert_uint_eq(fph_arms_size(NULL), 0);
	for (int i = 0; i < 5; i++) {
		static const struct fph_arms_params bad[] = {
			{ .size = sizeof(params), .len = 0 },
			{ .size = sizeof(params), .gpa = 2, .len = ~0ull },
			{ .size = sizeof(params), .shift = 11, .len = GIB },
			{ .size = sizeof(params), .shift = 64, .len = GIB },
			{ .size = sizeof(params) - 1, .len = GIB },
		};

		ck_assert_uint_eq(fph_arms_size(&bad[i]), 0);
		ck_assert_int_eq(fph_arms_init(&a, mem, sizeof(mem), &bad[i]),
				 FPH_EINVAL);
	}
	ck_assert_ptr_null(a);
	params.len = 8 * GIB;
	ck_assert_uint_le(fph_arms_size(&params), FPH_ARMS_SIZE(8));
	/* 2^52 units: more than there is memory for, and no wrap. */
	params = (struct fph_arms_params){ .size = sizeof(params), .shift = 12,
					   .len = ~0ull };
	ck_assert(!fph_arms_size(&params) ||
		  fph_arms_size(&params) > (uint64_t)1 << 54);
}
END_TEST

START_TEST(uninit)
{
	struct fph_unit unit;
	uint64_t gpa;

	ck_assert_int_eq(fph_arms_begin(NULL, ID), FPH_EUNINIT);
	ck_assert_int_eq(fph_arms_next(NULL, &unit), FPH_EUNINIT);
	ck_assert_int_eq(fph_arms_set(NULL, 0), FPH_EUNINIT);
	ck_assert_int_eq(fph_arms_is_ready(NULL, NULL), FPH_EUNINIT);
	ck_assert_int_eq(fph_arms_release(NULL, &gpa), FPH_EUNINIT);
	ck_assert(!fph_arms_allows(NULL, 0, PAGE));
}
END_TEST

/* Units come from the top, cut to the guest's memory. */
START_TEST(units)
{
	struct fph_arms *a = make();
	struct fph_unit unit;

	ck_assert_int_eq(fph_arms_next(a, &unit), FPH_ESTATE);
	ck_assert_int_eq(fph_arms_begin(a, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_arms_begin(a, ID), FPH_OK);
	ck_assert_int_eq(fph_arms_set(a, GIB), FPH_ESTATE);
	ck_assert_int_eq(fph_arms_next(a, NULL), FPH_EINVAL);
	ck_assert_int_eq(fph_arms_next(a, &unit), 1);
	ck_assert_uint_eq(unit.gpa, 2 * GIB);
	ck_assert_uint_eq(unit.len, GIB / 2);
	ck_assert_int_eq(fph_arms_set(a, 2 * GIB - 1), FPH_EINVAL);
	ck_assert_int_eq(fph_arms_set(a, 5 * GIB / 2), FPH_EINVAL);
	ck_assert_int_eq(fph_arms_set(a, 5 * GIB / 2 - 1), FPH_OK);
	ck_assert_int_eq(fph_arms_set(a, 2 * GIB), FPH_EEXIST);
	ck_assert_int_eq(fph_arms_next(a, &unit), 1);
	ck_assert_uint_eq(unit.gpa, GIB);
	ck_assert_uint_eq(unit.len, GIB);
	ck_assert_int_eq(fph_arms_next(a, &unit), 1);
	ck_assert_uint_eq(unit.gpa, GIB / 2);
	ck_assert_uint_eq(unit.len, GIB / 2);
	ck_assert_int_eq(fph_arms_next(a, &unit), 0);
	/* All of the address space. */
	a = make_with(63, 0, ~0ull);
	fph_arms_begin(a, ID);
	ck_assert_int_eq(fph_arms_next(a, &unit), 1);
	ck_assert_uint_eq(unit.gpa, (uint64_t)1 << 63);
	ck_assert_uint_eq(unit.len, ((uint64_t)1 << 63) - 1);
}
END_TEST

/* Nothing is allowed until every arm came back used. */
START_TEST(a_round)
{
	struct fph_arms *a = make();
	struct fph_used used[8] = { 0 };
	struct fph_unit unit;
	uint64_t gpa;
	int n;

	fixture_init(&f, NEVER);
	want_id(ID);
	ck_assert_int_eq(fph_arms_is_ready(a, f.h), FPH_ESTATE);
	ck_assert_int_eq(fph_arms_begin(a, ID), FPH_OK);
	ck_assert_int_eq(fph_arms_is_ready(a, NULL), FPH_EINVAL);
	fph_arms_next(a, &unit);
	arm(a, unit.gpa);
	fph_arms_next(a, &unit);	/* has no free page */
	ck_assert_int_eq(fph_arms_is_ready(a, f.h), 0);
	fph_arms_next(a, &unit);
	arm(a, unit.gpa + 2 * PAGE);
	ck_assert_int_eq(fph_arms_is_ready(a, f.h), 0);	/* they wait */
	n = submit(used);
	ck_assert_int_eq(n, 2);		/* START and a hint */
	ck_assert_int_eq(fph_arms_is_ready(a, f.h), 0);	/* with the device */
	ck_assert(!fph_arms_allows(a, 2 * GIB, PAGE));
	ck_assert_int_eq(fph_hinter_complete(f.h, used, 2), 2);
	ck_assert(!fph_arms_allows(a, 2 * GIB, PAGE));	/* not asked yet */
	ck_assert_int_eq(fph_arms_is_ready(a, f.h), 1);

	ck_assert(fph_arms_allows(a, 2 * GIB, GIB / 2));
	ck_assert(!fph_arms_allows(a, 2 * GIB, GIB / 2 + 1));	/* beyond */
	ck_assert(!fph_arms_allows(a, 2 * GIB, 0));
	ck_assert(!fph_arms_allows(a, 2 * GIB - 1, 2));
	ck_assert(!fph_arms_allows(a, GIB, PAGE));
	ck_assert(!fph_arms_allows(a, GIB - 1, 2));
	ck_assert(fph_arms_allows(a, GIB / 2, GIB / 2));
	ck_assert(!fph_arms_allows(a, GIB / 2 - 1, 2));
	ck_assert(!fph_arms_allows(a, ~0ull, 2));
	ck_assert_int_eq(fph_arms_next(a, &unit), FPH_ESTATE);

	/* What is hinted now does not change it. */
	ck_assert_int_eq(fixture_add_range(&f, ID, 2 * GIB + PAGE, PAGE, 0),
			 FPH_OK);
	ck_assert_int_eq(fph_arms_is_ready(a, f.h), 1);
	ck_assert_int_eq(fph_arms_begin(a, ID + 1), FPH_EBUSY);
	ck_assert_int_eq(fph_arms_release(a, NULL), FPH_EINVAL);
	ck_assert_int_eq(fph_arms_release(a, &gpa), 1);
	ck_assert_uint_eq(gpa, GIB / 2 + 2 * PAGE);
	ck_assert(!fph_arms_allows(a, 2 * GIB, PAGE));
	ck_assert_int_eq(fph_arms_begin(a, ID + 1), FPH_EBUSY);
	ck_assert_int_eq(fph_arms_release(a, &gpa), 1);
	ck_assert_uint_eq(gpa, 2 * GIB);
	ck_assert_int_eq(fph_arms_release(a, &gpa), 0);
	ck_assert_int_eq(fph_arms_begin(a, ID + 1), FPH_OK);
}
END_TEST

/* Another id, in the midst: what was armed for the last one does not count. */
START_TEST(another_id)
{
	struct fph_arms *a = make();
	struct fph_unit unit;
	uint64_t gpa;

	fixture_init(&f, NEVER);
	want_id(ID);
	fph_arms_begin(a, ID);
	fph_arms_next(a, &unit);
	arm(a, unit.gpa);
	use_all();
	want_id(ID + 1);
	ck_assert_int_eq(fph_arms_is_ready(a, f.h), FPH_ESTATE);
	ck_assert(!fph_arms_allows(a, 2 * GIB, PAGE));
	ck_assert_int_eq(fph_arms_release(a, &gpa), 1);
	ck_assert_uint_eq(gpa, 2 * GIB);
	ck_assert_int_eq(fph_arms_release(a, &gpa), 0);
	ck_assert_int_eq(fph_arms_begin(a, ID + 1), FPH_OK);
	while (fph_arms_next(a, &unit) == 1)
		;
	ck_assert_int_eq(fph_arms_is_ready(a, f.h), 1);	/* no arm at all */
	ck_assert(!fph_arms_allows(a, 2 * GIB, PAGE));
	ck_assert_int_eq(fph_arms_release(a, &gpa), 0);
}
END_TEST

RUNNER_SUITE("arms", init_refused, uninit, units, a_round, another_id)
