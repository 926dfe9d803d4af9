/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The parts of the driver. */
#ifndef FPH_BALLOON_H
#define FPH_BALLOON_H

#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/page_reporting.h>
#include <linux/scatterlist.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/vmstat.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "compat.h"

#include <fph/policy.h>
#include <fph/wire.h>

#define FPH_GROUP		BIT(FPH_TOP_ORDER)	/* pages */
#define FPH_HINT_SEGS		32u	/* of a hint */
#define FPH_HINT_BATCH		8u	/* buffers at a time */
#define FPH_HINT_COMMANDS	4u
#define FPH_REPORT_SEGS		((u32)PAGE_REPORTING_CAPACITY)
#define FPH_PFNS		256u	/* of a balloon buffer */

/* How free memory is hinted: see README.md. */
enum fph_hint_how {
	FPH_HINT_OFF,
	FPH_HINT_UNTIL_USED,
	FPH_HINT_ARMED,
	FPH_HINT_NEVER,
};

/*
 * The cursor of a round.  It goes down, because a host that sends memory goes
 * up: they meet once, and are not in a race for the same pages.
 */
struct fph_walk {
	unsigned long pfn;		/* what is below was not seen yet */
	unsigned long lowest;		/* there is no memory below */
};

/* What one round took and gave. */
struct fph_round {
	u32 id;
	u64 stop_cookie;
	u64 pages;			/* offered to the device */
	u64 blocks;			/* free blocks that these were */
	u64 lost;			/* pages that were gone when wanted */
	u64 reported;			/* pages left, the host has them */
	u64 low;			/* pages left, memory is short */
	u64 small;			/* pages left in pageblocks in use */
	u64 waits;			/* for the device */
	ktime_t seen;			/* the id */
	ktime_t armed;
	ktime_t walked;			/* the last free block was offered */
	ktime_t stopped;		/* STOP was used */
};

struct fph_hint {
	struct fph_hinter *core;	/* NULL: no hints are given */
	enum fph_hint_how how;
	struct mutex lock;		/* of all below */
	struct delayed_work work;
	struct notifier_block memory;
	unsigned int offlining;		/* memory must be left alone */
	unsigned long changed;		/* bit 0: read the config */
	unsigned long hold;		/* pages at a time */
	struct fph_walk walk;
	struct fph_arms *arms;		/* of a round of hint=armed */
	struct fph_round round, last;
	struct fph_owned_range *ranges;	/* seen free, not added yet */
	unsigned int nranges, next;
	struct fph_buffer buffers[FPH_HINT_BATCH];
	struct fph_seg segs[FPH_HINT_BATCH * FPH_HINT_SEGS];
	struct scatterlist sg[FPH_HINT_SEGS];
	u8 *commands;			/* buffers of START and STOP */
};

struct fph_report {
	struct fph_reporter *core;	/* NULL: nothing is reported */
	bool registered;
	struct page_reporting_dev_info dev;
	wait_queue_head_t acked;
	struct fph_seg segs[FPH_REPORT_SEGS];
	struct scatterlist sg[FPH_REPORT_SEGS];
};

/* The balloon itself. */
struct fph_pages {
	struct balloon_dev_info info;
	struct mutex lock;		/* of both queues, pfns and num */
	wait_queue_head_t acked;
	struct delayed_work work;
	struct notifier_block oom;
	bool oom_registered;
	u32 num;			/* in the balloon, 4096 bytes each */
	u8 *pfns;			/* a buffer */
};

struct fph_stats {
	struct delayed_work work;
	u8 *buffer;
	unsigned long events[NR_VM_EVENT_ITEMS];
};

struct fph_balloon {
	struct virtio_device *vdev;
	struct virtqueue *vqs[FPH_NQUEUES];	/* by enum fph_queue */
	struct workqueue_struct *wq;
	spinlock_t stop_lock;			/* of stopping */
	bool stopping;				/* nothing is queued any more */
	bool fixed_queues;			/* numbered by the specification */
	int endian;				/* of what is in queues */
	u32 content;				/* of free memory */
	struct fph_hint hint;
	struct fph_report report;
	struct fph_pages pages;
	struct fph_stats stats;
	struct dentry *dir;
};

/*
 * work.c.  Work is not queued any more when the device is about to stop; what is
 * queued already is done after the new delay, in jiffies.
 */
void fph_queue_work(struct fph_balloon *fb, struct delayed_work *work,
		    unsigned long delay);
void *fph_wait_used(struct virtqueue *vq, wait_queue_head_t *acked);

/* queues.c */
int fph_find_queues(struct fph_balloon *fb);

/*
 * hint.c.  init: before the device is ready; exit: after its reset.  The work
 * was cancelled before.
 */
int fph_hint_init(struct fph_balloon *fb);
void fph_hint_exit(struct fph_balloon *fb);
void fph_hint_changed(struct fph_balloon *fb);		/* any context */
void fph_hint_used(struct virtqueue *vq);
const char *fph_hint_how_name(enum fph_hint_how how);

/*
 * walk.c.  What it sees may have changed when it returns: no lock is taken.
 */
void fph_walk_begin(struct fph_walk *walk);
bool fph_walk_group(struct fph_hint *h);
bool fph_is_free(struct page *page, unsigned long pfn, unsigned int *order);

/*
 * take.c.  Free pageblocks are allocated until the device has used their hint.
 * 1: there is more, 0: that was the last, -ENOSPC: enough is held already.
 */
int fph_take_some(struct fph_hint *h, u32 id);
void fph_take_limit(struct fph_hint *h);
void fph_give_back(struct fph_hint *h);

/* arm.c.  next arms one more unit; false: there was none. */
void fph_arm_begin(struct fph_hint *h, u32 id);
bool fph_arm_next(struct fph_hint *h, u32 id);
bool fph_is_armed(struct fph_hint *h);
void fph_arm_end(struct fph_hint *h);

/* report.c.  register and unregister may sleep. */
int fph_report_init(struct fph_balloon *fb);
int fph_report_register(struct fph_balloon *fb);
void fph_report_unregister(struct fph_balloon *fb);
void fph_report_exit(struct fph_balloon *fb);
void fph_report_used(struct virtqueue *vq);

/* pages.c */
int fph_pages_init(struct fph_balloon *fb);
int fph_pages_start(struct fph_balloon *fb);
void fph_pages_changed(struct fph_balloon *fb);		/* any context */
void fph_pages_stop(struct fph_balloon *fb);
void fph_pages_exit(struct fph_balloon *fb);
void fph_pages_acked(struct virtqueue *vq);

/* stats.c */
int fph_stats_init(struct fph_balloon *fb);
void fph_stats_start(struct fph_balloon *fb);
void fph_stats_exit(struct fph_balloon *fb);
void fph_stats_used(struct virtqueue *vq);

/* debug.c */
void fph_debug_init(struct fph_balloon *fb);
void fph_debug_exit(struct fph_balloon *fb);

#endif /* FPH_BALLOON_H */
