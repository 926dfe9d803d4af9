/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "worker.h"

#define MAX_FAILURES	16u		/* of a region, in a row */

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

/*
 * The engine backs off when discards fail, from all memory.  But a file that
 * cannot be punched, or that was sealed, says nothing about another one: the
 * back-off is the region's, and the engine's is ended at once.  Fault 16.
 */
static void note_result(struct worker *w, struct memory_slot *s, int result)
{
	if (!s || result == FPH_RECLAIM_SKIPPED)
		return;
	if (result != FPH_RECLAIM_FAILED) {
		s->failures = 0;
		return;
	}
	s->failures++;
	s->backoff = s->failures < 16 ? 1u << s->failures : 1u << 16;
	fph_reclaim_reset(&w->reclaim);
}

/* Whether a run of this region is left alone. */
static bool is_skipped(struct worker *w, struct memory_slot *s, uint64_t len)
{
	if (!s)
		return false;
	if (s->failures >= MAX_FAILURES) {
		w->disabled += len;
		return true;
	}
	if (!s->backoff)
		return false;
	s->backoff--;
	w->backoff += len;
	return true;
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
	uint32_t done = 0;

	while (done < n) {
		int r = fph_reclaim_discard(&w->reclaim,
					    w->runs + first + done, n - done,
					    w->results + first + done, NULL);

		if (r <= 0)
			break;
		done += (uint32_t)r;
	}
	/* Not reached by a working engine; nothing may stay undecided. */
	if (done < n)
		memset(w->results + first + done, FPH_RECLAIM_FAILED,
		       n - done);
}

/* Without the lock: the batch is the thread's own. */
static void discard_batch(struct worker *w)
{
	uint32_t i = 0;

	while (i < w->n) {
		struct memory_slot *s = memory_table_find(w->memory,
							  w->runs[i].gpa);
		uint64_t before;
		uint32_t n, end;

		if (is_skipped(w, s, w->runs[i].len)) {
			w->results[i++] = FPH_RECLAIM_SKIPPED;
			continue;
		}
		/* After a failure each run is tried alone. */
		n = s && s->failures ? 1 : count_same(w, i, s);
		before = get_blocks(s);
		discard_runs(w, i, n);
		for (end = i + n; i < end; i++)
			note_result(w, s, w->results[i]);
		/* Others use the file meanwhile: it may have grown. */
		if (get_blocks(s) < before)
			w->freed += before - get_blocks(s);
	}
}

bool worker_is_disabled(const struct worker *w)
{
	uint32_t i;

	for (i = 0; i < w->memory->nslots; i++) {
		if (w->memory->slots[i].failures >= MAX_FAILURES)
			return true;
	}
	return false;
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
	params.memory = &memory->memory;
	w->memory = memory;
	if (fph_reclaim_init(&w->reclaim, &params) != FPH_OK)
		return EINVAL;
	w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->event_fd < 0)
		return errno;
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
