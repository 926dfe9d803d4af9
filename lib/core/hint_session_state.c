/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of a hint session.
 *
 *	u32 state, u32 where STOPPING goes
 *	u32 byte order of command ids: 1 little, 2 big
 *	u32 0, or the number behind the minus of what broke it
 *	u32 last id, u32 next id
 *	u32 bit 0: a sync ended since init or reset; bit 1: one is going on
 *	u64 for each of fph_hint_counters, in their order
 *	buffers in flight
 */
#include "hint_session.h"
#include "inflight_state.h"

#define VERSION		1u

#define SYNCED		1u
#define IN_SYNC		2u

/* What there is beside counters and buffers. */
struct values {
	uint32_t state, target, endian, error, id, next_id, flags;
};

int fph_hint_session_save(const struct fph_hint_session *s, void *buf,
			  size_t size, size_t *needed)
{
	struct fph_hint_counters n;
	struct fph_state_writer w;

	if (fph_hint_session_get_counters(s, &n, sizeof(n)) != FPH_OK)
		return FPH_EUNINIT;
	if (!needed)
		return FPH_EINVAL;
	fph_state_begin(&w, buf, size);
	fph_state_put32(&w, (uint32_t)s->state);
	fph_state_put32(&w, (uint32_t)s->target);
	fph_state_put32(&w, (uint32_t)s->endian);
	fph_state_put32(&w, (uint32_t)-s->error);
	fph_state_put32(&w, s->id);
	fph_state_put32(&w, s->next_id);
	fph_state_put32(&w, (s->synced ? SYNCED : 0) |
			    (s->in_sync ? IN_SYNC : 0));
	fph_state_put_all(&w, &n, sizeof(n));
	fph_inflight_save(&s->inflight, &w);
	return fph_state_end(&w, FPH_STATE_HINT_SESSION, VERSION, needed);
}

/* ------------------------------------------------------------------ load -- */

static void load_values(struct fph_state_reader *r, struct values *v)
{
	v->state = fph_state_get32(r);
	v->target = fph_state_get32(r);
	v->endian = fph_state_get32(r);
	v->error = fph_state_get32(r);
	v->id = fph_state_get32(r);
	v->next_id = fph_state_get32(r);
	v->flags = fph_state_get32(r);
}

static bool is_error(uint32_t error)
{
	return error == -FPH_PEER_CMD_LEN || error == -FPH_PEER_DIRECTION ||
	       error == -FPH_PEER_RANGE || error == -FPH_PEER_LONG_CHAIN;
}

/* Ids count up; when they are used up, a reset begins with the first again. */
static bool are_ids(uint32_t id, uint32_t next)
{
	if (!id)
		return next >= VIRTIO_BALLOON_CMD_ID_MIN;
	return id >= VIRTIO_BALLOON_CMD_ID_MIN &&
	       (next == fph_cmd_id_next(id) ||
		(!fph_cmd_id_next(id) && next == VIRTIO_BALLOON_CMD_ID_MIN));
}

/* What the table of hint_session.c lets be together. */
static bool is_state(const struct values *v,
		     const struct fph_inflight_loaded *l)
{
	bool in_round = v->id && v->flags == SYNCED;
	bool waits = l->nclosed || l->nopen;

	switch (v->state) {
	case FPH_HINT_IDLE:
	case FPH_HINT_DONE:
		return !l->nruns && !waits;
	case FPH_HINT_REQUESTED:
		return in_round && !v->error && !l->nruns && !waits;
	case FPH_HINT_ACTIVE:
	case FPH_HINT_STOPPED:
		return in_round && !v->error;
	case FPH_HINT_STOPPING:
		return in_round && !waits;
	default:
		return false;
	}
}

static bool are_values(const struct values *v)
{
	return (v->target == FPH_HINT_IDLE || v->target == FPH_HINT_DONE) &&
	       (v->endian == FPH_LE || v->endian == FPH_BE) &&
	       (!v->error || is_error(v->error)) &&
	       are_ids(v->id, v->next_id) && v->flags <= (SYNCED | IN_SYNC);
}

static void commit(struct fph_hint_session *s, const struct values *v,
		   const struct fph_hint_counters *n)
{
	struct fph_inflight *f = &s->inflight;

	s->state = (int)v->state;
	s->target = (int)v->target;
	s->endian = (int)v->endian;
	s->error = -(int)v->error;
	s->id = v->id;
	s->next_id = v->next_id;
	s->synced = v->flags & SYNCED;
	s->in_sync = v->flags & IN_SYNC;
	s->counters = *n;
	f->skipped = 0;
	f->skipped_bytes = 0;
	f->returned = n->returned;
	f->freed = n->bytes_cleared;
	fph_memset(f->done, 0, sizeof(f->done));
	f->done[FPH_OUTCOME_FAILED].runs = n->failed_runs;
	fph_memset(&f->ranges.counters, 0, sizeof(f->ranges.counters));
	f->ranges.counters.added = n->hints;
	f->ranges.counters.added_bytes = n->bytes;
	f->ranges.counters.trimmed_bytes = n->bytes_trimmed;
	f->ranges.counters.overlap_bytes = n->bytes_overlap;
}

/* No dirty log came along, so no round goes on and none can begin. */
static void move(struct fph_hint_session *s)
{
	fph_inflight_give_up(&s->inflight, FPH_SKIP_ROUND_OVER);
	(void)fph_hint_session_done(s);
	s->synced = false;
	s->in_sync = false;
}

int fph_hint_session_load(struct fph_hint_session *s, const void *buf,
			  size_t size, uint32_t flags)
{
	struct fph_hint_counters n;
	struct fph_inflight_loaded l;
	struct fph_state_reader in;
	struct values v;
	int ret;

	if (!s || s->magic != FPH_HINT_SESSION_MAGIC)
		return FPH_EUNINIT;
	ret = fph_inflight_take_state(&s->inflight, &in, buf, size, flags,
				      FPH_STATE_HINT_SESSION, VERSION);
	if (ret != FPH_OK)
		return ret;
	load_values(&in, &v);
	fph_state_get_all(&in, &n, sizeof(n));
	ret = fph_inflight_load(&s->inflight, &in, &l);
	if (ret != FPH_OK)
		return ret;
	if (!fph_state_is_done(&in) || !are_values(&v) || !is_state(&v, &l))
		return FPH_ECORRUPT;
	commit(s, &v, &n);
	fph_inflight_commit(&s->inflight, &l);
	if (flags & FPH_LOAD_MOVED)
		move(s);
	return FPH_OK;
}
