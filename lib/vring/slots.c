/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The driver's slots, of either layout. */
#include "driver.h"

void fph_link_slots(struct fph_vq_driver *vq, uint32_t n)
{
	uint32_t first = vq->nused;

	for (uint32_t i = 0; i < n; i++) {
		struct fph_driver_slot *s = &vq->slots[first + i];

		s->ndesc = 0;
		s->next = i + 1 < n ? (uint16_t)(first + i + 1) : vq->free;
	}
	if (!vq->nlinked)
		vq->last_free = (uint16_t)(first + n - 1);
	vq->free = (uint16_t)first;
	vq->nused += n;
	vq->nlinked += n;
}
