/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A VMM at the height of rings: it has guest memory and a way to discard, and
 * takes the ring, the merging and the bookkeeping from the library.
 */
#include <stdio.h>
#include <string.h>

#include <fph/host.h>
#include <fph/vring.h>
#include <fph-vmm/reclaim.h>

#include "vmm_guest.h"

#define SIZE	(64u * MIB)

static uint64_t report_memory[FPH_REPORT_SIZE(1024, NUM) / 8];
static uint64_t ring_memory[FPH_VQ_DEVICE_SIZE(NUM) / 8];
static _Alignas(4096) uint8_t ram[SIZE];

/* The driver has notified the ring: returns whether it wants an interrupt. */
static int serve(struct fph_vq_device *vq, struct fph_report *report,
		 struct fph_memory *memory, struct fph_reclaim *reclaim)
{
	struct fph_buffer buffers[NUM];
	struct fph_seg segs[4 * NUM];
	struct fph_run runs[256];
	struct fph_used used[NUM];
	int n;

	do {
		while ((n = fph_vq_device_pop(vq, buffers, NUM, segs,
					      4 * NUM)) > 0) {
			fph_memory_check(memory, buffers, (uint32_t)n, segs);
			fph_report_add(report, buffers, (uint32_t)n, segs);
			while ((n = fph_report_next(report, runs, 256)) > 0) {
				fph_reclaim_discard(reclaim, runs, (uint32_t)n,
						    NULL);
				fph_report_complete(report, runs, (uint32_t)n);
			}
			while ((n = fph_report_take_used(report, used,
							 NUM)) > 0)
				fph_vq_device_push(vq, used, (uint32_t)n);
		}
		/* Ask to be notified, and look again if it came meanwhile. */
	} while (n == 0 && fph_vq_device_want_notify(vq, true) == 1);
	if (n < 0)
		printf("the driver broke the ring: %s\n", fph_status_name(n));
	return fph_vq_device_should_notify(vq);
}

/* What a guest does: two reports of 2 and 4 MiB. */
static struct fph_vq_driver *offer(void)
{
	static const struct fph_seg segs[] = {
		{ 16 * MIB, 2 * MIB, FPH_SEG_WRITE },
		{ 32 * MIB, 2 * MIB, FPH_SEG_WRITE },
		{ 34 * MIB, 2 * MIB, FPH_SEG_WRITE },
	};
	static const struct fph_buffer buffers[] = {
		{ .cookie = 1, .nwrite = 1 }, { .cookie = 2, .nwrite = 2 },
	};

	return guest_offer(ram, buffers, 2, segs);
}

int main(void)
{
	struct fph_region region = { .len = SIZE, .host = ram };
	struct fph_report_params rp = { .size = sizeof(rp), .max_ranges = 1024,
					.max_buffers = NUM };
	struct fph_vq_device_params vp = { .size = sizeof(vp), .num = NUM };
	struct fph_reclaim_params cp = { .size = sizeof(cp) };
	struct fph_reclaim_counters counters;
	struct fph_memory *memory = fph_memory_new(NULL, NULL);
	struct fph_reclaim *reclaim;
	struct fph_report *report;
	struct fph_vq_driver *driver;
	struct fph_vq_device *vq;

	memset(ram, 0xaa, SIZE);
	driver = offer();
	vp.desc = ram;
	vp.driver = ram + RING_DRIVER;
	vp.device = ram + RING_DEVICE;
	cp.memory = memory;
	if (fph_memory_get_backing(&region, -1, true) ||
	    fph_memory_add(memory, &region) ||
	    fph_report_init(&report, report_memory, sizeof(report_memory),
			    &rp) ||
	    fph_vq_device_init(&vq, ring_memory, sizeof(ring_memory), &vp))
		return 1;
	reclaim = fph_reclaim_new(&cp, NULL);
	printf("interrupt: %d\n", serve(vq, report, memory, reclaim));
	fph_reclaim_get_counters(reclaim, &counters, sizeof(counters));
	printf("freed: %u MiB\n", (unsigned int)(counters.discarded / MIB));
	fph_reclaim_free(reclaim);
	fph_memory_free(memory);
	return counters.discarded != 6 * MIB || ram[16 * MIB] ||
	       fph_vq_driver_get_inflight(driver) != 2;
}
