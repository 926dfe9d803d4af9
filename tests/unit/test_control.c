/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The control socket: the form of requests and answers, clients that send too
 * much or read too little, clients that are too many.
 */
#include <poll.h>
#include <stdlib.h>

#include "control_fixture.h"

/* --------------------------------------------------------------------- form */

START_TEST(bad_requests)
{
	start(false);
	check_error("{", "GenericError");
	check_error("nonsense", "GenericError");
	check_error("[]", "GenericError");
	check_error("\"text\"", "GenericError");
	check_error("{}", "GenericError");
	check_error("{\"execute\": 7}", "GenericError");
	check_error("{\"execute\": \"query-stats\", \"x\": 1}",
		    "GenericError");
	check_error("{\"execute\": \"query-stats\", \"arguments\": []}",
		    "GenericError");
	check_error("{\"execute\": \"query-hint\", "
		    "\"execute\": \"query-stats\"}", "GenericError");
	check_error("{\"execute\": \"no-such\"}", "CommandNotFound");
	check_error("{\"execute\": \"query-stats\", "
		    "\"arguments\": {\"a\": 1}}", "BadArgument");
	/* Empty lines are nothing. */
	peer_send(&one, "\n\r\n\n");
	json_decref(execute(&one, "{\"execute\": \"query-hint\"}"));
	stop();
}
END_TEST

/* Anything can be an id, and comes back as it was. */
START_TEST(ids_come_back)
{
	static const char *const ids[] = {
		"1", "\"text\"", "null", "[1,{\"a\":[]}]", "-1.5", "{}"
	};
	char line[256];
	size_t i;

	start(false);
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		json_t *id = json_loads(ids[i], JSON_DECODE_ANY, NULL);
		json_t *answer;
		int k;

		for (k = 0; k < 2; k++) {
			snprintf(line, sizeof(line),
				 "{\"execute\": \"%s\", \"id\": %s}\n",
				 k ? "query-hint" : "no-such", ids[i]);
			peer_send(&one, line);
			answer = peer_next(&one);
			ck_assert(json_equal(json_object_get(answer, "id"),
					     id));
			json_decref(answer);
		}
		json_decref(id);
	}
	peer_send(&one, "{\"execute\": \"query-hint\"}\n");
	json_t *answer = peer_next(&one);
	ck_assert_ptr_null(json_object_get(answer, "id"));
	json_decref(answer);
	stop();
}
END_TEST

START_TEST(lines_in_pieces_and_together)
{
	static const char line[] = "{\"execute\": \"query-hint\", \"id\": 5}\n";
	const char *c;
	json_t *answer;
	int i;

	start(false);
	for (c = line; *c; c++) {
		char byte[2] = { *c, 0 };

		peer_send(&one, byte);
		vu_step(&v, 0);
	}
	answer = peer_next(&one);
	ck_assert_int_eq(number(answer, NULL, "id"), 5);
	json_decref(answer);
	peer_send(&one, "{\"execute\": \"query-hint\", \"id\": 0}\n"
		  "{\"execute\": \"query-hint\", \"id\": 1}\n"
		  "{\"execute\": \"query-hint\", \"id\": 2}\n");
	for (i = 0; i < 3; i++) {
		answer = peer_next(&one);
		ck_assert_int_eq(number(answer, NULL, "id"), i);
		json_decref(answer);
	}
	stop();
}
END_TEST

/* A line of the largest size is taken; one byte more is an error, and over. */
START_TEST(long_lines)
{
	char *line = malloc(CLIENT_MAX_LINE + 2);
	json_t *answer;
	size_t sent;

	ck_assert_ptr_nonnull(line);
	start(false);
	memset(line, ' ', CLIENT_MAX_LINE + 1);
	memcpy(line, "{\"execute\": \"query-hint\"}", 25);
	line[CLIENT_MAX_LINE] = '\n';
	for (sent = 0; sent < CLIENT_MAX_LINE + 1;) {
		ssize_t n = send(one.fd, line + sent,
				 CLIENT_MAX_LINE + 1 - sent, MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		vu_step(&v, 0);
	}
	answer = peer_next(&one);
	ck_assert_ptr_nonnull(json_object_get(answer, "return"));
	json_decref(answer);
	line[CLIENT_MAX_LINE] = ' ';
	for (sent = 0; sent < CLIENT_MAX_LINE + 1;) {
		ssize_t n = send(one.fd, line + sent,
				 CLIENT_MAX_LINE + 1 - sent, MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		vu_step(&v, 0);
	}
	answer = peer_next(&one);
	ck_assert_str_eq(get_class(answer), "GenericError");
	json_decref(answer);
	ck_assert_ptr_null(peer_next(&one));
	/* The other client did not notice. */
	json_decref(execute(&two, "{\"execute\": \"query-hint\"}"));
	free(line);
	stop();
}
END_TEST

/* A client that asks and does not read is dropped, and only that one. */
START_TEST(slow_client)
{
	static const char ask[] = "{\"execute\": \"query-stats\"}\n";
	int i;

	start(false);
	for (i = 0; i < 100000; i++) {
		ssize_t n = send(one.fd, ask, sizeof(ask) - 1,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && poll(&(struct pollfd){ .fd = one.fd }, 1, 0))
			break;
		vu_step(&v, 0);
	}
	ck_assert_int_lt(i, 100000);
	json_decref(execute(&two, "{\"execute\": \"query-stats\"}"));
	stop();
}
END_TEST

START_TEST(too_many_clients)
{
	struct peer *peers = calloc(CONTROL_MAX_CLIENTS, sizeof(*peers));
	int i;

	ck_assert_ptr_nonnull(peers);
	start(false);
	for (i = 0; i < CONTROL_MAX_CLIENTS - 2; i++)
		peer_open(&peers[i]);
	peer_open(&peers[i]);
	ck_assert_ptr_null(peer_next(&peers[i]));
	peer_close(&peers[i]);
	/* One goes: there is room again. */
	peer_close(&peers[0]);
	vu_step(&v, 5);
	peer_open(&peers[0]);
	json_decref(execute(&peers[0], "{\"execute\": \"query-hint\"}"));
	for (i = 0; i < CONTROL_MAX_CLIENTS - 2; i++)
		peer_close(&peers[i]);
	free(peers);
	stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("control");
	TCase *tc = tcase_create("control");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, bad_requests);
	tcase_add_test(tc, ids_come_back);
	tcase_add_test(tc, lines_in_pieces_and_together);
	tcase_add_test(tc, long_lines);
	tcase_add_test(tc, slow_client);
	tcase_add_test(tc, too_many_clients);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
