/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The calls of the hint session on the balloon device.
 *
 * Its states and their table are in lib/core/hint_session.c.  Every call
 * compares what the driver can see of it before and after, for the value of
 * free_page_hint_cmd_id must not change without a config interrupt.
 */
#include "balloon_internal.h"

struct balloon_hint_view fph_balloon_look(const struct fph_balloon *b)
{
	struct balloon_hint_view view = {
		fph_hint_session_get_state(&b->hint),
		fph_hint_session_get_config(&b->hint)
	};

	return view;
}

void fph_balloon_note(struct fph_balloon *b,
		      const struct balloon_hint_view *before)
{
	struct balloon_hint_view now = fph_balloon_look(b);

	if (now.state != before->state)
		b->events |= FPH_EVENT_HINT;
	if (now.config != before->config)
		b->events |= FPH_EVENT_CONFIG;
}

int fph_balloon_hint_request(struct fph_balloon *b, uint32_t *id)
{
	struct balloon_hint_view before = fph_balloon_look(b);
	int ret;

	if (b->broken)
		return FPH_PEER_BROKEN;
	if (!(b->negotiated & FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT)) ||
	    b->resetting)
		return FPH_ESTATE;
	ret = fph_hint_session_request(&b->hint, id);
	fph_balloon_note(b, &before);
	return ret;
}

int fph_balloon_hint_stop(struct fph_balloon *b)
{
	struct balloon_hint_view before = fph_balloon_look(b);
	int ret = fph_hint_session_stop(&b->hint);

	fph_balloon_note(b, &before);
	return ret;
}

int fph_balloon_hint_done(struct fph_balloon *b)
{
	struct balloon_hint_view before = fph_balloon_look(b);
	int ret = fph_hint_session_done(&b->hint);

	fph_balloon_note(b, &before);
	return ret;
}

int fph_balloon_hint_sync_begin(struct fph_balloon *b)
{
	struct balloon_hint_view before = fph_balloon_look(b);
	int ret = fph_hint_session_sync_begin(&b->hint);

	fph_balloon_note(b, &before);
	return ret;
}

int fph_balloon_hint_sync_end(struct fph_balloon *b)
{
	return fph_hint_session_sync_end(&b->hint);
}

int fph_balloon_hint_next(struct fph_balloon *b, struct fph_run *run)
{
	if (b->frozen || b->resetting)
		return 0;
	return fph_hint_session_next(&b->hint, run);
}

int fph_balloon_hint_complete(struct fph_balloon *b,
			      const struct fph_run *run, bool ok)
{
	return fph_hint_session_complete(&b->hint, run, ok);
}

int fph_balloon_hint_get_state(const struct fph_balloon *b)
{
	return fph_hint_session_get_state(&b->hint);
}

uint32_t fph_balloon_hint_get_config(const struct fph_balloon *b)
{
	return fph_hint_session_get_config(&b->hint);
}
