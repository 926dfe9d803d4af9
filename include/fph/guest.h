/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Guest side: the reporter and the hinter.
 *
 * Both take free ranges as an allocator gives them, and say which buffers to
 * put into the queue next.
 *
 *	add		free ranges; they wait
 *	submit		the next buffers to put into the queue
 *	complete	the device has used those buffers
 *	take_back	ranges to give back to the allocator, as they were added
 *
 * Nothing here touches memory or a queue, so each call may be made under any
 * lock, an allocator's too: no call depends on how much waits by more than
 * its logarithm.  The embedder's lock around an object nests inside its
 * allocator's lock.  take_back copies out: give the ranges back after that
 * lock was dropped.
 *
 * Any context.  Time is a parameter: nanoseconds from any start, never
 * backwards.  <fph/status.h> has the rules for memory, parameters, batches and
 * threads.
 *
 * A driver also has to find its queues.  The specification numbers them one
 * way, deployed devices and drivers another (fph_queue_index in
 * <fph/wire.h>), and a hint that goes into the wrong queue is read as
 * statistics or as a report.  All numberings agree if the driver negotiates
 * every optional queue below its own that the device offers: STATS_VQ and
 * FREE_PAGE_HINT below reporting, STATS_VQ below hinting.  Do that, or probe.
 */
#ifndef FPH_GUEST_H
#define FPH_GUEST_H

#include <fph/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the guest makes of the content of free memory.  It has no default. */
enum fph_content {
	FPH_CONTENT_FREE	= 1,	/* nothing relies on it */
	FPH_CONTENT_KEPT	= 2	/* init-on-free, or poisoning */
};

/* The longest range that add takes, and the most bytes of one buffer. */
#define FPH_MAX_BUFFER	0xffffffffu
#define FPH_FOREVER	(~(uint64_t)0)	/* a delay that does not end */

/* An amount of memory, and the number of added ranges that it is. */
struct fph_amount {
	uint64_t bytes;
	uint64_t ranges;
};

/* A range that comes back, as it was added. */
struct fph_returned {
	uint64_t gpa;
	uint64_t len;
	uint64_t owner;
	uint32_t used;			/* 1: the device used its buffer */
	uint32_t reserved;
};

/* -------------------------------------------------------------- reporter -- */

/*
 * Free page reporting.
 *
 *          add           submit              complete       take_back
 *   free -----> waiting --------> outstanding --------> back -------> free
 *      ^           |  ^              |   |               ^
 *      +-- shrink -+  +-- cancel ----+   +---- reset ----+
 *
 * Whatever the device does, a range comes back exactly once; those of a buffer
 * that is never used stay outstanding until reset.
 *
 * Neighbours that wait are merged to runs, up to FPH_MAX_BUFFER; a run is as
 * old as its oldest range, and the oldest goes out first.  In a buffer the
 * larger runs stand first (VIO-REP-DRV-5).
 *
 * FILLING	buffers are given out until the window is full
 * FULL		the window was full and did not yet fall to low_water
 * OFF		too many failures in a row: nothing is given out any more, and
 *		what is added comes straight back.  Only reset leaves it.
 *
 * After any other failure nothing is given out for retry_delay, which doubles
 * with each further one; a success ends that.
 */
struct fph_reporter;

enum fph_reporter_state {
	FPH_REPORTER_FILLING	= 1,
	FPH_REPORTER_FULL	= 2,
	FPH_REPORTER_OFF	= 3
};

struct fph_reporter_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t content;		/* enum fph_content */
	uint64_t features;		/* negotiated */
	uint32_t max_ranges;		/* held at a time; 0: 1024 */
	uint32_t window;		/* buffers in the queue at a time, up
					   to 32768; 0: 2 */
	uint32_t low_water;		/* refill from here on, below window;
					   0: half the window */
	uint32_t max_segs;		/* of a buffer, and see submit; 0: 32,
					   as Linux */
	uint64_t flush_delay;		/* that a range waits for others, ns;
					   0: 2 s, as Linux */
	uint64_t retry_delay;		/* after the first failure, ns;
					   0: 1 s */
	uint32_t max_failures;		/* in a row, and it is OFF; 0: 8 */
	uint32_t reserved;
};

struct fph_reporter_amounts {
	struct fph_amount waiting;	/* not given out yet: see shrink */
	struct fph_amount outstanding;	/* with the device */
	struct fph_amount back;		/* take_back will return them */
	uint64_t buffers;		/* with the device */
};

struct fph_reporter_counters {
	uint64_t added;			/* ranges */
	uint64_t added_bytes;
	uint64_t buffers;		/* given out by submit */
	uint64_t segs;			/* segments in them */
	uint64_t reported;		/* ranges that came back used */
	uint64_t reported_bytes;
	uint64_t unreported;		/* that came back not used */
	uint64_t failed;		/* buffers */
	uint64_t cancelled;		/* buffers */
	uint64_t disabled;		/* times it went OFF by itself */
};

/* Upper bound of fph_reporter_size; by default FPH_REPORTER_SIZE(1024, 2). */
#define FPH_REPORTER_SIZE(max_ranges, window) \
	(1024u + 96u * (size_t)(max_ranges) + 64u * (size_t)(window))

/* Bytes of memory that init takes; 0: parameters that it refuses.  O(1). */
FPH_API size_t fph_reporter_size(const struct fph_reporter_params *params);

/*
 * fph_reporter_init - make a reporter in mem; state FILLING
 *
 * Refuses what the negotiated features do not allow:
 *
 *	PAGE_REPORTING	PAGE_POISON	content
 *	no		any		any		FPH_EREFUSED
 *	yes		no		FREE		FPH_OK
 *	yes		no		KEPT		FPH_EREFUSED (1)
 *	yes		yes		FREE		FPH_EREFUSED (2)
 *	yes		yes		KEPT		FPH_OK (3)
 *
 * (1) A reported page comes back with any content: VIO-REP-DRV-1.
 * (2) A guest whose free pages may hold anything does not accept PAGE_POISON.
 * (3) Every page must hold poison_val before add, and config space must have
 *     had that value before DRIVER_OK: VIO-REP-DRV-2.
 *
 * FPH_OK (*r is set); FPH_EREFUSED; FPH_EINVAL (a NULL, alignment, size, a
 * parameter).  O(1).
 */
FPH_API int fph_reporter_init(struct fph_reporter **r, void *mem, size_t size,
			      const struct fph_reporter_params *params);

/*
 * fph_reporter_reset - the device was reset: everything comes back
 *
 * Call only when the transport has confirmed the reset (R1): until then the
 * device may still discard what it was given.  What waits and what is
 * outstanding is returned by take_back as not used.  Cookies given out before
 * are void.  State FILLING; failures are forgotten.
 *
 * FPH_OK, FPH_EUNINIT.  O(window).
 */
FPH_API int fph_reporter_reset(struct fph_reporter *r);

/*
 * fph_reporter_add - take over free ranges
 *
 * ranges, n: 1 to FPH_MAX_BUFFER bytes each, none that wraps, none that
 * overlaps one that waits.  They must not be used, and not be added again,
 * before they came back.  In OFF they are back at once.
 *
 * The number added; FPH_EFULL (flush and submit, or shrink; then take_back what
 * is back, and again), FPH_EINVAL (the first is empty, too long or wraps; or n
 * is 0), FPH_EEXIST (the first overlaps what waits), FPH_EUNINIT.
 * O(n log waiting).
 */
FPH_API int fph_reporter_add(struct fph_reporter *r, uint64_t now,
			     const struct fph_owned_range *ranges, uint32_t n);

/*
 * fph_reporter_flush - send what waits now as soon as possible
 *
 * When a guest has just shrunk its caches.  submit gives out the ranges that
 * wait now without waiting for a full buffer or for low_water, only for a free
 * place in the window and for the end of a delay after a failure.
 *
 * FPH_OK, FPH_EUNINIT.  O(1).
 */
FPH_API int fph_reporter_flush(struct fph_reporter *r);

/*
 * fph_reporter_submit - the next buffers to put into the reporting queue
 *
 * A buffer is due when it is full by max_segs or FPH_MAX_BUFFER, when
 * flush_delay has passed since the oldest range that waits came, or after
 * flush.
 *
 * buffers, n; segs, nsegs: receive the buffers and their segments, together no
 * more than the queue has room for: where each segment takes a ring entry, let
 * nsegs be at most the entries that are free; with indirect tables, n, and
 * max_segs be at most the entries of a table and those of the ring.  A first
 * buffer of more than nsegs segments is cut to that: with nsegs below max_segs
 * small buffers go out.
 *
 * Put each into the queue, or cancel it.  Call after add and complete, and at
 * get_deadline, until it answers 0.
 *
 * The number of buffers; 0 (none is due, or the window or the state forbids
 * it); FPH_EINVAL (n or nsegs is 0), FPH_EUNINIT.  O(segments log waiting).
 */
FPH_API int fph_reporter_submit(struct fph_reporter *r, uint64_t now,
				struct fph_buffer *buffers, uint32_t n,
				struct fph_seg *segs, uint32_t nsegs);

/*
 * fph_reporter_complete - the device has used buffers
 *
 * used, n: as from the queue, in any order; len means nothing.  ok: false when
 * the transport says that they failed: their ranges come back as not used.
 *
 * The number completed; FPH_EINVAL (the first cookie is not with the device,
 * or not any more; or n is 0), FPH_EUNINIT.  O(n).
 */
FPH_API int fph_reporter_complete(struct fph_reporter *r, uint64_t now,
				  const struct fph_used *used, uint32_t n,
				  bool ok);

/*
 * fph_reporter_cancel - a buffer could not be put into the queue
 *
 * The device must never have seen it.  Its ranges wait again, as after flush,
 * and it counts as a failure.
 *
 * FPH_OK, FPH_EINVAL (as complete), FPH_EUNINIT.  O(segments log waiting).
 */
FPH_API int fph_reporter_cancel(struct fph_reporter *r, uint64_t now,
				uint64_t cookie);

/*
 * fph_reporter_take_back - ranges to give back to the allocator
 *
 * With used set it is reported: its content is uninitialised, or poison_val.
 *
 * The number of ranges, 0 (none is back), FPH_EINVAL (n is 0), FPH_EUNINIT.
 * O(n).
 */
FPH_API int fph_reporter_take_back(struct fph_reporter *r,
				   struct fph_returned *ranges, uint32_t n);

/*
 * fph_reporter_shrink - take back ranges that wait
 *
 * For a shrinker: what is not given out yet needs no device.
 *
 * As take_back; 0: none waits.  O(n log waiting).
 */
FPH_API int fph_reporter_shrink(struct fph_reporter *r,
				struct fph_returned *ranges, uint32_t n);

/*
 * fph_reporter_get_deadline - when to call submit, if nothing happens before
 *
 * 1 (*when is set; it may have passed), 0 (time changes nothing), FPH_EUNINIT.
 * O(1).
 */
FPH_API int fph_reporter_get_deadline(const struct fph_reporter *r,
				      uint64_t *when);

/* enum fph_reporter_state, or FPH_EUNINIT.  O(1). */
FPH_API int fph_reporter_get_state(const struct fph_reporter *r);

/*
 * What is where now, exact at every moment; the counters.  size: sizeof the
 * caller's struct.  FPH_OK, FPH_EINVAL, FPH_EUNINIT.  O(1).
 */
FPH_API int fph_reporter_get_amounts(const struct fph_reporter *r,
				     struct fph_reporter_amounts *out,
				     size_t size);
FPH_API int fph_reporter_get_counters(const struct fph_reporter *r,
				      struct fph_reporter_counters *out,
				      size_t size);

/* The most bytes that save needs, as a constant. */
#define FPH_REPORTER_STATE_SIZE(max_ranges, window) \
	(256u + 40u * (size_t)(max_ranges) + 16u * (size_t)(window))

/*
 * fph_reporter_save - write the state into buf
 *
 * buf, size: NULL and 0 only ask for *needed, by FPH_EFULL.  now: times are
 * saved as what is left of them.
 *
 * FPH_OK, FPH_EFULL (size is less than *needed), FPH_EINVAL (needed is NULL),
 * FPH_EUNINIT.  O(max_ranges + window).
 */
FPH_API int fph_reporter_save(const struct fph_reporter *r, uint64_t now,
			      void *buf, size_t size, size_t *needed);

/*
 * fph_reporter_load - go on from a saved state
 *
 * In a reporter that was just made with the same parameters.  now: of the clock
 * here.  All that comes out afterwards is what would have come out there;
 * cookies of buffers that are given out here may differ.
 *
 * FPH_OK; FPH_ECORRUPT, FPH_EVERSION; FPH_EREFUSED (of another kind of object,
 * with another content or window, more than this one holds, or not possible
 * with its low_water and max_failures); FPH_EBUSY (a range was added before),
 * FPH_EINVAL (buf is NULL), FPH_EUNINIT.  Nothing has changed then.
 * O(max_ranges log max_ranges + window).
 */
FPH_API int fph_reporter_load(struct fph_reporter *r, uint64_t now,
			      const void *buf, size_t size);

/* ---------------------------------------------------------------- hinter -- */

/*
 * Free page hinting: a host that begins a migration publishes a command id,
 * and the guest answers with a stream of buffers: START with that id, free
 * memory, STOP.  A hint is about the past ("free at some moment after the id
 * was read"), so that the guest may use a hinted page at any time.
 *
 * UNTIL_USED	the guest allocates them, and has each back as soon as its
 *		buffer was used, never sooner.  Safe with every device.
 * HOLD		the guest allocates them and keeps them until DONE, as Linux
 *		does.  They can be taken back at any time; to take back a page
 *		that the device has not used yet is safe only if the host keeps
 *		rules D1 to D7 of the specification.
 * NEVER	the guest only looks at its free lists and says what it sees;
 *		what a reporter holds is not free.  Hinting allocates nothing,
 *		so it cannot run out of memory.  Safe only if the host keeps
 *		rules D1 to D7.
 *
 * QEMU with KVM as it comes does not keep D6 (7.2, 10.0.2, 11.1.3: a page that
 * was written between the id and its hint is lost).  A driver for any host
 * uses UNTIL_USED, or makes NEVER safe by arming: it hints one page that it
 * owns in each chunk of the host's dirty log, waits until those were used, and
 * looks at its free lists only then.
 *
 * In all modes the content of a hinted page is gone: write it before relying
 * on it (V2, VIO-HINT-DRV-8 and 9).
 */
struct fph_hinter;

enum fph_hinter_mode {
	FPH_HINTER_HOLD		= 1,
	FPH_HINTER_UNTIL_USED	= 2,
	FPH_HINTER_NEVER	= 3
};

/*
 * IDLE		no round
 * WANTED	an id was read; its START was not given out yet
 * ACTIVE	START was given out: ranges are hinted
 * STOPPING	the round is over but for its STOP; another id may be wanted
 */
enum fph_hinter_state {
	FPH_HINTER_IDLE		= 1,
	FPH_HINTER_WANTED	= 2,
	FPH_HINTER_ACTIVE	= 3,
	FPH_HINTER_STOPPING	= 4
};

/* fph_hinter_params.flags */
#define FPH_HINTER_METADATA_OUTSIDE	1u  /* no free list inside free pages */
#define FPH_HINTER_NO_MERGE		2u  /* a segment for each range */
#define FPH_HINTER_INDIRECT		4u  /* a hint takes one ring entry */

struct fph_hinter_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t content;		/* enum fph_content: FREE, or refused */
	uint64_t features;		/* negotiated */
	uint32_t mode;			/* enum fph_hinter_mode; 0: UNTIL_USED */
	uint32_t flags;			/* FPH_HINTER_* */
	uint32_t endian;		/* of command ids; 0: FPH_LE */
	uint32_t max_ranges;		/* held at a time; 0: 1024.  In HOLD:
					   all ranges of a round */
	uint32_t max_hints;		/* buffers with hints in the queue at
					   a time, up to 32768; 0: 64 */
	uint32_t max_segs;		/* of a hint; 0: 32.  INDIRECT: at most
					   32768, and see submit */
	uint32_t commands;		/* command buffers of 4 bytes each, 2
					   to 16; 0: 2 */
	uint32_t reserved;
	uint64_t commands_gpa;		/* where they are, one behind the
					   other; 0: gpa of their segments is
					   0, and index says which it is */
};

struct fph_hinter_amounts {
	struct fph_amount waiting;
	struct fph_amount outstanding;
	struct fph_amount used;		/* HOLD: used, and kept until DONE */
	struct fph_amount back;		/* take_back will return them */
	struct fph_amount held;		/* all of these; in NEVER nothing */
	uint64_t buffers;		/* hints with the device */
};

struct fph_hinter_counters {
	uint64_t rounds;		/* STARTs given out; cancelled too */
	uint64_t stops;			/* STOPs, the same */
	uint64_t hints;			/* buffers with ranges, the same */
	uint64_t segs;			/* segments in them */
	uint64_t ranges;		/* ranges in them */
	uint64_t bytes;
	uint64_t stale;			/* ranges too late for a hint (V1) */
	uint64_t stale_bytes;
	uint64_t returned;		/* ranges given back */
	uint64_t zeros;			/* reads of 0 that ended nothing */
	uint64_t cancelled;		/* buffers */
};

/* Upper bound of fph_hinter_size; by default FPH_HINTER_SIZE(1024, 64). */
#define FPH_HINTER_SIZE(max_ranges, max_hints) \
	(2048u + 96u * (size_t)(max_ranges) + 64u * (size_t)(max_hints))

/* Bytes of memory that init takes; 0: parameters that it refuses.  O(1). */
FPH_API size_t fph_hinter_size(const struct fph_hinter_params *params);

/*
 * fph_hinter_init - make a hinter in mem; state IDLE
 *
 * Refuses, with FPH_EREFUSED:
 *  - features without FREE_PAGE_HINT;
 *  - content FPH_CONTENT_KEPT: whatever was negotiated, a hinted page may come
 *    to the destination of a migration with another content;
 *  - mode NEVER without METADATA_OUTSIDE: a link inside of a free page is
 *    content that the guest relies on.
 *
 * FPH_OK (*h is set); FPH_EREFUSED; FPH_EINVAL (a NULL, alignment, size, a
 * parameter).  O(commands).
 */
FPH_API int fph_hinter_init(struct fph_hinter **h, void *mem, size_t size,
			    const struct fph_hinter_params *params);

/*
 * fph_hinter_reset - the device was reset: everything comes back; state IDLE
 *
 * Call only when the transport has confirmed the reset.  All ranges are
 * returned by take_back, in NEVER they are forgotten.  Command buffers are
 * free, cookies are void, and old ids may come again.
 *
 * FPH_OK, FPH_EUNINIT.  O(max_hints + commands).
 */
FPH_API int fph_hinter_reset(struct fph_hinter *h);

/*
 * fph_hinter_set_config - free_page_hint_cmd_id was read
 *
 * Read it after each configuration change interrupt and between chunks of
 * ranges (V3), and pass the value on before any other call.
 *
 *  - an id that is new: wanted; a round with another one is stopped first;
 *  - the id of the last round, or one that stop declined: not begun, because
 *    an id has one START (VIO-HINT-DRV-3);
 *  - VIRTIO_BALLOON_CMD_ID_DONE: the round is over, and used pages come back;
 *    those with the device follow as they are used;
 *  - VIRTIO_BALLOON_CMD_ID_STOP: an id that is not begun is dropped.  Inside a
 *    round it counts only if this device has shown the id after START was
 *    used; QEMU shows 0 there, and takes hints all the same.  An embedder that
 *    knows better calls stop.
 *
 * When a round ends, what waits is not hinted any more (V1): it comes back, or
 * is dropped in NEVER.  What was given out stays in the queue.
 *
 * FPH_OK, FPH_EUNINIT.  O(1).
 */
FPH_API int fph_hinter_set_config(struct fph_hinter *h, uint32_t value);

/*
 * The id to collect free ranges for, 0 if there is none.  Take it before
 * looking at the allocator, and give it to add with what was found there.
 * O(1).
 */
FPH_API uint32_t fph_hinter_get_id(const struct fph_hinter *h);

/*
 * fph_hinter_add - add free ranges that were seen under an id
 *
 * id: as get_id gave it before the ranges were seen free (V1).  ranges, n: 1
 * to FPH_MAX_BUFFER bytes each, none that wraps.  HOLD, UNTIL_USED: they are
 * allocated, do not overlap what waits, and must not be used before they came
 * back.  NEVER: what waits already is joined with it.  Each free block is added
 * once a round at most: the embedder keeps the cursor.
 *
 * The number added; FPH_ESTATE (that id is not the one to collect for, or
 * finish_input was called: nothing was taken); FPH_EFULL (flush, submit,
 * complete and take_back, then go on where you were: without flush too few
 * segments may wait for a buffer; in HOLD nothing comes back before DONE, so
 * finish_input); FPH_EINVAL (the first, or n is 0), FPH_EEXIST (the first
 * overlaps what waits; not in NEVER), FPH_EUNINIT.
 * O(n log waiting); in NEVER also log waiting for each run that is joined.
 */
FPH_API int fph_hinter_add(struct fph_hinter *h, uint32_t id,
			   const struct fph_owned_range *ranges, uint32_t n);

/*
 * fph_hinter_flush - hint what waits now as soon as possible
 *
 * At the end of a chunk: submit gives out the ranges that wait now without
 * waiting for full buffers.  FPH_OK, FPH_EUNINIT.  O(1).
 */
FPH_API int fph_hinter_flush(struct fph_hinter *h);

/*
 * fph_hinter_finish_input - there are no more free ranges for this id
 *
 * From WANTED on, before START was given out as well, and when nothing was
 * added: submit gives out START, what waits, and then STOP (VIO-HINT-DRV-6).
 * Repeating it is harmless.
 *
 * FPH_OK, FPH_ESTATE (no id to collect for), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_hinter_finish_input(struct fph_hinter *h);

/*
 * fph_hinter_stop - the guest wants out of the round
 *
 * What waits comes back or is dropped, and STOP is next.  The id is not begun
 * again.  FPH_OK (also without a round), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_hinter_stop(struct fph_hinter *h);

/*
 * fph_hinter_submit - the next buffers to put into the hinting queue
 *
 * room: ring entries that are free.  One is always left for STOP: START and
 * hints are given out while 2 or more are left.  Without INDIRECT a hint takes
 * an entry a segment, and is never longer than there is room.  With INDIRECT it
 * takes one whatever its length, so max_segs must be at most the entries of an
 * indirect table, and at most those of the ring: a device takes no longer
 * chain.
 *
 * buffers, n; segs, nsegs: receive the buffers and their segments, one of 4
 * bytes for START and STOP; a first hint of more than nsegs is cut to that.
 * Before a buffer with FPH_BUFFER_START or FPH_BUFFER_STOP goes into the queue,
 * copy its command into command buffer number index.  Put them into the queue
 * in this order, or cancel.
 *
 * START goes first, and only when two command buffers are free, its own and
 * that of its STOP: a command buffer is not used again before the device used
 * it.  A hint is due when it has max_segs segments or FPH_MAX_BUFFER bytes,
 * after flush, and after finish_input.  Call until it answers 0, and again
 * after complete and set_config.
 *
 * The number of buffers; 0 (nothing is due, or no room for it: wait for used
 * buffers); FPH_EINVAL (n or nsegs is 0), FPH_EUNINIT.
 * O(segments log waiting).
 */
FPH_API int fph_hinter_submit(struct fph_hinter *h, uint32_t room,
			      struct fph_buffer *buffers, uint32_t n,
			      struct fph_seg *segs, uint32_t nsegs);

/*
 * fph_hinter_complete - the device has used buffers, of any kind
 *
 * The number completed; FPH_EINVAL (the first cookie is not with the device,
 * or not any more; or n is 0), FPH_EUNINIT.  O(n).
 */
FPH_API int fph_hinter_complete(struct fph_hinter *h,
				const struct fph_used *used, uint32_t n);

/*
 * fph_hinter_cancel - the latest buffer could not be put into the queue
 *
 * As if it had not been given out: it will be again, if it is still wanted.
 * The order of buffers has a meaning, so a batch is cancelled from its end.
 *
 * FPH_OK, FPH_EINVAL (not the latest buffer that was given out and is neither
 * used nor cancelled), FPH_EUNINIT.  O(segments log waiting).
 */
FPH_API int fph_hinter_cancel(struct fph_hinter *h, uint64_t cookie);

/*
 * fph_hinter_take_back - ranges to give back to the allocator
 *
 * The number of ranges, 0 (none is back), FPH_EINVAL (n is 0), FPH_EUNINIT.
 * O(n).
 */
FPH_API int fph_hinter_take_back(struct fph_hinter *h,
				 struct fph_returned *ranges, uint32_t n);

/*
 * fph_hinter_shrink - take back ranges now, in a guest short of memory
 *
 * What take_back would return; then what is kept until DONE, the oldest used
 * one first; then what waits; then, in HOLD, what is with the device, the
 * oldest first: that relies on D1 to D7, see above.
 *
 * The number of ranges, 0 (nothing is held), FPH_EBUSY (UNTIL_USED: all that
 * is held is with the device), FPH_EINVAL (n is 0), FPH_EUNINIT.
 * O(n log waiting).
 */
FPH_API int fph_hinter_shrink(struct fph_hinter *h,
			      struct fph_returned *ranges, uint32_t n);

/* enum fph_hinter_state, or FPH_EUNINIT.  O(1). */
FPH_API int fph_hinter_get_state(const struct fph_hinter *h);

/* As fph_reporter_get_amounts and fph_reporter_get_counters. */
FPH_API int fph_hinter_get_amounts(const struct fph_hinter *h,
				   struct fph_hinter_amounts *out,
				   size_t size);
FPH_API int fph_hinter_get_counters(const struct fph_hinter *h,
				    struct fph_hinter_counters *out,
				    size_t size);

#define FPH_HINTER_STATE_SIZE(max_ranges, max_hints) \
	(512u + 40u * (size_t)(max_ranges) + 16u * (size_t)(max_hints))

/* As fph_reporter_save, without a time. */
FPH_API int fph_hinter_save(const struct fph_hinter *h, void *buf, size_t size,
			    size_t *needed);

/*
 * As fph_reporter_load, in a hinter that was just made.  FPH_EREFUSED: of
 * another kind of object, or more than this one holds; or mode, flags, byte
 * order, max_hints, or the number of command buffers or their address differ.
 */
FPH_API int fph_hinter_load(struct fph_hinter *h, const void *buf,
			    size_t size);

#ifdef __cplusplus
}
#endif

#endif /* FPH_GUEST_H */
