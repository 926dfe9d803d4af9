/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* One reported buffer on the host: ranges in, memory back, buffer returned. */
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

static struct fph_region regions[1];
static struct fph_memory memory;
static struct fph_reclaim reclaim;
static struct fph_slot slots[32];
static struct fph_chain chains[4];
static struct fph_report report;

static long get_mib(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : (long)(st.st_blocks / 2048);
}

/* The guest reported a buffer; 0 when its memory is free. */
static int take_buffer(uint64_t cookie, const struct fph_seg *segs,
		       uint32_t nsegs)
{
	struct fph_run runs[32];
	uint8_t results[32];
	struct fph_chain_end end = { .outcome = FPH_OUTCOME_FAILED };
	uint32_t i, n = 0;

	if (fph_report_add(&report, cookie, segs, nsegs) != FPH_OK)
		return 1;
	while (n < 32 && fph_report_next(&report, &runs[n]) > 0)
		n++;
	if (fph_reclaim_discard(&reclaim, runs, n, results, NULL) != (int)n)
		return 1;
	for (i = 0; i < n; i++)
		fph_report_complete(&report, &runs[i],
				    results[i] == FPH_RECLAIM_DISCARDED);
	while (fph_report_end(&report, &end) > 0)
		printf("buffer %d: return it as used, %u runs discarded\n",
		       (int)end.cookie, n);
	return end.outcome != FPH_OUTCOME_DONE;
}

int main(void)
{
	/* 8 MiB in three neighbours, out of order, and 4 MiB elsewhere. */
	static const struct fph_seg segs[] = {
		{ 12 * MIB, 4 * MIB, FPH_SEG_WRITE },
		{ 8 * MIB, 2 * MIB, FPH_SEG_WRITE },
		{ 10 * MIB, 2 * MIB, FPH_SEG_WRITE },
		{ 32 * MIB, 4 * MIB, FPH_SEG_WRITE },
	};
	struct fph_storage storage = { slots, 32, chains, 4 };
	struct fph_region guest = { .gpa = 0, .len = SIZE };
	struct fph_reclaim_params params = {
		.size = sizeof(params), .memory = &memory
	};

	guest.fd = memfd_create("guest", MFD_CLOEXEC);
	if (guest.fd < 0 || ftruncate(guest.fd, SIZE))
		return 1;
	guest.host = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			  guest.fd, 0);
	if (guest.host == MAP_FAILED)
		return 1;
	memset(guest.host, 0xaa, SIZE);		/* the guest is busy */

	if (fph_memory_init(&memory, regions, 1) ||
	    fph_memory_get_backing(&guest, guest.fd, false) ||
	    fph_memory_add(&memory, &guest) ||
	    fph_reclaim_init(&reclaim, &params) ||
	    fph_report_init(&report, &storage, 4096))
		return 1;

	printf("before: %ld MiB\n", get_mib(guest.fd));
	if (take_buffer(7, segs, 4))
		return 1;
	printf("after:  %ld MiB\n", get_mib(guest.fd));
	return get_mib(guest.fd) != 52;
}
