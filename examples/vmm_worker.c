/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A VMM that frees memory in a thread of its own, so that its event loop
 * answers while a discard is going on.
 *
 * One lock protects the balloon.  The worker gives it up while it discards; a
 * discard that the kernel finishes later is the same: its runs are completed
 * when it has.  The reclaim engine is the worker's alone.
 */
#include <pthread.h>
#include <string.h>

#include <fph-vmm/balloon.h>

#include "vmm_guest.h"

#define SIZE	(64u * MIB)
#define RING	2u			/* reporting, where nothing else is */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_cond_t progress = PTHREAD_COND_INITIALIZER;
static bool stopping;
static uint32_t interrupts;		/* a VMM writes to an eventfd instead */
static struct fph_balloon *balloon;
static struct fph_reclaim *reclaim;
static _Alignas(4096) uint8_t ram[SIZE];	/* the guest's, from address 0 */

/* Takes what the rings hold, as far as there is room.  Locked. */
static void take_buffers(void)
{
	uint32_t i, ready = fph_balloon_get_ready(balloon);

	for (i = 0; i < FPH_NQUEUES; i++)
		if (ready & 1u << i)
			fph_balloon_process(balloon, i, NUM);
	pthread_cond_signal(&work);
}

static void *run_worker(void *arg)
{
	struct fph_run runs[64];
	int n;

	pthread_mutex_lock(&lock);
	while ((n = fph_balloon_next(balloon, runs, 64)) > 0 || !stopping) {
		if (n <= 0) {
			pthread_cond_wait(&work, &lock);
			continue;
		}
		pthread_mutex_unlock(&lock);
		fph_reclaim_discard(reclaim, runs, (uint32_t)n, NULL);
		pthread_mutex_lock(&lock);
		fph_balloon_complete(balloon, runs, (uint32_t)n);
		fph_balloon_flush(balloon);
		interrupts |= fph_balloon_take_notify(balloon);
		take_buffers();		/* which had no room before */
		pthread_cond_broadcast(&progress);
	}
	pthread_mutex_unlock(&lock);
	return arg;
}

/* The event loop: the driver has notified ring index. */
static void kicked(uint32_t index)
{
	pthread_mutex_lock(&lock);
	fph_balloon_kick(balloon, index);
	take_buffers();
	pthread_mutex_unlock(&lock);
}

/* The event loop: the driver resets the device.  Waits for the discards. */
static void reset(void)
{
	pthread_mutex_lock(&lock);
	while (fph_balloon_reset(balloon) == FPH_EINPROGRESS)
		pthread_cond_wait(&progress, &lock);
	stopping = true;		/* and ends */
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&lock);
}

/* What a guest does: reports 4 MiB. */
static bool report(void)
{
	static const struct fph_seg seg = { 16 * MIB, 4 * MIB, FPH_SEG_WRITE };
	static const struct fph_buffer buffer = { .cookie = 1, .nwrite = 1 };

	return guest_offer(ram, &buffer, 1, &seg);
}

int main(void)
{
	struct fph_memory *memory = fph_memory_new(NULL, NULL);
	struct fph_region region = { .len = SIZE, .host = ram };
	struct fph_balloon_params bp = { .size = sizeof(bp), .memory = memory,
		.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING) };
	struct fph_reclaim_params cp = { .size = sizeof(cp),
					 .memory = memory };
	struct fph_balloon_ring ring = { .size = sizeof(ring), .num = NUM,
		.desc = ram, .driver = ram + RING_DRIVER,
		.device = ram + RING_DEVICE };
	pthread_t thread;

	memset(ram, 0xaa, SIZE);
	balloon = fph_balloon_new(&bp, NULL);
	reclaim = fph_reclaim_new(&cp, NULL);
	if (!report() || fph_memory_get_backing(&region, -1, true) ||
	    fph_memory_add(memory, &region) ||
	    fph_balloon_set_features(balloon, bp.features) ||
	    fph_balloon_ring_start(balloon, RING, &ring) ||
	    fph_balloon_ring_enable(balloon, RING, true) ||
	    pthread_create(&thread, NULL, run_worker, NULL))
		return 1;
	kicked(RING);
	pthread_mutex_lock(&lock);
	while (!interrupts)
		pthread_cond_wait(&progress, &lock);
	pthread_mutex_unlock(&lock);
	reset();
	pthread_join(thread, NULL);
	return ram[16 * MIB] || interrupts != 1u << RING;
}
