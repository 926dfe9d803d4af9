/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A VMM at the height of values: it has rings of its own and memory of its
 * own, and takes the merging, the discards and the bookkeeping.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fph/host.h>
#include <fph-vmm/reclaim.h>

#define MIB	(1024u * 1024u)
#define SIZE	(64u * MIB)

static struct fph_memory *memory;
static struct fph_reclaim *reclaim;
static struct fph_report *report;
static uint64_t report_memory[FPH_REPORT_SIZE(1024, 128) / 8];

static long get_mib(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : (long)(st.st_blocks / 2048);
}

/* Where a VMM puts the buffer back into its ring. */
static void return_to_ring(const struct fph_used *used)
{
	printf("buffer %d: %d MiB of it are free\n", (int)used->cookie,
	       (int)(used->freed / MIB));
}

/* The guest reported n buffers, whose segments stand one behind the other. */
static void take_buffers(struct fph_buffer *buffers, uint32_t n,
			 const struct fph_seg *segs)
{
	struct fph_run runs[64];
	struct fph_used used[64];
	int k, i;

	/* What is not guest memory is refused, and comes back all the same. */
	fph_memory_check(memory, buffers, n, segs);
	fph_report_add(report, buffers, n, segs);
	while ((k = fph_report_next(report, runs, 64)) > 0) {
		fph_reclaim_discard(reclaim, runs, (uint32_t)k, NULL);
		fph_report_complete(report, runs, (uint32_t)k);
	}
	while ((k = fph_report_take_used(report, used, 64)) > 0)
		for (i = 0; i < k; i++)
			return_to_ring(&used[i]);
}

int main(void)
{
	/* 8 MiB in three neighbours, out of order, 4 MiB, and nonsense. */
	static const struct fph_seg segs[] = {
		{ 12 * MIB, 4 * MIB, FPH_SEG_WRITE },
		{ 8 * MIB, 2 * MIB, FPH_SEG_WRITE },
		{ 10 * MIB, 2 * MIB, FPH_SEG_WRITE },
		{ 32 * MIB, 4 * MIB, FPH_SEG_WRITE },
		{ SIZE, 4 * MIB, FPH_SEG_WRITE },
	};
	struct fph_buffer buffers[] = {
		{ .cookie = 1, .nwrite = 3 },
		{ .cookie = 2, .nwrite = 1 },
		{ .cookie = 3, .nwrite = 1 },
	};
	struct fph_report_params params = {
		.size = sizeof(params), .max_ranges = 1024, .max_buffers = 128
	};
	struct fph_reclaim_params how = { .size = sizeof(how) };
	struct fph_region guest = { .gpa = 0, .len = SIZE };
	long left;

	guest.fd = memfd_create("guest", MFD_CLOEXEC);
	if (guest.fd < 0 || ftruncate(guest.fd, SIZE))
		return 1;
	guest.host = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			  guest.fd, 0);
	if (guest.host == MAP_FAILED)
		return 1;
	memset(guest.host, 0xaa, SIZE);		/* the guest is busy */

	memory = fph_memory_new(NULL, NULL);
	how.memory = memory;
	reclaim = fph_reclaim_new(&how, NULL);
	if (fph_memory_get_backing(&guest, guest.fd, false) ||
	    fph_memory_add(memory, &guest) || !reclaim ||
	    fph_report_init(&report, report_memory, sizeof(report_memory),
			    &params))
		return 1;

	printf("before: %ld MiB\n", get_mib(guest.fd));
	take_buffers(buffers, 3, segs);
	left = get_mib(guest.fd);
	printf("after:  %ld MiB\n", left);
	fph_reclaim_free(reclaim);
	fph_memory_free(memory);
	return left != 52;
}
