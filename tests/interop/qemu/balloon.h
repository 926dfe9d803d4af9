/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A driver of the balloon's hinting and reporting queues: set-up of the
 * device, and split rings in the guest's memory.
 *
 * The rings are reached by a mapping of their own, which stays where it is
 * when the guest moves on to another QEMU, as a guest's memory does.
 */
#ifndef FPH_QEMU_BALLOON_H
#define FPH_QEMU_BALLOON_H

#include <fph/vring.h>
#include <fph/wire.h>

#include "transport.h"

/* Guest memory below is the driver's, and of the old PC's ROMs and holes. */
#define BALLOON_RESERVED	0x200000u

#define BALLOON_RING_MAX	1024u
#define BALLOON_BUFFERS		64u	/* in one queue at a time */
#define BALLOON_SEGS		32u	/* of one buffer */
#define BALLOON_COMMANDS	8u	/* buffers for command ids */

struct balloon_queue {
	struct fph_vq_driver *vq;
	uint64_t memory[FPH_VQ_DRIVER_SIZE(BALLOON_RING_MAX) / 8];
	uint16_t index;
	uint16_t num;
	uint64_t gpa;			/* of the ring, its descriptors */
	uint64_t avail;			/* of the driver's area */
	uint64_t used;			/* of the device's */
	uint64_t cookie[BALLOON_BUFFERS];
	bool busy[BALLOON_BUFFERS];
};

struct balloon {
	struct vm *vm;
	struct transport transport;
	uint64_t offered;
	uint64_t features;		/* negotiated */
	uint8_t *ram;
	uint64_t size;
	struct balloon_queue queue[FPH_NQUEUES];  /* HINT and REPORT only */
};

/*
 * balloon_start - bring up the device
 *
 * features: what to negotiate; all of it must be offered.
 */
void balloon_start(struct balloon *b, struct vm *vm, uint64_t features);

/* The guest was migrated to this QEMU and goes on there. */
void balloon_move(struct balloon *b, struct vm *vm);

void balloon_stop(struct balloon *b);

/*
 * balloon_put - put a buffer into a queue, and notify if the device wants it
 *
 * All that it writes is seen by the dirty log.  There must be room.
 */
void balloon_put(struct balloon *b, int queue, const struct fph_seg *segs,
		 uint32_t nsegs, uint64_t cookie);

/* Puts a command id of 4 bytes, from the command buffer with this number. */
void balloon_put_command(struct balloon *b, uint32_t command,
			 const uint8_t bytes[4], uint64_t cookie);

/* Notifies whether the device wants it or not, which a driver may. */
void balloon_notify(struct balloon *b, int queue);

/* Takes back a buffer that the device used: its cookie; false if none. */
bool balloon_get(struct balloon *b, int queue, uint64_t *cookie);

/* Descriptors that are free in the ring. */
uint32_t balloon_get_room(const struct balloon *b, int queue);

uint32_t balloon_get_cmd_id(struct balloon *b);

#endif /* FPH_QEMU_BALLOON_H */
