/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The map of guest memory: a sorted array and a binary search.
 *
 * Nothing here adds a length to an address: a region may end at 2^64, where
 * the sum is 0.  What is compared are distances, which always fit.
 */
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "vmm/internal.h"

/* The magic numbers of linux/magic.h, which not every libc brings along. */
#define TMPFS_MAGIC_NUMBER	0x01021994ul
#define HUGETLBFS_MAGIC_NUMBER	0x958458f6ul

#define UNIT			4096u	/* the finest page of any guest */
#define BACKING_FIRST		FPH_BACKING_ANON
#define BACKING_LAST		FPH_BACKING_HUGETLB_ANON
#define REGION_FLAGS		(FPH_REGION_LOCKED | \
				 FPH_REGION_CONFIDENTIAL | FPH_REGION_READONLY)

static bool is_live(const struct fph_memory *m)
{
	return m && m->magic == FPH_MEMORY_MAGIC;
}

static bool is_wrapping(uint64_t gpa, uint64_t len)
{
	return len && gpa + (len - 1) < gpa;
}

static bool is_inside(const struct fph_region *r, uint64_t gpa)
{
	return gpa >= r->gpa && gpa - r->gpa < r->len;
}

/* Bytes of r from gpa, which lies in it. */
static uint64_t room(const struct fph_region *r, uint64_t gpa)
{
	return r->len - (gpa - r->gpa);
}

/* The number of regions that begin at gpa or below. */
static uint32_t search(const struct fph_memory *m, uint64_t gpa)
{
	uint32_t low = 0;
	uint32_t high = m->nregions;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (m->regions[mid].gpa <= gpa)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/*
 * The index of the region that holds gpa, or nregions.
 *
 * The last hit is a hint that threads overwrite for each other.  Relaxed will
 * do: whatever value is read is checked against the array, which is constant
 * meanwhile.
 */
static uint32_t find(struct fph_memory *m, uint64_t gpa)
{
	uint32_t i = __atomic_load_n(&m->last, __ATOMIC_RELAXED);

	if (i < m->nregions && is_inside(&m->regions[i], gpa))
		return i;
	i = search(m, gpa);
	if (!i || !is_inside(&m->regions[i - 1], gpa))
		return m->nregions;
	__atomic_store_n(&m->last, i - 1, __ATOMIC_RELAXED);
	return i - 1;
}

int fph_memory_init(struct fph_memory *m, struct fph_region *storage,
		    uint32_t capacity)
{
	if (!m || !storage || !capacity)
		return FPH_EINVAL;
	fph_memset(m, 0, sizeof(*m));
	m->regions = storage;
	m->capacity = capacity;
	m->magic = FPH_MEMORY_MAGIC;
	return FPH_OK;
}

int fph_memory_reset(struct fph_memory *m)
{
	if (!is_live(m))
		return FPH_EUNINIT;
	m->nregions = 0;
	m->last = 0;
	return FPH_OK;
}

static bool needs_fd(int backing)
{
	return backing == FPH_BACKING_SHMEM || backing == FPH_BACKING_FILE ||
	       backing == FPH_BACKING_HUGETLB;
}

/* The file's side of a region: offsets that fallocate can be given. */
static bool is_file_ok(const struct fph_region *r)
{
	return r->fd >= 0 && r->fd_offset % UNIT == 0 &&
	       r->fd_offset <= INT64_MAX && r->len <= INT64_MAX - r->fd_offset;
}

static bool is_host_ok(const struct fph_region *r)
{
	uintptr_t host = (uintptr_t)r->host;

	return host && host % UNIT == 0 && r->len - 1 <= UINTPTR_MAX - host;
}

static bool is_region_ok(const struct fph_region *r)
{
	if (!r->len || (r->gpa | r->len) % UNIT || is_wrapping(r->gpa, r->len))
		return false;
	if (r->backing < BACKING_FIRST || r->backing > BACKING_LAST ||
	    (r->flags & ~REGION_FLAGS))
		return false;
	if (r->page_size < UNIT || (r->page_size & (r->page_size - 1)))
		return false;
	return is_host_ok(r) && (!needs_fd(r->backing) || is_file_ok(r));
}

/* Whether r meets one of the regions around the place where it belongs. */
static bool is_overlapping(const struct fph_memory *m, uint32_t at,
			   const struct fph_region *r)
{
	if (at && is_inside(&m->regions[at - 1], r->gpa))
		return true;
	return at < m->nregions && is_inside(r, m->regions[at].gpa);
}

int fph_memory_add(struct fph_memory *m, const struct fph_region *r)
{
	uint32_t at;
	uint32_t i;

	if (!is_live(m))
		return FPH_EUNINIT;
	if (!r || !is_region_ok(r))
		return FPH_EINVAL;
	at = search(m, r->gpa);
	if (is_overlapping(m, at, r))
		return FPH_EINVAL;
	if (m->nregions == m->capacity)
		return FPH_EFULL;
	for (i = m->nregions; i > at; i--)
		m->regions[i] = m->regions[i - 1];
	m->regions[at] = *r;
	m->nregions++;
	return FPH_OK;
}

int fph_memory_remove(struct fph_memory *m, uint64_t gpa, uint64_t len)
{
	uint32_t i;

	if (!is_live(m))
		return FPH_EUNINIT;
	i = search(m, gpa);
	if (!i || m->regions[i - 1].gpa != gpa || m->regions[i - 1].len != len)
		return FPH_ENOENT;
	for (; i < m->nregions; i++)
		m->regions[i - 1] = m->regions[i];
	m->nregions--;
	m->last = 0;
	return FPH_OK;
}

const struct fph_region *fph_memory_get_region(struct fph_memory *m,
					       uint64_t gpa)
{
	uint32_t i;

	if (!is_live(m))
		return NULL;
	i = find(m, gpa);
	return i < m->nregions ? &m->regions[i] : NULL;
}

void *fph_memory_get_host(struct fph_memory *m, uint64_t gpa, uint64_t len)
{
	const struct fph_region *r = fph_memory_get_region(m, gpa);

	if (!r || !len || len > room(r, gpa))
		return NULL;
	return (uint8_t *)r->host + (gpa - r->gpa);
}

bool fph_memory_is_ram(struct fph_memory *m, uint64_t gpa, uint64_t len)
{
	uint32_t i;

	if (!is_live(m) || !len || is_wrapping(gpa, len))
		return false;
	for (i = find(m, gpa); i < m->nregions; i++) {
		const struct fph_region *r = &m->regions[i];

		if (!is_inside(r, gpa))
			return false;
		if (len <= room(r, gpa))
			return true;
		len -= room(r, gpa);
		gpa += room(r, gpa);
	}
	return false;
}

int fph_memory_next(struct fph_memory *m, struct fph_range *rest,
		    struct fph_piece *piece)
{
	const struct fph_region *r;

	if (!is_live(m))
		return FPH_EUNINIT;
	if (!rest->len)
		return 0;
	r = fph_memory_get_region(m, rest->gpa);
	if (!r || is_wrapping(rest->gpa, rest->len))
		return FPH_ENOENT;
	piece->region = r;
	piece->gpa = rest->gpa;
	piece->len = room(r, rest->gpa);
	if (piece->len > rest->len)
		piece->len = rest->len;
	rest->gpa += piece->len;
	rest->len -= piece->len;
	return 1;
}

uint64_t fph_memory_gap(const struct fph_memory *m, uint64_t gpa, uint64_t len)
{
	uint32_t i;

	if (!is_live(m) || is_wrapping(gpa, len))
		return len;
	i = search(m, gpa);
	if (i && is_inside(&m->regions[i - 1], gpa))
		return 0;
	if (i < m->nregions && m->regions[i].gpa - gpa < len)
		return m->regions[i].gpa - gpa;
	return len;
}

uint64_t fph_memory_get_bytes(const struct fph_memory *m)
{
	uint64_t bytes = 0;
	uint32_t i;

	if (!is_live(m))
		return 0;
	for (i = 0; i < m->nregions; i++)
		bytes += m->regions[i].len;
	return bytes;
}

/* The backing of a shared mapping. */
static int shared_backing(unsigned long magic)
{
	switch (magic) {
	case TMPFS_MAGIC_NUMBER:	/* a memfd as well */
		return FPH_BACKING_SHMEM;
	case HUGETLBFS_MAGIC_NUMBER:
		return FPH_BACKING_HUGETLB;
	default:
		return FPH_BACKING_FILE;
	}
}

int fph_memory_get_backing(struct fph_region *r, int fd, bool is_private)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	int backing = FPH_BACKING_ANON;
	struct statfs fs;
	struct stat st;

	if (!r)
		return FPH_EINVAL;
	if (fd != -1) {
		if (fstat(fd, &st) || !S_ISREG(st.st_mode) || fstatfs(fd, &fs))
			return FPH_EINVAL;
		backing = shared_backing((unsigned long)fs.f_type);
		/*
		 * Only there is the block the page.  Elsewhere it is a unit of
		 * the disk, or of transfers, and memory goes by system pages.
		 */
		if (backing == FPH_BACKING_HUGETLB)
			page_size = (uint64_t)fs.f_bsize;
		if (is_private)
			backing = FPH_BACKING_FILE_PRIVATE;
	} else if (!is_private) {
		return FPH_EINVAL;
	}
	r->backing = backing;
	r->page_size = page_size;
	return FPH_OK;
}
