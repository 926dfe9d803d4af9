/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Switches of hinting.pml.  A build without any -D is the protocol with every
 * rule kept.  -DDROP_<rule> drops one; README.adoc has the table of rules.
 * Switches are numbers, so that the model reads "if :: !DROP_D7 -> ..."
 * instead of "#ifdef".
 */

/* ---- bounds ---- */
#ifndef NP
#define NP 2			/* guest pages */
#endif
#ifndef ROUNDS
#define ROUNDS 2		/* live rounds of a migration, one id each */
#endif
#ifndef QLEN
#define QLEN 3			/* buffers that the hinting queue can hold */
#endif
#ifndef MIGRATIONS
#define MIGRATIONS 1		/* migrations, one after another */
#endif
#ifndef RESETS
#define RESETS 0		/* device resets that the driver may do */
#endif

/* ---- what may happen ---- */
#ifndef CANCEL
#define CANCEL 0		/* a migration may be cancelled */
#endif
#ifndef RESTORE
#define RESTORE 0		/* 1: one save and restore may happen;
				   2: only while buffers are queued */
#endif
#ifndef SUSPENDS
#define SUSPENDS 0		/* times that the driver may suspend the
				   device and resume it */
#endif
#ifndef LIVE
#define LIVE 0			/* liveness run: the driver keeps V3 */
#endif
#ifndef NO_HINTS
#define NO_HINTS 0		/* the device ignores every hint */
#endif

/* ---- designs ---- */
#ifndef WAIT_USED
#define WAIT_USED 0		/* driver: no reclaim before "used" */
#endif
#ifndef OMIT_STOP
#define OMIT_STOP 0		/* driver: a stream may end without STOP */
#endif
#ifndef LAZY_LOG
#define LAZY_LOG 0		/* a sync reads the log; it is re-armed
				   later, by chunks (KVM manual protect) */
#endif
#ifndef CHUNK
#define CHUNK 1			/* LAZY_LOG: pages of a chunk, 1 or NP */
#endif
#ifndef ARM
#define ARM 0			/* driver: page 0 is its own; it hints this
				   page first, waits until it is used, and
				   looks at free pages only then */
#endif
#ifndef SKIP_PENDING
#define SKIP_PENDING 0		/* LAZY_LOG: ignore a hint for a page whose
				   log bit was not re-armed yet; 1: when it is
				   acted on, 2: when the id was published */
#endif
#ifndef REUSE_IDS
#define REUSE_IDS 0		/* only two ids exist and are reissued */
#endif
#ifndef DISCARD
#define DISCARD 0		/* a hint changes memory instead of clearing
				   the bit of the migration bitmap */
#endif
#ifndef SHOW_STOP
#define SHOW_STOP 0		/* device: config reads 0 while active */
#endif
#ifndef STOP_FIRST
#define STOP_FIRST 0		/* a migration stops hints before it fills
				   its bitmap, not only before syncs */
#endif

/* ---- rules of the device ---- */
#ifndef DROP_D1
#define DROP_D1 0		/* the id is published before the sync */
#endif
#ifndef DROP_D2
#define DROP_D2 0		/* no sync stops hints */
#endif
#ifndef DROP_D2_FINAL
#define DROP_D2_FINAL 0		/* the last sync does not stop hints */
#endif
#ifndef DROP_D2_CANCEL
#define DROP_D2_CANCEL 0	/* a cancel does not stop hints */
#endif
#ifndef DROP_D2_RESTORE
#define DROP_D2_RESTORE 0	/* a restored session is live */
#endif
#ifndef DROP_D3
#define DROP_D3 0		/* stop does not wait for a popped hint */
#endif
#ifndef DROP_D3_CANCEL
#define DROP_D3_CANCEL 0	/* cancel does not wait for a popped hint */
#endif
#ifndef DROP_D3_RESET
#define DROP_D3_RESET 0		/* reset does not wait for a popped hint */
#endif
#ifndef DROP_D3_RESTORE
#define DROP_D3_RESTORE 0	/* a popped hint is acted on after restore */
#endif
#ifndef DROP_D4A
#define DROP_D4A 0		/* any id starts a stream */
#endif
#ifndef DROP_D4B
#define DROP_D4B 0		/* hints count before the stream started */
#endif
#ifndef DROP_D4C
#define DROP_D4C 0		/* a stopped session can be started */
#endif
#ifndef DROP_D5
#define DROP_D5 0		/* REUSE_IDS: reissued at any time */
#endif
#ifndef DROP_D5_OWN
#define DROP_D5_OWN 0		/* REUSE_IDS: reissued after any STOP */
#endif
#ifndef DROP_D5_CANCEL
#define DROP_D5_CANCEL 0	/* each migration counts from the first id */
#endif
#ifndef DROP_D5_RESTORE
#define DROP_D5_RESTORE 0	/* the id counter is not in the saved state */
#endif
#ifndef DROP_D6
#define DROP_D6 0		/* a hint clears the dirty log */
#endif
#ifndef DROP_D6_LAZY
#define DROP_D6_LAZY 0		/* LAZY_LOG: a hint re-arms the log */
#endif
#ifndef DROP_D7
#define DROP_D7 0		/* DISCARD: blindly */
#endif
#ifndef DROP_D7_ATOMIC
#define DROP_D7_ATOMIC 0	/* DISCARD: first check, later act */
#endif
#ifndef DROP_D7_ARM
#define DROP_D7_ARM 0		/* DISCARD: the check is armed after the id */
#endif
#ifndef DROP_D8
#define DROP_D8 0		/* ranges are rounded outwards */
#endif
#ifndef DROP_D9
#define DROP_D9 0		/* no DONE at the end of a migration */
#endif
#ifndef DROP_D9_CANCEL
#define DROP_D9_CANCEL 0	/* no DONE when it is cancelled */
#endif
#ifndef DROP_D9_RESTORE
#define DROP_D9_RESTORE 0	/* no DONE after a restore */
#endif
#ifndef DROP_D10
#define DROP_D10 0		/* a stopped device leaves buffers queued */
#endif
#ifndef DROP_D10_RESTORE
#define DROP_D10_RESTORE 0	/* a popped buffer is not in the saved state */
#endif
#ifndef DROP_SUS1
#define DROP_SUS1 0		/* a round goes on over a suspend, when config
				   space cannot be changed */
#endif
#ifndef DROP_SUS4
#define DROP_SUS4 0		/* what became due while the device was
				   suspended is not shown at the resume */
#endif
#ifndef USED_EARLY
#define USED_EARLY 0		/* a buffer is used before it is acted on */
#endif

/* ---- rules of the driver ---- */
#ifndef DROP_V1
#define DROP_V1 0		/* the page is picked before the id is read */
#endif
#ifndef DROP_V2
#define DROP_V2 0		/* a reused page is not written first */
#endif
#ifndef DROP_V3
#define DROP_V3 0		/* LIVE: the id is not read again */
#endif
#ifndef SHARED_START
#define SHARED_START 0		/* one START buffer serves all rounds and is
				   rewritten while it may still be queued */
#endif
#ifndef TAKE_BACK_EARLY
#define TAKE_BACK_EARLY 0	/* pages are taken back before the device
				   confirmed the reset */
#endif

/* ---- what a reachability run looks for ---- */
mtype = {
	SKIPPED,		/* a hint is honoured */
	SAVED,			/* a page was never sent, and rightly so */
	RECLAIMED,		/* a page is reclaimed before it is used */
	REISSUED,		/* an id is published a second time */
	DISCARDED,		/* memory of a page is changed */
	RESET_MID,		/* a reset hits an active stream */
	RESET_SKIPPED,		/* a hint is honoured after a reset */
	SECOND,			/* a migration ends after a cancelled one */
	SECOND_SKIPPED,		/* and a hint is honoured in it */
	RESTORED_MID,		/* a restore finds an active stream, a hint
				   popped and buffers queued */
	RESTORED_OLD,		/* a hint queued before a restore is ignored
				   after it */
	RESTORED_SKIPPED,	/* a hint is honoured after a restore */
	ARMED,			/* a hint is honoured after arming */
	SUSPENDED_MID,		/* a suspend finds an active stream and
				   buffers queued */
	SUSPENDED_SYNC		/* a sync happens while it is suspended */
};
#ifndef REACH
#define REACH 0
#endif
