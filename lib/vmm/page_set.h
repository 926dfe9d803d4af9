/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A set of pages of a whole guest, one bit a page.  take gives maximal runs of
 * whole granules and leaves what is not whole in the set, to be completed
 * later: so 4 KiB pages collect until a host page of 2 MiB is whole.
 *
 * Not installed.  The rules of <fph/status.h> hold.
 */
#ifndef FPH_VMM_PAGE_SET_H
#define FPH_VMM_PAGE_SET_H

#include <fph/types.h>

struct fph_page_set;

struct fph_page_set_params {
	uint32_t page_size;		/* of a bit: a power of two */
	uint32_t reserved;
	uint64_t gpa;			/* first address, a multiple of the
					   granule */
	uint64_t len;			/* bytes it covers, whole granules */
	uint64_t granule;		/* of runs: page_size, or a larger power
					   of two */
};

/*
 * Bytes of memory: len / page_size / 8, and if the granule is larger also
 * len / granule * 4.  0: parameters.  O(1).
 */
size_t fph_page_set_size(const struct fph_page_set_params *params);

/*
 * fph_page_set_init - make an empty set in mem
 *
 * mem: zeroed, so that pages of it which are never used cost nothing.
 *
 * FPH_OK (*s is set), FPH_EINVAL (a NULL, alignment, size, a parameter).
 * O(1).
 */
int fph_page_set_init(struct fph_page_set **s, void *mem, size_t size,
		      const struct fph_page_set_params *params);

/* Make it empty.  O(what was touched since it was empty). */
void fph_page_set_reset(struct fph_page_set *s);

/* Whether all of a range, which does not wrap, is covered by the set.  O(1). */
bool fph_page_set_covers(const struct fph_page_set *s,
			 const struct fph_range *range);

/*
 * fph_page_set_add - put the whole pages of a range into the set
 *
 * range: covered, not empty.  O(pages / 64 + granules).
 */
void fph_page_set_add(struct fph_page_set *s, const struct fph_range *range);

/* Takes out every page that a range meets; else as add. */
void fph_page_set_remove(struct fph_page_set *s,
			 const struct fph_range *range);

/*
 * fph_page_set_take - maximal runs of whole granules, ascending
 *
 * What is given is no more in the set.
 *
 * The number of ranges, fewer than n when there are no more.
 * O(granules between the lowest and the highest whole one / 64).
 */
uint32_t fph_page_set_take(struct fph_page_set *s, struct fph_range *ranges,
			   uint32_t n);

/*
 * fph_page_set_next - the pages of the set, as maximal runs, ascending
 *
 * *gpa: where to look from, 0 at first; moves behind the run.  False: there are
 * no more.  O(pages passed / 64).
 */
bool fph_page_set_next(const struct fph_page_set *s, uint64_t *gpa,
		       struct fph_range *run);

/* Pages in the set.  O(1). */
uint64_t fph_page_set_get_pages(const struct fph_page_set *s);

#endif /* FPH_VMM_PAGE_SET_H */
