/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What differs between kernels. */
#ifndef FPH_COMPAT_H
#define FPH_COMPAT_H

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/version.h>

/* Since then the core inserts the pages that it migrates, and counts them. */
#ifdef HAVE_BALLOON_H
#include <linux/balloon.h>
#define FPH_CORE_MIGRATES	1
#else
#include <linux/balloon_compaction.h>
#define FPH_CORE_MIGRATES	0
#ifndef HAVE_BALLOON_PAGE_FINALIZE
#define balloon_page_finalize	balloon_page_delete
#endif
#endif

#define FPH_CAN_MIGRATE		(IS_ENABLED(CONFIG_BALLOON_COMPACTION) || \
				 IS_ENABLED(CONFIG_BALLOON_MIGRATION))

/* The largest order of the buddy allocator. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define FPH_TOP_ORDER		MAX_PAGE_ORDER
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define FPH_TOP_ORDER		MAX_ORDER
#else
#define FPH_TOP_ORDER		(MAX_ORDER - 1)
#endif

#ifdef ACR_FLAGS_NONE
#define FPH_ACR			ACR_FLAGS_NONE
#else
#define FPH_ACR			MIGRATE_MOVABLE
#endif

/* Free pages, and no others for choice, become allocated.  May sleep. */
static inline int fph_take_pages(unsigned long pfn, unsigned long n)
{
	return alloc_contig_range(pfn, pfn + n, FPH_ACR,
				  GFP_KERNEL | __GFP_NOWARN);
}

static inline void fph_free_pages(unsigned long pfn, unsigned long n)
{
	free_contig_range(pfn, n);
}

#endif /* FPH_COMPAT_H */
