/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A buffer of the hinting queue in every state of a session: what it has for a
 * command, when that begins or ends a round, and when its hints count.  What
 * stands below the session is a stub that notes what it is asked.
 *
 * unwind: 5
 * bug: lib/core/hint_session.c: s->state == FPH_HINT_REQUESTED && id == s->id => id == s->id
 * bug: lib/core/hint_session.c: if (len && len != FPH_CMD_ID_SIZE) => if (len > FPH_CMD_ID_SIZE)
 * bug: lib/core/hint_session.c: (has ? is_start(s, id) : s->state => (s->state
 */
#include "proof.h"

#include "core/hint_session.c"

#define NSEGS	2u

static uint32_t ncounted, nready;
static uint32_t outcome;

int fph_inflight_add(struct fph_inflight *f, uint64_t cookie,
		     const struct fph_seg *segs, uint32_t n)
{
	(void)f, (void)cookie, (void)segs;
	ncounted += n;
	return FPH_OK;
}

int fph_inflight_check(const struct fph_seg *segs, uint32_t n,
		       uint64_t *bytes)
{
	(void)segs;
	*bytes = n;
	return FPH_OK;
}

void fph_inflight_add_ready(struct fph_inflight *f, uint64_t cookie,
			    uint32_t how, uint32_t reason)
{
	(void)f, (void)cookie, (void)reason;
	nready++;
	outcome = how;
}

int main(void)
{
	struct fph_hint_session s = { .magic = FPH_HINT_SESSION_MAGIC };
	struct fph_buffer b = { .cookie = 1 };
	struct fph_seg segs[2 * NSEGS];
	int before = nondet_int();
	bool has, starts, is_error = false;
	uint64_t len = 0;
	uint32_t id;

	s.id = nondet_u32();
	s.endian = nondet_bool() ? FPH_BE : FPH_LE;
	s.state = before;
	s.inflight.ranges.max_ranges = NSEGS;
	ASSUME(before >= FPH_HINT_IDLE && before <= FPH_HINT_DONE);
	for (uint32_t i = 0; i < 4; i++)
		b.command[i] = nondet_u8();
	b.nread = nondet_u32();
	b.nwrite = nondet_u32();
	ASSUME(b.nread <= NSEGS && b.nwrite <= NSEGS);
	for (uint32_t i = 0; i < NSEGS; i++) {
		segs[i].len = nondet_u32();
		segs[i].flags = nondet_bool() ? FPH_SEG_WRITE : 0;
		if (i >= b.nread)
			continue;
		len += segs[i].len;
		is_error |= segs[i].flags;
	}
	has = len;
	is_error |= len && len != 4;
	id = s.endian == FPH_LE ?
	     b.command[0] | b.command[1] << 8 | b.command[2] << 16 |
	     (uint32_t)b.command[3] << 24 :
	     b.command[3] | b.command[2] << 8 | b.command[1] << 16 |
	     (uint32_t)b.command[0] << 24;
	starts = has && before == FPH_HINT_REQUESTED && id == s.id;

	if (add_good(&s, &b, segs) != FPH_OK) {
		MUST(is_error && s.state == before && !ncounted && !nready);
		return 0;
	}
	MUST(!is_error);
	if (starts)
		MUST(s.state == FPH_HINT_ACTIVE);
	else if (has && before == FPH_HINT_ACTIVE)
		MUST(s.state == FPH_HINT_STOPPED);
	else
		MUST(s.state == before);
	/* Hints count in a round that has begun, and is not ended by this. */
	MUST(ncounted == (starts || (before == FPH_HINT_ACTIVE && !has) ?
			  b.nwrite : 0));
	MUST(nready == !ncounted);
	if (nready && !b.nwrite)
		MUST((outcome == FPH_OUTCOME_COMMAND) ==
		     (s.state != before));
	return 0;
}
