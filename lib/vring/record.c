/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The record of buffers in flight, which outlives the process.
 *
 * Layout and order of the stores are those of vhost-user's inflight region for
 * split queues: docs/interop/vhost-user.rst of QEMU 7.2, "Inflight I/O
 * tracking".  It is in host byte order:
 *
 *   features u64, version u16, desc_num u16, last_batch_head u16,
 *   used_idx u16, desc_num x { inflight u8, padding, next u16, counter u64 }
 *
 * The process may be killed between any two stores:
 *
 *   pop    counter, inflight.  Before inflight the buffer is still in the
 *	    ring, for the place where the next device begins is the used index
 *	    and the number of those in flight.
 *   push   next and last_batch_head of each; the used index of the ring;
 *	    inflight of each; used_idx.  As long as the two indices differ, the
 *	    last batch is known by its list, and open() finishes it.
 *
 * A processor that is interrupted has done all stores before that point and
 * none behind it, so it is the compiler alone that must keep the order.
 */
#include "device.h"

#define RECORD_FEATURES		0u
#define RECORD_VERSION		8u
#define RECORD_NUM		10u
#define RECORD_LAST		12u
#define RECORD_USED		14u
#define RECORD_BYTES		16u

#define ENTRY_INFLIGHT		0u
#define ENTRY_NEXT		6u
#define ENTRY_COUNTER		8u
#define ENTRY_BYTES		16u

#define VERSION			1u

static uint8_t *entry_of(const struct fph_vq_device *vq, uint32_t head)
{
	return vq->record + RECORD_BYTES + (size_t)head * ENTRY_BYTES;
}

static void put16(uint8_t *p, uint16_t v)
{
	fph_store16(p, v);
	fph_compiler_barrier();
}

static uint64_t get_counter(const struct fph_vq_device *vq, uint32_t head)
{
	uint64_t v;

	fph_memcpy(&v, entry_of(vq, head) + ENTRY_COUNTER, sizeof(v));
	return v;
}

static void set_inflight(const struct fph_vq_device *vq, uint32_t head,
			 uint8_t v)
{
	entry_of(vq, head)[ENTRY_INFLIGHT] = v;
	fph_compiler_barrier();
}

bool fph_record_fits(const uint8_t *record, uint32_t num)
{
	uint64_t features;

	if ((uintptr_t)record & 7)
		return false;
	if (!fph_load16(record + RECORD_VERSION))
		return true;
	fph_memcpy(&features, record + RECORD_FEATURES, sizeof(features));
	return !features && fph_load16(record + RECORD_VERSION) == VERSION &&
	       fph_load16(record + RECORD_NUM) == num;
}

/* The last batch was used, but perhaps not yet forgotten. */
static void finish_batch(struct fph_vq_device *vq)
{
	uint16_t left = (uint16_t)(vq->used_idx -
				   fph_load16(vq->record + RECORD_USED));
	uint32_t head = fph_load16(vq->record + RECORD_LAST);

	/* A used index that the guest has changed goes on through the list. */
	for (; left && head < vq->num; left--) {
		set_inflight(vq, head, 0);
		head = fph_load16(entry_of(vq, head) + ENTRY_NEXT);
	}
	put16(vq->record + RECORD_USED, vq->used_idx);
}

/* Heap sort, by counter: moves old[at] down among the first n. */
static void sift(struct fph_vq_device *vq, uint32_t at, uint32_t n)
{
	uint16_t head = vq->old[at];
	uint32_t child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && get_counter(vq, vq->old[child + 1]) >
				     get_counter(vq, vq->old[child]))
			child++;
		if (get_counter(vq, vq->old[child]) <= get_counter(vq, head))
			break;
		vq->old[at] = vq->old[child];
		at = child;
	}
	vq->old[at] = head;
}

static void sort_old(struct fph_vq_device *vq)
{
	uint32_t n = vq->nold;

	for (uint32_t i = n / 2; i > 0; i--)
		sift(vq, i - 1, n);
	while (n > 1) {
		uint16_t head = vq->old[0];

		vq->old[0] = vq->old[--n];
		vq->old[n] = head;
		sift(vq, 0, n);
	}
}

void fph_record_open(struct fph_vq_device *vq)
{
	uint8_t *record = vq->record;

	if (!fph_load16(record + RECORD_VERSION)) {
		put16(record + RECORD_NUM, (uint16_t)vq->num);
		put16(record + RECORD_USED, vq->used_idx);
		put16(record + RECORD_VERSION, VERSION);
		return;
	}
	finish_batch(vq);
	/* The interrupt for what was used last may have died with it. */
	vq->unsignalled = FPH_RING_ROUND;
	for (uint32_t i = 0; i < vq->num; i++) {
		if (entry_of(vq, i)[ENTRY_INFLIGHT])
			vq->old[vq->nold++] = (uint16_t)i;
	}
	sort_old(vq);
	if (vq->nold)
		vq->counter = get_counter(vq, vq->old[vq->nold - 1]) + 1;
	vq->avail_idx = (uint16_t)(vq->used_idx + vq->nold);
}

void fph_record_take(struct fph_vq_device *vq, uint32_t head)
{
	fph_memcpy(entry_of(vq, head) + ENTRY_COUNTER, &vq->counter,
		   sizeof(vq->counter));
	fph_compiler_barrier();
	vq->counter++;
	set_inflight(vq, head, 1);
}

void fph_record_link(struct fph_vq_device *vq, uint32_t head)
{
	put16(entry_of(vq, head) + ENTRY_NEXT,
	      fph_load16(vq->record + RECORD_LAST));
	put16(vq->record + RECORD_LAST, (uint16_t)head);
}

void fph_record_drop(struct fph_vq_device *vq, uint32_t head)
{
	fph_compiler_barrier();
	set_inflight(vq, head, 0);
}

void fph_record_done(struct fph_vq_device *vq)
{
	put16(vq->record + RECORD_USED, vq->used_idx);
}
