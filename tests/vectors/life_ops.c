/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Steps of a story: the end of a device or of a queue, and what follows. */
#include <stdlib.h>

#include "story.h"

/* What was begun is not going on there. */
static void replace(struct story *s, struct fph_balloon *by)
{
	fph_balloon_free(s->balloon);
	s->balloon = by;
	s->ndiscards = 0;
	s->nskips = 0;
}

static struct fph_balloon *make_balloon(const struct story *s)
{
	struct fph_balloon *b = fph_balloon_new(&s->params, NULL);

	if (!b)
		die("no memory");
	return b;
}

/* Another device goes on from the saved state. */
static void restore(struct story *s, const struct fields *in,
		    struct fields *out)
{
	struct fph_balloon_ring rings[FPH_NQUEUES];
	struct fph_balloon *b = make_balloon(s);
	size_t size;
	void *state;

	(void)in;
	(void)out;
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		rings[i] = story_ring(s, i);
	(void)fph_balloon_save(s->balloon, NULL, 0, &size);
	state = malloc(size);
	if (!state || fph_balloon_save(s->balloon, state, size, &size) !=
	    FPH_OK)
		die("fph_balloon_save failed");
	if (fph_balloon_load(b, state, size, FPH_LOAD_MOVED, rings) != FPH_OK)
		die("fph_balloon_load failed");
	free(state);
	replace(s, b);
}

static uint32_t get_config(const struct story *s, uint32_t offset)
{
	uint8_t p[4];

	fph_balloon_get_config(s->balloon, offset, p, sizeof(p));
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

/* Another process has the rings, their records and what the VMM knows. */
static void takeover(struct story *s, const struct fields *in,
		     struct fields *out)
{
	struct fph_balloon *b = make_balloon(s);
	struct fph_balloon_state state = {
		.size = sizeof(state),
		.num_pages = fph_balloon_get_target(s->balloon),
		.negotiated = fph_balloon_get_negotiated(s->balloon),
		.actual = fph_balloon_get_actual(s->balloon),
		.poison_val = get_config(s, 12),
		.hint_id = s->last_id,
		.endian = FPH_LE
	};

	(void)in;
	(void)out;
	if (fph_balloon_restore(b, &state) != FPH_OK)
		die("fph_balloon_restore failed");
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		struct fph_balloon_ring ring = story_ring(s, i);

		if (!s->ring[i].up)
			continue;
		if (!ring.inflight)
			die("ring %u has no record", i);
		if (fph_balloon_ring_start(b, i, &ring) != FPH_OK ||
		    fph_balloon_ring_enable(b, i, true) != FPH_OK)
			die("fph_balloon_ring_start failed");
	}
	replace(s, b);
}

/* The reset of one queue: of the hinting queue only after the barrier. */
static void vq_reset(struct story *s, const struct fields *in,
		     struct fields *out)
{
	uint32_t index = story_index(in);
	int ret = FPH_OK;
	uint32_t base;

	if (fph_balloon_get_queue(s->balloon, index, NULL) == FPH_QUEUE_HINT)
		ret = fph_balloon_hint_stop(s->balloon);
	if (ret == FPH_OK)
		ret = fph_balloon_ring_stop(s->balloon, index, &base);
	if (ret == FPH_OK)
		s->ring[index].up = false;
	fields_set(out, "result", get_word(ret));
}

const struct story_op life_ops[] = {
	{ "restore", restore },
	{ "takeover", takeover },
	{ "vq_reset", vq_reset },
	{ NULL, NULL }
};
