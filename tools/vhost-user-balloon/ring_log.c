/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include "notify.h"
#include "ring_log.h"

void ring_log_init(struct ring_log *l)
{
	l->pages = (struct dirty_log){ 0 };
	l->fd = -1;
}

void ring_log_close(struct ring_log *l)
{
	dirty_log_close(&l->pages);
	vring_set_fd(&l->fd, -1);
}

static bool mark(struct ring_log *l, const struct device *d,
		 const struct fph_span *span)
{
	uint64_t gpa;

	if (!memory_table_get_gpa(&d->memory, span->addr, span->len, &gpa) ||
	    !dirty_log_mark(&l->pages, gpa, span->len))
		return false;
	notify_raise(l->fd);
	return true;
}

bool ring_log_written(struct ring_log *l, struct device *d, uint32_t index)
{
	struct fph_span spans[FPH_WRITTEN_SPANS];
	bool marked = true;
	int i, n;

	n = fph_balloon_ring_take_written(d->balloon, index, spans);
	for (i = 0; i < n; i++)
		marked &= mark(l, d, &spans[i]);
	return marked;
}

bool ring_log_used(struct ring_log *l, const struct device *d,
		   const struct vring *v)
{
	const struct fph_span all = {
		.addr = v->host_used,
		.len = FPH_VRING_DEVICE_SIZE(0, v->num)
	};

	return mark(l, d, &all);
}
