/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the examples of VMMs have in place of a guest: a driver in the same
 * program.  Its ring stands at the start of guest memory, which begins at
 * address 0.
 */
#ifndef VMM_GUEST_H
#define VMM_GUEST_H

#include <fph/vring.h>

#define MIB		(1024u * 1024u)
#define NUM		64u		/* entries of the ring */
#define RING_DRIVER	0x1000u		/* where its parts are */
#define RING_DEVICE	0x2000u

/* Puts n buffers into the ring: the driver, or NULL. */
static inline struct fph_vq_driver *
guest_offer(uint8_t *ram, const struct fph_buffer *buffers, uint32_t n,
	    const struct fph_seg *segs)
{
	static uint64_t memory[FPH_VQ_DRIVER_SIZE(NUM) / 8];
	const struct fph_vq_driver_params p = {
		.size = sizeof(p), .num = NUM, .desc = ram,
		.driver = ram + RING_DRIVER, .device = ram + RING_DEVICE
	};
	struct fph_vq_driver *vq = NULL;

	if (fph_vq_driver_init(&vq, memory, sizeof(memory), &p) ||
	    fph_vq_driver_add(vq, buffers, n, segs) != (int)n ||
	    fph_vq_driver_publish(vq))
		return NULL;
	return vq;
}

#endif /* VMM_GUEST_H */
