/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dirty_log.h"
#include "file_kind.h"
#include "memory_guard.h"

/* Enough for 1 PiB of guest memory. */
#define MAX_LOG	(UINT64_C(1) << 35)

int dirty_log_open(struct dirty_log *l, int fd, uint64_t len, uint64_t offset)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct stat st;
	void *map;

	if (!len || len > MAX_LOG || offset > MAX_LOG || offset % page ||
	    file_get_kind(fd) != FILE_MEMORY || fstat(fd, &st) ||
	    (uint64_t)st.st_size < offset + len)
		return EINVAL;
	map = mmap(NULL, (size_t)len, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   (off_t)offset);
	if (map == MAP_FAILED)
		return errno;
	dirty_log_close(l);
	l->map = map;
	l->len = (size_t)len;
	memory_guard_set_other(GUARD_LOG, l->map, l->len);
	return 0;
}

void dirty_log_close(struct dirty_log *l)
{
	if (!l->map)
		return;
	memory_guard_set_other(GUARD_LOG, NULL, 0);
	munmap(l->map, l->len);
	memset(l, 0, sizeof(*l));
}

bool dirty_log_mark(struct dirty_log *l, uint64_t gpa, uint64_t len)
{
	uint64_t page = gpa / DIRTY_LOG_PAGE;
	uint64_t last = (gpa + len - 1) / DIRTY_LOG_PAGE;

	for (; len && page <= last; page++) {
		if (page / 8 >= l->len)
			return false;
		/* The front-end takes bits out at the same time. */
		__atomic_fetch_or(&l->map[page / 8],
				  (uint8_t)(1u << (page % 8)),
				  __ATOMIC_SEQ_CST);
	}
	return true;
}
