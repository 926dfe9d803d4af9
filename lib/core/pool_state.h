/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of the guest's free ranges.  Not installed.
 *
 *	u64 number of the next run; u64 the first that is not urgent
 *	u32 serial that buffers go on from
 *	u32 buffers that are out; each, the oldest first:
 *		u32 cookie, u32 tag, u32 id, a list with ages
 *	a list with ages: what waits, the oldest first
 *	two lists: what is back, not used and used
 *
 * A list: u32 runs; each: with ages u64 time that is left, u64 number of its
 * oldest range, or 0; u32 ranges; each: u64 gpa, u32 len, u64 owner.
 *
 * Time that is left is nanoseconds: negative in two's complement; the greatest
 * positive one never ends.
 */
#ifndef FPH_CORE_POOL_STATE_H
#define FPH_CORE_POOL_STATE_H

#include "pool.h"
#include "state.h"

/* What is to be counted while all lists are read. */
struct fph_pool_loaded {
	uint64_t now;
	uint32_t ranges;
	uint32_t serial;
};

/* O(ranges + batches). */
void fph_pool_save(const struct fph_pool *p, uint64_t now,
		   struct fph_state_writer *w);
void fph_pool_save_list(const struct fph_pool *p,
			const struct fph_free_list *list,
			struct fph_state_writer *w);

/*
 * fph_pool_take_state - begin a load
 *
 * buf, size: as the load was given them.  kind, latest: as fph_state_open.
 *
 * FPH_OK, FPH_EINVAL (buf is NULL), FPH_EBUSY (p is not fresh), or as
 * fph_state_open.  O(size).
 */
int fph_pool_take_state(const struct fph_pool *p, struct fph_state_reader *r,
			const void *buf, size_t size, uint16_t kind,
			uint32_t latest);

/*
 * fph_pool_load - read what save wrote
 *
 * p: fresh: nothing was ever added.  Whatever it answers, p may
 * have changed; fph_pool_forget makes it fresh again.
 *
 * FPH_OK, FPH_ECORRUPT, FPH_EREFUSED (more than p can hold).
 * O(ranges log ranges + batches).
 */
int fph_pool_load(struct fph_pool *p, struct fph_state_reader *r,
		  struct fph_pool_loaded *l);
int fph_pool_load_list(struct fph_pool *p, struct fph_state_reader *r,
		       struct fph_pool_loaded *l, struct fph_free_list *list);
void fph_pool_forget(struct fph_pool *p);

/* When something is, as the time that is left of it, and the reverse. */
uint64_t fph_time_left(uint64_t when, uint64_t now);
uint64_t fph_time_when(uint64_t left, uint64_t now);

#endif /* FPH_CORE_POOL_STATE_H */
