/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Deterministic simulation: a guest with its drivers, its devices and a host
 * that migrates it, all of the library, in one thread.
 *
 * A run is a list of steps.  The seed decides the run's configuration and
 * draws the steps; a step is an operation, a device and a number from which
 * the operation draws what else it needs.  So a list of steps replays, and
 * so does any part of it: an operation that has nothing to do does nothing.
 *
 * A page's content is the 8 bytes at its tag; 0 is what discarded memory has.
 */
#ifndef FPH_TESTS_SIM_H
#define FPH_TESTS_SIM_H

#include <stdio.h>
#include <string.h>

#include <fph/fph.h>
#include <fph-vmm/balloon.h>
#include <fph-vmm/migration.h>

#define SIM_PAGES	256u		/* of the guest's workload */
#define SIM_PAGE	4096u
#define SIM_DEVICES	2u
#define SIM_POISON	0xaaaaaaaau
#define SIM_RINGS_GPA	0x1000000u	/* 64 KiB for each ring */
#define SIM_RING_BYTES	0x10000u
#define SIM_RING_MAX	64u
#define SIM_SEGS	64u
#define SIM_RUNS	16u		/* that a host works on at a time */
#define SIM_SECOND	1000000000u

/* ---------------------------------------------------------------- random -- */

struct sim_rng {
	uint64_t state;
};

/* splitmix64 */
static inline uint64_t sim_random(struct sim_rng *r)
{
	uint64_t x = r->state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Below n, which is not 0. */
static inline uint32_t sim_below(struct sim_rng *r, uint32_t n)
{
	return (uint32_t)((sim_random(r) >> 32) * n >> 32);
}

static inline bool sim_one_in(struct sim_rng *r, uint32_t n)
{
	return !sim_below(r, n);
}

/* --------------------------------------------------------- configuration -- */

/* How the host's dirty log is cleared. */
enum sim_log {
	SIM_LOG_EAGER,		/* by the sync */
	SIM_LOG_ARMED,		/* by chunks, all of them before an id */
	SIM_LOG_PENDING,	/* by chunks; hints count where it was
				   cleared before the id */
	SIM_LOG_ON_HINT,	/* by chunks, by a hint too: breaks D6 */
	SIM_NLOGS
};

/*
 * What is broken on purpose.  D1 to R5: that rule of the specification, by
 * whoever has to keep it; the rest are faults that were found in drivers and
 * devices.  make check-sim-mutants finds each of them.
 */
enum sim_mutant {
	SIM_NO_MUTANT,
	SIM_D1, SIM_D2, SIM_D3, SIM_D5, SIM_D6, SIM_D6_LAZY, SIM_D7, SIM_D8,
	SIM_D9, SIM_D10, SIM_V1, SIM_V2, SIM_V3, SIM_R1, SIM_R2, SIM_R3,
	SIM_R5, SIM_R6,
	SIM_REPORTER_NOT_RESET, SIM_POISON_NOT_REWRITTEN, SIM_LOST_KICK,
	SIM_HOLD_EARLY,
	SIM_NMUTANTS
};

extern const char *const sim_mutants[SIM_NMUTANTS];

struct sim_config {
	enum sim_mutant mutant;
	uint32_t ndevices;
	uint32_t shift;			/* host page: 4096 << shift */
	uint32_t chunk;			/* host pages of a log's chunk */
	enum sim_log log;
	uint32_t backing;
	uint32_t reclaim_flags;
	bool faithless;			/* the host keeps none of D1 to D6 */
	bool poison;			/* free pages hold it */
	bool legacy;			/* big-endian, without VERSION_1 */
	bool lossy;			/* notifications get lost */
	bool shows_zero;		/* config shows 0 in a round, as QEMU */
	uint32_t max_used;		/* pages of the workload */
	uint32_t errors;		/* one call in so many fails; 0: none */
	uint32_t modes;			/* bit n: hinter mode n may be chosen */
	uint64_t features;		/* that drivers may negotiate */
	uint32_t weight[64];		/* of each operation */
	uint32_t total;
};

/* ----------------------------------------------------------------- guest -- */

enum sim_place {
	SIM_FREE,
	SIM_USED,		/* the workload's */
	SIM_REPORTED,		/* with the reporter of a device */
	SIM_HINTED		/* with its hinter */
};

struct sim_page {
	uint64_t want;		/* content that is relied on; 0: none */
	uint8_t place;
	uint8_t device;
	uint8_t lent;		/* the device may discard it now */
};

enum sim_driver_state {
	SIM_DRIVER_DOWN,
	SIM_DRIVER_RUNS,
	SIM_DRIVER_RESETS	/* until the device confirms */
};

/* The two queues of a device that are simulated. */
enum {
	SIM_HINT,
	SIM_REPORT,
	SIM_QUEUES
};

/* A chunk of free pages that the driver looked at, with the id of then. */
struct sim_look {
	uint32_t id;
	uint32_t n;
	struct fph_owned_range ranges[4];
};

struct sim_driver {
	enum sim_driver_state state;
	uint64_t features;
	uint32_t mode;
	bool hints;
	bool reports;
	struct fph_vq_driver *vq[SIM_QUEUES];
	struct fph_reporter *reporter;
	struct fph_hinter *hinter;
	struct sim_look look;
	uint32_t cursor;	/* of the round's walk over memory */
	uint32_t walk_id;
	uint32_t kicks;		/* bit n: a notification on its way */
	/* As they were made. */
	struct fph_vq_driver_params ring_params[SIM_QUEUES];
	struct fph_reporter_params report_params;
	struct fph_hinter_params hint_params;
	uint64_t vq_mem[SIM_QUEUES][FPH_VQ_DRIVER_SIZE(SIM_RING_MAX) / 8];
	uint64_t reporter_mem[FPH_REPORTER_SIZE(64, 8) / 8];
	uint64_t hinter_mem[FPH_HINTER_SIZE(SIM_PAGES, 8) / 8];
};

/* ------------------------------------------------------------------ host -- */

struct sim_work {
	struct fph_run run;
	bool over;		/* discarded, not yet told */
};

struct sim_host {
	struct fph_balloon *balloon;
	struct sim_work work[SIM_RUNS];	/* reports */
	uint32_t nwork;
	struct fph_run hints[SIM_RUNS];
	uint32_t nhints;
	uint32_t last_id;
	uint32_t ring_num;
	uint32_t irqs;		/* bit n: an interrupt on its way */
	bool config_irq;
	bool in_sync;
	uint32_t stopping;	/* a ring is being stopped: 1 + its queue */
	bool pumps;		/* runs may be in the hands of pump */
	bool frozen;
	bool inhibited;
	uint64_t inflight[SIM_QUEUES][FPH_INFLIGHT_SIZE(SIM_RING_MAX) / 8 + 1];
};

struct sim_device {
	struct sim_driver driver;
	struct sim_host host;
};

enum sim_phase {
	SIM_IDLE,
	SIM_LIVE,
	SIM_CANCELLING,
	SIM_FINAL,		/* the guest is paused for the last sync */
	SIM_SWITCHING
};

struct sim_migration {
	enum sim_phase phase;
	bool logging;
	bool syncing;		/* a sync waits for the barrier */
	bool owes_harvest;	/* SIM_D1 */
	bool log[SIM_PAGES];	/* by host page, as are the next */
	bool unarmed[SIM_PAGES];
	bool late[SIM_PAGES];	/* not armed when an id was published */
	unsigned long todo[SIM_PAGES / (8 * sizeof(unsigned long))];
	uint64_t copy[SIM_PAGES];	/* tags at the destination */
	uint64_t count;		/* switch-overs */
};

struct sim {
	struct sim_config config;
	struct sim_rng rng;		/* of the step */
	uint64_t now;
	uint64_t tag;			/* the last one that was written */
	void *map;
	uint8_t *ram;			/* in it, aligned */
	struct sim_page page[SIM_PAGES];
	uint32_t nused;
	struct sim_device device[SIM_DEVICES];
	struct sim_device *dev;		/* of the step */
	uint8_t devno;
	struct sim_migration migration;
	struct fph_memory *memory;
	struct fph_reclaim *reclaim;
	bool drains;			/* no new work, no faults */
	uint64_t discarded;		/* pages */
	uint64_t cleared;		/* bits, by hints */
	uint64_t lived;			/* DONE rounds */
	char why[160];			/* it failed */
};

/* The first failure counts. */
__attribute__((format(printf, 2, 3)))
void sim_fail(struct sim *s, const char *format, ...);

#define sim_check(s, cond, ...)						\
	do {								\
		if (!(cond))						\
			sim_fail((s), __VA_ARGS__);			\
	} while (0)

static inline bool sim_has(const struct sim *s, enum sim_mutant m)
{
	return s->config.mutant == m;
}

/* A mutant, or a host that keeps no rule. */
static inline bool sim_drops(const struct sim *s, enum sim_mutant m)
{
	return s->config.faithless || sim_has(s, m);
}

/* memory.c */
bool sim_memory_init(struct sim *s);
void sim_memory_fini(struct sim *s);
uint64_t *sim_tag(struct sim *s, uint32_t page);
uint8_t *sim_ring(struct sim *s, uint32_t dev, uint32_t queue);
uint64_t sim_ring_gpa(uint32_t dev, uint32_t queue);
void sim_write(struct sim *s, uint32_t page, uint64_t tag);
void sim_expect(struct sim *s, uint32_t page);
void sim_discard(struct sim *s, uint32_t first, uint32_t n);

/* guest.c: the workload */
void sim_guest_init(struct sim *s);
void sim_guest_alloc(struct sim *s);
void sim_guest_write(struct sim *s);
void sim_guest_read(struct sim *s);
void sim_guest_free(struct sim *s);
/* Takes a free block for the driver; its pages, 0: there is none. */
uint32_t sim_guest_take(struct sim *s, uint32_t first, uint32_t max,
			uint32_t place);
/* What a reporter or hinter returned. */
void sim_guest_put(struct sim *s, const struct fph_returned *r, int n,
		   uint32_t place);

/* driver.c, driver_hint.c, driver_report.c */
void sim_driver_boot(struct sim *s);
void sim_driver_reset(struct sim *s);
void sim_driver_save(struct sim *s);
void sim_driver_confirm(struct sim *s);
void sim_driver_irq(struct sim *s);
void sim_driver_config(struct sim *s);
void sim_driver_send(struct sim *s, uint32_t queue, struct fph_buffer *buffers,
		     int n, struct fph_seg *segs);
void sim_driver_kick(struct sim *s);
bool sim_driver_runs(const struct sim *s);
void sim_report_add(struct sim *s);
void sim_report_submit(struct sim *s);
void sim_report_flush(struct sim *s);
void sim_report_shrink(struct sim *s);
void sim_report_back(struct sim *s);
void sim_report_init(struct sim *s);
void sim_hint_look(struct sim *s);
void sim_hint_add(struct sim *s);
void sim_hint_submit(struct sim *s);
void sim_hint_flush(struct sim *s);
void sim_hint_stop(struct sim *s);
void sim_hint_shrink(struct sim *s);
void sim_hint_back(struct sim *s);
void sim_hint_init(struct sim *s);

/* host.c, host_life.c */
bool sim_host_new(struct sim *s, struct sim_host *h);
void sim_host_fini(struct sim *s, struct sim_host *h);
int sim_host_start(struct sim *s, const uint32_t *base);
void sim_host_kick(struct sim *s);
void sim_host_process(struct sim *s);
void sim_host_next(struct sim *s);
void sim_host_discard(struct sim *s);
void sim_host_complete(struct sim *s);
void sim_host_flush(struct sim *s);
void sim_host_pump(struct sim *s);
void sim_host_hint_next(struct sim *s);
void sim_host_hint_complete(struct sim *s);
void sim_host_events(struct sim *s);
void sim_host_target(struct sim *s);
void sim_host_freeze(struct sim *s);
void sim_host_thaw(struct sim *s);
void sim_host_inhibit(struct sim *s);
void sim_host_enable(struct sim *s);
void sim_host_reset(struct sim *s);
void sim_host_crash(struct sim *s);
void sim_host_ring_stop(struct sim *s);
/* Another device goes on; false: not quiet yet. */
bool sim_host_move(struct sim *s);
void sim_host_save(struct sim *s);

/* migration.c */
void sim_migration_begin(struct sim *s);
void sim_migration_sync(struct sim *s);
void sim_migration_publish(struct sim *s);
void sim_migration_send(struct sim *s);
void sim_migration_finish(struct sim *s);
void sim_migration_cancel(struct sim *s);
/* A run of hints: clear the bitmap. */
void sim_migration_hint(struct sim *s, struct fph_run *run);

/* check.c */
void sim_check_all(struct sim *s);
void sim_check_drained(struct sim *s);

/* swarm.c */
void sim_config_draw(struct sim_config *c, uint64_t seed,
		     enum sim_mutant mutant);

/* run.c */
struct sim_step {
	uint8_t op;
	uint8_t device;
	uint32_t arg;
};

struct sim_op {
	const char *name;
	void (*run)(struct sim *s);
	uint32_t weight;	/* typical; swarm.c varies it */
	bool optional;		/* left out of some runs */
	bool is_guest;
};

extern const struct sim_op sim_ops[];
extern const uint32_t sim_nops;

/*
 * Runs steps of a seed, or those of a trace.  The number of steps done;
 * s->why is set if it failed.
 */
uint64_t sim_run(struct sim *s, uint64_t seed, enum sim_mutant mutant,
		 struct sim_step *trace, uint64_t n, bool is_replay);

#endif /* FPH_TESTS_SIM_H */
