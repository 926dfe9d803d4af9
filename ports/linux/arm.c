// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * hint=armed: QEMU with KVM clears the log of dirty pages lazily, a chunk at a
 * time, when it first sends or skips a page of that chunk, and does not see
 * what was written before (7.2, 10.0.2 and 11.1.3).  So a page of ours in each
 * chunk is hinted first, and free memory is looked at only when the device has
 * used all of these.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "fph_balloon.h"

static unsigned int arm_shift = 18;
module_param(arm_shift, uint, 0444);
MODULE_PARM_DESC(arm_shift, "hint=armed: chunk of the host's dirty log, log2 of pages (default 18, as QEMU with 4 KiB pages)");

static unsigned long get_chunk(unsigned long pfn)
{
	return pfn >> arm_shift;
}

bool fph_has_arm(const struct fph_hint *h, unsigned long pfn)
{
	unsigned long i = get_chunk(pfn) - h->arms.first;

	return i < h->arms.n && h->arms.pfns[i];
}

/* A page of ours in [pfn, end), or 0. */
static unsigned long take_arm(unsigned long pfn, unsigned long end)
{
	unsigned int order;
	struct page *page;

	for (; pfn < end; pfn++) {
		if (IS_ALIGNED(pfn, pageblock_nr_pages))
			cond_resched();
		page = pfn_to_online_page(pfn);
		if (page && fph_is_free(page, pfn, &order) &&
		    !fph_take_pages(pfn, 1))
			return pfn;
	}
	return 0;
}

void fph_arm_begin(struct fph_hint *h, u32 id)
{
	struct fph_arms *arms = &h->arms;
	struct fph_owned_range range = { .len = PAGE_SIZE };
	unsigned long i, pfn, end;

	arm_shift = clamp(arm_shift, FPH_TOP_ORDER, BITS_PER_LONG - 1u);
	arms->first = get_chunk(h->walk.lowest);
	arms->n = get_chunk(h->walk.pfn - 1) - arms->first + 1;
	arms->pfns = kvcalloc(arms->n, sizeof(*arms->pfns),
			      GFP_KERNEL | __GFP_NOWARN);
	if (!arms->pfns)
		arms->n = 0;	/* nothing is hinted then */
	for (i = 0; i < arms->n; i++) {
		pfn = max((arms->first + i) << arm_shift, h->walk.lowest);
		end = min((arms->first + i + 1) << arm_shift, h->walk.pfn);
		arms->pfns[i] = take_arm(pfn, end);
		range.gpa = PFN_PHYS(arms->pfns[i]);
		if (range.gpa && fph_hinter_add(h->core, id, &range, 1) != 1) {
			fph_free_pages(arms->pfns[i], 1);
			arms->pfns[i] = 0;
		}
	}
	arms->pending = true;
	fph_hinter_flush(h->core);
}

bool fph_is_armed(struct fph_hint *h)
{
	struct fph_hinter_amounts amounts;

	if (!h->arms.pending)
		return true;
	fph_hinter_get_amounts(h->core, &amounts, sizeof(amounts));
	if (amounts.waiting.ranges || amounts.outstanding.ranges)
		return false;
	h->arms.pending = false;
	h->round.armed = ktime_get();
	return true;
}

void fph_arm_end(struct fph_hint *h)
{
	while (h->arms.n)
		if (h->arms.pfns[--h->arms.n])
			fph_free_pages(h->arms.pfns[h->arms.n], 1);
	kvfree(h->arms.pfns);
	h->arms.pfns = NULL;
	h->arms.pending = false;
}
