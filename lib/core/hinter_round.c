/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's side of free page hinting: rounds.
 *
 * state x call -> next state.  "=" keeps the state.
 *
 *                  IDLE        WANTED        ACTIVE         STOPPING
 * reset            IDLE        IDLE          IDLE           IDLE
 * set_config of:
 *   a new id       WANTED      = (a)         STOPPING (a)   = (a)
 *   its own id     -           =             = (b)          =, IDLE next
 *   an old id (h)  =           IDLE (a)      STOPPING (a)   IDLE next (c)
 *   0              =           IDLE (a)      =, STOPPING(d) IDLE next (c)
 *   DONE           =           IDLE (a)      STOPPING (a)   IDLE next (c)
 * finish_input     ESTATE      = (e)         = (e)          = (e) or ESTATE
 * stop             =           IDLE (a)      STOPPING (a)   IDLE next (c)
 * submit: START    -           ACTIVE        -              -
 *         HINT     -           -             =              -
 *         STOP     -           -             IDLE (f)       WANTED, IDLE (g)
 * cancel of START  -           -             WANTED         WANTED, IDLE (g)
 *           HINT   -           -             =              =
 *           STOP   STOPPING    STOPPING      -              -
 * add, flush, complete, take_back, shrink keep the state.
 *
 * (a) what waits was seen under an id that is over (V1): it is withdrawn.
 * (b) shows that this device shows an id while it is active, if START is used.
 * (c) the state stays STOPPING, the next id is forgotten, as in (a).
 * (d) STOPPING, with (a), when the device is known to show active ids.
 * (e) add answers ESTATE from here on.  STOP is due when nothing waits.
 * (f) only after finish_input.
 * (g) WANTED if there is a next id.
 * (h) that of the latest START, or the latest one that stop declined.
 *
 * Every START that was put into the queue has one STOP: ACTIVE is left by STOP
 * alone, or by way of STOPPING, which is left by STOP alone.
 */
#include "hinter.h"

/* ---------------------------------------------------------------- ranges -- */

static void count_stale(struct fph_hinter *h, const struct fph_amount *a)
{
	h->counters.stale += a->ranges;
	h->counters.stale_bytes += a->bytes;
}

/* What waits is not hinted any more. */
static void withdraw(struct fph_hinter *h)
{
	count_stale(h, &h->pool.waiting);
	fph_pool_withdraw(&h->pool, &h->pool.back[false]);
	h->finished = false;
}

/* The device has used a hint. */
static void finish(struct fph_hinter *h, uint32_t i)
{
	bool keep = h->mode == FPH_HINTER_HOLD &&
		    h->pool.batches[i].id == h->rounds;

	fph_pool_finish(&h->pool, i, keep ? &h->held : &h->pool.back[true]);
}

/* DONE: used pages are free to go, the others when they are used. */
static void release_all(struct fph_hinter *h)
{
	fph_pool_release(&h->pool, &h->held, &h->pool.back[true]);
	h->rounds++;
}

static void free_command(struct fph_hinter *h, uint32_t i)
{
	fph_pool_close(&h->pool, i);
	h->nfree++;
}

int fph_hinter_reset(struct fph_hinter *h)
{
	struct fph_pool *p;
	uint32_t i;

	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	p = &h->pool;
	while ((i = p->batches[0].newer) != 0) {
		if (p->batches[i].tag == HINT)
			fph_pool_finish(p, i, &p->back[false]);
		else
			free_command(h, i);
	}
	withdraw(h);
	release_all(h);
	h->state = FPH_HINTER_IDLE;
	h->id = 0;
	h->wanted = 0;
	h->begun = 0;
	h->before = 0;
	h->declined = 0;
	h->start = 0;
	h->started = false;
	h->shows = false;
	return FPH_OK;
}

/* ---------------------------------------------------------------- config -- */

/* The state outside of a round. */
static void leave_round(struct fph_hinter *h)
{
	h->id = 0;
	h->state = h->wanted ? FPH_HINTER_WANTED : FPH_HINTER_IDLE;
}

static void stop_round(struct fph_hinter *h)
{
	if (h->state != FPH_HINTER_ACTIVE)
		return;
	withdraw(h);
	h->state = FPH_HINTER_STOPPING;
}

/* Not in ACTIVE: what waits was seen under the id that was wanted. */
static void set_wanted(struct fph_hinter *h, uint32_t id)
{
	if (id == h->wanted)
		return;
	withdraw(h);
	h->wanted = id;
	if (h->state != FPH_HINTER_STOPPING)
		leave_round(h);
}

static void read_stop(struct fph_hinter *h)
{
	if (h->state == FPH_HINTER_ACTIVE && !h->shows) {
		h->counters.zeros++;
		return;
	}
	stop_round(h);
	set_wanted(h, 0);
}

static void read_id(struct fph_hinter *h, uint32_t id)
{
	if (h->state == FPH_HINTER_ACTIVE && id == h->id) {
		if (h->started)
			h->shows = true;
		return;
	}
	stop_round(h);
	/* An id has one START (VIO-HINT-DRV-3). */
	set_wanted(h, id == h->begun || id == h->declined ? 0 : id);
}

int fph_hinter_set_config(struct fph_hinter *h, uint32_t value)
{
	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	switch (value) {
	case VIRTIO_BALLOON_CMD_ID_STOP:
		read_stop(h);
		break;
	case VIRTIO_BALLOON_CMD_ID_DONE:
		release_all(h);
		stop_round(h);
		set_wanted(h, 0);
		break;
	default:
		read_id(h, value);
	}
	return FPH_OK;
}

int fph_hinter_stop(struct fph_hinter *h)
{
	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	stop_round(h);
	if (h->wanted)
		h->declined = h->wanted;
	set_wanted(h, 0);
	return FPH_OK;
}

/* ---------------------------------------------------------------- submit -- */

/* There is a free one: START leaves one for its STOP. */
static void send_command(struct fph_hinter *h, uint32_t tag,
			 struct fph_buffer *buffer, struct fph_seg *seg)
{
	struct fph_batch *batches = h->pool.batches;
	uint32_t first = h->pool.max_batches + 1, i = first;

	while (batches[i].cookie)
		i++;
	fph_pool_open_at(&h->pool, i);
	batches[i].tag = tag;
	batches[i].id = h->id;
	h->nfree--;
	fph_memset(buffer, 0, sizeof(*buffer));
	buffer->cookie = batches[i].cookie;
	buffer->nread = 1;
	buffer->flags = tag == START ? FPH_BUFFER_START : FPH_BUFFER_STOP;
	buffer->index = i - first;
	fph_cmd_id_encode(buffer->command, tag == START ? h->id :
			  VIRTIO_BALLOON_CMD_ID_STOP, (int)h->endian);
	seg->gpa = h->commands_gpa;
	if (seg->gpa)
		seg->gpa += (uint64_t)buffer->index * FPH_CMD_ID_SIZE;
	seg->len = FPH_CMD_ID_SIZE;
	seg->flags = 0;
}

static uint32_t send_start(struct fph_hinter *h, struct fph_buffer *buffer,
			   struct fph_seg *seg)
{
	h->id = h->wanted;
	h->wanted = 0;
	h->before = h->begun;
	h->begun = h->id;
	h->started = false;
	h->state = FPH_HINTER_ACTIVE;
	send_command(h, START, buffer, seg);
	h->start = (uint32_t)buffer->cookie;
	h->counters.rounds++;
	return 1;
}

static uint32_t send_stop(struct fph_hinter *h, struct fph_buffer *buffer,
			  struct fph_seg *seg)
{
	send_command(h, STOP, buffer, seg);
	leave_round(h);
	h->counters.stops++;
	return 1;
}

/* first: what is given out may be short of segments. */
static uint32_t send_hint(struct fph_hinter *h, struct fph_buffer *buffer,
			  struct fph_seg *segs, uint32_t nsegs, bool first)
{
	uint32_t want = fph_pool_want(&h->pool), batch, n;
	struct fph_batch *b;

	if (!want || (want > nsegs && !first))
		return 0;
	if (!h->finished && !fph_pool_is_full(&h->pool) &&
	    !fph_pool_is_urgent(&h->pool))
		return 0;
	n = fph_pool_cut(&h->pool, segs, want < nsegs ? want : nsegs, &batch);
	if (!n)
		return 0;
	b = &h->pool.batches[batch];
	b->tag = HINT;
	b->id = h->rounds;
	fph_memset(buffer, 0, sizeof(*buffer));
	buffer->cookie = b->cookie;
	buffer->nwrite = n;
	h->counters.hints++;
	h->counters.segs += n;
	h->counters.ranges += b->runs.amount.ranges;
	h->counters.bytes += b->runs.amount.bytes;
	return n;
}

static bool is_stop_due(const struct fph_hinter *h)
{
	if (h->state == FPH_HINTER_STOPPING)
		return true;
	return h->state == FPH_HINTER_ACTIVE && h->finished && !h->pool.nruns;
}

/* The next buffer.  Its segments, or 0. */
static uint32_t send_next(struct fph_hinter *h, uint32_t room,
			  struct fph_buffer *buffer, struct fph_seg *segs,
			  uint32_t nsegs, bool first)
{
	if (!nsegs || !room)
		return 0;
	if (is_stop_due(h))
		return send_stop(h, buffer, segs);
	if (room < 2)
		return 0;
	if (h->state == FPH_HINTER_WANTED)
		return h->nfree < 2 ? 0 : send_start(h, buffer, segs);
	if (h->state != FPH_HINTER_ACTIVE)
		return 0;
	if (!h->indirect && nsegs > room - 1)
		nsegs = room - 1;
	return send_hint(h, buffer, segs, nsegs, first);
}

int fph_hinter_submit(struct fph_hinter *h, uint32_t room,
		      struct fph_buffer *buffers, uint32_t n,
		      struct fph_seg *segs, uint32_t nsegs)
{
	uint32_t done = 0, sent;

	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	if (!n || !nsegs)
		return FPH_EINVAL;
	while (done < n) {
		sent = send_next(h, room, &buffers[done], segs, nsegs, !done);
		if (!sent)
			break;
		room -= h->indirect ? 1 : sent;
		segs += sent;
		nsegs -= sent;
		done++;
	}
	return (int)done;
}

/* -------------------------------------------------------------- complete -- */

int fph_hinter_complete(struct fph_hinter *h, const struct fph_used *used,
			uint32_t n)
{
	uint32_t done, i;

	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	for (done = 0; done < n; done++) {
		i = fph_pool_find(&h->pool, used[done].cookie);
		if (!i)
			break;
		if (i <= h->pool.max_batches) {
			finish(h, i);
			continue;
		}
		if (used[done].cookie == h->start)
			h->started = true;
		free_command(h, i);
	}
	return done ? (int)done : FPH_EINVAL;
}

/* ---------------------------------------------------------------- cancel -- */

/* START is not in the queue, and so its id is not begun. */
static void cancel_start(struct fph_hinter *h)
{
	h->begun = h->before;
	if (h->state == FPH_HINTER_ACTIVE)
		h->wanted = h->id;
	leave_round(h);
	if (h->wanted == h->begun)
		set_wanted(h, 0);
}

static void cancel_stop(struct fph_hinter *h, uint32_t id)
{
	h->id = id;
	h->state = FPH_HINTER_STOPPING;
}

static void cancel_hint(struct fph_hinter *h, uint32_t i)
{
	if (h->state == FPH_HINTER_ACTIVE) {
		fph_pool_undo(&h->pool, i);
		return;
	}
	/* Its round has ended meanwhile. */
	count_stale(h, &h->pool.batches[i].runs.amount);
	fph_pool_finish(&h->pool, i, &h->pool.back[false]);
}

int fph_hinter_cancel(struct fph_hinter *h, uint64_t cookie)
{
	uint32_t i, tag, id;

	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	i = fph_pool_find(&h->pool, cookie);
	if (!i || i != h->pool.batches[0].older)
		return FPH_EINVAL;
	h->counters.cancelled++;
	tag = h->pool.batches[i].tag;
	id = h->pool.batches[i].id;
	if (tag == HINT) {
		cancel_hint(h, i);
		return FPH_OK;
	}
	free_command(h, i);
	if (tag == START)
		cancel_start(h);
	else
		cancel_stop(h, id);
	return FPH_OK;
}
