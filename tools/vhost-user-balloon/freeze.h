/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Who holds discards back, and why: a list of reasons, each with a number of
 * those who gave it.  The device is frozen while there is one, in the stronger
 * of their modes: HOLD before SKIP.
 *
 * What must let go of rings or memory does not wait for a thaw: meanwhile the
 * buffers that wait go back without effect (DRAIN), so nothing is discarded in
 * that case either.
 */
#ifndef VUB_FREEZE_H
#define VUB_FREEZE_H

#include <stdbool.h>
#include <stdint.h>

#include <fph-vmm/balloon.h>

#include "events.h"

#define FREEZE_REASONS		16u
#define FREEZE_REASON_SIZE	32u	/* bytes, with the 0 at the end */

struct inhibitor {
	char reason[FREEZE_REASON_SIZE];
	int mode;			/* FPH_FREEZE_HOLD or _SKIP */
	uint32_t count;
	int64_t until;			/* it ends by itself, -1: it does not */
};

struct freeze {
	struct fph_balloon *balloon;
	struct events *events;
	struct inhibitor list[FREEZE_REASONS];
	uint32_t n;
	int mode;			/* of the device now, 0: not frozen */
	bool quiet;			/* confirmed: no discard is going on */
};

void freeze_init(struct freeze *f, struct fph_balloon *balloon,
		 struct events *events);

/* Whether a text can be a reason: letters, digits, '-', '_' and '.'. */
bool freeze_is_reason(const char *reason);

/*
 * One more who freezes for this reason; its mode and its end are those of the
 * newest.  0, or ENOSPC: too many reasons.  freeze_run makes it true.
 */
int freeze_add(struct freeze *f, const char *reason, int mode, int64_t until);

/* One less; 0, or ENOENT: nobody freezes for it. */
int freeze_remove(struct freeze *f, const char *reason);

/* All of them; how many there were. */
uint32_t freeze_remove_all(struct freeze *f);

/*
 * Make the device as the list says; letting_go: rings or memory are to go.
 * EVENT_FROZEN is put when a freeze is confirmed.
 */
void freeze_run(struct freeze *f, bool letting_go);

/* A state was loaded: what the device was before is of no account. */
void freeze_forget_mode(struct freeze *f);

/* End what is over by now; when the next one is, -1 for "never". */
void freeze_expire(struct freeze *f, int64_t now);
int64_t freeze_get_deadline(const struct freeze *f);

/* Those who freeze, of all reasons. */
uint32_t freeze_count(const struct freeze *f);

/* "no", "hold", "acknowledge", "drain". */
const char *freeze_get_mode_name(int mode);

#endif /* VUB_FREEZE_H */
