/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "clock.h"
#include "closer.h"
#include "log.h"
#include "rights.h"

bool client_open(struct client *cl, int fd)
{
	memset(cl, 0, sizeof(*cl));
	cl->fd = -1;
	cl->passed = -1;
	cl->in = malloc(CLIENT_MAX_LINE + 1);
	if (!cl->in) {
		close(fd);
		return false;
	}
	cl->fd = fd;
	cl->seen = clock_now();
	return true;
}

void client_drop_fd(struct client *cl)
{
	if (cl->passed >= 0)
		closer_close(cl->passed);
	cl->passed = -1;
}

void client_close(struct client *cl)
{
	/* The peer sees the end at once; what it sent is closed aside. */
	shutdown(cl->fd, SHUT_RDWR);
	closer_close(cl->fd);
	free(cl->in);
	free(cl->out);
	json_decref(cl->waiting_id);
	json_decref(cl->waiting_args);
	client_drop_fd(cl);
	memset(cl, 0, sizeof(*cl));
	cl->fd = -1;
}

/* ------------------------------------------------------------------ output */

void client_flush(struct client *cl)
{
	size_t sent = 0;

	while (sent < cl->out_len) {
		ssize_t n = send(cl->fd, cl->out + sent, cl->out_len - sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			cl->drop = cl->drop || errno != EAGAIN;
			break;
		}
		sent += (size_t)n;
	}
	if (sent)
		memmove(cl->out, cl->out + sent, cl->out_len - sent);
	cl->out_len -= sent;
	if (cl->last && cl->out_len == 0)
		cl->drop = true;
}

static bool client_reserve(struct client *cl, size_t len)
{
	size_t room = cl->out_room ? cl->out_room : 4096;
	char *out;

	if (cl->out_len + len > CLIENT_MAX_OUTPUT)
		return false;
	while (room < cl->out_len + len)
		room *= 2;
	if (room == cl->out_room)
		return true;
	out = realloc(cl->out, room);
	if (!out)
		return false;
	cl->out = out;
	cl->out_room = room;
	return true;
}

void client_put(struct client *cl, const char *line, size_t len)
{
	if (cl->drop || cl->last)
		return;
	if (!client_reserve(cl, len)) {
		log_line("control: client dropped, it does not read");
		cl->drop = true;
		return;
	}
	memcpy(cl->out + cl->out_len, line, len);
	cl->out_len += len;
	client_flush(cl);
}

char *client_dump(json_t *object, size_t *len)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!text)
		return NULL;
	*len = strlen(text);
	text[(*len)++] = '\n';
	return text;
}

void client_send(struct client *cl, json_t *object)
{
	size_t len;
	char *line = client_dump(object, &len);

	if (!line) {
		cl->drop = true;
		return;
	}
	client_put(cl, line, len);
	free(line);
}

void client_return(struct client *cl, json_t *id, json_t *result)
{
	json_t *answer = json_object();

	json_object_set_new(answer, "return", result);
	if (id)
		json_object_set_new(answer, "id", id);
	client_send(cl, answer);
}

void client_error(struct client *cl, json_t *id, const char *class,
		  const char *desc)
{
	json_t *answer = json_pack("{s:{s:s, s:s}}", "error", "class", class,
				   "desc", desc);

	if (id)
		json_object_set_new(answer, "id", id);
	client_send(cl, answer);
}

/* ------------------------------------------------------------------- input */

/* Of several descriptors that come together one is kept. */
static ssize_t receive(struct client *cl, void *buf, size_t len)
{
	int fd;
	struct rights r = { .fds = &fd, .max = 1 };
	ssize_t n = rights_receive(cl->fd, buf, len, &r);

	if (r.n) {
		client_drop_fd(cl);
		cl->passed = fd;
	}
	return n;
}

void client_read(struct client *cl)
{
	ssize_t n = receive(cl, cl->in + cl->in_len,
			    CLIENT_MAX_LINE + 1 - cl->in_len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		cl->drop = true;
		return;
	}
	cl->in_len += (size_t)n;
	cl->seen = clock_now();
}

bool client_next_line(struct client *cl, size_t *at, const char **line,
		      size_t *len)
{
	char *end;

	if (cl->drop || cl->last)
		return false;
	end = memchr(cl->in + *at, '\n', cl->in_len - *at);
	if (!end)
		return false;
	*line = cl->in + *at;
	*len = (size_t)(end - *line);
	*at += *len + 1;
	return true;
}

void client_end_lines(struct client *cl, size_t at)
{
	memmove(cl->in, cl->in + at, cl->in_len - at);
	cl->in_len -= at;
	if (cl->in_len <= CLIENT_MAX_LINE)
		return;
	client_error(cl, NULL, "GenericError", "line too long");
	log_line("control: client dropped, line too long");
	cl->last = true;
	client_flush(cl);
}
