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

#define NPAGES		400u
#define NSLOTS		64u
#define NBATCHES	4u
#define NCOMMANDS	4u
#define MAX_SEGS	8u
#define RING		32u
#define PAGE		0x1000u

/* The device's side, and a queue of buffers on their way to it. */
struct host {
	struct fph_slot slots[256];
	struct fph_chain chains[16];
	struct fph_report report;
	struct fph_hint_session session;
	bool skipped[NPAGES];
	uint32_t nskipped;
};

static void host_init(struct host *host)
{
	struct fph_storage storage = { host->slots, 256, host->chains, 16 };

	memset(host, 0, sizeof(*host));
	ck_assert_int_eq(fph_report_init(&host->report, &storage, PAGE),
			 FPH_OK);
}

static void host_init_session(struct host *host)
{
	struct fph_storage storage = { host->slots, 256, host->chains, 16 };

	memset(host, 0, sizeof(*host));
	ck_assert_int_eq(fph_hint_session_init(&host->session, &storage, PAGE,
					       2), FPH_OK);
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

START_TEST(reports)
{
	static struct fph_slot slots[NSLOTS];
	struct fph_batch batches[NBATCHES];
	struct fph_reporter_params p;
	struct fph_reporter r;
	struct fph_report_counters n;
	struct fph_returned out;
	struct fph_chain_end end;
	struct fph_run run;
	struct fph_seg segs[MAX_SEGS];
	struct host host;
	uint64_t cookie, now = 0;
	uint32_t pfn = 0, back = 0;
	int nsegs;

	memset(&p, 0, sizeof(p));
	p.size = sizeof(p);
	p.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	p.content = FPH_CONTENT_FREE;
	p.slots = slots;
	p.nslots = NSLOTS;
	p.batches = batches;
	p.window = NBATCHES;
	p.low_water = 2;
	p.max_segs = MAX_SEGS;
	p.max_ranges = NSLOTS;
	p.flush_delay = 3;
	p.max_failures = 1;
	ck_assert_int_eq(fph_reporter_init(&r, &p), FPH_OK);
	host_init(&host);
	while (back < NPAGES) {
		/* Every seventh page is not free. */
		while (pfn < NPAGES &&
		       fph_reporter_add(&r, now, (uint64_t)pfn * PAGE, PAGE,
					pfn) == FPH_OK)
			pfn += pfn % 7 == 5 ? 2 : 1;
		while ((nsegs = fph_reporter_submit(&r, now, segs, MAX_SEGS,
						    &cookie)) > 0)
			ck_assert_int_eq(fph_report_add(&host.report, cookie,
				segs, (uint32_t)nsegs), FPH_OK);
		while (fph_report_next(&host.report, &run) == 1) {
			skip(&host, &run);
			ck_assert_int_eq(fph_report_complete(&host.report,
				&run, true), FPH_OK);
		}
		while (fph_report_end(&host.report, &end) == 1)
			ck_assert_int_eq(fph_reporter_complete(&r, now,
				end.cookie, true), FPH_OK);
		while (fph_reporter_next(&r, &out) == 1) {
			/* It comes back only after it was acted upon (R2). */
			ck_assert(out.used && host.skipped[out.owner]);
			ck_assert_uint_ne(out.owner % 7, 6);
			back++;
		}
		if (pfn >= NPAGES && back == host.nskipped)
			break;
		now++;
	}
	ck_assert_uint_eq(back, NPAGES - NPAGES / 7);
	ck_assert_uint_eq(host.nskipped, back);
	ck_assert_int_eq(fph_report_get_counters(&host.report, &n), FPH_OK);
	ck_assert_uint_eq(n.refused + n.peer_errors, 0);
	ck_assert_uint_eq(n.bytes_done, (uint64_t)back * PAGE);
	ck_assert_uint_eq(n.bytes_trimmed + n.bytes_overlap, 0);
}
END_TEST

/* ------------------------------------------------------------------ hint -- */

struct migration {
	struct host host;
	struct fph_hinter h;
	struct fph_slot slots[NSLOTS];
	struct fph_batch batches[NBATCHES];
	struct fph_command commands[NCOMMANDS];
	uint32_t cursor;
	uint32_t back;
};

static void migration_init(struct migration *m, int mode)
{
	struct fph_hinter_params p;

	memset(m, 0, sizeof(*m));
	memset(&p, 0, sizeof(p));
	p.size = sizeof(p);
	p.features = FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	p.content = FPH_CONTENT_FREE;
	p.mode = mode;
	p.metadata_outside = true;
	p.merge = true;
	p.endian = FPH_LE;
	p.slots = m->slots;
	p.nslots = NSLOTS;
	p.batches = m->batches;
	p.nbatches = NBATCHES;
	p.commands = m->commands;
	p.ncommands = NCOMMANDS;
	p.max_segs = MAX_SEGS;
	ck_assert_int_eq(fph_hinter_init(&m->h, &p), FPH_OK);
	host_init_session(&m->host);
}

/* The guest reads config space, and adds pages while there is room. */
static void collect(struct migration *m, uint32_t limit)
{
	uint32_t id;

	fph_hinter_set_config(&m->h,
			      fph_hint_session_get_config(&m->host.session));
	id = fph_hinter_get_id(&m->h);
	while (id && m->cursor < limit &&
	       fph_hinter_add(&m->h, id, (uint64_t)m->cursor * PAGE, PAGE,
			      m->cursor) == FPH_OK)
		m->cursor += 2;
	if (id && m->cursor >= NPAGES)
		ck_assert_int_eq(fph_hinter_end(&m->h), FPH_OK);
	ck_assert_int_eq(fph_hinter_request(&m->h), FPH_OK);
}

/* What the guest has to send goes to the session, and comes back used. */
static void pump(struct migration *m)
{
	struct fph_hint_session *s = &m->host.session;
	struct fph_hinter_buffer buffer;
	struct fph_seg segs[MAX_SEGS];
	struct fph_chain_end end;
	struct fph_returned out;
	struct fph_run run;

	while (fph_hinter_submit(&m->h, RING, segs, MAX_SEGS, &buffer) == 1)
		ck_assert_int_eq(fph_hint_session_add(s, buffer.cookie,
			buffer.bytes, buffer.kind == FPH_HINTER_HINT ? 0 : 4,
			segs, buffer.nsegs), FPH_OK);
	while (fph_hint_session_next(s, &run) == 1) {
		skip(&m->host, &run);
		ck_assert_int_eq(fph_hint_session_complete(s, &run, true),
				 FPH_OK);
	}
	while (fph_hint_session_end(s, &end) == 1)
		ck_assert_int_eq(fph_hinter_complete(&m->h, end.cookie),
				 FPH_OK);
	while (fph_hinter_next(&m->h, &out) == 1)
		m->back++;
}

/* A harvest of the dirty log, after which everything has to be sent again. */
static uint32_t next_round(struct migration *m)
{
	struct fph_hint_session *s = &m->host.session;
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

	migration_init(&m, _i);
	/* A round that the next harvest cuts short, after 100 pages. */
	id = next_round(&m);
	for (i = 0; i < 20; i++) {
		collect(&m, 100);
		pump(&m);
	}
	ck_assert_int_eq(fph_hint_session_get_state(&m.host.session),
			 FPH_HINT_ACTIVE);
	ck_assert_uint_gt(m.host.nskipped, 0);
	/* The next one goes on to the end; in HOLD the slots limit it. */
	ck_assert_uint_eq(next_round(&m), id + 1);
	for (i = 0; i < 40; i++) {
		collect(&m, NPAGES);
		pump(&m);
	}
	ck_assert_int_eq(fph_hinter_get_amounts(&m.h, &a), FPH_OK);
	if (_i == FPH_HINTER_HOLD) {
		ck_assert_uint_eq(a.used.ranges, NSLOTS);
		ck_assert_int_eq(fph_hinter_end(&m.h), FPH_OK);
		pump(&m);
	} else {
		ck_assert_uint_eq(m.host.nskipped, NPAGES / 2);
		ck_assert_uint_eq(a.held.ranges, 0);
	}
	ck_assert_int_eq(fph_hint_session_get_state(&m.host.session),
			 FPH_HINT_STOPPED);
	ck_assert_int_eq(fph_hint_session_done(&m.host.session), FPH_OK);
	collect(&m, NPAGES);
	pump(&m);
	ck_assert_int_eq(fph_hinter_get_amounts(&m.h, &a), FPH_OK);
	ck_assert_uint_eq(a.held.ranges, 0);
	ck_assert_int_eq(fph_hint_session_get_counters(&m.host.session, &n),
			 FPH_OK);
	ck_assert_int_eq(fph_hinter_get_counters(&m.h, &g), FPH_OK);
	ck_assert_uint_eq(n.starts, 2);
	ck_assert_uint_eq(n.stops, 1);
	ck_assert_uint_eq(g.rounds, 2);
	ck_assert_uint_eq(g.stops, 2);
	/* STOP of the round that the harvest had ended: it changes nothing. */
	ck_assert_uint_eq(n.stale, 1);
	ck_assert_uint_eq(n.peer_errors + n.ignored, 0);
	ck_assert_uint_eq(n.bytes, g.bytes);
	ck_assert_uint_eq(n.returned, n.chains);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest_host");
	TCase *tc = tcase_create("guest_host");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, reports);
	tcase_add_loop_test(tc, hints, FPH_HINTER_HOLD, FPH_HINTER_NEVER + 1);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
