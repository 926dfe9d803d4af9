/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The command line of the simulation.
 *
 *	sim --seed N			one run
 *	sim --seed N --trace FILE	the steps of FILE instead
 *	sim --steps N [--first SEED]	runs until so many steps are done
 *	--length N			steps of a run, 20000
 *	--mutant NAME			with that fault; --list names them
 *
 * A run that fails prints the shortest list of steps that was found to fail
 * the same way; this is what --trace reads.  With a mutant, --steps prints only
 * how it failed.
 *
 *	make check-sim			no run fails
 *	make check-sim-mutants		with each mutant one does
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "sim.h"

struct options {
	uint64_t first;
	uint64_t steps;		/* 0: one run */
	uint64_t length;
	const char *trace;
	enum sim_mutant mutant;
};

static struct sim sim;

/* ------------------------------------------------------------- shrinking -- */

/* Whether a part of the steps still fails. */
static bool fails(const struct options *o, struct sim_step *t, uint64_t n)
{
	sim_run(&sim, o->first, o->mutant, t, n, true);
	return sim.why[0];
}

/* Leaves out ever smaller parts, while it still fails. */
static uint64_t shrink(const struct options *o, struct sim_step *t,
		       uint64_t n)
{
	struct sim_step *part = malloc(n * sizeof(*t));
	uint64_t cut = n;

	while (part && cut > 1) {
		cut = (cut + 1) / 2;
		for (uint64_t at = 0; at < n;) {
			uint64_t len = n - at < cut ? n - at : cut;

			memcpy(part, t, at * sizeof(*t));
			memcpy(part + at, t + at + len,
			       (n - at - len) * sizeof(*t));
			if (fails(o, part, n - len)) {
				n -= len;
				memcpy(t, part, n * sizeof(*t));
			} else {
				at += len;
			}
		}
	}
	free(part);
	(void)fails(o, t, n);
	return n;
}

/* ---------------------------------------------------------------- traces -- */

static uint8_t find_op(const char *name)
{
	for (uint8_t i = 0; i < sim_nops; i++)
		if (!strcmp(sim_ops[i].name, name))
			return i;
	fprintf(stderr, "sim: no step %s\n", name);
	exit(2);
}

static struct sim_step *read_trace(const char *path, uint64_t *n)
{
	struct sim_step *t = NULL;
	FILE *f = fopen(path, "r");
	unsigned int device;
	char line[128], name[32];
	uint32_t arg;

	if (!f) {
		perror(path);
		exit(2);
	}
	for (*n = 0; fgets(line, sizeof(line), f);) {
		if (sscanf(line, "%31s %u %" SCNu32, name, &device, &arg) != 3
		    || name[0] == '#')
			continue;
		t = realloc(t, (*n + 1) * sizeof(*t));
		if (!t)
			exit(2);
		t[(*n)++] = (struct sim_step){
			find_op(name), (uint8_t)(device % SIM_DEVICES), arg
		};
	}
	fclose(f);
	return t;
}

static void print_trace(const struct sim_step *t, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		printf("%s %u %" PRIu32 "\n", sim_ops[t[i].op].name,
		       t[i].device, t[i].arg);
}

static void print_config(const struct sim_config *c)
{
	static const char *const logs[] = {
		"eager", "armed", "pending", "on-hint"
	};

	printf("# devices %u, host page %u, log %s by %u, backing %u, "
	       "errors %u, hinter modes %#x%s%s%s%s%s\n", c->ndevices,
	       SIM_PAGE << c->shift, logs[c->log], c->chunk, c->backing, c->errors,
	       c->modes, c->faithless ? ", faithless host" : "",
	       c->poison ? ", poison" : "", c->legacy ? ", legacy" : "",
	       c->lossy ? ", lossy" : "",
	       c->shows_zero ? ", shows zero" : "");
}

/* ------------------------------------------------------------------ runs -- */

/* 0, or 1 after a failure, whose shortest trace is printed. */
static int run_one(struct options *o, bool is_short)
{
	struct sim_step *t = calloc(o->length, sizeof(*t));
	uint64_t n;

	if (!t)
		return 2;
	n = sim_run(&sim, o->first, o->mutant, t, o->length, false);
	if (!sim.why[0]) {
		printf("sim: seed %" PRIu64 ": %" PRIu64 " steps, no fault\n",
		       o->first, n);
		free(t);
		return 0;
	}
	printf("FAIL seed %" PRIu64 " step %" PRIu64 ": %s\n", o->first, n,
	       sim.why);
	if (!is_short) {
		n = shrink(o, t, n);
		printf("# sim --seed %" PRIu64 " --mutant %s --trace FILE\n"
		       "# %" PRIu64 " steps: %s\n", o->first,
		       sim_mutants[o->mutant], n, sim.why);
		print_config(&sim.config);
		print_trace(t, n);
	}
	free(t);
	return 1;
}

static int replay(const struct options *o)
{
	uint64_t n;
	struct sim_step *t = read_trace(o->trace, &n);

	sim_run(&sim, o->first, o->mutant, t, n, true);
	free(t);
	printf("sim: seed %" PRIu64 ": %" PRIu64 " steps: %s\n", o->first, n,
	       sim.why[0] ? sim.why : "no fault");
	return sim.why[0] != 0;
}

/* Of the processor: others run beside it. */
static double get_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Something of everything must have happened, or the runs show nothing. */
static int check_reached(uint64_t discarded, uint64_t cleared,
			 uint64_t switched)
{
	printf("sim: %" PRIu64 " pages discarded, %" PRIu64 " bits cleared by "
	       "hints, %" PRIu64 " switch-overs\n", discarded, cleared,
	       switched);
	if (discarded && cleared && switched)
		return 0;
	printf("FAIL: something never happened\n");
	return 1;
}

static int run_many(struct options *o)
{
	uint64_t steps = 0, runs = 0, discarded = 0, cleared = 0, switched = 0;
	double start = get_time(), last = start, now;
	int ret = 0;

	for (; steps < o->steps && !ret; o->first++, runs++) {
		steps += sim_run(&sim, o->first, o->mutant, NULL, o->length,
				 false);
		discarded += sim.discarded;
		cleared += sim.cleared;
		switched += sim.migration.count;
		if (sim.why[0]) {
			printf("sim: found after %" PRIu64 " steps\n", steps);
			return run_one(o, o->mutant != SIM_NO_MUTANT);
		}
		now = get_time();
		if (now - last >= 10) {
			printf("sim: %" PRIu64 " steps\n", steps);
			fflush(stdout);
			last = now;
		}
	}
	ret = check_reached(discarded, cleared, switched);
	now = get_time() - start;
	printf("sim: %" PRIu64 " runs, %" PRIu64 " steps, %.0f a "
	       "second of the processor\n",
	       runs, steps, (double)steps / now);
	return ret;
}

/* ---------------------------------------------------------- command line -- */

static enum sim_mutant find_mutant(const char *name)
{
	for (int i = 0; i < SIM_NMUTANTS; i++)
		if (!strcmp(sim_mutants[i], name))
			return (enum sim_mutant)i;
	fprintf(stderr, "sim: no mutant %s\n", name);
	exit(2);
}

static int list(void)
{
	for (int i = 1; i < SIM_NMUTANTS; i++)
		printf("%s\n", sim_mutants[i]);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { .first = 1, .length = 20000 };

	for (int i = 1; i < argc; i++) {
		const char *name = argv[i];
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(name, "--list"))
			return list();
		i++;
		if (!strcmp(name, "--seed") || !strcmp(name, "--first"))
			o.first = strtoull(value, NULL, 0);
		else if (!strcmp(name, "--steps"))
			o.steps = strtoull(value, NULL, 0);
		else if (!strcmp(name, "--length"))
			o.length = strtoull(value, NULL, 0);
		else if (!strcmp(name, "--trace"))
			o.trace = value;
		else if (!strcmp(name, "--mutant"))
			o.mutant = find_mutant(value);
		else
			return fprintf(stderr, "sim: what is %s?\n", name), 2;
	}
	if (!o.length)
		return 2;
	if (o.trace)
		return replay(&o);
	return o.steps ? run_many(&o) : run_one(&o, false);
}
