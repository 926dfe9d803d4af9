/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Ends and pauses of the balloon device: reset, the stop of a ring, freeze and
 * thaw, restore.
 *
 * What has to wait for discards answers FPH_EINPROGRESS, notes that somebody
 * waits, and is repeated when FPH_EVENT_DRAINED tells so.
 */
#include <string.h>

#include "core/common.h"
#include "vmm/balloon_internal.h"

/* ------------------------------------------------------------------ stop -- */

int fph_balloon_ring_stop(struct fph_balloon *b, uint32_t index,
			  uint32_t *base)
{
	struct balloon_ring *r;
	void *memory;

	if (!b)
		return FPH_EUNINIT;
	if (index >= FPH_NQUEUES || !base)
		return FPH_EINVAL;
	r = &b->ring[index];
	if (!r->running)
		return FPH_ESTATE;
	r->draining = true;
	(void)fph_balloon_flush(b);
	fph_balloon_take_old(b, index);
	if (fph_balloon_count_inflight(b, index)) {
		b->waiting |= 1u << index;
		return FPH_EINPROGRESS;
	}
	b->waiting &= ~(1u << index);
	*base = fph_balloon_get_base(b, index);
	if (b->stats.ring == index) {
		b->stats.held = false;
		b->stats.asked = false;
	}
	if (r->pushed && fph_vq_device_should_notify(r->vq) == 1)
		b->notify |= 1u << index;
	memory = r->memory;
	memset(r, 0, sizeof(*r));
	r->memory = memory;
	/*
	 * Which rings there are tells how they are numbered, so one that
	 * stops counts until all did.
	 */
	if (!fph_balloon_is_any_running(b))
		b->seen = 0;
	fph_balloon_update_queues(b);
	return FPH_OK;
}

/* ----------------------------------------------------------------- reset -- */

static void forget_rings(struct fph_balloon *b)
{
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		void *memory = b->ring[i].memory;

		memset(&b->ring[i], 0, sizeof(b->ring[i]));
		b->ring[i].memory = memory;
	}
	memset(&b->stats, 0, sizeof(b->stats));
	b->seen = 0;
	b->notify = 0;
}

int fph_balloon_reset(struct fph_balloon *b)
{
	struct balloon_hint_view before;

	if (!b)
		return FPH_EUNINIT;
	before = fph_balloon_look(b);
	b->resetting = true;
	/* What pump had in hand is not begun, or was given up with the call. */
	for (; b->pump_first < b->pump_end; b->pump_first++) {
		struct fph_run *run = &b->runs[b->pump_first];

		run->outcome = FPH_OUTCOME_SKIPPED;
		run->reason = FPH_SKIP_EMBEDDER;
		(void)fph_balloon_complete(b, run, 1);
	}
	if (fph_balloon_get_outstanding(b)) {
		b->waiting |= WAIT_DEVICE;
		return FPH_EINPROGRESS;
	}
	(void)fph_report_reset(b->report);
	(void)fph_report_reset(b->inflate);
	(void)fph_report_reset(b->deflate);
	(void)fph_hint_session_reset(b->hint);
	if (b->collected)
		fph_page_set_reset(b->collected);
	forget_rings(b);
	b->negotiated = 0;
	b->actual = 0;
	b->poison_val = 0;
	b->waiting = 0;
	b->broken = false;
	b->last_error = FPH_OK;
	b->resetting = false;
	fph_balloon_update_endian(b);
	fph_balloon_update_queues(b);
	fph_balloon_note(b, &before);
	return FPH_OK;
}

/* ------------------------------------------------------- freeze and thaw -- */

/* Of all rings, but for the statistics buffer that the device holds. */
static uint32_t count_inflight(const struct fph_balloon *b)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		n += b->ring[i].running ? fph_balloon_count_inflight(b, i) : 0;
	return n;
}

/* Whether there is nothing that freeze has to wait for. */
static bool is_quiet(const struct fph_balloon *b)
{
	if (fph_balloon_get_outstanding(b))
		return false;
	/*
	 * With HOLD_DEFLATE buffers wait for next, without a run, and those of
	 * an inflight record for room.
	 */
	return b->frozen != FPH_FREEZE_DRAIN || b->resetting ||
	       !count_inflight(b);
}

int fph_balloon_freeze_as(struct fph_balloon *b, int mode)
{
	if (!b)
		return FPH_EUNINIT;
	if (mode < FPH_FREEZE_DRAIN || mode > FPH_FREEZE_SKIP)
		return FPH_EINVAL;
	b->frozen = mode;
	if (mode != FPH_FREEZE_HOLD && !b->resetting)
		fph_balloon_skip_waiting(b);
	(void)fph_balloon_flush(b);
	for (uint32_t i = 0; mode == FPH_FREEZE_DRAIN && i < FPH_NQUEUES; i++)
		fph_balloon_take_old(b, i);
	if (!is_quiet(b)) {
		b->waiting |= WAIT_DEVICE;
		return FPH_EINPROGRESS;
	}
	b->waiting &= ~WAIT_DEVICE;
	return FPH_OK;
}

int fph_balloon_freeze(struct fph_balloon *b)
{
	return fph_balloon_freeze_as(b, FPH_FREEZE_DRAIN);
}

int fph_balloon_thaw(struct fph_balloon *b)
{
	if (!b)
		return FPH_EUNINIT;
	b->frozen = 0;
	return FPH_OK;
}

bool fph_balloon_is_frozen(const struct fph_balloon *b)
{
	return b && b->frozen;
}

/* --------------------------------------------------------------- restore -- */

int fph_balloon_get_state(const struct fph_balloon *b,
			  struct fph_balloon_state *state)
{
	struct fph_balloon_state s = { .size = sizeof(s) };

	if (!b)
		return FPH_EUNINIT;
	if (!state || state->size < sizeof(s))
		return FPH_EINVAL;
	if (b->broken)
		return FPH_PEER_BROKEN;
	if (!b->frozen || fph_balloon_get_outstanding(b) || count_inflight(b))
		return FPH_EBUSY;
	s.num_pages = b->num_pages;
	s.negotiated = b->negotiated;
	s.actual = b->actual;
	s.poison_val = b->poison_val;
	s.hint_id = fph_hint_session_get_id(b->hint);
	s.endian = (uint32_t)b->legacy_endian;
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		if (!b->ring[i].running)
			continue;
		s.rings |= 1u << i;
		s.base[i] = fph_balloon_get_base(b, i);
	}
	s.size = state->size;
	return fph_copy_out(state, state->size, &s, sizeof(s));
}

int fph_balloon_restore(struct fph_balloon *b,
			const struct fph_balloon_state *state)
{
	struct balloon_hint_view before;
	struct fph_balloon_state s;
	int ret;

	if (!b)
		return FPH_EUNINIT;
	if (!fph_params_read(&s, sizeof(s), state, sizeof(s)) ||
	    s.hint_id == VIRTIO_BALLOON_CMD_ID_DONE ||
	    (s.negotiated & ~b->offered) || !fph_is_endian((int)s.endian))
		return FPH_EINVAL;
	ret = fph_balloon_set_endian(b, (int)s.endian);
	if (ret == FPH_OK)
		ret = fph_balloon_set_features(b, s.negotiated);
	if (ret != FPH_OK)
		return ret;
	b->num_pages = s.num_pages;
	b->actual = s.actual;
	b->poison_val = s.poison_val;
	fph_balloon_update_poison(b);
	before = fph_balloon_look(b);
	(void)fph_hint_session_restore(b->hint, s.hint_id);
	fph_balloon_hide_done(b);
	fph_balloon_note(b, &before);
	return FPH_OK;
}
