/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * System calls of the reclaim engine that are made up: they log what was asked,
 * remember which pages were freed, and fail in the way they are told to.
 *
 * There is no memory behind them.  Host addresses count from FAKE_HOST.
 */
#ifndef FAKE_CALLS_H
#define FAKE_CALLS_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner.h"
#include "vmm/reclaim_internal.h"

#define PAGE		((uint64_t)4096)
#define HUGE		(512 * PAGE)
#define FAKE_HOST	((uint64_t)0x40000000)
#define FAKE_PAGES	16384		/* of which the fate is remembered */

enum { FAKE_PUNCH = 1, FAKE_MADVISE, FAKE_VECTOR };

/* How process_madvise behaves. */
enum {
	FAKE_WORKS,		/* stops at a bad page: short, or EINVAL */
	FAKE_REFUSES,		/* always -1 with vector_errno */
	FAKE_CUTS		/* frees up to vector_cut bytes */
};

struct fake_call {
	int kind;
	int fd;
	int advice;
	uint64_t at;		/* address or offset */
	uint64_t len;		/* of all entries */
	uint64_t n;		/* entries */
};

static struct {
	struct fake_call call[64];	/* the first ones */
	int ncalls;
	uint64_t npunch, nmadvise, nvector;
	uint8_t freed[FAKE_PAGES];	/* at FAKE_HOST */
	uint8_t punched[FAKE_PAGES];	/* of the file */
	uint8_t bad[FAKE_PAGES];	/* at FAKE_HOST */
	int file_errno;			/* every fallocate fails with it */
	int interrupts;			/* so many calls fail with it first */
	int interrupt_errno;
	int vector_mode;
	int vector_errno;
	uint64_t vector_cut;
	unsigned int sleep_us;
} fake;

static struct fph_memory *fake_memory;

static inline void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	if (!fake_memory)
		fake_memory = fph_memory_new(NULL, NULL);
	ck_assert_int_eq(fph_memory_reset(fake_memory), FPH_OK);
}

static inline void fake_add(uint64_t gpa, uint64_t len, uint64_t host, int fd,
			    uint64_t fd_offset, int backing)
{
	struct fph_region r = {
		.gpa = gpa,
		.len = len,
		.host = (void *)(uintptr_t)(FAKE_HOST + host),
		.fd = fd,
		.fd_offset = fd_offset,
		.page_size = PAGE,
		.backing = (uint32_t)backing,
	};

	ck_assert_int_eq(fph_memory_add(fake_memory, &r), FPH_OK);
}

static inline struct fph_region *fake_region(uint64_t gpa)
{
	return (struct fph_region *)fph_memory_get_region(fake_memory, gpa);
}

static inline uint64_t fake_page(uint64_t host)
{
	return (host - FAKE_HOST) / PAGE;
}

static inline void fake_bad(uint64_t host)
{
	fake.bad[fake_page(host)] = 1;
}

/* Pages that were freed, in memory and in the file. */
static inline uint64_t fake_count(void)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < FAKE_PAGES; i++)
		n += (uint64_t)fake.freed[i] + fake.punched[i];
	return n;
}

static inline void fake_log(int kind, int fd, uint64_t at, uint64_t len,
			    uint64_t n, int advice)
{
	struct fake_call *c = &fake.call[fake.ncalls < 63 ? fake.ncalls : 63];

	c->kind = kind;
	c->fd = fd;
	c->at = at;
	c->len = len;
	c->n = n;
	c->advice = advice;
	fake.ncalls++;
	if (fake.sleep_us)
		usleep(fake.sleep_us);
}

static inline bool fake_is_interrupted(void)
{
	if (!fake.interrupts)
		return false;
	fake.interrupts--;
	errno = fake.interrupt_errno;
	return true;
}

static inline void fake_mark(uint8_t *pages, uint64_t at, uint64_t len)
{
	ck_assert_uint_eq((at | len) % PAGE, 0);
	for (; len; len -= PAGE, at += PAGE)
		if (at / PAGE < FAKE_PAGES)
			pages[at / PAGE] = 1;
}

/* Like the kernel's: all of it, or nothing from the first bad page on. */
static inline int fake_free(uint64_t host, uint64_t len)
{
	uint64_t at = host - FAKE_HOST;
	uint64_t i;

	for (i = at / PAGE; i < (at + len) / PAGE && i < FAKE_PAGES; i++)
		if (fake.bad[i]) {
			errno = EINVAL;
			return -1;
		}
	fake_mark(fake.freed, at, len);
	return 0;
}

static int fake_fallocate(int fd, int mode, int64_t offset, int64_t len)
{
	fake.npunch++;
	fake_log(FAKE_PUNCH, fd, (uint64_t)offset, (uint64_t)len, 1, 0);
	ck_assert_int_eq(mode, 3);	/* KEEP_SIZE, PUNCH_HOLE */
	if (fake_is_interrupted())
		return -1;
	if (fake.file_errno) {
		errno = fake.file_errno;
		return -1;
	}
	fake_mark(fake.punched, (uint64_t)offset, (uint64_t)len);
	return 0;
}

static int fake_madvise(void *addr, size_t len, int advice)
{
	fake.nmadvise++;
	fake_log(FAKE_MADVISE, -1, (uintptr_t)addr, len, 1, advice);
	if (fake_is_interrupted())
		return -1;
	return fake_free((uintptr_t)addr, len);
}

static ssize_t fake_do_vector(const struct iovec *iov, size_t n)
{
	uint64_t cut = fake.vector_mode == FAKE_CUTS ? fake.vector_cut : ~0ull;
	ssize_t done = 0;

	for (; n && cut; n--, iov++) {
		uint64_t len = iov->iov_len < cut ? iov->iov_len : cut;

		if (fake_free((uintptr_t)iov->iov_base, len / PAGE * PAGE))
			return done ? done : -1;
		done += (ssize_t)len;
		cut -= len;
	}
	return done;
}

static ssize_t fake_process_madvise(const struct iovec *iov, size_t n,
				    int advice)
{
	uint64_t len = 0;
	size_t i;

	ck_assert_uint_ge(n, 1);
	ck_assert_uint_le(n, FPH_RECLAIM_VECTOR);
	for (i = 0; i < n; i++) {
		ck_assert_uint_gt(iov[i].iov_len, 0);
		len += iov[i].iov_len;
	}
	ck_assert_uint_lt(len, 0x7ffff000);
	fake.nvector++;
	fake_log(FAKE_VECTOR, -1, (uintptr_t)iov->iov_base, len, n, advice);
	if (fake_is_interrupted())
		return -1;
	if (fake.vector_mode == FAKE_REFUSES) {
		errno = fake.vector_errno;
		return -1;
	}
	return fake_do_vector(iov, n);
}

static const struct fph_reclaim_ops fake_ops = {
	.fallocate = fake_fallocate,
	.madvise = fake_madvise,
	.process_madvise = fake_process_madvise,
};

/* ------------------------------------------------- an engine over them -- */

static struct fph_reclaim *rc;
static struct fph_reclaim_counters cnt;
static struct fph_run runs[4097];

static inline void start(uint32_t flags, uint32_t max_failures)
{
	struct fph_reclaim_params params = {
		.size = sizeof(params),
		.memory = fake_memory,
		.ops = &fake_ops,
		.flags = flags,
		.max_failures = max_failures,
	};

	fph_reclaim_free(rc);
	rc = fph_reclaim_new(&params, NULL);
	ck_assert_ptr_nonnull(rc);
	memset(&cnt, 0, sizeof(cnt));
}

/* Whatever happens, each byte is counted once. */
static inline void check_sum(void)
{
	uint64_t sum;
	int i;

	ck_assert_int_eq(fph_reclaim_get_counters(rc, &cnt, sizeof(cnt)), FPH_OK);
	sum = cnt.discarded + cnt.lazy + cnt.trimmed + cnt.failed;
	for (i = 0; i < FPH_NSKIP; i++)
		sum += cnt.skipped[i];
	ck_assert_uint_eq(sum, cnt.bytes);
	ck_assert_uint_eq(cnt.madvise_calls, fake.nmadvise);
	ck_assert_uint_eq(cnt.process_madvise_calls, fake.nvector);
	ck_assert_uint_eq(cnt.fallocate_calls, fake.npunch);
}

static inline void set_run(uint32_t i, uint64_t gpa, uint64_t len)
{
	memset(&runs[i], 0, sizeof(runs[i]));
	runs[i].gpa = gpa;
	runs[i].len = len;
}

/* All of them; the one behind them is not touched. */
static inline void discard(uint32_t n)
{
	uint64_t before = cnt.discarded;
	uint32_t i;

	for (i = 0; i < n; i++)
		set_run(i, runs[i].gpa, runs[i].len);
	memset(&runs[n], 0xee, sizeof(runs[n]));
	ck_assert_int_eq(fph_reclaim_discard(rc, runs, n, NULL), (int)n);
	ck_assert_int_eq(runs[n].outcome, 0xee);
	check_sum();
	for (i = 0; i < n; i++) {
		ck_assert_uint_eq(runs[i].done, runs[i].len);
		before += runs[i].freed;
	}
	ck_assert_uint_eq(before, cnt.discarded);
}

static inline int discard_one(uint64_t gpa, uint64_t len)
{
	set_run(0, gpa, len);
	discard(1);
	return runs[0].outcome;
}

#endif /* FAKE_CALLS_H */
