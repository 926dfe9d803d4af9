/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The input is a device: it writes into the ring and decides when the driver
 * side runs.
 *
 * Byte 0: bit 0 big-endian, bit 1 event index, bits 4 and 5 the logarithm of
 * num.  Then operations of one byte (the low 3 bits), each with its arguments,
 * big-endian:
 *
 *   0 next
 *   1 add        segments 1 (bit 7: in a table)
 *   2 submit
 *   3 get_notify, then arm on 1
 *   4 use        id 1
 *   5 use        id 4, len 4
 *   6 write      offset 2, value 2
 *   7 reset of the device: abort, init
 */
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "../tests/unit/ring.h"
#include "fuzz.h"

#define MEM_SIZE	4096
#define TABLES		2048	/* gpa */
#define MAX_NUM		8

static struct ring r;
static struct fph_split_driver vq;
static struct fph_split_slot *slots;
static uint8_t mode;

/* Cookies count up; out has those that have not come back. */
static uint64_t serial;
static uint64_t out[MAX_NUM];
static uint32_t nout;

static void take_up(void)
{
	struct fph_split_driver_params p = {
		.size = sizeof(p),
		.num = (uint16_t)r.num,
		.event_idx = mode & 2,
		.indirect = true,
		.endian = mode & 1 ? FPH_BE : FPH_LE,
		.desc = r.desc,
		.avail = r.avail,
		.used = r.used,
		.slots = slots,
	};

	MUST(fph_split_driver_init(&vq, &p) == FPH_OK);
	r.used_idx = 0;
}

static void came_back(uint64_t cookie)
{
	uint32_t i = 0;

	while (i < nout && out[i] != cookie)
		i++;
	MUST(i < nout);
	out[i] = out[--nout];
}

static void next(void)
{
	bool broken = fph_split_driver_is_broken(&vq);
	struct fph_used used;
	int ret = fph_split_driver_next(&vq, &used);

	if (broken)
		MUST(ret == FPH_PEER_BROKEN);
	if (ret == 1)
		came_back(used.cookie);
	MUST(ret == 0 || ret == 1 || fph_status_is_peer(ret));
	MUST(fph_split_driver_is_broken(&vq) == (ret < 0));
}

static void add(uint8_t how)
{
	struct fph_seg segs[MAX_NUM];
	uint32_t n = 1 + how % r.num;
	uint32_t need = how & 0x80 ? 1 : n;
	uint16_t nfree = fph_split_driver_get_free(&vq);
	uint64_t gpa = TABLES + 128 * (serial % MAX_NUM);
	struct fph_split_table t = { r.mem + gpa, gpa, MAX_NUM };
	int ret;

	for (uint32_t i = 0; i < n; i++)
		segs[i] = (struct fph_seg){ 4096 * i, 4096, FPH_SEG_WRITE };
	ret = fph_split_driver_add(&vq, segs, n, serial,
				   how & 0x80 ? &t : NULL);
	if (fph_split_driver_is_broken(&vq)) {
		MUST(ret == FPH_PEER_BROKEN);
		return;
	}
	MUST(ret == (need > nfree ? FPH_EFULL : FPH_OK));
	if (ret != FPH_OK)
		return;
	MUST(fph_split_driver_get_free(&vq) == nfree - need);
	out[nout++] = serial++;
}

static void take_all_back(void)
{
	struct fph_used used;

	while (fph_split_driver_abort(&vq, &used) == 1)
		came_back(used.cookie);
	MUST(!nout);
}

static void step(struct fuzz_input *in)
{
	bool broken = fph_split_driver_is_broken(&vq);
	uint32_t id;
	uint16_t off;
	int ret;

	switch (fuzz_u8(in) & 7) {
	case 0:
		next();
		break;
	case 1:
		add(fuzz_u8(in));
		break;
	case 2:
		ret = fph_split_driver_submit(&vq);
		MUST(ret == (broken ? FPH_PEER_BROKEN : FPH_OK));
		break;
	case 3:
		ret = fph_split_driver_get_notify(&vq);
		MUST(broken ? ret == FPH_PEER_BROKEN : ret >= 0 && ret <= 1);
		ret = fph_split_driver_arm(&vq, fuzz_u8(in) & 1);
		MUST(broken ? ret == FPH_PEER_BROKEN : ret >= 0 && ret <= 1);
		break;
	case 4:
		ring_use(&r, fuzz_u8(in), 0);
		break;
	case 5:
		id = (uint32_t)fuzz_uint(in, 4);
		ring_use(&r, id, (uint32_t)fuzz_uint(in, 4));
		break;
	case 6:
		off = (uint16_t)(fuzz_uint(in, 2) % (MEM_SIZE - 1));
		ring_put(r.mem + off, 2, fuzz_uint(in, 2), r.big);
		break;
	default:
		take_all_back();
		take_up();
	}
	MUST(fph_split_driver_get_inflight(&vq) == nout);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	mode = fuzz_u8(&in);
	ring_init(&r, 1u << (mode >> 4 & 3), mode & 1, MEM_SIZE);
	slots = malloc(r.num * sizeof(*slots));
	MUST(slots);
	nout = 0;
	serial = 0;
	take_up();
	while (in.left)
		step(&in);
	take_all_back();
	free(slots);
	ring_fini(&r);
	return 0;
}
