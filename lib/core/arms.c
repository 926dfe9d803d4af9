/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One page of the guest's own in each unit of the host's dirty log.
 *
 * call		IDLE		ARMING		READY		RELEASING
 * begin	ARMING		(1)		(1)		(1)
 * next, set	FPH_ESTATE	=		FPH_ESTATE	FPH_ESTATE
 * is_ready	FPH_ESTATE	=, READY	=		FPH_ESTATE
 * release	=		RELEASING (2)	RELEASING (2)	=, IDLE
 *
 * (1) FPH_EBUSY, if a unit has an arm; else ARMING.
 * (2) IDLE when no unit has an arm.
 */
#include <fph/policy.h>

#include "common.h"

#define MAGIC	0x61706866u
#define NONE	(~(uint64_t)0)

enum state {
	IDLE,
	ARMING,
	READY,
	RELEASING
};

struct fph_arms {
	uint32_t magic;
	uint32_t state;
	uint32_t shift;
	uint32_t id;
	uint64_t gpa;
	uint64_t last;			/* byte of the guest's memory */
	uint64_t first_unit;
	uint64_t nunits;
	uint64_t left;			/* units that next has not given yet, or
					   that were released */
	uint64_t narms;
	uint64_t arm[];			/* by unit, NONE, or not yet given */
};

static bool is_init(const struct fph_arms *a)
{
	return a && a->magic == MAGIC;
}

static bool read_params(struct fph_arms_params *p,
			const struct fph_arms_params *params)
{
	if (!fph_params_read(p, sizeof(*p), params, sizeof(*p)))
		return false;
	if (!p->shift)
		p->shift = 30;
	return p->shift >= 12 && p->shift <= 63 &&
	       !fph_is_bad_range(p->gpa, p->len);
}

/* Units that the memory touches. */
static uint64_t count_units(const struct fph_arms_params *p)
{
	return fph_shr64(p->gpa + (p->len - 1), p->shift) -
	       fph_shr64(p->gpa, p->shift) + 1;
}

static size_t get_size(const struct fph_arms_params *p)
{
	uint64_t n = count_units(p);
	size_t most = (~(size_t)0 - sizeof(struct fph_arms)) / sizeof(uint64_t);

	return n > most ? 0 :
	       sizeof(struct fph_arms) + (size_t)n * sizeof(uint64_t);
}

size_t fph_arms_size(const struct fph_arms_params *params)
{
	struct fph_arms_params p;

	return read_params(&p, params) ? get_size(&p) : 0;
}

int fph_arms_init(struct fph_arms **out, void *mem, size_t size,
		  const struct fph_arms_params *params)
{
	struct fph_arms_params p;
	struct fph_arms *a = mem;

	if (!out || !read_params(&p, params) ||
	    !fph_is_memory(mem, size, get_size(&p)))
		return FPH_EINVAL;
	fph_memset(a, 0, sizeof(*a));
	a->magic = MAGIC;
	a->shift = p.shift;
	a->gpa = p.gpa;
	a->last = p.gpa + (p.len - 1);
	a->first_unit = fph_shr64(p.gpa, p.shift);
	a->nunits = count_units(&p);
	*out = a;
	return FPH_OK;
}

int fph_arms_begin(struct fph_arms *a, uint32_t id)
{
	if (!is_init(a))
		return FPH_EUNINIT;
	if (!id)
		return FPH_EINVAL;
	if (a->narms)
		return FPH_EBUSY;
	a->state = ARMING;
	a->id = id;
	a->left = a->nunits;
	return FPH_OK;
}

static void get_unit(const struct fph_arms *a, uint64_t i,
		     struct fph_unit *unit)
{
	uint64_t unit_size = fph_shl64(1, a->shift);
	uint64_t first = fph_shl64(a->first_unit + i, a->shift);
	uint64_t last = first + (unit_size - 1);

	if (first < a->gpa)
		first = a->gpa;
	if (last > a->last)
		last = a->last;
	unit->gpa = first;
	unit->len = last - first + 1;
}

int fph_arms_next(struct fph_arms *a, struct fph_unit *unit)
{
	if (!is_init(a))
		return FPH_EUNINIT;
	if (!unit)
		return FPH_EINVAL;
	if (a->state != ARMING)
		return FPH_ESTATE;
	if (!a->left)
		return 0;
	a->left--;
	a->arm[a->left] = NONE;
	get_unit(a, a->left, unit);
	return 1;
}

int fph_arms_set(struct fph_arms *a, uint64_t gpa)
{
	struct fph_unit unit;

	if (!is_init(a))
		return FPH_EUNINIT;
	if (a->state != ARMING || a->left == a->nunits)
		return FPH_ESTATE;
	get_unit(a, a->left, &unit);
	if (gpa < unit.gpa || gpa - unit.gpa >= unit.len)
		return FPH_EINVAL;
	if (a->arm[a->left] != NONE)
		return FPH_EEXIST;
	a->arm[a->left] = gpa;
	a->narms++;
	return FPH_OK;
}

int fph_arms_is_ready(struct fph_arms *a, const struct fph_hinter *h)
{
	struct fph_hinter_amounts amounts;

	if (!is_init(a))
		return FPH_EUNINIT;
	if (fph_hinter_get_amounts(h, &amounts, sizeof(amounts)))
		return FPH_EINVAL;
	if ((a->state != ARMING && a->state != READY) ||
	    fph_hinter_get_id(h) != a->id)
		return FPH_ESTATE;
	if (a->state == ARMING && !a->left && !amounts.waiting.ranges &&
	    !amounts.outstanding.ranges)
		a->state = READY;
	return a->state == READY;
}

bool fph_arms_allows(const struct fph_arms *a, uint64_t gpa, uint64_t len)
{
	uint64_t i, end;

	if (!is_init(a) || a->state != READY || fph_is_bad_range(gpa, len) ||
	    gpa < a->gpa || gpa + (len - 1) > a->last)
		return false;
	end = fph_shr64(gpa + (len - 1), a->shift) - a->first_unit;
	for (i = fph_shr64(gpa, a->shift) - a->first_unit; i <= end; i++) {
		if (a->arm[i] == NONE)
			return false;
	}
	return true;
}

int fph_arms_release(struct fph_arms *a, uint64_t *gpa)
{
	if (!is_init(a))
		return FPH_EUNINIT;
	if (!gpa)
		return FPH_EINVAL;
	/* What next has not given has no arm: from there upwards. */
	a->state = RELEASING;
	while (a->narms) {
		*gpa = a->arm[a->left];
		a->arm[a->left++] = NONE;
		if (*gpa != NONE) {
			a->narms--;
			return 1;
		}
	}
	a->state = IDLE;
	return 0;
}
