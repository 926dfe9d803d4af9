/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of the whole device: a guest and a host do anything in any
 * order, the device is saved at a random step and loaded into a fresh one over
 * a copy of the guest's memory, and from there on both guests and both hosts
 * do the same and must see the same.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "damage.h"
#include "guest.h"
#include "runner.h"

#define NSAVES		1000
#define STEPS_AFTER	120
#define RING_SIZE	64u
#define MAX_RUNS	64u
#define COPIED		0x80000u	/* rings and payload of the guest */
#define FRAMES_AT	(GUEST_BUFFERS + 0x8000)
#define MAX_STATE	0x40000u

struct world {
	struct guest g;
	struct fph_reclaim *rc;
	struct fph_run runs[MAX_RUNS];
	uint32_t nruns;
	struct fph_run hints[MAX_RUNS];
	uint32_t nhints;
	bool resetting;
};

/* How the device of this round is made. */
struct kind {
	uint64_t negotiated;
	uint64_t inflate_granule;
	uint32_t flags;
	bool big;
};

/* What a step answered. */
struct answer {
	int64_t ret;
	uint64_t v[120];
};

static struct world one, two;
static struct kind kind;
static uint8_t state[MAX_STATE], bad[MAX_STATE];

static uint32_t below(uint64_t *seed, uint32_t n)
{
	return ring_random(seed) % n;
}

/* ---------------------------------------------------------------- worlds -- */

static void make(struct world *w)
{
	struct fph_reclaim_params p = { .size = sizeof(p) };

	/* Or calloc clears the same megabytes for each device. */
	mallopt(M_MMAP_THRESHOLD, 0x10000);
	guest_init(&w->g, RING_SIZE);
	p.memory = w->g.memory;
	w->rc = fph_reclaim_new(&p, NULL);
	ck_assert_ptr_nonnull(w->rc);
}

static void unmake(struct world *w)
{
	fph_reclaim_free(w->rc);
	guest_fini(&w->g);
}

/* A fresh device that nobody has set up. */
static void renew(struct world *w)
{
	struct fph_balloon_params p = {
		.size = sizeof(p), .memory = w->g.memory,
		.features = GUEST_FEATURES, .flags = kind.flags,
		.inflate_granule = kind.inflate_granule,
		.max_collected = GUEST_BYTES, .max_queue_size = RING_SIZE
	};

	fph_balloon_free(w->g.balloon);
	w->g.balloon = fph_balloon_new(&p, NULL);
	ck_assert_ptr_nonnull(w->g.balloon);
	w->nruns = 0;
	w->nhints = 0;
	w->resetting = false;
}

static void start_all(struct world *w)
{
	memset(w->g.low, 0, COPIED);
	memset(w->g.next, 0, sizeof(w->g.next));
	memset(w->g.used, 0, sizeof(w->g.used));
	w->g.big = kind.big;
	fph_balloon_set_endian(w->g.balloon, kind.big ? FPH_BE : FPH_LE);
	ck_assert_int_eq(fph_balloon_set_features(w->g.balloon,
						  kind.negotiated), FPH_OK);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		w->g.ring[i].avail_idx = 0;
		w->g.ring[i].big = kind.big;
		guest_start(&w->g, i, 0);
	}
}

static void choose_kind(uint64_t k)
{
	kind.big = k % 3 == 1;
	kind.negotiated = GUEST_FEATURES |
			  (kind.big ? 0 : GUEST_VERSION_1);
	if (k % 5 == 0)
		kind.negotiated &= ~FPH_BIT(VIRTIO_RING_F_EVENT_IDX);
	if (k % 7 == 0)
		kind.negotiated &= ~GUEST_BIT(PAGE_POISON);
	kind.flags = k % 4 == 0 ? FPH_BALLOON_HOLD_DEFLATE : 0;
	kind.inflate_granule = k % 2 ? 0x10000 : 0;
}

/* ------------------------------------------------------------ the driver -- */

static void offer(struct world *w, uint64_t *seed)
{
	uint32_t queue = below(seed, FPH_NQUEUES);
	uint32_t n = 1 + below(seed, 4), what = below(seed, 8);
	struct guest *g = &w->g;
	struct guest_seg segs[4];
	uint64_t gpa;

	/* No more than the ring holds: every buffer takes up to 4 entries. */
	if ((uint16_t)(g->ring[queue].avail_idx - g->used[queue]) > 12)
		return;
	switch (queue) {
	case FPH_QUEUE_INFLATE:
	case FPH_QUEUE_DEFLATE:
		guest_frames(g, queue, FRAMES_AT + 64u * g->next[queue],
			     GUEST_PAGES + (uint64_t)below(seed, 64) *
			     GUEST_PAGE, GUEST_PAGE, n * 4);
		break;
	case FPH_QUEUE_STATS:
		guest_offer_one(g, queue, GUEST_BUFFERS, 10 * n, 0);
		break;
	case FPH_QUEUE_HINT:
		if (what < 2) {
			guest_command(g, queue, what || below(seed, 3) ?
				fph_balloon_hint_get_config(g->balloon) : 0);
			break;
		}
		/* fall through */
	default:
		for (uint32_t i = 0; i < n; i++) {
			gpa = GUEST_PAGES + (uint64_t)below(seed, 256) *
			      GUEST_PAGE;
			segs[i] = (struct guest_seg){
				what == 7 && !i ? GUEST_OUTSIDE : gpa,
				GUEST_PAGE * (1 + below(seed, 3)), RING_WRITE
			};
		}
		guest_offer(g, queue, segs, n);
	}
	fph_balloon_kick(g->balloon, queue);
}

static void take_used(struct world *w, uint64_t *seed, struct answer *a)
{
	uint32_t ring = below(seed, FPH_NQUEUES);
	uint16_t head;

	while (a->ret < 100 && guest_take_used(&w->g, ring, &head))
		a->v[a->ret++] = head;
}

/* -------------------------------------------------------------- the host -- */

static int note_runs(struct fph_run *all, uint32_t *n,
		     const struct fph_run *runs, int got, struct answer *a)
{
	for (int i = 0; i < got; i++) {
		a->v[3 * i] = runs[i].gpa;
		a->v[3 * i + 1] = runs[i].len;
		a->v[3 * i + 2] = runs[i].queue;
		all[(*n)++] = runs[i];
	}
	return got;
}

static void next(struct world *w, uint64_t *seed, struct answer *a)
{
	uint32_t n = 1 + below(seed, 4);
	struct fph_run runs[4];

	if (w->nruns + n <= MAX_RUNS)
		a->ret = note_runs(w->runs, &w->nruns, runs,
				   fph_balloon_next(w->g.balloon, runs, n), a);
	if (w->nhints + n <= MAX_RUNS)
		a->v[100] = (uint64_t)note_runs(w->hints, &w->nhints, runs,
			fph_balloon_hint_next(w->g.balloon, runs, n), a);
}

static void complete(struct world *w, uint64_t *seed, struct answer *a)
{
	uint32_t i = below(seed, MAX_RUNS), bad_one = below(seed, 4);
	struct fph_run *run;

	if (w->nruns) {
		run = &w->runs[i % w->nruns];
		run->outcome = bad_one ? FPH_OUTCOME_DISCARDED :
					 FPH_OUTCOME_FAILED;
		run->freed = bad_one ? run->len : 0;
		a->v[0] = (uint64_t)fph_balloon_complete(w->g.balloon, run, 1);
		*run = w->runs[--w->nruns];
	}
	if (w->nhints) {
		run = &w->hints[i % w->nhints];
		run->outcome = FPH_OUTCOME_CLEARED;
		run->freed = run->len;
		a->v[1] = (uint64_t)fph_balloon_hint_complete(w->g.balloon,
							      run, 1);
		*run = w->hints[--w->nhints];
	}
}

static void pump(struct world *w, uint64_t *seed, struct answer *a)
{
	struct fph_budget budget = {
		.bytes = (1 + below(seed, 4)) * GUEST_PAGE,
		.buffers = 1 + below(seed, 4)
	};

	a->ret = fph_balloon_pump(w->g.balloon, w->rc, &budget);
}

static void hint(struct world *w, uint64_t *seed, struct answer *a)
{
	struct fph_balloon *b = w->g.balloon;
	uint32_t id = 0;

	switch (below(seed, 20)) {
	case 0:
		a->ret = fph_balloon_hint_stop(b);
		break;
	case 1:
		a->ret = fph_balloon_hint_done(b);
		break;
	case 2:
		a->ret = fph_balloon_hint_sync_begin(b);
		break;
	case 3:
	case 4:
		a->ret = fph_balloon_hint_sync_end(b);
		break;
	case 5:
	case 6:
		a->v[1] = (uint64_t)fph_balloon_hint_sync_begin(b);
		a->v[2] = (uint64_t)fph_balloon_hint_sync_end(b);
		/* fall through */
	default:
		a->ret = fph_balloon_hint_request(b, &id);
		a->v[0] = id;
	}
}

static void config(struct world *w, uint64_t *seed, struct answer *a)
{
	uint32_t what = below(seed, 3), value = below(seed, 1000);
	uint8_t bytes[4] = { (uint8_t)value, 0, 0, 0 };

	if (what == 0)
		fph_balloon_set_target(w->g.balloon, value);
	else if (what == 1)
		fph_balloon_set_config(w->g.balloon, FPH_CONFIG_ACTUAL, bytes,
				       4);
	else if (value < 100)
		fph_balloon_set_config(w->g.balloon, FPH_CONFIG_POISON_VAL,
				       bytes, value < 90 ? 0 : 4);
	fph_balloon_get_config(w->g.balloon, 0, a->v, FPH_CONFIG_SIZE);
}

static void restart(struct world *w, uint64_t *seed, struct answer *a)
{
	uint32_t i = below(seed, FPH_NQUEUES), base = 0;

	a->ret = fph_balloon_ring_stop(w->g.balloon, i, &base);
	if (a->ret == FPH_ESTATE)
		return;
	a->v[0] = base;
	if (a->ret == FPH_OK)
		guest_start(&w->g, i, (uint16_t)base);
}

static void reset(struct world *w, struct answer *a)
{
	a->ret = fph_balloon_reset(w->g.balloon);
	w->resetting = a->ret == FPH_EINPROGRESS;
	if (a->ret == FPH_OK)
		start_all(w);
}

static void look(struct world *w, struct answer *a)
{
	struct fph_balloon_counters n = guest_counters(&w->g);

	a->v[0] = fph_balloon_get_ready(w->g.balloon);
	a->v[1] = fph_balloon_take_notify(w->g.balloon);
	a->v[2] = fph_balloon_take_events(w->g.balloon);
	a->v[3] = fph_balloon_get_outstanding(w->g.balloon);
	a->v[4] = (uint64_t)fph_balloon_hint_get_state(w->g.balloon);
	a->v[5] = fph_balloon_is_broken(w->g.balloon);
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		uint32_t base = 0;

		a->v[6 + i] = (uint64_t)fph_balloon_ring_get_base(
			w->g.balloon, i, &base) << 32 ^ base;
	}
	ck_assert_uint_le(sizeof(n), 8 * 100);
	memcpy(a->v + 12, &n, sizeof(n));
}

static void freeze(struct world *w, uint64_t *seed, struct answer *a)
{
	int mode = (int)below(seed, 9);

	a->ret = mode > FPH_FREEZE_SKIP ? fph_balloon_thaw(w->g.balloon) :
		 mode ? fph_balloon_freeze_as(w->g.balloon, mode) :
			fph_balloon_freeze(w->g.balloon);
}

static void step(struct world *w, uint64_t *seed, struct answer *a)
{
	uint32_t what = below(seed, 100), n = 1 + below(seed, 8);
	uint32_t ring = below(seed, FPH_NQUEUES);

	memset(a, 0, sizeof(*a));
	if (what < 35)
		offer(w, seed);
	else if (what < 50)
		a->ret = fph_balloon_process(w->g.balloon, ring, n);
	else if (what < 58)
		next(w, seed, a);
	else if (what < 66)
		complete(w, seed, a);
	else if (what < 70)
		pump(w, seed, a);
	else if (what < 75)
		a->ret = fph_balloon_flush(w->g.balloon);
	else if (what < 79)
		take_used(w, seed, a);
	else if (what < 84)
		hint(w, seed, a);
	else if (what < 87)
		config(w, seed, a);
	else if (what < 89)
		a->ret = fph_balloon_stats_request(w->g.balloon);
	else if (what < 90)
		restart(w, seed, a);
	else if (what < 94)
		freeze(w, seed, a);
	else if (what < 95 && n == 1)
		reset(w, a);
	else
		look(w, a);
}

/* ------------------------------------------------------------------ same -- */

static void get_rings(const struct world *w, struct fph_balloon_ring *rings)
{
	memset(rings, 0, FPH_NQUEUES * sizeof(*rings));
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		rings[i].size = sizeof(*rings);
		rings[i].num = w->g.ring[i].num;
		rings[i].desc = w->g.ring[i].desc;
		rings[i].driver = w->g.ring[i].avail;
		rings[i].device = w->g.ring[i].used;
	}
}

/* The guest's memory and what its driver knows. */
static void copy_guest(struct world *to, const struct world *from)
{
	memcpy(to->g.low, from->g.low, COPIED);
	memcpy(to->g.next, from->g.next, sizeof(to->g.next));
	memcpy(to->g.used, from->g.used, sizeof(to->g.used));
	to->g.big = from->g.big;
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		to->g.ring[i].avail_idx = from->g.ring[i].avail_idx;
		to->g.ring[i].big = from->g.ring[i].big;
	}
}

static size_t save(const struct world *w)
{
	size_t need, wrote;

	ck_assert_int_eq(fph_balloon_save(w->g.balloon, NULL, 0, &need),
			 FPH_EFULL);
	ck_assert_uint_le(need, sizeof(state));
	ck_assert_int_eq(fph_balloon_save(w->g.balloon, state, need - 1,
					  &wrote), FPH_EFULL);
	ck_assert_int_eq(fph_balloon_save(w->g.balloon, state, need, &wrote),
			 FPH_OK);
	ck_assert_uint_eq(need, wrote);
	return need;
}

static void copy(struct world *to, const struct world *from)
{
	struct fph_balloon_ring rings[FPH_NQUEUES];
	size_t size = save(from);

	renew(to);
	copy_guest(to, from);
	get_rings(to, rings);
	ck_assert_int_eq(fph_balloon_load(to->g.balloon, state, size, 0,
					  rings), FPH_OK);
	memcpy(to->runs, from->runs, sizeof(to->runs));
	memcpy(to->hints, from->hints, sizeof(to->hints));
	to->nruns = from->nruns;
	to->nhints = from->nhints;
}

static void run(struct world *w, uint64_t *seed, uint32_t n)
{
	struct answer a;

	renew(w);
	start_all(w);
	while (n--)
		step(w, seed, &a);
}

static void compare(struct world *a, struct world *b, uint64_t seed)
{
	struct answer x, y;

	for (int i = 0; i < STEPS_AFTER; i++) {
		uint64_t other = seed;

		step(a, &seed, &x);
		step(b, &other, &y);
		WANT(x.ret == y.ret);
		WANT(!memcmp(&x, &y, sizeof(x)));
	}
	memset(&x, 0, sizeof(x));
	memset(&y, 0, sizeof(y));
	look(a, &x);
	look(b, &y);
	WANT(!memcmp(&x, &y, sizeof(x)));
	WANT(a->nruns == b->nruns && a->nhints == b->nhints);
}

START_TEST(goes_on)
{
	uint32_t out = 0, hints = 0, inflight = 0;

	make(&one);
	make(&two);
	for (uint64_t k = 0; k < NSAVES; k++) {
		uint64_t seed = k * 0x9e3779b97f4a7c15 + 1;

		choose_kind(k);
		run(&one, &seed, below(&seed, 300));
		out += fph_balloon_get_outstanding(one.g.balloon);
		hints += one.nhints;
		for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
			struct fph_balloon_counters n = guest_counters(&one.g);

			inflight += (uint32_t)(n.queue[i].popped -
					       n.queue[i].pushed);
		}
		copy(&two, &one);
		compare(&one, &two, seed);
	}
	printf("%u states, %u runs out, %u of hints, %u buffers\n", NSAVES,
	       out, hints, inflight);
	ck_assert_uint_gt(out, 1000);
	ck_assert_uint_gt(hints, 20);
	ck_assert_uint_gt(inflight, 1000);
	unmake(&one);
	unmake(&two);
}
END_TEST

/* ------------------------------------------------------------- elsewhere -- */

/* On another host everything that was in flight comes back. */
START_TEST(moves)
{
	struct fph_balloon_ring rings[FPH_NQUEUES];
	uint32_t base;

	make(&one);
	make(&two);
	for (uint64_t k = 0; k < 200; k++) {
		uint64_t seed = k * 0x9e3779b97f4a7c15 + 5;
		struct fph_balloon *b;
		size_t size;
		uint32_t id;

		choose_kind(k);
		run(&one, &seed, below(&seed, 300));
		size = save(&one);
		renew(&two);
		copy_guest(&two, &one);
		get_rings(&two, rings);
		b = two.g.balloon;
		ck_assert_int_eq(fph_balloon_load(b, state, size,
						  FPH_LOAD_MOVED, rings),
				 FPH_OK);
		ck_assert_uint_eq(fph_balloon_get_outstanding(b), 0);
		/* What was taken is given back without a discard (L6). */
		if (!(kind.flags & FPH_BALLOON_HOLD_DEFLATE))
			WANT(fph_balloon_next(b, two.runs, 1) == 0);
		ck_assert_uint_ne(fph_balloon_take_events(b) &
				  FPH_EVENT_CONFIG, 0);
		ck_assert_int_lt(fph_balloon_hint_request(b, &id), 0);
		/* Nothing is left that a reset would have to wait for. */
		if (one.resetting)
			ck_assert_int_eq(fph_balloon_reset(b), FPH_OK);
		fph_balloon_freeze(b);
		while (fph_balloon_next(b, two.runs, 1) == 1) {
			two.runs[0].outcome = FPH_OUTCOME_SKIPPED;
			fph_balloon_complete(b, two.runs, 1);
		}
		ck_assert_int_eq(fph_balloon_freeze(b), FPH_OK);
		for (uint32_t i = 0; i < FPH_NQUEUES; i++)
			WANT(fph_balloon_ring_stop(b, i, &base) !=
			     FPH_EINPROGRESS);
	}
	unmake(&one);
	unmake(&two);
}
END_TEST

/* --------------------------------------------------------------- refused -- */

/* A device in the midst of things. */
static size_t make_state(void)
{
	uint64_t seed = 9;

	choose_kind(3);
	do {
		run(&one, &seed, 200);
	} while (!one.nruns || !one.nhints);
	return save(&one);
}

static int load(const void *buf, size_t size, uint32_t flags)
{
	struct fph_balloon_ring rings[FPH_NQUEUES];

	get_rings(&two, rings);
	return fph_balloon_load(two.g.balloon, buf, size, flags, rings);
}

START_TEST(damage_is_refused)
{
	struct answer before = { 0 }, after = { 0 };
	struct fph_balloon_ring rings[FPH_NQUEUES];
	struct fph_balloon *b;
	size_t size;

	make(&one);
	make(&two);
	size = make_state();
	renew(&two);
	copy_guest(&two, &one);
	b = two.g.balloon;
	look(&two, &before);
	for (size_t n = 0; n < size; n++)
		ck_assert_int_eq(load(state, n, 0), FPH_ECORRUPT);
	for (size_t i = 0; i < size; i++) {
		state[i] ^= (uint8_t)(1 << i % 8);
		ck_assert_int_eq(load(state, size, 0), FPH_ECORRUPT);
		state[i] ^= (uint8_t)(1 << i % 8);
	}
	get_rings(&two, rings);
	ck_assert_int_eq(fph_balloon_load(NULL, state, size, 0, rings),
			 FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_load(b, NULL, size, 0, rings),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_load(b, state, size, 2, rings),
			 FPH_EINVAL);
	ck_assert_int_eq(fph_balloon_load(b, state, size, 0, NULL),
			 FPH_EINVAL);
	rings[4].desc = NULL;
	ck_assert_int_eq(fph_balloon_load(b, state, size, 0, rings),
			 FPH_EINVAL);
	rings[4].desc = rings[3].desc;
	rings[4].num = RING_SIZE / 2;
	ck_assert_int_eq(fph_balloon_load(b, state, size, 0, rings),
			 FPH_EREFUSED);
	look(&two, &after);
	ck_assert_mem_eq(&before, &after, sizeof(before));
	ck_assert_int_eq(load(state, size, 0), FPH_OK);
	ck_assert_int_eq(load(state, size, 0), FPH_ESTATE);
	ck_assert_int_eq(fph_balloon_save(NULL, NULL, 0, &size), FPH_EUNINIT);
	ck_assert_int_eq(fph_balloon_save(b, NULL, 0, NULL), FPH_EINVAL);
	unmake(&one);
	unmake(&two);
}
END_TEST

/* The checksums of parts too, where there is one: they begin with the magic. */
static void sign_all(uint8_t *p, size_t size)
{
	for (size_t i = 1; i + FPH_STATE_HEADER <= size; i++) {
		uint64_t n = fph_get64(p + i + 8, FPH_LE);

		if (fph_get32(p + i, FPH_LE) == FPH_STATE_MAGIC &&
		    n >= FPH_STATE_HEADER && n <= size - i)
			damage_sign(p + i, (size_t)n);
	}
	damage_sign(p, size);
}

/* Wrong values behind good checksums: refused, or a device that works. */
START_TEST(wrong_values_do_no_harm)
{
	uint32_t loaded = 0, refused = 0;
	uint64_t seed = 11;
	struct answer a;
	size_t size;

	make(&one);
	make(&two);
	size = make_state();
	renew(&two);
	copy_guest(&two, &one);
	for (int k = 0; k < 4000; k++) {
		uint32_t n = 1 + below(&seed, 3);

		memcpy(bad, state, size);
		while (n--)
			bad[FPH_STATE_HEADER + below(&seed, (uint32_t)size -
						     FPH_STATE_HEADER)] =
				(uint8_t)below(&seed, below(&seed, 2) ? 8 :
								       256);
		sign_all(bad, size);
		if (load(bad, size, below(&seed, 2)) != FPH_OK) {
			refused++;
			continue;
		}
		loaded++;
		for (int i = 0; i < 20; i++)
			step(&two, &seed, &a);
		renew(&two);
		copy_guest(&two, &one);
	}
	printf("%u loaded, %u refused\n", loaded, refused);
	ck_assert_uint_gt(loaded, 500);
	ck_assert_uint_gt(refused, 500);
	unmake(&one);
	unmake(&two);
}
END_TEST

RUNNER_SUITE("balloon_state",
	     goes_on,
	     moves,
	     damage_is_refused,
	     wrong_values_do_no_harm)
