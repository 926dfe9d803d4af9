/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The values that go from a ring through the library and back.
 *
 *	host	pop -> buffers -> add -> runs -> complete -> used -> push
 *	guest	add -> submit -> buffers -> ring -> used -> complete -> ranges
 *
 * Addresses are guest-physical, lengths are bytes.  Every struct can be
 * copied.  Reserved members are zero.
 */
#ifndef FPH_TYPES_H
#define FPH_TYPES_H

#include <fph/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A range of guest-physical memory. */
struct fph_range {
	uint64_t gpa;
	uint64_t len;
};

/* A range with the name that its owner gave it: a number or a pointer. */
struct fph_owned_range {
	uint64_t gpa;
	uint64_t len;
	uint64_t owner;
};

/* One segment of a buffer: one descriptor, copied. */
struct fph_seg {
	uint64_t gpa;
	uint32_t len;
	uint32_t flags;			/* FPH_SEG_* */
};

#define FPH_SEG_WRITE	1u	/* device-writable */
#define FPH_SEG_SKIP	2u	/* host: the device leaves this one alone */

/*
 * A buffer: one descriptor chain.  Its segments stand in an array beside it,
 * the readable ones first; those of the next buffer follow them.  nread and
 * nwrite must agree with FPH_SEG_WRITE of the segments: a buffer where they do
 * not is bad.
 *
 * cookie: names the buffer.  Those that the library makes are below 2^32 and
 * never 0, so that they fit a pointer everywhere; those that it is given may
 * be anything.
 */
struct fph_buffer {
	uint64_t cookie;
	uint32_t nread;			/* readable segments */
	uint32_t nwrite;		/* writable segments, behind them */
	uint32_t flags;			/* FPH_BUFFER_* */
	uint32_t index;			/* hinter: which command buffer */
	uint8_t command[4];		/* hinting queue: see below */
	uint32_t reserved;
};

/*
 * command holds the first 4 bytes of the readable segments of a buffer in the
 * hinting queue, as they are in memory.  On the host whoever popped the buffer
 * puts them there, as with fph_memory_read; where those segments are not 4
 * bytes together it need not: the session checks the length by the segments.
 * In the guest the hinter does, and the embedder copies them into command
 * buffer number index before the barrier with which its queue shows the buffer.
 */
#define FPH_BUFFER_REFUSE	1u	/* host: do nothing, only return it */
#define FPH_BUFFER_START	2u	/* hinter: it carries a command id */
#define FPH_BUFFER_STOP		4u	/* hinter: it carries STOP */
#define FPH_BUFFER_DIRECT	8u	/* guest's ring: no indirect table */

/* What became of a run, or of a buffer, from best to worst. */
enum fph_outcome {
	FPH_OUTCOME_NONE	= 0,	/* not worked on yet */
	FPH_OUTCOME_COMMAND	= 1,	/* a command that began or ended a
					   round; no memory in it */
	FPH_OUTCOME_DISCARDED	= 2,	/* its memory is free */
	FPH_OUTCOME_CLEARED	= 3,	/* a hint: its dirty bits are clear */
	FPH_OUTCOME_LAZY	= 4,	/* freed when the host needs it */
	FPH_OUTCOME_TRIMMED	= 5,	/* no whole page of the host in it */
	FPH_OUTCOME_SKIPPED	= 6,	/* left alone; reason says why */
	FPH_OUTCOME_FAILED	= 7,	/* a system call failed */
	FPH_OUTCOME_REFUSED	= 8	/* a bad buffer: nothing of it done */
};

/* Why memory was left alone. */
enum fph_skip_reason {
	FPH_SKIP_NONE		= 0,
	FPH_SKIP_POISON		= 1,	/* poison_val is in use (R4) */
	FPH_SKIP_STALE		= 2,	/* hint or command of no live round */
	FPH_SKIP_ROUND_OVER	= 3,	/* its round ended before its turn */
	FPH_SKIP_EMPTY		= 4,	/* a buffer without memory */
	FPH_SKIP_FILE_PRIVATE	= 5,	/* the file's content would return */
	FPH_SKIP_LOCKED		= 6,
	FPH_SKIP_CONFIDENTIAL	= 7,
	FPH_SKIP_READONLY	= 8,
	FPH_SKIP_UNMAPPED	= 9,	/* not guest memory */
	FPH_SKIP_VFIO		= 10,	/* inhibited: a device has it pinned */
	FPH_SKIP_POSTCOPY	= 11,	/* inhibited: incoming postcopy */
	FPH_SKIP_SNAPSHOT	= 12,	/* inhibited: a snapshot is read */
	FPH_SKIP_USERFAULTFD	= 13,	/* inhibited: faults are served */
	FPH_SKIP_EMBEDDER	= 14,	/* inhibited: the VMM's own reason */
	FPH_SKIP_BACKOFF	= 15,	/* a discard failed just before */
	FPH_SKIP_DISABLED	= 16,	/* too many discards failed */
	FPH_NSKIP		= 17
};

/*
 * Host: a maximal run of memory to act on.  Whoever acts on it sets outcome,
 * freed and, with SKIPPED, reason, and gives it back with complete.
 */
struct fph_run {
	uint64_t gpa;
	uint64_t len;			/* never 0 */
	uint64_t token;			/* names it; never used again */
	uint64_t done;			/* bytes from the front worked on:
					   for fph_reclaim_discard, which
					   begins there; complete ignores it */
	uint64_t freed;			/* of them, really freed */
	uint8_t outcome;		/* enum fph_outcome */
	uint8_t reason;			/* enum fph_skip_reason, if SKIPPED */
	uint16_t queue;			/* enum fph_queue it came from */
	uint32_t reserved;
};

/* A buffer that goes back: to the driver, or in the driver from the device. */
struct fph_used {
	uint64_t cookie;
	uint64_t freed;			/* host: bytes really freed */
	uint32_t len;			/* bytes written into the buffer */
	uint8_t outcome;		/* host: the worst of its runs */
	uint8_t reason;			/* host: with SKIPPED */
	uint16_t reserved;
};

/*
 * Flags of load.  MOVED: only the state came along, as to another host or out
 * of a snapshot.  What was begun there is not going on here: every run that
 * was out is over, as SKIPPED with FPH_SKIP_SNAPSHOT, and no dirty log
 * survives, so a hint round is over too.  Without it the embedder still holds
 * the runs and goes on with them.
 */
#define FPH_LOAD_MOVED		1u

#ifdef __cplusplus
}
#endif

#endif /* FPH_TYPES_H */
