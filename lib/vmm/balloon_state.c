/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of the whole balloon device: doc/saved-state.adoc.
 *
 * Its own values come first, and behind them the states of its parts, each of
 * which says how long it is.  A device is loaded into a second one, which
 * takes the place of the first when all of it was good.
 */
#include <stdlib.h>
#include <string.h>

#include "core/inflight_state.h"
#include "vmm/balloon_internal.h"

#define VERSION		1u

/* Of the device. */
#define FLAG_RESETTING	1u
#define FLAG_BROKEN	2u
#define FLAGS		3u

/* Of the statistics buffer. */
#define STATS_HELD	1u
#define STATS_ASKED	2u

/* Of a ring. */
#define RING_RUNNING	1u
#define RING_ENABLED	2u
#define RING_DRAINING	4u
#define RING_KICKED	8u
#define RING_PUSHED	16u

#define MAX_ERROR	4096u
#define EVENTS		(2 * FPH_EVENT_DRAINED - 1)

/* ------------------------------------------------------------------ save -- */

/* What the device that loads it must have been made with as well. */
static void save_config(const struct fph_balloon *b,
			struct fph_state_writer *w)
{
	fph_state_put64(w, b->offered);
	fph_state_put64(w, b->collect_granule);
	fph_state_put32(w, (uint32_t)b->numbering);
	fph_state_put32(w, b->deflate != NULL);
}

static void save_values(const struct fph_balloon *b,
			struct fph_state_writer *w)
{
	fph_state_put64(w, b->negotiated);
	fph_state_put32(w, (uint32_t)b->legacy_endian);
	fph_state_put32(w, b->seen);
	fph_state_put32(w, b->num_pages);
	fph_state_put32(w, b->actual);
	fph_state_put32(w, b->poison_val);
	fph_state_put32(w, (uint32_t)b->frozen);
	fph_state_put32(w, (b->resetting ? FLAG_RESETTING : 0) |
			   (b->broken ? FLAG_BROKEN : 0));
	fph_state_put32(w, (uint32_t)-b->last_error);
	fph_state_put32(w, b->events);
	fph_state_put32(w, b->waiting);
	fph_state_put32(w, b->notify);
	fph_state_put64(w, b->deflated);
	fph_state_put64(w, b->stats_read);
	fph_state_put_all(w, b->count, sizeof(b->count));
}

static void save_stats(const struct balloon_stats *s,
		       struct fph_state_writer *w)
{
	fph_state_put32(w, (s->held ? STATS_HELD : 0) |
			   (s->asked ? STATS_ASKED : 0));
	fph_state_put32(w, s->ring);
	fph_state_put64(w, s->cookie);
	fph_state_put32(w, s->n);
	for (uint32_t i = 0; i < s->n; i++) {
		fph_state_put16(w, s->entry[i].tag);
		fph_state_put64(w, s->entry[i].val);
	}
}

/* The runs that pump has in hand. */
static void save_runs(const struct fph_balloon *b, struct fph_state_writer *w)
{
	fph_state_put32(w, b->pump_end - b->pump_first);
	for (uint32_t i = b->pump_first; i < b->pump_end; i++) {
		const struct fph_run *run = &b->runs[i];

		fph_state_put64(w, run->gpa);
		fph_state_put64(w, run->len);
		fph_state_put64(w, run->token);
		fph_state_put64(w, run->done);
		fph_state_put64(w, run->freed);
		fph_state_put8(w, run->outcome);
		fph_state_put8(w, run->reason);
		fph_state_put16(w, run->queue);
	}
}

static void save_collected(const struct fph_page_set *s,
			   struct fph_state_writer *w)
{
	struct fph_range run;
	uint64_t gpa = 0, n = 0;

	while (s && fph_page_set_next(s, &gpa, &run))
		n++;
	fph_state_put64(w, n);
	for (gpa = 0; s && fph_page_set_next(s, &gpa, &run);) {
		fph_state_put64(w, run.gpa);
		fph_state_put64(w, run.len);
	}
}

/* Where the state of a part goes, and how much room there is for it. */
static void *get_place(const struct fph_state_writer *w, size_t *room)
{
	*room = w->len < w->size ? w->size - w->len : 0;
	return *room ? w->buf + w->len : NULL;
}

static void save_report(const struct fph_report *r,
			struct fph_state_writer *w)
{
	size_t room, need;
	void *at = get_place(w, &room);

	(void)fph_report_save(r, at, room, &need);
	w->len += need;
}

static void save_hint(const struct fph_hint_session *s,
		      struct fph_state_writer *w)
{
	size_t room, need;
	void *at = get_place(w, &room);

	(void)fph_hint_session_save(s, at, room, &need);
	w->len += need;
}

/* What a ring is for, as it is saved. */
static uint32_t get_use(const struct balloon_ring *r)
{
	return r->queue < 0 ? FPH_NQUEUES : (uint32_t)r->queue;
}

static int save_ring(const struct balloon_ring *r, struct fph_state_writer *w)
{
	size_t room, need;
	void *at;
	int ret;

	fph_state_put32(w, (r->running ? RING_RUNNING : 0) |
			   (r->enabled ? RING_ENABLED : 0) |
			   (r->draining ? RING_DRAINING : 0) |
			   (r->kicked ? RING_KICKED : 0) |
			   (r->pushed ? RING_PUSHED : 0));
	if (!r->running)
		return FPH_OK;
	fph_state_put32(w, get_use(r));
	at = get_place(w, &room);
	ret = fph_vq_device_save(r->vq, at, room, &need);
	if (ret == FPH_EBUSY)
		return ret;
	w->len += need;
	return FPH_OK;
}

int fph_balloon_save(const struct fph_balloon *b, void *buf, size_t size,
		     size_t *needed)
{
	struct fph_state_writer w;

	if (!b)
		return FPH_EUNINIT;
	if (!needed)
		return FPH_EINVAL;
	fph_state_begin(&w, buf, size);
	save_config(b, &w);
	save_values(b, &w);
	save_stats(&b->stats, &w);
	save_runs(b, &w);
	save_collected(b->collected, &w);
	save_report(b->report, &w);
	save_report(b->inflate, &w);
	if (b->deflate)
		save_report(b->deflate, &w);
	save_hint(b->hint, &w);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		if (save_ring(&b->ring[i], &w) != FPH_OK)
			return FPH_EBUSY;
	}
	return fph_state_end(&w, FPH_STATE_BALLOON, VERSION, needed);
}

/* ---------------------------------------------------------------- values -- */

/*
 * By what is offered and by the numbering a ring is what it is.  A granule that
 * became whole may wait for its discard when the buffers of its pages are back:
 * only a device that collects the same granules has deflate wait for it.  On
 * another host nothing waits, and its memory may be of another kind.
 */
static int load_config(const struct fph_balloon *b, struct fph_state_reader *r,
		       uint32_t flags)
{
	uint64_t offered = fph_state_get64(r);
	uint64_t granule = fph_state_get64(r);
	uint32_t numbering = fph_state_get32(r);
	uint32_t hold_deflate = fph_state_get32(r);

	return offered == b->offered && numbering == (uint32_t)b->numbering &&
	       hold_deflate == (b->deflate != NULL) &&
	       (granule == b->collect_granule || (flags & FPH_LOAD_MOVED)) ?
	       FPH_OK : FPH_EREFUSED;
}

static int load_values(struct fph_balloon *b, struct fph_state_reader *r)
{
	uint32_t frozen, flags, error;

	b->negotiated = fph_state_get64(r);
	b->legacy_endian = (int)fph_state_get32(r);
	b->seen = fph_state_get32(r);
	b->num_pages = fph_state_get32(r);
	b->actual = fph_state_get32(r);
	b->poison_val = fph_state_get32(r);
	frozen = fph_state_get32(r);
	flags = fph_state_get32(r);
	error = fph_state_get32(r);
	b->events = fph_state_get32(r);
	b->waiting = fph_state_get32(r);
	b->notify = fph_state_get32(r);
	b->deflated = fph_state_get64(r);
	b->stats_read = fph_state_get64(r);
	fph_state_get_all(r, b->count, sizeof(b->count));
	b->frozen = (int)frozen;
	b->resetting = flags & FLAG_RESETTING;
	b->broken = flags & FLAG_BROKEN;
	if ((b->negotiated & ~b->offered) || flags > FLAGS ||
	    frozen > FPH_FREEZE_SKIP ||
	    !fph_is_endian(b->legacy_endian) || b->seen > WAIT_RINGS ||
	    b->events > EVENTS || b->waiting >= 2 * WAIT_DEVICE ||
	    b->notify > WAIT_RINGS)
		return FPH_ECORRUPT;
	b->last_error = error < MAX_ERROR ? -(int)error : FPH_EINVAL;
	if (b->broken ? !fph_status_is_peer(b->last_error) : error)
		return FPH_ECORRUPT;
	fph_balloon_update_endian(b);
	return FPH_OK;
}

static int load_stats(struct balloon_stats *s, struct fph_state_reader *r)
{
	uint32_t flags = fph_state_get32(r);

	s->held = flags & STATS_HELD;
	s->asked = flags & STATS_ASKED;
	s->ring = fph_state_get32(r);
	s->cookie = fph_state_get64(r);
	s->n = fph_state_get32(r);
	if (flags > STATS_ASKED || s->ring >= FPH_NQUEUES || s->cookie >> 32 ||
	    s->n > FPH_BALLOON_NSTATS)
		return FPH_ECORRUPT;
	for (uint32_t i = 0; i < s->n; i++) {
		s->entry[i].tag = fph_state_get16(r);
		s->entry[i].val = fph_state_get64(r);
	}
	return FPH_OK;
}

static bool is_run(const struct fph_run *run)
{
	return !fph_is_bad_range(run->gpa, run->len) &&
	       run->done <= run->len && run->freed <= run->done &&
	       run->outcome <= FPH_OUTCOME_FAILED &&
	       (run->queue == FPH_QUEUE_REPORT ||
		run->queue == FPH_QUEUE_INFLATE);
}

static int load_runs(struct fph_balloon *b, struct fph_state_reader *r)
{
	uint32_t n = fph_state_get32(r);

	if (n > BALLOON_RUNS)
		return FPH_ECORRUPT;
	for (uint32_t i = 0; i < n; i++) {
		struct fph_run *run = &b->runs[i];

		run->gpa = fph_state_get64(r);
		run->len = fph_state_get64(r);
		run->token = fph_state_get64(r);
		run->done = fph_state_get64(r);
		run->freed = fph_state_get64(r);
		run->outcome = fph_state_get8(r);
		run->reason = fph_state_get8(r);
		run->queue = fph_state_get16(r);
		if (!is_run(run))
			return FPH_ECORRUPT;
	}
	b->pump_end = n;
	return FPH_OK;
}

static int load_collected(struct fph_page_set *s, struct fph_state_reader *r)
{
	uint64_t n = fph_state_get64(r);
	struct fph_range run;
	uint64_t end = 0;

	if (n && !s)
		return FPH_EREFUSED;
	/* Behind the end of the state there are no good ranges. */
	for (; n; n--) {
		run.gpa = fph_state_get64(r);
		run.len = fph_state_get64(r);
		if (fph_is_bad_range(run.gpa, run.len) || run.gpa < end ||
		    ((run.gpa | run.len) & (BALLOON_PAGE - 1)))
			return FPH_ECORRUPT;
		if (!fph_page_set_covers(s, &run))
			return FPH_EREFUSED;
		fph_page_set_add(s, &run);
		end = run.gpa + run.len;
	}
	return FPH_OK;
}

/* ----------------------------------------------------------------- parts -- */

/* A part's state and its size, by its own header; NULL: it is cut off. */
static const uint8_t *get_part(struct fph_state_reader *r, size_t *size)
{
	const uint8_t *p = r->p;
	uint64_t n;

	if (r->left < FPH_STATE_HEADER)
		return NULL;
	n = fph_get64(p + 8, FPH_LE);
	if (n > r->left || n < FPH_STATE_HEADER)
		return NULL;
	*size = (size_t)n;
	r->p += *size;
	r->left -= *size;
	return p;
}

/*
 * Counts the buffers of a part by the ring that they are from; skip: bytes in
 * front of them.
 */
static int count_buffers(const uint8_t *part, size_t size, size_t skip,
			 uint32_t *inflight)
{
	struct fph_state_reader r = {
		.p = part + FPH_STATE_HEADER + skip,
		.left = size - FPH_STATE_HEADER - skip
	};
	uint32_t n = fph_inflight_open_buffers(&r);

	while (n--) {
		uint64_t cookie = fph_inflight_read_cookie(&r);

		if (cookie >> 32 >= FPH_NQUEUES)
			return FPH_ECORRUPT;
		inflight[cookie >> 32]++;
	}
	return FPH_OK;
}

static int load_report(struct fph_report *rep, struct fph_state_reader *r,
		       uint32_t flags, uint32_t *inflight)
{
	size_t size;
	const uint8_t *p = get_part(r, &size);
	int ret = p ? fph_report_load(rep, p, size, flags) : FPH_ECORRUPT;

	return ret != FPH_OK ? ret :
	       count_buffers(p, size, 8 + sizeof(struct fph_report_counters),
			     inflight);
}

static int load_hint(struct fph_hint_session *s, struct fph_state_reader *r,
		     uint32_t flags, uint32_t *inflight)
{
	size_t size;
	const uint8_t *p = get_part(r, &size);
	int ret = p ? fph_hint_session_load(s, p, size, flags) : FPH_ECORRUPT;

	return ret != FPH_OK ? ret :
	       count_buffers(p, size, 28 + sizeof(struct fph_hint_counters),
			     inflight);
}

static int load_parts(struct fph_balloon *b, struct fph_state_reader *r,
		      uint32_t flags, uint32_t *inflight)
{
	int ret = load_report(b->report, r, flags, inflight);

	if (ret == FPH_OK)
		ret = load_report(b->inflate, r, flags, inflight);
	if (ret == FPH_OK && b->deflate)
		ret = load_report(b->deflate, r, flags, inflight);
	if (ret == FPH_OK)
		ret = load_hint(b->hint, r, flags, inflight);
	return ret;
}

/* inflight: buffers that the parts hold of it. */
static int load_ring(struct fph_balloon *b, uint32_t index,
		     const struct fph_balloon_ring *ring,
		     struct fph_state_reader *r, uint32_t inflight)
{
	uint32_t flags = fph_state_get32(r);
	struct balloon_ring *to = &b->ring[index];
	const uint8_t *p;
	uint32_t use;
	size_t size;
	int ret;

	if (flags > 2 * RING_PUSHED - 1)
		return FPH_ECORRUPT;
	to->kicked = flags & RING_KICKED;
	if (!(flags & RING_RUNNING))
		return (flags & ~RING_KICKED) || inflight ? FPH_ECORRUPT :
							    FPH_OK;
	use = fph_state_get32(r);
	p = get_part(r, &size);
	if (!p || use > FPH_NQUEUES)
		return FPH_ECORRUPT;
	if (!ring || !ring[index].desc)
		return FPH_EINVAL;
	if (ring[index].num > b->max_queue_size)
		return FPH_EREFUSED;
	ret = fph_balloon_ring_start(b, index, &ring[index]);
	if (ret == FPH_OK && get_use(to) != use)
		ret = FPH_EREFUSED;
	if (ret == FPH_OK)
		ret = fph_vq_device_load(to->vq, p, size);
	if (ret != FPH_OK)
		return ret;
	to->enabled = flags & RING_ENABLED;
	to->draining = flags & RING_DRAINING;
	to->pushed = flags & RING_PUSHED;
	return fph_vq_device_get_inflight(to->vq) == inflight ? FPH_OK :
								FPH_ECORRUPT;
}

/* ------------------------------------------------------------------ load -- */

/* What was begun is not going on, and nobody knows who was told of what. */
static void move(struct fph_balloon *b)
{
	b->pump_end = 0;
	if (!b->resetting)
		fph_balloon_skip_waiting(b);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		if (b->ring[i].enabled)
			b->ring[i].kicked = true;
	}
	if (b->waiting)
		b->events |= FPH_EVENT_DRAINED;
	b->waiting = 0;
	fph_balloon_hide_done(b);
	b->events |= FPH_EVENT_CONFIG | FPH_EVENT_HINT;
}

static int load(struct fph_balloon *b, struct fph_state_reader *r,
		uint32_t flags, const struct fph_balloon_ring *rings)
{
	uint32_t inflight[FPH_NQUEUES] = { 0 };
	uint32_t seen;
	int ret = load_config(b, r, flags);

	if (ret == FPH_OK)
		ret = load_values(b, r);
	if (ret == FPH_OK)
		ret = load_stats(&b->stats, r);
	if (ret == FPH_OK)
		ret = load_runs(b, r);
	if (ret == FPH_OK)
		ret = load_collected(b->collected, r);
	if (ret == FPH_OK)
		ret = load_parts(b, r, flags, inflight);
	inflight[b->stats.ring < FPH_NQUEUES ? b->stats.ring : 0] +=
		b->stats.held;
	seen = b->seen;
	for (uint32_t i = 0; i < FPH_NQUEUES && ret == FPH_OK; i++)
		ret = load_ring(b, i, rings, r, inflight[i]);
	if (ret != FPH_OK)
		return ret;
	/* Every ring that runs was seen. */
	if (b->seen != seen || !fph_state_is_done(r))
		return FPH_ECORRUPT;
	fph_balloon_update_poison(b);
	fph_balloon_update_endian(b);
	fph_balloon_update_queues(b);
	if (flags & FPH_LOAD_MOVED)
		move(b);
	return FPH_OK;
}

int fph_balloon_load(struct fph_balloon *b, const void *buf, size_t size,
		     uint32_t flags, const struct fph_balloon_ring *rings)
{
	struct fph_state_reader r;
	struct fph_balloon *fresh;
	int ret;

	if (!b)
		return FPH_EUNINIT;
	if (!buf || (flags & ~FPH_LOAD_MOVED))
		return FPH_EINVAL;
	if (fph_balloon_is_any_running(b) || fph_balloon_get_outstanding(b))
		return FPH_ESTATE;
	ret = fph_state_open(&r, buf, size, FPH_STATE_BALLOON, VERSION);
	if (ret != FPH_OK)
		return ret;
	fresh = fph_balloon_new(&b->params, &ret);
	if (!fresh)
		return ret;
	ret = fph_balloon_set_inflate_granule(fresh, b->collect_granule);
	if (ret == FPH_OK)
		ret = load(fresh, &r, flags, rings);
	if (ret != FPH_OK) {
		fph_balloon_free(fresh);
		return ret;
	}
	fph_balloon_free_parts(b);
	*b = *fresh;
	free(fresh);
	return FPH_OK;
}
