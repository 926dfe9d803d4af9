/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Events as they look on the control socket. */
#ifndef VUB_EVENT_JSON_H
#define VUB_EVENT_JSON_H

#include <jansson.h>

#include "events.h"

/* An event of some class: its name and data. */
json_t *event_to_json(const struct event *e);

/* An event with this name; takes over data. */
json_t *event_named(const char *name, json_t *data);

/* The class with this name, 0 when there is none. */
uint32_t event_find_class(const char *name);

#endif /* VUB_EVENT_JSON_H */
