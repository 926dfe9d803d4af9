/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The balloon device: the object, features, config space, counters.
 *
 * The device as a whole is in one of four conditions, which can overlap:
 *
 *		process		next	flush	left by
 *  normal	takes		gives	returns
 *  frozen	0		0	0	thaw, as often as freeze
 *  resetting	0		0	0	reset, once nothing is out
 *  broken	PEER_BROKEN	gives	returns	reset
 *
 * complete works in all of them, for it ends what was begun before.
 */
#include <stdlib.h>
#include <string.h>

#include "balloon_internal.h"

#define TRANSPORT_FEATURES	(FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
				 FPH_BIT(VIRTIO_RING_F_EVENT_IDX) | \
				 FPH_BIT(VIRTIO_F_VERSION_1))

#define PAGE	((uint64_t)1 << VIRTIO_BALLOON_PFN_SHIFT)

static int check_params(const struct fph_balloon_params *p)
{
	const unsigned char *b = (const unsigned char *)p;

	if (!p || p->size < sizeof(*p))
		return FPH_EINVAL;
	/* Members of a later version that are in use cannot be ignored. */
	for (size_t i = sizeof(*p); i < p->size; i++) {
		if (b[i])
			return FPH_EINVAL;
	}
	if (!p->memory)
		return FPH_EINVAL;
	if (p->features & ~(FPH_BALLOON_FEATURES | TRANSPORT_FEATURES))
		return FPH_EINVAL;
	if (p->granule && p->granule < PAGE)
		return FPH_EINVAL;
	if (p->numbering < 0 || p->numbering > FPH_NUMBERING_OFFERED)
		return FPH_EINVAL;
	return FPH_OK;
}

static int init_core(struct fph_balloon *b, uint64_t granule,
		     uint32_t first_id)
{
	struct fph_storage report = {
		b->report_slots, REPORT_SLOTS, b->report_chains, REPORT_CHAINS
	};
	struct fph_storage inflate = {
		b->inflate_slots, INFLATE_SLOTS,
		b->inflate_chains, INFLATE_CHAINS
	};
	struct fph_storage hint = {
		b->hint_slots, HINT_SLOTS, b->hint_chains, HINT_CHAINS
	};
	int ret = fph_report_init(&b->report, &report, granule);

	if (ret == FPH_OK)
		ret = fph_report_init(&b->inflate, &inflate, granule);
	if (ret == FPH_OK)
		ret = fph_hint_session_init(&b->hint, &hint, granule,
					    first_id);
	return ret;
}

/* The byte order of everything but config space, which is always FPH_LE. */
static int get_endian(uint64_t negotiated)
{
	if (negotiated & FPH_BIT(VIRTIO_F_VERSION_1))
		return FPH_LE;
	/* Legacy: the guest's own, and it runs on this host. */
	return FPH_HOST_BIG_ENDIAN ? FPH_BE : FPH_LE;
}

/* The core's reset makes it FPH_LE again. */
static void set_endian(struct fph_balloon *b)
{
	b->endian = get_endian(b->negotiated);
	(void)fph_hint_session_set_endian(&b->hint, b->endian);
}

struct fph_balloon *fph_balloon_new(const struct fph_balloon_params *p,
				    int *status)
{
	struct fph_balloon *b = NULL;
	int ret = check_params(p);

	if (ret == FPH_OK) {
		b = calloc(1, sizeof(*b));
		ret = b ? init_core(b, p->granule ? p->granule : PAGE,
				    p->first_id ? p->first_id :
						  VIRTIO_BALLOON_CMD_ID_MIN) :
			  FPH_ENOMEM;
	}
	if (ret == FPH_OK) {
		b->memory = p->memory;
		b->offered = p->features | FPH_BIT(VIRTIO_F_VERSION_1);
		b->numbering = p->numbering;
		b->num_pages = p->num_pages;
		set_endian(b);
	} else {
		free(b);
		b = NULL;
	}
	if (status)
		*status = ret;
	return b;
}

void fph_balloon_free(struct fph_balloon *b)
{
	free(b);
}

int fph_balloon_reset(struct fph_balloon *b)
{
	struct balloon_hint_view before = fph_balloon_look(b);

	b->resetting = true;
	if (fph_balloon_get_outstanding(b))
		return FPH_EBUSY;

	(void)fph_report_reset(&b->report);
	(void)fph_report_reset(&b->inflate);
	(void)fph_hint_session_reset(&b->hint);
	memset(b->ring, 0, sizeof(b->ring));
	memset(&b->stats, 0, sizeof(b->stats));
	b->negotiated = 0;
	b->seen = 0;
	b->actual = 0;
	b->poison_val = 0;
	b->notify = 0;
	b->broken = false;
	b->resetting = false;
	set_endian(b);
	fph_balloon_note(b, &before);
	return FPH_OK;
}

/* -------------------------------------------------------------- features -- */

uint64_t fph_balloon_get_features(const struct fph_balloon *b)
{
	return b->offered;
}

/* R4: with a nonzero value in use, a report is returned without a discard. */
static void update_poison(struct fph_balloon *b)
{
	bool negotiated = b->negotiated &
			  FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON);

	if (!negotiated)
		b->poison_val = 0;
	(void)fph_report_set_poison(&b->report, negotiated, b->poison_val);
}

int fph_balloon_set_features(struct fph_balloon *b, uint64_t negotiated)
{
	struct balloon_hint_view before = fph_balloon_look(b);

	if (negotiated & ~b->offered)
		return FPH_EINVAL;
	for (uint32_t i = 0; i < FPH_NQUEUES; i++) {
		if (b->ring[i].running)
			return FPH_ESTATE;
	}
	b->negotiated = negotiated;
	update_poison(b);
	/*
	 * The round of an earlier driver does not concern one that has no
	 * hints or writes its command ids otherwise.  No ring runs, so no
	 * hint is in flight and the stop is never busy.
	 */
	if (!(negotiated & FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT)) ||
	    get_endian(negotiated) != b->endian)
		(void)fph_hint_session_stop(&b->hint);
	set_endian(b);
	fph_balloon_note(b, &before);
	return FPH_OK;
}

/* ---------------------------------------------------------- config space -- */

uint32_t fph_balloon_get_config_size(const struct fph_balloon *b)
{
	return fph_config_get_size(b->offered);
}

static void encode_config(const struct fph_balloon *b, uint8_t *space)
{
	struct fph_balloon_config config = {
		.num_pages = b->num_pages,
		.actual = b->actual,
		.free_page_hint_cmd_id = fph_hint_session_get_config(&b->hint),
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
		update_poison(b);
	}
}

void fph_balloon_set_target(struct fph_balloon *b, uint32_t num_pages)
{
	if (num_pages == b->num_pages)
		return;
	b->num_pages = num_pages;
	b->events |= FPH_EVENT_CONFIG;
}

uint32_t fph_balloon_get_target(const struct fph_balloon *b)
{
	return b->num_pages;
}

uint32_t fph_balloon_get_actual(const struct fph_balloon *b)
{
	return b->actual;
}

/* --------------------------------------------- discards, freeze and thaw -- */

int fph_balloon_next(struct fph_balloon *b, struct fph_discard *d)
{
	if (b->frozen || b->resetting)
		return 0;
	if (fph_report_next(&b->report, &d->run) == 1) {
		d->queue = FPH_QUEUE_REPORT;
		return 1;
	}
	if (fph_report_next(&b->inflate, &d->run) == 1) {
		d->queue = FPH_QUEUE_INFLATE;
		return 1;
	}
	return 0;
}

int fph_balloon_complete(struct fph_balloon *b, const struct fph_discard *d,
			 bool ok)
{
	if (d->queue == FPH_QUEUE_REPORT)
		return fph_report_complete(&b->report, &d->run, ok);
	if (d->queue == FPH_QUEUE_INFLATE)
		return fph_report_complete(&b->inflate, &d->run, ok);
	return FPH_EINVAL;
}

uint32_t fph_balloon_get_outstanding(const struct fph_balloon *b)
{
	return fph_report_get_outstanding(&b->report) +
	       fph_report_get_outstanding(&b->inflate) +
	       fph_hint_session_get_outstanding(&b->hint);
}

int fph_balloon_freeze(struct fph_balloon *b)
{
	b->frozen++;
	return fph_balloon_get_outstanding(b) ? FPH_EBUSY : FPH_OK;
}

int fph_balloon_thaw(struct fph_balloon *b)
{
	if (!b->frozen)
		return FPH_ESTATE;
	b->frozen--;
	return FPH_OK;
}

/* ---------------------------------------------------- events, counters -- */

uint32_t fph_balloon_get_events(struct fph_balloon *b)
{
	uint32_t events = b->events;

	b->events = 0;
	return events;
}

void fph_balloon_get_counters(const struct fph_balloon *b,
			      struct fph_balloon_counters *out)
{
	memset(out, 0, sizeof(*out));
	(void)fph_report_get_counters(&b->report, &out->report);
	(void)fph_report_get_counters(&b->inflate, &out->inflate);
	(void)fph_hint_session_get_counters(&b->hint, &out->hint);
	out->deflated = b->deflated;
	out->stats = b->stats_read;
	memcpy(out->queue, b->count, sizeof(out->queue));
	out->last_error = b->last_error;
}

bool fph_balloon_is_broken(const struct fph_balloon *b)
{
	return b->broken;
}
