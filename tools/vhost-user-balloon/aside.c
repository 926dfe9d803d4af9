/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "aside.h"

static void *aside_main(void *arg)
{
	struct aside *a = arg;
	intptr_t item;

	pthread_mutex_lock(&a->lock);
	for (;;) {
		while (!a->count && !a->stop)
			pthread_cond_wait(&a->wake, &a->lock);
		if (!a->count)
			break;
		item = a->items[a->head];
		a->head = (a->head + 1) % ASIDE_ROOM;
		a->count--;
		a->busy = true;
		pthread_mutex_unlock(&a->lock);
		a->work(item);
		pthread_mutex_lock(&a->lock);
		a->busy = false;
		pthread_cond_broadcast(&a->idle);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

int aside_start(struct aside *a, void (*work)(intptr_t item))
{
	sigset_t all, old;
	int err;

	memset(a, 0, sizeof(*a));
	a->work = work;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->wake, NULL);
	pthread_cond_init(&a->idle, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&a->thread, NULL, aside_main, a);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	a->started = !err;
	return err;
}

bool aside_put(struct aside *a, intptr_t item)
{
	bool fits;

	if (!a->started)
		return false;
	pthread_mutex_lock(&a->lock);
	fits = a->count < ASIDE_ROOM;
	if (fits) {
		a->items[(a->head + a->count++) % ASIDE_ROOM] = item;
		pthread_cond_signal(&a->wake);
	}
	pthread_mutex_unlock(&a->lock);
	return fits;
}

static struct timespec in_ms(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

bool aside_stop(struct aside *a, int ms)
{
	struct timespec until = in_ms(ms);
	bool idle;
	int err = 0;

	if (!a->started)
		return true;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->wake);
	while ((a->count || a->busy) && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&a->idle, &a->lock, &until);
	idle = !a->count && !a->busy;
	pthread_mutex_unlock(&a->lock);
	a->started = false;
	if (idle)
		pthread_join(a->thread, NULL);
	else
		pthread_detach(a->thread);
	return idle;
}
