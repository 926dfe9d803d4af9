/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The balloon device: the object, features, config space, counters.
 *
 * The device as a whole is in one of four conditions, which can overlap:
 *
 *		process		next	flush	left by
 *  normal	takes		gives	returns
 *  frozen	0		0 (1)	returns	thaw
 *   as HOLD	0		0	0	thaw
 *   as SKIP	takes		0 (1)	returns	thaw
 *  resetting	0		0	0	reset, once nothing is out
 *  broken	PEER_BROKEN	gives	returns	reset
 *
 * complete works in all of them: it ends what was begun before.
 *
 * (1) With HOLD_DEFLATE runs of what was deflated.
 */
#include <stdlib.h>
#include <string.h>

#include "core/common.h"
#include "vmm/balloon_internal.h"

#define QUEUE_SIZE	1024u	/* by default */
#define MAX_COLLECTED	((uint64_t)1 << 40)

#define BUFFERS		128u	/* reports in flight, and inflate buffers */
/* Room for a buffer of the longest kind while others are in flight. */
#define INFLATE_RANGES	(FPH_BALLOON_MAX_PFNS + 8192u)

#define TRANSPORT_FEATURES	(FPH_VRING_FEATURES | \
				 FPH_BIT(VIRTIO_F_VERSION_1))
#define BALLOON_FLAGS		(FPH_BALLOON_HOLD_DEFLATE | \
				 FPH_BALLOON_KEEP_GOOD_PART)

static bool is_granule(uint64_t *granule)
{
	if (!*granule)
		*granule = BALLOON_PAGE;
	return fph_is_power(*granule) && *granule >= BALLOON_PAGE;
}

/* Reads the parameters and puts the defaults in. */
static bool read_params(struct fph_balloon_params *p,
			const struct fph_balloon_params *params)
{
	if (!fph_params_read(p, sizeof(*p), params, sizeof(*p)))
		return false;
	if (!p->max_queue_size)
		p->max_queue_size = QUEUE_SIZE;
	if (!p->max_collected)
		p->max_collected = MAX_COLLECTED;
	if (!p->first_id)
		p->first_id = VIRTIO_BALLOON_CMD_ID_MIN;
	return p->memory && !(p->flags & ~BALLOON_FLAGS) &&
	       !(p->features & ~(FPH_BALLOON_FEATURES | TRANSPORT_FEATURES)) &&
	       is_granule(&p->report_granule) &&
	       is_granule(&p->inflate_granule) &&
	       is_granule(&p->hint_granule) &&
	       p->first_id >= VIRTIO_BALLOON_CMD_ID_MIN &&
	       p->numbering <= FPH_NUMBERING_OFFERED &&
	       p->max_queue_size <= FPH_VRING_MAX_SIZE;
}

bool fph_balloon_is_any_running(const struct fph_balloon *b)
{
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		if (b->ring[i].running)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------- new -- */

/*
 * Objects of the core and buffers are not touched until they are used, so they
 * come from malloc: calloc clears what an allocator has in hand, and a device
 * that does nothing yet had 540 KiB resident instead of 56.
 */
static bool make_report(struct fph_report **r, uint32_t queue,
			uint32_t max_ranges, uint64_t granule)
{
	struct fph_report_params p = {
		.size = sizeof(p),
		.max_ranges = max_ranges,
		.max_buffers = BUFFERS,
		.queue = queue,
		.granule = granule,
	};
	size_t size = fph_report_size(&p);
	void *mem = malloc(size);

	if (!mem)
		return false;
	(void)fph_report_init(r, mem, size, &p);
	return true;
}

static bool make_hint(struct fph_balloon *b,
		      const struct fph_balloon_params *bp)
{
	struct fph_hint_session_params p = {
		.size = sizeof(p),
		.max_ranges = 4 * bp->max_queue_size,
		.max_buffers = 2 * bp->max_queue_size,
		.first_id = bp->first_id,
		.granule = bp->hint_granule,
	};
	size_t size = fph_hint_session_size(&p);
	void *mem = malloc(size);

	if (!mem)
		return false;
	(void)fph_hint_session_init(&b->hint, mem, size, &p);
	return true;
}

/*
 * Inflated pages that are smaller than what can be freed are collected, in a
 * set in place of the one before.
 */
static bool make_collected(struct fph_balloon *b, uint64_t granule)
{
	struct fph_page_set_params p = {
		.page_size = (uint32_t)BALLOON_PAGE,
		.len = b->params.max_collected & ~(granule - 1),
		.granule = granule,
	};
	size_t size = granule == BALLOON_PAGE ? 0 : fph_page_set_size(&p);
	void *mem = size ? calloc(1, size) : NULL;

	if (size && !mem)
		return false;
	free(b->collected);
	b->collected = NULL;
	b->collect_granule = granule;
	if (mem)
		(void)fph_page_set_init(&b->collected, mem, size, &p);
	return true;
}

int fph_balloon_set_inflate_granule(struct fph_balloon *b, uint64_t granule)
{
	if (!b)
		return FPH_EUNINIT;
	if (!is_granule(&granule) || granule < b->params.inflate_granule)
		return FPH_EINVAL;
	if (fph_balloon_is_any_running(b))
		return FPH_ESTATE;
	return make_collected(b, granule) ? FPH_OK : FPH_ENOMEM;
}

static bool make_rings(struct fph_balloon *b)
{
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		b->ring[i].memory =
			malloc(FPH_VQ_DEVICE_SIZE(b->max_queue_size));
		b->ring[i].queue = FPH_ENOENT;
		if (!b->ring[i].memory)
			return false;
	}
	return true;
}

static bool make_parts(struct fph_balloon *b,
		       const struct fph_balloon_params *p)
{
	uint32_t ranges = 4 * p->max_queue_size;

	b->nsegs = p->max_queue_size + BALLOON_BATCH * 32;
	b->segs = malloc(b->nsegs * sizeof(*b->segs));
	b->frames = malloc(FPH_BALLOON_MAX_PFNS * sizeof(*b->frames));
	if (!b->segs || !b->frames)
		return false;
	if ((p->flags & FPH_BALLOON_HOLD_DEFLATE) &&
	    !make_report(&b->deflate, FPH_QUEUE_DEFLATE, INFLATE_RANGES,
			 BALLOON_PAGE))
		return false;
	return make_report(&b->report, FPH_QUEUE_REPORT, ranges,
			   p->report_granule) &&
	       make_report(&b->inflate, FPH_QUEUE_INFLATE, INFLATE_RANGES,
			   p->inflate_granule) &&
	       make_hint(b, p) && make_rings(b) &&
	       make_collected(b, p->inflate_granule);
}

struct fph_balloon *fph_balloon_new(const struct fph_balloon_params *params,
				    int *status)
{
	struct fph_balloon *b = NULL;
	struct fph_balloon_params p;
	int ret = FPH_EINVAL;

	if (read_params(&p, params)) {
		b = calloc(1, sizeof(*b));
		ret = b ? FPH_OK : FPH_ENOMEM;
	}
	if (b) {
		b->params = p;
		b->params.size = sizeof(p);
		b->memory = p.memory;
		b->flags = p.flags;
		b->max_queue_size = p.max_queue_size;
		b->offered = p.features | FPH_BIT(VIRTIO_F_VERSION_1);
		b->numbering = (int)p.numbering;
		b->num_pages = p.num_pages;
		b->legacy_endian = FPH_HOST_BIG_ENDIAN ? FPH_BE : FPH_LE;
		if (make_parts(b, &p)) {
			fph_balloon_update_endian(b);
		} else {
			fph_balloon_free(b);
			b = NULL;
			ret = FPH_ENOMEM;
		}
	}
	if (status)
		*status = ret;
	return b;
}

void fph_balloon_free_parts(struct fph_balloon *b)
{
	for (uint32_t i = 0; i < FPH_NQUEUES; i++)
		free(b->ring[i].memory);
	free(b->collected);
	free(b->hint);
	free(b->deflate);
	free(b->inflate);
	free(b->report);
	free(b->frames);
	free(b->segs);
}

void fph_balloon_free(struct fph_balloon *b)
{
	if (!b)
		return;
	fph_balloon_free_parts(b);
	free(b);
}

/* -------------------------------------------------------------- features -- */

uint64_t fph_balloon_get_features(const struct fph_balloon *b)
{
	return b ? b->offered : 0;
}

uint64_t fph_balloon_get_negotiated(const struct fph_balloon *b)
{
	return b ? b->negotiated : 0;
}

void fph_balloon_update_poison(struct fph_balloon *b)
{
	bool negotiated = b->negotiated &
			  FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON);

	if (!negotiated)
		b->poison_val = 0;
	(void)fph_report_set_poison(b->report, negotiated, b->poison_val);
}

/* Everything but config space, which is always FPH_LE. */
static int get_endian(const struct fph_balloon *b, uint64_t negotiated)
{
	return negotiated & FPH_BIT(VIRTIO_F_VERSION_1) ? FPH_LE :
							  b->legacy_endian;
}

struct balloon_hint_view fph_balloon_look(const struct fph_balloon *b)
{
	struct balloon_hint_view view = {
		fph_hint_session_get_state(b->hint),
		fph_hint_session_get_config(b->hint)
	};

	return view;
}

void fph_balloon_note(struct fph_balloon *b,
		      const struct balloon_hint_view *before)
{
	struct balloon_hint_view now = fph_balloon_look(b);

	if (now.state != before->state)
		b->events |= FPH_EVENT_HINT;
	if (now.config != before->config)
		b->events |= FPH_EVENT_CONFIG;
}

void fph_balloon_update_endian(struct fph_balloon *b)
{
	b->endian = get_endian(b, b->negotiated);
	(void)fph_hint_session_set_endian(b->hint, b->endian);
}

int fph_balloon_set_features(struct fph_balloon *b, uint64_t negotiated)
{
	struct balloon_hint_view before;

	if (!b)
		return FPH_EUNINIT;
	if (negotiated & ~b->offered)
		return FPH_EINVAL;
	if (fph_balloon_is_any_running(b))
		return FPH_ESTATE;
	before = fph_balloon_look(b);
	b->negotiated = negotiated;
	fph_balloon_update_poison(b);
	/*
	 * The round of an earlier driver does not concern one that has no
	 * hints or writes its command ids otherwise.  No ring runs, so no
	 * hint is in flight and the stop has nothing to wait for.
	 */
	if (!(negotiated & FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT)) ||
	    get_endian(b, negotiated) != b->endian)
		(void)fph_hint_session_stop(b->hint);
	fph_balloon_update_endian(b);
	fph_balloon_note(b, &before);
	return FPH_OK;
}

int fph_balloon_set_endian(struct fph_balloon *b, int endian)
{
	if (!b)
		return FPH_EUNINIT;
	if (!fph_is_endian(endian))
		return FPH_EINVAL;
	if (fph_balloon_is_any_running(b))
		return FPH_ESTATE;
	b->legacy_endian = endian;
	return fph_balloon_set_features(b, b->negotiated);
}

/* ---------------------------------------------------------- config space -- */

uint32_t fph_balloon_get_config_size(const struct fph_balloon *b)
{
	return b ? fph_config_size(b->offered) : 0;
}

static void encode_config(const struct fph_balloon *b, uint8_t *space)
{
	struct fph_balloon_config config = {
		.num_pages = b->num_pages,
		.actual = b->actual,
		.free_page_hint_cmd_id = fph_hint_session_get_config(b->hint),
		.poison_val = b->poison_val
	};

	(void)fph_config_encode(space, FPH_CONFIG_SIZE, &config);
}

/* How many of len bytes at offset are in config space. */
static uint32_t clip(const struct fph_balloon *b, uint32_t offset,
		     uint32_t len)
{
	uint32_t size = fph_balloon_get_config_size(b);

	if (offset >= size)
		return 0;
	return len < size - offset ? len : size - offset;
}

void fph_balloon_get_config(const struct fph_balloon *b, uint32_t offset,
			    void *buf, uint32_t len)
{
	uint32_t n = clip(b, offset, len);
	uint8_t space[FPH_CONFIG_SIZE];

	if (!len)
		return;
	memset(buf, 0, len);
	if (!n)
		return;
	encode_config(b, space);
	memcpy(buf, space + offset, n);
}

static bool touches(uint32_t offset, uint32_t n, uint32_t field)
{
	return offset < field + 4 && field < offset + n;
}

void fph_balloon_set_config(struct fph_balloon *b, uint32_t offset,
			    const void *buf, uint32_t len)
{
	struct fph_balloon_config config;
	uint32_t n = clip(b, offset, len);
	uint8_t space[FPH_CONFIG_SIZE];

	if (!n)
		return;
	/* A write may cover a part of a field: the other bytes stay. */
	encode_config(b, space);
	memcpy(space + offset, buf, n);
	(void)fph_config_decode(&config, space, sizeof(space));

	if (touches(offset, n, FPH_CONFIG_ACTUAL)) {
		b->actual = config.actual;
		b->events |= FPH_EVENT_ACTUAL;
	}
	if (touches(offset, n, FPH_CONFIG_POISON_VAL)) {
		b->poison_val = config.poison_val;
		fph_balloon_update_poison(b);
	}
}

void fph_balloon_set_target(struct fph_balloon *b, uint32_t num_pages)
{
	if (!b || num_pages == b->num_pages)
		return;
	b->num_pages = num_pages;
	b->events |= FPH_EVENT_CONFIG;
}

uint32_t fph_balloon_get_target(const struct fph_balloon *b)
{
	return b ? b->num_pages : 0;
}

uint32_t fph_balloon_get_actual(const struct fph_balloon *b)
{
	return b ? b->actual : 0;
}

/* ----------------------------------------------------- events, counters -- */

uint32_t fph_balloon_take_events(struct fph_balloon *b)
{
	uint32_t events;

	if (!b)
		return 0;
	events = b->events;
	b->events = 0;
	return events;
}

int fph_balloon_get_counters(const struct fph_balloon *b,
			     struct fph_balloon_counters *out, size_t size)
{
	struct fph_balloon_counters c;

	if (!b)
		return FPH_EUNINIT;
	memset(&c, 0, sizeof(c));
	(void)fph_report_get_counters(b->report, &c.report, sizeof(c.report));
	(void)fph_report_get_counters(b->inflate, &c.inflate,
				      sizeof(c.inflate));
	(void)fph_hint_session_get_counters(b->hint, &c.hint, sizeof(c.hint));
	c.deflated = b->deflated;
	c.collected = b->collected ? fph_page_set_get_pages(b->collected) *
				     BALLOON_PAGE : 0;
	c.stats = b->stats_read;
	memcpy(c.queue, b->count, sizeof(c.queue));
	c.queue[FPH_QUEUE_REPORT].peer_errors += c.report.peer_errors;
	c.queue[FPH_QUEUE_HINT].peer_errors += c.hint.peer_errors;
	c.last_error = b->last_error;
	return fph_copy_out(out, size, &c, sizeof(c));
}

bool fph_balloon_is_broken(const struct fph_balloon *b)
{
	return b && b->broken;
}
