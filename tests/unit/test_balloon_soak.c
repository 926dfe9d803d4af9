/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The balloon device, a guest that does everything at random, and a host that
 * is late, fails, freezes, stops rings and resets.  For each seed the same
 * run.  What must hold at every step:
 *
 *  - a discard touches only pages that are in buffers which are out;
 *  - a buffer comes back only once, and only after all discards and skips of
 *    its pages are over, each of which was asked for;
 *  - a page that the guest did not give away holds what the guest wrote;
 *  - when all is over, each popped buffer came back, or a reset released it.
 */
#include <stdlib.h>
#include <string.h>

#include "balloon_fixture.h"
#include "runner.h"

#define STEPS		30000
#define SEEDS		4
#define RING_SIZE	64u
#define DESCS		8u		/* of a buffer, at the most */
#define HEADS		(RING_SIZE / DESCS)
#define NPAGES		1024u
#define BASE		0x200000u	/* gpa of the first page */
#define MAX_OUT		24

struct buffer {
	bool out;
	bool bad;			/* must be refused */
	uint32_t npages;
	uint32_t page[DESCS];
};

struct page {
	struct buffer *owner;		/* of a report, inflate or deflate */
	struct buffer *hint;
	uint32_t version;
	uint32_t discards;		/* that are out */
	uint32_t skips;			/* that are out */
	bool resolved;			/* a discard of it is over */
	bool skipped;			/* or it may come back without one */
	bool in_balloon;
};

static struct guest g;
static struct buffer buffer[FPH_NQUEUES][HEADS];
static struct page page[NPAGES];
static struct fph_run discard[MAX_OUT];
static struct fph_run skip[MAX_OUT];
static uint32_t ndiscards, nskips, frozen, last;
static uint64_t released[FPH_NQUEUES];	/* by all resets so far */
static bool poisoned;
static uint64_t seed;

static uint32_t below(uint32_t n)
{
	return ring_random(&seed) % n;
}

static uint64_t gpa_of(uint32_t i)
{
	return BASE + (uint64_t)i * GUEST_PAGE;
}

static uint64_t content_of(uint32_t i)
{
	return (uint64_t)(i + 1) << 32 | page[i].version;
}

/* The guest owns the page and writes to it. */
static void write_page(uint32_t i)
{
	page[i].version++;
	guest_put(&g, gpa_of(i), 8, content_of(i));
}

static void check_page(uint32_t i)
{
	if (ring_get(guest_at(&g, gpa_of(i)), 8, false) != content_of(i))
		ck_abort_msg("page %u lost its content", i);
}

static void check_pages(void)
{
	for (uint32_t i = 0; i < NPAGES; i++) {
		if (!page[i].owner && !page[i].in_balloon)
			check_page(i);
	}
}

/* ------------------------------------------------------------ the driver -- */

static struct buffer *get_free(uint32_t ring, uint16_t *head)
{
	for (uint32_t i = 0; i < HEADS; i++) {
		if (!buffer[ring][i].out) {
			*head = (uint16_t)(i * DESCS);
			memset(&buffer[ring][i], 0, sizeof(buffer[ring][i]));
			return &buffer[ring][i];
		}
	}
	return NULL;
}

/* Neighbours often, so that runs span buffers. */
static uint32_t pick_page(bool in_balloon)
{
	for (int tries = 0; tries < 16; tries++) {
		uint32_t i = below(2) ? (last + 1) % NPAGES : below(NPAGES);

		last = i;
		if (!page[i].owner && page[i].in_balloon == in_balloon)
			return i;
	}
	return NPAGES;
}

static void give(struct buffer *b, bool in_balloon)
{
	for (uint32_t n = 1 + below(DESCS - 2); n; n--) {
		uint32_t i = pick_page(in_balloon);

		if (i == NPAGES)
			continue;
		page[i].owner = b;
		page[i].resolved = false;
		page[i].skipped = false;
		b->page[b->npages++] = i;
	}
}

static void offer_report(void)
{
	struct guest_seg segs[DESCS];
	uint16_t head;
	struct buffer *b = get_free(FPH_QUEUE_REPORT, &head);
	uint32_t n = 0;

	if (!b)
		return;
	give(b, false);
	for (; n < b->npages; n++)
		segs[n] = (struct guest_seg){ gpa_of(b->page[n]), GUEST_PAGE,
					      RING_WRITE };
	/* One page twice is fine, one outside is not. */
	if (n && !below(8))
		segs[n++] = segs[0];
	if (!n || !below(8)) {
		segs[n++] = (struct guest_seg){ GUEST_OUTSIDE, GUEST_PAGE,
						RING_WRITE };
		b->bad = true;
	}
	b->out = true;
	guest_offer_at(&g, FPH_QUEUE_REPORT, head, segs, n);
}

static void offer_frames(uint32_t ring)
{
	uint64_t array = GUEST_BUFFERS + ring * 0x1000;
	struct guest_seg seg;
	uint16_t head;
	struct buffer *b = get_free(ring, &head);
	uint32_t n = 0;

	if (!b)
		return;
	give(b, ring == FPH_QUEUE_DEFLATE);
	array += head * 64u;
	for (; n < b->npages; n++)
		guest_put(&g, array + 4 * n, 4, gpa_of(b->page[n]) >> 12);
	if (!n || !below(8)) {
		guest_put(&g, array + 4 * n++, 4, GUEST_OUTSIDE >> 12);
		b->bad = true;
	}
	b->out = true;
	seg = (struct guest_seg){ array, 4 * n, 0 };
	guest_offer_at(&g, ring, head, &seg, 1);
}

static void offer_stats(void)
{
	struct guest_seg seg = { GUEST_BUFFERS, 10 * (1 + below(20)), 0 };
	uint16_t head;
	struct buffer *b = get_free(FPH_QUEUE_STATS, &head);

	if (!b)
		return;
	b->out = true;
	guest_offer_at(&g, FPH_QUEUE_STATS, head, &seg, 1);
}

static void offer_hint(void)
{
	struct guest_seg segs[DESCS];
	uint16_t head;
	struct buffer *b = get_free(FPH_QUEUE_HINT, &head);
	uint32_t n = 0;

	if (!b)
		return;
	if (!below(4)) {
		uint64_t gpa = GUEST_BUFFERS + 0x8000 + head;

		guest_put(&g, gpa, 4, below(8) ?
			  fph_balloon_hint_get_config(g.balloon) : below(9));
		segs[n++] = (struct guest_seg){ gpa, 4, 0 };
	}
	for (uint32_t k = n ? 0 : 1 + below(4); k; k--) {
		uint32_t i = below(NPAGES);

		if (page[i].hint)
			continue;
		page[i].hint = b;
		b->page[b->npages++] = i;
		segs[n++] = (struct guest_seg){ gpa_of(i), GUEST_PAGE,
						RING_WRITE };
	}
	if (!n)
		return;
	b->out = true;
	guest_offer_at(&g, FPH_QUEUE_HINT, head, segs, n);
}

static void offer(void)
{
	switch (below(6)) {
	case 0:
		offer_frames(FPH_QUEUE_INFLATE);
		break;
	case 1:
		offer_frames(FPH_QUEUE_DEFLATE);
		break;
	case 2:
		offer_stats();
		break;
	case 3:
		offer_hint();
		break;
	default:
		offer_report();
		break;
	}
}

/* The pages of a buffer that came back, or that a reset released. */
static void regain(uint32_t ring, struct buffer *b, bool released)
{
	for (uint32_t k = 0; k < b->npages; k++) {
		uint32_t i = b->page[k];
		bool kept = b->bad || ring == FPH_QUEUE_DEFLATE ||
			    (ring == FPH_QUEUE_REPORT && poisoned);

		if (ring == FPH_QUEUE_HINT) {
			if (page[i].skips)
				ck_abort_msg("returned before its skip");
			page[i].hint = NULL;
			continue;
		}
		if (page[i].discards)
			ck_abort_msg("returned before its discard was over");
		page[i].owner = NULL;
		if (!released && page[i].resolved == kept && !page[i].skipped)
			ck_abort_msg("discarded, or not, against the rules");
		if (kept && !page[i].in_balloon)
			check_page(i);
		if (ring == FPH_QUEUE_INFLATE && !b->bad && !released)
			page[i].in_balloon = true;
		else if (ring == FPH_QUEUE_DEFLATE)
			page[i].in_balloon = false;
		if (!page[i].in_balloon)
			write_page(i);
	}
	b->out = false;
}

static void collect(void)
{
	uint16_t head;

	for (uint32_t ring = 0; ring < FPH_NQUEUES; ring++) {
		while (guest_take_used(&g, ring, &head)) {
			struct buffer *b = &buffer[ring][head / DESCS % HEADS];

			if (head % DESCS || head >= RING_SIZE || !b->out)
				ck_abort_msg("ring %u: %u was not out", ring,
					     head);
			regain(ring, b, false);
		}
	}
}

/* -------------------------------------------------------------- the host -- */

static void mark(const struct fph_run *run, int queue, bool over)
{
	if (run->gpa < BASE || run->gpa % GUEST_PAGE || !run->len ||
	    run->len % GUEST_PAGE ||
	    run->len > gpa_of(NPAGES) - run->gpa)
		ck_abort_msg("a run is not of the guest's pages");
	for (uint64_t off = 0; off < run->len; off += GUEST_PAGE) {
		uint32_t i = (uint32_t)((run->gpa + off - BASE) / GUEST_PAGE);
		const struct buffer *b = queue == FPH_QUEUE_HINT ?
					 page[i].hint : page[i].owner;
		uint32_t *count = queue == FPH_QUEUE_HINT ?
				  &page[i].skips : &page[i].discards;

		if (!b || !b->out || b->bad || b < buffer[queue] ||
		    b >= buffer[queue] + HEADS)
			ck_abort_msg("page %u is not in such a buffer", i);
		if (over) {
			*count -= 1;
			page[i].resolved = queue != FPH_QUEUE_HINT ||
					   page[i].resolved;
		} else {
			*count += 1;
		}
	}
}

static void take_work(void)
{
	if (ndiscards < MAX_OUT &&
	    fph_balloon_next(g.balloon, &discard[ndiscards], 1) == 1) {
		ck_assert_uint_eq(frozen, 0);
		mark(&discard[ndiscards], discard[ndiscards].queue, false);
		ndiscards++;
	}
	if (nskips < MAX_OUT &&
	    fph_balloon_hint_next(g.balloon, &skip[nskips], 1) == 1) {
		ck_assert_uint_eq(frozen, 0);
		mark(&skip[nskips], FPH_QUEUE_HINT, false);
		nskips++;
	}
	ck_assert_uint_eq(fph_balloon_get_outstanding(g.balloon),
			  ndiscards + nskips);
}

static void end_work(void)
{
	if (ndiscards) {
		uint32_t k = below(ndiscards);
		bool ok = below(4);

		if (ok)
			guest_discard(&g, discard[k].gpa,
				      discard[k].len);
		mark(&discard[k], discard[k].queue, true);
		ck_assert_int_eq(complete_run(g.balloon, &discard[k],
						      ok), FPH_OK);
		discard[k] = discard[--ndiscards];
	}
	if (nskips) {
		uint32_t k = below(nskips);

		mark(&skip[k], FPH_QUEUE_HINT, true);
		ck_assert_int_eq(complete_hint(g.balloon, &skip[k],
							   true), FPH_OK);
		skip[k] = skip[--nskips];
	}
}

static void hint_control(void)
{
	uint32_t id;

	switch (below(4)) {
	case 0:
		if (fph_balloon_hint_stop(g.balloon) == FPH_OK)
			ck_assert_uint_eq(nskips, 0);
		break;
	case 1:
		(void)fph_balloon_hint_done(g.balloon);
		break;
	default:
		if (fph_balloon_hint_sync_begin(g.balloon) != FPH_OK)
			break;
		ck_assert_uint_eq(nskips, 0);
		ck_assert_int_eq(fph_balloon_hint_sync_end(g.balloon), FPH_OK);
		(void)fph_balloon_hint_request(g.balloon, &id);
		break;
	}
}

static void thaw_all(void)
{
	for (; frozen; frozen--)
		ck_assert_int_eq(fph_balloon_thaw(g.balloon), FPH_OK);
}

static void freeze_or_thaw(void)
{
	if (frozen && below(4)) {
		thaw_all();
		return;
	}
	/* What waits to be discarded comes back as it is. */
	for (uint32_t i = 0; !frozen && i < NPAGES; i++)
		page[i].skipped |= page[i].owner && !page[i].discards;
	frozen = 1;
	ck_assert_int_eq(fph_balloon_freeze(g.balloon),
			 ndiscards + nskips ? FPH_EINPROGRESS : FPH_OK);
}

/* Everything that was popped is finished. */
static void quiesce(void)
{
	thaw_all();
	for (take_work(); ndiscards || nskips; take_work())
		end_work();
	fph_balloon_flush(g.balloon);
	collect();
}

static void restart_ring(void)
{
	uint32_t ring = below(FPH_NQUEUES);
	uint32_t base;
	int ret = fph_balloon_ring_stop(g.balloon, ring, &base);

	if (ret == FPH_EINPROGRESS) {
		quiesce();
		ret = fph_balloon_ring_stop(g.balloon, ring, &base);
	}
	ck_assert_int_eq(ret, FPH_OK);
	guest_start(&g, ring, (uint16_t)base);
}

static void boot_device(void)
{
	uint64_t all = GUEST_FEATURES | GUEST_VERSION_1;
	uint8_t poison[4] = { 0 };

	poisoned = !below(3);
	poison[0] = poisoned ? 0xaa : 0;
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, all), FPH_OK);
	fph_balloon_set_config(g.balloon, FPH_CONFIG_POISON_VAL, poison, 4);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		memset(g.ring[i].desc, 0, 0x10000);
		ring_set_avail_idx(&g.ring[i], 0);
		g.used[i] = 0;
		guest_start(&g, i, 0);
	}
}

/* Buffers that were popped and did not come back. */
static uint64_t count_kept(int queue)
{
	struct fph_balloon_counters c = guest_counters(&g);

	return c.queue[queue].popped - c.queue[queue].pushed;
}

static void reset_device(void)
{
	while (fph_balloon_reset(g.balloon) == FPH_EINPROGRESS) {
		ck_assert_uint_ne(ndiscards + nskips, 0);
		end_work();
	}
	ck_assert_uint_eq(ndiscards + nskips, 0);
	collect();
	for (uint32_t ring = 0; ring < FPH_NQUEUES; ring++) {
		released[ring] = count_kept((int)ring);
		for (uint32_t i = 0; i < HEADS; i++) {
			if (buffer[ring][i].out)
				regain(ring, &buffer[ring][i], true);
		}
	}
	boot_device();
}

/* The driver breaks a ring: what was popped still comes back. */
static void break_ring(void)
{
	uint32_t ring = below(FPH_NQUEUES);

	thaw_all();
	ring_offer(&g.ring[ring], (uint16_t)RING_SIZE);
	while (!fph_balloon_is_broken(g.balloon)) {
		(void)fph_balloon_process(g.balloon, ring, 8);
		quiesce();
	}
	quiesce();
	/* Statistics are held, and popped again when their ring restarts. */
	for (int i = 0; i < FPH_NQUEUES; i++)
		ck_assert(i == FPH_QUEUE_STATS || count_kept(i) == released[i]);
	reset_device();
}

/* The guest may use a page of its own at any time, also a hinted one. */
static void reuse_page(void)
{
	uint32_t i = pick_page(false);

	if (i < NPAGES)
		write_page(i);
}

static void step(void)
{
	uint32_t what = below(1000);

	if (what < 300)
		offer();
	else if (what < 500)
		(void)fph_balloon_process(g.balloon, below(FPH_NQUEUES),
					  1 + below(6));
	else if (what < 680)
		take_work();
	else if (what < 860)
		end_work();
	else if (what < 930)
		fph_balloon_flush(g.balloon);
	else if (what < 950)
		hint_control();
	else if (what < 965)
		(void)fph_balloon_stats_request(g.balloon);
	else if (what < 980)
		freeze_or_thaw();
	else if (what < 990)
		reuse_page();
	else if (what < 996)
		restart_ring();
	else if (what < 998)
		reset_device();
	else
		break_ring();
	collect();
}

START_TEST(soak)
{
	struct fph_balloon_counters c;

	memset(buffer, 0, sizeof(buffer));
	memset(page, 0, sizeof(page));
	memset(released, 0, sizeof(released));
	ndiscards = nskips = frozen = last = 0;
	seed = (uint64_t)_i + 1;
	guest_init(&g, RING_SIZE);
	guest_new(&g, GUEST_FEATURES, 0);
	for (uint32_t i = 0; i < NPAGES; i++)
		write_page(i);
	boot_device();
	for (int i = 0; i < STEPS; i++) {
		step();
		if (i % 64 == 0)
			check_pages();
	}
	/* All of it comes to an end. */
	reset_device();
	for (int i = 0; i < 200; i++)
		offer();
	do {
		uint32_t ready = fph_balloon_get_ready(g.balloon);

		for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
			if (ready & 1u << i)
				ck_assert_int_ge(fph_balloon_process(
					g.balloon, i, 4), 0);
		}
		quiesce();
	} while (fph_balloon_get_ready(g.balloon));
	check_pages();
	for (uint32_t i = 0; i < HEADS; i++) {
		ck_assert(!buffer[FPH_QUEUE_REPORT][i].out);
		ck_assert(!buffer[FPH_QUEUE_INFLATE][i].out);
		ck_assert(!buffer[FPH_QUEUE_DEFLATE][i].out);
		ck_assert(!buffer[FPH_QUEUE_HINT][i].out);
	}
	/* It did not go by without anything happening. */
	c = guest_counters(&g);
	ck_assert_uint_gt(c.report.bytes_freed, 0);
	ck_assert_uint_gt(c.report.poisoned, 0);
	ck_assert_uint_gt(c.report.refused, 0);
	ck_assert_uint_gt(c.inflate.bytes_freed, 0);
	ck_assert_uint_gt(c.hint.bytes_cleared, 0);
	ck_assert_uint_gt(c.deflated, 0);
	ck_assert_uint_gt(c.stats, 0);
	guest_fini(&g);
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("balloon soak");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 600);
	tcase_add_loop_test(t, soak, 0, SEEDS);
	suite_add_tcase(s, t);
	return s;
}
