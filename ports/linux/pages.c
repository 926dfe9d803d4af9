// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * The balloon: pages that the host asked for.  The kernel may move them, so
 * that they are no obstacle to compaction.
 */
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include <uapi/linux/virtio_balloon.h>

#include "fph_balloon.h"
#include "trace.h"

/* A page is so many of the wire's units. */
#define UNITS		((u32)(PAGE_SIZE >> VIRTIO_BALLOON_PFN_SHIFT))
#define RETRY		(HZ / 5)

static bool keeps_managed(struct fph_balloon *fb)
{
	return virtio_has_feature(fb->vdev, VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
}

#if FPH_CORE_MIGRATES
static void count_managed(struct fph_balloon *fb, struct page *page, long n)
{
}
#else
/* Memory that may come back at any time still counts as the guest's. */
static void count_managed(struct fph_balloon *fb, struct page *page, long n)
{
	if (!keeps_managed(fb))
		adjust_managed_page_count(page, n);
}
#endif

/* ------------------------------------------------------------- the queues -- */

static void put_page_number(struct fph_balloon *fb, struct page *page,
			    size_t *off)
{
	u64 gpa = page_to_phys(page);
	u32 i;

	for (i = 0; i < UNITS; i++, gpa += 1u << VIRTIO_BALLOON_PFN_SHIFT)
		fph_pfn_encode(fb->pages.pfns, FPH_PFNS * 4, off, &gpa, 1,
			       fb->endian);
}

/* Until the device has used the buffer.  Under p->lock. */
static void tell_host(struct fph_balloon *fb, enum fph_queue queue, size_t len)
{
	struct virtqueue *vq = fb->vqs[queue];
	struct fph_pages *p = &fb->pages;
	struct scatterlist sg;

	if (!len)
		return;
	sg_init_one(&sg, p->pfns, len);
	/* There is always room: the queue was empty. */
	if (virtqueue_add_outbuf(vq, &sg, 1, p, GFP_KERNEL))
		return;
	virtqueue_kick(vq);
	fph_wait_used(vq, &p->acked);
}

void fph_pages_acked(struct virtqueue *vq)
{
	struct fph_balloon *fb = vq->vdev->priv;

	wake_up(&fb->pages.acked);
}

/* ------------------------------------------------------- inflate, deflate -- */

/* Allocates before it takes the lock, which the OOM notifier needs. */
static u32 inflate(struct fph_balloon *fb, u32 want)
{
	struct fph_pages *p = &fb->pages;
	struct page *page, *next;
	LIST_HEAD(list);
	size_t off = 0;
	u32 n, done = 0;

	want = min(want, FPH_PFNS);
	for (n = 0; n + UNITS <= want; n += UNITS) {
		page = balloon_page_alloc();
		if (!page)
			break;
		list_add(&page->lru, &list);
	}
	mutex_lock(&p->lock);
	list_for_each_entry_safe(page, next, &list, lru) {
		list_del(&page->lru);
		put_page_number(fb, page, &off);
		balloon_page_enqueue(&p->info, page);
		count_managed(fb, page, -1);
		done += UNITS;
	}
	p->num += done;
	tell_host(fb, FPH_QUEUE_INFLATE, off);
	mutex_unlock(&p->lock);
	return done;
}

/* The host is told first, whatever was negotiated. */
static u32 deflate(struct fph_balloon *fb, u32 want)
{
	struct fph_pages *p = &fb->pages;
	struct page *page, *next;
	LIST_HEAD(list);
	size_t off = 0;
	u32 done = 0;

	mutex_lock(&p->lock);
	want = min3(want, FPH_PFNS, p->num);
	while (done + UNITS <= want) {
		page = balloon_page_dequeue(&p->info);
		if (!page)
			break;		/* the rest is being moved */
		put_page_number(fb, page, &off);
		list_add(&page->lru, &list);
		done += UNITS;
	}
	p->num -= done;
	tell_host(fb, FPH_QUEUE_DEFLATE, off);
	list_for_each_entry_safe(page, next, &list, lru) {
		count_managed(fb, page, 1);
		list_del(&page->lru);
		put_page(page);
	}
	mutex_unlock(&p->lock);
	return done;
}

static void write_actual(struct fph_balloon *fb)
{
	u32 num = fb->pages.num;

	virtio_cwrite_le(fb->vdev, struct virtio_balloon_config, actual, &num);
}

static u32 read_target(struct fph_balloon *fb)
{
	u32 target;

	virtio_cread_le(fb->vdev, struct virtio_balloon_config, num_pages,
			&target);
	return ALIGN_DOWN(target, UNITS);
}

static void pages_work(struct work_struct *work)
{
	struct fph_pages *p = container_of(to_delayed_work(work),
					   struct fph_pages, work);
	struct fph_balloon *fb = container_of(p, struct fph_balloon, pages);
	u32 target = read_target(fb), done;

	trace_fph_balloon_size(p->num, target);
	if (target > p->num)
		done = inflate(fb, target - p->num);
	else if (target < p->num)
		done = deflate(fb, p->num - target);
	else
		return;
	write_actual(fb);
	if (p->num == read_target(fb))
		return;
	/* Short of memory, or pages are being moved: later. */
	fph_queue_work(fb, &p->work, done ? 0 : RETRY);
}

void fph_pages_changed(struct fph_balloon *fb)
{
	fph_queue_work(fb, &fb->pages.work, 0);
}

/* --------------------------------------------------------------- the kernel */

static int out_of_memory_event(struct notifier_block *nb, unsigned long unused,
			       void *freed)
{
	struct fph_pages *p = container_of(nb, struct fph_pages, oom);
	struct fph_balloon *fb = container_of(p, struct fph_balloon, pages);
	u32 done = deflate(fb, FPH_PFNS);

	*(unsigned long *)freed += done / UNITS;
	if (done)
		write_actual(fb);
	return NOTIFY_OK;
}

#if FPH_CAN_MIGRATE

#if FPH_CORE_MIGRATES
static void replace_page(struct fph_balloon *fb, struct page *newpage)
{
}

static void drop_page(struct fph_balloon *fb, struct page *page)
{
}
#else
static void replace_page(struct fph_balloon *fb, struct page *newpage)
{
	struct balloon_dev_info *info = &fb->pages.info;
	unsigned long flags;

	get_page(newpage);
	spin_lock_irqsave(&info->pages_lock, flags);
	balloon_page_insert(info, newpage);
	info->isolated_pages--;
	__count_vm_event(BALLOON_MIGRATE);
	spin_unlock_irqrestore(&info->pages_lock, flags);
}

static void drop_page(struct fph_balloon *fb, struct page *page)
{
	struct balloon_dev_info *info = &fb->pages.info;
	unsigned long flags;

	spin_lock_irqsave(&info->pages_lock, flags);
	balloon_page_finalize(page);
	spin_unlock_irqrestore(&info->pages_lock, flags);
	put_page(page);
}
#endif

/* The kernel wants page for something else, and gives newpage for it. */
static int migrate_page(struct balloon_dev_info *info, struct page *newpage,
			struct page *page, enum migrate_mode mode)
{
	struct fph_pages *p = container_of(info, struct fph_pages, info);
	struct fph_balloon *fb = container_of(p, struct fph_balloon, pages);
	size_t off = 0;

	/* The holder may wait for memory, and we are called to find some. */
	if (!mutex_trylock(&p->lock))
		return -EAGAIN;
	if (page_zone(page) != page_zone(newpage)) {
		count_managed(fb, page, 1);
		count_managed(fb, newpage, -1);
	}
	replace_page(fb, newpage);
	put_page_number(fb, newpage, &off);
	tell_host(fb, FPH_QUEUE_INFLATE, off);
	off = 0;
	put_page_number(fb, page, &off);
	tell_host(fb, FPH_QUEUE_DEFLATE, off);
	drop_page(fb, page);
	mutex_unlock(&p->lock);
	return 0;
}

#endif /* FPH_CAN_MIGRATE */

/* ------------------------------------------------------------ init, exit -- */

int fph_pages_init(struct fph_balloon *fb)
{
	struct fph_pages *p = &fb->pages;

	mutex_init(&p->lock);
	init_waitqueue_head(&p->acked);
	INIT_DELAYED_WORK(&p->work, pages_work);
	p->oom.notifier_call = out_of_memory_event;
	balloon_devinfo_init(&p->info);
#if FPH_CAN_MIGRATE
	p->info.migratepage = migrate_page;
#endif
#if FPH_CORE_MIGRATES
	p->info.adjust_managed_page_count = !keeps_managed(fb);
#endif
	p->pfns = kcalloc(FPH_PFNS, 4, GFP_KERNEL);
	return p->pfns ? 0 : -ENOMEM;
}

int fph_pages_start(struct fph_balloon *fb)
{
	int ret = 0;

	if (keeps_managed(fb))
		ret = register_oom_notifier(&fb->pages.oom);
	fb->pages.oom_registered = keeps_managed(fb) && !ret;
	return ret;
}

/* The device is there still: it is told of all that leaves the balloon. */
void fph_pages_stop(struct fph_balloon *fb)
{
	struct fph_pages *p = &fb->pages;

	if (p->oom_registered)
		unregister_oom_notifier(&p->oom);
	p->oom_registered = false;
	while (p->num)
		if (!deflate(fb, p->num))
			schedule_timeout_uninterruptible(1);
	write_actual(fb);
}

void fph_pages_exit(struct fph_balloon *fb)
{
	kfree(fb->pages.pfns);
	fb->pages.pfns = NULL;
}
