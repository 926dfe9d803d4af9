/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The rings of the balloon device: which queue each one is, start and enable,
 * kicks and interrupts.
 *
 *		start	enable	stop		process
 *  off		on	ESTATE	ESTATE		ESTATE
 *  on		ESTATE	enabled	off		ESTATE
 *  enabled	ESTATE	=	off, draining	takes
 *  draining	ESTATE	=	off, draining	0
 *
 * stop makes it draining, with FPH_EINPROGRESS, while buffers are in flight,
 * and takes those itself that wait in an inflight record; a reset makes every
 * ring off.  A ring that is no queue takes part in all of this but process,
 * which answers FPH_ESTATE.
 *
 * A ring is kicked from a kick, or from when it is enabled, until process found
 * it empty and had the driver asked for notifications.
 */
#include "core/common.h"
#include "vmm/balloon_internal.h"

/* ------------------------------------------------------------- numbering -- */

static int get_queue_by(const struct fph_balloon *b, uint32_t index,
			int numbering)
{
	for (int q = 0; q < FPH_NQUEUES; q++) {
		if (fph_queue_index(q, numbering, b->offered,
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
	int numbering;
	int fit = 1;
	int queue;

	if (!b)
		return FPH_EUNINIT;
	numbering = b->numbering;
	if (!numbering)
		fit = fph_queue_infer(&numbering, b->offered, b->negotiated,
				      b->seen, FPH_NUMBERING_NEGOTIATED);
	queue = fit > 1 ? agree(b, index, &fit) :
			  get_queue_by(b, index, numbering);
	if (candidates)
		*candidates = fit;
	return queue;
}

void fph_balloon_update_queues(struct fph_balloon *b)
{
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		b->ring[i].queue = fph_balloon_get_queue(b, i, NULL);
}

/* ----------------------------------------------------- start and enable -- */

/* FPH_OK; or why a call on a ring that must run is not allowed. */
static int check_running(const struct fph_balloon *b, uint32_t index)
{
	if (!b)
		return FPH_EUNINIT;
	if (index >= FPH_NQUEUES)
		return FPH_EINVAL;
	return b->ring[index].running ? FPH_OK : FPH_ESTATE;
}

int fph_balloon_ring_start(struct fph_balloon *b, uint32_t index,
			   const struct fph_balloon_ring *ring)
{
	struct fph_vq_device_params params = {
		.size = sizeof(params),
		.map = fph_memory_map,
	};
	struct fph_balloon_ring in;
	struct balloon_ring *r;
	int ret = check_running(b, index);

	if (ret != FPH_ESTATE)
		return ret == FPH_OK ? FPH_ESTATE : ret;
	if (!fph_params_read(&in, sizeof(in), ring, sizeof(in)) ||
	    in.num > b->max_queue_size)
		return FPH_EINVAL;
	params.num = in.num;
	params.features = b->negotiated;
	params.endian = (uint32_t)b->endian;
	params.base = in.base;
	params.desc = in.desc;
	params.driver = in.driver;
	params.device = in.device;
	params.inflight = in.inflight;
	params.map_ctx = (void *)(uintptr_t)b->memory;
	r = &b->ring[index];
	if (fph_vq_device_init(&r->vq, r->memory,
			       FPH_VQ_DEVICE_SIZE(b->max_queue_size), &params))
		return FPH_EINVAL;
	r->num = in.num;
	/* Nothing was popped yet. */
	r->old = fph_vq_device_get_inflight(r->vq);
	r->pushed = in.inflight != NULL;
	r->running = true;
	b->seen |= 1u << index;
	fph_balloon_update_queues(b);
	return FPH_OK;
}

int fph_balloon_ring_enable(struct fph_balloon *b, uint32_t index, bool on)
{
	int ret = check_running(b, index);

	if (ret != FPH_OK)
		return ret;
	/* It may hold buffers that the driver has told of before. */
	if (on)
		b->ring[index].kicked = true;
	b->ring[index].enabled = on;
	return FPH_OK;
}

int fph_balloon_kick(struct fph_balloon *b, uint32_t index)
{
	if (!b)
		return FPH_EUNINIT;
	if (index >= FPH_NQUEUES)
		return FPH_EINVAL;
	b->ring[index].kicked = true;
	return FPH_OK;
}

/* ------------------------------------------------------------------ room -- */

static bool is_room_in(const struct fph_report *r, uint32_t num)
{
	uint32_t buffers, segs;

	fph_report_get_room(r, &buffers, &segs);
	return buffers && segs >= num;
}

/* Whether a discard of inflated pages waits or is going on. */
static bool is_inflating(const struct fph_balloon *b)
{
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		const struct balloon_ring *r = &b->ring[i];

		if (r->running && r->queue == FPH_QUEUE_INFLATE &&
		    fph_vq_device_get_inflight(r->vq) > r->old)
			return true;
	}
	return false;
}

bool fph_balloon_is_room(const struct fph_balloon *b, int queue, uint32_t num)
{
	uint32_t buffers, segs;

	switch (queue) {
	case FPH_QUEUE_INFLATE:
		return is_room_in(b->inflate, FPH_BALLOON_MAX_PFNS);
	case FPH_QUEUE_DEFLATE:
		/*
		 * A collected page may be in a discard that has not begun when
		 * its own buffer came back long ago.
		 */
		if (b->collected && is_inflating(b))
			return false;
		return !b->deflate ||
		       is_room_in(b->deflate, FPH_BALLOON_MAX_PFNS);
	case FPH_QUEUE_REPORT:
		return is_room_in(b->report, num);
	case FPH_QUEUE_HINT:
		fph_hint_session_get_room(b->hint, &buffers, &segs);
		return buffers && segs >= num;
	default:
		return true;
	}
}

static bool is_ready(const struct fph_balloon *b, uint32_t index)
{
	const struct balloon_ring *r = &b->ring[index];

	return r->running && r->enabled && !r->draining && r->kicked &&
	       r->queue >= 0 && fph_balloon_is_room(b, r->queue, r->num);
}

uint32_t fph_balloon_get_ready(const struct fph_balloon *b)
{
	uint32_t ready = 0;

	if (!b || fph_balloon_is_held(b) || b->resetting || b->broken)
		return 0;
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		ready |= is_ready(b, i) ? 1u << i : 0;
	return ready;
}

/* ------------------------------------------------------ giving them back -- */

void fph_balloon_push(struct fph_balloon *b, int queue, struct fph_used *used,
		      uint32_t n)
{
	while (n) {
		uint32_t index = (uint32_t)(used->cookie >> 32);
		struct balloon_ring *r = &b->ring[index];
		uint32_t k;

		for (k = 0; k < n && used[k].cookie >> 32 == index; k++) {
			used[k].cookie &= 0xffffffffu;
			/*
			 * The device writes nothing into any buffer, and to
			 * the driver the length means nothing.
			 */
			used[k].len = 0;
		}
		(void)fph_vq_device_push(r->vq, used, k);
		r->pushed = true;
		b->count[queue].pushed += k;
		used += k;
		n -= k;
	}
}

uint32_t fph_balloon_take_notify(struct fph_balloon *b)
{
	uint32_t notify;

	if (!b)
		return 0;
	notify = b->notify;
	b->notify = 0;
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		struct balloon_ring *r = &b->ring[i];

		if (!r->pushed)
			continue;
		r->pushed = false;
		if (fph_vq_device_should_notify(r->vq) == 1)
			notify |= 1u << i;
	}
	return notify;
}

/* ------------------------------------------------------------------ base -- */

static bool is_stats_held(const struct fph_balloon *b, uint32_t index)
{
	return b->stats.held && b->stats.ring == index;
}

uint32_t fph_balloon_count_inflight(const struct fph_balloon *b,
				    uint32_t index)
{
	return fph_vq_device_get_inflight(b->ring[index].vq) -
	       is_stats_held(b, index);
}

uint32_t fph_balloon_get_base(const struct fph_balloon *b, uint32_t index)
{
	const struct fph_vq_device *vq = b->ring[index].vq;

	if (is_stats_held(b, index))
		return fph_vq_device_get_base_of(vq, b->stats.cookie);
	return fph_vq_device_get_base(vq);
}

int fph_balloon_ring_get_base(const struct fph_balloon *b, uint32_t index,
			      uint32_t *base)
{
	int ret = check_running(b, index);

	if (ret != FPH_OK)
		return ret;
	if (fph_balloon_count_inflight(b, index))
		return FPH_EBUSY;
	*base = fph_balloon_get_base(b, index);
	return FPH_OK;
}

int fph_balloon_ring_take_written(struct fph_balloon *b, uint32_t index,
				  struct fph_span *spans)
{
	int ret = check_running(b, index);

	return ret == FPH_OK ? fph_vq_device_take_written(b->ring[index].vq,
							  spans) : ret;
}
