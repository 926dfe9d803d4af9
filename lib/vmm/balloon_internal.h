/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of the balloon device share.
 *
 *	balloon.c		the object, features, config space, counters
 *	balloon_rings.c		rings: numbering, start, stop, process, flush
 *	balloon_buffers.c	what is done with a buffer of each queue
 *	balloon_hint.c		the calls of the hint session
 */
#ifndef FPH_VMM_BALLOON_INTERNAL_H
#define FPH_VMM_BALLOON_INTERNAL_H

#include <fph-vmm/balloon.h>

/* Room for several of the longest chains, or for many short ones. */
#define REPORT_SLOTS	(4u * FPH_BALLOON_QUEUE_SIZE)
#define REPORT_CHAINS	128u
#define HINT_SLOTS	(4u * FPH_BALLOON_QUEUE_SIZE)
#define HINT_CHAINS	(2u * FPH_BALLOON_QUEUE_SIZE)
#define INFLATE_SLOTS	(FPH_BALLOON_MAX_PFNS + 8192u)
#define INFLATE_CHAINS	128u

/* A ring as the transport set it up. */
struct balloon_ring {
	struct fph_split_device vq;
	uint16_t num;
	bool running;
	bool enabled;
	bool draining;		/* ring_stop waits for what is in flight */
	bool more;		/* may hold buffers that nobody will tell of */
	bool pushed;		/* since the last get_notify */
};

/* The statistics buffer, which the device holds until it is asked for. */
struct balloon_stats {
	bool held;
	bool asked;		/* given back, the next one is awaited */
	uint16_t head;
	uint32_t ring;
	uint32_t n;
	struct fph_stat entry[FPH_BALLOON_NSTATS];
};

struct fph_balloon {
	struct fph_memory *memory;
	uint64_t offered;
	uint64_t negotiated;
	int numbering;		/* 0: inferred */
	int endian;		/* of rings, command ids, pfns, statistics */
	uint32_t seen;		/* rings started since the first one */
	uint32_t num_pages;
	uint32_t actual;
	uint32_t poison_val;
	uint32_t frozen;
	bool resetting;
	bool broken;
	int last_error;
	uint32_t events;
	uint32_t notify;	/* of rings that were stopped meanwhile */
	struct fph_report report;
	struct fph_report inflate;
	struct fph_hint_session hint;
	struct balloon_ring ring[FPH_NQUEUES];
	struct balloon_stats stats;
	struct fph_balloon_queue_counters count[FPH_NQUEUES];
	uint64_t deflated;
	uint64_t stats_read;

	/* Storage and scratch; untouched pages of it cost nothing. */
	struct fph_seg segs[FPH_BALLOON_QUEUE_SIZE];
	struct fph_seg pfn_segs[FPH_BALLOON_MAX_PFNS];
	struct fph_chain report_chains[REPORT_CHAINS];
	struct fph_chain inflate_chains[INFLATE_CHAINS];
	struct fph_chain hint_chains[HINT_CHAINS];
	struct fph_slot report_slots[REPORT_SLOTS];
	struct fph_slot hint_slots[HINT_SLOTS];
	struct fph_slot inflate_slots[INFLATE_SLOTS];
};

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

/* Whether a buffer of this queue fits, whatever is in it. */
bool fph_balloon_is_room(const struct fph_balloon *b, int queue, uint32_t num);

/*
 * fph_balloon_take - take in the buffer elem, whose segments are in b->segs
 *
 * index: its ring.  There is room for it.  Whatever is in it, the buffer
 * comes back: at once, from flush, or, of statistics, when it is asked for.
 *
 * FPH_OK; FPH_PEER_* (the device is broken by it; not counted yet).
 */
int fph_balloon_take(struct fph_balloon *b, uint32_t index, int queue,
		     const struct fph_elem *elem);

/* Return a buffer; queue: where it is counted. */
void fph_balloon_push(struct fph_balloon *b, uint32_t index, int queue,
		      uint16_t head);

#endif /* FPH_VMM_BALLOON_INTERNAL_H */
