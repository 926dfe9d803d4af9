// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
/*
 * The least MemFree and MemAvailable, looked at every 200 us: /proc/memwatch,
 * "free KiB available KiB".  A write begins anew.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/vmstat.h>

static unsigned long least_free = ULONG_MAX, least_available = ULONG_MAX;
static struct task_struct *thread;

static void look(void)
{
	unsigned long available = max(si_mem_available(), 0l);

	least_free = min(least_free, global_zone_page_state(NR_FREE_PAGES));
	least_available = min(least_available, available);
}

static int watch(void *unused)
{
	while (!kthread_should_stop()) {
		look();
		usleep_range(200, 250);
	}
	return 0;
}

static int show(struct seq_file *m, void *unused)
{
	seq_printf(m, "free %lu available %lu\n",
		   least_free << (PAGE_SHIFT - 10),
		   least_available << (PAGE_SHIFT - 10));
	return 0;
}

static int watch_open(struct inode *inode, struct file *file)
{
	return single_open(file, show, NULL);
}

static ssize_t begin_anew(struct file *file, const char __user *text,
			  size_t size, loff_t *pos)
{
	least_free = ULONG_MAX;
	least_available = ULONG_MAX;
	look();
	return size;
}

static const struct proc_ops ops = {
	.proc_open = watch_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
	.proc_write = begin_anew,
};

static int __init memwatch_init(void)
{
	thread = kthread_run(watch, NULL, "memwatch");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	if (!proc_create("memwatch", 0600, NULL, &ops)) {
		kthread_stop(thread);
		return -ENOMEM;
	}
	return 0;
}

static void __exit memwatch_exit(void)
{
	remove_proc_entry("memwatch", NULL);
	kthread_stop(thread);
}

module_init(memwatch_init);
module_exit(memwatch_exit);
MODULE_DESCRIPTION("the least free memory, for the tests of fph_balloon");
MODULE_LICENSE("Dual BSD/GPL");
