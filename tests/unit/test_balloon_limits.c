/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What each value of a balloon's saved state may be, behind a good checksum:
 * all others are refused, and a state that is loaded is saved as it was.
 */
#include <string.h>

#include "damage.h"
#include "guest.h"
#include "runner.h"

/* The device's own values, and the statistics behind the queues' counters. */
#define AT(offset)	(FPH_STATE_HEADER + (offset))
#define AT_OFFERED	AT(0)
#define AT_NEGOTIATED	AT(24)
#define AT_ENDIAN	AT(32)
#define AT_SEEN		AT(36)
#define AT_FROZEN	AT(52)
#define AT_FLAGS	AT(56)
#define AT_ERROR	AT(60)
#define AT_EVENTS	AT(64)
#define AT_WAITING	AT(68)
#define AT_NOTIFY	AT(72)
#define AT_STATS	AT(92 + FPH_NQUEUES * \
			   sizeof(struct fph_balloon_queue_counters))
#define AT_STATS_RING	(AT_STATS + 4)
#define AT_STATS_COOKIE	(AT_STATS + 8)
#define AT_STATS_N	(AT_STATS + 16)

static struct guest g;
static uint8_t state[1 << 16], bad[1 << 16], again[1 << 16];
static size_t size;

static void save(void)
{
	ck_assert_int_eq(fph_balloon_save(g.balloon, state, sizeof(state),
					  &size), FPH_OK);
}

/* Into a new device over the same memory. */
static int load(void)
{
	struct fph_balloon_ring rings[FPH_NQUEUES];
	size_t len;
	int ret;

	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		rings[i] = (struct fph_balloon_ring){
			.size = sizeof(rings[i]), .num = g.ring[i].num,
			.desc = g.ring[i].desc, .driver = g.ring[i].avail,
			.device = g.ring[i].used
		};
	fph_balloon_free(g.balloon);
	guest_new(&g, GUEST_FEATURES, 0);
	ret = fph_balloon_load(g.balloon, bad, size, 0, rings);
	if (ret == FPH_OK) {
		ck_assert_int_eq(fph_balloon_save(g.balloon, again,
						  sizeof(again), &len),
				 FPH_OK);
		ck_assert_uint_eq(len, size);
		ck_assert_mem_eq(again, bad, size);
	}
	return ret;
}

static int load_with(size_t at, uint32_t bytes, uint64_t value)
{
	memcpy(bad, state, size);
	for (uint32_t i = 0; i < bytes; i++)
		bad[at + i] = (uint8_t)(value >> 8 * i);
	damage_sign(bad, size);
	return load();
}

/* Good are the values from first to last. */
static void expect(size_t at, uint32_t bytes, uint64_t first, uint64_t last)
{
	uint64_t most = ~(uint64_t)0 >> (64 - 8 * bytes);

	for (uint64_t v = first ? first - 1 : 0; v <= last + 1; v++)
		ck_assert_msg(load_with(at, bytes, v) ==
			      (v >= first && v <= last ? FPH_OK :
							 FPH_ECORRUPT),
			      "%u at %u", (unsigned)v, (unsigned)at);
	ck_assert_int_eq(load_with(at, bytes, most), FPH_ECORRUPT);
}

static void finish(void)
{
	guest_fini(&g);
}

/* A driver that has said nothing but its features. */
static void begin(uint64_t negotiated)
{
	guest_boot(&g, GUEST_FEATURES, negotiated, 0);
	save();
}

/* ---------------------------------------------------------------- values -- */

START_TEST(values)
{
	uint64_t spare = FPH_BIT(VIRTIO_F_IN_ORDER);

	begin(GUEST_FEATURES | GUEST_VERSION_1);
	for (size_t at = AT_OFFERED; at < AT_NEGOTIATED; at += 4)
		ck_assert_int_eq(load_with(at, 4,
					   fph_get32(state + at, FPH_LE) ^ 1),
				 FPH_EREFUSED);
	ck_assert_int_eq(load_with(AT_NEGOTIATED, 8, GUEST_VERSION_1), FPH_OK);
	ck_assert_int_eq(load_with(AT_NEGOTIATED, 8, spare), FPH_ECORRUPT);
	expect(AT_SEEN, 4, 0, 31);
	expect(AT_FROZEN, 4, 0, FPH_FREEZE_SKIP);
	expect(AT_FLAGS, 4, 0, 1);
	expect(AT_ERROR, 4, 0, 0);
	expect(AT_EVENTS, 4, 0, 63);
	expect(AT_WAITING, 4, 0, 127);
	expect(AT_NOTIFY, 4, 0, 31);
	for (uint32_t v = 0; v < 9; v++)
		ck_assert_int_eq(load_with(AT_ENDIAN, 4, v),
				 v == FPH_LE || v == FPH_BE ? FPH_OK :
							      FPH_ECORRUPT);
	finish();
}
END_TEST

/* A broken device says why, and only that. */
START_TEST(broken)
{
	begin(GUEST_FEATURES | GUEST_VERSION_1);
	fph_put32(state + AT_ERROR, (uint32_t)-FPH_PEER_NEXT, FPH_LE);
	expect(AT_FLAGS, 4, 2, 3);
	fph_put32(state + AT_FLAGS, 2, FPH_LE);
	for (uint32_t e = 0; e < 4200; e++)
		ck_assert_int_eq(load_with(AT_ERROR, 4, e),
				 fph_status_is_peer(-(int)e) ? FPH_OK :
							       FPH_ECORRUPT);
	ck_assert_int_eq(load_with(AT_ERROR, 4, (uint32_t)FPH_PEER_NEXT),
			 FPH_ECORRUPT);
	finish();
}
END_TEST

/* ------------------------------------------------------------ statistics -- */

START_TEST(statistics)
{
	begin(GUEST_FEATURES | GUEST_VERSION_1);
	expect(AT_STATS_RING, 4, 0, FPH_NQUEUES - 1);
	expect(AT_STATS_COOKIE + 4, 4, 0, 0);
	expect(AT_STATS_N, 4, 0, 0);
	/* Asked for, or not; none is held. */
	for (uint32_t v = 0; v < 5; v++)
		ck_assert_int_eq(load_with(AT_STATS, 4, v),
				 v & ~2u ? FPH_ECORRUPT : FPH_OK);
	finish();
}
END_TEST

/* The buffer that is held is one of those in flight of its ring. */
START_TEST(held_statistics)
{
	guest_boot_without(&g, 0);
	guest_put(&g, GUEST_BUFFERS, 2, VIRTIO_BALLOON_S_MEMFREE);
	guest_offer_one(&g, FPH_QUEUE_STATS, GUEST_BUFFERS, 10, 0);
	ck_assert_int_eq(fph_balloon_process(g.balloon, FPH_QUEUE_STATS, 1),
			 1);
	save();
	expect(AT_STATS, 4, 1, 1);
	expect(AT_STATS_RING, 4, FPH_QUEUE_STATS, FPH_QUEUE_STATS);
	expect(AT_STATS_N, 4, 1, 1);
	expect(AT_SEEN, 4, 31, 31);
	finish();
}
END_TEST

/* ----------------------------------------------------------------- rings -- */

/* The first part of a kind behind a place. */
static size_t find_part(uint16_t part, size_t at)
{
	while (fph_get32(state + at, FPH_LE) != FPH_STATE_MAGIC ||
	       fph_get16(state + at + 4, FPH_LE) != part)
		at++;
	return at;
}

START_TEST(flags_of_a_ring)
{
	size_t at;

	guest_boot_without(&g, 0);
	save();
	at = find_part(FPH_STATE_VQ_DEVICE, AT_STATS) - 8;
	for (uint32_t v = 0; v < 70; v++)
		ck_assert_int_eq(load_with(at, 4, v),
				 v < 32 && v & 1 ? FPH_OK : FPH_ECORRUPT);
	/* What it is for, or that it is for nothing. */
	for (uint32_t v = 0; v < 70; v++)
		ck_assert_int_eq(load_with(at + 4, 4, v),
				 v == 0 ? FPH_OK : v > FPH_NQUEUES ?
				 FPH_ECORRUPT : FPH_EREFUSED);
	finish();
	/* One that does not run may have been kicked. */
	begin(GUEST_FEATURES | GUEST_VERSION_1);
	for (uint32_t v = 0; v < 70; v++)
		ck_assert_int_eq(load_with(size - 4, 4, v),
				 v & ~8u ? FPH_ECORRUPT : FPH_OK);
	finish();
}
END_TEST

/* A buffer in flight is of one of the rings, and of the one that says so. */
START_TEST(ring_of_a_buffer)
{
	/* Behind flags and counters: a serial, 5 numbers, its place. */
	const size_t cookie = FPH_STATE_HEADER + 8 +
			      sizeof(struct fph_report_counters) +
			      8 + 5 * 4 + 4;
	size_t part;

	guest_boot_without(&g, GUEST_BIT(PAGE_POISON));
	guest_offer_one(&g, FPH_QUEUE_REPORT, GUEST_GOOD, GUEST_PAGE,
			RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, FPH_QUEUE_REPORT, 1),
			 1);
	save();
	part = find_part(FPH_STATE_REPORT, AT_STATS);
	ck_assert_uint_eq(fph_get32(state + part + cookie + 4, FPH_LE),
			  FPH_QUEUE_REPORT);
	for (uint32_t v = 0; v < 16; v++) {
		memcpy(bad, state, size);
		fph_put32(bad + part + cookie + 4, v, FPH_LE);
		damage_sign(bad + part,
			    (size_t)fph_get64(bad + part + 8, FPH_LE));
		damage_sign(bad, size);
		ck_assert_int_eq(load(), v == FPH_QUEUE_REPORT ? FPH_OK :
								FPH_ECORRUPT);
	}
	finish();
}
END_TEST

RUNNER_SUITE("balloon_limits",
	     values,
	     broken,
	     statistics,
	     held_statistics,
	     flags_of_a_ring,
	     ring_of_a_buffer)
