/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The coalescer.
 *
 * Ends of ranges are inclusive, for a range may end at 2^64.
 */
#include "coalescer.h"
#include "common.h"

#define LAST_BYTE	(~(uint64_t)0)
#define NO_RUN		FPH_COALESCER_MAX
#define ONE_SERIAL	((uint64_t)1 << FPH_TOKEN_BITS)

/* Where the arrays begin in the memory, and where it ends. */
struct layout {
	uint64_t runs;
	uint64_t keys;
	uint64_t counts;
	uint64_t size;
};

static struct layout get_layout(uint64_t n)
{
	struct layout l;

	l.runs = 2 * n * sizeof(struct fph_owned_range);
	l.keys = l.runs + n * sizeof(struct fph_out_run);
	l.counts = l.keys + 2 * n * sizeof(uint64_t);
	l.size = l.counts + FPH_SORT_COUNTS(n) * sizeof(uint32_t);
	return l;
}

size_t fph_coalescer_size(uint32_t max_ranges)
{
	uint64_t size = get_layout(max_ranges).size;

	if (!max_ranges || max_ranges > FPH_COALESCER_MAX ||
	    size != (size_t)size)
		return 0;
	return (size_t)size;
}

int fph_coalescer_init(struct fph_coalescer *c, void *mem, size_t size,
		       uint32_t max_ranges, uint64_t granule)
{
	struct layout l = get_layout(max_ranges);
	uint8_t *bytes = mem;

	if (!fph_is_memory(mem, size, fph_coalescer_size(max_ranges)) ||
	    !fph_is_power(granule))
		return FPH_EINVAL;
	fph_memset(c, 0, sizeof(*c));
	c->ranges = (void *)bytes;
	c->runs = (void *)(bytes + l.runs);
	c->scratch.keys = (void *)(bytes + l.keys);
	c->scratch.counts = (void *)(bytes + l.counts);
	c->granule = granule;
	c->max_ranges = max_ranges;
	fph_coalescer_restart(c);
	return FPH_OK;
}

void fph_coalescer_reset(struct fph_coalescer *c)
{
	c->out = 0;
	fph_coalescer_restart(c);
}

/* ------------------------------------------------------------------ room -- */

/* Moves n ranges to *to, which is not behind them, and *to behind those. */
static void slide(struct fph_coalescer *c, uint32_t from, uint32_t n,
		  uint32_t *to)
{
	struct fph_owned_range *ranges = c->ranges;
	uint32_t at = *to;

	*to = at + n;
	if (at == from)
		return;
	for (uint32_t i = 0; i < n; i++)
		ranges[at + i] = ranges[from + i];
}

/* What is held stands at the front of the array afterwards. */
void fph_coalescer_compact(struct fph_coalescer *c)
{
	uint64_t *keys = c->scratch.keys;
	uint32_t nclosed = c->open - c->closed;
	uint32_t nopen = c->end - c->open;
	uint32_t open = c->open;
	uint32_t at = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->nruns; i++) {
		if (FPH_TOKEN_INDEX(c->runs[i].token) == i)
			keys[n++] = (uint64_t)c->runs[i].first << 32 | i;
	}
	keys = fph_sort_keys(&c->scratch, n, 32,
			     32 + fph_bit_width(2 * (uint64_t)c->max_ranges));
	for (uint32_t i = 0; i < n; i++) {
		struct fph_out_run *run = &c->runs[(uint32_t)keys[i]];
		uint32_t first = at;

		slide(c, run->first, run->nranges, &at);
		run->first = first;
	}
	n = c->closed;
	c->closed = at;
	slide(c, n, nclosed, &at);
	c->open = at;
	slide(c, open, nopen, &at);
	c->end = at;
}

int fph_coalescer_add(struct fph_coalescer *c,
		      const struct fph_owned_range *ranges, uint32_t n)
{
	uint32_t room = fph_coalescer_get_room(c);
	struct fph_owned_range *to;
	uint64_t bytes = 0;
	uint32_t i;

	if (!n || fph_is_bad_range(ranges[0].gpa, ranges[0].len))
		return FPH_EINVAL;
	if (!room)
		return FPH_EFULL;
	if (n > room)
		n = room;
	to = fph_coalescer_reserve(c, n);
	for (i = 0; i < n; i++) {
		if (fph_is_bad_range(ranges[i].gpa, ranges[i].len))
			break;
		to[i] = ranges[i];
		bytes += ranges[i].len;
	}
	fph_coalescer_commit(c, i, bytes);
	return (int)i;
}

/* ----------------------------------------------------------------- close -- */

static bool is_ascending(const struct fph_owned_range *ranges, uint32_t n)
{
	uint64_t before = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (ranges[i].gpa < before)
			return false;
		before = ranges[i].gpa;
	}
	return true;
}

/* No two are equal either, for reversing would change their order. */
static bool is_descending(const struct fph_owned_range *ranges, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		if (ranges[i].gpa >= ranges[i - 1].gpa)
			return false;
	}
	return true;
}

static void reverse(struct fph_owned_range *ranges, uint32_t n)
{
	for (uint32_t i = 0, j = n - 1; i < j; i++, j--) {
		struct fph_owned_range range = ranges[i];

		ranges[i] = ranges[j];
		ranges[j] = range;
	}
}

/* Sorts the open set into the place behind it. */
static void sort_open(struct fph_coalescer *c)
{
	uint32_t n = c->end - c->open;
	const struct fph_owned_range *from;
	struct fph_owned_range *to;
	const uint64_t *order;
	uint32_t mask;

	to = fph_coalescer_reserve(c, n);
	from = c->ranges + c->open;
	order = fph_sort_ranges(&c->scratch, from, n, &mask);
	for (uint32_t i = 0; i < n; i++)
		to[i] = from[(uint32_t)order[i] & mask];
	c->closed = c->end;
	c->end += n;
}

/* The closed set is used up: the open one takes its place. */
static void close_open(struct fph_coalescer *c)
{
	struct fph_owned_range *ranges = c->ranges + c->open;
	uint32_t n = c->end - c->open;

	if (!is_ascending(ranges, n)) {
		if (is_descending(ranges, n))
			reverse(ranges, n);
		else
			sort_open(c);
	}
	c->open = c->end;
}

/* ------------------------------------------------------------------ next -- */

/*
 * Aligns the bytes from first to last inwards.  Whole 2^64 bytes cannot be a
 * length: such a run is cut by one granule at its end, which is inwards too.
 */
static void trim(uint64_t first, uint64_t last, uint64_t mask,
		 struct fph_out_run *run)
{
	uint64_t gpa = (first + mask) & ~mask;
	uint64_t end = (last + 1) & ~mask;		/* 0 means 2^64 */

	run->gpa = first;
	run->len = 0;
	if (gpa < first)
		return;			/* aligning it went beyond 2^64 */
	if (last == LAST_BYTE) {
		run->gpa = gpa;
		run->len = gpa ? 0 - gpa : 0 - (mask + 1);
	} else if (end > gpa) {
		run->gpa = gpa;
		run->len = end - gpa;
	}
}

/* What next adds up; in registers while it works. */
struct sums {
	uint64_t spans;			/* bytes of runs before the trim */
	uint64_t runs;
	uint64_t ranges;
	uint32_t nempty;
};

static void add_sums(struct fph_coalescer *c, const struct sums *sums)
{
	/* Modulo 2^64, so that 2^64 bytes come out right as well. */
	c->counters.run_bytes += sums->runs;
	c->counters.trimmed_bytes += sums->spans - sums->runs;
	c->counters.overlap_bytes += sums->ranges - sums->spans;
}

/* A place in runs[] for a run that goes out. */
static inline uint32_t take_place(struct fph_coalescer *c)
{
	uint32_t i = c->free_run;

	if (i == NO_RUN)
		return c->nruns++;
	c->free_run = c->runs[i].first;
	return i;
}

/* The run at the front of the closed set; r: its first range. */
static inline const struct fph_owned_range *
cut_run(const struct fph_owned_range *r, const struct fph_owned_range *end,
	uint64_t mask, struct fph_out_run *run, struct sums *sums)
{
	uint64_t first = r->gpa;
	uint64_t last = first + (r->len - 1);
	uint32_t nranges = 1;

	sums->ranges += r->len;
	for (r++; r < end; r++) {
		uint64_t gpa = r->gpa;

		if (gpa > last && gpa - last > 1)
			break;
		sums->ranges += r->len;
		if (gpa + (r->len - 1) > last)
			last = gpa + (r->len - 1);
		nranges++;
	}
	run->nranges = nranges;
	run->gpa = first;
	run->len = last + 1 - first;
	sums->spans += run->len;
	/* Most are aligned: 4 instructions instead of 15. */
	if (((first | (last + 1)) & mask) || last == LAST_BYTE) {
		trim(first, last, mask, run);
		sums->nempty += !run->len;
	}
	sums->runs += run->len;
	return r;
}

static inline void give_run(const struct fph_out_run *from, uint32_t queue,
			    struct fph_run *to)
{
	to->gpa = from->gpa;
	to->len = from->len;
	to->token = from->token;
	to->done = 0;
	to->freed = 0;
	to->outcome = FPH_OUTCOME_NONE;
	to->reason = FPH_SKIP_NONE;
	to->queue = (uint16_t)queue;
	to->reserved = 0;
}

uint32_t fph_coalescer_next(struct fph_coalescer *c, struct fph_run *runs,
			    uint32_t n, uint32_t *nempty)
{
	const struct fph_owned_range *r, *end;
	struct sums sums = { 0, 0, 0, 0 };
	uint64_t mask = c->granule - 1;
	struct fph_run *to = runs;
	uint64_t serial;
	uint32_t at;

	if (c->closed == c->open)
		close_open(c);
	/* Serials begin again after 2^36: nobody keeps a token so long. */
	serial = c->serial + (uint64_t)n * ONE_SERIAL < c->serial ? 0 :
								    c->serial;
	at = c->closed;
	r = c->ranges + at;
	end = c->ranges + c->open;
	for (; to < runs + n && r < end; to++) {
		uint32_t i = take_place(c);
		struct fph_out_run *run = &c->runs[i];

		serial += ONE_SERIAL;
		run->token = serial | i;
		run->first = at;
		r = cut_run(r, end, mask, run, &sums);
		at += run->nranges;
		give_run(run, c->queue, to);
	}
	c->serial = serial;
	c->out += at - c->closed;
	c->closed = at;
	c->counters.runs += (uint32_t)(to - runs);
	add_sums(c, &sums);
	*nempty = sums.nempty;
	return (uint32_t)(to - runs);
}
