/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

#include "common/passing.h"

/* An answer is far smaller; what sends more is no daemon of ours. */
#define MAX_LINE	(16u << 20)

bool client_open(struct client *c, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	if (strlen(path) >= sizeof(addr.sun_path)) {
		fprintf(stderr, "fphctl: %s: path too long\n", path);
		return false;
	}
	strcpy(addr.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&addr,
				 sizeof(addr))) {
		fprintf(stderr, "fphctl: cannot connect to %s: %s\n", path,
			strerror(errno));
		client_close(c);
		return false;
	}
	return true;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

/* ------------------------------------------------------------------- lines */

static bool read_more(struct client *c)
{
	ssize_t n;

	if (c->len == c->room) {
		size_t room = c->room ? 2 * c->room : 65536;
		char *buf = room > MAX_LINE ? NULL : realloc(c->buf, room);

		if (!buf)
			return false;
		c->buf = buf;
		c->room = room;
	}
	do
		n = recv(c->fd, c->buf + c->len, c->room - c->len, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	c->len += (size_t)n;
	return true;
}

/* Take one line off the front of the buffer. */
static json_t *take_line(struct client *c, size_t len)
{
	json_t *object = json_loadb(c->buf, len, 0, NULL);

	memmove(c->buf, c->buf + len + 1, c->len - len - 1);
	c->len -= len + 1;
	return object;
}

json_t *client_next(struct client *c)
{
	size_t seen = 0;

	for (;;) {
		char *end = seen < c->len ? memchr(c->buf + seen, '\n',
						   c->len - seen) : NULL;

		if (end)
			return take_line(c, (size_t)(end - c->buf));
		seen = c->len;
		if (!read_more(c))
			return NULL;
	}
}

/* ----------------------------------------------------------------- command */

static bool send_line(struct client *c, json_t *request, int fd)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len, sent = 0;

	json_decref(request);
	if (!text)
		return false;
	len = strlen(text);
	text[len++] = '\n';
	while (sent < len) {
		ssize_t n = passing_send(c->fd, text + sent, len - sent, &fd,
					 !sent && fd >= 0, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			break;
		sent += n > 0 ? (size_t)n : 0;
	}
	free(text);
	return sent == len;
}

static int lost(void)
{
	fprintf(stderr, "fphctl: the daemon closed the connection\n");
	return EXIT_LOST;
}

static int refused(const char *name, json_t *error)
{
	const char *class = json_string_value(json_object_get(error,
							      "class"));
	const char *desc = json_string_value(json_object_get(error, "desc"));

	fprintf(stderr, "fphctl: %s: %s (%s)\n", name, desc ? desc : "?",
		class ? class : "?");
	return EXIT_REFUSED;
}

int client_execute_with(struct client *c, const char *name, json_t *args,
			int fd, json_t **answer)
{
	json_t *request = json_pack("{s:s, s:i}", "execute", name, "id", 1);

	*answer = NULL;
	if (args)
		json_object_set_new(request, "arguments", args);
	if (!send_line(c, request, fd))
		return lost();
	for (;;) {
		json_t *reply = client_next(c);
		json_t *error = json_object_get(reply, "error");
		json_t *result = json_object_get(reply, "return");
		int code = EXIT_OK;

		if (!reply)
			return lost();
		if (error)
			code = refused(name, error);
		else if (result)
			*answer = json_incref(result);
		json_decref(reply);
		if (error || result)
			return code;
	}
}

int client_execute(struct client *c, const char *name,
			      json_t *args, json_t **answer)
{
	return client_execute_with(c, name, args, -1, answer);
}
