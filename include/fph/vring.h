/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Split virtqueues over shared memory: device side and driver side.
 *
 * What the other side writes is copied once and checked afterwards, and a
 * buffer is given out whole or not at all: what is changed later has no
 * effect.  The first rule that the other side breaks makes the ring broken
 * until init.
 *
 * One lock of the embedder protects a ring.  Any context, any interrupt
 * level.  Nothing is allocated.
 */
#ifndef FPH_VRING_H
#define FPH_VRING_H

#include <fph/range.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FPH_VRING_MAX_SIZE	32768u

/* Sizes of the three parts of a split ring of num entries, in bytes. */
#define FPH_SPLIT_DESC_SIZE(num)	(16u * (uint32_t)(num))
#define FPH_SPLIT_AVAIL_SIZE(num)	(6u + 2u * (uint32_t)(num))
#define FPH_SPLIT_USED_SIZE(num)	(6u + 8u * (uint32_t)(num))

/* --------------------------------------------------- split, device side -- */

/*
 * pop takes a buffer, push returns it; buffers may come back in any order.
 *
 *   state   init   pop                     push  get_notify  arm
 *   none    live   EUNINIT                 EUNINIT everywhere
 *   live    live   live, or broken on a    live  live        live
 *                  peer error
 *   broken  live   FPH_PEER_BROKEN         allowed, so that popped buffers
 *                                          can be returned
 */

/*
 * Finds guest memory: the host address of len contiguous bytes at gpa, or
 * NULL when they are not all guest memory.  Called by pop for indirect
 * tables, with len not 0 and gpa + len at most 2^64; must not call back into
 * the ring.  What it returns stays mapped until pop returns.
 */
typedef const void *(*fph_map_fn)(void *ctx, uint64_t gpa, uint64_t len);

struct fph_split_device_params {
	size_t size;			/* sizeof this struct */
	uint16_t num;			/* entries: a power of two */
	uint16_t base;			/* first index of the available ring */
	bool event_idx;			/* as VIRTIO_F_EVENT_IDX */
	bool indirect;			/* as VIRTIO_F_INDIRECT_DESC */
	int endian;			/* enum fph_endian of ring memory */
	const void *desc;		/* aligned to 16 bytes */
	void *avail;			/* aligned to 2 bytes */
	void *used;			/* aligned to 4 bytes */
	fph_map_fn map;			/* needed with indirect */
	void *map_ctx;
};

/* A popped buffer. */
struct fph_elem {
	uint16_t head;			/* goes to push */
	uint16_t nseg;			/* segments, readable ones first */
	uint16_t nread;			/* how many of them are readable */
	uint64_t read_len;		/* bytes in the readable segments */
	uint64_t write_len;		/* bytes in the writable segments */
};

/* Members are private. */
struct fph_split_device {
	uint32_t magic;
	uint16_t num;
	uint16_t avail_idx;		/* next to pop */
	uint16_t used_idx;		/* next to push */
	uint16_t signalled;		/* used_idx at the last get_notify */
	uint16_t shadow;		/* avail.idx, as last read */
	uint16_t inflight;		/* popped, not pushed */
	bool signalled_valid;
	bool event_idx;
	bool indirect;
	bool broken;
	bool big;			/* ring memory is big-endian */
	const void *desc;
	void *avail;
	void *used;
	fph_map_fn map;
	void *map_ctx;
	uint64_t reserved[4];
};

/*
 * fph_split_device_init - take up a ring
 *
 * The used index goes on from what ring memory holds.  The driver is asked
 * for notifications; pop once before waiting for the first.  A port whose
 * driver was already running calls it again after a reset of the device.
 *
 * FPH_OK, FPH_EINVAL (a NULL; params->size, num, alignment, endian; indirect
 * without map); *vq is then unchanged.
 */
FPH_API int
fph_split_device_init(struct fph_split_device *vq,
		      const struct fph_split_device_params *params);

/*
 * fph_split_device_pop - take the next buffer
 *
 * segs, nsegs: receives the segments; nsegs is at least num.  Bounded by
 * num segments whatever the driver wrote.  An indirect table may have more
 * than num entries, but its chain may not.  Segments are not looked up in
 * guest memory: they may lie anywhere.  Without a buffer *elem is unchanged
 * and segs is undefined.  After a peer error the base is still that of the
 * buffer which was refused.
 *
 * 1 (*elem and segs are set); 0 (the ring is empty); FPH_EINVAL (nsegs);
 * FPH_EUNINIT; and, with the ring broken from then on:
 * FPH_PEER_AVAIL_INDEX, FPH_PEER_INFLIGHT, FPH_PEER_HEAD, FPH_PEER_NEXT,
 * FPH_PEER_LONG_CHAIN, FPH_PEER_ORDER, FPH_PEER_ZERO_LEN, FPH_PEER_WRAP,
 * FPH_PEER_TOTAL, FPH_PEER_INDIRECT, FPH_PEER_INDIRECT_NEST,
 * FPH_PEER_INDIRECT_NEXT, FPH_PEER_INDIRECT_LEN, FPH_PEER_INDIRECT_ADDR;
 * FPH_PEER_BROKEN from the second time on.
 */
FPH_API int fph_split_device_pop(struct fph_split_device *vq,
				 struct fph_elem *elem, struct fph_seg *segs,
				 uint32_t nsegs);

/*
 * fph_split_device_push - return a buffer as used
 *
 * head: of a popped element.  len: bytes written into the buffer.  The driver
 * sees it at once.  Also allowed when the ring is broken.  That a head in
 * range is pushed once only is the caller's duty: a driver may offer one head
 * twice, so it cannot be told from the head.
 *
 * FPH_OK, FPH_EINVAL (head is not in the ring), FPH_ESTATE (nothing is in
 * flight), FPH_EUNINIT.
 */
FPH_API int fph_split_device_push(struct fph_split_device *vq, uint16_t head,
				  uint32_t len);

/*
 * fph_split_device_get_notify - whether the driver wants an interrupt now
 *
 * Call once after one or more pushes.  Looks at avail.flags, or with event
 * index whether used_event was passed since the last call; the first call
 * with event index answers 1, for nothing is known before.
 *
 * 1 (send one), 0 (no, or nothing was pushed since), FPH_EUNINIT.
 */
FPH_API int fph_split_device_get_notify(struct fph_split_device *vq);

/*
 * fph_split_device_arm - ask the driver for notifications, or not
 *
 * on: the driver shall notify about the next buffer it offers.  A
 * notification may come all the same when it is off.
 *
 * 1 (on, and avail.idx moved already: pop again), 0 (else, and always when
 * the ring is broken), FPH_EUNINIT.
 */
FPH_API int fph_split_device_arm(struct fph_split_device *vq, bool on);

/* The index that GET_VRING_BASE reports: the next buffer to pop. */
FPH_API uint16_t fph_split_device_get_base(const struct fph_split_device *vq);

/* Buffers popped and not yet pushed. */
FPH_API uint16_t
fph_split_device_get_inflight(const struct fph_split_device *vq);

/* Whether the driver broke the ring; also true if not initialised. */
FPH_API bool fph_split_device_is_broken(const struct fph_split_device *vq);

/* --------------------------------------------------- split, driver side -- */

/*
 * add puts a buffer into the ring, submit shows the device what was added,
 * next takes back what the device used, in whatever order it did.  abort
 * takes back the rest after a reset of the device.
 *
 *   state    add, submit, get_notify, arm   next               abort
 *   none     EUNINIT                        EUNINIT            EUNINIT
 *   live     live                           live, or broken    dead
 *                                           on a peer error
 *   broken   FPH_PEER_BROKEN                FPH_PEER_BROKEN    dead
 *   dead     ESTATE                         ESTATE             dead
 *
 * init goes from every state to live.  A peer error makes the ring broken:
 * the device cannot be trusted to have let go of anything, so every buffer
 * stays in flight until the embedder has reset the device and calls abort.
 * Each cookie that add took comes back exactly once, from next or from abort.
 */

/* Storage for one descriptor of a ring.  Members are private. */
struct fph_split_slot {
	uint64_t cookie;
	uint16_t next;			/* in the list of free or of added */
	uint16_t tail;			/* last descriptor of the buffer */
	uint16_t ndesc;			/* descriptors of the ring it takes */
	uint16_t state;
};

/*
 * An indirect table: entries x 16 bytes that the device can read at gpa.  It
 * belongs to the ring from add until its buffer comes back.
 */
struct fph_split_table {
	void *addr;
	uint64_t gpa;
	uint32_t entries;
};

struct fph_split_driver_params {
	size_t size;			/* sizeof this struct */
	uint16_t num;			/* entries: a power of two */
	bool event_idx;			/* as VIRTIO_F_EVENT_IDX */
	bool indirect;			/* as VIRTIO_F_INDIRECT_DESC */
	int endian;			/* enum fph_endian of ring memory */
	void *desc;			/* aligned to 16 bytes */
	void *avail;			/* aligned to 2 bytes */
	void *used;			/* aligned to 4 bytes */
	struct fph_split_slot *slots;	/* num of them, for as long as vq */
};

/* A buffer that came back. */
struct fph_used {
	uint64_t cookie;		/* as given to add */
	uint32_t len;			/* bytes written: the device's word */
};

/* Members are private. */
struct fph_split_driver {
	uint32_t magic;
	uint16_t num;
	uint16_t nfree;			/* free descriptors */
	uint16_t free_head;
	uint16_t added_head;		/* added, not submitted */
	uint16_t added_tail;
	uint16_t nadded;
	uint16_t avail_idx;		/* of the next add */
	uint16_t submitted;		/* avail.idx in ring memory */
	uint16_t kicked;		/* submitted at the last get_notify */
	uint16_t used_idx;		/* next to take back */
	uint16_t shadow;		/* used.idx, as last read */
	uint16_t inflight;		/* added, not come back */
	uint16_t scan;			/* where abort goes on */
	bool broken;
	bool dead;			/* abort was called */
	bool kicked_valid;
	bool event_idx;
	bool indirect;
	bool big;			/* ring memory is big-endian */
	void *desc;
	void *avail;
	void *used;
	struct fph_split_slot *slots;
	uint64_t reserved[4];
};

/*
 * fph_split_driver_init - make an empty ring
 *
 * Writes the three parts of the ring, so the device must not have been told
 * of them, or have been reset.  The device is asked for interrupts.
 *
 * FPH_OK, FPH_EINVAL (a NULL; params->size, num, alignment, endian); *vq and
 * ring memory are then unchanged.
 */
FPH_API int
fph_split_driver_init(struct fph_split_driver *vq,
		      const struct fph_split_driver_params *params);

/*
 * fph_split_driver_add - put a buffer into the ring
 *
 * segs, nseg: 1 to num segments, readable ones first, none empty, none that
 * wraps 2^64, 2^32 bytes at most together; not used after the call.  cookie:
 * comes back with the buffer.  table: NULL, and the buffer takes nseg
 * descriptors of the ring; else it takes one, and nseg entries of the table.
 * The device does not see the buffer before submit.
 *
 * FPH_OK; FPH_EINVAL (segs; a table that is NULL, wraps or has less than nseg
 * entries, or indirect was not negotiated); FPH_EFULL (fewer descriptors are
 * free than it takes); FPH_EUNINIT, FPH_ESTATE, FPH_PEER_BROKEN.  But for
 * FPH_OK, *vq and ring memory are unchanged.
 */
FPH_API int fph_split_driver_add(struct fph_split_driver *vq,
				 const struct fph_seg *segs, uint32_t nseg,
				 uint64_t cookie,
				 const struct fph_split_table *table);

/*
 * fph_split_driver_submit - show the device every buffer added so far
 *
 * One store for all of them.  Nothing to submit is no error.
 *
 * FPH_OK, FPH_EUNINIT, FPH_ESTATE, FPH_PEER_BROKEN.
 */
FPH_API int fph_split_driver_submit(struct fph_split_driver *vq);

/*
 * fph_split_driver_get_notify - whether the device wants a notification now
 *
 * Call once after one or more submits.  Looks at used.flags, or with event
 * index whether avail_event was passed since the last call.
 *
 * 1 (send one), 0 (no, or nothing was submitted since), FPH_EUNINIT,
 * FPH_ESTATE, FPH_PEER_BROKEN.
 */
FPH_API int fph_split_driver_get_notify(struct fph_split_driver *vq);

/*
 * fph_split_driver_next - take back the next buffer that the device used
 *
 * used->len is what the device wrote there; it may be wrong.  The buffer's
 * descriptors are free again, and its table is the caller's.
 *
 * 1 (*used is set); 0 (none is waiting); FPH_EINVAL (used is NULL);
 * FPH_EUNINIT, FPH_ESTATE; and, with the ring broken from then on:
 * FPH_PEER_USED_INDEX (used.idx passed what was submitted), FPH_PEER_USED_ID
 * (no buffer that is with the device); FPH_PEER_BROKEN from the second time
 * on.  *used is set with 1 only.
 */
FPH_API int fph_split_driver_next(struct fph_split_driver *vq,
				  struct fph_used *used);

/*
 * fph_split_driver_arm - ask the device for interrupts, or not
 *
 * on: the device shall interrupt at the next buffer it uses.  An interrupt
 * may come all the same when it is off.
 *
 * 1 (on, and used.idx moved already: call next again), 0, FPH_EUNINIT,
 * FPH_ESTATE, FPH_PEER_BROKEN.
 */
FPH_API int fph_split_driver_arm(struct fph_split_driver *vq, bool on);

/*
 * fph_split_driver_abort - take back a buffer that was never used
 *
 * Call only when the transport has confirmed that the device was reset, or
 * before the device was ever told of the ring; until it answers 0.  Every
 * buffer that next has not returned comes back, submitted or not, in no
 * particular order; used->len is 0.  Other calls than abort answer FPH_ESTATE
 * from then on, until init.
 *
 * 1 (*used is set), 0 (none is left), FPH_EINVAL (used is NULL), FPH_EUNINIT.
 */
FPH_API int fph_split_driver_abort(struct fph_split_driver *vq,
				   struct fph_used *used);

/* Descriptors that are free now; 0 if not initialised, broken or dead. */
FPH_API uint16_t
fph_split_driver_get_free(const struct fph_split_driver *vq);

/* Buffers added and not come back; 0 if not initialised. */
FPH_API uint16_t
fph_split_driver_get_inflight(const struct fph_split_driver *vq);

/* Whether the device broke the ring since init; true if not initialised. */
FPH_API bool fph_split_driver_is_broken(const struct fph_split_driver *vq);

#ifdef __cplusplus
}
#endif

#endif /* FPH_VRING_H */
