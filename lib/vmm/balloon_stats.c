/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The statistics queue of the balloon device.
 *
 * The device holds the one buffer of the driver until somebody asks: then the
 * driver gets it back and offers new statistics.  A bad buffer is held as well:
 * if it came back at once, a driver that answers each return with new
 * statistics would keep both sides busy for ever.
 *
 * Legacy drivers have offered a first buffer with nothing in it, so what
 * nobody asked for is not read from them before anything was.
 */
#include <string.h>

#include "vmm/balloon_internal.h"

/* FPH_OK, FPH_PEER_* (the buffer is bad; *stats is unchanged). */
static int read_stats(struct fph_balloon *b, const struct fph_buffer *buffer,
		      const struct fph_seg *segs)
{
	uint8_t copy[FPH_BALLOON_NSTATS * FPH_STAT_SIZE];
	uint64_t total = 0;
	size_t len = sizeof(copy);
	size_t off = 0;
	int ret;

	if (buffer->nwrite)
		return FPH_PEER_DIRECTION;
	for (uint32_t i = 0; i < buffer->nread; i++)
		total += segs[i].len;
	if (total % FPH_STAT_SIZE)
		return FPH_PEER_SHORT;
	/* What is beyond the number that is kept is not looked at. */
	if (total < len)
		len = (size_t)total;
	ret = fph_memory_read(b->memory, segs, buffer->nread, 0, copy, len);
	if (ret != FPH_OK)
		return ret;
	ret = fph_stat_decode(b->stats.entry, FPH_BALLOON_NSTATS, copy, len,
			      &off, b->endian);
	b->stats.n = ret > 0 ? (uint32_t)ret : 0;
	return FPH_OK;
}

static void return_held(struct fph_balloon *b)
{
	struct balloon_stats *stats = &b->stats;
	struct fph_used used = {
		.cookie = fph_balloon_cookie(stats->ring, stats->cookie)
	};

	stats->held = false;
	fph_balloon_push(b, FPH_QUEUE_STATS, &used, 1);
}

static bool is_first_of_legacy(const struct fph_balloon *b)
{
	return !(b->negotiated & FPH_BIT(VIRTIO_F_VERSION_1)) &&
	       !b->stats.asked && !b->stats.n;
}

/* Statistics that are there to be read. */
static void read_one(struct fph_balloon *b, const struct fph_buffer *buffer,
		     const struct fph_seg *segs)
{
	struct fph_balloon_queue_counters *count = &b->count[FPH_QUEUE_STATS];
	int ret = read_stats(b, buffer, segs);

	if (ret == FPH_OK) {
		b->stats_read++;
		b->events |= FPH_EVENT_STATS;
	} else if (ret == FPH_PEER_UNMAPPED) {
		count->unmapped++;
	} else {
		count->peer_errors++;
	}
}

static void take_one(struct fph_balloon *b, const struct fph_buffer *buffer,
		     const struct fph_seg *segs)
{
	struct balloon_stats *stats = &b->stats;

	if (!is_first_of_legacy(b))
		read_one(b, buffer, segs);
	if (stats->held)
		return_held(b);
	stats->held = true;
	stats->asked = false;
	stats->ring = (uint32_t)(buffer->cookie >> 32);
	stats->cookie = buffer->cookie & 0xffffffffu;
}

void fph_balloon_take_stats(struct fph_balloon *b,
			    const struct fph_buffer *buffers, uint32_t n,
			    const struct fph_seg *segs)
{
	for (uint32_t i = 0; i < n; i++) {
		take_one(b, &buffers[i], segs);
		segs += buffers[i].nread + buffers[i].nwrite;
	}
}

int fph_balloon_stats_request(struct fph_balloon *b)
{
	if (!b)
		return FPH_EUNINIT;
	if (fph_balloon_is_held(b) || b->resetting || b->broken)
		return FPH_ESTATE;
	if (b->stats.asked)
		return FPH_OK;
	if (!b->stats.held || !b->ring[b->stats.ring].enabled)
		return FPH_ESTATE;
	return_held(b);
	b->stats.asked = true;
	return FPH_OK;
}

uint32_t fph_balloon_get_stats(const struct fph_balloon *b,
			       struct fph_stat *stats, uint32_t n)
{
	if (!b)
		return 0;
	if (n > b->stats.n)
		n = b->stats.n;
	if (n)
		memcpy(stats, b->stats.entry, n * sizeof(*stats));
	return n;
}
