/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The commands of the control socket, with good and bad arguments, and the
 * events.
 */
#include <poll.h>
#include <stdlib.h>

#include "control_fixture.h"

#define STATS		2u		/* ring indices with FEATURES */
#define HINT		3u
#define REPORT		4u
#define PIECE		0x10000u

/* ----------------------------------------------------------------- commands */

START_TEST(stats_are_complete)
{
	static const char *const names[][2] = {
		{ "report", "chains" }, { "report", "ranges" },
		{ "report", "returned" }, { "report", "refused" },
		{ "report", "poisoned" }, { "report", "runs" },
		{ "report", "bytes-offered" }, { "report", "bytes-discarded" },
		{ "report", "bytes-lazy" }, { "report", "bytes-trimmed" },
		{ "report", "bytes-skipped" }, { "inflate", "pages" },
		{ "deflate", "pages" }, { "hint", "cmd-id" },
		{ "hint", "config-cmd-id" }, { "hint", "rounds" },
		{ "hint", "starts" }, { "hint", "stops" },
		{ "hint", "chains" }, { "hint", "hints" },
		{ "hint", "buffers" }, { "hint", "bytes" },
		{ "hint", "ignored" }, { "hint", "stale" },
		{ "reclaim", "fallocate-calls" },
		{ "reclaim", "madvise-calls" },
		{ "reclaim", "process-madvise-calls" },
		{ "reclaim", "syscalls" }, { "memory", "bytes" },
		{ "memory", "resident-bytes" }, { "balloon", "target" },
		{ "balloon", "actual" }, { "config", "num-pages" }
	};
	json_t *stats, *queue;
	size_t i;

	start(true);
	memset(v.mem + VU_PAGES, 1, PIECE);
	vu_offer(&v, REPORT, VU_PAGES, PIECE, RING_WRITE);
	vu_kick(&v, REPORT);
	vu_wait_used(&v, REPORT, 1);
	stats = execute(&one, "{\"execute\": \"query-stats\"}");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_int_ge(number(stats, names[i][0], names[i][1]), 0);
	ck_assert_int_eq(number(stats, "report", "chains"), 1);
	ck_assert_int_eq(number(stats, "report", "returned"), 1);
	ck_assert_int_eq(number(stats, "report", "ranges"), 1);
	ck_assert_int_eq(number(stats, "report", "bytes-offered"), PIECE);
	ck_assert_int_eq(number(stats, "report", "bytes-discarded"), PIECE);
	ck_assert_int_eq(number(stats, "reclaim", "syscalls"), 1);
	ck_assert_int_eq(number(stats, "memory", "bytes"), VU_MEM_SIZE);
	ck_assert_int_eq(number(stats, "memory", "resident-bytes"),
			 (json_int_t)vu_get_resident(&v));
	ck_assert(json_is_false(json_object_get(json_object_get(stats,
						"hint"), "migrates")));
	ck_assert(json_is_true(json_object_get(json_object_get(stats,
					"front-end"), "connected")));
	ck_assert_uint_eq(json_array_size(json_object_get(stats, "queues")),
			  5);
	queue = json_array_get(json_object_get(stats, "queues"), REPORT);
	ck_assert_str_eq(json_string_value(json_object_get(queue, "role")),
			 "report");
	ck_assert_int_eq(number(queue, NULL, "index"), REPORT);
	ck_assert_int_eq(number(queue, NULL, "popped"), 1);
	ck_assert_int_eq(number(queue, NULL, "pushed"), 1);
	ck_assert_int_eq(number(queue, NULL, "in-flight"), 0);
	ck_assert(json_is_true(json_object_get(queue, "enabled")));
	ck_assert(json_is_false(json_object_get(queue, "broken")));
	json_decref(stats);
	stop();
}
END_TEST

START_TEST(bad_arguments)
{
	static const char *const bad[][2] = {
		{ "balloon", "{}" }, { "balloon", "{\"value\": -1}" },
		{ "balloon", "{\"value\": \"512M\"}" },
		{ "balloon", "{\"value\": 1.5}" },
		{ "balloon", "{\"value\": 1, \"x\": 1}" },
		{ "set-discard-delay", "{}" }, { "set-stats-interval", "{}" },
		{ "freeze", "{\"mode\": 1}" }, { "thaw", "{\"all\": 1}" },
		{ "set-stats-interval", "{\"ms\": -1}" },
		{ "set-discard-delay", "{\"ms\": -1}" },
		{ "set-discard-delay", "{\"ms\": 3600001}" },
		{ "subscribe", "{}" }, { "subscribe", "{\"events\": 1}" },
		{ "subscribe", "{\"events\": [\"no\"]}" },
		{ "subscribe", "{\"events\": [7]}" },
		{ "hint-start", "{\"max-buffers\": 0}" },
		{ "hint-start", "{\"max-buffers\": \"1\"}" },
		{ "hint-start", "{\"then\": \"stop\"}" },
		{ "hint-start", "{\"max-buffers\": 1, \"then\": \"no\"}" },
		{ "hint-start", "{\"max-buffers\": 1, \"then\": 1}" },
		{ "hint-start", "{\"x\": 1}" },
		{ "hint-stop", "{\"x\": 1}" }, { "quit", "{\"x\": 1}" }
	};
	char line[256];
	size_t i;

	start(true);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line),
			 "{\"execute\": \"%s\", \"arguments\": %s}",
			 bad[i][0], bad[i][1]);
		check_error(line, "BadArgument");
	}
	ck_assert_int_eq(fph_balloon_hint_get_state(v.daemon.service.device.balloon),
			 FPH_HINT_IDLE);
	ck_assert(!v.daemon.quitting);
	stop();
}
END_TEST

/* The size that the guest keeps, also when its memory is not known yet. */
START_TEST(balloon_size)
{
	json_t *answer;

	start(false);
	answer = execute(&one, "{\"execute\": \"balloon\", "
			 "\"arguments\": {\"value\": 8388608}}");
	ck_assert(json_is_true(json_object_get(answer, "pending")));
	ck_assert_int_eq(number(answer, NULL, "target"), 0);
	json_decref(answer);
	vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	vu_step(&v, 0);
	ck_assert_uint_eq(fph_balloon_get_target(v.daemon.service.device.balloon),
			  (VU_MEM_SIZE - 8388608) / 4096);
	answer = execute(&one, "{\"execute\": \"balloon\", "
			 "\"arguments\": {\"value\": 9223372036854775807}}");
	ck_assert(json_is_false(json_object_get(answer, "pending")));
	ck_assert_int_eq(number(answer, NULL, "target"), 0);
	json_decref(answer);
	answer = execute(&one, "{\"execute\": \"balloon\", "
			 "\"arguments\": {\"value\": 0}}");
	ck_assert_int_eq(number(answer, NULL, "target"), VU_MEM_SIZE);
	json_decref(answer);
	stop();
}
END_TEST

static void send_stats(uint64_t value)
{
	ring_put(v.mem + 0x110000, 2, VIRTIO_BALLOON_S_MEMFREE, false);
	ring_put(v.mem + 0x110002, 8, value, false);
	ring_put(v.mem + 0x11000a, 2, 77, false);
	ring_put(v.mem + 0x11000c, 8, 78, false);
	vu_offer(&v, STATS, 0x110000, 20, 0);
	vu_kick(&v, STATS);
}

/* Two clients ask, the guest answers once, both get it. */
START_TEST(guest_statistics)
{
	json_t *answer;
	int i;

	start(true);
	check_error("{\"execute\": \"query-guest-stats\"}", "NotNegotiated");
	send_stats(1);
	while (!device_get_inflight(&v.daemon.service.device, FPH_QUEUE_STATS))
		vu_step(&v, 0);
	peer_send(&one, "{\"execute\": \"query-guest-stats\", \"id\": 1}\n");
	peer_send(&two, "{\"execute\": \"query-guest-stats\", \"id\": 2}\n");
	vu_wait_used(&v, STATS, 1);
	vu_step(&v, 20);
	check_error("{\"execute\": \"query-guest-stats\"}", "Busy");
	send_stats(123456789);
	for (i = 0; i < 2; i++) {
		json_t *result;

		answer = peer_next(i ? &two : &one);
		ck_assert_int_eq(number(answer, NULL, "id"), i + 1);
		result = json_object_get(answer, "return");
		ck_assert_int_eq(number(result, NULL, "free-memory"),
				 123456789);
		ck_assert_int_eq(number(result, NULL, "tag-77"), 78);
		json_decref(answer);
	}
	stop();
}
END_TEST

/* The guest does not answer, or goes while it is awaited. */
START_TEST(guest_statistics_do_not_come)
{
	json_t *answer;

	start(true);
	send_stats(1);
	while (!device_get_inflight(&v.daemon.service.device, FPH_QUEUE_STATS))
		vu_step(&v, 0);
	peer_send(&one, "{\"execute\": \"query-guest-stats\", \"id\": 1}\n");
	answer = peer_next(&one);
	ck_assert_str_eq(get_class(answer), "Timeout");
	ck_assert_int_eq(number(answer, NULL, "id"), 1);
	json_decref(answer);
	peer_send(&one, "{\"execute\": \"query-guest-stats\", \"id\": 2}\n");
	vu_step(&v, 10);
	vu_hang_up(&v);
	answer = peer_next(&one);
	ck_assert_str_eq(get_class(answer), "NotConnected");
	ck_assert_int_eq(number(answer, NULL, "id"), 2);
	json_decref(answer);
	stop();
}
END_TEST

/* --------------------------------------------------------- hints and events */

static void check_event(const char *name, const char *state)
{
	json_t *event = peer_next(&two);
	json_t *data = json_object_get(event, "data");
	const char *found = json_string_value(json_object_get(event,
							      "event"));

	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(found, name);
	ck_assert(json_is_object(data));
	if (state)
		ck_assert_str_eq(json_string_value(json_object_get(data,
							"state")), state);
	json_decref(event);
}

/* A whole round as a subscriber sees it, in order. */
START_TEST(events_of_a_round)
{
	json_t *answer;
	uint32_t id;

	start(true);
	json_decref(execute(&two, "{\"execute\": \"subscribe\", "
		"\"arguments\": {\"events\": [\"hint\", \"skip\"]}}"));
	answer = execute(&one, "{\"execute\": \"hint-start\"}");
	id = (uint32_t)number(answer, NULL, "cmd-id");
	ck_assert(json_is_false(json_object_get(answer, "migrates")));
	json_decref(answer);
	check_error("{\"execute\": \"hint-start\"}", "WrongState");
	check_event("HINT_SYNC_BEGIN", NULL);
	check_event("HINT_SYNC_END", NULL);
	check_event("HINT_STATE", "requested");
	vu_send_command(&v, HINT, id);
	check_event("HINT_STATE", "active");
	vu_offer(&v, HINT, VU_PAGES, PIECE, RING_WRITE);
	vu_offer(&v, HINT, VU_PAGES + PIECE, PIECE, RING_WRITE);
	vu_kick(&v, HINT);
	answer = peer_next(&two);
	ck_assert_str_eq(json_string_value(json_object_get(answer, "event")),
			 "SKIP");
	ck_assert_int_eq(number(answer, "data", "gpa"), VU_PAGES);
	ck_assert_int_eq(number(answer, "data", "len"), PIECE);
	json_decref(answer);
	check_event("SKIP", NULL);
	vu_send_command(&v, HINT, 0);
	check_event("HINT_STATE", "stopped");
	json_decref(execute(&one, "{\"execute\": \"hint-stop\"}"));
	check_event("HINT_STATE", "idle");
	json_decref(execute(&one, "{\"execute\": \"hint-done\"}"));
	check_event("HINT_STATE", "done");
	answer = execute(&one, "{\"execute\": \"query-hint\"}");
	ck_assert_int_eq(number(answer, NULL, "buffers"), 2);
	ck_assert_int_eq(number(answer, NULL, "bytes"), 2 * PIECE);
	ck_assert_int_eq(number(answer, NULL, "config-cmd-id"), 1);
	json_decref(answer);
	stop();
}
END_TEST

START_TEST(hints_that_cannot_be)
{
	start(true);
	vu_hang_up(&v);
	while (v.daemon.frontend.state != FRONTEND_NONE)
		vu_step(&v, 0);
	check_error("{\"execute\": \"hint-start\"}", "NotConnected");
	vu_connect(&v);
	vu_boot(&v, FEATURES & ~FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT),
		VU_PROTOCOL, 4);
	check_error("{\"execute\": \"hint-start\"}", "NotNegotiated");
	stop();
}
END_TEST

/* STATS comes by itself, to those who want it only. */
START_TEST(stats_events)
{
	int i;

	start(true);
	json_decref(execute(&two, "{\"execute\": \"subscribe\", "
			    "\"arguments\": {\"events\": [\"stats\"]}}"));
	for (i = 0; i < 2; i++) {
		json_t *event = peer_next(&two);

		ck_assert_str_eq(json_string_value(json_object_get(event,
						"event")), "STATS");
		ck_assert_ptr_nonnull(json_object_get(json_object_get(event,
						"data"), "report"));
		json_decref(event);
	}
	ck_assert_int_eq(poll(&(struct pollfd){ one.fd, POLLIN, 0 }, 1, 0),
			 0);
	json_decref(execute(&two, "{\"execute\": \"subscribe\", "
			    "\"arguments\": {\"events\": []}}"));
	ck_assert_uint_eq(v.daemon.service.events.wanted, 0);
	stop();
}
END_TEST

START_TEST(delay_and_quit)
{
	start(true);
	json_decref(execute(&one, "{\"execute\": \"set-discard-delay\", "
			    "\"arguments\": {\"ms\": 60000}}"));
	ck_assert_uint_eq(v.daemon.service.device.worker.delay_ms, 60000);
	json_decref(execute(&one, "{\"execute\": \"quit\"}"));
	ck_assert(v.daemon.quitting);
	stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command");
	TCase *tc = tcase_create("command");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, stats_are_complete);
	tcase_add_test(tc, bad_arguments);
	tcase_add_test(tc, balloon_size);
	tcase_add_test(tc, guest_statistics);
	tcase_add_test(tc, guest_statistics_do_not_come);
	tcase_add_test(tc, events_of_a_round);
	tcase_add_test(tc, hints_that_cannot_be);
	tcase_add_test(tc, stats_events);
	tcase_add_test(tc, delay_and_quit);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
