/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Ranges go in and a run is cut, for any two of them in ascending order: all
 * that is good is stored and counted, a run has exactly those that touch, and
 * ends where the last of them does.
 *
 * with: lib/core/coalescer_sort.c
 * unwind: 4
 * bug: lib/core/coalescer.c: if (gpa > last && gpa - last > 1) => if (gpa > last)
 * bug: lib/core/coalescer.c: if (gpa + (r->len - 1) > last)\n\t\t\tlast => if (1)\n\t\t\tlast
 * bug: lib/core/coalescer.c: if (n > room)\n\t\tn = room; => if (n > 2 * room)\n\t\tn = room;
 */
#include "proof.h"

#include "core/coalescer.c"

typedef unsigned __int128 wide;

#define MOST	2u

static struct fph_owned_range array[2 * MOST];

static struct fph_owned_range any_range(void)
{
	struct fph_owned_range r = { .gpa = nondet_u64() };

	r.len = nondet_u64();
	r.owner = nondet_u32();
	return r;
}

static wide end_of(const struct fph_owned_range *r)
{
	return (wide)r->gpa + r->len;
}

/* Into a coalescer that holds some already. */
static void go_in(const struct fph_owned_range *ranges, uint32_t n)
{
	struct fph_coalescer c = { .ranges = array, .max_ranges = MOST };
	uint32_t held = nondet_u32(), good = 0;
	uint64_t bytes = 0;
	int ret;

	ASSUME(held <= MOST);
	c.end = held;
	while (good < n && good < MOST - held &&
	       !fph_is_bad_range(ranges[good].gpa, ranges[good].len))
		bytes += ranges[good++].len;
	ret = fph_coalescer_add(&c, ranges, n);
	if (fph_is_bad_range(ranges[0].gpa, ranges[0].len)) {
		MUST(ret == FPH_EINVAL && c.end == held);
		return;
	}
	if (held == MOST) {
		MUST(ret == FPH_EFULL && c.end == held);
		return;
	}
	MUST(ret == (int)good);
	MUST(fph_coalescer_get_held(&c) == held + good);
	MUST(fph_coalescer_get_held(&c) <= MOST);
	MUST(c.counters.added == good && c.counters.added_bytes == bytes);
	MUST(array[held].gpa == ranges[0].gpa &&
	     array[held].len == ranges[0].len);
}

static void come_out(const struct fph_owned_range *r)
{
	struct sums sums = { 0, 0, 0, 0 };
	struct fph_out_run run;
	const struct fph_owned_range *after;
	wide end = end_of(r);
	uint32_t n = 1;

	if (r[1].gpa <= end) {
		n = 2;
		if (end_of(r + 1) > end)
			end = end_of(r + 1);
	}
	after = cut_run(r, r + 2, 0, &run, &sums);
	MUST(after == r + n && run.nranges == n);
	MUST(run.gpa == r->gpa);
	/* All addresses are more than a length can say: one byte less. */
	if (end - r->gpa == (wide)1 << 64)
		MUST(run.len == ~(uint64_t)0);
	else
		MUST(run.gpa + (wide)run.len == end);
	MUST(sums.spans == (uint64_t)(end - r->gpa));
	MUST(sums.ranges == r->len + (n == 2 ? r[1].len : 0));
	MUST(sums.runs == run.len && !sums.nempty);
}

int main(void)
{
	struct fph_owned_range r[3] = {
		any_range(), any_range(), any_range()
	};
	uint32_t n = nondet_u32();

	ASSUME(n && n <= 3);
	go_in(r, n);
	ASSUME(!fph_is_bad_range(r[0].gpa, r[0].len));
	ASSUME(!fph_is_bad_range(r[1].gpa, r[1].len));
	ASSUME(r[0].gpa <= r[1].gpa);
	come_out(r);
	return 0;
}
