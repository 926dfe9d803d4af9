/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The host's side of free page hinting.
 *
 * state x call -> next state, result.  "=" keeps the state.
 *
 *                IDLE      REQUESTED ACTIVE    STOPPING   STOPPED   DONE
 * reset (a)      IDLE      IDLE      IDLE      IDLE       IDLE      IDLE
 * set_endian     =         ESTATE    ESTATE    =          =         =
 * sync_begin (b) IDLE      IDLE      IDLE (c)  target (d) IDLE (c)  DONE
 * stop           IDLE      IDLE      IDLE (c)  target (d) IDLE (c)  DONE
 * done           DONE      DONE      DONE (c)  DONE (d)   DONE (c)  DONE
 * sync_end (e)   =         =         =         =          =         =
 * request (f)    REQUESTED ESTATE    ESTATE    EBUSY      REQUESTED REQUESTED
 * add of the id  =         ACTIVE    STOPPED   =          =         =
 * add of another =         =         STOPPED   =          =         =
 * add of hints   ignored   ignored   counted   ignored    ignored   ignored
 * add of bad     =         IDLE      IDLE (g)  =          IDLE (g)  =
 * refuse, next, complete, end keep the state.
 *
 * (a) EBUSY and no change while a run is out.
 * (b) ESTATE and no change between sync_begin and sync_end.
 * (c) EBUSY and STOPPING while a run is out, with that state as its target;
 *     what was not handed out is dropped either way.
 * (d) EBUSY and "=" while a run is out.  The target is IDLE or DONE; done
 *     makes it DONE and nothing makes it IDLE again.
 * (e) ESTATE without sync_begin.
 * (f) PEER_BROKEN in all states once the session is broken; where it says
 *     REQUESTED: ESTATE without a harvest or inside one, EBUSY while a run is
 *     out or hints wait, EEXHAUSTED.
 * (g) STOPPING with the target IDLE while a run is out.
 *
 * A round that the driver ended (STOPPED) still hands out what came before
 * its STOP: those hints were given under the id.
 */
#include "internal.h"

static bool is_init(const struct fph_hint_session *s)
{
	return s->magic == FPH_MAGIC_HINT_SESSION;
}

int fph_hint_session_init(struct fph_hint_session *s,
			  const struct fph_storage *storage,
			  uint64_t granule, uint32_t first_id)
{
	struct fph_window window;
	int ret;

	if (first_id < VIRTIO_BALLOON_CMD_ID_MIN)
		return FPH_EINVAL;
	ret = fph_window_init(&window, storage, granule);
	if (ret != FPH_OK)
		return ret;
	fph_memset(s, 0, sizeof(*s));
	s->magic = FPH_MAGIC_HINT_SESSION;
	s->state = FPH_HINT_IDLE;
	s->target = FPH_HINT_IDLE;
	s->next_id = first_id;
	s->endian = FPH_LE;
	s->window = window;
	return FPH_OK;
}

int fph_hint_session_reset(struct fph_hint_session *s)
{
	if (!is_init(s))
		return FPH_EUNINIT;
	if (s->window.noutstanding)
		return FPH_EBUSY;
	fph_window_reset(&s->window);
	s->state = FPH_HINT_IDLE;
	s->target = FPH_HINT_IDLE;
	s->endian = FPH_LE;
	s->broken = false;
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
	s->endian = (uint32_t)endian;
	return FPH_OK;
}

/* -------------------------------------------------------------- barriers -- */

/* Ends the round, if there is one: from here on no hint counts (D2, D3). */
static void end_round(struct fph_hint_session *s)
{
	fph_window_drop(&s->window, &s->counters.dropped,
			&s->counters.bytes_dropped);
	if (s->state == FPH_HINT_IDLE || s->state == FPH_HINT_DONE ||
	    s->state == FPH_HINT_STOPPING)
		return;
	s->target = FPH_HINT_IDLE;
	s->state = s->window.noutstanding ? FPH_HINT_STOPPING : FPH_HINT_IDLE;
}

/* Leaves STOPPING once all runs are completed. */
static int settle(struct fph_hint_session *s)
{
	if (s->window.noutstanding)
		return FPH_EBUSY;
	if (s->state == FPH_HINT_STOPPING)
		s->state = s->target;
	return FPH_OK;
}

int fph_hint_session_stop(struct fph_hint_session *s)
{
	if (!is_init(s))
		return FPH_EUNINIT;
	end_round(s);
	return settle(s);
}

int fph_hint_session_done(struct fph_hint_session *s)
{
	if (!is_init(s))
		return FPH_EUNINIT;
	end_round(s);
	s->target = FPH_HINT_DONE;
	if (s->state == FPH_HINT_IDLE)
		s->state = FPH_HINT_DONE;
	return settle(s);
}

int fph_hint_session_sync_begin(struct fph_hint_session *s)
{
	int ret;

	if (!is_init(s))
		return FPH_EUNINIT;
	if (s->in_sync)
		return FPH_ESTATE;
	end_round(s);
	ret = settle(s);
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

static int check_request(const struct fph_hint_session *s)
{
	if (s->broken)
		return FPH_PEER_BROKEN;
	if (s->state == FPH_HINT_REQUESTED || s->state == FPH_HINT_ACTIVE)
		return FPH_ESTATE;
	if (s->state == FPH_HINT_STOPPING)
		return FPH_EBUSY;
	if (s->in_sync || !s->synced)
		return FPH_ESTATE;
	if (s->window.noutstanding ||
	    fph_coalescer_is_waiting(&s->window.ranges))
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

/* Obeys a command; whether it began or ended a stream. */
static bool obey(struct fph_hint_session *s, uint32_t cmd)
{
	if (s->state == FPH_HINT_REQUESTED && cmd == s->id) {
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
	/* Its round is over, or was never asked for (D4a, D4c). */
	s->counters.stale++;
	return false;
}

static int check_buffer(const struct fph_hint_session *s, const void *cmd,
			uint64_t cmd_len, uint32_t *id,
			const struct fph_seg *segs, uint32_t nsegs,
			uint64_t *bytes)
{
	if (cmd_len && cmd_len != FPH_CMD_ID_SIZE)
		return FPH_PEER_CMD_LEN;
	if (cmd_len)
		*id = fph_get32(cmd, (int)s->endian);
	return fph_segs_check(segs, nsegs, bytes);
}

static void add_hints(struct fph_hint_session *s, uint64_t cookie,
		      const struct fph_seg *segs, uint32_t nsegs,
		      uint64_t bytes)
{
	if (s->state == FPH_HINT_ACTIVE) {
		s->counters.hints += nsegs;
		s->counters.bytes += bytes;
		fph_window_add(&s->window, cookie, segs, nsegs);
	} else {
		s->counters.ignored += nsegs;
		s->counters.bytes_ignored += bytes;
		fph_window_add_ready(&s->window, cookie, FPH_OUTCOME_IGNORED);
	}
}

int fph_hint_session_add(struct fph_hint_session *s, uint64_t cookie,
			 const void *cmd, uint64_t cmd_len,
			 const struct fph_seg *segs, uint32_t nsegs)
{
	bool obeyed = false;
	uint32_t id = 0;
	uint64_t bytes;
	int ret;

	if (!is_init(s))
		return FPH_EUNINIT;
	ret = fph_window_get_room(&s->window, nsegs);
	if (ret != FPH_OK)
		return ret;
	s->counters.chains++;
	ret = check_buffer(s, cmd, cmd_len, &id, segs, nsegs, &bytes);
	if (ret != FPH_OK) {
		s->counters.peer_errors++;
		s->broken = true;
		end_round(s);
		fph_window_add_ready(&s->window, cookie, FPH_OUTCOME_REFUSED);
		return ret;
	}
	if (cmd_len)
		obeyed = obey(s, id);
	if (nsegs)
		add_hints(s, cookie, segs, nsegs, bytes);
	else
		fph_window_add_ready(&s->window, cookie, obeyed ?
				     FPH_OUTCOME_DONE : FPH_OUTCOME_IGNORED);
	return FPH_OK;
}

int fph_hint_session_refuse(struct fph_hint_session *s, uint64_t cookie)
{
	int ret;

	if (!is_init(s))
		return FPH_EUNINIT;
	ret = fph_window_get_room(&s->window, 0);
	if (ret != FPH_OK)
		return ret;
	s->counters.chains++;
	fph_window_add_ready(&s->window, cookie, FPH_OUTCOME_REFUSED);
	return FPH_OK;
}

/* ------------------------------------------------------------------ runs -- */

int fph_hint_session_next(struct fph_hint_session *s, struct fph_run *run)
{
	return is_init(s) ? fph_window_next(&s->window, run) : FPH_EUNINIT;
}

int fph_hint_session_complete(struct fph_hint_session *s,
			      const struct fph_run *run, bool ok)
{
	int ret;

	if (!is_init(s))
		return FPH_EUNINIT;
	ret = fph_window_complete(&s->window, run, ok);
	if (ret != FPH_OK)
		return ret;
	if (ok)
		s->counters.bytes_done += run->len;
	else
		s->counters.failed++;
	return FPH_OK;
}

int fph_hint_session_end(struct fph_hint_session *s,
			 struct fph_chain_end *end)
{
	int ret;

	if (!is_init(s))
		return FPH_EUNINIT;
	ret = fph_window_end(&s->window, end);
	if (ret == 1)
		s->counters.returned++;
	return ret;
}

/* ------------------------------------------------------------------- get -- */

int fph_hint_session_get_state(const struct fph_hint_session *s)
{
	return is_init(s) ? (int)s->state : FPH_EUNINIT;
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

uint32_t fph_hint_session_get_outstanding(const struct fph_hint_session *s)
{
	return is_init(s) ? s->window.noutstanding : 0;
}

bool fph_hint_session_is_room(const struct fph_hint_session *s, uint32_t nsegs)
{
	return is_init(s) && fph_window_get_room(&s->window, nsegs) == FPH_OK;
}

int fph_hint_session_get_counters(const struct fph_hint_session *s,
				  struct fph_hint_counters *out)
{
	if (!is_init(s))
		return FPH_EUNINIT;
	*out = s->counters;
	out->bytes_trimmed = s->window.ranges.counters.trimmed_bytes;
	out->bytes_overlap = s->window.ranges.counters.overlap_bytes;
	return FPH_OK;
}
