/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>

#include "advice.h"
#include "log.h"

enum {
	ADVICE_CONFIG	= 1,
	ADVICE_QUEUES	= 2,
	ADVICE_MEMORY	= 4,
	ADVICE_PAGES	= 8
};

/* Whether it was not said before. */
static bool is_new(struct session *s, uint32_t what)
{
	bool said = s->advised & what;

	s->advised |= what;
	return !said;
}

/*
 * A driver reads field by field, of which the first is 4 bytes and the first
 * two are no field; QEMU reads all that it was told to be there.
 */
void advice_after_read(struct session *s, uint32_t offset, uint32_t size)
{
	const uint32_t least = FPH_CONFIG_CMD_ID + FPH_CMD_ID_SIZE;
	bool odd = (size > 4 && size < least) || size > FPH_CONFIG_SIZE;

	if (offset == 0 && odd && is_new(s, ADVICE_CONFIG))
		log_line("front-end: it takes configuration space to have %u "
			 "bytes, which are %u: with QEMU, set config_size=%u",
			 size, FPH_CONFIG_SIZE, FPH_CONFIG_SIZE);
}

void advice_after_memory(struct session *s)
{
	const struct memory_table *t = &s->device->memory;
	uint64_t page = 0;
	uint32_t i;

	for (i = 0; i < t->nslots; i++) {
		if (t->slots[i].map.page_size > page)
			page = t->slots[i].map.page_size;
	}
	if (page > s->device->page_size && is_new(s, ADVICE_PAGES))
		log_line("front-end: some memory is on pages of %llu KiB and "
			 "is freed by whole ones: with --page-size=%lluK "
			 "inflated pages are collected until one is whole",
			 (unsigned long long)page >> 10,
			 (unsigned long long)page >> 10);
}

/* The ring that a message is about, or -1. */
static int64_t get_ring(const struct vu_message *m)
{
	switch (m->request) {
	case VU_SET_VRING_NUM:
	case VU_SET_VRING_ADDR:
	case VU_SET_VRING_BASE:
	case VU_SET_VRING_ENABLE:
		return vu_load32(m->payload + VU_STATE_INDEX);
	case VU_SET_VRING_KICK:
	case VU_SET_VRING_CALL:
	case VU_SET_VRING_ERR:
		return (int64_t)(vu_load64(m->payload) & VU_FD_INDEX_MASK);
	}
	return -1;
}

void advice_after_refusal(struct session *s, const struct vu_message *m,
			  int err)
{
	if (get_ring(m) >= FPH_NQUEUES && is_new(s, ADVICE_QUEUES))
		log_line("front-end: it takes the device to have more queues, "
			 "which are %u: with QEMU, set num_vqs=%u",
			 FPH_NQUEUES, FPH_NQUEUES);
	if (m->request == VU_SET_VRING_ADDR && err == EFAULT &&
	    !s->device->memory.nslots && is_new(s, ADVICE_MEMORY))
		log_line("front-end: it shares no memory: with QEMU, the "
			 "guest's memory must be of a kind that has a file, "
			 "with share=on (memory-backend-memfd)");
}

/*
 * QEMU gives each queue that it was told of a call descriptor at once.  When
 * there are too few, the driver's probe fails, which is not seen from here: so
 * this is noticed only when QEMU ends.
 */
void advice_at_end(struct session *s)
{
	uint32_t n = 0;

	while (n < FPH_NQUEUES && s->rings[n].call >= 0)
		n++;
	if (n && n < FPH_NQUEUES && !s->negotiated &&
	    is_new(s, ADVICE_QUEUES))
		log_line("front-end: it took the device to have %u queues, "
			 "which are %u: with QEMU, set num_vqs=%u",
			 n, FPH_NQUEUES, FPH_NQUEUES);
	s->advised = 0;
}
