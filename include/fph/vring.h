/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtqueues over shared memory: device side and driver side.
 *
 * One set of calls for every ring.  The feature word that was negotiated
 * chooses it: split, or packed with RING_PACKED, each with or without
 * INDIRECT_DESC, EVENT_IDX and IN_ORDER.  Other bits are not looked at: the
 * byte order is that of endian alone, FPH_LE with VERSION_1, the guest's own
 * without it; and after the reset of one queue, which is the transport's
 * (RING_RESET), either side is set up anew by its init.
 *
 * What the other side writes is copied once and checked afterwards, and a
 * buffer is given out whole or not at all: what is changed later has no
 * effect.  The first rule that the other side breaks makes the ring broken
 * until init.
 *
 * Any context, any interrupt level.  <fph/status.h> has the rules for memory,
 * parameters, batches and threads.
 */
#ifndef FPH_VRING_H
#define FPH_VRING_H

#include <fph/types.h>
#include <fph/wire.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FPH_VRING_MAX_SIZE	32768u

/* Bytes of the three areas of a ring of num entries, by features. */
#define FPH_VRING_DESC_SIZE(num)	(16u * (uint32_t)(num))
#define FPH_VRING_DRIVER_SIZE(features, num)				\
	((features) & FPH_BIT(VIRTIO_F_RING_PACKED) ? 4u :		\
						      6u + 2u * (uint32_t)(num))
#define FPH_VRING_DEVICE_SIZE(features, num)				\
	((features) & FPH_BIT(VIRTIO_F_RING_PACKED) ? 4u :		\
						      6u + 8u * (uint32_t)(num))

/* The feature bits that a ring looks at; others are ignored. */
#define FPH_VRING_FEATURES	(FPH_BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
				 FPH_BIT(VIRTIO_RING_F_EVENT_IDX) | \
				 FPH_BIT(VIRTIO_F_RING_PACKED) | \
				 FPH_BIT(VIRTIO_F_IN_ORDER))

/* base of a ring that is new. */
#define FPH_VRING_NEW_BASE(features)					\
	((features) & FPH_BIT(VIRTIO_F_RING_PACKED) ? 0x80008000u : 0u)

/* Ring memory in this process. */
struct fph_span {
	void *addr;
	size_t len;
};

/* ----------------------------------------------------------- device side -- */

/*
 * pop takes buffers, push returns them, in any order.
 *
 *	notified	do while (pop() > 0) take the buffers;
 *			while (want_notify(true) > 0);
 *	buffers done	push(); if (should_notify() == 1) raise the interrupt
 *
 *   state   init   pop                     push  should_notify  want_notify
 *   none    live   EUNINIT                 EUNINIT everywhere
 *   live    live   live, or broken on a    live  live           live
 *                  peer error
 *   broken  live   FPH_PEER_BROKEN         allowed, so that popped buffers
 *                                          can be returned
 */
struct fph_vq_device;

/*
 * Finds guest memory: the host address of len contiguous bytes at gpa, or
 * NULL when they are not all guest memory.  Called by pop for indirect
 * tables, with len not 0 and gpa + len at most 2^64; must not call back into
 * the ring.  What it returns stays mapped until pop returns.
 * fph_memory_map of <fph-vmm/memory.h> is one.
 */
typedef const void *(*fph_map_fn)(void *ctx, uint64_t gpa, uint64_t len);

struct fph_vq_device_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t num;			/* entries: split, a power of two */
	uint64_t features;		/* negotiated */
	uint32_t endian;		/* enum fph_endian; 0: FPH_LE */
	uint32_t base;			/* where to go on, as get_base said */
	void *desc;			/* descriptor area, aligned to 16 */
	void *driver;			/* driver area, to 2; packed: to 4 */
	void *device;			/* device area, to 4 */
	void *inflight;			/* see below; NULL: none */
	fph_map_fn map;			/* needed with INDIRECT_DESC */
	void *map_ctx;
};

/*
 * inflight: a record of the buffers in flight that outlives this process, in
 * the layout of vhost-user's inflight region for split queues
 * (FPH_INFLIGHT_SIZE bytes, aligned to 8, zeroed when it is new).  init reads
 * it, and pop gives out first, in the order of their first pop, the buffers
 * that an earlier device took and did not return; base is looked at only when
 * the record is new.  The record is right whenever the process is killed.  The
 * interrupt for what was returned last may have died with the process: unless
 * the record is new, call should_notify once after init.  There is none with
 * RING_PACKED.
 */
#define FPH_INFLIGHT_SIZE(num)	(16u + 16u * (size_t)(num))

/* Upper bound of fph_vq_device_size for num entries. */
#define FPH_VQ_DEVICE_SIZE(num)	(512u + 16u * (size_t)(num))

/* Bytes of memory that init takes; 0: parameters that it refuses.  O(1). */
FPH_API size_t fph_vq_device_size(const struct fph_vq_device_params *params);

/*
 * fph_vq_device_init - take up a ring
 *
 * The used index of a split ring goes on from what ring memory holds.  The
 * driver is asked for notifications; pop once before waiting for the first.
 *
 * FPH_OK (*vq is set), FPH_EINVAL (a NULL, alignment, size, a parameter; a
 * base that is none; INDIRECT_DESC without map; inflight with RING_PACKED, or
 * a record of another size or version); *vq and ring memory are then
 * unchanged.  O(1); with inflight O(num log num).
 */
FPH_API int fph_vq_device_init(struct fph_vq_device **vq, void *mem,
			       size_t size,
			       const struct fph_vq_device_params *params);

/*
 * fph_vq_device_pop - take buffers
 *
 * buffers, n: receive the buffers, flags 0, command not set: see <fph/types.h>,
 * only the hinting queue has one.  segs, nsegs:
 * receive their segments, one buffer's behind another's; nsegs is at least
 * the number of entries of the ring, so that one buffer always fits.  Takes as
 * many as there are and fit.  An indirect table may have more entries than the
 * ring, but its chain may not.  Segments are not looked up in guest memory:
 * they may lie anywhere.
 *
 * The number of buffers; 0 (the ring is empty); FPH_EINVAL (n, nsegs);
 * FPH_EUNINIT; and, if the first buffer has an error, with the ring broken
 * from then on: FPH_PEER_AVAIL_INDEX, FPH_PEER_INFLIGHT, FPH_PEER_HEAD,
 * FPH_PEER_NEXT, FPH_PEER_LONG_CHAIN, FPH_PEER_ORDER, FPH_PEER_ZERO_LEN,
 * FPH_PEER_WRAP, FPH_PEER_TOTAL, FPH_PEER_INDIRECT, FPH_PEER_INDIRECT_NEST,
 * FPH_PEER_INDIRECT_NEXT, FPH_PEER_INDIRECT_LEN, FPH_PEER_INDIRECT_ADDR;
 * FPH_PEER_BROKEN from the second time on.  O(segments), one barrier; packed,
 * one a buffer.
 */
FPH_API int fph_vq_device_pop(struct fph_vq_device *vq,
			      struct fph_buffer *buffers, uint32_t n,
			      struct fph_seg *segs, uint32_t nsegs);

/*
 * fph_vq_device_push - return buffers as used
 *
 * used, n: cookie as popped; len: bytes written into the buffer; nothing else
 * is looked at.  The driver sees all of them at once; with IN_ORDER a buffer
 * that is pushed before an older one is kept until that one's turn was.  Also
 * allowed when the ring is broken.  That a buffer is pushed once only is the
 * caller's duty: a driver may offer one head twice, so it cannot be told from
 * the head.
 *
 * The number returned; FPH_EINVAL (the first cookie is none of this ring, or n
 * is 0), FPH_ESTATE (nothing is popped), FPH_EUNINIT.  O(n), one barrier
 * and one store that shows them; with IN_ORDER O(n + those whose turn comes).
 */
FPH_API int fph_vq_device_push(struct fph_vq_device *vq,
			       const struct fph_used *used, uint32_t n);

/*
 * fph_vq_device_should_notify - whether the driver wants an interrupt now
 *
 * Call once after one or more pushes; it answers for what was pushed since the
 * last call.  Looks at the driver's flags, or with EVENT_IDX whether used_event
 * was passed; the first call with EVENT_IDX answers 1, because nothing is known
 * before.
 *
 * 1 (send one), 0 (no, or nothing was pushed since; after init with a record
 * that is not new, an earlier device may have pushed), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_vq_device_should_notify(struct fph_vq_device *vq);

/*
 * fph_vq_device_want_notify - ask the driver for notifications, or not
 *
 * on: the driver shall notify about the next buffer it offers; with EVENT_IDX
 * about that one only, so repeat the call each time the ring was found empty.
 * A notification may come all the same when it is off.
 *
 * 1 (on, and there are buffers already: pop again), 0 (else, and always when
 * the ring is broken), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_vq_device_want_notify(struct fph_vq_device *vq, bool on);

/*
 * The base at which another device would pop next, in the form of vhost-user's
 * GET_VRING_BASE: the available index; packed, two places with their wrap bits,
 * available and (<< 16) used.  Exact when get_inflight is 0: until the buffers
 * of an inflight record were popped and returned, no base says which they are.
 * 0 if not initialised.  O(1).
 */
FPH_API uint32_t fph_vq_device_get_base(const struct fph_vq_device *vq);

/*
 * The base at which the buffer of that cookie would be popped again, for the
 * one that a device holds for long: the statistics buffer.  Packed: exact when
 * no other is in flight.  O(1).
 */
FPH_API uint32_t fph_vq_device_get_base_of(const struct fph_vq_device *vq,
					   uint64_t cookie);

/*
 * Buffers popped and not yet pushed, and unless the ring is broken those of an
 * earlier device that wait in the inflight record; 0 if not initialised.  O(1).
 */
FPH_API uint32_t fph_vq_device_get_inflight(const struct fph_vq_device *vq);

/* Whether the driver broke the ring; true if not initialised.  O(1). */
FPH_API bool fph_vq_device_is_broken(const struct fph_vq_device *vq);

/*
 * fph_vq_device_take_written - ring memory that this side has written
 *
 * For a VMM that must mark it dirty.  Since the last call; the first tells also
 * what init wrote.
 *
 * spans: receives at most FPH_WRITTEN_SPANS spans.  Their number; 0 (nothing
 * was written), FPH_EINVAL (spans is NULL), FPH_EUNINIT.  O(1).
 */
#define FPH_WRITTEN_SPANS	4u

FPH_API int fph_vq_device_take_written(struct fph_vq_device *vq,
				       struct fph_span *spans);

/* The most bytes that save needs, as a constant. */
#define FPH_VQ_DEVICE_STATE_SIZE(num)	(128u + 8u * (size_t)(num))

/*
 * fph_vq_device_save - write what is not in ring memory into buf
 *
 * buf, size: NULL and 0 only ask for *needed, by FPH_EFULL.
 *
 * FPH_OK; FPH_EFULL (size is less than *needed), FPH_EBUSY (buffers of an
 * earlier device wait in the inflight record: pop them), FPH_EINVAL (needed
 * is NULL), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_vq_device_save(const struct fph_vq_device *vq, void *buf,
			       size_t size, size_t *needed);

/*
 * fph_vq_device_load - go on where a saved ring was, over the same ring memory
 *
 * Right after init with the same num, features and endian, and without
 * inflight.  Buffers that were in flight there are pushed here, with the
 * cookies that they had.  The driver is asked for notifications.
 *
 * FPH_OK; FPH_ECORRUPT, FPH_EVERSION; FPH_EREFUSED (of another kind, another
 * num, features or endian; or this ring has an inflight record); FPH_EBUSY
 * (buffers are in flight), FPH_EINVAL (buf is NULL), FPH_EUNINIT.  O(1).
 */
FPH_API int fph_vq_device_load(struct fph_vq_device *vq, const void *buf,
			       size_t size);

/* ----------------------------------------------------------- driver side -- */

/*
 * add puts buffers into the ring, publish shows the device what was added,
 * take_used takes back what the device used, in whatever order it did.  detach
 * takes back the rest after a reset of the device.  With submit, cancel,
 * complete and take_back of a reporter or a hinter:
 *
 *	send		while (submit() > 0) add(); if that fails cancel(), end
 *			publish(); if (should_notify() == 1) notify the device
 *	interrupt	do while (take_used() > 0) complete();
 *			while (want_notify(true) > 0);
 *			while (take_back() > 0) free them; send
 *
 *   state    add, publish, should_notify,   take_used          detach
 *            want_notify
 *   none     EUNINIT                        EUNINIT            EUNINIT
 *   live     live                           live, or broken    dead
 *                                           on a peer error
 *   broken   FPH_PEER_BROKEN                FPH_PEER_BROKEN    dead
 *   dead     ESTATE                         ESTATE             dead
 *
 * init goes from every state to live.  A peer error makes the ring broken:
 * the device cannot be trusted to have let go of anything, so every buffer
 * stays in flight until the embedder has reset the device and calls detach.
 * Each cookie that add took comes back exactly once, from take_used or from
 * detach.
 */
struct fph_vq_driver;

/*
 * tables: with INDIRECT_DESC, num tables of table_entries descriptors each,
 * num * table_entries * 16 bytes, which the device can read at tables_gpa; at
 * most FPH_VRING_MAX_SIZE entries each.  Their content before init does not
 * matter.  A buffer of 2 to table_entries segments then takes one entry of the
 * ring, unless it has FPH_BUFFER_DIRECT; others take one entry a segment.
 */
struct fph_vq_driver_params {
	uint32_t size;			/* sizeof this struct */
	uint32_t num;			/* entries: split, a power of two */
	uint64_t features;		/* negotiated */
	uint64_t tables_gpa;
	uint32_t table_entries;
	uint32_t endian;		/* enum fph_endian; 0: FPH_LE */
	void *desc;			/* descriptor area, aligned to 16 */
	void *driver;			/* driver area, to 2; packed: to 4 */
	void *device;			/* device area, to 4 */
	void *tables;			/* aligned to 16; NULL: no tables */
};

/* Upper bound of fph_vq_driver_size for num entries. */
#define FPH_VQ_DRIVER_SIZE(num)	(512u + 24u * (size_t)(num))

/* Bytes of memory that init takes; 0: parameters that it refuses.  O(1). */
FPH_API size_t fph_vq_driver_size(const struct fph_vq_driver_params *params);

/*
 * fph_vq_driver_init - make an empty ring
 *
 * Zeroes the three areas, so the device must not have been told of them, or
 * have been reset.  The device is asked for interrupts.
 *
 * FPH_OK (*vq is set), FPH_EINVAL (a NULL, alignment, size, a parameter); ring
 * memory is then unchanged.  O(num).
 */
FPH_API int fph_vq_driver_init(struct fph_vq_driver **vq, void *mem,
			       size_t size,
			       const struct fph_vq_driver_params *params);

/*
 * fph_vq_driver_add - put buffers into the ring
 *
 * buffers, n, segs: of each buffer 1 to num segments, readable ones first,
 * none empty, none that wraps 2^64, 2^32 bytes at most together; not used
 * after the call.  The device does not see them before publish.
 *
 * The number added; FPH_EFULL (the ring has no room for the first), FPH_EINVAL
 * (the first is not as above, or n is 0); FPH_EUNINIT, FPH_ESTATE,
 * FPH_PEER_BROKEN.  O(segments); the first of a split ring with IN_ORDER O(num).
 */
FPH_API int fph_vq_driver_add(struct fph_vq_driver *vq,
			      const struct fph_buffer *buffers, uint32_t n,
			      const struct fph_seg *segs);

/*
 * fph_vq_driver_publish - show the device every buffer added so far
 *
 * One barrier and one store for all of them.  Nothing to publish is no error.
 *
 * FPH_OK, FPH_EUNINIT, FPH_ESTATE, FPH_PEER_BROKEN.  O(1).
 */
FPH_API int fph_vq_driver_publish(struct fph_vq_driver *vq);

/*
 * fph_vq_driver_should_notify - whether the device wants a notification now
 *
 * Call once after one or more publishes; it answers for what was published
 * since the last call.
 *
 * 1 (send one), 0 (no, or nothing was published since), FPH_EUNINIT,
 * FPH_ESTATE, FPH_PEER_BROKEN.  O(1).
 */
FPH_API int fph_vq_driver_should_notify(struct fph_vq_driver *vq);

/*
 * fph_vq_driver_take_used - take back buffers that the device used
 *
 * used: cookie as given to add; len: what the device says that it wrote, which
 * may be wrong; nothing else is set.  With IN_ORDER a device may name the last
 * of several buffers alone: the others come back too, with the bytes that could
 * be written as len.  The entries, and the table, are free again.
 *
 * The number taken; 0 (none waits); FPH_EINVAL (n is 0); FPH_EUNINIT,
 * FPH_ESTATE; and, if the first has an error, with the ring broken from then
 * on: FPH_PEER_USED_INDEX (the used index passed what was published),
 * FPH_PEER_USED_ID (no buffer that is with the device); FPH_PEER_BROKEN from
 * the second time on.  O(n), one barrier.
 */
FPH_API int fph_vq_driver_take_used(struct fph_vq_driver *vq,
				    struct fph_used *used, uint32_t n);

/*
 * fph_vq_driver_want_notify - ask the device for interrupts, or not
 *
 * As fph_vq_device_want_notify.
 *
 * 1 (on, and used buffers wait already: take them), 0, FPH_EUNINIT,
 * FPH_ESTATE, FPH_PEER_BROKEN.  O(1).
 */
FPH_API int fph_vq_driver_want_notify(struct fph_vq_driver *vq, bool on);

/*
 * fph_vq_driver_detach - take back buffers that were never used
 *
 * Call only when the transport has confirmed that the device was reset, or
 * before the device was ever told of the ring; until it answers 0.  Every
 * buffer that take_used has not returned comes back, published or not, in no
 * particular order; len is 0.  Other calls answer FPH_ESTATE from then on,
 * until init.
 *
 * The number taken, 0 (none is left), FPH_EINVAL (n is 0), FPH_EUNINIT.
 * O(num) in all calls together.
 */
FPH_API int fph_vq_driver_detach(struct fph_vq_driver *vq,
				 struct fph_used *used, uint32_t n);

/* Entries free now; 0 if not initialised, broken or dead.  O(1). */
FPH_API uint32_t fph_vq_driver_get_room(const struct fph_vq_driver *vq);

/* Buffers added and not come back; 0 if not initialised.  O(1). */
FPH_API uint32_t fph_vq_driver_get_inflight(const struct fph_vq_driver *vq);

/* Whether the device broke the ring; true if not initialised.  O(1). */
FPH_API bool fph_vq_driver_is_broken(const struct fph_vq_driver *vq);

/* The most bytes that save needs, as a constant. */
#define FPH_VQ_DRIVER_STATE_SIZE(num)	(96u + 20u * (size_t)(num))

/*
 * fph_vq_driver_save - write what is not in ring memory into buf
 *
 * buf, size: NULL and 0 only ask for *needed, by FPH_EFULL.
 *
 * FPH_OK; FPH_EFULL (size is less than *needed), FPH_EINVAL (needed is NULL),
 * FPH_EUNINIT.  O(num).
 */
FPH_API int fph_vq_driver_save(const struct fph_vq_driver *vq, void *buf,
			       size_t size, size_t *needed);

/*
 * fph_vq_driver_load - go on from a saved ring
 *
 * In a ring that was just made with the same parameters.  init has zeroed ring
 * memory: what was there at the moment of save, and in the tables, must be there
 * again before the next call.  The device may have gone on meanwhile.
 *
 * FPH_OK; FPH_ECORRUPT, FPH_EVERSION; FPH_EREFUSED (of another kind of object,
 * of a ring with other entries, byte order, features or tables); FPH_EBUSY (a
 * buffer was added before), FPH_EINVAL (buf is NULL), FPH_EUNINIT.  Nothing has
 * changed then.  O(num).
 */
FPH_API int fph_vq_driver_load(struct fph_vq_driver *vq, const void *buf,
			       size_t size);

#ifdef __cplusplus
}
#endif

#endif /* FPH_VRING_H */
