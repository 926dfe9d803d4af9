/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "governor.h"
#include "log.h"

/* Statistics that are older than so many intervals count for nothing. */
#define STALE_INTERVALS	3

/* "some avg10=1.23 ...": in hundredths of a percent. */
static bool read_pressure(int fd, uint32_t *pressure)
{
	unsigned int whole, part;
	char text[128];
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET))
		return false;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	if (sscanf(text, "some avg10=%3u.%2u", &whole, &part) != 2)
		return false;
	*pressure = whole * 100 + part;
	return true;
}

int governor_init(struct governor *g, const struct governor_options *options)
{
	int err;

	memset(g, 0, sizeof(*g));
	g->options = *options;
	g->fd = -1;
	if (!options->on)
		return 0;
	g->fd = open(options->pressure_path, O_RDONLY | O_CLOEXEC);
	if (g->fd >= 0 && read_pressure(g->fd, &g->pressure)) {
		g->enabled = true;
		return 0;
	}
	err = g->fd < 0 ? errno : EINVAL;
	log_line("--policy: no pressure in %s: %s", options->pressure_path,
		 strerror(err));
	governor_fini(g);
	return err;
}

void governor_fini(struct governor *g)
{
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
}

void governor_enable(struct governor *g, bool on)
{
	g->enabled = on;
	g->next = 0;
	g->calm = 0;
}

/* ------------------------------------------------------------------ inputs */

static bool get_available(const struct governor *g, const struct device *d,
			  const struct timers *t, int64_t now,
			  uint64_t *available)
{
	struct fph_stat stats[FPH_BALLOON_NSTATS];
	uint32_t n = device_get_stats(d, stats, FPH_BALLOON_NSTATS);
	bool found = false;
	uint32_t i;

	if (now - t->stats_at >= STALE_INTERVALS * g->options.interval_ms)
		return false;
	for (i = 0; i < n; i++) {
		if (stats[i].tag == VIRTIO_BALLOON_S_AVAIL) {
			*available = stats[i].val;
			return true;
		}
		/* It will do for a guest that says no more. */
		if (stats[i].tag == VIRTIO_BALLOON_S_MEMFREE) {
			*available = stats[i].val;
			found = true;
		}
	}
	return found;
}

static uint64_t get_bytes(uint32_t pages)
{
	return (uint64_t)pages << VIRTIO_BALLOON_PFN_SHIFT;
}

static struct policy_input look(struct governor *g, const struct device *d,
				const struct timers *t, int64_t now)
{
	uint64_t memory = memory_table_get_bytes(&d->memory);
	uint64_t target = get_bytes(device_get_target(d));
	struct policy_input in = {
		.memory = memory,
		.actual = get_bytes(device_get_actual(d)),
		.wanted = target < memory ? memory - target : 0
	};

	g->has_pressure = read_pressure(g->fd, &g->pressure);
	if (!g->has_pressure || g->pressure >= g->options.policy.low)
		g->calm = 0;
	else
		g->calm++;
	in.has_stats = get_available(g, d, t, now, &in.available);
	in.has_pressure = g->has_pressure;
	in.pressure = g->pressure;
	in.calm = g->calm;
	return in;
}

/* --------------------------------------------------------------------- run */

bool governor_run(struct governor *g, struct device *d,
		  const struct timers *t, int64_t now)
{
	struct policy_input in;
	uint64_t pages;

	if (!g->enabled || now < g->next)
		return false;
	g->next = now + g->options.interval_ms;
	if (!d->enabled) {
		g->calm = 0;
		return false;
	}
	in = look(g, d, t, now);
	g->last = policy_decide(&g->options.policy, &in);
	/* The guest has at least its size: part of a page is its own. */
	pages = (in.memory - g->last.size) >> VIRTIO_BALLOON_PFN_SHIFT;
	if (pages > UINT32_MAX)
		pages = UINT32_MAX;
	if (pages == device_get_target(d))
		return false;
	device_set_target(d, (uint32_t)pages);
	return true;
}

int64_t governor_get_deadline(const struct governor *g)
{
	return g->enabled ? g->next : -1;
}
