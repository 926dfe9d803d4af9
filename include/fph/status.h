/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Results of libfph calls.
 *
 * A call answers 0 (FPH_OK), a positive count ("one produced"), or one of the
 * negative values below.  Three classes, by whose fault it is:
 *
 *  - caller: the call was not allowed or has to be repeated later.  The
 *    object is as it was before the call.
 *  - peer: the other side of the protocol broke a rule.  Where a function
 *    says so, its object is now broken until a reset; nothing that the peer
 *    asked for in that call was done.
 *  - internal: the object's own memory is damaged or was never initialised.
 */
#ifndef FPH_STATUS_H
#define FPH_STATUS_H

#include <fph/config.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fph_status {
	FPH_OK			= 0,

	/* Caller. */
	FPH_EINVAL		= -1,	/* an argument is out of its range */
	FPH_ESTATE		= -2,	/* not allowed in this state */
	FPH_EBUSY		= -3,	/* work is outstanding: finish it */
	FPH_EFULL		= -4,	/* no room: drain and try again */
	FPH_EEXHAUSTED		= -5,	/* command ids are used up */
	FPH_ENOENT		= -6,	/* no such thing here */
	FPH_EREFUSED		= -7,	/* declined by a declared policy */

	/* Peer: values and buffers. */
	FPH_PEER_BROKEN		= -32,	/* an earlier peer error: reset */
	FPH_PEER_SHORT		= -33,	/* a buffer ends inside an entry */
	FPH_PEER_CMD_LEN	= -34,	/* a command id buffer is not 4 bytes */
	FPH_PEER_DIRECTION	= -35,	/* readable where writable is meant */
	FPH_PEER_RANGE		= -36,	/* empty range, or it wraps */
	FPH_PEER_UNMAPPED	= -37,	/* range is not guest memory */

	/* Peer: rings. */
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
	FPH_EUNINIT		= -96,	/* the object was never initialised */
	FPH_ENOMEM		= -97	/* allocation failed (hosted init) */
};

/*
 * fph_status_is_peer - whether the other side of the protocol is at fault
 *
 * A VMM marks the device as needing a reset then; a guest driver resets it.
 * Any context.  True for FPH_PEER_*, false for everything else.
 */
FPH_API bool fph_status_is_peer(int status);

/*
 * fph_status_get_name - the name of a status, as spelt in this header
 *
 * Any context.  Never NULL: a positive value is "FPH_OK", an unknown negative
 * one "FPH_?".
 */
FPH_API const char *fph_status_get_name(int status);

#ifdef __cplusplus
}
#endif

#endif /* FPH_STATUS_H */
