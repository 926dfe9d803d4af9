/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A naive model of the coalescer: a map of bytes and a list of ranges.
 *
 * It covers a small piece of the address space that begins at a base; the
 * highest base makes its last byte the last of 2^64.  And a generator of
 * random numbers that gives the same ones everywhere.
 */
#ifndef FPH_TESTS_RANGE_MODEL_H
#define FPH_TESTS_RANGE_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <fph/types.h>

#define MODEL_SPACE	512u	/* bytes */
#define MODEL_MAX	64u	/* ranges */
#define MODEL_TOP	(0 - (uint64_t)MODEL_SPACE)

enum model_where {
	MODEL_FREE = 0,
	MODEL_OPEN,
	MODEL_CLOSED,
	MODEL_OUT
};

struct model_range {
	enum model_where where;
	uint64_t gpa;
	uint64_t len;
	uint64_t owner;
	uint64_t run;		/* which one, in MODEL_OUT */
	uint32_t serial;	/* the order in which they were added */
};

struct model {
	uint64_t base;
	uint64_t granule;
	uint32_t nruns;
	uint32_t nadded;
	struct model_range ranges[MODEL_MAX];
};

static inline uint32_t model_random(uint64_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)((*seed >> 32) % below);
}

static inline void model_init(struct model *m, uint64_t base, uint64_t granule)
{
	memset(m, 0, sizeof(*m));
	m->base = base;
	m->granule = granule;
}

static inline void model_add(struct model *m, uint64_t gpa, uint64_t len,
			     uint64_t owner)
{
	uint32_t i = 0;

	/* No coalescer beside it holds as many ranges. */
	while (m->ranges[i].where != MODEL_FREE)
		i++;
	m->ranges[i] = (struct model_range){
		.where = MODEL_OPEN, .gpa = gpa, .len = len, .owner = owner,
		.serial = m->nadded++
	};
}

static inline uint32_t model_count(const struct model *m,
				   enum model_where where)
{
	uint32_t i, n = 0;

	for (i = 0; i < MODEL_MAX; i++)
		n += m->ranges[i].where == where;
	return n;
}

/* The next run as it must be, untrimmed in *first and *last (offsets). */
static inline bool model_find(struct model *m, uint32_t *first, uint32_t *last)
{
	uint8_t map[MODEL_SPACE + 1] = { 0 };
	uint32_t i;

	if (!model_count(m, MODEL_CLOSED))
		for (i = 0; i < MODEL_MAX; i++)
			if (m->ranges[i].where == MODEL_OPEN)
				m->ranges[i].where = MODEL_CLOSED;
	for (i = 0; i < MODEL_MAX; i++)
		if (m->ranges[i].where == MODEL_CLOSED)
			memset(map + (m->ranges[i].gpa - m->base), 1,
			       (size_t)m->ranges[i].len);
	for (i = 0; i < MODEL_SPACE && !map[i]; i++)
		;
	if (i == MODEL_SPACE)
		return false;
	*first = i;
	while (map[i])
		i++;
	*last = i - 1;
	return true;
}

/*
 * Takes the next run out of the model; false when nothing waits.  run->token
 * is the model's own number of the run.
 */
static inline bool model_next(struct model *m, struct fph_run *run)
{
	uint32_t first, last, i;
	uint32_t g = (uint32_t)m->granule;

	if (!model_find(m, &first, &last))
		return false;
	run->token = m->nruns++;
	for (i = 0; i < MODEL_MAX; i++) {
		struct model_range *r = &m->ranges[i];

		if (r->where == MODEL_CLOSED && r->gpa - m->base >= first &&
		    r->gpa - m->base <= last) {
			r->where = MODEL_OUT;
			r->run = run->token;
		}
	}
	/* The base is aligned, so offsets can be. */
	run->gpa = m->base + first;
	run->len = 0;
	while (first % g)
		first++;
	last++;
	while (last % g)
		last--;
	if (last > first) {
		run->gpa = m->base + first;
		run->len = last - first;
	}
	return true;
}

/* Gives back one range of a run: false when it has none like that. */
static inline bool model_take(struct model *m, uint64_t run,
			      const struct fph_owned_range *range)
{
	uint32_t i;

	for (i = 0; i < MODEL_MAX; i++) {
		struct model_range *r = &m->ranges[i];

		if (r->where == MODEL_OUT && r->run == run &&
		    r->gpa == range->gpa && r->len == range->len &&
		    r->owner == range->owner) {
			r->where = MODEL_FREE;
			return true;
		}
	}
	return false;
}

/* How many ranges of a run were not given back. */
static inline uint32_t model_out(const struct model *m, uint64_t run)
{
	uint32_t i, n = 0;

	for (i = 0; i < MODEL_MAX; i++)
		n += m->ranges[i].where == MODEL_OUT && m->ranges[i].run == run;
	return n;
}

/* Frees all ranges that are in one place; of one run in MODEL_OUT. */
static inline void model_release(struct model *m, enum model_where where,
				 uint64_t run)
{
	uint32_t i;

	for (i = 0; i < MODEL_MAX; i++)
		if (m->ranges[i].where == where &&
		    (where != MODEL_OUT || m->ranges[i].run == run))
			m->ranges[i].where = MODEL_FREE;
}

/* How many ranges of an owner are not free, anywhere. */
static inline uint32_t model_owned(const struct model *m, uint64_t owner)
{
	uint32_t i, n = 0;

	for (i = 0; i < MODEL_MAX; i++)
		n += m->ranges[i].where != MODEL_FREE &&
		     m->ranges[i].owner == owner;
	return n;
}

#endif /* FPH_TESTS_RANGE_MODEL_H */
