/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
#include "policy.h"

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t sub(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

const char *policy_get_reason_name(int reason)
{
	switch (reason) {
	case POLICY_NO_STATS:
		return "no-statistics";
	case POLICY_NEED:
		return "need";
	case POLICY_GROW:
		return "grow";
	case POLICY_SHRINK:
		return "shrink";
	}
	return "keep";
}

/* What it uses, and a reserve that is larger for one that uses much. */
static uint64_t get_need(const struct policy *p, const struct policy_input *in)
{
	uint64_t used = sub(sub(in->memory, in->actual), in->available);

	return add(used, max(p->reserve, used / 8));
}

static struct policy_result decide(const struct policy *p,
				   const struct policy_input *in, uint64_t now,
				   uint64_t need, uint64_t ceiling)
{
	struct policy_result r = { .size = now, .reason = POLICY_KEEP };

	if (now < need) {
		r.size = need;
		r.reason = POLICY_NEED;
	} else if (in->has_pressure && in->pressure >= p->high && now > need) {
		r.size = max(need, sub(now, p->step));
		r.reason = POLICY_SHRINK;
	} else if (in->has_pressure && in->pressure < p->low &&
		   in->calm >= p->calm && now < ceiling) {
		r.size = min(ceiling, add(now, p->step / 4));
		r.reason = POLICY_GROW;
	}
	return r;
}

struct policy_result policy_decide(const struct policy *p,
				   const struct policy_input *in)
{
	uint64_t ceiling = p->ceiling ? min(p->ceiling, in->memory) :
					in->memory;
	uint64_t floor = min(p->floor, ceiling);
	uint64_t now = in->wanted ? in->wanted : sub(in->memory, in->actual);
	struct policy_result none = { .reason = POLICY_NO_STATS };

	now = min(max(now, floor), ceiling);
	none.size = now;
	if (!in->has_stats)
		return none;
	return decide(p, in, now, min(max(get_need(p, in), floor), ceiling),
		      ceiling);
}
