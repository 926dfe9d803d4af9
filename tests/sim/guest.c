/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's workload and its allocator.
 *
 * A page is in one place, and only who has it may use it.  Memory that was
 * allocated is written before anything relies on it (V2); with poison, free
 * memory holds the poison value and the allocator relies on that.
 */
#include "sim.h"

/* Whether this guest relies on the content of free pages. */
static bool keeps_content(const struct sim *s)
{
	return s->config.poison || sim_has(s, SIM_V2) || sim_has(s, SIM_R3);
}

void sim_guest_init(struct sim *s)
{
	for (uint32_t i = 0; i < SIM_PAGES; i++)
		if (keeps_content(s))
			sim_write(s, i, SIM_POISON);
}

/* A page in that place, searched for from a random one on. */
static bool find(struct sim *s, uint32_t place, uint32_t *page)
{
	uint32_t at = sim_below(&s->rng, SIM_PAGES);

	for (uint32_t i = 0; i < 8; i++, at++) {
		*page = at % SIM_PAGES;
		if (s->page[*page].place == place)
			return true;
	}
	return false;
}

void sim_guest_alloc(struct sim *s)
{
	uint32_t place = SIM_FREE;
	uint32_t p;

	if (sim_has(s, SIM_R1) && sim_one_in(&s->rng, 16))
		place = SIM_REPORTED;
	if (s->nused >= s->config.max_used || !find(s, place, &p))
		return;
	sim_expect(s, p);
	if (place == SIM_FREE) {
		s->page[p].place = SIM_USED;
		s->nused++;
	}
	s->page[p].want = 0;
	/* Some memory is allocated long before it is written. */
	if (!sim_one_in(&s->rng, 8))
		sim_write(s, p, ++s->tag);
}

void sim_guest_write(struct sim *s)
{
	uint32_t p;

	if (find(s, SIM_USED, &p))
		sim_write(s, p, ++s->tag);
}

void sim_guest_read(struct sim *s)
{
	uint32_t p;

	if (find(s, SIM_USED, &p))
		sim_expect(s, p);
}

void sim_guest_free(struct sim *s)
{
	uint32_t p;

	if (!find(s, SIM_USED, &p))
		return;
	sim_expect(s, p);
	s->page[p].place = SIM_FREE;
	s->nused--;
	s->page[p].want = 0;
	if (keeps_content(s))
		sim_write(s, p, SIM_POISON);
}

uint32_t sim_guest_take(struct sim *s, uint32_t first, uint32_t max,
			uint32_t place)
{
	uint32_t n = 0;

	while (n < max && first + n < SIM_PAGES &&
	       s->page[first + n].place == SIM_FREE) {
		s->page[first + n].place = (uint8_t)place;
		s->page[first + n].device = s->devno;
		n++;
	}
	return n;
}

void sim_guest_put(struct sim *s, const struct fph_returned *r, int n,
		   uint32_t place)
{
	for (int i = 0; i < n; i++) {
		uint32_t first = (uint32_t)(r[i].gpa / SIM_PAGE);
		uint32_t pages = (uint32_t)(r[i].len / SIM_PAGE);

		sim_check(s, r[i].owner == first * 1000 + pages,
			  "a range came back as another");
		if (first + pages > SIM_PAGES || s->why[0])
			return;
		for (uint32_t p = first; p < first + pages; p++) {
			sim_check(s, s->page[p].place == place &&
				  s->page[p].device == s->devno,
				  "page %u came back from where it is not", p);
			s->page[p].place = SIM_FREE;
			sim_expect(s, p);
		}
	}
}
