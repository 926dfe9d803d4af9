/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The reclaim engine over calls that are made up: which ones it makes, and what
 * it does when they fail.  test_reclaim_memory has the real ones.
 */
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
		set_run(i, gpa + 2 * i * PAGE, PAGE);
	}
}

static void check_results(uint32_t from, uint32_t to, int result)
{
	for (; from < to; from++)
		ck_assert_msg(runs[from].outcome == result, "run %u is %d", from,
			      runs[from].outcome);
}

/* ----------------------------------------------------------------- init -- */

static void check_new(const struct fph_reclaim_params *p, int expected)
{
	struct fph_reclaim *made;
	int status = 1;

	made = fph_reclaim_new(p, &status);
	ck_assert_int_eq(status, expected);
	ck_assert_int_eq(made != NULL, expected == FPH_OK);
	fph_reclaim_free(made);
}

START_TEST(test_new)
{
	struct {
		struct fph_reclaim_params p;
		uint64_t tail;
	} in = {
		.p = {
			.size = sizeof(in.p),
			.memory = fake_memory,
		},
	};
	struct fph_reclaim_ops ops = fake_ops;

	check_new(&in.p, FPH_OK);
	check_new(NULL, FPH_EINVAL);
	in.p.size--;
	check_new(&in.p, FPH_EINVAL);
	in.p.size = sizeof(in);
	check_new(&in.p, FPH_OK);
	in.tail = 1;
	check_new(&in.p, FPH_EINVAL);
	in.tail = 0;
	in.p.flags = 4;
	check_new(&in.p, FPH_EINVAL);
	in.p.flags = 0;
	in.p.memory = NULL;
	check_new(&in.p, FPH_EINVAL);
	in.p.memory = fake_memory;
	in.p.ops = &ops;
	ops.fallocate = NULL;
	check_new(&in.p, FPH_EINVAL);
	ops = fake_ops;
	ops.madvise = NULL;
	check_new(&in.p, FPH_EINVAL);
	ops = fake_ops;
	ops.process_madvise = NULL;
	check_new(&in.p, FPH_EINVAL);
}
END_TEST

static void check_uninitialised(struct fph_reclaim *none)
{
	ck_assert_int_eq(fph_reclaim_enable(none), FPH_EUNINIT);
	ck_assert_int_eq(fph_reclaim_discard(none, runs, 1, NULL),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_reclaim_inhibit(none, FPH_SKIP_VFIO), FPH_EUNINIT);
	ck_assert_int_eq(fph_reclaim_allow(none, FPH_SKIP_VFIO), FPH_EUNINIT);
	ck_assert_int_eq(fph_reclaim_get_counters(none, &cnt,
						  sizeof(cnt)), FPH_EUNINIT);
	ck_assert(!fph_reclaim_is_disabled(none));
}

START_TEST(test_uninitialised)
{
	memset(rc, 0, sizeof(*rc));
	check_uninitialised(rc);
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
	  FAKE_VECTOR, MADV_DONTNEED, FPH_OUTCOME_DISCARDED, 0 },
	{ FPH_BACKING_ANON, 0, FPH_RECLAIM_NO_VECTOR,
	  FAKE_MADVISE, MADV_DONTNEED, FPH_OUTCOME_DISCARDED, 0 },
	{ FPH_BACKING_ANON, 0, FPH_RECLAIM_USE_FREE,
	  FAKE_VECTOR, MADV_FREE, FPH_OUTCOME_LAZY, 0 },
	{ FPH_BACKING_ANON, 0, FPH_RECLAIM_USE_FREE | FPH_RECLAIM_NO_VECTOR,
	  FAKE_MADVISE, MADV_FREE, FPH_OUTCOME_LAZY, 0 },
	{ FPH_BACKING_SHMEM, 0, FPH_RECLAIM_USE_FREE,
	  FAKE_PUNCH, 0, FPH_OUTCOME_DISCARDED, 0 },
	{ FPH_BACKING_FILE, 0, FPH_RECLAIM_USE_FREE,
	  FAKE_PUNCH, 0, FPH_OUTCOME_DISCARDED, 0 },
	{ FPH_BACKING_HUGETLB, 0, FPH_RECLAIM_USE_FREE,
	  FAKE_PUNCH, 0, FPH_OUTCOME_DISCARDED, 0 },
	{ FPH_BACKING_HUGETLB_ANON, 0, FPH_RECLAIM_USE_FREE,
	  FAKE_MADVISE, MADV_DONTNEED, FPH_OUTCOME_DISCARDED, 0 },
	{ FPH_BACKING_FILE_PRIVATE, 0, 0,
	  0, 0, FPH_OUTCOME_SKIPPED, FPH_SKIP_FILE_PRIVATE },
	{ FPH_BACKING_ANON, FPH_REGION_LOCKED, 0,
	  0, 0, FPH_OUTCOME_SKIPPED, FPH_SKIP_LOCKED },
	{ FPH_BACKING_ANON, FPH_REGION_CONFIDENTIAL, 0,
	  0, 0, FPH_OUTCOME_SKIPPED, FPH_SKIP_CONFIDENTIAL },
	{ FPH_BACKING_ANON, FPH_REGION_READONLY, 0,
	  0, 0, FPH_OUTCOME_SKIPPED, FPH_SKIP_READONLY },
	{ FPH_BACKING_SHMEM, FPH_REGION_LOCKED, 0,
	  0, 0, FPH_OUTCOME_SKIPPED, FPH_SKIP_LOCKED },
	{ FPH_BACKING_FILE_PRIVATE, FPH_REGION_LOCKED | FPH_REGION_READONLY, 0,
	  0, 0, FPH_OUTCOME_SKIPPED, FPH_SKIP_READONLY },
	{ FPH_BACKING_HUGETLB, FPH_REGION_LOCKED | FPH_REGION_CONFIDENTIAL, 0,
	  0, 0, FPH_OUTCOME_SKIPPED, FPH_SKIP_CONFIDENTIAL },
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
		ck_assert_int_eq(runs[0].reason, choice[_i].reason);
		ck_assert_uint_eq(runs[0].freed, 0);
		return;
	}
	ck_assert_int_eq(fake.call[0].kind, choice[_i].call);
	ck_assert_int_eq(fake.call[0].fd, choice[_i].call == FAKE_PUNCH ?
			 5 : -1);
	ck_assert_int_eq(fake.call[0].advice, choice[_i].advice);
	ck_assert_uint_eq(fake.call[0].len, 3 * PAGE);
	ck_assert_uint_eq(fake.call[0].at, choice[_i].call == FAKE_PUNCH ?
			  770 * PAGE : FAKE_HOST + 514 * PAGE);
	ck_assert_uint_eq(choice[_i].result == FPH_OUTCOME_LAZY ? cnt.lazy :
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
				 row[i].n ? FPH_OUTCOME_DISCARDED :
				 FPH_OUTCOME_TRIMMED);
		ck_assert_uint_eq(runs[0].freed, row[i].n);
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
	rc->page_size = 16 * PAGE;
	fake_add(0, 64 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	ck_assert_int_eq(discard_one(PAGE, 47 * PAGE), FPH_OUTCOME_DISCARDED);
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
	/* Skipped is worse than discarded; freed says that most of it is. */
	ck_assert_int_eq(discard_one(8 * PAGE, 82 * PAGE),
			 FPH_OUTCOME_SKIPPED);
	ck_assert_int_eq(runs[0].reason, FPH_SKIP_UNMAPPED);
	ck_assert_uint_eq(runs[0].freed, 42 * PAGE);
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
			 FPH_OUTCOME_TRIMMED);
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
	ck_assert_int_eq(discard_one(8 * PAGE, 16 * PAGE), FPH_OUTCOME_LAZY);
	ck_assert_int_eq(discard_one(24 * PAGE, 16 * PAGE), FPH_OUTCOME_LAZY);
	ck_assert_uint_eq(cnt.lazy, 16 * PAGE);
	ck_assert_uint_eq(cnt.discarded, 16 * PAGE);
	fake_bad(FAKE_HOST + 64 * PAGE);
	fake.file_errno = EIO;
	ck_assert_int_eq(discard_one(0, 48 * PAGE), FPH_OUTCOME_FAILED);
	ck_assert_uint_eq(cnt.failed, 16 * PAGE);
	ck_assert_uint_eq(cnt.lazy, 48 * PAGE);
	ck_assert_uint_eq(cnt.failures, 1);
}
END_TEST

START_TEST(test_unmapped)
{
	fake_add(16 * PAGE, 16 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	ck_assert_int_eq(discard_one(0, 16 * PAGE), FPH_OUTCOME_SKIPPED);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_UNMAPPED], 16 * PAGE);
	ck_assert_int_eq(discard_one(32 * PAGE, PAGE), FPH_OUTCOME_SKIPPED);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_UNMAPPED], 17 * PAGE);
	ck_assert_int_eq(fake.ncalls, 0);
	ck_assert_int_eq(discard_one(15 * PAGE, 32 * PAGE),
			 FPH_OUTCOME_SKIPPED);
	ck_assert_uint_eq(runs[0].freed, 16 * PAGE);
	ck_assert_uint_eq(cnt.discarded, 16 * PAGE);
	/* A map that is reset has no memory any more. */
	ck_assert_int_eq(fph_memory_reset(fake_memory), FPH_OK);
	ck_assert_int_eq(discard_one(16 * PAGE, PAGE), FPH_OUTCOME_SKIPPED);
}
END_TEST

/* A run that is none ends the batch before it, and is told by the next call. */
START_TEST(test_bad_run)
{
	static const struct fph_run bad[] = {
		{ .gpa = 16 * PAGE, .len = 0 },
		{ .gpa = 0 - PAGE, .len = 33 * PAGE },
		{ .gpa = 16 * PAGE, .len = 0 - PAGE },
		{ .gpa = 16 * PAGE, .len = PAGE, .done = PAGE + 1 },
		{ .gpa = 16 * PAGE, .len = PAGE, .outcome = 9 },
	};

	fake_add(0, 32 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	scatter(0, 3);
	runs[2] = bad[_i];
	ck_assert_int_eq(fph_reclaim_discard(rc, runs, 3, NULL), 2);
	ck_assert_uint_eq(fake_count(), 2);
	ck_assert_int_eq(fph_reclaim_discard(rc, runs + 2, 1, NULL),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_reclaim_discard(rc, runs, 0, NULL), FPH_EINVAL);
	ck_assert_int_eq(fph_reclaim_discard(rc, NULL, 1, NULL), FPH_EINVAL);
	ck_assert(!memcmp(&runs[2], &bad[_i], sizeof(bad[_i])));
	check_sum();
}
END_TEST

/*
 * Runs that follow each other complete each other's huge page, and are freed
 * by one call; each knows its own part.
 */
START_TEST(test_neighbours)
{
	static const int backing[] = {
		FPH_BACKING_ANON, FPH_BACKING_SHMEM, FPH_BACKING_HUGETLB_ANON
	};

	fake_add(0, 4 * HUGE, 0, 5, 0, backing[_i]);
	fake_region(0)->page_size = HUGE;
	set_run(0, PAGE, HUGE);			/* ends in the second */
	set_run(1, HUGE + PAGE, PAGE);
	set_run(2, HUGE + 2 * PAGE, HUGE);	/* completes it */
	set_run(3, 3 * HUGE, HUGE);
	discard(4);
	ck_assert_int_eq(fake.ncalls, _i == 0 ? 1 : 2);
	ck_assert_uint_eq(fake_count(), 1024);
	ck_assert_int_eq(runs[0].outcome, FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(runs[0].freed, PAGE);
	ck_assert_uint_eq(runs[1].freed, PAGE);
	ck_assert_uint_eq(runs[2].freed, HUGE - 2 * PAGE);
	ck_assert_uint_eq(runs[3].freed, HUGE);
	ck_assert_uint_eq(cnt.trimmed, HUGE - PAGE + 2 * PAGE);
}
END_TEST

/* ----------------------------------------------------------- inhibitors -- */

START_TEST(test_inhibit)
{
	static struct fph_reclaim before;
	int a;
	int b;

	fake_add(0, 16 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	for (a = -2; a < FPH_NSKIP + 2; a++) {
		bool is_one = a >= FPH_SKIP_VFIO && a <= FPH_SKIP_EMBEDDER;

		before = *rc;
		ck_assert_int_eq(fph_reclaim_allow(rc, a),
				 is_one ? FPH_ESTATE : FPH_EINVAL);
		if (!is_one)
			ck_assert_int_eq(fph_reclaim_inhibit(rc, a),
					 FPH_EINVAL);
		ck_assert(!memcmp(&before, rc, sizeof(*rc)));
	}
	for (a = FPH_SKIP_VFIO; a <= FPH_SKIP_EMBEDDER; a++) {
		start(0, 0);
		fake.nvector = 0;
		for (b = 0; b < 3; b++)
			ck_assert_int_eq(fph_reclaim_inhibit(rc, a), FPH_OK);
		for (b = 0; b < 3; b++) {
			ck_assert_int_eq(discard_one(0, PAGE),
					 FPH_OUTCOME_SKIPPED);
			ck_assert_uint_eq(cnt.skipped[a],
					  (uint64_t)(b + 1) * PAGE);
			ck_assert_uint_eq(fake.nvector, 0);
			ck_assert_int_eq(fph_reclaim_allow(rc, a), FPH_OK);
		}
		ck_assert_int_eq(fph_reclaim_allow(rc, a), FPH_ESTATE);
		ck_assert_int_eq(discard_one(0, PAGE), FPH_OUTCOME_DISCARDED);
	}
}
END_TEST

START_TEST(test_inhibit_reasons)
{
	fake_add(0, 16 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	fph_reclaim_inhibit(rc, FPH_SKIP_EMBEDDER);
	fph_reclaim_inhibit(rc, FPH_SKIP_POSTCOPY);
	ck_assert_int_eq(discard_one(0, PAGE), FPH_OUTCOME_SKIPPED);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_POSTCOPY], PAGE);
	ck_assert_int_eq(fph_reclaim_enable(rc), FPH_OK);
	fph_reclaim_allow(rc, FPH_SKIP_POSTCOPY);
	ck_assert_int_eq(discard_one(0, PAGE), FPH_OUTCOME_SKIPPED);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_EMBEDDER], PAGE);
	fph_reclaim_allow(rc, FPH_SKIP_EMBEDDER);
	ck_assert_int_eq(discard_one(0, PAGE), FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.runs, 3);
}
END_TEST

/* -------------------------------------------------------------- budgets -- */

/* Each call takes up where the last one stopped; how many calls it took. */
static int discard_with(const struct fph_budget *budget, uint32_t n)
{
	uint32_t done = 0;
	int calls;
	int ret;

	memset(&runs[n], 0xee, sizeof(runs[n]));
	for (calls = 0; done < n; calls++) {
		ret = fph_reclaim_discard(rc, runs + done, n - done, budget);
		ck_assert_int_ge(ret, 0);
		done += (uint32_t)ret;
		ck_assert_uint_le(done, n);
		check_results(0, done, FPH_OUTCOME_DISCARDED);
		ck_assert_int_eq(runs[n].outcome, 0xee);
		check_sum();
		ck_assert_uint_eq(cnt.discarded, fake_count() * PAGE);
		ck_assert_uint_eq(cnt.runs, done);
	}
	return calls;
}

START_TEST(test_budget)
{
	struct fph_budget budget = { .bytes = 8 * PAGE - 1 };

	fake_add(0, 128 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	scatter(0, 64);
	ck_assert_int_eq(discard_with(&budget, 64), 8);
	ck_assert_uint_eq(cnt.process_madvise_calls, 8);
	budget.bytes = PAGE;
	setup();
	fake_add(0, 128 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	scatter(0, 64);
	ck_assert_int_eq(discard_with(&budget, 64), 64);
	budget.bytes = 1;
	setup();
	fake_add(0, 128 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	scatter(0, 64);
	ck_assert_int_eq(discard_with(&budget, 64), 64);
}
END_TEST

/* Fault 9: one merged run is cut too, at pages of the backing. */
START_TEST(test_budget_in_run)
{
	static const struct {
		uint64_t page, skew, len, budget;
		int calls;
		uint64_t freed;
	} row[] = {
		{ PAGE, 0, 100 * PAGE, 10 * PAGE, 10, 100 * PAGE },
		{ PAGE, 0, 100 * PAGE, 10 * PAGE + 1, 10, 100 * PAGE },
		{ PAGE, 100, 100 * PAGE, 50 * PAGE, 2, 99 * PAGE },
		{ PAGE, 0, 100 * PAGE, 1, 100, 100 * PAGE },
		{ HUGE, 0, 8 * HUGE, PAGE, 8, 8 * HUGE },
		{ HUGE, PAGE, 8 * HUGE, 3 * HUGE, 3, 7 * HUGE },
	};
	struct fph_budget budget = { .bytes = row[_i].budget };
	int calls = 0;

	fake_add(0, 16 * HUGE, 0, 5, 0, _i % 2 ? FPH_BACKING_SHMEM :
						 FPH_BACKING_ANON);
	fake_region(0)->page_size = row[_i].page;
	set_run(0, row[_i].skew, row[_i].len);
	while (runs[0].done < runs[0].len) {
		uint64_t before = runs[0].done;

		fph_reclaim_discard(rc, runs, 1, &budget);
		ck_assert_uint_gt(runs[0].done, before);
		ck_assert_uint_le(runs[0].done - before,
				  row[_i].budget + row[_i].page);
		check_sum();
		calls++;
	}
	ck_assert_int_eq(calls, row[_i].calls);
	ck_assert_int_eq(runs[0].outcome, FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(runs[0].freed, row[_i].freed);
	ck_assert_uint_eq(fake_count() * PAGE, row[_i].freed);
	ck_assert_uint_eq(cnt.runs, 1);
}
END_TEST

/* Bytes are kept to beside an ample time, over several runs too. */
START_TEST(test_budget_both)
{
	struct fph_budget budget = {
		.bytes = 3 * PAGE, .nanoseconds = 3600ull * 1000000000
	};

	fake_add(0, 128 * PAGE, 0, 5, 0, FPH_BACKING_SHMEM);
	set_run(0, 0, 2 * PAGE);
	set_run(1, 8 * PAGE, 2 * PAGE);
	set_run(2, 16 * PAGE, 2 * PAGE);
	ck_assert_int_eq(fph_reclaim_discard(rc, runs, 3, &budget), 1);
	ck_assert_uint_eq(runs[0].done, 2 * PAGE);
	ck_assert_uint_eq(runs[1].done, PAGE);
	ck_assert_uint_eq(runs[2].done, 0);
	/* A page less than a part, of which a half was used up. */
	setup();
	fake_add(0, 64 * HUGE, 0, 5, 0, FPH_BACKING_SHMEM);
	set_run(0, 0, HUGE);
	set_run(1, 4 * HUGE, 2 * HUGE);
	budget.bytes = 2 * HUGE - PAGE;
	ck_assert_int_eq(fph_reclaim_discard(rc, runs, 2, &budget), 1);
	ck_assert_uint_eq(runs[1].done, HUGE - PAGE);
}
END_TEST

/* A slow call uses the time up; a budget that is ample changes nothing. */
START_TEST(test_budget_time)
{
	struct fph_budget budget = { .nanoseconds = 1000000 };
	uint32_t i;

	fake_add(0, 64 * HUGE, 0, 5, 0, FPH_BACKING_SHMEM);
	for (i = 0; i < 16; i++)
		set_run(i, 4 * i * HUGE, 2 * HUGE);
	fake.sleep_us = 2000;
	/* A part of 4 MiB at first, and smaller ones as they are slow. */
	ck_assert_int_eq(fph_reclaim_discard(rc, runs, 16, &budget), 1);
	ck_assert_int_eq(fake.ncalls, 1);
	ck_assert_int_eq(fph_reclaim_discard(rc, runs + 1, 15, &budget), 0);
	ck_assert_int_eq(fake.ncalls, 2);
	ck_assert_uint_eq(runs[1].done, HUGE);
	ck_assert_int_eq(fph_reclaim_discard(rc, runs + 1, 15, &budget), 0);
	ck_assert_uint_eq(runs[1].done, HUGE + HUGE / 2);
	check_sum();
	setup();
	fake_add(0, 128 * PAGE, 0, 5, 0, FPH_BACKING_SHMEM);
	scatter(0, 16);
	budget.nanoseconds = 3600ull * 1000000000;
	ck_assert_int_eq(discard_with(&budget, 16), 1);
	ck_assert_uint_eq(cnt.fallocate_calls, 16);
}
END_TEST

/* One private run of a gigabyte is no call longer than the budget and a part. */
START_TEST(test_budget_time_vector)
{
	struct fph_budget budget = { .nanoseconds = 1000000 };
	uint64_t before = 0;
	int calls;

	fake_add(0, 512 * HUGE, 0, -1, 0, FPH_BACKING_ANON);
	set_run(0, 0, 512 * HUGE);
	fake.sleep_us = 2000;
	for (calls = 1; !fph_reclaim_discard(rc, runs, 1, &budget); calls++) {
		ck_assert_int_eq(fake.ncalls, calls);
		ck_assert_uint_le(runs[0].done - before, 2 * HUGE);
		before = runs[0].done;
	}
	ck_assert_int_eq(runs[0].outcome, FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(runs[0].freed, 512 * HUGE);
	/* Parts of 4 and 2 MiB, and as they are slow of one. */
	ck_assert_int_eq(calls, 2 + 1018);
	check_sum();
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("reclaim");
	TCase *t = tcase_create("reclaim");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_new);
	tcase_add_test(t, test_uninitialised);
	tcase_add_loop_test(t, test_choice, 0,
			    sizeof(choice) / sizeof(choice[0]));
	tcase_add_loop_test(t, test_trim, 0, 4);
	tcase_add_test(t, test_system_page);
	tcase_add_test(t, test_crossing);
	tcase_add_test(t, test_mixed_result);
	tcase_add_test(t, test_unmapped);
	tcase_add_loop_test(t, test_bad_run, 0, 5);
	tcase_add_loop_test(t, test_neighbours, 0, 3);
	tcase_add_test(t, test_inhibit);
	tcase_add_test(t, test_inhibit_reasons);
	tcase_add_test(t, test_budget);
	tcase_add_loop_test(t, test_budget_in_run, 0, 6);
	tcase_add_test(t, test_budget_both);
	tcase_add_test(t, test_budget_time);
	tcase_add_test(t, test_budget_time_vector);
	suite_add_tcase(s, t);
	return s;
}
