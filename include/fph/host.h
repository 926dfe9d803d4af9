/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Host side: reports and hint sessions.
 *
 * Both take whole buffers as copied values, merge the ranges of many buffers
 * into runs, and hand back a buffer's cookie only when nothing that it asked
 * for is pending.  They are different types: a hint can never be treated as a
 * report, nor a report as a hint.
 *
 *	add	a buffer, popped from the queue, becomes one chain
 *	next	a run to act on, with a token
 *	complete  the action on that run is over, well or badly
 *	end	a chain with nothing pending: return its buffer as used
 *
 * Objects are not thread-safe and hold no lock; any context.  All memory is
 * the caller's.
 */
#ifndef FPH_HOST_H
#define FPH_HOST_H

#include <fph/range.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What became of a chain; fph_chain_end.outcome.  Ranges that were too small
 * for the granule need no action and count as done.
 */
enum fph_outcome {
	FPH_OUTCOME_DONE	= 1,	/* every run of it was completed well */
	FPH_OUTCOME_FAILED	= 2,	/* at least one action failed */
	FPH_OUTCOME_IGNORED	= 3,	/* all or a part was left alone */
	FPH_OUTCOME_REFUSED	= 4	/* bad in part, so nothing was done */
};

/* A chain whose buffer may be returned now. */
struct fph_chain_end {
	uint64_t cookie;		/* as given to add */
	enum fph_outcome outcome;
};

/* Storage for one chain in flight.  Members are private. */
struct fph_chain {
	uint64_t cookie;
	uint32_t pending;
	uint32_t link;
	uint32_t outcome;
	uint32_t reserved;
};

/*
 * Storage of a report or a hint session; given to init, in use until the end.
 * Both numbers are 1 to 0x7fffffff.
 */
struct fph_storage {
	struct fph_slot *slots;		/* ranges in flight, all chains */
	uint32_t nslots;
	struct fph_chain *chains;	/* buffers in flight */
	uint32_t nchains;
};

/* Chains over a coalescer: what report and hint session share.  Private. */
struct fph_window {
	struct fph_coalescer ranges;
	struct fph_chain *chains;
	uint32_t nchains;
	uint32_t free_head;
	uint32_t ready_head;
	uint32_t ready_tail;
	uint32_t nfree;
	uint32_t noutstanding;		/* runs handed out, not completed */
};

/* ---------------------------------------------------------------- report -- */

/* At rest, and if there was no reset, returned is chains + refused. */
struct fph_report_counters {
	uint64_t chains;		/* good ones, poisoned ones too */
	uint64_t returned;		/* given back by end */
	uint64_t refused;		/* refused whole, by add or by refuse */
	uint64_t poisoned;		/* left alone because of poison */
	uint64_t ranges;		/* in chains, as they came */
	uint64_t failed;		/* runs completed with a failure */
	uint64_t bytes_offered;		/* in chains, as their segments say */
	uint64_t bytes_done;		/* in runs that were completed well */
	uint64_t peer_errors;		/* chains that add found bad */
	uint64_t bytes_trimmed;		/* cut off to reach the granule */
	uint64_t bytes_overlap;		/* offered more than once in one run */
};

/* Members are private. */
struct fph_report {
	uint32_t magic;
	bool poisoned;
	struct fph_window window;
	struct fph_report_counters counters;
	uint64_t reserved[4];
};

/*
 * fph_report_init - prepare the receiver of free page reports
 *
 * granule: bytes, a power of two; runs are aligned inwards to it (R6).
 *
 * FPH_OK, FPH_EINVAL.
 */
FPH_API int fph_report_init(struct fph_report *r,
			    const struct fph_storage *storage,
			    uint64_t granule);

/*
 * fph_report_reset - the device was reset: release every chain
 *
 * Cookies that were not ended are forgotten: after a reset the ring is the
 * driver's again.  Waits for the discards in flight (R5): refuses while runs
 * are handed out.  Counters stay; the poison predicate is cleared.
 *
 * FPH_OK, FPH_EBUSY, FPH_EUNINIT.
 */
FPH_API int fph_report_reset(struct fph_report *r);

/*
 * fph_report_set_poison - what the driver negotiated
 *
 * negotiated: VIRTIO_BALLOON_F_PAGE_POISON.  With it and a nonzero poison_val
 * every later chain is returned without a discard (R4).  Call it when the
 * driver sets DRIVER_OK.
 *
 * FPH_OK, FPH_EUNINIT.
 */
FPH_API int fph_report_set_poison(struct fph_report *r, bool negotiated,
				  uint32_t poison_val);

/*
 * fph_report_add - take one report
 *
 * cookie: comes back from end.  segs, nsegs: the whole buffer, copied from the
 * ring.  The chain is checked whole before any of it counts: a readable
 * segment, an empty range or one that wraps refuses all of it.
 *
 * A refused chain is accepted for its return: end gives its cookie back with
 * FPH_OUTCOME_REFUSED, and nothing of it is handed out.
 *
 * FPH_OK; FPH_PEER_DIRECTION, FPH_PEER_RANGE (the chain is refused, its
 * cookie will come back); FPH_EFULL (nothing taken: complete and end, then
 * again); FPH_EINVAL (more segments than there is storage for; nothing
 * taken: refuse returns it); FPH_EUNINIT.  What is_room says holds for bad and
 * for poisoned chains as well.
 */
FPH_API int fph_report_add(struct fph_report *r, uint64_t cookie,
			   const struct fph_seg *segs, uint32_t nsegs);

/*
 * fph_report_refuse - take a buffer only to return it
 *
 * For what the embedder finds wrong with a buffer before the core sees it,
 * such as a segment outside guest memory: the cookie comes back from end, in
 * order, with FPH_OUTCOME_REFUSED.
 *
 * FPH_OK, FPH_EFULL, FPH_EUNINIT.
 */
FPH_API int fph_report_refuse(struct fph_report *r, uint64_t cookie);

/*
 * fph_report_next - the next run to discard
 *
 * The run belongs to one or more chains; none of them can end before the
 * run's token is given to complete (R2).
 *
 * 1 (*run is set, run->len is not 0), 0 (nothing is waiting), FPH_EUNINIT.
 */
FPH_API int fph_report_next(struct fph_report *r, struct fph_run *run);

/*
 * fph_report_complete - the discard of a run is over
 *
 * run: as given by next.  ok: the memory was freed; false when the discard
 * failed or was skipped: the chain is returned all the same, for the device
 * may lawfully do nothing.  Runs may be completed in any order.
 *
 * FPH_OK, FPH_EINVAL (that run is not out), FPH_EUNINIT.
 */
FPH_API int fph_report_complete(struct fph_report *r, const struct fph_run *run,
				bool ok);

/*
 * fph_report_end - a chain whose buffer can be returned as used
 *
 * 1 (*end is set), 0 (none is ready), FPH_EUNINIT.
 */
FPH_API int fph_report_end(struct fph_report *r, struct fph_chain_end *end);

/* Runs handed out and not completed; 0 when not initialised. */
FPH_API uint32_t fph_report_get_outstanding(const struct fph_report *r);

/* Whether add takes a chain of nsegs segments now; false if not initialised. */
FPH_API bool fph_report_is_room(const struct fph_report *r, uint32_t nsegs);

/* Copy the counters.  FPH_OK, FPH_EUNINIT. */
FPH_API int fph_report_get_counters(const struct fph_report *r,
				    struct fph_report_counters *out);

/* ---------------------------------------------------------- hint session -- */

/*
 * States of a hint session:
 *
 * IDLE		no round; config shows VIRTIO_BALLOON_CMD_ID_STOP
 * REQUESTED	an id is published, its START was not seen yet
 * ACTIVE	START was seen: hints count
 * STOPPING	the host ended the round while hints were outstanding
 * STOPPED	the driver ended the stream by itself; its id is spent
 * DONE		the host needs no hints; config shows VIRTIO_BALLOON_CMD_ID_DONE
 *
 * STOPPING goes on to IDLE, or to DONE if done was called, when stop, done or
 * sync_begin is called again with all runs completed.  What ends a round also
 * drops the hints that were not handed out: their buffers come back with
 * FPH_OUTCOME_IGNORED.  A driver's own STOP does not: the hints before it were
 * given under the id and are still handed out in STOPPED.
 */
enum fph_hint_state {
	FPH_HINT_IDLE		= 1,
	FPH_HINT_REQUESTED	= 2,
	FPH_HINT_ACTIVE		= 3,
	FPH_HINT_STOPPING	= 4,
	FPH_HINT_STOPPED	= 5,
	FPH_HINT_DONE		= 6
};

struct fph_hint_counters {
	uint64_t rounds;		/* ids published */
	uint64_t starts;		/* STARTs that began a round */
	uint64_t stops;			/* streams ended by a command */
	uint64_t stale;			/* commands that changed nothing */
	uint64_t chains;		/* buffers taken, refused ones too */
	uint64_t returned;		/* buffers given back */
	uint64_t hints;			/* ranges taken in an active round */
	uint64_t bytes;			/* bytes in them */
	uint64_t ignored;		/* ranges outside an active round */
	uint64_t bytes_ignored;
	uint64_t bytes_done;		/* in runs completed well */
	uint64_t failed;		/* runs completed with a failure */
	uint64_t peer_errors;		/* buffers that add found bad */
	uint64_t dropped;		/* hints dropped as a round ended */
	uint64_t bytes_dropped;
	uint64_t bytes_trimmed;		/* cut off to reach the granule */
	uint64_t bytes_overlap;		/* hinted more than once in one run */
};

/* Members are private. */
struct fph_hint_session {
	uint32_t magic;
	uint32_t state;
	uint32_t target;		/* what STOPPING becomes */
	uint32_t id;			/* the current or last id */
	uint32_t next_id;		/* 0: exhausted */
	uint32_t endian;		/* enum fph_endian of command ids */
	bool broken;
	bool in_sync;			/* between sync_begin and sync_end */
	bool synced;			/* a harvest came before (D1) */
	struct fph_window window;
	struct fph_hint_counters counters;
	uint64_t reserved[4];
};

/*
 * fph_hint_session_init - prepare a hint session; state IDLE
 *
 * granule: bytes, a power of two; runs are aligned inwards to it (D8), the
 * host's dirty-tracking page or larger.  first_id: the first command id,
 * VIRTIO_BALLOON_CMD_ID_MIN (2) or more; ids count up from it.
 *
 * FPH_OK, FPH_EINVAL.
 */
FPH_API int fph_hint_session_init(struct fph_hint_session *s,
				  const struct fph_storage *storage,
				  uint64_t granule, uint32_t first_id);

/*
 * fph_hint_session_reset - the device was reset; state IDLE
 *
 * Refuses while runs are handed out.  Cookies that were not ended are
 * forgotten.  The id counter goes on, so that an id is never reissued (D5);
 * only an exhausted one begins again, at VIRTIO_BALLOON_CMD_ID_MIN.  A new
 * harvest is needed (D1); one that is going on is the host's own affair and
 * goes on.  The byte order is FPH_LE again.
 *
 * FPH_OK, FPH_EBUSY, FPH_EUNINIT.
 */
FPH_API int fph_hint_session_reset(struct fph_hint_session *s);

/*
 * fph_hint_session_set_endian - byte order of command ids in buffers
 *
 * endian: FPH_LE with VIRTIO_F_VERSION_1, the guest's own without it.
 *
 * FPH_OK, FPH_EINVAL, FPH_ESTATE (REQUESTED or ACTIVE), FPH_EUNINIT.
 */
FPH_API int fph_hint_session_set_endian(struct fph_hint_session *s,
					int endian);

/*
 * fph_hint_session_sync_begin - the host is about to harvest its dirty log
 *
 * A barrier: ends the round as stop does, with the same states, and refuses
 * until every run is completed (D2, D3).  To be called again after FPH_EBUSY;
 * the round is over from the first call on, no further hint counts.
 *
 * FPH_OK, FPH_EBUSY, FPH_ESTATE (already between begin and end), FPH_EUNINIT.
 */
FPH_API int fph_hint_session_sync_begin(struct fph_hint_session *s);

/*
 * fph_hint_session_sync_end - the harvest of all pages is complete
 *
 * The log must be armed again before this call (D6).
 *
 * FPH_OK, FPH_ESTATE (no sync_begin), FPH_EUNINIT.
 */
FPH_API int fph_hint_session_sync_end(struct fph_hint_session *s);

/*
 * fph_hint_session_request - publish a new command id; state REQUESTED
 *
 * Allowed in IDLE, STOPPED and DONE, after at least one harvest since init or
 * reset and outside one (D1).  *id: the value for the config field; raise a
 * configuration change interrupt.
 *
 * FPH_OK; FPH_PEER_BROKEN (until reset), FPH_ESTATE, FPH_EBUSY (STOPPING, or
 * hints of the last round are outstanding or were not yet handed out),
 * FPH_EEXHAUSTED; FPH_EUNINIT.
 */
FPH_API int fph_hint_session_request(struct fph_hint_session *s, uint32_t *id);

/*
 * fph_hint_session_stop - end the round; state IDLE, or STOPPING until drained
 *
 * A barrier (D3): no hint counts from the call on, and FPH_OK means that none
 * is outstanding.  DONE stays DONE, and STOPPING on its way to DONE goes there.
 *
 * FPH_OK, FPH_EBUSY (complete the outstanding runs, then again), FPH_EUNINIT.
 */
FPH_API int fph_hint_session_stop(struct fph_hint_session *s);

/*
 * fph_hint_session_done - the host needs no hints; state DONE (D9)
 *
 * The driver may take its pages back.  Ends a round as stop does.  Allowed in
 * every state, after a peer error as well.
 *
 * FPH_OK, FPH_EBUSY (as stop; state STOPPING), FPH_EUNINIT.
 */
FPH_API int fph_hint_session_done(struct fph_hint_session *s);

/*
 * fph_hint_session_add - take one buffer of the hinting queue
 *
 * cookie: comes back from end.  cmd, cmd_len: the bytes of its readable
 * segments, joined; cmd_len is their true total, of which the first 4 bytes
 * are looked at.  segs, nsegs: its writable segments.
 *
 * A buffer may carry a command, hints, or both, the command first.  Every
 * state takes buffers and every buffer comes back (D10); hints count only in
 * an active round (D4b), which begins only from REQUESTED by a START with
 * exactly the published id (D4a, D4c) and ends by any command at all, the
 * same id again included (counted in stops); every other command changes
 * nothing (counted in stale).  The outcome of a buffer without hints is
 * FPH_OUTCOME_DONE if its command began or ended a round, else
 * FPH_OUTCOME_IGNORED.
 *
 * A buffer that is bad in any part is refused whole: no command of it is
 * obeyed and no hint counted; its cookie comes back with
 * FPH_OUTCOME_REFUSED, and the session is broken: the round is over, as by
 * stop, and only reset allows another.
 *
 * FPH_OK; FPH_PEER_CMD_LEN (cmd_len is neither 0 nor 4), FPH_PEER_DIRECTION
 * (a segment of segs is readable), FPH_PEER_RANGE: the buffer is refused, its
 * cookie will come back; FPH_EFULL (nothing taken: complete and end, then
 * again); FPH_EINVAL (more segments than there is storage for; nothing taken:
 * refuse returns it); FPH_EUNINIT.
 */
FPH_API int fph_hint_session_add(struct fph_hint_session *s, uint64_t cookie,
				 const void *cmd, uint64_t cmd_len,
				 const struct fph_seg *segs, uint32_t nsegs);

/* As fph_report_refuse.  The session is not broken by it. */
FPH_API int fph_hint_session_refuse(struct fph_hint_session *s,
				    uint64_t cookie);

/*
 * fph_hint_session_next - the next run of pages that need not be sent
 *
 * Clear it from the migration bitmap, never from the dirty log (D6), and
 * never touch the memory itself (D7).
 *
 * 1 (*run is set, run->len is not 0), 0 (nothing is waiting), FPH_EUNINIT.
 */
FPH_API int fph_hint_session_next(struct fph_hint_session *s,
				  struct fph_run *run);

/* As fph_report_complete. */
FPH_API int fph_hint_session_complete(struct fph_hint_session *s,
				      const struct fph_run *run, bool ok);

/* As fph_report_end. */
FPH_API int fph_hint_session_end(struct fph_hint_session *s,
				 struct fph_chain_end *end);

/* The state, or FPH_EUNINIT. */
FPH_API int fph_hint_session_get_state(const struct fph_hint_session *s);

/*
 * The value of free_page_hint_cmd_id: the id in REQUESTED and ACTIVE,
 * VIRTIO_BALLOON_CMD_ID_DONE in DONE, VIRTIO_BALLOON_CMD_ID_STOP otherwise.
 */
FPH_API uint32_t fph_hint_session_get_config(const struct fph_hint_session *s);

/* Runs handed out and not completed; 0 when not initialised. */
FPH_API uint32_t
fph_hint_session_get_outstanding(const struct fph_hint_session *s);

/* Whether add takes a buffer of nsegs hints now; false if not initialised. */
FPH_API bool fph_hint_session_is_room(const struct fph_hint_session *s,
				      uint32_t nsegs);

/* Copy the counters.  FPH_OK, FPH_EUNINIT. */
FPH_API int fph_hint_session_get_counters(const struct fph_hint_session *s,
					  struct fph_hint_counters *out);

#ifdef __cplusplus
}
#endif

#endif /* FPH_HOST_H */
