/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A saved device and one that was made with other parameters: it is refused
 * where it would go wrong, and goes on where each has its own.
 */
#include "balloon_fixture.h"
#include "damage.h"
#include "runner.h"

#define INFLATE		0u
#define REPORT		3u		/* dense: STATS_VQ is not negotiated */
#define RING_SIZE	64u
#define HOST_PAGE	0x10000u
#define PER_PAGE	(HOST_PAGE / GUEST_PAGE)
#define NEGOTIATED	((GUEST_FEATURES | GUEST_VERSION_1) & \
			 ~(GUEST_BIT(STATS_VQ) | GUEST_BIT(PAGE_POISON)))

static struct guest g;
static uint8_t state[65536];
static size_t size;

/* What the saved device was made with. */
static struct fph_balloon_params get_params(void)
{
	struct fph_balloon_params p = {
		.size = sizeof(p), .memory = g.memory,
		.features = GUEST_FEATURES,
		.numbering = FPH_NUMBERING_NEGOTIATED,
		.inflate_granule = HOST_PAGE, .max_collected = GUEST_BYTES,
		.num_pages = 5, .max_queue_size = RING_SIZE
	};

	return p;
}

static struct fph_balloon *make(const struct fph_balloon_params *p)
{
	struct fph_balloon *b = fph_balloon_new(p, NULL);

	ck_assert_ptr_nonnull(b);
	return b;
}

static void boot(const struct fph_balloon_params *p)
{
	g.balloon = make(p);
	guest_negotiate(&g, NEGOTIATED, false, 0xf);
}

/* A report waits; so does a granule whose first pages came back before. */
static void fill(void)
{
	guest_offer_one(&g, REPORT, GUEST_GOOD + GUEST_PAGE, 2 * HOST_PAGE,
			RING_WRITE);
	ck_assert_int_eq(fph_balloon_process(g.balloon, REPORT, 1), 1);
	guest_frames(&g, INFLATE, GUEST_BUFFERS, GUEST_PAGES, GUEST_PAGE,
		     PER_PAGE - 1);
	ck_assert_int_eq(fph_balloon_process(g.balloon, INFLATE, 1), 1);
	ck_assert_uint_eq(fph_balloon_flush(g.balloon), 1);
	guest_frames(&g, INFLATE, GUEST_BUFFERS + 256,
		     GUEST_PAGES + HOST_PAGE - GUEST_PAGE, GUEST_PAGE, 1);
	ck_assert_int_eq(fph_balloon_process(g.balloon, INFLATE, 1), 1);
	ck_assert_uint_eq(guest_counters(&g).collected, 0);
}

static void save(void)
{
	ck_assert_int_eq(fph_balloon_save(g.balloon, state, sizeof(state),
					  &size), FPH_OK);
}

static int load(struct fph_balloon *b, uint32_t flags)
{
	struct fph_balloon_ring rings[FPH_NQUEUES] = { { .size = 0 } };

	for (uint32_t i = 0; i <= REPORT; i++)
		rings[i] = (struct fph_balloon_ring){
			.size = sizeof(rings[i]), .num = g.ring[i].num,
			.desc = g.ring[i].desc, .driver = g.ring[i].avail,
			.device = g.ring[i].used
		};
	return fph_balloon_load(b, state, size, flags, rings);
}

static int load_into(const struct fph_balloon_params *p, uint32_t flags)
{
	struct fph_balloon *b = make(p);
	int ret = load(b, flags);

	fph_balloon_free(b);
	return ret;
}

static void set_up(void)
{
	struct fph_balloon_params p;

	guest_init(&g, RING_SIZE);
	p = get_params();
	boot(&p);
	fill();
	save();
	ck_assert_int_eq(load_into(&p, 0), FPH_OK);
}

/* Its reports would be taken for hints, and its hints for statistics. */
START_TEST(another_numbering)
{
	static const uint32_t others[] = {
		0, FPH_NUMBERING_FIXED, FPH_NUMBERING_OFFERED
	};
	struct fph_balloon_params p;
	struct fph_balloon *b;

	set_up();
	for (size_t i = 0; i < 3; i++) {
		p = get_params();
		p.numbering = others[i];
		ck_assert_int_eq(load_into(&p, 0), FPH_EREFUSED);
		ck_assert_int_eq(load_into(&p, FPH_LOAD_MOVED), FPH_EREFUSED);
	}
	b = make(&p);
	ck_assert_int_eq(load(b, 0), FPH_EREFUSED);
	ck_assert_uint_eq(fph_balloon_get_negotiated(b), 0);
	fph_balloon_free(b);
	fph_balloon_free(g.balloon);
	/* The other way round. */
	p = get_params();
	p.numbering = FPH_NUMBERING_FIXED;
	boot(&p);
	save();
	ck_assert_int_eq(load_into(&p, 0), FPH_OK);
	p.numbering = FPH_NUMBERING_NEGOTIATED;
	ck_assert_int_eq(load_into(&p, 0), FPH_EREFUSED);
	guest_fini(&g);
}
END_TEST

/* Also when no ring runs yet: the driver has seen it. */
START_TEST(another_numbering_without_rings)
{
	struct fph_balloon_params p;

	guest_init(&g, RING_SIZE);
	p = get_params();
	g.balloon = make(&p);
	save();
	p.numbering = FPH_NUMBERING_FIXED;
	ck_assert_int_eq(load_into(&p, FPH_LOAD_MOVED), FPH_EREFUSED);
	guest_fini(&g);
}
END_TEST

/* Where the state says of each ring what it is for. */
static uint8_t *find_use(uint32_t index)
{
	uint8_t *p = state + FPH_STATE_HEADER;
	uint32_t nth = 0;

	for (; p < state + size; p++) {
		if (fph_get32(p, FPH_LE) != FPH_STATE_MAGIC ||
		    fph_get16(p + 4, FPH_LE) != FPH_STATE_VQ_DEVICE)
			continue;
		if (nth++ == index)
			return p - 4;
	}
	ck_abort_msg("the ring is not in the state");
	return NULL;
}

START_TEST(ring_of_another_use)
{
	static const uint32_t uses[] = { 0, 1, 3, 4 };
	struct fph_balloon_params p;

	set_up();
	p = get_params();
	for (uint32_t i = 0; i < 4; i++) {
		uint8_t *use = find_use(i);

		ck_assert_uint_eq(fph_get32(use, FPH_LE), uses[i]);
		for (uint32_t v = 0; v <= FPH_NQUEUES + 1; v++) {
			fph_put32(use, v, FPH_LE);
			damage_sign(state, size);
			ck_assert_int_eq(load_into(&p, 0),
					 v == uses[i] ? FPH_OK :
					 v > FPH_NQUEUES ? FPH_ECORRUPT :
					 FPH_EREFUSED);
		}
		fph_put32(use, uses[i], FPH_LE);
	}
	guest_fini(&g);
}
END_TEST

/* The discard of a granule waits, and its pages must not be deflated. */
START_TEST(another_inflate_granule)
{
	struct fph_balloon_params p;
	struct fph_balloon *b;

	set_up();
	p = get_params();
	p.inflate_granule = 0;
	ck_assert_int_eq(load_into(&p, 0), FPH_EREFUSED);
	p.inflate_granule = 2 * HOST_PAGE;
	ck_assert_int_eq(load_into(&p, 0), FPH_EREFUSED);
	/* As it was set last. */
	p.inflate_granule = 0;
	b = make(&p);
	ck_assert_int_eq(fph_balloon_set_inflate_granule(b, HOST_PAGE),
			 FPH_OK);
	ck_assert_int_eq(load(b, 0), FPH_OK);
	fph_balloon_free(b);
	/* Elsewhere the memory may be of another kind, and nothing waits. */
	for (p.inflate_granule = GUEST_PAGE;
	     p.inflate_granule <= 2 * HOST_PAGE; p.inflate_granule *= 2)
		ck_assert_int_eq(load_into(&p, FPH_LOAD_MOVED), FPH_OK);
	guest_fini(&g);
}
END_TEST

START_TEST(other_features_or_flag)
{
	struct fph_balloon_params p;

	set_up();
	p = get_params();
	p.features &= ~GUEST_BIT(PAGE_POISON);
	ck_assert_int_eq(load_into(&p, 0), FPH_EREFUSED);
	p = get_params();
	p.flags = FPH_BALLOON_HOLD_DEFLATE;
	ck_assert_int_eq(load_into(&p, 0), FPH_EREFUSED);
	fph_balloon_free(g.balloon);
	boot(&p);
	save();
	ck_assert_int_eq(load_into(&p, 0), FPH_OK);
	p.flags = 0;
	ck_assert_int_eq(load_into(&p, 0), FPH_EREFUSED);
	guest_fini(&g);
}
END_TEST

START_TEST(ring_larger_than_is_taken)
{
	struct fph_balloon_params p;

	set_up();
	p = get_params();
	p.max_queue_size = RING_SIZE / 2;
	ck_assert_int_eq(load_into(&p, 0), FPH_EREFUSED);
	p.max_queue_size = 2 * RING_SIZE;
	ck_assert_int_eq(load_into(&p, 0), FPH_OK);
	guest_fini(&g);
}
END_TEST

/* What each device has for itself; the target is a part of the state. */
START_TEST(other_parameters_may_differ)
{
	struct fph_balloon_params p;
	struct fph_run run;

	set_up();
	fph_balloon_free(g.balloon);
	p = get_params();
	p.flags = FPH_BALLOON_KEEP_GOOD_PART;
	p.report_granule = HOST_PAGE;
	p.hint_granule = HOST_PAGE;
	p.max_collected = GUEST_BYTES / 2;
	p.first_id = 77;
	p.num_pages = 6;
	g.balloon = make(&p);
	ck_assert_int_eq(load(g.balloon, 0), FPH_OK);
	ck_assert_uint_eq(fph_balloon_get_target(g.balloon), 5);
	/* Runs are aligned to the granules here. */
	ck_assert_int_eq(fph_balloon_next(g.balloon, &run, 1), 1);
	ck_assert_int_eq(run.queue, FPH_QUEUE_REPORT);
	ck_assert_uint_eq(run.gpa, GUEST_GOOD + HOST_PAGE);
	ck_assert_uint_eq(run.len, HOST_PAGE);
	ck_assert_int_eq(complete_run(g.balloon, &run, true), FPH_OK);
	guest_settle(&g, REPORT);
	ck_assert_uint_eq(guest_count_used(&g, REPORT), 1);
	ck_assert_uint_eq(guest_count_used(&g, INFLATE), 2);
	ck_assert_uint_eq(guest_counters(&g).inflate.bytes_freed, HOST_PAGE);
	guest_fini(&g);
}
END_TEST

/* Behind a good checksum too: the greatest value, and the one behind it. */
START_TEST(values_have_bounds)
{
	static const struct {
		uint32_t at, most;
	} rows[] = {		/* at: behind the parameters */
		{ 28, FPH_FREEZE_SKIP },
		{ 32, 1 },			/* flags; 2 is broken */
		{ 40, 2 * FPH_EVENT_DRAINED - 1 },
		{ 44, (4u << FPH_NQUEUES) - 1 },	/* who waits: a bit */
		{ 48, (1u << FPH_NQUEUES) - 1 },	/* a bit a ring */
	};
	struct fph_balloon_params p;

	set_up();
	p = get_params();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t *at = state + FPH_STATE_HEADER + 24 + rows[i].at;
		uint32_t was = fph_get32(at, FPH_LE);

		for (uint32_t over = 0; over < 2; over++) {
			fph_put32(at, rows[i].most + over, FPH_LE);
			damage_sign(state, size);
			ck_assert_int_eq(load_into(&p, 0),
					 over ? FPH_ECORRUPT : FPH_OK);
		}
		fph_put32(at, was, FPH_LE);
	}
	guest_fini(&g);
}
END_TEST

RUNNER_SUITE("balloon_load",
	     another_numbering,
	     another_numbering_without_rings,
	     ring_of_another_use,
	     another_inflate_granule,
	     other_features_or_flag,
	     ring_larger_than_is_taken,
	     other_parameters_may_differ,
	     values_have_bounds)
