/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * How much memory a guest shall have: values in, a size out.
 *
 * The guest keeps what it uses and a reserve, always.  Beyond that the host's
 * pressure decides (PSI, the share of time in which some task waits for
 * memory): little, and the guest grows towards its ceiling; much, and it
 * shrinks towards what it needs, in steps; in between nothing changes.  So that
 * guests do not swing it grows in small steps only, and only after the host was
 * at ease for a while.  Growing out of need is done at once.
 */
#ifndef VUB_POLICY_H
#define VUB_POLICY_H

#include <stdbool.h>
#include <stdint.h>

struct policy {
	uint64_t floor;			/* bytes, as all of them */
	uint64_t ceiling;		/* 0: all memory of the guest */
	uint64_t reserve;		/* at least so much available memory */
	uint64_t step;			/* down, of one decision; up a quarter */
	uint32_t calm;			/* decisions at ease before it grows */
	uint32_t low;			/* pressure, hundredths of a percent */
	uint32_t high;			/* above low */
};

struct policy_input {
	uint64_t memory;		/* of the guest, with the balloon */
	uint64_t actual;		/* in the balloon */
	uint64_t wanted;		/* the size decided before; 0: none */
	bool has_stats;			/* and they are recent */
	uint64_t available;		/* as the guest says */
	bool has_pressure;
	uint32_t pressure;		/* hundredths of a percent */
	uint32_t calm;			/* decisions in a row, with this one,
					   at which it was low */
};

enum policy_reason {
	POLICY_KEEP		= 0,	/* all is well, or nothing is known */
	POLICY_NO_STATS		= 1,	/* the guest says nothing: no change */
	POLICY_NEED		= 2,	/* the guest needs it */
	POLICY_GROW		= 3,	/* the host has enough */
	POLICY_SHRINK		= 4	/* the host has too little */
};

struct policy_result {
	uint64_t size;			/* what the guest shall have */
	int reason;			/* enum policy_reason */
};

/*
 * Never below the floor nor above the ceiling; if the guest has less memory than
 * the floor, all of it.
 */
struct policy_result policy_decide(const struct policy *p,
				   const struct policy_input *in);

/* "keep" and so on. */
const char *policy_get_reason_name(int reason);

#endif /* VUB_POLICY_H */
