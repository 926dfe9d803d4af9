/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The whole virtio-balloon device, without a transport.
 *
 * A VMM forwards features, config accesses, ring set-up and kicks to it, and
 * pulls out of it what is to be done: discards, pages that a migration may
 * skip, interrupts.  There are no callbacks.
 *
 *	kick -> process -> next ... complete -> flush -> get_notify
 *
 * process pops buffers into the core; next gives a run to discard; complete
 * says that the discard is over, at any later time; flush returns the buffers
 * that have nothing pending.  A buffer is never returned before its discards
 * are over (R2), and rings and memory cannot change under a discard: ring_stop
 * and reset answer FPH_EBUSY until it is complete (R5).
 *
 * Hosted.  One lock of the embedder protects an object.  Memory is allocated
 * by new only.
 */
#ifndef FPH_VMM_BALLOON_H
#define FPH_VMM_BALLOON_H

#include <fph/host.h>
#include <fph/vring.h>
#include <fph/wire.h>
#include <fph-vmm/memory.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FPH_BALLOON_QUEUE_SIZE	1024u	/* largest ring that is taken */
#define FPH_BALLOON_NSTATS	32u	/* statistics that are kept */
#define FPH_BALLOON_MAX_PFNS	32768u	/* in one inflate or deflate buffer */

struct fph_balloon;

struct fph_balloon_params {
	size_t size;			/* sizeof this struct */
	struct fph_memory *memory;	/* outlives the balloon */
	uint64_t features;		/* balloon bits, INDIRECT, EVENT_IDX */
	uint64_t granule;		/* of runs, bytes; 0: 4096 */
	uint32_t num_pages;		/* first target, 4096-byte units */
	int numbering;			/* enum fph_numbering; 0: inferred */
	uint32_t first_id;		/* first command id; 0: 2 */
};

/*
 * fph_balloon_new - make a device
 *
 * The device offers VERSION_1 as well, and never ACCESS_PLATFORM.  Without
 * VERSION_1 negotiated, rings and buffers are in the byte order of this host.
 * *status: FPH_OK, FPH_EINVAL (size, memory, a granule that is no power of two
 * or less than 4096, unknown features, numbering, first_id), FPH_ENOMEM; may
 * be NULL.
 */
FPH_API struct fph_balloon *
fph_balloon_new(const struct fph_balloon_params *params, int *status);

/* Free it; NULL is fine.  No discard may be in flight. */
FPH_API void fph_balloon_free(struct fph_balloon *b);

/*
 * fph_balloon_reset - device reset
 *
 * Stops all rings, forgets their buffers, features, actual and poison_val,
 * and is not broken afterwards.  The target, counters and command ids go on.
 *
 * FPH_OK, FPH_EBUSY (complete what next and hint_next gave out, then again;
 * from the first call on no buffer is popped or returned and nothing new is
 * given out).
 */
FPH_API int fph_balloon_reset(struct fph_balloon *b);

/* ---------------------------------------------- features, config, rings -- */

/* The features that the device offers. */
FPH_API uint64_t fph_balloon_get_features(const struct fph_balloon *b);

/*
 * fph_balloon_set_features - the driver's choice; may be repeated
 *
 * Without PAGE_POISON poison_val is 0 again.  A hint round that is going on
 * stays, unless FREE_PAGE_HINT is gone or the byte order is another.
 *
 * FPH_OK, FPH_EINVAL (a bit that was not offered), FPH_ESTATE (a ring runs).
 */
FPH_API int fph_balloon_set_features(struct fph_balloon *b,
				     uint64_t negotiated);

/* Bytes of config space, by the offered features. */
FPH_API uint32_t fph_balloon_get_config_size(const struct fph_balloon *b);

/*
 * fph_balloon_get_config - read config space
 *
 * What lies beyond its end reads as 0.
 */
FPH_API void fph_balloon_get_config(const struct fph_balloon *b,
				    uint32_t offset, void *buf, uint32_t len);

/*
 * fph_balloon_set_config - the driver writes config space
 *
 * Only actual, and poison_val with PAGE_POISON negotiated, take a new value;
 * bytes of other fields are ignored, as is what lies beyond the end.  A write
 * of a part of a field keeps its other bytes.
 */
FPH_API void fph_balloon_set_config(struct fph_balloon *b, uint32_t offset,
				    const void *buf, uint32_t len);

struct fph_balloon_ring {
	uint16_t num;			/* up to FPH_BALLOON_QUEUE_SIZE */
	uint16_t base;			/* where to go on */
	const void *desc;		/* host addresses of the three parts */
	void *avail;
	void *used;
};

/*
 * fph_balloon_ring_start - take up the ring with this index
 *
 * Its queue follows from the numbering; with an inferred one, from the set of
 * rings that were started since none ran.  A ring that is no queue can be
 * started all the same.  It starts disabled.
 *
 * FPH_OK, FPH_EINVAL (index is not below FPH_NQUEUES, num, alignment),
 * FPH_ESTATE (it runs already).
 */
FPH_API int fph_balloon_ring_start(struct fph_balloon *b, uint32_t index,
				   const struct fph_balloon_ring *ring);

/*
 * fph_balloon_ring_enable - whether buffers are taken from it
 *
 * Enabling makes it ready (get_ready), for it may hold buffers already.
 *
 * FPH_OK, FPH_EINVAL (index), FPH_ESTATE (it does not run).
 */
FPH_API int fph_balloon_ring_enable(struct fph_balloon *b, uint32_t index,
				    bool on);

/*
 * fph_balloon_ring_stop - let go of a ring
 *
 * No buffer is popped from the call on; those in flight are returned first.
 * A statistics buffer that the device holds is left to be popped again.
 * *base: where a later start goes on.  An interrupt for what was returned is
 * still told by get_notify.
 *
 * FPH_OK; FPH_EBUSY (complete and flush, then again); FPH_EINVAL (index);
 * FPH_ESTATE (it does not run).
 */
FPH_API int fph_balloon_ring_stop(struct fph_balloon *b, uint32_t index,
				  uint16_t *base);

/*
 * fph_balloon_get_queue - which queue a ring index is
 *
 * *candidates: how many different answers there are by the numberings that
 * fit the rings; may be NULL.  1: certain.  2 or more: not all rings were
 * started yet, and the index is no queue until it is certain, for a hint must
 * never be taken for a report.  0: none fits, and the index is taken as dense
 * by negotiated features.
 *
 * enum fph_queue; FPH_ENOENT (no queue, not negotiated, or not certain yet).
 */
FPH_API int fph_balloon_get_queue(const struct fph_balloon *b, uint32_t index,
				  int *candidates);

/* -------------------------------------------------------------- the data -- */

/*
 * fph_balloon_process - take buffers from a ring
 *
 * budget: at the most so many; not 0.
 *
 * The number taken.  Less than budget, also 0, when there are no more: then
 * the ring asks for notifications; or when there is no room, or the device is
 * frozen, or the ring is being stopped: then get_ready tells when to go on.
 *
 * A buffer that is bad is refused: it counts as taken, nothing of it is done,
 * and it is returned.  A bad ring, or a command of another size than 4 bytes,
 * breaks the device: what was taken, in this call too, is still completed and
 * returned, and a hint round ends as by hint_stop.
 *
 * FPH_EINVAL (index, budget); FPH_ESTATE (not running, not enabled, or no
 * queue: see get_queue); FPH_PEER_* (the device is broken now:
 * FPH_EVENT_BROKEN); FPH_PEER_BROKEN (it was before).
 */
FPH_API int fph_balloon_process(struct fph_balloon *b, uint32_t index,
				uint32_t budget);

/*
 * Bit n: call process for ring n without waiting for a kick.  It was enabled,
 * or process left it for want of budget or room, or while frozen, and could
 * go on now.
 */
FPH_API uint32_t fph_balloon_get_ready(const struct fph_balloon *b);

/* A run to discard, and for which queue. */
struct fph_discard {
	int queue;			/* FPH_QUEUE_INFLATE, _REPORT */
	struct fph_run run;
};

/* 1 (*d is set), 0 (none is waiting, or the device is frozen or resetting). */
FPH_API int fph_balloon_next(struct fph_balloon *b, struct fph_discard *d);

/* As fph_report_complete; in every condition of the device. */
FPH_API int fph_balloon_complete(struct fph_balloon *b,
				 const struct fph_discard *d, bool ok);

/*
 * Return every buffer that has nothing pending; their number.  Deflate buffers
 * are not among them: process returns those at once.
 */
FPH_API uint32_t fph_balloon_flush(struct fph_balloon *b);

/* Discards and skips given out and not completed. */
FPH_API uint32_t fph_balloon_get_outstanding(const struct fph_balloon *b);

/* Bit n: raise the interrupt of ring n now.  Cleared by the call. */
FPH_API uint32_t fph_balloon_get_notify(struct fph_balloon *b);

#define FPH_EVENT_CONFIG	1u	/* raise a config change interrupt */
#define FPH_EVENT_STATS		2u	/* new statistics came */
#define FPH_EVENT_HINT		4u	/* the hint state changed */
#define FPH_EVENT_ACTUAL	8u	/* the driver wrote actual */
#define FPH_EVENT_BROKEN	16u	/* broken by the driver: needs reset */

/* FPH_EVENT_* since the last call; cleared by it. */
FPH_API uint32_t fph_balloon_get_events(struct fph_balloon *b);

/*
 * fph_balloon_freeze - hold discards and acknowledgements
 *
 * Until thaw, process takes nothing, next and hint_next give nothing and flush
 * returns nothing.  FPH_OK says that the device is quiet: nothing it was asked
 * to do is still going on.  Nests with thaw.
 *
 * FPH_OK, FPH_EBUSY (frozen, but discards are still out: complete them, then
 * ask get_outstanding).
 */
FPH_API int fph_balloon_freeze(struct fph_balloon *b);

/* FPH_OK, FPH_ESTATE (not frozen). */
FPH_API int fph_balloon_thaw(struct fph_balloon *b);

/* ----------------------------------------------- balloon and statistics -- */

/* The target size, 4096-byte units; raises FPH_EVENT_CONFIG on a change. */
FPH_API void fph_balloon_set_target(struct fph_balloon *b, uint32_t num_pages);
FPH_API uint32_t fph_balloon_get_target(const struct fph_balloon *b);

/* What the driver wrote to actual, 4096-byte units. */
FPH_API uint32_t fph_balloon_get_actual(const struct fph_balloon *b);

/*
 * fph_balloon_stats_request - ask the driver for fresh statistics
 *
 * Returns the buffer that the device holds, also a bad one; FPH_EVENT_STATS
 * tells of the new one.
 *
 * FPH_OK, FPH_EBUSY (asked already, or frozen), FPH_ESTATE (no buffer was
 * offered yet, no STATS_VQ, its ring is disabled, broken).
 */
FPH_API int fph_balloon_stats_request(struct fph_balloon *b);

/*
 * The newest statistics, as the driver ordered them, a repeated tag too: the
 * number copied, at the most n.
 */
FPH_API uint32_t fph_balloon_get_stats(const struct fph_balloon *b,
				       struct fph_stat *stats, uint32_t n);

/* ----------------------------------------------------------------- hints -- */

/*
 * The calls of fph_hint_session on this device.  request answers FPH_ESTATE
 * also when FREE_PAGE_HINT was not negotiated, and FPH_PEER_BROKEN on a broken
 * device; next answers 0 while frozen or resetting.  FPH_EVENT_CONFIG tells
 * that the value of free_page_hint_cmd_id changed, by a call or by the driver.
 *
 * DONE is the embedder's duty on every way out of a migration (D9).
 */
FPH_API int fph_balloon_hint_request(struct fph_balloon *b, uint32_t *id);
FPH_API int fph_balloon_hint_stop(struct fph_balloon *b);
FPH_API int fph_balloon_hint_done(struct fph_balloon *b);
FPH_API int fph_balloon_hint_sync_begin(struct fph_balloon *b);
FPH_API int fph_balloon_hint_sync_end(struct fph_balloon *b);
FPH_API int fph_balloon_hint_next(struct fph_balloon *b, struct fph_run *run);
FPH_API int fph_balloon_hint_complete(struct fph_balloon *b,
				      const struct fph_run *run, bool ok);
FPH_API int fph_balloon_hint_get_state(const struct fph_balloon *b);
FPH_API uint32_t fph_balloon_hint_get_config(const struct fph_balloon *b);

/* -------------------------------------------------------------- counters -- */

struct fph_balloon_queue_counters {
	uint64_t popped;
	uint64_t pushed;
	uint64_t unmapped;		/* buffers refused: not guest memory */
	uint64_t peer_errors;
};

struct fph_balloon_counters {
	struct fph_report_counters report;
	struct fph_report_counters inflate;
	struct fph_hint_counters hint;
	uint64_t deflated;			/* page frames given back */
	uint64_t stats;				/* statistics buffers read */
	struct fph_balloon_queue_counters queue[FPH_NQUEUES];
	int last_error;				/* FPH_PEER_* that broke it */
};

FPH_API void fph_balloon_get_counters(const struct fph_balloon *b,
				      struct fph_balloon_counters *out);

/* Whether the driver broke the device; only reset mends it. */
FPH_API bool fph_balloon_is_broken(const struct fph_balloon *b);

#ifdef __cplusplus
}
#endif

#endif /* FPH_VMM_BALLOON_H */
