/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of reporters and hinters: one object does anything in any order,
 * is saved at a random step and loaded into a fresh one, which lives by another
 * clock, and from there on both are given the same calls and must answer the
 * same.  What is damaged is refused, and what is wrong behind a good checksum
 * does no harm.
 */
#include <stdio.h>
#include <string.h>

#include <fph/guest.h>
#include <fph/wire.h>

#include "core/pool_state.h"
#include "damage.h"
#include "ring.h"
#include "runner.h"

#define NPAGES		64u
#define NRANGES		24u
#define NBATCHES	4u
#define NCOMMANDS	4u
#define NOUT		(NBATCHES + NCOMMANDS)
#define NSEGS		8u
#define NSAVES		1000
#define STEPS_AFTER	150
#define PAGE		0x1000u
#define SECOND		1000000000u
#define EPOCH		((uint64_t)1 << 62)	/* of the first clock */

#define STATE_SIZE	FPH_HINTER_STATE_SIZE(NRANGES, NBATCHES)

/* One of both kinds, with what its embedder holds. */
struct object {
	uint64_t memory[FPH_HINTER_SIZE(NRANGES, NBATCHES) / 8];
	struct fph_reporter *r;
	struct fph_hinter *h;		/* or NULL */
	uint64_t start;			/* of its clock */
	uint64_t now;			/* since then */
	bool held[NPAGES];
	uint64_t out[NOUT];		/* cookies */
	uint32_t nout;
};

/* What a call answered; cookies are names and may differ. */
struct answer {
	int64_t ret;
	uint64_t v[120];
};

static uint8_t state[STATE_SIZE], bad[STATE_SIZE];

/* kind: its lowest bits are what it is. */
static void make(struct object *o, uint64_t kind, uint64_t start)
{
	uint64_t features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING) |
			    FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	struct fph_reporter_params rp = {
		.size = sizeof(rp),
		.content = kind & 128 ? FPH_CONTENT_KEPT : FPH_CONTENT_FREE,
		.features = features | (kind & 128 ?
			FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON) : 0),
		.max_ranges = NRANGES, .window = NBATCHES, .low_water = 1,
		.max_segs = 3, .max_failures = 3
	};
	struct fph_hinter_params hp = {
		.size = sizeof(hp), .content = FPH_CONTENT_FREE,
		.features = features, .mode = 1 + (uint32_t)(kind / 2 % 3),
		.flags = FPH_HINTER_METADATA_OUTSIDE |
			 (kind & 16 ? FPH_HINTER_NO_MERGE : 0) |
			 (kind & 32 ? FPH_HINTER_INDIRECT : 0),
		.endian = kind & 64 ? FPH_BE : FPH_LE,
		.max_ranges = NRANGES,
		.max_hints = NBATCHES - (kind & 256 ? 1 : 0), .max_segs = 3,
		.commands = NCOMMANDS,
		.commands_gpa = kind & 128 ? 0x2000 : 0x1000
	};

	memset(o, 0xa5, sizeof(*o));
	memset(o->held, 0, sizeof(o->held));
	o->nout = 0;
	o->now = 0;
	o->start = start;
	o->r = NULL;
	o->h = NULL;
	ck_assert_int_eq(kind & 1 ?
		fph_hinter_init(&o->h, o->memory, sizeof(o->memory), &hp) :
		fph_reporter_init(&o->r, o->memory, sizeof(o->memory), &rp),
		FPH_OK);
}

static int save(const struct object *o, void *buf, size_t size, size_t *need)
{
	return o->h ? fph_hinter_save(o->h, buf, size, need) :
		      fph_reporter_save(o->r, o->start + o->now, buf, size,
					need);
}

static int load(struct object *o, const void *buf, size_t size)
{
	return o->h ? fph_hinter_load(o->h, buf, size) :
		      fph_reporter_load(o->r, o->start + o->now, buf, size);
}

static void note(const struct object *o, struct answer *a)
{
	uint64_t when;

	if (o->h) {
		struct fph_hinter_amounts n;
		struct fph_hinter_counters c;

		fph_hinter_get_amounts(o->h, &n, sizeof(n));
		fph_hinter_get_counters(o->h, &c, sizeof(c));
		memcpy(a->v + 80, &n, sizeof(n));
		memcpy(a->v + 100, &c, sizeof(c));
		a->v[96] = (uint64_t)fph_hinter_get_state(o->h);
		a->v[97] = fph_hinter_get_id(o->h);
	} else {
		struct fph_reporter_amounts n;
		struct fph_reporter_counters c;

		fph_reporter_get_amounts(o->r, &n, sizeof(n));
		fph_reporter_get_counters(o->r, &c, sizeof(c));
		memcpy(a->v + 80, &n, sizeof(n));
		memcpy(a->v + 100, &c, sizeof(c));
		a->v[96] = (uint64_t)fph_reporter_get_state(o->r);
		a->v[97] = (uint64_t)fph_reporter_get_deadline(o->r, &when);
		if (a->v[97] == 1)
			a->v[98] = when ? when - o->start : 0;
	}
}

/* ----------------------------------------------------------------- steps -- */

static void add(struct object *o, uint64_t *seed, struct answer *a)
{
	uint32_t page = model_random(seed, NPAGES), n = 1;
	struct fph_owned_range range;
	uint32_t id = o->h ? fph_hinter_get_id(o->h) : 0;
	uint32_t most = 1 + model_random(seed, 3);

	if (o->held[page])
		return;
	while (n < most && page + n < NPAGES && !o->held[page + n])
		n++;
	range = (struct fph_owned_range){ (uint64_t)page * PAGE,
					  (uint64_t)n * PAGE, page };
	a->ret = o->h ? fph_hinter_add(o->h, id, &range, 1) :
			fph_reporter_add(o->r, o->start + o->now, &range, 1);
	if (a->ret == 1)
		memset(o->held + page, true, n);
}

static void note_back(struct object *o, const struct fph_returned *back,
		      struct answer *a)
{
	for (int i = 0; i < a->ret; i++) {
		a->v[4 * i] = back[i].gpa;
		a->v[4 * i + 1] = back[i].len;
		a->v[4 * i + 2] = back[i].owner;
		a->v[4 * i + 3] = back[i].used;
		memset(o->held + back[i].gpa / PAGE, false,
		       back[i].len / PAGE);
	}
}

static void take(struct object *o, uint64_t *seed, struct answer *a)
{
	uint32_t n = 1 + model_random(seed, 8);
	struct fph_returned back[8];

	if (model_random(seed, 4))
		a->ret = o->h ? fph_hinter_take_back(o->h, back, n) :
				fph_reporter_take_back(o->r, back, n);
	else
		a->ret = o->h ? fph_hinter_shrink(o->h, back, n) :
				fph_reporter_shrink(o->r, back, n);
	note_back(o, back, a);
}

static void submit(struct object *o, uint64_t *seed, struct answer *a)
{
	uint32_t nsegs = 1 + model_random(seed, NSEGS);
	struct fph_seg segs[NSEGS];
	struct fph_buffer b[2];
	uint32_t at = 0;

	a->ret = o->h ? fph_hinter_submit(o->h, nsegs, b, 2, segs, nsegs) :
			fph_reporter_submit(o->r, o->start + o->now, b, 2,
					    segs, nsegs);
	for (int i = 0; i < a->ret; i++) {
		uint32_t n = b[i].nread + b[i].nwrite;

		o->out[o->nout++] = b[i].cookie;
		a->v[40 * i] = n;
		a->v[40 * i + 1] = b[i].flags;
		a->v[40 * i + 2] = b[i].index;
		memcpy(&a->v[40 * i + 3], b[i].command, 4);
		memcpy(&a->v[40 * i + 4], segs + at, n * sizeof(*segs));
		at += n;
	}
}

static void forget(struct object *o, uint32_t i)
{
	memmove(o->out + i, o->out + i + 1, (o->nout - i - 1) * 8);
	o->nout--;
}

static void complete(struct object *o, uint64_t *seed, struct answer *a)
{
	uint32_t i = model_random(seed, NOUT), ok = model_random(seed, 4);
	bool cancel = !model_random(seed, 4);
	struct fph_used used;

	if (!o->nout)
		return;
	/* A hinter cancels the latest one alone. */
	i = cancel && o->h ? o->nout - 1 : i % o->nout;
	used = (struct fph_used){ .cookie = o->out[i] };
	if (cancel)
		a->ret = o->h ? fph_hinter_cancel(o->h, used.cookie) :
			fph_reporter_cancel(o->r, o->start + o->now,
					    used.cookie);
	else
		a->ret = o->h ? fph_hinter_complete(o->h, &used, 1) :
			fph_reporter_complete(o->r, o->start + o->now, &used,
					      1, ok);
	if (a->ret >= 0)
		forget(o, i);
}

static void steer(struct object *o, uint64_t *seed, struct answer *a)
{
	uint32_t what = model_random(seed, 12), value = model_random(seed, 6);

	if (!o->h) {
		if (what < 8)
			o->now += (uint64_t)(1 + value) * SECOND / 4;
		else if (what < 11)
			a->ret = fph_reporter_flush(o->r);
		else if (!value)
			a->ret = fph_reporter_reset(o->r);
	} else if (what < 5) {
		a->ret = fph_hinter_set_config(o->h, value);
	} else if (what < 9) {
		a->ret = fph_hinter_flush(o->h);
	} else if (what < 10) {
		a->ret = fph_hinter_finish_input(o->h);
	} else if (what < 11) {
		a->ret = fph_hinter_stop(o->h);
	} else if (!value) {
		a->ret = fph_hinter_reset(o->h);
	} else {
		return;
	}
	if (what == 11 && !value)
		o->nout = 0;
}

static void step(struct object *o, uint64_t *seed, struct answer *a)
{
	uint32_t what = model_random(seed, 16);

	memset(a, 0, sizeof(*a));
	if (what < 6)
		add(o, seed, a);
	else if (what < 9)
		submit(o, seed, a);
	else if (what < 12)
		complete(o, seed, a);
	else if (what < 13)
		take(o, seed, a);
	else
		steer(o, seed, a);
	note(o, a);
}

/* ------------------------------------------------------------------ same -- */

static size_t save_whole(const struct object *o)
{
	size_t need, wrote;

	ck_assert_int_eq(save(o, NULL, 0, &need), FPH_EFULL);
	ck_assert_uint_le(need, o->h ? STATE_SIZE :
			  FPH_REPORTER_STATE_SIZE(NRANGES, NBATCHES));
	ck_assert_int_eq(save(o, state, need - 1, &wrote), FPH_EFULL);
	ck_assert_int_eq(save(o, state, STATE_SIZE, &wrote), FPH_OK);
	ck_assert_uint_eq(need, wrote);
	return need;
}

static void goes_on(uint64_t kind_bit)
{
	static struct object a, b;
	struct answer x, y;
	uint32_t out = 0;

	for (uint64_t k = 0; k < NSAVES; k++) {
		uint64_t seed = k * 0x9e3779b97f4a7c15 + 5, other;
		uint64_t kind = 2 * k | kind_bit;
		uint32_t n = model_random(&seed, 300);
		size_t size;

		make(&a, kind, EPOCH);
		while (n--)
			step(&a, &seed, &x);
		size = save_whole(&a);
		out += a.nout;
		make(&b, kind, EPOCH / 2 + k);
		b.now = a.now;
		ck_assert_int_eq(load(&b, state, size), FPH_OK);
		memcpy(b.held, a.held, sizeof(b.held));
		memcpy(b.out, a.out, sizeof(b.out));
		b.nout = a.nout;
		memcpy(bad, state, size);
		ck_assert_uint_eq(save_whole(&b), size);
		ck_assert_mem_eq(bad, state, size);
		for (int i = 0; i < STEPS_AFTER; i++) {
			other = seed;
			step(&a, &seed, &x);
			step(&b, &other, &y);
			WANT(!memcmp(&x, &y, sizeof(x)));
		}
	}
	printf("%d states, %u buffers out\n", NSAVES, out);
	ck_assert_uint_gt(out, NSAVES / 4);
}

START_TEST(reporter_goes_on)
{
	goes_on(0);
}
END_TEST

START_TEST(hinter_goes_on)
{
	goes_on(1);
}
END_TEST

/* --------------------------------------------------------------- refused -- */

static void expect_fresh(struct object *o, const struct answer *fresh)
{
	struct answer now = { 0 };

	note(o, &now);
	ck_assert_mem_eq(&now, fresh, sizeof(now));
}

/* Something of everything; kinds: reporters, and HOLD. */
static size_t make_state(uint64_t kind)
{
	static struct object o;
	struct answer a;
	uint64_t seed = 1;

	do {
		make(&o, kind, EPOCH);
		for (int i = 0; i < 100; i++)
			step(&o, &seed, &a);
		memset(&a, 0, sizeof(a));
		note(&o, &a);
	} while (o.nout < 3 || a.v[81] < 3 || a.v[83] < 2);
	return save_whole(&o);
}

static void refuses_damage(uint64_t kind)
{
	static struct object o;
	struct answer fresh = { 0 };
	size_t size = make_state(kind);

	make(&o, kind, EPOCH);
	note(&o, &fresh);
	for (size_t n = 0; n < size; n++)
		ck_assert_int_eq(load(&o, state, n), FPH_ECORRUPT);
	for (size_t bit = 0; bit < 8 * size; bit++) {
		state[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(load(&o, state, size), FPH_ECORRUPT);
		state[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	expect_fresh(&o, &fresh);
	ck_assert_int_eq(load(&o, NULL, size), FPH_EINVAL);
	ck_assert_int_eq(save(&o, state, size, NULL), FPH_EINVAL);
	ck_assert_int_eq(load(&o, state, size), FPH_OK);
	ck_assert_int_eq(load(&o, state, size), FPH_EBUSY);
}

START_TEST(damage_is_refused)
{
	refuses_damage(0);
	refuses_damage(1);
}
END_TEST

START_TEST(other_states_are_refused)
{
	static struct object o;
	size_t size = make_state(1), need;

	make(&o, 0, EPOCH);
	ck_assert_int_eq(load(&o, state, size), FPH_EREFUSED);
	/* Another mode, flags, byte order, place of commands, max_hints. */
	for (uint64_t kind = 3; kind < 512; kind = 2 * kind - 1) {
		make(&o, kind, EPOCH);
		ck_assert_int_eq(load(&o, state, size), FPH_EREFUSED);
	}
	make(&o, 1, EPOCH);
	fph_put16(state + 6, 2, FPH_LE);
	damage_sign(state, size);
	ck_assert_int_eq(load(&o, state, size), FPH_EVERSION);
	ck_assert_int_eq(fph_hinter_load(NULL, state, size), FPH_EUNINIT);
	ck_assert_int_eq(fph_hinter_save(NULL, state, size, &need),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_load(NULL, 0, state, size),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_reporter_save(NULL, 0, state, size, &need),
			 FPH_EUNINIT);
}
END_TEST

/* What it says of its pages is the guest's, and is not to be another. */
START_TEST(reporter_with_other_content)
{
	static struct object o;
	struct answer fresh = { 0 };
	size_t size = make_state(0);

	make(&o, 128, EPOCH);
	note(&o, &fresh);
	ck_assert_int_eq(load(&o, state, size), FPH_EREFUSED);
	expect_fresh(&o, &fresh);
	size = make_state(128);
	ck_assert_int_eq(load(&o, state, size), FPH_OK);
	make(&o, 0, EPOCH);
	ck_assert_int_eq(load(&o, state, size), FPH_EREFUSED);
}
END_TEST

/* A reporter whose three buffers are out, of which the last one failed. */
static size_t save_reporter(const struct fph_reporter_params *p)
{
	static uint64_t memory[FPH_REPORTER_SIZE(NRANGES, NBATCHES) / 8];
	static const struct fph_owned_range ranges[] = {
		{ PAGE, PAGE, 0 }, { 3 * PAGE, PAGE, 0 }, { 5 * PAGE, PAGE, 0 }
	};
	struct fph_used used = { 0 };
	struct fph_reporter *r;
	struct fph_buffer b[3];
	struct fph_seg segs[3];
	size_t size;

	ck_assert_int_eq(fph_reporter_init(&r, memory, sizeof(memory), p),
			 FPH_OK);
	ck_assert_int_eq(fph_reporter_add(r, 0, ranges, 3), 3);
	ck_assert_int_eq(fph_reporter_submit(r, 0, b, 3, segs, 3), 3);
	used.cookie = b[2].cookie;
	ck_assert_int_eq(fph_reporter_complete(r, 0, &used, 1, false), 1);
	ck_assert_int_eq(fph_reporter_save(r, 0, state, sizeof(state), &size),
			 FPH_OK);
	return size;
}

/* A good state is not damaged because it does not fit. */
START_TEST(reporter_with_other_limits)
{
	static const struct {
		uint32_t window, low_water, max_failures, max_ranges;
		int want;
	} rows[] = {		/* the state is of { 3, 1, 3, NRANGES } */
		{ 3, 1, 3, NRANGES, FPH_OK },
		{ 3, 1, 2, NRANGES, FPH_OK },
		{ 3, 1, 1, NRANGES, FPH_EREFUSED },	/* one has failed */
		{ 3, 2, 3, NRANGES, FPH_EREFUSED },	/* two are out */
		{ 2, 1, 3, NRANGES, FPH_EREFUSED },
		{ 4, 1, 3, NRANGES, FPH_EREFUSED },
		{ 8, 1, 3, NRANGES, FPH_EREFUSED },
		{ 3, 1, 3, 3, FPH_OK },		/* three ranges in all */
		{ 3, 1, 3, 2, FPH_EREFUSED },
	};
	static uint64_t memory[FPH_REPORTER_SIZE(NRANGES, 8) / 8];
	struct fph_reporter_params p = {
		.size = sizeof(p), .content = FPH_CONTENT_FREE,
		.features = FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING),
		.max_ranges = NRANGES, .window = 3, .low_water = 1,
		.max_segs = 1, .max_failures = 3
	};
	size_t size = save_reporter(&p);
	struct fph_reporter *r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p.window = rows[i].window;
		p.low_water = rows[i].low_water;
		p.max_failures = rows[i].max_failures;
		p.max_ranges = rows[i].max_ranges;
		ck_assert_int_eq(fph_reporter_init(&r, memory, sizeof(memory),
						   &p), FPH_OK);
		ck_assert_int_eq(fph_reporter_load(r, 0, state, size),
				 rows[i].want);
	}
}
END_TEST

/* What waits is in one place: its second run begins in the first, or behind. */
START_TEST(what_waits_does_not_overlap)
{
	static const struct fph_owned_range ranges[] = {
		{ 0x1000, 0x1000, 0 }, { 0x123000, 0x1000, 0 }
	};
	static struct object o, fresh;
	size_t size, at = 0;

	make(&o, 0, EPOCH);
	ck_assert_int_eq(fph_reporter_add(o.r, EPOCH, ranges, 2), 2);
	size = save_whole(&o);
	while (fph_get64(state + at, FPH_LE) != ranges[1].gpa)
		at++;
	for (uint64_t gpa = 0x0; gpa <= 0x2000; gpa += 0x800) {
		fph_put64(state + at, gpa, FPH_LE);
		damage_sign(state, size);
		make(&fresh, 0, EPOCH);
		ck_assert_int_eq(load(&fresh, state, size),
				 gpa == 0x0 || gpa == 0x2000 ? FPH_OK :
							       FPH_ECORRUPT);
	}
}
END_TEST

/* Everything that it holds comes out, and it is whole after a reset. */
static void drain(struct object *o)
{
	struct fph_returned back[NRANGES];
	struct answer a = { 0 };

	ck_assert_int_eq(o->h ? fph_hinter_reset(o->h) :
				fph_reporter_reset(o->r), FPH_OK);
	while ((o->h ? fph_hinter_take_back(o->h, back, NRANGES) :
		       fph_reporter_take_back(o->r, back, NRANGES)) > 0)
		;
	note(o, &a);
	for (int i = 80; i < 86; i++)
		ck_assert_uint_eq(a.v[i], 0);
}

/* Wrong values behind a good checksum: refused, or an object that works. */
static void survives(uint64_t kind)
{
	static struct object o;
	struct answer fresh = { 0 };
	uint64_t seed = 11, loaded = 0, refused = 0;
	size_t size = make_state(kind);

	make(&o, kind, EPOCH);
	note(&o, &fresh);
	for (int k = 0; k < 6000; k++) {
		damage_some(bad, state, size, &seed);
		if (load(&o, bad, size) != FPH_OK) {
			refused++;
			expect_fresh(&o, &fresh);
			continue;
		}
		loaded++;
		/* Nothing is known of what is out. */
		memset(o.held, true, sizeof(o.held));
		o.nout = 0;
		if (o.h)
			(void)fph_hinter_set_config(o.h, 1 + (uint32_t)k % 4);
		for (int i = 0; i < 3; i++) {
			struct fph_buffer b[2];
			struct fph_seg segs[NSEGS];

			ck_assert_int_ge(o.h ?
				fph_hinter_submit(o.h, NSEGS, b, 2, segs,
						  NSEGS) :
				fph_reporter_submit(o.r, EPOCH, b, 2, segs,
						    NSEGS), 0);
		}
		drain(&o);
		make(&o, kind, EPOCH);
	}
	printf("%u loaded, %u refused\n", (unsigned)loaded, (unsigned)refused);
	ck_assert_uint_gt(loaded, 300);
	ck_assert_uint_gt(refused, 500);
}

START_TEST(wrong_values_do_no_harm)
{
	survives(0);
	survives(1);
	survives(3);
}
END_TEST

/* What is cancelled in NEVER may have been seen again meanwhile. */
START_TEST(never_may_overlap)
{
	static struct object o, p;
	struct fph_owned_range range = { 0x8000, 0x4000, 1 };
	struct fph_buffer b;
	struct fph_seg segs[NSEGS];
	size_t size;

	make(&o, 5, EPOCH);
	ck_assert_int_eq(fph_hinter_set_config(o.h, 2), FPH_OK);
	for (int i = 0; i < 2; i++) {		/* START, and the hint */
		ck_assert_int_eq(fph_hinter_submit(o.h, NSEGS, &b, 1, segs,
						   NSEGS), 1);
		if (!i)
			ck_assert_int_eq(fph_hinter_add(o.h, 2, &range, 1), 1);
		ck_assert_int_eq(fph_hinter_flush(o.h), FPH_OK);
	}
	range.gpa = 0x9000;
	ck_assert_int_eq(fph_hinter_add(o.h, 2, &range, 1), 1);
	ck_assert_int_eq(fph_hinter_cancel(o.h, b.cookie), FPH_OK);
	size = save_whole(&o);
	make(&p, 5, EPOCH);
	ck_assert_int_eq(load(&p, state, size), FPH_OK);
	ck_assert_int_eq(fph_hinter_flush(p.h), FPH_OK);
	ck_assert_int_eq(fph_hinter_submit(p.h, NSEGS, &b, 1, segs, NSEGS),
			 1);
	ck_assert_uint_eq(b.nwrite, 2);
}
END_TEST

START_TEST(times_are_kept)
{
	static const uint64_t rows[][4] = {	/* when, now, then, when then */
		{ 5, 3, 10, 12 },
		{ 3, 5, 10, 8 },
		{ 3, 5, 1, 0 },
		{ 0, 0, 7, 7 },
		{ FPH_FOREVER, 9, 1, FPH_FOREVER },
		{ FPH_FOREVER - 1, 0, 0, (FPH_FOREVER >> 1) - 1 },
		{ 9, 0, FPH_FOREVER - 8, FPH_FOREVER },
		{ 8, 0, FPH_FOREVER - 8, FPH_FOREVER },
		{ 7, 0, FPH_FOREVER - 8, FPH_FOREVER - 1 },
		{ 0, FPH_FOREVER - 1, 5, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_uint_eq(fph_time_when(fph_time_left(rows[i][0],
							      rows[i][1]),
						rows[i][2]), rows[i][3]);
}
END_TEST

RUNNER_SUITE("state_guest",
	     reporter_goes_on,
	     hinter_goes_on,
	     damage_is_refused,
	     other_states_are_refused,
	     reporter_with_other_content,
	     reporter_with_other_limits,
	     what_waits_does_not_overlap,
	     wrong_values_do_no_harm,
	     never_may_overlap,
	     times_are_kept)
