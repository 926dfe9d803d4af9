/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The input is a driver and an embedder: any buffers go into a report or a
 * hint session, and any calls follow in any order.  Every buffer comes back
 * once, every run lies in what was offered, every byte is counted once.
 *
 * Byte 0: bit 0 a hint session, bit 1 granules of 64 KiB, bit 2 big-endian
 * command ids.  Then operations of one byte (the low 3 bits), each with its
 * arguments, big-endian; n is bits 3 to 7 of the operation:
 *
 *   0 add         n modulo 8 segments, how 1 (bit 0 REFUSE, bit 1 a readable
 *                 one of 4 bytes, bit 2 of 3), command 4; each segment: page
 *                 1, pages 1 (0: gpa 8 and len 4 follow), flags 1
 *   1 next        at most n + 1
 *   2 complete    run n, outcome 1, freed 1 (256ths of its length)
 *   3 take_used   at most n + 1
 *   4 reset
 *   5 set_poison, or set_endian; value n
 *   6 save, and load into another object; n odd: as MOVED
 *   7 hint session, by n: request, stop, done, sync_begin, sync_end, restore
 */
#include <string.h>

#include <fph/host.h>
#include <fph/wire.h>

#include "fuzz.h"

#define NRANGES		16u
#define NBUFFERS	6u
#define MEMORY_SIZE	FPH_HINT_SESSION_SIZE(NRANGES, NBUFFERS)
#define STATE_SIZE	FPH_REPORT_STATE_SIZE(NRANGES, NBUFFERS)

struct object {
	uint64_t memory[MEMORY_SIZE / 8];
	struct fph_report *r;
	struct fph_hint_session *s;
};

/* A buffer that was taken and did not come back. */
struct taken {
	uint64_t cookie;
	uint32_t nsegs;
	struct fph_seg segs[8];
};

static struct object objects[2];
static struct object *o;
static uint64_t granule;
static struct taken taken[NBUFFERS];
static uint32_t ntaken;
static struct fph_run runs[NRANGES];
static uint32_t nruns;
static uint64_t cookies;

static void make(struct object *to, bool hints)
{
	struct fph_report_params rp = {
		.size = sizeof(rp), .max_ranges = NRANGES,
		.max_buffers = NBUFFERS, .granule = granule,
		.queue = FPH_QUEUE_REPORT
	};
	struct fph_hint_session_params sp = {
		.size = sizeof(sp), .max_ranges = NRANGES,
		.max_buffers = NBUFFERS, .granule = granule
	};

	memset(to, 0xa5, sizeof(*to));
	to->r = NULL;
	to->s = NULL;
	MUST((hints ? fph_hint_session_init(&to->s, to->memory, MEMORY_SIZE,
					    &sp) :
		      fph_report_init(&to->r, to->memory, MEMORY_SIZE, &rp)) ==
	     FPH_OK);
}

/* ----------------------------------------------------------------- buffers -- */

static struct fph_seg read_seg(struct fuzz_input *in)
{
	struct fph_seg seg = { .gpa = (uint64_t)fuzz_u8(in) << 12 };
	uint32_t pages = fuzz_u8(in);

	seg.len = pages << 12;
	if (!pages) {
		seg.gpa = fuzz_uint(in, 8);
		seg.len = (uint32_t)fuzz_uint(in, 4);
	}
	seg.flags = fuzz_u8(in) ^ FPH_SEG_WRITE;
	return seg;
}

static void add(struct fuzz_input *in, uint32_t n)
{
	struct fph_buffer b = { .cookie = ++cookies };
	struct fph_seg segs[9];
	uint32_t how = fuzz_u8(in), first = 0;
	uint32_t room[2];
	int ret;

	for (uint32_t i = 0; i < 4; i++)
		b.command[i] = fuzz_u8(in);
	b.flags = how & 1 ? FPH_BUFFER_REFUSE : 0;
	if (how & 6) {
		segs[0] = (struct fph_seg){ 0, how & 2 ? 4 : 3, 0 };
		first = 1;
	}
	b.nread = first;
	b.nwrite = n;
	for (uint32_t i = 0; i < n; i++)
		segs[first + i] = read_seg(in);
	if (o->s)
		fph_hint_session_get_room(o->s, &room[0], &room[1]);
	else
		fph_report_get_room(o->r, &room[0], &room[1]);
	ret = o->s ? fph_hint_session_add(o->s, &b, 1, segs) :
		     fph_report_add(o->r, &b, 1, segs);
	MUST(ret == 1 || ret == FPH_EFULL);
	MUST(ret == 1 || !room[0] || n > room[1]);
	if (ret != 1)
		return;
	MUST(ntaken < NBUFFERS);
	taken[ntaken].cookie = b.cookie;
	taken[ntaken].nsegs = n;
	memcpy(taken[ntaken].segs, segs + first, n * sizeof(*segs));
	ntaken++;
}

/* Whether a byte is in a segment that is with us; then how far it goes. */
static bool find_end(uint64_t gpa, uint64_t *last)
{
	bool found = false;

	for (uint32_t i = 0; i < ntaken; i++) {
		for (uint32_t k = 0; k < taken[i].nsegs; k++) {
			const struct fph_seg *s = &taken[i].segs[k];

			if (!s->len || gpa < s->gpa || gpa - s->gpa >= s->len)
				continue;
			if (!found || s->gpa + (s->len - 1) > *last)
				*last = s->gpa + (s->len - 1);
			found = true;
		}
	}
	return found;
}

static void check_run(const struct fph_run *run)
{
	uint64_t at = run->gpa, end = run->gpa + (run->len - 1), last = 0;

	MUST(run->len && end >= at);
	MUST(!(run->gpa & (granule - 1)) && !(run->len & (granule - 1)));
	for (;;) {
		MUST(find_end(at, &last));
		if (last >= end)
			return;
		at = last + 1;
	}
}

static int next(uint32_t n)
{
	struct fph_run out[32];
	int ret = o->s ? fph_hint_session_next(o->s, out, n) :
			 fph_report_next(o->r, out, n);

	MUST(ret >= 0 && (uint32_t)ret <= n);
	for (int i = 0; i < ret; i++) {
		check_run(&out[i]);
		MUST(!i || out[i - 1].gpa + (out[i - 1].len - 1) <
			   out[i].gpa);
		MUST(nruns < NRANGES);
		runs[nruns++] = out[i];
	}
	return ret;
}

static void complete(uint32_t which, uint8_t outcome, uint64_t part)
{
	struct fph_run *run = &runs[nruns ? which % nruns : 0];
	bool good = outcome == (o->s ? FPH_OUTCOME_CLEARED :
				       FPH_OUTCOME_DISCARDED) ||
		    (!o->s && outcome == FPH_OUTCOME_LAZY) ||
		    outcome == FPH_OUTCOME_TRIMMED ||
		    outcome == FPH_OUTCOME_SKIPPED ||
		    outcome == FPH_OUTCOME_FAILED;
	int ret;

	if (!nruns)
		return;
	run->outcome = outcome;
	run->reason = (uint8_t)part;
	run->freed = part * (run->len >> 8);
	ret = o->s ? fph_hint_session_complete(o->s, run, 1) :
		     fph_report_complete(o->r, run, 1);
	MUST(ret == (good ? 1 : FPH_EINVAL));
	if (!good)
		return;
	/* Once is all. */
	MUST((o->s ? fph_hint_session_complete(o->s, run, 1) :
		     fph_report_complete(o->r, run, 1)) == FPH_EINVAL);
	*run = runs[--nruns];
}

static int take_used(uint32_t n)
{
	struct fph_used used[32];
	int ret = o->s ? fph_hint_session_take_used(o->s, used, n) :
			 fph_report_take_used(o->r, used, n);
	uint32_t k;

	MUST(ret >= 0 && (uint32_t)ret <= n);
	for (int i = 0; i < ret; i++) {
		for (k = 0; k < ntaken; k++) {
			if (taken[k].cookie == used[i].cookie)
				break;
		}
		MUST(k < ntaken);
		MUST(!used[i].len && used[i].outcome != FPH_OUTCOME_NONE);
		taken[k] = taken[--ntaken];
	}
	return ret;
}

/* ------------------------------------------------------------------- state -- */

static void save(const struct object *from, uint8_t *buf, size_t *len)
{
	int ret = from->s ?
		fph_hint_session_save(from->s, buf, STATE_SIZE, len) :
		fph_report_save(from->r, buf, STATE_SIZE, len);

	MUST(ret == FPH_OK && *len <= STATE_SIZE);
}

static void move(uint32_t flags)
{
	static uint8_t first[STATE_SIZE], second[STATE_SIZE];
	struct object *to = o == objects ? objects + 1 : objects;
	size_t len, again;
	int ret;

	save(o, first, &len);
	make(to, o->s != NULL);
	ret = to->s ? fph_hint_session_load(to->s, first, len, flags) :
		      fph_report_load(to->r, first, len, flags);
	MUST(ret == FPH_OK);
	if (!flags) {
		save(to, second, &again);
		MUST(again == len && !memcmp(first, second, len));
	} else {
		nruns = 0;
	}
	o = to;
}

static void reset(void)
{
	int ret = o->s ? fph_hint_session_reset(o->s) : fph_report_reset(o->r);

	MUST(ret == (nruns ? FPH_EBUSY : FPH_OK));
	if (ret == FPH_OK)
		ntaken = 0;
}

static void steer(uint32_t what, struct fuzz_input *in)
{
	uint32_t id = 0, old = fph_hint_session_get_id(o->s);

	switch (what % 6) {
	case 0:
		if (fph_hint_session_request(o->s, &id) == FPH_OK) {
			/* After the last one of all a reset begins again. */
			MUST(id > old || (old == 0xffffffff &&
					  id == VIRTIO_BALLOON_CMD_ID_MIN));
			MUST(id >= VIRTIO_BALLOON_CMD_ID_MIN);
			MUST(fph_hint_session_get_config(o->s) == id);
		}
		break;
	case 1:
		MUST(fph_hint_session_stop(o->s) ==
		     (nruns ? FPH_EINPROGRESS : FPH_OK));
		break;
	case 2:
		MUST(fph_hint_session_done(o->s) ==
		     (nruns ? FPH_EINPROGRESS : FPH_OK));
		break;
	case 3:
		(void)fph_hint_session_sync_begin(o->s);
		break;
	case 4:
		(void)fph_hint_session_sync_end(o->s);
		break;
	default:
		(void)fph_hint_session_restore(o->s,
					       (uint32_t)fuzz_uint(in, 4));
	}
}

static void check_counts(void)
{
	struct fph_report_counters n;
	uint32_t room[2];

	if (o->s) {
		fph_hint_session_get_room(o->s, &room[0], &room[1]);
		MUST(fph_hint_session_get_outstanding(o->s) == nruns);
	} else {
		fph_report_get_room(o->r, &room[0], &room[1]);
		MUST(fph_report_get_outstanding(o->r) == nruns);
	}
	MUST(room[0] == NBUFFERS - ntaken && room[1] <= NRANGES);
	if (o->s || nruns || ntaken)
		return;
	MUST(fph_report_get_counters(o->r, &n, sizeof(n)) == FPH_OK);
	MUST(n.bytes_offered == n.bytes_freed + n.bytes_lazy +
	     n.bytes_trimmed + n.bytes_skipped + n.bytes_failed +
	     n.bytes_overlap);
}

static void step(struct fuzz_input *in)
{
	uint8_t op = fuzz_u8(in);
	uint32_t n = op >> 3;
	uint8_t outcome;

	switch (op & 7) {
	case 0:
		add(in, n % 8);
		break;
	case 1:
		next(n + 1);
		break;
	case 2:
		outcome = fuzz_u8(in);
		complete(n, outcome, fuzz_u8(in));
		break;
	case 3:
		take_used(n + 1);
		break;
	case 4:
		reset();
		break;
	case 5:
		if (o->s)
			(void)fph_hint_session_set_endian(o->s, (int)n);
		else
			MUST(fph_report_set_poison(o->r, n & 1, n >> 1) ==
			     FPH_OK);
		break;
	case 6:
		move(n & 1 ? FPH_LOAD_MOVED : 0);
		break;
	default:
		if (o->s)
			steer(n, in);
	}
	check_counts();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t mode = fuzz_u8(&in);

	granule = mode & 2 ? 65536 : 4096;
	ntaken = 0;
	nruns = 0;
	cookies = 0;
	o = objects;
	make(o, mode & 1);
	if (o->s && mode & 4)
		MUST(fph_hint_session_set_endian(o->s, FPH_BE) == FPH_OK);
	while (in.left)
		step(&in);
	/* Whatever happened: all of it comes back. */
	do {
		while (nruns)
			complete(0, FPH_OUTCOME_FAILED, 0);
	} while (next(32));
	while (take_used(32))
		;
	MUST(!ntaken);
	check_counts();
	return 0;
}
