/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Chains over a coalescer: what report and hint session share.
 *
 * A chain is in one place at a time:
 *
 *	free ---> pending ---> ready ---> free
 *
 * Its index is the owner of its ranges, and pending counts those that are not
 * resolved: a range is resolved when its run was completed or trimmed to
 * nothing, or when it was dropped before it was handed out.
 */
#include "internal.h"

#define NIL	0x7fffffffu	/* ends a list: never an index of a chain */

int fph_segs_check(const struct fph_seg *segs, uint32_t nsegs,
		   uint64_t *bytes)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < nsegs; i++) {
		if (!(segs[i].flags & FPH_SEG_WRITE))
			return FPH_PEER_DIRECTION;
		if (!segs[i].len ||
		    segs[i].gpa + (segs[i].len - 1) < segs[i].gpa)
			return FPH_PEER_RANGE;
		sum += segs[i].len;
	}
	*bytes = sum;
	return FPH_OK;
}

static void free_all(struct fph_window *w)
{
	uint32_t i;

	for (i = 0; i < w->nchains; i++)
		w->chains[i].link = i + 1 < w->nchains ? i + 1 : NIL;
	w->nfree = w->nchains;
	w->free_head = 0;
	w->ready_head = NIL;
	w->ready_tail = NIL;
	w->noutstanding = 0;
}

int fph_window_init(struct fph_window *w, const struct fph_storage *storage,
		    uint64_t granule)
{
	int ret;

	if (!storage->nchains || storage->nchains > NIL)
		return FPH_EINVAL;
	ret = fph_coalescer_init(&w->ranges, storage->slots, storage->nslots,
				 granule);
	if (ret != FPH_OK)
		return ret;
	w->chains = storage->chains;
	w->nchains = storage->nchains;
	free_all(w);
	return FPH_OK;
}

void fph_window_reset(struct fph_window *w)
{
	fph_coalescer_reset(&w->ranges);
	free_all(w);
}

int fph_window_get_room(const struct fph_window *w, uint32_t nsegs)
{
	if (nsegs > w->ranges.nslots)
		return FPH_EINVAL;
	if (!w->nfree || nsegs > w->ranges.nfree)
		return FPH_EFULL;
	return FPH_OK;
}

/* ---------------------------------------------------------------- chains -- */

static uint32_t take_chain(struct fph_window *w, uint64_t cookie,
			   enum fph_outcome outcome)
{
	uint32_t i = w->free_head;
	struct fph_chain *chain = &w->chains[i];

	w->free_head = chain->link;
	w->nfree--;
	chain->cookie = cookie;
	chain->pending = 0;
	chain->link = NIL;
	chain->outcome = (uint32_t)outcome;
	chain->reserved = 0;
	return i;
}

static void make_ready(struct fph_window *w, uint32_t i)
{
	if (w->ready_head == NIL)
		w->ready_head = i;
	else
		w->chains[w->ready_tail].link = i;
	w->ready_tail = i;
}

/* A failure weighs more than being left alone, and that more than success. */
static void note_outcome(struct fph_chain *chain, enum fph_outcome outcome)
{
	if (outcome == FPH_OUTCOME_FAILED ||
	    (outcome == FPH_OUTCOME_IGNORED &&
	     chain->outcome == FPH_OUTCOME_DONE))
		chain->outcome = (uint32_t)outcome;
}

/* One range of chain i is no longer pending. */
static void resolve(struct fph_window *w, uint32_t i, enum fph_outcome outcome)
{
	struct fph_chain *chain = &w->chains[i];

	note_outcome(chain, outcome);
	chain->pending--;
	if (!chain->pending)
		make_ready(w, i);
}

void fph_window_add(struct fph_window *w, uint64_t cookie,
		    const struct fph_seg *segs, uint32_t nsegs)
{
	uint32_t i = take_chain(w, cookie, FPH_OUTCOME_DONE);
	uint32_t n;

	w->chains[i].pending = nsegs;
	for (n = 0; n < nsegs; n++)
		fph_coalescer_add(&w->ranges, segs[n].gpa, segs[n].len, i);
	if (!nsegs)
		make_ready(w, i);
}

void fph_window_add_ready(struct fph_window *w, uint64_t cookie,
			  enum fph_outcome outcome)
{
	make_ready(w, take_chain(w, cookie, outcome));
}

int fph_window_end(struct fph_window *w, struct fph_chain_end *end)
{
	uint32_t i = w->ready_head;
	struct fph_chain *chain;

	if (i == NIL)
		return 0;
	chain = &w->chains[i];
	w->ready_head = chain->link;
	end->cookie = chain->cookie;
	end->outcome = (enum fph_outcome)chain->outcome;
	chain->link = w->free_head;
	w->free_head = i;
	w->nfree++;
	return 1;
}

/* ------------------------------------------------------------------ runs -- */

static void resolve_run(struct fph_window *w, uint32_t token,
			enum fph_outcome outcome)
{
	struct fph_member m;

	while (fph_coalescer_complete(&w->ranges, &token, &m) == 1)
		resolve(w, m.owner, outcome);
}

int fph_window_next(struct fph_window *w, struct fph_run *run)
{
	struct fph_run r;

	while (fph_coalescer_next(&w->ranges, &r) == 1) {
		if (r.len) {
			w->noutstanding++;
			*run = r;
			return 1;
		}
		/* Nothing whole is in it, and so there is nothing to do. */
		resolve_run(w, r.token, FPH_OUTCOME_DONE);
	}
	return 0;
}

int fph_window_complete(struct fph_window *w, const struct fph_run *run,
			bool ok)
{
	struct fph_run out;
	int ret = fph_coalescer_find(&w->ranges, run->token, &out);

	if (ret != FPH_OK)
		return ret;
	/* A token of an earlier run whose slot was used again. */
	if (out.gpa != run->gpa || out.len != run->len)
		return FPH_EINVAL;
	resolve_run(w, run->token,
		    ok ? FPH_OUTCOME_DONE : FPH_OUTCOME_FAILED);
	w->noutstanding--;
	return FPH_OK;
}

void fph_window_drop(struct fph_window *w, uint64_t *ranges, uint64_t *bytes)
{
	struct fph_member m;

	while (fph_coalescer_drop(&w->ranges, &m) == 1) {
		*ranges += 1;
		*bytes += m.range.len;
		resolve(w, m.owner, FPH_OUTCOME_IGNORED);
	}
}
