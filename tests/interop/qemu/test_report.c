/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Reporting: the host gets the memory of free pages, and of no others. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "supervise.h"
#include "tests.h"

#define SIZE	(64 * MIB)
#define ORDER	4u			/* blocks of 64 KiB or more */

/*
 * Host memory is missing where a reported block is and nowhere else.  Taken
 * before the content is looked at, for a look at a hole fills it.
 */
static uint64_t check_holes(const struct guest *g)
{
	const struct pages *p = &g->pages;
	uint32_t page, i, n, skip = BALLOON_RESERVED / PAGES_SIZE;
	uint64_t holes = 0;
	bool *present = calloc(skip + p->npages, sizeof(*present));
	bool reported;

	CHECK(present);
	vm_get_present(g->vm, present, skip + p->npages);
	for (page = 0; page < p->npages; page += n) {
		n = p->page[page].head ? 1u << p->page[page].order : 1;
		reported = p->page[page].head && p->page[page].reported;
		/* What may be reported is. */
		if (p->page[page].head)
			CHECK(reported == (p->page[page].order >= ORDER));
		for (i = page; i < page + n; i++)
			CHECK(present[skip + i] == !reported);
		if (reported)
			holes += n;
	}
	free(present);
	return holes * PAGES_SIZE;
}

static void test_report(const struct test *t)
{
	struct guest_params p = {
		.features = REPORT | HINT | t->ring,
		.mode = FPH_HINTER_NEVER,
		.seed = 1,
		.used_percent = 30,
		.max_order = 6
	};
	struct fph_reporter_counters c;
	uint64_t before, after, holes;
	struct guest g;
	struct vm vm;

	vm_start(&vm, t->bus, SIZE, false);
	guest_start(&g, &vm, &p);
	before = vm_get_allocated(&vm);
	guest_report(&g, ORDER);
	after = vm_get_allocated(&vm);
	holes = check_holes(&g);
	CHECK(!fph_reporter_get_counters(g.reporter, &c, sizeof(c)));
	CHECK(holes > SIZE / 4);
	CHECK(before - after == holes);
	CHECK(c.reported_bytes == holes && c.reported == c.added);
	CHECK(guest_check(&g, vm.ram) > 0);

	/* Used again, and free again: that is reported anew, nothing else. */
	guest_churn(&g, 300);
	guest_report(&g, ORDER);
	guest_check(&g, vm.ram);
	holes = check_holes(&g);
	after = c.reported_bytes;
	CHECK(!fph_reporter_get_counters(g.reporter, &c, sizeof(c)));
	CHECK(c.reported_bytes > after && c.failed == 0 && c.unreported == 0);
	guest_report(&g, ORDER);
	after = c.reported_bytes;
	CHECK(!fph_reporter_get_counters(g.reporter, &c, sizeof(c)));
	CHECK(c.reported_bytes == after);
	note("%llu MiB of %llu MiB reported in %llu buffers, %llu segments",
	     (unsigned long long)(holes / MIB),
	     (unsigned long long)(SIZE / MIB), (unsigned long long)c.buffers,
	     (unsigned long long)c.segs);
	guest_stop(&g);
	vm_stop(&vm);
}

#define ROW(name, bus, ring)	{ name, test_report, bus, ring, 0 }

const struct test report_tests[] = {
	ROW("report_mmio", VM_MMIO, 0),
	ROW("report_mmio_indirect", VM_MMIO, INDIRECT),
	ROW("report_mmio_event", VM_MMIO, EVENT),
	ROW("report_mmio_indirect_event", VM_MMIO, INDIRECT | EVENT),
	ROW("report_pci", VM_PCI, 0),
	ROW("report_pci_indirect", VM_PCI, INDIRECT),
	ROW("report_pci_event", VM_PCI, EVENT),
	ROW("report_pci_indirect_event", VM_PCI, INDIRECT | EVENT),
	ROW("report_mmio_packed", VM_MMIO, PACKED),
	ROW("report_mmio_packed_event", VM_MMIO, PACKED | EVENT),
	ROW("report_pci_packed_indirect", VM_PCI, PACKED | INDIRECT),
	ROW("report_pci_packed_indirect_event", VM_PCI,
	    PACKED | INDIRECT | EVENT),
	ROW("report_legacy", VM_PCI_LEGACY, 0),
	ROW("report_legacy_event", VM_PCI_LEGACY, EVENT),
	{ .name = NULL }
};
