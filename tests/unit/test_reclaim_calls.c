/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* How many system calls it takes to free real memory, and where they go. */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <fph/host.h>

#include "reclaim_fixture.h"

/* ------------------------------------------------ system calls, counted -- */

/* Scattered private pages: full vectors, or a call each. */
START_TEST(test_scattered_anon)
{
	static const struct fph_reclaim_ops *const ops[] = {
		&real_ops, &refusing_ops, &emulating_ops
	};
	bool is_vector = _i == 2 || (_i == 0 && has_vector());
	struct host_area a;
	uint32_t i;

	start(ops[_i], 0);
	host_map_anon(&a, 5000);
	host_fill(&a);
	add(&a, true, 0, 0);
	scatter(2500);
	discard(2500);
	for (i = 0; i < 2500; i++)
		ck_assert_int_eq(runs[i].outcome, FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.process_madvise_calls, is_vector ? 3 : 1);
	ck_assert_uint_eq(cnt.madvise_calls, is_vector ? 0 : 2500);
	ck_assert_uint_eq(ncalls, is_vector ? 3 : 2501);
	ck_assert_int_eq(host_rss(&a), 2500 * (long)a.page);
	for (i = 0; i < 5000; i++)
		ck_assert(host_is(&a, i, i % 2 ? host_byte(i) : 0));
	host_unmap(&a);
}
END_TEST

START_TEST(test_scattered_memfd)
{
	struct host_area a;
	uint32_t i;

	start(&real_ops, 0);
	host_map_file(&a, 200, host_memfd(), MAP_SHARED);
	host_fill(&a);
	add(&a, false, 0, 0);
	scatter(100);
	discard(100);
	ck_assert_uint_eq(ncalls, 100);
	ck_assert_uint_eq(cnt.fallocate_calls, 100);
	ck_assert_int_eq(host_blocks(a.fd), 100 * (long)a.page);
	for (i = 0; i < 200; i++)
		ck_assert(host_is(&a, i, i % 2 ? host_byte(i) : 0));
	host_unmap(&a);
}
END_TEST

static uint64_t report_memory[FPH_REPORT_SIZE(2048, 64) / 8];
static struct fph_report *report;

/* So many buffers of 32 pages, in groups of neighbours. */
static void report_buffers(uint32_t n, uint32_t group)
{
	struct fph_report_params params = {
		.size = sizeof(params),
		.max_ranges = 2048,
		.max_buffers = 64,
		.granule = host_page(),
	};
	struct fph_buffer buffer = { .nwrite = 32 };
	struct fph_seg segs[32];
	uint32_t page = 0;
	uint32_t i;

	ck_assert_int_eq(fph_report_init(&report, report_memory,
					 sizeof(report_memory), &params),
			 FPH_OK);
	for (; buffer.cookie < n; buffer.cookie++) {
		for (i = 0; i < 32; i++) {
			/* From the end of a group: it takes a sort to merge. */
			uint32_t at = page + group - 1 - 2 * (i % group);

			segs[i].gpa = GPA + at * host_page();
			segs[i].len = (uint32_t)host_page();
			segs[i].flags = FPH_SEG_WRITE;
			page += (i + 1) % group ? 1 : 2;
		}
		ck_assert_int_eq(fph_report_add(report, &buffer, 1, segs), 1);
	}
}

/* Discards what the buffers hold, and sees them all returned. */
static void discard_buffers(uint32_t n)
{
	struct fph_used used[64];
	uint64_t freed = 0;
	int nruns = fph_report_next(report, runs, 4096);
	uint32_t i;

	ck_assert_int_gt(nruns, 0);
	discard((uint32_t)nruns);
	ck_assert_int_eq(fph_report_complete(report, runs, (uint32_t)nruns),
			 nruns);
	ck_assert_int_eq(fph_report_take_used(report, used, 64), (int)n);
	for (i = 0; i < n; i++) {
		ck_assert_int_eq(used[i].outcome, FPH_OUTCOME_DISCARDED);
		freed += used[i].freed;
	}
	ck_assert_uint_eq(freed, n * 32 * host_page());
	ck_assert_uint_eq(cnt.discarded, freed);
	ck_assert_uint_eq(cnt.failures, 0);
}

static const struct {
	bool is_shared;
	bool is_vector;		/* as a new kernel, or as Debian 12's own */
	uint32_t nbuffers, group;
	uint64_t calls;
} reported[] = {
	{ true, true, 1, 32, 1 },
	{ true, true, 1, 1, 32 },
	{ true, true, 1, 4, 8 },
	{ true, true, 40, 16, 80 },
	{ false, true, 1, 32, 1 },
	{ false, true, 1, 1, 1 },
	{ false, true, 32, 1, 1 },
	{ false, true, 33, 1, 2 },
	{ false, false, 1, 32, 1 + 1 },
	{ false, false, 1, 1, 32 + 1 },
	{ false, false, 1, 4, 8 + 1 },
	{ false, false, 33, 1, 33 * 32 + 1 },
};

START_TEST(test_reported)
{
	bool is_shared = reported[_i].is_shared;
	uint32_t n = reported[_i].nbuffers;
	struct host_area a;

	start(!reported[_i].is_vector ? &refusing_ops :
	      !is_shared && !has_vector() ? &emulating_ops : &real_ops, 0);
	if (is_shared)
		host_map_file(&a, 64 * 40, host_memfd(), MAP_SHARED);
	else
		host_map_anon(&a, 64 * 40);
	host_fill(&a);
	add(&a, !is_shared, 0, 0);
	report_buffers(n, reported[_i].group);
	discard_buffers(n);
	ck_assert_uint_eq(ncalls, reported[_i].calls);
	ck_assert_uint_eq(host_resident(&a, 0, 64 * 40), 64 * 40 - n * 32);
	host_unmap(&a);
}
END_TEST

/* ---------------------------------------------------- filters and forks -- */

/* errno for process_madvise on PIDFD_SELF, on a pidfd, and for pidfd_open. */
static bool filter(uint16_t on_self, uint16_t on_pidfd, uint16_t on_open)
{
#define LOAD(m)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
			 offsetof(struct seccomp_data, m))
#define IF_NOT(k, skip)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(k), \
				 0, skip)
#define FAIL(e)	BPF_STMT(BPF_RET | BPF_K, (e) ? SECCOMP_RET_ERRNO | (e) : \
			 SECCOMP_RET_ALLOW)
	struct sock_filter code[] = {
		LOAD(nr),
		IF_NOT(SYS_pidfd_open, 1),
		FAIL(on_open),
		IF_NOT(SYS_process_madvise, 4),
		LOAD(args[0]),
		IF_NOT(-10000, 1),
		FAIL(on_self),
		FAIL(on_pidfd),
		FAIL(0u),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

static const struct {
	uint16_t on_self, on_pidfd, on_open;
	bool is_vector;			/* where the kernel has it */
} filtered[] = {
	{ EPERM, EPERM, 0, false },
	{ EINVAL, EINVAL, 0, false },
	{ ENOSYS, ENOSYS, 0, false },
	{ EBADF, 0, 0, true },		/* before 6.14: by a pidfd */
	{ EBADF, EINVAL, 0, false },
	{ EBADF, 0, EMFILE, false },
	{ 0, EPERM, EPERM, true },
};

/* In a process of its own, for there is no way back; its exit status. */
static int discard_filtered(int i, bool is_vector)
{
	struct host_area a;
	size_t page;

	start(NULL, 0);
	host_map_anon(&a, 200);
	host_fill(&a);
	add(&a, true, 0, 0);
	if (!filter(filtered[i].on_self, filtered[i].on_pidfd,
		    filtered[i].on_open))
		return 77;
	scatter(100);
	discard(100);
	for (page = 0; page < 200; page++)
		if (!host_is(&a, page, page % 2 ? host_byte(page) : 0))
			return 2;
	if (cnt.discarded != 100 * a.page || cnt.failures ||
	    cnt.process_madvise_calls != 1 ||
	    cnt.madvise_calls != (is_vector ? 0 : 100))
		return 3;
	return 0;
}

START_TEST(test_filtered)
{
	bool is_vector = filtered[_i].is_vector && has_vector();
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid)
		exit(discard_filtered(_i, is_vector));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		host_skip("test_filtered", "no seccomp filters here");
	else
		ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* A child's discards are its own, also with an engine from before the fork. */
START_TEST(test_fork)
{
	struct host_area a;
	int status;
	pid_t pid;

	start(NULL, 0);
	host_map_anon(&a, 16);
	host_fill(&a);
	add(&a, true, 0, 0);
	ck_assert_int_eq(discard_one(0, a.page), FPH_OUTCOME_DISCARDED);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid)
		exit(discard_one(0, a.len) != FPH_OUTCOME_DISCARDED ||
		     !host_is(&a, 5, 0));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	host_check_content(&a, 0, 1);
	host_unmap(&a);
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("reclaim_calls");
	TCase *t = tcase_create("reclaim_calls");

	host_init();
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 180);
	tcase_add_loop_test(t, test_scattered_anon, 0, 3);
	tcase_add_test(t, test_scattered_memfd);
	tcase_add_loop_test(t, test_reported, 0,
			    sizeof(reported) / sizeof(reported[0]));
	tcase_add_loop_test(t, test_filtered, 0,
			    sizeof(filtered) / sizeof(filtered[0]));
	tcase_add_test(t, test_fork);
	suite_add_tcase(s, t);
	return s;
}
