/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Results of libfph calls, and the rules that hold for every call.
 *
 * A call answers FPH_OK (0), a positive count, or one of the negative values
 * below.  Its comment lists every one that it can answer.  An object that is
 * NULL answers FPH_EUNINIT, or 0 where the answer is no status and the comment
 * names no other.  Every other pointer is the caller's duty, unless the comment
 * names NULL.  After an error what a call sets through a pointer means nothing,
 * unless the comment says more.
 *
 * Batches.  A call that takes or gives an array works from the front and
 * answers how many entries it did.  It answers an error only if the first
 * entry has one.  So what stands before a bad entry is done, and the bad one
 * is the first of the next call.
 *
 * Unfinished work.  FPH_EBUSY: nothing has changed.  FPH_EINPROGRESS: the call
 * has begun and waits for outstanding work: complete that, and repeat the same
 * call until it answers FPH_OK.  Repeating it is harmless.
 *
 * Errors.  After any other negative answer the object is as it was, unless the
 * comment says that it is broken from then on.
 *
 * Memory.  Objects of <fph/...> live in memory of the caller: fph_x_size says
 * how much it takes for given parameters, FPH_X_SIZE is an upper bound of it as
 * a constant (name the numbers, the defaults too), and fph_x_init refuses less.
 * The memory is aligned to 8 bytes; its content before init does not matter.
 * It is not touched before it is needed, and must not be moved or copied while
 * the object is in use.  There is nothing to free.  Objects of <fph-vmm/...>
 * are made by fph_x_new and freed by fph_x_free.
 *
 * Saved state.  fph_x_save writes an object into a buffer of the caller, at
 * any time and in every state, as bytes that mean the same on every machine;
 * fph_x_load goes on from there in an object that was just made.  The format
 * is in doc/saved-state.adoc.  What is loaded is checked like a peer's data:
 * state that is damaged, of a later version, or of another object is refused,
 * and the object is as it was.  Give the new object the parameters of the old
 * one: those that it could not go on right without are compared.
 *
 * Parameters.  Set size to sizeof the struct and zero what you do not set:
 * zero means the default.  A struct that is shorter than the one of this
 * version is filled up with zeros; one that is longer is refused with
 * FPH_EINVAL if it sets something that this version does not know.  The struct
 * is copied; what its pointers lead to stays in use.  A struct without size has
 * no defaults: set every member, reserved ones to zero.
 *
 * Counters have 64 bits and go on over a reset of their object.
 *
 * Threads.  The library has no global and no thread-local state, and takes no
 * lock.  One lock of the caller protects one object.  Calls on a const object
 * may run beside each other.  Calls on different objects never interfere.
 *
 * Context.  "Any context": the call does not sleep, wait or allocate, so it may
 * run in an interrupt and under a spinlock.  "Hosted": it needs a C library,
 * and may make system calls.
 *
 * Rules.  R2, D4B, V1, L6 and the like are clauses of the specification in
 * spec/, where they are FPH-R2 and so on; VIO-HINT-DRV-3 and the like are rules
 * of virtio 1.4, which it lists.
 *
 * Files.  What these headers name in doc/, spec/ and examples/ stands below the
 * folder of the package's documentation, /usr/local/share/doc/libfph if nothing
 * else was configured.
 */
#ifndef FPH_STATUS_H
#define FPH_STATUS_H

#include <fph/config.h>
#include <fph/version.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fph_status {
	FPH_OK			= 0,

	/* The caller's.  Behind each: what it means; what to do. */
	FPH_EINVAL		= -1,	/* an argument is out of its range:
					   correct the call */
	FPH_ESTATE		= -2,	/* not allowed in this state: the
					   comment names the call that
					   leads out of it */
	FPH_EBUSY		= -3,	/* work is outstanding, nothing has
					   changed: complete it, then again */
	FPH_EFULL		= -4,	/* no room: take out what is ready,
					   then again */
	FPH_EEXHAUSTED		= -5,	/* command ids are used up: reset */
	FPH_ENOENT		= -6,	/* no such thing here */
	FPH_EREFUSED		= -7,	/* the negotiated features or the
					   declared policy forbid it */
	FPH_EINPROGRESS		= -8,	/* begun: complete outstanding work,
					   then repeat the same call */
	FPH_EEXIST		= -9,	/* it is there already */
	FPH_ECORRUPT		= -10,	/* saved state is damaged, or breaks a
					   rule of its object */
	FPH_EVERSION		= -11,	/* saved state is of a later version of
					   the library */

	/* The peer's: values and buffers. */
	FPH_PEER_BROKEN		= -32,	/* an earlier peer error: reset */
	FPH_PEER_SHORT		= -33,	/* a buffer ends inside an entry */
	FPH_PEER_CMD_LEN	= -34,	/* a command id buffer is not 4 bytes */
	FPH_PEER_DIRECTION	= -35,	/* readable where writable is meant */
	FPH_PEER_RANGE		= -36,	/* empty range, or it wraps */
	FPH_PEER_UNMAPPED	= -37,	/* range is not guest memory */

	/* The peer's: rings. */
	FPH_PEER_AVAIL_INDEX	= -48,	/* index moved by more than the ring */
	FPH_PEER_HEAD		= -49,	/* head is not a descriptor */
	FPH_PEER_NEXT		= -50,	/* next is not a descriptor */
	FPH_PEER_LONG_CHAIN	= -51,	/* a loop, or beyond the ring */
	FPH_PEER_ORDER		= -52,	/* readable after writable */
	FPH_PEER_ZERO_LEN	= -53,	/* a descriptor of no bytes */
	FPH_PEER_WRAP		= -54,	/* a descriptor wraps 2^64 */
	FPH_PEER_TOTAL		= -55,	/* a chain of more than 2^32 bytes */
	FPH_PEER_INDIRECT	= -56,	/* indirect was not negotiated */
	FPH_PEER_INDIRECT_NEST	= -57,	/* indirect inside indirect */
	FPH_PEER_INDIRECT_NEXT	= -58,	/* indirect together with next */
	FPH_PEER_INDIRECT_LEN	= -59,	/* table empty or not whole entries */
	FPH_PEER_INDIRECT_ADDR	= -60,	/* table is not in guest memory */
	FPH_PEER_INFLIGHT	= -61,	/* more chains offered than exist */
	FPH_PEER_USED_INDEX	= -62,	/* used index moved beyond offers */
	FPH_PEER_USED_ID	= -63,	/* used id was not in flight */

	/* Internal. */
	FPH_EUNINIT		= -96,	/* NULL, or never initialised */
	FPH_ENOMEM		= -97	/* allocation failed (fph_x_new) */
};

/*
 * fph_status_is_peer - whether the other side of the protocol is at fault
 *
 * A VMM marks the device as needing a reset then; a guest driver resets it.
 * True for FPH_PEER_*, false for everything else.  Any context.  O(1).
 */
FPH_API bool fph_status_is_peer(int status);

/*
 * fph_status_name - the name of a status, as spelt in this header
 *
 * Never NULL: a positive value is "FPH_OK", an unknown negative one "FPH_?".
 * Any context.  O(1).
 */
FPH_API const char *fph_status_name(int status);

/*
 * fph_version - the version of the library that runs, as FPH_VERSION
 *
 * Any context.  O(1).
 */
FPH_API uint32_t fph_version(void);

#ifdef __cplusplus
}
#endif

#endif /* FPH_STATUS_H */
