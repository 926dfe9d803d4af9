/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The rings of the balloon device: which queue each one is, start and stop,
 * taking buffers and giving them back.
 *
 *		start	enable	stop		process
 *  off		on	ESTATE	ESTATE		ESTATE
 *  on		ESTATE	enabled	off		ESTATE
 *  enabled	ESTATE	=	off, draining	takes
 *  draining	ESTATE	=	off, draining	0
 *
 * stop makes it draining, with FPH_EBUSY, while buffers are in flight; a reset
 * makes every ring off.  A ring that is no queue takes part in all of this but
 * process, which answers FPH_ESTATE.
 *
 * A ring has "more" from when it is enabled until process found it empty and
 * had the driver asked for notifications.
 */
#include <limits.h>
#include <string.h>

#include "balloon_internal.h"

/* What comes back with a buffer: its ring and its head. */
static uint64_t get_cookie_ring(uint64_t cookie)
{
	return cookie >> 16;
}

/* ------------------------------------------------------------- numbering -- */

static int get_queue_by(const struct fph_balloon *b, uint32_t index,
			int numbering)
{
	for (int q = 0; q < FPH_NQUEUES; q++) {
		if (fph_queue_get_index(q, numbering, b->offered,
					b->negotiated) == (int)index)
			return q;
	}
	return FPH_ENOENT;
}

/* Whether a numbering can be that of the rings seen: then it is preferred. */
static bool is_candidate(const struct fph_balloon *b, int numbering)
{
	int chosen;

	return fph_queue_infer(&chosen, b->offered, b->negotiated, b->seen,
			       numbering) > 0 && chosen == numbering;
}

/*
 * As long as several numberings fit, an index is a queue only when all of them
 * say the same: a hint must never be taken for a report.  A driver starts all
 * its rings before it uses one, so this ends before it matters.
 */
static int agree(const struct fph_balloon *b, uint32_t index, int *candidates)
{
	uint32_t answers = 0;
	int queue = FPH_ENOENT;

	*candidates = 0;
	for (int n = FPH_NUMBERING_FIXED; n <= FPH_NUMBERING_OFFERED; n++) {
		int q = get_queue_by(b, index, n);
		uint32_t bit = q < 0 ? 1u << FPH_NQUEUES : 1u << q;

		if (!is_candidate(b, n) || (answers & bit))
			continue;
		answers |= bit;
		*candidates += 1;
		queue = *candidates == 1 ? q : FPH_ENOENT;
	}
	return queue;
}

int fph_balloon_get_queue(const struct fph_balloon *b, uint32_t index,
			  int *candidates)
{
	int numbering = b->numbering;
	int fit = 1;
	int queue;

	if (!numbering)
		fit = fph_queue_infer(&numbering, b->offered, b->negotiated,
				      b->seen, FPH_NUMBERING_NEGOTIATED);
	queue = fit > 1 ? agree(b, index, &fit) :
			  get_queue_by(b, index, numbering);
	if (candidates)
		*candidates = fit;
	return queue;
}

/* -------------------------------------------------------- start and stop -- */

static const void *map_guest(void *ctx, uint64_t gpa, uint64_t len)
{
	return fph_memory_get_host(ctx, gpa, len);
}

int fph_balloon_ring_start(struct fph_balloon *b, uint32_t index,
			   const struct fph_balloon_ring *ring)
{
	struct fph_split_device_params params = {
		.size = sizeof(params),
		.num = ring->num,
		.base = ring->base,
		.event_idx = b->negotiated & FPH_BIT(VIRTIO_RING_F_EVENT_IDX),
		.indirect = b->negotiated &
			    FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC),
		.endian = b->endian,
		.desc = ring->desc,
		.avail = ring->avail,
		.used = ring->used,
		.map = map_guest,
		.map_ctx = b->memory
	};
	struct balloon_ring *r;

	if (index >= FPH_NQUEUES || ring->num > FPH_BALLOON_QUEUE_SIZE)
		return FPH_EINVAL;
	r = &b->ring[index];
	if (r->running)
		return FPH_ESTATE;
	if (fph_split_device_init(&r->vq, &params) != FPH_OK)
		return FPH_EINVAL;
	r->num = ring->num;
	r->running = true;
	b->seen |= 1u << index;
	return FPH_OK;
}

int fph_balloon_ring_enable(struct fph_balloon *b, uint32_t index, bool on)
{
	struct balloon_ring *r;

	if (index >= FPH_NQUEUES)
		return FPH_EINVAL;
	r = &b->ring[index];
	if (!r->running)
		return FPH_ESTATE;
	/* It may hold buffers that the driver has told of before. */
	if (on)
		r->more = true;
	r->enabled = on;
	return FPH_OK;
}

static bool is_any_running(const struct fph_balloon *b)
{
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		if (b->ring[i].running)
			return true;
	}
	return false;
}

int fph_balloon_ring_stop(struct fph_balloon *b, uint32_t index,
			  uint16_t *base)
{
	struct balloon_ring *r;
	uint16_t held;

	if (index >= FPH_NQUEUES)
		return FPH_EINVAL;
	r = &b->ring[index];
	if (!r->running)
		return FPH_ESTATE;
	r->draining = true;
	held = b->stats.held && b->stats.ring == index;
	if (fph_split_device_get_inflight(&r->vq) > held)
		return FPH_EBUSY;

	*base = (uint16_t)(fph_split_device_get_base(&r->vq) - held);
	if (b->stats.ring == index) {
		b->stats.held = false;
		b->stats.asked = false;
	}
	if (r->pushed && fph_split_device_get_notify(&r->vq) == 1)
		b->notify |= 1u << index;
	memset(r, 0, sizeof(*r));
	/*
	 * Which rings there are tells how they are numbered, so one that
	 * stops counts until all did.
	 */
	if (!is_any_running(b))
		b->seen = 0;
	return FPH_OK;
}

/* -------------------------------------------------------- taking buffers -- */

/*
 * Finds a ring empty, unless the driver was quicker: looks again after asking
 * for notifications, but only once, for the driver writes what is looked at.
 */
static bool is_empty(struct balloon_ring *r, bool *raced)
{
	r->more = fph_split_device_arm(&r->vq, true) == 1;
	if (!r->more || *raced)
		return true;
	*raced = true;
	return false;
}

/* A broken rule that leaves no safe way on: nothing more is popped. */
static int break_device(struct fph_balloon *b, int queue, int status)
{
	struct balloon_hint_view before = fph_balloon_look(b);

	/* The round ends as by a stop of the host (FPH-Q-8A). */
	(void)fph_hint_session_stop(&b->hint);
	fph_balloon_note(b, &before);
	b->broken = true;
	b->last_error = status;
	b->events |= FPH_EVENT_BROKEN;
	b->count[queue].peer_errors++;
	return status;
}

static int take_some(struct fph_balloon *b, uint32_t index, int queue,
		     int budget)
{
	struct balloon_ring *r = &b->ring[index];
	struct fph_elem elem;
	bool raced = false;
	int n = 0;

	(void)fph_split_device_arm(&r->vq, false);
	/* With room for any buffer, none that was popped has to go back. */
	while (n < budget && fph_balloon_is_room(b, queue, r->num)) {
		int ret = fph_split_device_pop(&r->vq, &elem, b->segs,
					       FPH_BALLOON_QUEUE_SIZE);

		if (ret < 0)
			return break_device(b, queue, ret);
		if (!ret) {
			if (is_empty(r, &raced))
				break;
			continue;
		}
		b->count[queue].popped++;
		ret = fph_balloon_take(b, index, queue, &elem);
		if (ret < 0)
			return break_device(b, queue, ret);
		n++;
	}
	return n;
}

int fph_balloon_process(struct fph_balloon *b, uint32_t index, uint32_t budget)
{
	struct balloon_ring *r;
	int queue;

	if (index >= FPH_NQUEUES || !budget)
		return FPH_EINVAL;
	r = &b->ring[index];
	if (!r->running || !r->enabled)
		return FPH_ESTATE;
	if (b->broken)
		return FPH_PEER_BROKEN;
	r->more = true;
	queue = fph_balloon_get_queue(b, index, NULL);
	if (queue < 0)
		return FPH_ESTATE;
	if (b->frozen || b->resetting || r->draining)
		return 0;
	return take_some(b, index, queue,
			 budget < INT_MAX ? (int)budget : INT_MAX);
}

static bool is_ready(const struct fph_balloon *b, uint32_t index)
{
	const struct balloon_ring *r = &b->ring[index];
	int queue;

	if (!r->running || !r->enabled || r->draining || !r->more)
		return false;
	queue = fph_balloon_get_queue(b, index, NULL);
	return queue >= 0 && fph_balloon_is_room(b, queue, r->num);
}

uint32_t fph_balloon_get_ready(const struct fph_balloon *b)
{
	uint32_t ready = 0;

	if (b->frozen || b->resetting || b->broken)
		return 0;
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		ready |= is_ready(b, i) ? 1u << i : 0;
	return ready;
}

/* ------------------------------------------------------ giving them back -- */

void fph_balloon_push(struct fph_balloon *b, uint32_t index, int queue,
		      uint16_t head)
{
	struct balloon_ring *r = &b->ring[index];

	/*
	 * A used length of 0 for every queue: the device writes nothing, and
	 * to the driver the length means nothing.
	 */
	if (fph_split_device_push(&r->vq, head, 0) == FPH_OK) {
		r->pushed = true;
		b->count[queue].pushed++;
	}
}

static void push_chain(struct fph_balloon *b, int queue, uint64_t cookie)
{
	fph_balloon_push(b, (uint32_t)get_cookie_ring(cookie), queue,
			 (uint16_t)cookie);
}

uint32_t fph_balloon_flush(struct fph_balloon *b)
{
	struct fph_chain_end end;
	uint32_t n = 0;

	if (b->frozen || b->resetting)
		return 0;
	for (; fph_report_end(&b->report, &end) == 1; n++)
		push_chain(b, FPH_QUEUE_REPORT, end.cookie);
	for (; fph_report_end(&b->inflate, &end) == 1; n++)
		push_chain(b, FPH_QUEUE_INFLATE, end.cookie);
	for (; fph_hint_session_end(&b->hint, &end) == 1; n++)
		push_chain(b, FPH_QUEUE_HINT, end.cookie);
	return n;
}

uint32_t fph_balloon_get_notify(struct fph_balloon *b)
{
	uint32_t notify = b->notify;

	b->notify = 0;
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		struct balloon_ring *r = &b->ring[i];

		if (!r->pushed)
			continue;
		r->pushed = false;
		if (fph_split_device_get_notify(&r->vq) == 1)
			notify |= 1u << i;
	}
	return notify;
}
