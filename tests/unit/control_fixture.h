/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Two clients of the control socket of a daemon that runs in this process.
 * Included by the tests of that socket only.
 */
#ifndef FPH_TESTS_CONTROL_FIXTURE_H
#define FPH_TESTS_CONTROL_FIXTURE_H

#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vhost-user-balloon/clock.h"
#include "vu_fixture.h"

#define FEATURES	(VU_VIRTIO | VU_BIT_30)
#define PATIENCE_MS	60000

static struct vu v;

/* One client: its end of the socket, and what came and was not taken. */
struct peer {
	int fd;
	size_t len;
	char buf[1 << 18];
};

static struct peer one, two;

static void peer_open(struct peer *p)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    pair), 0);
	p->fd = pair[0];
	p->len = 0;
	control_add_client(&v.daemon.control, pair[1]);
}

static void peer_close(struct peer *p)
{
	close(p->fd);
	p->fd = -1;
}

static void peer_send(struct peer *p, const char *text)
{
	size_t len = strlen(text);

	ck_assert_int_eq(send(p->fd, text, len, MSG_NOSIGNAL), (int)len);
}

/* The next line as an object, NULL when the daemon hung up. */
static json_t *peer_next(struct peer *p)
{
	int64_t end = clock_now() + PATIENCE_MS;
	char *newline;

	while (!(newline = memchr(p->buf, '\n', p->len))) {
		ssize_t n = recv(p->fd, p->buf + p->len,
				 sizeof(p->buf) - p->len, MSG_DONTWAIT);

		if (n == 0)
			return NULL;
		if (n > 0) {
			p->len += (size_t)n;
			continue;
		}
		ck_assert(clock_now() < end);
		vu_step(&v, 0);
	}
	size_t len = (size_t)(newline - p->buf);
	json_t *object = json_loadb(p->buf, len, 0, NULL);

	ck_assert(json_is_object(object));
	memmove(p->buf, newline + 1, p->len - len - 1);
	p->len -= len + 1;
	return object;
}

/* Its class when it is an error, else NULL; the object is freed later. */
static const char *get_class(json_t *answer)
{
	return json_string_value(json_object_get(json_object_get(answer,
						 "error"), "class"));
}

/* Send a line; the answer must be an error of this class. */
static void check_error(const char *line, const char *class)
{
	json_t *answer;
	const char *found;

	peer_send(&one, line);
	peer_send(&one, "\n");
	answer = peer_next(&one);
	ck_assert_ptr_nonnull(answer);
	found = get_class(answer);
	ck_assert_msg(found && !strcmp(found, class), "%s: %s", line,
		      found ? found : "no error");
	ck_assert_ptr_nonnull(json_string_value(json_object_get(
			json_object_get(answer, "error"), "desc")));
	json_decref(answer);
}

/* Send a command; the object "return", to be freed. */
static json_t *execute(struct peer *p, const char *line)
{
	json_t *answer, *result;

	peer_send(p, line);
	peer_send(p, "\n");
	do {
		answer = peer_next(p);
		ck_assert_ptr_nonnull(answer);
		result = json_object_get(answer, "return");
		ck_assert_msg(result || json_object_get(answer, "event"),
			      "%s: %s", line, get_class(answer));
		json_incref(result);
		json_decref(answer);
	} while (!result);
	return result;
}

static void start(bool boot)
{
	vu_start(&v, false);
	if (boot)
		vu_boot(&v, FEATURES, VU_PROTOCOL, 5);
	peer_open(&one);
	peer_open(&two);
}

static void stop(void)
{
	peer_close(&one);
	peer_close(&two);
	vu_stop(&v);
}

static json_int_t number(json_t *o, const char *part, const char *name)
{
	json_t *n = json_object_get(part ? json_object_get(o, part) : o,
				    name);

	ck_assert_msg(json_is_integer(n), "%s.%s", part ? part : "", name);
	return json_integer_value(n);
}

#endif /* FPH_TESTS_CONTROL_FIXTURE_H */
