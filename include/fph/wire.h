/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The wire: numbers and layouts of the virtio memory balloon device (device
 * ID 5) that free page hinting and free page reporting use.
 *
 * Source: virtio 1.4, "Memory Balloon Device".  Names are the
 * specification's; where Linux spells one otherwise the comment says so.
 * This header needs no other part of the library but status.h.  Pure functions:
 * any context, nothing is kept.
 */
#ifndef FPH_WIRE_H
#define FPH_WIRE_H

#include <fph/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Device ID. */
#define VIRTIO_ID_BALLOON			5

/* Feature bits, by number. */
#define VIRTIO_BALLOON_F_MUST_TELL_HOST		0
#define VIRTIO_BALLOON_F_STATS_VQ		1
#define VIRTIO_BALLOON_F_DEFLATE_ON_OOM		2
#define VIRTIO_BALLOON_F_FREE_PAGE_HINT		3
#define VIRTIO_BALLOON_F_PAGE_POISON		4
#define VIRTIO_BALLOON_F_PAGE_REPORTING		5  /* Linux: F_REPORTING */

/*
 * Device-independent feature bits that this library looks at.  Others, as
 * RING_RESET and SUSPEND, are the transport's own.
 */
#define VIRTIO_RING_F_INDIRECT_DESC		28
#define VIRTIO_RING_F_EVENT_IDX			29
#define VIRTIO_F_VERSION_1			32
#define VIRTIO_F_ACCESS_PLATFORM		33
#define VIRTIO_F_RING_PACKED			34
#define VIRTIO_F_IN_ORDER			35

#define FPH_BIT(n)	((uint64_t)1 << (n))

/* The balloon feature bits that have a meaning in the specification. */
#define FPH_BALLOON_FEATURES	((uint64_t)0x3f)

/* Values of free_page_hint_cmd_id and of command id buffers. */
#define VIRTIO_BALLOON_CMD_ID_STOP		0
#define VIRTIO_BALLOON_CMD_ID_DONE		1
#define VIRTIO_BALLOON_CMD_ID_MIN		2

/* Unit of num_pages, actual and page frame numbers: 4096 bytes, always. */
#define VIRTIO_BALLOON_PFN_SHIFT		12

/* Byte order of a value on the wire. */
enum fph_endian {
	FPH_LE = 1,
	FPH_BE = 2
};

/* ---------------------------------------------------------- config space -- */

#define FPH_CONFIG_NUM_PAGES		0u	/* offsets, in bytes */
#define FPH_CONFIG_ACTUAL		4u
#define FPH_CONFIG_CMD_ID		8u
#define FPH_CONFIG_POISON_VAL		12u
#define FPH_CONFIG_SIZE			16u

/* Which fields a config space holds: fph_balloon_config.present. */
#define FPH_HAS_NUM_PAGES		1u
#define FPH_HAS_ACTUAL			2u
#define FPH_HAS_CMD_ID			4u
#define FPH_HAS_POISON_VAL		8u

struct fph_balloon_config {
	uint32_t num_pages;			/* 4096-byte units */
	uint32_t actual;			/* 4096-byte units */
	uint32_t free_page_hint_cmd_id;
	uint32_t poison_val;
	uint32_t present;			/* FPH_HAS_* */
};

/*
 * fph_config_decode - read a copy of config space
 *
 * buf, len: bytes from offset 0.  Fields are little-endian at fixed offsets,
 * with and without VERSION_1; one that does not fit whole is absent and reads
 * as 0, and bytes from 16 up are ignored.
 *
 * FPH_OK.  O(1).
 */
FPH_API int fph_config_decode(struct fph_balloon_config *out, const void *buf,
			      size_t len);

/*
 * fph_config_encode - write config space
 *
 * Writes the fields that fit whole into len bytes and zeroes the rest;
 * present is not looked at.
 *
 * FPH_OK.  O(len).
 */
FPH_API int fph_config_encode(void *buf, size_t len,
			      const struct fph_balloon_config *config);

/*
 * fph_config_size - bytes of config space that the features need
 *
 * 16 with PAGE_POISON, else 12 with FREE_PAGE_HINT, else 8.  O(1).
 */
FPH_API uint32_t fph_config_size(uint64_t features);

/* ----------------------------------------------------------- command ids -- */

#define FPH_CMD_ID_SIZE		4u

/*
 * fph_cmd_id_decode - read the command id of an output buffer
 *
 * len: must be 4.  endian: FPH_LE with VERSION_1, else the guest's own.
 *
 * FPH_OK, FPH_PEER_CMD_LEN, FPH_EINVAL (endian); *id is then unchanged.
 * O(1).
 */
FPH_API int fph_cmd_id_decode(uint32_t *id, const void *buf, size_t len,
			      int endian);

/* fph_cmd_id_encode - write 4 bytes.  FPH_OK, FPH_EINVAL (endian).  O(1). */
FPH_API int fph_cmd_id_encode(void *buf, uint32_t id, int endian);

/*
 * fph_cmd_id_next - the id after id
 *
 * Ids are not reused (D5): 0 after 0xffffffff, which means that there is none.
 * The first one, VIRTIO_BALLOON_CMD_ID_MIN, comes after STOP and DONE.
 * O(1).
 */
FPH_API uint32_t fph_cmd_id_next(uint32_t id);

/* ----------------------------------------------- page frames, statistics -- */

/*
 * fph_pfn_decode - entries of an inflate or deflate buffer
 *
 * buf, len: a piece of the buffer; *off: where to read, in bytes, advanced by 4
 * for each entry.  gpas, n: receive addresses, multiples of 4096.  endian: as
 * for command ids.
 *
 * The number of entries read; 0 at the end of the piece; FPH_PEER_SHORT (1 to 3
 * bytes are left), FPH_EINVAL (endian, n is 0, or *off is beyond the end).
 * O(entries).
 */
FPH_API int fph_pfn_decode(uint64_t *gpas, uint32_t n, const void *buf,
			   size_t len, size_t *off, int endian);

/*
 * fph_pfn_encode - write entries, advance *off by 4 for each
 *
 * gpas, n: bytes, multiples of 4096 below 2^44.
 *
 * The number of entries written; FPH_EFULL (no 4 bytes are left), FPH_EINVAL
 * (the first gpa, endian, n is 0, or *off is beyond the end).  O(entries).
 */
FPH_API int fph_pfn_encode(void *buf, size_t len, size_t *off,
			   const uint64_t *gpas, uint32_t n, int endian);

/* Tags of statistics (VIRTIO_BALLOON_S_*). */
#define VIRTIO_BALLOON_S_SWAP_IN		0
#define VIRTIO_BALLOON_S_SWAP_OUT		1
#define VIRTIO_BALLOON_S_MAJFLT			2
#define VIRTIO_BALLOON_S_MINFLT			3
#define VIRTIO_BALLOON_S_MEMFREE		4
#define VIRTIO_BALLOON_S_MEMTOT			5
#define VIRTIO_BALLOON_S_AVAIL			6
#define VIRTIO_BALLOON_S_CACHES			7
#define VIRTIO_BALLOON_S_HTLB_PGALLOC		8
#define VIRTIO_BALLOON_S_HTLB_PGFAIL		9
#define VIRTIO_BALLOON_S_OOM_KILL		10
#define VIRTIO_BALLOON_S_ALLOC_STALL		11
#define VIRTIO_BALLOON_S_ASYNC_SCAN		12
#define VIRTIO_BALLOON_S_DIRECT_SCAN		13
#define VIRTIO_BALLOON_S_ASYNC_RECLAIM		14
#define VIRTIO_BALLOON_S_DIRECT_RECLAIM		15

#define FPH_STAT_SIZE	10u		/* u16 tag, u64 value, no padding */

struct fph_stat {
	uint64_t val;
	uint16_t tag;			/* VIRTIO_BALLOON_S_*, or unknown */
	uint16_t reserved[3];
};

/*
 * fph_stat_decode - entries of a statistics buffer
 *
 * As fph_pfn_decode, 10 bytes an entry.  Unknown tags are given out as they
 * are.
 *
 * The number of entries read, 0, FPH_PEER_SHORT (1 to 9 bytes are left),
 * FPH_EINVAL.  O(entries).
 */
FPH_API int fph_stat_decode(struct fph_stat *stats, uint32_t n,
			    const void *buf, size_t len, size_t *off,
			    int endian);

/*
 * fph_stat_encode - write entries, as fph_pfn_encode
 *
 * The number of entries written, FPH_EFULL, FPH_EINVAL.  O(entries).
 */
FPH_API int fph_stat_encode(void *buf, size_t len, size_t *off,
			    const struct fph_stat *stats, uint32_t n,
			    int endian);

/* ------------------------------------------------------- queue numbering -- */

enum fph_queue {
	FPH_QUEUE_INFLATE	= 0,
	FPH_QUEUE_DEFLATE	= 1,
	FPH_QUEUE_STATS		= 2,
	FPH_QUEUE_HINT		= 3,	/* the spec's free_page_vq */
	FPH_QUEUE_REPORT	= 4,	/* the spec's reporting_vq */
	FPH_NQUEUES		= 5
};

/*
 * The specification gives each queue a fixed index; Linux counts the queues
 * that were negotiated, QEMU those that were offered.  They agree where every
 * optional queue below the one in question is negotiated.
 */
enum fph_numbering {
	FPH_NUMBERING_FIXED		= 1,	/* the specification */
	FPH_NUMBERING_NEGOTIATED	= 2,	/* dense by negotiated ones */
	FPH_NUMBERING_OFFERED		= 3	/* dense by offered ones */
};

/*
 * fph_queue_index - the virtqueue index of a queue
 *
 * queue: enum fph_queue.  numbering: enum fph_numbering.  offered, negotiated:
 * feature bits; negotiated must be a subset of offered.
 *
 * 0 or more: the index; FPH_ENOENT (the queue's feature was not negotiated),
 * FPH_EINVAL.  O(1).
 */
FPH_API int fph_queue_index(int queue, int numbering, uint64_t offered,
				uint64_t negotiated);

/*
 * fph_queue_infer - a device finds out which numbering its driver uses
 *
 * enabled: bit n set when the driver set up the virtqueue with index n.
 * A numbering fits when it gives every enabled index to a negotiated queue; the
 * fixed one also when the highest enabled index is that of the last negotiated
 * queue, because a driver may have to set up queues that only hold a place.
 * Numberings that give every queue the same index are one.  With all queues set
 * up no two different ones can fit, for all keep the queues in order; with some
 * of them they can.
 * preferred: taken when it fits, or when none does; otherwise the first that
 * fits, in the order of enum fph_numbering.
 *
 * *numbering is set on results of 0 or more: 1 (one fits), 2 or 3 (so many
 * different ones fit: ambiguous), 0 (none fits); FPH_EINVAL.  O(1).
 */
FPH_API int fph_queue_infer(int *numbering, uint64_t offered,
			    uint64_t negotiated, uint32_t enabled,
			    int preferred);

#ifdef __cplusplus
}
#endif

#endif /* FPH_WIRE_H */
