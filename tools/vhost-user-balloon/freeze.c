/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "freeze.h"
#include "log.h"

void freeze_init(struct freeze *f, struct fph_balloon *balloon,
		 struct events *events)
{
	memset(f, 0, sizeof(*f));
	f->balloon = balloon;
	f->events = events;
}

const char *freeze_get_mode_name(int mode)
{
	switch (mode) {
	case FPH_FREEZE_DRAIN:
		return "drain";
	case FPH_FREEZE_HOLD:
		return "hold";
	case FPH_FREEZE_SKIP:
		return "acknowledge";
	}
	return "no";
}

bool freeze_is_reason(const char *reason)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	size_t len = strlen(reason);

	return len && len < FREEZE_REASON_SIZE &&
	       strspn(reason, allowed) == len;
}

static struct inhibitor *find(struct freeze *f, const char *reason)
{
	uint32_t i;

	for (i = 0; i < f->n; i++) {
		if (!strcmp(f->list[i].reason, reason))
			return &f->list[i];
	}
	return NULL;
}

int freeze_add(struct freeze *f, const char *reason, int mode, int64_t until)
{
	struct inhibitor *in = find(f, reason);

	if (!in && f->n == FREEZE_REASONS)
		return ENOSPC;
	if (!in) {
		in = &f->list[f->n++];
		memset(in, 0, sizeof(*in));
		strcpy(in->reason, reason);
	}
	in->count++;
	in->mode = mode;
	in->until = until;
	return 0;
}

static void forget(struct freeze *f, struct inhibitor *in)
{
	*in = f->list[--f->n];
}

int freeze_remove(struct freeze *f, const char *reason)
{
	struct inhibitor *in = find(f, reason);

	if (!in)
		return ENOENT;
	if (--in->count == 0)
		forget(f, in);
	return 0;
}

uint32_t freeze_remove_all(struct freeze *f)
{
	uint32_t n = freeze_count(f);

	f->n = 0;
	return n;
}

uint32_t freeze_count(const struct freeze *f)
{
	uint32_t i, n = 0;

	for (i = 0; i < f->n; i++)
		n += f->list[i].count;
	return n;
}

/* --------------------------------------------------------------------- run */

static int get_mode(const struct freeze *f, bool letting_go)
{
	uint32_t i;

	for (i = 0; i < f->n; i++) {
		if (f->list[i].mode == FPH_FREEZE_HOLD)
			return letting_go ? FPH_FREEZE_DRAIN : FPH_FREEZE_HOLD;
	}
	return f->n ? FPH_FREEZE_SKIP : 0;
}

void freeze_run(struct freeze *f, bool letting_go)
{
	int mode = get_mode(f, letting_go);

	if (mode == f->mode && (f->quiet || !mode))
		return;
	f->mode = mode;
	f->quiet = false;
	if (!mode) {
		fph_balloon_thaw(f->balloon);
		return;
	}
	f->quiet = fph_balloon_freeze_as(f->balloon, mode) == FPH_OK;
	if (f->quiet)
		events_put(f->events, EVENT_FROZEN, 0, 0);
}

void freeze_forget_mode(struct freeze *f)
{
	f->mode = 0;
	f->quiet = false;
}

void freeze_expire(struct freeze *f, int64_t now)
{
	uint32_t i = 0;

	while (i < f->n) {
		struct inhibitor *in = &f->list[i];

		if (in->until < 0 || in->until > now) {
			i++;
			continue;
		}
		log_line("freeze for %s: its time is over, it ends",
			 in->reason);
		forget(f, in);
	}
}

int64_t freeze_get_deadline(const struct freeze *f)
{
	int64_t at = -1;
	uint32_t i;

	for (i = 0; i < f->n; i++)
		at = clock_earlier(at, f->list[i].until);
	return at;
}
