/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A snapshot of a VM in the midst of a discard, and a VM that goes on from it.
 *
 * The guest has reported two blocks, and the device has begun with the first.
 * The VMM saves memory and the device, and starts another VM from them: there
 * both buffers come back, and what is reported later is freed as ever.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <fph-vmm/balloon.h>

#include "vmm_guest.h"

#define SIZE	(16u * MIB)
#define REPORT	FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING)
#define INDEX	2u			/* of the only queue but two */

struct vm {
	uint8_t *ram;
	struct fph_memory *memory;
	struct fph_balloon *b;
	struct fph_balloon_ring ring[FPH_NQUEUES];
};

static int start(struct vm *vm)
{
	struct fph_region region = { .len = SIZE };
	struct fph_balloon_params p = { .size = sizeof(p),
					.features = REPORT };

	vm->ram = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	vm->memory = fph_memory_new(NULL, NULL);
	region.host = vm->ram;
	p.memory = vm->memory;
	vm->b = fph_balloon_new(&p, NULL);
	vm->ring[INDEX] = (struct fph_balloon_ring){
		.size = sizeof(*vm->ring), .num = NUM, .desc = vm->ram,
		.driver = vm->ram + RING_DRIVER,
		.device = vm->ram + RING_DEVICE
	};
	if (vm->ram == MAP_FAILED || !vm->b ||
	    fph_memory_get_backing(&region, -1, true))
		return -1;
	return fph_memory_add(vm->memory, &region);
}

static void stop(struct vm *vm)
{
	fph_balloon_free(vm->b);
	fph_memory_free(vm->memory);
	munmap(vm->ram, SIZE);
}

/* The guest's driver, which notices nothing: its ring is in guest memory. */
static bool offer(struct vm *vm)
{
	static const struct fph_seg segs[] = {
		{ 4 * MIB, MIB, FPH_SEG_WRITE }, { 8 * MIB, MIB, FPH_SEG_WRITE }
	};
	static const struct fph_buffer buffers[] = {
		{ .cookie = 1, .nwrite = 1 }, { .cookie = 2, .nwrite = 1 }
	};

	return guest_offer(vm->ram, buffers, 2, segs);
}

int main(void)
{
	struct vm here = { 0 }, there = { 0 };
	struct fph_run run;
	bool returned;
	void *state;
	size_t size;

	if (start(&here) || start(&there) || !offer(&here) ||
	    fph_balloon_set_features(here.b, REPORT |
				     FPH_BIT(VIRTIO_F_VERSION_1)) ||
	    fph_balloon_ring_start(here.b, INDEX, &here.ring[INDEX]) ||
	    fph_balloon_ring_enable(here.b, INDEX, true) ||
	    fph_balloon_process(here.b, INDEX, 2) != 2 ||
	    fph_balloon_next(here.b, &run, 1) != 1)
		return 1;

	/* Nothing of the snapshot may be freed while it is read. */
	printf("freeze: %s\n", fph_status_name(
		fph_balloon_freeze_as(here.b, FPH_FREEZE_HOLD)));
	run.outcome = FPH_OUTCOME_DISCARDED;
	fph_balloon_complete(here.b, &run, 1);
	printf("freeze: %s\n", fph_status_name(
		fph_balloon_freeze_as(here.b, FPH_FREEZE_HOLD)));
	memcpy(there.ram, here.ram, SIZE);
	fph_balloon_save(here.b, NULL, 0, &size);
	state = malloc(size);
	if (!state || fph_balloon_save(here.b, state, size, &size))
		return 1;
	fph_balloon_thaw(here.b);

	/* On another day, or another host. */
	if (fph_balloon_load(there.b, state, size, FPH_LOAD_MOVED, there.ring))
		return 1;
	fph_balloon_thaw(there.b);
	while (fph_balloon_next(there.b, &run, 1) == 1) {
		run.outcome = FPH_OUTCOME_DISCARDED;	/* reclaim would */
		fph_balloon_complete(there.b, &run, 1);
	}
	printf("%u buffers came back there\n", fph_balloon_flush(there.b));
	returned = there.ram[0x2002] == 2;	/* used index of the ring */
	free(state);
	stop(&there);
	stop(&here);
	return returned ? 0 : 1;
}
