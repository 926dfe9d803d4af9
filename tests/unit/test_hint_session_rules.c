/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The rules that the hint session enforces (D1 to D5, D10), one by one. */
#include <stdlib.h>
#include <string.h>

#include "hint_fixture.h"
#include "runner.h"

START_TEST(init_refused)
{
	const struct fph_hint_session_params fine = {
		.size = sizeof(fine), .max_ranges = NRANGES,
		.max_buffers = NBUFFERS
	};
	static const struct fph_hint_session_params bad[] = {
		{ .size = 0 },
		{ .size = sizeof(fine), .max_ranges = (1u << 28) + 1 },
		{ .size = sizeof(fine), .max_buffers = 0x80000000u },
		{ .size = sizeof(fine), .max_ranges = 8, .granule = 3 },
		{ .size = sizeof(fine), .max_ranges = 8, .first_id = 1 }
	};
	struct fph_hint_session *s = (void *)&fine;
	size_t size = fph_hint_session_size(&fine), i;
	struct fixture f, before;

	memset(&f, 0x5a, sizeof(f));
	memcpy(&before, &f, sizeof(f));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_uint_eq(fph_hint_session_size(&bad[i]), 0);
		ck_assert_int_eq(fph_hint_session_init(&s, f.memory,
						       sizeof(f.memory),
						       &bad[i]), FPH_EINVAL);
	}
	ck_assert_uint_eq(fph_hint_session_size(NULL), 0);
	ck_assert_int_eq(fph_hint_session_init(NULL, f.memory,
					       sizeof(f.memory), &fine),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_init(&s, NULL, size, &fine),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_init(&s, f.memory, size, NULL),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_init(&s, f.memory, size - 1, &fine),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_init(&s, (uint8_t *)f.memory + 4,
					       size, &fine), FPH_EINVAL);
	ck_assert_ptr_eq(s, (void *)&fine);
	ck_assert_mem_eq(&before, &f, sizeof(f));
	ck_assert_int_eq(fph_hint_session_init(&s, f.memory, size, &fine),
			 FPH_OK);
}
END_TEST

START_TEST(the_macro_is_enough)
{
	struct fph_hint_session_params p = { .size = sizeof(p) };
	uint32_t n;

	ck_assert_uint_gt(fph_hint_session_size(&p), 0);
	ck_assert_uint_ge(FPH_HINT_SESSION_SIZE(4096, 2048),
			  fph_hint_session_size(&p));
	for (n = 1; n < 3000; n++) {
		p.max_ranges = n;
		p.max_buffers = 1 + n / 2;
		ck_assert_uint_ge(FPH_HINT_SESSION_SIZE(n, 1 + n / 2),
				  fph_hint_session_size(&p));
	}
}
END_TEST

static void check_uninit(struct fph_hint_session *s)
{
	struct fph_buffer b = { .cookie = 1, .nwrite = 2 };
	struct fph_run run = { 0 };
	struct fph_hint_counters n;
	struct fph_used used;
	uint32_t id = 99, buffers = 1, segs = 1;

	ck_assert_int_eq(fph_hint_session_reset(s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_set_endian(s, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_restore(s, 2), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_sync_begin(s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_sync_end(s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_request(s, &id), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_stop(s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_done(s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_add(s, &b, 1, hints), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_next(s, &run, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_complete(s, &run, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_take_used(s, &used, 1),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_get_state(s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_get_error(s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_get_counters(s, &n, sizeof(n)),
			 FPH_EUNINIT);
	ck_assert_uint_eq(fph_hint_session_get_config(s),
			  VIRTIO_BALLOON_CMD_ID_STOP);
	ck_assert_uint_eq(fph_hint_session_get_id(s), 0);
	ck_assert_uint_eq(fph_hint_session_get_outstanding(s), 0);
	fph_hint_session_get_room(s, &buffers, &segs);
	ck_assert_uint_eq(buffers, 0);
	ck_assert_uint_eq(segs, 0);
	ck_assert_uint_eq(id, 99);
}

START_TEST(not_initialised)
{
	struct fixture f, zero;

	memset(&f, 0, sizeof(f));
	memset(&zero, 0, sizeof(zero));
	check_uninit((void *)f.memory);
	ck_assert_mem_eq(&f, &zero, sizeof(f));
	check_uninit(NULL);
}
END_TEST

START_TEST(nothing_is_no_batch)
{
	struct fph_hint_counters n;
	struct fph_used used;
	struct fixture f;

	init(&f, ID);
	ck_assert_int_eq(fph_hint_session_add(f.s, NULL, 0, NULL),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_next(f.s, &f.run, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_complete(f.s, &f.run, 0),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_take_used(f.s, &used, 0),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_get_counters(f.s, NULL, 8),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_get_counters(f.s, &n, 0),
			 FPH_EINVAL);
}
END_TEST

/* A stream in one batch: its command, its hints, its end; and what follows. */
START_TEST(many_in_one_call)
{
	static const struct fph_seg segs[] = {
		{ 0x800, 4, 0 },
		{ 0x20000, 0x1000, FPH_SEG_WRITE },
		{ 0x30000, 0x1000, FPH_SEG_WRITE },
		{ 0x800, 4, 0 }, { 0x10000, 0x1000, FPH_SEG_WRITE },
		{ 0x40000, 0x1000, FPH_SEG_WRITE }
	};
	struct fph_buffer b[] = {
		{ .cookie = 1, .nread = 1 },
		{ .cookie = 2, .nwrite = 2 },
		{ .cookie = 3, .nread = 1, .nwrite = 1 },
		{ .cookie = 4, .nwrite = 1 },
		{ .cookie = 5, .nwrite = 1 }
	};
	struct fph_used used[5];
	struct fph_run runs[4];
	struct fixture f;

	init(&f, ID);
	dirty_sync(&f);
	request(&f);
	fph_cmd_id_encode(b[0].command, f.id, FPH_LE);
	fph_cmd_id_encode(b[2].command, VIRTIO_BALLOON_CMD_ID_STOP, FPH_LE);
	/* Room for four buffers. */
	ck_assert_int_eq(fph_hint_session_add(f.s, b, 5, segs), 4);
	ck_assert_int_eq(fph_hint_session_add(f.s, b + 4, 1, segs + 5),
			 FPH_EFULL);
	expect_state(&f, FPH_HINT_STOPPED);
	ck_assert_int_eq(fph_hint_session_next(f.s, runs, 4), 2);
	ck_assert_uint_eq(runs[0].gpa, 0x20000);
	ck_assert_uint_eq(runs[1].gpa, 0x30000);
	ck_assert_uint_eq(runs[0].queue, FPH_QUEUE_HINT);
	runs[0].outcome = runs[1].outcome = FPH_OUTCOME_CLEARED;
	runs[0].freed = 0x1000;
	runs[1].freed = 0x800;
	ck_assert_int_eq(fph_hint_session_complete(f.s, runs, 2), 2);
	ck_assert_int_eq(fph_hint_session_take_used(f.s, used, 5), 4);
	ck_assert_uint_eq(used[0].cookie, 1);
	ck_assert_uint_eq(used[0].outcome, FPH_OUTCOME_COMMAND);
	/* It ended the round, but its hint was ignored. */
	ck_assert_uint_eq(used[1].cookie, 3);
	ck_assert_uint_eq(used[1].outcome, FPH_OUTCOME_SKIPPED);
	ck_assert_uint_eq(used[1].reason, FPH_SKIP_STALE);
	ck_assert_uint_eq(used[2].cookie, 4);
	ck_assert_uint_eq(used[2].outcome, FPH_OUTCOME_SKIPPED);
	ck_assert_uint_eq(used[3].cookie, 2);
	ck_assert_uint_eq(used[3].outcome, FPH_OUTCOME_CLEARED);
	ck_assert_uint_eq(used[3].freed, 0x1800);
	ck_assert_uint_eq(counters(&f).bytes_cleared, 0x1800);
	ck_assert_uint_eq(counters(&f).buffers, 4);
	ck_assert_uint_eq(counters(&f).returned, 4);
}
END_TEST

/* A saved or migrated session: the ids go on, the old stream is ignored. */
START_TEST(restore_goes_on_with_the_ids)
{
	struct fixture f;

	init(&f, ID);
	ck_assert_uint_eq(fph_hint_session_get_id(f.s), 0);
	ck_assert_int_eq(fph_hint_session_restore(f.s, 0), FPH_OK);
	expect_state(&f, FPH_HINT_DONE);
	ck_assert_uint_eq(fph_hint_session_get_id(f.s), 0);
	/* No dirty log survives: a sync is needed all the same. */
	ck_assert_int_eq(fph_hint_session_request(f.s, &f.id), FPH_ESTATE);
	dirty_sync(&f);
	request(&f);
	ck_assert_uint_eq(f.id, ID);
	ck_assert_uint_eq(fph_hint_session_get_id(f.s), ID);

	init(&f, ID);
	ck_assert_int_eq(fph_hint_session_restore(f.s, 77), FPH_OK);
	ck_assert_uint_eq(fph_hint_session_get_id(f.s), 77);
	ck_assert_uint_eq(fph_hint_session_get_config(f.s),
			  VIRTIO_BALLOON_CMD_ID_DONE);
	ck_assert_int_eq(add(&f, 1, 77, hints, 2), 1);
	expect_used(&f, 1, FPH_OUTCOME_SKIPPED, FPH_SKIP_STALE);
	dirty_sync(&f);
	request(&f);
	ck_assert_uint_eq(f.id, 78);
	ck_assert_int_eq(add(&f, 2, 77, hints, 2), 1);
	expect_used(&f, 2, FPH_OUTCOME_SKIPPED, FPH_SKIP_STALE);
	expect_state(&f, FPH_HINT_REQUESTED);
	ck_assert_uint_eq(fph_hint_session_get_id(f.s), 78);

	init(&f, ID);
	ck_assert_int_eq(fph_hint_session_restore(f.s, 0xffffffff), FPH_OK);
	dirty_sync(&f);
	ck_assert_int_eq(fph_hint_session_request(f.s, &f.id),
			 FPH_EEXHAUSTED);
}
END_TEST

START_TEST(hints_that_are_left_alone)
{
	static const struct fph_seg segs[] = {
		{ 0x10000, 0x1000, FPH_SEG_WRITE | FPH_SEG_SKIP },
		{ 0x20000, 0x1000, FPH_SEG_WRITE }
	};
	struct fixture f;

	init(&f, ID);
	make_active(&f);
	ck_assert_int_eq(add_raw(&f, 5, NULL, 0, 4, segs, 2), 1);
	ck_assert_int_eq(next(&f, &f.run), 1);
	ck_assert_uint_eq(f.run.gpa, 0x20000);
	ck_assert_int_eq(complete_as(&f, f.run, FPH_OUTCOME_CLEARED), 1);
	expect_used(&f, 5, FPH_OUTCOME_SKIPPED, FPH_SKIP_EMBEDDER);
	ck_assert_uint_eq(counters(&f).hints, 1);
	ck_assert_uint_eq(counters(&f).bytes, 0x1000);
	ck_assert_uint_eq(counters(&f).ignored, 1);
	ck_assert_uint_eq(counters(&f).bytes_ignored, 0x1000);
}
END_TEST

/* A command in more than one piece is one command. */
START_TEST(a_command_in_pieces)
{
	uint8_t command[4];
	uint32_t piece;
	struct fixture f;

	for (piece = 1; piece <= 4; piece++) {
		init(&f, ID);
		dirty_sync(&f);
		request(&f);
		fph_cmd_id_encode(command, f.id, FPH_LE);
		ck_assert_int_eq(add_raw(&f, 1, command, 4, piece, NULL, 0),
				 1);
		expect_state(&f, FPH_HINT_ACTIVE);
		expect_used(&f, 1, FPH_OUTCOME_COMMAND, 0);
	}
}
END_TEST

/* D4C: issue, stop, sync; only then the START with that id is popped. */
START_TEST(a_late_start_never_starts)
{
	struct fixture f;

	init(&f, ID);
	dirty_sync(&f);
	request(&f);
	dirty_sync(&f);
	ck_assert_int_eq(add(&f, 1, f.id, hints, 2), 1);
	ck_assert_int_eq(next(&f, &f.run), 0);
	expect_used(&f, 1, FPH_OUTCOME_SKIPPED, FPH_SKIP_STALE);
	request(&f);
	ck_assert_uint_eq(f.id, ID + 1);
	ck_assert_int_eq(add(&f, 2, ID, hints, 2), 1);
	expect_used(&f, 2, FPH_OUTCOME_SKIPPED, FPH_SKIP_STALE);
	expect_state(&f, FPH_HINT_REQUESTED);
}
END_TEST

/* The driver ends its stream: what came before its STOP still counts. */
START_TEST(hints_before_stop_count)
{
	struct fixture f;
	struct fph_run second;

	init(&f, ID);
	make_active(&f);
	ck_assert_int_eq(add_hints(&f, 5, 2), 1);
	ck_assert_int_eq(add(&f, 6, VIRTIO_BALLOON_CMD_ID_STOP, NULL, 0), 1);
	expect_state(&f, FPH_HINT_STOPPED);
	expect_used(&f, 6, FPH_OUTCOME_COMMAND, 0);
	ck_assert_int_eq(fph_hint_session_request(f.s, &f.id), FPH_EBUSY);
	ck_assert_int_eq(next(&f, &f.run), 1);
	ck_assert_uint_eq(f.run.gpa, 0x10000);
	ck_assert_int_eq(next(&f, &second), 1);
	ck_assert_uint_eq(second.gpa, 0x20000);
	ck_assert_int_eq(complete_as(&f, second, FPH_OUTCOME_CLEARED), 1);
	expect_no_used(&f);
	ck_assert_int_eq(complete_as(&f, f.run, FPH_OUTCOME_FAILED), 1);
	expect_used(&f, 5, FPH_OUTCOME_FAILED, 0);
	ck_assert_uint_eq(counters(&f).bytes_cleared, 0x2000);
	ck_assert_uint_eq(counters(&f).failed_runs, 1);
	request(&f);
}
END_TEST

/* D2, D3: the host's barrier drops what waits and waits for what is out. */
START_TEST(a_barrier_waits_for_runs_only)
{
	struct fixture f;

	init(&f, ID);
	make_active(&f);
	hand_out(&f);
	ck_assert_int_eq(add_hints(&f, 5, 1), 1);
	ck_assert_int_eq(fph_hint_session_sync_begin(f.s), FPH_EINPROGRESS);
	ck_assert_int_eq(fph_hint_session_sync_end(f.s), FPH_ESTATE);
	expect_used(&f, 5, FPH_OUTCOME_SKIPPED, FPH_SKIP_ROUND_OVER);
	expect_no_used(&f);
	ck_assert_int_eq(add_hints(&f, 6, 1), 1);
	expect_used(&f, 6, FPH_OUTCOME_SKIPPED, FPH_SKIP_STALE);
	ck_assert_int_eq(complete_as(&f, f.run, FPH_OUTCOME_CLEARED), 1);
	/* One of its hints was done and one was dropped. */
	expect_used(&f, 2, FPH_OUTCOME_SKIPPED, FPH_SKIP_ROUND_OVER);
	ck_assert_int_eq(fph_hint_session_sync_begin(f.s), FPH_OK);
	expect_state(&f, FPH_HINT_IDLE);
	ck_assert_int_eq(fph_hint_session_sync_end(f.s), FPH_OK);
	ck_assert_uint_eq(counters(&f).hints, 3);
	ck_assert_uint_eq(counters(&f).dropped, 2);
	ck_assert_uint_eq(counters(&f).bytes_dropped, 0x3000);
	ck_assert_uint_eq(counters(&f).ignored, 1);
	ck_assert_uint_eq(counters(&f).bytes_cleared, 0x1000);
	request(&f);
}
END_TEST

START_TEST(a_failure_outweighs_a_drop)
{
	struct fixture f;

	init(&f, ID);
	make_active(&f);
	hand_out(&f);
	ck_assert_int_eq(fph_hint_session_done(f.s), FPH_EINPROGRESS);
	ck_assert_int_eq(complete_as(&f, f.run, FPH_OUTCOME_FAILED), 1);
	expect_used(&f, 2, FPH_OUTCOME_FAILED, 0);
	ck_assert_int_eq(fph_hint_session_stop(f.s), FPH_OK);
	expect_state(&f, FPH_HINT_DONE);
	/* The other way round: the drop comes after the failure. */
	request(&f);
	start(&f);
	hand_out(&f);
	ck_assert_int_eq(complete_as(&f, f.run, FPH_OUTCOME_FAILED), 1);
	expect_no_used(&f);
	ck_assert_int_eq(fph_hint_session_stop(f.s), FPH_OK);
	expect_used(&f, 2, FPH_OUTCOME_FAILED, 0);
}
END_TEST

/* D1: no id without a sync since init or reset, nor inside of one. */
START_TEST(an_id_needs_a_sync)
{
	struct fixture f;

	init(&f, ID);
	ck_assert_int_eq(fph_hint_session_request(f.s, &f.id), FPH_ESTATE);
	ck_assert_int_eq(fph_hint_session_sync_begin(f.s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_request(f.s, &f.id), FPH_ESTATE);
	ck_assert_int_eq(fph_hint_session_sync_end(f.s), FPH_OK);
	request(&f);
	ck_assert_int_eq(fph_hint_session_reset(f.s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_request(f.s, &f.id), FPH_ESTATE);
	/* The host's own sync does not end when the guest resets. */
	ck_assert_int_eq(fph_hint_session_sync_begin(f.s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_reset(f.s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_request(f.s, &f.id), FPH_ESTATE);
	ck_assert_int_eq(fph_hint_session_sync_end(f.s), FPH_OK);
	request(&f);
}
END_TEST

/* D5: ids count up over resets, and begin again only once they are spent. */
START_TEST(ids_are_never_reissued)
{
	struct fixture f;

	init(&f, 0xfffffffd);
	dirty_sync(&f);
	request(&f);
	ck_assert_uint_eq(f.id, 0xfffffffd);
	ck_assert_int_eq(fph_hint_session_stop(f.s), FPH_OK);
	request(&f);
	ck_assert_uint_eq(f.id, 0xfffffffe);
	ck_assert_int_eq(fph_hint_session_reset(f.s), FPH_OK);
	dirty_sync(&f);
	request(&f);
	ck_assert_uint_eq(f.id, 0xffffffff);
	ck_assert_int_eq(fph_hint_session_done(f.s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_request(f.s, &f.id),
			 FPH_EEXHAUSTED);
	ck_assert_int_eq(fph_hint_session_reset(f.s), FPH_OK);
	dirty_sync(&f);
	request(&f);
	ck_assert_uint_eq(f.id, VIRTIO_BALLOON_CMD_ID_MIN);
	ck_assert_uint_eq(counters(&f).rounds, 4);
}
END_TEST

START_TEST(a_legacy_guest_of_the_other_byte_order)
{
	static const uint8_t le[] = { 0x01, 0x00, 0x00, 0x80 };
	static const uint8_t be[] = { 0x80, 0x00, 0x00, 0x01 };
	struct fixture f;

	init(&f, ID);
	ck_assert_int_eq(fph_hint_session_set_endian(f.s, FPH_BE), FPH_OK);
	dirty_sync(&f);
	request(&f);
	ck_assert_int_eq(add_raw(&f, 1, le, 4, 4, NULL, 0), 1);
	expect_state(&f, FPH_HINT_REQUESTED);
	ck_assert_int_eq(add_raw(&f, 1, be, 4, 4, NULL, 0), 1);
	expect_state(&f, FPH_HINT_ACTIVE);
	/* Reset renegotiates: little-endian until told otherwise. */
	ck_assert_int_eq(fph_hint_session_reset(f.s), FPH_OK);
	dirty_sync(&f);
	request(&f);
	ck_assert_int_eq(add(&f, 1, f.id, NULL, 0), 1);
	expect_state(&f, FPH_HINT_ACTIVE);
}
END_TEST

START_TEST(a_broken_session_still_returns_buffers)
{
	struct fixture f;

	init(&f, ID);
	make_active(&f);
	hand_out(&f);
	/* Bad in its second part: its STOP has no effect either. */
	ck_assert_int_eq(add(&f, 5, VIRTIO_BALLOON_CMD_ID_STOP, readable, 2),
			 1);
	ck_assert_int_eq(fph_hint_session_get_error(f.s), FPH_PEER_DIRECTION);
	expect_state(&f, FPH_HINT_STOPPING);
	ck_assert_uint_eq(counters(&f).stops, 0);
	expect_used(&f, 5, FPH_OUTCOME_REFUSED, 0);
	ck_assert_int_eq(add(&f, 6, f.id, hints, 2), 1);
	expect_used(&f, 6, FPH_OUTCOME_SKIPPED, FPH_SKIP_STALE);
	ck_assert_int_eq(add_raw(&f, 7, NULL, 1, 4, NULL, 0), 1);
	ck_assert_int_eq(fph_hint_session_get_error(f.s), FPH_PEER_DIRECTION);
	expect_used(&f, 7, FPH_OUTCOME_REFUSED, 0);
	ck_assert_int_eq(complete_as(&f, f.run, FPH_OUTCOME_CLEARED), 1);
	expect_used(&f, 2, FPH_OUTCOME_SKIPPED, FPH_SKIP_ROUND_OVER);
	ck_assert_int_eq(fph_hint_session_done(f.s), FPH_OK);
	ck_assert_uint_eq(fph_hint_session_get_config(f.s),
			  VIRTIO_BALLOON_CMD_ID_DONE);
	dirty_sync(&f);
	ck_assert_int_eq(fph_hint_session_request(f.s, &f.id),
			 FPH_PEER_BROKEN);
	ck_assert_uint_eq(counters(&f).peer_errors, 2);
	ck_assert_int_eq(fph_hint_session_reset(f.s), FPH_OK);
	dirty_sync(&f);
	request(&f);
}
END_TEST

START_TEST(room_and_refuse)
{
	struct fixture f;

	init(&f, ID);
	make_active(&f);
	expect_room(&f, NBUFFERS, NRANGES);
	ck_assert_int_eq(add_hints(&f, 5, 2), 1);
	expect_room(&f, NBUFFERS - 1, NRANGES - 2);
	/* What the embedder refuses does not end the round. */
	ck_assert_int_eq(refuse(&f, 6), 1);
	expect_state(&f, FPH_HINT_ACTIVE);
	expect_used(&f, 6, FPH_OUTCOME_REFUSED, 0);
	ck_assert_int_eq(fph_hint_session_get_error(f.s), FPH_OK);
	ck_assert_int_eq(next(&f, &f.run), 1);
	ck_assert_uint_eq(fph_hint_session_get_outstanding(f.s), 1);
	/* Refusing takes room like any other. */
	while (refuse(&f, 7) == 1)
		;
	expect_room(&f, 0, NRANGES - 2);
	ck_assert_int_eq(refuse(&f, 8), FPH_EFULL);
	/* No room for hints, of which a START would have counted. */
	init(&f, ID);
	make_active(&f);
	ck_assert_int_eq(add_hints(&f, 1, 2), 1);
	ck_assert_int_eq(add_hints(&f, 2, 2), 1);
	ck_assert_int_eq(add_raw(&f, 3, NULL, 0, 4, (struct fph_seg[]){
		hints[0], hints[0], hints[0], hints[0], hints[0] }, 5),
			 FPH_EFULL);
	expect_room(&f, NBUFFERS - 2, NRANGES - 4);
	ck_assert_uint_eq(counters(&f).buffers, 3);
	ck_assert_uint_eq(counters(&f).hints, 4);
}
END_TEST

START_TEST(crumbs_are_trimmed)
{
	static const struct fph_seg segs[] = {
		{ 0x1800, 0x1000, FPH_SEG_WRITE },
		{ 0x3000, 0x1001, FPH_SEG_WRITE },
		{ 0x3000, 0x1000, FPH_SEG_WRITE }
	};
	struct fixture f;

	init(&f, ID);
	make_active(&f);
	ck_assert_int_eq(add_raw(&f, 5, NULL, 0, 4, segs, 3), 1);
	ck_assert_int_eq(next(&f, &f.run), 1);
	ck_assert_uint_eq(f.run.gpa, 0x3000);
	ck_assert_uint_eq(f.run.len, 0x1000);
	ck_assert_uint_eq(counters(&f).bytes_trimmed, 0x1001);
	ck_assert_uint_eq(counters(&f).bytes_overlap, 0x1000);
	ck_assert_int_eq(complete_as(&f, f.run, FPH_OUTCOME_CLEARED), 1);
	expect_used(&f, 5, FPH_OUTCOME_TRIMMED, 0);
}
END_TEST

RUNNER_SUITE("hint_session_rules",
	     init_refused,
	     the_macro_is_enough,
	     not_initialised,
	     nothing_is_no_batch,
	     many_in_one_call,
	     restore_goes_on_with_the_ids,
	     hints_that_are_left_alone,
	     a_command_in_pieces,
	     a_late_start_never_starts,
	     hints_before_stop_count,
	     a_barrier_waits_for_runs_only,
	     a_failure_outweighs_a_drop,
	     an_id_needs_a_sync,
	     ids_are_never_reissued,
	     a_legacy_guest_of_the_other_byte_order,
	     a_broken_session_still_returns_buffers,
	     room_and_refuse,
	     crumbs_are_trimmed)
