/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The guest's side of free page hinting: ranges in and out.  What state allows
 * which call stands in hinter_round.c.
 */
#include "hinter.h"

/* ------------------------------------------------------------------ init -- */

#define FIRST_SIZE	sizeof(struct fph_hinter_params)
#define MAX_COMMANDS	16u
#define MAX_CHAIN	32768u		/* entries of the largest ring */
#define FLAGS		(FPH_HINTER_METADATA_OUTSIDE | FPH_HINTER_NO_MERGE | \
			 FPH_HINTER_INDIRECT)

static bool is_allowed(const struct fph_hinter_params *p)
{
	return (p->features & FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT)) &&
	       p->content == FPH_CONTENT_FREE &&
	       (p->mode != FPH_HINTER_NEVER ||
		(p->flags & FPH_HINTER_METADATA_OUTSIDE));
}

/*
 * Reads parameters and fills in what has a default: FPH_OK, FPH_EINVAL,
 * FPH_EREFUSED.
 */
static int read_params(struct fph_hinter_params *p,
		       struct fph_pool_config *c,
		       const struct fph_hinter_params *params)
{
	if (!fph_params_read(p, sizeof(*p), params, FIRST_SIZE))
		return FPH_EINVAL;
	if (!p->mode)
		p->mode = FPH_HINTER_UNTIL_USED;
	if (!p->endian)
		p->endian = FPH_LE;
	if (!p->commands)
		p->commands = 2;
	c->head = sizeof(struct fph_hinter);
	c->content = p->content;
	c->max_ranges = p->max_ranges;
	c->max_batches = p->max_hints ? p->max_hints : 64;
	c->others = p->commands;
	c->max_segs = p->max_segs;
	if (!fph_pool_configure(c) || p->mode > FPH_HINTER_NEVER ||
	    (p->flags & ~FLAGS) || p->reserved ||
	    (p->endian != FPH_LE && p->endian != FPH_BE) ||
	    p->commands < 2 || p->commands > MAX_COMMANDS)
		return FPH_EINVAL;
	/* Without it the room in the ring is the bound. */
	if ((p->flags & FPH_HINTER_INDIRECT) && c->max_segs > MAX_CHAIN)
		return FPH_EINVAL;
	return is_allowed(p) ? FPH_OK : FPH_EREFUSED;
}

size_t fph_hinter_size(const struct fph_hinter_params *params)
{
	struct fph_hinter_params p;
	struct fph_pool_config c;

	return read_params(&p, &c, params) == FPH_OK ? c.size : 0;
}

int fph_hinter_init(struct fph_hinter **out, void *mem, size_t size,
		    const struct fph_hinter_params *params)
{
	struct fph_hinter_params p;
	struct fph_pool_config c;
	struct fph_hinter *h = out ? mem : NULL;
	int ret = fph_pool_place(h, size, read_params(&p, &c, params), &c);

	if (ret != FPH_OK)
		return ret;
	h->indirect = p.flags & FPH_HINTER_INDIRECT;
	h->magic = FPH_HINTER_MAGIC;
	h->state = FPH_HINTER_IDLE;
	h->mode = p.mode;
	h->endian = p.endian;
	h->ncommands = p.commands;
	h->nfree = p.commands;
	h->commands_gpa = p.commands_gpa;
	fph_pool_start(&h->pool, mem, &c);
	h->pool.merge = !(p.flags & FPH_HINTER_NO_MERGE);
	h->pool.absorb = p.mode == FPH_HINTER_NEVER;
	*out = h;
	return FPH_OK;
}

/* ------------------------------------------------------------------- add -- */

uint32_t fph_hinter_get_id(const struct fph_hinter *h)
{
	if (!fph_hinter_is_init(h) || h->finished)
		return 0;
	return h->state == FPH_HINTER_ACTIVE ? h->id : h->wanted;
}

int fph_hinter_add(struct fph_hinter *h, uint32_t id,
		   const struct fph_owned_range *ranges, uint32_t n)
{
	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	if (!id || id != fph_hinter_get_id(h))
		return FPH_ESTATE;
	return fph_pool_add(&h->pool, ranges, n, 0);
}

int fph_hinter_flush(struct fph_hinter *h)
{
	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	fph_pool_flush(&h->pool);
	return FPH_OK;
}

int fph_hinter_finish_input(struct fph_hinter *h)
{
	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	if (h->state != FPH_HINTER_ACTIVE && !h->wanted)
		return FPH_ESTATE;
	h->finished = true;
	return FPH_OK;
}

/* ------------------------------------------------------------- take back -- */

static int count_returned(struct fph_hinter *h, uint32_t n)
{
	h->counters.returned += n;
	return (int)n;
}

int fph_hinter_take_back(struct fph_hinter *h, struct fph_returned *ranges,
			 uint32_t n)
{
	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	if (!n)
		return FPH_EINVAL;
	return count_returned(h, fph_pool_take_back(&h->pool, ranges, n));
}

int fph_hinter_shrink(struct fph_hinter *h, struct fph_returned *ranges,
		      uint32_t n)
{
	struct fph_pool *p;
	uint32_t done;

	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	if (!n)
		return FPH_EINVAL;
	/* Nobody holds what waits there. */
	if (h->mode == FPH_HINTER_NEVER)
		return 0;
	p = &h->pool;
	done = fph_pool_take_back(p, ranges, n);
	done += fph_pool_take(p, &h->held, ranges + done, n - done, true);
	done += fph_pool_take_waiting(p, ranges + done, n - done);
	if (h->mode == FPH_HINTER_HOLD)
		done += fph_pool_take_outstanding(p, ranges + done, n - done);
	else if (!done && p->outstanding.ranges)
		return FPH_EBUSY;
	return count_returned(h, done);
}

/* ------------------------------------------------------------------- get -- */

int fph_hinter_get_state(const struct fph_hinter *h)
{
	return fph_hinter_is_init(h) ? (int)h->state : FPH_EUNINIT;
}

int fph_hinter_get_amounts(const struct fph_hinter *h,
			   struct fph_hinter_amounts *out, size_t size)
{
	struct fph_hinter_amounts a;

	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	fph_memset(&a, 0, sizeof(a));
	a.waiting = h->pool.waiting;
	a.outstanding = h->pool.outstanding;
	a.used = h->held.amount;
	a.back = fph_pool_get_back(&h->pool);
	a.buffers = h->pool.nbatches;
	if (h->mode != FPH_HINTER_NEVER) {
		a.held = a.back;
		fph_amount_add(&a.held, &a.waiting);
		fph_amount_add(&a.held, &a.outstanding);
		fph_amount_add(&a.held, &a.used);
	}
	return fph_copy_out(out, size, &a, sizeof(a));
}

int fph_hinter_get_counters(const struct fph_hinter *h,
			    struct fph_hinter_counters *out, size_t size)
{
	if (!fph_hinter_is_init(h))
		return FPH_EUNINIT;
	return fph_copy_out(out, size, &h->counters, sizeof(h->counters));
}
