/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What an embedder chooses: deflate runs that are held, good parts that are
 * kept, host pages that are collected, and the budget of the pump.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "balloon_fixture.h"
#include "runner.h"

#define INFLATE	0u			/* rings, all of them negotiated */
#define DEFLATE	1u
#define REPORT	4u
#define BIG_GPA	((uint64_t)1 << 32)	/* a region that nobody touches */
#define BIG	((uint64_t)1 << 30)
#define MIB	((uint64_t)1 << 20)

static struct guest g;

static void boot(uint32_t flags, uint64_t inflate_granule)
{
	struct fph_region big = {
		.gpa = BIG_GPA, .len = BIG, .fd_offset = GUEST_BYTES,
		.page_size = 4096, .host = (void *)(uintptr_t)BIG_GPA,
		.backing = FPH_BACKING_SHMEM
	};
	struct fph_balloon_params p = {
		.size = sizeof(p), .flags = flags,
		.inflate_granule = inflate_granule, .features = GUEST_FEATURES
	};

	guest_init(&g, 256);
	big.fd = g.fd;
	ck_assert_int_eq(fph_memory_add(g.memory, &big), FPH_OK);
	p.memory = g.memory;
	g.balloon = fph_balloon_new(&p, NULL);
	ck_assert_ptr_nonnull(g.balloon);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon,
		(GUEST_FEATURES | GUEST_VERSION_1) &
		~GUEST_BIT(PAGE_POISON)), FPH_OK);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		guest_start(&g, i, 0);
}

static void process(uint32_t index, int want)
{
	ck_assert_int_eq(fph_balloon_process(g.balloon, index, 1000), want);
}

/* The one run that waits. */
static struct fph_run next(void)
{
	struct fph_run runs[2];

	ck_assert_int_eq(fph_balloon_next(g.balloon, runs, 2), 1);
	return runs[0];
}

static void no_next(void)
{
	struct fph_run run;

	ck_assert_int_eq(fph_balloon_next(g.balloon, &run, 1), 0);
}

static void check_run(const struct fph_run *run, int queue, uint64_t gpa,
		      uint64_t len)
{
	ck_assert_int_eq(run->queue, queue);
	ck_assert_uint_eq(run->gpa, gpa);
	ck_assert_uint_eq(run->len, len);
}

/* All that waits is discarded. */
static void settle(void)
{
	struct fph_run run;

	while (fph_balloon_next(g.balloon, &run, 1) == 1)
		ck_assert_int_eq(complete_run(g.balloon, &run, true), FPH_OK);
	fph_balloon_flush(g.balloon);
}

/* ---------------------------------------------------------- HOLD_DEFLATE -- */

START_TEST(deflate_is_returned_after_it_is_pinned)
{
	struct fph_run run;

	boot(FPH_BALLOON_HOLD_DEFLATE, 0);
	guest_frames(&g, DEFLATE, GUEST_BUFFERS, GUEST_PAGES, GUEST_PAGE, 3);
	process(DEFLATE, 1);
	fph_balloon_flush(g.balloon);
	ck_assert_uint_eq(guest_count_used(&g, DEFLATE), 0);
	run = next();
	check_run(&run, FPH_QUEUE_DEFLATE, GUEST_PAGES, 3 * GUEST_PAGE);
	ck_assert_uint_eq(fph_balloon_get_outstanding(g.balloon), 1);
	fph_balloon_flush(g.balloon);
	ck_assert_uint_eq(guest_count_used(&g, DEFLATE), 0);
	run.outcome = FPH_OUTCOME_SKIPPED;
	ck_assert_int_eq(fph_balloon_complete(g.balloon, &run, 1), 1);
	fph_balloon_flush(g.balloon);
	ck_assert_uint_eq(guest_count_used(&g, DEFLATE), 1);
	ck_assert_uint_eq(guest_counters(&g).deflated, 3);
	no_next();
	guest_fini(&g);
}
END_TEST

/* The ring waits for what is being pinned; a bad buffer has nothing to pin. */
START_TEST(held_deflate_keeps_the_ring)
{
	struct fph_run run;
	uint32_t base;

	boot(FPH_BALLOON_HOLD_DEFLATE, 0);
	guest_frames(&g, DEFLATE, GUEST_BUFFERS, GUEST_PAGES, GUEST_PAGE, 1);
	guest_frames(&g, DEFLATE, GUEST_BUFFERS + 64, GUEST_OUTSIDE,
		     GUEST_PAGE, 1);
	process(DEFLATE, 2);
	fph_balloon_flush(g.balloon);
	ck_assert_uint_eq(guest_count_used(&g, DEFLATE), 1);
	run = next();
	ck_assert_int_eq(fph_balloon_ring_stop(g.balloon, DEFLATE, &base),
			 FPH_EINPROGRESS);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_EINPROGRESS);
	run.outcome = FPH_OUTCOME_SKIPPED;
	ck_assert_int_eq(fph_balloon_complete(g.balloon, &run, 1), 1);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	guest_fini(&g);
}
END_TEST

/* The pump would not know how to pin. */
START_TEST(pump_refuses_held_deflates)
{
	struct fph_reclaim_params p = { .size = sizeof(p) };
	struct fph_reclaim *rc;

	boot(FPH_BALLOON_HOLD_DEFLATE, 0);
	p.memory = g.memory;
	rc = fph_reclaim_new(&p, NULL);
	ck_assert_ptr_nonnull(rc);
	ck_assert_int_eq(fph_balloon_pump(g.balloon, rc, NULL), FPH_EINVAL);
	fph_reclaim_free(rc);
	guest_fini(&g);
}
END_TEST

/* -------------------------------------------------------- KEEP_GOOD_PART -- */

/* Without the flag the whole buffer is refused. */
static void check_good_part_of_a_report(bool keep)
{
	const struct guest_seg segs[] = {
		{ GUEST_PAGES, GUEST_PAGE, RING_WRITE },
		{ GUEST_OUTSIDE, GUEST_PAGE, RING_WRITE },
		{ GUEST_GOOD, GUEST_PAGE, RING_WRITE },
	};
	struct fph_balloon_counters c;

	boot(keep ? FPH_BALLOON_KEEP_GOOD_PART : 0, 0);
	guest_offer(&g, REPORT, segs, 3);
	process(REPORT, 1);
	settle();
	c = guest_counters(&g);
	ck_assert_uint_eq(c.queue[FPH_QUEUE_REPORT].unmapped, 1);
	ck_assert_uint_eq(c.report.bytes_freed, keep ? 2 * GUEST_PAGE : 0);
	ck_assert_uint_eq(c.report.refused, !keep);
	ck_assert_uint_eq(guest_count_used(&g, REPORT), 1);
	guest_fini(&g);
}

START_TEST(good_part_of_a_report)
{
	check_good_part_of_a_report(false);
	check_good_part_of_a_report(true);
}
END_TEST

static void check_good_part_of_an_inflate(bool keep)
{
	const uint64_t frames[] = { GUEST_PAGES, GUEST_OUTSIDE, GUEST_GOOD };
	struct fph_balloon_counters c;

	boot(keep ? FPH_BALLOON_KEEP_GOOD_PART : 0, 0);
	for (uint32_t i = 0; i < 3; i++)
		guest_put(&g, GUEST_BUFFERS + 4 * i, 4, frames[i] >> 12);
	guest_offer_one(&g, INFLATE, GUEST_BUFFERS, 12, 0);
	guest_offer_one(&g, DEFLATE, GUEST_BUFFERS, 12, 0);
	process(INFLATE, 1);
	process(DEFLATE, 1);
	settle();
	c = guest_counters(&g);
	ck_assert_uint_eq(c.queue[FPH_QUEUE_INFLATE].unmapped, 1);
	ck_assert_uint_eq(c.queue[FPH_QUEUE_DEFLATE].unmapped, 1);
	ck_assert_uint_eq(c.inflate.bytes_freed, keep ? 2 * GUEST_PAGE : 0);
	ck_assert_uint_eq(c.deflated, keep ? 2 : 0);
	ck_assert_uint_eq(guest_count_used(&g, INFLATE), 1);
	ck_assert_uint_eq(guest_count_used(&g, DEFLATE), 1);
	guest_fini(&g);
}

START_TEST(good_part_of_an_inflate)
{
	check_good_part_of_an_inflate(false);
	check_good_part_of_an_inflate(true);
}
END_TEST

/* Frames in a row that leave guest memory in the middle. */
static void check_row(bool keep)
{
	struct fph_balloon_counters c;

	boot(keep ? FPH_BALLOON_KEEP_GOOD_PART : 0, 0);
	guest_frames(&g, INFLATE, GUEST_BUFFERS, GUEST_BYTES - 2 * GUEST_PAGE,
		     GUEST_PAGE, 5);
	process(INFLATE, 1);
	settle();
	c = guest_counters(&g);
	ck_assert_uint_eq(c.queue[FPH_QUEUE_INFLATE].unmapped, 1);
	ck_assert_uint_eq(c.inflate.bytes_freed, keep ? 2 * GUEST_PAGE : 0);
	ck_assert_uint_eq(c.inflate.refused, !keep);
	ck_assert_uint_eq(guest_count_used(&g, INFLATE), 1);
	guest_fini(&g);
}

START_TEST(good_part_of_a_row)
{
	check_row(false);
	check_row(true);
}
END_TEST

/* What the driver may never do is refused whole all the same. */
START_TEST(no_good_part_of_a_readable_report)
{
	const struct guest_seg segs[] = {
		{ GUEST_BUFFERS, GUEST_PAGE, 0 },
		{ GUEST_GOOD, GUEST_PAGE, RING_WRITE },
	};

	boot(FPH_BALLOON_KEEP_GOOD_PART, 0);
	guest_offer(&g, REPORT, segs, 2);
	process(REPORT, 1);
	no_next();
	settle();
	ck_assert_uint_eq(guest_counters(&g).report.refused, 1);
	ck_assert_uint_eq(guest_count_used(&g, REPORT), 1);
	guest_fini(&g);
}
END_TEST

/* ------------------------------------------------------ partial host pages -- */

#define HOST_PAGE	0x10000u	/* 64 KiB */
#define PER_PAGE	(HOST_PAGE / GUEST_PAGE)

static void inflate(uint64_t gpa, uint32_t pages)
{
	guest_frames(&g, INFLATE, GUEST_BUFFERS, gpa, GUEST_PAGE, pages);
	process(INFLATE, 1);
	fph_balloon_flush(g.balloon);
}

static uint64_t get_collected(void)
{
	return guest_counters(&g).collected;
}

/* Its buffers come back at once; the last page makes a discard of all. */
START_TEST(pages_collect_until_a_host_page_is_whole)
{
	struct fph_run run;
	uint32_t i;

	boot(0, HOST_PAGE);
	for (i = PER_PAGE - 1; i > 0; i--) {
		inflate(GUEST_PAGES + i * GUEST_PAGE, 1);
		no_next();
		ck_assert_uint_eq(get_collected(),
				  (PER_PAGE - i) * GUEST_PAGE);
	}
	ck_assert_uint_eq(guest_count_used(&g, INFLATE), PER_PAGE - 1);
	inflate(GUEST_PAGES, 1);
	run = next();
	check_run(&run, FPH_QUEUE_INFLATE, GUEST_PAGES, HOST_PAGE);
	ck_assert_uint_eq(get_collected(), 0);
	/* The buffer that made it whole waits for the discard (R2). */
	ck_assert_uint_eq(guest_count_used(&g, INFLATE), PER_PAGE - 1);
	ck_assert_int_eq(complete_run(g.balloon, &run, true), FPH_OK);
	fph_balloon_flush(g.balloon);
	ck_assert_uint_eq(guest_count_used(&g, INFLATE), PER_PAGE);
	ck_assert_uint_eq(guest_counters(&g).inflate.bytes_freed, HOST_PAGE);
	guest_fini(&g);
}
END_TEST

/* A deflated page is the guest's again: it makes no host page whole. */
START_TEST(deflate_forgets_collected_pages)
{
	struct fph_run run;

	boot(0, HOST_PAGE);
	inflate(GUEST_PAGES, PER_PAGE - 1);
	guest_frames(&g, DEFLATE, GUEST_BUFFERS + 256, GUEST_PAGES,
		     GUEST_PAGE, 1);
	process(DEFLATE, 1);
	ck_assert_uint_eq(get_collected(), (PER_PAGE - 2) * GUEST_PAGE);
	inflate(GUEST_PAGES + (PER_PAGE - 1) * GUEST_PAGE, 1);
	no_next();
	inflate(GUEST_PAGES, 1);
	run = next();
	check_run(&run, FPH_QUEUE_INFLATE, GUEST_PAGES, HOST_PAGE);
	ck_assert_int_eq(complete_run(g.balloon, &run, true), FPH_OK);
	guest_fini(&g);
}
END_TEST

/*
 * A page that is deflated while the discard of its host page is going on must
 * not come back before that is over (FPH-PFN-13A).
 */
START_TEST(deflate_waits_for_a_discard)
{
	struct fph_run run;

	boot(0, HOST_PAGE);
	inflate(GUEST_PAGES, PER_PAGE - 1);
	inflate(GUEST_PAGES + (PER_PAGE - 1) * GUEST_PAGE, 1);
	guest_frames(&g, DEFLATE, GUEST_BUFFERS + 256, GUEST_PAGES,
		     GUEST_PAGE, 1);
	process(DEFLATE, 0);
	run = next();
	process(DEFLATE, 0);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon) & 1u << DEFLATE, 0);
	fph_balloon_flush(g.balloon);
	ck_assert_uint_eq(guest_count_used(&g, DEFLATE), 0);
	ck_assert_int_eq(complete_run(g.balloon, &run, true), FPH_OK);
	fph_balloon_flush(g.balloon);
	ck_assert_uint_ne(fph_balloon_get_ready(g.balloon) & 1u << DEFLATE, 0);
	process(DEFLATE, 1);
	fph_balloon_flush(g.balloon);
	ck_assert_uint_eq(guest_count_used(&g, DEFLATE), 1);
	guest_fini(&g);
}
END_TEST

/* FPH-PFN-13: only what buffers in flight make whole. */
START_TEST(nothing_is_collected_without_must_tell_host)
{
	struct fph_run run;

	boot(0, HOST_PAGE);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon,
		(GUEST_FEATURES | GUEST_VERSION_1) &
		~(GUEST_BIT(PAGE_POISON) | GUEST_BIT(MUST_TELL_HOST))),
		FPH_OK);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		guest_start(&g, i, 0);
	inflate(GUEST_PAGES, PER_PAGE - 1);
	no_next();
	fph_balloon_flush(g.balloon);
	ck_assert_uint_eq(guest_count_used(&g, INFLATE), 1);
	inflate(GUEST_PAGES + (PER_PAGE - 1) * GUEST_PAGE, 1);
	no_next();
	ck_assert_uint_eq(get_collected(), 0);
	inflate(GUEST_PAGES, PER_PAGE);
	run = next();
	check_run(&run, FPH_QUEUE_INFLATE, GUEST_PAGES, HOST_PAGE);
	ck_assert_int_eq(complete_run(g.balloon, &run, true), FPH_OK);
	guest_fini(&g);
}
END_TEST

START_TEST(reset_forgets_collected_pages)
{
	boot(0, HOST_PAGE);
	inflate(GUEST_PAGES, PER_PAGE - 1);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	ck_assert_uint_eq(get_collected(), 0);
	guest_fini(&g);
}
END_TEST

static void start_again(uint64_t granule)
{
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_set_inflate_granule(g.balloon, granule),
			 FPH_OK);
}

static void start_rings(uint16_t inflated)
{
	ck_assert_int_eq(fph_balloon_set_features(g.balloon,
		(GUEST_FEATURES | GUEST_VERSION_1) &
		~GUEST_BIT(PAGE_POISON)), FPH_OK);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		guest_start(&g, i, i == INFLATE ? inflated : 0);
}

/* The memory is another, while no ring runs; a saved state has it too. */
START_TEST(granule_of_other_memory)
{
	uint8_t state[65536];
	struct fph_run run;
	size_t size;

	ck_assert_int_eq(fph_balloon_set_inflate_granule(NULL, 4096),
			 FPH_EUNINIT);
	boot(0, 0);
	ck_assert_int_eq(fph_balloon_set_inflate_granule(g.balloon, HOST_PAGE),
			 FPH_ESTATE);
	start_again(HOST_PAGE);
	ck_assert_int_eq(fph_balloon_set_inflate_granule(g.balloon, 2048),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_set_inflate_granule(g.balloon, 12288),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_save(g.balloon, state, sizeof(state),
					  &size), FPH_OK);
	ck_assert_int_eq(fph_balloon_load(g.balloon, state, size, 0, NULL),
			 FPH_OK);
	start_rings(0);
	inflate(GUEST_PAGES, PER_PAGE - 1);
	no_next();
	ck_assert_uint_eq(get_collected(), (PER_PAGE - 1) * GUEST_PAGE);
	start_again(0);
	start_rings(1);
	ck_assert_uint_eq(get_collected(), 0);
	inflate(GUEST_PAGES, 1);
	run = next();
	check_run(&run, FPH_QUEUE_INFLATE, GUEST_PAGES, GUEST_PAGE);
	ck_assert_int_eq(complete_run(g.balloon, &run, true), FPH_OK);
	guest_fini(&g);
	/* Runs are aligned to the granule of new, whatever is set. */
	boot(0, HOST_PAGE);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_set_inflate_granule(g.balloon, 4096),
			 FPH_EINVAL);
	guest_fini(&g);
}
END_TEST

/* The same page again and again is one page. */
START_TEST(repeats_do_not_make_a_host_page)
{
	boot(0, HOST_PAGE);
	for (uint32_t i = 0; i < 2 * PER_PAGE; i++)
		inflate(GUEST_PAGES, 1);
	no_next();
	ck_assert_uint_eq(get_collected(), GUEST_PAGE);
	guest_fini(&g);
}
END_TEST

/* ---------------------------------------------------------------- budget -- */

static struct {
	uint32_t calls;
	uint64_t bytes;
	int64_t largest;
	long sleep;			/* ns a call */
} kernel;

static int slow_fallocate(int fd, int mode, int64_t offset, int64_t len)
{
	struct timespec t = { .tv_nsec = kernel.sleep };

	(void)fd;
	(void)mode;
	(void)offset;
	kernel.calls++;
	kernel.bytes += (uint64_t)len;
	if (len > kernel.largest)
		kernel.largest = len;
	nanosleep(&t, NULL);
	return 0;
}

static int no_madvise(void *addr, size_t len, int advice)
{
	(void)addr;
	(void)len;
	(void)advice;
	ck_abort_msg("madvise on shared memory");
	return -1;
}

static ssize_t no_process_madvise(const struct iovec *iov, size_t n,
				  int advice)
{
	(void)iov;
	(void)n;
	(void)advice;
	ck_abort_msg("process_madvise on shared memory");
	return -1;
}

static const struct fph_reclaim_ops ops = {
	slow_fallocate, no_madvise, no_process_madvise
};

/* One report of 1 GiB waits in the ring. */
static struct fph_reclaim *boot_big(long sleep)
{
	struct fph_reclaim_params p = { .size = sizeof(p), .ops = &ops };
	struct fph_reclaim *rc;

	boot(0, 0);
	p.memory = g.memory;
	rc = fph_reclaim_new(&p, NULL);
	ck_assert_ptr_nonnull(rc);
	memset(&kernel, 0, sizeof(kernel));
	kernel.sleep = sleep;
	guest_offer_one(&g, REPORT, BIG_GPA, (uint32_t)BIG, RING_WRITE);
	ck_assert_int_eq(fph_balloon_kick(g.balloon, REPORT), FPH_OK);
	return rc;
}

static void check_big_is_freed(struct fph_reclaim *rc)
{
	ck_assert_uint_eq(kernel.bytes, BIG);
	ck_assert_uint_eq(guest_counters(&g).report.bytes_freed, BIG);
	ck_assert_uint_eq(guest_count_used(&g, REPORT), 1);
	fph_reclaim_free(rc);
	guest_fini(&g);
}

START_TEST(pump_keeps_bytes_inside_a_run)
{
	struct fph_budget budget = { .bytes = 8 * MIB };
	struct fph_reclaim *rc = boot_big(0);
	uint32_t turns = 0;
	uint64_t before;
	int ret;

	do {
		before = kernel.bytes;
		ret = fph_balloon_pump(g.balloon, rc, &budget);
		ck_assert_int_ge(ret, 0);
		ck_assert_uint_le(kernel.bytes - before, 8 * MIB);
		/* R2: its buffer comes back with the last byte. */
		ck_assert_uint_eq(guest_count_used(&g, REPORT),
				  kernel.bytes == BIG);
		turns++;
	} while (ret);
	ck_assert_uint_ge(turns, BIG / (8 * MIB));
	check_big_is_freed(rc);
}
END_TEST

/* A call takes longer than the whole budget: then one call a turn. */
START_TEST(pump_keeps_time_inside_a_run)
{
	struct fph_budget budget = { .nanoseconds = 100000 };
	struct fph_reclaim *rc = boot_big(1000000);
	uint32_t before;
	int ret;

	do {
		before = kernel.calls;
		ret = fph_balloon_pump(g.balloon, rc, &budget);
		ck_assert_int_ge(ret, 0);
		ck_assert_uint_le(kernel.calls - before, 1);
	} while (ret);
	ck_assert_int_le(kernel.largest, (int64_t)(4 * MIB));
	check_big_is_freed(rc);
}
END_TEST

/* Between two turns nothing is going on: the rest is given up, and counted. */
START_TEST(reset_gives_up_a_run_that_has_begun)
{
	struct fph_budget budget = { .bytes = 8 * MIB };
	struct fph_reclaim *rc = boot_big(0);
	struct fph_balloon_counters c;

	ck_assert_int_eq(fph_balloon_pump(g.balloon, rc, &budget), 1);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_pump(g.balloon, rc, NULL), 0);
	ck_assert_uint_eq(kernel.bytes, 8 * MIB);
	c = guest_counters(&g);
	ck_assert_uint_eq(c.report.bytes_freed, 8 * MIB);
	ck_assert_uint_eq(c.report.bytes_skipped, BIG - 8 * MIB);
	ck_assert_uint_eq(guest_count_used(&g, REPORT), 0);
	fph_reclaim_free(rc);
	guest_fini(&g);
}
END_TEST

static int end(bool freeze)
{
	uint32_t base;

	return freeze ? fph_balloon_freeze(g.balloon) :
			fph_balloon_ring_stop(g.balloon, REPORT, &base);
}

/* What the pump has in hand is out, and the pump completes it. */
START_TEST(pump_completes_what_others_wait_for)
{
	struct fph_budget budget = { .bytes = 8 * MIB };
	struct fph_reclaim *rc;

	for (int freeze = 0; freeze < 2; freeze++) {
		rc = boot_big(0);
		ck_assert_int_eq(fph_balloon_pump(g.balloon, rc, &budget), 1);
		ck_assert_uint_eq(fph_balloon_get_outstanding(g.balloon), 1);
		ck_assert_int_eq(end(freeze), FPH_EINPROGRESS);
		ck_assert_int_eq(fph_balloon_pump(g.balloon, rc, NULL), 0);
		ck_assert_uint_eq(fph_balloon_take_events(g.balloon),
				  FPH_EVENT_DRAINED);
		ck_assert_int_eq(end(freeze), FPH_OK);
		check_big_is_freed(rc);
	}
}
END_TEST

START_TEST(pump_keeps_buffers)
{
	struct fph_budget budget = { .buffers = 3 };
	struct fph_reclaim *rc = boot_big(0);
	uint32_t i;

	for (i = 1; i < 7; i++)
		guest_offer_one(&g, REPORT, BIG_GPA, GUEST_PAGE, RING_WRITE);
	for (i = 3; i <= 6; i += 3) {
		ck_assert_int_eq(fph_balloon_pump(g.balloon, rc, &budget), 1);
		ck_assert_uint_eq(
			guest_counters(&g).queue[FPH_QUEUE_REPORT].popped, i);
	}
	while (fph_balloon_pump(g.balloon, rc, &budget) == 1)
		;
	ck_assert_uint_eq(guest_count_used(&g, REPORT), 7);
	fph_reclaim_free(rc);
	guest_fini(&g);
}
END_TEST

/* ---------------------------------------------------------------- memory -- */

static long get_resident(void)
{
	long size, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%ld %ld", &size, &pages), 2);
	fclose(f);
	return pages * 4096;
}

/* Why resident memory says nothing here, or NULL. */
static const char *why_not_resident(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__has_feature)
	return "a sanitizer has memory of its own";
#endif
	/* So check-valgrind runs the tests. */
	return getenv("CK_FORK") ? "valgrind has memory of its own" : NULL;
}

/*
 * A device that does nothing yet is small. Several of them, so that what the
 * allocator keeps for itself counts little.
 */
START_TEST(new_device_is_small)
{
	struct fph_balloon_params p = {
		.size = sizeof(p), .features = GUEST_FEATURES
	};
	struct fph_balloon *b[16];
	long before, each;
	uint32_t i;

	if (why_not_resident()) {
		fprintf(stderr, "SKIP new_device_is_small: %s\n",
			why_not_resident());
		return;
	}
	guest_init(&g, 256);
	p.memory = g.memory;
	b[0] = fph_balloon_new(&p, NULL);
	fph_balloon_free(b[0]);
	before = get_resident();
	for (i = 0; i < 16; i++) {
		b[i] = fph_balloon_new(&p, NULL);
		ck_assert_ptr_nonnull(b[i]);
	}
	each = (get_resident() - before) / 16;
	printf("fph_balloon_new: %ld KiB resident\n", each / 1024);
	ck_assert_int_le(each, 96 * 1024);
	for (i = 0; i < 16; i++)
		fph_balloon_free(b[i]);
	g.balloon = NULL;
	guest_fini(&g);
}
END_TEST

/* A call looks at 16384 page frames and what is in a batch, no more. */
START_TEST(process_has_a_bound)
{
	for (uint32_t index = INFLATE; index <= DEFLATE; index++) {
		int n;

		boot(0, 0);
		for (uint32_t i = 0; i < 200; i++)
			guest_frames(&g, index, GUEST_BUFFERS, GUEST_PAGES,
				     GUEST_PAGE, 1024);
		n = fph_balloon_process(g.balloon, index, 200);
		ck_assert_int_ge(n, 16);
		ck_assert_int_lt(n, 100);
		guest_fini(&g);
	}
}
END_TEST

RUNNER_SUITE("balloon_options",
	     deflate_is_returned_after_it_is_pinned,
	     held_deflate_keeps_the_ring, pump_refuses_held_deflates,
	     good_part_of_a_report, good_part_of_an_inflate,
	     good_part_of_a_row,
	     no_good_part_of_a_readable_report,
	     pages_collect_until_a_host_page_is_whole,
	     granule_of_other_memory,
	     deflate_forgets_collected_pages, deflate_waits_for_a_discard,
	     nothing_is_collected_without_must_tell_host,
	     reset_forgets_collected_pages,
	     repeats_do_not_make_a_host_page, pump_keeps_bytes_inside_a_run,
	     pump_keeps_time_inside_a_run,
	     reset_gives_up_a_run_that_has_begun,
	     pump_completes_what_others_wait_for, pump_keeps_buffers,
	     new_device_is_small, process_has_a_bound)
