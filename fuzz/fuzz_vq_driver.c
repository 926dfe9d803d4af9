/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The input is a device: it writes into the ring and decides when the driver
 * side runs.
 *
 * Byte 0: bit 0 big-endian, bit 1 event index, bits 4 and 5 the logarithm of
 * num.  Then operations of one byte (the low 3 bits), each with its arguments,
 * big-endian:
 *
 *   0 take_used  at most 1 + bits 3 to 7 of the operation
 *   1 add        segments 1 (bit 7: in a table)
 *   2 publish
 *   3 should_notify, then want_notify on 1
 *   4 use        id 1
 *   5 use        id 4, len 4
 *   6 write      offset 2, value 2
 *   7 reset of the device: detach, init
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
static void *vq_memory;
static struct fph_vq_driver *vq;
static uint8_t mode;

/* Cookies count up; out has those that have not come back. */
static uint64_t serial;
static uint64_t out[MAX_NUM];
static uint32_t nout;

static struct fph_vq_driver_params params_of(void)
{
	struct fph_vq_driver_params p = {
		.size = sizeof(p),
		.num = r.num,
		.features = (uint64_t)(mode >> 1 & 1)
				<< VIRTIO_RING_F_EVENT_IDX |
			    FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC),
		.tables_gpa = TABLES,
		.table_entries = MAX_NUM,
		.endian = mode & 1 ? FPH_BE : FPH_LE,
		.desc = r.desc,
		.driver = r.avail,
		.device = r.used,
		.tables = r.mem + TABLES,
	};

	return p;
}

static void take_up(void)
{
	struct fph_vq_driver_params p = params_of();

	MUST(fph_vq_driver_init(&vq, vq_memory, fph_vq_driver_size(&p), &p) ==
	     FPH_OK);
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

static void take_used(uint32_t most)
{
	bool broken = fph_vq_driver_is_broken(vq);
	struct fph_used used[32];
	int ret = fph_vq_driver_take_used(vq, used, most);

	MUST(!broken || ret == FPH_PEER_BROKEN);
	for (int i = 0; i < ret; i++)
		came_back(used[i].cookie);
	MUST(ret >= 0 ? (uint32_t)ret <= most : fph_status_is_peer(ret));
	MUST(fph_vq_driver_is_broken(vq) == (ret < 0));
}

static void add(uint8_t how)
{
	struct fph_seg segs[MAX_NUM];
	uint32_t n = 1 + how % r.num;
	bool table = how & 0x80 && n > 1;
	uint32_t need = table ? 1 : n;
	uint32_t room = fph_vq_driver_get_room(vq);
	struct fph_buffer b = {
		.cookie = serial,
		.nwrite = n,
		.flags = how & 0x80 ? 0 : FPH_BUFFER_DIRECT,
	};
	int ret;

	for (uint32_t i = 0; i < n; i++)
		segs[i] = (struct fph_seg){ 4096 * i, 4096, FPH_SEG_WRITE };
	ret = fph_vq_driver_add(vq, &b, 1, segs);
	if (fph_vq_driver_is_broken(vq)) {
		MUST(ret == FPH_PEER_BROKEN);
		return;
	}
	MUST(ret == (need > room ? FPH_EFULL : 1));
	if (ret < 0)
		return;
	MUST(fph_vq_driver_get_room(vq) == room - need);
	out[nout++] = serial++;
}

static void take_all_back(void)
{
	struct fph_used used;

	while (fph_vq_driver_detach(vq, &used, 1) == 1)
		came_back(used.cookie);
	MUST(!nout);
}

static void step(struct fuzz_input *in)
{
	bool broken = fph_vq_driver_is_broken(vq);
	uint8_t op = fuzz_u8(in);
	uint32_t id;
	uint16_t off;
	int ret;

	switch (op & 7) {
	case 0:
		take_used(1u + (op >> 3));
		break;
	case 1:
		add(fuzz_u8(in));
		break;
	case 2:
		ret = fph_vq_driver_publish(vq);
		MUST(ret == (broken ? FPH_PEER_BROKEN : FPH_OK));
		break;
	case 3:
		ret = fph_vq_driver_should_notify(vq);
		MUST(broken ? ret == FPH_PEER_BROKEN : ret >= 0 && ret <= 1);
		ret = fph_vq_driver_want_notify(vq, fuzz_u8(in) & 1);
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
	MUST(fph_vq_driver_get_inflight(vq) == nout);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct fph_vq_driver_params p;

	mode = fuzz_u8(&in);
	ring_init(&r, 1u << (mode >> 4 & 3), mode & 1, MEM_SIZE);
	p = params_of();
	vq_memory = malloc(fph_vq_driver_size(&p));
	MUST(vq_memory);
	nout = 0;
	serial = 0;
	take_up();
	while (in.left)
		step(&in);
	take_all_back();
	free(vq_memory);
	ring_fini(&r);
	return 0;
}
