/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A unikernel that reports its free pages, with the library's own ring.
 *
 * The device is a loop in the same program; in a unikernel it is the host, and
 * kick() writes to a register.  Addresses begin at 0 here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <fph/guest.h>
#include <fph/vring.h>
#include <fph/wire.h>

#define NUM	64u			/* entries of the ring */
#define BLOCK	0x200000u		/* the allocator's blocks: 2 MiB */
#define NBLOCKS	128u

static uint64_t reporter_memory[FPH_REPORTER_SIZE(NBLOCKS, 2) / 8];
static uint64_t ring_memory[FPH_VQ_DRIVER_SIZE(NUM) / 8];
static uint64_t device_memory[FPH_VQ_DEVICE_SIZE(NUM) / 8];

/* Ring memory, which the device is told of. */
static _Alignas(16) uint64_t desc[2 * NUM];
static uint64_t avail[(6 + 2 * NUM) / 8 + 1];
static uint64_t used_ring[(6 + 8 * NUM) / 8 + 1];

static bool is_free[NBLOCKS];		/* the allocator */
static struct fph_vq_device *device;
static uint64_t discarded;

/* The host: drops what it is shown, and uses the buffers. */
static void kick(void)
{
	struct fph_buffer buffers[NUM];
	struct fph_used used[NUM];
	struct fph_seg segs[NUM], *seg = segs;
	int i, n = fph_vq_device_pop(device, buffers, NUM, segs, NUM);

	memset(used, 0, sizeof(used));
	for (i = 0; i < n; i++) {
		used[i].cookie = buffers[i].cookie;
		for (uint32_t k = 0; k < buffers[i].nwrite; k++)
			discarded += (seg++)->len;
	}
	if (n > 0)
		fph_vq_device_push(device, used, (uint32_t)n);
}

static bool start_device(void)
{
	struct fph_vq_device_params p = { .size = sizeof(p) };

	p.features = FPH_BIT(VIRTIO_F_VERSION_1);
	p.num = NUM;
	p.desc = desc;
	p.driver = avail;
	p.device = used_ring;
	return fph_vq_device_init(&device, device_memory,
				  sizeof(device_memory), &p) == FPH_OK;
}

/* Puts into the ring what is due, or takes it back if that fails. */
static void send(struct fph_reporter *reporter, struct fph_vq_driver *vq,
		 uint64_t now)
{
	struct fph_buffer buffer;
	struct fph_seg segs[32];

	while (fph_reporter_submit(reporter, now, &buffer, 1, segs, 32) > 0) {
		if (fph_vq_driver_add(vq, &buffer, 1, segs) != 1)
			fph_reporter_cancel(reporter, now, buffer.cookie);
	}
	fph_vq_driver_publish(vq);
	if (fph_vq_driver_should_notify(vq) == 1)
		kick();
}

/* The interrupt: used buffers, and their blocks back to the allocator. */
static void take_back(struct fph_reporter *reporter, struct fph_vq_driver *vq,
		      uint64_t now)
{
	struct fph_used used[NUM];
	struct fph_returned back[32];
	int i, n;

	while ((n = fph_vq_driver_take_used(vq, used, NUM)) > 0)
		fph_reporter_complete(reporter, now, used, (uint32_t)n, true);
	while ((n = fph_reporter_take_back(reporter, back, 32)) > 0) {
		for (i = 0; i < n; i++)
			is_free[back[i].owner] = true;
	}
}

int main(void)
{
	const uint64_t features = FPH_BIT(VIRTIO_F_VERSION_1) |
				  FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	struct fph_reporter_params rp = { .size = sizeof(rp) };
	struct fph_vq_driver_params vp = { .size = sizeof(vp) };
	struct fph_vq_driver *vq;
	struct fph_reporter *reporter;
	struct fph_owned_range range = { 0, BLOCK, 0 };
	uint32_t nfree = 0;

	rp.features = features;
	rp.content = FPH_CONTENT_FREE;	/* nothing relies on free memory */
	rp.max_ranges = NBLOCKS;
	vp.features = features;
	vp.num = NUM;
	vp.desc = desc;
	vp.driver = avail;
	vp.device = used_ring;
	if (fph_reporter_init(&reporter, reporter_memory,
			      sizeof(reporter_memory), &rp) != FPH_OK ||
	    fph_vq_driver_init(&vq, ring_memory, sizeof(ring_memory),
			       &vp) != FPH_OK || !start_device())
		return 1;
	/* Blocks are given to the reporter, and so nobody allocates them. */
	for (range.owner = 0; range.owner < NBLOCKS; range.owner++) {
		range.gpa = range.owner * BLOCK;
		fph_reporter_add(reporter, 0, &range, 1);
	}
	fph_reporter_flush(reporter);
	do {
		send(reporter, vq, 0);
		take_back(reporter, vq, 0);
	} while (fph_vq_driver_get_inflight(vq));
	for (uint32_t i = 0; i < NBLOCKS; i++)
		nfree += is_free[i];
	printf("%" PRIu32 " blocks free, %" PRIu64 " bytes given to the host\n",
	       nfree, discarded);
	return nfree != NBLOCKS || discarded != (uint64_t)NBLOCKS * BLOCK;
}
