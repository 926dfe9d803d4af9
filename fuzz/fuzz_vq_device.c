/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The input is a driver: it writes a ring in a small guest memory and decides
 * when the device side runs.
 *
 * Byte 0: bit 0 big-endian, bit 1 event index, bit 2 indirect, bits 4 and 5
 * the logarithm of num, bit 6 a record of buffers in flight.  Then operations
 * of one byte (the low 3 bits), each with its arguments, big-endian:
 *
 *   0 pop        at most 1 + bits 3 to 7 of the operation
 *   1 push       slot 1: the oldest but slot of those popped
 *   2 should_notify, take_written
 *   3 want_notify on 1
 *   4 descriptor at 1 (bit 7: in the table), gpa 8, len 4, flags 2, next 2
 *   5 offer      head 1
 *   6 write      offset 2, value 2
 *   7 reset
 */
#include <string.h>

#include <fph/vring.h>
#include <fph/wire.h>

#include "../tests/unit/ring.h"
#include "fuzz.h"

#define MEM_SIZE	4096
#define TABLE		2048	/* gpa */
#define MAX_NUM		8

static struct ring r;
static uint64_t vq_memory[FPH_VQ_DEVICE_SIZE(MAX_NUM) / 8];
static uint64_t record[FPH_INFLIGHT_SIZE(MAX_NUM) / 8];
static struct fph_vq_device *vq;
static uint64_t popped[MAX_NUM];
static uint32_t npopped;
static uint32_t nold;		/* in the record, not popped yet */
static uint8_t mode;

static const void *map(void *ctx, uint64_t gpa, uint64_t len)
{
	MUST(len && gpa + (len - 1) >= gpa);
	return ring_map(ctx, gpa, len);
}

static void take_up(void)
{
	struct fph_vq_device_params p = {
		.size = sizeof(p),
		.num = r.num,
		.features = (uint64_t)(mode >> 1 & 1)
				<< VIRTIO_RING_F_EVENT_IDX |
			    (uint64_t)(mode >> 2 & 1)
				<< VIRTIO_RING_F_INDIRECT_DESC,
		.endian = mode & 1 ? FPH_BE : FPH_LE,
		.base = r.avail_idx,
		.desc = r.desc,
		.driver = r.avail,
		.device = r.used,
		.inflight = mode & 0x40 ? record : NULL,
		.map = map,
		.map_ctx = &r,
	};

	MUST(fph_vq_device_init(&vq, vq_memory, sizeof(vq_memory), &p) ==
	     FPH_OK);
	npopped = 0;
	nold = fph_vq_device_get_inflight(vq);
	MUST(nold <= r.num);
}

static void check_buffer(const struct fph_buffer *b,
			 const struct fph_seg *segs)
{
	uint32_t n = b->nread + b->nwrite;
	uint64_t total = 0;

	MUST(b->cookie && !(b->cookie >> 32));
	MUST(b->nread <= r.num && n >= 1 && n <= r.num);
	for (uint32_t i = 0; i < n; i++) {
		MUST(segs[i].flags == (i < b->nread ? 0 : FPH_SEG_WRITE));
		MUST(segs[i].len);
		MUST(segs[i].gpa + (segs[i].len - 1) >= segs[i].gpa);
		total += segs[i].len;
	}
	MUST(total <= (uint64_t)1 << 32);
}

static void pop(uint32_t most)
{
	uint32_t base = fph_vq_device_get_base(vq);
	bool broken = fph_vq_device_is_broken(vq);
	uint32_t nsegs = r.num + most % 4;
	struct fph_buffer *b = malloc(most * sizeof(*b));
	struct fph_seg *segs = malloc(nsegs * sizeof(*segs));
	uint32_t at = 0;
	int ret;

	/* Exactly as long as promised, for the sanitizer to watch. */
	MUST(segs && b);
	ret = fph_vq_device_pop(vq, b, most, segs, nsegs);
	MUST(!broken || ret == FPH_PEER_BROKEN);
	for (int i = 0; i < ret; i++) {
		check_buffer(&b[i], segs + at);
		at += b[i].nread + b[i].nwrite;
		MUST(fph_vq_device_get_base_of(vq, b[i].cookie) ==
		     (uint16_t)(base + (uint32_t)i));
		MUST(npopped < r.num);
		popped[npopped++] = b[i].cookie;
		nold -= nold > 0;
	}
	if (ret < 0)
		nold = 0;
	MUST(at <= nsegs);
	MUST(ret >= 0 ? (uint32_t)ret <= most : fph_status_is_peer(ret));
	MUST(fph_vq_device_is_broken(vq) == (ret < 0));
	base = (uint16_t)(base + (ret > 0 ? (uint32_t)ret : 0));
	MUST(fph_vq_device_get_base(vq) == base);
	free(segs);
	free(b);
}

static void push(uint8_t slot)
{
	uint16_t used = ring_get_used_idx(&r);
	struct fph_used u = {
		.cookie = npopped ? popped[slot % npopped] : 1,
		.len = slot,
	};
	int ret = fph_vq_device_push(vq, &u, 1);

	if (!npopped) {
		MUST(ret == FPH_ESTATE);
		MUST(ring_get_used_idx(&r) == used);
		return;
	}
	MUST(ret == 1);
	popped[slot % npopped] = popped[npopped - 1];
	npopped--;
	used = (uint16_t)(ring_get_used_idx(&r) - 1);
	MUST(ring_get_used_id(&r, used) == (uint16_t)(u.cookie - 1));
	MUST(ring_get_used_len(&r, used) == slot);
}

static void write_desc(struct fuzz_input *in)
{
	uint8_t at = fuzz_u8(in);
	uint64_t gpa = fuzz_uint(in, 8);
	uint32_t len = (uint32_t)fuzz_uint(in, 4);
	uint16_t flags = (uint16_t)fuzz_uint(in, 2);
	uint16_t next = (uint16_t)fuzz_uint(in, 2);

	if (at & 0x80)
		ring_desc(&r, r.mem + TABLE, at & 0x7f, gpa, len, flags, next);
	else
		ring_desc(&r, r.desc, at % r.num, gpa, len, flags, next);
}

static void step(struct fuzz_input *in)
{
	struct fph_span spans[FPH_WRITTEN_SPANS];
	uint8_t op = fuzz_u8(in);
	uint16_t off;
	int ret;

	switch (op & 7) {
	case 0:
		pop(1u + (op >> 3));
		break;
	case 1:
		push(fuzz_u8(in));
		break;
	case 2:
		ret = fph_vq_device_should_notify(vq);
		MUST(ret == 0 || ret == 1);
		MUST(fph_vq_device_should_notify(vq) == 0);
		ret = fph_vq_device_take_written(vq, spans);
		MUST(ret >= 0 && ret <= (int)FPH_WRITTEN_SPANS);
		MUST(fph_vq_device_take_written(vq, spans) == 0);
		break;
	case 3:
		ret = fph_vq_device_want_notify(vq, fuzz_u8(in) & 1);
		MUST(ret == 0 || ret == 1);
		break;
	case 4:
		write_desc(in);
		break;
	case 5:
		ring_offer(&r, fuzz_u8(in));
		break;
	case 6:
		off = (uint16_t)(fuzz_uint(in, 2) % (MEM_SIZE - 1));
		ring_put(r.mem + off, 2, fuzz_uint(in, 2), r.big);
		break;
	default:
		take_up();
	}
	MUST(fph_vq_device_get_inflight(vq) == npopped + nold);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	mode = fuzz_u8(&in);
	ring_init(&r, 1u << (mode >> 4 & 3), mode & 1, MEM_SIZE);
	memset(record, 0, sizeof(record));
	take_up();
	while (in.left)
		step(&in);
	/* What is out can always be returned. */
	while (npopped)
		push(0);
	ring_fini(&r);
	return 0;
}
