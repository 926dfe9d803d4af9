/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest's driver: free page hinting. */
#include "sim.h"

#define COMMANDS_OFFSET	0x4000u
#define COMMANDS	4u

static bool hints(const struct sim *s)
{
	return sim_driver_runs(s) && s->dev->driver.hints;
}

static uint32_t choose_mode(struct sim *s)
{
	uint32_t mode;

	do
		mode = 1 + sim_below(&s->rng, 3);
	while (!(s->config.modes & 1u << mode));
	return mode;
}

void sim_hint_init(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	bool indirect = d->features & FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC);
	/* A chain is never longer than the ring, an indirect one neither. */
	uint32_t max_segs = s->dev->host.ring_num < 16 ?
			    s->dev->host.ring_num : 16;
	struct fph_hinter_params p = {
		.size = sizeof(p),
		.content = FPH_CONTENT_FREE,
		.features = d->features,
		.mode = choose_mode(s),
		.flags = FPH_HINTER_METADATA_OUTSIDE,
		.endian = s->config.legacy ? FPH_BE : FPH_LE,
		.max_ranges = 4 + sim_below(&s->rng, SIM_PAGES - 3),
		.max_hints = 1 + sim_below(&s->rng, 8),
		.max_segs = 1 + sim_below(&s->rng, max_segs),
		.commands = 2 + sim_below(&s->rng, COMMANDS - 1),
		.commands_gpa = sim_ring_gpa(s->devno, SIM_HINT) +
				COMMANDS_OFFSET
	};
	int ret;

	if (indirect)
		p.flags |= FPH_HINTER_INDIRECT;
	if (sim_one_in(&s->rng, 4))
		p.flags |= FPH_HINTER_NO_MERGE;
	d->mode = p.mode;
	d->walk_id = 0;
	d->look.n = 0;
	ret = fph_hinter_init(&d->hinter, d->hinter_mem,
			      sizeof(d->hinter_mem), &p);
	sim_check(s, ret == FPH_OK, "hinter: %d", ret);
	d->hint_params = p;
}

static void set_range(struct fph_owned_range *r, uint32_t first, uint32_t n)
{
	r->gpa = (uint64_t)first * SIM_PAGE;
	r->len = (uint64_t)n * SIM_PAGE;
	r->owner = first * 1000 + n;
}

/* The next free block of the walk, 0: the end. */
static uint32_t find_block(struct sim *s, uint32_t *first)
{
	struct sim_driver *d = &s->dev->driver;
	uint32_t max = 1u << sim_below(&s->rng, 4), n = 0;

	while (d->cursor < SIM_PAGES &&
	       s->page[d->cursor].place != SIM_FREE)
		d->cursor++;
	*first = d->cursor;
	while (n < max && *first + n < SIM_PAGES &&
	       s->page[*first + n].place == SIM_FREE)
		n++;
	d->cursor += n;
	return n;
}

/* Reads the id, and then looks at free memory: NEVER takes nothing. */
void sim_hint_look(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	struct sim_look *look = &d->look;
	uint32_t id, first, n;

	if (!hints(s) || look->n)
		return;
	id = fph_hinter_get_id(d->hinter);
	if (!id && !sim_has(s, SIM_V1))
		return;
	if (id != d->walk_id || (sim_has(s, SIM_V3) &&
				 d->cursor == SIM_PAGES)) {
		d->walk_id = id;
		d->cursor = 0;
	}
	look->id = id;
	while (look->n < 4 && (n = find_block(s, &first)) != 0)
		set_range(&look->ranges[look->n++], first, n);
	if (!look->n && id && !s->drains)
		fph_hinter_finish_input(d->hinter);
	if (d->mode == FPH_HINTER_NEVER)
		return;
	for (uint32_t i = 0; i < look->n; i++)
		sim_guest_take(s, (uint32_t)(look->ranges[i].gpa / SIM_PAGE),
			       (uint32_t)(look->ranges[i].len / SIM_PAGE),
			       SIM_HINTED);
}

static void give_up(struct sim *s, const struct fph_owned_range *r,
		    uint32_t n)
{
	if (s->dev->driver.mode == FPH_HINTER_NEVER)
		return;
	for (uint32_t i = 0; i < n; i++) {
		const struct fph_returned back = {
			.gpa = r[i].gpa, .len = r[i].len, .owner = r[i].owner
		};

		sim_guest_put(s, &back, 1, SIM_HINTED);
	}
}

void sim_hint_add(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	struct sim_look *look = &d->look;
	uint32_t id, done;
	int ret;

	if (!hints(s) || !look->n)
		return;
	if (s->drains && sim_has(s, SIM_V1))
		look->n = 0;
	id = sim_has(s, SIM_V1) ? fph_hinter_get_id(d->hinter) : look->id;
	if (!id && sim_has(s, SIM_V1))
		return;
	ret = fph_hinter_add(d->hinter, id, look->ranges, look->n);
	sim_check(s, ret > 0 || ret == FPH_ESTATE || ret == FPH_EFULL,
		  "hint: add: %d", ret);
	done = ret > 0 ? (uint32_t)ret : 0;
	give_up(s, look->ranges + done, look->n - done);
	look->n = 0;
	/* A round of HOLD ends with what there is room for. */
	if (ret == FPH_EFULL && d->mode == FPH_HINTER_HOLD)
		fph_hinter_finish_input(d->hinter);
}

static void copy_commands(struct sim *s, const struct fph_buffer *buffers,
			  int n)
{
	uint8_t *commands = sim_ring(s, s->devno, SIM_HINT) + COMMANDS_OFFSET;

	for (int i = 0; i < n; i++)
		if (buffers[i].flags & (FPH_BUFFER_START | FPH_BUFFER_STOP))
			memcpy(commands + 4 * buffers[i].index,
			       buffers[i].command, 4);
}

void sim_hint_submit(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	struct fph_buffer buffers[2];
	struct fph_seg segs[SIM_SEGS];
	int n;

	if (!hints(s))
		return;
	n = fph_hinter_submit(d->hinter, fph_vq_driver_get_room(
				d->vq[SIM_HINT]), buffers, 2, segs, SIM_SEGS);
	sim_check(s, n >= 0, "hint: submit: %d", n);
	if (n <= 0)
		return;
	copy_commands(s, buffers, n);
	sim_driver_send(s, SIM_HINT, buffers, n, segs);
}

void sim_hint_flush(struct sim *s)
{
	if (hints(s))
		fph_hinter_flush(s->dev->driver.hinter);
}

void sim_hint_stop(struct sim *s)
{
	if (hints(s))
		fph_hinter_stop(s->dev->driver.hinter);
}

void sim_hint_shrink(struct sim *s)
{
	struct fph_returned r[4];

	if (hints(s) && s->dev->driver.mode != FPH_HINTER_NEVER)
		sim_guest_put(s, r, fph_hinter_shrink(s->dev->driver.hinter,
						      r, 4), SIM_HINTED);
}

void sim_hint_back(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	struct fph_returned r[4];
	int n;

	if (!d->hints || d->state == SIM_DRIVER_DOWN)
		return;
	if (d->state == SIM_DRIVER_RESETS) {
		give_up(s, d->look.ranges, d->look.n);
		d->look.n = 0;
	}
	while ((n = fph_hinter_take_back(d->hinter, r, 4)) > 0)
		sim_guest_put(s, r, n, SIM_HINTED);
}
