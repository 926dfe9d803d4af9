/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's memory as the VMM sees it: regions of guest-physical addresses,
 * where each is mapped in this process, and what backs it.
 *
 * Look-ups take O(log n) and remember the last hit.  Look-ups may run beside
 * each other; add, remove and reset need every other user to be quiet, which
 * for discards means that none is in flight (R5).
 */
#ifndef FPH_VMM_MEMORY_H
#define FPH_VMM_MEMORY_H

#include <fph/range.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What backs a region, for the choice of the call that frees its memory. */
enum fph_backing {
	FPH_BACKING_ANON		= 1,	/* private, anonymous */
	FPH_BACKING_SHMEM		= 2,	/* shared: memfd, tmpfs */
	FPH_BACKING_FILE		= 3,	/* shared: a file on a disk */
	FPH_BACKING_FILE_PRIVATE	= 4,	/* private mapping of any file */
	FPH_BACKING_HUGETLB		= 5,	/* shared: hugetlbfs, memfd of it */
	FPH_BACKING_HUGETLB_ANON	= 6	/* private huge pages, no file */
};

/* fph_region.flags */
#define FPH_REGION_LOCKED	1u	/* mlock: the host keeps it resident */
#define FPH_REGION_CONFIDENTIAL	2u	/* encrypted: the mapping isn't it */
#define FPH_REGION_READONLY	4u	/* ROM: is guest memory, never freed */

struct fph_region {
	uint64_t gpa;			/* bytes */
	uint64_t len;			/* bytes */
	void *host;			/* where gpa is mapped */
	int fd;				/* backing file, or -1 */
	uint64_t fd_offset;		/* of gpa in it, bytes */
	uint64_t page_size;		/* of the backing, bytes */
	int backing;			/* enum fph_backing */
	uint32_t flags;			/* FPH_REGION_* */
};

/* Part of a range that lies in one region. */
struct fph_piece {
	const struct fph_region *region;
	uint64_t gpa;
	uint64_t len;
};

/* Members are private. */
struct fph_memory {
	uint32_t magic;
	uint32_t nregions;
	uint32_t capacity;
	uint32_t last;			/* index of the last hit, a hint only */
	struct fph_region *regions;	/* ascending by gpa */
	uint64_t reserved[2];
};

/*
 * fph_memory_init - an empty map over the caller's array
 *
 * FPH_OK, FPH_EINVAL (no room at all).
 */
FPH_API int fph_memory_init(struct fph_memory *m, struct fph_region *storage,
			    uint32_t capacity);

/* Forget every region; unmaps nothing.  FPH_OK, FPH_EUNINIT. */
FPH_API int fph_memory_reset(struct fph_memory *m);

/*
 * fph_memory_add - add a region
 *
 * gpa, len, host and (where the backing is a shared file) fd_offset are
 * multiples of 4096; gpa + len may be 2^64.  page_size is a power of two, 4096
 * or more.  fd counts for SHMEM, FILE and HUGETLB only.  The region is copied.
 *
 * What can be freed are whole pages of the backing, by their place in the file
 * or by their host address.  So gpa should have the same offset within a page
 * of page_size: a guest that offers its own aligned huge pages would else lose
 * both edges of each.
 *
 * FPH_OK; FPH_EINVAL (a field is out of its range, the region is empty, wraps
 * or overlaps another); FPH_EFULL; FPH_EUNINIT.
 */
FPH_API int fph_memory_add(struct fph_memory *m, const struct fph_region *r);

/*
 * fph_memory_remove - remove the region that is exactly this
 *
 * FPH_OK, FPH_ENOENT, FPH_EUNINIT.
 */
FPH_API int fph_memory_remove(struct fph_memory *m, uint64_t gpa, uint64_t len);

/* The region that holds gpa, or NULL.  Valid until the map changes. */
FPH_API const struct fph_region *fph_memory_get_region(struct fph_memory *m,
						       uint64_t gpa);

/*
 * The host address of len bytes at gpa, or NULL when they do not lie in one
 * region; len is not 0.
 */
FPH_API void *fph_memory_get_host(struct fph_memory *m, uint64_t gpa,
				  uint64_t len);

/*
 * Whether all of [gpa, gpa + len) is guest memory, in any number of regions.
 * Neither an empty range is, nor one that wraps.
 */
FPH_API bool fph_memory_is_ram(struct fph_memory *m, uint64_t gpa,
			       uint64_t len);

/*
 * fph_memory_next - cut the first piece off a range
 *
 * *rest: what is left of the range; advanced by the call.
 *
 * 1 (*piece is set); 0 (rest is empty); FPH_ENOENT (rest->gpa is not guest
 * memory, or rest wraps; nothing changed); FPH_EUNINIT.
 */
FPH_API int fph_memory_next(struct fph_memory *m, struct fph_range *rest,
			    struct fph_piece *piece);

/* Bytes of guest memory in all regions. */
FPH_API uint64_t fph_memory_get_bytes(const struct fph_memory *m);

/*
 * fph_memory_get_backing - find out what backs a mapping of fd
 *
 * fd: a file, or -1 for private anonymous memory.  is_private: the mapping is
 * MAP_PRIVATE.  Sets backing and page_size of *r: the huge page's where fstatfs
 * says so, else the system's.  Anonymous huge pages (MAP_HUGETLB) cannot be
 * told from here: set HUGETLB_ANON and their size by hand.
 *
 * FPH_OK, FPH_EINVAL (fd cannot be examined, or is no regular file; or there
 * is none and the mapping is shared, for which no file could be punched).
 */
FPH_API int fph_memory_get_backing(struct fph_region *r, int fd,
				   bool is_private);

#ifdef __cplusplus
}
#endif

#endif /* FPH_VMM_MEMORY_H */
