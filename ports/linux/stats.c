// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/* The statistics queue: one buffer, filled anew whenever the device used it. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include "fph_balloon.h"

#define MAX_STATS	16u

struct collector {
	u8 *buffer;
	size_t off;
	int endian;
};

static void put(struct collector *c, u16 tag, u64 val)
{
	struct fph_stat stat = { .tag = tag, .val = val };

	fph_stat_encode(c->buffer, MAX_STATS * FPH_STAT_SIZE, &c->off, &stat, 1,
			c->endian);
}

static void put_memory(struct collector *c)
{
	struct sysinfo info;

	si_meminfo(&info);
	put(c, VIRTIO_BALLOON_S_MEMFREE, (u64)info.freeram << PAGE_SHIFT);
	put(c, VIRTIO_BALLOON_S_MEMTOT, (u64)info.totalram << PAGE_SHIFT);
	put(c, VIRTIO_BALLOON_S_AVAIL, (u64)si_mem_available() << PAGE_SHIFT);
	put(c, VIRTIO_BALLOON_S_CACHES,
	    (u64)global_node_page_state(NR_FILE_PAGES) << PAGE_SHIFT);
}

#ifdef CONFIG_VM_EVENT_COUNTERS

/* Newer kernels count reclaim by node. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define reclaimed(events, item)	global_node_page_state(item)
#else
#define reclaimed(events, item)	((events)[item])
#endif

static u64 get_stalls(const unsigned long *events)
{
	u64 sum = 0;
	int i;

	for (i = 0; i <= ZONE_MOVABLE; i++)
		sum += events[ALLOCSTALL_NORMAL - ZONE_NORMAL + i];
	return sum;
}

static void put_events(struct collector *c, unsigned long *events)
{
	all_vm_events(events);
	put(c, VIRTIO_BALLOON_S_SWAP_IN, (u64)events[PSWPIN] << PAGE_SHIFT);
	put(c, VIRTIO_BALLOON_S_SWAP_OUT, (u64)events[PSWPOUT] << PAGE_SHIFT);
	put(c, VIRTIO_BALLOON_S_MAJFLT, events[PGMAJFAULT]);
	put(c, VIRTIO_BALLOON_S_MINFLT, events[PGFAULT]);
#ifdef CONFIG_HUGETLB_PAGE
	put(c, VIRTIO_BALLOON_S_HTLB_PGALLOC, events[HTLB_BUDDY_PGALLOC]);
	put(c, VIRTIO_BALLOON_S_HTLB_PGFAIL, events[HTLB_BUDDY_PGALLOC_FAIL]);
#endif
	put(c, VIRTIO_BALLOON_S_OOM_KILL, events[OOM_KILL]);
	put(c, VIRTIO_BALLOON_S_ALLOC_STALL, get_stalls(events));
	put(c, VIRTIO_BALLOON_S_ASYNC_SCAN, reclaimed(events, PGSCAN_KSWAPD));
	put(c, VIRTIO_BALLOON_S_DIRECT_SCAN, reclaimed(events, PGSCAN_DIRECT));
	put(c, VIRTIO_BALLOON_S_ASYNC_RECLAIM,
	    reclaimed(events, PGSTEAL_KSWAPD));
	put(c, VIRTIO_BALLOON_S_DIRECT_RECLAIM,
	    reclaimed(events, PGSTEAL_DIRECT));
}

#else

static void put_events(struct collector *c, unsigned long *events)
{
}

#endif

static void offer(struct fph_balloon *fb)
{
	struct virtqueue *vq = fb->vqs[FPH_QUEUE_STATS];
	struct collector c = {
		.buffer = fb->stats.buffer,
		.endian = fb->endian,
	};
	struct scatterlist sg;

	put_memory(&c);
	put_events(&c, fb->stats.events);
	sg_init_one(&sg, c.buffer, c.off);
	if (!virtqueue_add_outbuf(vq, &sg, 1, fb, GFP_KERNEL))
		virtqueue_kick(vq);
}

static void stats_work(struct work_struct *work)
{
	struct fph_stats *s = container_of(to_delayed_work(work),
					   struct fph_stats, work);
	struct fph_balloon *fb = container_of(s, struct fph_balloon, stats);
	unsigned int len;

	if (virtqueue_get_buf(fb->vqs[FPH_QUEUE_STATS], &len))
		offer(fb);
}

void fph_stats_used(struct virtqueue *vq)
{
	struct fph_balloon *fb = vq->vdev->priv;

	fph_queue_work(fb, &fb->stats.work, 0);
}

int fph_stats_init(struct fph_balloon *fb)
{
	INIT_DELAYED_WORK(&fb->stats.work, stats_work);
	fb->stats.buffer = kcalloc(MAX_STATS, FPH_STAT_SIZE, GFP_KERNEL);
	return fb->stats.buffer ? 0 : -ENOMEM;
}

/* The device has a buffer from the beginning. */
void fph_stats_start(struct fph_balloon *fb)
{
	if (fb->vqs[FPH_QUEUE_STATS])
		offer(fb);
}

void fph_stats_exit(struct fph_balloon *fb)
{
	kfree(fb->stats.buffer);
	fb->stats.buffer = NULL;
}
