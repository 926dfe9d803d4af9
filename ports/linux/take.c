// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * hint=until_used: free pageblocks are allocated, hinted, and given back as
 * soon as the device has used the hint.  What the device does with a hint it
 * has done by then, so it need not keep any rule.
 *
 * alloc_contig_range() takes whole pageblocks without a look at watermarks, so
 * that is done here, and it costs a synchronisation of all processors, so that
 * neighbours are taken by one call.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/vmstat.h>

#include "fph_balloon.h"

static unsigned int hold_mib = 64;
module_param(hold_mib, uint, 0644);
MODULE_PARM_DESC(hold_mib, "hint=until_used: most that is allocated at a time, MiB (default 64), and no more than 1/16 of MemAvailable");

#define STEP_BLOCKS	1024u		/* pageblocks without a look at the id */

/* At the begin of a round. */
void fph_take_limit(struct fph_hint *h)
{
	unsigned long limit = (unsigned long)hold_mib << (20 - PAGE_SHIFT);
	long available = si_mem_available();

	h->hold = min(limit, (unsigned long)max(available, 0l) / 16);
}

void fph_give_back(struct fph_hint *h)
{
	struct fph_returned ranges[8];
	int i, n;

	while ((n = fph_hinter_take_back(h->core, ranges,
					 ARRAY_SIZE(ranges))) > 0)
		for (i = 0; i < n; i++)
			fph_free_pages(PHYS_PFN(ranges[i].gpa),
				       ranges[i].len >> PAGE_SHIFT);
}

static unsigned long get_held(const struct fph_hint *h)
{
	struct fph_hinter_amounts amounts;

	fph_hinter_get_amounts(h->core, &amounts, sizeof(amounts));
	return amounts.held.bytes >> PAGE_SHIFT;
}

/* What the host has already needs no hint, and must not be touched. */
static bool is_worth_it(struct fph_hint *h, struct page *head,
			unsigned long pages)
{
	if (!PageReported(head))
		return true;
	h->round.reported += pages;
	return false;
}

/* A pageblock of which every page is free: its first page, or NULL. */
static struct page *get_free_block(struct fph_hint *h, unsigned long pfn)
{
	unsigned long next, end = pfn + pageblock_nr_pages, free = 0;
	struct page *page = pfn_to_online_page(pfn);
	unsigned long head;
	unsigned int order;

	if (!page)
		return NULL;
	for (order = FPH_TOP_ORDER; order > pageblock_order; order--) {
		unsigned int found;

		head = ALIGN_DOWN(pfn, 1ul << order);
		if (pfn_to_online_page(head) &&
		    fph_is_free(pfn_to_page(head), head, &found) &&
		    found == order)
			return is_worth_it(h, pfn_to_page(head),
					   pageblock_nr_pages) ? page : NULL;
	}
	for (next = pfn; next < end; next++) {
		if (!fph_is_free(pfn_to_page(next), next, &order))
			continue;
		free += 1ul << order;
		next += (1ul << order) - 1;
	}
	if (free == pageblock_nr_pages)
		return is_worth_it(h, page, free) ? page : NULL;
	h->round.small += free;
	return NULL;
}

/* As a watermark check of an allocation that must not reclaim. */
static bool is_affordable(struct page *page, unsigned long n)
{
	struct zone *zone = page_zone(page);

	return zone_page_state(zone, NR_FREE_PAGES) >
	       high_wmark_pages(zone) + n;
}

static void add(struct fph_hint *h, u32 id, unsigned long pfn,
		unsigned long n)
{
	struct fph_owned_range range = {
		.gpa = PFN_PHYS(pfn),
		.len = PFN_PHYS(n),
	};

	if (fph_hinter_add(h->core, id, &range, 1) == 1) {
		h->round.blocks++;
		h->round.pages += n;
	} else {
		fph_free_pages(pfn, n);
	}
}

static void take(struct fph_hint *h, u32 id, unsigned long pfn,
		 unsigned long n)
{
	if (!is_affordable(pfn_to_page(pfn), n)) {
		h->round.low += n;
		return;
	}
	if (!fph_take_pages(pfn, n)) {
		add(h, id, pfn, n);
		return;
	}
	if (n == pageblock_nr_pages) {
		h->round.lost += n;
		return;
	}
	for (; n; n -= pageblock_nr_pages, pfn += pageblock_nr_pages)
		take(h, id, pfn, pageblock_nr_pages);
}

/*
 * The next run of free pageblocks of one zone: at most half of what may be
 * held, so that the device always has something to do.
 */
int fph_take_some(struct fph_hint *h, u32 id)
{
	unsigned long most = max(h->hold / 2, pageblock_nr_pages);
	unsigned long start = 0, n = 0;
	struct page *page, *first = NULL;
	unsigned int i;

	if (get_held(h) + most > max(h->hold, most))
		return -ENOSPC;
	for (i = 0; i < STEP_BLOCKS && h->walk.pfn > h->walk.lowest; i++) {
		page = get_free_block(h, h->walk.pfn - pageblock_nr_pages);
		if (n && (!page || n + pageblock_nr_pages > most ||
			  page_zone(page) != page_zone(first)))
			break;
		h->walk.pfn -= pageblock_nr_pages;
		if (!page)
			continue;
		first = page;
		start = h->walk.pfn;
		n += pageblock_nr_pages;
	}
	if (n)
		take(h, id, start, n);
	return h->walk.pfn > h->walk.lowest;
}
