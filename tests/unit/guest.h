/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A tiny guest for tests of the balloon device: memory in a memfd, rings in
 * that memory, and a driver that writes what a test asks for.
 *
 * Its memory is one range of guest-physical addresses, but two regions: they
 * meet at GUEST_SPLIT, and their host addresses do not.
 */
#ifndef FPH_TESTS_GUEST_H
#define FPH_TESTS_GUEST_H

#include <fph-vmm/balloon.h>

#include "ring.h"

#define GUEST_PAGE	4096u
#define GUEST_SPLIT	0x400000u	/* gpa where the second region begins */
#define GUEST_BYTES	0x800000u	/* all of it */
#define GUEST_BUFFERS	0x60000u	/* gpa of payload, 128 KiB */
#define GUEST_PAGES	0x100000u	/* gpa from which pages are free */
#define GUEST_GOOD	0x200000u	/* gpa of a page that is not special */
#define GUEST_OUTSIDE	0x40000000u	/* gpa of nothing */

#define GUEST_FEATURES	(FPH_BALLOON_FEATURES | \
			 FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
			 FPH_BIT(VIRTIO_RING_F_EVENT_IDX))
#define GUEST_VERSION_1	FPH_BIT(VIRTIO_F_VERSION_1)
#define GUEST_BIT(name)	FPH_BIT(VIRTIO_BALLOON_F_##name)

/* One descriptor of a buffer; flags: RING_WRITE or 0. */
struct guest_seg {
	uint64_t gpa;
	uint32_t len;
	uint16_t flags;
};

struct guest {
	int fd;
	bool big;			/* byte order of rings and payload */
	uint8_t *low;			/* gpa 0 to GUEST_SPLIT */
	uint8_t *high;			/* the rest */
	struct fph_memory *memory;
	struct fph_balloon *balloon;
	struct ring ring[FPH_NQUEUES];	/* each in 64 KiB of low memory */
	uint16_t next[FPH_NQUEUES];	/* descriptor for the next buffer */
	uint16_t used[FPH_NQUEUES];	/* used index up to which was read */
};

/* Memory and rings of num entries, without a balloon.  Asserts. */
void guest_init(struct guest *g, uint16_t num);
void guest_fini(struct guest *g);

/* A balloon that offers these features (numbering 0: inferred). */
void guest_new(struct guest *g, uint64_t offered, uint32_t numbering);

/*
 * guest_init, guest_new, features set and these rings started and enabled.
 * Without VERSION_1 the guest has the byte order of this host.
 */
void guest_boot(struct guest *g, uint64_t offered, uint64_t negotiated,
		uint32_t rings);

/*
 * A driver begins: features set, empty rings, these started and enabled.  big:
 * the byte order that it writes; the balloon is not told.
 */
void guest_negotiate(struct guest *g, uint64_t negotiated, bool big,
		     uint32_t rings);

/* guest_boot with everything offered and negotiated but these, 5 rings. */
void guest_boot_without(struct guest *g, uint64_t left_out);

/* Start and enable one ring at base. */
void guest_start(struct guest *g, uint32_t index, uint16_t base);

/* Host address of gpa, which lies in guest memory. */
uint8_t *guest_at(struct guest *g, uint64_t gpa);

/* Frees memory as a host does. */
void guest_discard(struct guest *g, uint64_t gpa, uint64_t len);

/* Write a number of size bytes at gpa, in the guest's byte order. */
void guest_put(struct guest *g, uint64_t gpa, unsigned int size, uint64_t v);

/* Offer a buffer; its head. */
uint16_t guest_offer(struct guest *g, uint32_t index,
		     const struct guest_seg *segs, uint32_t n);

/* The same with descriptors from head on. */
void guest_offer_at(struct guest *g, uint32_t index, uint16_t head,
		    const struct guest_seg *segs, uint32_t n);

/* The same through an indirect table at table. */
uint16_t guest_offer_indirect(struct guest *g, uint32_t index, uint64_t table,
			      const struct guest_seg *segs, uint32_t n);

/* A buffer of one descriptor. */
uint16_t guest_offer_one(struct guest *g, uint32_t index, uint64_t gpa,
			 uint32_t len, uint16_t flags);

/* Offer 4 bytes with a command id on the hint ring at this index. */
uint16_t guest_command(struct guest *g, uint32_t index, uint32_t id);

/* Offer page frames count, gpa = first + i * step, in an array at array. */
uint16_t guest_frames(struct guest *g, uint32_t index, uint64_t array,
		      uint64_t first, uint64_t step, uint32_t count);

/* Whether a buffer came back since the last time; *head is set then. */
bool guest_take_used(struct guest *g, uint32_t index, uint16_t *head);

/* Buffers that came back and were not taken. */
uint16_t guest_count_used(const struct guest *g, uint32_t index);

/* Process a ring until nothing is ready, discard and complete, flush. */
void guest_settle(struct guest *g, uint32_t index);

/*
 * A reset makes a working device: asserts that it can be reset and takes a
 * report of GUEST_GOOD on ring 4 afterwards.
 */
void guest_check_recovery(struct guest *g, const char *what);

struct fph_balloon_counters guest_counters(const struct guest *g);

#endif /* FPH_TESTS_GUEST_H */
