/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A unikernel that reports its free pages, with the library's own ring.
 *
 * The device is in the same program; else it is the host, and kick() writes to
 * a register.  Addresses begin at 0.
 */
#include <stdio.h>

#include <fph/guest.h>
#include <fph/vring.h>

#define NUM	64u			/* entries of the ring */
#define BLOCK	0x200000u		/* the allocator's blocks: 2 MiB */
#define NBLOCKS	128u
#define FEATURES (FPH_BIT(VIRTIO_F_VERSION_1) | \
		  FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING))

static uint64_t reporter_memory[FPH_REPORTER_SIZE(NBLOCKS, 2) / 8];
static uint64_t ring_memory[FPH_VQ_DRIVER_SIZE(NUM) / 8];
static uint64_t device_memory[FPH_VQ_DEVICE_SIZE(NUM) / 8];

/* Ring memory, which the device is told of. */
static _Alignas(16) uint64_t desc[2 * NUM];
static uint64_t avail[(6 + 2 * NUM) / 8 + 1];
static uint64_t used_ring[(6 + 8 * NUM) / 8 + 1];

static bool is_free[NBLOCKS];		/* the allocator */
static struct fph_reporter *reporter;
static struct fph_vq_driver *vq;
static struct fph_vq_device *device;
static uint64_t now, discarded;		/* now: ns; the kernel's clock */
static unsigned int nfree;

/* The host: drops what it is shown, and returns the buffers as used. */
static void kick(void)
{
	struct fph_buffer buffers[NUM];
	struct fph_used used[NUM];
	struct fph_seg segs[NUM], *seg = segs;
	int n = fph_vq_device_pop(device, buffers, NUM, segs, NUM);

	for (int i = 0; i < n; i++) {
		used[i] = (struct fph_used){ .cookie = buffers[i].cookie };
		for (uint32_t k = 0; k < buffers[i].nwrite; k++)
			discarded += (seg++)->len;
	}
	if (n > 0)
		fph_vq_device_push(device, used, (uint32_t)n);
}

static bool start_device(void)
{
	const struct fph_vq_device_params p = {
		.size = sizeof(p), .features = FEATURES, .num = NUM,
		.desc = desc, .driver = avail, .device = used_ring
	};

	return fph_vq_device_init(&device, device_memory,
				  sizeof(device_memory), &p) == FPH_OK;
}

/* Puts into the ring what is due, or takes it back if that fails. */
static void send(void)
{
	struct fph_buffer buffer;
	struct fph_seg segs[32];

	while (fph_reporter_submit(reporter, now, &buffer, 1, segs, 32) > 0)
		if (fph_vq_driver_add(vq, &buffer, 1, segs) != 1)
			fph_reporter_cancel(reporter, now, buffer.cookie);
	fph_vq_driver_publish(vq);
	if (fph_vq_driver_should_notify(vq) == 1)
		kick();
}

/* The interrupt: used buffers, and their blocks back to the allocator. */
static void take_back(void)
{
	struct fph_used used[NUM];
	struct fph_returned back[32];
	int n;

	while ((n = fph_vq_driver_take_used(vq, used, NUM)) > 0)
		fph_reporter_complete(reporter, now, used, (uint32_t)n, true);
	while ((n = fph_reporter_take_back(reporter, back, 32)) > 0)
		for (; n > 0; is_free[back[n].owner] = true)
			nfree += !is_free[back[--n].owner];
}

int main(void)
{
	const struct fph_reporter_params rp = {
		.size = sizeof(rp), .features = FEATURES,
		.content = FPH_CONTENT_FREE,	/* nothing relies on it */
		.max_ranges = NBLOCKS
	};
	const struct fph_vq_driver_params vp = {
		.size = sizeof(vp), .features = FEATURES, .num = NUM,
		.desc = desc, .driver = avail, .device = used_ring
	};
	struct fph_owned_range range = { 0, BLOCK, 0 };

	if (fph_reporter_init(&reporter, reporter_memory,
			      sizeof(reporter_memory), &rp) != FPH_OK ||
	    fph_vq_driver_init(&vq, ring_memory, sizeof(ring_memory),
			       &vp) != FPH_OK || !start_device())
		return 1;
	/* Blocks are given to the reporter, and so nobody allocates them. */
	for (; range.owner < NBLOCKS; range.owner++, range.gpa += BLOCK)
		fph_reporter_add(reporter, now, &range, 1);
	fph_reporter_flush(reporter);
	do {
		send();
		take_back();
	} while (fph_vq_driver_get_inflight(vq));
	printf("%u blocks free, %u MiB given to the host\n", nfree,
	       (unsigned int)(discarded >> 20));
	return nfree != NBLOCKS || discarded != (uint64_t)NBLOCKS * BLOCK;
}
