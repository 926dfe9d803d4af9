/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The migration bitmap, against a byte a page. */
#include <stdlib.h>
#include <string.h>

#include <fph-vmm/migration.h>

#include "runner.h"

#define BITS		(8 * sizeof(long))
#define NBITS		2048u
#define PAGE		((uint64_t)4096)
#define MIB		((uint64_t)1 << 20)

static unsigned long bitmap[NBITS / BITS + 1];
static uint8_t model[NBITS];

static bool get(const unsigned long *map, uint64_t i)
{
	return map[i / BITS] >> i % BITS & 1;
}

/* The bitmap that says what the model says. */
static void encode(unsigned long *map)
{
	memset(map, 0, NBITS / 8);
	for (uint32_t i = 0; i < NBITS; i++)
		map[i / BITS] |= (unsigned long)model[i] << i % BITS;
}

/* Each 256 bits are all set, or none, or all but one, or one, or some. */
static void fill(unsigned int *seed)
{
	uint32_t kind = 0, odd = 0;

	for (uint32_t i = 0; i < NBITS; i++) {
		if (i % 256 == 0) {
			kind = (uint32_t)rand_r(seed) >> 8 & 7;
			odd = i + ((uint32_t)rand_r(seed) >> 8) % 256;
		}
		if (kind < 6)
			model[i] = (kind & 1) != (kind < 4 && i == odd);
		else
			model[i] = rand_r(seed) >> 8 & 1;
	}
	encode(bitmap);
}

static void check_clear(uint32_t first, uint32_t n, unsigned int *seed)
{
	static unsigned long expected[NBITS / BITS];
	uint64_t count = 0;

	fill(seed);
	bitmap[NBITS / BITS] = 0x5aul;
	for (uint32_t i = first; i < first + n; i++) {
		count += model[i];
		model[i] = 0;
	}
	encode(expected);
	ck_assert_uint_eq(fph_bitmap_clear(bitmap, first, n), count);
	ck_assert_msg(!memcmp(bitmap, expected, sizeof(expected)),
		      "%u bits from %u", n, first);
	ck_assert_uint_eq(bitmap[NBITS / BITS], 0x5aul);
}

/* Every first bit in two words; every length up to two words, and longer. */
START_TEST(clear_each_place)
{
	unsigned int seed = 1;

	for (uint32_t first = 0; first < 2 * BITS; first++) {
		for (uint32_t n = 0; n < 20 * BITS; n += n < 130 ? 1 : 137)
			check_clear(first, n, &seed);
	}
}
END_TEST

/* -------------------------------------------------------------- blocks -- */

#define NBLOCKS	3u

static unsigned long maps[NBLOCKS][NBITS / BITS];
static struct fph_migration_block blocks[NBLOCKS];

/* 256 pages at 1 MiB, 512 right behind them, 128 of 64 KiB far away. */
static void make_blocks(void)
{
	static const struct fph_migration_block like[NBLOCKS] = {
		{ .gpa = MIB, .len = MIB, .page_shift = 12 },
		{ .gpa = 2 * MIB, .len = 2 * MIB, .page_shift = 12 },
		{ .gpa = 64 * MIB, .len = 8 * MIB, .page_shift = 16 },
	};

	memset(maps, 0xff, sizeof(maps));
	for (uint32_t i = 0; i < NBLOCKS; i++) {
		blocks[i] = like[i];
		blocks[i].bitmap = maps[i];
	}
}

static uint32_t count(uint32_t block)
{
	uint32_t pages = (uint32_t)(blocks[block].len >>
				    blocks[block].page_shift);
	uint32_t n = 0;

	for (uint32_t i = 0; i < NBITS; i++) {
		bool on = get(maps[block], i);

		/* What lies behind the block is not its bitmap. */
		ck_assert(i < pages || on);
		n += i < pages && on;
	}
	return n;
}

static const struct {
	uint64_t gpa, len;
	uint64_t pages;			/* cleared, of every size */
	uint64_t freed;
	int outcome, reason;
	uint32_t left[NBLOCKS];
} one[] = {
	{ MIB, PAGE, 1, PAGE, FPH_OUTCOME_CLEARED, 0, { 255, 512, 128 } },
	{ MIB + 1, 2 * PAGE, 1, PAGE, FPH_OUTCOME_CLEARED, 0,
	  { 255, 512, 128 } },
	{ MIB + 1, PAGE, 0, 0, FPH_OUTCOME_TRIMMED, 0, { 256, 512, 128 } },
	{ 0, MIB, 0, 0, FPH_OUTCOME_SKIPPED, FPH_SKIP_UNMAPPED,
	  { 256, 512, 128 } },
	{ 4 * MIB, MIB, 0, 0, FPH_OUTCOME_SKIPPED, FPH_SKIP_UNMAPPED,
	  { 256, 512, 128 } },
	{ 72 * MIB, MIB, 0, 0, FPH_OUTCOME_SKIPPED, FPH_SKIP_UNMAPPED,
	  { 256, 512, 128 } },
	{ 0, 2 * MIB, 256, MIB, FPH_OUTCOME_CLEARED, 0, { 0, 512, 128 } },
	{ MIB + MIB / 2, MIB, 256, MIB, FPH_OUTCOME_CLEARED, 0,
	  { 128, 384, 128 } },
	{ 0, 0 - PAGE, 256 + 512 + 128, 11 * MIB, FPH_OUTCOME_CLEARED, 0,
	  { 0, 0, 0 } },
	{ 64 * MIB + PAGE, 128 * 1024, 1, 65536, FPH_OUTCOME_CLEARED, 0,
	  { 256, 512, 127 } },
	{ 64 * MIB, 32768, 0, 0, FPH_OUTCOME_TRIMMED, 0, { 256, 512, 128 } },
	{ 72 * MIB - 65536, MIB, 1, 65536, FPH_OUTCOME_CLEARED, 0,
	  { 256, 512, 127 } },
};

START_TEST(clear_one_run)
{
	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
		struct fph_run run = { .gpa = one[i].gpa, .len = one[i].len };

		make_blocks();
		ck_assert_uint_eq(fph_migration_clear(blocks, NBLOCKS, &run,
						      1), one[i].pages);
		ck_assert_uint_eq(run.freed, one[i].freed);
		ck_assert_uint_eq(run.done, run.len);
		ck_assert_int_eq(run.outcome, one[i].outcome);
		ck_assert_int_eq(run.reason, one[i].reason);
		for (uint32_t b = 0; b < NBLOCKS; b++)
			ck_assert_uint_eq(count(b), one[i].left[b]);
		/* A second time nothing is left to clear. */
		ck_assert_uint_eq(fph_migration_clear(blocks, NBLOCKS, &run,
						      1), 0);
		ck_assert_uint_eq(run.freed, 0);
		ck_assert_int_eq(run.outcome, one[i].outcome);
	}
}
END_TEST

/* A batch does what its runs do one by one, in whatever order they are. */
START_TEST(clear_batch)
{
	static unsigned long copy[NBLOCKS][NBITS / BITS];
	unsigned int seed = 7;

	for (int round = 0; round < 300; round++) {
		struct fph_run runs[40], same[40];
		uint64_t pages = 0;

		make_blocks();
		memset(runs, 0, sizeof(runs));
		for (int i = 0; i < 40; i++) {
			runs[i].gpa = (uint64_t)rand_r(&seed) % (80 * MIB);
			runs[i].len = 1 + (uint64_t)rand_r(&seed) % MIB;
		}
		memcpy(same, runs, sizeof(runs));
		for (int i = 0; i < 40; i++)
			pages += fph_migration_clear(blocks, NBLOCKS,
						     &same[i], 1);
		memcpy(copy, maps, sizeof(maps));
		make_blocks();
		ck_assert_uint_eq(fph_migration_clear(blocks, NBLOCKS, runs,
						      40), pages);
		ck_assert_mem_eq(copy, maps, sizeof(maps));
		ck_assert_mem_eq(same, runs, sizeof(runs));
	}
	ck_assert_uint_eq(fph_migration_clear(blocks, NBLOCKS, NULL, 0), 0);
}
END_TEST

RUNNER_SUITE("migration", clear_each_place, clear_one_run, clear_batch)
