/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The wire: bytes written down by hand, and every way to number the queues. */
#include <stdlib.h>
#include <string.h>

#include <fph/wire.h>

#include "runner.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static const int bad_endians[] = { 0, 3, -1, 255 };

/* ---------------------------------------------------------- config space -- */

static const uint8_t config_bytes[24] = {
	0x78, 0x56, 0x34, 0x12,
	0x04, 0x03, 0x02, 0x01,
	0x01, 0x00, 0x00, 0x80,
	0xaa, 0xab, 0xac, 0xad,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
};

START_TEST(config_decode_of_every_length)
{
	struct fph_balloon_config c;
	size_t len;

	for (len = 0; len <= sizeof(config_bytes); len++) {
		uint32_t present = 0;

		memset(&c, 0x5a, sizeof(c));
		ck_assert_int_eq(fph_config_decode(&c, config_bytes, len),
				 FPH_OK);
		present |= len >= 4 ? FPH_HAS_NUM_PAGES : 0;
		present |= len >= 8 ? FPH_HAS_ACTUAL : 0;
		present |= len >= 12 ? FPH_HAS_CMD_ID : 0;
		present |= len >= 16 ? FPH_HAS_POISON_VAL : 0;
		ck_assert_uint_eq(c.present, present);
		ck_assert_uint_eq(c.num_pages, len >= 4 ? 0x12345678 : 0);
		ck_assert_uint_eq(c.actual, len >= 8 ? 0x01020304 : 0);
		ck_assert_uint_eq(c.free_page_hint_cmd_id,
				  len >= 12 ? 0x80000001 : 0);
		ck_assert_uint_eq(c.poison_val, len >= 16 ? 0xadacabaa : 0);
	}
}
END_TEST

START_TEST(config_encode_of_every_length)
{
	static const struct fph_balloon_config c = {
		.num_pages = 0x12345678,
		.actual = 0x01020304,
		.free_page_hint_cmd_id = 0x80000001,
		.poison_val = 0xadacabaa
	};
	uint8_t buf[25];
	size_t len, i;

	for (len = 0; len < sizeof(buf); len++) {
		size_t whole = len >= 16 ? 16 : len & ~(size_t)3;

		memset(buf, 0x5a, sizeof(buf));
		ck_assert_int_eq(fph_config_encode(buf, len, &c), FPH_OK);
		ck_assert_mem_eq(buf, config_bytes, whole);
		for (i = whole; i < len; i++)
			ck_assert_uint_eq(buf[i], 0);
		for (i = len; i < sizeof(buf); i++)
			ck_assert_uint_eq(buf[i], 0x5a);
	}
}
END_TEST

START_TEST(config_size_of_every_feature_set)
{
	uint64_t features;

	for (features = 0; features < 128; features++) {
		uint32_t size = features & 0x10 ? 16 : features & 8 ? 12 : 8;

		ck_assert_uint_eq(fph_config_size(features), size);
		ck_assert_uint_eq(fph_config_size(features | FPH_BIT(32)),
				  size);
	}
}
END_TEST

/* ----------------------------------------------------------- command ids -- */

static const struct {
	uint32_t id;
	uint8_t le[4];
	uint8_t be[4];
} ids[] = {
	{ 0, { 0, 0, 0, 0 }, { 0, 0, 0, 0 } },
	{ 1, { 1, 0, 0, 0 }, { 0, 0, 0, 1 } },
	{ 2, { 2, 0, 0, 0 }, { 0, 0, 0, 2 } },
	{ 0x80000001, { 1, 0, 0, 0x80 }, { 0x80, 0, 0, 1 } },
	{ 0x12345678, { 0x78, 0x56, 0x34, 0x12 }, { 0x12, 0x34, 0x56, 0x78 } },
	{ 0xffffffff, { 255, 255, 255, 255 }, { 255, 255, 255, 255 } }
};

START_TEST(cmd_id_bytes)
{
	uint8_t buf[4];
	uint32_t id;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		ck_assert_int_eq(fph_cmd_id_encode(buf, ids[i].id, FPH_LE),
				 FPH_OK);
		ck_assert_mem_eq(buf, ids[i].le, 4);
		ck_assert_int_eq(fph_cmd_id_encode(buf, ids[i].id, FPH_BE),
				 FPH_OK);
		ck_assert_mem_eq(buf, ids[i].be, 4);
		id = ~ids[i].id;
		ck_assert_int_eq(fph_cmd_id_decode(&id, ids[i].le, 4, FPH_LE),
				 FPH_OK);
		ck_assert_uint_eq(id, ids[i].id);
		id = ~ids[i].id;
		ck_assert_int_eq(fph_cmd_id_decode(&id, ids[i].be, 4, FPH_BE),
				 FPH_OK);
		ck_assert_uint_eq(id, ids[i].id);
	}
}
END_TEST

START_TEST(cmd_id_refused)
{
	static const uint8_t buf[16] = { 1, 2, 3, 4 };
	uint8_t out[4] = { 9, 9, 9, 9 };
	uint32_t id = 77;
	size_t i;

	for (i = 0; i <= 16; i++)
		if (i != 4)
			ck_assert_int_eq(fph_cmd_id_decode(&id, buf, i,
							   FPH_LE),
					 FPH_PEER_CMD_LEN);
	for (i = 0; i < ARRAY_SIZE(bad_endians); i++) {
		ck_assert_int_eq(fph_cmd_id_decode(&id, buf, 4,
						   bad_endians[i]),
				 FPH_EINVAL);
		ck_assert_int_eq(fph_cmd_id_encode(out, 5, bad_endians[i]),
				 FPH_EINVAL);
	}
	ck_assert_uint_eq(id, 77);
	for (i = 0; i < 4; i++)
		ck_assert_uint_eq(out[i], 9);
}
END_TEST

START_TEST(cmd_id_order)
{
	ck_assert_uint_eq(fph_cmd_id_next(VIRTIO_BALLOON_CMD_ID_STOP), 2);
	ck_assert_uint_eq(fph_cmd_id_next(VIRTIO_BALLOON_CMD_ID_DONE), 2);
	ck_assert_uint_eq(fph_cmd_id_next(2), 3);
	ck_assert_uint_eq(fph_cmd_id_next(0x7fffffff), 0x80000000);
	ck_assert_uint_eq(fph_cmd_id_next(0xfffffffe), 0xffffffff);
	ck_assert_uint_eq(fph_cmd_id_next(0xffffffff), 0);
}
END_TEST

/* ----------------------------------------------------------- page frames -- */

static const uint8_t pfn_le[] = {
	0, 0, 0, 0, 1, 0, 0, 0, 0x78, 0x56, 0x34, 0x12, 255, 255, 255, 255
};
static const uint8_t pfn_be[] = {
	0, 0, 0, 0, 0, 0, 0, 1, 0x12, 0x34, 0x56, 0x78, 255, 255, 255, 255
};
static const uint64_t pfn_gpas[] = { 0, 0x1000, 0x12345678000, 0xffffffff000 };

/* All of them, so many a call. */
static void pfn_in_steps(const uint8_t *bytes, int endian, uint32_t step)
{
	size_t in = 0, out = 0, i = 0;
	uint8_t buf[16];
	uint64_t gpas[8];

	memset(buf, 0x5a, sizeof(buf));
	while (i < 4) {
		uint32_t n = 4 - i < step ? (uint32_t)(4 - i) : step, k;

		memset(gpas, 0x5a, sizeof(gpas));
		ck_assert_int_eq(fph_pfn_decode(gpas, step, bytes, 16, &in,
						endian), (int)n);
		for (k = 0; k < n; k++)
			ck_assert_uint_eq(gpas[k], pfn_gpas[i + k]);
		for (; k < 8; k++)
			ck_assert_uint_eq(gpas[k], 0x5a5a5a5a5a5a5a5a);
		ck_assert_int_eq(fph_pfn_encode(buf, 16, &out, pfn_gpas + i, n,
						endian), (int)n);
		i += n;
		ck_assert_uint_eq(in, 4 * i);
		ck_assert_uint_eq(out, 4 * i);
	}
	ck_assert_mem_eq(buf, bytes, 16);
	ck_assert_int_eq(fph_pfn_decode(gpas, step, bytes, 16, &in, endian),
			 0);
	ck_assert_int_eq(fph_pfn_encode(buf, 16, &out, pfn_gpas, step, endian),
			 FPH_EFULL);
	ck_assert_uint_eq(in, 16);
	ck_assert_uint_eq(out, 16);
}

START_TEST(pfn_bytes)
{
	uint32_t step;

	for (step = 1; step <= 6; step++) {
		pfn_in_steps(pfn_le, FPH_LE, step);
		pfn_in_steps(pfn_be, FPH_BE, step);
	}
}
END_TEST

START_TEST(pfn_up_to_the_end_of_the_piece)
{
	size_t len, off;
	uint64_t gpas[4];
	uint8_t buf[16];

	for (len = 0; len <= 16; len++) {
		int n = (int)(len / 4);

		off = 0;
		ck_assert_int_eq(fph_pfn_decode(gpas, 4, pfn_le, len, &off,
						FPH_LE),
				 n ? n : len ? FPH_PEER_SHORT : 0);
		ck_assert_uint_eq(off, 4 * (size_t)n);
		/* The tail is told by the next call. */
		ck_assert_int_eq(fph_pfn_decode(gpas, 4, pfn_le, len, &off,
						FPH_LE),
				 len % 4 ? FPH_PEER_SHORT : 0);
		ck_assert_uint_eq(off, 4 * (size_t)n);
		off = 0;
		memset(buf, 0x5a, sizeof(buf));
		ck_assert_int_eq(fph_pfn_encode(buf, len, &off, pfn_gpas, 4,
						FPH_LE), n ? n : FPH_EFULL);
		ck_assert_uint_eq(off, 4 * (size_t)n);
		ck_assert_mem_eq(buf, pfn_le, off);
		for (; off < 16; off++)
			ck_assert_uint_eq(buf[off], 0x5a);
	}
}
END_TEST

START_TEST(pfn_refused)
{
	static const uint64_t bad[] = {
		1, 0x1800, (uint64_t)1 << 44, ~(uint64_t)0
	};
	uint8_t buf[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint64_t gpa = 42, zero = 0;
	uint8_t copy[8];
	size_t off, i;

	memcpy(copy, buf, sizeof(buf));
	off = 9;
	ck_assert_int_eq(fph_pfn_decode(&gpa, 1, buf, 8, &off, FPH_LE),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_pfn_encode(buf, 8, &off, &zero, 1, FPH_LE),
			 FPH_EINVAL);
	ck_assert_uint_eq(off, 9);
	off = 0;
	for (i = 0; i < ARRAY_SIZE(bad_endians); i++) {
		ck_assert_int_eq(fph_pfn_decode(&gpa, 1, buf, 8, &off,
						bad_endians[i]), FPH_EINVAL);
		ck_assert_int_eq(fph_pfn_encode(buf, 8, &off, &zero, 1,
						bad_endians[i]), FPH_EINVAL);
	}
	ck_assert_int_eq(fph_pfn_decode(&gpa, 0, buf, 8, &off, FPH_LE),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_pfn_encode(buf, 8, &off, &zero, 0, FPH_LE),
			 FPH_EINVAL);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_int_eq(fph_pfn_encode(buf, 8, &off, &bad[i], 1,
						FPH_LE), FPH_EINVAL);
	ck_assert_uint_eq(off, 0);
	ck_assert_uint_eq(gpa, 42);
	ck_assert_mem_eq(buf, copy, sizeof(buf));
}
END_TEST

/* What stands before a bad one is written, and the bad one comes first. */
START_TEST(pfn_encode_stops_at_a_bad_one)
{
	static const uint64_t gpas[] = { 0x1000, 0x2000, 0x2001, 0x3000 };
	uint8_t buf[16] = { 0 };
	size_t off = 0;

	ck_assert_int_eq(fph_pfn_encode(buf, 16, &off, gpas, 4, FPH_LE), 2);
	ck_assert_uint_eq(off, 8);
	ck_assert_mem_eq(buf, ((uint8_t[]){ 1, 0, 0, 0, 2, 0, 0, 0, 0 }), 9);
	ck_assert_int_eq(fph_pfn_encode(buf, 16, &off, gpas + 2, 2, FPH_LE),
			 FPH_EINVAL);
	ck_assert_uint_eq(off, 8);
}
END_TEST

/* ------------------------------------------------------------ statistics -- */

static const uint8_t stat_le[] = {
	4, 0, 8, 7, 6, 5, 4, 3, 2, 1,
	0x34, 0x12, 255, 255, 255, 255, 0, 0, 0, 0x80
};
static const uint8_t stat_be[] = {
	0, 4, 1, 2, 3, 4, 5, 6, 7, 8,
	0x12, 0x34, 0x80, 0, 0, 0, 255, 255, 255, 255
};
static const struct fph_stat some_stats[] = {
	{ .tag = VIRTIO_BALLOON_S_MEMFREE, .val = 0x0102030405060708 },
	{ .tag = 0x1234, .val = 0x80000000ffffffff }
};

START_TEST(stat_bytes)
{
	struct fph_stat stats[3];
	uint8_t buf[20];
	uint32_t step;
	int endian;

	for (endian = FPH_LE; endian <= FPH_BE; endian++) {
		const uint8_t *bytes = endian == FPH_LE ? stat_le : stat_be;

		for (step = 1; step <= 3; step++) {
			size_t in = 0, out = 0, i;

			for (i = 0; i < 2; i += step) {
				int n = step > 2 ? 2 : (int)step;

				memset(stats, 0x5a, sizeof(stats));
				ck_assert_int_eq(fph_stat_decode(stats, step,
						bytes, 20, &in, endian), n);
				ck_assert_mem_eq(stats, some_stats + i,
						 (size_t)n * sizeof(*stats));
				ck_assert_int_eq(fph_stat_encode(buf, 20, &out,
						stats, (uint32_t)n, endian),
						 n);
			}
			ck_assert_uint_eq(in, 20);
			ck_assert_uint_eq(out, 20);
			ck_assert_mem_eq(buf, bytes, 20);
			ck_assert_int_eq(fph_stat_decode(stats, step, bytes,
							 20, &in, endian), 0);
			ck_assert_int_eq(fph_stat_encode(buf, 20, &out,
							 stats, step, endian),
					 FPH_EFULL);
		}
	}
}
END_TEST

START_TEST(stat_refused)
{
	struct fph_stat stat = { .tag = 7, .val = 9 };
	uint8_t buf[20] = { 0 };
	size_t off, len, i;

	for (len = 10; len < 20; len++) {
		off = 10;
		ck_assert_int_eq(fph_stat_decode(&stat, 1, buf, len, &off,
						 FPH_LE),
				 len == 10 ? 0 : FPH_PEER_SHORT);
		ck_assert_int_eq(fph_stat_encode(buf, len, &off, &stat, 1,
						 FPH_LE), FPH_EFULL);
		ck_assert_uint_eq(off, 10);
	}
	off = 21;
	ck_assert_int_eq(fph_stat_decode(&stat, 1, buf, 20, &off, FPH_LE),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_stat_encode(buf, 20, &off, &stat, 1, FPH_LE),
			 FPH_EINVAL);
	ck_assert_uint_eq(off, 21);
	off = 0;
	for (i = 0; i < ARRAY_SIZE(bad_endians); i++) {
		ck_assert_int_eq(fph_stat_decode(&stat, 1, buf, 20, &off,
						 bad_endians[i]), FPH_EINVAL);
		ck_assert_int_eq(fph_stat_encode(buf, 20, &off, &stat, 1,
						 bad_endians[i]), FPH_EINVAL);
	}
	ck_assert_int_eq(fph_stat_decode(&stat, 0, buf, 20, &off, FPH_LE),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_stat_encode(buf, 20, &off, &stat, 0, FPH_LE),
			 FPH_EINVAL);
	ck_assert_uint_eq(off, 0);
	ck_assert_uint_eq(stat.tag, 7);
	ck_assert_uint_eq(stat.val, 9);
	for (i = 0; i < sizeof(buf); i++)
		ck_assert_uint_eq(buf[i], 0);
}
END_TEST

/* ------------------------------------------------------- queue numbering -- */

/* Feature bits from a set of three: 4 statistics, 2 hinting, 1 reporting. */
static uint64_t bits(unsigned int set)
{
	return (set & 4 ? FPH_BIT(VIRTIO_BALLOON_F_STATS_VQ) : 0) |
	       (set & 2 ? FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT) : 0) |
	       (set & 1 ? FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING) : 0) |
	       FPH_BIT(VIRTIO_F_VERSION_1);
}

/* Dense indices of statistics, hinting and reporting for each such set. */
static const int dense[8][3] = {
	{ 2, 2, 2 }, { 2, 2, 2 }, { 2, 2, 3 }, { 2, 2, 3 },
	{ 2, 3, 3 }, { 2, 3, 3 }, { 2, 3, 4 }, { 2, 3, 4 }
};

static int expected_index(int queue, int numbering, unsigned int offered,
			  unsigned int negotiated)
{
	if (queue < FPH_QUEUE_STATS)
		return queue;
	if (!(negotiated & (4u >> (queue - FPH_QUEUE_STATS))))
		return FPH_ENOENT;
	if (numbering == FPH_NUMBERING_FIXED)
		return queue;
	return dense[numbering == FPH_NUMBERING_OFFERED ? offered :
		     negotiated][queue - FPH_QUEUE_STATS];
}

static uint32_t expected_set(int numbering, unsigned int offered,
			     unsigned int negotiated)
{
	uint32_t set = 0;
	int queue;

	for (queue = 0; queue < FPH_NQUEUES; queue++) {
		int i = expected_index(queue, numbering, offered, negotiated);

		if (i >= 0)
			set |= 1u << i;
	}
	return set;
}

START_TEST(index_of_every_queue)
{
	unsigned int offered, negotiated;
	int numbering, queue;

	for (offered = 0; offered < 8; offered++) {
		for (negotiated = 0; negotiated < 8; negotiated++) {
			bool subset = !(negotiated & ~offered);

			for (numbering = 1; numbering <= 3; numbering++)
				for (queue = 0; queue < FPH_NQUEUES; queue++)
					ck_assert_int_eq(fph_queue_index(
						queue, numbering,
						bits(offered),
						bits(negotiated)),
						subset ? expected_index(queue,
							numbering, offered,
							negotiated) :
						FPH_EINVAL);
		}
	}
}
END_TEST

START_TEST(known_peers)
{
	/* Linux without statistics and hinting: reporting is queue 2. */
	ck_assert_int_eq(fph_queue_index(FPH_QUEUE_REPORT,
					     FPH_NUMBERING_NEGOTIATED,
					     bits(7), bits(1)), 2);
	/* QEMU with everything offered: 4. */
	ck_assert_int_eq(fph_queue_index(FPH_QUEUE_REPORT,
					     FPH_NUMBERING_OFFERED,
					     bits(7), bits(1)), 4);
	/* QEMU without hinting: 3, where the specification has 4. */
	ck_assert_int_eq(fph_queue_index(FPH_QUEUE_REPORT,
					     FPH_NUMBERING_OFFERED,
					     bits(5), bits(5)), 3);
	ck_assert_int_eq(fph_queue_index(FPH_QUEUE_REPORT,
					     FPH_NUMBERING_FIXED,
					     bits(5), bits(5)), 4);
}
END_TEST

START_TEST(index_refused)
{
	static const int queues[] = { -1, FPH_NQUEUES, 1000 };
	static const int numberings[] = { -1, 0, 4 };
	size_t i;

	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(fph_queue_index(queues[i],
						     FPH_NUMBERING_FIXED,
						     bits(7), bits(7)),
				 FPH_EINVAL);
		ck_assert_int_eq(fph_queue_index(FPH_QUEUE_INFLATE,
						     numberings[i],
						     bits(7), bits(7)),
				 FPH_EINVAL);
	}
	ck_assert_int_eq(fph_queue_index(FPH_QUEUE_INFLATE,
					     FPH_NUMBERING_FIXED, 0,
					     FPH_BIT(63)), FPH_EINVAL);
}
END_TEST

static int last_of(uint32_t set)
{
	int last = -1;

	for (int i = 0; i < 32; i++)
		if (set & 1u << i)
			last = i;
	return last;
}

/* What infer must answer, from the sets of indices alone. */
static void check_infer(unsigned int offered, unsigned int negotiated,
			uint32_t enabled, int preferred)
{
	uint32_t set[4] = { 0 };
	uint32_t seen[3];
	int n, i, chosen = 0, different = 0, got = 99, ret;

	for (n = 1; n <= 3; n++) {
		set[n] = expected_set(n, offered, negotiated);
		if ((set[n] & enabled) != enabled &&
		    (n != FPH_NUMBERING_FIXED ||
		     last_of(set[n]) != last_of(enabled)))
			continue;
		if (!chosen || n == preferred)
			chosen = n;
		for (i = 0; i < different && seen[i] != set[n]; i++)
			;
		if (i == different)
			seen[different++] = set[n];
	}
	ret = fph_queue_infer(&got, bits(offered), bits(negotiated), enabled,
			      preferred);
	ck_assert_int_eq(ret, different);
	ck_assert_int_eq(got, chosen ? chosen : preferred);
}

START_TEST(infer_from_everything)
{
	unsigned int offered, negotiated;
	uint32_t enabled;
	int preferred;

	for (offered = 0; offered < 8; offered++)
		for (negotiated = 0; negotiated < 8; negotiated++) {
			if (negotiated & ~offered)
				continue;
			for (enabled = 0; enabled < 64; enabled++)
				for (preferred = 1; preferred <= 3;
				     preferred++)
					check_infer(offered, negotiated,
						    enabled, preferred);
		}
}
END_TEST

START_TEST(infer_finds_what_the_driver_uses)
{
	unsigned int offered, negotiated;
	int real, preferred, got, queue;

	for (offered = 0; offered < 8; offered++)
		for (negotiated = 0; negotiated < 8; negotiated++)
			for (real = 1; real <= 3; real++)
				for (preferred = 1; preferred <= 3;
				     preferred++) {
		if (negotiated & ~offered)
			continue;
		/* All queues set up: never ambiguous. */
		ck_assert_int_eq(fph_queue_infer(&got, bits(offered),
				bits(negotiated),
				expected_set(real, offered, negotiated),
				preferred), 1);
		for (queue = 0; queue < FPH_NQUEUES; queue++)
			ck_assert_int_eq(
				expected_index(queue, got, offered,
					       negotiated),
				expected_index(queue, real, offered,
					       negotiated));
	}
}
END_TEST

START_TEST(infer_says_when_it_cannot_know)
{
	int got;

	/*
	 * Hinting and reporting without statistics, and so far one queue at
	 * index 3: the hints of one numbering, the reports of another.
	 */
	ck_assert_int_eq(fph_queue_infer(&got, bits(7), bits(3), 0xb,
					 FPH_NUMBERING_NEGOTIATED), 2);
	ck_assert_int_eq(got, FPH_NUMBERING_NEGOTIATED);
	/* Nothing but inflate and deflate yet, and three different ways. */
	ck_assert_int_eq(fph_queue_infer(&got, bits(3), bits(1), 3,
					 FPH_NUMBERING_OFFERED), 3);
	ck_assert_int_eq(got, FPH_NUMBERING_OFFERED);
	/*
	 * A driver by the specification that has to set up index 2 as well:
	 * no statistics are offered, and index 4 is beyond the dense ones.
	 */
	for (int preferred = 1; preferred <= 3; preferred++) {
		ck_assert_int_eq(fph_queue_infer(&got, bits(3), bits(3), 0x1f,
						 preferred), 1);
		ck_assert_int_eq(got, FPH_NUMBERING_FIXED);
		ck_assert_int_eq(fph_queue_infer(&got, bits(1), bits(1), 0x1f,
						 preferred), 1);
		ck_assert_int_eq(got, FPH_NUMBERING_FIXED);
	}
	/* Index 4 without a queue for it. */
	ck_assert_int_eq(fph_queue_infer(&got, bits(4), bits(4), 0x1b,
					 FPH_NUMBERING_FIXED), 0);
	ck_assert_int_eq(got, FPH_NUMBERING_FIXED);
	/* The preferred one does not fit: the first that does. */
	ck_assert_int_eq(fph_queue_infer(&got, bits(7), bits(3), 0x13,
					 FPH_NUMBERING_NEGOTIATED), 1);
	ck_assert_int_eq(got, FPH_NUMBERING_FIXED);
}
END_TEST

START_TEST(infer_refused)
{
	static const int numberings[] = { -1, 0, 4 };
	int got = 55;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numberings); i++)
		ck_assert_int_eq(fph_queue_infer(&got, bits(7), bits(7), 3,
						 numberings[i]), FPH_EINVAL);
	ck_assert_int_eq(fph_queue_infer(&got, bits(1), bits(3), 3,
					 FPH_NUMBERING_FIXED), FPH_EINVAL);
	ck_assert_int_eq(got, 55);
}
END_TEST

RUNNER_SUITE("wire",
	     config_decode_of_every_length,
	     config_encode_of_every_length,
	     config_size_of_every_feature_set,
	     cmd_id_bytes,
	     cmd_id_refused,
	     cmd_id_order,
	     pfn_bytes,
	     pfn_up_to_the_end_of_the_piece,
	     pfn_refused,
	     pfn_encode_stops_at_a_bad_one,
	     stat_bytes,
	     stat_refused,
	     index_of_every_queue,
	     known_peers,
	     index_refused,
	     infer_from_everything,
	     infer_finds_what_the_driver_uses,
	     infer_says_when_it_cannot_know,
	     infer_refused)
