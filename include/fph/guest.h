/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Guest side: the reporter and the hinter.
 *
 * Both take free ranges one by one, as an allocator gives them, and say what
 * to put into the queue next.  They touch neither memory nor queue, so that
 * each call may be made under any lock, an allocator's too.
 *
 *	add	a free range; it waits
 *	submit	the next buffer, as segments to put into the queue
 *	complete  the device has used that buffer
 *	next	a range to give back to the allocator, as it was added
 *
 * The embedder's lock around an object nests inside its allocator's lock.
 * next copies out: give the range back after that lock was dropped.
 *
 * Objects are not thread-safe; any context.  All memory is the caller's.
 * Time is a parameter, in any unit, from any start, never backwards.
 */
#ifndef FPH_GUEST_H
#define FPH_GUEST_H

#include <fph/range.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the guest makes of the content of free memory: it has to be said. */
enum fph_content {
	FPH_CONTENT_FREE	= 1,	/* nothing relies on it */
	FPH_CONTENT_KEPT	= 2	/* init-on-free, or poisoning */
};

/* The longest range that add takes, and the most bytes of one buffer. */
#define FPH_MAX_BUFFER	0xffffffffu
#define FPH_FOREVER	(~(uint64_t)0)	/* a delay that does not end */

struct fph_amount {
	uint64_t bytes;
	uint32_t ranges;
};

/* A range that comes back, as it was added. */
struct fph_returned {
	struct fph_range range;
	uint32_t owner;
	bool used;			/* the device used its buffer */
};

/* Private: a list of slots. */
struct fph_slot_list {
	struct fph_amount amount;
	uint32_t head;
	uint32_t tail;
};

/* Storage for one buffer in the queue.  Members are private. */
struct fph_batch {
	struct fph_slot_list members;
	uint32_t serial;		/* 0: not in the queue */
	uint32_t prev;
	uint32_t next;
	uint32_t ended;			/* its round is over */
};

/* Batches over a coalescer: what reporter and hinter share.  Private. */
struct fph_batcher {
	struct fph_coalescer ranges;	/* the storage, and what waits */
	struct fph_slot_list back[2];	/* to be returned; 1: used */
	struct fph_amount waiting;
	struct fph_amount outstanding;
	struct fph_batch *batches;
	uint32_t nbatches;
	uint32_t nout;			/* batches in the queue */
	uint32_t free_head;
	uint32_t first_out;		/* the oldest */
	uint32_t last_out;
	uint32_t serial;
	uint32_t urgent;		/* ranges to send without delay */
	uint32_t max_segs;
	uint32_t max_ranges;
	bool merge;
};

/* -------------------------------------------------------------- reporter -- */

/*
 * Free page reporting.
 *
 *          add           submit              complete          next
 *   free -----> waiting --------> outstanding --------> back -------> free
 *      ^           |  ^              |   |               ^
 *      +---- pop --+  +--- abort ----+   +---- reset ----+
 *
 * Whatever the device does, a range comes back exactly once; those of a buffer
 * that is never used stay outstanding until reset.
 *
 * FILLING	buffers are given out until the window is full
 * FULL		the window was full and did not yet fall to low_water
 * OFF		too many failures in a row: nothing is given out any more, and
 *		what is added comes straight back.  Only reset leads on.
 *
 * After any other failure nothing is given out for retry_delay, which doubles
 * with each further one; a success ends that.
 */
enum fph_reporter_state {
	FPH_REPORTER_FILLING	= 1,
	FPH_REPORTER_FULL	= 2,
	FPH_REPORTER_OFF	= 3
};

struct fph_reporter_params {
	size_t size;			/* sizeof this struct */
	uint64_t features;		/* negotiated: FPH_BIT(...) */
	int content;			/* enum fph_content */
	struct fph_slot *slots;		/* ranges held at a time, all places */
	uint32_t nslots;
	struct fph_batch *batches;	/* one for each buffer of the window */
	uint32_t window;		/* buffers in the queue at a time */
	uint32_t low_water;		/* below window: refill from here on */
	uint32_t max_segs;		/* descriptors of a buffer, at most */
	uint32_t max_ranges;		/* added ranges of a buffer, at most */
	uint64_t flush_delay;		/* that a range waits for others */
	uint64_t retry_delay;		/* after the first failure */
	uint32_t max_failures;		/* in a row, and it is OFF */
};

struct fph_reporter_amounts {
	struct fph_amount waiting;	/* not given out yet: see pop */
	struct fph_amount outstanding;	/* with the device */
	struct fph_amount back;		/* next will return them */
	uint32_t buffers;		/* with the device */
};

struct fph_reporter_counters {
	uint64_t added;			/* ranges */
	uint64_t added_bytes;
	uint64_t buffers;		/* given out by submit */
	uint64_t segs;			/* descriptors in them */
	uint64_t reported;		/* ranges that came back used */
	uint64_t reported_bytes;
	uint64_t unreported;		/* that came back not used */
	uint64_t failed;		/* buffers */
	uint64_t aborted;		/* buffers */
	uint64_t disabled;		/* times it went OFF by itself */
};

/* Members are private. */
struct fph_reporter {
	uint32_t magic;
	uint32_t state;
	uint32_t window;
	uint32_t low_water;
	uint32_t failures;		/* in a row */
	uint32_t max_failures;
	bool retrying;			/* nothing goes out before retry_at */
	uint64_t flush_delay;
	uint64_t first_retry_delay;
	uint64_t retry_delay;		/* the latest one */
	uint64_t retry_at;
	uint64_t deadline;		/* of what waits, if something does */
	struct fph_batcher batcher;
	struct fph_reporter_counters counters;
	uint64_t reserved[4];
};

/*
 * fph_reporter_init - prepare a reporter; state FILLING
 *
 * Refuses what the negotiated features do not allow:
 *
 *	PAGE_REPORTING	PAGE_POISON	content
 *	no		any		any		FPH_EREFUSED
 *	yes		no		FREE		FPH_OK
 *	yes		no		KEPT		FPH_EREFUSED (1)
 *	yes		yes		FREE		FPH_EREFUSED (2)
 *	yes		yes		KEPT		FPH_OK (2)
 *
 * (1) A reported page comes back with any content: VIO-REP-DRV-1.
 * (2) Every page must hold poison_val before add, and config space must have
 *     had that value before DRIVER_OK: VIO-REP-DRV-2.
 *
 * nslots and window are 1 to 0x7fffffff; max_segs, max_ranges and max_failures
 * are 1 or more; delays are in the unit of now, FPH_FOREVER for none.
 *
 * FPH_OK; FPH_EREFUSED; FPH_EINVAL (a NULL, a number out of its range, a set
 * bit in an unknown tail of params).  But for FPH_OK, *r is unchanged.
 */
FPH_API int fph_reporter_init(struct fph_reporter *r,
			      const struct fph_reporter_params *params);

/*
 * fph_reporter_reset - the device was reset: everything comes back
 *
 * Call only when the transport has confirmed the reset (R1): until then the
 * device may still discard what it was given.  What waits and what is
 * outstanding is returned by next as not used.  Cookies given out before are
 * void.  State FILLING; failures are forgotten.  FPH_OK, FPH_EUNINIT.
 */
FPH_API int fph_reporter_reset(struct fph_reporter *r);

/*
 * fph_reporter_add - take over a free range
 *
 * now: the time.  gpa, len: bytes; 1 to FPH_MAX_BUFFER, and gpa + len - 1 does
 * not wrap.  owner: comes back with the range.  The range must not be used, and
 * not be added again, before it came back.
 *
 * FPH_OK (in OFF too: it is back at once); FPH_EINVAL; FPH_EFULL (every slot
 * is in use: next, then again); FPH_EUNINIT.
 */
FPH_API int fph_reporter_add(struct fph_reporter *r, uint64_t now,
			     uint64_t gpa, uint64_t len, uint32_t owner);

/*
 * fph_reporter_request - send what waits now as soon as can be
 *
 * For a guest that has just shrunk its caches.  Until what waits now has been
 * given out, submit waits neither for a full buffer nor for low_water, only
 * for a free place in the window, and for the end of a delay after a failure.
 * FPH_OK, FPH_EUNINIT.
 */
FPH_API int fph_reporter_request(struct fph_reporter *r);

/*
 * fph_reporter_submit - the next buffer to put into the reporting queue
 *
 * Gives out at most one buffer: maximal runs, larger ones first
 * (VIO-REP-DRV-5), no more than max_segs, nsegs and max_ranges allow, and no
 * more than FPH_MAX_BUFFER bytes.  A buffer is due when it is full by
 * max_segs, max_ranges or bytes; when flush_delay has passed since the oldest
 * range came; or after request.
 *
 * segs, nsegs: 1 or more, and no more than the queue has room for.  *cookie:
 * names the buffer for complete; never 0.  Put it into the queue, or abort.
 * Call until it answers 0, after add and complete, and at get_deadline.
 *
 * 1 or more: segments; 0: none is due, or the window or the state forbids it,
 * segs and *cookie are unchanged; FPH_EINVAL (nsegs); FPH_EUNINIT.
 */
FPH_API int fph_reporter_submit(struct fph_reporter *r, uint64_t now,
				struct fph_seg *segs, uint32_t nsegs,
				uint64_t *cookie);

/*
 * fph_reporter_complete - the device has used a buffer
 *
 * ok: false when the transport says that it failed: its ranges come back as
 * not used.  The used length has no meaning.  In any order.
 *
 * FPH_OK, FPH_EINVAL (no buffer that is out has that cookie, or has it any
 * more: nothing has changed), FPH_EUNINIT.
 */
FPH_API int fph_reporter_complete(struct fph_reporter *r, uint64_t now,
				  uint64_t cookie, bool ok);

/*
 * fph_reporter_abort - a buffer could not be put into the queue
 *
 * The device must never have seen it.  Its ranges wait again, due at once, and
 * it counts as a failure.
 *
 * FPH_OK, FPH_EINVAL (as complete), FPH_EUNINIT.
 */
FPH_API int fph_reporter_abort(struct fph_reporter *r, uint64_t now,
			       uint64_t cookie);

/*
 * fph_reporter_next - a range to give back to the allocator
 *
 * out->used: it is reported, its content is uninitialised, or poison_val.
 * 1 (*out is set, its slot is free), 0 (none is back), FPH_EUNINIT.
 */
FPH_API int fph_reporter_next(struct fph_reporter *r,
			      struct fph_returned *out);

/*
 * fph_reporter_pop - take back a range that waits
 *
 * For a shrinker: what is not given out yet needs no device.
 * 1 (*out is set, its slot is free), 0 (none waits), FPH_EUNINIT.
 */
FPH_API int fph_reporter_pop(struct fph_reporter *r, struct fph_returned *out);

/*
 * fph_reporter_get_deadline - when to call submit, if nothing happens before
 *
 * 1 (*when is set; it may have passed), 0 (time changes nothing), FPH_EUNINIT.
 */
FPH_API int fph_reporter_get_deadline(const struct fph_reporter *r,
				      uint64_t *when);

/* enum fph_reporter_state, or FPH_EUNINIT. */
FPH_API int fph_reporter_get_state(const struct fph_reporter *r);
/* What is where now.  FPH_OK, FPH_EUNINIT. */
FPH_API int fph_reporter_get_amounts(const struct fph_reporter *r,
				     struct fph_reporter_amounts *out);

/* Copy the counters.  FPH_OK, FPH_EUNINIT. */
FPH_API int fph_reporter_get_counters(const struct fph_reporter *r,
				      struct fph_reporter_counters *out);

/* ---------------------------------------------------------------- hinter -- */

/*
 * Free page hinting: a host that begins a migration publishes a command id,
 * and the guest answers with a stream of buffers: START with that id, free
 * memory, STOP.  A hint is about the past ("free at some moment after the id
 * was read"), so that the guest may use a hinted page at any time.
 *
 * HOLD		the guest allocates them and keeps them until DONE, as Linux
 *		does.  They can be taken back at any time; that of a page which
 *		the device has not used yet is safe because the host keeps
 *		rules D1 to D7.
 * UNTIL_USED	the guest allocates them, and has each back as soon as its
 *		buffer was used, never sooner.  Does not rely on D1 to D7.
 * NEVER	the guest only looks at its free lists and says what it sees.
 *		Hinting allocates nothing, so it cannot run out of memory.
 *
 * In all of them the content of a hinted page is gone: write it before
 * relying on it (V2, VIO-HINT-DRV-8 and 9).
 */
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

enum fph_hinter_kind {
	FPH_HINTER_START	= 1,	/* readable: a command buffer */
	FPH_HINTER_HINT		= 2,	/* writable: the segments */
	FPH_HINTER_STOP		= 3	/* readable: a command buffer */
};

/* Storage for one command buffer that the embedder has.  Private. */
struct fph_command {
	uint32_t serial;		/* 0: free */
	uint32_t kind;
	uint32_t id;
	uint32_t reserved;
};

struct fph_hinter_params {
	size_t size;			/* sizeof this struct */
	uint64_t features;		/* negotiated: FPH_BIT(...) */
	int content;			/* enum fph_content: FREE, or refused */
	int mode;			/* enum fph_hinter_mode */
	bool metadata_outside;		/* no free list inside of free pages */
	bool indirect;			/* a buffer takes one ring slot */
	bool merge;			/* neighbours share a descriptor */
	int endian;			/* enum fph_endian of command ids */
	struct fph_slot *slots;		/* ranges held at a time, all places */
	uint32_t nslots;		/* in HOLD: all ranges of a round */
	struct fph_batch *batches;	/* hints in the queue at a time */
	uint32_t nbatches;
	struct fph_command *commands;	/* one for each command buffer */
	uint32_t ncommands;		/* 2 or more */
	uint32_t max_segs;		/* descriptors of a hint, at most */
};

/* The next buffer to put into the hinting queue. */
struct fph_hinter_buffer {
	uint64_t cookie;		/* for complete; never 0 */
	enum fph_hinter_kind kind;
	uint32_t id;			/* of the round */
	uint32_t nsegs;			/* HINT: segments */
	uint32_t command;		/* else: which command buffer */
	uint8_t bytes[4];		/* and what it must hold */
};

struct fph_hinter_amounts {
	struct fph_amount waiting;
	struct fph_amount outstanding;
	struct fph_amount used;		/* HOLD: used, and kept until DONE */
	struct fph_amount back;		/* next will return them */
	struct fph_amount held;		/* all of these; in NEVER nothing */
	uint32_t buffers;		/* hints with the device */
};

struct fph_hinter_counters {
	uint64_t rounds;		/* STARTs given out; aborted ones too */
	uint64_t stops;			/* STOPs, the same */
	uint64_t hints;			/* buffers with ranges, the same */
	uint64_t segs;			/* descriptors in them */
	uint64_t ranges;		/* ranges in them */
	uint64_t bytes;
	uint64_t stale;			/* ranges too late for a hint (V1) */
	uint64_t stale_bytes;
	uint64_t returned;		/* ranges given back */
	uint64_t zeros;			/* reads of 0 that ended nothing */
	uint64_t aborted;		/* buffers */
};

/* Members are private. */
struct fph_hinter {
	uint32_t magic;
	uint32_t state;
	uint32_t mode;
	uint32_t endian;
	uint32_t id;			/* ACTIVE, STOPPING: of the round */
	uint32_t wanted;		/* WANTED, STOPPING: the next; or 0 */
	uint32_t spent;			/* of the latest START */
	uint32_t declined;		/* the latest one, by stop */
	uint32_t before;		/* what spent was before START */
	bool indirect;
	bool ended;			/* the guest has no more ranges */
	bool started;			/* START of the round was used */
	bool shows;			/* the device shows an active id */
	uint32_t ncommands;
	uint32_t nfree;			/* commands */
	struct fph_command *commands;
	uint64_t start;			/* cookie of the round's START */
	uint64_t latest;		/* the cookie that abort takes */
	struct fph_slot_list held;	/* HOLD: used */
	struct fph_batcher batcher;
	struct fph_hinter_counters counters;
	uint64_t reserved[4];
};

/*
 * fph_hinter_init - prepare a hinter; state IDLE
 *
 * Refuses, with FPH_EREFUSED:
 *  - features without FREE_PAGE_HINT;
 *  - content FPH_CONTENT_KEPT: whatever was negotiated, a hinted page may come
 *    to the destination of a migration with another content;
 *  - mode NEVER without metadata_outside: a link inside of a free page is
 *    content that the guest relies on.
 *
 * FPH_OK; FPH_EREFUSED; FPH_EINVAL (a NULL, a number out of its range, a set
 * bit in an unknown tail of params).  But for FPH_OK, *h is unchanged.
 */
FPH_API int fph_hinter_init(struct fph_hinter *h,
			    const struct fph_hinter_params *params);

/*
 * fph_hinter_reset - the device was reset: everything comes back; state IDLE
 *
 * Call only when the transport has confirmed the reset.  All ranges are
 * returned by next, in NEVER they are forgotten.  Command buffers are free,
 * cookies are void, and old ids may come again.  FPH_OK, FPH_EUNINIT.
 */
FPH_API int fph_hinter_reset(struct fph_hinter *h);

/*
 * fph_hinter_set_config - free_page_hint_cmd_id was read
 *
 * Read it after each configuration change interrupt and between chunks of
 * ranges (V3), and pass the value on before any other call.
 *
 *  - an id that is new: wanted; a round with another one is stopped first;
 *  - the id of the last round, or one that stop declined: not begun, for an id
 *    has one START (VIO-HINT-DRV-3);
 *  - VIRTIO_BALLOON_CMD_ID_DONE: the round is over, and used pages come back;
 *    those with the device follow as they are used;
 *  - VIRTIO_BALLOON_CMD_ID_STOP: an id that is not begun is dropped.  Inside a
 *    round it counts only if this device has shown the id after START was
 *    used; QEMU shows 0 there, and takes hints all the same.  An embedder that
 *    knows better calls stop.
 *
 * When a round ends, what waits is not hinted any more (V1): it comes back, or
 * is dropped in NEVER.  What was given out stays in the queue.
 * FPH_OK, FPH_EUNINIT.
 */
FPH_API int fph_hinter_set_config(struct fph_hinter *h, uint32_t value);

/*
 * The id to collect free ranges for, 0 if there is none.  Take it before
 * looking at the allocator, and give it to add with what was found there.
 */
FPH_API uint32_t fph_hinter_get_id(const struct fph_hinter *h);

/*
 * fph_hinter_add - add a free range that was seen under an id
 *
 * id: as get_id gave it before the range was seen free (V1).  gpa, len: bytes;
 * 1 to FPH_MAX_BUFFER, and gpa + len - 1 does not wrap.  owner: comes back with
 * the range.  HOLD, UNTIL_USED: the range is allocated, and must not be used
 * before it came back.  Each free block is added once a round at most: the
 * embedder keeps the cursor.
 *
 * FPH_OK; FPH_ESTATE (that id is not the one to collect for: the range was not
 * taken); FPH_EINVAL; FPH_EFULL (every slot is in use: submit, complete and
 * next, then go on where you were); FPH_EUNINIT.
 */
FPH_API int fph_hinter_add(struct fph_hinter *h, uint32_t id, uint64_t gpa,
			   uint64_t len, uint32_t owner);

/*
 * fph_hinter_request - hint what waits now as soon as can be
 *
 * At the end of a chunk, or in a guest that has just shrunk its caches: submit
 * does not wait for full buffers until what waits now has been given out.
 * FPH_OK, FPH_EUNINIT.
 */
FPH_API int fph_hinter_request(struct fph_hinter *h);

/*
 * fph_hinter_end - the guest has no more free ranges for this id
 *
 * submit gives out what waits, and then STOP (VIO-HINT-DRV-6).
 * FPH_OK, FPH_ESTATE (no id to collect for), FPH_EUNINIT.
 */
FPH_API int fph_hinter_end(struct fph_hinter *h);

/*
 * fph_hinter_stop - the guest wants out of the round
 *
 * What waits comes back or is dropped, and STOP is next.  The id is not begun
 * again.  FPH_OK (no round is no error), FPH_EUNINIT.
 */
FPH_API int fph_hinter_stop(struct fph_hinter *h);

/*
 * fph_hinter_submit - the next buffer to put into the hinting queue
 *
 * room: descriptors that are free in the ring.  One is always left for STOP:
 * START and hints are given out while room is 2 or more, and without indirect
 * a hint has room - 1 segments at most.  segs, nsegs: receive the segments of
 * a hint; 1 or more.  Put the buffer into the queue before the next call, or
 * abort.
 *
 * START goes first, and only when two command buffers are free, its own and
 * that of its STOP: a command buffer is not used again before the device used
 * it.  A hint is due when it has max_segs segments or
 * FPH_MAX_BUFFER bytes, after request, and after end.  Call until it answers
 * 0, and again after complete and set_config.
 *
 * 1 (*buffer is set), 0 (nothing is due, or no room for it: wait for used
 * buffers), FPH_EINVAL (nsegs), FPH_EUNINIT.
 */
FPH_API int fph_hinter_submit(struct fph_hinter *h, uint32_t room,
			      struct fph_seg *segs, uint32_t nsegs,
			      struct fph_hinter_buffer *buffer);

/*
 * fph_hinter_complete - the device has used a buffer, of any kind
 * FPH_OK, FPH_EINVAL (no buffer that is out has that cookie, or has it any
 * more: nothing has changed), FPH_EUNINIT.
 */
FPH_API int fph_hinter_complete(struct fph_hinter *h, uint64_t cookie);

/*
 * fph_hinter_abort - the latest buffer could not be put into the queue
 *
 * As if it had not been given out: it will be again, if it is still wanted.
 * Only the latest one, for the order of buffers has a meaning.
 *
 * FPH_OK, FPH_EINVAL (not the cookie of the latest buffer, or it was used),
 * FPH_EUNINIT.
 */
FPH_API int fph_hinter_abort(struct fph_hinter *h, uint64_t cookie);

/*
 * fph_hinter_next - a range to give back to the allocator
 * 1 (*out is set, its slot is free), 0 (none is back), FPH_EUNINIT.
 */
FPH_API int fph_hinter_next(struct fph_hinter *h, struct fph_returned *out);

/*
 * fph_hinter_pop - take back a range now, for a guest short of memory
 *
 * What next would return; then what is kept until DONE, the oldest used one
 * first; then what waits; then, in HOLD, what is with the device, the oldest
 * first.  out->used: the device has used it.
 *
 * 1 (*out is set, its slot is free), 0 (nothing is held), FPH_EBUSY
 * (UNTIL_USED: all that is held is with the device), FPH_EUNINIT.
 */
FPH_API int fph_hinter_pop(struct fph_hinter *h, struct fph_returned *out);

/* enum fph_hinter_state, or FPH_EUNINIT. */
FPH_API int fph_hinter_get_state(const struct fph_hinter *h);
/* What is where now.  FPH_OK, FPH_EUNINIT. */
FPH_API int fph_hinter_get_amounts(const struct fph_hinter *h,
				   struct fph_hinter_amounts *out);

/* Copy the counters.  FPH_OK, FPH_EUNINIT. */
FPH_API int fph_hinter_get_counters(const struct fph_hinter *h,
				    struct fph_hinter_counters *out);

#ifdef __cplusplus
}
#endif

#endif /* FPH_GUEST_H */
