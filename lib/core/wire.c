/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The wire: config space, command ids, page frames, statistics, queue
 * numbering.
 */
#include "common.h"

#define PFN_SIZE	4u
#define PAGE_MASK	(((uint64_t)1 << VIRTIO_BALLOON_PFN_SHIFT) - 1)

/* A page frame number has 32 bits: the first address beyond them. */
#define PFN_GPA_END	((uint64_t)1 << (32 + VIRTIO_BALLOON_PFN_SHIFT))

/* ---------------------------------------------------------- config space -- */

static bool has_field(size_t len, uint32_t off)
{
	return len >= off + 4;
}

static uint32_t get_field(const uint8_t *buf, size_t len, uint32_t off,
			  uint32_t has, uint32_t *present)
{
	if (!has_field(len, off))
		return 0;
	*present |= has;
	return fph_get32(buf + off, FPH_LE);
}

int fph_config_decode(struct fph_balloon_config *out, const void *buf,
		      size_t len)
{
	uint32_t present = 0;

	out->num_pages = get_field(buf, len, FPH_CONFIG_NUM_PAGES,
				   FPH_HAS_NUM_PAGES, &present);
	out->actual = get_field(buf, len, FPH_CONFIG_ACTUAL,
				FPH_HAS_ACTUAL, &present);
	out->free_page_hint_cmd_id = get_field(buf, len, FPH_CONFIG_CMD_ID,
					       FPH_HAS_CMD_ID, &present);
	out->poison_val = get_field(buf, len, FPH_CONFIG_POISON_VAL,
				    FPH_HAS_POISON_VAL, &present);
	out->present = present;
	return FPH_OK;
}

static void put_field(uint8_t *buf, size_t len, uint32_t off, uint32_t v)
{
	if (has_field(len, off))
		fph_put32(buf + off, v, FPH_LE);
}

int fph_config_encode(void *buf, size_t len,
		      const struct fph_balloon_config *config)
{
	fph_memset(buf, 0, len);
	put_field(buf, len, FPH_CONFIG_NUM_PAGES, config->num_pages);
	put_field(buf, len, FPH_CONFIG_ACTUAL, config->actual);
	put_field(buf, len, FPH_CONFIG_CMD_ID, config->free_page_hint_cmd_id);
	put_field(buf, len, FPH_CONFIG_POISON_VAL, config->poison_val);
	return FPH_OK;
}

uint32_t fph_config_size(uint64_t features)
{
	if (features & FPH_BIT(VIRTIO_BALLOON_F_PAGE_POISON))
		return FPH_CONFIG_POISON_VAL + 4;
	if (features & FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		return FPH_CONFIG_CMD_ID + 4;
	return FPH_CONFIG_ACTUAL + 4;
}

/* ----------------------------------------------------------- command ids -- */

int fph_cmd_id_decode(uint32_t *id, const void *buf, size_t len, int endian)
{
	if (!fph_is_endian(endian))
		return FPH_EINVAL;
	if (len != FPH_CMD_ID_SIZE)
		return FPH_PEER_CMD_LEN;
	*id = fph_get32(buf, endian);
	return FPH_OK;
}

int fph_cmd_id_encode(void *buf, uint32_t id, int endian)
{
	if (!fph_is_endian(endian))
		return FPH_EINVAL;
	fph_put32(buf, id, endian);
	return FPH_OK;
}

uint32_t fph_cmd_id_next(uint32_t id)
{
	if (id < VIRTIO_BALLOON_CMD_ID_MIN)
		return VIRTIO_BALLOON_CMD_ID_MIN;
	return id + 1;
}

/* ----------------------------------------------- page frames, statistics -- */

static bool is_place(size_t len, size_t off, uint32_t n, int endian)
{
	return fph_is_endian(endian) && n && off <= len;
}

/* What a call that read i entries up to off answers. */
static int end_read(uint32_t i, size_t len, size_t *off, size_t at)
{
	*off = at;
	if (i)
		return (int)i;
	return at == len ? 0 : FPH_PEER_SHORT;
}

int fph_pfn_decode(uint64_t *gpas, uint32_t n, const void *buf, size_t len,
		   size_t *off, int endian)
{
	const uint8_t *p = buf;
	size_t at = *off;
	uint32_t i;

	if (!is_place(len, at, n, endian))
		return FPH_EINVAL;
	for (i = 0; i < n && len - at >= PFN_SIZE; i++, at += PFN_SIZE)
		gpas[i] = (uint64_t)fph_get32(p + at, endian)
			  << VIRTIO_BALLOON_PFN_SHIFT;
	return end_read(i, len, off, at);
}

static bool is_pfn(uint64_t gpa)
{
	return !(gpa & PAGE_MASK) && gpa < PFN_GPA_END;
}

int fph_pfn_encode(void *buf, size_t len, size_t *off, const uint64_t *gpas,
		   uint32_t n, int endian)
{
	uint8_t *p = buf;
	size_t at = *off;
	uint32_t i;

	if (!is_place(len, at, n, endian) || !is_pfn(gpas[0]))
		return FPH_EINVAL;
	for (i = 0; i < n && len - at >= PFN_SIZE; i++, at += PFN_SIZE) {
		if (!is_pfn(gpas[i]))
			break;
		fph_put32(p + at,
			  (uint32_t)(gpas[i] >> VIRTIO_BALLOON_PFN_SHIFT),
			  endian);
	}
	*off = at;
	return i ? (int)i : FPH_EFULL;
}

int fph_stat_decode(struct fph_stat *stats, uint32_t n, const void *buf,
		    size_t len, size_t *off, int endian)
{
	const uint8_t *p = buf;
	size_t at = *off;
	uint32_t i;

	if (!is_place(len, at, n, endian))
		return FPH_EINVAL;
	for (i = 0; i < n && len - at >= FPH_STAT_SIZE; i++) {
		stats[i] = (struct fph_stat){
			.tag = fph_get16(p + at, endian),
			.val = fph_get64(p + at + 2, endian)
		};
		at += FPH_STAT_SIZE;
	}
	return end_read(i, len, off, at);
}

int fph_stat_encode(void *buf, size_t len, size_t *off,
		    const struct fph_stat *stats, uint32_t n, int endian)
{
	uint8_t *p = buf;
	size_t at = *off;
	uint32_t i;

	if (!is_place(len, at, n, endian))
		return FPH_EINVAL;
	for (i = 0; i < n && len - at >= FPH_STAT_SIZE; i++) {
		fph_put16(p + at, stats[i].tag, endian);
		fph_put64(p + at + 2, stats[i].val, endian);
		at += FPH_STAT_SIZE;
	}
	*off = at;
	return i ? (int)i : FPH_EFULL;
}

/* ------------------------------------------------------- queue numbering -- */

/* The feature that brings a queue; 0: the queue is always there. */
static const uint8_t queue_feature[FPH_NQUEUES] = {
	0,
	0,
	FPH_BIT(VIRTIO_BALLOON_F_STATS_VQ),
	FPH_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT),
	FPH_BIT(VIRTIO_BALLOON_F_PAGE_REPORTING)
};

static bool has_queue(int queue, uint64_t features)
{
	return !queue_feature[queue] || (queue_feature[queue] & features);
}

static bool is_numbering(int numbering)
{
	return numbering >= FPH_NUMBERING_FIXED &&
	       numbering <= FPH_NUMBERING_OFFERED;
}

static int count_below(int queue, uint64_t features)
{
	int count = 0;
	int q;

	for (q = 0; q < queue; q++)
		count += has_queue(q, features);
	return count;
}

int fph_queue_index(int queue, int numbering, uint64_t offered,
			uint64_t negotiated)
{
	if (queue < 0 || queue >= FPH_NQUEUES || !is_numbering(numbering) ||
	    (negotiated & ~offered))
		return FPH_EINVAL;
	if (!has_queue(queue, negotiated))
		return FPH_ENOENT;
	if (numbering == FPH_NUMBERING_NEGOTIATED)
		return count_below(queue, negotiated);
	if (numbering == FPH_NUMBERING_OFFERED)
		return count_below(queue, offered);
	return queue;
}

/* The indices of all negotiated queues, one bit each. */
static uint32_t get_indices(int numbering, uint64_t offered,
			    uint64_t negotiated)
{
	uint32_t indices = 0;
	int queue, index;

	for (queue = 0; queue < FPH_NQUEUES; queue++) {
		index = fph_queue_index(queue, numbering, offered,
					    negotiated);
		if (index >= 0)
			indices |= 1u << index;
	}
	return indices;
}

/*
 * A driver with fixed numbering may have to set up every queue below its last:
 * some only hold the place of one that was not negotiated.
 */
static bool holds_places(uint32_t enabled, uint32_t fixed)
{
	uint32_t both = enabled & fixed;

	/* Either set alone has nothing above the last index of both. */
	return (both ^ enabled) < both && (both ^ fixed) < both;
}

static bool fits(int numbering, uint32_t enabled, uint32_t indices)
{
	return !(enabled & ~indices) ||
	       (numbering == FPH_NUMBERING_FIXED &&
		holds_places(enabled, indices));
}

int fph_queue_infer(int *numbering, uint64_t offered, uint64_t negotiated,
		    uint32_t enabled, int preferred)
{
	uint32_t indices[FPH_NUMBERING_OFFERED + 1] = { 0 };
	int chosen = 0;
	int count = 0;
	int n, m;

	if (!is_numbering(preferred) || (negotiated & ~offered))
		return FPH_EINVAL;
	for (n = FPH_NUMBERING_FIXED; n <= FPH_NUMBERING_OFFERED; n++) {
		indices[n] = get_indices(n, offered, negotiated);
		if (!fits(n, enabled, indices[n]))
			continue;
		if (!chosen || n == preferred)
			chosen = n;
		/* The order of queues is fixed: equal sets, equal indices. */
		m = FPH_NUMBERING_FIXED;
		while (indices[m] != indices[n])
			m++;
		count += m == n;
	}
	*numbering = chosen ? chosen : preferred;
	return count;
}
