/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Buffers that wait for their turn, with IN_ORDER. */
#include "device.h"

bool fph_hold_done(struct fph_vq_device *vq, uint32_t place, uint32_t id,
		   uint32_t len)
{
	uint32_t turn = place >= vq->oldest ? place - vq->oldest :
			place + vq->num - vq->oldest;
	struct fph_held *h = &vq->held[place];

	if (turn >= vq->inflight + vq->nheld || h->id != id ||
	    h->info & FPH_HELD_DONE)
		return false;
	h->len = len;
	h->info |= FPH_HELD_DONE;
	vq->inflight--;
	vq->nheld++;
	return true;
}
