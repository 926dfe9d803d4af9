/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest's driver: free page reporting. */
#include "sim.h"

static bool reports(const struct sim *s)
{
	return sim_driver_runs(s) && s->dev->driver.reports;
}

void sim_report_init(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	const struct fph_reporter_params p = {
		.size = sizeof(p),
		.content = s->config.poison ? FPH_CONTENT_KEPT :
					      FPH_CONTENT_FREE,
		.features = d->features,
		.max_ranges = 4 + sim_below(&s->rng, 61),
		.window = 1 + sim_below(&s->rng, 8),
		.max_segs = 1 + sim_below(&s->rng, s->dev->host.ring_num <
					  SIM_SEGS ? s->dev->host.ring_num :
					  SIM_SEGS),
		.flush_delay = 1 + sim_below(&s->rng, 60),
		.retry_delay = 1 + sim_below(&s->rng, 50),
		.max_failures = 2 + sim_below(&s->rng, 6)
	};
	int ret = fph_reporter_init(&d->reporter, d->reporter_mem,
				    sizeof(d->reporter_mem), &p);

	sim_check(s, ret == FPH_OK, "reporter: %d", ret);
	d->report_params = p;
}

void sim_report_add(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	uint32_t first = sim_below(&s->rng, SIM_PAGES);
	struct fph_owned_range r;
	uint32_t n;
	int ret;

	if (!reports(s))
		return;
	/* Half of them in whole pages of the host. */
	if (sim_one_in(&s->rng, 2))
		first &= ~((1u << s->config.shift) - 1);
	n = sim_guest_take(s, first, 1u << sim_below(&s->rng, 4),
			   SIM_REPORTED);
	if (!n)
		return;
	r.gpa = (uint64_t)first * SIM_PAGE;
	r.len = (uint64_t)n * SIM_PAGE;
	r.owner = first * 1000 + n;
	ret = fph_reporter_add(d->reporter, s->now, &r, 1);
	sim_check(s, ret == 1 || ret == FPH_EFULL, "report: add: %d", ret);
	if (ret != 1)
		for (uint32_t p = first; p < first + n; p++)
			s->page[p].place = SIM_FREE;
}

void sim_report_submit(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	struct fph_buffer buffers[2];
	struct fph_seg segs[SIM_SEGS];
	uint32_t room;
	int n;

	if (!reports(s))
		return;
	room = fph_vq_driver_get_room(d->vq[SIM_REPORT]);
	if (!room)
		return;
	n = fph_reporter_submit(d->reporter, s->now, buffers, 2, segs, room);
	sim_check(s, n >= 0, "report: submit: %d", n);
	if (n > 0)
		sim_driver_send(s, SIM_REPORT, buffers, n, segs);
}

void sim_report_flush(struct sim *s)
{
	if (reports(s))
		fph_reporter_flush(s->dev->driver.reporter);
}

void sim_report_shrink(struct sim *s)
{
	struct fph_returned r[4];

	if (reports(s))
		sim_guest_put(s, r, fph_reporter_shrink(
			s->dev->driver.reporter, r, 4), SIM_REPORTED);
}

void sim_report_back(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	struct fph_returned r[4];
	int n;

	if (!d->reports || d->state == SIM_DRIVER_DOWN)
		return;
	while ((n = fph_reporter_take_back(d->reporter, r, 4)) > 0)
		sim_guest_put(s, r, n, SIM_REPORTED);
}
