/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a descriptor of a front-end is, found out without asking anyone who
 * could let us wait: a file system in user space answers fstat and fstatfs
 * when it likes.
 */
#ifndef VUB_FILE_KIND_H
#define VUB_FILE_KIND_H

#include <stdbool.h>

enum file_kind {
	FILE_OTHER		= 0,	/* on a disk, a network, a device ... */
	FILE_PIPE		= 1,
	FILE_LOCAL_SOCKET	= 2,
	FILE_NONE		= 3,	/* no file at all: eventfd and others */
	FILE_MEMORY		= 4	/* shmem or hugetlb */
};

int file_get_kind(int fd);

/* Open what file_is_on reads, before it is too late. */
void file_prepare(void);

/*
 * Whether the file system that a file is on has one of these names, which are
 * separated by commas: ext4,xfs.  By the mounts that this process sees.
 */
bool file_is_on(int fd, const char *names);

#endif /* VUB_FILE_KIND_H */
