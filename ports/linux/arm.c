// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * hint=armed: QEMU with KVM clears the log of dirty pages lazily, a chunk at a
 * time, when it first sends or skips a page of that chunk, and does not see
 * what was written before (7.2, 10.0.2 and 11.1.3).  So a page of ours in each
 * chunk is hinted first, and free memory is looked at only when the device has
 * used all of these.  A page costs a synchronisation of all processors, so one
 * unit is armed at a time.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "fph_balloon.h"

#define MAX_TRIES	16u		/* to take a page of a unit */

static unsigned int arm_shift = 18;
module_param(arm_shift, uint, 0444);
MODULE_PARM_DESC(arm_shift, "hint=armed: chunk of the host's dirty log, log2 of pages (default 18, as QEMU with 4 KiB pages)");

/* A page of ours in [pfn, end), or 0: then nothing of the unit is hinted. */
static unsigned long take_arm(unsigned long pfn, unsigned long end)
{
	unsigned int order, tries = 0;
	struct page *page;

	for (; pfn < end && tries < MAX_TRIES; pfn++) {
		if (IS_ALIGNED(pfn, pageblock_nr_pages))
			cond_resched();
		page = pfn_to_online_page(pfn);
		if (!page || !fph_is_free(page, pfn, &order))
			continue;
		if (!fph_take_pages(pfn, 1))
			return pfn;
		tries++;
		pfn |= pageblock_nr_pages - 1;	/* the others are as hard */
	}
	return 0;
}

/* A page of ours in the unit, on its way to the device. */
static void arm(struct fph_hint *h, u32 id, const struct fph_unit *unit)
{
	struct fph_owned_range range = { .len = PAGE_SIZE };
	unsigned long pfn = take_arm(PHYS_PFN(unit->gpa),
				     PHYS_PFN(unit->gpa + unit->len));

	if (!pfn)
		return;
	range.gpa = PFN_PHYS(pfn);
	if (fph_hinter_add(h->core, id, &range, 1) != 1 ||
	    fph_arms_set(h->arms, range.gpa))
		fph_free_pages(pfn, 1);
}

void fph_arm_begin(struct fph_hint *h, u32 id)
{
	struct fph_arms_params params = {
		.size = sizeof(params),
		.shift = PAGE_SHIFT + clamp(arm_shift, FPH_TOP_ORDER, 40u),
		.gpa = PFN_PHYS(h->walk.lowest),
		.len = PFN_PHYS(h->walk.pfn - h->walk.lowest),
	};
	size_t size = fph_arms_size(&params);
	void *mem = size ? kvmalloc(size, GFP_KERNEL | __GFP_NOWARN) : NULL;

	if (!mem || fph_arms_init(&h->arms, mem, size, &params)) {
		kvfree(mem);
		return;		/* nothing is hinted then */
	}
	fph_arms_begin(h->arms, id);
}

bool fph_arm_next(struct fph_hint *h, u32 id)
{
	struct fph_unit unit;
	int ret;

	ret = h->arms ? fph_arms_next(h->arms, &unit) : -ENOENT;
	if (ret == 1)
		arm(h, id, &unit);
	else if (!ret)
		fph_hinter_flush(h->core);
	return ret == 1;
}

bool fph_is_armed(struct fph_hint *h)
{
	if (!h->arms)
		return true;	/* not hint=armed; or no memory, see walk.c */
	if (fph_arms_is_ready(h->arms, h->core) != 1)
		return false;
	if (!h->round.armed)
		h->round.armed = ktime_get();
	return true;
}

void fph_arm_end(struct fph_hint *h)
{
	u64 gpa;

	while (h->arms && fph_arms_release(h->arms, &gpa) == 1)
		fph_free_pages(PHYS_PFN(gpa), 1);
	kvfree(h->arms);
	h->arms = NULL;
}
