/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of buffers in flight.  Not installed.
 *
 *	u64 serial of tokens
 *	u32 number of buffers that are ready, of those that are pending,
 *	    of runs that are out, of closed ranges, of open ranges
 *	buffers, the ready ones first, in the order in which they go back:
 *		u32 number, u64 cookie, u64 freed, u8 outcome, u8 reason
 *	runs: u64 token, u64 gpa, u64 len, u32 number of ranges; its ranges
 *	ranges, closed ones by ascending address, open ones as they were added:
 *		u64 gpa, u32 len, u32 number of the buffer
 *
 * How many ranges of a buffer are pending follows from the ranges.
 */
#ifndef FPH_CORE_INFLIGHT_STATE_H
#define FPH_CORE_INFLIGHT_STATE_H

#include "inflight.h"
#include "state.h"

/* What was read, and is not yet a part of the object. */
struct fph_inflight_loaded {
	uint64_t serial;
	uint32_t nready, npending;
	uint32_t nruns, nclosed, nopen;
	uint32_t ready_head, ready_tail;
	uint32_t nbuffers;		/* places of buffers[], used or free */
	uint32_t nplaces;		/* of runs[] */
	uint32_t nranges;		/* read so far */
	uint32_t nout;			/* ranges in runs */
	uint64_t run_bytes;
	uint64_t waiting_bytes;
};

/* O(max_buffers + max_ranges). */
void fph_inflight_save(const struct fph_inflight *f,
		       struct fph_state_writer *w);

/*
 * fph_inflight_take_state - begin a load
 *
 * buf, size, flags: as the load was given them.  kind, latest: as
 * fph_state_open.
 *
 * FPH_OK, FPH_EINVAL (buf is NULL, flags), FPH_EBUSY (f holds a buffer), or as
 * fph_state_open.  O(size).
 */
int fph_inflight_take_state(const struct fph_inflight *f,
			    struct fph_state_reader *r, const void *buf,
			    size_t size, uint32_t flags, uint16_t kind,
			    uint32_t latest);

/*
 * fph_inflight_load - read what save wrote
 *
 * f: holds nothing.  Writes only where an object that holds nothing does not
 * look, so it is unchanged.
 *
 * FPH_OK, FPH_ECORRUPT, FPH_EREFUSED (more than f can hold).
 * O(max_buffers + max_ranges).
 */
int fph_inflight_load(struct fph_inflight *f, struct fph_state_reader *r,
		      struct fph_inflight_loaded *l);

/* Take it up.  O(max_buffers + max_ranges). */
void fph_inflight_commit(struct fph_inflight *f,
			 const struct fph_inflight_loaded *l);

/* Every run that is out is over, as SKIPPED.  O(ranges in them). */
void fph_inflight_give_up(struct fph_inflight *f, uint32_t reason);

/* The number of buffers; r stands at the first one then. */
static inline uint32_t fph_inflight_open_buffers(struct fph_state_reader *r)
{
	uint32_t n;

	(void)fph_state_get64(r);
	n = fph_state_get32(r) + fph_state_get32(r);
	for (int i = 0; i < 3; i++)
		(void)fph_state_get32(r);
	return n;
}

/* The cookie of the next one. */
static inline uint64_t fph_inflight_read_cookie(struct fph_state_reader *r)
{
	uint64_t cookie;

	(void)fph_state_get32(r);
	cookie = fph_state_get64(r);
	(void)fph_state_get64(r);
	(void)fph_state_get16(r);
	return cookie;
}

#endif /* FPH_CORE_INFLIGHT_STATE_H */
