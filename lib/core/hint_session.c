/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The host's side of free page hinting.
 *
 * state x call -> next state, result.  "=" keeps the state.
 *
 *                IDLE      REQUESTED ACTIVE    STOPPING   STOPPED   DONE
 * reset (a)      IDLE      IDLE      IDLE      IDLE       IDLE      IDLE
 * set_endian     =         ESTATE    ESTATE    =          =         =
 * restore (h)    DONE      ESTATE    ESTATE    ESTATE     ESTATE    DONE
 * sync_begin (b) IDLE      IDLE      IDLE (c)  target (d) IDLE (c)  DONE
 * stop           IDLE      IDLE      IDLE (c)  target (d) IDLE (c)  DONE
 * done           DONE      DONE      DONE (c)  DONE (d)   DONE (c)  DONE
 * sync_end (e)   =         =         =         =          =         =
 * request (f)    REQUESTED ESTATE    ESTATE    EBUSY      REQUESTED REQUESTED
 * add of the id  =         ACTIVE    STOPPED   =          =         =
 * add of another =         =         STOPPED   =          =         =
 * add of hints   skipped   skipped   counted   skipped    skipped   skipped
 * add of bad     =         IDLE      IDLE (g)  =          IDLE (g)  =
 * next, complete, take_used, and add of FPH_BUFFER_REFUSE keep the state.
 *
 * (a) EBUSY and no change while a run is out.
 * (b) ESTATE and no change between sync_begin and sync_end.
 * (c) EINPROGRESS and STOPPING while a run is out, with that state as its
 *     target; what was not handed out is dropped either way.
 * (d) EINPROGRESS and "=" while a run is out.  The target is IDLE or DONE; done
 *     makes it DONE and nothing makes it IDLE again.
 * (e) ESTATE without sync_begin.
 * (f) PEER_BROKEN in all states once the session is broken; where it says
 *     REQUESTED: ESTATE without a sync or inside one, EBUSY while a run is out
 *     or hints wait, EEXHAUSTED.
 * (g) STOPPING with the target IDLE while a run is out.
 * (h) EINVAL for an id that nobody publishes.
 *
 * A round that the driver ended (STOPPED) still hands out what came before
 * its STOP: those hints were given under the id.
 */
#include "hint_session.h"

#define OUTCOMES	(1u << FPH_OUTCOME_CLEARED | \
			 1u << FPH_OUTCOME_TRIMMED | \
			 1u << FPH_OUTCOME_SKIPPED | 1u << FPH_OUTCOME_FAILED)

static bool is_init(const struct fph_hint_session *s)
{
	return s && s->magic == FPH_HINT_SESSION_MAGIC;
}

/* ------------------------------------------------------------------ init -- */

/* The bytes of the object, 0: refused. */
static size_t read_params(struct fph_inflight_config *c, uint32_t *first_id,
			  const struct fph_hint_session_params *params)
{
	struct fph_hint_session_params known;

	if (!fph_params_read(&known, sizeof(known), params,
			     sizeof(known.size)))
		return 0;
	*first_id = known.first_id ? known.first_id :
				     VIRTIO_BALLOON_CMD_ID_MIN;
	if (*first_id < VIRTIO_BALLOON_CMD_ID_MIN)
		return 0;
	c->head = sizeof(struct fph_hint_session);
	c->max_ranges = known.max_ranges;
	c->max_buffers = known.max_buffers ? known.max_buffers : 2048;
	c->queue = FPH_QUEUE_HINT;
	c->outcomes = OUTCOMES;
	c->granule = known.granule;
	return fph_inflight_size(c);
}

size_t fph_hint_session_size(const struct fph_hint_session_params *params)
{
	struct fph_inflight_config c;
	uint32_t first_id;

	return read_params(&c, &first_id, params);
}

int fph_hint_session_init(struct fph_hint_session **s, void *mem, size_t size,
			  const struct fph_hint_session_params *params)
{
	struct fph_inflight_config c;
	struct fph_hint_session *session = mem;
	uint32_t first_id;

	if (!s || !fph_is_memory(mem, size,
				 read_params(&c, &first_id, params)))
		return FPH_EINVAL;
	fph_memset(session, 0, sizeof(*session));
	fph_inflight_init(&session->inflight, mem, &c);
	session->state = FPH_HINT_IDLE;
	session->target = FPH_HINT_IDLE;
	session->endian = FPH_LE;
	session->next_id = first_id;
	session->magic = FPH_HINT_SESSION_MAGIC;
	*s = session;
	return FPH_OK;
}

int fph_hint_session_reset(struct fph_hint_session *s)
{
	if (!is_init(s))
		return FPH_EUNINIT;
	if (s->inflight.noutstanding)
		return FPH_EBUSY;
	fph_inflight_reset(&s->inflight);
	s->state = FPH_HINT_IDLE;
	s->target = FPH_HINT_IDLE;
	s->endian = FPH_LE;
	s->error = FPH_OK;
	s->synced = false;
	if (!s->next_id)
		s->next_id = VIRTIO_BALLOON_CMD_ID_MIN;
	return FPH_OK;
}

int fph_hint_session_set_endian(struct fph_hint_session *s, int endian)
{
	if (!is_init(s))
		return FPH_EUNINIT;
	if (!fph_is_endian(endian))
		return FPH_EINVAL;
	if (s->state == FPH_HINT_REQUESTED || s->state == FPH_HINT_ACTIVE)
		return FPH_ESTATE;
	s->endian = endian;
	return FPH_OK;
}

int fph_hint_session_restore(struct fph_hint_session *s, uint32_t last_id)
{
	if (!is_init(s))
		return FPH_EUNINIT;
	if (last_id && last_id < VIRTIO_BALLOON_CMD_ID_MIN)
		return FPH_EINVAL;
	if (s->state != FPH_HINT_IDLE && s->state != FPH_HINT_DONE)
		return FPH_ESTATE;
	s->state = FPH_HINT_DONE;
	if (last_id) {
		s->id = last_id;
		s->next_id = fph_cmd_id_next(last_id);
	}
	return FPH_OK;
}

/* -------------------------------------------------------------- barriers -- */

/* Ends the round, if there is one: from here on no hint counts (D2, D3). */
static void end_round(struct fph_hint_session *s)
{
	fph_inflight_drop(&s->inflight, FPH_SKIP_ROUND_OVER,
			  &s->counters.dropped, &s->counters.bytes_dropped);
	if (s->state == FPH_HINT_IDLE || s->state == FPH_HINT_DONE ||
	    s->state == FPH_HINT_STOPPING)
		return;
	s->target = FPH_HINT_IDLE;
	s->state = s->inflight.noutstanding ? FPH_HINT_STOPPING :
					      FPH_HINT_IDLE;
}

/* Leaves STOPPING once all runs are completed. */
static int leave_stopping(struct fph_hint_session *s)
{
	if (s->inflight.noutstanding)
		return FPH_EINPROGRESS;
	if (s->state == FPH_HINT_STOPPING)
		s->state = s->target;
	return FPH_OK;
}

int fph_hint_session_stop(struct fph_hint_session *s)
{
	if (!is_init(s))
		return FPH_EUNINIT;
	end_round(s);
	return leave_stopping(s);
}

int fph_hint_session_done(struct fph_hint_session *s)
{
	if (!is_init(s))
		return FPH_EUNINIT;
	end_round(s);
	s->target = FPH_HINT_DONE;
	if (s->state == FPH_HINT_IDLE)
		s->state = FPH_HINT_DONE;
	return leave_stopping(s);
}

int fph_hint_session_sync_begin(struct fph_hint_session *s)
{
	int ret;

	if (!is_init(s))
		return FPH_EUNINIT;
	if (s->in_sync)
		return FPH_ESTATE;
	end_round(s);
	ret = leave_stopping(s);
	if (ret == FPH_OK)
		s->in_sync = true;
	return ret;
}

int fph_hint_session_sync_end(struct fph_hint_session *s)
{
	if (!is_init(s))
		return FPH_EUNINIT;
	if (!s->in_sync)
		return FPH_ESTATE;
	s->in_sync = false;
	s->synced = true;
	return FPH_OK;
}

/* --------------------------------------------------------------- a round -- */

static bool is_waiting(const struct fph_hint_session *s)
{
	uint32_t n;

	fph_coalescer_get_waiting(&s->inflight.ranges, &n);
	return n != 0;
}

static int check_request(const struct fph_hint_session *s)
{
	if (s->error != FPH_OK)
		return FPH_PEER_BROKEN;
	if (s->state == FPH_HINT_REQUESTED || s->state == FPH_HINT_ACTIVE)
		return FPH_ESTATE;
	if (s->state == FPH_HINT_STOPPING)
		return FPH_EBUSY;
	if (s->in_sync || !s->synced)
		return FPH_ESTATE;
	if (s->inflight.noutstanding || is_waiting(s))
		return FPH_EBUSY;
	return s->next_id ? FPH_OK : FPH_EEXHAUSTED;
}

int fph_hint_session_request(struct fph_hint_session *s, uint32_t *id)
{
	int ret;

	if (!is_init(s))
		return FPH_EUNINIT;
	ret = check_request(s);
	if (ret != FPH_OK)
		return ret;
	s->id = s->next_id;
	s->next_id = fph_cmd_id_next(s->id);
	s->state = FPH_HINT_REQUESTED;
	s->counters.rounds++;
	*id = s->id;
	return FPH_OK;
}

/* ------------------------------------------------------------------- add -- */

/* The command of a buffer.  FPH_OK, FPH_PEER_DIRECTION, FPH_PEER_CMD_LEN. */
static int read_command(const struct fph_hint_session *s,
			const struct fph_buffer *b, const struct fph_seg *segs,
			bool *has, uint32_t *id)
{
	uint64_t len = 0;

	for (uint32_t i = 0; i < b->nread; i++) {
		if (segs[i].flags & FPH_SEG_WRITE)
			return FPH_PEER_DIRECTION;
		len += segs[i].len;
	}
	if (len && len != FPH_CMD_ID_SIZE)
		return FPH_PEER_CMD_LEN;
	*has = len != 0;
	*id = fph_get32(b->command, s->endian);
	return FPH_OK;
}

/* Whether a command begins the round that was asked for (D4A, D4C). */
static bool is_start(const struct fph_hint_session *s, uint32_t id)
{
	return s->state == FPH_HINT_REQUESTED && id == s->id;
}

/* What a command does; whether it began or ended a round. */
static bool take_command(struct fph_hint_session *s, uint32_t id)
{
	if (is_start(s, id)) {
		s->state = FPH_HINT_ACTIVE;
		s->counters.starts++;
		return true;
	}
	if (s->state == FPH_HINT_ACTIVE) {
		/* Any command: a second START with the same id as well. */
		s->state = FPH_HINT_STOPPED;
		s->counters.stops++;
		return true;
	}
	/* Its round is over, or was never asked for. */
	s->counters.stale++;
	return false;
}

/* Takes a buffer all of whose parts are good: FPH_OK, else nothing changed. */
static int add_good(struct fph_hint_session *s, const struct fph_buffer *b,
		    const struct fph_seg *segs)
{
	const struct fph_seg *hints = segs + b->nread;
	uint64_t bytes = 0;
	bool changed = false;
	bool has, counts;
	uint32_t id;
	int ret;

	ret = read_command(s, b, segs, &has, &id);
	if (ret != FPH_OK)
		return ret;
	if (b->nwrite > s->inflight.ranges.max_ranges)
		return FPH_PEER_LONG_CHAIN;
	/* Before the command is taken, for the hints can still be bad. */
	counts = b->nwrite &&
		 (has ? is_start(s, id) : s->state == FPH_HINT_ACTIVE);
	ret = counts ? fph_inflight_add(&s->inflight, b->cookie, hints,
					b->nwrite) :
		       fph_inflight_check(hints, b->nwrite, &bytes);
	if (ret != FPH_OK)
		return ret;
	if (has)
		changed = take_command(s, id);
	if (counts)
		return FPH_OK;
	s->counters.ignored += b->nwrite;
	s->counters.bytes_ignored += bytes;
	if (changed && !b->nwrite)
		fph_inflight_add_ready(&s->inflight, b->cookie,
				       FPH_OUTCOME_COMMAND, FPH_SKIP_NONE);
	else
		fph_inflight_add_ready(&s->inflight, b->cookie,
				       FPH_OUTCOME_SKIPPED, FPH_SKIP_STALE);
	return FPH_OK;
}

static int add_buffer(struct fph_hint_session *s, const struct fph_buffer *b,
		      const struct fph_seg *segs)
{
	int ret;

	if (!fph_inflight_get_room(&s->inflight))
		return FPH_EFULL;
	ret = b->flags & FPH_BUFFER_REFUSE ? FPH_EREFUSED :
					     add_good(s, b, segs);
	if (ret == FPH_EFULL)
		return ret;
	s->counters.buffers++;
	if (ret == FPH_OK)
		return FPH_OK;
	s->counters.refused++;
	fph_inflight_add_ready(&s->inflight, b->cookie, FPH_OUTCOME_REFUSED,
			       FPH_SKIP_NONE);
	if (!fph_status_is_peer(ret))
		return FPH_OK;
	s->counters.peer_errors++;
	if (s->error == FPH_OK)
		s->error = ret;
	end_round(s);
	return FPH_OK;
}

int fph_hint_session_add(struct fph_hint_session *s,
			 const struct fph_buffer *buffers, uint32_t n,
			 const struct fph_seg *segs)
{
	uint32_t i;
	int ret;

	if (!is_init(s))
		return FPH_EUNINIT;
	if (!n)
		return FPH_EINVAL;
	for (i = 0; i < n; i++) {
		ret = add_buffer(s, &buffers[i], segs);
		if (ret != FPH_OK)
			return i ? (int)i : ret;
		segs = fph_next_segs(segs, &buffers[i]);
	}
	return (int)i;
}

/* ------------------------------------------------------------------ runs -- */

int fph_hint_session_next(struct fph_hint_session *s, struct fph_run *runs,
			  uint32_t n)
{
	return is_init(s) ? fph_inflight_next(&s->inflight, runs, n) :
			    FPH_EUNINIT;
}

int fph_hint_session_complete(struct fph_hint_session *s,
			      const struct fph_run *runs, uint32_t n)
{
	return is_init(s) ? fph_inflight_complete(&s->inflight, runs, n) :
			    FPH_EUNINIT;
}

int fph_hint_session_take_used(struct fph_hint_session *s,
			       struct fph_used *used, uint32_t n)
{
	return is_init(s) ? fph_inflight_take_used(&s->inflight, used, n) :
			    FPH_EUNINIT;
}

/* ------------------------------------------------------------------- get -- */

void fph_hint_session_get_room(const struct fph_hint_session *s,
			       uint32_t *buffers, uint32_t *segs)
{
	*buffers = is_init(s) ? fph_inflight_get_room(&s->inflight) : 0;
	*segs = is_init(s) ? fph_coalescer_get_room(&s->inflight.ranges) : 0;
}

int fph_hint_session_get_state(const struct fph_hint_session *s)
{
	return is_init(s) ? s->state : FPH_EUNINIT;
}

uint32_t fph_hint_session_get_outstanding(const struct fph_hint_session *s)
{
	return is_init(s) ? s->inflight.noutstanding : 0;
}

uint32_t fph_hint_session_get_config(const struct fph_hint_session *s)
{
	if (!is_init(s))
		return VIRTIO_BALLOON_CMD_ID_STOP;
	if (s->state == FPH_HINT_REQUESTED || s->state == FPH_HINT_ACTIVE)
		return s->id;
	return s->state == FPH_HINT_DONE ? VIRTIO_BALLOON_CMD_ID_DONE :
					   VIRTIO_BALLOON_CMD_ID_STOP;
}

uint32_t fph_hint_session_get_id(const struct fph_hint_session *s)
{
	return is_init(s) ? s->id : 0;
}

int fph_hint_session_get_error(const struct fph_hint_session *s)
{
	return is_init(s) ? s->error : FPH_EUNINIT;
}

int fph_hint_session_get_counters(const struct fph_hint_session *s,
				  struct fph_hint_counters *out, size_t size)
{
	const struct fph_inflight *f;
	struct fph_hint_counters n;

	if (!is_init(s))
		return FPH_EUNINIT;
	f = &s->inflight;
	n = s->counters;
	n.hints = f->ranges.counters.added;
	n.bytes = f->ranges.counters.added_bytes;
	n.ignored += f->skipped;
	n.bytes_ignored += f->skipped_bytes;
	n.returned = f->returned;
	n.failed_runs = f->done[FPH_OUTCOME_FAILED].runs;
	n.bytes_cleared = f->freed;
	n.bytes_trimmed = f->done[FPH_OUTCOME_TRIMMED].left +
			  f->ranges.counters.trimmed_bytes;
	n.bytes_overlap = f->ranges.counters.overlap_bytes;
	return fph_copy_out(out, size, &n, sizeof(n));
}
