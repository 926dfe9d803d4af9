// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/* A virtio balloon driver on libfph: life of the device. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poison.h>
#include <linux/slab.h>
#include <linux/virtio_ids.h>

#include <uapi/linux/virtio_balloon.h>

#include "fph_balloon.h"

/* Free pages hold a value that the allocator checks, or hands out as zero. */
static bool keeps_content(void)
{
	return want_init_on_free() || page_poisoning_enabled_static();
}

/* Before DRIVER_OK: VIO-REP-DRV-2. */
static void write_poison(struct fph_balloon *fb)
{
	u32 val = 0;

	if (!virtio_has_feature(fb->vdev, VIRTIO_BALLOON_F_PAGE_POISON))
		return;
	if (!want_init_on_free())
		memset(&val, PAGE_POISON, sizeof(val));
	virtio_cwrite_le(fb->vdev, struct virtio_balloon_config, poison_val,
			 &val);
}

/* Nothing of the driver runs any more; the device is there still. */
static void quiesce(struct fph_balloon *fb)
{
	spin_lock_irq(&fb->stop_lock);
	fb->stopping = true;
	spin_unlock_irq(&fb->stop_lock);
	cancel_delayed_work_sync(&fb->hint.work);
	cancel_delayed_work_sync(&fb->stats.work);
	cancel_delayed_work_sync(&fb->pages.work);
}

static void free_parts(struct fph_balloon *fb)
{
	fph_hint_exit(fb);
	fph_report_exit(fb);
	fph_pages_exit(fb);
	fph_stats_exit(fb);
	fb->vdev->config->del_vqs(fb->vdev);
}

static int init_parts(struct fph_balloon *fb)
{
	int ret;

	ret = fph_find_queues(fb);
	if (ret)
		return ret;
	ret = fph_pages_init(fb);
	if (!ret)
		ret = fph_stats_init(fb);
	if (!ret)
		ret = fph_report_init(fb);
	if (!ret)
		ret = fph_hint_init(fb);
	if (ret)
		free_parts(fb);
	return ret;
}

static void stop(struct fph_balloon *fb)
{
	fph_report_unregister(fb);
	quiesce(fb);
	fph_pages_stop(fb);
	virtio_reset_device(fb->vdev);
	free_parts(fb);
}

static int start(struct fph_balloon *fb)
{
	int ret;

	fb->content = keeps_content() ? FPH_CONTENT_KEPT : FPH_CONTENT_FREE;
	fb->endian = virtio_is_little_endian(fb->vdev) ? FPH_LE : FPH_BE;
	ret = init_parts(fb);
	if (ret)
		return ret;
	write_poison(fb);
	fb->stopping = false;
	virtio_device_ready(fb->vdev);
	fph_stats_start(fb);
	ret = fph_pages_start(fb);
	if (!ret)
		ret = fph_report_register(fb);
	if (ret) {
		stop(fb);
		return ret;
	}
	fph_pages_changed(fb);
	fph_hint_changed(fb);
	return 0;
}

static int fph_probe(struct virtio_device *vdev)
{
	struct fph_balloon *fb;
	int ret;

	if (!vdev->config->get) {
		dev_err(&vdev->dev, "no access to config space\n");
		return -EINVAL;
	}
	fb = kzalloc(sizeof(*fb), GFP_KERNEL);
	if (!fb)
		return -ENOMEM;
	fb->vdev = vdev;
	fb->stopping = true;
	spin_lock_init(&fb->stop_lock);
	fb->wq = alloc_workqueue("fph_balloon", WQ_FREEZABLE | WQ_UNBOUND, 0);
	ret = fb->wq ? 0 : -ENOMEM;
	vdev->priv = fb;
	if (!ret)
		ret = start(fb);
	if (ret) {
		vdev->priv = NULL;
		if (fb->wq)
			destroy_workqueue(fb->wq);
		kfree(fb);
		return ret;
	}
	fph_debug_init(fb);
	dev_info(&vdev->dev, "hints: %s, reports: %s, queues: %s\n",
		 fb->hint.core ? fph_hint_how_name(fb->hint.how) : "off",
		 fb->report.core ? "on" : "off",
		 fb->fixed_queues ? "fixed" : "as negotiated");
	return 0;
}

static void fph_remove(struct virtio_device *vdev)
{
	struct fph_balloon *fb = vdev->priv;

	fph_debug_exit(fb);
	stop(fb);
	vdev->priv = NULL;
	destroy_workqueue(fb->wq);
	kfree(fb);
}

static void fph_config_changed(struct virtio_device *vdev)
{
	struct fph_balloon *fb = vdev->priv;

	if (!fb)
		return;
	fph_pages_changed(fb);
	fph_hint_changed(fb);
}

#ifdef CONFIG_PM_SLEEP
static int fph_freeze(struct virtio_device *vdev)
{
	stop(vdev->priv);
	return 0;
}

static int fph_restore(struct virtio_device *vdev)
{
	return start(vdev->priv);
}
#endif

/*
 * PAGE_POISON is taken only if free pages have a content, and then reports need
 * it.  Addresses are the guest's own, so ACCESS_PLATFORM cannot hold.
 */
static int fph_validate(struct virtio_device *vdev)
{
	if (!keeps_content())
		__virtio_clear_bit(vdev, VIRTIO_BALLOON_F_PAGE_POISON);
	else if (!virtio_has_feature(vdev, VIRTIO_BALLOON_F_PAGE_POISON))
		__virtio_clear_bit(vdev, VIRTIO_BALLOON_F_PAGE_REPORTING);
	__virtio_clear_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
	return 0;
}

static const unsigned int features[] = {
	VIRTIO_BALLOON_F_MUST_TELL_HOST,
	VIRTIO_BALLOON_F_STATS_VQ,
	VIRTIO_BALLOON_F_DEFLATE_ON_OOM,
	VIRTIO_BALLOON_F_FREE_PAGE_HINT,
	VIRTIO_BALLOON_F_PAGE_POISON,
	VIRTIO_BALLOON_F_PAGE_REPORTING,
};

static const struct virtio_device_id ids[] = {
	{ VIRTIO_ID_BALLOON, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, ids);

static struct virtio_driver fph_driver = {
	.driver.name		= KBUILD_MODNAME,
	.driver.owner		= THIS_MODULE,
	.feature_table		= features,
	.feature_table_size	= ARRAY_SIZE(features),
	.id_table		= ids,
	.validate		= fph_validate,
	.probe			= fph_probe,
	.remove			= fph_remove,
	.config_changed		= fph_config_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze			= fph_freeze,
	.restore		= fph_restore,
#endif
};
module_virtio_driver(fph_driver);

MODULE_DESCRIPTION("virtio balloon on libfph: hints without running short of memory");
MODULE_LICENSE("Dual BSD/GPL");
