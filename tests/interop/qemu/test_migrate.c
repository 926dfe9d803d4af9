/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Hinting rounds while the guest is migrated to another QEMU. */
#define _GNU_SOURCE
#include <string.h>

#include "supervise.h"
#include "tests.h"

/* Bytes a second while the guest hints, and without a limit. */
#define SLOW	(2 * MIB)
#define FAST	(16384 * MIB)

/* ms; so short that QEMU goes on, and as long as need be. */
#define SHORT	1u
#define LONG	60000u

static const struct guest_params basic = {
	.mode = FPH_HINTER_NEVER,
	.seed = 7,
	.used_percent = 15,
	.max_order = 5
};

/* So many rounds were begun and ended. */
static void check_rounds(const struct guest *g, uint64_t n)
{
	struct fph_hinter_counters c;

	CHECK(!fph_hinter_get_counters(g->hinter, &c, sizeof(c)));
	CHECK(c.rounds == n && c.stops == n);
}

static void finish(struct vm *from, struct migration *m)
{
	qmp_set_speed(&from->qmp, FAST, LONG);
	qmp_migrate_finish(&from->qmp);
	qmp_get_migration(&from->qmp, m);
}

/*
 * One migration of a guest that is 85 % free and does not run meanwhile.  It
 * goes slowly until the guest has hinted, or a machine under load would send
 * most pages before the guest has had the processor.
 */
static void migrate(const struct test *t, uint64_t size, uint64_t features,
		    struct migration *m, uint32_t *hinted)
{
	struct guest_params p = basic;
	struct vm from, to;
	struct guest g;

	p.features = features | t->ring;
	p.mode = t->mode;
	vm_start(&from, t->bus, size, false);
	vm_start(&to, t->bus, size, true);
	guest_start(&g, &from, &p);
	qmp_set_speed(&from.qmp, SLOW, SHORT);
	qmp_migrate(&from.qmp, to.incoming);
	if (features & HINT) {
		hint_round(&g);
		CHECK(g.ids == 1);
		check_rounds(&g, 1);
	}
	finish(&from, m);
	guest_move(&g, &to);
	guest_check(&g, to.ram);
	*hinted = guest_get_hinted(&g);
	if (features & HINT) {
		/* DONE is seen there, and what was held is free again. */
		guest_settle(&g);
		CHECK(g.kept_page == PAGES_NONE);
		CHECK(balloon_get_cmd_id(&g.balloon) ==
		      VIRTIO_BALLOON_CMD_ID_DONE);
	}
	CHECK(pages_check(&g.pages));
	if (features & REPORT) {
		/* The queues go on where they were. */
		guest_report(&g, 0);
		guest_check(&g, to.ram);
	}
	guest_stop(&g);
	vm_stop(&to);
	vm_stop(&from);
}

static void test_saving(const struct test *t)
{
	struct migration without, with;
	uint32_t none, hinted;

	migrate(t, 256 * MIB, REPORT, &without, &none);
	migrate(t, 256 * MIB, REPORT | HINT, &with, &hinted);
	note("without hints %llu bytes, %llu pages, %llu ms",
	     (unsigned long long)without.sent,
	     (unsigned long long)without.normal,
	     (unsigned long long)without.total_ms);
	note("with hints    %llu bytes, %llu pages, %llu ms; %u hinted",
	     (unsigned long long)with.sent, (unsigned long long)with.normal,
	     (unsigned long long)with.total_ms, hinted);
	note("%.1f %% fewer bytes",
	     100.0 - 100.0 * (double)with.sent / (double)without.sent);
	CHECK(none == 0);
	CHECK(hinted >= (256 * MIB - BALLOON_RESERVED) / PAGES_SIZE * 84 / 100);
	CHECK(with.sent * 5 <= without.sent);
}

static void test_round(const struct test *t)
{
	struct migration m;
	uint32_t hinted;

	migrate(t, 32 * MIB, REPORT | HINT, &m, &hinted);
	note("%llu bytes sent, %u pages hinted", (unsigned long long)m.sent,
	     hinted);
	CHECK(m.sent < 32 * MIB / 2);
}

/*
 * Cancelled in the middle of a round; then the guest goes on; then it is
 * migrated for good, with a new id.
 */
static void test_cancel(const struct test *t)
{
	struct guest_params p = basic;
	struct vm from, first, second;
	struct migration m;
	struct guest g;
	uint32_t i;

	p.features = REPORT | HINT | t->ring;
	p.mode = t->mode;
	vm_start(&from, t->bus, 64 * MIB, false);
	vm_start(&first, t->bus, 64 * MIB, true);
	guest_start(&g, &from, &p);
	qmp_set_speed(&from.qmp, MIB, SHORT);
	qmp_migrate(&from.qmp, first.incoming);
	for (i = 0; g.ids == 0 || i < 3; i += g.ids)
		guest_hint(&g, 4);
	CHECK(guest_get_hinted(&g) > 0);
	qmp_do(&from.qmp, "migrate_cancel", NULL);
	qmp_migration_wait(&from.qmp, "cancelled");
	guest_settle(&g);
	CHECK(balloon_get_cmd_id(&g.balloon) == VIRTIO_BALLOON_CMD_ID_DONE);
	check_rounds(&g, 1);
	guest_check(&g, from.ram);
	guest_churn(&g, 100);

	vm_start(&second, t->bus, 64 * MIB, true);
	qmp_set_speed(&from.qmp, SLOW, SHORT);
	qmp_migrate(&from.qmp, second.incoming);
	hint_round(&g);
	CHECK(g.ids == 2);
	check_rounds(&g, 2);
	guest_churn(&g, 100);
	finish(&from, &m);
	guest_move(&g, &second);
	note("%u pages checked, %llu bytes sent", guest_check(&g, second.ram),
	     (unsigned long long)m.sent);
	CHECK(m.sent < 64 * MIB / 2);
	guest_stop(&g);
	vm_stop(&second);
	vm_stop(&from);
}

/*
 * The other way round: a guest that hints pages in use loses them, and the
 * check sees that.  Without it the other tests could pass for nothing.
 */
static void test_control(const struct test *t)
{
	struct guest_params p = basic;
	uint32_t page, id, lost, n = 0;
	struct vm from, to;
	struct migration m;
	struct fph_owned_range range = { .len = PAGES_SIZE };
	struct guest g;

	p.features = HINT | t->ring;
	p.mode = t->mode;
	vm_start(&from, t->bus, 32 * MIB, false);
	vm_start(&to, t->bus, 32 * MIB, true);
	guest_start(&g, &from, &p);
	qmp_set_speed(&from.qmp, MIB, SHORT);
	qmp_migrate(&from.qmp, to.incoming);
	while (g.ids == 0)
		guest_hint(&g, 1);
	id = fph_hinter_get_id(g.hinter);
	for (page = g.pages.npages; page-- > 0 && n < 200;) {
		if (!g.version[page])
			continue;
		range.gpa = pages_get_gpa(&g.pages, page);
		range.owner = page;
		CHECK(fph_hinter_add(g.hinter, id, &range, 1) == 1);
		n++;
	}
	while (guest_hint(&g, 64))
		nap();
	finish(&from, &m);
	guest_move(&g, &to);
	lost = guest_count_lost(&g, to.ram);
	note("%u pages in use were hinted, %u are lost", n, lost);
	CHECK(lost > 0 && lost <= n);
	CHECK(guest_count_lost(&g, from.ram) == 0);
	guest_settle(&g);
	guest_stop(&g);
	vm_stop(&to);
	vm_stop(&from);
}

const struct test migrate_tests[] = {
	{ "control_in_use", test_control, VM_MMIO, INDIRECT | EVENT,
	  FPH_HINTER_NEVER },
	{ "saving_mmio", test_saving, VM_MMIO, INDIRECT | EVENT,
	  FPH_HINTER_NEVER },
	{ "saving_pci", test_saving, VM_PCI, INDIRECT | EVENT,
	  FPH_HINTER_HOLD },
	{ "round_mmio", test_round, VM_MMIO, 0, FPH_HINTER_NEVER },
	{ "round_mmio_indirect", test_round, VM_MMIO, INDIRECT,
	  FPH_HINTER_UNTIL_USED },
	{ "round_mmio_event", test_round, VM_MMIO, EVENT, FPH_HINTER_HOLD },
	{ "round_mmio_indirect_event", test_round, VM_MMIO, INDIRECT | EVENT,
	  FPH_HINTER_UNTIL_USED },
	{ "round_pci", test_round, VM_PCI, 0, FPH_HINTER_UNTIL_USED },
	{ "round_pci_indirect", test_round, VM_PCI, INDIRECT,
	  FPH_HINTER_HOLD },
	{ "round_pci_event", test_round, VM_PCI, EVENT, FPH_HINTER_NEVER },
	{ "round_pci_indirect_event", test_round, VM_PCI, INDIRECT | EVENT,
	  FPH_HINTER_NEVER },
	{ "round_mmio_packed", test_round, VM_MMIO, PACKED | EVENT,
	  FPH_HINTER_UNTIL_USED },
	{ "round_pci_packed", test_round, VM_PCI, PACKED, FPH_HINTER_NEVER },
	{ "round_pci_packed_indirect_event", test_round, VM_PCI,
	  PACKED | INDIRECT | EVENT, FPH_HINTER_HOLD },
	{ "round_legacy", test_round, VM_PCI_LEGACY, 0,
	  FPH_HINTER_UNTIL_USED },
	{ "round_legacy_event", test_round, VM_PCI_LEGACY, EVENT,
	  FPH_HINTER_NEVER },
	{ "cancel_mmio", test_cancel, VM_MMIO, INDIRECT | EVENT,
	  FPH_HINTER_HOLD },
	{ "cancel_pci", test_cancel, VM_PCI, 0, FPH_HINTER_NEVER },
	{ "cancel_pci_packed", test_cancel, VM_PCI, PACKED | EVENT,
	  FPH_HINTER_UNTIL_USED },
	{ .name = NULL }
};
