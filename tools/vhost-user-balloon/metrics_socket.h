/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Metrics on a Unix socket: whoever connects gets all counters as text and then
 * the end of the connection.  Nothing is read, and nobody is waited for.
 */
#ifndef VUB_METRICS_SOCKET_H
#define VUB_METRICS_SOCKET_H

#include "service.h"

/* Serve one that has connected. */
void metrics_serve(int listen_fd, const struct service *s);

#endif /* VUB_METRICS_SOCKET_H */
