/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The calls that free memory, in the order of the runs.
 *
 * Private memory is gathered in a vector, and what needs another call flushes
 * the vector first.  So "the next runs are skipped" means the same for every
 * backing.
 *
 *	state		a call fails		a call works	a run comes
 *	on		back-off, or off	on		is tried
 *	back-off	back-off, or off	back-off	is skipped, counted
 *								down to on
 *	off		-			-		is skipped
 *
 * A call happens in back-off only for further pieces of the run that failed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "vmm/internal.h"

#define TRIES		8	/* of a call that is interrupted */
#define MAX_BACKOFF	16	/* 2^16 runs */

/* ----------------------------------------------------------- accounting -- */

/* A run is as bad as its worst piece. */
static void raise_result(uint8_t *result, int outcome)
{
	static const uint8_t weight[] = {
		[FPH_RECLAIM_SKIPPED] = 0,
		[FPH_RECLAIM_DISCARDED] = 1,
		[FPH_RECLAIM_LAZY] = 2,
		[FPH_RECLAIM_FAILED] = 3,
	};

	if (weight[outcome] > weight[*result])
		*result = (uint8_t)outcome;
}

/* Some bytes of a run were freed. */
static void note_success(struct fph_pass *p, uint32_t run, uint64_t bytes,
			 int outcome)
{
	struct fph_reclaim *rc = p->rc;

	raise_result(&p->results[run], outcome);
	rc->failures_in_row = 0;
	if (outcome == FPH_RECLAIM_LAZY)
		rc->counters.lazy += bytes;
	else
		rc->counters.discarded += bytes;
}

static void note_failure(struct fph_pass *p, uint32_t run, uint64_t bytes)
{
	struct fph_reclaim *rc = p->rc;
	uint32_t n = ++rc->failures_in_row;

	raise_result(&p->results[run], FPH_RECLAIM_FAILED);
	p->failed_run = run;
	rc->counters.failed += bytes;
	rc->counters.failures++;
	rc->backoff = 1u << (n < MAX_BACKOFF ? n : MAX_BACKOFF);
	if (n >= rc->max_failures)
		rc->disabled = true;
}

bool fph_pass_is_admitted(struct fph_pass *p, uint32_t run, uint64_t bytes)
{
	struct fph_reclaim *rc = p->rc;

	if (rc->disabled) {
		p->held_reason = FPH_SKIP_DISABLED;
	} else if (p->held_run != run) {
		if (!rc->backoff || p->failed_run == run)
			return true;
		rc->backoff--;
		p->held_reason = FPH_SKIP_BACKOFF;
	}
	p->held_run = run;
	rc->counters.skipped[p->held_reason] += bytes;
	return false;
}

/* --------------------------------------------------------- system calls -- */

/* Whether to repeat a call that failed; no clock, no sleep, a few times. */
static bool is_again(int *tries)
{
	return (errno == EINTR || errno == EAGAIN) && --*tries > 0;
}

static int get_advice(const struct fph_reclaim *rc, int backing)
{
	if (backing == FPH_BACKING_ANON && (rc->flags & FPH_RECLAIM_USE_FREE))
		return MADV_FREE;
	return MADV_DONTNEED;
}

static bool advise(struct fph_pass *p, uint32_t run, const struct iovec *iov,
		   int advice)
{
	struct fph_reclaim *rc = p->rc;
	int tries = TRIES;
	int ret;

	do {
		rc->counters.madvise_calls++;
		ret = rc->ops->madvise(iov->iov_base, iov->iov_len, advice);
	} while (ret && is_again(&tries));
	if (ret)
		note_failure(p, run, iov->iov_len);
	else
		note_success(p, run, iov->iov_len, advice == MADV_FREE ?
			     FPH_RECLAIM_LAZY : FPH_RECLAIM_DISCARDED);
	return !ret;
}

/* --------------------------------------------------------------- vector -- */

/* Count n bytes as done from entry i on; the first entry that is not done. */
static uint32_t note_vector(struct fph_pass *p, uint32_t i, uint32_t end,
			    uint64_t n, int advice)
{
	struct fph_reclaim *rc = p->rc;
	int outcome = advice == MADV_FREE ? FPH_RECLAIM_LAZY :
		      FPH_RECLAIM_DISCARDED;

	for (; i < end && n >= rc->vec[i].iov_len; i++) {
		n -= rc->vec[i].iov_len;
		note_success(p, rc->vec_run[i], rc->vec[i].iov_len, outcome);
	}
	n &= ~(rc->page_size - 1);
	if (i < end && n) {
		note_success(p, rc->vec_run[i], n, outcome);
		rc->vec[i].iov_base = (uint8_t *)rc->vec[i].iov_base + n;
		rc->vec[i].iov_len -= n;
	}
	return i;
}

/* Entries from i on that go into one call: in back-off those of one run. */
static uint32_t vector_end(const struct fph_reclaim *rc, uint32_t i)
{
	uint32_t end = i + 1;

	while (end < rc->nvec &&
	       (!rc->backoff || rc->vec_run[end] == rc->vec_run[i]))
		end++;
	return end;
}

/*
 * One call for what is left of the vector from entry i on.  The first entry
 * that is not done afterwards.
 *
 * A call that does less than asked, or fails, has stopped at an entry and
 * does not say why.  What it did counts, and it goes on from there.  When it
 * did nothing at all, the entry is given to madvise.  If that works, the
 * kernel (EINVAL up to 6.12, ENOSYS before 5.10) or a filter (EPERM) refuses
 * vectors, which is remembered; if not, the entry itself is bad.
 */
static uint32_t advise_vector(struct fph_pass *p, uint32_t i, int advice)
{
	struct fph_reclaim *rc = p->rc;
	uint32_t end = vector_end(rc, i);
	int tries = TRIES;
	bool is_refused;
	ssize_t n;

	do {
		rc->counters.process_madvise_calls++;
		n = rc->ops->process_madvise(&rc->vec[i], end - i, advice);
	} while (n < 0 && is_again(&tries));
	if (n > 0 && (uint64_t)n >= rc->page_size)
		return note_vector(p, i, end, (uint64_t)n, advice);
	is_refused = n >= 0 || tries > 0;
	if (advise(p, rc->vec_run[i], &rc->vec[i], advice) && is_refused)
		rc->no_vector = true;
	return i + 1;
}

void fph_pass_flush(struct fph_pass *p)
{
	struct fph_reclaim *rc = p->rc;
	int advice = get_advice(rc, FPH_BACKING_ANON);
	uint32_t i = 0;

	while (i < rc->nvec) {
		const struct iovec *iov = &rc->vec[i];
		uint32_t run = rc->vec_run[i];

		if (!fph_pass_is_admitted(p, run, iov->iov_len)) {
			i++;
		} else if (rc->no_vector) {
			advise(p, run, iov, advice);
			i++;
		} else {
			i = advise_vector(p, i, advice);
		}
	}
	rc->nvec = 0;
	p->vec_bytes = 0;
}

static void gather(struct fph_pass *p, uint32_t run, const struct iovec *iov)
{
	struct fph_reclaim *rc = p->rc;

	if (iov->iov_len > p->vec_limit - p->vec_bytes)
		fph_pass_flush(p);
	rc->vec[rc->nvec] = *iov;
	rc->vec_run[rc->nvec] = run;
	p->vec_bytes += iov->iov_len;
	if (++rc->nvec == FPH_RECLAIM_VECTOR)
		fph_pass_flush(p);
}

void fph_pass_advise(struct fph_pass *p, uint32_t run, int backing, void *host,
		     uint64_t len)
{
	struct iovec iov = { .iov_base = host, .iov_len = (size_t)len };

	if (backing == FPH_BACKING_ANON && !p->rc->no_vector &&
	    len <= p->vec_limit) {
		gather(p, run, &iov);
		return;
	}
	fph_pass_flush(p);
	if (fph_pass_is_admitted(p, run, len))
		advise(p, run, &iov, get_advice(p->rc, backing));
}

void fph_pass_punch(struct fph_pass *p, uint32_t run, int fd, uint64_t offset,
		    uint64_t len)
{
	struct fph_reclaim *rc = p->rc;
	int tries = TRIES;
	int ret;

	fph_pass_flush(p);
	if (!fph_pass_is_admitted(p, run, len))
		return;
	do {
		rc->counters.fallocate_calls++;
		ret = rc->ops->fallocate(fd, FALLOC_FL_PUNCH_HOLE |
					 FALLOC_FL_KEEP_SIZE, (off_t)offset,
					 (off_t)len);
	} while (ret && is_again(&tries));
	if (ret)
		note_failure(p, run, len);
	else
		note_success(p, run, len, FPH_RECLAIM_DISCARDED);
}
