/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The whole virtio-balloon device, without a transport.
 *
 * A VMM forwards features, config accesses, ring set-up and kicks to it, and
 * pulls out of it what is to be done: discards, pages that a migration may
 * skip, interrupts.  There are no callbacks.
 *
 *	what the driver does		what the VMM calls
 *	device status 0			reset, until FPH_OK
 *	FEATURES_OK			set_features
 *	reads and writes config space	get_config, set_config
 *	enables a queue			ring_start
 *	DRIVER_OK			ring_enable of each ring, not before
 *					(FEAT-3); if hint_get_config is not 0 a
 *					config change interrupt (CFG-9)
 *	notifies a queue		kick, and what follows
 *	resets one queue		ring_stop, until FPH_OK; of the hinting
 *					queue hint_stop first
 *	suspends the device		hint_stop, then freeze, until FPH_OK;
 *					at the resume thaw (SUS-1 to SUS-4)
 *
 * To change the map of guest memory freeze, until FPH_OK, and thaw afterwards
 * (R5).
 *
 * The short way from a kick is one call:
 *
 *	kick -> pump -> take_notify, take_events
 *
 * and the same in steps, for a VMM that discards in a thread of its own:
 *
 *	kick -> process -> next ... complete -> flush -> take_notify
 *
 * process pops buffers; next gives runs to discard; complete says that they are
 * over, at any later time; flush returns the buffers that have nothing pending.
 * A buffer is never returned before its discards are over (R2), and rings and
 * memory cannot change under a discard: ring_stop and reset answer
 * FPH_EINPROGRESS until it is complete (R5).
 *
 * Hints go another way in both, hint_next ... hint_complete -> flush, after
 * process or pump: call hint_next until it answers 0.  Then begin again if
 * get_ready is not 0, because a queue may have waited for the room.
 *
 * A worker thread: under the VMM's lock call next, drop the lock, discard, take
 * the lock, call complete and flush.  examples/vmm_worker.c does it.
 *
 * Hosted.  One lock of the VMM protects an object; memory is allocated by new
 * only.  A NULL balloon answers FPH_EUNINIT, 0 or false.  <fph/status.h> has
 * the rules for parameters, batches and threads.
 */
#ifndef FPH_VMM_BALLOON_H
#define FPH_VMM_BALLOON_H

#include <fph/host.h>
#include <fph/vring.h>
#include <fph/wire.h>
#include <fph-vmm/memory.h>
#include <fph-vmm/reclaim.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FPH_BALLOON_NSTATS	32u	/* statistics that are kept */
#define FPH_BALLOON_MAX_PFNS	32768u	/* in one inflate or deflate buffer */

struct fph_balloon;

/* fph_balloon_params.flags */
/* Deflate runs go through next and complete, to be pinned again; no pump. */
#define FPH_BALLOON_HOLD_DEFLATE	1u
/* Of a partly bad report or inflate buffer the good part is done. */
#define FPH_BALLOON_KEEP_GOOD_PART	2u

struct fph_balloon_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t flags;			/* FPH_BALLOON_* */
	const struct fph_memory *memory;	/* outlives the balloon */
	uint64_t features;		/* to offer: of FPH_BALLOON_FEATURES,
					   FPH_VRING_FEATURES, VERSION_1 */
	uint64_t report_granule;	/* of discards, bytes: the page of the
					   host; 0: 4096 */
	uint64_t inflate_granule;	/* above 4096, pages are collected
					   until a granule is whole; only with
					   MUST_TELL_HOST, or they might be in
					   use again; 0: 4096 */
	uint64_t hint_granule;		/* the page of the dirty log; 0: 4096 */
	uint64_t max_collected;		/* bytes of guest memory that are
					   watched for that; 0: 1 TiB */
	uint32_t num_pages;		/* first target, 4096-byte units */
	uint32_t numbering;		/* enum fph_numbering; 0: inferred */
	uint32_t first_id;		/* first command id; 0: 2 */
	uint32_t max_queue_size;	/* largest ring that is taken; 0: 1024,
					   at most 32768 */
};

/*
 * fph_balloon_new - make a device
 *
 * The device offers VERSION_1 whether it is set or not.  Bits of the transport
 * (RING_RESET, ...) are the VMM's own: it offers them beside these, and takes
 * them out of what it gives to set_features.  ACCESS_PLATFORM must not be
 * offered, because addresses are not translated (FEAT-4).
 *
 * *status: FPH_OK, FPH_EINVAL (size, memory, flags, a granule that is no power
 * of two or less than 4096, unknown features, numbering, first_id,
 * max_queue_size), FPH_ENOMEM; may be NULL.  NULL on failure.  Memory is
 * touched as it is needed.
 */
FPH_API struct fph_balloon *
fph_balloon_new(const struct fph_balloon_params *params, int *status);

/* Free it; NULL is fine.  Runs may be out if nobody works on them. */
FPH_API void fph_balloon_free(struct fph_balloon *b);

/*
 * fph_balloon_reset - device reset
 *
 * Stops all rings, forgets their buffers, features, actual, poison_val and
 * collected pages, and is not broken afterwards.  The target, counters and
 * command ids go on.
 *
 * FPH_OK, FPH_EINPROGRESS (complete what next and hint_next gave out; from the
 * first call on no buffer is popped or returned and nothing new is given out;
 * what pump has in hand is given up),
 * FPH_EUNINIT.  O(collected).
 */
FPH_API int fph_balloon_reset(struct fph_balloon *b);

/* ---------------------------------------------- features, config, rings -- */

/* The features that the device offers; those that were negotiated.  O(1). */
FPH_API uint64_t fph_balloon_get_features(const struct fph_balloon *b);
FPH_API uint64_t fph_balloon_get_negotiated(const struct fph_balloon *b);

/*
 * fph_balloon_set_features - the driver's choice; may be repeated
 *
 * Without PAGE_POISON poison_val is 0 again.  A hint round that is going on
 * stays, unless FREE_PAGE_HINT is gone or the byte order is another.
 *
 * FPH_OK, FPH_EINVAL (a bit that was not offered), FPH_ESTATE (a ring runs),
 * FPH_EUNINIT.  O(1).
 */
FPH_API int fph_balloon_set_features(struct fph_balloon *b,
				     uint64_t negotiated);

/*
 * fph_balloon_set_endian - the byte order of a legacy guest
 *
 * endian: enum fph_endian, of rings and buffers without VERSION_1; that of this
 * host from new on.  With VERSION_1 it is FPH_LE whatever was set.
 *
 * FPH_OK, FPH_EINVAL, FPH_ESTATE (a ring runs), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_balloon_set_endian(struct fph_balloon *b, int endian);

/*
 * fph_balloon_set_inflate_granule - inflate_granule, of other memory
 *
 * For a device that knows its memory only later, or whose memory changes.
 * granule: 0 is 4096.  Collected pages are forgotten, also when it is the same.
 *
 * FPH_OK, FPH_EINVAL (no power of two, less than 4096 or than that of new),
 * FPH_ESTATE (a ring runs), FPH_ENOMEM (nothing has changed), FPH_EUNINIT.
 * O(collected).
 */
FPH_API int fph_balloon_set_inflate_granule(struct fph_balloon *b,
					    uint64_t granule);

/* Bytes of config space, by the offered features.  O(1). */
FPH_API uint32_t fph_balloon_get_config_size(const struct fph_balloon *b);

/*
 * fph_balloon_get_config - read config space
 *
 * What lies beyond its end reads as 0.  O(len).
 */
FPH_API void fph_balloon_get_config(const struct fph_balloon *b,
				    uint32_t offset, void *buf, uint32_t len);

/*
 * fph_balloon_set_config - the driver writes config space
 *
 * Only actual, and poison_val with PAGE_POISON negotiated, take a new value;
 * bytes of other fields are ignored, as is what lies beyond the end.  A write
 * of a part of a field keeps its other bytes.  O(len).
 */
FPH_API void fph_balloon_set_config(struct fph_balloon *b, uint32_t offset,
				    const void *buf, uint32_t len);

struct fph_balloon_ring {
	uint32_t size;			/* sizeof this struct */
	uint32_t num;			/* entries, up to max_queue_size */
	void *desc;			/* host addresses of the three areas */
	void *driver;
	void *device;
	void *inflight;			/* as in fph_vq_device_params */
	uint32_t base;			/* where to go on, as ring_stop said;
					   FPH_VRING_NEW_BASE */
	uint32_t reserved;
};

/*
 * fph_balloon_ring_start - take up the ring with this index
 *
 * Its queue follows from the numbering; with an inferred one, from the set of
 * rings that were started since none ran.  A ring that is no queue can be
 * started all the same.  It starts disabled.  After a start with an inflight
 * record call take_notify.  A transport has FPH_NQUEUES virtqueues, whatever is
 * offered.
 *
 * FPH_OK, FPH_EINVAL (index is not below FPH_NQUEUES, size, num, alignment,
 * inflight), FPH_ESTATE (it runs already), FPH_EUNINIT.  O(num).
 */
FPH_API int fph_balloon_ring_start(struct fph_balloon *b, uint32_t index,
				   const struct fph_balloon_ring *ring);

/*
 * fph_balloon_ring_enable - whether buffers are taken from it
 *
 * Enabling records a kick, because it may hold buffers already.
 *
 * FPH_OK, FPH_EINVAL (index), FPH_ESTATE (it does not run), FPH_EUNINIT.
 * O(1).
 */
FPH_API int fph_balloon_ring_enable(struct fph_balloon *b, uint32_t index,
				    bool on);

/*
 * fph_balloon_ring_stop - let go of a ring
 *
 * No buffer is popped from the call on; those in flight are returned first, and
 * those that an earlier device left in the inflight record are taken for it,
 * enabled or not, as soon as its queue is certain.  A statistics buffer that
 * the device holds is left to be popped again.
 * *base: where a later start goes on.  An interrupt for what was returned is
 * still told by take_notify.
 *
 * FPH_OK; FPH_EINPROGRESS (complete and flush; a frozen device returns what is
 * complete all the same); FPH_EINVAL (index), FPH_ESTATE (it does not run),
 * FPH_EUNINIT.  O(1).
 */
FPH_API int fph_balloon_ring_stop(struct fph_balloon *b, uint32_t index,
				  uint32_t *base);

/*
 * fph_balloon_ring_get_base - the same base, of a ring that goes on running
 *
 * For a snapshot of a frozen device.
 *
 * FPH_OK, FPH_EBUSY (buffers are in flight, or wait in the inflight record:
 * freeze), FPH_EINVAL (index), FPH_ESTATE (it does not run), FPH_EUNINIT.
 * O(1).
 */
FPH_API int fph_balloon_ring_get_base(const struct fph_balloon *b,
				      uint32_t index, uint32_t *base);

/*
 * fph_balloon_ring_take_written - ring memory that the device wrote
 *
 * As fph_vq_device_take_written, for a VMM that must mark it dirty.
 *
 * The number of spans, 0, FPH_EINVAL (index), FPH_ESTATE, FPH_EUNINIT.  O(1).
 */
FPH_API int fph_balloon_ring_take_written(struct fph_balloon *b,
					  uint32_t index,
					  struct fph_span *spans);

/*
 * fph_balloon_get_queue - which queue a ring index is
 *
 * *candidates: how many different answers there are by the numberings that
 * fit the rings; may be NULL.  1: certain.  2 or more: not all rings were
 * started yet, and the index is no queue until it is certain, because a hint
 * must never be taken for a report.  0: none fits, and the index is taken as
 * dense by negotiated features.
 *
 * enum fph_queue; FPH_ENOENT (no queue, not negotiated, or not certain yet),
 * FPH_EUNINIT.  O(1).
 */
FPH_API int fph_balloon_get_queue(const struct fph_balloon *b, uint32_t index,
				  int *candidates);

/* -------------------------------------------------------------- the data -- */

/*
 * fph_balloon_kick - the driver has notified ring index
 *
 * Only records it, so it may come at any time: before the ring is enabled,
 * while the device is frozen.  FPH_OK, FPH_EINVAL (index), FPH_EUNINIT.
 * O(1).
 */
FPH_API int fph_balloon_kick(struct fph_balloon *b, uint32_t index);

/*
 * Bit n: call process for ring n.  It was kicked or enabled, or process left
 * it for want of budget or room, and could go on now.  Runs that wait for next
 * or hint_next do not show here.  O(1).
 */
FPH_API uint32_t fph_balloon_get_ready(const struct fph_balloon *b);

/*
 * fph_balloon_pump - do what there is to do, within a budget
 *
 * process every ready ring, discard, complete and flush, again and again.
 * budget: NULL for none.  Hints are only taken from their ring: hint_next and
 * hint_complete are the VMM's, and the next pump or flush returns the buffers.
 * Runs that it has in hand when the budget ends are out: where another call
 * answers FPH_EINPROGRESS because of them, pump completes them.
 *
 * 1 (the budget ended, there is more: call again), 0 (nothing left to do);
 * FPH_EINVAL (rc is NULL, HOLD_DEFLATE), FPH_EUNINIT.  A broken device is told
 * by FPH_EVENT_BROKEN.
 */
FPH_API int fph_balloon_pump(struct fph_balloon *b, struct fph_reclaim *rc,
			     const struct fph_budget *budget);

/*
 * fph_balloon_process - take buffers from a ring
 *
 * budget: at the most so many; not 0.  Looks at 16384 page frames or
 * descriptors at the most, whatever the driver put into them.
 *
 * The number taken.  Less than budget, also 0, when there are no more: then
 * the ring asks for notifications; or when there is no room, or the device is
 * frozen, or the ring is being stopped, or pages of a deflate buffer may be in
 * the discard of an inflate granule: then get_ready tells when to go on.
 *
 * A buffer that is bad is refused: it counts as taken, nothing of it is done,
 * and it is returned.  A bad ring, or a command of another size than 4 bytes,
 * breaks the device (FPH_EVENT_BROKEN): what was taken is still completed and
 * returned, and a hint round ends as by hint_stop.
 *
 * FPH_EINVAL (index, budget); FPH_ESTATE (not running, not enabled, or no
 * queue: see get_queue); FPH_PEER_* (the device is broken now, and nothing was
 * taken); FPH_PEER_BROKEN (it was before); FPH_EUNINIT.
 * O(descriptors and page frames).
 */
FPH_API int fph_balloon_process(struct fph_balloon *b, uint32_t index,
				uint32_t budget);

/*
 * fph_balloon_next - runs to discard
 *
 * They are what fph_reclaim_discard takes.  queue says where a run is from:
 * FPH_QUEUE_REPORT, FPH_QUEUE_INFLATE, and with HOLD_DEFLATE also
 * FPH_QUEUE_DEFLATE: that memory is used again, pin it and complete the run as
 * FPH_OUTCOME_SKIPPED; it is never discarded.
 *
 * The number of runs, 0 (none waits, or the device is frozen or resetting),
 * FPH_EINVAL (n is 0), FPH_EUNINIT.  As fph_report_next.
 */
FPH_API int fph_balloon_next(struct fph_balloon *b, struct fph_run *runs,
			     uint32_t n);

/* As fph_report_complete; in every condition of the device. */
FPH_API int fph_balloon_complete(struct fph_balloon *b,
				 const struct fph_run *runs, uint32_t n);

/*
 * Return every buffer that has nothing pending; their number.  0 while
 * resetting.  One publish a ring.  O(buffers).
 */
FPH_API uint32_t fph_balloon_flush(struct fph_balloon *b);

/* Runs given out, hints too, and not completed.  O(1). */
FPH_API uint32_t fph_balloon_get_outstanding(const struct fph_balloon *b);

/*
 * Bit n: raise the interrupt of ring n now; also after ring_start with an
 * inflight record of an earlier device, whose last one may be lost.  Forgotten
 * by the call.  O(1).
 */
FPH_API uint32_t fph_balloon_take_notify(struct fph_balloon *b);

#define FPH_EVENT_CONFIG	1u	/* raise a config change interrupt */
#define FPH_EVENT_STATS		2u	/* new statistics came */
#define FPH_EVENT_HINT		4u	/* the hint state changed */
#define FPH_EVENT_ACTUAL	8u	/* the driver wrote actual */
#define FPH_EVENT_BROKEN	16u	/* broken by the driver: set
					   DEVICE_NEEDS_RESET and raise a config
					   change interrupt (Q-7A) */
#define FPH_EVENT_DRAINED	32u	/* what answered FPH_EINPROGRESS can be
					   repeated and will finish: reset,
					   ring_stop, freeze, freeze_as,
					   hint_stop, hint_done,
					   hint_sync_begin */

/* FPH_EVENT_* since the last call; forgotten by it.  O(1). */
FPH_API uint32_t fph_balloon_take_events(struct fph_balloon *b);

/*
 * fph_balloon_freeze - hold discards, and return what is complete
 *
 * Until thaw, process takes nothing, and next and hint_next give nothing.
 * Buffers that wait for next stay taken and are returned without a discard, as
 * SKIPPED, so that the device gets quiet: repeat with complete and flush.
 * So do buffers that an earlier device left in an inflight record, as at
 * ring_stop.  FPH_OK says that nothing is in flight but a statistics buffer:
 * then ring_get_base, get_state and a snapshot are exact.  Repeating it is
 * harmless; it does not nest: whoever needs that counts.
 *
 * It never waits.  A discard that is late leaves it FPH_EINPROGRESS: look again
 * at FPH_EVENT_DRAINED, or give up after a time of your own and thaw.  With
 * HOLD_DEFLATE next goes on to give what was deflated, because the driver uses
 * it as soon as it is returned.
 *
 * FPH_OK, FPH_EINPROGRESS (complete what is out), FPH_EUNINIT.
 * O(buffers in flight).
 */
FPH_API int fph_balloon_freeze(struct fph_balloon *b);

/*
 *				process	waiting buffers		flush
 * FPH_FREEZE_DRAIN		0	SKIPPED			returns
 * FPH_FREEZE_HOLD		0	go on to wait		0
 * FPH_FREEZE_SKIP		takes	SKIPPED at once		returns
 */
enum fph_freeze {
	FPH_FREEZE_DRAIN	= 1,	/* fph_balloon_freeze */
	FPH_FREEZE_HOLD		= 2,	/* acknowledges nothing */
	FPH_FREEZE_SKIP		= 3	/* acknowledges without discarding */
};

/*
 * fph_balloon_freeze_as - hold discards in one of three ways
 *
 * For a snapshot of memory.  In HOLD nothing is lost and the driver waits: for
 * a short one, and for fph_balloon_save.  In SKIP the driver does not notice,
 * and its reports and hints have no effect: for a long one.  In both FPH_OK
 * says that nothing is out: no discard and no clearing of bits is going on or
 * begins before thaw.  In HOLD a ring with buffers in flight does not stop.
 * Repeat it as fph_balloon_freeze; another mode takes the place of the first.
 *
 * FPH_OK, FPH_EINPROGRESS (complete what is out), FPH_EINVAL (mode),
 * FPH_EUNINIT.  O(buffers in flight).
 */
FPH_API int fph_balloon_freeze_as(struct fph_balloon *b, int mode);

/* Go on.  FPH_OK (also if it was not frozen), FPH_EUNINIT.  O(1). */
FPH_API int fph_balloon_thaw(struct fph_balloon *b);

FPH_API bool fph_balloon_is_frozen(const struct fph_balloon *b);

/* ----------------------------------------------- balloon and statistics -- */

/* The target size, 4096-byte units; FPH_EVENT_CONFIG on a change.  O(1). */
FPH_API void fph_balloon_set_target(struct fph_balloon *b, uint32_t num_pages);
FPH_API uint32_t fph_balloon_get_target(const struct fph_balloon *b);

/* What the driver wrote to actual, 4096-byte units.  O(1). */
FPH_API uint32_t fph_balloon_get_actual(const struct fph_balloon *b);

/*
 * fph_balloon_stats_request - ask the driver for fresh statistics
 *
 * Returns the buffer that the device holds, also a bad one; FPH_EVENT_STATS
 * tells of the new one.  Of a driver without VERSION_1 the first buffer is held
 * and not read: ask once to have any.
 *
 * FPH_OK (also if it was asked already), FPH_ESTATE (no buffer was offered
 * yet, no STATS_VQ, its ring is disabled, frozen, broken), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_balloon_stats_request(struct fph_balloon *b);

/*
 * The newest statistics, as the driver ordered them, a repeated tag too: the
 * number copied, at the most n.  O(n).
 */
FPH_API uint32_t fph_balloon_get_stats(const struct fph_balloon *b,
				       struct fph_stat *stats, uint32_t n);

/* ----------------------------------------------------------------- hints -- */

/*
 * The calls of fph_hint_session on this device.  request answers FPH_ESTATE
 * also when FREE_PAGE_HINT was not negotiated, and FPH_PEER_BROKEN on a broken
 * device; next answers 0 while frozen or resetting.  FPH_EINPROGRESS of stop,
 * done and sync_begin: hint_complete what hint_next gave out, and repeat; what
 * was not given out has been dropped.  FPH_EVENT_CONFIG tells that the value of
 * free_page_hint_cmd_id changed, by a call or by the driver.
 *
 * DONE is the embedder's duty on every way out of a migration (D9).
 */
FPH_API int fph_balloon_hint_request(struct fph_balloon *b, uint32_t *id);
FPH_API int fph_balloon_hint_stop(struct fph_balloon *b);
FPH_API int fph_balloon_hint_done(struct fph_balloon *b);
FPH_API int fph_balloon_hint_sync_begin(struct fph_balloon *b);
FPH_API int fph_balloon_hint_sync_end(struct fph_balloon *b);
FPH_API int fph_balloon_hint_next(struct fph_balloon *b, struct fph_run *runs,
				  uint32_t n);
FPH_API int fph_balloon_hint_complete(struct fph_balloon *b,
				      const struct fph_run *runs, uint32_t n);
FPH_API int fph_balloon_hint_get_state(const struct fph_balloon *b);
FPH_API uint32_t fph_balloon_hint_get_config(const struct fph_balloon *b);

/* ------------------------------------------------------ save and restore -- */

/*
 * What a VMM with a state format of its own saves and migrates: values, which
 * it writes as its own format has them.
 */
struct fph_balloon_state {
	uint32_t size;			/* sizeof this struct */
	uint32_t num_pages;
	uint64_t negotiated;
	uint32_t actual;
	uint32_t poison_val;
	uint32_t hint_id;		/* the last command id, or 0 */
	uint32_t endian;		/* of a legacy guest */
	uint32_t rings;			/* bit n: ring n runs */
	uint32_t base[FPH_NQUEUES];	/* of those that run */
};

/*
 * fph_balloon_get_state - of a frozen device with nothing in flight
 *
 * FPH_OK, FPH_EINVAL (size), FPH_EBUSY (freeze first; also when buffers wait in
 * an inflight record), FPH_PEER_BROKEN, FPH_EUNINIT.  O(1).
 */
FPH_API int fph_balloon_get_state(const struct fph_balloon *b,
				  struct fph_balloon_state *state);

/*
 * fph_balloon_restore - go on as another device was
 *
 * Right after new or reset, in place of set_features; then start the rings at
 * their bases.  The state does not say which queue a ring is: let numbering be
 * the same as there.  No hint round survives: see fph_hint_session_restore.  A
 * driver that negotiated hints is shown DONE, also where hint_id is 0 (L5).
 *
 * FPH_OK, FPH_EINVAL (size, features that are not offered, endian),
 * FPH_ESTATE (a ring runs), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_balloon_restore(struct fph_balloon *b,
				const struct fph_balloon_state *state);

/*
 * fph_balloon_save - write the whole device into buf, at any step
 *
 * Buffers in flight and runs that are out too; it needs no freeze.  What is in
 * ring memory and in guest memory is not in it; save those at the same moment.
 *
 * buf, size: NULL and 0 only ask, by FPH_EFULL, for *needed: 2 KiB, up to 44
 * bytes for each range and 22 for each buffer in flight, and 16 for each run of
 * collected pages.
 *
 * FPH_OK, FPH_EFULL (size is less than *needed), FPH_EBUSY (buffers of an
 * earlier device wait in an inflight record: process them first), FPH_EINVAL
 * (needed is NULL), FPH_EUNINIT.  O(size).
 */
FPH_API int fph_balloon_save(const struct fph_balloon *b, void *buf,
			     size_t size, size_t *needed);

/*
 * fph_balloon_load - go on from a saved device
 *
 * Right after new, or after reset, in a device that offers the same features,
 * with the same numbering and HOLD_DEFLATE, and without FPH_LOAD_MOVED with the
 * same inflate granule, as it was set last.  Other parameters may differ: the
 * target and the ids come from the state, all else from this device.
 *
 * flags: 0 or FPH_LOAD_MOVED; without it the VMM completes the runs that next
 * and hint_next gave out there.  With it every buffer that was taken is
 * returned without a discard (L6).  rings: FPH_NQUEUES entries, at the index of
 * each ring that ran, as for ring_start, base and inflight not set; NULL if
 * none ran.  It starts them, enabled where they were; a frozen device stays
 * frozen.  take_events and take_notify tell what is to be done then; call pump,
 * or process and next, once, though no ring is ready: runs may wait.
 *
 * FPH_OK; FPH_ECORRUPT, FPH_EVERSION; FPH_EREFUSED (what has to be the same is
 * not; a ring is another queue here, has another size, or is larger than
 * max_queue_size; or there is more than this device can hold); FPH_ESTATE (a
 * ring runs); FPH_EINVAL (buf is NULL, flags; a ring that ran has no addresses,
 * or bad ones), FPH_ENOMEM, FPH_EUNINIT.  Nothing has changed then, but ring
 * memory may ask for notifications.  O(size + reset).
 */
FPH_API int fph_balloon_load(struct fph_balloon *b, const void *buf,
			     size_t size, uint32_t flags,
			     const struct fph_balloon_ring *rings);

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
	uint64_t collected;			/* bytes that wait for a whole
						   host page now */
	uint64_t stats;				/* statistics buffers read */
	struct fph_balloon_queue_counters queue[FPH_NQUEUES];
	int64_t last_error;			/* FPH_PEER_* that broke it */
};

/*
 * Copy the counters; size: sizeof the caller's struct.  FPH_OK, FPH_EINVAL,
 * FPH_EUNINIT.  O(1).
 */
FPH_API int fph_balloon_get_counters(const struct fph_balloon *b,
				     struct fph_balloon_counters *out,
				     size_t size);

/* Whether the driver broke the device: reset clears it.  O(1). */
FPH_API bool fph_balloon_is_broken(const struct fph_balloon *b);

#ifdef __cplusplus
}
#endif

#endif /* FPH_VMM_BALLOON_H */
