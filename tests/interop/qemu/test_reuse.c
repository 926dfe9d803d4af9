/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A guest that takes hinted pages into use while the migration goes through
 * several rounds, each with an id of its own: no byte of its data is lost.
 */
#define _GNU_SOURCE
#include <string.h>

#include "supervise.h"
#include "tests.h"

#define SIZE	(16 * MIB)
#define ROUNDS	4u
#define RUNS	4u			/* of each test: 24 in all */

/* So slow that the guest's writes keep ahead of it. */
#define SLOW	(24 * MIB)
#define FAST	(16384 * MIB)

static bool enough(const struct guest *g, struct vm *from)
{
	struct migration m;

	qmp_get_migration(&from->qmp, &m);
	if (!strcmp(m.status, "failed"))
		die("the migration failed");
	return !strcmp(m.status, "pre-switchover") ||
		(g->ids >= ROUNDS && g->reused >= 100);
}

/* Whether there were rounds and reuse enough; ids and reused are added to. */
static bool run_seed(const struct test *t, uint64_t seed, uint32_t *ids,
		     uint32_t *reused)
{
	struct guest_params p = {
		.features = HINT | t->ring,
		.mode = t->mode,
		.seed = seed,
		.used_percent = 30,
		.max_order = 3
	};
	struct vm from, to;
	struct guest g;
	bool slow = true;

	vm_start(&from, t->bus, SIZE, false);
	vm_start(&to, t->bus, SIZE, true);
	guest_start(&g, &from, &p);
	qmp_set_speed(&from.qmp, SLOW, 1);
	qmp_migrate(&from.qmp, to.incoming);
	/*
	 * When QEMU has stopped the guest it still waits for the word to go
	 * on, and harvests the dirty log once more afterwards: so no write of
	 * this loop comes too late.
	 */
	while (!qmp_migration_is(&from.qmp, "pre-switchover")) {
		guest_hint(&g, 3);
		guest_churn(&g, 4);
		if (slow && enough(&g, &from)) {
			slow = false;
			qmp_set_speed(&from.qmp, FAST, 60000);
		}
	}
	qmp_migrate_finish(&from.qmp);
	guest_move(&g, &to);
	guest_check(&g, to.ram);
	guest_settle(&g);
	guest_churn(&g, 50);
	guest_check(&g, to.ram);
	*ids += g.ids;
	*reused += g.reused;
	guest_stop(&g);
	vm_stop(&to);
	vm_stop(&from);
	return g.ids >= 2 && g.reused > 0;
}

static void test_reuse(const struct test *t)
{
	uint64_t seed = 1000 + 100 * (uint64_t)t->mode + 500 * (uint64_t)t->bus;
	uint32_t ids = 0, reused = 0, n = 0, i;

	/*
	 * A machine under load may not let the guest write for so long that
	 * the migration comes to its end in one round: then one run more.
	 */
	for (i = 0; n < RUNS && i < 5 * RUNS; i++)
		n += run_seed(t, seed + i, &ids, &reused);
	note("%u runs, %u rounds, %u hinted pages used again", i, ids, reused);
	CHECK(n == RUNS);
}

const struct test reuse_tests[] = {
	{ "reuse_never_mmio", test_reuse, VM_MMIO, INDIRECT | EVENT,
	  FPH_HINTER_NEVER },
	{ "reuse_never_pci", test_reuse, VM_PCI, 0, FPH_HINTER_NEVER },
	{ "reuse_until_used_mmio", test_reuse, VM_MMIO, EVENT,
	  FPH_HINTER_UNTIL_USED },
	{ "reuse_until_used_pci", test_reuse, VM_PCI, INDIRECT,
	  FPH_HINTER_UNTIL_USED },
	{ "reuse_hold_mmio", test_reuse, VM_MMIO, 0, FPH_HINTER_HOLD },
	{ "reuse_hold_pci", test_reuse, VM_PCI, INDIRECT | EVENT,
	  FPH_HINTER_HOLD },
	{ .name = NULL }
};
