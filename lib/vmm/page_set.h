/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A set of pages of a whole guest, one bit a page.  take gives maximal runs of
 * whole granules and leaves what is not whole in the set, to be completed
 * later: so 4 KiB pages collect until a host page of 2 MiB is whole.  Not
 * installed.
 */
#ifndef FPH_VMM_PAGE_SET_H
#define FPH_VMM_PAGE_SET_H

#include <fph/types.h>

struct fph_page_set;

struct fph_page_set_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t page_size;		/* of a bit: a power of two; 0: 4096 */
	uint64_t gpa;			/* first address of the set */
	uint64_t len;			/* bytes it covers, whole pages */
	uint64_t granule;		/* of runs; 0: page_size */
};

/* Bytes of memory: about len / page_size / 8.  0: parameters.  O(1). */
size_t fph_page_set_size(const struct fph_page_set_params *params);

/*
 * fph_page_set_init - make an empty set in mem
 *
 * FPH_OK (*s is set), FPH_EINVAL (a NULL, alignment, size, a parameter).
 * O(size), because the memory is zeroed.
 */
int fph_page_set_init(struct fph_page_set **s, void *mem, size_t size,
			      const struct fph_page_set_params *params);

/* Make it empty.  FPH_OK, FPH_EUNINIT.  O(size). */
int fph_page_set_reset(struct fph_page_set *s);

/*
 * fph_page_set_add - put pages into the set
 *
 * Only whole pages of a range count: it is aligned inwards.
 *
 * The number of ranges added; FPH_EINVAL (the first is empty, wraps or lies
 * outside; or n is 0), FPH_EUNINIT.  O(bytes / page_size / 64 + n).
 */
int fph_page_set_add(struct fph_page_set *s,
			     const struct fph_range *ranges, uint32_t n);

/* fph_page_set_remove - take pages out; as add, but aligned outwards. */
int fph_page_set_remove(struct fph_page_set *s,
				const struct fph_range *ranges, uint32_t n);

/*
 * fph_page_set_take - maximal runs of whole granules, ascending
 *
 * *from: where to go on, bytes; 0 at first; set by the call.  What is given is
 * no more in the set.
 *
 * The number of ranges, 0 (no more whole granules above *from), FPH_EINVAL (n
 * is 0), FPH_EUNINIT.  O(pages looked at / 64).
 */
int fph_page_set_take(struct fph_page_set *s, uint64_t *from,
			      struct fph_range *ranges, uint32_t n);

/* Pages in the set; 0 if not initialised.  O(1). */
uint64_t fph_page_set_get_pages(const struct fph_page_set *s);


#endif /* FPH_VMM_PAGE_SET_H */
