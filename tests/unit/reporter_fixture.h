/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A reporter on storage of its own, with all of its bytes in one place.
 */
#ifndef FPH_TESTS_REPORTER_FIXTURE_H
#define FPH_TESTS_REPORTER_FIXTURE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/guest.h>
#include <fph/wire.h>

#define NSLOTS	8u
#define WINDOW	3u
#define PAGE	0x1000u

struct fixture {
	struct fph_reporter r;
	struct fph_slot slots[NSLOTS];
	struct fph_batch batches[WINDOW];
};

static inline struct fph_reporter_params fixture_params(struct fixture *f)
{
	struct fph_reporter_params p;

	memset(&p, 0, sizeof(p));
	p.size = sizeof(p);
	p.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	p.content = FPH_CONTENT_FREE;
	p.slots = f->slots;
	p.nslots = NSLOTS;
	p.batches = f->batches;
	p.window = WINDOW;
	p.low_water = 1;
	p.max_segs = 2;
	p.max_ranges = 4;
	p.flush_delay = 10;
	p.retry_delay = 100;
	p.max_failures = 3;
	return p;
}

static inline void fixture_init(struct fixture *f)
{
	struct fph_reporter_params p = fixture_params(f);

	memset(f, 0, sizeof(*f));
	ck_assert_int_eq(fph_reporter_init(&f->r, &p), FPH_OK);
}

/* One page at page number pfn, with that number as its owner. */
static inline void fixture_add(struct fixture *f, uint64_t now, uint32_t pfn)
{
	ck_assert_int_eq(fph_reporter_add(&f->r, now, (uint64_t)pfn * PAGE,
					  PAGE, pfn), FPH_OK);
}

static inline struct fph_reporter_amounts
fixture_amounts(const struct fixture *f)
{
	struct fph_reporter_amounts a;

	ck_assert_int_eq(fph_reporter_get_amounts(&f->r, &a), FPH_OK);
	return a;
}

static inline struct fph_reporter_counters
fixture_counters(const struct fixture *f)
{
	struct fph_reporter_counters n;

	ck_assert_int_eq(fph_reporter_get_counters(&f->r, &n), FPH_OK);
	return n;
}

/* Submits at once whatever waits; a buffer of one segment must be it. */
static inline uint64_t fixture_send(struct fixture *f, uint64_t now)
{
	struct fph_seg segs[4];
	uint64_t cookie = 0;

	ck_assert_int_eq(fph_reporter_request(&f->r), FPH_OK);
	ck_assert_int_eq(fph_reporter_submit(&f->r, now, segs, 4, &cookie), 1);
	ck_assert_uint_ne(cookie, 0);
	return cookie;
}

/* The next one that comes back is this page. */
static inline void fixture_expect(struct fixture *f, uint32_t pfn, bool used)
{
	struct fph_returned out;

	ck_assert_int_eq(fph_reporter_next(&f->r, &out), 1);
	ck_assert_uint_eq(out.owner, pfn);
	ck_assert_uint_eq(out.range.gpa, (uint64_t)pfn * PAGE);
	ck_assert_uint_eq(out.range.len, PAGE);
	ck_assert_int_eq(out.used, used);
}

static inline void fixture_expect_none(struct fixture *f)
{
	struct fph_returned out;

	ck_assert_int_eq(fph_reporter_next(&f->r, &out), 0);
}

static inline void fixture_expect_state(const struct fixture *f, int state)
{
	ck_assert_int_eq(fph_reporter_get_state(&f->r), state);
}

#endif /* FPH_TESTS_REPORTER_FIXTURE_H */
