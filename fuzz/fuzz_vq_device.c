/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The input is a driver: it writes a ring in a small guest memory and decides
 * when the device side runs.
 *
 * Byte 0: bit 0 big-endian, bit 1 event index, bit 2 indirect, bit 3 packed,
 * bits 4 and 5 which num, bit 6 a record of buffers in flight (split), bit 7 in
 * order.  Then operations of one byte (the low 3 bits), each with its
 * arguments, big-endian:
 *
 *   0 pop        at most 1 + bits 3 to 7 of the operation
 *   1 push       slot 1: the oldest but slot of those popped
 *   2 should_notify, take_written
 *   3 want_notify on 1
 *   4 descriptor at 1 (bit 7: in the table), gpa 8, len 4, flags 2, next 2;
 *                packed: id 2, flags 2
 *   5 offer      head 1; packed: the next one, id bits 3 to 7, flags below
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
static uint16_t ahead;		/* split: base, of the used index, at first */
static uint8_t mode;
static struct fuzz_place driver;	/* packed: the next one to offer */

static bool is_packed(void)
{
	return mode & 8;
}

static bool is_in_order(void)
{
	return mode & 0x80;
}

/* Of a packed ring it need not be a power of two. */
static uint32_t get_num(void)
{
	static const uint8_t packed[4] = { 1, 3, 5, MAX_NUM };

	return is_packed() ? packed[mode >> 4 & 3] : 1u << (mode >> 4 & 3);
}

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
				<< VIRTIO_RING_F_INDIRECT_DESC |
			    (uint64_t)is_packed() << VIRTIO_F_RING_PACKED |
			    (uint64_t)is_in_order() << VIRTIO_F_IN_ORDER,
		.endian = mode & 1 ? FPH_BE : FPH_LE,
		.base = is_packed() ? fuzz_place_word(&driver) |
				      fuzz_place_word(&driver) << 16 :
				      r.avail_idx,
		.desc = r.desc,
		.driver = r.avail,
		.device = r.used,
		.inflight = mode & 0x40 && !is_packed() ? record : NULL,
		.map = map,
		.map_ctx = &r,
	};

	MUST(fph_vq_device_init(&vq, vq_memory, sizeof(vq_memory), &p) ==
	     FPH_OK);
	npopped = 0;
	ahead = (uint16_t)(fph_vq_device_get_base(vq) - ring_get_used_idx(&r));
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

/* Descriptors from the place of the next used one to that of the next taken. */
static uint32_t count_busy(uint32_t base)
{
	uint32_t avail = base & 0x7fff, used = base >> 16 & 0x7fff;
	bool same = !((base ^ base >> 16) & FUZZ_PACKED_WRAP);

	MUST(avail < r.num && used < r.num);
	MUST(same ? avail >= used : avail <= used);
	return same ? avail - used : avail + r.num - used;
}

/* Buffers were popped, from base on. */
static void check_base(uint32_t base, uint32_t n)
{
	uint32_t now = fph_vq_device_get_base(vq);

	if (!is_packed()) {
		MUST(now == (uint16_t)(base + n));
		return;
	}
	/* In order those that were returned early are still busy. */
	MUST(count_busy(now) >= (is_in_order() ? fph_vq_device_get_inflight(vq)
					       : npopped));
	MUST(count_busy(now) >= count_busy(base) + n);
	MUST(now >> 16 == base >> 16);
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
		MUST(is_packed() ||
		     fph_vq_device_get_base_of(vq, b[i].cookie) ==
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
	check_base(base, ret > 0 ? (uint32_t)ret : 0);
	free(segs);
	free(b);
}

/* The driver sees what was used, at the place where base was. */
static void check_packed_used(uint32_t base, uint8_t len)
{
	uint32_t used = base >> 16 & 0x7fff;
	uint64_t bits = base >> 16 & FUZZ_PACKED_WRAP ?
			FUZZ_PACKED_AVAIL | FUZZ_PACKED_USED : 0;
	const uint8_t *desc = r.desc + (size_t)16 * used;

	MUST((ring_get(desc + 14, 2, r.big) &
	      (FUZZ_PACKED_AVAIL | FUZZ_PACKED_USED)) == bits);
	MUST(is_in_order() || ring_get(desc + 8, 4, r.big) == len);
}

static void push_packed(uint8_t slot)
{
	uint32_t base = fph_vq_device_get_base(vq), now;
	struct fph_used u = {
		.cookie = npopped ? popped[slot % npopped] : 1,
		.len = slot,
	};
	int ret = fph_vq_device_push(vq, &u, 1);

	now = fph_vq_device_get_base(vq);
	MUST((now & 0xffff) == (base & 0xffff));
	if (!npopped) {
		MUST(ret == FPH_ESTATE && now == base);
		return;
	}
	MUST(ret == 1);
	popped[slot % npopped] = popped[npopped - 1];
	npopped--;
	MUST(is_in_order() || now != base);
	MUST(count_busy(now) >= npopped);
	if (!npopped)
		MUST(count_busy(now) == 0);
	if (now != base)
		check_packed_used(base, slot);
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
	if (is_in_order()) {
		/* The driver may have written the index too. */
		used = (uint16_t)(fph_vq_device_get_base(vq) - ahead);
		MUST(npopped || ring_get_used_idx(&r) == used);
		return;
	}
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

static void offer(uint8_t what)
{
	uint8_t *desc = r.desc + (size_t)16 * driver.at;

	if (!is_packed()) {
		ring_offer(&r, what);
		return;
	}
	ring_put(desc + 12, 2, what >> 3, r.big);
	ring_put(desc + 14, 2, (what & 7u) | (driver.wrap ? FUZZ_PACKED_AVAIL :
							    FUZZ_PACKED_USED),
		 r.big);
	fuzz_place_step(&driver, 1);
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
		if (is_packed())
			push_packed(fuzz_u8(in));
		else
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
		offer(fuzz_u8(in));
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
	ring_init(&r, get_num(), mode & 1, MEM_SIZE);
	fuzz_place_begin(&driver, r.num);
	memset(record, 0, sizeof(record));
	take_up();
	while (in.left)
		step(&in);
	/* What is out can always be returned. */
	while (npopped && is_packed())
		push_packed(0);
	while (npopped)
		push(0);
	ring_fini(&r);
	return 0;
}
