/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's side of free page hinting, for the files that it is made of.  Not
 * installed.
 *
 *	hinter.c	ranges in and out, and what it knows
 *	hinter_round.c	rounds: what the device asks for, and what it is sent
 *	hinter_state.c	saved state
 */
#ifndef FPH_CORE_HINTER_H
#define FPH_CORE_HINTER_H

#include "pool.h"

#define FPH_HINTER_MAGIC	0x68706866u

/* What a batch is: its tag. */
enum fph_hinter_tag {
	HINT,
	START,
	STOP
};

struct fph_hinter {
	uint32_t magic;
	uint32_t state;			/* enum fph_hinter_state */
	uint32_t mode;			/* enum fph_hinter_mode */
	uint32_t endian;
	uint32_t ncommands;
	uint32_t nfree;			/* command buffers */
	uint32_t id;			/* of the round; 0 outside of one */
	uint32_t wanted;		/* to begin next, or 0 */
	uint32_t begun;			/* of the latest START */
	uint32_t before;		/* of the START before that one */
	uint32_t declined;		/* by stop, the latest one */
	uint32_t rounds;		/* DONEs that were read */
	uint32_t start;			/* cookie of the latest START */
	bool indirect;
	bool started;			/* START was used */
	bool shows;			/* the device shows an active id */
	bool finished;			/* no more input for this id */
	uint64_t commands_gpa;
	struct fph_free_list held;	/* HOLD: used, until DONE */
	struct fph_hinter_counters counters;
	struct fph_pool pool;
};

static inline bool fph_hinter_is_init(const struct fph_hinter *h)
{
	return h && h->magic == FPH_HINTER_MAGIC;
}

#endif /* FPH_CORE_HINTER_H */
