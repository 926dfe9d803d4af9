/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The map of guest memory: a sorted array, and a table that is indexed by
 * address.
 *
 * The table divides the address space below the last region into cells of one
 * size.  Each names the region that has most of the cell.  A look-up tries
 * that one, and searches the array only if it was wrong: where regions meet
 * inside a cell, and for what is not guest memory.
 *
 * Nothing here adds a length to an address: a region may end at 2^64, where
 * the sum is 0.  What is compared are distances, which always fit.  The table
 * alone, which ends below 2^63, may add one of 32 bits.
 */
#include <stdlib.h>

#include "vmm/memory_internal.h"

#define UNIT			4096u	/* the finest page of any guest */
#define UNIT_SHIFT		12
#define TABLE_END		((uint64_t)1 << 63)
#define DEFAULT_REGIONS		1024u
#define MAX_REGIONS		(0xffffu / FPH_PLACE_WORDS)
#define REGION_FLAGS		(FPH_REGION_LOCKED | \
				 FPH_REGION_CONFIDENTIAL | FPH_REGION_READONLY)

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

/* The index of the region that holds gpa, or nregions. */
static uint32_t find(const struct fph_memory *m, uint64_t gpa)
{
	uint64_t cell = gpa >> m->shift;
	uint32_t i;

	if (cell < m->ncells) {
		i = m->cells[cell] / FPH_PLACE_WORDS;
		if (is_inside(&m->regions[i], gpa))
			return i;
	}
	i = search(m, gpa);
	return i && is_inside(&m->regions[i - 1], gpa) ? i - 1 : m->nregions;
}

/* ------------------------------------------------------------------- map -- */

struct fph_memory *fph_memory_new(const struct fph_memory_params *params,
				  int *status)
{
	struct fph_memory_params p = { .size = sizeof(p) };
	struct fph_memory *m = NULL;
	int ret = FPH_EINVAL;

	if (params && !fph_params_read(&p, sizeof(p), params, sizeof(p)))
		goto out;
	if (!p.max_regions)
		p.max_regions = DEFAULT_REGIONS;
	if (p.max_regions > MAX_REGIONS)
		goto out;
	ret = FPH_ENOMEM;
	m = malloc(sizeof(*m));
	if (!m)
		goto out;
	/* What is never added is never touched. */
	m->regions = malloc(p.max_regions * sizeof(*m->regions));
	m->places = malloc(p.max_regions * FPH_PLACE_WORDS *
			   sizeof(*m->places));
	m->capacity = p.max_regions;
	fph_memory_reset(m);
	if (!m->regions || !m->places) {
		fph_memory_free(m);
		m = NULL;
		goto out;
	}
	ret = FPH_OK;
out:
	if (status)
		*status = ret;
	return m;
}

void fph_memory_free(struct fph_memory *m)
{
	if (!m)
		return;
	free(m->regions);
	free(m->places);
	free(m);
}

int fph_memory_reset(struct fph_memory *m)
{
	if (!m)
		return FPH_EUNINIT;
	m->nregions = 0;
	m->ncells = 0;
	m->shift = UNIT_SHIFT;
	return FPH_OK;
}

static uint64_t last_of(const struct fph_region *r)
{
	return r->gpa + (r->len - 1);
}

/* Bytes of r in a cell that it touches, less one. */
static uint64_t share(const struct fph_memory *m, const struct fph_region *r,
		      uint64_t cell)
{
	uint64_t first = cell << m->shift;
	uint64_t last = first + (((uint64_t)1 << m->shift) - 1);

	if (first < r->gpa)
		first = r->gpa;
	if (last > last_of(r))
		last = last_of(r);
	return last - first;
}

/* Makes region i that of its cells, but for those where another has more. */
static void fill_cells(struct fph_memory *m, uint32_t i)
{
	const struct fph_region *r = &m->regions[i];
	uint64_t cell = r->gpa >> m->shift;
	uint64_t last = last_of(r) >> m->shift;

	/* Only the first can have been given to a region before this one. */
	if (i && cell < m->ncells &&
	    last_of(&m->regions[i - 1]) >> m->shift == cell &&
	    share(m, &m->regions[m->cells[cell] / FPH_PLACE_WORDS], cell) >=
	    share(m, r, cell))
		cell++;
	for (; cell <= last && cell < m->ncells; cell++)
		m->cells[cell] = (uint16_t)(i * FPH_PLACE_WORDS);
}

/* Makes the table anew.  The cells of no region name some region. */
static void build_table(struct fph_memory *m)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < m->nregions; i++) {
		const struct fph_region *r = &m->regions[i];
		uint64_t *w = &m->places[i * FPH_PLACE_WORDS];
		bool fits = last_of(r) < TABLE_END;

		w[FPH_PLACE_GPA] = r->gpa;
		w[FPH_PLACE_END] = fits ? r->gpa + r->len : 0;
		w[FPH_PLACE_HOST] = (uint64_t)(uintptr_t)r->host - r->gpa;
		if (fits)
			last = last_of(r);
	}
	m->shift = UNIT_SHIFT;
	while (last >> m->shift >= FPH_MEMORY_CELLS)
		m->shift++;
	m->ncells = m->nregions ? (uint32_t)(last >> m->shift) + 1 : 0;
	fph_memset(m->cells, 0, m->ncells * sizeof(m->cells[0]));
	for (uint32_t i = 0; i < m->nregions; i++)
		fill_cells(m, i);
}

static bool needs_fd(uint32_t backing)
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
	if ((r->gpa | r->len) % UNIT || fph_is_bad_range(r->gpa, r->len))
		return false;
	if (r->backing < FPH_BACKING_ANON ||
	    r->backing > FPH_BACKING_HUGETLB_ANON ||
	    (r->flags & ~REGION_FLAGS) || r->reserved)
		return false;
	if (r->page_size < UNIT || !fph_is_power(r->page_size))
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

	if (!m)
		return FPH_EUNINIT;
	if (!r || !is_region_ok(r))
		return FPH_EINVAL;
	at = search(m, r->gpa);
	if (is_overlapping(m, at, r))
		return FPH_EEXIST;
	if (m->nregions == m->capacity)
		return FPH_EFULL;
	for (uint32_t i = m->nregions; i > at; i--)
		m->regions[i] = m->regions[i - 1];
	m->regions[at] = *r;
	m->nregions++;
	build_table(m);
	return FPH_OK;
}

int fph_memory_remove(struct fph_memory *m, uint64_t gpa, uint64_t len)
{
	uint32_t i;

	if (!m)
		return FPH_EUNINIT;
	i = search(m, gpa);
	if (!i || m->regions[i - 1].gpa != gpa || m->regions[i - 1].len != len)
		return FPH_ENOENT;
	for (; i < m->nregions; i++)
		m->regions[i - 1] = m->regions[i];
	m->nregions--;
	build_table(m);
	return FPH_OK;
}

/* -------------------------------------------------------------- look-ups -- */

const struct fph_region *fph_memory_get_region(const struct fph_memory *m,
					       uint64_t gpa)
{
	uint32_t i;

	if (!m)
		return NULL;
	i = find(m, gpa);
	return i < m->nregions ? &m->regions[i] : NULL;
}

void *fph_memory_get_host(const struct fph_memory *m, uint64_t gpa,
			  uint64_t len)
{
	const struct fph_region *r = fph_memory_get_region(m, gpa);

	if (!r || !len || len > room(r, gpa))
		return NULL;
	return (uint8_t *)r->host + (gpa - r->gpa);
}

const void *fph_memory_map(void *ctx, uint64_t gpa, uint64_t len)
{
	return fph_memory_get_host(ctx, gpa, len);
}

bool fph_memory_is_ram(const struct fph_memory *m, uint64_t gpa, uint64_t len)
{
	if (!m || fph_is_bad_range(gpa, len))
		return false;
	for (uint32_t i = find(m, gpa); i < m->nregions; i++) {
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

int fph_memory_next(const struct fph_memory *m, struct fph_range *rest,
		    struct fph_piece *piece)
{
	const struct fph_region *r;

	if (!m)
		return FPH_EUNINIT;
	if (!rest->len)
		return 0;
	r = fph_memory_get_region(m, rest->gpa);
	if (!r || fph_is_bad_range(rest->gpa, rest->len))
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

	if (!m || fph_is_bad_range(gpa, len))
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

	if (!m)
		return 0;
	for (uint32_t i = 0; i < m->nregions; i++)
		bytes += m->regions[i].len;
	return bytes;
}
