/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The calls that free memory, in the order of the runs.
 *
 * Private memory is gathered in a vector, and what needs another call flushes
 * the vector first.  Each region has a state of its own:
 *
 *	state		a call fails		a call works	an extent comes
 *	on		back-off, or off	on		is tried
 *	back-off	-			-		is skipped, counted
 *								down to on
 *	off		-			-		is skipped
 *
 * A region that is on and never failed takes no memory for that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "vmm/reclaim_internal.h"

#define TRIES		8	/* of a call that is interrupted */
#define MAX_BACKOFF	16	/* 2^16 extents */

/* --------------------------------------------------------------- trouble -- */

static struct fph_trouble *find_trouble(struct fph_reclaim *rc,
					const struct fph_region *r)
{
	for (uint32_t i = 0; i < rc->ntroubles; i++) {
		struct fph_trouble *t = &rc->trouble[i];

		if (t->gpa == r->gpa && t->host == r->host)
			return t;
	}
	return NULL;
}

/* With more regions in trouble than there is room, the first is forgotten. */
static struct fph_trouble *add_trouble(struct fph_reclaim *rc,
				       const struct fph_region *r)
{
	struct fph_trouble *t = find_trouble(rc, r);

	if (t)
		return t;
	if (rc->ntroubles < FPH_RECLAIM_TROUBLES)
		rc->ntroubles++;
	for (uint32_t i = rc->ntroubles - 1; i; i--)
		rc->trouble[i] = rc->trouble[i - 1];
	t = &rc->trouble[0];
	*t = (struct fph_trouble){ .gpa = r->gpa, .host = r->host };
	return t;
}

static bool is_held(const struct fph_trouble *t)
{
	return t && (t->disabled || t->backoff);
}

/* Whether an extent may be tried now; noted as skipped if not. */
static bool is_admitted(struct fph_reclaim *rc, const struct fph_extent *e)
{
	struct fph_trouble *t = find_trouble(rc, e->region);
	int reason = FPH_SKIP_BACKOFF;

	if (!is_held(t))
		return true;
	if (t->disabled)
		reason = FPH_SKIP_DISABLED;
	else
		t->backoff--;
	fph_reclaim_note(rc, e, FPH_OUTCOME_SKIPPED, reason);
	return false;
}

static void note_success(struct fph_reclaim *rc, const struct fph_extent *e,
			 int advice)
{
	struct fph_trouble *t = find_trouble(rc, e->region);

	fph_reclaim_note(rc, e, advice == MADV_FREE ? FPH_OUTCOME_LAZY :
			 FPH_OUTCOME_DISCARDED, FPH_SKIP_NONE);
	if (t)
		*t = rc->trouble[--rc->ntroubles];
}

static void note_failure(struct fph_reclaim *rc, const struct fph_extent *e)
{
	struct fph_trouble *t = add_trouble(rc, e->region);
	uint32_t n = ++t->failures;

	fph_reclaim_note(rc, e, FPH_OUTCOME_FAILED, FPH_SKIP_NONE);
	rc->counters.failures++;
	t->backoff = 1u << (n < MAX_BACKOFF ? n : MAX_BACKOFF);
	if (n >= rc->max_failures)
		t->disabled = true;
}

/* --------------------------------------------------------- system calls -- */

/* Whether to repeat a call that failed; no clock, no sleep, a few times. */
static bool is_again(int *tries)
{
	return (errno == EINTR || errno == EAGAIN) && --*tries > 0;
}

static int get_advice(const struct fph_reclaim *rc, uint32_t backing)
{
	if (backing == FPH_BACKING_ANON && (rc->flags & FPH_RECLAIM_USE_FREE))
		return MADV_FREE;
	return MADV_DONTNEED;
}

static void *get_host(const struct fph_extent *e)
{
	return (uint8_t *)e->region->host + (e->gpa - e->region->gpa);
}

static bool advise(struct fph_reclaim *rc, const struct fph_extent *e)
{
	int advice = get_advice(rc, e->region->backing);
	int tries = TRIES;
	int ret;

	do {
		rc->counters.madvise_calls++;
		ret = rc->ops->madvise(get_host(e), (size_t)e->len, advice);
	} while (ret && is_again(&tries));
	if (ret)
		note_failure(rc, e);
	else
		note_success(rc, e, advice);
	return !ret;
}

static void punch(struct fph_reclaim *rc, const struct fph_extent *e)
{
	const struct fph_region *r = e->region;
	uint64_t offset = r->fd_offset + (e->gpa - r->gpa);
	int tries = TRIES;
	int ret;

	do {
		rc->counters.fallocate_calls++;
		ret = rc->ops->fallocate(r->fd, FALLOC_FL_PUNCH_HOLE |
					 FALLOC_FL_KEEP_SIZE, (int64_t)offset,
					 (int64_t)e->len);
	} while (ret && is_again(&tries));
	if (ret)
		note_failure(rc, e);
	else
		note_success(rc, e, MADV_DONTNEED);
}

/* --------------------------------------------------------------- vector -- */

/*
 * Notes n bytes as freed from entry i on.  A part of an entry stays in the
 * vector; the first entry that is not done.
 */
static uint32_t note_vector(struct fph_reclaim *rc, uint32_t i, uint32_t end,
			    uint64_t n)
{
	int advice = get_advice(rc, FPH_BACKING_ANON);
	struct fph_extent part;

	for (; i < end && n >= rc->vec[i].iov_len; i++) {
		n -= rc->vec[i].iov_len;
		note_success(rc, &rc->vec_extent[i], advice);
	}
	n &= ~(rc->page_size - 1);
	if (i < end && n) {
		part = fph_reclaim_take_front(rc, &rc->vec_extent[i], n);
		note_success(rc, &part, advice);
		rc->vec[i].iov_base = (uint8_t *)rc->vec[i].iov_base + n;
		rc->vec[i].iov_len -= n;
	}
	return i;
}

/* Entries from i on that go into one call: none of a region in back-off. */
static uint32_t vector_end(struct fph_reclaim *rc, uint32_t i)
{
	uint32_t end = rc->ntroubles ? i + 1 : rc->nvec;

	while (end < rc->nvec &&
	       !is_held(find_trouble(rc, rc->vec_extent[end].region)))
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
static uint32_t advise_vector(struct fph_reclaim *rc, uint32_t i)
{
	int advice = get_advice(rc, FPH_BACKING_ANON);
	uint32_t end = vector_end(rc, i);
	int tries = TRIES;
	bool is_refused;
	ssize_t n;

	do {
		rc->counters.process_madvise_calls++;
		n = rc->ops->process_madvise(&rc->vec[i], end - i, advice);
	} while (n < 0 && is_again(&tries));
	if (n > 0 && (uint64_t)n >= rc->page_size)
		return note_vector(rc, i, end, (uint64_t)n);
	is_refused = n >= 0 || tries > 0;
	if (advise(rc, &rc->vec_extent[i]) && is_refused)
		rc->no_vector = true;
	return i + 1;
}

void fph_reclaim_flush(struct fph_reclaim *rc)
{
	uint32_t i = 0;

	while (i < rc->nvec) {
		const struct fph_extent *e = &rc->vec_extent[i];

		if (!is_admitted(rc, e)) {
			i++;
		} else if (rc->no_vector) {
			advise(rc, e);
			i++;
		} else {
			i = advise_vector(rc, i);
		}
	}
	rc->nvec = 0;
	rc->vec_bytes = 0;
}

static void gather(struct fph_reclaim *rc, const struct fph_extent *e)
{
	if (e->len > FPH_RECLAIM_VECTOR_BYTES - rc->vec_bytes)
		fph_reclaim_flush(rc);
	rc->vec[rc->nvec].iov_base = get_host(e);
	rc->vec[rc->nvec].iov_len = (size_t)e->len;
	rc->vec_extent[rc->nvec] = *e;
	rc->vec_bytes += e->len;
	if (++rc->nvec == FPH_RECLAIM_VECTOR)
		fph_reclaim_flush(rc);
}

void fph_reclaim_free_extent(struct fph_reclaim *rc,
			     const struct fph_extent *e)
{
	uint32_t backing = e->region->backing;

	if (backing == FPH_BACKING_ANON && !rc->no_vector &&
	    e->len <= FPH_RECLAIM_VECTOR_BYTES) {
		gather(rc, e);
		return;
	}
	fph_reclaim_flush(rc);
	if (!is_admitted(rc, e))
		return;
	if (fph_reclaim_is_punched(backing))
		punch(rc, e);
	else
		advise(rc, e);
}
