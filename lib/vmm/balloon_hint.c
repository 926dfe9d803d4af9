/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The calls of the hint session on the balloon device.
 *
 * Its states and their table are in lib/core/hint_session.c.  Every call
 * compares what the driver can see of it before and after, because the value of
 * free_page_hint_cmd_id must not change without a config interrupt.
 */
#include "vmm/balloon_internal.h"

void fph_balloon_hide_done(struct fph_balloon *b)
{
	if (b->negotiated & FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		return;
	(void)fph_hint_session_reset(b->hint);
	fph_balloon_update_endian(b);
}

int fph_balloon_hint_request(struct fph_balloon *b, uint32_t *id)
{
	struct balloon_hint_view before;
	int ret;

	if (!b)
		return FPH_EUNINIT;
	if (b->broken)
		return FPH_PEER_BROKEN;
	if (!(b->negotiated & FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT)) ||
	    b->resetting)
		return FPH_ESTATE;
	before = fph_balloon_look(b);
	ret = fph_hint_session_request(b->hint, id);
	fph_balloon_note(b, &before);
	return ret;
}

/* A barrier: with FPH_EINPROGRESS DRAINED will tell when to repeat it. */
static int end_round(struct fph_balloon *b,
		     int (*end)(struct fph_hint_session *))
{
	struct balloon_hint_view before;
	int ret;

	if (!b)
		return FPH_EUNINIT;
	before = fph_balloon_look(b);
	ret = end(b->hint);
	fph_balloon_note(b, &before);
	if (ret == FPH_EINPROGRESS)
		b->waiting |= WAIT_HINT;
	else
		b->waiting &= ~WAIT_HINT;
	return ret;
}

int fph_balloon_hint_stop(struct fph_balloon *b)
{
	return end_round(b, fph_hint_session_stop);
}

int fph_balloon_hint_done(struct fph_balloon *b)
{
	return end_round(b, fph_hint_session_done);
}

int fph_balloon_hint_sync_begin(struct fph_balloon *b)
{
	return end_round(b, fph_hint_session_sync_begin);
}

int fph_balloon_hint_sync_end(struct fph_balloon *b)
{
	return b ? fph_hint_session_sync_end(b->hint) : FPH_EUNINIT;
}

int fph_balloon_hint_next(struct fph_balloon *b, struct fph_run *runs,
			  uint32_t n)
{
	if (!b)
		return FPH_EUNINIT;
	if (!runs || !n)
		return FPH_EINVAL;
	if (b->frozen || b->resetting)
		return 0;
	return fph_hint_session_next(b->hint, runs, n);
}

int fph_balloon_hint_get_state(const struct fph_balloon *b)
{
	return b ? fph_hint_session_get_state(b->hint) : FPH_EUNINIT;
}

uint32_t fph_balloon_hint_get_config(const struct fph_balloon *b)
{
	return b ? fph_hint_session_get_config(b->hint) :
		   VIRTIO_BALLOON_CMD_ID_STOP;
}
