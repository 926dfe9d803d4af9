// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/* debugfs: fph_balloon/DEVICE/status, a name and a number on each line. */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "fph_balloon.h"

static void show(struct seq_file *m, const char *name, u64 value)
{
	seq_printf(m, "%s %llu\n", name, value);
}

static void show_hinter(struct seq_file *m, struct fph_hint *h)
{
	struct fph_hinter_counters c;
	struct fph_hinter_amounts a;

	fph_hinter_get_counters(h->core, &c, sizeof(c));
	fph_hinter_get_amounts(h->core, &a, sizeof(a));
	show(m, "hint_rounds", c.rounds);
	show(m, "hint_stops", c.stops);
	show(m, "hint_buffers", c.hints);
	show(m, "hint_segments", c.segs);
	show(m, "hint_bytes", c.bytes);
	show(m, "hint_stale_bytes", c.stale_bytes);
	show(m, "hint_cancelled", c.cancelled);
	show(m, "hint_held_bytes", a.held.bytes);
	show(m, "hint_with_device", a.buffers);
}

static void show_round(struct seq_file *m, const struct fph_round *r)
{
	show(m, "round_id", r->id);
	show(m, "round_pages", r->pages);
	show(m, "round_blocks", r->blocks);
	show(m, "round_lost_pages", r->lost);
	show(m, "round_reported_pages", r->reported);
	show(m, "round_low_pages", r->low);
	show(m, "round_small_pages", r->small);
	show(m, "round_waits", r->waits);
	show(m, "round_armed_us",
	     r->armed ? ktime_us_delta(r->armed, r->seen) : 0);
	show(m, "round_walked_us",
	     r->walked ? ktime_us_delta(r->walked, r->seen) : 0);
	show(m, "round_us",
	     r->stopped ? ktime_us_delta(r->stopped, r->seen) : 0);
}

static void show_report(struct seq_file *m, struct fph_report *r)
{
	struct fph_reporter_counters c;

	if (fph_reporter_get_counters(r->core, &c, sizeof(c)))
		return;
	show(m, "report_ranges", c.added);
	show(m, "report_buffers", c.buffers);
	show(m, "report_segments", c.segs);
	show(m, "report_bytes", c.reported_bytes);
	show(m, "report_failed", c.failed);
}

static int status_show(struct seq_file *m, void *unused)
{
	struct fph_balloon *fb = m->private;
	struct fph_hint *h = &fb->hint;

	seq_printf(m, "hint %s\n", fph_hint_how_name(h->core ? h->how :
						     FPH_HINT_OFF));
	show(m, "balloon_pages", fb->pages.num);
	show(m, "queues_fixed", fb->fixed_queues);
	show_report(m, &fb->report);
	mutex_lock(&h->lock);
	if (h->core) {
		show_hinter(m, h);
		show_round(m, &h->last);
	}
	mutex_unlock(&h->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(status);

void fph_debug_init(struct fph_balloon *fb)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-%s", KBUILD_MODNAME,
		 dev_name(&fb->vdev->dev));
	fb->dir = debugfs_create_dir(name, NULL);
	debugfs_create_file("status", 0444, fb->dir, fb, &status_fops);
}

void fph_debug_exit(struct fph_balloon *fb)
{
	debugfs_remove_recursive(fb->dir);
}
