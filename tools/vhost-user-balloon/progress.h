/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Whether a guest does what it was told about the size of the balloon: values
 * and times in, what is to be told out.
 */
#ifndef VUB_PROGRESS_H
#define VUB_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum progress_result {
	PROGRESS_NOTHING	= 0,
	PROGRESS_REACHED	= 1,	/* actual is the target now */
	PROGRESS_STUCK		= 2	/* actual has not moved for too long */
};

/* Zero at first: nothing was wanted, and that is reached. */
struct progress {
	uint32_t target;		/* 4096-byte units, as last seen */
	uint32_t actual;
	bool waiting;			/* they differed when last seen */
	bool told;			/* that it is stuck */
	int64_t since;			/* when either of them changed, ms */
};

/*
 * Look at the balloon; running: there is a driver.  What is to be told; each
 * thing once.  stuck_ms: how long it may stand still, 0: for ever.
 */
int progress_run(struct progress *p, uint32_t target, uint32_t actual,
		 bool running, int64_t stuck_ms, int64_t now);

/* When to look again without a change, -1 for "never". */
int64_t progress_get_deadline(const struct progress *p, int64_t stuck_ms);

#endif /* VUB_PROGRESS_H */
