/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The reclaim engine when calls are refused, cut short, interrupted or fail. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fake_calls.h"

#define MIB	((uint64_t)1 << 20)
#define TRIES	8			/* of an interrupted call */

/* Private memory at 0, all that is remembered, and a file far above. */
#define FILE_GPA	((uint64_t)1 << 40)

static void setup(void)
{
	fake_reset();
	fake_add(0, FAKE_PAGES * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	fake_add(FILE_GPA, FAKE_PAGES * PAGE, (uint64_t)1 << 32, 5, 0,
		 FPH_BACKING_SHMEM);
	start(0, 0);
}

/* n runs of so many pages, with a page between them. */
static void scatter(uint64_t gpa, uint32_t n, uint64_t pages)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		set_run(i, gpa + i * (pages + 1) * PAGE, pages * PAGE);
	}
}

static void check_results(uint32_t from, uint32_t to, int result)
{
	for (; from < to; from++)
		ck_assert_msg(runs[from].outcome == result, "run %u is %d", from,
			      runs[from].outcome);
}

/* -------------------------------------------------------------- vectors -- */

START_TEST(test_vector_count)
{
	static const uint32_t n[] = {
		1, 2, 32, 1023, 1024, 1025, 2047, 2048, 2049, 4096
	};
	size_t i;

	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		setup();
		scatter(0, n[i], 1);
		discard(n[i]);
		check_results(0, n[i], FPH_OUTCOME_DISCARDED);
		ck_assert_uint_eq(cnt.process_madvise_calls,
				  (n[i] + 1023) / 1024);
		ck_assert_uint_eq(cnt.madvise_calls, 0);
		ck_assert_uint_eq(fake_count(), n[i]);

		setup();
		start(FPH_RECLAIM_NO_VECTOR, 0);
		discard(n[i]);
		ck_assert_uint_eq(cnt.process_madvise_calls, 0);
		ck_assert_uint_eq(cnt.madvise_calls, n[i]);
		ck_assert_uint_eq(fake_count(), n[i]);
	}
}
END_TEST

/* The fake call checks that none of them reaches 2 GiB. */
START_TEST(test_vector_bytes)
{
	uint32_t i;

	fake_reset();
	fake_add(0, 16384 * MIB, 0, -1, 0, FPH_BACKING_ANON);
	for (i = 0; i < 10; i++) {
		set_run(i, i * 1024 * MIB, 512 * MIB);
	}
	discard(10);
	check_results(0, 10, FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.process_madvise_calls, 4);
	ck_assert_uint_eq(cnt.discarded, 5120 * MIB);
	ck_assert_int_eq(discard_one(0, 2046 * MIB), FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.process_madvise_calls, 5);
	ck_assert_uint_eq(cnt.madvise_calls, 0);
	/* What is too long for a vector takes one call without. */
	ck_assert_int_eq(discard_one(0, 2046 * MIB + PAGE),
			 FPH_OUTCOME_DISCARDED);
	ck_assert_int_eq(discard_one(0, 16384 * MIB), FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.process_madvise_calls, 5);
	ck_assert_uint_eq(cnt.madvise_calls, 2);
}
END_TEST

static const int refusal[] = { EINVAL, ENOSYS, EPERM, EBADF, EMFILE, 0 };

/* Debian 12's own kernel says EINVAL, a seccomp filter EPERM. */
START_TEST(test_refused)
{
	fake.vector_mode = refusal[_i] ? FAKE_REFUSES : FAKE_CUTS;
	fake.vector_errno = refusal[_i];
	scatter(0, 100, 1);
	discard(100);
	check_results(0, 100, FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.process_madvise_calls, 1);
	ck_assert_uint_eq(cnt.madvise_calls, 100);
	ck_assert_uint_eq(fake_count(), 100);
	ck_assert_uint_eq(cnt.failures, 0);
	discard(100);
	ck_assert_uint_eq(cnt.process_madvise_calls, 1);
	ck_assert_uint_eq(cnt.madvise_calls, 200);
	/* Another kernel may be asked another time. */
	ck_assert_int_eq(fph_reclaim_enable(rc), FPH_OK);
	fake.vector_mode = FAKE_WORKS;
	discard(100);
	ck_assert_uint_eq(cnt.process_madvise_calls, 2);
	ck_assert_uint_eq(cnt.madvise_calls, 200);
}
END_TEST

START_TEST(test_never_a_vector)
{
	start(FPH_RECLAIM_NO_VECTOR, 0);
	ck_assert_int_eq(fph_reclaim_enable(rc), FPH_OK);
	scatter(0, 100, 1);
	discard(100);
	ck_assert_uint_eq(cnt.process_madvise_calls, 0);
	ck_assert_uint_eq(cnt.madvise_calls, 100);
}
END_TEST

/* EINVAL for a bad entry is not taken for a kernel without vectors. */
START_TEST(test_refused_or_bad)
{
	fake_bad(FAKE_HOST);
	scatter(0, 10, 1);
	discard(10);
	ck_assert_int_eq(runs[0].outcome, FPH_OUTCOME_FAILED);
	check_results(1, 3, FPH_OUTCOME_SKIPPED);
	check_results(3, 10, FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.process_madvise_calls, 2);
	ck_assert_uint_eq(cnt.madvise_calls, 1);
	/* And where both are true, that is found out in the end. */
	setup();
	fake_bad(FAKE_HOST);
	fake.vector_mode = FAKE_REFUSES;
	fake.vector_errno = EINVAL;
	scatter(0, 10, 1);
	discard(10);
	ck_assert_int_eq(runs[0].outcome, FPH_OUTCOME_FAILED);
	check_results(1, 3, FPH_OUTCOME_SKIPPED);
	check_results(3, 10, FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.process_madvise_calls, 2);
	ck_assert_uint_eq(cnt.madvise_calls, 1 + 7);
	discard(10);
	ck_assert_uint_eq(cnt.process_madvise_calls, 2);
}
END_TEST

START_TEST(test_short)
{
	static const struct {
		uint64_t cut;		/* bytes done by a call */
		uint32_t n;		/* runs */
		uint64_t pages;		/* of each */
		uint64_t vectors, calls;
	} row[] = {
		{ 10 * PAGE, 100, 1, 10, 0 },
		{ 10 * PAGE + 100, 100, 1, 10, 0 },
		{ 11 * PAGE - 1, 100, 1, 10, 0 },
		{ PAGE, 10, 1, 10, 0 },
		{ 3 * PAGE, 8, 8, 22, 0 },	/* in the middle of entries */
		{ 3 * PAGE + 1, 8, 8, 22, 0 },
		{ 8 * PAGE, 8, 8, 8, 0 },
		{ PAGE - 1, 10, 1, 1, 10 },	/* no use */
		{ 1, 10, 8, 1, 10 },
	};
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		setup();
		fake.vector_mode = FAKE_CUTS;
		fake.vector_cut = row[i].cut;
		scatter(0, row[i].n, row[i].pages);
		discard(row[i].n);
		check_results(0, row[i].n, FPH_OUTCOME_DISCARDED);
		ck_assert_uint_eq(fake_count(), row[i].n * row[i].pages);
		ck_assert_uint_eq(cnt.discarded,
				  row[i].n * row[i].pages * PAGE);
		ck_assert_uint_eq(cnt.process_madvise_calls, row[i].vectors);
		ck_assert_uint_eq(cnt.madvise_calls, row[i].calls);
		ck_assert_uint_eq(cnt.failures, 0);
	}
}
END_TEST

/* A call that did part of an entry did not do the rest. */
START_TEST(test_short_then_bad)
{
	fake.vector_mode = FAKE_CUTS;
	fake.vector_cut = 3 * PAGE;
	fake_bad(FAKE_HOST + 6 * PAGE);
	ck_assert_int_eq(discard_one(0, 8 * PAGE), FPH_OUTCOME_FAILED);
	ck_assert_uint_eq(cnt.discarded, 6 * PAGE);
	ck_assert_uint_eq(cnt.failed, 2 * PAGE);
	ck_assert_uint_eq(fake_count(), 6);
}
END_TEST

START_TEST(test_bad_middle)
{
	scatter(0, 20, 1);
	fake_bad(FAKE_HOST + 2 * 5 * PAGE);
	discard(20);
	check_results(0, 5, FPH_OUTCOME_DISCARDED);
	check_results(5, 6, FPH_OUTCOME_FAILED);
	check_results(6, 8, FPH_OUTCOME_SKIPPED);
	check_results(8, 20, FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.failed, PAGE);
	ck_assert_uint_eq(cnt.failures, 1);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_BACKOFF], 2 * PAGE);
	ck_assert_uint_eq(cnt.discarded, 17 * PAGE);
	ck_assert_uint_eq(fake_count(), 17);
	/* 5 done; none done, and why; the rest. */
	ck_assert_uint_eq(cnt.process_madvise_calls, 3);
	ck_assert_uint_eq(cnt.madvise_calls, 1);
	ck_assert_uint_eq(fake.call[3].n, 12);
}
END_TEST

/* ------------------------------------------ runs of more than one piece -- */

/* Ten pages each, one region behind the other in the guest only. */
static void setup_pieces(int backing)
{
	fake_reset();
	fake_add(0, 10 * PAGE, 0, -1, 0, FPH_BACKING_ANON);
	fake_add(10 * PAGE, 10 * PAGE, 20 * PAGE, -1, 0, FPH_BACKING_ANON);
	fake_add(20 * PAGE, 10 * PAGE, 40 * PAGE, 5, 0, backing);
	fake_add(30 * PAGE, 10 * PAGE, 60 * PAGE, -1, 0, FPH_BACKING_ANON);
}

START_TEST(test_pieces)
{
	start(_i ? FPH_RECLAIM_NO_VECTOR : 0, 0);
	setup_pieces(FPH_BACKING_ANON);
	fake_bad(FAKE_HOST + 25 * PAGE);
	set_run(0, 0, 35 * PAGE);
	set_run(1, 36 * PAGE, PAGE);
	discard(2);
	ck_assert_int_eq(runs[0].outcome, FPH_OUTCOME_FAILED);
	ck_assert_uint_eq(runs[0].freed, 25 * PAGE);
	/* Its own region is well. */
	ck_assert_int_eq(runs[1].outcome, FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.discarded, 26 * PAGE);
	ck_assert_uint_eq(cnt.failed, 10 * PAGE);
	ck_assert_uint_eq(cnt.failures, 1);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_BACKOFF], 0);
}
END_TEST

/* The last failure that is allowed ends it, for that region alone. */
START_TEST(test_pieces_disabled)
{
	start(_i ? FPH_RECLAIM_NO_VECTOR : 0, 1);
	setup_pieces(FPH_BACKING_SHMEM);
	fake_bad(FAKE_HOST + 25 * PAGE);
	ck_assert_int_eq(discard_one(0, 40 * PAGE), FPH_OUTCOME_FAILED);
	ck_assert(fph_reclaim_is_disabled(rc));
	ck_assert_uint_eq(cnt.discarded, 30 * PAGE);
	ck_assert_uint_eq(cnt.failed, 10 * PAGE);
	ck_assert_uint_eq(cnt.fallocate_calls, 1);
	ck_assert_int_eq(discard_one(5 * PAGE, 10 * PAGE),
			 FPH_OUTCOME_SKIPPED);
	ck_assert_int_eq(runs[0].reason, FPH_SKIP_DISABLED);
	ck_assert_uint_eq(runs[0].freed, 5 * PAGE);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_DISABLED], 5 * PAGE);
}
END_TEST

/* A run that waited in the vector when the one before failed: held there. */
START_TEST(test_pieces_held)
{
	start(_i & 1 ? FPH_RECLAIM_NO_VECTOR : 0, 0);
	setup_pieces(_i & 2 ? FPH_BACKING_HUGETLB_ANON : FPH_BACKING_SHMEM);
	fake_bad(FAKE_HOST);
	set_run(0, 0, PAGE);
	set_run(1, 2 * PAGE, 38 * PAGE);
	discard(2);
	ck_assert_int_eq(runs[0].outcome, FPH_OUTCOME_FAILED);
	ck_assert_int_eq(runs[1].outcome, FPH_OUTCOME_SKIPPED);
	ck_assert_int_eq(runs[1].reason, FPH_SKIP_BACKOFF);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_BACKOFF], 8 * PAGE);
	ck_assert_uint_eq(fake_count(), 30);
	/* One more run is held, and then all is well. */
	ck_assert_int_eq(discard_one(PAGE, PAGE), FPH_OUTCOME_SKIPPED);
	ck_assert_int_eq(discard_one(PAGE, PAGE), FPH_OUTCOME_DISCARDED);
}
END_TEST

/* -------------------------------------------------------- interruptions -- */

static const int interruption[] = { EINTR, EAGAIN };

START_TEST(test_interrupted)
{
	fake.interrupt_errno = interruption[_i];
	fake.interrupts = TRIES - 1;
	ck_assert_int_eq(discard_one(FILE_GPA, PAGE), FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.fallocate_calls, TRIES);
	fake.interrupts = TRIES;
	ck_assert_int_eq(discard_one(FILE_GPA, PAGE), FPH_OUTCOME_FAILED);
	ck_assert_uint_eq(cnt.fallocate_calls, 2 * TRIES);
	ck_assert_uint_eq(cnt.failures, 1);

	setup();
	start(FPH_RECLAIM_NO_VECTOR, 0);
	fake.interrupt_errno = interruption[_i];
	fake.interrupts = TRIES - 1;
	ck_assert_int_eq(discard_one(0, PAGE), FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.madvise_calls, TRIES);
	fake.interrupts = TRIES;
	ck_assert_int_eq(discard_one(0, PAGE), FPH_OUTCOME_FAILED);
	ck_assert_uint_eq(cnt.madvise_calls, 2 * TRIES);
	ck_assert_uint_eq(cnt.failures, 1);
}
END_TEST

START_TEST(test_vector_interrupted)
{
	fake.interrupt_errno = interruption[_i];
	fake.interrupts = TRIES - 1;
	ck_assert_int_eq(discard_one(0, PAGE), FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.process_madvise_calls, TRIES);
	ck_assert_uint_eq(cnt.madvise_calls, 0);
	/* It goes on without, and says nothing about the kernel. */
	fake.interrupts = TRIES;
	ck_assert_int_eq(discard_one(0, PAGE), FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.process_madvise_calls, 2 * TRIES);
	ck_assert_uint_eq(cnt.madvise_calls, 1);
	ck_assert_int_eq(discard_one(0, PAGE), FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.process_madvise_calls, 2 * TRIES + 1);
	/* Neither call gets through. */
	fake.interrupts = 2 * TRIES;
	ck_assert_int_eq(discard_one(0, PAGE), FPH_OUTCOME_FAILED);
	ck_assert_uint_eq(cnt.madvise_calls, 1 + TRIES);
	ck_assert_uint_eq(cnt.failures, 1);
}
END_TEST

/* ----------------------------------------------------- back-off and off -- */

START_TEST(test_backoff)
{
	static const struct {
		uint32_t to;
		int result;
	} row[] = {
		{ 1, FPH_OUTCOME_FAILED }, { 3, FPH_OUTCOME_SKIPPED },
		{ 4, FPH_OUTCOME_FAILED }, { 8, FPH_OUTCOME_SKIPPED },
		{ 9, FPH_OUTCOME_FAILED }, { 17, FPH_OUTCOME_SKIPPED },
		{ 18, FPH_OUTCOME_FAILED }, { 40, FPH_OUTCOME_SKIPPED },
	};
	uint32_t from = 0;
	size_t i;

	start(0, 4);
	fake.file_errno = EIO;
	scatter(FILE_GPA, 40, 1);
	discard(40);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		check_results(from, row[i].to, row[i].result);
		from = row[i].to;
	}
	ck_assert_uint_eq(cnt.fallocate_calls, 4);
	ck_assert_uint_eq(cnt.failures, 4);
	ck_assert_uint_eq(cnt.failed, 4 * PAGE);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_BACKOFF], 14 * PAGE);
	ck_assert_uint_eq(cnt.skipped[FPH_SKIP_DISABLED], 22 * PAGE);
	ck_assert(fph_reclaim_is_disabled(rc));

	/* Off for this region alone, and for good, until enable. */
	fake.file_errno = 0;
	ck_assert_int_eq(discard_one(0, PAGE), FPH_OUTCOME_DISCARDED);
	ck_assert_int_eq(discard_one(FILE_GPA, PAGE), FPH_OUTCOME_SKIPPED);
	ck_assert_int_eq(fph_reclaim_enable(rc), FPH_OK);
	ck_assert(!fph_reclaim_is_disabled(rc));
	ck_assert_int_eq(discard_one(FILE_GPA, PAGE), FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.failures, 4);
}
END_TEST

/* A call that works ends the row; what is still to be skipped is skipped. */
START_TEST(test_backoff_row)
{
	int i;

	for (i = 0; i < 40; i++) {
		fake.file_errno = EIO;
		ck_assert_int_eq(discard_one(FILE_GPA, PAGE),
				 FPH_OUTCOME_FAILED);
		fake.file_errno = 0;
		ck_assert_int_eq(discard_one(FILE_GPA, PAGE),
				 FPH_OUTCOME_SKIPPED);
		ck_assert_int_eq(discard_one(0, PAGE),
				 FPH_OUTCOME_DISCARDED);
		ck_assert_int_eq(discard_one(FILE_GPA, PAGE),
				 FPH_OUTCOME_SKIPPED);
		ck_assert_int_eq(discard_one(FILE_GPA, PAGE),
				 FPH_OUTCOME_DISCARDED);
	}
	ck_assert(!fph_reclaim_is_disabled(rc));
	fake.file_errno = EIO;
	discard_one(FILE_GPA, PAGE);
	ck_assert_int_eq(fph_reclaim_enable(rc), FPH_OK);
	fake.file_errno = 0;
	ck_assert_int_eq(discard_one(FILE_GPA, PAGE), FPH_OUTCOME_DISCARDED);
}
END_TEST

/* Off after 16 by default; the back-off does not grow beyond 2^16 runs. */
START_TEST(test_backoff_limit)
{
	uint64_t expected = 0;
	uint64_t skipped = 0;
	uint32_t n = _i ? 18 : 16;
	uint32_t i;

	start(0, _i ? n : 0);
	fake.file_errno = EIO;
	for (i = 1; i < n; i++)
		expected += i < 16 ? 1u << i : 1u << 16;
	while (!fph_reclaim_is_disabled(rc)) {
		scatter(FILE_GPA, 4096, 1);
		discard(4096);
		skipped = cnt.skipped[FPH_SKIP_BACKOFF] / PAGE;
		ck_assert_uint_le(skipped, expected);
	}
	ck_assert_uint_eq(skipped, expected);
	ck_assert_uint_eq(cnt.failures, n);
}
END_TEST

/* More regions in trouble than are remembered: the oldest may be tried again. */
START_TEST(test_many_troubles)
{
	uint64_t gpa = FILE_GPA * 2;
	uint64_t i;

	for (i = 0; i < FPH_RECLAIM_TROUBLES + 4; i++)
		fake_add(gpa + i * PAGE, PAGE, (1 << 20) * PAGE + 2 * i * PAGE,
			 5, i * PAGE, FPH_BACKING_SHMEM);
	start(0, 1);
	fake.file_errno = EIO;
	for (i = 0; i < FPH_RECLAIM_TROUBLES + 4; i++)
		ck_assert_int_eq(discard_one(gpa + i * PAGE, PAGE),
				 FPH_OUTCOME_FAILED);
	for (i = FPH_RECLAIM_TROUBLES + 4; i-- > 4;)
		ck_assert_int_eq(discard_one(gpa + i * PAGE, PAGE),
				 FPH_OUTCOME_SKIPPED);
	fake.file_errno = 0;
	ck_assert_int_eq(discard_one(gpa, PAGE), FPH_OUTCOME_DISCARDED);
	ck_assert(fph_reclaim_is_disabled(rc));
}
END_TEST

/* ----------------------------------------------------- all ways are one -- */

struct outcome {
	struct fph_run runs[512];
	uint8_t freed[FAKE_PAGES];
	uint8_t punched[FAKE_PAGES];
	struct fph_reclaim_counters cnt;
	bool disabled;
};

static void run_random(unsigned int seed, uint32_t flags, int mode,
		       struct outcome *out)
{
	uint64_t at = 0;
	uint32_t n = 0;
	uint32_t i;

	setup();
	start(flags, 5);
	fake.vector_mode = mode;
	fake.vector_errno = EINVAL;
	for (i = 0; i < 30; i++)
		fake.bad[rand_r(&seed) % FAKE_PAGES] = seed & 3;
	for (; n < 512 && at < FAKE_PAGES; n++) {
		bool is_file = rand_r(&seed) % 64 == 0;

		set_run(n, (is_file ? FILE_GPA : 0) + at * PAGE, 0);
		at += 1 + (unsigned int)rand_r(&seed) % 24;
		runs[n].len = at * PAGE - runs[n].gpa % FILE_GPA;
		at += (unsigned int)rand_r(&seed) % 24;
	}
	discard(n);
	memset(out, 0, sizeof(*out));
	memcpy(out->runs, runs, n * sizeof(*runs));
	memcpy(out->freed, fake.freed, sizeof(fake.freed));
	memcpy(out->punched, fake.punched, sizeof(fake.punched));
	out->disabled = fph_reclaim_is_disabled(rc);
	out->cnt = cnt;
	out->cnt.madvise_calls = 0;
	out->cnt.process_madvise_calls = 0;
	ck_assert_uint_eq(cnt.discarded, fake_count() * PAGE);
}

/* With vectors, without, and where the kernel refuses them: the same. */
START_TEST(test_same)
{
	static struct outcome without;
	static struct outcome with;
	static struct outcome refused;
	unsigned int seed = (unsigned int)_i;

	run_random(seed, FPH_RECLAIM_NO_VECTOR, FAKE_WORKS, &without);
	run_random(seed, 0, FAKE_WORKS, &with);
	run_random(seed, 0, FAKE_REFUSES, &refused);
	ck_assert(!memcmp(&without, &with, sizeof(with)));
	ck_assert(!memcmp(&without, &refused, sizeof(refused)));
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("reclaim_faults");
	TCase *t = tcase_create("reclaim_faults");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_vector_count);
	tcase_add_test(t, test_vector_bytes);
	tcase_add_loop_test(t, test_refused, 0,
			    sizeof(refusal) / sizeof(refusal[0]));
	tcase_add_test(t, test_never_a_vector);
	tcase_add_test(t, test_refused_or_bad);
	tcase_add_test(t, test_short);
	tcase_add_test(t, test_short_then_bad);
	tcase_add_test(t, test_bad_middle);
	tcase_add_loop_test(t, test_pieces, 0, 2);
	tcase_add_loop_test(t, test_pieces_disabled, 0, 2);
	tcase_add_loop_test(t, test_pieces_held, 0, 4);
	tcase_add_loop_test(t, test_interrupted, 0, 2);
	tcase_add_loop_test(t, test_vector_interrupted, 0, 2);
	tcase_add_test(t, test_backoff);
	tcase_add_test(t, test_backoff_row);
	tcase_add_loop_test(t, test_backoff_limit, 0, 2);
	tcase_add_test(t, test_many_troubles);
	tcase_add_loop_test(t, test_same, 0, 200);
	suite_add_tcase(s, t);
	return s;
}
