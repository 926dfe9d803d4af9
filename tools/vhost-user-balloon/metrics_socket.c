/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/metrics.h"
#include "listen.h"
#include "log.h"
#include "metrics_socket.h"
#include "stats.h"

/* As text, to be freed; NULL: no memory. */
static char *get_text(const struct service *s, size_t *len)
{
	char *text = NULL;
	json_t *stats = stats_query(s);
	FILE *out = open_memstream(&text, len);

	if (out) {
		metrics_write(out, stats);
		fclose(out);
	}
	json_decref(stats);
	return text;
}

/* Some kilobytes: they are in the socket at once, or never. */
void metrics_serve(int listen_fd, const struct service *s)
{
	int fd = listener_accept(listen_fd);
	size_t len = 0;
	char *text;

	if (fd < 0)
		return;
	text = get_text(s, &len);
	if (!text || send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) !=
		     (ssize_t)len)
		log_line("metrics: a collector was not served");
	free(text);
	close(fd);
}
