/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One thread that discards, so that the main loop stays responsive however
 * long a discard takes.
 *
 * It works on one batch at a time.  Between worker_submit and worker_reap the
 * batch, the reclaim engine and the memory table belong to the thread.
 */
#ifndef VUB_WORKER_H
#define VUB_WORKER_H

#include <pthread.h>

#include <fph-vmm/reclaim.h>

#include "memory_table.h"

#define WORKER_BATCH	256u

struct worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int event_fd;			/* readable when a batch is done */
	uint32_t delay_ms;		/* before each batch: for tests */
	bool busy;			/* submitted, not reaped */
	bool started;			/* submitted, the thread is at it */
	bool stop;
	uint32_t n;			/* runs in the batch */
	struct fph_run runs[WORKER_BATCH];
	uint64_t smaller[WORKER_BATCH];	/* bytes by which its file became so */
	struct memory_table *memory;
	struct fph_reclaim *reclaim;
};

/* Start the thread.  0, or a positive errno value. */
int worker_init(struct worker *w, struct memory_table *memory);

/* Whether discards of some region are switched off; only while it is idle. */
bool worker_is_disabled(const struct worker *w);

/* Finish the batch that is in work, without a further delay; stop. */
void worker_fini(struct worker *w);

/* Hand a batch over: 1 to WORKER_BATCH runs; only while it is idle. */
void worker_submit(struct worker *w, const struct fph_run *runs, uint32_t n);

/*
 * Take a finished batch back.  Its number of runs, 0 when none is finished;
 * w->runs and w->smaller are valid until the next submit.
 */
uint32_t worker_reap(struct worker *w);

/* Whether no batch is out: counters may be read, memory may change. */
static inline bool worker_is_idle(const struct worker *w)
{
	return !w->busy;
}

/* Milliseconds to wait before each batch; also shortens a wait under way. */
void worker_set_delay(struct worker *w, uint32_t ms);

#endif /* VUB_WORKER_H */
