/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's memory as the VMM sees it: regions of guest-physical addresses,
 * where each is mapped in this process, and what backs it.
 *
 * Look-ups go through a table that is indexed by address and made anew when
 * the map changes: O(1) for any usual number of regions.  They are const, so
 * they may run beside each other; add, remove and reset need every other user
 * to be quiet, which for discards means that none is in flight (R5).
 *
 * Hosted.  <fph/status.h> has the rules for parameters, batches and threads.
 */
#ifndef FPH_VMM_MEMORY_H
#define FPH_VMM_MEMORY_H

#include <sys/uio.h>

#include <fph/types.h>

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
	uint64_t gpa;
	uint64_t len;
	uint64_t fd_offset;		/* of gpa in the file, bytes */
	uint64_t page_size;		/* of the backing, bytes */
	void *host;			/* where gpa is mapped */
	int fd;				/* backing file; -1, not 0: none */
	uint32_t backing;		/* enum fph_backing */
	uint32_t flags;			/* FPH_REGION_* */
	uint32_t reserved;
};

/* Part of a range that lies in one region. */
struct fph_piece {
	const struct fph_region *region;
	uint64_t gpa;
	uint64_t len;
};

struct fph_memory;

struct fph_memory_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t max_regions;		/* 0: 1024; at most 21845 */
};

/*
 * fph_memory_new - an empty map
 *
 * params: NULL for the defaults.  *status: FPH_OK, FPH_EINVAL, FPH_ENOMEM; may
 * be NULL.  NULL on failure.
 */
FPH_API struct fph_memory *
fph_memory_new(const struct fph_memory_params *params, int *status);

/* Free it; unmaps nothing.  NULL is fine. */
FPH_API void fph_memory_free(struct fph_memory *m);

/* Forget every region; unmaps nothing.  FPH_OK, FPH_EUNINIT.  O(1). */
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
 * FPH_OK; FPH_EINVAL (a field is out of its range, the region is empty or
 * wraps), FPH_EEXIST (it overlaps another), FPH_EFULL (max_regions),
 * FPH_EUNINIT.  O(regions), with the table.
 */
FPH_API int fph_memory_add(struct fph_memory *m, const struct fph_region *r);

/*
 * fph_memory_remove - remove the region that is exactly this
 *
 * Not while a discard is in flight, and not in a hint round: end it first, or a
 * hint of this region counts for what is added at its address later (FPH-D1D).
 *
 * FPH_OK, FPH_ENOENT, FPH_EUNINIT.  O(regions), with the table.
 */
FPH_API int fph_memory_remove(struct fph_memory *m, uint64_t gpa, uint64_t len);

/*
 * fph_memory_get_backing - find out what backs a mapping of fd
 *
 * fd: a file, or -1 for private anonymous memory.  is_private: the mapping is
 * MAP_PRIVATE.  Sets fd, backing and page_size of *r, the last to the huge
 * page's where fstatfs says so, else to the system's.  Anonymous huge pages
 * (MAP_HUGETLB) cannot be told from here: set HUGETLB_ANON and their size by
 * hand.
 *
 * FPH_OK, FPH_EINVAL (fd cannot be examined, or is no regular file; or there
 * is none and the mapping is shared, so that no file could be punched).
 * Two system calls.
 */
FPH_API int fph_memory_get_backing(struct fph_region *r, int fd,
				   bool is_private);

/* ------------------------------------------------------------- look-ups -- */

/*
 * fph_memory_check - mark the buffers that are not guest memory
 *
 * For each buffer with a segment outside of guest memory: sets
 * FPH_BUFFER_REFUSE.  Ranges may cross regions.
 *
 * The number of buffers marked, FPH_EUNINIT.  O(segments).
 */
FPH_API int fph_memory_check(const struct fph_memory *m,
			     struct fph_buffer *buffers, uint32_t n,
			     const struct fph_seg *segs);

/*
 * fph_memory_translate - host addresses of segments
 *
 * segs, n: none empty, as pop gives them.  iov: receives one entry a segment.
 *
 * The number translated, from the front; FPH_ENOENT (the first is not in one
 * region), FPH_EINVAL (n is 0), FPH_EUNINIT.  O(n).
 */
FPH_API int fph_memory_translate(const struct fph_memory *m,
				 const struct fph_seg *segs, uint32_t n,
				 struct iovec *iov);

/*
 * fph_memory_read - copy bytes of segments out of guest memory
 *
 * segs, n: one behind the other; offset, len: bytes in all of them.  Each byte
 * is read once.  Segments may cross regions.
 *
 * FPH_OK; FPH_PEER_UNMAPPED (set FPH_BUFFER_REFUSE for the buffer, as
 * fph_memory_check does); FPH_EINVAL (the segments are shorter: whoever takes
 * the buffer finds that), FPH_EUNINIT.  O(n + len).
 */
FPH_API int fph_memory_read(const struct fph_memory *m,
			    const struct fph_seg *segs, uint32_t n,
			    uint64_t offset, void *buf, size_t len);

/* The region that holds gpa, or NULL.  Valid until the map changes.  O(1). */
FPH_API const struct fph_region *
fph_memory_get_region(const struct fph_memory *m, uint64_t gpa);

/*
 * The host address of len bytes at gpa, or NULL when they do not lie in one
 * region; len is not 0.  O(1).
 */
FPH_API void *fph_memory_get_host(const struct fph_memory *m, uint64_t gpa,
				  uint64_t len);

/* The same as a fph_map_fn of <fph/vring.h>: ctx is the map.  O(1). */
FPH_API const void *fph_memory_map(void *ctx, uint64_t gpa, uint64_t len);

/*
 * Whether all of [gpa, gpa + len) is guest memory, in any number of regions.
 * False for an empty range and for one that wraps.  O(regions crossed).
 */
FPH_API bool fph_memory_is_ram(const struct fph_memory *m, uint64_t gpa,
			       uint64_t len);

/*
 * fph_memory_next - cut the first piece off a range
 *
 * *rest: what is left of the range; advanced by the call.
 *
 * 1 (*piece is set); 0 (rest is empty); FPH_ENOENT (rest->gpa is not guest
 * memory, or rest wraps; nothing changed); FPH_EUNINIT.  O(1).
 */
FPH_API int fph_memory_next(const struct fph_memory *m, struct fph_range *rest,
			    struct fph_piece *piece);

/* Bytes of guest memory in all regions.  O(regions). */
FPH_API uint64_t fph_memory_get_bytes(const struct fph_memory *m);

#ifdef __cplusplus
}
#endif

#endif /* FPH_VMM_MEMORY_H */
