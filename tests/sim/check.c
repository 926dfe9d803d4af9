/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What must hold at every moment, and once everything has come to its end. */
#include "sim.h"

/* Whether counts of pages agree with what the drivers say. */
static void check_places(struct sim *s, uint8_t devno, uint32_t reported,
			 uint32_t hinted)
{
	const struct sim_driver *d = &s->device[devno].driver;
	struct fph_reporter_amounts r = { .buffers = 0 };
	struct fph_hinter_amounts h = { .buffers = 0 };
	uint64_t looked = 0;

	if (d->state == SIM_DRIVER_DOWN) {
		sim_check(s, !reported && !hinted, "pages of no driver");
		return;
	}
	if (d->reports)
		fph_reporter_get_amounts(d->reporter, &r, sizeof(r));
	if (d->hints)
		fph_hinter_get_amounts(d->hinter, &h, sizeof(h));
	for (uint32_t i = 0; i < d->look.n; i++)
		looked += d->look.ranges[i].len;
	sim_check(s, r.waiting.bytes + r.outstanding.bytes + r.back.bytes ==
		  (uint64_t)reported * SIM_PAGE, "reporter holds %llu bytes",
		  (unsigned long long)r.outstanding.bytes);
	if (d->mode == FPH_HINTER_NEVER)
		return;
	sim_check(s, h.held.bytes + looked == (uint64_t)hinted * SIM_PAGE,
		  "hinter holds %llu bytes and not %u pages",
		  (unsigned long long)h.held.bytes, hinted);
	sim_check(s, h.held.bytes == h.waiting.bytes + h.outstanding.bytes +
		  h.used.bytes + h.back.bytes, "hinter's amounts");
}

/* Every page is in one place, and what is relied on is there. */
void sim_check_all(struct sim *s)
{
	uint32_t reported[SIM_DEVICES] = { 0 };
	uint32_t hinted[SIM_DEVICES] = { 0 };

	for (uint32_t p = 0; p < SIM_PAGES; p++) {
		const struct sim_page *page = &s->page[p];

		sim_expect(s, p);
		if (page->place == SIM_REPORTED)
			reported[page->device]++;
		else if (page->place == SIM_HINTED)
			hinted[page->device]++;
	}
	for (uint8_t i = 0; i < s->config.ndevices; i++)
		check_places(s, i, reported[i], hinted[i]);
}

static void check_counters(struct sim *s, const struct sim_host *h)
{
	const struct fph_report_counters *r;
	struct fph_balloon_counters c;

	fph_balloon_get_counters(h->balloon, &c, sizeof(c));
	r = &c.report;
	sim_check(s, r->bytes_offered == r->bytes_freed + r->bytes_lazy +
		  r->bytes_trimmed + r->bytes_skipped + r->bytes_failed +
		  r->bytes_overlap, "bytes of reports do not add up");
	sim_check(s, r->buffers >= r->returned, "%llu of %llu reports returned",
		  (unsigned long long)r->returned,
		  (unsigned long long)r->buffers);
	sim_check(s, !r->refused && !c.hint.refused, "a good buffer refused");
	sim_check(s, c.hint.bytes >= c.hint.bytes_cleared +
		  c.hint.bytes_dropped, "bytes of hints do not add up");
	for (uint32_t q = 0; q < FPH_NQUEUES; q++)
		sim_check(s, c.queue[q].popped >= c.queue[q].pushed,
			  "queue %u: %llu popped, %llu pushed", q,
			  (unsigned long long)c.queue[q].popped,
			  (unsigned long long)c.queue[q].pushed);
	sim_check(s, !fph_balloon_get_outstanding(h->balloon),
		  "runs are out at the end");
}

/* After the drain: nothing is under way any more. */
void sim_check_drained(struct sim *s)
{
	sim_check_all(s);
	for (uint32_t p = 0; p < SIM_PAGES; p++)
		sim_check(s, s->page[p].place == SIM_FREE ||
			  s->page[p].place == SIM_USED,
			  "page %u never came back", p);
	for (uint32_t i = 0; i < s->config.ndevices; i++) {
		const struct sim_device *dev = &s->device[i];

		check_counters(s, &dev->host);
		if (dev->driver.state != SIM_DRIVER_RUNS)
			continue;
		if (dev->driver.hints)
			sim_check(s, fph_hinter_get_state(dev->driver.hinter)
				  == FPH_HINTER_IDLE &&
				  !fph_vq_driver_get_inflight(
					dev->driver.vq[SIM_HINT]),
				  "a round never ended");
		if (dev->driver.reports)
			sim_check(s, !fph_vq_driver_get_inflight(
				dev->driver.vq[SIM_REPORT]),
				"a report was never returned");
	}
}
