/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Messages with values that cannot be: memory regions, rings, features,
 * config space.  Each is refused and changes nothing.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "vu_fixture.h"

static struct vu v;

/* The daemon hangs up, and another front-end is served. */
static void check_hang_up(void)
{
	struct vu_answer a;

	ck_assert(!vu_wait(&v, &a));
	vu_serve_next(&v);
}

/* ------------------------------------------------------------------- memory */

struct region_case {
	const char *what;
	uint64_t gpa, len, uva, offset;
};

static const struct region_case bad_regions[] = {
	{ "empty", 0, 0, VU_UVA, 0 },
	{ "gpa wraps", ~0ull - 0xfff, 0x2000, VU_UVA, 0 },
	{ "uva wraps", 0, 0x2000, ~0ull - 0xfff, 0 },
	{ "offset wraps", 0, 0x2000, VU_UVA, ~0ull - 0xfff },
	{ "offset is negative", 0, 0x2000, VU_UVA, 1ull << 63 },
	{ "behind the end", 0, 0x2000, VU_UVA, VU_MEM_SIZE - 0x1000 },
	{ "far behind the end", 0, 0x1000, VU_UVA, 1ull << 62 },
	{ "too long", 0, VU_MEM_SIZE + 0x1000, VU_UVA, 0 },
	{ "huge", 0, 1ull << 62, VU_UVA, 0 },
	{ "gpa in a page", 0x800, 0x1000, VU_UVA, 0 },
	{ "half a page", 0, 0x800, VU_UVA, 0 },
	{ "offset in a page", 0, 0x1000, VU_UVA, 0x800 }
};

#define NBAD	(sizeof(bad_regions) / sizeof(bad_regions[0]))

static int64_t send_table(uint32_t num, uint32_t size, const uint8_t *regions,
			  uint32_t nregions, unsigned int nfds)
{
	uint8_t p[VU_MAX_PAYLOAD] = { 0 };
	int fds[VU_MAX_FDS];
	unsigned int i;

	for (i = 0; i < VU_MAX_FDS; i++)
		fds[i] = v.memfd;
	vu_store32(p + VU_TABLE_NUM, num);
	memcpy(p + VU_TABLE_REGIONS, regions, nregions * VU_REGION_SIZE);
	return vu_ack(&v, VU_SET_MEM_TABLE, p, size, fds, nfds);
}

/* A bad table changes nothing; neither does a bad region added. */
START_TEST(bad_regions_are_refused)
{
	const struct memory_table *t = &v.daemon.service.device.memory;
	uint8_t regions[2 * VU_REGION_SIZE];
	uint8_t one[VU_SINGLE_REGION_SIZE] = { 0 };
	int before;
	size_t i;

	vu_start(&v, false);
	vu_protocol(&v, VU_PROTOCOL | FPH_BIT(VU_PF_CONFIGURE_MEM_SLOTS));
	vu_negotiate(&v, VU_VIRTIO | VU_BIT_30);
	before = vu_count_fds();
	for (i = 0; i < NBAD; i++) {
		const struct region_case *c = &bad_regions[i];

		/* A good one first: it must be undone. */
		vu_put_region(regions, 0x100000000, 0x1000, 0x1000, 0);
		vu_put_region(regions + VU_REGION_SIZE, c->gpa, c->len,
			      c->uva, c->offset);
		ck_assert_msg(send_table(2, 72, regions, 2, 2) > 0, "%s",
			      c->what);
		vu_put_region(one + VU_SINGLE_REGION, c->gpa, c->len, c->uva,
			      c->offset);
		ck_assert_msg(vu_ack(&v, VU_ADD_MEM_REG, one, sizeof(one),
				     &v.memfd, 1) > 0, "%s", c->what);
		ck_assert_uint_eq(t->nslots, 1);
		ck_assert_uint_eq(fph_memory_get_bytes(t->memory),
				  VU_MEM_SIZE);
		ck_assert_int_eq(vu_count_fds(), before);
	}
	/* Overlapping each other, and the one that is there. */
	vu_put_region(regions, 0, 0x2000, VU_UVA, 0);
	vu_put_region(regions + VU_REGION_SIZE, 0x1000, 0x2000, 0x1000, 0);
	ck_assert_int_gt(send_table(2, 72, regions, 2, 2), 0);
	vu_put_region(one + VU_SINGLE_REGION, 0x1000, 0x1000, 0x1000, 0);
	ck_assert_int_gt(vu_ack(&v, VU_ADD_MEM_REG, one, sizeof(one),
				&v.memfd, 1), 0);
	ck_assert_uint_eq(t->nslots, 1);
	ck_assert_int_eq(vu_count_fds(), before);
	vu_stop(&v);
}
END_TEST

START_TEST(bad_tables_are_refused)
{
	uint8_t region[VU_REGION_SIZE];
	int fds[2];
	uint8_t p[40] = { 0 };

	vu_start(&v, false);
	vu_protocol(&v, VU_PROTOCOL);
	vu_put_region(region, 0, VU_MEM_SIZE, VU_UVA, 0);
	ck_assert_int_eq(send_table(9, 264, region, 1, 1), EINVAL);
	ck_assert_int_eq(send_table(0xffffffff, 264, region, 1, 1), EINVAL);
	ck_assert_int_eq(send_table(2, 40, region, 1, 2), EINVAL);
	ck_assert_int_eq(send_table(1, 39, region, 1, 1), EINVAL);
	ck_assert_int_eq(send_table(1, 40, region, 1, 0), EINVAL);
	ck_assert_int_eq(send_table(1, 40, region, 1, 2), EINVAL);
	ck_assert_int_eq(send_table(1, 40, region, 1, 1), 0);
	/* Something that is no file, and one that cannot be written. */
	ck_assert_int_eq(pipe(fds), 0);
	vu_store32(p, 1);
	vu_put_region(p + 8, 0, 0x1000, VU_UVA, 0);
	ck_assert_int_gt(vu_ack(&v, VU_SET_MEM_TABLE, p, 40, fds, 1), 0);
	close(fds[0]);
	close(fds[1]);
	ck_assert_uint_eq(v.daemon.service.device.memory.nslots, 1);
	/* No regions: no memory. */
	ck_assert_int_eq(send_table(0, 8, region, 0, 0), 0);
	ck_assert_uint_eq(v.daemon.service.device.memory.nslots, 0);
	vu_stop(&v);
}
END_TEST

START_TEST(regions_one_by_one)
{
	const struct memory_table *t = &v.daemon.service.device.memory;
	uint8_t p[VU_SINGLE_REGION_SIZE] = { 0 };
	uint32_t i, n;

	vu_start(&v, false);
	vu_protocol(&v, VU_PROTOCOL | FPH_BIT(VU_PF_CONFIGURE_MEM_SLOTS));
	n = (uint32_t)vu_get_u64(&v, VU_GET_MAX_MEM_SLOTS);
	ck_assert_uint_eq(n, MEMORY_TABLE_SLOTS);
	for (i = 0; i <= n; i++) {
		vu_put_region(p + VU_SINGLE_REGION, i * 0x2000, 0x1000,
			      VU_UVA + i * 0x1000, i * 0x1000);
		ck_assert_int_eq(vu_ack(&v, VU_ADD_MEM_REG, p, sizeof(p),
					&v.memfd, 1), i < n ? 0 : ENOSPC);
	}
	/* The same file many times is counted once. */
	memset(v.mem, 1, 0x10000);
	ck_assert_uint_eq(memory_table_get_resident(t), vu_get_resident(&v));
	/* Removed by exactly what was added; the offset does not count. */
	vu_put_region(p + VU_SINGLE_REGION, 0, 0x1000, VU_UVA + 1, 0);
	ck_assert_int_eq(vu_ack(&v, VU_REM_MEM_REG, p, sizeof(p), NULL, 0),
			 ENOENT);
	vu_put_region(p + VU_SINGLE_REGION, 0, 0x2000, VU_UVA, 0);
	ck_assert_int_eq(vu_ack(&v, VU_REM_MEM_REG, p, sizeof(p), NULL, 0),
			 ENOENT);
	for (i = 0; i < n; i++) {
		vu_put_region(p + VU_SINGLE_REGION, i * 0x2000, 0x1000,
			      VU_UVA + i * 0x1000, 0x77);
		/* Some send a descriptor along. */
		ck_assert_int_eq(vu_ack(&v, VU_REM_MEM_REG, p, sizeof(p),
					&v.memfd, i & 1), 0);
		ck_assert_int_eq(vu_ack(&v, VU_REM_MEM_REG, p, sizeof(p),
					NULL, 0), ENOENT);
		ck_assert_uint_eq(t->nslots, n - 1 - i);
	}
	vu_stop(&v);
}
END_TEST

/* -------------------------------------------------------------------- rings */

START_TEST(bad_ring_numbers)
{
	static const uint32_t nums[] = {
		0, 3, 100, 32767, 65536, 0x80000000u, 0xffffffffu
	};
	size_t i;

	vu_start(&v, true);
	vu_protocol(&v, VU_PROTOCOL);
	vu_negotiate(&v, VU_VIRTIO | VU_BIT_30);
	for (i = 0; i < sizeof(nums) / sizeof(nums[0]); i++)
		ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_NUM, 0,
					      nums[i]), EINVAL);
	/* Fault 7: every legal size is taken. */
	for (i = 1; i <= 32768; i *= 2)
		ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_NUM, 0,
					      (uint32_t)i), 0);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_NUM, 5, 64), EINVAL);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_BASE, 0, 65536),
			 EINVAL);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_BASE, ~0u, 0), EINVAL);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_ENABLE, 5, 1), EINVAL);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_ENABLE, 5, 0), EINVAL);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_ENABLE, 0, 2), EINVAL);
	/* In-band, which was offered but not taken. */
	ck_assert_int_eq(vu_ack_state(&v, VU_VRING_KICK, 0, 0), EINVAL);
	vu_send(&v, VU_GET_VRING_BASE, 0, &nums[5], 8, NULL, 0);
	check_hang_up();
	vu_stop(&v);
}
END_TEST

START_TEST(bad_ring_addresses)
{
	static const uint64_t bad[] = {
		0, 0x1000, VU_UVA - 16, VU_UVA + VU_MEM_SIZE,
		VU_UVA + VU_MEM_SIZE - 16, ~0ull - 15, ~0ull
	};
	uint8_t p[VU_ADDR_SIZE] = { 0 };
	static const uint32_t at[] = {
		VU_ADDR_DESC, VU_ADDR_AVAIL, VU_ADDR_USED
	};
	size_t i, k;

	vu_start(&v, false);
	vu_protocol(&v, VU_PROTOCOL);
	vu_negotiate(&v, VU_VIRTIO | VU_BIT_30);
	ck_assert_int_eq(vu_ack_state(&v, VU_SET_VRING_NUM, 0, VU_NUM), 0);
	for (k = 0; k < 3; k++) {
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			vu_store64(p + VU_ADDR_DESC, VU_UVA);
			vu_store64(p + VU_ADDR_AVAIL, VU_UVA + 0x4000);
			vu_store64(p + VU_ADDR_USED, VU_UVA + 0x8000);
			vu_store64(p + at[k], bad[i]);
			ck_assert_int_eq(vu_ack(&v, VU_SET_VRING_ADDR, p,
						sizeof(p), NULL, 0), EFAULT);
			ck_assert(!v.daemon.service.session.rings[0].has_addr);
		}
	}
	/* The only flag is that of logging. */
	vu_store64(p + VU_ADDR_USED, VU_UVA + 0x8000);
	vu_store32(p + VU_ADDR_FLAGS, 2 | VU_ADDR_F_LOG);
	ck_assert_int_eq(vu_ack(&v, VU_SET_VRING_ADDR, p, sizeof(p), NULL, 0),
			 EINVAL);
	/* In memory, but where no ring can be: found out when it starts. */
	vu_store32(p + VU_ADDR_FLAGS, 0);
	vu_store64(p + VU_ADDR_DESC, VU_UVA + 8);
	ck_assert_int_eq(vu_ack(&v, VU_SET_VRING_ADDR, p, sizeof(p), NULL, 0),
			 0);
	vu_store64(p, VU_FD_NONE);
	ck_assert_int_eq(vu_ack(&v, VU_SET_VRING_KICK, p, 8, NULL, 0),
			 EINVAL);
	ck_assert(!v.daemon.service.session.rings[0].running);
	vu_stop(&v);
}
END_TEST

/* ------------------------------------------------- features, config space */

START_TEST(features_that_were_not_offered)
{
	uint64_t offered, protocol;
	int i;

	vu_start(&v, false);
	vu_protocol(&v, VU_PROTOCOL);
	offered = vu_get_u64(&v, VU_GET_FEATURES);
	protocol = vu_get_u64(&v, VU_GET_PROTOCOL_FEATURES);
	ck_assert(!(protocol & FPH_BIT(VU_PF_INBAND_NOTIFICATIONS)));
	ck_assert(offered & VU_BIT_30);
	ck_assert(!(offered & FPH_BIT(VIRTIO_F_ACCESS_PLATFORM)));
	for (i = 0; i < 64; i++) {
		if (!(offered >> i & 1))
			ck_assert_int_eq(vu_ack_u64(&v, VU_SET_FEATURES,
						    1ull << i), EINVAL);
		if (!(protocol >> i & 1))
			ck_assert_int_eq(vu_ack_u64(&v,
						VU_SET_PROTOCOL_FEATURES,
						1ull << i), EINVAL);
	}
	ck_assert_uint_eq(v.daemon.service.session.acked, 0);
	ck_assert_uint_eq(v.daemon.service.session.protocol, VU_PROTOCOL);
	ck_assert_uint_eq(vu_get_u64(&v, VU_GET_QUEUE_NUM), FPH_NQUEUES);
	vu_stop(&v);
}
END_TEST

/* In-band without what it stands on: the protocol says to hang up. */
START_TEST(inband_needs_its_channels)
{
	const uint64_t inband = FPH_BIT(VU_PF_INBAND_NOTIFICATIONS);
	const uint64_t bad[] = {
		inband, inband | FPH_BIT(VU_PF_REPLY_ACK),
		inband | FPH_BIT(VU_PF_BACKEND_REQ)
	};
	size_t i;

	vu_start(&v, true);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(vu_ack_u64(&v, VU_SET_PROTOCOL_FEATURES,
					    bad[i]), -1);
		vu_serve_next(&v);
	}
	vu_protocol(&v, VU_PROTOCOL | inband);
	vu_stop(&v);
}
END_TEST

static uint32_t get_config(uint32_t offset, uint32_t size, uint32_t sent,
			   uint8_t *data)
{
	uint8_t p[VU_MAX_PAYLOAD] = { 0 };
	struct vu_answer a;

	vu_store32(p + VU_CONFIG_OFFSET, offset);
	vu_store32(p + VU_CONFIG_SIZE, size);
	memset(p + VU_CONFIG_DATA, 0xee, VU_CONFIG_MAX);
	vu_send(&v, VU_GET_CONFIG, 0, p, sent, NULL, 0);
	ck_assert(vu_wait(&v, &a));
	ck_assert_uint_eq(a.request, VU_GET_CONFIG);
	if (data)
		memcpy(data, a.payload + VU_CONFIG_DATA, size);
	return a.size;
}

START_TEST(config_reads)
{
	static const uint8_t zeros[VU_CONFIG_MAX];
	uint8_t data[VU_CONFIG_MAX];
	uint32_t offset, size;

	vu_start(&v, false);
	fph_balloon_set_target(v.daemon.service.device.balloon, 0x04030201);
	for (offset = 0; offset < 20; offset++) {
		for (size = 0; offset + size < 20; size++) {
			ck_assert_uint_eq(get_config(offset, size, 12 + size,
						     data), 12 + size);
			if (offset == 0 && size >= 4)
				ck_assert_int_eq(memcmp(data, "\1\2\3\4", 4),
						 0);
			if (offset >= 4)
				ck_assert_int_eq(memcmp(data, zeros, size),
						 0);
		}
	}
	ck_assert_uint_eq(get_config(0, 256, 268, data), 268);
	/* An empty answer is an error. */
	ck_assert_uint_eq(get_config(0, 257, 268, NULL), 0);
	ck_assert_uint_eq(get_config(1, 256, 268, NULL), 0);
	ck_assert_uint_eq(get_config(0, 4, 12, NULL), 0);
	ck_assert_uint_eq(get_config(0, 4, 20, NULL), 0);
	ck_assert_uint_eq(get_config(~0u, 4, 16, NULL), 0);
	ck_assert_uint_eq(get_config(4, ~0u, 16, NULL), 0);
	ck_assert_uint_eq(get_config(0, 0, 11, NULL), 0);
	vu_stop(&v);
}
END_TEST

static int64_t set_config(uint32_t offset, uint32_t flags, uint32_t value)
{
	uint8_t p[16];

	vu_store32(p + VU_CONFIG_OFFSET, offset);
	vu_store32(p + VU_CONFIG_SIZE, 4);
	vu_store32(p + VU_CONFIG_FLAGS, flags);
	vu_store32(p + VU_CONFIG_DATA, value);
	return vu_ack(&v, VU_SET_CONFIG, p, sizeof(p), NULL, 0);
}

static uint32_t config_field(uint32_t offset)
{
	uint8_t data[4];

	fph_balloon_get_config(v.daemon.service.device.balloon, offset, data, 4);
	return vu_load32(data);
}

START_TEST(config_writes)
{
	const uint64_t poison = FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON);

	vu_start(&v, false);
	vu_protocol(&v, VU_PROTOCOL);
	ck_assert_int_eq(set_config(4, 2, 1), EINVAL);
	ck_assert_int_eq(set_config(~0u, 0, 1), EINVAL);
	/* What is not the driver's to write is ignored. */
	ck_assert_int_eq(set_config(0, 0, 77), 0);
	ck_assert_int_eq(set_config(8, 1, 77), 0);
	ck_assert_int_eq(set_config(100, 0, 77), 0);
	ck_assert_uint_eq(config_field(FPH_CONFIG_NUM_PAGES), 0);
	ck_assert_uint_eq(config_field(FPH_CONFIG_CMD_ID), 0);
	ck_assert_int_eq(set_config(4, 0, 1234), 0);
	ck_assert_uint_eq(fph_balloon_get_actual(v.daemon.service.device.balloon),
			  1234);
	/* Some pass on the poison before the features: it must not be lost. */
	ck_assert_int_eq(set_config(12, 0, 0xaaaaaaaa), 0);
	vu_negotiate(&v, VU_VIRTIO | VU_BIT_30 | poison);
	ck_assert_uint_eq(config_field(FPH_CONFIG_POISON_VAL), 0xaaaaaaaa);
	ck_assert_int_eq(vu_ack_u64(&v, VU_SET_STATUS, 0), 0);
	ck_assert_uint_eq(config_field(FPH_CONFIG_POISON_VAL), 0);
	ck_assert_uint_eq(config_field(FPH_CONFIG_ACTUAL), 0);
	vu_negotiate(&v, VU_VIRTIO | VU_BIT_30 | poison);
	ck_assert_uint_eq(config_field(FPH_CONFIG_POISON_VAL), 0);
	vu_stop(&v);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vhost_user_setup");
	TCase *tc = tcase_create("vhost_user_setup");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, bad_regions_are_refused);
	tcase_add_test(tc, bad_tables_are_refused);
	tcase_add_test(tc, regions_one_by_one);
	tcase_add_test(tc, bad_ring_numbers);
	tcase_add_test(tc, bad_ring_addresses);
	tcase_add_test(tc, features_that_were_not_offered);
	tcase_add_test(tc, inband_needs_its_channels);
	tcase_add_test(tc, config_reads);
	tcase_add_test(tc, config_writes);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
