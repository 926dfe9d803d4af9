/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The input is a device: it writes into the ring and decides when the driver
 * side runs.
 *
 * Byte 0: bit 0 big-endian, bit 1 event index, bit 3 packed, bits 4 and 5
 * which num, bit 7 in order.  Then operations of one byte (the low 3 bits), each
 * with its arguments, big-endian:
 *
 *   0 take_used  at most 1 + bits 3 to 7 of the operation
 *   1 add        segments 1 (bit 7: in a table)
 *   2 publish
 *   3 should_notify, then want_notify on 1
 *   4 use        id 1; packed: of bits 5 to 7 and 1 descriptors, id below
 *   5 use        id 4, len 4; packed: bits 16 to 18 and 1 descriptors
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
static struct fuzz_place device;	/* packed: the next one to use */

static bool is_packed(void)
{
	return mode & 8;
}

/* Of a packed ring it need not be a power of two. */
static uint32_t get_num(void)
{
	static const uint8_t packed[4] = { 1, 3, 5, MAX_NUM };

	return is_packed() ? packed[mode >> 4 & 3] : 1u << (mode >> 4 & 3);
}

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
			    FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC) |
			    (uint64_t)is_packed() << VIRTIO_F_RING_PACKED |
			    (uint64_t)(mode >> 7) << VIRTIO_F_IN_ORDER,
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
	fuzz_place_begin(&device, r.num);
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

static void use(uint32_t id, uint32_t len, uint32_t ndesc)
{
	uint8_t *desc = r.desc + (size_t)16 * device.at;

	if (!is_packed()) {
		ring_use(&r, id, len);
		return;
	}
	ring_put(desc + 8, 4, len, r.big);
	ring_put(desc + 12, 2, (uint16_t)id, r.big);
	ring_put(desc + 14, 2, device.wrap ?
		 FUZZ_PACKED_AVAIL | FUZZ_PACKED_USED : 0, r.big);
	fuzz_place_step(&device, ndesc);
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
		id = fuzz_u8(in);
		if (is_packed())
			use(id & 0x1f, 0, 1 + (id >> 5));
		else
			use(id, 0, 1);
		break;
	case 5:
		id = (uint32_t)fuzz_uint(in, 4);
		use(id, (uint32_t)fuzz_uint(in, 4), 1 + (id >> 16 & 7));
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
	ring_init(&r, get_num(), mode & 1, MEM_SIZE);
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
