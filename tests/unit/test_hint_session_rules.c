/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The rules that the hint session enforces (D1 to D5, D10), one by one. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hint_fixture.h"

START_TEST(init_refused)
{
	struct fph_slot slots[2];
	struct fph_chain chains[2];
	const struct fph_storage no_slots = { slots, 0, chains, 2 };
	const struct fph_storage no_chains = { slots, 2, chains, 0 };
	const struct fph_storage fine = { slots, 2, chains, 2 };
	struct fph_hint_session s, before;

	memset(&s, 0x5a, sizeof(s));
	memcpy(&before, &s, sizeof(s));
	ck_assert_int_eq(fph_hint_session_init(&s, &no_slots, 1, 2),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_init(&s, &no_chains, 1, 2),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_init(&s, &fine, 3, 2), FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_init(&s, &fine, 1, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_hint_session_init(&s, &fine, 1, 1), FPH_EINVAL);
	ck_assert_mem_eq(&before, &s, sizeof(s));
}
END_TEST

START_TEST(zeroed_object)
{
	struct fph_hint_session s, zero;
	struct fph_hint_counters n;
	struct fph_chain_end end;
	struct fph_run run = { 0, 0, 0 };
	uint32_t id = 99;

	memset(&s, 0, sizeof(s));
	memset(&zero, 0, sizeof(zero));
	ck_assert_int_eq(fph_hint_session_reset(&s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_set_endian(&s, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_sync_begin(&s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_sync_end(&s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_request(&s, &id), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_stop(&s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_done(&s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_add(&s, 1, NULL, 0, hints, 2),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_refuse(&s, 1), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_next(&s, &run), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_complete(&s, &run, true),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_end(&s, &end), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_get_state(&s), FPH_EUNINIT);
	ck_assert_int_eq(fph_hint_session_get_counters(&s, &n), FPH_EUNINIT);
	ck_assert_uint_eq(fph_hint_session_get_config(&s),
			  VIRTIO_BALLOON_CMD_ID_STOP);
	ck_assert_uint_eq(fph_hint_session_get_outstanding(&s), 0);
	ck_assert(!fph_hint_session_is_room(&s, 0));
	ck_assert_uint_eq(id, 99);
	ck_assert_mem_eq(&s, &zero, sizeof(s));
}
END_TEST

/* D4c: issue, stop, harvest; only then the START with that id is popped. */
START_TEST(a_late_start_never_starts)
{
	struct fixture f;

	init(&f, ID);
	harvest(&f);
	request(&f);
	harvest(&f);
	ck_assert_int_eq(add(&f, 1, f.id, hints, 2), FPH_OK);
	ck_assert_int_eq(fph_hint_session_next(&f.s, &f.run), 0);
	expect_end(&f, 1, FPH_OUTCOME_IGNORED);
	request(&f);
	ck_assert_uint_eq(f.id, ID + 1);
	ck_assert_int_eq(add(&f, 2, ID, hints, 2), FPH_OK);
	expect_end(&f, 2, FPH_OUTCOME_IGNORED);
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
	ck_assert_int_eq(add_hints(&f, 5, 2), FPH_OK);
	ck_assert_int_eq(add(&f, 6, VIRTIO_BALLOON_CMD_ID_STOP, NULL, 0),
			 FPH_OK);
	expect_state(&f, FPH_HINT_STOPPED);
	expect_end(&f, 6, FPH_OUTCOME_DONE);
	ck_assert_int_eq(fph_hint_session_request(&f.s, &f.id), FPH_EBUSY);
	ck_assert_int_eq(fph_hint_session_next(&f.s, &f.run), 1);
	ck_assert_uint_eq(f.run.gpa, 0x10000);
	ck_assert_int_eq(fph_hint_session_next(&f.s, &second), 1);
	ck_assert_uint_eq(second.gpa, 0x20000);
	ck_assert_int_eq(fph_hint_session_complete(&f.s, &second, true),
			 FPH_OK);
	expect_no_end(&f);
	ck_assert_int_eq(fph_hint_session_complete(&f.s, &f.run, false),
			 FPH_OK);
	expect_end(&f, 5, FPH_OUTCOME_FAILED);
	ck_assert_uint_eq(counters(&f).bytes_done, 0x2000);
	ck_assert_uint_eq(counters(&f).failed, 1);
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
	ck_assert_int_eq(add_hints(&f, 5, 1), FPH_OK);
	ck_assert_int_eq(fph_hint_session_sync_begin(&f.s), FPH_EBUSY);
	ck_assert_int_eq(fph_hint_session_sync_end(&f.s), FPH_ESTATE);
	expect_end(&f, 5, FPH_OUTCOME_IGNORED);
	expect_no_end(&f);
	ck_assert_int_eq(add_hints(&f, 6, 1), FPH_OK);
	expect_end(&f, 6, FPH_OUTCOME_IGNORED);
	ck_assert_int_eq(fph_hint_session_complete(&f.s, &f.run, true),
			 FPH_OK);
	/* One of its hints was done and one was dropped. */
	expect_end(&f, 2, FPH_OUTCOME_IGNORED);
	ck_assert_int_eq(fph_hint_session_sync_begin(&f.s), FPH_OK);
	expect_state(&f, FPH_HINT_IDLE);
	ck_assert_int_eq(fph_hint_session_sync_end(&f.s), FPH_OK);
	ck_assert_uint_eq(counters(&f).hints, 3);
	ck_assert_uint_eq(counters(&f).dropped, 2);
	ck_assert_uint_eq(counters(&f).bytes_dropped, 0x3000);
	ck_assert_uint_eq(counters(&f).ignored, 1);
	ck_assert_uint_eq(counters(&f).bytes_done, 0x1000);
	request(&f);
}
END_TEST

START_TEST(a_failure_outweighs_a_drop)
{
	struct fixture f;

	init(&f, ID);
	make_active(&f);
	hand_out(&f);
	ck_assert_int_eq(fph_hint_session_done(&f.s), FPH_EBUSY);
	ck_assert_int_eq(fph_hint_session_complete(&f.s, &f.run, false),
			 FPH_OK);
	expect_end(&f, 2, FPH_OUTCOME_FAILED);
	ck_assert_int_eq(fph_hint_session_stop(&f.s), FPH_OK);
	expect_state(&f, FPH_HINT_DONE);
	/* The other way round: the drop comes after the failure. */
	request(&f);
	start(&f);
	hand_out(&f);
	ck_assert_int_eq(fph_hint_session_complete(&f.s, &f.run, false),
			 FPH_OK);
	expect_no_end(&f);
	ck_assert_int_eq(fph_hint_session_stop(&f.s), FPH_OK);
	expect_end(&f, 2, FPH_OUTCOME_FAILED);
}
END_TEST

/* D1: no id without a harvest since init or reset, nor inside of one. */
START_TEST(an_id_needs_a_harvest)
{
	struct fixture f;

	init(&f, ID);
	ck_assert_int_eq(fph_hint_session_request(&f.s, &f.id), FPH_ESTATE);
	ck_assert_int_eq(fph_hint_session_sync_begin(&f.s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_request(&f.s, &f.id), FPH_ESTATE);
	ck_assert_int_eq(fph_hint_session_sync_end(&f.s), FPH_OK);
	request(&f);
	ck_assert_int_eq(fph_hint_session_reset(&f.s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_request(&f.s, &f.id), FPH_ESTATE);
	/* A harvest of the host's does not end because the guest resets. */
	ck_assert_int_eq(fph_hint_session_sync_begin(&f.s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_reset(&f.s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_request(&f.s, &f.id), FPH_ESTATE);
	ck_assert_int_eq(fph_hint_session_sync_end(&f.s), FPH_OK);
	request(&f);
}
END_TEST

/* D5: ids count up over resets, and begin again only once they are spent. */
START_TEST(ids_are_never_reissued)
{
	struct fixture f;

	init(&f, 0xfffffffd);
	harvest(&f);
	request(&f);
	ck_assert_uint_eq(f.id, 0xfffffffd);
	ck_assert_int_eq(fph_hint_session_stop(&f.s), FPH_OK);
	request(&f);
	ck_assert_uint_eq(f.id, 0xfffffffe);
	ck_assert_int_eq(fph_hint_session_reset(&f.s), FPH_OK);
	harvest(&f);
	request(&f);
	ck_assert_uint_eq(f.id, 0xffffffff);
	ck_assert_int_eq(fph_hint_session_done(&f.s), FPH_OK);
	ck_assert_int_eq(fph_hint_session_request(&f.s, &f.id),
			 FPH_EEXHAUSTED);
	ck_assert_int_eq(fph_hint_session_reset(&f.s), FPH_OK);
	harvest(&f);
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
	ck_assert_int_eq(fph_hint_session_set_endian(&f.s, FPH_BE), FPH_OK);
	harvest(&f);
	request(&f);
	ck_assert_int_eq(fph_hint_session_add(&f.s, 1, le, 4, NULL, 0),
			 FPH_OK);
	expect_state(&f, FPH_HINT_REQUESTED);
	ck_assert_int_eq(fph_hint_session_add(&f.s, 1, be, 4, NULL, 0),
			 FPH_OK);
	expect_state(&f, FPH_HINT_ACTIVE);
	/* Reset renegotiates: little-endian until told otherwise. */
	ck_assert_int_eq(fph_hint_session_reset(&f.s), FPH_OK);
	harvest(&f);
	request(&f);
	ck_assert_int_eq(add(&f, 1, f.id, NULL, 0), FPH_OK);
	expect_state(&f, FPH_HINT_ACTIVE);
}
END_TEST

START_TEST(a_broken_session_still_returns_buffers)
{
	struct fixture f;

	init(&f, ID);
	make_active(&f);
	hand_out(&f);
	/* Bad in its second part: its STOP is not obeyed either. */
	ck_assert_int_eq(add(&f, 5, VIRTIO_BALLOON_CMD_ID_STOP, readable, 2),
			 FPH_PEER_DIRECTION);
	expect_state(&f, FPH_HINT_STOPPING);
	ck_assert_uint_eq(counters(&f).stops, 0);
	expect_end(&f, 5, FPH_OUTCOME_REFUSED);
	ck_assert_int_eq(add(&f, 6, f.id, hints, 2), FPH_OK);
	expect_end(&f, 6, FPH_OUTCOME_IGNORED);
	ck_assert_int_eq(fph_hint_session_add(&f.s, 7, "", 1, NULL, 0),
			 FPH_PEER_CMD_LEN);
	expect_end(&f, 7, FPH_OUTCOME_REFUSED);
	ck_assert_int_eq(fph_hint_session_complete(&f.s, &f.run, true),
			 FPH_OK);
	expect_end(&f, 2, FPH_OUTCOME_IGNORED);
	ck_assert_int_eq(fph_hint_session_done(&f.s), FPH_OK);
	ck_assert_uint_eq(fph_hint_session_get_config(&f.s),
			  VIRTIO_BALLOON_CMD_ID_DONE);
	harvest(&f);
	ck_assert_int_eq(fph_hint_session_request(&f.s, &f.id),
			 FPH_PEER_BROKEN);
	ck_assert_uint_eq(counters(&f).peer_errors, 2);
	ck_assert_int_eq(fph_hint_session_reset(&f.s), FPH_OK);
	harvest(&f);
	request(&f);
}
END_TEST

START_TEST(room_and_refuse)
{
	struct fixture f;
	uint32_t n;

	init(&f, ID);
	make_active(&f);
	for (n = 0; n <= NSLOTS; n++)
		ck_assert(fph_hint_session_is_room(&f.s, n));
	ck_assert(!fph_hint_session_is_room(&f.s, NSLOTS + 1));
	ck_assert_int_eq(add_hints(&f, 5, 2), FPH_OK);
	ck_assert(!fph_hint_session_is_room(&f.s, NSLOTS - 1));
	/* What the embedder refuses does not end the round. */
	ck_assert_int_eq(fph_hint_session_refuse(&f.s, 6), FPH_OK);
	expect_state(&f, FPH_HINT_ACTIVE);
	expect_end(&f, 6, FPH_OUTCOME_REFUSED);
	ck_assert_int_eq(fph_hint_session_next(&f.s, &f.run), 1);
	ck_assert_uint_eq(fph_hint_session_get_outstanding(&f.s), 1);
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
	ck_assert_int_eq(fph_hint_session_add(&f.s, 5, NULL, 0, segs, 3),
			 FPH_OK);
	ck_assert_int_eq(fph_hint_session_next(&f.s, &f.run), 1);
	ck_assert_uint_eq(f.run.gpa, 0x3000);
	ck_assert_uint_eq(f.run.len, 0x1000);
	ck_assert_uint_eq(counters(&f).bytes_trimmed, 0x1001);
	ck_assert_uint_eq(counters(&f).bytes_overlap, 0x1000);
	ck_assert_int_eq(fph_hint_session_complete(&f.s, &f.run, true),
			 FPH_OK);
	expect_end(&f, 5, FPH_OUTCOME_DONE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hint_session_rules");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, init_refused);
	tcase_add_test(tc, zeroed_object);
	tcase_add_test(tc, a_late_start_never_starts);
	tcase_add_test(tc, hints_before_stop_count);
	tcase_add_test(tc, a_barrier_waits_for_runs_only);
	tcase_add_test(tc, a_failure_outweighs_a_drop);
	tcase_add_test(tc, an_id_needs_a_harvest);
	tcase_add_test(tc, ids_are_never_reissued);
	tcase_add_test(tc, a_legacy_guest_of_the_other_byte_order);
	tcase_add_test(tc, a_broken_session_still_returns_buffers);
	tcase_add_test(tc, room_and_refuse);
	tcase_add_test(tc, crumbs_are_trimmed);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
