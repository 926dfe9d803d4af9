// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * Looking for free memory: page by page over memory that is online, from the
 * top down, by what struct page says.  The lock of a zone is held to read the
 * order of one free block, never longer, and never over anything of virtio's.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>

#include "fph_balloon.h"

static unsigned int min_order;
module_param(min_order, uint, 0644);
MODULE_PARM_DESC(min_order, "hint=never, armed: smallest free block that is hinted, an order (default 0)");

/*
 * The order can be read without the lock, but in which order a processor sees
 * the two writes of the allocator is another matter: a wrong one would hint
 * memory that is in use.
 */
bool fph_is_free(struct page *page, unsigned long pfn, unsigned int *order)
{
	unsigned long flags;
	struct zone *zone;
	bool free;

	if (!PageBuddy(page))
		return false;
	zone = page_zone(page);
	spin_lock_irqsave(&zone->lock, flags);
	free = PageBuddy(page);
	*order = free ? page_private(page) : 0;
	spin_unlock_irqrestore(&zone->lock, flags);
	return free && *order <= FPH_TOP_ORDER;
}

/* How far to go from a page that is not free.  A wrong guess costs hints. */
static unsigned long get_step(struct page *page)
{
	unsigned int order;

	if (!PageHead(page))
		return 1;
	order = compound_order(page);
	return order <= FPH_TOP_ORDER ? 1ul << order : 1;
}

void fph_walk_begin(struct fph_walk *walk)
{
	int nid;

	walk->pfn = 0;
	walk->lowest = ULONG_MAX;
	for_each_online_node(nid) {
		walk->pfn = max(walk->pfn, node_end_pfn(nid));
		walk->lowest = min(walk->lowest, node_start_pfn(nid));
	}
	walk->pfn = ALIGN(walk->pfn, FPH_GROUP);
	walk->lowest = ALIGN_DOWN(walk->lowest, FPH_GROUP);
}

/* A free block, joined with the one before it. */
static void see(struct fph_hint *h, unsigned long pfn, unsigned int order)
{
	struct fph_owned_range *last = h->ranges + h->nranges - 1;
	u64 gpa = PFN_PHYS(pfn), len = PAGE_SIZE << order;

	h->round.blocks++;
	h->round.pages += 1ul << order;
	if (h->nranges && last->gpa + last->len == gpa) {
		last->len += len;
		return;
	}
	last++;
	last->gpa = gpa;
	last->len = len;
	last->owner = 0;
	h->nranges++;
}

/*
 * The free blocks of the next group of pages, into h->ranges.  No block is in
 * two groups.  False when that was the last group.
 */
bool fph_walk_group(struct fph_hint *h)
{
	unsigned long pfn, step, end = h->walk.pfn;
	unsigned int order;
	struct page *page;

	h->walk.pfn -= FPH_GROUP;
	if (h->how == FPH_HINT_ARMED &&
	    !fph_arms_allows(h->arms, PFN_PHYS(h->walk.pfn),
			     PFN_PHYS(FPH_GROUP)))
		return h->walk.pfn > h->walk.lowest;
	for (pfn = h->walk.pfn; pfn < end; pfn += step) {
		step = pageblock_nr_pages - (pfn & (pageblock_nr_pages - 1));
		page = pfn_to_online_page(pfn);
		if (!page)
			continue;
		if (fph_is_free(page, pfn, &order)) {
			step = 1ul << order;
			if (order >= min_order)
				see(h, pfn, order);
		} else {
			step = get_step(page);
		}
	}
	return h->walk.pfn > h->walk.lowest;
}
