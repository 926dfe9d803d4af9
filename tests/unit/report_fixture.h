/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A report with its storage, and what its tests ask of it.
 */
#ifndef FPH_TESTS_REPORT_FIXTURE_H
#define FPH_TESTS_REPORT_FIXTURE_H

#include <check.h>
#include <string.h>

#include <fph/host.h>
#include <fph/wire.h>

#define NRANGES		8u
#define NBUFFERS	4u
#define MEMORY_SIZE	FPH_REPORT_SIZE(NRANGES, NBUFFERS)

/* A report with all of its bytes, to compare them before and after. */
struct fixture {
	uint64_t memory[MEMORY_SIZE / 8];
	struct fph_report *r;
	struct fph_run run;		/* out, or made up */
};

static const struct fph_seg good[] = {
	{ 0x10000, 0x1000, FPH_SEG_WRITE },
	{ 0x11000, 0x1000, FPH_SEG_WRITE },
	{ 0x20000, 0x1000, FPH_SEG_WRITE },
	{ 0x30000, 0x1000, FPH_SEG_WRITE },
	{ 0x40000, 0x1000, FPH_SEG_WRITE },
	{ 0x50000, 0x1000, FPH_SEG_WRITE },
	{ 0x60000, 0x1000, FPH_SEG_WRITE },
	{ 0x70000, 0x1000, FPH_SEG_WRITE },
	{ 0x80000, 0x1000, FPH_SEG_WRITE }
};

/* Where a writable one is meant. */
static const struct fph_seg readable[] = {
	{ 0x10000, 0x1000, FPH_SEG_WRITE },
	{ 0x11000, 0x1000, 0 }
};

static const struct fph_seg empty[] = {
	{ 0x10000, 0x1000, FPH_SEG_WRITE },
	{ 0x11000, 0, FPH_SEG_WRITE }
};

static const struct fph_seg wraps[] = {
	{ 0x10000, 0x1000, FPH_SEG_WRITE },
	{ ~(uint64_t)0, 2, FPH_SEG_WRITE }
};

static const struct fph_report_params params = {
	.size = sizeof(params), .max_ranges = NRANGES, .max_buffers = NBUFFERS,
	.queue = FPH_QUEUE_REPORT
};

static inline void init(struct fixture *f)
{
	/* Memory of the caller need not be zeroed. */
	memset(f, 0xa5, sizeof(*f));
	ck_assert_int_eq(fph_report_init(&f->r, f->memory, sizeof(f->memory),
					 &params), FPH_OK);
}

static inline int add(struct fixture *f, uint64_t cookie,
		      const struct fph_seg *segs, uint32_t n)
{
	struct fph_buffer b = { .cookie = cookie, .nwrite = n };

	return fph_report_add(f->r, &b, 1, segs);
}

static inline int refuse(struct fixture *f, uint64_t cookie)
{
	struct fph_buffer b = { .cookie = cookie, .nwrite = 2,
				.flags = FPH_BUFFER_REFUSE };

	return fph_report_add(f->r, &b, 1, good);
}

static inline void next(struct fixture *f, struct fph_run *run, uint64_t gpa,
			uint64_t len)
{
	ck_assert_int_eq(fph_report_next(f->r, run, 1), 1);
	ck_assert_uint_eq(run->gpa, gpa);
	ck_assert_uint_eq(run->len, len);
	ck_assert_uint_eq(run->queue, FPH_QUEUE_REPORT);
}

static inline void none(struct fixture *f)
{
	struct fph_run run;

	ck_assert_int_eq(fph_report_next(f->r, &run, 1), 0);
}

static inline int complete(struct fixture *f, struct fph_run run, int outcome,
			   uint64_t freed)
{
	run.outcome = (uint8_t)outcome;
	run.reason = outcome == FPH_OUTCOME_SKIPPED ? FPH_SKIP_LOCKED :
						      FPH_SKIP_NONE;
	run.done = ~run.len;		/* not looked at */
	run.freed = freed;
	return fph_report_complete(f->r, &run, 1);
}

static inline struct fph_report_counters counters(const struct fixture *f)
{
	struct fph_report_counters n;

	ck_assert_int_eq(fph_report_get_counters(f->r, &n, sizeof(n)), FPH_OK);
	return n;
}

/* Each byte is counted once, with these in flight. */
static inline void expect_sum(const struct fixture *f, uint64_t in_flight)
{
	struct fph_report_counters n = counters(f);

	ck_assert_uint_eq(n.bytes_offered, n.bytes_freed + n.bytes_lazy +
			  n.bytes_trimmed + n.bytes_skipped + n.bytes_failed +
			  n.bytes_overlap + in_flight);
}

static inline void expect_used(struct fixture *f, uint64_t cookie, int outcome,
			       int reason, uint64_t freed)
{
	struct fph_used used;

	memset(&used, 0x5a, sizeof(used));
	ck_assert_int_eq(fph_report_take_used(f->r, &used, 1), 1);
	ck_assert_uint_eq(used.cookie, cookie);
	ck_assert_int_eq(used.outcome, outcome);
	ck_assert_int_eq(used.reason, reason);
	ck_assert_uint_eq(used.freed, freed);
	ck_assert_uint_eq(used.len, 0);
	ck_assert_uint_eq(used.reserved, 0);
}

static inline void expect_no_used(struct fixture *f)
{
	struct fph_used used;

	ck_assert_int_eq(fph_report_take_used(f->r, &used, 1), 0);
}

static inline void expect_room(const struct fixture *f, uint32_t buffers,
			       uint32_t segs)
{
	uint32_t b, s;

	fph_report_get_room(f->r, &b, &s);
	ck_assert_uint_eq(b, buffers);
	ck_assert_uint_eq(s, segs);
}

#endif /* FPH_TESTS_REPORT_FIXTURE_H */
