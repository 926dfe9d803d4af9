/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The map of guest memory. */
#define _GNU_SOURCE
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring.h"
#include "runner.h"
#include "vmm/memory_internal.h"

#define PAGE	((uint64_t)4096)
#define NREG	16
#define TOP	(0ull - 64 * PAGE)	/* the last 64 pages there are */

static struct fph_memory *m;

/*
 * Never touched, so any address will do.  The padding is zero, for regions are
 * compared as bytes.
 */
static void set_region(struct fph_region *r, uint64_t gpa, uint64_t len)
{
	memset(r, 0, sizeof(*r));
	r->gpa = gpa;
	r->len = len;
	r->host = (void *)(uintptr_t)(0x100000000ull + gpa % (1u << 30));
	r->fd = -1;
	r->page_size = PAGE;
	r->backing = FPH_BACKING_ANON;
}

static void add(uint64_t gpa, uint64_t len)
{
	struct fph_region r;

	set_region(&r, gpa, len);
	ck_assert_int_eq(fph_memory_add(m, &r), FPH_OK);
}

static void setup(void)
{
	struct fph_memory_params p = { .size = sizeof(p), .max_regions = NREG };
	int status = 1;

	m = fph_memory_new(&p, &status);
	ck_assert_int_eq(status, FPH_OK);
	ck_assert_ptr_nonnull(m);
}

static void teardown(void)
{
	fph_memory_free(m);
}

START_TEST(test_new)
{
	struct {
		struct fph_memory_params p;
		uint8_t tail[8];
	} big = { .p = { .size = sizeof(big), .max_regions = 1 } };
	struct fph_memory *other;
	int status;

	ck_assert_uint_eq(fph_memory_get_bytes(m), 0);
	ck_assert_ptr_null(fph_memory_get_region(m, 0));
	other = fph_memory_new(NULL, NULL);
	ck_assert_ptr_nonnull(other);
	fph_memory_free(other);
	fph_memory_free(NULL);
	other = fph_memory_new(&big.p, &status);
	ck_assert_int_eq(status, FPH_OK);
	fph_memory_free(other);
	big.tail[7] = 1;
	ck_assert_ptr_null(fph_memory_new(&big.p, &status));
	ck_assert_int_eq(status, FPH_EINVAL);
	big.p.size = sizeof(big.p) - 1;
	ck_assert_ptr_null(fph_memory_new(&big.p, &status));
	ck_assert_int_eq(status, FPH_EINVAL);
	big.p.size = sizeof(big.p);
	big.p.max_regions = 21846;
	ck_assert_ptr_null(fph_memory_new(&big.p, &status));
	ck_assert_int_eq(status, FPH_EINVAL);
}
END_TEST

static void check_uninitialised(struct fph_memory *none)
{
	struct fph_range rest = { 0, PAGE };
	struct fph_piece piece;
	struct fph_region r;

	set_region(&r, 0, PAGE);
	ck_assert_int_eq(fph_memory_reset(none), FPH_EUNINIT);
	ck_assert_int_eq(fph_memory_add(none, &r), FPH_EUNINIT);
	ck_assert_int_eq(fph_memory_remove(none, 0, PAGE), FPH_EUNINIT);
	ck_assert_ptr_null(fph_memory_get_region(none, 0));
	ck_assert_ptr_null(fph_memory_get_host(none, 0, 1));
	ck_assert(!fph_memory_is_ram(none, 0, 1));
	ck_assert_int_eq(fph_memory_next(none, &rest, &piece), FPH_EUNINIT);
	ck_assert_uint_eq(rest.len, PAGE);
	ck_assert_uint_eq(fph_memory_get_bytes(none), 0);
	ck_assert_uint_eq(fph_memory_gap(none, 0, PAGE), PAGE);
}

START_TEST(test_uninitialised)
{
	struct fph_buffer b = { .nwrite = 1 };
	struct fph_seg seg = { 0, PAGE, 0 };
	struct iovec iov;

	check_uninitialised(NULL);
	ck_assert_int_eq(fph_memory_check(NULL, &b, 1, &seg), FPH_EUNINIT);
	ck_assert_int_eq(fph_memory_translate(NULL, &seg, 1, &iov),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_memory_read(NULL, &seg, 1, 0, &iov, 1),
			 FPH_EUNINIT);
}
END_TEST

/* All that was ever written of it. */
static bool is_same(const struct fph_memory *a, const struct fph_memory *b)
{
	return !memcmp(a, b, offsetof(struct fph_memory, cells)) &&
	       !memcmp(a->cells, b->cells, a->ncells * sizeof(a->cells[0]));
}

/* A call that fails leaves the map as it was, byte by byte. */
static void check_refused(const struct fph_region *r, int status)
{
	struct fph_region regions[NREG];
	struct fph_memory before = *m;

	memcpy(regions, m->regions, m->nregions * sizeof(*regions));
	ck_assert_int_eq(fph_memory_add(m, r), status);
	ck_assert(is_same(&before, m));
	ck_assert(!memcmp(regions, m->regions,
			  m->nregions * sizeof(*regions)));
}

#define REFUSED(member, value) do {				\
		struct fph_region bad;				\
		set_region(&bad, PAGE, 2 * PAGE);		\
		bad.member = (value);				\
		check_refused(&bad, FPH_EINVAL);		\
	} while (0)

START_TEST(test_add_refuses)
{
	add(64 * PAGE, PAGE);
	check_refused(NULL, FPH_EINVAL);
	REFUSED(gpa, 1);
	REFUSED(gpa, PAGE + 2048);
	REFUSED(gpa, 0 - PAGE);			/* wraps */
	REFUSED(len, 0);
	REFUSED(len, PAGE - 1);
	REFUSED(len, 0 - PAGE);			/* gpa + len is 2^64: host */
	REFUSED(len, 0 - PAGE + 1);
	REFUSED(host, NULL);
	REFUSED(host, (void *)(uintptr_t)(PAGE + 16));
	REFUSED(host, (void *)(UINTPTR_MAX - PAGE + 1));
	REFUSED(page_size, 0);
	REFUSED(page_size, 2048);
	REFUSED(page_size, 3 * PAGE);
	REFUSED(backing, 0);
	REFUSED(backing, 0xffffffffu);
	REFUSED(backing, 7);
	REFUSED(reserved, 1);
	REFUSED(flags, 8);
	REFUSED(flags, 0x80000001u);
}
END_TEST

START_TEST(test_add_refuses_file)
{
	static const uint32_t shared[] = {
		FPH_BACKING_SHMEM, FPH_BACKING_FILE, FPH_BACKING_HUGETLB
	};
	size_t i;

	for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		struct fph_region good;
		struct fph_region r;

		set_region(&good, 0, PAGE);
		good.backing = shared[i];
		good.fd = 0;
		good.fd_offset = (1ull << 63) - 2 * PAGE;
		r = good;
		r.fd = -1;
		check_refused(&r, FPH_EINVAL);
		r = good;
		r.fd_offset += 512;
		check_refused(&r, FPH_EINVAL);
		r = good;
		r.fd_offset += PAGE;		/* ends where off_t does */
		check_refused(&r, FPH_EINVAL);
		r.fd_offset = 1ull << 63;
		check_refused(&r, FPH_EINVAL);
		r.fd_offset = 0 - PAGE;
		check_refused(&r, FPH_EINVAL);
		ck_assert_int_eq(fph_memory_add(m, &good), FPH_OK);
		ck_assert_int_eq(fph_memory_reset(m), FPH_OK);
	}
}
END_TEST

START_TEST(test_add_overlap)
{
	static const struct {
		uint64_t gpa, len;
		int status;
	} row[] = {
		{ 16, 4, FPH_EEXIST },		/* itself */
		{ 16, 1, FPH_EEXIST },
		{ 17, 2, FPH_EEXIST },		/* inside */
		{ 19, 1, FPH_EEXIST },
		{ 19, 2, FPH_EEXIST },		/* over the end */
		{ 15, 2, FPH_EEXIST },		/* over the front */
		{ 12, 20, FPH_EEXIST },		/* around one */
		{ 0, 60, FPH_EEXIST },		/* around all */
		{ 24, 17, FPH_EEXIST },		/* into the next */
		{ 20, 1, FPH_OK },		/* neighbours */
		{ 14, 2, FPH_OK },
		{ 24, 16, FPH_OK },
	};
	size_t i;

	add(40 * PAGE, 4 * PAGE);
	add(16 * PAGE, 4 * PAGE);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fph_region r;

		set_region(&r, row[i].gpa * PAGE, row[i].len * PAGE);
		if (row[i].status)
			check_refused(&r, row[i].status);
		else
			add(r.gpa, r.len);
	}
	ck_assert_uint_eq(fph_memory_get_bytes(m), 27 * PAGE);
}
END_TEST

START_TEST(test_full)
{
	struct fph_region r;
	uint64_t i;

	set_region(&r, 1000 * PAGE, PAGE);
	/* From both ends to the middle, so that each add has to make room. */
	for (i = 0; i < NREG; i++)
		add((i % 2 ? 2 * NREG - i : i) * 2 * PAGE, PAGE);
	check_refused(&r, FPH_EFULL);
	for (i = 1; i < NREG; i++)
		ck_assert_uint_lt(m->regions[i - 1].gpa, m->regions[i].gpa);
	ck_assert_int_eq(fph_memory_reset(m), FPH_OK);
	ck_assert_uint_eq(fph_memory_get_bytes(m), 0);
	ck_assert_int_eq(fph_memory_add(m, &r), FPH_OK);
}
END_TEST

START_TEST(test_remove)
{
	struct fph_memory before;

	add(0, 4 * PAGE);
	add(4 * PAGE, PAGE);
	add(8 * PAGE, PAGE);
	ck_assert_ptr_eq(fph_memory_get_region(m, 8 * PAGE), &m->regions[2]);
	before = *m;
	ck_assert_int_eq(fph_memory_remove(m, 0, PAGE), FPH_ENOENT);
	ck_assert_int_eq(fph_memory_remove(m, PAGE, 3 * PAGE), FPH_ENOENT);
	ck_assert_int_eq(fph_memory_remove(m, 5 * PAGE, PAGE), FPH_ENOENT);
	ck_assert_int_eq(fph_memory_remove(m, 0, 5 * PAGE), FPH_ENOENT);
	ck_assert(is_same(&before, m));
	ck_assert_int_eq(fph_memory_remove(m, 0, 4 * PAGE), FPH_OK);
	ck_assert(!fph_memory_is_ram(m, 0, 1));
	ck_assert(fph_memory_is_ram(m, 4 * PAGE, PAGE));
	ck_assert(fph_memory_is_ram(m, 8 * PAGE, PAGE));
	ck_assert_int_eq(fph_memory_remove(m, 8 * PAGE, PAGE), FPH_OK);
	ck_assert_ptr_null(fph_memory_get_region(m, 8 * PAGE));
	ck_assert_int_eq(fph_memory_remove(m, 4 * PAGE, PAGE), FPH_OK);
	ck_assert_int_eq(fph_memory_remove(m, 4 * PAGE, PAGE), FPH_ENOENT);
	ck_assert_uint_eq(fph_memory_get_bytes(m), 0);
}
END_TEST

START_TEST(test_get_host)
{
	uint8_t *host;

	add(4 * PAGE, 4 * PAGE);
	add(8 * PAGE, PAGE);
	host = m->regions[0].host;
	ck_assert_ptr_eq(fph_memory_get_host(m, 4 * PAGE, 4 * PAGE), host);
	ck_assert_ptr_eq(fph_memory_get_host(m, 8 * PAGE - 1, 1),
			 host + 4 * PAGE - 1);
	ck_assert_ptr_null(fph_memory_get_host(m, 4 * PAGE, 0));
	ck_assert_ptr_null(fph_memory_get_host(m, 8 * PAGE - 1, 2));
	ck_assert_ptr_null(fph_memory_get_host(m, 4 * PAGE - 1, 2));
	ck_assert_ptr_null(fph_memory_get_host(m, 4 * PAGE, ~0ull));
	ck_assert_ptr_null(fph_memory_get_host(m, 9 * PAGE, 1));
}
END_TEST

START_TEST(test_is_ram)
{
	add(0, PAGE);
	add(PAGE, PAGE);
	add(2 * PAGE, 2 * PAGE);
	add(8 * PAGE, PAGE);
	add(TOP, 32 * PAGE);
	add(TOP + 32 * PAGE, 32 * PAGE);
	ck_assert(fph_memory_is_ram(m, 0, 4 * PAGE));
	ck_assert(fph_memory_is_ram(m, PAGE - 1, 2));
	ck_assert(fph_memory_is_ram(m, 4 * PAGE - 1, 1));
	ck_assert(!fph_memory_is_ram(m, 4 * PAGE - 1, 2));
	ck_assert(!fph_memory_is_ram(m, 0, 9 * PAGE));
	ck_assert(!fph_memory_is_ram(m, 4 * PAGE, PAGE));
	ck_assert(!fph_memory_is_ram(m, 9 * PAGE, 1));
	ck_assert(!fph_memory_is_ram(m, 0, 0));
	ck_assert(fph_memory_is_ram(m, TOP, 64 * PAGE));
	ck_assert(fph_memory_is_ram(m, ~0ull, 1));
	/* One byte further wraps to 0, which is guest memory too. */
	ck_assert(!fph_memory_is_ram(m, TOP, 64 * PAGE + 1));
	ck_assert(!fph_memory_is_ram(m, ~0ull, 2));
	ck_assert(!fph_memory_is_ram(m, 0, ~0ull));
	ck_assert_ptr_eq(fph_memory_get_region(m, ~0ull), &m->regions[5]);
}
END_TEST

static void check_next(struct fph_range *rest, uint32_t i, uint64_t gpa,
		       uint64_t len)
{
	struct fph_piece piece;

	ck_assert_int_eq(fph_memory_next(m, rest, &piece), 1);
	ck_assert_ptr_eq(piece.region, &m->regions[i]);
	ck_assert_uint_eq(piece.gpa, gpa);
	ck_assert_uint_eq(piece.len, len);
}

static void check_no_next(struct fph_range rest, int status)
{
	struct fph_range before = rest;
	struct fph_piece piece;

	ck_assert_int_eq(fph_memory_next(m, &rest, &piece), status);
	ck_assert_uint_eq(rest.gpa, before.gpa);
	ck_assert_uint_eq(rest.len, before.len);
}

START_TEST(test_next)
{
	struct fph_range rest = { 100, 4 * PAGE };
	struct fph_range top = { TOP + 16 * PAGE + 5, 48 * PAGE - 5 };
	struct fph_range wraps = { TOP, 64 * PAGE + 1 };
	struct fph_range none = { 4 * PAGE, 0 };

	add(0, PAGE);
	add(PAGE, 2 * PAGE);
	add(TOP, 32 * PAGE);
	add(TOP + 32 * PAGE, 32 * PAGE);
	check_next(&rest, 0, 100, PAGE - 100);
	check_next(&rest, 1, PAGE, 2 * PAGE);
	ck_assert_uint_eq(rest.len, PAGE + 100);
	check_no_next(rest, FPH_ENOENT);
	check_next(&top, 2, TOP + 16 * PAGE + 5, 16 * PAGE - 5);
	check_next(&top, 3, TOP + 32 * PAGE, 32 * PAGE);
	check_no_next(top, 0);
	check_no_next(wraps, FPH_ENOENT);
	check_no_next(none, 0);
	rest.gpa = 1;
	rest.len = 1;
	check_next(&rest, 0, 1, 1);
	ck_assert_uint_eq(rest.len, 0);
}
END_TEST

START_TEST(test_gap)
{
	add(4 * PAGE, PAGE);
	add(8 * PAGE, PAGE);
	ck_assert_uint_eq(fph_memory_gap(m, 0, 100), 100);
	ck_assert_uint_eq(fph_memory_gap(m, 0, 4 * PAGE), 4 * PAGE);
	ck_assert_uint_eq(fph_memory_gap(m, 1, 9 * PAGE), 4 * PAGE - 1);
	ck_assert_uint_eq(fph_memory_gap(m, 4 * PAGE, 9 * PAGE), 0);
	ck_assert_uint_eq(fph_memory_gap(m, 5 * PAGE, 9 * PAGE), 3 * PAGE);
	ck_assert_uint_eq(fph_memory_gap(m, 9 * PAGE, PAGE), PAGE);
	ck_assert_uint_eq(fph_memory_gap(m, 9 * PAGE, ~0ull), ~0ull);
	ck_assert_uint_eq(fph_memory_gap(m, 0, 0), 0);
	/* What wraps is not guest memory, wherever it begins. */
	add(TOP, 64 * PAGE);
	ck_assert_uint_eq(fph_memory_gap(m, TOP, 64 * PAGE), 0);
	ck_assert_uint_eq(fph_memory_gap(m, TOP, 65 * PAGE), 65 * PAGE);
}
END_TEST

/*
 * Against a map that is a plain array of 128 pages, at 0 and at the top of the
 * address space, in which every range is looked at page by page.
 */
#define PAGES	64

static int8_t owner[PAGES];		/* the nth region added, or -1 */

static void fill_randomly(uint64_t base, unsigned int *seed)
{
	int n;
	int i;

	memset(owner, -1, sizeof(owner));
	for (n = 0; n < 12; n++) {
		int at = rand_r(seed) % PAGES;
		int len = 1 + rand_r(seed) % 8;
		bool is_free = at + len <= PAGES;
		struct fph_region r;

		set_region(&r, base + (uint64_t)at * PAGE,
			   (uint64_t)len * PAGE);
		if (!is_free && base != TOP)
			continue;	/* fits, but is more than we model */
		for (i = at; i < at + len && i < PAGES; i++)
			is_free = is_free && owner[i] < 0;
		ck_assert_int_eq(fph_memory_add(m, &r) == FPH_OK, is_free);
		for (i = at; is_free && i < at + len; i++)
			owner[i] = (int8_t)n;
	}
}

static void check_range(uint64_t base, int from, int to)
{
	uint64_t gpa = base + (uint64_t)from * PAGE;
	uint64_t len = (uint64_t)(to - from) * PAGE;
	struct fph_range rest = { gpa, len };
	struct fph_piece piece;
	bool is_ram = true;
	int i;

	for (i = from; i < to; i++)
		is_ram = is_ram && owner[i] >= 0;
	ck_assert_int_eq(fph_memory_is_ram(m, gpa, len), is_ram);
	for (i = from; i < to && owner[i] == owner[from];)
		i++;
	if (owner[from] < 0) {
		while (i < to && owner[i] < 0)
			i++;
		ck_assert_uint_eq(fph_memory_gap(m, gpa, len),
				  (uint64_t)(i - from) * PAGE);
		ck_assert_int_eq(fph_memory_next(m, &rest, &piece),
				 FPH_ENOENT);
		return;
	}
	ck_assert_uint_eq(fph_memory_gap(m, gpa, len), 0);
	ck_assert_int_eq(fph_memory_next(m, &rest, &piece), 1);
	ck_assert_uint_eq(piece.len, (uint64_t)(i - from) * PAGE);
	ck_assert_int_eq(fph_memory_get_host(m, gpa, len) != NULL, i == to);
	ck_assert_ptr_eq(piece.region, fph_memory_get_region(m, gpa));
}

START_TEST(test_model)
{
	uint64_t base = _i % 2 ? TOP : 0;
	unsigned int seed = (unsigned int)_i;
	int from;
	int to;

	fill_randomly(base, &seed);
	for (from = 0; from < PAGES; from++)
		for (to = from + 1; to <= PAGES; to++)
			check_range(base, from, to);
}
END_TEST

/* ------------------------------------------------------------- segments -- */

START_TEST(test_translate)
{
	struct fph_seg segs[6] = {
		{ 4 * PAGE, PAGE, 0 }, { 8 * PAGE, PAGE, 0 },
		{ 5 * PAGE, 3 * PAGE, 0 }, { 8 * PAGE + 1, PAGE - 1, 0 },
		{ TOP, 64 * PAGE, 0 }, { 7 * PAGE, PAGE + 1, 0 },
	};
	struct iovec iov[6];
	uint8_t *host;

	add(4 * PAGE, 4 * PAGE);
	add(8 * PAGE, PAGE);
	add(TOP, 64 * PAGE);
	ck_assert_int_eq(fph_memory_translate(m, segs, 6, iov), 5);
	for (int i = 0; i < 5; i++) {
		host = fph_memory_get_host(m, segs[i].gpa, segs[i].len);
		ck_assert_ptr_nonnull(host);
		ck_assert_ptr_eq(iov[i].iov_base, host);
		ck_assert_uint_eq(iov[i].iov_len, segs[i].len);
	}
	/* In two regions, and in none. */
	ck_assert_int_eq(fph_memory_translate(m, segs + 5, 1, iov),
			 FPH_ENOENT);
	segs[5].gpa = 9 * PAGE;
	ck_assert_int_eq(fph_memory_translate(m, segs + 5, 1, iov),
			 FPH_ENOENT);
	segs[5].gpa = ~0ull;
	segs[5].len = 2;
	ck_assert_int_eq(fph_memory_translate(m, segs + 5, 1, iov),
			 FPH_ENOENT);
	ck_assert_int_eq(fph_memory_translate(m, segs + 5, INT32_MAX, iov),
			 FPH_ENOENT);
	ck_assert_int_eq(fph_memory_translate(m, segs + 5,
					      (uint32_t)INT32_MAX + 1, iov),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_memory_translate(m, segs, 0, iov), FPH_EINVAL);
	ck_assert_int_eq(fph_memory_translate(m, NULL, 1, iov), FPH_EINVAL);
	ck_assert_int_eq(fph_memory_translate(m, segs, 1, NULL), FPH_EINVAL);
}
END_TEST

/* Many at a time, and the first bad one at each place among them. */
START_TEST(test_translate_many)
{
	struct iovec iov[20];
	struct fph_seg segs[20];

	add(4 * PAGE, 4 * PAGE);
	add(TOP, 64 * PAGE);
	for (uint32_t i = 0; i < 20; i++)
		segs[i] = (struct fph_seg){
			i % 3 ? 4 * PAGE + i : TOP + i * PAGE, 1 + i, 0
		};
	for (uint32_t n = 1; n <= 20; n++) {
		for (uint32_t bad = 0; bad <= n; bad++) {
			uint64_t gpa = segs[bad % 20].gpa;

			if (bad < n)
				segs[bad].gpa = 3 * PAGE;
			memset(iov, 0, sizeof(iov));
			ck_assert_int_eq(fph_memory_translate(m, segs, n, iov),
					 bad ? (int)bad : FPH_ENOENT);
			for (uint32_t i = 0; i < bad; i++) {
				ck_assert_ptr_eq(iov[i].iov_base,
					fph_memory_get_host(m, segs[i].gpa, 1));
				ck_assert_uint_eq(iov[i].iov_len, 1 + i);
			}
			segs[bad % 20].gpa = gpa;
		}
	}
}
END_TEST

START_TEST(test_check)
{
	struct fph_seg segs[7] = {
		{ PAGE, 2 * PAGE, 0 },			/* in two regions */
		{ 0, 1, 0 }, { 4 * PAGE, 1, 0 },	/* one outside */
		{ 3 * PAGE, PAGE, 0 }, { 0, PAGE, 0 },
		{ 0, 0, 0 },				/* empty */
		{ ~0ull, 2, 0 },			/* wraps */
	};
	struct fph_buffer b[5] = {
		{ .nread = 1 }, { .nread = 1, .nwrite = 1 }, { .nwrite = 2 },
		{ .nread = 1 }, { .nwrite = 1, .flags = FPH_BUFFER_START },
	};

	add(0, 2 * PAGE);
	add(2 * PAGE, 2 * PAGE);
	add(TOP, 64 * PAGE);
	ck_assert_int_eq(fph_memory_check(m, b, 5, segs), 3);
	ck_assert_uint_eq(b[0].flags, 0);
	ck_assert_uint_eq(b[1].flags, FPH_BUFFER_REFUSE);
	ck_assert_uint_eq(b[2].flags, 0);
	ck_assert_uint_eq(b[3].flags, FPH_BUFFER_REFUSE);
	ck_assert_uint_eq(b[4].flags, FPH_BUFFER_REFUSE | FPH_BUFFER_START);
	ck_assert_int_eq(fph_memory_check(m, b, 0, segs), 0);
}
END_TEST

START_TEST(test_read)
{
	static uint8_t ram[3 * 4096] __attribute__((aligned(4096)));
	struct fph_seg segs[3] = {
		{ PAGE - 3, 6, 0 }, { 2 * PAGE, 4, 0 }, { 64 * PAGE, 4, 0 },
	};
	uint8_t buf[16];
	struct fph_region r;

	for (size_t i = 0; i < sizeof(ram); i++)
		ram[i] = (uint8_t)(i % 251);
	/* Neighbours in the guest, not so in the host. */
	set_region(&r, 0, PAGE);
	r.host = ram + 2 * PAGE;
	ck_assert_int_eq(fph_memory_add(m, &r), FPH_OK);
	set_region(&r, PAGE, 2 * PAGE);
	r.host = ram;
	ck_assert_int_eq(fph_memory_add(m, &r), FPH_OK);

	ck_assert_int_eq(fph_memory_read(m, segs, 2, 0, buf, 10), FPH_OK);
	ck_assert_mem_eq(buf, ram + 3 * PAGE - 3, 3);
	ck_assert_mem_eq(buf + 3, ram, 3);
	ck_assert_mem_eq(buf + 6, ram + PAGE, 4);
	ck_assert_int_eq(fph_memory_read(m, segs, 2, 5, buf, 2), FPH_OK);
	ck_assert_uint_eq(buf[0], ram[2]);
	ck_assert_uint_eq(buf[1], ram[PAGE]);
	ck_assert_int_eq(fph_memory_read(m, segs, 3, 6, buf, 4), FPH_OK);
	ck_assert_int_eq(fph_memory_read(m, segs, 3, 6, buf, 5),
			 FPH_PEER_UNMAPPED);
	ck_assert_int_eq(fph_memory_read(m, segs, 2, 1, buf, 10), FPH_EINVAL);
	ck_assert_int_eq(fph_memory_read(m, segs, 2, 11, buf, 0), FPH_EINVAL);
	ck_assert_int_eq(fph_memory_read(m, segs, 2, ~0ull, buf, 1),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_memory_read(m, segs, 2, 10, NULL, 0), FPH_OK);
	ck_assert_int_eq(fph_memory_read(m, NULL, 0, 0, NULL, 0), FPH_OK);
	ck_assert_int_eq(fph_memory_read(m, NULL, 1, 0, buf, 1), FPH_EINVAL);
	ck_assert_int_eq(fph_memory_read(m, segs, 1, 0, NULL, 1), FPH_EINVAL);
}
END_TEST

/*
 * Segments against the map itself, region by region: maps from a few pages to
 * the whole address space, so that cells hold many regions or none.
 */
static bool is_in_one(const struct fph_region *r, int n, uint64_t gpa,
		      uint64_t len, void **host)
{
	for (int i = 0; i < n; i++) {
		if (gpa < r[i].gpa || gpa - r[i].gpa >= r[i].len ||
		    len > r[i].len - (gpa - r[i].gpa))
			continue;
		*host = (uint8_t *)r[i].host + (gpa - r[i].gpa);
		return true;
	}
	return false;
}

START_TEST(test_translate_random)
{
	uint64_t unit = PAGE << _i;	/* 2^12 to 2^58 */
	struct fph_region r[NREG];
	unsigned int seed = (unsigned int)_i;
	struct iovec iov;
	int n = 0, inside = 0;

	for (int i = 0; i < NREG; i++) {
		uint64_t at = (uint64_t)(rand_r(&seed) % 64);
		uint64_t end = at + 1 + (uint64_t)(rand_r(&seed) % 4);

		set_region(&r[n], at * unit + (uint64_t)(rand_r(&seed) % 2) *
			   PAGE, (end - at) * unit);
		if (fph_memory_add(m, &r[n]) == FPH_OK)
			n++;
	}
	ck_assert_int_gt(n, 0);
	for (int i = 0; i < 5000; i++) {
		const struct fph_region *one = &r[rand_r(&seed) % n];
		uint64_t edge = rand_r(&seed) % 2 ? one->gpa :
						    one->gpa + one->len;
		struct fph_seg seg = {
			.gpa = edge + (uint64_t)(rand_r(&seed) % 9 - 4) *
			       (rand_r(&seed) % 2 ? 1 : unit / 4),
			.len = 1 + (uint32_t)(rand_r(&seed) %
				(rand_r(&seed) % 2 ? 8 : 0x7fffffff)),
		};
		void *host = NULL;
		bool in = is_in_one(r, n, seg.gpa, seg.len, &host);

		WANT(fph_memory_translate(m, &seg, 1, &iov) ==
		     (in ? 1 : FPH_ENOENT));
		WANT(!in || iov.iov_base == host);
		WANT(fph_memory_get_host(m, seg.gpa, seg.len) == host);
		inside += in;
	}
	ck_assert_int_gt(inside, 100);
}
END_TEST

/* Whatever the table says, a look-up is right after each change of the map. */
START_TEST(test_table_follows)
{
	for (uint64_t i = 0; i < NREG; i++)
		add(i << 30, 1 << 30);
	ck_assert_ptr_nonnull(fph_memory_get_host(m, 5ull << 30, 1 << 30));
	ck_assert_int_eq(fph_memory_remove(m, 5ull << 30, 1 << 30), FPH_OK);
	for (uint64_t i = 0; i < NREG; i++)
		ck_assert_int_eq(fph_memory_is_ram(m, i << 30, 1 << 30),
				 i != 5);
	ck_assert_int_eq(fph_memory_reset(m), FPH_OK);
	for (uint64_t i = 0; i < NREG; i++)
		ck_assert(!fph_memory_is_ram(m, i << 30, 1));
	add(0, PAGE);
	ck_assert_ptr_nonnull(fph_memory_get_host(m, 0, PAGE));
	ck_assert_ptr_null(fph_memory_get_host(m, 1 << 30, 1));
	/* The map function of a ring. */
	ck_assert_ptr_eq(fph_memory_map(m, 1, 2),
			 fph_memory_get_host(m, 1, 2));
}
END_TEST

/* Look-ups side by side, in threads that go their own ways. */
static void *look_up(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	int i;

	for (i = 0; i < 20000; i++) {
		uint64_t n = (unsigned int)rand_r(&seed) % (2 * NREG);
		const struct fph_region *r = fph_memory_get_region(m,
								   n * PAGE);

		if (n % 2 ? r != NULL : !r || r->gpa != n * PAGE)
			return arg;
	}
	return NULL;
}

START_TEST(test_threads)
{
	pthread_t thread[4];
	void *failed;
	uintptr_t i;

	for (i = 0; i < NREG; i++)
		add(2 * i * PAGE, PAGE);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, look_up,
						(void *)(i + 1)), 0);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(thread[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
}
END_TEST

static void check_backing(int fd, bool is_private, uint32_t backing,
			  uint64_t page_size)
{
	struct fph_region r;

	ck_assert_int_eq(fph_memory_get_backing(&r, fd, is_private), FPH_OK);
	ck_assert_int_eq(r.fd, fd);
	ck_assert_uint_eq(r.backing, backing);
	ck_assert_uint_eq(r.page_size, page_size);
}

static void check_no_backing(int fd, bool is_private)
{
	struct fph_region before;
	struct fph_region r;

	set_region(&r, 0, PAGE);
	set_region(&before, 0, PAGE);
	ck_assert_int_eq(fph_memory_get_backing(&r, fd, is_private),
			 FPH_EINVAL);
	ck_assert(!memcmp(&before, &r, sizeof(r)));
}

/* A file without a name, where the tests are built. */
static int open_file(void)
{
	FILE *f = fopen("test_memory.tmp", "w+");
	int fd;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(unlink("test_memory.tmp"), 0);
	fd = dup(fileno(f));
	fclose(f);
	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(test_backing)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	int fd;

	check_backing(-1, true, FPH_BACKING_ANON, page_size);
	check_no_backing(-1, false);
	check_no_backing(-2, true);
	check_no_backing(1 << 20, false);
	ck_assert_int_eq(fph_memory_get_backing(NULL, -1, true), FPH_EINVAL);

	fd = memfd_create("test", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	check_backing(fd, false, FPH_BACKING_SHMEM, page_size);
	check_backing(fd, true, FPH_BACKING_FILE_PRIVATE, page_size);
	close(fd);
	check_no_backing(fd, false);

	fd = open_file();
	check_backing(fd, true, FPH_BACKING_FILE_PRIVATE, page_size);
	close(fd);
	fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	check_no_backing(fd, false);
	check_no_backing(fd, true);
	close(fd);
}
END_TEST

/* What lies on a disk in most places lies on a tmpfs in some. */
START_TEST(test_backing_file)
{
	struct fph_region r;
	int fd = open_file();

	ck_assert_int_eq(fph_memory_get_backing(&r, fd, false), FPH_OK);
	ck_assert(r.backing == FPH_BACKING_FILE ||
		  r.backing == FPH_BACKING_SHMEM);
	ck_assert_uint_eq(r.page_size, (uint64_t)sysconf(_SC_PAGESIZE));
	close(fd);
}
END_TEST

/* The file needs no huge pages as long as nobody touches it. */
START_TEST(test_backing_hugetlb)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_HUGETLB);
	struct fph_region r;

	if (fd < 0) {
		fprintf(stderr, "SKIP test_backing_hugetlb: "
			"memfd_create(MFD_HUGETLB): %m\n"
			"test_memory: 1 skipped\n");
		return;
	}
	ck_assert_int_eq(fph_memory_get_backing(&r, fd, false), FPH_OK);
	ck_assert_uint_eq(r.backing, FPH_BACKING_HUGETLB);
	ck_assert_uint_gt(r.page_size, (uint64_t)sysconf(_SC_PAGESIZE));
	check_backing(fd, true, FPH_BACKING_FILE_PRIVATE, r.page_size);
	close(fd);
}
END_TEST

Suite *make_suite(void)
{
	Suite *s = suite_create("memory");
	TCase *t = tcase_create("memory");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 300);
	tcase_add_test(t, test_new);
	tcase_add_test(t, test_uninitialised);
	tcase_add_test(t, test_add_refuses);
	tcase_add_test(t, test_add_refuses_file);
	tcase_add_test(t, test_add_overlap);
	tcase_add_test(t, test_full);
	tcase_add_test(t, test_remove);
	tcase_add_test(t, test_get_host);
	tcase_add_test(t, test_is_ram);
	tcase_add_test(t, test_next);
	tcase_add_test(t, test_gap);
	tcase_add_loop_test(t, test_model, 0, 32);
	tcase_add_test(t, test_translate);
	tcase_add_test(t, test_translate_many);
	tcase_add_test(t, test_check);
	tcase_add_test(t, test_read);
	tcase_add_loop_test(t, test_translate_random, 0, 46);
	tcase_add_test(t, test_table_follows);
	tcase_add_test(t, test_threads);
	tcase_add_test(t, test_backing);
	tcase_add_test(t, test_backing_file);
	tcase_add_test(t, test_backing_hugetlb);
	suite_add_tcase(s, t);
	return s;
}
