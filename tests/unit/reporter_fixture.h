/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A reporter in memory of its own, with all of its bytes in one place.
 */
#ifndef FPH_TESTS_REPORTER_FIXTURE_H
#define FPH_TESTS_REPORTER_FIXTURE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/guest.h>
#include <fph/wire.h>

#include "runner.h"

#define NSLOTS	8u
#define WINDOW	3u
#define PAGE	0x1000u

struct fixture {
	struct fph_reporter *r;
	uint64_t mem[FPH_REPORTER_SIZE(NSLOTS, WINDOW) / 8];
};

static inline struct fph_reporter_params fixture_params(void)
{
	struct fph_reporter_params p;

	memset(&p, 0, sizeof(p));
	p.size = sizeof(p);
	p.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	p.content = FPH_CONTENT_FREE;
	p.max_ranges = NSLOTS;
	p.window = WINDOW;
	p.low_water = 1;
	p.max_segs = 2;
	p.flush_delay = 10;
	p.retry_delay = 100;
	p.max_failures = 3;
	return p;
}

/* Over dirty memory, for nothing may rely on zeros. */
static inline void fixture_init_with(struct fixture *f,
				     const struct fph_reporter_params *p)
{
	memset(f, 0x5a, sizeof(*f));
	ck_assert_int_eq(fph_reporter_init(&f->r, f->mem, sizeof(f->mem), p),
			 FPH_OK);
}

static inline void fixture_init(struct fixture *f)
{
	struct fph_reporter_params p = fixture_params();

	fixture_init_with(f, &p);
}

/* One of a call: FPH_OK for the 1 that the call answers. */
static inline int fixture_add_range(struct fixture *f, uint64_t now,
				    uint64_t gpa, uint64_t len, uint64_t owner)
{
	struct fph_owned_range range = { gpa, len, owner };
	int ret = fph_reporter_add(f->r, now, &range, 1);

	return ret == 1 ? FPH_OK : ret;
}

static inline int fixture_complete(struct fixture *f, uint64_t now,
				   uint64_t cookie, bool ok)
{
	struct fph_used used = { .cookie = cookie };
	int ret = fph_reporter_complete(f->r, now, &used, 1, ok);

	return ret == 1 ? FPH_OK : ret;
}

/* One buffer: the number of its segments. */
static inline int fixture_submit(struct fixture *f, uint64_t now,
				 struct fph_seg *segs, uint32_t nsegs,
				 uint64_t *cookie)
{
	struct fph_buffer buffer;
	int ret = fph_reporter_submit(f->r, now, &buffer, 1, segs, nsegs);

	if (ret != 1)
		return ret;
	ck_assert_uint_ne(buffer.cookie, 0);
	ck_assert_uint_le(buffer.cookie, 0xffffffffu);
	ck_assert_uint_eq(buffer.nread, 0);
	ck_assert_uint_eq(buffer.flags, 0);
	*cookie = buffer.cookie;
	return (int)buffer.nwrite;
}

/* One page at page number pfn, with that number as its owner. */
static inline void fixture_add(struct fixture *f, uint64_t now, uint32_t pfn)
{
	ck_assert_int_eq(fixture_add_range(f, now, (uint64_t)pfn * PAGE, PAGE,
					   pfn), FPH_OK);
}

static inline struct fph_reporter_amounts
fixture_amounts(const struct fixture *f)
{
	struct fph_reporter_amounts a;

	ck_assert_int_eq(fph_reporter_get_amounts(f->r, &a, sizeof(a)),
			 FPH_OK);
	return a;
}

static inline struct fph_reporter_counters
fixture_counters(const struct fixture *f)
{
	struct fph_reporter_counters n;

	ck_assert_int_eq(fph_reporter_get_counters(f->r, &n, sizeof(n)),
			 FPH_OK);
	return n;
}

/* Submits at once whatever waits; a buffer of one segment must be it. */
static inline uint64_t fixture_send(struct fixture *f, uint64_t now)
{
	struct fph_seg segs[4];
	uint64_t cookie = 0;

	ck_assert_int_eq(fph_reporter_flush(f->r), FPH_OK);
	ck_assert_int_eq(fixture_submit(f, now, segs, 4, &cookie), 1);
	return cookie;
}

/* The next one that comes back is this page. */
static inline void fixture_expect(struct fixture *f, uint32_t pfn, bool used)
{
	struct fph_returned out;

	ck_assert_int_eq(fph_reporter_take_back(f->r, &out, 1), 1);
	ck_assert_uint_eq(out.owner, pfn);
	ck_assert_uint_eq(out.gpa, (uint64_t)pfn * PAGE);
	ck_assert_uint_eq(out.len, PAGE);
	ck_assert_uint_eq(out.used, used);
	ck_assert_uint_eq(out.reserved, 0);
}

static inline void fixture_expect_none(struct fixture *f)
{
	struct fph_returned out;

	ck_assert_int_eq(fph_reporter_take_back(f->r, &out, 1), 0);
}

static inline void fixture_expect_state(const struct fixture *f, int state)
{
	ck_assert_int_eq(fph_reporter_get_state(f->r), state);
}

#endif /* FPH_TESTS_REPORTER_FIXTURE_H */
