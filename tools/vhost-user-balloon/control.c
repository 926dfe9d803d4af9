/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "event_json.h"
#include "listen.h"
#include "log.h"

#define STATS_MS	1000
#define IDLE_MS		3000		/* then it can be dropped for another */

void control_init(struct control *c, const struct commands *commands,
		  struct events *events, int listen_fd)
{
	int i;

	memset(c, 0, sizeof(*c));
	c->commands = commands;
	c->events = events;
	c->listen_fd = listen_fd;
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		c->clients[i].fd = -1;
}

void control_fini(struct control *c)
{
	int i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (c->clients[i].fd >= 0)
			client_close(&c->clients[i]);
	}
}

/* One that has been idle for long makes room, the longest of them. */
static struct client *find_idle(struct control *c)
{
	int64_t seen = clock_now() - IDLE_MS;
	struct client *found = NULL;
	int i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct client *cl = &c->clients[i];

		if (cl->seen > seen || cl->waiting || cl->events)
			continue;
		seen = cl->seen;
		found = cl;
	}
	if (found)
		client_close(found);
	return found;
}

void control_add_client(struct control *c, int fd)
{
	struct client *cl = c->clients;
	const struct client *end = cl + CONTROL_MAX_CLIENTS;

	while (cl < end && cl->fd >= 0)
		cl++;
	if (cl == end)
		cl = find_idle(c);
	if (!cl) {
		log_line("control: too many clients");
		close(fd);
		return;
	}
	client_open(cl, fd);
}

/* ------------------------------------------------------------------ events */

static void update_wanted(struct control *c)
{
	int i;

	c->events->wanted = 0;
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (c->clients[i].fd >= 0)
			c->events->wanted |= c->clients[i].events;
	}
}

static void send_event(struct control *c, const struct event *e)
{
	uint32_t class = events_get_class(e->kind);
	size_t len;
	char *line = client_dump(event_to_json(e), &len);
	int i;

	for (i = 0; line && i < CONTROL_MAX_CLIENTS; i++) {
		struct client *cl = &c->clients[i];

		if (cl->fd >= 0 && (cl->events & class))
			client_put(cl, line, len);
	}
	free(line);
}

static json_t *stop_waiting(struct client *cl)
{
	json_t *id = cl->waiting_id;

	json_decref(cl->waiting_args);
	cl->waiting_args = NULL;
	cl->waiting = NULL;
	cl->waiting_id = NULL;
	return id;
}

/* What it waits for does not come, or it does not wait any more. */
static json_t *give_up(struct control *c, struct client *cl)
{
	if (cl->waiting->give_up)
		cl->waiting->give_up(c->commands->context, cl->waiting_args);
	return stop_waiting(cl);
}

/* Answer those who wait for this kind of event, or for one that cannot come. */
static void wake(struct control *c, int kind)
{
	int i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct client *cl = &c->clients[i];
		const struct command *command = cl->waiting;

		if (cl->fd < 0 || !command)
			continue;
		if (kind == EVENT_FRONTEND_GONE && command->needs_guest)
			client_error(cl, give_up(c, cl), "NotConnected",
				     "the front-end is gone");
		else if (kind == command->wait_event)
			client_return(cl, stop_waiting(cl),
				      command->finish(c->commands->context));
	}
}

static void drain_events(struct control *c)
{
	struct event e;

	while (events_take(c->events, &e)) {
		if (events_get_class(e.kind))
			send_event(c, &e);
		else
			wake(c, e.kind);
	}
}

/* ---------------------------------------------------------------- requests */

static const struct command *find(const struct control *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->commands->n; i++) {
		if (!strcmp(c->commands->list[i].name, name))
			return &c->commands->list[i];
	}
	return NULL;
}

static json_t *run(struct control *c, struct client *cl,
		   const struct command *command, struct call *call)
{
	if (!command)
		return call_fail(call, "CommandNotFound", "no such command");
	if (!command->has_args && json_object_size(call->args))
		return call_fail(call, "BadArgument",
				 "the command has no arguments");
	if (command->finish && cl->waiting)
		return call_fail(call, "Busy",
				 "the last answer is still awaited");
	return command->handle(c->commands->context, call);
}

/* What the command brought about is told before its answer. */
static void execute(struct control *c, struct client *cl, json_t *id,
		    const char *name, json_t *args)
{
	const struct command *command = find(c, name);
	struct call call = { .args = args, .fd = -1 };
	json_t *result;

	if (command && command->takes_fd)
		call.fd = cl->passed;
	result = run(c, cl, command, &call);
	if (call.fd >= 0)
		client_drop_fd(cl);
	drain_events(c);
	if (call.subscribes) {
		cl->events = call.events;
		cl->next_stats = clock_now();
		update_wanted(c);
	}
	if (result) {
		client_return(cl, id, result);
	} else if (call.class) {
		client_error(cl, id, call.class, call.desc);
	} else {
		cl->waiting = command;
		cl->waiting_id = id;
		cl->waiting_args = json_incref(args);
		cl->deadline = clock_now() + call.wait_ms;
	}
}

static void handle_request(struct control *c, struct client *cl,
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
		execute(c, cl, id, name, args);
}

static void handle_line(struct control *c, struct client *cl,
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
		handle_request(c, cl, request);
	json_decref(request);
}

static void read_lines(struct control *c, struct client *cl)
{
	const char *line;
	size_t len, at = 0;

	client_read(cl);
	while (client_next_line(cl, &at, &line, &len))
		handle_line(c, cl, line, len);
	client_end_lines(cl, at);
}

/* -------------------------------------------------------------------- loop */

static void reap_clients(struct control *c)
{
	int i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct client *cl = &c->clients[i];

		if (cl->fd < 0 || !cl->drop)
			continue;
		if (cl->waiting)
			json_decref(give_up(c, cl));
		client_close(cl);
	}
	update_wanted(c);
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

static void accept_client(struct control *c)
{
	int fd = listener_accept(c->listen_fd);

	if (fd >= 0)
		control_add_client(c, fd);
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
			read_lines(c, cl);
		else if (revents & (POLLHUP | POLLERR))
			cl->drop = true;
	}
	if (fds[0].revents)
		accept_client(c);
	reap_clients(c);
}

static void run_client(struct control *c, struct client *cl, int64_t now)
{
	const char *late = cl->waiting ? cl->waiting->late : NULL;

	if (cl->waiting && now >= cl->deadline)
		client_error(cl, give_up(c, cl), "Timeout", late);
	if ((cl->events & EVENT_CLASS_STATS) && now >= cl->next_stats) {
		cl->next_stats = now + STATS_MS;
		client_send(cl, event_named("STATS",
			    c->commands->get_stats(c->commands->context)));
	}
}

void control_run(struct control *c, int64_t now)
{
	int i;

	drain_events(c);
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (c->clients[i].fd >= 0)
			run_client(c, &c->clients[i], now);
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
