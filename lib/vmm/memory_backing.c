/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What backs a mapping, as the file system says. */
#include <sys/stat.h>
#include <sys/vfs.h>

#include "vmm/system.h"

/* The magic numbers of linux/magic.h, which not every libc brings along. */
#define TMPFS_MAGIC_NUMBER	0x01021994ul
#define HUGETLBFS_MAGIC_NUMBER	0x958458f6ul

/* The backing of a shared mapping. */
static uint32_t shared_backing(unsigned long magic)
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
	uint64_t page_size = fph_system_get_page_size();
	uint32_t backing = FPH_BACKING_ANON;
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
	r->fd = fd;
	r->backing = backing;
	r->page_size = page_size;
	return FPH_OK;
}
