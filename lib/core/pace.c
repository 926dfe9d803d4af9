/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Which free memory to report next, and when.
 *
 * What was reported and what was allocated again count less with each pass:
 * half of what they did.  So a burst is forgotten after a few passes, and a pass
 * that reports little is judged together with those before it.
 */
#include <fph/policy.h>

#include "common.h"

#define MAGIC	0x63706866u
#define SECOND	1000000000u

struct fph_pace {
	uint32_t magic;
	uint32_t order;
	uint32_t min_order;
	uint32_t max_order;
	uint32_t reuse_shift;
	uint32_t reserved;
	uint64_t min_delay;
	uint64_t max_delay;
	uint64_t delay;
	uint64_t due;
	uint64_t reported;		/* of late */
	uint64_t reused;
	struct fph_pace_counters counters;
};

static bool is_init(const struct fph_pace *p)
{
	return p && p->magic == MAGIC;
}

static bool read_params(struct fph_pace_params *p,
			const struct fph_pace_params *params)
{
	if (!fph_params_read(p, sizeof(*p), params, sizeof(*p)))
		return false;
	if (!p->max_order)
		p->max_order = p->min_order > 9 ? p->min_order : 9;
	if (!p->reuse_shift)
		p->reuse_shift = 2;
	if (!p->min_delay)
		p->min_delay = (uint64_t)2 * SECOND;
	if (!p->max_delay)
		p->max_delay = (uint64_t)64 * SECOND;
	return p->min_order <= p->max_order && p->max_order < 52 &&
	       p->reuse_shift < 64 && p->min_delay <= p->max_delay;
}

int fph_pace_init(struct fph_pace **out, void *mem, size_t size,
		  const struct fph_pace_params *params, uint64_t now)
{
	struct fph_pace_params known;
	struct fph_pace *p = mem;

	if (!out || !read_params(&known, params) ||
	    !fph_is_memory(mem, size, sizeof(*p)))
		return FPH_EINVAL;
	fph_memset(p, 0, sizeof(*p));
	p->magic = MAGIC;
	p->min_order = known.min_order;
	p->max_order = known.max_order;
	p->order = known.max_order;
	p->reuse_shift = known.reuse_shift;
	p->min_delay = known.min_delay;
	p->max_delay = known.max_delay;
	p->delay = known.min_delay;
	p->due = now;
	*out = p;
	return FPH_OK;
}

int fph_pace_add_reused(struct fph_pace *p, uint64_t bytes)
{
	if (!is_init(p))
		return FPH_EUNINIT;
	p->reused += bytes;
	p->counters.reused_bytes += bytes;
	return FPH_OK;
}

static void back_off(struct fph_pace *p)
{
	p->counters.backed_off++;
	if (p->order < p->max_order)
		p->order++;
	p->delay = p->delay > p->max_delay - p->delay ? p->max_delay :
							p->delay * 2;
}

/* The delay comes down first: small blocks are for a guest that rests. */
static void go_on(struct fph_pace *p, uint64_t reported)
{
	if (p->delay > p->min_delay) {
		p->delay /= 2;
		if (p->delay < p->min_delay)
			p->delay = p->min_delay;
	} else if (!reported && p->order > p->min_order) {
		p->order--;
		p->counters.finer++;
	}
}

int fph_pace_end_pass(struct fph_pace *p, uint64_t now, uint64_t reported)
{
	if (!is_init(p))
		return FPH_EUNINIT;
	p->counters.passes++;
	p->counters.reported_bytes += reported;
	p->reported += reported;
	if (p->reused > fph_shr64(p->reported, p->reuse_shift))
		back_off(p);
	else
		go_on(p, reported);
	p->reported /= 2;
	p->reused /= 2;
	p->due = now > ~(uint64_t)0 - p->delay ? ~(uint64_t)0 : now + p->delay;
	return FPH_OK;
}

int fph_pace_get_order(const struct fph_pace *p)
{
	return is_init(p) ? (int)p->order : FPH_EUNINIT;
}

int fph_pace_get_deadline(const struct fph_pace *p, uint64_t *when)
{
	if (!is_init(p))
		return FPH_EUNINIT;
	if (!when)
		return FPH_EINVAL;
	*when = p->due;
	return FPH_OK;
}

int fph_pace_get_counters(const struct fph_pace *p,
			  struct fph_pace_counters *out, size_t size)
{
	if (!is_init(p))
		return FPH_EUNINIT;
	return fph_copy_out(out, size, &p->counters, sizeof(p->counters));
}
