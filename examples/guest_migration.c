/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * guest_migration [MIB [PERCENT]]
 *
 * A guest of MIB mebibytes (256), of which PERCENT (85) are free but hold
 * random bytes, is migrated live from one QEMU to another: once without free
 * page hints, once with.  The guest is this process: our hinter, driving the
 * balloon device of an unmodified QEMU.  Needs no KVM and no root.
 *
 * Exit status 0; 1 when something failed; 2 for a wrong argument; 77 where
 * there is no QEMU.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "../tests/interop/qemu/guest.h"
#include "../tests/interop/qemu/supervise.h"

#define MIB		((uint64_t)1 << 20)
#define BANDWIDTH	(128 * MIB)	/* a second; of 1 Gbit Ethernet */
#define TIMEOUT		600u		/* s */
#define HINT		FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT)
#define RING		(FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
			 FPH_BIT(VIRTIO_RING_F_EVENT_IDX))

struct job {
	uint64_t size;			/* bytes */
	uint32_t free_percent;
};

struct result {
	struct migration m;
	uint32_t pages;			/* of the guest */
	uint32_t kept;			/* checked on the other side */
	uint32_t hinted;
};

static void progress(struct vm *vm, const struct guest *g, double start)
{
	struct migration m;

	qmp_get_migration(&vm->qmp, &m);
	printf("  %5.1f s  %-14s %6llu MiB sent, %7u pages hinted\n",
	       now() - start, m.status, (unsigned long long)(m.sent / MIB),
	       guest_get_hinted(g));
	fflush(stdout);
}

static void migrate(const struct job *job, bool hints, struct result *r)
{
	struct guest_params p = {
		.features = RING | (hints ? HINT : 0),
		.mode = FPH_HINTER_NEVER,
		.seed = 42,
		.used_percent = 100 - job->free_percent,
		.max_order = 5
	};
	double start, shown;
	struct vm from, to;
	struct guest g;

	printf("%s hints:\n", hints ? "with" : "without");
	vm_start(&from, VM_MMIO, job->size, false);
	vm_start(&to, VM_MMIO, job->size, true);
	guest_start(&g, &from, &p);
	qmp_set_speed(&from.qmp, BANDWIDTH, 300);
	start = shown = now();
	qmp_migrate(&from.qmp, to.incoming);
	while (!qmp_migration_is(&from.qmp, "pre-switchover")) {
		if (hints)
			guest_hint(&g, 64);
		else
			nap();
		if (now() - shown > 0.25) {
			shown = now();
			progress(&from, &g, start);
		}
	}
	qmp_migrate_finish(&from.qmp);
	progress(&from, &g, start);
	qmp_get_migration(&from.qmp, &r->m);
	guest_move(&g, &to);
	r->pages = g.pages.npages;
	r->kept = guest_check(&g, to.ram);
	r->hinted = guest_get_hinted(&g);
	if (hints)
		guest_settle(&g);
	guest_stop(&g);
	vm_stop(&to);
	vm_stop(&from);
}

static void print_row(const char *name, const struct result *r)
{
	uint64_t sent = r->m.normal + r->m.zero;

	printf("%-14s %14llu %8llu %9llu %9llu %9u\n", name,
	       (unsigned long long)r->m.sent,
	       (unsigned long long)r->m.total_ms, (unsigned long long)sent,
	       (unsigned long long)(sent < r->pages ? r->pages - sent : 0),
	       r->hinted);
}

static int run(void *arg)
{
	struct result without, with;
	const struct job *job = arg;

	migrate(job, false, &without);
	migrate(job, true, &with);
	printf("\n%-14s %14s %8s %9s %9s %9s\n", "", "bytes sent", "ms",
	       "sent", "skipped", "hinted");
	printf("%-14s %14s %8s %9s %9s %9s\n", "", "", "", "pages", "pages",
	       "pages");
	print_row("without hints", &without);
	print_row("with hints", &with);
	printf("\n%.1f %% fewer bytes; all %u pages in use are whole on the "
	       "other side\n",
	       100.0 - 100.0 * (double)with.m.sent / (double)without.m.sent,
	       with.kept);
	return with.m.sent < without.m.sent ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct job job = { .size = 256 * MIB, .free_percent = 85 };
	const char *why = vm_why_not();

	if (argc > 1)
		job.size = strtoul(argv[1], NULL, 10) * MIB;
	if (argc > 2)
		job.free_percent = (uint32_t)strtoul(argv[2], NULL, 10);
	if (argc > 3 || job.size < 16 * MIB || job.size > 2048 * MIB ||
	    job.free_percent < 10 || job.free_percent > 95) {
		fprintf(stderr, "usage: guest_migration [MIB [PERCENT]]\n"
			"MIB is 16 to 2048, PERCENT 10 to 95\n");
		return 2;
	}
	if (why) {
		fprintf(stderr, "guest_migration: %s\n", why);
		return 77;
	}
	return supervise(run, &job, TIMEOUT, false) ? 1 : 0;
}
