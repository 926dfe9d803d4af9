/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "control.h"
#include "daemon.h"
#include "events.h"
#include "log.h"
#include "stats.h"

#define STATS_MS	1000

void control_init(struct control *c, struct daemon *daemon, int listen_fd)
{
	int i;

	memset(c, 0, sizeof(*c));
	c->daemon = daemon;
	c->listen_fd = listen_fd;
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		c->clients[i].fd = -1;
}

static void client_close(struct client *cl)
{
	close(cl->fd);
	free(cl->in);
	free(cl->out);
	json_decref(cl->waiting_id);
	memset(cl, 0, sizeof(*cl));
	cl->fd = -1;
}

void control_fini(struct control *c)
{
	int i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (c->clients[i].fd >= 0)
			client_close(&c->clients[i]);
	}
}

void control_add_client(struct control *c, int fd)
{
	struct client *cl = c->clients;
	struct client *end = cl + CONTROL_MAX_CLIENTS;

	while (cl < end && cl->fd >= 0)
		cl++;
	if (cl == end) {
		log_line("control: too many clients");
		close(fd);
		return;
	}
	memset(cl, 0, sizeof(*cl));
	cl->in = malloc(CONTROL_MAX_LINE + 1);
	if (!cl->in) {
		close(fd);
		cl->fd = -1;
		return;
	}
	cl->fd = fd;
}

/* ------------------------------------------------------------------ output */

static void client_flush(struct client *cl)
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

	if (cl->out_len + len > CONTROL_MAX_OUTPUT)
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

static void client_put(struct client *cl, const char *line, size_t len)
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

/* The object as a line; NULL when there is no memory for it. */
static char *dump(json_t *object, size_t *len)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!text)
		return NULL;
	*len = strlen(text);
	text[(*len)++] = '\n';
	return text;
}

static void client_send(struct client *cl, json_t *object)
{
	size_t len;
	char *line = dump(object, &len);

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

static void handle_request(struct daemon *d, struct client *cl,
			   json_t *request)
{
	json_t *id = json_incref(json_object_get(request, "id"));
	json_t *args = json_object_get(request, "arguments");
	const char *name = json_string_value(json_object_get(request,
							     "execute"));
	const char *key;
	json_t *value;

	json_object_foreach(request, key, value) {
		if (strcmp(key, "id") && strcmp(key, "arguments") &&
		    strcmp(key, "execute")) {
			client_error(cl, id, "GenericError",
				     "unknown member of a request");
			return;
		}
	}
	if (!name)
		client_error(cl, id, "GenericError",
			     "a request needs \"execute\", a string");
	else if (args && !json_is_object(args))
		client_error(cl, id, "GenericError",
			     "\"arguments\" must be an object");
	else
		command_execute(d, cl, id, name, args);
}

static void handle_line(struct daemon *d, struct client *cl,
			const char *line, size_t len)
{
	json_t *request;
	json_error_t error;

	if (len == 0 || (len == 1 && line[0] == '\r'))
		return;
	request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(request))
		client_error(cl, NULL, "GenericError",
			     "a request is a JSON object on one line");
	else
		handle_request(d, cl, request);
	json_decref(request);
}

static void handle_lines(struct control *c, struct client *cl)
{
	size_t begin = 0;
	char *end;

	while (!cl->drop && !cl->last &&
	       (end = memchr(cl->in + begin, '\n', cl->in_len - begin))) {
		size_t len = (size_t)(end - cl->in) - begin;

		handle_line(c->daemon, cl, cl->in + begin, len);
		begin += len + 1;
	}
	memmove(cl->in, cl->in + begin, cl->in_len - begin);
	cl->in_len -= begin;
	if (cl->in_len <= CONTROL_MAX_LINE)
		return;
	client_error(cl, NULL, "GenericError", "line too long");
	log_line("control: client dropped, line too long");
	cl->last = true;
	client_flush(cl);
}

static void client_read(struct control *c, struct client *cl)
{
	ssize_t n = recv(cl->fd, cl->in + cl->in_len,
			 CONTROL_MAX_LINE + 1 - cl->in_len, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		cl->drop = true;
		return;
	}
	cl->in_len += (size_t)n;
	handle_lines(c, cl);
}

/* -------------------------------------------------------------------- loop */

static void reap_clients(struct control *c)
{
	int i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct client *cl = &c->clients[i];

		if (cl->fd >= 0 && cl->drop)
			client_close(cl);
	}
}

void control_poll(const struct control *c, struct pollfd *fds)
{
	int i;

	fds[0] = (struct pollfd){ .fd = c->listen_fd, .events = POLLIN };
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		const struct client *cl = &c->clients[i];
		struct pollfd *p = &fds[i + 1];

		*p = (struct pollfd){ .fd = cl->fd };
		if (!cl->last)
			p->events |= POLLIN;
		if (cl->out_len)
			p->events |= POLLOUT;
	}
}

void control_handle(struct control *c, const struct pollfd *fds)
{
	int i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct client *cl = &c->clients[i];
		short revents = fds[i + 1].revents;

		if (cl->fd < 0 || cl->fd != fds[i + 1].fd || !revents)
			continue;
		if (revents & POLLOUT)
			client_flush(cl);
		if (!cl->last && (revents & (POLLIN | POLLHUP | POLLERR)))
			client_read(c, cl);
		else if (revents & (POLLHUP | POLLERR))
			cl->drop = true;
	}
	if (fds[0].revents) {
		int fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			control_add_client(c, fd);
	}
	reap_clients(c);
}

static void stop_waiting(struct client *cl, const char *class,
			 const char *desc)
{
	json_t *id = cl->waiting_id;

	cl->waiting = false;
	cl->waiting_id = NULL;
	client_error(cl, id, class, desc);
}

static void emit_to(struct client *cl, const char *name, json_t *data)
{
	client_send(cl, json_pack("{s:s, s:o}", "event", name, "data", data));
}

void control_run(struct control *c, int64_t now)
{
	int i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct client *cl = &c->clients[i];

		if (cl->fd < 0)
			continue;
		if (cl->waiting && now >= cl->deadline)
			stop_waiting(cl, "Timeout",
				     "the guest sent no statistics in time");
		if ((cl->events & EVENT_CLASS_STATS) &&
		    now >= cl->next_stats) {
			cl->next_stats = now + STATS_MS;
			emit_to(cl, "STATS", stats_query(c->daemon));
		}
	}
	reap_clients(c);
}

int64_t control_get_deadline(const struct control *c)
{
	int64_t at = -1;
	int i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		const struct client *cl = &c->clients[i];

		if (cl->fd < 0)
			continue;
		if (cl->waiting)
			at = clock_earlier(at, cl->deadline);
		if (cl->events & EVENT_CLASS_STATS)
			at = clock_earlier(at, cl->next_stats);
	}
	return at;
}

/* ------------------------------------------------------------------ events */

bool control_is_wanted(const struct control *c, uint32_t event_class)
{
	int i;

	for (i = 0; c && i < CONTROL_MAX_CLIENTS; i++) {
		if (c->clients[i].fd >= 0 &&
		    (c->clients[i].events & event_class))
			return true;
	}
	return false;
}

void control_emit(struct control *c, uint32_t event_class, const char *name,
		  json_t *data)
{
	size_t len;
	char *line = dump(json_pack("{s:s, s:o}", "event", name, "data",
				    data), &len);
	int i;

	for (i = 0; c && line && i < CONTROL_MAX_CLIENTS; i++) {
		struct client *cl = &c->clients[i];

		if (cl->fd >= 0 && (cl->events & event_class))
			client_put(cl, line, len);
	}
	free(line);
}

void control_stats_arrived(struct control *c)
{
	int i;

	for (i = 0; c && i < CONTROL_MAX_CLIENTS; i++) {
		struct client *cl = &c->clients[i];
		json_t *id = cl->waiting_id;

		if (cl->fd < 0 || !cl->waiting)
			continue;
		cl->waiting = false;
		cl->waiting_id = NULL;
		client_return(cl, id, command_get_guest_stats(c->daemon));
	}
}

void control_frontend_gone(struct control *c)
{
	int i;

	for (i = 0; c && i < CONTROL_MAX_CLIENTS; i++) {
		if (c->clients[i].fd >= 0 && c->clients[i].waiting)
			stop_waiting(&c->clients[i], "NotConnected",
				     "the front-end is gone");
	}
}
