/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One region of real memory, the engine over it, and system calls that are
 * counted: the real ones, or as an older or a newer kernel would have them.
 */
#ifndef RECLAIM_FIXTURE_H
#define RECLAIM_FIXTURE_H

#include "host_memory.h"
#include "vmm/system.h"

#define GPA	((uint64_t)1 << 32)

static struct fph_memory *memory;
static struct fph_reclaim *rc;
static struct fph_reclaim_counters cnt;
static struct fph_run runs[4096];
static uint64_t ncalls;			/* made through counting_ops */

static inline void setup(void)
{
	ncalls = 0;
	fph_memory_free(memory);
	memory = fph_memory_new(NULL, NULL);
	ck_assert_ptr_nonnull(memory);
}

static inline void start(const struct fph_reclaim_ops *ops, uint32_t flags)
{
	struct fph_reclaim_params params = {
		.size = sizeof(params),
		.memory = memory,
		.ops = ops,
		.flags = flags,
	};

	fph_reclaim_free(rc);
	rc = fph_reclaim_new(&params, NULL);
	ck_assert_ptr_nonnull(rc);
}

/* The whole area as a region at GPA; 0 lets the library find the backing. */
static inline void add(const struct host_area *a, bool is_private, int backing,
		uint32_t flags)
{
	struct fph_region r = {
		.gpa = GPA,
		.len = a->len,
		.host = a->p,
		.fd = a->fd,
		.page_size = a->page,
		.backing = (uint32_t)backing,
		.flags = flags,
	};

	if (!backing)
		ck_assert_int_eq(fph_memory_get_backing(&r, a->fd, is_private),
				 FPH_OK);
	ck_assert_uint_eq(r.page_size, a->page);
	ck_assert_int_eq(fph_memory_add(memory, &r), FPH_OK);
}

/* What backs it, as the map has it. */
static inline uint32_t backing(void)
{
	return fph_memory_get_region(memory, GPA)->backing;
}

static inline void set_run(uint32_t i, uint64_t gpa, uint64_t len)
{
	memset(&runs[i], 0, sizeof(runs[i]));
	runs[i].gpa = gpa;
	runs[i].len = len;
}

static inline void discard(uint32_t n)
{
	ck_assert_int_eq(fph_reclaim_discard(rc, runs, n, NULL), (int)n);
	ck_assert_int_eq(fph_reclaim_get_counters(rc, &cnt, sizeof(cnt)),
			 FPH_OK);
}

static inline int discard_one(uint64_t offset, uint64_t len)
{
	set_run(0, GPA + offset, len);
	discard(1);
	return runs[0].outcome;
}

/* n runs of one page, with a page between them. */
static inline void scatter(uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		set_run(i, GPA + 2 * i * host_page(), host_page());
	}
}

/* --------------------------------------------------------- real and not -- */

static inline int count_fallocate(int fd, int mode, int64_t offset,
				  int64_t len)
{
	ncalls++;
	return fallocate(fd, mode, offset, len);
}

static inline int count_madvise(void *addr, size_t len, int advice)
{
	ncalls++;
	return madvise(addr, len, advice);
}

static inline ssize_t count_vector(const struct iovec *iov, size_t n,
				   int advice)
{
	ncalls++;
	return fph_system_reclaim_ops.process_madvise(iov, n, advice);
}

/* What a kernel up to 6.12 says. */
static inline ssize_t refuse_vector(const struct iovec *iov, size_t n,
				    int advice)
{
	(void)iov;
	(void)n;
	(void)advice;
	ncalls++;
	errno = EINVAL;
	return -1;
}

/* What a newer kernel does. */
static inline ssize_t emulate_vector(const struct iovec *iov, size_t n,
				     int advice)
{
	ssize_t done = 0;

	ncalls++;
	if (n > FPH_RECLAIM_VECTOR) {
		errno = EINVAL;
		return -1;
	}
	for (; n; n--, iov++) {
		if (madvise(iov->iov_base, iov->iov_len, advice))
			return done ? done : -1;
		done += (ssize_t)iov->iov_len;
	}
	return done;
}

static const struct fph_reclaim_ops real_ops = {
	count_fallocate, count_madvise, count_vector
};
static const struct fph_reclaim_ops refusing_ops = {
	count_fallocate, count_madvise, refuse_vector
};
static const struct fph_reclaim_ops emulating_ops = {
	count_fallocate, count_madvise, emulate_vector
};

/* Whether the kernel takes a vector on ourselves; valgrind does not. */
static inline bool has_vector(void)
{
	struct host_area a;
	struct iovec iov;
	ssize_t n;

	host_map_anon(&a, 1);
	iov.iov_base = a.p;
	iov.iov_len = a.len;
	n = fph_system_reclaim_ops.process_madvise(&iov, 1, MADV_DONTNEED);
	host_unmap(&a);
	return n == (ssize_t)iov.iov_len;
}

#endif /* RECLAIM_FIXTURE_H */
