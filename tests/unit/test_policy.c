/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The policy that keeps a guest between a floor and a ceiling: its rules one by
 * one, values at random, and guests on a host that has less memory than they
 * would like, simulated tick by tick.  And what is told of a balloon.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "vhost-user-balloon/policy.h"
#include "vhost-user-balloon/progress.h"

#define MIB	(UINT64_C(1) << 20)
#define LOW	100u
#define HIGH	1000u

static const struct policy policy = {
	.floor = 256 * MIB,
	.ceiling = 1024 * MIB,
	.reserve = 64 * MIB,
	.step = 64 * MIB,
	.calm = 12,
	.low = LOW,
	.high = HIGH
};

/* A guest of 2 GiB with a size, and so much of it used. */
static struct policy_input guest(uint64_t size, uint64_t used,
				 uint32_t pressure)
{
	struct policy_input in = {
		.memory = 2048 * MIB,
		.actual = 2048 * MIB - size,
		.wanted = size,
		.has_stats = true,
		.available = size - used,
		.has_pressure = true,
		.pressure = pressure,
		.calm = 12
	};

	return in;
}

static void check_result(struct policy_input in, uint64_t size, int reason)
{
	struct policy_result r = policy_decide(&policy, &in);

	ck_assert_uint_eq(r.size / MIB, size);
	ck_assert_uint_eq(r.size % MIB, 0);
	ck_assert_str_eq(policy_get_reason_name(r.reason),
			 policy_get_reason_name(reason));
}

/* ------------------------------------------------------------------- rules */

START_TEST(pressure_decides)
{
	struct policy_input in;

	check_result(guest(512 * MIB, 160 * MIB, 0), 528, POLICY_GROW);
	check_result(guest(512 * MIB, 160 * MIB, LOW - 1), 528, POLICY_GROW);
	check_result(guest(512 * MIB, 160 * MIB, LOW), 512, POLICY_KEEP);
	check_result(guest(512 * MIB, 160 * MIB, HIGH - 1), 512, POLICY_KEEP);
	check_result(guest(512 * MIB, 160 * MIB, HIGH), 448, POLICY_SHRINK);
	check_result(guest(512 * MIB, 160 * MIB, 10000), 448, POLICY_SHRINK);
	/* Not at ease for long enough. */
	in = guest(512 * MIB, 160 * MIB, 0);
	in.calm = 11;
	check_result(in, 512, POLICY_KEEP);
}
END_TEST

START_TEST(bounds_hold)
{
	/* One step is less than what is left. */
	check_result(guest(1010 * MIB, 160 * MIB, 0), 1024, POLICY_GROW);
	check_result(guest(1024 * MIB, 160 * MIB, 0), 1024, POLICY_KEEP);
	check_result(guest(300 * MIB, 100 * MIB, HIGH), 256, POLICY_SHRINK);
	check_result(guest(256 * MIB, 100 * MIB, HIGH), 256, POLICY_KEEP);
	/* It was outside of them. */
	check_result(guest(2048 * MIB, 160 * MIB, LOW), 1024, POLICY_KEEP);
	check_result(guest(128 * MIB, 32 * MIB, LOW), 256, POLICY_KEEP);
}
END_TEST

START_TEST(need_comes_before_pressure)
{
	/* 64 MiB must be left, an eighth of what is used if that is more. */
	check_result(guest(512 * MIB, 448 * MIB, HIGH), 512, POLICY_KEEP);
	check_result(guest(512 * MIB, 464 * MIB, HIGH), 528, POLICY_NEED);
	check_result(guest(960 * MIB, 880 * MIB, 10000), 990, POLICY_NEED);
	check_result(guest(512 * MIB, 440 * MIB, HIGH), 504, POLICY_SHRINK);
	check_result(guest(1024 * MIB, 1020 * MIB, 0), 1024, POLICY_KEEP);
}
END_TEST

START_TEST(what_is_not_known)
{
	struct policy_input in = guest(512 * MIB, 160 * MIB, 10000);

	in.has_stats = false;
	check_result(in, 512, POLICY_NO_STATS);
	in.wanted = 0;
	check_result(in, 512, POLICY_NO_STATS);
	in = guest(512 * MIB, 160 * MIB, 10000);
	in.has_pressure = false;
	check_result(in, 512, POLICY_KEEP);
	in.available = 0;
	check_result(in, 576, POLICY_NEED);
	/* A guest that is smaller than the floor has what it has. */
	in = guest(512 * MIB, 160 * MIB, HIGH);
	in.memory = 128 * MIB;
	in.actual = 0;
	check_result(in, 128, POLICY_KEEP);
}
END_TEST

static uint64_t any(unsigned int *seed)
{
	uint64_t v = 0;
	int i;

	for (i = 0; i < 5; i++)
		v = v << 15 ^ (uint64_t)rand_r(seed);
	return v >> rand_r(seed) % 64;
}

/* A guest says what it likes: the size stays within its bounds. */
START_TEST(any_values)
{
	unsigned int seed = 7;
	int i;

	for (i = 0; i < 200000; i++) {
		struct policy p = {
			.floor = any(&seed), .ceiling = any(&seed),
			.reserve = any(&seed), .step = any(&seed),
			.low = LOW, .high = HIGH
		};
		struct policy_input in = {
			.memory = any(&seed), .actual = any(&seed),
			.wanted = any(&seed), .has_stats = i % 8,
			.available = any(&seed), .has_pressure = i % 7,
			.pressure = (uint32_t)any(&seed)
		};
		uint64_t size = policy_decide(&p, &in).size;
		uint64_t top = p.ceiling && p.ceiling < in.memory ?
			       p.ceiling : in.memory;

		ck_assert_uint_le(size, top);
		ck_assert_uint_ge(size, p.floor < top ? p.floor : top);
	}
}
END_TEST

/* -------------------------------------------------------------- simulation */

#define GUESTS		6
#define HOST		(3072 * MIB)	/* for guests; they could take 6 GiB */

struct sim_guest {
	uint64_t wanted;
	uint64_t size;			/* as the balloon is now */
	uint64_t used;			/* its working set */
	uint64_t cache;			/* of files: fills what is free */
	int short_ticks;		/* in a row with less than it uses */
	int turns;			/* from growing to shrinking or back */
	int last;			/* -1, 1: which of them it did last */
};

struct sim {
	struct sim_guest guest[GUESTS];
	uint64_t host;			/* bytes for guests */
	uint32_t pressure;		/* avg10 */
	uint32_t calm;
};

static uint64_t get_resident(const struct sim *s)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < GUESTS; i++)
		sum += s->guest[i].used + s->guest[i].cache;
	return sum;
}

/* The balloon follows, 128 MiB a tick, and takes the cache first. */
static void move_balloon(struct sim_guest *g)
{
	const uint64_t most = 128 * MIB;

	if (g->wanted > g->size)
		g->size += g->wanted - g->size < most ? g->wanted - g->size :
							most;
	else
		g->size -= g->size - g->wanted < most ? g->size - g->wanted :
							most;
	g->cache += 16 * MIB;
	if (g->used + g->cache > g->size)
		g->cache = g->size > g->used ? g->size - g->used : 0;
	g->short_ticks = g->used > g->size ? g->short_ticks + 1 : 0;
}

static void decide(struct sim *s, struct sim_guest *g)
{
	struct policy_input in = guest(g->size, 0, s->pressure);
	struct policy_result r;
	int way;

	in.wanted = g->wanted;
	in.calm = s->calm;
	in.available = g->size > g->used ? g->size - g->used : 0;
	r = policy_decide(&policy, &in);
	way = r.size > g->wanted ? 1 : r.size < g->wanted ? -1 : 0;
	g->turns += way && g->last && way != g->last;
	if (way)
		g->last = way;
	g->wanted = r.size;
}

/* Pressure follows what does not fit, as an average of two ticks. */
static void tick(struct sim *s)
{
	uint64_t sum = get_resident(s);
	uint64_t over = sum > s->host ? sum - s->host : 0;
	uint32_t raw = (uint32_t)(over * 40000 / s->host);
	int i;

	s->pressure = (s->pressure + (raw < 10000 ? raw : 10000)) / 2;
	s->calm = s->pressure < LOW ? s->calm + 1 : 0;
	for (i = 0; i < GUESTS; i++) {
		decide(s, &s->guest[i]);
		move_balloon(&s->guest[i]);
		ck_assert_uint_ge(s->guest[i].wanted, policy.floor);
		ck_assert_uint_le(s->guest[i].wanted, policy.ceiling);
	}
}

static void start(struct sim *s, uint64_t host, uint64_t used)
{
	int i;

	memset(s, 0, sizeof(*s));
	s->host = host;
	for (i = 0; i < GUESTS; i++) {
		s->guest[i].size = 256 * MIB;
		s->guest[i].wanted = 256 * MIB;
		s->guest[i].used = used;
	}
}

/* Where there is enough for all each guest gets all that it may have. */
START_TEST(idle_host)
{
	struct sim s;
	int i;

	start(&s, GUESTS * policy.ceiling, 100 * MIB);
	for (i = 0; i < 70; i++)
		tick(&s);
	for (i = 0; i < GUESTS; i++) {
		ck_assert_uint_eq(s.guest[i].size, policy.ceiling);
		ck_assert_int_eq(s.guest[i].turns, 0);
	}
}
END_TEST

/* Caches fill the host: guests give back until it is at ease, and stay so. */
START_TEST(host_under_pressure)
{
	struct sim s;
	int i, turns = 0;

	start(&s, HOST, 200 * MIB);
	for (i = 0; i < 200; i++)
		tick(&s);
	ck_assert_uint_lt(s.pressure, HIGH);
	ck_assert_uint_lt(get_resident(&s), HOST + HOST / 10);
	for (i = 0; i < GUESTS; i++)
		s.guest[i].turns = 0;
	for (i = 0; i < 500; i++)
		tick(&s);
	for (i = 0; i < GUESTS; i++) {
		turns += s.guest[i].turns;
		ck_assert_int_eq(s.guest[i].short_ticks, 0);
	}
	/* Not one guest swings: at the most a turn in a hundred ticks. */
	ck_assert_int_le(turns, GUESTS * 5);
}
END_TEST

/* One guest needs much, on a host that is full of the caches of others. */
START_TEST(need_is_served)
{
	struct sim s;
	int i;

	start(&s, HOST, 150 * MIB);
	for (i = 0; i < 200; i++)
		tick(&s);
	s.guest[0].used = 850 * MIB;
	for (i = 0; i < 12; i++)
		tick(&s);
	ck_assert_uint_ge(s.guest[0].size, 850 * MIB);
	ck_assert_int_eq(s.guest[0].short_ticks, 0);
	for (i = 0; i < 100; i++)
		tick(&s);
	ck_assert_uint_lt(s.pressure, HIGH);
	for (i = 0; i < GUESTS; i++)
		ck_assert_int_eq(s.guest[i].short_ticks, 0);
	/* It is over: what it had goes to others when they need it. */
	s.guest[0].used = 150 * MIB;
	for (i = 1; i < 5; i++)
		s.guest[i].used = 500 * MIB;
	for (i = 0; i < 100; i++)
		tick(&s);
	ck_assert_uint_lt(s.pressure, HIGH);
	for (i = 0; i < GUESTS; i++)
		ck_assert_int_eq(s.guest[i].short_ticks, 0);
}
END_TEST

/* Working sets that change at random: nobody is short for long. */
static void change_guests(unsigned int seed)
{
	struct sim s;
	int i, k;

	start(&s, HOST, 150 * MIB);
	for (i = 0; i < 2000; i++) {
		struct sim_guest *g = &s.guest[rand_r(&seed) % GUESTS];

		if (rand_r(&seed) % 10 == 0)
			g->used = (100 + (uint64_t)(rand_r(&seed) % 380)) * MIB;
		tick(&s);
		for (k = 0; k < GUESTS; k++)
			ck_assert_int_le(s.guest[k].short_ticks, 5);
	}
}

START_TEST(changing_guests)
{
	unsigned int seed;

	for (seed = 1; seed <= 50; seed++)
		change_guests(seed);
}
END_TEST

/* ---------------------------------------------------------------- progress */

START_TEST(progress)
{
	struct progress p = { 0 };

	ck_assert_int_eq(progress_run(&p, 0, 0, true, 100, 0), 0);
	ck_assert_int_eq(progress_get_deadline(&p, 100), -1);
	ck_assert_int_eq(progress_run(&p, 9, 0, true, 100, 10), 0);
	ck_assert_int_eq(progress_get_deadline(&p, 100), 110);
	ck_assert_int_eq(progress_get_deadline(&p, 0), -1);
	ck_assert_int_eq(progress_run(&p, 9, 5, true, 100, 109), 0);
	ck_assert_int_eq(progress_run(&p, 9, 5, true, 100, 208), 0);
	ck_assert_int_eq(progress_run(&p, 9, 5, true, 0, 1000), 0);
	ck_assert_int_eq(progress_run(&p, 9, 5, true, 100, 209),
			 PROGRESS_STUCK);
	ck_assert_int_eq(progress_run(&p, 9, 5, true, 100, 999), 0);
	ck_assert_int_eq(progress_get_deadline(&p, 100), -1);
	ck_assert_int_eq(progress_run(&p, 9, 9, true, 100, 999),
			 PROGRESS_REACHED);
	ck_assert_int_eq(progress_run(&p, 9, 9, true, 100, 5000), 0);
	/* Without a driver the time does not run. */
	ck_assert_int_eq(progress_run(&p, 9, 0, false, 100, 6000), 0);
	ck_assert_int_eq(progress_run(&p, 9, 0, false, 100, 7000), 0);
	ck_assert_int_eq(progress_run(&p, 9, 0, true, 100, 7099), 0);
	ck_assert_int_eq(progress_run(&p, 9, 0, true, 100, 7100),
			 PROGRESS_STUCK);
	/* Back to what it has. */
	ck_assert_int_eq(progress_run(&p, 0, 0, true, 100, 7200),
			 PROGRESS_REACHED);
}
END_TEST

RUNNER_SUITE("policy", pressure_decides, bounds_hold,
	     need_comes_before_pressure, what_is_not_known, any_values,
	     idle_host, host_under_pressure, need_is_served, changing_guests,
	     progress)
