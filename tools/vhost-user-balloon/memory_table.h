/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Guest memory as the front-end describes it: maps the files and keeps the
 * map of libfph-vmm in step.
 *
 * A ring's address is one of the front-end's own ("user address"); buffers
 * are named by guest-physical addresses.  Both are translated here.
 *
 * No discard may be in flight while the table changes (R5): the worker looks
 * things up in it.
 */
#ifndef VUB_MEMORY_TABLE_H
#define VUB_MEMORY_TABLE_H

#include <stddef.h>
#include <sys/types.h>

#include <fph-vmm/memory.h>

#define MEMORY_TABLE_SLOTS	512u

/* A region as it is described in a message. */
struct memory_region {
	uint64_t gpa;			/* bytes, as all of them */
	uint64_t len;
	uint64_t uva;			/* the front-end's own address */
	uint64_t offset;		/* in the file */
};

/* A region that is mapped. */
struct memory_slot {
	struct memory_region region;
	struct fph_region map;
	void *base;			/* of the mapping */
	size_t maplen;
	int fd;
	dev_t dev;			/* names the file */
	ino_t ino;
};

/* What is taken as guest memory. */
struct memory_policy {
	const char *file_systems;	/* besides memory: "ext4,xfs"; or NULL */
	uint64_t max_bytes;		/* mapped at once; 0: no limit */
};

struct memory_table {
	const struct memory_policy *policy;	/* NULL: memory, no limit */
	const char *word;		/* what was wrong with the last change */
	struct fph_memory *memory;	/* NULL: there was no memory for it */
	struct memory_slot slots[MEMORY_TABLE_SLOTS];
	uint32_t nslots;
};

/*
 * All results are 0 or a positive errno value; then nothing has changed, and
 * word says more, or is NULL.
 */

void memory_table_init(struct memory_table *t,
		       const struct memory_policy *policy);

/* Free what init made; the table is clear. */
void memory_table_fini(struct memory_table *t);

/*
 * Replace the whole table.  The descriptors are taken over in any case:
 * closed when the call fails.
 */
int memory_table_set(struct memory_table *t,
		     const struct memory_region *regions, const int *fds,
		     uint32_t n);

/* Add one region; fd is taken over in any case. */
int memory_table_add(struct memory_table *t,
		     const struct memory_region *region, int fd);

/* Remove the region with this guest address, size and user address. */
int memory_table_remove(struct memory_table *t,
			const struct memory_region *region);

/* The region that holds a guest address, or NULL. */
struct memory_slot *memory_table_find(struct memory_table *t, uint64_t gpa);

/* Unmap everything. */
void memory_table_clear(struct memory_table *t);

/* The host address of len bytes at a user address, NULL: not in one region. */
void *memory_table_get_host(const struct memory_table *t, uint64_t uva,
			    uint64_t len);

/* The guest address of len bytes of ours; false: not in one region. */
bool memory_table_get_gpa(const struct memory_table *t, const void *host,
			  uint64_t len, uint64_t *gpa);

/* The guest address at which the last region ends, 0 without any. */
uint64_t memory_table_get_end(const struct memory_table *t);

/* Bytes of guest memory. */
static inline uint64_t memory_table_get_bytes(const struct memory_table *t)
{
	return fph_memory_get_bytes(t->memory);
}

/* The smallest page of the host behind a region, bytes; 4096: no region. */
uint64_t memory_table_get_page(const struct memory_table *t);

/*
 * Bytes of host memory that the regions occupy now.  Where they are the whole
 * of a file it is the file's; else its pieces are looked at, up to a number at
 * which the rest counts as if it was full.
 */
uint64_t memory_table_get_resident(const struct memory_table *t);

#endif /* VUB_MEMORY_TABLE_H */
