/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Work that may wait for others without end, done aside: a thread of its own
 * takes items from a bounded queue, one after another.
 */
#ifndef VUB_ASIDE_H
#define VUB_ASIDE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define ASIDE_ROOM	1024u

struct aside {
	void (*work)(intptr_t item);
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_cond_t idle;
	bool started;
	bool stop;
	bool busy;			/* an item is in work */
	uint32_t head;
	uint32_t count;
	intptr_t items[ASIDE_ROOM];
};

/* Start the thread.  0, or a positive errno value. */
int aside_start(struct aside *a, void (*work)(intptr_t item));

/* Hand an item over.  False: there is no room, or no thread. */
bool aside_put(struct aside *a, intptr_t item);

/*
 * End it when all is done, but wait at most ms milliseconds: then the thread is
 * left behind, and *a must last.  Whether it ended.
 */
bool aside_stop(struct aside *a, int ms);

#endif /* VUB_ASIDE_H */
