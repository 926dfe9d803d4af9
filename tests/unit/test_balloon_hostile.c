/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The balloon device and hostile reports, arrays and set-up.  Every row says
 * what came, what QEMU 7.2 makes of it, and what this device does; after every
 * row a reset makes a working device again.
 */
#include <stdlib.h>

#include "balloon_fixture.h"
#include "runner.h"

#define REPORT	4u
#define GOOD	GUEST_GOOD

static struct guest g;

static struct ring *report_ring(void)
{
	return &g.ring[REPORT];
}

static void offer(uint64_t gpa, uint32_t len, uint16_t flags)
{
	guest_offer_one(&g, REPORT, gpa, len, flags);
}

/* A good page, then this one, in one chain. */
static void offer_behind_good(uint64_t gpa, uint32_t len, uint16_t flags)
{
	struct guest_seg segs[2] = {
		{ GOOD, GUEST_PAGE, RING_WRITE }, { gpa, len, flags }
	};

	guest_offer(&g, REPORT, segs, 2);
}

static void zero_length(void)
{
	offer(GOOD, 0, RING_WRITE);
}

static void zero_length_behind_good(void)
{
	offer_behind_good(GOOD + GUEST_PAGE, 0, RING_WRITE);
}

static void unaligned(void)
{
	offer(GOOD + 0x800, 2 * GUEST_PAGE, RING_WRITE);
}

static void unaligned_behind_good(void)
{
	offer_behind_good(GOOD + 0x100800, 100, RING_WRITE);
}

static void one_page(void)
{
	offer(GOOD, GUEST_PAGE, RING_WRITE);
}

static void outside_page(void)
{
	offer(GUEST_OUTSIDE, GUEST_PAGE, RING_WRITE);
}

static void outside_huge(void)
{
	offer_behind_good(GUEST_OUTSIDE, 0x200000, RING_WRITE);
}

static void outside_2_63(void)
{
	offer((uint64_t)1 << 63, GUEST_PAGE, RING_WRITE);
}

static void outside_last_page(void)
{
	offer(0 - (uint64_t)GUEST_PAGE, GUEST_PAGE, RING_WRITE);
}

static void wraps(void)
{
	offer(0 - (uint64_t)GUEST_PAGE, 2 * GUEST_PAGE, RING_WRITE);
}

static void past_end_by_page(void)
{
	offer(GUEST_BYTES - GUEST_PAGE, 2 * GUEST_PAGE, RING_WRITE);
}

static void past_end_by_huge(void)
{
	offer(GUEST_BYTES - 0x200000, 0x400000, RING_WRITE);
}

static void same_twice(void)
{
	offer_behind_good(GOOD, GUEST_PAGE, RING_WRITE);
}

static void overlapping(void)
{
	offer_behind_good(GOOD + 0x800, GUEST_PAGE + 0x800, RING_WRITE);
}

static void chain_of(uint32_t n)
{
	struct guest_seg segs[256];

	for (uint32_t i = 0; i < n; i++)
		segs[i] = (struct guest_seg){
			GOOD + i * GUEST_PAGE, GUEST_PAGE, RING_WRITE
		};
	guest_offer(&g, REPORT, segs, n);
}

static void chain_of_33(void)
{
	chain_of(33);
}

static void chain_as_long_as_the_ring(void)
{
	chain_of(256);
}

static void readable(void)
{
	offer(GOOD, GUEST_PAGE, 0);
}

static void mixed(void)
{
	struct guest_seg segs[2] = {
		{ GOOD, GUEST_PAGE, 0 },
		{ GOOD + 0x10000, GUEST_PAGE, RING_WRITE }
	};

	guest_offer(&g, REPORT, segs, 2);
}

static void in_then_out(void)
{
	offer_behind_good(GOOD + 0x10000, GUEST_PAGE, 0);
}

static void put_desc(uint32_t i, uint16_t flags, uint16_t next)
{
	ring_desc(report_ring(), report_ring()->desc, i, GOOD, GUEST_PAGE,
		  flags, next);
}

static void loop(void)
{
	put_desc(0, RING_WRITE | RING_NEXT, 1);
	put_desc(1, RING_WRITE | RING_NEXT, 0);
	ring_offer(report_ring(), 0);
}

static void bad_next(void)
{
	put_desc(0, RING_WRITE | RING_NEXT, 256);
	ring_offer(report_ring(), 0);
}

static void bad_head(void)
{
	ring_offer(report_ring(), 256);
}

static void index_jump(void)
{
	put_desc(0, RING_WRITE, 0);
	ring_set_avail_idx(report_ring(), 2001);
}

static void table(uint32_t len, uint16_t flags, uint64_t gpa)
{
	for (uint32_t i = 0; gpa == GUEST_BUFFERS && i < 48; i++)
		ring_desc(report_ring(), guest_at(&g, gpa), i,
			  GOOD + i * GUEST_PAGE, GUEST_PAGE,
			  (uint16_t)(RING_WRITE |
				     (16 * (i + 1) < len ? RING_NEXT : 0)),
			  (uint16_t)(i + 1));
	ring_desc(report_ring(), report_ring()->desc, 0, gpa, len, flags, 1);
	put_desc(1, RING_WRITE, 0);
	ring_offer(report_ring(), 0);
}

static void table_of_4(void)
{
	table(64, RING_INDIRECT, GUEST_BUFFERS);
}

static void table_of_48(void)
{
	table(768, RING_INDIRECT | RING_WRITE, GUEST_BUFFERS);
}

static void table_nested(void)
{
	table(16, RING_INDIRECT, GUEST_BUFFERS);
	ring_desc(report_ring(), guest_at(&g, GUEST_BUFFERS), 0,
		  GUEST_BUFFERS + 64, 16, RING_INDIRECT, 0);
}

static void table_with_next(void)
{
	table(16, RING_INDIRECT | RING_NEXT, GUEST_BUFFERS);
}

static void table_empty(void)
{
	table(0, RING_INDIRECT, GUEST_BUFFERS);
}

static void table_of_24_bytes(void)
{
	table(24, RING_INDIRECT, GUEST_BUFFERS);
}

static void table_outside(void)
{
	table(16, RING_INDIRECT, GUEST_OUTSIDE);
}

/* ----------------------------------------------------------- report rows -- */

struct row {
	const char *input;
	const char *qemu;
	void (*offer)(void);
	int result;			/* of process */
	uint64_t gpa, len;		/* one discard, or none */
	uint32_t unmapped, peer_errors;
};

#define BROKEN(status)	.result = (status), .peer_errors = 1
#define DISCARDS(a, n)	.result = 1, .gpa = (a), .len = (n)
#define UNMAPPED	.result = 1, .unmapped = 1
#define REFUSED		.result = 1, .peer_errors = 1

static const struct row report_row[] = {
	{ "zero length", "broken", zero_length,
	  BROKEN(FPH_PEER_ZERO_LEN) },
	{ "zero length behind a good one", "broken, good one not freed",
	  zero_length_behind_good, BROKEN(FPH_PEER_ZERO_LEN) },
	{ "unaligned address and end", "range ignored, returned", unaligned,
	  DISCARDS(GOOD + GUEST_PAGE, GUEST_PAGE) },
	{ "unaligned behind a good one", "good one freed",
	  unaligned_behind_good, DISCARDS(GOOD, GUEST_PAGE) },
	{ "4 KiB range", "freed", one_page, DISCARDS(GOOD, GUEST_PAGE) },
	{ "4 KiB outside RAM", "ignored, returned", outside_page, UNMAPPED },
	{ "2 MiB outside RAM among good ones", "broken, nothing freed",
	  outside_huge, UNMAPPED },
	{ "address 2^63", "ignored, returned", outside_2_63, UNMAPPED },
	{ "last page of the address space", "ignored, returned",
	  outside_last_page, UNMAPPED },
	{ "wraps 2^64", "ignored, returned", wraps, BROKEN(FPH_PEER_WRAP) },
	{ "past the end by 4 KiB", "part in RAM freed", past_end_by_page,
	  UNMAPPED },
	{ "past the end by 2 MiB", "broken", past_end_by_huge, UNMAPPED },
	{ "same range twice", "fine", same_twice, DISCARDS(GOOD, GUEST_PAGE) },
	{ "overlapping ranges", "fine", overlapping,
	  DISCARDS(GOOD, 2 * GUEST_PAGE) },
	{ "chain of 33", "accepted", chain_of_33,
	  DISCARDS(GOOD, 33 * GUEST_PAGE) },
	{ "chain as long as the ring", "accepted", chain_as_long_as_the_ring,
	  DISCARDS(GOOD, 256 * GUEST_PAGE) },
	{ "readable descriptor", "ignored", readable, REFUSED },
	{ "readable and writable", "writable part freed", mixed, REFUSED },
	{ "in, then out", "broken", in_then_out, BROKEN(FPH_PEER_ORDER) },
	{ "loop", "broken", loop, BROKEN(FPH_PEER_LONG_CHAIN) },
	{ "bad next", "broken", bad_next, BROKEN(FPH_PEER_NEXT) },
	{ "bad head", "broken", bad_head, BROKEN(FPH_PEER_HEAD) },
	{ "avail.idx jumps by 2001", "processed 2001 times", index_jump,
	  BROKEN(FPH_PEER_AVAIL_INDEX) },
	{ "indirect, 4 entries", "accepted", table_of_4,
	  DISCARDS(GOOD, 4 * GUEST_PAGE) },
	{ "indirect, 48 entries", "accepted", table_of_48,
	  DISCARDS(GOOD, 48 * GUEST_PAGE) },
	{ "indirect, nested", "accepted", table_nested,
	  BROKEN(FPH_PEER_INDIRECT_NEST) },
	{ "indirect with next", "accepted", table_with_next,
	  BROKEN(FPH_PEER_INDIRECT_NEXT) },
	{ "indirect, length 0", "broken", table_empty,
	  BROKEN(FPH_PEER_INDIRECT_LEN) },
	{ "indirect, length 24", "broken", table_of_24_bytes,
	  BROKEN(FPH_PEER_INDIRECT_LEN) },
	{ "indirect table outside RAM", "broken", table_outside,
	  BROKEN(FPH_PEER_INDIRECT_ADDR) },
};

static void check_broken(const struct row *row)
{
	ck_assert_msg(fph_balloon_is_broken(g.balloon), "%s", row->input);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon),
			  FPH_EVENT_BROKEN);
	ck_assert_int_eq(guest_counters(&g).last_error, row->result);
	ck_assert_uint_eq(fph_balloon_get_ready(g.balloon), 0);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		ck_assert_int_eq(fph_balloon_process(g.balloon, i, 1),
				 FPH_PEER_BROKEN);
	ck_assert_int_eq(fph_balloon_hint_request(g.balloon, &(uint32_t){ 0 }),
			 FPH_PEER_BROKEN);
	ck_assert_int_eq(fph_balloon_stats_request(g.balloon), FPH_ESTATE);
	ck_assert_uint_eq(guest_count_used(&g, REPORT), 0);
}

START_TEST(report_rows)
{
	const struct row *row = &report_row[_i];
	struct fph_balloon_queue_counters c;
	struct fph_run d;
	int n;

	guest_boot_without(&g, GUEST_BIT(PAGE_POISON));
	row->offer();
	n = fph_balloon_process(g.balloon, REPORT, 9);
	ck_assert_msg(n == row->result, "%s: %d (QEMU: %s)", row->input, n,
		      row->qemu);
	n = fph_balloon_next(g.balloon, &d, 1);
	ck_assert_msg(n == !!row->len, "%s", row->input);
	if (n) {
		ck_assert_uint_eq(d.gpa, row->gpa);
		ck_assert_uint_eq(d.len, row->len);
		ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
		ck_assert_int_eq(complete_run(g.balloon, &d, true),
				 FPH_OK);
		ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 0);
	}
	n = row->result == 1;
	ck_assert_msg((int)fph_balloon_flush(g.balloon) == n, "%s",
		      row->input);
	ck_assert_int_eq(guest_count_used(&g, REPORT), n);
	c = guest_counters(&g).queue[FPH_QUEUE_REPORT];
	ck_assert_uint_eq(c.popped, (unsigned int)n);
	ck_assert_uint_eq(c.pushed, (unsigned int)n);
	ck_assert_msg(c.unmapped == row->unmapped, "%s", row->input);
	ck_assert_msg(c.peer_errors == row->peer_errors, "%s", row->input);
	if (row->result < 0)
		check_broken(row);
	else
		ck_assert(!fph_balloon_is_broken(g.balloon));
	guest_check_recovery(&g, row->input);
	guest_fini(&g);
}
END_TEST

/* What was popped before the bad chain is completed and returned. */
START_TEST(broken_keeps_what_was_taken)
{
	struct fph_run d;
	uint16_t head;

	guest_boot_without(&g, GUEST_BIT(PAGE_POISON));
	one_page();
	zero_length();
	one_page();
	ck_assert_int_eq(fph_balloon_process(g.balloon, REPORT, 9), 1);
	ck_assert_int_eq(guest_counters(&g).last_error, FPH_PEER_ZERO_LEN);
	ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 1);
	ck_assert_int_eq(fph_balloon_reset(g.balloon), FPH_EINPROGRESS);
	ck_assert(fph_balloon_is_broken(g.balloon));
	ck_assert_int_eq(complete_run(g.balloon, &d, true), FPH_OK);
	guest_fini(&g);

	guest_boot_without(&g, GUEST_BIT(PAGE_POISON));
	one_page();
	zero_length();
	ck_assert_int_eq(fph_balloon_process(g.balloon, REPORT, 9), 1);
	ck_assert_int_eq(guest_counters(&g).last_error, FPH_PEER_ZERO_LEN);
	ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 1);
	ck_assert_int_eq(complete_run(g.balloon, &d, true), FPH_OK);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	ck_assert(guest_take_used(&g, REPORT, &head));
	ck_assert_uint_eq(head, 0);
	ck_assert_uint_eq(fph_balloon_take_notify(g.balloon), 1u << REPORT);
	guest_check_recovery(&g, "broken with a discard out");
	guest_fini(&g);
}
END_TEST

/* QEMU: an indirect table that was not negotiated is accepted. */
START_TEST(indirect_not_negotiated_breaks)
{
	guest_boot_without(&g, FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC));
	table_of_4();
	ck_assert_int_eq(fph_balloon_process(g.balloon, REPORT, 9),
			 FPH_PEER_INDIRECT);
	ck_assert(fph_balloon_is_broken(g.balloon));
	guest_check_recovery(&g, "indirect not negotiated");
	guest_fini(&g);
}
END_TEST

/* QEMU: still discards, and before DRIVER_OK too. */
START_TEST(report_not_negotiated_is_left_alone)
{
	struct fph_run d;

	guest_boot_without(&g, GUEST_BIT(PAGE_REPORTING));
	one_page();
	ck_assert_int_eq(fph_balloon_process(g.balloon, REPORT, 9),
			 FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 0);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 0);
	ck_assert_uint_eq(guest_counters(&g).report.buffers, 0);
	guest_check_recovery(&g, "report not negotiated");
	/* Enabled is as much as a transport says of DRIVER_OK. */
	ck_assert_int_eq(fph_balloon_ring_enable(g.balloon, REPORT, false),
			 FPH_OK);
	one_page();
	ck_assert_int_eq(fph_balloon_process(g.balloon, REPORT, 9),
			 FPH_ESTATE);
	ck_assert_uint_eq(guest_count_used(&g, REPORT), 1);
	guest_fini(&g);
}
END_TEST

/*
 * QEMU: works with 33 entries, does nothing with rings outside RAM, ignores a
 * bad index, keeps FEATURES_OK with an unoffered bit.
 */
START_TEST(bad_set_up_is_refused)
{
	struct fph_balloon_ring ring;

	guest_boot(&g, GUEST_FEATURES, GUEST_FEATURES, 0);
	ring = (struct fph_balloon_ring){
		.size = sizeof(struct fph_balloon_ring),
		.num = 33, .base = 0, .desc = g.ring[0].desc,
		.driver = g.ring[0].avail, .device = g.ring[0].used
	};
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, 0, &ring),
			 FPH_EINVAL);
	ring.num = 256;
	ring.desc = fph_memory_get_host(g.memory, GUEST_OUTSIDE, 4096);
	ck_assert_ptr_null(ring.desc);
	ck_assert_int_eq(fph_balloon_ring_start(g.balloon, 0, &ring),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_process(g.balloon, 99, 1), FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_set_features(g.balloon, FPH_BIT(6)),
			 FPH_EINVAL);
	guest_check_recovery(&g, "bad set-up");
	guest_fini(&g);
}
END_TEST

/* QEMU: the ring is zeroed, then broken. */
START_TEST(report_of_its_own_ring)
{
	uint64_t gpa = REPORT * 0x10000;

	guest_boot_without(&g, GUEST_BIT(PAGE_POISON));
	offer(gpa, 0x10000, RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, REPORT, 9), 1);
	guest_settle(&g, REPORT);
	/* avail.idx is 0 again, which is a step back by one. */
	ck_assert(fph_balloon_is_broken(g.balloon) ||
		  fph_balloon_process(g.balloon, REPORT, 9) ==
		  FPH_PEER_AVAIL_INDEX);
	ck_assert_int_eq(guest_counters(&g).last_error, FPH_PEER_AVAIL_INDEX);
	guest_check_recovery(&g, "own ring");
	guest_fini(&g);
}
END_TEST

/* ------------------------------------------------------ inflate, deflate -- */

struct array_row {
	const char *input;
	uint64_t gpa;			/* of the array */
	uint32_t len;
	uint16_t flags;
	uint32_t pfn;			/* of its last entry */
	bool unmapped;
};

static const struct array_row array_row[] = {
	{ "page outside RAM", GUEST_BUFFERS, 8, 0, 0x40000, true },
	{ "page behind the last", GUEST_BUFFERS, 8, 0, 0x800, true },
	{ "last page frame", GUEST_BUFFERS, 8, 0, 0xffffffff, true },
	{ "array outside RAM", GUEST_OUTSIDE, 8, 0, 0x201, true },
	{ "array past the end", GUEST_BYTES - 4, 8, 0, 0x201, true },
	{ "writable", GUEST_BUFFERS, 8, RING_WRITE, 0x201, false },
	{ "half an entry", GUEST_BUFFERS, 6, 0, 0x201, false },
	{ "huge", GUEST_BUFFERS, 0x700000, 0, 0x201, false },
};

START_TEST(array_rows)
{
	const struct array_row *row = &array_row[_i];

	guest_boot_without(&g, GUEST_BIT(PAGE_POISON));
	guest_put(&g, GUEST_BUFFERS, 4, GOOD >> 12);
	guest_put(&g, GUEST_BUFFERS + 4, 4, row->pfn);
	for (uint32_t i = 0; i < 2; i++) {
		struct fph_balloon_queue_counters c;
		struct fph_run d;

		guest_offer_one(&g, i, row->gpa, row->len, row->flags);
		ck_assert_msg(fph_balloon_process(g.balloon, i, 9) == 1,
			      "%s", row->input);
		ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 0);
		fph_balloon_flush(g.balloon);
		c = guest_counters(&g).queue[i];
		ck_assert_uint_eq(guest_count_used(&g, i), 1);
		ck_assert_msg(c.unmapped == row->unmapped, "%s", row->input);
		ck_assert_msg(c.peer_errors == !row->unmapped, "%s",
			      row->input);
	}
	ck_assert_uint_eq(guest_counters(&g).deflated, 0);
	ck_assert_uint_eq(guest_counters(&g).inflate.refused, 1);
	ck_assert(!fph_balloon_is_broken(g.balloon));
	guest_fini(&g);
}
END_TEST

#define COUNT(a)	((int)(sizeof(a) / sizeof((a)[0])))

Suite *make_suite(void)
{
	Suite *s = suite_create("balloon hostile");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, report_rows, 0, COUNT(report_row));
	tcase_add_test(t, broken_keeps_what_was_taken);
	tcase_add_test(t, indirect_not_negotiated_breaks);
	tcase_add_test(t, report_not_negotiated_is_left_alone);
	tcase_add_test(t, bad_set_up_is_refused);
	tcase_add_test(t, report_of_its_own_ring);
	tcase_add_loop_test(t, array_rows, 0, COUNT(array_row));
	suite_add_tcase(s, t);
	return s;
}
