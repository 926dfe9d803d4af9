/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Split rings for tests, written and read byte by byte from the layout in the
 * virtio specification and from nothing of the library: a driver that writes
 * what a test asks for, right or wrong, and a device that does the same.
 */
#ifndef FPH_TESTS_RING_H
#define FPH_TESTS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * For loops of many rounds: ck_assert notes every line that it passes, which
 * is slow.
 */
#define WANT(x)								\
	do {								\
		if (!(x))						\
			ck_abort_msg("not so: %s", #x);			\
	} while (0)

#define RING_NEXT	1
#define RING_WRITE	2
#define RING_INDIRECT	4

/* Guest memory begins at guest-physical address 0. */
struct ring {
	uint8_t *mem;
	size_t mem_size;
	uint8_t *desc;
	uint8_t *avail;
	uint8_t *used;
	uint32_t num;
	bool big;
	uint16_t avail_idx;		/* of the driver */
	uint16_t used_idx;		/* of the device */
};

/*
 * Allocates zeroed guest memory: the ring at its start, free bytes from
 * ring_free_gpa() on.  Exits when there is no memory.
 */
void ring_init(struct ring *r, uint32_t num, bool big, size_t mem_size);
void ring_fini(struct ring *r);
uint64_t ring_free_gpa(const struct ring *r);

/* NULL when it is not all guest memory; fits fph_map_fn with ctx = r. */
const void *ring_map(void *ctx, uint64_t gpa, uint64_t len);

void ring_put(uint8_t *b, unsigned int size, uint64_t v, bool big);
uint64_t ring_get(const uint8_t *b, unsigned int size, bool big);

/* Driver.  at: desc of the ring or a table; i: which entry of it. */
void ring_desc(const struct ring *r, uint8_t *at, uint32_t i, uint64_t gpa,
	       uint32_t len, uint16_t flags, uint16_t next);
void ring_offer(struct ring *r, uint16_t head);
void ring_set_avail_idx(struct ring *r, uint16_t idx);
void ring_set_avail_flags(struct ring *r, uint16_t flags);
void ring_set_used_event(struct ring *r, uint16_t event);
uint16_t ring_get_used_idx(const struct ring *r);
uint16_t ring_get_used_flags(const struct ring *r);
uint16_t ring_get_avail_event(const struct ring *r);
uint32_t ring_get_used_id(const struct ring *r, uint16_t idx);
uint32_t ring_get_used_len(const struct ring *r, uint16_t idx);

/* Device. */
void ring_use(struct ring *r, uint32_t id, uint32_t len);
void ring_set_used_idx(struct ring *r, uint16_t idx);
void ring_set_used_flags(struct ring *r, uint16_t flags);
void ring_set_avail_event(struct ring *r, uint16_t event);
uint16_t ring_get_avail_idx(const struct ring *r);
uint16_t ring_get_avail_flags(const struct ring *r);
uint16_t ring_get_used_event(const struct ring *r);
uint16_t ring_get_head(const struct ring *r, uint16_t idx);

/* The same numbers for the same seed, on every host. */
uint32_t ring_random(uint64_t *seed);

#endif /* FPH_TESTS_RING_H */
