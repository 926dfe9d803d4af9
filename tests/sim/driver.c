/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The guest's driver: its rings, its life, interrupts and config space. */
#include "sim.h"

#define DEVICE_OFFSET	0x2000u
#define DRIVER_OFFSET	0x1000u
#define TABLES_OFFSET	0x8000u
#define TABLE_ENTRIES	16u

bool sim_driver_runs(const struct sim *s)
{
	return s->dev->driver.state == SIM_DRIVER_RUNS &&
	       s->migration.phase != SIM_FINAL &&
	       s->migration.phase != SIM_SWITCHING;
}

/* ----------------------------------------------------------------- rings -- */

static void init_ring(struct sim *s, uint32_t queue, bool tables)
{
	struct sim_driver *d = &s->dev->driver;
	uint8_t *ring = sim_ring(s, s->devno, queue);
	const struct fph_vq_driver_params p = {
		.size = sizeof(p),
		.num = s->dev->host.ring_num,
		.features = d->features,
		.endian = s->config.legacy ? FPH_BE : FPH_LE,
		.desc = ring,
		.driver = ring + DRIVER_OFFSET,
		.device = ring + DEVICE_OFFSET,
		.tables = tables ? ring + TABLES_OFFSET : NULL,
		.tables_gpa = sim_ring_gpa(s->devno, queue) + TABLES_OFFSET,
		.table_entries = tables ? TABLE_ENTRIES : 0
	};

	d->ring_params[queue] = p;
	sim_check(s, fph_vq_driver_init(&d->vq[queue], d->vq_mem[queue],
					sizeof(d->vq_mem[queue]), &p) ==
		  FPH_OK, "driver's ring");
}

/* The embedder's side of cancel: what did not fit was never in the queue. */
static void cancel(struct sim *s, uint32_t queue,
		   const struct fph_buffer *buffers, int from, int n)
{
	struct sim_driver *d = &s->dev->driver;
	int ret;

	for (int i = n - 1; i >= from; i--) {
		ret = queue == SIM_HINT ?
			fph_hinter_cancel(d->hinter, buffers[i].cookie) :
			fph_reporter_cancel(d->reporter, s->now,
					    buffers[i].cookie);
		sim_check(s, ret == FPH_OK, "cancel: %d", ret);
	}
}

void sim_driver_send(struct sim *s, uint32_t queue, struct fph_buffer *buffers,
		     int n, struct fph_seg *segs)
{
	struct sim_driver *d = &s->dev->driver;
	int try = n, ret;

	/* An allocation for the queue failed. */
	if (!s->drains && s->config.errors && sim_one_in(&s->rng, 64))
		try = (int)sim_below(&s->rng, (uint32_t)n);
	ret = try ? fph_vq_driver_add(d->vq[queue], buffers, (uint32_t)try,
				      segs) : 0;
	if (ret == FPH_EFULL)
		ret = 0;
	sim_check(s, ret >= 0, "add to the ring: %d", ret);
	cancel(s, queue, buffers, ret > 0 ? ret : 0, n);
	sim_check(s, fph_vq_driver_publish(d->vq[queue]) == FPH_OK, "publish");
	if (fph_vq_driver_should_notify(d->vq[queue]) == 1 &&
	    !(sim_has(s, SIM_LOST_KICK) && sim_one_in(&s->rng, 32)))
		d->kicks |= 1u << queue;
}

/* Notifications arrive later, or not at all. */
void sim_driver_kick(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	uint32_t kicks = d->kicks;

	if (s->config.lossy && !s->drains && sim_one_in(&s->rng, 8))
		kicks = sim_below(&s->rng, 4);
	else if (s->config.lossy && s->drains)
		kicks = 3;
	d->kicks = 0;
	for (uint32_t q = 0; q < SIM_QUEUES; q++)
		if (kicks & 1u << q)
			fph_balloon_kick(s->dev->host.balloon,
					 q == SIM_HINT ? FPH_QUEUE_HINT :
							 FPH_QUEUE_REPORT);
}

/* ------------------------------------------------------------ interrupts -- */

static void complete(struct sim *s, uint32_t queue,
		     const struct fph_used *used, int n)
{
	struct sim_driver *d = &s->dev->driver;
	int ret;

	for (int i = 0; i < n; i++)
		sim_check(s, !used[i].len, "used length %u", used[i].len);
	if (queue == SIM_HINT)
		ret = fph_hinter_complete(d->hinter, used, (uint32_t)n);
	else
		ret = fph_reporter_complete(d->reporter, s->now, used,
					    (uint32_t)n, true);
	sim_check(s, ret == n, "a buffer came back that was not out: %d", ret);
}

static void take_used(struct sim *s, uint32_t queue)
{
	struct fph_vq_driver *vq = s->dev->driver.vq[queue];
	struct fph_used used[4];
	int n;

	do {
		while ((n = fph_vq_driver_take_used(vq, used, 4)) > 0)
			complete(s, queue, used, n);
		sim_check(s, n == 0, "take used: %d", n);
	} while (!s->why[0] && fph_vq_driver_want_notify(vq, true) == 1);
}

void sim_driver_irq(struct sim *s)
{
	struct sim_host *h = &s->dev->host;
	uint32_t irqs = h->irqs;

	if (!sim_driver_runs(s))
		return;
	if (s->config.lossy && !s->drains && sim_one_in(&s->rng, 8))
		irqs = sim_below(&s->rng, 4);
	else if (s->config.lossy && s->drains)
		irqs = 3;
	h->irqs = 0;
	if (irqs & 1u << SIM_HINT && s->dev->driver.hints)
		take_used(s, SIM_HINT);
	if (irqs & 1u << SIM_REPORT && s->dev->driver.reports)
		take_used(s, SIM_REPORT);
}

void sim_driver_config(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	struct sim_host *h = &s->dev->host;
	struct fph_balloon_config config;
	uint8_t space[FPH_CONFIG_SIZE];
	uint32_t id;

	if (!sim_driver_runs(s) || !d->hints)
		return;
	/* Most reads follow an interrupt; a few come by themselves. */
	if (!h->config_irq &&
	    (s->drains ? !s->config.lossy : !sim_one_in(&s->rng, 4)))
		return;
	h->config_irq = false;
	if (!s->drains && s->config.lossy && sim_one_in(&s->rng, 8))
		return;
	fph_balloon_get_config(h->balloon, 0, space, sizeof(space));
	fph_config_decode(&config, space, sizeof(space));
	id = config.free_page_hint_cmd_id;
	if (s->config.shows_zero && fph_balloon_hint_get_state(h->balloon) ==
				    FPH_HINT_ACTIVE)
		id = VIRTIO_BALLOON_CMD_ID_STOP;
	if (sim_has(s, SIM_V3) &&
	    fph_hinter_get_state(d->hinter) == FPH_HINTER_ACTIVE)
		return;
	fph_hinter_set_config(d->hinter, id);
}

/* ------------------------------------------------------------------ life -- */

static uint64_t choose_features(struct sim *s)
{
	uint64_t f = s->config.features;

	if (s->config.poison)
		f &= ~FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	else
		f &= ~FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON);
	if (sim_one_in(&s->rng, 4))
		f &= ~FPH_BIT(VIRTIO_RING_F_EVENT_IDX);
	if (sim_one_in(&s->rng, 4))
		f &= ~FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC);
	if (s->config.legacy || sim_one_in(&s->rng, 2))
		f &= ~FPH_BIT(VIRTIO_F_RING_PACKED);
	if (sim_one_in(&s->rng, 2))
		f &= ~FPH_BIT(VIRTIO_F_IN_ORDER);
	return f;
}

void sim_driver_boot(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;
	struct sim_host *h = &s->dev->host;
	uint32_t base[SIM_QUEUES];
	uint8_t poison[4];
	bool tables;

	if (d->state != SIM_DRIVER_DOWN || s->migration.phase >= SIM_FINAL)
		return;
	d->features = choose_features(s);
	d->hints = d->features & FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	d->reports = d->features & FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING);
	h->ring_num = 4u << sim_below(&s->rng, 5);
	tables = d->features & FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC);
	if (!fph_balloon_set_endian(h->balloon, s->config.legacy ? FPH_BE :
								   FPH_LE))
		sim_check(s, fph_balloon_set_features(h->balloon, d->features)
			  == FPH_OK, "features");
	if (s->config.poison && !sim_has(s, SIM_POISON_NOT_REWRITTEN)) {
		memcpy(poison, &(uint32_t){ SIM_POISON }, 4);
		fph_balloon_set_config(h->balloon, FPH_CONFIG_POISON_VAL,
				       poison, 4);
	}
	if (d->hints) {
		init_ring(s, SIM_HINT, tables);
		sim_hint_init(s);
	}
	if (d->reports) {
		init_ring(s, SIM_REPORT, tables);
		sim_report_init(s);
	}
	if (s->why[0])
		return;
	memset(h->inflight, 0, sizeof(h->inflight));
	base[SIM_HINT] = FPH_VRING_NEW_BASE(d->features);
	base[SIM_REPORT] = base[SIM_HINT];
	sim_check(s, sim_host_start(s, base) == FPH_OK, "ring start");
	d->kicks = 0;
	d->state = SIM_DRIVER_RUNS;
	h->config_irq = true;
}

/* The driver lets go of the device; what is out stays out for now. */
void sim_driver_reset(struct sim *s)
{
	if (sim_driver_runs(s))
		s->dev->driver.state = SIM_DRIVER_RESETS;
}

static void detach(struct sim *s, uint32_t queue)
{
	struct fph_vq_driver *vq = s->dev->driver.vq[queue];
	uint32_t n = fph_vq_driver_get_inflight(vq), k = 0;
	struct fph_used used[4];
	int ret;

	while ((ret = fph_vq_driver_detach(vq, used, 4)) > 0)
		k += (uint32_t)ret;
	sim_check(s, ret == 0 && k == n, "%u buffers detached of %u", k, n);
}

/* The device has confirmed the reset. */
void sim_driver_confirm(struct sim *s)
{
	struct sim_driver *d = &s->dev->driver;

	if (d->hints) {
		detach(s, SIM_HINT);
		fph_hinter_reset(d->hinter);
		sim_hint_back(s);
	}
	if (d->reports) {
		detach(s, SIM_REPORT);
		if (!sim_has(s, SIM_REPORTER_NOT_RESET))
			fph_reporter_reset(d->reporter);
		sim_report_back(s);
	}
	s->dev->host.irqs = 0;
	d->kicks = 0;
	d->state = SIM_DRIVER_DOWN;
}
