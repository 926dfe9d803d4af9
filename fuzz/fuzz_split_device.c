/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The input is a driver: it writes a ring in a small guest memory and decides
 * when the device side runs.
 *
 * Byte 0: bit 0 big-endian, bit 1 event index, bit 2 indirect, bits 4 and 5
 * the logarithm of num.  Then operations of one byte (the low 3 bits), each
 * with its arguments, big-endian:
 *
 *   0 pop
 *   1 push       slot 1: the oldest but slot of those popped
 *   2 get_notify
 *   3 arm        on 1
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
static struct fph_split_device vq;
static uint16_t popped[MAX_NUM];
static uint16_t npopped;
static uint8_t mode;

static const void *map(void *ctx, uint64_t gpa, uint64_t len)
{
	MUST(len && gpa + (len - 1) >= gpa);
	return ring_map(ctx, gpa, len);
}

static void take_up(void)
{
	struct fph_split_device_params p = {
		.size = sizeof(p),
		.num = (uint16_t)r.num,
		.base = r.avail_idx,
		.event_idx = mode & 2,
		.indirect = mode & 4,
		.endian = mode & 1 ? FPH_BE : FPH_LE,
		.desc = r.desc,
		.avail = r.avail,
		.used = r.used,
		.map = map,
		.map_ctx = &r,
	};

	MUST(fph_split_device_init(&vq, &p) == FPH_OK);
	npopped = 0;
}

static void check_elem(const struct fph_elem *e, const struct fph_seg *segs)
{
	uint64_t len[2] = { 0, 0 };

	MUST(e->head < r.num);
	MUST(e->nseg >= 1 && e->nseg <= r.num && e->nread <= e->nseg);
	for (int i = 0; i < e->nseg; i++) {
		MUST(segs[i].flags == (i < e->nread ? 0 : FPH_SEG_WRITE));
		MUST(segs[i].len);
		MUST(segs[i].gpa + (segs[i].len - 1) >= segs[i].gpa);
		len[i >= e->nread] += segs[i].len;
	}
	MUST(e->read_len == len[0] && e->write_len == len[1]);
	MUST(len[0] + len[1] <= (uint64_t)1 << 32);
}

static void pop(void)
{
	uint16_t base = fph_split_device_get_base(&vq);
	bool broken = fph_split_device_is_broken(&vq);
	struct fph_seg *segs = malloc(r.num * sizeof(*segs));
	struct fph_elem e;
	int ret;

	/* Exactly as long as promised, for the sanitizer to watch. */
	MUST(segs);
	ret = fph_split_device_pop(&vq, &e, segs, r.num);
	if (broken)
		MUST(ret == FPH_PEER_BROKEN);
	if (ret == 1) {
		check_elem(&e, segs);
		base++;
		MUST(npopped < r.num);
		popped[npopped++] = e.head;
	}
	MUST(ret == 0 || ret == 1 || fph_status_is_peer(ret));
	MUST(fph_split_device_is_broken(&vq) == (ret < 0));
	MUST(fph_split_device_get_base(&vq) == base);
	free(segs);
}

static void push(uint8_t slot)
{
	uint16_t used = ring_get_used_idx(&r);
	uint16_t head = npopped ? popped[slot % npopped] : 0;
	int ret = fph_split_device_push(&vq, head, slot);

	if (!npopped) {
		MUST(ret == FPH_ESTATE);
		MUST(ring_get_used_idx(&r) == used);
		return;
	}
	MUST(ret == FPH_OK);
	popped[slot % npopped] = popped[npopped - 1];
	npopped--;
	used = (uint16_t)(ring_get_used_idx(&r) - 1);
	MUST(ring_get_used_id(&r, used) == head);
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
	uint16_t off;
	int ret;

	switch (fuzz_u8(in) & 7) {
	case 0:
		pop();
		break;
	case 1:
		push(fuzz_u8(in));
		break;
	case 2:
		ret = fph_split_device_get_notify(&vq);
		MUST(ret == 0 || ret == 1);
		MUST(!(mode & 2) || fph_split_device_get_notify(&vq) == 0);
		break;
	case 3:
		ret = fph_split_device_arm(&vq, fuzz_u8(in) & 1);
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
	MUST(fph_split_device_get_inflight(&vq) == npopped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	mode = fuzz_u8(&in);
	ring_init(&r, 1u << (mode >> 4 & 3), mode & 1, MEM_SIZE);
	take_up();
	while (in.left)
		step(&in);
	/* What is out can always be returned. */
	while (npopped)
		push(0);
	ring_fini(&r);
	return 0;
}
