/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Discards of scattered blocks of real memory, a block: one call each, as VMMs
 * do; the library, 1024 at a time; and the kernel's own limit for those blocks,
 * its vectors without anything around them.
 *
 * Each other block is given back, in random order. "busy": another thread of
 * the process runs on another CPU, so that the kernel has to interrupt it for
 * each call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fph-vmm/reclaim.h>

#include "meter.h"

#define SIZE	((size_t)128 << 20)
#define WINDOW	1024u

/* Of linux/pidfd.h since 6.14: this process. */
#ifndef PIDFD_SELF_PROCESS
#define PIDFD_SELF_PROCESS	-10001
#endif

enum kind { ANON, THP, MEMFD };

static const struct {
	const char *name;
	enum kind kind;
	size_t block;
} blocks_of[] = {
	{ "4 KiB", ANON, (size_t)4 << 10 },
	{ "64 KiB", ANON, (size_t)64 << 10 },
	{ "2 MiB, huge", THP, (size_t)2 << 20 },
	{ "memfd, 4 KiB", MEMFD, (size_t)4 << 10 },
	{ "memfd, 2 MiB", MEMFD, (size_t)2 << 20 },
};

static uint8_t *base;
static int fd = -1;
static enum kind kind;
static size_t block;
static struct fph_memory *memory;
static struct fph_reclaim *reclaim;
static struct fph_run *runs;
static uint64_t *order;
static uint32_t nblocks;
static int self;			/* a pidfd, or -1 */

static void map(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	if (kind == MEMFD) {
		fd = memfd_create("bench", 0);
		MUST(fd >= 0 && !ftruncate(fd, (off_t)SIZE));
		flags = MAP_SHARED;
	}
	/* Aligned to a huge page; what is around it stays unused. */
	base = mmap(NULL, 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		    MAP_NORESERVE, -1, 0);
	MUST(base != MAP_FAILED);
	base += SIZE - (uintptr_t)base % SIZE;
	MUST(mmap(base, SIZE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd,
		  0) == base);
	madvise(base, SIZE, kind == THP ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

static void make_engine(void)
{
	struct fph_region region = { .len = SIZE, .host = base };
	struct fph_reclaim_params p = { .size = sizeof(p) };

	memory = fph_memory_new(NULL, NULL);
	MUST(memory && !fph_memory_get_backing(&region, fd, fd < 0));
	MUST(!fph_memory_add(memory, &region));
	p.memory = memory;
	reclaim = fph_reclaim_new(&p, NULL);
	MUST(reclaim);
}

static void by_library(void)
{
	uint32_t at, i, n;

	for (at = 0; at < nblocks; at += n) {
		n = nblocks - at < WINDOW ? nblocks - at : WINDOW;
		for (i = 0; i < n; i++) {
			runs[i] = (struct fph_run){
				.gpa = order[at + i] * block, .len = block
			};
		}
		MUST(fph_reclaim_discard(reclaim, runs, n, NULL) == (int)n);
	}
}

static void by_block(void)
{
	uint32_t i;

	for (i = 0; i < nblocks; i++) {
		if (kind == MEMFD)
			MUST(!fallocate(fd, FALLOC_FL_PUNCH_HOLE |
					FALLOC_FL_KEEP_SIZE,
					(off_t)(order[i] * block),
					(off_t)block));
		else
			MUST(!madvise(base + order[i] * block, block,
				      MADV_DONTNEED));
	}
}

static void by_vector(void)
{
	static struct iovec iov[WINDOW];
	uint32_t at, i, n;

	for (at = 0; at < nblocks; at += n) {
		n = nblocks - at < WINDOW ? nblocks - at : WINDOW;
		for (i = 0; i < n; i++) {
			iov[i].iov_base = base + order[at + i] * block;
			iov[i].iov_len = block;
		}
		/* A vector may be cut at 2 GiB; here it is less. */
		MUST(syscall(SYS_process_madvise, self, iov, (size_t)n,
			     MADV_DONTNEED, 0) == (long)(n * block));
	}
}

static bool has_vectors(void)
{
	struct iovec none = { base, 4096 };

	self = PIDFD_SELF_PROCESS;
	if (syscall(SYS_process_madvise, self, &none, (size_t)1,
		    MADV_DONTNEED, 0) == 4096)
		return true;
	self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	return self >= 0 && syscall(SYS_process_madvise, self, &none,
				    (size_t)1, MADV_DONTNEED, 0) == 4096;
}

/* The ways in turn; each begins with all memory there. */
static void run(const char *name)
{
	static const struct {
		const char *who;
		void (*run)(void);
	} ways[] = {
		{ "libfph", by_library },
		{ "one call each", by_block },
		{ "kernel's limit", by_vector },
	};
	/* Files have no vectors. */
	uint32_t nways = kind == MEMFD ? 2 : 3;
	/* There are few large blocks, so more rounds of them. */
	uint32_t i, k, rounds = 1 + meter_rounds / (nblocks < 100 ? 4 : 20);

	if (nways == 3 && !has_vectors()) {
		meter_skip(name, "kernel's limit", strerror(errno));
		nways = 2;
	}
	for (i = 0; i < 1 + rounds; i++) {
		for (k = 0; k < nways; k++) {
			memset(base, 1, SIZE);
			meter_use(k);
			if (i)
				meter_begin();
			ways[k].run();
			if (i)
				meter_end(nblocks);
		}
	}
	for (k = 0; k < nways; k++) {
		meter_use(k);
		meter_row(name, ways[k].who);
	}
	meter_use(0);
}

static volatile bool stop;

static void *spin(void *arg)
{
	while (!stop)
		;
	return arg;
}

static void run_kind(size_t i, bool busy)
{
	pthread_t thread;
	uint64_t seed = 1;
	char name[64];
	uint32_t k;

	kind = blocks_of[i].kind;
	block = blocks_of[i].block;
	nblocks = (uint32_t)(SIZE / block / 2);
	for (k = 0; k < nblocks; k++)
		order[k] = 2 * k + bench_random(&seed) % 2;
	bench_shuffle(order, nblocks, &seed);
	map();
	make_engine();
	snprintf(name, sizeof(name), "reclaim %s, %s", blocks_of[i].name,
		 busy ? "busy" : "idle");
	stop = false;
	MUST(!busy || !pthread_create(&thread, NULL, spin, NULL));
	run(name);
	stop = true;
	MUST(!busy || !pthread_join(thread, NULL));
	fph_reclaim_free(reclaim);
	fph_memory_free(memory);
	munmap(base, SIZE);
	if (fd >= 0)
		close(fd);
	fd = -1;
}

void bench_reclaim(void)
{
	size_t i;

	order = bench_memory(SIZE / 4096 * sizeof(*order));
	runs = bench_memory(WINDOW * sizeof(*runs));
	for (i = 0; i < sizeof(blocks_of) / sizeof(blocks_of[0]); i++) {
		run_kind(i, false);
		if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
			run_kind(i, true);
		else
			meter_skip(blocks_of[i].name, "busy",
				   "there is one CPU");
	}
}
