/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Guest and host of this library against each other over a queue that keeps
 * order: reporter with report, hinter with hint session.  What one side sends
 * the other takes without a complaint.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <fph/fph.h>

#include "runner.h"

#define NPAGES		400u
#define NRANGES		64u
#define NBUFFERS	4u
#define MAX_SEGS	8u
#define RING		32u
#define PAGE		0x1000u

#define HOST_RANGES	256u
#define HOST_BUFFERS	16u

/* The device's side, and which pages it acted on. */
struct host {
	struct fph_report *report;
	struct fph_hint_session *session;
	uint64_t mem[FPH_REPORT_SIZE(HOST_RANGES, HOST_BUFFERS) / 8];
	bool skipped[NPAGES];
	uint32_t nskipped;
};

static void host_init(struct host *host)
{
	const struct fph_report_params p = {
		.size = sizeof(p),
		.max_ranges = HOST_RANGES,
		.max_buffers = HOST_BUFFERS,
		.granule = PAGE
	};

	memset(host, 0, sizeof(*host));
	ck_assert_int_eq(fph_report_init(&host->report, host->mem,
					 sizeof(host->mem), &p), FPH_OK);
}

static void host_init_session(struct host *host)
{
	const struct fph_hint_session_params p = {
		.size = sizeof(p),
		.max_ranges = HOST_RANGES,
		.max_buffers = HOST_BUFFERS,
		.granule = PAGE
	};

	memset(host, 0, sizeof(*host));
	ck_assert_int_eq(fph_hint_session_init(&host->session, host->mem,
					       sizeof(host->mem), &p), FPH_OK);
}

static void skip(struct host *host, const struct fph_run *run)
{
	uint64_t gpa;

	for (gpa = run->gpa; gpa < run->gpa + run->len; gpa += PAGE) {
		ck_assert_uint_lt(gpa / PAGE, NPAGES);
		ck_assert(!host->skipped[gpa / PAGE]);
		host->skipped[gpa / PAGE] = true;
		host->nskipped++;
	}
}

/* ---------------------------------------------------------------- report -- */

static struct fph_reporter *reporter_init(void)
{
	static uint64_t mem[FPH_REPORTER_SIZE(NRANGES, NBUFFERS) / 8];
	const struct fph_reporter_params p = {
		.size = sizeof(p),
		.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING),
		.content = FPH_CONTENT_FREE,
		.max_ranges = NRANGES,
		.window = NBUFFERS,
		.low_water = 2,
		.max_segs = MAX_SEGS,
		.flush_delay = 3,
		.max_failures = 1
	};
	struct fph_reporter *r;

	ck_assert_int_eq(fph_reporter_init(&r, mem, sizeof(mem), &p), FPH_OK);
	return r;
}

/* What the device has to do, one run and one buffer at a time. */
static void discard_all(struct host *host, struct fph_reporter *r,
			uint64_t now)
{
	struct fph_used used;
	struct fph_run run;

	while (fph_report_next(host->report, &run, 1) == 1) {
		skip(host, &run);
		run.outcome = FPH_OUTCOME_DISCARDED;
		run.freed = run.len;
		ck_assert_int_eq(fph_report_complete(host->report, &run, 1),
				 1);
	}
	while (fph_report_take_used(host->report, &used, 1) == 1) {
		ck_assert_int_eq(used.outcome, FPH_OUTCOME_DISCARDED);
		ck_assert_int_eq(fph_reporter_complete(r, now, &used, 1,
						       true), 1);
	}
}

START_TEST(reports)
{
	struct fph_reporter *r = reporter_init();
	struct fph_reporter_amounts amounts;
	struct fph_report_counters n;
	struct fph_owned_range range = { .len = PAGE };
	struct fph_returned out;
	struct fph_buffer buffers[2];
	struct fph_seg segs[2 * MAX_SEGS];
	static struct host host;
	uint32_t pfn = 0, back = 0;
	uint64_t now = 0;
	int sent;

	host_init(&host);
	do {
		/* Every seventh page is not free. */
		while (pfn < NPAGES) {
			range.gpa = (uint64_t)pfn * PAGE;
			range.owner = pfn;
			if (fph_reporter_add(r, now, &range, 1) != 1)
				break;
			pfn += pfn % 7 == 5 ? 2 : 1;
		}
		while ((sent = fph_reporter_submit(r, now, buffers, 2, segs,
						   2 * MAX_SEGS)) > 0)
			ck_assert_int_eq(fph_report_add(host.report, buffers,
				(uint32_t)sent, segs), sent);
		ck_assert_int_eq(sent, 0);
		discard_all(&host, r, now);
		while (fph_reporter_take_back(r, &out, 1) == 1) {
			/* It comes back only after it was acted upon (R2). */
			ck_assert(out.used && host.skipped[out.owner]);
			ck_assert_uint_ne(out.owner % 7, 6);
			back++;
		}
		ck_assert_int_eq(fph_reporter_get_amounts(r, &amounts,
							  sizeof(amounts)),
				 FPH_OK);
		now++;
	} while (pfn < NPAGES || amounts.waiting.ranges);
	ck_assert_uint_eq(back, NPAGES - NPAGES / 7);
	ck_assert_uint_eq(host.nskipped, back);
	ck_assert_int_eq(fph_report_get_counters(host.report, &n, sizeof(n)),
			 FPH_OK);
	ck_assert_uint_eq(n.refused + n.peer_errors, 0);
	ck_assert_uint_eq(n.bytes_freed, (uint64_t)back * PAGE);
	ck_assert_uint_eq(n.bytes_offered, n.bytes_freed);
	ck_assert_uint_eq(n.bytes_trimmed + n.bytes_overlap, 0);
}
END_TEST

/* ------------------------------------------------------------------ hint -- */

struct migration {
	struct host host;
	struct fph_hinter *h;
	uint64_t mem[FPH_HINTER_SIZE(NRANGES, NBUFFERS) / 8];
	uint32_t cursor;
	uint32_t back;
};

static void migration_init(struct migration *m, uint32_t mode)
{
	const struct fph_hinter_params p = {
		.size = sizeof(p),
		.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT),
		.content = FPH_CONTENT_FREE,
		.mode = mode,
		.flags = FPH_HINTER_METADATA_OUTSIDE,
		.max_ranges = NRANGES,
		.max_hints = NBUFFERS,
		.max_segs = MAX_SEGS,
		.commands = 4
	};

	memset(m, 0, sizeof(*m));
	ck_assert_int_eq(fph_hinter_init(&m->h, m->mem, sizeof(m->mem), &p),
			 FPH_OK);
	host_init_session(&m->host);
}

static bool add_page(struct migration *m, uint32_t id)
{
	const struct fph_owned_range range = {
		(uint64_t)m->cursor * PAGE, PAGE, m->cursor
	};

	return fph_hinter_add(m->h, id, &range, 1) == 1;
}

/* The guest reads config space, and adds pages while there is room. */
static void collect(struct migration *m, uint32_t limit)
{
	uint32_t id;

	fph_hinter_set_config(m->h,
			      fph_hint_session_get_config(m->host.session));
	id = fph_hinter_get_id(m->h);
	while (id && m->cursor < limit && add_page(m, id))
		m->cursor += 2;
	if (id && m->cursor >= NPAGES)
		ck_assert_int_eq(fph_hinter_finish_input(m->h), FPH_OK);
	ck_assert_int_eq(fph_hinter_flush(m->h), FPH_OK);
}

/* What the guest has to send goes to the session, and comes back used. */
static void pump(struct migration *m)
{
	struct fph_hint_session *s = m->host.session;
	struct fph_buffer buffers[2];
	struct fph_seg segs[2 * MAX_SEGS];
	struct fph_returned out;
	struct fph_used used;
	struct fph_run run;
	int n;

	while ((n = fph_hinter_submit(m->h, RING, buffers, 2, segs,
				      2 * MAX_SEGS)) > 0)
		ck_assert_int_eq(fph_hint_session_add(s, buffers, (uint32_t)n,
						      segs), n);
	ck_assert_int_eq(n, 0);
	while (fph_hint_session_next(s, &run, 1) == 1) {
		skip(&m->host, &run);
		run.outcome = FPH_OUTCOME_CLEARED;
		run.freed = run.len;
		ck_assert_int_eq(fph_hint_session_complete(s, &run, 1), 1);
	}
	while (fph_hint_session_take_used(s, &used, 1) == 1)
		ck_assert_int_eq(fph_hinter_complete(m->h, &used, 1), 1);
	while (fph_hinter_take_back(m->h, &out, 1) == 1)
		m->back++;
}

/* A dirty-log sync, after which everything has to be sent again. */
static uint32_t next_round(struct migration *m)
{
	struct fph_hint_session *s = m->host.session;
	uint32_t id;

	ck_assert_int_eq(fph_hint_session_sync_begin(s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_sync_end(s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_request(s, &id), FPH_OK);
	memset(m->host.skipped, 0, sizeof(m->host.skipped));
	m->host.nskipped = 0;
	m->cursor = 0;
	return id;
}

START_TEST(hints)
{
	static struct migration m;
	struct fph_hint_counters n;
	struct fph_hinter_counters g;
	struct fph_hinter_amounts a;
	uint32_t id, i;

	migration_init(&m, (uint32_t)_i);
	/* A round that the next sync cuts short, after 100 pages. */
	id = next_round(&m);
	for (i = 0; i < 20; i++) {
		collect(&m, 100);
		pump(&m);
	}
	ck_assert_int_eq(fph_hint_session_get_state(m.host.session),
			 FPH_HINT_ACTIVE);
	ck_assert_uint_gt(m.host.nskipped, 0);
	/* The next one goes on to the end; in HOLD max_ranges limits it. */
	ck_assert_uint_eq(next_round(&m), id + 1);
	for (i = 0; i < 40; i++) {
		collect(&m, NPAGES);
		pump(&m);
	}
	ck_assert_int_eq(fph_hinter_get_amounts(m.h, &a, sizeof(a)), FPH_OK);
	if (_i == FPH_HINTER_HOLD) {
		ck_assert_uint_eq(a.used.ranges, NRANGES);
		ck_assert_int_eq(fph_hinter_finish_input(m.h), FPH_OK);
		pump(&m);
	} else {
		ck_assert_uint_eq(m.host.nskipped, NPAGES / 2);
		ck_assert_uint_eq(a.held.ranges, 0);
	}
	ck_assert_int_eq(fph_hint_session_get_state(m.host.session),
			 FPH_HINT_STOPPED);
	ck_assert_int_eq(fph_hint_session_done(m.host.session), FPH_OK);
	collect(&m, NPAGES);
	pump(&m);
	ck_assert_int_eq(fph_hinter_get_amounts(m.h, &a, sizeof(a)), FPH_OK);
	ck_assert_uint_eq(a.held.ranges, 0);
	ck_assert_int_eq(fph_hint_session_get_counters(m.host.session, &n, sizeof(n)),
			 FPH_OK);
	ck_assert_int_eq(fph_hinter_get_counters(m.h, &g, sizeof(g)), FPH_OK);
	ck_assert_uint_eq(n.starts, 2);
	ck_assert_uint_eq(n.stops, 1);
	ck_assert_uint_eq(g.rounds, 2);
	ck_assert_uint_eq(g.stops, 2);
	/* STOP of the round that the sync had ended: it changes nothing. */
	ck_assert_uint_eq(n.stale, 1);
	ck_assert_uint_eq(n.peer_errors + n.ignored, 0);
	ck_assert_uint_eq(n.bytes, g.bytes);
	ck_assert_uint_eq(n.bytes_cleared + n.bytes_dropped, n.bytes);
	ck_assert_uint_eq(n.returned, n.buffers);
}
END_TEST

Suite *make_suite(void)
{
	Suite *suite = suite_create("guest_host");
	TCase *tc = tcase_create("guest_host");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, reports);
	tcase_add_loop_test(tc, hints, FPH_HINTER_HOLD, FPH_HINTER_NEVER + 1);
	suite_add_tcase(suite, tc);
	return suite;
}
