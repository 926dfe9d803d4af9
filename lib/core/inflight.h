/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Buffers in flight over a coalescer: what report and hint session share.
 *
 * A buffer is in one place at a time:
 *
 *	free ---> pending ---> ready ---> free
 *
 * Its index is the owner of its ranges, and pending counts those of which it
 * is not known what became: their run is not completed, and they were not
 * dropped.  Not installed.
 */
#ifndef FPH_CORE_INFLIGHT_H
#define FPH_CORE_INFLIGHT_H

#include "coalescer.h"

struct fph_inflight_buffer {
	uint64_t cookie;
	uint64_t freed;			/* bytes */
	uint32_t pending;		/* ranges */
	uint32_t link;			/* the next one that is free or ready */
	uint8_t outcome;		/* the worst so far */
	uint8_t reason;
	uint16_t reserved[3];
};

struct fph_inflight {
	struct fph_coalescer ranges;
	struct fph_inflight_buffer *buffers;
	uint32_t max_buffers;
	uint32_t nbuffers;		/* buffers[] that were ever used */
	uint32_t nheld;			/* pending or ready */
	uint32_t free_head;
	uint32_t ready_head;
	uint32_t ready_tail;
	uint32_t noutstanding;		/* runs */
	uint32_t outcomes;		/* allowed for runs: 1 << outcome */
	uint64_t skipped;		/* segments with FPH_SEG_SKIP */
	uint64_t skipped_bytes;		/* in them */
	uint64_t returned;		/* buffers, of all times */
	uint64_t runs;			/* handed out */
	uint64_t freed;			/* bytes */
	/* Runs that were completed, by their outcome. */
	struct fph_inflight_done {
		uint64_t runs;
		uint64_t left;		/* bytes that were not freed */
	} done[FPH_OUTCOME_REFUSED];
};

/* What an object with buffers in flight is made by. */
struct fph_inflight_config {
	size_t head;			/* bytes of the object */
	uint32_t max_ranges;		/* 0: 4096 */
	uint32_t max_buffers;
	uint32_t queue;			/* enum fph_queue */
	uint32_t outcomes;		/* that complete allows, a sum of
					   1 << enum fph_outcome */
	uint64_t granule;		/* 0: 4096 */
};

/*
 * Fills in what has a default.  Bytes of the object and of the arrays behind
 * it; 0: a number is out of its range.  O(1).
 */
size_t fph_inflight_size(struct fph_inflight_config *c);

/* mem: of the object, with so many bytes.  c: as size left it.  O(1). */
void fph_inflight_init(struct fph_inflight *f, void *mem,
		       const struct fph_inflight_config *c);

/* Forget every range and buffer.  No run may be out.  O(1). */
void fph_inflight_reset(struct fph_inflight *f);

static inline uint32_t fph_inflight_get_room(const struct fph_inflight *f)
{
	return f->max_buffers - f->nheld;
}

/* The segments after those of a buffer; a NULL without any stays one. */
static inline const struct fph_seg *fph_next_segs(const struct fph_seg *segs,
						  const struct fph_buffer *b)
{
	size_t n = (size_t)b->nread + b->nwrite;

	return n ? segs + n : segs;
}

/*
 * fph_inflight_check - whether segments are ranges that can be taken
 *
 * Each has FPH_SEG_WRITE, is not empty, and does not wrap.
 *
 * *bytes: in all of them.  FPH_OK, FPH_PEER_DIRECTION, FPH_PEER_RANGE.  O(n).
 */
int fph_inflight_check(const struct fph_seg *segs, uint32_t n,
		       uint64_t *bytes);

/*
 * fph_inflight_add - take a buffer with its ranges
 *
 * There must be room for the buffer.  One whose segments all have
 * FPH_SEG_SKIP, or that has none, is ready at once as FPH_OUTCOME_SKIPPED.
 *
 * FPH_OK, FPH_EFULL (no room for n ranges), FPH_PEER_DIRECTION,
 * FPH_PEER_RANGE; nothing was taken then.  O(n).
 */
int fph_inflight_add(struct fph_inflight *f, uint64_t cookie,
		     const struct fph_seg *segs, uint32_t n);

/* Take a buffer that is ready at once.  There must be room.  O(1). */
void fph_inflight_add_ready(struct fph_inflight *f, uint64_t cookie,
			    uint32_t outcome, uint32_t reason);

/*
 * fph_inflight_drop - take back what was not handed out, as skipped
 *
 * Adds the number of ranges and their bytes to *ranges and *bytes.  O(ranges).
 */
void fph_inflight_drop(struct fph_inflight *f, uint32_t reason,
		       uint64_t *ranges, uint64_t *bytes);

/* As fph_report_next, fph_report_complete and fph_report_take_used. */
int fph_inflight_next(struct fph_inflight *f, struct fph_run *runs,
		      uint32_t n);
int fph_inflight_complete(struct fph_inflight *f, const struct fph_run *runs,
			  uint32_t n);
int fph_inflight_take_used(struct fph_inflight *f, struct fph_used *used,
			   uint32_t n);

#endif /* FPH_CORE_INFLIGHT_H */
