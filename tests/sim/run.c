/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The scheduler: draws steps, does them, and brings a run to its end. */
#include <stdlib.h>

#include "sim.h"

#define CHECK_EVERY	512u
#define DRAIN_ROUNDS	3000u

const char *const sim_mutants[SIM_NMUTANTS] = {
	[SIM_NO_MUTANT] = "none",
	[SIM_D1] = "D1", [SIM_D2] = "D2", [SIM_D3] = "D3", [SIM_D5] = "D5",
	[SIM_D6] = "D6", [SIM_D6_LAZY] = "D6-lazy", [SIM_D7] = "D7",
	[SIM_D8] = "D8", [SIM_D9] = "D9", [SIM_D10] = "D10",
	[SIM_V1] = "V1", [SIM_V2] = "V2", [SIM_V3] = "V3",
	[SIM_R1] = "R1", [SIM_R2] = "R2", [SIM_R3] = "R3",
	[SIM_R5] = "R5", [SIM_R6] = "R6",
	[SIM_REPORTER_NOT_RESET] = "reporter-not-reset",
	[SIM_POISON_NOT_REWRITTEN] = "poison-not-rewritten",
	[SIM_LOST_KICK] = "lost-kick",
	[SIM_HOLD_EARLY] = "hold-early"
};

static void pass_time(struct sim *s)
{
	s->now += 1 + sim_below(&s->rng, 64);
}

const struct sim_op sim_ops[] = {
	/* The guest's, not while it is paused. */
	{ "alloc", sim_guest_alloc, 128, false, true },
	{ "write", sim_guest_write, 64, false, true },
	{ "read", sim_guest_read, 16, false, true },
	{ "free", sim_guest_free, 112, false, true },
	{ "report-add", sim_report_add, 64, false, true },
	{ "report-submit", sim_report_submit, 32, false, true },
	{ "report-flush", sim_report_flush, 16, true, true },
	{ "report-shrink", sim_report_shrink, 8, true, true },
	{ "report-back", sim_report_back, 32, false, true },
	{ "hint-look", sim_hint_look, 64, false, true },
	{ "hint-add", sim_hint_add, 64, false, true },
	{ "hint-submit", sim_hint_submit, 64, false, true },
	{ "hint-flush", sim_hint_flush, 16, true, true },
	{ "hint-back", sim_hint_back, 32, false, true },
	{ "hint-stop", sim_hint_stop, 1, true, true },
	{ "hint-shrink", sim_hint_shrink, 2, true, true },
	{ "irq", sim_driver_irq, 48, false, true },
	{ "config", sim_driver_config, 32, false, true },
	{ "boot", sim_driver_boot, 8, false, true },
	{ "reset", sim_driver_reset, 1, true, true },
	{ "driver-save", sim_driver_save, 1, true, true },
	/* The host's. */
	{ "time", pass_time, 48, false, false },
	{ "kick", sim_driver_kick, 64, false, false },
	{ "process", sim_host_process, 64, false, false },
	{ "next", sim_host_next, 48, false, false },
	{ "discard", sim_host_discard, 48, false, false },
	{ "complete", sim_host_complete, 48, false, false },
	{ "flush", sim_host_flush, 48, false, false },
	{ "pump", sim_host_pump, 8, true, false },
	{ "hint-next", sim_host_hint_next, 48, false, false },
	{ "hint-complete", sim_host_hint_complete, 48, false, false },
	{ "events", sim_host_events, 32, false, false },
	{ "device-reset", sim_host_reset, 16, false, false },
	{ "begin", sim_migration_begin, 8, false, false },
	{ "sync", sim_migration_sync, 8, false, false },
	{ "publish", sim_migration_publish, 8, false, false },
	{ "send", sim_migration_send, 4, false, false },
	{ "finish", sim_migration_finish, 1, false, false },
	{ "cancel", sim_migration_cancel, 1, true, false },
	{ "thaw", sim_host_thaw, 16, false, false },
	{ "freeze", sim_host_freeze, 1, true, false },
	{ "spurious-kick", sim_host_kick, 8, true, false },
	{ "target", sim_host_target, 4, true, false },
	{ "inhibit", sim_host_inhibit, 1, true, false },
	{ "enable", sim_host_enable, 1, false, false },
	{ "crash", sim_host_crash, 1, true, false },
	{ "ring-stop", sim_host_ring_stop, 1, true, false },
	{ "save", sim_host_save, 1, true, false }
};
const uint32_t sim_nops = sizeof(sim_ops) / sizeof(sim_ops[0]);

static bool is_paused(const struct sim *s)
{
	return s->migration.phase == SIM_FINAL ||
	       s->migration.phase == SIM_SWITCHING;
}

static void step(struct sim *s, const struct sim_step *t)
{
	const struct sim_op *op = &sim_ops[t->op];

	s->devno = t->device;
	s->dev = &s->device[t->device];
	s->rng.state = t->arg;
	if (!op->is_guest || !is_paused(s))
		op->run(s);
}

/* ----------------------------------------------------------------- drain -- */

static bool is_drained(const struct sim *s)
{
	const struct sim_device *dev = s->dev;
	struct fph_reporter_amounts r = { .buffers = 0 };
	struct fph_hinter_amounts h = { .buffers = 0 };

	if (s->migration.phase != SIM_IDLE || dev->host.nwork ||
	    dev->host.nhints || dev->driver.state != SIM_DRIVER_RUNS ||
	    dev->driver.look.n || dev->host.config_irq)
		return false;
	if (dev->driver.reports)
		fph_reporter_get_amounts(dev->driver.reporter, &r, sizeof(r));
	if (dev->driver.hints) {
		fph_hinter_get_amounts(dev->driver.hinter, &h, sizeof(h));
		if (fph_hinter_get_state(dev->driver.hinter) !=
		    FPH_HINTER_IDLE ||
		    fph_vq_driver_get_inflight(dev->driver.vq[SIM_HINT]))
			return false;
	}
	return !(r.waiting.bytes + r.outstanding.bytes + r.back.bytes +
		 h.waiting.bytes + h.outstanding.bytes + h.used.bytes +
		 h.back.bytes) && (!dev->driver.reports ||
		!fph_vq_driver_get_inflight(dev->driver.vq[SIM_REPORT]));
}

static void (*const drain_steps[])(struct sim *s) = {
	sim_host_reset, sim_driver_boot, sim_host_thaw, sim_host_inhibit,
	sim_driver_kick, sim_host_process, sim_host_process, sim_host_next,
	sim_host_discard, sim_host_complete, sim_host_pump, sim_host_hint_next,
	sim_host_hint_complete, sim_host_flush, sim_host_events,
	sim_host_ring_stop, sim_driver_irq, sim_driver_config, sim_report_flush,
	sim_report_submit, sim_report_back, sim_hint_add, sim_hint_submit,
	sim_hint_back
};

/* Everybody goes on with what is begun; nothing new, and nothing fails. */
static bool drain(struct sim *s)
{
	const uint32_t n = sizeof(drain_steps) / sizeof(drain_steps[0]);
	uint32_t drained = 0;

	s->drains = true;
	s->rng.state = 1;
	for (uint32_t i = 0; i < DRAIN_ROUNDS && !s->why[0]; i++) {
		s->devno = (uint8_t)(i % s->config.ndevices);
		s->dev = &s->device[s->devno];
		s->now += SIM_SECOND;
		sim_migration_cancel(s);
		sim_migration_finish(s);
		for (uint32_t k = 0; k < n && !s->why[0]; k++)
			drain_steps[k](s);
		drained = is_drained(s) ? drained + 1 : 0;
		if (drained == s->config.ndevices)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------- run -- */

#define DECK	1024u

/* As many cards of each operation as it has weight. */
static void make_deck(const struct sim_config *c, uint8_t *deck)
{
	uint32_t k = 0, sum = 0;

	for (uint32_t i = 0; i < sim_nops; i++) {
		sum += c->weight[i];
		while (k < (uint64_t)DECK * sum / c->total)
			deck[k++] = (uint8_t)i;
	}
}

static bool init(struct sim *s, uint64_t seed, enum sim_mutant mutant)
{
	memset(s, 0, sizeof(*s));
	sim_config_draw(&s->config, seed, mutant);
	if (!sim_memory_init(s))
		return false;
	for (uint32_t i = 0; i < s->config.ndevices; i++)
		if (!sim_host_new(s, &s->device[i].host))
			return false;
	sim_guest_init(s);
	return true;
}

static void fini(struct sim *s)
{
	for (uint32_t i = 0; i < SIM_DEVICES; i++)
		fph_balloon_free(s->device[i].host.balloon);
	sim_memory_fini(s);
}

uint64_t sim_run(struct sim *s, uint64_t seed, enum sim_mutant mutant,
		 struct sim_step *trace, uint64_t n, bool is_replay)
{
	struct sim_rng draw = { seed ^ 0x5eed };
	uint8_t deck[DECK];
	struct sim_step t;
	uint64_t i = 0;

	if (!init(s, seed, mutant)) {
		sim_fail(s, "no memory");
		return 0;
	}
	make_deck(&s->config, deck);
	while (i < n && !s->why[0]) {
		uint64_t x = sim_random(&draw);

		t.op = deck[x % DECK];
		t.device = (uint8_t)((x >> 10) % s->config.ndevices);
		t.arg = (uint32_t)(x >> 32);
		if (is_replay)
			t = trace[i];
		else if (trace)
			trace[i] = t;
		step(s, &t);
		if (++i % CHECK_EVERY == 0)
			sim_check_all(s);
	}
	if (!s->why[0]) {
		(void)drain(s);
		if (!s->why[0])
			sim_check_drained(s);
	}
	fini(s);
	return i;
}
