/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The host's side of free page hinting, for the files that it is made of.  Not
 * installed.
 *
 *	hint_session.c		the calls
 *	hint_session_state.c	save and load
 */
#ifndef FPH_CORE_HINT_SESSION_H
#define FPH_CORE_HINT_SESSION_H

#include <fph/host.h>

#include "common.h"
#include "inflight.h"

#define FPH_HINT_SESSION_MAGIC	0x46704830u

struct fph_hint_session {
	uint32_t magic;
	int state;			/* enum fph_hint_state */
	int target;			/* where STOPPING goes: IDLE or DONE */
	int endian;
	int error;			/* what broke it; FPH_OK */
	uint32_t id;			/* the last one that was published */
	uint32_t next_id;		/* 0: they are used up */
	bool synced;			/* a sync ended since init or reset */
	bool in_sync;
	struct fph_inflight inflight;
	struct fph_hint_counters counters;	/* those that add counts */
};

#endif /* FPH_CORE_HINT_SESSION_H */
