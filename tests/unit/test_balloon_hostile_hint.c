/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The balloon device and a hostile hint queue.  Every row says what came, what
 * QEMU 7.2 makes of it, and what this device does; after every row a reset
 * makes a working device again.
 */
#include <stdlib.h>

#include "balloon_fixture.h"
#include "runner.h"

#define HINT	3u
#define REPORT	4u
#define GOOD	GUEST_GOOD

static struct guest g;

struct hint_row {
	const char *input;
	const char *qemu;
	int before;			/* state: IDLE, REQUESTED, ACTIVE */
	struct guest_seg segs[3];
	uint32_t n;
	uint32_t word;			/* at GUEST_BUFFERS */
	int result;			/* of process */
	int after;
	uint64_t gpa, len;		/* skipped */
	uint32_t unmapped, peer_errors;
};

#define ID	VIRTIO_BALLOON_CMD_ID_MIN
#define IN(gpa, len)	{ (gpa), (len), RING_WRITE }
#define OUT(gpa, len)	{ (gpa), (len), 0 }

static const struct hint_row hint_row[] = {
	{ "wrong id", "consumed, nothing skipped", FPH_HINT_REQUESTED,
	  { OUT(GUEST_BUFFERS, 4) }, 1, ID + 1, 1, FPH_HINT_REQUESTED,
	  0, 0, 0, 0 },
	{ "stale id", "consumed, nothing skipped", FPH_HINT_REQUESTED,
	  { OUT(GUEST_BUFFERS, 4) }, 1, ID - 1, 1, FPH_HINT_REQUESTED,
	  0, 0, 0, 0 },
	{ "id 0", "consumed, nothing skipped", FPH_HINT_REQUESTED,
	  { OUT(GUEST_BUFFERS, 4) }, 1, 0, 1, FPH_HINT_REQUESTED, 0, 0, 0, 0 },
	{ "id outside RAM", "consumed, nothing skipped", FPH_HINT_REQUESTED,
	  { OUT(GUEST_OUTSIDE, 4) }, 1, ID, 1, FPH_HINT_REQUESTED,
	  0, 0, 1, 0 },
	{ "id partly outside RAM", "not tried", FPH_HINT_REQUESTED,
	  { OUT(GUEST_BYTES - 2, 4) }, 1, ID, 1, FPH_HINT_REQUESTED,
	  0, 0, 1, 0 },
	{ "good id, but a hint outside RAM in the same buffer", "not tried",
	  FPH_HINT_REQUESTED,
	  { OUT(GUEST_BUFFERS, 4), IN(GUEST_OUTSIDE, GUEST_PAGE) }, 2, ID, 1,
	  FPH_HINT_REQUESTED, 0, 0, 1, 0 },
	{ "hint without a request", "consumed, ignored", FPH_HINT_IDLE,
	  { IN(GOOD, GUEST_PAGE) }, 1, 0, 1, FPH_HINT_IDLE, 0, 0, 0, 0 },
	{ "hint before START", "consumed, ignored", FPH_HINT_REQUESTED,
	  { IN(GOOD, GUEST_PAGE) }, 1, 0, 1, FPH_HINT_REQUESTED, 0, 0, 0, 0 },
	{ "START without a request", "consumed, ignored", FPH_HINT_IDLE,
	  { OUT(GUEST_BUFFERS, 4) }, 1, ID, 1, FPH_HINT_IDLE, 0, 0, 0, 0 },
	{ "START twice", "STOP", FPH_HINT_ACTIVE,
	  { OUT(GUEST_BUFFERS, 4) }, 1, ID, 1, FPH_HINT_STOPPED, 0, 0, 0, 0 },
	{ "2-byte id", "broken", FPH_HINT_REQUESTED,
	  { OUT(GUEST_BUFFERS, 2) }, 1, ID, FPH_PEER_CMD_LEN, FPH_HINT_IDLE,
	  0, 0, 0, 1 },
	{ "8-byte id", "first 4 used", FPH_HINT_REQUESTED,
	  { OUT(GUEST_BUFFERS, 8) }, 1, ID, FPH_PEER_CMD_LEN, FPH_HINT_IDLE,
	  0, 0, 0, 1 },
	{ "4 KiB id: a hint the wrong way round", "first 4 used",
	  FPH_HINT_ACTIVE, { OUT(GOOD, GUEST_PAGE) }, 1, 0, FPH_PEER_CMD_LEN,
	  FPH_HINT_IDLE, 0, 0, 0, 1 },
	{ "2-byte id and a hint", "broken", FPH_HINT_REQUESTED,
	  { OUT(GUEST_BUFFERS, 2), IN(GOOD, GUEST_PAGE) }, 2, ID,
	  FPH_PEER_CMD_LEN, FPH_HINT_IDLE, 0, 0, 0, 1 },
	{ "2-byte id and a hint outside RAM", "not tried", FPH_HINT_ACTIVE,
	  { OUT(GUEST_BUFFERS, 2), IN(GUEST_OUTSIDE, GUEST_PAGE) }, 2, ID,
	  FPH_PEER_CMD_LEN, FPH_HINT_IDLE, 0, 0, 0, 1 },
	{ "writable 4 bytes: a command the wrong way round", "no page skipped",
	  FPH_HINT_REQUESTED, { IN(GUEST_BUFFERS, 4) }, 1, ID, 1,
	  FPH_HINT_REQUESTED, 0, 0, 0, 0 },
	{ "id in two pieces", "not tried", FPH_HINT_REQUESTED,
	  { OUT(GUEST_BUFFERS, 1), OUT(GUEST_BUFFERS + 1, 3) }, 2, ID, 1,
	  FPH_HINT_ACTIVE, 0, 0, 0, 0 },
	{ "id and hint in one buffer", "both obeyed", FPH_HINT_REQUESTED,
	  { OUT(GUEST_BUFFERS, 4), IN(GOOD, GUEST_PAGE) }, 2, ID, 1,
	  FPH_HINT_ACTIVE, GOOD, GUEST_PAGE, 0, 0 },
	{ "zero length", "broken", FPH_HINT_ACTIVE, { IN(GOOD, 0) }, 1, 0,
	  FPH_PEER_ZERO_LEN, FPH_HINT_IDLE, 0, 0, 0, 1 },
	{ "2 MiB outside RAM", "broken", FPH_HINT_ACTIVE,
	  { IN(GUEST_OUTSIDE, 0x200000) }, 1, 0, 1, FPH_HINT_ACTIVE,
	  0, 0, 1, 0 },
	{ "4 KiB outside RAM", "message on stderr, goes on", FPH_HINT_ACTIVE,
	  { IN(GUEST_OUTSIDE, GUEST_PAGE) }, 1, 0, 1, FPH_HINT_ACTIVE,
	  0, 0, 1, 0 },
	{ "outside RAM behind a good one", "not tried", FPH_HINT_ACTIVE,
	  { IN(GOOD, GUEST_PAGE), IN(GUEST_OUTSIDE, GUEST_PAGE) }, 2, 0, 1,
	  FPH_HINT_ACTIVE, 0, 0, 1, 0 },
	{ "whole RAM in one descriptor", "fine", FPH_HINT_ACTIVE,
	  { IN(0, GUEST_BYTES) }, 1, 0, 1, FPH_HINT_ACTIVE,
	  0, GUEST_BYTES, 0, 0 },
	{ "100 bytes", "no page skipped", FPH_HINT_ACTIVE, { IN(GOOD, 100) },
	  1, 0, 1, FPH_HINT_ACTIVE, 0, 0, 0, 0 },
	{ "unaligned start", "whole pages skipped", FPH_HINT_ACTIVE,
	  { IN(GOOD + 0x800, 3 * GUEST_PAGE) }, 1, 0, 1, FPH_HINT_ACTIVE,
	  GOOD + GUEST_PAGE, 2 * GUEST_PAGE, 0, 0 },
	{ "wraps 2^64", "not tried", FPH_HINT_ACTIVE,
	  { IN(0 - (uint64_t)GUEST_PAGE, 2 * GUEST_PAGE) }, 1, 0,
	  FPH_PEER_WRAP, FPH_HINT_IDLE, 0, 0, 0, 1 },
};

static void reach(int state)
{
	uint32_t id;

	guest_boot_without(&g, GUEST_BIT(PAGE_POISON));
	ck_assert_int_eq(fph_balloon_hint_sync_begin(g.balloon), FPH_OK);
	ck_assert_int_eq(fph_balloon_hint_sync_end(g.balloon), FPH_OK);
	if (state == FPH_HINT_IDLE)
		return;
	ck_assert_int_eq(fph_balloon_hint_request(g.balloon, &id), FPH_OK);
	ck_assert_uint_eq(id, ID);
	if (state == FPH_HINT_REQUESTED)
		return;
	guest_command(&g, HINT, id);
	ck_assert_int_eq(fph_balloon_process(g.balloon, HINT, 9), 1);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	g.used[HINT]++;
}

START_TEST(hint_rows)
{
	const struct hint_row *row = &hint_row[_i];
	struct fph_balloon_queue_counters c;
	struct fph_run d;
	struct fph_run run;
	int n;

	reach(row->before);
	guest_put(&g, GUEST_BUFFERS, 4, row->word);
	guest_offer(&g, HINT, row->segs, row->n);
	n = fph_balloon_process(g.balloon, HINT, 9);
	ck_assert_msg(n == row->result, "%s: %d (QEMU: %s)", row->input, n,
		      row->qemu);
	n = fph_balloon_hint_get_state(g.balloon);
	ck_assert_msg(n == row->after, "%s: state %d", row->input, n);
	/* Whatever came: a hint is never a discard. */
	ck_assert_int_eq(fph_balloon_next(g.balloon, &d, 1), 0);
	n = fph_balloon_hint_next(g.balloon, &run, 1);
	ck_assert_msg(n == !!row->len, "%s", row->input);
	if (n) {
		ck_assert_uint_eq(run.gpa, row->gpa);
		ck_assert_uint_eq(run.len, row->len);
		ck_assert_int_eq(complete_hint(g.balloon, &run,
							   true), FPH_OK);
	}
	fph_balloon_flush(g.balloon);
	/* What was popped comes back, broken or not. */
	n = row->result == 1 || row->result == FPH_PEER_CMD_LEN;
	ck_assert_msg(guest_count_used(&g, HINT) == n, "%s", row->input);
	c = guest_counters(&g).queue[FPH_QUEUE_HINT];
	ck_assert_msg(c.unmapped == row->unmapped, "%s", row->input);
	ck_assert_msg(c.peer_errors == row->peer_errors, "%s", row->input);
	ck_assert_int_eq(fph_balloon_is_broken(g.balloon), row->result < 0);
	guest_check_recovery(&g, row->input);
	guest_fini(&g);
}
END_TEST

/* A bad command ends the round and breaks the device; DONE is still told. */
START_TEST(bad_command_breaks_the_device)
{
	struct fph_run run;
	uint32_t id;

	reach(FPH_HINT_ACTIVE);
	fph_balloon_take_events(g.balloon);
	guest_offer_one(&g, HINT, GOOD, GUEST_PAGE, RING_WRITE);
	guest_offer_one(&g, HINT, GUEST_BUFFERS, 2, 0);
	guest_offer_one(&g, HINT, GOOD, GUEST_PAGE, RING_WRITE);
	/* The one before it was taken; the one behind it was not. */
	ck_assert_int_eq(fph_balloon_process(g.balloon, HINT, 9), 1);
	ck_assert_int_eq(guest_counters(&g).last_error, FPH_PEER_CMD_LEN);
	ck_assert_uint_eq(fph_balloon_take_events(g.balloon), FPH_EVENT_HINT |
			  FPH_EVENT_CONFIG | FPH_EVENT_BROKEN);
	ck_assert_uint_eq(fph_balloon_hint_get_config(g.balloon), 0);
	ck_assert_int_eq(fph_balloon_process(g.balloon, REPORT, 9),
			 FPH_PEER_BROKEN);
	ck_assert_int_eq(fph_balloon_hint_request(g.balloon, &id),
			 FPH_PEER_BROKEN);
	/* The hint before it was not handed out yet, and now it never is. */
	ck_assert_int_eq(fph_balloon_hint_next(g.balloon, &run, 1), 0);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 2);
	ck_assert_int_eq(fph_balloon_hint_done(g.balloon), FPH_OK);
	ck_assert_uint_eq(fph_balloon_hint_get_config(g.balloon),
			  VIRTIO_BALLOON_CMD_ID_DONE);
	guest_check_recovery(&g, "bad command");
	guest_fini(&g);
}
END_TEST

/* A round that was stopped does not begin again with its own id (D4C). */
START_TEST(stopped_id_does_not_start)
{
	struct fph_run run;

	reach(FPH_HINT_REQUESTED);
	ck_assert_int_eq(fph_balloon_hint_stop(g.balloon), FPH_OK);
	guest_command(&g, HINT, ID);
	guest_offer_one(&g, HINT, GOOD, GUEST_PAGE, RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, HINT, 9), 2);
	ck_assert_int_eq(fph_balloon_hint_next(g.balloon, &run, 1), 0);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 2);
	ck_assert_uint_eq(guest_counters(&g).hint.stale, 1);
	ck_assert_uint_eq(guest_counters(&g).hint.ignored, 1);
	guest_fini(&g);
}
END_TEST

#define COUNT(a)	((int)(sizeof(a) / sizeof((a)[0])))

Suite *make_suite(void)
{
	Suite *s = suite_create("balloon hostile hints");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, hint_rows, 0, COUNT(hint_row));
	tcase_add_test(t, bad_command_breaks_the_device);
	tcase_add_test(t, stopped_id_does_not_start);
	suite_add_tcase(s, t);
	return s;
}
