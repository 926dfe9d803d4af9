/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A guest reports free blocks over a split ring.  The device at its other end
 * is a loop in the same program, which punches holes into the guest's memory.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fph/guest.h>
#include <fph/vring.h>
#include <fph/wire.h>

#define MIB	(1024u * 1024u)
#define SIZE	(64u * MIB)
#define NUM	32u			/* entries of the ring */
#define BLOCK	(2u * MIB)
#define NBLOCKS	12u

/* The ring is at the start of guest memory, which begins at address 0. */
#define AVAIL	0x1000u
#define USED	0x2000u

static int fd;
static uint8_t *ram;
static struct fph_split_driver driver;
static struct fph_split_slot ring_slots[NUM];
static struct fph_split_device device;
static struct fph_reporter reporter;
static struct fph_slot slots[64];
static struct fph_batch batches[2];

/* Put what is due into the ring; the lock of the allocator is not needed. */
static int send_reports(uint64_t now)
{
	struct fph_seg segs[NUM];
	uint64_t cookie;
	int n, room;

	for (;;) {
		room = fph_split_driver_get_free(&driver);
		if (room == 0)
			return 0;
		n = fph_reporter_submit(&reporter, now, segs, (uint32_t)room,
					&cookie);
		if (n <= 0)
			return n;
		if (fph_split_driver_add(&driver, segs, (uint32_t)n, cookie,
					 NULL))
			return fph_reporter_abort(&reporter, now, cookie);
		printf("guest:  a buffer of %d segments\n", n);
		fph_split_driver_submit(&driver);
		/* Here a real driver would notify the device if wanted. */
		(void)fph_split_driver_get_notify(&driver);
	}
}

/* What a real driver does in its interrupt handler. */
static int take_back(uint64_t now, uint64_t *bytes)
{
	struct fph_returned range;
	struct fph_used used;
	int n;

	while ((n = fph_split_driver_next(&driver, &used)) > 0)
		if (fph_reporter_complete(&reporter, now, used.cookie, true))
			return 1;
	while (fph_reporter_next(&reporter, &range) > 0)
		*bytes += range.used ? range.range.len : 0;
	return n;
}

/* The device: memory away first, then the buffer goes back. */
static int run_device(void)
{
	struct fph_seg segs[NUM];
	struct fph_elem elem;
	uint32_t i;
	int n;

	while ((n = fph_split_device_pop(&device, &elem, segs, NUM)) > 0) {
		for (i = 0; i < elem.nseg; i++)
			if (segs[i].gpa + segs[i].len > SIZE ||
			    fallocate(fd, FALLOC_FL_PUNCH_HOLE |
				      FALLOC_FL_KEEP_SIZE,
				      (off_t)segs[i].gpa, (off_t)segs[i].len))
				return 1;
		fph_split_device_push(&device, elem.head, 0);
	}
	return n;
}

static int init(void)
{
	struct fph_split_driver_params dp = { .size = sizeof(dp) };
	struct fph_split_device_params vp = { .size = sizeof(vp) };
	struct fph_reporter_params rp = { .size = sizeof(rp) };

	dp.num = NUM;
	dp.endian = FPH_LE;
	dp.desc = ram;
	dp.avail = ram + AVAIL;
	dp.used = ram + USED;
	dp.slots = ring_slots;
	vp.num = NUM;
	vp.endian = FPH_LE;
	vp.desc = ram;
	vp.avail = ram + AVAIL;
	vp.used = ram + USED;
	rp.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	rp.content = FPH_CONTENT_FREE;
	rp.slots = slots;
	rp.nslots = 64;
	rp.batches = batches;
	rp.window = 2;
	rp.low_water = 1;
	rp.max_segs = 4;
	rp.max_ranges = 16;
	rp.flush_delay = 2000;
	rp.retry_delay = 1000;
	rp.max_failures = 5;
	return fph_split_driver_init(&driver, &dp) ||
		fph_split_device_init(&device, &vp) ||
		fph_reporter_init(&reporter, &rp);
}

static long get_mib(void)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : (long)(st.st_blocks / 2048);
}

int main(void)
{
	uint64_t now = 0, bytes = 0, when;
	uint32_t i, gpa = 8 * MIB;

	fd = memfd_create("guest", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, SIZE))
		return 1;
	ram = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ram == MAP_FAILED)
		return 1;
	memset(ram, 0xaa, SIZE);
	if (init())
		return 1;
	printf("before: %ld MiB\n", get_mib());

	/* Pairs of neighbours: each pair is one segment on the wire. */
	for (i = 0; i < NBLOCKS; i++) {
		if (fph_reporter_add(&reporter, now, gpa, BLOCK, i))
			return 1;
		gpa += i % 2 ? 2 * BLOCK : BLOCK;
		if (send_reports(now))
			return 1;
	}
	/* What is left is due when the first of it has waited long enough. */
	while (bytes < NBLOCKS * (uint64_t)BLOCK) {
		if (run_device() || take_back(now, &bytes) ||
		    send_reports(now))
			return 1;
		if (fph_reporter_get_deadline(&reporter, &when) > 0)
			now = when;
		if (send_reports(now))
			return 1;
	}
	printf("after:  %ld MiB, %u MiB are free again\n", get_mib(),
	       (unsigned int)(bytes / MIB));
	return get_mib() != 64 - 24 || bytes != 24 * MIB;
}
