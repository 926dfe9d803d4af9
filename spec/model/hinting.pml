/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Free page hinting during pre-copy live migration.
 *
 * Four processes: the guest that uses its memory, its driver that hints, the
 * device thread that serves the hinting queue, and the thread that migrates.
 * Data is one bit per page: same[p] says that the copy at the destination
 * equals the source.  A write clears it and is logged; sending sets it.
 *
 * SAFETY: at switchover every page that the guest holds has that bit; and no
 * page that the guest holds is ever discarded.
 * LIVENESS (-DLIVE): in the end no page stays hinted.
 *
 * printf lines that start with "@" are the events; README.adoc lists them.
 */
#include "hinting-rules.pml"

#define STOP	0		/* config values and commands, as in virtio */
#define DONE	1
#define IDMIN	2
#define NONE	255		/* no page */

mtype = { FREE, HELD, HINTED };			/* a page, to the guest */
mtype = { STOPPED, REQUESTED, ACTIVE, ENDED };	/* the device's session */
mtype = { COMMAND, HINT };			/* a buffer of the queue */

/* guest and driver */
mtype page[NP] = HELD;
bool queued[NP];		/* WAIT_USED: its buffer is not used yet */
byte start_buf;			/* SHARED_START: content of the one buffer */
bool paused;
bool reset_wanted;
byte resets;
bool suspend_wanted;
byte suspends;

/* the wire */
chan vq = [QLEN] of { mtype, byte };
byte cfg = STOP;		/* free_page_hint_cmd_id */

/* device */
mtype session = STOPPED;
byte cur = STOP;		/* id of the session */
byte next_id = IDMIN;
bool suspended;			/* config space stands still */
byte due;			/* what config space shows at the resume */
byte inflight = NONE;		/* page popped and accepted, not acted on */
byte stream = STOP;		/* REUSE_IDS: stream that is being received */
bool reissuable[2] = true;	/* REUSE_IDS: ids IDMIN and IDMIN + 1 */

/* migration */
bool logging;			/* a migration runs, writes are logged */
bool log[NP];			/* dirty log of the hypervisor */
bool todo[NP];			/* migration bitmap: to be sent */
bool same[NP];			/* the copy at the destination is right */
bool unarmed[NP];		/* LAZY_LOG: synced, not re-armed yet */
bool late[NP];			/* SKIP_PENDING=2: so at the publication */
bool written[NP];		/* DISCARD: content guard */
byte nth;			/* migrations begun */
bool cancelled, restored, over;

/* history, for reachability runs only */
bool issued[2];			/* REISSUED */
byte old;			/* RESTORED_OLD: buffers left of before */

#define for_pages(p)	for (p : 0 .. NP - 1)

inline set_config(value)
{
	if
	:: suspended -> due = value
	:: else -> cfg = value
	fi
}

/* LAZY_LOG: re-arms a chunk for what its last sync found. */
inline rearm(p)
{
	if
	:: unarmed[p] -> log[p] = false; unarmed[p] = false
	:: else
	fi
}

inline rearm_chunk(p)
{
	if
	:: CHUNK == 1 -> rearm(p)
	:: CHUNK != 1 -> rearm(0); rearm(NP - 1)
	fi
}

inline reached(what)
{
	if
	:: REACH == what -> printf("@ reached goal=%e\n", what); assert(false)
	:: else
	fi
}

#include "hinting-guest.pml"
#include "hinting-device.pml"
#include "hinting-migration.pml"

#if LIVE
#if NP == 1
#define any_hinted	(page[0] == HINTED)
#else
#define any_hinted	(page[0] == HINTED || page[1] == HINTED)
#endif
ltl released { <> [] (over && !any_hinted) }
#endif
