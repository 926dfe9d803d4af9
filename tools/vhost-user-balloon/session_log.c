/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the device wrote in ring memory goes into the front-end's dirty log,
 * while LOG_ALL is on: after it was written, and before the interrupt that
 * tells of it.  Each pump ends with it, and a pump comes before any ring stops.
 *
 * Where a ring lies in guest memory is known from the memory table; the
 * addresses and flags that a front-end gives for logging are not needed.
 */
#include "notify.h"
#include "session.h"

static bool is_on(const struct session *s)
{
	return s->acked >> VU_F_LOG_ALL & 1;
}

static void mark(struct session *s, uint32_t index, const struct fph_span *span)
{
	uint64_t gpa;

	if (memory_table_get_gpa(&s->device->memory, span->addr, span->len,
				 &gpa) &&
	    dirty_log_mark(&s->log, gpa, span->len)) {
		notify_raise(s->log_fd);
		return;
	}
	session_complain(s, "ring %u was written and cannot be marked: the "
			 "dirty log is missing or too small", index);
}

static void log_ring(struct session *s, uint32_t index)
{
	struct fph_span spans[FPH_WRITTEN_SPANS];
	int i, n;

	n = fph_balloon_ring_take_written(s->device->balloon, index, spans);
	for (i = 0; i < n; i++)
		mark(s, index, &spans[i]);
}

void session_log_rings(struct session *s)
{
	uint32_t i;

	for (i = 0; is_on(s) && i < FPH_NQUEUES; i++) {
		if (s->rings[i].running)
			log_ring(s, i);
	}
}

void session_log_used(struct session *s, uint32_t index)
{
	const struct vring *v = &s->rings[index];
	struct fph_span all = {
		.addr = v->host_used,
		.len = FPH_VRING_DEVICE_SIZE(0, v->num)
	};

	if (is_on(s))
		mark(s, index, &all);
}

void session_forget_log(struct session *s)
{
	dirty_log_close(&s->log);
	vring_set_fd(&s->log_fd, -1);
}
