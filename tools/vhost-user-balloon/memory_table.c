/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "closer.h"
#include "file_kind.h"
#include "memory_table.h"

/* Pieces of a file that are looked at for one answer. */
#define MAX_STEPS	512

void memory_table_init(struct memory_table *t,
		       const struct memory_policy *policy)
{
	struct fph_memory_params params = {
		.size = sizeof(params),
		.max_regions = MEMORY_TABLE_SLOTS
	};

	memset(t, 0, sizeof(*t));
	t->policy = policy;
	t->memory = fph_memory_new(&params, NULL);
}

void memory_table_fini(struct memory_table *t)
{
	fph_memory_free(t->memory);
	t->memory = NULL;
}

static void slot_close(struct memory_slot *s)
{
	if (s->base)
		munmap(s->base, s->maplen);
	if (s->fd >= 0)
		closer_close(s->fd);
	s->base = NULL;
	s->fd = -1;
}

static bool wraps(uint64_t start, uint64_t len)
{
	return len == 0 || start + (len - 1) < start;
}

/*
 * The mapping begins and ends at whole pages of the file, which for huge
 * pages may lie outside the region.
 */
static int map_file(struct memory_slot *s, uint64_t size)
{
	const struct memory_region *r = &s->region;
	uint64_t page = s->map.page_size;
	uint64_t start = r->offset & ~(page - 1);
	uint64_t end = (r->offset + r->len + page - 1) & ~(page - 1);
	uint8_t *base;

	/* What is behind the end of the file would be a bus error later. */
	if (r->offset + r->len > size || end - start > SIZE_MAX)
		return EINVAL;
	base = mmap(NULL, (size_t)(end - start), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_NORESERVE, s->fd, (off_t)start);
	if (base == MAP_FAILED)
		return errno;
	/* A core file is no place for the guest's memory.  Fault 18. */
	madvise(base, (size_t)(end - start), MADV_DONTDUMP);
	s->base = base;
	s->maplen = (size_t)(end - start);
	s->map.host = base + (r->offset - start);
	return 0;
}

static int fail(struct memory_table *t, const char *word, int err)
{
	t->word = word;
	return err;
}

/*
 * A page of a file that is served by somebody who does not answer would stop
 * whoever touches it, for good: only memory, and what the operator trusts.
 */
static bool is_trusted(const struct memory_table *t, int fd)
{
	int kind = file_get_kind(fd);

	if (kind == FILE_MEMORY)
		return true;
	return kind == FILE_OTHER && t->policy && t->policy->file_systems &&
	       file_is_on(fd, t->policy->file_systems);
}

static int check(struct memory_table *t, const struct memory_region *r,
		 int fd)
{
	uint64_t used = memory_table_get_bytes(t);
	uint64_t max = t->policy && t->policy->max_bytes ?
		       t->policy->max_bytes : UINT64_MAX;
	uint32_t i;

	if (wraps(r->gpa, r->len) || wraps(r->uva, r->len) ||
	    wraps(r->offset, r->len) || r->offset + r->len > INT64_MAX)
		return fail(t, "a range that is empty or too large", EINVAL);
	if (r->len > max || used > max - r->len)
		return fail(t, "more than --max-memory, which can be "
			    "larger", ENOMEM);
	for (i = 0; i < t->nslots; i++) {
		const struct memory_region *o = &t->slots[i].region;

		if (r->uva - o->uva < o->len || o->uva - r->uva < r->len)
			return fail(t, "user addresses overlap", EINVAL);
	}
	if (!is_trusted(t, fd))
		return fail(t, "memory must be a memfd, or a file on tmpfs, "
			    "hugetlbfs or one of --memory-file-systems",
			    EPERM);
	return 0;
}

/* Fill a slot; on an error it is closed, with the descriptor. */
static int slot_open(struct memory_table *t, struct memory_slot *s,
		     const struct memory_region *r, int fd)
{
	struct stat st;
	int err;

	memset(s, 0, sizeof(*s));
	s->region = *r;
	s->fd = fd;
	err = check(t, r, fd);
	if (err)
		goto fail;
	err = EINVAL;
	if (fstat(fd, &st) || st.st_size < 0 ||
	    fph_memory_get_backing(&s->map, fd, false) != FPH_OK)
		goto fail;
	err = map_file(s, (uint64_t)st.st_size);
	if (err)
		goto fail;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->map.gpa = r->gpa;
	s->map.len = r->len;
	s->map.fd_offset = r->offset;
	return 0;
fail:
	slot_close(s);
	return err;
}

static int error_of(int status)
{
	return status == FPH_EFULL ? ENOSPC : EINVAL;
}

int memory_table_add(struct memory_table *t,
		     const struct memory_region *region, int fd)
{
	struct memory_slot slot;
	int status, err;

	t->word = NULL;
	if (t->nslots == MEMORY_TABLE_SLOTS) {
		closer_close(fd);
		return fail(t, "no slot is free", ENOSPC);
	}
	err = slot_open(t, &slot, region, fd);
	if (err)
		return err;
	status = fph_memory_add(t->memory, &slot.map);
	if (status != FPH_OK) {
		slot_close(&slot);
		return fail(t, "guest addresses overlap, or are no pages",
			    error_of(status));
	}
	t->slots[t->nslots++] = slot;
	return 0;
}

/* Give up a table's slots without touching the map of another one. */
static void close_slots(struct memory_table *t)
{
	while (t->nslots > 0)
		slot_close(&t->slots[--t->nslots]);
}

int memory_table_set(struct memory_table *t,
		     const struct memory_region *regions, const int *fds,
		     uint32_t n)
{
	static struct memory_table next;	/* too large for a stack */
	uint32_t i;
	int err = 0;

	memory_table_init(&next, t->policy);
	for (i = 0; i < n && !err; i++)
		err = memory_table_add(&next, &regions[i], fds[i]);
	t->word = next.word;
	memory_table_fini(&next);
	if (err) {
		for (; i < n; i++)
			closer_close(fds[i]);
		close_slots(&next);
		return err;
	}
	memory_table_clear(t);
	for (i = 0; i < n; i++) {
		t->slots[i] = next.slots[i];
		fph_memory_add(t->memory, &t->slots[i].map);
	}
	t->nslots = n;
	return 0;
}

int memory_table_remove(struct memory_table *t,
			const struct memory_region *region)
{
	uint32_t i;

	for (i = 0; i < t->nslots; i++) {
		struct memory_region *r = &t->slots[i].region;

		if (r->gpa == region->gpa && r->len == region->len &&
		    r->uva == region->uva)
			break;
	}
	if (i == t->nslots)
		return ENOENT;
	fph_memory_remove(t->memory, region->gpa, region->len);
	slot_close(&t->slots[i]);
	t->slots[i] = t->slots[--t->nslots];
	return 0;
}

void memory_table_clear(struct memory_table *t)
{
	fph_memory_reset(t->memory);
	close_slots(t);
}

void *memory_table_get_host(const struct memory_table *t, uint64_t uva,
			    uint64_t len)
{
	uint32_t i;

	for (i = 0; i < t->nslots; i++) {
		const struct memory_slot *s = &t->slots[i];

		if (uva < s->region.uva || len > s->region.len)
			continue;
		if (uva - s->region.uva <= s->region.len - len)
			return (uint8_t *)s->map.host +
			       (uva - s->region.uva);
	}
	return NULL;
}

bool memory_table_get_gpa(const struct memory_table *t, const void *host,
			  uint64_t len, uint64_t *gpa)
{
	uint32_t i;

	for (i = 0; i < t->nslots; i++) {
		const struct memory_slot *s = &t->slots[i];
		uint64_t at = (uintptr_t)host - (uintptr_t)s->map.host;

		if (len > s->region.len || at > s->region.len - len)
			continue;
		*gpa = s->region.gpa + at;
		return true;
	}
	return false;
}

uint64_t memory_table_get_end(const struct memory_table *t)
{
	uint64_t end = 0;
	uint32_t i;

	for (i = 0; i < t->nslots; i++) {
		const struct memory_region *r = &t->slots[i].region;

		if (r->gpa + r->len > end)
			end = r->gpa + r->len;
	}
	return end;
}

uint64_t memory_table_get_page(const struct memory_table *t)
{
	uint64_t page = t->nslots ? t->slots[0].map.page_size : 4096;
	uint32_t i;

	for (i = 1; i < t->nslots; i++) {
		if (t->slots[i].map.page_size < page)
			page = t->slots[i].map.page_size;
	}
	return page;
}

static bool is_same_file(const struct memory_slot *a,
			 const struct memory_slot *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

/* Bytes of a file that are in some region, and whether an earlier slot has. */
static uint64_t get_used(const struct memory_table *t, uint32_t slot,
			 bool *repeated)
{
	uint64_t bytes = 0;
	uint32_t i;

	*repeated = false;
	for (i = 0; i < t->nslots; i++) {
		if (!is_same_file(&t->slots[i], &t->slots[slot]))
			continue;
		bytes += t->slots[i].region.len;
		*repeated = *repeated || i < slot;
	}
	return bytes;
}

/* Of one region, by the holes of its file. */
static uint64_t count_data(const struct memory_slot *s)
{
	off_t at = (off_t)s->region.offset;
	off_t end = at + (off_t)s->region.len;
	uint64_t bytes = 0;
	int steps;

	for (steps = 0; steps < MAX_STEPS; steps++) {
		off_t data = lseek(s->fd, at, SEEK_DATA);

		if (data < 0 || data >= end)
			return bytes;
		at = lseek(s->fd, data, SEEK_HOLE);
		if (at < 0 || at > end)
			at = end;
		bytes += (uint64_t)(at - data);
	}
	return bytes + (uint64_t)(end - at);
}

static uint64_t get_resident(const struct memory_table *t, uint32_t slot)
{
	const struct memory_slot *s = &t->slots[slot];
	struct stat st;
	uint64_t used;
	bool repeated;

	if (fstat(s->fd, &st))
		return 0;
	used = get_used(t, slot, &repeated);
	if (used < (uint64_t)st.st_size)
		return count_data(s);
	return repeated ? 0 : (uint64_t)st.st_blocks * 512;
}

uint64_t memory_table_get_resident(const struct memory_table *t)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < t->nslots; i++)
		bytes += get_resident(t, i);
	return bytes;
}

struct memory_slot *memory_table_find(struct memory_table *t, uint64_t gpa)
{
	uint32_t i;

	for (i = 0; i < t->nslots; i++) {
		if (gpa - t->slots[i].region.gpa < t->slots[i].region.len)
			return &t->slots[i];
	}
	return NULL;
}
