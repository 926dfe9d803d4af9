/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of a hinter.
 *
 *	u32 mode, u32 FLAG_*, u32 command buffers, u64 where those are: as it was
 *	    made
 *	u32 state
 *	u32 ids: of the round, wanted, begun, begun before, declined
 *	u32 DONEs that were read
 *	u32 cookie of the latest START
 *	u32 bit 0: that was used; bit 1: the device shows an active id; bit 2: no
 *	    more input for this id
 *	u64 for each of fph_hinter_counters, in their order
 *	a list: what is used and held until DONE
 *	free ranges: see pool_state.h
 */
#include "hinter.h"
#include "pool_state.h"

#define VERSION		1u

#define FLAG_BIG	1u
#define FLAG_INDIRECT	2u
#define FLAG_NO_MERGE	4u

#define STARTED		1u
#define SHOWS		2u
#define FINISHED	4u
#define BITS		7u

/* What there is beside counters and ranges. */
struct values {
	uint32_t state, id, wanted, begun, before, declined, rounds, start,
		 bits;
};

static uint32_t get_flags(const struct fph_hinter *h)
{
	return (h->endian == FPH_BE ? FLAG_BIG : 0) |
	       (h->indirect ? FLAG_INDIRECT : 0) |
	       (h->pool.merge ? 0 : FLAG_NO_MERGE);
}

int fph_hinter_save(const struct fph_hinter *h, void *buf, size_t size,
		    size_t *needed)
{
	struct fph_state_writer w;

	if (!h || h->magic != FPH_HINTER_MAGIC)
		return FPH_EUNINIT;
	if (!needed)
		return FPH_EINVAL;
	fph_state_begin(&w, buf, size);
	fph_state_put32(&w, h->mode);
	fph_state_put32(&w, get_flags(h));
	fph_state_put32(&w, h->ncommands);
	fph_state_put64(&w, h->commands_gpa);
	fph_state_put32(&w, h->state);
	fph_state_put32(&w, h->id);
	fph_state_put32(&w, h->wanted);
	fph_state_put32(&w, h->begun);
	fph_state_put32(&w, h->before);
	fph_state_put32(&w, h->declined);
	fph_state_put32(&w, h->rounds);
	fph_state_put32(&w, h->start);
	fph_state_put32(&w, (h->started ? STARTED : 0) |
			    (h->shows ? SHOWS : 0) |
			    (h->finished ? FINISHED : 0));
	fph_state_put_all(&w, &h->counters, sizeof(h->counters));
	fph_pool_save_list(&h->pool, &h->held, &w);
	fph_pool_save(&h->pool, 0, &w);
	return fph_state_end(&w, FPH_STATE_HINTER, VERSION, needed);
}

/* ------------------------------------------------------------------ load -- */

static void load_values(struct fph_state_reader *r, struct values *v)
{
	v->state = fph_state_get32(r);
	v->id = fph_state_get32(r);
	v->wanted = fph_state_get32(r);
	v->begun = fph_state_get32(r);
	v->before = fph_state_get32(r);
	v->declined = fph_state_get32(r);
	v->rounds = fph_state_get32(r);
	v->start = fph_state_get32(r);
	v->bits = fph_state_get32(r);
}

/* Buffers are what their places say.  Command buffers that are free. */
static bool count_free(const struct fph_hinter *h, uint32_t *nfree)
{
	const struct fph_pool *p = &h->pool;

	*nfree = h->ncommands;
	for (uint32_t i = p->batches[0].newer; i; i = p->batches[i].newer) {
		uint32_t tag = p->batches[i].tag;

		if (i <= p->max_batches ? tag != HINT :
					  tag != START && tag != STOP)
			return false;
		*nfree -= i > p->max_batches;
	}
	return true;
}

/* What the table of hinter_round.c lets be together. */
static bool is_state(const struct values *v, uint32_t nfree)
{
	switch (v->state) {
	case FPH_HINTER_IDLE:
		return !v->id && !v->wanted;
	case FPH_HINTER_WANTED:
		return !v->id && v->wanted;
	case FPH_HINTER_ACTIVE:
		return v->id && !v->wanted && nfree;
	case FPH_HINTER_STOPPING:
		return v->id && nfree;
	default:
		return false;
	}
}

/* Nobody holds anything in NEVER; only HOLD keeps what was used. */
static bool are_lists(const struct fph_hinter *h,
		      const struct fph_free_list *held)
{
	if (h->mode == FPH_HINTER_NEVER &&
	    (h->pool.back[false].head || h->pool.back[true].head))
		return false;
	return h->mode == FPH_HINTER_HOLD || !held->head;
}

static void commit(struct fph_hinter *h, const struct values *v)
{
	h->started = v->bits & STARTED;
	h->shows = v->bits & SHOWS;
	h->finished = v->bits & FINISHED;
	h->state = v->state;
	h->id = v->id;
	h->wanted = v->wanted;
	h->begun = v->begun;
	h->before = v->before;
	h->declined = v->declined;
	h->rounds = v->rounds;
	h->start = v->start;
}

int fph_hinter_load(struct fph_hinter *h, const void *buf, size_t size)
{
	struct fph_hinter_counters counters;
	struct fph_pool_loaded l = { .now = 0 };
	struct fph_free_list held;
	struct fph_state_reader in;
	struct values v;
	uint32_t nfree = 0;
	int ret;

	if (!h || h->magic != FPH_HINTER_MAGIC)
		return FPH_EUNINIT;
	ret = fph_pool_take_state(&h->pool, &in, buf, size, FPH_STATE_HINTER,
				  VERSION);
	if (ret != FPH_OK)
		return ret;
	if (fph_state_get32(&in) != h->mode ||
	    fph_state_get32(&in) != get_flags(h) ||
	    fph_state_get32(&in) != h->ncommands ||
	    fph_state_get64(&in) != h->commands_gpa)
		return FPH_EREFUSED;
	load_values(&in, &v);
	fph_state_get_all(&in, &counters, sizeof(counters));
	ret = fph_pool_load_list(&h->pool, &in, &l, &held);
	if (ret == FPH_OK)
		ret = fph_pool_load(&h->pool, &in, &l);
	if (ret == FPH_OK &&
	    (!fph_state_is_done(&in) || !count_free(h, &nfree) ||
	     !is_state(&v, nfree) || !are_lists(h, &held) || v.bits > BITS))
		ret = FPH_ECORRUPT;
	if (ret != FPH_OK) {
		fph_pool_forget(&h->pool);
		return ret;
	}
	commit(h, &v);
	h->nfree = nfree;
	h->held = held;
	h->counters = counters;
	return FPH_OK;
}
