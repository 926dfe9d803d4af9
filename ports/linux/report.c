// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * Free page reporting, on mm/page_reporting.c: it takes blocks from the free
 * lists, waits for report(), and puts them back.  The reporter merges them and
 * splits them to what a buffer can hold.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "fph_balloon.h"
#include "trace.h"

static int report_order = -1;
module_param(report_order, int, 0444);
MODULE_PARM_DESC(report_order, "smallest free block that is reported, an order (default -1: the kernel's choice; 0 is 1 where the kernel takes 0 for its choice, as 6.1 does)");

static bool report = true;
module_param(report, bool, 0444);
MODULE_PARM_DESC(report, "report free pages where the device wants it (default 1)");

void fph_report_used(struct virtqueue *vq)
{
	struct fph_balloon *fb = vq->vdev->priv;

	wake_up(&fb->report.acked);
}

/* Puts one buffer into the queue and waits until it was used. */
static int send(struct fph_balloon *fb, const struct fph_buffer *buffer)
{
	struct virtqueue *vq = fb->vqs[FPH_QUEUE_REPORT];
	struct fph_report *r = &fb->report;
	u32 i;

	sg_init_table(r->sg, buffer->nwrite);
	for (i = 0; i < buffer->nwrite; i++)
		sg_set_page(&r->sg[i], pfn_to_page(PHYS_PFN(r->segs[i].gpa)),
			    r->segs[i].len, 0);
	if (virtqueue_add_inbuf(vq, r->sg, buffer->nwrite, r,
				GFP_NOWAIT | __GFP_NOWARN))
		return -ENOSPC;
	virtqueue_kick(vq);
	return fph_wait_used(vq, &r->acked) ? 0 : -EIO;
}

/* Sends all that was added. */
static int send_all(struct fph_balloon *fb, u64 now)
{
	struct fph_report *r = &fb->report;
	struct fph_used used = {};
	struct fph_buffer buffer;
	int ret;

	fph_reporter_flush(r->core);
	while (fph_reporter_submit(r->core, now, &buffer, 1, r->segs,
				   FPH_REPORT_SEGS) == 1) {
		ret = send(fb, &buffer);
		used.cookie = buffer.cookie;
		if (ret == -ENOSPC)
			fph_reporter_cancel(r->core, now, buffer.cookie);
		else
			fph_reporter_complete(r->core, now, &used, 1, !ret);
		if (ret)
			return ret;
	}
	return 0;
}

/* Whatever happened, page_reporting.c takes all of it back. */
static int take_back(struct fph_report *r)
{
	struct fph_returned ranges[4];
	int i, n, ret = 0;

	while ((n = fph_reporter_take_back(r->core, ranges,
					   ARRAY_SIZE(ranges))) > 0)
		for (i = 0; i < n; i++)
			if (!ranges[i].used)
				ret = -EIO;
	while ((n = fph_reporter_shrink(r->core, ranges,
					ARRAY_SIZE(ranges))) > 0)
		ret = -EIO;
	return ret;
}

/* May sleep; the pages are ours until it returns. */
static int report_pages(struct page_reporting_dev_info *dev,
			struct scatterlist *sgl, unsigned int nents)
{
	struct fph_report *r = container_of(dev, struct fph_report, dev);
	struct fph_balloon *fb = container_of(r, struct fph_balloon, report);
	u64 now = ktime_get_ns(), pages = 0;
	struct fph_owned_range range = {};
	struct scatterlist *sg;
	int ret = 0, back;
	unsigned int i;

	for_each_sg(sgl, sg, nents, i) {
		range.gpa = sg_phys(sg);
		range.len = sg->length;
		pages += sg->length >> PAGE_SHIFT;
		if (fph_reporter_add(r->core, now, &range, 1) != 1)
			ret = -EINVAL;
	}
	if (!ret)
		ret = send_all(fb, now);
	back = take_back(r);
	trace_fph_report(nents, pages, ret ?: back);
	return ret ?: back;
}

static u32 get_max_segs(struct fph_balloon *fb)
{
	u32 n = virtqueue_get_vring_size(fb->vqs[FPH_QUEUE_REPORT]);

	return min(n, FPH_REPORT_SEGS);
}

int fph_report_init(struct fph_balloon *fb)
{
	struct fph_report *r = &fb->report;
	struct fph_reporter_params params = {
		.size = sizeof(params),
		.content = fb->content,
		.features = fb->vdev->features,
		.max_ranges = FPH_REPORT_SEGS,
		.window = 1,
		.flush_delay = FPH_FOREVER,
	};
	size_t size;
	void *mem;

	init_waitqueue_head(&r->acked);
	if (!report || !fb->vqs[FPH_QUEUE_REPORT])
		return 0;
	params.max_segs = get_max_segs(fb);
	size = fph_reporter_size(&params);
	mem = kvmalloc(size, GFP_KERNEL);
	if (!mem)
		return -ENOMEM;
	if (fph_reporter_init(&r->core, mem, size, &params)) {
		dev_info(&fb->vdev->dev,
			 "no reports: free memory has content that must stay\n");
		kvfree(mem);
		r->core = NULL;
	}
	return 0;
}

int fph_report_register(struct fph_balloon *fb)
{
	struct fph_report *r = &fb->report;
	int ret;

	if (!r->core)
		return 0;
	memset(&r->dev, 0, sizeof(r->dev));
	r->dev.report = report_pages;
#ifdef PAGE_REPORTING_ORDER_UNSPECIFIED
	r->dev.order = report_order < 0 ? PAGE_REPORTING_ORDER_UNSPECIFIED :
					  report_order;
#else
	/* 0 is the kernel's choice here, so 1 is the smallest that can be had. */
	r->dev.order = report_order < 0 ? 0 : max(report_order, 1);
#endif
	ret = page_reporting_register(&r->dev);
	r->registered = !ret;
	return ret;
}

void fph_report_unregister(struct fph_balloon *fb)
{
	if (fb->report.registered)
		page_reporting_unregister(&fb->report.dev);
	fb->report.registered = false;
}

void fph_report_exit(struct fph_balloon *fb)
{
	kvfree(fb->report.core);
	fb->report.core = NULL;
}
