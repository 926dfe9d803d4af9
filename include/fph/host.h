/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Host side: reports and hint sessions.
 *
 *	add		buffers, popped from the queue
 *	next		runs of memory to act on
 *	complete	the action on those runs is over, well or badly
 *	take_used	buffers with nothing pending: return them
 *
 * Both merge the ranges of many buffers into runs, and give a buffer's cookie
 * back only when nothing that it asked for is pending.  They are different
 * types: a hint can never be treated as a report, nor a report as a hint.
 *
 * The caller's part:
 *
 *  - DRIVER_OK is not known here: add only what came after it, in a queue that
 *    was negotiated (FEAT-3);
 *  - guest memory is not known here: set FPH_BUFFER_REFUSE in a buffer of which
 *    any range is none (R7, BUF-8), as fph_memory_check does;
 *  - regions of it are not known either: a run may cross them, so whoever acts
 *    on a run cuts it there, and leaves alone a granule that is not whole in
 *    one (R6A, D8A), as fph_reclaim_discard and fph_migration_clear do.
 *
 * Any context.  Nothing here touches guest memory or a ring.  <fph/status.h>
 * has the rules for memory, parameters, batches and threads.
 */
#ifndef FPH_HOST_H
#define FPH_HOST_H

#include <fph/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- report -- */

struct fph_report;

struct fph_report_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t max_ranges;		/* in flight, all buffers; 0: 4096 */
	uint32_t max_buffers;		/* in flight; 0: 128 */
	uint32_t queue;			/* enum fph_queue, for fph_run.queue
					   alone; 0: FPH_QUEUE_INFLATE */
	uint64_t granule;		/* runs are aligned inwards to it (R6):
					   a power of two; 0: 4096 */
};

/*
 * Bytes are counted once: offered is the sum of freed, lazy, trimmed, skipped,
 * failed, overlap and what is still in flight; of refused buffers nothing is
 * counted but their number.
 */
struct fph_report_counters {
	uint64_t buffers;		/* taken by add, refused ones too */
	uint64_t returned;		/* given back by take_used */
	uint64_t refused;		/* bad, or with FPH_BUFFER_REFUSE */
	uint64_t peer_errors;		/* of them, those that add found bad */
	uint64_t poisoned;		/* left alone because of poison (R4) */
	uint64_t ranges;		/* in good buffers */
	uint64_t runs;			/* given out by next */
	uint64_t failed_runs;
	uint64_t bytes_offered;		/* in good buffers */
	uint64_t bytes_freed;
	uint64_t bytes_lazy;
	uint64_t bytes_trimmed;
	uint64_t bytes_skipped;		/* poison, FPH_SEG_SKIP, forgotten by
					   reset, DISCARDED but not freed */
	uint64_t bytes_failed;
	uint64_t bytes_overlap;		/* offered more than once in one run */
};

/* Upper bound of fph_report_size; by default FPH_REPORT_SIZE(4096, 128). */
#define FPH_REPORT_SIZE(max_ranges, max_buffers) \
	(1024u + 128u * (size_t)(max_ranges) + 64u * (size_t)(max_buffers))

/* Bytes of memory that init takes; 0: parameters that it refuses.  O(1). */
FPH_API size_t fph_report_size(const struct fph_report_params *params);

/*
 * fph_report_init - make a receiver of free page reports in mem
 *
 * No poison is in use until set_poison.
 *
 * FPH_OK (*r is set), FPH_EINVAL (a NULL, alignment, size, a parameter).
 * O(1).
 */
FPH_API int fph_report_init(struct fph_report **r, void *mem, size_t size,
			    const struct fph_report_params *params);

/*
 * fph_report_reset - the device was reset: forget every buffer
 *
 * After a reset the ring is the driver's again.  Waits for the discards in
 * flight (R5).  Counters stay; the poison predicate is cleared.  Bytes that are
 * forgotten count as skipped.
 *
 * FPH_OK, FPH_EBUSY (runs are out), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_report_reset(struct fph_report *r);

/*
 * fph_report_set_poison - what the driver negotiated
 *
 * negotiated: VIRTIO_BALLOON_F_PAGE_POISON.  With it and a nonzero poison_val
 * every later buffer is returned without a discard (R4).  Call it when the
 * driver sets DRIVER_OK.
 *
 * FPH_OK, FPH_EUNINIT.  O(1).
 */
FPH_API int fph_report_set_poison(struct fph_report *r, bool negotiated,
				  uint32_t poison_val);

/*
 * fph_report_add - take reports
 *
 * buffers, n, segs: as popped from the queue.  Each buffer is checked whole
 * before any of it counts.  One with a readable segment, with an empty range or
 * one that wraps, with FPH_BUFFER_REFUSE, or with more segments than
 * max_ranges, is taken all the same, only to be returned: take_used gives it
 * back as FPH_OUTCOME_REFUSED.  These come back as FPH_OUTCOME_SKIPPED without
 * a run: a buffer without segments (FPH_SKIP_EMPTY), one while poison is in use
 * (FPH_SKIP_POISON).  A segment with FPH_SEG_SKIP is left alone, and its buffer
 * is SKIPPED with FPH_SKIP_EMBEDDER unless something worse happens to it.
 *
 * Pop no more than there is room for (fph_report_get_room): a buffer that was
 * popped and not taken has to be kept by the caller.  One buffer may be as long
 * as the ring, so let max_ranges be at least that, and pop only while there is
 * room for that many segments: else complete and take_used first.
 *
 * The number taken; FPH_EFULL (no room for the first), FPH_EINVAL (n is 0),
 * FPH_EUNINIT.  O(segments): nothing is sorted.
 */
FPH_API int fph_report_add(struct fph_report *r,
			   const struct fph_buffer *buffers, uint32_t n,
			   const struct fph_seg *segs);

/*
 * fph_report_next - runs of memory to discard
 *
 * A run belongs to one or more buffers; none of them can be returned before it
 * is completed (R2).  The runs of one call ascend and are disjoint.  Fewer than
 * n does not say that nothing waits: call until it answers 0.
 *
 * The number of runs, 0 (nothing waits), FPH_EINVAL (n is 0), FPH_EUNINIT.
 * O(ranges in them); the first call after add also sorts m ranges, in O(m)
 * where their addresses fit 64 bits together with their number, else in
 * O(m log m).
 */
FPH_API int fph_report_next(struct fph_report *r, struct fph_run *runs,
			    uint32_t n);

/*
 * fph_report_complete - the discards of runs are over
 *
 * runs: as given by next, with outcome, freed and, with SKIPPED, reason set; of
 * the others only token is looked at.  A buffer whose discard failed or was
 * skipped is returned all the same: the device may lawfully do nothing.  Runs
 * may be completed in any order.
 *
 * Each freed byte counts for one buffer: from the front of the run, for the
 * range that covers it and begins first, or was added first.  A buffer whose
 * part of the run lies in what was cut off to reach the granule is TRIMMED.
 *
 * The number completed; FPH_EINVAL (the first is not out, or not any more; has
 * freed more than len, or an outcome that is none of DISCARDED, LAZY, TRIMMED,
 * SKIPPED and FAILED; n is 0), FPH_EUNINIT.  O(ranges in them).
 */
FPH_API int fph_report_complete(struct fph_report *r,
				const struct fph_run *runs, uint32_t n);

/*
 * fph_report_take_used - buffers to return as used
 *
 * used: the argument of fph_vq_device_push.  Buffers do not wait for each
 * other; len is 0.
 *
 * The number of buffers, 0 (none is ready), FPH_EINVAL (n is 0), FPH_EUNINIT.
 * O(n).
 */
FPH_API int fph_report_take_used(struct fph_report *r, struct fph_used *used,
				 uint32_t n);

/*
 * Room for add now: buffers, and segments in all of them.  0 and 0 if not
 * initialised.  O(1).
 */
FPH_API void fph_report_get_room(const struct fph_report *r,
				 uint32_t *buffers, uint32_t *segs);

/* Runs that are out; 0 if not initialised.  O(1). */
FPH_API uint32_t fph_report_get_outstanding(const struct fph_report *r);

/*
 * Copy the counters; size: sizeof the caller's struct.  FPH_OK, FPH_EINVAL,
 * FPH_EUNINIT.  O(1).
 */
FPH_API int fph_report_get_counters(const struct fph_report *r,
				    struct fph_report_counters *out,
				    size_t size);

/* The most bytes that save needs, as a constant. */
#define FPH_REPORT_STATE_SIZE(max_ranges, max_buffers) \
	(256u + 44u * (size_t)(max_ranges) + 22u * (size_t)(max_buffers))

/*
 * fph_report_save - write the state into buf
 *
 * buf, size: NULL and 0 only ask, by FPH_EFULL, for *needed: the bytes of the
 * state.
 *
 * FPH_OK, FPH_EFULL (size is less than *needed; what is in buf is no state),
 * FPH_EINVAL (needed is NULL), FPH_EUNINIT.  O(max_ranges + max_buffers).
 */
FPH_API int fph_report_save(const struct fph_report *r, void *buf, size_t size,
			    size_t *needed);

/*
 * fph_report_load - go on from a saved state
 *
 * buf, size: exactly what save wrote.  flags: 0 or FPH_LOAD_MOVED.  All that
 * comes out afterwards is what would have come out there; tokens may differ,
 * but for those of the runs that are out, which are completed here.
 *
 * Runs that next gives from then on are aligned to the granule of this object.
 *
 * FPH_OK; FPH_ECORRUPT, FPH_EVERSION; FPH_EREFUSED (of another kind of object
 * or queue, or more in flight than this object holds); FPH_EBUSY (this object
 * has buffers), FPH_EINVAL (buf is NULL, flags), FPH_EUNINIT.  Nothing has
 * changed then.  O(size + max_ranges + max_buffers).
 */
FPH_API int fph_report_load(struct fph_report *r, const void *buf, size_t size,
			    uint32_t flags);

/* ---------------------------------------------------------- hint session -- */

/*
 * IDLE		no round; config shows VIRTIO_BALLOON_CMD_ID_STOP
 * REQUESTED	an id is published, its START was not seen yet
 * ACTIVE	START was seen: hints count
 * STOPPING	the host ended the round while hints were outstanding
 * STOPPED	the driver ended the stream by itself; its id is not used again
 * DONE		the host needs no hints; config shows VIRTIO_BALLOON_CMD_ID_DONE
 *
 * STOPPING goes on to IDLE, or to DONE if done was called, when stop, done or
 * sync_begin is repeated with all runs completed.  What ends a round also
 * drops the hints that were not handed out: their buffers come back SKIPPED,
 * with FPH_SKIP_ROUND_OVER.  A driver's own STOP does not: the hints before it
 * were given under the id and are still handed out in STOPPED.
 *
 * Any call but next, complete and take_used may change what get_config answers,
 * add too.  When it is another value than the driver was shown last, show it
 * and raise a configuration change interrupt (CFG-7).
 */
struct fph_hint_session;

enum fph_hint_state {
	FPH_HINT_IDLE		= 1,
	FPH_HINT_REQUESTED	= 2,
	FPH_HINT_ACTIVE		= 3,
	FPH_HINT_STOPPING	= 4,
	FPH_HINT_STOPPED	= 5,
	FPH_HINT_DONE		= 6
};

struct fph_hint_session_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t max_ranges;		/* in flight, all buffers; 0: 4096 */
	uint32_t max_buffers;		/* in flight; 0: 2048 */
	uint32_t first_id;		/* first command id; 0: 2 */
	uint64_t granule;		/* runs are aligned inwards to it (D8):
					   the page of the dirty log or more;
					   0: 4096 */
};

struct fph_hint_counters {
	uint64_t rounds;		/* ids published */
	uint64_t starts;		/* STARTs that began a round */
	uint64_t stops;			/* streams ended by a command */
	uint64_t stale;			/* commands that changed nothing */
	uint64_t buffers;		/* taken by add, refused ones too */
	uint64_t returned;		/* given back by take_used */
	uint64_t refused;		/* bad, or with FPH_BUFFER_REFUSE */
	uint64_t peer_errors;		/* of them, those that add found bad */
	uint64_t hints;			/* ranges taken in an active round */
	uint64_t ignored;		/* ranges outside an active round */
	uint64_t dropped;		/* hints dropped as a round ended */
	uint64_t failed_runs;
	uint64_t bytes;			/* in hints */
	uint64_t bytes_cleared;		/* freed, as complete was told */
	uint64_t bytes_ignored;
	uint64_t bytes_dropped;
	uint64_t bytes_trimmed;		/* cut off to reach the granule */
	uint64_t bytes_overlap;		/* hinted more than once in one run */
};

/* As FPH_REPORT_SIZE; by default FPH_HINT_SESSION_SIZE(4096, 2048). */
#define FPH_HINT_SESSION_SIZE(max_ranges, max_buffers) \
	FPH_REPORT_SIZE(max_ranges, max_buffers)

/* Bytes of memory that init takes; 0: parameters that it refuses.  O(1). */
FPH_API size_t
fph_hint_session_size(const struct fph_hint_session_params *params);

/*
 * fph_hint_session_init - make a hint session in mem; state IDLE
 *
 * The byte order is FPH_LE until set_endian.
 *
 * FPH_OK (*s is set), FPH_EINVAL (a NULL, alignment, size, a parameter).
 * O(1).
 */
FPH_API int
fph_hint_session_init(struct fph_hint_session **s, void *mem, size_t size,
		      const struct fph_hint_session_params *params);

/*
 * fph_hint_session_reset - the device was reset; state IDLE
 *
 * Forgets every buffer.  The id counter goes on, so that an id is never
 * reissued (D5); only an exhausted one begins again, at
 * VIRTIO_BALLOON_CMD_ID_MIN.  A new dirty-log sync is needed (D1); one that is
 * going on is the host's own affair and goes on.  The byte order is FPH_LE
 * again.
 *
 * FPH_OK, FPH_EBUSY (runs are out), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_hint_session_reset(struct fph_hint_session *s);

/*
 * fph_hint_session_set_endian - byte order of command ids in buffers
 *
 * endian: FPH_LE with VIRTIO_F_VERSION_1, the guest's own without it.
 *
 * FPH_OK, FPH_EINVAL, FPH_ESTATE (REQUESTED or ACTIVE: stop first),
 * FPH_EUNINIT.  O(1).
 */
FPH_API int fph_hint_session_set_endian(struct fph_hint_session *s,
					int endian);

/*
 * fph_hint_session_restore - go on where a saved or migrated session was
 *
 * last_id: what get_id answered there; 0: none was published, and the ids
 * begin as after init.  Allowed in IDLE and DONE, right after init or reset.
 * No dirty log survives a move, so no round does: the state is DONE, the ids go
 * on after last_id, and the old stream is ignored until its STOP.
 *
 * FPH_OK, FPH_EINVAL (last_id is 1), FPH_ESTATE, FPH_EUNINIT.  O(1).
 */
FPH_API int fph_hint_session_restore(struct fph_hint_session *s,
				     uint32_t last_id);

/*
 * fph_hint_session_sync_begin - a dirty-log sync is about to begin
 *
 * A barrier: ends the round as stop does (D2, D3).  The round is over from the
 * first call on.
 *
 * FPH_OK, FPH_EINPROGRESS (complete what is out), FPH_ESTATE (already between
 * begin and end), FPH_EUNINIT.  O(hints that wait).
 */
FPH_API int fph_hint_session_sync_begin(struct fph_hint_session *s);

/*
 * fph_hint_session_sync_end - all pages were synced
 *
 * The log must be armed again before this call (D6): what is written from now
 * on is recorded.  With KVM that is KVM_CLEAR_DIRTY_LOG over all memory, or,
 * without manual protection, KVM_GET_DIRTY_LOG.
 *
 * FPH_OK, FPH_ESTATE (no sync_begin), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_hint_session_sync_end(struct fph_hint_session *s);

/*
 * fph_hint_session_request - publish a new command id; state REQUESTED
 *
 * Allowed in IDLE, STOPPED and DONE, after at least one dirty-log sync since
 * init or reset and outside of one (D1).  *id: the value for the config field.
 *
 * FPH_OK; FPH_PEER_BROKEN (until reset), FPH_ESTATE, FPH_EBUSY (hints of the
 * last round are out or wait: next and complete them, or stop),
 * FPH_EEXHAUSTED, FPH_EUNINIT.  O(1).
 */
FPH_API int fph_hint_session_request(struct fph_hint_session *s, uint32_t *id);

/*
 * fph_hint_session_stop - end the round; state IDLE, or STOPPING until drained
 *
 * A barrier (D3): no hint counts from the call on, and FPH_OK means that none
 * is outstanding.  DONE stays DONE, and STOPPING on its way to DONE goes there.
 *
 * FPH_OK, FPH_EINPROGRESS (complete what is out), FPH_EUNINIT.  O(hints that
 * wait).
 */
FPH_API int fph_hint_session_stop(struct fph_hint_session *s);

/*
 * fph_hint_session_done - the host needs no hints; state DONE (D9)
 *
 * The driver may take its pages back.  Ends a round as stop does.  Allowed in
 * every state, after a peer error as well.
 *
 * As stop.
 */
FPH_API int fph_hint_session_done(struct fph_hint_session *s);

/*
 * fph_hint_session_add - take buffers of the hinting queue
 *
 * buffers, n, segs: as popped; command: the first 4 bytes of the readable
 * segments, copied from guest memory.  Each writable segment is a hint.
 *
 * A buffer may carry a command, hints, or both, the command first.  Every
 * state takes buffers and every buffer comes back (D10); hints count only in
 * an active round (D4B), which begins only from REQUESTED by a START with
 * exactly the published id (D4A, D4C) and ends by any command at all, the
 * same id again included (counted in stops); every other command changes
 * nothing (counted in stale).  A buffer without hints comes back as COMMAND if
 * it began or ended a round, else SKIPPED with FPH_SKIP_STALE, as do hints
 * outside of a round.  FPH_SEG_SKIP: as fph_report_add; counted in ignored.
 *
 * A buffer that is bad in any part is refused whole: its readable segments are
 * neither 0 nor 4 bytes, a range is empty or wraps, there are more than
 * max_ranges.  It comes back REFUSED, and the session is broken: the round is
 * over as by stop, get_error says why, and only reset allows another.  Later
 * buffers are taken and returned as ever.  FPH_BUFFER_REFUSE returns a buffer
 * without breaking the session; its command is not looked at.
 *
 * The number taken; FPH_EFULL (no room for the first), FPH_EINVAL (n is 0),
 * FPH_EUNINIT.  O(segments); with a bad buffer O(hints that wait) more.
 */
FPH_API int fph_hint_session_add(struct fph_hint_session *s,
				 const struct fph_buffer *buffers, uint32_t n,
				 const struct fph_seg *segs);

/*
 * fph_hint_session_next - runs of pages that need not be sent
 *
 * Clear them from the migration bitmap, never from the dirty log (D6), and
 * never touch the memory itself (D7): see <fph-vmm/migration.h>.
 *
 * As fph_report_next.
 */
FPH_API int fph_hint_session_next(struct fph_hint_session *s,
				  struct fph_run *runs, uint32_t n);

/*
 * fph_hint_session_complete - it was seen to that the pages are not sent
 *
 * freed: the bytes of the pages that need not be sent because of this, at most
 * len.  The outcomes are CLEARED, TRIMMED, SKIPPED and FAILED.
 *
 * As fph_report_complete.
 */
FPH_API int fph_hint_session_complete(struct fph_hint_session *s,
				      const struct fph_run *runs, uint32_t n);

/* As fph_report_take_used. */
FPH_API int fph_hint_session_take_used(struct fph_hint_session *s,
				       struct fph_used *used, uint32_t n);

/* As fph_report_get_room. */
FPH_API void fph_hint_session_get_room(const struct fph_hint_session *s,
				       uint32_t *buffers, uint32_t *segs);

/* The state, or FPH_EUNINIT.  O(1). */
FPH_API int fph_hint_session_get_state(const struct fph_hint_session *s);

/*
 * The value of free_page_hint_cmd_id: the id in REQUESTED and ACTIVE,
 * VIRTIO_BALLOON_CMD_ID_DONE in DONE, VIRTIO_BALLOON_CMD_ID_STOP otherwise.
 * O(1).
 */
FPH_API uint32_t fph_hint_session_get_config(const struct fph_hint_session *s);

/* The last id that was published, 0 if none was: for restore.  O(1). */
FPH_API uint32_t fph_hint_session_get_id(const struct fph_hint_session *s);

/*
 * What broke it first: FPH_OK (nothing did), FPH_PEER_CMD_LEN,
 * FPH_PEER_DIRECTION, FPH_PEER_RANGE, FPH_PEER_LONG_CHAIN (more than
 * max_ranges); FPH_EUNINIT.  O(1).
 */
FPH_API int fph_hint_session_get_error(const struct fph_hint_session *s);

/* Runs that are out; 0 if not initialised.  O(1). */
FPH_API uint32_t
fph_hint_session_get_outstanding(const struct fph_hint_session *s);

/* As fph_report_get_counters. */
FPH_API int fph_hint_session_get_counters(const struct fph_hint_session *s,
					  struct fph_hint_counters *out,
					  size_t size);

#define FPH_HINT_SESSION_STATE_SIZE(max_ranges, max_buffers) \
	FPH_REPORT_STATE_SIZE(max_ranges, max_buffers)

/* As fph_report_save. */
FPH_API int fph_hint_session_save(const struct fph_hint_session *s, void *buf,
				  size_t size, size_t *needed);

/*
 * fph_hint_session_load - go on from a saved state
 *
 * As fph_report_load.  With FPH_LOAD_MOVED what was out or waits is SKIPPED
 * with FPH_SKIP_ROUND_OVER, and the state is DONE: raise a configuration change
 * interrupt (L5).  The ids go on, and another round needs a dirty-log sync of
 * this host first (D1).
 */
FPH_API int fph_hint_session_load(struct fph_hint_session *s, const void *buf,
				  size_t size, uint32_t flags);

#ifdef __cplusplus
}
#endif

#endif /* FPH_HOST_H */
