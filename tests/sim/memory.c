/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest's memory, and the system calls that free it. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "sim.h"

#define HALF		(SIM_PAGES / 2)
#define RING_BYTES	(SIM_DEVICES * SIM_QUEUES * SIM_RING_BYTES)
#define ALIGN		0x10000u	/* above any page of a host */
#define MAP_BYTES	(SIM_PAGES * SIM_PAGE + RING_BYTES + ALIGN)
#define FAKE_FD		1000

/* The operations of a reclaim engine have no argument for it. */
static struct sim *self;

void sim_fail(struct sim *s, const char *format, ...)
{
	va_list ap;

	if (s->why[0])
		return;
	va_start(ap, format);
	vsnprintf(s->why, sizeof(s->why), format, ap);
	va_end(ap);
}

/* ---------------------------------------------------------------- access -- */

/* The halves of memory are two regions, in the other order at the host. */
static uint32_t swap_half(uint32_t page)
{
	return page ^ HALF;
}

/* Each in another line of the cache. */
uint64_t *sim_tag(struct sim *s, uint32_t page)
{
	return (uint64_t *)(void *)(s->ram + (size_t)swap_half(page) *
				    SIM_PAGE + page % 64 * 64);
}

uint8_t *sim_ring(struct sim *s, uint32_t dev, uint32_t queue)
{
	return s->ram + SIM_PAGES * SIM_PAGE +
	       (dev * SIM_QUEUES + queue) * SIM_RING_BYTES;
}

uint64_t sim_ring_gpa(uint32_t dev, uint32_t queue)
{
	return SIM_RINGS_GPA + (dev * SIM_QUEUES + queue) * SIM_RING_BYTES;
}

void sim_write(struct sim *s, uint32_t page, uint64_t tag)
{
	*sim_tag(s, page) = tag;
	s->page[page].want = tag;
	if (s->migration.logging)
		s->migration.log[page >> s->config.shift] = true;
}

void sim_expect(struct sim *s, uint32_t page)
{
	uint64_t want = s->page[page].want;

	if (want)
		sim_check(s, *sim_tag(s, page) == want,
			  "page %u: content lost: %llx, not %llx", page,
			  (unsigned long long)*sim_tag(s, page),
			  (unsigned long long)want);
}

void sim_discard(struct sim *s, uint32_t first, uint32_t n)
{
	sim_check(s, first + n <= SIM_PAGES, "discard of no page");
	for (uint32_t i = first; i < first + n && i < SIM_PAGES; i++) {
		*sim_tag(s, i) = 0;
		sim_expect(s, i);
		s->discarded++;
	}
}

/* --------------------------------------------------------- system calls -- */

static bool is_refused(struct sim *s)
{
	static const int errors[] = {
		EAGAIN, EBADF, EINTR, EINVAL, EIO, ENOMEM, ENOSPC, ENOSYS,
		EOPNOTSUPP, EPERM, EFAULT, EBUSY
	};

	if (!s->config.errors || s->drains ||
	    !sim_one_in(&s->rng, s->config.errors))
		return false;
	errno = errors[sim_below(&s->rng, sizeof(errors) / sizeof(errors[0]))];
	return true;
}

/* Whole pages of the backing, and they are the guest's. */
static void discard_host(struct sim *s, uint64_t offset, uint64_t len)
{
	uint64_t page = (uint64_t)SIM_PAGE << s->config.shift;
	uint32_t first = (uint32_t)(offset / SIM_PAGE);

	if (offset >= SIM_PAGES * SIM_PAGE || offset % page || len % page) {
		sim_fail(s, "bad discard: %llx, %llx",
			 (unsigned long long)offset, (unsigned long long)len);
		return;
	}
	sim_discard(s, swap_half(first), (uint32_t)(len / SIM_PAGE));
}

static int fake_madvise(void *addr, size_t len, int advice)
{
	(void)advice;
	if (is_refused(self))
		return -1;
	discard_host(self, (uint64_t)((uint8_t *)addr - self->ram), len);
	return 0;
}

static int fake_fallocate(int fd, int mode, int64_t offset, int64_t len)
{
	(void)mode;
	sim_check(self, fd == FAKE_FD, "wrong file %d", fd);
	if (is_refused(self))
		return -1;
	discard_host(self, (uint64_t)offset, (uint64_t)len);
	return 0;
}

/* May do a part, whole pages or not. */
static ssize_t fake_process_madvise(const struct iovec *iov, size_t n,
				    int advice)
{
	ssize_t done = 0;

	for (size_t i = 0; i < n; i++) {
		if (fake_madvise(iov[i].iov_base, iov[i].iov_len, advice))
			return done ? done : -1;
		done += (ssize_t)iov[i].iov_len;
	}
	return done;
}

/* ------------------------------------------------------------------ init -- */

static bool add_half(struct sim *s, uint32_t first)
{
	bool is_file = s->config.backing == FPH_BACKING_SHMEM;
	size_t offset = (size_t)swap_half(first) * SIM_PAGE;
	const struct fph_region r = {
		.gpa = (uint64_t)first * SIM_PAGE,
		.len = HALF * SIM_PAGE,
		.host = s->ram + offset,
		.fd = is_file ? FAKE_FD : -1,
		.fd_offset = is_file ? offset : 0,
		.page_size = (uint64_t)SIM_PAGE << s->config.shift,
		.backing = s->config.backing
	};

	return fph_memory_add(s->memory, &r) == FPH_OK;
}

static bool add_regions(struct sim *s)
{
	const struct fph_region rings = {
		.gpa = SIM_RINGS_GPA,
		.len = RING_BYTES,
		.host = s->ram + SIM_PAGES * SIM_PAGE,
		.fd = -1,
		.page_size = SIM_PAGE,
		.backing = FPH_BACKING_ANON,
		.flags = FPH_REGION_LOCKED
	};

	return add_half(s, 0) && add_half(s, HALF) &&
	       fph_memory_add(s->memory, &rings) == FPH_OK;
}

static const struct fph_reclaim_ops ops = {
	.fallocate = fake_fallocate,
	.madvise = fake_madvise,
	.process_madvise = fake_process_madvise
};

bool sim_memory_init(struct sim *s)
{
	struct fph_reclaim_params p = {
		.size = sizeof(p),
		.flags = s->config.reclaim_flags,
		.ops = &ops,
		.max_failures = 4
	};

	self = s;
	s->map = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->map == MAP_FAILED)
		return false;
	s->ram = (uint8_t *)(((uintptr_t)s->map + ALIGN - 1) &
			     ~((uintptr_t)ALIGN - 1));
	s->memory = fph_memory_new(NULL, NULL);
	p.memory = s->memory;
	s->reclaim = fph_reclaim_new(&p, NULL);
	return s->memory && s->reclaim && add_regions(s);
}

void sim_memory_fini(struct sim *s)
{
	fph_reclaim_free(s->reclaim);
	fph_memory_free(s->memory);
	if (s->ram)
		munmap(s->map, MAP_BYTES);
}
