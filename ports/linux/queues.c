// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * The virtqueues, and which index each has.
 *
 * The specification gives each queue a fixed index; Linux counts those that
 * were negotiated.  Both agree while every optional queue below one's own is
 * negotiated, so the driver takes STATS_VQ and FREE_PAGE_HINT wherever they are
 * offered.  Where a device does not offer one and offers another above it, the
 * two differ by the number of queues that the device has, and that is asked:
 * a hint in the wrong queue would be read as statistics or as a report.
 */
#include <linux/virtio_config.h>

#include "fph_balloon.h"

static vq_callback_t *const callbacks[FPH_NQUEUES] = {
	[FPH_QUEUE_INFLATE]	= fph_pages_acked,
	[FPH_QUEUE_DEFLATE]	= fph_pages_acked,
	[FPH_QUEUE_STATS]	= fph_stats_used,
	[FPH_QUEUE_HINT]	= fph_hint_used,
	[FPH_QUEUE_REPORT]	= fph_report_used,
};

static const char *const names[FPH_NQUEUES] = {
	[FPH_QUEUE_INFLATE]	= "inflate",
	[FPH_QUEUE_DEFLATE]	= "deflate",
	[FPH_QUEUE_STATS]	= "stats",
	[FPH_QUEUE_HINT]	= "free_page_hint",
	[FPH_QUEUE_REPORT]	= "free_page_report",
};

static const int features[FPH_NQUEUES] = {
	[FPH_QUEUE_INFLATE]	= -1,
	[FPH_QUEUE_DEFLATE]	= -1,
	[FPH_QUEUE_STATS]	= VIRTIO_BALLOON_F_STATS_VQ,
	[FPH_QUEUE_HINT]	= VIRTIO_BALLOON_F_FREE_PAGE_HINT,
	[FPH_QUEUE_REPORT]	= VIRTIO_BALLOON_F_PAGE_REPORTING,
};

static bool has_queue(struct fph_balloon *fb, int i)
{
	return features[i] < 0 || virtio_has_feature(fb->vdev, features[i]);
}

/* Sets up n queues; one that is not negotiated has a place if fixed is set. */
static int set_up(struct fph_balloon *fb, int n, bool fixed)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	struct virtqueue_info info[FPH_NQUEUES] = {};
	int i;

	for (i = 0; i < n; i++) {
		if (!has_queue(fb, i) && !fixed)
			continue;
		info[i].name = names[i];
		info[i].callback = has_queue(fb, i) ? callbacks[i] : NULL;
	}
	return virtio_find_vqs(fb->vdev, n, fb->vqs, info, NULL);
#else
	vq_callback_t *used_callbacks[FPH_NQUEUES] = {};
	const char *used_names[FPH_NQUEUES] = {};
	int i;

	for (i = 0; i < n; i++) {
		if (!has_queue(fb, i) && !fixed)
			continue;
		used_names[i] = names[i];
		used_callbacks[i] = has_queue(fb, i) ? callbacks[i] : NULL;
	}
	return virtio_find_vqs(fb->vdev, n, fb->vqs, used_callbacks,
			       used_names, NULL);
#endif
}

int fph_find_queues(struct fph_balloon *fb)
{
	bool gap = false;
	int i, last = 0;

	for (i = 0; i < FPH_NQUEUES; i++)
		if (has_queue(fb, i))
			last = i;
	for (i = 0; i < last; i++)
		gap |= !has_queue(fb, i);
	memset(fb->vqs, 0, sizeof(fb->vqs));
	/* The device has a queue with the last index only if it is fixed. */
	fb->fixed_queues = gap && !set_up(fb, last + 1, true);
	if (!fb->fixed_queues)
		return set_up(fb, last + 1, false);
	/* What only holds a place is not used. */
	for (i = 0; i < last; i++)
		if (!has_queue(fb, i))
			fb->vqs[i] = NULL;
	return 0;
}
