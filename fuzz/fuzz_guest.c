/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The input is a guest and its device: any calls of a reporter or a hinter in
 * any order.  Each range comes back once and as it was added, what a buffer
 * names is what it holds, and the amounts add up.
 *
 * Byte 0: bit 0 a hinter, bits 1 and 2 its mode, bit 3 NO_MERGE, bit 4
 * INDIRECT, bit 5 big-endian, bits 6 and 7 max_segs less one.  Then operations
 * of one byte (the low 4 bits), each with its arguments, big-endian; n is bits
 * 4 to 7 of the operation:
 *
 *   0 add         page 1, pages 1 (0: gpa 8, len 8)
 *   1 submit      n + 1 segments
 *   2 complete    buffer n; bit 3 of n: as failed
 *   3 cancel      buffer n
 *   4 take_back   n + 1
 *   5 shrink      n + 1
 *   6 flush
 *   7 time goes on by a second 2^n; or set_config 4
 *   8 reset
 *   9 finish_input
 *  10 stop
 *  11 complete    with a cookie of 4 bytes
 *  12 save, and load into another object, whose clock is n seconds ahead
 */
#include <string.h>

#include <fph/guest.h>
#include <fph/wire.h>

#include "fuzz.h"

#define NRANGES		24u
#define NBATCHES	4u
#define NOUT		8u		/* with commands */
#define NSEGS		16u

struct range {
	uint64_t gpa;
	uint64_t len;			/* 0: not held */
};

struct out {
	uint64_t cookie;
	uint64_t bytes;
	bool command;
};

#define STATE_SIZE	FPH_HINTER_STATE_SIZE(NRANGES, NBATCHES)

static uint64_t memories[2][FPH_HINTER_SIZE(NRANGES, NBATCHES) / 8];
static uint64_t *memory;		/* one of these */
static uint8_t mode;
static struct fph_reporter *r;
static struct fph_hinter *h;
static bool never;
static uint64_t now;
static struct range ranges[256];	/* by owner */
static uint32_t nheld;
static uint64_t held;			/* bytes */
static struct out out[NOUT];
static uint32_t nout;

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* A fresh object in the other memory. */
static void make(void)
{
	uint64_t features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING) |
			    FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	struct fph_reporter_params rp = {
		.size = sizeof(rp), .content = FPH_CONTENT_FREE,
		.features = features, .max_ranges = NRANGES,
		.window = NBATCHES, .max_segs = 1u + (mode >> 6),
		.max_failures = 3
	};
	struct fph_hinter_params hp = {
		.size = sizeof(hp), .content = FPH_CONTENT_FREE,
		.features = features, .mode = mode >> 1 & 3,
		.flags = FPH_HINTER_METADATA_OUTSIDE |
			 (mode & 8 ? FPH_HINTER_NO_MERGE : 0) |
			 (mode & 16 ? FPH_HINTER_INDIRECT : 0),
		.endian = mode & 32 ? FPH_BE : FPH_LE,
		.max_ranges = NRANGES, .max_hints = NBATCHES,
		.max_segs = 1u + (mode >> 6), .commands_gpa = 0x1000
	};

	memory = memories[memory == memories[0]];
	memset(memory, 0xa5, sizeof(memories[0]));
	r = NULL;
	h = NULL;
	never = mode & 1 && hp.mode == FPH_HINTER_NEVER;
	MUST((mode & 1 ? fph_hinter_init(&h, memory, sizeof(memories[0]),
					 &hp) :
			 fph_reporter_init(&r, memory, sizeof(memories[0]),
					   &rp)) == FPH_OK);
}

static void start(void)
{
	make();
	memset(ranges, 0, sizeof(ranges));
	nheld = 0;
	held = 0;
	nout = 0;
	now = 0;
}

/* ------------------------------------------------------------------ ranges -- */

static bool is_held(uint64_t gpa, uint64_t len)
{
	for (uint32_t i = 0; i < 256; i++) {
		const struct range *x = &ranges[i];

		if (x->len && gpa <= x->gpa + (x->len - 1) &&
		    x->gpa <= gpa + (len - 1))
			return true;
	}
	return false;
}

static void add(struct fuzz_input *in)
{
	struct fph_owned_range x = { .gpa = (uint64_t)fuzz_u8(in) << 12 };
	uint32_t pages = fuzz_u8(in), owner = 0, id = 0;
	bool bad;
	int ret;

	x.len = (uint64_t)pages << 12;
	if (!pages) {
		x.gpa = fuzz_uint(in, 8);
		x.len = fuzz_uint(in, 8);
	}
	bad = !x.len || x.len > FPH_MAX_BUFFER || x.gpa + (x.len - 1) < x.gpa;
	/* An embedder adds nothing that it gave away. */
	if (!bad && !never && is_held(x.gpa, x.len))
		return;
	while (ranges[owner].len)
		owner++;
	x.owner = owner;
	if (h)
		id = fph_hinter_get_id(h);
	ret = h ? fph_hinter_add(h, id, &x, 1) :
		  fph_reporter_add(r, now, &x, 1);
	MUST(ret == 1 || ret == FPH_EFULL || (h && !id && ret == FPH_ESTATE) ||
	     (bad && ret == FPH_EINVAL));
	MUST(ret != 1 || !bad);
	if (ret != 1 || never)
		return;
	ranges[owner].gpa = x.gpa;
	ranges[owner].len = x.len;
	nheld++;
	held += x.len;
	MUST(nheld <= NRANGES);
}

/* Ranges that came back. */
static int check_back(const struct fph_returned *back, int n, uint32_t most)
{
	MUST(n == FPH_EBUSY || (n >= 0 && (uint32_t)n <= most));
	for (int i = 0; i < n; i++) {
		struct range *x = &ranges[back[i].owner & 0xff];

		MUST(!never && back[i].owner < 256);
		MUST(x->len && x->gpa == back[i].gpa && x->len == back[i].len);
		MUST(back[i].used <= 1 && !back[i].reserved);
		held -= x->len;
		nheld--;
		x->len = 0;
	}
	return n;
}

static int take_back(uint32_t n)
{
	struct fph_returned back[NRANGES];
	int ret;

	n = min(n, NRANGES);
	ret = h ? fph_hinter_take_back(h, back, n) :
		  fph_reporter_take_back(r, back, n);
	MUST(ret >= 0);
	return check_back(back, ret, n);
}

static void shrink(uint32_t n)
{
	struct fph_returned back[NRANGES];
	int ret;

	n = min(n, NRANGES);
	ret = h ? fph_hinter_shrink(h, back, n) :
		  fph_reporter_shrink(r, back, n);
	check_back(back, ret, n);
}

/* ----------------------------------------------------------------- buffers -- */

static void note_buffer(const struct fph_buffer *b, const struct fph_seg *segs)
{
	struct out *x = &out[nout];

	MUST(nout < NOUT && b->cookie && !(b->cookie >> 32));
	for (uint32_t i = 0; i < nout; i++)
		MUST(out[i].cookie != b->cookie);
	x->cookie = b->cookie;
	x->bytes = 0;
	x->command = b->nread;
	nout++;
	if (b->nread) {
		MUST(h && b->nread == 1 && !b->nwrite);
		MUST(segs->len == FPH_CMD_ID_SIZE && !segs->flags);
		return;
	}
	MUST(b->nwrite);
	for (uint32_t i = 0; i < b->nwrite; i++) {
		MUST(segs[i].len && segs[i].flags == FPH_SEG_WRITE);
		MUST(h || !i || segs[i].len <= segs[i - 1].len);
		MUST(never || is_held(segs[i].gpa, segs[i].len));
		x->bytes += segs[i].len;
	}
	MUST(x->bytes <= FPH_MAX_BUFFER);
}

static void submit(uint32_t nsegs)
{
	struct fph_buffer b[2];
	struct fph_seg segs[NSEGS];
	int ret = h ? fph_hinter_submit(h, nsegs, b, 2, segs, nsegs) :
		      fph_reporter_submit(r, now, b, 2, segs, nsegs);
	uint32_t at = 0;

	MUST(ret >= 0 && ret <= 2);
	for (int i = 0; i < ret; i++) {
		MUST(at + b[i].nread + b[i].nwrite <= nsegs);
		note_buffer(&b[i], segs + at);
		at += b[i].nread + b[i].nwrite;
	}
}

static void forget(uint32_t i)
{
	memmove(out + i, out + i + 1, (nout - i - 1) * sizeof(*out));
	nout--;
}

static void complete(uint32_t n, bool ok)
{
	struct fph_used used = { .cookie = nout ? out[n % nout].cookie : 1 };
	int ret = h ? fph_hinter_complete(h, &used, 1) :
		      fph_reporter_complete(r, now, &used, 1, ok);

	MUST(ret == (nout ? 1 : FPH_EINVAL));
	if (nout)
		forget(n % nout);
}

static void cancel(uint32_t n)
{
	uint32_t i = nout ? n % nout : 0;
	int ret;

	if (!nout)
		return;
	ret = h ? fph_hinter_cancel(h, out[i].cookie) :
		  fph_reporter_cancel(r, now, out[i].cookie);
	MUST(ret == (h && i != nout - 1 ? FPH_EINVAL : FPH_OK));
	if (ret == FPH_OK)
		forget(i);
}

static void complete_any(uint64_t cookie)
{
	struct fph_used used = { .cookie = cookie };
	uint32_t i = 0;
	int ret;

	while (i < nout && out[i].cookie != cookie)
		i++;
	ret = h ? fph_hinter_complete(h, &used, 1) :
		  fph_reporter_complete(r, now, &used, 1, true);
	MUST(ret == (i < nout ? 1 : FPH_EINVAL));
	if (i < nout)
		forget(i);
}

/* ------------------------------------------------------------------- state -- */

static size_t save(uint8_t *buf)
{
	size_t len;

	MUST((h ? fph_hinter_save(h, buf, STATE_SIZE, &len) :
		  fph_reporter_save(r, now, buf, STATE_SIZE, &len)) == FPH_OK);
	return len;
}

static void move(uint32_t seconds)
{
	static uint8_t first[STATE_SIZE], second[STATE_SIZE];
	size_t len = save(first);

	make();
	now += (uint64_t)seconds * 1000000000;
	MUST((h ? fph_hinter_load(h, first, len) :
		  fph_reporter_load(r, now, first, len)) == FPH_OK);
	MUST(save(second) == len && !memcmp(first, second, len));
}

/* --------------------------------------------------------------------- run -- */

static void check_amounts(void)
{
	uint32_t hints = 0;
	uint64_t when;

	for (uint32_t i = 0; i < nout; i++)
		hints += !out[i].command;
	if (h) {
		struct fph_hinter_amounts a;

		MUST(fph_hinter_get_amounts(h, &a, sizeof(a)) == FPH_OK);
		MUST(a.held.bytes == held && a.held.ranges == nheld);
		MUST(a.buffers == hints);
		MUST(a.waiting.ranges + a.outstanding.ranges <= NRANGES);
	} else {
		struct fph_reporter_amounts a;

		MUST(fph_reporter_get_amounts(r, &a, sizeof(a)) == FPH_OK);
		MUST(a.waiting.bytes + a.outstanding.bytes + a.back.bytes ==
		     held);
		MUST(a.waiting.ranges + a.outstanding.ranges +
		     a.back.ranges == nheld);
		MUST(a.buffers == hints);
		MUST(fph_reporter_get_deadline(r, &when) >= 0);
	}
}

static void step(struct fuzz_input *in)
{
	uint8_t op = fuzz_u8(in);
	uint32_t n = op >> 4;

	switch (op & 15) {
	case 0:
		add(in);
		break;
	case 1:
		submit(n + 1);
		break;
	case 2:
		complete(n & 7, !(n & 8));
		break;
	case 3:
		cancel(n);
		break;
	case 4:
		take_back(n + 1);
		break;
	case 5:
		shrink(n + 1);
		break;
	case 6:
		MUST((h ? fph_hinter_flush(h) : fph_reporter_flush(r)) ==
		     FPH_OK);
		break;
	case 7:
		if (h)
			fph_hinter_set_config(h, (uint32_t)fuzz_uint(in, 4));
		else
			now += (uint64_t)1000000000 << n;
		break;
	case 8:
		MUST((h ? fph_hinter_reset(h) : fph_reporter_reset(r)) ==
		     FPH_OK);
		nout = 0;
		break;
	case 9:
		if (h)
			fph_hinter_finish_input(h);
		break;
	case 10:
		if (h)
			MUST(fph_hinter_stop(h) == FPH_OK);
		break;
	case 11:
		complete_any(fuzz_uint(in, 4));
		break;
	case 12:
		move(n);
		break;
	}
	check_amounts();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	mode = fuzz_u8(&in);
	start();
	while (in.left)
		step(&in);
	MUST((h ? fph_hinter_reset(h) : fph_reporter_reset(r)) == FPH_OK);
	nout = 0;
	while (take_back(NRANGES))
		;
	MUST(!nheld && !held);
	check_amounts();
	return 0;
}
