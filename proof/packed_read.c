/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One list of a packed ring of up to three entries, of any content, place and
 * byte order, through a table of any content too: only bytes of the ring and
 * of the table are read, only segments of the caller are written, and a list
 * that is taken keeps every rule.
 *
 * with: lib/vring/packed_read.c
 * unwind: 5
 * bug: lib/vring/packed_read.c: if (most > vq->num - vq->busy) => if (most > vq->num)
 * bug: lib/vring/packed_read.c: uint32_t most = vq->num - vq->avail.at; => uint32_t most = vq->num;
 * bug: lib/vring/packed_read.c: return n > l->room ? 0 : 1; => return 1;
 * bug: lib/vring/packed_read.c: if (l.ndesc > vq->num - vq->busy) => if (l.ndesc > vq->num)
 */
#include "proof.h"
#include "vring/device.h"

#define MOST	3u

/* Each is used from where its end is that of what is allowed. */
static uint8_t ring[MOST * FPH_DESC_BYTES];
static uint8_t table[MOST * FPH_DESC_BYTES];
static struct fph_seg all_segs[MOST];

static const void *map(void *ctx, uint64_t gpa, uint64_t len)
{
	(void)ctx;
	MUST(!fph_is_bad_range(gpa, len));
	/* A longer one than the ring has entries is not asked for. */
	MUST(len <= MOST * FPH_DESC_BYTES);
	return nondet_bool() ? table + (sizeof(table) - len) : NULL;
}

static void check_segs(const struct fph_buffer *b, const struct fph_seg *segs)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < b->nread + b->nwrite; i++) {
		MUST(segs[i].flags == (i < b->nread ? 0 : FPH_SEG_WRITE));
		MUST(!fph_is_bad_range(segs[i].gpa, segs[i].len));
		total += segs[i].len;
	}
	MUST(total <= (uint64_t)1 << 32);
}

int main(void)
{
	struct fph_vq_device vq = { .num = nondet_u32() };
	uint32_t room = nondet_u32(), ndesc = 0, id = 0;
	uint16_t flags = nondet_u16();
	struct fph_buffer b;
	struct fph_seg *segs;
	int ret;

	ASSUME(vq.num && vq.num <= MOST && room <= MOST);
	vq.busy = nondet_u32();
	vq.avail.at = nondet_u16();
	vq.avail.wrap = nondet_bool();
	vq.big = nondet_bool();
	vq.map = nondet_bool() ? map : NULL;
	ASSUME(vq.busy <= vq.num && vq.avail.at < vq.num);
	ASSUME(fph_has_bits(flags, fph_avail_bits(vq.avail.wrap)));
	__CPROVER_havoc_object(ring);
	__CPROVER_havoc_object(table);
	vq.desc = ring + (MOST - vq.num) * FPH_DESC_BYTES;
	segs = all_segs + (MOST - room);

	ret = fph_packed_read(&vq, flags, &b, segs, room, &ndesc, &id);
	MUST(ret <= 1);
	if (ret != 1)
		return 0;
	MUST(ndesc && ndesc <= vq.num - vq.busy && id <= 0xffff);
	MUST(b.nread + b.nwrite && b.nread <= room);
	MUST(b.nwrite <= room - b.nread && b.nread + b.nwrite <= vq.num);
	MUST(!b.flags);
	if (!(flags & FPH_DESC_INDIRECT))
		MUST(ndesc == b.nread + b.nwrite);
	else
		MUST(ndesc == 1 && vq.map);
	check_segs(&b, segs);
	return 0;
}
