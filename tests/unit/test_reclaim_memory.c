/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The reclaim engine on real memory: it is free afterwards, and only it. */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "reclaim_fixture.h"

#define HUGE	((size_t)2 << 20)

/* --------------------------------------------------------- each backing -- */

/*
 * Sixteen pages are in use.  A run that begins and ends inside of pages frees
 * those between, 5 to 9, and no other.
 */
static void check_freed(struct host_area *a)
{
	long blocks = a->fd >= 0 ? host_blocks(a->fd) : 0;
	long freed = 5 * (long)a->page;
	long rss;

	rss = host_rss(a);
	ck_assert_int_eq(rss, 16 * (long)a->page);
	ck_assert_uint_eq(host_resident(a, 0, 16), 16);
	ck_assert_int_eq(discard_one(4 * a->page + 1, 6 * a->page),
			 FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.discarded, 5 * a->page);
	ck_assert_uint_eq(cnt.trimmed, a->page);
	ck_assert_uint_eq(host_resident(a, 0, 5), 5);
	ck_assert_uint_eq(host_resident(a, 5, 10), 0);
	ck_assert_uint_eq(host_resident(a, 10, 16), 6);
	ck_assert_int_eq(host_rss(a), rss - freed);
	if (a->fd >= 0)
		ck_assert_int_eq(host_blocks(a->fd), blocks - freed);
	host_check_content(a, 5, 10);
	/* Less than a page, at both ends of one, frees nothing. */
	ck_assert_int_eq(discard_one(11 * a->page + 1, a->page - 1),
			 FPH_OUTCOME_TRIMMED);
	ck_assert_int_eq(discard_one(11 * a->page, a->page - 1),
			 FPH_OUTCOME_TRIMMED);
	ck_assert_uint_eq(cnt.failures, 0);
	host_check_content(a, 5, 10);
	host_unmap(a);
}

START_TEST(test_anon)
{
	struct host_area a;

	start(_i == 0 ? &real_ops : _i == 1 ? &refusing_ops : &emulating_ops,
	      _i == 3 ? FPH_RECLAIM_NO_VECTOR : 0);
	host_map_anon(&a, 16);
	host_fill(&a);
	add(&a, true, 0, 0);
	ck_assert_int_eq(backing(), FPH_BACKING_ANON);
	check_freed(&a);
}
END_TEST

START_TEST(test_memfd)
{
	struct host_area a;

	start(NULL, 0);
	host_map_file(&a, 16, host_memfd(), MAP_SHARED);
	host_fill(&a);
	add(&a, false, 0, 0);
	ck_assert_int_eq(backing(), FPH_BACKING_SHMEM);
	check_freed(&a);
	ck_assert_uint_eq(cnt.fallocate_calls, 1);
}
END_TEST

START_TEST(test_tmpfs)
{
	int fd = host_open_file("/dev/shm");
	struct fph_region r;
	struct host_area a;

	if (fd < 0 || fph_memory_get_backing(&r, fd, false) ||
	    r.backing != FPH_BACKING_SHMEM) {
		host_skip("test_tmpfs", "no tmpfs at /dev/shm");
		return;
	}
	start(NULL, 0);
	host_map_file(&a, 16, fd, MAP_SHARED);
	host_fill(&a);
	add(&a, false, 0, 0);
	check_freed(&a);
}
END_TEST

/* Whether holes can be punched where the tests are built; opens a file. */
static int open_disk_file(const char *test)
{
	int fd = host_open_file(".");
	struct fph_region r;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fph_memory_get_backing(&r, fd, false), FPH_OK);
	if (r.backing != FPH_BACKING_FILE) {
		host_skip(test, "the build folder is on a tmpfs");
	} else if (ftruncate(fd, 65536) ||
		   fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     0, 65536)) {
		host_skip(test, "no holes in the build folder's file system: "
			  "%s", strerror(errno));
	} else {
		return fd;
	}
	close(fd);
	return -1;
}

START_TEST(test_file)
{
	int fd = open_disk_file("test_file");
	struct host_area a;
	struct stat st;

	if (fd < 0)
		return;
	start(NULL, 0);
	host_map_file(&a, 16, fd, MAP_SHARED);
	host_fill(&a);
	ck_assert_int_eq(msync(a.p, a.len, MS_SYNC), 0);
	ck_assert_int_eq(fsync(fd), 0);
	add(&a, false, 0, 0);
	fd = dup(fd);
	check_freed(&a);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, (off_t)a.len);
	close(fd);
}
END_TEST

static void check_skipped(struct host_area *a, int reason)
{
	size_t n = host_resident(a, 0, 16);

	start(&real_ops, 0);
	ck_assert_int_eq(discard_one(0, a->len), FPH_OUTCOME_SKIPPED);
	ck_assert_uint_eq(cnt.skipped[reason], a->len);
	ck_assert_uint_eq(cnt.discarded, 0);
	ck_assert_uint_eq(ncalls, 0);
	ck_assert_uint_eq(host_resident(a, 0, 16), n);
	host_check_content(a, 0, 0);
	host_unmap(a);
}

/* To drop private pages would bring back what the file says. */
START_TEST(test_file_private)
{
	struct host_area a;

	host_map_file(&a, 16, _i ? host_memfd() : host_open_file("."),
		      MAP_PRIVATE);
	host_fill(&a);
	add(&a, true, 0, 0);
	ck_assert_int_eq(backing(), FPH_BACKING_FILE_PRIVATE);
	check_skipped(&a, FPH_SKIP_FILE_PRIVATE);
}
END_TEST

START_TEST(test_flags)
{
	static const struct {
		uint32_t flag;
		int reason;
	} row[] = {
		{ FPH_REGION_LOCKED, FPH_SKIP_LOCKED },
		{ FPH_REGION_CONFIDENTIAL, FPH_SKIP_CONFIDENTIAL },
		{ FPH_REGION_READONLY, FPH_SKIP_READONLY },
	};
	struct host_area a;

	if (_i < 3)
		host_map_anon(&a, 16);
	else
		host_map_file(&a, 16, host_memfd(), MAP_SHARED);
	host_fill(&a);
	add(&a, _i < 3, 0, row[_i % 3].flag);
	check_skipped(&a, row[_i % 3].reason);
}
END_TEST

/* Without the flag it is the kernel who refuses, for that entry alone. */
START_TEST(test_mlock)
{
	size_t page = host_page();
	struct host_area a;
	uint32_t i;

	start(_i == 0 ? NULL : _i == 1 ? &emulating_ops : &refusing_ops, 0);
	host_map_anon(&a, 16);
	host_fill(&a);
	add(&a, true, 0, 0);
	/* The address sanitizer makes nothing of mlock(). */
	if (syscall(SYS_mlock, a.p + 2 * page, page)) {
		host_skip("test_mlock", "mlock: %s", strerror(errno));
		host_unmap(&a);
		return;
	}
	scatter(8);
	discard(8);
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(runs[i].outcome,
				 i == 1 ? FPH_OUTCOME_FAILED :
				 i == 2 || i == 3 ? FPH_OUTCOME_SKIPPED :
				 FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(cnt.failures, 1);
	ck_assert_uint_eq(cnt.failed, page);
	for (i = 0; i < 16; i++)
		ck_assert_uint_eq(host_resident(&a, i, i + 1),
				  i % 2 || (i >= 2 && i <= 6));
	host_unmap(&a);
}
END_TEST

/* MADV_FREE leaves pages where they are, so nothing counts as discarded. */
START_TEST(test_lazy)
{
	struct host_area a;
	size_t i;

	start(_i ? &refusing_ops : NULL, FPH_RECLAIM_USE_FREE);
	host_map_anon(&a, 16);
	host_fill(&a);
	add(&a, true, 0, 0);
	ck_assert_int_eq(discard_one(5 * a.page, 5 * a.page),
			 FPH_OUTCOME_LAZY);
	ck_assert_uint_eq(cnt.lazy, 5 * a.page);
	ck_assert_uint_eq(cnt.discarded, 0);
	ck_assert_uint_eq(host_resident(&a, 0, 5), 5);
	ck_assert_uint_eq(host_resident(&a, 10, 16), 6);
	for (i = 0; i < 16; i++)
		ck_assert(host_is(&a, i, host_byte(i)) ||
			  (i >= 5 && i < 10 && host_is(&a, i, 0)));
	host_unmap(&a);
}
END_TEST

/* Whole huge pages, and a part of one, which the kernel splits up. */
START_TEST(test_thp)
{
	struct host_area a;
	long rss;

	start(NULL, 0);
	ck_assert(host_map(&a, 4 * HUGE, HUGE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1));
	if (madvise(a.p, a.len, MADV_HUGEPAGE)) {
		host_skip("test_thp", "MADV_HUGEPAGE: %s", strerror(errno));
		host_unmap(&a);
		return;
	}
	host_fill(&a);
	rss = host_rss(&a);
	if (host_smaps(&a, "AnonHugePages") != rss) {
		host_skip("test_thp", "the kernel gave no huge pages");
		host_unmap(&a);
		return;
	}
	a.page = host_page();		/* still the page of the backing */
	add(&a, true, 0, 0);
	a.page = HUGE;
	ck_assert_int_eq(discard_one(HUGE, 2 * HUGE), FPH_OUTCOME_DISCARDED);
	ck_assert_int_eq(host_rss(&a), rss - 2 * (long)HUGE);
	host_check_content(&a, 1, 3);
	ck_assert_int_eq(discard_one(0, host_page()), FPH_OUTCOME_DISCARDED);
	ck_assert_uint_eq(a.p[0], 0);
	ck_assert_uint_eq(a.p[host_page()], host_byte(0));
	host_unmap(&a);
}
END_TEST

/* ----------------------------------------------------------- huge pages -- */

static bool map_huge(struct host_area *a, bool is_shared)
{
	if (!is_shared)
		return host_map(a, 16 * HUGE, HUGE, MAP_PRIVATE |
				MAP_ANONYMOUS | MAP_HUGETLB | 21 << 26, -1);
	a->fd = memfd_create("fph-test", MFD_CLOEXEC | MFD_HUGETLB | 21 << 26);
	return a->fd >= 0 && !ftruncate(a->fd, (off_t)(16 * HUGE)) &&
	       host_map(a, 16 * HUGE, HUGE, MAP_SHARED, a->fd);
}

static void check_huge(const char *name, bool is_shared)
{
	struct host_huge pool;
	struct host_area a;
	const char *why;

	why = host_huge_begin(&pool, 16);
	if (why) {
		host_skip(name, "16 huge pages of 2 MiB: %s", why);
		return;
	}
	if (!map_huge(&a, is_shared)) {
		host_skip(name, "huge pages of 2 MiB: %s", strerror(errno));
		host_huge_end(&pool);
		return;
	}
	start(&real_ops, 0);
	host_fill(&a);
	add(&a, !is_shared, is_shared ? 0 : FPH_BACKING_HUGETLB_ANON, 0);
	ck_assert_int_eq(backing(), is_shared ? FPH_BACKING_HUGETLB :
			 FPH_BACKING_HUGETLB_ANON);
	/* One page less than a huge page is not a page. */
	ck_assert_int_eq(discard_one(3 * HUGE + 4096, HUGE),
			 FPH_OUTCOME_TRIMMED);
	ck_assert_uint_eq(cnt.trimmed, HUGE);
	ck_assert_uint_eq(ncalls, 0);
	start(&real_ops, 0);
	check_freed(&a);
	ck_assert_uint_eq(ncalls, 1);
	host_huge_end(&pool);
}

START_TEST(test_hugetlb)
{
	check_huge("test_hugetlb", true);
}
END_TEST

START_TEST(test_hugetlb_anon)
{
	check_huge("test_hugetlb_anon", false);
}
END_TEST

/* The pool is as it was, also when a test is killed while it has pages. */
START_TEST(test_hugetlb_killed)
{
	int fd = open(HOST_HUGE_POOL, O_RDWR | O_CLOEXEC);
	struct host_huge pool;
	const char *why;
	int status;
	pid_t pid;
	long n;

	if (fd < 0 || !host_lock_pool(fd)) {
		host_skip("test_hugetlb_killed", "cannot write "
			  HOST_HUGE_POOL);
		return;
	}
	n = host_get_pool(fd);
	flock(fd, LOCK_UN);
	pid = fork();
	if (!pid) {
		why = host_huge_begin(&pool, 4);
		if (why)
			_exit(1);
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(host_lock_pool(fd));
	ck_assert_int_eq(host_get_pool(fd), n);
	close(fd);
	if (!WIFSIGNALED(status))
		host_skip("test_hugetlb_killed", "no huge pages");
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("reclaim_memory");
	TCase *t = tcase_create("reclaim_memory");

	host_init();
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 180);
	tcase_add_loop_test(t, test_anon, 0, 4);
	tcase_add_test(t, test_memfd);
	tcase_add_test(t, test_tmpfs);
	tcase_add_test(t, test_file);
	tcase_add_loop_test(t, test_file_private, 0, 2);
	tcase_add_loop_test(t, test_flags, 0, 6);
	tcase_add_loop_test(t, test_mlock, 0, 3);
	tcase_add_loop_test(t, test_lazy, 0, 2);
	tcase_add_test(t, test_thp);
	tcase_add_test(t, test_hugetlb);
	tcase_add_test(t, test_hugetlb_anon);
	tcase_add_test(t, test_hugetlb_killed);
	suite_add_tcase(s, t);
	return s;
}
