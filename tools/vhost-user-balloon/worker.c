/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "worker.h"

static bool is_past(const struct timespec *t)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > t->tv_sec ||
	       (now.tv_sec == t->tv_sec && now.tv_nsec >= t->tv_nsec);
}

static struct timespec after_ms(struct timespec t, uint32_t ms)
{
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* With the lock: the injected delay, which may change while it lasts. */
static void wait_delay(struct worker *w)
{
	struct timespec begin;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (w->delay_ms && !w->stop) {
		struct timespec until = after_ms(begin, w->delay_ms);

		if (is_past(&until))
			return;
		pthread_cond_timedwait(&w->wake, &w->lock, &until);
	}
}

/* Bytes of host memory behind a region's file, 0 when there is no region. */
static uint64_t get_blocks(const struct memory_slot *s)
{
	struct stat st;

	return s && !fstat(s->fd, &st) ? (uint64_t)st.st_blocks * 512 : 0;
}

/* The runs from this one on that begin in the same region; their number. */
static uint32_t count_same(const struct worker *w, uint32_t first,
			   const struct memory_slot *s)
{
	uint32_t n = first + 1;

	while (n < w->n &&
	       memory_table_find(w->memory, w->runs[n].gpa) == s)
		n++;
	return n - first;
}

static void discard_runs(struct worker *w, uint32_t first, uint32_t n)
{
	struct fph_run *runs = w->runs + first;
	int done = fph_reclaim_discard(w->reclaim, runs, n, NULL);
	uint32_t i;

	/* Not reached by a working engine; nothing may stay undecided. */
	for (i = done > 0 ? (uint32_t)done : 0; i < n; i++)
		runs[i].outcome = FPH_OUTCOME_FAILED;
}

/*
 * Without the lock: the batch is the thread's own.  What a file lost is told of
 * the first run of its region, because it is known for all of them together.
 */
static void discard_batch(struct worker *w)
{
	uint32_t i, n;

	memset(w->smaller, 0, sizeof(w->smaller));
	for (i = 0; i < w->n; i += n) {
		struct memory_slot *s = memory_table_find(w->memory,
							  w->runs[i].gpa);
		uint64_t before = get_blocks(s);

		n = count_same(w, i, s);
		discard_runs(w, i, n);
		/* Others use the file meanwhile: it may have grown. */
		if (get_blocks(s) < before)
			w->smaller[i] = before - get_blocks(s);
	}
}

bool worker_is_disabled(const struct worker *w)
{
	return fph_reclaim_is_disabled(w->reclaim);
}

static void signal_done(struct worker *w)
{
	const uint64_t one = 1;
	ssize_t n;

	do
		n = write(w->event_fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->started && !w->stop)
			pthread_cond_wait(&w->wake, &w->lock);
		if (!w->started)
			break;
		wait_delay(w);
		pthread_mutex_unlock(&w->lock);
		discard_batch(w);
		pthread_mutex_lock(&w->lock);
		w->started = false;
		signal_done(w);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* The thread takes no signals: they are for the main loop. */
static int start_thread(struct worker *w)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

int worker_init(struct worker *w, struct memory_table *memory)
{
	struct fph_reclaim_params params = { 0 };
	pthread_condattr_t attr;
	int err;

	memset(w, 0, sizeof(*w));
	params.size = sizeof(params);
	params.memory = memory->memory;
	w->memory = memory;
	w->reclaim = fph_reclaim_new(&params, NULL);
	if (!w->reclaim)
		return ENOMEM;
	w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->event_fd < 0) {
		err = errno;
		fph_reclaim_free(w->reclaim);
		return err;
	}
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	err = start_thread(w);
	if (err) {
		pthread_cond_destroy(&w->wake);
		pthread_mutex_destroy(&w->lock);
		close(w->event_fd);
		fph_reclaim_free(w->reclaim);
	}
	return err;
}

void worker_fini(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	close(w->event_fd);
	fph_reclaim_free(w->reclaim);
}

void worker_submit(struct worker *w, const struct fph_run *runs, uint32_t n)
{
	pthread_mutex_lock(&w->lock);
	memcpy(w->runs, runs, n * sizeof(*runs));
	w->n = n;
	w->busy = true;
	w->started = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

uint32_t worker_reap(struct worker *w)
{
	uint64_t count;
	bool done;

	if (!w->busy)
		return 0;
	pthread_mutex_lock(&w->lock);
	done = !w->started;
	pthread_mutex_unlock(&w->lock);
	if (!done)
		return 0;
	/* Readable, since it was written under the lock. */
	if (read(w->event_fd, &count, sizeof(count)) < 0)
		count = 0;
	w->busy = false;
	return w->n;
}

void worker_set_delay(struct worker *w, uint32_t ms)
{
	pthread_mutex_lock(&w->lock);
	w->delay_ms = ms;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}
