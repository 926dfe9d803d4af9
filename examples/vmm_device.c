/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A VMM at the height of the device: it forwards features, config accesses,
 * rings and kicks, and lets the library do the rest within a budget.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <fph-vmm/balloon.h>

#include "vmm_guest.h"

#define SIZE	(64u * MIB)
#define REPORT	FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING)

static uint8_t *ram;

/* The driver has notified ring index: a millisecond of work at a time. */
static void kicked(struct fph_balloon *b, struct fph_reclaim *rc,
		   uint32_t index)
{
	struct fph_budget budget = { .nanoseconds = 1000000 };
	uint32_t rings, events;

	fph_balloon_kick(b, index);
	while (fph_balloon_pump(b, rc, &budget) == 1)
		;			/* an event loop would do other work */
	rings = fph_balloon_take_notify(b);
	events = fph_balloon_take_events(b);
	printf("interrupts of rings 0x%x, events 0x%x\n", rings, events);
}

/* What a guest does: two reports of 4 MiB. */
static struct fph_vq_driver *offer(void)
{
	static const struct fph_seg segs[] = {
		{ 16 * MIB, 4 * MIB, FPH_SEG_WRITE },
		{ 32 * MIB, 4 * MIB, FPH_SEG_WRITE },
	};
	static const struct fph_buffer buffers[] = {
		{ .cookie = 1, .nwrite = 1 }, { .cookie = 2, .nwrite = 1 },
	};

	return guest_offer(ram, buffers, 2, segs);
}

int main(void)
{
	struct fph_region region = { .len = SIZE };
	struct fph_balloon_params bp = { .size = sizeof(bp),
					 .features = REPORT };
	struct fph_reclaim_params cp = { .size = sizeof(cp) };
	struct fph_balloon_ring ring = { .size = sizeof(ring), .num = NUM };
	struct fph_memory *memory = fph_memory_new(NULL, NULL);
	struct fph_balloon_counters c;
	struct fph_vq_driver *driver;
	struct fph_used used[4];
	struct fph_reclaim *rc;
	struct fph_balloon *b;
	int index, back;

	ram = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED)
		return 1;
	memset(ram, 0xaa, SIZE);
	region.host = ram;
	bp.memory = memory;
	cp.memory = memory;
	b = fph_balloon_new(&bp, NULL);
	rc = fph_reclaim_new(&cp, NULL);
	driver = offer();
	ring.desc = ram;
	ring.driver = ram + RING_DRIVER;
	ring.device = ram + RING_DEVICE;
	/* Linux numbers the queues that were negotiated. */
	index = fph_queue_index(FPH_QUEUE_REPORT, FPH_NUMBERING_NEGOTIATED,
				REPORT, REPORT);
	if (!b || !rc || !driver ||
	    fph_memory_get_backing(&region, -1, true) ||
	    fph_memory_add(memory, &region) ||
	    fph_balloon_set_features(b, REPORT |
				     FPH_BIT(VIRTIO_F_VERSION_1)) ||
	    fph_balloon_ring_start(b, (uint32_t)index, &ring) ||
	    fph_balloon_ring_enable(b, (uint32_t)index, true))
		return 1;
	kicked(b, rc, (uint32_t)index);
	back = fph_vq_driver_take_used(driver, used, 4);
	fph_balloon_get_counters(b, &c, sizeof(c));
	printf("%d buffers came back, %d MiB are free\n", back,
	       (int)(c.report.bytes_freed / MIB));
	fph_balloon_free(b);
	fph_reclaim_free(rc);
	fph_memory_free(memory);
	return back != 2 || c.report.bytes_freed != 8 * MIB || ram[16 * MIB];
}
