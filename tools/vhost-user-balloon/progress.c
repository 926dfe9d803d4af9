/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include "progress.h"

int progress_run(struct progress *p, uint32_t target, uint32_t actual,
		 bool running, int64_t stuck_ms, int64_t now)
{
	bool moved = target != p->target || actual != p->actual;
	bool reached = target == actual &&
		       (p->waiting || target != p->target);

	p->target = target;
	p->actual = actual;
	p->waiting = target != actual;
	/* Without a driver nobody can do anything: time does not count. */
	if (moved || !running || !p->waiting) {
		p->since = now;
		p->told = false;
	}
	if (reached)
		return PROGRESS_REACHED;
	if (!p->waiting || p->told || !stuck_ms || now - p->since < stuck_ms)
		return PROGRESS_NOTHING;
	p->told = true;
	return PROGRESS_STUCK;
}

int64_t progress_get_deadline(const struct progress *p, int64_t stuck_ms)
{
	return p->waiting && !p->told && stuck_ms ? p->since + stuck_ms : -1;
}
