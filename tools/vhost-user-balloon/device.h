/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The balloon device of libfph-vmm with what it needs to run: guest memory, a
 * thread that discards, the rounds of hints, and what it has to tell.
 *
 * It knows nothing of sockets.  After any call that may have made the device
 * do something, the owner takes its effects with device_take_effects and
 * carries them out.
 */
#ifndef VUB_DEVICE_H
#define VUB_DEVICE_H

#include <errno.h>

#include <fph-vmm/balloon.h>

#include "events.h"
#include "freeze.h"
#include "hint.h"
#include "memory_table.h"
#include "worker.h"

/* What became of the memory of one queue's runs, beside the counters. */
struct discard_totals {
	uint64_t runs;
	uint64_t freed;			/* by which files became smaller */
};

struct device {
	struct fph_balloon *balloon;
	struct events *event_queue;
	struct memory_table memory;
	struct worker worker;
	struct hint hint;
	struct freeze freeze;
	int64_t turn_end;		/* microseconds: take none after it */
	uint32_t taken[FPH_NQUEUES];	/* buffers of each ring, since asked */
	uint32_t max_queue_size;
	uint64_t least_page;		/* memory is freed by it, bytes, */
	uint64_t page_size;		/* or by this, a page of all memory */
	uint32_t enabled;		/* rings that run and are enabled */
	bool hold;			/* take nothing: something waits (R5) */
	bool cancel;			/* no further discard: nobody waits */
	struct fph_reclaim_counters reclaimed;	/* when it was last idle */
	struct discard_totals report;
	struct discard_totals inflate;
	uint64_t left[FPH_NQUEUES];	/* buffers that a stop left behind */
	bool stats_came;		/* of the guest, and nobody looked */
	uint32_t calls;			/* rings whose interrupt is due */
	uint32_t events;		/* FPH_EVENT_* that are due */
};

struct device_effects {
	uint32_t calls;			/* bit n: interrupt of ring n */
	uint32_t events;		/* FPH_EVENT_* */
};

/* params: but for memory.  0, or a positive errno value. */
int device_init(struct device *d, const struct fph_balloon_params *params,
		const struct memory_policy *policy, struct events *events);

/* Waits for the discard that is in work. */
void device_fini(struct device *d);

/* A turn of the main loop begins, with its own budget of time. */
void device_begin_turn(struct device *d);

/*
 * Take buffers from a ring, a bounded number; device_pump begins their discards
 * and returns them.
 *
 * 0, or FPH_PEER_* when the driver broke the device.
 */
int device_process(struct device *d, uint32_t index);

/* How many buffers were taken from a ring; counts anew from 0. */
uint32_t device_get_taken(struct device *d, uint32_t index);

/* Rings that have more to take now. */
uint32_t device_get_ready(const struct device *d);

/* Complete what the worker finished, hand it the next batch, return buffers. */
void device_pump(struct device *d);

/*
 * Whether nothing that the driver asked for is still going on, after a pump;
 * with hold set it stays so, and rings and memory may change (R5).
 */
bool device_is_quiet(const struct device *d);

/*
 * The buffers of a queue that the device holds now.  What it held when a ring
 * was stopped is the driver's again: device_leave_buffers says so.
 */
uint64_t device_get_inflight(const struct device *d, int queue);
void device_leave_buffers(struct device *d, int queue);
void device_leave_all_buffers(struct device *d);

/* What is due; cleared by the call. */
struct device_effects device_take_effects(struct device *d);

/*
 * The memory table was changed, while no ring runs: pages of 4096 bytes that the
 * guest inflates are collected until a page of the host is whole.  Fault 16.
 */
void device_memory_changed(struct device *d);

/* The state a new front-end finds.  Only when quiet. */
void device_reset(struct device *d);

/* ------------------------------------------------------------------- rings */

/* Take up a ring, disabled.  0, or EINVAL. */
int device_start_ring(struct device *d, uint32_t index,
		      const struct fph_balloon_ring *ring);

/* Let go of it; *base: where it goes on.  0, or EBUSY: not quiet. */
int device_stop_ring(struct device *d, uint32_t index, uint32_t *base);

/* Whether buffers are taken from a ring that runs. */
void device_enable_ring(struct device *d, uint32_t index, bool on);

/* As fph_balloon_get_queue. */
int device_get_role(const struct device *d, uint32_t index, int *candidates);

/* ------------------------------------------------------------------- hints */

/* Whether a driver that can hint has its ring set up. */
bool device_can_hint(const struct device *d);

/* As hint_start, now or as soon as a driver can hint. */
int device_start_hint(struct device *d, uint64_t max_buffers, int then);
void device_run_pending_hint(struct device *d);

/* Whether the driver may still hold pages that DONE would free (D9). */
bool device_needs_done(const struct device *d);

/* ---------------------------------------------- features, config, counters */

static inline uint64_t device_get_features(const struct device *d)
{
	return fph_balloon_get_features(d->balloon);
}

static inline uint64_t device_get_negotiated(const struct device *d)
{
	return fph_balloon_get_negotiated(d->balloon);
}

static inline bool device_is_packed(const struct device *d)
{
	return device_get_negotiated(d) & FPH_BIT(VIRTIO_F_RING_PACKED);
}

/* 0, or EINVAL. */
static inline int device_set_features(struct device *d, uint64_t features)
{
	return fph_balloon_set_features(d->balloon, features) == FPH_OK ?
	       0 : EINVAL;
}

static inline void device_get_config(const struct device *d, uint32_t offset,
				     void *buf, uint32_t len)
{
	fph_balloon_get_config(d->balloon, offset, buf, len);
}

static inline void device_set_config(struct device *d, uint32_t offset,
				     const void *buf, uint32_t len)
{
	fph_balloon_set_config(d->balloon, offset, buf, len);
}

static inline bool device_is_broken(const struct device *d)
{
	return fph_balloon_is_broken(d->balloon);
}

static inline void device_get_counters(const struct device *d,
				       struct fph_balloon_counters *c)
{
	fph_balloon_get_counters(d->balloon, c, sizeof(*c));
}

static inline uint32_t device_get_config_size(const struct device *d)
{
	return fph_balloon_get_config_size(d->balloon);
}

/* Sizes of the balloon, units of 4096 bytes. */
static inline void device_set_target(struct device *d, uint32_t pages)
{
	fph_balloon_set_target(d->balloon, pages);
}

static inline uint32_t device_get_target(const struct device *d)
{
	return fph_balloon_get_target(d->balloon);
}

static inline uint32_t device_get_actual(const struct device *d)
{
	return fph_balloon_get_actual(d->balloon);
}

/* As fph_balloon_stats_request and fph_balloon_get_stats. */
static inline int device_request_stats(struct device *d)
{
	return fph_balloon_stats_request(d->balloon);
}

static inline uint32_t device_get_stats(const struct device *d,
					struct fph_stat *stats, uint32_t n)
{
	return fph_balloon_get_stats(d->balloon, stats, n);
}

#endif /* VUB_DEVICE_H */
