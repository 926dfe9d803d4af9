/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of the balloon device share.  Each calls only those below it.
 *
 *	balloon_state.c	save and load
 *	balloon_life.c	reset, stop of a ring, freeze and thaw, restore
 *	balloon_data.c	process, next, complete, flush, pump
 *	balloon_take.c	what is done with a buffer of each queue
 *	balloon_stats.c	the statistics queue
 *	balloon_rings.c	numbering, start and enable of rings, kicks, interrupts
 *	balloon_hint.c	the calls of the hint session, and events of it
 *	balloon.c	the object, features, config space, counters
 */
#ifndef FPH_VMM_BALLOON_INTERNAL_H
#define FPH_VMM_BALLOON_INTERNAL_H

#include <fph-vmm/balloon.h>

#include "vmm/page_set.h"

#define BALLOON_PAGE	((uint64_t)1 << VIRTIO_BALLOON_PFN_SHIFT)

/* Buffers that are popped and taken at a time, and that go back at a time. */
#define BALLOON_BATCH	64u
/* Runs that pump has in hand. */
#define BALLOON_RUNS	256u

/* A ring as the transport set it up. */
struct balloon_ring {
	struct fph_vq_device *vq;
	void *memory;		/* of vq */
	uint32_t num;
	uint32_t old;		/* of an inflight record, to be taken first */
	int queue;		/* enum fph_queue, or FPH_ENOENT */
	bool running;
	bool enabled;
	bool draining;		/* ring_stop waits for what is in flight */
	bool kicked;		/* may hold buffers that nobody will tell of */
	bool pushed;		/* since the last take_notify, or, with an
				   inflight record, perhaps before us */
};

/* The statistics buffer, which the device holds until it is asked for. */
struct balloon_stats {
	bool held;
	bool asked;		/* given back, the next one is awaited */
	uint64_t cookie;
	uint32_t ring;
	uint32_t n;
	struct fph_stat entry[FPH_BALLOON_NSTATS];
};

/* What answered FPH_EINPROGRESS; ring n is bit n. */
#define WAIT_RINGS	((1u << FPH_NQUEUES) - 1)
#define WAIT_HINT	(1u << FPH_NQUEUES)
#define WAIT_DEVICE	(2u << FPH_NQUEUES)	/* reset, freeze */

struct fph_balloon {
	struct fph_balloon_params params;	/* with the defaults */
	const struct fph_memory *memory;
	uint32_t flags;
	uint32_t max_queue_size;
	uint64_t offered;
	uint64_t negotiated;
	int numbering;		/* 0: inferred */
	int legacy_endian;
	int endian;		/* of rings, command ids, pfns, statistics */
	uint32_t seen;		/* rings started since the first one */
	uint32_t num_pages;
	uint32_t actual;
	uint32_t poison_val;
	int frozen;		/* enum fph_freeze, or 0 */
	bool resetting;
	bool broken;
	int last_error;
	uint32_t events;
	uint32_t waiting;	/* WAIT_* */
	uint32_t notify;	/* of rings that were stopped meanwhile */
	struct fph_report *report;
	struct fph_report *inflate;
	struct fph_report *deflate;	/* NULL: not held */
	struct fph_hint_session *hint;
	struct fph_page_set *collected;	/* NULL: nothing is collected */
	uint64_t collect_granule;	/* until so many bytes are whole */
	struct balloon_ring ring[FPH_NQUEUES];
	struct balloon_stats stats;
	struct fph_balloon_queue_counters count[FPH_NQUEUES];
	uint64_t deflated;
	uint64_t stats_read;

	/* Scratch, and what pump has in hand: [first, end). */
	uint32_t nsegs;
	struct fph_seg *segs;
	struct fph_seg *frames;
	uint32_t pump_first, pump_end;
	struct fph_run runs[BALLOON_RUNS];
};

/* ------------------------------------------------------------ balloon.c -- */

bool fph_balloon_is_any_running(const struct fph_balloon *b);

/* Everything that new made, but the object. */
void fph_balloon_free_parts(struct fph_balloon *b);

/* R4: with a nonzero value in use, a report is returned without a discard. */
void fph_balloon_update_poison(struct fph_balloon *b);

/* The byte order follows from the features and the guest's own. */
void fph_balloon_update_endian(struct fph_balloon *b);

/* ------------------------------------------------------- balloon_hint.c -- */

/* What the hint session shows to the outside, to tell when it changes. */
struct balloon_hint_view {
	int state;
	uint32_t config;
};

/* Before a call that may change the hint session. */
struct balloon_hint_view fph_balloon_look(const struct fph_balloon *b);

/* After it: raises the events for what is different. */
void fph_balloon_note(struct fph_balloon *b,
		      const struct balloon_hint_view *before);

/* After a restore: a driver that negotiated no hints is shown no DONE (L5). */
void fph_balloon_hide_done(struct fph_balloon *b);

/* ------------------------------------------------------ balloon_rings.c -- */

/* Rings or features have changed: which queue is each ring? */
void fph_balloon_update_queues(struct fph_balloon *b);

/* Whether a buffer of this queue fits, whatever is in it. */
bool fph_balloon_is_room(const struct fph_balloon *b, int queue, uint32_t num);

/* The name of a buffer outside of its ring: also which ring it is. */
static inline uint64_t fph_balloon_cookie(uint32_t ring, uint64_t cookie)
{
	return (uint64_t)ring << 32 | cookie;
}

/* Return buffers with such names; queue: where they are counted. */
void fph_balloon_push(struct fph_balloon *b, int queue, struct fph_used *used,
		      uint32_t n);

/* Frozen so that no buffer is taken. */
static inline bool fph_balloon_is_held(const struct fph_balloon *b)
{
	return b->frozen && b->frozen != FPH_FREEZE_SKIP;
}

/*
 * Of a ring: buffers in flight but for the one that the device holds, and with
 * those of an inflight record.
 */
uint32_t fph_balloon_count_inflight(const struct fph_balloon *b,
				    uint32_t index);

/* Where a ring goes on whose buffers were returned. */
uint32_t fph_balloon_get_base(const struct fph_balloon *b, uint32_t index);

/* ------------------------------------------------------- balloon_data.c -- */

/*
 * Takes what an earlier device left in flight, into a ring that is to be quiet,
 * as far as there is room, and returns what has nothing pending.
 */
void fph_balloon_take_old(struct fph_balloon *b, uint32_t index);

/* What waits is acknowledged without being acted on. */
void fph_balloon_skip_waiting(struct fph_balloon *b);

/* ------------------------------------------------------ balloon_stats.c -- */

void fph_balloon_take_stats(struct fph_balloon *b,
			    const struct fph_buffer *buffers, uint32_t n,
			    const struct fph_seg *segs);

/* ------------------------------------------------------- balloon_take.c -- */

/*
 * fph_balloon_take - take in buffers of one queue, with segments in b->segs
 *
 * There is room for them.  Whatever is in them, they come back: at once, from
 * flush, or, of statistics, when they are asked for.  *work: adds the page
 * frames and segments that were looked at.
 *
 * FPH_OK; FPH_PEER_* (the device is broken by one of them).
 */
int fph_balloon_take(struct fph_balloon *b, int queue,
		     struct fph_buffer *buffers, uint32_t n, uint32_t *work);

#endif /* FPH_VMM_BALLOON_INTERNAL_H */
