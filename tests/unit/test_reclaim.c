/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The reclaim engine over calls that are made up: which ones it makes, and what
 * it does when they fail.  test_reclaim_memory has the real ones.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fake_calls.h"

static void setup(void)
{
	fake_reset();
	start(0, 0);
}

/* n runs of one page, with a page between them. */
static void scatter(uint64_t gpa, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		runs[i].gpa = gpa + 2 * i * PAGE;
		runs[i].len = PAGE;
	}
}

static void check_results(uint32_t from, uint32_t to, int result)
{
	for (; from < to; from++)
		ck_assert_msg(results[from] == result, "run %u is %d", from,
			      results[from]);
}

/* ----------------------------------------------------------------- init -- */

START_TEST(test_init)
{
	struct {
		struct fph_reclaim_params p;
		uint64_t tail;
	} in = {
		.p = {
			.size = sizeof(in.p),
			.memory = &fake_memory,
		},
	};
	struct fph_reclaim_ops ops = fake_ops;
	struct fph_memory none;

	ck_assert_int_eq(fph_reclaim_init(&rc, &in.p), FPH_OK);
	ck_assert_int_eq(fph_reclaim_init(NULL, &in.p), FPH_EINVAL);
	ck_assert_int_eq(fph_reclaim_init(&rc, NULL), FPH_EINVAL);
	in.p.size--;
	ck_assert_int_eq(fph_reclaim_init(&rc, &in.p), FPH_EINVAL);
	in.p.size = sizeof(in);
	ck_assert_int_eq(fph_reclaim_init(&rc, &in.p), FPH_OK);
	in.tail = 1;
	ck_assert_int_eq(fph_reclaim_init(&rc, &in.p), FPH_EINVAL);
	in.tail = 0;
	in.p.flags = 4;
	ck_assert_int_eq(fph_reclaim_init(&rc, &in.p), FPH_EINVAL);
	in.p.flags = 0;
	memset(&none, 0, sizeof(none));
	in.p.memory = &none;
	ck_assert_int_eq(fph_reclaim_init(&rc, &in.p), FPH_EINVAL);
	in.p.memory = NULL;
	ck_assert_int_eq(fph_reclaim_init(&rc, &in.p), FPH_EINVAL);
	in.p.memory = &fake_memory;
	in.p.ops = &ops;
	ops.fallocate = NULL;
	ck_assert_int_eq(fph_reclaim_init(&rc, &in.p), FPH_EINVAL);
	ops = fake_ops;
	ops.madvise = NULL;
	ck_assert_int_eq(fph_reclaim_init(&rc, &in.p), FPH_EINVAL);
	ops = fake_ops;
	ops.process_madvise = NULL;
	ck_assert_int_eq(fph_reclaim_init(&rc, &in.p), FPH_EINVAL);
}
END_TEST

static void check_uninitialised(struct fph_reclaim *none)
{
	ck_assert_int_eq(fph_reclaim_reset(none), FPH_EUNINIT);
	ck_assert_int_eq(fph_reclaim_discard(none, runs, 1, results, NULL),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_reclaim_freeze(none, FPH_SKIP_VFIO), FPH_EUNINIT);
	ck_assert_int_eq(fph_reclaim_thaw(none, FPH_SKIP_VFIO), FPH_EUNINIT);
	ck_assert_int_eq(fph_reclaim_get_counters(none, &cnt), FPH_EUNINIT);
	ck_assert(!fph_reclaim_is_disabled(none));
}

START_TEST(test_uninitialised)
{
	memset(&rc, 0, sizeof(rc));
	check_uninitialised(&rc);
	check_uninitialised(NULL);
}
END_TEST

/* ------------------------------------------------------- the right call -- */

static const struct {
	int backing;
	uint32_t flags;			/* of the region */
	uint32_t engine;		/* its flags */
	int call;			/* FAKE_*, 0: none */
	int advice;
	int result;
	int reason;			/* when skipped */
} choice[] = {
	{ FPH_BACKING_ANON, 0, 0,
	  FAKE_VECTOR, MADV_DONTNEED, FPH_RECLAIM_DISCARDED, 0 },
	{ FPH_BACKING_ANON, 0, FPH_RECLAIM_NO_VECTOR,
	  FAKE_MADVISE, MADV_DONTNEED, FPH_RECLAIM_DISCARDED, 0 },
	{ FPH_BACKING_ANON, 0, FPH_RECLAIM_USE_FREE,
	  FAKE_VECTOR, MADV_FREE, FPH_RECLAIM_LAZY, 0 },
	{ FPH_BACKING_ANON, 0, FPH_RECLAIM_USE_FREE | FPH_RECLAIM_NO_VECTOR,
	  FAKE_MADVISE, MADV_FREE, FPH_RECLAIM_LAZY, 0 },
	{ FPH_BACKING_SHMEM, 0, FPH_RECLAIM_USE_FREE,
	  FAKE_PUNCH, 0, FPH_RECLAIM_DISCARDED, 0 },
	{ FPH_BACKING_FILE, 0, FPH_RECLAIM_USE_FREE,
	  FAKE_PUNCH, 0, FPH_RECLAIM_DISCARDED, 0 },
	{ FPH_BACKING_HUGETLB, 0, FPH_RECLAIM_USE_FREE,
	  FAKE_PUNCH, 0, FPH_RECLAIM_DISCARDED, 0 },
	{ FPH_BACKING_HUGETLB_ANON, 0, FPH_RECLAIM_USE_FREE,
	  FAKE_MADVISE, MADV_DONTNEED, FPH_RECLAIM_DISCARDED, 0 },
	{ FPH_BACKING_FILE_PRIVATE, 0, 0,
	  0, 0, FPH_RECLAIM_SKIPPED, FPH_SKIP_FILE_PRIVATE },
	{ FPH_BACKING_ANON, FPH_REGION_LOCKED, 0,
	  0, 0, FPH_RECLAIM_SKIPPED, FPH_SKIP_LOCKED },
	{ FPH_BACKING_ANON, FPH_REGION_CONFIDENTIAL, 0,
	  0, 0, FPH_RECLAIM_SKIPPED, FPH_SKIP_CONFIDENTIAL },
	{ FPH_BACKING_ANON, FPH_REGION_READONLY, 0,
	  0, 0, FPH_RECLAIM_SKIPPED, FPH_SKIP_READONLY },
	{ FPH_BACKING_SHMEM, FPH_REGION_LOCKED, 0,
	  0, 0, FPH_RECLAIM_SKIPPED, FPH_SKIP_LOCKED },
	{ FPH_BACKING_FILE_PRIVATE, FPH_REGION_LOCKED | FPH_REGION_READONLY, 0,
	  0, 0, FPH_RECLAIM_SKIPPED, FPH_SKIP_READONLY },
	{ FPH_BACKING_HUGETLB, FPH_REGION_LOCKED | FPH_REGION_CONFIDENTIAL, 0,
	  0, 0, FPH_RECLAIM_SKIPPED, FPH_SKIP_CONFIDENTIAL },
};

START_TEST(test_choice)
{
	uint64_t gpa = 0x100000000;

	fake_add(gpa, 16 * PAGE, 512 * PAGE, 5, 768 * PAGE,
		 choice[_i].backing);
	fake_region(gpa)->flags = choice[_i].flags;
	start(choice[_i].engine, 0);
	ck_assert_int_eq(discard_one(gpa + 2 * PAGE, 3 * PAGE),
			 choice[_i].result);
	ck_assert_int_eq(fake.ncalls, choice[_i].call != 0);
	if (!choice[_i].call) {
		ck_assert_uint_eq(cnt.skipped[choice[_i].reason], 3 * PAGE);
		return;
	}
	ck_assert_int_eq(fake.call[0].kind, choice[_i].call);
	ck_assert_int_eq(fake.call[0].fd, choice[_i].call == FAKE_PUNCH ?
			 5 : -1);
	ck_assert_int_eq(fake.call[0].advice, choice[_i].advice);
	ck_assert_uint_eq(fake.call[0].len, 3 * PAGE);
	ck_assert_uint_eq(fake.call[0].at, choice[_i].call == FAKE_PUNCH ?
			  770 * PAGE : FAKE_HOST + 514 * PAGE);
	ck_assert_uint_eq(choice[_i].result == FPH_RECLAIM_LAZY ? cnt.lazy :
			  cnt.discarded, 3 * PAGE);
}
END_TEST

/* Inwards, to pages of the backing, where the backing has them. */
START_TEST(test_trim)
{
	static const struct {
		uint64_t page_size, skew;	/* host or offset behind gpa */
		uint64_t gpa, len;
		uint64_t from, n;		/* what is freed, as gpa */
	} row[] = {
		{ PAGE, 0, 0, PAGE, 0, PAGE },
		{ PAGE, 0, 1, PAGE, 0, 0 },
		{ PAGE, 0, 1, 2 * PAGE, PAGE, PAGE },
		{ PAGE, 0, 1, 2 * PAGE - 1, PAGE, PAGE },
		{ PAGE, 0, 1, 2 * PAGE - 2, 0, 0 },
		{ PAGE, 0, 100, 100, 0, 0 },
		{ PAGE, 0, PAGE - 1, 2, 0, 0 },
		{ PAGE, 0, PAGE, 100, 0, 0 },
		{ PAGE, 0, PAGE - 1, PAGE + 2, PAGE, PAGE },
		{ HUGE, 0, 0, HUGE, 0, HUGE },
		{ HUGE, 0, PAGE, HUGE, 0, 0 },
		{ HUGE, 0, PAGE, 2 * HUGE - PAGE, HUGE, HUGE },
		{ HUGE, 0, PAGE, 3 * HUGE, HUGE, 2 * HUGE },
		{ HUGE, 0, HUGE - PAGE, PAGE, 0, 0 },
		{ HUGE, PAGE, 0, HUGE, 0, 0 },
		{ HUGE, PAGE, 0, 2 * HUGE, HUGE - PAGE, HUGE },
		{ HUGE, PAGE, HUGE - PAGE, HUGE, HUGE - PAGE, HUGE },
		{ 512 * HUGE, 0, 0, 3 * HUGE, 0, 0 },
	};
	static const int backing[] = {
		FPH_BACKING_ANON, FPH_BACKING_SHMEM, FPH_BACKING_HUGETLB,
		FPH_BACKING_HUGETLB_ANON
	};
	uint64_t gpa = 0x100000000;
	bool is_file = _i == 1 || _i == 2;
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		fake_reset();
		start(FPH_RECLAIM_NO_VECTOR, 0);
		/* A file's place counts alone, and so does an address. */
		fake_add(gpa, 4 * HUGE, is_file ? 7 * PAGE : row[i].skew, 5,
			 is_file ? row[i].skew : 7 * PAGE, backing[_i]);
		fake_region(gpa)->page_size = row[i].page_size;
		ck_assert_int_eq(discard_one(gpa + row[i].gpa, row[i].len),
				 row[i].n ? FPH_RECLAIM_DISCARDED :
				 FPH_RECLAIM_SKIPPED);
		ck_assert_uint_eq(cnt.trimmed, row[i].len - row[i].n);
		ck_assert_uint_eq(cnt.discarded, row[i].n);
		ck_assert_int_eq(fake.ncalls, row[i].n != 0);
		if (!row[i].n)
			continue;
		ck_assert_uint_eq(fake.call[0].len, row[i].n);
		ck_assert_uint_eq(fake.call[0].at - (is_file ? 0 : FAKE_HOST),
				  row[i].from + row[i].skew);
	}
}
END_TEST

/* The engine goes by the larger page: 4096 is a lie on other systems. */
START_TEST(test_system_page)
{
	rc.page_size = 16 * PAGE;
	fake_add(0, 64 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	ck_assert_int_eq(discard_one(PAGE, 47 * PAGE), FPH_RECLAIM_DISCARDED);
	ck_assert_uint_eq(fake.call[0].at, FAKE_HOST + 16 * PAGE);
	ck_assert_uint_eq(cnt.discarded, 32 * PAGE);
	ck_assert_uint_eq(cnt.trimmed, 15 * PAGE);
}
END_TEST

/* ------------------------------------------------------- regions, holes -- */

START_TEST(test_crossing)
{
	fake_add(16 * PAGE, 16 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	fake_add(32 * PAGE, 16 * PAGE, 64 * PAGE, 5, 0, FPH_BACKING_SHMEM);
	fake_add(64 * PAGE, 16 * PAGE, 128 * PAGE, -1, 0, FPH_BACKING_ANON);
	fake_region(64 * PAGE)->flags = FPH_REGION_LOCKED;
	fake_add(80 * PAGE, 16 * PAGE, 16 * PAGE, -1, 0, FPH_BACKING_ANON);
	ck_assert_int_eq(discard_one(8 * PAGE, 82 * PAGE),
			 FPH_RECLAIM_DISCARDED);
	ck_assert_int_eq(fake.ncalls, 3);
	ck_assert_int_eq(fake.call[0].kind, FAKE_VECTOR);
	ck_assert_uint_eq(fake.call[0].at, FAKE_HOST);
	ck_assert_uint_eq(fake.call[0].len, 16 * PAGE);
	ck_assert_int_eq(fake.call[1].kind, FAKE_PUNCH);
	ck_assert_uint_eq(fake.call[1].len, 16 * PAGE);
	ck_assert_uint_eq(fake.call[2].at, FAKE_HOST + 16 * PAGE);
	ck_assert_uint_eq(fake.call[2].len, 10 * PAGE);
	ck_assert_uint_eq(cnt.discarded, 42 * PAGE);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_UNMAPPED], 24 * PAGE);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_LOCKED], 16 * PAGE);
	/* A page that two regions share out is freed by neither. */
	fake_region(16 * PAGE)->page_size = HUGE;
	fake_region(32 * PAGE)->page_size = HUGE;
	ck_assert_int_eq(discard_one(16 * PAGE, 32 * PAGE),
			 FPH_RECLAIM_SKIPPED);
	ck_assert_uint_eq(cnt.trimmed, 32 * PAGE);
}
END_TEST

/* A run is lazy if some of it is, and failed if some of it is. */
START_TEST(test_mixed_result)
{
	start(FPH_RECLAIM_USE_FREE, 0);
	fake_add(0, 16 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	fake_add(16 * PAGE, 16 * PAGE, 64 * PAGE, 5, 0, FPH_BACKING_SHMEM);
	fake_add(32 * PAGE, 16 * PAGE, 16 * PAGE, -1, 0, FPH_BACKING_ANON);
	ck_assert_int_eq(discard_one(8 * PAGE, 16 * PAGE), FPH_RECLAIM_LAZY);
	ck_assert_int_eq(discard_one(24 * PAGE, 16 * PAGE), FPH_RECLAIM_LAZY);
	ck_assert_uint_eq(cnt.lazy, 16 * PAGE);
	ck_assert_uint_eq(cnt.discarded, 16 * PAGE);
	fake_bad(FAKE_HOST + 64 * PAGE);
	fake.file_errno = EIO;
	ck_assert_int_eq(discard_one(0, 48 * PAGE), FPH_RECLAIM_FAILED);
	ck_assert_uint_eq(cnt.failed, 16 * PAGE);
	ck_assert_uint_eq(cnt.lazy, 48 * PAGE);
	ck_assert_uint_eq(cnt.failures, 1);
}
END_TEST

START_TEST(test_unmapped)
{
	fake_add(16 * PAGE, 16 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	ck_assert_int_eq(discard_one(0, 16 * PAGE), FPH_RECLAIM_SKIPPED);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_UNMAPPED], 16 * PAGE);
	ck_assert_int_eq(discard_one(32 * PAGE, PAGE), FPH_RECLAIM_SKIPPED);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_UNMAPPED], 17 * PAGE);
	/* It wraps, and guest memory lies at its end: none of it counts. */
	ck_assert_int_eq(discard_one(0 - PAGE, 33 * PAGE),
			 FPH_RECLAIM_SKIPPED);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_UNMAPPED], 50 * PAGE);
	ck_assert_int_eq(discard_one(16 * PAGE, 0 - PAGE),
			 FPH_RECLAIM_SKIPPED);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_UNMAPPED], 49 * PAGE);
	ck_assert_int_eq(discard_one(16 * PAGE, 0), FPH_RECLAIM_SKIPPED);
	ck_assert_int_eq(fake.ncalls, 0);
	ck_assert_int_eq(fph_reclaim_discard(&rc, NULL, 0, NULL, NULL), 0);
	ck_assert_int_eq(discard_one(15 * PAGE, 32 * PAGE),
			 FPH_RECLAIM_DISCARDED);
	ck_assert_uint_eq(cnt.discarded, 16 * PAGE);
	/* A map that is reset has no memory any more. */
	memset(&fake_memory, 0, sizeof(fake_memory));
	ck_assert_int_eq(discard_one(16 * PAGE, PAGE), FPH_RECLAIM_SKIPPED);
}
END_TEST

/* ----------------------------------------------------------- inhibitors -- */

START_TEST(test_freeze)
{
	struct fph_reclaim before;
	int a;
	int b;

	fake_add(0, 16 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	for (a = -2; a < FPH_NSKIP + 2; a++) {
		bool is_one = a >= FPH_SKIP_VFIO && a <= FPH_SKIP_EMBEDDER;

		before = rc;
		ck_assert_int_eq(fph_reclaim_thaw(&rc, a),
				 is_one ? FPH_ESTATE : FPH_EINVAL);
		if (!is_one)
			ck_assert_int_eq(fph_reclaim_freeze(&rc, a),
					 FPH_EINVAL);
		ck_assert(!memcmp(&before, &rc, sizeof(rc)));
	}
	for (a = FPH_SKIP_VFIO; a <= FPH_SKIP_EMBEDDER; a++) {
		start(0, 0);
		fake.nvector = 0;
		for (b = 0; b < 3; b++)
			ck_assert_int_eq(fph_reclaim_freeze(&rc, a), FPH_OK);
		for (b = 0; b < 3; b++) {
			ck_assert_int_eq(discard_one(0, PAGE),
					 FPH_RECLAIM_SKIPPED);
			ck_assert_uint_eq(cnt.skipped[a],
					  (uint64_t)(b + 1) * PAGE);
			ck_assert_uint_eq(fake.nvector, 0);
			ck_assert_int_eq(fph_reclaim_thaw(&rc, a), FPH_OK);
		}
		ck_assert_int_eq(fph_reclaim_thaw(&rc, a), FPH_ESTATE);
		ck_assert_int_eq(discard_one(0, PAGE), FPH_RECLAIM_DISCARDED);
	}
}
END_TEST

START_TEST(test_freeze_reasons)
{
	fake_add(0, 16 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	fph_reclaim_freeze(&rc, FPH_SKIP_EMBEDDER);
	fph_reclaim_freeze(&rc, FPH_SKIP_POSTCOPY);
	ck_assert_int_eq(discard_one(0, PAGE), FPH_RECLAIM_SKIPPED);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_POSTCOPY], PAGE);
	ck_assert_int_eq(fph_reclaim_reset(&rc), FPH_OK);
	fph_reclaim_thaw(&rc, FPH_SKIP_POSTCOPY);
	ck_assert_int_eq(discard_one(0, PAGE), FPH_RECLAIM_SKIPPED);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_EMBEDDER], PAGE);
	fph_reclaim_thaw(&rc, FPH_SKIP_EMBEDDER);
	ck_assert_int_eq(discard_one(0, PAGE), FPH_RECLAIM_DISCARDED);
	ck_assert_uint_eq(cnt.runs, 3);
}
END_TEST

/* -------------------------------------------------------------- budgets -- */

/* Each call takes up where the last one stopped; how many calls it took. */
static int discard_with(const struct fph_reclaim_budget *budget, uint32_t n)
{
	uint32_t done = 0;
	int calls;
	int ret;

	memset(results, 0xee, sizeof(results));
	for (calls = 0; done < n; calls++) {
		ret = fph_reclaim_discard(&rc, runs + done, n - done,
					  results + done, budget);
		ck_assert_int_ge(ret, 1);
		done += (uint32_t)ret;
		ck_assert_uint_le(done, n);
		check_results(0, done, FPH_RECLAIM_DISCARDED);
		ck_assert_int_eq(results[done], 0xee);
		check_sum();
		ck_assert_uint_eq(cnt.discarded, done * PAGE);
		ck_assert_uint_eq(fake_count(), done);
	}
	return calls;
}

START_TEST(test_budget)
{
	struct fph_reclaim_budget budget = { .runs = 1 };

	fake_add(0, 128 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	scatter(0, 64);
	ck_assert_int_eq(discard_with(&budget, 64), 64);
	ck_assert_uint_eq(cnt.process_madvise_calls, 64);
	budget.runs = 30;
	setup();
	fake_add(0, 128 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	ck_assert_int_eq(discard_with(&budget, 64), 3);
	ck_assert_uint_eq(cnt.process_madvise_calls, 3);
	budget.runs = 0;
	budget.bytes = 8 * PAGE - 1;
	setup();
	fake_add(0, 128 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	ck_assert_int_eq(discard_with(&budget, 64), 8);
	budget.bytes = PAGE;
	setup();
	fake_add(0, 128 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	ck_assert_int_eq(discard_with(&budget, 64), 64);
	budget.bytes = 1;
	budget.runs = 7;
	setup();
	fake_add(0, 128 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	ck_assert_int_eq(discard_with(&budget, 64), 64);
}
END_TEST

/* A slow call uses the time up; a budget that is ample changes nothing. */
START_TEST(test_budget_time)
{
	struct fph_reclaim_budget budget = { .nanoseconds = 1000000 };

	fake_add(0, 128 * PAGE, 0, 5, 0, FPH_BACKING_SHMEM);
	scatter(0, 16);
	fake.sleep_us = 2000;
	ck_assert_int_eq(discard_with(&budget, 16), 16);
	ck_assert_uint_eq(cnt.fallocate_calls, 16);
	budget.nanoseconds = 3600ull * 1000000000;
	setup();
	fake_add(0, 128 * PAGE, 0, 5, 0, FPH_BACKING_SHMEM);
	ck_assert_int_eq(discard_with(&budget, 16), 1);
}
END_TEST

/* With a time limit a vector ends at 64 MiB, and the clock is looked at. */
START_TEST(test_budget_time_vector)
{
	struct fph_reclaim_budget budget = { .nanoseconds = 1000000 };
	uint32_t i;
	int ret;

	fake_add(0, 512 * HUGE, 0, -1, 0, FPH_BACKING_ANON);
	for (i = 0; i < 100; i++) {
		runs[i].gpa = 2 * i * HUGE;
		runs[i].len = HUGE;
	}
	fake.sleep_us = 2000;
	ret = fph_reclaim_discard(&rc, runs, 100, results, &budget);
	ck_assert_int_eq(ret, 33);
	check_results(0, 33, FPH_RECLAIM_DISCARDED);
	check_sum();
	ck_assert_int_eq(fake.ncalls, 2);
	ck_assert_uint_eq(fake.call[0].n, 32);
	ck_assert_uint_eq(fake.call[1].n, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("reclaim");
	TCase *t = tcase_create("reclaim");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_init);
	tcase_add_test(t, test_uninitialised);
	tcase_add_loop_test(t, test_choice, 0,
			    sizeof(choice) / sizeof(choice[0]));
	tcase_add_loop_test(t, test_trim, 0, 4);
	tcase_add_test(t, test_system_page);
	tcase_add_test(t, test_crossing);
	tcase_add_test(t, test_mixed_result);
	tcase_add_test(t, test_unmapped);
	tcase_add_test(t, test_freeze);
	tcase_add_test(t, test_freeze_reasons);
	tcase_add_test(t, test_budget);
	tcase_add_test(t, test_budget_time);
	tcase_add_test(t, test_budget_time_vector);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
